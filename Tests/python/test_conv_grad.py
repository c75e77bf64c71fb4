"""Gradients: against the oracle, as exact adjoints on integers, and against numerical differentiation in float64."""

import conv_reference as oracle
import numpy as np
import pytest
import swiftconv
from conv_reference import SPATIAL, assert_close
from reference import BFLOAT16
from samples import DTYPES, LAYOUTS, SLOW_DTYPES, normals, pairwise, values
from swiftconv import nn
from test_conv import CONV, CONV_TRANSPOSE, EXTENTS, TAPS, W, X, each

TABLE = {
    "rank": [1, 2, 3],
    "memory": list(LAYOUTS),
    "weight_memory": ["C", "F", "negative", "misaligned", "byteswapped"],
    "stride": [1, 2, "each"],
    "dilation": [1, 2, "each"],
    "padding": [0, 1, "each", "pairs", "same"],
    "groups": [1, 2, 4],
    "dtype": DTYPES + SLOW_DTYPES,
    "per_sample": [False, False, True],
    "unbatched": [False, False, True],
    "last": [False, True],
    "transposed": [False, True],
}


def gradient(name, rank, transposed):
    return getattr(nn.grad, f"conv{'_transpose' if transposed else ''}{rank}d_{name}")


def dot(a, b):
    """The inner product without a rounding."""
    return sum((int(x) * int(y) for x, y in zip(np.ravel(a), np.ravel(b))), 0)


