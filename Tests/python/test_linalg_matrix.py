"""conv_matrix and the textbook unrollings: against the convolution itself, format against format, and SciPy."""

import itertools

import numpy as np
import pytest
import swiftconv
from hypothesis import given
from hypothesis import strategies as st
from samples import DTYPES, SLOW_DTYPES, pairwise, values
from swiftconv import _native, nn
from swiftconv.linalg import SparseMatrix, conv_matrix, toeplitz_blocks, unroll_input, unroll_kernel

BOUNDARIES = ["fill", "wrap", "symmetric", "reflect", "edge"]
SPARSE = ["csr", "csc", "coo", "bsr"]
SHAPES = [
    ((5,), (3,)), ((1,), (1,)), ((4,), (7,)), ((6, 5), (2, 3)), ((3, 4), (4, 2)), ((1, 6), (3, 1)), ((2, 2), (5, 5)),
    ((3, 4, 3), (2, 1, 3)), ((2, 3, 1, 3), (1, 2, 2, 2)),
]  # fmt: skip


def exact(array):
    return array if array.dtype == bool else array.astype(object)


def as_dtype(array, dtype):
    """Python's integers, wrapped as the dtype wraps."""
    if dtype.kind in "iu":
        bits = 8 * dtype.itemsize
        array = np.array([int(v) & (2**bits - 1) for v in array.ravel()], object).reshape(array.shape)
        return array.astype(f"u{dtype.itemsize}").astype(dtype)
    return array.astype(dtype)


