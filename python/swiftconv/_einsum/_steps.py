"""The steps of a call: which factors the core contracts at a time, and what lies between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Union

import numpy as np

from .. import _dtypes
from . import _factors, _path
from ._factors import Factor

if TYPE_CHECKING:
    from ._call import Call

NEST = 1  # the one method that reads nothing beyond an axis's ends

# An operand by its place, or what a step has made.
_Held = Union[int, Factor]


class Step(NamedTuple):
    """One call of the core: `order` are the indices of `out`'s axes and then those summed over."""

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
        order, count, factors = self.order, self.count, self.factors
        extents = call.extents.extents
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
    dtype = _factors.accumulated_in(call.dtype) if len(call.path) > 1 else call.dtype
    made = 0
    held: list[_Held] = list(range(len(call.arrays)))
    sets = list(call.extents.sets)
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
        summed = sorted(frozenset().union(*of_taken) - kept)
        yield Step(
            factors, of_taken, sorted(kept) + summed, len(kept), out, dtype, copied, size + (0 if last else out.nbytes)
        )
        if last:
            return
        made -= 1
        held.append(_factors.of_intermediate(made, out, sorted(kept), len(extents)))
        sets.append(kept)


def _ready(
    call: Call, taken: Sequence[_Held], sets: Sequence[frozenset[int]], kept: frozenset[int], dry: bool
) -> tuple[list[Factor], tuple[str, ...], int]:
    """The factors of a step, what was copied for them, and the copies' bytes."""
    in_core = _padded_by_core(call, taken, sets, kept)
    factors: list[Factor] = []
    copied: list[str] = []
    size = 0
    for held in taken:
        if isinstance(held, Factor):
            factors.append(held)
            continue
        array, axes, windows = call.arrays[held], call.subscripts.operands[held], call.extents.windows[held]
        if held in call.cast:
            copied.append(f"operands[{held}] cast to {call.dtype}")
            size += array.size * call.dtype.itemsize
            array = np.empty(array.shape, call.dtype) if dry else array.astype(call.dtype)
        if held == in_core:
            factors.append(_factors.padded_factor(held, array, axes, windows, call.extents))
            continue
        if _factors.is_padded(windows):
            copied.append(f"operands[{held}] padded")
            array, windows = _factors.pad(array, windows, call.boundary, dry)
            size += array.nbytes
        factors.append(_factors.factor(held, array, axes, windows, call.extents))
    return factors, tuple(copied), size


def _padded_by_core(
    call: Call, taken: Sequence[_Held], sets: Sequence[frozenset[int]], kept: frozenset[int]
) -> int | None:
    """The operand, one of two, whose padded axes the core reads beyond their ends; None without such."""
    windows = call.extents.windows
    padded = [place for place, held in enumerate(taken) if isinstance(held, int) and _factors.is_padded(windows[held])]
    if len(taken) != 2 or len(padded) != 1 or call.method == NEST:
        return None
    held, other = taken[padded[0]], sets[1 - padded[0]]
    assert isinstance(held, int)
    axes = call.subscripts.operands[held]
    extents = call.extents.extents
    return held if _factors.core_pads(call.arrays[held].shape, axes, windows[held], extents, kept, other) else None
