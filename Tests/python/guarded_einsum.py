"""Run as a program: contractions whose operands and result end, or begin, at an unreadable page.

Prints each case before it runs, so that the last line names the one that died.
"""

import itertools
import sys

import numpy as np
import swiftconv
from einsum_reference import numpy_einsum
from guarded import DTYPES, Guarded, arrangements
from samples import values

CASES = [
    ("ij,jk->ik", {"i": 7, "j": 9, "k": 35}), ("ij,kj->ki", {"i": 33, "j": 17, "k": 6}), ("bij,bjk->bik", {"b": 3, "i": 16, "j": 16, "k": 16}),
    ("ij,j->i", {"i": 13, "j": 67}), ("ij,i->j", {"i": 13, "j": 67}), ("i,j->ij", {"i": 5, "j": 33}), ("ij->j", {"i": 9, "j": 19}),
    ("ij->i", {"i": 9, "j": 67}), ("iij,j->i", {"i": 5, "j": 33}), ("ij,ij->ij", {"i": 3, "j": 70}),
    ("ij,jk,kl->il", {"i": 3, "j": 5, "k": 4, "l": 18}), ("ij,ij,j->i", {"i": 3, "j": 35}), ("abc,cb->ca", {"a": 6, "b": 7, "c": 17}),
]  # fmt: skip
SUMS = [
    ("b (y+i) (x+j), i j -> b y x", [(2, 9, 20), (3, 2)]), ("n (2*y+i) (x+2*j) c, i j c k -> n y x k", [(2, 7, 9, 5), (3, 2, 5, 9)]),
    ("n c (y+i) (x+j), k c i j -> n k y x", [(1, 3, 8, 18), (5, 3, 3, 3)]), ("(y-i+2), i -> y", [(37,), (3,)]), ("n (y+i) c, i c -> n y c", [(2, 9, 17), (3, 17)]),
]  # fmt: skip


def problems(rng, dtype):
    for subscripts, extents in CASES:
        parts = subscripts.split("->")[0].split(",")
        yield subscripts, [values(rng, tuple(extents[letter] for letter in part), dtype) for part in parts], {}
    for subscripts, shapes in SUMS:
        for padding in ({}, {"padding": "same", "boundary": "reflect"}):
            yield subscripts, [values(rng, shape, dtype) for shape in shapes], padding


def main(number_of_threads):
    swiftconv.set_num_threads(number_of_threads)
    rng = np.random.default_rng(7)
    memory, output_memory = [Guarded(1 << 18) for _ in range(3)], Guarded(1 << 19)
    number = 0
    for dtype in DTYPES:
        for subscripts, operands, options in problems(rng, dtype):
            expected = np.asarray(swiftconv.einsum(subscripts, *operands, method="reference", **options))
            if "(" not in subscripts:
                np.testing.assert_array_equal(expected, numpy_einsum(subscripts, *operands))
            for layouts in itertools.islice(zip(*[itertools.cycle(arrangements(a)) for a in operands]), 6):
                number += 1
                place_out = dict(arrangements(expected))
                out_layout = list(place_out)[number % len(place_out)]
                for at_end in (False, True):
                    print(
                        f"{np.dtype(dtype)} {subscripts} {[name for name, _ in layouts]} -> {out_layout} {options} {at_end}",
                        flush=True,
                    )
                    placed = [place.place(a, at_end) for place, (_, a) in zip(memory, layouts)]
                    out = output_memory.place(np.zeros_like(place_out[out_layout]), at_end)
                    swiftconv.einsum(subscripts, *placed, out=out, **options)
                    np.testing.assert_array_equal(out, expected)
                    np.testing.assert_array_equal(swiftconv.einsum(subscripts, *placed, **options), expected)
    print(f"done {number}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
