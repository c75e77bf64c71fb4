"""What calls in C have to know of subscripts: see einsum_plain.c, which reads this."""

from __future__ import annotations

from functools import lru_cache

from ._subscripts import Subscripts

_OPERANDS, _INDICES = 8, 16
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


@lru_cache(maxsize=_KEPT)
def _recipe(subscripts: Subscripts) -> bytes | None:
    operands = subscripts.operands
    if subscripts.is_affine or len(operands) > _OPERANDS or len(subscripts.names) > _INDICES:
        return None
    axes = [part for row in operands for part in (len(row), *row)]
    head = (len(operands), len(subscripts.names), subscripts.output_count, _sums_within(subscripts))
    return bytes([*head, *axes])


def _sums_within(subscripts: Subscripts) -> bool:
    """Whether one operand alone has an index that is summed over, beside others."""
    rows = [set(row) for row in subscripts.operands]
    summed = range(subscripts.output_count, len(subscripts.names))
    return len(rows) > 1 and any(sum(index in row for row in rows) == 1 for index in summed)
