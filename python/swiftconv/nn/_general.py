"""conv_general_dilated."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arguments, _results
from .._explain import explainable
from . import _padding
from ._call import Call, convolved, prepare
from ._layout import Layout, Layouts, layouts, permuted
from ._options import FORWARD, METHODS, Options, Recipe, names, plain_recipe
from ._plan import ConvolutionPlan, planned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from numpy.typing import ArrayLike, DTypeLike

    Specification = Union[str, Sequence[int]]

_NAMES = names(
    input="lhs",
    weight="rhs",
    stride="window_strides",
    dilation="rhs_dilation",
    input_dilation="lhs_dilation",
    groups="feature_group_count",
    batch_groups="batch_group_count",
    **{"output channels": "output features", "input channels": "input features"},
)
_OPERANDS = ("lhs", "rhs")
_PADDINGS = {"VALID": "valid", "SAME": "same", "SAME_LOWER": "same_lower"}
# The core has room for one axis more, the samples' filters.
_MOST_AXES = 31


def conv_general_dilated(
    lhs: ArrayLike,
    rhs: ArrayLike,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: tuple[Specification, Specification, Specification] | None = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
    *,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
) -> np.ndarray:
    """
    Convolution with strides, dilation of both operands and two kinds of groups, as ``jax.lax.conv_general_dilated``.

    A cross-correlation summed over features, as `conv2d`, for any number of spatial axes.

    Parameters
    ----------
    lhs : array_like
        The input: batch, features and spatial axes, in the order of `dimension_numbers`.
    rhs : array_like
        The filters: output features, input features of a group and spatial axes.
    window_strides : sequence of int
        Step between windows, for each spatial axis.
    padding : {'VALID', 'SAME', 'SAME_LOWER'} or sequence of pairs
        Elements before and after each spatial axis; negative ones crop. 'SAME' gives ``ceil(n / stride)`` outputs, an
        odd element at the end, with 'SAME_LOWER' at the start. Case does not matter.
    lhs_dilation : sequence of int, optional
        Step between the samples of `lhs`, with zeros in between, before padding. Default: 1 each.
    rhs_dilation : sequence of int, optional
        Step between the elements of `lhs` under neighbours in `rhs`. Default: 1 each.
    dimension_numbers : tuple of three strings or of three sequences of int, optional
        The axes of `lhs`, `rhs` and the output. As letters ``('NHWC', 'HWIO', 'NHWC')``: N batch, C features, O and I
        the output and input features of `rhs`, others spatial; what is per axis follows the spatial letters of `rhs`.
        As integers (``jax.lax.ConvDimensionNumbers``), the axes of batch, features and space; of output features, input
        features and space; of batch, features and space. Default: that order, 'NCHW' and 'OIHW'.
    feature_group_count : int, optional
        Output features of a group see the input features of that group only. It divides both.
    batch_group_count : int, optional
        Output features of a group see that part of the batch only, which becomes as much smaller. Not together with
        `feature_group_count`.
    precision : optional
        Ignored: products and sums are always in the precision of the result's dtype, or a wider one.
    preferred_element_type : dtype_like, optional
        Dtype in which products and sums are computed, and of the result. Default ``np.result_type(lhs, rhs)`` (jax
        refuses operands of two dtypes).
    out, method, threads
        As in `conv2d`.

    Returns
    -------
    ndarray
        The output; empty where the dilated filter is larger than the padded input. A new array is in C order where
        `dimension_numbers` is given, and else in the memory order of `lhs`.

    Raises
    ------
    ValueError
        Extents or options that disagree, ``window_strides`` of 0, string padding together with `lhs_dilation`, padding
        that crops more than there is.
    TypeError
        A dtype that cannot be computed with or cast as asked; an option of the wrong type; a masked array.
    OverflowError, MemoryError
        As `conv2d` does.

    See Also
    --------
    conv2d : torch's form, with bias, activation and boundaries.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> lhs, rhs = np.ones((8, 28, 28, 3), np.float32), np.ones((5, 5, 3, 16), np.float32)
    >>> nn.conv_general_dilated(lhs, rhs, (2, 2), 'SAME', dimension_numbers=('NHWC', 'HWIO', 'NHWC')).shape
    (8, 14, 14, 16)

    A transposed convolution: zeros between the samples, and a filter's reach around.

    >>> x, w = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[10.0, 1.0]]])
    >>> nn.conv_general_dilated(x, w, (1,), [(1, 1)], lhs_dilation=(2,))
    array([[[ 1., 10.,  2., 20.,  3., 30.]]])
    """
    lhs, rhs = _arguments.array("lhs", lhs), _arguments.array("rhs", rhs)
    made = _recipe(
        _spatial_axes(lhs, rhs), window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers,
        feature_group_count, batch_group_count, preferred_element_type, method,
    )  # fmt: skip
    return convolved(made, lhs, rhs, None, out, threads, _OPERANDS)


def _prepare(
    lhs: Any,
    rhs: Any,
    window_strides: Any,
    padding: Any,
    lhs_dilation: Any,
    rhs_dilation: Any,
    dimension_numbers: Any,
    feature_group_count: Any,
    batch_group_count: Any,
    precision: Any,
    preferred_element_type: Any,
    out: Any,
    method: Any,
    threads: Any,
) -> Call:
    lhs, rhs = _arguments.array("lhs", lhs), _arguments.array("rhs", rhs)
    made = _recipe(
        _spatial_axes(lhs, rhs), window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers,
        feature_group_count, batch_group_count, preferred_element_type, method,
    )  # fmt: skip
    return prepare(made, lhs, rhs, None, out, threads, _OPERANDS)


def plan_conv_general_dilated(
    rhs: ArrayLike,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: tuple[Specification, Specification, Specification] | None = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    input_dtype: DTypeLike | None = None,
    method: str = "auto",
    threads: int | None = None,
) -> ConvolutionPlan:
    """
    `conv_general_dilated` with its filter given once and packed once.

    `plan_conv2d` describes plans.

    Parameters
    ----------
    rhs : array_like
        The filters; copied.
    window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, feature_group_count, batch_group_count
        As in `conv_general_dilated`.
    precision, preferred_element_type
        As in `conv_general_dilated`. The plan's dtype is the latter; without it, that of `rhs`.
    input_shape, input_dtype
        Shape and dtype of `lhs`, as in `plan_conv2d`.
    method, threads
        As in `conv2d`.

    Returns
    -------
    ConvolutionPlan
        ``plan(lhs, out=None)`` is ``conv_general_dilated(lhs, rhs, ..., out=out)``, to the same bits.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `conv_general_dilated` does for what does not depend on `lhs`, or for one of shape `input_shape`.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> layer = nn.plan_conv_general_dilated(
    ...     np.ones((5, 5, 3, 16), np.float32), (2, 2), 'SAME', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
    >>> layer(np.ones((8, 28, 28, 3), np.float32)).shape
    (8, 14, 14, 16)
    """
    rhs = _arguments.array("rhs", rhs)
    made = _recipe(
        _spatial_axes(rhs, rhs), window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers,
        feature_group_count, batch_group_count, preferred_element_type, method,
    )  # fmt: skip
    return planned("plan_conv_general_dilated", _OPERANDS, made, rhs, None, input_shape, input_dtype, threads)


def _recipe(
    spatial: int,
    window_strides: Any,
    padding: Any,
    lhs_dilation: Any,
    rhs_dilation: Any,
    dimension_numbers: Any,
    feature_group_count: Any,
    batch_group_count: Any,
    preferred_element_type: Any,
    method: Any,
) -> Recipe:
    layout = Layouts(_layout(dimension_numbers, spatial), None)
    options = Options(
        names=_NAMES,
        operation=FORWARD,
        spatial_ndim=spatial,
        method=_arguments.named("method", method, METHODS),
        groups=_groups("feature_group_count", feature_group_count),
        batch_groups=_groups("batch_group_count", batch_group_count),
        stride=_steps("window_strides", window_strides, spatial),
        dilation=None if rhs_dilation is None else _steps("rhs_dilation", rhs_dilation, spatial),
        input_dilation=None if lhs_dilation is None else _steps("lhs_dilation", lhs_dilation, spatial),
    )
    if options.groups > 1 and options.batch_groups > 1:
        raise ValueError(
            f"feature_group_count={options.groups} and batch_group_count={options.batch_groups}: expected one of them "
            "to be 1"
        )
    found = _padding_of(options, padding)
    same = found if isinstance(found, str) else ""
    low, high = (None, None) if isinstance(found, str) else found
    options = options._replace(padding_low=low, padding_high=high)
    dtype = _results.given_dtype(preferred_element_type)
    return Recipe(options, same, layout, dtype, plain_recipe(options, same, layout, dtype), may_have_no_window=True)


def _spatial_axes(lhs: np.ndarray, rhs: np.ndarray) -> int:
    if lhs.ndim != rhs.ndim:
        raise ValueError(f"lhs.ndim={lhs.ndim} and rhs.ndim={rhs.ndim}: expected as many axes")
    if not 2 <= lhs.ndim <= _MOST_AXES:
        raise ValueError(f"lhs.ndim={lhs.ndim}: expected from 2 to {_MOST_AXES} axes, batch and features among them")
    return lhs.ndim - 2


def _layout(dimension_numbers: Any, spatial: int) -> Layout:
    if dimension_numbers is None:
        return permuted(None, None, None, spatial, given=False)
    what = "expected None, or three strings or sequences of integers, for lhs, rhs and the output"
    if not isinstance(dimension_numbers, (tuple, list)) or len(dimension_numbers) != 3:
        raise TypeError(f"dimension_numbers={dimension_numbers!r}: {what}")
    if all(isinstance(part, str) for part in dimension_numbers):
        return _layout_of_letters(tuple(dimension_numbers), spatial)
    try:
        axes = [tuple([_arguments.integer("", axis, "") for axis in part]) for part in dimension_numbers]
    except TypeError:
        raise TypeError(f"dimension_numbers={dimension_numbers!r}: {what}") from None
    for part in axes:
        if sorted(part) != list(range(spatial + 2)):
            raise ValueError(
                f"dimension_numbers={dimension_numbers!r} holds {part}: expected the axes 0 to {spatial + 1}, each once"
            )
    return permuted(*axes, spatial, given=True)


@lru_cache(maxsize=256)
def _layout_of_letters(letters: tuple[str, str, str], spatial: int) -> Layout:
    try:
        made = layouts("{},{}->{}".format(*letters), spatial, False, False).batched
    except ValueError as error:
        raise ValueError(f"dimension_numbers={letters!r}: as a {error}") from None
    if made is None:
        raise ValueError(f"dimension_numbers={letters!r}: expected N among the letters of lhs")
    return made


def _groups(name: str, value: Any) -> int:
    count = _arguments.integer(name, value, "an integer of at least 1")
    if count < 1:
        raise ValueError(f"{name}={value!r}: expected an integer of at least 1")
    return count


def _steps(name: str, value: Any, spatial: int) -> tuple[int, ...] | None:
    if isinstance(value, str) or not hasattr(value, "__len__"):
        raise TypeError(f"{name}={value!r}: expected a sequence of {spatial} integers")
    steps = _arguments.per_axis(name, value, spatial, "spatial axis")
    if min(steps, default=1) < 1:
        raise ValueError(f"{name}={value!r} holds {min(steps)}: expected integers of at least 1")
    return steps


def _padding_of(options: Options, padding: Any) -> _padding.Padding:
    """Pads, or 'same' or 'same_lower', whose pads wait for the extents."""
    expected = "expected 'VALID', 'SAME', 'SAME_LOWER' or a sequence of pairs"
    none = _padding.Pads(None, None)
    if isinstance(padding, str):
        name = _PADDINGS.get(padding.upper())
        if name is None:
            raise ValueError(f"padding={padding!r}: {expected}")
        if max(options.input_dilation or (1,)) > 1:
            raise ValueError(f"padding={padding!r} with lhs_dilation={options.input_dilation}: expected pairs")
        return none if name == "valid" else name
    if not hasattr(padding, "__len__"):
        raise TypeError(f"padding={padding!r}: {expected}")
    if options.spatial_ndim == 0 and len(padding) == 0:
        return none
    if not _padding.holds_pairs(padding):
        raise ValueError(f"padding={padding!r}: {expected}")
    return _padding.normalised(padding, options.spatial_ndim, negative=True)


explainable(conv_general_dilated, _prepare)
