"""A good citizen: same bits whatever the threads and the batch, safe in threads and forks, stops on Ctrl-C."""

import concurrent.futures
import os
import signal
import sys

import numpy as np
import pytest
import subprocesses
import swiftconv
from reference import BOUNDARIES, MODES
from samples import DTYPES, LAYOUTS, normals

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def bits(array):
    return np.ascontiguousarray(array).tobytes()


# ---- Same bits -----------------------------------------------------------------------------------------------------

PROBLEMS = [((37, 40, 50), (3, 3)), ((5, 130, 90), (7, 7)), ((3, 300, 310), (5, 4)), ((100, 20), (9,)), ((60000,), (31,)),
            ((1, 200, 203), (15, 15)), ((12, 6, 20, 21), (2, 3, 3)), ((64, 33, 35), (1, 11))]  # fmt: skip


@pytest.mark.parametrize("shape, window", PROBLEMS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.complex64, np.int32], ids=str)
def test_the_number_of_threads_changes_no_bit(shape, window, dtype, rng):
    a, v = normals(rng, shape, dtype), normals(rng, window, dtype)
    for i, layout in enumerate(["C", "F", "last axis strided", "byteswapped"]):
        x = LAYOUTS[layout](a)
        options = {"mode": MODES[i % 3], "boundary": BOUNDARIES[(i + len(window)) % 5]}
        results = {bits(swiftconv.correlate(x, v, threads=count, **options)) for count in (1, 2, 3, 7)}
        assert len(results) == 1


