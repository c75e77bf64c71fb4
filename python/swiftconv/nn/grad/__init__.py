"""Gradients of the convolutions of `swiftconv.nn`, as ``torch.nn.grad``: what backpropagation needs of each layer."""

from __future__ import annotations

from ._bias import conv_bias
from ._input import (
    conv1d_input,
    conv2d_input,
    conv3d_input,
    conv_transpose1d_input,
    conv_transpose2d_input,
    conv_transpose3d_input,
)
from ._weight import (
    conv1d_weight,
    conv2d_weight,
    conv3d_weight,
    conv_transpose1d_weight,
    conv_transpose2d_weight,
    conv_transpose3d_weight,
)

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
    "conv_bias",
    "conv_transpose1d_input",
    "conv_transpose1d_weight",
    "conv_transpose2d_input",
    "conv_transpose2d_weight",
    "conv_transpose3d_input",
    "conv_transpose3d_weight",
]
