"""`explain` says what would run, without running it."""

import numpy as np
import pytest
import swiftconv
from samples import DTYPES, LAYOUTS, values

KEYS = {"algorithm", "kernel", "isa", "input", "output", "vector_axis", "vector_lanes", "tile_rows", "tile_columns",
        "block_rows", "block_columns", "workspace_bytes", "tasks", "threads", "shape", "dtype", "copies"}  # fmt: skip
A, V = np.ones((10, 64, 65), np.float32), np.array([[1, 2, 3], [4, 6, 5]], np.float32)


@pytest.mark.parametrize("function", [swiftconv.correlate, swiftconv.convolve])
@pytest.mark.parametrize("dtype", [*DTYPES, np.dtype(object), np.dtype(np.longdouble)], ids=str)
def test_every_field_of_every_dtype(function, dtype, rng):
    a, v = values(rng, (3, 20, 21), dtype), values(rng, (3, 2), dtype)
    for layout in ("C", "F", "last axis strided", "byteswapped"):
        plan = swiftconv.explain(function, LAYOUTS[layout](a), v, "same", boundary="wrap", stride=(1, 2))
        assert set(plan) >= KEYS
        assert plan["shape"] == (3, 20, 11) and plan["dtype"] == dtype
        assert all(getattr(plan, key) == plan[key] for key in plan)
        printed = str(plan)
        assert function.__name__ in printed
        assert all(key in printed and str(plan[key]) in printed for key in plan)


def test_it_runs_nothing():
    out = np.full((10, 63, 63), 7, np.float32)
    swiftconv.explain(swiftconv.correlate, A, V, out=out)
    assert (out == 7).all()
    enormous = np.broadcast_to(np.ones((), np.float32), (2**40, 64, 64))
    assert swiftconv.explain(swiftconv.correlate, enormous, V)["shape"] == (2**40, 63, 62)


def test_named_methods_are_what_is_explained():
    assert swiftconv.explain(swiftconv.correlate, A, V, method="reference")["algorithm"] == "reference"
    assert swiftconv.explain(swiftconv.correlate, A, V, method="direct")["algorithm"] == "stencil"
    rank_one = np.multiply.outer(np.float32([1, 2, 1]), np.float32([1, 0, -1]))
    assert swiftconv.explain(swiftconv.correlate, A, rank_one, method="separable")["algorithm"] == "separable"


def test_the_algorithm_depends_on_neither_the_batch_nor_the_threads():
    for shape in [(3, 3), (9, 9), (31, 31), (1, 15)]:
        v = np.ones(shape, np.float32)
        plans = [
            swiftconv.explain(swiftconv.correlate, np.ones((batch, 64, 65), np.float32), v, threads=threads)
            for batch in (1, 2, 1000)
            for threads in (1, 2, 7)
        ]
        assert len({(plan["algorithm"], plan["kernel"]) for plan in plans}) == 1


def test_workspace_does_not_grow_with_the_batch():
    """Less than 2 MiB a thread; a few KiB of tables may follow how the work is split."""
    for dtype in DTYPES:
        v = np.ones((5, 5), dtype)
        for layout in ("C", "last axis strided", "byteswapped"):
            arrays = [LAYOUTS[layout](np.ones((batch, 64, 65), dtype)) for batch in (1, 2, 3, 40, 300)]
            sizes = [swiftconv.explain(swiftconv.correlate, a, v)["workspace_bytes"] for a in arrays]
            assert 0 < max(sizes) < 2**21
            assert max(sizes) - min(sizes) < 4096


def test_workspace_does_not_grow_with_the_image():
    for dtype in (np.float32, np.uint8, np.complex128):
        for shape in [(100, 100), (10**6, 100), (100, 10**6), (10**6, 10**6)]:
            for boundary in ("fill", "reflect"):
                a = np.broadcast_to(np.ones((), dtype), shape)
                plan = swiftconv.explain(swiftconv.correlate, a, np.ones((7, 7), dtype), "same", boundary=boundary)
                assert plan["workspace_bytes"] < 2**21


def test_threads_are_those_of_the_call():
    assert swiftconv.explain(swiftconv.correlate, np.ones((1000, 64, 64), np.float32), V, threads=1)["threads"] == 1
    many = swiftconv.explain(swiftconv.correlate, np.ones((1000, 64, 64), np.float32), V, threads=3)["threads"]
    assert many == 3
    assert swiftconv.explain(swiftconv.correlate, np.ones((4, 5), np.float32), V, threads=3)["threads"] == 1


def test_copies_are_named():
    assert swiftconv.explain(swiftconv.correlate, A, V)["copies"] == "none"
    x = np.ones((6, 7))
    assert "out" in swiftconv.explain(swiftconv.correlate, x, np.ones((2, 2)), "same", out=x)["copies"]
    other = np.ones((6, 7))
    assert swiftconv.explain(swiftconv.correlate, x, np.ones((2, 2)), "same", out=other)["copies"] == "none"


def test_the_isa_is_the_one_in_use():
    assert swiftconv.explain(swiftconv.correlate, A, V)["isa"] == swiftconv.show_config("dicts")["swiftconv"]["isa"]


@pytest.mark.parametrize("options, error", [
    ({"stride": 0}, ValueError), ({"mode": "no"}, ValueError), ({"dtype": int}, TypeError), ({"nonsense": 1}, TypeError),
    ({"dilation": 99}, ValueError), ({"method": "separable"}, ValueError), ({"out": np.zeros(3)}, ValueError),
], ids=str)  # fmt: skip
def test_it_raises_what_the_call_would_raise(options, error):
    with pytest.raises(error) as explained:
        swiftconv.explain(swiftconv.correlate, A, V, **options)
    with pytest.raises(error) as called:
        swiftconv.correlate(A, V, **options)
    if "nonsense" not in options:
        assert str(explained.value) == str(called.value)


@pytest.mark.parametrize("function", [np.correlate, None, "correlate", swiftconv.explain, [1]])
def test_only_our_functions_are_explained(function):
    with pytest.raises(TypeError, match="function"):
        swiftconv.explain(function, A, V)
