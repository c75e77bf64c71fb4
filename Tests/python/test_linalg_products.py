"""matmul_toeplitz, matmul_circulant, solve_circulant, solve_toeplitz: against dense matrices, and against SciPy."""

import itertools
import signal
import threading
import time

import numpy as np
import pytest
import swiftconv
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import DTYPES, LAYOUTS, SLOW_DTYPES, normals, values
from swiftconv.linalg import (
    _products,
    _solutions,
    circulant,
    matmul_circulant,
    matmul_toeplitz,
    solve_circulant,
    solve_toeplitz,
    toeplitz,
)
from swiftconv.linalg._fft import cyclic_size, good_size

NUMBERS = [dtype for dtype in DTYPES + SLOW_DTYPES if dtype.kind != "O"]
EXTENTS = [(1, 1), (1, 4), (4, 1), (5, 5), (17, 31), (64, 63), (127, 130)]


def exact(array):
    return np.asarray(array).astype(np.complex128 if np.asarray(array).dtype.kind == "c" else np.float64)


def assert_close(ours, wanted, bound=1e-12):
    assert ours.shape == wanted.shape
    assert ours.dtype == wanted.dtype
    scale = np.abs(wanted).max(initial=1e-300)
    assert np.abs(ours - wanted).max(initial=0) <= bound * scale


@pytest.fixture(params=["direct", "FFT"])
def path(request, monkeypatch):
    limit = 1 << 60 if request.param == "direct" else -1
    for name in ("_DIRECT_PRODUCTS", "_DIRECT_EXTENT", "_DENSE_ELEMENTS", "_DENSE_ELEMENTS_FOR_MANY"):
        monkeypatch.setattr(_products, name, limit)


# ---- Lengths -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("real", [True, False])
def test_good_sizes(real):
    def is_good(n):
        for radix in (2, 3, 5) if real else (2, 3, 5, 7, 11):
            while n % radix == 0:
                n //= radix
        return n == 1

    sizes = [n for n in range(1, 3000) if is_good(n)]
    for n in range(1, 2900):
        assert good_size(n, real) == next(size for size in sizes if size >= n)
    for n in (10**6 + 1, 10**9 + 7, 2**40 + 1):
        assert n <= good_size(n, real) <= n * 1.1 and is_good(good_size(n, real))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 11, 13, 97, 4096, 8191])
def test_cyclic_sizes(n):
    for real in (True, False):
        assert cyclic_size(n, real) == n or cyclic_size(n, real) >= 2 * n - 1


# ---- Products ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
@pytest.mark.parametrize("m, n", EXTENTS)
def test_toeplitz_products(path, dtype, m, n):
    rng = np.random.default_rng([m, n])
    c, r = (
        exact(normals(rng, k, dtype)) % 100 if np.dtype(dtype).kind in "iu" else normals(rng, k, dtype) for k in (m, n)
    )
    for shape in ((n,), (n, 1), (n, 5), (2, n, 3)):
        x = values(rng, shape, np.int8)
        assert_close(matmul_toeplitz((c, r), x), toeplitz(exact(c), exact(r)) @ exact(x))
    if m == n:
        assert_close(matmul_toeplitz(c, x), toeplitz(exact(c)) @ exact(x))
        assert_close(matmul_circulant(c, x), circulant(exact(c)) @ exact(x))
        assert_close(matmul_circulant(c, x[0, :, 0]), circulant(exact(c)) @ exact(x[0, :, 0]))


@pytest.mark.parametrize("kinds", list(itertools.product("dD", repeat=3)), ids="".join)
def test_complex_operands(path, kinds):
    rng = np.random.default_rng(0)
    c, r, x = (normals(rng, 9, kind) for kind in kinds)
    assert_close(matmul_toeplitz((c, r), x), toeplitz(c, r) @ x)
    assert_close(matmul_circulant(c, x), circulant(c) @ x)


@pytest.mark.parametrize(
    "shapes",
    [
        ((3, 5), (4,), (4,)),
        ((5,), (2, 4), (4, 3)),
        ((3, 1, 5), (2, 4), (4, 6)),
        ((5,), (4,), (3, 2, 4, 1)),
        ((2, 5), (4,), (2, 4, 2)),
    ],
)
def test_product_batches(path, shapes):
    rng = np.random.default_rng(1)
    c, r, x = (rng.random(shape) for shape in shapes)
    assert_close(matmul_toeplitz((c, r), x), toeplitz(c, r) @ x)
    assert_close(matmul_circulant(r, x), circulant(r) @ x)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_product_layouts(path, layout):
    rng = np.random.default_rng(2)
    c, r, x = (LAYOUTS[layout](rng.random(shape)) for shape in ((2, 6), (2, 5), (2, 5, 3)))
    assert_close(matmul_toeplitz((c, r), x), toeplitz(exact(c), exact(r)) @ exact(x))
    assert_close(matmul_circulant(r, x), circulant(exact(r)) @ exact(x))


