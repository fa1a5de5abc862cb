r"""What users say of a function of one variable; each is exact on the whole line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.constraints.shape import Constraint, Shape, joined
from ridgesplines.dates import Dates, read
from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import real_array, real_number


@dataclass(frozen=True)
class Monotone(Constraint):
    r"""Monotone on the whole line: :math:`f' \ge 0`, or :math:`f' \le 0`.

    Parameters
    ----------
    increasing : True for a function that nowhere falls, False for one that nowhere rises.

    Raises
    ------
    ProblemError
        Where `increasing` is neither True nor False.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.5], lam=0.01, constraints=[rs.Monotone()])
    >>> rs.solve(problem).predict([0.0, 1.0, 2.0, 9.0]).round(2) + 0.0
    array([0.01, 0.75, 0.75, 0.75])
    """

    increasing: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.increasing, (bool, np.bool_)):
            raise ProblemError("increasing", "True or False", repr(self.increasing), "Pass Monotone(increasing=False).")

    @property
    def shape(self) -> Shape:
        return Shape(slope_low=0.0) if self.increasing else Shape(slope_high=0.0)


@dataclass(frozen=True)
class Convex(Constraint):
    r"""Convex on the whole line: :math:`D^2 f \ge 0`, so that every amplitude is positive.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 0.2, 0.0], lam=0.01, constraints=[rs.Convex()])
    >>> bool((rs.solve(problem).network.amplitudes > 0.0).all())
    True
    """

    @property
    def shape(self) -> Shape:
        return Shape(bends_down=False)


@dataclass(frozen=True)
class Concave(Constraint):
    r"""Concave on the whole line: :math:`D^2 f \le 0`, so that every amplitude is negative.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.2, 1.9], lam=0.01, constraints=[rs.Concave()])
    >>> bool((rs.solve(problem).network.amplitudes < 0.0).all())
    True
    """

    @property
    def shape(self) -> Shape:
        return Shape(bends_up=False)


@dataclass(frozen=True)
class Lipschitz(Constraint):
    r"""Nowhere steeper than a bound: :math:`|f'| \le B`.

    Parameters
    ----------
    bound : B, in units of y per unit of x; zero or more. Zero leaves the constant functions.

    Raises
    ------
    ProblemError
        Where `bound` is not a finite number >= 0.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0], [0.0, 9.0, 9.0], lam=0.01, constraints=[rs.Lipschitz(2.0)])
    >>> bool(abs(rs.solve(problem).network.to_ppoly().derivative()([-5.0, 0.5, 7.0])).max() <= 2.0 + 1e-9)
    True
    """

    bound: float

    def __post_init__(self) -> None:
        real_number("bound", self.bound, "a finite number >= 0", 0.0)

    @property
    def shape(self) -> Shape:
        return Shape(slope_low=-float(self.bound), slope_high=float(self.bound))


@dataclass(frozen=True)
class Slope(Constraint):
    r"""A slope within bounds on the whole line: :math:`\ell \le f' \le h`.

    Parameters
    ----------
    low, high : the bounds, in units of y per unit of x; None for no bound. Equal ones leave one slope.

    Raises
    ------
    ProblemError
        Where a bound is not a finite number, both are None, or `low` lies above `high`.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0], [0.0, 9.0, 9.0], lam=0.01, constraints=[rs.Slope(low=1.0, high=3.0)])
    >>> bool(abs(rs.solve(problem).network.to_ppoly().derivative()([-5.0, 0.5, 7.0]) - 2.0).max() <= 1.0)
    True
    """

    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        _bounds("low, high", self.low, self.high, "Pass Slope(low=0.0), say.")

    @property
    def shape(self) -> Shape:
        return Shape(*_interval(self.low, self.high))


@dataclass(frozen=True)
class EndSlopes(Constraint):
    r"""Known slopes far out: :math:`f'(-\infty) = l` and :math:`f'(+\infty) = r`.

    Zero is a plateau; where a law of nature holds at one end, its slope. What lies before the first point, or behind
    the last one, has this slope, so that f may bend at these points too.

    Parameters
    ----------
    left, right : the slopes, in units of y per unit of x; None where it is not known.

    Raises
    ------
    ProblemError
        Where a slope is not a finite number, or both are None.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(-3.0, 3.0, 30)
    >>> problem = rs.Problem(x, np.tanh(x), lam=0.01, constraints=[rs.EndSlopes(left=0.0, right=0.0)])
    >>> rs.solve(problem).network.to_ppoly().derivative()([-9.0, 9.0]).round(9) + 0.0
    array([0., 0.])
    """

    left: float | None = None
    right: float | None = None

    def __post_init__(self) -> None:
        for name, slope in (("left", self.left), ("right", self.right)):
            if slope is not None:
                real_number(name, slope, "a finite number, or None", -np.inf)
        if self.left is None and self.right is None:
            raise ProblemError("left, right", "at least one slope", "None and None", "Pass EndSlopes(right=0.0), say.")

    @property
    def shape(self) -> Shape:
        return Shape(left=_interval(self.left, self.left), right=_interval(self.right, self.right))


@dataclass(frozen=True)
class Bounds(Constraint):
    r"""Values within bounds on the whole line: :math:`a \le f \le b`.

    For probabilities ``Bounds(0.0, 1.0)``. Beyond the data f must not leave the bounds either: with both of them it is
    constant far out, with one of them it does not run into it.

    Parameters
    ----------
    low, high : a and b, in units of y; None for no bound. Equal ones leave a constant.

    Raises
    ------
    ProblemError
        Where a bound is not a finite number, both are None, or `low` lies above `high`.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x, y = np.arange(6.0), np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    >>> solution = rs.solve(rs.Problem(x, y, lam=0.01, constraints=[rs.Bounds(0.0, 1.0)]))
    >>> f = solution.predict(np.linspace(-50.0, 50.0, 101))
    >>> bool(f.min() >= -1e-12 and f.max() <= 1.0 + 1e-12)
    True
    """

    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        _bounds("low, high", self.low, self.high, "Pass Bounds(0.0, 1.0), say.")

    @property
    def shape(self) -> Shape:
        low, high = _interval(self.low, self.high)
        return Shape(low=low, high=high)


@dataclass(frozen=True, init=False, repr=False)
class FixedValues(Constraint):
    r"""Passes through given points, on the data or off them: :math:`f(p_i) = v_i`.

    Parameters
    ----------
    at : p, a number or a date, or shape (F,).
    values : v, a number or shape (F,).
    dates : what `at` counts days of; read from it by default.

    Raises
    ------
    ProblemError
        Where the shapes do not fit together, or one point is given two values.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([1.0, 2.0, 3.0], [1.1, 1.9, 3.0], lam=0.1, constraints=[rs.FixedValues(0.0, 0.0)])
    >>> bool(abs(rs.solve(problem).predict([0.0])[0]) < 1e-9)
    True
    """

    at: tuple[float, ...]
    values: tuple[float, ...]
    dates: Dates | None = None

    def __init__(self, at: Any, values: Any, dates: Dates | None = None) -> None:
        at, given = read("at", at)
        p, v = np.atleast_1d(real_array("at", at)), np.atleast_1d(real_array("values", values))
        if p.ndim != 1 or v.ndim != 1 or not len(p):
            got, remedy = f"shapes {p.shape} and {v.shape}", "Pass FixedValues(at=[0.0, 1.0], values=[0.0, 2.0]), say."
            raise ProblemError("at, values", "a number each, or shape (F,) each with F >= 1", got, remedy)
        if len(v) != len(p):
            raise ProblemError("values", f"one value for each of the {len(p)} points", f"{len(v)}", "Pair them up.")
        self.__dict__.update(zip(("at", "values"), joined(p.tolist(), v.tolist()), strict=True), dates=given or dates)

    @property
    def shape(self) -> Shape:
        return Shape(points=self.at, values=self.values)

    def __repr__(self) -> str:
        at = self.at if self.dates is None else tuple(self.dates.written(self.at)[1])
        return f"FixedValues(at={at}, values={self.values})"


def _bounds(name: str, low: float | None, high: float | None, remedy: str) -> None:
    """Raise a ProblemError where two bounds are none, or no numbers, or in the wrong order."""
    for each, bound in zip(name.split(", "), (low, high), strict=True):
        if bound is not None:
            real_number(each, bound, "a finite number, or None for no bound", -np.inf)
    if low is None and high is None:
        raise ProblemError(name, "at least one bound", "None and None", remedy)
    if low is not None and high is not None and low > high:
        raise ProblemError(name, "low <= high", f"low={low:g}, high={high:g}", remedy)


def _interval(low: float | None, high: float | None) -> tuple[float, float]:
    return -np.inf if low is None else float(low), np.inf if high is None else float(high)
