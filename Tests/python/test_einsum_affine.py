"""Axes on which indices meet: against a gathering oracle, NumPy's windows, and the other functions."""

import itertools

import numpy as np
import pytest
import swiftconv
from einsum_reference import contract, numpy_einsum
from samples import DTYPES, LAYOUTS, pairwise, values

BOUNDARIES = ("fill", "wrap", "symmetric", "reflect", "edge")
windows = np.lib.stride_tricks.sliding_window_view

# subscripts, shapes, the extents that follow
VALID = [
    ("b (y+i) (x+j), i j -> b y x", [(2, 6, 7), (3, 2)], {"y": 4, "x": 6}),
    ("(y+i), i -> y", [(9,), (4,)], {"y": 6}),
    ("(i+y), i -> y", [(9,), (9,)], {"y": 1}),
    ("n (2*y+3*i) (w+j) c, i j c k -> n y w k", [(2, 11, 6, 3), (3, 2, 3, 4)], {"y": 3, "w": 5}),
    ("n c (2y+i) (x*3+2*j), k c i j -> n k y x", [(2, 3, 7, 9), (4, 3, 3, 2)], {"y": 3, "x": 3}),
    ("n (y+i) c, i c -> n y c", [(2, 8, 3), (3, 3)], {"y": 6}),
    ("(y-i+2), i -> y", [(7,), (3,)], {"y": 5}),
    ("(2-i+y) k, i k -> k y", [(7, 2), (3, 2)], {"y": 5}),
    ("(-y+i+4), i -> y", [(9,), (3,)], {"y": 5}),
    ("(y+i+1), i -> y", [(7,), (3,)], {"y": 4}),
    ("(3*y), -> y", [(8,), ()], {"y": 3}),
    ("(3*y+1) -> y", [(8,)], {"y": 3}),
    ("(y+i) (y+j), i j -> y", [(6, 7), (2, 3)], {"y": 5}),
    ("y (y+i), i -> y", [(4, 6), (3,)], {"y": 4}),
    ("(y+i), y -> i", [(9,), (4,)], {"i": 6}),
    ("(y+i), (y+j), i j -> y", [(9,), (7,), (3, 2)], {"y": 6}),
    ("(y+i) j, (y+j) i -> y", [(9, 2), (9, 3)], {"y": 7}),
    ("(t+s+i), s, i -> t", [(9,), (2,), (3,)], {"t": 6}),
    ("a (y+i), i j, j k, k -> a y", [(3, 30), (5, 4), (4, 6), (6,)], {"y": 26}),
    ("(y+i), k -> y", [(9,), (4,)], None),
    ("(2*y+2*i) (x+j), i j -> x y", [(9, 5), (2, 2)], {"y": 4, "x": 4}),
]


def extents_of(subscripts, shapes, inferred):
    """Those of letters that stand alone, by their place, and the inferred ones."""
    extents = dict(inferred)
    for part, shape in zip(subscripts.replace(" ", "").split("->")[0].split(","), shapes):
        place, depth = 0, 0
        for character in part:
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth == 0:
                if character.isalpha():
                    extents[character] = shape[place]
                place += 1
    return extents


def explicit(subscripts):
    """2y as 2*y: the oracle's spelling."""
    return "".join(
        f"{character}*" if character.isdigit() and following.isalpha() else character
        for character, following in zip(subscripts, subscripts[1:] + " ")
    )


@pytest.mark.parametrize("subscripts, shapes, inferred", [case for case in VALID if case[2]])
def test_against_the_oracle(subscripts, shapes, inferred, rng):
    extents = extents_of(subscripts, shapes, inferred)
    for dtype in DTYPES:
        operands = [values(rng, shape, dtype) for shape in shapes]
        expected = contract(explicit(subscripts), *operands, extents=extents)
        actual = swiftconv.einsum(subscripts, *operands)
        assert actual.dtype == expected.dtype and actual.shape == expected.shape
        np.testing.assert_array_equal(actual, expected)
        np.testing.assert_array_equal(swiftconv.einsum(subscripts.replace(" ", ""), *operands), expected)