@pytest.mark.parametrize("m, n, k", [(0, 0, 0), (0, 3, 2), (3, 0, 2), (3, 4, 0)])
def test_empty_products(path, m, n, k):
    c, r = np.ones(m), np.ones(n)
    assert np.array_equal(matmul_toeplitz((c, r), np.ones((n, k))), np.zeros((m, k)))
    assert np.array_equal(
        matmul_toeplitz((c, r), np.ones(n)), np.full(m, 0.0) if n == 0 else toeplitz(c, r) @ np.ones(n)
    )
    assert matmul_circulant(c, np.ones((m, k))).shape == (m, k)


def test_nan_and_infinity_spread_the_same_way_at_every_size(path):
    rng = np.random.default_rng(3)
    for bad in (np.nan, np.inf, -np.inf):
        c, x = rng.random(8), rng.random((8, 3))
        c[3] = bad
        assert np.isnan(matmul_toeplitz(c, x)).all() and np.isnan(matmul_circulant(c, x[:, 0])).all()
        c[3], x[2, 1] = 1, bad
        y = matmul_toeplitz(c, x)
        assert np.isnan(y[:, 1]).all() and np.isfinite(y[:, [0, 2]]).all()
        assert np.isnan(matmul_toeplitz(c, x[:, 1])).all()
        with pytest.raises(ValueError, match="x holds NaN or infinity"):
            matmul_toeplitz(c, x, check_finite=True)


def test_the_first_element_of_the_row_is_not_used(path):
    assert np.array_equal(matmul_toeplitz(([1.0, 2], [np.nan, 3]), [1, 1]), [4, 3])


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 20), st.booleans(), st.integers(0, 9))
def test_any_product(m, n, k, is_complex, seed):
    rng = np.random.default_rng(seed)
    kind = "D" if is_complex else "d"
    c, r, x = normals(rng, m, kind), normals(rng, n, kind), normals(rng, (n, k), kind)
    assert_close(matmul_toeplitz((c, r), x), toeplitz(c, r) @ x)


def test_large_products():
    rng = np.random.default_rng(4)
    c, r, x = rng.standard_normal(9000), rng.standard_normal(70), rng.standard_normal(9000)
    assert_close(matmul_toeplitz((c, r), x[:70]), toeplitz(c, r) @ x[:70])
    assert_close(matmul_toeplitz((r, c), x), toeplitz(r, c) @ x)
    for n in (3000, 4096, 5003):
        c, r, x = rng.standard_normal((3, n))
        assert_close(matmul_toeplitz((c, r), x), toeplitz(c, r) @ x)
        assert_close(matmul_circulant(c, x), circulant(c) @ x)


