"""Shape constraints
=================

What is known of a curve beforehand, on two real tables. Left: the probability that a tumour is malignant, by the mean
radius of its cell nuclei, from labels 0 and 1. Without constraints the spline leaves [0, 1]; with them it is a
calibration curve, rising and bounded on the whole line, and the certified optimum among all such curves. Right: the
acceleration of a head in a motorcycle accident, which rests before the impact and comes to rest: plateaus on both
sides, where the spline without constraints goes on with whatever slope the first and the last data suggest.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

import ridgesplines as rs


# %%
def tumours() -> rs.Problem:
    table = load_breast_cancer()
    radius, malignant = table.data[:, 0], 1.0 - table.target
    return rs.Problem(radius, malignant, lam=12.0, constraints=[rs.Bounds(0.0, 1.0), rs.Monotone()])


def motorcycle() -> rs.Problem:
    time, acceleration, _ = rs.datasets.load_motorcycle()
    return rs.Problem(time, acceleration, lam=300.0, constraints=[rs.EndSlopes(0.0, 0.0)])


def violation(problem: rs.Problem, solution: rs.Solution) -> float:
    """How far a fit is from satisfying the constraints of a problem, relatively."""
    return rs.Solution(problem, solution.network, solution.certificate).violation


# %%
figure = plt.figure(figsize=(11.0, 4.4), layout="constrained")
words = (("mean radius of cell nuclei", "probability: malignant"), ("time after impact (ms)", "acceleration (g)"))
for axes, problem, (xlabel, ylabel) in zip(figure.subplots(1, 2), (tumours(), motorcycle()), words, strict=True):
    shaped, free = rs.solve(problem), rs.solve(problem.unconstrained)
    print(shaped.summary())
    print(f"without constraints K = {free.network.n_neurons}, and a violation of {violation(problem, free):.2g}\n")
    x = problem.X[:, 0]
    grid = np.linspace(x.min() - 0.25 * np.ptp(x), x.max() + 0.25 * np.ptp(x), 2001)
    axes.plot(x, problem.y, "o", color="#7f7f7f", markersize=3, alpha=0.5)
    axes.plot(grid, free.predict(grid), "--", color="#D55E00", label="without constraints")
    axes.plot(grid, shaped.predict(grid), color="#0072B2", linewidth=2.0, label="with")
    axes.plot(shaped.network.knots, shaped.predict(shaped.network.knots), "o", color="#0072B2")
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
figure.savefig("shapes.png", dpi=130)
print("wrote shapes.png")
