"""What operators without a matrix have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arguments, _memory
from . import _solvers

if TYPE_CHECKING:
    from typing import Callable

    from numpy.typing import ArrayLike

# A torus, and for each of its frequencies the matrix between channels that the operator is there.
Symbol = tuple[tuple[int, ...], np.ndarray]
# Elements of the blocks of unit vectors by which a combination finds its columns.
_BLOCK = 1 << 22


class Operator:
    """
    A matrix that is known by its products with vectors.

    `ConvOperator` makes them; their transposes, products, sums and multiples are others. They are immutable, and safe
    to use from many threads. Names and shapes are those of ``scipy.sparse.linalg.LinearOperator``, whose functions
    take them as they are.
    """

    __slots__ = ()
    __array_ufunc__ = None  # an array on the left of an operator leaves the product to it
    ndim = 2

    shape: tuple[int, int]
    dtype: np.dtype

    # ---- What an operator has to say ---------------------------------------------------------------------------

    def _apply(self, x: np.ndarray) -> np.ndarray:
        """The product with x, of shape (n,) or (n, k)."""
        raise NotImplementedError

    @property
    def T(self) -> Operator:
        """The transpose."""
        raise NotImplementedError

    def conj(self) -> Operator:
        """The operator with conjugated entries; itself where they are real."""
        raise NotImplementedError

    def _is_hermitian(self) -> bool:
        """Whether structure and entries say that it equals its adjoint; False where they do not tell."""
        return False

    def _symbol(self) -> Symbol | None:
        """The operator in Fourier modes; None where it is not diagonal there, but for channels."""
        return None

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(self, name):
            raise AttributeError(f"{name} of a {type(self).__name__} cannot be changed: operators are immutable")
        object.__setattr__(self, name, value)

    # ---- Products with vectors ---------------------------------------------------------------------------------

    @property
    def H(self) -> Operator:
        """The adjoint: the conjugated transpose."""
        return self.conj().T

    def adjoint(self) -> Operator:
        """`H`."""
        return self.H

    def transpose(self) -> Operator:
        """`T`."""
        return self.T

    def matvec(self, x: ArrayLike) -> np.ndarray:
        """``A @ x`` for x of shape (n,) or (n, 1), with a result of shape (m,) or (m, 1)."""
        x = _arguments.array("x", x)
        if x.ndim == 2 and x.shape[1] != 1:
            raise ValueError(f"x has shape {x.shape}: expected ({self.shape[1]},) or ({self.shape[1]}, 1)")
        return self._times(x)

    def matmat(self, x: ArrayLike) -> np.ndarray:
        """``A @ x`` for x of shape (n, k), with a result of shape (m, k)."""
        x = _arguments.array("x", x)
        if x.ndim != 2:
            raise ValueError(f"x has shape {x.shape}: expected ({self.shape[1]}, k)")
        return self._times(x)

    def rmatvec(self, x: ArrayLike) -> np.ndarray:
        """``A.H @ x`` for x of shape (m,) or (m, 1)."""
        return self.H.matvec(x)

    def rmatmat(self, x: ArrayLike) -> np.ndarray:
        """``A.H @ x`` for x of shape (m, k)."""
        return self.H.matmat(x)

    # What pylops calls of an operator that it wraps.
    def _matvec(self, x: np.ndarray) -> np.ndarray:
        return self.matvec(x)

    def _rmatvec(self, x: np.ndarray) -> np.ndarray:
        return self.rmatvec(x)

    def __rmatmul__(self, other: Any) -> np.ndarray:
        x = _arguments.array("x", other)
        if x.ndim not in (1, 2) or x.shape[-1] != self.shape[0]:
            raise ValueError(
                f"x has shape {x.shape}: expected ({self.shape[0]},) or (k, {self.shape[0]}) before an operator of "
                f"shape {self.shape}"
            )
        return self.T._apply(x.T).T

    def _times(self, x: np.ndarray) -> np.ndarray:
        if x.ndim not in (1, 2) or x.shape[0] != self.shape[1]:
            raise ValueError(
                f"x has shape {x.shape}: expected ({self.shape[1]},) or ({self.shape[1]}, k) for an operator of shape "
                f"{self.shape}"
            )
        return self._apply(x)

    # ---- What a matrix would tell ------------------------------------------------------------------------------

    def todense(self) -> np.ndarray:
        """The matrix as an ndarray."""
        _memory.require(self.shape[0] * self.shape[1] * self.dtype.itemsize, f"a matrix of shape {self.shape}")
        return self._apply(np.eye(self.shape[1], dtype=self.dtype))

    def diagonal(self) -> np.ndarray:
        """The entries whose row and column agree, of shape (min(m, n),). Products of operators compute columns."""
        result = np.empty(min(self.shape), self.dtype)
        for first, columns in self._columns(len(result)):
            result[first : first + columns.shape[1]] = columns[first:].diagonal()
        return result

    def column_norms(self) -> np.ndarray:
        """The 2-norm of each column, of shape (n,). Products and sums of operators compute their columns."""
        result = np.empty(self.shape[1], norm_dtype(self.dtype))
        for first, columns in self._columns(self.shape[1]):
            # At least in double: squares of small floats overflow.
            columns = np.abs(columns.astype(np.result_type(self.dtype, np.float64), copy=False))
            result[first : first + columns.shape[1]] = np.sqrt((columns * columns).sum(axis=0))
        return result

    def row_norms(self) -> np.ndarray:
        """The 2-norm of each row, of shape (m,)."""
        return self.T.column_norms()

    def _columns(self, count: int) -> Iterator[tuple[int, np.ndarray]]:
        """The first `count` columns in blocks, each with its first one's number."""
        step = max(_BLOCK // sum(self.shape), 1)
        for first in range(0, count, step):
            units = np.zeros((self.shape[1], min(step, count - first)), self.dtype, "F")
            units[first : first + units.shape[1]] = np.eye(units.shape[1], dtype=self.dtype)
            yield first, self._apply(units)

    def eigenvalues(self) -> np.ndarray:
        """
        All eigenvalues of an operator that wraps around, in closed form: the discrete Fourier transform of its filter.

        Returns
        -------
        ndarray, shape (n,)
            In the order of the frequencies of `numpy.fft.fftn`, and real where the operator is known to be Hermitian.
            The eigenvectors are the Fourier modes of the torus.

        Raises
        ------
        ValueError
            An operator that is not circulant or block circulant with square blocks.
        """
        values = _solvers.eigenvalues(self._needs_symbol("eigenvalues")[1])
        return values.real if self._is_hermitian() else values

    def singular_values(self) -> np.ndarray:
        """
        All singular values of an operator that wraps around, in closed form, in descending order.

        Those of a layer are the singular values of one small matrix for each frequency (Sedghi, Gupta and Long, 2019).

        Returns
        -------
        ndarray, shape (min(m, n),)

        Raises
        ------
        ValueError
            An operator that is not circulant or block circulant.
        """
        return _solvers.singular_values(self._needs_symbol("singular_values")[1])

    def _needs_symbol(self, what: str) -> Symbol:
        symbol = self._symbol()
        if symbol is None:
            raise ValueError(f"{what} of {self!r}: expected boundary='wrap', mode='same' and stride=1")
        return symbol

    def solve(
        self,
        y: ArrayLike,
        method: str = "auto",
        *,
        tol: float | None = None,
        maxiter: int | None = None,
        callback: Callable[[int, float], Any] | None = None,
    ) -> np.ndarray:
        """
        Solve ``A @ x = y``, or minimise the 2-norm of ``y - A @ x``.

        Parameters
        ----------
        y : array_like, shape (m,) or (m, k)
            Right-hand sides. The iterative methods solve them one after the other.
        method : {'auto', 'fft', 'cg', 'lsqr'}, optional
            'fft': exactly, by division of Fourier transforms, for operators that wrap around (boundary 'wrap', mode
            'same', stride 1, as many output as input channels) and what is composed of such ones. 'cg': conjugate
            gradients (Hestenes and Stiefel, 1952), on A itself where its structure says that it is Hermitian (it has
            to be positive definite then), and on the normal equations ``A.H @ A @ x = A.H @ y`` of any other operator.
            'lsqr': Paige and Saunders (1982), for every operator. 'auto': 'fft' where it applies, else 'lsqr'.
        tol : float, optional
            Iterations stop when the residual is `tol` times as large as y, or its gradient ``A.H @ (y - A @ x)`` as
            small relative to A and the residual. Default ``eps ** (2/3)`` of the result's dtype.
        maxiter : int, optional
            Iterations at most, after which a RuntimeWarning says where they stopped. Default ``2 * n``.
        callback : callable, optional
            Called as ``callback(iteration, residual)`` after each iteration, counted from 1, with the 2-norm of
            ``y - A @ x``. What it raises ends the solution.

        Returns
        -------
        ndarray, shape (n,) or (n, k)
            float64 for integers, float32 for 16-bit floats, and else the common dtype of A and y. Where there are
            many least-squares solutions, the one of least norm.

        Raises
        ------
        numpy.linalg.LinAlgError
            'fft': a frequency vanishes. 'cg': A is Hermitian and not positive definite.
        ValueError
            A `y` of another length, an unknown `method`, 'fft' for an operator that does not wrap around, `tol` or
            `maxiter` out of range.
        TypeError
            Object arrays, an option of another type.

        Examples
        --------
        >>> import numpy as np
        >>> from swiftconv.linalg import ConvOperator
        >>> blur = ConvOperator([1.0, 3.0, 1.0], 5, 'same', boundary='wrap')
        >>> x = np.array([1.0, 0.0, 0.0, 2.0, 0.0])
        >>> blur.solve(blur @ x).round(12) + 0.0
        array([1., 0., 0., 2., 0.])
        """
        return _solvers.solve(self, y, method, tol, maxiter, callback)

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"<{rows}x{columns} {type(self).__name__} of {self.dtype}{self._described()}>"

    def _described(self) -> str:
        return ""


def norm_dtype(dtype: np.dtype) -> np.dtype:
    """That of `numpy.linalg.norm`; float64 for objects."""
    return np.dtype(np.float64) if dtype.kind in "biuO" else np.abs(np.ones((), dtype)).dtype
