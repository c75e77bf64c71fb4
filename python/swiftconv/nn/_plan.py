"""Plans: a convolution whose filter is given once, and packed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _arguments, _dtypes, _native, _results
from .._explain import Explanation, explanation
from ._call import (
    Call,
    bias_view,
    core_view,
    in_order,
    planned_arguments,
    prepare,
    run,
    spatial_extents,
    users_shape,
    weight_view,
)
from ._options import METHODS, PADDING_MODES, TRANSPOSED, Recipe, check_activation, plain_recipe
from ._shapes import core_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike

# No axis of an input is longer: what memory can hold, and far from what overflows.
_LONGEST = 2**40


class Parts(NamedTuple):
    """What a plan is made of. The arrays are its own and in C order; nothing changes any more."""

    function: str
    operands: tuple[str, str]  # what its arguments are called
    recipe: Recipe  # with the plan's dtype
    weight: np.ndarray
    bias: np.ndarray | None
    dtype_is_given: bool
    input_shape: tuple[int, ...] | None
    input_dtype: np.dtype
    threads: int


class ConvolutionPlan(_native.ConvolutionPlan):
    """
    A convolution whose filter is given once: `plan_conv2d` and its likes make them.

    Calling it, ``plan(input, out=None)``, is the function's call with the filter and the options that the plan was made
    from, to the same bits; what depends on them alone is done already. A plan is immutable: it has copies of weight and
    bias, which later changes of the caller's arrays do not reach. Any number of threads may call it at once. It can be
    copied and pickled (weight, bias and options are stored; the filter is packed anew), and it works in the child of a
    fork.

    Inputs may have another batch size, other extents, another memory layout than at the last call, or no batch axis;
    where the filter has to be packed in another way for that, the call does it and the plan keeps it. Their dtype has
    to be one that with the weight's makes a result of the plan's dtype or a narrower one; where ``dtype=`` was given,
    any that casts to it by the 'same_kind' rule.

    Attributes
    ----------
    dtype : dtype
        Of sums and of new results.
    weight_shape : tuple of int
        Shape of the weight, in the layout's order.
    input_shape : tuple of int or None
        What it was made for.
    nbytes : int
        Bytes of the packed filters; 0 where the filter is read as it lies.
    workspace_nbytes : int or None
        Bytes of scratch memory that a thread takes for an input of `input_shape`, during a call. None without that:
        ``explain(input).workspace_bytes`` tells.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv import nn
    >>> plan = nn.plan_conv2d(np.ones((8, 3, 3, 3), np.float32), padding=1, input_shape=(1, 3, 32, 32))
    >>> plan(np.ones((1, 3, 32, 32), np.float32)).shape, plan(np.ones((5, 3, 9, 11), np.float32)).shape
    ((1, 8, 32, 32), (5, 8, 9, 11))
    >>> plan
    plan_conv2d(weight (8, 3, 3, 3) float32, padding=((1, 1), (1, 1)), input_shape=(1, 3, 32, 32))
    """

    __slots__ = ()

    def __new__(cls, parts: Parts) -> ConvolutionPlan:
        if not isinstance(parts, Parts):
            raise TypeError("a ConvolutionPlan is made by nn.plan_conv2d and its likes")
        recipe = parts.recipe
        codes = _dtypes.code_of(parts.weight.dtype), _dtypes.code_of(_dtype(parts))
        weight = weight_view(recipe, recipe.layouts.any, parts.operands[1], parts.weight)
        bias = parts.bias
        in_core = None not in codes
        return super().__new__(
            cls,
            parts,
            plain_recipe(recipe.options, recipe.same, recipe.layouts, recipe.dtype) if in_core else None,
            recipe.options if in_core else None,
            _results.buffer(weight, codes[0]),
            codes[0],
            None if bias is None else _results.buffer(bias, codes[1]),
            codes[1],
            parts.threads,
            parts.dtype_is_given,
        )

    def _run_general(self, input: ArrayLike, out: np.ndarray | tuple[np.ndarray] | None = None) -> np.ndarray:
        """Every call that C does not run by itself."""
        return run(self._prepare(input, out), self)

    _run_general.__qualname__ = "ConvolutionPlan.__call__"

    def _prepare(self, input: Any, out: Any) -> Call:
        parts = self._parts
        name = parts.operands[0]
        input = _arguments.array(name, input)
        if not parts.dtype_is_given:
            result = _dtypes.result_type(input.dtype, parts.weight.dtype, parts.operands)
            if result != self.dtype and not np.can_cast(result, self.dtype, "safe"):
                raise TypeError(
                    f"{name} has dtype {input.dtype}, with {parts.operands[1]}'s {parts.weight.dtype} a result of "
                    f"{result}: expected one that the plan's {self.dtype} holds, or dtype= when the plan is made"
                )
        return prepare(parts.recipe, input, parts.weight, parts.bias, out, parts.threads or None, parts.operands)

    def explain(self, input: ArrayLike | None = None, out: np.ndarray | None = None) -> Explanation:
        """
        What a call would do, without doing it: `swiftconv.explain` of a plan.

        Parameters
        ----------
        input : array_like, optional
            The call's input. Default: a C-ordered array of the shape that the plan was made for.
        out : ndarray, optional
            The call's `out`.

        Returns
        -------
        Explanation
            See `swiftconv.explain`.

        Raises
        ------
        ValueError
            Neither `input` nor, when the plan was made, `input_shape` was given.
        Exception
            Whatever the call would raise.
        """
        if input is None:
            if self.input_shape is None:
                raise ValueError("input=None: expected an array, as the plan was made without input_shape")
            input = _unbacked(self.input_shape, self._parts.input_dtype)
        return explanation(f"swiftconv.nn.{self._parts.function}", self._prepare(input, out))

    def output_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """
        Shape of the output for an input of this shape.

        Parameters
        ----------
        input_shape : sequence of int
            With or without the batch axis, in the layout's order.

        Returns
        -------
        tuple of int

        Raises
        ------
        ValueError, TypeError, OverflowError
            As a call with such an input would.
        """
        return _output_shape(self._parts, _shape(input_shape))

    @property
    def dtype(self) -> np.dtype:
        return _dtype(self._parts)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return self._parts.weight.shape

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        return self._parts.input_shape

    @property
    def nbytes(self) -> int:
        return self._packed_bytes()

    @property
    def workspace_nbytes(self) -> int | None:
        return None if self.input_shape is None else self.explain().workspace_bytes

    def __reduce__(self) -> tuple[Any, ...]:
        return made, (self._parts,)

    def __copy__(self) -> ConvolutionPlan:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> ConvolutionPlan:
        return self

    def __repr__(self) -> str:
        parts = self._parts
        weight = parts.weight
        described = [f"weight {weight.shape} {weight.dtype}", *(["bias"] if parts.bias is not None else [])]
        described += [f"{name}={value!r}" for name, value in _told(parts)]
        return f"{parts.function}({', '.join(described)})"


def made(parts: Parts) -> ConvolutionPlan:
    """The plan of these parts; its filter is packed for inputs of the shape they name."""
    plan = ConvolutionPlan(parts)
    if parts.input_shape is not None and 0 not in parts.input_shape:
        _pack(plan, parts.input_shape, parts.input_dtype)
    return plan


def planned(
    function: str,
    operands: tuple[str, str],
    recipe: Recipe,
    weight: ArrayLike,
    bias: ArrayLike | None,
    input_shape: Sequence[int] | None,
    input_dtype: DTypeLike | None,
    threads: int | None,
) -> ConvolutionPlan:
    """A plan from a function's arguments, all of which are checked here."""
    weight = _own(_arguments.array(operands[1], weight))
    threads = _arguments.threads(threads)
    input_dtype = weight.dtype if input_dtype is None else _input_dtype(input_dtype)
    dtype = _results.result_dtype(operands, np.empty(0, input_dtype), weight, recipe.dtype)
    check_activation(recipe.options, dtype)
    dtype_is_given, recipe = recipe.dtype is not None, recipe._replace(dtype=dtype)
    view = weight_view(recipe, recipe.layouts.any, operands[1], weight)
    some_shape = core_shape(recipe, *_some_problem(recipe, view.shape))
    bias = bias_view(bias, dtype, some_shape, recipe.options.per_sample)
    parts = Parts(
        function=function,
        operands=operands,
        recipe=recipe,
        weight=weight,
        bias=None if bias is None else _own(bias),
        dtype_is_given=dtype_is_given,
        input_shape=None if input_shape is None else _shape(input_shape),
        input_dtype=input_dtype,
        threads=threads,
    )
    if parts.input_shape is not None:
        _output_shape(parts, parts.input_shape)
    return made(parts)


