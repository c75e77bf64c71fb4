"""Builds the Swift core and the extension. What can be declared stands in pyproject.toml."""

import shutil
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

sys.path.insert(0, str(Path(__file__).resolve().parent / "scripts"))

import build_core
import numpy

# From 3.11 on the buffer protocol is in the limited API: one binary serves every later Python. Free-threaded builds
# have no limited API.
LIMITED_API = sys.version_info >= (3, 11) and not sysconfig.get_config_var("Py_GIL_DISABLED")


class BuildNative(build_ext):
    """Builds the core libraries beside the extension, and places both: into the wheel, or into python/ (editable)."""

    def run(self):
        try:
            libraries = [] if self.get_finalized_command("build").dry_run else build_core.build()
        except build_core.BuildError as error:
            raise SystemExit(f"\n{error}\n") from None
        if not self.inplace:
            self._place(libraries)
        super().run()

    def build_extensions(self):
        # Python's own build may hand down run paths of the machine it was built on.
        linker = self.compiler.linker_so
        self.compiler.set_executables(linker_so=[part for part in linker if not part.startswith("-Wl,-rpath")])
        super().build_extensions()

    def _place(self, libraries):
        directory = self._core_target("")
        shutil.rmtree(directory, ignore_errors=True)  # an earlier build may have left levels not asked for now
        directory.mkdir(parents=True)
        for library in libraries:
            shutil.copy2(library, directory)

    def get_outputs(self):
        levels = build_core.requested_levels()
        return super().get_outputs() + [str(self._core_target(build_core.library_name(level))) for level in levels]

    def _core_target(self, name):
        return Path(self.build_lib) / "swiftconv" / "_core" / name


def native_extension():
    sources = sorted(str(path) for path in Path("python", "src").glob("*.c"))
    headers = sorted(str(path) for path in Path("python", "src").glob("*.h"))
    return Extension(
        "swiftconv._native",
        sources=sources,
        depends=[*headers, "Sources/CSwiftConv/include/swiftconv.h"],
        include_dirs=["python/src", "Sources/CSwiftConv/include", numpy.get_include()],
        define_macros=[("Py_LIMITED_API", "0x030B0000")] if LIMITED_API else [],
        py_limited_api=LIMITED_API,
        extra_compile_args=["-std=c11", "-O2", "-g0", "-fvisibility=hidden", "-Wall", "-Wextra"],
        extra_link_args=[] if sys.platform == "darwin" else ["-Wl,--as-needed", "-Wl,--strip-all"],
    )


setup(
    license="BSD-3-Clause",
    ext_modules=[native_extension()],
    cmdclass={"build_ext": BuildNative},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED_API else {},
)
