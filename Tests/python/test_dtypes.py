"""Every dtype in, the right dtype out, and the arithmetic that each one promises."""

import itertools

import numpy as np
import pytest
import swiftconv
from reference import BFLOAT16, BOUNDARIES, OPERATIONS, assert_matches, slide, slide_wide
from samples import DTYPES, INTEGERS, SLOW_DTYPES, normals, values


@pytest.mark.parametrize("dtype", [*DTYPES, *SLOW_DTYPES], ids=str)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_every_dtype_at_every_boundary(dtype, boundary, rng):
    a, v = normals(rng, (2, 9, 21), dtype), normals(rng, (3, 4), dtype)
    for operation in OPERATIONS:
        actual = getattr(swiftconv, operation)(a, v, "full", boundary=boundary)
        assert_matches(actual, operation, a, v, "full", boundary=boundary)


def test_mixed_dtypes_follow_result_type(rng):
    for first, second in itertools.product([*DTYPES, np.dtype(np.longdouble)], repeat=2):
        try:
            np.result_type(first, second)
        except TypeError:  # bfloat16 meets a type that ml_dtypes does not promote
            with pytest.raises(TypeError):
                swiftconv.correlate(np.ones(3, first), np.ones(2, second))
            continue
        a, v = rng.integers(0, 5, (3, 20)).astype(first), rng.integers(0, 5, 3).astype(second)
        assert_matches(swiftconv.correlate(a, v, "same"), "correlate", a, v, "same")


@pytest.mark.parametrize("first, second, result", [
    ("u1", "i1", "i2"), ("u8", "i8", "f8"), ("i8", "f4", "f8"), ("f2", "i1", "f2"), ("f2", "i2", "f4"),
    ("f4", "c8", "c8"), ("i4", "c8", "c16"), ("?", "u1", "u1"), ("?", "f2", "f2"),
])  # fmt: skip
def test_the_promotions_that_surprise(first, second, result):
    assert swiftconv.correlate(np.ones((2, 4), first), np.ones(2, second)).dtype == np.dtype(result)


def test_uint64_with_int64_is_float64_with_float64s_rounding():
    a, v = np.array([[2**64 - 1, 2**53 + 1, 1]], np.uint64), np.array([-1], np.int64)
    expected = -a.astype(np.float64)
    np.testing.assert_array_equal(swiftconv.correlate(a, v), expected)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integers_wrap(dtype, rng):
    info = np.iinfo(dtype)
    a = np.full((3, 40), info.max, dtype)
    v = np.full((2, 3), info.max, dtype)
    exact = (6 * info.max * info.max) % 2**info.bits
    expected = exact - 2**info.bits if exact > info.max else exact
    np.testing.assert_array_equal(swiftconv.correlate(a, v), np.full((2, 38), expected, dtype))
    lowest = np.full((3, 40), info.min, dtype)
    assert_matches(swiftconv.correlate(lowest, lowest[:2, :3]), "correlate", lowest, lowest[:2, :3], "valid")


def test_bool_is_or_and(rng):
    a, v = rng.random((4, 30, 30)) < 0.1, rng.random((3, 3)) < 0.5
    out = swiftconv.correlate(a, v)
    windows = np.lib.stride_tricks.sliding_window_view(a, v.shape, axis=(1, 2))
    np.testing.assert_array_equal(out, (windows & v).any(axis=(-2, -1)))
    assert set(np.unique(out.view(np.uint8))) <= {0, 1}


def test_bools_that_are_not_zero_or_one():
    """A bool whose byte is 2 or 255 is true; the result's bytes are 0 and 1 all the same."""
    a = np.array([[0, 2, 255, 0, 128, 0, 0, 1]], np.uint8).view(bool)
    v = np.array([4, 0], np.uint8).view(bool)
    out = swiftconv.correlate(a, v)
    assert out.view(np.uint8).tolist() == [[0, 1, 1, 0, 1, 0, 0]]
    assert swiftconv.correlate(a, np.ones(1), "valid").tolist() == [[0, 1, 1, 0, 1, 0, 0, 1]]


