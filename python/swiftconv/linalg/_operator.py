"""ConvOperator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arguments, _results
from .._sliding import convolve, correlate
from . import _norms, _solvers
from ._adjoint import Run, transposed_layer, transposed_sliding
from ._algebra import AlgebraicOperator, Transpose
from ._base import Symbol, norm_dtype
from ._geometry import CONVOLVE, CORRELATE, FILL, SAME, WRAP, geometry, kernel_array
from ._layer import Layer
from ._matrix import conv_matrix
from ._windows import Axis, axes_of, elements

if TYPE_CHECKING:
    from typing import Union

    from numpy.typing import ArrayLike, DTypeLike

    Ints = Union[int, Sequence[int]]

_MODE_NAMES = {code: name for name, code in _arguments.MODES.items()}


class ConvOperator(AlgebraicOperator):
    """
    A convolution as the matrix that it is, without the matrix: it stores the filter and runs the library's kernels.

    Parameters
    ----------
    kernel : array_like, shape (k1, ..., kd), or (K, channels / groups, k1, ..., kd) with `channels`
        The filter. It is copied.
    shape : int or sequence of int
        Extents ``(n1, ..., nd)`` of what is convolved, without channels.
    mode : {'full', 'same', 'valid'}, optional
        Which outputs there are, as in `swiftconv.convolve`.
    boundary : {'fill', 'wrap', 'symmetric', 'reflect', 'edge'}, optional
        What lies outside, as in `swiftconv.convolve`: zeros, or what `numpy.pad` calls by these names. Its aliases too.
    stride, dilation : int or sequence of int, optional
        Steps between windows, and between the samples under neighbours in the filter.
    operation : {'convolve', 'correlate'}, optional
        Whether the filter is flipped. Without `channels`, 'correlate' conjugates it, as `swiftconv.correlate` does;
        with them it does not, as in `swiftconv.nn`.
    groups : int, optional
        With `channels`: output channels of a group see the input channels of that group only.
    channels : int, optional
        The matrix of a whole layer, from images (channels, n1, ..., nd) to (K, m1, ..., md).
    dtype : dtype_like, optional
        Dtype of the matrix, to which `kernel` casts by the 'same_kind' rule. Default: that of `kernel`.
    threads : int, optional
        Number of threads for each product. Default `swiftconv.get_num_threads`.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns, (m, n): the elements of an output and of an input.
    dtype : numpy.dtype
        Of the entries. A product with x has dtype ``np.result_type(A.dtype, x.dtype)``: integers wrap, bool is OR of
        ANDs.
    ndim : int
        2.
    kernel : ndarray
        The filter, read-only.
    input_shape, output_shape : tuple of int
        Shapes of an input and of an output before they are flattened in C order.
    T, H : operator
        The transpose and the adjoint, which run as convolutions too.

    Raises
    ------
    ValueError
        An empty `kernel` or one of another rank, extents of `shape` below 1, a filter larger than the input in mode
        'valid', ``stride=0``, channels or groups that do not divide, an unknown name.
    TypeError
        A dtype that cannot be computed with, an option of the wrong type, a masked or sparse array.
    OverflowError
        Options that are too large for the extents, more than 2**63 elements.

    See Also
    --------
    swiftconv.convolve, swiftconv.correlate : The products.
    swiftconv.nn.conv2d : The product with channels.

    Notes
    -----
    ``A @ x`` takes vectors of shape (n,) and stacks of columns of shape (n, k), in any memory layout, and ``x @ A``
    rows. Operators can be added, subtracted, composed (``A @ B``), multiplied by numbers and raised to powers, and
    everything of `scipy.sparse.linalg` that takes a ``LinearOperator`` takes them.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.linalg import ConvOperator
    >>> A = ConvOperator([1, 10, 100], 4, 'same')
    >>> A @ np.array([1, 2, 3, 4])
    array([ 12, 123, 234, 340])
    >>> A.T @ np.array([1, 0, 0, 0])
    array([10,  1,  0,  0])

    Deblurring with a little regularisation:

    >>> blur = ConvOperator(np.ones((3, 3)) / 9, (16, 16), 'same', boundary='symmetric')
    >>> image = np.zeros((16, 16))
    >>> image[4:9, 6:12] = 1.0
    >>> y = blur @ image.ravel()
    >>> x = (blur.H @ blur + 1e-6 * blur**0).solve(blur.H @ y, 'cg', tol=1e-8)
    >>> bool(np.abs(x - image.ravel()).max() < 0.02)
    True
    """

    __slots__ = (
        "_axes",
        "_conjugate",
        "_forward",
        "_operation",
        "_options",
        "_transposed",
        "_weight",
        "dtype",
        "input_shape",
        "kernel",
        "output_shape",
        "shape",
    )

    def __init__(
        self,
        kernel: ArrayLike,
        shape: Ints,
        mode: str | int = "full",
        *,
        boundary: str = "fill",
        stride: Ints = 1,
        dilation: Ints = 1,
        operation: str = "convolve",
        groups: int = 1,
        channels: int | None = None,
        dtype: DTypeLike | None = None,
        threads: int | None = None,
    ) -> None:
        self.kernel = kernel_array(kernel, dtype).copy()
        self.kernel.flags.writeable = False
        self.dtype = self.kernel.dtype
        places = geometry(self.kernel.shape, shape, mode, boundary, stride, dilation, operation, groups, channels)
        _arguments.threads(threads)
        self._operation = places.operation
        self._axes = axes_of(places)
        extents = places.shape
        outputs = tuple([axis.outputs for axis in self._axes])
        self.input_shape = extents if channels is None else (places.groups * places.channels, *extents)
        self.output_shape = outputs if channels is None else (len(self.kernel), *outputs)
        self.shape = (elements(self.output_shape, "output shape"), elements(self.input_shape, "shape"))
        self._options = {
            "mode": _MODE_NAMES[places.mode],
            "boundary": boundary,
            "stride": places.stride,
            "dilation": places.dilation,
            "operation": operation,
            "groups": places.groups,
            "channels": channels,
            "threads": threads,
        }
        self._weight = self._in_order_of_samples()
        # Where no window leaves the input there is no boundary to fold.
        outside = any(axis.low or axis.high for axis in self._axes)
        self._prepare(places.mode, places.boundary if outside else FILL, places.swapped)
        self._conjugate = self if self.dtype.kind not in "cO" else None

    def _in_order_of_samples(self) -> np.ndarray:
        """The matrix's entries as a layer's weight (K, C / groups, ...), of which tap t reads sample ``start + t``."""
        spatial = tuple(range(-len(self._axes), 0))
        if self._options["channels"] is not None:
            return self.kernel if self._operation == CORRELATE else np.flip(self.kernel, spatial)
        if self._operation == CONVOLVE:
            return np.flip(self.kernel)[None, None]
        # correlate takes elements of object arrays as they are.
        return (self.kernel.conj() if self.dtype.kind == "c" else self.kernel)[None, None]

    def _prepare(self, mode: int, boundary: int, swapped: bool) -> None:
        options = self._options
        if options["channels"] is not None:
            layer = Layer(self._axes, options["groups"], boundary, options["threads"] or 0)
            self._forward = _of_stacks(partial(layer.forward, weight=self._weight), len(self.input_shape))
            self._transposed = _of_stacks(transposed_layer(self._weight, layer), len(self.output_shape))
            return
        slide = partial(
            correlate if self._operation == CORRELATE else convolve,
            v=self.kernel,
            boundary=options["boundary"],
            stride=options["stride"],
            dilation=options["dilation"],
            threads=options["threads"],
        )
        self._forward = _swapped(slide, self._axes[0]) if swapped else partial(slide, mode=options["mode"])
        taps = self._weight[0, 0]
        self._transposed = transposed_sliding(taps, self._axes, mode, boundary, swapped, options["threads"])

    # ---- Products ----------------------------------------------------------------------------------------------

    def _apply(self, x: np.ndarray) -> np.ndarray:
        return self._run(self._forward, x, self.input_shape, self.shape[0])

    def _apply_transposed(self, y: np.ndarray) -> np.ndarray:
        return self._run(self._transposed, y, self.output_shape, self.shape[1])

    def _run(self, run: Run, x: np.ndarray, shape: tuple[int, ...], rows: int) -> np.ndarray:
        """Vectors and columns as images: views, whatever the strides."""
        if x.ndim == 1:
            return run(x.reshape(shape)).reshape(rows)
        count = x.shape[1]
        if count == 0:
            return np.empty((rows, 0), _results.result_dtype(("kernel", "x"), self.kernel, x, None))
        return run(x.T.reshape(count, *shape)).reshape(count, rows).T

    @property
    def T(self) -> Transpose:
        """The transpose."""
        return Transpose(self)

    def conj(self) -> ConvOperator:
        """The operator with the conjugated filter; itself where that is real."""
        if self._conjugate is None:
            conjugate = ConvOperator(self.kernel.conj(), self._extents, **self._options)
            object.__setattr__(conjugate, "_conjugate", self)
            object.__setattr__(self, "_conjugate", conjugate)
        return self._conjugate

    @property
    def _extents(self) -> tuple[int, ...]:
        return tuple([axis.extent for axis in self._axes])

    # ---- The matrix --------------------------------------------------------------------------------------------

    def todense(self) -> np.ndarray:
        """The matrix as an ndarray of shape (m, n): ``conv_matrix`` with the same options."""
        return self._matrix(format="dense")

    def tosparse(self, format: str = "csr", *, scipy: bool = False) -> Any:
        """The matrix in a sparse format: ``conv_matrix`` with the same options."""
        return self._matrix(format=format, scipy=scipy)

    def _matrix(self, **options: Any) -> Any:
        own = {name: value for name, value in self._options.items() if name != "threads"}
        return conv_matrix(self.kernel, self._extents, **own, **options)

    def diagonal(self) -> np.ndarray:
        """The entries whose row and column agree, of shape (min(m, n),), from where the windows lie."""
        return _norms.diagonal(self._places(), self._weight)

    def column_norms(self) -> np.ndarray:
        """The 2-norm of each column, of shape (n,), from where the windows lie; in double for integers."""
        return self._norms(of_rows=False)

    def row_norms(self) -> np.ndarray:
        """The 2-norm of each row, of shape (m,), likewise."""
        return self._norms(of_rows=True)

    def _norms(self, of_rows: bool) -> np.ndarray:
        return _norms.norms(self._places(), self._weight, of_rows).astype(norm_dtype(self.dtype), copy=False)

    def _places(self) -> _norms.Windows:
        boundary = _arguments.boundary(self._options["boundary"])
        return _norms.Windows(self._axes, boundary, self._options["groups"], self._options["channels"] or 1)

    def _wraps(self) -> bool:
        """Whether the matrix is circulant, or its blocks between channels are."""
        around = _arguments.boundary(self._options["boundary"]) == WRAP and self._options["mode"] == _MODE_NAMES[SAME]
        return all(axis.stride == 1 and (around or axis.taps == 1) for axis in self._axes)

    def _symbol(self) -> Symbol | None:
        if not self._wraps():
            return None
        channels, torus = self._options["channels"] or 1, self._extents
        units = np.zeros((self.shape[1], channels), _solvers.float_dtype(self.dtype, self.dtype))
        every = np.arange(channels)
        units[every * (self.shape[1] // channels), every] = 1
        columns = self._apply(units).T.reshape(channels, -1, *torus)
        return torus, _solvers.symbol_of_columns(columns, torus)

    def _is_hermitian(self) -> bool:
        """Windows centred on a sample of a plain or wrapped boundary, and a filter that is its own adjoint."""
        boundary = _arguments.boundary(self._options["boundary"])
        centred = all(axis.stride == 1 and -2 * axis.start == axis.reach for axis in self._axes)
        same = self.input_shape == self.output_shape and boundary in (FILL, WRAP)
        if not centred or not same or self._options["groups"] > 1:
            return False
        adjoint = np.conjugate(np.flip(self._weight, tuple(range(2, self._weight.ndim)))).swapaxes(0, 1)
        return bool((adjoint == self._weight).all())

    # ---- As an object ------------------------------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(ConvOperator, **self._options), (self.kernel, self._extents)

    def _described(self) -> str:
        usual = {"boundary": "fill", "stride": (1,) * len(self._axes), "dilation": (1,) * len(self._axes), "groups": 1}
        shown = [f"kernel {self.kernel.shape}", f"shape {self._extents}"]
        for name, value in self._options.items():
            if value is not None and usual.get(name) != value:
                shown.append(f"{name}={value!r}")
        return ": " + ", ".join(shown)


def _of_stacks(run: Run, ndim: int) -> Run:
    """A layer's function, which wants an axis of samples in front, for one image too."""
    return lambda x: run(x if x.ndim > ndim else x[None])


def _swapped(slide: Any, axis: Axis) -> Run:
    """All overlaps, of which NumPy's rule for long filters keeps some: a batch knows no such rule."""
    kept = slice(axis.start + axis.taps - 1, axis.start + axis.taps - 1 + axis.outputs)
    return lambda x: slide(x, mode="full")[..., kept]
