"""Pools of the dtypes that the core lacks (object, longdouble, clongdouble): right, and as slow as NumPy is.

The definition, tap by tap, each over all outputs that it reads an element for. Memory grows with the result.
"""

from __future__ import annotations

import itertools

import numpy as np

from ._pool_windows import Windows

_MAX, _SUM, _AVERAGE, _LP = range(4)


def pool(
    operation: int,
    array: np.ndarray,
    out: np.ndarray,
    indices: np.ndarray | None,
    options: tuple[bool, int, float, bool],
    where: Windows,
) -> None:
    """Write the result to `out`, and the flat indices of maxima to `indices`."""
    counts_padding, divisor, power, signed = options
    if operation == _LP:
        array = array.astype(out.dtype)
        array = _powers(array, power, signed)
    largest = operation == _MAX or (operation == _LP and np.isinf(power))
    # Objects have neither a lowest value nor a zero: an output's first element is taken as it is.
    started = np.zeros(out.shape, bool)
    if indices is not None:
        indices[...] = -1
    for tap in itertools.product(*map(range, where.kernel_size)):
        outputs, elements, flat = _read(array.shape, out.shape, tap, where)
        x = array[elements]
        old = out[outputs]
        takes = ~started[outputs]
        if largest:
            takes = takes | _is_larger(x, old, takes)
        else:
            x = np.where(takes, x, np.add(old, x, where=~takes, out=np.array(np.broadcast_to(x, old.shape), out.dtype)))
            takes = True
        np.copyto(out[outputs], x, where=takes, casting="unsafe")
        started[outputs] = True
        if indices is not None:
            np.copyto(indices[outputs], flat, where=takes)
    if not started.all():
        out[~started] = 0 if not largest else -np.inf
    if operation == _AVERAGE:
        out[...] = out / (divisor if divisor else _counted(array.shape, out, counts_padding, where))
    elif operation == _LP:
        out[...] = (np.negative(out) if power < 0 else out) if np.isinf(power) else out ** (1 / out.dtype.type(power))


def _powers(array: np.ndarray, power: float, signed: bool) -> np.ndarray:
    if np.isinf(power):
        return -abs(array) if power < 0 else abs(array)
    return (array if signed else abs(array)) ** power


def _is_larger(x: np.ndarray, old: np.ndarray, unset: np.ndarray) -> np.ndarray:
    # What has not been written yet may hold anything, None in object arrays.
    old = np.where(unset, x, old)
    return np.asarray((x > old) | (x != x), bool)


def _read(
    shape: tuple[int, ...], out_shape: tuple[int, ...], tap: tuple[int, ...], where: Windows
) -> tuple[tuple[slice, ...], tuple[slice, ...], np.ndarray]:
    """The outputs for which a tap reads an element, these elements, and their flat indices."""
    outputs, elements = [slice(None)] * len(shape), [slice(None)] * len(shape)
    flat = np.zeros((1,) * len(shape), np.int64)
    for place, axis in enumerate(where.axes):
        positions = (
            where.stride[place] * np.arange(out_shape[axis])
            + where.dilation[place] * tap[place]
            - where.padding_low[place]
        )
        inside = np.flatnonzero((positions >= 0) & (positions < shape[axis]))
        first, end = (inside[0], inside[-1] + 1) if inside.size else (0, 0)
        outputs[axis] = slice(first, end)
        begin = positions[first] if inside.size else 0
        elements[axis] = slice(begin, positions[end - 1] + 1 if inside.size else 0, where.stride[place])
        along = [1] * len(shape)
        along[axis] = -1
        flat = flat * shape[axis] + positions[inside].reshape(along)
    return tuple(outputs), tuple(elements), flat


def _counted(shape: tuple[int, ...], out: np.ndarray, counts_padding: bool, where: Windows) -> np.ndarray:
    """Elements that each output's average divides by."""
    counted = np.ones((1,) * out.ndim, np.int64)
    for place, axis in enumerate(where.axes):
        low = -where.padding_low[place] if counts_padding else 0
        high = shape[axis] + (where.padding_high[place] if counts_padding else 0)
        starts = where.stride[place] * np.arange(out.shape[axis]) - where.padding_low[place]
        positions = starts[:, None] + where.dilation[place] * np.arange(where.kernel_size[place])
        along = [1] * out.ndim
        along[axis] = -1
        counted = counted * ((positions >= low) & (positions < high)).sum(1).reshape(along)
    return counted
