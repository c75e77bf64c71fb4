"""conv1d, conv2d, conv3d and conv_transpose1d, 2d, 3d against the oracle, over products of everything they take."""

import pickle
import signal
import sys
import time
from functools import partial

import conv_reference as oracle
import numpy as np
import pytest
import swiftconv
from conv_reference import SPATIAL, assert_close, in_order, lettered
from reference import BFLOAT16
from samples import DTYPES, LAYOUTS, SLOW_DTYPES, normals, pairwise, values
from swiftconv import nn
from swiftconv.nn import _options

CONV = {1: nn.conv1d, 2: nn.conv2d, 3: nn.conv3d}
CONV_TRANSPOSE = {1: nn.conv_transpose1d, 2: nn.conv_transpose2d, 3: nn.conv_transpose3d}
EXTENTS = {1: (11,), 2: (7, 6), 3: (5, 5, 6)}
TAPS = {1: (3,), 2: (3, 2), 3: (2, 3, 2)}
BOUNDS = {None: None, "relu": (0, None), "relu6": (0, 6), (-3, 5): (-3, 5), (None, 2): (None, 2)}


def letters_of(style, rank, transposed=False, per_sample=False):
    """(layout=, letters of input, weight, output) of a style of writing them."""
    space = SPATIAL[rank]
    weight = ("N" if per_sample else "") + ("IO" if transposed else "OI") + space
    if style is None:
        return None, "NC" + space, weight, "NC" + space
    if style == "data":
        return "N" + space + "C", "N" + space + "C", weight, "N" + space + "C"
    if style == "jax":
        hwio = space + "IO" + ("N" if per_sample else "")
        return f"N{space}C,{hwio}->N{space}C", "N" + space + "C", hwio, "N" + space + "C"
    mixed = "I" + space[::-1] + ("N" if per_sample else "") + "O"
    return f"C{space}N, {mixed} -> {space}CN", "C" + space + "N", mixed, space + "CN"


def torch_order(letters, transposed=False):
    """The letters of the core's order: spatial axes as they follow each other in the weight."""
    _, weight, _ = letters
    space = "".join(letter for letter in weight if letter not in "NOI")
    return "NC" + space, ("N" if "N" in weight else "") + ("IO" if transposed else "OI") + space


COMMON = {
    "rank": [1, 2, 3],
    "style": [None, "data", "jax", "mixed"],
    "memory": list(LAYOUTS),
    "weight_memory": ["C", "F", "negative", "misaligned", "byteswapped", "broadcast"],
    "stride": [1, 2, "each"],
    "dilation": [1, 2, "each"],
    "groups": [1, 2, 4],
    "dtype": DTYPES + SLOW_DTYPES,
    "bias": [False, True],
    "activation": list(BOUNDS),
    "per_sample": [False, False, True],
    "unbatched": [False, False, True],
}
EACH = {"stride": (2, 1, 3), "dilation": (1, 2, 1), "output_padding": (1, 0, 1)}


def each(name, value, rank):
    return EACH[name][:rank] if value == "each" else value


