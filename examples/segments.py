"""Three knots, unbiased slopes, and how sure they are
===================================================

A fit of few segments is shrunk: the penalty takes from every change of slope. The same knots by least squares alone
have slopes that are not shrunk, and knots that may move come nearer to the data still. What the slopes and knots are
worth is told by intervals, which are given the number of knots. The head of a motorcyclist after an impact: the noise
is small at first and large later, so that the intervals do without a common variance (HC3).
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
time, acceleration, _ = rs.datasets.load_motorcycle()
solution = rs.LinearSplineRegressor(max_neurons=3).fit(time, acceleration).solution_
sure = solution.confidence(robust=True)
print(f"{solution.summary()}\n")
fits = {"penalised": solution, "same knots": solution.refitted(), "knots moved": sure.solution}
for name, fit in fits.items():
    print(f"{name:<12} sum of squares {fit.data_fit:9.1f}, slopes {fit.segments().slope.round(2).tolist()} g/ms")
print(f"\n{sure}")

# %%
figure = plt.figure(figsize=(9.0, 4.5), layout="constrained")
left, right = figure.subplots(1, 2, sharey=True)
at = np.union1d(np.linspace(time.min(), time.max(), 801), sure.knots.value)
for axes in (left, right):
    axes.plot(time, acceleration, "o", color="0.75", markersize=3.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("time after impact (ms)")
for (name, fit), color, style in zip(fits.items(), ("#000000", "#D55E00", "#0072B2"), ("--", "-.", "-"), strict=True):
    left.plot(at, fit.predict(at), style, color=color, linewidth=1.6, label=name)
left.legend(frameon=False, loc="lower right")
left.set_ylabel("acceleration (g)")
left.set_title("three knots, three fits", loc="left", fontsize=10)
band, knots = sure.band(at), sure.knots
right.fill_between(at, band.low, band.high, color="#0072B2", alpha=0.25, linewidth=0)
right.plot(at, band.value, color="#0072B2", linewidth=1.6)
reach = np.array([knots.value - knots.low, knots.high - knots.value])
right.errorbar(knots.value, sure.solution.predict(knots.value), xerr=reach, fmt="o", color="#D55E00", capsize=4)
right.set_title("95 % intervals of curve and knots, given K = 3", loc="left", fontsize=10)
figure.savefig("segments.png", dpi=130)
print("wrote segments.png")