CASES = pairwise(
    {
        "sample": SHAPES,
        "mode": ["full", "same", "valid"],
        "boundary": BOUNDARIES,
        "stride": [1, 2, 3],
        "dilation": [1, 2],
        "operation": ["convolve", "correlate"],
        "dtype": DTYPES + SLOW_DTYPES,
    }
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_matrix_multiplies_as_the_convolution_does(case, rng):
    (shape, window), dtype = case["sample"], case["dtype"]
    options = {name: case[name] for name in ("boundary", "stride", "dilation", "operation")}
    kernel, x = values(rng, window, dtype), values(rng, shape, dtype)
    function = getattr(swiftconv, options.pop("operation"))
    try:
        expected = function(x, kernel, case["mode"], **options).ravel()
    except ValueError:
        with pytest.raises(ValueError):
            conv_matrix(kernel, shape, case["mode"], operation=case["operation"], **options)
        return
    options["operation"] = case["operation"]
    dense = conv_matrix(kernel, shape, case["mode"], **options)
    assert dense.dtype == dtype and dense.shape == (expected.size, x.size)
    found = exact(dense) @ exact(x.ravel())
    np.testing.assert_array_equal(as_dtype(found, dtype), expected)
    for format in SPARSE:
        sparse = conv_matrix(kernel, shape, case["mode"], format=format, **options)
        assert sparse.format == format and sparse.dtype == dtype and sparse.shape == dense.shape
        np.testing.assert_array_equal(sparse.todense(), dense)
        np.testing.assert_array_equal(sparse.T.todense(), dense.T)
        assert_canonical(sparse)


def assert_canonical(sparse):
    if sparse.format == "coo":
        places = list(zip(sparse.row.tolist(), sparse.col.tolist()))
        assert places == sorted(set(places))
        return
    assert sparse.indptr[0] == 0 and sparse.indptr[-1] == len(sparse.data)
    for first, end in itertools.pairwise(sparse.indptr.tolist()) if hasattr(itertools, "pairwise") else ():
        assert (np.diff(sparse.indices[first:end]) > 0).all()


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("operation", ["convolve", "correlate"])
def test_kernels_longer_than_the_signal(mode, operation, rng):
    for n, k in ((1, 2), (1, 5), (3, 4), (4, 9), (5, 6)):
        kernel, x = rng.integers(-9, 9, k) + 1j * rng.integers(-9, 9, k), rng.integers(-9, 9, n)
        expected = getattr(np, operation)(x, kernel, mode)
        for format in ("dense", *SPARSE):
            matrix = conv_matrix(kernel, n, mode, operation=operation, format=format)
            np.testing.assert_array_equal(matrix @ x, expected)


@pytest.mark.parametrize("rank, layer", [(1, nn.conv1d), (2, nn.conv2d), (3, nn.conv3d)])
@pytest.mark.parametrize("groups, filters, channels", [(1, 1, 1), (1, 3, 2), (2, 4, 2), (3, 3, 6)])
def test_layers(rank, layer, groups, filters, channels, rng):
    shape, window = (5, 4, 6)[:rank], (3, 2, 1)[:rank]
    weight = rng.integers(-4, 5, (filters, channels // groups, *window))
    x = rng.integers(-4, 5, (channels, *shape))
    for stride in (1, 2):
        expected = layer(x[np.newaxis], weight, stride=stride, groups=groups).ravel()
        options = {"operation": "correlate", "stride": stride, "groups": groups, "channels": channels}
        for format in ("dense", *SPARSE):
            np.testing.assert_array_equal(
                conv_matrix(weight, shape, "valid", format=format, **options) @ x.ravel(), expected
            )


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("operation", ["convolve", "correlate"])
def test_layers_of_every_boundary(boundary, operation, rng):
    """A block for each filter and channel: the matrix of that plane; layers do not conjugate."""
    weight = rng.integers(-4, 5, (4, 2, 3, 2)) + 1j * rng.integers(-4, 5, (4, 2, 3, 2))
    options = {"boundary": boundary, "stride": (2, 1), "operation": operation}
    whole = conv_matrix(weight, (4, 5), "same", groups=2, channels=4, **options)
    plane = weight.conj() if operation == "correlate" else weight
    expected = np.zeros_like(whole).reshape(4, -1, 4, 20)
    for k, c in np.ndindex(4, 2):
        expected[k, :, k // 2 * 2 + c] = conv_matrix(plane[k, c], (4, 5), "same", **options)
    np.testing.assert_array_equal(whole, expected.reshape(whole.shape))


def test_the_textbook_example():
    """A 3 x 3 image and a 2 x 2 filter, every entry."""
    matrix = conv_matrix([[10, 20], [30, 40]], (3, 3), format="dense")
    assert matrix.shape == (16, 9)
    expected = np.zeros((16, 9), int)
    for (i, j), (p, q) in itertools.product(np.ndindex(3, 3), np.ndindex(2, 2)):
        expected[(i + p) * 4 + j + q, i * 3 + j] = [[10, 20], [30, 40]][p][q]
    np.testing.assert_array_equal(matrix, expected)


def test_circulant_matrices_are_square_and_commute(rng):
    a, b = (conv_matrix(rng.integers(-5, 5, (3, 2)), (4, 5), "same", boundary="wrap") for _ in range(2))
    np.testing.assert_array_equal(a @ b, b @ a)


def test_transposes_are_adjoints(rng):
    kernel = rng.integers(-4, 5, (3, 3)) + 1j * rng.integers(-4, 5, (3, 3))
    for boundary, format in itertools.product(BOUNDARIES, SPARSE):
        matrix = conv_matrix(kernel, (5, 6), "same", boundary=boundary, stride=(1, 2), format=format)
        x, y = rng.integers(-9, 9, matrix.shape[1]), rng.integers(-9, 9, matrix.shape[0])
        assert np.vdot(y, matrix @ x) == np.vdot(matrix.H @ y, x)


# ---- Sparse matrices ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", SPARSE)
@pytest.mark.parametrize("dtype", DTYPES + SLOW_DTYPES, ids=str)
def test_products_with_vectors_and_matrices(format, dtype, rng):
    kernel = values(rng, (3, 2), dtype)
    sparse = conv_matrix(kernel, (6, 5), format=format)
    dense = sparse.todense()
    for shape in ((30,), (30, 1), (30, 4), (30, 0)):
        x = values(rng, shape, dtype)
        result = sparse @ x
        assert result.shape == (dense @ x).shape if dtype.char != "O" else True
        assert result.dtype == np.result_type(dtype, x.dtype)
        np.testing.assert_array_equal(result, as_dtype(exact(dense) @ exact(x), dtype))
    y = values(rng, (3, dense.shape[0]), dtype)
    np.testing.assert_array_equal(y @ sparse, as_dtype(exact(y) @ exact(dense), dtype))


def test_products_longer_than_a_chunk(rng):
    kernel, x = rng.integers(-5, 5, (7, 7)), rng.integers(-5, 5, (110, 90))
    expected = swiftconv.convolve(x, kernel, "same").ravel()
    for format in ("csr", "csc", "coo"):
        np.testing.assert_array_equal(conv_matrix(kernel, x.shape, "same", format=format) @ x.ravel(), expected)


def test_what_a_sparse_matrix_tells():
    sparse = conv_matrix(np.ones((2, 2)), (3, 3), format="csr")
    assert repr(sparse) == "<SparseMatrix csr, shape (16, 9), 36 entries of float64>"
    assert sparse.nnz == 36 and sparse.nbytes == 36 * 12 + 17 * 4 and sparse.ndim == 2
    assert sparse.conj() is sparse
    np.testing.assert_array_equal(np.asarray(sparse), sparse.todense())
    blocks = conv_matrix(np.ones((2, 2)), (3, 3), format="bsr")
    assert blocks.data.shape == (6, 4, 3) and "6 blocks of (4, 3)" in repr(blocks)
    with pytest.raises(ValueError, match=r"other has shape \(8,\): expected \(9,\)"):
        sparse @ np.ones(8)
    with pytest.raises(ValueError, match="by a copy alone"):
        sparse.__array__(copy=False)


@pytest.mark.parametrize("format", SPARSE)
def test_scipy_takes_them_as_they_are(format, rng):
    scipy_sparse = pytest.importorskip("scipy.sparse")
    kernel, x = rng.standard_normal((3, 2)), rng.standard_normal((5, 6))
    ours = conv_matrix(kernel, x.shape, format=format)
    theirs = conv_matrix(kernel, x.shape, format=format, scipy=True)
    assert scipy_sparse.issparse(theirs) and theirs.format == format and theirs.has_canonical_format
    theirs.sum_duplicates()
    np.testing.assert_array_equal(theirs.toarray(), ours.todense())
    np.testing.assert_allclose(theirs @ x.ravel(), swiftconv.convolve(x, kernel).ravel())
    assert np.shares_memory(ours.to_scipy().data, ours.data)


def test_without_scipy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    with pytest.raises(ImportError, match="pip install scipy"):
        conv_matrix([1, 2], 3, format="csr", scipy=True)


# ---- The two unrollings, blocks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_unrollings_give_the_same_numbers(case, rng):
    (shape, window), dtype = case["sample"], case["dtype"]
    if case["operation"] == "correlate" and dtype.kind == "c":
        dtype = np.dtype(dtype.char.lower())  # the kernel would be conjugated
    options = {name: case[name] for name in ("mode", "boundary", "stride", "dilation", "operation")}
    kernel, x = values(rng, window, dtype), values(rng, shape, dtype)
    try:
        patches = unroll_input(x, window, **options)
    except ValueError:
        with pytest.raises(ValueError):
            unroll_kernel(kernel, shape, **options)
        return
    assert patches.dtype == dtype and patches.shape[1] == kernel.size
    unrolled = unroll_kernel(kernel, shape, **options)
    left, right = exact(patches) @ exact(kernel.ravel()), exact(unrolled) @ exact(x.ravel())
    np.testing.assert_array_equal(as_dtype(left, dtype), as_dtype(right, dtype))
    for format in ("csr", "csc", "coo"):
        sparse = unroll_input(x, window, format=format, **options)
        assert isinstance(sparse, SparseMatrix)
        np.testing.assert_array_equal(sparse.todense(), patches)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("operation", ["convolve", "correlate"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(
    "shape, window", [((5,), (3,)), ((4, 3), (2, 2)), ((3, 4, 2), (2, 3, 1)), ((9, 2, 2), (8, 2, 9))]
)
def test_blocks_make_the_matrix(shape, window, mode, operation, boundary, rng):
    if mode == "valid" and any(k > n for k, n in zip(window, shape)):
        mode = "same"
    kernel = rng.integers(-9, 9, window)
    options = {"boundary": boundary, "operation": operation, "stride": 2 if len(shape) == 2 else 1}
    blocks, pattern = toeplitz_blocks(kernel, shape, mode, **options)
    zeros = np.zeros_like(blocks[:1])
    whole = np.concatenate([blocks, zeros])[pattern].swapaxes(1, 2).reshape(pattern.shape[0] * blocks.shape[1], -1)
    np.testing.assert_array_equal(whole, conv_matrix(kernel, shape, mode, **options))
    if boundary == "fill":
        assert len(blocks) == int(np.prod(window[:-1]))


def test_many_rows_in_one_block():
    """More rows than an integer has bits."""
    kernel = np.arange(1, 141).reshape(70, 2)
    blocks, pattern = toeplitz_blocks(kernel, (2, 3), "same", boundary="edge")
    whole = blocks[pattern].swapaxes(1, 2).reshape(6, 6)
    np.testing.assert_array_equal(whole, conv_matrix(kernel, (2, 3), "same", boundary="edge"))


# ---- Sizes, mistakes ------------------------------------------------------------------------------------------------


def test_counts_beyond_32_bits():
    """4096 x 4096 samples, 15 x 15 taps: 3.7e9 entries, counted and refused, not overflowed."""
    axes = _native.slide_axes(0, (4096, 4096), (15, 15), 0, 0, None, None)
    rows, columns, entries, blocks = _native.matrix_count(axes, 0, False, 1, 1, 1, 0)
    assert (rows, columns, entries, blocks) == (4082**2, 4096**2, 4082**2 * 225, 4082 * 15)
    assert _native.matrix_count(axes, 0, True, 1, 1, 1, 0)[2] == entries
    big = np.ones((65, 65))
    with pytest.raises(MemoryError, match=r"csr matrix .* takes \d+ bytes .*available"):
        conv_matrix(big, (1 << 15, 1 << 15), format="csr")
    with pytest.raises(MemoryError, match="dense matrix"):
        conv_matrix(np.ones((3, 3)), (1 << 12, 1 << 12))
    with pytest.raises(MemoryError, match="matrix of shape"):
        unroll_input(np.broadcast_to(1.0, (1 << 14, 1 << 14)), (90, 90))


def test_64_bit_indices(monkeypatch, rng):
    from swiftconv.linalg import _matrix

    kernel = rng.integers(-4, 5, (2, 3))
    expected = [conv_matrix(kernel, (4, 5), format=format).todense() for format in SPARSE]
    monkeypatch.setattr(_matrix, "_LARGEST_INT32", 3)
    for format, dense in zip(SPARSE, expected):
        sparse = conv_matrix(kernel, (4, 5), format=format)
        assert (sparse.row if format == "coo" else sparse.indices).dtype == np.int64
        np.testing.assert_array_equal(sparse.todense(), dense)


@pytest.mark.parametrize(
    "kernel, shape, options, words",
    [
        (np.ones((0, 3)), (4, 4), {}, "kernel has shape .* extent 0 along axis 0"),
        (np.ones((3, 3)), (4,), {}, "kernel has shape .*: expected 1 axes"),
        (np.ones((3, 3)), (4, 0), {}, r"shape\[1\]=0: expected an integer of at least 1"),
        (np.ones((3, 3)), (4, -1), {}, r"shape\[1\]=-1"),
        (np.ones((3, 3)), (), {}, "at least one axis"),
        (np.ones(()), (4,), {}, "expected 1 axes"),
        (np.ones((5, 3)), (4, 4), {"mode": "valid"}, r"kernel reaches 5 samples along axis 0, shape\[0\]=4"),
        (np.ones((3, 3)), (4, 4), {"mode": "valid", "dilation": 2}, "reaches 5"),
        (np.ones((3, 3)), (4, 4), {"stride": 0}, r"stride\[0\]=0"),
        (np.ones((3, 3)), (4, 4), {"dilation": (1, -2)}, r"dilation\[1\]=-2"),
        (np.ones((3, 3)), (4, 4), {"stride": (1, 2, 3)}, "stride"),
        (np.ones((3, 3)), (4, 4), {"boundary": "mirrored"}, "boundary='mirrored'"),
        (np.ones((3, 3)), (4, 4), {"mode": "half"}, "mode='half'"),
        (np.ones((3, 3)), (4, 4), {"operation": "multiply"}, "operation='multiply'"),
        (np.ones((3, 3)), (4, 4), {"format": "lil"}, "format='lil'"),
        (np.ones((3, 3)), (4, 4), {"scipy": True}, "scipy=True"),
        (np.ones((3, 3)), (4, 4), {"groups": 2}, "groups=2 without channels"),
        (np.ones((4, 2, 3)), (9,), {"channels": 3}, "channels=3"),
        (np.ones((4, 2, 3)), (9,), {"channels": 0}, "channels=0"),
        (np.ones((3, 2, 3)), (9,), {"channels": 4, "groups": 2}, "groups=2 does not divide"),
        (np.ones((4, 2, 3)), (9, 9), {"channels": 2}, "expected 4 axes"),
        (np.ones((3, 3)), (4, 4), {"groups": 0, "channels": 1}, "groups=0"),
    ],
)  # fmt: skip
def test_mistakes(kernel, shape, options, words):
    with pytest.raises(ValueError, match=words):
        conv_matrix(kernel, shape, **options)


def test_mistakes_of_type():
    for arguments, options in (
        (([1, 2], "3"), {}), (([1, 2], 3.5), {}), (([1, 2], 3), {"channels": 1.5}), (([1, 2], 3), {"format": 1}),
        (([1.5, 2], 3), {"dtype": int}), (([1, 2], 3), {"dtype": "S3"}), ((["a"], 3), {}), ((None, 3), {}),
        ((np.ma.ones(3), 3), {}), (([[1]], np.ones((3, 3))), {}),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            conv_matrix(*arguments, **options)
    with pytest.raises(OverflowError):
        conv_matrix(np.ones((2, 2)), (2**62, 2**62), format="csr")
    with pytest.raises((OverflowError, MemoryError)):
        conv_matrix(np.ones(2), 2**62)


@given(st.data())
def test_any_shape(data):
    rank = data.draw(st.integers(1, 3))
    shape = data.draw(st.lists(st.integers(1, 5), min_size=rank, max_size=rank))
    window = data.draw(st.lists(st.integers(1, 6), min_size=rank, max_size=rank))
    options = {
        "mode": data.draw(st.sampled_from(["full", "same"])),
        "boundary": data.draw(st.sampled_from(BOUNDARIES)),
        "stride": data.draw(st.integers(1, 7)),
        "dilation": data.draw(st.integers(1, 4)),
    }
    rng = np.random.default_rng(0)
    kernel, x = rng.integers(-99, 99, window), rng.integers(-99, 99, shape)
    expected = swiftconv.convolve(x, kernel, **options).ravel()
    for format in ("dense", *SPARSE):
        matrix = conv_matrix(kernel, shape, format=format, **options)
        np.testing.assert_array_equal(matrix @ x.ravel(), expected)


def test_the_same_matrix_by_any_number_of_threads(rng):
    kernel = rng.standard_normal((3, 5, 7))
    for format in ("dense", *SPARSE):
        made = [conv_matrix(kernel, (9, 30, 40)[: 3] if format != "dense" else (3, 9, 20), "same", boundary="reflect",
                            format=format, threads=count) for count in (1, 2, 5)]  # fmt: skip
        for other in made[1:]:
            left, right = (m if format == "dense" else m.data for m in (made[0], other))
            np.testing.assert_array_equal(left, right)
