"""Patches: unfold and fold, im2col, extract_patches, patchify, sliding_windows, against loops over single elements."""

import inspect
import itertools
import math
import re

import numpy as np
import pytest
import swiftconv
from reference import BFLOAT16, BOUNDARIES, source_index
from samples import DTYPES, INTEGERS, LAYOUTS, SLOW_DTYPES, normals, pairwise, values
from swiftconv import _dtypes, _native, windows
from swiftconv.nn import fold, unfold
from swiftconv.windows import col2im, extract_patches, im2col, patchify, sliding_windows, unpatchify
from test_docs import run_examples

# ---- The definition ------------------------------------------------------------------------------------------------


def windows_along(extent, taps, dilation, low, high, stride):
    return (extent + low + high - dilation * (taps - 1) - 1) // stride + 1


def places(shape, axes, window, stride, dilation, low, counts, boundary="fill"):
    """(index among the patches, index in the array or None outside) of every element of the patches."""
    extents = list(shape)
    for axis, count in zip(axes, counts):
        extents[axis] = count
    for index in np.ndindex(*extents):
        for tap in np.ndindex(*window):
            here = list(index)
            for axis, k, s, d, p in zip(axes, tap, stride, dilation, low):
                here[axis] = source_index(s * index[axis] + d * k - p, shape[axis], boundary)
            yield index + tap, None if -1 in here else tuple(here)


def cut_reference(x, axes, window, stride, dilation, low, high, boundary="fill", fill=0):
    counts = [windows_along(x.shape[a], *rest) for a, *rest in zip(axes, window, dilation, low, high, stride)]
    shape = list(x.shape)
    for axis, count in zip(axes, counts):
        shape[axis] = count
    patches = np.full((*shape, *window), fill, x.dtype)
    for there, here in places(x.shape, axes, window, stride, dilation, low, counts, boundary):
        if here is not None:
            patches[there] = x[here]
    return patches


def unfold_reference(x, window, dilation, padding, stride):
    d = len(window)
    patches = cut_reference(x, range(2, 2 + d), window, stride, dilation, padding, padding)
    taps_first = patches.transpose(0, 1, *range(2 + d, 2 + 2 * d), *range(2, 2 + d))
    n, c = x.shape[:2]
    return taps_first.reshape(n, c * math.prod(window), math.prod(patches.shape[2 : 2 + d]))


def fold_reference(columns, extents, window, dilation, padding, stride, mean=False):
    d = len(window)
    counts = [windows_along(*rest) for rest in zip(extents, window, dilation, padding, padding, stride)]
    n, c = columns.shape[0], columns.shape[1] // math.prod(window)
    patches = columns.reshape(n, c, *window, *counts)
    patches = patches.transpose(0, 1, *range(2 + d, 2 + 2 * d), *range(2, 2 + d))
    wide = {"b": bool, "i": np.int64, "u": np.uint64, "c": np.complex128}.get(columns.dtype.kind, np.float64)
    if mean and wide is bool:
        wide = np.int64
    sums, hits = np.zeros((n, c, *extents), wide), np.zeros((n, c, *extents))
    with np.errstate(over="ignore"):
        for there, here in places(sums.shape, range(2, 2 + d), window, stride, dilation, padding, counts):
            if here is not None:
                sums[here] += patches[there].astype(wide)
                hits[here] += 1
    if mean:
        quotient = sums / np.maximum(hits, 1)
        return quotient.astype(np.float64 if columns.dtype.kind in "biu" else columns.dtype)
    return sums.astype(columns.dtype)


GEOMETRIES = [
    # extents, window, dilation, padding, stride
    ((7,), (3,), (1,), (0,), (1,)),
    ((23,), (4,), (3,), (5,), (2,)),
    ((40,), (8,), (1,), (0,), (8,)),
    ((5, 6), (1, 1), (1, 1), (0, 0), (1, 1)),
    ((5, 6), (5, 6), (1, 1), (0, 0), (1, 1)),
    ((9, 37), (3, 3), (1, 1), (0, 0), (1, 1)),
    ((9, 37), (3, 3), (1, 1), (1, 1), (1, 1)),
    ((8, 40), (3, 5), (2, 3), (2, 7), (1, 2)),
    ((12, 36), (3, 4), (1, 1), (0, 0), (3, 4)),
    ((11, 38), (3, 4), (1, 1), (2, 1), (3, 4)),
    ((13, 20), (2, 2), (1, 1), (0, 1), (4, 3)),
    ((6, 9), (2, 3), (3, 3), (0, 0), (1, 1)),
    ((1, 1), (1, 1), (1, 1), (3, 0), (2, 1)),
    ((4, 5, 6), (2, 3, 2), (1, 1, 2), (1, 0, 1), (1, 2, 1)),
    ((4, 6, 16), (2, 2, 4), (1, 1, 1), (0, 0, 0), (2, 2, 4)),
]


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.complex128], ids=str)
def test_unfold(geometry, dtype, rng):
    extents, *options = geometry
    x = values(rng, (2, 3, *extents), dtype)
    expected = unfold_reference(x, *options)
    for name, layout in LAYOUTS.items():
        given = layout(x)
        if name in ("broadcast", "overlapping"):
            expected_here = unfold_reference(np.array(given), *options)
        else:
            expected_here = expected
        out = unfold(given, *options)
        assert out.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(out, expected_here, err_msg=name)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.complex128], ids=str)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_fold(geometry, dtype, reduction, rng):
    extents, *options = geometry
    shape = unfold_reference(np.zeros((2, 3, *extents), bool), *options).shape
    columns = values(rng, shape, dtype)
    for name, layout in LAYOUTS.items():
        given = layout(columns)
        expected = fold_reference(np.array(given, dtype), extents, *options, mean=reduction == "mean")
        out = fold(given, extents, *options, reduction=reduction)
        assert out.dtype == expected.dtype
        np.testing.assert_allclose(out, expected, rtol=1e-6 if reduction == "mean" else 0, err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES + SLOW_DTYPES, ids=str)
