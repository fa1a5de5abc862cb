"""Penalised biases: the work is done in homogeneous coordinates, where neurons go through the origin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.column_generation.start import network_of
from ridgesplines.validation import Array

#: What solves problems in homogeneous coordinates: an answer for each lam.
Path = Callable[[Problem, Sequence[float]], Iterator[Answer]]


def homogeneous_network(problem: Problem, net: RidgeSpline) -> RidgeSpline:
    r"""A network of x as one of :math:`\tilde x = (x, 1)`; where nothing is free the constant is a neuron."""
    W, v = np.column_stack([net.weights, -net.biases]), net.amplitudes
    slope, offset = np.concatenate([net.slope, np.zeros((1, *problem.outputs))]), np.asarray(net.offset)
    if not problem.skip:
        W, v = np.vstack([W, np.eye(len(slope))[-1:]]), np.concatenate([v, offset[None]])
        slope, offset = np.zeros_like(slope), np.zeros_like(offset)
    return RidgeSpline(W, np.zeros(len(W)), v, slope, offset)


def network_in_x(net: RidgeSpline) -> RidgeSpline:
    r"""A network of :math:`\tilde x`, all of its biases zero, as one of x."""
    return RidgeSpline(
        net.weights[:, :-1], -net.weights[:, -1], net.amplitudes, net.slope[:-1], net.offset + net.slope[-1]
    )


def homogeneous_start(problem: Problem, start: RidgeSpline | Solution) -> RidgeSpline:
    """A start as a network in homogeneous coordinates; of a solution, its peaks join at next to nothing."""
    net = homogeneous_network(problem, network_of(start))
    if not isinstance(start, Solution):
        return net
    W, b = start.certificate.peaks
    eta: Array = start.certificate.eta(W, b)
    small = 1e-9 * max(net.seminorm, 1e-9) / max(start.certificate.sup, 1e-300)
    return net.changed(
        weights=np.vstack([net.weights, np.column_stack([W, -b])]),
        biases=np.zeros(net.n_neurons + len(W)),
        amplitudes=np.concatenate([net.amplitudes, small * eta]),
    )


def homogeneous_path(problem: Problem, lams: Sequence[float], path: Path) -> Iterator[Answer]:
    """The answers of the problem in homogeneous coordinates, in those of x."""
    for lam, answer in zip(lams, path(problem.homogeneous, lams), strict=False):
        yield replace(answer, problem=problem.with_lam(lam), network=network_in_x(answer.network), peaks=None)
