"""Every example runs from anywhere, as a script and as a notebook, writes its picture, and prints what it proves."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

#: Examples that measure what is no gap, and prove nothing.
MEASURED = {"activation_functions", "pruning", "radon_domain", "sparsity_of_training"}
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
#: What an example says, and what it says here to do less of the same.
LESS = {
    "activations": [("= rs.datasets.load_motorcycle()", "= (column[::3] for column in rs.datasets.load_motorcycle())")],
    "architecture": [("epochs=600", "epochs=50"), ("(40, 40)", "(8, 8)")],
    "choosing_lambda": [
        ("REPEATS = 4", "REPEATS = 2"),
        ("[5, 8, 12, 16, 20]", "[8]"),
        ("[1e-4, 1e-3, 1e-2, 1e-1]", "[1e-3]"),
        ("KFold(5", "KFold(2"),
        ("n_lams=12", "n_lams=3, cv=2"),
        ("n_lams=30", "n_lams=3, cv=2"),
    ],
    "classification": [("directions=64", "directions=32")],
    "counts": [('loss="poisson"', 'loss="poisson", n_lams=12, cv=3')],
    "deep": [("else 800", "else 100")],
    "gap_of_a_grid": [("16, 32, 64, 128, 256]", "16, 32]")],
    "interactions": [("FOLDS = 5", "FOLDS = 2"), ("n_lams=6", "n_lams=3"), ("=True).data", "=True).data[1::2]")],
    "lesson": [("1e-6, 40)", "1e-6, 12)")],
    "mixed_table": [("n_lams=12", "n_lams=4, cv=2")],
    "mixed_variation": [("n: int = 250", "n: int = 120")],
    "pruning": [("EPOCHS = 150", "EPOCHS = 40"), ("[0.0, 0.02, 0.05, 0.1, 0.2]", "[0.0, 0.2]")],
    "quantiles_in_order": [("(0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)", "(0.1, 0.5, 0.9)")],
    "radon_domain": [("(33, 65, 129, 193)", "(17, 33)")],
    "ridge_functions": [("KFold(5", "KFold(2"), ("=True).data", "=True).data[::2]"), ("tol=1e-3", "tol=5e-3")],
    "sparsity_of_training": [("Size(300, 50, 80, 3, 2)", "Size(100, 20, 20, 2, 1)")],
    "table_of_knots": [("CV().fit", "CV(n_lams=12, cv=3).fit")],
    "three_layers": [("N, LAM, EPOCHS = 40, 0.1, 3000", "N, LAM, EPOCHS = 8, 0.3, 50"), ("tol=0.03", "tol=0.2")],
    "trained_networks": [("else 800", "else 30"), ("else 60", "else 30"), ("[25, 100, 500]", "[25, 50]")],
    "two_dimensions": [
        ("directions=32", "directions=8"),
        ("data.data, data.target", "data.data[::4], data.target[::4]"),
    ],
}
#: The command line of a kernel, which is none of the example's.
KERNEL = ["ipykernel_launcher.py", "-f", "/tmp/kernel-1.json"]


def examined(name, printed, picture):
    """What an example printed, and the picture that it wrote."""
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 8_000
    gaps = [float(g) for g in re.findall(r"relative gap +(\S+) (?:to rounding )?\(", printed)]
    table = [float(g) for g in re.findall(r"^ *\d+ +\d+\.\d{4} +(\S+) ", printed, flags=re.MULTILINE)]
    assert gaps or table or name in MEASURED
    assert all(gap < 0.01 for gap in gaps)
    assert table == sorted(table, reverse=True)


def cells(path):
    """The code of the notebook that sphinx-gallery makes of an example: what stands between the lines "# %%"."""
    text = path.read_text()
    for said, less in LESS.get(path.stem, []):
        assert said in text
        text = text.replace(said, less)
    return re.split(r"^# %%.*\n", re.sub(r"dpi=\d+", "dpi=60", text), flags=re.MULTILINE)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_as_a_notebook(path, tmp_path, monkeypatch, capsys):
    """Cell by cell, without a file, with the command line of a kernel, elsewhere; warnings are errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", KERNEL)
    names = {"__name__": "__main__"}
    found = cells(path)
    assert len(found) > 1
    for cell in found:
        exec(compile(cell, "<cell>", "exec"), names)
    plt.close("all")
    examined(path.stem, capsys.readouterr().out, tmp_path / f"{path.stem}.png")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_notebook_shows_the_picture(path):
    """By pyplot, of which a notebook shows every figure; or by the last line, where pyplot does not know the figure."""
    last = ast.parse(cells(path)[-1]).body[-1]
    shown = isinstance(last, ast.Expr) and ast.unparse(last) == "figure"
    assert shown != bool(re.search(r"plt\.(figure|subplots)\(", path.read_text()))


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_copied_away(path, tmp_path):
    as_a_script(path, tmp_path)


def as_a_script(path, tmp_path):
    """The file alone in another folder, run from a third one, in a process of its own; what it printed."""
    away, here = tmp_path / "away", tmp_path / "here"
    away.mkdir()
    here.mkdir()
    copy = shutil.copy(path, away)
    run = subprocess.run([sys.executable, "-W", "error", copy], capture_output=True, text=True, cwd=here, check=False)
    assert run.returncode == 0, run.stderr
    examined(path.stem, run.stdout, here / f"{path.stem}.png")
    return run.stdout


def test_the_quickstart_is_certified(tmp_path):
    printed = as_a_script(EXAMPLES[0].parent / "quickstart.py", tmp_path)
    assert "N = 133" in printed
    assert re.search(r"neurons +K = \d ", printed) or re.search(r"neurons +K = 1\d ", printed)
    assert "certified" in printed
