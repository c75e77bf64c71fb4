"""ConvOperator: every product against the dense matrix of `convolve` and `correlate`, and what else a matrix can do."""

import copy
import gc
import math
import pickle
import threading
import tracemalloc
import warnings
from fractions import Fraction

import numpy as np
import pytest
import samples
import swiftconv
from hypothesis import given, settings
from hypothesis import strategies as st
from swiftconv import nn
from swiftconv.linalg import ConvOperator

MODES = ("valid", "same", "full")
BOUNDARIES = ("fill", "wrap", "symmetric", "reflect", "edge")
FUNCTIONS = {"convolve": swiftconv.convolve, "correlate": swiftconv.correlate}
SHAPES = {1: (9,), 2: (5, 7), 3: (4, 3, 5)}
KERNELS = {1: [(1,), (3,), (4,)], 2: [(1, 1), (3, 2), (2, 3)], 3: [(1, 1, 1), (2, 3, 2), (3, 1, 4)]}


def dense(kernel, shape, mode="full", operation="convolve", **options):
    """The matrix, column by column, from the library's own functions."""
    columns = []
    for place in range(math.prod(shape)):
        unit = np.zeros(math.prod(shape), kernel.dtype)
        unit[place] = 1
        columns.append(FUNCTIONS[operation](unit.reshape(shape), kernel, mode, **options).ravel())
    return np.stack(columns, axis=1)


def dense_layer(weight, shape, channels, mode, operation, boundary="fill", stride=1, dilation=1, groups=1):
    """The layer's matrix, block by block."""
    depth, rows = weight.shape[1], len(weight) // groups
    if operation == "correlate":
        weight = weight.conj()  # correlate conjugates back
    options = {"boundary": boundary, "stride": stride, "dilation": dilation}
    blocks = []
    for k in range(len(weight)):
        row = []
        for c in range(channels):
            inside = c // depth == k // rows
            filter = weight[k, c % depth] if inside else np.zeros_like(weight[0, 0])
            row.append(dense(filter, shape, mode, operation, **options))
        blocks.append(row)
    return np.block(blocks)


def operator_of(operator, dtype):
    """The matrix, from products with unit vectors."""
    return operator @ np.eye(operator.shape[1], dtype=dtype)


def check_everything(A, D, rng, dtype):
    m, n = D.shape
    assert A.shape == (m, n)
    assert A.dtype == dtype
    x, y = samples.values(rng, n, dtype), samples.values(rng, m, dtype)
    np.testing.assert_array_equal(A @ x, D @ x)
    np.testing.assert_array_equal(A.T @ y, D.T @ y)
    np.testing.assert_array_equal(A.H @ y, D.conj().T @ y)
    np.testing.assert_array_equal(A.conj() @ x, D.conj() @ x)
    np.testing.assert_array_equal(y @ A, y @ D)
    X, Y = samples.values(rng, (n, 3), dtype), samples.values(rng, (m, 3), dtype)
    for order in "CF":
        np.testing.assert_array_equal(A @ np.asarray(X, order=order), D @ X)
        np.testing.assert_array_equal(A.rmatmat(np.asarray(Y, order=order)), D.conj().T @ Y)
    np.testing.assert_array_equal(Y.T @ A, Y.T @ D)
    assert (A @ x).dtype == (A.T @ y).dtype == dtype
    np.testing.assert_array_equal(A.diagonal(), D.diagonal())
    np.testing.assert_array_equal(A.T.diagonal(), D.diagonal())
    wide = np.abs(D.astype(np.complex128 if dtype.kind == "c" else np.float64))
    tolerance = {"rtol": 1e-2 if dtype.itemsize == 2 else 1e-5}
    np.testing.assert_allclose(A.column_norms().astype(float), np.sqrt((wide**2).sum(axis=0)), **tolerance)
    np.testing.assert_allclose(A.row_norms().astype(float), np.sqrt((wide**2).sum(axis=1)), **tolerance)
    np.testing.assert_array_equal(A.H.column_norms(), A.row_norms())


TABLE = {
    "mode": MODES,
    "boundary": BOUNDARIES,
    "stride": (1, 2, 3),
    "dilation": (1, 2),
    "operation": tuple(FUNCTIONS),
    "ndim": (1, 2, 3),
    "kernel": (0, 1, 2),
    "dtype": tuple(d for d in samples.DTYPES + samples.SLOW_DTYPES if d != samples.BFLOAT16),
}


def name_of(row):
    return "-".join(str(value) for value in row.values())


@pytest.mark.parametrize("row", samples.pairwise(TABLE), ids=name_of)
def test_every_product_is_that_of_the_dense_matrix(row, rng):
    row = dict(row)
    ndim, dtype = row.pop("ndim"), row.pop("dtype")
    shape, window = SHAPES[ndim], KERNELS[ndim][row.pop("kernel")]
    if row["mode"] == "valid":  # dilated filters need room
        shape = tuple(extent + 4 for extent in shape)
    kernel = samples.values(rng, window, dtype)
    if dtype.kind == "f" and dtype.itemsize == 2:
        kernel = kernel.astype(np.int8).clip(-2, 2).astype(dtype)
    D = dense(kernel, shape, **row).astype(dtype)
    check_everything(ConvOperator(kernel, shape, **row), D, rng, dtype)


LAYERS = {
    "mode": MODES,
    "boundary": BOUNDARIES,
    "stride": (1, 2),
    "dilation": (1, 2),
    "operation": tuple(FUNCTIONS),
    "groups": (1, 2),
    "shape": ((8,), (6, 7), (5, 5, 6), (2, 2)),
    "dtype": tuple(np.dtype(d) for d in ("bool", "uint8", "int64", "float16", "float32", "complex128", "object")),
}


