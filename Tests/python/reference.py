"""The oracle: sliding a filter over an array, written for reading.

One loop over the filter's taps; every position that a tap reads goes through an explicit table of indices. It shares
no line and no formula with the core. `slide` gives the result in the result type; `slide_wide` gives it before the
last rounding, so that a test can tell an error from a rounding.
"""

import itertools

import numpy as np

try:
    import ml_dtypes

    BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
except ImportError:
    BFLOAT16 = None

OPERATIONS = ("correlate", "convolve")
MODES = ("valid", "same", "full")
BOUNDARIES = ("fill", "wrap", "symmetric", "reflect", "edge")


def source_index(position, extent, boundary):
    """The element of an axis that `position` reads, -1 where nothing is there (boundary 'fill')."""
    if 0 <= position < extent:
        return position
    if boundary == "fill":
        return -1
    if boundary == "edge":
        return 0 if position < 0 else extent - 1
    if boundary == "wrap":
        return position % extent
    if boundary == "reflect" and extent == 1:
        return 0
    while not 0 <= position < extent:  # bounce between the two ends as often as it takes
        if boundary == "symmetric":
            position = -1 - position if position < 0 else 2 * extent - 1 - position
        elif boundary == "reflect":
            position = -position if position < 0 else 2 * (extent - 1) - position
        else:
            raise AssertionError(f"unknown boundary {boundary!r}")
    return position


def dilated_extent(taps, dilation):
    return dilation * (taps - 1) + 1


def placement(operation, mode, extent, window, origin=0):
    """(first position that the first tap reads, number of outputs at stride 1) along one axis.

    The taps are counted in the order in which the *correlation* reads them: for a convolution, after the flip.
    """
    if mode == "valid":
        if window > extent:
            raise ValueError(f"window of {window} over an axis of {extent}")
        return 0, extent - window + 1
    if mode == "full":
        return -(window - 1), extent + window - 1
    if mode != "same":
        raise ValueError(f"unknown mode {mode!r}")
    if operation == "correlate":  # out[i] = sum w[j] x[i + j - offset]
        offset = window // 2 + origin
        first = -offset
    else:  # out[i] = sum w[j] x[i - j + offset], and the flip makes j into window - 1 - j
        offset = (window - 1) // 2 + origin
        first = offset - (window - 1)
    if not 0 <= offset < window:
        raise ValueError(f"origin {origin} for a window of {window}")
    return first, extent


def per_axis(value, count):
    return (value,) * count if np.ndim(value) == 0 else tuple(value)


def window_axes(a_ndim, v_ndim, axes):
    if axes is None:
        return tuple(range(a_ndim - v_ndim, a_ndim))
    return tuple(axis % a_ndim for axis in np.atleast_1d(axes).tolist())


def index_tables(operation, a_shape, v_shape, mode, axes=None, boundary="fill", origin=None, stride=1, dilation=1):
    """For each window axis, an array [tap, output] of the element of `a` read, -1 outside."""
    count = len(v_shape)
    axes = window_axes(len(a_shape), count, axes)
    origin = per_axis(0 if origin is None else origin, count)
    stride, dilation = per_axis(stride, count), per_axis(dilation, count)
    tables = []
    for i, axis in enumerate(axes):
        extent, taps = a_shape[axis], v_shape[i]
        if extent == 0 or taps == 0:
            raise ValueError("empty window axis")
        first, outputs = placement(operation, mode, extent, dilated_extent(taps, dilation[i]), origin[i])
        positions = range(outputs)[:: stride[i]]
        tables.append(
            np.array(
                [[source_index(p + first + j * dilation[i], extent, boundary) for p in positions] for j in range(taps)],
                dtype=np.intp,
            )
        )
    return axes, tables


def wide_dtype(dtype):
    """The type that the oracle sums in: exact for integers, wider than `dtype` for floats where there is one."""
    dtype = np.dtype(dtype)
    if dtype.kind in "biuO":
        return dtype
    if dtype == BFLOAT16 or dtype == np.float16:
        return np.dtype(np.float64)
    return {
        np.dtype(np.float32): np.dtype(np.float64),
        np.dtype(np.complex64): np.dtype(np.complex128),
        np.dtype(np.float64): np.dtype(np.longdouble),
        np.dtype(np.complex128): np.dtype(np.clongdouble),
    }.get(dtype, dtype)


def result_dtype(a, v, dtype=None):
    return np.result_type(np.asarray(a), np.asarray(v)) if dtype is None else np.dtype(dtype)


