"""Calls on patches: a cut, its validation, and its run in either direction."""

from __future__ import annotations

import itertools
from typing import Any, Callable, NamedTuple

import numpy as np

from . import _arguments, _dtypes, _native
from ._results import buffer, check_output, new_result, overlaps_itself

SUM, MEAN = 0, 1
REDUCTIONS = {"sum": SUM, "mean": MEAN}
FILL = _arguments.BOUNDARIES["fill"]
_NUMPY_BOUNDARIES: dict[int, Any] = {
    _arguments.BOUNDARIES[name]: name for name in ("wrap", "symmetric", "reflect", "edge")
}

Ints = tuple[int, ...]


class Names(NamedTuple):
    """The words of a public function for what the core's messages speak of."""

    input: bytes = b"input"
    window: bytes = b"kernel_size"
    stride: bytes = b"stride"
    dilation: bytes = b"dilation"
    padding: bytes = b"padding"


class Cut(NamedTuple):
    """Window axes of an array, with a number for each: the last five lists of the core's calls on patches."""

    axes: Ints
    window: Ints
    stride: Ints
    dilation: Ints
    low: Ints
    high: Ints

    def windows(self, shape: Ints, names: Names) -> Ints:
        """Validate; the number of windows along each axis of `axes`."""
        extents = _native.patches_shape(shape, *self, tuple(names))
        return tuple(extents[axis] for axis in self.axes)


class Places(NamedTuple):
    """Where the windows and taps of a call are: what depends on shapes and options alone."""

    cut: Cut
    shape: Ints  # of the result
    split: Ints  # of the patches, windows and taps apart
    axes: Ints  # of those, as the core has them
    image: tuple[Ints, Any] | None = None  # axes of the array as the core has them, and an index that adds some

    def patches(self, array: np.ndarray) -> np.ndarray:
        return array.reshape(self.split).transpose(self.axes)

    def array(self, array: np.ndarray) -> np.ndarray:
        return array if self.image is None else array.transpose(self.image[0])[self.image[1]]


def reduction(value: Any) -> int:
    return _arguments.named("reduction", value, REDUCTIONS)


def into(out: Any, shape: Ints, dtype: np.dtype, source: np.ndarray, compute: Callable[..., None]) -> Any:
    """Have `compute` write a new array, or `out`, or a temporary one where it cannot write that.

    It takes the array, and whether that is new.
    """
    out = _arguments.output(out)
    if out is None:
        out = new_result(None, shape, dtype)
        compute(out, True)
        return out
    check_output(out, shape, dtype)
    plain = _dtypes.code_of(out.dtype) == _dtypes.code_of(dtype)
    shares = np.may_share_memory(source, out, max_work=1)  # type: ignore[arg-type]
    if plain and not shares and not overlaps_itself(out):
        compute(np.asarray(out), False)
    else:
        target = new_result(None, shape, dtype)
        compute(target, True)
        np.copyto(out, target, casting="unsafe")  # the rule has been applied above
    return out


def gathered(x: np.ndarray, places: Places, out: Any, threads: int) -> Any:
    """The patches of `x` in a new array or in `out`."""

    def compute(result: np.ndarray, fresh: bool) -> None:
        gather(places.array(x), places.patches(result), places.cut, threads, fresh)

    return into(out, places.shape, native(x.dtype), x, compute)


def scattered(
    given: np.ndarray, places: Places, out: Any, threads: int, reduction: int = SUM, weights: Any = None
) -> Any:
    """The array of the patches `given`, new or in `out`."""

    def compute(result: np.ndarray, fresh: bool) -> None:
        scatter(places.patches(given), places.array(result), places.cut, threads, reduction, weights)

    averages = reduction == MEAN or weights is not None
    dtype = mean_dtype(given.dtype) if averages else native(given.dtype)
    return into(out, places.shape, dtype, given, compute)


def native(dtype: np.dtype) -> np.dtype:
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def gather(x: np.ndarray, patches: np.ndarray, cut: Cut, threads: int, fresh: bool, boundary: int = FILL) -> None:
    """Copy every window of `x` to `patches`, a view with x's axes and then an axis of taps for each window axis.

    `fresh` says that nobody has touched its memory yet.
    """
    if patches.size == 0:
        return
    if _dtypes.code_of(x.dtype) is None:
        if boundary != FILL:
            widths = [(0, 0)] * x.ndim
            for axis, low, high in zip(cut.axes, cut.low, cut.high):
                widths[axis] = (low, high)
            x = np.pad(x, widths, _NUMPY_BOUNDARIES[boundary])
            cut = cut._replace(low=(0,) * len(cut.low), high=(0,) * len(cut.high))
        patches[...] = 0
        for there, here in _taps(x.shape, patches.shape, cut):
            patches[there] = x[here]
        return
    _native.patches_gather(*_operands(x, patches), threads, *cut, boundary, None, fresh)


def scatter(
    patches: np.ndarray, x: np.ndarray, cut: Cut, threads: int, reduction: int = SUM, weights: Any = None
) -> None:
    """Add every window of `patches` to its place in `x`: sums, means, or means weighted by a number for each tap."""
    if x.size == 0:
        return
    if _dtypes.code_of(patches.dtype) is None:
        _scatter_through_numpy(patches, x, cut, reduction, weights)
        return
    weights = None if weights is None else np.ascontiguousarray(weights, np.float64).tobytes()
    _native.patches_scatter(*_operands(patches, x), threads, *cut, reduction, weights)


def mean_dtype(dtype: np.dtype) -> np.dtype:
    """`numpy.mean`'s: float64 for bool and integers."""
    return np.dtype(np.float64) if dtype.kind in "biu" else native(dtype)


def _operands(source: np.ndarray, destination: np.ndarray) -> tuple[Any, ...]:
    codes = _dtypes.code_of(source.dtype), _dtypes.code_of(destination.dtype)
    swapped = (not source.dtype.isnative) + 2 * (not destination.dtype.isnative)
    return buffer(source, codes[0]), buffer(destination, codes[1]), *codes, swapped


def _scatter_through_numpy(patches: np.ndarray, x: np.ndarray, cut: Cut, reduction: int, weights: Any) -> None:
    averages = reduction == MEAN or weights is not None
    x[...] = 0
    total = np.zeros([x.shape[axis] if axis in cut.axes else 1 for axis in range(x.ndim)])
    weights = np.ones(cut.window) if weights is None else np.asarray(weights, np.float64)
    for there, here in _taps(x.shape, patches.shape, cut):
        weight = weights[there[x.ndim :]]
        x[here] += patches[there] * weight if averages else patches[there]
        if averages:
            total[tuple(part if axis in cut.axes else slice(None) for axis, part in enumerate(here))] += weight
    if averages:
        np.divide(x, total, out=x, where=total != 0)


def _taps(x_shape: Ints, patches_shape: Ints, cut: Cut) -> Any:
    """For each tap the indices of the patches, and those of the array's elements that they hold."""
    for tap in itertools.product(*map(range, cut.window)):
        here = [slice(None)] * len(x_shape)
        there: list[Any] = [slice(None)] * len(x_shape)
        for k, axis, step, dilation, low in zip(tap, cut.axes, cut.stride, cut.dilation, cut.low):
            start = dilation * k - low
            first = max(-(start // step), 0)
            end = min((x_shape[axis] - 1 - start) // step + 1, patches_shape[axis])
            end = max(end, first)
            there[axis] = slice(first, end)
            position = start + step * first
            here[axis] = slice(position, position + step * (end - first), step) if end > first else slice(0, 0)
        yield (*there, *tap), tuple(here)
