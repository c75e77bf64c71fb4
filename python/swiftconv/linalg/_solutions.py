"""Solutions of Toeplitz and circulant systems."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .. import _arguments, _dtypes, _native
from . import _operands
from ._conjugate_gradients import solve_positive_definite
from ._fft import inverse, transform

if TYPE_CHECKING:
    from typing import Union

    from numpy.typing import ArrayLike

    ColumnAndRow = Union[ArrayLike, tuple[ArrayLike, ArrayLike]]

_METHODS = {"auto": 0, "levinson": 1, "pcg": 2}
# Unknowns from which a dozen steps of conjugate gradients take a third of the recursion's time, and how many unknowns
# there are for a step: so many steps take half as long as the recursion, which is what they cost if they fail.
_ITERATIVE_FROM = 8192
_UNKNOWNS_PER_STEP = 200
_TOLERANCE = 1e-13


def solve_toeplitz(
    c_or_cr: ColumnAndRow,
    b: ArrayLike,
    check_finite: bool = True,
    *,
    method: str = "auto",
    tol: float | None = None,
    maxiter: int | None = None,
) -> np.ndarray:
    """
    Solve ``toeplitz(c, r) @ x = b``.

    Parameters
    ----------
    c_or_cr : array_like or tuple of (array_like, array_like)
        First column of the matrix, shape (..., N), or a tuple of it and the first row, shape (..., N), whose first
        element is not used. Without a row it is ``conj(c)``. Leading axes are a batch.
    b : array_like, shape (N,) or (..., N, K)
        Right-hand sides; more than two axes are a batch.
    check_finite : bool, optional
        Whether to refuse NaN and infinity. Otherwise they give NaN somewhere in the result.
    method : {'auto', 'levinson', 'pcg'}, optional
        The Levinson recursion, O(N^2) operations; conjugate gradients, O(N log N) a step, for Hermitian positive
        definite matrices alone; or the latter where the matrix is Hermitian and N large, and if that fails the former.
    tol : float, optional
        Conjugate gradients end where the norm of ``b - A @ x`` is at most `tol` times that of `b`, or no larger than
        what rounding makes of exact solutions. Default 1e-13.
    maxiter : int, optional
        How many steps of conjugate gradients there may be. Default N/200 with 'auto', N with 'pcg'.

    Returns
    -------
    ndarray, the shape of `b`, with the batch of `c_or_cr` in front if that is longer
        Solutions: float64, complex128 if anything is complex.

    Raises
    ------
    numpy.linalg.LinAlgError
        A leading part of the matrix, which need not be the whole, is singular: the recursion passes through all of
        them. With ``method='pcg'``: no convergence.
    ValueError
        Extents that disagree, batches that cannot be broadcast, NaN or infinity with `check_finite`, arrays of objects,
        an unknown `method`, ``method='pcg'`` for a matrix that is not Hermitian.
    TypeError
        A masked or sparse array, a dtype that is not a number's.
    MemoryError
        A result that cannot be had.

    See Also
    --------
    toeplitz : The matrix.
    matmul_toeplitz : The inverse.
    solve_circulant : For circulant matrices.

    Notes
    -----
    The function of SciPy 1.17, with `method`, `tol` and `maxiter`. All right-hand sides share one recursion. It is
    stable for positive definite matrices; where leading parts of the matrix are nearly singular, it loses digits. There
    are no iterations for matrices that are not Hermitian: none converges for all of them.

    Conjugate gradients are preconditioned by the circulant matrix that is nearest in the Frobenius norm [1]_, which for
    many matrices leaves a number of steps that does not grow with N.

    References
    ----------
    .. [1] T. F. Chan, "An optimal circulant preconditioner for Toeplitz systems", SIAM Journal on Scientific and
       Statistical Computing 9 (1988), 766-771.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.linalg import solve_toeplitz, toeplitz
    >>> c, r = [1, 3, 6, 10], [1, -1, -2, -3]
    >>> x = solve_toeplitz((c, r), [1, 2, 2, 5])
    >>> x
    array([ 1.66666667, -1.        , -2.66666667,  2.33333333])
    >>> np.allclose(toeplitz(c, r) @ x, [1, 2, 2, 5])
    True
    """
    named = _arguments.named("method", method, _METHODS)
    c, r = _operands.column_and_row(c_or_cr, check_finite)
    b = _operands.doubles("b", b, check_finite)
    is_vector = b.ndim == 1
    n = c.shape[-1]
    if r.shape[-1] != n:
        raise ValueError(f"r has shape {r.shape}: expected {n} elements, as many as c has")
    if b.shape[0 if is_vector else -2] != n:
        raise ValueError(f"b has shape {b.shape}: expected {n} rows, as many as c has elements")
    c, r, b = _operands.of_one_dtype(c, r, b)
    solver = _Solver(named, tol, maxiter, n)
    if c.ndim == r.ndim == 1 and b.ndim <= 2 and b.size > 0:
        return solver.solve(c, r, b.reshape(n, -1)).reshape(b.shape)
    columns = b[..., np.newaxis] if is_vector else b
    batch = _operands.batch_shape(("c", c.shape[:-1]), ("r", r.shape[:-1]), ("b", columns.shape[:-2]))
    x = np.empty((*batch, *columns.shape[-2:]), b.dtype)
    if x.size > 0:
        if c.ndim == r.ndim == 1:  # one matrix: everything else is right-hand sides
            solved = solver.solve(c, r, np.moveaxis(columns, -2, 0).reshape(n, -1))
            lines = (n, *columns.shape[:-2], columns.shape[-1])
            x[...] = np.moveaxis(solved.reshape(lines), 0, -2)
        else:
            c, r = (np.broadcast_to(array, (*batch, n)) for array in (c, r))
            columns = np.broadcast_to(columns, x.shape)
            for index in np.ndindex(batch):
                x[index] = solver.solve(c[index], r[index], columns[index])
    return x[..., 0] if is_vector else x


class _Solver:
    """One matrix after the other, by one method."""

    def __init__(self, method: int, tol: float | None, maxiter: int | None, n: int):
        self.method = method
        self.tol = _TOLERANCE if tol is None else float(tol)
        if not 0 <= self.tol < math.inf:
            raise ValueError(f"tol={tol!r}: expected a number of at least 0")
        if maxiter is None:
            self.steps = n if method == _METHODS["pcg"] else max(n // _UNKNOWNS_PER_STEP, 1)
        else:
            self.steps = _arguments.integer("maxiter", maxiter, "None or an integer of at least 1")
            if self.steps < 1:
                raise ValueError(f"maxiter={maxiter!r}: expected None or an integer of at least 1")

    def solve(self, c: np.ndarray, r: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Of shape (N, K)."""
        if self.method == _METHODS["pcg"]:
            if not _is_hermitian(c, r):
                raise ValueError("method='pcg': the matrix is not Hermitian (r is not conj(c), or c[0] is not real)")
            x, residual = solve_positive_definite(c, b, self.tol, self.steps)
            if x is None:
                raise np.linalg.LinAlgError(
                    f"conjugate gradients did not converge in {self.steps} steps: relative residual {residual:.3g}, "
                    f"expected tol={self.tol:.3g} (or the matrix is not positive definite)"
                )
            return x
        if self.method == _METHODS["auto"] and c.size >= _ITERATIVE_FROM and _is_hermitian(c, r):
            x, _ = solve_positive_definite(c, b, self.tol, self.steps)
            if x is not None:
                return x
        return _levinson(c, r, b)


