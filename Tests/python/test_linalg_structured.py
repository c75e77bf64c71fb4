"""toeplitz, circulant, hankel, convolution_matrix: against their index formulas, and against SciPy."""

import inspect
import itertools

import numpy as np
import pytest
import swiftconv
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import BFLOAT16
from samples import DTYPES, LAYOUTS, SLOW_DTYPES, values
from swiftconv import linalg
from swiftconv.linalg import _structured, circulant, convolution_matrix, hankel, toeplitz
from test_docs import run_examples

# ---- The definitions -----------------------------------------------------------------------------------------------


def each_matrix(core, *arrays):
    """`core` for every index of the batches, which are broadcast; of the dtype of the first result."""
    batch = np.broadcast_shapes(*(a.shape[:-1] for a in arrays))
    arrays = [np.broadcast_to(a, (*batch, a.shape[-1])) for a in arrays]
    matrices = [core(*(a[index] for a in arrays)) for index in np.ndindex(*batch)]
    return np.array(matrices, matrices[0].dtype).reshape(*batch, *matrices[0].shape)


def toeplitz_reference(c, r):
    def core(c, r):
        result = np.empty((c.size, r.size), np.result_type(c, r))
        for i, j in np.ndindex(result.shape):
            result[i, j] = c[i - j] if i >= j else r[j - i]
        return result

    return each_matrix(core, c, r)


def hankel_reference(c, r):
    def core(c, r):
        result = np.empty((c.size, r.size), np.result_type(c, r))
        for i, j in np.ndindex(result.shape):
            result[i, j] = c[i + j] if i + j < c.size else r[i + j - c.size + 1]
        return result

    return each_matrix(core, c, r)


def circulant_reference(c):
    def core(c):
        result = np.empty((c.size, c.size), c.dtype)
        for i, j in np.ndindex(result.shape):
            result[i, j] = c[(i - j) % c.size]
        return result

    return each_matrix(core, c)


def convolution_reference(a, n, mode):
    def core(a):
        full = np.zeros((a.size + n - 1, n), a.dtype)
        for i, j in np.ndindex(full.shape):
            if 0 <= i - j < a.size:
                full[i, j] = a[i - j]
        short, long = min(a.size, n), max(a.size, n)
        first, rows = {
            "full": (0, a.size + n - 1),
            "same": ((short - 1) // 2, long),
            "valid": (short - 1, long - short + 1),
        }[mode]
        return full[first : first + rows]

    return each_matrix(core, a)


def assert_same(ours, wanted):
    assert ours.dtype == wanted.dtype
    assert ours.shape == wanted.shape
    assert ours.flags.c_contiguous and ours.flags.owndata | (ours.base is None) and ours.flags.writeable
    assert np.array_equal(ours, wanted)


EXTENTS = [(1, 1), (1, 5), (5, 1), (3, 4), (7, 7), (64, 3), (3, 64), (33, 70)]
ALL_DTYPES = DTYPES + SLOW_DTYPES


@pytest.fixture(autouse=True, params=["NumPy's copy", "the core's copy"])
def both_copies(request, monkeypatch):
    """Small matrices by both ways of writing them."""
    if request.param == "the core's copy":
        monkeypatch.setattr(_structured, "_SMALL_BYTES", 0)


# ---- Against the definitions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ALL_DTYPES, ids=str)
@pytest.mark.parametrize("m, n", EXTENTS)
def test_index_formulas(dtype, m, n):
    rng = np.random.default_rng([m, n])
    c, r = values(rng, m, dtype), values(rng, n, dtype)
    assert_same(toeplitz(c, r), toeplitz_reference(c, r))
    assert_same(toeplitz(c), toeplitz_reference(c, c.conj() if c.dtype.kind in "cO" else c))
    assert_same(hankel(c, r), hankel_reference(c, r))
    assert_same(hankel(c), hankel_reference(c, np.zeros_like(c)))
    assert_same(circulant(c), circulant_reference(c))
    for mode in ("full", "same", "valid"):
        assert_same(convolution_matrix(c, n, mode), convolution_reference(c, n, mode))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.complex64, object], ids=str)
