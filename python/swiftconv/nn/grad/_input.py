"""Gradients with respect to the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..._explain import explainable
from .._call import Call, run
from .._gradients import input_gradient
from .._options import FORWARD, NAMES, TRANSPOSED, TRANSPOSED_NAMES, recipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from numpy.typing import ArrayLike, DTypeLike

    Ints = Union[int, Sequence[int]]
    Padding = Union[str, int, Sequence[int], Sequence[tuple[int, int]]]


def _prepare(
    spatial: int, input_size: Any, weight: Any, grad_output: Any, stride: Any, padding: Any, dilation: Any, groups: Any,
    layout: Any, dtype: Any, out: Any, method: Any, threads: Any, per_sample: Any,
) -> Call:  # fmt: skip
    made = recipe(
        NAMES, FORWARD, spatial, stride, padding, dilation, groups, layout, "zeros", dtype, None, method, per_sample
    )
    return input_gradient(made, input_size, weight, grad_output, out, threads)


def _prepare_transposed(
    spatial: int, input_size: Any, weight: Any, grad_output: Any, stride: Any, padding: Any, output_padding: Any,
    groups: Any, dilation: Any, layout: Any, dtype: Any, out: Any, method: Any, threads: Any, per_sample: Any,
) -> Call:  # fmt: skip
    made = recipe(
        TRANSPOSED_NAMES, TRANSPOSED, spatial, stride, padding, dilation, groups, layout, "zeros", dtype, None, method,
        per_sample, output_padding,
    )  # fmt: skip
    return input_gradient(made, input_size, weight, grad_output, out, threads)


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
        _prepare(
            1, input_size, weight, grad_output, stride, padding, dilation, groups, layout, dtype, out, method, threads,
            per_sample,
        )
    )  # fmt: skip


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
        The gradient; `out` where that was given. A new array is in the memory order of `grad_output`, or in C order
        where `layout` is given.

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
        _prepare(
            2, input_size, weight, grad_output, stride, padding, dilation, groups, layout, dtype, out, method, threads,
            per_sample,
        )
    )  # fmt: skip


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
        _prepare(
            3, input_size, weight, grad_output, stride, padding, dilation, groups, layout, dtype, out, method, threads,
            per_sample,
        )
    )  # fmt: skip


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
        _prepare_transposed(
            1, input_size, weight, grad_output, stride, padding, output_padding, groups, dilation, layout, dtype, out,
            method, threads, per_sample,
        )
    )  # fmt: skip


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
        The gradient; `out` where that was given. A new array is in the memory order of `grad_output`, or in C order
        where `layout` is given.

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
        _prepare_transposed(
            2, input_size, weight, grad_output, stride, padding, output_padding, groups, dilation, layout, dtype, out,
            method, threads, per_sample,
        )
    )  # fmt: skip


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
        _prepare_transposed(
            3, input_size, weight, grad_output, stride, padding, output_padding, groups, dilation, layout, dtype, out,
            method, threads, per_sample,
        )
    )  # fmt: skip


for _made, _functions in (
    (_prepare, (conv1d_input, conv2d_input, conv3d_input)),
    (_prepare_transposed, (conv_transpose1d_input, conv_transpose2d_input, conv_transpose3d_input)),
):
    for _spatial, _function in enumerate(_functions, 1):
        explainable(_function, _made, _spatial)
