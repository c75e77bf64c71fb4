"""Gradients of convolutions as calls of the core. Each is another operation on the same pairs of samples and taps.

The function whose gradient is wanted says which shapes agree: it validates them before anything else.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _arguments, _dtypes, _native, _results
from ._call import Call, in_order, to_core, users_shape, weight_view
from ._layout import Layout
from ._options import FORWARD, NAMES, TRANSPOSED, TRANSPOSED_NAMES, WEIGHT, Options, Recipe, names

_INPUT_SIZE_NAMES = names(input="input_size")
_WEIGHT_SIZE_NAMES = names(weight="weight_size")
# Of a transposed convolution the core has the gradients as a forward one of its output's gradient.
_ROLES = {"output channels": "input channels", "input channels": "output channels"}
_TRANSPOSED_INPUT_SIZE_NAMES = names(grad_output="input_size", **_ROLES)
_TRANSPOSED_WEIGHT_SIZE_NAMES = names(grad_output="input", weight="weight_size", **_ROLES)


def input_gradient(recipe: Recipe, input_size: Any, weight: Any, grad_output: Any, out: Any, threads: Any) -> Call:
    """The gradient with respect to the input of a forward or transposed convolution."""
    weight = _arguments.array("weight", weight)
    gradient = _arguments.array("grad_output", grad_output)
    size = _size("input_size", input_size)
    layout = recipe.layouts.of("input_size", len(size))
    y = _gradient_view(recipe, layout, gradient)
    w = weight_view(recipe, layout, "weight", weight)
    core_size = in_order(size if layout.batched else (1, *size), layout.input)
    transposed = recipe.options.operation == TRANSPOSED
    options = recipe.resolved(core_size[2:], _taps(recipe, w.shape))
    checked = options._replace(names=_TRANSPOSED_INPUT_SIZE_NAMES if transposed else _INPUT_SIZE_NAMES)
    _check_gradient(gradient, users_shape(_native.conv_shape(core_size, w.shape, checked), layout))
    return _call(
        _run_options(options, FORWARD if transposed else TRANSPOSED),
        ("grad_output", "weight"),
        (gradient, weight),
        (y, w),
        out,
        gradient if layout.in_memory_order_of_input else None,
        size,
        layout.input,
        layout.batched,
        recipe.dtype,
        threads,
    )


def weight_gradient(recipe: Recipe, input: Any, weight_size: Any, grad_output: Any, out: Any, threads: Any) -> Call:
    """The gradient with respect to the weight of a forward or transposed convolution."""
    input = _arguments.array("input", input)
    gradient = _arguments.array("grad_output", grad_output)
    size = _size("weight_size", weight_size)
    layout = recipe.layouts.of("input", input.ndim)
    letters = layout.letters[1]
    if len(size) != len(letters):
        raise ValueError(f"weight_size={size} has {len(size)} extents: expected {len(letters)} ({letters})")
    x = to_core(input, layout.input, layout.batched)
    y = _gradient_view(recipe, layout, gradient)
    core_size = in_order(size, layout.weight)
    transposed = recipe.options.operation == TRANSPOSED
    options = recipe.resolved(x.shape[2:], _taps(recipe, core_size))
    checked = options._replace(names=_TRANSPOSED_WEIGHT_SIZE_NAMES if transposed else _WEIGHT_SIZE_NAMES)
    _check_gradient(gradient, users_shape(_native.conv_shape(x.shape, core_size, checked), layout))
    operands = ("grad_output", "input") if transposed else ("input", "grad_output")
    return _call(
        _run_options(options, WEIGHT),
        operands,
        (gradient, input) if transposed else (input, gradient),
        (y, x) if transposed else (x, y),
        out,
        None,
        size,
        layout.weight,
        True,
        recipe.dtype,
        threads,
    )


def _run_options(options: Options, operation: int) -> Options:
    """Of a transposed convolution, what `output_padding` added to the end has no window of its own: it is cropped."""
    if options.operation == TRANSPOSED and options.output_padding is not None:
        high = options.padding_high or (0,) * options.spatial_ndim
        cropped = tuple(map(operator.sub, high, options.output_padding))
        options = options._replace(padding_high=cropped)
    swapped = TRANSPOSED_NAMES if options.operation == TRANSPOSED else NAMES
    return options._replace(names=swapped, operation=operation, output_padding=None)


def _call(
    options: Options,
    operands: tuple[str, str],
    arrays: tuple[np.ndarray, np.ndarray],
    views: tuple[np.ndarray, np.ndarray],
    out: Any,
    like: np.ndarray | None,
    shape: tuple[int, ...],
    axes: tuple[int, ...] | None,
    batched: bool,
    dtype: np.dtype | None,
    threads: Any,
) -> Call:
    out = _arguments.output(out)
    threads = _arguments.threads(threads)
    result = _results.result_dtype(operands, *arrays, dtype)
    _results.check_output(out, shape, result)
    a, b = views
    return Call(
        options=options,
        operands=operands,
        a=a,
        b=b,
        bias=None,
        out=out,
        like=like,
        shape=shape,
        to_core=axes,
        batched=batched,
        dtype=result,
        codes=(_dtypes.code_of(a.dtype), _dtypes.code_of(b.dtype), _dtypes.code_of(result)),
        threads=threads,
    )


def _size(name: str, value: Any) -> tuple[int, ...]:
    if isinstance(value, (str, bytes, dict, set)) or not isinstance(value, (Sequence, np.ndarray)):
        raise TypeError(f"{name}={value!r}: expected a shape, a sequence of integers")
    size = tuple([_arguments.integer(f"{name}[{place}]", extent, "an integer") for place, extent in enumerate(value)])
    if min(size, default=0) < 0:
        raise ValueError(f"{name}={value!r} holds {min(size)}: expected extents of at least 0")
    return size


def _taps(recipe: Recipe, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[len(shape) - recipe.options.spatial_ndim :]


def _gradient_view(recipe: Recipe, layout: Layout, gradient: np.ndarray) -> np.ndarray:
    letters = layout.letters[2] if layout.batched else layout.letters[2][1:]
    if gradient.ndim != len(letters):
        raise ValueError(f"grad_output.ndim={gradient.ndim}: expected {len(letters)} ({letters}), as many as the input")
    return to_core(gradient, layout.output, layout.batched)


def _check_gradient(gradient: np.ndarray, shape: tuple[int, ...]) -> None:
    if gradient.shape != shape:
        raise ValueError(f"grad_output has shape {gradient.shape}: expected the output's, {shape}")
