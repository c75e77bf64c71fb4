"""conv1d, conv2d, conv3d and their transposed twins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._explain import explainable
from ._call import Call, convolved, prepare
from ._options import FORWARD, NAMES, TRANSPOSED, TRANSPOSED_NAMES, recipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from numpy.typing import ArrayLike, DTypeLike

    Ints = Union[int, Sequence[int]]
    Padding = Union[str, int, Sequence[int], Sequence[tuple[int, int]]]
    Activation = Union[str, tuple[Union[float, None], Union[float, None]], None]


def _forward(
    spatial: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    layout: Any,
    padding_mode: Any,
    dtype: Any,
    activation: Any,
    out: Any,
    method: Any,
    threads: Any,
    per_sample: Any,
) -> Call:
    made = recipe(
        NAMES, FORWARD, spatial, stride, padding, dilation, groups, layout, padding_mode, dtype, activation, method,
        per_sample,
    )  # fmt: skip
    return prepare(made, input, weight, bias, out, threads)


def _transposed(
    spatial: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
    layout: Any,
    dtype: Any,
    activation: Any,
    out: Any,
    method: Any,
    threads: Any,
    per_sample: Any,
) -> Call:
    made = recipe(
        TRANSPOSED_NAMES, TRANSPOSED, spatial, stride, padding, dilation, groups, layout, "zeros", dtype, activation,
        method, per_sample, output_padding,
    )  # fmt: skip
    return prepare(made, input, weight, bias, out, threads)


def conv1d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
    padding_mode: str = "zeros",
    dtype: DTypeLike | None = None,
    activation: Activation = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Convolution layer over signals with channels, as ``torch.nn.functional.conv1d``.

    `conv2d` describes the parameters, with one spatial axis less here.

    Parameters
    ----------
    input : array_like, shape (N, C, L) or (C, L)
        Signals.
    weight : array_like, shape (O, C / groups, kL)
        Filters.
    bias : array_like, shape (O,), optional
        Added to each output channel.
    stride, padding, dilation, groups, layout, padding_mode, dtype, activation, out, method, threads, per_sample
        As in `conv2d`.

    Returns
    -------
    ndarray, shape (N, O, oL) or (O, oL)
        The output; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv2d` does.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> steps = np.array([[[1.0, 4.0, 9.0, 16.0]]])
    >>> nn.conv1d(steps, np.array([[[-1.0, 1.0]]]))
    array([[[3., 5., 7.]]])
    """
    made = recipe(
        NAMES,
        FORWARD,
        1,
        stride,
        padding,
        dilation,
        groups,
        layout,
        padding_mode,
        dtype,
        activation,
        method,
        per_sample,
    )
    return convolved(made, input, weight, bias, out, threads)


