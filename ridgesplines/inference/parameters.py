r"""A linear spline as numbers: its values at the ends of the data and at the K knots, then the knots.

.. math:: p = (\theta_0, \dots, \theta_{K+1}, t_1, \dots, t_K)

What is asked of it, slopes and the curve, with the derivatives by these numbers, for one set or many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.validation import Array


@dataclass(frozen=True)
class Parameters:
    """Sets of parameters of splines between the same ends.

    Attributes
    ----------
    low, high : the ends of the data.
    values : theta, shape (R, K + 2).
    knots : t, shape (R, K).
    """

    low: float
    high: float
    values: Array
    knots: Array

    @property
    def nodes(self) -> Array:
        """The ends and the knots between them, shape (R, K + 2)."""
        ends = np.ones((len(self.knots), 1))
        return np.concatenate([self.low * ends, self.knots, self.high * ends], axis=1)

    @property
    def slopes(self) -> Array:
        """Of each segment, shape (R, K + 1)."""
        return np.diff(self.values, axis=1) / np.diff(self.nodes, axis=1)

    def curve(self, x: Array) -> Array:
        """f at x (m,), straight beyond the ends; shape (R, m)."""
        slopes = self.slopes
        fit = self.values[:, :1] + slopes[:, :1] * (x - self.low)
        for bend, knot in zip(np.diff(slopes, axis=1).T, self.knots.T, strict=True):
            fit += bend[:, None] * np.maximum(x - knot[:, None], 0.0)
        return fit

    def slopes_by_parameters(self) -> Array:
        """The derivative of the slopes of the first set, shape (K + 1, 2 K + 2)."""
        h, s = np.diff(self.nodes[0]), self.slopes[0]
        S = len(h)
        j, out = np.arange(S), np.zeros((S, 2 * S))
        out[j, j], out[j, j + 1] = -1.0 / h, 1.0 / h
        out[j[:-1], S + 1 + j[:-1]] = -s[:-1] / h[:-1]
        out[j[1:], S + 1 + j[:-1]] = s[1:] / h[1:]
        return out

    def curve_by_parameters(self, x: Array) -> Array:
        """The derivative of f at x (m,) of the first set, shape (m, 2 K + 2); at a knot that from the left."""
        nodes, s = self.nodes[0], self.slopes[0]
        S = len(s)
        j = np.clip(np.searchsorted(nodes, x, side="left") - 1, 0, S - 1)
        share, row = (x - nodes[j]) / np.diff(nodes)[j], np.arange(len(x))
        out = np.zeros((len(x), 2 * S))
        out[row, j], out[row, j + 1] = 1.0 - share, share
        starts, ends = j > 0, j < S - 1  # the segment begins, or ends, at a knot
        out[row[starts], S + j[starts]] = (-s[j] * (1.0 - share))[starts]
        out[row[ends], S + 1 + j[ends]] = (-s[j] * share)[ends]
        return out
