"""einsum against NumPy's: values, dtypes, memory orders, views, every form of a call."""

import itertools
import pickle

import numpy as np
import pytest
import swiftconv
from einsum_reference import numpy_einsum
from samples import DTYPES, LAYOUTS, SLOW_DTYPES, normals, pairwise, values

SUBSCRIPTS = [
    "i,i->i", "i,i->", "i,j->ij", "i,j->ji", "i,->i", ",->", "i->", "ij->", "ij->i", "ij->j", "ij->ji,", "ij,j->i", "ij,i->j",
    "ij,jk->ik", "ij,jk->ki", "ij,kj->ik", "ji,jk->ik", "ji,kj->ki", "ij,ij->ij", "ij,ij->", "ij,ji->i", "ij,kl->ikjl",
    "bij,bjk->bik", "bij,bkj->bik", "ijb,jkb->ikb", "bij,jk->bik", "ij,bjk->bki", "abij,abkj->abik", "aibj,ajbk->abik",
    "abcd,dcef->abef", "abcd,cdef->abef", "dcab,fdec->befa", "ii->", "ii->i,", "iij->j", "iij,j->i", "ijj,jik->ki", "iii,i->i",
    "iji,j->", "ij,k->i", "ij,kl->", "i,i,i->i", "i,i,i->", "ij,jk,kl->il", "i,j,k->kji", "ij,ij,ij->j", "ij,jk,ki->", "a,ab,abc->c",
    "ij,jk,kl,lm->im", "ab,bc,cd,de,ef->fa", "BAb,bcA->cB", "zA,Az->", "i,i,i,i,i,i,i,i,i->",
]  # fmt: skip
SUBSCRIPTS = [text.rstrip(",") if text.endswith(",") else text for text in SUBSCRIPTS]
EXTENTS = dict(zip("abcdefijklmzAB", (2, 3, 4, 3, 2, 3, 5, 4, 3, 2, 3, 4, 2, 3)))


def operands_of(rng, subscripts, dtype, extents=EXTENTS, make=values):
    inputs = subscripts.split("->")[0].split(",")
    return [make(rng, tuple(extents[letter] for letter in part), dtype) for part in inputs]


def same(actual, expected):
    assert type(actual) is type(expected)
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)


def strides_of_more_than_one(array):
    return [step for step, extent in zip(array.strides, array.shape) if extent > 1]


@pytest.mark.parametrize("subscripts", SUBSCRIPTS)
def test_every_dtype(subscripts, rng):
    for dtype in DTYPES:
        operands = operands_of(rng, subscripts, dtype)
        for _ in range(2):  # by Python, then, as plain calls are, by C
            same(swiftconv.einsum(subscripts, *operands), numpy_einsum(subscripts, *operands))
        implicit = subscripts.split("->")[0]
        same(swiftconv.einsum(implicit, *operands), numpy_einsum(implicit, *operands))


@pytest.mark.parametrize("dtype", SLOW_DTYPES, ids=str)
@pytest.mark.parametrize("subscripts", ["ij,jk->ki", "ii->", "ij,kj,k->i", "ij->ji"])
def test_dtypes_of_numpy(subscripts, dtype, rng):
    operands = operands_of(rng, subscripts, dtype)
    expected = np.einsum(
        subscripts,
        *[operand.astype(np.complex128 if np.dtype(dtype).kind == "c" else np.int64) for operand in operands],
    )
    actual = swiftconv.einsum(subscripts, *operands)
    assert getattr(actual, "dtype", dtype) == dtype  # a sum of objects is an object
    np.testing.assert_array_equal(actual, expected.astype(dtype))


@pytest.mark.parametrize("left, right", list(itertools.combinations(DTYPES, 2)), ids=str)
def test_mixed_dtypes(left, right, rng):
    a, b = ((values(rng, shape, np.int8) % 7).astype(dtype) for shape, dtype in (((3, 4), left), ((4, 2), right)))
    try:
        dtype = np.result_type(left, right)
    except TypeError:
        with pytest.raises(TypeError):
            swiftconv.einsum("ij,jk", a, b)
        return
    expected = numpy_einsum("ij,jk->ik", a.astype(dtype), b.astype(dtype))
    for _ in range(2):
        same(swiftconv.einsum("ij,jk->ik", a, b), expected)


@pytest.mark.parametrize("subscripts", ["ij,jk->ik", "bij,bkj->bki", "iji,kj->ik", "ij->j", "ij,jk,kl->li", "ij,kj->"])
@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.complex128])
def test_layouts(subscripts, dtype, rng):
    count = subscripts.count(",") + 1
    for row in pairwise({place: list(LAYOUTS.values()) for place in range(count)}) if count > 1 else [
        {0: layout} for layout in LAYOUTS.values()
    ]:  # fmt: skip
        operands = [row[place](a) for place, a in enumerate(operands_of(rng, subscripts, dtype, dict(EXTENTS, i=4)))]
        expected = np.einsum(subscripts, *[np.array(operand, dtype) for operand in operands])
        for _ in range(2):
            np.testing.assert_array_equal(swiftconv.einsum(subscripts, *operands), expected)


