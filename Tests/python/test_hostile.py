"""The inputs that crashed others: each one is a clean error or the right value, quickly, and nothing dies of it.

The classes are those of "Inputs that broke others" in the project's notes on semantics; those about fork, exit and
import are in test_threads.py, guard pages in test_memory.py, overlap in test_out.py.
"""

import numpy as np
import pytest
import swiftconv
from reference import BOUNDARIES, OPERATIONS, assert_matches, slide
from samples import values

HUGE = 2**62
ANY_CLEAN_ERROR = (ValueError, TypeError, OverflowError, MemoryError)


def constant(shape, dtype=np.float32):
    """An array of ones of any shape that NumPy can name, in one element of memory."""
    return np.broadcast_to(np.ones((), dtype), shape)


A, V = np.arange(30.0).reshape(5, 6), np.ones((2, 2))


@pytest.mark.parametrize("a, v, options, error", [
    # stride and dilation that divided by zero elsewhere
    (A, V, {"stride": 0}, ValueError), (A, V, {"stride": (0, 1)}, ValueError), (A, V, {"stride": -1}, ValueError),
    (A, V, {"stride": -HUGE}, ValueError), (A, V, {"dilation": 0}, ValueError), (A, V, {"dilation": -HUGE}, ValueError),
    (A, V, {"stride": 2**63}, ANY_CLEAN_ERROR), (A, V, {"stride": 2**64}, ANY_CLEAN_ERROR),
    (A, V, {"stride": -(2**63) - 1}, ANY_CLEAN_ERROR), (A, V, {"dilation": 2**100}, ANY_CLEAN_ERROR),
    # zero extents
    (A, np.ones((0, 2)), {}, ValueError), (A, np.ones((2, 0)), {}, ValueError), (A, np.ones((0, 0)), {}, ValueError),
    (np.ones((0, 6)), V, {"mode": "full"}, ValueError), (np.ones((5, 0)), V, {"mode": "same"}, ValueError),
    ([], [1.0], {}, ValueError), ([1.0], [], {}, ValueError), ([], [], {}, ValueError),
    (np.ones((3, 0)), np.ones(2), {"mode": "full", "boundary": "wrap"}, ValueError),
    (np.ones((0, 0, 0)), V, {}, ValueError),
    # filter larger than what it slides over
    (A, np.ones((6, 2)), {}, ValueError), (A, np.ones((2, 7)), {}, ValueError),
    (A, V, {"dilation": 5}, ValueError), (A, V, {"dilation": HUGE}, ANY_CLEAN_ERROR), (A, V, {"dilation": 2**40}, ValueError),
    (np.ones(5), np.ones(6), {"boundary": "wrap"}, ValueError),
    # operands that disagree
    (np.ones(5), V, {}, ValueError), (A, np.ones((1, 1, 1)), {}, ValueError), (np.float32(1), V, {}, ValueError),
    (A, V, {"axes": (0, 5)}, ValueError), (A, V, {"axes": (0, -HUGE)}, ValueError), (A, V, {"axes": (2**70, 0)}, ANY_CLEAN_ERROR),
    # lists of the wrong length
    (A, V, {"stride": ()}, ValueError), (A, V, {"dilation": [1]}, ValueError), (A, V, {"stride": [1] * 63}, ValueError),
    (A, V, {"axes": range(40)}, ValueError), (A, V, {"origin": [0] * 40, "mode": "same"}, ValueError),
    (A, V, {"stride": [None, None]}, TypeError),
    # negative padding is an origin out of range here
    (A, V, {"origin": -2, "mode": "same"}, ValueError), (A, V, {"origin": HUGE, "mode": "same"}, ValueError),
    (A, V, {"origin": -(2**63), "mode": "same"}, ValueError), (A, V, {"origin": 2**63, "mode": "same"}, ANY_CLEAN_ERROR),
    # NaN where a number is wanted
    (A, V, {"stride": float("nan")}, TypeError), (A, V, {"dilation": float("inf")}, TypeError),
    (A.astype(int), V.astype(int), {"fillvalue": float("nan")}, ValueError),
    (A, V, {"threads": float("nan")}, TypeError), (A, V, {"origin": float("nan"), "mode": "same"}, TypeError),
    # shape arithmetic that passes 2**63
    (A, np.ones((3, 3)), {"dilation": HUGE, "mode": "full"}, ANY_CLEAN_ERROR),
    (A, np.ones((3, 3)), {"dilation": HUGE, "mode": "same"}, ANY_CLEAN_ERROR),
    (A, np.ones((3, 3)), {"dilation": HUGE}, ANY_CLEAN_ERROR),
    (A, V, {"dilation": 2**63 - 1, "mode": "full"}, ANY_CLEAN_ERROR),
    (A, np.ones((9, 9)), {"dilation": 2**61, "mode": "same", "boundary": "reflect"}, ANY_CLEAN_ERROR),
    (A, np.ones((9, 9)), {"dilation": 2**60, "mode": "full", "boundary": "wrap"}, ANY_CLEAN_ERROR),
    (constant(2**60), constant(2**60), {"mode": "full"}, ANY_CLEAN_ERROR),
    (constant((2**30, 2**30)), V, {"mode": "full"}, ANY_CLEAN_ERROR),
    # memory that cannot be had: more bytes than an address can name
    (A, V, {"dilation": 2**48, "mode": "full"}, MemoryError),
    (constant(2**55), np.ones(2), {"mode": "same"}, MemoryError),
    (constant((2**50, 8, 8)), V, {}, MemoryError),
    (constant((8, 2**50)), np.ones(3), {"mode": "full", "boundary": "wrap"}, MemoryError),
    (constant((2, 2**50), np.longdouble), np.ones(3), {}, MemoryError),
    (constant((2, 2**50), object), np.ones(3, object), {}, MemoryError),
    (constant((2**50, 8, 8), np.uint8), V.astype(np.uint8), {"dtype": np.complex128}, MemoryError),
])  # fmt: skip
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_clean_error(operation, a, v, options, error):
    options = {"mode": "valid", **options}
    with pytest.raises(error) as caught:
        getattr(swiftconv, operation)(a, v, options.pop("mode"), **options)
    assert str(caught.value), "an exception without a message"


