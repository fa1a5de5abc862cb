r"""A proof that :math:`|\eta|` is small, by flows between the points; it is checked here, whoever found it.

For u orthogonal to [1 X], :math:`\eta(w, b) = \tfrac12 \sum_n u_n |w^T x_n - b|`. Let :math:`T_{nm} \ge 0` be a flow
between the points with :math:`\sum_m T_{nm} - \sum_m T_{mn} = u_n`. For any w and b the triangle inequality gives

.. math:: \eta(w, b) = \tfrac12 \sum_n \Big( \sum_m T_{nm} |w^T x_n - b| - \sum_m T_{nm} |w^T x_m - b| \Big)
                 \le \sum_n |w^T r_n|, \qquad r_n = \tfrac12 \sum_m T_{nm} (x_n - x_m),

in which b no longer occurs, and for any shares :math:`\delta_n > 0` with sum 1 that of Cauchy and Schwarz

.. math:: \Big( \sum_n |w^T r_n| \Big)^2 \le w^T Q w \le \lambda_{\max}(Q), \qquad Q = \sum_n r_n r_n^T / \delta_n.

A flow for -u bounds :math:`-\eta`. So sums and one d x d eigenvalue check the proof. If all r_n vanish, the flow is a
martingale coupling of the positive and the negative part of u, which Strassen's theorem [1]_ gives where :math:`\eta`
is nowhere positive; in general the least bound is a weak optimal transport [2]_ between the two.

References
----------
.. [1] V. Strassen, The existence of probability measures with given marginals, Ann. Math. Statist. 36 (1965), 423,
   doi:10.1214/aoms/1177700153
.. [2] N. Gozlan, C. Roberto, P.-M. Samson, P. Tetali, Kantorovich duality for general transport costs and
   applications, J. Funct. Anal. 273 (2017), 3327, doi:10.1016/j.jfa.2017.08.015
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ridgesplines.exceptions import ProblemError
from ridgesplines.files import damage_in_words
from ridgesplines.validation import Array, real_array

#: Shares of a row are at least this part of the largest: none may vanish while its moment does not.
LEAST_SHARE = 1e-9
#: A dual vector whose affine part is more than this of it is not orthogonal to the affine functions.
ORTHOGONAL_RTOL = 1e-6
#: One whose absolute values have a sum no larger than this may be zero but for rounding.
ROUNDING = 1e-12
#: Steps towards better shares, and how much of the identity their metric has.
STEPS, REGULAR = 4, (0.0, 1e-3)


@dataclass(frozen=True, eq=False)
class Flow:
    """A flow from each point to some others.

    Attributes
    ----------
    to : the points that each point may flow to, shape (n, m), not itself.
    amounts : T >= 0, shape (n, m).
    shares : delta > 0, shape (n,); they are divided by their sum.
    """

    to: NDArray[np.intp]
    amounts: Array
    shares: Array

    @property
    def divergence(self) -> Array:
        """What leaves each point less what arrives there, shape (n,)."""
        return self.amounts.sum(axis=1) - np.bincount(self.to.ravel(), self.amounts.ravel(), len(self.to))

    def moments(self, points: Array, u: Array) -> tuple[Array, float]:
        """The r_n of this flow for u (n,), shape (n, d), and a bound on their rounding.

        What its divergence misses flows from all points that lack some to all that have too much, as much from each as
        it lacks.
        """
        off = points[self.to] - points[:, None]
        missing = u - self.divergence
        lacking, left = np.maximum(missing, 0.0), np.maximum(-missing, 0.0)
        centre = left @ points / (float(left.sum()) or 1.0)
        r = 0.5 * (lacking[:, None] * (points - centre) - np.matmul(self.amounts[:, None], off)[:, 0])
        lengths = float(np.vdot(self.amounts, np.linalg.norm(off, axis=2)))
        lengths += float(lacking @ np.linalg.norm(points - centre, axis=1))
        # The two parts of what is missing differ by rounding: so much flows nowhere.
        lost = abs(float(missing.sum())) * float(np.linalg.norm(points, axis=1).max(initial=0.0))
        return r, (len(points) + sum(off.shape)) * np.finfo(float).eps * lengths + 2.0 * lost

    def bound(self, points: Array, u: Array) -> float:
        """An upper bound on sup eta for the dual vector u, rounding allowed for; infinite where this proves nothing."""
        amounts, shares = self.amounts, self.shares
        if not (amounts >= 0.0).all() or not (shares > 0.0).all() or (self.to == np.arange(len(u))[:, None]).any():
            return np.inf
        r, rounding = self.moments(points, u)
        bound = spectral(r, shares) * (1.0 + 64.0 * (len(u) + points.shape[1]) * np.finfo(float).eps) + rounding
        return float(bound) if bound == bound else np.inf


@dataclass(frozen=True, eq=False)
class Containment:
    r"""A proof of :math:`\sup |\eta| \le` `bound` for one dual vector, which can be kept and checked again.

    Attributes
    ----------
    points : the distinct data points, shape (n, d).
    dual : u at the points, shape (n,), orthogonal to [1 X]; the bound is infinite where it is not.
    forth, back : flows that bound eta and -eta.

    Notes
    -----
    `bound` is computed from these arrays each time, in O(n m d) for flows from each point to m others: nothing is
    taken over from whoever made them. In floating point, with an allowance for its rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.oracle import ContainmentOracle
    >>> corners = np.argwhere(np.ones((2, 2, 2))).astype(float)
    >>> proof = ContainmentOracle(corners).proof((-1.0) ** corners.sum(axis=1))
    >>> 0.57735 <= proof.bound <= 0.9
    True
    """

    points: Array
    dual: Array
    forth: Flow
    back: Flow

    @property
    def bounds(self) -> tuple[float, float]:
        """Bounds on sup eta and on sup -eta."""
        rounding = affine_part(self.points, self.dual)
        return (
            self.forth.bound(self.points, self.dual) + rounding,
            self.back.bound(self.points, -self.dual) + rounding,
        )

    @property
    def bound(self) -> float:
        r"""An upper bound on :math:`\sup |\eta|`."""
        return max(self.bounds)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the proof as an ``.npz`` archive of plain arrays, without pickle."""
        with open(path, "wb") as file:
            arrays = written("forth", self.forth) | written("back", self.back)
            np.savez(file, allow_pickle=False, points=self.points, dual=self.dual, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Containment:
        """Read a proof that `save` wrote; what it proves is computed, not read."""
        expected, remedy = "an .npz archive written by Containment.save", "Ask for the bound again."
        with damage_in_words(path, expected, "which is not one", remedy), np.load(path, allow_pickle=False) as file:
            points, u = real_array("points", file["points"]), real_array("dual", file["dual"])
            flows = [read(file, name, len(points)) for name in ("forth", "back")]
        if points.ndim != 2 or u.shape != points.shape[:1]:
            raise ProblemError("path", expected, "arrays that do not fit together", remedy)
        return cls(points, u, *flows)


#: The arrays of a flow.
FLOW = ("to", "amounts", "shares")


def written(name: str, flow: Flow) -> dict[str, Array]:
    """The arrays of a flow, by the names that `read` looks for."""
    return {f"{name}_{part}": getattr(flow, part) for part in FLOW}


def read(file: np.lib.npyio.NpzFile, name: str, n: int) -> Flow:
    """A flow of n points, its shapes and places checked."""
    to, amounts, shares = (np.asarray(file[f"{name}_{part}"]) for part in FLOW)
    amounts, shares = real_array("amounts", amounts), real_array("shares", shares)
    if to.dtype.kind != "i" or to.shape != amounts.shape or to.ndim != 2 or len(to) != n or shares.shape != (n,):
        raise ValueError("flows that do not fit the points")
    if to.size and not 0 <= to.min() <= to.max() < n:
        raise ValueError("flows to points that do not exist")
    return Flow(to.astype(np.intp), amounts, shares)


def affine_part(points: Array, u: Array) -> float:
    r"""How much u, which is orthogonal to the affine functions to rounding only, adds to :math:`|\eta|` by that.

    For points with mean zero. Infinite if u is not orthogonal to them: then so is the supremum.
    """
    radius = float(np.linalg.norm(points, axis=1).max(initial=0.0))
    total, moment, size = abs(float(u.sum())), float(np.linalg.norm(u @ points)), float(np.abs(u).sum())
    orthogonal = total <= ORTHOGONAL_RTOL * size and moment <= ORTHOGONAL_RTOL * size * radius
    if not orthogonal and not size <= ROUNDING:
        return np.inf
    return 2.0 * (moment + total * radius)


def spectral(r: Array, shares: Array) -> float:
    """The bound on sum |w^T r_n| over unit w that shares (n,) prove."""
    return float(np.sqrt(max(np.linalg.eigvalsh((r.T / (shares / shares.sum())) @ r)[-1], 0.0)))


def best_shares(r: Array, S: Array) -> Array:
    r"""Shares for moments r (n, d) by which `spectral` is small, from a matrix S that is near the maximiser of

    .. math:: \max_{S \succeq 0,\, \mathrm{tr} S = 1} \sum_n \sqrt{r_n^T S r_n}

    whose value is the least bound; its shares are proportional to the roots.
    """
    trials = []
    for part in REGULAR:
        metric = S / np.trace(S) + part * np.eye(len(S)) / len(S)
        for _ in range(STEPS):
            shares = np.sqrt(np.maximum(((r @ metric) * r).sum(axis=1), 0.0))
            shares = shares + LEAST_SHARE * shares.max(initial=0.0) + np.finfo(float).tiny
            shares /= shares.sum()
            trials.append((spectral(r, shares), shares))
            sizes, axes = np.linalg.eigh(metric)
            root = (axes * np.sqrt(np.maximum(sizes, 0.0))) @ axes.T
            metric = root @ ((r.T / shares) @ r) @ root  # a multiplicative step: more weight where Q is large
            trace = float(np.trace(metric))
            if not trace > 0.0:
                break
            metric /= trace
    return min(trials, key=lambda trial: trial[0])[1]
