"""Matrices whose rows are windows of one vector: Toeplitz, circulant, Hankel, and the matrix of a convolution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .. import _arguments, _dtypes, _memory
from .._patches import Cut, gather
from .._results import new_result
from ._geometry import rows_kept
from ._operands import vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# What NumPy copies itself: below, the core's call takes longer than its threads save.
_SMALL_BYTES = 512 << 10
# Type characters whose memory NumPy takes as the buffer of another array; as_strided costs 5 us more.
_BUFFERS = frozenset("?bhilqBHILQefdgFDG")


def toeplitz(c: ArrayLike, r: ArrayLike | None = None) -> np.ndarray:
    """
    The matrix that is constant along its diagonals: ``A[i, j] = c[i - j]`` below and ``r[j - i]`` above.

    Parameters
    ----------
    c : array_like, shape (..., M)
        First column; leading axes are a batch. Any dtype and memory layout.
    r : array_like, shape (..., N), optional
        First row, of which ``r[0]`` is not used: the diagonal is ``c[0]``. Leading axes are broadcast with those of
        `c`. Default: ``conj(c)``, which makes a Hermitian matrix if ``c[0]`` is real.

    Returns
    -------
    ndarray, shape (..., M, N)
        A new array, in the common dtype of `c` and `r`.

    Raises
    ------
    ValueError
        Batches that cannot be broadcast.
    TypeError
        Dtypes without a common one, a masked or sparse array.
    MemoryError
        A result that cannot be had.

    See Also
    --------
    matmul_toeplitz, solve_toeplitz : Products and solutions without the matrix.
    convolution_matrix : The one of a convolution.

    Notes
    -----
    The function of SciPy 1.17, whose batches must not be empty. Rows are windows of one vector, copied by all threads.

    Examples
    --------
    >>> from swiftconv.linalg import toeplitz
    >>> toeplitz([1, 2, 3], [1, 4, 5, 6])
    array([[1, 4, 5, 6],
           [2, 1, 4, 5],
           [3, 2, 1, 4]])
    >>> toeplitz([1.0, 2+3j, 4-1j])
    array([[1.+0.j, 2.-3.j, 4.+1.j],
           [2.+3.j, 1.+0.j, 2.-3.j],
           [4.-1.j, 2.+3.j, 1.+0.j]])
    """
    column = vector("c", c)
    row = _conjugate(column) if r is None else vector("r", r)
    rows, columns = column.shape[-1], row.shape[-1]
    if column.ndim + row.ndim > 2:
        column, row = _same_batch(column, row)
    return _turned_windows(_joined(column[..., ::-1], row[..., 1:]), rows, columns)


def circulant(c: ArrayLike) -> np.ndarray:
    """
    The square matrix whose columns are `c`, each shifted down by one more: ``A[i, j] = c[(i - j) % N]``.

    Parameters
    ----------
    c : array_like, shape (..., N)
        First column; leading axes are a batch. Any dtype and memory layout.

    Returns
    -------
    ndarray, shape (..., N, N)
        A new array, in the dtype of `c`.

    Raises
    ------
    TypeError
        A masked or sparse array.
    MemoryError
        A result that cannot be had.

    See Also
    --------
    matmul_circulant, solve_circulant : Products and solutions without the matrix.

    Notes
    -----
    The function of SciPy 1.17.

    Examples
    --------
    >>> from swiftconv.linalg import circulant
    >>> circulant([1, 2, 3])
    array([[1, 3, 2],
           [2, 1, 3],
           [3, 2, 1]])
    """
    column = vector("c", c)
    n = column.shape[-1]
    return _turned_windows(_joined(column[..., ::-1], column[..., :0:-1]), n, n)


def hankel(c: ArrayLike, r: ArrayLike | None = None) -> np.ndarray:
    """
    The matrix that is constant along its anti-diagonals: ``A[i, j] = v[i + j]``, v being `c` and then ``r[1:]``.

    Parameters
    ----------
    c : array_like, shape (..., M)
        First column; leading axes are a batch. Any dtype and memory layout.
    r : array_like, shape (..., N), optional
        Last row, of which ``r[0]`` is not used: the corner is ``c[-1]``. Leading axes are broadcast with those of `c`.
        Default: zeros, as many as `c` has elements.

    Returns
    -------
    ndarray, shape (..., M, N)
        A new array, in the common dtype of `c` and `r`.

    Raises
    ------
    ValueError
        Batches that cannot be broadcast.
    TypeError
        Dtypes without a common one, a masked or sparse array.
    MemoryError
        A result that cannot be had.

    See Also
    --------
    toeplitz : Constant along the diagonals.

    Notes
    -----
    SciPy's function, which has batches from version 1.19 on; older ones warn and take several axes for one.

    Examples
    --------
    >>> from swiftconv.linalg import hankel
    >>> hankel([1, 2, 3])
    array([[1, 2, 3],
           [2, 3, 0],
           [3, 0, 0]])
    >>> hankel([1, 2, 3, 4], [4, 7, 7, 8, 9])
    array([[1, 2, 3, 4, 7],
           [2, 3, 4, 7, 7],
           [3, 4, 7, 7, 8],
           [4, 7, 7, 8, 9]])
    """
    column = vector("c", c)
    row = np.zeros_like(column) if r is None else vector("r", r)
    rows, columns = column.shape[-1], row.shape[-1]
    if column.ndim + row.ndim > 2:
        column, row = _same_batch(column, row)
    return _windows(_joined(column, row[..., 1:]), rows, columns)


def convolution_matrix(a: ArrayLike, n: int, mode: str = "full") -> np.ndarray:
    """
    The Toeplitz matrix A with ``A @ v == convolve(a, v, mode)`` for every v of `n` elements.

    Parameters
    ----------
    a : array_like, shape (..., M)
        What is convolved with; leading axes are a batch. Any dtype and memory layout.
    n : int
        Columns of the matrix: elements of v, at least 1.
    mode : {'full', 'same', 'valid'}, optional
        Which outputs there are rows for, as in `numpy.convolve`.

    Returns
    -------
    ndarray, shape (..., K, n)
        A new array, in the dtype of `a`, with ``M + n - 1`` rows in mode 'full', ``max(M, n)`` in mode 'same' and
        ``max(M, n) - min(M, n) + 1`` in mode 'valid'.

    Raises
    ------
    ValueError
        An empty `a`, `n` below 1, an unknown `mode`.
    TypeError
        An `n` that is not an integer, a masked or sparse array.
    OverflowError, MemoryError
        Rows that pass 64 bits, a result that cannot be had.

    See Also
    --------
    toeplitz : With any first row and column.

    Notes
    -----
    The function of SciPy 1.17.

    Examples
    --------
    >>> import numpy as np
    >>> import swiftconv
    >>> from swiftconv.linalg import convolution_matrix
    >>> A = convolution_matrix([-1, 4, -2], 5, mode='same')
    >>> A
    array([[ 4, -1,  0,  0,  0],
           [-2,  4, -1,  0,  0],
           [ 0, -2,  4, -1,  0],
           [ 0,  0, -2,  4, -1],
           [ 0,  0,  0, -2,  4]])
    >>> v = np.array([1, 2, 0, -3, 0.5])
    >>> np.array_equal(A @ v, swiftconv.convolve([-1, 4, -2], v, mode='same'))
    True
    """
    taps = vector("a", a)
    m = taps.shape[-1]
    n = _arguments.integer("n", n, "an integer of at least 1")
    if n < 1:
        raise ValueError(f"n={n}: expected an integer of at least 1")
    if m == 0:
        raise ValueError(f"a has shape {taps.shape}: expected at least 1 element along its last axis")
    first, rows = rows_kept(_arguments.mode(mode), min(m, n), max(m, n))
    # Row i is the window at m + n - 2 - i of a, read backwards, between n - 1 zeros on each side.
    start = m + n - 1 - first - rows
    length = rows + n - 1
    line = _zeros((*taps.shape[:-1], length), taps.dtype)
    low, high = max(n - 1 - start, 0), min(n - 1 - start + m, length)
    last = m - 1 - (start + low - (n - 1))  # the element of a at `low`
    line[..., low:high] = taps[..., last - (high - low) + 1 : last + 1][..., ::-1]
    return _turned_windows(line, rows, n)


def _conjugate(c: np.ndarray) -> np.ndarray:
    return c.conjugate() if c.dtype.kind in "cO" else c


def _same_batch(c: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    try:
        batch = np.broadcast_shapes(c.shape[:-1], r.shape[:-1])
    except ValueError:
        raise ValueError(f"c has shape {c.shape}, r has shape {r.shape}: their batches cannot be broadcast") from None
    return np.broadcast_to(c, (*batch, c.shape[-1])), np.broadcast_to(r, (*batch, r.shape[-1]))


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    try:
        return np.concatenate((first, second), axis=-1)
    except TypeError as error:
        raise TypeError(
            f"c has dtype {first.dtype} and r has dtype {second.dtype}, which have no common dtype"
        ) from error


def _zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if math.prod(shape) * dtype.itemsize >= 1 << 63:
        raise MemoryError(f"rows of {shape[-1]} elements of dtype {dtype} pass 2**63 bytes")
    return np.zeros(shape, dtype)


def _turned_windows(line: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Row i is the window at ``rows - 1 - i``; a `line` of one axis is contiguous."""
    size = line.itemsize
    dtype = line.dtype
    if line.ndim == 1 and 0 < rows * columns * size < _SMALL_BYTES and dtype.char in _BUFFERS:
        view: np.ndarray = np.ndarray((rows, columns), dtype, line, (rows - 1) * size, (-size, size))
        return view.copy()
    return _all_windows(line, rows, columns, turned=True)


