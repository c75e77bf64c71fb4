"""Layouts: where the axes of input, weight and output are, in letters.

The core knows torch's order of axes alone. A layout becomes the permutations that make views in that order, once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Optional

Axes = Optional[tuple[int, ...]]  # None: as they are

# torch's names of the spatial axes, by their number; beyond three, any others.
SPATIAL = {1: "L", 2: "HW", 3: "DHW"}
_MORE_SPATIAL = "abcdefghijklmnopqrstuvwxyz"
# Of axes that were numbered: letters of any number of them, none of which has a meaning.
_PLACEHOLDERS = _MORE_SPATIAL + "ABDEFGHJKLM"


class Layout(NamedTuple):
    """Permutations between the user's order of axes and the core's.

    Without a batch axis, they count one that is put in front.
    """

    input: Axes  # of the user's input, for the core
    weight: Axes
    output: Axes
    result: Axes  # of the core's output, for the user
    result_weight: Axes
    batched: bool
    in_memory_order_of_input: bool  # a new result; else in C order
    letters: tuple[str, str, str]


class Layouts(NamedTuple):
    batched: Layout | None  # None where the letters leave the batch out
    unbatched: Layout | None  # None where there has to be a batch axis

    @property
    def any(self) -> Layout:
        """One of them: the weight has the same layout in both."""
        found = self.unbatched or self.batched
        assert found is not None
        return found

    def of(self, name: str, ndim: int) -> Layout:
        """The layout of an operand with a batch axis, or of one without it."""
        batched, unbatched = self
        count = len(self.any.letters[0])
        if batched is not None and ndim == count:
            return batched
        if unbatched is not None and ndim == count - 1:
            return unbatched
        expected = [] if batched is None else [f"{count} ({batched.letters[0]})"]
        expected += [] if unbatched is None else [f"{count - 1} ({unbatched.letters[0][1:]}, unbatched)"]
        raise ValueError(f"{name}.ndim={ndim}: expected {' or '.join(expected)}")


@lru_cache(maxsize=256)
def layouts(layout: str | None, spatial: int, transposed: bool, per_sample: bool) -> Layouts:
    """The layouts that `layout` means for input with and without a batch axis.

    `transposed`: the weight belongs to a transposed convolution, in which torch's order has its input channels first.
    """
    data, weight, output = _letters(layout, spatial, transposed, per_sample)
    order = "".join(letter for letter in weight if letter not in "NOI")
    _check(layout, (data, weight, output), order, spatial, per_sample)
    weight_order = ("N" if per_sample else "") + ("IO" if transposed else "OI") + order

    def made(data: str, output: str, batched: bool) -> Layout:
        return Layout(
            input=_permutation(data, "NC" + order),
            weight=_permutation(weight, weight_order),
            output=_permutation(output, "NC" + order),
            result=_permutation("NC" + order, output),
            result_weight=_permutation(weight_order, weight),
            batched=batched,
            in_memory_order_of_input=layout is None,
            letters=(data, weight, output),
        )

    unbatched = made("N" + data.replace("N", ""), "N" + output.replace("N", ""), batched=False)
    return Layouts(made(data, output, batched=True) if "N" in data else None, unbatched)


def permuted(input: Axes, weight: Axes, output: Axes, spatial: int, *, given: bool) -> Layout:
    """The layout of permutations of the user's axes, those of the core's order in turn."""
    letters = [
        _lettered(first + _PLACEHOLDERS[:spatial], axes)
        for first, axes in (("NC", input), ("OI", weight), ("NC", output))
    ]
    return Layout(input, weight, output, _inverse(output), _inverse(weight), True, not given, tuple(letters))


def _lettered(order: str, axes: Axes) -> str:
    """The letters of an array whose axes are those of `order` in turn."""
    return order if axes is None else "".join(order[axes.index(place)] for place in range(len(axes)))


def _inverse(axes: Axes) -> Axes:
    return None if axes is None else tuple(axes.index(place) for place in range(len(axes)))


def _permutation(letters: str, order: str) -> Axes:
    axes = tuple(letters.index(letter) for letter in order)
    return None if axes == tuple(range(len(axes))) else axes


def _letters(layout: str | None, spatial: int, transposed: bool, per_sample: bool) -> tuple[str, str, str]:
    """Letters of input, weight and output: what is not said is torch's."""
    if layout is None:
        data, rest = "NC" + SPATIAL.get(spatial, _MORE_SPATIAL[:spatial]), ""
    else:
        data, _, rest = "".join(layout.split()).partition(",")
    if not rest:
        order = "".join(letter for letter in data if letter not in "NC")
        return data, ("N" if per_sample else "") + ("IO" if transposed else "OI") + order, data
    weight, arrow, output = rest.partition("->")
    return data, weight, output if arrow else data


def _check(layout: str | None, letters: tuple[str, str, str], order: str, spatial: int, per_sample: bool) -> None:
    data, weight, output = letters
    expected = "letters such as 'NHWC' or 'NHWC,HWIO->NHWC'"
    for name, part in zip(("input", "weight", "output"), letters):
        if not part.isalpha() or len(set(part)) != len(part):
            raise ValueError(f"layout={layout!r} has {part!r} for {name}: expected {expected}, each letter once")
    if "O" not in weight or "I" not in weight:
        raise ValueError(f"layout={layout!r} has {weight!r} for weight: expected O and I among its letters")
    if ("N" in weight) != per_sample:
        raise ValueError(
            f"layout={layout!r} has {weight!r} for weight: expected N among its letters with per_sample=True, and only "
            "then"
        )
    for name, part in (("input", data), ("output", output)):
        if set(part) - {"N"} != {"C", *order}:
            raise ValueError(
                f"layout={layout!r} has {part!r} for {name}: expected C, N for a batch, and weight's {order!r}"
            )
    if ("N" in data) != ("N" in output):
        raise ValueError(f"layout={layout!r} has N for one of input and output: expected it for both or neither")
    if len(order) != spatial:
        raise ValueError(f"layout={layout!r} has the spatial axes {order!r}: expected {spatial} of them")
