"""A convolution in every spelling: all of them agree, in pairs, with each other and with a loop nest.

Numbers are small whole ones, so that every order of a sum gives the same bits. Where floats have many channels and
windows of 3 x 3, 'auto' may transform, and rounds then: 'gemm' is asked for, or a tolerance is.
"""

import itertools
from math import prod

import numpy as np
import pytest
import subprocesses
import swiftconv
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from samples import BFLOAT16, DTYPES, LAYOUTS, pairwise, permuted, values
from swiftconv import einsum, einsum_vjp, explain, nn, windows

PLAIN = [dtype for dtype in DTYPES if dtype != BFLOAT16]  # of NumPy's own functions
CONV = {1: nn.conv1d, 2: nn.conv2d, 3: nn.conv3d}
INPUT_GRADIENT = {1: nn.grad.conv1d_input, 2: nn.grad.conv2d_input, 3: nn.grad.conv3d_input}
WEIGHT_GRADIENT = {1: nn.grad.conv1d_weight, 2: nn.grad.conv2d_weight, 3: nn.grad.conv3d_weight}
OUTPUTS, TAPS = "zyx", "rij"  # letters of the outputs and of the taps; the last ones for fewer axes


def small(rng, shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.4
    whole = rng.integers(0, 5, shape) if dtype.kind == "u" else rng.integers(-4, 5, shape)
    if dtype.kind == "c":
        whole = whole + 1j * rng.integers(-4, 5, shape)
    return whole.astype(dtype)


def agree_in_pairs(results):
    for (one, a), (other, b) in itertools.combinations(results.items(), 2):
        assert a.shape == b.shape and a.dtype == b.dtype, (one, other)
        np.testing.assert_array_equal(a, b, f"{one} and {other}")


def finished(sums, dtype):
    """Python's sums as elements that wrap, or are ORs."""
    if np.dtype(dtype).kind == "b":
        return sums != 0
    if np.dtype(dtype).kind in "iu":
        return (sums & (2 ** (8 * np.dtype(dtype).itemsize) - 1)).astype(np.uint64).astype(dtype)
    return sums.astype(complex if np.dtype(dtype).kind == "c" else float).astype(dtype)


def numbers(array):
    """Elements as Python's numbers, which neither wrap nor round here."""
    kind = np.asarray(array).dtype
    whole = kind.kind not in "biu"
    return np.array(array, complex if kind.kind == "c" else float if whole else kind).astype(object)


def loop_nest(x, w, stride, dilation, flipped=False):
    """Images (N, G, C, spatial), filters (G, K, C, spatial): result (N, G, K, spatial)."""
    taps = w.shape[3:]
    extents = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[3:], taps, stride, dilation)]
    a, f = numbers(x), numbers(w)
    result = np.zeros((x.shape[0], *w.shape[:2], *extents), object)
    for place in np.ndindex(*result.shape):
        n, g, k = place[:3]
        total = 0
        for c, *i in np.ndindex(w.shape[2], *taps):
            tap = [t - 1 - j for t, j in zip(taps, i)] if flipped else i
            where = [s * o + d * j for s, o, d, j in zip(stride, place[3:], dilation, i)]
            total += a[(n, g, c, *where)] * f[(g, k, c, *tap)]
        result[place] = total
    return finished(result, w.dtype)


def met(step, output, dilation, tap):
    """The subscripts of one windowed axis."""
    return "(" + "+".join(f"{n}*{letter}" if n > 1 else letter for n, letter in ((step, output), (dilation, tap))) + ")"


def strided_windows(x, taps, stride, dilation):
    """The windows of the last axes, by as_strided alone: outputs, then taps."""
    rank = len(taps)
    outputs = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[-rank:], taps, stride, dilation)]
    lead, steps = x.shape[:-rank], x.strides[-rank:]
    strides = [t * s for t, s in zip(steps, stride)] + [t * d for t, d in zip(steps, dilation)]
    return as_strided(x, (*lead, *outputs, *taps), (*x.strides[:-rank], *strides))


def slid_windows(x, taps, stride, dilation):
    """The same by sliding_window_view: windows as large as they reach, cut."""
    rank = len(taps)
    reach = [d * (k - 1) + 1 for k, d in zip(taps, dilation)]
    cuts = [slice(None, None, s) for s in stride] + [slice(None, None, d) for d in dilation]
    return sliding_window_view(x, reach, tuple(range(x.ndim - rank, x.ndim)))[(..., *cuts)]


