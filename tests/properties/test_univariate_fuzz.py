"""Fits in one dimension on wild weights, ties, clusters and heavy tails: the rule, and few that do not converge.

What remains are clusters 1e-9 apart, where slopes of 1e9 have too few digits for the flat pieces beside them, and lam
so small that rounding exceeds the gap.
"""

import warnings

import numpy as np
import pytest
import scipy

import ridgesplines as rs

OLD_SCIPY = tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 17)
LOSSES = [rs.Squared(), rs.Absolute(), rs.Huber(0.1), rs.Quantile(0.8), rs.Logistic(), rs.Hinge(), rs.Interpolation()]
SPACINGS = {
    "uniform": lambda rng, n: rng.random(n),
    "ties": lambda rng, n: rng.integers(0, 8, n).astype(float),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n),
    "clusters": lambda rng, n: rng.choice(rng.random(max(1, n // 4)), n) + 1e-9 * rng.standard_normal(n),
}
TARGETS = {
    "noisy": lambda y: y,
    "integer": lambda y: np.round(3.0 * y),
    "clipped": lambda y: np.clip(y, -0.3, 0.3),
    "constant": lambda y: np.full(len(y), 2.0),
}
WEIGHTS = {
    "one": lambda rng, n: None,
    "24 decades": lambda rng, n: 10.0 ** rng.uniform(-12.0, 12.0, n),
    "zeros": lambda rng, n: np.append(1.0, (rng.random(n - 1) > 0.3).astype(float)),
}


def instance(seed, spacings):
    """3 to 300 samples, lam between 1e-8 and 1 of lambda_max."""
    rng, loss = np.random.default_rng(seed), LOSSES[seed % len(LOSSES)]
    n = int(np.exp(rng.uniform(np.log(3), np.log(300))))
    x = SPACINGS[rng.choice(spacings)](rng, n)
    y = np.sin(9.0 * (x - x.min()) / (np.ptp(x) or 1.0)) + 0.3 * rng.standard_normal(n)
    y = np.where(y > np.median(y), 1.0, -1.0) if not loss.translates else TARGETS[rng.choice(list(TARGETS))](y)
    if loss.interpolates:  # one value for each x
        _, first, place = np.unique(x, return_index=True, return_inverse=True)
        y = y[first][place]
    problem = rs.Problem(x, y, 1.0, loss, sample_weight=WEIGHTS[rng.choice(list(WEIGHTS))](rng, n))
    top = 1.0 if loss.interpolates else rs.lambda_max(problem)
    return problem.with_lam((top or 1.0) * 10.0 ** rng.uniform(-8.0, 0.0))


def failures(seeds, spacings):
    """The seeds whose fit says that it has not converged; whatever else breaks the rule fails."""
    out = []
    for seed in seeds:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", rs.ConvergenceWarning)
                solution = rs.solve(instance(seed, spacings), rs.Univariate())
        except rs.ProblemError as words:  # separable classes, or dots too near to connect
            assert words.argument in ("X", "y")  # noqa: PT017
            continue
        assert solution.contradiction is None
        assert solution.network.n_neurons <= max(len(solution.problem.sites) - 2, 0)
        assert (solution.status == "converged") == (solution.relative_gap <= 1e-8)
        out += [seed] if solution.status != "converged" else []
    return out


def test_uniform_ties_and_heavy_tails():
    assert len(failures(range(70), ["uniform", "ties", "heavy tails"])) <= 1  # 0 here


def test_clusters():
    assert len(failures(range(21), ["clusters"])) <= 1  # 0 here: rounding is not the same everywhere


@pytest.mark.slow
def test_more_uniform_ties_and_heavy_tails():
    assert len(failures(range(70, 631), ["uniform", "ties", "heavy tails"])) <= 3  # 1 here


@pytest.mark.slow
def test_more_clusters():
    assert len(failures(range(21, 245), ["clusters"])) <= 9  # 7 here


@pytest.mark.slow
def test_all_spacings():
    assert len(failures(range(631), list(SPACINGS))) <= 5  # 3 here: 155, 162, 555


@pytest.mark.parametrize(
    "seed",
    [
        *(129, 250, 317, 327, 339),
        pytest.param(348, marks=pytest.mark.xfail(OLD_SCIPY, reason="its linear programs prove .25 of the optimum")),
    ],
)
def test_weights_beyond_what_lam_can_pull(seed):
    """Losses with kinks, weights over 24 decades: the heaviest took the digits of all others, up to gaps of one."""
    assert not failures([seed], ["uniform", "ties", "heavy tails"])


@pytest.mark.parametrize(("seed", "spacings"), [(61, ["clusters"]), (207, ["clusters"]), (618, list(SPACINGS))])
def test_contacts_beside_rows_without_room(seed, spacings):
    """Sites where u cannot move, or that came near lam on the way, kept the digits of all others from being found."""
    assert not failures([seed], spacings)


def test_a_light_row_beside_a_heavy_one_at_the_same_x_keeps_its_weight():
    """Capped at what lam pulls and the other rows push, it lost all of its digits to the heavy one, and became zero."""
    assert not failures([1193], list(SPACINGS))


@pytest.mark.parametrize(
    "seed",
    [
        212,  # Huber: light rows beside contacts of eta had no room for the last digits that they were asked for
        547,  # Absolute: the line through two points was measured with fewer digits than it has
        586,  # Hinge: a first piece from -3e9 to 1 was 2e-7 off at its right end, and with it all others
    ],
)
def test_digits_that_were_lost_on_the_way_to_the_gap(seed):
    assert not failures([seed], list(SPACINGS))


@pytest.mark.parametrize("seed", [88, 95, 165, 270, 319, 361, 564])
def test_logistic_with_margins_in_the_tails(seed):
    """Where all p are tiny, a dual vector outside its domain by 1e-11 passed for rounding, and ended the work."""
    rng = np.random.default_rng(seed)
    x = rng.standard_cauchy(25)
    y = np.where(rng.permutation(25) < 12, 1.0, -1.0)
    problem = rs.Problem(x, y, 1.0, rs.Logistic(), sample_weight=10.0 ** rng.uniform(-12.0, 12.0, 25))
    solution = rs.solve(problem.with_lam(1e-3 * rs.lambda_max(problem)))
    assert solution.status == "converged"


def test_clusters_by_compiled_passes():
    """Their sums round otherwise: so far that u, orthogonal to rounding, looked like a contradiction."""
    pytest.importorskip("numba")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        solution = rs.solve(instance(4, ["clusters"]), rs.Univariate())
    assert solution.contradiction is None
    assert solution.gap < np.inf


def test_counts_from_none_to_a_million():
    """Poisson on the same spacings and weights: converged, or said not to be, and never contradicted."""
    unconverged = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n = int(np.exp(rng.uniform(np.log(3), np.log(200))))
        x = SPACINGS[rng.choice(["uniform", "ties", "heavy tails"])](rng, n)
        mean = 10.0 ** rng.uniform(-0.5, 6.0) * np.exp(np.sin(9.0 * (x - x.min()) / (np.ptp(x) or 1.0)))
        weight = WEIGHTS[rng.choice(["one", "zeros"])](rng, n)
        problem = rs.Problem(x, rng.poisson(mean), 1.0, rs.Poisson(), sample_weight=weight)
        try:
            problem = problem.with_lam((rs.lambda_max(problem) or 1.0) * 10.0 ** rng.uniform(-6.0, 0.0))
        except rs.ProblemError as words:  # zeros that can be lowered forever
            assert words.argument == "y"  # noqa: PT017
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rs.ConvergenceWarning)
            solution = rs.solve(problem)
        assert solution.contradiction is None
        assert (solution.status == "converged") == (solution.relative_gap <= 1e-8)
        unconverged += solution.status != "converged"
    assert unconverged <= 1  # 0 here
