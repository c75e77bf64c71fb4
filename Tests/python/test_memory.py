"""Not a byte outside the arrays, not a MiB beside them, none lost."""

import sys

import numpy as np
import pytest
import subprocesses
import swiftconv

MIB = 2**20


@pytest.mark.parametrize("threads", [1, 3])
def test_guard_pages(threads):
    """Inputs and outputs that touch an unreadable page at either end: what guarded.py says it runs."""
    done = subprocesses.run("import guarded, sys; guarded.main(int(sys.argv[1]))", threads, timeout=120, check=False)
    last = done.stdout.strip().splitlines()[-1:] or ["nothing"]
    assert done.returncode == 0, f"{last[0]}: exit status {done.returncode}\n{done.stderr[-3000:]}"
    assert last[0].startswith("done")


# ---- Peak memory -----------------------------------------------------------------------------------------------------

# `a` and `out` are filled in place before the first reading, so that what the peak grows by is the call's own.
PEAK = """
import resource, sys
import numpy as np
import swiftconv

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
make, options = {cases}[name]
a, v, out = make(batch)
swiftconv.set_num_threads(threads)
# Pages of code and of the interpreter are not the call's: touch them with a call too small to need a workspace.
small = tuple(slice(0, min(n, 2 * k + 3)) for n, k in zip(a.shape[-v.ndim:], v.shape))
few = a[(slice(0, 1),) * (a.ndim - v.ndim) + small]
for _ in range(2):
    swiftconv.correlate(few, v, "same", **dict(options, out=None))
before = peak()
swiftconv.correlate(a, v, "same", out=out, **options)
print(peak() - before)
"""

CASES = """{
    "float32": (lambda b: (full((b, 128, 128), "f4"), ramp((3, 3), "f4"), full((b, 128, 128), "f4")), {}),
    "float64 7x7 reflect": (lambda b: (full((b, 128, 128), "f8"), ramp((7, 7), "f8"), full((b, 128, 128), "f8")), dict(boundary="reflect")),
    "every second element": (lambda b: (full((b, 256, 256), "f4")[:, ::2, ::2], ramp((5, 5), "f4"), full((b, 128, 128), "f4")), {}),
    "fortran": (lambda b: (full((128, 128, b), "f4").transpose(), ramp((3, 3), "f4"), full((128, 128, b), "f4").transpose()), {}),
    "fortran to C": (lambda b: (full((128, 128, b), "f4").transpose(), ramp((3, 3), "f4"), full((b, 128, 128), "f4")), {}),
    "byteswapped": (lambda b: (full((b, 128, 128), ">f4"), ramp((3, 3), "f4"), full((b, 128, 128), "f4")), {}),
    "uint8 to float64": (lambda b: (full((b, 128, 128), "u1"), ramp((3, 3), "u1"), full((b, 128, 128), "f8")), {}),
    "mixed dtypes": (lambda b: (full((b, 128, 128), "i2"), ramp((3, 3), "f4"), full((b, 128, 128), "f4")), {}),
    "float16": (lambda b: (full((b, 128, 128), "f2"), ramp((5, 5), "f2"), full((b, 128, 128), "f2")), {}),
    "complex64 wrap": (lambda b: (full((b, 128, 128), "c8"), ramp((3, 3), "c8"), full((b, 128, 128), "c8")), dict(boundary="wrap")),
    "stride and dilation": (lambda b: (full((b, 128, 128), "f4"), ramp((3, 3), "f4"), full((b, 43, 43), "f4")), dict(stride=3, dilation=4)),
    "separable": (lambda b: (full((b, 128, 128), "f4"), np.outer(ramp(9, "f4"), ramp(9, "f4")), full((b, 128, 128), "f4")), {}),
    "one long signal": (lambda b: (full((b * 16384,), "f8"), ramp((33,), "f8"), full((b * 16384,), "f8")), dict(boundary="symmetric")),
    "one large image": (lambda b: (full((b * 4, 4096), "f4"), ramp((7, 7), "f4"), full((b * 4, 4096), "f4")), {}),
    "wide image": (lambda b: (full((16, b * 1024), "f4"), ramp((5, 5), "f4"), full((16, b * 1024), "f4")), dict(boundary="edge")),
}"""
HELPERS = """
def full(shape, dtype):
    array = np.empty(shape, dtype)
    array.fill(1)
    return array

def ramp(shape, dtype):
    return (np.arange(np.prod(shape)).reshape(shape) % 5 + (np.arange(np.prod(shape)).reshape(shape) == 3)).astype(dtype)
"""
NAMES = [line.split('"')[1] for line in CASES.splitlines() if line.startswith('    "')]


def peak_growth(name, batch, threads):
    code = HELPERS + PEAK.replace("{cases}", CASES)
    return int(subprocesses.run(code, name, batch, threads).stdout)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("threads", [1, 2])
def test_peak_memory_is_below_two_mib_a_thread(name, threads):
    assert peak_growth(name, 400, threads) < 2 * MIB * threads


@pytest.mark.parametrize("name", ["float32", "every second element", "byteswapped", "one large image"])
def test_peak_memory_does_not_grow_with_the_batch(name):
    growth = [peak_growth(name, batch, 2) for batch in (50, 1600)]
    assert growth[1] - growth[0] < MIB // 2