def slide_wide(
    operation, a, v, mode, axes=None, boundary="fill", fillvalue=0, origin=None, stride=1, dilation=1, dtype=None
):
    a, v = np.asarray(a), np.asarray(v)
    dtype = result_dtype(a, v, dtype)
    wide = wide_dtype(dtype)
    axes, tables = index_tables(operation, a.shape, v.shape, mode, axes, boundary, origin, stride, dilation)
    with np.errstate(all="ignore"):
        x = a.astype(dtype).astype(wide)
        w = v.astype(dtype).astype(wide)
    w = np.conj(w) if operation == "correlate" and dtype.kind == "c" else w  # objects as they are, as in np.correlate
    w = np.flip(w) if operation == "convolve" else w
    fill = np.array(int(fillvalue) if dtype.kind in "iu" else fillvalue).astype(dtype).astype(wide)

    shape = list(a.shape)
    for axis, table in zip(axes, tables):
        shape[axis] = table.shape[1]
    total = np.zeros(shape, wide)
    with np.errstate(all="ignore"):
        for tap in itertools.product(*(range(taps) for taps in v.shape)):
            read, outside = x, np.zeros([1] * a.ndim, bool)
            for axis, table, j in zip(axes, tables, tap):
                read = np.take(read, np.maximum(table[j], 0), axis=axis)
                line = [1] * a.ndim
                line[axis] = table.shape[1]
                outside = outside | (table[j] < 0).reshape(line)
            outside = np.broadcast_to(outside, total.shape)
            if dtype.kind == "b":
                read = np.where(outside, fill, read)
                total = total | (read & w[tap])
            elif fill == 0:  # a tap that falls outside is not there at all: not even inf * 0
                total = total + np.where(outside, np.zeros((), wide), read * w[tap])
            else:
                total = total + np.where(outside, fill, read) * w[tap]
    return total


def slide(
    operation, a, v, mode, axes=None, boundary="fill", fillvalue=0, origin=None, stride=1, dilation=1, dtype=None
):
    """The right answer, rounded once to the result type."""
    wide = slide_wide(operation, a, v, mode, axes, boundary, fillvalue, origin, stride, dilation, dtype)
    with np.errstate(all="ignore"):
        return wide.astype(result_dtype(a, v, dtype))


def epsilon(dtype):
    dtype = np.dtype(dtype)
    return 2.0**-7 if dtype == BFLOAT16 else float(np.finfo(dtype).eps)


def sixteen_bits(dtype):
    return np.dtype(dtype) == np.float16 or np.dtype(dtype) == BFLOAT16


def largest_finite(*arrays):
    largest = 0.0
    for array in arrays:
        size = np.abs(np.asarray(array).astype(wide_dtype(np.asarray(array).dtype)))
        size = size[np.isfinite(size)]
        largest = max(largest, float(size.max()) if size.size else 0.0)
    return largest


def tolerance(wide, dtype, a, v, fillvalue=0):
    """Absolute error that direct summation may show, element by element of `wide`."""
    v = np.asarray(v)
    size = np.abs(v.astype(wide_dtype(v.dtype)))
    weight = float(size[np.isfinite(size)].sum(dtype=np.float64))
    accumulator = np.float32 if sixteen_bits(dtype) else dtype
    summation = (v.size + 4) * epsilon(accumulator) * largest_finite(a, fillvalue) * weight
    rounding = 0.5001 * epsilon(dtype) * np.abs(wide) if sixteen_bits(dtype) else 0.0
    return summation + rounding


def assert_close(actual, wide, dtype, a, v, fillvalue=0, label=""):
    """`actual` is `wide` up to the error of direct summation in `dtype`; exactly so for integers, bool and object."""
    dtype = np.dtype(dtype)
    assert actual.dtype == dtype, f"{label}: dtype {actual.dtype}, expected {dtype}"
    assert actual.shape == wide.shape, f"{label}: shape {actual.shape}, expected {wide.shape}"
    if dtype.kind in "biuO":
        wrong = np.asarray(actual != wide)
    else:
        with np.errstate(all="ignore"):
            rounded = wide.astype(dtype)
            got = actual.astype(wide.dtype)
            same = (rounded == actual) | (np.isnan(rounded) & np.isnan(actual))
            near = np.abs(got - wide) <= tolerance(wide, dtype, a, v, fillvalue)
            wrong = ~(same | (near & np.isfinite(got)))
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise AssertionError(
            f"{label}: {int(wrong.sum())} of {wrong.size} elements wrong, first at {where}: "
            f"{actual[where]!r}, expected {wide[where]!r}"
        )


def assert_matches(actual, operation, a, v, mode, label="", **options):
    """`actual` is what swiftconv.<operation>(a, v, mode, **options) must give."""
    wide = slide_wide(operation, a, v, mode, **options)
    label = (
        label
        or f"{operation} {np.shape(a)} {np.asarray(a).dtype} * {np.shape(v)} {np.asarray(v).dtype} {mode} {options}"
    )
    assert_close(actual, wide, result_dtype(a, v, options.get("dtype")), a, v, options.get("fillvalue", 0), label)
