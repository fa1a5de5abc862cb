"""Standard errors and intervals: against SciPy's curve_fit, formulas by hand, and one another."""

import pickle
import time

import numpy as np
import pytest
from scipy.optimize import curve_fit

import ridgesplines as rs
from ridgesplines.inference.free_knots import descent
from ridgesplines.inference.pieces import Sums


def broken(n=120, seed=0, noise=0.1, digits=2, spread=1.0):
    """A broken line with two knots, x rounded and repeated."""
    rng = np.random.default_rng(seed)
    x = np.sort(np.round(rng.uniform(0.0, 10.0, n), digits))
    truth = np.interp(x, [0.0, 3.0, 6.5, 10.0], [1.0, 4.0, 0.5, 2.0])
    return x, truth + noise * spread * rng.standard_normal(n)


def two_knots(x, y, weight=None):
    return rs.solve_path(rs.Problem(x, y, 1.0, sample_weight=weight), n_lams=40).with_neurons(2)


def hinges(x, level, slope, first, second, s, t):
    return level + slope * x + first * np.maximum(x - s, 0.0) + second * np.maximum(x - t, 0.0)


def of_curve_fit(x, y, knots, weight=None):
    """SciPy's estimate, covariance and derivative."""
    sigma = None if weight is None else 1.0 / np.sqrt(weight)
    start = [1.0, 1.0, -2.0, 1.5, *knots]
    return curve_fit(hinges, x, y, start, sigma=sigma, xtol=1e-14, ftol=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_delta_method_is_that_of_curve_fit(weighted):
    x, y = broken()
    weight = np.random.default_rng(1).integers(1, 5, len(x)).astype(float) if weighted else None
    sure = two_knots(x, y, weight).confidence(level=0.9)
    p, cov = of_curve_fit(x, y, sure.knots.value, weight)
    assert np.allclose(sure.knots.value, p[4:], rtol=1e-5)
    assert np.allclose(sure.knots.se, np.sqrt(np.diag(cov)[4:]), rtol=1e-4)
    sums = np.array([[0, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 1, 1, 1, 0, 0]], float)
    assert np.allclose(sure.segments.value, sums @ p, rtol=1e-5)
    assert np.allclose(sure.segments.se, np.sqrt(np.diag(sums @ cov @ sums.T)), rtol=1e-4)
    at = np.array([-1.0, 0.7, 4.4, 9.0, 12.0])
    band = sure.band(at)
    v, (s, t) = p[2:4], p[4:]
    by = np.column_stack(
        [np.ones(5), at, np.maximum(at - s, 0), np.maximum(at - t, 0), -v[0] * (at > s), -v[1] * (at > t)]
    )
    half = 1.658 * np.sqrt(np.einsum("mi,ij,mj->m", by, cov, by))  # the 95 % quantile of Student's t with 114
    assert np.allclose(band.high - band.value, half, rtol=1e-3)
    assert np.allclose(band.value - band.low, half, rtol=1e-3)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_the_sandwich_is_the_formula(kind):
    x, y = broken(60)
    sure = two_knots(x, y).confidence(robust=kind)
    p, _ = of_curve_fit(x, y, sure.knots.value)
    J = np.empty((60, 6))
    for i in range(6):  # by central differences, none of which crosses a datum
        step = 1e-7 * np.eye(6)[i]
        J[:, i] = (hinges(x, *(p + step)) - hinges(x, *(p - step))) / 2e-7
    bread = np.linalg.inv(J.T @ J)
    e, h = y - hinges(x, *p), np.einsum("ni,ij,nj->n", J, bread, J)
    scale = {"HC0": 1.0, "HC1": 60.0 / 54.0, "HC2": 1.0 / (1.0 - h), "HC3": 1.0 / (1.0 - h) ** 2}[kind]
    cov = bread @ (J.T * (e**2 * scale)) @ J @ bread
    assert np.allclose(sure.knots.se, np.sqrt(np.diag(cov)[4:]), rtol=1e-3)
    if kind == "HC3":
        assert np.array_equal(two_knots(x, y).confidence(robust=True).knots.se, sure.knots.se)


def test_units_are_those_of_the_data():
    x, y = broken()
    sure = two_knots(x, y).confidence()
    other = two_knots(1.7e9 + 3600.0 * x, 20.0 - 5.0 * y + 0.01 * x).confidence()
    assert np.allclose((other.knots.value - 1.7e9) / 3600.0, sure.knots.value, atol=1e-5)
    assert np.allclose(other.knots.se / 3600.0, sure.knots.se, rtol=1e-4)
    assert np.allclose(other.segments.se * 3600.0 / 5.0, sure.segments.se, rtol=1e-4)
    assert np.allclose(other.segments.low * 3600.0, 0.01 - 5.0 * sure.segments.high, rtol=1e-3, atol=1e-3)
    place = other.band(1.7e9 + 3600.0 * np.array([2.0, 5.0]))
    assert np.allclose(20.0 - 5.0 * sure.band([2.0, 5.0]).low + [0.02, 0.05], place.high, atol=1e-4)


@pytest.mark.parametrize("robust", [False, True])
def test_the_bootstrap_agrees_where_the_delta_method_is_right(robust):
    x, y = broken(400, seed=2, digits=4)
    solution = two_knots(x, y)
    delta = solution.confidence(robust=robust)
    boot = solution.confidence(method="bootstrap", robust=robust, n_resamples=1000, random_state=0)
    assert np.allclose(boot.knots.se, delta.knots.se, rtol=0.15)
    assert np.allclose(boot.segments.se, delta.segments.se, rtol=0.15)
    at = np.array([1.0, 5.0, 9.0])
    widths = [np.subtract(c.band(at).high, c.band(at).low) for c in (boot, delta)]
    assert np.allclose(*widths, rtol=0.15)
    again = solution.confidence(method="bootstrap", robust=robust, random_state=0)
    assert np.array_equal(again.draws, boot.draws)


def test_robust_tells_where_the_noise_is():
    x, _ = broken(300)
    x, y = broken(300, spread=np.where(x < 4.0, 0.3, 3.0))
    solution = two_knots(x, y)
    for method in ("delta", "bootstrap"):
        plain = solution.confidence(method=method, n_resamples=400, random_state=1).knots.se
        robust = solution.confidence(method=method, robust=True, n_resamples=400, random_state=1).knots.se
        assert robust[0] < 0.7 * plain[0]  # a knot in the calm part
        assert robust[1] > 1.05 * plain[1]


def test_blocks_see_that_neighbours_have_something_in_common():
    rng = np.random.default_rng(4)
    x = np.arange(600.0) / 60.0
    noise = np.convolve(rng.standard_normal(619), np.ones(20) / np.sqrt(20.0), "valid")
    solution = two_knots(x, np.interp(x, [0.0, 3.0, 6.5, 10.0], [1.0, 4.0, 0.5, 2.0]) + 0.1 * noise)
    alone = solution.confidence(method="bootstrap", n_resamples=300, random_state=0)
    blocks = solution.confidence(method="bootstrap", block=60, n_resamples=300, random_state=0)
    assert (blocks.segments.se > 2.0 * alone.segments.se).all()


def test_a_straight_line_has_a_slope():
    x, _ = broken(50)
    y = 2.0 * x + np.random.default_rng(3).standard_normal(50)
    problem = rs.Problem(x, y, 1.0)
    sure = rs.solve(problem.with_lam(1.1 * rs.lambda_max(problem))).confidence()
    fit, cov = np.polyfit(x, y, 1, cov=True)
    assert sure.segments.value[0] == pytest.approx(fit[0])
    assert sure.segments.se[0] == pytest.approx(np.sqrt(cov[0, 0]), rel=1e-6)
    assert len(sure.knots) == 0
    assert len(sure.to_frame()) == 1
    assert "K = 0 knots" in str(sure)


def test_tables_text_pictures_and_copies():
    x, y = broken()
    sure = two_knots(x, y).confidence(robust="HC1")
    assert "95 % intervals, delta method, HC1, given that there are K = 2 knots" in str(sure)
    frame = sure.to_frame()
    assert frame["quantity"].tolist() == ["knot"] * 2 + ["slope"] * 3
    assert (frame["low"] < frame["value"]).all()
    assert np.array_equal(frame["se"], np.concatenate([sure.knots.se, sure.segments.se]))
    assert "taken as given" in sure.plot().axes[0].get_title(loc="left")
    copy = pickle.loads(pickle.dumps(sure))
    assert np.array_equal(copy.band([1.0]).low, sure.band([1.0]).low)
    assert sure.solution.status == "refitted, knots moved"
    again = sure.solution.confidence(robust="HC1")
    assert np.allclose(again.knots.se, sure.knots.se, rtol=1e-6)


def test_what_does_not_go_is_said():
    x, y = broken(40)
    solution = two_knots(x, y)
    for name, wrong in {
        "level": {"level": 95},
        "method": {"method": "jackknife"},
        "robust": {"robust": "HC4"},
        "block": {"block": 5},
        "n_resamples": {"method": "bootstrap", "n_resamples": 1},
    }.items():
        with pytest.raises(rs.ProblemError, match=f"^{name}: "):
            solution.confidence(**wrong)
    with pytest.raises(rs.ProblemError, match="half of N = 40"):
        solution.confidence(method="bootstrap", block=30)
    with pytest.raises(rs.ProblemError, match="for knots that move by least squares"):
        rs.solve(rs.Problem(x, y, 1.0, rs.Huber(0.1))).confidence()
    with pytest.raises(rs.ProblemError, match="more data than the 6 parameters of 2 knots"):
        rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 0.5], 1e-3)).confidence()
    jump = np.where(np.arange(20.0) < 9.5, 0.0, 1.0) + 0.01 * np.sin(9.0 * np.arange(20.0))
    with pytest.raises(rs.ProblemError, match="segments with data enough"):
        two_knots(np.arange(20.0), jump).confidence()


@pytest.mark.slow
def test_a_thousand_refits_of_ten_thousand_data():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-1.0, 1.0, 10_000))
    Y = np.interp(x, [-1.0, -0.3, 0.4, 1.0], [0.0, 1.0, -1.0, 0.0]) + 0.3 * rng.standard_normal((1000, 10_000))
    start, begin = np.tile([-0.3, 0.4], (200, 1)), time.process_time()
    for i in range(0, 1000, 200):
        descent(Sums.of(x, Y[i : i + 200], np.ones(10_000)), start)
    assert time.process_time() - begin < 30.0
