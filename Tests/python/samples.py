"""Arrays to test with: every dtype, every memory layout, and a pairwise cover of a table of choices."""

import itertools

import numpy as np
from reference import BFLOAT16

BOOL = [np.dtype(bool)]
INTEGERS = [np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)]
FLOATS = [np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)] + ([BFLOAT16] if BFLOAT16 else [])
COMPLEXES = [np.dtype(np.complex64), np.dtype(np.complex128)]
DTYPES = BOOL + INTEGERS + FLOATS + COMPLEXES
SLOW_DTYPES = [np.dtype(np.longdouble), np.dtype(np.clongdouble), np.dtype(object)]


def values(rng, shape, dtype):
    """Random elements: the whole range for integers, a few bits with a sign for floats, so that sums stay exact."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.4
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    if dtype.kind == "O":
        return rng.integers(-9, 10, shape).astype(object)
    if dtype.kind == "c":
        return (rng.integers(-4, 5, shape) + 1j * rng.integers(-4, 5, shape)).astype(dtype)
    return rng.integers(-4, 5, shape).astype(np.float32).astype(dtype)


def normals(rng, shape, dtype):
    """Like `values` with all of a float's bits in play."""
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    if dtype.kind in "biuO":
        return values(rng, shape, dtype)
    return rng.standard_normal(shape).astype(dtype)


# ---- Layouts: an array with the same elements, lying differently in memory -----------------------------------------


def strided(array):
    """Every second element of a larger buffer along every axis; what lies between is poison."""
    spaced = poison([2 * n + 1 for n in array.shape], array.dtype)[tuple(slice(1, 2 * n + 1, 2) for n in array.shape)]
    spaced[...] = array
    return spaced


def poison(shape, dtype):
    """Elements that would show if they were read: a result that they enter is NaN, or an unlikely integer."""
    dtype = np.dtype(dtype)
    if dtype.kind in "fc" or dtype == BFLOAT16:
        return np.full(shape, np.nan, dtype)
    return np.full(shape, True if dtype.kind in "bO" else np.iinfo(dtype).max // 3, dtype)


def negative(array):
    flipped = (slice(None, None, -1),) * array.ndim
    return np.ascontiguousarray(array[flipped])[flipped]


def permuted(array, order):
    """Memory in the order of the axes in `order`, the axes themselves where they were."""
    return np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))


def misaligned(array):
    raw = np.zeros(array.nbytes + 1, np.uint8)
    view = np.ndarray(array.shape, array.dtype, buffer=raw, offset=1)
    view[...] = array
    return view


def byteswapped(array):
    if array.dtype == BFLOAT16 or array.dtype.kind == "O":  # these have one byte order only
        return array.copy()
    return array.astype(array.dtype.newbyteorder())


def broadcast(array):
    """Stride 0 along the first axis of more than one element."""
    axis = next((i for i, n in enumerate(array.shape) if n > 1), None)
    if axis is None:
        return array.copy()
    first = array[(slice(None),) * axis + (slice(0, 1),)].copy()
    return np.broadcast_to(first, array.shape)


def overlapping(array):
    """Rows that share memory: each begins one element after the one before."""
    if array.ndim < 2 or array.size == 0:
        return array.copy()
    size = array.itemsize
    line = np.resize(array.reshape(-1), sum(array.shape))
    return np.lib.stride_tricks.as_strided(line, array.shape, (size,) * array.ndim)


def readonly(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def odd_unit_strides(array):
    """Absurd strides on the axes of extent 1, where NumPy lets them be anything."""
    array = np.ascontiguousarray(array)
    strides = [7 * 10**9 + 1 if n == 1 else s for n, s in zip(array.shape, array.strides)]
    return np.lib.stride_tricks.as_strided(array, array.shape, strides)


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": strided,
    "negative": negative,
    "transposed": lambda array: permuted(array, np.roll(np.arange(array.ndim), 1)),
    "channels last": lambda array: permuted(
        array, [0, *range(2, array.ndim), 1][: array.ndim] if array.ndim > 1 else [0]
    ),
    "batch last": lambda array: permuted(array, [*range(1, array.ndim), 0]),
    "last axis strided": lambda array: strided(array[..., None])[..., 0],
    "broadcast": broadcast,
    "overlapping": overlapping,
    "misaligned": misaligned,
    "byteswapped": byteswapped,
    "readonly": readonly,
    "odd unit strides": odd_unit_strides,
}


def pairwise(table, seed=0, tries=40):
    """Rows that between them hold every pair of choices from any two columns of `table`, greedily few."""
    rng = np.random.default_rng(seed)
    names = list(table)
    missing = {
        ((p, i), (q, j))
        for p, q in itertools.combinations(range(len(names)), 2)
        for i in range(len(table[names[p]]))
        for j in range(len(table[names[q]]))
    }
    order = sorted(missing)
    rows = []
    while missing:
        best, gain = None, -1
        order = [pair for pair in order if pair in missing]
        for _ in range(tries):
            row = [int(rng.integers(len(table[name]))) for name in names]
            (p, i), (q, j) = order[int(rng.integers(len(order)))]
            row[p], row[q] = i, j
            covered = sum(pair in missing for pair in itertools.combinations(enumerate(row), 2))
            if covered > gain:
                best, gain = row, covered
        missing.difference_update(itertools.combinations(enumerate(best), 2))
        rows.append({name: table[name][i] for name, i in zip(names, best)})
    return rows
