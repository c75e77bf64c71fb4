"""A convolution with channels and its transpose between stacks of any rank, as calls of the core's network layers.

The filter (K, C / groups, ...) slides as it is: a convolution's was flipped before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import _arguments, _dtypes, _results
from .._through_numpy import inside_by
from ..nn._call import Call, run
from ..nn._options import FORWARD, NAMES, TRANSPOSED, Options
from ._geometry import FILL, WRAP
from ._windows import Axis

_REFLECT = _arguments.BOUNDARIES["reflect"]


class Layer(NamedTuple):
    axes: tuple[Axis, ...]
    groups: int
    boundary: int
    threads: int

    def forward(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(N, C, ...) to (N, K, ...)."""
        options, boundary = self._options(FORWARD, padded=True), self.boundary
        if not self._core_pads():
            for place, axis in enumerate(self.axes, 2):
                x = np.take(x, inside_by(boundary, np.arange(-axis.low, axis.extent + axis.high), axis.extent), place)
            options, boundary = self._options(FORWARD, padded=False), FILL
        shape = (len(x), len(weight), *[axis.outputs for axis in self.axes])
        return self._run(options._replace(boundary=boundary), x, weight, shape, None)

    def transposed(self, y: np.ndarray, weight: np.ndarray, dtype: np.dtype | None = None) -> np.ndarray:
        """(N, K, ...) to (N, C, ...); but for 'fill' with the places outside that windows read, still to be folded."""
        filled = self.boundary == FILL
        extents = [axis.extent if filled else axis.low + axis.extent + axis.high for axis in self.axes]
        shape = (len(y), weight.shape[1] * self.groups, *extents)
        return self._run(self._options(TRANSPOSED, padded=filled), y, weight, shape, dtype)

    def _core_pads(self) -> bool:
        """The core's layers repeat an axis once at most."""
        if self.boundary == WRAP:
            return all(max(axis.low, axis.high) <= axis.extent for axis in self.axes)
        return self.boundary != _REFLECT or all(max(axis.low, axis.high) < axis.extent for axis in self.axes)

    def _options(self, operation: int, padded: bool) -> Options:
        return Options(
            names=NAMES,
            operation=operation,
            spatial_ndim=len(self.axes),
            groups=self.groups,
            stride=tuple([axis.stride for axis in self.axes]),
            dilation=tuple([axis.dilation for axis in self.axes]),
            padding_low=tuple([axis.low for axis in self.axes]) if padded else None,
            padding_high=tuple([axis.high for axis in self.axes]) if padded else None,
        )

    def _run(
        self, options: Options, a: np.ndarray, weight: np.ndarray, shape: tuple[int, ...], dtype: np.dtype | None
    ) -> np.ndarray:
        result = _results.result_dtype(("x", "kernel"), a, weight, dtype)
        return run(
            Call(
                options=options,
                operands=("x", "kernel"),
                a=a,
                b=weight,
                bias=None,
                out=None,
                like=a,
                shape=shape,
                to_core=None,
                batched=True,
                dtype=result,
                codes=(_dtypes.code_of(a.dtype), _dtypes.code_of(weight.dtype), _dtypes.code_of(result)),
                threads=self.threads,
            )
        )