@pytest.mark.parametrize("row", samples.pairwise(LAYERS), ids=name_of)
def test_every_product_is_that_of_the_layer(row, rng):
    row = dict(row)
    shape, dtype, groups = row.pop("shape"), row.pop("dtype"), row["groups"]
    window = (1, 3, 2)[: len(shape)] if row["mode"] != "valid" else (2, 1, 3)[: len(shape)]
    if row["mode"] == "valid" and shape == (2, 2):
        shape = (3, 2)
    kernel = samples.values(rng, (4, 4 // groups, *window), dtype)
    if dtype.kind == "f" and dtype.itemsize == 2:
        kernel = kernel.clip(-2, 2)
    D = dense_layer(kernel, shape, 4, **row).astype(dtype)
    check_everything(ConvOperator(kernel, shape, channels=4, **row), D, rng, dtype)


@pytest.mark.parametrize("operation", FUNCTIONS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("taps", range(5, 12))
def test_a_filter_longer_than_the_signal_slides_as_in_numpy(operation, mode, taps, rng):
    kernel = samples.values(rng, taps, np.complex128)
    for extent in (1, 4, 5, 6):
        D = dense(kernel, (extent,), mode, operation)
        check_everything(ConvOperator(kernel, extent, mode, operation=operation), D, rng, np.dtype(np.complex128))


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("extent", (1, 2, 3))
@pytest.mark.parametrize("stride", (1, 2))
def test_reflections_repeat_as_often_as_the_filter_needs(boundary, extent, stride, rng):
    kernel = samples.values(rng, 12, np.int32)
    for mode in ("same", "full"):
        options = {"boundary": boundary, "stride": stride, "dilation": (1,)}
        if boundary == "fill" and stride == 1:
            options["dilation"] = (2,)  # else NumPy's rule for long filters
        D = dense(kernel, (extent,), mode, **options)
        check_everything(ConvOperator(kernel, extent, mode, **options), D, rng, np.dtype(np.int32))
        layer = ConvOperator(kernel[None, None], extent, mode, channels=1, **options)
        np.testing.assert_array_equal(operator_of(layer, np.int32), D)


@pytest.mark.parametrize("dtype", [d for d in samples.FLOATS if d.itemsize == 2])
def test_narrow_floats_are_rounded_once(dtype, rng):
    """bfloat16 has no matmul of its own to compare with."""
    kernel = samples.normals(rng, (3, 5), dtype)
    for options in ({"boundary": "symmetric"}, {"boundary": "edge", "stride": 2}, {}):
        A = ConvOperator(kernel, (6, 8), "same", **options)
        wide = ConvOperator(kernel.astype(np.float32), (6, 8), "same", **options)
        y = samples.normals(rng, A.shape[0], dtype)
        result = A.T @ y
        assert result.dtype == dtype
        exact = wide.T @ y.astype(np.float32)
        np.testing.assert_allclose(result.astype(float), exact.astype(dtype).astype(float), rtol=1e-2, atol=1e-2)


def test_networks_layers(rng):
    weight = rng.standard_normal((6, 2, 3, 3))
    x = rng.standard_normal((4, 9, 8))
    A = ConvOperator(weight, (9, 8), "valid", operation="correlate", channels=4, groups=2, stride=2)
    assert A.input_shape == (4, 9, 8)
    np.testing.assert_array_equal(A @ x.ravel(), nn.conv2d(x, weight, stride=2, groups=2).ravel())
    flipped = ConvOperator(weight[..., ::-1, ::-1], (9, 8), "valid", channels=4, groups=2, stride=2)
    np.testing.assert_array_equal(flipped @ x.ravel(), A @ x.ravel())
    complexes = weight + 1j
    B = ConvOperator(complexes, (9, 8), "valid", operation="correlate", channels=4, groups=2)
    np.testing.assert_array_equal(B @ x.ravel(), nn.conv2d(x, complexes, groups=2).ravel())


def test_the_adjoint_is_the_gradient(rng):
    weight, y = rng.standard_normal((6, 4, 3, 3)), rng.standard_normal((6, 4, 3))
    A = ConvOperator(weight, (9, 8), "valid", operation="correlate", channels=4, stride=2)
    gradient = nn.grad.conv2d_input((4, 9, 8), weight, y, stride=2)
    np.testing.assert_array_equal(A.H @ y.ravel(), gradient.ravel())


# ---- Inputs --------------------------------------------------------------------------------------------------------


def test_results_have_the_common_dtype_and_the_bits_of_the_library(rng):
    kernel = rng.standard_normal((3, 3)).astype(np.float32)
    A = ConvOperator(kernel, (8, 8), "same", boundary="wrap")
    for dtype in (bool, np.int8, np.float16, np.float32, np.float64, np.complex64):
        x = samples.values(rng, 64, dtype)
        expected = swiftconv.convolve(x.reshape(8, 8), kernel, "same", boundary="wrap")
        result = A @ x
        assert result.dtype == expected.dtype == np.result_type(dtype, np.float32)
        assert result.tobytes() == expected.tobytes()
        assert (A.T @ x).dtype == result.dtype
    assert ConvOperator([1, 2], 3, dtype=np.float32).dtype == np.float32
    assert ConvOperator(np.ones(2, ">f8"), 3).dtype.isnative


def test_any_memory_layout(rng):
    A = ConvOperator(samples.values(rng, (3, 2), np.int64), (5, 4), "same", boundary="reflect", stride=(2, 1))
    D = operator_of(A, np.int64)
    X, Y = samples.values(rng, (20, 6), np.int64), samples.values(rng, (12, 6), np.int64)
    for name, layout in samples.LAYOUTS.items():
        for operand, matrix, operator in ((X, D, A), (Y, D.T, A.T)):
            laid = layout(operand)
            np.testing.assert_array_equal(operator @ laid, matrix @ np.array(laid), err_msg=name)
            np.testing.assert_array_equal(operator @ laid[:, 2], matrix @ np.array(laid[:, 2]), err_msg=name)
    assert (A @ np.zeros((20, 0))).shape == (12, 0)
    assert (A.H @ np.zeros((12, 0))).dtype == np.float64
    assert (A @ list(range(20))).shape == (12,)


def test_scipys_names(rng):
    A = ConvOperator(rng.standard_normal((3, 3)), (6, 6), "valid")
    x, y = rng.standard_normal(36), rng.standard_normal(16)
    assert A.ndim == 2
    assert A.matvec(x).shape == (16,)
    assert A.matvec(x[:, None]).shape == (16, 1)
    assert A.rmatvec(y[:, None]).shape == (36, 1)
    assert A.matmat(np.ones((36, 2))).shape == (16, 2)
    np.testing.assert_array_equal(A.dot(x), A @ x)
    np.testing.assert_array_equal(A.dot(2) @ x, (2 * A) @ x)
    np.testing.assert_array_equal(A.rmatvec(y), A.adjoint() @ y)
    np.testing.assert_array_equal(A.transpose() @ y, A.T @ y)
    assert A.T.T is A
    assert A.H.H is A
    B = A * 1j
    np.testing.assert_array_equal(B.H @ y, -1j * (A.T @ y))
    C = ConvOperator(np.array([1j, 2]), 4)
    assert C.H.H is C
    assert C.conj().conj() is C
    assert C.H.T is C.conj()


# ---- Algebra -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[np.int64, np.complex128, np.uint8])
def family(request, rng):
    """Operators and their matrices: two square ones, and one that is not."""

    def made(window, mode, **options):
        A = ConvOperator(samples.values(rng, window, request.param), (4, 5), mode, **options)
        return A, operator_of(A, request.param)

    return made((3, 3), "same"), made((2, 3), "same", boundary="wrap"), made((2, 2), "valid", operation="correlate")


def test_combinations(family, rng):
    (A, a), (B, b), (V, v) = family
    dtype = A.dtype
    for combined, matrix in (
        (A + B, a + b),
        (A - B, a - b),
        (-A, -a),
        (A @ B, a @ b),
        (V @ A @ B, v @ a @ b),
        (V @ V.H, v @ v.conj().T),
        (2 * A - B * 3, 2 * a - 3 * b),
        ((A + B) @ (A - B), (a + b) @ (a - b)),
        ((V @ (A + B)).T, (v @ (a + b)).T),
        ((V @ (A + 2 * B)).H, (v @ (a + 2 * b)).conj().T),
        (A**0, np.eye(20, dtype=dtype)),
        (A**1, a),
        (A**3, a @ a @ a),
        (A.T @ A + A**0, a.T @ a + np.eye(20, dtype=dtype)),
    ):
        assert combined.shape == matrix.shape
        assert combined.dtype == matrix.dtype
        x = samples.values(rng, (matrix.shape[1], 3), dtype)
        np.testing.assert_array_equal(combined @ x, matrix @ x)
        np.testing.assert_array_equal(combined @ x[:, 0], matrix @ x[:, 0])
        if not isinstance(combined, ConvOperator):  # whose matrix is conv_matrix's
            np.testing.assert_array_equal(combined.todense(), matrix)
        np.testing.assert_array_equal(combined.diagonal(), matrix.diagonal())
        wide = np.abs(matrix.astype(np.result_type(dtype, float)))
        np.testing.assert_allclose(combined.column_norms(), np.sqrt((wide**2).sum(axis=0)), rtol=1e-12)
        np.testing.assert_allclose(combined.row_norms(), np.sqrt((wide**2).sum(axis=1)), rtol=1e-12)


def test_combinations_compute_in_their_common_dtype():
    """No part wraps or rounds before the whole would."""
    small = ConvOperator(np.array([100], np.int8), 3)
    large = ConvOperator(np.array([1], np.int32), 3)
    x = np.full(3, 2, np.int8)
    np.testing.assert_array_equal((small + large) @ x, np.full(3, 202, np.int32))
    np.testing.assert_array_equal((large @ small) @ x, np.full(3, 200, np.int32))
    assert ((small * np.float64(0.5)) @ x).tolist() == [100.0] * 3
    flags = ConvOperator(np.array([True, True]), 3)
    np.testing.assert_array_equal((2 * flags) @ np.ones(3, bool), [2, 4, 4, 2])
    assert (flags + flags).dtype == bool


def test_combinations_that_do_not_fit():
    A, V = ConvOperator([1, 2], 4, "same"), ConvOperator([1, 2], 4)
    with pytest.raises(ValueError, match=r"shapes \(4, 4\) and \(5, 4\) have no product"):
        A @ V
    with pytest.raises(ValueError, match=r"shapes \(4, 4\) and \(5, 4\) have no sum"):
        A + V
    with pytest.raises(ValueError, match=r"a power of an operator of shape \(5, 4\)"):
        V**2
    with pytest.raises(ValueError, match="power=-1"):
        A**-1
    with pytest.raises(TypeError, match=r"power=0\.5"):
        A**0.5
    for wrong in (np.ones((4, 4)), [1], None, A):
        with pytest.raises(TypeError):
            A * wrong
    for wrong in (np.ones((4, 4)), 2, None):
        with pytest.raises(TypeError):
            A + wrong
    with pytest.raises(TypeError):
        A * "2"


# ---- Spectra and equations -----------------------------------------------------------------------------------------


TORUS = [
    ((9,), (4,), {}),
    ((8,), (11,), {"dilation": 2}),
    ((6, 7), (3, 3), {}),
    ((6, 7), (2, 3), {"operation": "correlate"}),
    ((3, 4, 5), (2, 3, 3), {"dilation": (1, 2, 1)}),
    ((5, 4), (1, 1), {"boundary": "fill", "mode": "full"}),
]


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64, np.complex128])
@pytest.mark.parametrize(("shape", "window", "options"), TORUS)
def test_spectra_on_a_torus(shape, window, options, dtype, rng):
    options = {"mode": "same", "boundary": "wrap", **options}
    A = ConvOperator(
        samples.values(rng, window, dtype) if dtype != np.int32 else rng.integers(-9, 9, window).astype(dtype),
        shape,
        **options,
    )
    B = A.H @ A - 2 * A + A**0
    for operator in (A, A.T, A.H, B):
        D = operator_of(operator, np.result_type(dtype, np.float64))
        scale = np.abs(D).sum()
        np.testing.assert_allclose(operator.singular_values(), np.linalg.svd(D, compute_uv=False), atol=1e-12 * scale)
        check_eigenvalues(operator, D, scale)


def check_eigenvalues(operator, D, scale):
    """The Fourier modes in the order of `eigenvalues` are its eigenvectors."""
    values = operator.eigenvalues()
    torus = operator._symbol()[0]
    modes = np.fft.fftn(np.eye(len(D)).reshape(-1, *torus), axes=range(1, len(torus) + 1)).reshape(len(D), -1).conj()
    np.testing.assert_allclose(D @ modes, modes * values, atol=1e-10 * scale)


def test_real_eigenvalues_of_hermitian_ones(rng):
    laplace = ConvOperator([[0, 1, 0], [1, -4, 1], [0, 1, 0]], (5, 6), "same", boundary="wrap")
    values = laplace.eigenvalues()
    assert values.dtype == np.float64
    np.testing.assert_allclose(np.sort(values), np.linalg.eigvalsh(operator_of(laplace, float)), atol=1e-12)
    assert (laplace @ laplace).eigenvalues().dtype == np.float64
    assert ConvOperator([1, 2], 4, "same", boundary="wrap").eigenvalues().dtype == np.complex128
    assert ConvOperator([1j, 0, -1j], 4, "same", boundary="wrap").eigenvalues().dtype == np.float64


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_spectra_of_layers(rows, rng):
    A = ConvOperator(rng.standard_normal((rows, 3, 3, 2)), (4, 5), "same", boundary="wrap", channels=3)
    D = operator_of(A, float)
    np.testing.assert_allclose(A.singular_values(), np.linalg.svd(D, compute_uv=False), atol=1e-12)
    np.testing.assert_allclose(A.H.singular_values(), A.singular_values(), atol=1e-12)
    np.testing.assert_allclose((A @ A.H).singular_values(), np.linalg.svd(D @ D.T, compute_uv=False), atol=1e-10)
    if rows != 3:
        with pytest.raises(ValueError, match=f"3 input and {rows} output"):
            A.eigenvalues()
        with pytest.raises(ValueError, match="method='fft'"):
            A.solve(np.ones(A.shape[0]), "fft")
        return
    ours, theirs = A.eigenvalues(), np.linalg.eigvals(D)
    assert np.abs(ours[:, None] - theirs).min(axis=1).max() < 1e-10
    y = rng.standard_normal((A.shape[0], 2))
    np.testing.assert_allclose(A.solve(y), np.linalg.solve(D, y), rtol=1e-8, atol=1e-8)


def test_no_closed_form_without_a_torus():
    for options in ({}, {"boundary": "wrap"}, {"boundary": "wrap", "mode": "same", "stride": 2}):
        A = ConvOperator([1, 2, 1], 6, **options)
        with pytest.raises(ValueError, match="expected boundary='wrap', mode='same' and stride=1"):
            A.singular_values()
        with pytest.raises(ValueError, match="eigenvalues of <"):
            A.eigenvalues()
    A = ConvOperator([[1.0, 2.0]], (2, 6), "same", boundary="wrap")
    B = ConvOperator([[1.0, 2.0]], (6, 2), "same", boundary="wrap")
    with pytest.raises(ValueError, match="singular_values"):
        (A + B).singular_values()  # of two different tori


@pytest.mark.parametrize(("shape", "window", "options"), TORUS)
@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64, np.complex64, np.complex128, np.longdouble])
def test_solve_by_fft(shape, window, options, dtype, rng):
    options = {"mode": "same", "boundary": "wrap", **options}
    kernel = samples.values(rng, window, dtype) if dtype != np.int64 else rng.integers(-4, 5, window)
    kernel.flat[0] = 50 * kernel.size  # no frequency vanishes
    A = ConvOperator(kernel, shape, **options)
    expected = np.dtype(np.float64 if dtype == np.int64 else dtype)
    for y in (samples.values(rng, A.shape[0], expected), samples.values(rng, (A.shape[0], 3), expected)):
        for operator in (A, A.H, A @ A, A - 2 * A**0):
            x = operator.solve(y, "fft")
            assert x.dtype == expected
            assert x.shape == y.shape
            np.testing.assert_allclose(operator @ x, y, atol=2e-4 if expected.char in "fF" else 1e-10)
            assert np.array_equal(operator.solve(y), x)


