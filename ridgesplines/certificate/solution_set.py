r"""All minimisers at once, in one dimension: between which two curves they lie, and where their knots are free.

With an optimal dual vector u, a function f is a minimiser if and only if it bends only where
:math:`|\eta(t)| = \lambda`, in the sense that the sign of :math:`\eta` says, and
:math:`-u_n / s_n \in \partial L(y_n, f(x_n))` for all data: the conditions of the problem (17). Between neighbouring
data :math:`\eta` is affine. So f is a line there, or, where :math:`\eta = \pm\lambda` at both ends and hence between
them, any convex (concave) function; and with the chords of f between the data in its place nothing changes. At a given
x the least and the largest value are therefore those of two linear programs in the values at the data and at x.

Where the loss fixes the values at all data no program is needed: the chord is the largest of the convex functions, and
the larger of the two lines that go on from either side the least.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import vstack

from ridgesplines.amplitudes.design import hat_values, slope_changes
from ridgesplines.certificate.certificate import DualCertificate
from ridgesplines.certificate.uniqueness import Contacts, contacts
from ridgesplines.exceptions import ProblemError, SolverRefusal
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.validation import Array, ReadOnly, frozen

#: Values that the loss fixes are met within this, relatively to the range of the fit: what a linear program can do.
SETTLED_RTOL = 1e-9
UNBOUNDED = 3  # a status of linprog


@dataclass(frozen=True, eq=False)
class Envelope(ReadOnly):
    """The least and the largest value of all minimisers at each of some points.

    Attributes
    ----------
    x : the points, shape (m,); of a fit on dates, dates.
    lower, upper : at each point, in units of the fit, shape (m,); infinite where minimisers are unbounded.
    free_gaps : the two ends of each interval between data in which minimisers may bend anywhere, shape (g, 2); at other
        places between data no minimiser has a knot.
    """

    x: Array
    lower: Array
    upper: Array
    free_gaps: Array

    @property
    def width(self) -> Array:
        """upper - lower, shape (m,); zero where all minimisers have one value."""
        return np.where(self.lower == self.upper, 0.0, self.upper - self.lower)


def envelope(problem: Problem, network: RidgeSpline, certificate: DualCertificate, gap: float, x: Any) -> Envelope:
    r"""Between which curves all minimisers lie; d = 1, ReLU, one output, no constraints.

    .. math:: \Big[\min_{f \in S} f(x),\ \max_{f \in S} f(x)\Big], \qquad
        S = \arg\min_f \sum_n s_n L(y_n, f(x_n)) + \lambda \|f\|

    Parameters
    ----------
    problem, network, certificate, gap : of a solution, the gap not relative.
    x : a number or shape (m,), in units of X; dates, for a fit on dates.

    Returns
    -------
    Envelope
        `lower` and `upper`, (m,), in units of the fit; equal where every minimiser has the same value. `free_gaps`
        are the intervals between data in which knots may move.

    Raises
    ------
    ProblemError
        Where the certificate does not characterise the minimisers: its scope or its gap, or another problem.

    Notes
    -----
    Contact counts as for `is_unique`: where the gap leaves it open the envelope is the wider one. O((N + m) log N)
    where the loss fixes the values at the data (Squared, Logistic, Poisson, Interpolation), two sparse linear
    programs a point otherwise. From the conditions of the problem (17) [1]_.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import ridgesplines as rs
    >>> s = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], 1.0, rs.Interpolation()))
    >>> e = s.envelope([1.0, 1.5, 4.0])
    >>> e.free_gaps, e.lower.round(9).tolist(), e.upper.round(9).tolist()
    (array([[1., 2.]]), [0.0, 0.0, 5.0], [0.0, 0.5, 5.0])
    """
    found = contacts(problem, certificate, gap)
    if found is None:
        expected = (
            "a fit of one feature and one output by a ReLU network, no constraints or penalties else, a small exact gap"
        )
        got = f"{problem!r}, gap {gap:.2g} ({certificate.scope})"
        raise ProblemError("envelope", expected, got, "Solve such a problem with Univariate.")
    points = np.atleast_1d(network.numbers("x", x))
    if points.ndim != 1:
        raise ProblemError("x", "a number or shape (m,)", f"shape {points.shape}", "Pass points of the one feature.")
    start, own = problem.reduced.X[0, 0], network.at(points)  # f is a minimiser like the others
    places, z = points - start, network.at(problem.reduced.X[found.rows])
    left = np.flatnonzero(found.sign[1:] * found.sign[:-1] > 0.0)
    if found.leave_one:
        lower = upper = own
    elif found.settled_sites.all() and len(z) > 1:
        lower, upper = _between_lines(found, z, places)
        low, high = _between_lines(found, z, 0.5 * (found.sites[left] + found.sites[left + 1]))
        left = left[high - low > SETTLED_RTOL * np.ptp(z)]  # no room where all data on one side lie on a line
    elif found.settled_sites.all():  # one place, through whose value all lines go
        lower, upper = np.where(places == found.sites, z, -np.inf), np.where(places == found.sites, z, np.inf)
    else:
        rows, limits = problem.reduced.X[:, 0] - start, _limits(problem, found, network)
        lower, upper = np.array([_extremes(found, rows, *limits, t) for t in places]).reshape(-1, 2).T
    gaps = start + np.column_stack([found.sites[left], found.sites[left + 1]])
    dates = network.dates
    return Envelope(
        frozen(points if dates is None else dates.restored(points)),
        frozen(np.minimum(lower, own)),
        frozen(np.maximum(upper, own)),
        frozen(gaps if dates is None else dates.restored(gaps.ravel()).reshape(-1, 2)),
    )


def _between_lines(found: Contacts, z: Array, t: Array) -> tuple[Array, Array]:
    """Where the values z at the sites are those of all minimisers; O((M + m) log M)."""
    x, sign = found.sites, found.sign
    slopes = np.diff(z) / np.diff(x)
    m = np.clip(np.searchsorted(x, t, side="right") - 1, 0, len(x) - 2)
    chord = z[m] + slopes[m] * (t - x[m])
    free = (sign[m] * sign[m + 1] > 0.0) & (t > x[m]) & (t < x[m + 1])  # never the first or the last interval
    i, convex = m[free], sign[m[free]] > 0.0
    left = z[i] + slopes[i - 1] * (t[free] - x[i])
    right = z[i + 1] + slopes[i + 1] * (t[free] - x[i + 1])
    lines = np.where(convex, np.maximum(left, right), np.minimum(left, right))
    lower, upper = chord.copy(), chord.copy()
    lower[free] = np.where(convex, lines, chord[free])
    upper[free] = np.where(convex, chord[free], lines)
    return lower, upper


def _extremes(found: Contacts, rows: Array, low: Array, high: Array, t: float) -> tuple[float, float]:
    """The least and the largest value at t, by linear programs in the values at places where f may bend."""
    x, sign = found.sites, found.sign
    m = int(np.searchsorted(x, t, side="right")) - 1
    inner = np.flatnonzero(sign)
    nodes, bends = np.unique(np.r_[x[0], x[inner], x[-1]]), np.r_[0.0, sign[inner], 0.0]
    if 0 <= m < len(x) - 1 and x[m] < t and sign[m] * sign[m + 1] > 0.0:  # a free gap: a place of its own
        at = int(np.searchsorted(nodes, t))
        nodes, bends = np.insert(nodes, at, t), np.insert(bends, at, sign[m])
    if len(nodes) == 1:  # all data at one place: any slope will do
        nodes = np.array([nodes[0], nodes[0] + 1.0])
    bounded = np.concatenate([high[np.isfinite(high)], low[np.isfinite(low)]])
    base = float(bounded.mean()) if len(bounded) else 0.0
    low, high = low - base, high - base
    size = float(np.abs(bounded - base).max(initial=0.0)) or 1.0
    h = np.diff(nodes)
    convex = slope_changes(nodes) * (bends[1:-1] * np.minimum(h[1:], h[:-1]))[:, None]
    hats = hat_values(nodes, rows)
    program = {
        "A_ub": vstack([-convex, hats[np.isfinite(high)], -hats[np.isfinite(low)]]).tocsr(),
        "b_ub": np.r_[np.zeros(len(nodes) - 2), high[np.isfinite(high)] / size, -low[np.isfinite(low)] / size],
        "bounds": (None, None),
    }
    cost = hat_values(nodes, np.array([t])).toarray()[0]
    least, most = (_optimum(side * cost, program) for side in (1.0, -1.0))
    return base + size * least, base - size * most


def _optimum(cost: Array, program: dict[str, Any]) -> float:
    out = linprog(cost, **program)
    if out.status not in (0, UNBOUNDED):
        raise SolverRefusal(
            "envelope", "a linear program that HiGHS solves", out.message, "Scale x and y to about one."
        )
    return -np.inf if out.status == UNBOUNDED else float(out.fun)


def _limits(problem: Problem, found: Contacts, network: RidgeSpline) -> tuple[Array, Array]:
    """Between which values every row's fit lies in all minimisers, from the dual vector; that of f among them."""
    p = problem.reduced
    z = network.at(p.X)
    slack = SETTLED_RTOL * (float(np.ptp(z)) or 1.0)
    low, high = z - slack, z + slack
    form = p.loss.box(p.y)
    if form is None:
        return low, high
    centre, bend, least, most = form
    above = 2.0 * found.slopes > least + most  # the end of the interval at which the dual vector is
    below, over = ~found.settled & ~above, ~found.settled & above
    low[below], high[below] = np.minimum(z, centre - bend * least)[below], np.inf
    low[over], high[over] = -np.inf, np.maximum(z, centre - bend * most)[over]
    return low, high
