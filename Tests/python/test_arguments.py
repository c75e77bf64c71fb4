"""A wrong argument gets an exception that names it, shows its value and says what was expected; a right one works."""

import numpy as np
import pytest
import swiftconv
from reference import OPERATIONS, assert_matches
from samples import values

A, V = np.arange(42.0).reshape(6, 7), np.array([[1.0, 2.0, 3.0], [4.0, 6.0, 5.0]])
U8 = A.astype(np.uint8)

# (options, exception, words that its message holds)
WRONG = [
    ({"mode": "valide"}, ValueError, ["mode", "'valide'", "'valid'", "'same'", "'full'"]),
    ({"mode": "FULL"}, ValueError, ["mode", "'FULL'", "'full'"]),
    ({"mode": 3}, ValueError, ["mode", "3"]),
    ({"mode": None}, TypeError, ["mode", "None"]),
    ({"mode": 1.0}, TypeError, ["mode", "1.0"]),
    ({"boundary": "refelct"}, ValueError, ["boundary", "'refelct'", "'reflect'", "'wrap'", "'edge'", "'symmetric'"]),
    ({"boundary": 0}, TypeError, ["boundary", "0"]),
    ({"boundary": None}, TypeError, ["boundary", "None"]),
    ({"method": "magic"}, ValueError, ["method", "'magic'", "'auto'", "'direct'"]),
    ({"method": 1}, TypeError, ["method", "1"]),
    ({"method": "separable"}, ValueError, ["method", "separable"]),
    ({"stride": 0}, ValueError, ["stride", "0", "1"]),
    ({"stride": -1}, ValueError, ["stride", "-1"]),
    ({"stride": (1, 0)}, ValueError, ["stride", "0"]),
    ({"stride": (1, 2, 3)}, ValueError, ["stride", "(1, 2, 3)", "3", "2"]),
    ({"stride": (1,)}, ValueError, ["stride", "(1,)", "2"]),
    ({"stride": ()}, ValueError, ["stride", "()", "2"]),
    ({"stride": 1.5}, TypeError, ["stride", "1.5"]),
    ({"stride": 2.0}, TypeError, ["stride", "2.0"]),
    ({"stride": (1, 1.5)}, TypeError, ["stride", "1.5"]),
    ({"stride": "2"}, TypeError, ["stride", "'2'"]),
    ({"stride": None}, TypeError, ["stride", "None"]),
    ({"stride": float("nan")}, TypeError, ["stride", "nan"]),
    ({"dilation": 0}, ValueError, ["dilation", "0", "1"]),
    ({"dilation": (2, -3)}, ValueError, ["dilation", "-3"]),
    ({"dilation": (1, 2, 3)}, ValueError, ["dilation", "3", "2"]),
    ({"dilation": np.ones((2, 2), int)}, (TypeError, ValueError), ["dilation"]),
    ({"dilation": 0.5}, TypeError, ["dilation", "0.5"]),
    ({"dilation": 6}, ValueError, ["v", "7", "6", "valid"]),
    ({"dilation": (1, 4)}, ValueError, ["v", "9", "7", "valid"]),
    ({"origin": 1}, ValueError, ["origin", "1", "same"]),
    ({"origin": (0, 1), "mode": "full"}, ValueError, ["origin", "1", "same"]),
    ({"origin": (0, 2), "mode": "same"}, ValueError, ["origin", "2", "-1", "1"]),
    ({"origin": (0, -2), "mode": "same"}, ValueError, ["origin", "-2", "-1", "1"]),
    ({"origin": (0, 0, 0), "mode": "same"}, ValueError, ["origin", "(0, 0, 0)", "3", "2"]),
    ({"origin": 0.5, "mode": "same"}, TypeError, ["origin", "0.5"]),
    ({"axes": (0, 0)}, ValueError, ["axes", "(0, 0)"]),
    ({"axes": (1, -1)}, ValueError, ["axes", "(1, -1)"]),
    ({"axes": (0, 2)}, ValueError, ["axes", "2"]),
    ({"axes": (-3, 0)}, ValueError, ["axes", "-3"]),
    ({"axes": 0}, ValueError, ["axes", "0", "2"]),
    ({"axes": ()}, ValueError, ["axes", "()", "2"]),
    ({"axes": (0, 1, 0)}, ValueError, ["axes", "2"]),
    ({"axes": (0, 1.0)}, TypeError, ["axes", "1.0"]),
    ({"axes": "01"}, TypeError, ["axes", "'01'"]),
    ({"dtype": "nonsense"}, TypeError, ["dtype", "nonsense"]),
    ({"dtype": "U3"}, TypeError, ["dtype", "U3"]),
    ({"dtype": "M8[s]"}, TypeError, ["dtype", "datetime64"]),
    ({"dtype": np.int32}, TypeError, ["dtype", "float64", "int32"]),
    ({"dtype": [("x", float)]}, TypeError, ["dtype"]),
    ({"fillvalue": "0"}, TypeError, ["fillvalue", "'0'"]),
    ({"fillvalue": None}, TypeError, ["fillvalue", "None"]),
    ({"fillvalue": [0, 1]}, TypeError, ["fillvalue"]),
    ({"fillvalue": np.zeros(2)}, TypeError, ["fillvalue"]),
    ({"fillvalue": 1j}, TypeError, ["fillvalue", "1j"]),
    ({"threads": 0}, ValueError, ["threads", "0", "1"]),
    ({"threads": -2}, ValueError, ["threads", "-2"]),
    ({"threads": 1.5}, TypeError, ["threads", "1.5"]),
    ({"threads": "all"}, TypeError, ["threads", "'all'"]),
    ({"out": 5}, TypeError, ["out", "int"]),
    ({"out": np.zeros((5, 6))}, ValueError, ["out", "6", "5"]),
    ({"out": np.zeros((5, 5), int)}, TypeError, ["out", "float64", "int64"]),
    ({"padding": 1}, TypeError, ["padding"]),
]  # fmt: skip

