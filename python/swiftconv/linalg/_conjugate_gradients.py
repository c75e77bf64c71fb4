"""Conjugate gradients for Hermitian positive definite Toeplitz systems, preconditioned by a circulant matrix."""

from __future__ import annotations

import numpy as np

from ._fft import cyclic_size, good_size, inverse, transform
from ._products import first_row, toeplitz_spectrum

# Starts anew from the residual as it is: the one that is updated from step to step drifts away from it.
_STARTS = 4
# A residual of so many roundings of the norms of A and x is as good as any.
_ROUNDINGS = 8 * float(np.finfo(np.float64).eps)


def solve_positive_definite(c: np.ndarray, b: np.ndarray, tol: float, steps: int) -> tuple[np.ndarray | None, float]:
    """Solutions for first column `c` and right-hand sides b, shape (N, K), and the largest relative residual.

    None for solutions that miss `tol`, or if the matrix turns out not to be positive definite.
    """
    system = _System(c)
    b = np.ascontiguousarray(b.T)
    norms = np.linalg.norm(b, axis=-1)
    norms[norms == 0] = 1  # then the solution is 0, with no step
    if not system.is_definite or not np.isfinite(norms).all():
        return None, 1.0
    x, residual, errors = np.zeros_like(b), b, norms
    for _ in range(_STARTS):
        correction, taken = system.descend(residual, tol * norms, steps)
        steps -= taken
        x += correction
        residual = b - system.product(x)
        before, errors = errors, np.linalg.norm(residual, axis=-1)
        if (errors <= np.maximum(tol * norms, _ROUNDINGS * system.norm * np.linalg.norm(x, axis=-1))).all():
            return np.ascontiguousarray(x.T), float((errors / norms).max())
        if steps <= 0 or not (errors <= 0.5 * before).any():
            break
    return None, float((errors / norms).max())


class _System:
    """A Hermitian Toeplitz matrix and its preconditioner, as eigenvalues of circulant ones. Vectors are rows."""

    def __init__(self, c: np.ndarray):
        self.n = n = c.size
        self.real = c.dtype.kind != "c"
        self.size = good_size(2 * n - 1, self.real)
        row = c.conj()
        self.spectrum = toeplitz_spectrum(c, row, self.size, self.real)
        self.norm = float(np.abs(self.spectrum).max())  # at least the matrix's
        # T. Chan's: of each diagonal and the one that wraps around to it, the mean over their elements.
        above = np.concatenate((c[:1], row[:0:-1]))
        places = np.arange(n) / n
        eigenvalues = transform((1 - places) * c + places * above, n, self.real).real
        self.is_definite = bool(eigenvalues.min() > 0)
        if self.is_definite:
            inverses = inverse(1 / eigenvalues.astype(self.spectrum.dtype), n, self.real)
            # At a length of small prime factors, if N has others.
            self.cyclic = cyclic_size(n, self.real)
            if self.cyclic == n:
                self.preconditioner = 1 / eigenvalues
            else:
                self.preconditioner = toeplitz_spectrum(inverses, first_row(inverses), self.cyclic, self.real)

    def product(self, x: np.ndarray) -> np.ndarray:
        return self._multiply(self.spectrum, x, self.size)

    def precondition(self, x: np.ndarray) -> np.ndarray:
        return self._multiply(self.preconditioner, x, self.cyclic)

    def _multiply(self, spectrum: np.ndarray, x: np.ndarray, size: int) -> np.ndarray:
        return inverse(spectrum * transform(x, size, self.real), size, self.real)[..., : self.n]

    def descend(self, b: np.ndarray, limits: np.ndarray, steps: int) -> tuple[np.ndarray, int]:
        """Approximate solutions, and how many steps they took. Right-hand sides that are done stay as they are."""
        x = np.zeros_like(b)
        residual = b.copy()
        z = self.precondition(residual)
        direction = z.copy()
        energy = _dots(residual, z)
        for step in range(steps):
            open_sides = np.linalg.norm(residual, axis=-1) > limits
            if not open_sides.any():
                return x, step
            image = self.product(direction)
            curvature = _dots(direction, image)
            if not (curvature[open_sides] > 0).all():  # not positive definite, or not finite
                return x, steps
            length = np.where(open_sides, energy, 0) / np.where(open_sides, curvature, 1)
            x += length[:, np.newaxis] * direction
            residual -= length[:, np.newaxis] * image
            z = self.precondition(residual)
            new = _dots(residual, z)
            turn = np.where(open_sides, new, 0) / np.where(open_sides & (energy != 0), energy, 1)
            direction *= turn[:, np.newaxis]
            direction += z
            energy = new
        return x, steps


def _dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The real parts of the rows' inner products."""
    return np.einsum("ij,ij->i", a.conj(), b).real
