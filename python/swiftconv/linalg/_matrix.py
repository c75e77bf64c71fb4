"""The matrix of a convolution: dense, sparse, and its textbook forms."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arguments, _dtypes, _memory, _native
from .._results import buffer
from ._geometry import Geometry, core_kernel, geometry, kernel_array
from ._sparse import SparseMatrix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from numpy.typing import ArrayLike, DTypeLike

    Ints = Union[int, Sequence[int]]

FORMATS = {"dense": 0, "csr": 1, "csc": 2, "coo": 3, "bsr": 4}
_LARGEST_INT32 = 2**31 - 1


def conv_matrix(
    kernel: ArrayLike,
    shape: Ints,
    mode: str | int = "full",
    *,
    boundary: str = "fill",
    stride: Ints = 1,
    dilation: Ints = 1,
    operation: str = "convolve",
    groups: int = 1,
    channels: int | None = None,
    dtype: DTypeLike | None = None,
    format: str = "dense",
    scipy: bool = False,
    threads: int | None = None,
) -> Any:
    """
    The matrix by which a convolution multiplies a flattened image.

    ``conv_matrix(kernel, x.shape, mode, ...) @ x.ravel()`` is ``convolve(x, kernel, mode, ...).ravel()``, for any
    number of axes. Zeros outside make the matrix Toeplitz along one axis, and doubly blocked Toeplitz (BTTB) along
    two; ``boundary='wrap'`` with mode 'same' makes it circulant, and block circulant with circulant blocks (BCCB).

    Parameters
    ----------
    kernel : array_like, shape (k1, ..., kd), or (K, C // groups, k1, ..., kd) with `channels`
        The filter or, with `channels`, a layer's weight.
    shape : int or sequence of int
        Extents (n1, ..., nd) of the image, without channels.
    mode : {'full', 'same', 'valid'}, optional
        Which outputs there are, as in `swiftconv.convolve` and `swiftconv.correlate`.
    boundary : {'fill', 'wrap', 'symmetric', 'reflect', 'edge'}, optional
        What lies outside the image: zeros, or samples of it; aliases as in `swiftconv.correlate`.
    stride, dilation : int or sequence of int, optional
        Steps between outputs, and between the samples under neighbours of the kernel, for every axis or each one.
    operation : {'convolve', 'correlate'}, optional
        Whether the kernel is flipped; 'correlate' conjugates it, but not with `channels`.
    groups : int, optional
        With `channels`: groups of channels that have filters of their own.
    channels : int, optional
        The image's channels C. The matrix is then that of the whole layer, from (C, n1, ..., nd) to (K, outputs...):
        with ``operation='correlate'`` and ``mode='valid'`` it is `swiftconv.nn.conv2d`.
    dtype : dtype_like, optional
        Dtype of the matrix. Default: the kernel's. Where a boundary repeats samples, entries are sums of the kernel's
        elements, computed in it: integers wrap.
    format : {'dense', 'csr', 'csc', 'coo', 'bsr'}, optional
        'dense': an ndarray. Else a `SparseMatrix`, never by way of a dense one. The blocks of 'bsr' are those of the
        last axis, of shape (outputs, samples) along it. Indices are int32 as long as they fit.
    scipy : bool, optional
        Return SciPy's own sparse array instead.
    threads : int, optional
        Number of threads for this call. Default `get_num_threads`. The result does not depend on it.

    Returns
    -------
    ndarray, SparseMatrix or scipy.sparse array
        Of shape (outputs, samples), both counted in C order, channels first.

    Raises
    ------
    ValueError
        An extent or option that does not fit: an empty kernel, ``shape`` with an extent below 1, a kernel larger
        than `shape` in mode 'valid', channels that do not agree.
    TypeError
        A dtype that cannot be computed with or cast as asked; a masked or sparse array.
    MemoryError
        Memory cannot hold the matrix; the message says how many bytes it takes.
    OverflowError
        It has more rows, columns or entries than 64 bits count.

    See Also
    --------
    ConvOperator : The same map without its matrix.
    toeplitz_blocks : The blocks that a doubly blocked Toeplitz matrix is made of.

    Notes
    -----
    For an image of (m, n) and a filter of (p, q), mode 'full' gives (m + p - 1)(n + q - 1) rows and m n columns. A
    sparse matrix has an entry wherever an output and a sample meet under the kernel, also for its zeros. A
    one-dimensional kernel longer than the image follows NumPy in modes 'same' and 'valid': there are as many outputs
    as `numpy.convolve` returns.

    Examples
    --------
    >>> import numpy as np
    >>> import swiftconv
    >>> swiftconv.linalg.conv_matrix([1, 2, 3], (4,))
    array([[1, 0, 0, 0],
           [2, 1, 0, 0],
           [3, 2, 1, 0],
           [0, 3, 2, 1],
           [0, 0, 3, 2],
           [0, 0, 0, 3]])
    >>> swiftconv.linalg.conv_matrix([[1, 2], [3, 4]], (2, 2), 'same', boundary='wrap')
    array([[1, 2, 3, 4],
           [2, 1, 4, 3],
           [3, 4, 1, 2],
           [4, 3, 2, 1]])
    >>> swiftconv.linalg.conv_matrix(np.ones((5, 5)), (64, 64), 'valid', format='csr')
    <SparseMatrix csr, shape (3600, 4096), 90000 entries of float64>
    """
    kind = _arguments.named("format", format, FORMATS)
    if scipy and kind == FORMATS["dense"]:
        raise ValueError("scipy=True with format='dense': expected a sparse format")
    array = kernel_array(kernel, dtype)
    places = geometry(array.shape, shape, mode, boundary, stride, dilation, operation, groups, channels)
    matrix = made(array, places, format, _arguments.threads(threads))
    return matrix.to_scipy() if scipy else matrix


def made(kernel: np.ndarray, places: Geometry, format: str, threads: int) -> Any:
    """The matrix in a format that exists."""
    taps = core_kernel(kernel, places)
    if _dtypes.code_of(taps.dtype) is None:
        return _through_numpy(taps, places, format, threads)
    if format == "dense":
        return _dense(taps, places, threads)
    if format == "bsr":
        return _blocks(taps, places, threads)
    return _compressed(taps, places, format, threads)


def _dense(taps: np.ndarray, places: Geometry, threads: int) -> np.ndarray:
    shape = places.rows, places.columns
    _memory.require(prod(shape) * taps.itemsize, f"a dense matrix of shape {shape} and dtype {taps.dtype}")
    dense = np.zeros(shape, taps.dtype)
    code = _dtypes.code_of(taps.dtype)
    _native.matrix_dense(*places.core_arguments(threads=threads), buffer(taps, code), code, buffer(dense, code))
    return dense


def _compressed(taps: np.ndarray, places: Geometry, format: str, threads: int) -> SparseMatrix:
    arguments = places.core_arguments(format == "csc", threads)
    lines, crossed, entries, _ = _native.matrix_count(*arguments)
    index = index_dtype(lines, crossed, entries)
    has_lines = format == "coo"
    size = (lines + 1 + (1 + has_lines) * entries) * index.itemsize + entries * taps.itemsize
    shape = places.rows, places.columns
    _memory.require(size, f"a {format} matrix of shape {shape} with {entries} entries of {taps.dtype}")
    indptr, indices, data = np.empty(lines + 1, index), np.empty(entries, index), np.empty(entries, taps.dtype)
    numbers = np.empty(entries, index) if has_lines else None
    code = _dtypes.code_of(taps.dtype)
    index_code = _dtypes.code_of(index)
    _native.matrix_compressed(
        *arguments, buffer(taps, code), code, indptr, indices, buffer(data, code), index_code, numbers
    )
    if has_lines:
        return SparseMatrix("coo", shape, data, row=numbers, col=indices)
    return SparseMatrix(format, shape, data, indices, indptr)


def _blocks(taps: np.ndarray, places: Geometry, threads: int) -> SparseMatrix:
    arguments = places.core_arguments(threads=threads)
    lines, crossed, _, blocks = _native.matrix_count(*arguments)
    height, width = places.out[-1], places.shape[-1]
    shape = places.rows, places.columns
    index = index_dtype(lines, crossed, blocks)
    size = blocks * (height * width * taps.itemsize + index.itemsize) + (lines // height + 1) * index.itemsize
    _memory.require(size, f"a bsr matrix of shape {shape} with {blocks} blocks of ({height}, {width}) {taps.dtype}")
    indptr, indices = np.empty(lines // height + 1, index), np.empty(blocks, index)
    data = np.zeros((blocks, height, width), taps.dtype)
    code = _dtypes.code_of(taps.dtype)
    index_code = _dtypes.code_of(index)
    _native.matrix_blocks(*arguments, buffer(taps, code), code, indptr, indices, buffer(data, code), index_code)
    return SparseMatrix("bsr", shape, data, indices, indptr)


def index_dtype(*numbers: int) -> np.dtype:
    """SciPy's choice: int32 as long as rows, columns and entries can be counted in it."""
    return np.dtype(np.int32 if max(numbers) <= _LARGEST_INT32 else np.int64)


def _through_numpy(taps: np.ndarray, places: Geometry, format: str, threads: int) -> Any:
    """A dtype that the core does not have: a matrix of each tap's places, times the tap."""
    pattern = made(np.zeros(taps.shape, bool), as_read(places), format, threads)
    values = pattern if format == "dense" else pattern.data
    total = np.zeros(values.shape, taps.dtype)
    one = np.zeros(taps.shape, np.int8)
    for place in np.ndindex(taps.shape):
        one[place] = 1
        found = made(one, as_read(places), format, threads)
        there = np.flatnonzero(found if format == "dense" else found.data)
        total.reshape(-1)[there] += taps[place]
        one[place] = 0
    if format == "dense":
        return total
    pattern.data = total
    return pattern


def as_read(places: Geometry) -> Geometry:
    """The same places for a kernel that already is as the core reads it."""
    return places._replace(operation=0, has_channels=True)
