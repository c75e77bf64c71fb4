"""The oracle against the libraries whose meaning it claims: NumPy always, SciPy where it is installed."""

import itertools

import numpy as np
import pytest
from reference import BOUNDARIES, MODES, OPERATIONS, placement, slide, slide_wide, source_index

LENGTHS = [(1, 1), (5, 1), (5, 2), (5, 3), (8, 4), (6, 6), (7, 5)]
NUMPY_PAD = {"wrap": "wrap", "symmetric": "symmetric", "reflect": "reflect", "edge": "edge"}
NDIMAGE_MODE = {"fill": "constant", "wrap": "grid-wrap", "symmetric": "reflect", "reflect": "mirror", "edge": "nearest"}
SIGNAL_BOUNDARY = {"fill": "fill", "wrap": "wrap", "symmetric": "symm"}


def integers(rng, shape, dtype=np.int64):
    return rng.integers(-9, 10, shape).astype(dtype)


def complexes(rng, shape):
    return integers(rng, shape) + 1j * integers(rng, shape)


@pytest.mark.parametrize("n, k", LENGTHS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("make", [integers, complexes])
def test_one_dimension_is_numpys(rng, n, k, mode, make):
    a, v = make(rng, n), make(rng, k)
    np.testing.assert_array_equal(slide("correlate", a, v, mode), np.correlate(a, v, mode))
    np.testing.assert_array_equal(slide("convolve", a, v, mode), np.convolve(a, v, mode))


@pytest.mark.parametrize("boundary", sorted(NUMPY_PAD))
@pytest.mark.parametrize("extent", [1, 2, 3, 5])
@pytest.mark.parametrize("before, after", [(0, 1), (1, 0), (2, 3), (9, 11), (40, 37)])
def test_indices_are_those_of_numpy_pad(boundary, extent, before, after):
    if boundary == "wrap":  # np.pad before NumPy 1.25 wraps long pads to whole periods, numpy#11216
        padded = np.arange(extent).take(range(-before, extent + after), mode="wrap")
    else:
        padded = np.pad(np.arange(extent), (before, after), mode=NUMPY_PAD[boundary])
    assert [source_index(i, extent, boundary) for i in range(-before, extent + after)] == padded.tolist()


def test_fill_reads_nothing_outside():
    assert [source_index(i, 3, "fill") for i in range(-2, 5)] == [-1, -1, 0, 1, 2, -1, -1]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_boundary_is_padding_then_valid(rng, boundary, operation):
    a, v = integers(rng, (3, 4)), integers(rng, (6, 3))
    pads = [(5, 5), (2, 2)]
    if boundary == "fill":
        padded = np.pad(a, pads, mode="constant", constant_values=7)
    else:
        padded = np.pad(a, pads, mode=NUMPY_PAD[boundary])
    expected = slide(operation, padded, v, "valid")
    np.testing.assert_array_equal(slide(operation, a, v, "full", boundary=boundary, fillvalue=7), expected)


def test_stride_subsamples_and_dilation_spreads(rng):
    a, v = integers(rng, (2, 11, 13)), integers(rng, (3, 2))
    spread = np.zeros((7, 4), int)
    spread[::3, ::3] = v
    for operation, mode in itertools.product(OPERATIONS, MODES):
        expected = slide(operation, a, spread, mode)[:, ::2, ::3]
        np.testing.assert_array_equal(slide(operation, a, v, mode, stride=(2, 3), dilation=3), expected)


def test_axes_are_moved_to_the_end_and_back(rng):
    a, v = integers(rng, (4, 5, 6)), integers(rng, (2, 3))
    expected = np.moveaxis(slide("correlate", np.moveaxis(a, (2, 0), (1, 2)), v, "full"), (1, 2), (2, 0))
    np.testing.assert_array_equal(slide("correlate", a, v, "full", axes=(2, 0)), expected)


def test_integers_wrap_and_bool_is_or_and(rng):
    a = rng.integers(0, 256, 50).astype(np.uint8)
    v = rng.integers(0, 256, 7).astype(np.uint8)
    exact = np.correlate(a.astype(np.int64), v.astype(np.int64), "full")
    np.testing.assert_array_equal(slide("correlate", a, v, "full"), (exact % 256).astype(np.uint8))
    x, w = a > 128, v > 128
    np.testing.assert_array_equal(slide("correlate", x, w, "full"), np.correlate(x, w, "full"))


def test_absent_taps_contribute_nothing_but_a_nonzero_fill_is_multiplied():
    a, v = np.ones(3), np.array([np.inf, 1.0, 1.0])
    assert slide("correlate", a, v, "same").tolist() == [2.0, np.inf, np.inf]
    assert slide("correlate", a, v, "same", fillvalue=2.0).tolist() == [np.inf] * 3


def test_float16_rounds_once():
    a = np.array([2048.0, 1.0, 1.0], np.float16)
    assert slide("correlate", a, np.ones(3, np.float16), "valid").tolist() == [2050.0]
    assert slide_wide("correlate", a, np.ones(3, np.float16), "valid").dtype == np.float64


def test_object_works():
    a = np.array([10**30, 1, 2], object)
    assert slide("convolve", a, np.array([1, 3], object), "full").tolist() == [10**30, 3 * 10**30 + 1, 5, 6]


def test_impossible_requests():
    with pytest.raises(ValueError):
        slide("correlate", np.ones(3), np.ones(2), "valid", dilation=3)
    with pytest.raises(ValueError):
        slide("correlate", np.ones(0), np.ones(2), "full")
    with pytest.raises(ValueError):
        placement("correlate", "same", 5, 3, origin=2)


# ---- SciPy ---------------------------------------------------------------------------------------------------------

SHAPES = [((6, 7), (3, 3)), ((6, 7), (2, 4)), ((5, 8), (5, 1)), ((4, 4), (4, 3)), ((3, 9), (1, 6))]


@pytest.mark.parametrize("shape, window", SHAPES + [((4, 5, 6), (2, 3, 2)), ((9,), (4,))])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("make", [integers, complexes])
def test_scipy_signal(rng, shape, window, mode, make):
    signal = pytest.importorskip("scipy.signal")
    a, v = make(rng, shape), make(rng, window)
    for operation in OPERATIONS:
        expected = getattr(signal, operation)(a, v, mode, method="direct")
        np.testing.assert_array_equal(slide(operation, a, v, mode), expected)


@pytest.mark.parametrize("shape, window", SHAPES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("boundary", sorted(SIGNAL_BOUNDARY))
@pytest.mark.parametrize("make", [integers, complexes])
def test_scipy_signal_2d(rng, shape, window, mode, boundary, make):
    signal = pytest.importorskip("scipy.signal")
    a, v = make(rng, shape), make(rng, window)
    name = SIGNAL_BOUNDARY[boundary]
    got = slide("convolve", a, v, mode, boundary=boundary, fillvalue=3)
    np.testing.assert_array_equal(got, signal.convolve2d(a, v, mode, boundary=name, fillvalue=3))
    # correlate2d places 'same' at (k-1)//2 and the oracle at k//2: the origin is the difference. Nothing here is
    # swapped (v is never larger than a), so SciPy's missing conjugate in a swapped 'valid' does not show.
    origin = [(k - 1) // 2 - k // 2 for k in window] if mode == "same" else None
    got = slide("correlate", a, v, mode, boundary=boundary, fillvalue=3, origin=origin)
    np.testing.assert_array_equal(got, signal.correlate2d(a, v, mode, boundary=name, fillvalue=3))


def test_scipy_swapped_complex_valid_is_scipys_bug(rng):
    """`correlate2d(small, large, 'valid')` forgets a conjugate and contradicts its own 'full'; the oracle does not swap."""
    signal = pytest.importorskip("scipy.signal")
    a, v = complexes(rng, (2, 3)), complexes(rng, (4, 5))
    middle = (slice(1, 4), slice(2, 5))
    full = signal.correlate2d(a, v, "full")[middle]
    np.testing.assert_array_equal(slide("correlate", a, v, "full")[middle], full)


@pytest.mark.parametrize(
    "shape, window", SHAPES + [((4, 5, 6), (2, 3, 2)), ((9,), (4,)), ((2, 3), (7, 9)), ((1, 4), (3, 3))]
)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_scipy_ndimage(rng, shape, window, boundary, shift):
    ndimage = pytest.importorskip("scipy.ndimage")
    a, v = integers(rng, shape), integers(rng, window)
    mode = NDIMAGE_MODE[boundary]
    origin = [int(np.clip(shift, -(k // 2), (k - 1) // 2)) for k in window]
    expected = ndimage.correlate(a, v, mode=mode, cval=2, origin=origin)
    got = slide("correlate", a, v, "same", boundary=boundary, fillvalue=2, origin=origin)
    np.testing.assert_array_equal(got, expected)
    # ndimage.convolve places 'same' at k//2, the oracle (with NumPy) at (k-1)//2: one to the left for even windows.
    expected = ndimage.convolve(a, v, mode=mode, cval=2, origin=origin)
    moved = [o + (k % 2 == 0) for o, k in zip(origin, window)]
    got = slide("convolve", a, v, "same", boundary=boundary, fillvalue=2, origin=moved)
    np.testing.assert_array_equal(got, expected)


def test_scipy_ndimage_axes(rng):
    ndimage = pytest.importorskip("scipy.ndimage")
    a, v = integers(rng, (3, 6, 7)), integers(rng, (3, 2))
    try:
        expected = ndimage.correlate(a, v, mode="mirror", axes=(0, 2))
    except TypeError:
        pytest.skip("this SciPy has no axes= in ndimage.correlate")
    np.testing.assert_array_equal(slide("correlate", a, v, "same", axes=(0, 2), boundary="reflect"), expected)
