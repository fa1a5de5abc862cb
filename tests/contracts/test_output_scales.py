"""Output scales: the optimum of y divided by hand, and everything in the units of y."""

import numpy as np
import pytest
from sklearn.base import clone

import ridgesplines as rs

RNG = np.random.default_rng(11)
#: A rate in per cent and a price in thousands of millions, from an age and a number of rooms, both integers with ties.
X = np.column_stack([RNG.integers(20, 60, 40), RNG.integers(1, 6, 40)]).astype(float)
Y = np.column_stack([np.abs(X[:, 0] - 35.0) + RNG.standard_normal(40), 1e6 * np.maximum(X[:, 1] - 3.0, 0.0)])
Y[:, 1] += 3e5 * RNG.standard_normal(40).round(2)
SCALES = Y.std(axis=0)
WEIGHT = np.arange(40) % 3 + 0.5
CASES = [(1, {}), (1, {"scales": [12.0]}), (2, {}), (2, {"scales": [12.0, 1.5]}), (2, {"interactions": 1})]


def pair(d, lam=4.0, **settings):
    """The problem with output scales, and the one whose outputs were divided by hand."""
    kept = X[:, :d]
    scaled = rs.Problem(kept, Y, lam, sample_weight=WEIGHT, output_scales=SCALES, **settings)
    return scaled, rs.Problem(kept, Y / SCALES, lam, sample_weight=WEIGHT, **settings)


@pytest.mark.parametrize(("d", "settings"), CASES, ids=str)
def test_the_optimum_is_that_of_outputs_divided_by_hand(d, settings):
    problem, by_hand = pair(d, **settings)
    assert rs.lambda_max(problem) == pytest.approx(rs.lambda_max(by_hand), rel=1e-9)
    found, other = rs.solve(problem), rs.solve(by_hand)
    assert found.certificate.scope == "exact"
    assert found.relative_gap < 1e-5
    assert found.objective == pytest.approx(other.objective, rel=1e-6)
    np.testing.assert_allclose(found.predict(X[:, :d]) / SCALES, other.predict(X[:, :d]), atol=1e-5)


def test_figures_are_those_of_the_formula():
    """Loss, seminorm, stationarity and |T eta| = lam at the neurons, written out in NumPy in the units of y."""
    problem, _ = pair(2, scales=[12.0, 1.5])
    solution = rs.solve(problem)
    net, u = solution.network, solution.certificate.dual
    residual = (Y - net(X)) / SCALES
    assert solution.data_fit == pytest.approx(WEIGHT @ (residual**2).sum(axis=1), rel=1e-9)
    lengths = np.linalg.norm(net.weights * [12.0, 1.5], axis=1)
    assert solution.seminorm == pytest.approx(np.linalg.norm(net.amplitudes / SCALES, axis=1) @ lengths, rel=1e-9)
    np.testing.assert_allclose(u * SCALES, 2.0 * WEIGHT[:, None] * residual, atol=1e-5)
    eta = np.stack([np.maximum(X @ w - b, 0.0) @ u for w, b in zip(net.weights, net.biases, strict=True)])
    np.testing.assert_allclose(np.linalg.norm(eta * SCALES, axis=1), 4.0 * lengths, rtol=1e-5)


def test_evaluate_files_and_refits_know_them(tmp_path):
    problem, by_hand = pair(1)
    solution = rs.solve(problem)
    measured = rs.evaluate(problem, solution.network)
    assert measured.objective == pytest.approx(solution.objective, rel=1e-12)
    assert measured.relative_gap < 1e-6
    poor = rs.RidgeSpline([[1.0]], [30.0], [[1.0, 1e5]])
    divided = poor.changed(amplitudes=poor.amplitudes / SCALES)
    theirs = rs.evaluate(by_hand, divided)
    assert rs.evaluate(problem, poor).relative_gap == pytest.approx(theirs.relative_gap, rel=1e-6)
    solution.save(tmp_path / "fit.npz")
    again = rs.Solution.load(tmp_path / "fit.npz")
    assert again.problem.output_scales.tolist() == SCALES.tolist()
    assert again.objective == pytest.approx(solution.objective, rel=1e-12)
    assert again.relative_gap < 1e-8
    np.testing.assert_allclose(solution.refitted().data_fit, rs.solve(by_hand).refitted().data_fit, rtol=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        rs.LinearSplineRegressor(scale_outputs=True),
        rs.RidgeSplineRegressor(scale_outputs=True),
        rs.LinearSplineRegressorCV(scale_outputs=True, cv=2, lams=["0.3max", "0.1max", "0.05max"]),
        rs.RidgeSplineRegressorCV(scale_outputs=True, cv=2, lams=["0.3max", "0.1max"]),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")
def test_estimators_do_not_depend_on_the_units_of_outputs(model):
    x, units = X[:, :1] if "Linear" in type(model).__name__ else X, np.array([1e-3, 7.0])
    one, other = clone(model).fit(x, Y, WEIGHT), clone(model).fit(x, Y * units, WEIGHT)
    np.testing.assert_allclose(other.predict(x), one.predict(x) * units, rtol=1e-3, atol=1e-3 * (SCALES * units).min())
    assert other.lam_ == pytest.approx(one.lam_, rel=1e-6)
    np.testing.assert_array_equal(one.predict(x), one.solution_.predict(x))
    np.testing.assert_allclose(
        one.solution_.problem.output_scales, np.sqrt(np.cov(Y.T, aweights=WEIGHT, ddof=0).diagonal())
    )
    assert "measured in" in one.solution_.summary()
    plain = clone(model).set_params(scale_outputs=False).fit(x, Y, WEIGHT)
    assert plain.solution_.problem.output_scales is None
    assert "scale_outputs=True" in plain.solution_.summary()


@pytest.mark.parametrize(
    ("y", "loss", "scales", "words"),
    [
        (Y[:, 0], None, [1.0], "None but for several outputs with Squared.*got one output"),
        (np.arange(40) % 3, rs.Softmax(), [1.0] * 3, "None but for several outputs"),
        (Y, None, [1.0], "a positive number for each of the 2 outputs"),
        (Y, None, [1.0, 0.0], r"a positive number for each of the 2 outputs.*Pass y\.std"),
    ],
)
def test_others_are_refused(y, loss, scales, words):
    with pytest.raises(rs.ProblemError, match=f"output_scales: expected {words}"):
        rs.Problem(X, y, 1.0, loss, output_scales=scales)
