"""einsum_vjp: the transpose of einsum in every operand, element by element, exactly in integers."""

import numpy as np
import pytest
import swiftconv
from einsum_reference import numpy_einsum
from samples import DTYPES, LAYOUTS, values
from test_einsum import SUBSCRIPTS
from test_einsum_affine import BOUNDARIES, PADDED, VALID

PLAIN = [(text, None) for text in SUBSCRIPTS if "i,i,i,i,i" not in text] + [
    ("ij,jk->ik", [(2, 1), (5, 3)]), ("ij,ij->ij", [(1, 4), (3, 1)]), ("...ij,...jk", [(3, 2, 3), (3, 4)]), ("...ij,...jk", [(1, 2, 3), (5, 1, 3, 4)]),
    ("i...i->...", [(3, 2, 3)]), ("...,...->...", [(3, 1), (2, 1, 4)]), ("i,i->", [(1,), (7,)]), ("ij->", [(3, 4)]), ("ij->ji", [(3, 4)]),
    ("ii->i", [(3, 3)]), (",->", [(), ()]), ("ij,jk", [(0, 3), (3, 2)]), ("ij,jk", [(2, 0), (0, 2)]), ("iij,jki->k", [(2, 2, 3), (3, 4, 2)]),
]  # fmt: skip


def by_elements(subscripts, operands, cotangent, place, **options):
    """The gradient from its definition: einsum is linear in each operand."""
    result = np.zeros(operands[place].shape, np.int64)
    for index in np.ndindex(*operands[place].shape):
        basis = np.zeros_like(operands[place])
        basis[index] = 1
        arguments = [*operands[:place], basis, *operands[place + 1 :]]
        result[index] = (swiftconv.einsum(subscripts, *arguments, **options) * cotangent).sum()
    return result


def check(subscripts, shapes, rng, **options):
    operands = [rng.integers(-9, 10, shape) for shape in shapes]
    result = np.asarray(swiftconv.einsum(subscripts, *operands, **options))
    cotangent = rng.integers(-9, 10, result.shape)
    everything = swiftconv.einsum_vjp(subscripts, operands, cotangent, range(len(operands)), **options)
    for place, gradient in enumerate(everything):
        assert gradient.shape == operands[place].shape and gradient.dtype == np.int64
        expected = by_elements(subscripts, operands, cotangent, place, **options)
        np.testing.assert_array_equal(gradient, expected, f"{subscripts} {shapes} {options} wrt {place}")
        alone = swiftconv.einsum_vjp(subscripts, operands, cotangent, wrt=place - len(operands), **options)
        np.testing.assert_array_equal(alone, expected)


@pytest.mark.parametrize("subscripts, shapes", PLAIN, ids=str)
def test_subscripts_of_numpy(subscripts, shapes, rng):
    extents = dict(zip("abcdefijklmzAB", (2, 1, 3, 2, 2, 2, 3, 2, 2, 2, 3, 4, 2, 3)))
    parts = subscripts.split("->")[0].split(",")
    if not shapes:
        extents.update({letter: 2 for letter in "ij" if subscripts.startswith("abij")})
        shapes = [tuple(extents[letter] for letter in part) for part in parts]
    check(subscripts, shapes, rng)


@pytest.mark.parametrize("subscripts, shapes", [case[:2] for case in VALID if case[2]], ids=str)
def test_axes_on_which_indices_meet(subscripts, shapes, rng):
    check(subscripts, [tuple(min(n, 12) for n in shape) for shape in shapes], rng)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("subscripts, shapes, padding", [case[:3] for case in PADDED[:-1]], ids=str)
def test_padding(subscripts, shapes, padding, boundary, rng):
    check(subscripts, shapes, rng, padding=padding, boundary=boundary)


