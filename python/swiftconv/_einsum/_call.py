"""A call of einsum, from what the user wrote to its run.

`prepare` normalises and validates everything, before any work; `run` allocates and computes, step by step. `explain`
shares `prepare`, so that what it describes is what would run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .. import _arguments, _dtypes, _native, _results
from . import _extents, _factors, _operands, _path, _recipes, _replay, _steps, _subscripts, _through_numpy
from ._extents import Extents
from ._subscripts import Axis, Subscripts

METHODS = {"auto": 0, "nest": 1, "gemm": 2, "direct": 3, "reference": 4}


class Call(NamedTuple):
    """Validated. `arrays` are the operands as they came; `cast` says which of them NumPy casts before the core."""

    subscripts: Subscripts
    extents: Extents
    arrays: list[np.ndarray]
    cast: tuple[int, ...]
    through_numpy: bool  # whether a dtype is involved that the core does not have
    out: np.ndarray | None
    shape: tuple[int, ...]
    dtype: np.dtype
    order: str
    boundary: int
    method: int
    threads: int
    summed_to: _path.Sets  # the indices that each operand keeps where it is summed over others before all else
    path: _path.Path

    def why_temporary(self) -> str:
        """Why the result would be computed into a temporary array first; empty if it would not."""
        if self.out is not None and not _core_casts(self.dtype, self.out.dtype):
            return f"temporary result: NumPy casts {self.dtype} to {self.out.dtype}"
        operands = [(f"operands[{place}]", array) for place, array in enumerate(self.arrays)]
        return _results.why_temporary(self.out, self.dtype, self.through_numpy, operands)


def view(text: str, operands: Sequence[Any], out: Any, padding: Any, boundary: Any) -> np.ndarray | None:
    """A view, where the call asks for nothing else: one operand in another order, its diagonal, its windows."""
    if out is not None or len(operands) != 1:
        return None
    (array,) = _operands.arrays(operands)
    subscripts = _subscripts.parse(text, (array.ndim,))
    if not subscripts.is_view:
        return None
    if not subscripts.is_affine and padding is None:
        _recipes.keep_view(subscripts)
        return np.einsum(text, array)
    extents = _extents.resolve(subscripts, (array.shape,), _extents.padding(padding))
    (windows,) = extents.windows
    boundary = _arguments.boundary(boundary)
    _factors.check_boundary(0, array, windows, boundary)
    array, windows = _factors.pad(array, windows, boundary)
    factor = _factors.factor(0, array, subscripts.operands[0], windows, extents)
    return np.lib.stride_tricks.as_strided(factor.array, extents.extents, factor.strides, writeable=False)


def prepare(
    text: str,
    operands: Sequence[Any],
    out: Any,
    dtype: Any,
    order: Any,
    casting: Any,
    optimize: Any,
    padding: Any,
    boundary: Any,
    threads: Any,
    method: Any,
) -> Call:
    arrays = _operands.arrays(operands)
    out = _operands.output(out)
    order = _operands.order(order)
    subscripts = _subscripts.parse(text, tuple([array.ndim for array in arrays]))
    pads = _extents.padding(padding)
    boundary = _arguments.boundary(boundary)
    threads = _arguments.threads(threads)
    method = _arguments.named("method", method, METHODS)
    extents = _extents.resolve(subscripts, tuple([array.shape for array in arrays]), pads)
    for place, (array, windows) in enumerate(zip(arrays, extents.windows)):
        _factors.check_boundary(place, array, windows, boundary)
    in_core = _operands.in_core(arrays)
    extents = _with_output(subscripts, extents, out)
    result = _operands.result_dtype(arrays, out, dtype, casting)
    summed_to, path = _call_path(arrays, subscripts, extents, optimize, method)
    return Call(
        subscripts=subscripts,
        extents=extents,
        arrays=arrays,
        through_numpy=_dtypes.code_of(result) is None or not in_core,
        cast=tuple([k for k, array in enumerate(arrays) if not _core_casts(array.dtype, result)]),
        out=out,
        shape=extents.extents[: subscripts.output_count],
        dtype=result,
        order=order,
        boundary=boundary,
        method=method,
        threads=threads,
        summed_to=summed_to,
        path=path,
    )


def _with_output(subscripts: Subscripts, extents: Extents, out: np.ndarray | None) -> Extents:
    """The extents with NumPy's rule for `out`: where all operands have 1 along an index they are broadcast to it."""
    count = subscripts.output_count
    if out is None or out.shape == extents.extents[:count]:
        return extents
    if out.ndim != count:
        raise ValueError(f"out has {out.ndim} dimensions: expected {count}, shape {extents.extents[:count]}")
    meeting = {index for windows in extents.windows for window in windows for index, _ in window.terms}
    for index, (given, extent) in enumerate(zip(out.shape, extents.extents)):
        if given != extent and (extent != 1 or index in meeting):
            raise ValueError(
                f"out has extent {given} along axis {index}, index '{subscripts.names[index]}': expected {extent}"
            )
    grown = [index for index in range(count) if out.shape[index] != extents.extents[index]]
    return extents._replace(
        extents=out.shape + extents.extents[count:], sets=tuple([own.difference(grown) for own in extents.sets])
    )


