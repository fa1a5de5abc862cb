"""The data of a problem, and what follows from them alone: shared by the problems of all lam."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ridgesplines.activations.base import Activation
from ridgesplines.losses.base import Loss
from ridgesplines.polynomials import polynomial_basis
from ridgesplines.precise import origin_near
from ridgesplines.validation import Array, ReadOnly, frozen


@dataclass(frozen=True, eq=False)
class Data(ReadOnly):
    """The data with their loss and activation, and what follows from these alone: shared by the problems of all lam."""

    X: Array
    y: Array
    sample_weight: Array
    loss: Loss
    activation: Activation

    @cached_property
    def n_outputs(self) -> int | None:
        return self.loss.n_outputs(self.y)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        keep = self.sample_weight > 0.0
        rows, x = np.flatnonzero(keep), self.X[:, 0] if keep.all() else self.X[keep, 0]
        return rows if self.X.shape[1] > 1 or (x[1:] >= x[:-1]).all() else rows[np.argsort(x)]

    @cached_property
    def reduced(self) -> Data:
        rows = self.rows
        if len(rows) == len(self.X) and (rows[1:] > rows[:-1]).all():
            return self
        X, y, weight = (frozen(part[rows]) for part in (self.X, self.y, self.sample_weight))
        return replace(self, X=X, y=y, sample_weight=weight)

    @cached_property
    def origin(self) -> Array:
        return frozen(origin_near(self.X))

    @cached_property
    def centred(self) -> Array:
        return frozen(self.X - self.origin) if self.origin.any() else self.X

    @cached_property
    def sites(self) -> Array:
        x = self.reduced.X[:, 0]
        apart = x[1:] > x[:-1]
        return x if apart.all() else x[np.append(True, apart)]

    @cached_property
    def detrended(self) -> Array:
        y, Q = self.y, self.null_space
        if self.activation.degree >= 0:
            y = y - y.mean(axis=0)
        return y - Q @ (Q.T @ y)

    @cached_property
    def null_space(self) -> Array:
        return frozen(polynomial_basis(self.X, self.activation.degree))
