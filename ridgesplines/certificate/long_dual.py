"""Dual vectors in one dimension whose entries are sums of two numbers, and their eta in twice the working precision."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ridgesplines.line.kernels import summits
from ridgesplines.numerics.precise import running_sums, two_product, two_sum
from ridgesplines.oracle.base import Supremum, ranked
from ridgesplines.problem import Problem
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope


class LongDual(NamedTuple):
    """A dual vector u + low, both (n,), low so small that u is the sum rounded."""

    u: Array
    low: Array


class LongEta(NamedTuple):
    """eta at sorted points, as if summed in twice the working precision, rounded once; and what it is made of.

    Attributes
    ----------
    eta : its values, shape (n,).
    mass : at each point the sum of u over all beyond it, shape (n,): the slope of eta there, but for the sign.
    total : the sum of all u.
    """

    eta: Array
    mass: Array
    total: float


def long_eta(x: Array, dual: LongDual) -> LongEta:
    """eta of a dual vector at sorted points x (n,), summed from the right. O(n)."""
    sums, rests = (each[::-1] for each in running_sums(dual.u[::-1], dual.low[::-1]))
    width, cut = two_sum(x[1:], -x[:-1])
    rises, lost = two_product(sums[1:], width)
    lost = lost + sums[1:] * cut + rests[1:] * width
    eta, rest = running_sums(rises[::-1], lost[::-1])
    mass = sums + rests
    return LongEta(np.append((eta + rest)[::-1], 0.0), np.append(mass[1:], 0.0), float(mass[0]))


def long_eta_at(x: Array, dual: LongDual, t: Array) -> Array:
    """eta(1, t) at any places t (K,), x (n,) in any order: it is linear between the points. O((n + K) log n)."""
    order = np.argsort(x, kind="stable")
    x = x[order]
    eta, mass, total = long_eta(x, LongDual(*(part[order] for part in dual)))
    after = np.minimum(np.searchsorted(x, t, side="right"), len(x) - 1)
    before = np.maximum(after - 1, 0)
    near = np.where(np.abs(t - x[before]) <= np.abs(t - x[after]), before, after)
    slope = np.where(t < x[0], total, mass[before])
    return np.where(t >= x[-1], 0.0, eta[near] - slope * (t - x[near]))


def long_supremum(problem: Problem, dual: LongDual) -> Supremum:
    """The supremum of eta and its peaks, which are at the data; of the reduced problem."""
    x = problem.X[:, 0]
    eta = long_eta(x, dual).eta
    peak = summits(eta)
    return ranked(Scope.EXACT, eta[peak], np.ones((len(peak), 1)), x[peak])
