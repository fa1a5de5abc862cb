"""Fig. 6: functions with different kinds of variation
===================================================

Weak variation in all directions, strong variation in one, strong variation in all. A neuron has a direction of its own,
so that a network pays for what varies along one direction what a spline of one variable would pay; what varies strongly
in all directions is expensive. Each is fitted from the same number of noisy values, by the same rule for lambda, and no
fit knows which function it sees. For the second the fit finds the direction: the angle to it is printed.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
DIRECTION = np.array([0.8, 0.6])
NOISE = 0.1
FUNCTIONS = {
    "weak, in all directions": lambda X: np.exp(-np.sum(X**2, axis=-1)),
    "strong, in one direction": lambda X: np.sin(6.0 * X @ DIRECTION),
    "strong, in all directions": lambda X: np.sin(6.0 * X[..., 0]) * np.sin(6.0 * X[..., 1]),
}


def fit(function, n: int = 250) -> rs.Solution:
    """lam a little above what noise alone would make of |eta|."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (n, 2))
    noise = NOISE * rng.standard_normal(n)
    lam = rs.lambda_max(rs.Problem(X, noise, lam=1.0))
    return rs.solve(rs.Problem(X, function(X) + noise, lam))


def main_direction(net: rs.RidgeSpline) -> np.ndarray:
    """The first eigenvector of the sum of |v| w wᵀ over the neurons."""
    return np.linalg.eigh((net.weights.T * np.abs(net.amplitudes)) @ net.weights)[1][:, -1]


# %%
side = np.linspace(-1.0, 1.0, 121)
grid = np.stack(np.meshgrid(side, side), axis=-1)
figure = plt.figure(figsize=(11.5, 7.2), layout="constrained")
above, below = figure.subplots(2, 3, sharex=True, sharey=True)
for (name, function), upper, lower in zip(FUNCTIONS.items(), above, below, strict=True):
    solution = fit(function)
    net, truth = solution.network, function(grid)
    fitted = net(grid.reshape(-1, 2)).reshape(truth.shape)
    error = np.sqrt(np.mean((fitted - truth) ** 2))
    angle = np.degrees(np.arccos(min(1.0, abs(main_direction(net) @ DIRECTION))))
    print(f"--- {name}\n{solution.summary()}")
    words = f", {angle:.2f}° off" if "one" in name else ""
    print(f"error off the data {error:.3f}{words and f'; the direction found is{words[1:]}'}")
    drawn = upper.contourf(side, side, truth, levels=21, cmap="viridis")
    upper.set_title(f"{name}\nthe function", loc="left", fontsize=10)
    lower.contourf(side, side, fitted, levels=drawn.levels, cmap="viridis", extend="both")
    for w, b in zip(net.weights, net.biases, strict=True):
        foot, along = b * w, np.array([-w[1], w[0]])
        lower.axline(foot, foot + along, color="white", linewidth=0.7, alpha=0.8)
    title = f"K = {net.n_neurons}, seminorm {net.seminorm:.3g}, error {error:.2f}{words}"
    lower.set_title(title, loc="left", fontsize=10)
    lower.set(xlim=(-1.0, 1.0), ylim=(-1.0, 1.0))
    for axes in (upper, lower):
        axes.set_aspect("equal")
figure.savefig("mixed_variation.png", dpi=110)
print("wrote mixed_variation.png")
