"""The adjoint of a boundary: what lies beyond the border is added to the samples that the boundary repeats there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._through_numpy import inside_by
from ._geometry import Axis


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


def fold_of(axis: Axis, boundary: int) -> Fold:
    low, extent, high = axis.low, axis.extent, axis.high
    before = _runs(inside_by(boundary, np.arange(-low, 0), extent), 0)
    after = _runs(inside_by(boundary, np.arange(extent, extent + high), extent), low + extent)
    return Fold(low, extent, (*before, *after))


def folded(array: np.ndarray, folds: tuple[Fold, ...]) -> np.ndarray:
    """A view of the samples in `array`, whose last axes the folds are for, with what lies outside added to them."""
    for place, fold in enumerate(folds, array.ndim - len(folds)):
        before = (slice(None),) * place
        inside = array[(*before, slice(fold.low, fold.low + fold.extent))]
        for run in fold.runs:
            outside = array[(*before, run.outside)]
            if run.repeats:
                outside = np.add.reduce(outside, place, dtype=array.dtype, keepdims=True)
            inside[(*before, run.samples)] += outside
        array = inside
    return array


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
