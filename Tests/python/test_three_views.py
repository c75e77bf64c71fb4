"""conv2d, the patch matrix and the contraction are one operation: equal on integers, element by element.

The product and the contraction are NumPy's; the patches are cut by `unfold`, `im2col`, `extract_patches`, `patchify` and
`sliding_windows`, each with the order of elements that its callers know.
"""

import math

import numpy as np
import pytest
from samples import pairwise, permuted
from swiftconv import nn
from swiftconv.windows import col2im, extract_patches, im2col, patchify, sliding_windows

LETTERS = {1: "L", 2: "HW", 3: "DHW"}
CONV = {1: nn.conv1d, 2: nn.conv2d, 3: nn.conv3d}

# Orders of an image's axes N, C, H, W in memory; the axes themselves stay where they are.
MEMORIES = {
    "NCHW": lambda x: np.ascontiguousarray(x),
    "NHWC": lambda x: permuted(x, (0, *range(2, x.ndim), 1)),
    "CHWN": lambda x: permuted(x, (*range(1, x.ndim), 0)),
    "Fortran": lambda x: np.asfortranarray(x),
    "reversed": lambda x: x[..., ::-1],
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "broadcast": lambda x: np.broadcast_to(x[:, :1], x.shape),
}
CHOICES = {
    "memory": list(MEMORIES),
    "filter_memory": ["OIHW", "HWIO", "reversed"],
    "taps": [(1, 1), (2, 3), (3, 3), (5, 1)],
    "stride": [1, 2, (3, 1)],
    "padding": [0, 1, (2, 3)],
    "dilation": [1, 2, (1, 3)],
    "groups": [1, 2, 4],
    "channels": [(4, 4), (4, 8), (12, 4), (16, 16)],
    "dtype": [np.int8, np.int16, np.int32, np.int64, np.uint8, np.float32, np.float64, np.complex64],
}
FILTER_MEMORIES = {
    "OIHW": np.ascontiguousarray,
    "HWIO": lambda w: permuted(w, (2, 3, 1, 0)),
    "reversed": lambda w: w[::-1, :, ::-1],
}


def small(rng, shape, dtype):
    """Whole numbers whose sums every dtype but those of few bits holds; these wrap alike in all views."""
    values = rng.integers(0, 6, shape) if np.dtype(dtype).kind == "u" else rng.integers(-5, 6, shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.integers(-5, 6, shape)
    return values.astype(dtype)


def each(value, count=2):
    return (value,) * count if np.ndim(value) == 0 else tuple(value)


def product_of_patches(columns, w, groups, outputs):
    """The filters as rows times the columns of unfold, group by group."""
    n, depth, filters = len(columns), math.prod(w.shape[1:]), w.shape[0]
    blocks = columns.reshape(n, groups, depth, math.prod(outputs))
    rows = w.reshape(groups, filters // groups, depth)
    return np.matmul(rows, blocks).reshape(n, filters, *outputs)


def contraction(x, w, stride, padding, dilation, groups):
    """NumPy's einsum over a view of the windows of a padded image of any number of spatial axes."""
    rank = x.ndim - 2
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in each(padding, rank))])
    taps = w.shape[2:]
    view = sliding_windows(padded, taps, axis=tuple(range(2, rank + 2)), step=stride, dilation=dilation)
    split = view.reshape(view.shape[0], groups, -1, *view.shape[2:])
    filters = w.reshape(groups, -1, *w.shape[1:])
    outer, inner = "xyz"[:rank], "ijk"[:rank]
    result = np.einsum(f"ngc{outer}{inner},goc{inner}->ngo{outer}", split, filters)
    return result.reshape(len(x), len(w), *view.shape[2 : rank + 2])


