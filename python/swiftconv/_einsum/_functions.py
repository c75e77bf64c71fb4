"""einsum and einsum_path."""

from __future__ import annotations

import inspect
import operator
import sys
from typing import Any, Callable, TypeVar

import numpy as np

from .. import _native
from . import _call, _operands, _path, _recipes, _replay, _subscripts

F = TypeVar("F", bound=Callable[..., Any])
_NDARRAY = frozenset([np.ndarray])


def _with_plain_path(function: F) -> F:
    """Makes the public function a builtin that runs plain calls itself: text that was seen before, and arrays.

    Every other call gets to the function's body. The builtin has the function's signature and docstring.
    """
    parameters = inspect.signature(function).parameters.values()
    signature = inspect.Signature([parameter.replace(annotation=parameter.empty) for parameter in parameters])
    docstring = f"{function.__name__}{signature}\n--\n\n{inspect.getdoc(function)}"
    return _native.einsum_function(function, docstring.encode(), _recipes.recipes, np.einsum)


@_with_plain_path
def einsum(
    *operands: Any,
    out: np.ndarray | None = None,
    dtype: Any = None,
    order: str = "K",
    casting: str = "safe",
    optimize: Any = False,
    padding: Any = None,
    boundary: str = "fill",
    threads: int | None = None,
    method: str = "auto",
) -> np.ndarray:
    """
    Einstein summation: `numpy.einsum` with its whole grammar, and indices that meet on an axis.

    ``einsum('ij,jk->ik', a, b)`` is ``result[i, k] = sum over j of a[i, j] * b[j, k]``. An axis in parentheses is
    walked by a sum of indices: ``einsum('b (y+i) (x+j), i j -> b y x', images, filter)`` is
    ``result[b, y, x] = sum over i, j of images[b, y + i, x + j] * filter[i, j]``, a correlation. No operand is
    copied or conjugated, and views of windows (`numpy.lib.stride_tricks`) run as the convolutions that they are.

    Parameters
    ----------
    *operands : str, array_like, array_like, ...
        Subscripts and up to 63 operands, or operands that are each followed by a list of labels (integers from 0 to
        51, Ellipsis), with a list for the result at the end if wanted. In the subscripts a letter is an index,
        spaces are free, ``...`` stands for the axes that letters leave over, and in parentheses stand terms like
        ``y``, ``2*y``, ``2y``, ``y*2`` or ``2`` with signs between them. Steps are strides and dilations:
        ``(2*y+3*i)``. Without ``->`` the result has the indices that occur once, in the alphabet's order.
    out : ndarray, optional
        Where to write the result: the right shape, any strides. It may overlap operands.
    dtype : dtype_like, optional
        Dtype in which products and sums are computed, and of the result. Default `numpy.result_type` of the operands
        and `out`. Integers wrap, bool is OR of ANDs, 16-bit floats accumulate in float32.
    order : {'C', 'F', 'A', 'K'}, optional
        Memory order of a new result, as in NumPy. 'K' (default): that in which the operands nest.
    casting : {'no', 'equiv', 'safe', 'same_kind', 'unsafe'}, optional
        What casts of operands to the dtype, and of the result to that of `out`, may do.
    optimize : bool, str, list or tuple, optional
        In which order more than two operands are contracted. False (default): all at once, unless pairs, or sums
        within operands, save many multiplications. True, 'greedy', 'optimal', a path of `einsum_path`, or a name and a
        memory limit: as in NumPy. Other names are opt_einsum's, where that is installed.
    padding : dict or {'valid', 'same'}, optional
        How far axes in parentheses are padded, by the letter of an index that walks there: ``{'y': (1, 2)}`` before
        and after, ``{'y': 1}`` on both sides, ``{'y': 'same'}`` for an output on each step, with an odd element at
        the end; 'same' for all axes that an index of the result walks.
    boundary : {'fill', 'wrap', 'symmetric', 'reflect', 'edge'}, optional
        What lies outside: zeros, or what `numpy.pad` calls by these names. Aliases as in `correlate`.
    threads : int, optional
        Number of threads for this call. Default `get_num_threads`. The result does not depend on it.
    method : {'auto', 'nest', 'gemm', 'direct', 'reference'}, optional
        Algorithm of every step. 'auto' picks by extents and strides.

    Returns
    -------
    ndarray or scalar
        One axis for each index of the result; a scalar where it has none; `out` where that was given. With one
        operand of which nothing is summed, a view, writeable where the operand is; of windows a read-only one.

    Raises
    ------
    ValueError
        Subscripts that cannot be read or do not fit the operands, extents that disagree or cannot be inferred,
        windows larger than their axis, an unknown name, a read-only `out` or one of another shape.
    TypeError
        A dtype that cannot be computed with, a cast that the rule forbids, a label that is no integer, a masked or
        sparse array.
    OverflowError
        Operands that span more memory than can be addressed, an integer option beyond 64 bits.
    MemoryError
        The result or a workspace cannot be had.
    IndexError, RuntimeError, KeyError
        An explicit path that does not fit, as in NumPy; an unknown name of one.

    See Also
    --------
    einsum_path : The path alone.
    correlate : The same sums with modes and origins.
    explain : What would run.

    Notes
    -----
    An index that stands alone on an axis has that axis's extent, or is broadcast from 1. One that stands in
    parentheses only gets the largest extent with which everything lies inside the axis and its padding. Everything
    starts from zero: ``(y-i+2)`` walks backwards from 2 on. object and longdouble operands are computed by NumPy,
    objects through a temporary array of every product. `out` is untouched if an exception is raised before the work
    starts.

    Examples
    --------
    >>> import numpy as np
    >>> import swiftconv
    >>> images = np.arange(24.0).reshape(2, 3, 4)
    >>> edges = np.array([[1.0, -1.0]])
    >>> swiftconv.einsum('b (y+i) (x+j), i j -> b y x', images, edges).shape
    (2, 3, 3)
    >>> swiftconv.einsum('b (2*x+j), j -> b x', images[0], np.ones(2))
    array([[ 1.,  5.],
           [ 9., 13.],
           [17., 21.]])
    >>> swiftconv.einsum('(x+j), j', [1, 2, 3], [1, 1, 1], padding='same', boundary='wrap')
    array([6, 6, 6])
    >>> swiftconv.einsum('ij,j', np.eye(2), [3, 4])
    array([3., 4.])
    """
    text, given = _subscripts.split(operands)
    if not _NDARRAY.issuperset(map(type, given)):
        given = _operands.arrays(given)
        options = (out, dtype, order, casting, optimize, padding, boundary, threads, method)
        if all(map(operator.is_, options, _DEFAULTS)):
            return einsum(text, *given)  # may be a plain call now
    view = _call.view(text, given, out, padding, boundary)
    if view is not None:
        return view
    is_default = out is None and dtype is None and type(casting) is str and casting == "safe"
    key = _replay.key(text, given, order, optimize, padding, boundary, threads, method) if is_default else None
    replay = _replay.find(key)
    if replay is not None:
        return _replay.run(replay, given)
    call = _call.prepare(text, given, out, dtype, order, casting, optimize, padding, boundary, threads, method)
    _recipes.keep(call.subscripts)
    record: list[Any] = []
    result = _call.run(call, record)
    _replay.keep(key, record)
    return result


