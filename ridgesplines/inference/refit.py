"""A solution by the loss alone: the same neurons, or knots that have moved."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.unpenalised import unpenalised
from ridgesplines.exceptions import ProblemError
from ridgesplines.inference.free_knots import settled
from ridgesplines.losses.squared import Squared
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.solution import Solution
from ridgesplines.verdict import Status


def refitted(solution: Solution, move_knots: bool = False) -> Solution:
    r"""The neurons of a solution, with amplitudes and affine part by the loss alone.

    .. math:: \min_{v, c, c_0} \; \sum_n s_n L\Big(y_n, \sum_k v_k \rho(w_k^T x_n - b_k) + c^T x_n + c_0\Big)

    The penalty shrinks changes of slope; this does not. For squared error, and *if these neurons are those of the
    truth*, the estimate is unbiased; that the same data chose them is not accounted for.

    Parameters
    ----------
    solution : of any dimension, loss, activation and number of outputs, without constraints.
    move_knots : whether the knots move as well, for d = 1, ReLU, one output and squared error: to a local minimum of

        .. math:: \min_{t, v, c, c_0} \; \sum_n s_n \Big(y_n - \sum_k v_k \rho(x_n - t_k) - c\,x_n - c_0\Big)^2

        which no small move of all knots improves, nor a move of one knot to any of its three best places with a descent
        of all after it. For one knot it is the global minimum. Nothing is proven for more.

    Returns
    -------
    Solution
        Of status ``"refitted"`` or ``"refitted, knots moved"``. It is no minimiser of the penalised problem:
        `objective` and `gap` are those of the penalised problem all the same, the gap by the dual vector of the
        solution, so that they say what the refit costs there. `data_fit` is never above that of the solution, but
        for rounding. Neurons that are affine at all data are left out.

    Raises
    ------
    ProblemError
        For constraints, which a fit by the loss alone need not satisfy, and for skip=False; where the neurons separate
        the classes of Logistic or Softmax; with `move_knots` for another problem than it is for.

    Notes
    -----
    Squared error by least squares, other smooth losses by Newton's method, losses with kinks by a linear program, whose
    minimiser need not be unique. Neurons that are nearly dependent, as they may be in many dimensions at a small lam,
    get large amplitudes of opposite signs: refit solutions of few neurons. O(N) for d = 1 and squared error, O(N K^2)
    in general; O(N K) a move of one knot.

    References
    ----------
    .. [1] A. Belloni, V. Chernozhukov, Least squares after model selection in high-dimensional sparse models, Bernoulli
       19 (2013), 521-547, doi:10.3150/11-BEJ410
    .. [2] P. I. Feder, On asymptotic distribution theory in segmented regression problems -- identified case, Ann.
       Statist. 3 (1975), 49-83, doi:10.1214/aos/1176342999

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(0.0, 4.0, 41)
    >>> solution = rs.solve(rs.Problem(x, np.abs(x - 1.25), lam=1.0))
    >>> bool(abs(solution.segments().slope[0] + 1.0) > 0.1)  # shrunk
    True
    >>> refit = solution.refitted(move_knots=True)
    >>> refit.segments().slope.round(6), refit.network.knots.round(6)
    (array([-1.,  1.]), array([1.25]))
    >>> refit.status, refit.data_fit < 1e-9 < solution.data_fit
    ('refitted, knots moved', True)
    """
    if move_knots:
        require_free_knots(solution.problem)
    if not solution.problem.skip:
        remedy = "Pass skip=True to the problem, or fit its network's amplitudes by least squares."
        raise ProblemError("solution", "a problem with a free affine part, which is fitted too", "skip=False", remedy)
    if solution.isotropic is not solution:
        return refitted(solution.isotropic, move_knots).restored(solution.problem)
    start = time.perf_counter()
    problem, network = solution.problem, solution.network
    network = unpenalised(problem, network)
    history = dict(solution.history)
    if move_knots:
        network, history["knots moved elsewhere"] = _moved(problem, network)
    return replace(
        solution,
        network=network.changed(feature_names=solution.network.feature_names, dates=solution.network.dates),
        status=Status.KNOTS_MOVED if move_knots else Status.REFITTED,
        seconds=solution.seconds + time.perf_counter() - start,
        history=history,
        dictionary_gap=None,
        tolerance=float("inf"),
    )


def require_free_knots(problem: Problem) -> None:
    """Raise a ProblemError where knots cannot be moved by least squares."""
    outputs = "" if problem.n_outputs is None else f", D = {problem.n_outputs} outputs"
    held = ", constraints" if problem.constraints else ", penalise_bias" if problem.penalise_bias else ""
    plain = isinstance(problem.loss, Squared) and isinstance(problem.activation, ReLU)
    if problem.n_features == 1 and plain and not outputs and not held:
        return
    raise ProblemError(
        "solution",
        "one feature, one output, Squared(), ReLU() and no constraints, for knots that move by least squares",
        f"d = {problem.n_features}{outputs}, {problem.loss!r}, {problem.activation!r}{held}",
        "Use solution.refitted(), which leaves the neurons where they are.",
    )


def _moved(problem: Problem, network: RidgeSpline) -> tuple[RidgeSpline, int]:
    """The least-squares spline of knots that have settled, and how often a single knot went elsewhere."""
    scaling = standardise(problem)
    p, net = scaling.problem, scaling.scaled_network(network)
    knots = np.unique(net.breakpoints)
    if not len(knots):
        return network, 0
    found = settled(p.X[:, 0], p.y, p.sample_weight, knots)
    ones, zeros = np.ones((len(knots), 1)), np.zeros(len(knots))
    return unpenalised(problem, scaling.network(RidgeSpline(ones, found.knots, zeros))), found.moves
