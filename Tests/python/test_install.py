"""What is installed: the package's files, its metadata, and a core that exports its contract and nothing else."""

import ctypes
import importlib.metadata
import pathlib
import re
import sys

import numpy as np
import pytest
import subprocesses
import swiftconv

PACKAGE = pathlib.Path(swiftconv.__file__).parent
CORE = pathlib.Path(swiftconv.show_config("dicts")["swiftconv"]["core"])
HEADER = pathlib.Path(__file__).resolve().parents[2] / "Sources/CSwiftConv/include/swiftconv.h"
CONTRACT = sorted(set(re.findall(r"^\w[\w ]*?\*?(sc_\w+)\(", HEADER.read_text(encoding="utf-8"), re.MULTILINE)))


def test_version_and_names():
    assert importlib.metadata.version("swiftconv") == swiftconv.__version__
    assert importlib.metadata.requires("swiftconv")
    needed = [line for line in importlib.metadata.requires("swiftconv") if "extra" not in line]
    assert len(needed) == 1 and needed[0].startswith("numpy")
    for name in swiftconv.__all__:
        assert hasattr(swiftconv, name)
    public = {name for name in dir(swiftconv) if not name.startswith("_")}
    assert public - {"annotations"} <= set(swiftconv.__all__)


def test_type_information_is_installed():
    assert (PACKAGE / "py.typed").exists()


def test_the_core_in_use_is_the_packages_own():
    assert CORE.exists() and CORE.parent.parent.resolve() == PACKAGE.resolve()


def test_the_core_exports_the_contract():
    assert len(CONTRACT) >= 7
    core = ctypes.CDLL(str(CORE))
    for name in CONTRACT:
        assert getattr(core, name)
    core.sc_isa.restype = ctypes.c_char_p
    assert core.sc_isa().decode() == swiftconv.show_config("dicts")["swiftconv"]["isa"]
    assert core.sc_get_num_threads() == swiftconv.get_num_threads()


def dynamic_symbols(path):
    """Names that an ELF library defines for others, read from its dynamic symbol table."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    header = np.frombuffer(data[:64].tobytes(), "<u2,<u2,<u4,<u8,<u8,<u8,<u4,6<u2", 1, 16)[0]
    start, (_, _, _, size, count, _) = int(header[5]), header[7]
    section = np.dtype([("name", "<u4"), ("type", "<u4"), ("flags", "<u8"), ("address", "<u8"), ("offset", "<u8"),
                        ("size", "<u8"), ("link", "<u4"), ("info", "<u4"), ("align", "<u8"), ("entry", "<u8")])  # fmt: skip
    assert size == section.itemsize
    sections = np.frombuffer(data[start : start + int(size) * int(count)].tobytes(), section)
    symbol = np.dtype(
        [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"), ("size", "<u8")]
    )
    names = set()
    for table in sections[sections["type"] == 11]:  # SHT_DYNSYM
        strings = sections[table["link"]]
        text = data[int(strings["offset"]) : int(strings["offset"] + strings["size"])].tobytes()
        raw = data[int(table["offset"]) : int(table["offset"] + table["size"])].tobytes()
        for entry in np.frombuffer(raw, symbol):
            if entry["section"] != 0 and entry["info"] >> 4:  # defined here, and not local
                names.add(text[entry["name"] : text.index(b"\0", entry["name"])].decode())
    return names


@pytest.mark.skipif(sys.platform != "linux", reason="reads ELF")
def test_every_core_exports_nothing_but_the_contract():
    cores = sorted(CORE.parent.glob("libswiftconv-*.so"))
    assert CORE.resolve() in [core.resolve() for core in cores]
    for core in cores:
        assert dynamic_symbols(core) - {"_init", "_fini"} == set(CONTRACT), core.name


def test_numpy_is_all_that_import_needs():
    code = """
    import sys
    before = set(sys.modules)
    import numpy
    numpys = set(sys.modules)
    import swiftconv
    third = {name.partition(".")[0] for name in set(sys.modules) - numpys}
    allowed = set(sys.stdlib_module_names) | {"swiftconv", "threadpoolctl", "numpy"}
    print(sorted(name for name in third if name not in allowed and not name.startswith("_")))
    """
    assert subprocesses.run(code).stdout.strip() == "[]"


def test_annotations_resolve_for_type_checkers_and_help():
    done = subprocesses.run("import swiftconv; help(swiftconv.correlate); help(swiftconv)")
    assert "stride" in done.stdout
