"""Convolution as a matrix: the matrix of any convolution, dense, sparse or never stored, and Toeplitz algebra."""

from __future__ import annotations

from ._matrix import conv_matrix
from ._operator import ConvOperator
from ._sparse import SparseMatrix
from ._spy import spy
from ._unroll import toeplitz_blocks, unroll_input, unroll_kernel

__all__ = [
    "ConvOperator",
    "SparseMatrix",
    "conv_matrix",
    "spy",
    "toeplitz_blocks",
    "unroll_input",
    "unroll_kernel",
]
