"""correlate and convolve."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Callable, TypeVar

import numpy as np

from . import _arguments, _dtypes, _native
from ._call import CONVOLVE, CORRELATE, prepare, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from numpy.typing import ArrayLike, DTypeLike

    Ints = Union[int, Sequence[int]]

F = TypeVar("F", bound=Callable[..., np.ndarray])

_native.initialize(
    np.ndarray,
    np.empty,
    _dtypes.DTYPES,
    _dtypes.RESULT_CODES,
    _arguments.MODES,
    _arguments.BOUNDARIES,
    _arguments.METHODS,
)


def _with_plain_path(operation: int) -> Callable[[F], F]:
    """Makes a public function a builtin that runs plain calls itself, without Python's handling of 13 parameters.

    Every other call gets to the function's body. The builtin has the function's signature and docstring.
    """

    def wrap(function: F) -> F:
        parameters = inspect.signature(function).parameters.values()
        signature = inspect.Signature([parameter.replace(annotation=parameter.empty) for parameter in parameters])
        docstring = f"{function.__name__}{signature}\n--\n\n{inspect.getdoc(function)}"
        return _native.sliding_function(operation, function, docstring.encode())

    return wrap


@_with_plain_path(CORRELATE)
def correlate(
    a: ArrayLike,
    v: ArrayLike,
    mode: str | int = "valid",
    *,
    axes: Ints | None = None,
    boundary: str = "fill",
    fillvalue: complex = 0,
    origin: Ints | None = None,
    stride: Ints = 1,
    dilation: Ints = 1,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
) -> np.ndarray:
    """
    Cross-correlation of every item of a batch with a filter: the filter slides as it is and is conjugated.

    Along each window axis ``result[i] = sum over k of a[i*stride + k*dilation - offset] * conj(v[k])``.

    Parameters
    ----------
    a : array_like, shape (..., n1, ..., nd)
        The batch: any dtype, any memory layout, no copy is made. `v` slides over the last ``v.ndim`` axes or over
        `axes`; every other axis is a batch.
    v : array_like, shape (k1, ..., kd)
        The filter. A 0-d `v` multiplies, but where `a` has fewer than two axes it is an error, as in NumPy.
    mode : {'valid', 'same', 'full'}, optional
        Which outputs there are along a window axis. 'valid' (default): ``n - k + 1``, those whose window lies inside
        `a`. 'same': ``n``, the window's element ``k // 2`` over each element of `a`. 'full': ``n + k - 1``, every
        overlap. Here k is the dilated extent ``(k - 1) * dilation + 1``; a `stride` of s keeps every s-th output.
    axes : int or sequence of int, optional
        The axes of `a` that the axes of `v` slide over, in the order of the axes of `v`.
    boundary : {'fill', 'wrap', 'symmetric', 'reflect', 'edge'}, optional
        What lies outside `a`: `fillvalue`, or what `numpy.pad` calls wrap, symmetric, reflect, edge. Aliases: 'pad',
        'constant' (fill); 'circular', 'periodic', 'grid-wrap' (wrap); 'symm', 'grid-mirror' (symmetric); 'mirror'
        (reflect); 'nearest', 'replicate' (edge). ``scipy.ndimage``'s 'reflect' is 'symmetric' here.
    fillvalue : scalar, optional
        The value outside `a` for ``boundary='fill'``, converted to the dtype of the result; a float loses its
        fraction in an integer result.
    origin : int or sequence of int, optional
        Shift of the window in mode 'same', with ``scipy.ndimage``'s sign and range: positive is to the left.
    stride : int or sequence of int, optional
        Step between windows, for every window axis or for each one.
    dilation : int or sequence of int, optional
        Step between the elements of `a` under neighbours in `v`.
    dtype : dtype_like, optional
        Dtype in which products and sums are computed, and of the result. Default ``np.result_type(a, v)``. Integers
        wrap, bool is OR of ANDs, float16 and bfloat16 accumulate in float32.
    out : ndarray or tuple of one ndarray, optional
        Where to write the result: the right shape, any strides, a dtype that the result casts to by the 'same_kind'
        rule. It may overlap `a` and `v`.
    method : {'auto', 'direct', 'separable', 'reference'}, optional
        Algorithm. 'auto' picks by shape and accuracy.
    threads : int, optional
        Number of threads for this call. Default `get_num_threads`. The result does not depend on it.

    Returns
    -------
    ndarray
        With ``a.ndim`` axes, in the memory order of `a`; `out` where that was given.

    Raises
    ------
    ValueError
        An extent, a shape or an option that does not fit: `v` larger than `a` in mode 'valid', an empty window axis,
        an unknown name, ``stride=0``, a read-only `out`, a `fillvalue` that the result cannot hold.
    TypeError
        A dtype that cannot be computed with or cast as asked; a masked or sparse array.
    OverflowError
        An integer option beyond 64 bits, or a `stride` or `dilation` too large for the extents.
    MemoryError
        The result or the workspace cannot be had.

    See Also
    --------
    convolve : The same with the filter flipped and not conjugated.
    explain : What would run.

    Notes
    -----
    With a one-dimensional `a` and `v` and default `axes`, `boundary`, `fillvalue`, `origin`, `stride` and `dilation`
    this is `numpy.correlate`: the longer operand is slid over, whichever it is, and 'same' gives the longer one's
    length. object and longdouble arrays are computed through NumPy, slowly; elements of object arrays are not
    conjugated. `out` is untouched if an exception is raised before the work starts, and partly written after
    a KeyboardInterrupt.

    Examples
    --------
    A filter over each of six images:

    >>> import numpy as np
    >>> import swiftconv
    >>> a = np.arange(120.0).reshape(6, 5, 4)
    >>> v = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, -1.0]])
    >>> swiftconv.correlate(a, v).shape
    (6, 3, 3)

    Sums of neighbours on a circle, for each column:

    >>> x = np.array([[1, 10], [2, 20], [3, 30], [4, 40]])
    >>> swiftconv.correlate(x, np.ones(3, int), 'same', axes=0, boundary='wrap')
    array([[ 7, 70],
           [ 6, 60],
           [ 9, 90],
           [ 8, 80]])
    """
    return run(
        prepare(CORRELATE, a, v, mode, axes, boundary, fillvalue, origin, stride, dilation, dtype, out, method, threads)
    )


@_with_plain_path(CONVOLVE)
def convolve(
    a: ArrayLike,
    v: ArrayLike,
    mode: str | int = "full",
    *,
    axes: Ints | None = None,
    boundary: str = "fill",
    fillvalue: complex = 0,
    origin: Ints | None = None,
    stride: Ints = 1,
    dilation: Ints = 1,
    dtype: DTypeLike | None = None,
    out: np.ndarray | tuple[np.ndarray] | None = None,
    method: str = "auto",
    threads: int | None = None,
) -> np.ndarray:
    """
    Convolution of every item of a batch with a filter: the filter is flipped and not conjugated.

    Along each window axis ``result[i] = sum over k of a[i*stride - k*dilation + offset] * v[k]``.

    Parameters
    ----------
    a : array_like, shape (..., n1, ..., nd)
        The batch: any dtype, any memory layout, no copy is made. `v` slides over the last ``v.ndim`` axes or over
        `axes`; every other axis is a batch.
    v : array_like, shape (k1, ..., kd)
        The filter. A 0-d `v` multiplies; beside a number or a signal it is a signal of one sample, as in NumPy.
    mode : {'full', 'same', 'valid'}, optional
        Which outputs there are along a window axis. 'full' (default): ``n + k - 1``, every overlap. 'same': ``n``, the
        flipped window's element ``k // 2`` over each element of `a`. 'valid': ``n - k + 1``, those whose window lies
        inside `a`. Here k is the dilated extent ``(k - 1) * dilation + 1``; a `stride` of s keeps every s-th output.
    axes, boundary, fillvalue, origin, stride, dilation, dtype, out, method, threads
        As in `correlate`.

    Returns
    -------
    ndarray
        With ``a.ndim`` axes, in the memory order of `a`; `out` where that was given.

    Raises
    ------
    ValueError, TypeError, OverflowError, MemoryError
        As `correlate` does.

    See Also
    --------
    correlate : The same with the filter as it is, conjugated. Its parameters are described in full.
    explain : What would run.

    Notes
    -----
    With a one-dimensional `a` and `v` and default `axes`, `boundary`, `fillvalue`, `origin`, `stride` and `dilation`
    this is `numpy.convolve`. For an even k, 'same' sits where NumPy and ``scipy.signal`` have it, a place beside
    ``scipy.ndimage.convolve``: ndimage's `origin` plus one is the `origin` here.

    Examples
    --------
    >>> import numpy as np
    >>> import swiftconv
    >>> swiftconv.convolve([1, 2, 3], [0, 1, 10])
    array([ 0,  1, 12, 23, 30])

    Every second output of a smoothing filter, for each row:

    >>> x = np.array([[0.0, 4.0, 8.0, 4.0], [1.0, 1.0, 1.0, 1.0]])
    >>> swiftconv.convolve(x, [0.25, 0.5, 0.25], 'same', boundary='edge', stride=2)
    array([[1., 6.],
           [1., 1.]])
    """
    return run(
        prepare(CONVOLVE, a, v, mode, axes, boundary, fillvalue, origin, stride, dilation, dtype, out, method, threads)
    )
