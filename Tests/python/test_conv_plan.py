"""Plans: the functions' bits with the filter given once, whatever becomes of plan and arrays meanwhile."""

import concurrent.futures
import copy
import gc
import os
import pickle
import signal
import sys
import threading
import time

import numpy as np
import pytest
import subprocesses
import swiftconv
from reference import BFLOAT16
from samples import DTYPES, LAYOUTS, SLOW_DTYPES, normals, values
from swiftconv import nn
from test_conv import CONV, CONV_TRANSPOSE, FORWARD, TRANSPOSED, Problem, W, X, each

PLAN = {1: nn.plan_conv1d, 2: nn.plan_conv2d, 3: nn.plan_conv3d}
PLAN_TRANSPOSE = {1: nn.plan_conv_transpose1d, 2: nn.plan_conv_transpose2d, 3: nn.plan_conv_transpose3d}
MIB = 2**20
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
T = np.arange(4 * 3 * 2 * 2.0).reshape(4, 3, 2, 2) % 5  # of a transposed convolution of X


def assert_same(actual, expected):
    assert actual.dtype == expected.dtype and actual.shape == expected.shape
    if expected.dtype.char in "OgG":  # whose bytes hold addresses, or padding
        assert ((actual == expected) | (actual != actual)).all()
    else:
        assert np.ascontiguousarray(actual).tobytes() == np.ascontiguousarray(expected).tobytes()


def assert_plans_as(plan, function, weight, bias, input, options):
    """A plan's calls have the function's bits, with `out` and without, and its result lies in memory as that one's."""
    expected = function(input, weight, bias, **options)
    actual = plan(input)
    assert_same(actual, expected)
    strides = [
        [step for step, n in zip(array.strides, array.shape) if n > 1] for array in (actual, expected) if array.size
    ]
    assert strides[:1] == strides[1:]
    assert plan.output_shape(input.shape) == expected.shape
    out = np.zeros_like(expected)
    assert plan(input, out) is out and plan(input, out=(out,)) is out
    assert_same(out, expected)
    out, other = (np.zeros(expected.shape[::-1], expected.dtype).T for _ in range(2))  # may round in its own way
    assert plan(input, out=out) is out
    assert_same(out, function(input, weight, bias, out=other, **options))


# ---- Products of everything -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", FORWARD[::2], ids=lambda row: "-".join(str(value) for value in row.values()))
def test_forward(row, rng):
    problem = Problem(row, rng)
    rank = problem.rank
    padding = {"each": (1, 0, 2)[:rank], "pairs": ((2, 1), (0, 1), (1, 0))[:rank]}.get(row["padding"], row["padding"])
    options = {
        **{name: each(name, row[name], rank) for name in ("stride", "dilation")}, "padding": padding,
        "groups": row["groups"], "layout": problem.layout, "padding_mode": row["padding_mode"],
        "activation": problem.activation, "per_sample": problem.per_sample,
    }  # fmt: skip
    for shape in (None, problem.input.shape):
        plan = PLAN[rank](problem.weight, problem.bias, input_shape=shape, **options)
        assert_plans_as(plan, CONV[rank], problem.weight, problem.bias, problem.input, options)


@pytest.mark.parametrize("row", TRANSPOSED[::2], ids=lambda row: "-".join(str(value) for value in row.values()))
def test_transposed(row, rng):
    problem = Problem(row, rng, transposed=True)
    rank = problem.rank
    padding = {"each": (1, 0, 2)[:rank], "pairs": ((2, 1), (0, 1), (1, 0))[:rank]}.get(row["padding"], row["padding"])
    options = {
        **{name: each(name, row[name], rank) for name in ("stride", "dilation")}, "padding": padding,
        "groups": row["groups"], "layout": problem.layout, "activation": problem.activation,
        "per_sample": problem.per_sample,
    }  # fmt: skip
    if row["output_padding"] == "most" and row["stride"] == row["dilation"] == 2:
        options["output_padding"] = 1
    for shape in (None, problem.input.shape):
        plan = PLAN_TRANSPOSE[rank](problem.weight, problem.bias, input_shape=shape, **options)
        assert_plans_as(plan, CONV_TRANSPOSE[rank], problem.weight, problem.bias, problem.input, options)


@pytest.mark.parametrize("method", ["auto", "direct", "gemm", "winograd", "reference"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8, np.complex64], ids=str)
def test_methods(method, dtype, rng):
    for shape, filters, options in [
        ((2, 16, 15, 14), (24, 16, 3, 3), {"padding": 1}), ((1, 6, 12, 15), (6, 1, 5, 2), {"groups": 6}),
        ((2, 3, 17, 19), (8, 3, 7, 7), {"stride": 2, "padding": 3}), ((1, 32, 6, 7), (16, 32, 1, 1), {}),
    ]:  # fmt: skip
        x, w, b = normals(rng, shape, dtype), normals(rng, filters, dtype), normals(rng, filters[0], dtype)
        try:
            nn.conv2d(x, w, b, method=method, **options)
        except ValueError:
            with pytest.raises(ValueError, match="method="):
                nn.plan_conv2d(w, b, method=method, **options)(x)
            continue
        plan = nn.plan_conv2d(w, b, method=method, input_shape=shape, **options)
        assert_plans_as(plan, nn.conv2d, w, b, x, {"method": method, **options})


