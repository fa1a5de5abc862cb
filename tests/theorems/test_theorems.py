"""Every claim's check: it holds where it must, and fails on a case that must fail it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from instances import LOSSES, ids
from instances import problem as instance
from scipy.integrate import quad

import ridgesplines as rs
from ridgesplines.cli.main import main
from ridgesplines.theorems import document, rates, registry, report, runs
from ridgesplines.theorems.claims import single_direction as mixed_variation
from ridgesplines.theorems.claims import thresholding as haar
from ridgesplines.theorems.instances import scattered
from ridgesplines.theorems.parameters import train

T = rs.theorems


@pytest.fixture(scope="module")
def problem():
    return scattered(0, n=30)


@pytest.fixture(scope="module")
def solution(problem):
    return rs.solve(problem)


def by_name(name):
    return next(claim for claim in T.CLAIMS if claim.name == name)


def test_balance_fails_on_an_unbalanced_network(problem, solution):
    balanced = T.Parameters.balanced(solution.network)
    assert T.balance(problem, balanced).holds
    doubled = balanced.rescaled(np.full(len(balanced.biases), 2.0))
    failed = T.balance(problem, doubled)
    assert failed.holds is False
    assert [m.holds for m in failed.measures] == [
        False,
        False,
        True,
        True,
    ]  # of rescaling the bound 2 gap / lam is sharp


def test_balance_bound_is_an_inequality_of_any_network(problem):
    # Section III says more than balance at the optimum: half lam times the squared imbalance is part of the gap.
    for seed in range(3):
        parameters = train(problem, 12, seed)
        assert T.balance(problem, parameters).measures[2].holds


@pytest.mark.parametrize("outputs", [None, 2])
def test_training_minimises_weight_decay(outputs):
    # The gradient that L-BFGS is given, against differences of the objective.
    small = scattered(1, n=12, d=2, outputs=outputs)
    from ridgesplines.theorems.claims.balance import objective

    parameters = train(small, 8, 0)
    low = objective(small, parameters)
    rng = np.random.default_rng(0)
    for _ in range(30):
        moved = T.Parameters(*(np.asarray(p) + 1e-3 * rng.standard_normal(np.shape(p)) for p in parameters))
        assert objective(small, moved) > low


@pytest.mark.parametrize("outputs", [None, 2])
def test_weight_decay_fails_away_from_the_optimum(outputs):
    small = scattered(0, n=10, d=2, outputs=outputs, part=0.1)
    optimum = rs.solve(small)
    assert T.weight_decay(small, optimum, [train(small, 24, seed) for seed in range(2)]).holds
    smaller = rs.evaluate(small, rs.solve(small.with_lam(4.0 * small.lam)).network)
    assert T.weight_decay(small, smaller, []).holds is False
    untrained = T.Parameters.balanced(smaller.network)
    assert T.weight_decay(small, optimum, [untrained]).holds is False


def test_second_derivative_fails_on_another_function(solution):
    parameters = T.Parameters.balanced(solution.network)
    assert T.second_derivative(solution.network, parameters).holds
    failed = T.second_derivative(np.sin, parameters)
    assert not any(m.holds for m in failed.measures)


def test_second_derivative_of_weights_of_any_sign():
    W, b, v = np.array([[2.0], [-0.5], [3.0]]), np.array([1.0, 0.3, -2.0]), np.array([1.0, -2.0, 0.5])
    parameters = T.Parameters(W, b, v, np.array([0.7]), np.array(-1.0))
    assert T.second_derivative(parameters.network(), parameters).holds
    wrong = parameters._replace(amplitudes=np.array([1.0, 2.0, 0.5]))
    assert T.second_derivative(parameters.network(), wrong).holds is False


def test_measure_norm_fails_for_the_formula_as_printed():
    measure = rs.radon.LineMeasure([-0.5, 0.0, 0.7], [1.0, -2.0, 0.4])
    assert T.measure_norm(measure, 3.4).holds
    assert T.measure_norm(measure, 0.6).holds is False  # the absolute value around the outer integral
    assert T.measure_norm(measure, 5.0).holds is False


def test_fourier_slice_fails_for_another_transform():
    f, grid, values = registry.slices.instance(1)
    assert T.fourier_slice(f, grid, values).holds
    assert T.fourier_slice(f, grid, 1.01 * values).holds is False
    rough = T.fourier_slice(lambda X: (np.linalg.norm(X, axis=1) < 0.5) * 1.0, grid, values)
    assert not any(m.holds for m in rough.measures)  # sums do not integrate the indicator of a disc


def test_filtered_radon_fails_for_another_activation():
    neuron, relu, w, b = registry.activation_slices.instance(1)
    assert T.filtered_radon(neuron, relu, w, b).holds
    assert T.filtered_radon(neuron, np.abs, w, b, (33, 65)).holds is False
    turned = T.filtered_radon(neuron, relu, np.array([-w[1], w[0]]), b, (33, 65))
    assert [m.holds for m in turned.measures[:2]] == [True, False]


def test_sparsifying_transform_fails_for_another_network():
    f, net = registry.sparsifying.instance(1)
    assert T.sparsifying_transform(f, net).holds
    doubled = rs.RidgeSpline(net.weights, net.biases, 2.0 * net.amplitudes)
    assert T.sparsifying_transform(f, doubled, (33, 65)).holds is False
    assert T.sparsifying_transform(lambda X: np.exp(-((X @ [1.0, 2.0]) ** 2)), net, (33, 65)).holds is False
    cancelling = rs.RidgeSpline([[0.6, 0.8], [-0.6, -0.8]], [0.1, -0.1], [1.0, -1.0])  # an affine function
    assert T.sparsifying_transform(cancelling, cancelling, (33, 65)).measures[0].holds is False


def test_representer_fails_off_the_optimum(problem, solution):
    assert T.representer(problem, solution).holds
    other = rs.solve(problem.with_lam(2.0 * problem.lam)).network
    assert T.representer(problem, rs.evaluate(problem, other)).holds is False


def test_representer_fails_for_as_many_neurons_as_data(problem, solution):
    net = solution.network
    parts = 10  # every neuron in ten parts: the same function, as optimal as before, K >= N
    many = rs.RidgeSpline(
        np.repeat(net.weights, parts, axis=0),
        np.repeat(net.biases, parts),
        np.repeat(net.amplitudes, parts) / parts,
        net.slope,
        net.offset,
    )
    assert many.n_neurons >= problem.n_samples
    failed = T.representer(problem, rs.evaluate(problem, many))
    assert [m.what for m in failed.measures if not m.holds] == ["neurons K, against N - rank[1 X]"]


def test_representer_says_that_a_search_proves_nothing():
    p = scattered(0, n=25, d=3)
    searched = rs.solve(p)
    assert searched.certificate.scope == "searched"
    found = T.representer(p, searched)
    assert "NOT PROVEN" in str(found)
    assert "proven, exact" not in str(found)
    assert "NOT PROVEN" not in str(T.representer(p, searched.certify()))


def test_interpolation_without_a_penalty_is_refused():
    p = rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], 0.0, rs.Interpolation())
    with pytest.raises(rs.ProblemError, match="lam=1"):
        T.verify_on(rs.solve(p))
    assert all(r.holds for r in T.verify_on(rs.solve(p.with_lam(1.0))))


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_claims_hold_for_every_loss(loss):
    reports = T.verify_on(rs.solve(instance(loss, 20)))
    assert len(reports) >= 3
    assert all(r.holds for r in reports)
    assert all(r.plot().axes for r in reports)


def test_second_derivative_of_knots_that_lie_close():
    net = rs.RidgeSpline(np.ones((3, 1)), [0.0, 1e-4, 5.0], [1.0, -3.0, 2.0])
    assert T.second_derivative(net, T.Parameters.balanced(net)).holds


def test_linear_spline_fails_on_the_connected_dots():
    x, y, net = registry.interpolants.instance(0)
    assert T.linear_spline(x, y, net).holds
    dots = T.linear_spline(x, y, rs.RidgeSpline.through(x, y))  # as little variation, and more knots
    assert [m.holds for m in dots.measures] == [True, True, False]
    assert T.linear_spline(x, y + 0.01 * np.sin(9.0 * x), net).holds is False


def test_solution_set_fails_on_what_is_no_minimiser():
    problem, solution = registry.minimisers.instance(0)
    assert T.solution_set(problem, solution).holds
    x = np.arange(12.0)
    smoothed = rs.Problem(x, np.abs(x - 4.3) + 0.1 * np.cos(9.0 * x), 0.1)
    other = rs.Problem(x, smoothed.y + 0.01 * np.sin(5.0 * x), 0.1)
    assert T.solution_set(smoothed, rs.solve(smoothed)).holds
    assert not T.solution_set(other, rs.solve(smoothed)).measures[1].holds


def test_one_minimiser_fails_where_there_are_several():
    """The corners of a square, of which two opposite ones are high: a roof along either diagonal."""
    square = rs.Problem([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 1.0, 1.0, 0.0], 0.1)
    solution = rs.solve(square)
    assert [m.holds for m in T.one_minimiser(square, solution).measures] == [False, False, False]
    assert by_name("one minimiser, d = 2").run_on(solution) is None
    problem, unique = registry.single.instance(3)
    worse = rs.evaluate(problem, unique.network.changed(amplitudes=0.5 * unique.network.amplitudes))
    assert T.one_minimiser(problem, unique).holds
    assert not T.one_minimiser(problem, worse).measures[0].holds


def test_haar_is_orthonormal_and_inverted():
    rng = np.random.default_rng(0)
    for shape in ((16,), (8, 8), (4, 4, 4)):
        values = rng.standard_normal(shape)
        assert np.sum(haar.haar(values) ** 2) == pytest.approx(np.mean(values**2))
        assert haar.inverse_haar(haar.haar(values)) == pytest.approx(values)
    step = np.repeat([1.0, -1.0], 8)  # itself a wavelet
    assert np.flatnonzero(np.abs(haar.haar(step)) > 1e-12).tolist() == [1]


def test_table_one_fails_for_another_symbol():
    class Wrong(rs.ReLU):
        def symbol(self, omega):
            return -1.01 * super().symbol(omega)

    assert [m.holds for m in T.table_one([Wrong()]).measures] == [False, True, True]

    class Constant(Wrong):
        degree = 0
        homogeneity = 2

    assert not any(m.holds for m in T.table_one([Constant()]).measures)


def test_thresholding_fails_in_a_basis_that_is_not_orthonormal():
    functions = registry.haar.instance(0, seeds=2)[0]
    chosen = {"d = 2": functions["d = 2, just summable"]}
    assert T.thresholding(chosen).measures[0].holds
    assert T.thresholding(chosen, lambda values: 2.0 * haar.haar(values)).measures[0].holds is False


def test_thresholding_fails_on_noise():
    rng = np.random.default_rng(0)
    failed = T.thresholding({"noise": [rng.standard_normal((64, 64)) for _ in range(4)]})
    assert failed.measures[-1].holds is False
    assert "worse than the bound" in failed.remarks[0]


def test_maurey_fails_off_the_dictionary():
    rng = np.random.default_rng(0)
    targets = [T.target(rng, 4, points=150, atoms=200) for _ in range(4)]
    terms = np.array([2, 4, 8, 16])
    assert T.maurey({"d = 4": targets}, terms).measures[0].holds
    noise = [f._replace(values=rng.standard_normal(150)) for f in targets]
    failed = T.maurey({"noise": noise}, terms)
    assert [m.holds for m in failed.measures] == [False, False]


def test_greedy_projects():
    # Against least squares on the atoms that it must have taken.
    rng = np.random.default_rng(0)
    atoms, values = rng.standard_normal((30, 6)), rng.standard_normal(30)
    errors = registry.greedy.greedy(values, atoms, 6)
    residual = values - atoms @ np.linalg.lstsq(atoms, values, rcond=None)[0]
    assert errors[-1] == pytest.approx(np.mean(residual**2))
    assert errors[0] == pytest.approx(np.mean(values**2))
    assert (np.diff(errors) <= 0.0).all()


def test_estimation_fails_for_a_slow_rate():
    sizes = np.array([50.0, 100.0, 200.0])
    spread = np.array([1.0, 1.1, 0.9])
    fast, slow = np.outer(spread, sizes**-0.6), np.outer(spread, sizes**-0.3)
    assert T.estimation_rate(sizes, {"d = 3": T.Errors(fast, slow)}).holds
    failed = T.estimation_rate(sizes, {"d = 3": T.Errors(slow, 0.5 * slow)})
    assert failed.holds is False
    assert "LINEAR" in failed.remarks[1]


def test_a_simulation_of_the_error():
    errors = registry.estimation.simulate(registry.estimation.zigzag, 2, range(2), np.array([30, 60]))
    assert errors.network.shape == errors.kernel.shape == (2, 2)
    assert (errors.network > 0.0).all()
    assert (errors.network < 3.0).all()


def test_the_minimax_rate_is_asked_of_each_dimension():
    # N^(-0.75) is as fast as the rate of d = 2 asks, not of d = 1; N^(-1/2) is too slow for both.
    n = np.array([50.0, 100.0, 200.0])
    errors = np.outer([1.0, 1.01, 0.99], n**-0.75)
    found = T.minimax_rate({f"d = {d}": T.RuleErrors(d, n, errors, errors) for d in (1, 2)})
    assert [m.holds for m in found.measures] == [False, True]
    slow = np.outer([1.0, 1.01, 0.99], n**-0.5)
    assert not any(m.holds for m in T.minimax_rate({"d = 2": T.RuleErrors(2, n, slow, slow)}).measures)
    assert "is 1.00 times" in found.remarks[-1]


def test_the_minimax_rule_is_the_smaller_lam_of_many_data():
    rule, root = registry.minimax.minimax_rule, registry.estimation.root_rule
    for d in (1, 2, 10):
        exponents = [np.log(f(40_000, d) / f(10_000, d)) / np.log(4.0) for f in (rule, root)]
        assert exponents == pytest.approx([d / (2 * d + 3), 0.5])
    small = registry.minimax.simulate(registry.estimation.smooth, 1, range(3), np.array([50, 400]))
    text = registry.estimation.simulate(registry.estimation.smooth, 1, range(3), np.array([50, 400]))
    np.testing.assert_array_equal(small.root, text.network)  # the same data, the same lam
    assert (small.minimax[:, 1] < small.root[:, 1]).all()


def test_approximation_fails_off_the_span_of_neurons():
    rng = np.random.default_rng(0)
    terms = np.array([6, 12, 24])
    for d, points in ((1, 400), (2, 150)):
        targets = [T.integral(rng, d, points) for _ in range(6)]
        assert T.approximation_rate({"neurons": targets}, terms).holds
        noise = [f._replace(values=rng.standard_normal(points)) for f in targets]
        assert T.approximation_rate({"noise": noise}, terms).holds is False


def test_integrals_over_neurons_are_sums_of_them():
    f = T.integral(np.random.default_rng(3), 1, points=40)
    rng = np.random.default_rng(3)  # the same draws again, the integral by scipy's quadrature
    X = rng.standard_normal((40, 1))
    X *= (rng.random(40) / np.linalg.norm(X, axis=1))[:, None]
    p, q, r = 2.0 * rng.standard_normal(1)[0], 2.0 * rng.standard_normal(), rng.uniform(0.0, 2.0 * np.pi)

    def density(w, b):
        return np.sin(p * w + q * b + r)

    def along(w, weigh):
        return quad(lambda b: weigh(w, b), -1.0, 1.0, limit=400)[0]

    total = sum(along(w, lambda w, b: abs(density(w, b))) for w in (1.0, -1.0))
    for x, value in zip(X[:5, 0], f.values, strict=False):
        exact = sum(along(w, lambda w, b, x=x: max(w * x - b, 0.0) * density(w, b)) for w in (1.0, -1.0)) / total
        assert value == pytest.approx(exact, abs=1e-5)


def test_greedy_selection_from_all_neurons_takes_the_best():
    # Against brute force over the knots, with least squares.
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, 30)
    f = T.Sampled(x[:, None], np.sin(4.0 * x) + 0.1 * rng.standard_normal(30))
    errors, taken = registry.approximation.greedy_continuum(f, 6), [np.ones(30), x]
    atoms = np.maximum(np.subtract.outer(x, np.sort(x)), 0.0)
    for error in errors:
        basis = np.column_stack(taken)
        missing = f.values - basis @ np.linalg.lstsq(basis, f.values, rcond=None)[0]
        assert error == pytest.approx(np.mean(missing**2))
        taken.append(atoms[:, np.argmax(np.abs(missing @ atoms))])
    assert len(errors) == 5


def test_approximation_says_where_it_cannot_run():
    f = T.integral(np.random.default_rng(0), 1, points=20)
    cube = T.Sampled(np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3)), np.zeros(20))
    with pytest.raises(rs.ProblemError, match="in a plane"):
        registry.approximation.greedy_continuum(cube, 5)
    with pytest.raises(rs.ProblemError, match="d \\+ 1 = 2"):
        T.approximation_rate({"d = 1": [f]}, np.array([1, 4]))
    with pytest.raises(rs.ProblemError, match="1 or 2"):
        T.integral(np.random.default_rng(0), 3)


def test_single_direction_fails_for_many_directions():
    rng = np.random.default_rng(0)
    found = mixed_variation.instance(0, dimensions=(2,), seeds=1, n=120)[0]
    assert T.single_direction(found).holds
    X = rng.uniform(-1.0, 1.0, (120, 2))
    y = sum(mixed_variation.zigzag(X[:, i]) for i in range(2))  # Fig. 6c: strong variation along both axes
    net = rs.solve(rs.Problem(X, y, 1.0)).network
    assert T.single_direction({"d = 2": [T.Ridge(net, np.array([0.8, 0.6]))]}).holds is False
    assert mixed_variation.direction(net)[1] < 0.9


def test_rates_need_narrow_intervals():
    n = np.array([10.0, 100.0])
    sure = rates.slope(n, np.stack([1.0 / n, 1.5 / n, 2.0 / n]))
    unsure = rates.slope(n, np.stack([n**-3.0, n**1.0, n**-1.0]))
    assert report.rate("", sure, -1.0 + 1e-9).holds
    assert not report.rate("", sure, -1.1).holds
    assert unsure.low < -1.0
    assert not report.rate("", unsure, -1.0).holds
    assert not report.at_most("", np.nan, 1.0).holds
    assert not report.at_least("", np.nan, 1.0).holds


def test_slopes_have_the_coverage_that_they_claim():
    rng = np.random.default_rng(0)
    n = np.array([10.0, 20.0, 40.0, 80.0])
    inside = [
        found.low <= -0.5 <= found.high
        for found in (rates.slope(n, n**-0.5 * np.exp(0.3 * rng.standard_normal((6, 4)))) for _ in range(400))
    ]
    assert 0.92 <= np.mean(inside) <= 0.98


def test_deep_claims_fail_where_they_must():
    torch = pytest.importorskip("torch")
    from ridgesplines.torch.balancing import rebalance
    from ridgesplines.torch.decay import WeightDecay
    from ridgesplines.torch.deep import DeepRidgeSpline

    p = scattered(0, n=20, d=2, part=0.1)
    method = WeightDecay(epochs=40, learning_rate=0.01)
    assert T.deep(DeepRidgeSpline((10, 10), (1,)).train(p, method).refine()).holds
    bare = DeepRidgeSpline((10, 10), (1,), skip=False).train(p, method)
    assert [m.what for m in T.deep(bare).measures if not m.holds] == ["layers with a skip connection"]

    torch.manual_seed(0)
    layers = [torch.nn.Linear(2, 6), torch.nn.ReLU(), torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1)]
    module = torch.nn.Sequential(*layers).double()
    assert T.deep_weight_decay(module, rebalance(module)).holds
    assert T.deep_weight_decay(module, module).holds is False


def test_without_torch_a_claim_is_neither_true_nor_false(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    missing = by_name("deep networks").run()
    assert missing.holds is None
    assert missing.verdict == "not run"
    assert "pip install 'ridgesplines[torch]'" in str(missing)


QUICK = ("neural balance", "second derivatives", "activations", "representer theorem, d = 2", "thresholding")


@pytest.mark.parametrize("claim", [c for c in T.CLAIMS if c.name in QUICK], ids=lambda c: c.name)
def test_instances_hold_for_other_seeds(claim):
    for seed in (1, 2):
        assert claim.run(seed).holds


def test_pages(tmp_path, problem, solution):
    good = T.representer(problem, solution)
    bad = T.representer(problem, rs.evaluate(problem, rs.RidgeSpline([[1.0]], [0.0], [1.0])))
    absent = report.Report("deep networks", "", (), lambda figure: None, missing="needs torch")
    page, text = tmp_path / "report.html", tmp_path / "report.md"
    for path in (page, text):
        T.write([good, bad, absent], path, seed=7)
        words = path.read_text()
        for said in ("Parhi", "Nowak", "10.1109/MSP.2023.3286988", f"ridgesplines {rs.__version__}", "seed 7"):
            assert said in words
        assert re.search(r"\b20\d\d-\d\d-\d\d\b", words)
    T.write([good], tmp_path / "own.md")
    assert "objects of your own" in (tmp_path / "own.md").read_text()
    html = page.read_text()
    assert html.count("<img alt=") == html.count("src='data:image/png;base64,") == 2
    assert not re.search(r"(src|href)='(?!data:|#)", html)  # nothing is fetched
    assert "<span class='FAILS'>FAILS</span>" in html
    assert "needs torch" in html
    assert "1 of 3 claims hold, 1 FAIL, 1 not run" in document.summary([good, bad, absent])
    pictures = re.findall(r"!\[.*\]\((.*)\)", text.read_text())
    assert len(pictures) == 2
    assert all((tmp_path / picture).stat().st_size > 5_000 for picture in pictures)


def test_no_two_claims_share_a_title():
    """Those of one check differ by their problem; each file of a check has a title of its own."""
    problems = [scattered(0, n=10), scattered(0, n=10, d=2), scattered(0, n=10, d=2, outputs=2)]
    titles = [T.representer(p, rs.solve(p)).claim for p in problems[:2]]
    titles += [T.weight_decay(p, rs.solve(p), []).claim for p in problems]
    folder = Path(registry.__file__).parent / "claims"
    fixed = [re.search(r'claim = ("[^"]+")', path.read_text()) for path in sorted(folder.glob("*.py"))]
    titles += [found[1] for found in fixed if found]
    assert len(titles) == len(T.CLAIMS)
    assert len(set(titles)) == len(titles)
    assert len({claim.name for claim in T.CLAIMS}) == len(T.CLAIMS)


def test_verify_names_what_was_checked(monkeypatch, capsys):
    monkeypatch.setattr(T, "verify", lambda *args, **kwargs: [])
    assert main(["verify", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert "doi:10.1109/MSP.2023.3286988" in printed
    assert f"ridgesplines {rs.__version__}, on instances of seed 3, 20" in printed


def test_verify_says_loudly_what_fails(monkeypatch, tmp_path, capsys, problem, solution):
    wrong = rs.evaluate(problem, rs.RidgeSpline([[1.0]], [0.0], [1.0]))
    claims = [
        registry.Claim("right", T.representer, lambda seed: (problem, solution)),
        registry.Claim("wrong", T.representer, lambda seed: (problem, wrong)),
    ]
    monkeypatch.setattr(T, "verify", lambda *args, **kwargs: runs.verify(*args, **kwargs, claims=claims))
    assert main(["verify", "--report", str(tmp_path / "report.html")]) == 1
    out = capsys.readouterr()
    assert "holds    (17), (18)" in out.out
    assert "FAILS    (17), (18)" in out.out
    assert "FAILED: (17), (18)" in out.err
    assert "[##########..........] 1/2" in out.err
    assert (tmp_path / "report.html").exists()
    claims.pop()
    assert main(["verify"]) == 0


def test_verify_thorough_takes_more_seeds(problem, solution):
    seeds = []
    claim = registry.Claim("again", T.representer, lambda seed: (seeds.append(seed), (problem, solution))[1])
    assert all(r.holds for r in runs.verify(3, thorough=True, claims=[claim]))
    assert seeds == [3, 4, 5, 6, 7]


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    x = np.sort(rng.random(30))
    path = tmp_path / "data.csv"
    path.write_text(
        "a,b,y\n" + "".join(f"{t:.4f},{rng.random():.4f},{abs(t - 0.4) + 0.1 * rng.random():.4f}\n" for t in x)
    )
    return path


def test_verify_on_data(table, capsys):
    assert main(["verify", "--data", str(table), "--features", "a"]) == 0
    out = capsys.readouterr().out
    assert "target        y" in out
    assert out.count("\nholds") == 6
    assert main(["verify", "--data", str(table), "--target", "y"]) == 0
    assert "(32), (33)" in capsys.readouterr().out


def test_verify_a_network_that_is_not_optimal(table, tmp_path, capsys):
    net = tmp_path / "net.npz"
    rs.RidgeSpline([[1.0]], [0.5], [1.0], feature_names=("a",)).save(net)
    assert main(["verify", "--data", str(table), "--target", "y", "--network", str(net)]) == 1
    out = capsys.readouterr()
    assert "FAILED: (17), (18)" in out.err
    assert "what fails is the network" in out.out
    assert main(["verify", "--network", str(net)]) == 2
    assert "--data" in capsys.readouterr().err
    assert main(["verify", "--report", "report.txt"]) == 2
    assert main(["verify", "--seed", "-1"]) == 2


def test_theorems_are_loaded_on_request():
    code = "import sys, ridgesplines as rs; print('matplotlib' in sys.modules, len(rs.theorems.CLAIMS) > 9)"
    code += "; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "True", "False"]