def _is_hermitian(c: np.ndarray, r: np.ndarray) -> bool:
    return c[0].imag == 0 and np.array_equal(r[1:], c[1:].conj())


def _levinson(c: np.ndarray, r: np.ndarray, b: np.ndarray) -> np.ndarray:
    code = _dtypes.COMPLEX128 if b.dtype.kind == "c" else _dtypes.FLOAT64
    x = np.empty(b.shape, b.dtype)
    minor = _native.toeplitz_solve(c, r, b, x, code, 0)
    if minor != 0:
        raise np.linalg.LinAlgError(f"Singular principal minor of order {minor}")
    return x


def solve_circulant(
    c: ArrayLike,
    b: ArrayLike,
    singular: str = "raise",
    tol: float | None = None,
    caxis: int = -1,
    baxis: int = 0,
    outaxis: int = 0,
) -> np.ndarray:
    """
    Solve ``circulant(c) @ x = b`` by division of Fourier transforms.

    Parameters
    ----------
    c : array_like
        First column of the matrix, along the axis `caxis`.
    b : array_like
        Right-hand sides, along the axis `baxis`. The other axes are broadcast with those of `c`.
    singular : {'raise', 'lstsq'}, optional
        What to do where an eigenvalue is nearly zero: raise an exception, or return the least squares solution of least
        norm.
    tol : float, optional
        Eigenvalues up to this magnitude count as zero. Default: the largest magnitude, times N, times the epsilon of
        float64.
    caxis, baxis, outaxis : int, optional
        The axes of `c`, `b` and the result along which the vectors lie.

    Returns
    -------
    ndarray
        Solutions: complex if `c` or `b` is, else real; in the precision of NumPy's FFT (NumPy 2 computes float32 in
        float32).

    Raises
    ------
    numpy.linalg.LinAlgError
        An eigenvalue that is nearly zero, with ``singular='raise'``.
    ValueError
        Extents that disagree, an axis that is not there.
    TypeError
        A masked or sparse array, a dtype that is not a number's.

    See Also
    --------
    circulant : The matrix.
    solve_toeplitz : For Toeplitz matrices.

    Notes
    -----
    The function of SciPy 1.17; where `c` and `b` are real, half of each transform is computed.

    Examples
    --------
    >>> import numpy as np
    >>> from swiftconv.linalg import circulant, solve_circulant
    >>> x = solve_circulant([2, 2, 4], [1, 2, 3])
    >>> x
    array([ 0.75, -0.25,  0.25])
    >>> np.allclose(circulant([2, 2, 4]) @ x, [1, 2, 3])
    True
    >>> solve_circulant([1, 1, 0, 0], [1, 2, 3, 4], singular='lstsq')
    array([0.25, 1.25, 2.25, 1.25])
    """
    c, b = _operands.numbers("c", c), _operands.numbers("b", b)
    n = _extent("c", c, caxis)
    if n != _extent("b", b, baxis):
        raise ValueError(
            f"c has shape {c.shape} and b has shape {b.shape}: expected as many elements along caxis={caxis} of c as "
            f"along baxis={baxis} of b"
        )
    real = c.dtype.kind != "c" and b.dtype.kind != "c"
    if b.size == 0 or c.size == 0:
        return _nothing_solved(c, b, caxis, baxis, outaxis)
    spectrum = transform(np.moveaxis(c, caxis, -1), n, real)
    magnitudes = np.abs(spectrum)
    nearly = n * np.finfo(np.float64).eps
    limit = magnitudes.max(axis=-1, keepdims=True) * nearly if tol is None else np.asarray(tol)
    zeros = magnitudes <= limit
    is_singular = bool(zeros.any())
    if is_singular:
        if singular == "raise":
            raise np.linalg.LinAlgError("near singular circulant matrix.")
        spectrum[zeros] = 1
    quotient = transform(np.moveaxis(b, baxis, -1), n, real) / spectrum
    if is_singular:
        quotient[np.broadcast_to(zeros, quotient.shape)] = 0
    x = inverse(quotient, n, real)
    return x if outaxis == -1 else np.moveaxis(x, -1, outaxis)


def _extent(name: str, array: np.ndarray, axis: int) -> int:
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"{name}axis={axis}: {name} has {array.ndim} axes")
    return array.shape[axis]


def _nothing_solved(c: np.ndarray, b: np.ndarray, caxis: int, baxis: int, outaxis: int) -> np.ndarray:
    dtype = (np.fft.fft(np.ones(1, c.dtype)) * np.fft.fft(np.ones(1, b.dtype))).dtype
    if c.dtype.kind != "c" and b.dtype.kind != "c":
        dtype = np.empty(0, dtype).real.dtype
    shape = np.broadcast_shapes(np.moveaxis(c, caxis, -1).shape, np.moveaxis(b, baxis, -1).shape)
    return np.moveaxis(np.zeros(shape, dtype), -1, outaxis)
