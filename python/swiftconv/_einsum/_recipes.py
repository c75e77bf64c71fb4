"""What calls in C have to know of subscripts: see einsum_plain.h, which says how it is read."""

from __future__ import annotations

from functools import lru_cache

from ._extents import indices_of
from ._subscripts import Affine, Subscripts

_OPERANDS, _INDICES, _SUMS, _TERMS = 8, 16, 8, 4
_SUM = 255
_KEPT = 512

# From subscripts to bytes, for the numbers of axes that operands had last.
recipes: dict[str, bytes] = {}


def keep(subscripts: Subscripts) -> None:
    """Lets C run later calls with these subscripts, where it can."""
    recipe = _recipe(subscripts)
    if recipe is not None:
        if len(recipes) >= _KEPT:
            recipes.clear()
        recipes[subscripts.text] = recipe


def keep_view(subscripts: Subscripts) -> None:
    """Lets C leave later calls with these subscripts to NumPy, whose view they return."""
    if len(recipes) >= _KEPT:
        recipes.clear()
    recipes[subscripts.text] = bytes([0, len(subscripts.operands[0])])


@lru_cache(maxsize=_KEPT)
def _recipe(subscripts: Subscripts) -> bytes | None:
    operands = subscripts.operands
    sums = [axis for row in operands for axis in row if isinstance(axis, Affine)]
    if len(operands) > _OPERANDS or len(subscripts.names) > _INDICES or len(sums) > _SUMS:
        return None
    if any(len(axis.terms) > _TERMS for axis in sums):
        return None
    recipe = bytearray([len(operands), len(subscripts.names), subscripts.output_count, _sums_within(subscripts)])
    for row in operands:
        recipe.append(len(row))
        for axis in row:
            recipe += _sum(axis) if isinstance(axis, Affine) else bytes([axis])
    return bytes(recipe)


def _sum(axis: Affine) -> bytes:
    parts = [bytes([_SUM, len(axis.terms)]), _number(axis.offset)]
    for index, step in axis.terms:
        parts += [bytes([index]), _number(step)]
    return b"".join(parts)


def _number(value: int) -> bytes:
    return value.to_bytes(4, "little", signed=True)


def _sums_within(subscripts: Subscripts) -> bool:
    """Whether one operand alone has an index that is summed over, beside others."""
    rows = [{index for axis in row for index in indices_of(axis)} for row in subscripts.operands]
    summed = range(subscripts.output_count, len(subscripts.names))
    return len(rows) > 1 and any(sum(index in row for row in rows) == 1 for index in summed)
