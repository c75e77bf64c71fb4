"""Time and peak memory of one way to filter, in a process of its own: a peak cannot be taken back.

Run by demo.py: python measure.py PEER CROPS.npy FILTERS.npz THREADS, prints JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Benchmarks"))

from peers import PEERS

ROUNDS = 3


def peak_bytes():
    """The process's largest resident size so far."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent had before this process began
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(prepare, images, window, threads):
    """Best seconds of a few calls; a way that takes seconds is called once."""
    call = prepare(images, window, threads)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
        if best > 1:
            break
    return best


def main():
    peer, images_path, filters_path, threads = sys.argv[1:]
    prepare = PEERS[peer]
    images = np.load(images_path)
    with np.load(filters_path) as archive:
        filters = dict(archive)
    small = images[:1].copy()
    prepare(small, filters[min(filters)], int(threads))()  # imports and first-call costs come before the clock
    before = peak_bytes()
    seconds = {name: measure(prepare, images, window, int(threads)) for name, window in filters.items()}
    print(json.dumps({"seconds": seconds, "extra_bytes": peak_bytes() - before}))


if __name__ == "__main__":
    main()
