"""The transpose of a convolution, by the library's own convolutions.

An operator is windows over padded samples, A = K P. So A^T = P^T K^T: K^T is a convolution again, which gives the
places outside too, and P^T adds those to the samples that the boundary had put there. Where P is nothing but zeros,
or wraps a torus onto itself, K^T can give the samples alone.
"""

from __future__ import annotations

from functools import partial
from typing import Callable

import numpy as np

from .. import _results
from .._sliding import convolve
from ._folding import fold_of, folded
from ._geometry import FILL, FULL, SAME, VALID, WRAP, Axis
from ._layer import Layer

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
    flipped = partial(convolve, v=taps, axes=tuple(range(-len(axes), 0)), threads=threads)
    dilation = tuple([axis.dilation for axis in axes])
    if boundary == FILL or (boundary == WRAP and mode == SAME):
        origin = tuple([axis.reach % 2 for axis in axes]) if mode == SAME else None
        return partial(
            flipped,
            mode=_TRANSPOSED_MODE[mode],
            boundary="wrap" if boundary == WRAP else "fill",
            origin=origin,
            dilation=dilation,
        )
    folds = tuple([fold_of(axis, boundary) for axis in axes])

    def run(y: np.ndarray) -> np.ndarray:
        result, wide = _dtypes_to_fold(y, taps)
        places = flipped(y, mode="full", dilation=dilation, dtype=wide)
        return folded(places, folds).astype(result, copy=False)

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


def _dtypes_to_fold(y: np.ndarray, taps: np.ndarray) -> tuple[np.dtype, np.dtype]:
    """The dtype of the result, and that in which to add before rounding: 16-bit floats are rounded once."""
    result = _results.result_dtype(("x", "kernel"), y, taps, None)
    narrow = result.itemsize == 2 and (result.kind == "f" or result.name == "bfloat16")
    return result, np.dtype(np.float32) if narrow else result
