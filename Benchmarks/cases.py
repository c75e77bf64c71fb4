"""The rows of the benchmark's table: a name and what makes (images, window), seeded."""

import numpy as np


def cases():
    yield _case("(6,5,4) x (3,2)", (6, 5, 4), (3, 2), "float64")
    yield _case("100 of 28x28, 3x3", (100, 28, 28), (3, 3))
    for size in (3, 5, 7, 15):
        yield _case(f"1000 of 128x128, {size}x{size}", (1000, 128, 128), (size, size))
    yield _case("the same, 5x5, float64", (1000, 128, 128), (5, 5), "float64")
    yield _case("the same, 5x5, int32", (1000, 128, 128), (5, 5), "int32")
    yield _case("the same, 5x5, every 2nd pixel", (1000, 256, 256), (5, 5), view=lambda x: x[:, ::2, ::2])
    yield _case("the same, 5x5, Fortran order", (1000, 128, 128), (5, 5), view=np.asfortranarray)


def _case(name, shape, window, dtype="float32", view=lambda images: images):
    """The name, and what makes the arrays: they are big, so only one case's are alive at a time."""

    def make():
        random = np.random.default_rng(0)
        arrays = [random.standard_normal(size, dtype=np.float32) for size in (shape, window)]
        if np.dtype(dtype).kind == "i":
            arrays = [array * 100 for array in arrays]
        images, kernel = (array.astype(dtype) for array in arrays)
        return view(images), kernel

    return name, make
