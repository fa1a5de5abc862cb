r"""Every activation of Table 1
===========================

Every activation of Table 1 on the same measurements: fits, gaps, neurons and seminorms, in one picture.

Each activation has a sparsifying operator of its own, H, which turns it into an impulse; the problem that is solved is

.. math:: \min_f \; \sum_n (y_n - f(x_n))^2 + \lambda \|H f\|_{\mathcal M}

over all functions, and its solution is a network with that activation and fewer neurons than data. What H annihilates
is free: affine functions for ReLU, polynomials of degree k for a truncated power of order k, constants for sigmoid and
arctan, nothing for the exponential. Only for ReLU and truncated powers are the amplitudes and the weights of a neuron
exchangeable, which is what ties weight decay to sparsity; for the others w has unit length, and the scale is chosen.

The data are the 133 accelerations of `quickstart.py`. Dots are the neurons' biases, for splines their knots.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
ACTIVATIONS = [
    rs.ReLU(),
    rs.TruncatedPower(2),
    rs.TruncatedPower(3),
    rs.Sigmoid(scale=1.0),
    rs.Arctan(scale=1.0),
    rs.Exponential(scale=10.0),
]


def report(solution: rs.Solution) -> None:
    problem, net = solution.problem, solution.network
    free = {-1: "nothing", 0: "constants"}.get(problem.activation.degree, f"degree {problem.activation.degree}")
    print(
        f"{problem.activation!r:<24}  {free:<10}  {net.n_neurons:>3}  {problem.n_samples - problem.rank:>5}  "
        f"{solution.seminorm:>10.4g}  relative gap {solution.relative_gap:.1e} ({solution.certificate.scope})"
    )


def draw(axes: plt.Axes, solution: rs.Solution) -> None:
    problem, net = solution.problem, solution.network
    x = problem.X[:, 0]
    grid = np.linspace(x.min(), x.max(), 1000)
    knots = net.knots[(net.knots >= x.min()) & (net.knots <= x.max())]
    axes.scatter(x, problem.y, s=8, color="#7f7f7f")
    axes.plot(grid, net(grid), color="#0072B2", linewidth=1.8)
    axes.plot(knots, net(knots), "o", color="#D55E00", markersize=5, markeredgecolor="white")
    axes.set_title(
        f"{problem.activation!r}: K = {net.n_neurons} < N = {len(x)}\nseminorm {solution.seminorm:.3g}, "
        f"gap {max(solution.relative_gap, 1e-14):.0e} ({solution.certificate.scope})",
        fontsize=9,
        loc="left",
    )
    axes.spines[["top", "right"]].set_visible(False)


# %%
time, acceleration, _ = rs.datasets.load_motorcycle()

# %%
figure, panels = plt.subplots(2, 3, figsize=(12, 6.5), sharex=True, sharey=True, layout="constrained")
print(f"{'activation':<24}  {'null space':<10}  {'K':>3}  {'bound':>5}  {'seminorm':>10}")
for activation, axes in zip(ACTIVATIONS, panels.flat, strict=True):
    problem = rs.Problem(time, acceleration, lam=1.0, activation=activation)
    problem = problem.with_lam(0.02 * rs.lambda_max(problem))
    solution = rs.solve(problem)
    report(solution)
    draw(axes, solution)
figure.supxlabel("time after impact (ms)")
figure.supylabel("acceleration (g)")
figure.savefig("activations.png", dpi=150)
print("\nwrote activations.png")