def test_a_vanishing_frequency_is_an_error():
    for kernel, shape in ((np.array([1.0, 1.0]), 8), (np.ones((3, 3)) / 9, (9, 5)), (np.array([1.0, -2.0, 1.0]), 7)):
        A = ConvOperator(kernel, shape, "same", boundary="wrap")
        with pytest.raises(np.linalg.LinAlgError, match=r"frequencies vanish, the first one \("):
            A.solve(np.ones(A.shape[0]))
    x = ConvOperator([1.0, 1.0], 8, "same", boundary="wrap").solve(np.ones(8), "lsqr")
    np.testing.assert_allclose(x, np.full(8, 0.5))
    zero = ConvOperator([0.0], 8)
    with pytest.raises(np.linalg.LinAlgError, match="8 of 8 frequencies"):
        zero.solve(np.ones(8))
    np.testing.assert_array_equal(zero.solve(np.ones(8), "lsqr"), np.zeros(8))
    layer = ConvOperator(np.ones((2, 2, 3)), 6, "same", boundary="wrap", channels=2)
    with pytest.raises(np.linalg.LinAlgError, match="6 of 6 frequencies"):
        layer.solve(np.ones(12))


ITERATED = [
    ((12,), (3,), {"mode": "full"}),
    ((12,), (3,), {"mode": "valid"}),
    ((6, 5), (3, 3), {"mode": "same", "boundary": "symmetric"}),
    ((6, 5), (3, 2), {"mode": "full", "boundary": "edge"}),
    ((6, 5), (2, 2), {"mode": "same", "stride": 2, "operation": "correlate"}),
]


