r"""Section III, the neural balance theorem: at a solution every unit has input and output weights of equal norm."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.objective import data_fit
from ridgesplines.plotting.style import FIT, KNOT
from ridgesplines.problem import Problem
from ridgesplines.solve import solve
from ridgesplines.theorems.instances import scattered
from ridgesplines.theorems.parameters import Parameters, require_penalty, train
from ridgesplines.theorems.report import NO_SOLUTION, Report, at_most, timed
from ridgesplines.validation import Array


def instance(seed: int) -> tuple[Problem, Parameters]:
    """The best of three networks that L-BFGS trains with weight decay, from weights that are not balanced."""
    problem = scattered(seed)
    trained = [train(problem, 40, start) for start in range(3)]
    return problem, min(trained, key=lambda p: objective(problem, p))


def objective(problem: Problem, parameters: Parameters) -> float:
    """The objective (8)."""
    return data_fit(problem.reduced, parameters.network()) + problem.lam * parameters.decay


@timed
def check(problem: Problem, parameters: Parameters) -> Report:
    r"""Neural balance (Section III): where weight decay is minimal, :math:`\|w_k\|_2 = \|v_k\|_2` for every neuron.

    Rescaling a unit to :math:`(\gamma w, \gamma b, v/\gamma)` changes no value of f, and
    :math:`\|\gamma w\|^2 + \|v/\gamma\|^2` is least where both are equal. So a network that is within g of the minimum
    of (8) has

    .. math:: \sum_k (\|w_k\|_2 - \|v_k\|_2)^2 \le 2 g / \lambda .

    Parameters
    ----------
    problem : what the network was trained for.
    parameters : its weights as they are, such as ``Parameters.balanced(network)``.

    Returns
    -------
    Report
        It holds where the network solves (8) to a relative 1e-2, by the dual certificate of the convex solution (proven
        for d <= 2, an estimate where it was searched), and no imbalance is above 5 % of the largest norm.

    References
    ----------
    .. [1] L. Yang, J. Zhang, J. Shenouda, D. Papailiopoulos, K. Lee, R. D. Nowak, PathProx: a proximal gradient
       algorithm for weight decay regularized deep neural networks, 2022, Theorem 1, arXiv:2210.03069

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> balanced = rs.theorems.Parameters.balanced(rs.solve(problem).network)
    >>> rs.theorems.balance(problem, balanced).holds
    True
    """
    require_penalty(problem)
    inputs, outputs = parameters.norms
    gap = objective(problem, parameters) - solve(problem).certificate.value
    largest = max(float(inputs.max(initial=0.0)), float(outputs.max(initial=0.0))) or 1.0
    gamma = np.random.default_rng(0).uniform(0.5, 2.0, len(inputs))
    moved = parameters.rescaled(gamma)(problem.X) - parameters(problem.X)
    measures = (
        at_most("relative gap of (8)", gap / (objective(problem, parameters) or 1.0), 1e-2),
        at_most(
            "largest | |w| - |v| |, of the largest norm",
            float(np.abs(inputs - outputs).max(initial=0.0)) / largest,
            0.05,
        ),
        at_most(
            "sum of (|w| - |v|)^2, against 2 gap / lam",
            float(((inputs - outputs) ** 2).sum()),
            2.0 * gap / problem.lam + 1e-12 * largest**2,
        ),
        at_most(
            "change of f where units are rescaled, relative",
            float(np.abs(moved).max() / (np.abs(parameters(problem.X)).max() or 1.0)),
            1e-10,
        ),
    )
    claim = "neural balance: where weight decay is minimal, every unit's input and output weights have equal norms"
    remarks = () if measures[0].holds else (NO_SOLUTION,)
    return Report(claim, "Section III", measures, lambda figure: _draw(figure, inputs, outputs), remarks)


def _draw(figure: Figure, inputs: Array, outputs: Array) -> None:
    """Each unit's two norms; and what weight decay costs when a unit is rescaled."""
    left, right = figure.subplots(1, 2)
    top = 1.05 * max(inputs.max(initial=1e-3), outputs.max(initial=1e-3))
    left.plot([0.0, top], [0.0, top], color="black", linewidth=0.8)
    left.plot(inputs, outputs, "o", color=KNOT, alpha=0.7)
    left.set(xlabel="norm of input weights", ylabel="norm of output weights", title="each unit lies on the diagonal")
    gamma = np.geomspace(0.4, 2.5, 100)
    for w, v in zip(inputs, outputs, strict=True):
        right.plot(gamma, ((gamma * w) ** 2 + (v / gamma) ** 2) / 2.0, color=FIT, alpha=0.6)
    right.axvline(1.0, color="black", linewidth=0.8)
    right.set(xlabel="rescaling $\\gamma$", ylabel="weight decay of a unit", title="rescaling cannot lower it")
