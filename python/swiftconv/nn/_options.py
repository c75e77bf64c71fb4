"""Options of a convolution: everything about a call but its arrays.

A `Recipe` is what the options of a public function come to. It is immutable and holds no array, so that it can be
cached, kept in a plan and pickled.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .. import _arguments, _dtypes
from . import _padding
from ._layout import Layouts, layouts

FORWARD, TRANSPOSED, WEIGHT = range(3)
_PLAIN_SAME = {"": 0, "same": 1, "same_lower": 2}
METHODS = {"auto": 0, "direct": 1, "gemm": 2, "winograd": 3, "reference": 4}
# torch's names; the codes are those of the boundaries of correlate.
PADDING_MODES = {"zeros": 0, "circular": 1, "symmetric": 2, "reflect": 3, "replicate": 4}
ACTIVATIONS = {"relu": (0.0, math.inf), "relu6": (0.0, 6.0)}


# What the core's arguments are called, by sc_argument, and the roles of the first two axes of the weight.
_NAMES = {
    name: name
    for name in (
        "argument", "a", "v", "out", "mode", "axes", "padding_mode", "origin", "stride", "dilation", "dtype", "method",
        "threads", "operation", "input", "weight", "bias", "grad_output", "padding", "output_padding", "input_dilation",
        "groups", "batch_groups", "activation", "kernel_size", "patches", "output channels", "input channels",
    )
}  # fmt: skip


def names(**renamed: str) -> tuple[str, ...]:
    """The names under which errors speak of the core's arguments."""
    return tuple({**_NAMES, **renamed}.values())


NAMES = names()
TRANSPOSED_NAMES = names(
    grad_output="input", **{"output channels": "input channels", "input channels": "output channels"}
)


class Options(NamedTuple):
    """sc_conv, field by field, as `_native.conv` takes it."""

    names: tuple[str, ...]
    operation: int
    spatial_ndim: int
    boundary: int = 0
    method: int = 0
    per_sample: bool = False
    activation: bool = False
    lowest: float = 0.0
    highest: float = 0.0
    groups: int = 1
    batch_groups: int = 1
    stride: tuple[int, ...] | None = None
    dilation: tuple[int, ...] | None = None
    padding_low: tuple[int, ...] | None = None
    padding_high: tuple[int, ...] | None = None
    input_dilation: tuple[int, ...] | None = None
    output_padding: tuple[int, ...] | None = None


class Recipe(NamedTuple):
    options: Options
    same: str  # 'same' or 'same_lower', whose padding waits for the extents; '' where it stands in `options`
    layouts: Layouts
    dtype: np.dtype | None
    plain: tuple[Any, ...] | None  # `plain_recipe`
    may_have_no_window: bool = False  # as in jax: an empty result, and no error

    def resolved(self, extents: tuple[int, ...], taps: tuple[int, ...]) -> Options:
        """The options for spatial extents of the input and of the weight."""
        options = self.options
        if not self.same:
            return options
        low, high = _padding.same(self.same == "same_lower", extents, taps, options.stride, options.dilation)
        return options._replace(padding_low=low, padding_high=high)


def recipe(
    names: tuple[str, ...],
    operation: int,
    spatial: int,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    layout: Any = None,
    padding_mode: Any = "zeros",
    dtype: Any = None,
    activation: Any = None,
    method: Any = "auto",
    per_sample: Any = False,
    output_padding: Any = 0,
) -> Recipe:
    """The recipe of a function with torch's options; from a cache, where they are what they were."""
    if type(stride) is not int and not _arguments.is_plain(stride):
        stride = _arguments.per_spatial_axis("stride", stride, spatial)
    if type(dilation) is not int and not _arguments.is_plain(dilation):
        dilation = _arguments.per_spatial_axis("dilation", dilation, spatial)
    if type(output_padding) is not int and not _arguments.is_plain(output_padding):
        output_padding = _arguments.per_spatial_axis("output_padding", output_padding, spatial)
    if type(padding) is not int and type(padding) is not str and not _arguments.is_plain(padding):
        padding = _padding.normalised(padding, spatial)
    if type(groups) is not int:
        groups = _arguments.integer("groups", groups, "an integer of at least 1")
    if layout is not None and type(layout) is not str:
        raise TypeError(f"layout={layout!r}: expected None or letters such as 'NHWC' or 'NHWC,HWIO->NHWC'")
    if type(per_sample) is not bool:
        raise TypeError(f"per_sample={per_sample!r}: expected True or False")
    return _recipe(
        names,
        operation,
        spatial,
        stride,
        padding,
        dilation,
        groups,
        layout,
        _arguments.named("padding_mode", padding_mode, PADDING_MODES),
        None if dtype is None else _arguments.dtype(dtype),
        None if activation is None else _bounds(activation),
        _arguments.named("method", method, METHODS),
        per_sample,
        output_padding,
    )


