"""einsum_vjp: what einsum's result passes back to an operand, as other contractions.

The gradient of an operand is the contraction of the cotangent with all other operands, its result indexed as the
operand is. Where indices meet on one of its axes, ``z = s*y + d*i + o``, the longer one is eliminated: for the
elements ``z = |s|*q + r`` of each residue r, ``y`` is a sum of ``q`` and of ``i``, of which every
``|s| / gcd(s, d)``-th counts; reading beyond the ends of what has ``y`` gives zeros. So a strided convolution's
gradient is one contraction for each residue, into a strided view, and no array is filled up with zeros.
"""

from __future__ import annotations

import itertools
import operator
from collections import Counter
from collections.abc import Iterator, Sequence
from math import gcd
from typing import Any, NamedTuple

import numpy as np

from .. import _arguments, _through_numpy
from . import _call, _factors, _subscripts
from ._call import Call
from ._extents import Window, indices_of
from ._factors import FILL
from ._subscripts import Affine, Axis


class _Sum(NamedTuple):
    """What an old index is in new ones: `offset` + the sum of step * index; new indices have the old ones' numbers."""

    terms: dict[int, int]
    offset: int = 0


class _Residue(NamedTuple):
    """Elements `first`, `first` + `step`, ... of an axis, and what reaches them."""

    first: int
    step: int
    count: int
    index: int  # that walks them
    sums: dict[int, _Sum]
    extents: dict[int, int]  # of the new indices


def einsum_vjp(
    subscripts: str,
    operands: Sequence[Any],
    cotangent: Any,
    wrt: int | Sequence[int] = 0,
    *,
    padding: Any = None,
    boundary: str = "fill",
    threads: int | None = None,
) -> np.ndarray | tuple[np.ndarray, ...]:
    """
    Vector-Jacobian product of `einsum`: the gradient of ``sum(einsum(subscripts, *operands) * cotangent)``.

    Parameters
    ----------
    subscripts : str
        As for `einsum`, axes on which indices meet included: their gradient is a transposed convolution.
    operands : sequence of array_like
        The operands of `einsum`.
    cotangent : array_like
        The gradient with respect to einsum's result: of its shape.
    wrt : int or sequence of int, optional
        Which operands to differentiate with respect to.
    padding : dict or {'valid', 'same'}, optional
        As for `einsum`.
    boundary : {'fill', 'wrap', 'symmetric', 'reflect', 'edge'}, optional
        As for `einsum`.
    threads : int, optional
        As for `einsum`.

    Returns
    -------
    ndarray or tuple of ndarray
        Of the operand's shape, and of dtype ``np.result_type(*operands, cotangent)``; a tuple for a sequence `wrt`.

    Raises
    ------
    ValueError
        As `einsum`; a cotangent of another shape; an operand that is not there.
    TypeError
        As `einsum`; `wrt` is no integer.
    MemoryError
        The gradient or a workspace cannot be had.

    See Also
    --------
    einsum : The function itself.

    Notes
    -----
    The map is transposed, nothing is conjugated. Off the diagonals of an operand the gradient is zero, and where an
    axis was broadcast it is summed. Axes on which more than two indices meet, or an index that is on another axis of
    the same operand too, take one contraction for each value of what stands in the way.

    Examples
    --------
    >>> import numpy as np
    >>> import swiftconv
    >>> signal, taps = np.ones(6), np.array([1.0, 2.0, 3.0])
    >>> swiftconv.einsum_vjp('(2*y+i), i -> y', [signal, taps], np.array([1.0, 10.0]))
    array([ 1.,  2., 13., 20., 30.,  0.])
    >>> swiftconv.einsum_vjp('ij,j->i', [np.eye(2), [3.0, 4.0]], [1.0, 10.0], wrt=(0, 1))[1]
    array([ 1., 10.])
    """
    if not isinstance(subscripts, str):
        raise TypeError(f"subscripts={subscripts!r}: expected a string")
    if isinstance(operands, (str, bytes, dict, set, np.ndarray)) or not hasattr(operands, "__len__"):
        raise TypeError(f"operands has type {type(operands).__name__}: expected a list or tuple of arrays")
    text, given = _subscripts.split((subscripts, *operands))
    call = _call.prepare(text, given, None, None, "K", "safe", False, padding, boundary, threads, "auto")
    arrived = _arguments.array("cotangent", cotangent)
    if arrived.shape != call.shape:
        raise ValueError(f"cotangent has shape {arrived.shape}: expected {call.shape}, that of the result")
    places, is_one = _places(wrt, len(call.arrays))
    dtype = _common_dtype([*call.arrays, arrived])
    gradients = [_gradient(call, place, arrived, dtype) for place in places]
    return gradients[0] if is_one else tuple(gradients)


def _places(wrt: Any, count: int) -> tuple[list[int], bool]:
    try:
        given, is_one = [operator.index(wrt)], True
    except TypeError:
        given, is_one = list(_arguments.per_axis("wrt", wrt, None)), False
    for place in given:
        if not -count <= place < count:
            raise ValueError(f"wrt={wrt!r} holds {place}: got {count} operands")
    return [place % count for place in given], is_one


