"""Files and functions that fit on a screen, public names with examples, and an import that loads little."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import ridgesplines

PACKAGE = Path(__file__).parents[2] / "ridgesplines"
FILES = sorted(PACKAGE.rglob("*.py"))
#: Where public names are: what the API reference documents.
ROOMS = [
    "activations",
    "datasets",
    "estimators",
    "inference",
    "losses",
    "plotting",
    "radon",
    "solvers",
    "theorems",
    "torch",
]
PUBLIC = ["ridgesplines", *(f"ridgesplines.{room}" for room in ROOMS)]


def test_files_and_functions_are_short():
    for path in FILES:
        name, text = path.relative_to(PACKAGE), path.read_text()
        assert len(text.splitlines()) <= 400, f"{name} is long"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = node.body[0]
                documented = ast.get_docstring(node) is not None
                start = first.end_lineno + 1 if documented else first.lineno
                assert node.end_lineno - start < 45, f"{name}: {node.name} is longer than a screen"


def public_things(module):
    """The public classes and functions of a module."""
    public = importlib.import_module(module)
    return {name: thing for name in public.__all__ if callable(thing := getattr(public, name))}


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_documented_with_an_example(module):
    bare = [name for name, thing in public_things(module).items() if ">>>" not in (thing.__doc__ or "")]
    assert not bare, f"{module}: no example in {bare}"


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_in_the_reference(module):
    reference = (PACKAGE.parent / "docs" / "reference" / "index.rst").read_text().split()
    missing = [name for name in public_things(module) if name not in reference]
    assert not missing, f"{module}: not in docs/reference/index.rst: {missing}"


def test_the_names_are_in_order():
    assert list(ridgesplines.__all__) == sorted(ridgesplines.__all__)


def test_import_loads_no_heavy_package():
    out = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import ridgesplines"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in out.stderr.splitlines() if "|" in line}
    assert "numpy" in loaded
    assert not loaded & {"cvxpy", "torch", "matplotlib", "sklearn", "pandas"}
