"""What is installed and what it runs on."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import numpy as np

from . import _native

_VARIABLES = ("SWIFTCONV_ISA", "SWIFTCONV_NUM_THREADS", "OMP_NUM_THREADS")


def show_config(mode: str = "stdout") -> dict[str, dict[str, Any]] | None:
    """
    Show which core is in use, on what, with how many threads.

    Parameters
    ----------
    mode : {'stdout', 'dicts'}, optional
        Print it, or return it.

    Returns
    -------
    dict of dict, or None
        None for 'stdout'.

    Raises
    ------
    ValueError
        `mode` is something else.

    Examples
    --------
    >>> import swiftconv
    >>> config = swiftconv.show_config('dicts')
    >>> config['swiftconv']['version'] == swiftconv.__version__
    True
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode={mode!r}: expected 'stdout' or 'dicts'")
    config = _config()
    if mode == "dicts":
        return config
    for title, entries in config.items():
        print(f"{title}:")
        for key, value in entries.items():
            print(f"  {key}: {value}")
    return None


def _config() -> dict[str, dict[str, Any]]:
    from . import __version__

    return {
        "swiftconv": {
            "version": __version__,
            "isa": _native.isa(),
            "core": _native.core_path(),
            "threads": _native.get_num_threads(),
        },
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "best isa": _native.cpu_isa(),
            "cpus": os.cpu_count(),
        },
        "python": {
            "version": platform.python_version(),
            "implementation": sys.implementation.name,
            "numpy": np.__version__,
        },
        "environment": {name: os.environ.get(name, "") for name in _VARIABLES},
    }
