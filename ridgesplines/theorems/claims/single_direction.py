r"""Fig. 6, mixed variation: neurons turn to the one direction in which a function varies strongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.plotting.style import KNOT, SERIES
from ridgesplines.problem import Problem
from ridgesplines.solve import solve
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.theorems.claims.estimation_rate import zigzag
from ridgesplines.theorems.report import Report, at_most, timed
from ridgesplines.validation import Array

#: Degrees by which the direction that a fit finds may be off.
DEGREES = 5.0


class Ridge(NamedTuple):
    """A fit, and the unit direction in which the function varied that it was fitted to.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[0.6, 0.8]], [0.0], [5.0])
    >>> rs.theorems.Ridge(net, net.weights[0]).direction
    array([0.6, 0.8])
    """

    network: RidgeSpline
    direction: Array


def instance(
    seed: int, dimensions: Sequence[int] = (2, 5), seeds: int = 3, n: int = 200
) -> tuple[Mapping[str, list[Ridge]]]:
    """Noisy values of a zigzag in a random direction, N = 200."""
    rng = np.random.default_rng(seed)
    return ({f"d = {d}": [_fit(rng, d, n) for _ in range(seeds)] for d in dimensions},)


def _fit(rng: np.random.Generator, d: int, n: int) -> Ridge:
    w = rng.standard_normal(d)
    w /= np.linalg.norm(w)
    X = rng.uniform(-1.0, 1.0, (n, d))
    problem = Problem(X, zigzag(X @ w) + 0.2 * rng.standard_normal(n), lam=0.1 * np.sqrt(n))
    return Ridge(solve(problem, ColumnGeneration(tol=1e-3)).network, w)


def direction(network: RidgeSpline) -> tuple[Array, float]:
    r"""The principal direction of the neurons, and its share of the seminorm.

    The first eigenvector of :math:`\sum_k |v_k| w_k w_k^T`, and its eigenvalue over the sum of all: one where all
    neurons are parallel, about 1/d where they point everywhere.
    """
    sizes = group_norms(network.amplitudes)
    values, vectors = np.linalg.eigh((network.weights.T * sizes) @ network.weights)
    return vectors[:, -1], float(values[-1] / (values.sum() or 1.0))


def angles(vectors: Array, w: Array) -> Array:
    """Degrees between lines, 0 to 90."""
    return np.degrees(np.arccos(np.clip(np.abs(vectors @ w), 0.0, 1.0)))


@timed
def check(fits: Mapping[str, Sequence[Ridge]]) -> Report:
    r"""The fit of a function that varies in a single direction, :math:`g(w^T x)`, finds the direction (Fig. 6b).

    Parameters
    ----------
    fits : by name, such as the dimension: networks fitted to such functions, with the true w.

    Returns
    -------
    Report
        It holds where the principal direction of every fit's neurons, weighted by :math:`|v_k|`, is within 5 degrees of
        w. A random direction is 65 degrees off on average in d = 5.

    References
    ----------
    .. [1] D. L. Donoho, High-dimensional data analysis: the curses and blessings of dimensionality, AMS lecture, 2000

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[0.6, 0.8], [0.8, 0.6]], [0.0, 0.1], [5.0, 0.1])
    >>> rs.theorems.single_direction({"d = 2": [rs.theorems.Ridge(net, net.weights[0])]}).measured
    {'largest angle error in degrees, d = 2': '0.3...'}
    """
    measures, remarks = [], []
    for name, members in fits.items():
        directions = [direction(network) for network, _ in members]
        off = [float(angles(v, w)) for (v, _), (_, w) in zip(directions, members, strict=True)]
        measures.append(at_most(f"largest angle error in degrees, {name}", max(off), DEGREES))
        remarks.append(
            f"{name}: angle errors {', '.join(f'{angle:.2f}' for angle in off)} degrees; that direction's share of the "
            f"seminorm {', '.join(f'{share:.0%}' for _, share in directions)} (100 % if all neurons are parallel)."
        )
    claim = "mixed variation: neurons turn to the single direction in which a function varies"
    return Report(claim, "Fig. 6", tuple(measures), lambda figure: _draw(figure, fits), tuple(remarks))


def _draw(figure: Figure, fits: Mapping[str, Sequence[Ridge]]) -> None:
    """The directions of the neurons, weighted by size, and the profiles along w."""
    left, right = figure.subplots(1, 2)
    edges = np.linspace(0.0, 90.0, 31)
    for i, (name, members) in enumerate(fits.items()):
        network, w = members[0]
        sizes = group_norms(network.amplitudes)
        left.hist(
            angles(network.weights, w),
            edges,
            weights=sizes / (sizes.sum() or 1.0),
            color=SERIES[i],
            alpha=0.6,
            label=name,
        )
        t = np.linspace(-1.0, 1.0, 300)
        right.plot(t, network(np.outer(t, w)), color=SERIES[i], label=f"fit along w, {name}")
    right.plot(t, zigzag(t), color=KNOT, linestyle="--", label="g")
    left.set(xlabel="angle to w in degrees", ylabel="share of the seminorm", title="where the neurons point")
    right.set(xlabel="$w^T x$", title="the profile")
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=8)
