r"""The objective near a point, for rows in blocks: sums over all rows, and the few rows whose side may change.

With :math:`t_{nk} = \theta_k^T \bar x_n`, J the derivative of the fit along all (theta, beta) with every row kept to
its side, and :math:`c_{nk} = \tfrac12 \sigma_k\, s_n L'(y_n, z_n)`, to second order

.. math:: g^T \Delta + \tfrac12 \Delta^T H \Delta + \sum_{(n, k) \in B} c_{nk}\, |t_{nk} + \bar x_n^T \Delta_k|

plus the penalty. H and g are sums over all rows: Gram matrices. B, the *band*, has the rows nearest to each hyperplane
at which the kink is convex, :math:`c_{nk} > 0`; they alone are brought here. O(n (K d)^2) a block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ridgesplines.amplitudes.by_rows import PIECE_ENTRIES, Point, distances
from ridgesplines.amplitudes.newton import weighted_curvature
from ridgesplines.losses.base import Loss
from ridgesplines.neurons.working_set import blocks
from ridgesplines.rows import Block, added
from ridgesplines.validation import Array

#: Rows of a band, of all neurons together; and of one, at least.
BAND, FEWEST = 512, 8


class Local(NamedTuple):
    """The data fit near a point.

    Attributes
    ----------
    value, gradient (P,), hessian (P, P) : over (theta, beta), P = K (d + 1) + r; each row kept to its side.
    band : shape (n, d + 4): the neuron, its distance |t|, the kink c, and (x, -1).
    """

    value: float
    gradient: Array
    hessian: Array
    band: Array


def local_of(block: Block, loss: Loss, point: Point, steady: bool = False) -> Local:
    """A block's part; the curvature is that of the loss, or of a parabola above it if `steady`."""
    K, p = point.theta.shape
    width = K * p + len(point.beta)
    value, gradient, hessian, bands = 0.0, np.zeros(width), np.zeros((width, width)), []
    for piece in blocks(len(block.X), width, PIECE_ENTRIES):
        X, y, weight = block.X[piece], block.y[piece], block.weight[piece]
        t, z = distances(X, point.theta), point.at(X)
        points = np.column_stack([X, -np.ones(len(X))])
        moved = (np.copysign(0.5, t) * point.signs)[:, :, None] * points[:, None, :]
        J = np.hstack([moved.reshape(len(X), K * p), point.affine.at(X)])
        pull = weight * loss.gradient(y, z)
        value += float(weight @ loss.value(y, z))
        gradient += pull @ J
        hessian += J.T @ (weighted_curvature(loss, y, z, weight, steady)[:, None] * J)
        bands.append(_nearest(_rows(points, t, 0.5 * pull[:, None] * point.signs), K))
    return Local(value, gradient, hessian, _nearest(np.concatenate(bands), K))


def joined_locals(one: Local, other: Local) -> Local:
    """Sums, and the nearest rows of both."""
    band = np.concatenate([one.band, other.band])
    value, gradient, hessian = added(one[:3], other[:3])
    return Local(value, gradient, hessian, _nearest(band, int(band[:, 0].max(initial=-1.0)) + 1))


def _rows(points: Array, t: Array, kinks: Array) -> Array:
    """A row of a band for each neuron and point with a convex kink."""
    away = np.where(kinks > 0.0, np.abs(t), np.inf)
    last = min(BAND, len(t)) - 1
    n, k = np.nonzero(np.isfinite(away) & (away <= np.partition(away, last, axis=0)[last]))
    return np.column_stack([k, np.abs(t[n, k]), kinks[n, k], points[n]])


def _nearest(band: Array, K: int) -> Array:
    """Of each neuron the nearest rows."""
    most = max(FEWEST, BAND // max(K, 1))
    order = np.lexsort((band[:, 1], band[:, 0]))
    starts = np.searchsorted(band[order, 0], band[order, 0])
    return band[order[np.arange(len(order)) - starts < most]]
