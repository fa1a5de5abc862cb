"""Problems with shape constraints, d = 1: their sites, their program, and the bound that proves a solution."""

from ridgesplines.shaped.bound import Bound, Multipliers, best_bound, completed, interpolating, supremum
from ridgesplines.shaped.minimiser import require_shaped_minimiser
from ridgesplines.shaped.program import Program, Solved, quiet
from ridgesplines.shaped.sites import Sites
from ridgesplines.shaped.threshold import least_lam
from ridgesplines.shaped.violation import TOLERANCE, missed, violation

__all__ = [
    "TOLERANCE",
    "Bound",
    "Multipliers",
    "Program",
    "Sites",
    "Solved",
    "best_bound",
    "completed",
    "interpolating",
    "least_lam",
    "missed",
    "quiet",
    "require_shaped_minimiser",
    "supremum",
    "violation",
]
