r"""The normal form of what must hold of a function of one variable everywhere, not only at the data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import Array

#: Knots nearer to a known place than this, relative to the size of x, are meant to be on it.
PLACE_RTOL = 1e-13
#: Lower and upper bound of something that is free.
FREE = (-np.inf, np.inf)


class Constraint(ABC):
    """A condition on the function everywhere. A new one for d = 1 is one frozen dataclass with this one property."""

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """The constraint in normal form."""


@dataclass(frozen=True)
class Shape(Constraint):
    r"""The normal form: all constraints of a problem together.

    .. math:: \ell \le f' \le h, \quad \ell_\pm \le f'(\pm\infty) \le h_\pm, \quad a \le f \le b, \quad
              D^2 f \ge 0 \text{ and/or } \le 0, \quad f(p_i) = v_i

    Attributes
    ----------
    slope_low, slope_high : the bounds of the slope, in units of y per unit of x; infinite where there is none.
    bends_up, bends_down : whether the slope may rise, whether it may fall. Neither leaves the affine functions.
    points, values : p, increasing, and v.
    left, right : the bounds of the slopes towards minus and plus infinity, besides those of all slopes.
    low, high : a and b, the bounds of the values.
    free_knots : increasing places at which a bend costs nothing: :math:`\|D^2 f\|_M` is taken without them.
    only_at : increasing places besides those at which alone f may bend; None for any.
    """

    slope_low: float = -np.inf
    slope_high: float = np.inf
    bends_up: bool = True
    bends_down: bool = True
    points: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    left: tuple[float, float] = FREE
    right: tuple[float, float] = FREE
    low: float = -np.inf
    high: float = np.inf
    free_knots: tuple[float, ...] = ()
    only_at: tuple[float, ...] | None = None

    @property
    def shape(self) -> Shape:
        return self

    @property
    def free(self) -> bool:
        """Whether nothing is constrained."""
        return self == Shape()

    @property
    def bounded(self) -> bool:
        """Whether the values are."""
        return bool(np.isfinite(self.low) or np.isfinite(self.high))

    @property
    def outer(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """All that bounds the slopes towards minus and plus infinity: a function with a bound may not run into it."""
        inner = (self.slope_low, self.slope_high)
        away = (-np.inf if self.low == -np.inf else 0.0, np.inf if self.high == np.inf else 0.0)
        return _both(inner, self.left, (-away[1], -away[0])), _both(inner, self.right, away)

    @property
    def ends(self) -> tuple[bool, bool]:
        """Whether the outermost slopes have bounds of their own, so that f may bend at the first or the last site."""
        left, right = self.outer
        inner = (self.slope_low, self.slope_high)
        return left != inner, right != inner

    @property
    def places(self) -> tuple[float, ...]:
        """All that are named: fixed points, free knots, and those at which alone f may bend."""
        return (*self.points, *self.free_knots, *(self.only_at or ()))

    @property
    def of_knots_alone(self) -> bool:
        """Whether nothing is asked of f but where its knots are."""
        return replace(self, free_knots=(), only_at=None).free

    def costs(self, t: Array, size: float) -> Array:
        """Where bends at places t are penalised: not at free knots, to rounding of x of this size."""
        return ~near(t, self.free_knots, size)

    def allows(self, t: Array, size: float) -> Array:
        """Where f may bend at all."""
        everywhere = self.only_at is None
        return everywhere | near(t, (*self.free_knots, *(self.only_at or ())), size)

    def __and__(self, other: Shape) -> Shape:
        points, values = joined((*self.points, *other.points), (*self.values, *other.values))
        return Shape(
            max(self.slope_low, other.slope_low),
            min(self.slope_high, other.slope_high),
            self.bends_up and other.bends_up,
            self.bends_down and other.bends_down,
            points,
            values,
            _both(self.left, other.left),
            _both(self.right, other.right),
            *_both((self.low, self.high), (other.low, other.high)),
            tuple(sorted({*self.free_knots, *other.free_knots})),
            _common(self.only_at, other.only_at),
        )

    def scaled(self, centre: float, radius: float, slope: float, offset: float, size: float) -> Shape:
        r"""The shape of :math:`\tilde f` where :math:`f(x) = s \tilde f((x - m)/r) + c x + c_0`.

        The affine part that leaves f moves the bounds of its slope: nonnegative may become "at least -3". With bounds
        of the values it must be a constant.
        """
        assert slope == 0.0 or not self.bounded

        def steep(bound: float) -> float:
            return (bound - slope) * radius / size

        def place(p: float) -> float:
            return (p - centre) / radius

        return Shape(
            steep(self.slope_low),
            steep(self.slope_high),
            self.bends_up,
            self.bends_down,
            tuple(map(place, self.points)),
            tuple((v - (slope * p + offset)) / size for p, v in zip(self.points, self.values, strict=True)),
            (steep(self.left[0]), steep(self.left[1])),
            (steep(self.right[0]), steep(self.right[1])),
            (self.low - offset) / size,
            (self.high - offset) / size,
            tuple(map(place, self.free_knots)),
            None if self.only_at is None else tuple(map(place, self.only_at)),
        )


def _both(*bounds: tuple[float, float]) -> tuple[float, float]:
    """The bounds that hold where all of these do."""
    return max(low for low, _ in bounds), min(high for _, high in bounds)


def _common(one: tuple[float, ...] | None, other: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """The places that both leave."""
    if one is None or other is None:
        return other if one is None else one
    return tuple(sorted({*one} & {*other}))


def near(t: Array, places: Iterable[float], size: float) -> Array:
    """Which of t are at one of some places, but for the rounding of numbers of this size; booleans."""
    at = np.append(np.sort(np.array(tuple(places), dtype=float)), np.inf)
    after = np.searchsorted(at, t)
    beside = np.minimum(np.abs(at[after] - t), np.abs(t - np.append(-np.inf, at)[after]))
    return np.asarray(beside <= PLACE_RTOL * size)


def joined(points: Iterable[float], values: Iterable[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
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
