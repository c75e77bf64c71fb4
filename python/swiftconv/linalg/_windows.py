"""Where the windows of a convolution lie along each axis: what its matrix, operator and adjoint have in common."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._through_numpy import inside_by
from ._geometry import FILL, Geometry


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


def axes_of(places: Geometry) -> tuple[Axis, ...]:
    """The axes of a validated convolution."""
    return tuple(
        [
            Axis(extent, taps, outputs, -padding, stride, dilation)
            for extent, outputs, taps, stride, dilation, padding in zip(*places.axes)
        ]
    )


def elements(extents: tuple[int, ...], what: str) -> int:
    count = math.prod(extents)
    if count > np.iinfo(np.intp).max:
        raise OverflowError(f"{what} {extents} has {count} elements: expected fewer than 2**63")
    return count
