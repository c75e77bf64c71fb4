"""Pools: a window's maximum, sum, average or norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, TypeVar

from ._layout import SPATIAL
from ._pool_call import AVERAGE, LP, MAX, SUM, pool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    import numpy as np
    from numpy.typing import ArrayLike, DTypeLike

    Ints = Union[int, Sequence[int]]
    Padding = Union[int, Sequence[int], Sequence[Sequence[int]]]
    Out = Union[np.ndarray, tuple[np.ndarray], None]

F = TypeVar("F", bound=Callable[..., Any])

_PARAMETERS = """\
    input : array_like, shape (N, C, {axes}) or (C, {axes})
        Any dtype{dtypes}, any memory layout, no copy is made.
{first}    kernel_size : int or sequence of int
        Extent of the window, for every window axis or for each one ({axes}); at least 1.
    stride : int or sequence of int, optional
        Step between windows. Default `kernel_size`.
    padding : int, sequence of int or sequence of pairs, optional
        How far windows reach past the input on both sides of an axis: at most half of `kernel_size`, as in torch.
        Pairs ``((before, after), ...)`` may be any numbers of at least 0. The padding holds {filling}.
    ceil_mode : bool, optional
        Round the number of windows up instead of down: the last one may reach past the padded input, but windows that
        start in the padding after the input are dropped (torch's and ONNX's rule).
{last}    dilation : int or sequence of int, optional
        Step between the elements of a window, as ONNX has it for every pool.
    layout : str, optional
        The meaning of the axes of `input` and of the result, such as 'NHWC': N, C and {count} other letters, the axes
        that windows slide over in the order of `kernel_size`. An input without N has one axis fewer. Default
        'NC{letters}'. Nothing is transposed or copied.
    auto_pad : {{'NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'}}, optional
        ONNX's name for a padding: SAME gives ``ceil(n / stride)`` outputs, the odd element of padding after the input
        (UPPER) or before it (LOWER). VALID is no padding, NOTSET (default) what `padding` says.
    dtype : dtype_like, optional
        {dtype}
    out : ndarray or tuple of one ndarray, optional
        Where to write the result: the right shape, any strides, a dtype that the result casts to by the 'same_kind'
        rule. It may overlap `input`.
    threads : int, optional
        Number of threads for this call. Default `swiftconv.get_num_threads`. The result does not depend on it.
"""

_ERRORS = """\
    Raises
    ------
    ValueError
        A number of dimensions, an extent or an option that does not fit: an empty window axis, a window larger than the
        padded input, ``stride=0``, negative padding, lists of the wrong length, a read-only `out`.
    TypeError
        A dtype that cannot be computed with or cast as asked, an option of the wrong type, a masked or sparse array.
    OverflowError
        An integer option beyond 64 bits, or too large for the extents.
    MemoryError
        The result or the workspace cannot be had.
"""


def _documented(summary: str, count: int, example: str, **parts: str) -> Callable[[F], F]:
    """The docstring of one of a family of functions, which differ in the number of window axes."""
    letters = SPATIAL[count]
    axes = ", ".join(letters)

    def document(function: F) -> F:
        fill = {"axes": axes, "count": str(count), "letters": letters}
        texts = {"first": "", "last": "", "dtypes": "", **parts}
        parameters = _PARAMETERS.format(**fill, **{name: text.format(**fill) for name, text in texts.items()})
        function.__doc__ = "\n".join(
            [
                f"\n    {summary.format(**fill)}\n",
                f"    Parameters\n    ----------\n{parameters}",
                f"    Returns\n    -------\n{texts['returns'].format(**fill)}",
                _ERRORS,
                f"    Notes\n    -----\n{texts['notes'].format(**fill)}",
                f"    Examples\n    --------\n{example}    ",
            ]
        )
        return function

    return document


_MAX = {
    "dtypes": " but complex",
    "filling": "the lowest value of the dtype, minus infinity for floats, so it never wins",
    "last": """\
    return_indices : bool, optional
        Return indices too.
""",
    "dtype": "Dtype that the maxima are cast to. Default that of `input`.",
    "returns": """\
    ndarray, or tuple of two
        The maxima, of shape (N, C, {axes}) or (C, {axes}) in the memory order of `input`; `out` where that was given.
        With `return_indices` an int64 array of the same shape besides: where the maximum lies in the input, counted
        over the window axes in C order. Of equal elements it is the first, of several NaN the last, as in torch; -1 for
        a window that holds no element.
