"""One function for each kind of argument: what users may write becomes what the core takes, or an exception."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

import numpy as np

from . import _dtypes

_Made = TypeVar("_Made")

MODES = {"valid": 0, "same": 1, "full": 2}
# NumPy's names first. ndimage's "reflect" is what NumPy calls "symmetric", and here "reflect" is NumPy's.
BOUNDARIES = {
    "fill": 0,
    "pad": 0,
    "constant": 0,
    "wrap": 1,
    "circular": 1,
    "periodic": 1,
    "grid-wrap": 1,
    "symmetric": 2,
    "symm": 2,
    "grid-mirror": 2,
    "reflect": 3,
    "mirror": 3,
    "edge": 4,
    "nearest": 4,
    "replicate": 4,
}
METHODS = {"auto": 0, "direct": 1, "separable": 2, "reference": 3}


def array(name: str, value: Any) -> np.ndarray:
    """An array-like as a base-class ndarray, without a copy where there is a buffer."""
    if type(value) is not np.ndarray:
        value = array_of_any_dtype(name, value)
    if _dtypes.code_of(value.dtype) is None:
        _dtypes.check(f"{name} has dtype ", value.dtype)
        if value.dtype.char == "O":
            _check_elements(name, value)
    return value


def array_of_any_dtype(name: str, value: Any) -> np.ndarray:
    """`array` before it looks at the dtype."""
    refuse_masked(name, value)
    return _converted(name, value)


def refuse_masked(name: str, value: Any) -> None:
    # An array can be masked only if somebody imported numpy.ma.
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(value, masked.MaskedArray):
        raise TypeError(f"{name} is a masked array, whose mask would be lost: pass {name}.filled(value)")


def _converted(name: str, value: Any) -> np.ndarray:
    if hasattr(value, "nnz") and (hasattr(value, "toarray") or hasattr(value, "todense")):
        raise TypeError(f"{name} is a sparse array ({type(value).__name__}): pass a dense one, {name}.toarray()")
    try:
        if _speaks_only_dlpack(value):
            return np.from_dlpack(value)
        result = np.asarray(value)
    except (ValueError, BufferError, RuntimeError) as error:
        raise TypeError(f"{name} of type {type(value).__name__} cannot become an array: {error}") from error
    if result.dtype.char == "O" and result.ndim == 0 and not hasattr(value, "__array__") and not _is_number(value):
        raise TypeError(f"{name} has type {type(value).__name__}: expected an array or what NumPy can make one of")
    return result


def _speaks_only_dlpack(value: Any) -> bool:
    if not hasattr(value, "__dlpack__") or isinstance(value, np.generic):
        return False
    return not (hasattr(value, "__array__") or hasattr(value, "__array_interface__"))


def _is_number(value: Any) -> bool:
    return hasattr(value, "__mul__") and hasattr(value, "__add__") and not isinstance(value, (str, bytes, list, tuple))


def _check_elements(name: str, value: np.ndarray) -> None:
    # Once for each element in memory: a broadcast array may repeat one without end.
    for element in value[tuple(slice(1) if step == 0 else slice(None) for step in value.strides)].flat:
        if element is None or isinstance(element, (list, tuple, dict, str, bytes, np.ndarray)):
            raise TypeError(
                f"{name} is an object array that holds a {type(element).__name__}: expected numbers (nested lists of "
                "unequal lengths make such arrays)"
            )


def mode(value: Any) -> int:
    """'valid', 'same', 'full', or NumPy's numbers for them."""
    if isinstance(value, str):
        code = MODES.get(value)
    elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        code = int(value) if 0 <= value <= 2 else None
    else:
        raise TypeError(f"mode={value!r}: expected 'valid', 'same' or 'full'")
    if code is None:
        raise ValueError(f"mode={value!r}: expected 'valid', 'same' or 'full'")
    return code


def boundary(value: Any) -> int:
    return named("boundary", value, BOUNDARIES)


def method(value: Any) -> int:
    return named("method", value, METHODS)


def named(name: str, value: Any, codes: dict[str, int]) -> int:
    if not isinstance(value, str):
        raise TypeError(f"{name}={value!r}: expected one of {', '.join(map(repr, codes))}")
    try:
        return codes[value]
    except KeyError:
        raise ValueError(f"{name}={value!r}: expected one of {', '.join(map(repr, codes))}") from None


def threads(value: Any) -> int:
    """None is the library's number, the core's 0."""
    if value is None:
        return 0
    count = integer("threads", value, "None or an integer of at least 1")
    if count < 1:
        raise ValueError(f"threads={value!r}: expected None or an integer of at least 1")
    return count


def axes(value: Any, a_ndim: int, v_ndim: int) -> tuple[int, ...] | None:
    """Axes of `a` counted from zero, None for the last ones."""
    if value is None:
        return None
    given = per_axis("axes", value, 1 if v_ndim == 1 else None)
    if len(given) != v_ndim:
        raise ValueError(f"axes={value!r} has {_count(given, 'entry', 'entries')}: expected v.ndim={v_ndim} of them")
    for axis in given:
        if not -a_ndim <= axis < a_ndim:
            raise ValueError(f"axes={value!r} holds {axis}: a has {_count(range(a_ndim), 'axis', 'axes')}")
    counted = tuple(axis % a_ndim for axis in given)
    if len(set(counted)) != len(counted):
        raise ValueError(f"axes={value!r} names an axis of a twice: expected distinct axes")
    return counted


