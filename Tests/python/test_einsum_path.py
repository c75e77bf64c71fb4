"""einsum over many operands: paths, what a step may cost, and what `explain` says of it."""

import sys
import types

import numpy as np
import pytest
import swiftconv
from samples import DTYPES, values

CHAINS = ["ij,jk,kl->il", "ab,bc,cd,de->ae", "ij,ij,ij->", "abc,bd,ce,a->de", "i,j,k->ijk", "aij,ajk,akl->ail", "ij,jk,ki->",
          "ea,fb,abcd,gc,hd->efgh", "a,ab,bc,c", "ii,ij,jj->i", "A,i,j->", "ij,j,kk->i"]  # fmt: skip


def operands_of(rng, subscripts, dtype, extent):
    inputs = subscripts.split("->")[0].split(",")
    return [values(rng, (extent,) * len(part), dtype) for part in inputs]


@pytest.mark.parametrize("subscripts", CHAINS)
def test_every_way_of_choosing_a_path(subscripts, rng):
    for dtype in (np.int64, np.float64, np.int8, bool):
        operands = operands_of(rng, subscripts, dtype, 3)
        expected = np.einsum(subscripts, *operands)
        count = len(operands)
        paths = [False, True, None, "greedy", "optimal", ("greedy", 10), ("optimal", 1e6), ["einsum_path", tuple(range(count))],
                 ["einsum_path", *[(0, 1)] * (count - 1)], ["einsum_path", (0,), *[(0, 1)] * (count - 1), (0,)],
                 ["einsum_path", *[[-1 + count - k, 0] for k in range(count - 1)]]]  # fmt: skip
        for optimize in paths:
            result = swiftconv.einsum(subscripts, *operands, optimize=optimize)
            np.testing.assert_array_equal(result, expected, str(optimize))


@pytest.mark.parametrize("subscripts", CHAINS)
def test_by_default_pairs_and_sums_within_operands_come_first_where_that_pays(subscripts, rng):
    for extent in (2, 11):
        operands = operands_of(rng, subscripts, np.int32, extent if subscripts != CHAINS[7] else 5)
        expected = np.einsum(subscripts, *operands, optimize=True)
        for _ in range(2):
            np.testing.assert_array_equal(swiftconv.einsum(subscripts, *operands), expected)


def test_what_the_default_is():
    small, large = np.ones((3, 3)), np.ones((100, 100))
    explain = swiftconv.explain
    assert len(explain(swiftconv.einsum, "ij,jk,kl", small, small, small).steps) == 1
    plan = explain(swiftconv.einsum, "ij,jk,kl", large, large, large)
    assert len(plan.steps) == 2 and plan.temporary_bytes == large.nbytes
    assert len(explain(swiftconv.einsum, "ij,ij,ij->ij", large, large, large).steps) == 1
    within = explain(swiftconv.einsum, "ij,jk->k", large, large)
    assert [step.split(":")[0] for step in within.steps] == ["ij->j", "j,jk->k"] or len(within.steps) == 2
    assert within.temporary_bytes == 800
    assert len(explain(swiftconv.einsum, "ij,kl->", large, large).steps) == 3
    assert len(explain(swiftconv.einsum, "ij,jk,kl", large, large, large, method="nest").steps) == 1


def test_sums_within_operands(rng):
    for subscripts in ("ij,jk->k", "ij,kl->", "ijk,k,l->j", "ij,jk,l->k"):
        for dtype in DTYPES:
            operands = operands_of(rng, subscripts, dtype, 1)
            extent = 40 if dtype.kind in "biu" else 12
            operands = [
                np.resize(values(rng, operand.size * 2, dtype), (extent,) * operand.ndim) for operand in operands
            ]
            actual = swiftconv.einsum(subscripts, *operands)
            if dtype.kind in "biu":
                np.testing.assert_array_equal(actual, np.einsum(subscripts, *operands))
            else:
                wide = [operand.astype(np.complex128) for operand in operands]
                size = np.einsum(subscripts, *[np.abs(operand) for operand in wide])
                eps = 2.0**-7 if dtype.itemsize == 2 else 1e-5
                assert (np.abs(actual.astype(np.complex128) - np.einsum(subscripts, *wide)) <= eps * size).all()


