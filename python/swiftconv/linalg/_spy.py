"""`spy`: a picture of what stands where in a convolution's matrix."""

from __future__ import annotations

from math import ceil, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _arguments
from ._algebra import Transpose
from ._base import Operator
from ._operator import ConvOperator
from ._sparse import SparseMatrix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    Ints = Union[int, Sequence[int]]

# Up to these: cells of a matrix that are drawn as squares, points of a larger one, numbers in cells, labels of a side.
_CELLS, _POINTS, _WRITTEN, _NAMED = 1 << 14, 1 << 20, 400, 16
_AXIS_NAMES = ("outputs", "samples")
_BLOCK_NAMES = ("output row", "image row")
# In inches: a cell, and the least and largest side of a new figure.
_CELL, _LEAST, _LARGEST = 0.32, 3.0, 10.0


def spy(
    matrix: Any,
    *,
    blocks: Ints | None = None,
    values: bool = True,
    ax: Axes | None = None,
    cmap: str | Colormap = "viridis",
    labels: Sequence[str] | None = None,
) -> Axes:
    """
    Draw the structure of a convolution's matrix with matplotlib.

    Cells have the colour of the kernel's tap that stands there: equal values have equal colours, and zeros are blank.
    Lines lie at the borders of blocks.

    Parameters
    ----------
    matrix : array_like, SparseMatrix, scipy.sparse array or ConvOperator
        Of shape (outputs, samples). Of an operator and of a sparse matrix only stored entries are looked at.
    blocks : int or pair of int, optional
        Rows and columns of a block: those of the matrix of a 1-D convolution along the last axis. Default: what a
        `ConvOperator` of several axes and the 'bsr' format know of themselves, else no borders. For an image (m, n),
        a filter (p, q) and mode 'full' they are ``(n + q - 1, n)``.
    values : bool, optional
        Write the values into the cells, as long as there are at most 400.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: axes of a new figure, large enough for the numbers.
    cmap : str or Colormap, optional
        Colours, from the least to the largest value.
    labels : pair of str, optional
        What a block row and a block column are called; a number follows. Default 'output row' and 'image row', and
        'output' and 'image' with the indices along all axes but the last where there are more than two.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        A `matrix` that has not two axes, is empty, or has over 2**20 (1048576) entries to draw; `blocks` that do not
        divide it.
    TypeError
        A `matrix` that is no matrix, an option of the wrong type.

    Notes
    -----
    A matrix of up to 2**14 cells, 128 x 128, is drawn as an image. A larger one is drawn as one point for each entry,
    and no dense matrix is made of it: it may have 2**20 entries. Sums and products of operators have to be small
    enough for an image.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use('Agg')  # without a display
    >>> import swiftconv
    >>> from swiftconv.linalg import ConvOperator, conv_matrix, spy
    >>> ax = spy(conv_matrix([[1, 2], [3, 4]], (3, 3)), blocks=(4, 3))
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['output row 0', 'output row 1', 'output row 2', 'output row 3']
    >>> ax = spy(ConvOperator([[1, 2], [3, 4]], (3, 3)))  # the same picture
    >>> ax.figure.savefig('matrix.png')  # doctest: +SKIP
    """
    names = _names(labels)
    picture = _picture(matrix)
    if blocks is not None:
        picture = picture.with_blocks(_arguments.per_axis("blocks", blocks, 2, "side of the matrix"))
    if ax is None:
        ax = _new_axes(picture.shape)
    numbers, count = _numbered(picture.values)
    drawn = _as_cells if prod(picture.shape) <= _CELLS else _as_points
    colours = drawn(ax, picture, numbers, {"cmap": cmap, "vmin": 0, "vmax": max(count - 1, 1)})
    rows, columns = picture.shape
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal")
    ax.set(xlabel=picture.axis_names[1], ylabel=picture.axis_names[0])
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    if drawn is _as_cells and values and len(picture.values) <= _WRITTEN:
        _write(ax, picture, colours.to_rgba(numbers))
    _mark_blocks(ax, picture, names)
    return ax


# ---- What there is to draw -------------------------------------------------------------------------------------------


