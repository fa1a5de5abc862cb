"""A linear spline as a table of its straight pieces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ridgesplines.dates import Dates
from ridgesplines.display import digits
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.validation import Array, ReadOnly, frozen

if TYPE_CHECKING:
    import pandas
    import scipy.interpolate

__all__ = ["Segments", "segments"]

#: The most segments that are printed.
MOST_ROWS = 40


@dataclass(frozen=True, eq=False)
class Segments(ReadOnly):
    r"""The straight pieces of a linear spline, from the left to the right; prints as a table.

    .. math:: f(x) = \text{slope}_j\, x + \text{intercept}_j, \qquad \text{start}_j \le x < \text{end}_j

    Attributes
    ----------
    start, end : where each piece begins and ends, in units of x, shape (S,). The first begins at minus infinity, the
        last ends at infinity: f goes on straight beyond the data.
    slope : in units of y per unit of x, shape (S,), or (S, D) for D outputs. Slopes of pieces that meet differ.
    intercept : the value at x = 0 of the line of which the piece is a part, shape of the slope.
    n_rows : how many data are in each, shape (S,); None where no data are known. Rows of weight zero do not count, and
        a row at a knot belongs to the piece on its right.
    dates : what x stands for, where it stands for dates or durations: `start` and `end` are days, and written and
        tabulated as what they stand for; intercepts are those of x in days.
    span : both ends of the data, which say how precisely places are written; empty where no data are known.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline.through([0.0, 1.0, 2.0, 4.0], [0.0, 1.0, 1.0, 0.0])
    >>> net.segments()
    start  end  slope  intercept
     -inf    1    1.0        0.0
        1    2    0.0        1.0
        2  inf   -0.5        2.0
    >>> net.segments().slope
    array([ 1. ,  0. , -0.5])
    """

    start: Array
    end: Array
    slope: Array
    intercept: Array
    n_rows: Array | None = None
    dates: Dates | None = None
    span: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.start)

    @property
    def knots(self) -> Array:
        """The places at which the pieces meet, increasing, shape (S - 1,)."""
        return self.end[:-1]

    def columns(self) -> dict[str, Array]:
        """The columns of the table by name; ``slope[0]`` and so on for several outputs."""
        ends = (self.start, self.end) if self.dates is None else map(self.dates.restored, (self.start, self.end))
        columns: dict[str, Array] = dict(zip(("start", "end"), ends, strict=True))
        for name in ("slope", "intercept"):
            values = getattr(self, name)
            columns |= {name: values} if values.ndim == 1 else {f"{name}[{j}]": v for j, v in enumerate(values.T)}
        return columns if self.n_rows is None else columns | {"rows": self.n_rows}

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a segment."""
        columns = self.columns()
        return [
            dict(zip(columns, row, strict=True)) for row in zip(*map(np.ndarray.tolist, columns.values()), strict=True)
        ]

    def to_frame(self) -> pandas.DataFrame:
        """The table as a pandas DataFrame, one row a segment. Needs pandas."""
        try:
            import pandas as pd
        except ImportError:
            raise ImportError(
                "to_frame() returns a pandas DataFrame: install pandas, or call .rows(), which has the same numbers."
            ) from None
        return pd.DataFrame(self.columns())

    def __str__(self) -> str:
        shown = {name: figures(values) for name, values in self.columns().items() if name not in ("start", "end")}
        start, end = (places(values, self.span or self.knots.tolist(), self.dates) for values in (self.start, self.end))
        return aligned({"start": start, "end": end} | shown, MOST_ROWS)

    __repr__ = __str__


