"""The race: a network in training, frame by frame, and the optimum that it cannot pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import ridgesplines as rs
from ridgesplines.demo.fits import outline, posed, solver
from ridgesplines.demo.schema import Training
from ridgesplines.objective import data_fit
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.verdict import Status

#: Between two frames there are at least this many seconds, and the epoch grows at least by this factor.
PAUSE, GROWTH = 0.05, 1.05
#: Training takes no longer than this, in seconds.
MAX_TIME = 120.0

Send = Callable[[dict[str, Any]], None]


def race(training: Training, send: Send, stopped: Callable[[], bool]) -> None:
    """Send the optimum, then frames of the training until it ends or is stopped, then what the solution says of it.

    Every objective sent is that of (9), losses plus lam times the seminorm, computed from the network itself.
    """
    from ridgesplines.torch.decay import WeightDecay

    problem, _ = posed(training.fit)
    optimum = rs.solve(problem, solver(training.fit))
    bound, net = optimum.certificate.value, optimum.network
    send({"bound": bound, "k": net.n_neurons, "outline": outline(net, problem.X[:, 0])})
    scaling = standardise(problem)
    method = WeightDecay(
        width=training.width,
        optimizer=training.optimizer,
        learning_rate=training.learning_rate,
        epochs=training.epochs,
        random_state=training.seed,
        watch=paced(lambda trace, epoch: send(frame(problem, scaling, trace.layers[0], epoch)), stopped),
    )
    trained = rs.solve(problem, method)
    send(
        {
            "done": trained.status,
            "why": why(trained, training.epochs),
            "objective": trained.objective,
            "active": trained.network.n_active,
            "outline": outline(trained.network, problem.X[:, 0]),
        }
    )


def why(trained: rs.Solution, epochs: int) -> str:
    """Why the training came to its end, in words."""
    done = len(trained.history["objective"])
    if trained.status is Status.INTERRUPTED:
        return f"stopped after {MAX_TIME:g} s"
    return f"all {epochs} epochs done" if done >= epochs else f"no step went further down after {done} epochs"


def paced(show: Callable[[Any, int], None], stopped: Callable[[], bool]) -> Callable[[Any], None]:
    """A watch that shows what a class can follow: the first steps one by one, later ones at a growing distance."""
    due, began = 0, time.perf_counter()
    last = began

    def watch(trace: Any) -> None:
        nonlocal due, last
        epoch = len(trace.objectives) - 1
        if epoch < due:
            return
        due = max(epoch + 1, int(GROWTH * epoch))
        show(trace, epoch)
        time.sleep(max(0.0, PAUSE - (time.perf_counter() - last)))
        last = time.perf_counter()
        if stopped() or last - began > MAX_TIME:
            raise KeyboardInterrupt  # the way to end a fit with the best so far

    return watch


def frame(problem: rs.Problem, scaling: Scaling, layer: Any, epoch: int) -> dict[str, Any]:
    """The network as it is after an epoch; norms in units in which data have size one, where balance is the same."""
    from ridgesplines.torch.balancing import imbalance
    from ridgesplines.torch.methods import without_negligible

    net = scaling.network(without_negligible(layer))
    w, v = (norms.detach().numpy() for norms in layer.norms())
    return {
        "epoch": epoch,
        "objective": data_fit(problem.reduced, net) + problem.lam * net.seminorm,
        "active": net.n_active,
        "imbalance": imbalance(w, v),
        "norms": np.stack([w, v], axis=1).tolist(),
        "outline": outline(net, problem.X[:, 0]),
    }