@pytest.mark.parametrize("row", pairwise(CHOICES, seed=3), ids=str)
def test_images(row, rng):
    channels, filters = row["channels"]
    options = {name: row[name] for name in ("stride", "padding", "dilation")}
    x = MEMORIES[row["memory"]](small(rng, (2, channels, 17, 19), row["dtype"]))
    w = FILTER_MEMORIES[row["filter_memory"]](
        small(rng, (filters, channels // row["groups"], *row["taps"]), row["dtype"])
    )
    # 'auto' may transform floats, and rounds then: Winograd's sums are no sums of products of whole numbers.
    method = "auto" if np.dtype(row["dtype"]).kind in "iu" else "gemm"
    layer = nn.conv2d(x, w, groups=row["groups"], method=method, **options)
    columns = nn.unfold(x, row["taps"], **options)
    np.testing.assert_array_equal(product_of_patches(columns, w, row["groups"], layer.shape[2:]), layer)
    np.testing.assert_array_equal(contraction(x, w, groups=row["groups"], **options), layer)
    np.testing.assert_array_equal(nn.conv2d(x, w, groups=row["groups"], method="reference", **options), layer)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride, padding, dilation", [(1, 0, 1), (2, 1, 1), (1, 2, 2), (3, 1, 2)])
def test_any_rank(rank, groups, stride, padding, dilation, rng):
    x = small(rng, (3, 4, *(8, 7, 9)[:rank]), np.int64)
    w = small(rng, (6, 4 // groups, *(3, 2, 3)[:rank]), np.int64)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    layer = CONV[rank](x, w, groups=groups, **options)
    columns = nn.unfold(x, w.shape[2:], **options)
    np.testing.assert_array_equal(product_of_patches(columns, w, groups, layer.shape[2:]), layer)
    np.testing.assert_array_equal(contraction(x, w, groups=groups, **options), layer)


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("stride", [1, 2, (2, 1)])
@pytest.mark.parametrize("pad", [0, 1, (2, 1)])
@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_the_books_matrix(memory, stride, pad, dtype, rng):
    x = MEMORIES[memory](small(rng, (3, 5, 12, 10), dtype))
    w, b = small(rng, (7, 5, 3, 2), dtype), small(rng, (7,), dtype)
    layer = nn.conv2d(x, w, b, stride, pad)
    rows = np.dot(im2col(x, 3, 2, stride, pad), w.reshape(7, -1).T) + b
    n, _, height, width = layer.shape
    np.testing.assert_array_equal(rows.reshape(n, height, width, 7).transpose(0, 3, 1, 2), layer)

    dout = small(rng, layer.shape, dtype)
    by_window = dout.transpose(0, 2, 3, 1).reshape(-1, 7)
    weight_gradient = np.dot(by_window.T, im2col(x, 3, 2, stride, pad)).reshape(w.shape)
    np.testing.assert_array_equal(weight_gradient, nn.grad.conv2d_weight(x, w.shape, dout, stride, pad))
    input_gradient = col2im(np.dot(by_window, w.reshape(7, -1)), x.shape, 3, 2, stride, pad)
    np.testing.assert_array_equal(input_gradient, nn.grad.conv2d_input(x.shape, w, dout, stride, pad))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("rate", [1, 2])
@pytest.mark.parametrize("padding", ["VALID", "SAME"])
def test_channels_last(rank, stride, rate, padding, rng):
    space = LETTERS[rank]
    x = small(rng, (2, *(9, 8, 7)[:rank], 3), np.int32)
    w = small(rng, (*(3, 2, 3)[:rank], 3, 5), np.int32)
    layer = CONV[rank](
        x, w, stride=stride, padding=padding.lower(), dilation=rate, layout=f"N{space}C,{space}IO->N{space}C"
    )
    ones, steps, rates = ([1, *each(value, rank), 1] for value in (w.shape[:rank], stride, rate))
    patches = extract_patches(x, ones, steps, rates, padding)
    np.testing.assert_array_equal(patches @ w.reshape(-1, 5), layer)


@pytest.mark.parametrize("order, axes", [("channels_last", (2, 3, 1, 0)), ("channels_first", (1, 2, 3, 0))])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_tokens(order, axes, layout, rng):
    x = small(rng, (3, 4, 12, 15), np.int32)
    w = small(rng, (6, 4, 4, 5), np.int32)
    given = x.transpose([("NCHW").index(letter) for letter in layout])
    layer = nn.conv2d(given, w, stride=(4, 5), layout=f"{layout},OIHW->NHWC").reshape(3, 9, 6)
    tokens = patchify(given, (4, 5), layout=layout, order=order)
    np.testing.assert_array_equal(tokens @ w.transpose(axes).reshape(-1, 6), layer)
