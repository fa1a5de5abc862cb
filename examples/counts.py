"""Counts: coal-mining disasters
=============================

How often explosions killed ten or more people in British coal mines, a count a year from 1852 to 1961: many zeros, no
count above six, and a rate that changed. The loss of Poisson takes counts as they are; the logarithm of the mean is a
linear spline, so that the mean is positive, and rises or falls by so many per cent a year between its knots. Lambda is
chosen by cross-validation. A change point at which the rate jumps is the usual model of these data; the spline has few
knots, and shows how fast it fell. The certified gap is printed, with the share of the deviance that the mean explains.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
year, disasters, _ = rs.datasets.load_coal()
model = rs.LinearSplineRegressorCV(loss="poisson").fit(year, disasters)
print(model.solution_.summary())
t, slopes, _ = model.network_.pieces()
for start, end, slope in zip([year[0], *t], [*t, year[-1]], slopes, strict=True):
    print(f"{start:.0f} to {end:.0f}: {np.expm1(slope):+.1%} a year")
print(f"deviance explained {model.score(year, disasters):.0%}")

# %%
figure = plt.figure(figsize=(9.0, 5.0), layout="constrained")
axes = figure.subplots()
grid = np.linspace(year[0], year[-1], 1001)
axes.bar(year, disasters, width=0.8, color="#bfbfbf", label="disasters in a year")
axes.plot(grid, model.predict(grid), color="#0072B2", linewidth=2.0, label="mean, its log a linear spline")
axes.plot(t, model.predict(t), "o", color="#D55E00", markersize=7, markeredgecolor="white", label="knots")
axes.set(xlabel="year", ylabel="disasters in a year")
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
figure.savefig("counts.png", dpi=130)
print("wrote counts.png")
