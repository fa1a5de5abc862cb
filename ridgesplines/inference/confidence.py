"""How sure a fit of a given number of knots is: of its knots, its slopes and its curve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ridgesplines.dates import Dates
from ridgesplines.exceptions import ProblemError
from ridgesplines.inference.bootstrap import Draw, resampled
from ridgesplines.inference.covariance import ROBUST, Linearised
from ridgesplines.inference.parameters import Parameters
from ridgesplines.inference.refit import refitted, require_free_knots
from ridgesplines.inference.spread import Delta, Percentiles
from ridgesplines.network.segments import aligned, figures, places
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solution import Solution
from ridgesplines.validation import Array, ReadOnly, real_number, whole_number
from ridgesplines.verdict import Status

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


class Band(NamedTuple):
    """The curve at x, and the ends of its interval at each point, all of shape (m,).

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> problem = rs.Problem(np.arange(6.0), [0.1, 0.9, 2.0, 3.1, 3.9, 5.0], lam=100.0)
    >>> x, value, low, high = rs.solve(problem).confidence().band([2.5])
    >>> low < value, value < high
    (array([ True]), array([ True]))
    """

    x: Array
    value: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class Estimates(ReadOnly):
    """Numbers with their standard errors and intervals; prints as a table.

    Attributes
    ----------
    name : what they are, ``"knot"`` or ``"slope"``.
    value, se, low, high : shape (K,) for knots, (K + 1,) for slopes.
    start, end : for slopes the segments; None for knots.
    dates : what x stands for, where it stands for dates: knots, starts and ends are days, and are written as dates.
    span : both ends of the data, which say how precisely places are written.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> problem = rs.Problem(np.arange(6.0), [0.1, 0.9, 2.0, 3.1, 3.9, 5.0], lam=100.0)
    >>> rs.solve(problem).confidence().segments
    start  end     slope         se       low     high
     -inf  inf  0.988571  0.0232115  0.924126  1.05302
    """

    name: str
    value: Array
    se: Array
    low: Array
    high: Array
    start: Array | None = None
    end: Array | None = None
    dates: Dates | None = None
    span: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.value)

    def columns(self) -> dict[str, Array]:
        """The columns of the table by name."""
        where = {} if self.start is None or self.end is None else {"start": self.start, "end": self.end}
        return where | {self.name: self.value, "se": self.se, "low": self.low, "high": self.high}

    def to_frame(self) -> pandas.DataFrame:
        """The table as a pandas DataFrame. Needs pandas."""
        try:
            import pandas as pd
        except ImportError:
            raise ImportError(
                "to_frame() returns a pandas DataFrame: install pandas, or read .value, .se, .low and .high."
            ) from None
        return pd.DataFrame(self.columns())

    def __str__(self) -> str:
        columns = self.columns()
        on_x = ("knot", "start", "end") if self.end is not None else ("knot", "low", "high")
        written = [places(c, self.span, self.dates) if name in on_x else figures(c) for name, c in columns.items()]
        return aligned(dict(zip(columns, written, strict=True)))

    __repr__ = __str__


@dataclass(frozen=True, eq=False)
class Confidence(ReadOnly):
    """Standard errors and intervals of knots, slopes and the curve, given the number of knots; prints as two tables.

    Attributes
    ----------
    solution : the refit that they are of, its knots at a local minimum of the squares.
    level : of the intervals, each by itself.
    method : how they were found, in words.
    spread : where the intervals come from, in scaled units: a covariance, or splines of resampled data.
    scaling : the way back to the units of the data.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(0.0, 4.0, 81)
    >>> y = np.abs(x - 1.5) + 0.1 * np.random.default_rng(0).standard_normal(81)
    >>> sure = rs.solve_path(rs.Problem(x, y, lam=1.0)).with_neurons(1).confidence()
    >>> bool(sure.knots.low[0] < 1.5 < sure.knots.high[0])
    True
    >>> band = sure.band([0.0, 1.5])
    >>> bool((band.low < [1.5, 0.0]).all() and (band.high > [1.5, 0.0]).all())
    True
    """

    solution: Solution
    level: float
    method: str
    spread: Delta | Percentiles
    scaling: Scaling

    @cached_property
    def knots(self) -> Estimates:
        """The knots, increasing."""
        centre, radius = float(self.scaling.centre[0]), self.scaling.radius
        se, low, high = self.spread.knots(self.level)
        value = np.sort(self.solution.network.breakpoints)
        low, high = centre + radius * low, centre + radius * high
        return Estimates("knot", value, radius * se, low, high, None, None, *self._x)

    @cached_property
    def segments(self) -> Estimates:
        """The slopes of the segments."""
        steep, slope = self.scaling.size / self.scaling.radius, float(self.scaling.slope[0])
        se, low, high = self.spread.slopes(self.level)
        edges = np.concatenate([[-np.inf], self.knots.value, [np.inf]])
        value = self.solution.network.pieces().slopes
        low, high = steep * low + slope, steep * high + slope
        return Estimates("slope", value, steep * se, low, high, edges[:-1], edges[1:], *self._x)

    @property
    def _x(self) -> tuple[Dates | None, tuple[float, float]]:
        """What x stands for, and the ends of the data."""
        x = self.solution.problem.reduced.X
        return self.solution.network.dates, (float(x.min()), float(x.max()))

    @property
    def draws(self) -> Array | None:
        """The knots of the resamples, shape (n_resamples, K); None for the delta method."""
        if isinstance(self.spread, Delta):
            return None
        return float(self.scaling.centre[0]) + self.scaling.radius * self.spread.sets.knots

    def band(self, x: Any) -> Band:
        """The curve and its interval at each x, shape (m,); pointwise: not all points at once."""
        return self.at(self.solution.network.numbers("x", x).reshape(-1))

    def at(self, at: Array) -> Band:
        """The same at points that are numbers: days, for a fit on dates."""
        c = self.scaling
        line = float(c.slope[0]) * at + float(c.offset)
        low, high = self.spread.curve((at - float(c.centre[0])) / c.radius, self.level)
        return Band(at, self.solution.network.at(at), line + c.size * low, line + c.size * high)

    def plot(self, target: str | None = None, *, ax: Any = None, title: str | None = None) -> Figure:
        """Data, curve and intervals; see :func:`ridgesplines.plotting.plot_confidence`."""
        from ridgesplines.plotting.confidence import plot_confidence

        return plot_confidence(self, target, ax=ax, title=title)

    def to_frame(self) -> pandas.DataFrame:
        """Knots and slopes in one pandas DataFrame, a column ``quantity`` before them. Needs pandas."""
        both = [self.knots.to_frame(), self.segments.to_frame()]
        import pandas as pd

        tables = [
            table.rename(columns={name: "value"}).assign(quantity=name)[["quantity", "value", "se", "low", "high"]]
            for table, name in zip(both, ("knot", "slope"), strict=True)
        ]
        return pd.concat([table for table in tables if len(table)], ignore_index=True)

    def __str__(self) -> str:
        K = len(self.knots)
        head = f"{100.0 * self.level:g} % intervals, {self.method}, given that there are K = {K} knots"
        return "\n\n".join([head, *([str(self.knots)] if K else []), str(self.segments)])

    __repr__ = __str__


def confidence(
    solution: Solution,
    level: float = 0.95,
    method: str = "delta",
    robust: bool | str = False,
    block: int | None = None,
    n_resamples: int = 1000,
    random_state: Any = None,
) -> Confidence:
    r"""Standard errors and confidence intervals of knots, slopes and the curve, *given the number of knots*.

    .. math:: y_n = \sum_{k=1}^K v_k \rho(x_n - t_k) + c\,x_n + c_0 + \varepsilon_n

    They are those of ``solution.refitted(move_knots=True)``, the least-squares spline of K knots, not of the penalised
    fit, which is biased.

    **What is conditioned on.** That the truth is a linear spline of exactly K knots. That the same data chose K is not
    accounted for; nor that the descent of the knots may have missed the global minimum of the squares. Where K is too
    large some knots are of noise, and their intervals mean nothing.

    Parameters
    ----------
    solution : d = 1, one output, squared error, ReLU, without constraints.
    level : of each interval by itself, in (0, 1).
    method : ``"delta"``: the linearised least-squares spline, with quantiles of Student's t with N - 2 K - 2 degrees of
        freedom; symmetric. ``"bootstrap"``: percentiles over least-squares splines of resampled data, each from these
        knots down to a local minimum; standard errors are half the width of the middle 68.3 %.
    robust : whether the variance of the errors may differ from datum to datum. For ``"delta"`` one of ``"HC0"``,
        ``"HC1"``, ``"HC2"`` and ``"HC3"``, which True is; for ``"bootstrap"`` each datum keeps its residual, scaled in
        one of these ways, with a random sign; True is ``"HC2"`` there. False: weights are reciprocals of variances, up
        to a factor.
    block : for ``"bootstrap"``: how many neighbours in the order of x are drawn together, where their errors have
        something in common; None for independent errors. Some times the range of the dependence, far below N.
    n_resamples : for ``"bootstrap"``.
    random_state : for ``"bootstrap"``: a seed or a generator of NumPy; None for others each time.

    Returns
    -------
    Confidence

    Raises
    ------
    ProblemError
        For other problems, where a segment has too few data to determine its line, and for settings that do not go
        together.

    Notes
    -----
    Knots and slopes are asymptotically normal, at the rate of smooth parameters, as if it were known between which data
    the knots lie [1]_, [2]_, [3]_. That takes changes of slope that are large against their errors: where they are not,
    the distribution is skew or has several peaks, and both methods cover less than they say. At a knot f is no smooth
    function of the parameters, and there the band is not standard [3]_; that of the delta method jumps.

    O(N K^2) for ``"delta"``, O(N) a resample and O(K^3) a step of its knots for ``"bootstrap"``.

    References
    ----------
    .. [1] P. I. Feder, On asymptotic distribution theory in segmented regression problems -- identified case, Ann.
       Statist. 3 (1975), 49-83, doi:10.1214/aos/1176342999
    .. [2] V. M. R. Muggeo, Estimating regression models with unknown break-points, Statist. Med. 22 (2003), 3055-3071,
       doi:10.1002/sim.1545
    .. [3] B. E. Hansen, Regression kink with an unknown threshold, J. Bus. Econ. Statist. 35 (2017), 228-240,
       doi:10.1080/07350015.2015.1073595

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(0.0, 4.0, 81)
    >>> y = np.abs(x - 1.5) + 0.1 * np.random.default_rng(0).standard_normal(81)
    >>> solution = rs.solve_path(rs.Problem(x, y, lam=1.0)).with_neurons(1)
    >>> sure = solution.confidence(method="bootstrap", n_resamples=200, random_state=0)
    >>> sure.knots.se.round(3) < 0.03
    array([ True])
    """
    wanted = _checked(solution, level, method, robust, block, n_resamples)
    moved = solution.status is Status.KNOTS_MOVED
    refit = solution if moved else refitted(solution, move_knots=True)
    scaling = standardise(refit.problem.with_scales(None))
    p, net = scaling.problem, scaling.scaled_network(refit.network)
    x, knots = p.X[:, 0], np.sort(net.breakpoints)
    low, high = float(x.min()), float(x.max())
    at = Parameters(low, high, net(np.concatenate([[low], knots, [high]]))[None], knots[None])
    near = Linearised(at, x, p.y, p.sample_weight)
    if method == "delta":
        spread = Delta(at, near.covariance(wanted), near.freedom)
        how = "delta method" if wanted is None else f"delta method, {wanted}"
        return Confidence(refit, level, how, spread, scaling)
    rng, draw = np.random.default_rng(random_state), Draw(near, block, wanted)
    sets = resampled(at, x, p.y, p.sample_weight, int(n_resamples), draw, rng)
    kind = "signs of residuals" if wanted else "residuals" if block is None else f"blocks of {block} residuals"
    return Confidence(refit, level, f"bootstrap of {n_resamples} resamples, {kind}", Percentiles(sets), scaling)


def _checked(
    solution: Solution, level: float, method: str, robust: bool | str, block: int | None, n_resamples: int
) -> str | None:
    """The way in which residuals are scaled, None for errors of one variance; a ProblemError for what does not go."""
    require_free_knots(solution.problem)
    real_number("level", level, "a number between 0 and 1", 0.0, 1.0, open_=True)
    if method not in ("delta", "bootstrap"):
        raise ProblemError("method", "'delta' or 'bootstrap'", repr(method), "Pass method='delta'.")
    whole_number("n_resamples", n_resamples, 2)
    if not (isinstance(robust, bool) or robust in ROBUST):
        raise ProblemError("robust", "True, False or one of 'HC0' to 'HC3'", repr(robust), "Pass robust=True.")
    wanted = ("HC3" if method == "delta" else "HC2") if robust is True else (robust or None)
    if block is None:
        return wanted
    n = solution.problem.reduced.n_samples
    if method == "delta" or wanted is not None:
        expected, got = (
            "None for method='delta' and for robust",
            f"block={block!r}, method={method!r}, robust={robust!r}",
        )
        raise ProblemError("block", expected, got, "Pass method='bootstrap', robust=False.")
    if isinstance(block, bool) or not isinstance(block, Integral) or not 1 <= block <= n // 2:
        raise ProblemError(
            "block",
            f"a whole number from 1 to half of N = {n}",
            repr(block),
            "Pass some times the range of dependence.",
        )
    return wanted