@pytest.mark.parametrize(
    "subscripts", ["ij,jk->ik", "bij,bjk->bik", "ij,j->i", "i,j->ji", "ij->", "ij,kl->k", "ij,jk,kl->il"]
)
def test_extents_of_0_and_1(subscripts, rng):
    letters = sorted(set(subscripts) - set(",->"))
    for extents in itertools.product([0, 1, 3], repeat=len(letters)):
        operands = operands_of(rng, subscripts, np.int32, dict(zip(letters, extents)))
        for _ in range(2):
            same(swiftconv.einsum(subscripts, *operands), np.einsum(subscripts, *operands))


def test_extents_of_1_are_broadcast(rng):
    cases = [("ij,jk->ik", (2, 1), (5, 3)), ("ij,ij->ij", (1, 4), (3, 1)), ("ij,jk,k->i", (2, 1), (4, 1), (3,)),
             ("i,i->", (1,), (7,)), ("ij,ij->i", (3, 1), (3, 1)), ("...,...->...", (3, 1, 4), (2, 1))]  # fmt: skip
    for subscripts, *shapes in cases:
        operands = [values(rng, shape, np.float64) for shape in shapes]
        for optimize in (False, True):
            same(swiftconv.einsum(subscripts, *operands, optimize=optimize), np.einsum(subscripts, *operands))


@pytest.mark.parametrize(
    "subscripts, shapes",
    [
        ("...", [(2, 3)]), ("...->...", [(2, 3)]), ("i...", [(2, 3)]), ("...i", [(2, 3)]), ("i...->...i", [(2, 3, 4)]),
        ("...ij,...jk->...ik", [(5, 2, 3), (5, 3, 4)]), ("...ij,...jk", [(5, 1, 2, 3), (6, 3, 4)]), ("i...,...i", [(3, 2), (3,)]),
        ("i...j,j...->...i", [(2, 4, 5, 3), (3, 5)]), ("...,...", [(2, 3), (3,)]), ("...,", [(2, 3), ()]), ("i...i->...", [(3, 2, 3)]),
        ("...i->i...", [(3,)]), ("a...b,b...c,...->a...c", [(2, 7, 3), (3, 1, 4), (5, 1)]), (" i j , j k -> i k ", [(2, 3), (3, 2)]),
        ("...ij->...", [(2, 3, 4)]), ("ij...->...", [(2, 3)]),
    ],
)  # fmt: skip
def test_ellipsis_and_spaces(subscripts, shapes, rng):
    operands = [values(rng, shape, np.int64) for shape in shapes]
    for _ in range(2):
        same(swiftconv.einsum(subscripts, *operands), np.einsum(subscripts, *operands))


def test_one_text_for_operands_of_other_ranks(rng):
    for shapes in [[(2, 3), (3,)], [(4, 2, 3), (3,)], [(2, 3), (2, 3)], [(3,), (3,)], [(2, 3), (3,)]]:
        operands = [values(rng, shape, np.int64) for shape in shapes]
        same(swiftconv.einsum("...i,...i", *operands), np.einsum("...i,...i", *operands))


def test_lists_of_labels(rng):
    a, b = values(rng, (3, 4), np.int64), values(rng, (4, 5), np.int64)
    stack = values(rng, (2, 3, 4), np.int64)
    calls = [(a, [0, 1], b, [1, 2]), (a, [0, 1], b, [1, 2], [2, 0]), (a, [51, 0], b, [0, 25], [25, 51]), (a, (1, 0)),
             (stack, [Ellipsis, 0], [0, Ellipsis]), (stack, [Ellipsis, 7, 3], b, [3, 4], [Ellipsis, 4]), (a, [0, 1], []),
             (a, np.array([1, 0])), (a, [np.int8(3), np.uint64(1)], b, range(1, 3), [3]), (stack, [Ellipsis]), (a[0], [30], a[1], [4])]  # fmt: skip
    for call in calls:
        same(swiftconv.einsum(*call), np.einsum(*call))


def test_subscripts_as_bytes(rng):
    a = values(rng, (3, 4), np.int64)
    same(swiftconv.einsum(b"ij->j", a), np.einsum("ij->j", a))


def test_array_likes():
    same(swiftconv.einsum("i,i", [1, 2], (3.5, 4)), np.einsum("i,i", [1, 2], (3.5, 4)))
    same(swiftconv.einsum(",", 2, 3), np.einsum(",", 2, 3))
    same(swiftconv.einsum("ij,j->i", np.matrix([[1, 2], [3, 4]]), [1, 1]), np.array([3, 7]))
    assert type(swiftconv.einsum("", 2.5)) is np.float64


