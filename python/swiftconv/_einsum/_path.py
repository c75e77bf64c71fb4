"""In which order many operands are contracted.

A path is a list of steps; each takes operands by their places in the list that there then is, and puts its result at
the list's end: NumPy's convention. Searches are NumPy's and opt_einsum's; they see every operand as an array whose
axes are the indices that it varies with.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from math import prod
from string import ascii_letters
from typing import Any, NamedTuple

import numpy as np

Path = tuple[tuple[int, ...], ...]
Sets = tuple[frozenset[int], ...]

# Multiplications that one more call and its temporary array have to save.
_WORTH_A_STEP = 1 << 14
# And those that a sum before windows has to, beside so many for each element that it reads: filters over sums of images
# are stencils, which multiply about 4 times in the time that a sum takes for an element.
_WORTH_A_SUM, _WORTH_AN_ELEMENT = 1 << 15, 4
# Elements up to which a product of operands is a filter.
_LARGEST_FILTER = 1 << 16
_NUMPY_NAMES = ("greedy", "optimal")


class Overlap(NamedTuple):
    """An operand whose elements share memory, as those of windows do."""

    place: int
    plain: frozenset[int]  # indices that it can be summed over as it lies in memory
    size: int  # elements that such a sum reads


def path(
    sets: Sets, extents: tuple[int, ...], output_count: int, optimize: Any, overlapping: tuple[Overlap, ...]
) -> tuple[Sets, Path]:
    """The indices that operands with these keep in sums that come first, and the steps that follow.

    `optimize` is what the user wrote.
    """
    if optimize is False:
        return _default_path(sets, extents, output_count, overlapping)
    key = _key(optimize)
    if key is None:
        return sets, _searched(sets, extents, output_count, optimize)
    return sets, _searched_once(sets, extents, output_count, key)


def _key(optimize: Any) -> Hashable | None:
    """The option in a form that a cache may hold; None where it has none."""
    if optimize is None or optimize is True or isinstance(optimize, str):
        return optimize or False
    return None


@lru_cache(maxsize=512)
def _searched_once(sets: Sets, extents: tuple[int, ...], output_count: int, optimize: Any) -> Path:
    return _searched(sets, extents, output_count, optimize)


def _searched(sets: Sets, extents: tuple[int, ...], output_count: int, optimize: Any) -> Path:
    letters = _letters(len(extents), optimize)
    if letters is None:
        return (tuple(range(len(sets))),)
    subscripts, shapes = as_plain(sets, extents, output_count, letters)
    name = optimize[0] if isinstance(optimize, tuple) and optimize else optimize
    if isinstance(name, str) and name not in _NUMPY_NAMES and len(sets) > 2:
        found = _through_opt_einsum(subscripts, shapes, optimize)
        if found is not None:
            return found
    _refuse_unfinished(optimize, len(sets))
    found, _ = np.einsum_path(subscripts, *dummies(shapes), optimize=optimize)  # words what is wrong with the option
    return tuple([tuple(map(int, step)) for step in found[1:]])


def dummies(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Arrays of these shapes and one element each: a path is found by shapes alone."""
    return [np.broadcast_to(np.zeros((), np.int8), shape) for shape in shapes]


def _refuse_unfinished(optimize: Any, count: int) -> None:
    """An explicit path has to leave one operand: NumPy's einsum says so, older ones' einsum_path does not."""
    if isinstance(optimize, (list, tuple)) and optimize and optimize[0] == "einsum_path":
        left = count - sum(len(step) - 1 for step in optimize[1:] if isinstance(step, (list, tuple)))
        if left != 1:
            raise RuntimeError(
                f"optimize={optimize!r} leaves {left} operands of {count}: expected a path that leaves 1"
            )


def _through_opt_einsum(subscripts: str, shapes: list[tuple[int, ...]], optimize: Any) -> Path | None:
    """The path by opt_einsum's search of that name, where it is installed."""
    try:
        import opt_einsum  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    name, limit = optimize if isinstance(optimize, tuple) else (optimize, None)
    found, _ = opt_einsum.contract_path(subscripts, *shapes, shapes=True, optimize=name, memory_limit=limit)
    return tuple([tuple(step) for step in found])


def _letters(count: int, optimize: Any) -> str | None:
    if count <= len(ascii_letters):
        return ascii_letters
    if isinstance(optimize, (list, tuple)):
        raise ValueError(f"optimize={optimize!r} with {count} indices: expected at most {len(ascii_letters)}")
    return None


