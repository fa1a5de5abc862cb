"""The progress of a fit: kept for Ctrl-C, and printed where the user wants to watch."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ridgesplines.interrupt import check
from ridgesplines.solvers.progress import near, print_round
from ridgesplines.solvers.univariate.knots import Knots
from ridgesplines.validation import Array


@dataclass
class Progress:
    """The best spline and the best dual vector so far; each round is reported here.

    Attributes
    ----------
    label : what stands in front of each line that is printed; nothing is printed where it is None.
    unit : the objective is printed in it.
    tol : a spline whose relative gap is no larger replaces one of a lower objective: it has fewer knots.
    knots, dual : the best so far, the dual vector for the sorted rows; None at first, and where it was not computed.
    latest : that of a round in which not all data were looked at, where it was the last.
    objective, bound : those of the best so far.
    rounds : how many rounds there were.
    """

    label: str | None = None
    unit: float = 1.0
    tol: float = 0.0
    knots: Knots | None = None
    dual: Array | None = None
    latest: Knots | None = None
    objective: float = float("inf")
    bound: float = float("-inf")
    rounds: int = 0
    began: float = field(default_factory=time.perf_counter)

    @property
    def gap(self) -> float:
        """The relative gap of the best so far, as the solver sees it."""
        return self._relative(self.objective)

    def _relative(self, objective: float) -> float:
        return (objective - self.bound) / max(abs(objective), 1e-300)

    def report(self, knots: Knots, dual: Array | None, objective: float, bound: float) -> None:
        """Keep what is better than before."""
        self.rounds += 1
        self.latest = None
        if bound > self.bound:
            self.dual, self.bound = dual, bound
        if objective <= self.objective or self._relative(objective) <= self.tol:
            self.knots, self.objective = knots, objective
        near(self.gap)
        self._print(knots, objective, self._relative(objective))
        check()

    def glanced(self, knots: Knots, objective: float, gap: float) -> None:
        """A round in which not all data were looked at: its spline is the answer only where the fit ends there."""
        self.rounds += 1
        self.latest = knots
        self._print(knots, objective, gap)
        check()

    def _print(self, knots: Knots, objective: float, gap: float) -> None:
        if self.label is not None:
            print_round(self.label, self.rounds, self.began, len(knots.active), self.unit * objective, gap)
