"""Convolution as a matrix: the matrix of any convolution, dense, sparse or never stored, and Toeplitz algebra."""

from __future__ import annotations

from ._matrix import conv_matrix, unroll_kernel
from ._sparse import SparseMatrix

__all__ = [
    "SparseMatrix",
    "conv_matrix",
    "unroll_kernel",
]