@lru_cache(maxsize=512, typed=True)
def _recipe(
    names: tuple[str, ...],
    operation: int,
    spatial: int,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    layout: str | None,
    boundary: int,
    dtype: np.dtype | None,
    activation: tuple[float, float] | None,
    method: int,
    per_sample: bool,
    output_padding: Any,
) -> Recipe:
    padding = _padding.normalised(padding, spatial, () if operation == TRANSPOSED else _padding.NAMES)
    same = padding if isinstance(padding, str) else ""
    low, high = (None, None) if same else padding
    options = Options(
        names=names,
        operation=operation,
        spatial_ndim=spatial,
        boundary=boundary,
        method=method,
        per_sample=per_sample,
        activation=activation is not None,
        lowest=0.0 if activation is None else activation[0],
        highest=0.0 if activation is None else activation[1],
        groups=groups,
        stride=_unless("stride", stride, spatial, 1),
        dilation=_unless("dilation", dilation, spatial, 1),
        padding_low=low,
        padding_high=high,
        output_padding=_unless("output_padding", output_padding, spatial, 0),
    )
    made = layouts(layout, spatial, operation == TRANSPOSED, per_sample)
    return Recipe(options, same, made, dtype, plain_recipe(options, same, made, dtype))


def plain_recipe(options: Options, same: str, layouts: Layouts, dtype: np.dtype | None) -> tuple[Any, ...] | None:
    """What C needs to know of plain calls (conv_plain.h); None where the result's dtype is not one of NumPy's plain."""
    code = None if dtype is None else _dtypes.code_of(dtype)
    if dtype is not None and (code is None or code == _dtypes.BFLOAT16):
        return None
    batched, unbatched = (
        None if layout is None else (layout.input, layout.output, layout.result) for layout in layouts
    )
    weight, keeps_order = layouts.any.weight, layouts.any.in_memory_order_of_input
    return (options, code, weight, batched, unbatched, _PLAIN_SAME[same], keeps_order)


def _unless(name: str, value: Any, spatial: int, default: int) -> tuple[int, ...] | None:
    """An integer for each spatial axis; None, the core's spelling of it, where all are the default."""
    entries = _arguments.per_spatial_axis(name, value, spatial)
    return None if entries == (default,) * spatial else entries


def _bounds(activation: Any) -> tuple[float, float]:
    """Between what the results are clamped; infinite where there is no bound."""
    expected = "None, 'relu', 'relu6' or a pair of bounds, (lowest, highest), None for no bound"
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation={activation!r}: expected {expected}")
        return ACTIVATIONS[activation]
    if not isinstance(activation, (tuple, list)) or len(activation) != 2:
        raise TypeError(f"activation={activation!r}: expected {expected}")
    try:
        lowest, highest = (
            float(open_end) if bound is None else float(bound)
            for bound, open_end in zip(activation, (-math.inf, math.inf))
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"activation={activation!r}: expected {expected}") from error
    if not lowest <= highest:
        raise ValueError(f"activation={activation!r}: expected bounds in order")
    return lowest, highest


def check_activation(options: Options, dtype: np.dtype) -> None:
    """A clamp needs an order, and bounds that the result can hold."""
    if not options.activation:
        return
    if dtype.kind in "bc":
        raise TypeError(f"activation with a result of dtype {dtype}: expected integers or floats")
    if dtype.kind in "iu":
        for bound in (options.lowest, options.highest):
            if math.isfinite(bound) and bound != math.floor(bound):
                raise ValueError(f"activation holds {bound}: expected integers for a result of dtype {dtype}")
