"""A call of correlate or convolve, from what the user wrote to its run.

`prepare` normalises and validates everything, before any work; `run` allocates and computes. `explain` shares
`prepare`, so that what it describes is what would run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import _arguments, _dtypes, _native, _through_numpy

CORRELATE, CONVOLVE = 0, 1
SAME = _arguments.MODES["same"]
FILL = _arguments.BOUNDARIES["fill"]


class Call(NamedTuple):
    """Validated. `axes` are counted from zero; a None among the lists is the core's default.

    `codes` are the core's for the dtypes of `a`, `v` and the result, None where it has none.
    """

    operation: int
    a: np.ndarray
    v: np.ndarray
    out: np.ndarray | None
    shape: tuple[int, ...]
    dtype: np.dtype
    codes: tuple[int | None, int | None, int | None]
    mode: int
    boundary: int
    method: int
    threads: int
    axes: tuple[int, ...] | None
    stride: tuple[int, ...] | None
    dilation: tuple[int, ...] | None
    origin: tuple[int, ...] | None
    fill: Any
    swapped: bool

    @property
    def through_numpy(self) -> bool:
        """Whether a dtype is involved that the core does not have."""
        return None in self.codes

    def copies(self) -> str:
        """Why the result would be computed into a temporary array first; empty if it would not."""
        if self.out is None:
            return ""
        if self.through_numpy or _dtypes.code_of(self.out.dtype) is None:
            return f"temporary result: dtype {self.out.dtype if not self.through_numpy else self.dtype} is NumPy's"
        for name, operand in zip("va" if self.swapped else "av", (self.a, self.v)):
            if np.may_share_memory(operand, self.out, max_work=1):  # type: ignore[arg-type]
                return f"temporary result: out shares memory with {name}"
        if _overlaps_itself(self.out):
            return "temporary result: out overlaps itself"
        return ""


def prepare(
    operation: int,
    a: Any,
    v: Any,
    mode: Any,
    axes: Any,
    boundary: Any,
    fillvalue: Any,
    origin: Any,
    stride: Any,
    dilation: Any,
    dtype: Any,
    out: Any,
    method: Any,
    threads: Any,
) -> Call:
    a = _arguments.array("a", a)
    v = _arguments.array("v", v)
    out = _arguments.output(out)
    result = _result_dtype(a, v, dtype)
    fill = _arguments.fill(fillvalue, result)
    mode = _arguments.mode(mode)
    boundary = _arguments.boundary(boundary)
    method = _arguments.method(method)
    threads = _arguments.threads(threads)
    if a.ndim + v.ndim < 2:
        a, v = _numbers_as_signals(operation, a, v)
    counted_axes = _arguments.axes(axes, a.ndim, v.ndim)
    stride = _arguments.unless_default("stride", stride, v.ndim, 1)
    dilation = _arguments.unless_default("dilation", dilation, v.ndim, 1)
    origin = None if origin is None else _arguments.unless_default("origin", origin, v.ndim, 0)

    swapped = False
    if v.ndim == 0:
        # Multiplication is a window of one element: along the last axis, as good as any.
        shape = a.shape
        v = v.reshape(1)
        counted_axes, mode, boundary = (a.ndim - 1,), SAME, FILL
    else:
        plain = boundary == FILL and not fill and axes is stride is dilation is origin is None
        swapped = plain and a.ndim == v.ndim == 1 and _one_dimensional_swap(a, v)
        if swapped:
            a, v = v, a
        shape = _native.slide_shape(operation, a.shape, v.shape, mode, boundary, counted_axes, stride, dilation, origin)
    _check_output(out, shape, result)
    return Call(
        operation=operation,
        a=a,
        v=v,
        out=out,
        shape=shape,
        dtype=result,
        codes=(_dtypes.code_of(a.dtype), _dtypes.code_of(v.dtype), _dtypes.code_of(result)),
        mode=mode,
        boundary=boundary,
        method=method,
        threads=threads,
        axes=counted_axes,
        stride=stride,
        dilation=dilation,
        origin=origin,
        fill=fill,
        swapped=swapped,
    )


def _numbers_as_signals(operation: int, a: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """NumPy's rule for a number beside a number or a signal: one sample to convolve, an error to correlate."""
    if operation == CORRELATE:
        name = "a" if a.ndim == 0 else "v"
        raise ValueError(f"{name} is a number: expected at least one dimension")
    return a.reshape(-1), v.reshape(-1)