def test_every_dtype(dtype, rng):
    for geometry in GEOMETRIES[5:10]:
        extents, *options = geometry
        x = values(rng, (2, 3, *extents), dtype)
        columns = unfold(x, *options)
        assert columns.dtype == dtype
        np.testing.assert_array_equal(columns, unfold_reference(x, *options))
        if dtype.kind == "O":
            expected = fold_reference(columns.astype(int), extents, *options)
        else:
            expected = fold_reference(columns, extents, *options)
        np.testing.assert_array_equal(fold(columns, extents, *options), expected)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind != "b"], ids=str)
def test_float16_sums_are_rounded_once_and_integers_wrap(dtype, rng):
    columns = values(rng, (1, 9, 36), dtype) if dtype.kind in "iu" else normals(rng, (1, 9, 36), dtype)
    wide = columns.astype(np.float32) if dtype.itemsize == 2 and dtype.kind not in "iu" else columns
    out = fold(columns, 8, 3)
    np.testing.assert_array_equal(out, fold(wide, 8, 3).astype(dtype))


def test_mean_dtypes(rng):
    for dtype in DTYPES:
        out = fold(values(rng, (1, 4, 9), dtype), 4, 2, reduction="mean")
        assert out.dtype == (np.float64 if dtype.kind in "biu" else dtype)
    out = fold(values(rng, (1, 4, 9), np.dtype(np.longdouble)), 4, 2, reduction="mean")
    assert out.dtype == np.longdouble


# ---- The core's operation itself -----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", pairwise({
    "dtype": DTYPES, "layout": list(LAYOUTS), "boundary": list(BOUNDARIES), "axes": [(1,), (2, 0), (0, 1, 2), (-1,)],
    "order": [(0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (2, 0, 4, 1, 3, 5), (3, 4, 5, 0, 1, 2)], "stride": [1, 2, 3],
    "dilation": [1, 2], "padding": [(0, 0), (2, 1), (0, 4)], "fill": [0, 1],
}), ids=str)  # fmt: skip
def test_gather_into_any_layout(row, rng):
    x = LAYOUTS[row["layout"]](values(rng, (5, 4, 7), row["dtype"]))
    d = len(row["axes"])
    axes = tuple(axis % 3 for axis in row["axes"])
    window, stride, dilation = (2, 3, 2)[:d], (row["stride"],) * d, (row["dilation"],) * d
    low, high = (row["padding"][0] + 1,) * d, (row["padding"][1] + 2,) * d
    fill = np.asarray(row["fill"]).astype(x.dtype.newbyteorder("=") if x.dtype != BFLOAT16 else BFLOAT16)
    expected = cut_reference(np.array(x), axes, window, stride, dilation, low, high, row["boundary"], fill)
    order = [axis for axis in row["order"] if axis < 3 + d]
    for spread in (1, 2):
        memory = np.zeros([expected.shape[axis] * spread for axis in order], x.dtype)
        patches = memory.transpose(np.argsort(order))[(slice(None, None, spread),) * (3 + d)]
        for threads in (1, 3):
            patches[...] = 1
            raw = [a.view(np.uint16) if a.dtype == BFLOAT16 else a for a in (x, patches)]
            code = _dtypes.code_of(x.dtype)
            swapped = 0 if x.dtype.isnative else 3
            boundary = BOUNDARIES.index(row["boundary"])
            _native.patches_gather(
                *raw,
                code,
                code,
                swapped,
                threads,
                row["axes"],
                window,
                stride,
                dilation,
                low,
                high,
                boundary,
                fill.tobytes(),
                threads == 3,
            )
            np.testing.assert_array_equal(patches, expected)
        between = memory[(slice(1, None, 2),) * (3 + d)]
        assert spread == 1 or not between.any()


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("dtype", [*INTEGERS, np.dtype(np.float64), np.dtype(np.complex64)], ids=str)
def test_adjoint(geometry, dtype, rng):
    """Exactly, as integers wrap and these floats' sums are exact."""
    extents, *options = geometry
    x = values(rng, (2, 2, *extents), dtype)
    columns = unfold(x, *options)
    y = values(rng, columns.shape, dtype)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal((columns * y).sum(dtype=dtype), (x * fold(y, extents, *options)).sum(dtype=dtype))


