"""Every example runs, writes its picture, and prints what it proves."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

#: Examples that measure what is no gap, and prove nothing.
MEASURED = {"activation_functions", "radon_domain", "sparsity_of_training"}
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
#: Arguments after the picture with which an example does less of the same.
LESS = {
    "choosing_lambda": ["2", "8"],
    "gap_of_a_grid": ["32"],
    "interactions": ["2"],
    "radon_domain": ["33,65"],
    "sparsity_of_training": ["--short"],
    "trained_networks": ["--short"],
    "two_dimensions": ["8"],
}


def examined(name, printed, picture):
    """What an example printed, and the picture that it wrote."""
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000
    gaps = [float(g) for g in re.findall(r"relative gap +(\S+) (?:to rounding )?\(", printed)]
    table = [float(g) for g in re.findall(r"^ *\d+ +\d+\.\d{4} +(\S+) ", printed, flags=re.MULTILINE)]
    assert gaps or table or name in MEASURED
    assert all(gap < 0.01 for gap in gaps)
    assert table == sorted(table, reverse=True)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path, monkeypatch, capsys):
    """In the process of the tests, where all is imported already; warnings are errors."""
    picture = tmp_path / "picture.png"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(path), str(picture), *LESS.get(path.stem, [])])
    runpy.run_path(str(path), run_name="__main__")
    examined(path.stem, capsys.readouterr().out, picture)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_in_a_process_of_its_own(path, tmp_path):
    picture = tmp_path / "picture.png"
    run = subprocess.run(
        [sys.executable, "-W", "error", path, picture], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert run.returncode == 0, run.stderr
    examined(path.stem, run.stdout, picture)


def test_the_quickstart_is_certified(tmp_path):
    run = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES[0].parent / "quickstart.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert "N = 133" in run.stdout
    assert re.search(r"neurons +K = \d ", run.stdout) or re.search(r"neurons +K = 1\d ", run.stdout)
    assert "certified" in run.stdout
    assert (tmp_path / "quickstart.png").exists()