# ---- Forward -------------------------------------------------------------------------------------------------------

CHOICES = {
    "space": [((9,), (3,)), ((7, 8), (3, 2)), ((6, 5), (2, 3)), ((7, 7), (3, 3)), ((4, 5, 6), (2, 3, 2))],
    "stride": [(1, 1, 1), (2, 2, 2), (1, 2, 3)],
    "dilation": [(1, 1, 1), (2, 2, 2), (1, 1, 2)],
    "channels": [(1, 1, 1), (1, 3, 2), (2, 2, 1), (3, 1, 1), (2, 1, 3)],  # groups, channels and filters of each
    "memory": ["C", "F", "channels last", "strided", "negative", "broadcast", "byteswapped", "misaligned"],
    "filter_memory": ["C", "F", "transposed", "negative", "readonly"],
    "letters": [None, 1, 2, 3, 4, 5],  # seeds of the orders of all axes; None for the usual one
    "dtype": DTYPES,
    "flipped": [False, True],
}


@pytest.mark.parametrize("row", pairwise(CHOICES, seed=4), ids=str)
def test_forward(row, rng):
    (extents, taps), dtype = row["space"], row["dtype"]
    rank = len(taps)
    stride, dilation = row["stride"][-rank:], row["dilation"][-rank:]
    reach = [d * (k - 1) for k, d in zip(taps, dilation)]
    extents = [max(n, r + 1) for n, r in zip(extents, reach)]
    groups, channels, filters = row["channels"]
    x = LAYOUTS[row["memory"]](small(rng, (2, groups, channels, *extents), dtype))
    w = LAYOUTS[row["filter_memory"]](small(rng, (groups, filters, channels, *taps), dtype))
    outer, inner = OUTPUTS[-rank:], TAPS[-rank:]
    plain = f"ngc{outer}{inner},gkc{inner}->ngk{outer}"
    # A flipped filter is a negative step in the subscripts, and a view that runs backwards otherwise.
    sums = [met(*terms) for terms in zip(stride, outer, dilation, inner)]
    turned = w
    if row["flipped"]:
        sums = [f"({s}*{o}-{d}*{i}+{d * (k - 1)})" for s, o, d, i, k in zip(stride, outer, dilation, inner, taps)]
        turned = w[(..., *[slice(None, None, -1)] * rank)]

    orders = [np.arange(a.ndim) for a in (x, w, w)]
    if row["letters"] is not None:
        orders = [np.random.default_rng(row["letters"]).permutation(a.ndim) for a in (x, w, w)]
    names = [["n", "g", "c", *sums], ["g", "k", "c", *inner], ["n", "g", "k", *outer]]
    first, second, result = (" ".join(row[place] for place in order) for row, order in zip(names, orders))
    back = np.argsort(orders[2])
    moved = x.transpose(orders[0]), w.transpose(orders[1])

    options = {"stride": stride, "dilation": dilation, "groups": groups}
    method = "auto" if dtype.kind in "biu" else "gemm"
    joined = x.reshape(2, groups * channels, *extents), turned.reshape(groups * filters, channels, *taps)
    layer = CONV[rank](*joined, method=method, **options)
    swapped = plain.split("->")[0].split(",")
    view = strided_windows(x, taps, stride, dilation)
    results = {
        "loop nest": loop_nest(x, w, stride, dilation, row["flipped"]),
        "subscripts": einsum(f"{first}, {second} -> {result}", *moved).transpose(back),
        "subscripts, filter first": einsum(f"{second}, {first} -> {result}", *moved[::-1]).transpose(back),
        "gemm": einsum(f"{first}, {second} -> {result}", *moved, method="gemm").transpose(back),
        "as_strided": einsum(plain, view, turned),
        "as_strided, filter first": einsum(f"{swapped[1]},{swapped[0]}->ngk{outer}", turned, view),
        "layer": layer.reshape(2, groups, filters, *layer.shape[2:]),
    }  # fmt: skip
    if dtype != BFLOAT16:
        results["sliding_window_view"] = einsum(plain, slid_windows(x, taps, stride, dilation), turned)
    slid = windows.sliding_windows(x, taps, axis=tuple(range(3, 3 + rank)), step=stride, dilation=dilation)
    results["sliding_windows"] = einsum(plain, slid, turned)
    if dtype in PLAIN:
        wide = np.float32 if dtype == np.float16 else dtype
        results["NumPy"] = np.einsum(plain, view.astype(wide), turned.astype(wide)).astype(dtype)
    agree_in_pairs(results)


