r"""How many parameters a fit is worth: the trace of its derivative by the data.

In one dimension that is K + 2. In many, along the faces where neurons touch data
(:mod:`ridgesplines.amplitudes.faces`), everything is smooth. With the affine functions Q and the columns B of the
faces, C the curvature of the weighted losses and P that of the penalty, the derivative of the fit by the response is
:math:`J (J^T C J + P)^{-1} J^T C`, J = [Q B], and its trace

.. math:: \mathrm{df} = \mathrm{tr}\big[(J^T C J + P)^{-1} J^T C J\big], \qquad
          P = \mathrm{blockdiag}\Big(0, \frac{\lambda}{|a_k|} T_w^T (I - w_k w_k^T) T_w\Big).

Neither matrix is squared: of the stacked roots :math:`K = [C^{1/2} J;\, P^{1/2}]` with an orthonormal basis U of the
columns, df is the sum of squares of the upper part of U, its rank less that of the lower part. Where a loss has a kink
its curvature is infinite and the penalty loses: what is left is the rank of J at the points whose fit is at the kink.

References
----------
.. [1] S. Vaiter, C. Deledalle, J. Fadili, G. Peyré, C. Dossal, The degrees of freedom of partly smooth regularizers,
   Ann. Inst. Stat. Math. 69 (2017), 791-832, doi:10.1007/s10463-016-0563-z
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.columns import AFFINE, Columns
from ridgesplines.amplitudes.extreme_points import at_sites
from ridgesplines.amplitudes.faces import face_columns, faces
from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.working_set import Neurons, merged, sides
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.validation import Array, rounded_up
from ridgesplines.verdict import Status

#: Columns count as dependent up to this, relatively. Parallel neurons, of which there are many sets with one sum, are
#: so at the optimum; a solver that ends at a gap of 1e-13 has them parallel to 1e-7.
RANK_RTOL = 1e-6
#: A point this near to a neuron's hyperplane, in units of the data's radius, is on it: what a change of units rounds,
#: or a solver leaves. A neuron that is free comes so near to one of N points with a probability of about N times that.
NEAR = 1e-8
#: A fit this near to the kink of the loss is at it, in units of the residual of the affine fit.
KINK = 1e-8
#: The relative gap beyond which a network in many dimensions is no optimum, and its degrees of freedom say nothing.
MOST_GAP = 1e-2

CROSS_VALIDATE = "Use cross-validation."


def require_counted(problem: Problem, gap: float, status: Status = Status.CONVERGED) -> None:
    """Raise ProblemError where the degrees of freedom of a network of this relative gap are not known."""
    d, D, loss = problem.n_features, problem.n_outputs, problem.loss
    outputs = "" if D is None else f" with D = {D} outputs"
    held = ", with constraints" if problem.constraints else ""
    if status.unpenalised:
        expected, got = "a minimiser of the penalised problem", f"a solution of status {status!r}"
        remedy = "Without shrinkage the choice of the neurons costs degrees of freedom of its own, which are not known."
    elif not isinstance(problem.activation, ReLU):
        expected, got, remedy = "ReLU()", repr(problem.activation), CROSS_VALIDATE
    elif problem.slope_penalty:
        expected, got, remedy = "slope_penalty=0", f"{problem.slope_penalty:g}", CROSS_VALIDATE
    elif problem.norm:
        expected, got, remedy = "norm=False", "norm=True", CROSS_VALIDATE
    elif problem.penalise_bias:
        expected, got, remedy = "penalise_bias=False", "True", CROSS_VALIDATE
    elif outputs or held:
        expected, got = "one output and no constraints", f"d = {d}{outputs}{held}"
        remedy = f"Directions of outputs that are chosen cost more than one, active constraints less. {CROSS_VALIDATE}"
    elif d > 1 and not (loss.smooth or loss.interpolates) and loss.box(problem.y) is None:
        expected, got, remedy = "a loss of at most one kink a row", repr(loss), CROSS_VALIDATE
    elif d > 1 and not gap <= MOST_GAP:
        expected, got = f"an optimum, of a relative gap of at most {MOST_GAP:g}", rounded_up(gap)
        remedy = f"Solve to a smaller gap. {CROSS_VALIDATE}"
    else:
        return
    raise ProblemError("solution", f"{expected}, to count degrees of freedom", got, remedy)


def degrees_of_freedom(problem: Problem, net: RidgeSpline, turns: bool = True) -> float:
    """The trace of the derivative of the fit by the data, for what `require_counted` lets pass; in d = 1 an int.

    Parameters
    ----------
    problem : of which the network is the optimum, among all neurons or some.
    net : the network.
    turns : whether its neurons may be any; False where they are those of a grid, which have an amplitude alone.

    Notes
    -----
    O((N + K d) P^2), where P <= K (d + 1) is the number of unknowns on the faces. Rows are formed in blocks.
    """
    if problem.n_features == 1:
        return at_sites(problem, net).n_neurons + 2
    scaling = standardise(problem)
    p, net = scaling.problem, scaling.scaled_network(net)
    neurons = Neurons.of_network(net)
    neurons = (
        merged(p.X, neurons, p.interactions, NEAR) if turns else neurons
    )  # one that came in parts is worth no more
    signs = sides(p.X, neurons.W, neurons.b, NEAR)
    theta = neurons.theta
    if turns:
        bases = faces(p.X, signs, theta, neurons.sizes, groups=p.interactions)
    else:
        bases = [t[:, None] / np.linalg.norm(t) for t in theta]
    owner = np.repeat(np.arange(len(bases)), [T.shape[1] for T in bases])
    T = np.hstack([np.empty((p.n_features + 1, 0)), *bases])
    columns = face_columns(p, signs > 0, T, owner, neurons.signs)
    z = net.at(p.X)
    if p.loss.smooth:
        curvature = p.loss.curvature(p.y, z) * p.sample_weight
        return _upper_part(columns, np.sqrt(curvature), _root_of_penalty(p.lam, neurons, bases))
    return _upper_part(columns, _at_kinks(p, z).astype(float), np.empty((0, T.shape[1])))


def _root_of_penalty(lam: float, neurons: Neurons, bases: list[Array]) -> Array:
    """The part of each unknown that turns its neuron, by the root of the penalty's curvature; (K d, P)."""
    roots = []
    for w, size, T in zip(neurons.W, neurons.sizes, bases, strict=True):
        turning = T[:-1] - np.outer(w, w @ T[:-1])
        roots.append(np.sqrt(lam / size) * turning)
    return linalg.block_diag(*roots) if roots else np.empty((0, 0))