def _own(array: np.ndarray) -> np.ndarray:
    """A copy in C order and native byte order."""
    copy = array.astype(array.dtype.newbyteorder("="), order="C", copy=True)
    copy.flags.writeable = False
    return copy


def _dtype(parts: Parts) -> np.dtype:
    assert parts.recipe.dtype is not None
    return parts.recipe.dtype


def _input_dtype(value: Any) -> np.dtype:
    try:
        return _arguments.dtype(value)
    except TypeError as error:
        raise TypeError(f"input_{error}") from None


def _shape(value: Any) -> tuple[int, ...]:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        raise TypeError(f"input_shape={value!r}: expected a sequence of integers")
    shape = tuple([_arguments.integer(f"input_shape[{i}]", n, "an integer") for i, n in enumerate(value)])
    if min(shape, default=0) < 0:
        raise ValueError(f"input_shape={value!r} holds {min(shape)}: expected integers of at least 0")
    return shape


def _some_problem(recipe: Recipe, weight: tuple[int, ...]) -> tuple[Any, ...]:
    """The shapes and options of a call whose input fits the weight, if any does: what it raises is the weight's."""
    options = recipe.options
    samples = weight[0] if options.per_sample else options.batch_groups
    first, second = weight[options.per_sample : options.per_sample + 2]
    channels = max(first, 1) if options.operation == TRANSPOSED else max(second, 1) * options.groups
    taps = weight[options.per_sample + 2 :]
    none = (0,) * len(taps)
    # Longer than any window, and than what padding mirrors or takes away.
    extents = tuple(
        min(max(dilation, 1) * max(count, 1) + abs(low) + abs(high), _LONGEST)
        for dilation, count, low, high in zip(
            options.dilation or (1,) * len(taps), taps, options.padding_low or none, options.padding_high or none
        )
    )
    return (samples, max(channels, 1), *extents), weight, recipe.resolved(extents, taps)


