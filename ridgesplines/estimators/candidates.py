"""What may act together, as a choice: the candidates that a user lists, and what each of them reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from ridgesplines.estimators.few_neurons import neuron_limit
from ridgesplines.exceptions import ProblemError
from ridgesplines.interactions import Interactions
from ridgesplines.solution import Path
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Entry:
    """One candidate: `interactions` as it was given, and the `groups` that it means, None for all features together."""

    interactions: Any = None
    groups: Interactions | None = None

    @property
    def size(self) -> tuple[float, int]:
        """How much it allows: the features of its largest group, then the number of its groups."""
        return (np.inf, 0) if self.groups is None else (self.groups.most, len(self.groups))


@dataclass(frozen=True, eq=False, repr=False)
class Candidate:
    """A candidate with its scores.

    Attributes
    ----------
    entry : what may act together.
    lams, scores : the values of lam, decreasing, and the score of each, shape (n_lams,); NaN where not all folds went.
    paths : the Paths for all rows, to the best score at least: one, or one a class.
    sign : 1 where the least score is the best, -1 where the greatest is.
    most : the most neurons of a fit that may be chosen; None for any.
    scores_se, scores_folds : the standard errors (n_lams,), and the scores (n_lams, n_folds); None without folds.
    open_ended : whether smaller lams than those that were tried, or judged, promise a better score.
    timed_out : whether time has ended the path before its last lam.
    asked : how many lams were to be tried, where time has ended the path and `lams` are fewer.
    """

    entry: Entry
    lams: Array
    scores: Array
    paths: tuple[Path, ...]
    sign: float = 1.0
    scores_se: Array | None = None
    scores_folds: Array | None = None
    most: int | None = None
    open_ended: bool = False
    timed_out: bool = False
    asked: int = 0

    @property
    def interactions(self) -> Any:
        """As it was given."""
        return self.entry.interactions

    @property
    def losses(self) -> Array:
        """The scores, or minus these, so that the least is the best; NaN where a fit has too many neurons."""
        losses = self.sign * self.scores
        if self.most is not None:
            losses = np.where(self._sizes() <= self.most, losses, np.nan)
        return losses

    def _sizes(self) -> Array:
        """The neurons of the fit for each lam, of one a class those of the largest; without end beyond the paths."""
        sizes = np.full(len(self.lams), np.inf)
        counts = [[solution.network.n_neurons for solution in path] for path in self.paths]
        sizes[: len(counts[0])] = np.max(counts, axis=0)
        return sizes

    def within(self, given: Any) -> Candidate:
        """The same, where only fits of at most so many neurons may be chosen: the argument `max_neurons`."""
        most = neuron_limit(given)
        found = self if most is None else replace(self, most=most)
        if not np.isfinite(found.losses).any() and np.isfinite(self.losses).any():
            remedy = "Try larger lams, or allow more neurons."
            raise ProblemError(
                "max_neurons", f"at least {self._sizes().min():.0f}, the fewest of the lams tried", repr(given), remedy
            )
        return found

    @property
    def best(self) -> int:
        """Which lam has the best score; of equals the largest."""
        return int(np.nanargmin(self.losses))

    @property
    def lam(self) -> float:
        """The lam of the best score."""
        return float(self.lams[self.best])

    @property
    def score(self) -> float:
        """The best score."""
        return float(self.scores[self.best])

    def __repr__(self) -> str:
        return f"Candidate(interactions={self.interactions!r}, lam={self.lam:.6g}, score={self.score:.6g})"


def choose(tried: Sequence[Candidate], rule: str) -> tuple[Candidate, int]:
    """Which candidate and lam have the best score, or allow the least within one standard error of it (``"one-se"``).

    Of equals the candidate that allows the least, and the largest lam.
    """
    tried = sorted(tried, key=lambda each: each.entry.size)
    best = min(tried, key=lambda each: float(each.losses[each.best]))
    if rule == "min":
        return best, best.best
    assert best.scores_se is not None  # only cross-validation has this rule
    if np.isnan(best.scores_se[best.best]):
        raise ProblemError("rule", "'min' for a single split", "'one-se'", "Pass two or more splits as cv.")
    level = best.losses[best.best] + best.scores_se[best.best]
    first = next(each for each in tried if (each.losses <= level).any())
    return first, int(np.argmax(first.losses <= level))


def listed(given: Any) -> list[Any]:
    """The candidates of a list: whole numbers, None and lists of groups. Anything else, as groups are, is the only one.

    Examples
    --------
    >>> listed([1, 2, None]), listed([[[0, 1], [2]], [[0], [1, 2]]])
    ([1, 2, None], [[[0, 1], [2]], [[0], [1, 2]]])
    >>> listed(2), listed([[0, 1], [2]])
    ([2], [[[0, 1], [2]]])
    """
    return list(given) if _is_list(given) and any(map(_is_whole, given)) else [given]


def _is_whole(entry: Any) -> bool:
    """Whether an entry says what may act together, not only what one group is."""
    return (
        entry is None or isinstance(entry, Integral | Interactions) or (_is_list(entry) and any(map(_is_list, entry)))
    )


def _is_list(given: Any) -> bool:
    return isinstance(given, Sequence | np.ndarray | set | frozenset) and not isinstance(given, str | bytes)
