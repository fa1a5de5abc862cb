r"""Fewer neurons for the same function values: extreme points.

Let Phi be the matrix of the neurons' values at the data, projected off the affine functions. Its rank is at most
N - rank[1 X]. While there are more neurons than that, some combination of them vanishes at all data; moving along it,
in the sense in which the norm does not rise, until an amplitude reaches zero takes one neuron out. What remains is an
extreme point of the set of networks with this fit and this norm, and has K <= N - rank[1 X] neurons (times D for D
outputs): the bound of [1]_ and [2]_, reached constructively. No amplitude is ever set to zero because it is small.

References
----------
.. [1] C. Boyer, A. Chambolle, Y. De Castro, V. Duval, F. de Gournay, P. Weiss, On representer theorems and convex
   regularization, SIAM J. Optim. 29 (2019), Theorem 1, doi:10.1137/18M1200750
.. [2] R. Parhi, R. D. Nowak, Banach space representer theorems for neural networks and ridge splines,
   J. Mach. Learn. Res. 22 (2021), Theorem 1, https://jmlr.org/papers/v22/20-583.html
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.design import fitted, project
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Columns whose dependence is below this, relative to the largest, count as dependent; and those that are so affine.
RANK_TOLERANCE = 1e-12


def neuron_bound(problem: Problem) -> int:
    """(N - rank[1 X]) D: the most neurons that a purified solution has.

    Where the norm counts N D, and coefficients of the affine part that are not zero are among them.

    With constraints, the distinct data, fixed points and free knots less those of the two outermost that are no knots;
    or the places at which alone f may bend. Features
    that must be monotone do not count in the rank, and their neurons may come in twos.
    """
    reduced = problem.reduced
    if problem.signs is not None:
        return 2 * (reduced.n_samples - reduced.free_space.shape[1])
    if problem.constraints:
        shape = problem.constraint
        if shape.only_at is not None:
            return len({*shape.only_at, *shape.free_knots})
        return max(len(np.union1d(reduced.X[:, 0], shape.places)) - 2 + sum(shape.ends), 0)
    n = reduced.n_samples if reduced.in_blocks is None else reduced.in_blocks.facts.n
    if problem.norm:
        return n * (problem.n_outputs or 1)
    return (n - reduced.rank) * (problem.n_outputs or 1)


def purify(problem: Problem, net: RidgeSpline) -> RidgeSpline:
    r"""A network with the same values at the data, no larger a seminorm, and K <= (N - rank[1 X]) D neurons.

    Parameters
    ----------
    problem : whose data say where the values must agree; rows of weight zero do not count.
    net : any network with the problem's inputs and outputs.

    Notes
    -----
    O((N D)^3 log(K / N D) + K N D) in the worst case; O(K + N) log N for d = 1. Values agree to rounding, about 1e-12
    relative.
    """
    if net.n_features == 1 and isinstance(net.activation, ReLU):
        return _onto_sites(problem.sites, net)
    X = problem.reduced.X
    kept, amplitudes = extreme_point(problem.reduced, net.weights, net.biases, net.amplitudes)
    if len(kept) == net.n_neurons:
        return net
    weights, biases = net.weights[kept], net.biases[kept]
    return fitted(problem.reduced, weights, biases, amplitudes, net.at(X)).changed(feature_names=net.feature_names)


def _onto_sites(x: Array, net: RidgeSpline, always: bool = False) -> RidgeSpline:
    """One dimension: share every knot between the two data sites around it, which changes nothing at the data.

    Done only where there are more knots than the bound allows, or `always` where a knot is no site; then K <= N - 2.
    """
    alive = group_norms(net.amplitudes) > 0.0
    few = not always or bool((net.weights > 0.0).all() and _among(net.breakpoints, x[1:-1]))
    if few and alive.sum() <= max(len(x) - 2, 0):
        if alive.all():
            return net
        return RidgeSpline(
            net.weights[alive],
            net.biases[alive],
            net.amplitudes[alive],
            net.slope,
            net.offset,
            net.feature_names,
        )
    values = net.at(x[[0, -1]])
    if len(x) < 3:
        slope = (values[-1] - values[0]) / (x[-1] - x[0]) if len(x) == 2 else 0.0 * values[0]
        return RidgeSpline(
            np.empty((0, 1)),
            [],
            np.empty((0, *values.shape[1:])),
            np.array([slope]),
            values[0] - slope * x[0],
            net.feature_names,
        )
    inside = (net.breakpoints > x[0]) & (net.breakpoints < x[-1])
    t, v = net.breakpoints[inside], net.amplitudes[inside]
    left = np.searchsorted(x, t, side="right") - 1
    share = (t - x[left]) / (x[left + 1] - x[left])
    kinks = np.zeros((len(x), *v.shape[1:]))
    np.add.at(kinks, left, (v.T * (1.0 - share)).T)
    np.add.at(kinks, left + 1, (v.T * share).T)
    # What reaches the end sites is affine on the data, and the values at the ends fix the affine part.
    knots, kinks = x[1:-1], kinks[1:-1]
    kept = group_norms(kinks) > 0.0
    knots, kinks = knots[kept], kinks[kept]
    rise = values[1] - values[0] - (kinks.T * (x[-1] - knots)).T.sum(axis=0)
    slope = rise / (x[-1] - x[0])
    return RidgeSpline(
        np.ones((len(knots), 1)), knots, kinks, np.array([slope]), values[0] - slope * x[0], net.feature_names
    )


def at_sites(problem: Problem, net: RidgeSpline) -> RidgeSpline:
    """One dimension: the spline with knots at distinct data sites only, and the same values at the data."""
    return _onto_sites(problem.sites, net, always=True)


def facing_right(net: RidgeSpline) -> RidgeSpline:
    """One dimension: the same linear spline with all neurons active to the right of their knots, knots increasing."""
    order = np.argsort(net.breakpoints, kind="stable")
    t, v, left = net.breakpoints[order], net.amplitudes[order], net.weights[order, 0] < 0.0
    if not left.any():
        return net
    slope, offset = net.slope - v[left].sum(axis=0), net.offset + t[left] @ v[left]
    return RidgeSpline(np.ones((len(t), 1)), t, v, slope, offset, net.feature_names)


def fewest_knots(problem: Problem, net: RidgeSpline) -> RidgeSpline:
    r"""One dimension: the linear spline with the fewest knots among those with the same data values and seminorm.

    Parameters
    ----------
    problem : whose distinct x are the sites; rows of weight zero do not count.
    net : a linear spline of least seminorm among those with its values at the sites, scalar.

    Notes
    -----
    Between two neighbouring sites the values at the data leave a function of least seminorm free only where it bends
    in the same sense at both sites; a site without a bend freezes both sides. In a run of such sites each knot can
    serve two of them: :math:`\lceil \text{length}/2 \rceil` knots are needed, and enough. Two sites are served by one
    knot at their mean, weighted with their amplitudes, which add up. O(N log N). Where the values at the data are those
    of every minimiser, as for a strictly convex loss and for interpolation, no minimiser has fewer knots [1]_.

    References
    ----------
    .. [1] T. Debarre, Q. Denoyelle, M. Unser, J. Fageot, Sparsest piecewise-linear regression of one-dimensional
       data, J. Comput. Appl. Math. 406 (2022), doi:10.1016/j.cam.2021.114044
    """
    net = at_sites(problem, net)
    order = np.argsort(net.breakpoints, kind="stable")
    t, v = merged(problem.sites, net.breakpoints[order], net.amplitudes[order])
    return RidgeSpline(np.ones((len(t), 1)), t, v, net.slope, net.offset, net.feature_names)


def merged(sites: Array, t: Array, v: Array) -> tuple[Array, Array]:
    """Knots and amplitudes of `fewest_knots`, from those at sites, t increasing; an amplitude of zero is no knot."""
    t, v = t[v != 0.0], v[v != 0.0]
    first = _first_of_pairs(np.searchsorted(sites, t), v > 0.0)
    second = first + 1
    total = v[first] + v[second]
    between = t[first] + (t[second] - t[first]) * (v[second] / total)
    stays = np.ones(len(t), dtype=bool)
    t[first], v[first], stays[second] = np.clip(between, t[first], t[second]), total, False
    return t[stays], v[stays]


def _among(values: Array, sites: Array) -> bool:
    """Whether all values are among the sites, which increase."""
    place = np.searchsorted(sites, values)
    return bool((place < len(sites)).all() and (sites[place] == values).all())


def runs(sites: Array, up: Array) -> Array:
    """For each knot the number of its run: knots at neighbouring sites that bend in the same sense."""
    if not len(sites):
        return np.empty(0, dtype=int)
    return np.concatenate([[0], np.cumsum((np.diff(sites) != 1) | (up[1:] != up[:-1]))])


def _first_of_pairs(sites: Array, up: Array) -> Array:
    """In each run the first of every two knots that are merged, from the left."""
    run = runs(sites, up)
    place = np.arange(len(run)) - np.searchsorted(run, run, side="left")
    length = np.bincount(run)[run]
    return np.flatnonzero((place % 2 == 0) & (place + 1 < length))


def extreme_point(problem: Problem, W: Array, b: Array, amplitudes: Array) -> tuple[Array, Array]:
    """(indices, amplitudes) of neurons that do the same at the data, up to an affine function.

    Their values at the data are independent, modulo affine functions. In blocks, the largest neurons first; of many
    more neurons than data most go by `_by_groups` before.
    """
    size = group_norms(amplitudes)
    order = np.argsort(-size, kind="stable")[: int((size > 0.0).sum())]
    directions = amplitudes[order] / (size[order] if amplitudes.ndim == 1 else size[order, None])

    def columns(chosen: Array) -> Array:
        return _columns(problem, W[order[chosen]], b[order[chosen]], directions[chosen])

    rows = problem.n_samples * (problem.n_outputs or 1)
    left, size = _by_groups(columns, size[order], 2 * rows)
    step = max(64, min(rows, 512))
    kept, amounts = np.empty(0, dtype=int), np.empty(0)  # positions in `order`
    for i in range(0, len(left), step):
        block = left[i : i + step]
        kept, amounts = np.append(kept, block), np.append(amounts, size[block])
        stay, amounts = independent(columns(kept), amounts)
        kept = kept[stay]
    return order[kept], (directions[kept].T * amounts).T


def _by_groups(columns: Callable[[Array], Array], size: Array, count: int) -> tuple[Array, Array]:
    """(the columns that are left, at most 2 `count`, the largest first; the sizes of all).

    The columns are dealt to `count` groups, twice as many as there are rows. Those of a group keep their proportions,
    so that it is one column, their weighted mean; when these are reduced, half of the groups go at least:
    O(rows^3 log(columns / rows)) in all, where one after the other took O(rows^2 columns).
    """
    left, size = np.arange(len(size)), size.copy()
    while len(left) > 2 * count:
        groups = [left[i::count] for i in range(count)]
        total = np.array([size[group].sum() for group in groups])
        means = [columns(group) @ (size[group] / norm) for group, norm in zip(groups, total, strict=True)]
        stay, amounts = independent(np.column_stack(means), total)
        for i, amount in zip(stay, amounts, strict=True):
            size[groups[i]] *= amount / total[i]
        left = np.concatenate([left[:0], *(groups[i] for i in stay)])
        left = left[np.argsort(-size[left], kind="stable")]
    return left, size


def _columns(problem: Problem, W: Array, b: Array, signs: Array) -> Array:
    """Each neuron's contribution to the fit, off the affine functions, per unit of its amplitude's norm.

    Zero for one that is affine on the data: what is left of it is rounding.
    """
    raw = problem.activation.value(problem.X @ W.T - b)
    values = project(problem.null_space, raw)
    values[:, np.linalg.norm(values, axis=0) <= RANK_TOLERANCE * np.linalg.norm(raw, axis=0)] = 0.0
    return values * signs if signs.ndim == 1 else (values[:, None, :] * signs.T).reshape(-1, len(b))


def independent(columns: Array, size: Array) -> tuple[Array, Array]:
    """(indices, sizes) of columns that are independent, with the same sum and no larger a total of sizes."""
    norms = np.linalg.norm(columns, axis=0)
    stay = np.flatnonzero(norms > RANK_TOLERANCE * norms.max(initial=0.0))  # the others are affine on the data
    columns, amount, cost = columns[:, stay] / norms[stay], size[stay] * norms[stay], 1.0 / norms[stay]
    null = _null_space(columns)
    while null.shape[1]:
        t = _downhill(null, cost)
        falling = np.flatnonzero(t < 0.0)
        with np.errstate(over="ignore"):  # of what hardly falls
            ratio = amount[falling] / -t[falling]
        out = falling[np.argmin(ratio)]
        amount = np.maximum(amount + ratio.min() * t, 0.0)
        amount[out] = 0.0
        null = np.delete(_without_row(null, out), out, axis=0)
        amount, cost, stay = (np.delete(part, out) for part in (amount, cost, stay))
    alive = amount > 0.0
    return stay[alive], amount[alive] * cost[alive]


def _null_space(columns: Array) -> Array:
    """Orthonormal basis of the combinations of the columns that vanish, shape (m, q)."""
    if not columns.size:
        return np.eye(columns.shape[1])
    Q, R, _ = linalg.qr(columns.T, pivoting=True)
    diagonal = np.abs(np.diag(R))
    return Q[:, int((diagonal > RANK_TOLERANCE * diagonal[0]).sum()) :]


def _downhill(null: Array, cost: Array) -> Array:
    """A null direction along which the norm falls as fast as it can, or does not change."""
    gradient = null.T @ cost
    if np.linalg.norm(gradient) > 1e-10 * np.linalg.norm(cost):
        return -null @ gradient
    t = null[:, -1]
    return -t if cost @ t > 0.0 else t


def _without_row(null: Array, row: int) -> Array:
    """A basis of the null directions that leave one entry alone: a Householder reflection, one column fewer."""
    v = null[row].copy()
    v[-1] += np.copysign(np.linalg.norm(v), v[-1])
    v /= np.linalg.norm(v)
    return (null - np.outer(null @ v, 2.0 * v))[:, :-1]