# ---- Where results lie ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["C", "F", "A", "K", "k", None])
def test_memory_order(order, rng):
    for subscripts in SUBSCRIPTS:
        for layouts in itertools.product(
            ["C", "F", "transposed", "negative"], repeat=min(subscripts.count(",") + 1, 2)
        ):
            operands = operands_of(rng, subscripts, np.float32)
            operands = [
                LAYOUTS[layout](operand) if operand.ndim else operand
                for layout, operand in itertools.zip_longest(layouts, operands, fillvalue="C")
            ]
            expected = np.einsum(subscripts, *operands, order=order)
            actual = [swiftconv.einsum(subscripts, *operands, order=order)]
            if order == "K":
                actual.append(swiftconv.einsum(subscripts, *operands))
            for result in actual:
                assert strides_of_more_than_one(result) == strides_of_more_than_one(expected), (subscripts, layouts)


@pytest.mark.parametrize(
    "subscripts, shape", [("ij->ji", (3, 4)), ("ii->i", (3, 3)), ("iji->ij", (2, 3, 2)), ("...i->i...", (2, 3)), ("", ()), ("i", (3,))]
)  # fmt: skip
def test_views(subscripts, shape, rng):
    a = values(rng, shape, np.float32)
    expected, actual = np.einsum(subscripts, a), swiftconv.einsum(subscripts, a)
    same(actual, expected)
    if shape:
        assert actual.base is a and actual.strides == expected.strides and actual.flags.writeable
        actual[...] = 7
        np.testing.assert_array_equal(np.einsum(subscripts, a), np.full(actual.shape, 7))
        a.flags.writeable = False
        assert not swiftconv.einsum(subscripts, a).flags.writeable
        # NumPy looks neither at the dtype nor at the order, and any dtype is seen.
        assert swiftconv.einsum(subscripts, a, dtype=np.int8, order="C").base is a
        assert swiftconv.einsum(subscripts, a.astype("U3")).dtype == "U3"


# ---- dtype=, casting=, out= ----------------------------------------------------------------------------------------


def outcome(function, *arguments, **options):
    try:
        return function(*arguments, **options)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("casting", ["no", "equiv", "safe", "same_kind", "unsafe"])
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning" if hasattr(np, "exceptions") else "ignore")
def test_dtypes_and_casts_as_numpy_has_them(casting, rng):
    kinds = [np.dtype(name) for name in ("?", "i1", "u2", "i8", "f2", "f4", ">f8", "c8")]
    for left, right in itertools.product(kinds, kinds):
        a = np.abs(values(rng, (2, 3), np.int8) % 5).astype(left)
        b = np.abs(values(rng, (3,), np.int8) % 5).astype(right)
        for dtype in [None, *(kind for kind in kinds if kind.isnative)]:  # NumPy's results of others are garbage
            for target in [None, *kinds] if left == right else [None]:
                results = []
                for function in (np.einsum, swiftconv.einsum):
                    out = None if target is None else np.zeros(2, target)
                    results.append(outcome(function, "ij,j->i", a, b, out=out, dtype=dtype, casting=casting))
                expected, actual = results
                case = left, right, dtype, target
                if isinstance(expected, type):
                    assert actual is expected or (
                        isinstance(actual, type) and issubclass(actual, expected.__mro__[-4])
                    ), case
                else:
                    assert not isinstance(actual, type), case
                    assert actual.dtype == expected.dtype, case
                    np.testing.assert_array_equal(actual, expected, str(case))


@pytest.mark.parametrize("layout", ["C", "F", "strided", "negative", "transposed", "misaligned", "byteswapped"])
def test_out(layout, rng):
    for dtype in DTYPES:
        a, b = values(rng, (3, 4), dtype), values(rng, (4, 5), dtype)
        for subscripts in ("ij,jk->ik", "ij,jk->ki"):
            expected = numpy_einsum(subscripts, a, b)
            out = LAYOUTS[layout](np.zeros_like(expected))
            assert swiftconv.einsum(subscripts, a, b, out=out) is out
            np.testing.assert_array_equal(out, expected)


def test_out_overlaps(rng):
    for dtype in (np.float32, np.int64):
        whole = values(rng, (5, 5), dtype)
        a, b = whole[:4, :4], whole[1:, 1:]
        expected = np.einsum("ij,jk->ik", a.copy(), b.copy())
        for out in (a, b, a.T, whole[:4, 1:], whole[1:, :4][::-1]):
            before = whole.copy()
            assert swiftconv.einsum("ij,jk->ik", a, b, out=out) is out
            np.testing.assert_array_equal(out, expected)
            whole[...] = before


