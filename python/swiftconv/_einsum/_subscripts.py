"""Subscripts, from text to indices by number: NumPy's grammar, and axes in parentheses on which indices meet.

    subscripts = operand {"," operand} ["->" output]
    operand    = {index | "..." | "(" sum ")"}         spaces anywhere outside of "..." and "->"
    sum        = ["-"] term {("+" | "-") term}
    term       = [integer ["*"]] index | index "*" integer | integer

What is parsed is kept, by text and numbers of axes. Extents come later, in `_extents`.
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_letters, ascii_uppercase
from typing import Any, NamedTuple, Union

# NumPy's limit on operands; one less than the core's, since NumPy counts the result.
MAX_OPERANDS = 63
MAX_INDICES = 64
# NumPy numbers labels of the sublist form with the capitals first.
_LABELS = ascii_uppercase + ascii_letters[:26]
_TOKEN = re.compile(r"(?P<integer>[0-9]+)|(?P<index>[A-Za-z])|(?P<sign>[-+*])| +|(?P<other>.)", re.DOTALL)


class Affine(NamedTuple):
    """An axis on which indices meet: its coordinate is `offset` + the sum of step * index over `terms`."""

    terms: tuple[tuple[int, int], ...]  # index, step; no step is 0, no index occurs twice
    offset: int


Axis = Union[int, Affine]


@dataclass(frozen=True, eq=False)
class Subscripts:
    """Indices are numbers: those of the result first, in its order, then the summed ones in NumPy's.

    Equal to itself alone, so that caches need not look inside.
    """

    text: str
    names: tuple[str, ...]  # of the indices, for messages
    output_count: int
    operands: tuple[tuple[Axis, ...], ...]
    is_affine: bool  # whether the text is beyond NumPy's grammar

    @property
    def is_view(self) -> bool:
        """Whether the result is nothing but the one operand's elements in another order."""
        return len(self.operands) == 1 and self.output_count == len(self.names)


# Before they have numbers indices are letters, and the axes under an ellipsis pairs ("...", place from the left).
_Key = Union[str, tuple[str, int]]


class _Terms(NamedTuple):
    counts: dict[str, int]
    offset: int


_Item = Union[str, _Terms]  # a letter, "..." or a sum


@lru_cache(maxsize=1024)
def parse(text: str, ranks: tuple[int, ...]) -> Subscripts:
    """The subscripts of operands with these numbers of axes; ValueError for what cannot be read."""
    inputs, arrow, output = text.partition("->")
    operands = inputs.split(",")
    if len(operands) != len(ranks):
        expected = "1 operand" if len(operands) == 1 else f"{len(operands)} operands"
        raise ValueError(f"subscripts {text!r} are for {expected}: got {len(ranks)}")
    items = [_items(operand, f"operand {place}", text) for place, operand in enumerate(operands)]
    hidden = [_hidden_axes(row, rank, place, text) for place, (row, rank) in enumerate(zip(items, ranks))]
    most = max(hidden)
    rows = [_keyed(row, most - count, most) for row, count in zip(items, hidden)]
    given = _items(output, "the output", text) if arrow else _implicit_output(items)
    result = _output_keys(given, rows, most, text)
    seen = {key for row in rows for axis in row for key in _keys_of(axis)}
    keys = result + sorted(key for key in seen if isinstance(key, str) and key not in result)
    if len(keys) > MAX_INDICES:
        raise ValueError(f"subscripts {text!r} have {len(keys)} indices: expected at most {MAX_INDICES}")
    numbers = {key: number for number, key in enumerate(keys)}
    return Subscripts(
        text=text,
        names=tuple([key if isinstance(key, str) else f"...[{key[1]}]" for key in keys]),
        output_count=len(result),
        operands=tuple([tuple([_numbered(axis, numbers) for axis in row]) for row in rows]),
        is_affine="(" in text,
    )


def _items(part: str, where: str, text: str) -> list[_Item]:
    """The axes that one operand's subscripts name, from left to right."""
    items: list[_Item] = []
    place = 0
    while place < len(part):
        character = part[place]
        if character in ascii_letters:
            items.append(character)
        elif character == "(":
            end = part.find(")", place)
            if end < 0:
                raise ValueError(f"subscripts {text!r}: '(' without ')' in {where}")
            items.append(_sum(part[place + 1 : end], where, text))
            place = end
        elif part.startswith("...", place) and "..." not in items:
            items.append("...")
            place += 2
        elif character == ".":
            raise ValueError(f"subscripts {text!r}: '.' in {where} is not part of one ellipsis ('...')")
        elif character != " ":
            raise ValueError(f"subscripts {text!r}: {character!r} in {where} is not an index, which are letters")
        place += 1
    return items


