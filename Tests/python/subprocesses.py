"""Run Python code in a process of its own, with the same packages and a time limit."""

import os
import pathlib
import subprocess
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
OURS = ("SWIFTCONV_ISA", "SWIFTCONV_NUM_THREADS", "OMP_NUM_THREADS")


def environment(**changes):
    """This process's environment without our variables, then `changes`; import paths as they are here."""
    result = {name: value for name, value in os.environ.items() if name not in OURS[1:]}
    result["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, sys.path)])
    result.update({name: str(value) for name, value in changes.items()})
    return result


def run(code, *arguments, timeout=60, check=True, **variables):
    """The finished process of `python -c code arguments`; an AssertionError with its stderr if it failed."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code), *map(str, arguments)],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if check:
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done
