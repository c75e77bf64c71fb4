#!/usr/bin/env python3
"""Draws the diagrams of docs/: python scripts/draw_diagrams.py

Colours and numbers are elements of arrays that swiftconv rearranged, so that a diagram shows what a function does.
"""

from pathlib import Path

import numpy as np
from swiftconv import nn
from swiftconv.windows import patchify

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
INK, PALE, LINE = "#1f2328", "#ffffff", "#8c959f"
CHANNELS = ((222, 98, 84), (88, 166, 92), (84, 128, 214))  # red, green, blue
WINDOWS = ((240, 196, 88), (128, 190, 170), (168, 160, 220), (232, 152, 160))


class Drawing:
    """Shapes in pixels, from the left and from the top."""

    def __init__(self, width, height):
        self.size = width, height
        self.shapes = [f'<rect width="{width}" height="{height}" fill="{PALE}"/>']

    def cell(self, x, y, width, height, colour, label="", size=11):
        shade = "#{:02x}{:02x}{:02x}".format(*map(int, colour))
        self.shapes.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{shade}" stroke="{PALE}" stroke-width="1"/>'
        )
        if label != "":
            self.text(x + width // 2, y + height // 2 + size // 3 + 1, label, size, "middle")

    def frame(self, x, y, width, height, thickness=2):
        self.shapes.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="{INK}" '
            f'stroke-width="{thickness}"/>'
        )

    def text(self, x, y, words, size=12, anchor="start", halo=False):
        place = f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}"'
        if halo:
            self.shapes.append(f'{place} stroke="{PALE}" stroke-width="4">{words}</text>')
        self.shapes.append(f"{place}>{words}</text>")

    def arrow(self, x0, x1, y):
        self.shapes.append(f'<path d="M{x0} {y}H{x1}m-6 -4l6 4l-6 4" fill="none" stroke="{LINE}" stroke-width="2"/>')

    def svg(self):
        width, height = self.size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" fill="{INK}">'
        )
        return "\n".join([head, *self.shapes, "</svg>", ""])


def picture():
    """12 x 16 pixels: a sun over a hill, in colours that tell places apart."""
    y, x = np.mgrid[0:12, 0:16]
    image = np.stack([120 + 6 * x, 170 - 3 * x + 2 * y, 235 - 8 * y], -1)
    image[(x - 11) ** 2 + (y - 3) ** 2 <= 6] = (250, 208, 70)
    hill = 4 * (y - 6) >= np.abs(x - 5)
    return np.where(hill[..., None], np.stack([70 + 5 * x, 120 + 4 * y, 80 + 2 * x], -1), image)