@pytest.mark.parametrize("dtype", [np.longdouble, object])
def test_dtypes_of_numpy(dtype, rng):
    for subscripts, shapes, inferred in VALID[:6]:
        operands = [values(rng, shape, np.int8).astype(np.int64) for shape in shapes]
        expected = contract(explicit(subscripts), *operands, extents=extents_of(subscripts, shapes, inferred))
        actual = swiftconv.einsum(subscripts, *[operand.astype(dtype) for operand in operands])
        assert actual.dtype == dtype
        np.testing.assert_array_equal(actual, expected.astype(dtype))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout, rng):
    for subscripts, shapes, inferred in VALID[:9]:
        operands = [LAYOUTS[layout](values(rng, shape, np.float32)) for shape in shapes]
        expected = contract(explicit(subscripts), *operands, extents=extents_of(subscripts, shapes, inferred))
        np.testing.assert_array_equal(swiftconv.einsum(subscripts, *operands), expected)


def test_the_classic_question(rng):
    """The filter over as_strided windows, over sliding_window_view, and written in the subscripts."""
    for dtype in DTYPES:
        images, f = values(rng, (5, 9, 8), dtype), values(rng, (3, 4), dtype)
        view = np.lib.stride_tricks.as_strided(
            images, (3, 4, 5, 7, 5), (images.strides[1], images.strides[2], *images.strides)
        )
        expected = numpy_einsum("pq,pqbmn->bmn", f, np.array(view))
        for _ in range(2):
            np.testing.assert_array_equal(swiftconv.einsum("pq,pqbmn->bmn", f, view), expected)
        if dtype.kind != "V":  # NumPy's windows of bfloat16 are read by its dtype
            slid = windows(images, (3, 4), (1, 2))
            np.testing.assert_array_equal(swiftconv.einsum("bmnpq,pq->bmn", slid, f), expected)
        np.testing.assert_array_equal(swiftconv.einsum("b (m+p) (n+q), p q -> b m n", images, f), expected)


def test_windows_with_steps_and_dilations_as_views(rng):
    images, f = values(rng, (2, 3, 20, 21), np.int32), values(rng, (4, 3, 3, 2), np.int32)
    view = windows(images[:, :, :, :], (5, 4), (2, 3))[:, :, ::2, ::3, ::2, ::3]
    expected = np.einsum("nchwij,kcij->nkhw", view, f)
    np.testing.assert_array_equal(swiftconv.einsum("nchwij,kcij->nkhw", view, f), expected)
    np.testing.assert_array_equal(swiftconv.einsum("n c (2*h+2*i) (3*w+3*j), k c i j -> n k h w", images, f), expected)


def test_windows_alone_are_a_read_only_view(rng):
    images = values(rng, (2, 6, 7), np.float32)
    with pytest.raises(ValueError, match="'y' and 'i'"):
        swiftconv.einsum("b (y+i) x -> b y i x", images)
    view = swiftconv.einsum("b (2*y+1) x -> x b y", images)
    np.testing.assert_array_equal(view, images[:, 1::2].transpose(2, 0, 1))
    assert np.shares_memory(view, images) and not view.flags.writeable
    assert view.strides == images[:, 1::2].transpose(2, 0, 1).strides


# ---- Padding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_padding(boundary, rng):
    for dtype in (np.float32, np.int16, np.complex64, np.uint8):
        images, f = values(rng, (2, 5, 6), dtype), values(rng, (3, 4), dtype)
        for (top, bottom), (left, right) in itertools.product(
            [(0, 0), (1, 1), (2, 0), (0, 3), (7, 9)], [(1, 2), (0, 0)]
        ):
            extents = {"b": 2, "i": 3, "j": 4, "y": 3 + top + bottom, "x": 3 + left + right}
            expected = contract(
                "b(y+i)(x+j),ij->byx", images, f, extents=extents, low={(0, 1): top, (0, 2): left}, boundary=boundary
            )
            actual = swiftconv.einsum(
                "b (y+i) (x+j), i j -> b y x",
                images,
                f,
                padding={"y": (top, bottom), "x": (left, right)},
                boundary=boundary,
            )
            np.testing.assert_array_equal(actual, expected)


