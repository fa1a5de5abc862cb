r"""Steps of many ascents of |eta| side by side, each by a quasi-Newton matrix of its own.

A hyperplane is :math:`\theta = (w, b)` with :math:`\|w\| = 1`. Its step is :math:`H g`, with g the slope of
:math:`|\eta|` along the sphere of w and along b, and H from BFGS [1]_, which also serves where |eta| has kinks [2]_.

References
----------
.. [1] J. Nocedal, S. J. Wright, Numerical Optimization, Springer (2006), chapter 6, doi:10.1007/978-0-387-40065-5
.. [2] A. S. Lewis, M. L. Overton, Nonsmooth optimization via quasi-Newton methods, Math. Program. 141 (2013),
       doi:10.1007/s10107-012-0514-2
"""

from __future__ import annotations

import numpy as np

from ridgesplines.oracle.circles import Rows
from ridgesplines.oracle.passes import Host

#: Lengths of steps: of the first, of the first of ascents that go on, and at most; how one shortens that did not rise.
FIRST_STEP, SHORT_STEP, LONGEST_STEP, SHORTER = 0.3, 0.03, 0.6, 0.3
#: A quasi-Newton matrix learns from a step along which the slope fell by more than these parts of its change, and of
#: itself. Where it takes the next step farther than this it is begun again.
ALIGNED, CURVED, FARTHEST = 0.1, 1e-4, 1e4
#: Lengths are no less than this where something is divided by them.
TINY = 1e-30


class Ascents:
    """Ascents side by side, where `machine` is: each operation is one for all of them.

    Attributes
    ----------
    theta : where they are, (m, p), the last coordinate the bias.
    size : |eta| there, (m,).
    """

    def __init__(self, machine: Host, theta: Rows, size: Rows, slope: Rows, first: float) -> None:
        self._xp = machine.xp
        # in the precision of theta
        self._identity = machine.put(np.eye(theta.shape[1], dtype=np.float32)) * self._xp.ones_like(theta[:1])
        self.theta, self.size, self._slope = theta, size, slope
        self._H, self._reach = self._scaled_identity(first), self._xp.ones_like(self.size)

    def trial(self) -> Rows:
        """Where each would go, (m, p)."""
        xp, slope = self._xp, self._slope
        way = _times(self._H, slope)
        lost = ~(((way * slope).sum(1) > 0.0) & (_lengths(way) < FARTHEST))
        if lost.any():  # at a kink, or by rounding
            self._H = xp.where(lost[:, None, None], self._scaled_identity(SHORT_STEP), self._H)
            way = _times(self._H, slope)
        way = self._reach[:, None] * way
        trial = self.theta + way * xp.clip(LONGEST_STEP / xp.clip(_lengths(way), TINY, None), None, 1.0)[:, None]
        return trial / _lengths(trial[:, :-1])[:, None]

    def take(self, trial: Rows, higher: Rows, after: Rows) -> None:
        """Go there where |eta| has risen, and learn from the way: |eta| and its slope at the trial."""
        xp, reach = self._xp, self._reach
        rose = higher > self.size
        self._learn(trial - self.theta, self._slope - after, rose)
        self.theta, self._slope = (
            xp.where(rose[:, None], new, old) for new, old in ((trial, self.theta), (after, self._slope))
        )
        self.size, self._reach = xp.where(rose, higher, self.size), xp.where(rose, xp.ones_like(reach), SHORTER * reach)

    def _scaled_identity(self, length: float) -> Rows:
        """The quasi-Newton matrices whose step has this length."""
        return self._identity * (length / self._xp.clip(_lengths(self._slope), TINY, None))[:, None, None]

    def _learn(self, s: Rows, y: Rows, rose: Rows) -> None:
        """From steps s along which the slope fell by y; matrices are twice as large where it hardly did."""
        xp, H = self._xp, self._H
        along = (s * y).sum(1)
        curved = rose & (along > _lengths(s) * (ALIGNED * _lengths(y) + CURVED * _lengths(self._slope)))
        rho = xp.where(curved, 1.0 / xp.where(curved, along, xp.ones_like(along)), xp.zeros_like(along))
        Hy = _times(H, y)
        v = (0.5 * rho * (1.0 + rho * (y * Hy).sum(1)))[:, None] * s - rho[:, None] * Hy
        H = H + xp.stack((s, v), 2) @ xp.stack((v, s), 1)
        longer = rose & ~curved
        self._H = xp.where(longer[:, None, None], 2.0 * H, H) if longer.any() else H


def _times(H: Rows, rows: Rows) -> Rows:
    return (H @ rows[:, :, None])[:, :, 0]


def _lengths(rows: Rows) -> Rows:
    return (rows**2).sum(1) ** 0.5
