"""How far each index runs, from the shapes of the operands and the padding.

An index that stands alone on an axis has that axis's extent. What is left is inferred from axes on which indices meet:
the largest extent with which every coordinate lies inside the axis and its padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Union

from .. import _arguments
from ._subscripts import Affine, Axis, Subscripts

# How far an axis is padded: by numbers before and after it, or so that one output falls on each step.
Pad = Union[tuple[int, int], str]
SAME = "same"
# Beyond this sizes are errors before they are products.
_LIMIT = 2**62


class Window(NamedTuple):
    """An axis on which indices meet, at given extents."""

    axis: int
    terms: tuple[tuple[int, int], ...]  # index, step
    start: int  # the coordinate at which all its indices are 0
    before: int  # how many coordinates are read before the axis, and after it
    after: int


class Extents(NamedTuple):
    """The extents of all indices, and each operand's windows and indices."""

    extents: tuple[int, ...]
    windows: tuple[tuple[Window, ...], ...]
    sets: tuple[frozenset[int], ...]  # the indices that each operand varies with: not those where it is broadcast


class _Place(NamedTuple):
    """An axis on which indices meet: where it is, and its extent."""

    operand: int
    axis: int
    affine: Affine
    extent: int
    pad: Pad


def padding(value: Any) -> tuple[tuple[str, Pad], ...] | str | None:
    """What `padding=` holds, in a form that a cache takes: pairs of an index and its padding, or 'same'."""
    if value is None or (isinstance(value, str) and value == "valid"):
        return None
    if isinstance(value, str):
        if value != SAME:
            raise ValueError(f"padding={value!r}: expected 'valid', 'same' or a dict from indices to padding")
        return SAME
    if not isinstance(value, dict):
        raise TypeError(f"padding={value!r}: expected 'valid', 'same' or a dict from indices to padding")
    return tuple([(_index_name(name), _pad(name, entry)) for name, entry in value.items()])


def _index_name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"padding has the key {name!r}: expected the letter of an index")
    return name


def _pad(name: str, value: Any) -> Pad:
    if isinstance(value, str):
        if value == SAME:
            return SAME
        if value == "valid":
            return 0, 0
        raise ValueError(f"padding[{name!r}]={value!r}: expected 'valid', 'same', an integer or a pair of them")
    entries = _arguments.per_axis(f"padding[{name!r}]", value, 2, "side")
    for entry in entries:
        if not 0 <= entry < _LIMIT:
            raise ValueError(f"padding[{name!r}]={value!r}: expected integers from 0 on")
    return entries[0], entries[1]


@lru_cache(maxsize=512)
def resolve(
    subscripts: Subscripts,
    shapes: tuple[tuple[int, ...], ...],
    padding: tuple[tuple[str, Pad], ...] | str | None,
) -> Extents:
    """The extents; ValueError for operands that disagree and for what cannot be inferred."""
    known = _plain_extents(subscripts, shapes)
    places = list(_places(subscripts, shapes, padding))
    if padding not in (None, SAME):
        _check_padding(subscripts, places, padding)
    _infer(subscripts, places, known)
    extents = tuple([known[index] for index in range(len(subscripts.names))])
    windows: list[list[Window]] = [[] for _ in shapes]
    for place in places:
        windows[place.operand].append(_window(subscripts, place, extents))
    sets = tuple([_indices(axes, shape, extents) for axes, shape in zip(subscripts.operands, shapes)])
    return Extents(extents, tuple(map(tuple, windows)), sets)


def _indices(axes: tuple[Any, ...], shape: tuple[int, ...], extents: tuple[int, ...]) -> frozenset[int]:
    found: set[int] = set()
    for axis, extent in zip(axes, shape):
        if isinstance(axis, Affine):
            found.update(index for index, _ in axis.terms)
        elif extents[axis] == extent:
            found.add(axis)
    return frozenset(found)