def _core_casts(source: np.dtype, target: np.dtype) -> bool:
    """Whether the core converts elements while it reads them. Casts that lose a kind warn and round as NumPy's do."""
    return source is target or _dtypes.can_cast(source, target)


def _call_path(
    arrays: Sequence[np.ndarray], subscripts: Subscripts, extents: Extents, optimize: Any, method: int
) -> tuple[_path.Sets, _path.Path]:
    sets = extents.sets
    if optimize is False and (len(sets) == 1 or method != METHODS["auto"]):
        return sets, (tuple(range(len(sets))),)
    overlapping = tuple(_overlaps(arrays, subscripts, extents))
    return _path.path(sets, extents.extents, subscripts.output_count, optimize, overlapping)


def _overlaps(arrays: Sequence[np.ndarray], subscripts: Subscripts, extents: Extents) -> Iterator[_path.Overlap]:
    for place, array in enumerate(arrays):
        if _factors.shares_memory(array):
            yield _path.Overlap(place, frozenset(), 0)  # its strides do not say which of its axes do
        elif extents.windows[place]:
            met = {index for window in extents.windows[place] for index, _ in window.terms}
            plain = extents.sets[place] - met
            read = [array.shape[window.axis] for window in extents.windows[place]]
            yield _path.Overlap(place, plain, prod(read + [extents.extents[index] for index in plain]))


def contract(
    arrays: Sequence[np.ndarray],
    rows: Sequence[Sequence[Axis]],
    indices: Sequence[int],
    extents: dict[int, int],
    dtype: np.dtype,
    out: np.ndarray | None,
    threads: int,
) -> np.ndarray:
    """A contraction that is put together, not written: the result has `indices`, and what lies beyond axes is zero."""
    used = {index for row in rows for axis in row for index in _extents.indices_of(axis)}
    order = [*indices, *sorted(used.difference(indices))]
    numbers = {index: number for number, index in enumerate(order)}
    operands = tuple([tuple([_extents.renumbered(axis, numbers) for axis in row]) for row in rows])
    subscripts = Subscripts("", tuple(map(str, order)), len(indices), operands, True)
    found = _extents.unbounded(subscripts, [array.shape for array in arrays], [extents[index] for index in order])
    summed_to, path = _call_path(arrays, subscripts, found, False, METHODS["auto"])
    call = Call(
        subscripts=subscripts,
        extents=found,
        arrays=list(arrays),
        cast=(),
        through_numpy=None in [_dtypes.code_of(array.dtype) for array in arrays] or _dtypes.code_of(dtype) is None,
        out=out,
        shape=found.extents[: len(indices)],
        dtype=dtype,
        order="C",
        boundary=_factors.FILL,
        method=METHODS["auto"],
        threads=threads,
        summed_to=summed_to,
        path=path,
    )
    return run(call)


# ---- Running -------------------------------------------------------------------------------------------------------


def run(call: Call, record: list[Any] | None = None) -> np.ndarray:
    """Compute the call; `record` gets what `_replay` repeats, unless an operand had to be copied."""
    if call.out is None:
        target = new_result(call)
    elif call.why_temporary():
        target = new_result(call, call.out.dtype if _writes_directly(call) else None)
    else:
        target = call.out
    if target.size:
        _compute(call, np.asarray(target), record)
    if call.out is None:
        return target if target.ndim else target[()]
    if target is not call.out:
        np.copyto(call.out, target, casting="unsafe")  # result_dtype has applied the rule
    return call.out


def _writes_directly(call: Call) -> bool:
    """Whether a temporary result may have the dtype of `out`: the core casts, where it can."""
    dtype = call.out.dtype  # type: ignore[union-attr]
    return not call.through_numpy and _dtypes.code_of(dtype) is not None and _core_casts(call.dtype, dtype)


def new_result(call: Call, dtype: np.dtype | None = None) -> np.ndarray:
    extents, strides = call.extents, []
    order = _operands.forced_order(call.order, call.arrays, call.subscripts.operands)
    if order == "K":
        for array, axes in zip(call.arrays, call.subscripts.operands):
            strides.append(_factors.strides_of(axes, array.shape, array.strides, extents.extents))
    return _operands.new_result(
        order, tuple(strides), extents.extents, call.subscripts.output_count, dtype or call.dtype
    )


def _compute(call: Call, target: np.ndarray, record: list[Any] | None) -> None:
    if call.through_numpy:
        _through_numpy.contract(call, target)
        return
    for step in _steps.steps(call, target):
        arguments = step.core_arguments(call)
        _native.contract(*arguments)
        if record is not None:
            if step.copied:
                record.clear()
                record = None
            else:
                record.append(_replay.repeated(step, arguments))
