#!/usr/bin/env python3
"""swiftconv on photographs: several hundred crops through a bank of filters.

    python examples/demo.py [OUTPUT_DIRECTORY]

Checks every result against the einsum over a strided view, shows time and memory beside what NumPy users do today, and
writes a montage of the results.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import swiftconv
from filters import bank
from photographs import crops

USUAL_WAYS = [
    "swiftconv",
    "numpy loop",
    "as_strided + einsum",
    "sliding_window_view + einsum",
    "sliding_window_view + tensordot",
    "scipy.signal loop",
    "scipy.ndimage",
]
MONTAGE_CROPS = (41, 118, 214)


def check(images, filters):
    """Largest difference from the einsum in float64, relative to the largest value, over all filters."""
    worst = 0.0
    for name, window in filters.items():
        result = swiftconv.correlate(images, window)
        for start in range(0, len(images), 32):  # float64 and an einsum: a few crops at a time
            block = images[start : start + 32].astype(np.float64)
            view = np.lib.stride_tricks.sliding_window_view(block, window.shape, axis=(1, 2))
            expected = np.einsum("bijkl,kl->bij", view, window.astype(np.float64))
            error = np.abs(result[start : start + 32] - expected).max() / np.abs(expected).max()
            worst = max(worst, error)
        if not worst < 1e-5:
            sys.exit(f"{name}: differs from the einsum by {worst:.1e}")
    return worst


def measure(images, filters, threads):
    """What measure.py found, by way; each in its own process."""
    script = Path(__file__).with_name("measure.py")
    # glibc raises this threshold as it goes, and then keeps freed arrays: peaks would depend on the order of the calls
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(2**20)}
    results = {}
    with tempfile.TemporaryDirectory() as directory:
        paths = [str(Path(directory, "crops.npy")), str(Path(directory, "filters.npz"))]
        np.save(paths[0], images)
        np.savez(paths[1], **filters)
        for way in USUAL_WAYS:
            command = [sys.executable, str(script), way, *paths, str(threads)]
            run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if run.returncode == 0:
                results[way] = json.loads(run.stdout)
            else:
                reason = run.stderr.strip().splitlines() or [f"ended with status {run.returncode}"]
                print(f"{way}: not measured: {reason[-1]}")
    return results


def print_table(results, filters):
    ours = sum(results["swiftconv"]["seconds"].values())
    width = max(map(len, results))
    print(f"{'milliseconds':{width}}" + "".join(f"{name:>17}" for name in filters) + "    whole bank   extra memory")
    for way, found in results.items():
        seconds = found["seconds"]
        row = "".join(f"{seconds[name] * 1e3:17.1f}" for name in filters)
        total = sum(seconds.values())
        print(f"{way:{width}}{row}{total / ours:12.1f}x{found['extra_bytes'] / 2**20:12.0f} MiB")


def write_montage(images, filters, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from PIL import Image

    chosen = images[list(MONTAGE_CROPS)]
    columns = {"crop": chosen}
    columns.update(
        (name, swiftconv.correlate(chosen, window, mode="same", boundary="reflect")) for name, window in filters.items()
    )
    figure, axes = pyplot.subplots(
        len(chosen), len(columns), figsize=(1.3 * len(columns), 1.3 * len(chosen) + 0.2), dpi=75
    )
    for (name, pictures), column in zip(columns.items(), axes.T):
        column[0].set_title(name, fontsize=7)
        signed = pictures.min() < -0.2 and abs(pictures.mean()) < 0.05  # edges and waves: grey is zero
        low, high = np.percentile(np.abs(pictures), 99.5) * np.array([-1, 1]) if signed else (0, 1)
        for picture, place in zip(pictures, column):
            place.imshow(picture, cmap="gray", vmin=low, vmax=high)
            place.set_axis_off()
    figure.tight_layout(pad=0.3)
    figure.canvas.draw()
    Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("L").save(path, optimize=True)


def main():
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output")
    output.mkdir(parents=True, exist_ok=True)
    images, filters = crops(), bank()
    threads = swiftconv.get_num_threads()
    size = f"{images.shape[1]} x {images.shape[2]}"
    print(f"{len(images)} crops of {size}, {images.dtype}; {threads} threads on {os.cpu_count()} CPUs")
    print(f"largest difference from the einsum in float64, relative: {check(images, filters):.1e}\n")
    print_table(measure(images, filters, threads), filters)
    result = f"{images.nbytes / 2**20:.0f} MiB"
    print(f"\nExtra memory: the process's peak above its size before the calls; a result is some {result} of it.")
    write_montage(images, filters, output / "montage.png")
    print(f"The montage is in {output / 'montage.png'}")


if __name__ == "__main__":
    main()