@pytest.mark.parametrize("channels", [16, 64])
@pytest.mark.parametrize("last", [False, True])
def test_many_channels(channels, last, rng):
    """Where floats are transformed, whichever way it is written."""
    x = rng.standard_normal((2, channels, 20, 20)).astype(np.float32)
    w = rng.standard_normal((channels, channels, 3, 3)).astype(np.float32)
    if last:
        x = permuted(x, (0, 2, 3, 1))
    exact = np.einsum("nchwij,kcij->nkhw", sliding_window_view(x.astype(float), (3, 3), (2, 3)), w, optimize=True)
    view = sliding_window_view(x, (3, 3), (2, 3))
    calls = [
        ("nchwij,kcij->nkhw", view, w),
        ("n c (h+i) (w+j), k c i j -> n k h w", x, w),
        ("n (h+i) (w+j) c, i j c k -> n k h w", x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0)),
    ]
    layer = explain(nn.conv2d, x, w)
    for call in calls:
        np.testing.assert_allclose(einsum(*call), exact, atol=1e-4 * np.abs(exact).max())
        assert explain(einsum, *call).algorithm == layer.algorithm


# ---- The classic question --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("stride, dilation", [((1, 1), (1, 1)), ((2, 1), (1, 1)), ((1, 1), (2, 3)), ((3, 2), (2, 1))])
def test_correlate(stride, dilation, dtype, rng):
    images, f = small(rng, (3, 12, 11), dtype), small(rng, (3, 4), dtype)
    conjugate = np.conj(f) if dtype.kind == "c" else f
    view = strided_windows(images, f.shape, stride, dilation)
    first = view.transpose(3, 4, 0, 1, 2)
    rows, columns = met(stride[0], "y", dilation[0], "i"), met(stride[1], "x", dilation[1], "j")
    agree_in_pairs({
        "correlate": swiftconv.correlate(images, conjugate, stride=stride, dilation=dilation),
        "pq,pqbmn->bmn": einsum("pq,pqbmn->bmn", f, first),
        "bmnpq,pq->bmn": einsum("bmnpq,pq->bmn", view, f),
        "qpbmn": einsum("qpbmn,qp->bmn", first.swapaxes(0, 1), f.T),
        "labels": einsum(f, [0, 1], first, [0, 1, 2, 3, 4], [2, 3, 4]),
        "ellipsis": einsum("ij,ij...->...", f, first),
        "subscripts": einsum(f"b {rows} {columns}, i j -> b y x", images, f),
        "subscripts without output": einsum(f"b{rows}{columns},ij", images, f).transpose(0, 2, 1),
        "optimize": einsum("pq,pqbmn->bmn", f, first, optimize=True),
        "out": einsum("pq,pqbmn->bmn", f, first, out=np.empty(view.shape[:3], dtype)),
        "loop nest": loop_nest(images[:, None, None], f[None, None, None], stride, dilation)[:, 0, 0],
    })  # fmt: skip


