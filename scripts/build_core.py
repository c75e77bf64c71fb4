#!/usr/bin/env python3
"""Builds the Swift core once per ISA level and puts the libraries into python/swiftconv/_core.

    python scripts/build_core.py [LEVEL ...]

Without arguments: the levels in SWIFTCONV_CORES (comma-separated), else all levels of this architecture. Builds are
incremental (.build-LEVEL holds each one's state), so calling it again after an edit costs what the edit costs.
"""

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import isa

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "Sources" / "CSwiftConv" / "include" / "swiftconv.h"
CORE_DIRECTORY = ROOT / "python" / "swiftconv" / "_core"

NO_SWIFT = """\
swiftconv: the Swift toolchain is missing: there is no `swift` on PATH.
Building swiftconv from source needs Swift 6.2 or newer (https://www.swift.org/install), and a C compiler.
An installed wheel needs neither."""


# Run-time checks of exclusive access would end the process, and cost small calls; `swift test` keeps them.
_SPEED_FLAGS = ["-Xswiftc", "-enforce-exclusivity=unchecked"]


class BuildError(Exception):
    """The core could not be built; the message is for the user."""


def library_name(level):
    suffix = "dylib" if sys.platform == "darwin" else "so"
    return f"libswiftconv-{level}.{suffix}"


def requested_levels():
    """The levels that SWIFTCONV_CORES names, else all of this architecture."""
    text = os.environ.get("SWIFTCONV_CORES", "")
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in isa.levels()]
    if unknown:
        raise BuildError(
            f"swiftconv: SWIFTCONV_CORES={text!r} names unknown levels {unknown}; expected some of {isa.levels()}"
        )
    return names or isa.levels()


def build(levels=None):
    """Builds the given levels, one after the other, and returns the paths of the libraries."""
    swift = shutil.which("swift")
    if swift is None:
        raise BuildError(NO_SWIFT)
    return [_build_level(swift, level) for level in levels or requested_levels()]


def _build_level(swift, level):
    command = [swift, "build", "-c", "release", "--product", "SwiftConv", "--scratch-path", str(scratch_path(level))]
    command += isa.swift_flags(level) + _SPEED_FLAGS + _link_flags(level)
    print(f"swiftconv: building the core for {level}", flush=True)
    if subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise BuildError(f"swiftconv: the Swift core did not build for {level}; the compiler's messages are above.")
    suffix = "dylib" if sys.platform == "darwin" else "so"
    return _install(scratch_path(level) / "release" / f"libSwiftConv.{suffix}", CORE_DIRECTORY / library_name(level))


def scratch_path(level):
    return ROOT / f".build-{level}"


def _link_flags(level):
    """One self-contained library: the Swift runtime inside, only the contract visible, no path of this machine."""
    flags = ["-Xswiftc", "-static-stdlib", "-Xswiftc", "-no-toolchain-stdlib-rpath", "--disable-local-rpath"]
    if sys.platform == "darwin":
        linker = ["-dead_strip", "-x", "-S", "-exported_symbols_list", str(_export_list(level))]
        linker += ["-install_name", f"@rpath/{library_name(level)}"]
    else:
        linker = ["--gc-sections", "--strip-all", f"--version-script={_export_list(level)}"]
        # without a name the linker would write the path of its output into the library
        linker += ["-soname", library_name(level)]
    return flags + [part for flag in linker for part in ("-Xlinker", flag)]


def contract_functions():
    """Names of the functions that swiftconv.h declares."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"^[\w *]+?\b(sc_\w+)\(", text, flags=re.MULTILINE)


def _export_list(level):
    """The linker's list of what a core shows. The Swift runtime inside stays private, so that several cores and other
    Swift programs can live in one process."""
    names = contract_functions()
    if sys.platform == "darwin":
        path, text = scratch_path(level) / "exports.txt", "".join(f"_{name}\n" for name in names)
    else:
        path, text = scratch_path(level) / "exports.map", f"{{ global: {'; '.join(names)}; local: *; }};\n"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _install(built, target):
    """Replaces the file in one step: a process that has the old library mapped keeps the old one."""
    if not (target.exists() and filecmp.cmp(built, target, shallow=False)):
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(built, fresh)
        fresh.chmod(0o755)
        os.replace(fresh, target)
    return target


def main(arguments):
    try:
        for library in build(arguments):
            print(f"{library.relative_to(ROOT)}  {library.stat().st_size / 1e6:.1f} MB")
    except BuildError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main(sys.argv[1:])
