r"""Figs. 2 and 5: networks drawn from their weights
================================================

Left, a solution of problem (32): every node between the inputs and the output is a ReLU neuron that the optimum kept,
and the curve above is the skip connection. Right, a deep network: between its two layers of neurons stands a linear
bottleneck (gray), which makes the matrix of weights between them low-rank, as Section IV-B says. Lines are as wide as
the weights are large, blue where they are positive and orange where they are negative; neurons are balanced,
:math:`\|v\| = \|w\|`.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs
from ridgesplines.torch.decay import WeightDecay
from ridgesplines.torch.deep import DeepRidgeSpline

# %%
COLOURS = {"input": "white", "neuron": "#56B4E9", "linear": "#BBBBBB"}


def problem(n: int = 120) -> rs.Problem:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (n, 2))
    folds = np.abs(X @ [0.8, 0.6]) + np.abs(X @ [-0.6, 0.8])
    return rs.Problem(X, np.abs(folds - 0.8) + 0.02 * rng.standard_normal(n), lam=0.4)


def columns(layers: tuple[rs.RidgeSpline, ...]) -> tuple[list[tuple[str, int]], list[np.ndarray]]:
    """(kind, size) of each column of nodes, and the matrix of weights from each column to the next."""
    nodes, matrices = [("input", layers[0].n_features)], []
    for layer in layers:
        amplitudes = layer.amplitudes.reshape(layer.n_neurons, -1)
        size = np.sqrt(np.linalg.norm(amplitudes, axis=1, keepdims=True))  # balanced: both factors of one size
        nodes += [("neuron", layer.n_neurons), ("linear", amplitudes.shape[1])]
        matrices += [size * layer.weights, (amplitudes / size).T]
    return nodes, matrices


def draw(axes, layers: tuple[rs.RidgeSpline, ...], title: str) -> None:
    nodes, matrices = columns(layers)
    places = [np.column_stack([np.full(m, float(i)), np.arange(m) - (m - 1) / 2.0]) for i, (_, m) in enumerate(nodes)]
    places = [place * [1.0, 1.0 / max(1.0, len(place) - 1.0)] for place in places]
    for before, after, matrix in zip(places, places[1:], matrices, strict=False):
        for (k, j), weight in np.ndenumerate(matrix / np.abs(matrix).max()):
            ends = np.array([before[j], after[k]]).T
            colour = "#0072B2" if weight > 0.0 else "#D55E00"
            axes.plot(*ends, color=colour, linewidth=3.0 * abs(weight), alpha=0.7, zorder=1)
    for (kind, _), place in zip(nodes, places, strict=True):
        axes.scatter(*place.T, s=110, color=COLOURS[kind], edgecolors="black", linewidths=0.8, zorder=2)
    for ell in range(len(layers)):
        arrow = {"arrowstyle": "->", "color": "0.4", "connectionstyle": "arc3,rad=-0.35"}
        axes.annotate("", (2.0 * ell + 1.95, 0.56), (2.0 * ell + 0.05, 0.56), arrowprops=arrow)
        axes.text(2.0 * ell + 1.0, 0.83, "skip", ha="center", fontsize=8, color="0.4")
    axes.set(xlim=(-0.3, len(nodes) - 0.7), ylim=(-0.65, 0.95))
    axes.set_title(title, loc="left", fontsize=10)
    axes.axis("off")


# %%
p = problem()
shallow = rs.solve(p)
deep = DeepRidgeSpline(widths=(40, 40), bottlenecks=(1,)).train(p, WeightDecay(epochs=600, learning_rate=0.01))
for _ in range(2):
    deep = deep.sweep()
print(f"--- one layer\n{shallow.summary()}\n--- two layers\n{deep.summary()}")
figure = plt.figure(figsize=(12.0, 5.0), layout="constrained")
left, right = figure.subplots(1, 2, width_ratios=[1.0, 1.6])
draw(left, (shallow.network,), f"problem (32): K = {shallow.network.n_neurons} neurons for N = {p.n_samples} data")
ranks, active = ", ".join(map(str, deep.ranks)), " + ".join(map(str, deep.active))
draw(right, deep.layers, f"problem (34): {active} neurons, rank {ranks} between them")
figure.savefig("architecture.png", dpi=130)
print("wrote architecture.png")
