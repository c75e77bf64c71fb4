"""What the functions on structured matrices take: numbers in double precision, of one dtype, in batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _arguments, _dtypes

_SHORT_SUM = 4096


def vector(name: str, value: Any) -> np.ndarray:
    """An array of any dtype, with an axis if it has none."""
    if type(value) is not np.ndarray:
        value = _arguments.array_of_any_dtype(name, value)
    return value if value.ndim > 0 else value.reshape(1)


def column_and_row(c_or_cr: Any, check_finite: bool) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(c_or_cr, tuple):
        if len(c_or_cr) != 2:
            raise ValueError(f"c_or_cr is a tuple of {len(c_or_cr)}: expected (c, r)")
        return doubles("c", c_or_cr[0], check_finite), doubles("r", c_or_cr[1], check_finite)
    c = doubles("c", c_or_cr, check_finite)
    return c, c.conjugate() if c.dtype.kind == "c" else c


def doubles(name: str, value: Any, check_finite: bool) -> np.ndarray:
    """As an array of float64 or complex128."""
    array = numbers(name, value)
    dtype = np.complex128 if array.dtype.kind == "c" else np.float64
    if array.dtype.type is not dtype or not array.dtype.isnative:
        array = array.astype(dtype)
    if check_finite and not is_finite(array):
        raise ValueError(f"{name} holds NaN or infinity: expected finite numbers, or check_finite=False")
    return array


def is_finite(array: np.ndarray) -> bool:
    """Whether all elements are finite; by a third of `numpy.isfinite`'s time where the sum of all squares says it."""
    flat = array.reshape(-1)
    # BLAS wakes threads for longer sums, and waits for them: 8 ms where another process has their core.
    if flat.size <= _SHORT_SUM and math.isfinite(np.vdot(flat, flat).real):
        return True
    return bool(np.isfinite(flat).all())


def numbers(name: str, value: Any) -> np.ndarray:
    array = vector(name, value)
    if array.dtype.kind == "O":
        raise ValueError(f"{name} has dtype object: arrays of objects have no FFT")
    _dtypes.check(f"{name} has dtype ", array.dtype)
    return array.astype(np.float32) if array.dtype.kind == "V" else array  # bfloat16


def of_one_dtype(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    if len({array.dtype for array in arrays}) == 1:
        return arrays
    return tuple(array.astype(np.complex128, copy=False) for array in arrays)


def batch_shape(*named: tuple[str, tuple[int, ...]]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*(shape for _, shape in named))
    except ValueError:
        shapes = ", ".join(f"{name}'s {shape}" for name, shape in named)
        raise ValueError(f"batches cannot be broadcast: {shapes}") from None
