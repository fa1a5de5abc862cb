r"""A dual vector in one dimension with twice its digits, for data so close that their rounding is felt.

Where two points are h apart, :math:`\eta` may fall from :math:`\lambda` to :math:`-\lambda` between them: then u is of
size :math:`\lambda / h`, and its last digit moves :math:`\eta` elsewhere by :math:`10^{-16} \lambda / h`. So u is
kept as a sum of two numbers, and is moved by the little that it lacks: to be orthogonal to all affine functions, and to
have :math:`|\eta| = \lambda` where the network bends and where it would exceed that. Of all such changes d the one with
the least :math:`\sum_n d_n^2 / r_n` is taken, r the room that each entry has. It is :math:`d_n = r_n g(x_n)` for a
spline g whose knots are these places, and its values there solve a tridiagonal system. Each pass adds the digits of one
working precision.

Any u proves something, wherever it came from. That this one is orthogonal, and what its supremum is, is computed from
the data, in twice the working precision.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, solveh_banded

from ridgesplines.activations.relu import ReLU
from ridgesplines.certificate.dual import best_scale
from ridgesplines.certificate.long_dual import LongDual, LongEta, long_eta, long_supremum
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.numerics.precise import two_sum
from ridgesplines.objective import EPS, eta_rounding
from ridgesplines.oracle.base import Supremum
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Where rounding moves eta by no more than this, relative to lam, one number for each entry of u is enough.
FELT_RTOL = 1e-10
#: Sites this near to lam, relatively, are brought there; those next to a knot of the network from farther off.
CONTACT, CONTACT_OF_KNOTS = 1e-5, 1e-2
#: What may be left of the affine functions, relative to lam; entries without room keep some of it.
ORTHOGONAL_RTOL = 1e-13
PASSES = 6
#: Times the rounding of eta: what passes mend is up to some 30 of it above lam, a rough fit 1e12.
FAR = 1e4


def longer(
    problem: Problem, network: RidgeSpline, u: Array, largest: float, least: float, enough: float = np.inf
) -> tuple[LongDual, Supremum, float, float] | None:
    """A dual vector near u (n,) with more digits, its supremum, scale and value; None where u is no worse.

    Parameters
    ----------
    problem : the reduced problem.
    network : where it bends eta is to be lam.
    largest : the supremum of u's own abs(eta). None where it exceeds lam by more than rounding explains: what is
        missing there is no digit, and each pass takes as long as a fit.
    least : the value that u itself proves. It may be above the other's by what the rounding of eta adds to it.
    enough : a value that needs no more digits: None where u proves it whatever the rounding.
    """
    if not is_felt(problem, u):
        return None
    rounding = eta_rounding(problem, u)
    best, value = None, least - network.seminorm * rounding
    if value >= enough or largest - problem.lam > FAR * rounding:
        return None
    for touching in (_near_lam(problem, network, u), np.zeros(len(problem.sites), dtype=bool)):
        for dual, eta in _passes(problem, u, touching):
            sup = float(np.abs(eta.eta).max())
            proven = best_scale(problem, dual.u, sup)[1] if _is_orthogonal(problem, eta) else -np.inf
            if proven > value:
                best, value, inside = dual, proven, sup <= problem.lam * (1.0 + ORTHOGONAL_RTOL)
        if best is not None and inside:
            break
    if best is None:
        return None
    supremum = long_supremum(problem, best)
    return (best, supremum, *best_scale(problem, best.u, supremum.value))


def is_felt(problem: Problem, u: Array) -> bool:
    """Whether one number for each entry of a dual vector (n,) leaves eta too few digits; d = 1, ReLU, one output."""
    one = problem.n_features == 1 and isinstance(problem.activation, ReLU) and u.ndim == 1
    if not one or problem.slope_penalty or problem.penalise_bias or len(problem.sites) < 3:
        return False
    felt, x = FELT_RTOL * problem.lam, problem.X[:, 0]
    # No partial sum of u, which sums to zero, is more than half of sum |u|, so that eta rounds by no more than this.
    most = EPS * np.sqrt(len(x)) * (x[-1] - x[0]) * float(np.abs(u).sum())
    return most > felt > 0.0 and eta_rounding(problem, u) > felt


def _near_lam(problem: Problem, network: RidgeSpline, u: Array) -> NDArray[np.bool_]:
    """A mask of the sites where eta is taken to be lam: near it, and less near where the network bends beside."""
    knots = _sites_beside(problem.sites, network.breakpoints)
    size = np.abs(_at_sites(problem, long_eta(problem.X[:, 0], LongDual(u, np.zeros_like(u))).eta))
    touching: NDArray[np.bool_] = size >= problem.lam * (1.0 - CONTACT)
    touching[knots] |= size[knots] >= problem.lam * (1.0 - CONTACT_OF_KNOTS)
    return touching


def _passes(problem: Problem, u: Array, touching: NDArray[np.bool_]) -> Iterator[tuple[LongDual, LongEta]]:
    """Dual vectors near u (n,), pass by pass nearer to one that is orthogonal and is lam at its contacts; their eta.

    They begin with the mask `touching` of the sites, and are joined by what exceeds lam. Some have too little room, or
    too light a row, for what is asked of them, and then a later pass may be worse.
    """
    p, x = problem, problem.X[:, 0]
    dual = _inside(p, LongDual(u, np.zeros_like(u)))
    eta = long_eta(x, dual)
    for _ in range(PASSES):
        change = _change(p, dual, eta, touching)
        if change is None:
            return
        moved, rest = two_sum(dual.u, change)
        dual = LongDual(*two_sum(moved, dual.low + rest))
        eta = long_eta(x, dual)
        yield dual, eta
        inside = _inside(p, dual)
        if inside is not dual:
            dual, eta = inside, long_eta(x, inside)
        touching = touching | (np.abs(_at_sites(p, eta.eta)) > p.lam * (1.0 + ORTHOGONAL_RTOL))


def _is_orthogonal(problem: Problem, found: LongEta) -> bool:
    """Whether the affine functions that are left move eta by no more than lam knows of."""
    x = problem.X[:, 0]
    return bool(abs(found.total) * (x[-1] - x[0]) + abs(found.eta[0]) <= ORTHOGONAL_RTOL * problem.lam)


def _sites_beside(sites: Array, knots: Array) -> NDArray[np.intp]:
    """The sites at the knots, and of knots between sites those on both sides; without the first and the last."""
    right = np.searchsorted(sites, knots)
    left = np.where(sites[np.minimum(right, len(sites) - 1)] == knots, right, right - 1)
    both = np.unique(np.concatenate([left, right]))
    return both[(both > 0) & (both < len(sites) - 1)]


def _inside(problem: Problem, dual: LongDual) -> LongDual:
    """The dual vector with entries inside the conjugate's domain; itself where they are."""
    s = problem.sample_weight
    v = -dual.u / s
    nearest = problem.loss.nearest(problem.y, v)
    there = nearest == v
    return dual if there.all() else LongDual(np.where(there, dual.u, -s * nearest), np.where(there, dual.low, 0.0))