""",
    "notes": """\
    ``torch.nn.functional.max_pool``'s signature and results; ONNX's MaxPool with `auto_pad` and pairs of padding. NaN
    in a window makes the maximum NaN. The maximum of bool is any. Unlike torch, axes of N and C may be empty.
""",
}


@_documented(
    "Maximum over windows that slide along {axes}.",
    1,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(6.0).reshape(1, 1, 6)
    >>> values, indices = nn.max_pool1d(x, 2, return_indices=True)
    >>> values.ravel(), indices.ravel()
    (array([1., 3., 5.]), array([1, 3, 5]))
""",
    **_MAX,
)
def max_pool1d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Padding = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    return pool(
        MAX,
        1,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
        return_indices=return_indices,
    )


@_documented(
    "Maximum over windows that slide along {axes}.",
    2,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> values, indices = nn.max_pool2d(x, 2, return_indices=True)
    >>> values.ravel(), indices.ravel()
    (array([ 5.,  7., 13., 15.]), array([ 5,  7, 13, 15]))
""",
    **_MAX,
)
def max_pool2d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Padding = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    return pool(
        MAX,
        2,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
        return_indices=return_indices,
    )


@_documented(
    "Maximum over windows that slide along {axes}.",
    3,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(16.0).reshape(1, 1, 2, 2, 4)
    >>> values, indices = nn.max_pool3d(x, 2, return_indices=True)
    >>> values.ravel(), indices.ravel()
    (array([13., 15.]), array([13, 15]))
""",
    **_MAX,
)
def max_pool3d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Padding = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    return pool(
        MAX,
        3,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
        return_indices=return_indices,
    )


_AVERAGE = {
    "filling": "zeros",
    "last": """\
    count_include_pad : bool, optional
        Whether padding counts among the elements that a sum is divided by (ONNX's default is that it does not). What
        `ceil_mode` lets a window reach past the padding never counts.
    divisor_override : int, optional
        What to divide by instead of the number of elements.
""",
    "dtype": """Floating dtype in which sums are computed, and of the result. Default that of `input`; float64
        for integers and bool.""",
    "returns": """\
    ndarray
        The averages, of shape (N, C, {axes}) or (C, {axes}) in the memory order of `input`; `out` where that was given.
""",
    "notes": """\
    ``torch.nn.functional.avg_pool``'s signature and results, but for integers, whose averages are NumPy's: not
    rounded. ONNX's AveragePool with ``count_include_pad=False``, `auto_pad`, pairs of padding and `dilation`.
    float16 and bfloat16 are summed in float32. A window without an element that counts gives NaN. The order of a sum
    depends on window and memory layout alone, neither on the batch nor on threads.
""",
}

# torch's avg_pool1d has no divisor_override.
_AVERAGE_1D = {**_AVERAGE, "last": _AVERAGE["last"].partition("    divisor_override")[0]}


