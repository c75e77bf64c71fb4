"""Random shapes, strides and options against the oracle; hypothesis shrinks what fails."""

import numpy as np
import pytest
import swiftconv

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from reference import BOUNDARIES, MODES, OPERATIONS, assert_matches, dilated_extent  # noqa: E402
from samples import DTYPES, values  # noqa: E402

moderate = settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@st.composite
def views(draw, dtype, shape):
    """An array of `shape` cut out of a buffer with any steps, any order of axes, perhaps repeated, perhaps odd."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ndim = len(shape)
    order = draw(st.permutations(range(ndim)))
    steps = [draw(st.sampled_from([1, 1, 1, 2, 3, -1, -2])) for _ in shape]
    repeated = [draw(st.integers(0, 9)) == 0 for _ in shape]
    # The buffer's axes lie in memory in `order`; each is long enough for its steps, or 1 where it is repeated.
    stored = [1 if again else n * abs(step) + draw(st.integers(0, 2)) for n, step, again in zip(shape, steps, repeated)]
    buffer = values(rng, [stored[axis] for axis in order], dtype)
    if draw(st.booleans()):
        raw = np.zeros(buffer.nbytes + 3, np.uint8)
        shifted = np.ndarray(buffer.shape, dtype, raw, draw(st.integers(0, 3)))
        shifted[...] = buffer
        buffer = shifted
    view = buffer.transpose(np.argsort(order)) if ndim else buffer
    for axis, (n, step, again) in enumerate(zip(shape, steps, repeated)):
        if not again:
            cut = slice(None, None, step) if step > 0 else slice(n * -step - 1, None, step)
            view = view[(slice(None),) * axis + (cut,)]
            view = view[(slice(None),) * axis + (slice(0, n),)]
    return np.broadcast_to(view, shape)


@st.composite
def problems(draw):
    dtype = draw(st.sampled_from(DTYPES))
    ndim = draw(st.integers(1, 4))
    window_ndim = draw(st.integers(1, min(3, ndim)))
    longest = [80, 24, 9, 6][ndim - 1]
    shape = [draw(st.integers(1, longest)) for _ in range(ndim)]
    axes = draw(st.one_of(st.none(), st.permutations(range(ndim)).map(lambda p: tuple(p[:window_ndim]))))
    used = axes if axes is not None else range(ndim - window_ndim, ndim)
    window = [draw(st.integers(1, [20, 7, 4][window_ndim - 1])) for _ in range(window_ndim)]
    mode = draw(st.sampled_from(MODES))
    options = {"boundary": draw(st.sampled_from(BOUNDARIES)), "axes": axes}
    options["stride"] = draw(st.one_of(st.integers(1, 4), st.tuples(*[st.integers(1, 5)] * window_ndim)))
    dilation = [draw(st.sampled_from([1, 1, 1, 2, 3, 7])) for _ in window]
    if mode == "valid":
        for i, axis in enumerate(used):
            window[i] = min(window[i], shape[axis])
            dilation[i] = min(dilation[i], (shape[axis] - 1) // max(window[i] - 1, 1)) or 1
    options["dilation"] = tuple(dilation)
    operation = draw(st.sampled_from(OPERATIONS))
    if mode == "same" and draw(st.booleans()):
        extents = [dilated_extent(k, d) for k, d in zip(window, dilation)]
        anchors = [k // 2 if operation == "correlate" else (k - 1) // 2 for k in extents]
        options["origin"] = tuple(draw(st.integers(-o, k - 1 - o)) for o, k in zip(anchors, extents))
    if draw(st.booleans()):
        options["fillvalue"] = draw(st.integers(0, 3))
    a, v = draw(views(dtype, tuple(shape))), draw(views(dtype, tuple(window)))
    if ndim == 1 and window[0] > shape[0] and axes is None:
        options["axes"] = 0  # NumPy's swap is for the twins
    return operation, a, v, mode, options


@moderate
@given(problems(), st.sampled_from(["auto", "auto", "direct", "reference"]), st.sampled_from([1, 2, 3]))
def test_any_problem(problem, method, threads):
    operation, a, v, mode, options = problem
    actual = getattr(swiftconv, operation)(a, v, mode, method=method, threads=threads, **options)
    assert_matches(actual, operation, a, v, mode, **options)


@moderate
@given(problems(), st.data())
def test_any_out(problem, data):
    operation, a, v, mode, options = problem
    function = getattr(swiftconv, operation)
    expected = function(a, v, mode, **options)
    shape = expected.shape
    order = data.draw(st.permutations(range(len(shape))))
    steps = [data.draw(st.sampled_from([1, 1, 2, -1, -3])) for _ in shape]
    buffer = np.zeros([shape[axis] * abs(steps[axis]) + 1 for axis in order], expected.dtype)
    whole = buffer.transpose(np.argsort(order))
    out = whole[tuple(slice(1, None, s) if s > 0 else slice(n * -s, 0, s) for n, s in zip(shape, steps))]
    assert out.shape == shape
    assert function(a, v, mode, out=out, **options) is out
    np.testing.assert_array_equal(out, expected)
    out[...] = 0
    assert not buffer.any()


@moderate
@given(st.data())
def test_any_overlap(data):
    """Input and output are two windows on one buffer."""
    rows, columns = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 40))
    dtype = data.draw(st.sampled_from([np.int32, np.uint8, np.float64]))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    buffer = values(rng, 4 * rows * columns + 200, dtype)

    def window():
        start = data.draw(st.integers(0, 100))
        row, column = data.draw(st.sampled_from([(columns, 1), (1, rows), (2 * columns, 2), (columns + 3, 1)]))
        view = np.ndarray(
            (rows, columns), dtype, buffer, start * buffer.itemsize, (row * buffer.itemsize, column * buffer.itemsize)
        )
        return view[:: data.draw(st.sampled_from([1, -1])), :: data.draw(st.sampled_from([1, -1]))]

    a, out = window(), window()
    v = values(rng, (data.draw(st.integers(1, 3)), data.draw(st.integers(1, 5))), dtype)
    before = a.copy()
    swiftconv.correlate(a, v, "same", boundary="wrap", out=out)
    assert_matches(out, "correlate", before, v, "same", boundary="wrap")


@moderate
@given(
    st.lists(st.integers(-3, 3), max_size=3)
    | st.integers(-(2**65), 2**65)
    | st.none()
    | st.floats()
    | st.text(max_size=3),
    st.sampled_from(
        ["stride", "dilation", "axes", "origin", "threads", "mode", "boundary", "fillvalue", "dtype", "method", "out"]
    ),
    st.sampled_from(["valid", "same"]),
)
def test_any_rubbish(value, name, mode):
    """Whatever an option holds: a result or a clean exception with a message."""
    options = {"mode": mode, name: value}
    if name == "threads" and isinstance(value, int) and value > 64:
        options["threads"] = 64 + value % 2**33  # a thread for each of 2**65 would be no test of the parser
    try:
        out = swiftconv.correlate(np.ones((5, 6)), np.ones((2, 2)), options.pop("mode"), **options)
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        assert str(error)
    else:
        assert isinstance(out, np.ndarray)
