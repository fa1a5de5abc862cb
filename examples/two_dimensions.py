"""Two dimensions, and ten: what is proven
=======================================

Ridge splines of real data.

The diabetes study: 442 patients, ten measurements, and the progress of the disease a year later. In two dimensions
the grid's answer is measured against *all* ridge splines, exactly; the lines along which the surface bends are drawn.
In ten dimensions the certificate covers the neurons of the grid, and says so.
"""

from sklearn.datasets import load_diabetes

import ridgesplines as rs

# %%
data = load_diabetes(as_frame=True, scaled=False)
frame, progress = data.data, data.target
frame = (frame - frame.mean()) / frame.std()  # features in units of their spread

# %%
print("two features: body mass index and the logarithm of triglycerides (s5)")
pair = frame[["bmi", "s5"]].rename(columns={"bmi": "body mass index (scaled)", "s5": "log triglycerides (scaled)"})
problem = rs.Problem(pair, progress, lam=1.0)
problem = problem.with_lam(0.1 * rs.lambda_max(problem))
solution = rs.solve(problem, rs.Grid(directions=64))
print(solution.summary())
print(solution.network.to_frame().round(3).to_string(index=False))

# %%
print("\nall ten features, 32 directions")
everything = rs.Problem(frame, progress, lam=1.0)
everything = everything.with_lam(0.2 * rs.lambda_max(everything))
print(rs.solve(everything, rs.Grid(directions=32)).summary())

# %%
figure = solution.plot(target="progress of the disease")
figure.savefig("two_dimensions.png", dpi=150)
print("\nwrote two_dimensions.png")
figure