def test_calls_that_were_made_before_are_told_apart(rng):
    """Texts, options, shapes, strides and dtypes in turn: each call is as if it were the first."""
    images, f = values(rng, (3, 8, 8), np.float32), values(rng, (3, 3), np.float32)
    variants = [
        ("b (y+i) (x+j), i j", array, taps, {"padding": padding, "boundary": boundary, "order": order})
        for array in (images, images[::-1], images.astype(np.float64), images[:, :, ::2], images.astype(">f4"), images[:2])
        for taps in (f, f.T, f[:2])
        for padding in (None, "same", {"y": 1}, {"y": (1, 0)}, {"y": 1, "x": 1}, {}, {"x": (0, 1), "y": "same"})
        for boundary in ("fill", "wrap")
        for order in ("K", "F")
    ]  # fmt: skip
    first = [swiftconv.einsum(text, a, taps, **options) for text, a, taps, options in variants]
    for number in rng.permutation(len(variants)):
        text, a, taps, options = variants[number]
        again, alone = (
            swiftconv.einsum(text, a, taps, **options),
            swiftconv.einsum(text, a, taps, casting="same_kind", **options),  # is never repeated
        )
        assert (
            again is not first[number] and again.dtype == first[number].dtype and again.strides == first[number].strides
        )
        np.testing.assert_array_equal(again, first[number])
        np.testing.assert_array_equal(again, alone)


def test_long_paths_are_repeated(rng):
    operands = [values(rng, (30, 30), np.int64) for _ in range(5)]
    expected = np.einsum("ab,bc,cd,de,ef->fa", *operands, optimize=True)
    for _ in range(3):
        for optimize in (False, True):
            actual = swiftconv.einsum("ab,bc,cd,de,ef->fa", *operands, optimize=optimize)
            np.testing.assert_array_equal(actual, expected)
        assert swiftconv.einsum("ab,bc,cd,de,ef->", *operands, optimize=True) == expected.sum()
        with pytest.raises(TypeError):
            swiftconv.einsum("ab,bc,cd,de,ef->", *operands, optimize=1)


def test_two_operands_have_one_path(rng):
    a, b, out = values(rng, (3, 4), np.int64), values(rng, (4, 5), np.int64), np.zeros((3, 5), np.int64)
    for optimize in (True, False, "greedy", True):
        np.testing.assert_array_equal(swiftconv.einsum("ij,jk", a, b, optimize=optimize), a @ b)
        assert swiftconv.einsum("ij,jk", a, b, optimize=optimize, out=out) is out
        np.testing.assert_array_equal(out, a @ b)
        out[...] = 0


def test_a_path_may_be_broadcast(rng):
    a, b, c = values(rng, (40, 1), np.int64), values(rng, (50, 30), np.int64), values(rng, (1, 60), np.int64)
    expected = np.einsum("ij,jk,kl->il", np.repeat(a, 50, 1), b, np.repeat(c, 30, 0))
    for optimize in (False, True, "optimal"):
        np.testing.assert_array_equal(swiftconv.einsum("ij,jk,kl->il", a, b, c, optimize=optimize), expected)


@pytest.mark.parametrize(
    "optimize", [3.5, 0, 1, [], [(0, 1)], ["einsum_path"], ["einsum_path", (0, 3)], ["einsum_path", (0, 1)], {}, "nonsense", b"greedy",
                 ["einsum_path", 3], ["einsum_path", (0, 1), (0, 1), (0, 1)], ("greedy", "x"), ("greedy",), ["einsum_path", ("a", 0)]]
)  # fmt: skip
def test_paths_that_are_none(optimize):
    a = np.ones((2, 2))
    for subscripts, operands in (("ij,jk,kl->il", (a, a, a)), ("ij,jk->ik", (a, a))):
        try:
            np.einsum(subscripts, *operands, optimize=optimize)
        except Exception as error:
            with pytest.raises((type(error), ValueError, TypeError, RuntimeError)):
                swiftconv.einsum(subscripts, *operands, optimize=optimize)
        else:
            assert (
                swiftconv.einsum(subscripts, *operands, optimize=optimize) == np.einsum(subscripts, *operands)
            ).all()


def test_names_of_opt_einsum(monkeypatch, rng):
    a = values(rng, (3, 3), np.int64)
    asked = []

    def contract_path(subscripts, *shapes, shapes_=None, optimize, memory_limit, **options):
        asked.append((subscripts, shapes, optimize, memory_limit))
        return [(1, 2), (0, 1)], "described"

    monkeypatch.setitem(sys.modules, "opt_einsum", types.SimpleNamespace(contract_path=contract_path))
    actual = swiftconv.einsum("ij,jk,kl->il", a, a, a, optimize=["branch-2"][0] + "x")
    np.testing.assert_array_equal(actual, np.einsum("ij,jk,kl->il", a, a, a))
    assert asked and asked[0][1:] == (((3, 3),) * 3, "branch-2x", None)


def test_einsum_path_is_numpys(rng):
    a, b, c = np.ones((2, 8)), np.ones((8, 9)), np.ones((9, 3))
    for optimize in (True, False, "greedy", "optimal", ("greedy", 100), ["einsum_path", (0, 1), (0, 1)]):
        assert swiftconv.einsum_path("ij,jk,kl->il", a, b, c, optimize=optimize) == np.einsum_path(
            "ij,jk,kl->il", a, b, c, optimize=optimize
        )
    assert swiftconv.einsum_path(a, [0, 1], b, [1, 2], c, [2, 3]) == np.einsum_path(a, [0, 1], b, [1, 2], c, [2, 3])
    with pytest.raises(ValueError):
        swiftconv.einsum_path("ij,jk", a, c)
    path, text = swiftconv.einsum_path(
        "a (y+i), i j, j k, k -> a y", np.ones((3, 300)), np.ones((5, 40)), np.ones((40, 6)), np.ones(6)
    )
    assert path[0] == "einsum_path" and len(path) == 4
    assert "ij,jk,k->ay" in text