def _windows(line: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Row i is the window at i; a `line` of one axis is contiguous."""
    size = line.itemsize
    dtype = line.dtype
    if line.ndim == 1 and 0 < rows * columns * size < _SMALL_BYTES and dtype.char in _BUFFERS:
        view: np.ndarray = np.ndarray((rows, columns), dtype, line, 0, (size, size))
        return view.copy()
    return _all_windows(line, rows, columns, turned=False)


def _all_windows(line: np.ndarray, rows: int, columns: int, turned: bool) -> np.ndarray:
    shape = (*line.shape[:-1], rows, columns)
    _memory.require(math.prod(shape) * line.itemsize, f"a matrix of shape {shape} and dtype {line.dtype}")
    result = new_result(None, shape, line.dtype)
    if result.size == 0:
        return result
    if line.dtype.char not in _BUFFERS or _dtypes.code_of(line.dtype) is None:
        strided = np.lib.stride_tricks.as_strided
        view = strided(line, result.shape, (*line.strides, line.strides[-1]), writeable=False)
        result[...] = view[..., ::-1, :] if turned else view
        return result
    lines = line.reshape(-1, line.shape[-1])
    matrices = result.reshape(-1, rows, columns)
    if turned:
        matrices = matrices[:, ::-1]
    gather(lines, matrices, Cut((1,), (columns,), (1,), (1,), (0,), (0,)), 0, True)
    return result
