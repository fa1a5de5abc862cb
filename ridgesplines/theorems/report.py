"""The report of a check: the figures that were measured, the bounds they must keep, and a picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from matplotlib.figure import Figure

from ridgesplines.interrupt import Deferral
from ridgesplines.plotting.style import new_figure
from ridgesplines.theorems.rates import Slope

#: An interval that is wider than this and holds the bound tells nothing: such a rate does not count as seen.
WIDEST = 0.6
#: What must be said where a network fails that is far from optimal.
NO_SOLUTION = "The network is not a solution, and the claim is about solutions: what fails is the network."


@dataclass(frozen=True)
class Measure:
    """One measured figure and the bound that the claim puts on it.

    Attributes
    ----------
    what : what was measured, in words.
    measured : the figure, as it is printed.
    bound : the bound, as it is printed.
    holds : whether the figure keeps the bound.
    value : the figure as a number.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> report = rs.theorems.representer(problem, rs.solve(problem))
    >>> all(measure.holds for measure in report.measures)
    True
    """

    what: str
    measured: str
    bound: str
    holds: bool
    value: float


def at_most(what: str, value: float, bound: float) -> Measure:
    """A figure that must not be larger than `bound`; NaN never holds."""
    return Measure(what, f"{value:.4g}", f"<= {bound:.4g}", bool(value <= bound), float(value))


def at_least(what: str, value: float, bound: float) -> Measure:
    """A figure that must not be smaller than `bound`; NaN never holds."""
    return Measure(what, f"{value:.4g}", f">= {bound:.4g}", bool(value >= bound), float(value))


def rate(what: str, slope: Slope, bound: float) -> Measure:
    """A rate: the error falls like the power `bound` or faster.

    It holds where the 95 % interval of the fitted slope is not entirely shallower than `bound`, and narrow enough to
    tell: all of it steeper, or no wider than 0.6.
    """
    holds = slope.high <= bound or (slope.low <= bound and slope.high - slope.low <= WIDEST)
    return Measure(what, str(slope), f"<= {bound:g}", holds, slope.value)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """The picture of a report that came from elsewhere."""

    figure: Figure

    def __call__(self, figure: Figure) -> None:
        raise TypeError("the picture is drawn already: call plot()")


@dataclass(frozen=True, eq=False)
class Report:
    """A claim of the paper, and what a check of it measured.

    Attributes
    ----------
    claim : the claim, in words.
    number : its number in the paper.
    measures : the figures, each with its bound.
    draw : draws the picture into a figure.
    remarks : what else must be said: a rate that is better than its bound, a method that does better.
    seconds : how long the check took.
    missing : what the check needs and did not find; empty where it ran.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> report = rs.theorems.representer(problem, rs.solve(problem))
    >>> report.holds, report.number
    (True, '(17), (18)')
    """

    claim: str
    number: str
    measures: tuple[Measure, ...]
    draw: Callable[[Figure], None]
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0
    missing: str = ""

    def __getstate__(self) -> dict[str, Any]:
        """For a copy or another process the picture is drawn: a way to draw it is no data."""
        return self.__dict__ | {"draw": _Drawn(self.plot())}

    @property
    def holds(self) -> bool | None:
        """Whether every figure keeps its bound; None where the check was not run."""
        return None if self.missing else bool(self.measures) and all(measure.holds for measure in self.measures)

    @property
    def measured(self) -> dict[str, str]:
        """The figure of each measure by name, as it is printed."""
        return {measure.what: measure.measured for measure in self.measures}

    @property
    def bound(self) -> dict[str, str]:
        """The bound of each measure by name, which the figure must keep."""
        return {measure.what: measure.bound for measure in self.measures}

    @property
    def verdict(self) -> str:
        """``"holds"``, ``"FAILS"`` or ``"not run"``."""
        return "not run" if self.holds is None else ("holds" if self.holds else "FAILS")

    def plot(self) -> Figure:
        """The picture of what was measured; not known to pyplot, save it with ``figure.savefig(path)``."""
        if isinstance(self.draw, _Drawn):
            return self.draw.figure
        figure = new_figure(8.0, 3.6)
        self.draw(figure)
        for axes in figure.axes:
            axes.spines[["top", "right"]].set_visible(False)
        return figure

    def __str__(self) -> str:
        lines = [f"{self.verdict:<8} {self.number}  {self.claim}  [{self.seconds:.1f} s]"]
        for m in self.measures:
            lines.append(f"  {'  ' if m.holds else '! '}{m.what:<66}  {m.measured:>24}  {m.bound}")
        lines += [f"    {remark}" for remark in (*self.remarks, *([self.missing] if self.missing else []))]
        return "\n".join(lines)

    __repr__ = __str__


def timed(check: Callable[..., Report]) -> Callable[..., Report]:
    """The check, whose report says how long it took."""

    @wraps(check)
    def run(*args: Any, **kwargs: Any) -> Report:
        start = time.perf_counter()
        with Deferral():
            report = check(*args, **kwargs)
        return replace(report, seconds=time.perf_counter() - start)

    return run
