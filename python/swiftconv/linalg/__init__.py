"""Convolution as a matrix: structured matrices, and their products and solutions without the matrix.

The names, arguments and results are those of `scipy.linalg`.

>>> from swiftconv.linalg import toeplitz
>>> toeplitz([1, 2, 3])
array([[1, 2, 3],
       [2, 1, 2],
       [3, 2, 1]])
"""

from __future__ import annotations

from ._products import matmul_circulant, matmul_toeplitz
from ._solutions import solve_circulant, solve_toeplitz
from ._structured import circulant, convolution_matrix, hankel, toeplitz

__all__ = [
    "circulant",
    "convolution_matrix",
    "hankel",
    "matmul_circulant",
    "matmul_toeplitz",
    "solve_circulant",
    "solve_toeplitz",
    "toeplitz",
]
