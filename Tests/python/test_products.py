"""dtype x rank x mode x boundary x stride x dilation x layout against the oracle: every pair of choices meets."""

import itertools

import numpy as np
import pytest
import swiftconv
from reference import BOUNDARIES, MODES, OPERATIONS, assert_matches
from samples import BFLOAT16, DTYPES, LAYOUTS, pairwise, permuted, values

# (shape of a, shape of v, axes): rank 1 to 4 slid over, with no, one and several batch axes before, after, between.
GEOMETRIES = [
    ((11,), (4,), None),
    ((3, 37), (5,), None),
    ((37, 3), (5,), 0),
    ((2, 3, 9, 20), (3, 3), None),
    ((9, 20), (3, 3), None),
    ((9, 20, 3), (3, 5), (0, 1)),
    ((9, 4, 20), (2, 4), (2, 0)),
    ((2, 7, 18), (1, 7), None),
    ((2, 18, 7), (7, 1), None),
    ((2, 7, 18), (1, 1), None),
    ((5, 6, 17), (2, 3, 4), None),
    ((2, 5, 6, 17), (3, 1, 2), None),
    ((5, 6, 2, 17), (3, 2, 2), (0, 1, 3)),
    ((4, 3, 5, 9), (2, 2, 3, 3), None),
    ((3, 2, 5, 6), (2, 3), (1, 2)),
    ((1, 1, 1, 1), (1, 1), None),
    ((2, 1, 70), (1, 9), None),
    ((4, 4, 4, 2, 3), (2, 2, 2), (1, 2, 0)),
]
STEPS = [1, 2, 3, "mixed"]
TABLE = {
    "operation": OPERATIONS,
    "geometry": GEOMETRIES,
    "dtype": DTYPES,
    "mode": MODES,
    "boundary": [*BOUNDARIES, "fill 3"],
    "stride": STEPS,
    "dilation": STEPS,
    "layout": list(LAYOUTS),
    "filter layout": ["C", "F", "strided", "negative", "broadcast", "misaligned", "byteswapped"],
    "out": ["new", "C", "F", "strided", "negative"],
}


def per_axis(step, count):
    return tuple(1 + i % 3 for i in range(count)) if step == "mixed" else step


def fits(shape, window, axes, dilation):
    axes = range(len(shape) - len(window), len(shape)) if axes is None else np.atleast_1d(axes)
    dilation = dilation if isinstance(dilation, tuple) else (dilation,) * len(window)
    return all(d * (k - 1) + 1 <= shape[axis] for axis, k, d in zip(axes, window, dilation))


def prepared(case, rng):
    """(a, v, mode, options) of a row of TABLE."""
    shape, window, axes = case["geometry"]
    count = len(window)
    a = LAYOUTS[case["layout"]](values(rng, shape, case["dtype"]))
    v = LAYOUTS[case["filter layout"]](values(rng, window, case["dtype"]))
    options = {"stride": per_axis(case["stride"], count), "dilation": per_axis(case["dilation"], count), "axes": axes}
    mode = case["mode"]
    if mode == "valid" and not fits(shape, window, axes, options["dilation"]):
        options["dilation"] = 1
    options["boundary"], _, fill = case["boundary"].partition(" ")
    if fill:
        options["fillvalue"] = int(fill)
    return a, v, mode, options


def row_name(case):
    shape, window, axes = case["geometry"]
    parts = [case["operation"], shape, window, axes, case["dtype"], case["mode"], case["boundary"], case["stride"]]
    return "-".join(str(part).replace(" ", "") for part in [*parts, case["dilation"], case["layout"], case["out"]])


def run_case(case, rng):
    a, v, mode, options = prepared(case, rng)
    function = getattr(swiftconv, case["operation"])
    before = a.copy(), v.copy()
    actual = function(a, v, mode, **options)
    assert_matches(actual, case["operation"], a, v, mode, **options)
    if case["out"] != "new":
        out = LAYOUTS[case["out"]](np.zeros_like(actual, order="C"))
        assert function(a, v, mode, out=out, **options) is out
        np.testing.assert_array_equal(out, actual)
    np.testing.assert_array_equal(a, before[0])
    np.testing.assert_array_equal(v, before[1])


