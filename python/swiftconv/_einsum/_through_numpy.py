"""Contractions of the dtypes that the core lacks (object, longdouble, clongdouble): NumPy's einsum, over views."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from . import _factors

if TYPE_CHECKING:
    from ._call import Call


def contract(call: Call, out: np.ndarray) -> None:
    """Write the result to `out`."""
    views = [_view(call, place) for place in range(len(call.arrays))]
    every = list(range(len(call.extents.extents)))
    kept = every[: call.subscripts.output_count]
    operands = [part for view in views for part in (view, every)]
    if call.dtype.char == "O":
        # NumPy's einsum takes no objects before 1.25.
        summed = tuple(every[len(kept) :])
        product = reduce(np.multiply, views)
        out[...] = np.add.reduce(product, axis=summed) if summed else product
    else:
        np.einsum(*operands, kept, out=out, dtype=call.dtype, casting="unsafe")


def _view(call: Call, place: int) -> np.ndarray:
    """An operand with an axis for every index: of stride 0 for one that it does not have."""
    array, windows = _factors.pad(call.arrays[place], call.extents.windows[place], call.boundary)
    factor = _factors.factor(place, array.astype(call.dtype), call.subscripts.operands[place], windows, call.extents)
    return np.lib.stride_tricks.as_strided(factor.array, call.extents.extents, factor.strides, writeable=False)
