"""The loop that two methods of a grid share: they work in scaled units, and answer for each lam in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ridgesplines.interrupt import overdue
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.oracle.base import Oracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling
from ridgesplines.solvers.base import Answer
from ridgesplines.validation import Array

#: A network of the scaled problem, its dual vector, and notes; "interrupted" among them where Ctrl-C came.
Found = tuple[RidgeSpline, Array, Mapping[str, Any]]


def answers(
    problem: Problem,
    lams: Sequence[float],
    scaling: Scaling,
    one: Callable[[Problem], Found],
    limits: Oracle | None,
    tolerance: float,
) -> Iterator[Answer]:
    """An answer for each lam, the last one where the work was interrupted.

    Parameters
    ----------
    problem, lams : in the user's units.
    scaling : to the units of the work, and back.
    one : from the scaled problem with its lam to what is found.
    limits, tolerance : as for `Answer`.
    """
    for lam in lams:
        network, dual, history = one(scaling.problem.with_lam(scaling.lam(lam)))
        interrupted = bool(history.get("interrupted"))
        ended = interrupted and not overdue()
        yield Answer(
            problem.with_lam(lam),
            scaling.network(network),
            scaling.dual(dual),
            limits,
            tolerance,
            history,
            interrupted,
        )
        if ended:
            return
