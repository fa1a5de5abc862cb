"""How far a grid is from the optimum
==================================

How far a grid of directions is from the optimum over all directions: exactly, and how that falls.

For a fixed direction the biases at the data lose nothing, so that the error of a grid comes from its directions alone.
In two dimensions the certificate is exact: it bounds the distance to the best of *all* ridge splines, not only of the
grid's. Among its own neurons each grid is solved to rounding.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

import ridgesplines as rs

# %%
data = load_diabetes(as_frame=True)
frame = data.data[["bmi", "s5"]].iloc[:100]
problem = rs.Problem((frame - frame.mean()) / frame.std(), data.target.iloc[:100], lam=1.0)
problem = problem.with_lam(0.05 * rs.lambda_max(problem))

# %%
counts = np.array([4, 8, 16, 32, 64, 128, 256])
solutions = [rs.solve(problem, rs.Grid(directions=int(m))) for m in counts]
gaps = np.array([s.relative_gap for s in solutions])
print(" M    objective      relative gap   on the grid    K")
for m, s in zip(counts, solutions, strict=True):
    print(f"{m:3d}  {s.objective:12.4f}  {s.relative_gap:12.2e}  {s.dictionary_gap:12.1e}  {s.network.n_neurons:4d}")
slope, level = np.polyfit(np.log(counts), np.log(gaps), 1)
print(f"fitted slope: gap ~ M^{slope:.2f}")

# %%
figure = plt.figure(figsize=(6.5, 4.2), layout="constrained")
axes = figure.subplots()
axes.loglog(counts, gaps, "o-", color="#0072B2", label="certified gap to the best of all ridge splines")
axes.loglog(counts, np.exp(level) * counts**slope, "--", color="#D55E00", label=f"fitted slope {slope:.2f}")
axes.set_title(f"N = 100, d = 2: the gap of a grid of M directions falls like $M^{{{slope:.2f}}}$", loc="left")
axes.set_xlabel("directions M in the grid")
axes.set_ylabel("relative gap")
axes.set_xticks(counts, [str(m) for m in counts])
axes.minorticks_off()
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False)
figure.savefig("gap_of_a_grid.png", dpi=150)
print("wrote gap_of_a_grid.png")
