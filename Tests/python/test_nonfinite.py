"""NaN and infinity reach exactly the outputs whose windows hold them, whatever the algorithm."""

import itertools

import numpy as np
import pytest
import swiftconv
from reference import BFLOAT16, BOUNDARIES, OPERATIONS, assert_matches, slide_wide
from samples import LAYOUTS, values

FLOATS = [np.float16, np.float32, np.float64, np.complex64, np.complex128] + ([BFLOAT16] if BFLOAT16 else [])
# Filters whose zeros, signs and rank tempt an algorithm: 0 * inf is NaN, and a window holds its zero taps too.
FILTERS = {
    "full rank": [[1, 2, 3], [4, 6, 5], [7, 8, 1]],
    "rank one": [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
    "sobel": [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
    "zeros": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "all zero": [[0, 0], [0, 0]],
    "row": [[1, 2, 3, 4, 5]],
    "column": [[1], [0], [2]],
    "one": [[3]],
}


def assert_reaches(actual, a, v, operation, mode, **options):
    """Non-finite exactly where the oracle is, and right everywhere else."""
    wide = slide_wide(operation, a, v, mode, **options)
    np.testing.assert_array_equal(np.isfinite(actual), np.isfinite(wide))
    clean = np.isfinite(wide)
    np.testing.assert_array_equal(actual[clean], wide[clean].astype(actual.dtype))
    if actual.dtype.kind != "c":  # of a complex number that is not finite, which part is NaN is not promised
        np.testing.assert_array_equal(np.isnan(actual), np.isnan(wide))
        np.testing.assert_array_equal(actual == np.inf, wide == np.inf)


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_bad_element(dtype, name, bad, rng):
    v = np.array(FILTERS[name]).astype(dtype)
    clean = values(rng, (2, 13, 37), dtype)
    for place in [(0, 0, 0), (1, 12, 36), (0, 6, 16), (1, 5, 31), (0, 12, 0)]:
        a = clean.copy()
        a[place] = bad
        for operation, (mode, boundary) in itertools.product(
            OPERATIONS, [("valid", "fill"), ("same", "fill"), ("full", "fill"), ("same", "reflect"), ("full", "wrap")]
        ):
            actual = getattr(swiftconv, operation)(a, v, mode, boundary=boundary)
            assert_reaches(actual, a, v, operation, mode, boundary=boundary)


@pytest.mark.parametrize("layout", ["F", "last axis strided", "batch last", "negative", "byteswapped", "misaligned"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bad_elements_in_every_layout(layout, dtype, rng):
    a = values(rng, (5, 17, 21), dtype)
    a[1, 3, 4], a[2, 16, 20], a[4, 0, 7] = np.nan, np.inf, -np.inf
    a = LAYOUTS[layout](a)
    for name in FILTERS:
        v = np.array(FILTERS[name], dtype)
        for options in [{}, {"stride": (2, 3)}, {"dilation": (1, 2)}, {"boundary": "symmetric"}]:
            actual = swiftconv.correlate(a, v, "same", **options)
            assert_reaches(actual, a, v, "correlate", "same", **options)


@pytest.mark.parametrize("window", [(1, 1), (3, 3), (5, 5), (7, 7), (15, 15), (31, 31), (1, 40), (40, 1)])
def test_only_the_windows_that_hold_it(window, rng):
    """Larger images and filters: what changes when one element becomes NaN is its windows and nothing else."""
    a, v = values(rng, (3, 90, 95), np.float32), values(rng, window, np.float32)
    before = swiftconv.correlate(a, v)
    for place in [(0, 0, 0), (1, 44, 50), (2, 89, 94)]:
        x = a.copy()
        x[place] = np.nan
        after = swiftconv.correlate(x, v)
        _, row, column = place
        hit = np.zeros(after.shape, bool)
        hit[place[0], max(0, row - window[0] + 1) : row + 1, max(0, column - window[1] + 1) : column + 1] = True
        np.testing.assert_array_equal(np.isnan(after), hit)
        np.testing.assert_array_equal(after[~hit], before[~hit])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_bad_filter_element_is_absent_where_its_tap_is(bad, dtype, rng):
    """With nothing outside, an infinite tap past the border is not there, and does not become NaN as inf * 0 would."""
    a = np.ones((2, 9, 20), dtype)
    for place in np.ndindex(3, 4):
        v = values(rng, (3, 4), dtype)
        v[place] = bad
        for operation, mode in itertools.product(OPERATIONS, ("valid", "same", "full")):
            actual = getattr(swiftconv, operation)(a, v, mode)
            assert_reaches(actual, a, v, operation, mode)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_bad_filter_element_at_every_boundary(boundary, rng):
    a, v = values(rng, (7, 18), np.float32), values(rng, (3, 3), np.float32)
    v[0, 1] = np.inf
    for stride, dilation in [(1, 1), (2, 1), (1, 2)]:
        options = {"boundary": boundary, "stride": stride, "dilation": dilation}
        assert_reaches(swiftconv.correlate(a, v, "full", **options), a, v, "correlate", "full", **options)


def test_zero_fill_and_explicit_zero_fill_are_the_same(rng):
    a, v = np.ones((3, 4)), np.full((3, 3), np.inf)
    for zero in (0, 0.0, -0.0, False, np.float32(0)):
        assert np.isposinf(swiftconv.correlate(a, v, "full", fillvalue=zero)).all()


def test_a_nonzero_fill_is_multiplied():
    a, v = np.ones((3, 4)), np.array([[0.0, np.inf]])
    out = swiftconv.correlate(a, v, "full", fillvalue=-2.0)
    assert_matches(out, "correlate", a, v, "full", fillvalue=-2.0)
    assert np.isneginf(out[:, -1]).all()


def test_overflow_to_infinity_where_the_sum_overflows():
    big = np.float32(3e38)
    out = swiftconv.correlate(np.array([[big, big, 1, 1]], np.float32), np.ones(2, np.float32))
    np.testing.assert_array_equal(out, [[np.inf, big, 2]])


def test_finite_results_do_not_pass_through_infinity():
    """Each product and each sum fits; only an algorithm that rescales would overflow on the way."""
    a = np.array([[1e38, 1e38, 1e-38]], np.float32)
    v = np.array([[1.5], [0.5]], np.float32)
    image = np.concatenate([a, a])
    assert np.isfinite(swiftconv.correlate(image, v)).all()
    w = np.multiply.outer([1e-20, 1e-20], [1e20, 1e20]).astype(np.float32)
    x = np.full((9, 9), 1e37, np.float32)
    np.testing.assert_allclose(swiftconv.correlate(x, w), 4e37, rtol=1e-6)


def test_no_warnings(recwarn):
    a = np.full((4, 5), np.inf, np.float32)
    with np.errstate(all="raise"):
        swiftconv.correlate(a, np.array([[1, -1]], np.float32))
        swiftconv.correlate(np.full((4, 5), 3e38, np.float32), np.ones((2, 2), np.float32))
        swiftconv.correlate(np.full((4, 5), 255, np.uint8), np.full((2, 2), 255, np.uint8))
    assert not recwarn.list