PADDED = [
    ("n (2*y+3*i) c, i c k -> n y k", [(2, 9, 3), (3, 3, 4)], {"y": (2, 3)}, {"y": 4}, {(0, 1): 2}),
    (
        "n c (y+i) (x+j), k c i j -> n k y x",
        [(2, 3, 5, 5), (2, 3, 3, 3)],
        {"y": 1, "x": (0, 2)},
        {"y": 5, "x": 5},
        {(0, 2): 1},
    ),
    ("(y-i+2), i -> y", [(7,), (3,)], {"y": (2, 2)}, {"y": 9}, {(0, 0): 2}),
    ("(y+i) (y+j), i j -> y", [(6, 7), (2, 3)], {"y": (1, 0)}, {"y": 6}, {(0, 0): 1, (0, 1): 1}),
    ("y (y+i), i -> y", [(4, 4), (3,)], {"y": (1, 1)}, {"y": 4}, {(0, 1): 1}),
    ("(y+i), (y+j), i j -> y", [(9,), (7,), (3, 2)], {"y": (2, 0)}, {"y": 8}, {(0, 0): 2, (1, 0): 2}),
    ("(y+i), k, i -> y k", [(9,), (4,), (3,)], {"y": (0, 4)}, {"y": 11}, {}),
    ("(y+i+1), i -> y", [(5,), (3,)], {"y": (0, 4)}, {"y": 6}, {}),
    ("(y+i), y -> i", [(9,), (9,)], {"i": (4, 4)}, {"i": 9}, {(0, 0): 4}),
    ("(y+i) j, i j -> y", [(5, 2), (1, 2)], {"y": (3, 3)}, {"y": 11}, {(0, 0): 3}),
    ("a (y+i), i j, j k, k -> a y", [(3, 30), (5, 4), (4, 6), (6,)], {"y": 2}, {"y": 30}, {(0, 1): 2}),
]


@pytest.mark.parametrize("subscripts, shapes, padding, inferred, low", PADDED)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_padding_of_every_kind_of_sum(subscripts, shapes, padding, inferred, low, boundary, rng):
    operands = [values(rng, shape, np.int64) for shape in shapes]
    extents = extents_of(subscripts, shapes, inferred)
    expected = contract(subscripts, *operands, extents=extents, low=low, boundary=boundary)
    for optimize in (False, True):
        actual = swiftconv.einsum(subscripts, *operands, padding=padding, boundary=boundary, optimize=optimize)
        np.testing.assert_array_equal(actual, expected)
    wide = swiftconv.einsum(
        subscripts,
        *[a.astype(np.longdouble) for a in operands],
        dtype=np.longdouble,
        padding=padding,
        boundary=boundary,
    )
    assert wide.shape == expected.shape


@pytest.mark.parametrize("taps, step, dilation", itertools.product([1, 2, 3, 4, 5], [1, 2, 3], [1, 2]))
def test_same_is_that_of_network_layers(taps, step, dilation, rng):
    for extent in (1, 2, 5, 8, 9):
        signal, f = values(rng, (2, 3, extent), np.float32), values(rng, (4, 3, taps), np.float32)
        expected = swiftconv.nn.conv1d(signal, f, stride=step, dilation=dilation, padding="same")
        subscripts = f"n c ({step}*y+{dilation}*i), k c i -> n k y"
        for padding in ("same", {"y": "same"}):
            actual = swiftconv.einsum(subscripts, signal, f, padding=padding)
            np.testing.assert_array_equal(actual, expected)


def test_same_backwards_is_a_convolution(rng):
    signal, f = values(rng, (9,), np.int64), values(rng, (3,), np.int64)
    np.testing.assert_array_equal(
        swiftconv.einsum("(y-i), i -> y", signal, f, padding="same"), np.convolve(signal, f, "same")
    )
    np.testing.assert_array_equal(
        swiftconv.einsum("(y-i+2), i -> y", signal, f, padding={"y": 2}), np.convolve(signal, f, "full")
    )


def test_padded_windows_of_one_output_or_one_tap(rng):
    for subscripts in ("(y+i) c, i k -> y c k", "(y+i) c, y k -> i c k", "(y+i) c, i c -> y", "(y+i) c, y c -> i"):
        for extent, taps, pad in [
            (3, 5, (1, 1)),
            (3, 1, (1, 1)),
            (1, 3, (1, 1)),
            (1, 1, (0, 0)),
            (2, 4, (0, 2)),
            (1, 2, (0, 1)),
        ]:
            a, f = values(rng, (extent, 2), np.int64), values(rng, (taps, 2), np.int64)
            walks, other = ("y", "i") if ", i" in subscripts else ("i", "y")
            extents = {"c": 2, "k": 2, other: taps, walks: extent + sum(pad) - taps + 1}
            if "k" not in subscripts:
                del extents["k"]
            expected = contract(subscripts, a, f, extents=extents, low={(0, 0): pad[0]})
            np.testing.assert_array_equal(swiftconv.einsum(subscripts, a, f, padding={walks: pad}), expected)