def test_out_is_a_number_or_a_subclass(rng):
    class Mine(np.ndarray):
        pass

    a = values(rng, (4,), np.float64)
    out = np.zeros(())
    assert swiftconv.einsum("i,i", a, a, out=out) is out and out == a @ a
    mine = np.zeros(4).view(Mine)
    assert swiftconv.einsum("i,i->i", a, a, out=mine) is mine
    np.testing.assert_array_equal(mine, a * a)


def test_operands_are_broadcast_to_out():
    for optimize in (False, True):
        out = np.zeros((2, 3))
        swiftconv.einsum("ij,j->ij", np.full((1, 1), 2.0), np.full(1, 3.0), out=out, optimize=optimize)
        np.testing.assert_array_equal(out, np.full((2, 3), 6.0))


def test_the_dtype_of_out_counts():
    a = np.full((1, 100_000), 0.1, np.float32)
    out = np.zeros(1)
    swiftconv.einsum("bi,bi->b", a, a, out=out)
    np.testing.assert_allclose(out, a[0].astype(float) @ a[0].astype(float), rtol=1e-10)


# ---- Sums ----------------------------------------------------------------------------------------------------------


def test_small_integers_wrap_and_halves_are_wide():
    a = np.full(1000, 100, np.int8)
    same(swiftconv.einsum("i,i->", a, a), np.einsum("i,i->", a, a))
    same(swiftconv.einsum("i->", a), np.einsum("i->", a))
    ones = np.ones(5000, np.float16)
    assert swiftconv.einsum("i,i->", ones, ones) == 5000
    assert swiftconv.einsum("i->", ones) == 5000
    third = np.full((64, 64), 1 / 3, np.float16)
    exact = np.linalg.multi_dot([third.astype(float)] * 3)
    for optimize in (False, True):
        found = swiftconv.einsum("ij,jk,kl->il", third, third, third, optimize=optimize)
        np.testing.assert_array_equal(found, exact.astype(np.float16))


@pytest.mark.parametrize("subscripts", ["ij,jk->ik", "bij,bkj->bik", "ij,j->i", "ijk->j", "ij,jk,kl->il", "ij,ij->"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
def test_accuracy(subscripts, dtype, rng):
    extents = dict.fromkeys("bijkl", 40)
    operands = operands_of(rng, subscripts, dtype, extents, normals)
    wide = np.complex128 if np.dtype(dtype).kind == "c" else np.longdouble
    exact = np.einsum(subscripts, *[operand.astype(wide) for operand in operands])
    size = np.einsum(subscripts, *[np.abs(operand).astype(np.float64) for operand in operands])
    error = np.abs(swiftconv.einsum(subscripts, *operands) - exact)
    assert (error <= 8 * np.finfo(dtype).eps * size).all()


def test_the_same_bits_for_any_number_of_threads(rng):
    for subscripts in ("ij,jk->ik", "bij,bkj->bki", "ij->", "ijk,k->ij"):
        operands = operands_of(rng, subscripts, np.float32, dict(zip("bijk", (7, 61, 129, 65))), normals)
        results = [swiftconv.einsum(subscripts, *operands, threads=threads) for threads in (1, 2, 3)]
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.parametrize("method", ["nest", "gemm", "reference"])
def test_methods_agree(method, rng):
    for dtype in DTYPES:
        a, b = values(rng, (3, 5, 7), dtype), values(rng, (3, 7, 4), dtype)
        same(swiftconv.einsum("bij,bjk->bik", a, b, method=method), numpy_einsum("bij,bjk->bik", a, b))


def test_it_is_a_function_like_others():
    assert pickle.loads(pickle.dumps(swiftconv.einsum)) is swiftconv.einsum
    assert swiftconv.einsum.__module__ == "swiftconv._einsum._functions"


@pytest.mark.parametrize("dtype", [np.float32, np.int16], ids=str)
@pytest.mark.parametrize("subscripts, left, right", [
    ("ki,kj->ij", (17000, 530), (17000, 130)),  # blocks pack their own rows
    ("ik,kj->ji", (530, 17000), (17000, 130)),
    ("ki,kj->ij", (2600, 1700), (2600, 40)),  # the filter is packed piece by piece
    ("bki,bkj->bij", (70, 300, 250), (70, 300, 20)),
    ("ki,kj->ij", (60000, 20), (60000, 30)),  # long sums of few outputs, in parts
])  # fmt: skip
def test_products_whose_packed_factor_would_be_large(subscripts, left, right, dtype, rng):
    a, b = rng.integers(-2, 3, left).astype(dtype), rng.integers(-2, 3, right).astype(dtype)
    expected = np.einsum(subscripts, a.astype(np.float64), b.astype(np.float64), optimize=True)
    for threads in (1, 2):
        np.testing.assert_array_equal(
            swiftconv.einsum(subscripts, a, b, threads=threads), expected.astype(np.int64).astype(dtype)
        )