# ---- Circulant systems ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
@pytest.mark.parametrize("n", [1, 2, 5, 12, 97])
def test_circulant_solutions(dtype, n):
    rng = np.random.default_rng(n)
    c = normals(rng, n, dtype)
    c[0] = 1
    b = rng.standard_normal((n, 2))
    a = circulant(exact(c))
    if np.linalg.cond(a) < 1e6:
        x = solve_circulant(c, b)
        assert x.shape == b.shape
        assert np.allclose(x, np.linalg.solve(a, b), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("axes", [(0, 1, -1), (-3, -2, 0), (0, 1, 1)])
def test_axes_of_circulant_systems(axes):
    rng = np.random.default_rng(6)
    c, b = rng.random((5, 2, 3)), rng.random((3, 5, 2))
    caxis, baxis, outaxis = axes
    b = np.swapaxes(b, 0, 2)
    matrices, sides = circulant(np.moveaxis(c, 0, -1)), np.moveaxis(b, 1, -1)
    x = solve_circulant(c, b, caxis=caxis, baxis=baxis, outaxis=outaxis)
    assert_close(x, np.moveaxis(np.linalg.solve(matrices, sides[..., np.newaxis])[..., 0], -1, outaxis))


def test_singular_circulants():
    with pytest.raises(np.linalg.LinAlgError, match="near singular"):
        solve_circulant([1, 1, 0, 0], [1, 2, 3, 4])
    c, b = [1.0, 1, 0, 0], [1.0, 2, 3, 4]
    assert np.allclose(
        solve_circulant(c, b, singular="lstsq"), np.linalg.lstsq(circulant(c), np.array(b), rcond=None)[0]
    )
    with pytest.raises(np.linalg.LinAlgError):
        solve_circulant([4.0, 1, 0, 0], b, tol=10)


@pytest.mark.parametrize("singular", ["raise", "lstsq"])
@pytest.mark.parametrize("kinds", list(itertools.product("fdFD", repeat=2)), ids="".join)
def test_scipy_circulant_solutions(kinds, singular):
    pytest.importorskip("scipy")
    import scipy.linalg

    rng = np.random.default_rng(7)
    for c_shape, b_shape, axes in [
        ((7,), (7,), {}),
        ((8,), (8, 3), {}),
        ((2, 7), (7, 1), {}),
        ((7, 3), (3, 7), {"caxis": 0, "baxis": 1, "outaxis": 1}),
        ((7, 3), (3, 7), {"caxis": 0, "baxis": -1, "outaxis": -1}),
    ]:
        c, b = normals(rng, c_shape, kinds[0]), normals(rng, b_shape, kinds[1])
        ours, theirs = (f(c, b, singular, **axes) for f in (solve_circulant, scipy.linalg.solve_circulant))
        assert_close(ours, theirs, 1e-3 if np.float32 in (c.real.dtype, b.real.dtype) else 1e-11)
    if singular == "lstsq":
        c, b = np.array([1, 1, 0, 0], kinds[0]), normals(rng, (4, 3), kinds[1])
        x = solve_circulant(c, b, "lstsq")  # SciPy's takes no matrix b here
        for ours, side in zip(x.T, b.T):
            assert_close(ours, scipy.linalg.solve_circulant(c, side, "lstsq"), 1e-5)


def test_empty_circulant_systems():
    assert solve_circulant(np.ones(0), np.ones(0)).shape == (0,)
    x = solve_circulant(np.ones(3, np.complex128), np.ones((3, 0)))
    assert x.shape == (3, 0) and x.dtype == np.complex128
    assert solve_circulant(np.ones((0, 3)), np.ones(3)).shape == (3, 0)


# ---- Toeplitz systems ----------------------------------------------------------------------------------------------


def definite(rng, n, kind):
    """The first column of a Hermitian positive definite matrix."""
    c = normals(rng, n, kind) / (1 + np.arange(n)) ** 2
    c[0] = 4 * np.abs(c).sum() + 1
    return c


def dominant(rng, n, kind):
    c, r = normals(rng, n, kind), normals(rng, n, kind)
    c[0] = 2 * (np.abs(c).sum() + np.abs(r).sum())
    return c, r


@pytest.mark.parametrize("kind", "dD")
@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 257])
def test_toeplitz_solutions(kind, n):
    rng = np.random.default_rng(n)
    c, r = dominant(rng, n, kind)
    for shape in ((n,), (n, 1), (n, 4), (n, 37), (2, n, 3)):
        b = normals(rng, shape, kind)
        x = solve_toeplitz((c, r), b)
        assert x.shape == b.shape and x.dtype == b.dtype
        assert np.abs(toeplitz(c, r) @ x - b).max() < 1e-12 * np.abs(b).max()
    h = definite(rng, n, kind)
    assert np.abs(toeplitz(h) @ solve_toeplitz(h, b) - b).max() < 1e-12 * np.abs(b).max()


@pytest.mark.parametrize("kinds", list(itertools.product("iefdFDg", repeat=2)), ids="".join)
def test_scipy_toeplitz_solutions(kinds):
    pytest.importorskip("scipy", minversion="1.17")
    import scipy.linalg

    rng = np.random.default_rng(8)
    n = 20
    c, r, b = (values(rng, n, np.int8).astype(kind) for kind in (*kinds, kinds[0]))
    c[0] = 3000
    for b_shape in ((n,), (n, 3), (4, n, 2)):
        b = values(rng, b_shape, np.int8).astype(kinds[1])
        assert_close(solve_toeplitz((c, r), b), scipy.linalg.solve_toeplitz((c, r), b))
        assert_close(solve_toeplitz(c, b), scipy.linalg.solve_toeplitz(c, b))
        assert_close(matmul_toeplitz((c, r), b), scipy.linalg.matmul_toeplitz((c, r), b))
        assert_close(matmul_toeplitz(c, b), scipy.linalg.matmul_toeplitz(c, b))
    c, r = np.broadcast_to(c, (3, n)), np.broadcast_to(r, (2, 1, n))
    b = b[0]
    assert_close(solve_toeplitz((c, r), b), scipy.linalg.solve_toeplitz((c, r), b))
    assert_close(matmul_toeplitz((c, r), b), scipy.linalg.matmul_toeplitz((c, r), b))
    assert_close(matmul_toeplitz((c, r), b[:, 0]), scipy.linalg.matmul_toeplitz((c, r), b[:, 0]))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_solution_layouts(layout):
    rng = np.random.default_rng(9)
    c, r = dominant(rng, 6, "d")
    c, r, b = (LAYOUTS[layout](array) for array in (np.stack([c, c]), np.stack([r, r]), rng.random((2, 6, 3))))
    assert_close(solve_toeplitz((c, r), b), np.linalg.solve(toeplitz(exact(c), exact(r)), exact(b)))