def segments(network: RidgeSpline, x: Array | None = None) -> Segments:
    r"""The straight pieces of a network of one input, ReLU.

    .. math:: f(x) = \text{slope}_j\, x + \text{intercept}_j, \qquad \text{start}_j \le x < \text{end}_j

    Parameters
    ----------
    network : of one input, with any number of outputs.
    x : the data, shape (N,), whose rows are counted; None for no counts.

    Returns
    -------
    Segments
        Knots at one place are one, and a knot at which no slope changes is none. O(K log K + N log N).

    Raises
    ------
    ProblemError
        For more inputs, and for other activations.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> from ridgesplines.network import segments
    >>> segments(rs.RidgeSpline([[1.0]], [2.0], [3.0]), np.arange(5.0)).rows()[1]
    {'start': 2.0, 'end': inf, 'slope': 3.0, 'intercept': -6.0, 'rows': 3}
    """
    network.require_univariate("segments")
    network.require_relu("segments")
    pieces = network.pieces()
    knots, slopes, values = pieces.knots, pieces.slopes, pieces.values
    last = np.append(knots[1:] > knots[:-1], True)[: len(knots)]  # of knots at one place the last has the slope after
    t, at, after = knots[last], values[last], slopes[1:][last]
    before = np.concatenate([slopes[:1], after[:-1]])
    bent = (after != before).any(axis=tuple(range(1, after.ndim)))
    t, at = t[bent], at[bent]
    slope = np.concatenate([slopes[:1], after[bent]])
    if not len(t):
        intercept = np.asarray(network.offset)[None] if not len(knots) else (values - (slopes[:-1].T * knots).T)[:1]
    else:
        places = np.concatenate([t[:1], t])  # a point of each piece
        intercept = np.concatenate([at[:1], at]) - (slope.T * places).T
    edges = np.concatenate([[-np.inf], t, [np.inf]])
    counts = None if x is None else frozen(np.diff(np.searchsorted(np.sort(x), edges)))
    span = () if x is None else (float(np.min(x)), float(np.max(x)))
    start, end = frozen(edges[:-1]), frozen(edges[1:])
    return Segments(start, end, frozen(slope), frozen(intercept), counts, network.dates, span)


def piecewise_polynomial(network: RidgeSpline) -> scipy.interpolate.PPoly:
    """The spline for SciPy, with a break at each knot and a pad at either end."""
    from scipy.interpolate import PPoly

    network.require_univariate("to_ppoly")
    network.require_relu("to_ppoly")
    pieces = network.pieces()
    t, slopes, values = pieces.knots, pieces.slopes, pieces.values
    if not len(t):
        t, values = np.zeros(1), np.asarray(network.offset)[None]
        slopes = np.concatenate([slopes, slopes])
    t, first = np.unique(t, return_index=True)  # coinciding knots are one
    last = np.append(first[1:], len(slopes) - 1)
    slopes, values = np.concatenate([slopes[:1], slopes[last]]), values[first]
    pad = max(1.0, float(np.ptp(t)), float(np.spacing(np.abs(t).max())) * 4.0)
    edges = np.concatenate([[t[0] - pad], t, [t[-1] + pad]])
    starts = np.concatenate([(values[0] - pad * slopes[0])[None], values])
    return PPoly(np.stack([slopes, starts]), edges)


def places(values: Array, among: Sequence[float] | Array, dates: Dates | None = None) -> list[str]:
    """Places on the x axis in words, with digits enough to tell those of a set apart; dates as dates."""
    finite, within = np.isfinite(values), np.asarray(among, dtype=float)
    within = within[np.isfinite(within)]
    given = values[finite]
    words = iter(digits.written(given, within) if dates is None else dates.written(given, within)[1])
    return [next(words) if there else f"{value:g}" for value, there in zip(values, finite, strict=True)]


def figures(values: Array) -> list[str]:
    """A column of numbers with as many decimals as the largest of them leaves of six digits."""
    if values.dtype.kind == "i":
        return [str(value) for value in values]
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0))
    if not largest or not 1e-4 <= largest < 1e9:
        texts = [f"{value:.9g}" for value in values]
        return ["0" if float(text) == 0.0 else text for text in texts]
    decimals = max(0, 5 - int(np.floor(np.log10(largest))))
    texts = [f"{value:.{decimals}f}" for value in values]
    while all(text.endswith("0") and not text.endswith(".0") for text in texts if "." in text) and decimals > 1:
        decimals -= 1
        texts = [text[:-1] for text in texts]
    zero = f"{0.0:.{decimals}f}"
    return [zero if text == f"-{zero}" else text for text in texts]


def aligned(columns: Mapping[str, Iterable[str]], most: int = MOST_ROWS) -> str:
    """Columns of text as lines, each aligned to the right; rows beyond the most are counted, not shown."""
    table = [tuple(columns), *zip(*columns.values(), strict=True)]
    widths = [max(map(len, column)) for column in zip(*table[: most + 1], strict=True)]
    lines = [
        "  ".join(f"{text:>{width}}" for text, width in zip(row, widths, strict=True)) for row in table[: most + 1]
    ]
    if len(table) > most + 1:
        lines.append(f"and {len(table) - most - 1} more")
    return "\n".join(lines)