class Problem:
    """Arrays for a row of the table of choices, as the user has them and as the oracle wants them."""

    def __init__(self, row, rng, transposed=False):
        self.rank, self.dtype = row["rank"], np.dtype(row["dtype"])
        rank, groups = self.rank, row["groups"]
        self.per_sample = row["per_sample"]
        self.unbatched = row["unbatched"] and not self.per_sample
        samples = 1 if self.unbatched else 2
        channels, filters = 4, 8
        extents = EXTENTS[rank]
        self.layout, data, weight, output = letters_of(row["style"], rank, transposed, self.per_sample)
        self.output, (order, weight_order) = output, torch_order((data, weight, output), transposed)
        # Extents go with the weight's spatial letters.
        shape = (samples, channels, *extents)
        w_shape = (channels, filters // groups) if transposed else (filters, channels // groups)
        w_shape = (*((samples,) if self.per_sample else ()), *w_shape, *TAPS[rank])
        self.order = order
        x = lettered(values(rng, shape, self.dtype), data, order)
        if self.unbatched and data[0] != "N":
            x = np.ascontiguousarray(np.moveaxis(x, data.index("N"), 0))
        x = x[0] if self.unbatched else x
        self.input = LAYOUTS[row["memory"]](x)
        self.weight = LAYOUTS[row["weight_memory"]](lettered(values(rng, w_shape, self.dtype), weight, weight_order))
        if self.unbatched:
            data = "N" + data.replace("N", "")
            self.output = "N" + output.replace("N", "")
        self.x = in_order(self.input[None] if self.unbatched else self.input, data, order)
        self.w = in_order(self.weight, weight, weight_order)
        self.bias = values(rng, (samples, filters) if self.per_sample else filters, self.dtype) if row["bias"] else None
        self.terms = int(np.prod(self.w.shape[2 + self.per_sample :])) * channels
        self.activation = None if self.dtype.kind in "bc" else row["activation"]

    def in_torch_order(self, result):
        return in_order(result[None] if self.unbatched else result, self.output, self.order)


FORWARD = pairwise({
    **COMMON,
    "padding": [0, 1, "each", "valid", "same", "same_lower", "pairs"],
    "padding_mode": ["zeros", "reflect", "replicate", "circular", "symmetric"],
})  # fmt: skip


@pytest.mark.parametrize("row", FORWARD, ids=lambda row: "-".join(str(value) for value in row.values()))
def test_forward(row, rng):
    problem = Problem(row, rng)
    rank = problem.rank
    options = {name: each(name, row[name], rank) for name in ("stride", "dilation")}
    padding = {"each": (1, 0, 2)[:rank], "pairs": ((2, 1), (0, 1), (1, 0))[:rank]}.get(row["padding"], row["padding"])
    actual = CONV[rank](
        problem.input, problem.weight, problem.bias, padding=padding, groups=row["groups"], layout=problem.layout,
        padding_mode=row["padding_mode"], activation=problem.activation, per_sample=problem.per_sample, **options,
    )  # fmt: skip
    if padding in ("same", "same_lower"):
        padding = oracle.same(problem.x.shape[2:], problem.w.shape[-rank:], lower=padding == "same_lower", **options)
    options.update(
        padding=0 if padding == "valid" else padding, groups=row["groups"], padding_mode=row["padding_mode"],
        per_sample=problem.per_sample,
    )  # fmt: skip
    assert_close(
        problem.in_torch_order(actual), problem.dtype, lambda x, w, b: oracle.forward(x, w, b, **options),
        (problem.x, problem.w, problem.bias), problem.terms, BOUNDS[problem.activation],
    )  # fmt: skip


TRANSPOSED = pairwise({
    **COMMON,
    "padding": [0, 1, "each", "pairs"],
    "output_padding": [0, "most", "each"],
}, seed=1)  # fmt: skip


@pytest.mark.parametrize("row", TRANSPOSED, ids=lambda row: "-".join(str(value) for value in row.values()))
def test_transposed(row, rng):
    problem = Problem(row, rng, transposed=True)
    rank = problem.rank
    options = {name: each(name, row[name], rank) for name in ("stride", "dilation")}
    steps = [max(s, d) for s, d in zip(*(np.broadcast_to(options[name], rank) for name in options))]
    extra = {0: 0, "most": tuple(int(step) - 1 for step in steps)}.get(row["output_padding"])
    if extra is None:
        extra = tuple(min(int(step) - 1, e) for step, e in zip(steps, EACH["output_padding"]))
    padding = {"each": (1, 0, 2)[:rank], "pairs": ((2, 1), (0, 1), (1, 0))[:rank]}.get(row["padding"], row["padding"])
    options.update(padding=padding, output_padding=extra, groups=row["groups"], per_sample=problem.per_sample)
    actual = CONV_TRANSPOSE[rank](
        problem.input, problem.weight, problem.bias, layout=problem.layout, activation=problem.activation, **options
    )
    assert_close(
        problem.in_torch_order(actual), problem.dtype, lambda x, w, b: oracle.transposed(x, w, b, **options),
        (problem.x, problem.w, problem.bias), problem.terms, BOUNDS[problem.activation],
    )  # fmt: skip


@pytest.mark.parametrize("method", ["auto", "reference"])
@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind in "fc" or d == BFLOAT16], ids=str)
def test_all_bits_of_floats(dtype, method, rng):
    for shape, filters, groups in [
        ((2, 5, 9, 8), (7, 5, 3, 3), 1),
        ((1, 6, 12, 5), (6, 1, 5, 2), 6),
        ((3, 8, 4, 4), (4, 4, 1, 1), 2),
    ]:
        x, w, b = normals(rng, shape, dtype), normals(rng, filters, dtype), normals(rng, filters[0], dtype)
        terms, options = int(np.prod(filters[1:])), {"padding": 1, "groups": groups}
        actual = nn.conv2d(x, w, b, method=method, **options)
        assert_close(actual, dtype, partial(oracle.forward, **options), (x, w, b), terms)


