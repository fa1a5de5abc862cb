r"""(29), (30): the sparsifying transform of a network is an impulse a neuron, and its norm is the seminorm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.network.spline import RidgeSpline
from ridgesplines.plotting.style import KNOT, SIGNED
from ridgesplines.radon.grid import Function, RadonGrid
from ridgesplines.radon.measure import radon_measure
from ridgesplines.radon.sparsifying import Window, sparsifying_transform, spike_mass
from ridgesplines.theorems.report import Report, at_most, timed
from ridgesplines.validation import Array

#: A spike is looked for within this many radians and spacings.
CAP, SPACINGS = 0.4, 4.0


def instance(seed: int) -> tuple[Function, RidgeSpline]:
    """Three neurons of two inputs, in different directions, input weights of any norm."""
    rng = np.random.default_rng(seed)
    angles = np.array([0.3, 1.4, 2.5]) + rng.uniform(-0.1, 0.1, 3)
    w = rng.uniform(0.5, 2.0, (3, 1)) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    net = RidgeSpline(w, rng.uniform(-0.2, 0.2, 3), rng.choice([-1.0, 1.0], 3), rng.standard_normal(2), 1.0)
    return net, net


@timed
def check(function: Function, network: RidgeSpline, nodes: Sequence[int] = (65, 129)) -> Report:
    r"""The sparsifying transform of a network, (29) and (30), d = 2 or 3.

    .. math:: D_t^2 K R f = \sum_k v_k \|w_k\|\, \delta_R(\cdot - (\tilde w_k, \tilde b_k)), \qquad
              \|D_t^2 K R f\|_M = \sum_k |v_k| \|w_k\|

    (The sentence after (30) leaves out the norm.)

    Parameters
    ----------
    function : f, of the rows of an (N, d) array: nothing else is known to the transform on the grid.
    network : the neurons that (30) says it is; of different directions, with hyperplanes within half of the unit ball.
    nodes : nodes an axis of each grid, increasing.

    Returns
    -------
    Report
        It holds where on the finest grid the highest point is at a neuron, the masses around all neurons are right to
        5 % of the seminorm, and refining the grid lowers that error.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[0.6, 0.8], [-0.8, 0.6]], [0.1, 0.0], [1.0, -0.5])
    >>> rs.theorems.sparsifying_transform(net, net).holds
    True
    """
    measure = radon_measure(network)
    errors = []
    for n in nodes:
        grid = RadonGrid(network.n_features, n)
        values = sparsifying_transform(function, grid, Window(grid.radius))
        masses = [
            spike_mass(values, grid, w, b, CAP, SPACINGS * grid.spacing)
            for w, b in zip(network.weights, network.biases, strict=True)
        ]
        errors.append(float(np.abs(masses - network.amplitudes).sum()) / network.seminorm)
    row, column = np.unravel_index(np.abs(values).argmax(), values.shape)
    step = np.pi / (len(grid.directions) // 2) ** (1.0 / (grid.d - 1))  # between neighbouring directions
    peak = min(
        max(
            np.arccos(np.clip(s * grid.directions[row] @ w, -1.0, 1.0)) / step,
            abs(s * grid.offsets[column] - b) / grid.spacing,
        )
        for w, b in zip(network.weights, network.biases, strict=True)
        for s in (1.0, -1.0)
    )
    norm = abs(measure.norm - network.seminorm) / network.seminorm
    measures = (
        at_most("(30): |norm of the measure less sum |v||w||, relative", norm, 1e-12),
        at_most("distance of the highest point from a neuron, in steps of the grid", float(peak), 2.0),
        at_most(f"masses at the neurons on {nodes[-1]} nodes: error, of the seminorm", errors[-1], 0.05),
        at_most("largest ratio of errors as the grid is refined", max(np.divide(errors[1:], errors[:-1])), 0.8),
    )
    claim = "the sparsifying transform of a network is one impulse a neuron, of mass v |w|"
    return Report(claim, "(29), (30)", measures, lambda figure: _draw(figure, grid, values, network))


def _draw(figure: Figure, grid: RadonGrid, values: Array, network: RidgeSpline) -> None:
    """The transform on the Radon domain of d = 2 where the window is flat, and where the neurons are."""
    axes = figure.subplots()
    angles = np.degrees(np.arctan2(grid.directions[:, 1], grid.directions[:, 0])) % 360.0
    order = np.argsort(angles)
    top = float(np.abs(values).max())
    mesh = axes.pcolormesh(
        angles[order], grid.offsets, values[order].T, cmap=SIGNED, vmin=-top, vmax=top, rasterized=True
    )
    for s in (1.0, -1.0):
        w = s * network.weights
        axes.plot(
            np.degrees(np.arctan2(w[:, 1], w[:, 0])) % 360.0,
            s * network.biases,
            "o",
            mfc="none",
            mec=KNOT,
            markersize=12,
        )
    axes.set(
        xlabel="angle of $\\alpha$ in degrees",
        ylabel="offset t",
        ylim=(-grid.radius / 2.0, grid.radius / 2.0),
        title="spikes, each at its two names; circles: the neurons",
    )
    figure.colorbar(mesh, ax=axes)
