"""Crops of the two photographs that scikit-learn ships."""

import numpy as np
from sklearn.datasets import load_sample_images

CROP = 128
STEP = 32


def crops():
    """All 128 x 128 crops on a grid of 32 pixels, grey, float32 in 0..1: a batch of several hundred images."""
    grey_weights = np.array([0.299, 0.587, 0.114], np.float32) / 255
    photographs = [image @ grey_weights for image in load_sample_images().images]
    windows = [np.lib.stride_tricks.sliding_window_view(image, (CROP, CROP))[::STEP, ::STEP] for image in photographs]
    return np.concatenate([window.reshape(-1, CROP, CROP) for window in windows]).astype(np.float32)
