"""Transposes, products, sums, multiples and powers of operators."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from .. import _arguments
from . import _solvers
from ._base import Operator, Symbol, norm_dtype


class AlgebraicOperator(Operator):
    """An operator that can be composed, added, and multiplied by numbers."""

    __slots__ = ()

    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, Operator):
            return Product((self, other))
        return self._times(_arguments.array("x", other))

    def dot(self, other: Any) -> Any:
        """``A @ other``, or a multiple for a number, as SciPy's operators have it."""
        return self * other if _is_scalar(other) else self @ other

    def __add__(self, other: Any) -> Operator:
        return Sum((self, other)) if isinstance(other, Operator) else NotImplemented

    def __sub__(self, other: Any) -> Operator:
        return Sum((self, -other)) if isinstance(other, Operator) else NotImplemented

    def __neg__(self) -> Operator:
        return Multiple(np.negative(np.ones((), self.dtype)), self)

    def __mul__(self, other: Any) -> Operator:
        return Multiple(_factor(other, self.dtype), self) if _is_scalar(other) else NotImplemented

    __rmul__ = __mul__

    def __pow__(self, power: Any) -> Operator:
        count = _arguments.integer("power", power, "an integer of at least 0")
        _check_square(self, "a power")
        if count < 0:
            raise ValueError(f"power={power!r}: expected an integer of at least 0")
        return Product((self,) * count) if count > 1 else self if count else Identity(self)


class Transpose(AlgebraicOperator):
    """The transpose of an operator that has `_apply_transposed`, and row and column norms."""

    __slots__ = ("_base", "dtype", "shape")

    def __init__(self, base: Any) -> None:
        self._base = base
        self.shape = base.shape[::-1]
        self.dtype = base.dtype

    def _apply(self, x: np.ndarray) -> np.ndarray:
        return self._base._apply_transposed(x)

    @property
    def T(self) -> Operator:
        return self._base

    def conj(self) -> Operator:
        conjugate = self._base.conj()
        return self if conjugate is self._base else conjugate.T

    def todense(self) -> np.ndarray:
        return self._base.todense().T

    def tosparse(self, format: str = "csr", *, scipy: bool = False) -> Any:
        """The matrix in a sparse format, as ``conv_matrix`` makes it."""
        return self._base.tosparse({"csr": "csc", "csc": "csr"}.get(format, format), scipy=scipy).T

    def diagonal(self) -> np.ndarray:
        return self._base.diagonal()

    def column_norms(self) -> np.ndarray:
        return self._base.row_norms()

    def row_norms(self) -> np.ndarray:
        return self._base.column_norms()

    def _is_hermitian(self) -> bool:
        return self._base._is_hermitian()

    def _symbol(self) -> Symbol | None:
        symbol = self._base._symbol()
        return None if symbol is None else (symbol[0], _solvers.transposed_symbol(symbol[1]))

    def _described(self) -> str:
        return f", transpose of {self._base!r}"


class Identity(AlgebraicOperator):
    """The zeroth power of an operator, on the same torus if there is one."""

    __slots__ = ("_base", "dtype", "shape")

    def __init__(self, base: Operator) -> None:
        self._base = base
        self.shape = base.shape
        self.dtype = base.dtype

    def _apply(self, x: np.ndarray) -> np.ndarray:
        return x.astype(np.result_type(x.dtype, self.dtype))

    @property
    def T(self) -> Operator:
        return self

    def conj(self) -> Operator:
        return self

    def _is_hermitian(self) -> bool:
        return True

    def _symbol(self) -> Symbol | None:
        symbol = self._base._symbol()
        if symbol is None:
            return None
        torus, values = symbol
        return torus, np.broadcast_to(np.eye(values.shape[-1], dtype=values.dtype), values.shape)

    def diagonal(self) -> np.ndarray:
        return np.ones(self.shape[0], self.dtype)

    def column_norms(self) -> np.ndarray:
        return np.ones(self.shape[0], norm_dtype(self.dtype))


class Multiple(AlgebraicOperator):
    """A number times an operator."""

    __slots__ = ("_factor", "_operator", "dtype", "shape")

    def __init__(self, factor: np.ndarray, operator: Operator) -> None:
        self._factor = factor
        self._operator = operator
        self.shape = operator.shape
        self.dtype = np.result_type(factor, operator.dtype)

    def _apply(self, x: np.ndarray) -> np.ndarray:
        return self._operator._apply(in_dtype_of(self, x)) * self._factor

    @property
    def T(self) -> Operator:
        return Multiple(self._factor, self._operator.T)

    def conj(self) -> Operator:
        return Multiple(np.conjugate(self._factor), self._operator.conj())

    def _is_hermitian(self) -> bool:
        return bool(np.conjugate(self._factor) == self._factor) and self._operator._is_hermitian()

    def _symbol(self) -> Symbol | None:
        symbol = self._operator._symbol()
        return None if symbol is None else (symbol[0], symbol[1] * self._factor)

    def diagonal(self) -> np.ndarray:
        return self._operator.diagonal().astype(self.dtype, copy=False) * self._factor

    def column_norms(self) -> np.ndarray:
        if self.dtype.kind not in "fc":  # products may wrap
            return super().column_norms()
        norms = self._operator.column_norms() * float(np.abs(self._factor))
        return norms.astype(norm_dtype(self.dtype), copy=False)

    def _described(self) -> str:
        return f", {self._factor} * {self._operator!r}"