@pytest.mark.parametrize("method", ["direct", "gemm", "winograd", "reference"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_named_method_is_right_or_says_that_it_cannot(dtype, method, rng):
    problems = [
        ((2, 5, 9, 8), (7, 5, 3, 3), {"padding": 1}), ((1, 6, 12, 5), (6, 1, 5, 2), {"groups": 6}),
        ((3, 1, 7, 9), (2, 1, 3, 3), {}), ((2, 4, 8, 8), (6, 2, 3, 3), {"groups": 2, "stride": 2, "dilation": 2}),
        ((1, 3, 13, 22), (4, 3, 3, 3), {"padding": 2, "padding_mode": "reflect"}),
    ]  # fmt: skip
    for shape, filters, options in problems:
        x, w = normals(rng, shape, dtype), normals(rng, filters, dtype)
        b = normals(rng, filters[0], dtype)
        out = np.full(nn.conv2d(x, w, **options).shape, 1, dtype)
        try:
            nn.conv2d(x, w, b, method=method, out=out, **options)
        except ValueError as error:
            assert f"method='{method}'" in str(error) and (out == 1).all()
            assert method in ("direct", "winograd")
            continue
        terms = (4 if method == "winograd" else 1) * int(np.prod(filters[1:]))
        assert_close(out, dtype, partial(oracle.forward, **options), (x, w, b), terms)


def test_a_single_channel_is_correlate(rng):
    x, w = rng.standard_normal((3, 1, 9, 11)), rng.standard_normal((1, 1, 3, 4))
    np.testing.assert_allclose(nn.conv2d(x, w)[:, 0], swiftconv.correlate(x[:, 0], w[0, 0]), rtol=1e-12)


def test_same_is_torchs_at_stride_one_and_tensorflows_beyond(rng):
    for n, k, s, d in [
        (5, 2, 1, 1),
        (5, 4, 1, 2),
        (6, 3, 2, 1),
        (7, 3, 2, 1),
        (8, 5, 3, 1),
        (4, 1, 3, 1),
        (9, 3, 4, 2),
    ]:
        x, w = values(rng, (1, 1, n), np.int64), values(rng, (1, 1, k), np.int64)
        for lower in (False, True):
            total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            sides = (total - total // 2, total // 2) if lower else (total // 2, total - total // 2)
            padded = np.pad(x, ((0, 0), (0, 0), sides))
            expected = nn.conv1d(padded, w, stride=s, dilation=d)
            actual = nn.conv1d(x, w, stride=s, dilation=d, padding="same_lower" if lower else "same")
            assert actual.shape == (1, 1, -(-n // s))
            np.testing.assert_array_equal(actual, expected)


# ---- Options' spellings -----------------------------------------------------------------------------------------------

X, W = np.arange(2 * 4 * 6 * 5.0).reshape(2, 4, 6, 5) % 7, np.arange(3 * 4 * 2 * 3.0).reshape(3, 4, 2, 3) % 5


@pytest.mark.parametrize("one, other", [
    ({"stride": 2}, {"stride": (2, 2)}), ({"stride": (2,)}, {"stride": [2, 2]}), ({"stride": np.int8(2)}, {"stride": np.array([2, 2])}),
    ({"padding": 1}, {"padding": ((1, 1), (1, 1))}), ({"padding": [1, 0]}, {"padding": np.array([[1, 1], [0, 0]])}),
    ({"padding": "valid"}, {"padding": 0}), ({"dilation": (1, 2)}, {"dilation": [1, 2]}), ({"activation": "relu"}, {"activation": (0, None)}),
    ({"activation": "relu6"}, {"activation": [0.0, 6]}), ({"layout": "NCHW"}, {}), ({"layout": "N C H W , O I H W -> N C H W"}, {}),
    ({"layout": "NCab,OIab"}, {}), ({"dtype": "f8"}, {"dtype": float}), ({"groups": np.int64(1)}, {"groups": True}),
    ({"out": np.zeros((2, 3, 5, 3))}, {"out": (np.zeros((2, 3, 5, 3)),)}), ({"bias": [1, 2, 3]}, {"bias": np.array([1.0, 2, 3])}),
])  # fmt: skip
def test_two_spellings_of_one_call(one, other):
    np.testing.assert_array_equal(nn.conv2d(X, W, **one), nn.conv2d(X, W, **other))


def test_arguments_stand_in_torchs_order():
    bias = np.ones(3)
    by_place = nn.conv2d(X, W, bias, 2, 1, 1, 1)
    np.testing.assert_array_equal(by_place, nn.conv2d(X, W, bias=bias, stride=2, padding=1, dilation=1, groups=1))
    w = np.ones((4, 3, 2, 2))
    by_place = nn.conv_transpose2d(X, w, bias, 2, 1, 1, 1, 2)
    by_name = nn.conv_transpose2d(X, w, bias=bias, stride=2, padding=1, output_padding=1, groups=1, dilation=2)
    np.testing.assert_array_equal(by_place, by_name)


def test_operands_may_be_lists_and_scalars_of_any_dtype():
    actual = nn.conv1d([[[1, 2, 3]]], [[[True, False]]], bias=[7])
    assert actual.tolist() == [[[8, 9]]] and actual.dtype == int


def test_spatial_letters_follow_the_weight():
    """stride, padding and dilation are per axis of the weight's letters, as in jax."""
    expected = nn.conv2d(X, W, stride=(1, 2), padding=(0, 1))
    actual = nn.conv2d(X, W.swapaxes(2, 3), stride=(2, 1), padding=(1, 0), layout="NCHW,OIWH->NCHW")
    np.testing.assert_array_equal(actual, expected)


def test_letters_without_a_batch():
    expected = nn.conv2d(X[0], W)
    actual = nn.conv2d(np.moveaxis(X[0], 0, -1), W, layout="HWC")
    np.testing.assert_array_equal(np.moveaxis(actual, -1, 0), expected)
    np.testing.assert_array_equal(expected, nn.conv2d(X, W)[0])


# ---- Results --------------------------------------------------------------------------------------------------------


def test_a_new_result_lies_in_memory_as_its_input():
    assert nn.conv2d(X, W).flags.c_contiguous
    last = nn.conv2d(np.ascontiguousarray(np.moveaxis(X, 1, -1)).transpose(0, 3, 1, 2), W)
    assert last.transpose(0, 2, 3, 1).flags.c_contiguous
    for layout in ("NHWC", "NHWC,HWIO->NHWC"):
        w = W.transpose(2, 3, 1, 0) if "," in layout else W
        assert nn.conv2d(np.moveaxis(X, 1, -1), w, layout=layout).flags.c_contiguous
        assert nn.conv2d(np.moveaxis(X[0], 0, -1), w, layout=layout).flags.c_contiguous
    assert nn.conv2d(X, W.transpose(2, 3, 1, 0), layout="NCHW,HWIO->NHWC").shape == (2, 5, 3, 3)


@pytest.mark.parametrize("memory", ["C", "F", "strided", "negative", "transposed", "misaligned", "byteswapped"])
def test_any_out(memory):
    expected = nn.conv2d(X, W, layout="NCHW")
    for dtype in (np.float32, np.float64, np.complex64, np.longdouble, object):
        out = LAYOUTS["C" if dtype is object and memory == "strided" else memory](
            np.full(expected.shape, 99).astype(dtype)
        )
        assert nn.conv2d(X, W, out=out) is out
        np.testing.assert_array_equal(out, expected.astype(dtype))
    out = LAYOUTS[memory](np.zeros(expected.shape).transpose(0, 2, 3, 1))
    assert nn.conv2d(X.transpose(0, 2, 3, 1), W, layout="NHWC", out=out) is out
    np.testing.assert_array_equal(out, expected.transpose(0, 2, 3, 1))


def test_out_may_overlap_any_operand(rng):
    w = values(rng, (4, 4, 3, 3), np.int64)
    for view in (lambda x: x, lambda x: x[::-1], lambda x: x.swapaxes(2, 3)):
        x = values(rng, (2, 4, 6, 6), np.int64)
        expected = nn.conv2d(x, w, padding=1)
        out = view(x)
        nn.conv2d(x, w, padding=1, out=out)
        np.testing.assert_array_equal(out, expected)
    x, w = values(rng, (4, 4, 3, 3), np.int64), values(rng, (4, 4, 3, 3), np.int64)
    expected = nn.conv2d(x, w, padding=1)
    nn.conv2d(x, w, padding=1, out=w)
    np.testing.assert_array_equal(w, expected)
    bias = values(rng, 4, np.int64)
    expected = nn.conv2d(x, w[:, :, :1, :1], bias)
    before = bias.copy()
    out = np.lib.stride_tricks.as_strided(bias, (4, 4, 3, 3), (0, 8, 0, 0))
    nn.conv2d(x[:1, :, :1, :1], w[:, :, :1, :1], before, out=out[:1, :, :1, :1])
    np.testing.assert_array_equal(bias, nn.conv2d(x[:1, :, :1, :1], w[:, :, :1, :1], before).ravel())


def test_an_empty_batch_gives_an_empty_result():
    assert nn.conv2d(X[:0], W, [1, 2, 3], padding=1).shape == (0, 3, 7, 5)
    assert nn.conv_transpose2d(X[:0], np.ones((4, 3, 2, 2)), stride=2).shape == (0, 3, 12, 10)
    assert nn.conv2d(X[:0], np.ones((0, 3, 4, 2, 2)), per_sample=True).shape == (0, 3, 5, 4)
    out = np.zeros((0, 3, 5, 3))
    assert nn.conv2d(X[:0], W, out=out) is out


def test_padding_may_take_away_all_of_a_transposed_output():
    w = np.ones((4, 3, 2, 2))
    for x in (X[:, :, :1], X[:, :, :1].astype(object), X[:, :, :1].tolist()):
        assert nn.conv_transpose2d(x, w, padding=(1, 0)).shape == (2, 3, 0, 6)
    out = np.zeros((2, 3, 0, 6))
    assert nn.conv_transpose2d(X[:, :, :1], w, stride=(3, 1), padding=(1, 0), out=out) is out
    assert swiftconv.explain(nn.conv_transpose2d, X[:, :, :1], w, padding=(1, 0))["algorithm"] == "none"
    with pytest.raises(ValueError, match=r"padding\[0\]=2 takes away more than the output has along spatial axis 0"):
        nn.conv_transpose2d(X[:, :, :1], w, padding=(2, 0))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int16, np.complex128, object], ids=str)
def test_per_sample_is_each_sample_with_its_own(dtype, rng):
    x, w = values(rng, (3, 4, 6, 5), dtype), values(rng, (3, 2, 2, 3, 3), dtype)
    bias = values(rng, (3, 2), dtype)
    actual = nn.conv2d(x, w, bias, groups=2, per_sample=True)
    for n in range(3):
        np.testing.assert_array_equal(actual[n], nn.conv2d(x[n], w[n], bias[n], groups=2))
    shared = nn.conv2d(x, w, bias[0], groups=2, per_sample=True)
    np.testing.assert_array_equal(shared[1], nn.conv2d(x[1], w[1], bias[0], groups=2))


# ---- Dtypes and activation ------------------------------------------------------------------------------------------


def test_a_wider_dtype_is_exact(rng):
    for narrow, wide in [(np.int8, np.int32), (np.uint8, np.int32), (np.int16, np.int64), (np.float32, np.float64)]:
        x, w = values(rng, (2, 8, 6, 6), narrow), values(rng, (4, 8, 3, 3), narrow)
        actual = nn.conv2d(x, w, dtype=wide)
        assert actual.dtype == wide
        np.testing.assert_array_equal(actual, nn.conv2d(x.astype(wide), w.astype(wide)))
    mixed = nn.conv2d(values(rng, (1, 2, 5, 5), np.uint8), values(rng, (1, 2, 3, 3), np.int8))
    assert mixed.dtype == np.int16


@pytest.mark.parametrize("layout", [("NCHW", "OIHW"), ("NHWC", "HWIO"), ("NHWC", "OIHW"), ("NCHW", "HWIO")], ids=str)
@pytest.mark.parametrize("x_dtype, w_dtype", [("i1", "i1"), ("u1", "i1"), ("i1", "u1"), ("u1", "u1"), ("i2", "i1")])
@pytest.mark.parametrize("extremes", [False, True])
def test_sums_of_small_integers_in_32_bits(layout, x_dtype, w_dtype, extremes, rng):
    """Several depths to an instruction: whatever the signs, the numbers of channels and the zeros outside."""
    x_letters, w_letters = layout
    for channels, filters, groups in [(1, 5, 1), (3, 20, 1), (6, 24, 2), (37, 33, 1), (130, 70, 1)]:
        x = values(rng, (2, channels, 9, 11), x_dtype)
        w = values(rng, (filters, channels // groups, 3, 3), w_dtype)
        if extremes:
            x[...], w[...] = np.iinfo(x_dtype).min or 255, np.iinfo(w_dtype).min or 255
        bias = values(rng, filters, np.int32)
        for options in ({}, {"padding": 1}, {"padding": (2, 0), "stride": 2}, {"padding": 2, "dilation": (2, 1)}):
            options = {**options, "groups": groups}
            # float64 holds the sums exactly, but for Winograd's
            wide = nn.conv2d(x.astype(float), w.astype(float), bias.astype(float), method="gemm", **options)
            expected = wide.astype(np.int64).astype(np.int32)
            options["bias"] = bias
            inputs = np.ascontiguousarray(in_order(x, "NCHW", x_letters))
            weights = np.ascontiguousarray(in_order(w, "OIHW", w_letters))
            letters = f"{x_letters},{w_letters}->{x_letters}"
            actual = nn.conv2d(inputs, weights, dtype=np.int32, layout=letters, **options)
            np.testing.assert_array_equal(in_order(actual, x_letters, "NCHW"), expected)
            plan = nn.plan_conv2d(weights, dtype=np.int32, layout=letters, input_dtype=x_dtype, **options)
            for _ in range(2):
                np.testing.assert_array_equal(plan(inputs), actual)
                plan = pickle.loads(pickle.dumps(plan))


@pytest.mark.parametrize("operands, options, words", [
    ((np.float32, np.float32), {"dtype": np.int32}, ["dtype=int32", "input", "float32"]),
    ((np.int32, np.complex64), {"dtype": float}, ["weight", "complex64"]),
    ((np.float64, np.float64), {"dtype": "U3"}, ["dtype="]),
    ((np.float64, np.float64), {"bias": np.ones(3, complex)}, ["bias", "complex128", "float64"]),
    ((np.int64, np.int64), {"bias": np.ones(3)}, ["bias", "float64", "int64"]),
    ((complex, complex), {"activation": "relu"}, ["activation", "complex128"]),
    ((bool, bool), {"activation": (0, 1)}, ["activation", "bool"]),
    ((float, float), {"activation": 3}, ["activation=3"]),
    ((float, float), {"activation": ("a", 3)}, ["activation="]),
    ((float, float), {"activation": (1, 2, 3)}, ["activation="]),
    ((float, float), {"out": np.zeros((2, 3, 5, 3), int)}, ["out", "int64", "float64"]),
    ((float, float), {"out": [1]}, ["out", "list"]),
    (("M8[s]", float), {}, ["input", "datetime64"]),
], ids=lambda value: str(value)[:40])  # fmt: skip
def test_type_errors(operands, options, words):
    with pytest.raises(TypeError) as caught:
        nn.conv2d(X.astype(operands[0]), W.astype(operands[1]), **options)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("options, words", [
    ({"activation": "gelu"}, ["activation='gelu'", "relu6"]), ({"activation": (2, 1)}, ["activation=(2, 1)"]),
    ({"activation": (float("nan"), 1)}, ["activation="]),
])  # fmt: skip
def test_bad_activations(options, words):
    with pytest.raises(ValueError) as caught:
        nn.conv2d(X, W, **options)
    for word in words:
        assert word in str(caught.value)
    with pytest.raises(ValueError, match=r"0\.5"):
        nn.conv2d(X.astype(int), W.astype(int), activation=(0.5, 3))


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind not in "bc"], ids=str)
def test_clamps(dtype, rng):
    x, w = values(rng, (2, 3, 5, 5), dtype), values(rng, (2, 3, 2, 2), dtype)
    plain = nn.conv2d(x, w).astype(np.float64) if dtype.kind not in "iu" else nn.conv2d(x, w)
    for bounds in [(0, None), (None, 3), (-2, 3), (1, 1), (None, None)]:
        if dtype.kind == "u" and bounds[0] == -2:
            bounds = (2, 3)
        low, high = (None if b is None else plain.dtype.type(b) for b in bounds)
        expected = plain if low is None and high is None else np.clip(plain, low, high)
        np.testing.assert_array_equal(nn.conv2d(x, w, activation=bounds).astype(plain.dtype), expected)
    # Bounds that no element can reach bound nothing.
    np.testing.assert_array_equal(nn.conv2d(x, w, activation=(-1e30, 1e30)), nn.conv2d(x, w))


@pytest.mark.parametrize("function", [nn.conv1d, nn.conv_transpose1d])
@pytest.mark.parametrize("layout", ["NCL", "NLC"])
def test_any_byte_but_zero_is_true(function, layout, rng):
    for groups, filters, taps in [(1, 40, 5), (3, 3, 2), (2, 8, 1)]:
        x, w = (
            rng.choice(np.uint8([0, 0, 1, 2, 255]), shape)
            for shape in [(2, 6, 7), (filters, 6 // groups, taps) if function is nn.conv1d else (6, filters, taps)]
        )
        lying = (lambda a: a) if layout == "NCL" else (lambda a: np.ascontiguousarray(np.moveaxis(a, 1, -1)))
        expected = function(lying(x != 0), w != 0, groups=groups, layout=layout)
        for method in ("auto", "gemm", "reference"):
            actual = function(lying(x).view(bool), w.view(bool), groups=groups, layout=layout, method=method)
            np.testing.assert_array_equal(actual.view(np.uint8), expected.view(np.uint8))


def test_nan_stays_nan_and_reaches_only_its_windows():
    x = np.ones((1, 2, 6, 6), np.float32)
    x[0, 1, 0, 0] = np.nan
    result = nn.conv2d(x, np.ones((1, 2, 2, 2), np.float32), activation="relu")
    assert np.isnan(result[0, 0, 0, 0]) and np.isnan(result).sum() == 1


# ---- Same bits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.complex64])
@pytest.mark.parametrize(
    "options", [{}, {"stride": 2, "padding": 1}, {"groups": 4}, {"dilation": 2, "padding": 3}], ids=str
)
def test_the_same_bits_for_any_threads_and_neighbours(dtype, options, rng):
    x = normals(rng, (5, 8, 10, 9), dtype)
    w = normals(rng, (8, 8 // options.get("groups", 1), 3, 3), dtype)
    for function in (nn.conv2d, nn.conv_transpose2d):
        expected = function(x, w, threads=1, **options)
        for threads in (2, 3, 4):
            np.testing.assert_array_equal(function(x, w, threads=threads, **options), expected)
        for n in (0, 3, 4):
            np.testing.assert_array_equal(function(x[n : n + 1], w, **options)[0], expected[n])
            np.testing.assert_array_equal(function(x[n], w, threads=2, **options), expected[n])


LARGER = [
    (nn.conv2d, (3, 64, 56, 57), (64, 64, 3, 3), {"padding": 1}), (nn.conv2d, (4, 512, 7, 7), (512, 512, 3, 3), {"padding": 1}),
    (nn.conv2d, (3, 300, 28, 28), (130, 300, 1, 1), {}), (nn.conv2d, (3, 3, 150, 151), (40, 3, 7, 7), {"stride": 2, "padding": 3}),
    (nn.conv2d, (3, 48, 56, 57), (48, 1, 3, 3), {"groups": 48, "padding": 1}), (nn.conv2d, (3, 16, 70, 71), (16, 1, 31, 31), {"groups": 16, "padding": 15}),
    (nn.conv2d, (3, 64, 33, 34), (64, 4, 3, 3), {"groups": 16, "stride": 2, "padding": 1}), (nn.conv2d, (3, 40, 60, 61), (24, 40, 3, 3), {"dilation": 4, "padding": "same"}),
    (nn.conv1d, (5, 30, 9001), (20, 30, 9), {}), (nn.conv3d, (3, 12, 14, 15, 30), (20, 12, 3, 3, 3), {"padding": 1}),
    (nn.conv_transpose2d, (3, 64, 27, 28), (64, 40, 4, 4), {"stride": 2, "padding": 1}), (nn.conv_transpose2d, (3, 40, 40, 41), (40, 32, 3, 3), {"padding": 1}),
]  # fmt: skip


@pytest.mark.parametrize("function, shape, filters, options", LARGER, ids=str)
@pytest.mark.parametrize("memory", ["C", "channels last", "batch last"])
def test_the_same_bits_at_realistic_sizes(function, shape, filters, options, memory, rng):
    """Large enough for blocks, strips and several threads to be used."""
    x, w = LAYOUTS[memory](normals(rng, shape, np.float32)), normals(rng, filters, np.float32)
    expected = function(x, w, threads=1, **options)
    for threads in (2, 3):
        np.testing.assert_array_equal(function(x, w, threads=threads, **options), expected)
    last = len(x) - 1
    np.testing.assert_array_equal(function(x[last:], w, **options)[0], expected[last])
    np.testing.assert_array_equal(function(x[1], w, threads=2, **options), expected[1])
    many = LAYOUTS[memory](np.concatenate([x[:1], normals(rng, (6, *shape[1:]), np.float32), x[1:2]]))
    actual = function(many, w, threads=2, **options)
    np.testing.assert_array_equal(actual[0], expected[0])
    np.testing.assert_array_equal(actual[-1], expected[1])


# ---- Calls ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function, w", [(nn.conv2d, W), (nn.conv_transpose2d, np.ones((4, 3, 2, 2)))])
@pytest.mark.parametrize("options", [
    {}, {"bias": np.arange(3.0)}, {"stride": 2, "padding": (1, 0), "dilation": (1, 2)}, {"activation": (3, 40)},
    {"layout": "NHWC"}, {"layout": "NHWC,IOHW->CHNW"}, {"padding": "same", "stride": (3, 2), "dilation": (1, 3)},
    {"padding": "same_lower", "stride": 2, "layout": "NHWC"},
], ids=str)  # fmt: skip
def test_plain_calls_and_all_others_agree(function, w, options):
    """Plain arrays take a path of their own, which named threads, lists and byte orders do not."""
    if function is nn.conv_transpose2d and isinstance(options.get("padding"), str):
        pytest.skip("a transposed convolution has no such padding")
    x = np.moveaxis(X, 1, -1) if "layout" in options else X
    x = np.ascontiguousarray(x)
    if "layout" in options and "," in options["layout"]:
        w = w if function is nn.conv_transpose2d else w.swapaxes(0, 1)
    plain = function(x, w, **options)
    for other in (
        function(x, w, threads=1, **options), function(x.tolist(), w, **options), function(x, w[...].astype(">f8"), **options),
        function(x, w, out=np.zeros_like(plain), **options), function(x, w, out=np.zeros(plain.shape, complex), **options),
        function(x, w, out=np.zeros(plain.shape[::-1]).T, **options),
    ):  # fmt: skip
        np.testing.assert_array_equal(other, plain)
    assert plain.flags.c_contiguous


def test_a_call_can_be_interrupted():
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    x, w = np.ones((64, 64, 56, 56), np.float32), np.ones((256, 64, 5, 5), np.float32)
    out = np.zeros((64, 256, 52, 52), np.float32)
    before = signal.signal(signal.SIGALRM, stop)
    try:
        for options in ({}, {"threads": 2}):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            began = time.perf_counter()
            with pytest.raises(Stop):
                nn.conv2d(x, w, out=out, method="reference", **options)
            assert time.perf_counter() - began < 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_calls_keep_no_reference():
    x, w, bias = np.ones((2, 4, 6, 5)), np.ones((3, 4, 2, 3)), np.ones(3)
    out = np.zeros((2, 3, 5, 3))
    wrong = np.ones((3, 5, 2, 3))
    counted = (x, w, bias, out, wrong, x.dtype, _options.NAMES)
    before = [sys.getrefcount(each) for each in counted]
    for options in ({}, {"bias": bias}, {"out": out}, {"threads": 1}, {"bias": bias, "out": out, "threads": 1}):
        for _ in range(50):
            nn.conv2d(x, w, **options)
            with pytest.raises(ValueError):
                nn.conv2d(x, wrong, **options)
    assert all(abs(sys.getrefcount(each) - count) < 20 for each, count in zip(counted, before))


# ---- Recipes and explanations ---------------------------------------------------------------------------------------


def test_recipes_are_cached_immutable_and_pickled():
    def made(**options):
        return _options.recipe(
            _options.NAMES, 0, 2, **{"stride": 1, "padding": 0, "dilation": 1, "groups": 1, **options}
        )

    assert made(stride=2) is made(stride=2)
    assert made(stride=[2, 2]) is made(stride=(2, 2))
    recipe = made(stride=(2, 1), padding="same", layout="NHWC", dtype="f4", activation="relu")
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    with pytest.raises(AttributeError):
        recipe.same = ""


def test_a_cached_recipe_excuses_no_wrong_type():
    nn.conv2d(X, W, stride=1, padding=1, groups=1)
    for options in (
        {"stride": 1.0},
        {"padding": 1.0},
        {"groups": 1.0},
        {"stride": (1.0, 1)},
        {"per_sample": 0},
        {"layout": 1},
    ):
        with pytest.raises(TypeError, match=next(iter(options))):
            nn.conv2d(X, W, **options)


def test_explain():
    plan = swiftconv.explain(nn.conv2d, X, W, stride=2, out=np.zeros((2, 3, 3, 2)))
    assert plan.shape == (2, 3, 3, 2) and plan.dtype == float and plan.copies == "none"
    assert str(plan).startswith("swiftconv.nn.conv2d")
    assert swiftconv.explain(nn.conv_transpose2d, X, np.ones((4, 2, 2, 2)), stride=2).shape == (2, 2, 12, 10)
    assert swiftconv.explain(nn.conv2d, X.astype(object), W)["algorithm"] == "numpy"
    assert swiftconv.explain(nn.conv2d, X[:0], W)["algorithm"] == "none"
    assert "input" in swiftconv.explain(nn.conv2d, X, np.ones((4, 4, 1, 1)), out=X).copies
    assert swiftconv.explain(nn.grad.conv2d_input, X.shape, W, np.ones((2, 3, 5, 3))).shape == X.shape
    assert swiftconv.explain(nn.grad.conv2d_weight, X, W.shape, np.ones((2, 3, 5, 3))).shape == W.shape
    assert swiftconv.explain(nn.conv_general_dilated, X, W, (1, 1), "SAME").shape == (2, 3, 6, 5)
    with pytest.raises(ValueError, match="groups"):
        swiftconv.explain(nn.conv2d, X, W, groups=3)


# ---- Random problems -------------------------------------------------------------------------------------------------

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies


@st.composite
def problems(draw):
    rank = draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    channels, filters = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    extents = [draw(st.integers(1, [40, 9, 5][rank - 1])) for _ in range(rank)]
    taps = [draw(st.integers(1, 4)) for _ in range(rank)]
    options = {
        "stride": tuple(draw(st.integers(1, 3)) for _ in range(rank)),
        "dilation": tuple(draw(st.integers(1, 2)) for _ in range(rank)),
        "padding": tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(rank)),
        "groups": groups,
    }
    dtype = draw(st.sampled_from(DTYPES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    order = draw(st.permutations(range(rank + 2)))
    x = values(rng, (draw(st.integers(1, 3)), channels, *extents), dtype)
    x = np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))
    return rank, x, channels, filters, taps, options, dtype, rng


@hypothesis.settings(max_examples=150, deadline=None, derandomize=True, database=None)
@hypothesis.given(problems(), st.booleans(), st.sampled_from([1, 2, 3]))
def test_any_problem(problem, transposed, threads):
    rank, x, channels, filters, taps, options, dtype, rng = problem
    groups = options["groups"]
    terms = int(np.prod(taps)) * channels
    if transposed:
        w = values(rng, (channels, filters // groups, *taps), dtype)
        try:
            actual = CONV_TRANSPOSE[rank](x, w, threads=threads, **options)
        except ValueError as error:
            assert "padding" in str(error)
            return
        assert_close(actual, dtype, lambda x, w: oracle.transposed(x, w, **options), (x, w), terms)
        return
    w = values(rng, (filters, channels // groups, *taps), dtype)
    try:
        actual = CONV[rank](x, w, threads=threads, **options)
    except ValueError as error:
        assert "exceeds" in str(error)
        return
    assert_close(actual, dtype, lambda x, w: oracle.forward(x, w, **options), (x, w), terms)


@hypothesis.settings(max_examples=200, deadline=None, derandomize=True, database=None)
@hypothesis.given(
    st.lists(st.integers(-3, 3) | st.lists(st.integers(-1, 2), max_size=3), max_size=3)
    | st.integers(-(2**65), 2**65) | st.none() | st.floats() | st.text(max_size=4),
    st.sampled_from(["stride", "padding", "dilation", "groups", "layout", "padding_mode", "dtype", "activation", "out",
                     "method", "threads", "per_sample", "bias", "output_padding"]),
)  # fmt: skip
def test_any_rubbish(value, name):
    """Whatever an option holds: a result or a clean exception with a message."""
    if name == "threads" and isinstance(value, int) and value > 8:
        value = 8
    function = nn.conv_transpose2d if name == "output_padding" else nn.conv2d
    w = np.ones((4, 3, 2, 2)) if name == "output_padding" else W
    try:
        result = function(X, w, **{name: value})
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        assert str(error)
    else:
        assert isinstance(result, np.ndarray)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_matrix_products_of_many_depths_and_columns(layout, dtype, rng):
    """Several blocks of everything: rows that fill no tile, rows packed in groups, sums kept between blocks of depths."""
    x, w = values(rng, (1, 1100, 37, 41), dtype), values(rng, (13, 1100, 1, 1), dtype)
    wide = {"c": np.complex128, "f": np.float64, "V": np.float64}.get(dtype.kind, dtype)
    expected = (w[:, :, 0, 0].astype(wide) @ x[0].reshape(1100, -1).astype(wide)).astype(dtype).reshape(1, 13, 37, 41)
    if layout == "NHWC":
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        expected = np.moveaxis(expected, 1, -1)
    np.testing.assert_array_equal(nn.conv2d(x, w, layout=layout, method="gemm"), expected)


@pytest.mark.parametrize("channels, filters, extent", [(130, 130, 256), (2200, 2200, 64), (2, 8, 1024), (1, 9, 1024)])
def test_results_past_the_caches(channels, filters, extent):
    """Results of more than 32 MiB, of a filter or several for each channel, are written by another way."""
    rng = np.random.default_rng(41)
    x = rng.integers(-4, 5, (1, channels, extent, extent)).astype(np.float32)
    w = rng.integers(-3, 4, (filters, 1, 3, 3)).astype(np.float32)
    padded = np.pad(np.repeat(x, filters // channels, axis=1), ((0, 0), (0, 0), (1, 1), (1, 1)))
    expected = np.zeros((1, filters, extent, extent), np.float32)
    for i in range(3):
        for j in range(3):
            expected += padded[:, :, i : i + extent, j : j + extent] * w[:, 0, i, j, None, None]
    np.testing.assert_array_equal(nn.conv2d(x, w, padding=1, groups=channels), expected)
    np.testing.assert_array_equal(nn.conv2d(x, w, groups=channels), expected[:, :, 1:-1, 1:-1])