def _at_sites(problem: Problem, values: Array) -> Array:
    """Values at the sites, of those at the rows."""
    return values[np.searchsorted(problem.X[:, 0], problem.sites)]


def _change(problem: Problem, dual: LongDual, found: LongEta, touching: NDArray[np.bool_]) -> Array | None:
    """What is missing at the contacts, and to be orthogonal, to working precision."""
    x, sites, s, lam = problem.X[:, 0], problem.sites, problem.sample_weight, problem.lam
    eta = _at_sites(problem, found.eta)
    room = problem.loss.room(problem.y, -dual.u / s) * s
    contacts = _with_room(1 + np.flatnonzero(touching[1:-1]), np.searchsorted(sites, x[room > 0.0]), len(sites))
    nodes = np.concatenate([[0], contacts, [len(sites) - 1]])
    missing = np.concatenate([[-eta[0]], lam * np.sign(eta[contacts]) - eta[contacts], [0.0]])
    slopes = np.concatenate([[-found.total], -np.diff(missing) / np.diff(sites[nodes]), [0.0]])
    g = _spline(x, room, sites[nodes], slopes[:-1] - slopes[1:])
    return None if g is None else room * np.interp(x, sites[nodes], g)


def _with_room(contacts: NDArray[np.intp], places: NDArray[np.intp], m: int) -> NDArray[np.intp]:
    """The contacts, of m sites, with an entry between those beside them that has room; its site is among the places."""
    most = np.append(0, np.cumsum(np.bincount(places, minlength=m)))
    nodes = np.concatenate([[0], contacts, [m - 1]])
    return contacts[most[nodes[2:]] > most[nodes[:-2] + 1]]


def _spline(x: Array, weight: Array, nodes: Array, load: Array) -> Array | None:
    """Values at the nodes of the spline g whose sums of weight * g * hat are the load, for the hat of each node."""
    i = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
    right = (x - nodes[i]) / np.diff(nodes)[i]
    left, c = 1.0 - right, len(nodes)
    diagonal = np.bincount(i, weight * left**2, c) + np.bincount(i + 1, weight * right**2, c)
    beside: Array = np.bincount(i + 1, weight * left * right, c)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, np.inf))
    beside[1:] *= scale[1:] * scale[:-1]
    try:
        return np.asarray(scale * solveh_banded(np.array([beside, np.full(c, 1.0 + EPS)]), scale * load))
    except LinAlgError:
        return None
