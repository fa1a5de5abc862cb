r"""A deep network, layer by layer
==============================

A deep network on a compositional target: refined layer by layer, each step a convex problem, and never worse.

The target is a function of :math:`|w^T x|`, which one layer must build from many neurons and two layers need few for.
Training by weight decay leaves many neurons; the last layer is then solved to its certificate, the inner layer is
swept, and the objective of problem (34) falls at every step. Ranks and sparsity are measured as Section IV-B claims
them.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs
from ridgesplines.torch.decay import WeightDecay
from ridgesplines.torch.deep import DeepRidgeSpline

# %%
#: More data, more epochs and more neurons.
LONG = "--long" in sys.argv
SWEEPS = 3


def target(X: np.ndarray) -> np.ndarray:
    fold = np.abs(X @ [0.8, 0.6])
    return np.abs(fold - 0.4) + 2.0 * np.maximum(fold - 0.8, 0.0)


def problem(n: int = 200) -> rs.Problem:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (n, 2))
    y = target(X) + 0.02 * rng.standard_normal(n)
    return rs.Problem(X, (y - y.mean()) / y.std(), lam=1.0)


def stages(p: rs.Problem, epochs: int) -> dict:
    """The network after each step."""
    now = DeepRidgeSpline(widths=(50, 50), bottlenecks=(1,)).train(p, WeightDecay(epochs=epochs, learning_rate=0.01))
    found = {"trained": now, "last layer\nrefined": now.refine()}
    for k in range(SWEEPS):
        now = list(found.values())[-1].sweep()
        found[f"sweep {k + 1}"] = now
    return found


def draw_stages(left, middle, deep: dict, shallow: rs.Solution) -> None:
    """The objective and the active neurons after each step."""
    places, ranks = range(len(deep)), list(deep.values())[-1].ranks
    left.plot(places, [solution.objective for solution in deep.values()], "o-", color="#0072B2")
    left.set_title(
        f"problem (34): the objective never rises\n(one layer, certified: {shallow.objective:.4g})", loc="left"
    )
    left.set_ylabel("objective")
    first, last = (np.array([solution.active[i] for solution in deep.values()]) for i in (0, 1))
    middle.bar(places, first, color="#56B4E9", label="first layer")
    middle.bar(places, last, bottom=first, color="#D55E00", label="last layer")
    middle.axhline(shallow.network.n_neurons, color="black", linewidth=1.0, label="one layer, at its optimum")
    middle.set_title(f"active neurons\n(rank of W V between the layers: {ranks[0]})", loc="left")
    middle.legend(frameon=False, fontsize=8)
    for axes in (left, middle):
        axes.set_xticks(places, list(deep), fontsize=8, rotation=30)


def draw_functions(axes, p: rs.Problem, functions: dict) -> None:
    """Along the direction in which the target varies, in the target's units."""
    t, values = np.linspace(-1.0, 1.0, 400), target(p.X)
    line, styles = np.outer(t, [0.8, 0.6]), ({"color": "#0072B2"}, {"color": "#D55E00", "ls": "--"})
    axes.plot(t, target(line), color="#7f7f7f", linewidth=3.0, label="target")
    for (name, function), style in zip(functions.items(), styles, strict=True):
        axes.plot(t, function.predict(line) * values.std() + values.mean(), label=name, **style)
    axes.set_title("along w = (0.8, 0.6)", loc="left")
    axes.legend(frameon=False, fontsize=8)


# %%
p = problem()
shallow = rs.solve(p)
deep = stages(p, epochs=10_000 if LONG else 800)
print(f"--- one layer\n{shallow.summary()}")
for name, solution in deep.items():
    print(f"--- {' '.join(name.split())}\n{solution.summary()}")
figure = plt.figure(figsize=(11.0, 4.2), layout="constrained")
left, middle, right = figure.subplots(1, 3)
draw_stages(left, middle, deep, shallow)
draw_functions(right, p, {"two layers": list(deep.values())[-1], "one layer": shallow})
for axes in (left, middle, right):
    axes.title.set_fontsize(9)
    axes.spines[["top", "right"]].set_visible(False)
figure.savefig("deep.png", dpi=130)
print("wrote deep.png")
