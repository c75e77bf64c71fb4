"""Results: their dtype, new arrays for them, and what `out=` may be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from . import _arguments, _dtypes


def result_dtype(names: tuple[str, str], a: np.ndarray, b: np.ndarray, dtype: np.dtype | None) -> np.dtype:
    """The dtype to compute in: the normalised `dtype`, or the two operands' common one."""
    if dtype is None:
        result = _dtypes.result_type(a.dtype, b.dtype, names)
        if result is not a.dtype:
            _dtypes.check(f"the result of {names[0]} and {names[1]} has dtype ", result)
        return result
    for name, operand in zip(names, (a, b)):
        if not _dtypes.can_cast(operand.dtype, dtype):
            raise TypeError(f"dtype={dtype}: {name} has dtype {operand.dtype}, no 'same_kind' cast leads there")
    return dtype


def given_dtype(dtype: Any) -> np.dtype | None:
    return None if dtype is None else _arguments.dtype(dtype)


def check_output(out: np.ndarray | None, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if out is None:
        return
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}: expected {shape}")
    if not _dtypes.can_cast(dtype, out.dtype):
        raise TypeError(f"out has dtype {out.dtype}: no 'same_kind' cast leads there from the result's {dtype}")


def why_temporary(
    out: np.ndarray | None, dtype: np.dtype, through_numpy: bool, operands: Iterable[tuple[str, np.ndarray | None]]
) -> str:
    """Why the result would be computed into a temporary array first; empty if it would not."""
    if out is None:
        return ""
    if through_numpy or _dtypes.code_of(out.dtype) is None:
        return f"temporary result: dtype {dtype if through_numpy else out.dtype} is NumPy's"
    for name, operand in operands:
        if operand is not None and np.may_share_memory(operand, out, max_work=1):  # type: ignore[arg-type]
            return f"temporary result: out shares memory with {name}"
    if overlaps_itself(out):
        return "temporary result: out overlaps itself"
    return ""


def temporary_dtype(out: np.ndarray, dtype: np.dtype) -> np.dtype:
    """The dtype of a temporary result on its way to `out`: the core casts, where it can."""
    return dtype if _dtypes.code_of(out.dtype) is None else out.dtype


def overlaps_itself(array: np.ndarray) -> bool:
    """False only if no two elements share a byte: memory strides nest, each past the reach of all smaller ones."""
    reach = array.itemsize
    for step, extent in sorted((abs(step), extent) for step, extent in zip(array.strides, array.shape)):
        if extent > 1:
            if step < reach:
                return True
            reach += (extent - 1) * step
    return False


def new_result(like: np.ndarray | None, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """A new array in the memory order of `like`, which has as many axes; in C order without it.

    np.empty_like would do, but NumPy 1.24's loses a reference to the dtype when it finds no memory.
    """
    try:
        if like is None or like.flags.c_contiguous:
            return np.empty(shape, dtype)
        if like.flags.f_contiguous:
            return np.empty(shape, dtype, "F")
        return np.ndarray(shape, dtype, strides=_strides_in_order_of(like, shape, dtype.itemsize))
    except ValueError as error:  # NumPy's word for sizes that pass 2**63 bytes
        raise MemoryError(f"a result of shape {shape} and dtype {dtype} passes 2**63 bytes") from error


def _strides_in_order_of(a: np.ndarray, shape: tuple[int, ...], itemsize: int) -> list[int]:
    """Memory strides of a dense array whose axes nest as those of `a` do: NumPy's order 'K'."""
    strides = [abs(step) for step in a.strides]
    step = itemsize
    for axis in sorted(range(a.ndim), key=strides.__getitem__, reverse=True)[::-1]:
        strides[axis] = step
        step *= max(shape[axis], 1)
    return strides


def buffer(array: np.ndarray, code: int | None) -> np.ndarray:
    """The array as the extension takes it: NumPy exports no buffer of a user dtype."""
    return array.view(np.uint16) if code == _dtypes.BFLOAT16 else array
