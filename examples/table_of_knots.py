"""Reading a fit as a table of knots
=================================

A linear spline is its knots: between two of them it is a straight line, and what happens at a knot is one number, the
change of slope. So a fit is a few rows, each of which is a sentence: from here on the acceleration falls by
so much a millisecond. Lambda is the largest that predicts held-out data within one standard error of the best.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import ridgesplines as rs


# %%
def table_of(net: rs.RidgeSpline) -> pd.DataFrame:
    """The knots of a linear spline: where, how high, and the slopes before and after."""
    corners = np.concatenate([[net.knots.min() - 1.0], np.sort(net.knots), [net.knots.max() + 1.0]])
    slopes = np.diff(net(corners)) / np.diff(corners)
    before, after = slopes[:-1], slopes[1:]
    rows = {"time": corners[1:-1], "value": net(corners[1:-1]), "before": before, "after": after}
    return pd.DataFrame(rows | {"change": after - before})


# %%
time, acceleration, _ = rs.datasets.load_motorcycle()
model = rs.LinearSplineRegressorCV().fit(time, acceleration)
net, knots = model.network_, table_of(model.network_)
print(f"{model.solution_.summary()}\n\nms, g, and g/ms:\n{knots.to_string(index=False, float_format='%.1f')}")
print(f"\nthe changes of slope add up to {knots.change.abs().sum():.6f}, the seminorm is {net.seminorm:.6f}")

# %%
figure = plt.figure(figsize=(9.0, 5.0), layout="constrained")
axes = figure.subplots()
ends = np.concatenate([[time.min()], knots.time, [time.max()]])
axes.plot(time, acceleration, "o", color="0.75", markersize=4)
axes.plot(ends, net(ends), color="#0072B2", linewidth=2.0)
axes.plot(knots.time, knots.value, "o", color="#D55E00", markersize=7, markeredgecolor="white")
for row in knots.itertuples():
    side = -1 if row.change > 0.0 else 1
    text = axes.annotate(f"{row.change:+.1f}", (row.time, row.value), (0, 14 * side), textcoords="offset points")
    text.set(ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5})
axes.set_title("numbers: change of slope at the knot, in g/ms", loc="left", fontsize=10)
axes.set(xlabel="time after impact (ms)", ylabel="acceleration (g)")
axes.spines[["top", "right"]].set_visible(False)
figure.savefig("table_of_knots.png", dpi=130)
print("wrote table_of_knots.png")
