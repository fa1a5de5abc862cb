r"""Upper bounds on eta over simplicial cones of hyperplanes, for branch and bound.

A hyperplane is :math:`\theta = (w, b)`; for u orthogonal to all affine functions, with :math:`a_n = (x_n, -1)`,

.. math:: \eta(\theta) = \tfrac12 \sum_n u_n |a_n^T \theta|

is positively homogeneous, and :math:`\eta / \|w\|` is to be bounded over a cone :math:`\{\sum_i c_i g_i : c \ge 0\}`.
Points on one side of all generators count linearly. Of the others those with :math:`u_n > 0` are convex: at most the
linear function with the same values at the generators. Those with :math:`u_n < 0` are concave and stay as they are. So

.. math:: \eta \le p^T c - \sum_{n \in C} v_n |t_n^T c|, \qquad t_{ni} = a_n^T g_i,\; v_n = \tfrac12 |u_n|,

with p the values of the other points at the generators. Any multipliers s in [-1, 1] and any z give a bound: as
:math:`-|t| \le -s t`,

.. math:: \ell_i = p_i - \sum_{n \in C} v_n s_n t_{ni}, \qquad
          \frac{\eta}{\|w\|} \le \|z\| \max_i \frac{\ell_i}{z^T w_i}

where all :math:`z^T w_i > 0`. The best s and z come from the concave program

.. math:: \max_{c \ge 0} \; p^T c - \sum_{n \in C} v_n |t_n^T c| - \tfrac12 \Big\| \sum_i c_i w_i \Big\|^2

whose optimum is half the squared bound, by a primal-dual interior-point method: with :math:`t_n = t_n^+ - t_n^-`, and
slacks y of :math:`\ell_i \le z^T w_i`, it follows :math:`c_i y_i = v_n t_n^+ (1 - s_n) = v_n t_n^- (1 + s_n) = \mu` as
:math:`\mu` falls to zero. Its s and :math:`z = \sum_i c_i w_i` give a bound at any iterate, so that a bound is valid
whenever it stops; and it is exact in the limit where no convex point is left undecided.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ridgesplines.validation import Array

#: Newton steps at most.
MAX_STEPS = 20
#: The complementarity aimed at first, in units of how far the first multipliers are from optimal.
BARRIER = 0.05
#: At first both parts of t are larger by this than they are, relative to the mean of |t|.
SMOOTH = 0.5
#: A step goes so far towards the boundary; how the aim falls after one longer than LONG, and after others.
INTERIOR, LONG, FALL, SLOW = 0.9, 0.5, 0.1, 0.5
#: In units of the squared bound: an aim below this is rounding.
DONE = 1e-15
#: Added to the diagonal of the system of a step, whose other entries are about one: it may be singular.
RIDGE = 1e-14
#: No slope is nearer to one, so that rounding does not make it one.
STEEPEST = 1.0 - 1e-14
#: A bound is good enough within this of its distance to what need not be known.
TIGHT = 0.25
#: Generators further from z than this (a cosine) give no bound: rounding would count too much.
WIDEST = 0.1


@dataclass(frozen=True)
class Cones:
    """m cones in k = d + 1 dimensions.

    Attributes
    ----------
    generators : (m, k, k), the rows of each (w, b) with unit w.
    signs : of eta, +1 or -1, whose bound it is; (m,).
    bounds : upper bounds on sign * eta / |w|, (m,).
    """

    generators: Array
    signs: Array
    bounds: Array

    def __len__(self) -> int:
        return len(self.bounds)

    def __getitem__(self, rows: Array | slice) -> Cones:
        return Cones(self.generators[rows], self.signs[rows], self.bounds[rows])

    def joined(self, *others: Cones) -> Cones:
        """These cones, then the others."""
        parts = zip(*((c.generators, c.signs, c.bounds) for c in (self, *others)), strict=True)
        return Cones(*map(np.concatenate, parts))


def fan(X: Array) -> Cones:
    """Cones that cover, up to sign, all hyperplanes (w, b) that meet the hull of the points X (N, d).

    For w in the cone of signed unit vectors the largest w^T x_n is at most linear in w between its values there, the
    smallest at least: a prism over each face of the cross-polytope, cut into d simplices.
    """
    d = X.shape[1]
    margin = 1e-12 * np.abs(X).max()
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    parts = []
    for rest in product([1.0, -1.0], repeat=d - 1):
        sign = np.array([1.0, *rest])
        lower = np.column_stack([np.diag(sign), np.where(sign > 0.0, low, -high)])
        upper = np.column_stack([np.diag(sign), np.where(sign > 0.0, high, -low)])
        parts += [np.concatenate([lower[: i + 1], upper[i:]]) for i in range(d)]
    G = np.array(parts * 2)
    return Cones(G, np.repeat([1.0, -1.0], len(parts)), np.full(len(G), np.inf))


def refine(A: Array, u: Array, cones: Cones, floor: float, level: float, room: int) -> tuple[Cones, Array]:
    """Cones that cover those given: each is split, or stays as it is where there is no room.

    Parameters
    ----------
    A, u : a_n, (N, k), and u_n / 2, (N,).
    cones : their bounds are above `level`.
    floor : positive; cones that are proven not to exceed it are left out.
    level : bounds above it need not be tight: those cones are to be split next.
    room : the most cones that come back.

    Returns
    -------
    The cones with their bounds, and of each cone given a hyperplane in it: sign * eta / |w|, w and b; (m, 1 + k).
    """
    split = max(0, room - len(cones))
    halves = bisected(cones[:split])
    T = halves.generators @ A.T
    V = halves.signs[:, None] * u
    size = np.abs(T)
    concave = (T.min(axis=1) < 0.0) & (T.max(axis=1) > 0.0) & (V < 0.0)
    p = np.einsum("mkn,mn->mk", size, np.where(concave, 0.0, V))
    bounds, shares = relaxed(p, T, np.where(concave, -V, 0.0), halves.generators[:, :, :-1], floor, level)
    points = np.einsum("mk,mkj->mj", shares, halves.generators)
    points /= np.linalg.norm(points[:, :-1], axis=1, keepdims=True)
    values = (np.abs(points @ A.T) * V).sum(axis=1)
    candidates = np.column_stack([values, points]).reshape(-1, 2, 1 + len(A.T))
    best = np.full((len(cones), 1 + len(A.T)), -np.inf)
    best[:split] = candidates[np.arange(len(candidates)), candidates[:, :, 0].argmax(axis=1)]
    halves = replace(halves, bounds=np.minimum(bounds, halves.bounds))
    return halves[halves.bounds > floor].joined(cones[split:]), best


def bisected(cones: Cones) -> Cones:
    """Each cut in two at the middle of its longest edge: (2 m), the halves next to each other."""
    first, second = np.triu_indices(cones.generators.shape[1], 1)
    edges = cones.generators[:, first] - cones.generators[:, second]
    longest = np.argmax((edges**2).sum(axis=2), axis=1)
    rows, i, j = np.arange(len(cones)), first[longest], second[longest]
    middle = cones.generators[rows, i] + cones.generators[rows, j]
    middle /= np.linalg.norm(middle[:, :-1], axis=1, keepdims=True)
    halves = cones[np.repeat(rows, 2)]
    halves.generators[2 * rows, i] = middle
    halves.generators[2 * rows + 1, j] = middle
    return halves


def relaxed(p: Array, T: Array, v: Array, W: Array, floor: float, level: float) -> tuple[Array, Array]:
    """Upper bounds for m cones, (m,), and the c of the last iterate, (m, k).

    Parameters
    ----------
    p, T, v, W : as above, (m, k), (m, k, N), (m, N) and (m, k, d); v is zero for all but concave undecided points.
    floor, level : see `refine`.
    """
    m, k = p.shape
    bounds, target = np.full(m, np.inf), np.empty(m)
    c, y, off, live = np.full((m, k), floor / k), np.empty((m, k)), np.empty((m, k)), np.arange(m)
    t, width = np.einsum("mkn,mk->mn", T, c), np.einsum("mkn,mk->mn", np.abs(T), c) + 1e-300
    above, below = np.maximum(t, 0.0) + SMOOTH * width, np.maximum(-t, 0.0) + SMOOTH * width
    s = (above - below) / (above + below)
    for round_ in range(MAX_STEPS):
        Tl, vl, Wl, cl, sl = T[live], v[live], W[live], c[live], s[live]
        ell = p[live] - np.einsum("mkn,mn->mk", Tl, vl * sl)
        z = np.einsum("mkd,mk->md", Wl, cl)
        zw, length = np.einsum("mkd,md->mk", Wl, z), np.linalg.norm(z, axis=1)
        near = zw > WIDEST * length[:, None]
        ratio = np.where(near, ell / np.where(near, zw, 1.0), np.inf).max(axis=1)
        bounds[live] = np.fmin(bounds[live], np.maximum(ratio, 0.0) * length)  # what is no number proves nothing
        kinks = np.abs(np.einsum("mkn,mk->mn", Tl, cl))
        value = ((cl * p[live]).sum(axis=1) - (vl * kinks).sum(axis=1)) / length
        off[live] = ell - zw
        if round_ == 0:
            far = BARRIER * np.abs(off).max(axis=1)
            y, target = np.maximum(-off, 0.0) + far[:, None], far * floor / k
        left = (bounds[live] > floor) & (value <= level) & (bounds[live] - value > TIGHT * (bounds[live] - floor))
        live = live[left & (target[live] >= DONE * floor**2)]
        if not len(live):
            break
        state = (c, y, s, above, below)
        moved, part = _step(T[live], v[live], W[live], off[live], [x[live] for x in state], target[live, None])
        for x, values in zip(state, moved, strict=True):
            x[live] = values
        np.clip(s, -STEEPEST, STEEPEST, out=s)
        target[live] *= np.where(part > LONG, FALL, SLOW)
    return bounds, c


def _step(T: Array, v: Array, W: Array, off: Array, state: list[Array], target: Array) -> tuple[list[Array], Array]:
    """A step of the interior-point method towards complementarity `target`: the new state, and its length up to 1."""
    c, y, s, above, below = state
    k = c.shape[1]
    kinks = v > 0.0
    aim = target / np.where(kinks, v, 1.0)
    stiff = above / (1.0 - s) + below / (1.0 + s)
    centre = 2.0 * s * aim / (1.0 - s**2)
    H = np.einsum("mkn,mn,mln->mkl", T, v / stiff, T, optimize=True) + np.einsum("mkd,mld->mkl", W, W)
    H[:, np.arange(k), np.arange(k)] += y / c + RIDGE
    t = np.einsum("mkn,mk->mn", T, c)
    right = off + target / c - np.einsum("mkn,mn->mk", T, v / stiff * (t - centre))
    dc = np.linalg.solve(H, right[..., None])[..., 0]
    dy = (target - y * dc) / c - y
    ds = np.where(kinks, (t + np.einsum("mkn,mk->mn", T, dc) - centre) / stiff, 0.0)
    up = np.where(kinks, (aim + above * ds) / (1.0 - s) - above, 0.0)
    down = np.where(kinks, (aim - below * ds) / (1.0 + s) - below, 0.0)
    room = [(c, dc), (y, dy), (1.0 - s, -ds), (1.0 + s, ds), (above, up), (below, down)]
    most = np.max([(-change / value).max(axis=1) for value, change in room], axis=0)
    part = np.minimum(1.0, INTERIOR / np.maximum(most, 1e-300))
    moves = (c, dc), (y, dy), (s, ds), (above, up), (below, down)
    return [value + part[:, None] * change for value, change in moves], part
