"""What a call would do."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Callable, Protocol

import numpy as np

from . import _native, _outside_core
from ._call import CONVOLVE, CORRELATE, prepare
from ._einsum._explain import prepare as prepare_einsum
from ._einsum._functions import einsum
from ._sliding import convolve, correlate

_explained: dict[Callable[..., Any], tuple[inspect.Signature, Callable[..., Explainable], tuple[Any, ...]]] = {}


class Explainable(Protocol):
    """A validated call."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...
    @property
    def through_numpy(self) -> bool: ...
    def copies(self) -> str: ...
    def explain(self) -> dict[str, Any]:
        """What the core would do."""


def explainable(function: Callable[..., Any], prepare: Callable[..., Explainable], *first: Any) -> None:
    """Lets `explain` describe a function: `prepare` makes its call, from `first` and its arguments in their order.

    Signatures are read once: of builtins, inspect makes classes that stay.
    """
    _explained[function] = (inspect.signature(function), prepare, first)


explainable(einsum, prepare_einsum)
explainable(correlate, prepare, CORRELATE)
explainable(convolve, prepare, CONVOLVE)


class Explanation(Mapping):  # type: ignore[type-arg]
    """What a call would do: a read-only mapping that prints as a table; keys are attributes too."""

    def __init__(self, title: str, fields: dict[str, Any]) -> None:
        self._title = title
        self._fields = dict(fields)

    def __getitem__(self, key: str) -> Any:
        return self._fields[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._fields:
            return self._fields[name]
        raise AttributeError(f"an explanation has no {name!r}: it has {', '.join(self.__dict__.get('_fields', ()))}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._fields]

    def __repr__(self) -> str:
        width = max(map(len, self._fields))
        return "\n".join([self._title, *(f"  {key:<{width}}  {value}" for key, value in self._fields.items())])


def explain(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Explanation:
    """
    What ``function(*args, **kwargs)`` would do, without doing it.

    Parameters
    ----------
    function : callable
        `correlate`, `convolve`, `einsum`, a convolution of `swiftconv.nn` or a plan of one.
    *args, **kwargs
        Its arguments.

    Returns
    -------
    Explanation
        A printable mapping: 'algorithm', 'kernel' (the register tile), 'isa', 'input' and 'output' (how they are read
        and written), 'vector_axis', 'vector_lanes', 'tile_rows', 'tile_columns', 'block_rows', 'block_columns',
        'workspace_bytes' (per thread), 'tasks', 'threads', 'shape' and 'dtype' of the result, 'copies' (temporary
        arrays, 'none' as a rule). Of `einsum` also 'steps', in order and each with its algorithm, and
        'temporary_bytes', of what lies between them and of padded operands; the other fields are those of the step
        that multiplies most.

    Raises
    ------
    TypeError
        `function` is not one of swiftconv's.
    Exception
        Whatever the call would raise.

    Examples
    --------
    >>> import numpy as np
    >>> import swiftconv
    >>> plan = swiftconv.explain(swiftconv.correlate, np.zeros((10, 64, 64)), np.ones((3, 3)))
    >>> plan['shape'], str(plan.dtype), plan.copies
    ((10, 62, 62), 'float64', 'none')
    """
    if isinstance(function, _native.ConvolutionPlan):
        return function.explain(*args, **kwargs)  # type: ignore[attr-defined]
    try:
        signature, prepare, first = _explained[function]
    except (KeyError, TypeError):
        raise TypeError(f"function={function!r}: expected a function of swiftconv's, such as correlate") from None
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return explanation(f"{_public_module(function)}.{function.__name__}", prepare(*first, *bound.arguments.values()))


def explanation(title: str, call: Explainable) -> Explanation:
    if 0 in call.shape:
        fields = _fields_outside_core(call, "none", "nothing to compute")
    elif call.through_numpy:
        fields = _fields_outside_core(call, "numpy", "a loop over the taps")
    else:
        fields = call.explain()
    fields.update(shape=call.shape, dtype=call.dtype, copies=call.copies() or "none")
    return Explanation(title, fields)


def _public_module(function: Callable[..., Any]) -> str:
    return ".".join(part for part in function.__module__.split(".") if not part.startswith("_"))


def _fields_outside_core(call: Explainable, algorithm: str, kernel: str) -> dict[str, Any]:
    # Sum and term, and which outputs have one.
    workspace = (2 * call.dtype.itemsize + 1) * _size(call.shape)
    return _outside_core.fields(
        algorithm, kernel, workspace, "gathered for each tap", "accumulated in a temporary array"
    )


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size
