"""The range of lam: where it begins and ends, when it goes on, and what is said where the best lam is at its end."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines.estimators.base import SplineEstimator
from ridgesplines.estimators.candidates import Candidate
from ridgesplines.estimators.posed import Posed
from ridgesplines.exceptions import ProblemError, RangeWarning, warn
from ridgesplines.solve import in_numbers, lambda_max
from ridgesplines.validation import Array, real_array, real_number, whole_number

#: The smallest lam at first, as a fraction of lambda_max.
RATIO = 0.01
#: Lams fall no further than to this part of the first: the misfit of exact data falls like lam or its square.
LEAST = 1e-9
#: A loss that is this part of the affine fit's has fallen to nothing: what smaller lams still gain nobody sees.
EXACT = 1e-12
#: So many times as many lams were tried as are appended at once.
STRETCH = 5
#: Smaller lams gain nothing where the last stretch has lowered the score by less than this part of it.
FLAT = 1e-2


def named_lams(lams: Any) -> Array:
    """The lams that a user passed, decreasing."""
    values = real_array("lams", lams)
    if values.ndim != 1 or not values.size or values.min() <= 0.0:
        raise ProblemError("lams", "positive numbers, shape (n_lams,)", repr(lams), "Pass lams=None.")
    return np.sort(values)[::-1]


def spaced_lams(top: float, ratio: float, n_lams: Any) -> Array:
    """So many lams from the top down to a part of it, evenly spaced in the logarithm."""
    whole_number("n_lams", n_lams, 1)
    top = top or 1.0  # where the data are affine every lam gives the same fit
    return np.geomspace(top, top * ratio, int(n_lams))


def further(lams: Array) -> Array:
    """The lams to try next, in the same spacing; none once they have fallen far enough.

    Examples
    --------
    >>> further(np.array([1.0, 0.1, 0.01]))
    array([0.001])
    >>> len(further(np.geomspace(1.0, 1e-5, 50))), len(further(np.array([1.0, 1e-9])))
    (10, 0)
    """
    if len(lams) < 2 or lams[-1] <= LEAST * lams[0]:
        return lams[:0]
    step = (lams[-1] / lams[0]) ** (1.0 / (len(lams) - 1))
    return lams[-1] * step ** np.arange(1, 1 + max(1, len(lams) // STRETCH))


def end(losses: Array) -> int:
    """The index of the last finite score, beyond which nothing was tried or nothing can be told; -1 without any."""
    finite = np.flatnonzero(np.isfinite(losses))
    return int(finite[-1]) if len(finite) else -1


def unfinished(losses: Array, remainders: Array | None, margins: Array | None = None) -> bool:
    """Whether the best score is the last finite one, and smaller lams promise a better one.

    Parameters
    ----------
    losses : the score of each lam, of which the least is the best; infinite or NaN where it says nothing.
    remainders : what is left of the loss, on held-out rows or on all, at each lam; None where that is not known.
    margins : how much the last stretch must have lowered the score at each lam; by default a part of it.

    Examples
    --------
    >>> unfinished(np.array([9.0, 4.0, 2.0, 1.0]), None), unfinished(np.array([9.0, 4.0, 2.0, np.inf]), None)
    (True, True)
    >>> unfinished(np.array([9.0, 2.0, 1.0, 3.0]), None), unfinished(np.array([9.0, 1.0, 0.999]), None)
    (False, False)
    """
    last = end(losses)
    if last < 1 or np.nanargmin(losses) != last:  # of an exact fit the score may be minus infinity
        return False
    if remainders is not None and remainders[last] <= EXACT * remainders[0]:
        return False
    before = losses[last - max(1, min(last, len(losses) // STRETCH))]
    margin = FLAT * abs(losses[last]) if margins is None else margins[last]
    return bool(before - losses[last] > margin)


def warn_of_range(what: str, remedy: str) -> None:
    """Say that the best lam may lie outside of what was tried."""
    warn(f"{what} {remedy}", RangeWarning)


class HasRange(SplineEstimator):
    """Base of the estimators that try several lams: which these are, and what is said of their ends."""

    lams: Any
    n_lams: int
    lam_ratio: float | None

    def _values(self, posed: Posed) -> Array:
        """The lams to try."""
        if self.lams is not None:
            problems = [self._distinct(posed, target, 1.0) for target in posed.targets]
            return named_lams(in_numbers(problems, self.lams, "lams"))
        ratio = real_number("lam_ratio", self._ratio(), "a number between 0 and 1", 0.0, 1.0, open_=True)
        top = max(lambda_max(self._distinct(posed, target, 1.0)) for target in posed.targets)
        return spaced_lams(top, ratio, self.n_lams)

    def _ratio(self) -> float:
        """The smallest lam at first, as a fraction of lambda_max."""
        return RATIO if self.lam_ratio is None else self.lam_ratio

    def _may_go_on(self, posed: Posed) -> bool:
        """Whether smaller lams may follow: not where the user says which, nor in many dimensions, where they cost."""
        return self.lams is None and self.lam_ratio is None and posed.X.shape[1] == 1

    def _warn_of_range(self, best: Candidate, chosen: int) -> None:
        """Say where the best lam may lie beyond those that were tried."""
        if chosen == 0 < len(best.lams) - 1 and self.lams is not None and self.network_.n_neurons:
            what = f"The chosen lam, {self.lam_:.3g}, is the largest that was passed, and its fit is not affine."
            warn_of_range(what, "Pass larger lams as well.")
        if best.open_ended and best.best == end(best.scores):  # not so where fewer neurons were asked for
            warn_of_range(*self._open_end(best))

    def _open_end(self, best: Candidate) -> tuple[str, str]:
        """Why the best score is the last one, and the remedy."""
        what = f"The best score is that of the smallest lam that was tried, {best.lam:.3g}; smaller ones may be better."
        if self.lams is not None:
            return what, "Pass smaller lams as well."
        if self.lam_ratio is None and self.n_features_in_ == 1:
            return what, f"This is the least that is tried, {LEAST:g} of the largest. Pass lams of your own."
        return what, f"Pass a smaller lam_ratio, such as {self._ratio() / 10.0:.0e}."