@pytest.mark.parametrize("method", ["cg", "lsqr"])
@pytest.mark.parametrize(("shape", "window", "options"), ITERATED)
@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.complex128])
def test_least_squares(method, shape, window, options, dtype, rng):
    kernel = samples.values(rng, window, dtype) if dtype != np.int64 else rng.integers(-4, 5, window)
    kernel.flat[0] = 30
    A = ConvOperator(kernel, shape, **options)
    D = operator_of(A, A.dtype)
    y = samples.values(rng, (A.shape[0], 2), np.result_type(dtype, float))
    x = A.solve(y, method, tol=1e-13, maxiter=500)
    np.testing.assert_allclose(x, np.linalg.lstsq(D, y, rcond=None)[0], atol=1e-8)
    np.testing.assert_array_equal(A.solve(y[:, 0], method, tol=1e-13, maxiter=500), x[:, 0])


def test_conjugate_gradients_on_hermitian_operators(rng):
    A = ConvOperator([[0, -1, 0], [-1, 4.1, -1], [0, -1, 0]], (9, 7), "same")
    assert A._is_hermitian()
    assert not ConvOperator([1, 2], 4, "same")._is_hermitian()
    assert not ConvOperator([1, 2, 1], 4)._is_hermitian()
    y = rng.standard_normal(63)
    history = []
    x = A.solve(y, "cg", callback=lambda iteration, residual: history.append((iteration, residual)))
    np.testing.assert_allclose(A @ x, y, atol=1e-8)
    assert [iteration for iteration, _ in history] == list(range(1, len(history) + 1))
    assert len(history) <= 63
    np.testing.assert_allclose(history[-1][1], np.linalg.norm(y - A @ x), rtol=1e-2)
    B = ConvOperator(rng.standard_normal((3, 2)), (8, 8), boundary="reflect")
    for gram in (B.H @ B, B.H @ (2 * (B @ B.H)) @ B, 2.0 * (B.H @ B) + B.H @ B):
        assert gram._is_hermitian()
        assert not (1j * gram)._is_hermitian()
    normal = B.H @ B + 0.1 * (B.H @ B) ** 0
    assert normal._is_hermitian()
    y = rng.standard_normal(64)
    np.testing.assert_allclose(normal @ normal.solve(y, "cg"), y, atol=1e-7)
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        (-1.0 * A).solve(rng.standard_normal(63), "cg")