@pytest.mark.parametrize(
    "c, r, order",
    [
        ([0, 1], [0, 1], 1),
        ([1, 1], [1, 1], 2),
        ([1, 1, 5], [1, 1, 5], 2),
        ([0.0], [0.0], 1),
        ([2, 1, 1j], [2, 4, 0], 2),
    ],
)
def test_singular_leading_minors(c, r, order):
    b = np.ones((len(c), 2))
    with pytest.raises(np.linalg.LinAlgError, match=f"Singular principal minor of order {order}"):
        solve_toeplitz((c, r), b)


def test_right_hand_sides_do_not_matter_to_each_other():
    rng = np.random.default_rng(10)
    c, r = dominant(rng, 50, "D")
    b = normals(rng, (50, 70), "D")
    x = solve_toeplitz((c, r), b)
    for threads in (1, 3):
        with swiftconv.threads(threads):
            assert np.array_equal(solve_toeplitz((c, r), b), x)
    assert np.array_equal(solve_toeplitz((c, r), b[:, 41]), x[:, 41])


def test_numbers_that_are_not_finite():
    c = np.array([4.0, np.nan, 1])
    with pytest.raises(ValueError, match="c holds NaN"):
        solve_toeplitz(c, np.ones(3))
    assert np.isnan(solve_toeplitz(c, np.ones(3), check_finite=False)).any()
    for bad in (np.inf, -np.inf, np.nan):
        for place in range(3):
            c = np.array([4.0, 1, 2])
            c[place] = bad
            solve_toeplitz((c, c[::-1]), np.ones((3, 2)), check_finite=False)
    tiny = np.full(40, 1e-320)
    tiny[0] = 3e-320
    solve_toeplitz((tiny, tiny[::-1]), np.ones(40))


def test_vectors_that_decay():
    """Most elements of the recursion's vectors fall below the normal numbers; the caller's arithmetic keeps those."""
    k = np.arange(600.0)
    c = np.exp(-((k / 3) ** 2)) + 1e-2 * (k == 0)
    b = np.random.default_rng(12).random(600)
    with swiftconv.threads(2):
        x = solve_toeplitz(c, np.stack([b] * 9, axis=1))
    assert np.linalg.norm(toeplitz(c) @ x[:, 0] - b) < 1e-12 * np.linalg.norm(b)
    assert np.array([1e-310]) / 4 > 0


def test_empty_toeplitz_systems():
    assert solve_toeplitz(np.ones(0), np.ones(0)).shape == (0,)
    assert solve_toeplitz(np.ones(0), np.ones((0, 3))).shape == (0, 3)
    assert solve_toeplitz(np.ones(3), np.ones((3, 0))).shape == (3, 0)
    assert solve_toeplitz(np.ones((0, 3)), np.ones((3, 2))).shape == (0, 3, 2)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 60), st.integers(1, 40), st.booleans(), st.integers(0, 9))
def test_any_solution(n, k, is_complex, seed):
    rng = np.random.default_rng(seed)
    kind = "D" if is_complex else "d"
    c, r = dominant(rng, n, kind)
    b = normals(rng, (n, k), kind)
    assert_close(solve_toeplitz((c, r), b), np.linalg.solve(toeplitz(c, r), b))


# ---- Conjugate gradients -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", "dD")
@pytest.mark.parametrize("n", [1, 2, 5, 64, 97, 500])
def test_conjugate_gradients(kind, n):
    rng = np.random.default_rng(n)
    c = definite(rng, n, kind)
    for shape in ((n,), (n, 3), (2, n, 2)):
        b = normals(rng, shape, kind)
        b[..., 0] = 0
        x = solve_toeplitz(c, b, method="pcg")
        assert_close(x, solve_toeplitz(c, b, method="levinson"), 1e-11)
        a = toeplitz(c)
        assert np.linalg.norm(a @ x - b) <= 1e-12 * max(np.linalg.norm(b), 1e-300)


