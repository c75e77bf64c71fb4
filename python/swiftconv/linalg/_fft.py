"""Lengths that FFTs take quickly, and what the functions on structured matrices share of them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# The radices that numpy.fft has kernels for: complex transforms up to 11, real ones up to 5.
_COMPLEX_RADICES = (11, 7, 5, 3)
_REAL_RADICES = (5, 3)


@lru_cache(maxsize=512)
def good_size(n: int, real: bool = False) -> int:
    """The smallest length of at least `n` that an FFT takes quickly: 2^a 3^b 5^c, and 7^d 11^e for complex ones."""
    if n <= 6:
        return max(n, 1)
    odd = [1]
    for radix in _REAL_RADICES if real else _COMPLEX_RADICES:
        for product in tuple(odd):
            product *= radix
            while product < 2 * n:
                odd.append(product)
                product *= radix
    return min(product << (-(-n // product) - 1).bit_length() for product in odd)


def cyclic_size(n: int, real: bool) -> int:
    """Where to compute cyclic convolutions of length `n`: at `n` if FFTs take it quickly, else at the length of the
    linear ones of which they are a part."""
    return n if good_size(n, real) == n else good_size(2 * n - 1, real)


def transform(x: np.ndarray, n: int, real: bool) -> np.ndarray:
    """Along the last axis, zeros added up to length `n`."""
    return np.fft.rfft(x, n) if real else np.fft.fft(x, n)


def inverse(spectrum: np.ndarray, n: int, real: bool) -> np.ndarray:
    return np.fft.irfft(spectrum, n) if real else np.fft.ifft(spectrum, n)
