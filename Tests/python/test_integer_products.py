"""Products of integers: exact modulo 2^n, by whichever arithmetic they run (integers, words of small ones, reals)."""

import numpy as np
import pytest
import swiftconv
from numpy.lib.stride_tricks import sliding_window_view
from swiftconv import nn

DTYPES = [np.dtype(code) for code in "bhilBHIL"]


def values(rng, shape, dtype, bits):
    """Integers of up to so many bits, both ends of their range among them."""
    info = np.iinfo(dtype)
    low, high = max(info.min, -(2**bits)), min(info.max, 2**bits - 1)
    x = rng.integers(low, high, shape, dtype=dtype, endpoint=True)
    x.flat[0], x.flat[-1] = low, high
    return x


def product(rng, dtype, bits):
    a, b = values(rng, (90, 70), dtype, bits), values(rng, (70, 130), dtype, bits)
    return swiftconv.einsum("ij,jk->ik", a, b), np.einsum("ij,jk->ik", a, b)


def turned_product(rng, dtype, bits):
    """Negative and long strides, both operands turned, a Fortran result."""
    a = values(rng, (70, 180), dtype, bits)[::-1, ::2]
    b = values(rng, (130, 70), dtype, bits)[:, ::-1]
    out = np.empty((130, 90), dtype)
    swiftconv.einsum("ji,kj->ik", a, b, out=out.T)
    return out, np.einsum("ji,kj->ki", a, b)


def swapped_product(rng, dtype, bits):
    a, b = values(rng, (90, 70), dtype, bits), values(rng, (70, 130), dtype, bits)
    turned = a.byteswap().view(a.dtype.newbyteorder())
    return swiftconv.einsum("ij,jk->ik", turned, b), np.einsum("ij,jk->ik", a, b)


def batch(rng, dtype, bits):
    """A batch of which one operand is broadcast."""
    a = np.broadcast_to(values(rng, (80, 90), dtype, bits), (3, 80, 90))
    b = values(rng, (3, 100, 90), dtype, bits)
    return swiftconv.einsum("bij,bkj->bik", a, b), np.einsum("bij,bkj->bik", a, b)


def layer(rng, dtype, bits, **options):
    x, w = values(rng, (2, 12, 24, 22), dtype, bits), values(rng, (40, 12, 3, 3), dtype, bits)
    result = nn.conv2d(x, w, **options)
    padding, stride = options.get("padding", 0), options.get("stride", 1)
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::stride, ::stride]
    return result, np.einsum("ncyxij,kcij->nkyx", windows, w)


def padded_layer(rng, dtype, bits):
    return layer(rng, dtype, bits, padding=1)


def strided_layer(rng, dtype, bits):
    return layer(rng, dtype, bits, stride=2)


def turned_windows(rng, dtype, bits):
    """Windows in a view that is turned along both axes, channels last."""
    x = values(rng, (24, 22, 12), dtype, bits)[::-1, ::-1]
    w = values(rng, (3, 3, 12, 40), dtype, bits)
    windows = sliding_window_view(x, (3, 3), axis=(0, 1))
    return swiftconv.einsum("yxcij,ijck->yxk", windows, w), np.einsum("yxcij,ijck->yxk", windows, w)


PROBLEMS = [product, turned_product, swapped_product, batch, padded_layer, strided_layer, turned_windows]


@pytest.mark.parametrize("bits", [1, 7, 10, 16, 22, 31, 63])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_integers_of_every_magnitude(problem, dtype, bits, rng):
    """Sums that fit float32, float64 or neither; those of int32 that do wrap."""
    result, expected = problem(rng, dtype, bits)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("dtypes", ["bq", "?i", "Bh", "bH", "HI", "iq", "?b", "Bb", "?L"])
def test_operands_of_two_dtypes(dtypes, rng):
    a, b = (
        values(rng, shape, np.dtype(d), 7) if d != "?" else rng.integers(0, 2, shape) > 0
        for d, shape in zip(dtypes, [(90, 70), (70, 130)], strict=True)
    )
    for x, y in ((a, b), (b.T, a.T)):
        result = swiftconv.einsum("ij,jk->ik", x, y)
        expected = np.einsum("ij,jk->ik", x, y)
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32", "int64", "float64"])
@pytest.mark.parametrize("operands", ["int8", "uint8"])
def test_bytes_with_wider_results(operands, dtype, rng):
    a, b = values(rng, (90, 70), operands, 8), values(rng, (70, 130), operands, 8)
    options = {"dtype": dtype, "casting": "unsafe"}
    np.testing.assert_array_equal(
        swiftconv.einsum("ij,jk->ik", a, b, **options), np.einsum("ij,jk->ik", a, b, **options)
    )


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("power", [22, 51, 52, 53, 62])
@pytest.mark.parametrize("past", [-2, -1, 0, 1, 2])
def test_sums_at_the_end_of_what_reals_hold(dtype, power, past):
    """One column's sums are 2^power + past, of one large product and small ones; signs alternate where there are any."""
    depth = 64
    a = np.zeros((96, depth), np.int64)
    b = np.zeros((depth, 128), np.int64)
    a[:, 0], b[0] = 2 ** (power // 2), 2 ** (power - power // 2)
    a[:, 1], b[1] = past, 1
    if np.dtype(dtype).kind == "i":
        a[::2] *= -1
    a, b = a.astype(dtype), b.astype(dtype)
    np.testing.assert_array_equal(swiftconv.einsum("ij,jk->ik", a, b), np.einsum("ij,jk->ik", a, b))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("products", [22, 51])
def test_sums_of_many_equal_products(sign, products):
    """All products equal, and their sum just below 2^22 or 2^51: the largest that reals are trusted with."""
    depth = 127
    value = int((2**products / depth) ** 0.5)
    a, b = np.full((96, depth), value), np.full((depth, 128), sign * value)
    np.testing.assert_array_equal(swiftconv.einsum("ij,jk->ik", a, b), sign * depth * value * value)
