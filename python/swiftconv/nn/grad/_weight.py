"""Gradients with respect to the weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..._explain import explainable
from .._call import Call, run
from .._gradients import weight_gradient
from .._options import FORWARD, NAMES, TRANSPOSED, TRANSPOSED_NAMES, recipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from numpy.typing import ArrayLike, DTypeLike

    Ints = Union[int, Sequence[int]]
    Padding = Union[str, int, Sequence[int], Sequence[tuple[int, int]]]


def _prepare(
    spatial: int, input: Any, weight_size: Any, grad_output: Any, stride: Any, padding: Any, dilation: Any, groups: Any,
    layout: Any, dtype: Any, out: Any, method: Any, threads: Any, per_sample: Any,
) -> Call:  # fmt: skip
    made = recipe(
        NAMES, FORWARD, spatial, stride, padding, dilation, groups, layout, "zeros", dtype, None, method, per_sample
    )
    return weight_gradient(made, input, weight_size, grad_output, out, threads)


def _prepare_transposed(
    spatial: int, input: Any, weight_size: Any, grad_output: Any, stride: Any, padding: Any, output_padding: Any,
    groups: Any, dilation: Any, layout: Any, dtype: Any, out: Any, method: Any, threads: Any, per_sample: Any,
) -> Call:  # fmt: skip
    made = recipe(
        TRANSPOSED_NAMES, TRANSPOSED, spatial, stride, padding, dilation, groups, layout, "zeros", dtype, None, method,
        per_sample, output_padding,
    )  # fmt: skip
    return weight_gradient(made, input, weight_size, grad_output, out, threads)


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
        _prepare(
            1, input, weight_size, grad_output, stride, padding, dilation, groups, layout, dtype, out, method, threads,
            per_sample,
        )
    )  # fmt: skip


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
        _prepare(
            2, input, weight_size, grad_output, stride, padding, dilation, groups, layout, dtype, out, method, threads,
            per_sample,
        )
    )  # fmt: skip


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
        _prepare(
            3, input, weight_size, grad_output, stride, padding, dilation, groups, layout, dtype, out, method, threads,
            per_sample,
        )
    )  # fmt: skip


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
        _prepare_transposed(
            1, input, weight_size, grad_output, stride, padding, output_padding, groups, dilation, layout, dtype, out,
            method, threads, per_sample,
        )
    )  # fmt: skip


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
        _prepare_transposed(
            2, input, weight_size, grad_output, stride, padding, output_padding, groups, dilation, layout, dtype, out,
            method, threads, per_sample,
        )
    )  # fmt: skip


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
        _prepare_transposed(
            3, input, weight_size, grad_output, stride, padding, output_padding, groups, dilation, layout, dtype, out,
            method, threads, per_sample,
        )
    )  # fmt: skip


for _made, _functions in (
    (_prepare, (conv1d_weight, conv2d_weight, conv3d_weight)),
    (_prepare_transposed, (conv_transpose1d_weight, conv_transpose2d_weight, conv_transpose3d_weight)),
):
    for _spatial, _function in enumerate(_functions, 1):
        explainable(_function, _made, _spatial)