def per_axis(name: str, value: Any, count: int | None, each: str = "axis of v") -> tuple[int, ...]:
    """An integer for each axis: one for all, or a sequence of `count` (of any number where it is None)."""
    wanted = "an integer or a sequence of integers" if count is None else f"an integer or {count} of them"
    try:
        return (operator.index(value),) * (1 if count is None else count)
    except TypeError:
        pass
    if isinstance(value, (str, bytes, dict, set)):
        raise TypeError(f"{name}={value!r}: expected {wanted}")
    try:
        entries = tuple(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: expected {wanted}") from None
    if count is not None and len(entries) != count:
        raise ValueError(
            f"{name}={value!r} has {_count(entries, 'entry', 'entries')}: expected {count}, one for each {each}"
        )
    return tuple(integer(f"{name}[{place}]", entry, "an integer") for place, entry in enumerate(entries))


def per_spatial_axis(name: str, value: Any, count: int) -> tuple[int, ...]:
    """`per_axis` for a network layer: a sequence of one is for every axis, as in torch."""
    if isinstance(value, (tuple, list)) and len(value) == 1:
        value = value[0]
    return per_axis(name, value, count, "spatial axis")


def is_plain(value: Any) -> bool:
    """Whether a cache may hold it as it is: inside of tuples it cannot tell 1 from 1.0 and True."""
    if type(value) is int:
        return True
    return type(value) is tuple and not [entry for entry in value if type(entry) is not int]


def remembered(function: Callable[..., _Made]) -> Callable[..., _Made]:
    """Keep what `function` makes of arguments that a cache may hold."""
    cached = lru_cache(maxsize=512, typed=True)(function)

    @wraps(function)
    def call(*arguments: Any) -> _Made:
        for value in arguments:
            kind = type(value)
            if not (kind is int or value is None or kind is str or (kind is tuple and is_plain(value))):
                return function(*arguments)
        return cached(*arguments)

    return call


def unless_default(name: str, value: Any, count: int, default: int) -> tuple[int, ...] | None:
    """`per_axis`, or None where every entry is the default: the core's spelling of it."""
    if type(value) is int and value == default:
        return None
    entries = per_axis(name, value, count)
    return None if entries == (default,) * count else entries


def integer(name: str, value: Any, expected: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: expected {expected}") from None


def _count(entries: Any, one: str, many: str) -> str:
    return f"{len(entries)} {one if len(entries) == 1 else many}"


def dtype(value: Any) -> np.dtype:
    try:
        result = np.dtype(value).newbyteorder("=")
    except TypeError as error:
        raise TypeError(f"dtype={value!r}: {error}") from error
    _dtypes.check("dtype=", result)
    return result


def output(value: Any) -> np.ndarray | None:
    """What `out=` holds: an array, as ufuncs have it also in a tuple of one."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        raise TypeError(f"out has type {type(value).__name__}: expected a numpy.ndarray")
    refuse_masked("out", value)
    if not value.flags.writeable:
        raise ValueError("out is read-only: expected a writable array")
    return value


def fill(value: Any, dtype: np.dtype) -> Any:
    """The fill value as a number of the result's kind (as it is for objects)."""
    if type(value) is int and value == 0:  # zero in every dtype
        return 0
    scalar = _scalar(value)
    if dtype.char == "O":
        return scalar
    kind = "f" if _dtypes.code_of(dtype) == _dtypes.BFLOAT16 else dtype.kind
    if kind != "c" and isinstance(scalar, (complex, np.complexfloating)):
        raise TypeError(f"fillvalue={value!r} is complex: expected a real number for a result of dtype {dtype}")
    try:
        if kind in "iu":
            return _integer_fill(scalar, dtype)
        return dtype.type(scalar) if dtype.char in "gG" else _FILL_OF_KIND[kind](scalar)
    except TypeError as error:
        raise TypeError(f"fillvalue={value!r}: expected a number") from error
    except (OverflowError, ValueError) as error:
        raise ValueError(f"fillvalue={value!r}: expected a number that {dtype} can hold") from error


_FILL_OF_KIND = {"b": bool, "f": float, "c": complex}


def _integer_fill(scalar: Any, dtype: np.dtype) -> int:
    number = int(scalar)
    limits = np.iinfo(dtype)
    if not limits.min <= number <= limits.max:
        raise ValueError(f"{number} is outside [{limits.min}, {limits.max}]")
    return number


def _scalar(value: Any) -> Any:
    if type(value) in (int, float, complex, bool):
        return value
    if isinstance(value, (str, bytes)) or value is None:
        raise TypeError(f"fillvalue={value!r}: expected a number")
    if isinstance(value, np.ndarray):
        if value.ndim != 0:
            raise TypeError(f"fillvalue has shape {value.shape}: expected a scalar")
        return value[()]
    return value