@pytest.mark.parametrize("method", ["cg", "lsqr"])
def test_callbacks_limits_and_warnings(method, rng):
    A = ConvOperator(rng.standard_normal((5, 5)), (12, 12), "same", boundary="edge")
    y = rng.standard_normal(144)
    seen = []
    with pytest.warns(RuntimeWarning, match=f"method='{method}' stopped after maxiter=4") as caught:
        x = A.solve(y, method, maxiter=4, callback=lambda *report: seen.append(report))
    assert caught[0].filename == __file__
    assert [iteration for iteration, _ in seen] == [1, 2, 3, 4]
    np.testing.assert_allclose(seen[-1][1], np.linalg.norm(y - A @ x), rtol=1e-6)
    assert all(b <= a for (_, a), (_, b) in zip(seen, seen[1:]))

    class Stop(Exception):
        pass

    def stop(iteration, residual):
        raise Stop

    with pytest.raises(Stop):
        A.solve(y, method, callback=stop)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(A.solve(np.zeros(144), method), np.zeros(144))


def test_dtypes_of_solutions(rng):
    A = ConvOperator(np.array([1, 5, 1], np.int8), 6, "same", boundary="wrap")
    assert A.solve(np.ones(6, np.int8)).dtype == np.float64
    assert A.solve(np.ones(6, np.float16)).dtype == np.float32
    for method in ("fft", "cg", "lsqr"):
        assert A.solve(np.ones(6, np.float32), method).dtype == np.float32
        assert A.solve(np.ones(6, np.complex64), method).dtype == np.complex64
    with pytest.raises(TypeError, match="expected no objects"):
        A.solve(np.ones(6, object))


