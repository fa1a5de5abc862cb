"""The base class of solvers: frozen settings, a reason to refuse or none, and a network for each lam."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ridgesplines.certificate.constrained import Multipliers
from ridgesplines.exceptions import ProblemError, SolverRefusal
from ridgesplines.interrupt import asked, overdue, until
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.oracle.base import Oracle
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.validation import Array
from ridgesplines.verdict import Status


@dataclass(frozen=True)
class Answer:
    r"""The answer of a solver for one lam. None of it is taken on trust: the Solution computes its own figures.

    Attributes
    ----------
    problem : the problem, with its lam.
    network : the network found.
    dual : a suggestion for the dual vector, in the problem's units, or None; with constraints Multipliers.
    limits : the supremum over the neurons that the solver was limited to, or an upper bound over all neurons that
        it can prove; None for what the library itself finds over all neurons.
    tolerance : the relative gap that was to be reached; infinite where none was, and the gap is the result.
    history : notes for the reader.
    peaks : weights (m, d) and biases (m,) of neurons at which a search found large :math:`|\eta|` on the way: the
        certificate is held to them as well; None where there are none.
    end : when the certificate is to be there, a reading of ``time.perf_counter``.
    late : what computes the suggestion when it is asked for, in the place of `dual`: that of the fit itself may do.
    reached : whether the solver took the tolerance for reached: where a search finds otherwise, it goes on.
    interrupted : whether Ctrl-C ended the work, or a limit of time; this is then the best so far.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], lam=0.1)
    >>> [answer.network.n_neurons for answer in rs.Univariate().path(problem, [1.0, 0.1])]
    [0, 1]
    """

    problem: Problem
    network: RidgeSpline
    dual: Array | Multipliers | None
    limits: Oracle | None
    tolerance: float
    history: Mapping[str, Any] = field(default_factory=dict)
    interrupted: bool = False
    peaks: tuple[Array, Array] | None = None
    end: float = float("inf")
    reached: bool = False
    late: Callable[[], Array] | None = None

    def any_dual(self) -> Array | Multipliers | None:
        """The suggestion for the dual vector, computed where it was not yet."""
        return self.late() if self.dual is None and self.late is not None else self.dual

    def solution(self, network: RidgeSpline, certificate: Any, solver: str, start: float) -> Solution:
        """The solution of these, made by this solver since `start`, a reading of ``time.perf_counter``."""
        seconds, notes = time.perf_counter() - start, (self.history, None, self.tolerance)
        return Solution(self.problem, network, certificate, solver, Status.CONVERGED, seconds, *notes)


def in_time(answers: Iterator[Answer], seconds: float, total: float = float("inf")) -> Iterator[Answer]:
    """The answers of a solver, each of which may take so many seconds, and all together `total`, which ends them.

    One that time has ended says so. The first is always given.
    """
    if min(seconds, total) == float("inf"):
        yield from answers
        return
    end = time.perf_counter() + total
    while True:
        began = time.perf_counter()
        limit = min(seconds, end - began)
        with until(began + limit):
            answer, over = next(answers, None), overdue() and not asked()
        if answer is None:
            return
        if answer.interrupted and over:
            stopped = {"stopped": f"after max_time = {limit:.3g} s"}
            answer = replace(answer, interrupted=False, history={**answer.history, **stopped})
        yield answer
        if time.perf_counter() > end:
            return


def require_limits(*seconds: float) -> None:
    """Raise where the `max_time` or the `total_time` of a solver, in this order, is no number of seconds > 0."""
    for name, value in zip(("max_time", "total_time"), seconds, strict=True):
        require_seconds(name, value)


def require_seconds(name: str, value: object) -> None:
    """Raise where a limit of time is no number of seconds > 0."""
    if not (isinstance(value, (int, float)) and value > 0.0):
        raise ProblemError(name, "a number of seconds > 0", repr(value), f"Pass {name}=60.0.")


def no_affine_penalty(solver: Solver, problem: Problem) -> SolverRefusal | None:
    """The refusal of a solver for which affine part and biases are free, where they cost something; or None."""
    remedy = "Use solver=rs.ColumnGeneration(), which takes it."
    if problem.norm:
        return SolverRefusal(solver.name, "norm=False", "norm=True", remedy)
    if problem.penalise_bias:
        return SolverRefusal(solver.name, "penalise_bias=False", "True", remedy)
    if not problem.slope_penalty:
        return None
    return SolverRefusal(solver.name, "slope_penalty=0", f"{problem.slope_penalty:g}", remedy)


class Solver(ABC):
    """A frozen dataclass of settings. A new solver is one file, and a place in the list of ``solvers/__init__.py``.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> plane = rs.Problem([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, 2.0, 0.0], lam=1.0)
    >>> rs.Univariate().refuses(plane) is None, rs.ColumnGeneration().refuses(plane) is None
    (False, True)
    """

    #: Whether it takes problems whose rows are in blocks.
    takes_blocks: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return type(self).__name__

    @abstractmethod
    def refuses(self, problem: Problem) -> SolverRefusal | None:
        """The reason why this solver cannot take the problem, found before any long work; or None."""

    @abstractmethod
    def path(self, problem: Problem, lams: Sequence[float]) -> Iterator[Answer]:
        """An answer for each lam in turn, each warm-started from the one before. The problem has no scales."""

    def isotropic(self, problem: Problem) -> Solver:
        """These settings for `problem.isotropic`, which is what a solver is given of a problem with scales.

        The same, but where they have points or neurons of their own, such as a start.
        """
        return self

    def resumed(self, solution: Solution, seconds: float) -> Solver | None:
        """A solver that goes on from a solution and what its certificate found beyond it, for so many seconds.

        None where there is none.
        """
        return None
