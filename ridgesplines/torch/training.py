"""The loop that trains: gradient steps, each followed by a proximal step where the method has one."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from ridgesplines.interrupt import check, stoppable
from ridgesplines.losses.base import Loss
from ridgesplines.oracle.passes import Torch
from ridgesplines.problem import Problem
from ridgesplines.solvers.progress import print_round
from ridgesplines.torch.balancing import imbalance
from ridgesplines.torch.layer import RidgeLayer, numbers

#: The relative fall of the objective that counts as one.
PROGRESS_RTOL = 1e-6
#: The learning rate is halved where the objective stays, and training ends after this many halvings.
MAX_HALVINGS = 10
#: An objective that grows by this factor has diverged.
DIVERGED = 10.0
LINES = 20


@dataclass(frozen=True)
class Data:
    """A problem's data on a device, tensors X (N, d), y, and weight (N,)."""

    X: Any
    y: Any
    weight: Any
    loss: Loss
    lam: float

    @classmethod
    def of(cls, problem: Problem, machine: Torch) -> Data:
        X, y, weight = (machine.put(array) for array in (problem.X, problem.y, problem.sample_weight))
        return cls(X, y, weight, problem.loss, problem.lam)

    def fit(self, z: Any) -> Any:
        """The weighted sum of the losses."""
        return self.weight @ self.loss.value(self.y, z)


class Method(ABC):
    """The interface of a method to the loop."""

    epochs: int
    patience: int
    verbose: bool
    #: Called with the trace at the start and after each epoch, or None; see `WeightDecay`.
    watch: Callable[[Trace], object] | None
    #: Whether the penalty is lowered by its gradient, together with the losses, or after it by a proximal step.
    smooth: ClassVar[bool] = False

    @abstractmethod
    def penalty(self, layer: RidgeLayer) -> torch.Tensor:
        """The penalty that is added to the losses, times lam, for a layer."""

    @abstractmethod
    def descent(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser that takes the gradient steps."""

    @abstractmethod
    def proximal(self, layer: RidgeLayer, step: float) -> None:
        """The layer, in place, at the least of penalty + |change|^2 / (2 step)."""


@dataclass
class Trace:
    """The trace of a training: the best parameters, by the method's own objective, are in `layers`.

    Attributes
    ----------
    layers : the network.
    objectives : at the start and after each epoch, the sum of the losses plus lam times the seminorm.
    own : the least value of the objective that the method lowers.
    interrupted : whether Ctrl-C ended it.
    starts : `own` of each start, where several were trained.
    """

    layers: Sequence[RidgeLayer]
    objectives: list[float] = field(default_factory=list)
    own: float = float("inf")
    best: list[torch.Tensor] | None = None
    interrupted: bool = False
    starts: tuple[float, ...] = ()

    def history(self, factor: float = 1.0) -> dict[str, Any]:
        """The history of the solution, objectives times a factor."""
        norms = [torch.cat(each) for each in zip(*(layer.norms() for layer in self.layers), strict=True)]
        return {
            "objective": factor * np.array(self.objectives),
            "restarts": tuple(factor * own for own in self.starts),
            "imbalance": imbalance(*map(numbers, norms)),
        }

    def note(self, own: float, objective: float) -> None:
        self.objectives.append(objective)
        if own < self.own:
            self.own, self.best = own, [p.detach().clone() for p in self.parameters()]

    def parameters(self) -> list[nn.Parameter]:
        return [p for layer in self.layers for p in layer.parameters()]

    def active(self) -> int:
        """Neurons that are not zero."""
        return sum(int((torch.mul(*layer.norms()) > 0.0).sum()) for layer in self.layers)

    def restore(self) -> None:
        """Put the best parameters back."""
        with torch.no_grad():
            for parameter, values in zip(self.parameters(), self.best or [], strict=False):
                parameter.copy_(values)


def seminorm(layers: Sequence[RidgeLayer]) -> torch.Tensor:
    r""":math:`\sum_\ell \sum_k \|v_k\| \|w_k\|`."""
    return torch.stack([torch.dot(*layer.norms()) for layer in layers]).sum()


def at_corners(layers: Sequence[RidgeLayer]) -> torch.Tensor:
    """What layers that count their norm are at the corners, all together."""
    return torch.stack([layer.at_corners() for layer in layers]).sum()


def train_best(
    method: Method, starts: Iterable[Sequence[RidgeLayer]], data: Data, label: str, factor: float = 1.0
) -> Trace:
    """The trace of least objective over several starts; Ctrl-C ends them all. See `train`."""
    traces = []
    for layers in starts:
        traces.append(train(method, layers, data, label, factor))
        if traces[-1].interrupted:
            break
    best = min(traces, key=lambda trace: trace.own)
    return replace(best, interrupted=traces[-1].interrupted, starts=tuple(trace.own for trace in traces))


def train(method: Method, layers: Sequence[RidgeLayer], data: Data, label: str, factor: float = 1.0) -> Trace:
    """Train a network, layer after layer, in place, on all data at once.

    Parameters
    ----------
    method : what is lowered, and how.
    layers : the network at its start.
    data : the problem.
    label, factor : what is printed in front of the objective, and the unit in which it is printed.
    """
    trace, began = Trace(layers), time.perf_counter()
    net = nn.Sequential(*layers).to(data.X.device)
    optimizer = method.descent(net.parameters())
    plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=method.patience, threshold=PROGRESS_RTOL)
    group: dict[str, Any] = optimizer.param_groups[0]
    last, total = group["lr"] * 0.5**MAX_HALVINGS, data.weight.sum()

    def penalties() -> torch.Tensor:
        return data.lam * torch.stack([method.penalty(layer) for layer in layers]).sum()

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        fit, penalty = data.fit(net(data.X)) + data.lam * at_corners(layers), penalties()
        ((fit + penalty if method.smooth else fit) / total).backward()
        return (fit + penalty).detach() / total

    closures = (closure,) if isinstance(optimizer, torch.optim.LBFGS) else ()
    try:
        with stoppable():
            for epoch in range(method.epochs + 1):
                check()
                own = float(closure() * total)
                with torch.no_grad():
                    trace.note(own, own + float(data.lam * seminorm(layers) - penalties()))
                if method.watch is not None:
                    method.watch(trace)
                if method.verbose and epoch % max(1, method.epochs // LINES) == 0:
                    print_round(label, epoch, began, trace.active(), factor * trace.objectives[-1], None, unit="epoch")
                if epoch == method.epochs or group["lr"] < last:
                    break
                if not own <= DIVERGED * trace.own:
                    trace.restore()
                    group["lr"] *= 0.5
                    optimizer.state.clear()
                    continue
                optimizer.step(*closures)
                with torch.no_grad():
                    for layer in layers:
                        method.proximal(layer, group["lr"] * data.lam / float(total))
                plateau.step(own)
    except KeyboardInterrupt:
        trace.interrupted = True
    trace.restore()
    return trace
