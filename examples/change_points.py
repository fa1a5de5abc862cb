"""A change point that is known costs nothing
=============================================

The head of a motorcyclist in a crash: nothing happens before the impact reaches it at 14 ms. A bend there need not pay
for itself, so that the slopes beside it are not shrunk; the data choose all other knots, at a price. The certificate,
which is at plus or minus lambda where a bend pays, is zero where it is free.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
time, acceleration, _ = rs.datasets.load_motorcycle()
lam, impact = 1000.0, 14.0
free = rs.solve(rs.Problem(time, acceleration, lam, constraints=[rs.FreeKnots(impact)]))
priced = rs.solve(rs.Problem(time, acceleration, lam))
print(free.summary())

# %%
figure = plt.figure(figsize=(8.0, 5.0), layout="constrained")
above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, 1.0])
at = np.union1d(np.linspace(time.min(), time.max(), 401), free.network.knots)
above.plot(time, acceleration, "o", color="0.75", markersize=3.5)
for name, fit, color, style in (("all bends at a price", priced, "0.3", "--"), ("free at 14 ms", free, "#0072B2", "-")):
    above.plot(at, fit.predict(at), style, color=color, linewidth=1.6, label=name)
    below.plot(at, fit.certificate.eta(1.0, at) / lam, style, color=color, linewidth=1.4)
above.plot(impact, free.predict([impact]), "o", color="#D55E00")
below.plot(impact, 0.0, "o", color="#D55E00")
for level in (-1.0, 1.0):
    below.axhline(level, color="0.6", linewidth=0.8)
above.legend(frameon=False, loc="lower right")
above.set_ylabel("acceleration (g)")
below.set_ylabel("certificate / lambda")
below.set_xlabel("time (ms)")
for axes in (above, below):
    axes.spines[["top", "right"]].set_visible(False)
figure.savefig("change_points.png", dpi=130)
print("wrote change_points.png")
