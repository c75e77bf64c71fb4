"""The oracle of convolutions with channels, written for reading.

One loop over the filter's taps, on an input that is padded and filled with zeros for real. All arrays have torch's
order of axes; sums are computed in a dtype wider than the result's where there is one. Beside every sum stands its
magnitude, the sum of the absolute values, so that a test can tell rounding from error.
"""

import itertools

import numpy as np
from reference import epsilon, per_axis, sixteen_bits, source_index, wide_dtype

BOUNDARIES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap", "symmetric": "symmetric"}


def pairs(padding, spatial):
    """(before, after) for each spatial axis."""
    if np.ndim(padding) == 2:
        return [tuple(pair) for pair in padding]
    return [(p, p) for p in per_axis(padding, spatial)]


def same(extents, taps, stride, dilation, lower=False):
    """TensorFlow's rule for padding='same'."""
    found = []
    for n, k, s, d in zip(extents, taps, per_axis(stride, len(taps)), per_axis(dilation, len(taps))):
        outputs = -(-n // s)
        total = max((outputs - 1) * s + d * (k - 1) + 1 - n, 0)
        small, large = total // 2, total - total // 2
        found.append((large, small) if lower else (small, large))
    return found


def spread(x, input_dilation, padding, padding_mode="zeros"):
    """The input with zeros between its samples and padding around it, and which of it are samples."""
    spatial = x.ndim - 2
    present = np.ones(x.shape[2:], bool)
    for i, (step, (before, after)) in enumerate(zip(per_axis(input_dilation, spatial), pairs(padding, spatial))):
        extent = x.shape[2 + i]
        places = []
        for position in range(-before, (extent - 1) * step + 1 + after):
            if padding_mode == "zeros":
                inside = position % step == 0 and 0 <= position // step < extent
                places.append(position // step if inside else -1)
            else:
                places.append(source_index(position, extent, BOUNDARIES[padding_mode]))
        places = np.array(places, np.intp)
        x = np.take(x, np.maximum(places, 0), axis=2 + i)
        line = [1] * spatial
        line[i] = len(places)
        present = np.take(present, np.maximum(places, 0), axis=i) & (places >= 0).reshape(line)
    return np.where(present, x, np.zeros((), x.dtype)), present


def product(a, b, axis):
    """Sums of products along an axis, OR of ANDs for bool."""
    if a.dtype.kind == "b":
        return (a & b).any(axis=axis)
    return (a * b).sum(axis=axis, dtype=a.dtype)


def plus(a, b):
    return a | b if a.dtype.kind == "b" else a + b


def windows(x, tap, stride, dilation, outputs):
    """What a tap sees of a padded input: one sample for each output."""
    cut = [
        slice(d * k, d * k + s * (n - 1) + 1, s)
        for k, s, d, n in zip(tap, per_axis(stride, len(tap)), per_axis(dilation, len(tap)), outputs)
    ]
    return x[(..., *cut)] if all(outputs) else x[(..., *[slice(0)] * len(tap))]


def outputs_of(extents, taps, stride, dilation):
    steps = zip(extents, taps, per_axis(stride, len(taps)), per_axis(dilation, len(taps)))
    return [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in steps]


def channels_last(values, spatial):
    return values.reshape(values.shape + (1,) * spatial)


def forward(
    x, w, bias=None, stride=1, padding=0, dilation=1, groups=1, batch_groups=1, input_dilation=1, padding_mode="zeros",
    per_sample=False,
):  # fmt: skip
    """Convolution of x (N, C, ...) with w (O, C / groups, ...), or (N, O, C / groups, ...) with per_sample."""
    spatial = x.ndim - 2
    padded, _ = spread(x, input_dilation, padding, padding_mode)
    w = w if per_sample else w[None]
    samples, filters = len(x) // batch_groups, w.shape[1]
    outputs = outputs_of(padded.shape[2:], w.shape[3:], stride, dilation)
    total = np.zeros((samples, filters, *outputs), x.dtype)
    for o in range(filters):
        group = o // (filters // groups)
        part = o // (filters // batch_groups)
        depth = w.shape[2]
        seen = padded[part * samples : (part + 1) * samples, group * depth : (group + 1) * depth]
        for tap in itertools.product(*map(range, w.shape[3:])):
            read = windows(seen, tap, stride, dilation, outputs)
            total[:, o] = plus(
                total[:, o], product(read, channels_last(w[(slice(None), o, slice(None), *tap)], spatial), 1)
            )
    if bias is not None:
        total = plus(total, channels_last(bias if bias.ndim == 2 else bias[None], spatial))
    return total


def transposed(
    x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1, per_sample=False
):  # fmt: skip
    """Transposed convolution of x (N, C, ...) with w (C, O / groups, ...): each sample adds its multiple of w."""
    spatial = x.ndim - 2
    w = w if per_sample else w[None]
    steps, gaps = per_axis(stride, spatial), per_axis(dilation, spatial)
    extra = per_axis(output_padding, spatial)
    taps, width = w.shape[3:], w.shape[2]
    full = [(n - 1) * s + d * (k - 1) + 1 + e for n, s, d, k, e in zip(x.shape[2:], steps, gaps, taps, extra)]
    total = np.zeros((len(x), width * groups, *full), x.dtype)
    depth = x.shape[1] // groups
    for o in range(width * groups):
        group = o // width
        seen = x[:, group * depth : (group + 1) * depth]
        for tap in itertools.product(*map(range, taps)):
            filters = w[(slice(None), slice(group * depth, (group + 1) * depth), o % width, *tap)]
            cut = [slice(d * k, d * k + s * (n - 1) + 1, s) for d, k, s, n in zip(gaps, tap, steps, x.shape[2:])]
            place = (slice(None), o, *cut)
            total[place] = plus(total[place], product(seen, channels_last(filters, spatial), 1))
    crop = [slice(before, n - after) for n, (before, after) in zip(full, pairs(padding, spatial))]
    total = total[(slice(None), slice(None), *crop)]
    if bias is not None:
        total = plus(total, channels_last(bias if bias.ndim == 2 else bias[None], spatial))
    return total


def weight_gradient(x, y, taps, stride=1, padding=0, dilation=1, groups=1, per_sample=False):
    """For each tap the sum over samples and outputs of what it read times the output's gradient."""
    padded, _ = spread(x, 1, padding)
    depth, filters = x.shape[1] // groups, y.shape[1]
    total = np.zeros((len(x) if per_sample else 1, filters, depth, *taps), x.dtype)
    axes = tuple(range(2, x.ndim))
    for tap in itertools.product(*map(range, taps)):
        read = windows(padded, tap, stride, dilation, y.shape[2:])
        for o, c in itertools.product(range(filters), range(depth)):
            group = o // (filters // groups)
            terms = product(read[:, group * depth + c], y[:, o], tuple(a - 1 for a in axes))  # one for each sample
            if not per_sample:
                terms = terms.any(axis=0) if terms.dtype.kind == "b" else terms.sum(axis=0, dtype=terms.dtype)
            total[(slice(None), o, c, *tap)] = terms
    return total if per_sample else total[0]


def clamp(wide, bounds):
    """Bounds beyond what the dtype can hold are the dtype's own."""
    for bound, function in zip(bounds, (np.maximum, np.minimum)):
        if bound is not None and wide.dtype.kind in "iu":
            bound = min(max(bound, np.iinfo(wide.dtype).min), np.iinfo(wide.dtype).max)
        if bound is not None:
            wide = function(wide, bound if wide.dtype.char == "O" else wide.dtype.type(bound))
    return wide


def widened(dtype, *arrays):
    """Operands as the core takes them: in the result's dtype, and then in the oracle's."""
    wide = wide_dtype(dtype)
    with np.errstate(all="ignore"):
        return [None if a is None else np.asarray(a).astype(dtype).astype(wide) for a in arrays]


def assert_close(actual, dtype, compute, operands, terms, bounds=None, label=""):
    """`actual` is `compute(*operands)` up to the error of so many terms' direct summation; exactly so for integers."""
    dtype = np.dtype(dtype)
    assert actual.dtype == dtype, f"{label}: dtype {actual.dtype}, expected {dtype}"
    operands = widened(dtype, *operands)
    with np.errstate(all="ignore"):
        wide = compute(*operands)
        assert actual.shape == wide.shape, f"{label}: shape {actual.shape}, expected {wide.shape}"
        magnitude = 0.0
        if dtype.kind not in "biuO":
            magnitude = compute(*[None if a is None else np.abs(a) for a in operands])
        wide = wide if bounds is None else clamp(wide, bounds)
        expected = wide.astype(dtype)
        got = np.asarray(actual).astype(wide.dtype)
        wrong = ~((expected == actual) | ((expected != expected) & (np.asarray(actual) != actual)))
        if dtype.kind not in "biuO":
            accumulator = np.float32 if sixteen_bits(dtype) else dtype
            allowed = (terms + 4) * epsilon(accumulator) * magnitude
            allowed = allowed + (0.5001 * epsilon(dtype) * np.abs(wide) if sixteen_bits(dtype) else 0.0)
            wrong &= ~(np.abs(got - wide) <= allowed)
    if np.any(wrong):
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise AssertionError(
            f"{label}: {int(np.sum(wrong))} of {wrong.size} elements wrong, first at {where}: "
            f"{actual[where]!r}, expected {wide[where]!r}"
        )


# ---- Layouts -------------------------------------------------------------------------------------------------------

SPATIAL = {1: "L", 2: "HW", 3: "DHW"}


def lettered(array, letters, order):
    """An array whose axes are `order`, with its axes in the order of `letters`, contiguous in memory."""
    return np.ascontiguousarray(array.transpose([order.index(letter) for letter in letters]))


def in_order(array, letters, order):
    """The inverse: a view with its axes in `order`."""
    return array.transpose([letters.index(letter) for letter in order])
