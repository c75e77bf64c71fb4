"""Network layers: convolutions with channels, and patches, under the names and conventions of torch and jax."""

from __future__ import annotations

from . import grad
from ._conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from ._general import conv_general_dilated
from ._patches import fold, unfold

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_general_dilated",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "grad",
    "unfold",
]
