"""The oracle of rows in blocks: exact for neurons of one feature each, searched for all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ridgesplines.interactions import Interactions
from ridgesplines.oracle.buckets import LinesByRows
from ridgesplines.oracle.by_rows import Dual, Found, SearchByRows
from ridgesplines.oracle.starts import Sites
from ridgesplines.rows import Block, Rows
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: (dual, near, end, hard) -> what is found; see :class:`ridgesplines.oracle.by_rows.SearchByRows`.
OracleByRows = Callable[..., Found]


def oracle_by_rows(
    rows: Rows,
    sample: Block,
    extremes: tuple[Array, Array],
    groups: Interactions | None = None,
    seed: int | Sequence[int] = 0,
) -> OracleByRows:
    r"""The oracle of the supremum of :math:`|\eta|` over the neurons of some groups of features, or over all.

    Parameters
    ----------
    rows : scaled, :math:`|x| \le 1`.
    sample : some of them, in memory.
    extremes : of the features, over the rows of positive weight: (low, high), (d,) each.
    """
    if groups is None:
        return SearchByRows(rows, sample, seed)
    several = tuple(group for group in groups if len(group) > 1)
    search = SearchByRows(rows, sample, seed, Interactions(several, groups.n_features)) if several else None
    single = [group[0] for group in groups if len(group) == 1]
    if not single:
        assert search is not None
        return search
    lines = LinesByRows(rows, sample, *extremes, single)
    return lines if search is None else _Both(lines, search, Interactions(several, groups.n_features))


class _Both:
    """Neurons of one feature exactly, those of larger groups by a search."""

    def __init__(self, lines: LinesByRows, search: SearchByRows, groups: Interactions) -> None:
        self._lines, self._search, self._groups = lines, search, groups

    def __call__(self, dual: Dual, near: Sites, end: float = np.inf, hard: bool = False) -> Found:
        within = self._groups.allow(near[0])
        one, other = self._lines(dual, near), self._search(dual, (near[0][within], near[1][within]), end, hard)
        W, b, eta = (np.concatenate(pair) for pair in zip(one[:3], other[:3], strict=True))
        order = np.argsort(-np.abs(eta), kind="stable")
        return Found(W[order], b[order], eta[order], other.starts, Scope.SEARCHED)
