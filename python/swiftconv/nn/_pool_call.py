"""A pool, from what the user wrote to its run. `pool` normalises and validates everything before any work."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .. import _arguments, _dtypes, _native, _results
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
    out = _arguments.output(out)
    computed, result = _result_dtypes(operation, array.dtype, _results.given_dtype(dtype))
    threads = _arguments.threads(threads)
    divisor = 0 if divisor_override is None else _divisor(divisor_override)
    power = _power(norm_type) if operation == LP else 1.0
    where, shape = windows(array.shape, count, kernel_size, stride, padding, dilation, ceil_mode, auto_pad, layout)
    _results.check_output(out, shape, result)

    holds = out is not None and computed == result and _holds_results(out, array, computed)
    target = out if holds else _results.new_result(array, shape, computed)
    indices = _results.new_result(array, shape, np.dtype(np.int64)) if return_indices else None
    if target.size:
        options = (bool(count_include_pad), divisor, power, not absolute)
        _run(operation, array, target, indices, options, threads, where)
    if out is not None and out is not target:
        np.copyto(out, target, casting="unsafe")  # check_output has applied the rule
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
        _results.buffer(array, code),
        _results.buffer(view, target_code),
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


@lru_cache(maxsize=128)
def _result_dtypes(operation: int, given: np.dtype, result: np.dtype | None) -> tuple[np.dtype, np.dtype]:
    """The dtype that is computed in, and that of the result: others for maxima alone, which are cast afterwards."""
    native = given if given.isnative else given.newbyteorder("=")
    if given.kind == "c" and operation in (MAX, LP):
        raise TypeError(f"input has dtype {given}: complex numbers have no order and no norm here, expected real ones")
    own = native
    if operation in (AVERAGE, LP) and given.kind in "biu":
        own = np.dtype(np.float64)
    if result is None:
        return own, own
    if not _dtypes.can_cast(native, result):
        raise TypeError(f"dtype={result}: input has dtype {given}, no 'same_kind' cast leads there")
    if operation in (AVERAGE, LP) and result.kind in "biu":
        raise TypeError(f"dtype={result}: expected a floating-point dtype for averages and norms")
    if operation == LP and result.kind == "c":
        raise TypeError(f"dtype={result}: expected a real dtype for norms")
    return (native if operation == MAX else result), result


def _divisor(value: Any) -> int:
    divisor = _arguments.integer("divisor_override", value, "None or an integer")
    if divisor == 0:
        raise ValueError("divisor_override=0: expected None or an integer other than 0")
    return divisor


def _power(value: Any) -> float:
    try:
        power = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"norm_type={value!r}: expected a number") from None
    if power == 0 or math.isnan(power):
        raise ValueError(f"norm_type={value!r}: expected a number other than 0")
    return power


def _holds_results(out: np.ndarray, array: np.ndarray, computed: np.dtype) -> bool:
    """Whether results can go to `out` as they are computed: not cast, nor over what is still to read."""
    code = _dtypes.code_of(computed)
    return _dtypes.code_of(out.dtype) == code and not _results.why_temporary(
        out, computed, code is None, [("input", array)]
    )
