"""With 1-D inputs and defaults, `correlate` and `convolve` are NumPy's: results, types, sizes, swaps and errors."""

import copy
import functools
import inspect
import itertools
import pickle
import warnings
from fractions import Fraction

import numpy as np
import pytest
import swiftconv
from reference import MODES, OPERATIONS, epsilon
from samples import BFLOAT16, COMPLEXES, DTYPES, SLOW_DTYPES, normals, values

NUMPY_DTYPES = [dtype for dtype in DTYPES if dtype != BFLOAT16]
LENGTHS = [1, 2, 3, 4, 5, 8, 9, 16, 17, 40]


def twins(operation):
    return getattr(swiftconv, operation), getattr(np, operation)


def outcome(function, *args, **kwargs):
    """What a call gives: its result, or the class of its exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return np.asarray(function(*args, **kwargs))
        except Exception as error:  # the class is the outcome
            return type(error)


def assert_same_array(ours, theirs):
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("mode", [*MODES, None])
@pytest.mark.parametrize("dtype", [*NUMPY_DTYPES, *SLOW_DTYPES], ids=str)
def test_every_pair_of_lengths(operation, mode, dtype, rng):
    ours, theirs = twins(operation)
    arguments = () if mode is None else (mode,)
    for n, k in itertools.product(LENGTHS, LENGTHS):
        a, v = values(rng, n, dtype), values(rng, k, dtype)
        assert_same_array(ours(a, v, *arguments), theirs(a, v, *arguments))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_pair_of_dtypes(operation, rng):
    ours, theirs = twins(operation)
    for first, second in itertools.product(NUMPY_DTYPES + SLOW_DTYPES, repeat=2):
        small = rng.integers(0, 5, 9).astype(first), rng.integers(0, 5, 4).astype(second)
        for a, v in (small, small[::-1]):
            for mode in MODES:
                assert_same_array(ours(a, v, mode), theirs(a, v, mode))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, *COMPLEXES], ids=str)
def test_all_of_a_floats_bits(operation, dtype, rng):
    ours, theirs = twins(operation)
    for n, k, mode in itertools.product([1, 7, 33, 200], [1, 6, 30, 210], MODES):
        a, v = normals(rng, n, dtype), normals(rng, k, dtype)
        expected = theirs(a.astype(np.clongdouble), v.astype(np.clongdouble), mode)
        bound = (min(n, k) + 4) * epsilon(dtype) * np.abs(a).max() * np.abs(v).astype(float).sum()
        got = ours(a, v, mode)
        assert got.dtype == theirs(a, v, mode).dtype
        assert np.abs(got.astype(np.clongdouble) - expected).max() <= bound


def test_correlate_conjugates_the_second_argument_also_when_it_swaps():
    a, v = np.array([1 + 2j, 3 - 1j]), np.array([2 - 1j, 1j, 4 + 4j])
    for mode in MODES:
        np.testing.assert_array_equal(swiftconv.correlate(a, v, mode), np.correlate(a, v, mode))
        np.testing.assert_array_equal(swiftconv.correlate(v, a, mode), np.correlate(v, a, mode))
        np.testing.assert_array_equal(swiftconv.convolve(a, v, mode), np.convolve(a, v, mode))


@pytest.mark.parametrize("n, k", [(5, 5), (5, 4), (4, 5), (6, 4), (4, 6)])
def test_same_has_the_longer_ones_length(n, k):
    a, v = np.arange(1.0, n + 1), np.arange(2.0, k + 2)
    assert swiftconv.correlate(a, v, "same").shape == (max(n, k),)
    assert_same_array(swiftconv.correlate(a, v, "same"), np.correlate(a, v, "same"))
    assert_same_array(swiftconv.convolve(a, v, "same"), np.convolve(a, v, "same"))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("a, v", [
    ([], [1.0]), ([1.0], []), ([], []),
    ([1, 2, 3], [0, 1]), ((1, 2), (3.5,)), (range(4), [1, 2]),
    ([True, False], [1, 2]), ([1 + 1j], [2]), ([Fraction(1, 3), 2], [3, Fraction(1, 2)]),
    (["a", "b"], ["c"]), ([b"a"], [b"b"]),
    (np.array(["2020-01-01"], "M8[D]"), np.array([1])),
    ([{}, {}], [1]), ([None, 1], [1, 2]), (None, [1]), ([1], None),
    (np.zeros(3, [("x", float)]), np.ones(2)),
])  # fmt: skip
@pytest.mark.parametrize("mode", ["valid", "same", "full"])
def test_odd_inputs_have_numpys_outcome(operation, a, v, mode):
    ours, theirs = (outcome(function, a, v, mode) for function in twins(operation))
    if isinstance(theirs, type):
        assert isinstance(ours, type), f"NumPy raises {theirs.__name__}, swiftconv returns {ours!r}"
        assert issubclass(ours, (ValueError, TypeError)), ours
        if theirs in (ValueError, TypeError) and not is_strange(a, v):
            assert issubclass(ours, theirs)
    else:
        assert_same_array(ours, theirs)


def is_strange(*arrays):
    """Types for which NumPy's own exception changes from version to version."""
    return any(np.asarray(array).dtype.kind not in "biufc" for array in arrays)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("mode", ["valide", "", "VALID?", 3, -1, 1.5, [], b"same"])