def _output_shape(parts: Parts, shape: tuple[int, ...]) -> tuple[int, ...]:
    recipe = parts.recipe
    layout = recipe.layouts.of(parts.operands[0], len(shape))
    a = in_order(shape if layout.batched else (1, *shape), layout.input)
    b = in_order(parts.weight.shape, layout.weight)
    return users_shape(core_shape(recipe, a, b, recipe.resolved(a[2:], spatial_extents(recipe, b))), layout)


def _unbacked(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array in C order whose elements nobody may look at: there is memory for one of them."""
    if _dtypes.code_of(dtype) is None:
        return np.broadcast_to(np.zeros((), dtype), shape)
    strides, step = [], dtype.itemsize
    for extent in shape[::-1]:
        strides.append(step)
        step *= max(extent, 1)
    return np.lib.stride_tricks.as_strided(np.zeros(1, dtype), shape, strides[::-1])


def _pack(plan: ConvolutionPlan, shape: tuple[int, ...], dtype: np.dtype) -> None:
    call = plan._prepare(_unbacked(shape, dtype), None)
    if not call.through_numpy:
        out = _unbacked(call.shape, call.dtype)
        plan._pack(*planned_arguments(call, core_view(call, out)))


def _told(parts: Parts) -> list[tuple[str, Any]]:
    """The options that are not the defaults."""
    recipe, options = parts.recipe, parts.recipe.options
    layout = recipe.layouts.batched or recipe.layouts.any
    padding = recipe.same or _pairs(options.padding_low, options.padding_high)
    told = {
        "stride": (options.stride, None),
        "padding": (padding, None),
        "output_padding": (options.output_padding, None),
        "dilation": (options.dilation, None),
        "lhs_dilation": (options.input_dilation, None),
        "groups": (options.groups, 1),
        "batch_group_count": (options.batch_groups, 1),
        "layout": (None if layout.in_memory_order_of_input else "{},{}->{}".format(*layout.letters), None),
        "padding_mode": (_name(PADDING_MODES, options.boundary), "zeros"),
        "dtype": (str(recipe.dtype) if parts.dtype_is_given or recipe.dtype != parts.weight.dtype else None, None),
        "activation": ((options.lowest, options.highest) if options.activation else None, None),
        "method": (_name(METHODS, options.method), "auto"),
        "threads": (parts.threads, 0),
        "per_sample": (options.per_sample, False),
        "input_shape": (parts.input_shape, None),
    }
    return [(name, value) for name, (value, default) in told.items() if value != default]


def _pairs(low: tuple[int, ...] | None, high: tuple[int, ...] | None) -> tuple[tuple[int, int], ...] | None:
    none = (0,) * len(low or high or ())
    return tuple(zip(low or none, high or none)) or None


def _name(codes: dict[str, int], code: int) -> str:
    return next(name for name, value in codes.items() if value == code)