def _one_dimensional_swap(a: np.ndarray, v: np.ndarray) -> bool:
    """NumPy's rule for two one-dimensional operands: the longer one is slid over."""
    for name, operand in (("a", a), ("v", v)):
        if operand.size == 0:
            raise ValueError(f"{name} cannot be empty: it has shape {operand.shape}")
    return len(v) > len(a)


def _result_dtype(a: np.ndarray, v: np.ndarray, dtype: Any) -> np.dtype:
    if dtype is None:
        result = _dtypes.result_type(a.dtype, v.dtype)
        _dtypes.check("the result of a and v has dtype ", result)
        return result
    result = _arguments.dtype(dtype)
    for name, operand in (("a", a), ("v", v)):
        if not _dtypes.can_cast(operand.dtype, result):
            raise TypeError(f"dtype={result}: {name} has dtype {operand.dtype}, no 'same_kind' cast leads there")
    return result


def _check_output(out: np.ndarray | None, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if out is None:
        return
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}: expected {shape}")
    if not _dtypes.can_cast(dtype, out.dtype):
        raise TypeError(f"out has dtype {out.dtype}: no 'same_kind' cast leads there from the result's {dtype}")


def _overlaps_itself(array: np.ndarray) -> bool:
    """False only if no two elements share a byte: memory strides nest, each past the reach of all smaller ones."""
    reach = array.itemsize
    for step, extent in sorted((abs(step), extent) for step, extent in zip(array.strides, array.shape)):
        if extent > 1:
            if step < reach:
                return True
            reach += (extent - 1) * step
    return False


def run(call: Call) -> np.ndarray:
    if call.out is None:
        target = _new_result(call, call.dtype)
    elif call.copies():
        target = _new_result(call, call.dtype if _dtypes.code_of(call.out.dtype) is None else call.out.dtype)
    else:
        target = call.out
    _compute(call, target)
    if call.out is None or target is call.out:
        return target
    np.copyto(call.out, target, casting="unsafe")  # _check_output has applied the rule
    return call.out


def _new_result(call: Call, dtype: np.dtype) -> np.ndarray:
    """A new array in the memory order of `a`.

    np.empty_like would do, but NumPy 1.24's loses a reference to the dtype when it finds no memory.
    """
    a, shape = call.a, call.shape
    flags = a.flags
    try:
        if flags.c_contiguous:
            return np.empty(shape, dtype)
        if flags.f_contiguous:
            return np.empty(shape, dtype, "F")
        return np.ndarray(shape, dtype, strides=_strides_in_order_of(a, shape, dtype.itemsize))
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


def _compute(call: Call, target: np.ndarray) -> None:
    if target.size == 0:
        return
    view = np.asarray(target)
    if call.swapped and call.operation == CORRELATE:
        view = view[::-1]
    if call.through_numpy:
        _through_numpy.slide(call, view)
    else:
        _native.slide(*core_arguments(call, view))
    if call.swapped and call.operation == CORRELATE and call.dtype.kind == "c":
        np.conjugate(view, out=view)


def core_arguments(call: Call, out: np.ndarray | None) -> tuple[Any, ...]:
    """The arguments of `_native.slide` and `_native.slide_explain`."""
    a, v = call.a, call.v
    a_code, v_code, code = call.codes
    out_dtype, out_code = (call.dtype, code) if out is None else (out.dtype, _dtypes.code_of(out.dtype))
    return (
        call.operation,
        _buffer(a, a_code),
        _buffer(v, v_code),
        None if out is None else _buffer(out, out_code),
        a_code,
        v_code,
        out_code,
        code,
        (not a.dtype.isnative) + 2 * (not v.dtype.isnative) + 4 * (not out_dtype.isnative),
        call.mode,
        call.boundary,
        call.method,
        call.threads,
        call.axes,
        call.stride,
        call.dilation,
        call.origin,
        *_fill_parts(call),
    )


def _buffer(array: np.ndarray, code: int | None) -> np.ndarray:
    # NumPy exports no buffer of a user dtype.
    return array.view(np.uint16) if code == _dtypes.BFLOAT16 else array


def _fill_parts(call: Call) -> tuple[int, float, float]:
    if isinstance(call.fill, int):  # bool too
        return int(call.fill), 0.0, 0.0
    return 0, call.fill.real, call.fill.imag
