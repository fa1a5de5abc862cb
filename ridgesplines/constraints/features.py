r"""What users say of a function of many features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.constraints.shape import Constraint, Shape
from ridgesplines.exceptions import ProblemError
from ridgesplines.interactions import column


@dataclass(frozen=True, init=False, repr=False)
class MonotoneFeatures(Constraint):
    r"""Monotone in some of the features, everywhere on :math:`R^d`, whatever the others are.

    .. math:: s_j \Big(c_j + \sum_{k \in S_j} v_k w_{kj}\, \rho'(w_{kj} t - b_k)\Big)
              \;\ge\; \sum_{k \notin S_j} \max(0, -s_j v_k w_{kj}) \quad \text{for all } t \in R

    for each feature j with a sign :math:`s_j`, where :math:`f(x) = \sum_k v_k\, \rho(w_k^T x - b_k) + c^T x + c_0` and
    :math:`S_j` are the neurons of feature j alone.

    Parameters
    ----------
    signs : for some features, by column number or by name, +1 where f may not fall as the feature rises, or -1 where it
        may not rise.

    Raises
    ------
    ProblemError
        Where no feature is named, or a sign is neither +1 nor -1.

    Notes
    -----
    Sufficient on all of :math:`R^d`; necessary too where neurons have one feature, ``interactions=1``. Neurons of
    several features count as if all were at their worst at one place: with these the optimum is that over all f that
    satisfy the formula, not over all monotone f. It is convex, so that the optimum has a certificate as without it:
    exact where neurons have at most two features, and searched for three and more. One output, every loss but
    Interpolation.

    In one dimension it is Monotone().

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).uniform(-1.0, 1.0, (40, 3))
    >>> rising = rs.MonotoneFeatures({0: +1, 2: -1})
    >>> problem = rs.Problem(X, X[:, 0] ** 2 - X[:, 2], 0.1, constraints=[rising], interactions=1)
    >>> solution = rs.solve(problem)
    >>> path = np.linspace(-9.0, 9.0, 101)[:, None] * [1.0, 0.0, 0.0]
    >>> bool((np.diff(solution.predict(path)) >= -1e-12).all()), solution.certificate.scope
    (True, 'exact')
    """

    signs: tuple[tuple[int | str, int], ...]

    def __init__(self, signs: Any) -> None:
        remedy = 'Pass MonotoneFeatures({"age": +1, 3: -1}), say.'
        expected = "a mapping of features to +1 or -1"
        pairs = signs.items() if isinstance(signs, Mapping) else signs
        if isinstance(pairs, str) or not isinstance(pairs, Iterable):
            raise ProblemError("signs", expected, repr(signs), remedy)
        pairs = list(pairs)
        if not all(isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2 for pair in pairs):
            raise ProblemError("signs", expected, repr(signs), remedy)
        if not pairs:
            raise ProblemError("signs", "at least one feature", "none", remedy)
        for feature, sign in pairs:
            if isinstance(sign, (bool, np.bool_)) or not isinstance(sign, (int, float, np.number)) or abs(sign) != 1:
                raise ProblemError("signs", "+1 or -1 for each feature", f"{sign!r} for {feature!r}", remedy)
        plain = [(int(j) if isinstance(j, np.integer) else j, int(sign)) for j, sign in pairs]
        object.__setattr__(self, "signs", tuple(plain))

    @property
    def shape(self) -> Shape:
        """Free: it says nothing of d = 1, where Problem takes Monotone() instead."""
        return Shape()

    def numbered(self, d: int, names: Sequence[str] | None = None) -> MonotoneFeatures:
        """The same by column numbers; an error where there is no such column, or where one has two signs."""
        remedy = 'Pass MonotoneFeatures({"age": +1, 3: -1}), say.'
        signs: dict[int, int] = {}
        for given, sign in self.signs:
            j = column(given, d, names, "constraints", remedy)
            if signs.setdefault(j, sign) != sign:
                raise ProblemError("constraints", "one sign for each feature", f"+1 and -1 for {given!r}", "Keep one.")
        return MonotoneFeatures(sorted(signs.items()))

    def __repr__(self) -> str:
        return f"MonotoneFeatures({dict(self.signs)!r})"
