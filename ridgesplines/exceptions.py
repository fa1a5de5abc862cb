"""The exceptions and warnings of this library."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

#: Where the code of this library lies.
HERE = str(Path(__file__).parent)


class ProblemError(ValueError):
    """An argument that does not describe a problem of this library.

    The message names the argument, what was expected, what came, and the remedy.

    Parameters
    ----------
    argument : name of the argument.
    expected : what it should have been.
    got : what it was.
    remedy : what to do about it.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> try:
    ...     rs.Problem([0.0, 1.0], [1.0, 2.0], lam=-1.0)
    ... except rs.ProblemError as error:
    ...     print(error.argument)
    lam
    """

    def __init__(self, argument: str, expected: str, got: str, remedy: str) -> None:
        self.argument = argument
        self.expected = expected
        self.got = got
        self.remedy = remedy
        super().__init__(argument, expected, got, remedy)

    def __str__(self) -> str:
        return f"{self.argument}: expected {self.expected}; got {self.got}. {self.remedy}"


class SolverRefusal(RuntimeError):
    """A solver cannot take a problem, and says so before any long work.

    Parameters
    ----------
    solver : name of the solver that refuses.
    expected : what it can take.
    got : what it was given.
    remedy : what to do instead, usually the solver that can.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> try:
    ...     rs.solve(rs.Problem([[0.0, 1.0], [1.0, 0.0]], [1.0, 2.0], lam=1.0), rs.Univariate())
    ... except rs.SolverRefusal as refusal:
    ...     print(refusal.solver, "-", refusal.remedy)
    Univariate - Use solver=rs.Grid(), which takes it.
    """

    def __init__(self, solver: str, expected: str, got: str, remedy: str) -> None:
        self.solver = solver
        self.expected = expected
        self.got = got
        self.remedy = remedy
        super().__init__(solver, expected, got, remedy)

    def __str__(self) -> str:
        return f"{self.solver} refuses: expected {self.expected}; got {self.got}. {self.remedy}"


class ConvergenceWarning(UserWarning):
    """A solver stopped before it reached the accuracy that was asked for.

    The solution is returned all the same: the best found, with its gap, and a status that says so.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).standard_normal((50, 2))
    >>> with warnings.catch_warnings(record=True, category=rs.ConvergenceWarning) as caught:
    ...     warnings.simplefilter("always")
    ...     solution = rs.solve(rs.Problem(X, np.abs(X[:, 0]), lam=0.1), rs.ColumnGeneration(max_time=1e-9))
    >>> len(caught), solution.status
    (1, 'not converged')
    """


class ContradictionWarning(UserWarning):
    """A certificate contradicts itself: a fault of this library, never of the data.

    Nothing is proven of the solution that comes with it, whose status is ``"not converged"`` and whose gap is infinite;
    its network and its objective are right all the same. Where warnings are errors, as in this library's own tests, it
    is one.

    Examples
    --------
    >>> import warnings, ridgesplines as rs
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", rs.ContradictionWarning)  # in scripts that nobody watches
    ...     solution = rs.solve(rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], lam=0.1))
    >>> solution.contradiction is None
    True
    """


class RangeWarning(UserWarning):
    """The best lam is the first or the last that was tried, so that a better one may lie beyond.

    The fit is returned all the same. The message says why the range was not extended, and what to do. There is none
    where the fit at lambda_max is the affine function that every larger lam gives, nor where the last lams have nearly
    the same score.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(0.0, 1.0, 50)
    >>> with warnings.catch_warnings(record=True, category=rs.RangeWarning) as caught:
    ...     warnings.simplefilter("always")
    ...     model = rs.LinearSplineRegressorCV(lams=[0.2, 0.1]).fit(x, np.sin(20.0 * x))
    >>> len(caught), model.lam_
    (1, 0.1)
    """


def warn(message: str, category: type[Warning]) -> None:
    """Issue a warning that points at the user's line: the nearest that is neither ours nor scikit-learn's."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename, frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_ours(file: str, module: str) -> bool:
    """Whether code belongs to this library, or to those that call it for the user."""
    return file.startswith(HERE) or module.partition(".")[0] in ("sklearn", "joblib", "contextlib")
