"""Every algorithm gives what the reference gives, whatever chose it."""

import itertools

import numpy as np
import pytest
import swiftconv
from reference import BOUNDARIES, MODES, OPERATIONS, assert_matches, epsilon, largest_finite
from samples import DTYPES, LAYOUTS, normals, values

METHODS = ["auto", "direct", "reference"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_methods_agree_with_the_oracle(method, dtype, rng):
    a = normals(rng, (2, 12, 21), dtype)
    for window in [(3, 3), (1, 5), (4, 1), (2, 7)]:
        v = normals(rng, window, dtype)
        for operation, mode in itertools.product(OPERATIONS, MODES):
            options = {"boundary": BOUNDARIES[sum(window) % 5], "stride": (1, 2), "dilation": (2, 1)}
            actual = getattr(swiftconv, operation)(a, v, mode, method=method, **options)
            assert_matches(actual, operation, a, v, mode, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint64, np.complex64, bool], ids=str)
@pytest.mark.parametrize("layout", ["C", "F", "channels last", "last axis strided", "negative", "byteswapped"])
def test_direct_against_reference_on_larger_images(dtype, layout, rng):
    a = LAYOUTS[layout](values(rng, (3, 70, 90), dtype))
    for window, stride, dilation in [((3, 3), 1, 1), ((7, 7), 1, 1), ((5, 6), 2, 1), ((3, 3), 1, 4), ((15, 2), 3, 2)]:
        v = values(rng, window, dtype)
        options = {"boundary": "symmetric", "stride": stride, "dilation": dilation}
        direct = swiftconv.correlate(a, v, "same", method="direct", **options)
        reference = swiftconv.correlate(a, v, "same", method="reference", **options)
        np.testing.assert_array_equal(direct, reference)


# ---- Separable -----------------------------------------------------------------------------------------------------

FACTORS = [([1, 2, 1], [1, 0, -1]), ([1], [3, 5, 7]), ([2, 4, 6], [1]), ([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]),
           ([0, 3, 0], [0, 0, 5]), ([3, 6], [2, 4, 10, 1]), (range(1, 10), range(-4, 5))]  # fmt: skip


def outer(*factors, dtype):
    product = np.array(1, np.int64)
    for factor in factors:
        product = np.multiply.outer(product, np.array(list(factor), np.int64))
    return product.astype(dtype)


@pytest.mark.parametrize("method", ["separable", "auto"])
@pytest.mark.parametrize("factors", FACTORS, ids=str)
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64], ids=str)
def test_separable_integers_are_exact_even_where_they_wrap(method, factors, dtype, rng):
    a, v = values(rng, (2, 20, 33), dtype), outer(*factors, dtype=dtype)
    for operation, mode, boundary in [("correlate", "same", "wrap"), ("convolve", "full", "fill")]:
        actual = getattr(swiftconv, operation)(a, v, mode, boundary=boundary, method=method)
        assert_matches(actual, operation, a, v, mode, boundary=boundary)


@pytest.mark.parametrize("method", ["separable", "auto"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128], ids=str)
def test_separable_floats_stay_within_the_promise(method, dtype, rng):
    for factors in FACTORS:
        a, v = normals(rng, (2, 20, 33), dtype), outer(*factors, dtype=dtype)
        for options in [{}, {"boundary": "reflect"}, {"fillvalue": 2}, {"stride": (2, 3)}, {"dilation": 2}]:
            actual = swiftconv.correlate(a, v, "same", method=method, **options)
            assert_matches(actual, "correlate", a, v, "same", **options)


def test_separable_in_three_dimensions(rng):
    a, v = values(rng, (2, 9, 10, 11), np.int16), outer([1, 2, 1], [1, 3], [2, -1, 5], dtype=np.int16)
    for mode, boundary in itertools.product(MODES, BOUNDARIES):
        actual = swiftconv.convolve(a, v, mode, boundary=boundary)
        assert_matches(actual, "convolve", a, v, mode, boundary=boundary)


def test_separable_refuses_a_filter_that_is_not_a_product(rng):
    a, v = values(rng, (9, 9), np.float32), np.array([[1, 2], [3, 4]], np.float32)
    with pytest.raises(ValueError, match="method.*separable"):
        swiftconv.correlate(a, v, method="separable")


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64])
def test_nearly_rank_one_is_not_rank_one(dtype, rng):
    """One element off by the least that the type can say: the answer must show it."""
    v = outer([1, 2, 3], [4, 5, 6], dtype=dtype)
    v[1, 1] = v[1, 1] + 1 if np.dtype(dtype).kind == "i" else np.nextafter(v[1, 1], dtype(np.inf))
    a = np.zeros((9, 9), dtype)
    a[4, 4] = 1
    np.testing.assert_array_equal(swiftconv.convolve(a, v, "valid")[2:5, 2:5], v)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.complex64])
