r"""How long each way to prove a supremum is likely to take, and in which order they are tried.

Operations are counted for n distinct points that span r dimensions, D outputs one after the other. How many cones or
branches it takes is what fits to Gaussian data and to the diabetes data took, n = 20 to 320, r = 3 to 8, at 0.05 and
0.3 lambda_max: too many by a factor of five for the easiest of these, too few by as much and more for the hardest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from ridgesplines.interrupt import late
from ridgesplines.oracle.bounded import MAX_DIMENSIONS
from ridgesplines.oracle.containment import FEW, MAX_POINTS, PAIRS
from ridgesplines.oracle.faces import FaceOracle
from ridgesplines.oracle.search import span
from ridgesplines.validation import Array

#: A way is likely to end where this part of the time is enough for it.
SHARE = 0.5
#: What it gets of the time that is left, where others are to follow.
PART = 0.75
#: A bound is as good as exact where it is at most so many times what was found.
ENOUGH = 1.0 + 1e-8
#: Cones for 40 points in three dimensions; for each further dimension so many times more, and as the points to the
#: power (r - 1) / 4. Branches for 40 points, and the power of the points with which they grow.
CONES, PER_DIMENSION = 3e3, 8.0
BRANCHES, GROWTH = 50.0, 1.5
#: Steps of the interior point in a branch.
STEPS = 20
#: Seconds, of one core: of a search, of a cone and of each point in it, of a step and of each of its products.
SEARCH, CONE, CONE_POINT = 0.2, 1.5e-5, 1.2e-7
STEP, PRODUCT = 3.5e-3, 8e-10


def predicted(X: Array, outputs: int | None = None) -> dict[str, float]:
    """The seconds that enumeration, cones and sides are likely to take for data X (N, d), by the names of the methods;
    infinite where one cannot.
    """
    faces, r, D = FaceOracle(X), len(span(X)), outputs or 1
    n = len(np.unique(X, axis=0))
    cones = CONES * PER_DIMENSION ** (r - 3) * (n / 40.0) ** ((r - 1) / 4.0)
    pairs = n if n <= FEW else PAIRS
    step = STEP + PRODUCT * n * (pairs**2 * r + n**2)
    return {
        "exact": faces.seconds if outputs is None else np.inf,
        "branch": D * (SEARCH + cones * (CONE + CONE_POINT * n)) if r <= MAX_DIMENSIONS else np.inf,
        "sides": D * (SEARCH + BRANCHES * (n / 40.0) ** GROWTH * STEPS * step) if n <= MAX_POINTS else np.inf,
    }


def tries(seconds: dict[str, float], max_time: float) -> list[str]:
    """The ways in the order in which they are tried, of `predicted` seconds, until one has proven enough.

    Those that are likely to end first: the faster one of enumeration and cones, which end at rounding, then sides,
    which end at a thousandth; flows are there for the case that they do not. Where none is likely to end, flows, which
    always do but leave some percent open, and then cones or sides, whichever would be done sooner.
    """
    fits = {way for way, needed in seconds.items() if needed <= SHARE * max_time}
    if not fits:
        return ["containment", min(("branch", "sides"), key=seconds.__getitem__)]
    tight = sorted(fits - {"sides"}, key=seconds.__getitem__)[:1]
    return [*tight, *sorted(fits & {"sides"}), "containment"]


def own_shares(ways: list[str], end: float) -> Iterator[tuple[str, float]]:
    """Each way and the seconds that it may take until `end`, a reading of ``time.perf_counter``: all that are left for
    the last, a part of them for the others; none of which is begun when the time is over, but the first."""
    for k, way in enumerate(ways):
        if k and late(end):
            return
        left = max(end - time.perf_counter(), 1e-6)
        yield way, left if k == len(ways) - 1 else PART * left