def test_padding_of_nothing(rng):
    empty, f = np.zeros((2, 0)), np.ones(3)
    np.testing.assert_array_equal(swiftconv.einsum("b (y+i), i", empty, f, padding={"y": 2}), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="boundary='fill'"):
        swiftconv.einsum("b (y+i), i", empty, f, padding={"y": 2}, boundary="wrap")
    np.testing.assert_array_equal(swiftconv.einsum("(y+i), i", np.ones(5), np.ones(0)), np.zeros(6))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_every_pair_of_choices(boundary, rng):
    table = {
        "subscripts": ["n (y+i) c, i c -> n y c", "(2*y+i) n c, i c -> n y", "n c (y+2*i), c i -> y n"],
        "extent": [4, 9, 33],
        "taps": [1, 2, 3],
        "pad": [(0, 0), (1, 1), (0, 2), (3, 1)],
        "dtype": [np.float32, np.int8, np.float16, np.complex64],
        "layout": ["C", "F", "negative", "strided", "misaligned", "byteswapped"],
    }
    for row in pairwise(table):
        subscripts, extent, taps, (before, after) = row["subscripts"], row["extent"], row["taps"], row["pad"]
        shapes = [
            tuple({"n": 2, "c": 3}.get(axis, extent) for axis in subscripts.split(",")[0].split()),
            tuple({"i": taps, "c": 3}[axis] for axis in subscripts.split(",")[1].split("->")[0].split()),
        ]
        step = 2 if "2*y" in subscripts else 1
        reach = (2 if "2*i" in subscripts else 1) * (taps - 1)
        outputs = (extent + before + after - reach - 1) // step + 1
        if outputs < 1:
            continue
        a, f = (LAYOUTS[row["layout"]](values(rng, shape, row["dtype"])) for shape in shapes)
        axis = next(place for place, part in enumerate(subscripts.split(",")[0].split()) if "(" in part)
        extents = {"n": 2, "c": 3, "i": taps, "y": outputs}
        expected = contract(subscripts, a, f, extents=extents, low={(0, axis): before}, boundary=boundary)
        actual = swiftconv.einsum(subscripts, a, f, padding={"y": (before, after)}, boundary=boundary)
        np.testing.assert_array_equal(actual, expected, str(row))


# ---- What cannot be ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subscripts, shapes, options, words",
    [
        ("(y+i) -> y", [(9,)], {}, "'y' and 'i' cannot be inferred.*axis 0 of operand 0, of extent 9"),
        ("(y+i), (y+j) -> y", [(9,), (9,)], {}, "cannot be inferred"),
        ("(y+i), i -> y", [(3,), (4,)], {}, "index 'y' has no extent.*axis 0 of operand 0 reach from 0 to 3.*extent 3"),
        ("(y+i), i y -> y", [(9,), (3, 8)], {}, "axis 0 of operand 0 has extent 9, and 'y' of extent 8, 'i' of extent 3"),
        ("(y-i), i -> y", [(9,), (3,)], {}, "'y' has no extent.*from -2 to 0"),
        ("k, (y+i), i k -> y", [(3,), (9,), (3, 4)], {}, "index 'k' has extent 3 in operand 0 and 4 in operand 2"),
        ("(y+i), i -> y", [(9,), (3,)], {"padding": {"z": 1}}, "padding has the key 'z'.*one of i, y"),
        ("i, i -> i", [(9,), (9,)], {"padding": {"i": 1}}, "of which there is none"),
        ("(y+i), i -> y", [(9,), (3,)], {"padding": {"y": -1}}, "padding\\['y'\\]=-1"),
        ("(y+i), i -> y", [(9,), (3,)], {"padding": {"y": (1, 2, 3)}}, "padding\\['y'\\].*expected 2"),
        ("(y+i), i -> y", [(9,), (3,)], {"padding": {"y": 1, "i": 1}}, "'y' and 'i', which meet on one axis of operand 0"),
        ("(y+i), i -> y", [(9,), (3,)], {"padding": {"y": "full"}}, "'valid', 'same'"),
        ("(y+i), i -> y", [(9,), (3,)], {"padding": "full"}, "padding='full'"),
        ("(y+i), i -> y", [(9,), (3,)], {"boundary": "mirrored"}, "boundary='mirrored'"),
        ("(4-y+i), i -> y", [(9,), (3,)], {"padding": "same"}, "positive step"),
        ("(y+i), i, y -> y", [(9,), (3,), (5,)], {"padding": "same"}, "extent 9 .*extent 5 elsewhere"),
        ("(y+i) -> (y+i)", [(9,)], {}, "the output has plain ones"),
    ],
)  # fmt: skip
def test_errors(subscripts, shapes, options, words):
    with pytest.raises(ValueError, match=words):
        swiftconv.einsum(subscripts, *[np.ones(shape) for shape in shapes], **options)


