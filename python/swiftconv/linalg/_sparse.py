"""Sparse matrices as plain arrays: what `conv_matrix` returns without SciPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arguments, _memory

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

# Products that are held at a time.
_CHUNK = 1 << 18
_TRANSPOSED = {"csr": "csc", "csc": "csr", "coo": "coo"}


class SparseMatrix:
    """
    A sparse matrix in one of SciPy's formats, for use without SciPy.

    Attributes
    ----------
    format : {'csr', 'csc', 'coo', 'bsr'}
        How the entries are stored.
    shape : tuple of two int
        Rows and columns.
    data : ndarray, shape (nnz,), or (blocks, r, c) for 'bsr'
        The entries' values.
    indices : ndarray of int32 or int64
        'csr': the column of each entry, ascending in each row; 'csc': its row; 'bsr': the block column of each block.
    indptr : ndarray of int32 or int64
        Where the entries of each row ('csc': column; 'bsr': block row) begin, and the number of all.
    row, col : ndarray of int32 or int64
        'coo' has these two instead: the row and the column of each entry.

    Notes
    -----
    The arrays are SciPy's own form (`scipy.sparse.csr_array` and its like, canonical: sorted, no entry twice), and
    `to_scipy` shares them. Entries whose value is zero are stored too.

    Examples
    --------
    >>> import swiftconv
    >>> matrix = swiftconv.linalg.conv_matrix([1, 2], (3,), format='csr')
    >>> matrix.indptr, matrix.indices, matrix.data
    (array([0, 1, 3, 5, 6], dtype=int32), array([0, 0, 1, 1, 2, 2], dtype=int32), array([1, 2, 1, 2, 1, 2]))
    >>> matrix @ [1, 10, 100]
    array([  1,  12, 120, 200])
    """

    __array_priority__ = 15.0  # NumPy's arrays leave `array @ matrix` to it
    __array_ufunc__ = None
    ndim = 2

    def __init__(
        self,
        format: str,
        shape: tuple[int, int],
        data: np.ndarray,
        indices: np.ndarray | None = None,
        indptr: np.ndarray | None = None,
        *,
        row: np.ndarray | None = None,
        col: np.ndarray | None = None,
    ) -> None:
        self.format = format
        self.shape = shape
        self.data = data
        if format == "coo":
            self.row, self.col = row, col
        else:
            self.indices, self.indptr = indices, indptr

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    @property
    def nnz(self) -> int:
        """Stored entries; of 'bsr' those of all blocks."""
        return self.data.size

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self._arrays())

    @property
    def T(self) -> SparseMatrix:
        """The transpose, which shares the arrays ('bsr': has the blocks transposed, and others)."""
        shape = self.shape[::-1]
        if self.format == "coo":
            return SparseMatrix("coo", shape, self.data, row=self.col, col=self.row)
        if self.format != "bsr":
            return SparseMatrix(_TRANSPOSED[self.format], shape, self.data, self.indices, self.indptr)
        order = np.argsort(self.indices, kind="stable")
        counts = np.bincount(self.indices, minlength=self.shape[1] // self.data.shape[2])
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(self.indptr.dtype)
        lines = self._lines()[order].astype(self.indices.dtype)
        return SparseMatrix("bsr", shape, np.ascontiguousarray(self.data[order].swapaxes(1, 2)), lines, indptr)

    def conj(self) -> SparseMatrix:
        """The complex conjugate; itself where it is real."""
        if self.dtype.kind != "c":
            return self
        if self.format == "coo":
            return SparseMatrix("coo", self.shape, self.data.conj(), row=self.row, col=self.col)
        return SparseMatrix(self.format, self.shape, self.data.conj(), self.indices, self.indptr)

    @property
    def H(self) -> SparseMatrix:
        """The conjugate transpose."""
        return self.T.conj()

    def __matmul__(self, other: Any) -> np.ndarray:
        """The product with a vector (columns,) or a matrix (columns, k), dense."""
        other = _arguments.array("other", other)
        if other.ndim not in (1, 2) or other.shape[0] != self.shape[1]:
            raise ValueError(
                f"other has shape {other.shape}: expected ({self.shape[1]},) or ({self.shape[1]}, k), for a matrix of "
                f"shape {self.shape}"
            )
        if other.ndim == 2 and other.shape[1] != 1:
            columns = [self @ other[:, j] for j in range(other.shape[1])]
            dtype = np.result_type(self.dtype, other.dtype)
            return np.stack(columns, axis=1) if columns else np.empty((self.shape[0], 0), dtype)
        return self._times(other.reshape(-1)).reshape(self.shape[0], *other.shape[1:])

    def __rmatmul__(self, other: Any) -> np.ndarray:
        """The product of a vector (rows,) or a matrix (k, rows) with it."""
        return (self.T @ np.asarray(other).T).T

    def _times(self, x: np.ndarray) -> np.ndarray:
        result = np.zeros(self.shape[0], np.result_type(self.dtype, x.dtype))
        if self.format == "bsr":
            self._add_blocks(x, result)
        elif self.format == "csr":
            self._add_rows(x, result)
        else:
            rows, columns = (self.row, self.col) if self.format == "coo" else (self.indices, self._lines())
            add = np.logical_or.at if result.dtype.kind == "b" else np.add.at
            for first in range(0, len(self.data), _CHUNK):
                part = slice(first, first + _CHUNK)
                add(result, rows[part], self.data[part] * x[columns[part]])
        return result

    def _add_rows(self, x: np.ndarray, result: np.ndarray) -> None:
        """Rows are summed up, as many whole ones at a time as a chunk holds."""
        first = 0
        while first < self.shape[0]:
            limit = int(self.indptr[first]) + _CHUNK
            end = max(int(np.searchsorted(self.indptr, limit, side="right")) - 1, first + 1)
            begin, stop = int(self.indptr[first]), int(self.indptr[end])
            products = self.data[begin:stop] * x[self.indices[begin:stop]]
            result[first:end] = _sums(products, self.indptr[first : end + 1] - begin, result.dtype)
            first = end

    def _add_blocks(self, x: np.ndarray, result: np.ndarray) -> None:
        blocks, height, width = self.data.shape
        parts, pieces = result.reshape(-1, height), x.reshape(-1, width)
        lines = self._lines()
        step = max(1, _CHUNK // max(height * width, 1))
        add = np.logical_or.at if result.dtype.kind == "b" else np.add.at
        for first in range(0, blocks, step):
            part = slice(first, first + step)
            add(parts, lines[part], np.matmul(self.data[part], pieces[self.indices[part], :, np.newaxis])[..., 0])

    def _lines(self) -> np.ndarray:
        """Of each entry ('bsr': block) the row that `indptr` puts it in; of 'csc' the column."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=self.indptr.dtype), np.diff(self.indptr))

    def todense(self) -> np.ndarray:
        """
        The whole matrix as an array.

        Raises
        ------
        MemoryError
            Memory cannot hold it; the message says how many bytes it takes.
        """
        _memory.require(self.shape[0] * self.shape[1] * self.dtype.itemsize, f"a matrix of shape {self.shape}")
        dense = np.zeros(self.shape, self.dtype)
        if self.format == "bsr":
            _, height, width = self.data.shape
            blocked = dense.reshape(-1, height, self.shape[1] // width, width)
            blocked[self._lines(), :, self.indices] = self.data
        elif self.format == "coo":
            dense[self.row, self.col] = self.data
        elif self.format == "csr":
            dense[self._lines(), self.indices] = self.data
        else:
            dense[self.indices, self._lines()] = self.data
        return dense

    toarray = todense

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a sparse matrix becomes an array by a copy alone")
        return self.todense() if dtype is None else self.todense().astype(dtype)

    def to_scipy(self) -> Any:
        """
        SciPy's own sparse array of the same format, which shares the arrays.

        Raises
        ------
        ImportError
            SciPy is not installed.
        """
        try:
            from scipy import sparse
        except ImportError as error:
            raise ImportError("to_scipy() and scipy=True need SciPy: pip install scipy") from error
        if self.format == "coo":
            result = sparse.coo_array((self.data, (self.row, self.col)), shape=self.shape)
        else:
            kind = {"csr": sparse.csr_array, "csc": sparse.csc_array, "bsr": sparse.bsr_array}[self.format]
            result = kind((self.data, self.indices, self.indptr), shape=self.shape)
            result.has_sorted_indices = True
        result.has_canonical_format = True
        return result

    def _arrays(self) -> tuple[np.ndarray, ...]:
        if self.format == "coo":
            return self.data, self.row, self.col
        return self.data, self.indices, self.indptr

    def __repr__(self) -> str:
        blocks = f", {len(self.data)} blocks of {self.data.shape[1:]}" if self.format == "bsr" else ""
        return f"<SparseMatrix {self.format}, shape {self.shape}, {self.nnz} entries of {self.dtype}{blocks}>"


def _sums(products: np.ndarray, begins: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Sums of runs, zero of empty ones."""
    sums = np.zeros(len(begins) - 1, dtype)
    there = np.flatnonzero(begins[1:] > begins[:-1])
    if len(there):
        add = np.logical_or if dtype.kind == "b" else np.add
        sums[there] = add.reduceat(products, begins[:-1][there], dtype=dtype)
    return sums
