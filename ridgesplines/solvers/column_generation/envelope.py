r"""The Moreau envelope of a loss with one kink a row: a smooth loss that lies a little below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.losses.base import Loss
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Envelope(Loss):
    r"""The Moreau envelope of a loss with one kink a row, for solvers: it is smooth, and nears the loss as mu falls.

    .. math:: e_\mu(y, z) = \min_{z'} L(y, z') + \tfrac{1}{2 \mu} (z - z')^2
              = \max_{l \le v \le h} v (c - z) - \tfrac{\mu}{2} v^2 + \text{const}

    where c, l and h are the loss's `box`. Its dual vectors are those of the loss: a fit of the one nearly solves the
    other.

    Parameters
    ----------
    loss : of one kink a row.
    mu : positive; the width of the parabola that rounds the kink is mu (h - l).

    Notes
    -----
    The conjugate is that of the loss plus :math:`\mu v^2 / 2`.
    """

    loss: Loss
    mu: float
    cone: ClassVar[str] = "quadratic"
    translates: ClassVar[bool] = False  # of some losses it does; what follows from that is for certificates

    def _form(self, y: Array) -> tuple[Array, Array, Array]:
        """(centre, low, high)."""
        form = self.loss.box(y)
        assert form is not None
        centre, _, low, high = form
        return centre, low, high

    def value(self, y: Array, z: Array) -> Array:
        v = self.gradient(y, z)  # z - mu v is the z' of the minimum
        return self.loss.value(y, z - self.mu * v) + self.mu * v**2 / 2.0

    def gradient(self, y: Array, z: Array) -> Array:
        centre, low, high = self._form(y)
        return -np.clip((centre - z) / self.mu, low, high)

    def curvature(self, y: Array, z: Array) -> Array:
        centre, low, high = self._form(y)
        v = (centre - z) / self.mu
        return np.where((low < v) & (v < high), 1.0 / self.mu, 0.0)

    def majorant(self, y: Array, z: Array) -> Array:
        centre, low, high = self._form(y)
        half = (high - low) / 2.0
        return half / np.maximum(np.abs(centre - z - self.mu * (low + high) / 2.0), self.mu * half)

    def conjugate(self, y: Array, v: Array) -> Array:
        return self.loss.conjugate(y, v) + self.mu * v**2 / 2.0

    def nearest(self, y: Array, v: Array) -> Array:
        return self.loss.nearest(y, v)

    def room(self, y: Array, v: Array) -> Array:
        return self.loss.room(y, v)

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        raise NotImplementedError("an envelope is for solvers of its loss")