def _plain_extents(subscripts: Subscripts, shapes: tuple[tuple[int, ...], ...]) -> dict[int, int]:
    """NumPy's broadcasting between operands: an extent of 1 goes with any; within an operand extents are equal."""
    known: dict[int, int] = {}
    owners: dict[int, int] = {}
    for operand, (axes, shape) in enumerate(zip(subscripts.operands, shapes)):
        own: dict[int, int] = {}
        for index, extent in zip(axes, shape):
            if isinstance(index, Affine):
                continue
            if own.setdefault(index, extent) != extent:
                raise ValueError(
                    f"index '{subscripts.names[index]}' has extents {own[index]} and {extent} in operand {operand}: "
                    "expected the same one on a diagonal"
                )
        for index, extent in own.items():
            other = known.get(index, 1)
            if other == 1:
                known[index], owners[index] = extent, operand
            elif extent not in (1, other):
                raise ValueError(
                    f"index '{subscripts.names[index]}' has extent {other} in operand {owners[index]} and {extent} in "
                    f"operand {operand}: expected the same one, or 1"
                )
    return known


def _places(subscripts: Subscripts, shapes: tuple[tuple[int, ...], ...], padding: Any) -> Iterator[_Place]:
    for operand, (axes, shape) in enumerate(zip(subscripts.operands, shapes)):
        for axis, affine in enumerate(axes):
            if isinstance(affine, Affine):
                pad = _pad_of(subscripts, operand, affine, padding)
                yield _Place(operand, axis, affine, shape[axis], pad)


def _pad_of(subscripts: Subscripts, operand: int, affine: Affine, padding: Any) -> Pad:
    """The padding of an axis: that of the one index on it which has some."""
    if padding is None:
        return 0, 0
    names = [subscripts.names[index] for index, _ in affine.terms]
    if padding == SAME:
        return SAME if any(index < subscripts.output_count for index, _ in affine.terms) else (0, 0)
    pads = [(name, pad) for name, pad in padding if name in names]
    if len(pads) > 1:
        raise ValueError(
            f"padding names '{pads[0][0]}' and '{pads[1][0]}', which meet on one axis of operand {operand}"
        )
    return pads[0][1] if pads else (0, 0)


def _check_padding(subscripts: Subscripts, places: list[_Place], padding: tuple[tuple[str, Pad], ...]) -> None:
    walking = {subscripts.names[index] for place in places for index, _ in place.affine.terms}
    for name, _ in padding:
        if name not in walking:
            raise ValueError(
                f"padding has the key {name!r}: expected an index that meets another one on an axis, "
                + (f"one of {', '.join(sorted(walking))}" if walking else "of which there is none")
            )


def unbounded(subscripts: Subscripts, shapes: Sequence[tuple[int, ...]], extents: Sequence[int]) -> Extents:
    """`resolve` for given extents, of operands that may be read beyond their ends as far as these go."""
    everything = tuple(extents)
    windows = []
    for axes, shape in zip(subscripts.operands, shapes):
        found = [
            _read(axis, affine, affine.offset, shape[axis], everything)
            for axis, affine in enumerate(axes)
            if isinstance(affine, Affine)
        ]
        windows.append(tuple(found))
    sets = tuple([_indices(axes, shape, everything) for axes, shape in zip(subscripts.operands, shapes)])
    return Extents(everything, tuple(windows), sets)


def indices_of(axis: Axis) -> list[int]:
    return [index for index, _ in axis.terms] if isinstance(axis, Affine) else [axis]


def renumbered(axis: Axis, numbers: dict[int, int]) -> Axis:
    if isinstance(axis, Affine):
        return Affine(tuple([(numbers[index], step) for index, step in axis.terms]), axis.offset)
    return numbers[axis]


# ---- Inference -----------------------------------------------------------------------------------------------------


