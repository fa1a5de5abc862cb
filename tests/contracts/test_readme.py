"""The README runs as it is pasted, where nothing is installed but what the library needs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
#: What a clean environment lacks: what only an extra or the tests install.
ABSENT = ("pandas", "torch", "numba", "dask", "pyarrow", "polars", "onnx", "onnxruntime")
WITHOUT = f'''
import sys

class Without:
    """A finder that does not find them."""

    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *others):
        return None if name.partition(".")[0] in {ABSENT!r} else self.finder.find_spec(name, *others)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = map(Without, sys.meta_path)
'''


def in_a_clean_environment(code, folder):
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT + code], capture_output=True, text=True, cwd=folder, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


#: What the code says, and what it says here to do less of the same.
LESS = [("(60, 3)", "(30, 3)"), ("normal(60)", "normal(30)"), ("n_lams=6", "n_lams=3, cv=2"), ("n_lams=5", "n_lams=3")]


@pytest.mark.parametrize("less", [LESS, pytest.param([], marks=pytest.mark.slow)], ids=["less", "all"])
def test_what_is_pasted_runs(less, tmp_path):
    code = "\n".join(blocks("python"))
    for said, here in less:
        assert said in code
        code = code.replace(said, here)
    printed = in_a_clean_environment(code, tmp_path)
    assert (tmp_path / "fit.png").stat().st_size > 10_000
    assert (tmp_path / "neurons.png").stat().st_size > 10_000
    assert "certified: no function has an objective lower by more than this" in printed
    slopes = [float(row.split()[2]) for row in printed.splitlines()[1:4]]
    assert len(slopes) == 3
    assert "optimum" in printed


def test_the_command_line_runs(tmp_path):
    (command,) = re.findall(r"^    ridgesplines (fit DATA\.csv [^#\n]*)", README, flags=re.MULTILINE)
    rows = [f"{x / 4},{max(x / 4 - 5.0, 0.0) + (x % 3) / 10}" for x in range(60)]
    (tmp_path / "DATA.csv").write_text("\n".join(["x,y", *rows]))
    code = f"from ridgesplines.cli import main\nsys.exit(main({command.split()!r}))"
    assert "relative gap" in in_a_clean_environment(code, tmp_path)
    assert (tmp_path / "fit.png").exists()


def test_other_commands_exist():
    from ridgesplines.cli.arguments import parser

    commands = set(re.findall(r"^    ridgesplines (\w+)", README, flags=re.MULTILINE))
    assert {"fit", "demo", "verify"} <= commands
    for command in commands:
        with pytest.raises(SystemExit) as stopped:
            parser().parse_args([command, "--help"])
        assert stopped.value.code == 0


def test_make_has_what_is_told():
    targets = set(re.findall(r"^    make (\w+)", README, flags=re.MULTILINE))
    assert {"quickstart", "test"} <= targets
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)


def test_the_first_screen_speaks_plainly():
    """What it does, a picture, how to install it and code come before any formula or theorem."""
    theory = README.index("## What is solved")
    first = README[:theory]
    for word in ("pip install ridgesplines", "![", "```python", "**Not for you**", "instead of"):
        assert word in first
    assert not re.search("[λρ‖Σ]|representer|dual|seminorm", first.split("## Your own data")[0])


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\brs\.([A-Za-z_]+)", README))))
def test_names_in_the_readme_are_there(name):
    import ridgesplines as rs

    assert hasattr(rs, name)
