"""What the pictures share: colours that colour-blind people tell apart, and a Figure that notebooks show."""

from __future__ import annotations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ridgesplines.solution import Solution, rounded_up

#: From the palette of M. Okabe and K. Ito, "Color universal design" (2008).
DATA = "#7f7f7f"
FIT = "#0072B2"
KNOT = "#D55E00"
BOUND = "#000000"
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":")  # so that the series differ without colour as well


class Picture(Figure):
    """A Figure that a notebook displays although pyplot does not know of it."""

    def _repr_png_(self) -> bytes:
        from io import BytesIO

        buffer = BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def new_figure(width: float, height: float) -> Picture:
    figure = Picture(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def headline(solution: Solution) -> str:
    """Neurons and gap, in words that say no more than was proven; below 1e-14 it is rounding."""
    gap = rounded_up(max(solution.relative_gap, 1e-14))
    words = {
        "exact": f"certified within {gap} of the global optimum",
        "bounded": f"certified within {gap} of the global optimum",
        "dictionary": f"within {gap} of the grid's optimum",
        "searched": f"estimated gap {gap} (searched, not a bound)",
    }
    p = solution.problem
    return f"K = {solution.network.n_neurons} neurons for N = {p.n_samples} data: {words[solution.certificate.scope]}"