class Combination(AlgebraicOperator):
    """Of several operators; those of the same kind inside of it are taken apart."""

    __slots__ = ("_parts", "dtype", "shape")
    _sign = ""

    def __init__(self, parts: tuple[Operator, ...]) -> None:
        flat: list[Operator] = []
        for part in parts:
            flat.extend(part._parts if isinstance(part, type(self)) else (part,))
        self._parts = tuple(flat)
        self.dtype = np.result_type(*[part.dtype for part in flat])

    def conj(self) -> Operator:
        return type(self)(tuple([part.conj() for part in self._parts]))

    def _symbols(self) -> list[Symbol] | None:
        """Those of the parts, where all have one and on the same torus."""
        symbols = []
        for part in self._parts:
            symbol = part._symbol()
            if symbol is None or (symbols and symbol[0] != symbols[0][0]):
                return None
            symbols.append(symbol)
        return symbols

    def _described(self) -> str:
        return ", " + f" {self._sign} ".join(map(repr, self._parts))


class Product(Combination):
    """One after the other, the last one first."""

    __slots__ = ()
    _sign = "@"

    def __init__(self, parts: tuple[Operator, ...]) -> None:
        super().__init__(parts)
        for left, right in zip(self._parts, self._parts[1:]):
            if left.shape[1] != right.shape[0]:
                raise ValueError(
                    f"operators of shapes {left.shape} and {right.shape} have no product: expected {left.shape[1]} rows"
                )
        self.shape = (self._parts[0].shape[0], self._parts[-1].shape[1])

    def _apply(self, x: np.ndarray) -> np.ndarray:
        x = in_dtype_of(self, x)
        for part in reversed(self._parts):
            x = part._apply(x)
        return x

    @property
    def T(self) -> Operator:
        return Product(tuple([part.T for part in reversed(self._parts)]))

    def _is_hermitian(self) -> bool:
        """B^H B, and B^H M B with such an M."""
        parts = self._parts
        pairs = zip(parts[: len(parts) // 2], reversed(parts))
        middle = parts[len(parts) // 2] if len(parts) % 2 else None
        return (middle is None or middle._is_hermitian()) and all(are_adjoint(left, right) for left, right in pairs)

    def _symbol(self) -> Symbol | None:
        symbols = self._symbols()
        if symbols is None:
            return None
        result = symbols[0][1]
        for _, values in symbols[1:]:
            result = result @ values
        return symbols[0][0], result


class Sum(Combination):
    __slots__ = ()
    _sign = "+"

    def __init__(self, parts: tuple[Operator, ...]) -> None:
        super().__init__(parts)
        self.shape = self._parts[0].shape
        for part in self._parts[1:]:
            if part.shape != self.shape:
                raise ValueError(
                    f"operators of shapes {self.shape} and {part.shape} have no sum: expected equal shapes"
                )

    def _apply(self, x: np.ndarray) -> np.ndarray:
        x = in_dtype_of(self, x)
        first, *others = self._parts
        result = first._apply(x)
        for part in others:
            result += part._apply(x)
        return result

    @property
    def T(self) -> Operator:
        return Sum(tuple([part.T for part in self._parts]))

    def _is_hermitian(self) -> bool:
        return all(part._is_hermitian() for part in self._parts)

    def _symbol(self) -> Symbol | None:
        symbols = self._symbols()
        return None if symbols is None else (symbols[0][0], sum(values for _, values in symbols))

    def diagonal(self) -> np.ndarray:
        result = self._parts[0].diagonal().astype(self.dtype)
        for part in self._parts[1:]:
            result += part.diagonal()
        return result


def in_dtype_of(operator: Operator, x: np.ndarray) -> np.ndarray:
    """x in the dtype of the product: no part of a combination may round or wrap before the whole would."""
    return x.astype(np.result_type(operator.dtype, x.dtype), copy=False)


def are_adjoint(left: Operator, right: Operator) -> bool:
    """Whether two parts are known to be each other's adjoint."""
    if isinstance(left, Transpose):
        left, right = right, left
    if isinstance(left, Transpose) or not isinstance(right, Transpose):
        return left is right and left._is_hermitian()
    return right._base is left.conj()


def _is_scalar(value: Any) -> bool:
    return (
        isinstance(value, numbers.Number) or np.isscalar(value) or (isinstance(value, np.ndarray) and value.ndim == 0)
    )


def _factor(value: Any, dtype: np.dtype) -> np.ndarray:
    """A number as NumPy would have it beside an array of that dtype."""
    if isinstance(value, (str, bytes)):
        raise TypeError(f"factor={value!r}: expected a number")
    product = value * np.ones((), dtype)
    return np.asarray(product, np.result_type(dtype, np.asarray(product).dtype))


def _check_square(operator: Operator, what: str) -> None:
    if operator.shape[0] != operator.shape[1]:
        raise ValueError(f"{what} of an operator of shape {operator.shape}: expected a square one")