def test_auto_iterates_from_a_size_on(monkeypatch):
    monkeypatch.setattr(_solutions, "_ITERATIVE_FROM", 8)
    monkeypatch.setattr(_solutions, "_UNKNOWNS_PER_STEP", 1)
    calls = []
    solver = _solutions.solve_positive_definite
    monkeypatch.setattr(_solutions, "solve_positive_definite", lambda *a: calls.append(1) or solver(*a))
    rng = np.random.default_rng(11)
    c, b = definite(rng, 30, "d"), rng.random(30)
    assert_close(solve_toeplitz(c, b), np.linalg.solve(toeplitz(c), b), 1e-11)
    assert len(calls) == 1
    solve_toeplitz(dominant(rng, 30, "d"), b)  # not Hermitian
    assert len(calls) == 1
    c[0] = 0.1  # not definite: iterations give up, the recursion does not mind
    assert_close(solve_toeplitz(c, b), np.linalg.solve(toeplitz(c), b), 1e-8)
    assert len(calls) == 2


def test_conjugate_gradients_say_why_they_end():
    c = [1.0, 2, 0, 0]
    with pytest.raises(np.linalg.LinAlgError, match="relative residual"):
        solve_toeplitz(c, np.ones(4), method="pcg")
    hard = 1 / (1 + np.arange(200.0)) ** 0.5
    with pytest.raises(np.linalg.LinAlgError, match="in 2 steps: relative residual"):
        solve_toeplitz(hard, np.random.default_rng(0).random(200), method="pcg", maxiter=2)
    loose = solve_toeplitz(hard, np.ones(200), method="pcg", tol=1e-2)
    assert np.linalg.norm(toeplitz(hard) @ loose - 1) <= 1e-2 * 200**0.5


# ---- Errors and interrupts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: matmul_toeplitz([1, 2], [1, 2, 3]), ValueError, "x has shape.*expected 2 rows"),
        (lambda: matmul_toeplitz(([1, 2], [1, 2, 3]), np.ones((2, 3))), ValueError, "expected 3 rows"),
        (lambda: matmul_toeplitz((1, 2, 3), [1]), ValueError, "tuple of 3"),
        (lambda: matmul_toeplitz(np.array([1, 2], object), [1, 2]), ValueError, "object"),
        (lambda: matmul_toeplitz(np.ma.ones(2), [1, 2]), TypeError, "masked"),
        (lambda: matmul_toeplitz([1, 2], ["a", "b"]), TypeError, "dtype"),
        (lambda: matmul_toeplitz([1, 2], [1, 2], workers=1.5), TypeError, "workers"),
        (lambda: matmul_toeplitz(np.ones((2, 2)), np.ones((3, 2, 1))), ValueError, "broadcast"),
        (lambda: matmul_circulant([1, 2], [1, 2, 3]), ValueError, "x has shape.*expected 2 rows"),
        (lambda: solve_circulant([1, 2], [1, 2, 3]), ValueError, r"\(2,\).*\(3,\)"),
        (lambda: solve_circulant([1, 2], [1, 2], caxis=1), ValueError, "caxis=1"),
        (lambda: solve_circulant([1, 2], [1, 2], baxis=-2), ValueError, "baxis=-2"),
        (lambda: solve_toeplitz([1, 2], [1, 2, 3]), ValueError, "b has shape"),
        (lambda: solve_toeplitz(([1, 2], [1]), [1, 2]), ValueError, "r has shape"),
        (lambda: solve_toeplitz([1, 2], [1, 2], method="lu"), ValueError, "method='lu'"),
        (lambda: solve_toeplitz(([1, 2], [1, 3]), [1, 2], method="pcg"), ValueError, "not Hermitian"),
        (lambda: solve_toeplitz([1, 2], [1, 2], tol=-1), ValueError, "tol=-1"),
        (lambda: solve_toeplitz([1, 2], [1, 2], maxiter=0), ValueError, "maxiter=0"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_recursion_hears_signals():
    n = 60000
    c = np.ones(n) / (1 + np.arange(n))
    c[0] = 40
    timer = threading.Timer(0.3, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT))
    timer.start()
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        solve_toeplitz(c, np.ones(n), method="levinson")
    assert time.perf_counter() - began < 1.5
