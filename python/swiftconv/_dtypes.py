"""NumPy dtypes and the core's codes for them."""

from __future__ import annotations

import numpy as np

BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64 = range(9)
FLOAT16, BFLOAT16, FLOAT32, FLOAT64, COMPLEX64, COMPLEX128 = range(9, 15)

_CODE_OF_KIND = {
    ("b", 1): BOOL,
    ("i", 1): INT8,
    ("i", 2): INT16,
    ("i", 4): INT32,
    ("i", 8): INT64,
    ("u", 1): UINT8,
    ("u", 2): UINT16,
    ("u", 4): UINT32,
    ("u", 8): UINT64,
    ("f", 2): FLOAT16,
    ("f", 4): FLOAT32,
    ("f", 8): FLOAT64,
    ("c", 8): COMPLEX64,
    ("c", 16): COMPLEX128,
}
# By type character: the fastest key that a dtype has. long and long long get the code of their width, and so does a
# long double of 8 bytes (macOS on arm64).
_CODE_OF_CHAR = {
    char: _CODE_OF_KIND[dtype.kind, dtype.itemsize]
    for char, dtype in ((char, np.dtype(char)) for char in "?bhilqBHILQefdgFDG")
    if (dtype.kind, dtype.itemsize) in _CODE_OF_KIND
}
# What only NumPy can compute with, at NumPy's speed.
_NUMPY_CHARS = frozenset("OgG") - frozenset(_CODE_OF_CHAR)

DTYPES = tuple(
    np.dtype(name) if name else None
    for name in (
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        None,
        "float32",
        "float64",
        "complex64",
        "complex128",
    )
)
# numpy.result_type of every pair of codes, row by row; 255 where NumPy has no such dtype.
RESULT_CODES = bytes(
    255 if a is None or v is None else _CODE_OF_CHAR[np.result_type(a, v).char] for a in DTYPES for v in DTYPES
)


def code_of(dtype: np.dtype) -> int | None:
    """The core's code, or None for a dtype that the core does not compute with."""
    code = _CODE_OF_CHAR.get(dtype.char)
    # ml_dtypes' bfloat16 is a user dtype: its name is all that a package without that dependency can know of it.
    if code is None and dtype.name == "bfloat16":
        return BFLOAT16
    return code


def check(what: str, dtype: np.dtype) -> None:
    """Raise TypeError unless `dtype`, which `what` introduces, is one that swiftconv computes with."""
    if code_of(dtype) is None and dtype.char not in _NUMPY_CHARS:
        raise TypeError(f"{what}{dtype}: expected bool, integers, floats, complex or objects")


def result_type(a: np.dtype, v: np.dtype, names: tuple[str, str]) -> np.dtype:
    """`numpy.result_type` of two dtypes, in native byte order."""
    if a is v and a.isnative:
        return a
    try:
        return np.result_type(a, v)
    except TypeError as error:
        raise TypeError(
            f"{names[0]} has dtype {a} and {names[1]} has dtype {v}, which have no common dtype: pass dtype="
        ) from error


def can_cast(source: np.dtype, target: np.dtype) -> bool:
    """Whether a cast is of the same kind, with bfloat16 counted among the floats."""
    if source is target:
        return True
    return bool(np.can_cast(_as_numpy_float(source), _as_numpy_float(target), "same_kind"))


def _as_numpy_float(dtype: np.dtype) -> np.dtype:
    return np.dtype(np.float16) if dtype.name == "bfloat16" else dtype