def as_plain(
    sets: Sets, extents: tuple[int, ...], output_count: int, letters: Sequence[str]
) -> tuple[str, list[tuple[int, ...]]]:
    """Subscripts and shapes of operands that have their indices as axes."""
    rows = [sorted(indices) for indices in sets]
    inputs = ",".join("".join(letters[index] for index in row) for row in rows)
    held = frozenset().union(*sets)
    output = "".join(letters[index] for index in range(output_count) if index in held)
    return f"{inputs}->{output}", [tuple([extents[index] for index in row]) for row in rows]


# ---- Without a word from the user ----------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _default_path(
    sets: Sets, extents: tuple[int, ...], output_count: int, overlapping: tuple[Overlap, ...]
) -> tuple[Sets, Path]:
    """One step for all, unless sums within operands first, or pairs, save many multiplications."""
    reduced = _sums_first(sets, extents, output_count, overlapping)
    together = (tuple(range(len(sets))),)
    work = _multiplications(reduced, extents)
    if len(sets) < 3 or work < _WORTH_A_STEP:
        return reduced, together
    filters = _filters_first(reduced, extents, output_count, overlapping)
    if filters is not None:
        return reduced, filters
    pairs = _searched(reduced, extents, output_count, "greedy")
    if 2 * _path_multiplications(pairs, reduced, extents, output_count) < work - _WORTH_A_STEP * (len(pairs) - 1):
        return reduced, pairs
    return reduced, together


def _filters_first(
    sets: Sets, extents: tuple[int, ...], output_count: int, overlapping: tuple[Overlap, ...]
) -> Path | None:
    """Beside one operand of windows, the others are multiplied first if that makes a small filter, all summed over.

    A search, to which every window is elements of its own, would rather make an array of sums for each factor.
    """
    if len(overlapping) != 1:
        return None
    held = list(sets)
    others = tuple([place for place in range(len(sets)) if place != overlapping[0].place])
    taken = take(held, others)
    kept = step_indices(taken, held, output_count)
    is_filter = all(index >= output_count for index in kept)
    small = prod([extents[index] for index in kept]) <= _LARGEST_FILTER
    return (others, (0, 1)) if is_filter and small else None


def _sums_first(sets: Sets, extents: tuple[int, ...], output_count: int, overlapping: tuple[Overlap, ...]) -> Sets:
    """The indices that are left where operands are summed over those which nothing else has.

    Operands of windows are summed over plain indices alone, since other sums would store every window. A sum reads all
    of the array, and windows with large steps may not.
    """
    if len(sets) == 1:
        return sets
    alone = [
        own - step_indices([own], [*sets[:place], *sets[place + 1 :]], output_count) for place, own in enumerate(sets)
    ]
    windows = {overlap.place for overlap in overlapping}
    kept = tuple([own if place in windows else own - alone[place] for place, own in enumerate(sets)])
    if _saved(sets, kept, extents) < 2 * _WORTH_A_STEP:
        kept = sets
    for place, plain, size in overlapping:
        summed = alone[place] & plain
        less = (*kept[:place], kept[place] - summed, *kept[place + 1 :])
        if _saved(kept, less, extents) >= _WORTH_A_SUM + _WORTH_AN_ELEMENT * size:
            kept = less
    return kept


def _saved(sets: Sets, kept: Sets, extents: tuple[int, ...]) -> int:
    return _multiplications(sets, extents) - _multiplications(kept, extents)


def _multiplications(sets: Sequence[frozenset[int]], extents: tuple[int, ...]) -> int:
    return prod([extents[index] for index in frozenset().union(*sets)]) * (len(sets) - 1)


def _path_multiplications(path: Path, sets: Sets, extents: tuple[int, ...], output_count: int) -> int:
    total = 0
    held = list(sets)
    for step in path:
        taken = take(held, step)
        total += _multiplications(taken, extents)
        held.append(step_indices(taken, held, output_count))
    return total


# ---- What a step takes and leaves ----------------------------------------------------------------------------------


def take(held: list[Any], step: tuple[int, ...]) -> list[Any]:
    """Removes the entries of a step from the list, as NumPy does from the last place on; returns them in order."""
    return [held.pop(place) for place in sorted(step, reverse=True)][::-1]


def step_indices(
    taken: Sequence[frozenset[int]], others: Sequence[frozenset[int]], output_count: int
) -> frozenset[int]:
    """The indices of a step's result: those that the output or another operand still needs."""
    needed = frozenset(range(output_count)).union(*others)
    return frozenset().union(*taken) & needed
