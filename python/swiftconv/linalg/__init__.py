"""Convolution as a matrix."""

from __future__ import annotations

from ._operator import ConvOperator

__all__ = ["ConvOperator"]