def _sum(part: str, where: str, text: str) -> _Item:
    """What parentheses hold. One index alone is as good as without them."""
    counts: dict[str, int] = {}
    offset = 0
    whole = f"subscripts {text!r}: '({part})' in {where}"
    tokens = [match for match in _TOKEN.finditer(part) if match.lastgroup]
    place = 0
    while place < len(tokens) or not counts:
        sign = 1
        if place < len(tokens) and tokens[place].group() in ("+", "-") and (place or tokens[place].group() == "-"):
            sign = -1 if tokens[place].group() == "-" else 1
            place += 1
        elif place:
            raise ValueError(f"{whole} is no sum of indices: expected '+' or '-' between its terms")
        factor, index, place = _term(tokens, place, whole)
        if index:
            counts[index] = counts.get(index, 0) + sign * factor
        else:
            offset += sign * factor
    for index, step in counts.items():
        if step == 0:
            raise ValueError(f"{whole} has index '{index}' 0 times: expected a step other than 0")
        if abs(step) >= 2**31:
            raise ValueError(f"{whole} has index '{index}' {step} times: expected a step below 2**31")
    if abs(offset) >= 2**31:
        raise ValueError(f"{whole} has offset {offset}: expected one below 2**31")
    if len(counts) == 1 and offset == 0:
        (index, step), *_ = counts.items()
        if step == 1:
            return index
    return _Terms(counts, offset)


def _term(tokens: list[re.Match[str]], place: int, whole: str) -> tuple[int, str, int]:
    """A term's factor, its index ('' for a number alone) and the place of the token after it."""
    kinds = [match.lastgroup for match in tokens[place : place + 3]]
    words = [match.group() for match in tokens[place : place + 3]]
    if kinds[:1] == ["index"]:
        if words[1:2] != ["*"]:
            return 1, words[0], place + 1
        if kinds[2:] == ["integer"]:
            return _integer(words[2], whole), words[0], place + 3
    elif kinds[:1] == ["integer"]:
        if kinds[1:2] == ["index"] and words[2:] != ["*"]:
            return _integer(words[0], whole), words[1], place + 2
        if words[1:2] == ["*"] and kinds[2:] == ["index"]:
            return _integer(words[0], whole), words[2], place + 3
        if words[1:2] != ["*"] and kinds[1:2] != ["index"]:
            return _integer(words[0], whole), "", place + 1
    raise ValueError(f"{whole} is no sum of indices: expected terms like y, 2*y, y*2 or 2 and signs between them")


def _integer(digits: str, whole: str) -> int:
    # int() of many digits takes quadratic time, and refuses thousands of them.
    if len(digits.lstrip("0")) > 10:
        raise ValueError(f"{whole}: {digits[:10]}... is too large: expected an integer below 2**31")
    return int(digits)


def _hidden_axes(items: list[_Item], rank: int, place: int, text: str) -> int:
    """How many axes of an operand its ellipsis stands for."""
    named = sum(item != "..." for item in items)
    if named > rank or (named < rank and "..." not in items):
        hint = "" if named > rank else " ('...' would stand for the others)"
        axes = "1 axis" if named == 1 else f"{named} axes"
        raise ValueError(f"subscripts {text!r} name {axes} of operand {place}, which has {rank}{hint}")
    return rank - named


def _keyed(items: list[_Item], first: int, most: int) -> list[Any]:
    """Axes with the ellipsis spelled out: its axes are the last ones of the most that any operand has."""
    row: list[Any] = []
    for item in items:
        if item == "...":
            row.extend(("...", place) for place in range(first, most))
        else:
            row.append(item)
    return row


def _keys_of(axis: Any) -> Sequence[_Key]:
    return tuple(axis.counts) if isinstance(axis, _Terms) else (axis,)


