"""All minimisers at once
======================

Problem (17) may have many solutions of the same objective. They all lie between two curves, which
``solution.envelope`` computes: where the certificate stays at lambda from one datum to the next, any function that
bends in one sense there is as good, and elsewhere all are the same. The fit that is returned has the fewest knots of
all; the polygon through the dots is another minimiser. Their objectives are equal to rounding.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
x = np.sort(np.random.default_rng(3).uniform(0.0, 3.0, 9))
problem = rs.Problem(x, np.sin(1.5 * x), 1.0, rs.Interpolation())
fewest = rs.solve(problem)
dots = rs.evaluate(problem, rs.RidgeSpline.through(x, problem.y))
print(fewest.summary())
print(f"through the dots: K = {dots.network.n_neurons}, objective {dots.objective:.10g} and {fewest.objective:.10g}")

# %%
t = np.union1d(np.linspace(x[0], x[-1], 1000), x)
found = fewest.envelope(t)
figure, axes = plt.subplots(figsize=(8.0, 4.5), layout="constrained")
axes.fill_between(t, found.lower, found.upper, color="#56B4E9", alpha=0.4, linewidth=0.0, label="all minimisers")
for solution, colour, name in ((dots, "#7f7f7f", "through the dots"), (fewest, "#D55E00", "fewest knots")):
    knots = np.sort(solution.network.breakpoints)
    axes.plot(t, solution.predict(t), color=colour, linewidth=1.4, label=f"{name}: K = {len(knots)}")
    axes.plot(knots, solution.predict(knots), "o", color=colour, markersize=5)
axes.plot(x, problem.y, ".", color="black", markersize=5)
axes.set(xlabel="x", ylabel="y", title=f"{len(found.free_gaps)} intervals in which knots are free")
axes.legend(frameon=False)
figure.savefig("solution_set.png", dpi=130)
print("wrote solution_set.png")
