"""What a problem has from its data alone, under the same names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ridgesplines.activations.base import Activation
from ridgesplines.losses.base import Loss
from ridgesplines.problem.data import Data
from ridgesplines.rows.data import BlockedData
from ridgesplines.validation import Array, frozen


class OfData:
    """The facts of `data` that all who have a problem ask it for."""

    data: Data | BlockedData
    skip: bool

    @property
    def X(self) -> Array:  # noqa: N802
        """The data, shape (N, d), read-only."""
        return self.data.X

    @property
    def y(self) -> Array:
        """The targets as the loss takes them, shape (N,) or (N, D), read-only."""
        return self.data.y

    @property
    def sample_weight(self) -> Array:
        r"""The weights :math:`s_n`, shape (N,), read-only."""
        return self.data.sample_weight

    @property
    def loss(self) -> Loss:
        return self.data.loss

    @property
    def activation(self) -> Activation:
        return self.data.activation

    @property
    def in_blocks(self) -> BlockedData | None:
        """The data, where their rows are in blocks, of a file or of Dask; None where they are in memory."""
        return self.data if isinstance(self.data, BlockedData) else None

    @property
    def n_samples(self) -> int:
        return self.data.n_samples

    @property
    def n_features(self) -> int:
        return self.data.n_features

    @property
    def n_outputs(self) -> int | None:
        """The number D of outputs, or None for a scalar fit."""
        return self.data.n_outputs

    @property
    def outputs(self) -> tuple[int, ...]:
        """The end of the shape of values: empty for a scalar fit, (D,) for D outputs."""
        return () if self.n_outputs is None else (self.n_outputs,)

    @property
    def rows(self) -> NDArray[np.intp]:
        """The rows of positive weight; in one dimension in the order of x."""
        return self.data.rows

    @property
    def origin(self) -> Array:
        """A point near the data, from which x is measured without any rounding; shape (d,)."""
        return self.data.origin

    @property
    def centred(self) -> Array:
        """X less the origin, exactly; shape (N, d)."""
        return self.data.centred

    @property
    def sites(self) -> Array:
        """The distinct x of the rows, increasing; d = 1 only."""
        return self.data.sites

    @property
    def null_space(self) -> Array:
        """Orthonormal basis of the values at the data of the null space, for ReLU [1 X]; shape (N, r)."""
        return self.data.null_space if self.skip else frozen(np.empty((self.n_samples, 0)))

    @property
    def rank(self) -> int:
        """The dimension r of the null space restricted to the data: for ReLU d + 1 unless the data are degenerate."""
        return self.data.rank if self.skip else 0
