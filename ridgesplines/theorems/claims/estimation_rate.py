r"""Section VI: the mean integrated squared error falls like N^(-1/2) or faster, whatever the dimension."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from ridgesplines.exceptions import ConvergenceWarning
from ridgesplines.problem import Problem
from ridgesplines.solve import solve
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.theorems.rates import compared, draw_rates, interval, slope
from ridgesplines.theorems.report import Report, rate, timed
from ridgesplines.validation import Array

#: Numbers of data, the noise's standard deviation, and lam = RULE * NOISE * sqrt(N), the same in every dimension.
SIZES = np.array([50, 100, 200, 400])
NOISE, RULE = 0.5, 0.3
#: Random points of the cube over which squared errors are averaged.
PROBES = 1500
#: Simulations by dimension; those of `--thorough`.
SEEDS = {1: 16, 2: 16, 5: 5}
THOROUGH = {1: 40, 2: 40, 5: 10, 10: 3}

#: Data X (N, d), y (N,), probes, the truth there -> the mean squared error of a fit at the probes.
Method = Callable[[Array, Array, Array, Array], float]
#: N, d -> lambda.
Rule = Callable[[int, int], float]


class Errors(NamedTuple):
    """Integrated squared errors of networks and of the kernel method, shape (seeds, sizes) each.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> errors = rs.theorems.Errors(network=np.array([[0.4, 0.2]]), kernel=np.array([[0.4, 0.3]]))
    >>> bool((errors.network <= errors.kernel).all())
    True
    """

    network: Array
    kernel: Array


def zigzag(t: Array) -> Array:
    """Bends at -1/2, 0 and 1/2: strong variation, of seminorm 20."""
    return np.maximum(np.subtract.outer(t, [-0.5, 0.0, 0.5]), 0.0) @ [4.0, -8.0, 8.0]


def smooth(t: Array) -> Array:
    """A wave without corners."""
    return np.sin(4.0 * t)


def instance(seed: int, thorough: bool = False) -> tuple[Array, Mapping[str, Errors]]:
    """A zigzag along the cube's diagonal in each dimension, and in d = 1 a smooth function."""
    plan = THOROUGH if thorough else SEEDS
    errors = {f"d = {d}": simulate(zigzag, d, range(seed, seed + seeds)) for d, seeds in plan.items()}
    errors["d = 1, smooth"] = simulate(smooth, 1, range(seed, seed + plan[1]))
    return SIZES, errors


def simulate(profile: Callable[[Array], Array], d: int, seeds: range, sizes: Array = SIZES) -> Errors:
    """Both methods on the same data, of `squared_errors`."""
    return Errors(*squared_errors(profile, d, seeds, sizes, (network_error, _best_kernel)))


def squared_errors(
    profile: Callable[[Array], Array], d: int, seeds: range, sizes: Array, methods: Sequence[Method]
) -> Array:
    """N noisy values of profile((x_1 + ... + x_d) / sqrt(d)), x uniform on [-1, 1]^d, fitted by all methods.

    Integrated squared errors, shape (methods, seeds, sizes).
    """
    errors = np.empty((len(methods), len(seeds), len(sizes)))
    for i, seed in enumerate(seeds):
        rng = np.random.default_rng([seed, d])
        probes = rng.uniform(-1.0, 1.0, (PROBES, d))
        truth = profile(probes.sum(axis=1) / np.sqrt(d))
        for j, n in enumerate(sizes):
            X = rng.uniform(-1.0, 1.0, (n, d))
            y = profile(X.sum(axis=1) / np.sqrt(d)) + NOISE * rng.standard_normal(n)
            errors[:, i, j] = [method(X, y, probes, truth) for method in methods]
    return errors


def root_rule(n: int, d: int) -> float:
    """The lambda of the text, proportional to the noise's norm."""
    return RULE * NOISE * float(np.sqrt(n))


def network_error(X: Array, y: Array, probes: Array, truth: Array, rule: Rule = root_rule) -> float:
    """That of the solution of (17) or (32), within 1e-3 of the optimum: certified for d <= 2, estimated beyond."""
    problem = Problem(X, y, rule(*X.shape))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a gap a little larger than asked for is no matter here
        net = solve(problem, ColumnGeneration(tol=1e-3) if X.shape[1] > 1 else None).network
    return float(np.mean((net(probes) - truth) ** 2))


