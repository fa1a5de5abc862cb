"""Trained networks against the optimum
====================================

Wide networks, trained in the usual way, compared with the convex optimum that they try to reach.

Adam with weight decay on problem (8), (31): one, two and ten features of real measurements. In one and two dimensions
the optimum is certified, and no trained network is below it; in ten the certificate was searched, and the best known
network takes its place. Pass --long for all data, more epochs and more neurons.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

import ridgesplines as rs
from ridgesplines.torch.decay import WeightDecay

# %%
#: More data, more epochs and more neurons.
LONG = "--long" in sys.argv
COLOURS = ("#0072B2", "#D55E00", "#009E73")


def standardised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / values.std(axis=0)


def problems(long: bool) -> dict[str, tuple[rs.Problem, list[int]]]:
    """Name: the problem, and the widths of the networks to train."""
    time, acceleration, _ = rs.datasets.load_motorcycle()
    data = load_diabetes()
    X, y, n = standardised(data.data), standardised(data.target), 442 if long else 60
    widths = [25, 100, 500]
    chosen = {
        "motorcycle, d = 1": (
            rs.Problem(standardised(time), standardised(acceleration), 3.0),
            widths,
        ),
        "diabetes, d = 2": (rs.Problem(X[:n, [2, 8]], y[:n], 2.0), widths),
        "diabetes, d = 10": (rs.Problem(X[:n], y[:n], 6.75 * n / 442), widths if long else [25, 100]),
    }
    return chosen


def convex(problem: rs.Problem, trained: dict[str, rs.Solution]) -> rs.Solution:
    """The optimum; for d = 10 to a percent, by the estimate of a search that starts from the best trained network."""
    if problem.n_features <= 2:
        return rs.solve(problem)
    start = min(trained.values(), key=lambda solution: solution.objective).network
    return rs.solve(problem, rs.ColumnGeneration(tol=1e-2, start=start))


def draw(axes, name: str, comparison) -> None:
    """The excess of each network over the line, epoch by epoch."""
    line = comparison.bound or comparison.best.objective
    trained = {label: s for label, s in comparison.solutions.items() if s.status == "trained"}
    for colour, (label, solution) in zip(COLOURS, trained.items(), strict=False):
        excess = solution.history["objective"] / line - 1.0
        word = "proven" if comparison.bound else "searched"
        text = f"{label}: {solution.network.n_active} active, {word} gap {solution.relative_gap:.0e}"
        axes.loglog(np.arange(len(excess)) + 1, np.maximum(excess, 1e-9), color=colour, label=text)
    optimum = comparison.solutions["convex"]
    what = "certified bound" if comparison.bound else "best known (no bound)"
    axes.set_title(f"{name}\nconvex: K = {optimum.network.n_neurons}", loc="left", fontsize=10)
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"relative excess over the\n{what}")
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)


# %%
figure = plt.figure(figsize=(13.0, 4.2), layout="constrained")
for axes, (name, (problem, widths)) in zip(figure.subplots(1, 3), problems(LONG).items(), strict=True):
    method = {"epochs": 20_000 if LONG else 800, "learning_rate": None if LONG else 0.01}
    trained = {f"width {w}": rs.solve(problem, WeightDecay(width=w, **method)) for w in widths}
    comparison = rs.compare({"convex": convex(problem, trained), **trained})
    print(f"--- {name}\n{comparison.solutions['convex'].summary()}\n{comparison}")
    draw(axes, name, comparison)
figure.savefig("trained_networks.png", dpi=130)
print("wrote trained_networks.png")
