"""The house: imports go only downward, and in no circle."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ridgesplines"

#: From the ground up, a rung a wing; what stands on one rung knows nothing of its neighbours, but for the ground.
LAYERS = [
    {"exceptions", "interrupt", "verdict", "display"},
    {"dates"},
    {"validation", "files"},
    {"numerics", "line", "constraints", "interactions", "losses", "activations", "radon", "rows"},
    {"problem", "network"},
    {"scaling", "objective", "neurons"},
    {"amplitudes", "oracle"},
    {"certificate"},
    {"relaxation"},
    {"solution"},
    {"inference"},
    {"solvers"},
    {"evaluate", "quantiles", "null_quantile"},
    {"settle"},
    {"solve", "compare", "three_layers"},
    {"estimators", "torch", "theorems", "plotting", "datasets", "demo", "cli", "__main__"},
]
#: Rungs whose rooms may use one another: the ground, and those who only use what is there.
SHARED = (LAYERS[3], LAYERS[4], LAYERS[5], LAYERS[-1])
RANK = {room: rank for rank, layer in enumerate(LAYERS) for room in layer}

#: The floors of `solvers`: what all of them use, then those that know nothing of the ones above.
SOLVERS = [
    {"base", "backends", "pace", "progress"},
    {"exchange"},
    {"univariate", "constrained", "monotone", "ordered"},
    {"grid", "arrangement", "column_generation"},
    {"choice"},
]
STOREY = {part: rank for rank, floor in enumerate(SOLVERS) for part in floor}

#: A method may hand its object up to a consumer: `solution.plot()`. Inside the method, never on import.
HANDED_UP = {
    ("network", "torch"),
    ("solution", "plotting"),
    ("solution", "inference"),
    ("inference", "plotting"),
    ("compare", "plotting"),
}
#: The same within a room.
METHODS = {
    ("ridgesplines.network.exchange.methods", "ridgesplines.network.exchange.layers"),
    ("ridgesplines.network.exchange.methods", "ridgesplines.network.exchange.onnx"),
    ("ridgesplines.network.exchange.methods", "ridgesplines.network.exchange.scikit_learn"),
    ("ridgesplines.network.exchange.methods", "ridgesplines.network.exchange.text"),
    ("ridgesplines.network.exchange.methods", "ridgesplines.network.spline"),
    ("ridgesplines.network.spline", "ridgesplines.network.activity"),
    ("ridgesplines.network.spline", "ridgesplines.network.components"),
    ("ridgesplines.network.spline", "ridgesplines.network.composed"),
    ("ridgesplines.network.spline", "ridgesplines.network.interpret"),
    ("ridgesplines.network.spline", "ridgesplines.network.segments"),
    ("ridgesplines.network.spline", "ridgesplines.network.table"),
}


@cache
def modules():
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"]


@cache
def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


@cache
def imported(path):
    """All (module, not on import: inside a function or for types only) for each import of ours."""
    names = {module_name(p) for p in modules()} | {"ridgesplines"}
    tree, pairs = ast.parse(path.read_text()), []
    within = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, (ast.FunctionDef, ast.AsyncFunctionDef))
        or (isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING")
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [name if name in names else node.module for name in full]
        else:
            continue
        pairs += [(name, id(node) in within) for name in found if name.split(".")[0] == "ridgesplines"]
    return pairs


def test_imports_go_downward():
    for path in modules():
        goes_downward(path)


def goes_downward(path):
    here = room(module_name(path))
    assert here in RANK, f"give {here} a layer in tests/structure/test_layers.py"
    for name, inside in imported(path):
        there = room(name)
        if here == there or (there == "" and RANK[here] == len(LAYERS) - 1):
            continue  # consumers may use the public names
        if (here, there) in HANDED_UP:
            assert inside, f"{module_name(path)} must import {name} inside the method that hands over"
            continue
        assert there in RANK, f"{module_name(path)} imports {name}, which has no layer"
        assert RANK[there] <= RANK[here], f"{module_name(path)} imports {name}, which stands above it"
        alone = RANK[there] == RANK[here] and LAYERS[RANK[here]] not in SHARED
        assert not alone, f"{module_name(path)} imports {name}, its neighbour"


def test_a_solver_knows_none_above_it():
    for path in modules():
        if "solvers" in path.parts:
            knows_none_above_it(path)


def knows_none_above_it(path):
    here, *part = module_name(path).split(".")[1:3]
    if not part:
        return  # the package itself names them all
    assert part[0] in STOREY, f"give {part[0]} a floor in tests/structure/test_layers.py"
    for name, _ in imported(path):
        if name.startswith(f"ridgesplines.{here}."):
            above = STOREY[name.split(".")[2]] > STOREY[part[0]]
            assert not above, f"{module_name(path)} imports {name}, which stands above it"


def test_no_circles():
    graph = {
        module_name(path): {
            name
            for name, _ in imported(path)
            if (room(module_name(path)), room(name)) not in HANDED_UP
            and (module_name(path), name) not in METHODS
            and name not in ("ridgesplines", module_name(path))
        }
        for path in modules()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " -> ".join(error.args[1]))


def test_every_hand_over_is_used():
    used = {(room(module_name(path)), room(name)) for path in modules() for name, _ in imported(path)}
    assert used >= HANDED_UP
