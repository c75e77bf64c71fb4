"""Diagonals and norms of a convolution's matrix, from where its windows lie: the matrix is never formed.

Filters are those of a layer, (K, C / groups, ...), in the order of the samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ._geometry import FILL
from ._windows import Axis

# Entries of a diagonal that are looked for at a time.
_BLOCK = 1 << 16


class Windows(NamedTuple):
    axes: tuple[Axis, ...]
    boundary: int
    groups: int
    channels: int


# ---- The diagonal --------------------------------------------------------------------------------------------------


def diagonal(windows: Windows, weight: np.ndarray) -> np.ndarray:
    rows = (len(weight), *[axis.outputs for axis in windows.axes])
    columns = (windows.channels, *[axis.extent for axis in windows.axes])
    result = np.zeros(min(math.prod(rows), math.prod(columns)), weight.dtype)
    for first in range(0, len(result), _BLOCK):
        block = result[first : first + _BLOCK]
        numbers = np.arange(first, first + len(block))
        _add_diagonal(block, windows, weight, np.unravel_index(numbers, rows), np.unravel_index(numbers, columns))
    return result


def _add_diagonal(
    result: np.ndarray,
    windows: Windows,
    weight: np.ndarray,
    outputs: Sequence[np.ndarray],
    samples: Sequence[np.ndarray],
) -> None:
    """For entry i, the taps by which output i's window reads sample i: axis by axis, of ever fewer entries."""
    depth = weight.shape[1]
    meets = outputs[0] // (len(weight) // windows.groups) == samples[0] // depth
    found = [((), np.flatnonzero(meets))]
    for place, axis in enumerate(windows.axes, 1):
        narrower = []
        for taps, entries in found:
            for tap in range(axis.taps):
                read = axis.samples(windows.boundary, outputs[place][entries], tap)
                hit = entries[read == samples[place][entries]]
                if hit.size:
                    narrower.append(((*taps, tap), hit))
        found = narrower
    for taps, entries in found:
        result[entries] += weight[(outputs[0][entries], samples[0][entries] % depth, *taps)]


# ---- Norms ---------------------------------------------------------------------------------------------------------


class Entries(NamedTuple):
    """The distinct samples that windows along an axis read.

    A window that a boundary folds may read a sample at several taps, whose entries add up: `of_tap[w, t]` is the
    number of the one that border window w has at tap t, in row `rows` and column `columns` of the axis. Every other
    window has one for each tap.
    """

    of_tap: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    plain: slice  # the other windows


def norms(windows: Windows, weight: np.ndarray, of_rows: bool) -> np.ndarray:
    """The squares of all entries, summed along columns or rows: those inside of the border by taps, not one by one."""
    entries = [_entries(axis, windows.boundary) for axis in windows.axes]
    for place, found in enumerate(entries, 2):
        weight = _with_border(weight, found, place)
    # In double at least: squares of small floats overflow, and so do those of integers.
    sizes = np.abs(weight.astype(np.result_type(weight.dtype, np.float64) if weight.dtype.kind != "O" else float))
    squares = sizes * sizes
    if of_rows:
        squares = squares.sum(axis=1)
    else:
        squares = squares.reshape(windows.groups, -1, *squares.shape[1:]).sum(axis=1)
        squares = squares.reshape(windows.channels, *squares.shape[2:])
    for place, (axis, found) in enumerate(zip(windows.axes, entries), 1):
        squares = _scattered(squares, axis, found, place, of_rows)
    return np.sqrt(squares).reshape(-1)


def _entries(axis: Axis, boundary: int) -> Entries:
    outputs = np.arange(axis.outputs)
    if boundary == FILL:  # a window reads nothing outside, and each sample once
        none = np.zeros(0, np.intp)
        return Entries(np.zeros((0, axis.taps), np.intp), none, none, slice(0, axis.outputs))
    starts = axis.start + outputs * axis.stride
    inside = np.flatnonzero((starts >= 0) & (starts + axis.reach < axis.extent))
    plain = slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 0)
    border = np.delete(outputs, plain)
    samples = axis.samples(boundary, border[:, None], np.arange(axis.taps))
    keys, of_tap = np.unique(border[:, None] * axis.extent + samples, return_inverse=True)
    return Entries(of_tap.reshape(samples.shape), keys // axis.extent, keys % axis.extent, plain)


def _with_border(weight: np.ndarray, found: Entries, place: int) -> np.ndarray:
    """The filter along an axis, followed by the entries of its border windows."""
    front = np.moveaxis(weight, place, 0)
    border = np.zeros((len(found.rows), *front.shape[1:]), weight.dtype)
    for tap, numbers in enumerate(found.of_tap.T):  # different windows' entries are different ones
        border[numbers] += front[tap]
    return np.moveaxis(np.concatenate((front, border)), 0, place)


def _scattered(squares: np.ndarray, axis: Axis, found: Entries, place: int, of_rows: bool) -> np.ndarray:
    """Squares by taps and border entries along an axis, summed in the rows or columns where they stand."""
    front = np.moveaxis(squares, place, 0)
    result = np.zeros((axis.outputs if of_rows else axis.extent, *front.shape[1:]), squares.dtype)
    for tap in range(axis.taps):
        inside = axis.inside(tap)
        first, last = max(inside.start, found.plain.start), min(inside.stop, found.plain.stop)
        if first < last:
            sample = axis.start + first * axis.stride + tap * axis.dilation
            columns = slice(sample, sample + (last - first - 1) * axis.stride + 1, axis.stride)
            result[slice(first, last) if of_rows else columns] += front[tap]
    np.add.at(result, found.rows if of_rows else found.columns, front[axis.taps :])
    return np.moveaxis(result, 0, place)
