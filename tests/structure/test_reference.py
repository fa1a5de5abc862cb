"""The reference: names as one types them, estimators first."""

import importlib.util
import re
from pathlib import Path

import pytest

import ridgesplines as rs

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "index.rst").read_text()


def names():
    """(module, name) of each entry."""
    module = ""
    for line in REFERENCE.splitlines():
        if line.startswith(".. currentmodule:: "):
            module = line.split()[-1]
        elif re.fullmatch(r"   [A-Za-z_]\w*", line):
            yield module, line.strip()


@pytest.fixture(scope="module")
def typed():
    spec = importlib.util.spec_from_file_location("names_of_the_reference", DOCS / "names.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.typed


def test_names_are_those_that_one_types(typed):
    assert typed("ridgesplines.estimators", "RidgeSplineRegressor") == "rs.RidgeSplineRegressor"
    assert typed("ridgesplines.losses", "Huber") == "rs.Huber"
    assert typed("ridgesplines.torch", "WeightDecay") == "rs.torch.WeightDecay"
    assert typed("ridgesplines", "Solution.plot") == "rs.Solution.plot"
    found = list(names())
    assert len(found) > 100
    for module, name in found:
        thing, path = getattr(importlib.import_module(module), name), typed(module, name).split(".")[1:]
        try:
            at = rs
            for part in path:
                at = getattr(at, part)
        except AttributeError:
            at = getattr(importlib.import_module(module), name)  # rooms that are no attribute of rs
            assert module.split(".")[1] in ("network", "losses", "activations", "solvers", "dates")
        assert at is thing


def test_estimators_come_first():
    first = re.search(r"^ {3}(\w+)$", REFERENCE[REFERENCE.index(":nosignatures:") :], flags=re.MULTILINE)
    assert first[1] in ("LinearSplineRegressor", "LinearSplineRegressorCV")


def test_where_to_start_names_what_there_is():
    start = (DOCS / "start.rst").read_text()
    for name in set(re.findall(r"\brs\.([A-Za-z_]+)", start)):
        assert hasattr(rs, name), name
    for words in ("Install", "Which class do I need?", "When not"):
        assert words in start
    index = (DOCS / "index.rst").read_text()
    assert re.search(r"^ {3}start$", index, flags=re.MULTILINE)
    assert re.search(r"^ {3}glossary$", index, flags=re.MULTILINE)
