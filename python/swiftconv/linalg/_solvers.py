"""Linear equations and spectra: by Fourier transforms on a torus, and by iteration elsewhere."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arguments, _dtypes

if TYPE_CHECKING:
    from typing import Callable

    from ._algebra import Operator

    Report = Callable[[int, float], Any]

METHODS = ("auto", "fft", "cg", "lsqr")


def solve(operator: Operator, y: Any, method: Any, tol: Any, maxiter: Any, callback: Any) -> np.ndarray:
    y = _arguments.array("y", y)
    if y.ndim not in (1, 2) or y.shape[0] != operator.shape[0]:
        rows = operator.shape[0]
        raise ValueError(
            f"y has shape {y.shape}: expected ({rows},) or ({rows}, k) for an operator of shape {operator.shape}"
        )
    _arguments.named("method", method, dict.fromkeys(METHODS, 0))
    dtype = float_dtype(operator.dtype, y.dtype)
    tolerance = _tolerance(tol, dtype)
    most = _most(maxiter, operator.shape[1])
    if callback is not None and not callable(callback):
        raise TypeError(f"callback={callback!r}: expected None or a callable")
    y = y.astype(dtype, copy=False)
    if method in ("auto", "fft"):
        symbol = operator._symbol()
        square = symbol is not None and symbol[1].shape[-1] == symbol[1].shape[-2]
        if square:
            return _divided(*symbol, y)
        if method == "fft":
            raise ValueError(
                f"method='fft' with {operator!r}: expected boundary='wrap', mode='same', stride=1 and as many input as "
                "output channels"
            )
    iterate = lsqr if method != "cg" else cg if operator._is_hermitian() else cgls
    if y.ndim == 1:
        return iterate(operator, y, tolerance, most, callback)
    x = np.empty((operator.shape[1], y.shape[1]), dtype)
    for column in range(y.shape[1]):
        x[:, column] = iterate(operator, y[:, column], tolerance, most, callback)
    return x


def float_dtype(matrix: np.dtype, y: np.dtype) -> np.dtype:
    """float64 for integers, float32 for 16-bit floats."""
    dtype = _dtypes.result_type(matrix, y, ("the operator", "y"))
    if dtype.kind == "O":
        raise TypeError(f"an operator of dtype {matrix} and y of dtype {y}: expected no objects")
    if dtype.kind in "biu":
        return np.dtype(np.float64)
    return np.dtype(np.float32) if dtype.itemsize == 2 else dtype


def _tolerance(tol: Any, dtype: np.dtype) -> float:
    if tol is None:
        return float(np.finfo(dtype).eps) ** (2 / 3)
    try:
        value = float(tol)
    except (TypeError, ValueError):
        raise TypeError(f"tol={tol!r}: expected None or a number of at least 0") from None
    if not 0 <= value < math.inf:
        raise ValueError(f"tol={tol!r}: expected None or a finite number of at least 0")
    return value


def _most(maxiter: Any, columns: int) -> int:
    if maxiter is None:
        return 2 * columns
    count = _arguments.integer("maxiter", maxiter, "None or an integer of at least 1")
    if count < 1:
        raise ValueError(f"maxiter={maxiter!r}: expected None or an integer of at least 1")
    return count


# ---- On a torus ----------------------------------------------------------------------------------------------------
#
# The matrix is block diagonal in the Fourier modes: a symbol holds its blocks, (*torus, K, C), one for each frequency.


def symbol_of_columns(columns: np.ndarray, torus: tuple[int, ...]) -> np.ndarray:
    """From the products with the C unit images whose one is at the origin, of shape (C, K, *torus)."""
    spatial = tuple(range(2, columns.ndim))
    dtype = np.result_type(columns.dtype, np.float64)  # a symbol is small beside its rounding
    return np.moveaxis(np.fft.fftn(columns.astype(dtype), axes=spatial), (0, 1), (-1, -2))


def transposed_symbol(symbol: np.ndarray) -> np.ndarray:
    """The transpose reads the torus in the other direction: frequency -f."""
    spatial = tuple(range(symbol.ndim - 2))
    return np.roll(np.flip(symbol, spatial), 1, spatial).swapaxes(-1, -2)


def eigenvalues(symbol: np.ndarray) -> np.ndarray:
    if symbol.shape[-1] != symbol.shape[-2]:
        raise ValueError(
            f"eigenvalues of {symbol.shape[-1]} input and {symbol.shape[-2]} output channels: expected as many"
        )
    if symbol.shape[-1] == 1:
        return symbol.reshape(-1)
    return np.linalg.eigvals(symbol.astype(np.complex128, copy=False)).reshape(-1)


def singular_values(symbol: np.ndarray) -> np.ndarray:
    if symbol.shape[-2:] == (1, 1):
        values = np.abs(symbol)
    else:
        values = np.linalg.svd(symbol.astype(np.complex128, copy=False), compute_uv=False)
    return np.sort(values, axis=None)[::-1]


def _divided(torus: tuple[int, ...], symbol: np.ndarray, y: np.ndarray) -> np.ndarray:
    _check_regular(torus, symbol)
    spatial = tuple(range(len(torus)))
    channels = symbol.shape[-1]
    count = math.prod(y.shape[1:])
    stacked = y.astype(np.result_type(y.dtype, np.float64), copy=False).reshape(channels, *torus, count)
    right = np.fft.fftn(np.moveaxis(stacked, 0, -2), axes=spatial)
    if channels == 1:
        quotient = right / symbol
    else:  # LAPACK knows nothing longer than doubles
        quotient = np.linalg.solve(symbol.astype(np.complex128, copy=False), right.astype(np.complex128, copy=False))
    x = np.moveaxis(np.fft.ifftn(quotient, axes=spatial), -2, 0).reshape(y.shape)
    # A combination of real operators is real; of complex ones y is complex already, by its dtype.
    return np.ascontiguousarray(x if y.dtype.kind == "c" else x.real).astype(y.dtype, copy=False)


def _check_regular(torus: tuple[int, ...], symbol: np.ndarray) -> None:
    """A frequency counts as vanished where it is no larger than the transforms' rounding."""
    if symbol.shape[-1] == 1:
        least = largest = np.abs(symbol[..., 0, 0])
    else:
        values = np.linalg.svd(symbol.astype(np.complex128, copy=False), compute_uv=False)
        least, largest = values[..., -1], values[..., 0]
    bound = np.finfo(symbol.dtype).eps * (2 + math.log2(least.size)) * largest.max()
    vanished = np.argwhere(least <= bound)
    if len(vanished):
        frequency = tuple(vanished[0].tolist())
        raise np.linalg.LinAlgError(
            f"the operator is singular: {len(vanished)} of {least.size} frequencies vanish, the first one {frequency} "
            f"of the torus {torus}; method='lsqr' finds the solution of least norm"
        )