@pytest.mark.parametrize("options", [
    {}, {"padding": "same"}, {"padding": "SAME_LOWER", "window_strides": (2, 3)}, {"padding": [(1, 2), (-1, 3)]},
    {"lhs_dilation": (2, 3), "padding": [(1, 1), (0, 2)]}, {"rhs_dilation": (1, 2)}, {"dimension_numbers": ("NCHW", "IOHW", "NHWC")},
    {"dimension_numbers": ((0, 1, 2, 3), (1, 0, 2, 3), (3, 2, 0, 1))}, {"feature_group_count": 2}, {"batch_group_count": 2},
    {"preferred_element_type": np.float64}, {"method": "gemm", "threads": 2},
], ids=str)  # fmt: skip
def test_general(options, rng):
    groups = options.get("feature_group_count", 1)
    x, w = normals(rng, (4, 6, 9, 10), np.float32), normals(rng, (6, 6 // groups, 3, 2), np.float32)
    options = {"window_strides": (1, 1), "padding": "VALID", **options}
    expected = nn.conv_general_dilated(x, w, **options)
    for shape in (None, x.shape):
        plan = nn.plan_conv_general_dilated(w, input_shape=shape, **options)
        assert_same(plan(x), expected)
        assert_same(plan(LAYOUTS["byteswapped"](x)), expected)
        assert_same(plan(x, np.zeros_like(expected)), expected)
        assert plan.output_shape(x.shape) == expected.shape
        assert_same(pickle.loads(pickle.dumps(plan))(x), expected)
        assert repr(plan).startswith("plan_conv_general_dilated(weight (6, ")
    small = x[:, :, :2]
    if options["padding"] == "VALID" and "dimension_numbers" not in options and "lhs_dilation" not in options:
        assert (
            plan(small).shape
            == nn.conv_general_dilated(small, w, **options).shape
            == (*expected.shape[:2], 0, expected.shape[3])
        )
    for bad, words in [
        (x[:, :5], "lhs"),
        (x[0], "lhs.ndim=3: expected 4"),
        (x.astype(complex), "lhs has dtype complex128"),
    ]:
        with pytest.raises((ValueError, TypeError), match=words):
            plan(bad)
    with pytest.raises(ValueError, match="rhs"):
        nn.plan_conv_general_dilated(w[:, :, :0], **options)


def test_general_of_any_rank(rng):
    for spatial in (0, 1, 4, 20):
        x, w = normals(rng, (2, 3, *[2] * spatial), np.float32), normals(rng, (4, 3, *[1] * spatial), np.float32)
        plan = nn.plan_conv_general_dilated(w, (1,) * spatial, "VALID" if spatial else [])
        assert_same(plan(x), nn.conv_general_dilated(x, w, (1,) * spatial, "VALID"))


# ---- Inputs that differ from what a plan was made for ---------------------------------------------------------------


@pytest.mark.parametrize("options", [
    {"padding": 1}, {"padding": "same", "stride": 3}, {"padding": "same_lower", "stride": (2, 1)}, {"stride": 2, "dilation": 2},
    {"padding": 1, "padding_mode": "circular"}, {"padding": (0, 2), "padding_mode": "reflect"}, {"groups": 4}, {"groups": 16},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("memory", list(LAYOUTS))
def test_any_input(options, memory, rng):
    w, b = normals(rng, (32, 16 // options.get("groups", 1), 3, 3), np.float32), normals(rng, 32, np.float32)
    plan = nn.plan_conv2d(w, b, input_shape=(2, 16, 14, 14), **options)
    for shape in [(2, 16, 14, 14), (1, 16, 14, 14), (5, 16, 9, 20), (1, 16, 33, 7), (16, 14, 14), (0, 16, 14, 14)]:
        x = LAYOUTS[memory](normals(rng, shape, np.float32))
        assert_plans_as(plan, nn.conv2d, w, b, x, options)


def test_any_dtype_whose_result_the_plan_holds(rng):
    w = values(rng, (3, 4, 2, 2), np.float32)
    plan = nn.plan_conv2d(w)
    assert plan.dtype == np.float32
    for dtype in (bool, np.int8, np.uint16, np.float16, np.float32):
        x = values(rng, (2, 4, 5, 6), dtype)
        assert_same(plan(x), nn.conv2d(x, w))
    for dtype in (np.int32, np.float64, np.complex64, np.longdouble):  # a silent narrowing
        with pytest.raises(TypeError, match="input has dtype .*expected one that the plan's float32 holds"):
            plan(values(rng, (2, 4, 5, 6), dtype))
    for wide in (nn.plan_conv2d(w, input_dtype=float), nn.plan_conv2d(w, dtype=float)):
        assert wide.dtype == np.float64
        for dtype in (np.float64, np.float32, np.int32, np.int8):
            x = values(rng, (2, 4, 5, 6), dtype)
            assert_same(wide(x), nn.conv2d(x, w, dtype=float))
    narrow = nn.plan_conv2d(w.astype(np.float64), dtype=np.float32)
    x = normals(rng, (2, 4, 5, 6), np.float64)
    assert_same(narrow(x), nn.conv2d(x, w.astype(np.float64), dtype=np.float32))
    exact = nn.plan_conv2d(values(rng, (3, 4, 2, 2), np.int8), dtype=np.int32, input_shape=(1, 4, 5, 6))
    assert exact(values(rng, (2, 4, 5, 6), np.uint8)).dtype == np.int32
    with pytest.raises(TypeError, match="input has dtype float64"):
        exact(x)


@pytest.mark.parametrize("dtype", DTYPES + SLOW_DTYPES, ids=str)
def test_dtypes(dtype, rng):
    x, w, b = values(rng, (2, 4, 6, 5), dtype), values(rng, (4, 2, 2, 3), dtype), values(rng, 4, dtype)
    plan = nn.plan_conv2d(w, b, groups=2, input_shape=x.shape)
    assert plan.dtype == dtype
    assert_plans_as(plan, nn.conv2d, w, b, x, {"groups": 2})
    again = pickle.loads(pickle.dumps(plan))
    assert_same(again(x), plan(x))


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.complex128, np.int16, np.longdouble, ">f4"], ids=str)
def test_out_of_another_dtype(dtype):
    plan = nn.plan_conv2d(W.astype(np.int16), input_shape=X.shape)
    out = np.zeros(plan.output_shape(X.shape), dtype)
    x = X.astype(np.int16)
    assert plan(x, out=out) is out
    np.testing.assert_array_equal(out, nn.conv2d(x, W.astype(np.int16)).astype(dtype))


def test_out_may_overlap_the_input(rng):
    w = values(rng, (4, 4, 3, 3), np.int64)
    plan = nn.plan_conv2d(w, padding=1)
    for view in (lambda x: x, lambda x: x[::-1], lambda x: x.swapaxes(2, 3)):
        x = values(rng, (2, 4, 6, 6), np.int64)
        expected = nn.conv2d(x, w, padding=1)
        assert_same(plan(x, out=view(x)), expected)
    line = np.zeros(6, np.int64)
    out = np.lib.stride_tricks.as_strided(line, (2, 4, 6, 6), (0, 0, 0, 8))
    assert plan(values(rng, (2, 4, 6, 6), np.int64), out=out) is out


def test_array_likes(rng):
    plan = nn.plan_conv1d([[[1, 2]]], [7])
    assert plan([[[1, 2, 3]]]).tolist() == [[[12, 15]]]
    assert plan(input=np.array([[1, 2, 3]])).tolist() == [[12, 15]]


# ---- What a plan is -------------------------------------------------------------------------------------------------


def test_later_changes_of_the_callers_arrays_do_not_matter(rng):
    w, b = normals(rng, (8, 4, 3, 3), np.float32), normals(rng, 8, np.float32)
    x = normals(rng, (2, 4, 9, 9), np.float32)
    inputs = [LAYOUTS[memory](x) for memory in ("C", "channels last", "F", "byteswapped")]
    expected = [nn.conv2d(x, w, b) for x in inputs]
    plans = [nn.plan_conv2d(w, b), nn.plan_conv2d(w, b, input_shape=x.shape)]
    w[...] = 0
    b[...] = 0
    for plan in plans:
        for x, y in zip(inputs, expected):
            assert_same(plan(x), y)


def test_a_plan_is_immutable():
    plan = nn.plan_conv2d(W, input_shape=X.shape)
    for name in ("dtype", "weight_shape", "input_shape", "nbytes", "workspace_nbytes", "_parts", "new"):
        with pytest.raises(AttributeError):
            setattr(plan, name, 1)
    with pytest.raises(AttributeError):
        del plan._parts
    assert not hasattr(plan, "__dict__")
    assert not plan._parts.weight.flags.writeable


def test_a_plan_is_made_by_its_functions_alone():
    for arguments in ((), (1,), (1, 2, 3), (np.ones((1, 1, 1, 1)),)):
        with pytest.raises(TypeError):
            nn.ConvolutionPlan(*arguments)
    for arguments in ((), (1,), (None,) * 8, (None, (), (), None, 0, None, 0, 0, True)):
        with pytest.raises(TypeError):
            swiftconv._native.ConvolutionPlan(*arguments)
    empty = swiftconv._native.ConvolutionPlan(*(None,) * 9)
    for arguments in ((X, 12, X, 12, 0, nn.plan_conv2d(W)._parts.recipe.options), ()):
        with pytest.raises(TypeError):
            empty._run(*arguments)


@pytest.mark.parametrize("options", [
    {}, {"bias": np.arange(3.0)}, {"stride": 2, "padding": ((1, 0), (0, 2))}, {"padding": "same"}, {"input_shape": (1, 4, 6, 5)},
    {"dtype": np.complex64}, {"input_dtype": "f4"}, {"activation": "relu"}, {"threads": 2}, {"layout": "NCHW"}, {"method": "gemm"},
], ids=str)  # fmt: skip
def test_pickling_and_copying(options):
    plan = nn.plan_conv2d(W, **options)
    expected = plan(X)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(plan, protocol))
        assert_same(again(X), expected)
        assert repr(again) == repr(plan) and again.dtype == plan.dtype and type(again) is type(plan)
        assert again.input_shape == plan.input_shape and again.nbytes <= plan.nbytes
    assert copy.copy(plan) is plan and copy.deepcopy([plan])[0] is plan


def test_a_pickle_holds_the_arrays_and_no_packed_filter(rng):
    w = normals(rng, (64, 64, 3, 3), np.float32)
    plan = nn.plan_conv2d(w, padding=1, input_shape=(1, 64, 28, 28))
    assert plan.nbytes > w.nbytes and len(pickle.dumps(plan)) < w.nbytes + 4000


def test_repr():
    assert repr(nn.plan_conv2d(W)) == "plan_conv2d(weight (3, 4, 2, 3) float64)"
    plan = nn.plan_conv2d(
        W.transpose(2, 3, 1, 0), [1, 2, 3], stride=(2, 1), padding="same", activation="relu", dtype="f4",
        layout="NHWC,HWIO->NHWC", input_shape=(6, 5, 4), threads=2, method="gemm",
    )  # fmt: skip
    for told in (
        "plan_conv2d(weight (2, 3, 4, 3) float64, bias, stride=(2, 1), padding='same'", "layout='NHWC,HWIO->NHWC'",
        "dtype='float32'", "activation=(0.0, inf)", "method='gemm'", "threads=2", "input_shape=(6, 5, 4)",
    ):  # fmt: skip
        assert told in repr(plan)
    told = repr(nn.plan_conv_transpose2d(T, stride=3, padding=((1, 0), (0, 2)), output_padding=1, dilation=2))
    assert told.startswith("plan_conv_transpose2d(") and "output_padding=(1, 1)" in told and "((1, 0), (0, 2))" in told


def test_attributes(rng):
    w = normals(rng, (32, 3, 7, 7), np.float32)
    plan = nn.plan_conv2d(w, stride=2, padding=3, input_shape=(1, 3, 64, 60))
    assert plan.weight_shape == w.shape and plan.input_shape == (1, 3, 64, 60) and plan.dtype == np.float32
    assert 0 < plan.workspace_nbytes < 4 * MIB
    assert plan.output_shape((5, 3, 64, 61)) == (5, 32, 32, 31) and plan.output_shape([3, 7, 7]) == (32, 4, 4)
    fresh = nn.plan_conv2d(w, stride=2, padding=3)
    assert fresh.nbytes == 0 and fresh.workspace_nbytes is None and fresh.input_shape is None


@pytest.mark.parametrize(
    "options", [{"layout": "NHWC"}, {"method": "winograd"}, {"dtype": float}, {"groups": 2}], ids=str
)
def test_the_filter_is_packed_at_creation_for_what_the_calls_will_be(options, rng):
    w = normals(rng, (32, 32 // options.get("groups", 1), 3, 3), np.float32)
    shape = (2, 14, 16, 32) if "layout" in options else (2, 32, 14, 16)
    plan = nn.plan_conv2d(w, padding=1, input_shape=shape, **options)
    before = plan.nbytes
    assert "groups" in options or before >= w.nbytes  # a filter that is read as it lies takes no bytes
    for batch in (2, 1, 7):
        plan(normals(rng, (batch, *shape[1:]), np.float32))
    assert plan.nbytes == before, "the filter was packed for something else"


def test_explain():
    plan = nn.plan_conv2d(W, padding=1, input_shape=(2, 4, 6, 5))
    for found in (plan.explain(), plan.explain(X), swiftconv.explain(plan, X), swiftconv.explain(plan)):
        assert found.shape == (2, 3, 7, 5) and found.dtype == float and found.copies == "none"
        assert str(found).startswith("swiftconv.nn.plan_conv2d")
    assert dict(plan.explain(X)) == dict(swiftconv.explain(nn.conv2d, X, W, padding=1))
    assert "input" in swiftconv.explain(nn.plan_conv2d(np.ones((4, 4, 1, 1))), X, out=X).copies
    assert nn.plan_conv2d(W.astype(object), input_shape=X.shape).explain()["algorithm"] == "numpy"
    with pytest.raises(ValueError, match="input_shape"):
        nn.plan_conv2d(W).explain()
    with pytest.raises(ValueError, match="input has 3 channels"):
        swiftconv.explain(nn.plan_conv2d(W), X[:, :3])


# ---- Bad input ------------------------------------------------------------------------------------------------------

HUGE = 2**62


@pytest.mark.parametrize("weight, options, error, words", [
    (W, {"stride": 0}, ValueError, ["stride[0]=0"]), (W, {"dilation": (1, 0)}, ValueError, ["dilation[1]=0"]),
    (W, {"groups": 0}, ValueError, ["groups=0"]), (W, {"groups": 2}, ValueError, ["groups=2 does not divide weight's 3 output channels"]),
    (W, {"padding": -1}, ValueError, ["padding=-1"]), (W, {"padding": "SAME"}, ValueError, ["padding='SAME'"]),
    (W, {"bias": np.ones(4)}, ValueError, ["bias", "(4,)", "(3,)"]), (W, {"bias": np.ones(3, complex)}, TypeError, ["bias", "complex128"]),
    (W[0], {}, ValueError, ["weight.ndim=3", "4 (OIHW)"]), (W[:0], {}, ValueError, ["weight has 0 output channels"]),
    (W[:, :0], {}, ValueError, ["weight has 0 input channels"]), (W[..., :0], {}, ValueError, ["weight has 0", "spatial axis 1"]),
    (W, {"per_sample": True}, ValueError, ["weight.ndim=4", "5 (NOIHW)"]), (W, {"layout": "NCHHW"}, ValueError, ["NCHHW"]),
    (W, {"activation": "gelu"}, ValueError, ["activation='gelu'"]), (W.astype(complex), {"activation": "relu"}, TypeError, ["activation"]),
    (W, {"dtype": int}, TypeError, ["dtype=int64", "float64"]), (W, {"dtype": "U3"}, TypeError, ["dtype"]),
    (W, {"input_dtype": "no dtype"}, TypeError, ["input_dtype"]), (W, {"input_dtype": "M8[s]"}, TypeError, ["input_dtype"]),
    (W, {"threads": 0}, ValueError, ["threads=0"]), (W, {"threads": 1.5}, TypeError, ["threads=1.5"]),
    (W, {"method": "best"}, ValueError, ["method='best'"]), (np.ma.array(W), {}, TypeError, ["weight", "mask"]),
    (None, {}, TypeError, ["weight"]), ("abc", {}, TypeError, ["weight"]), (W, {"stride": HUGE, "dilation": HUGE}, (ValueError, OverflowError), []),
    (W, {"dilation": 2**63 - 1}, (ValueError, OverflowError), ["dilat"]), (W, {"padding": HUGE}, (ValueError, OverflowError, MemoryError), []),
    (W, {"input_shape": (1, 3, 6, 5)}, ValueError, ["weight has 4 input channels, input has 3 channels"]),
    (W, {"input_shape": (4, 1, 5)}, ValueError, ["weight of dilated extent 2", "exceeds"]),
    (W, {"input_shape": (6, 5)}, ValueError, ["input.ndim=2"]), (W, {"input_shape": 6}, TypeError, ["input_shape=6"]),
    (W, {"input_shape": (1, 4, 6.0, 5)}, TypeError, ["input_shape[2]=6.0"]), (W, {"input_shape": (1, 4, -6, 5)}, ValueError, ["input_shape", "-6"]),
    (W, {"input_shape": (None, 4, 6, 5)}, TypeError, ["input_shape[0]=None"]), (W, {"input_shape": "1465"}, TypeError, ["input_shape='1465'"]),
    (W, {"input_shape": (1, 4, HUGE, HUGE)}, (ValueError, OverflowError, MemoryError), []),
    (W, {"input_shape": (1, 4, 2**64, 5)}, (ValueError, OverflowError), []), (W, {"input_shape": ()}, ValueError, ["input.ndim=0"]),
], ids=lambda value: str(value)[:50] if isinstance(value, dict) else "")  # fmt: skip
def test_bad_plans(weight, options, error, words):
    with pytest.raises(error) as caught:
        nn.plan_conv2d(weight, **options)
    for word in words:
        assert word in str(caught.value), str(caught.value)


@pytest.mark.parametrize("options", [
    {"padding": 9}, {"output_padding": 1}, {"output_padding": (0, -1), "stride": 2}, {"groups": 3}, {"padding": "same"},
    {"stride": HUGE}, {"dilation": HUGE}, {"bias": np.ones(5)}, {"input_shape": (1, 3, 6, 5)},
], ids=str)  # fmt: skip
def test_bad_transposed_plans(options):
    try:
        plan = nn.plan_conv_transpose2d(T, **options)
    except (ValueError, TypeError, OverflowError) as error:
        assert str(error)
    else:
        with pytest.raises((ValueError, OverflowError, MemoryError)):
            plan(X)


@pytest.mark.parametrize("arguments, options, error, words", [
    ((X[:, :3],), {}, ValueError, ["weight has 4 input channels, input has 3 channels"]), ((X[0, 0],), {}, ValueError, ["input.ndim=2"]),
    ((X[None],), {}, ValueError, ["input.ndim=5"]), ((X[:, :, :1],), {}, ValueError, ["dilated extent 2", "exceeds"]),
    ((X[:, :, :0],), {}, ValueError, ["input has 0"]), ((np.ma.array(X),), {}, TypeError, ["input", "mask"]), ((None,), {}, TypeError, ["input"]),
    ((X, np.zeros((2, 3, 5, 4))), {}, ValueError, ["out", "(2, 3, 5, 4)", "(2, 3, 5, 3)"]), ((X, np.zeros((3, 5, 3))), {}, ValueError, ["out"]),
    ((X,), {"out": np.broadcast_to(0.0, (2, 3, 5, 3))}, ValueError, ["read-only"]), ((X,), {"out": [1]}, TypeError, ["out", "list"]),
    ((X, np.zeros((2, 3, 5, 3), int)), {}, TypeError, ["out", "int64"]), ((X, np.ma.zeros((2, 3, 5, 3))), {}, TypeError, ["mask"]),
    ((), {}, TypeError, ["input"]), ((X, None, None), {}, TypeError, ["positional"]), ((X,), {"other": 1}, TypeError, ["other"]),
    ((X, None), {"out": None}, TypeError, ["out"]), ((X,), {"input": X}, TypeError, ["input"]),
    ((np.broadcast_to(1.0, (2**50, 4, 6, 5)),), {}, MemoryError, []), ((X + 1j,), {}, TypeError, ["complex128", "float64"]),
], ids=lambda value: str(value)[:50] if isinstance(value, dict) else "")  # fmt: skip
def test_bad_calls(arguments, options, error, words):
    plan = nn.plan_conv2d(W, input_shape=X.shape)
    with pytest.raises(error) as caught:
        plan(*arguments, **options)
    assert str(caught.value)
    for word in words:
        assert word in str(caught.value), str(caught.value)
    assert_same(plan(X), nn.conv2d(X, W))


def test_out_is_untouched_by_a_failing_call():
    for plan, input in [
        (nn.plan_conv2d(W), X[:, :3]), (nn.plan_conv2d(W), X.astype(complex)), (nn.plan_conv2d(W, padding=1), X),
        (nn.plan_conv_transpose2d(T, stride=2), X[:1, :, :2, :2]),
    ]:  # fmt: skip
        out = np.full((2, 3, 5, 3), 7.0)
        with pytest.raises((ValueError, TypeError)):
            plan(input, out=out)
        assert (out == 7.0).all()


def test_a_transposed_plans_out_is_not_longer_than_asked_for():
    """The core would take it, as output_padding."""
    plan = nn.plan_conv_transpose2d(T, stride=2)
    with pytest.raises(ValueError, match=r"out has shape \(2, 3, 13, 10\): expected \(2, 3, 12, 10\)"):
        plan(X, out=np.zeros((2, 3, 13, 10)))


# ---- A good citizen -------------------------------------------------------------------------------------------------


def test_many_threads_at_once(rng):
    """One plan, inputs of all kinds, from threads that start together: packing races, and every answer is right."""
    w = normals(rng, (32, 16, 3, 3), np.float32)
    inputs = [LAYOUTS[memory](normals(rng, shape, np.float32)) for shape in [(2, 16, 14, 14), (16, 9, 20), (1, 16, 30, 31)]
              for memory in ("C", "channels last", "F", "strided", "byteswapped")]  # fmt: skip
    expected = [nn.conv2d(x, w, padding="same", stride=2) for x in inputs]
    for shape in (None, (2, 16, 14, 14)):
        plan = nn.plan_conv2d(w, padding="same", stride=2, input_shape=shape)
        gate = threading.Barrier(6)

        def work(first, plan=plan, gate=gate):
            gate.wait()
            order = [*range(first, len(inputs)), *range(first)] * 3
            return all(np.array_equal(plan(inputs[i]), expected[i]) for i in order)

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            assert all(pool.map(work, range(6)))


def test_a_plan_lives_as_long_as_its_call(rng):
    """Another thread lets go of the last reference while the plan runs."""
    x, w = normals(rng, (4, 32, 40, 40), np.float32), normals(rng, (32, 32, 3, 3), np.float32)
    expected = nn.conv2d(x, w)
    for _ in range(5):
        plans = [nn.plan_conv2d(w)]
        results = []
        worker = threading.Thread(target=lambda plans=plans, results=results: results.append(plans[0](x)))
        worker.start()
        while not results and plans:
            plans.clear() if threading.active_count() > 1 and len(plans) else None
        worker.join()
        if results:
            assert_same(results[0], expected)


def test_a_call_can_be_interrupted():
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    x, w = np.ones((64, 64, 56, 56), np.float32), np.ones((256, 64, 5, 5), np.float32)
    out = np.zeros((64, 256, 52, 52), np.float32)
    plan = nn.plan_conv2d(w, method="reference", input_shape=x.shape)
    before = signal.signal(signal.SIGALRM, stop)
    try:
        for call in (lambda: plan(x, out), lambda: plan(x, out=(out,))):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            began = time.perf_counter()
            with pytest.raises(Stop):
                call()
            assert time.perf_counter() - began < 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@needs_fork
def test_forks(rng):
    code = """
    import os, pickle, threading
    import numpy as np
    from swiftconv import nn
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((8, 32, 28, 28), np.float32), rng.standard_normal((32, 32, 3, 3), np.float32)
    plan = nn.plan_conv2d(w, padding=1, threads=2, input_shape=x.shape)
    expected = plan(x)
    busy = [True]
    def spin():
        while busy:
            plan(x)
    threads = [threading.Thread(target=spin) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        child = os.fork()
        if child == 0:
            right = np.array_equal(plan(x), expected)
            last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
            os._exit(0 if right and np.allclose(plan(last), expected, atol=1e-3) else 1)
        assert os.waitpid(child, 0)[1] == 0
    busy.clear()
    for thread in threads:
        thread.join()
    """
    subprocesses.run(code, timeout=60)


def test_other_processes_get_plans_by_pickle(rng):
    code = """
    import pickle, sys
    import numpy as np
    plan = pickle.loads(bytes.fromhex(sys.argv[1]))
    print(plan(np.arange(240.0).reshape(2, 4, 6, 5) % 7).tobytes().hex())
    """
    plan = nn.plan_conv2d(W, input_shape=X.shape, activation=(None, 50))
    printed = subprocesses.run(code, pickle.dumps(plan).hex()).stdout.strip()
    assert printed == plan(np.arange(240.0).reshape(2, 4, 6, 5) % 7).tobytes().hex()


def test_plans_leave_nothing_behind(rng):
    x, w, b = normals(rng, (1, 16, 8, 8), np.float32), normals(rng, (16, 16, 3, 3), np.float32), np.ones(16, np.float32)
    out = np.zeros((1, 16, 6, 6), np.float32)
    bad = np.zeros((1, 3, 8, 8), np.float32)

    def use():
        plan = nn.plan_conv2d(w, b, input_shape=x.shape, padding="same", stride=2)
        plan(x), plan(x.transpose(0, 1, 3, 2)), plan(x[0, :, 1:]), plan(x.astype(np.float16))
        plan = nn.plan_conv2d(w, b)
        plan(x, out=out), plan(x, out), pickle.loads(pickle.dumps(plan)), plan.explain(x), repr(plan)
        for arguments in ((bad,), (x, bad), (x, 3), ()):
            with pytest.raises((ValueError, TypeError)):
                plan(*arguments)

    for _ in range(50):
        use()
    gc.collect()
    counted = (x, w, b, out, bad, np.dtype("f4"), type(nn.plan_conv2d(w)))
    before, blocks = [sys.getrefcount(thing) for thing in counted], sys.getallocatedblocks()
    for _ in range(300):
        use()
    gc.collect()
    assert max(abs(sys.getrefcount(thing) - then) for thing, then in zip(counted, before)) < 20
    assert sys.getallocatedblocks() - blocks < 300


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")
def test_packed_filters_are_freed():
    code = """
    import os
    import numpy as np
    from swiftconv import nn
    def resident():
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    w = np.ones((256, 256, 3, 3), np.float32)
    for method in ("gemm", "winograd"):
        options = dict(method=method, padding=1, layout="NHWC", input_shape=(1, 14, 14, 256))
        plan = nn.plan_conv2d(w, **options)
        assert plan.nbytes > 2**21
        before = resident()
        for _ in range(40):
            plan = nn.plan_conv2d(w, **options)
        assert resident() - before < 2**25, resident() - before
    """
    subprocesses.run(code)


# ---- Workspace ------------------------------------------------------------------------------------------------------

LAYERS = [  # input, weight, options
    ((1, 2048, 7, 7), (2048, 2048, 1, 1), {}), ((1, 2048, 7, 7), (2048, 2048, 3, 3), {"padding": 1}),
    ((64, 512, 7, 7), (512, 512, 3, 3), {"padding": 1}), ((64, 3, 224, 224), (64, 3, 7, 7), {"stride": 2, "padding": 3}),
    ((64, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}), ((1, 256, 14, 14), (256, 256, 3, 3), {"padding": 1}),
    ((1, 128, 56, 56), (128, 1, 31, 31), {"groups": 128, "padding": 15}), ((1, 64, 64, 64), (64, 64, 31, 31), {"padding": 15}),
    ((1, 3, 512, 512), (8, 3, 31, 31), {}), ((64, 96, 112, 112), (96, 1, 3, 3), {"groups": 96, "stride": 2, "padding": 1}),
    ((1, 128, 56, 56), (128, 4, 3, 3), {"groups": 32, "padding": 1}), ((1, 64, 1080, 1920), (64, 64, 3, 3), {"padding": 1}),
    ((1, 16, 64, 64), (16, 16, 3, 3), {"dilation": 16, "padding": 16}), ((4, 1, 2000, 2000), (1, 1, 15, 15), {}),
    ((1, 16, 32, 64, 64), (16, 16, 3, 3, 3), {"padding": 1}), ((8, 512, 7, 7, 7), (512, 512, 3, 3, 3), {"padding": 1}), ((1, 24, 300, 9, 9), (8, 24, 150, 3, 3), {}),
    ((1, 8, 2, 200000), (8, 8, 3, 3), {"padding": 1}), ((1, 1024, 14, 14), (512, 1024, 1, 1), {"stride": 2}), ((2, 8192, 2, 2), (16, 8192, 2, 2), {}), ((64, 256, 1, 1), (1000, 256, 1, 1), {}),
]  # fmt: skip


@pytest.mark.parametrize("shape, filters, options", LAYERS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.complex128], ids=str)
def test_workspace_is_below_four_mib_a_thread(shape, filters, options, dtype):
    """Whatever the layer: beyond the packed filter, which is a plan's."""
    w = np.broadcast_to(np.ones((), dtype), filters)
    methods = [
        "auto",
        "gemm",
        *(["winograd"] if filters[-2:] == (3, 3) and not {"dilation", "stride"} & {*options} else []),
    ]
    for method in methods if dtype == np.float32 else ["auto"]:
        for layout in ("NCDHW", "NDHWC") if len(shape) == 5 else ("NCHW", "NHWC"):
            lying = shape if layout[1] == "C" else (shape[0], *shape[2:], shape[1])
            found = swiftconv.explain(
                CONV[len(shape) - 2],
                np.broadcast_to(np.ones((), dtype), lying),
                w,
                layout=layout,
                method=method,
                **options,
            )
            assert found.workspace_bytes < 4 * MIB, (method, layout, found)


def test_workspace_does_not_grow_with_batch_and_image(rng):
    w = normals(rng, (64, 64, 3, 3), np.float32)
    for method in ("gemm", "winograd"):
        plans = [
            nn.plan_conv2d(w, padding=1, method=method, input_shape=(n, 64, h, h))
            for n, h in [(1, 56), (64, 56), (128, 56), (1, 448)]
        ]
        assert max(plan.workspace_nbytes for plan in plans) < 4 * MIB
        # A single image is cut into smaller blocks, for threads to share.
        assert plans[0].workspace_nbytes <= plans[1].workspace_nbytes == plans[2].workspace_nbytes


# ---- Same bits ------------------------------------------------------------------------------------------------------

REALISTIC = [
    ("gemm", (3, 64, 28, 28), (96, 64, 3, 3), {"padding": 1}), ("gemm", (3, 256, 14, 14), (300, 256, 1, 1), {}),
    ("gemm", (2, 3, 112, 113), (64, 3, 7, 7), {"stride": 2, "padding": 3}), ("gemm", (5, 64, 9, 9), (64, 16, 3, 3), {"groups": 4}),
    ("winograd", (3, 64, 30, 29), (64, 64, 3, 3), {"padding": 1}), ("winograd", (2, 130, 15, 57), (70, 130, 3, 3), {}),
    ("winograd", (2, 48, 7, 1300), (20, 48, 3, 3), {"padding": 1}), ("winograd", (2, 1900, 8, 9), (18, 1900, 3, 3), {"padding": 1}),
    ("winograd", (2, 20, 9, 17, 30), (24, 20, 3, 3, 3), {"padding": 1}), ("auto", (5, 100, 4, 7, 7), (70, 100, 3, 3, 3), {"padding": 1}),
    ("direct", (3, 32, 57, 58), (32, 1, 3, 3), {"groups": 32, "padding": 1}), ("direct", (2, 1, 200, 190), (3, 1, 5, 5), {}),
    ("auto", (4, 32, 57, 58), (32, 1, 3, 3), {"groups": 32, "stride": 2}), ("auto", (3, 48, 33, 35), (48, 48, 3, 3), {"padding": 1}),
]  # fmt: skip


@pytest.mark.parametrize("method, shape, filters, options", REALISTIC, ids=str)
@pytest.mark.parametrize("memory", ["C", "channels last"])
def test_the_same_bits_for_any_threads_neighbours_and_plan(method, shape, filters, options, memory, rng):
    x = LAYOUTS[memory](normals(rng, shape, np.float32))
    w, b = normals(rng, filters, np.float32), normals(rng, filters[0], np.float32)
    options = {"method": method, **options}
    conv, plan_conv = CONV[x.ndim - 2], PLAN[x.ndim - 2]
    expected = conv(x, w, b, threads=1, **options)
    plan = plan_conv(w, b, input_shape=shape, **options)
    assert_same(plan(x), expected)
    for threads in (2, 3):
        assert_same(conv(x, w, b, threads=threads, **options), expected)
        assert_same(plan_conv(w, b, threads=threads, **options)(x), expected)
    for n in (0, len(x) - 1):
        assert_same(conv(x[n : n + 1], w, b, **options)[0], expected[n])
        assert_same(plan(x[n]), expected[n])
        assert_same(plan(x[n : n + 1].copy("K")), expected[n : n + 1])


@pytest.mark.skipif(BFLOAT16 is None, reason="needs ml_dtypes")
def test_bfloat16(rng):
    x, w = normals(rng, (2, 8, 9, 9), BFLOAT16), normals(rng, (8, 8, 3, 3), BFLOAT16)
    plan = nn.plan_conv2d(w, padding=1, input_shape=x.shape, dtype=np.float32)
    assert_same(plan(x), nn.conv2d(x, w, padding=1, dtype=np.float32))
