"""A solution on disk comes back as it was, and a damaged file is refused in words."""

import dataclasses
import json

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.solution import saved
from ridgesplines.verdict import Scope

RNG = np.random.default_rng(0)
X = RNG.uniform(-1.0, 1.0, (30, 3))
Y = np.abs(X[:, 0]) + 0.1 * RNG.standard_normal(30)
LABELS = RNG.integers(0, 3, 30)
PROBLEMS = {
    "searched": rs.Problem(X, Y, 0.2, feature_names=["a", "b", "c"]),
    "line": rs.Problem(X[:, 0], Y, 0.1, sample_weight=np.arange(30.0)),
    "plane": rs.Problem(X[:, :2], Y, 0.1, rs.Quantile(0.3)),
    "constraints": rs.Problem(X[:, 0], Y, 0.1, constraints=[rs.Monotone(), rs.FixedValues([0.0, 0.5], [0.1, 0.4])]),
    "activation": rs.Problem(X[:, 0], Y, 0.1, activation=rs.TruncatedPower(2)),
    "classes": rs.Problem(X[:, :2], LABELS, 0.5, rs.Softmax()),
    "interpolation": rs.Problem(X[:, 0], Y, 0.0, rs.Interpolation()),
    "interactions": rs.Problem(X, Y, 0.2, interactions=[["a"], ["b", "c"]], feature_names=["a", "b", "c"]),
    "outputs": rs.Problem(X[:, :2], np.column_stack([Y, Y**2]), 0.2),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_solution_comes_back(name, tmp_path):
    solution, path = rs.solve(PROBLEMS[name]), tmp_path / "solution.npz"
    solution.save(path)
    other = rs.Solution.load(path)
    assert other.summary() == solution.summary()
    assert other.objective == solution.objective
    assert other.gap == pytest.approx(solution.gap, rel=1e-6, abs=2.0 * solution.rounding)
    assert (other.status, other.certificate.scope) == (solution.status, solution.certificate.scope)
    assert np.array_equal(other.predict(other.problem.X), solution.predict(solution.problem.X))
    assert np.array_equal(rs.RidgeSpline.load(path)(other.problem.X), other.predict(other.problem.X))
    assert other.problem.interactions == solution.problem.interactions
    assert rs.solve(other.problem).objective == pytest.approx(solution.objective, rel=1e-9)


def test_a_file_that_claims_too_small_a_supremum_does_not_prove_it(tmp_path):
    problem = PROBLEMS["line"]
    bad = rs.evaluate(problem, rs.RidgeSpline([[1.0]], [0.0], [1.0]))
    path = tmp_path / "bad.npz"
    certificate = bad.certificate
    object.__setattr__(certificate, "sup", 1e-3 * certificate.sup)
    object.__setattr__(certificate, "value", 2.0 * certificate.value)
    bad.save(path)
    assert rs.Solution.load(path).certificate.value <= rs.solve(problem).objective


@pytest.mark.parametrize("scope", ["searched", "bounded", "exact"])
def test_whatever_a_file_calls_it_a_supremum_is_not_below_what_is_seen(scope, tmp_path):
    solution, path = rs.solve(PROBLEMS["searched"]), tmp_path / "lie.npz"
    c = solution.certificate
    lie = dataclasses.replace(c, sup=0.5 * c.sup, scope=Scope(scope))
    dataclasses.replace(solution, certificate=lie).save(path)
    other = rs.Solution.load(path).certificate
    assert other.sup >= np.abs(c.eta(*c.peaks)).max() * (1.0 - 1e-12)
    assert other.value == pytest.approx(c.value, rel=1e-9)


@pytest.mark.parametrize("count", [200, pytest.param(5000, marks=pytest.mark.slow)])
def test_a_damaged_file_is_refused_in_words(count, tmp_path):
    path, damaged = tmp_path / "solution.npz", tmp_path / "damaged.npz"
    solution = rs.solve(PROBLEMS["line"])
    solution.save(path)
    content, refused, whole = path.read_bytes(), 0, rs.Solution.load(path)
    for seed in range(count):
        rng = np.random.default_rng(seed)
        broken = bytearray(content)
        if seed % 4:
            broken[int(rng.integers(len(content)))] ^= int(rng.integers(1, 256))
        else:
            del broken[int(rng.integers(len(content))) :]
        damaged.write_bytes(broken)
        try:
            other = rs.Solution.load(damaged)
        except rs.ProblemError:
            refused += 1
        else:  # a date in the archive's directory, say
            same = other.network(X[:, 0]) == solution.network(X[:, 0])
            assert same.all()
            assert other.relative_gap == whole.relative_gap
    assert refused > 0.5 * count


def test_the_interactions_of_a_grid_come_back(tmp_path):
    solution, path = rs.solve(PROBLEMS["interactions"], rs.Grid(directions=8)), tmp_path / "solution.npz"
    solution.save(path)
    other = rs.Solution.load(path)
    assert other.problem.interactions == solution.problem.interactions is not None
    assert other.summary() == solution.summary()
    assert "x1" not in other.summary()


def test_files_of_earlier_versions_know_of_no_interactions(tmp_path, monkeypatch):
    solution, path = rs.solve(PROBLEMS["line"]), tmp_path / "old.npz"
    written = json.dumps

    def earlier(notes):
        assert "interactions" in notes
        return written({name: note for name, note in notes.items() if name != "interactions"})

    monkeypatch.setattr(saved.json, "dumps", earlier)
    solution.save(path)
    assert rs.Solution.load(path).summary() == solution.summary()


def test_a_network_that_leaves_the_interactions_of_its_file_is_refused(tmp_path):
    p = PROBLEMS["searched"]
    solution, path = rs.solve(p, rs.Grid(directions=8)), tmp_path / "lie.npz"
    narrower = rs.Problem(p.X, p.y, p.lam, feature_names=p.feature_names, interactions=1)
    dataclasses.replace(solution, problem=narrower).save(path)
    with pytest.raises(rs.ProblemError, match="which is not one"):
        rs.Solution.load(path)


def test_a_network_is_no_solution(tmp_path):
    rs.solve(PROBLEMS["line"]).network.save(tmp_path / "net.npz")
    with pytest.raises(rs.ProblemError, match=r"Solution\.save"):
        rs.Solution.load(tmp_path / "net.npz")


def test_a_loss_that_no_file_can_name(tmp_path):
    class Mine(rs.Squared):
        pass

    solution = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], 0.1, Mine()))
    with pytest.raises(rs.ProblemError, match="of this library"):
        solution.save(tmp_path / "mine.npz")