@pytest.mark.parametrize("dtype", [np.float16, *([BFLOAT16] if BFLOAT16 else [])], ids=str)
def test_sixteen_bit_floats_sum_in_float32_and_round_once(dtype, rng):
    """A sum that each rounding to 16 bits would spoil: large, then many small ones, then large with the other sign."""
    a = np.concatenate([[1024], np.full(30, 0.25), [-1024]]).astype(dtype)[None]
    assert swiftconv.correlate(a, np.ones(32, dtype)).astype(float).tolist() == [[7.5]]
    x, w = normals(rng, (4, 50), dtype), normals(rng, (2, 9), dtype)
    got = swiftconv.correlate(x, w)
    exact = slide_wide("correlate", x, w, "valid")
    rounded = exact.astype(dtype)
    ulp = np.abs(np.spacing(rounded.astype(np.float32)))  # float32's: what the sum may be off by before it is rounded
    boundary = np.abs(exact - got.astype(np.float64)) <= np.abs(exact - rounded.astype(np.float64)) + 64 * ulp
    assert boundary.all()
    assert (got == rounded).mean() > 0.98


def test_float16_overflows_to_infinity_and_keeps_subnormals():
    a = np.array([[60000, 60000, 2**-24, 2**-24]], np.float16)
    np.testing.assert_array_equal(
        swiftconv.correlate(a, np.ones(2, np.float16)),
        np.array([[np.inf, 60000, 2**-23]], np.float16),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_subnormals_are_not_flushed(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    a = np.full((3, 100), tiny, dtype)
    np.testing.assert_array_equal(swiftconv.correlate(a, np.ones(3, dtype)), np.full((3, 98), 3 * tiny, dtype))


def test_every_float16_survives(rng):
    """All 65536 patterns through a filter of one tap: conversion both ways."""
    a = np.arange(65536, dtype=np.uint16).view(np.float16).reshape(256, 256)
    out = swiftconv.correlate(a, np.ones((1, 1), np.float16))
    np.testing.assert_array_equal(out, a)
    np.testing.assert_array_equal(swiftconv.correlate(a, np.ones((1, 1), np.float32)), a.astype(np.float32))


@pytest.mark.skipif(BFLOAT16 is None, reason="ml_dtypes is not installed")
def test_every_bfloat16_survives():
    a = np.arange(65536, dtype=np.uint16).view(BFLOAT16).reshape(256, 256)
    out = swiftconv.correlate(a, np.ones((1, 1), BFLOAT16))
    assert out.dtype == BFLOAT16
    np.testing.assert_array_equal(out.astype(np.float32), a.astype(np.float32))


# ---- dtype= --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given, asked", [
    ("u1", "u2"), ("u1", "i4"), ("i1", "i8"), ("u1", "f4"), ("f4", "f8"), ("f8", "f4"), ("i8", "i1"), ("f4", "c16"),
    ("?", "i4"), ("f2", "f4"), ("f8", "f2"), ("i4", "f2"), ("u1", "O"), ("f4", "longdouble"),
])  # fmt: skip
def test_dtype_is_what_is_computed_in(given, asked, rng):
    a, v = values(rng, (2, 9, 17), given), values(rng, (3, 2), given)
    if asked == "f2" and np.dtype(given).kind == "i":
        a, v = a % 7, v % 7
    for boundary in ("fill", "wrap"):
        actual = swiftconv.correlate(a, v, "same", dtype=asked, boundary=boundary)
        assert_matches(actual, "correlate", a, v, "same", dtype=asked, boundary=boundary)


def test_dtype_sums_in_the_wider_type():
    a = np.full((1, 9), 200, np.uint8)
    assert swiftconv.correlate(a, a[0, :3], dtype=np.int64).tolist() == [[120000] * 7]
    assert swiftconv.correlate(a, a[0, :3]).tolist() == [[120000 % 256] * 7]


@pytest.mark.parametrize("given, asked", [("f4", "i4"), ("c8", "f4"), ("i4", "u4"), ("f4", "?"), ("i4", "?")])
def test_dtype_is_never_a_silent_loss_of_kind(given, asked):
    with pytest.raises(TypeError, match=f"{np.dtype(given)}|{np.dtype(asked)}"):
        swiftconv.correlate(np.ones((2, 5), given), np.ones(2, given), dtype=asked)


