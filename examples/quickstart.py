"""Quickstart: a spline and its proof
==================================

A linear spline through real measurements, and the proof of how good it is.

The head of a motorcyclist in a simulated crash: 133 accelerations at uneven times. A wide ReLU network with a skip
connection, trained with weight decay, would approach the function found here; this one is its global optimum, with a
handful of neurons, and says how far from the optimum it can be at most.
"""

import ridgesplines as rs

# %%
# The table comes with the library: times in milliseconds, accelerations in g.
time, acceleration, names = rs.datasets.load_motorcycle()

# %%
# What a change of slope costs is lambda. Cross-validation would choose it; here it is a fiftieth of the largest that
# makes sense, from which on the fit is a straight line.
problem = rs.Problem(time, acceleration, lam=1.0, feature_names=names[:1], target_name=names[1])
problem = problem.with_lam(0.02 * rs.lambda_max(problem))
solution = rs.solve(problem)
print(solution.summary())

# %%
# The fit is its knots.
print("\n knot (ms)   change of slope (g/ms)")
for knot, change in sorted(zip(solution.network.knots, solution.network.amplitudes, strict=True)):
    print(f"{knot:10.1f}   {change:+.3f}")

# %%
# Above the fit, below its certificate, which touches the dashed lines at the knots and exceeds them nowhere.
figure = solution.plot()
figure.savefig("quickstart.png", dpi=150)
print("\nwrote quickstart.png")
figure
