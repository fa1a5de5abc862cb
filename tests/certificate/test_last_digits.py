"""Dual vectors of data 1e-9 apart, whose entries are sums of two numbers: what they prove, in rational arithmetic."""

import pickle
import warnings
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from extended import exactly

import ridgesplines as rs
from ridgesplines.certificate import last_digits
from ridgesplines.certificate.certificate import certify
from ridgesplines.certificate.dual import projected
from ridgesplines.certificate.last_digits import FELT_RTOL, is_felt
from ridgesplines.certificate.long_dual import LongDual, long_eta, long_eta_at
from ridgesplines.objective import eta_rounding

FRACTIONS = np.vectorize(Fraction, otypes=[object])
LOSSES = [rs.Squared(), rs.Huber(0.1), rs.Absolute(), rs.Quantile(0.8), rs.Hinge(), rs.Interpolation()]


def problem(loss, seed, lam=1e-13):
    """Clusters, with a row that comes twice and one that counts for nothing."""
    rng = np.random.default_rng(seed)
    near = 1e-7 if loss.interpolates else 1e-9
    x = rng.choice(rng.random(3), 12) + near * rng.standard_normal(12)
    y = np.sin(9.0 * x) + 0.3 * rng.standard_normal(12)
    y = np.where(np.arange(12) % 3 > 0, 1.0, -1.0) if not loss.translates else y
    rows = [*range(12), 3]
    weight = np.where(np.arange(13) == 5, 0.0, 1.0)
    return rs.Problem(x[rows], y[rows], lam, loss, sample_weight=weight)


@cache
def solved(loss, seed):
    with warnings.catch_warnings():  # with kinks no network of numbers of 16 digits may come near enough
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        return rs.solve(problem(loss, seed), rs.Univariate())


def exact_eta(x, u):
    return [sum((v * (p - t) for v, p in zip(u, x, strict=True) if p > t), Fraction(0)) for t in x]


def exact_gap(problem, network, u):
    """Objective less D(u), in fractions."""
    rows = problem.sample_weight > 0.0
    y, s = FRACTIONS(problem.y[rows]), FRACTIONS(problem.sample_weight[rows])
    z, u = exactly(network, problem.X[rows]), u[rows]
    r, bends = y - z, problem.lam and Fraction(problem.lam) * sum(abs(Fraction(float(v))) for v in network.amplitudes)
    match problem.loss:
        case rs.Squared():
            return sum(s * r**2) + bends - sum(u * y - u**2 / (4 * s))
        case rs.Huber(delta):
            d = Fraction(delta)
            assert all(abs(u) <= 2 * d * s)
            fit = [a**2 if abs(a) <= d else 2 * d * abs(a) - d**2 for a in r]
            return sum(s * fit) + bends - sum(u * y - u**2 / (4 * s))
        case rs.Absolute():
            assert all(abs(u) <= s)
            return sum(s * abs(r)) + bends - sum(u * y)
        case rs.Quantile(q):
            q = Fraction(q)
            assert all((u <= q * s) & (u >= (q - 1) * s))
            return sum(s * [max(q * a, (q - 1) * a) for a in r]) + bends - sum(u * y)
        case rs.Hinge():
            assert all((u * y >= 0) & (u * y <= s))
            return sum(s * [max(1 - a, Fraction(0)) for a in y * z]) + bends - sum(u * y)
        case rs.Interpolation():
            assert max(abs(r)) <= 1e-9 * np.ptp(problem.y)
            return bends - sum(u * z)  # no function that meets z bends less than this


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_the_gap_holds_in_rational_arithmetic(loss, seed):
    """u scaled a little less, which rounding may ask for, is feasible, and its gap is no larger than what is said."""
    solution = solved(loss, seed)
    c, p = solution.certificate, solution.problem
    assert solution.status == "converged" or not (p.loss.smooth or p.loss.interpolates)
    if c.dual_low is None:  # entries of u at their bounds have no room for more digits: then nothing is claimed
        assert solution.status != "converged"
        return
    x, lam = FRACTIONS(p.X[:, 0]), Fraction(p.lam)
    u = Fraction(float(c.scale)) * (FRACTIONS(c.dual) + FRACTIONS(c.dual_low)) * (1 - Fraction(1, 10**15))
    assert abs(sum(u)) <= 1e-13 * lam
    assert abs(sum(u * x)) <= 1e-13 * lam
    assert max(map(abs, exact_eta(x, u))) <= lam * (1 + Fraction(1, 10**12))
    assert abs(float(exact_gap(p, solution.network, u))) <= 2.0 * solution.gap + 1e-14 * solution.objective


