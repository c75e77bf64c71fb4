"""einsum on what it cannot take: NumPy's exceptions for NumPy's mistakes, and never worse than an exception."""

import string

import numpy as np
import pytest
import swiftconv

hypothesis = pytest.importorskip("hypothesis")
from einsum_reference import contract  # noqa: E402
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from samples import DTYPES  # noqa: E402
from test_einsum import strides_of_more_than_one  # noqa: E402
from test_hypothesis import views  # noqa: E402

moderate = settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
A, B, V = np.ones((2, 3)), np.ones((3, 4)), np.ones(3)
READ_ONLY = np.zeros((2, 4))
READ_ONLY.flags.writeable = False

MISTAKES = [
    ((), {}), (("ij",), {}), (("",), {}), ((A,), {}), (("i", A), {}), (("ijk", A), {}), (("i,j", A), {}), (("ij", A, B), {}), (("ij,", A), {}),
    (("ij,jk", A, B, V), {}), (("ij,jk->ik,", A, B), {}), (("ij->ii", A), {}), (("ij->k", A), {}), (("ij->ij->", A), {}), (("ij-", A), {}), (("ij>", A), {}),
    (("i-j", A), {}), (("ij->,", A), {}), (("ij->i>", A), {}), (("i.j", A), {}), (("..ij", A), {}), (("i..", A), {}), (("i...j...", A), {}),
    (("i. ..", A), {}), (("ij->. . .", A), {}), (("i1", A), {}), (("i\tj", A), {}), (("i\nj", A), {}), (("i_", A), {}), (("\xe9j", A), {}), (("i\0", A), {}),
    (("i...->i", A), {}), (("...->", A), {}), (("ii", A), {}), (("ii->i", np.ones((1, 3))), {}), (("ij,jk", A, A), {}), (("...i,...i", A, np.ones((5, 3))), {}),
    ((A, [0, 52]), {}), ((A, [0, -1]), {}), ((A, [0, 1.5]), {}), ((A, [0, "a"]), {}), ((A, 5), {}), ((A, [0]), {}), ((A, [0, True]), {}),
    ((A, [0, 1], B, [1, 2], 3), {}), ((A, [0, 1], [0, 0]), {}), ((A, [0, 1], [2]), {}), ((A, [0, Ellipsis, Ellipsis]), {}), ((A, [0, 1], B), {}),
    ((A, None), {}), ((A, [0, None]), {}), ((A, [0, 2**70]), {}),
    (("ij,jk", A, B), {"out": 3}), (("ij,jk", A, B), {"out": [1]}), (("ij,jk", A, B), {"out": (np.zeros((2, 4)),)}), (("ij,jk", A, B), {"out": np.zeros(2)}),
    (("ij,jk", A, B), {"out": np.zeros((2, 5))}), (("ij,jk", A, B), {"out": np.zeros((1, 4))}), (("ij,jk", A, B), {"out": READ_ONLY}),
    (("ij,jk", A, B), {"out": np.zeros((2, 4), np.float32)}), (("ij,jk", A, B), {"casting": "foo"}), (("ij,jk", A, B), {"casting": 1}),
    (("ij,jk", A, B), {"casting": None}), (("ij,jk", A, B), {"order": "foo"}), (("ij,jk", A, B), {"order": 1}), (("ij,jk", A, B), {"order": ""}),
    (("ij,jk", A, B), {"dtype": "foo"}), (("ij,jk", A, B), {"dtype": "i4"}), (("ij,jk", A, B), {"foo": 1}), (("i,i", V, np.array(["a"] * 3)), {}),
    (("i->", np.array([1], "M8[s]")), {}), (("i->", np.zeros(2, "i4,f4")), {}), (("i,i", np.array([None] * 3), V), {}),
    ((",".join(["i"] * 64), *[V] * 64), {}), ((None, A), {}), ((3, A), {}), ((["ij"], A), {}), (("ij", [[1, 2], [3]]), {}),
    (("ij,jk", A, B), {"optimize": "foo", "order": "Q"}),
]  # fmt: skip