def test_bad_modes_are_errors_in_both(operation, mode):
    ours, theirs = (outcome(function, [1, 2, 3], [1, 2], mode) for function in twins(operation))
    if isinstance(theirs, type):
        assert isinstance(ours, type) and issubclass(ours, (ValueError, TypeError))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_numpys_three_numbers_for_the_modes(operation):
    """`np.correlate(a, v, 2)` is the old spelling of 'full', and still works in NumPy."""
    ours, theirs = twins(operation)
    for number in (0, 1, 2):
        assert_same_array(ours([1, 2, 3, 4], [5, 6], number), theirs([1, 2, 3, 4], [5, 6], number))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("mode", [*MODES, None])
@pytest.mark.parametrize("a, v", [(3, 4), (3, [1, 2, 3]), ([1, 2, 3], 4), (2j, 3j), (np.float32(3), np.int8(4)), ([], 4), (3, [])],
                         ids=str)  # fmt: skip
def test_numbers_have_numpys_outcome(operation, mode, a, v):
    ours, theirs = (outcome(function, a, v, *([mode] if mode else [])) for function in twins(operation))
    if isinstance(theirs, type):
        assert ours is theirs
    else:
        assert_same_array(ours, theirs)


def test_the_filter_may_be_as_long_as_the_signal_or_the_signal_itself(rng):
    a = values(rng, 20, np.int32)
    for operation, mode in itertools.product(OPERATIONS, MODES):
        ours, theirs = twins(operation)
        assert_same_array(ours(a, a, mode), theirs(a, a, mode))
        assert_same_array(ours(a, a[::-1], mode), theirs(a, a[::-1], mode))


@pytest.mark.parametrize("operation, mode", [("correlate", "valid"), ("convolve", "full")])
def test_signature(operation, mode):
    parameters = inspect.signature(getattr(swiftconv, operation)).parameters
    assert list(parameters) == [
        "a", "v", "mode", "axes", "boundary", "fillvalue", "origin", "stride", "dilation", "dtype", "out", "method",
        "threads",
    ]  # fmt: skip
    defaults = {name: p.default for name, p in parameters.items() if p.default is not p.empty}
    assert defaults == {
        "mode": mode, "axes": None, "boundary": "fill", "fillvalue": 0, "origin": None, "stride": 1, "dilation": 1,
        "dtype": None, "out": None, "method": "auto", "threads": None,
    }  # fmt: skip
    keyword_only = [name for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY]
    assert keyword_only == list(parameters)[3:]


@pytest.mark.parametrize("operation", ["correlate", "convolve"])
def test_the_function_is_one_among_others(operation):
    function = getattr(swiftconv, operation)
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.deepcopy(function) is function
    assert function.__name__ == operation and function.__module__.startswith("swiftconv")
    assert list(map(functools.partial(function, [1, 2, 3]), [[1], [2]]))[1].tolist() == [2, 4, 6]


@pytest.mark.parametrize(
    "arguments, keywords, message",
    [
        ((), {}, "missing 2 required positional arguments: 'a' and 'v'"),
        (([1],), {}, "missing 1 required positional argument: 'v'"),
        (([1], [1], "full", 0), {}, "takes from 2 to 3 positional arguments but 4 were given"),
        (([1], [1]), {"stide": 2}, "unexpected keyword argument 'stide'"),
        (([1], [1]), {"v": [1]}, "multiple values for argument 'v'"),
    ],
)
def test_a_call_that_does_not_fit_the_signature(arguments, keywords, message):
    for operation in ("correlate", "convolve"):
        with pytest.raises(TypeError, match=rf"{operation}\(\) .*{message}"):
            getattr(swiftconv, operation)(*arguments, **keywords)


def test_keywords_need_not_be_interned():
    name = "".join(["str", "ide"])
    for a in (np.arange(5.0), [0.0, 1.0, 2.0, 3.0, 4.0]):
        np.testing.assert_array_equal(swiftconv.correlate(a, np.ones(1), **{name: 2}), [0, 2, 4])


def test_names_of_the_arguments_work_as_keywords():
    np.testing.assert_array_equal(swiftconv.correlate(a=[1, 2, 3], v=[1, 1], mode="full"), [1, 3, 5, 3])
    np.testing.assert_array_equal(swiftconv.convolve(v=[1, 1], a=[1, 2, 3]), [1, 3, 5, 3])
