"""Convolutions for the dtypes that the core lacks (object, longdouble, clongdouble): right, and as slow as NumPy is.

The definition, tap by tap: a tap pairs every output along an axis with the input sample that it reads, or with none.
Forward, transposed and weight gradient are three products over the same pairs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .._through_numpy import inside_by
from ._options import FORWARD, TRANSPOSED, Options

_FILL = 0


def convolve(
    options: Options, a: np.ndarray, b: np.ndarray, bias: np.ndarray | None, out: np.ndarray, dtype: np.dtype
) -> None:
    """Write the result, computed in `dtype`, to `out`; all in the core's order of axes."""
    spatial = options.spatial_ndim
    total = np.zeros(out.shape, dtype)
    a, b = a.astype(dtype), b.astype(dtype)
    input, weight, output = {FORWARD: (a, b, total), TRANSPOSED: (total, b, a)}.get(options.operation, (a, total, b))
    if not options.per_sample:
        weight = weight[None]
    taps = weight.shape[3:]
    for tap in itertools.product(*map(range, taps)):
        pairs = [_pairs(options, i, tap[i], input.shape[2 + i], output.shape[2 + i]) for i in range(spatial)]
        outputs, inputs = _selection(p[0] for p in pairs), _selection(p[1] for p in pairs)
        if all(len(p[0]) for p in pairs):
            _add(options, input, inputs, weight, tap, output, outputs)
    if bias is not None:
        total += (bias if options.per_sample else bias[None]).reshape((-1, total.shape[1]) + (1,) * spatial)
    if options.activation:
        total = _clamped(total, options)
    out[...] = total


def _selection(indices: Iterable[np.ndarray]) -> tuple[Any, ...]:
    """What selects those positions along the spatial axes of an array in the core's order."""
    return (slice(None), slice(None), *np.ix_(*indices))


def _add(
    options: Options,
    input: np.ndarray,
    inputs: tuple[Any, ...],
    weight: np.ndarray,
    tap: tuple[int, ...],
    output: np.ndarray,
    outputs: tuple[Any, ...],
) -> None:
    """One tap's products: matrices, one for each sample and group, or for each sample and jax's batch group."""
    parts = options.batch_groups * options.groups
    samples, rows, depth = len(output), output.shape[1] // parts, weight.shape[2]
    filters = weight[(slice(None), slice(None), slice(None), *tap)].reshape(len(weight), parts, rows, depth)
    x, y = input[inputs], output[outputs]
    positions = x.shape[2:]
    count = math.prod(positions)
    x = x.reshape(options.batch_groups, samples, options.groups, depth, count).swapaxes(0, 1)
    x = x.reshape(samples, parts, depth, count)
    if options.operation == FORWARD:
        output[outputs] += np.matmul(filters, x).reshape(y.shape)
        return
    y = y.reshape(samples, parts, rows, count)
    if options.operation == TRANSPOSED:
        input[inputs] += np.matmul(filters.swapaxes(2, 3), y).reshape(input.shape[:2] + positions)
    else:
        products = np.matmul(y, x.swapaxes(2, 3))
        products = products if options.per_sample else products.sum(axis=0, keepdims=True)
        weight[(slice(None), slice(None), slice(None), *tap)] = products.reshape(weight.shape[:3])


def _pairs(options: Options, axis: int, tap: int, extent: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """The outputs along a spatial axis that the tap gives a term, and the input sample of each."""
    stride = 1 if options.stride is None else options.stride[axis]
    dilation = 1 if options.dilation is None else options.dilation[axis]
    spacing = 1 if options.input_dilation is None else options.input_dilation[axis]
    padding = 0 if options.padding_low is None else options.padding_low[axis]
    places = np.arange(outputs)
    positions = stride * places + dilation * tap - padding
    if options.boundary != _FILL:
        return places, inside_by(options.boundary, positions, extent)
    samples = positions // spacing
    held = (positions % spacing == 0) & (samples >= 0) & (samples < extent)
    return places[held], samples[held]


def _clamped(total: np.ndarray, options: Options) -> np.ndarray:
    scalar = float if total.dtype.char == "O" else total.dtype.type
    if options.lowest > -math.inf:
        total = np.maximum(total, scalar(options.lowest))
    if options.highest < math.inf:
        total = np.minimum(total, scalar(options.highest))
    return total
