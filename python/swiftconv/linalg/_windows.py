"""Where the windows of a convolution lie along each axis: what its matrix, operator and adjoint have in common."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .. import _arguments, _native
from .._call import CONVOLVE
from .._through_numpy import inside_by

VALID, SAME, FULL = (_arguments.MODES[name] for name in ("valid", "same", "full"))
FILL, WRAP = _arguments.BOUNDARIES["fill"], _arguments.BOUNDARIES["wrap"]


class Axis(NamedTuple):
    """Output i reads the samples ``start + i*stride + t*dilation``, t below `taps`; start is 0 or negative."""

    extent: int
    taps: int
    outputs: int
    start: int
    stride: int
    dilation: int

    @property
    def reach(self) -> int:
        return (self.taps - 1) * self.dilation

    @property
    def low(self) -> int:
        """Places before the first sample that some window reads."""
        return -self.start

    @property
    def high(self) -> int:
        """Places after the last sample that some window reads."""
        return max(self.start + (self.outputs - 1) * self.stride + self.reach + 1 - self.extent, 0)

    def samples(self, boundary: int, outputs: np.ndarray, taps: np.ndarray | int) -> np.ndarray:
        """What outputs read at taps: indices of samples, those outside of 'fill' as they are."""
        positions = self.start + outputs * self.stride + taps * self.dilation
        return positions if boundary == FILL else inside_by(boundary, positions, self.extent)

    def inside(self, tap: int) -> slice:
        """The outputs whose sample at a tap is not outside."""
        first = -((self.start + tap * self.dilation) // self.stride)
        last = (self.extent - 1 - self.start - tap * self.dilation) // self.stride
        return slice(max(first, 0), max(min(last + 1, self.outputs), 0))


def is_swapped(
    shape: tuple[int, ...],
    window: tuple[int, ...],
    boundary: int,
    stride: tuple[int, ...] | None,
    dilation: tuple[int, ...] | None,
) -> bool:
    """Whether `correlate` and `convolve` slide the longer operand over the shorter one, as NumPy does: the filter."""
    plain = boundary == FILL and stride is None and dilation is None
    return plain and len(shape) == 1 and window[0] > shape[0]


def axes_of(
    operation: int,
    shape: tuple[int, ...],
    window: tuple[int, ...],
    mode: int,
    boundary: int,
    stride: tuple[int, ...] | None,
    dilation: tuple[int, ...] | None,
    swapped: bool,
) -> tuple[Axis, ...]:
    """The axes of a validated convolution; raises what `correlate` does for options that do not fit."""
    if swapped:
        return (_swapped_axis(operation, shape[0], window[0], mode),)
    outputs = _native.slide_shape(operation, shape, window, mode, boundary, None, stride, dilation, None)
    steps, spacings = stride or (1,) * len(shape), dilation or (1,) * len(shape)
    axes = []
    for extent, taps, count, step, spacing in zip(shape, window, outputs, steps, spacings):
        reach = (taps - 1) * spacing
        start = {VALID: 0, SAME: -((reach + 1) // 2), FULL: -reach}[mode]
        axes.append(Axis(extent, taps, count, start, step, spacing))
    return tuple(axes)


def _swapped_axis(operation: int, extent: int, taps: int, mode: int) -> Axis:
    """'valid' and 'same' count outputs by the filter, which is the longer one."""
    skipped = {FULL: 0, VALID: extent - 1}.get(mode)
    if skipped is None:
        skipped = extent - 1 - extent // 2 if operation == CONVOLVE else extent // 2
    outputs = {FULL: extent + taps - 1, VALID: taps - extent + 1, SAME: taps}[mode]
    return Axis(extent, taps, outputs, skipped - taps + 1, 1, 1)


def elements(extents: tuple[int, ...], what: str) -> int:
    count = math.prod(extents)
    if count > np.iinfo(np.intp).max:
        raise OverflowError(f"{what} {extents} has {count} elements: expected fewer than 2**63")
    return count
