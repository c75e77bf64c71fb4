"""Pools against the definition, window by window."""

import itertools
import warnings

import numpy as np
import pytest
import swiftconv
from reference import BFLOAT16
from samples import COMPLEXES, DTYPES, FLOATS, INTEGERS, LAYOUTS, SLOW_DTYPES, normals, pairwise, values
from swiftconv import nn

KINDS = ("max", "avg", "lp", "sum")


def function(kind, d):
    return getattr(nn, f"{kind}_pool{d}d")


def each(value, d):
    return (value,) * d if isinstance(value, int) else tuple(value)


def extents(n, k, s, p, dilation, ceil_mode):
    """Outputs along one axis, torch's rule."""
    beyond = n + p[0] + p[1] - dilation * (k - 1) - 1
    outputs = (beyond + (s - 1 if ceil_mode else 0)) // s + 1
    if ceil_mode and (outputs - 1) * s >= n + p[0]:
        outputs -= 1
    return outputs


def pairs(padding, d):
    return [p if isinstance(p, tuple) else (p, p) for p in each(padding, d)]


def result_dtype(kind, dtype):
    return np.dtype(np.float64) if kind in ("avg", "lp") and dtype.kind in "biu" else dtype.newbyteorder("=")


def reduce_window(kind, window, counted, options):
    if kind == "max":
        return window.max() if window.size else None
    if kind == "lp":
        p = options["norm_type"]
        window = abs(window) if options.get("absolute") else window
        return (window**p).sum() ** (1 / p)
    total = window.any() if kind == "sum" and window.dtype.kind == "b" else window.sum(dtype=window.dtype)
    if kind == "sum":
        return total
    return total / (options.get("divisor_override") or counted or np.nan)


def pool(kind, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, **options):
    """The oracle, and the indices of maxima: the first of equal ones, the last NaN, -1 where there is nothing."""
    d = options.pop("d")
    kernel, dilation, padding = each(kernel_size, d), each(dilation, d), pairs(padding, d)
    stride = kernel if stride is None else each(stride, d)
    spatial = x.shape[-d:]
    out = tuple(map(extents, spatial, kernel, stride, padding, dilation, [ceil_mode] * d))
    dtype = result_dtype(kind, x.dtype)
    wide = x.astype(dtype)
    if dtype == BFLOAT16 or dtype in (np.float16, np.float32, np.float64) or dtype.kind == "c":
        wide = x.astype(np.complex128 if dtype.kind == "c" else np.float64)
    batch = x.shape[:-d]
    result = np.zeros(batch + out, dtype)
    indices = np.full(batch + out, -1)
    for o in itertools.product(*map(range, out)):
        places, counted = [], 1
        for i in range(d):
            positions = [o[i] * stride[i] - padding[i][0] + j * dilation[i] for j in range(kernel[i])]
            places.append([q for q in positions if 0 <= q < spatial[i]])
            low, high = -padding[i][0], spatial[i] + padding[i][1]
            include = options.get("count_include_pad", True)
            counted *= sum(low <= q < high for q in positions) if include else len(places[-1])
        window = wide[(..., *np.ix_(*places))].reshape((*batch, -1))
        for b in itertools.product(*map(range, batch)):
            value = reduce_window(kind, window[b], counted, options)
            if value is None:
                value = False if dtype.kind == "b" else np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf
            elif kind == "max":
                nans = np.flatnonzero(window[b] != window[b])
                at = nans[-1] if nans.size else int(window[b].argmax())
                flat = np.unravel_index(at, [len(p) for p in places])
                indices[b + o] = np.ravel_multi_index([p[f] for p, f in zip(places, flat)], spatial)
            result[b + o] = value
    return result, indices


def assert_same(actual, expected):
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    if actual.dtype == BFLOAT16 or actual.dtype == np.float16:
        np.testing.assert_allclose(actual.astype(float), expected.astype(float), rtol=1e-2)
    elif actual.dtype.kind in "fc":
        # Sums in another order than the oracle's, of elements that may cancel.
        precision = np.finfo(actual.dtype).eps
        largest = abs(expected[np.isfinite(expected)]).max(initial=0)
        np.testing.assert_allclose(actual, expected, rtol=16 * precision, atol=64 * precision * largest)
    else:
        np.testing.assert_array_equal(actual, expected)


