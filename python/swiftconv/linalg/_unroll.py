"""The textbook forms of a convolution as a matrix product: the filter unrolled, the input unrolled, Toeplitz blocks."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arguments, _memory, _patches
from .._results import new_result
from ._geometry import CONVOLVE, FILL, Geometry, Ints, core_kernel, geometry, kernel_array
from ._matrix import as_read, conv_matrix, index_dtype, made
from ._sparse import SparseMatrix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from numpy.typing import ArrayLike, DTypeLike

    Extents = Union[int, Sequence[int]]

_FORMATS = {"dense": 0, "csr": 1, "csc": 2, "coo": 3}


def unroll_kernel(
    kernel: ArrayLike,
    shape: Extents,
    mode: str | int = "valid",
    *,
    boundary: str = "fill",
    stride: Extents = 1,
    dilation: Extents = 1,
    operation: str = "correlate",
    dtype: DTypeLike | None = None,
    format: str = "dense",
    scipy: bool = False,
) -> Any:
    """
    The filter unrolled: a matrix whose product with the flattened image is the output, flattened.

    The first of the two textbook unrollings; `unroll_input` is the second, and both give the same numbers:
    ``unroll_kernel(f, x.shape) @ x.ravel() == unroll_input(x, f.shape) @ f.ravel()``. It is `conv_matrix` with the
    defaults of a layer without channels, a 'valid' correlation.

    Parameters
    ----------
    kernel : array_like, shape (k1, ..., kd)
        The filter.
    shape : int or sequence of int
        Extents (n1, ..., nd) of the image.
    mode, boundary, stride, dilation, operation, dtype, format, scipy
        As in `conv_matrix`.

    Returns
    -------
    ndarray, SparseMatrix or scipy.sparse array, shape (outputs, samples)

    Raises
    ------
    ValueError, TypeError, MemoryError, OverflowError
        As `conv_matrix` does.

    Examples
    --------
    >>> import swiftconv
    >>> swiftconv.linalg.unroll_kernel([[1, 2], [3, 4]], (3, 3))
    array([[1, 2, 0, 3, 4, 0, 0, 0, 0],
           [0, 1, 2, 0, 3, 4, 0, 0, 0],
           [0, 0, 0, 1, 2, 0, 3, 4, 0],
           [0, 0, 0, 0, 1, 2, 0, 3, 4]])
    """
    return conv_matrix(
        kernel,
        shape,
        mode,
        boundary=boundary,
        stride=stride,
        dilation=dilation,
        operation=operation,
        dtype=dtype,
        format=format,
        scipy=scipy,
    )


def unroll_input(
    image: ArrayLike,
    kernel_shape: Extents,
    mode: str | int = "valid",
    *,
    boundary: str = "fill",
    stride: Extents = 1,
    dilation: Extents = 1,
    operation: str = "correlate",
    format: str = "dense",
    scipy: bool = False,
    threads: int | None = None,
) -> Any:
    """
    The input unrolled: a matrix of patches whose product with the flattened filter is the output, flattened.

    The second of the two textbook unrollings (im2col); see `unroll_kernel` for the first. A row for each output, with
    the samples that the filter's elements meet there.

    Parameters
    ----------
    image : array_like, shape (n1, ..., nd)
        The image, without channels.
    kernel_shape : int or sequence of int
        Extents (k1, ..., kd) of the filter.
    mode, boundary, stride, dilation, operation
        As in `conv_matrix`. With ``operation='convolve'`` columns stand in the order of the filter, which meets the
        samples backwards.
    format : {'dense', 'csr', 'csc', 'coo'}, optional
        'dense': an ndarray. Else a `SparseMatrix` that leaves out what lies outside the image.
    scipy : bool, optional
        Return SciPy's own sparse array instead.
    threads : int, optional
        Number of threads for this call. Default `get_num_threads`. The result does not depend on it.

    Returns
    -------
    ndarray, SparseMatrix or scipy.sparse array, shape (outputs, k1 * ... * kd)

    Raises
    ------
    ValueError, TypeError, MemoryError, OverflowError
        As `conv_matrix` does.

    Examples
    --------
    >>> import numpy as np
    >>> import swiftconv
    >>> x = np.arange(9).reshape(3, 3)
    >>> swiftconv.linalg.unroll_input(x, (2, 2))
    array([[0, 1, 3, 4],
           [1, 2, 4, 5],
           [3, 4, 6, 7],
           [4, 5, 7, 8]])
    >>> f = np.array([[1, 2], [3, 4]])
    >>> swiftconv.linalg.unroll_input(x, f.shape) @ f.ravel()
    array([27, 37, 57, 67])
    >>> swiftconv.linalg.unroll_kernel(f, x.shape) @ x.ravel()
    array([27, 37, 57, 67])
    """
    kind = _arguments.named("format", format, _FORMATS)
    if scipy and kind == _FORMATS["dense"]:
        raise ValueError("scipy=True with format='dense': expected a sparse format")
    x = _arguments.array("image", image)
    window = _arguments.per_axis("kernel_shape", kernel_shape, x.ndim, "axis of image")
    for axis, extent in enumerate(window):
        if extent < 1:
            raise ValueError(f"kernel_shape[{axis}]={extent}: expected an integer of at least 1")
    places = geometry(window, x.shape, mode, boundary, stride, dilation, operation, 1, None)
    count = _arguments.threads(threads)
    patches = _patches_of(x, window, places, count)
    if format == "dense":
        return patches
    matrix = _sparse(patches, window, places, format, count)
    return matrix.to_scipy() if scipy else matrix


def _patches_of(x: np.ndarray, window: Ints, places: Geometry, threads: int) -> np.ndarray:
    shape = prod(places.out), prod(window)
    dtype = x.dtype.newbyteorder("=")
    _memory.require(prod(shape) * dtype.itemsize, f"a matrix of shape {shape} and dtype {dtype}")
    result = new_result(None, shape, dtype)
    patches = result.reshape(*places.out, *window)
    if places.operation == CONVOLVE:
        patches = np.flip(patches, tuple(range(x.ndim, 2 * x.ndim)))
    samples, outputs, taps, step, dilation, low = places.axes
    # What the last window passes the samples by.
    high = [
        max((o - 1) * s + (k - 1) * d + 1 - n - p, 0)
        for n, o, k, s, d, p in zip(samples, outputs, taps, step, dilation, low)
    ]
    cut = _patches.Cut(tuple(range(x.ndim)), taps, step, dilation, low, tuple(high))
    _patches.gather(x, patches, cut, threads, True, places.boundary)
    return result


def _sparse(patches: np.ndarray, window: Ints, places: Geometry, format: str, threads: int) -> SparseMatrix:
    """The entries that lie inside: all, but beside zeros."""
    if places.boundary == FILL:
        inside = _patches_of(np.ones(places.shape, bool), window, places, threads)
    else:
        inside = np.ones(patches.shape, bool)
    if format == "csc":
        lines, crossed = np.nonzero(inside.T)
        data = patches[crossed, lines]
    else:
        lines, crossed = np.nonzero(inside)
        data = patches[lines, crossed]
    index = index_dtype(*patches.shape, len(data))
    if format == "coo":
        return SparseMatrix("coo", patches.shape, data, row=lines.astype(index), col=crossed.astype(index))
    counts = np.bincount(lines, minlength=patches.shape[format == "csc"])
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(index)
    return SparseMatrix(format, patches.shape, data, crossed.astype(index), indptr)


def toeplitz_blocks(
    kernel: ArrayLike,
    shape: Extents,
    mode: str | int = "full",
    *,
    boundary: str = "fill",
    stride: Extents = 1,
    dilation: Extents = 1,
    operation: str = "convolve",
    dtype: DTypeLike | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """
    The blocks of a doubly blocked Toeplitz matrix, and where they stand in it.

    The matrix of a 2-D convolution (`conv_matrix`) is a block matrix: a block row for each row of the output and a
    block column for each row of the image. Its blocks are the small Toeplitz matrices of the filter's rows, and each
    stands along a block diagonal: the matrix is Toeplitz in blocks that are Toeplitz.

    Parameters
    ----------
    kernel : array_like, shape (k1, ..., kd)
        The filter.
    shape : int or sequence of int
        Extents (n1, ..., nd) of the image.
    mode, boundary, stride, dilation, operation, dtype
        As in `conv_matrix`.

    Returns
    -------
    blocks : ndarray, shape (count, outputs, nd)
        The matrices of the 1-D convolutions along the last axis: one for each row of the filter, in its order, and,
        where a boundary repeats samples, one for each set of rows that meet in one block, their sum.
    pattern : ndarray of int, shape (block rows, block columns)
        The number of the block that stands there, -1 for zeros. Of more than two axes all but the last are counted
        together, in C order.

    Raises
    ------
    ValueError, TypeError, MemoryError, OverflowError
        As `conv_matrix` does.

    Examples
    --------
    >>> import numpy as np
    >>> import swiftconv
    >>> blocks, pattern = swiftconv.linalg.toeplitz_blocks([[1, 2], [3, 4]], (3, 2))
    >>> blocks
    array([[[1, 0],
            [2, 1],
            [0, 2]],
    <BLANKLINE>
           [[3, 0],
            [4, 3],
            [0, 4]]])
    >>> pattern
    array([[ 0, -1, -1],
           [ 1,  0, -1],
           [-1,  1,  0],
           [-1, -1,  1]])
    >>> zeros = np.zeros_like(blocks[:1])
    >>> whole = np.block([[block for block in row] for row in np.concatenate([blocks, zeros])[pattern]])
    >>> np.array_equal(whole, swiftconv.linalg.conv_matrix([[1, 2], [3, 4]], (3, 2)))
    True
    """
    array = kernel_array(kernel, dtype)
    places = geometry(array.shape, shape, mode, boundary, stride, dilation, operation, 1, None)
    # In the order of the filter's rows, each as the core meets it along the last axis.
    taps = core_kernel(array, places)[0, 0]
    rows = prod(array.shape[:-1])
    inner = [_line_matrix(row, places) for row in taps.reshape(rows, -1)]
    sets, pattern = _meeting_rows(array.shape[:-1], places)
    if places.operation == CONVOLVE:
        inner.reverse()  # the core's kernel is flipped
    blocks = list(inner)
    numbers = {frozenset([row]): row for row in range(rows)}
    places_of = np.full(len(sets), -1)
    for number, met in enumerate(sets):
        if not met:
            continue
        if met not in numbers:
            numbers[met] = len(blocks)
            blocks.append(sum([inner[row] for row in sorted(met)[1:]], start=inner[min(met)]))
        places_of[number] = numbers[met]
    return np.stack(blocks), places_of[pattern]


def _line_matrix(row: np.ndarray, places: Geometry) -> np.ndarray:
    """The matrix of a 1-D convolution along the last axis, of a row as the core meets it."""
    last = places._replace(
        shape=places.shape[-1:], out=places.out[-1:], axes=tuple([numbers[-1:] for numbers in places.axes])
    )
    return made(row[np.newaxis, np.newaxis], as_read(last), "dense", 0)


def _meeting_rows(window: Ints, places: Geometry) -> tuple[list[frozenset[int]], np.ndarray]:
    """Sets of the filter's rows that meet in one block, and the number of the set for each block."""
    rows = prod(window)
    if not window:
        return [frozenset([0])], np.zeros((1, 1), int)
    outer = places._replace(
        shape=places.shape[:-1], out=places.out[:-1], axes=tuple([numbers[:-1] for numbers in places.axes])
    )
    shape = prod(outer.out), prod(outer.shape)
    sets: list[frozenset[int]] = [frozenset()]
    pattern = np.zeros(shape, int)
    # A bit for each row, as many at a time as an integer has.
    for first in range(0, rows, 62):
        bits = np.zeros(rows, np.int64)
        count = min(62, rows - first)
        bits[first : first + count] = 1 << np.arange(count)
        bits = bits.reshape(1, 1, *window)
        if places.operation == CONVOLVE:
            bits = np.flip(bits, tuple(range(2, bits.ndim)))
        found = made(np.ascontiguousarray(bits), as_read(outer), "dense", 0)
        pairs, pattern = np.unique(np.stack([pattern.reshape(-1), found.reshape(-1)]), axis=1, return_inverse=True)
        pattern = pattern.reshape(shape)
        sets = [sets[old] | {first + bit for bit in range(count) if mask >> bit & 1} for old, mask in pairs.T.tolist()]
    return sets, pattern