def test_layouts_and_batches(layout, dtype):
    rng = np.random.default_rng(5)
    c = LAYOUTS[layout](values(rng, (2, 3, 5), dtype))
    r = LAYOUTS[layout](values(rng, (1, 3, 4), dtype))
    conjugate = c.conj() if c.dtype.kind in "cO" else c
    for ours, wanted in [
        (toeplitz(c, r), toeplitz_reference(c, r)),
        (toeplitz(c), toeplitz_reference(c, conjugate)),
        (hankel(c, r), hankel_reference(c, r)),
        (circulant(c), circulant_reference(c)),
        (convolution_matrix(c, 3, "same"), convolution_reference(c, 3, "same")),
    ]:
        assert ours.dtype == wanted.dtype or layout == "byteswapped"
        assert ours.shape == wanted.shape and np.array_equal(ours, wanted)


@pytest.mark.parametrize("shapes", [((4,), (2, 3)), ((2, 1, 4), (3, 3)), ((0, 4), (3,)), ((1, 0, 4), (5, 1, 3))])
def test_batches_are_broadcast(shapes):
    rng = np.random.default_rng(1)
    c, r = (values(rng, shape, np.int32) for shape in shapes)
    batch = np.broadcast_shapes(c.shape[:-1], r.shape[:-1])
    for function, reference in ((toeplitz, toeplitz_reference), (hankel, hankel_reference)):
        ours = function(c, r)
        assert ours.shape == (*batch, 4, 3) and ours.dtype == np.int32
        if ours.size:
            assert np.array_equal(ours, reference(c, r))


def test_mixed_dtypes():
    for a, b in itertools.product(
        [np.bool_, np.int8, np.uint8, np.int64, np.float32, np.complex64, np.longdouble, object], repeat=2
    ):
        rng = np.random.default_rng(0)
        c, r = values(rng, 3, a), values(rng, 4, b)
        assert_same(toeplitz(c, r), toeplitz_reference(c, r))
        assert_same(hankel(c, r), hankel_reference(c, r))


@pytest.mark.parametrize("dtype", ["S3", "U2", "M8[s]", [("a", "i4"), ("b", "f8")]], ids=str)
def test_dtypes_that_are_only_moved(dtype):
    c = np.zeros(3, dtype)
    c[1] = np.ones(1, dtype)[0] if not str(np.dtype(dtype)).startswith("datetime") else 7
    assert_same(circulant(c), circulant_reference(c))


@pytest.mark.parametrize("m, n", [(0, 0), (0, 1), (0, 4), (4, 0), (1, 0)])
def test_empty_vectors(m, n):
    c, r = np.zeros(m, np.int16), np.zeros(n, np.int16)
    for ours in (toeplitz(c, r), hankel(c, r)):
        assert ours.shape == (m, n) and ours.dtype == np.int16
    assert circulant(c).shape == (m, m)
    assert toeplitz(np.zeros((2, 0))).shape == (2, 0, 0)


def test_array_likes():
    assert np.array_equal(toeplitz([1, 2]), [[1, 2], [2, 1]])
    assert np.array_equal(toeplitz(3, (4, 5)), [[3, 5]])
    assert np.array_equal(toeplitz(range(3)), [[0, 1, 2], [1, 0, 1], [2, 1, 0]])
    assert np.array_equal(circulant(7), [[7]])
    assert np.array_equal(hankel(np.float32(7)), [[7]])
    assert np.array_equal(convolution_matrix(3, 2), [[3, 0], [0, 3]])


def test_results_are_new():
    c = np.array([5.0])
    for ours in (toeplitz(c), circulant(c), hankel(c), convolution_matrix(c, 1)):
        ours[...] = 1
    assert c[0] == 5


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.complex128], ids=str)
def test_large_matrices(dtype):
    """More than one chunk, thread and cache."""
    rng = np.random.default_rng(2)
    c, r = values(rng, 1100, dtype), values(rng, 1300, dtype)
    i, j = np.ogrid[:1100, :1300]
    line = np.concatenate((r[:0:-1], c))
    assert np.array_equal(toeplitz(c, r), line[i - j + 1299])
    assert np.array_equal(hankel(c, r), np.concatenate((c, r[1:]))[i + j])
    assert np.array_equal(circulant(c), c[(np.ogrid[:1100, :1100][0] - np.ogrid[:1100, :1100][1]) % 1100])


