"""
Convolution for NumPy arrays: any dtype, any view, batches, no temporaries, from a core in Swift.

>>> import numpy as np
>>> import swiftconv
>>> images = np.ones((500, 32, 32), np.float32)
>>> swiftconv.correlate(images, np.ones((3, 3), np.float32)).shape
(500, 30, 30)
"""

from __future__ import annotations

from . import linalg, nn, windows
from ._config import show_config
from ._einsum._functions import einsum, einsum_path
from ._einsum._vjp import einsum_vjp
from ._explain import Explanation, explain
from ._sliding import convolve, correlate
from ._threads import get_num_threads, register_with_threadpoolctl, set_num_threads, threads

__version__ = "0.1.0"

__all__ = [
    "Explanation",
    "__version__",
    "convolve",
    "correlate",
    "einsum",
    "einsum_path",
    "einsum_vjp",
    "explain",
    "get_num_threads",
    "linalg",
    "nn",
    "set_num_threads",
    "show_config",
    "threads",
    "windows",
]

register_with_threadpoolctl()
del register_with_threadpoolctl
