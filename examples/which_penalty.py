"""What weight decay leaves free
=============================

With a skip connection that is not penalised, more and more weight decay leads to the straight line of least squares.
Other networks have other limits. Under the norm the affine part costs something too, by what f is at 0 and at 1; where
decay acts on the biases as well, and there is no skip connection, everything costs. Both lead to zero, and both depend
on where x is zero, here in the middle of the data. Each is a convex problem of its own, with a certificate of its own.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
x, y, _ = rs.datasets.load_motorcycle()
x = (x - x.mean()) / x.std()
penalties = {
    "affine part and biases free": {},
    "norm=True": {"norm": True},
    "penalise_bias=True, skip=False": {"penalise_bias": True, "skip": False},
}

# %%
t = np.linspace(x.min() - 0.5, x.max() + 0.5, 400)
figure, panels = plt.subplots(1, 3, figsize=(11.0, 3.4), sharey=True, layout="constrained")
for axes, (name, penalty) in zip(panels, penalties.items(), strict=True):
    axes.plot(x, y, ".", color="0.7", markersize=4)
    top = rs.lambda_max(rs.Problem(x, y, 1.0, **penalty))
    for share, colour in ((0.003, "C0"), (0.1, "C1"), (1.01, "C3")):
        solution = rs.solve(rs.Problem(x, y, share * top, **penalty))
        axes.plot(t, solution.predict(t), color=colour, label=f"{share:g} λmax: K = {solution.network.n_neurons}")
        print(f"{name}, {share:g} lambda_max\n{solution.summary()}\n")
    axes.set(title=name, xlabel="time, standardised")
    axes.legend(frameon=False, fontsize=8)
panels[0].set_ylabel("acceleration (g)")
figure.savefig("which_penalty.png", dpi=130)
print("wrote which_penalty.png")
