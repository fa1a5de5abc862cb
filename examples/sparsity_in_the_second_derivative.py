r"""Fig. 3: sparsity in the second derivative
=========================================

A network with six neurons, whose second derivative is six impulses.

Penalising the sum of :math:`|v| \|w\|` is penalising the integral of the absolute second derivative, (15). That
integral is meant in the sense of distributions, (16): the second derivative is smoothed by ever narrower Gaussians, and
their integrals rise to the sum.
"""

import ridgesplines as rs
from ridgesplines.plotting.measure import plot_measure

# %%
time, acceleration, _ = rs.datasets.load_motorcycle()
problem = rs.Problem(time, acceleration, lam=1.0)
solution = rs.solve(problem.with_lam(0.03 * rs.lambda_max(problem)))
print(solution.summary())

# %%
measure = rs.radon.second_derivative(solution.network)
print("\n impulse at (ms)   mass: the change of slope (g/ms)")
for site, mass in zip(measure.sites, measure.masses, strict=True):
    print(f"{site:16.1f}   {mass:+8.3f}")
print(f"\nsum of |v||w|, the seminorm   {solution.seminorm:.12f}")
print(f"norm of the second derivative {measure.norm:.12f}")
print("the same by (16), smoothed by a Gaussian of standard deviation")
for deviation in (3.0, 1.0, 0.3, 0.1, 0.03):
    print(f"{deviation:21.2f} ms   {measure.mollified_norm(deviation**2):20.12f}")

# %%
figure = plot_measure(solution.network)
above, below = figure.axes
above.set_ylabel("acceleration (g)")
below.set(xlabel="time after impact (ms)", ylabel="second derivative\n(masses, g/ms)")
figure.savefig("sparsity_in_the_second_derivative.png", dpi=150)
print("wrote sparsity_in_the_second_derivative.png")
figure
