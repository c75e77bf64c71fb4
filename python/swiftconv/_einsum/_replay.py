"""Calls that were made before: with the same text and options, on arrays of the same shapes, strides and dtypes.

What is found out about such a call depends on nothing else, and takes several times as long as a small call's work.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import _native, _results
from ._steps import Step

_KEPT = 512


class _Source(NamedTuple):
    """A factor: which operand, or (-1 for the first) which step's result; where its indices are 0; what the core is
    told of it."""

    held: int
    starts: tuple[slice, ...] | None
    code: int | None
    byteswapped: bool
    strides: tuple[int, ...]


class _Repeated(NamedTuple):
    """A step without its arrays."""

    sources: tuple[_Source, ...]
    shape: tuple[int, ...]
    out_strides: tuple[int, ...] | None  # None: C order
    dtype: np.dtype
    arguments: tuple[Any, ...]  # of `_native.contract`


Replay = tuple[_Repeated, ...]


def run(replay: Replay, arrays: Sequence[np.ndarray]) -> np.ndarray:
    made: dict[int, np.ndarray] = {}
    for number, step in enumerate(replay):
        factors = []
        for held, starts, code, byteswapped, strides in step.sources:
            array = arrays[held] if held >= 0 else made.pop(held)
            array = _results.buffer(array if starts is None else array[starts], code)
            factors.append((array, code, byteswapped, strides))
        if step.out_strides is None:
            out = np.empty(step.shape, step.dtype)
        else:
            out = np.ndarray(step.shape, step.dtype, strides=step.out_strides)
        extents, count, _, (_, code, byteswapped, _), *options = step.arguments
        written = (_results.buffer(out, code), code, byteswapped, out.strides)
        _native.contract(extents, count, tuple(factors), written, *options)
        made[-1 - number] = out
    return out if out.ndim else out[()]


_replays: dict[Hashable, Replay] = {}


def key(text: str, operands: Sequence[Any], *options: Any) -> Hashable | None:
    """What tells a call from others; None for one that is not kept. The options are order, optimize, padding, boundary,
    threads and method."""
    parts: list[Any] = [text]
    for array in operands:
        # Before NumPy 2 the values of numbers count in common dtypes.
        if type(array) is not np.ndarray or array.ndim == 0:
            return None
        parts += (array.shape, array.strides, array.dtype)
    for option in options:
        if type(option) is dict:
            if not all(type(name) is str and _is_plain(value) for name, value in option.items()):
                return None
            parts.append(tuple(option.items()))
        elif _is_plain(option):
            parts.append((type(option), option))
        else:
            return None
    return tuple(parts)


def _is_plain(value: Any) -> bool:
    """Whether a key may hold it: a tuple cannot tell 1 from 1.0 and True inside."""
    kind = type(value)
    if kind is tuple:
        return not [entry for entry in value if type(entry) is not int]
    return kind is int or kind is str or kind is bool or value is None


def find(name: Hashable | None) -> Replay | None:
    return None if name is None else _replays.get(name)


def keep(name: Hashable | None, replay: list[_Repeated]) -> None:
    if name is not None and replay:
        if len(_replays) >= _KEPT:
            _replays.clear()
        _replays[name] = tuple(replay)


def repeated(step: Step, arguments: tuple[Any, ...]) -> _Repeated:
    """A step as `run` repeats it; its arrays are not kept alive."""
    sources = [
        _Source(factor.held, factor.starts, code, byteswapped, strides)
        for factor, (_, code, byteswapped, strides) in zip(step.factors, arguments[2])
    ]
    out = step.out
    blank = (*arguments[:2], None, (None, *arguments[3][1:]), *arguments[4:])
    return _Repeated(tuple(sources), out.shape, None if out.flags.c_contiguous else out.strides, out.dtype, blank)
