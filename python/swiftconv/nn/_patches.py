"""unfold and fold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import _arguments
from .._patches import Cut, Names, Places, gathered, scattered
from .._patches import reduction as _reduction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    import numpy as np
    from numpy.typing import ArrayLike

    Ints = Union[int, Sequence[int]]


def unfold(
    input: ArrayLike,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
    *,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """
    Every window of every image as a column: `torch.nn.functional.unfold` for any dtype and number of spatial axes.

    ``unfold(x, k)[n, (c, k1, ..., kd), (o1, ..., od)] = x[n, c, stride*o1 + dilation*k1 - padding, ...]``, with the
    indices in parentheses flattened in C order.

    Parameters
    ----------
    input : array_like, shape (N, C, n1, ..., nd) or (C, n1, ..., nd)
        Any dtype and memory layout; it is not copied. A sequence `kernel_size` of d entries tells the two shapes
        apart; with an integer, three axes are one image, as in torch, and more are a batch.
    kernel_size : int or sequence of int
        Extents of the window.
    dilation : int or sequence of int, optional
        Step between a window's elements.
    padding : int or sequence of int, optional
        Zeros on both sides of each spatial axis.
    stride : int or sequence of int, optional
        Step between windows. (Last, as in torch.)
    out : ndarray or tuple of one ndarray, optional
        Where to write the result: the right shape, any strides, a dtype that the input's casts to by the 'same_kind'
        rule.
    threads : int, optional
        Number of threads for this call. Default `swiftconv.get_num_threads`.

    Returns
    -------
    ndarray, shape (N, C*k1*...*kd, o1*...*od) or (C*k1*...*kd, o1*...*od)
        With ``o = (n + 2*padding - dilation*(k - 1) - 1)//stride + 1`` windows along an axis, in the dtype of `input`.

    Raises
    ------
    ValueError
        A window beyond the padded input, an option out of range or of the wrong length, a wrong number of axes, a
        read-only `out` or one of another shape.
    TypeError
        An option that is not an integer, a masked or sparse array, a dtype that cannot be cast.
    OverflowError
        Extents that pass 64 bits.
    MemoryError
        The result cannot be had.

    See Also
    --------
    fold : The adjoint: columns are added to their places.
    swiftconv.windows.im2col : The transposed patch matrix.

    Notes
    -----
    The convention is torch's. ``conv2d(x, w) == (w.reshape(O, -1) @ unfold(x, w.shape[2:])).reshape(N, O, oH, oW)``.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.nn import unfold
    >>> x = np.arange(9).reshape(1, 1, 3, 3)
    >>> unfold(x, 2)
    array([[[0, 1, 3, 4],
            [1, 2, 4, 5],
            [3, 4, 6, 7],
            [4, 5, 7, 8]]])

    Signals, two samples a window without overlap:

    >>> unfold(np.arange(12.0).reshape(2, 1, 6), (2,), stride=2).shape
    (2, 2, 3)
    """
    x = _arguments.array("input", input)
    places = _unfolded(x.shape, kernel_size, dilation, padding, stride)
    return gathered(x, places, out, _arguments.threads(threads))


@_arguments.remembered
def _unfolded(shape: tuple[int, ...], kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Places:
    rank = _spatial_rank(len(shape), kernel_size)
    is_batched = len(shape) == rank + 2
    n, c, *extents = shape if is_batched else (1, *shape)
    cut = _cut(rank, kernel_size, dilation, padding, stride)
    windows = cut.windows((n, c, *extents), Names())
    columns = (n, c * math.prod(cut.window), math.prod(windows))
    image = None if is_batched else (tuple(range(rank + 1)), None)
    return Places(cut, columns if is_batched else columns[1:], (n, c, *cut.window, *windows), _taps_last(rank), image)


def fold(
    input: ArrayLike,
    output_size: Ints,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
    *,
    reduction: str = "sum",
    out: np.ndarray | tuple[np.ndarray] | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """
    Add columns to the places that `unfold` takes them from: `torch.nn.functional.fold` for any dtype and rank.

    Parameters
    ----------
    input : array_like, shape (N, C*k1*...*kd, o1*...*od) or (C*k1*...*kd, o1*...*od)
        What `unfold` returns for an array of spatial extents `output_size` and the same options.
    output_size : int or sequence of int
        Spatial extents of the result. An integer goes for every entry of `kernel_size`, for both axes of an image
        if that is an integer too.
    kernel_size, dilation, padding, stride : int or sequence of int
        As in `unfold`.
    reduction : {'sum', 'mean'}, optional
        Whether elements under several windows are added up or averaged. The mean of integers and of bool is
        float64, as `numpy.mean`'s; elements under no window are 0.
    out, threads
        As in `unfold`.

    Returns
    -------
    ndarray, shape (N, C, n1, ..., nd) or (C, n1, ..., nd)
        In the dtype of `input`. Integers wrap, bool is OR, float16 and bfloat16 add up in float32.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `unfold` does; also where the shape of `input` does not belong to `output_size` and the options.

    See Also
    --------
    unfold : The adjoint: ``sum(unfold(x) * y) == sum(x * fold(y))``.
    swiftconv.windows.unpatchify : The inverse of a cut into patches.

    Notes
    -----
    The convention is torch's, which has `reduction='sum'` alone.

    Examples
    --------
    How many windows of 2x2 an element of a 3x3 image lies in:

    >>> import numpy as np
    >>> from swiftconv.nn import fold
    >>> fold(np.ones((1, 4, 4), int), (3, 3), (2, 2))[0, 0]
    array([[1, 2, 1],
           [2, 4, 2],
           [1, 2, 1]])
    """
    columns = _arguments.array("input", input)
    places = _folded(columns.shape, output_size, kernel_size, dilation, padding, stride)
    return scattered(columns, places, out, _arguments.threads(threads), _reduction(reduction))


@_arguments.remembered
def _folded(
    shape: tuple[int, ...], output_size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> Places:
    rank = next((len(_entries(value)) for value in (output_size, kernel_size) if _entries(value) is not None), 2)
    if len(shape) not in (2, 3):
        raise ValueError(f"input.ndim={len(shape)}: expected 3 (a batch) or 2")
    is_batched = len(shape) == 3
    n, rows, columns = shape if is_batched else (1, *shape)
    cut = _cut(rank, kernel_size, dilation, padding, stride)
    extents = _list("output_size", output_size, rank)
    for place, extent in enumerate(extents):
        if extent < 1:
            raise ValueError(f"output_size[{place}]={extent}: expected an integer of at least 1")
    taps = math.prod(cut.window)
    windows = cut.windows((n, 1, *extents), Names(input=b"output_size"))
    if rows % taps != 0:
        raise ValueError(
            f"input has extent {rows} along axis {len(shape) - 2}: expected a multiple of {taps}, the elements of "
            f"kernel_size={cut.window}"
        )
    if columns != math.prod(windows):
        raise ValueError(
            f"input has extent {columns} along axis {len(shape) - 1}: expected {math.prod(windows)}, the number of "
            f"windows ({' x '.join(map(str, windows))}) in output_size={extents}"
        )
    c = rows // taps
    image = None if is_batched else (tuple(range(rank + 1)), None)
    return Places(
        cut,
        (n, c, *extents) if is_batched else (c, *extents),
        (n, c, *cut.window, *windows),
        _taps_last(rank),
        image,
    )


def _entries(value: Any) -> tuple[Any, ...] | None:
    """The entries of a sequence; None of what may be an integer."""
    if isinstance(value, (str, bytes, dict, set)) or not hasattr(value, "__len__"):
        return None
    return tuple(value)


def _spatial_rank(ndim: int, kernel_size: Any) -> int:
    entries = _entries(kernel_size)
    rank = max(ndim - 2, 2) if entries is None else len(entries)
    if rank == 0:
        raise ValueError(f"kernel_size={kernel_size!r}: expected an entry for each spatial axis")
    if ndim not in (rank + 1, rank + 2):
        raise ValueError(f"input.ndim={ndim}: expected {rank + 2} (a batch) or {rank + 1} for {rank} spatial axes")
    return rank


def _list(name: str, value: Any, rank: int) -> tuple[int, ...]:
    return _arguments.per_axis(name, value, rank, "spatial axis")


def _cut(rank: int, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Cut:
    both = _list("padding", padding, rank)
    return Cut(
        tuple(range(2, rank + 2)),
        _list("kernel_size", kernel_size, rank),
        _list("stride", stride, rank),
        _list("dilation", dilation, rank),
        both,
        both,
    )


def _taps_last(rank: int) -> tuple[int, ...]:
    """(N, C, taps, windows) as the core has it: (N, C, windows, taps)."""
    return (0, 1, *range(2 + rank, 2 + 2 * rank), *range(2, 2 + rank))
