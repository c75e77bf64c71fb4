"""`method="auto"` stays within four times the error of direct summation in the same precision."""

import numpy as np
import pytest
import swiftconv
from reference import assert_close, epsilon, slide_wide
from samples import LAYOUTS, normals


def gaussian(n, sigma):
    x = np.arange(n) - n // 2
    return np.exp(-0.5 * (x / sigma) ** 2)


def filters(rng, dtype):
    binomial = np.array([1.0, 4, 6, 4, 1])
    yield "3x3", normals(rng, (3, 3), dtype)
    yield "7x7", normals(rng, (7, 7), dtype)
    yield "15x15", normals(rng, (15, 15), dtype)
    yield "31x31", normals(rng, (31, 31), dtype)
    yield "1x31", normals(rng, (1, 31), dtype)
    yield "gaussian", np.multiply.outer(gaussian(13, 2.0), gaussian(13, 2.0)).astype(dtype)
    yield "wide gaussian", np.multiply.outer(gaussian(31, 1.5), gaussian(31, 6.0)).astype(dtype)
    yield "binomial", np.multiply.outer(binomial, binomial).astype(dtype)
    yield "rank one", np.multiply.outer(normals(rng, 9, dtype), normals(rng, 11, dtype)).astype(dtype)
    spread = 1 if dtype == np.float16 else 6
    scales = 10.0 ** rng.uniform(-spread, spread, (2, 7))
    yield "badly scaled", np.multiply.outer(*scales).astype(dtype)
    yield "cancelling", np.multiply.outer([1.0, -2.0, 1.0], [1.0, -2.0, 1.0]).astype(dtype)
    yield "checkerboard", (np.indices((8, 8)).sum(axis=0) % 2 * 2.0 - 1).astype(dtype)


def one_by_one(a, v, dtype):
    """Direct summation as a loop would do it: products and sums rounded to `dtype`, in order."""
    shape = [n - k + 1 for n, k in zip(a.shape, v.shape)]
    total = np.zeros(shape, dtype)
    for i, j in np.ndindex(*v.shape):
        total = (total + a[i : i + shape[0], j : j + shape[1]] * np.conj(v[i, j])).astype(dtype)
    return total


def largest_error(result, exact):
    return float(np.abs(result.astype(exact.dtype) - exact).max())


@pytest.mark.parametrize(
    "dtype", [np.float32, np.float64, np.complex64, np.complex128], ids=lambda dtype: np.dtype(dtype).name
)
@pytest.mark.parametrize("data", ["normal", "positive", "large mean"])
def test_auto_is_within_four_times_the_error_of_direct_summation(dtype, data, rng):
    a = normals(rng, (70, 90), dtype)
    a = {"normal": a, "positive": np.abs(a).astype(dtype), "large mean": (a + 1000).astype(dtype)}[data]
    for name, v in filters(rng, dtype):
        exact = slide_wide("correlate", a, v, "valid")
        largest = np.abs(exact).max()
        loop = largest_error(one_by_one(a, v, dtype), exact)
        direct = largest_error(swiftconv.correlate(a, v, method="direct"), exact)
        auto = largest_error(swiftconv.correlate(a, v), exact)
        least = float(epsilon(dtype) * largest / 2)  # an error of one rounding of the result is always allowed
        assert direct <= 4 * max(loop, least), (name, direct, loop)
        assert auto <= 4 * max(min(direct, loop), least), (name, auto, direct, loop)


@pytest.mark.parametrize("layout", ["C", "F", "last axis strided", "byteswapped"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16], ids=lambda dtype: np.dtype(dtype).name)
def test_layouts_are_as_accurate(layout, dtype, rng):
    a = LAYOUTS[layout](normals(rng, (40, 70), dtype))
    for name, v in filters(rng, dtype):
        wide = slide_wide("correlate", a, v, "valid")
        assert_close(swiftconv.correlate(a, v), wide, dtype, a, v, label=name)


def test_integers_are_always_exact(rng):
    """Values that no float64 could carry."""
    a = rng.integers(-(2**62), 2**62, (40, 50))
    for window in [(3, 3), (31, 31), (1, 21)]:
        v = rng.integers(-(2**62), 2**62, window)
        np.testing.assert_array_equal(swiftconv.correlate(a, v), slide_wide("correlate", a, v, "valid"))
    one = np.multiply.outer(rng.integers(-(2**31), 2**31, 5), rng.integers(-(2**31), 2**31, 5))
    np.testing.assert_array_equal(swiftconv.correlate(a, one), slide_wide("correlate", a, one, "valid"))
