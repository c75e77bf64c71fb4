"""What a call of einsum would do."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .. import _native, _outside_core
from . import _call, _steps, _subscripts
from ._call import Call


class Described(NamedTuple):
    """A validated call, as `explain` takes it: nothing of it runs."""

    call: Call
    is_view: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return self.call.shape

    @property
    def dtype(self) -> np.dtype:
        return self.call.arrays[0].dtype if self.is_view else self.call.dtype

    @property
    def through_numpy(self) -> bool:
        return False  # `explain` below has words of its own for it

    def copies(self) -> str:
        if self.is_view:
            return ""
        copied = [] if self.call.through_numpy else [part for step in self._steps() for part in step.copied]
        return "; ".join([*copied, *filter(None, [self.call.why_temporary()])])

    def explain(self) -> dict[str, Any]:
        """What the core would do in the step that multiplies most, then all steps."""
        if self.is_view:
            return _without_steps("view", "nothing to compute", 0)
        if self.call.through_numpy:
            return _without_steps("numpy", "numpy.einsum", self._view_bytes())
        steps = self._steps()
        found = [_native.contract_explain(*step.core_arguments(self.call)) for step in steps]
        work = [prod([step.extents[index] for index in step.order]) * (len(step.factors) - 1) for step in steps]
        fields = dict(found[work.index(max(work))])
        fields["steps"] = tuple([f"{self._text(step)}: {part['algorithm']}" for step, part in zip(steps, found)])
        fields["temporary_bytes"] = sum(step.temporary_bytes for step in steps)
        return fields

    def _steps(self) -> list[_steps.Step]:
        call = self.call
        target = _call.new_result(call) if call.out is None or call.why_temporary() else np.asarray(call.out)
        return list(_steps.steps(call, target, dry=True))

    def _text(self, step: _steps.Step) -> str:
        """A step's subscripts, windows as axes of their own, but where the step leaves them as they are."""
        letters = _subscripts.letters(self.call.subscripts)
        if len(step.extents) > len(letters):
            axes = self.call.subscripts.operands[step.factors[0].held]
            letters += [_subscripts.spelled(axis, letters) for axis in axes]
        inputs = ",".join(_spelled(letters, sorted(indices)) for indices in step.indices)
        return f"{inputs}->{_spelled(letters, step.order[: step.count])}"

    def _view_bytes(self) -> int:
        return sum(array.size * self.call.dtype.itemsize for array in self.call.arrays)


def _spelled(letters: Sequence[str], indices: Sequence[int]) -> str:
    return "".join(letters[index] for index in indices)


def _without_steps(algorithm: str, kernel: str, workspace: int) -> dict[str, Any]:
    return {**_outside_core.fields(algorithm, kernel, workspace), "steps": (), "temporary_bytes": 0}


def prepare(
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
) -> Described:
    text, given = _subscripts.split(operands)
    call = _call.prepare(text, given, out, dtype, order, casting, optimize, padding, boundary, threads, method)
    return Described(call, _call.view(text, given, out, padding, boundary) is not None)
