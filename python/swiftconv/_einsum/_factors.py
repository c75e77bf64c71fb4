"""Operands as loops over indices see them: an array, how far a step of each index moves in it, and padded axes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .. import _arguments, _dtypes, _results, _through_numpy
from ._extents import Extents, Window, indices_of
from ._subscripts import Affine, Axis

FILL = _arguments.BOUNDARIES["fill"]


class Factor(NamedTuple):
    """`array` begins at the element where all indices are 0: it is what `starts` cut out of the whole."""

    array: np.ndarray
    strides: tuple[int, ...]  # of every index, in bytes; 0 for one that it does not have
    held: int  # which operand it is; below 0, -1 for the first, which step's result
    padded: tuple[PaddedAxis, ...] = ()
    starts: tuple[slice, ...] | None = None


class PaddedAxis(NamedTuple):
    """An axis that is read beyond its ends by the boundary's rule; its indices have stride 0 in the factor."""

    extent: int
    stride: int
    padding: int
    steps: tuple[int, ...]  # of every index


def factor(
    held: int, array: np.ndarray, axes: tuple[Axis, ...], windows: tuple[Window, ...], extents: Extents
) -> Factor:
    """The factor of an operand whose windows all lie inside it."""
    starts = _starts(windows, array.ndim)
    strides = strides_of(axes, array.shape, array.strides, extents.extents)
    return Factor(array if starts is None else array[starts], strides, held, (), starts)


@lru_cache(maxsize=1024)
def strides_of(
    axes: tuple[Axis, ...], shape: tuple[int, ...], strides: tuple[int, ...], extents: tuple[int, ...]
) -> tuple[int, ...]:
    """How far a step of each index moves in an array with these axes."""
    result = [0] * len(extents)
    for axis, stride, extent in zip(axes, strides, shape):
        for index, times in axis.terms if isinstance(axis, Affine) else ((axis, 1),):
            # An axis of extent 1 is broadcast, and its stride may be anything; where windows meet, extents differ.
            if extents[index] > 1 and (extent > 1 or isinstance(axis, Affine)):
                result[index] += times * stride
    return tuple(result)


def _starts(windows: tuple[Window, ...], ndim: int) -> tuple[slice, ...] | None:
    starts = {window.axis: window.start for window in windows if window.start}
    return tuple([slice(starts.get(axis, 0), None) for axis in range(ndim)]) if starts else None


def of_result(array: np.ndarray) -> Factor:
    """The factor of an array whose axes are the first indices, one by one."""
    return Factor(array, array.strides, -1)


def of_intermediate(held: int, array: np.ndarray, indices: list[int], total: int) -> Factor:
    """The factor of an array with the axes `indices`."""
    steps = dict(zip(indices, array.strides))
    return Factor(array, tuple([steps.get(index, 0) for index in range(total)]), held)


# ---- Padding -------------------------------------------------------------------------------------------------------


def is_padded(windows: tuple[Window, ...]) -> bool:
    return any(window.before or window.after for window in windows)


def shares_memory(array: np.ndarray) -> bool:
    """Whether elements must lie in the same place, as those of windows and of broadcast arrays do."""
    reach = array.itemsize
    for extent, stride in zip(array.shape, array.strides):
        reach += (extent - 1) * abs(stride)
    return array.nbytes > reach


@lru_cache(maxsize=512)
def core_pads(
    shape: tuple[int, ...],
    axes: tuple[Axis, ...],
    windows: tuple[Window, ...],
    extents: tuple[int, ...],
    kept: frozenset[int],
    other: frozenset[int],
) -> bool:
    """Whether the core pads these axes while it reads, in a contraction with a factor that has the `other` indices.

    On each a `kept` index that the other factor lacks and a summed one meet, of extents above 1, with positive steps,
    and neither is on another axis.
    """
    outside = [window for window in windows if window.before or window.after]
    met = [index for axis in axes for index in indices_of(axis)]
    return all(
        shape[window.axis] > 0
        and window.start <= 0
        and len(window.terms) == 2
        and all(step > 0 and extents[index] > 1 and met.count(index) == 1 for index, step in window.terms)
        and sum(index in kept and index not in other for index, _ in window.terms) == 1
        and sum(index not in kept for index, _ in window.terms) == 1
        for window in outside
    )


