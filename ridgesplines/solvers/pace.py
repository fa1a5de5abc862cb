"""How column generation paces itself, with constraints and without."""

from __future__ import annotations

import numpy as np

from ridgesplines.validation import Array

#: lam falls by no more than this factor from one fit to the next; between the values asked for, to a loose gap.
LAM_FACTOR = 10.0 ** (1.0 / 3.0)
LOOSE_GAP = 1e-2
#: The part of the time that the solver takes; the certificate has the rest.
SOLVING_SHARE = 0.75
#: Neurons that join in one round: half as many as there are, within these.
FEWEST_JOINING, MOST_JOINING = 64, 256


def between(last: float, lam: float) -> Array:
    """The lams between two, each smaller by the same factor; none where lam does not fall, from zero for one."""
    if not last > lam:
        return np.empty(0)
    return np.geomspace(last, lam, 1 + int(np.ceil(np.log(last / lam) / np.log(LAM_FACTOR))))[1:-1]