def outcome(function, arguments, options):
    try:
        return function(*arguments, **options)
    except Exception as error:
        assert str(error)
        return type(error)


@pytest.mark.parametrize("arguments, options", MISTAKES, ids=lambda value: repr(value)[:40])
@pytest.mark.filterwarnings("ignore")
def test_the_exceptions_of_numpy(arguments, options):
    expected = outcome(np.einsum, arguments, options)
    assert isinstance(expected, type), "NumPy takes this"
    for _ in range(2):
        actual = outcome(swiftconv.einsum, arguments, options)
        kinds = (ValueError, TypeError, OverflowError)
        named = [kind for kind in kinds if issubclass(expected, kind)]
        assert isinstance(actual, type) and (not named or issubclass(actual, (named[0],))), (expected, actual)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("ij,jk->ik", A, A), "index 'j' has extent 3 in operand 0 and 2 in operand 1"),
        (("ii", A), "index 'i' has extents 2 and 3 in operand 0"),
        (("ijk", A), "name 3 axes of operand 0, which has 2"),
        (("i,j", A, V), "name 1 axis of operand 0, which has 2 .*'\\.\\.\\.'"),
        (("ij->ijk", A), "the output's index 'k' is in no operand"),
        (("ij->ii", A), "the output has index 'i' twice"),
        (("i?", A), r"'\?' in operand 0"),
        (("ij,jk", A), "are for 2 operands: got 1"),
        (("i->", np.ma.array([1, 2], mask=[0, 1])), r"operands\[0\] is a masked array"),
        (("i,i->", V, None), r"operands\[1\] is None"),
        ((",".join("i" * 64), *[V] * 64), "got 64 operands"),
        (("...,...", np.ones((2, 3)), np.ones((4, 3))), r"index '\.\.\.\[0\]' has extent 2 in operand 0 and 4 in operand 1"),
    ],
)  # fmt: skip
def test_messages_name_index_operand_and_extents(arguments, words):
    with pytest.raises((ValueError, TypeError), match=words):
        swiftconv.einsum(*arguments)


def test_many_operands():
    for count in (31, 62, 63):
        a = np.arange(1, 3)
        expected = a.astype(object) ** count
        result = swiftconv.einsum(",".join("i" * count) + "->i", *[a] * count)
        np.testing.assert_array_equal(result, [1, np.array(int(expected[1]) & (2**64 - 1), np.uint64).astype(np.int64)])
    halves = [np.full((2, 2), 0.5)] * 52
    letters = string.ascii_letters
    chain = ",".join(letters[k] + letters[(k + 1) % 52] for k in range(51))
    np.testing.assert_array_equal(swiftconv.einsum(chain + "->", *halves[:51], optimize=True), 2.0)


def test_many_axes():
    a = np.ones((1,) * 32)
    assert swiftconv.einsum("...->", a[0, ...].reshape(()), optimize=False) == 1
    assert swiftconv.einsum(string.ascii_letters[:32] + "->", a) == 1
    assert swiftconv.einsum("...,...->...", a, a).shape == a.shape
    letters = string.ascii_letters
    with pytest.raises(ValueError, match="84 indices"):
        swiftconv.einsum(letters[:32] + "," + letters[32:] + "...,...", a, a, a)


def test_bytes_and_none():
    with pytest.raises(ValueError):
        swiftconv.einsum(b"\xff", A)
    for operands in ([None], [None, None], [A, None]):
        with pytest.raises(TypeError, match="is None"):
            swiftconv.einsum(",".join(["ij"] * len(operands)), *operands)


def test_results_beyond_memory():
    wide = np.broadcast_to(np.ones(()), (2**40,))
    for _ in range(2):
        with pytest.raises((MemoryError, ValueError, OverflowError)):
            swiftconv.einsum("i,j->ij", wide, wide)
        with pytest.raises((MemoryError, ValueError, OverflowError)):
            swiftconv.einsum("i,j,k->ijk", wide, wide, wide)


