"""Gradients of the convolutions of `swiftconv.nn`, as ``torch.nn.grad``: what backpropagation needs of each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arguments, _dtypes, _results
from .._explain import explainable
from ._call import Call, run
from ._gradients import input_gradient, weight_gradient
from ._options import FORWARD, NAMES, TRANSPOSED, TRANSPOSED_NAMES, Recipe, recipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from numpy.typing import ArrayLike, DTypeLike

    Ints = Union[int, Sequence[int]]
    Padding = Union[str, int, Sequence[int], Sequence[tuple[int, int]]]

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
    "conv_bias",
    "conv_transpose1d_input",
    "conv_transpose1d_weight",
    "conv_transpose2d_input",
    "conv_transpose2d_weight",
    "conv_transpose3d_input",
    "conv_transpose3d_weight",
]


def _recipe(
    spatial: int,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    layout: Any,
    dtype: Any,
    method: Any,
    per_sample: Any,
) -> Recipe:
    return recipe(
        NAMES, FORWARD, spatial, stride, padding, dilation, groups, layout, "zeros", dtype, None, method, per_sample
    )


def _transposed_recipe(
    spatial: int,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
    layout: Any,
    dtype: Any,
    method: Any,
    per_sample: Any,
) -> Recipe:
    return recipe(
        TRANSPOSED_NAMES, TRANSPOSED, spatial, stride, padding, dilation, groups, layout, "zeros", dtype, None, method,
        per_sample, output_padding,
    )  # fmt: skip


def _input(
    spatial: int, input_size: Any, weight: Any, grad_output: Any, stride: Any, padding: Any, dilation: Any, groups: Any,
    layout: Any, dtype: Any, out: Any, method: Any, threads: Any, per_sample: Any,
) -> Call:  # fmt: skip
    made = _recipe(spatial, stride, padding, dilation, groups, layout, dtype, method, per_sample)
    return input_gradient(made, input_size, weight, grad_output, out, threads)


def _weight(
    spatial: int, input: Any, weight_size: Any, grad_output: Any, stride: Any, padding: Any, dilation: Any, groups: Any,
    layout: Any, dtype: Any, out: Any, method: Any, threads: Any, per_sample: Any,
) -> Call:  # fmt: skip
    made = _recipe(spatial, stride, padding, dilation, groups, layout, dtype, method, per_sample)
    return weight_gradient(made, input, weight_size, grad_output, out, threads)


def _transposed_input(
    spatial: int, input_size: Any, weight: Any, grad_output: Any, stride: Any, padding: Any, output_padding: Any,
    groups: Any, dilation: Any, layout: Any, dtype: Any, out: Any, method: Any, threads: Any, per_sample: Any,
) -> Call:  # fmt: skip
    made = _transposed_recipe(
        spatial, stride, padding, output_padding, groups, dilation, layout, dtype, method, per_sample
    )
    return input_gradient(made, input_size, weight, grad_output, out, threads)


def _transposed_weight(
    spatial: int, input: Any, weight_size: Any, grad_output: Any, stride: Any, padding: Any, output_padding: Any,
    groups: Any, dilation: Any, layout: Any, dtype: Any, out: Any, method: Any, threads: Any, per_sample: Any,
) -> Call:  # fmt: skip
    made = _transposed_recipe(
        spatial, stride, padding, output_padding, groups, dilation, layout, dtype, method, per_sample
    )
    return weight_gradient(made, input, weight_size, grad_output, out, threads)


def conv1d_input(
    input_size: Sequence[int],
    weight: ArrayLike,
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv1d` with respect to its input, as ``torch.nn.grad.conv1d_input``.

    `conv2d_input` says more.

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input, (N, C, L) or (C, L).
    weight : array_like, shape (O, C / groups, kL)
        Filters.
    grad_output : array_like, shape (N, O, oL) or (O, oL)
        Gradient with respect to the output.
    stride, padding, dilation, groups
        Those of the layer, as in `conv1d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `input_size`
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv1d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv1d_input((1, 1, 4), np.array([[[1, 10]]]), np.array([[[1, 2, 3]]]))
    array([[[ 1, 12, 23, 30]]])
    """
    return run(
        _input(
            1,
            input_size,
            weight,
            grad_output,
            stride,
            padding,
            dilation,
            groups,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv2d_input(
    input_size: Sequence[int],
    weight: ArrayLike,
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv2d` with respect to its input, as ``torch.nn.grad.conv2d_input``.

    The adjoint of ``x -> conv2d(x, weight)``: the sum of ``conv2d(x, weight) * y`` is that of
    ``x * conv2d_input(x.shape, weight, y)``. No zeros are put between samples, whatever the stride.

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input, (N, C, H, W) or (C, H, W).
    weight : array_like, shape (O, C / groups, kH, kW)
        Filters.
    grad_output : array_like, shape (N, O, oH, oW) or (O, oH, oW)
        Gradient with respect to the output.
    stride, padding, dilation, groups
        Those of the layer, as in `conv2d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `input_size`
        The gradient; `out` where that was given.
        A new array is in the memory order of `grad_output`, or in C order where `layout` is given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv2d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv2d_input((2, 3, 8, 8), np.ones((5, 3, 3, 3)), np.ones((2, 5, 6, 6))).shape
    (2, 3, 8, 8)
    """
    return run(
        _input(
            2,
            input_size,
            weight,
            grad_output,
            stride,
            padding,
            dilation,
            groups,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv3d_input(
    input_size: Sequence[int],
    weight: ArrayLike,
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv3d` with respect to its input, as ``torch.nn.grad.conv3d_input``.

    `conv2d_input` says more.

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input, (N, C, D, H, W) or (C, D, H, W).
    weight : array_like, shape (O, C / groups, kD, kH, kW)
        Filters.
    grad_output : array_like, shape (N, O, oD, oH, oW) or (O, oD, oH, oW)
        Gradient with respect to the output.
    stride, padding, dilation, groups
        Those of the layer, as in `conv3d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `input_size`
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv3d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv3d_input((1, 2, 4, 5, 6), np.ones((3, 2, 2, 2, 2)), np.ones((1, 3, 3, 4, 5))).shape
    (1, 2, 4, 5, 6)
    """
    return run(
        _input(
            3,
            input_size,
            weight,
            grad_output,
            stride,
            padding,
            dilation,
            groups,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv1d_weight(
    input: ArrayLike,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv1d` with respect to its weight, as ``torch.nn.grad.conv1d_weight``.

    `conv2d_weight` says more.

    Parameters
    ----------
    input : array_like, shape (N, C, L) or (C, L)
        The layer's input.
    weight_size : sequence of int
        Shape of the weight, (O, C / groups, kL).
    grad_output : array_like, shape (N, O, oL) or (O, oL)
        Gradient with respect to the output.
    stride, padding, dilation, groups
        Those of the layer, as in `conv1d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `weight_size`
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv1d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv1d_weight(np.array([[[1, 2, 4, 8]]]), (1, 1, 2), np.array([[[1, 1, 1]]]))
    array([[[ 7, 14]]])
    """
    return run(
        _weight(
            1,
            input,
            weight_size,
            grad_output,
            stride,
            padding,
            dilation,
            groups,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv2d_weight(
    input: ArrayLike,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv2d` with respect to its weight, as ``torch.nn.grad.conv2d_weight``.

    The adjoint of ``w -> conv2d(input, w)``: for each tap a sum over samples and outputs, in an
    order that does not depend on the number of threads.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        The layer's input.
    weight_size : sequence of int
        Shape of the weight, (O, C / groups, kH, kW).
    grad_output : array_like, shape (N, O, oH, oW) or (O, oH, oW)
        Gradient with respect to the output.
    stride, padding, dilation, groups
        Those of the layer, as in `conv2d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `weight_size`
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv2d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv2d_weight(np.ones((2, 3, 8, 8)), (5, 3, 3, 3), np.ones((2, 5, 6, 6))).shape
    (5, 3, 3, 3)
    """
    return run(
        _weight(
            2,
            input,
            weight_size,
            grad_output,
            stride,
            padding,
            dilation,
            groups,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv3d_weight(
    input: ArrayLike,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv3d` with respect to its weight, as ``torch.nn.grad.conv3d_weight``.

    `conv2d_weight` says more.

    Parameters
    ----------
    input : array_like, shape (N, C, D, H, W) or (C, D, H, W)
        The layer's input.
    weight_size : sequence of int
        Shape of the weight, (O, C / groups, kD, kH, kW).
    grad_output : array_like, shape (N, O, oD, oH, oW) or (O, oD, oH, oW)
        Gradient with respect to the output.
    stride, padding, dilation, groups
        Those of the layer, as in `conv3d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `weight_size`
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv3d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv3d_weight(np.ones((1, 2, 4, 5, 6)), (3, 2, 2, 2, 2), np.ones((1, 3, 3, 4, 5))).shape
    (3, 2, 2, 2, 2)
    """
    return run(
        _weight(
            3,
            input,
            weight_size,
            grad_output,
            stride,
            padding,
            dilation,
            groups,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv_transpose1d_input(
    input_size: Sequence[int],
    weight: ArrayLike,
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv_transpose1d` with respect to its input.

    `conv_transpose2d_input` says more.

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input, (N, C, L) or (C, L).
    weight : array_like, shape (C, O / groups, kL)
        Filters.
    grad_output : array_like, shape (N, O, oL) or (O, oL)
        Gradient with respect to the output.
    stride, padding, output_padding, groups, dilation
        Those of the layer, as in `conv_transpose1d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `input_size`
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv_transpose1d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv_transpose1d_input((1, 2, 4), np.ones((2, 3, 2)), np.ones((1, 3, 5))).shape
    (1, 2, 4)
    """
    return run(
        _transposed_input(
            1,
            input_size,
            weight,
            grad_output,
            stride,
            padding,
            output_padding,
            groups,
            dilation,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv_transpose2d_input(
    input_size: Sequence[int],
    weight: ArrayLike,
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv_transpose2d` with respect to its input.

    The adjoint of ``x -> conv_transpose2d(x, weight)``: the sum of ``conv_transpose2d(x, weight) * y`` is that of
    ``x * conv_transpose2d_input(x.shape, weight, y)``. No zeros are put between samples, whatever the stride.

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input, (N, C, H, W) or (C, H, W).
    weight : array_like, shape (C, O / groups, kH, kW)
        Filters.
    grad_output : array_like, shape (N, O, oH, oW) or (O, oH, oW)
        Gradient with respect to the output.
    stride, padding, output_padding, groups, dilation
        Those of the layer, as in `conv_transpose2d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `input_size`
        The gradient; `out` where that was given.
        A new array is in the memory order of `grad_output`, or in C order where `layout` is given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv_transpose2d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv_transpose2d_input((2, 3, 8, 8), np.ones((3, 5, 3, 3)), np.ones((2, 5, 10, 10))).shape
    (2, 3, 8, 8)
    """
    return run(
        _transposed_input(
            2,
            input_size,
            weight,
            grad_output,
            stride,
            padding,
            output_padding,
            groups,
            dilation,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv_transpose3d_input(
    input_size: Sequence[int],
    weight: ArrayLike,
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv_transpose3d` with respect to its input.

    `conv_transpose2d_input` says more.

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input, (N, C, D, H, W) or (C, D, H, W).
    weight : array_like, shape (C, O / groups, kD, kH, kW)
        Filters.
    grad_output : array_like, shape (N, O, oD, oH, oW) or (O, oD, oH, oW)
        Gradient with respect to the output.
    stride, padding, output_padding, groups, dilation
        Those of the layer, as in `conv_transpose3d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `input_size`
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv_transpose3d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv_transpose3d_input((1, 2, 4, 5, 6), np.ones((2, 3, 2, 2, 2)), np.ones((1, 3, 5, 6, 7))).shape
    (1, 2, 4, 5, 6)
    """
    return run(
        _transposed_input(
            3,
            input_size,
            weight,
            grad_output,
            stride,
            padding,
            output_padding,
            groups,
            dilation,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv_transpose1d_weight(
    input: ArrayLike,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv_transpose1d` with respect to its weight.

    `conv_transpose2d_weight` says more.

    Parameters
    ----------
    input : array_like, shape (N, C, L) or (C, L)
        The layer's input.
    weight_size : sequence of int
        Shape of the weight, (C, O / groups, kL).
    grad_output : array_like, shape (N, O, oL) or (O, oL)
        Gradient with respect to the output.
    stride, padding, output_padding, groups, dilation
        Those of the layer, as in `conv_transpose1d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `weight_size`
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv_transpose1d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv_transpose1d_weight(np.ones((1, 2, 4)), (2, 3, 2), np.ones((1, 3, 5))).shape
    (2, 3, 2)
    """
    return run(
        _transposed_weight(
            1,
            input,
            weight_size,
            grad_output,
            stride,
            padding,
            output_padding,
            groups,
            dilation,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv_transpose2d_weight(
    input: ArrayLike,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv_transpose2d` with respect to its weight.

    The adjoint of ``w -> conv_transpose2d(input, w)``: for each tap a sum over samples and outputs, in an
    order that does not depend on the number of threads.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        The layer's input.
    weight_size : sequence of int
        Shape of the weight, (C, O / groups, kH, kW).
    grad_output : array_like, shape (N, O, oH, oW) or (O, oH, oW)
        Gradient with respect to the output.
    stride, padding, output_padding, groups, dilation
        Those of the layer, as in `conv_transpose2d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `weight_size`
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv_transpose2d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv_transpose2d_weight(np.ones((2, 3, 8, 8)), (3, 5, 3, 3), np.ones((2, 5, 10, 10))).shape
    (3, 5, 3, 3)
    """
    return run(
        _transposed_weight(
            2,
            input,
            weight_size,
            grad_output,
            stride,
            padding,
            output_padding,
            groups,
            dilation,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv_transpose3d_weight(
    input: ArrayLike,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
    per_sample: bool = False,
) -> np.ndarray:
    """
    Gradient of `conv_transpose3d` with respect to its weight.

    `conv_transpose2d_weight` says more.

    Parameters
    ----------
    input : array_like, shape (N, C, D, H, W) or (C, D, H, W)
        The layer's input.
    weight_size : sequence of int
        Shape of the weight, (C, O / groups, kD, kH, kW).
    grad_output : array_like, shape (N, O, oD, oH, oW) or (O, oD, oH, oW)
        Gradient with respect to the output.
    stride, padding, output_padding, groups, dilation
        Those of the layer, as in `conv_transpose3d`.
    layout, dtype, out, method, threads, per_sample
        As in `conv2d`; `layout` says the order of the axes of input, weight and output, and so of their gradients.

    Returns
    -------
    ndarray, shape `weight_size`
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv_transpose3d` does; a `grad_output` that has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv_transpose3d_weight(np.ones((1, 2, 4, 5, 6)), (2, 3, 2, 2, 2), np.ones((1, 3, 5, 6, 7))).shape
    (2, 3, 2, 2, 2)
    """
    return run(
        _transposed_weight(
            3,
            input,
            weight_size,
            grad_output,
            stride,
            padding,
            output_padding,
            groups,
            dilation,
            layout,
            dtype,
            out,
            method,
            threads,
            per_sample,
        )
    )


def conv_bias(
    grad_output: ArrayLike,
    *,
    layout: str | None = None,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
) -> np.ndarray:
    """
    Gradient of a convolution with respect to its bias: the sum over every axis but the channels'.

    Parameters
    ----------
    grad_output : array_like, shape (N, O, ...)
        Gradient with respect to the output.
    layout : str, optional
        Letters of the axes of `grad_output`, with C for the channels, such as 'NHWC', or 'CHW' without a batch.
        Default: channels on axis 1.
    dtype : dtype_like, optional
        Dtype to sum in, and of the result; default that of `grad_output`. Integers wrap, bool is OR, float16 and
        bfloat16 accumulate in float32.
    out : ndarray or tuple of one ndarray, optional
        Where to write the result, as in `conv2d`.

    Returns
    -------
    ndarray, shape (O,)
        The gradient; `out` where that was given.

    Raises
    ------
    ValueError
        `grad_output` without a channel axis, a `layout` that does not fit it.
    TypeError
        A dtype that cannot be computed with or cast as asked; a masked array.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> nn.grad.conv_bias(np.ones((10, 4, 8, 8)))
    array([640., 640., 640., 640.])
    """
    gradient = _arguments.array("grad_output", grad_output)
    out = _arguments.output(out)
    result = _results.result_dtype(
        ("grad_output", "grad_output"), gradient, gradient, None if dtype is None else _arguments.dtype(dtype)
    ).newbyteorder("=")
    axis = _channel_axis(gradient.ndim, layout)
    _results.check_output(out, (gradient.shape[axis],), result)
    others = tuple(place for place in range(gradient.ndim) if place != axis)
    if result.kind == "b":
        sums = np.logical_or.reduce(gradient, axis=others)
    else:
        narrow = _dtypes.code_of(result) in (_dtypes.FLOAT16, _dtypes.BFLOAT16)
        sums = np.sum(gradient, axis=others, dtype=np.float32 if narrow else result).astype(result)
    if out is None:
        return sums
    np.copyto(out, sums, casting="unsafe")  # check_output has applied the rule
    return out


def _channel_axis(ndim: int, layout: str | None) -> int:
    if layout is None:
        if ndim < 2:
            raise ValueError(f"grad_output.ndim={ndim}: expected at least 2 (N, C and the spatial axes)")
        return 1
    if not isinstance(layout, str):
        raise TypeError(f"layout={layout!r}: expected None or letters such as 'NHWC'")
    letters = "".join(layout.split())
    if letters.count("C") != 1 or len(letters) != ndim:
        raise ValueError(f"layout={layout!r}: expected {ndim} letters, an axis of grad_output each, with C among them")
    return letters.index("C")


for _prepare, _functions in (
    (_input, (conv1d_input, conv2d_input, conv3d_input)),
    (_weight, (conv1d_weight, conv2d_weight, conv3d_weight)),
    (_transposed_input, (conv_transpose1d_input, conv_transpose2d_input, conv_transpose3d_input)),
    (_transposed_weight, (conv_transpose1d_weight, conv_transpose2d_weight, conv_transpose3d_weight)),
):
    for _spatial, _function in enumerate(_functions, 1):
        explainable(_function, _prepare, _spatial)