@pytest.mark.parametrize(
    "shape, window, stride", [((3, 4, 70, 90), (3, 3), 1), ((2, 3, 224, 96), 14, 14), ((5, 40, 33), (5,), 2)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.complex64, np.uint8], ids=str)
def test_the_number_of_threads_and_the_batch_change_no_bit(shape, window, stride, dtype, rng):
    x = normals(rng, shape, dtype)
    extents = shape[2:]
    if isinstance(window, int):
        extents = tuple(n // window * window for n in extents)
        x = x[:, :, : extents[0], : extents[1]]
    columns = unfold(x, window, stride=stride, threads=1)
    noise = normals(rng, columns.shape, dtype)
    for reduction in ("sum", "mean"):
        single = fold(noise, extents, window, stride=stride, reduction=reduction, threads=1)
        for threads in (2, 3, 5):
            np.testing.assert_array_equal(unfold(x, window, stride=stride, threads=threads), columns)
            again = fold(noise, extents, window, stride=stride, reduction=reduction, threads=threads)
            assert again.tobytes() == single.tobytes()
        alone = fold(noise[1:2], extents, window, stride=stride, reduction=reduction)
        assert alone.tobytes() == single[1:2].tobytes()


def test_results_past_the_caches(rng):
    """Large enough to be streamed, in chunks that do not end with the rows."""
    x = values(rng, (7, 3, 200, 251), np.float32)
    columns = unfold(x, 3, padding=1)
    assert columns.nbytes > 32 << 20
    view = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    np.testing.assert_array_equal(columns, view.transpose(0, 1, 4, 5, 2, 3).reshape(columns.shape))
    rows = im2col(x, 3, 3, 1, 1)
    np.testing.assert_array_equal(rows, view.transpose(0, 2, 3, 1, 4, 5).reshape(rows.shape))
    np.testing.assert_array_equal(fold(columns, (200, 251), 3, padding=1), col2im(rows, x.shape, 3, 3, 1, 1))


# ---- The functions -------------------------------------------------------------------------------------------------


def test_unbatched(rng):
    x = values(rng, (3, 6, 7), np.float32)
    np.testing.assert_array_equal(unfold(x, 2), unfold(x[None], 2)[0])
    np.testing.assert_array_equal(unfold(x, (2, 3)), unfold(x[None], (2, 3))[0])
    np.testing.assert_array_equal(unfold(x, (2,)), unfold_reference(x, (2,), (1,), (0,), (1,)))
    np.testing.assert_array_equal(unfold(x[0], (2,)), unfold(x[None, 0], (2,))[0])
    columns = unfold(x, 2)
    np.testing.assert_array_equal(fold(columns, (6, 7), 2), fold(columns[None], (6, 7), 2)[0])
    assert fold(columns[:, :25], 6, 2).shape == (3, 6, 6)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.bool_], ids=str)
@pytest.mark.parametrize(
    "options", [(2, 3, 1, 0), (3, 3, 2, 1), (1, 1, 1, 0), (4, 2, (1, 2), (0, 3)), (5, 6, 1, 0)], ids=str
)
def test_im2col(dtype, options, rng):
    h, w, stride, pad = options
    x = values(rng, (2, 3, 5, 6), dtype)
    strides, pads = np.broadcast_to(stride, 2), np.broadcast_to(pad, 2)
    patches = cut_reference(x, (2, 3), (h, w), strides, (1, 1), pads, pads)
    expected = patches.transpose(0, 2, 3, 1, 4, 5).reshape(-1, 3 * h * w)
    for layout in LAYOUTS.values():
        given = layout(x)
        if given.tobytes() == x.tobytes():
            np.testing.assert_array_equal(im2col(given, h, w, stride, pad), expected)
    rows = values(rng, expected.shape, dtype)
    out = col2im(rows, x.shape, h, w, stride, pad)
    columns = rows.reshape(2, *patches.shape[2:4], 3 * h * w).transpose(0, 3, 1, 2).reshape(2, 3 * h * w, -1)
    np.testing.assert_array_equal(out, fold_reference(columns, (5, 6), (h, w), (1, 1), pads, strides))


def test_a_convolution_by_im2col(rng):
    x, w = values(rng, (2, 3, 8, 9), np.float64), values(rng, (4, 3, 3, 2), np.float64)
    product = (im2col(x, 3, 2) @ w.reshape(4, -1).T).reshape(2, 6, 8, 4).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(product, np.einsum("nchwij,ocij->nohw", sliding_windows(x, (3, 2), axis=(2, 3)), w))
    by_unfold = (w.reshape(4, -1) @ unfold(x, (3, 2))).reshape(2, 4, 6, 8)
    np.testing.assert_array_equal(by_unfold, product)