def _best_kernel(X: Array, y: Array, probes: Array, truth: Array) -> float:
    """The error of Gaussian kernel regression, bandwidth and penalty chosen by the error itself: its best case."""
    best, own, other = np.inf, cdist(X, X, "sqeuclidean"), cdist(probes, X, "sqeuclidean")
    for width in 2.0 ** np.arange(-2.0, 3.0):
        values, vectors = np.linalg.eigh(np.exp(-own / (2.0 * width**2)))
        features = np.exp(-other / (2.0 * width**2)) @ vectors
        for penalty in 10.0 ** np.arange(-3.0, 2.5, 0.5):
            fit = y.mean() + features @ (vectors.T @ (y - y.mean()) / (values + penalty))
            best = min(best, float(np.mean((fit - truth) ** 2)))
    return best


@timed
def check(sizes: Array, errors: Mapping[str, Errors]) -> Report:
    r"""The mean integrated squared error of the solution decays like :math:`N^{-1/2}` or faster in every dimension.

    .. math:: E \|f - f_N\|_{L^2(\Omega)}^2 \lesssim N^{-1/2}, \qquad y_n = f(x_n) + \varepsilon_n, \quad
              f \in RBV^2(R^d)

    Parameters
    ----------
    sizes : N, shape (S,).
    errors : by name, such as the dimension; the kernel method stands beside and decides nothing.

    Returns
    -------
    Report
        It holds where no network's rate is shallower than -1/2. The remarks say where a rate is better than the bound,
        and which method has the smaller error.

    Notes
    -----
    The minimax rate over bounded sets of :math:`RBV^2(R^d)` is :math:`N^{-(d+3)/(2d+3)}` up to logarithms, that of
    linear methods, kernels among them, no better than :math:`N^{-3/(d+3)}` [1]_. A single f, of few neurons, may be
    easier than the worst, and a few hundred data are no limit: the figures are of this simulation.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Near-minimax optimal estimation with shallow ReLU neural networks, IEEE Trans. Inf.
       Theory 69 (2023), doi:10.1109/TIT.2022.3208653

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> sizes = np.array([50.0, 100.0, 200.0])
    >>> falls = np.outer([1.0, 1.2, 0.9], sizes**-0.7)
    >>> rs.theorems.estimation_rate(sizes, {"d = 3": rs.theorems.Errors(falls, falls)}).holds
    True
    """
    slopes = {name: slope(sizes, each.network) for name, each in errors.items()}
    measures = tuple(rate(f"exponent of N, {name}", each, -0.5) for name, each in slopes.items())
    remarks = [compared(name, each, -0.5) for name, each in slopes.items()]
    remarks += [_winner(f"{name}, N = {sizes[-1]:g}", sizes, each) for name, each in errors.items()]
    claim = "the mean integrated squared error falls like N^(-1/2) or faster in every dimension"
    return Report(claim, "Section VI", measures, lambda figure: _draw(figure, sizes, errors), tuple(remarks))


def _winner(where: str, sizes: Array, errors: Errors) -> str:
    """The method with the smaller error on the most data, in words; paired, as both saw the same data."""
    ratio = interval(np.log(errors.network[:, -1] / errors.kernel[:, -1]))
    words = "neither method has the smaller error, as far as so many seeds can tell"
    if ratio.high < 0.0:
        words = "the network has the smaller error"
    elif ratio.low > 0.0:
        words = "the LINEAR method has the smaller error"
    network, kernel = errors.network[:, -1].mean(), errors.kernel[:, -1].mean()
    return (
        f"{where}: {words}: {network:.3g} for the network, {kernel:.3g} for the kernel method, whose rate is "
        f"{slope(sizes, errors.kernel)} and whose two parameters were chosen knowing f."
    )


def _draw(figure: Figure, sizes: Array, errors: Mapping[str, Errors]) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    draw_rates(left, sizes, {name: each.network for name, each in errors.items()}, -0.5)
    draw_rates(right, sizes, {name: each.kernel for name, each in errors.items()}, -0.5)
    left.set(xlabel="N", ylabel="integrated squared error", title="ridge splines")
    right.set(xlabel="N", title="Gaussian kernel, best parameters")
