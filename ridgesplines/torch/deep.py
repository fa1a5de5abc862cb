"""Deep networks: compositions of ridge splines, problem (34)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import nn

from ridgesplines.activations.base import Activation
from ridgesplines.evaluate import evaluate
from ridgesplines.exceptions import ProblemError
from ridgesplines.interrupt import Deferral
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.oracle.passes import Torch
from ridgesplines.problem import Problem
from ridgesplines.problem.corners import unit_corners
from ridgesplines.solution import Solution
from ridgesplines.solve import solve
from ridgesplines.solvers.base import Solver
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.three_layers.ball import norm
from ridgesplines.torch import sweep
from ridgesplines.torch.layer import RidgeLayer
from ridgesplines.torch.methods import Training, random_neurons, without_negligible
from ridgesplines.torch.training import Data, train_best
from ridgesplines.validation import Array, rounded_up
from ridgesplines.verdict import Status


@dataclass(frozen=True)
class DeepRidgeSpline:
    r"""Problem (34): data fitted by a composition of functions, each with its own seminorm.

    .. math:: \min_{f^{(1)}, \dots, f^{(L)}} \; \sum_n s_n L(y_n, f^{(L)} \circ \dots \circ f^{(1)}(x_n))
              + \lambda \sum_{\ell=1}^L \sum_i \|f_i^{(\ell)}\|

    Some solution is a ReLU network of L + 1 layers, with skip connections in all of them and linear bottlenecks between
    them, which make its weight matrices :math:`W^{(\ell+1)} V^{(\ell)}` low-rank. Here every :math:`f^{(\ell)}` is a
    ridge spline of at most `widths` neurons.

    Parameters
    ----------
    widths : neurons of each of the L layers.
    bottlenecks : outputs of each layer but the last, L - 1 numbers.
    skip : whether the layers have skip connections.
    activation : of all layers; that of the problem by default. `PathProx` trains any, the other methods those that are
        homogeneous of degree one. Terms of degree two and more that an activation leaves unpenalised come into the last
        layer by `DeepSolution.refine`, and nowhere else.
    norm : whether each function has its norm in the place of its seminorm, as in [1]_, so that there is a minimiser:

        .. math:: \|f\| = \|D_t^2 K R f\|_M + |f(0)| + \sum_j |f(e_j) - f(0)|

        The affine part is penalised, too; training lowers these terms by subgradients. For ReLU. A problem with
        ``norm=True`` asks for it as well.

    Notes
    -----
    Not convex: what training finds is no global optimum, and nothing here claims it. Only the last layer, with all
    others fixed, is problem (32) on its features: `DeepSolution.refine` solves that to its certificate. Where the last
    layer has several outputs its seminorm is that of `Problem`, :math:`\sum_k \|v_k\|_2 \|w_k\|_2`.

    Skip connections are free in (34), and that may be too cheap: :math:`g(w^T x)` is :math:`f^{(1)}(x) = a\,w^T x` and
    :math:`f^{(2)}(t) = g(t / a)`, whose seminorm falls like 1/a. Where such a function fits the data, larger and larger
    skip connections lower the objective without end. [1]_ works with norms, under which no affine function is free:
    ``norm=True``. ``skip=False`` does without skip connections.

    X and y are taken in the units in which they come: scale them to size one, for which learning rates are made.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, What kinds of functions do deep neural networks learn? Insights from variational
       spline theory, SIAM J. Math. Data Sci. 4 (2022), doi:10.1137/21M1418642

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> from ridgesplines.torch import DeepRidgeSpline, WeightDecay
    >>> X = np.random.default_rng(0).uniform(-1.0, 1.0, (40, 2))
    >>> problem = rs.Problem(X, np.abs(np.abs(X.sum(axis=1)) - 0.5), lam=0.01)
    >>> deep = DeepRidgeSpline(widths=(20, 20), bottlenecks=(1,)).train(problem, WeightDecay(epochs=200))
    >>> deep.depth, deep.ranks, bool(deep.refine().objective <= deep.objective)
    (3, (1,), True)
    """

    widths: Sequence[int]
    bottlenecks: Sequence[int] = ()
    skip: bool = True
    activation: Activation | None = None
    norm: bool = False

    def __post_init__(self) -> None:
        for name, values in (("widths", self.widths), ("bottlenecks", self.bottlenecks)):
            if not all(isinstance(n, (int, np.integer)) and n >= 1 for n in values):
                raise ProblemError(name, "whole numbers >= 1", repr(values), f"Pass {name}=(50, 50) or the like.")
        if len(self.widths) != len(self.bottlenecks) + 1:
            got = f"{len(self.widths)} widths and {len(self.bottlenecks)} bottlenecks"
            raise ProblemError(
                "widths, bottlenecks", "one bottleneck between two layers", got, "Pass one less of them."
            )

    def train(self, problem: Problem, method: Training) -> DeepSolution:
        """Train the network by `method`, whose width and start are not used; Ctrl-C returns the best so far."""
        if problem.interactions is not None:
            remedy = "Pass interactions=None to the problem."
            got = problem.interactions.words(problem.feature_names)
            raise ProblemError("problem", "no interactions, which a layer of all outputs would mix", got, remedy)
        if self.activation is not None and self.activation != problem.activation:
            problem = problem.on(replace(problem.data, activation=self.activation))
        if (reason := replace(method, start=None).refuses(problem.with_norm(False))) is not None:
            raise reason
        problem = problem.with_norm(self.norm or problem.norm)
        rng = np.random.default_rng(method.random_state)
        data = Data.of(problem, Torch(method.device))
        starts = [self._start(problem, rng) for _ in range(method.restarts)]
        best = train_best(method, starts, data, f"lam = {problem.lam:.6g}")
        layers = tuple(without_negligible(layer) for layer in best.layers)
        return DeepSolution(problem, layers, Status.INTERRUPTED if best.interrupted else Status.TRAINED, best.history())

    def _start(self, problem: Problem, rng: np.random.Generator) -> list[RidgeLayer]:
        """Random neurons in all layers, and random skip connections in all but the last."""
        inputs, layers = problem.n_features, []
        for ell, width in enumerate(self.widths):
            last = ell == len(self.bottlenecks)
            outputs = problem.n_outputs if last else self.bottlenecks[ell]
            tail = () if outputs is None else (outputs,)
            layer = RidgeLayer(inputs, width, outputs, self.skip, 2 if last else 1, problem.activation)
            layer.norm = problem.norm
            c = np.zeros((inputs, *tail)) if last else rng.standard_normal((inputs, *tail)) / np.sqrt(inputs)
            layer.set(*random_neurons(inputs, width, tail, rng), c, np.zeros(tail))
            layers.append(layer)
            inputs = outputs or 1
        return layers


@dataclass(frozen=True, eq=False)
class DeepSolution:
    r"""A composition of ridge splines, with what can be said of it; `refine` and `sweep` return a better one.

    Attributes
    ----------
    problem : what was solved.
    layers : :math:`f^{(1)}, \dots, f^{(L)}`, RidgeSplines.
    status : ``"trained"``, ``"refined"``, ``"swept"`` or ``"interrupted"``.
    history : ``["objective"]`` at the start and after each epoch, ``["restarts"]``, and ``["imbalance"]``, as for
        `WeightDecay`, of the neurons of all layers.
    last : the last layer as a Solution of problem (32), all others fixed; None before `refine`.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> from ridgesplines.torch import DeepSolution
    >>> fold = rs.RidgeSpline([[1.0, 0.0]], [0.0], [[2.0]], slope=[[-1.0], [0.0]], offset=[0.0])  # |x_1|
    >>> bend = rs.RidgeSpline([[1.0]], [1.0], [3.0])
    >>> deep = DeepSolution(rs.Problem([[0.0, 1.0], [2.0, 0.0]], [0.0, 3.0], lam=0.1), (fold, bend))
    >>> deep(deep.problem.X), deep.ranks, round(deep.objective, 12)
    (array([0., 3.]), (1,), 0.5)
    """

    problem: Problem
    layers: tuple[RidgeSpline, ...]
    status: Status = Status.TRAINED
    history: Mapping[str, Any] = field(default_factory=dict)
    last: Solution | None = None

    def __call__(self, X: Any) -> Array:
        """f at the rows of X, shape (N,) or (N, D)."""
        for layer in self.layers:
            X = layer(X)
        return X

    predict = __call__

    @property
    def depth(self) -> int:
        """L + 1, the number of affine maps."""
        return len(self.layers) + 1

    @property
    def seminorms(self) -> tuple[float, ...]:
        r""":math:`\sum_i \|f_i^{(\ell)}\| = \sum_k \sum_i |v_{ki}| \|w_k\|` of each layer; of the last, `Problem`'s.

        Where the problem has ``norm=True`` the norms.
        """
        if self.problem.norm:
            last = self.layers[-1]
            corners = unit_corners(last.n_features)
            affine = group_norms(corners.coefficients(last.at(corners.points)))
            return (*map(norm, self.layers[:-1]), last.seminorm + float(affine.sum()))
        inner = tuple(float(np.abs(layer.amplitudes).sum()) for layer in self.layers[:-1])
        return (*inner, self.layers[-1].seminorm)

    @property
    def data_fit(self) -> float:
        """The weighted sum of the losses."""
        return float(self.problem.sample_weight @ self.problem.loss.value(self.problem.y, self(self.problem.X)))

    @property
    def objective(self) -> float:
        """data_fit + lam * the sum of the seminorms, or norms: that of (34)."""
        return self.data_fit + self.problem.lam * sum(self.seminorms)

    @property
    def active(self) -> tuple[int, ...]:
        """Active neurons of each layer."""
        return tuple(layer.n_active for layer in self.layers)

    @property
    def ranks(self) -> tuple[int, ...]:
        r"""Ranks of the weight matrices :math:`W^{(\ell+1)} V^{(\ell)}` between the layers' neurons."""
        pairs = zip(self.layers[:-1], self.layers[1:], strict=True)
        return tuple(int(np.linalg.matrix_rank(after.weights @ before.amplitudes.T)) for before, after in pairs)

    @property
    def skips(self) -> tuple[bool, ...]:
        """For each layer whether it has a skip connection that is not zero."""
        return tuple(bool(layer.slope.any()) for layer in self.layers)

    def features(self, ell: int) -> Array:
        """The inputs of layer `ell`, counted from 0, at the data, shape (N, d)."""
        Z = self.problem.X
        for layer in self.layers[:ell]:
            Z = layer(Z)
        return Z

    def refine(self, solver: Solver | None = None) -> DeepSolution:
        """The last layer at its optimum, all else fixed: problem (32) on its features, with its certificate in `last`.

        Parameters
        ----------
        solver : by default that of `solve` for one feature, and ColumnGeneration from the present layer for more.

        Returns
        -------
        DeepSolution
            Its objective is not larger: where the solver does worse, the present layer stays.

        Raises
        ------
        ProblemError
            For Logistic and Softmax where the features separate the classes, for Poisson where they set zeros apart:
            the last layer then has no optimum.
        """
        p, net = self.problem, self.layers[-1]
        Z = self.features(len(self.layers) - 1)
        features = Problem(Z, p.y, p.lam, p.loss, p.activation, p.sample_weight, norm=p.norm)
        if solver is None and features.n_features > 1:
            solver = ColumnGeneration(start=net)
        with Deferral():
            last = solve(features, solver)
        better = replace(self, layers=(*self.layers[:-1], last.network), status=Status.REFINED, last=last)
        return (
            better if better.objective <= self.objective else replace(self, last=evaluate(features, net, max_time=0.0))
        )

    def sweep(self, solver: Solver | None = None) -> DeepSolution:
        """Every layer in turn, from the last but one to the first, output by output, by convex problems; then `refine`.

        With all else fixed an inner layer's problem is not convex. Its second-order model is: squared error with
        weights and targets for the layer's output, problem (32) again. The step to its solution is halved until the
        objective falls, or not taken.

        Parameters
        ----------
        solver : for each of these problems; by default that of `solve`, and ColumnGeneration for two features or more.

        Raises
        ------
        ProblemError
            For losses with kinks, which have no second-order model, and activations that leave more than affine
            functions unpenalised.
        """
        if self.problem.activation.degree > 1:
            expected, got = "activations whose null space is affine, to sweep inner layers", self.problem.activation
            raise ProblemError("activation", expected, repr(got), "Use refine().")
        if not self.problem.loss.smooth:
            raise ProblemError("loss", "a smooth loss, to sweep inner layers", repr(self.problem.loss), "Use refine().")
        now = self
        for ell in reversed(range(len(self.layers) - 1)):
            for i in range(self.layers[ell].amplitudes.shape[1]):
                with Deferral():
                    now = now._step(ell, i, solver)
        return replace(now.refine(), status=Status.SWEPT)

    def _step(self, ell: int, i: int, solver: Solver | None) -> DeepSolution:
        """Output i of layer ell towards the optimum of its second-order model, as far as the objective falls."""
        model = sweep.model(self.problem, self.layers, ell, i)
        if model is None:
            return self
        if solver is None and model.n_features > 1:
            solver = ColumnGeneration(tol=1e-4)
        target = solve(model, solver).network
        for step in 0.5 ** np.arange(sweep.MAX_HALVINGS):
            layer = sweep.towards(model, self.layers[ell], i, target, float(step))
            other = replace(self, layers=(*self.layers[:ell], layer, *self.layers[ell + 1 :]), last=None)
            if other.objective < self.objective:
                return other
        return self

    def to_torch(self) -> nn.Sequential:
        """The network as ``nn.Sequential`` of the layers' modules, in double precision.

        Raises
        ------
        ProblemError
            Where a layer has terms of degree two or more, which no module has.
        """
        return nn.Sequential(*(RidgeLayer.of(layer) for layer in self.layers))

    def summary(self) -> str:
        """The result in a few lines."""
        p = self.problem
        terms = " + ".join(f"{seminorm:.6g}" for seminorm in self.seminorms)
        of = "(34) with norms" if p.norm else "(34)"
        rows = [
            ("problem", f"{of}, N = {p.n_samples}, d = {p.n_features}, {p.loss!r}, lam = {p.lam:.6g}, {self.status}"),
            ("layers", f"L + 1 = {self.depth}, skip connections in {sum(self.skips)} of {len(self.layers)}"),
            ("neurons", "active " + " + ".join(map(str, self.active))),
            ("bottlenecks", ", ".join(str(layer.n_outputs) for layer in self.layers[:-1]) or "none"),
            ("ranks", ", ".join(map(str, self.ranks)) or "none"),
            ("objective", f"{self.objective:.10g} = {self.data_fit:.10g} + lam * ({terms})"),
        ]
        if self.last is not None:
            words = f"{rounded_up(self.last.relative_gap)} ({self.last.certificate.scope}), all other layers fixed"
            rows.append(("last layer", f"relative gap {words}"))
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)

    def __repr__(self) -> str:
        return f"DeepSolution(depth={self.depth}, active={self.active}, objective={self.objective:.8g})"
