"""Quantiles that do not cross
===========================

Seven quantiles of the motorcycle data, first each by itself, then all at once under the constraint that they keep their
order everywhere. One by one some of them cross, which no distribution allows; how far is printed. Together they are the
certified optimum of one convex problem, whose objective is hardly larger.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)

# %%
time, acceleration, _ = rs.datasets.load_motorcycle()
grid = np.linspace(time[0], time[-1], 1001)
one_by_one = [rs.solve(rs.Problem(time, acceleration, lam=2.0, loss=rs.Quantile(q))) for q in LEVELS]
apart = np.column_stack([solution.predict(grid) for solution in one_by_one])
curves = rs.solve_quantiles(time, acceleration, 2.0, LEVELS)
print(curves.summary())
print(f"one by one    objective {sum(s.objective for s in one_by_one):.8g}")
print(f"one by one    out of order on {np.mean((np.diff(apart, axis=1) < -1e-6).any(axis=1)):.1%} of the time")

# %%
figure = plt.figure(figsize=(10.0, 4.5), layout="constrained")
panels = figure.subplots(1, 2, sharey=True)
for axes, title, values in zip(panels, ("one by one", "in order"), (apart, curves.predict(grid)), strict=True):
    axes.plot(time, acceleration, "o", color="#bfbfbf", markersize=3)
    for q, own in zip(LEVELS, values.T, strict=True):
        colour = "#0072B2" if q == 0.5 else "#56B4E9" if q < 0.5 else "#D55E00"
        axes.plot(grid, own, color=colour, linewidth=2.0 if q == 0.5 else 1.2)
    wrong = (np.diff(values, axis=1) < -1e-6).any(axis=1)
    low, high = acceleration.min(), acceleration.max()
    axes.fill_between(grid, low, high, where=wrong, color="black", alpha=0.12, linewidth=0, label="out of order")
    axes.set(title=title, xlabel="time after impact (ms)")
    axes.spines[["top", "right"]].set_visible(False)
panels[0].set_ylabel("acceleration (g)")
panels[0].legend(frameon=False, loc="lower right")
figure.savefig("quantiles_in_order.png", dpi=130)
print("wrote quantiles_in_order.png")