@pytest.mark.parametrize("case", pairwise(TABLE), ids=row_name)
def test_pairs(case, rng):
    run_case(case, rng)


@pytest.mark.parametrize("seed", range(12))
def test_more_rows_drawn_at_random(seed):
    rng = np.random.default_rng(seed)
    for _ in range(40):
        case = {name: choices[int(rng.integers(len(choices)))] for name, choices in TABLE.items()}
        run_case(case, rng)


# ---- Extents around the tile sizes: 4, 8, 16, 32, 64 lanes, six rows ------------------------------------------------

COLUMNS = sorted({n + d for n in (4, 8, 16, 32, 64) for d in (-1, 0, 1)} | {1, 2, 12, 13, 24, 25, 48, 96, 130})
ROWS = [1, 2, 3, 5, 6, 7, 11, 12, 13, 18, 19]
FILTERS = [(1, 1), (1, 3), (3, 1), (2, 2), (3, 3), (4, 2), (5, 5), (7, 7), (6, 9), (1, 17), (15, 3)]


@pytest.mark.parametrize("window", FILTERS, ids=str)
@pytest.mark.parametrize(
    "dtype", [np.float32, np.float64, np.int16, np.uint8, np.int64, np.complex64, np.float16, bool]
)
def test_output_extents_around_the_tiles(window, dtype, rng):
    """Mode valid with exactly the output extents that end in, at and one past a tile."""
    v = values(rng, window, dtype)
    for i, columns in enumerate(COLUMNS):
        for rows in ROWS[i % 2 :: 2]:
            a = values(rng, (rows + window[0] - 1, columns + window[1] - 1), dtype)
            assert_matches(swiftconv.correlate(a, v), "correlate", a, v, "valid")


@pytest.mark.parametrize("mode, boundary", [("same", "fill"), ("full", "fill"), ("same", "reflect"), ("full", "wrap")])
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.float64])
def test_border_extents_around_the_tiles(mode, boundary, dtype, rng):
    for window in [(3, 3), (5, 4), (1, 8), (8, 1)]:
        v = values(rng, window, dtype)
        for i, columns in enumerate(COLUMNS):
            for rows in ROWS[i % 3 :: 3]:
                a = values(rng, (rows, columns), dtype)
                for operation in OPERATIONS:
                    actual = getattr(swiftconv, operation)(a, v, mode, boundary=boundary)
                    assert_matches(actual, operation, a, v, mode, boundary=boundary)


@pytest.mark.parametrize("layout", ["C", "F", "batch last", "channels last", "strided", "last axis strided"])
@pytest.mark.parametrize("dtype", [np.float32, np.uint16, np.complex128])
def test_batch_extents_around_the_tiles(layout, dtype, rng):
    """The axis along the vectors may be a batch axis."""
    v = values(rng, (3, 2), dtype)
    for batch in [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65]:
        a = LAYOUTS[layout](values(rng, (batch, 7, 5), dtype))
        assert_matches(swiftconv.correlate(a, v, "same"), "correlate", a, v, "same")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("extent", [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, 17, 31, 32, 33])
def test_every_filter_extent(extent, dtype, rng):
    a = values(rng, (2, 40, 45), dtype)
    for window in [(extent, extent), (1, extent), (extent, 1), (extent, 3), (2, extent)]:
        v = values(rng, window, dtype)
        assert_matches(swiftconv.correlate(a, v), "correlate", a, v, "valid")


