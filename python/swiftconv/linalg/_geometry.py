"""A convolution as a linear map: from what the user wrote to where its windows lie."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .. import _arguments, _dtypes, _native
from .._call import CONVOLVE, CORRELATE, FILL, SAME

OPERATIONS = {"correlate": CORRELATE, "convolve": CONVOLVE}
WRAP = _arguments.BOUNDARIES["wrap"]
VALID, FULL = _arguments.MODES["valid"], _arguments.MODES["full"]

Ints = tuple[int, ...]


class Geometry(NamedTuple):
    """Validated. Rows of the matrix are outputs, [group][filter][out]; columns samples, [group][channel][shape]."""

    shape: Ints
    out: Ints
    # of each axis: samples, outputs, taps, step, dilation, padding
    axes: tuple[Ints, Ints, Ints, Ints, Ints, Ints]
    operation: int
    mode: int
    boundary: int
    stride: Ints
    dilation: Ints
    groups: int
    filters: int
    channels: int
    has_channels: bool
    swapped: bool  # as NumPy does: outputs are counted by the kernel, which is the longer one

    @property
    def rows(self) -> int:
        return self.groups * self.filters * prod(self.out)

    @property
    def columns(self) -> int:
        return self.groups * self.channels * prod(self.shape)

    def core_arguments(self, by_columns: bool = False, threads: int = 0) -> tuple[Any, ...]:
        """The first arguments of `_native.matrix_count` and its like."""
        return self.axes, self.boundary, by_columns, self.groups, self.filters, self.channels, threads


def kernel_array(kernel: Any, dtype: Any) -> np.ndarray:
    """The kernel as an array in native byte order, of `dtype` where that is given."""
    kernel = _arguments.array("kernel", kernel)
    wanted = kernel.dtype.newbyteorder("=") if dtype is None else _arguments.dtype(dtype)
    if not _dtypes.can_cast(kernel.dtype, wanted):
        raise TypeError(f"dtype={wanted}: kernel has dtype {kernel.dtype}, no 'same_kind' cast leads there")
    return kernel.astype(wanted, copy=False)


def geometry(
    kernel_shape: Ints,
    shape: Any,
    mode: Any,
    boundary: Any,
    stride: Any,
    dilation: Any,
    operation: Any,
    groups: Any,
    channels: Any,
) -> Geometry:
    """Where the windows of a kernel lie over samples of `shape`; with `channels` it has two axes more."""
    extents = _shape(shape)
    rank = len(extents)
    code = _arguments.named("operation", operation, OPERATIONS)
    mode, boundary = _arguments.mode(mode), _arguments.boundary(boundary)
    groups, filters, per_group = _channels(kernel_shape, rank, groups, channels)
    window = kernel_shape if channels is None else kernel_shape[2:]
    for axis, extent in enumerate(kernel_shape):
        if extent == 0:
            raise ValueError(f"kernel has shape {kernel_shape}, with extent 0 along axis {axis}: it cannot be empty")
    steps = _arguments.per_axis("stride", stride, rank, "axis of shape")
    dilations = _arguments.per_axis("dilation", dilation, rank, "axis of shape")
    is_plain = channels is None and rank == 1 and boundary == FILL and steps == dilations == (1,)
    swapped = is_plain and window[0] > extents[0]
    if swapped:
        axes = _swapped(code, extents[0], window[0], mode)
    else:
        if mode == VALID:
            _check_fits(window, extents, dilations)
        axes = _native.slide_axes(code, extents, window, mode, boundary, steps, dilations)
    return Geometry(
        shape=extents,
        out=axes[1],
        axes=axes,
        operation=code,
        mode=mode,
        boundary=boundary,
        stride=steps,
        dilation=dilations,
        groups=groups,
        filters=filters,
        channels=per_group,
        has_channels=channels is not None,
        swapped=swapped,
    )


def _shape(shape: Any) -> Ints:
    if isinstance(shape, np.ndarray) and shape.ndim > 1:
        raise TypeError(f"shape is an array of shape {shape.shape}: expected extents, such as image.shape")
    extents = _arguments.per_axis("shape", shape, None)
    if not extents:
        raise ValueError("shape=(): expected at least one axis")
    for axis, extent in enumerate(extents):
        if extent < 1:
            raise ValueError(f"shape[{axis}]={extent}: expected an integer of at least 1")
    return extents


def _channels(kernel_shape: Ints, rank: int, groups: Any, channels: Any) -> Ints:
    """Groups, and filters and channels of each."""
    groups = _arguments.integer("groups", groups, "an integer of at least 1")
    if groups < 1:
        raise ValueError(f"groups={groups}: expected an integer of at least 1")
    if channels is None:
        if groups != 1:
            raise ValueError(f"groups={groups} without channels: expected channels=, or groups=1")
        if len(kernel_shape) != rank:
            raise ValueError(f"kernel has shape {kernel_shape}: expected {rank} axes, as shape has")
        return 1, 1, 1
    channels = _arguments.integer("channels", channels, "None or an integer of at least 1")
    if channels < 1:
        raise ValueError(f"channels={channels}: expected None or an integer of at least 1")
    if len(kernel_shape) != rank + 2:
        raise ValueError(
            f"kernel has shape {kernel_shape}: expected {rank + 2} axes, filters and channels and one for each of shape"
        )
    filters, per_group = kernel_shape[:2]
    if per_group * groups != channels:
        raise ValueError(f"kernel has {per_group} channels for groups={groups}: channels={channels} do not agree")
    if filters % groups:
        raise ValueError(f"groups={groups} does not divide the kernel's {filters} filters")
    return groups, filters // groups, per_group


def _check_fits(window: Ints, extents: Ints, dilations: Ints) -> None:
    for axis, (taps, extent, dilation) in enumerate(zip(window, extents, dilations)):
        reach = (taps - 1) * dilation + 1
        if reach > extent and dilation > 0:
            raise ValueError(
                f"kernel reaches {reach} samples along axis {axis}, shape[{axis}]={extent}: mode='valid' needs a "
                "kernel no larger than shape"
            )


def _swapped(operation: int, samples: int, taps: int, mode: int) -> Any:
    """NumPy's rule for a filter longer than a signal: 'same' and 'valid' have the filter's outputs."""
    first, outputs = rows_kept(mode, samples, taps)
    if mode == SAME and operation == CORRELATE:
        first = samples // 2
    return (samples,), (outputs,), (taps,), (1,), (1,), (taps - 1 - first,)


def rows_kept(mode: int, short: int, long: int) -> tuple[int, int]:
    """Of all overlaps of two signals, the first that `numpy.convolve` keeps in a mode, and how many."""
    if mode == VALID:
        return short - 1, long - short + 1
    return ((short - 1) // 2, long) if mode == SAME else (0, short + long - 1)


def core_kernel(kernel: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The kernel as the core reads it, [filter][channel][taps], in the order in which taps meet samples.

    A convolution's is flipped. A correlation's is conjugated, as `swiftconv.correlate` does; that of a layer, with
    channels, is not.
    """
    if not geometry.has_channels:
        kernel = kernel[np.newaxis, np.newaxis]
    if geometry.operation == CONVOLVE:
        kernel = np.flip(kernel, tuple(range(2, kernel.ndim)))
    elif not geometry.has_channels and kernel.dtype.kind == "c":
        kernel = kernel.conj()
    return np.ascontiguousarray(kernel)
