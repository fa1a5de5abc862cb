r"""(17), (18) and (32), (33): the representer theorems, by what proves them on data: the dual certificate."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.amplitudes.extreme_points import neuron_bound
from ridgesplines.network.spline import group_norms
from ridgesplines.plotting.style import FIT, KNOT
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solve import solve
from ridgesplines.theorems.instances import scattered
from ridgesplines.theorems.parameters import require_penalty
from ridgesplines.theorems.report import NO_SOLUTION, Report, at_most, timed
from ridgesplines.validation import Array

#: Relative gap, and relative deviation of the certificate from what optimality asks for.
TOLERANCE = 1e-6


def instance(seed: int, d: int = 1) -> tuple[Problem, Solution]:
    """Sixty noisy values, and the solution."""
    problem = scattered(seed, d=d)
    return problem, solve(problem)


@timed
def check(problem: Problem, solution: Solution) -> Report:
    r"""Some solution of (17), of (32), is a network (18), (33) with K < N neurons and a skip connection.

    .. math:: \min_f \sum_n s_n L(y_n, f(x_n)) + \lambda \|D_t^2 K R f\|_M, \qquad
              f(x) = \sum_{k=1}^K v_k \rho(w_k^T x - b_k) + c^T x + c_0

    That no function whatever has a smaller objective is what the dual certificate proves: :math:`\sum_n u_n = 0`,
    :math:`\sum_n u_n x_n = 0`, :math:`|\eta| \le \lambda` at all neurons, :math:`\eta(w_k, b_k) = \lambda\,
    \mathrm{sign}(v_k)`.

    Parameters
    ----------
    problem : the data, loss and lam; of weight zero rows do not count.
    solution : of it, or `rs.evaluate(problem, network)`.

    Returns
    -------
    Report
        It holds where the gap is at most 1e-6 and K is at most N - rank[1 X], times D for D outputs. Where sup|eta| was
        searched, the remark says that nothing is proven; `solution.certify()` first.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Banach space representer theorems for neural networks and ridge splines,
       J. Mach. Learn. Res. 22 (2021), https://jmlr.org/papers/v22/20-583.html

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> rs.theorems.representer(problem, rs.solve(problem)).holds
    True
    """
    require_penalty(problem)
    net, certificate = solution.network, solution.certificate
    proven = certificate.scope.proven
    measures = [
        at_most(f"relative gap ({'proven, ' if proven else ''}{certificate.scope})", solution.relative_gap, TOLERANCE),
        at_most("neurons K, against N - rank[1 X]", net.n_neurons, neuron_bound(problem)),
        at_most("u against affine functions, relative", _against_affine(problem, certificate.dual), 1e-9),
        at_most("sup|eta| over all neurons / lam, less 1", certificate.sup / problem.lam - 1.0, TOLERANCE),
    ]
    if net.n_neurons:
        measures.append(at_most("sum of v eta over lam sum |v|, from 1", _contact(solution), 1e-4))
    remarks = [] if proven else [f"NOT PROVEN: the gap is {solution.scope_words}."]
    remarks += [] if measures[0].holds else [NO_SOLUTION]
    number = "(17), (18)" if problem.n_features == 1 else "(32), (33)"
    claim = f"representer theorem, d = {problem.n_features}: a network with fewer neurons than data is optimal"
    return Report(claim, number, tuple(measures), lambda figure: _draw(figure, solution), tuple(remarks))


def _against_affine(problem: Problem, dual: Array) -> float:
    """The largest of sum u and sum u x, of what they would be without cancellation."""
    A = np.column_stack([np.ones(problem.n_samples), problem.X])
    return float(np.max(np.abs(A.T @ dual).T / np.maximum((np.abs(A).T @ np.abs(dual)).T, np.finfo(float).tiny)))


def _contact(solution: Solution) -> float:
    """The relative distance of the sum of v eta from lam times the seminorm: neurons count by their size."""
    net, lam = solution.network, solution.problem.lam
    eta = solution.certificate.eta(net.weights, net.biases)
    return abs(float(np.sum(net.amplitudes * eta)) / (lam * net.seminorm) - 1.0)


def _draw(figure: Figure, solution: Solution) -> None:
    """The dual certificate at many neurons, largest first, and at the neurons of the network."""
    problem, net = solution.problem, solution.network
    rng = np.random.default_rng(0)
    W = rng.standard_normal((4000, problem.n_features))
    W /= np.linalg.norm(W, axis=1)[:, None]
    b = np.sum(W * problem.X[rng.integers(problem.n_samples, size=len(W))], axis=1)
    left, right = figure.subplots(1, 2)
    predicted = solution.predict(problem.X)
    if problem.loss.translates:
        left.plot(np.ravel(problem.y), np.ravel(predicted), ".", color=FIT)
        left.set(xlabel="y", ylabel="f(x)")
    else:
        left.plot(np.sort(problem.loss.value(problem.y, predicted)), ".", color=FIT)
        left.set(xlabel="datum, by its loss", ylabel="loss")
    left.set_title(f"K = {net.n_neurons} neurons, N = {problem.n_samples} data")
    sizes = group_norms(solution.certificate.eta(W, b)) / problem.lam
    right.plot(np.linspace(0.0, 1.0, len(sizes)), np.sort(sizes)[::-1], color=FIT, label="4000 random neurons")
    own = group_norms(solution.certificate.eta(net.weights, net.biases)) / problem.lam if net.n_neurons else np.empty(0)
    right.plot(np.zeros(len(own)), own, "o", color=KNOT, label="the network's own", clip_on=False)
    right.axhline(1.0, color="black", linewidth=0.8)
    right.set(xlabel="part of the neurons", ylabel="$|\\eta| / \\lambda$", title="the certificate")
    right.legend(frameon=False)
