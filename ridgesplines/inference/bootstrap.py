r"""Splines of resampled data, each from the knots of the fit down to a local minimum of its own.

.. math:: y^*_n = f(x_n) + e^*_n

The errors are drawn from the residuals: independently, in moving blocks along x [1]_ where neighbours have something in
common, or each datum keeps its own and draws a sign [2]_ where the variance differs from datum to datum.

References
----------
.. [1] H. R. Künsch, The jackknife and the bootstrap for general stationary observations, Ann. Statist. 17 (1989),
   1217-1241, doi:10.1214/aos/1176347265
.. [2] C. F. J. Wu, Jackknife, bootstrap and other resampling methods in regression analysis, Ann. Statist. 14 (1986),
   1261-1295, doi:10.1214/aos/1176350142
"""

from __future__ import annotations

import numpy as np

from ridgesplines.inference.covariance import Linearised
from ridgesplines.inference.free_knots import descent
from ridgesplines.inference.parameters import Parameters
from ridgesplines.inference.pieces import Sums
from ridgesplines.interrupt import check
from ridgesplines.validation import Array

#: Numbers of resampled data that are held at once.
BLOCK_ENTRIES = 2**22


def resampled(
    at: Parameters, x: Array, y: Array, weight: Array, n_resamples: int, draw: Draw, rng: np.random.Generator
) -> Parameters:
    """The parameters of the splines of so many resamples; O(N + K^3) each for a step of its knots."""
    fit, values, knots = at.curve(x), [], []
    step = max(1, BLOCK_ENTRIES // len(x))
    for first in range(0, n_resamples, step):
        check()
        count = min(step, n_resamples - first)
        targets = fit + draw(rng, count) / np.sqrt(weight)
        found = descent(Sums.of(x, targets, weight), np.tile(at.knots, (count, 1)))
        values.append(found.values)
        knots.append(found.knots)
    return Parameters(at.low, at.high, np.concatenate(values), np.concatenate(knots))


class Draw:
    """Errors drawn from the residuals of a fit, times the roots of the weights.

    Parameters
    ----------
    near : the fit and its residuals.
    block : how many neighbours are drawn together; None for one by one.
    wild : whether each keeps its own residual, of a random sign.
    """

    def __init__(self, near: Linearised, block: int | None, wild: str | None) -> None:
        self.block, self.wild = block or 1, wild
        if wild is not None:
            self.errors = near.adjusted(wild)
        else:
            centred = near.residuals - near.residuals.mean()
            self.errors = centred * np.sqrt(near.n / near.freedom)

    def __call__(self, rng: np.random.Generator, count: int) -> Array:
        """So many sets of errors, shape (count, N)."""
        n, length = len(self.errors), self.block
        if self.wild is not None:
            return self.errors * rng.choice([-1.0, 1.0], (count, n))
        starts = rng.integers(n - length + 1, size=(count, -(-n // length)))
        places = (starts[:, :, None] + np.arange(length)).reshape(count, -1)[:, :n]
        return self.errors[places]
