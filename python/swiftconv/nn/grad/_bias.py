"""The gradient with respect to the bias."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ... import _arguments, _dtypes, _results

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


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