def _common_dtype(arrays: Sequence[np.ndarray]) -> np.dtype:
    try:
        return np.result_type(*[array.dtype for array in arrays]).newbyteorder("=")
    except TypeError as error:
        raise TypeError("the operands and the cotangent have no common dtype") from error


def _gradient(call: Call, place: int, cotangent: np.ndarray, dtype: np.dtype) -> np.ndarray:
    axes, windows = _placed_axes(call, place)
    whole = call.arrays[place].shape
    shape = list(whole)
    for number in _alone(call, place, axes):
        # The gradient is the same all along it.
        axes[number], shape[number] = Affine((), 0), 1
    if call.boundary != FILL:
        # What was read beyond the ends has its own elements here, which are added where they were read from.
        for window in windows:
            shape[window.axis] += window.before + window.after
            affine = axes[window.axis]
            axes[window.axis] = Affine(affine.terms, affine.offset + window.before)  # type: ignore[union-attr]
    total = np.zeros(shape, _factors.accumulated_in(dtype))
    for fixed in _fixed_values(call, axes):
        for part in itertools.product(*_residues(call, axes, shape, fixed)):
            _add(call, place, cotangent, total, axes, fixed, list(part))
    if call.boundary != FILL:
        for window in windows:
            total = _folded(total, window, whole[window.axis], call.boundary)
    if total.shape != whole:
        return np.broadcast_to(total, whole).astype(dtype, order="C")
    return total.astype(dtype, copy=False)


def _alone(call: Call, place: int, axes: Sequence[Axis]) -> list[int]:
    """The plain axes whose index is nowhere else."""
    sets = call.extents.sets
    elsewhere = frozenset(range(call.subscripts.output_count)).union(*sets[:place], *sets[place + 1 :])
    met = Counter(index for axis in axes for index in indices_of(axis))
    return [
        number
        for number, axis in enumerate(axes)
        if not isinstance(axis, Affine) and axis not in elsewhere and met[axis] == 1
    ]


def _placed_axes(call: Call, place: int) -> tuple[list[Axis], tuple[Window, ...]]:
    """An operand's axes with the coordinates that padding moves, and without indices that it is broadcast along."""
    windows = call.extents.windows[place]
    axes: list[Axis] = list(call.subscripts.operands[place])
    for window in windows:
        axes[window.axis] = Affine(window.terms, window.start)
    kept = call.extents.sets[place]
    return [axis if isinstance(axis, Affine) or axis in kept else Affine((), 0) for axis in axes], windows


def _fixed_values(call: Call, axes: Sequence[Axis]) -> Iterator[dict[int, int]]:
    """Values of the indices without which at most two meet on each axis, and neither is on another one."""
    met = Counter(index for axis in axes for index in indices_of(axis))
    fixed: set[int] = set()
    for axis in axes:
        if isinstance(axis, Affine):
            indices = [index for index, _ in axis.terms]
            fixed.update(index for index in indices if met[index] > 1)
            free = sorted(set(indices) - fixed, key=lambda index: call.extents.extents[index])
            fixed.update(free[:-2])
    order = sorted(fixed)
    for values in itertools.product(*[range(call.extents.extents[index]) for index in order]):
        yield dict(zip(order, values))


# ---- One axis ------------------------------------------------------------------------------------------------------


def _residues(
    call: Call, axes: Sequence[Axis], shape: Sequence[int], fixed: dict[int, int]
) -> Iterator[list[_Residue]]:
    """For each axis on which indices meet, the parts that are computed one by one."""
    for axis, extent in zip(axes, shape):
        if isinstance(axis, Affine) and axis.terms:
            offset = axis.offset + sum(step * fixed[index] for index, step in axis.terms if index in fixed)
            terms = [(index, step) for index, step in axis.terms if index not in fixed]
            yield list(_axis_residues(terms, offset, extent, call.extents.extents))