@pytest.mark.parametrize("options, words", [
    ({"dilation": (1, HUGE)}, f"dilation[1]={HUGE} is too large for an array of extent 7 and a filter of extent 3"),
    ({"stride": (2**63 - 1, 1)}, f"stride[0]={2**63 - 1} is too large for an array of extent 5 and a filter of extent 2"),
    ({"dilation": (HUGE, 1), "axes": (2, 0)}, f"dilation[0]={HUGE} is too large for an array of extent 7"),
])  # fmt: skip
def test_what_an_overflow_says(options, words):
    a, v = np.ones((6, 5, 7)), np.ones((2, 3))
    with pytest.raises(OverflowError) as caught:
        swiftconv.correlate(a, v, "full", **options)
    assert words in str(caught.value)


# ---- Absurd, and right ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [2**31 - 1, 2**31, 2**32, 2**50, 2**60])
def test_a_huge_stride_leaves_the_first_element(stride, rng):
    a, v = values(rng, (3, 5, 6), np.int32), values(rng, (2, 3), np.int32)
    for operation in OPERATIONS:
        for mode in ("valid", "same", "full"):
            out = getattr(swiftconv, operation)(a, v, mode, stride=stride)
            np.testing.assert_array_equal(out, slide(operation, a, v, mode)[:, :1, :1])


@pytest.mark.parametrize("dilation", [2**20 + 1, 2**31, 2**33 + 5, 2**60])
@pytest.mark.parametrize("boundary", ["fill", "wrap", "edge"])
def test_a_huge_dilation_in_mode_same(dilation, boundary, rng):
    a, v = values(rng, (2, 7), np.int64), np.array([3, 5, 11])
    where = np.arange(7)
    taps = {
        "fill": lambda shift: np.zeros_like(a),
        "wrap": lambda shift: a[:, (where + shift) % 7],
        "edge": lambda shift: np.broadcast_to(a[:, -1:] if shift > 0 else a[:, :1], a.shape),
    }[boundary]
    expected = 3 * taps(-dilation) + 5 * a + 11 * taps(dilation)
    np.testing.assert_array_equal(swiftconv.correlate(a, v, "same", boundary=boundary, dilation=dilation), expected)


@pytest.mark.parametrize("boundary", ["symmetric", "reflect"])
def test_a_huge_dilation_bounces_without_counting_the_bounces(boundary, rng):
    a, v = values(rng, (2, 7), np.int64), np.array([3, 5, 11])
    period = 14 if boundary == "symmetric" else 12
    dilation = period * 2**55 + 4
    small = swiftconv.correlate(a, v, "same", boundary=boundary, dilation=4)
    np.testing.assert_array_equal(swiftconv.correlate(a, v, "same", boundary=boundary, dilation=dilation), small)
    assert_matches(small, "correlate", a, v, "same", boundary=boundary, dilation=4)