def test_hostile_equations():
    A = ConvOperator([1.0, 5.0, 1.0], 6)
    y = np.ones(8)
    for call, error, words in (
        (lambda: A.solve(np.ones(6)), ValueError, r"y has shape \(6,\): expected \(8,\)"),
        (lambda: A.solve(np.ones((8, 1, 1))), ValueError, "y has shape"),
        (lambda: A.solve(y, "fft"), ValueError, "method='fft' with"),
        (lambda: A.solve(y, "gauss"), ValueError, "method='gauss'"),
        (lambda: A.solve(y, None), TypeError, "method=None"),
        (lambda: A.solve(y, tol=-1), ValueError, "tol=-1"),
        (lambda: A.solve(y, tol=np.nan), ValueError, "tol=nan"),
        (lambda: A.solve(y, tol="x"), TypeError, "tol='x'"),
        (lambda: A.solve(y, maxiter=0), ValueError, "maxiter=0"),
        (lambda: A.solve(y, maxiter=1.5), TypeError, r"maxiter=1\.5"),
        (lambda: A.solve(y, callback=3), TypeError, "callback=3"),
        (lambda: A.solve(np.ma.masked_array(y, y > 0)), TypeError, "masked"),
    ):
        with pytest.raises(error, match=words):
            call()


# ---- Other libraries -----------------------------------------------------------------------------------------------


def test_scipys_functions_take_operators(rng):
    linalg = pytest.importorskip("scipy.sparse.linalg")
    A = ConvOperator(rng.standard_normal((3, 3)) + 4 * np.eye(3), (7, 6), "same", boundary="reflect")
    D = operator_of(A, float)
    y = rng.standard_normal(42)
    wrapped = linalg.aslinearoperator(A)
    np.testing.assert_array_equal(wrapped @ y, A @ y)
    np.testing.assert_array_equal(wrapped.H @ y, A.H @ y)
    np.testing.assert_array_equal((wrapped @ wrapped) @ y, A @ (A @ y))
    values = np.linalg.svd(D, compute_uv=False)
    np.testing.assert_allclose(np.sort(linalg.svds(A, 3, return_singular_vectors=False))[::-1], values[:3])
    np.testing.assert_allclose(linalg.lsqr(A, y, atol=1e-13, btol=1e-13, conlim=0)[0], np.linalg.solve(D, y), atol=1e-6)
    np.testing.assert_allclose(A @ linalg.gmres(A, y, restart=42)[0], y, atol=1e-3)
    largest = np.abs(np.linalg.eigvals(D)).max()
    np.testing.assert_allclose(np.abs(linalg.eigs(A, 1, return_eigenvectors=False)[0]), largest)
    C = ConvOperator(rng.standard_normal(3) + 1j, 12, "same")
    np.testing.assert_allclose(
        linalg.svds(C.H @ C, 1, return_singular_vectors=False)[0], np.linalg.svd(operator_of(C, complex))[1][0] ** 2
    )


def test_lsqr_is_scipys(rng):
    linalg = pytest.importorskip("scipy.sparse.linalg")
    A = ConvOperator(rng.standard_normal((4, 4)), (9, 9), boundary="symmetric", stride=2)
    y = rng.standard_normal(A.shape[0])
    theirs = linalg.lsqr(A, y, atol=0, btol=0, conlim=0, iter_lim=10)[0]
    with pytest.warns(RuntimeWarning):
        np.testing.assert_allclose(A.solve(y, "lsqr", tol=0, maxiter=10), theirs, rtol=1e-7)


def test_pylops_takes_operators(rng):
    pylops = pytest.importorskip("pylops")
    A = ConvOperator(rng.standard_normal((3, 3)), (6, 5), "same", boundary="edge")
    wrapped = pylops.aslinearoperator(A)
    x = rng.standard_normal(30)
    np.testing.assert_array_equal(wrapped @ x, A @ x)
    np.testing.assert_array_equal(wrapped.H @ x, A.H @ x)
    assert pylops.utils.dottest(wrapped, 30, 30)


@pytest.mark.parametrize(
    "options", [{}, {"mode": "same", "boundary": "wrap"}, {"mode": "valid", "stride": 2}, {"operation": "correlate"}]
)
def test_the_matrix_itself(options, rng):
    A = ConvOperator(rng.integers(-9, 10, (3, 2)), (5, 4), **options)
    D = A @ np.eye(20, dtype=int)
    np.testing.assert_array_equal(A.todense(), D)
    np.testing.assert_array_equal(A.T.todense(), D.T)
    x, y = rng.integers(-9, 10, 20), rng.integers(-9, 10, len(D))
    for format in ("csr", "csc", "coo"):
        np.testing.assert_array_equal(A.tosparse(format) @ x, D @ x)
        np.testing.assert_array_equal(A.T.tosparse(format) @ y, D.T @ y)


def test_the_matrix_of_a_layer(rng):
    A = ConvOperator(rng.integers(-9, 10, (4, 2, 3, 2)), (5, 4), "same", channels=4, groups=2)
    np.testing.assert_array_equal(A.todense(), A @ np.eye(A.shape[1], dtype=int))
    assert np.array_equal(A.conj().todense(), A.todense())


# ---- As an object --------------------------------------------------------------------------------------------------


def test_operators_are_immutable():
    kernel = np.array([1.0, 2.0])
    A = ConvOperator(kernel, 4)
    kernel[0] = 9
    assert A.kernel.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        A.kernel[0] = 3
    for name in ("shape", "dtype", "kernel", "ndim"):
        with pytest.raises(AttributeError):
            setattr(A, name, 1)
    for combined in (A.T, 2 * A, A + A, A.T @ A, (A.T @ A) ** 0):
        with pytest.raises(AttributeError, match="shape of a"):
            combined.shape = (1, 1)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda A: pickle.loads(pickle.dumps(A))])
