"""Windows of arrays: as views, and as matrices of patches in the orders that others have given them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import _arguments
from ._patches import SUM, Cut, Names, Places, gathered, scattered
from ._patches import reduction as _reduction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from numpy.typing import ArrayLike

    Ints = Union[int, Sequence[int]]

__all__ = ["col2im", "extract_patches", "im2col", "patchify", "sliding_windows", "unpatchify"]


# ---- Deep Learning from Scratch ------------------------------------------------------------------------------------


def im2col(
    input_data: ArrayLike,
    filter_h: int,
    filter_w: int,
    stride: Ints = 1,
    pad: Ints = 0,
    *,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """
    Every window of every image as a row, so that a convolution is one matrix product.

    Parameters
    ----------
    input_data : array_like, shape (N, C, H, W)
        Any dtype and memory layout; it is not copied.
    filter_h, filter_w : int
        Extents of the window.
    stride : int or pair of int, optional
        Step between windows.
    pad : int or pair of int, optional
        Zeros on both sides of each image axis.
    out : ndarray or tuple of one ndarray, optional
        Where to write the result: the right shape, any strides, a dtype that the input's casts to by the 'same_kind'
        rule.
    threads : int, optional
        Number of threads for this call. Default `swiftconv.get_num_threads`.

    Returns
    -------
    ndarray, shape (N*oH*oW, C*filter_h*filter_w)
        With ``oH = (H + 2*pad - filter_h)//stride + 1``, in the dtype of `input_data`.

    Raises
    ------
    ValueError
        A window beyond the padded image, an option out of range, an array without four axes, an unfit `out`.
    TypeError
        An option that is not an integer, a masked or sparse array.
    OverflowError, MemoryError
        Extents that pass 64 bits, a result that cannot be had.

    See Also
    --------
    col2im : The adjoint.
    swiftconv.nn.unfold : Windows as columns, with dilation, of any rank.

    Notes
    -----
    The function of *Deep Learning from Scratch* (Saito, 2016), whose result is float64 whatever the input.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.windows import im2col
    >>> x = np.arange(9).reshape(1, 1, 3, 3)
    >>> im2col(x, 2, 2)
    array([[0, 1, 3, 4],
           [1, 2, 4, 5],
           [3, 4, 6, 7],
           [4, 5, 7, 8]])
    """
    x = _arguments.array("input_data", input_data)
    _check_rank("input_data", x.ndim, 4, "(N, C, H, W)")
    places, _ = _book_places("input_data", x.shape, filter_h, filter_w, stride, pad)
    return gathered(x, places, out, _arguments.threads(threads))


def col2im(
    col: ArrayLike,
    input_shape: Sequence[int],
    filter_h: int,
    filter_w: int,
    stride: Ints = 1,
    pad: Ints = 0,
    *,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """
    Add rows to the places that `im2col` takes them from.

    Parameters
    ----------
    col : array_like, shape (N*oH*oW, C*filter_h*filter_w)
        What `im2col` returns for images of shape `input_shape`.
    input_shape : sequence of int
        ``(N, C, H, W)``.
    filter_h, filter_w, stride, pad, out, threads
        As in `im2col`.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        Sums, in the dtype of `col`: integers wrap, bool is OR, float16 and bfloat16 add up in float32.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `im2col` does; also where the shape of `col` does not belong to `input_shape` and the options.

    See Also
    --------
    im2col : The adjoint: ``sum(im2col(x) * y) == sum(x * col2im(y))``.

    Notes
    -----
    The function of *Deep Learning from Scratch* (Saito, 2016).

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.windows import col2im
    >>> col2im(np.ones((4, 4), int), (1, 1, 3, 3), 2, 2)[0, 0]
    array([[1, 2, 1],
           [2, 4, 2],
           [1, 2, 1]])
    """
    rows = _arguments.array("col", col)
    _check_rank("col", rows.ndim, 2, "(N*oH*oW, C*filter_h*filter_w)")
    expected, places = _book_places("input_shape", input_shape, filter_h, filter_w, stride, pad)
    if rows.shape != expected.shape:
        raise ValueError(f"col has shape {rows.shape}: expected {expected.shape} for input_shape={places.shape}")
    return scattered(rows, places, out, _arguments.threads(threads))


@_arguments.remembered
def _book_places(name: str, shape: Any, filter_h: Any, filter_w: Any, stride: Any, pad: Any) -> tuple[Places, Places]:
    """Where the rows of an array of `shape` are, and where the array is."""
    shape = _extents(name, shape, 4, "axis of (N, C, H, W)")
    window = (
        _arguments.integer("filter_h", filter_h, "an integer"),
        _arguments.integer("filter_w", filter_w, "an integer"),
    )
    both = _arguments.per_axis("pad", pad, 2, "image axis")
    cut = Cut((2, 3), window, _arguments.per_axis("stride", stride, 2, "image axis"), (1, 1), both, both)
    windows = cut.windows(shape, Names(name.encode(), b"(filter_h, filter_w)", padding=b"pad"))
    n, c = shape[:2]
    # (N, oH, oW, C, taps) as the core has it: (N, C, oH, oW, taps)
    array = Places(cut, shape, (n, *windows, c, *window), (0, 3, 1, 2, 4, 5))
    return array._replace(shape=(n * math.prod(windows), c * math.prod(window))), array


# ---- TensorFlow ----------------------------------------------------------------------------------------------------


def extract_patches(
    images: ArrayLike,
    sizes: Sequence[int],
    strides: Sequence[int],
    rates: Sequence[int],
    padding: str,
    *,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """
    The window at every place of a channels-last image, flattened with the channels fastest.

    Parameters
    ----------
    images : array_like, shape (N, n1, ..., nd, C)
        Images (d = 2), volumes (d = 3) or any other d: any dtype and memory layout; it is not copied.
    sizes : sequence of int
        ``[1, k1, ..., kd, 1]``: the extents of the window.
    strides : sequence of int
        ``[1, s1, ..., sd, 1]``: steps between windows.
    rates : sequence of int
        ``[1, r1, ..., rd, 1]``: steps between a window's elements.
    padding : {'VALID', 'SAME'}
        Windows inside the image, or ``ceil(n / s)`` of them over zeros; an odd zero goes to the end.
    out : ndarray or tuple of one ndarray, optional
        Where to write the result: the right shape, any strides, a dtype that the input's casts to by the 'same_kind'
        rule.
    threads : int, optional
        Number of threads for this call. Default `swiftconv.get_num_threads`.

    Returns
    -------
    ndarray, shape (N, o1, ..., od, k1*...*kd*C)
        In the dtype of `images`.

    Raises
    ------
    ValueError
        A window beyond the image, an option out of range, lists of the wrong length or that do not begin and end with
        1, an unknown `padding`, an `out` that does not fit.
    TypeError
        An option that is not an integer, a masked or sparse array.
    OverflowError, MemoryError
        Extents that pass 64 bits, a result that cannot be had.

    See Also
    --------
    patchify : Patches without overlap, as a sequence.
    swiftconv.nn.unfold : Windows as columns, channels slowest.

    Notes
    -----
    The convention is that of ``tf.image.extract_patches`` and ``tf.extract_volume_patches``.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.windows import extract_patches
    >>> x = np.arange(32).reshape(1, 4, 4, 2)
    >>> extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], 'VALID')[0, 0]
    array([[ 0,  1,  2,  3,  8,  9, 10, 11],
           [ 4,  5,  6,  7, 12, 13, 14, 15]])
    """
    x = _arguments.array("images", images)
    places = _extracted(x.shape, _as_tuple(sizes), _as_tuple(strides), _as_tuple(rates), padding)
    return gathered(x, places, out, _arguments.threads(threads))


def _as_tuple(value: Any) -> Any:
    """TensorFlow's lists as a cache takes them."""
    return tuple(value) if type(value) is list else value