def _infer(subscripts: Subscripts, places: list[_Place], known: dict[int, int]) -> None:
    """Fills in what follows from axes of which all indices but one are known, as long as any does."""
    while True:
        found: dict[int, int] = {}
        missing: list[tuple[_Place, list[int]]] = []
        for place in places:
            unknown = [index for index, _ in place.affine.terms if index not in known]
            if len(unknown) == 1:
                extent = _largest(subscripts, place, unknown[0], known)
                found[unknown[0]] = min(extent, found.get(unknown[0], extent))
            elif unknown:
                missing.append((place, unknown))
        if not found:
            break
        known.update(found)
    if missing:
        place, unknown = missing[0]
        names = " and ".join(f"'{subscripts.names[index]}'" for index in unknown)
        raise ValueError(
            f"the extents of {names} cannot be inferred: they meet on axis {place.axis} of operand {place.operand}, "
            f"of extent {place.extent}, and all but one of them must stand alone on an axis"
        )


def _reach(affine: Affine, known: Any, without: int = -1) -> tuple[int, int]:
    """The lowest and the highest coordinate of a sum over its indices but one."""
    steps = [step * (known[index] - 1) for index, step in affine.terms if index != without]
    return (
        affine.offset + sum(step for step in steps if step < 0),
        affine.offset + sum(step for step in steps if step > 0),
    )


def _largest(subscripts: Subscripts, place: _Place, index: int, known: dict[int, int]) -> int:
    """The largest extent of the one unknown index of an axis."""
    step = dict(place.affine.terms)[index]
    if place.pad == SAME:
        if step < 0:
            raise ValueError(
                f"padding='same' with index '{subscripts.names[index]}' {step} times on axis {place.axis} of operand "
                f"{place.operand}: expected a positive step"
            )
        return -(-place.extent // step)
    before, after = place.pad
    last = place.extent + before + after - 1
    if any(known[other] == 0 for other, _ in place.affine.terms if other != index):
        return (last + 1) // abs(step) + 1  # windows without elements fit at one place more than those of one
    lowest, highest = _reach(place.affine, known, without=index)
    extent = (last - highest) // step + 1 if step > 0 else lowest // -step + 1
    if extent < 1 or lowest < 0 or highest > last:
        raise ValueError(
            f"index '{subscripts.names[index]}' has no extent: the other indices on axis {place.axis} of operand "
            f"{place.operand} reach from {lowest} to {highest}, and with padding the axis has extent {last + 1}"
        )
    return extent


def _window(subscripts: Subscripts, place: _Place, extents: tuple[int, ...]) -> Window:
    terms, extent = place.affine.terms, place.extent
    lowest, highest = _reach(place.affine, extents)
    empty = any(extents[index] == 0 for index, _ in terms)
    if place.pad == SAME:
        # torch's rule where outputs are one step apart, TensorFlow's at any: an odd element goes to the end.
        _check_same(subscripts, place, extents)
        total = max(highest - lowest + 1 - extent, 0)
        start = place.affine.offset - lowest - total // 2
    else:
        before, after = place.pad
        start = place.affine.offset - before
        if not empty and (lowest < 0 or highest >= extent + before + after):
            names = ", ".join(f"'{subscripts.names[index]}' of extent {extents[index]}" for index, _ in terms)
            raise ValueError(
                f"axis {place.axis} of operand {place.operand} has extent {extent + before + after}"
                f"{' with padding' if before or after else ''}, and {names} reach from {lowest} to {highest} on it"
            )
    return _read(place.axis, place.affine, start, extent, extents)


def _read(axis: int, affine: Affine, start: int, extent: int, extents: tuple[int, ...]) -> Window:
    """The window of an axis that is read from `start` on."""
    if any(extents[index] == 0 for index, _ in affine.terms):
        return Window(axis, affine.terms, 0, 0, 0)
    lowest, highest = _reach(affine, extents)
    low, high = start + lowest - affine.offset, start + highest - affine.offset
    return Window(axis, affine.terms, start, max(-low, 0), max(high - extent + 1, 0))


def _check_same(subscripts: Subscripts, place: _Place, extents: tuple[int, ...]) -> None:
    walking = [(index, step) for index, step in place.affine.terms if index < subscripts.output_count]
    for index, step in walking[:1]:
        expected = -(-place.extent // step)
        if extents[index] != expected:
            raise ValueError(
                f"padding='same' gives index '{subscripts.names[index]}' extent {expected} on axis {place.axis} of "
                f"operand {place.operand}, but it has extent {extents[index]} elsewhere"
            )
