"""Network layers: convolutions with channels, and patches, under the names and conventions of torch and jax."""

from __future__ import annotations

from . import grad
from ._conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from ._general import conv_general_dilated
from ._patches import fold, unfold
from ._plan import ConvolutionPlan
from ._plans import (
    plan_conv1d,
    plan_conv2d,
    plan_conv3d,
    plan_conv_transpose1d,
    plan_conv_transpose2d,
    plan_conv_transpose3d,
)

__all__ = [
    "ConvolutionPlan",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_general_dilated",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "grad",
    "plan_conv1d",
    "plan_conv2d",
    "plan_conv3d",
    "plan_conv_transpose1d",
    "plan_conv_transpose2d",
    "plan_conv_transpose3d",
    "unfold",
]
