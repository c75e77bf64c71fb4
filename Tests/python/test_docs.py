"""What the documentation shows runs: the Python blocks of README.md and docs/*.md, and every docstring's examples."""

import contextlib
import doctest
import importlib
import inspect
import io
import pathlib
import pkgutil
import re
import runpy

import numpy as np
import pytest
import swiftconv

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
WITH_BLOCKS = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]
# Peers that a page may compare with, and that the tests do not require.
PEERS = {
    "scipy",
    "skimage",
    "sklearn",
    "torch",
    "cv2",
    "jax",
    "numba",
    "matplotlib",
    "PIL",
    "threadpoolctl",
    "ml_dtypes",
}
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


PUBLIC_MODULES = {
    "": swiftconv,
    "linalg.": swiftconv.linalg,
    "nn.": swiftconv.nn,
    "nn.grad.": swiftconv.nn.grad,
}


def public_functions():
    return {
        prefix + name: getattr(module, name)
        for prefix, module in PUBLIC_MODULES.items()
        for name in module.__all__
        if callable(getattr(module, name))
    }


def run_examples(text, name, namespace):
    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    test.globs = namespace  # a DocTest copies what it is given, and a page's next block needs the names of this one
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    runner.run(test, out=report.write, clear_globs=False)
    assert runner.failures == 0, report.getvalue()
    return len(test.examples)


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages(page, tmp_path, monkeypatch):
    """A page's blocks share one namespace, and its files go to a directory of their own."""
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        block, line = match.group(1), text[: match.start()].count("\n") + 2
        try:
            if block.lstrip().startswith(">>>"):
                run_examples(block, f"{page.name}:{line}", namespace)
            else:
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compile("\n" * (line - 1) + block, str(page), "exec"), namespace)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in PEERS:
                raise
            pytest.skip(f"{error.name} is not installed")


def test_the_readme_has_an_example():
    assert ROOT / "README.md" in WITH_BLOCKS


@pytest.mark.parametrize("name", sorted(public_functions()))
def test_docstrings(name):
    function = public_functions()[name]
    text = inspect.getdoc(function)
    assert text, f"{name} has no docstring"
    found = run_examples(text, name, {"np": np, "swiftconv": swiftconv})
    if inspect.isroutine(function):
        assert found, f"{name} has no example"


@pytest.mark.parametrize("name", sorted(name for name, f in public_functions().items() if inspect.isroutine(f)))
def test_docstrings_name_every_parameter(name):
    function = public_functions()[name]
    text = inspect.getdoc(function)
    for parameter in inspect.signature(function).parameters:
        assert re.search(rf"^\*{{0,2}}{parameter}\b|, \*{{0,2}}{parameter}\b", text, re.MULTILINE), parameter


def test_the_modules_own_examples():
    for module in [swiftconv, *(
        importlib.import_module(info.name)
        for info in pkgutil.walk_packages(swiftconv.__path__, "swiftconv.")
        if info.name != "swiftconv._native"
    )]:  # fmt: skip
        run_examples(module.__doc__ or "", module.__name__, {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target


DIAGRAMS = runpy.run_path(str(ROOT / "scripts" / "draw_diagrams.py"))["DIAGRAMS"]


@pytest.mark.parametrize("name", sorted(DIAGRAMS))
def test_the_diagrams_are_what_the_script_draws(name):
    assert (ROOT / "docs" / "images" / name).read_text(encoding="utf-8") == DIAGRAMS[name]()
