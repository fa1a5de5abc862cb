"""Penalised biases: the work is done in homogeneous coordinates, where neurons go through the origin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.problem.bias_penalty import homogeneous
from ridgesplines.solution import Solution
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.column_generation.start import network_of

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


def homogeneous_start(problem: Problem, start: RidgeSpline | Solution) -> RidgeSpline | Solution:
    """A start in homogeneous coordinates: a network as one of these, a solution with its certificate."""
    net = homogeneous_network(problem, network_of(start))
    if not isinstance(start, Solution):
        return net
    W, b = start.certificate.peaks
    peaks = np.column_stack([W, -b]), np.zeros(len(b))
    own, X = problem.homogeneous.with_lam(start.problem.lam), homogeneous(start.certificate.X)
    return replace(start, problem=own, network=net, certificate=replace(start.certificate, X=X, peaks=peaks))


def homogeneous_path(problem: Problem, lams: Sequence[float], path: Path) -> Iterator[Answer]:
    """The answers of the problem in homogeneous coordinates, in those of x."""
    for lam, answer in zip(lams, path(problem.homogeneous, lams), strict=False):
        peaks = answer.peaks and (answer.peaks[0][:, :-1], -answer.peaks[0][:, -1])
        yield replace(answer, problem=problem.with_lam(lam), network=network_in_x(answer.network), peaks=peaks)