def test_one_number_an_entry_would_not_do():
    """The dual vector rounded to working precision: its eta exceeds lam by more than the gap that is asked for."""
    c = solved(rs.Squared(), 0).certificate
    x = FRACTIONS(solved(rs.Squared(), 0).problem.X[:, 0])
    rounded = max(map(abs, exact_eta(x, FRACTIONS(c.dual)))) / Fraction(1e-13) - 1
    assert rounded > 1e-8
    assert abs(c.sup / 1e-13 - 1.0) <= 1e-14


@pytest.mark.parametrize("loss", LOSSES[:4], ids=lambda loss: type(loss).__name__)
def test_worse_networks_are_said_to_be_worse(loss):
    """Evaluated with the digits of a solver's dual vector: the gap is never less than what the objective lacks."""
    best = solved(loss, 0)
    for factor in (1.01, 0.999):
        net = best.network.changed(amplitudes=factor * best.network.amplitudes)
        judged = rs.evaluate(best.problem, net)
        lacking = judged.objective - best.objective
        assert lacking > 0.0
        assert judged.gap >= 0.999 * lacking
        assert judged.relative_gap > 1e-8


def test_eta_is_that_of_its_numbers():
    rng = np.random.default_rng(0)
    x = np.sort(rng.random(4)[rng.integers(0, 4, 30)] + 1e-9 * rng.standard_normal(30))
    dual = LongDual(1e9 * rng.standard_normal(30), 1e-7 * rng.standard_normal(30))
    points, u = FRACTIONS(x), FRACTIONS(dual.u) + FRACTIONS(dual.low)
    true = np.array([float(a) for a in exact_eta(points, u)])
    found = long_eta(x, dual)
    assert np.abs(found.eta - true).max() <= 1e-15 * np.abs(true).max()
    assert abs(found.total - float(sum(u))) <= 1e-15 * abs(float(sum(u)))
    places = np.concatenate([rng.uniform(-0.1, 1.1, 20), x[:3]])
    at = [float(sum(v * (p - Fraction(t)) for v, p in zip(u, points, strict=True) if p > t)) for t in places]
    shuffled = rng.permutation(30)
    values = long_eta_at(x[shuffled], LongDual(dual.u[shuffled], dual.low[shuffled]), places)
    assert np.abs(values - at).max() <= 1e-14 * np.abs(true).max()


def test_no_more_digits_than_the_asked_gap_needs():
    """Where rounding is felt, but by less than what was asked for: the passes would take most of a fit's time."""
    rng = np.random.default_rng(0)
    x = rng.random(1000)
    p = rs.Problem(x, np.sin(9.0 * x) + 0.3 * rng.standard_normal(1000), 1e-6)
    for tol, digits in ((1e-5, False), (1e-8, True)):
        solution = rs.solve(p, rs.Univariate(tol=tol))
        c = solution.certificate
        assert is_felt(p.reduced, c.dual[p.rows])
        assert (c.dual_low is not None) == digits
        assert solution.relative_gap <= tol