def test_out_is_untouched_by_a_call_that_fails():
    out = np.full((2, 4), 7.0)
    for arguments, options in MISTAKES:
        if "out" not in options:
            outcome(swiftconv.einsum, arguments, {**options, "out": out})
    assert (out == 7).all()


# ---- Fuzz ----------------------------------------------------------------------------------------------------------


@st.composite
def well_formed(draw):
    """Subscripts, operands with any strides, and options."""
    dtype = draw(st.sampled_from(DTYPES))
    letters = draw(st.lists(st.sampled_from("abcxyzAQ"), min_size=1, max_size=5, unique=True))
    extents = {letter: draw(st.sampled_from([0, 1, 2, 2, 3, 3, 4, 5])) for letter in letters}
    hidden = draw(st.sampled_from([(), (), (), (2,), (3, 2)]))
    parts, operands = [], []
    for _ in range(draw(st.integers(1, 4))):
        axes = draw(st.lists(st.sampled_from(letters), max_size=4))
        shape = [extents[letter] for letter in axes]
        for place, letter in enumerate(axes):
            if axes.count(letter) == 1 and draw(st.integers(0, 9)) == 0:
                shape[place] = 1
        if hidden:
            place, kept = draw(st.integers(0, len(axes))), draw(st.integers(0, len(hidden)))
            shown = [draw(st.sampled_from([n, n, 1])) for n in hidden[len(hidden) - kept :]]
            axes, shape = [*axes[:place], "...", *axes[place:]], [*shape[:place], *shown, *shape[place:]]
        parts.append(draw(st.sampled_from(["", " "])).join(axes))
        operands.append(draw(views(dtype, tuple(shape))))
    subscripts = ",".join(parts)
    if draw(st.booleans()):
        used = sorted(set(subscripts) - set(",. "))
        kept = draw(st.permutations(used))[: draw(st.integers(0, len(used)))]
        subscripts += "->" + ("..." if hidden else "") + "".join(kept)
    optimize = draw(st.sampled_from([False, False, True, "optimal"]))
    return subscripts, operands, {"optimize": optimize, "order": draw(st.sampled_from("KKCFA"))}


@moderate
@given(well_formed())
def test_any_well_formed_call(case):
    subscripts, operands, options = case
    wide = [
        a.astype(np.float32) if a.dtype.kind == "V" or (a.dtype.itemsize == 2 and a.dtype.kind == "f") else a
        for a in operands
    ]
    expected = np.einsum(subscripts, *wide).astype(operands[0].dtype)
    for _ in range(2):
        actual = swiftconv.einsum(subscripts, *operands, **options)
        assert actual.shape == expected.shape and actual.dtype == operands[0].dtype
        np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(swiftconv.einsum(subscripts, *operands), expected)
    if len(operands) < 3:
        out = np.full(expected.shape, 7).astype(operands[0].dtype)
        assert swiftconv.einsum(subscripts, *operands, out=out, threads=2) is out
        np.testing.assert_array_equal(out, expected)


