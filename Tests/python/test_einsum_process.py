"""einsum as a citizen of its process: guard pages, Ctrl-C, threads, memory."""

import concurrent.futures

import numpy as np
import pytest
import subprocesses
import swiftconv
from samples import values
from test_threads import INTERRUPT, needs_linux


@pytest.mark.parametrize("threads", [1, 2])
@needs_linux
def test_nothing_is_read_or_written_outside(threads):
    """Operands and results that touch an unreadable page at either end: what guarded_einsum.py says it runs."""
    done = subprocesses.run("import guarded_einsum, sys; guarded_einsum.main(int(sys.argv[1]))", threads, check=False)
    assert done.returncode == 0 and "done" in done.stdout, done.stdout[-300:] + done.stderr[-3000:]


# Arrays of one element seen many times: tens of seconds of work in little memory.
ONES = "np.broadcast_to(np.ones((), '{}'), {})"
LONG_CALLS = {
    "a matrix product": ("ij,jk->ik", ["f4", (4000, 2000000)], ["f4", (2000000, 400)]),
    "integers": ("ij,jk->ik", ["i8", (3000, 10**6)], ["i8", (10**6, 300)]),
    "a nest": ("i,j,k->i", ["f8", (10**4,)], ["f8", (10**4,)], ["f8", (10**5,)]),
    "one number": ("i,j,k->", ["f8", (10**4,)], ["f8", (10**4,)], ["f8", (10**4,)]),
    "a sum": ("ij->j", ["f4", (10**9, 1000)]),
    "windows": ("b (y+i) (x+j), i j -> y x", ["f4", (40000, 300, 300)], ["f4", (21, 21)]),
    "channels": ("b c (y+i) (x+j), k c i j -> k y x", ["f4", (40000, 64, 60, 60)], ["f4", (64, 64, 5, 5)]),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG_CALLS)
def test_ctrl_c_stops_a_long_call(name):
    subscripts, *operands = LONG_CALLS[name]
    arrays = ", ".join(ONES.format(*operand) for operand in operands)
    method = ", method='nest'" if name in ("a nest", "one number") else ""
    done = subprocesses.run(
        INTERRUPT.replace("{call}", f"lambda: swiftconv.einsum('{subscripts}', {arrays}{method})"), timeout=20
    )
    best, worst = map(float, done.stdout.split())
    assert best < 0.1, f"the fastest of four took {best:.3f} s"
    assert worst < 1.0, f"the slowest of four took {worst:.3f} s"


def test_sixteen_python_threads_at_once(rng):
    a, b = values(rng, (30, 40), np.int32), values(rng, (40, 50), np.int32)
    images, f = values(rng, (4, 20, 21), np.int32), values(rng, (3, 2), np.int32)
    expected = np.einsum("ij,jk->ki", a, b), swiftconv.einsum("b (y+i) (x+j), i j", images, f)

    def work(number):
        for _ in range(50):
            np.testing.assert_array_equal(swiftconv.einsum("ij,jk->ki", a, b), expected[0])
            np.testing.assert_array_equal(swiftconv.einsum("b (y+i) (x+j), i j", images, f, threads=2), expected[1])
            swiftconv.einsum("ij->" + "ij"[number % 2], a)
            swiftconv.einsum(f"{'abcdefgh'[number % 8]}j->", a)  # recipes come and go

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))


def test_more_texts_than_are_kept(rng):
    a = values(rng, (3,), np.int64)
    for number in range(1200):
        np.testing.assert_array_equal(swiftconv.einsum("i," + " " * (number % 600) + "i->", a, a), a @ a)


@needs_linux
def test_nothing_leaks():
    """Results, recipes, errors and buffers: the process does not grow with calls."""
    code = """
        import resource
        import numpy as np, swiftconv
        a, images, f = np.ones((30, 30)), np.ones((2, 12, 12)), np.ones((3, 3))
        def calls():
            for _ in range(300):
                swiftconv.einsum('ij,jk->ki', a, a)
                swiftconv.einsum('ij,jk->', a, a)
                swiftconv.einsum('ij,jk,kl', a, a, a, optimize=True)
                swiftconv.einsum('ij,jk', a, a, dtype=np.float32, casting='same_kind')
                swiftconv.einsum('b (y+i) (x+j), i j', images, f, padding='same')
                swiftconv.einsum('b (y+i) (x+j), i j', images, f)
                swiftconv.einsum('ij->ji', a), swiftconv.explain(swiftconv.einsum, 'ij,jk', a, a)
                swiftconv.einsum_vjp('ij,jk', [a, a], a)
                for arguments, options in ((('ij', a[0]), {}), (('ij,jk', a, a), {'method': 'direct'}), (('ij,jk', a, a), {'out': a[:3]})):
                    try:
                        swiftconv.einsum(*arguments, **options)
                    except ValueError:
                        pass
                    else:
                        raise AssertionError(arguments)
        calls()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(6):
            calls()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    assert int(subprocesses.run(code).stdout) < 3000
