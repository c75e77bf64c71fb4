"""conv_general_dilated: jax's arguments, for any rank, against the oracle."""

import conv_reference as oracle
import numpy as np
import pytest
from conv_reference import assert_close
from samples import DTYPES, LAYOUTS, SLOW_DTYPES, pairwise, values
from swiftconv import nn

EXTENTS, TAPS = (7, 6, 5, 4, 3), (3, 2, 2, 1, 2)
EACH = {"stride": (2, 1, 3, 1, 2), "lhs_dilation": (2, 3, 1, 2, 1), "rhs_dilation": (1, 2, 2, 1, 1)}
PADS = {
    "pairs": ((2, 1), (0, 1), (1, 0), (0, 0), (1, 1)),
    "crops": ((-1, 2), (1, -1), (-1, 0), (2, -1), (0, -1)),
}

TABLE = {
    "rank": [0, 1, 2, 3, 5],
    "memory": list(LAYOUTS),
    "numbers": [None, "letters", "integers"],
    "stride": [1, 2, "each"],
    "padding": ["VALID", "SAME", "same_lower", "pairs", "crops"],
    "lhs_dilation": [None, 1, 2, "each"],
    "rhs_dilation": [None, 1, "each"],
    "groups": [(1, 1), (2, 1), (1, 2)],
    "dtype": DTYPES + SLOW_DTYPES,
}


def numbers_for(style, rank, rng):
    """dimension_numbers, and the orders in which the user's axes are those of the core."""
    space = "ABDEF"[:rank]
    if style is None:
        return None, tuple(range(rank + 2)), tuple(range(rank + 2)), tuple(range(rank + 2))
    lhs, rhs, out = ("".join(rng.permutation(list(letters + space))) for letters in ("NC", "OI", "NC"))
    order = "".join(letter for letter in rhs if letter in space)
    axes = [tuple(a.index(x) for x in b + order) for a, b in ((lhs, "NC"), (rhs, "OI"), (out, "NC"))]
    return (lhs, rhs, out) if style == "letters" else tuple(axes), *axes