@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype.kind in "fcV"], ids=str)
@pytest.mark.parametrize("layout", ["C", "F", "batch last", "channels last", "strided", "negative"])
def test_the_rest_of_the_batch_changes_no_bit(dtype, layout, rng):
    """An item's result is the same among any neighbours, wherever in the batch it lies, and cut out of the batch."""
    item = normals(rng, (30, 41), dtype)
    v = normals(rng, (5, 6), dtype)
    rank_one = np.multiply.outer(normals(rng, 5, dtype), normals(rng, 7, dtype)).astype(dtype)
    for window in (v, rank_one):
        for mode in ("valid", "same"):
            results = set()
            for batch, place in [(2, 1), (3, 0), (9, 4), (16, 3), (33, 32), (100, 7)]:
                images = normals(rng, (batch, 30, 41), dtype)
                images[place] = item
                images = LAYOUTS[layout](images)
                results.add(bits(swiftconv.correlate(images, window, mode)[place]))
                results.add(bits(swiftconv.correlate(images[place], window, mode)))
                results.add(bits(swiftconv.correlate(images[place : place + 1], window, mode)))
                results.add(bits(swiftconv.correlate(images[place // 2 : place + 1], window, mode)[-1]))
            assert len(results) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.complex128], ids=str)
def test_one_item_has_the_bits_that_it_has_in_a_batch(dtype, rng):
    for shape, window in PROBLEMS:
        if len(shape) > 1:
            a, v = normals(rng, shape, dtype), normals(rng, window, dtype)
            whole = swiftconv.correlate(a, v)
            for place in {0, shape[0] // 2, shape[0] - 1}:
                assert bits(whole[place]) == bits(swiftconv.correlate(a[place].copy(), v))


def test_neighbours_that_are_not_finite_change_no_bit(rng):
    images, v = normals(rng, (9, 30, 41), np.float32), normals(rng, (3, 3), np.float32)
    before = swiftconv.correlate(images, v, "same")
    images[4] = np.nan
    images[7, 3] = np.inf
    after = swiftconv.correlate(images, v, "same")
    for place in (0, 1, 2, 3, 5, 6, 8):
        assert bits(after[place]) == bits(before[place])


def test_repeated_calls_and_slices_change_no_bit(rng):
    a, v = normals(rng, (40, 64, 65), np.float32), normals(rng, (7, 5), np.float32)
    whole = swiftconv.correlate(a, v)
    assert bits(swiftconv.correlate(a, v)) == bits(whole)
    assert bits(swiftconv.correlate(a[11:23], v)) == bits(whole[11:23])
    assert bits(swiftconv.correlate(a[::-3], v)) == bits(whole[::-3])
    out = np.zeros_like(whole)
    assert bits(swiftconv.correlate(a, v, out=out)) == bits(whole)
    wide = np.zeros((*whole.shape[:-1], 2 * whole.shape[-1]), np.float32)
    assert bits(swiftconv.correlate(a, v, out=wide[..., ::2])) == bits(whole)


# ---- The number of threads --------------------------------------------------------------------------------------------


def test_set_num_threads_returns_the_old_number():
    default = swiftconv.get_num_threads()
    assert default >= 1
    assert swiftconv.set_num_threads(3) == default
    assert swiftconv.get_num_threads() == 3
    assert swiftconv.set_num_threads(5) == 3
    assert swiftconv.set_num_threads(None) == 5
    assert swiftconv.get_num_threads() == default


def test_threads_is_a_context():
    swiftconv.set_num_threads(4)
    context = swiftconv.threads(2)
    assert swiftconv.get_num_threads() == 4
    with context:
        assert swiftconv.get_num_threads() == 2
        with swiftconv.threads(7):
            assert swiftconv.get_num_threads() == 7
        with context:
            assert swiftconv.get_num_threads() == 2
        assert swiftconv.get_num_threads() == 2
    assert swiftconv.get_num_threads() == 4
    with pytest.raises(ZeroDivisionError), swiftconv.threads(1):
        raise ZeroDivisionError
    assert swiftconv.get_num_threads() == 4


COUNT = "import swiftconv; print(swiftconv.get_num_threads())"


@pytest.mark.parametrize("variables, expected", [
    ({"SWIFTCONV_NUM_THREADS": 3}, 3), ({"OMP_NUM_THREADS": 5}, 5),
    ({"SWIFTCONV_NUM_THREADS": 3, "OMP_NUM_THREADS": 5}, 3), ({"SWIFTCONV_NUM_THREADS": "", "OMP_NUM_THREADS": 5}, 5),
    ({"OMP_NUM_THREADS": "4,2"}, 4), ({"SWIFTCONV_NUM_THREADS": 1}, 1),
], ids=str)  # fmt: skip
def test_the_environment_sets_the_default(variables, expected):
    assert int(subprocesses.run(COUNT, **variables).stdout) == expected


@pytest.mark.parametrize("value", ["0", "-1", "many", "", " ", "-99999999999999999999"])
@pytest.mark.parametrize("variable", ["SWIFTCONV_NUM_THREADS", "OMP_NUM_THREADS"])
def test_nonsense_in_the_environment_is_ignored(variable, value):
    default = int(subprocesses.run(COUNT).stdout)
    assert int(subprocesses.run(COUNT, **{variable: value}).stdout) == default


@pytest.mark.parametrize("variable", ["SWIFTCONV_NUM_THREADS", "OMP_NUM_THREADS"])
def test_an_absurd_number_in_the_environment_is_bounded(variable):
    code = COUNT + "\nassert swiftconv.correlate([[1, 2, 3]] * 500, [1, 1]).tolist() == [[3, 5]] * 500"
    assert 1 <= int(subprocesses.run(code, **{variable: "99999999999999999999"}).stdout) <= 2**16


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity")
def test_the_default_obeys_cpu_affinity():
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n" + COUNT
    assert int(subprocesses.run(code).stdout) == 1
    assert int(subprocesses.run(COUNT).stdout) == len(os.sched_getaffinity(0))


def test_threadpoolctl_knows_the_core():
    threadpoolctl = pytest.importorskip("threadpoolctl", minversion="3.2")
    code = """
    import threadpoolctl, swiftconv
    swiftconv.set_num_threads(3)
    found = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "swiftconv"]
    assert [pool["num_threads"] for pool in found] == [3], found
    with threadpoolctl.threadpool_limits(1):
        assert swiftconv.get_num_threads() == 1
    assert swiftconv.get_num_threads() == 3
    """
    assert threadpoolctl
    subprocesses.run(code)


# ---- Many at once --------------------------------------------------------------------------------------------------


def test_sixteen_python_threads_at_once(rng):
    problems = []
    for i in range(16):
        a, v = normals(rng, (6, 50 + i, 60), np.float32), normals(rng, (3 + i % 4, 5), np.float32)
        problems.append((a, v, {"mode": MODES[i % 3], "boundary": BOUNDARIES[i % 5], "threads": 1 + i % 4}))
    expected = [bits(swiftconv.correlate(a, v, **options)) for a, v, options in problems]

    def work(i):
        a, v, options = problems[i]
        return all(bits(swiftconv.correlate(a, v, **options)) == expected[i] for _ in range(30))

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(16)))


def test_the_gil_is_released():
    """While one Python thread is inside a call, another one runs."""
    code = """
    import threading, numpy as np, swiftconv
    a = np.broadcast_to(np.ones((300, 300), np.float32), (3000, 300, 300))
    out = np.empty((3000, 100, 100), np.float32)
    v = np.arange(201 * 201, dtype=np.float32).reshape(201, 201) % 7
    inside, done, seen = threading.Event(), threading.Event(), []
    def call():
        inside.set()
        try:
            swiftconv.correlate(a[:40], v, out=out[:40], threads=1, method="direct")
        finally:
            done.set()
    worker = threading.Thread(target=call)
    worker.start()
    inside.wait()
    ticks = 0
    while not done.wait(0.001):
        ticks += 1
    worker.join()
    print(ticks)
    """
    assert int(subprocesses.run(code).stdout) > 10


def test_arrays_written_and_dropped_during_a_call_do_no_harm():
    """The caller writes to its arrays and lets go of them while a call reads them: any values, but no crash."""
    code = """
    import threading, numpy as np, swiftconv
    for _ in range(20):
        a, v = np.ones((50, 128, 128), np.float32), np.ones((5, 5), np.float32)
        worker = threading.Thread(target=lambda x, w: swiftconv.correlate(x, w, "same", boundary="wrap"), args=(a, v))
        worker.start()
        v[:] = np.nan
        a[:] = np.inf
        del a, v
        worker.join()
    """
    subprocesses.run(code)


# ---- Fork and exit -------------------------------------------------------------------------------------------------


@needs_fork
def test_fork_while_threads_are_busy():
    code = """
    import os, signal, sys, threading, time, warnings
    import numpy as np, swiftconv
    warnings.simplefilter("ignore")
    a = (np.arange(60 * 90 * 95) % 11).astype(np.float32).reshape(60, 90, 95)
    v = np.array([[1, 2, 3], [4, 6, 5], [7, 8, 1]], np.float32)
    expected = swiftconv.correlate(a, v, threads=3).tobytes()
    stop = False
    def busy():
        while not stop:
            swiftconv.correlate(a, v, threads=2)
    workers = [threading.Thread(target=busy, daemon=True) for _ in range(3)]
    for worker in workers:
        worker.start()
    time.sleep(0.1)
    for attempt in range(15):
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            right = all(swiftconv.correlate(a, v, threads=n).tobytes() == expected for n in (2, 1, 3, 2))
            os._exit(0 if right else 3)
        deadline = time.monotonic() + 25
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                sys.exit(f"child {attempt} hangs")
            time.sleep(0.005)
        if status != 0:
            sys.exit(f"child {attempt}: status {status}")
        assert swiftconv.correlate(a, v, threads=3).tobytes() == expected
    stop = True
    for worker in workers:
        worker.join()
    """
    subprocesses.run(code, timeout=120)


@needs_fork
def test_a_childs_child_computes_and_exits_normally():
    code = """
    import os, sys, warnings
    import numpy as np, swiftconv
    warnings.simplefilter("ignore")
    a, v = np.ones((100, 64, 64), np.float32), np.ones((3, 3), np.float32)
    assert (swiftconv.correlate(a, v, threads=2) == 9).all()
    for generation in range(3):
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        assert (swiftconv.correlate(a, v, threads=2) == 9).all()
        assert swiftconv.set_num_threads(2) >= 1
    """
    subprocesses.run(code)


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_multiprocessing_pools():
    code = """
    import multiprocessing, sys, warnings
    import numpy as np, swiftconv
    warnings.simplefilter("ignore")
    def work(n):
        return float(swiftconv.correlate(np.full((20, 40, 40), n, np.float32), np.ones((3, 3), np.float32), threads=2).sum())
    if __name__ == "__main__":
        expected = [work(n) for n in range(8)]
        with multiprocessing.get_context("fork").Pool(3) as pool:
            assert pool.map(work, range(8)) == expected
    """
    subprocesses.run(code)


@pytest.mark.parametrize("way", ["idle workers", "busy daemon", "sys.exit in a thread's callback"])
def test_exit_with_workers_alive(way):
    code = """
    import sys, threading, time, numpy as np, swiftconv
    a = np.broadcast_to(np.ones((400, 400), np.float32), (3000, 400, 400))
    v = np.arange(201 * 201, dtype=np.float32).reshape(201, 201) % 7
    few, small = a[:20], v[:3, :3]
    swiftconv.correlate(few, small, threads=3)
    def long():
        swiftconv.correlate(a, v, out=np.empty((3000, 200, 200), np.float32), threads=2)
    if sys.argv[1] == "busy daemon":
        threading.Thread(target=long, daemon=True).start()
        time.sleep(0.2)
    elif sys.argv[1] != "idle workers":
        import atexit
        atexit.register(swiftconv.correlate, few, small, threads=2)
        sys.exit(0)
    """
    subprocesses.run(code, way, timeout=20)


# ---- Import --------------------------------------------------------------------------------------------------------


@needs_linux
def test_import_changes_nothing():
    """Signal handlers, threads, floating-point mode, environment, warnings filters, other modules: as before."""
    code = """
    import ctypes, ctypes.util, os, platform, signal, struct, sys, threading, warnings
    import numpy as np
    libm = ctypes.CDLL(ctypes.util.find_library("m") or "libm.so.6")
    def state():
        with open("/proc/self/status") as f:
            status = dict(line.rstrip().split(":", 1) for line in f)
        float_mode = ctypes.create_string_buffer(256)
        libm.fegetenv(float_mode)
        if platform.machine() == "x86_64":  # x87's control word and MXCSR, less the flags that any sum may raise
            control, mxcsr = struct.unpack("<H26xI", float_mode.raw[:32])
            float_mode = control, mxcsr & ~0x3F
        else:
            float_mode = None
        # 32 and 33 are the C library's own, which it begins to catch when a process makes its first thread.
        reserved = 1 << 31 | 1 << 32
        return {
            "handlers": [int(status[name], 16) & ~reserved for name in ("SigCgt", "SigIgn", "SigBlk")],
            "python handlers": [signal.getsignal(s) for s in sorted(signal.valid_signals())],
            "threads": status["Threads"], "python threads": threading.active_count(),
            "rounding": libm.fegetround(),
            "subnormals": float(np.float32(1e-39) * np.float32(0.5)), "float mode": float_mode,
            "environment": dict(os.environ), "directory": os.getcwd(), "umask": status["Umask"],
            "warnings": list(warnings.filters), "errors": np.geterr(), "mask": os.sched_getaffinity(0),
        }
    before, modules = state(), set(sys.modules)
    import swiftconv
    after = state()
    assert before == after, {k: (before[k], after[k]) for k in before if before[k] != after[k]}
    new = {name.partition(".")[0] for name in set(sys.modules) - modules}
    heavy = new & {"scipy", "numba", "torch", "jax", "multiprocessing", "asyncio", "pandas", "matplotlib"}
    assert not heavy, heavy
    swiftconv.correlate(np.ones((4, 5), "f4"), np.ones((2, 2), "f4"))
    tiny = state()
    assert tiny["threads"] == before["threads"], "a tiny call started threads"
    swiftconv.correlate(np.ones((100, 90, 90), "f4"), np.ones((3, 3), "f4"), threads=3)
    last = state()
    for key in set(before) - {"threads"}:
        assert before[key] == last[key], (key, before[key], last[key])
    """
    subprocesses.run(code)


def test_import_in_subinterpreter_threads_and_twice():
    code = """
    import sys, threading
    errors = []
    def load():
        try:
            import swiftconv
            assert swiftconv.correlate([1, 2, 3], [1, 1]).tolist() == [3, 5]
        except BaseException as error:
            errors.append(error)
    workers = [threading.Thread(target=load) for _ in range(8)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    assert not errors, errors
    import importlib, swiftconv
    importlib.reload(swiftconv)
    assert swiftconv.correlate([1, 2, 3], [1, 1]).tolist() == [3, 5]
    """
    subprocesses.run(code)


# ---- ISA levels ------------------------------------------------------------------------------------------------------

ISA = """
import numpy as np, swiftconv
from reference import assert_matches
from samples import DTYPES, LAYOUTS, values
config = swiftconv.show_config("dicts")
rng = np.random.default_rng(3)
for dtype in DTYPES:
    for shape, window in [((2, 9, 35), (3, 3)), ((3, 40), (7,)), ((4, 5, 18), (2, 2, 4)), ((8, 20, 3), (5, 5, 1))]:
        for layout in ("C", "F", "last axis strided", "misaligned"):
            a, v = LAYOUTS[layout](values(rng, shape, dtype)), values(rng, window, dtype)
            for boundary in ("fill", "reflect"):
                actual = swiftconv.correlate(a, v, "same", boundary=boundary)
                assert_matches(actual, "correlate", a, v, "same", boundary=boundary)
print(config["swiftconv"]["isa"])
"""
ORDER = ["baseline", "x86-64-v3", "x86-64-v4", "x86-64-v4-vnni"]


@pytest.mark.parametrize("level", [*ORDER, "arm64"])
def test_every_isa_level_is_right_or_says_why_not(level):
    config = swiftconv.show_config("dicts")["machine"]
    best = config["best isa"]
    here = [best] if best not in ORDER else ORDER[: ORDER.index(best) + 1]
    done = subprocesses.run(ISA, check=level in here, SWIFTCONV_ISA=level)
    if level in here:
        assert done.stdout.strip() == level
    else:
        assert done.returncode != 0
        assert "ImportError" in done.stderr and level in done.stderr.splitlines()[-1]
        assert "SWIFTCONV_ISA" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("level", ["avx9", "X86-64-V3", "x86-64-v3 ", "../../evil", "x" * 5000])
def test_an_unknown_isa_level_is_an_import_error(level):
    done = subprocesses.run("import swiftconv", check=False, SWIFTCONV_ISA=level)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "ImportError" in last and f"SWIFTCONV_ISA={level}" in last
    assert "baseline" in last or "arm64" in last


def test_an_empty_isa_level_is_the_best_one():
    best = swiftconv.show_config("dicts")["machine"]["best isa"]
    assert subprocesses.run(ISA, SWIFTCONV_ISA="").stdout.strip() == best


# ---- Ctrl-C ----------------------------------------------------------------------------------------------------------

INTERRUPT = """
import os, signal, sys, threading, time
import numpy as np, swiftconv

def trouble(seconds):
    def send():
        global sent
        sent = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)
    timer = threading.Timer(seconds, send)
    timer.start()
    return timer

def filter_of(shape, dtype):
    return (np.arange(np.prod(shape)).reshape(shape) ** 2 % 13 - 6).astype(dtype)

call = {call}
small, w = np.ones((3, 9, 9), np.float32), np.arange(9, dtype=np.float32).reshape(3, 3)
expected = swiftconv.correlate(small, w, threads=1).tobytes()
waits = []
for attempt in range(4):
    sent = None
    timer = trouble(0.3 + 0.05 * attempt)
    try:
        call()
    except KeyboardInterrupt:
        waits.append(time.perf_counter() - sent)
    else:
        timer.cancel()
        sys.exit("the call was over before the interrupt, or swallowed it")
    timer.join()
    assert swiftconv.correlate(small, w, threads=1).tobytes() == expected
    assert swiftconv.correlate(small, w, threads=3).tobytes() == expected
print(min(waits), max(waits))
"""
# Arrays of one image seen many times: tens of seconds of work in little memory.
BATCH = "np.broadcast_to(np.ones(({n}, {n}), '{dtype}'), (4000, {n}, {n}))"
LONG_CALLS = {
    "one thread": "swiftconv.correlate({f4}, filter_of((99, 99), 'f4'), out=np.empty((4000, 102, 102), 'f4'), threads=1, method='direct')",
    "two threads": "swiftconv.correlate({f4}, filter_of((99, 99), 'f4'), out=np.empty((4000, 102, 102), 'f4'), threads=2, method='direct')",
    "float64": "swiftconv.correlate({f8}[:1000], filter_of((99, 99), 'f8'), 'same', boundary='wrap', out=np.empty((1000, 200, 200), 'f4'), method='direct')",
    "reference": "swiftconv.correlate({f4}, filter_of((55, 55), 'f4'), out=np.empty((4000, 146, 146), 'f4'), method='reference')",
    "int64 strided": "swiftconv.correlate({i8}[:, ::2, ::-1], filter_of((55, 55), 'i8'), out=np.empty((4000, 46, 146), 'i8'), method='direct')",
    "many calls": "[swiftconv.correlate(x, y) for x, y in [(np.ones((9, 30, 30), 'f4'), filter_of((3, 3), 'f4'))] * 10**7]",
}  # fmt: skip


@pytest.mark.parametrize("name", LONG_CALLS)
def test_ctrl_c_stops_a_long_call(name):
    """Within a tenth of a second, with nothing broken after it; the best of four, for the machine may be busy."""
    arrays = {dtype: BATCH.format(n=200, dtype=dtype) for dtype in ("f4", "f8", "i8")}
    call = "lambda: " + LONG_CALLS[name].format(**arrays)
    done = subprocesses.run(INTERRUPT.replace("{call}", call), timeout=40)
    best, worst = map(float, done.stdout.split())
    assert best < 0.1, f"the fastest of four took {best:.3f} s"
    assert worst < 1.0, f"the slowest of four took {worst:.3f} s"


def test_an_exception_from_another_signals_handler_comes_through():
    code = """
    import signal, time, numpy as np, swiftconv
    class Ring(Exception):
        pass
    def handler(number, frame):
        raise Ring
    signal.signal(signal.SIGALRM, handler)
    a = np.broadcast_to(np.ones((200, 200), "f4"), (4000, 200, 200))
    v = np.arange(99 * 99, dtype="f4").reshape(99, 99) % 7
    out = np.empty((4000, 102, 102), "f4")
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    start = time.perf_counter()
    try:
        swiftconv.correlate(a, v, out=out, method="direct")
    except Ring:
        print(time.perf_counter() - start)
    """
    assert float(subprocesses.run(code, timeout=40).stdout) < 1.3


def test_a_handler_that_returns_lets_the_call_go_on():
    code = """
    import signal, numpy as np, swiftconv
    count = 0
    def handler(number, frame):
        global count
        count += 1
        swiftconv.correlate([1, 2, 3], [1, 1])  # a call inside a call
    signal.signal(signal.SIGALRM, handler)
    a = np.broadcast_to(np.ones((200, 200), "f4"), (200, 200, 200))
    v = np.arange(99 * 99, dtype="f4").reshape(99, 99) % 7
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    out = swiftconv.correlate(a, v, method="direct", threads=1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert (out == v.sum()).all()
    print(count)
    """
    assert int(subprocesses.run(code, timeout=60).stdout) >= 1


def test_an_interrupt_reaches_only_the_main_thread():
    """A long call in another thread is not stopped by Ctrl-C; the main thread is."""
    code = """
    import os, signal, threading, time, numpy as np, swiftconv
    a = np.broadcast_to(np.ones((200, 200), "f4"), (150, 200, 200))
    v = np.arange(99 * 99, dtype="f4").reshape(99, 99) % 7
    results = []
    worker = threading.Thread(target=lambda: results.append(swiftconv.correlate(a, v, method="direct", threads=1)))
    worker.start()
    time.sleep(0.05)
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    except KeyboardInterrupt:
        pass
    worker.join()
    assert (results[0] == v.sum()).all()
    """
    subprocesses.run(code, timeout=60)


def test_sigint_left_alone_when_no_call_runs():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