def patches():
    """An image cut into numbered patches, and the tokens that patchify makes of it."""
    image, patch, pixel = picture(), 4, 20
    drawing = Drawing(860, 404)
    drawing.text(20, 26, "image: 12 x 16 pixels, 3 channels")
    for (i, j), colour in zip(np.ndindex(image.shape[:2]), image.reshape(-1, 3)):
        drawing.cell(20 + pixel * j, 40 + pixel * i, pixel, pixel, colour)
    for number, (i, j) in enumerate(np.ndindex(3, 4)):
        left, top, side = 20 + j * patch * pixel, 40 + i * patch * pixel, patch * pixel
        drawing.frame(left, top, side, side)
        drawing.text(left + side // 2, top + side // 2 + 8, number, 22, "middle", halo=True)
    drawing.arrow(352, 390, 160)

    drawing.text(428, 26, "patchify(image, 4, layout='HWC'): 12 tokens of 48 elements")
    tokens = patchify(image, patch, layout="HWC")
    for number, token in enumerate(tokens):
        drawing.text(420, 55 + 20 * number, number, 12, "end")
        for place, colour in enumerate(token.reshape(-1, 3)):
            drawing.cell(428 + 25 * place, 40 + 20 * number, 25, 18, colour)

    drawing.text(20, 312, "the elements of one token, 4 * 4 pixels of 3 channels; the numbers are pixels of the patch")
    letters = np.broadcast_to(np.arange(3)[:, None, None], (3, patch, patch))
    numbers = np.broadcast_to(np.arange(16).reshape(1, patch, patch), letters.shape)
    for row, order in enumerate(("channels_last", "channels_first")):
        top = 324 + 38 * row
        drawing.text(20, top + 18, f"order='{order}'")
        which = [patchify(array, patch, layout="CHW", order=order)[0] for array in (letters, numbers)]
        for place, (channel, number) in enumerate(zip(*which)):
            drawing.cell(182 + 13 * place, top, 13, 26, CHANNELS[channel], number, 8)
    return drawing.svg()


def memory():
    """Where the elements of one image lie in memory, channels first and last."""
    drawing = Drawing(860, 236)
    drawing.text(20, 26, "one image: 2 x 3 pixels, 3 channels")
    for channel in range(3):
        for pixel, (i, j) in enumerate(np.ndindex(2, 3)):
            drawing.cell(
                20 + 130 * channel + 36 * j, 40 + 30 * i, 36, 30, CHANNELS[channel], f"{'RGB'[channel]}{pixel}"
            )
    channel, pixel = (
        np.broadcast_to(a, (3, 2, 3)) for a in (np.arange(3)[:, None, None], np.arange(6).reshape(1, 2, 3))
    )
    orders = {"C, H, W": (0, 1, 2), "H, W, C": (1, 2, 0)}
    steps = {
        "C, H, W": "the next column: 1, row: 3, channel: 6",
        "H, W, C": "the next channel: 1, column: 3, row: 9",
    }
    for row, (name, order) in enumerate(orders.items()):
        top = 124 + 54 * row
        drawing.text(20, top + 20, name)
        for place, pair in enumerate(zip(channel.transpose(order).ravel(), pixel.transpose(order).ravel())):
            drawing.cell(80 + 28 * place, top, 28, 30, CHANNELS[pair[0]], f"{'RGB'[pair[0]]}{pair[1]}", 10)
        drawing.text(600, top + 13, "memory from left to right; elements to", 11)
        drawing.text(600, top + 28, steps[name], 11)
    return drawing.svg()


def matrix():
    """Windows of an image, the patch matrix, and the product with a filter."""
    image = np.arange(9).reshape(1, 1, 3, 3)
    columns = nn.unfold(image, 2)[0]
    weight = np.array([1, 2, 3, 4])
    side = 36
    drawing = Drawing(860, 262)
    drawing.text(20, 26, "image, 3 x 3")
    for (i, j), value in zip(np.ndindex(3, 3), image.ravel()):
        drawing.cell(20 + side * j, 40 + side * i, side, side, (226, 230, 235), value, 14)
    drawing.frame(20, 40, 2 * side, 2 * side, 3)
    drawing.text(20, 172, "the first of four windows", 11)
    drawing.arrow(142, 176, 94)

    drawing.text(196, 26, "unfold(image, 2): a window a column")
    for (k, place), value in zip(np.ndindex(4, 4), columns.ravel()):
        drawing.cell(196 + side * place, 40 + side * k, side, side, WINDOWS[place], value, 14)
    drawing.frame(196, 40, side, 4 * side, 3)
    drawing.text(196, 206, "elements of a window: rows; windows: columns", 11)

    drawing.text(478, 26, "filter as a row, times the columns")
    for k, value in enumerate(weight):
        drawing.cell(478 + side * k, 40 + side, side, side, (226, 230, 235), value, 14)
    drawing.text(478 + 4 * side + 16, 40 + side + 24, "=", 18)
    for place, value in enumerate(weight @ columns):
        drawing.cell(664 + side * place, 40 + side, side, side, WINDOWS[place], value, 14)
    drawing.text(478, 144, "reshaped, the output: 2 x 2", 12)
    for (i, j), value in zip(np.ndindex(2, 2), weight @ columns):
        drawing.cell(664 + side * j, 130 + side * i, side, side, WINDOWS[2 * i + j], value, 14)
    drawing.text(
        20, 244, "Every inner element of the image stands in the matrix once for each window that holds it.", 12
    )
    return drawing.svg()


DIAGRAMS = {"patches.svg": patches, "memory-order.svg": memory, "patch-matrix.svg": matrix}


if __name__ == "__main__":
    for name, draw in DIAGRAMS.items():
        (IMAGES / name).write_text(draw(), encoding="utf-8")