@pytest.mark.parametrize("row", pairwise(TABLE, seed=3), ids=lambda row: "-".join(str(value) for value in row.values()))
def test_everything(row, rng):
    rank, dtype = row["rank"], np.dtype(row["dtype"])
    groups, batch_groups = row["groups"]

    def steps(name):
        value = row[name]
        return None if value is None else EACH[name][:rank] if value == "each" else (value,) * rank

    stride, lhs_dilation, rhs_dilation = steps("stride"), steps("lhs_dilation"), steps("rhs_dilation")
    padding = PADS[row["padding"]][:rank] if row["padding"] in PADS else row["padding"]
    if isinstance(padding, str):
        lhs_dilation = None
    numbers, lhs_axes, rhs_axes, out_axes = numbers_for(row["numbers"], rank, rng)
    extents, taps = EXTENTS[:rank], TAPS[:rank]
    x = values(rng, (4, 4, *extents), dtype).transpose(np.argsort(lhs_axes))
    w = values(rng, (4, 4 // groups, *taps), dtype).transpose(np.argsort(rhs_axes))
    lhs, rhs = LAYOUTS[row["memory"]](np.ascontiguousarray(x)), np.ascontiguousarray(w)
    actual = nn.conv_general_dilated(
        lhs, rhs, stride, padding, lhs_dilation, rhs_dilation, numbers, groups, batch_groups
    )
    if row["numbers"] is not None:
        assert actual.flags.c_contiguous

    ones = (1,) * rank
    if isinstance(padding, str):
        pads = oracle.same(extents, taps, stride, rhs_dilation or ones, lower=padding == "same_lower")
        padding = ((0, 0),) * rank if padding == "VALID" else pads
    options = {"stride": stride, "dilation": rhs_dilation or ones, "groups": groups, "batch_groups": batch_groups}

    def expected(x, w):
        spread, _ = oracle.spread(x, lhs_dilation or ones, [(max(a, 0), max(b, 0)) for a, b in padding])
        cut = [slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(spread.shape[2:], padding)]
        return oracle.forward(spread[(slice(None), slice(None), *cut)], w, padding=((0, 0),) * rank, **options)

    assert_close(
        actual.transpose(out_axes), dtype, expected, (lhs.transpose(lhs_axes), rhs.transpose(rhs_axes)), rhs.size
    )


def test_jaxs_argument_order():
    x, w = np.arange(2 * 2 * 5 * 4.0).reshape(2, 2, 5, 4), np.arange(2 * 2 * 2 * 2.0).reshape(2, 2, 2, 2)
    by_place = nn.conv_general_dilated(
        x, w, (1, 2), [(1, 0), (0, 1)], (2, 1), (1, 2), ("NCHW", "OIHW", "NHWC"), 1, 2, None, "f4"
    )
    by_name = nn.conv_general_dilated(
        lhs=x, rhs=w, window_strides=(1, 2), padding=[(1, 0), (0, 1)], lhs_dilation=(2, 1), rhs_dilation=(1, 2),
        dimension_numbers=("NCHW", "OIHW", "NHWC"), feature_group_count=1, batch_group_count=2, precision=None,
        preferred_element_type=np.float32,
    )  # fmt: skip
    assert by_place.dtype == np.float32
    np.testing.assert_array_equal(by_place, by_name)


def test_a_transposed_convolution_is_one_with_lhs_dilation(rng):
    x, w = values(rng, (2, 3, 4, 5), np.int64), values(rng, (3, 2, 3, 2), np.int64)
    flipped = w[:, :, ::-1, ::-1].swapaxes(0, 1)
    actual = nn.conv_general_dilated(x, flipped, (1, 1), [(2, 2), (1, 1)], lhs_dilation=(2, 3))
    np.testing.assert_array_equal(actual, nn.conv_transpose2d(x, w, stride=(2, 3)))


def test_batch_groups_are_convolutions_of_parts_of_the_batch(rng):
    x, w = values(rng, (6, 2, 5, 5), np.int64), values(rng, (4, 2, 3, 3), np.int64)
    actual = nn.conv_general_dilated(x, w, (1, 1), "VALID", batch_group_count=2)
    assert actual.shape == (3, 4, 3, 3)
    np.testing.assert_array_equal(actual[:, :2], nn.conv2d(x[:3], w[:2]))
    np.testing.assert_array_equal(actual[:, 2:], nn.conv2d(x[3:], w[2:]))


@pytest.mark.parametrize("extents, taps, padding", [
    ((5, 6), (7, 7), "VALID"), ((5, 6), (7, 2), "VALID"), ((0, 6), (1, 1), "VALID"), ((0, 6), (1, 1), [(0, 0), (1, 1)]),
    ((5, 6), (3, 3), [(-2, -3), (0, 0)]), ((0, 6), (1, 1), "SAME"),
])  # fmt: skip
def test_no_window_gives_no_output_as_in_jax(extents, taps, padding):
    x, w = np.ones((2, 4, *extents)), np.ones((6, 4, *taps))
    result = nn.conv_general_dilated(x, w, (1, 1), padding)
    assert result.shape[:2] == (2, 6) and result.size == 0
    with pytest.raises(ValueError, match="4"):
        nn.conv_general_dilated(x, np.ones((6, 3, *taps)), (1, 1), padding)


X, W = np.ones((2, 4, 5, 6)), np.ones((6, 4, 3, 3))


def test_other_options(rng):
    expected = nn.conv2d(X, W)
    for precision in (None, "highest", ("high", "default")):
        np.testing.assert_array_equal(nn.conv_general_dilated(X, W, (1, 1), "VALID", precision=precision), expected)
    out = np.zeros((2, 6, 3, 4), np.float32)
    assert nn.conv_general_dilated(X, W, (1, 1), "VALID", out=out) is out
    np.testing.assert_array_equal(out, expected)
    int8 = X.astype(np.int8) * 100
    wide = nn.conv_general_dilated(int8, W.astype(np.int8), (1, 1), "VALID", preferred_element_type=np.int32)
    assert wide.dtype == np.int32 and (wide == 3600).all()
    assert nn.conv_general_dilated(X[:0], W, (1, 1), "VALID").shape == (0, 6, 3, 4)
    np.testing.assert_array_equal(
        nn.conv_general_dilated(X, W, (1, 1), "VALID", threads=2, method="reference"), expected
    )


@pytest.mark.parametrize("arguments, options, error, words", [
    ((X, W, (1,), "VALID"), {}, ValueError, ["window_strides=(1,)", "2"]),
    ((X, W, 1, "VALID"), {}, TypeError, ["window_strides=1"]),
    ((X, W, (0, 1), "VALID"), {}, ValueError, ["window_strides", "0"]),
    ((X, W, (1, 1), "FULL"), {}, ValueError, ["padding='FULL'", "SAME_LOWER"]),
    ((X, W, (1, 1), (1, 1)), {}, ValueError, ["padding=(1, 1)", "pairs"]),
    ((X, W, (1, 1), 1), {}, TypeError, ["padding=1"]),
    ((X, W, (1, 1), [(1, 1)]), {}, ValueError, ["padding", "2"]),
    ((X, W, (1, 1), [(1, 1), (1, 1, 1)]), {}, ValueError, ["padding[1]"]),
    ((X, W, (1, 1), [(1, 1), (1.5, 1)]), {}, TypeError, ["padding[1][0]=1.5"]),
    ((X, W, (1, 1), [(-3, -3), (0, 0)]), {}, ValueError, ["padding[0]=(-3, -3)", "5"]),
    ((X, W, (1, 1), "SAME"), {"lhs_dilation": (2, 1)}, ValueError, ["padding='SAME'", "lhs_dilation=(2, 1)"]),
    ((X, W, (1, 1), "VALID"), {"rhs_dilation": (0, 1)}, ValueError, ["rhs_dilation", "0"]),
    ((X, W, (1, 1), "VALID"), {"rhs_dilation": 2}, TypeError, ["rhs_dilation=2"]),
    ((X, W, (1, 1), [(0, 0), (0, 0)]), {"lhs_dilation": (1, -1)}, ValueError, ["lhs_dilation", "-1"]),
    ((X, W[0], (1, 1), "VALID"), {}, ValueError, ["lhs.ndim=4", "rhs.ndim=3"]),
    ((X[0, 0, 0], W[0, 0, 0], (), "VALID"), {}, ValueError, ["lhs.ndim=1"]),
    ((X, W[:, :3], (1, 1), "VALID"), {}, ValueError, ["rhs has 3 input features", "lhs has 4", "feature_group_count=1"]),
    ((X, W[:, :2], (1, 1), "VALID"), {"feature_group_count": 4}, ValueError, ["feature_group_count=4"]),
    ((X, W[:, :1], (1, 1), "VALID"), {"feature_group_count": 4}, ValueError, ["feature_group_count=4", "rhs's 6"]),
    ((X, W, (1, 1), "VALID"), {"feature_group_count": 0}, ValueError, ["feature_group_count=0"]),
    ((X, W, (1, 1), "VALID"), {"batch_group_count": 3}, ValueError, ["batch_group_count=3", "lhs's 2"]),
    ((X, W, (1, 1), "VALID"), {"batch_group_count": -1}, ValueError, ["batch_group_count=-1"]),
    ((X, W, (1, 1), "VALID"), {"batch_group_count": 1.5}, TypeError, ["batch_group_count=1.5"]),
    ((X, W[:, :2], (1, 1), "VALID"), {"batch_group_count": 2, "feature_group_count": 2}, ValueError, ["batch_group_count=2"]),
    ((X, W, (1, 1), "VALID"), {"dimension_numbers": ("NCH", "OIHW", "NCHW")}, ValueError, ["dimension_numbers", "NCH"]),
    ((X, W, (1, 1), "VALID"), {"dimension_numbers": ("NCHH", "OIHW", "NCHW")}, ValueError, ["NCHH"]),
    ((X, W, (1, 1), "VALID"), {"dimension_numbers": ("NCHW", "OIXY", "NCHW")}, ValueError, ["NCHW"]),
    ((X, W, (1, 1), "VALID"), {"dimension_numbers": ((0, 1, 2), (0, 1, 2, 3), (0, 1, 2, 3))}, ValueError, ["(0, 1, 2)"]),
    ((X, W, (1, 1), "VALID"), {"dimension_numbers": ((0, 1, 2, 2), (0, 1, 2, 3), (0, 1, 2, 3))}, ValueError, ["(0, 1, 2, 2)"]),
    ((X, W, (1, 1), "VALID"), {"dimension_numbers": "NCHW"}, TypeError, ["dimension_numbers='NCHW'"]),
    ((X, W, (1, 1), "VALID"), {"dimension_numbers": ("NCHW", 3, "NCHW")}, TypeError, ["dimension_numbers"]),
    ((X, W, (1, 1), "VALID"), {"preferred_element_type": int}, TypeError, ["int64", "lhs"]),
    ((X, W, (1, 1), "VALID"), {"method": "fast"}, ValueError, ["method='fast'"]),
    ((X, W, (2**63, 1), "VALID"), {}, OverflowError, ["window_strides[0]=9223372036854775808"]),
    ((X, W, (1, 1), [(2**62, 2**62), (0, 0)]), {}, (OverflowError, MemoryError), []),
    ((X, W, (1, 1), [(0, 0), (0, 0)]), {"lhs_dilation": (2**62, 1)}, (OverflowError, MemoryError), []),
    ((np.ones((1,) * 33), np.ones((1,) * 33), (1,) * 31, "VALID") if np.__version__ >= "2" else (np.ones((1,) * 32), np.ones((1,) * 32), (1,) * 30, "VALID"), {}, ValueError, ["lhs.ndim", "31"]),
])  # fmt: skip
def test_bad_arguments(arguments, options, error, words):
    with pytest.raises(error) as caught:
        nn.conv_general_dilated(*arguments, **options)
    assert str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_as_many_axes_as_there_may_be():
    result = nn.conv_general_dilated(np.full((1,) * 31, 3), np.full((1,) * 31, 4), (1,) * 29, "VALID")
    assert result.shape == (1,) * 31 and result.item() == 12
