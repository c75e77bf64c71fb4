"""Run as a program: calls on arrays that end, or begin, at an unreadable page. A byte too far is a SIGSEGV.

Prints each case before it runs, so that the last line names the one that died.
"""

import ctypes
import itertools
import mmap
import sys

import numpy as np
import swiftconv
from reference import BFLOAT16, BOUNDARIES, assert_matches
from samples import values

PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


class Guarded:
    """Memory between two pages that nobody may touch."""

    def __init__(self, capacity):
        self.room = -(-capacity // PAGE) * PAGE
        self.map = mmap.mmap(-1, self.room + 2 * PAGE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        for page in (address, address + PAGE + self.room):
            if libc.mprotect(page, PAGE, 0) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")
        self.bytes = np.frombuffer(self.map, np.uint8)

    def place(self, array, at_end):
        """`array`, with its strides, as close to a guard page as it can lie."""
        array = np.asarray(array)
        low, high = np.lib.array_utils.byte_bounds(array) if hasattr(np.lib, "array_utils") else np.byte_bounds(array)
        extent = high - low
        assert extent <= self.room
        start = PAGE + (self.room - extent if at_end else 0)
        first = array.__array_interface__["data"][0] - low
        view = np.ndarray(array.shape, array.dtype, self.bytes, start + first, array.strides)
        view[...] = array
        return view


def arrangements(array):
    """Views with the same elements, none with memory beyond its first and last element."""
    yield "C", np.ascontiguousarray(array)
    yield "F", np.asfortranarray(array)
    spread = np.zeros([2 * n - 1 for n in array.shape], array.dtype)[tuple(slice(None, None, 2) for _ in array.shape)]
    spread[...] = array
    yield "strided", spread
    flip = (slice(None, None, -1),) * array.ndim
    yield "negative", np.ascontiguousarray(array[flip])[flip]
    order = [*range(1, array.ndim), 0]
    yield "first axis last", np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))
    yield "columns reversed", np.ascontiguousarray(array[..., ::-1])[..., ::-1]
    spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1] - 1), array.dtype)[..., ::2]
    spread[...] = array
    yield "every second column", spread


SHAPES = [
    ((1, 1), (1, 1)), ((1, 7), (1, 3)), ((3, 3), (3, 3)), ((9, 8), (3, 3)), ((8, 19), (2, 5)), ((7, 35), (7, 7)),
    ((13, 66), (3, 2)), ((2, 9, 33), (3, 3)), ((3, 5, 16), (1, 4)), ((20, 5), (9, 1)), ((70,), (3,)), ((131,), (30,)),
    ((2, 4, 5, 17), (2, 2, 3)), ((17, 6, 1), (1, 1)), ((5, 130), (1, 1)),
]  # fmt: skip
DTYPES = [np.float32, np.float64, np.uint8, np.int16, np.int32, np.int64, np.float16, np.complex64, np.complex128, bool]
DTYPES += [BFLOAT16] if BFLOAT16 else []


def options_for(number):
    """A cover of mode, boundary, stride and dilation that moves on with every case."""
    mode = ("valid", "same", "full")[number % 3]
    options = {"boundary": BOUNDARIES[number % 5], "stride": 1 + (number % 7 == 3) + 2 * (number % 11 == 5)}
    if mode != "valid":
        options["dilation"] = 1 + (number % 4 == 1) + 3 * (number % 13 == 2)
    return mode, options


def main(number_of_threads):
    swiftconv.set_num_threads(number_of_threads)
    rng = np.random.default_rng(7)
    input_memory, filter_memory, output_memory = Guarded(1 << 18), Guarded(1 << 16), Guarded(1 << 19)
    number = 0
    for dtype, (shape, window) in itertools.product(DTYPES, SHAPES):
        a, v = values(rng, shape, dtype), values(rng, window, dtype)
        for layout, arranged in arrangements(a):
            number += 1
            mode, options = options_for(number)
            result = swiftconv.correlate(a, v, mode, **options)
            assert_matches(result, "correlate", a, v, mode, **options)
            place_out = dict(arrangements(result))
            out_layout = list(place_out)[number % len(place_out)]
            for at_end in (False, True):
                case = f"{np.dtype(dtype)} {shape} {window} {layout} -> {out_layout} {mode} {options} at_end={at_end}"
                print(case, flush=True)
                x, w = input_memory.place(arranged, at_end), filter_memory.place(v, at_end)
                out = output_memory.place(np.zeros_like(place_out[out_layout]), at_end)
                swiftconv.correlate(x, w, mode, out=out, **options)
                np.testing.assert_array_equal(out, result)
    print(f"done {number}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
