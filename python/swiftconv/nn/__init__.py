"""Network layers under torch's names, argument order and defaults, for NumPy arrays of any dtype and rank."""

from __future__ import annotations

from ._patches import fold, unfold

__all__ = ["fold", "unfold"]