@st.composite
def sums(draw):
    """A signal or an image, and a filter, by any steps, padding and boundary."""
    dtype = draw(st.sampled_from(DTYPES))
    axes, taps, low, padding, extents = [], [], {}, {}, {}
    windowed = draw(st.integers(1, 2))
    boundary = draw(st.sampled_from(["fill", "wrap", "symmetric", "reflect", "edge"]))
    shape, taps_shape = [], []
    for place in range(windowed):
        y, i = "yx"[place], "ij"[place]
        step, dilation = draw(st.sampled_from([1, 1, 2, 3])), draw(st.sampled_from([1, 1, 2, 3]))
        count, extent = draw(st.integers(1, 4)), draw(st.integers(1, 12))
        backwards = draw(st.integers(0, 3)) == 0
        before, after = draw(st.sampled_from([(0, 0), (0, 0), (1, 1), (2, 0), (0, 5), (9, 9)]))
        reach = dilation * (count - 1)
        outputs = (extent + before + after - reach - 1) // step + 1
        hypothesis.assume(outputs >= 1)
        axes.append(f"({step}*{y}-{dilation}*{i}+{reach})" if backwards else f"({step}*{y}+{dilation}*{i})")
        low[(0, place)], padding[y] = before, (before, after)
        extents.update({y: outputs, i: count})
        shape.append(extent)
        taps_shape.append(count)
        taps.append(i)
    channels = draw(st.sampled_from(["", "c", "c"]))
    filters = draw(st.sampled_from(["", "k"]))
    batch = draw(st.sampled_from(["", "b"]))
    extents.update({letter: n for letter, n in (("c", 3), ("k", 2), ("b", 2)) if letter in channels + filters + batch})
    last = draw(st.booleans())
    image = f"{batch}{''.join(axes)}{channels}" if last else f"{channels}{''.join(axes)}{batch}"
    shape = (
        [*[2] * len(batch), *shape, *[3] * len(channels)] if last else [*[3] * len(channels), *shape, *[2] * len(batch)]
    )
    first = len(batch) if last else len(channels)
    low = {(0, place + first): value for (_, place), value in low.items()}
    f = f"{filters}{''.join(taps)}{channels}"
    output = draw(st.permutations([*"yx"[:windowed], *batch, *filters]))
    operands = [draw(views(dtype, tuple(shape))), draw(views(dtype, tuple(extents[letter] for letter in f)))]
    return f"{image},{f}->{''.join(output)}", operands, extents, low, {"padding": padding, "boundary": boundary}


@moderate
@given(sums())
def test_any_sum_of_indices(case):
    subscripts, operands, extents, low, options = case
    expected = contract(subscripts, *operands, extents=extents, low=low, boundary=options["boundary"])
    actual = [swiftconv.einsum(subscripts, *operands, **options)]
    if not any(sum(pad) for pad in options["padding"].values()):
        out = np.full_like(actual[0], 1)
        assert swiftconv.einsum(subscripts, *operands, out=out) is out
        actual += [out, swiftconv.einsum(subscripts, *operands), swiftconv.einsum(subscripts, *operands)]
    for result in actual:
        assert result.dtype == expected.dtype
        assert strides_of_more_than_one(result) == strides_of_more_than_one(actual[0])
        np.testing.assert_array_equal(result, expected)


@moderate
@given(st.text("abij()+-*.,> 0123\t\xe9", max_size=14), st.lists(st.integers(0, 3), min_size=0, max_size=3))
def test_any_text(text, ranks):
    operands = [np.ones((2,) * rank) for rank in ranks]
    try:
        actual = swiftconv.einsum(text, *operands)
    except ValueError as error:
        assert str(error)
        if "(" not in text:
            with pytest.raises(ValueError):
                np.einsum(text, *operands)
    else:
        if "(" not in text:
            np.testing.assert_array_equal(actual, np.einsum(text, *operands))


@moderate
@given(
    st.sampled_from(["out", "dtype", "order", "casting", "optimize", "padding", "boundary", "threads", "method"]),
    st.lists(st.integers(-3, 3), max_size=3)
    | st.integers(-(2**65), 2**65)
    | st.none()
    | st.floats()
    | st.text(max_size=3)
    | st.dictionaries(st.sampled_from("yiz"), st.integers(-2, 5) | st.text(max_size=4), max_size=2),
)
def test_any_rubbish(name, value):
    if name == "threads" and isinstance(value, int) and value > 64:
        value = 64 + value % 2**33
    for arguments in (("(y+i), i -> y", np.ones(6), np.ones(2)), ("ij,jk", A, B)):
        try:
            result = swiftconv.einsum(*arguments, **{name: value})
        except (ValueError, TypeError, OverflowError, MemoryError, KeyError) as error:
            assert str(error)
        else:
            assert isinstance(result, np.ndarray)