# (a, v, exception, words)
WRONG_ARRAYS = [
    (A, np.ones((1, 1, 1)), ValueError, ["a", "2", "3"]),
    (np.float64(3), V, ValueError, ["a", "0", "2"]),
    (A, np.ones((0, 3)), ValueError, ["v", "0"]),
    (A, np.ones((2, 0)), ValueError, ["v", "0"]),
    (np.ones((0, 7)), V, ValueError, ["a", "0"]),
    (np.ones((6, 0)), V, ValueError, ["a", "0"]),
    (A, np.ones((7, 1)), ValueError, ["v", "7", "6", "valid"]),
    (A, np.ones((1, 8)), ValueError, ["v", "8", "7", "valid"]),
    (A.astype(str), V, TypeError, ["a", "U"]),
    (A, np.array([[b"x"]]), TypeError, ["v", "S1"]),
    (A.astype("M8[s]"), V, TypeError, ["a", "datetime64"]),
    (A, V.astype("m8[s]"), TypeError, ["v", "timedelta64"]),
    (np.zeros((3, 3), [("x", float)]), V, TypeError, ["a", "x"]),
    (np.ma.masked_array(A), V, TypeError, ["a", "mask"]),
    (A, np.ma.masked_array(V), TypeError, ["v", "mask"]),
    (None, V, TypeError, ["a"]),
    (A, None, TypeError, ["v"]),
    (A, {}, TypeError, ["v", "dict"]),
    (A, "kernel", TypeError, ["v"]),
    ([[1, 2], [3]], V, (TypeError, ValueError), ["a"]),
    (A, iter([1, 2]), TypeError, ["v"]),
]  # fmt: skip


def name_of(case):
    return str(case) if isinstance(case, dict) else None


def assert_says(caught, words):
    message = str(caught.value)
    missing = [word for word in words if word not in message]
    assert not missing, f"{missing} not in {message!r}"


@pytest.mark.parametrize("options, error, words", WRONG, ids=name_of)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_wrong_options(operation, options, error, words):
    options = {"mode": "valid", **options}
    with pytest.raises(error) as caught:
        getattr(swiftconv, operation)(A, V, options.pop("mode"), **options)
    assert_says(caught, words)


