"""spy: what stands in the picture, for every kind of matrix that it takes."""

import sys
from fractions import Fraction

import numpy as np
import pytest
from swiftconv.linalg import ConvOperator, SparseMatrix, conv_matrix, spy

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

FILTER = np.array([[1, 2], [3, 4]])
MATRIX = conv_matrix(FILTER, (3, 3))  # 16 x 9, of blocks of 4 x 3


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    pyplot.close("all")


def cells(ax):
    (image,) = ax.images
    return image.get_array()


def written(ax, shape):
    """The numbers in the cells, as a matrix."""
    result = np.zeros(shape)
    for text in ax.texts:
        column, row = text.get_position()
        result[row, column] = float(text.get_text())
    return result


def borders(ax):
    """The rows and the columns before which lines lie."""
    segments = [segment for lines in ax.collections for segment in lines.get_segments()]
    rows = sorted(a[1] + 0.5 for a, b in segments if a[1] == b[1])
    columns = sorted(a[0] + 0.5 for a, b in segments if a[0] == b[0])
    return rows, columns


def names(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def same_picture(left, right):
    np.testing.assert_array_equal(cells(left).filled(-1), cells(right).filled(-1))
    assert borders(left) == borders(right)
    assert names(left.xaxis) == names(right.xaxis) and names(left.yaxis) == names(right.yaxis)
    texts = ({(text.get_position(), text.get_text()) for text in ax.texts} for ax in (left, right))
    assert next(texts) == next(texts)
    assert (left.get_xlabel(), left.get_ylabel()) == (right.get_xlabel(), right.get_ylabel())


def test_cells_and_values():
    ax = spy(MATRIX)
    assert isinstance(ax, Axes)
    assert cells(ax).shape == (16, 9) and cells(ax).count() == 4 * 9
    np.testing.assert_array_equal(cells(ax).mask, MATRIX == 0)
    np.testing.assert_array_equal(cells(ax).compressed(), MATRIX[MATRIX != 0] - 1)  # ranks of 1, 2, 3, 4
    np.testing.assert_array_equal(written(ax, MATRIX.shape), MATRIX)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("samples", "outputs")
    assert borders(ax) == ([], [])
    assert ax.get_xlim() == (-0.5, 8.5) and ax.get_ylim() == (15.5, -0.5)  # the first row on top


def test_equal_values_have_equal_colours():
    matrix = conv_matrix([7.5, -1, 7.5], 5)
    image = spy(matrix).images[0]
    colours = image.to_rgba(cells(image.axes).filled(-1))
    (first,), (second,) = (np.unique(colours[matrix == value], axis=0) for value in (7.5, -1))
    assert not np.array_equal(first, second)


def test_blocks():
    ax = spy(MATRIX, blocks=(4, 3))
    assert borders(ax) == ([4, 8, 12], [3, 6])
    assert names(ax.yaxis) == [f"output row {i}" for i in range(4)]
    assert names(ax.xaxis) == [f"image row {j}" for j in range(3)]
    np.testing.assert_array_equal(ax.get_yticks(), [1.5, 5.5, 9.5, 13.5])  # in the middle of the blocks
    np.testing.assert_array_equal(ax.get_xticks(), [1, 4, 7])


def test_blocks_by_one_number_and_one_block():
    wrapped = conv_matrix(FILTER, (3, 3), "same", boundary="wrap")
    assert borders(spy(wrapped, blocks=3)) == ([3, 6], [3, 6])
    assert borders(spy(wrapped, blocks=9)) == ([], [])
    assert borders(spy(wrapped, blocks=(9, 3))) == ([], [3, 6])


def test_an_operator_knows_its_blocks():
    same_picture(spy(ConvOperator(FILTER, (3, 3))), spy(MATRIX, blocks=(4, 3)))


def test_a_rectangular_operator():
    operator = ConvOperator(np.ones((2, 3)), (4, 5), "valid", stride=(1, 2))
    assert operator.shape == (3 * 2, 4 * 5)
    assert borders(spy(operator)) == ([2, 4], [5, 10, 15])


def test_given_blocks_replace_those_of_an_operator():
    ax = spy(ConvOperator(FILTER, (3, 3)), blocks=(8, 9))
    assert borders(ax) == ([8], [])
    assert names(ax.xaxis) == ["image row 0"]


def test_one_axis_has_no_blocks():
    assert borders(spy(ConvOperator([1, 2, 3], 4))) == ([], [])
    assert borders(spy(conv_matrix([1, 2, 3], 4, format="bsr"))) == ([], [])


def test_the_transpose_of_an_operator():
    ax = spy(ConvOperator(FILTER, (3, 3)).T)
    np.testing.assert_array_equal(written(ax, (9, 16)), MATRIX.T)
    assert borders(ax) == ([3, 6], [4, 8, 12])
    assert names(ax.yaxis) == [f"image row {j}" for j in range(3)]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("outputs", "samples")


def test_channels_are_block_indices():
    weight = np.arange(1, 17).reshape(2, 2, 2, 2)
    ax = spy(ConvOperator(weight, (3, 3), "valid", channels=2, operation="correlate"))
    assert borders(ax) == ([2, 4, 6], [3, 6, 9, 12, 15])
    assert names(ax.yaxis) == [f"output ({k}, {i})" for k in range(2) for i in range(2)]
    assert names(ax.xaxis)[-1] == "image (1, 2)"


def test_channels_of_one_axis():
    ax = spy(ConvOperator(np.ones((2, 1, 3)), 5, "valid", channels=1))
    assert names(ax.yaxis) == ["output 0", "output 1"] and names(ax.xaxis) == ["image 0"]
    assert borders(ax) == ([3], [])


def test_three_axes():
    ax = spy(ConvOperator(np.ones((2, 1, 2)), (2, 2, 3)))
    assert names(ax.xaxis) == [f"image ({i}, {j})" for i in range(2) for j in range(2)]


@pytest.mark.parametrize("format", ["csr", "csc", "coo", "bsr"])
@pytest.mark.parametrize("scipy", [False, True])
def test_sparse(format, scipy):
    if scipy:
        pytest.importorskip("scipy")
    kernel = np.array([[1, 0], [3, 4]])  # a stored zero is blank too
    options = {"blocks": (4, 3)}
    same_picture(
        spy(conv_matrix(kernel, (3, 3), format=format, scipy=scipy), **options),
        spy(conv_matrix(kernel, (3, 3)), **options),
    )


@pytest.mark.parametrize("scipy", [False, True])
def test_bsr_knows_its_blocks(scipy):
    if scipy:
        pytest.importorskip("scipy")
    same_picture(spy(conv_matrix(FILTER, (3, 3), format="bsr", scipy=scipy)), spy(MATRIX, blocks=(4, 3)))


def test_scipy_entries_that_stand_twice_are_added():
    sparse = pytest.importorskip("scipy.sparse")
    twice = sparse.coo_array(([1.0, 2.0, 5.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    np.testing.assert_array_equal(written(spy(twice), (2, 2)), [[0, 3], [5, 0]])
    assert twice.nnz == 3


@pytest.mark.parametrize("kind", ["lil", "dok", "dia", "csr"])
def test_other_formats_of_scipy(kind):
    sparse = pytest.importorskip("scipy.sparse")
    same_picture(spy(sparse.coo_matrix(MATRIX).asformat(kind)), spy(MATRIX))


def test_sums_and_products_of_operators():
    first = ConvOperator(FILTER, (3, 3), "same")
    second = ConvOperator(FILTER.T, (3, 3), "same")
    for made in first @ second, first + second, 2 * first:
        same_picture(spy(made), spy(made.todense()))
        assert borders(spy(made, blocks=3)) == ([3, 6], [3, 6])


def test_lists():
    assert cells(spy([[1, 0], [2, 1]])).count() == 3


@pytest.mark.parametrize(
    ("matrix", "texts"),
    [
        (np.array([[0.5, 0], [1 / 3, 1e-9]]), ["0.5", "0.333", "1e-09"]),
        (np.array([[True, False], [False, True]]), ["1", "1"]),
        (np.array([[1 + 2j, 0], [0, -1j]]), ["1+2j", "-0-1j"]),
        (np.array([[Fraction(1, 3), 0], [0, Fraction(1, 7)]]), ["1/3", "1/7"]),
        (np.array([[np.nan, 0.0], [-0.0, np.inf]]), ["nan", "inf"]),
        (np.array([[-3, 0], [0, 12]], np.int8), ["-3", "12"]),
    ],
)
def test_dtypes(matrix, texts):
    assert [text.get_text() for text in spy(matrix).texts] == texts


def test_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    texts = spy(conv_matrix(np.array([0.5, 2], ml_dtypes.bfloat16), 1)).texts
    assert [text.get_text() for text in texts] == ["0.5", "2"]


def test_a_matrix_of_zeros_and_one_cell():
    assert cells(spy(np.zeros((3, 4)))).count() == 0
    assert cells(spy([[5]])).count() == 1


def test_values_only_while_they_are_few():
    assert not spy(MATRIX, values=False).texts
    assert len(spy(np.eye(20) + np.ones((20, 20))).texts) == 400
    assert not spy(np.ones((20, 21))).texts


def test_labels():
    ax = spy(MATRIX, blocks=(4, 3), labels=("row", "Zeile"))
    assert names(ax.yaxis)[:2] == ["row 0", "row 1"] and names(ax.xaxis)[-1] == "Zeile 2"
    ax = spy(ConvOperator(np.ones((1, 1, 2, 2)), (3, 3), channels=1), labels=("y", "x"))
    assert names(ax.xaxis)[-1] == "x (0, 2)"


def test_not_every_block_is_named_where_there_are_many():
    ax = spy(ConvOperator(np.ones((2, 2)), (20, 3), "same"))
    assert names(ax.xaxis) == [f"image row {j}" for j in range(0, 20, 2)]
    assert len(borders(ax)[0]) == 19


def test_given_axes_and_colours():
    _, ax = pyplot.subplots()
    assert spy(MATRIX, ax=ax, cmap="magma") is ax
    assert ax.images[0].get_cmap().name == "magma"


@pytest.mark.parametrize("make", [
    lambda operator: operator,
    lambda operator: operator.todense(),
    lambda operator: operator.tosparse("csc"),
    lambda operator: operator.tosparse("bsr"),
])  # fmt: skip
def test_large_ones_are_points(make):
    operator = ConvOperator(FILTER, (12, 13))
    assert operator.shape[0] * operator.shape[1] > 2**14
    ax = spy(make(operator))
    assert not ax.images and not ax.texts
    points = np.asarray(ax.collections[0].get_offsets())
    assert len(points) == 4 * 12 * 13
    drawn = {tuple(point) for point in points.tolist()}
    rows, columns = np.nonzero(operator.todense())
    assert drawn == set(zip(columns.tolist(), rows.tolist()))
    ax.figure.canvas.draw()


def test_a_large_operator_is_never_dense():
    operator = ConvOperator(np.ones((3, 3)), (300, 300), "same")  # 65 GB
    assert len(spy(operator).collections[0].get_offsets()) == (3 * 300 - 2) ** 2


@pytest.mark.parametrize("operator", [
    ConvOperator(np.ones((15, 15)), (4096, 4096)),
    ConvOperator(np.ones((15, 15)), (4096, 4096)).T,
    ConvOperator(np.ones((2, 2)), (600, 600)),
])  # fmt: skip
def test_too_many_entries(operator):
    with pytest.raises(ValueError, match=r"entries to draw: expected at most 1048576"):
        spy(operator)


def test_too_many_entries_of_a_sparse_matrix():
    large = SparseMatrix("coo", (2, 2**21), np.ones(2**21), row=np.zeros(2**21, int), col=np.arange(2**21))
    with pytest.raises(ValueError, match="2097152 entries to draw"):
        spy(large)


def test_a_large_sum_of_operators():
    operator = ConvOperator(FILTER, (12, 13))
    with pytest.raises(ValueError, match="at most 16384 cells"):
        spy(operator + operator)


@pytest.mark.parametrize(
    ("matrix", "options", "error", "message"),
    [
        (np.ones(3), {}, ValueError, r"matrix has shape \(3,\): expected two axes"),
        (np.ones((2, 2, 2)), {}, ValueError, r"matrix has shape \(2, 2, 2\)"),
        (np.ones((0, 3)), {}, ValueError, "neither of them empty"),
        (MATRIX, {"blocks": (4, 4)}, ValueError, r"blocks=\(4, 4\) for a matrix of shape \(16, 9\): expected divisors"),
        (MATRIX, {"blocks": (0, 3)}, ValueError, r"blocks=\(0, 3\)"),
        (MATRIX, {"blocks": (4, 3, 1)}, ValueError, "blocks"),
        (MATRIX, {"blocks": (4, 1.5)}, TypeError, "blocks"),
        (MATRIX, {"labels": "rows"}, TypeError, "labels='rows': expected None or two strings"),
        (MATRIX, {"labels": ("rows",)}, TypeError, "expected None or two strings"),
        (MATRIX, {"labels": 3}, TypeError, "labels=3: expected None or two strings"),
        (np.ma.masked_equal(MATRIX, 0), {}, TypeError, "masked"),
        ("matrix", {}, TypeError, "matrix"),
        (None, {}, TypeError, "matrix"),
        (MATRIX, {"cmap": "no such map"}, ValueError, "no such map"),
    ],
)
def test_mistakes(matrix, options, error, message):
    with pytest.raises(error, match=message):
        spy(matrix, **options)


def test_mistakes_leave_no_figure():
    with pytest.raises(ValueError):
        spy(MATRIX, blocks=(5, 5))
    assert not pyplot.get_fignums()


def test_without_matplotlib(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="spy needs matplotlib: pip install matplotlib"):
        spy(MATRIX)
