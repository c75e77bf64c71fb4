"""Whether memory can hold a result whose size the arguments do not show."""

from __future__ import annotations

import os

# Bytes that nobody asks about: asking takes 30 us.
_SMALL = 1 << 26


def require(size: int, what: str) -> None:
    """Raise MemoryError unless so many bytes are to be had: systems that overcommit would end the process instead."""
    if size < _SMALL:
        return
    there = available()
    if size > there:
        raise MemoryError(f"{what} takes {size} bytes ({_rounded(size)}): {there} ({_rounded(there)}) are available")


def available() -> int:
    """Bytes that new arrays may take: the system's, or less where a control group limits the process."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            system = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        try:
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (ValueError, OSError):
            return 2**63 - 1
    limit, used = _number("/sys/fs/cgroup/memory.max"), _number("/sys/fs/cgroup/memory.current")
    return system if limit is None or used is None else min(system, max(limit - used, 0))


def _number(path: str) -> int | None:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):  # no such group, or no limit ("max")
        return None


def _rounded(size: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"