def _axis_residues(
    terms: list[tuple[int, int]], offset: int, extent: int, extents: Sequence[int]
) -> Iterator[_Residue]:
    if not terms:
        if 0 <= offset < extent:
            yield _Residue(offset, 1, 1, -1, {}, {})
        return
    terms = sorted(terms, key=lambda term: extents[term[0]])
    (y, s), others = terms[-1], terms[:-1]
    size = abs(s)
    for r in range(min(size, extent)):
        count = -(-(extent - r) // size)
        if not others:
            if (r - offset) % size == 0:
                yield _Residue(r, size, count, y, {y: _Sum({y: s // size}, (r - offset) // s)}, {y: count})
            continue
        ((i, d),) = others
        step = size // gcd(size, d)
        first = next((i0 for i0 in range(min(step, extents[i])) if (r - offset - d * i0) % size == 0), None)
        if first is None:
            continue
        taps = -(-(extents[i] - first) // step)
        # Taps in the order in which y ascends with them as it does with q: then windows ascend too.
        a, b = (first + step * (taps - 1), -step) if d > 0 else (first, step)
        sums = {y: _Sum({y: s // size, i: -(d * b) // s}, (r - offset - d * a) // s), i: _Sum({i: b}, a)}
        yield _Residue(r, size, count, y, sums, {y: count, i: taps})


# ---- One contraction -----------------------------------------------------------------------------------------------


def _add(
    call: Call,
    place: int,
    cotangent: np.ndarray,
    total: np.ndarray,
    axes: Sequence[Axis],
    fixed: dict[int, int],
    residues: list[_Residue],
) -> None:
    """Add what reaches the residues' elements, with the fixed indices at their values."""
    sums = {index: _Sum({}, value) for index, value in fixed.items()}
    extents = dict(enumerate(call.extents.extents))
    for residue in residues:
        sums.update(residue.sums)
        extents.update(residue.extents)
    view, indices = _part(total, axes, fixed, residues)
    arrays, rows = _other_factors(call, place, cotangent)
    for index in _missing(axes, rows, fixed, residues):
        arrays.append(np.broadcast_to(np.ones((), total.dtype), (call.extents.extents[index],)))
        rows.append([index])
    rows = [[_substituted(axis, sums) for axis in row] for row in rows]
    if fixed:
        view += _call.contract(arrays, rows, indices, extents, total.dtype, None, call.threads)
    else:
        _call.contract(arrays, rows, indices, extents, total.dtype, view, call.threads)


def _missing(
    axes: Sequence[Axis], rows: Sequence[Sequence[Axis]], fixed: dict[int, int], residues: list[_Residue]
) -> list[int]:
    """The indices that need a factor of ones: those of the result that no other has, and eliminated ones where nothing
    else ends, with zeros beyond, where they end."""
    alone = {axis for row in rows for axis in row if not isinstance(axis, Affine)}
    anywhere = {index for row in rows for axis in row for index in indices_of(axis)}
    plain = {axis for axis in axes if not isinstance(axis, Affine)}
    eliminated = {residue.index for residue in residues if residue.index >= 0}
    return sorted((eliminated - alone) | (plain - anywhere - fixed.keys()))


def _part(
    total: np.ndarray, axes: Sequence[Axis], fixed: dict[int, int], residues: list[_Residue]
) -> tuple[np.ndarray, list[int]]:
    """A view of the elements that are computed, and the indices of its axes."""
    cuts: list[Any] = []
    steps: dict[int, int] = {}
    extents: dict[int, int] = {}
    left = iter(residues)
    for axis, stride, extent in zip(axes, total.strides, total.shape):
        if isinstance(axis, Affine):
            residue = next(left) if axis.terms else _Residue(0, 1, 1, -1, {}, {})
            cuts.append(slice(residue.first, None))
            index, stride, extent = residue.index, stride * residue.step, residue.count
        elif axis in fixed:
            cuts.append(slice(fixed[axis], None))
            continue
        else:
            cuts.append(slice(None))
            index = axis
        if index >= 0:
            steps[index] = steps.get(index, 0) + stride
            extents[index] = extent
    view = np.lib.stride_tricks.as_strided(total[(*cuts, ...)], list(extents.values()), list(steps.values()))
    return view, list(steps)


def _other_factors(call: Call, place: int, cotangent: np.ndarray) -> tuple[list[np.ndarray], list[list[Axis]]]:
    """The cotangent and the other operands; those that read beyond their ends by another rule than zeros, padded."""
    arrays, rows = [cotangent], [list(range(call.subscripts.output_count))]
    for other, array in enumerate(call.arrays):
        if other == place:
            continue
        axes, windows = _placed_axes(call, other)
        if call.boundary != FILL:
            array, windows = _factors.pad(array, windows, call.boundary)
            for window in windows:
                axes[window.axis] = Affine(window.terms, window.start)
        arrays.append(array)
        rows.append(axes)
    return arrays, rows  # type: ignore[return-value]


def _substituted(axis: Axis, sums: dict[int, _Sum]) -> Axis:
    """An axis in terms of the new indices."""
    terms, offset = (axis.terms, axis.offset) if isinstance(axis, Affine) else (((axis, 1),), 0)
    steps: dict[int, int] = {}
    for index, step in terms:
        what = sums.get(index, _Sum({index: 1}))
        offset += step * what.offset
        for new, times in what.terms.items():
            steps[new] = steps.get(new, 0) + step * times
    left = tuple([(index, step) for index, step in steps.items() if step])
    is_plain = not offset and len(left) == 1 and left[0][1] == 1 and not isinstance(axis, Affine)
    return left[0][0] if is_plain and not sums.keys() & {index for index, _ in terms} else Affine(left, offset)


def _folded(total: np.ndarray, window: Window, extent: int, boundary: int) -> np.ndarray:
    """The transpose of padding: every element is added where it was read from."""
    if not (window.before or window.after):
        return total
    positions = np.arange(-window.before, extent + window.after)
    source = _through_numpy.inside_by(boundary, positions, extent)
    shape = list(total.shape)
    shape[window.axis] = extent
    result = np.zeros(shape, total.dtype)
    np.add.at(np.moveaxis(result, window.axis, 0), source, np.moveaxis(total, window.axis, 0))
    return result
