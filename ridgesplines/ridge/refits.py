"""The best amplitudes on given neurons, for smooth losses, and the objective that they reach."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ridgesplines.network import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.refit import fitted, newton_refit, vertex_refit
from ridgesplines.ridge.columns import neuron_columns
from ridgesplines.ridge.master import amplitudes, objective
from ridgesplines.ridge.neurons import Neurons
from ridgesplines.validation import Array

#: Neurons that join with vector amplitudes start so large, relative to the largest: at zero the norm has no derivative.
FIRST = 1e-6
#: Random neurons for each point, which make an interpolating network of one that nearly is.
EXTRA = 3


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
        return cls(Neurons.of_network(net), z, u, objective(problem, z, net.seminorm))


def refit(problem: Problem, neurons: Neurons, z: Array) -> Fit | None:
    """The best amplitudes of these neurons, from a fit z nearby, for a smooth loss; None if that fails.

    Neurons of amplitude zero leave.
    """
    if problem.n_outputs is not None:
        return _outputs(problem, neurons, z)
    Q = problem.null_space
    columns = neuron_columns(problem.X, Q, neurons.W, neurons.b, neurons.signs)
    sizes, _, z = amplitudes(problem, columns, neurons.sizes, Q.T @ z)
    u = -problem.sample_weight * problem.loss.gradient(problem.y, z)
    kept = replace(neurons, sizes=sizes).take(sizes > 0.0)
    return Fit(kept, z, u, objective(problem, z, sizes.sum()))


def _outputs(problem: Problem, neurons: Neurons, z: Array) -> Fit | None:
    """Vector amplitudes by Newton's method on their group norms."""
    start = np.maximum(neurons.sizes, FIRST * max(float(neurons.sizes.max(initial=0.0)), FIRST))
    answer = newton_refit(problem, neurons.W, neurons.b, (neurons.signs.T * start).T, z)
    return None if answer is None else Fit.of_network(problem, answer.network, answer.dual)


def interpolating(problem: Problem, fit: Fit, seed: int = 0) -> Fit | None:
    """A fit that meets the data where this one nearly does, for interpolation; None if that fails.

    A linear program over its neurons and random ones that touch data, of the least seminorm.
    """
    rng = np.random.default_rng(seed)
    X = problem.X
    W = rng.standard_normal((EXTRA * len(X), X.shape[1]))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    b = np.einsum("kd,kd->k", W, X[np.arange(len(W)) % len(X)])
    W, b = np.concatenate([fit.neurons.W, W]), np.concatenate([fit.neurons.b, b])
    answer = vertex_refit(problem, W, b, np.zeros(len(b)), problem.y)
    if answer is None:
        return None
    net = answer.network
    return Fit(Neurons.of_network(net), problem.y, answer.dual, problem.lam * net.seminorm)