class Layer:
    """A row's layer, forward or transposed, with operands for it in torch's order of axes."""

    def __init__(self, row, rng):
        self.rank = rank = row["rank"]
        self.transposed, self.last = row["transposed"], row["last"]
        groups, dtype = row["groups"], row["dtype"]
        per_sample = row["per_sample"]
        self.unbatched = row["unbatched"] and not per_sample
        padding = {"each": (1, 0, 2)[:rank], "pairs": ((2, 1), (0, 1), (1, 0))[:rank]}.get(
            row["padding"], row["padding"]
        )
        self.options = {name: each(name, row[name], rank) for name in ("stride", "dilation")}
        if padding == "same" and self.transposed:
            padding = 1
        self.options.update(padding=padding, groups=groups, per_sample=per_sample)
        if self.transposed:
            steps = zip(*(np.broadcast_to(self.options[name], rank) for name in ("stride", "dilation")))
            self.options["output_padding"] = tuple(int(max(step)) - 1 for step in steps)
        samples = 1 if self.unbatched else 2
        self.x = values(rng, (samples, 4, *EXTENTS[rank]), dtype)
        channels = (4, 8 // groups) if self.transposed else (8, 4 // groups)
        self.w = values(rng, ((samples,) if per_sample else ()) + channels + TAPS[rank], dtype)
        self.function = (CONV_TRANSPOSE if self.transposed else CONV)[rank]
        shape = self.function(self.x[:, :, :], self.w, **self.options).shape
        self.y = values(rng, shape, dtype)
        self.arrange, self.arrange_weight = LAYOUTS[row["memory"]], LAYOUTS[row["weight_memory"]]
        self.layout = f"N{SPATIAL[rank]}C" if self.last else None

    def given(self, array, arrange):
        """An array of the data as the function gets it: unbatched, channels last, in some memory layout."""
        array = array[0] if self.unbatched else array
        return arrange(np.moveaxis(array, -1 - self.rank, -1) if self.last else array)

    def size(self):
        return self.given(self.x, np.asarray).shape

    def in_torch_order(self, array):
        array = np.moveaxis(array, -1, -1 - self.rank) if self.last else array
        return array[None] if self.unbatched else array

    def oracle_options(self):
        options = dict(self.options)
        if options["padding"] == "same":
            steps = {name: options[name] for name in ("stride", "dilation")}
            options["padding"] = oracle.same(self.x.shape[2:], self.w.shape[-self.rank :], **steps)
        return options

    def cropped(self):
        """Of a transposed layer, the padding of the forward one that is its adjoint: its last outputs see nothing."""
        extra = self.options["output_padding"]
        return [(a, b - e) for (a, b), e in zip(oracle.pairs(self.options["padding"], self.rank), extra)]


ROWS = pairwise(TABLE, seed=2)


def name_of(row):
    return "-".join(str(value) for value in row.values())


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_input_gradient(row, rng):
    layer = Layer(row, rng)
    y = layer.given(layer.y, layer.arrange)
    actual = gradient("input", layer.rank, layer.transposed)(
        layer.size(), layer.arrange_weight(layer.w), y, layout=layer.layout, **layer.options
    )
    assert actual.shape == layer.size()
    options = layer.oracle_options()
    if layer.transposed:
        options.pop("output_padding")
        crop = layer.cropped()

        def expected(y, w):
            cut = [slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(y.shape[2:], crop)]
            options["padding"] = [(max(a, 0), max(b, 0)) for a, b in crop]
            return oracle.forward(y[(slice(None), slice(None), *cut)], w, **options)
    else:
        shape, rank = layer.x.shape, layer.rank

        def expected(y, w):
            """Each output's gradient spreads over the window that it saw; what lies in the padding is dropped."""
            padding = oracle.pairs(options["padding"], rank)
            spread = {name: options[name] for name in ("stride", "groups", "dilation", "per_sample")}
            whole = oracle.transposed(y, w, **spread)
            total = np.zeros(shape, whole.dtype)
            cut = [slice(a, a + n) for n, (a, _) in zip(shape[2:], padding)]
            kept = whole[(slice(None), slice(None), *cut)]
            total[tuple(slice(n) for n in kept.shape)] = kept
            return total

    y = layer.in_torch_order(y)
    w = layer.arrange_weight(layer.w)
    assert_close(layer.in_torch_order(actual), row["dtype"], expected, (y, w), w.size)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_weight_gradient(row, rng):
    layer = Layer(row, rng)
    x, y = layer.given(layer.x, layer.arrange), layer.given(layer.y, layer.arrange)
    actual = gradient("weight", layer.rank, layer.transposed)(x, layer.w.shape, y, layout=layer.layout, **layer.options)
    assert actual.flags.c_contiguous
    x, y = layer.in_torch_order(x), layer.in_torch_order(y)
    taps, options = layer.w.shape[-layer.rank :], layer.oracle_options()
    if layer.transposed:
        options.pop("output_padding")
        crop = layer.cropped()
        cut = [slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(y.shape[2:], crop)]
        options["padding"] = [(max(a, 0), max(b, 0)) for a, b in crop]
        x, y = y[(slice(None), slice(None), *cut)], x
    assert_close(actual, row["dtype"], lambda x, y: oracle.weight_gradient(x, y, taps, **options), (x, y), y[:, 0].size)


@pytest.mark.parametrize("row", [row for row in ROWS if row["dtype"].kind in "iu"], ids=name_of)
def test_exact_adjoints_on_integers(row, rng):
    """<f(x, w), y> = <x, input gradient> = <w, weight gradient>, with no rounding and no wrap."""
    layer = Layer({**row, "last": False, "unbatched": False, "dtype": np.dtype(np.int64)}, rng)
    x, w, y = (array % 1000 for array in (layer.x, layer.w, layer.y))
    inner = dot(layer.function(x, w, **layer.options), y)
    by_input = gradient("input", layer.rank, layer.transposed)(x.shape, w, y, **layer.options)
    by_weight = gradient("weight", layer.rank, layer.transposed)(x, w.shape, y, **layer.options)
    assert dot(x, by_input) == inner
    assert dot(w, by_weight) == inner


@pytest.mark.parametrize("options", [
    {}, {"stride": 2, "padding": 1}, {"stride": (2, 3), "dilation": (2, 1), "padding": ((1, 0), (2, 1))}, {"groups": 2},
    {"padding": "same", "stride": 3}, {"padding": 2, "dilation": 2, "groups": 2},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("transposed", [False, True])
def test_against_numerical_differentiation(options, transposed, rng):
    if transposed and options.get("padding") == "same":
        options = {"stride": 3, "output_padding": 2}
    function, groups = nn.conv_transpose2d if transposed else nn.conv2d, options.get("groups", 1)
    x = rng.standard_normal((2, 4, 7, 6))
    w = rng.standard_normal((4, 6 // groups, 3, 2) if transposed else (6, 4 // groups, 3, 2))
    bias = rng.standard_normal(6)
    y = rng.standard_normal(function(x, w, bias, **options).shape)

    def loss(x, w, bias):
        return (function(x, w, bias, **options) * y).sum()

    analytic = {
        0: gradient("input", 2, transposed)(x.shape, w, y, **options),
        1: gradient("weight", 2, transposed)(x, w.shape, y, **options),
        2: nn.grad.conv_bias(y),
    }
    operands, step = (x, w, bias), 1e-3
    for place, found in analytic.items():
        direction = rng.standard_normal(found.shape)
        ahead, behind = list(operands), list(operands)
        ahead[place], behind[place] = operands[place] + step * direction, operands[place] - step * direction
        numerical = (loss(*ahead) - loss(*behind)) / (2 * step)
        np.testing.assert_allclose((found * direction).sum(), numerical, rtol=1e-8, atol=1e-8)


def test_torchs_argument_order():
    y = np.ones((2, 3, 3, 2))
    by_place = nn.grad.conv2d_input(X.shape, W, y, 2, 0, 1, 1)
    np.testing.assert_array_equal(by_place, nn.grad.conv2d_input(input_size=X.shape, weight=W, grad_output=y, stride=2))
    by_place = nn.grad.conv2d_weight(X, W.shape, y, 2, 0, 1, 1)
    np.testing.assert_array_equal(
        by_place, nn.grad.conv2d_weight(input=X, weight_size=W.shape, grad_output=y, stride=2)
    )
    np.testing.assert_array_equal(
        nn.grad.conv2d_input(list(X.shape), W, y, 2), nn.grad.conv2d_input(np.array(X.shape), W, y, 2)
    )


def test_rows_that_no_window_reached_have_no_gradient():
    gradient = nn.grad.conv1d_input((1, 1, 8), np.ones((1, 1, 2)), np.ones((1, 1, 2)), stride=4)
    assert gradient.tolist() == [[[1, 1, 0, 0, 1, 1, 0, 0]]]


def test_letters(rng):
    y = nn.conv2d(X, W, stride=2)
    options = {"stride": 2, "layout": "NHWC,HWIO->NCHW"}
    x, w = np.moveaxis(X, 1, -1), W.transpose(2, 3, 1, 0)
    by_input = nn.grad.conv2d_input(x.shape, w, y, **options)
    np.testing.assert_array_equal(np.moveaxis(by_input, -1, 1), nn.grad.conv2d_input(X.shape, W, y, 2))
    assert by_input.flags.c_contiguous
    by_weight = nn.grad.conv2d_weight(x, w.shape, y, **options)
    np.testing.assert_array_equal(by_weight.transpose(3, 2, 0, 1), nn.grad.conv2d_weight(X, W.shape, y, 2))
    assert by_weight.flags.c_contiguous


@pytest.mark.parametrize("memory", ["C", "F", "strided", "negative", "misaligned", "byteswapped"])
def test_any_out(memory):
    y = np.ones((2, 3, 5, 3))
    for expected, call in [
        (nn.grad.conv2d_input(X.shape, W, y), lambda out: nn.grad.conv2d_input(X.shape, W, y, out=out)),
        (nn.grad.conv2d_weight(X, W.shape, y), lambda out: nn.grad.conv2d_weight(X, W.shape, y, out=out)),
        (nn.grad.conv_bias(y), lambda out: nn.grad.conv_bias(y, out=out)),
    ]:
        for dtype in (np.float32, np.float64, np.complex64):
            out = LAYOUTS[memory](np.full(expected.shape, 9, dtype))
            assert call(out) is out
            np.testing.assert_array_equal(out, expected)


def test_out_may_overlap(rng):
    y, w = values(rng, (2, 4, 5, 5), np.int64), values(rng, (4, 4, 3, 3), np.int64)
    expected = nn.grad.conv2d_input(y.shape, w, y, padding=1)
    nn.grad.conv2d_input(y.shape, w, y, padding=1, out=y)
    np.testing.assert_array_equal(y, expected)


def test_empty_batches():
    y = np.ones((0, 3, 5, 3))
    assert nn.grad.conv2d_input((0, 4, 6, 5), W, y).shape == (0, 4, 6, 5)
    np.testing.assert_array_equal(nn.grad.conv2d_weight(X[:0], W.shape, y), np.zeros(W.shape))
    np.testing.assert_array_equal(nn.grad.conv2d_weight(X[:0].astype(object), W.shape, y), np.zeros(W.shape))
    np.testing.assert_array_equal(nn.grad.conv_bias(y), np.zeros(3))


@pytest.mark.parametrize("dtype", DTYPES + SLOW_DTYPES, ids=str)
def test_bias(dtype, rng):
    y = values(rng, (3, 4, 5, 6), dtype)
    actual = nn.grad.conv_bias(y)
    assert actual.dtype == dtype and actual.shape == (4,)
    wide = y.astype(np.float32) if dtype == BFLOAT16 else y
    if dtype.kind == "b":
        expected = wide.any(axis=(0, 2, 3))
    else:
        expected = wide.sum(axis=(0, 2, 3), dtype=None if dtype.kind in "fcOV" else dtype)
    np.testing.assert_array_equal(actual.astype(wide.dtype), expected)
    np.testing.assert_array_equal(nn.grad.conv_bias(np.moveaxis(y, 1, -1), layout="NHWC"), actual)
    if dtype.kind in "iu":
        assert nn.grad.conv_bias(y, dtype=np.int64).dtype == np.int64


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_same_bits_for_any_threads(dtype, rng):
    x, w = normals(rng, (4, 6, 9, 8), dtype), normals(rng, (4, 3, 3, 3), dtype)
    y = nn.conv2d(x, w, groups=2, stride=2, padding=1)
    options = {"groups": 2, "stride": 2, "padding": 1}
    by_input = nn.grad.conv2d_input(x.shape, w, y, threads=1, **options)
    by_weight = nn.grad.conv2d_weight(x, w.shape, y, threads=1, **options)
    for threads in (2, 3, 4):
        np.testing.assert_array_equal(nn.grad.conv2d_input(x.shape, w, y, threads=threads, **options), by_input)
        np.testing.assert_array_equal(nn.grad.conv2d_weight(x, w.shape, y, threads=threads, **options), by_weight)
    np.testing.assert_array_equal(nn.grad.conv2d_input(x.shape[1:], w, y[2], **options), by_input[2])


@pytest.mark.parametrize("memory", ["C", "channels last", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_wide_layers(dtype, memory, rng):
    """What transforms of tiles serve: many channels, 3 x 3 taps, many outputs."""
    for shape, rows, groups, padding in [
        ((3, 40, 15, 17), 24, 1, 1),
        ((9, 36, 9, 8), 20, 2, 2),
        ((1, 130, 23, 20), 140, 1, 0),
    ]:
        x = LAYOUTS[memory](normals(rng, shape, dtype))
        outputs = tuple(n + 2 * padding - 2 for n in shape[2:])
        y = LAYOUTS[memory](normals(rng, (shape[0], rows, *outputs), dtype))
        options, size = {"padding": padding, "groups": groups}, (rows, shape[1] // groups, 3, 3)
        actual = nn.grad.conv2d_weight(x, size, y, threads=1, **options)
        expected = nn.grad.conv2d_weight(x.astype(float), size, y.astype(float), **options)
        sums = shape[0] * outputs[0] * outputs[1]
        eps = np.finfo(dtype).eps if dtype != np.float16 else np.finfo(np.float32).eps
        rounded = 2e-3 * np.abs(expected) if dtype == np.float16 else 0
        assert (np.abs(actual - expected) <= 4 * eps * sums + rounded).all()
        for threads in (2, 3, 5):
            found = nn.grad.conv2d_weight(x, size, y, threads=threads, **options)
            np.testing.assert_array_equal(found, actual)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_nonfinite_samples_reach_their_taps_alone(bad, rng):
    x, y = normals(rng, (2, 16, 14, 15), np.float32), normals(rng, (2, 16, 14, 15), np.float32)
    assert swiftconv.explain(nn.grad.conv2d_weight, x, (16, 16, 3, 3), y, padding=1).kernel == "F(3x3, 4x4)"
    clean = nn.grad.conv2d_weight(x, (16, 16, 3, 3), y, padding=1)
    x[1, 3, 0, 14] = bad  # under the outputs of its own row and the next, but of no row before
    found = nn.grad.conv2d_weight(x, (16, 16, 3, 3), y, padding=1)
    touched = np.zeros(found.shape, bool)
    touched[:, 3, :2, 1:] = True
    assert not np.isfinite(found[touched]).any()
    np.testing.assert_allclose(found[~touched], clean[~touched], atol=2e-4)


Y = np.ones((2, 3, 5, 3))


@pytest.mark.parametrize("call, words", [
    (lambda: nn.grad.conv2d_input(X.shape, W, Y[:, :2]), ["grad_output", "(2, 2, 5, 3)", "(2, 3, 5, 3)"]),
    (lambda: nn.grad.conv2d_input(X.shape, W, Y[:1]), ["grad_output"]),
    (lambda: nn.grad.conv2d_input(X.shape, W, Y[0]), ["grad_output.ndim=3", "4"]),
    (lambda: nn.grad.conv2d_input(X.shape[1:], W, Y), ["grad_output.ndim=4", "3"]),
    (lambda: nn.grad.conv2d_input((2, 4, 7, 5), W, Y), ["grad_output", "(2, 3, 6, 3)"]),
    (lambda: nn.grad.conv2d_input((2, 5, 6, 5), W, Y), ["weight", "input_size", "4", "5"]),
    (lambda: nn.grad.conv2d_input((2, 4, -6, 5), W, Y), ["input_size", "-6"]),
    (lambda: nn.grad.conv2d_input((2, 0, 6, 5), W, Y), ["input_size", "0"]),
    (lambda: nn.grad.conv2d_input((6, 5), W, Y), ["input_size", "2"]),
    (lambda: nn.grad.conv2d_input(X.shape, W[0], Y), ["weight.ndim=3", "4"]),
    (lambda: nn.grad.conv2d_input(X.shape, W, Y, stride=0), ["stride", "0"]),
    (lambda: nn.grad.conv2d_input(X.shape, W, Y, groups=3), ["groups=3", "4"]),
    (lambda: nn.grad.conv2d_input(X.shape, W, Y, padding=-1), ["padding=-1"]),
    (lambda: nn.grad.conv2d_weight(X, W.shape, Y[:1]), ["grad_output"]),
    (lambda: nn.grad.conv2d_weight(X, (3, 4, 3, 3), Y), ["grad_output", "(2, 3, 4, 3)"]),
    (lambda: nn.grad.conv2d_weight(X, (3, 5, 2, 3), Y), ["weight_size", "5", "4"]),
    (lambda: nn.grad.conv2d_weight(X, (3, 4, 9, 3), Y), ["weight_size", "9", "6"]),
    (lambda: nn.grad.conv2d_weight(X, (3, 4, 0, 3), Y), ["weight_size", "0"]),
    (lambda: nn.grad.conv2d_weight(X, (4, 2, 3), Y), ["weight_size", "3"]),
    (lambda: nn.grad.conv2d_weight(X, W.shape, Y, out=np.zeros((3, 4, 2, 2))), ["out", "(3, 4, 2, 3)"]),
    (lambda: nn.grad.conv_transpose2d_input((2, 3, 5, 3), W, X[:, :, :5]), ["grad_output", "(2, 4, 6, 5)"]),
    (lambda: nn.grad.conv_transpose2d_input((2, 3, 5, 3), W, X, output_padding=1), ["output_padding", "1"]),
    (lambda: nn.grad.conv_transpose2d_weight(Y, (4, 4, 2, 3), X), ["weight_size", "4", "3"]),
    (lambda: nn.grad.conv_bias(np.ones(3)), ["grad_output.ndim=1"]),
    (lambda: nn.grad.conv_bias(Y, layout="NHW"), ["layout='NHW'"]),
])  # fmt: skip
def test_operands_that_disagree(call, words):
    with pytest.raises(ValueError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("call", [
    lambda: nn.grad.conv2d_input("abcd", W, Y), lambda: nn.grad.conv2d_input(4, W, Y),
    lambda: nn.grad.conv2d_input((2, 4, 6.0, 5), W, Y), lambda: nn.grad.conv2d_input(X.shape, W, Y, dtype=int),
    lambda: nn.grad.conv2d_weight(X, None, Y), lambda: nn.grad.conv2d_weight(np.ma.array(X), W.shape, Y),
    lambda: nn.grad.conv2d_input(X.shape, W, Y, padding_mode="reflect"), lambda: nn.grad.conv_bias(Y, dtype=int),
    lambda: nn.grad.conv_bias(Y, layout=3), lambda: nn.grad.conv2d_input(X.shape, W, Y, layout=3),
])  # fmt: skip
def test_type_errors(call):
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value)
