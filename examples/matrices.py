#!/usr/bin/env python3
"""The figures of docs/matrices.md: convolutions as the matrices that they are.

    python examples/matrices.py [OUTPUT_DIRECTORY]

Writes a PNG file for each.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
from swiftconv.linalg import ConvOperator, conv_matrix, spy, unroll_input, unroll_kernel

matplotlib.use("Agg")
from matplotlib import pyplot

TAPS = np.array([1, 2, 3])
FILTER = np.array([[1, 2], [3, 4]])
IMAGE = np.arange(1, 10).reshape(3, 3)


def one_axis(figure):
    """[1, 2, 3] on 4 samples: three modes, and around the end."""
    axes = figure.subplots(1, 4)
    for ax, mode in zip(axes, ("full", "valid", "same")):
        spy(conv_matrix(TAPS, 4, mode), ax=ax).set_title(f"{mode}: Toeplitz")
    spy(conv_matrix(TAPS, 4, "same", boundary="wrap"), ax=axes[3]).set_title("wrap: circulant")


def two_axes(figure):
    """A 2 x 2 filter on a 3 x 3 image."""
    axes = figure.subplots(1, 3)
    for ax, mode in zip(axes, ("full", "valid", "same")):
        title = "same, wrap: BCCB" if mode == "same" else f"{mode}: BTTB"
        spy(ConvOperator(FILTER, (3, 3), mode, boundary="wrap" if mode == "same" else "fill"), ax=ax).set_title(title)


def options(figure):
    """What boundaries, strides and dilations make of 3 taps."""
    cases = {
        "symmetric": {"boundary": "symmetric"},
        "reflect": {"boundary": "reflect"},
        "edge": {"boundary": "edge"},
        "stride 2": {"stride": 2},
        "dilation 2": {"dilation": 2},
    }
    for ax, (title, case) in zip(figure.subplots(1, len(cases)), cases.items()):
        spy(conv_matrix(TAPS, 7, "same", **case), ax=ax).set_title(title)


def layer(figure):
    """Two channels to two: a dense layer, and one with groups."""
    weight = np.arange(1, 17).reshape(2, 2, 2, 2)
    left, right = figure.subplots(1, 2)
    common = {"channels": 2, "operation": "correlate"}
    spy(ConvOperator(weight, (3, 3), "valid", **common), ax=left).set_title("2 channels to 2")
    spy(ConvOperator(weight[:, :1], (3, 3), "valid", groups=2, **common), ax=right).set_title("groups=2")


def unrollings(figure):
    """The filter unrolled beside the image unrolled."""
    left, right = figure.subplots(1, 2, width_ratios=(9, 4))
    spy(unroll_kernel(FILTER, IMAGE.shape), blocks=(2, 3), ax=left).set_title("unroll_kernel")
    spy(unroll_input(IMAGE, FILTER.shape), ax=right).set_title("unroll_input")
    right.set(xlabel="taps")


def large(figure):
    """Entries as points, of an operator whose matrix is never made."""
    bell = np.exp(-np.square(np.arange(-3, 4)) / 4)
    spy(ConvOperator(np.outer(bell, bell), (24, 24), "same", boundary="wrap"), ax=figure.subplots())


FIGURES = {
    "matrix-1d": (one_axis, (11, 4)),
    "matrix-2d": (two_axes, (12, 6)),
    "matrix-options": (options, (15, 4)),
    "matrix-layer": (layer, (12, 5)),
    "matrix-unrollings": (unrollings, (7, 4)),
    "matrix-points": (large, (8, 8)),
}


def main():
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output")
    output.mkdir(parents=True, exist_ok=True)
    for name, (draw, size) in FIGURES.items():
        figure = pyplot.figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(output / f"{name}.png", dpi=80)
        pyplot.close(figure)
    print(f"The figures of docs/matrices.md are in {output}: {', '.join(FIGURES)}")


if __name__ == "__main__":
    main()