_DEFAULTS = tuple(
    [
        # The very objects that the function has: names among constants are interned.
        sys.intern(given.default) if isinstance(given.default, str) else given.default
        for given in inspect.signature(einsum).parameters.values()
    ][1:]
)


def einsum_path(*operands: Any, optimize: Any = "greedy", padding: Any = None) -> tuple[list[Any], str]:
    """
    The order in which `einsum` would contract many operands: `numpy.einsum_path`, for its subscripts and ours.

    Parameters
    ----------
    *operands : str, array_like, array_like, ...
        As for `einsum`.
    optimize : bool, str, list or tuple, optional
        As for `einsum`; False is NumPy's, one step for all.
    padding : dict or {'valid', 'same'}, optional
        As for `einsum`.

    Returns
    -------
    path : list
        ``'einsum_path'`` and a tuple of places for each step.
    description : str
        A table of the steps and what they cost. Subscripts with parentheses stand in it as those of windows that are
        axes of their own.

    Raises
    ------
    ValueError, TypeError, KeyError
        As `einsum` and `numpy.einsum_path` do.

    Examples
    --------
    >>> import numpy as np
    >>> import swiftconv
    >>> a, b, c = np.ones((2, 8)), np.ones((8, 9)), np.ones((9, 3))
    >>> path, description = swiftconv.einsum_path('ij,jk,kl->il', a, b, c)
    >>> path
    ['einsum_path', (1, 2), (0, 1)]
    """
    text, given = _subscripts.split(operands)
    if "(" not in text and padding is None:
        return np.einsum_path(*operands, optimize=optimize)
    call = _call.prepare(text, given, None, None, "K", "unsafe", False, padding, "fill", None, "auto")
    letters = _subscripts.letters(call.subscripts)
    subscripts, shapes = _path.as_plain(call.extents.sets, call.extents.extents, call.subscripts.output_count, letters)
    return np.einsum_path(subscripts, *_path.dummies(shapes), optimize=optimize)