# ---- Iterations ----------------------------------------------------------------------------------------------------


def cg(a: Operator, y: np.ndarray, tol: float, most: int, report: Report | None) -> np.ndarray:
    """Conjugate gradients (Hestenes and Stiefel, 1952) for a Hermitian positive definite operator."""
    x = np.zeros(a.shape[1], y.dtype)
    residual, direction = y.copy(), y.copy()
    squared, goal = _squared(residual), tol * _norm(y)
    for iteration in range(1, most + 1):
        if math.sqrt(squared) <= goal:
            return x
        image = a._apply(direction)
        curvature = np.vdot(direction, image).real
        if not curvature > 0:
            raise np.linalg.LinAlgError(
                f"the operator is not positive definite: x.H @ A @ x = {curvature} in iteration {iteration}; "
                "method='lsqr' takes any operator"
            )
        step = squared / curvature
        x += step * direction
        residual -= step * image
        previous, squared = squared, _squared(residual)
        if report is not None:
            report(iteration, math.sqrt(squared))
        direction = residual + (squared / previous) * direction
    return _unfinished("cg", x, most, math.sqrt(squared), math.sqrt(squared) <= goal)


def cgls(a: Operator, y: np.ndarray, tol: float, most: int, report: Report | None) -> np.ndarray:
    """Conjugate gradients on the normal equations, in the form that keeps the residual (Björck, 1996, 7.4.1)."""
    adjoint = a.H
    x = np.zeros(a.shape[1], y.dtype)
    residual = y.copy()
    direction = gradient = adjoint._apply(residual)
    squared = _squared(gradient)
    goal, smallest = tol * math.sqrt(squared), tol * _norm(y)
    norm = _norm(y)
    for iteration in range(1, most + 1):
        if math.sqrt(squared) <= goal or norm <= smallest:
            return x
        image = a._apply(direction)
        step = squared / _squared(image)
        x += step * direction
        residual -= step * image
        gradient = adjoint._apply(residual)
        previous, squared, norm = squared, _squared(gradient), _norm(residual)
        if report is not None:
            report(iteration, norm)
        direction = gradient + (squared / previous) * direction
    return _unfinished("cg", x, most, norm, math.sqrt(squared) <= goal or norm <= smallest)


def lsqr(a: Operator, y: np.ndarray, tol: float, most: int, report: Report | None) -> np.ndarray:
    """Least squares by Golub and Kahan's bidiagonalisation (Paige and Saunders, 1982; their names)."""
    adjoint = a.H
    x = np.zeros(a.shape[1], y.dtype)
    beta, u = _unit(y)
    alpha, v = _unit(adjoint._apply(u))
    if alpha * beta == 0:
        return x
    w = v
    phi_bar, rho_bar, size, goal = beta, alpha, 0.0, tol * beta
    for iteration in range(1, most + 1):
        size = math.hypot(size, alpha)
        beta, u = _unit(a._apply(v) - alpha * u)
        size = math.hypot(size, beta)
        alpha, v = _unit(adjoint._apply(u) - beta * v)
        rho = math.hypot(rho_bar, beta)
        cosine, sine = rho_bar / rho, beta / rho
        theta, rho_bar = sine * alpha, -cosine * alpha
        phi, phi_bar = cosine * phi_bar, sine * phi_bar
        x += (phi / rho) * w
        w = v - (theta / rho) * w
        if report is not None:
            report(iteration, phi_bar)
        # phi_bar is the residual's norm, and phi_bar * alpha * |cosine| that of its gradient.
        if phi_bar <= goal or alpha * abs(cosine) <= tol * size:
            return x
    return _unfinished("lsqr", x, most, phi_bar, False)


def _unit(vector: np.ndarray) -> tuple[float, np.ndarray]:
    """Norm and direction; a vector of zeros stays as it is."""
    norm = _norm(vector)
    return norm, vector / vector.dtype.type(norm) if norm > 0 else vector


def _norm(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector))


def _squared(vector: np.ndarray) -> float:
    return float(np.vdot(vector, vector).real)


def _unfinished(method: str, x: np.ndarray, most: int, residual: float, done: bool) -> np.ndarray:
    if not done:
        warnings.warn(
            f"method={method!r} stopped after maxiter={most} iterations with a residual of {residual:.3g}",
            RuntimeWarning,
            stacklevel=5,
        )
    return x