def test_no_more_digits_where_eta_exceeds_lam_by_more_than_rounding(monkeypatch):
    """A rough network's certificate takes no longer than a supremum; one that lacks digits still gets them."""
    best, passes = solved(rs.Squared(), 0), []
    all_passes = last_digits._passes
    monkeypatch.setattr(last_digits, "_passes", lambda *given: passes.append(given) or all_passes(*given))
    rough = certify(best.problem, best.network.changed(amplitudes=0.0 * best.network.amplitudes))
    assert is_felt(best.problem.reduced, rough.dual[best.problem.rows])
    assert rough.sup > 1e3 * best.problem.lam
    assert not passes
    assert rough.dual_low is None
    assert certify(best.problem, best.network, best.certificate.dual).dual_low is not None
    assert passes


def test_eta_of_the_certificate_has_all_digits():
    solution = solved(rs.Squared(), 0)
    net, lam = solution.network, solution.problem.lam
    eta = solution.certificate.eta(net.weights, net.biases)
    # A knot between sites is where eta has been constant over a distance of rounding.
    assert np.abs(eta * np.sign(net.amplitudes) / lam - 1.0).max() <= 1e-12
    assert solution.certificate.eta([[0.0]], [1.0]) == 0.0


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Huber(0.1)], ids=lambda loss: type(loss).__name__)
def test_digits_are_kept(loss, tmp_path):
    """In a file, a pickle, in other units, and where an estimator puts equal rows together."""
    solution = solved(loss, 0)
    solution.save(tmp_path / "solution.npz")
    for other in (rs.Solution.load(tmp_path / "solution.npz"), pickle.loads(pickle.dumps(solution))):
        assert other.relative_gap == pytest.approx(solution.relative_gap, rel=1e-6, abs=1e-14)
        assert np.array_equal(other.certificate.dual_low, solution.certificate.dual_low)
    p = solution.problem
    scaled = rs.solve(rs.Problem(p.X, p.y, p.lam, loss, sample_weight=p.sample_weight, scales=[2.0]))
    assert scaled.relative_gap <= 1e-8


def test_equal_rows_of_an_estimator_share_the_digits():
    p = problem(rs.Squared(), 0)
    rows = np.repeat(np.arange(13), 3)
    model = rs.LinearSplineRegressor(lam=3e-13).fit(p.X[rows], p.y[rows])
    solution = model.solution_
    assert solution.certificate.dual_low is not None
    assert solution.relative_gap <= 1e-8
    u = FRACTIONS(solution.certificate.dual) + FRACTIONS(solution.certificate.dual_low)
    assert abs(sum(u)) <= 1e-20 * Fraction(solution.problem.lam)


def test_a_file_with_digits_that_do_not_fit(tmp_path):
    solution = solved(rs.Squared(), 0)
    solution.save(path := tmp_path / "solution.npz")
    with np.load(path) as archive:
        arrays = dict(archive)
    (name,) = (name for name in arrays if name.endswith("dual_low"))
    for low in (arrays[name][:-1], arrays[name] + 0.1 * np.abs(solution.certificate.dual).max()):
        np.savez(path, **(arrays | {name: low}))
        with pytest.raises(rs.ProblemError, match=r"Solution\.save"):
            rs.Solution.load(path)


def test_whether_rounding_is_felt_is_seen_from_the_sizes_where_that_is_enough():
    """The cheap bound is never below the rounding that it stands for."""
    rng = np.random.default_rng(0)
    for x in (
        rng.random(50),
        rng.choice(rng.random(3), 50) + 1e-9 * rng.standard_normal(50),
        np.round(9.0 * rng.random(50)),
    ):
        p = rs.Problem(np.sort(x), rng.standard_normal(50), 1.0)
        u = projected(p, rng.standard_normal(50) * rng.exponential(size=50) ** 9)[0]
        for lam in eta_rounding(p, u) / FELT_RTOL * np.array([0.1, 0.999, 1.001, 10.0]):
            assert is_felt(p.with_lam(lam), u) == (eta_rounding(p, u) > FELT_RTOL * lam)
