"""The adjoint of a boundary: what lies beyond the border is added to the samples that the boundary repeats there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._through_numpy import inside_by
from ._windows import Axis


class Run(NamedTuple):
    """Neighbouring places outside whose samples are neighbours too, or one sample for all of them."""

    outside: slice
    samples: slice
    repeats: bool


class Fold(NamedTuple):
    """For an axis with `low` places before its `extent` samples."""

    low: int
    extent: int
    runs: tuple[Run, ...]

    @property
    def inside(self) -> slice:
        return slice(self.low, self.low + self.extent)


class Strip(NamedTuple):
    """The places outside at one end of an axis.

    The windows of `outputs` alone reach them, and `places` cuts them out of all places that these windows read.
    """

    outputs: slice
    places: slice
    runs: tuple[Run, ...]


def fold_of(axis: Axis, boundary: int) -> Fold:
    before, after = _before(axis, boundary), _after(axis, boundary)
    return Fold(axis.low, axis.extent, (*_runs(before, 0), *_runs(after, axis.low + axis.extent)))


def strips_of(axis: Axis, boundary: int) -> list[Strip]:
    """For windows that step by one sample."""
    strips = []
    if axis.low:
        strips.append(Strip(slice(0, axis.low), slice(0, axis.low), tuple(_runs(_before(axis, boundary), 0))))
    if axis.high:
        first = max(axis.extent - axis.start - axis.reach, 0)
        outside = slice(-axis.high, None)
        strips.append(Strip(slice(first, None), outside, tuple(_runs(_after(axis, boundary), 0))))
    return strips


def folded(array: np.ndarray, folds: tuple[Fold, ...]) -> np.ndarray:
    """A view of the samples in `array`, whose last axes the folds are for, with what lies outside added to them."""
    for place, fold in enumerate(folds, array.ndim - len(folds)):
        inside = array[(*(slice(None),) * place, fold.inside)]
        add_runs(inside, array, fold.runs, place)
        array = inside
    return array


def add_runs(samples: np.ndarray, places: np.ndarray, runs: tuple[Run, ...], axis: int) -> None:
    before = (slice(None),) * axis
    for run in runs:
        outside = places[(*before, run.outside)]
        if run.repeats:
            outside = np.add.reduce(outside, axis, dtype=samples.dtype, keepdims=True)
        samples[(*before, run.samples)] += outside


def _before(axis: Axis, boundary: int) -> np.ndarray:
    """The samples that the places before the first one hold."""
    return inside_by(boundary, np.arange(-axis.low, 0), axis.extent)


def _after(axis: Axis, boundary: int) -> np.ndarray:
    return inside_by(boundary, np.arange(axis.extent, axis.extent + axis.high), axis.extent)


def _runs(samples: np.ndarray, first: int) -> list[Run]:
    """Runs of consecutive places from `first` on, which hold `samples`."""
    found, steps, begin = [], np.diff(samples), 0
    while begin < len(samples):
        step = int(steps[begin]) if begin < len(steps) and abs(steps[begin]) <= 1 else None
        end = begin + 1
        while step is not None and end < len(samples) and steps[end - 1] == step:
            end += 1
        lowest, highest = sorted((int(samples[begin]), int(samples[end - 1])))
        outside = slice(first + begin, first + end)
        if step == -1:  # what is added forwards is read backwards
            outside = slice(first + end - 1, first + begin - 1 if first + begin else None, -1)
        found.append(Run(outside, slice(lowest, highest + 1), step == 0))
        begin = end
    return found
