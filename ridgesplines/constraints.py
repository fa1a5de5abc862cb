r"""Shape constraints: what a function must do everywhere, not only at the data.

For d = 1 each constraint states itself in one normal form, a :class:`Shape`: bounds of the slope, the directions in
which the function may bend, and points through which it passes. Everything downstream knows the normal form only.

Whether *some* function satisfies a shape is decided here, exactly and without a solver: replacing a function by its
linear interpolant at the given points averages its slopes, so it keeps every bound and every sign of curvature. The
interpolant of the points therefore satisfies the shape if any function does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.dates import Dates, read
from ridgesplines.exceptions import ProblemError
from ridgesplines.interactions import column
from ridgesplines.validation import Array, real_array, real_number


class Constraint(ABC):
    """A condition on the function everywhere. A new one for d = 1 is one frozen dataclass with this one property."""

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """The constraint in normal form."""


@dataclass(frozen=True)
class Shape(Constraint):
    r"""The normal form: all constraints of a problem together.

    .. math:: \ell \le f' \le h, \qquad D^2 f \ge 0 \text{ and/or } \le 0, \qquad f(p_i) = v_i

    Attributes
    ----------
    slope_low, slope_high : the bounds of the slope, in units of y per unit of x; infinite where there is none.
    bends_up, bends_down : whether the slope may rise, whether it may fall. Neither leaves the affine functions.
    points, values : p, increasing, and v.
    """

    slope_low: float = -np.inf
    slope_high: float = np.inf
    bends_up: bool = True
    bends_down: bool = True
    points: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    @property
    def shape(self) -> Shape:
        return self

    @property
    def free(self) -> bool:
        """Whether nothing is constrained."""
        return self == Shape()

    def __and__(self, other: Shape) -> Shape:
        points, values = _joined((*self.points, *other.points), (*self.values, *other.values))
        return Shape(
            max(self.slope_low, other.slope_low),
            min(self.slope_high, other.slope_high),
            self.bends_up and other.bends_up,
            self.bends_down and other.bends_down,
            points,
            values,
        )

    def scaled(self, centre: float, radius: float, slope: float, offset: float, size: float) -> Shape:
        r"""The shape of :math:`\tilde f` where :math:`f(x) = s \tilde f((x - m)/r) + c x + c_0`.

        The affine part that leaves f moves the bounds of its slope: nonnegative may become "at least -3".
        """
        p, v = np.array(self.points), np.array(self.values)
        return Shape(
            (self.slope_low - slope) * radius / size,
            (self.slope_high - slope) * radius / size,
            self.bends_up,
            self.bends_down,
            tuple(((p - centre) / radius).tolist()),
            tuple(((v - (slope * p + offset)) / size).tolist()),
        )


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
        self.__dict__.update(zip(("at", "values"), _joined(p.tolist(), v.tolist()), strict=True), dates=given or dates)

    @property
    def shape(self) -> Shape:
        return Shape(points=self.at, values=self.values)

    def __repr__(self) -> str:
        at = self.at if self.dates is None else tuple(self.dates.written(self.at)[1])
        return f"FixedValues(at={at}, values={self.values})"


@dataclass(frozen=True, init=False, repr=False)
class MonotoneFeatures(Constraint):
    r"""Monotone in some of the features, everywhere on :math:`R^d`, whatever the others are.

    .. math:: s_j \Big(c_j + \sum_{k \in S_j} v_k w_{kj}\, \rho'(w_{kj} t - b_k)\Big)
              \;\ge\; \sum_{k \notin S_j} \max(0, -s_j v_k w_{kj}) \quad \text{for all } t \in R

    for each feature j with a sign :math:`s_j`, where :math:`f(x) = \sum_k v_k\, \rho(w_k^T x - b_k) + c^T x + c_0` and
    :math:`S_j` are the neurons of feature j alone.

    Parameters
    ----------
    signs : for some features, by column number or by name, +1 where f may not fall as the feature rises, or -1 where it
        may not rise.

    Raises
    ------
    ProblemError
        Where no feature is named, or a sign is neither +1 nor -1.

    Notes
    -----
    Sufficient on all of :math:`R^d`; necessary too where neurons have one feature, ``interactions=1``. Neurons of a
    pair count as if all were at their worst at one place: with pairs the optimum is that over all f that satisfy the
    formula, not over all monotone f. It is convex, so that the optimum has a certificate as without it, and an exact
    one: groups of at most two features, one output, every loss but Interpolation.

    In one dimension it is Monotone().

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).uniform(-1.0, 1.0, (40, 3))
    >>> rising = rs.MonotoneFeatures({0: +1, 2: -1})
    >>> problem = rs.Problem(X, X[:, 0] ** 2 - X[:, 2], 0.1, constraints=[rising], interactions=1)
    >>> solution = rs.solve(problem)
    >>> path = np.linspace(-9.0, 9.0, 101)[:, None] * [1.0, 0.0, 0.0]
    >>> bool((np.diff(solution.predict(path)) >= -1e-12).all()), solution.certificate.scope
    (True, 'exact')
    """

    signs: tuple[tuple[int | str, int], ...]

    def __init__(self, signs: Any) -> None:
        remedy = 'Pass MonotoneFeatures({"age": +1, 3: -1}), say.'
        expected = "a mapping of features to +1 or -1"
        pairs = signs.items() if isinstance(signs, Mapping) else signs
        if isinstance(pairs, str) or not isinstance(pairs, Iterable):
            raise ProblemError("signs", expected, repr(signs), remedy)
        pairs = list(pairs)
        if not all(isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2 for pair in pairs):
            raise ProblemError("signs", expected, repr(signs), remedy)
        if not pairs:
            raise ProblemError("signs", "at least one feature", "none", remedy)
        for feature, sign in pairs:
            if isinstance(sign, (bool, np.bool_)) or not isinstance(sign, (int, float, np.number)) or abs(sign) != 1:
                raise ProblemError("signs", "+1 or -1 for each feature", f"{sign!r} for {feature!r}", remedy)
        plain = [(int(j) if isinstance(j, np.integer) else j, int(sign)) for j, sign in pairs]
        object.__setattr__(self, "signs", tuple(plain))

    @property
    def shape(self) -> Shape:
        """Free: it says nothing of d = 1, where Problem takes Monotone() instead."""
        return Shape()

    def numbered(self, d: int, names: Sequence[str] | None = None) -> MonotoneFeatures:
        """The same by column numbers; an error where there is no such column, or where one has two signs."""
        remedy = 'Pass MonotoneFeatures({"age": +1, 3: -1}), say.'
        signs: dict[int, int] = {}
        for given, sign in self.signs:
            j = column(given, d, names, "constraints", remedy)
            if signs.setdefault(j, sign) != sign:
                raise ProblemError("constraints", "one sign for each feature", f"+1 and -1 for {given!r}", "Keep one.")
        return MonotoneFeatures(sorted(signs.items()))

    def __repr__(self) -> str:
        return f"MonotoneFeatures({dict(self.signs)!r})"


def _joined(points: Iterable[float], values: Iterable[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Points in order, each once; an error where one has two values."""
    through: dict[float, float] = {}
    for p, v in zip(points, values, strict=True):
        if through.setdefault(p, v) != v:
            raise ProblemError(
                "constraints",
                "one fixed value at each point",
                f"the values {through[p]:g} and {v:g} at {p:g}",
                "No function takes two values at one point: keep one of them.",
            )
    order = sorted(through)
    return tuple(order), tuple(through[p] for p in order)


