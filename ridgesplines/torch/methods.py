"""Common parts of the methods of training: settings, the start, and the way from a problem to a network and back."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ridgesplines.amplitudes.affine import require_minimiser
from ridgesplines.certificate.isotropic import Coordinates
from ridgesplines.exceptions import ProblemError, SolverRefusal
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.oracle.passes import Torch
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solvers.base import Answer, Solver
from ridgesplines.torch.layer import RidgeLayer
from ridgesplines.torch.training import Data, Method, Trace, train_best
from ridgesplines.validation import Array, real_number, whole_number

#: The size of the neurons that join those of a start.
JOINING_SIZE = 1e-6
#: |v| |w| of a neuron that is a constant, relative to the largest.
NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Training(Method, Solver):
    """A method of training that is a solver: its settings. See `WeightDecay` for the parameters."""

    width: int = 100
    learning_rate: float | None = None
    epochs: int = 10_000
    patience: int = 100
    restarts: int = 1
    random_state: int = 0
    start: RidgeSpline | None = field(default=None, repr=False)
    device: str = "cpu"
    verbose: bool = False
    watch: Callable[[Trace], object] | None = field(default=None, repr=False)
    #: Whether weights move between the two sides of a neuron, which changes f unless sigma(c t) = c sigma(t).
    scales: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name, least in (("width", 1), ("epochs", 0), ("patience", 1), ("restarts", 1), ("random_state", 0)):
            whole_number(name, getattr(self, name), least)
        if self.learning_rate is not None:
            real_number("learning_rate", self.learning_rate, "a positive number or None", 0.0, open_=True)
        if not isinstance(self.start, RidgeSpline | None):
            raise ProblemError("start", "a RidgeSpline or None", repr(self.start), "Pass the network of a solution.")

    def scaled(self, net: RidgeSpline) -> tuple[Array, Array, Array]:
        """Weights, biases and amplitudes at which to start from a network: at balance, of least weight decay."""
        return net.balanced()

    def descent(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Gradient steps with momentum, damped so that at a fixed point it equals the gradient."""
        return torch.optim.SGD(parameters, self.learning_rate or 0.3, momentum=0.9, dampening=0.9)

    def refuses(self, problem: Problem) -> SolverRefusal | None:
        """A refusal of losses and constraints that gradients do not see, other activations, unfit starts; or None."""
        expected, got, remedy = None, None, "Leave solver out: the convex solvers take it."
        shape = (problem.n_features, problem.n_outputs)
        if problem.loss.interpolates:
            expected, got = "a loss that is finite for every fit, to follow its gradient", repr(problem.loss)
        elif problem.slope_penalty:
            expected, got = "slope_penalty=0", f"{problem.slope_penalty:g}"
        elif problem.norm:
            expected, got = "norm=False", "norm=True"
        elif problem.penalise_bias:
            expected, got = "penalise_bias=False", "True"
            remedy = "Train in PyTorch, and hand the module to rs.evaluate."
        elif problem.constraints:
            expected, got = "no constraints, which gradient steps do not keep", repr(list(problem.constraints))
        elif self.scales and problem.activation.homogeneity != 1:
            expected, got = "an activation that is homogeneous of degree one", repr(problem.activation)
            remedy = "Pass PathProx(), which keeps input weights at length one."
        elif self.start is not None and self.start.activation != problem.activation:
            expected, got = f"a start of the activation {problem.activation!r}", repr(self.start.activation)
            remedy = "Pass a network of the problem's activation, or start=None."
        elif self.start is not None and self.start.polynomial is not None:
            expected, got = "a start without terms of degree two and more, which no module has", repr(self.start)
            remedy = "Pass start=None."
        elif self.start is not None and (self.start.n_features, self.start.n_outputs) != shape:
            expected, got = f"a start with (inputs, outputs) = {shape}", repr(self.start)
            remedy = "Pass a network of the problem's shape, or start=None."
        elif self.start is not None and self.start.n_neurons > self.width:
            expected, got = f"a start with at most width = {self.width} neurons", f"{self.start.n_neurons}"
            remedy = f"Pass width={self.start.n_neurons} or more."
        elif (
            self.start is not None and problem.interactions and not problem.interactions.allow(self.start.weights).all()
        ):
            expected = f"a start that keeps to the interactions, {problem.interactions.words(problem.feature_names)}"
            got, remedy = "neurons of other features", "Pass a network of this problem, or start=None."
        if expected is None or got is None:
            return None
        return SolverRefusal(self.name, expected, got, remedy)

    def isotropic(self, problem: Problem) -> Training:
        """These settings with the start in the coordinates of `problem.isotropic`."""
        return self if self.start is None else replace(self, start=Coordinates(problem).network(self.start))

    def path(self, problem: Problem, lams: Sequence[float]) -> Iterator[Answer]:
        """An answer for each lam, from the network trained for the one before."""
        scaling = standardise(problem)
        require_minimiser(scaling.problem)
        machine = Torch(self.device)
        rng = np.random.default_rng(self.random_state)
        starts: list[Sequence[RidgeLayer]] = [[self._start(scaling, rng)] for _ in range(self.restarts)]
        for lam in lams:
            data = Data.of(scaling.problem.with_lam(scaling.lam(lam)), machine)
            best = train_best(self, starts, data, f"lam = {lam:.6g}", scaling.factor)
            # As it was trained: no tolerance is asked, its gap is its result.
            network, history = scaling.network(without_negligible(best.layers[0])), best.history(scaling.factor)
            yield Answer(problem.with_lam(lam), network, None, None, np.inf, history, best.interrupted)
            if best.interrupted:
                return
            starts = [best.layers]

    def _start(self, scaling: Scaling, rng: np.random.Generator) -> RidgeLayer:
        """The start, if there is one, and random neurons up to the width."""
        p = scaling.problem
        tail = p.outputs
        layer = RidgeLayer(p.n_features, self.width, p.n_outputs, activation=p.activation)
        net = None if self.start is None else scaling.scaled_network(self.start)
        free = self._free(p, np.empty((0, p.n_features)) if net is None else net.weights)
        if net is None:
            W, b, v = random_neurons(p.n_features, self.width, tail, rng, free)
            layer.set(W, b, v, np.zeros((p.n_features, *tail)), np.zeros(tail))
        else:
            W, b, v = random_neurons(p.n_features, self.width - net.n_neurons, tail, rng, free[net.n_neurons :])
            W, b = np.concatenate([net.weights, W]), np.concatenate([net.biases, b])
            v = np.concatenate([net.amplitudes, JOINING_SIZE * v])
            joined = RidgeSpline(W, b, v, net.slope, net.offset, activation=p.activation)
            layer.set(*self.scaled(joined), net.slope, net.offset)
        if p.interactions:
            layer.hold(free)
        return layer

    def _free(self, problem: Problem, W: Array) -> NDArray[np.bool_]:
        """The features of each neuron's group, shape (width, d): one that those of the start, W (k, d), keep to, and
        for the others one group after the other."""
        groups = problem.interactions
        if groups is None:
            return np.ones((self.width, problem.n_features), dtype=bool)
        own = groups.containing(W).argmax(axis=1)
        return groups.members[np.concatenate([own, np.arange(self.width - len(own)) % len(groups)])]


def without_negligible(layer: RidgeLayer) -> RidgeSpline:
    """The layer's network, in units in which data have size one.

    Neurons that weight decay has brought near zero are constants to rounding, and are taken for such: their hyperplanes
    b / |w| lie extremely far away, where a spline's values are lost in rounding.
    """
    layer = copy.deepcopy(layer)
    with torch.no_grad():
        sizes = torch.mul(*layer.norms())
        negligible = sizes <= NEGLIGIBLE * sizes.max()
        layer.hidden.weight[negligible] = 0.0
        if layer.activation.degree < 0:  # constants are not free
            layer.output.weight[:, negligible] = 0.0
    return layer.network()


def random_neurons(
    inputs: int, width: int, outputs: tuple[int, ...], rng: np.random.Generator, free: NDArray[np.bool_] | bool = True
) -> tuple[Array, Array, Array]:
    """Unit weights, zero but where they are free, biases that meet the unit ball, where the data are, and amplitudes.

    These add up to size one.
    """
    W = rng.standard_normal((width, inputs)) * free
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    return W, rng.uniform(-1.0, 1.0, width), rng.standard_normal((width, *outputs)) / np.sqrt(max(width, 1))