@pytest.mark.parametrize("boundary", ["fill", "wrap", "symmetric", "reflect", "edge"])
@pytest.mark.parametrize("taps", [(3, 3), (2, 5), (1, 4)])
@pytest.mark.parametrize("mode", ["valid", "same", "full"])
def test_modes(mode, taps, boundary, rng):
    images, f = small(rng, (3, 7, 8), np.int16), small(rng, taps, np.int16)
    # In mode 'same' a correlation of even extent has its larger half before (NumPy's rule), a layer behind.
    before = [{"valid": 0, "same": k // 2, "full": k - 1}[mode] for k in taps]
    after = [{"valid": 0, "same": (k - 1) // 2, "full": k - 1}[mode] for k in taps]
    pads = list(zip(before, after))
    numpys = {"fill": "constant"}.get(boundary, boundary)
    padded = np.pad(images, [(0, 0), *pads], numpys)
    results = {
        "correlate": swiftconv.correlate(images, f, mode, boundary=boundary),
        "subscripts": einsum(
            "b (y+i) (x+j), i j -> b y x", images, f, padding=dict(zip("yx", pads)), boundary=boundary
        ),
        "by the taps": einsum(
            "b (y+i) (x+j), i j -> b y x", images, f, padding=dict(zip("ij", pads)), boundary=boundary
        ),
        "windows of a padded array": einsum("byxij,ij->byx", sliding_window_view(padded, taps, (1, 2)), f),
        "convolve": swiftconv.convolve(padded, f[::-1, ::-1], "valid"),
    }
    if mode == "same" and all(k % 2 for k in taps):
        results["same"] = einsum("b (y+i) (x+j), i j -> b y x", images, f, padding="same", boundary=boundary)
    agree_in_pairs(results)


# ---- Views in any order ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", ["byx", "xyb", "ybx"])
@pytest.mark.parametrize("memory", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_windows_with_their_axes_in_any_order(memory, result, rng):
    images, f = permuted(small(rng, (3, 8, 7), np.int32), memory), small(rng, (3, 2), np.int32)
    view = sliding_window_view(images, f.shape, (1, 2))
    expected = np.einsum(f"byxij,ij->{result}", view, f)
    algorithms = set()
    for order in itertools.permutations(range(5)):
        letters = "".join("byxij"[place] for place in order)
        call = (f"{letters},ij->{result}", view.transpose(order), f)
        np.testing.assert_array_equal(einsum(*call), expected)
        algorithms.add(explain(einsum, *call).algorithm)
    assert len(algorithms) == 1


@pytest.mark.parametrize("cut", list(itertools.product([1, -1, 2], repeat=4)), ids=str)
def test_windows_cut_and_turned(cut, rng):
    images, f = small(rng, (2, 9, 10), np.int32), small(rng, (4, 5), np.int32)
    view = sliding_window_view(images, f.shape, (1, 2))[(slice(None), *[slice(None, None, step) for step in cut])]
    taps = f[tuple([slice(0, n) for n in view.shape[3:]])]
    expected = np.einsum("byxij,ij->byx", view.copy(), taps)
    np.testing.assert_array_equal(einsum("byxij,ij->byx", view, taps), expected)
    np.testing.assert_array_equal(einsum("ij,byxij->byx", taps, view), expected)


@pytest.mark.parametrize("result", ["", "b", "y", "yx", "xb", "byxij", "ijb", "iyx", "byi", "bji"])
def test_results_that_sum_over_places_and_images_or_keep_the_taps(result, rng):
    images, f = small(rng, (3, 12, 11), np.int64), small(rng, (3, 2), np.int64)
    view = sliding_window_view(images, f.shape, (1, 2))
    expected = np.einsum(f"byxij,ij->{result}", view, f)
    agree_in_pairs({
        "NumPy": expected,
        "view": einsum(f"byxij,ij->{result}", view, f),
        "filter first": einsum(f"ij,byxij->{result}", f, view),
        "subscripts": einsum(f"b (y+i) (x+j), i j -> {result}", images, f),
        "optimize": einsum(f"b (y+i) (x+j), i j -> {result}", images, f, optimize=True),
    })  # fmt: skip


def test_one_axis_of_two_windowed_alone_or_by_both(rng):
    images, f = small(rng, (8, 9), np.int64), small(rng, (3, 4), np.int64)
    rows = sliding_window_view(images, 3, 0)  # y, x, i
    agree_in_pairs({
        "a column each": einsum("yxi,ij->yxj", rows, f),
        "subscripts": einsum("(y+i) x, i j -> y x j", images, f),
        "columns": np.stack([einsum("yxi,i->yx", rows, column) for column in f.T], -1),
    })  # fmt: skip
    both = sliding_window_view(images, (3, 4))
    agree_in_pairs({
        "both": einsum("yxij,ij->yx", both, f),
        "windows of windows": einsum("yxij,ij->yx", sliding_window_view(rows, 4, 1), f),
        "rows, then the diagonal": sum(einsum("(y+i) x, i -> y x", images, f[:, j])[:, j : j + 6] for j in range(4)),
    })  # fmt: skip


def test_windows_that_only_touch_or_have_gaps_are_sums_of_another_kind(rng):
    """Patches side by side and far apart: strides that no two windows share."""
    images, f = small(rng, (2, 12, 12), np.int32), small(rng, (3, 2), np.int32)
    for stride in [(3, 2), (4, 5), (3, 1)]:
        view = slid_windows(images, f.shape, stride, (1, 1))
        agree_in_pairs({
            "view": einsum("byxij,ij->byx", view, f),
            "copy": einsum("byxij,ij->byx", view.copy(), f),
            "subscripts": einsum(f"b ({stride[0]}y+i) ({stride[1]}x+j), i j -> b y x", images, f),
            "correlate": swiftconv.correlate(images, f, stride=stride),
        })  # fmt: skip


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8])
def test_views_are_known_by_their_strides(stride, dilation, dtype, rng):
    """A view runs as the same sum in subscripts does, and as correlate where the filter has no channels."""
    images, f = small(rng, (4, 40, 45), dtype), small(rng, (5, 3), dtype)
    steps = (stride,) * 2, (dilation,) * 2
    view = slid_windows(images, f.shape, *steps)
    written = f"b {met(stride, 'y', dilation, 'i')} {met(stride, 'x', dilation, 'j')}, i j -> b y x"
    kernel = [
        (plan.algorithm, plan.kernel, plan.copies)
        for plan in (
            explain(einsum, "byxij,ij->byx", view, f),
            explain(einsum, "ij,ijbyx->byx", f, view.transpose(3, 4, 0, 1, 2)),
            explain(einsum, written, images, f),
        )
    ]
    assert len(set(kernel)) == 1 and kernel[0][2] == "none"
    if stride == 1:
        assert kernel[0][0] == explain(swiftconv.correlate, images, f, stride=stride, dilation=dilation).algorithm


# ---- Backward --------------------------------------------------------------------------------------------------------

BACKWARD = {
    "space": [((9,), (3,)), ((8, 7), (3, 2)), ((9, 9), (3, 3)), ((4, 5, 6), (2, 2, 3))],
    "stride": [1, 2, 3],
    "dilation": [1, 2],
    "padding": [0, 1, 2],
    "channels": [(1, 1), (3, 2), (2, 5)],
    "memory": ["C", "F", "channels last", "negative"],
    "dtype": PLAIN,
}


def gradients_of_loops(x, w, dout, stride, dilation, padding):
    """Scattered, product by product."""
    rank = w.ndim - 2
    a, f, y = numbers(x), numbers(w), numbers(dout)
    da, df = np.zeros(x.shape, object), np.zeros(w.shape, object)
    for n, k, *out in np.ndindex(*dout.shape):
        for c, *i in np.ndindex(*w.shape[1:]):
            where = tuple(stride * out[axis] + dilation * i[axis] - padding for axis in range(rank))
            if all(0 <= place < extent for place, extent in zip(where, x.shape[2:])):
                da[(n, c, *where)] += y[(n, k, *out)] * f[(k, c, *i)]
                df[(k, c, *i)] += y[(n, k, *out)] * a[(n, c, *where)]
    return finished(da, x.dtype), finished(df, x.dtype)


@pytest.mark.parametrize("row", pairwise(BACKWARD, seed=5), ids=str)
def test_backward(row, rng):
    (extents, taps), dtype = row["space"], row["dtype"]
    rank, (channels, filters) = len(taps), row["channels"]
    stride, dilation, padding = row["stride"], row["dilation"], row["padding"]
    x = LAYOUTS[row["memory"]](small(rng, (2, channels, *extents), dtype))
    w = small(rng, (filters, channels, *taps), dtype)
    outer, inner = OUTPUTS[-rank:], TAPS[-rank:]
    sums = " ".join(met(stride, o, dilation, i) for o, i in zip(outer, inner))
    subscripts = f"n c {sums}, k c {' '.join(inner)} -> n k {' '.join(outer)}"
    pads = dict.fromkeys(outer, padding)
    options = {"stride": stride, "dilation": dilation, "padding": padding}
    method = "auto" if np.dtype(dtype).kind in "biu" else "gemm"
    layer = CONV[rank](x, w, method=method, **options)
    np.testing.assert_array_equal(einsum(subscripts, x, w, padding=pads), layer)
    dout = LAYOUTS[row["memory"]](small(rng, layer.shape, dtype))

    by_vjp = einsum_vjp(subscripts, [x, w], dout, (0, 1), padding=pads)
    by_loops = gradients_of_loops(x, w, dout, stride, dilation, padding)
    inputs = {
        "vjp": by_vjp[0],
        "loop nest": by_loops[0],
        "layer": INPUT_GRADIENT[rank](x.shape, w, dout, method=method, **options),
    }
    weights = {
        "vjp": by_vjp[1],
        "loop nest": by_loops[1],
        "layer": WEIGHT_GRADIENT[rank](x, w.shape, dout, method=method, **options),
    }
    if stride == 1:
        # The adjoint written out: taps backwards over the cotangent; outputs slide over the input.
        behind = {o: (dilation * (k - 1) - padding,) * 2 for o, k in zip(outer, taps)}
        if all(before >= 0 for before, _ in behind.values()):
            turned = w[(..., *[slice(None, None, -1)] * rank)]
            written = f"n k {sums}, k c {' '.join(inner)} -> n c {' '.join(outer)}"
            inputs["subscripts"] = einsum(written, dout, turned, padding=behind, method=method)
        written = f"n c {sums}, n k {' '.join(outer)} -> k c {' '.join(inner)}"
        weights["subscripts"] = einsum(written, x, dout, padding=pads, method=method)
    agree_in_pairs(inputs)
    agree_in_pairs(weights)


@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (3, 1), (2, 3), (1, 2)])
def test_transposed(stride, dilation, rng):
    """A transposed convolution is the gradient of the convolution that it undoes the shape of."""
    y, w = small(rng, (2, 4, 5, 6), np.int64), small(rng, (4, 3, 3, 2), np.int64)  # N, I, H, W; I, O, kH, kW
    transposed = nn.conv_transpose2d(y, w, stride=stride, dilation=dilation)
    forward = f"n o {met(stride, 'y', dilation, 'i')} {met(stride, 'x', dilation, 'j')}, c o i j -> n c y x"
    scattered = np.zeros_like(transposed)
    for h, v, i, j in np.ndindex(5, 6, 3, 2):
        scattered[:, :, stride * h + dilation * i, stride * v + dilation * j] += y[:, :, h, v] @ w[:, :, i, j]
    agree_in_pairs({
        "layer": transposed,
        "loop nest": scattered,
        "vjp": einsum_vjp(forward, [np.broadcast_to(y.dtype.type(0), transposed.shape), w], y),
    })  # fmt: skip


# ---- Many operands -------------------------------------------------------------------------------------------------


def test_separable_and_depthwise_filters_as_operands(rng):
    x, column, row = (small(rng, shape, np.int64) for shape in [(3, 20, 24), (5,), (3,)])
    product = np.multiply.outer(column, row)
    subscripts = "b (y+i) (x+j), i, j -> b y x"
    agree_in_pairs({
        "one filter": einsum("b (y+i) (x+j), i j -> b y x", x, product),
        "factors": einsum(subscripts, x, column, row),
        "filters first": einsum(subscripts, x, column, row, optimize=["einsum_path", (1, 2), (0, 1)]),
        "greedy": einsum(subscripts, x, column, row, optimize=True),
        "two passes": einsum("b y (x+j), j -> b y x", einsum("b (y+i) x, i -> b y x", x, column), row),
        "correlate": swiftconv.correlate(x, product),
    })  # fmt: skip
    images, depthwise, mixing = (small(rng, shape, np.int64) for shape in [(2, 4, 12, 13), (4, 3, 3), (6, 4)])
    subscripts = "n c (y+i) (x+j), c i j, k c -> n k y x"
    agree_in_pairs({
        "three operands": einsum(subscripts, images, depthwise, mixing),
        "greedy": einsum(subscripts, images, depthwise, mixing, optimize=True),
        "all at once": einsum(subscripts, images, depthwise, mixing, method="reference"),
        "layers": nn.conv2d(nn.conv2d(images, depthwise[:, None], groups=4), mixing[:, :, None, None]),
        "one filter": nn.conv2d(images, np.einsum("cij,kc->kcij", depthwise, mixing)),
    })  # fmt: skip


# ---- Memory --------------------------------------------------------------------------------------------------------

PEAK = """
import resource, sys
import numpy as np
import swiftconv
from numpy.lib.stride_tricks import sliding_window_view

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

def call(images, f, out):
    view = sliding_window_view(images, f.shape, (1, 2))
    if sys.argv[1] == "view":
        swiftconv.einsum("bmnpq,pq->bmn", view, f, out=out)
    else:
        swiftconv.einsum("b (m+p) (n+q), p q -> b m n", images, f, out=out)

images, f = np.full((200, 128, 128), 1, np.float32), np.full((5, 5), 1, np.float32)
out = np.full((200, 124, 124), 1, np.float32)
for _ in range(3):
    call(images[:2, :9, :9], f, np.full((2, 5, 5), 1, np.float32))
before = peak()
call(images, f, out)
print(peak() - before)
"""


@pytest.mark.parametrize("spelling", ["view", "subscripts"])
def test_no_window_is_stored(spelling):
    """25 times the images would be 315 MB."""
    done = subprocesses.run(PEAK, spelling, SWIFTCONV_NUM_THREADS=2)
    assert int(done.stdout) < 4 * 2**20


def test_a_view_of_many_windows_costs_what_its_sums_cost():
    """A view of 2**38 elements over an array of 2**20: explain allocates nothing for it."""
    signal, f = np.zeros(2**20, np.float32), np.zeros(2**19, np.float32)
    view = sliding_window_view(signal, f.size)
    assert prod(view.shape) > 2**37
    plan = explain(einsum, "yi,i->y", view, f)
    assert plan.temporary_bytes == 0 and plan.workspace_bytes < 32 * 2**20


def test_lists_of_labels_that_were_seen_before_and_those_that_only_look_like_them(rng):
    a, b = values(rng, (3, 3), np.int64), values(rng, (3, 3), np.int64)
    expected = a @ b
    for lists in (([0, 1], [1, 2], [0, 2]), ((0, 1), (1, 2), (0, 2)), ([51, 0], (0, 7), [51, 7]), ([..., 1], [1, 2], [..., 2]),
                  (np.array([0, 1]), [np.int8(1), 2], [0, 2]), (range(2), range(1, 3), range(0, 3, 2))):  # fmt: skip
        first, second, last = map(list, lists)
        for _ in range(3):
            np.testing.assert_array_equal(einsum(a, first, b, second, last), expected)
        np.testing.assert_array_equal(einsum(a, lists[0], b, lists[1], lists[2]), expected)
        np.testing.assert_array_equal(einsum(a, iter(first), b, iter(second), iter(last)), expected)
        out = np.zeros_like(expected)
        assert einsum(a, first, b, second, last, out=out) is out
        np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(einsum(a, [0, 1], b, [1, 2]), expected)
    np.testing.assert_array_equal(einsum(a, [1, 0]), np.einsum(a, [1, 0]))
    assert np.shares_memory(einsum(a, [1, 0], [0, 1]), a)
    for labels in ([0, True], [0, 1.0], [0, "1"], [0, None], [0, [1]], [0, 1j]):
        with pytest.raises(TypeError, match="label .* of operand 0: expected an integer or Ellipsis"):
            einsum(a, labels, b, [1, 2], [0, 2])
    for labels in ([0, 52], [0, -1]):
        with pytest.raises(ValueError, match="expected one from 0 to 51"):
            einsum(a, labels, b, [1, 2], [0, 2])
    for labels in ([0, 2**31], [0, -(2**200)]):
        with pytest.raises(TypeError, match="expected an integer"):
            einsum(a, labels, b, [1, 2], [0, 2])
    for labels in ([0] * 300, [..., ..., 0], [0, ...] * 200):
        with pytest.raises(ValueError):
            einsum(a, labels, b, [1, 2], [0, 2])
    with pytest.raises(ValueError):
        einsum(a, [0, 1], b, [1, 2], [0] * 1000)
    operands = [part for place in range(12) for part in (a, [place, place + 1])]
    for _ in range(2):
        np.testing.assert_array_equal(einsum(*operands, [0, 12]), np.linalg.multi_dot([a] * 12))


def test_lists_in_place_of_arrays(rng):
    a, b = values(rng, (3, 3), np.int64), values(rng, (3, 3), np.int64)
    for _ in range(3):
        np.testing.assert_array_equal(einsum("ij,jk->ik", a.tolist(), b.tolist()), a @ b)
        np.testing.assert_array_equal(einsum(b"ij,jk->ik", a.tolist(), b, order="F"), a @ b)
        np.testing.assert_array_equal(einsum(a.tolist(), [0, 1], b.tolist(), [1, 2], [0, 2]), a @ b)
        np.testing.assert_array_equal(einsum("ij->ji", a.tolist()), a.T)
        assert einsum("i,i", [1, 2], [3, 4]) == 11 and einsum(",", 3, 4) == 12
        assert type(einsum("i,i", [1, 2], [3.0, 4])) is np.float64
