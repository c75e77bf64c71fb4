#!/usr/bin/env python3
"""A minute's proof that an installed swiftconv works here; needs NumPy alone.

--isa LEVEL   also: LEVEL is the one that was opened
--refused     instead: importing swiftconv must be an ImportError that names SWIFTCONV_ISA
"""

import argparse
import os
import sys

import numpy as np

DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"]


def correlate_by_definition(images, window):
    """The classic einsum over a strided view, accumulated as wide as NumPy can."""
    shape = tuple(n - k + 1 for n, k in zip(images.shape[1:], window.shape))
    view = np.lib.stride_tricks.as_strided(
        images, (len(images), *shape, *window.shape), images.strides + images.strides[1:], writeable=False
    )
    return np.einsum("bijkl,kl->bij", view, window.conj())


def check_dtype(swiftconv, dtype, random):
    images = random.integers(0, 4, (5, 20, 37)).astype(dtype)
    window = random.integers(0, 4, (3, 5)).astype(dtype)
    expected = correlate_by_definition(images, window)
    for view in (images, np.asfortranarray(images)):
        result = swiftconv.correlate(view, window)
        assert result.dtype == expected.dtype, (dtype, result.dtype, expected.dtype)
        np.testing.assert_array_equal(result, expected)  # small integers: exact in every dtype
    strided = swiftconv.correlate(images[:, ::2, ::-1], window)
    np.testing.assert_array_equal(strided, correlate_by_definition(images[:, ::2, ::-1], window))


def check_numpy_twins(swiftconv, random):
    signal, window = random.standard_normal(50), random.standard_normal(7)
    np.testing.assert_allclose(swiftconv.convolve(signal, window), np.convolve(signal, window), rtol=1e-12)
    np.testing.assert_allclose(swiftconv.correlate(signal, window), np.correlate(signal, window), rtol=1e-12)


def check_refused():
    try:
        import swiftconv  # noqa: F401
    except ImportError as error:
        assert os.environ["SWIFTCONV_ISA"] in str(error), error
        print(f"ImportError: {error}")
    else:
        sys.exit(f"SWIFTCONV_ISA={os.environ['SWIFTCONV_ISA']} was accepted")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--isa")
    parser.add_argument("--refused", action="store_true")
    options = parser.parse_args()
    if options.refused:
        check_refused()
        return

    import swiftconv

    level = swiftconv.show_config("dicts")["swiftconv"]["isa"]
    assert options.isa in (None, level), f"opened {level}, expected {options.isa}"
    random = np.random.default_rng(0)
    for dtype in DTYPES:
        check_dtype(swiftconv, dtype, random)
    check_numpy_twins(swiftconv, random)
    python = ".".join(map(str, sys.version_info[:3]))
    print(f"smoke test passed: {level} core, Python {python}, NumPy {np.__version__}")


if __name__ == "__main__":
    main()