def _implicit_output(items: list[list[_Item]]) -> list[_Item]:
    """NumPy's rule: the ellipsis, then every index that occurs once, in the alphabet's order with capitals first."""
    counts = Counter(key for row in items for axis in row if axis != "..." for key in _keys_of(axis))
    return ["...", *sorted(key for key, count in counts.items() if count == 1 and isinstance(key, str))]


def _output_keys(items: list[_Item], rows: list[list[Any]], most: int, text: str) -> list[_Key]:
    if most and "..." not in items:
        raise ValueError(f"subscripts {text!r}: the output needs '...' for the axes that '...' stands for in operands")
    seen = {key for row in rows for axis in row for key in _keys_of(axis)}
    for place, item in enumerate(items):
        if isinstance(item, _Terms):
            raise ValueError(f"subscripts {text!r}: indices in parentheses are for operands, the output has plain ones")
        if item in items[:place]:
            raise ValueError(f"subscripts {text!r}: the output has index '{item}' twice")
        if item != "..." and item not in seen:
            raise ValueError(f"subscripts {text!r}: the output's index '{item}' is in no operand")
    return _keyed(items, 0, most)


def _numbered(axis: Any, numbers: dict[_Key, int]) -> Axis:
    if isinstance(axis, _Terms):
        return Affine(tuple([(numbers[key], step) for key, step in axis.counts.items()]), axis.offset)
    return numbers[axis]


def letters(subscripts: Subscripts) -> list[str]:
    """The names of the indices, with letters that are free for the ellipsis's."""
    free = (letter for letter in _LABELS if letter not in subscripts.names)
    return [name if len(name) == 1 else next(free, "?") for name in subscripts.names]


def spelled(axis: Axis, letters: Sequence[str]) -> str:
    """An axis as subscripts have it."""
    if not isinstance(axis, Affine):
        return letters[axis]
    signs = ["-" if step < 0 else "+" for _, step in axis.terms]
    terms = [f"{'' if abs(step) == 1 else abs(step)}{letters[index]}" for index, step in axis.terms]
    total = "".join(map("".join, zip(signs, terms))).removeprefix("+")
    return f"({total}{axis.offset:+})" if axis.offset else f"({total})"


# ---- The two forms of a call --------------------------------------------------------------------------------------


def split(arguments: Sequence[Any]) -> tuple[str, list[Any]]:
    """The subscripts as text, and the operands, of a call in either of NumPy's forms."""
    if not arguments:
        raise ValueError("einsum needs subscripts and at least one operand, or operands that lists of labels follow")
    first = arguments[0]
    if isinstance(first, bytes):
        first = first.decode("ascii")  # what is not ASCII is a ValueError, as it is in NumPy
    if isinstance(first, str):
        text, operands = first, list(arguments[1:])
        if not operands:
            raise ValueError(f"subscripts {text!r} without an operand: expected at least one")
    else:
        text, operands = _text_of_lists(arguments)
    if len(operands) > MAX_OPERANDS:
        raise ValueError(f"got {len(operands)} operands: expected at most {MAX_OPERANDS}")
    return text, operands


def _text_of_lists(arguments: Sequence[Any]) -> tuple[str, list[Any]]:
    if len(arguments) < 2:
        raise ValueError("got an operand alone: expected subscripts before it, or a list of labels after it")
    count = len(arguments) // 2
    parts = [_labels(arguments[2 * place + 1], f"operand {place}") for place in range(count)]
    text = ",".join(parts)
    if len(arguments) % 2:
        text += "->" + _labels(arguments[-1], "the output")
    return text, list(arguments[: 2 * count : 2])


def _labels(entries: Any, where: str) -> str:
    try:
        labels = list(entries)
    except TypeError:
        raise TypeError(f"the labels of {where} are {entries!r}: expected a list of integers and Ellipsis") from None
    letters = []
    for label in labels:
        if label is Ellipsis:
            letters.append("...")
            continue
        try:
            number = operator.index(label)
            if isinstance(label, bool) or not -(2**31) <= number < 2**31:  # as NumPy has it
                raise TypeError
        except TypeError:
            raise TypeError(f"label {label!r} of {where}: expected an integer or Ellipsis") from None
        if not 0 <= number < len(_LABELS):
            raise ValueError(f"label {number} of {where}: expected one from 0 to {len(_LABELS) - 1}")
        letters.append(_LABELS[number])
    return "".join(letters)
