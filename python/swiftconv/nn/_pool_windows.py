"""Where a pool's windows lie: kernel_size, stride, padding, dilation, auto_pad and layout as users write them."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

AUTO_PADS = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
_SPATIAL = {1: "W", 2: "HW", 3: "DHW"}


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
) -> Windows:
    """Windows over the `count` spatial axes of an input of `shape`."""
    axes = spatial_axes(layout, len(shape), count)
    kernel = per_axis("kernel_size", kernel_size, count, 1)
    stride = kernel if _is_absent(stride) else per_axis("stride", stride, count, 1)
    dilation = (1,) * count if type(dilation) is int and dilation == 1 else per_axis("dilation", dilation, count, 1)
    if auto_pad not in AUTO_PADS:
        raise ValueError(f"auto_pad={auto_pad!r}: expected one of {', '.join(map(repr, AUTO_PADS))}")
    low = high = (0,) * count
    if not (type(padding) is int and padding == 0):
        low, high = _paddings(padding, kernel)
        if auto_pad != "NOTSET" and any(low + high):
            raise ValueError(f"padding={padding!r} with auto_pad={auto_pad!r}: expected one of them, not both")
    if auto_pad.startswith("SAME"):
        extents = [shape[axis] for axis in axes]
        low, high = _same(extents, kernel, stride, dilation, auto_pad == "SAME_UPPER")
        ceil_mode = False  # as many windows as there are steps, whatever the rounding
    return Windows(axes, kernel, stride, dilation, low, high, bool(ceil_mode))


def spatial_axes(layout: Any, ndim: int, count: int) -> tuple[int, ...]:
    """The axes of an input, batched or not, that are neither N nor C."""
    if layout is None:
        if ndim not in (count + 1, count + 2):
            letters = "C" + _SPATIAL[count]
            raise ValueError(f"input.ndim={ndim}: expected {count + 2} (N{letters}), or {count + 1} ({letters})")
        return tuple(range(ndim - count, ndim))
    if not isinstance(layout, str):
        raise TypeError(f"layout={layout!r}: expected a string such as 'N{'C' + _SPATIAL[count]}'")
    spatial = [letter for letter in layout if letter not in "NC"]
    if not layout.isalpha() or len(set(layout)) != len(layout) or "C" not in layout or len(spatial) != count:
        raise ValueError(f"layout={layout!r}: expected N, C and {count} other letters, each once")
    letters = layout if len(layout) == ndim else layout.replace("N", "")
    if len(letters) != ndim:
        raise ValueError(
            f"input.ndim={ndim}: expected {len(layout)}, the letters of layout={layout!r}, or one without N"
        )
    return tuple(letters.index(letter) for letter in spatial)


def per_axis(name: str, value: Any, count: int, least: int) -> tuple[int, ...]:
    """An integer for each axis of the window: one for all of them, or a sequence of `count`, or of one."""
    if type(value) is int:
        entries = (value,) * count
    else:
        try:
            entries = (operator.index(value),) * count
        except TypeError:
            entries = _sequence(name, value, count)
            entries = tuple(_integer(f"{name}[{place}]", entry) for place, entry in enumerate(entries))
    for place, entry in enumerate(entries):
        if entry < least:
            raise ValueError(f"{name}={value!r}: expected integers of at least {least}, found {entry} at place {place}")
    return entries


def _is_absent(stride: Any) -> bool:
    # torch takes an empty list for None.
    return stride is None or (isinstance(stride, (list, tuple)) and not stride)


def _sequence(name: str, value: Any, count: int) -> tuple[Any, ...]:
    wanted = f"an integer or {count} of them"
    if isinstance(value, (str, bytes, dict, set)):
        raise TypeError(f"{name}={value!r}: expected {wanted}")
    try:
        entries = tuple(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: expected {wanted}") from None
    if len(entries) == 1:
        entries *= count
    if len(entries) != count:
        raise ValueError(f"{name}={value!r} has {len(entries)} entries: expected {wanted}")
    return entries


def _integer(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: expected an integer") from None


def _paddings(padding: Any, kernel: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    count = len(kernel)
    pairs = _pairs(padding, count)
    if pairs is not None:
        return pairs
    both = per_axis("padding", padding, count, 0)
    for place, (amount, taps) in enumerate(zip(both, kernel)):
        if 2 * amount > taps:
            raise ValueError(
                f"padding={padding!r}: expected at most {taps // 2} along window axis {place}, half of kernel_size "
                f"{taps}, found {amount} (pairs may be any)"
            )
    return both, both


def _pairs(padding: Any, count: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """A (low, high) pair for each axis; None where that is not how the padding is written."""
    if not isinstance(padding, (list, tuple)) or not any(isinstance(entry, (list, tuple)) for entry in padding):
        return None
    entries = _sequence("padding", padding, count)
    for place, entry in enumerate(entries):
        if not isinstance(entry, (list, tuple)) or len(entry) != 2:
            raise ValueError(f"padding[{place}]={entry!r}: expected a pair, what lies before and what lies after")
    low = per_axis("padding", [entry[0] for entry in entries], count, 0)
    high = per_axis("padding", [entry[1] for entry in entries], count, 0)
    return low, high


def _same(
    extents: list[int], kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], upper: bool
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """ONNX's rule (and TensorFlow's): ceil(n / stride) outputs, the odd element of padding after, or before."""
    small, large = [], []
    for n, taps, step, spread in zip(extents, kernel, stride, dilation):
        total = max((-(-n // step) - 1) * step + (taps - 1) * spread + 1 - n, 0)
        small.append(total // 2)
        large.append(total - total // 2)
    return (tuple(small), tuple(large)) if upper else (tuple(large), tuple(small))
