"""Why a fit has few neurons: the cylinder
=======================================

Why a fit has few neurons, seen: the cylinder of directions and offsets, and the certificate on it.

A line of the plane, w1 x1 + w2 x2 = b, is a point on this cylinder, and so is a neuron, which bends along that line.
The dual certificate is a function on it, made from the residuals of the fit. It never exceeds lambda, and the neurons
stand where it is lambda or -lambda: those few points are the only ones where an optimum can have any.
"""

import numpy as np
from sklearn.datasets import load_diabetes

import ridgesplines as rs

# %%
data = load_diabetes(as_frame=True, scaled=False)
frame = (data.data - data.data.mean()) / data.data.std()  # features in units of their spread
problem = rs.Problem(frame[["bmi", "s5"]].iloc[:150], data.target.iloc[:150], lam=1.0)
solution = rs.solve(problem.with_lam(0.1 * rs.lambda_max(problem)))
print(solution.summary())

# %%
measure = rs.radon.radon_measure(solution.network)
eta = solution.certificate.eta(measure.directions, measure.offsets) / solution.problem.lam
print("\n angle (degrees)   offset     mass   eta / lambda")
for (first, second), offset, mass, value in zip(measure.directions, measure.offsets, measure.masses, eta, strict=True):
    print(f"{np.degrees(np.arctan2(second, first)):16.1f}   {offset:6.3f}   {mass:+6.2f}   {value:+12.9f}")
print(f"norm of the measure {measure.norm:.9f}, seminorm of the network {solution.seminorm:.9f}")

# %%
figure = solution.plot(kind="cylinder", target="progress of the disease")
figure.savefig("cylinder.png", dpi=150)
print("wrote cylinder.png")
figure
