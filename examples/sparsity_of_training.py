"""Fig. 7: accuracy against sparsity
=================================

Handwritten digits: weight decay, LASSO, group LASSO and PathProx.

A shallow ReLU network without a skip connection, cross-entropy, scikit-learn's digits; each method over a range of lam,
with the labels as they are and with 30 % of the training labels drawn at random. After Fig. 7 of R. Parhi, R. D. Nowak,
Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023). The title says which method
is the most accurate at which sparsity. Pass --long for five seeds, more data, more values of lam, longer training.
"""

import sys
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import ridgesplines as rs
from ridgesplines.torch.decay import WeightDecay
from ridgesplines.torch.deep import DeepRidgeSpline
from ridgesplines.torch.proximal import GroupLasso, Lasso, PathProx

# %%
#: More data, more epochs and more neurons.
LONG = "--long" in sys.argv
#: Name: the method, its learning rate, its largest lam for a training image, and its colour and dashes.
METHODS = {
    "weight decay": (WeightDecay, 0.01, 0.12, "#0072B2", "-"),
    "LASSO": (Lasso, 1.0, 0.015, "#E69F00", ":"),
    "group LASSO": (GroupLasso, 1.0, 0.08, "#009E73", "-."),
    "PathProx": (PathProx, 1.0, 0.12, "#D55E00", "--"),
}
#: Shares of nonzero neurons at which the methods are compared.
LEVELS = (0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Size:
    """The size of the experiment."""

    train: int
    width: int
    epochs: int
    lams: int
    seeds: int


def data(size: Size, seed: int, corrupted: bool) -> tuple[np.ndarray, ...]:
    """Training and test images, pixels centred and scaled together, and labels."""
    X, y = load_digits(return_X_y=True)
    X = X - X.mean(axis=0)
    X = 3.0 * X / np.sqrt((X**2).sum(axis=1).mean())
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    train, test = order[: size.train], order[size.train :]
    labels = y[train].copy()
    if corrupted:
        wrong = rng.random(size.train) < 0.3
        labels[wrong] = rng.integers(10, size=wrong.sum())
    return X[train], labels, X[test], y[test]


def measure(size: Size, corrupted: bool) -> dict[str, np.ndarray]:
    """For each method (share of nonzero neurons, test accuracy), shape (lams, seeds, 2)."""
    found = {}
    for name, (method, rate, most, *_) in METHODS.items():
        lams = size.train * np.geomspace(most / 50.0, most, size.lams)
        found[name] = np.empty((size.lams, size.seeds, 2))
        for seed in range(size.seeds):
            X, y, X_test, y_test = data(size, seed, corrupted)
            for k, lam in enumerate(lams):
                settings = method(epochs=size.epochs, learning_rate=rate, random_state=seed)
                network = DeepRidgeSpline((size.width,), skip=False).train(
                    rs.Problem(X, y, float(lam), rs.Softmax()), settings
                )
                accuracy = (network(X_test).argmax(axis=1) == y_test).mean()
                found[name][k, seed] = network.layers[0].n_neurons / size.width, accuracy
    return found


def frontier(points: np.ndarray, level: float) -> float:
    """The best mean accuracy of a method over lam with at most this share of nonzero neurons; 0 where it has none."""
    means = points.mean(axis=1)
    return max((accuracy for share, accuracy in means if share <= level), default=0.0)


def ranking(found: dict[str, np.ndarray]) -> str:
    """The most accurate method at each sparsity, in words; the table is printed."""
    print("  at most nonzero  " + "  ".join(f"{name:>12}" for name in found))
    first: dict[str, list[str]] = {}
    for level in LEVELS:
        best = {name: frontier(points, level) for name, points in found.items()}
        print(f"{level:>17.0%}  " + "  ".join(f"{value:12.4f}" if value else f"{'-':>12}" for value in best.values()))
        winner = max(best, key=lambda name: best[name])
        if best[winner] > 0.0:
            first.setdefault(winner, []).append(f"{level:.0%}")
    parts = [f"{', '.join(levels)}: {winner}" for winner, levels in first.items()]
    return "most accurate with at most so many neurons\n" + "; ".join(parts)


def draw(axes, found: dict[str, np.ndarray], title: str) -> None:
    for name, points in found.items():
        *_, colour, dashes = METHODS[name]
        (x, y), (dx, dy) = points.mean(axis=1).T, points.std(axis=1).T
        axes.errorbar(x, y, dy, dx, color=colour, linestyle=dashes, marker="o", markersize=4, label=name, linewidth=1.2)
    axes.set_title(title, loc="left", fontsize=9)
    axes.set_xlabel("proportion of nonzero neurons")
    axes.set_ylabel("test accuracy")
    axes.set_ylim(0.5, 1.0)
    axes.spines[["top", "right"]].set_visible(False)


# %%
size = Size(300, 50, 80, 3, 2) if not LONG else Size(600, 100, 400, 8, 5)
figure = plt.figure(figsize=(10.0, 4.6), layout="constrained")
for axes, corrupted in zip(figure.subplots(1, 2), (False, True), strict=True):
    words = "30 % of the labels at random" if corrupted else "labels as they are"
    found = measure(size, corrupted)
    print(f"--- {words}: best mean test accuracy over lam, {size.seeds} seeds")
    draw(axes, found, f"{words}, {size.seeds} seeds\n{ranking(found)}")
axes.legend(frameon=False, fontsize=9)
figure.savefig("sparsity_of_training.png", dpi=130)
print("wrote sparsity_of_training.png")