def test_errors_of_type():
    for padding in (1, (1, 1), [1], {1: 1}, {"y": 1.5}, {"y": None}):
        with pytest.raises(TypeError, match="padding"):
            swiftconv.einsum("(y+i), i", np.ones(5), np.ones(2), padding=padding)


def test_enormous_padding_is_refused():
    with pytest.raises((MemoryError, OverflowError, ValueError)):
        swiftconv.einsum("(y+i), i", np.ones(5), np.ones(2), padding={"y": 2**61})
    with pytest.raises((MemoryError, OverflowError, ValueError)):
        swiftconv.einsum("(y+i), i", np.ones(5), np.ones(2), padding={"y": 2**70})


# ---- Plain axes that are summed before the windows -----------------------------------------------------------------

# subscripts, shapes, padding, the extents that follow, the steps
SUMMED_FIRST = [
    ("b (y+i) (x+j), i j -> y x", [(12, 24, 23), (5, 5)], None, {"y": 20, "x": 19}, ["b(y+i)(x+j)->(y+i)(x+j)", "yxij,ij->yx"]),
    ("(y+i) b (x+j), i j -> x y", [(24, 12, 23), (5, 5)], {"y": 1, "x": (0, 2)}, {"y": 22, "x": 21},
     ["b(y+i)(x+j)->(y+i)(x+j)", "xyij,ij->xy"]),
    ("(2y+i) (x-j+4) b, i j -> y x", [(41, 24, 16), (5, 5)], {"x": 1}, {"y": 19, "x": 22}, ["b(2y+i)(x-j+4)->(2y+i)(x-j+4)", "yxij,ij->yx"]),
    ("b c (y+3*i) d, c i -> y", [(5, 3, 90, 40), (3, 8)], None, {"y": 69}, ["bcd(y+3i)->c(y+3i)", "yci,ci->y"]),
    ("b b (y+i) n, i -> n y", [(70, 70, 40, 3), (15,)], None, {"y": 26}, ["nb(y+i)->(y+i)n", "nyi,i->ny"]),
    ("b (y+i), k i -> y", [(60, 100), (9, 15)], None, {"y": 86}, ["b(y+i)->(y+i)", "ik->i", "yi,i->y"]),
    ("b (y+i), k (y+j), i, j -> y", [(40, 50), (30, 50), (5,), (5,)], None, {"y": 46}, None),
    ("b (y+i), i, i -> y", [(60, 300), (5,), (5,)], None, {"y": 296}, ["b(y+i)->(y+i)", "yi,i,i->y"]),
]  # fmt: skip


@pytest.mark.parametrize("boundary", ("fill", "edge"))
@pytest.mark.parametrize("subscripts, shapes, padding, inferred, steps", SUMMED_FIRST, ids=str)
def test_plain_axes_are_summed_first(subscripts, shapes, padding, inferred, steps, boundary, rng):
    options = {"padding": padding, "boundary": boundary}
    operands = [values(rng, shape, np.int64) for shape in shapes]
    spelled = explicit(subscripts)
    low = {(0, axis): before for axis, before in padded_before(spelled, padding).items()}
    extents = extents_of(spelled, shapes, inferred)
    expected = contract(spelled, *operands, extents=extents, low=low, boundary=boundary)
    for _ in range(2):
        np.testing.assert_array_equal(swiftconv.einsum(subscripts, *operands, **options), expected)
    out = np.zeros(expected.shape[::-1], np.int64).T
    assert swiftconv.einsum(subscripts, *operands, out=out, **options) is out
    np.testing.assert_array_equal(out, expected)
    plan = swiftconv.explain(swiftconv.einsum, subscripts, *operands, **options)
    if steps is not None:
        assert [step.split(":")[0] for step in plan.steps] == steps