def test_a_new_result_is_all_that_a_call_allocates():
    code = """
    import resource, sys
    import numpy as np, swiftconv
    a = np.empty((500, 128, 128), np.float32); a.fill(1)
    v = np.arange(9, dtype=np.float32).reshape(3, 3)
    swiftconv.correlate(a[:1, :9, :9], v)
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    out = swiftconv.correlate(a, v)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before - out.nbytes)
    """
    assert int(subprocesses.run(code, SWIFTCONV_NUM_THREADS=1).stdout) < 2 * MIB


# ---- Leaks -----------------------------------------------------------------------------------------------------------


def test_no_leak_over_twenty_thousand_calls():
    """Good and failing calls of every kind; resident memory and the interpreter's blocks stay where they are."""
    code = """
    import gc, os, sys
    import numpy as np, swiftconv
    from itertools import cycle

    a = (np.arange(2 * 20 * 31) % 200).astype(np.float32).reshape(2, 20, 31)
    v = np.array([[1, 2, 3], [4, 6, 5]], np.float32)
    x = np.zeros_like(a)
    out = np.zeros((2, 19, 29), np.float32)
    long = np.arange(50, dtype=np.longdouble)

    class Bad:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("no")

    good = [
        lambda: swiftconv.correlate(a, v), lambda: swiftconv.correlate(a, v, out=out),
        lambda: swiftconv.convolve(a.T, v, "same", boundary="wrap"),
        lambda: swiftconv.correlate(a[:, ::2, ::-1], v.tolist(), "same", stride=(1, 2), dilation=[2, 1], axes=(1, 2)),
        lambda: swiftconv.correlate(a.astype(">f4"), v, "full", fillvalue=2.5, threads=2),
        lambda: swiftconv.correlate(x, v, "same", out=x[..., ::-1]),
        lambda: swiftconv.correlate(a.astype(np.uint8), v.astype(np.int8), dtype=np.int16),
        lambda: swiftconv.correlate(long, long[:3], "same"), lambda: swiftconv.convolve([1, 2, 3], [1, 2]),
        lambda: swiftconv.correlate(a, v, method="reference"), lambda: swiftconv.explain(swiftconv.correlate, a, v),
        lambda: swiftconv.set_num_threads(2), lambda: swiftconv.show_config("dicts"),
    ]
    bad = [
        lambda: swiftconv.correlate(a, v, stride=0), lambda: swiftconv.correlate(a, v, "no"),
        lambda: swiftconv.correlate(a, v, boundary="no"), lambda: swiftconv.correlate(a, np.ones((50, 50), "f4")),
        lambda: swiftconv.correlate(a, v, out=out[:1]), lambda: swiftconv.correlate(a, v, out=out.astype(int)),
        lambda: swiftconv.correlate(a, v, dtype=int), lambda: swiftconv.correlate(a, "x"),
        lambda: swiftconv.correlate(Bad(), v), lambda: swiftconv.correlate(a, v, axes=(0, 0)),
        lambda: swiftconv.correlate(a, v, "full", dilation=(1, 2**50)), lambda: swiftconv.correlate(a, v, fillvalue="x"),
        lambda: swiftconv.correlate(np.ma.array(a), v), lambda: swiftconv.correlate(a, v, stride=(1, 2, 3)),
        lambda: swiftconv.correlate(a), lambda: swiftconv.correlate(a, v, method="separable"),
        lambda: swiftconv.correlate(a, np.ones((0, 2), "f4")), lambda: swiftconv.set_num_threads(-3),
    ]

    def batch(calls):
        failures = 0
        functions = cycle(good + bad)
        for _ in range(calls):
            try:
                next(functions)()
            except (ValueError, TypeError, MemoryError, OverflowError, RuntimeError):
                failures += 1
        return failures

    def resident():
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    has_proc = os.path.exists("/proc/self/statm")
    batch(4000)
    gc.collect()
    blocks, memory = sys.getallocatedblocks(), resident() if has_proc else 0
    references = [sys.getrefcount(x) for x in (a, v, out, np.dtype("f4"), np.dtype("f8"))]
    failures = batch(20000)
    gc.collect()
    grown = [sys.getrefcount(x) for x in (a, v, out, np.dtype("f4"), np.dtype("f8"))]
    assert failures > 10000, failures
    print(sys.getallocatedblocks() - blocks, (resident() if has_proc else 0) - memory)
    print(max(abs(now - then) for now, then in zip(grown, references)))
    """
    done = subprocesses.run(code, timeout=120)
    assert not done.stderr, done.stderr[-500:]  # where NumPy reports a dtype that lost its last reference
    lines = done.stdout.splitlines()
    blocks, memory = map(int, lines[0].split())
    assert blocks < 500, f"{blocks} more blocks of the interpreter"
    assert memory < MIB, f"{memory} more bytes resident"
    assert int(lines[1]) < 50, "references to an array or a dtype are kept or lost"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_no_memory_for_a_result_loses_no_dtype(order):
    """NumPy 1.24's empty_like does, and the interpreter dies of it later."""
    a = np.broadcast_to(np.ones((1, 8, 8), np.float32), (2**46, 8, 8)).transpose(order)
    dtype = a.dtype
    before = sys.getrefcount(dtype)
    for _ in range(100):
        with pytest.raises(MemoryError):
            swiftconv.correlate(a, np.ones(1, np.float32), axes=order.index(1))
    assert abs(sys.getrefcount(dtype) - before) < 50


def test_a_result_owns_its_memory_and_lets_go_of_the_input():
    a = np.ones((4, 8, 8), np.float32)
    before = sys.getrefcount(a)
    out = swiftconv.correlate(a, np.ones((3, 3), np.float32))
    assert out.base is None and out.flags.owndata
    assert sys.getrefcount(a) == before
