"""The steps of a call: which factors the core contracts at a time, and what lies between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Union

import numpy as np

from .. import _dtypes
from . import _factors, _path
from ._extents import Window
from ._factors import Factor
from ._subscripts import Affine, Axis

if TYPE_CHECKING:
    from ._call import Call

NEST = 1  # the one method that reads nothing beyond an axis's ends


class _Operand(NamedTuple):
    """An operand, or what it was summed to before all else: it still has axes on which indices meet."""

    place: int
    held: int  # as in a factor
    array: np.ndarray
    axes: tuple[Axis, ...]
    windows: tuple[Window, ...]


# What is there for a step to take: operands, and what steps have made.
_Held = Union[_Operand, Factor]


class Step(NamedTuple):
    """One call of the core: `order` are the indices of `out`'s axes and then those summed over.

    Where an axis of an operand is one index, although indices meet on it, its number is the axis's after all others.
    """

    extents: tuple[int, ...]  # of all indices
    factors: list[Factor]
    indices: list[frozenset[int]]  # of each factor
    order: list[int]
    count: int  # of out's axes
    out: np.ndarray
    dtype: np.dtype  # what products and sums are computed in
    copied: tuple[str, ...]  # what had to be copied for it
    temporary_bytes: int  # of these copies, and of `out` where another step reads it

    def core_arguments(self, call: Call) -> tuple[Any, ...]:
        """The arguments of `_native.contract`."""
        extents, order, count, factors = self.extents, self.order, self.count, self.factors
        if order != list(range(len(extents))):
            extents = tuple([extents[index] for index in order])
            factors = [_factors.reordered(factor, order) for factor in factors]
        return (
            extents,
            count,
            tuple([_factors.core_factor(factor) for factor in factors]),
            _factors.core_factor(_factors.of_result(self.out)),
            _factors.core_windows(factors),
            _dtypes.code_of(self.dtype),
            call.boundary,
            call.method,
            call.threads,
        )


def steps(call: Call, target: np.ndarray, dry: bool = False) -> Iterator[Step]:
    """The steps that write the result to `target`, each after the one before has run; if `dry`, none is to run."""
    extents, count = call.extents.extents, call.subscripts.output_count
    is_one = len(call.path) == 1 and call.summed_to == call.extents.sets
    dtype = call.dtype if is_one else _factors.accumulated_in(call.dtype)
    made = 0
    held: list[_Held] = list(
        map(
            _Operand,
            range(len(call.arrays)),
            range(len(call.arrays)),
            call.arrays,
            call.subscripts.operands,
            call.extents.windows,
        )
    )
    sets = list(call.summed_to)
    for place, (own, kept) in enumerate(zip(call.extents.sets, call.summed_to)):
        if kept != own:
            made -= 1
            step, held[place] = _sum_within(call, held[place], own, kept, made, dtype, dry)
            yield step
    for number, places in enumerate(call.path):
        taken, of_taken = _path.take(held, places), _path.take(sets, places)
        last = number == len(call.path) - 1
        kept = frozenset(range(count)) if last else _path.step_indices(of_taken, sets, count)
        if last:
            out = target
        elif len(taken) == 1 and kept == of_taken[0]:
            held.append(taken[0])  # nothing to sum within this operand
            sets.append(kept)
            continue
        else:
            out = np.empty([extents[index] for index in sorted(kept)], dtype)
        factors, copied, size = _ready(call, taken, of_taken, kept, dry)
        order = sorted(kept) + sorted(frozenset().union(*of_taken) - kept)
        size += 0 if last else out.nbytes
        yield Step(extents, factors, of_taken, order, len(kept), out, dtype, copied, size)
        if last:
            return
        made -= 1
        held.append(_factors.of_intermediate(made, out, sorted(kept), len(extents)))
        sets.append(kept)


def _sum_within(
    call: Call, operand: _Operand, own: frozenset[int], kept: frozenset[int], made: int, dtype: np.dtype, dry: bool
) -> tuple[Step, _Operand]:
    """An operand's sum over plain axes, and what takes its place: its other axes, as they lie in memory."""
    array, copied, size = _cast(call, operand, dry)
    first = len(call.extents.extents)
    extents = (*call.extents.extents, *array.shape)
    numbers = tuple([first + place if isinstance(axis, Affine) else axis for place, axis in enumerate(operand.axes)])
    strides = _factors.strides_of(numbers, array.shape, array.strides, extents)
    left = [number for number in dict.fromkeys(numbers) if number >= first or number in kept]
    left.sort(key=lambda number: -abs(strides[number]))
    summed = sorted(own - kept)
    out = np.empty([extents[number] for number in left], dtype)
    factors = [Factor(array, strides, operand.held)]
    indices = [frozenset([*left, *summed])]
    step = Step(extents, factors, indices, left + summed, len(left), out, dtype, copied, size + out.nbytes)
    axes = tuple([operand.axes[number - first] if number >= first else number for number in left])
    windows = tuple([window._replace(axis=left.index(first + window.axis)) for window in operand.windows])
    return step, _Operand(operand.place, made, out, axes, windows)


def _cast(call: Call, operand: _Operand, dry: bool) -> tuple[np.ndarray, tuple[str, ...], int]:
    """The operand's array in a dtype that the core reads, whether it was copied, and the copy's bytes."""
    held, array = operand.held, operand.array
    if held not in call.cast:
        return array, (), 0
    array = np.empty(array.shape, call.dtype) if dry else array.astype(call.dtype)
    return array, (f"operands[{held}] cast to {call.dtype}",), array.nbytes


def _ready(
    call: Call, taken: Sequence[_Held], sets: Sequence[frozenset[int]], kept: frozenset[int], dry: bool
) -> tuple[list[Factor], tuple[str, ...], int]:
    """The factors of a step, what was copied for them, and the copies' bytes."""
    in_core = _padded_by_core(call, taken, sets, kept)
    factors: list[Factor] = []
    copied: list[str] = []
    size = 0
    for operand in taken:
        if isinstance(operand, Factor):
            factors.append(operand)
            continue
        place, held, _, axes, windows = operand
        array, cast, cast_size = _cast(call, operand, dry)
        copied += cast
        size += cast_size
        if operand is in_core:
            factors.append(_factors.padded_factor(held, array, axes, windows, call.extents))
            continue
        if _factors.is_padded(windows):
            copied.append(f"operands[{place}] padded")
            array, windows = _factors.pad(array, windows, call.boundary, dry)
            size += array.nbytes
        factors.append(_factors.factor(held, array, axes, windows, call.extents))
    return factors, tuple(copied), size


def _padded_by_core(
    call: Call, taken: Sequence[_Held], sets: Sequence[frozenset[int]], kept: frozenset[int]
) -> _Operand | None:
    """The operand, one of two, whose padded axes the core reads beyond their ends; None without such."""
    padded = [
        (held, place)
        for place, held in enumerate(taken)
        if isinstance(held, _Operand) and _factors.is_padded(held.windows)
    ]
    if len(taken) != 2 or len(padded) != 1 or call.method == NEST:
        return None
    ((operand, place),) = padded
    shape, extents, other = operand.array.shape, call.extents.extents, sets[1 - place]
    return operand if _factors.core_pads(shape, operand.axes, operand.windows, extents, kept, other) else None