def _at_kinks(problem: Problem, z: Array) -> NDArray[np.bool_]:
    """The rows whose fit is where the loss bends; for interpolation all."""
    if problem.loss.interpolates:
        return np.ones(len(z), dtype=bool)
    form = problem.loss.box(problem.y)
    assert form is not None
    return np.abs(z - form[0]) <= KINK


def _upper_part(columns: Columns, root: Array, penalty: Array) -> float:
    """The sum of squares of the upper part of an orthonormal basis of [root * [Q B]; 0 penalty]."""
    penalty = np.hstack([np.zeros((len(penalty), columns.Q.shape[1])), penalty])
    R = penalty
    for rows, part in columns.blocks():
        weighted = root[rows, None] * np.hstack([columns.Q[rows], part])
        R = linalg.qr(np.vstack([R, weighted]), mode="r")[0][: R.shape[1]]
    norms = np.linalg.norm(R, axis=0)
    norms[norms <= AFFINE * norms.max()] = np.inf  # what bends no fit is rounding
    R, pivots = linalg.qr(R / norms, mode="r", pivoting=True)
    diagonal = np.abs(np.diag(R))
    rank = int((diagonal > RANK_RTOL * diagonal[0]).sum())
    independent = pivots[:rank]
    lower = linalg.solve_triangular(R[:rank, :rank], (penalty / norms)[:, independent].T, trans="T")
    return rank - float((lower**2).sum())
