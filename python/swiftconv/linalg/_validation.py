"""What a ConvOperator is made of, before anything is made of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _arguments, _dtypes


def kernel(value: Any, dtype: Any) -> np.ndarray:
    """A copy that nobody can write to."""
    given = _arguments.array("kernel", value)
    if dtype is None:
        target = given.dtype if given.dtype.isnative else given.dtype.newbyteorder("=")
    else:
        target = _arguments.dtype(dtype)
        if not _dtypes.can_cast(given.dtype, target):
            raise TypeError(f"dtype={target}: kernel has dtype {given.dtype}, no 'same_kind' cast leads there")
    copy = given.astype(target, "C")
    copy.flags.writeable = False
    return copy


def extents(shape: Any) -> tuple[int, ...]:
    extents = _arguments.per_axis("shape", shape, None)
    if not extents or min(extents) < 1:
        raise ValueError(f"shape={shape!r}: expected one or more extents of at least 1")
    return extents


def layer_counts(kernel: np.ndarray, groups: Any, channels: Any) -> int:
    count = _arguments.integer("groups", groups, "an integer of at least 1")
    if channels is None:
        if count != 1:
            raise ValueError(f"groups={groups!r} without channels: expected channels=, the input's number of channels")
        return count
    total = _arguments.integer("channels", channels, "None or an integer of at least 1")
    if total < 1:
        raise ValueError(f"channels={channels!r}: expected None or an integer of at least 1")
    if count < 1 or total % count:
        raise ValueError(f"groups={groups!r} does not divide channels={channels!r}")
    if kernel.ndim < 3:
        raise ValueError(
            f"kernel has shape {kernel.shape}: expected (K, channels / groups, ...) for channels={channels!r}"
        )
    if kernel.shape[1] != total // count:
        raise ValueError(
            f"kernel has shape {kernel.shape}: expected {total // count} on axis 1, channels={channels!r} / "
            f"groups={groups!r}"
        )
    if len(kernel) % count:
        raise ValueError(f"groups={groups!r} does not divide the {len(kernel)} output channels of kernel")
    return count


def window(kernel: np.ndarray, extents: tuple[int, ...], channels: int | None) -> tuple[int, ...]:
    window = kernel.shape if channels is None else kernel.shape[2:]
    if len(window) != len(extents):
        what = "" if channels is None else " behind its channels"
        raise ValueError(f"kernel has shape {kernel.shape} and shape={extents}: expected {len(extents)} axes{what}")
    if kernel.size == 0:
        raise ValueError(f"kernel cannot be empty: it has shape {kernel.shape}")
    return window


def check_fits(window: tuple[int, ...], extents: tuple[int, ...], dilation: tuple[int, ...]) -> None:
    for place, (taps, extent, spacing) in enumerate(zip(window, extents, dilation)):
        if (taps - 1) * spacing + 1 > extent:
            raise ValueError(
                f"kernel spans {(taps - 1) * spacing + 1} samples on axis {place} and shape={extents} has {extent}: "
                "expected no more in mode 'valid'"
            )