class _Side(NamedTuple):
    """Blocks of one side of a matrix: how many, in their own axes, rows or columns in each, and a name."""

    counts: tuple[int, ...]
    extent: int
    name: str

    def texts(self, name: str | None, step: int) -> list[str]:
        """A text for every `step`-th block."""
        name = self.name if name is None else name
        places = np.stack(np.unravel_index(np.arange(0, prod(self.counts), step), self.counts), axis=1).tolist()
        return [f"{name} {place[0] if len(place) == 1 else tuple(place)}" for place in places]


class _Picture(NamedTuple):
    """The entries that are not zero, and the blocks that the matrix knows of."""

    shape: tuple[int, int]
    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    sides: tuple[_Side, _Side] | None = None
    axis_names: tuple[str, str] = _AXIS_NAMES

    def with_blocks(self, blocks: tuple[int, ...]) -> _Picture:
        """With blocks of that many rows and columns; none where one is the whole matrix."""
        if min(blocks) < 1 or any(extent % block for extent, block in zip(self.shape, blocks)):
            raise ValueError(f"blocks={blocks} for a matrix of shape {self.shape}: expected divisors of rows, columns")
        if blocks == self.shape:
            return self._replace(sides=None)
        rows, columns = (
            _Side((extent // block,), block, name) for extent, block, name in zip(self.shape, blocks, _BLOCK_NAMES)
        )
        return self._replace(sides=(rows, columns))

    def transposed(self) -> _Picture:
        return _Picture(
            self.shape[::-1],
            self.columns,
            self.rows,
            self.values,
            None if self.sides is None else self.sides[::-1],
            self.axis_names[::-1],
        )


def _picture(matrix: Any) -> _Picture:
    if isinstance(matrix, Transpose):
        return _picture(matrix.T).transposed()
    if isinstance(matrix, ConvOperator):
        _check_count(min(matrix.shape[0] * matrix._weight[0].size, prod(matrix.shape)), "up to ")
        return _of_sparse(matrix.tosparse("coo"))._replace(sides=_sides(matrix))
    if isinstance(matrix, Operator):
        if prod(matrix.shape) > _CELLS:
            raise ValueError(f"matrix is {matrix!r}: expected at most {_CELLS} cells of a sum or product of operators")
        return _of_dense(matrix.todense())
    if isinstance(matrix, SparseMatrix):
        return _of_sparse(matrix)
    if hasattr(matrix, "tocoo"):
        return _of_scipy(matrix)
    return _of_dense(_arguments.array("matrix", matrix))


def _of_dense(matrix: np.ndarray) -> _Picture:
    _check_shape(matrix.shape)
    _check_count(int(np.count_nonzero(matrix)))
    rows, columns = np.nonzero(matrix)
    return _Picture(matrix.shape, rows, columns, matrix[rows, columns])


def _of_sparse(matrix: SparseMatrix) -> _Picture:
    _check_shape(matrix.shape)
    _check_count(int(np.count_nonzero(matrix.data)))
    there = np.nonzero(matrix.data)
    data = matrix.data[there]
    if matrix.format == "coo":
        return _Picture(matrix.shape, matrix.row[there], matrix.col[there], data)
    lines, crossed = matrix._lines()[there[0]], matrix.indices[there[0]]
    if matrix.format == "csc":
        return _Picture(matrix.shape, crossed, lines, data)
    if matrix.format == "csr":
        return _Picture(matrix.shape, lines, crossed, data)
    _, height, width = matrix.data.shape
    whole = _Picture(matrix.shape, lines * height + there[1], crossed * width + there[2], data)
    return whole.with_blocks((height, width))


def _of_scipy(matrix: Any) -> _Picture:
    _check_shape(matrix.shape)
    entries = matrix.tocoo(copy=False)
    _check_count(int(np.count_nonzero(entries.data)))
    entries = entries.copy()  # the user's own stays as it is
    entries.sum_duplicates()
    picture = _of_sparse(SparseMatrix("coo", entries.shape, entries.data, row=entries.row, col=entries.col))
    blocks = getattr(matrix, "blocksize", (1, 1))
    return picture if blocks == (1, 1) else picture.with_blocks(blocks)


def _sides(operator: ConvOperator) -> tuple[_Side, _Side] | None:
    """The blocks of a convolution along several axes, channels included: those of the last axis."""
    shapes = operator.output_shape, operator.input_shape
    if len(shapes[0]) == 1 or shapes == (shapes[0][-1:], shapes[1][-1:]):
        return None
    is_plain_image = len(shapes[0]) == 2 and operator._options["channels"] is None
    names = _BLOCK_NAMES if is_plain_image else ("output", "image")
    rows, columns = (_Side(shape[:-1], shape[-1], name) for shape, name in zip(shapes, names))
    return rows, columns


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"matrix has shape {shape}: expected two axes, neither of them empty")


def _check_count(count: int, about: str = "") -> None:
    if count > _POINTS:
        raise ValueError(
            f"matrix has {about}{count} entries to draw: expected at most {_POINTS}; that of a smaller image has "
            "the same structure"
        )


def _names(labels: Any) -> tuple[str | None, str | None]:
    if labels is None:
        return None, None
    if not isinstance(labels, (tuple, list)) or list(map(type, labels)) != [str, str]:
        raise TypeError(f"labels={labels!r}: expected None or two strings")
    return tuple(labels)


def _numbered(values: np.ndarray) -> tuple[np.ndarray, int]:
    """For each value its rank among the different ones, and how many of these there are."""
    different, numbers = np.unique(values, return_inverse=True)
    return numbers.reshape(-1), len(different)


# ---- Drawing ---------------------------------------------------------------------------------------------------------


def _new_axes(shape: tuple[int, int]) -> Axes:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("spy needs matplotlib: pip install matplotlib") from error
    height, width = (min(max(_CELL * extent + 1, _LEAST), _LARGEST) for extent in shape)
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def _as_cells(ax: Axes, picture: _Picture, numbers: np.ndarray, colours: dict[str, Any]) -> Any:
    cells = np.ma.masked_all(picture.shape, int)
    cells[picture.rows, picture.columns] = numbers
    return ax.imshow(cells, interpolation="nearest", **colours)


def _as_points(ax: Axes, picture: _Picture, numbers: np.ndarray, colours: dict[str, Any]) -> Any:
    side = max(_cell_in_points(ax, picture.shape), 1.0)
    return ax.scatter(
        picture.columns, picture.rows, c=numbers, s=side * side, marker="s", linewidths=0, rasterized=True, **colours
    )


def _cell_in_points(ax: Axes, shape: tuple[int, int]) -> float:
    return min(ax.bbox.width / shape[1], ax.bbox.height / shape[0]) * 72 / ax.figure.dpi


def _write(ax: Axes, picture: _Picture, colours: np.ndarray) -> None:
    texts = [_text(value) for value in picture.values]
    # A digit is some 0.6 of the font's size wide.
    size = min(10.0, _cell_in_points(ax, picture.shape) * min(0.6, 1.5 / max(map(len, texts), default=1)))
    is_dark = colours[:, :3] @ [0.299, 0.587, 0.114] < 0.55
    for row, column, text, dark in zip(picture.rows, picture.columns, texts, is_dark):
        ax.text(column, row, text, color="white" if dark else "black", size=size, ha="center", va="center")


def _text(value: Any) -> str:
    kind = np.asarray(value).dtype.kind
    if kind == "b":
        return "1"
    return f"{value}" if kind in "iuO" else f"{value:.3g}" if kind in "fc" else f"{float(value):.3g}"


def _mark_blocks(ax: Axes, picture: _Picture, names: tuple[str | None, str | None]) -> None:
    if picture.sides is None:
        from matplotlib.ticker import MaxNLocator

        for axis in ax.xaxis, ax.yaxis:
            axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        return
    rows, columns = picture.sides
    cell = _cell_in_points(ax, picture.shape)
    for lines, side, length in (ax.hlines, rows, picture.shape[1]), (ax.vlines, columns, picture.shape[0]):
        borders = np.arange(1, prod(side.counts)) * side.extent - 0.5
        lines(borders, -0.5, length - 0.5, colors="0.3", linewidths=min(1.0, 0.1 * cell * side.extent))
    for axis, side, name in (ax.yaxis, rows, names[0]), (ax.xaxis, columns, names[1]):
        step = ceil(prod(side.counts) / _NAMED)
        texts = side.texts(name, step)
        axis.set_ticks(np.arange(len(texts)) * step * side.extent + (side.extent - 1) / 2, texts)
        axis.set_tick_params(labelsize=8, length=0)
        too_wide = max(map(len, texts)) * 5 > cell * side.extent * step
        if axis is ax.xaxis and too_wide:
            axis.set_tick_params(labelrotation=90)
