"""Quantile bands
==============

How the spread of a measurement changes with time: splines for the 10, 50 and 90 % quantiles, each the certified optimum
of its own problem. The noise of the motorcycle data is small at first, large in the middle, and the band shows it. The
shares of the data below and on each spline are counted: at an optimum at most a tenth lies below the lowest, and at
least a tenth below it or on it. Each quantile is fitted by itself, so that two may cross; how far they do is printed.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
LEVELS = (0.1, 0.5, 0.9)

# %%
time, acceleration, _ = rs.datasets.load_motorcycle()
grid = np.linspace(time[0], time[-1], 1001)
curves = []
for q in LEVELS:
    solution = rs.solve(rs.Problem(time, acceleration, lam=4.0, loss=rs.Quantile(q)))
    above = acceleration - solution.predict(time)
    below, touched = np.mean(above < -1e-6), np.mean(np.abs(above) <= 1e-6)
    print(f"--- quantile {q}\n{solution.summary()}\ndata below it {below:.1%}, on it {touched:.1%}")
    curves.append(solution.predict(grid))
low, middle, high = curves
crossing = np.mean((low > middle) | (middle > high))
print(f"--- the three cross on {crossing:.1%} of the time")

# %%
figure = plt.figure(figsize=(9.0, 5.0), layout="constrained")
axes = figure.subplots()
axes.fill_between(grid, low, high, color="#56B4E9", alpha=0.35, label="10 % to 90 %")
axes.plot(grid, middle, color="#0072B2", linewidth=2.0, label="median")
axes.plot(time, acceleration, "o", color="#7f7f7f", markersize=4)
axes.set(xlabel="time after impact (ms)", ylabel="acceleration (g)")
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
figure.savefig("quantile_bands.png", dpi=130)
print("wrote quantile_bands.png")
