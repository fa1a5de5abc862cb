r"""The same neurons by the loss alone: the amplitudes and the part in the null space that no penalty shrinks.

.. math:: \min_{v, c, c_0} \; \sum_n s_n L\Big(y_n, \sum_k v_k \rho(w_k^T x_n - b_k) + c^T x_n + c_0\Big)
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.affine import recedes
from ridgesplines.amplitudes.design import Design, design
from ridgesplines.amplitudes.linear_program import linear_program
from ridgesplines.amplitudes.newton import Face, descend
from ridgesplines.constraints import Places
from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.validation import Array

#: Columns that depend on the others up to this, relatively, leave the fit open: then the smallest change counts.
RANK_RTOL = 1e-10


def unpenalised(problem: Problem, network: RidgeSpline) -> RidgeSpline:
    """The network with the same neurons whose weighted sum of losses is the smallest.

    Neurons that are affine at all data, which these leave open, are left out. Where some combination of the others is,
    the amplitudes change by as little as they can.

    Raises
    ------
    ProblemError
        For constraints but those on the places of knots; and where the neurons separate the classes of Logistic or
        Softmax, so that the loss has an infimum and no minimiser.
    """
    if any(not isinstance(constraint, Places) for constraint in problem.constraints):
        raise ProblemError(
            "solution",
            "a problem without constraints but on knots, to fit by the loss alone",
            ", ".join(map(repr, problem.constraints)),
            "The fit by the loss alone need not satisfy them: solve with a smaller lam instead.",
        )
    if problem.loss.interpolates:
        return network  # it meets all data: there is no loss to lower
    scaling = standardise(problem.unconstrained.with_slope_penalty(0.0))
    p, net = scaling.problem, scaling.scaled_network(network)
    if p.n_features == 1 and isinstance(p.activation, ReLU):
        net = _within(net, float(p.X.min()), float(p.X.max()))
    matrices, start = design(p, net.weights, net.biases)
    _require_minimiser(p, matrices)
    if not p.loss.smooth:
        return scaling.network(_by_linear_program(p, matrices, net))
    theta = start(net)
    if p.loss.quadratic:
        theta = theta + _least_squares(p, matrices, p.y - matrices.basis @ theta)
    else:
        none = sparse.csr_array((0, matrices.basis.shape[1]))  # no amplitude stops a step where it reaches zero
        theta = descend(Face(p, matrices.basis, none), theta)[0]
    return scaling.network(matrices.read(theta))


def _within(net: RidgeSpline, low: float, high: float) -> RidgeSpline:
    """Without the knots beyond the data, whose neurons are straight there; the part that they are is kept."""
    t = net.breakpoints
    inside = (t > low) & (t < high)
    if inside.all():
        return net
    line = net.changed(weights=net.weights[~inside], biases=net.biases[~inside], amplitudes=net.amplitudes[~inside])
    ends = line(np.array([low, high]))
    slope = (ends[1] - ends[0]) / (high - low)
    kept = {name: getattr(net, name)[inside] for name in ("weights", "biases", "amplitudes")}
    return net.changed(**kept, slope=slope[None], offset=ends[0] - low * slope)


def _least_squares(problem: Problem, matrices: Design, residual: Array) -> Array:
    """The smallest theta that fits the residual best, by a decomposition that squares no matrix where it is dense."""
    root = np.sqrt(problem.sample_weight)
    if sparse.issparse(matrices.basis):
        return _banded(sparse.diags_array(root) @ matrices.basis, (residual.T * root).T)
    return np.linalg.lstsq(root[:, None] * matrices.basis, (residual.T * root).T, rcond=RANK_RTOL)[0]


def _banded(B: sparse.csr_array, residual: Array) -> Array:
    """Hat functions: by their tridiagonal products; by a decomposition where some of them see too few data."""
    from scipy.linalg import LinAlgError, solveh_banded

    gram = B.T @ B
    bands = np.zeros((2, B.shape[1]))
    bands[1], bands[0, 1:] = gram.diagonal(), gram.diagonal(1)
    if bands[1].min() > RANK_RTOL * bands[1].max():
        try:
            theta = solveh_banded(bands, B.T @ residual)
            return theta + solveh_banded(bands, B.T @ (residual - B @ theta))
        except LinAlgError:
            pass
    return np.linalg.lstsq(B.toarray(), residual, rcond=RANK_RTOL)[0]


def _by_linear_program(problem: Problem, matrices: Design, net: RidgeSpline) -> RidgeSpline:
    """A piecewise-linear loss, without a price on amplitudes."""
    answer = linear_program(problem.free_of_charge(), matrices, nearby=net(problem.X))
    if answer is None:
        raise ProblemError(
            "solution",
            "neurons on which the loss alone can be minimised",
            "a linear program that fails",
            "Refit a solution of a larger lam, which has fewer neurons.",
        )
    return matrices.read(answer[0])


def _require_minimiser(problem: Problem, matrices: Design) -> None:
    """Raise a ProblemError where the neurons can lower the loss without end."""
    if problem.loss.separable() and recedes(problem, sparse.csr_array(matrices.basis).toarray()):
        expected, _, _ = problem.loss.unattained
        raise ProblemError(
            "solution",
            f"{expected.format(free='function of its neurons')}, to fit {problem.loss.name} by the loss alone",
            f"K = {len(matrices.biases)} neurons, of which one does",
            "Without its penalty the loss falls towards an infimum without a minimiser. Refit a solution of a larger "
            "lam, which has fewer neurons.",
        )
