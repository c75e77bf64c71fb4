"""Shapes of results; the core says what is wrong with operands that have none."""

from __future__ import annotations

from .. import _native
from ._options import Options, Recipe


def core_shape(recipe: Recipe, input: tuple[int, ...], weight: tuple[int, ...], options: Options) -> tuple[int, ...]:
    """The output's shape for shapes of the operands, all in the core's order of axes."""
    if recipe.may_have_no_window and 0 not in weight:
        counts = tuple(
            [_outputs(options, axis, input[2 + axis], weight[2 + axis]) for axis in range(options.spatial_ndim)]
        )
        if not all(counts):
            return _checked_without_windows(input, weight, options) + counts
    return _native.conv_shape(input, weight, options)


def _checked_without_windows(input: tuple[int, ...], weight: tuple[int, ...], options: Options) -> tuple[int, ...]:
    """Batch and channels of a result that is empty: the rest of the call is checked all the same."""
    single = (1,) * options.spatial_ndim
    unpadded = options._replace(padding_low=None, padding_high=None)
    return _native.conv_shape(input[:2] + single, weight[:2] + single, unpadded)[:2]


def _outputs(options: Options, axis: int, extent: int, taps: int) -> int:
    stride, low, high, spacing, dilation = (
        default if values is None else values[axis]
        for values, default in (
            (options.stride, 1),
            (options.padding_low, 0),
            (options.padding_high, 0),
            (options.input_dilation, 1),
            (options.dilation, 1),
        )
    )
    dilated = (extent - 1) * spacing + 1 if extent else 0
    padded = dilated + low + high
    if padded < 0:
        raise ValueError(f"padding[{axis}]={(low, high)} crops more than lhs's {dilated} along spatial axis {axis}")
    return max((padded - dilation * (taps - 1) - 1) // stride + 1, 0)