def test_threads_do_not_matter():
    c = np.random.default_rng(3).random((3, 700))
    with swiftconv.threads(1):
        one = toeplitz(c)
    with swiftconv.threads(4):
        assert np.array_equal(toeplitz(c), one)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(ALL_DTYPES),
    st.sampled_from(["full", "same", "valid"]),
    st.integers(0, 9),
)
def test_any_extents(m, n, dtype, mode, seed):
    rng = np.random.default_rng(seed)
    c, r = values(rng, m, dtype), values(rng, n, dtype)
    assert_same(toeplitz(c, r), toeplitz_reference(c, r))
    assert_same(hankel(c, r), hankel_reference(c, r))
    assert_same(convolution_matrix(c, n, mode), convolution_reference(c, n, mode))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("m, n", EXTENTS)
def test_it_is_the_matrix_of_a_convolution(mode, m, n):
    rng = np.random.default_rng(4)
    a, v = rng.integers(-9, 10, m), rng.integers(-9, 10, n)
    assert np.array_equal(convolution_matrix(a, n, mode) @ v, swiftconv.convolve(a, v, mode))


# ---- Against SciPy -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [dtype for dtype in ALL_DTYPES if dtype != BFLOAT16], ids=str)
@pytest.mark.parametrize("m, n", EXTENTS)
def test_scipy(dtype, m, n):
    pytest.importorskip("scipy", minversion="1.17")
    import scipy.linalg

    rng = np.random.default_rng([m, n])
    c, r = values(rng, m, dtype), values(rng, n, dtype)
    assert_same(toeplitz(c, r), scipy.linalg.toeplitz(c, r))
    assert_same(toeplitz(c), scipy.linalg.toeplitz(c))
    assert_same(hankel(c, r), scipy.linalg.hankel(c, r))
    assert_same(hankel(c), scipy.linalg.hankel(c))
    assert_same(circulant(c), scipy.linalg.circulant(c))
    for mode in ("full", "same", "valid"):
        assert_same(convolution_matrix(c, n, mode), scipy.linalg.convolution_matrix(c, n, mode))
    c, r = values(rng, (2, 1, m), dtype), values(rng, (3, n), dtype)
    assert_same(toeplitz(c, r), scipy.linalg.toeplitz(c, r))
    assert_same(circulant(c), scipy.linalg.circulant(c))
    assert_same(convolution_matrix(c, n), scipy.linalg.convolution_matrix(c, n))


# ---- Errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: toeplitz(np.ones((2, 3)), np.ones((3, 3))), ValueError, r"\(2, 3\).*\(3, 3\).*broadcast"),
        (lambda: hankel(np.ones((2, 3)), np.ones((3, 3))), ValueError, r"\(2, 3\).*\(3, 3\).*broadcast"),
        (lambda: toeplitz(np.ma.ones(3)), TypeError, "masked"),
        (lambda: circulant(np.ma.ones(3)), TypeError, "masked"),
        (lambda: toeplitz([[1], [2, 3]]), TypeError, "cannot become an array"),
        (lambda: toeplitz(np.zeros(2, "M8[s]"), np.ones(2)), TypeError, "common dtype"),
        (lambda: convolution_matrix([], 3), ValueError, "at least 1 element"),
        (lambda: convolution_matrix([1], 0), ValueError, "n=0"),
        (lambda: convolution_matrix([1], -2), ValueError, "n=-2"),
        (lambda: convolution_matrix([1], 2.0), TypeError, r"n=2\.0"),
        (lambda: convolution_matrix([1], 2, "most"), ValueError, "mode='most'"),
        (lambda: convolution_matrix([1], 2, None), TypeError, "mode=None"),
        (lambda: convolution_matrix([1.0], 1 << 61), (MemoryError, OverflowError), None),
        (lambda: convolution_matrix([1.0], 1 << 80), (MemoryError, OverflowError), None),
        (lambda: circulant(np.broadcast_to(1.0, 1 << 40)), (MemoryError, ValueError), None),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


FUNCTIONS = [
    "circulant",
    "convolution_matrix",
    "hankel",
    "matmul_circulant",
    "matmul_toeplitz",
    "solve_circulant",
    "solve_toeplitz",
    "toeplitz",
]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings(name):
    function = getattr(linalg, name)
    text = inspect.getdoc(function)
    assert run_examples(text, name, {"np": np, "swiftconv": swiftconv})
    for parameter in inspect.signature(function).parameters:
        assert f"{parameter} :" in text or f"{parameter}," in text or f", {parameter}" in text, parameter
