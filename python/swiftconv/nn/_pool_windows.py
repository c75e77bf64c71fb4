"""Where a pool's windows lie: kernel_size, stride, padding, dilation, auto_pad and layout as users write them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from .. import _arguments, _native
from . import _padding
from ._layout import layouts

AUTO_PADS = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")


class Windows(NamedTuple):
    """What the core calls by the same names; an entry for each axis of the window."""

    axes: tuple[int, ...]
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding_low: tuple[int, ...]
    padding_high: tuple[int, ...]
    ceil_mode: bool


def windows(
    shape: tuple[int, ...],
    count: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: Any,
    auto_pad: Any,
    layout: Any,
) -> tuple[Windows, tuple[int, ...]]:
    """Windows over the `count` spatial axes of an input of `shape`, and the shape of the result.

    From a cache, where they are what they were.
    """
    plain = (
        type(ceil_mode) is bool
        and type(auto_pad) is str
        and (layout is None or type(layout) is str)
        and (stride is None or _arguments.is_plain(stride))
        and _arguments.is_plain(kernel_size)
        and _arguments.is_plain(padding)
        and _arguments.is_plain(dilation)
    )
    find = _remembered if plain else _windows
    return find(shape, count, kernel_size, stride, padding, dilation, ceil_mode, auto_pad, layout)


def _windows(
    shape: tuple[int, ...],
    count: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: Any,
    auto_pad: Any,
    layout: Any,
) -> tuple[Windows, tuple[int, ...]]:
    axes = spatial_axes(layout, len(shape), count)
    kernel = _arguments.per_spatial_axis("kernel_size", kernel_size, count)
    stride = kernel if _is_absent(stride) else _arguments.per_spatial_axis("stride", stride, count)
    dilation = _arguments.per_spatial_axis("dilation", dilation, count)
    if auto_pad not in AUTO_PADS:
        raise ValueError(f"auto_pad={auto_pad!r}: expected one of {', '.join(map(repr, AUTO_PADS))}")
    pads = _pads(padding, kernel)
    if auto_pad != "NOTSET" and any(pads):
        raise ValueError(f"padding={padding!r} with auto_pad={auto_pad!r}: expected one of them, not both")
    if auto_pad.startswith("SAME"):
        extents = tuple([shape[axis] for axis in axes])
        pads = _padding.same(auto_pad == "SAME_LOWER", extents, kernel, stride, dilation)
        ceil_mode = False  # as many windows as there are steps, whatever the rounding
    none = (0,) * count
    where = Windows(axes, kernel, stride, dilation, pads.low or none, pads.high or none, bool(ceil_mode))
    return where, _native.pool_shape(shape, *where)


_remembered = lru_cache(maxsize=512, typed=True)(_windows)


def spatial_axes(layout: Any, ndim: int, count: int) -> tuple[int, ...]:
    """The axes of an input, batched or not, that are neither N nor C."""
    if layout is not None:
        expected = "None or letters such as 'NHWC'"
        if not isinstance(layout, str):
            raise TypeError(f"layout={layout!r}: expected {expected}")
        if not layout.isalpha():  # nothing for a weight, no other order for the output
            raise ValueError(f"layout={layout!r}: expected {expected}")
    found = layouts(layout, count, False, False).of("input", ndim)
    order = range(count + 2) if found.input is None else found.input
    return tuple([axis - (not found.batched) for axis in order[2:]])


def _is_absent(stride: Any) -> bool:
    # torch takes an empty list for None.
    return stride is None or (isinstance(stride, (list, tuple)) and not stride)


def _pads(padding: Any, kernel: tuple[int, ...]) -> _padding.Pads:
    if type(padding) is int and padding == 0:
        return _padding.Pads(None, None)
    pads = _padding.normalised(padding, len(kernel), names=())
    if pads.low is not None and not _padding.holds_pairs(padding):
        for place, (amount, taps) in enumerate(zip(pads.low, kernel)):
            if 2 * amount > taps:
                raise ValueError(
                    f"padding={padding!r}: expected at most {taps // 2} along window axis {place}, half of kernel_size "
                    f"{taps}, found {amount} (pairs may be any)"
                )
    return pads
