"""A convolution with channels, from normalised options and arrays to its run.

`forward`, `transposed` and the gradients' functions validate everything, before any work; `run` allocates and computes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import _arguments, _dtypes, _native, _results
from . import _through_numpy
from ._layout import Axes, Layout
from ._options import WEIGHT, Options, Recipe, check_activation
from ._shapes import core_shape


class Call(NamedTuple):
    """Validated. `a`, `b` and `bias` are the core's operands: views in its order of axes.

    `shape` and `out` are the user's; `to_core` is the order of their axes in the core's.
    """

    options: Options
    operands: tuple[str, str]
    a: np.ndarray
    b: np.ndarray
    bias: np.ndarray | None
    out: np.ndarray | None
    like: np.ndarray | None  # in whose memory order a new result lies; in C order without it
    shape: tuple[int, ...]
    to_core: Axes
    batched: bool  # False: the core's result has an axis in front that the user's lacks
    dtype: np.dtype
    codes: tuple[int | None, int | None, int | None]
    threads: int

    @property
    def through_numpy(self) -> bool:
        """Whether a dtype is involved that the core does not have."""
        return None in self.codes

    def copies(self) -> str:
        """Why the result would be computed into a temporary array first; empty if it would not."""
        if self.out is None:
            return ""
        operands = ((self.operands[0], self.a), (self.operands[1], self.b), ("bias", self.bias))
        return _results.why_temporary(self.out, self.dtype, self.through_numpy, operands)

    def explain(self) -> dict[str, Any]:
        out = self.out
        if out is not None and (self.copies() or _dtypes.code_of(out.dtype) is None):
            out = None
        if out is None and self.options.operation == WEIGHT:  # nothing else tells the weight's shape
            out = _results.new_result(self.like, self.shape, self.dtype)
        return _native.conv_explain(*_core_arguments(self, None if out is None else core_view(self, out)))


def convolved(
    recipe: Recipe,
    input: Any,
    weight: Any,
    bias: Any,
    out: Any,
    threads: Any,
    operands: tuple[str, str] = ("input", "weight"),
) -> np.ndarray:
    """The convolution of a recipe: by C alone for plain arrays, since the general path takes several times as long."""
    if recipe.plain is not None:
        result = _native.conv_plain(recipe.plain, input, weight, bias, out, threads)
        if result is not NotImplemented:
            return result
    return run(prepare(recipe, input, weight, bias, out, threads, operands))


def run(call: Call, plan: _native.ConvolutionPlan | None = None) -> np.ndarray:
    """Compute the call; with the filter as a plan has it, where that is given."""
    out = call.out
    if out is None:
        target = _results.new_result(call.like, call.shape, call.dtype)
    elif call.copies():
        target = _results.new_result(call.like, call.shape, _results.temporary_dtype(out, call.dtype))
    else:
        target = out
    if target.size:
        view = core_view(call, np.asarray(target))
        if None in call.codes:
            _through_numpy.convolve(call.options, call.a, call.b, call.bias, view, call.dtype)
        elif plan is not None:
            plan._run(*planned_arguments(call, view))
        else:
            _native.conv(*_core_arguments(call, view))
    if out is None or target is out:
        return target
    np.copyto(out, target, casting="unsafe")  # check_output has applied the rule
    return out


def core_view(call: Call, result: np.ndarray) -> np.ndarray:
    return to_core(result, call.to_core, call.batched)


def to_core(array: np.ndarray, axes: Axes, batched: bool) -> np.ndarray:
    if not batched:
        array = array[None]
    return array if axes is None else array.transpose(axes)


def in_order(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    return shape if axes is None else tuple([shape[axis] for axis in axes])


def users_shape(shape: tuple[int, ...], layout: Layout) -> tuple[int, ...]:
    """A shape of the core's output as the user's array has it."""
    shape = in_order(shape, layout.result)
    return shape if layout.batched else shape[1:]


def _core_arguments(call: Call, out: np.ndarray | None) -> tuple[Any, ...]:
    """The arguments of `_native.conv` and `_native.conv_explain`."""
    a, b, bias = call.a, call.b, call.bias
    a_code, b_code, code = call.codes
    out_dtype, out_code = (call.dtype, code) if out is None else (out.dtype, _dtypes.code_of(out.dtype))
    return (
        _results.buffer(a, a_code),
        _results.buffer(b, b_code),
        None if bias is None else _results.buffer(bias, code),
        None if out is None else _results.buffer(out, out_code),
        a_code,
        b_code,
        code,
        out_code,
        code,
        (not a.dtype.isnative) + 2 * (not b.dtype.isnative) + 8 * (not out_dtype.isnative),
        call.threads,
        call.options,
    )


def planned_arguments(call: Call, out: np.ndarray) -> tuple[Any, ...]:
    """The arguments of a plan's `_run` and `_pack`."""
    a, a_code, out_code = call.a, call.codes[0], _dtypes.code_of(out.dtype)
    byteswapped = (not a.dtype.isnative) + 2 * (not out.dtype.isnative)
    return _results.buffer(a, a_code), a_code, _results.buffer(out, out_code), out_code, byteswapped, call.options


