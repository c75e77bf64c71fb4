"""A pool, from what the user wrote to its run. `pool` normalises and validates everything before any work."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import _arguments, _dtypes, _native
from .._call import _buffer, _overlaps_itself, _strides_in_order_of
from . import _pool_through_numpy
from ._pool_windows import Windows, windows

MAX, SUM, AVERAGE, LP = range(4)


def pool(
    operation: int,
    count: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: Any,
    auto_pad: Any,
    layout: Any,
    dtype: Any,
    out: Any,
    threads: Any,
    *,
    return_indices: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = None,
    norm_type: Any = 1,
    absolute: bool = False,
) -> Any:
    array = _arguments.array("input", input)
    out = None if out is None else _arguments.output(out)
    computed, result = _result_dtypes(operation, array.dtype, dtype)
    threads = 0 if threads is None else _arguments.threads(threads)
    divisor = 0 if divisor_override is None else _divisor(divisor_override)
    power = _power(norm_type) if operation == LP else 1.0
    where = windows(array.shape, count, kernel_size, stride, padding, dilation, ceil_mode, auto_pad, layout)
    shape = _native.pool_shape(array.shape, *where)
    if out is not None:
        _check_output(out, shape, result)

    target = _target(array, out, shape, computed, result)
    indices = new_like(array, shape, np.dtype(np.int64)) if return_indices else None
    if target.size:
        options = (bool(count_include_pad), divisor, power, not absolute)
        _run(operation, array, target, indices, options, threads, where)
    if out is not None and out is not target:
        np.copyto(out, target, casting="unsafe")  # _check_output has applied the rule
        target = out
    elif out is None and target.dtype != result:
        target = target.astype(result)
    return (target, indices) if return_indices else target


def _run(
    operation: int,
    array: np.ndarray,
    target: np.ndarray,
    indices: np.ndarray | None,
    options: tuple[bool, int, float, bool],
    threads: int,
    where: Windows,
) -> None:
    code, target_code = _dtypes.code_of(array.dtype), _dtypes.code_of(target.dtype)
    view = np.asarray(target)
    if code is None or target_code is None:
        _pool_through_numpy.pool(operation, array, view, indices, options, where)
        return
    counts, divisor, power, signed = options
    _native.pool(
        operation,
        _buffer(array, code),
        _buffer(view, target_code),
        indices,
        code,
        target_code,
        (not array.dtype.isnative) + 2 * (not target.dtype.isnative),
        counts,
        divisor,
        power,
        signed,
        threads,
        *where,
    )


def _result_dtypes(operation: int, given: np.dtype, dtype: Any) -> tuple[np.dtype, np.dtype]:
    """The dtype that is computed in, and that of the result: others for maxima alone, which are cast afterwards."""
    native = given if given.isnative else given.newbyteorder("=")
    if given.kind == "c" and operation in (MAX, LP):
        raise TypeError(f"input has dtype {given}: complex numbers have no order and no norm here, expected real ones")
    own = native
    if operation in (AVERAGE, LP) and given.kind in "biu":
        own = np.dtype(np.float64)
    if dtype is None:
        return own, own
    result = _arguments.dtype(dtype)
    if not _dtypes.can_cast(native, result):
        raise TypeError(f"dtype={result}: input has dtype {given}, no 'same_kind' cast leads there")
    if operation in (AVERAGE, LP) and result.kind in "biu":
        raise TypeError(f"dtype={result}: expected a floating-point dtype for averages and norms")
    if operation == LP and result.kind == "c":
        raise TypeError(f"dtype={result}: expected a real dtype for norms")
    return (native if operation == MAX else result), result


def _divisor(value: Any) -> int:
    try:
        divisor = operator.index(value)
    except TypeError:
        raise TypeError(f"divisor_override={value!r}: expected None or an integer") from None
    if divisor == 0:
        raise ValueError("divisor_override=0: expected None or an integer other than 0")
    if not -(2**63) <= divisor < 2**63:
        raise OverflowError(f"divisor_override={value!r}: expected an integer that fits 64 bits")
    return divisor


def _power(value: Any) -> float:
    try:
        power = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"norm_type={value!r}: expected a number") from None
    if power == 0 or math.isnan(power):
        raise ValueError(f"norm_type={value!r}: expected a number other than 0")
    return power


def _check_output(out: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}: expected {shape}")
    if not _dtypes.can_cast(dtype, out.dtype):
        raise TypeError(f"out has dtype {out.dtype}: no 'same_kind' cast leads there from the result's {dtype}")


def _target(
    array: np.ndarray, out: np.ndarray | None, shape: tuple[int, ...], computed: np.dtype, result: np.dtype
) -> np.ndarray:
    """Where the core writes: `out` itself, unless results have to be cast or would overwrite what is still to read."""
    if (
        out is not None
        and computed == result
        and _dtypes.code_of(out.dtype) == _dtypes.code_of(computed)
        and _dtypes.code_of(computed) is not None
        and not np.may_share_memory(array, out, max_work=1)  # type: ignore[arg-type]
        and (out.flags.forc or not _overlaps_itself(out))
    ):
        return out
    return new_like(array, shape, computed)


def new_like(array: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """A new array in the memory order of another."""
    flags = array.flags
    try:
        if flags.c_contiguous:
            return np.empty(shape, dtype)
        if flags.f_contiguous:
            return np.empty(shape, dtype, "F")
        return np.ndarray(shape, dtype, strides=_strides_in_order_of(array, shape, dtype.itemsize))
    except ValueError as error:  # NumPy's word for sizes that pass 2**63 bytes
        raise MemoryError(f"a result of shape {shape} and dtype {dtype} passes 2**63 bytes") from error
