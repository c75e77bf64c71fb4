"""The demo's bank of filters, each a small float32 array that correlate slides over an image."""

import numpy as np


def gaussian(size, sigma):
    line = np.exp(-(_centred(size) ** 2) / (2 * sigma**2))
    return np.outer(line, line) / line.sum() ** 2


def sobel():
    return np.outer([1, 2, 1], [-1, 0, 1]) / 4


def laplacian():
    return np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])


def gabor(size, wavelength, angle):
    y, x = np.meshgrid(_centred(size), _centred(size), indexing="ij")
    along = x * np.cos(angle) + y * np.sin(angle)
    wave = np.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2)) * np.cos(2 * np.pi * along / wavelength)
    return (wave - wave.mean()) / np.abs(wave).sum() * 4


def motion_blur(size):
    return np.eye(size)[::-1] / size


def sharpen(size, sigma, amount):
    identity = np.zeros((size, size))
    identity[size // 2, size // 2] = 1
    return identity + amount * (identity - gaussian(size, sigma))


def bank():
    """Name and filter."""
    filters = {
        "Gaussian 7x7": gaussian(7, 1.6),
        "Sobel 3x3": sobel(),
        "Laplacian 3x3": laplacian(),
        "Gabor 11x11": gabor(11, 5, np.pi / 4),
        "motion blur 9x9": motion_blur(9),
        "sharpen 5x5": sharpen(5, 1.2, 1.5),
    }
    return {name: values.astype(np.float32) for name, values in filters.items()}


def _centred(size):
    return np.arange(size) - (size - 1) / 2
