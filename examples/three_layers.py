r"""Two hidden layers, convexly
===========================

A problem of three layers that is convex, and the lower bound that it gives for deep networks.

The target is a pyramid, one unit of a second hidden layer: :math:`\rho(1 - |x_1| - |x_2|)`. One hidden layer needs many
neurons for it. Over measures on *functions* two hidden layers are convex, too: :func:`ridgesplines.solve_three_layers`.
For problem (34) with norms this says how low any network of two ridge-spline layers can come, as far as a search can
tell. A trained one stands beside it; its training knows the seminorms alone, not the norms, which is part of the
difference.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs
from ridgesplines.torch import DeepRidgeSpline, WeightDecay

# %%
#: Data, and lam.
N, LAM, EPOCHS = 40, 0.1, 3000


def problem() -> rs.Problem:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (N, 2))
    y = 2.0 * np.maximum(1.0 - np.abs(X).sum(axis=1), 0.0) + 0.05 * rng.standard_normal(N)
    return rs.Problem(X, y, LAM)


def rescaled(layers, s: float):
    """The same function, its first layer s times as large."""
    first, last = layers
    first = first.changed(amplitudes=s * first.amplitudes, slope=s * first.slope, offset=s * first.offset)
    return first, rs.RidgeSpline(last.weights / s, last.biases, last.amplitudes, last.slope / s, last.offset)


def balanced(bound: rs.DeepLowerBound, layers):
    """The best scale of the first layer, for the norms."""
    return min((rescaled(layers, s) for s in np.geomspace(0.05, 20.0, 200)), key=bound.objective)


def draw(axes, p: rs.Problem, f, name: str) -> None:
    """The function over the square, and the data."""
    t = np.linspace(-1.0, 1.0, 81)
    grid = np.stack(np.meshgrid(t, t), axis=-1).reshape(-1, 2)
    axes.contourf(
        t, t, f.predict(grid).reshape(81, 81), levels=np.linspace(-0.4, 2.0, 13), cmap="cividis", extend="both"
    )
    axes.plot(*p.X.T, ".", color="white", markersize=3)
    axes.set(aspect="equal")
    axes.set_title(name, loc="left", fontsize=9)


def draw_bound(axes, bound: rs.DeepLowerBound, reached: float) -> None:
    """The sum whose least value is the bound."""
    t = np.linspace(0.0, 3.0 * bound.path_norm + 1.0, 400)
    axes.plot(t, bound.data_fit(t), color="#7f7f7f", label="data fit, from below")
    axes.plot(t, bound.penalised(t), color="#0072B2", label="with the norms")
    axes.plot(bound.path_norm, bound.value, "o", color="#0072B2")
    axes.axhline(reached, color="#D55E00", label="trained network")
    axes.set(xlabel="path norm t", ylim=(0.0, 1.6 * reached))
    axes.set_title(f"(34) with norms: {reached:.4g},\nbound {bound.value:.4g} ({bound.scope})", loc="left", fontsize=9)
    axes.legend(frameon=False, fontsize=8)


# %%
p = problem()
shallow, three = rs.solve(p), rs.solve_three_layers(p, tol=5e-3, max_time=600.0)
print(f"--- one hidden layer\n{shallow.summary()}\n--- two hidden layers, convexly\n{three.summary()}")

# %%
bound = rs.deep_lower_bound(p, tol=0.03, max_time=600.0)
deep = DeepRidgeSpline(widths=(30, 10), bottlenecks=(1,)).train(p, WeightDecay(epochs=EPOCHS, learning_rate=0.01))
layers = balanced(bound, deep.layers)
print(f"--- problem (34) with norms, a trained network beside the bound\n{bound.summary(layers)}")

# %%
figure = plt.figure(figsize=(11.0, 3.8), layout="constrained")
left, middle, right = figure.subplots(1, 3)
draw(left, p, shallow, f"one hidden layer:\n{shallow.objective:.4g}, {shallow.network.n_neurons} neurons")
draw(middle, p, three, f"two, convexly:\n{three.objective:.4g}, {three.n_units} units of {three.n_neurons} neurons")
draw_bound(right, bound, bound.objective(layers))
right.spines[["top", "right"]].set_visible(False)
figure.savefig("three_layers.png", dpi=130)
print("wrote three_layers.png")
