"""The transpose of a convolution, by the library's own convolutions.

An operator is windows over padded samples, A = K P. So A^T = P^T K^T: K^T is a convolution again, which gives the
places outside too, and P^T adds those to the samples that the boundary had put there. Where P is nothing but zeros,
or wraps a torus onto itself, K^T can give the samples alone. For other boundaries the samples are computed so as well,
and then the few places outside, from the outputs near the border: all places at once, which do not lie as the samples
do, take twice the time (512 x 512, 7 x 7).
"""

from __future__ import annotations

from functools import partial
from typing import Callable

import numpy as np

from .. import _results
from .._sliding import convolve
from ._folding import add_runs, fold_of, folded, strips_of
from ._geometry import FILL, FULL, SAME, VALID, WRAP
from ._layer import Layer
from ._windows import Axis

# The outputs of the transpose lie on the samples; those of a 'full' convolution's are inside of its outputs.
_TRANSPOSED_MODE = {VALID: "full", SAME: "same", FULL: "valid"}

Run = Callable[[np.ndarray], np.ndarray]


def transposed_sliding(
    taps: np.ndarray, axes: tuple[Axis, ...], mode: int, boundary: int, swapped: bool, threads: int | None
) -> Run:
    """y, outputs behind any batch, to ``A.T @ y``. `taps` are the matrix's entries, in the order of the samples."""
    if swapped or any(axis.stride > 1 for axis in axes):
        return _strided(taps, axes, boundary, threads)
    # Naming the axes keeps the longer one of two one-dimensional operands from being the one to slide over.
    flipped = partial(
        convolve,
        v=taps,
        axes=tuple(range(-len(axes), 0)),
        dilation=tuple([axis.dilation for axis in axes]),
        threads=threads,
    )
    wraps = boundary == WRAP and mode == SAME
    origin = tuple([axis.reach % 2 for axis in axes]) if mode == SAME else None
    samples = partial(flipped, mode=_TRANSPOSED_MODE[mode], boundary="wrap" if wraps else "fill", origin=origin)
    if wraps or boundary == FILL:
        return samples
    folds = tuple([fold_of(axis, boundary) for axis in axes])
    strips = [(place, strip) for place, axis in enumerate(axes) for strip in strips_of(axis, boundary)]

    def run(y: np.ndarray) -> np.ndarray:
        result, wide = _dtypes_to_fold(y, taps)
        x = samples(y, dtype=wide)
        batch = y.ndim - len(folds)
        for place, strip in strips:
            axis = batch + place
            reaching = y[(*(slice(None),) * axis, strip.outputs)]
            places = flipped(reaching, mode="full", dtype=wide)
            # Corners are outside along two axes: each is in the strips of the first one.
            cut = (
                ...,
                *[fold.inside for fold in folds[:place]],
                strip.places,
                *(slice(None),) * len(folds[place + 1 :]),
            )
            add_runs(x, folded(places[cut], folds[place + 1 :]), strip.runs, axis)
        return x.astype(result, copy=False)

    return run


def transposed_layer(weight: np.ndarray, layer: Layer) -> Run:
    """y of shape (N, K, ...) to ``A.T @ y``; of a layer without boundary and channels also what slides in steps."""
    if layer.boundary == FILL:
        return partial(layer.transposed, weight=weight)
    folds = tuple([fold_of(axis, layer.boundary) for axis in layer.axes])

    def run(y: np.ndarray) -> np.ndarray:
        result, wide = _dtypes_to_fold(y, weight)
        return folded(layer.transposed(y, weight, wide), folds).astype(result, copy=False)

    return run


def _strided(taps: np.ndarray, axes: tuple[Axis, ...], boundary: int, threads: int | None) -> Run:
    layer = Layer(axes, 1, boundary, threads or 0)
    transpose = transposed_layer(taps[None, None], layer)

    def run(y: np.ndarray) -> np.ndarray:
        channels = y[(..., None, *(slice(None),) * len(axes))]
        return transpose(channels if y.ndim > len(axes) else channels[None])

    return run


def _dtypes_to_fold(y: np.ndarray, taps: np.ndarray) -> tuple[np.dtype, np.dtype | None]:
    """The dtype of the result, and one to add in before rounding: 16-bit floats are rounded once."""
    result = _results.result_dtype(("x", "kernel"), y, taps, None)
    narrow = result.itemsize == 2 and (result.kind == "f" or result.name == "bfloat16")
    return result, np.dtype(np.float32) if narrow else None
