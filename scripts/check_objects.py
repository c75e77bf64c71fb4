#!/usr/bin/env python3
"""Checks the built libraries: what they show, what they need, which instructions they hold. Linux only.

For every core in python/swiftconv/_core, and for the object files of our own modules that it was linked from:
- its dynamic symbols are the functions of swiftconv.h, no more and no fewer;
- it needs the C and C++ run-time libraries only, has no run path, and no path of this machine in its strings;
- the baseline has no ymm or zmm register and no mask register, the Swift runtime included;
- no module of ours calls fma, fmaf or fmal, which is what a fused multiply-add becomes, lane by lane, on a CPU without
  the instruction. (The Swift runtime holds a few calls for its own generic functions; they are counted, not refused.)
The extension needs libc only and shows its init function only.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import build_core
import isa

CORE_NEEDS = re.compile(r"(libc|libm|libstdc\+\+|libgcc_s|ld-linux[\w-]*)\.so\.\d+")
EXTENSION_NEEDS = re.compile(r"(libc|libdl|libpthread|ld-linux[\w-]*)\.so\.\d+")
WIDE_REGISTER = re.compile(r"%(?:[yz]mm\d+|k[0-7]\b)")
FMA_CALL = re.compile(r"\bcall\s.*<(fma[fl]?)@plt>")
FMA_SYMBOLS = {"fma", "fmaf", "fmal"}


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def shown_symbols(library):
    return {
        line.split()[-1].split("@")[0]
        for line in run("nm", "-D", "--defined-only", "--extern-only", library).splitlines()
    }


def dynamic_section(library):
    """The libraries it needs, and its run paths."""
    text = run("readelf", "-d", "-W", library)
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", text)
    paths = re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.+)\]", text)
    return needed, paths


def machine_paths(library):
    """Strings of the library that name this checkout, the home directory or the toolchain's."""
    places = {str(build_core.ROOT), str(Path.home())}
    places -= {"/"}
    text = run("strings", "-a", library)
    return sorted({line for line in text.splitlines() if any(place + "/" in line for place in places)})


def instructions(library):
    """How often the code uses wide registers, and calls each of the fma functions."""
    wide, calls = Counter(), Counter()
    process = subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", library], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        for register in WIDE_REGISTER.findall(line):
            wide[register[1:2] if register[1] == "k" else register[1:4]] += 1
        found = FMA_CALL.search(line)
        if found:
            calls[found[1]] += 1
    if process.wait() != 0:
        raise subprocess.CalledProcessError(process.returncode, "objdump")
    return wide, calls


def fma_in_our_objects(level):
    """Our own object files that need one of the fma functions, or the runtime's generic multiply-add."""
    objects = sorted(build_core.scratch_path(level).glob("release/*.build/**/*.o"))
    if not objects:
        return None
    offenders = []
    for path in objects:
        undefined = {line.split()[-1] for line in run("nm", "--undefined-only", path).splitlines()}
        if undefined & FMA_SYMBOLS:
            offenders.append(path.name)
    return offenders


def check_core(level, library):
    problems = check_shown(library, set(build_core.contract_functions()))
    problems += check_needs(library, CORE_NEEDS)
    wide, calls = instructions(library)
    if level == "baseline" and wide:
        problems.append(f"the baseline uses wide registers: {dict(wide)}")
    offenders = fma_in_our_objects(level)
    if offenders is None:
        problems.append(f"no object files in {build_core.scratch_path(level).name}: build the core here first")
    elif offenders:
        problems.append(f"our own modules call fma: {', '.join(offenders)}")
    notes = f"wide registers {dict(wide) or 'none'}; fma calls: ours none, the Swift runtime's {sum(calls.values())}"
    return problems, notes if not offenders else f"fma calls in {offenders}"


def check_shown(library, expected):
    shown = shown_symbols(library)
    problems = []
    if shown - expected:
        problems.append(f"shows symbols that are not in the contract: {', '.join(sorted(shown - expected)[:10])}")
    if expected - shown:
        problems.append(f"lacks functions of the contract: {', '.join(sorted(expected - shown))}")
    return problems


def check_needs(library, allowed):
    needed, paths = dynamic_section(library)
    problems = [f"needs {name}" for name in needed if not allowed.fullmatch(name)]
    problems += [f"has the run path {path}" for path in paths]
    problems += [f"names a path of this machine: {line[:120]}" for line in machine_paths(library)[:3]]
    return problems


def report(library, problems, notes):
    needed, _ = dynamic_section(library)
    print(f"{library.name}: {library.stat().st_size / 1e6:.2f} MB, needs {' '.join(needed) or 'nothing'}; {notes}")
    for problem in problems:
        print(f"  PROBLEM: {library.name} {problem}")
    return len(problems)


def main():
    package = build_core.CORE_DIRECTORY.parent
    count = 0
    for level in isa.levels():
        library = build_core.CORE_DIRECTORY / build_core.library_name(level)
        if library.exists():
            count += report(library, *check_core(level, library))
        else:
            print(f"  PROBLEM: {library.name} has not been built")
            count += 1
    for extension in sorted(package.glob("_native*.so")):
        problems = check_shown(extension, {"PyInit__native"}) + check_needs(extension, EXTENSION_NEEDS)
        count += report(extension, problems, "the extension")
    if count:
        sys.exit(f"check-objects: {count} problems")
    print("check-objects: no problems")


if __name__ == "__main__":
    main()
