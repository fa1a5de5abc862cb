"""Every example runs, writes its picture, and prints what it proves."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

#: Examples that measure what is no gap, and prove nothing.
MEASURED = {"activation_functions", "radon_domain", "sparsity_of_training"}
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    picture = tmp_path / "picture.png"
    run = subprocess.run(
        [sys.executable, "-W", "error", path, picture], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert run.returncode == 0, run.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000
    gaps = [float(g) for g in re.findall(r"relative gap +(\S+) (?:to rounding )?\(", run.stdout)]
    table = [float(g) for g in re.findall(r"^ *\d+ +\d+\.\d{4} +(\S+) ", run.stdout, flags=re.MULTILINE)]
    assert gaps or table or path.stem in MEASURED
    assert all(gap < 0.01 for gap in gaps)
    assert table == sorted(table, reverse=True)


def test_the_quickstart_is_certified(tmp_path):
    run = subprocess.run(
        [sys.executable, EXAMPLES[0].parent / "quickstart.py"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "N = 133" in run.stdout
    assert re.search(r"neurons +K = \d ", run.stdout) or re.search(r"neurons +K = 1\d ", run.stdout)
    assert "certified" in run.stdout
    assert (tmp_path / "quickstart.png").exists()