@_documented(
    "Average over windows that slide along {axes}.",
    1,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(6.0).reshape(1, 1, 6)
    >>> nn.avg_pool1d(x, 2).ravel()
    array([0.5, 2.5, 4.5])
""",
    **_AVERAGE_1D,
)
def avg_pool1d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    *,
    dilation: Ints = 1,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray:
    return pool(
        AVERAGE,
        1,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
        count_include_pad=count_include_pad,
    )


@_documented(
    "Average over windows that slide along {axes}.",
    2,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> nn.avg_pool2d(x, 2).ravel()
    array([ 2.5,  4.5, 10.5, 12.5])
""",
    **_AVERAGE,
)
def avg_pool2d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: Ints = 1,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray:
    return pool(
        AVERAGE,
        2,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


@_documented(
    "Average over windows that slide along {axes}.",
    3,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(16.0).reshape(1, 1, 2, 2, 4)
    >>> nn.avg_pool3d(x, 2).ravel()
    array([6.5, 8.5])
""",
    **_AVERAGE,
)
def avg_pool3d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: Ints = 1,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray:
    return pool(
        AVERAGE,
        3,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


_LP = {
    "dtypes": " but complex",
    "first": """\
    norm_type : float
        The power p: not 0. For infinity and minus infinity the norm is the largest and smallest absolute value.
""",
    "filling": "nothing (zeros for finite p)",
    "last": """\
    absolute : bool, optional
        Sum ``|x|**p`` (ONNX) and not ``x**p`` (default, torch).
""",
    "dtype": """Floating dtype in which sums are computed, and of the result. Default that of `input`; float64
        for integers and bool.""",
    "returns": """\
    ndarray
        The norms, of shape (N, C, {axes}) or (C, {axes}) in the memory order of `input`; `out` where that was given.
""",
    "notes": """\
    ``torch.nn.functional.lp_pool``'s signature: ``(sum of x**p)**(1/p)``, so that with an odd p negative elements count
    as such, and the root of a negative sum is NaN. ONNX's LpPool with ``absolute=True``. With `ceil_mode` torch
    scales a window that reaches past the input as if it were full; here it is the norm of the elements that it has, as
    ONNX defines it. float16 and bfloat16 are summed in float32.
""",
}


@_documented(
    "Power norm ``(sum of x**p)**(1/p)`` over windows that slide along {axes}.",
    1,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(6.0).reshape(1, 1, 6)
    >>> nn.lp_pool1d(x, 1, 2).ravel()
    array([1., 5., 9.])
""",
    **_LP,
)
def lp_pool1d(
    input: ArrayLike,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
    *,
    absolute: bool = False,
    padding: Padding = 0,
    dilation: Ints = 1,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray:
    return pool(
        LP,
        1,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
        norm_type=norm_type,
        absolute=absolute,
    )


@_documented(
    "Power norm ``(sum of x**p)**(1/p)`` over windows that slide along {axes}.",
    2,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> nn.lp_pool2d(x, 1, 2).ravel()
    array([10., 18., 42., 50.])
""",
    **_LP,
)
def lp_pool2d(
    input: ArrayLike,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
    *,
    absolute: bool = False,
    padding: Padding = 0,
    dilation: Ints = 1,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray:
    return pool(
        LP,
        2,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
        norm_type=norm_type,
        absolute=absolute,
    )


@_documented(
    "Power norm ``(sum of x**p)**(1/p)`` over windows that slide along {axes}.",
    3,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(16.0).reshape(1, 1, 2, 2, 4)
    >>> nn.lp_pool3d(x, 1, 2).ravel()
    array([52., 68.])
""",
    **_LP,
)
def lp_pool3d(
    input: ArrayLike,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
    *,
    absolute: bool = False,
    padding: Padding = 0,
    dilation: Ints = 1,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray:
    return pool(
        LP,
        3,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
        norm_type=norm_type,
        absolute=absolute,
    )


_SUM = {
    "filling": "zeros",
    "dtype": "Dtype in which sums are computed, and of the result. Default that of `input`, in which integers wrap.",
    "returns": """\
    ndarray
        The sums, of shape (N, C, {axes}) or (C, {axes}) in the memory order of `input`; `out` where that was given.
""",
    "notes": """\
    `avg_pool{count}d` with a divisor of 1, for every dtype: the sum of bool is any, as NumPy adds them; float16 and
    bfloat16 are summed in float32. The order of a sum depends on window and memory layout alone, neither on the
    batch nor on threads.
""",
}


@_documented(
    "Sum over windows that slide along {axes}.",
    1,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(6.0).reshape(1, 1, 6)
    >>> nn.sum_pool1d(x, 2).ravel()
    array([1., 5., 9.])
""",
    **_SUM,
)
def sum_pool1d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Padding = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray:
    return pool(
        SUM,
        1,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
    )


@_documented(
    "Sum over windows that slide along {axes}.",
    2,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> nn.sum_pool2d(x, 2).ravel()
    array([10., 18., 42., 50.])
""",
    **_SUM,
)
def sum_pool2d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Padding = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray:
    return pool(
        SUM,
        2,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
    )


@_documented(
    "Sum over windows that slide along {axes}.",
    3,
    """\
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> x = np.arange(16.0).reshape(1, 1, 2, 2, 4)
    >>> nn.sum_pool3d(x, 2).ravel()
    array([52., 68.])
""",
    **_SUM,
)
def sum_pool3d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Padding = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    layout: str | None = None,
    auto_pad: str = "NOTSET",
    dtype: DTypeLike | None = None,
    out: Out = None,
    threads: int | None = None,
) -> np.ndarray:
    return pool(
        SUM,
        3,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        auto_pad,
        layout,
        dtype,
        out,
        threads,
    )
