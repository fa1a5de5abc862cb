"""An uneven time series with outliers
===================================

The motorcycle data once more, at uneven and repeated times; one response in eight is spoiled, as if a sensor had hit
its stop. Squared error follows the outliers. Huber's loss counts an error beyond delta as an absolute one, and hardly
notices. Nothing has to be removed, resampled or interpolated first, and each fit is certified. All three are judged at
the responses that were not spoiled.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
LOSSES = {"Squared": rs.Squared(), "Huber, delta = 20 g": rs.Huber(20.0), "Absolute": rs.Absolute()}
STYLES = (("#D55E00", "--"), ("#0072B2", "-"), ("#009E73", ":"))

# %%
time, measured, _ = rs.datasets.load_motorcycle()
spoiled = np.random.default_rng(1).random(len(time)) < 0.125
seen = np.where(spoiled, 180.0, measured)

# %%
figure = plt.figure(figsize=(9.0, 5.0), layout="constrained")
axes = figure.subplots()
axes.plot(time[~spoiled], seen[~spoiled], "o", color="#7f7f7f", markersize=4, label="data")
axes.plot(time[spoiled], seen[spoiled], "x", color="black", markersize=6, label=f"{spoiled.sum()} outliers")
for (name, loss), (colour, dashes) in zip(LOSSES.items(), STYLES, strict=True):
    problem = rs.Problem(time, seen, lam=1.0, loss=loss)
    solution = rs.solve(problem.with_lam(0.03 * rs.lambda_max(problem)))
    error = np.median(np.abs(solution.predict(time) - measured)[~spoiled])
    print(f"--- {name}\n{solution.summary()}\nmedian error at the others: {error:.1f} g")
    grid = np.union1d(np.linspace(time[0], time[-1], 2), solution.network.knots)
    label = f"{name}: median error {error:.1f} g"
    axes.plot(grid, solution.predict(grid), color=colour, linestyle=dashes, linewidth=2.0, label=label)
axes.set(xlabel="time after impact (ms)", ylabel="acceleration (g)")
axes.legend(frameon=False, fontsize=9)
axes.spines[["top", "right"]].set_visible(False)
figure.savefig("outliers.png", dpi=130)
print("wrote outliers.png")