@_arguments.remembered
def _extracted(shape: tuple[int, ...], sizes: Any, strides: Any, rates: Any, padding: Any) -> Places:
    rank = len(shape) - 2
    if rank < 1:
        raise ValueError(f"images.ndim={len(shape)}: expected at least 3, (N, ..., C)")
    window, stride, dilation = (
        _between_ones(name, value, len(shape))
        for name, value in (("sizes", sizes), ("strides", strides), ("rates", rates))
    )
    if not isinstance(padding, str):
        raise TypeError(f"padding={padding!r}: expected 'VALID' or 'SAME'")
    if padding.upper() not in ("VALID", "SAME"):
        raise ValueError(f"padding={padding!r}: expected 'VALID' or 'SAME'")
    names = Names(b"images", b"sizes", b"strides", b"rates", b"padding")
    cut = Cut(tuple(range(1, rank + 1)), window, stride, dilation, (0,) * rank, (0,) * rank)
    if padding.upper() == "SAME":
        cut.windows((1, *(2**31,) * rank, 1), names)  # options that no extent would suit
        totals = [
            max((-(-extent // step) - 1) * step + reach * (taps - 1) + 1 - extent, 0)
            for extent, taps, step, reach in zip(shape[1:], window, stride, dilation)
        ]
        cut = cut._replace(low=tuple(n // 2 for n in totals), high=tuple(n - n // 2 for n in totals))
    windows = cut.windows(shape, names)
    n, c = shape[0], shape[-1]
    axes = (*range(rank + 1), 2 * rank + 1, *range(rank + 1, 2 * rank + 1))
    return Places(cut, (n, *windows, math.prod(window) * c), (n, *windows, *window, c), axes)


def _between_ones(name: str, value: Any, ndim: int) -> tuple[int, ...]:
    entries = _extents(name, value, ndim, "axis of images")
    if entries[0] != 1 or entries[-1] != 1:
        raise ValueError(f"{name}={value!r}: expected 1 for the batch and for the channels, its first and last entry")
    return entries[1:-1]


# ---- Vision Transformer --------------------------------------------------------------------------------------------


class _Layout(NamedTuple):
    """Axes of an array of images by their meaning; None for those that it does not have."""

    batch: int | None
    channels: int | None
    spatial: tuple[int, ...]

    def image_shape(self, n: int, c: int, extents: tuple[int, ...]) -> tuple[int, ...]:
        shape = dict(zip(self.spatial, extents))
        if self.batch is not None:
            shape[self.batch] = n
        if self.channels is not None:
            shape[self.channels] = c
        return tuple(shape[axis] for axis in range(len(shape)))

    def canonical(self) -> tuple[tuple[int, ...], Any]:
        """Axes and an index that make of images a view of shape (N, C, n1, ..., nd)."""
        order = [axis for axis in (self.batch, self.channels) if axis is not None]
        index = tuple(None if axis is None else slice(None) for axis in (self.batch, self.channels))
        return (*order, *self.spatial), index


def _layout(value: Any) -> _Layout:
    if not isinstance(value, str):
        raise TypeError(f"layout={value!r}: expected letters such as 'NCHW' or 'NHWC'")
    letters = value.upper()
    spatial = tuple(axis for axis, letter in enumerate(letters) if letter not in "NC")
    if len(set(letters)) != len(letters) or not letters.isalpha() or not spatial:
        raise ValueError(
            f"layout={value!r}: expected distinct letters, N for the batch, C for the channels, others for image axes"
        )
    return _Layout(*(letters.find(letter) if letter in letters else None for letter in "NC"), spatial)


def _channels_fastest(order: Any) -> bool:
    if not isinstance(order, str):
        raise TypeError(f"order={order!r}: expected 'channels_last' or 'channels_first'")
    if order not in ("channels_last", "channels_first"):
        raise ValueError(f"order={order!r}: expected 'channels_last' or 'channels_first'")
    return order == "channels_last"


def _patch_cut(rank: int, patch_size: Any, stride: Any) -> Cut:
    window = _arguments.per_axis("patch_size", patch_size, rank, "image axis")
    steps = window if stride is None else _arguments.per_axis("stride", stride, rank, "image axis")
    zeros = (0,) * rank
    return Cut(tuple(range(2, rank + 2)), window, steps, (1,) * rank, zeros, zeros)


def _check_division(name: str, extents: tuple[int, ...], cut: Cut) -> None:
    for extent, patch in zip(extents, cut.window):
        if patch > 0 and extent % patch != 0:
            raise ValueError(
                f"patch_size={cut.window} does not divide {name}={extents}: expected whole patches (or pass stride=)"
            )


def _token_axes(
    n: int, c: int, windows: tuple[int, ...], cut: Cut, fastest: bool
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shape of tokens taken apart, and its axes as the core has patches: (N, C, windows, taps)."""
    d = len(windows)
    if fastest:
        return (n, *windows, *cut.window, c), (0, 2 * d + 1, *range(1, 2 * d + 1))
    return (n, *windows, c, *cut.window), (0, d + 1, *range(1, d + 1), *range(d + 2, 2 * d + 2))


_TOKENS = Names(window=b"patch_size")


def patchify(
    images: ArrayLike,
    patch_size: Ints,
    *,
    stride: Ints | None = None,
    layout: str = "NCHW",
    order: str = "channels_last",
    out: np.ndarray | tuple[np.ndarray] | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """
    Images as sequences of flattened patches: the tokens of a Vision Transformer.

    Parameters
    ----------
    images : array_like
        Axes as `layout` says; any dtype and memory layout; it is not copied.
    patch_size : int or sequence of int
        Extents of a patch.
    stride : int or sequence of int, optional
        Step between patches. Default `patch_size`, which must then divide the images: patches side by side.
    layout : str, optional
        A letter for each axis of `images`: N for the batch, C for the channels, any others for the image axes, in the
        order in which patches follow each other. 'NCHW' (default), 'NHWC', 'NCDHW', 'HWC', ...; without N it is one
        image, without C it has one channel.
    order : {'channels_last', 'channels_first'}, optional
        Whether the channels vary fastest inside a token (``(p1 p2 c)`` in einops' words) or slowest (``(c p1 p2)``).
    out : ndarray or tuple of one ndarray, optional
        Where to write the result: the right shape, any strides, a dtype that the input's casts to by the 'same_kind'
        rule.
    threads : int, optional
        Number of threads for this call. Default `swiftconv.get_num_threads`.

    Returns
    -------
    ndarray, shape (N, L, D) or (L, D)
        L patches in C order, ``D = prod(patch_size) * C``, in the dtype of `images`.

    Raises
    ------
    ValueError
        A patch that does not divide the images or lies beyond them, an option out of range, a `layout` that does not
        fit, an `out` that does not fit.
    TypeError
        An option of the wrong type, a masked or sparse array.
    OverflowError, MemoryError
        Extents that pass 64 bits, a result that cannot be had.

    See Also
    --------
    unpatchify : The inverse.
    extract_patches : TensorFlow's function.

    Notes
    -----
    As ``einops.rearrange(images, 'b c (h p1) (w p2) -> b (h w) (p1 p2 c)', p1=p, p2=p)``.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.windows import patchify
    >>> images = np.zeros((8, 3, 224, 224), np.float32)
    >>> patchify(images, 16).shape
    (8, 196, 768)

    >>> patchify(np.arange(16).reshape(4, 4), 2, layout='HW')
    array([[ 0,  1,  4,  5],
           [ 2,  3,  6,  7],
           [ 8,  9, 12, 13],
           [10, 11, 14, 15]])
    """
    x = _arguments.array("images", images)
    places = _patchified(x.shape, patch_size, stride, layout, order)
    return gathered(x, places, out, _arguments.threads(threads))


@_arguments.remembered
def _patchified(shape: tuple[int, ...], patch_size: Any, stride: Any, layout: Any, order: Any) -> Places:
    axes = _layout(layout)
    _check_rank("images", len(shape), len(layout), f"the letters of layout={layout!r}")
    fastest = _channels_fastest(order)
    cut = _patch_cut(len(axes.spatial), patch_size, stride)
    n, c = (1 if axis is None else shape[axis] for axis in (axes.batch, axes.channels))
    extents = tuple(shape[axis] for axis in axes.spatial)
    windows = cut.windows((n, c, *extents), _TOKENS._replace(input=b"images"))
    if stride is None:
        _check_division("image size", extents, cut)
    tokens = (n, math.prod(windows), math.prod(cut.window) * c)
    return Places(
        cut,
        tokens if axes.batch is not None else tokens[1:],
        *_token_axes(n, c, windows, cut, fastest),
        axes.canonical(),
    )


def unpatchify(
    tokens: ArrayLike,
    image_size: Ints,
    patch_size: Ints,
    *,
    stride: Ints | None = None,
    layout: str = "NCHW",
    order: str = "channels_last",
    reduction: str = "mean",
    weights: ArrayLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """
    Images from flattened patches: the exact inverse of `patchify`, overlapping patches averaged.

    Parameters
    ----------
    tokens : array_like, shape (N, L, D) or (L, D)
        What `patchify` returns for the same options.
    image_size : int or sequence of int
        Extents of the image axes, in the order of `layout`; an integer goes for all.
    patch_size, stride, layout, order
        As in `patchify`.
    reduction : {'mean', 'sum'}, optional
        What becomes of elements that lie in several patches. Elements in none are 0.
    weights : array_like, shape `patch_size`, optional
        A real weight for each element of a patch: the result is the weighted mean, 0 where the weights add up to 0.
    out, threads
        As in `patchify`.

    Returns
    -------
    ndarray
        Images with axes as `layout` says, in the dtype of `tokens`; of overlapping or weighted bool and integers the
        mean is float64, as `numpy.mean`'s.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `patchify` does; also where the shape of `tokens` or of `weights` does not fit, for complex `weights`, and
        for `weights` with ``reduction='sum'``.

    See Also
    --------
    patchify : The inverse.
    swiftconv.nn.fold : The same from columns, with dilation and padding.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.windows import patchify, unpatchify
    >>> images = np.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6)
    >>> tokens = patchify(images, 2)
    >>> np.array_equal(unpatchify(tokens, (4, 6), 2), images)
    True

    Patches that overlap, blended with a window that favours their centres:

    >>> x = np.linspace(0, 1, 7)
    >>> tokens = patchify(x, 3, stride=2, layout='L')
    >>> np.allclose(unpatchify(tokens, 7, 3, stride=2, layout='L', weights=[1, 2, 1]), x)
    True
    """
    given = _arguments.array("tokens", tokens)
    places = _unpatchified(given.shape, image_size, patch_size, stride, layout, order)
    reduce = _reduction(reduction)
    weights = _weights(weights, places.cut.window, reduction)
    if weights is None and all(step >= patch for step, patch in zip(places.cut.stride, places.cut.window)):
        reduce = SUM  # of one element: the same as the mean, in every dtype
    return scattered(given, places, out, _arguments.threads(threads), reduce, weights)


@_arguments.remembered
def _unpatchified(
    shape: tuple[int, ...], image_size: Any, patch_size: Any, stride: Any, layout: Any, order: Any
) -> Places:
    axes = _layout(layout)
    expected = 3 if axes.batch is not None else 2
    _check_rank("tokens", len(shape), expected, "(N, L, D)" if expected == 3 else "(L, D), as layout has no N")
    fastest = _channels_fastest(order)
    rank = len(axes.spatial)
    extents = _arguments.per_axis("image_size", image_size, rank, "image axis")
    cut = _patch_cut(rank, patch_size, stride)
    for place, extent in enumerate(extents):
        if extent < 0:
            raise ValueError(f"image_size[{place}]={extent}: expected an integer of at least 0")
    windows = cut.windows((1, 1, *extents), _TOKENS._replace(input=b"image_size"))
    if stride is None:
        _check_division("image_size", extents, cut)
    n, length, depth = shape if expected == 3 else (1, *shape)
    taps = math.prod(cut.window)
    c = depth // taps
    if length != math.prod(windows) or depth != c * taps or (axes.channels is None and c != 1):
        depths = f"a multiple of {taps}" if axes.channels is not None else taps
        raise ValueError(
            f"tokens has shape {shape}: expected {math.prod(windows)} patches ({' x '.join(map(str, windows))}) "
            f"of {depths} elements for image_size={extents} and patch_size={cut.window}"
        )
    image = axes.image_shape(n, c, extents)
    return Places(cut, image, *_token_axes(n, c, windows, cut, fastest), axes.canonical())


def _weights(value: Any, window: tuple[int, ...], reduction: str) -> np.ndarray | None:
    if value is None:
        return None
    if reduction == "sum":
        raise ValueError("weights with reduction='sum': expected reduction='mean', whose means they weight")
    weights = _arguments.array("weights", value)
    if weights.dtype.kind == "c":
        raise ValueError(f"weights has dtype {weights.dtype}: expected real numbers")
    if weights.shape != window:
        raise ValueError(f"weights has shape {weights.shape}: expected patch_size={window}")
    return weights


# ---- Views ---------------------------------------------------------------------------------------------------------


def sliding_windows(
    x: ArrayLike,
    window_shape: Ints,
    *,
    axis: Ints | None = None,
    step: Ints = 1,
    dilation: Ints = 1,
    writeable: bool = False,
) -> np.ndarray:
    """
    A view of every window of an array: nothing is copied.

    ``result[..., o, ..., k, ...] = x[..., step*o + dilation*k, ...]``, with the axes of taps k last.

    Parameters
    ----------
    x : array_like
        Any dtype and memory layout.
    window_shape : int or sequence of int
        Extents of the window.
    axis : int or sequence of int, optional
        The axes that it slides over, one for each entry of `window_shape`. Default: all, from the first.
    step : int or sequence of int, optional
        Step between windows.
    dilation : int or sequence of int, optional
        Step between a window's elements.
    writeable : bool, optional
        Whether the view may be written to. Its elements share memory: a write shows in several windows.

    Returns
    -------
    ndarray
        With the axes of `x`, shortened to ``(n - dilation*(k - 1) - 1)//step + 1``, and then `window_shape`.

    Raises
    ------
    ValueError
        A window larger than `x`, an option out of range or of the wrong length, an axis that is not there or named
        twice, ``writeable=True`` of a read-only `x`.
    TypeError
        An option that is not an integer, a masked or sparse array.
    OverflowError
        Options that pass 64 bits.

    See Also
    --------
    numpy.lib.stride_tricks.sliding_window_view : The same without `step` and `dilation`.

    Notes
    -----
    The arguments of NumPy's function, with the `step` of scikit-image's ``view_as_windows``.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.windows import sliding_windows
    >>> sliding_windows(np.arange(8), 3, step=2)
    array([[0, 1, 2],
           [2, 3, 4],
           [4, 5, 6]])
    >>> sliding_windows(np.zeros((10, 32, 32)), (3, 3), axis=(1, 2), dilation=2).shape
    (10, 28, 28, 3, 3)
    """
    if isinstance(x, np.ndarray):
        _arguments.refuse_masked("x", x)
    else:
        x = _arguments.array("x", x)
    window = _arguments.per_axis("window_shape", window_shape, None)
    if axis is None:
        if len(window) != x.ndim:
            raise ValueError(f"window_shape={window_shape!r}: expected x.ndim={x.ndim} entries where axis is None")
        axes = tuple(range(x.ndim))
    else:
        axes = _arguments.per_axis("axis", axis, None)
        if len(axes) != len(window):
            raise ValueError(f"axis={axis!r}: expected {len(window)} of them, one for each entry of window_shape")
        for entry in axes:
            if not -x.ndim <= entry < x.ndim:
                raise ValueError(f"axis={axis!r} holds {entry}: x has {x.ndim} axes")
        axes = tuple(entry % x.ndim for entry in axes)
        if len(set(axes)) != len(axes):
            raise ValueError(f"axis={axis!r} names an axis twice: expected distinct axes")
    if writeable and not x.flags.writeable:
        raise ValueError("writeable=True: x is read-only")
    steps = _arguments.per_axis("step", step, len(window), "entry of window_shape")
    dilations = _arguments.per_axis("dilation", dilation, len(window), "entry of window_shape")
    zeros = (0,) * len(window)
    cut = Cut(axes, window, steps, dilations, zeros, zeros)
    windows = cut.windows(x.shape, Names(b"x", b"window_shape", b"step"))
    shape, strides = list(x.shape), list(x.strides)
    for at, count, taken in zip(axes, windows, steps):
        shape[at] = count
        strides[at] *= taken if count > 1 else 1
    shape += window
    strides += [x.strides[at] * (taken if taps > 1 else 1) for at, taken, taps in zip(axes, dilations, window)]
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=bool(writeable))


def _check_rank(name: str, ndim: int, expected: int, what: str) -> None:
    if ndim != expected:
        raise ValueError(f"{name}.ndim={ndim}: expected {expected}, {what}")


def _extents(name: str, value: Any, count: int, what: str) -> tuple[int, ...]:
    """A sequence of `count` integers, none of them negative."""
    if hasattr(value, "__index__"):
        raise TypeError(f"{name}={value!r}: expected {count} integers, one for each {what}")
    entries = _arguments.per_axis(name, value, count, what)
    for place, entry in enumerate(entries):
        if entry < 0:
            raise ValueError(f"{name}[{place}]={entry}: expected an integer of at least 0")
    return entries