def test_copies_and_pickles(again, rng):
    A = ConvOperator(rng.standard_normal((3, 3)) + 1j, (5, 6), "same", boundary="wrap", dilation=(1, 2))
    L = ConvOperator(rng.standard_normal((2, 1, 3)), 6, channels=2, groups=2, stride=2, threads=1)
    A.conj()
    for operator in (A, L, A.H, A + A @ A, 3 * A, A**0, ConvOperator([1, 2, 3], 2, "same")):
        other = again(operator)
        x = rng.standard_normal(operator.shape[1])
        np.testing.assert_array_equal(other @ x, operator @ x)
        assert repr(other) == repr(operator)
        assert not isinstance(other, ConvOperator) or not other.kernel.flags.writeable


def test_what_it_says():
    A = ConvOperator([[1.0, 2.0]], (3, 4), "same", boundary="wrap", stride=(1, 2), operation="correlate")
    for part in (
        "<6x12 ConvOperator of float64",
        "kernel (1, 2)",
        "(3, 4)",
        "mode='same'",
        "boundary='wrap'",
        "stride=(1, 2)",
        "operation='correlate'",
    ):
        assert part in repr(A)
    assert "dilation" not in repr(A)
    assert repr(A) in repr(A.T)
    assert repr(A) in repr(2 * A)
    assert " @ " in repr(A.T @ A)


def test_many_threads_at_once(rng):
    A = ConvOperator(rng.standard_normal((5, 5)) + 1j, (40, 40), "same", boundary="symmetric")
    x = rng.standard_normal(1600)
    expected = A @ x, ConvOperator(A.kernel, (40, 40), "same", boundary="symmetric").H @ x
    wrong = []

    def work():
        for _ in range(20):
            if not (np.array_equal(A @ x, expected[0]) and np.array_equal(A.H @ x, expected[1])):
                wrong.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_memory_is_that_of_the_filter_and_the_result(rng):
    x = rng.standard_normal(512 * 512)
    kernel = rng.standard_normal((7, 7))
    gc.collect()
    tracemalloc.start()
    try:
        A = ConvOperator(kernel, (512, 512), "same", boundary="symmetric")
        assert tracemalloc.get_traced_memory()[1] < 64 << 10
        y = A @ x
        assert tracemalloc.get_traced_memory()[1] < y.nbytes + (64 << 10)
        del y
        tracemalloc.reset_peak()
        z = A.H @ x
        # The places outside too, and the samples cut out of them.
        assert tracemalloc.get_traced_memory()[1] < 2 * 8 * 518 * 518 + (64 << 10)
        del z
    finally:
        tracemalloc.stop()


def test_exact_elements_of_objects(rng):
    kernel = np.array([Fraction(1, 3), Fraction(2, 7)], object)
    A = ConvOperator(kernel, 3, boundary="symmetric")
    x, y = (
        np.array([Fraction(1, 2), Fraction(3), Fraction(-1, 5)], object),
        np.array([Fraction(k, 11) for k in range(4)]),
    )
    assert (A @ x) @ y == x @ (A.H @ y)


# ---- Hostile inputs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (([1.0], 0), {}, ValueError, r"shape\[0\]=0"),
        (([1.0], -3), {}, ValueError, r"shape\[0\]=-3"),
        (([1.0], ()), {}, ValueError, r"shape=\(\)"),
        (([[1.0]], (3, 0)), {}, ValueError, r"shape\[1\]=0"),
        (([1.0], 2.5), {}, TypeError, r"shape=2\.5"),
        (([1.0], None), {}, TypeError, "shape=None"),
        (([1.0], "3"), {}, TypeError, "shape='3'"),
        (([1.0], (3, 3)), {}, ValueError, r"kernel has shape \(1,\): expected 2 axes"),
        ((1.0, 3), {}, ValueError, r"kernel has shape \(\)"),
        (([], 3), {}, ValueError, "it cannot be empty"),
        ((np.ones((2, 0)), (3, 3)), {}, ValueError, "it cannot be empty"),
        ((None, 3), {}, TypeError, "kernel"),
        ((["a"], 3), {}, TypeError, "kernel"),
        ((np.ma.masked_array([1.0], [True]), 3), {}, TypeError, "kernel is a masked array"),
        (
            (np.ones((2, 5)), (3, 4)),
            {"mode": "valid"},
            ValueError,
            r"kernel reaches 5 samples along axis 1, shape\[1\]=4",
        ),
        ((np.ones(3), 4), {"mode": "valid", "dilation": 2}, ValueError, "kernel reaches 5 samples along axis 0"),
        (([1.0], 3), {"mode": "most"}, ValueError, "mode='most'"),
        (([1.0], 3), {"mode": None}, TypeError, "mode=None"),
        (([1.0], 3), {"boundary": "hole"}, ValueError, "boundary='hole'"),
        (([1.0], 3), {"operation": "multiply"}, ValueError, "operation='multiply'"),
        (([1.0], 3), {"operation": 1}, TypeError, "operation=1"),
        (([1.0], 3), {"stride": 0}, ValueError, "stride"),
        (([1.0], 3), {"stride": (1, 1)}, ValueError, r"stride=\(1, 1\)"),
        (([1.0], 3), {"stride": 1.5}, TypeError, r"stride=1\.5"),
        (([1.0], 3), {"dilation": -1}, ValueError, "dilation"),
        ((np.ones(3), 3), {"dilation": 2**62}, OverflowError, "dilation"),
        (([1.0], 3), {"stride": 2**70}, OverflowError, "int"),
        ((np.ones((1, 1, 1)), (2**40, 2**40, 2)), {}, OverflowError, "elements"),
        (([1.0], 2**70), {}, OverflowError, "int"),
        (([1.0], 3), {"groups": 2}, ValueError, "groups=2 without channels"),
        (([1.0], 3), {"channels": 0}, ValueError, "channels=0"),
        (([1.0], 3), {"channels": 1}, ValueError, r"kernel has shape \(1,\)"),
        ((np.ones((2, 1, 1)), 3), {"channels": 2}, ValueError, "channels=2 do not agree"),
        ((np.ones((2, 1, 1)), 3), {"channels": 3, "groups": 2}, ValueError, "channels=3 do not agree"),
        ((np.ones((3, 1, 1)), 3), {"channels": 2, "groups": 2}, ValueError, "does not divide the kernel's 3 filters"),
        ((np.ones((2, 1, 1)), 3), {"channels": 1, "groups": 0}, ValueError, "groups=0"),
        ((np.ones((0, 1, 1)), 3), {"channels": 1}, ValueError, "it cannot be empty"),
        ((np.ones((2, 1, 5)), 3), {"channels": 1, "mode": "valid"}, ValueError, "kernel reaches 5"),
        (([1.0], 3), {"threads": 0}, ValueError, "threads=0"),
        (([1.0], 3), {"dtype": int}, TypeError, "no 'same_kind' cast"),
        (([1.0], 3), {"dtype": "no"}, TypeError, "dtype='no'"),
    ],
)
def test_hostile_constructions(arguments, options, error, words):
    with pytest.raises(error, match=words):
        ConvOperator(*arguments, **options)


