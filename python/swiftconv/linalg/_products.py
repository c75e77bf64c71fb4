"""Products with Toeplitz and circulant matrices, without the matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .. import _arguments
from .._einsum._functions import einsum
from .._sliding import convolve
from . import _operands, _structured
from ._fft import cyclic_size, good_size, inverse, transform

if TYPE_CHECKING:
    from typing import Union

    from numpy.typing import ArrayLike

    ColumnAndRow = Union[ArrayLike, tuple[ArrayLike, ArrayLike]]

# Products up to which sums take less time than FFTs: with one vector, which slides, and with several, for which the
# matrix is written and multiplied. (0.1 and 0.06 ns a product against 15 us and more of calls.)
_DIRECT_PRODUCTS = 1 << 19
# So few rows or columns are summed whatever the number of the others.
_DIRECT_EXTENT = 256
_DENSE_ELEMENTS = 1 << 14
# The same for this many vectors or more.
_MANY_VECTORS = 16
_DENSE_ELEMENTS_FOR_MANY = 1 << 16


def matmul_toeplitz(
    c_or_cr: ColumnAndRow, x: ArrayLike, check_finite: bool = False, workers: int | None = None
) -> np.ndarray:
    """
    The product of a Toeplitz matrix and a vector or a matrix: ``toeplitz(c, r) @ x`` in O(n log n).

    Parameters
    ----------
    c_or_cr : array_like or tuple of (array_like, array_like)
        First column of the matrix, shape (..., M), or a tuple of it and the first row, shape (..., N), whose first
        element is not used. Without a row it is ``conj(c)``. Leading axes are a batch.
    x : array_like, shape (N,) or (..., N, K)
        What is multiplied; more than two axes are a batch.
    check_finite : bool, optional
        Whether to refuse NaN and infinity. Otherwise where there is one in the matrix all results are NaN, and where
        there is one in a column of `x` all of that column's.
    workers : int, optional
        For SciPy's sake: FFTs are NumPy's, which use one thread.

    Returns
    -------
    ndarray, shape (..., M) or (..., M, K)
        A new array of float64, complex128 if anything is complex.

    Raises
    ------
    ValueError
        Extents that disagree, batches that cannot be broadcast, NaN or infinity with `check_finite`, arrays of objects.
    TypeError
        A masked or sparse array, a dtype that is not a number's.
    MemoryError
        A result that cannot be had.

    See Also
    --------
    toeplitz : The matrix.
    solve_toeplitz : The inverse.
    matmul_circulant : The product with a circulant matrix.

    Notes
    -----
    The function of SciPy 1.17. The matrix is part of a circulant one, which Fourier transforms make diagonal; their
    length is chosen for its small prime factors. Small problems are summed directly.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.linalg import matmul_toeplitz, toeplitz
    >>> c, r = [1, 3, 6, 10], [1, -1, -2, -3]
    >>> x = np.array([[1, 10], [2, 11], [2, 11], [5, 19]])
    >>> matmul_toeplitz((c, r), x)
    array([[-20., -80.],
           [ -7.,  -8.],
           [  9.,  85.],
           [ 33., 218.]])
    >>> np.allclose(toeplitz(c, r) @ x, matmul_toeplitz((c, r), x))
    True
    """
    if workers is not None:
        _arguments.integer("workers", workers, "None or an integer")
    c, r = _operands.column_and_row(c_or_cr, check_finite)
    x = _operands.doubles("x", x, check_finite)
    is_vector = x.ndim == 1
    n = r.shape[-1]
    if x.shape[0 if is_vector else -2] != n:
        raise ValueError(f"x has shape {x.shape}: expected {n} rows, as many as r has elements")
    c, r, x = _operands.of_one_dtype(c, r, x)
    m = c.shape[-1]
    if is_vector and c.ndim == r.ndim == 1:
        if m == 0 or n == 0:
            return np.zeros(m, x.dtype)
        if m * n <= _DIRECT_PRODUCTS or min(m, n) <= _DIRECT_EXTENT:
            y = convolve(np.concatenate((r[:0:-1], c)), x, "valid")
            if _operands.is_finite(y):  # if not, FFTs say what comes of it
                return y
        return _toeplitz_product(c, r, x)
    columns = x[..., np.newaxis] if is_vector else x
    batch = _operands.batch_shape(("c", c.shape[:-1]), ("r", r.shape[:-1]), ("x", columns.shape[:-2]))
    if math.prod(batch) * m * columns.shape[-1] == 0 or n == 0:
        y = np.zeros((*batch, m, columns.shape[-1]), x.dtype)
    else:
        y = _several_products(c, r, columns, (*batch, m, columns.shape[-1]))
    return y[..., 0] if is_vector else y


def matmul_circulant(c: ArrayLike, x: ArrayLike) -> np.ndarray:
    """
    The product of a circulant matrix and a vector or a matrix: ``circulant(c) @ x`` in O(n log n).

    Parameters
    ----------
    c : array_like, shape (..., N)
        First column of the matrix; leading axes are a batch.
    x : array_like, shape (N,) or (..., N, K)
        What is multiplied; more than two axes are a batch.

    Returns
    -------
    ndarray, shape (..., N) or (..., N, K)
        A new array of float64, complex128 if anything is complex.

    Raises
    ------
    ValueError
        Extents that disagree, batches that cannot be broadcast, arrays of objects.
    TypeError
        A masked or sparse array, a dtype that is not a number's.
    MemoryError
        A result that cannot be had.

    See Also
    --------
    circulant : The matrix.
    solve_circulant : The inverse.

    Notes
    -----
    NaN and infinity spread as in `matmul_toeplitz`.

    Examples
    --------
    >>> from swiftconv.linalg import matmul_circulant
    >>> matmul_circulant([1, 2, 0, 0], [3, 0, 0, 1])
    array([5., 6., 0., 1.])
    """
    c = _operands.doubles("c", c, False)
    x = _operands.doubles("x", x, False)
    is_vector = x.ndim == 1
    n = c.shape[-1]
    if x.shape[0 if is_vector else -2] != n:
        raise ValueError(f"x has shape {x.shape}: expected {n} rows, as many as c has elements")
    c, x = _operands.of_one_dtype(c, x)
    columns = x[..., np.newaxis] if is_vector else x
    batch = _operands.batch_shape(("c", c.shape[:-1]), ("x", columns.shape[:-2]))
    if math.prod(batch) * n * columns.shape[-1] == 0:
        y = np.zeros((*batch, n, columns.shape[-1]), x.dtype)
    else:
        # The first row of the matrix is its first column, read backwards from the first element on.
        y = _several_products(c, first_row(c), columns, (*batch, n, columns.shape[-1]), is_cyclic=True)
    return y[..., 0] if is_vector else y


# ---- Products ------------------------------------------------------------------------------------------------------


def _toeplitz_product(c: np.ndarray, r: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Along the last axis; operands of one dtype, not empty."""
    m, n = c.shape[-1], r.shape[-1]
    real = x.dtype.kind != "c"
    size = good_size(m + n - 1, real)
    with np.errstate(invalid="ignore", over="ignore"):
        y = inverse(toeplitz_spectrum(c, r, size, real) * transform(x, size, real), size, real)
    return y[..., :m].copy() if y.ndim == 1 else y[..., :m]


