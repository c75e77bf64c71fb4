"""Operands, the dtype that they are computed in, and where a new result lies in memory: NumPy's rules for all three."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .. import _arguments, _dtypes

_ORDERS = ("C", "F", "A", "K")


def arrays(operands: Sequence[Any]) -> list[np.ndarray]:
    """Array-likes as ndarrays of any dtype: `in_core` is for those that are computed with."""
    return [value if type(value) is np.ndarray else _converted(place, value) for place, value in enumerate(operands)]


def _converted(place: int, value: Any) -> np.ndarray:
    if value is None:
        raise TypeError(f"operands[{place}] is None: expected an array or what NumPy can make one of")
    try:
        return _arguments.array_of_any_dtype(f"operands[{place}]", value)
    except TypeError as error:
        if isinstance(error.__cause__, ValueError):  # NumPy's einsum lets it through
            raise ValueError(*error.args) from error.__cause__
        raise


def in_core(operands: Sequence[np.ndarray]) -> bool:
    """Whether the core has all dtypes; TypeError for one that cannot be computed with at all."""
    result = True
    for place, operand in enumerate(operands):
        if _dtypes.code_of(operand.dtype) is None:
            _arguments.array(f"operands[{place}]", operand)
            result = False
    return result


def output(value: Any) -> np.ndarray | None:
    # Unlike the ufuncs and our other functions, NumPy's einsum takes no tuple of one.
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        raise TypeError(f"out has type {type(value).__name__}: expected a numpy.ndarray")
    return _arguments.output(value)


def order(value: Any) -> str:
    """NumPy's spellings: a letter of any case, None for 'K'."""
    if value is None:
        return "K"
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        raise TypeError(f"order={value!r}: expected 'C', 'F', 'A' or 'K'")
    if value.upper() not in _ORDERS:
        raise ValueError(f"order={value!r}: expected 'C', 'F', 'A' or 'K'")
    return value.upper()


def result_dtype(operands: Sequence[np.ndarray], out: np.ndarray | None, dtype: Any, casting: Any) -> np.dtype:
    """The dtype to compute in; TypeError where an operand or the result would be cast against the rule.

    Without `dtype=` that of `out` counts among the operands', as it does in NumPy.
    """
    if dtype is not None:
        result = _arguments.dtype(dtype)
    else:
        result = _common_dtype(operands if out is None else [*operands, out])
        _dtypes.check("the operands' common dtype is ", result)
    np.can_cast(result, result, casting)  # NumPy's words for an unknown rule
    for place, operand in enumerate(operands):
        if operand.dtype is not result and not _casts(operand.dtype, result, casting, operand):
            raise TypeError(
                f"operands[{place}] has dtype {operand.dtype}: no cast to {result} by the rule casting={casting!r}"
            )
    if out is not None and out.dtype is not result:
        # NumPy reads `out` too, as the sum that it adds to: its cast has to go both ways.
        for source, target, array in ((result, out.dtype, None), (out.dtype, result, out)):
            if not _casts(source, target, casting, array):
                raise TypeError(
                    f"out has dtype {out.dtype} and the result {result}: no cast from {source} to {target} by the rule "
                    f"casting={casting!r}"
                )
    return result


def _common_dtype(arrays: Sequence[np.ndarray]) -> np.dtype:
    first = arrays[0].dtype
    if first.isnative and all(array.dtype is first for array in arrays):
        return first
    try:
        # Arrays, not dtypes: before NumPy 2 the values of 0-d arrays counted.
        result = np.result_type(*arrays)
        return result if result.isnative else result.newbyteorder("=")
    except TypeError as error:
        dtypes = ", ".join(str(array.dtype) for array in arrays)
        raise TypeError(f"the operands have dtypes {dtypes}, which have no common dtype: pass dtype=") from error


def _casts(source: np.dtype, target: np.dtype, casting: str, array: np.ndarray | None = None) -> bool:
    if casting == "same_kind":
        return _dtypes.can_cast(source, target)
    return bool(np.can_cast(source if array is None or array.ndim else array, target, casting))


# ---- New results ---------------------------------------------------------------------------------------------------

Strides = tuple[int, ...]


def forced_order(order: str, arrays: Sequence[np.ndarray], axes: Sequence[tuple[Any, ...]]) -> str:
    """The order with 'A' settled: 'F' where all operands, their diagonals taken, are in Fortran order."""
    if order != "A":
        return order
    return "F" if all(map(_is_fortran, arrays, axes)) else "C"


def _is_fortran(array: np.ndarray, axes: tuple[Any, ...]) -> bool:
    distinct = list(dict.fromkeys(axes))
    if len(distinct) < len(axes) and all(isinstance(axis, int) for axis in axes) and max(distinct) < 52:
        array = np.einsum(array, list(axes), distinct)  # a view
    return array.flags.f_contiguous


def new_result(
    order: str, strides: tuple[Strides, ...], extents: tuple[int, ...], count: int, dtype: np.dtype
) -> np.ndarray:
    """A new array of the first `count` extents, its axes in memory as NumPy's einsum has them.

    `strides`: for 'K', how far a step of each index moves in each operand.
    """
    shape = extents[:count]
    try:
        if order != "K":
            return np.empty(shape, dtype, order)  # type: ignore[call-overload]
        axes = _memory_order(strides, extents, count)
        if axes is None:
            return np.empty(shape, dtype)
        return np.empty([shape[axis] for axis in axes], dtype).transpose(np.argsort(axes))
    except ValueError as error:  # NumPy's word for sizes that pass 2**63 bytes
        raise MemoryError(f"a result of shape {shape} and dtype {dtype} passes 2**63 bytes") from error


@lru_cache(maxsize=512)
def _memory_order(strides: tuple[Strides, ...], extents: tuple[int, ...], count: int) -> list[int] | None:
    """The first `count` indices from the outermost to the innermost loop of NumPy's iterator, its order 'K'; None where
    they are as they were.

    An insertion sort by strides from the last index on, in which operands that have both indices vote, and one vote
    for the order that there is decides.
    """
    steps = [[abs(step) if extent > 1 else 0 for step, extent in zip(row, extents)] for row in strides]
    inner: list[int] = []  # from the innermost on
    for index in reversed(range(len(extents))):
        place = len(inner)
        for candidate in reversed(range(len(inner))):
            pairs = [(row[index], row[inner[candidate]]) for row in steps]
            votes = [other > own for own, other in pairs if own and other]
            if votes and not all(votes):
                break
            if votes:
                place = candidate
        inner.insert(place, index)
    axes = [index for index in reversed(inner) if index < count]
    return None if axes == list(range(count)) else axes
