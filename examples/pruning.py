"""Fewer neurons in a trained network
====================================

A network of PyTorch with two hidden layers, trained on handwritten digits with weight decay, has more neurons than it
needs (Section VII). Each of its layers is replaced by a small subset of its own neurons with refitted weights, whose
outputs stay within a tolerance: a group LASSO and backward elimination choose it. The picture shows how many neurons
are left as the tolerance grows, and what that costs on rows that were held back. The subsets are small, and not proven
to be the smallest.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from ridgesplines.torch import compress

# %%
EPOCHS = 150
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16.0, dtype=torch.float32), torch.tensor(y)
train, rest = slice(0, 1200), slice(1200, None)
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(64, 60), nn.ReLU(), nn.Linear(60, 30), nn.ReLU(), nn.Linear(30, 10))
optimiser = torch.optim.Adam(net.parameters(), lr=1e-2, weight_decay=1e-4)
for _ in range(EPOCHS):
    optimiser.zero_grad()
    nn.functional.cross_entropy(net(X[train]), y[train]).backward()
    optimiser.step()


def held_back(module):
    """The accuracy on rows that neither training nor pruning has seen."""
    return float((module(X[rest]).argmax(1) == y[rest]).float().mean())


# %%
tolerances = [0.0, 0.02, 0.05, 0.1, 0.2]
smaller = [compress(net, X[train], y[train], tol=tol) for tol in tolerances]
for tol, result in zip(tolerances, smaller, strict=True):
    print(f"tol = {tol:g}: widths {result.widths_after} of {result.widths_before}, error {result.error:.3f}, ", end="")
    print(f"held back {held_back(result.module):.3f} of {held_back(net):.3f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.6), layout="constrained")
places, widths = np.arange(len(tolerances)), np.array([result.widths_after for result in smaller])
left.bar(places - 0.2, widths[:, 0], 0.4, color="#0072B2", label="first hidden layer, of 60")
left.bar(places + 0.2, widths[:, 1], 0.4, color="#D55E00", label="second, of 30")
left.set(ylabel="neurons", title="neurons that are left")
right.plot(places, [result.accuracy_after for result in smaller], "o-", color="#0072B2", label="data of the training")
right.plot(places, [held_back(result.module) for result in smaller], "o-", color="#D55E00", label="held back")
right.axhline(held_back(net), color="black", linewidth=0.8, label="held back, before")
right.set(ylabel="accuracy", title="what it costs")
for axes in (left, right):
    axes.set_xticks(places, [f"{tol:g}" for tol in tolerances])
    axes.set_xlabel("tolerance")
    axes.legend(frameon=False, fontsize=8)
figure.savefig("pruning.png", dpi=130)
print("wrote pruning.png")
