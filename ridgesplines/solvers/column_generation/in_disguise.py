r"""Activations that are ReLU in disguise: :math:`\sigma(t) = c\,\rho(t) + e\,t`, such as the leaky ReLU.

The affine part takes e t. So networks of either are the same functions, and :math:`\sum_k |v_k| \|w_k\|` of one of
:math:`\sigma` is that of ReLU divided by c: the problem is that of ReLU with lam / c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.solvers.base import Answer
from ridgesplines.validation import Array

#: What solves problems of ReLU: an answer for each lam.
Path = Callable[[Problem, Sequence[float]], Iterator[Answer]]


def relu_problem(problem: Problem) -> Problem:
    """The problem of ReLU that has the same minimisers."""
    form = problem.activation.of_relu
    assert form is not None  # the caller's business
    return problem.on(replace(problem.data, activation=ReLU())).with_lam(problem.lam / form[0])


def relu_network(network: RidgeSpline) -> RidgeSpline:
    """The same function as a network of ReLU."""
    c, e = network.activation.of_relu or (1.0, 0.0)
    return _moved(network, ReLU(), c * network.amplitudes, e * network.amplitudes)


def disguised(network: RidgeSpline, activation: Activation) -> RidgeSpline:
    """A network of ReLU as one of the activation."""
    c, e = activation.of_relu or (1.0, 0.0)
    return _moved(network, activation, network.amplitudes / c, -e / c * network.amplitudes)


def _moved(net: RidgeSpline, activation: Activation, amplitudes: Array, linear: Array) -> RidgeSpline:
    """The network with other amplitudes, and so much of each neuron's linear function in the affine part."""
    slope = net.slope + np.tensordot(net.weights, linear, (0, 0))
    offset = net.offset - np.tensordot(net.biases, linear, (0, 0))
    return net.changed(activation=activation, amplitudes=amplitudes, slope=slope, offset=offset)


def path_in_disguise(problem: Problem, lams: Sequence[float], path: Path) -> Iterator[Answer]:
    """The answers for the problem of ReLU, as networks of the problem's activation."""
    form = problem.activation.of_relu
    assert form is not None  # the caller's business
    for lam, answer in zip(lams, path(relu_problem(problem), [lam / form[0] for lam in lams]), strict=False):
        yield replace(answer, problem=problem.with_lam(lam), network=disguised(answer.network, problem.activation))
