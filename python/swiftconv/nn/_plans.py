"""plan_conv1d, plan_conv2d, plan_conv3d and their transposed twins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._options import FORWARD, NAMES, TRANSPOSED, TRANSPOSED_NAMES, recipe
from ._plan import ConvolutionPlan, planned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike

    from ._conv import Activation, Ints, Padding

_OPERANDS = ("input", "weight")


def plan_conv1d(
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    layout: str | None = None,
    padding_mode: str = "zeros",
    dtype: DTypeLike | None = None,
    input_dtype: DTypeLike | None = None,
    activation: Activation = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> ConvolutionPlan:
    """
    `conv1d` with its filter given once and packed once.

    `plan_conv2d` describes plans and their parameters.

    Parameters
    ----------
    weight : array_like, shape (O, C / groups, kL)
        Filters; copied.
    bias : array_like, shape (O,), optional
        Added to each output channel; copied.
    input_shape, input_dtype
        As in `plan_conv2d`.
    stride, padding, dilation, groups, layout, padding_mode, dtype, activation, method, threads, per_sample
        As in `conv1d`.

    Returns
    -------
    ConvolutionPlan
        ``plan(input, out=None)`` is ``conv1d(input, weight, bias, ..., out=out)``, to the same bits.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `plan_conv2d` does.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> difference = nn.plan_conv1d(np.array([[[-1.0, 1.0]]]))
    >>> difference(np.array([[[1.0, 4.0, 9.0, 16.0]]]))
    array([[[3., 5., 7.]]])
    """
    made = recipe(
        NAMES, FORWARD, 1, stride, padding, dilation, groups, layout, padding_mode, dtype, activation, method,
        per_sample,
    )  # fmt: skip
    return planned("plan_conv1d", _OPERANDS, made, weight, bias, input_shape, input_dtype, threads)


def plan_conv2d(
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    layout: str | None = None,
    padding_mode: str = "zeros",
    dtype: DTypeLike | None = None,
    input_dtype: DTypeLike | None = None,
    activation: Activation = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> ConvolutionPlan:
    """
    `conv2d` with its filter given once and packed once: a layer that is called many times.

    Parameters
    ----------
    weight : array_like, shape (O, C / groups, kH, kW)
        Filters; copied.
    bias : array_like, shape (O,), optional
        Added to each output channel; copied.
    input_shape : sequence of int, optional
        Shape of the inputs to prepare for, in the layout's order, with or without the batch axis: the filter is packed
        at once for C-ordered inputs and results of that shape. Without it, the first call does that. Inputs of another
        shape or memory order are taken all the same.
    stride, padding, dilation, groups, layout, padding_mode, dtype, activation, method, threads, per_sample
        As in `conv2d`. The plan's dtype is `dtype`; without it, that of the weight.
    input_dtype : dtype_like, optional
        Dtype of the inputs to prepare for. Without `dtype`, the plan's is then ``np.result_type(input_dtype, weight)``.

    Returns
    -------
    ConvolutionPlan
        ``plan(input, out=None)`` is ``conv2d(input, weight, bias, ..., out=out)``, to the same bits.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv2d` does for what does not depend on the input, or for an input of shape `input_shape`; the rest is
        raised by the call.

    See Also
    --------
    conv2d : The function, with the filter given in each call.
    ConvolutionPlan : What a plan does and knows.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> weight, bias = np.ones((16, 3, 3, 3), np.float32), np.zeros(16, np.float32)
    >>> layer = nn.plan_conv2d(weight, bias, input_shape=(1, 3, 32, 32), padding=1, activation='relu')
    >>> out = np.empty(layer.output_shape((8, 3, 32, 32)), np.float32)
    >>> layer(np.ones((8, 3, 32, 32), np.float32), out=out) is out
    True
    """
    made = recipe(
        NAMES, FORWARD, 2, stride, padding, dilation, groups, layout, padding_mode, dtype, activation, method,
        per_sample,
    )  # fmt: skip
    return planned("plan_conv2d", _OPERANDS, made, weight, bias, input_shape, input_dtype, threads)


def plan_conv3d(
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    layout: str | None = None,
    padding_mode: str = "zeros",
    dtype: DTypeLike | None = None,
    input_dtype: DTypeLike | None = None,
    activation: Activation = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> ConvolutionPlan:
    """
    `conv3d` with its filter given once and packed once.

    `plan_conv2d` describes plans and their parameters.

    Parameters
    ----------
    weight : array_like, shape (O, C / groups, kD, kH, kW)
        Filters; copied.
    bias : array_like, shape (O,), optional
        Added to each output channel; copied.
    input_shape, input_dtype
        As in `plan_conv2d`.
    stride, padding, dilation, groups, layout, padding_mode, dtype, activation, method, threads, per_sample
        As in `conv3d`.

    Returns
    -------
    ConvolutionPlan
        ``plan(input, out=None)`` is ``conv3d(input, weight, bias, ..., out=out)``, to the same bits.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `plan_conv2d` does.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.plan_conv3d(np.ones((6, 1, 3, 3, 3)), stride=(1, 2, 2))(np.ones((4, 1, 8, 16, 16))).shape
    (4, 6, 6, 7, 7)
    """
    made = recipe(
        NAMES, FORWARD, 3, stride, padding, dilation, groups, layout, padding_mode, dtype, activation, method,
        per_sample,
    )  # fmt: skip
    return planned("plan_conv3d", _OPERANDS, made, weight, bias, input_shape, input_dtype, threads)


def plan_conv_transpose1d(
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    input_dtype: DTypeLike | None = None,
    activation: Activation = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> ConvolutionPlan:
    """
    `conv_transpose1d` with its filter given once and packed once.

    `plan_conv2d` describes plans and their parameters.

    Parameters
    ----------
    weight : array_like, shape (C, O / groups, kL)
        Filters; copied.
    bias : array_like, shape (O,), optional
        Added to each output channel; copied.
    input_shape, input_dtype
        As in `plan_conv2d`.
    stride, padding, output_padding, groups, dilation, layout, dtype, activation, method, threads, per_sample
        As in `conv_transpose1d`.

    Returns
    -------
    ConvolutionPlan
        ``plan(input, out=None)`` is ``conv_transpose1d(input, weight, bias, ..., out=out)``, to the same bits.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `plan_conv2d` does.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.plan_conv_transpose1d(np.array([[[1, 10]]]), stride=2)(np.array([[[1, 2, 3]]]))
    array([[[ 1, 10,  2, 20,  3, 30]]])
    """
    made = recipe(
        TRANSPOSED_NAMES, TRANSPOSED, 1, stride, padding, dilation, groups, layout, "zeros", dtype, activation, method,
        per_sample, output_padding,
    )  # fmt: skip
    return planned("plan_conv_transpose1d", _OPERANDS, made, weight, bias, input_shape, input_dtype, threads)


def plan_conv_transpose2d(
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    input_dtype: DTypeLike | None = None,
    activation: Activation = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> ConvolutionPlan:
    """
    `conv_transpose2d` with its filter given once and packed once.

    `plan_conv2d` describes plans and their parameters.

    Parameters
    ----------
    weight : array_like, shape (C, O / groups, kH, kW)
        Filters; copied.
    bias : array_like, shape (O,), optional
        Added to each output channel; copied.
    input_shape, input_dtype
        As in `plan_conv2d`.
    stride, padding, output_padding, groups, dilation, layout, dtype, activation, method, threads, per_sample
        As in `conv_transpose2d`.

    Returns
    -------
    ConvolutionPlan
        ``plan(input, out=None)`` is ``conv_transpose2d(input, weight, bias, ..., out=out)``, to the same bits.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `plan_conv2d` does.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> upsampling = nn.plan_conv_transpose2d(np.ones((16, 8, 2, 2), np.float32), stride=2)
    >>> upsampling(np.ones((4, 16, 7, 7), np.float32)).shape
    (4, 8, 14, 14)
    """
    made = recipe(
        TRANSPOSED_NAMES, TRANSPOSED, 2, stride, padding, dilation, groups, layout, "zeros", dtype, activation, method,
        per_sample, output_padding,
    )  # fmt: skip
    return planned("plan_conv_transpose2d", _OPERANDS, made, weight, bias, input_shape, input_dtype, threads)


def plan_conv_transpose3d(
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    input_dtype: DTypeLike | None = None,
    activation: Activation = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> ConvolutionPlan:
    """
    `conv_transpose3d` with its filter given once and packed once.

    `plan_conv2d` describes plans and their parameters.

    Parameters
    ----------
    weight : array_like, shape (C, O / groups, kD, kH, kW)
        Filters; copied.
    bias : array_like, shape (O,), optional
        Added to each output channel; copied.
    input_shape, input_dtype
        As in `plan_conv2d`.
    stride, padding, output_padding, groups, dilation, layout, dtype, activation, method, threads, per_sample
        As in `conv_transpose3d`.

    Returns
    -------
    ConvolutionPlan
        ``plan(input, out=None)`` is ``conv_transpose3d(input, weight, bias, ..., out=out)``, to the same bits.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `plan_conv2d` does.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.plan_conv_transpose3d(np.ones((2, 3, 2, 2, 2)), stride=2)(np.ones((1, 2, 4, 4, 4))).shape
    (1, 3, 8, 8, 8)
    """
    made = recipe(
        TRANSPOSED_NAMES, TRANSPOSED, 3, stride, padding, dilation, groups, layout, "zeros", dtype, activation, method,
        per_sample, output_padding,
    )  # fmt: skip
    return planned("plan_conv_transpose3d", _OPERANDS, made, weight, bias, input_shape, input_dtype, threads)
