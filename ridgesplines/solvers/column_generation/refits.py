"""The best amplitudes on given neurons, for smooth losses, and the objective that they reach."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ridgesplines.amplitudes.columns import neuron_columns
from ridgesplines.amplitudes.design import fitted
from ridgesplines.amplitudes.master import amplitudes
from ridgesplines.amplitudes.refit import newton_refit
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.working_set import Neurons
from ridgesplines.objective import dual_of_fit, objective_of_fit
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Neurons that join with vector amplitudes start so large, relative to the largest: at zero the norm has no derivative.
FIRST = 1e-6
#: Random directions, of which one makes an interpolating network of one that is not.
N_DIRECTIONS = 256


@dataclass(frozen=True)
class Fit:
    """Neurons, the fit at the data, its dual vector, and the objective."""

    neurons: Neurons
    z: Array
    u: Array
    objective: float

    def network(self, problem: Problem) -> RidgeSpline:
        return fitted(problem, self.neurons.W, self.neurons.b, self.neurons.amplitudes, self.z)

    @classmethod
    def of_network(cls, problem: Problem, net: RidgeSpline, u: Array) -> Fit:
        """A network, and its dual vector."""
        z = net(problem.X)
        return cls(Neurons.of_network(net), z, u, objective_of_fit(problem, z, net.seminorm))


def refit(problem: Problem, neurons: Neurons, z: Array) -> Fit | None:
    """The best amplitudes of these neurons, from a fit z nearby, for a smooth loss; None if that fails.

    Neurons of amplitude zero leave.
    """
    if problem.n_outputs is not None:
        return _outputs(problem, neurons, z)
    Q = problem.null_space
    columns = neuron_columns(problem.X, Q, neurons.W, neurons.b, neurons.signs)
    sizes, _, z = amplitudes(problem, columns, neurons.sizes, Q.T @ z)
    u = dual_of_fit(problem, z)
    kept = replace(neurons, sizes=sizes).take(sizes > 0.0)
    return Fit(kept, z, u, objective_of_fit(problem, z, sizes.sum()))


def _outputs(problem: Problem, neurons: Neurons, z: Array) -> Fit | None:
    """Vector amplitudes by Newton's method on their group norms."""
    start = np.maximum(neurons.sizes, FIRST * max(float(neurons.sizes.max(initial=0.0)), FIRST))
    answer = newton_refit(problem, neurons.W, neurons.b, (neurons.signs.T * start).T, z)
    return None if answer is None else Fit.of_network(problem, answer.network, answer.dual)


def at_lam(problem: Problem, fit: Fit) -> Fit:
    """A fit with its amplitudes at their best for this problem's lam."""
    return (refit(problem, fit.neurons, fit.z) or fit) if problem.loss.smooth else fit


def interpolating(problem: Problem, fit: Fit, seed: int = 0) -> Fit:
    """A fit that meets the data, from one that does not: what is missing is connected along one direction.

    Of many random directions the one that bends least; distinct points have distinct projections there. With groups of
    features there may be none, and the fit is returned as it is; so it is where biases are zero.
    """
    if problem.through_origin:  # no bias is free
        return fit
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((N_DIRECTIONS, problem.n_features))
    if problem.interactions is not None:
        W *= problem.interactions.members[rng.integers(len(problem.interactions), size=N_DIRECTIONS)]
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    t = problem.X @ W.T
    order = np.argsort(t, axis=0)
    t = np.take_along_axis(t, order, axis=0)
    apart = (np.diff(t, axis=0) > 0.0).all(axis=0)  # unless points differ by rounding alone
    if not apart.any():
        return fit
    W, t, order = W[apart], t[:, apart], order[:, apart]
    bends = np.diff(np.diff((problem.y - fit.z)[order], axis=0) / np.diff(t, axis=0), axis=0)
    best = int(np.argmin(np.abs(bends).sum(axis=0)))
    bent = bends[:, best] != 0.0
    added = Neurons.of(np.tile(W[best], (int(bent.sum()), 1)), t[1:-1, best][bent], bends[bent, best])
    neurons = fit.neurons.joined(added)
    return Fit(neurons, problem.y, fit.u, problem.lam * float(neurons.sizes.sum()))