def test_filters_much_larger_than_the_array(rng):
    for dtype in (np.float32, np.int8, np.complex64):
        a, v = values(rng, (2, 3, 2), dtype), values(rng, (11, 13), dtype)
        for operation, mode, boundary in itertools.product(OPERATIONS, ("same", "full"), BOUNDARIES):
            actual = getattr(swiftconv, operation)(a, v, mode, boundary=boundary)
            assert_matches(actual, operation, a, v, mode, boundary=boundary)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("window", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_origin(operation, window, boundary, rng):
    """Every place where the filter still covers the element that it stands on."""
    anchor = window // 2 if operation == "correlate" else (window - 1) // 2
    a, v = values(rng, (2, 6, 9), np.int32), values(rng, (window, window), np.int32)
    for origin in range(-anchor, window - anchor):
        for stride in (1, 2):
            options = {"boundary": boundary, "origin": (origin, -anchor), "stride": stride}
            actual = getattr(swiftconv, operation)(a, v, "same", **options)
            assert_matches(actual, operation, a, v, "same", **options)


@pytest.mark.parametrize("spelling, boundary", [
    ("fill", "fill"), ("pad", "fill"), ("constant", "fill"),
    ("wrap", "wrap"), ("circular", "wrap"), ("periodic", "wrap"), ("grid-wrap", "wrap"),
    ("symmetric", "symmetric"), ("symm", "symmetric"),
    ("reflect", "reflect"), ("mirror", "reflect"),
    ("edge", "edge"), ("nearest", "edge"), ("replicate", "edge"),
])  # fmt: skip
def test_other_libraries_names_of_the_boundaries(spelling, boundary, rng):
    a, v = values(rng, (4, 5), np.int32), values(rng, (5, 4), np.int32)
    actual = swiftconv.correlate(a, v, "same", boundary=spelling)
    assert_matches(actual, "correlate", a, v, "same", boundary=boundary)


@pytest.mark.parametrize("layout", ["C", "F", "transposed", "channels last", "batch last"])
def test_a_new_result_keeps_the_memory_order(layout, rng):
    a = LAYOUTS[layout](values(rng, (3, 4, 5, 6), np.float32))
    for mode in MODES:
        out = swiftconv.correlate(a, values(rng, (2, 3), np.float32), mode)
        assert out.strides == np.empty_like(a, shape=out.shape).strides
        assert out.flags.owndata and out.flags.writeable


@pytest.mark.parametrize("layout", ["broadcast", "negative", "odd unit strides", "overlapping", "permuted"])
@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (1, 4, 1, 6), (5, 1, 1, 2), (0, 3, 2, 4)])
def test_the_memory_order_is_that_of_empty_like(layout, shape, rng):
    """Equal and zero strides, those of axes of one element, and no elements at all."""
    a = np.ones(shape, np.int16)
    if layout == "permuted":
        a = permuted(a, (2, 0, 3, 1))
    elif a.size:
        a = LAYOUTS[layout](a)
    for view in (a, a.transpose(1, 0, 3, 2), a.T):
        out = swiftconv.correlate(view, np.ones(2, np.int16), "full", axes=int(np.argmax(view.shape)), dtype=np.float32)
        assert out.strides == np.empty_like(view, np.float32, shape=out.shape).strides
        assert out.base is None and out.flags.owndata


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != BFLOAT16])
def test_many_dimensions(dtype, rng):
    """32 axes, most of extent 1; the two that are slid over lie far apart."""
    shape = [1] * 32
    shape[0], shape[3], shape[17], shape[31] = 2, 5, 2, 6
    a, v = values(rng, shape, dtype), values(rng, (2, 3), dtype)
    for mode in MODES:
        actual = swiftconv.correlate(a, v, mode, axes=(3, 31), boundary="wrap")
        assert_matches(actual, "correlate", a, v, mode, axes=(3, 31), boundary="wrap")


def test_a_filter_over_every_one_of_eight_axes(rng):
    a, v = values(rng, (2, 3, 2, 3, 2, 2, 3, 4), np.int64), values(rng, (2, 2, 1, 2, 1, 2, 1, 3), np.int64)
    for mode, boundary in [("valid", "fill"), ("same", "symmetric"), ("full", "edge")]:
        actual = swiftconv.convolve(a, v, mode, boundary=boundary)
        assert_matches(actual, "convolve", a, v, mode, boundary=boundary)