@pytest.mark.parametrize("step", [1, 2, 3, 4, -1, -2])
@pytest.mark.parametrize("dilation", [1, 2, 3, 4, 6, -1, -3])
def test_steps_and_dilations(step, dilation, rng):
    for extent, taps in ((24, 3), (25, 4), (19, 1), (23, 2)):
        offset = (taps - 1) * max(-dilation, 0)
        if step < 0:
            offset = extent - 1 - (taps - 1) * max(dilation, 0)
        check(f"({step}*y+{dilation}*i+{offset}), i -> y".replace("+-", "-"), [(extent,), (taps,)], rng)
        if step > 0 and dilation > 0:
            check(f"({step}*y+{dilation}*i) c, c i -> y", [(extent, 2), (2, taps)], rng, padding={"y": (2, 1)})
            check(f"({step}*y+{dilation}*i), i -> y", [(extent,), (taps,)], rng, padding="same")


def test_what_stands_in_the_way_takes_one_contraction_for_each_value(rng):
    check("(y+i) (y+j), i j -> y", [(6, 7), (2, 3)], rng)
    check("(y+i) i, i -> y", [(6, 3), (3,)], rng)
    check("(t+s+i), s, i -> t", [(9,), (2,), (3,)], rng)
    check("(y+i) (x+i), i, x -> y", [(6, 7), (3,), (5,)], rng)
    check("(2*y+i) (y+2*i), i -> y", [(9, 9), (3,)], rng)
    check("(y+i), i, y ->", [(6,), (3,), (4,)], rng)
    check("(y+i), i y j -> j", [(6,), (3, 4, 2)], rng)
    check("(3*y+1), y ->", [(9,), (3,)], rng)
    check("(3*y), y -> y", [(8,), (3,)], rng, padding={"y": (1, 2)})


def test_axes_that_nothing_else_has(rng):
    for subscripts, shapes in (("b (y+i) c, i -> y", [(3, 6, 2), (3,)]), ("b b (y+i), i -> y", [(3, 3, 6), (3,)]),
                               ("b (y+i), c i -> y", [(3, 6), (2, 3)]), ("ab,b->b", [(3, 4), (4,)]), ("ab,c->", [(3, 4), (2,)])):  # fmt: skip
        check(subscripts, shapes, rng)
        if "(" in subscripts:
            check(subscripts, shapes, rng, padding={"y": (1, 2)}, boundary="wrap")
    images, f, dy = (rng.integers(-9, 10, shape) for shape in ((50, 30, 30), (3, 3), (28, 28)))
    line = "b (y+i) (x+j), i j -> y x"
    once = swiftconv.einsum_vjp("(y+i) (x+j), i j -> y x", [images[0], f], dy)
    gradient, df = swiftconv.einsum_vjp(line, [images, f], dy, wrt=(0, 1))
    np.testing.assert_array_equal(gradient, np.broadcast_to(once, images.shape))
    assert gradient.flags.c_contiguous and gradient.flags.writeable
    np.testing.assert_array_equal(df, swiftconv.correlate(images.sum(0), dy))


def test_it_is_a_transposed_convolution(rng):
    images, weight = values(rng, (2, 3, 9, 8), np.float32), values(rng, (4, 3, 3, 2), np.float32)
    subscripts = "n c (2*y+i) (x+2*j), k c i j -> n k y x"
    cotangent = values(rng, swiftconv.einsum(subscripts, images, weight, padding={"y": 1}).shape, np.float32)
    to_images, to_weight = swiftconv.einsum_vjp(subscripts, [images, weight], cotangent, (0, 1), padding={"y": 1})
    options = {"stride": (2, 1), "dilation": (1, 2), "padding": (1, 0)}
    np.testing.assert_array_equal(to_images, swiftconv.nn.grad.conv2d_input(images.shape, weight, cotangent, **options))
    np.testing.assert_array_equal(
        to_weight, swiftconv.nn.grad.conv2d_weight(images, weight.shape, cotangent, **options)
    )