def combined(constraints: Iterable[Constraint]) -> Shape:
    """All constraints in one normal form."""
    shape = Shape()
    for constraint in constraints:
        shape = shape & constraint.shape
    return shape


def require_some_function(shape: Shape, x: Array, y: Array) -> None:
    """Raise a ProblemError where no function has this shape and passes through the points (x, y) as well.

    Rounding of points and values is allowed for; x may be empty.
    """
    p, v = np.append(x, shape.points), np.append(y, shape.values)
    order = np.argsort(p, kind="stable")
    p, v = p[order], v[order]
    step, rise = np.diff(p), np.diff(v)
    noise = 4.0 * np.finfo(float).eps * (np.abs(v[1:]) + np.abs(v[:-1]))
    _no_contradiction(p, v, step, np.abs(rise) > noise)
    apart = step > 0.0
    left, right = np.flatnonzero(apart), np.flatnonzero(apart) + 1
    slope, doubt = rise[apart] / step[apart], noise[apart] / step[apart]
    doubt += 4.0 * np.finfo(float).eps * (np.abs(p[left]) + np.abs(p[right])) / step[apart] * np.abs(slope)
    steep = (slope > shape.slope_high + doubt) | (slope < shape.slope_low - doubt)
    if steep.any():
        k = int(np.argmax(steep))
        _unsatisfiable(
            f"slopes between {shape.slope_low:g} and {shape.slope_high:g}, and the points "
            f"({p[left[k]]:g}, {v[left[k]]:g}) and ({p[right[k]]:g}, {v[right[k]]:g}), which need {slope[k]:.6g}"
        )
    bend, doubt = np.diff(slope), doubt[1:] + doubt[:-1]
    wrong = ((bend > doubt) & (not shape.bends_up)) | ((bend < -doubt) & (not shape.bends_down))
    if wrong.any():
        k = int(np.argmax(wrong))
        kind = {(True, False): "convex", (False, True): "concave"}.get((shape.bends_up, shape.bends_down), "affine")
        three = ", ".join(f"({p[i]:g}, {v[i]:g})" for i in (left[k], right[k], right[k + 1]))
        _unsatisfiable(f"a function that is {kind} and passes through {three}, where it must bend the other way")


def _no_contradiction(p: Array, v: Array, step: Array, differs: Array) -> None:
    twice = (step == 0.0) & differs
    if twice.any():
        k = int(np.argmax(twice))
        _unsatisfiable(f"the values {v[k]:g} and {v[k + 1]:g} at one point, {p[k]:g}")


def _unsatisfiable(got: str) -> None:
    raise ProblemError(
        "constraints",
        "constraints that some function satisfies together",
        got,
        "No function satisfies them all: loosen or drop one; with Interpolation the data are constraints too, "
        "so there a loss such as Squared may help.",
    )


def checked(constraints: Any) -> tuple[Constraint, ...]:
    """A tuple of constraints, or a ProblemError that shows how to write them."""
    remedy = "Pass constraints=[rs.Monotone(), rs.Convex()], say, or [rs.MonotoneFeatures({0: +1})] for many features."
    if constraints is None:
        return ()
    if isinstance(constraints, (Constraint, str)) or not isinstance(constraints, Iterable):
        raise ProblemError("constraints", "a list of constraints", repr(constraints), remedy)
    given = tuple(constraints)
    for constraint in given:
        if not isinstance(constraint, Constraint):
            got = f"the class {constraint.__name__} itself" if isinstance(constraint, type) else repr(constraint)
            raise ProblemError("constraints", "instances such as Monotone()", got, remedy)
    return given


#: All of them, by which a file can name one.
CONSTRAINTS: tuple[type[Constraint], ...] = (Monotone, Convex, Concave, Lipschitz, FixedValues, MonotoneFeatures)