# ---- explain -------------------------------------------------------------------------------------------------------

KEYS = {"algorithm", "kernel", "isa", "input", "output", "vector_axis", "vector_lanes", "tile_rows", "tile_columns",
        "block_rows", "block_columns", "workspace_bytes", "tasks", "threads", "shape", "dtype", "copies", "steps",
        "temporary_bytes"}  # fmt: skip


@pytest.mark.parametrize("dtype", [*DTYPES, np.dtype(object), np.dtype(np.longdouble)], ids=str)
def test_every_field_of_every_dtype(dtype, rng):
    a, b = values(rng, (30, 20), dtype), values(rng, (20, 10), dtype)
    for arguments, shape in [(("ij,jk->ki", a, b), (10, 30)), (("ij->ji", a), (20, 30)), (("(y+i) j, i -> y j", a, b[:3, 0]), (28, 20)),
                             (("ij,jk,kl", a, b, a.T[:10]), (30, 30)), (("ij->", a), ()), ((a, [0, 1], b, [1, 2]), (30, 10))]:  # fmt: skip
        plan = swiftconv.explain(swiftconv.einsum, *arguments)
        assert set(plan) == KEYS
        assert plan.shape == shape and plan.dtype == dtype
        assert "einsum" in str(plan)


def test_it_runs_nothing_and_says_what_is_copied(rng):
    a, b = np.ones((30, 30), np.float32), np.ones((30, 30), np.float32)
    out = np.full((30, 30), 7, np.float32)
    plan = swiftconv.explain(swiftconv.einsum, "ij,jk->ik", a, b, out=out)
    assert (out == 7).all() and plan.copies == "none" and plan.temporary_bytes == 0
    assert "operands[1]" in swiftconv.explain(swiftconv.einsum, "ij,jk->ik", a, b, out=b).copies
    padded = swiftconv.explain(swiftconv.einsum, "(y+i) (y+j), i j -> y", a, b, padding={"y": 1})
    assert "operands[0] padded" in padded.copies and padded.temporary_bytes >= 32 * 32 * 4
    convolved = swiftconv.explain(swiftconv.einsum, "(y+i) (x+j), i j -> y x", a, b[:3, :3], padding="same")
    assert convolved.copies == "none" and convolved.temporary_bytes == 0
    assert swiftconv.explain(swiftconv.einsum, "ij->ji", a).algorithm == "view"
    assert swiftconv.explain(swiftconv.einsum, "ij,jk", a[:0], b).algorithm == "none"
    enormous = np.broadcast_to(np.float32(1), (2**30, 64, 64))
    assert swiftconv.explain(swiftconv.einsum, "bij->b", enormous).shape == (2**30,)


def test_windows_are_known_by_their_strides(rng):
    images, f = np.ones((10, 64, 64), np.float32), np.ones((5, 5), np.float32)
    slid = np.lib.stride_tricks.sliding_window_view(images, (5, 5), (1, 2))
    correlated = swiftconv.explain(swiftconv.correlate, images, f)
    for arguments in [
        ("bmnpq,pq->bmn", slid, f),
        ("pq,bmnpq->bmn", f, slid),
        ("b (m+p) (n+q), p q -> b m n", images, f),
    ]:
        assert swiftconv.explain(swiftconv.einsum, *arguments).algorithm == correlated.algorithm


@pytest.mark.parametrize(
    "subscripts", ["b (y+i) (x+j), i, j -> b y x", "i, b (y+i) (x+j), j -> b y x", "byxij,i,j->byx"]
)
def test_factors_of_a_filter_are_multiplied_first(subscripts, rng):
    images, rows, columns = rng.integers(-3, 4, (3, 40, 50)), rng.integers(-3, 4, 7), rng.integers(-3, 4, 5)
    view = np.lib.stride_tricks.sliding_window_view(images, (7, 5), axis=(1, 2))
    operands = [rows, images, columns] if subscripts.startswith("i") else [images, rows, columns]
    if "(" not in subscripts:
        operands[0] = view
    expected = np.einsum("byxij,i,j->byx", view, rows, columns)
    np.testing.assert_array_equal(swiftconv.einsum(subscripts, *operands), expected)
    plan = swiftconv.explain(swiftconv.einsum, subscripts, *operands)
    assert len(plan.steps) == 2 and plan.temporary_bytes == 7 * 5 * 8
    assert "stencil" in plan.steps[-1]
