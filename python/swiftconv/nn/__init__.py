"""Network layers on NumPy arrays: convolutions with channels, their gradients and plans, pools and patches.

The names, argument orders and defaults are those of torch and jax.
"""

from __future__ import annotations

from . import grad
from ._conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from ._general import conv_general_dilated, plan_conv_general_dilated
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
from ._pool import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    sum_pool1d,
    sum_pool2d,
    sum_pool3d,
)

__all__ = [
    "ConvolutionPlan",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_general_dilated",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "grad",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "plan_conv1d",
    "plan_conv2d",
    "plan_conv3d",
    "plan_conv_general_dilated",
    "plan_conv_transpose1d",
    "plan_conv_transpose2d",
    "plan_conv_transpose3d",
    "sum_pool1d",
    "sum_pool2d",
    "sum_pool3d",
    "unfold",
]
