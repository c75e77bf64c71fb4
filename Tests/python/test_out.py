"""`out=`: any strides, any overlap, NumPy's casts, and not a byte of it touched by a call that fails."""

import itertools

import numpy as np
import pytest
import swiftconv
from reference import BFLOAT16, BOUNDARIES, MODES, OPERATIONS, slide
from samples import DTYPES, LAYOUTS, byteswapped, misaligned, values

WRITEABLE = ["C", "F", "strided", "negative", "transposed", "channels last", "batch last", "last axis strided",
             "misaligned", "byteswapped", "odd unit strides"]  # fmt: skip


@pytest.mark.parametrize("layout", WRITEABLE)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_any_layout(layout, dtype, rng):
    a, v = values(rng, (3, 9, 18), dtype), values(rng, (3, 2), dtype)
    for mode in MODES:
        expected = slide("convolve", a, v, mode)
        out = LAYOUTS[layout](np.zeros_like(expected))
        assert swiftconv.convolve(a, v, mode, out=out) is out
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.complex128])
@pytest.mark.parametrize("steps", [(1, 2), (2, 1), (3, 2), (-1, 2), (1, -3), (-2, -2)])
def test_what_lies_between_the_elements_is_left_alone(dtype, steps, rng):
    a, v = values(rng, (13, 37), dtype), values(rng, (3, 4), dtype)
    expected = slide("correlate", a, v, "valid")
    rows, columns = expected.shape
    buffer = np.full((rows * abs(steps[0]) + 5, columns * abs(steps[1]) + 5), 77, dtype)
    inner = buffer[2 : 2 + rows * abs(steps[0]), 3 : 3 + columns * abs(steps[1])]
    out = inner[:: steps[0], :: steps[1]]
    swiftconv.correlate(a, v, out=out)
    np.testing.assert_array_equal(out, expected)
    out[...] = 77
    assert (buffer == 77).all()


