r"""What users know of the places of the knots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.constraints.shape import Constraint, Shape
from ridgesplines.dates import Dates, read
from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import real_array


@dataclass(frozen=True, init=False, repr=False)
class Places(Constraint):
    """A constraint that names places: `at` as sorted numbers, each once, and what they count days of."""

    at: tuple[float, ...]
    dates: Dates | None = None

    def __init__(self, at: Any, dates: Dates | None = None) -> None:
        at, given = read("at", at)
        places = np.atleast_1d(real_array("at", at))
        if places.ndim != 1 or not len(places):
            remedy = f"Pass {type(self).__name__}([2.0, 5.0]), say."
            raise ProblemError("at", "a place, or a vector of places", f"shape {places.shape}", remedy)
        self.__dict__.update(at=tuple(np.unique(places).tolist()), dates=given or dates)

    def __repr__(self) -> str:
        at = list(self.at) if self.dates is None else self.dates.written(self.at)[1]
        return f"{type(self).__name__}({at})"


class FreeKnots(Places):
    r"""Change points that are known: a bend there costs nothing.

    .. math:: \min_f \; \sum_n s_n L(y_n, f(x_n)) + \lambda \, \|D^2 f\|_{M(R \setminus T)}

    for the set T of these places. Where a law, a price or an instrument changed on a known day, f may change its slope
    on that day as much as the data say, without being shrunk, and elsewhere at a price.

    Parameters
    ----------
    at : T, a number or a date, or several of them; those beyond the data change nothing at the data.
    dates : what `at` counts days of; read from it by default.

    Raises
    ------
    ProblemError
        Where `at` is no vector of places.

    Notes
    -----
    It asks nothing of f, but is passed as the constraints are, and together with any of them. The functions
    :math:`\rho(x - t),\ t \in T,` join the null space: the dual vector is orthogonal to them too, which is
    :math:`\eta(t) = 0`. Under Convex() or Concave() bends there have their sign, and :math:`\eta(t) \le 0`, or
    :math:`\ge 0`, is asked for instead. ``solution.seminorm`` does not count these bends.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.arange(10.0)
    >>> problem = rs.Problem(x, np.maximum(x - 4.5, 0.0), lam=1.0, constraints=[rs.FreeKnots(4.5)])
    >>> solution = rs.solve(problem)
    >>> solution.network.knots.tolist(), round(solution.objective, 9) + 0.0
    ([4.5], 0.0)
    """

    @property
    def shape(self) -> Shape:
        return Shape(free_knots=self.at)


class KnotsAt(Places):
    r"""Knots at some of these places, and nowhere else but at FreeKnots.

    .. math:: \operatorname{supp} D^2 f \subset \{t_1, \dots, t_m\}

    Parameters
    ----------
    at : the places, a number or a date, or several of them.
    dates : what `at` counts days of; read from it by default.

    Raises
    ------
    ProblemError
        Where `at` is no vector of places.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.arange(10.0)
    >>> known = [rs.KnotsAt([2.5, 4.5, 6.5]), rs.Monotone()]
    >>> solution = rs.solve(rs.Problem(x, np.maximum(x - 4.0, 0.0), lam=0.1, constraints=known))
    >>> bool(np.isin(solution.network.knots, [2.5, 4.5, 6.5]).all()), solution.certificate.scope
    (True, 'exact')
    """

    @property
    def shape(self) -> Shape:
        return Shape(only_at=self.at)