def test_hostile_products():
    A = ConvOperator([1.0, 2.0], 4)
    for call, words in (
        (lambda: A @ np.ones(5), r"x has shape \(5,\): expected \(4,\) or \(4, k\)"),
        (lambda: A @ np.ones((5, 4)), r"x has shape \(5, 4\)"),
        (lambda: A @ np.ones((4, 1, 1)), r"x has shape \(4, 1, 1\)"),
        (lambda: A @ 3, r"x has shape \(\)"),
        (lambda: np.ones(4) @ A, r"x has shape \(4,\): expected \(5,\)"),
        (lambda: np.ones((5, 4)) @ A, r"x has shape \(5, 4\)"),
        (lambda: A.matvec(np.ones((4, 2))), r"x has shape \(4, 2\)"),
        (lambda: A.matmat(np.ones(4)), r"x has shape \(4,\)"),
        (lambda: A.rmatvec(np.ones(4)), r"x has shape \(4,\): expected \(5,\)"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(TypeError, match="masked"):
        A @ np.ma.masked_array(np.ones(4), [True, False, False, False])


# ---- Anything ------------------------------------------------------------------------------------------------------


@st.composite
def problems(draw):
    ndim = draw(st.integers(1, 3))
    extents = st.lists(st.integers(1, 6 if ndim < 3 else 3), min_size=ndim, max_size=ndim).map(tuple)
    steps = st.lists(st.integers(1, 3), min_size=ndim, max_size=ndim).map(tuple)
    shape, window, dilation = draw(extents), draw(extents), draw(steps)
    mode = draw(st.sampled_from(MODES))
    if mode == "valid":
        shape = tuple(n + (k - 1) * d for n, k, d in zip(shape, window, dilation))
    options = {"boundary": draw(st.sampled_from(BOUNDARIES)), "stride": draw(steps), "dilation": dilation}
    return window, shape, mode, draw(st.sampled_from(tuple(FUNCTIONS))), options, draw(st.integers(0, 2**32))


@settings(max_examples=150, deadline=None)
@given(problems())
def test_adjoints_are_exact_on_integers(problem):
    window, shape, mode, operation, options, seed = problem
    rng = np.random.default_rng(seed)
    kernel = samples.values(rng, window, np.int32)
    A = ConvOperator(kernel, shape, mode, operation=operation, **options)
    x, y = samples.values(rng, A.shape[1], np.int32), samples.values(rng, A.shape[0], np.int32)
    image = FUNCTIONS[operation](x.reshape(shape), kernel, mode, **options)
    assert A.output_shape == image.shape
    np.testing.assert_array_equal(A @ x, image.ravel())
    assert (A @ x) @ y == x @ (A.H @ y)
    np.testing.assert_array_equal(A.diagonal(), operator_of(A, np.int32).diagonal())
    squares = operator_of(A, np.int32).astype(float) ** 2
    np.testing.assert_allclose(A.column_norms() ** 2, squares.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(A.row_norms() ** 2, squares.sum(axis=1), rtol=1e-12)


@settings(max_examples=100, deadline=None)
@given(problems(), st.sampled_from([None, (1, 1, 1), (2, 2, 1), (2, 4, 2), (4, 2, 2)]))
def test_the_matrix_is_conv_matrix(problem, layer):
    window, shape, mode, operation, options, seed = problem
    rng = np.random.default_rng(seed)
    if layer is not None:
        channels, filters, groups = layer
        window = (filters, channels // groups, *window)
        options = {**options, "channels": channels, "groups": groups}
    A = ConvOperator(samples.values(rng, window, np.int16), shape, mode, operation=operation, **options)
    D = A.todense()
    x, y = samples.values(rng, (A.shape[1], 2), np.int16), samples.values(rng, (A.shape[0], 2), np.int16)
    np.testing.assert_array_equal(A @ x, D @ x)
    np.testing.assert_array_equal(A.T @ y, D.T @ y)
    np.testing.assert_array_equal(A.diagonal(), D.diagonal())
    np.testing.assert_allclose(A.column_norms(), np.linalg.norm(D.astype(float), axis=0), rtol=1e-12)
    np.testing.assert_allclose(A.row_norms(), np.linalg.norm(D.astype(float), axis=1), rtol=1e-12)
    np.testing.assert_array_equal(A.tosparse() @ x, D @ x)