def test_an_impulse_gives_back_the_filter(dtype, rng):
    for window in [(1, 9), (9, 1), (3, 3), (5, 7), (31, 31)]:
        v = normals(rng, window, dtype)
        a = np.zeros([2 * k + 5 for k in window], dtype)
        a[window[0], window[1]] = 1
        out = swiftconv.convolve(a, v)
        found = out[window[0] : 2 * window[0], window[1] : 2 * window[1]]
        assert np.abs(found - v).max() <= 2 * epsilon(dtype) * largest_finite(v)
        assert np.count_nonzero(out) == np.count_nonzero(found)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_badly_scaled_rank_one_filters(scale, rng):
    """Taps from 1e-60 to 1e60: whoever divides one by another must still get them right."""
    u, w = np.array([scale, 1.0, 1 / scale]), np.array([1 / scale, 1.0, scale])
    v = np.multiply.outer(u, w)
    a = normals(rng, (12, 15), np.float64)
    assert_matches(swiftconv.correlate(a, v), "correlate", a, v, "valid")


# ---- Identities that hold whatever the algorithm ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.float32, np.complex64, bool], ids=str)
def test_convolution_is_correlation_with_the_conjugate_flipped(dtype, rng):
    a, v = values(rng, (3, 14, 15), dtype), values(rng, (3, 5), dtype)
    flipped = np.flip(v if np.dtype(dtype).kind == "b" else v.conj())
    for mode in MODES:
        np.testing.assert_array_equal(swiftconv.convolve(a, v, mode), swiftconv.correlate(a, flipped, mode))


def test_the_classic_einsum(rng):
    images, kernel = values(rng, (7, 12, 13), np.float64), values(rng, (3, 4), np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(images, kernel.shape, axis=(1, 2))
    expected = np.einsum("bijxy,xy->bij", windows, kernel)
    np.testing.assert_array_equal(swiftconv.correlate(images, kernel), expected)


def test_batch_axes_are_independent(rng):
    a, v = values(rng, (4, 3, 9, 8), np.int64), values(rng, (2, 3), np.int64)
    whole = swiftconv.correlate(a, v, "full")
    for i, j in np.ndindex(4, 3):
        np.testing.assert_array_equal(whole[i, j], swiftconv.correlate(a[i, j], v, "full"))


def test_stride_is_a_subsample_and_axes_are_a_transpose(rng):
    a, v = values(rng, (6, 20, 31), np.float32), values(rng, (3, 3), np.float32)
    for mode in MODES:
        whole = swiftconv.correlate(a, v, mode)
        np.testing.assert_array_equal(swiftconv.correlate(a, v, mode, stride=(3, 2)), whole[:, ::3, ::2])
        moved = swiftconv.correlate(a.transpose(1, 0, 2), v, mode, axes=(0, 2))
        np.testing.assert_array_equal(moved, whole.transpose(1, 0, 2))
        swapped = swiftconv.correlate(a, v.T, mode, axes=(2, 1))
        np.testing.assert_array_equal(swapped, whole)
        np.testing.assert_array_equal(swiftconv.correlate(a, v, mode, axes=(-2, -1)), whole)


LARGE = {  # results of 32 MiB and more, which are stored past the caches
    "narrow images": ((15000, 28, 28), 3, lambda x: x),
    "tall images": ((100, 3000, 40), 3, lambda x: x),
    "wide images": ((3, 40, 100_000), 3, lambda x: x),
    "every second row and column": ((700, 256, 256), 5, lambda x: x[:, ::2, ::2]),
    "narrow and strided": ((14_000, 60, 60), 3, lambda x: x[:, ::2, ::2]),
    "Fortran order": ((700, 128, 128), 5, np.asfortranarray),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_results(name, rng):
    shape, k, view = LARGE[name]
    x = view(rng.integers(-9, 9, shape, np.int32))
    filter = rng.integers(-9, 9, (k, k), np.int32)
    result = swiftconv.correlate(x, filter)
    rows, columns = result.shape[1:]
    expected = np.zeros(result.shape, np.int32)
    for i in range(k):
        for j in range(k):
            expected += filter[i, j] * x[:, i : i + rows, j : j + columns]
    np.testing.assert_array_equal(result, expected)
    # an output that begins inside a cache line, by two threads
    memory = np.zeros(result.size + 5, np.int32)
    swiftconv.correlate(x, filter, out=memory[3:-2].reshape(result.shape), threads=2)
    np.testing.assert_array_equal(memory[3:-2].reshape(result.shape), expected)
    assert not memory[:3].any() and not memory[-2:].any()