@pytest.mark.parametrize("padding", ["VALID", "SAME"])
@pytest.mark.parametrize("shape", [(2, 9, 10, 3), (1, 7, 6, 8, 2), (3, 12, 1)], ids=str)
@pytest.mark.parametrize("size, stride, rate", [(3, 1, 1), (2, 2, 1), (3, 2, 2), (1, 3, 1), (2, 5, 1)])
def test_extract_patches(padding, shape, size, stride, rate, rng):
    x = values(rng, shape, np.float32)
    d = len(shape) - 2
    reach = rate * (size - 1) + 1
    low, high = [0] * d, [0] * d
    if padding == "SAME":
        totals = [max((-(-n // stride) - 1) * stride + reach - n, 0) for n in shape[1:-1]]
        low, high = [n // 2 for n in totals], [n - n // 2 for n in totals]
    patches = cut_reference(x, range(1, d + 1), (size,) * d, (stride,) * d, (rate,) * d, low, high)
    order = (*range(d + 1), *range(d + 2, 2 * d + 2), d + 1)
    expected = patches.transpose(order).reshape(*patches.shape[: d + 1], -1)
    out = extract_patches(x, *([1, *[n] * d, 1] for n in (size, stride, rate)), padding)
    np.testing.assert_array_equal(out, expected)
    if padding == "SAME":
        assert out.shape[1:-1] == tuple(-(-n // stride) for n in shape[1:-1])


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64, np.float16, np.complex64], ids=str)
@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
@pytest.mark.parametrize("layout, shape, patch", [
    ("NCHW", (2, 3, 28, 42), 14), ("NHWC", (2, 28, 42, 3), 14), ("CHW", (5, 8, 12), (4, 3)), ("HWC", (8, 12, 1), 2),
    ("NHW", (3, 8, 8), 4), ("HW", (6, 6), (2, 3)), ("NCDHW", (1, 2, 4, 6, 8), (2, 3, 4)), ("WHNC", (8, 6, 2, 3), 2),
    ("NCL", (2, 3, 48), 16), ("NCHW", (1, 16, 32, 32), 16), ("NCHW", (2, 4, 6, 6), 1),
])  # fmt: skip
def test_patchify_and_back(layout, shape, patch, order, dtype, rng):
    x = values(rng, shape, dtype)
    tokens = patchify(x, patch, layout=layout, order=order)
    letters = [letter for letter in layout if letter not in "NC"]
    extents = [shape[layout.index(letter)] for letter in letters]
    patch_list = np.broadcast_to(patch, len(letters))
    full = x
    for letter in "CN":
        if letter not in layout:
            full = full[None]
    lead = [axis for axis, letter in enumerate("NC") if letter not in layout]
    names = [*["NC"[axis] for axis in lead], *layout]
    canonical = full.transpose([names.index(letter) for letter in ["N", "C", *letters]])
    n, c = canonical.shape[:2]
    split = canonical.reshape(n, c, *[part for e, p in zip(extents, patch_list) for part in (e // p, p)])
    d = len(letters)
    grid, inner = [2 + 2 * i for i in range(d)], [3 + 2 * i for i in range(d)]
    axes = (0, *grid, *inner, 1) if order == "channels_last" else (0, *grid, 1, *inner)
    expected = split.transpose(axes).reshape(n, math.prod(e // p for e, p in zip(extents, patch_list)), -1)
    np.testing.assert_array_equal(tokens, expected if "N" in layout else expected[0])
    back = unpatchify(tokens, extents, patch, layout=layout, order=order)
    assert back.dtype == x.dtype
    np.testing.assert_array_equal(back, x)


@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
@pytest.mark.parametrize("stride", [1, 2, (1, 3), 3, 5])
def test_overlapping_patches(order, stride, rng):
    x = rng.standard_normal((2, 3, 13, 16))
    tokens = patchify(x, (4, 4), stride=stride, order=order)
    hits = unpatchify(np.ones_like(tokens), (13, 16), 4, stride=stride, order=order, reduction="sum")
    back = unpatchify(tokens, (13, 16), 4, stride=stride, order=order)
    np.testing.assert_allclose(back, np.where(hits > 0, x, 0))
    sums = unpatchify(tokens, (13, 16), 4, stride=stride, order=order, reduction="sum")
    np.testing.assert_allclose(sums, x * hits)
    weights = rng.random((4, 4)) + 0.1
    np.testing.assert_allclose(unpatchify(tokens, (13, 16), 4, stride=stride, order=order, weights=weights), back)
    noise = rng.standard_normal(tokens.shape)
    blended = unpatchify(noise, (13, 16), 4, stride=stride, order=order, weights=weights)
    taps = weights[..., None] if order == "channels_last" else weights
    weighted = noise.reshape(*noise.shape[:2], *((4, 4, 3) if order == "channels_last" else (3, 4, 4))) * taps
    top = unpatchify(weighted.reshape(noise.shape), (13, 16), 4, stride=stride, order=order, reduction="sum")
    spread = np.broadcast_to(taps, weighted.shape).reshape(noise.shape)
    bottom = unpatchify(spread, (13, 16), 4, stride=stride, order=order, reduction="sum")
    np.testing.assert_allclose(blended, np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0))


@pytest.mark.parametrize("dtype", [d for d in DTYPES + SLOW_DTYPES if d.kind != "O"], ids=str)
def test_weighted_means_of_every_dtype(dtype, rng):
    tokens = values(rng, (1, 9, 4 * 2), dtype)
    weights = np.array([[1.0, 2.0], [0.5, 4.0]])
    out = unpatchify(tokens, 4, 2, stride=1, weights=weights)
    wide = tokens.astype(np.complex128 if dtype.kind == "c" else np.float64)
    expected = unpatchify(wide, 4, 2, stride=1, weights=weights)
    assert out.dtype == (np.float64 if dtype.kind in "biu" else dtype)
    np.testing.assert_allclose(out.astype(wide.dtype), expected, rtol=1e-2 if dtype.itemsize == 2 else 1e-6)


def test_sliding_windows_are_views(rng):
    x = values(rng, (6, 9, 10), np.int32)
    view = sliding_windows(x, (2, 3), axis=(2, 0), step=(3, 1), dilation=(1, 2))
    expected = np.lib.stride_tricks.sliding_window_view(x, (2, 5), (2, 0))[:, :, ::3, :, ::2]
    np.testing.assert_array_equal(view, expected)
    assert np.shares_memory(view, x) and not view.flags.writeable
    np.testing.assert_array_equal(sliding_windows(x[0], (2, 3)), np.lib.stride_tricks.sliding_window_view(x[0], (2, 3)))
    sliding_windows(x, 2, axis=-1, writeable=True)[0, 0, 0, 1] = 77
    assert x[0, 0, 1] == 77
    assert sliding_windows([1, 2, 3, 4], 2, step=2).tolist() == [[1, 2], [3, 4]]
    assert sliding_windows(np.array(["a", "b", "c"]), 2).tolist() == [["a", "b"], ["b", "c"]]
    assert sliding_windows(x, (6, 9, 10)).shape == (1, 1, 1, 6, 9, 10)
    for layout in LAYOUTS.values():
        y = layout(values(rng, (5, 7), np.float32))
        np.testing.assert_array_equal(
            sliding_windows(y, (2, 2), step=2, dilation=3),
            np.lib.stride_tricks.sliding_window_view(y, (4, 4))[::2, ::2, ::3, ::3],
        )


# ---- out -----------------------------------------------------------------------------------------------------------


def calls(rng):
    x = values(rng, (2, 3, 8, 8), np.float32)
    columns, rows, tokens = unfold(x, 3), im2col(x, 3, 3), patchify(x, 4)
    overlapping = patchify(x, 4, stride=2)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    lists = [1, 3, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1]
    return [
        (x, lambda a, **k: unfold(a, 3, **k)),
        (columns, lambda a, **k: fold(a, (8, 8), 3, **k)),
        (x, lambda a, **k: im2col(a, 3, 3, **k)),
        (rows, lambda a, **k: col2im(a, (2, 3, 8, 8), 3, 3, **k)),
        (last, lambda a, **k: extract_patches(a, *lists, "SAME", **k)),
        (x, lambda a, **k: patchify(a, 4, **k)),
        (tokens, lambda a, **k: unpatchify(a, 8, 4, **k)),
        (overlapping, lambda a, **k: unpatchify(a, 8, 4, stride=2, **k)),
    ]


@pytest.mark.parametrize("case", range(8))
def test_out(case, rng):
    given, function = calls(rng)[case]
    expected = function(given)
    for dtype in (np.float32, np.float64, np.dtype(">f4"), np.complex64):
        out = np.zeros(expected.shape, dtype)
        assert function(given, out=out) is out
        np.testing.assert_array_equal(out, expected)
    for name in ("F", "strided", "negative", "misaligned", "transposed"):
        out = LAYOUTS[name](np.zeros_like(expected))
        assert function(given, out=(out,)) is out
        np.testing.assert_array_equal(out, expected, err_msg=name)
    memory = np.zeros(given.size + expected.size, np.float32)
    shared = memory[: given.size].reshape(given.shape)
    shared[...] = given
    out = memory[given.size // 2 :][: expected.size].reshape(expected.shape)
    function(shared, out=out)
    np.testing.assert_array_equal(out, expected)
    frozen = np.zeros_like(expected)
    frozen.flags.writeable = False
    for out, error in [
        (np.zeros(expected.shape[1:], np.float32), ValueError), (frozen, ValueError), ([1.0], TypeError),
        (np.zeros(expected.shape, np.int32), TypeError), (np.ma.zeros(expected.shape), TypeError),
    ]:  # fmt: skip
        with pytest.raises(error, match="out"):
            function(given, out=out)
    with pytest.raises(TypeError, match="masked"):
        function(np.ma.masked_array(given))
    with pytest.raises(ValueError, match="threads"):
        function(given, threads=0)


# ---- Empty and hostile ---------------------------------------------------------------------------------------------


def test_empty():
    for shape in ((0, 3, 5, 5), (2, 0, 5, 5)):
        columns = unfold(np.zeros(shape), 3)
        assert columns.shape == (shape[0], shape[1] * 9, 9)
        assert fold(columns, 5, 3).shape == shape
        assert im2col(np.zeros(shape), 3, 3).shape == (shape[0] * 9, shape[1] * 9)
        assert patchify(np.zeros(shape), 5).shape == (shape[0], 1, shape[1] * 25)
        assert unpatchify(patchify(np.zeros(shape), 5), 5, 5).shape == shape
    assert (unfold(np.ones((1, 1, 0, 3)), (2, 3), padding=(2, 0)) == 0).all()


HUGE = 2**62
X = np.ones((2, 3, 6, 7), np.float32)


@pytest.mark.parametrize("call, error, words", [
    (lambda: unfold(X, 0), ValueError, "kernel_size[0]=0"),
    (lambda: unfold(X, (3, -1)), ValueError, "kernel_size[1]=-1"),
    (lambda: unfold(X, 3, stride=0), ValueError, "stride[0]=0"),
    (lambda: unfold(X, 3, stride=(1, -2)), ValueError, "stride[1]=-2"),
    (lambda: unfold(X, 3, 0), ValueError, "dilation[0]=0"),
    (lambda: unfold(X, 3, 1, -1), ValueError, "padding[0]=-1"),
    (lambda: unfold(X, (7, 3)), ValueError, "kernel_size[0]=7"),
    (lambda: unfold(X, 3, (1, 4)), ValueError, "kernel_size[1]=3: the window's extent, 9 with its dilation, passes that of input, 7"),
    (lambda: unfold(X, (3, 3, 3, 3)), ValueError, "input.ndim=4: expected 6 (a batch) or 5"),
    (lambda: unfold(X[0, 0], 3), ValueError, "input.ndim=2"),
    (lambda: unfold(np.ones(()), 3), ValueError, "input.ndim=0"),
    (lambda: unfold(X, ()), ValueError, "kernel_size=()"),
    (lambda: unfold(X, (3, 3), (1, 1, 1)), ValueError, "dilation=(1, 1, 1) has 3 entries: expected 2"),
    (lambda: unfold(X, 3, padding="same"), TypeError, "padding='same'"),
    (lambda: unfold(X, 2.5), TypeError, "kernel_size=2.5"),
    (lambda: unfold(X, (2, None)), TypeError, "kernel_size[1]=None"),
    (lambda: unfold(X, 3, HUGE), OverflowError, f"dilation[0]={HUGE}"),
    (lambda: unfold(X, 3, 1, HUGE), OverflowError, f"padding[0]={HUGE}"),
    (lambda: unfold(X, 3, stride=2**63 - 1), OverflowError, f"stride[0]={2**63 - 1}"),
    (lambda: unfold(X, 3, stride=2**64), OverflowError, "stride"),
    (lambda: unfold(X, 3, 1, 2**40), MemoryError, ""),
    (lambda: unfold(X, 2**61, 1, 2**61), MemoryError, ""),
    (lambda: unfold(np.array(["a"] * 9).reshape(1, 1, 3, 3), 3), TypeError, "input"),
    (lambda: fold(X[0], (6, 7), 2), ValueError, "input has extent 6 along axis 1: expected a multiple of 4"),
    (lambda: fold(np.ones((1, 4, 9)), (5, 4), 2), ValueError, "expected 12, the number of windows (4 x 3) in output_size=(5, 4)"),
    (lambda: fold(np.ones((1, 4, 9)), (0, 4), 2), ValueError, "output_size[0]=0"),
    (lambda: fold(np.ones((1, 4, 9)), (1, 4), 2), ValueError, "kernel_size[0]=2"),
    (lambda: fold(np.ones((1, 4, 9)), (4, 4), 2, reduction="max"), ValueError, "reduction='max'"),
    (lambda: fold(np.ones((1, 4, 9)), (4, 4), 2, reduction=0), TypeError, "reduction=0"),
    (lambda: fold(np.ones(4), (4, 4), 2), ValueError, "input.ndim=1"),
    (lambda: fold(np.ones((1, 4, 9)), (4, 4, 4), 2), ValueError, "multiple of 8"),
    (lambda: fold(np.ones((1, 4, 9)), HUGE, 2, stride=HUGE), OverflowError, f"stride[0]={HUGE}"),
    (lambda: im2col(X[0], 2, 2), ValueError, "input_data.ndim=3"),
    (lambda: im2col(X, 0, 2), ValueError, "(filter_h, filter_w)[0]=0"),
    (lambda: im2col(X, 2, 2, 0), ValueError, "stride[0]=0"),
    (lambda: im2col(X, 2, 2, 1, -1), ValueError, "pad[0]=-1"),
    (lambda: im2col(X, 9, 2), ValueError, "(filter_h, filter_w)[0]=9"),
    (lambda: im2col(X, (2, 2), 2), TypeError, "filter_h=(2, 2)"),
    (lambda: col2im(np.ones((5, 4)), (1, 1, 4, 4), 2, 2), ValueError, "col has shape (5, 4): expected (9, 4)"),
    (lambda: col2im(np.ones((9, 4)), (1, 4, 4), 2, 2), ValueError, "input_shape"),
    (lambda: col2im(np.ones((9, 4)), 16, 2, 2), TypeError, "input_shape=16"),
    (lambda: col2im(np.ones((9, 4)), (1, -1, 4, 4), 2, 2), ValueError, "input_shape[1]=-1"),
    (lambda: extract_patches(X, [1, 2, 2], [1, 1, 1, 1], [1, 1, 1, 1], "VALID"), ValueError, "sizes"),
    (lambda: extract_patches(X, [2, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID"), ValueError, "sizes=(2, 2, 2, 1)"),
    (lambda: extract_patches(X, [1, 2, 2, 1], [1, 0, 1, 1], [1, 1, 1, 1], "SAME"), ValueError, "strides[0]=0"),
    (lambda: extract_patches(X, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 0, 1], "SAME"), ValueError, "rates[1]=0"),
    (lambda: extract_patches(X, [1, 9, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID"), ValueError, "sizes[0]=9"),
    (lambda: extract_patches(X, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "FULL"), ValueError, "padding='FULL'"),
    (lambda: extract_patches(X, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], 0), TypeError, "padding=0"),
    (lambda: extract_patches(X, 2, [1, 1, 1, 1], [1, 1, 1, 1], "SAME"), TypeError, "sizes=2"),
    (lambda: extract_patches(X[0, 0], [1, 1], [1, 1], [1, 1], "SAME"), ValueError, "images.ndim=2"),
    (lambda: patchify(X, 4), ValueError, "patch_size=(4, 4) does not divide image size=(6, 7)"),
    (lambda: patchify(X, 0), ValueError, "patch_size[0]=0"),
    (lambda: patchify(X, 3, stride=0), ValueError, "stride[0]=0"),
    (lambda: patchify(X, 9, stride=1), ValueError, "patch_size[0]=9"),
    (lambda: patchify(X, 3, layout="HW"), ValueError, "images.ndim=4: expected 2"),
    (lambda: patchify(X, 3, layout="NNHW"), ValueError, "layout='NNHW'"),
    (lambda: patchify(X, 3, layout="NC"), ValueError, "layout='NC'"),
    (lambda: patchify(X, 3, layout=4), TypeError, "layout=4"),
    (lambda: patchify(X, 3, order="cpq"), ValueError, "order='cpq'"),
    (lambda: unpatchify(np.ones((1, 4, 12)), 4, 3), ValueError, "patch_size=(3, 3) does not divide image_size=(4, 4)"),
    (lambda: unpatchify(np.ones((1, 5, 12)), 4, 2), ValueError, "tokens has shape (1, 5, 12): expected 4 patches (2 x 2)"),
    (lambda: unpatchify(np.ones((1, 4, 13)), 4, 2), ValueError, "a multiple of 4 elements"),
    (lambda: unpatchify(np.ones((1, 4, 12)), 4, 2, layout="NHW"), ValueError, "of 4 elements"),
    (lambda: unpatchify(np.ones((4, 12)), 4, 2), ValueError, "tokens.ndim=2"),
    (lambda: unpatchify(np.ones((1, 4, 12)), 4, 2, weights=np.ones(2)), ValueError, "weights has shape (2,)"),
    (lambda: unpatchify(np.ones((1, 4, 12)), 4, 2, weights=np.ones((2, 2)) * 1j), ValueError, "weights has dtype"),
    (lambda: unpatchify(np.ones((1, 4, 12)), 4, 2, weights=np.ones((2, 2)), reduction="sum"), ValueError, "reduction='sum'"),
    (lambda: unpatchify(np.ones((1, 4, 12)), -4, 2), ValueError, "image_size[0]=-4"),
    (lambda: sliding_windows(X, 3), ValueError, "window_shape=3"),
    (lambda: sliding_windows(X, (3, 3), axis=2), ValueError, "axis=2"),
    (lambda: sliding_windows(X, (3, 3), axis=(2, 2)), ValueError, "twice"),
    (lambda: sliding_windows(X, (3, 3), axis=(2, 4)), ValueError, "holds 4"),
    (lambda: sliding_windows(X, (3, 9), axis=(2, 3)), ValueError, "window_shape[1]=9"),
    (lambda: sliding_windows(X, 3, axis=3, step=0), ValueError, "step[0]=0"),
    (lambda: sliding_windows(X, 3, axis=3, dilation=0), ValueError, "dilation[0]=0"),
    (lambda: sliding_windows(np.ma.ones(4), 3), TypeError, "masked"),
    (lambda: sliding_windows(np.broadcast_to(1, (4,)), 3, writeable=True), ValueError, "read-only"),
    (lambda: sliding_windows(X, 3, axis=3, dilation=HUGE), OverflowError, f"dilation[0]={HUGE}"),
])  # fmt: skip
def test_a_clean_error(call, error, words):
    with pytest.raises(error, match=re.escape(words) or None):
        call()


def test_more_dimensions_than_the_core_takes():
    with pytest.raises(ValueError, match="32"):
        sliding_windows(np.ones((1,) * 20), (1,) * 20)
    with pytest.raises(ValueError, match="32"):
        unfold(np.ones((1,) * 20), 1)


def test_as_many_dimensions_as_the_core_takes(rng):
    x = values(rng, (3, 2, *(2,) * 3, *(1,) * 12), np.int16)
    np.testing.assert_array_equal(unfold(x, (2,) * 3 + (1,) * 12), x.reshape(3, 16, 1))
    np.testing.assert_array_equal(fold(x.reshape(3, 16, 1), x.shape[2:], (2,) * 3 + (1,) * 12), x)


def test_a_huge_stride_or_padding_that_leaves_little(rng):
    x = values(rng, (1, 2, 5, 6), np.int32)
    np.testing.assert_array_equal(unfold(x, 2, stride=2**60), x[:, :, :2, :2].reshape(1, 8, 1))
    far = unfold(x, 2, padding=(2**40, 0), stride=(2**40, 5))
    assert far.shape == (1, 8, 3)
    np.testing.assert_array_equal(far[..., 1], x[:, :, :2, :2].reshape(1, 8))
    assert not far[..., [0, 2]].any()
    np.testing.assert_array_equal(
        fold(far, (5, 6), 2, padding=(2**40, 0), stride=(2**40, 5))[..., :2, :2], x[..., :2, :2]
    )


# ---- Documentation -------------------------------------------------------------------------------------------------

FUNCTIONS = {name: getattr(module, name) for module in (swiftconv.nn, windows) for name in module.__all__}


@pytest.mark.parametrize("name", ["unfold", "fold", *windows.__all__])
def test_docstrings(name):
    function = FUNCTIONS[name]
    text = inspect.getdoc(function)
    assert run_examples(text, name, {})
    for parameter in inspect.signature(function).parameters:
        assert re.search(rf"^{parameter}\b|, {parameter}\b", text, re.MULTILINE), parameter


# ---- Anything ------------------------------------------------------------------------------------------------------


def test_at_random():
    hypothesis = pytest.importorskip("hypothesis")
    st = hypothesis.strategies

    @hypothesis.settings(max_examples=200, deadline=None, derandomize=True, database=None)
    @hypothesis.given(st.data())
    def check(data):
        d = data.draw(st.integers(1, 3))
        extents = [data.draw(st.integers(1, [60, 20, 8][d - 1])) for _ in range(d)]
        window = [data.draw(st.integers(1, min(n + 2, 5))) for n in extents]
        dilation = [data.draw(st.integers(1, 3)) for _ in extents]
        padding = [data.draw(st.integers(0, 3)) for _ in extents]
        stride = [data.draw(st.integers(1, 5)) for _ in extents]
        options = tuple(map(tuple, (window, dilation, padding, stride)))
        channels = data.draw(st.sampled_from([1, 2, 3, 4, 9]))
        dtype = data.draw(st.sampled_from(DTYPES))
        layout = LAYOUTS[data.draw(st.sampled_from([*LAYOUTS]))]
        rng = np.random.default_rng(data.draw(st.integers(0, 999)))
        x = layout(values(rng, (data.draw(st.integers(1, 2)), channels, *extents), dtype))
        fits = all(d * (k - 1) + 1 <= n + 2 * p for n, k, d, p, _ in zip(extents, *options))
        if not fits:
            with pytest.raises(ValueError, match="kernel_size"):
                unfold(x, *options)
            return
        columns = unfold(x, *options, threads=data.draw(st.integers(1, 3)))
        np.testing.assert_array_equal(columns, unfold_reference(np.array(x), *options))
        y = layout(values(rng, columns.shape, dtype))
        np.testing.assert_array_equal(fold(y, extents, *options), fold_reference(np.array(y), extents, *options))

    check()


def test_orders_agree(rng):
    """The same patches, whatever the function and its order."""
    x = values(rng, (2, 3, 9, 11), np.int32)
    columns = unfold(x, (3, 2))
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    for given, layout in itertools.product((x, x.transpose(0, 2, 3, 1), last), ("NCHW", "NHWC")):
        if (given.shape[1] == 3) != (layout == "NCHW"):
            continue
        first = patchify(given, (3, 2), stride=1, layout=layout, order="channels_first")
        np.testing.assert_array_equal(first, columns.transpose(0, 2, 1))
    lists = [1, 3, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1]
    tokens = patchify(x, (3, 2), stride=1)
    np.testing.assert_array_equal(extract_patches(last, *lists, "VALID").reshape(tokens.shape), tokens)
    np.testing.assert_array_equal(im2col(x, 3, 2).reshape(2, 70, 18), columns.transpose(0, 2, 1))