def prepare(
    recipe: Recipe,
    input: Any,
    weight: Any,
    bias: Any,
    out: Any,
    threads: Any,
    operands: tuple[str, str] = ("input", "weight"),
) -> Call:
    """A forward or transposed convolution of the user's `input` and `weight`."""
    input = _arguments.array(operands[0], input)
    weight = _arguments.array(operands[1], weight)
    out = _arguments.output(out)
    threads = _arguments.threads(threads)
    dtype = _results.result_dtype(operands, input, weight, recipe.dtype)
    check_activation(recipe.options, dtype)
    layout = recipe.layouts.of(operands[0], input.ndim)
    a = to_core(input, layout.input, layout.batched)
    b = weight_view(recipe, layout, operands[1], weight)
    options = recipe.resolved(a.shape[2:], spatial_extents(recipe, b.shape))
    found = core_shape(recipe, a.shape, b.shape, options)
    bias = bias_view(bias, dtype, found, options.per_sample)
    shape = users_shape(found, layout)
    _results.check_output(out, shape, dtype)
    return Call(
        options=options,
        operands=operands,
        a=a,
        b=b,
        bias=bias,
        out=out,
        like=input if layout.in_memory_order_of_input else None,
        shape=shape,
        to_core=layout.output,
        batched=layout.batched,
        dtype=dtype,
        codes=(_dtypes.code_of(a.dtype), _dtypes.code_of(b.dtype), _dtypes.code_of(dtype)),
        threads=threads,
    )


def spatial_extents(recipe: Recipe, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[len(shape) - recipe.options.spatial_ndim :]


def weight_view(recipe: Recipe, layout: Layout, name: str, weight: np.ndarray) -> np.ndarray:
    letters = layout.letters[1]
    if weight.ndim != len(letters):
        raise ValueError(f"{name}.ndim={weight.ndim}: expected {len(letters)} ({letters})")
    return weight if layout.weight is None else weight.transpose(layout.weight)


def bias_view(bias: Any, dtype: np.dtype, core_shape: tuple[int, ...], per_sample: bool) -> np.ndarray | None:
    """The bias in the result's dtype, which small an array it is to convert; with `per_sample` one for each sample."""
    if bias is None:
        return None
    bias = _arguments.array("bias", bias)
    channels = core_shape[1:2]
    if bias.shape != channels and not (per_sample and bias.shape == core_shape[:2]):
        expected = f"{channels} or {core_shape[:2]}" if per_sample else f"{channels}, an entry for each output channel"
        raise ValueError(f"bias has shape {bias.shape}: expected {expected}")
    if bias.dtype is not dtype:
        if not _dtypes.can_cast(bias.dtype, dtype):
            raise TypeError(f"bias has dtype {bias.dtype}: no 'same_kind' cast leads there to the result's {dtype}")
        bias = bias.astype(dtype)
    return np.broadcast_to(bias, core_shape[:2]) if per_sample else bias