def conv2d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
    padding_mode: str = "zeros",
    dtype: DTypeLike | None = None,
    activation: Activation = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Convolution layer over images with channels, as ``torch.nn.functional.conv2d``.

    A cross-correlation summed over the channels of a group: the filter is neither flipped nor conjugated.
    ``output[n, o, y, x] = bias[o] + sum over c, i, j of input[n, c, y*stride + i*dilation - padding, ...] *
    weight[o, c, i, j]``. There are ``(H + padding before and after - dilation*(kH - 1) - 1) // stride + 1`` rows of
    output, and so many columns likewise.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        Images, in any memory layout: nothing is copied. Without the batch axis the output lacks it too.
    weight : array_like, shape (O, C / groups, kH, kW)
        Filters.
    bias : array_like, shape (O,), optional
        Added to each output channel. Its dtype casts to that of the result by the 'same_kind' rule.
    stride : int or sequence of int, optional
        Step between windows, for every spatial axis or for each one.
    padding : int, sequence of int, sequence of pairs, or {'valid', 'same', 'same_lower'}, optional
        Elements added to both ends of every axis or of each one, or with pairs before and after each. 'valid' is none.
        'same' gives ``ceil(H / stride)`` rows by TensorFlow's rule, and by torch's, which knows stride 1 alone: what
        is odd goes to the end, with 'same_lower' (ONNX, jax) to the start.
    dilation : int or sequence of int, optional
        Step between the elements of the input under neighbours in the filter.
    groups : int, optional
        Output channels of a group see the input channels of that group only. It divides both.
    layout : str, optional
        The order of the axes. 'NHWC': input and output; the weight keeps the order above. With letters for all three,
        ``'NHWC,HWIO->NHWC'``: N batch, C channels, O and I the weight's output and input channels; any other letters
        are spatial axes. `stride`, `padding` and `dilation` follow the weight's spatial letters, as in jax. Default:
        'NCHW'. A transposed view in the default layout is as fast.
    padding_mode : {'zeros', 'reflect', 'replicate', 'circular', 'symmetric'}, optional
        What padding holds, as in ``torch.nn.Conv2d``; 'symmetric' repeats the edge (`numpy.pad`'s).
    dtype : dtype_like, optional
        Dtype in which products and sums are computed, and of the result: int8 by int8 with ``dtype=int32`` is exact.
        Default ``np.result_type(input, weight)`` (torch refuses operands of two dtypes). Integers wrap, bool is OR of
        ANDs, float16 and bfloat16 accumulate in float32.
    activation : {None, 'relu', 'relu6'} or pair of float, optional
        Bounds between which results are clamped before they are rounded or cast: 'relu' is ``(0, None)``, 'relu6'
        ``(0, 6)``, and None no bound. NaN stays NaN.
    out : ndarray or tuple of one ndarray, optional
        Where to write the result: the right shape, any strides, a dtype that the result casts to by the 'same_kind'
        rule. It may overlap the operands.
    method : {'auto', 'direct', 'gemm', 'winograd', 'reference'}, optional
        Algorithm. 'auto' picks by shape and accuracy.
    threads : int, optional
        Number of threads for this call. Default `get_num_threads`. The result does not depend on it.
    per_sample : bool, optional
        Every sample has its own filters: weight has shape (N, O, C / groups, kH, kW), `bias` (N, O) or (O,). In
        `layout` the weight's letters then hold an N.

    Returns
    -------
    ndarray, shape (N, O, oH, oW) or (O, oH, oW)
        The output, `out` where that was given. A new array is in C order where `layout` says what the axes are, and
        else in the memory order of `input`: channels-last gives channels-last.

    Raises
    ------
    ValueError
        Extents that disagree, a filter larger than the padded input, an empty axis other than N, ``stride=0``, negative
        padding, `groups` that do not divide the channels, an unknown name, a read-only `out`, padding that
        `padding_mode` cannot fill: 'reflect' needs it less than the extent, 'circular' no more.
    TypeError
        A dtype that cannot be computed with or cast as asked; `activation` on complex or bool; a masked array.
    OverflowError
        An integer option too large for the extents, or beyond 64 bits.
    MemoryError
        The result or the workspace cannot be had.

    See Also
    --------
    conv_transpose2d : Its adjoint.
    conv_general_dilated : jax's general form.
    swiftconv.nn.grad : Its gradients.
    swiftconv.explain : What would run.

    Notes
    -----
    object and longdouble arrays are computed through NumPy, slowly. `out` is untouched if an exception is raised before
    the work starts, and partly written after a KeyboardInterrupt.

    Examples
    --------
    Sums over 3 x 3 windows and both channels:

    >>> import numpy as np
    >>> from swiftconv import nn
    >>> images = np.ones((10, 2, 28, 28), np.float32)
    >>> weight = np.ones((1, 2, 3, 3), np.float32)
    >>> nn.conv2d(images, weight, padding=1)[0, 0, :3, :3]
    array([[ 8., 12., 12.],
           [12., 18., 18.],
           [12., 18., 18.]], dtype=float32)

    The same on channels-last images, with every second window:

    >>> nn.conv2d(np.moveaxis(images, 1, -1), weight, stride=2, padding='same', layout='NHWC').shape
    (10, 14, 14, 1)
    """
    made = recipe(
        NAMES,
        FORWARD,
        2,
        stride,
        padding,
        dilation,
        groups,
        layout,
        padding_mode,
        dtype,
        activation,
        method,
        per_sample,
    )
    return convolved(made, input, weight, bias, out, threads)


def conv3d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
    padding_mode: str = "zeros",
    dtype: DTypeLike | None = None,
    activation: Activation = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Convolution layer over volumes with channels, as ``torch.nn.functional.conv3d``.

    `conv2d` describes the parameters, with one spatial axis more here.

    Parameters
    ----------
    input : array_like, shape (N, C, D, H, W) or (C, D, H, W)
        Volumes.
    weight : array_like, shape (O, C / groups, kD, kH, kW)
        Filters.
    bias : array_like, shape (O,), optional
        Added to each output channel.
    stride, padding, dilation, groups, layout, padding_mode, dtype, activation, out, method, threads, per_sample
        As in `conv2d`.

    Returns
    -------
    ndarray, shape (N, O, oD, oH, oW) or (O, oD, oH, oW)
        The output; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv2d` does.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.conv3d(np.ones((4, 1, 8, 16, 16)), np.ones((6, 1, 3, 3, 3)), stride=(1, 2, 2)).shape
    (4, 6, 6, 7, 7)
    """
    made = recipe(
        NAMES,
        FORWARD,
        3,
        stride,
        padding,
        dilation,
        groups,
        layout,
        padding_mode,
        dtype,
        activation,
        method,
        per_sample,
    )
    return convolved(made, input, weight, bias, out, threads)


def conv_transpose1d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    activation: Activation = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Transposed convolution over signals with channels, as ``torch.nn.functional.conv_transpose1d``.

    `conv_transpose2d` describes the parameters, with one spatial axis less here.

    Parameters
    ----------
    input : array_like, shape (N, C, L) or (C, L)
        Signals.
    weight : array_like, shape (C, O / groups, kL)
        Filters.
    bias : array_like, shape (O,), optional
        Added to each output channel.
    stride, padding, output_padding, groups, dilation
        As in `conv_transpose2d`.
    layout, dtype, activation, out, method, threads, per_sample
        As in `conv2d`.

    Returns
    -------
    ndarray, shape (N, O, oL) or (O, oL)
        The output; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv_transpose2d` does.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.conv_transpose1d(np.array([[[1, 2, 3]]]), np.array([[[1, 10]]]), stride=2)
    array([[[ 1, 10,  2, 20,  3, 30]]])
    """
    made = recipe(
        TRANSPOSED_NAMES, TRANSPOSED, 1, stride, padding, dilation, groups, layout, "zeros", dtype, activation, method,
        per_sample, output_padding,
    )  # fmt: skip
    return convolved(made, input, weight, bias, out, threads)


def conv_transpose2d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    activation: Activation = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Transposed convolution over images with channels, as ``torch.nn.functional.conv_transpose2d``.

    The adjoint of `conv2d` with the same weight: every input sample adds its multiple of the filter to the output, from
    ``stride`` times its position on. There are ``(H - 1)*stride - 2*padding + dilation*(kH - 1) + output_padding + 1``
    rows of output.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        Images, in any memory layout.
    weight : array_like, shape (C, O / groups, kH, kW)
        Filters, input channels first: those of the `conv2d` whose adjoint this is.
    bias : array_like, shape (O,), optional
        Added to each output channel.
    stride : int or sequence of int, optional
        Step between neighbours of the input in the output.
    padding : int, sequence of int, or sequence of pairs, optional
        Elements taken away from both ends of the output, with pairs from the start and the end.
    output_padding : int or sequence of int, optional
        Elements added to the output's end, fewer than `stride` or than `dilation`.
    groups : int, optional
        As in `conv2d`; it stands before `dilation`, as in torch.
    dilation : int or sequence of int, optional
        Step in the output between neighbours in the filter.
    layout : str, optional
        As in `conv2d`: in the weight's letters, I are the channels of this function's input and O of its output, and
        the default is ``'NCHW,IOHW->NCHW'``.
    dtype, activation, out, method, threads, per_sample
        As in `conv2d`.

    Returns
    -------
    ndarray, shape (N, O, oH, oW) or (O, oH, oW)
        The output, in the memory order that `conv2d` says; `out` where that was given.

    Raises
    ------
    ValueError
        As `conv2d`; `output_padding` that is negative or too large, `padding` that takes away more than there is
        (exactly as much leaves an empty output).
    TypeError, OverflowError, MemoryError
        As `conv2d` does.

    See Also
    --------
    conv2d : Its parameters are described in full.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.array([[[[1, 2], [3, 4]]]])
    >>> nn.conv_transpose2d(x, np.ones((1, 1, 2, 2), int), stride=2)[0, 0]
    array([[1, 1, 2, 2],
           [1, 1, 2, 2],
           [3, 3, 4, 4],
           [3, 3, 4, 4]])
    """
    made = recipe(
        TRANSPOSED_NAMES, TRANSPOSED, 2, stride, padding, dilation, groups, layout, "zeros", dtype, activation, method,
        per_sample, output_padding,
    )  # fmt: skip
    return convolved(made, input, weight, bias, out, threads)


def conv_transpose3d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    activation: Activation = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Transposed convolution over volumes with channels, as ``torch.nn.functional.conv_transpose3d``.

    `conv_transpose2d` describes the parameters, with one spatial axis more here.

    Parameters
    ----------
    input : array_like, shape (N, C, D, H, W) or (C, D, H, W)
        Volumes.
    weight : array_like, shape (C, O / groups, kD, kH, kW)
        Filters.
    bias : array_like, shape (O,), optional
        Added to each output channel.
    stride, padding, output_padding, groups, dilation
        As in `conv_transpose2d`.
    layout, dtype, activation, out, method, threads, per_sample
        As in `conv2d`.

    Returns
    -------
    ndarray, shape (N, O, oD, oH, oW) or (O, oD, oH, oW)
        The output; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv_transpose2d` does.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.conv_transpose3d(np.ones((1, 2, 4, 4, 4)), np.ones((2, 3, 2, 2, 2)), stride=2).shape
    (1, 3, 8, 8, 8)
    """
    made = recipe(
        TRANSPOSED_NAMES, TRANSPOSED, 3, stride, padding, dilation, groups, layout, "zeros", dtype, activation, method,
        per_sample, output_padding,
    )  # fmt: skip
    return convolved(made, input, weight, bias, out, threads)


for _spatial, _functions in enumerate(
    ((conv1d, conv_transpose1d), (conv2d, conv_transpose2d), (conv3d, conv_transpose3d)), 1
):
    for _function, _prepare in zip(_functions, (_forward, _transposed)):
        explainable(_function, _prepare, _spatial)