def toeplitz_spectrum(c: np.ndarray, r: np.ndarray, size: int, real: bool) -> np.ndarray:
    """The eigenvalues of a circulant matrix of which ``toeplitz(c, r)`` is the upper left part."""
    m, n = c.shape[-1], r.shape[-1]
    column = np.zeros((*np.broadcast_shapes(c.shape[:-1], r.shape[:-1]), size), c.dtype)
    column[..., :m] = c
    if n > 1:
        column[..., size - n + 1 :] = r[..., :0:-1]
    return transform(column, size, real)


def _several_products(
    c: np.ndarray, r: np.ndarray, x: np.ndarray, shape: tuple[int, ...], is_cyclic: bool = False
) -> np.ndarray:
    """The matrix of c and r, a batch of them, times x, of shape (..., N, K)."""
    dense = _DENSE_ELEMENTS_FOR_MANY if x.shape[-1] >= _MANY_VECTORS else _DENSE_ELEMENTS
    if c.shape[-1] * r.shape[-1] <= dense:
        with np.errstate(invalid="ignore", over="ignore"):
            y = einsum("...ij,...jk->...ik", _structured.toeplitz(c, r), x)
        if _operands.is_finite(y):
            return y if y.shape == shape else np.broadcast_to(y, shape).copy()
    lines = np.ascontiguousarray(np.swapaxes(x, -1, -2))
    c, r = c[..., np.newaxis, :], r[..., np.newaxis, :]
    y = _circulant_product(c, lines) if is_cyclic else _toeplitz_product(c, r, lines)
    return np.ascontiguousarray(np.swapaxes(y, -1, -2))


def _circulant_product(c: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Along the last axis; operands of one dtype, not empty."""
    n = c.shape[-1]
    real = x.dtype.kind != "c"
    if cyclic_size(n, real) != n:
        return _toeplitz_product(c, first_row(c), x)
    with np.errstate(invalid="ignore", over="ignore"):
        return inverse(transform(c, n, real) * transform(x, n, real), n, real)


def first_row(c: np.ndarray) -> np.ndarray:
    return np.concatenate((c[..., :1], c[..., :0:-1]), axis=-1)