@pytest.mark.parametrize("a, v, axes, stride, expected", [
    (constant(2**33), np.ones(3, np.float32), None, 2**31, np.full(4, 3.0)),
    (constant(2**60), np.ones(3, np.float32), None, 2**58, np.full(4, 3.0)),
    (constant((2**40, 8)), np.ones(3, np.float32), 0, 2**38, np.full((4, 8), 3.0)),
    (constant((3, 2**40, 5)), np.ones((2, 2), np.float32), (1, 2), (2**39, 3), np.full((3, 2, 2), 4.0)),
    (constant((2**31 + 9, 2)), np.ones((2, 2), np.float32), None, (2**30, 1), np.full((3, 1), 4.0)),
])  # fmt: skip
def test_extents_past_two_to_the_31(a, v, axes, stride, expected):
    """The array is one element that is everywhere; a large stride keeps the result small."""
    for method in ("auto", "reference"):
        out = swiftconv.correlate(a, v, axes=axes, stride=stride, method=method)
        np.testing.assert_array_equal(out, expected)


def test_a_batch_past_two_to_the_31_bytes_in_strides(rng):
    """Real memory a few GiB apart only in its strides: an axis of extent 1 may have any stride."""
    a = values(rng, (1, 6, 1, 7), np.float32)
    odd = np.lib.stride_tricks.as_strided(a, a.shape, (2**62, a.strides[1], -(2**62), a.strides[3]))
    v = values(rng, (2, 1, 3), np.float32)
    assert_matches(swiftconv.correlate(odd, v, "same"), "correlate", a, v, "same")


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_filter_thousands_of_times_as_long_as_the_array(boundary, rng):
    a, v = values(rng, (2, 3), np.int32), values(rng, 9001, np.int32)
    out = swiftconv.correlate(a, v, "same", boundary=boundary)
    assert_matches(out, "correlate", a, v, "same", boundary=boundary)


def test_more_dimensions_than_the_core_takes():
    shape = (2,) + (1,) * 32
    try:
        a = np.ones(shape)
    except ValueError:
        pytest.skip("this NumPy itself stops at 32 dimensions")
    with pytest.raises(ValueError) as caught:
        swiftconv.correlate(a, np.ones(1))
    assert "33" in str(caught.value) and "32" in str(caught.value)
    with pytest.raises(ValueError):
        swiftconv.correlate(a, np.ones(shape))
    with pytest.raises(ValueError):
        swiftconv.correlate(np.ones(3), np.ones(shape))


def test_as_many_dimensions_as_the_core_takes():
    a = np.arange(2.0).reshape((2,) + (1,) * 31)
    np.testing.assert_array_equal(swiftconv.correlate(a, np.ones((1,) * 32)), a)
    np.testing.assert_array_equal(swiftconv.correlate(a, np.ones((2,) + (1,) * 31)), np.ones((1,) * 32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8, np.complex128, bool, np.float16])
def test_extents_of_one_everywhere(dtype):
    one = np.ones((1, 1, 1), dtype)
    for operation in OPERATIONS:
        for mode in ("valid", "same", "full"):
            for boundary in BOUNDARIES:
                out = getattr(swiftconv, operation)(one, one, mode, boundary=boundary, stride=3, dilation=5)
                np.testing.assert_array_equal(out, one)


def test_a_hostile_index_object():
    class Raises:
        def __index__(self):
            raise RuntimeError("no index today")

    class Lies:
        def __len__(self):
            return 2

        def __getitem__(self, place):
            if place > 5:
                raise IndexError
            return 1

    with pytest.raises(RuntimeError, match="no index today"):
        swiftconv.correlate(A, V, stride=Raises())
    with pytest.raises(ValueError, match="stride"):
        swiftconv.correlate(A, V, stride=Lies())


def test_an_array_like_that_raises():
    class Raises:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("no array today")

    with pytest.raises((RuntimeError, TypeError), match="no array today"):
        swiftconv.correlate(Raises(), V)


def test_calls_after_all_these_errors_are_right():
    np.testing.assert_array_equal(swiftconv.correlate(A, V), slide("correlate", A, V, "valid"))
