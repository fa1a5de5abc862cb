"""A supremum, held against what is known at a network's own neurons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.exceptions import ContradictionWarning, warn
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.objective import eta_rounding, moved, neuron_lengths
from ridgesplines.oracle.base import Supremum
from ridgesplines.oracle.eta import eta_at
from ridgesplines.problem import Problem
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope


def known_at_neurons(problem: Problem, network: RidgeSpline, u: Array, found: Supremum) -> Supremum:
    """A supremum that is not below |eta| at the network's own neurons; not so a grid's, which they may have left."""
    if found.scope is Scope.DICTIONARY or not network.n_neurons:
        return found
    net = moved(problem, network)
    lengths = neuron_lengths(problem, network)
    if net.n_features == 1 and not problem.penalise_bias and problem.activation == ReLU():
        # Both sides are the same but for rounding.
        W, b = np.abs(net.weights), net.breakpoints
    else:
        W, b = net.weights, net.biases
    size = group_norms(eta_at(problem.centred, u, W, b, problem.activation)) / lengths
    top = int(size.argmax())
    if size[top] <= found.value:
        return found
    excess = float(size[top] - found.value) - 1e-9 * found.value
    if found.scope is Scope.EXACT and excess > 0.0 and excess > _neuron_rounding(problem, W[top], b[top], u):
        warn_contradiction(
            f"|eta| = {size[top]:.10g} at a neuron of the network, where its supremum should be {found.value:.10g}"
        )
    weights = np.concatenate([network.weights[top : top + 1] / lengths[top], found.weights])
    biases = np.concatenate([network.biases[top : top + 1] / lengths[top], found.biases])
    return replace(found, value=float(size[top]), weights=weights, biases=biases)


def _neuron_rounding(problem: Problem, w: Array, b: float, u: Array) -> float:
    """The rounding error of eta at the neuron (w, b), b from the problem's origin.

    u is orthogonal to the affine functions to rounding: summed from the other side a neuron differs by one of them.
    """
    affine = problem.centred @ w - b
    moments = float(np.linalg.norm(problem.null_space.T @ u) * np.linalg.norm(affine))
    # They are sums of such terms and round themselves, and so does eta at the neuron.
    moments += 2.0 * np.finfo(float).eps * float(group_norms(u) @ np.abs(affine))
    return eta_rounding(problem, u) + moments


def warn_contradiction(what: str) -> None:
    """Say that a certificate is wrong, and that this is not the user's doing."""
    remedy = "This is a fault of ridgesplines: nothing is proven. Please report it with the data."
    warn(f"A contradiction: {what}. {remedy}", ContradictionWarning)
