#!/usr/bin/env python3
"""The ISA levels that the core is built for, and which of them this machine can run.

python scripts/isa.py levels          all levels of this architecture, lowest first
python scripts/isa.py best            the highest level that this CPU runs
python scripts/isa.py flags LEVEL     the arguments that make `swift build` and `swift test` compile for a level
"""

import platform
import subprocess
import sys
from pathlib import Path

# Compiler flags; `-Xcc -march` reaches Swift's code generator as well. x86-64-v4's tuning prefers 256-bit registers
# (the first AVX-512 machines lowered their clock), which would split every 64-byte vector in two. x86-64-v4-vnni is v4
# and the instructions that multiply bytes, which the first AVX-512 machines lack.
_X86_64 = {
    "baseline": ["-march=x86-64"],
    "x86-64-v3": ["-march=x86-64-v3"],
    "x86-64-v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
    "x86-64-v4-vnni": ["-march=x86-64-v4", "-mavx512vnni", "-mprefer-vector-width=512"],
}
_ARM64 = {"arm64": []}

# What the x86-64 psABI asks of a CPU, in the spelling of /proc/cpuinfo; each level needs the lower ones too.
_CPU_FLAGS = {
    "x86-64-v3": {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"},
    "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    "x86-64-v4-vnni": {"avx512_vnni"},
}


def _table():
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64"):
        return _X86_64
    if machine in ("arm64", "aarch64"):
        return _ARM64
    raise SystemExit(f"swiftconv: no core for this architecture: {machine} (x86-64 and arm64 have one)")


def levels():
    """Names of all levels of this architecture, lowest first."""
    return list(_table())


def swift_flags(level):
    """The `swift build` arguments that compile for a level."""
    table = _table()
    if level not in table:
        raise SystemExit(f"swiftconv: unknown ISA level {level!r}; this architecture has: {', '.join(table)}")
    return [part for flag in table[level] for part in ("-Xcc", flag)]


def best():
    """The highest level that this CPU runs."""
    found = levels()[0]
    flags = _cpu_flags()
    for level in levels()[1:]:
        if not _CPU_FLAGS[level] <= flags:
            break
        found = level
    return found


def _cpu_flags():
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line for line in cpuinfo.read_text().splitlines() if line.startswith("flags"))
        return set(next(lines, ":").split(":", 1)[1].split())
    keys = ["machdep.cpu.features", "machdep.cpu.leaf7_features", "machdep.cpu.extfeatures"]
    text = subprocess.run(["sysctl", "-n", *keys], capture_output=True, text=True, check=False).stdout.lower()
    # Intel's spellings where they differ from the kernel's
    return set(text.replace("avx1.0", "avx").replace("lzcnt", "abm").split())


def main(arguments):
    if arguments == ["levels"]:
        print("\n".join(levels()))
    elif arguments == ["best"]:
        print(best())
    elif len(arguments) == 2 and arguments[0] == "flags":
        print(" ".join(swift_flags(arguments[1])))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