# ---- Overlap -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.uint8])
def test_out_is_the_input(operation, boundary, dtype, rng):
    for shape, window in [((40,), (5,)), ((3, 20, 30), (3, 3)), ((200, 300), (5, 7))]:
        a, v = values(rng, shape, dtype), values(rng, window, dtype)
        expected = slide(operation, a, v, "same", boundary=boundary)
        x = a.copy()
        assert getattr(swiftconv, operation)(x, v, "same", boundary=boundary, out=x) is x
        np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("shift", [-301, -40, -3, -1, 1, 2, 7, 64, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_out_is_the_input_shifted(shift, dtype, rng):
    rows, columns = 30, 100
    buffer = values(rng, rows * columns + 700, dtype)
    v = values(rng, (3, 4), dtype)
    a = buffer[350 : 350 + rows * columns].reshape(rows, columns)
    out = buffer[350 + shift : 350 + shift + rows * columns].reshape(rows, columns)
    expected = slide("correlate", a, v, "same")
    swiftconv.correlate(a, v, "same", out=out)
    np.testing.assert_array_equal(out, expected)


def test_out_overlaps_in_every_other_way(rng):
    v = values(rng, (3, 3), np.int64)

    def square():
        return values(rng, (24, 24), np.int64)

    views = [
        lambda x: (x, x.T), lambda x: (x, x[::-1]), lambda x: (x[:, ::-1], x), lambda x: (x[::-1, ::-1], x.T),
        lambda x: (x[:12], x[12:]), lambda x: (x[::2], x[1::2]), lambda x: (x[::2], x[::2][::-1]),
        lambda x: (x[:, :12], x[:, 6:18]), lambda x: (x[:12], x[6:18]), lambda x: (x[::2, ::2], x[:12, :12]),
        lambda x: (np.broadcast_to(x[3], (24, 24)), x), lambda x: (x[..., None][..., 0], x),
    ]  # fmt: skip
    for view in views:
        a, out = view(square())
        expected = slide("correlate", a, v, "same")
        swiftconv.correlate(a, v, "same", out=out)
        np.testing.assert_array_equal(out, expected)


def test_out_is_the_filter(rng):
    a, v = values(rng, (4, 4), np.int32), values(rng, (4, 4), np.int32)
    expected = slide("correlate", a, v, "same")
    swiftconv.correlate(a, v, "same", out=v)
    np.testing.assert_array_equal(v, expected)


def test_out_overlaps_bytes_of_another_dtype(rng):
    raw = values(rng, 8 * 400, np.uint8)
    a = raw.view(np.float32).reshape(20, 40)
    a[...] = values(rng, a.shape, np.float32)
    out = raw.view(np.float64).reshape(20, 20)
    v = values(rng, (2, 2), np.float32)
    expected = slide("correlate", a[:, :20], v, "same").astype(np.float64)
    swiftconv.correlate(a[:, :20], v, "same", out=out)
    np.testing.assert_array_equal(out, expected)


def test_out_that_overlaps_itself(rng):
    """Several elements in one place: an error, or in each place one of the values that belong there; never more."""
    a, v = values(rng, (6, 30), np.int64), values(rng, 3, np.int64)
    expected = slide("correlate", a, v, "valid")
    for strides in [(0, 8), (8, 0), (8, 8), (0, 0), (16, 8)]:
        buffer = np.full(400, -1, np.int64)
        out = np.lib.stride_tricks.as_strided(buffer, expected.shape, strides)
        places = np.lib.stride_tricks.as_strided(np.arange(400), expected.shape, strides)
        try:
            swiftconv.correlate(a, v, out=out)
        except ValueError as error:
            assert "out" in str(error)
            assert (buffer == -1).all()
            continue
        for place in range(400):
            allowed = set(expected[places == place].tolist()) or {-1}
            assert buffer[place] in allowed


# ---- Casts ---------------------------------------------------------------------------------------------------------


def test_casts_are_those_of_a_ufunc(rng):
    known = [dtype for dtype in DTYPES if dtype != BFLOAT16] + [np.dtype(object), np.dtype(np.longdouble)]
    for computed, stored in itertools.product(known, repeat=2):
        a, v = rng.integers(0, 3, (2, 12)).astype(computed), rng.integers(0, 3, 3).astype(computed)
        out = np.full((2, 10), 5).astype(stored)
        if np.can_cast(computed, stored, "same_kind"):
            assert swiftconv.correlate(a, v, out=out) is out
            np.testing.assert_array_equal(out, slide("correlate", a, v, "valid").astype(stored))
        else:
            with pytest.raises(TypeError, match="out"):
                swiftconv.correlate(a, v, out=out)
            np.testing.assert_array_equal(out, np.full((2, 10), 5).astype(stored))


@pytest.mark.parametrize("layout", WRITEABLE)
def test_a_cast_into_any_layout(layout, rng):
    a, v = values(rng, (3, 30, 41), np.int64), values(rng, (5, 5), np.int64)
    expected = slide("correlate", a, v, "same")
    for dtype in (np.int8, np.float32, np.complex64):
        out = LAYOUTS[layout](np.zeros(expected.shape, dtype))
        swiftconv.correlate(a, v, "same", out=out)
        np.testing.assert_array_equal(out, expected.astype(dtype))


def test_dtype_computes_and_out_stores(rng):
    a, v = values(rng, (4, 20), np.uint8), values(rng, 5, np.uint8)
    out = np.zeros((4, 16), np.float32)
    swiftconv.correlate(a, v, dtype=np.uint16, out=out)
    np.testing.assert_array_equal(out, slide("correlate", a, v, "valid", dtype=np.uint16))


def test_the_rounding_is_one_for_a_float16_out():
    """Sums in float32 go to a float32 out as they are, and are rounded once on the way to a float16 one."""
    a = np.array([[2048, 1, 1]], np.float32)
    out = np.zeros((1, 1), np.float16)
    swiftconv.correlate(a, np.ones(3, np.float32), out=out)
    assert out.tolist() == [[2050.0]]


@pytest.mark.parametrize("make", [misaligned, byteswapped])
def test_overlap_of_misaligned_and_byteswapped(make, rng):
    x = make(values(rng, (20, 33), np.int32))
    v = values(rng, (3, 3), np.int32)
    expected = slide("correlate", x, v, "same")
    swiftconv.correlate(x, v, "same", out=x)
    np.testing.assert_array_equal(x, expected)


# ---- Errors leave it untouched -------------------------------------------------------------------------------------

A, V = np.ones((6, 7)), np.ones((2, 3))


@pytest.mark.parametrize("out, error, words", [
    (np.zeros((5, 6)), ValueError, ["out", "6", "5"]),
    (np.zeros((5,)), ValueError, ["out"]),
    (np.zeros((1, 5, 5)), ValueError, ["out"]),
    (np.zeros((0, 5)), ValueError, ["out", "0", "5"]),
    (np.zeros((5, 5), int), TypeError, ["out", "float64", "int64"]),
    (np.zeros((5, 5), "M8[s]"), TypeError, ["out", "datetime64"]),
    (np.zeros((5, 5), [("x", float)]), TypeError, ["out"]),
    (np.ma.zeros((5, 5)), TypeError, ["out", "mask"]),
    ([[0.0] * 5] * 5, TypeError, ["out", "list"]),
    ("here", TypeError, ["out", "str"]),
    (np.broadcast_to(np.zeros(()), (5, 5)), ValueError, ["out", "read-only"]),
], ids=["extent", "rank too small", "rank too large", "empty", "dtype", "dates", "records", "masked", "list", "str",
        "read-only"])  # fmt: skip
def test_a_bad_out(out, error, words):
    before = np.array(out, copy=True)
    with pytest.raises(error) as caught:
        swiftconv.correlate(A, V, out=out)
    for word in words:
        assert word in str(caught.value)
    np.testing.assert_array_equal(np.asarray(out), before)


@pytest.mark.parametrize("options", [
    {"stride": 0}, {"dilation": -1}, {"boundary": "no"}, {"mode": "no"}, {"method": "no"}, {"axes": (0, 0)},
    {"origin": 5}, {"fillvalue": "x"}, {"threads": -2}, {"dilation": 9}, {"method": "separable"}, {"dtype": "U3"},
], ids=str)  # fmt: skip
def test_out_is_untouched_by_a_failing_call(options, rng):
    out = np.full((5, 5), 7.0)
    with pytest.raises((ValueError, TypeError)):
        swiftconv.correlate(rng.standard_normal((6, 7)), np.array([[1.0, 2, 3], [3, 1, 5]]), out=out, **options)
    assert (out == 7.0).all()


def test_a_read_only_out():
    out = np.zeros((5, 5))
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        swiftconv.correlate(A, V, out=out)
    assert (out == 0).all()


def test_an_empty_out():
    out = np.zeros((0, 5, 5))
    assert swiftconv.correlate(np.zeros((0, 6, 7)), V, out=out) is out
