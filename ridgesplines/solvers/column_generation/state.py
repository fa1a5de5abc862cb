"""The state of a round, whatever phase it belongs to."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ridgesplines.objective import relative
from ridgesplines.oracle.base import Oracle
from ridgesplines.problem import Problem
from ridgesplines.solvers.column_generation.refits import Fit
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope


class Phase(StrEnum):
    """The phases of the work: what finds neurons, and what moves them."""

    FAST = "batches"
    ENVELOPE = "envelopes"
    CENTRAL = "interior"
    EXACT = "rounds"
    CUTS = "cuts"


class Pricing(NamedTuple):
    """What finds neurons.

    Attributes
    ----------
    oracle : their supremum.
    fast : whether rough calls of it are worth a phase of their own.
    exact : whether it proves its suprema, unless it is rough.
    briefly : whether the work ends with the phase of rough calls, where there is one.
    """

    oracle: Oracle
    fast: bool
    exact: bool
    briefly: bool = False


class State(NamedTuple):
    r"""The state of a round.

    Attributes
    ----------
    problem : with its lam.
    fit : the neurons and the fit, with the objective that the round minimises.
    objective : that of the problem; infinite for interpolation that has not met the data.
    sup : sup|eta| of the dual vector, as its `scope` says.
    value : the dual value that it gives; no bound where the supremum was searched, and minus infinity where there was
        no time for all of that.
    scope : of the supremum.
    residual : for interpolation, how far the fit is from the data.
    peaks : neurons at which a search saw large :math:`|\eta|`; None where there was none.
    phase : of which the round was.
    """

    problem: Problem
    fit: Fit
    objective: float
    sup: float
    value: float
    scope: Scope
    residual: float = 0.0
    peaks: tuple[Array, Array] | None = None
    phase: Phase = Phase.EXACT

    @property
    def gap(self) -> float:
        """Relative, of the problem."""
        return relative(self.problem, self.objective - self.value, self.objective)

    @property
    def left(self) -> float:
        """Relative, of the objective that the round minimises."""
        return relative(self.problem, self.fit.objective - self.value, self.fit.objective)
