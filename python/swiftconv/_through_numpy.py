"""Sliding for the dtypes that the core lacks (object, longdouble, clongdouble): right, and as slow as NumPy is.

The definition, tap by tap: each adds `a` at the tap's positions times the tap's value. Memory grows with the result.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ._call import Call

_CORRELATE = 0
_VALID, _SAME = 0, 1
_FILL, _WRAP, _SYMMETRIC, _REFLECT, _EDGE = range(5)


def slide(call: Call, out: np.ndarray) -> None:
    """Write the result, of dtype `call.dtype`, to `out`."""
    window = call.v.ndim
    axes = call.axes or tuple(range(call.a.ndim - window, call.a.ndim))
    starts = [_start(call, place) for place in range(window)]
    total = np.zeros(out.shape, call.dtype)
    # Objects have no zero to start from: an element's first term is taken as it is.
    started = np.zeros(out.shape, bool)
    for tap in itertools.product(*map(range, call.v.shape)):
        region, indices = [slice(None)] * out.ndim, {}
        for place, axis in enumerate(axes):
            positions = starts[place] + _step(call, place) * np.arange(out.shape[axis]) + _offset(call, place, tap)
            region[axis], indices[axis] = _read(call.boundary, positions, call.a.shape[axis])
        inside = tuple(region)
        weight = _weight(call, tap)
        if call.boundary == _FILL and call.fill != 0:
            term = np.full(out.shape, call.fill, call.dtype)
            term[inside] = _gather(call.a, indices)
            inside = (slice(None),) * out.ndim
        else:
            term = _gather(call.a, indices)
        term = np.multiply(term, weight, dtype=call.dtype, casting="same_kind")
        np.add(total[inside], term, out=total[inside], where=started[inside])
        np.copyto(total[inside], term, where=~started[inside])
        started[inside] = True
    out[...] = total


def _step(call: Call, place: int) -> int:
    return 1 if call.stride is None else call.stride[place]


def _dilation(call: Call, place: int) -> int:
    return 1 if call.dilation is None else call.dilation[place]


def _start(call: Call, place: int) -> int:
    """Position in `a` under the window's first element, for the first output."""
    reach = (call.v.shape[place] - 1) * _dilation(call, place)
    if call.mode == _VALID:
        return 0
    if call.mode != _SAME:
        return -reach
    origin = 0 if call.origin is None else call.origin[place]
    return -((reach + 1) // 2) + (-origin if call.operation == _CORRELATE else origin)


def _offset(call: Call, place: int, tap: tuple[int, ...]) -> int:
    """Where in the window the tap sits: a convolution flips `v`."""
    position = tap[place] if call.operation == _CORRELATE else call.v.shape[place] - 1 - tap[place]
    return position * _dilation(call, place)


def _weight(call: Call, tap: tuple[int, ...]) -> np.ndarray:
    """The tap's value, 0-d. Elements of object arrays are multiplied as they are, as np.correlate does."""
    weight = call.v[tap + (...,)]  # noqa: RUF005
    conjugated = call.operation == _CORRELATE and weight.dtype.kind == "c"
    return np.conjugate(weight) if conjugated else weight


def _read(boundary: int, positions: np.ndarray, extent: int) -> tuple[slice, np.ndarray]:
    """The outputs along an axis that get a term, and the index in `a` of each."""
    if boundary == _FILL:
        inside = np.flatnonzero((positions >= 0) & (positions < extent))
        region = slice(inside[0], inside[-1] + 1) if inside.size else slice(0, 0)
        return region, positions[inside]
    return slice(None), inside_by(boundary, positions, extent)


def inside_by(boundary: int, positions: np.ndarray, extent: int) -> np.ndarray:
    """The samples that positions inside and outside an axis read, by any boundary but the fill value."""
    if boundary == _WRAP:
        return positions % extent
    if boundary == _SYMMETRIC:
        folded = positions % (2 * extent)
        return np.minimum(folded, 2 * extent - 1 - folded)
    if boundary == _REFLECT:
        folded = positions % max(2 * (extent - 1), 1)
        return np.minimum(folded, 2 * (extent - 1) - folded) if extent > 1 else folded
    return np.clip(positions, 0, extent - 1)


def _gather(a: np.ndarray, indices: dict[int, np.ndarray]) -> np.ndarray:
    for axis, index in indices.items():
        a = np.take(a, index, axis=axis)
    return a
