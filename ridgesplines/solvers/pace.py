"""How column generation paces itself, with constraints and without."""

from __future__ import annotations

#: lam falls by no more than this factor from one fit to the next; between the values asked for, to a loose gap.
LAM_FACTOR = 10.0 ** (1.0 / 3.0)
LOOSE_GAP = 1e-2
#: The part of the time that the solver takes; the certificate has the rest.
SOLVING_SHARE = 0.75
#: Neurons that join in one round: half as many as there are, within these.
FEWEST_JOINING, MOST_JOINING = 64, 256