def test_spellings_of_dtype():
    for spelling in ("float64", float, np.float64, np.dtype("f8"), "d"):
        assert swiftconv.correlate(np.ones((1, 3), "f4"), np.ones(2, "f4"), dtype=spelling).dtype == np.float64
    swapped = np.dtype("f4").newbyteorder()
    assert swiftconv.correlate(np.ones((1, 3), swapped), np.ones(2, swapped)).dtype == np.float32


@pytest.mark.parametrize("name", ["byte", "short", "intc", "int_", "longlong", "ubyte", "ushort", "uintc", "ulonglong"])
def test_cs_names_for_the_same_integers(name):
    """int64 is two C types on most machines (long and long long); both are taken."""
    a = np.arange(6).astype(name).reshape(1, 6)
    assert_matches(swiftconv.correlate(a, a[0, :2]), "correlate", a, a[0, :2], "valid")


# ---- fillvalue in each dtype -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype, fill", [
    ("u1", 255), ("i1", -128), ("u8", 2**64 - 1), ("i8", -(2**63)), ("i2", 2.7), ("i2", -2.7), ("u1", 0.9), ("?", True),
    ("f2", 0.1), ("f4", 0.1), ("f8", -1e300), ("c8", 2 - 3j), ("c16", 1.5), ("f4", np.float64(3)), ("i4", np.int8(-5)),
    ("i4", True), ("f8", np.array(2.5)), ("O", 7), ("longdouble", 0.5),
])  # fmt: skip
def test_fill_values(dtype, fill, rng):
    a, v = values(rng, (2, 5, 6), dtype), values(rng, (3, 4), dtype)
    actual = swiftconv.correlate(a, v, "full", fillvalue=fill)
    assert_matches(actual, "correlate", a, v, "full", fillvalue=fill)


def test_a_fill_value_that_is_not_finite(rng):
    a, v = normals(rng, (5, 6), np.float32), np.array([[1, 2], [-1, 1]], np.float32)
    for fill in (np.nan, np.inf, -np.inf):
        assert_matches(swiftconv.correlate(a, v, "full", fillvalue=fill), "correlate", a, v, "full", fillvalue=fill)


def test_the_fill_value_counts_in_dtype():
    a = np.ones((1, 2), np.uint8)
    out = swiftconv.correlate(a, np.ones(3, np.uint8), "full", dtype=np.int16, fillvalue=-300)
    np.testing.assert_array_equal(
        out, slide("correlate", a, np.ones(3, np.uint8), "full", dtype=np.int16, fillvalue=-300)
    )


# ---- Array-likes ---------------------------------------------------------------------------------------------------


class HasArray:
    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)


class HasInterface:
    def __init__(self, array):
        self.array = array
        self.__array_interface__ = array.__array_interface__


class HasDLPack:
    """A CPU tensor that speaks DLPack and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Plain(np.ndarray):
    pass


@pytest.mark.parametrize("wrap", [
    HasArray, HasInterface, HasDLPack, lambda array: array.tolist(), lambda array: memoryview(array),
    lambda array: array.view(Plain), lambda array: tuple(map(tuple, array.tolist())),
])  # fmt: skip
def test_array_likes(wrap):
    a, v = np.arange(20.0).reshape(4, 5), np.array([[1.0, 2.0], [3.0, 5.0]])
    expected = slide("correlate", a, v, "valid")
    for first, second in [(wrap(a), v), (a, wrap(v)), (wrap(a), wrap(v))]:
        out = swiftconv.correlate(first, second)
        assert isinstance(out, np.ndarray)
        np.testing.assert_array_equal(out, expected)


def test_bytes_like_and_array_array():
    import array

    signal = array.array("h", [1, 2, 3, 4])
    assert swiftconv.correlate(signal, [1, 1]).tolist() == [3, 5, 7]
    assert swiftconv.correlate(bytearray([1, 2, 3]), np.ones(2, np.uint8)).dtype == np.uint8


def test_masked_arrays_are_refused():
    masked = np.ma.masked_array(np.ones((4, 4)), mask=np.eye(4))
    for a, v in [(masked, np.ones((2, 2))), (np.ones((9, 9)), masked), (masked, masked)]:
        with pytest.raises(TypeError, match="mask"):
            swiftconv.correlate(a, v)