def padded_before(subscripts, padding):
    """The padding before the axes of the first operand."""
    parts = subscripts.split(",")[0].replace("(", " (").split()
    by_letter = {name: pad if isinstance(pad, int) else pad[0] for name, pad in (padding or {}).items()}
    return {
        axis: by_letter[name] for axis, part in enumerate(parts) for name in by_letter if "(" in part and name in part
    }


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_is_summed_first_as_in_one_step(dtype, rng):
    images, f = values(rng, (12, 25, 24), dtype), values(rng, (5, 5), dtype)
    line = "b (y+i) (x+j), i j -> y x"
    plan = swiftconv.explain(swiftconv.einsum, line, images, f)
    wide = 4 if dtype.itemsize == 2 and dtype.kind not in "iu" else dtype.itemsize
    assert len(plan.steps) == 2 and plan.temporary_bytes == 25 * 24 * wide
    expected = contract(line.replace(" ->", "->"), images, f, extents={"b": 12, "y": 21, "x": 20, "i": 5, "j": 5})
    for layout in ("C", "F"):
        result = swiftconv.einsum(line, np.asarray(images, order=layout), f)
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, expected)


def test_sums_that_come_first_have_the_dtype_of_the_result(rng):
    line, views = "b (y+i) (x+j), i j -> y x", "byxij,ij->yx"
    for narrow, other in (
        (np.int8, np.float64),
        (bool, np.int32),
        (np.uint8, np.float16),
        (np.int16, np.complex64),
        (">i2", "i8"),
    ):
        images = values(rng, (60, 20, 20), np.dtype(narrow).newbyteorder("=")).astype(narrow)
        f = values(rng, (3, 3), other)
        result = swiftconv.einsum(line, images, f)
        assert result.dtype == np.result_type(images, f)
        assert len(swiftconv.explain(swiftconv.einsum, line, images, f).steps) == 2
        view = windows(images, (3, 3), axis=(1, 2))
        if result.dtype.kind == "i":
            np.testing.assert_array_equal(result, np.einsum(views, view, f, dtype=result.dtype))
            continue
        expected = np.einsum(views, view, f, dtype=np.complex128)
        size = np.einsum(views, np.abs(view), np.abs(f), dtype=float)
        assert (np.abs(result - expected) <= size * (2e-3 if result.dtype == np.float16 else 1e-5)).all()
        np.testing.assert_allclose(swiftconv.einsum(line, images, f, dtype=np.complex128), expected)
    halves = np.full((4096, 9, 9), 1.0, np.float16)
    assert (swiftconv.einsum(line, halves, np.full((3, 3), 2.0**-12, np.float16)) == 9).all()
    large = values(rng, (60, 20, 20), np.float64)
    cast = swiftconv.explain(swiftconv.einsum, line, large, np.ones((3, 3), int), dtype=int, casting="unsafe")
    assert cast.copies == "operands[0] cast to int64" and len(cast.steps) == 2
    assert cast.temporary_bytes == large.size * 8 + 20 * 20 * 8
    np.testing.assert_array_equal(
        swiftconv.einsum(line, large, np.ones((3, 3), int), dtype=int, casting="unsafe"),
        windows(large.sum(0), (3, 3)).sum((2, 3)),
    )


def test_when_nothing_is_summed_first(rng):
    def steps(line, *shapes, **options):
        operands = [np.ones(shape, np.float32) for shape in shapes]
        return len(swiftconv.explain(swiftconv.einsum, line, *operands, **options).steps)

    line = "b (y+i) (x+j), i j -> y x"
    assert steps(line, (100, 64, 64), (5, 5)) == 2
    assert steps(line, (1, 640, 640), (5, 5)) == 1  # one image
    assert steps(line, (8, 8, 8), (3, 3)) == 1  # small ones
    assert steps(line, (2, 64, 64), (3, 3)) == 1  # two
    assert steps("b (64y+i), i -> y", (100, 1 << 16), (2,)) == 1  # of which little is read
    assert steps("b (y+i) (x+j), i j -> b y x", (100, 64, 64), (5, 5)) == 1
    assert steps("b (y+i) (x+j), b i j -> y x", (100, 64, 64), (100, 5, 5)) == 1
    for options in ({"method": "nest"}, {"optimize": True}, {"optimize": ["einsum_path", (0, 1)]}):
        assert steps(line, (100, 64, 64), (5, 5), **options) == 1


def test_windows_are_not_stored_because_another_operand_is_summed_first(rng):
    images, f = values(rng, (40, 30, 30), np.int64), values(rng, (50, 3, 3), np.int64)
    view = windows(images, (3, 3), axis=(1, 2))
    for line, first in (("byxij,kij->yx", view), ("b (y+i) (x+j), k i j -> y x", images)):
        assert swiftconv.explain(swiftconv.einsum, line, first, f).temporary_bytes < 2 * images[0].nbytes
        expected = (windows(images.sum(0), (3, 3)) * f.sum(0)).sum((2, 3))
        np.testing.assert_array_equal(swiftconv.einsum(line, first, f), expected)