def assert_equal(actual, expected):
    assert actual.dtype == expected.dtype
    if actual.dtype == BFLOAT16:  # whose NaN NumPy does not know as such
        actual, expected = actual.astype(np.float32), expected.astype(np.float32)
    np.testing.assert_array_equal(actual, expected)


def check(kind, x, d, kernel_size, **options):
    call = dict(options)
    if kind == "lp":
        call["norm_type"] = options.setdefault("norm_type", 2)
        x = abs(x) if x.dtype.kind != "u" and x.dtype.kind != "b" else x
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of empty means and overflows in the oracle
        expected, indices = pool(kind, x, kernel_size, d=d, **options)
    actual = function(kind, d)(x, kernel_size=kernel_size, **call)
    if kind == "max":
        assert_equal(actual, expected)
        pooled, found = function(kind, d)(x, kernel_size, return_indices=True, **call)
        assert_equal(pooled, expected)
        assert_equal(found, indices)
    else:
        assert_same(actual, expected)


def dtypes_of(kind):
    return [t for t in DTYPES if not (t in COMPLEXES and kind in ("max", "lp"))]


# ---- The definition --------------------------------------------------------------------------------------------------

WINDOWS = [
    (1, (21,), {"kernel_size": 3}),
    (1, (40,), {"kernel_size": 4, "stride": 3, "padding": 2, "ceil_mode": True}),
    (1, (33,), {"kernel_size": 3, "stride": 1, "dilation": 4, "padding": 1}),
    (2, (9, 37), {"kernel_size": 2}),
    (2, (9, 38), {"kernel_size": 3, "stride": 2, "padding": 1}),
    (2, (8, 19), {"kernel_size": 3, "stride": 1, "padding": 1}),
    (2, (7, 7), {"kernel_size": 7}),
    (2, (11, 23), {"kernel_size": (2, 5), "stride": (3, 2), "padding": (1, 2), "dilation": (2, 1), "ceil_mode": True}),
    (2, (6, 20), {"kernel_size": (1, 3), "stride": (1, 3), "padding": ((0, 2), (3, 1))}),
    (2, (6, 20), {"kernel_size": (3, 1), "stride": (2, 1)}),
    (3, (5, 6, 9), {"kernel_size": (2, 3, 2), "stride": (1, 2, 2), "padding": (1, 1, 0), "ceil_mode": True}),
    (3, (4, 4, 5), {"kernel_size": (4, 4, 5)}),
    (3, (5, 7, 4), {"kernel_size": 2, "dilation": (2, 3, 1), "stride": 1, "padding": 1}),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d, spatial, options", WINDOWS)
def test_every_dtype(kind, d, spatial, options, rng):
    for dtype in dtypes_of(kind):
        x = values(rng, (2, 3, *spatial), dtype)
        if kind == "lp" and dtype.kind == "i":
            x = x >> (x.dtype.itemsize * 8 - 5)
        check(kind, x, d, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(kind, layout, rng):
    for dtype, (d, spatial, options) in itertools.product(
        (np.float32, np.uint8, np.float16, np.complex64), WINDOWS[3:8]
    ):
        if dtype == np.complex64 and kind in ("max", "lp"):
            continue
        x = LAYOUTS[layout](values(rng, (2, 5, *spatial), dtype))
        check(kind, x, d, **options)


TABLE = {
    "dtype": [np.dtype(t) for t in (np.float32, np.float64, np.int16, np.uint64, np.float16, bool)],
    "shape": [(1, 1, 1, 1), (2, 3, 1, 70), (1, 17, 12, 5), (3, 64, 5, 6), (2, 1, 16, 33), (1, 2, 3, 131), (4, 200, 4, 4)],
    "kernel_size": [1, 2, 3, (1, 2), (5, 3), (2, 9)],
    "stride": [None, 1, 2, (3, 1), 7],
    "dilation": [1, 2, (1, 3)],
    "padding": [0, ((2, 3), (4, 4)), ((0, 9), (9, 0))],
    "ceil_mode": [False, True],
    "layout": ["C", "channels last", "F", "strided", "negative", "batch last", "transposed"],
    "kind": KINDS,
}  # fmt: skip


@pytest.mark.parametrize("case", pairwise(TABLE), ids=lambda case: "-".join(map(str, case.values())))
def test_products(case, rng):
    case = dict(case)
    kind, shape, layout = case.pop("kind"), case.pop("shape"), case.pop("layout")
    x = values(rng, shape, case.pop("dtype"))
    x = LAYOUTS[layout](x % 3 if kind == "lp" and x.dtype.kind in "iu" else x)
    kernel, dilation, padding = each(case["kernel_size"], 2), each(case["dilation"], 2), pairs(case["padding"], 2)
    stride = kernel if case["stride"] is None else each(case["stride"], 2)
    outputs = [extents(*args, case["ceil_mode"]) for args in zip(shape[2:], kernel, stride, padding, dilation)]
    if min(outputs) < 1:
        with pytest.raises(ValueError, match="dilated extent"):
            function(kind, 2)(x, **case, **({"norm_type": 2} if kind == "lp" else {}))
    else:
        check(kind, x, 2, **case)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("options", [
    {"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "ceil_mode": True}, {"kernel_size": (2, 3), "padding": ((1, 0), (0, 2)), "stride": 1},
    {"kernel_size": 2, "stride": 3, "padding": ((4, 0), (0, 4))},
])  # fmt: skip
def test_what_averages_count(counted, options, rng):
    for layout, shape in itertools.product(("C", "channels last"), [(2, 3, 8, 11), (1, 40, 5, 6)]):
        x = LAYOUTS[layout](values(rng, shape, np.float32))
        check("avg", x, 2, count_include_pad=counted, **options)
        check("avg", x, 2, count_include_pad=counted, divisor_override=-5, **options)


def test_averages_round_as_a_division_does(rng):
    x = (rng.standard_normal(10007) * np.exp2(rng.integers(-60, 60, 10007))).astype(np.float32)
    for divisor in (*range(1, 130), 1000003):
        actual = nn.avg_pool2d(x[None, None], 1, divisor_override=divisor)[0, 0]
        np.testing.assert_array_equal(actual, x / np.float32(divisor))
        wide = nn.avg_pool2d(x[None, None].astype(float), 1, divisor_override=divisor)[0, 0]
        np.testing.assert_array_equal(wide, x.astype(float) / divisor)
    np.testing.assert_array_equal(nn.avg_pool1d(np.full((1, 49), 7, np.float32), 49), [[7]])
    special = np.array([[np.inf, -np.inf, np.nan, 0]], np.float32)
    np.testing.assert_array_equal(nn.avg_pool1d(special, 1), special)


@pytest.mark.parametrize("p", [1, 2, 3, 2.5, -1, np.inf, -np.inf])
def test_norms(p, rng):
    x = normals(rng, (2, 3, 7, 20), np.float64) + 0.1
    taps = np.stack([x[..., i::2, j::2][..., :3, :10] for i in (0, 1) for j in (0, 1)])
    magnitudes = np.linalg.norm(taps.reshape(4, -1), ord=p, axis=0).reshape(taps.shape[1:])
    np.testing.assert_allclose(nn.lp_pool2d(x, p, 2, absolute=True), magnitudes, rtol=1e-12)
    if np.isfinite(p):
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(nn.lp_pool2d(x, p, 2), (taps**p).sum(0) ** (1 / p), rtol=1e-9)
    else:
        np.testing.assert_allclose(nn.lp_pool2d(x, p, 2), magnitudes)
    assert nn.lp_pool2d(x.astype(np.float16), p, 2).dtype == np.float16


# ---- NaN, infinity, equal elements ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", ["C", "channels last", "strided", "F"])
def test_nan_and_infinity(dtype, layout, rng):
    x = values(rng, (2, 20, 9, 18), dtype)
    for value in (np.nan, np.inf, -np.inf):
        x[rng.random(x.shape) < 0.05] = value
    x[0, 0, :6] = -np.inf
    for kernel, stride, padding in [(2, 2, 0), (3, 1, 1), (3, 2, 1), (7, 7, 0), (9, 1, 0), (2, 3, 1)]:
        for d, shape in [(2, x.shape), (1, (2, 20, 9 * 18))]:
            view = x if d == 2 else np.ascontiguousarray(x).reshape(shape)
            check("max", LAYOUTS[layout](view), d, kernel, stride=stride, padding=padding)
    where = np.isnan(nn.sum_pool2d(np.where(np.isinf(x), np.zeros((), dtype), x), 3, 1, 1).astype(float))
    np.testing.assert_array_equal(where, nn.max_pool2d(np.isnan(x), 3, 1, 1))


def test_a_window_of_nothing_but_padding():
    x = np.ones((1, 1, 1), np.int8)
    pooled, indices = nn.max_pool1d(x, 2, 1, 1, 2, return_indices=True)
    assert pooled.tolist() == [[[-128]]]
    assert indices.tolist() == [[[-1]]]
    assert nn.avg_pool1d(x.astype(float), 2, 1, ((3, 3),)).tolist() == [[[0, 0, 0.5, 0.5, 0, 0]]]
    assert np.isnan(nn.avg_pool1d(x.astype(float), 2, 1, ((3, 3),), count_include_pad=False)[0, 0, 0])


# ---- The arguments ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auto_pad", ["VALID", "SAME_UPPER", "SAME_LOWER"])
def test_auto_pad(auto_pad, rng):
    for n, k, s, dilation in itertools.product((5, 8, 13), (1, 2, 3, 4), (1, 2, 3), (1, 2)):
        x = values(rng, (1, 2, n), np.float64)
        total = max((-(-n // s) - 1) * s + (k - 1) * dilation + 1 - n, 0) if auto_pad != "VALID" else 0
        padding = (total // 2, total - total // 2) if auto_pad == "SAME_UPPER" else (total - total // 2, total // 2)
        if n + total < (k - 1) * dilation + 1:
            continue
        for kind in ("max", "avg", "sum"):
            actual = function(kind, 1)(x, k, s, dilation=dilation, auto_pad=auto_pad)
            expected, _ = pool(kind, x, k, s, (padding,), dilation, d=1)
            np.testing.assert_allclose(actual, expected)
            assert auto_pad == "VALID" or actual.shape[-1] == -(-n // s)


def test_layouts_by_letters(rng):
    x = values(rng, (2, 3, 8, 10), np.float32)
    expected = nn.max_pool2d(x, (2, 3))
    np.testing.assert_array_equal(
        nn.max_pool2d(x.transpose(0, 2, 3, 1), (2, 3), layout="NHWC"), expected.transpose(0, 2, 3, 1)
    )
    np.testing.assert_array_equal(
        nn.max_pool2d(x.transpose(2, 0, 3, 1), (2, 3), layout="HNWC"), expected.transpose(2, 0, 3, 1)
    )
    np.testing.assert_array_equal(
        nn.max_pool2d(x[0].transpose(1, 2, 0), (2, 3), layout="NHWC"), expected[0].transpose(1, 2, 0)
    )
    np.testing.assert_array_equal(
        nn.max_pool2d(x[0].transpose(1, 2, 0), (2, 3), layout="HWC"), expected[0].transpose(1, 2, 0)
    )
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    assert nn.max_pool2d(last, 2, layout="NHWC").flags.c_contiguous
    assert nn.max_pool2d(last.transpose(0, 3, 1, 2), 2).transpose(0, 2, 3, 1).flags.c_contiguous


def test_unbatched(rng):
    for d in (1, 2, 3):
        x = values(rng, (3, *(6, 7, 8)[:d]), np.float32)
        for kind in ("max", "avg", "sum"):
            np.testing.assert_array_equal(function(kind, d)(x, 2), function(kind, d)(x[None], 2)[0])


def test_dtype_and_out(rng):
    x = values(rng, (2, 3, 8, 9), np.uint8)
    assert nn.sum_pool2d(x, 3, dtype=np.int64).tolist() == pool("sum", x.astype(np.int64), 3, d=2)[0].tolist()
    assert nn.sum_pool2d(x > 99, 3).dtype == bool
    np.testing.assert_array_equal(
        nn.sum_pool2d(x > 99, 3, dtype=np.int8), pool("sum", (x > 99).astype(np.int8), 3, d=2)[0]
    )
    assert nn.avg_pool2d(x, 2).dtype == np.float64
    assert nn.avg_pool2d(x, 2, dtype=np.float32).dtype == np.float32
    expected = nn.max_pool2d(x, 2)
    assert nn.max_pool2d(x, 2, dtype=np.int32).tolist() == expected.tolist()
    for kind in ("max", "avg", "sum", "lp"):
        call = {"norm_type": 2} if kind == "lp" else {}
        result = function(kind, 2)(x, kernel_size=2, **call)
        for dtype in (result.dtype, np.dtype(np.float32), np.dtype(np.complex64), np.dtype(object), np.dtype(">f8")):
            for layout in ("C", "F", "strided", "negative", "channels last"):
                out = LAYOUTS[layout](np.zeros(result.shape, dtype))
                assert function(kind, 2)(x, kernel_size=2, out=out, **call) is out
                np.testing.assert_allclose(out.astype(complex), result, rtol=1e-6)
    out, indices = nn.max_pool2d(x, 2, return_indices=True, out=np.zeros_like(expected))
    np.testing.assert_array_equal(indices, nn.max_pool2d(x, 2, return_indices=True)[1])


def test_out_may_overlap_the_input(rng):
    x = values(rng, (1, 1, 40, 40), np.float32)
    for kind in ("max", "avg", "sum"):
        buffer = x.copy()
        expected = function(kind, 2)(x, 3, 1, 1)
        assert function(kind, 2)(buffer, 3, 1, 1, out=buffer) is buffer
        np.testing.assert_array_equal(buffer, expected)


@pytest.mark.parametrize("dtype", SLOW_DTYPES)
def test_dtypes_that_the_core_lacks(dtype, rng):
    x = values(rng, (2, 3, 9, 11), dtype)
    like = np.complex128 if dtype.kind == "c" else np.float64
    for kind in KINDS:
        if dtype.kind == "c" and kind in ("max", "lp"):
            continue
        call = {"norm_type": 2} if kind == "lp" else {}
        for options in (
            {"kernel_size": 2},
            {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "dilation": 2},
        ):
            actual = function(kind, 2)(x, **call, **options)
            assert actual.dtype == dtype
            np.testing.assert_allclose(actual.astype(like), function(kind, 2)(x.astype(like), **call, **options))
    if dtype.kind != "c":
        found = nn.max_pool2d(x, 3, 2, 1, return_indices=True)[1]
        np.testing.assert_array_equal(found, nn.max_pool2d(x.astype(float), 3, 2, 1, return_indices=True)[1])


# ---- The same bits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("layout", ["C", "channels last", "batch last", "strided"])
def test_threads_and_batch_neighbours_do_not_change_bits(dtype, layout, rng):
    x = LAYOUTS[layout](normals(rng, (9, 70, 13, 41), dtype))
    for options in (
        {"kernel_size": 3, "stride": 1, "padding": 1},
        {"kernel_size": 2},
        {"kernel_size": (13, 41)},
        {"kernel_size": (1, 12)},
    ):
        whole = nn.avg_pool2d(x, threads=1, **options)
        for threads in (2, 3, 7):
            np.testing.assert_array_equal(nn.avg_pool2d(x, threads=threads, **options), whole)
        np.testing.assert_array_equal(nn.avg_pool2d(x[4:5], **options), whole[4:5])
        np.testing.assert_array_equal(nn.avg_pool2d(x[:, 33:34], **options), whole[:, 33:34])
        np.testing.assert_array_equal(nn.avg_pool2d(x[2, 5:9], **options), whole[2, 5:9])


@pytest.mark.parametrize("dtype", [*FLOATS, np.int8, np.uint16, np.complex64, np.bool_, np.dtype(">f4")])
def test_small_images_as_lines_have_the_bits_of_rows(dtype, rng):
    """Dense small images run as one line of samples, the same images with gaps between them by rows."""
    for image in ((7, 7), (4, 4), (13, 6), (28, 30), (1, 5)):
        x = normals(rng, (3, 41, *image), np.float64)
        x[rng.random(x.shape) < 0.4] = -0.0
        x = x.astype(dtype)
        gaps = np.zeros((3, 41, image[0] + 1, image[1]), dtype)[:, :, : image[0]]
        gaps[...] = x
        for options in (
            {"kernel_size": 2, "ceil_mode": True},
            {"kernel_size": 3, "stride": 1, "padding": 1},
            {"kernel_size": (2, 3), "stride": (3, 2), "padding": ((1, 0), (0, 2))},
            {"kernel_size": (3, 2), "stride": 1, "padding": ((3, 4), (2, 2)), "dilation": 2},
        ):
            for kind in ("max", "sum", "avg"):
                if np.dtype(dtype).kind in {"max": "c", "avg": "biu"}.get(kind, ""):
                    continue
                if image[0] == 1 and "padding" not in options:
                    continue
                expected = function(kind, 2)(gaps, **options)
                assert function(kind, 2)(x, **options).tobytes() == np.ascontiguousarray(expected).tobytes()
                single = function(kind, 2)(x[1, 7:8], threads=3, **options)
                assert single.tobytes() == np.ascontiguousarray(expected[1, 7:8]).tobytes()


def test_long_windows_are_summed_by_chunks(rng):
    for dtype in (np.float32, np.float16, np.int64):
        x = values(rng, (2, 5000), dtype)
        for options in (
            {"kernel_size": 5000},
            {"kernel_size": 1700, "stride": 3},
            {"kernel_size": 700, "stride": 1},
            {"kernel_size": 600, "dilation": 8},
        ):
            reach = (options["kernel_size"] - 1) * options.get("dilation", 1)
            outputs = range(0, 5000 - reach, options.get("stride", options["kernel_size"]))
            taps = slice(None, None, options.get("dilation", 1))
            expected = np.stack([x[:, o : o + reach + 1][:, taps].astype(float).sum(1) for o in outputs], 1)
            if dtype != np.int64:
                np.testing.assert_array_equal(
                    nn.sum_pool1d(x, **options).astype(float), expected.astype(dtype).astype(float)
                )
            np.testing.assert_array_equal(nn.max_pool1d(x, **options)[:, 0], x[:, : reach + 1][:, taps].max(1))


# ---- Hostile inputs --------------------------------------------------------------------------------------------------

X = np.ones((1, 2, 8, 9), np.float32)
HUGE = 2**62
MASKED = np.ma.masked_array(X, X > 2)
READ_ONLY = np.broadcast_to(np.float32(0), (1, 2, 4, 4))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("x, options, error, words", [
    (X, {"kernel_size": 0}, ValueError, "kernel_size[0]=0"), (X, {"kernel_size": -1}, ValueError, "kernel_size[0]=-1"),
    (X, {"kernel_size": 2, "stride": 0}, ValueError, "stride[0]=0"), (X, {"kernel_size": 2, "stride": (1, -2)}, ValueError, "stride[1]=-2"),
    (X, {"kernel_size": 2, "dilation": 0}, ValueError, "dilation[0]=0"), (X, {"kernel_size": 2, "padding": -1}, ValueError, "padding=-1"),
    (X, {"kernel_size": 3, "padding": 2}, ValueError, "at most 1"), (X, {"kernel_size": 2, "padding": ((0, -1), (0, 0))}, ValueError, "-1"),
    (X, {"kernel_size": 9}, ValueError, "dilated extent is 9 along axis 2"), (X, {"kernel_size": (2, 2, 2)}, ValueError, "3 entries"),
    (X, {"kernel_size": ()}, ValueError, "0 entries"), (X, {"kernel_size": 2, "stride": (1, 2, 3)}, ValueError, "stride"),
    (X, {"kernel_size": 2, "padding": ((1, 2, 3), (0, 0))}, ValueError, "pair"), (X, {"kernel_size": 2.0}, TypeError, "kernel_size=2.0"),
    (X, {"kernel_size": "2"}, TypeError, "kernel_size='2'"), (X, {"kernel_size": None}, TypeError, "kernel_size=None"),
    (X, {"kernel_size": HUGE, "stride": 1}, ValueError, str(HUGE)), (X, {"kernel_size": 3, "dilation": HUGE}, OverflowError, "dilation"),
    (X, {"kernel_size": 2**64}, OverflowError, "64 bits"), (X, {"kernel_size": 2, "stride": 2**63 - 1}, OverflowError, "stride"),
    (X, {"kernel_size": 2, "padding": ((HUGE, HUGE), (0, 0))}, OverflowError, "padding"), (X[0, 0], {"kernel_size": 2}, ValueError, "input.ndim=2"),
    (X[None], {"kernel_size": 2}, ValueError, "input.ndim=5"), (X[:, :, :0], {"kernel_size": 2, "padding": 1}, ValueError, "extent 0 along axis 2"),
    (MASKED, {"kernel_size": 2}, TypeError, "masked"), (X, {"kernel_size": 2, "auto_pad": "SAME"}, ValueError, "auto_pad='SAME'"),
    (X, {"kernel_size": 2, "auto_pad": "VALID", "padding": 1}, ValueError, "not both"), (X, {"kernel_size": 2, "layout": "NCH"}, ValueError, "layout='NCH'"),
    (X, {"kernel_size": 2, "layout": "NCHH"}, ValueError, "layout"), (X, {"kernel_size": 2, "layout": 3}, TypeError, "layout=3"),
    (X, {"kernel_size": 2, "out": np.zeros((1, 2, 4, 5), np.float32)}, ValueError, "out has shape"), (X, {"kernel_size": 2, "out": READ_ONLY}, ValueError, "read-only"),
    (X, {"kernel_size": 2, "out": np.zeros((1, 2, 4, 4), np.int32)}, TypeError, "out has dtype int32"), (X, {"kernel_size": 2, "out": 3}, TypeError, "out has type int"),
    (X, {"kernel_size": 2, "dtype": np.int8}, TypeError, "dtype=int8"), (X, {"kernel_size": 2, "threads": 0}, ValueError, "threads=0"),
    (np.array(["a"]), {"kernel_size": 2}, TypeError, "dtype"), (np.broadcast_to(np.float32(1), (2**40, 2, 3, 2**18)), {"kernel_size": 2, "stride": 1}, MemoryError, ""),
])  # fmt: skip
def test_a_clean_error(kind, x, options, error, words):
    call = {"norm_type": 2} if kind == "lp" else {}
    with pytest.raises(error) as caught:
        function(kind, 2)(x, **options, **call)
    assert words in str(caught.value)
    assert str(caught.value)


def test_more_clean_errors():
    for kind in ("max", "lp"):
        with pytest.raises(TypeError, match="complex"):
            function(kind, 2)(X.astype(complex), kernel_size=2, **({"norm_type": 2} if kind == "lp" else {}))
    with pytest.raises(TypeError, match="dtype=int64"):
        nn.avg_pool2d(X.astype(int), 2, dtype=int)
    with pytest.raises(ValueError, match="divisor_override=0"):
        nn.avg_pool2d(X, 2, divisor_override=0)
    with pytest.raises(TypeError, match="divisor_override=1.5"):
        nn.avg_pool2d(X, 2, divisor_override=1.5)
    with pytest.raises(TypeError, match="divisor_override"):
        nn.avg_pool1d(X[0], 2, divisor_override=3)
    for bad, error in ((0, ValueError), (np.nan, ValueError), ("2", ValueError), (None, TypeError)):
        with pytest.raises((error, TypeError), match="norm_type"):
            nn.lp_pool2d(X, bad if bad != "2" else "two", 2)


def test_empty_batches():
    for shape in ((0, 2, 8, 9), (1, 0, 8, 9), (0, 0, 8, 9)):
        x = np.ones(shape, np.float32)
        for kind in ("max", "avg", "sum"):
            assert function(kind, 2)(x, 2).shape == (*shape[:2], 4, 4)
        assert nn.max_pool2d(x, 2, return_indices=True)[1].shape == (*shape[:2], 4, 4)


def test_extents_past_two_to_the_31():
    """The array is one element that is everywhere; a large stride keeps the result small."""
    x = np.broadcast_to(np.float32(1), (1, 3, 2**40))
    for kind in ("max", "avg"):
        np.testing.assert_array_equal(function(kind, 1)(x, 3, 2**38), np.ones((1, 3, 4)))
    found = nn.max_pool1d(x, 3, 2**38, return_indices=True)[1]
    np.testing.assert_array_equal(found[0, 0], np.arange(4) * 2**38)
    far = nn.max_pool1d(x, 3, 2**38, dilation=2**33, return_indices=True)[1]
    np.testing.assert_array_equal(far[0, 2], np.arange(4) * 2**38)


def test_an_interrupt_stops_a_long_pool():
    from subprocesses import run

    done = run(
        """
        import signal, threading, time, os
        import numpy as np
        from swiftconv import nn
        x = np.broadcast_to(np.float32(1), (1, 64, 20000, 20000))
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        begin = time.perf_counter()
        try:
            nn.max_pool2d(x, 300, 300)
        except KeyboardInterrupt:
            print("interrupted", time.perf_counter() - begin < 5)
        """
    )
    assert "interrupted True" in done.stdout


# ---- Anything ----------------------------------------------------------------------------------------------------------

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

moderate = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@moderate
@given(st.data())
def test_any_pool(data):
    draw = data.draw
    kind, d = draw(st.sampled_from(KINDS)), draw(st.integers(1, 3))
    dtype = draw(st.sampled_from(dtypes_of(kind) if kind != "lp" else FLOATS))
    spatial = [draw(st.integers(1, (90, 20, 7)[d - 1])) for _ in range(d)]
    shape = [draw(st.integers(1, 3)), draw(st.integers(1, 20)), *spatial]
    options = {
        "kernel_size": tuple(draw(st.integers(1, min(n, 5))) for n in spatial),
        "stride": tuple(draw(st.integers(1, 4)) for _ in spatial),
        "padding": tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in spatial),
        "dilation": tuple(draw(st.integers(1, 2)) if n > 8 else 1 for n in spatial),
        "ceil_mode": draw(st.booleans()),
    }
    x = values(np.random.default_rng(draw(st.integers(0, 99))), shape, dtype)
    x = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](x)
    swiftconv.set_num_threads(draw(st.integers(1, 3)))
    check(kind, x, d, **options)


@moderate
@given(
    st.sampled_from(
        ["kernel_size", "stride", "padding", "dilation", "layout", "auto_pad", "dtype", "out", "threads", "ceil_mode"]
    ),
    st.lists(st.integers(-3, 3), max_size=3)
    | st.integers(-(2**65), 2**65)
    | st.none()
    | st.floats()
    | st.text(max_size=3)
    | st.lists(st.lists(st.integers(-1, 2), max_size=3), max_size=3),
)
def test_any_rubbish(name, value):
    options = {"kernel_size": 2, name: value}
    if name == "threads" and isinstance(value, int):
        options["threads"] = min(value, 64)
    for kind in ("max", "avg", "sum"):
        try:
            result = function(kind, 2)(X, **options)
        except (ValueError, TypeError, OverflowError, MemoryError) as error:
            assert str(error)
        else:
            assert isinstance(result, np.ndarray)


def test_integers_keep_their_bits():
    for dtype in INTEGERS:
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        x = np.array([[low, high, low, low, high, high]], dtype)
        assert nn.max_pool1d(x, 2).tolist() == [[high, low, high]]
        assert nn.sum_pool1d(x, 2).tolist() == [(x[0, ::2] + x[0, 1::2]).tolist()]


@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (2, 2, 1), (3, 2, 1), ((1, 3), (1, 3), (0, 1))])
def test_channels_last_pools_are_those_of_channels_first(dtype, kernel, stride, padding, rng):
    for channels in (1, 3, 4, 15, 16, 17, 65):
        x = (rng.integers(-9, 10, (2, channels, 7, 9)) / 2).astype(dtype)
        if x.dtype.kind in "fc":
            x.real[x == 0] *= -1  # zeros of either sign
        last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        pools = [nn.sum_pool2d, nn.avg_pool2d] if np.dtype(dtype).kind == "c" else [nn.max_pool2d, nn.sum_pool2d]
        for pool in pools:
            expected = pool(x, kernel, stride, padding)
            for threads in (1, 2):
                got = pool(last, kernel, stride, padding, layout="NHWC", threads=threads)
                assert np.ascontiguousarray(got.transpose(0, 3, 1, 2)).tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["int8", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 3, 7, 7), (1, 70, 1, 1), (3, 65, 2, 9), (1, 1, 14, 14)])
def test_indices_of_global_maxima(dtype, shape, rng):
    x = rng.integers(-5, 6, shape).astype(dtype)
    for view in (x, x[::-1, ::-1], np.broadcast_to(x[:1], shape)):
        values, indices = nn.max_pool2d(view, shape[2:], return_indices=True)
        flat = view.reshape(*shape[:2], -1)
        np.testing.assert_array_equal(indices[..., 0, 0], flat.argmax(-1))
        np.testing.assert_array_equal(values[..., 0, 0], flat.max(-1))
