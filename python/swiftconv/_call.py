"""A call of correlate or convolve, from what the user wrote to its run.

`prepare` normalises and validates everything, before any work; `run` allocates and computes. `explain` shares
`prepare`, so that what it describes is what would run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import _arguments, _dtypes, _native, _results, _through_numpy

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
        operands = zip("va" if self.swapped else "av", (self.a, self.v))
        return _results.why_temporary(self.out, self.dtype, self.through_numpy, operands)

    def explain(self) -> dict[str, Any]:
        out = self.out
        if out is not None and (self.copies() or _dtypes.code_of(out.dtype) is None):
            out = None
        return _native.slide_explain(*core_arguments(self, out))


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
    result = _results.result_dtype(("a", "v"), a, v, _results.given_dtype(dtype))
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
    _results.check_output(out, shape, result)
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


def run(call: Call) -> np.ndarray:
    if call.out is None:
        target = _results.new_result(call.a, call.shape, call.dtype)
    elif call.copies():
        target = _results.new_result(call.a, call.shape, _results.temporary_dtype(call.out, call.dtype))
    else:
        target = call.out
    _compute(call, target)
    if call.out is None or target is call.out:
        return target
    np.copyto(call.out, target, casting="unsafe")  # check_output has applied the rule
    return call.out


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
        _results.buffer(a, a_code),
        _results.buffer(v, v_code),
        None if out is None else _results.buffer(out, out_code),
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


def _fill_parts(call: Call) -> tuple[int, float, float]:
    if isinstance(call.fill, int):  # bool too
        return int(call.fill), 0.0, 0.0
    return 0, call.fill.real, call.fill.imag
