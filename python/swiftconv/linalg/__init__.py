"""Convolution as a matrix: the matrix of any convolution, dense, sparse or never stored, and Toeplitz algebra.

The names, arguments and results of the structured matrices are those of `scipy.linalg`.

>>> from swiftconv.linalg import conv_matrix, toeplitz
>>> toeplitz([1, 2, 3])
array([[1, 2, 3],
       [2, 1, 2],
       [3, 2, 1]])
>>> conv_matrix([[1, 2], [3, 4]], (2, 2), 'same', boundary='wrap')
array([[1, 2, 3, 4],
       [2, 1, 4, 3],
       [3, 4, 1, 2],
       [4, 3, 2, 1]])
"""

from __future__ import annotations

from ._matrix import conv_matrix
from ._operator import ConvOperator
from ._products import matmul_circulant, matmul_toeplitz
from ._solutions import solve_circulant, solve_toeplitz
from ._sparse import SparseMatrix
from ._spy import spy
from ._structured import circulant, convolution_matrix, hankel, toeplitz
from ._unroll import toeplitz_blocks, unroll_input, unroll_kernel

__all__ = [
    "ConvOperator",
    "SparseMatrix",
    "circulant",
    "conv_matrix",
    "convolution_matrix",
    "hankel",
    "matmul_circulant",
    "matmul_toeplitz",
    "solve_circulant",
    "solve_toeplitz",
    "spy",
    "toeplitz",
    "toeplitz_blocks",
    "unroll_input",
    "unroll_kernel",
]