@pytest.mark.parametrize("dtype", [*DTYPES, np.dtype(object), np.dtype(np.longdouble)], ids=str)
def test_every_dtype(dtype, rng):
    signal, taps, cotangent = (values(rng, n, dtype) for n in (9, 3, 4))
    if dtype.kind in "iu":
        signal, taps, cotangent = signal % 5, taps % 5, cotangent % 5
    gradient = swiftconv.einsum_vjp("(2*y+i), i -> y", [signal, taps], cotangent)
    assert gradient.dtype == dtype and gradient.shape == (9,)
    exact = np.complex128 if dtype.kind == "c" else np.float64
    expected = np.zeros(9, exact)
    for y in range(4):
        expected[2 * y : 2 * y + 3] += taps.astype(exact) * cotangent[y : y + 1].astype(exact)
    if dtype.kind != "u" or not (expected > np.iinfo(dtype).max).any():
        np.testing.assert_array_equal(gradient.astype(exact), expected.astype(bool) if dtype.kind == "b" else expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout, rng):
    images, f = values(rng, (3, 7, 6), np.float32), values(rng, (3, 2), np.float32)
    cotangent = values(rng, (3, 5, 5), np.float32)
    arrays = [LAYOUTS[layout](array) for array in (images, f, cotangent)]
    plain = [np.array(array, np.float32) for array in arrays]
    for place in (0, 1):
        actual = swiftconv.einsum_vjp("b (y+i) (x+j), i j -> b y x", arrays[:2], arrays[2], place)
        expected = swiftconv.einsum_vjp("b (y+i) (x+j), i j -> b y x", plain[:2], plain[2], place)
        np.testing.assert_array_equal(actual, expected)


def test_against_differences(rng):
    signal, taps, cotangent = rng.standard_normal(20), rng.standard_normal(4), rng.standard_normal(17)
    gradient = swiftconv.einsum_vjp("(y+i), i -> y", [signal, taps], cotangent)
    small = 1e-6 * rng.standard_normal(20)
    difference = np.correlate(signal + small, taps) - np.correlate(signal - small, taps)
    np.testing.assert_allclose(difference @ cotangent, 2 * gradient @ small, rtol=1e-6)


def test_mixed_dtypes(rng):
    a, b = values(rng, (3, 4), np.float32), values(rng, (4, 2), np.int8)
    cotangent = np.ones((3, 2))
    gradients = swiftconv.einsum_vjp("ij,jk", [a, b], cotangent, (0, 1))
    assert [gradient.dtype for gradient in gradients] == [np.float64] * 2
    np.testing.assert_array_equal(gradients[0], numpy_einsum("ik,jk->ij", cotangent, b))


@pytest.mark.parametrize(
    "subscripts, operands, cotangent, options, error, words",
    [
        ("ij,jk", [np.ones((2, 3)), np.ones((3, 4))], np.ones((2, 3)), {}, ValueError, r"cotangent has shape \(2, 3\): expected \(2, 4\)"),
        ("ij,jk", [np.ones((2, 3)), np.ones((3, 4))], np.ones((2, 4)), {"wrt": 2}, ValueError, "wrt=2 holds 2: got 2 operands"),
        ("ij,jk", [np.ones((2, 3)), np.ones((3, 4))], np.ones((2, 4)), {"wrt": (0, -3)}, ValueError, "holds -3"),
        ("ij,jk", [np.ones((2, 3)), np.ones((3, 4))], np.ones((2, 4)), {"wrt": "a"}, TypeError, "wrt='a'"),
        ("ij,jk", [np.ones((2, 3)), np.ones((3, 4))], np.ones((2, 4)), {"wrt": 1.0}, TypeError, "wrt=1.0"),
        ("ij,jk", np.ones((2, 3)), np.ones((2, 4)), {}, TypeError, "operands has type ndarray"),
        ("ij,jk", [np.ones((2, 3))], np.ones((2, 4)), {}, ValueError, "2 operands: got 1"),
        (3, [np.ones((2, 3))], np.ones((2, 4)), {}, TypeError, "subscripts=3"),
        ("ij", [np.ones((2, 3))], None, {}, TypeError, "cotangent"),
        ("ij", [np.ones((2, 3))], np.ma.ones((2, 3)), {}, TypeError, "cotangent is a masked array"),
    ],
)  # fmt: skip
def test_errors(subscripts, operands, cotangent, options, error, words):
    with pytest.raises(error, match=words):
        swiftconv.einsum_vjp(subscripts, operands, cotangent, **options)