@pytest.mark.parametrize("a, v, error, words", WRONG_ARRAYS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_wrong_arrays(operation, a, v, error, words):
    with pytest.raises(error) as caught:
        getattr(swiftconv, operation)(a, v, "valid")
    assert_says(caught, words)


@pytest.mark.parametrize("fill", [-1, 256, 300, -1.5, 1e30, float("nan"), float("inf"), -(10**30)])
def test_fill_values_that_an_integer_cannot_hold(fill):
    for mode in ("valid", "same", "full"):
        with pytest.raises(ValueError) as caught:
            swiftconv.correlate(U8, V.astype(np.uint8), mode, fillvalue=fill)
        assert_says(caught, ["fillvalue", str(fill), "uint8"])


@pytest.mark.parametrize(
    "dtype, fill", [("i1", 128), ("i1", -129), ("i8", 2**63), ("u8", 2**64), ("u8", -1), ("i2", 1e9)]
)
def test_fill_values_one_past_the_end(dtype, fill):
    with pytest.raises(ValueError, match="fillvalue"):
        swiftconv.correlate(U8.astype(dtype), V.astype(dtype), "full", fillvalue=fill)


@pytest.mark.parametrize("arguments", [(), (A,), (A, V, "full", (0, 1))])
def test_wrong_numbers_of_positional_arguments(arguments):
    with pytest.raises(TypeError):
        swiftconv.correlate(*arguments)


def test_the_same_thing_twice():
    with pytest.raises(TypeError, match="mode"):
        swiftconv.correlate(A, V, "full", mode="full")


@pytest.mark.parametrize("options", [
    {"stride": np.int8(2)}, {"stride": [2, 1]}, {"stride": np.array([2, 3], np.uint16)}, {"stride": (2, 2)},
    {"stride": True}, {"dilation": np.int64(2)}, {"dilation": np.array(2)}, {"dilation": range(1, 3)},
    {"axes": [1, 0]}, {"axes": np.array([0, 1])}, {"axes": (-1, -2)}, {"axes": (np.int32(0), 1)},
    {"origin": (0, 1), "mode": "same"}, {"origin": 0}, {"origin": (0, 0)}, {"origin": None}, {"origin": np.array([-1, 0]), "mode": "same"},
    {"threads": 1}, {"threads": np.int16(3)}, {"threads": None}, {"out": None}, {"out": (np.zeros((5, 5)),)},
    {"fillvalue": np.float32(0.5), "mode": "full"}, {"fillvalue": np.array(3), "mode": "full"}, {"fillvalue": True, "mode": "full"},
], ids=str)  # fmt: skip
def test_right_options_in_every_spelling(options):
    options = {"mode": "valid", **options}
    mode = options.pop("mode")
    actual = swiftconv.correlate(A, V, mode, **options)
    meant = {name: value for name, value in options.items() if name not in ("threads", "out")}
    for name in ("stride", "dilation", "axes", "origin"):
        if meant.get(name) is not None:
            meant[name] = np.array(meant[name]).astype(int).tolist()
    assert_matches(actual, "correlate", A, V, mode, **meant)


def test_zero_origin_goes_with_every_mode():
    for mode in ("valid", "same", "full"):
        np.testing.assert_array_equal(swiftconv.correlate(A, V, mode, origin=(0, 0)), swiftconv.correlate(A, V, mode))


def test_a_filter_of_no_axes_multiplies(rng):
    a = values(rng, (3, 4), np.int32)
    np.testing.assert_array_equal(swiftconv.correlate(a, np.int32(3)), a * 3)
    np.testing.assert_array_equal(swiftconv.convolve(a, np.array(3, np.int32)), a * 3)
    np.testing.assert_array_equal(swiftconv.correlate([[2 + 1j]], 3 - 1j), [[(2 + 1j) * (3 + 1j)]])
    assert swiftconv.convolve(3, 4).tolist() == [12]
    for numbers in ((3, 4), (3, [1, 2]), ([1, 2], 3)):
        with pytest.raises(ValueError, match="is a number: expected at least one dimension"):
            swiftconv.correlate(*numbers)


def test_empty_batches_give_empty_results():
    for shape in [(0, 6, 7), (3, 0, 6, 7), (0, 0, 6, 7)]:
        for dtype in (np.float32, np.int8, object, np.longdouble):
            out = swiftconv.correlate(np.zeros(shape, dtype), V.astype(dtype))
            assert out.shape == (*shape[:-2], 5, 5) and out.dtype == dtype
    assert swiftconv.correlate(np.zeros((6, 0, 7)), V, "full", axes=(0, 2)).shape == (7, 0, 9)


@pytest.mark.parametrize("bad", [0, -1, 1.5, "x", float("nan"), [2], 2**40])
def test_bad_numbers_of_threads(bad):
    before = swiftconv.get_num_threads()
    for call in (swiftconv.set_num_threads, swiftconv.threads):
        with pytest.raises((ValueError, TypeError, OverflowError)) as caught, call(bad):
            pass
        assert str(bad) in str(caught.value)
        assert swiftconv.get_num_threads() == before


@pytest.mark.parametrize("bad", ["dict", None, 3])
def test_bad_modes_of_show_config(bad):
    with pytest.raises((ValueError, TypeError), match=f"mode={bad!r}"):
        swiftconv.show_config(bad)


def test_show_config(capsys):
    swiftconv.show_config()
    printed = capsys.readouterr().out
    config = swiftconv.show_config("dicts")
    assert config["swiftconv"]["version"] == swiftconv.__version__
    assert config["swiftconv"]["threads"] == swiftconv.get_num_threads()
    for section, entries in config.items():
        assert section in printed
        for value in entries.values():
            assert str(value) in printed
