"""The gap of a saved module, on the command line; a file's code is never run."""

import pickle

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.cli.main import main

torch = pytest.importorskip("torch")
nn = torch.nn


@pytest.fixture
def table(tmp_path):
    x = np.linspace(0.0, 1.0, 30)
    path = tmp_path / "table.csv"
    np.savetxt(path, np.column_stack([x, np.abs(x - 0.4), x**2]), delimiter=",", header="x,y,z", comments="")
    return path


def sequential():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))


def gap(*words):
    return main(["gap", *map(str, words), "--target", "y", "--lam", "0.01"])


@pytest.mark.parametrize("form", ["sequential", "layer", "no biases"])
def test_the_gap_of_a_state_dict(table, tmp_path, capsys, form):
    module = {
        "sequential": sequential,
        "layer": lambda: rs.RidgeSpline([[1.0]], [0.4], [2.0], [-1.0], 0.4).to_torch(),
        "no biases": lambda: nn.Sequential(nn.Linear(1, 4, bias=False), nn.ReLU(), nn.Linear(4, 1, bias=False)),
    }[form]()
    path = tmp_path / "net.pt"
    torch.save(module.state_dict(), path)
    assert gap(path, table, "--features", "x") == 0
    out = capsys.readouterr().out
    assert "no code in the file was run" in out
    data = np.loadtxt(table, delimiter=",", skiprows=1)
    measured = rs.evaluate(rs.Problem(data[:, 0], data[:, 1], 0.01), rs.RidgeSpline.from_torch(module))
    assert f"objective     {measured.objective:.10g} =" in out
    assert "certified" in out


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("code in the file was run",))


def test_what_holds_code_is_refused(table, tmp_path, capsys):
    path = tmp_path / "net.pt"
    torch.save(sequential(), path)
    assert gap(path, table, "--features", "x") == 2
    error = capsys.readouterr().err
    assert "never run" in error
    assert "state_dict" in error
    torch.save({"0.weight": Trap()}, path)
    assert gap(path, table, "--features", "x") == 2
    path.write_bytes(pickle.dumps(Trap(), protocol=2))
    assert gap(path, table, "--features", "x") == 2


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        ({}, "nothing"),
        ([torch.zeros(2)], "list"),
        (nn.Sequential(*sequential(), nn.ReLU(), nn.Linear(1, 1)).state_dict(), "4.weight"),
        ({"0.weight": torch.zeros(3, 1), "2.weight": torch.zeros(1, 4)}, "2.weight (1, 4)"),
        ({"first.weight": torch.zeros(3, 2), "last.weight": torch.zeros(2, 3)}, "first.weight"),
        ({"hidden.weight": torch.zeros(3), "output.weight": torch.zeros(1, 3)}, "hidden.weight (3,)"),
    ],
)
def test_other_files_are_refused(table, tmp_path, capsys, saved, words):
    path = tmp_path / "net.pth"
    torch.save(saved, path)
    assert gap(path, table, "--features", "x") == 2
    error = capsys.readouterr().err
    assert "hidden.weight, hidden.bias" in error
    assert words in error


def test_no_file_and_no_pytorch(table, tmp_path, capsys, monkeypatch):
    assert gap(tmp_path / "none.pt", table, "--features", "x") == 2
    assert "No such file" in capsys.readouterr().err
    monkeypatch.setitem(__import__("sys").modules, "ridgesplines.torch.conversion", None)
    assert gap(tmp_path / "none.pt", table, "--features", "x") == 2
    assert "error" in capsys.readouterr().err


def test_the_features_settle_which_layer_is_first(table, tmp_path, capsys):
    path = tmp_path / "net.pt"
    torch.save({"first.weight": torch.ones(3, 1), "last.weight": torch.ones(1, 3)}, path)
    assert gap(path, table, "--features", "x") == 0
    assert gap(path, table) == 2
    assert "first.weight (3, 1)" in capsys.readouterr().err


def test_two_inputs_for_a_network_of_one(table, tmp_path, capsys):
    path = tmp_path / "net.pt"
    torch.save(sequential().state_dict(), path)
    assert gap(path, table) == 2
    assert "d = 2 inputs" in capsys.readouterr().err
