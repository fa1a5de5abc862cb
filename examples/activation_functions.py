r"""Fig. 1: activation functions
============================

Above, what a neuron applies to :math:`w^T x - b`. Below, the frequency response of the operator H that turns it into an
impulse (Table 1). Where that vanishes at :math:`\omega = 0`, H annihilates polynomials, which a fit then gets for
nothing: the order of the zero, measured here, is the dimension of that null space in one variable.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
ACTIVATIONS = {
    "rectified linear unit": rs.ReLU(),
    "truncated power": rs.TruncatedPower(2),
    "sigmoid": rs.Sigmoid(),
    "arctan": rs.Arctan(),
    "exponential": rs.Exponential(),
}
FREE = {-1: "nothing", 0: "constants", 1: "lines", 2: "parabolas"}


def order_of_zero(activation: rs.activations.Activation) -> float:
    """The slope of log |H| against log omega near zero."""
    near, nearer = np.abs(activation.symbol(np.array([2e-4, 1e-4])))
    return float(np.log2(near / nearer))


# %%
t, omega = np.linspace(-4.0, 4.0, 401), np.linspace(-1.5, 1.5, 401)
figure = plt.figure(figsize=(13.0, 5.2), layout="constrained")
above, below = figure.subplots(2, len(ACTIVATIONS), sharex="row")
print(f"{'activation':<22}  {'zero of H at 0':>14}  {'free':<10}  homogeneous of degree")
for (name, activation), upper, lower in zip(ACTIVATIONS.items(), above, below, strict=True):
    free = FREE[activation.degree]
    print(f"{name:<22}  {order_of_zero(activation):14.3f}  {free:<10}  {activation.homogeneity or 'none'}")
    upper.plot(t, activation.value(t), color="#0072B2", linewidth=2.0)
    upper.set_title(f"{name}\nfree: {free}", loc="left", fontsize=10)
    lower.plot(omega, np.abs(activation.symbol(omega)), color="#D55E00", linewidth=2.0)
    lower.set_xlabel("$\\omega$")
    upper.set_xlabel("$t$")
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.axvline(0.0, color="0.85", linewidth=0.8, zorder=0)
above[0].set_ylabel("$\\sigma(t)$")
below[0].set_ylabel("$|\\hat{H}(\\omega)|$")
figure.savefig("activation_functions.png", dpi=130)
print("wrote activation_functions.png")