def padded_factor(
    held: int, array: np.ndarray, axes: tuple[Axis, ...], windows: tuple[Window, ...], extents: Extents
) -> Factor:
    """The factor of an operand whose padded axes the core pads."""
    total = len(extents.extents)
    outside = {window.axis: window for window in windows if window.before or window.after}
    inside = tuple([window for window in windows if window.axis not in outside])
    axes = tuple([Affine((), 0) if place in outside else axis for place, axis in enumerate(axes)])
    plain = factor(held, array, axes, inside, extents)
    padded = []
    for axis, window in outside.items():
        steps = dict(window.terms)
        padded.append(
            PaddedAxis(
                array.shape[axis], array.strides[axis], -window.start, tuple([steps.get(i, 0) for i in range(total)])
            )
        )
    return plain._replace(padded=tuple(padded))


def pad(
    array: np.ndarray, windows: tuple[Window, ...], boundary: int, dry: bool = False
) -> tuple[np.ndarray, tuple[Window, ...]]:
    """A padded copy, and the windows as they lie in it; if `dry`, a copy of nothing."""
    inside = []
    for window in windows:
        if window.before or window.after:
            array = _padded(array, window, boundary, dry)
            window = window._replace(start=window.start + window.before, before=0, after=0)
        inside.append(window)
    return array, tuple(inside)


def check_boundary(place: int, array: np.ndarray, windows: tuple[Window, ...], boundary: int) -> None:
    for window in windows:
        if boundary != FILL and array.shape[window.axis] == 0 and (window.before or window.after):
            raise ValueError(
                f"axis {window.axis} of operand {place} has extent 0 and is padded: boundary='fill' alone knows "
                "what lies around nothing"
            )


def _padded(array: np.ndarray, window: Window, boundary: int, dry: bool) -> np.ndarray:
    axis, extent = window.axis, array.shape[window.axis]
    if boundary != FILL and not dry:
        positions = np.arange(-window.before, extent + window.after)
        return np.take(array, _through_numpy.inside_by(boundary, positions, extent), axis=axis)
    shape = list(array.shape)
    shape[axis] += window.before + window.after
    try:
        result = np.zeros(shape, array.dtype)
        if dry:
            return result
    except ValueError as error:  # NumPy's word for sizes that pass 2**63 bytes
        raise MemoryError(f"an operand padded to shape {tuple(shape)} passes 2**63 bytes") from error
    inside = slice(window.before, window.before + extent)
    result[(slice(None),) * axis + (inside,)] = array
    return result


def accumulated_in(dtype: np.dtype) -> np.dtype:
    """The dtype of sums that another step reads, which 16-bit floats would round."""
    return np.dtype(np.float32) if _dtypes.code_of(dtype) in (_dtypes.FLOAT16, _dtypes.BFLOAT16) else dtype


# ---- For the extension ---------------------------------------------------------------------------------------------


def reordered(factor: Factor, order: list[int]) -> Factor:
    """The factor with its indices in another order; those left out have stride 0."""
    padded = [axis._replace(steps=tuple([axis.steps[index] for index in order])) for axis in factor.padded]
    return factor._replace(strides=tuple([factor.strides[index] for index in order]), padded=tuple(padded))


def core_factor(factor: Factor) -> tuple[Any, ...]:
    """The array, its code, whether its bytes are swapped, and its strides, as the extension takes them."""
    code = _dtypes.code_of(factor.array.dtype)
    return _results.buffer(factor.array, code), code, not factor.array.dtype.isnative, factor.strides


def core_windows(factors: list[Factor]) -> tuple[tuple[Any, ...], ...]:
    return tuple([(place, *axis) for place, factor in enumerate(factors) for axis in factor.padded])
