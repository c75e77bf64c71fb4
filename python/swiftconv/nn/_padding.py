"""Padding: what users may write, and what 'same' comes to."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, Union

from .. import _arguments


class Pads(NamedTuple):
    """Elements before and after each spatial axis; None is none."""

    low: tuple[int, ...] | None
    high: tuple[int, ...] | None


Padding = Union[str, Pads]

NAMES = ("valid", "same", "same_lower")


def normalised(value: Any, spatial: int, names: tuple[str, ...] = NAMES, negative: bool = False) -> Padding:
    """'same', 'same_lower' or pads, from a name, integers, or a (before, after) pair for each axis."""
    if isinstance(value, Pads):
        return value
    if isinstance(value, str):
        if value not in names:
            raise ValueError(f"padding={value!r}: expected {_expected(names)}")
        return Pads(None, None) if value == "valid" else value
    pads = _pads(value, spatial)
    if not negative:
        for place, pair in enumerate(zip(*pads)):
            if min(pair) < 0:
                raise ValueError(
                    f"padding={value!r} holds {min(pair)} for axis {place}: expected integers of at least 0"
                )
    return Pads(*[side if any(side) else None for side in pads])


def _pads(value: Any, spatial: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if not holds_pairs(value):
        pads = _arguments.per_spatial_axis("padding", value, spatial)
        return pads, pads
    if len(value) != spatial:
        raise ValueError(f"padding={value!r} has {len(value)} pairs: expected {spatial}, one for each spatial axis")
    for place, pair in enumerate(value):
        if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise ValueError(f"padding[{place}]={pair!r}: expected a pair of integers, before and after")
    pairs = [
        [_arguments.integer(f"padding[{place}][{side}]", pad, "an integer") for side, pad in enumerate(pair)]
        for place, pair in enumerate(value)
    ]
    return tuple(low for low, _ in pairs), tuple(high for _, high in pairs)


def holds_pairs(value: Any) -> bool:
    return (
        hasattr(value, "__len__")
        and not isinstance(value, (dict, set))
        and getattr(value, "ndim", 1) != 0
        and any(hasattr(entry, "__len__") for entry in value)
    )


def _expected(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names)) + (", " if names else "") + "integers, or a pair of them for each spatial axis"


@lru_cache(maxsize=256)
def same(
    lower: bool,
    extents: tuple[int, ...],
    taps: tuple[int, ...],
    stride: tuple[int, ...] | None,
    dilation: tuple[int, ...] | None,
) -> Pads:
    """TensorFlow's rule: ceil(extent / stride) outputs, an odd element at the end, or with `lower` at the start."""
    before, after = [], []
    for axis, (extent, count) in enumerate(zip(extents, taps)):
        step = 1 if stride is None else stride[axis]
        if step < 1:
            raise ValueError(f"stride[{axis}]={step}: expected an integer of at least 1")
        window = (1 if dilation is None else dilation[axis]) * (count - 1) + 1
        total = max((-(-extent // step) - 1) * step + window - extent, 0)
        before.append(total - total // 2 if lower else total // 2)
        after.append(total - before[-1])
    return Pads(tuple(before), tuple(after))
