"""One more search, for a certificate that rests on searches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ridgesplines.certificate.certificate import RESCAN_SEED, DualCertificate, looked_at, network_oracle
from ridgesplines.certificate.dual import levelled
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.verdict import Scope


def searched_again(
    problem: Problem, network: RidgeSpline, certificate: DualCertificate, search: int, end: float = np.inf
) -> DualCertificate:
    """A searched certificate, raised to what one more search of its dual vector finds; others as they are.

    Near an optimum some maxima are so narrow that a search misses them as often as not. `search` says which of several
    it is, each with random numbers of its own; `end` is when it stops, a reading of ``time.perf_counter``.
    """
    if certificate.scope is not Scope.SEARCHED:
        return certificate
    u = levelled(problem.reduced, certificate.dual[problem.rows])
    near = network.weights, network.biases
    found = network_oracle(problem, network, (search, *RESCAN_SEED))(u, np.inf, near=near, end=end)
    raised = looked_at(problem, certificate, found.weights, found.biases)
    return replace(raised, starts=certificate.starts + found.starts)
