"""The methods of `prediction.py --interactions`: regression in which one feature, or two, act together.

Each returns an estimator of scikit-learn and can say of how many terms a fit of it is. All choose among six candidates
by three inner folds, but for those at their defaults: explainable boosting, which stops by itself, and boosting in
pairs take part in both ways. Peers that are not installed raise ImportError: `pip install interpret-core py-earth2`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV

import ridgesplines as rs

BOOSTING = {"learning_rate": [0.03, 0.1], "max_leaf_nodes": [3, 8, 31]}
PENALTIES = {"penalty": [1.0, 2.0, 3.0, 4.0, 6.0, 8.0]}
EXPLAINABLE = {"learning_rate": [0.01, 0.04, 0.1], "max_leaves": [2, 3]}
#: Bags of explainable boosting while its settings are chosen; the fit itself has as many as by default.
FEW_BAGS = 1
#: What has to be installed for the peers that scikit-learn does not have.
PEERS = ("interpret-core", "py-earth2")
OURS = "**ours, interactions=[1, 2, None]**"


@dataclass(frozen=True)
class Method:
    """An estimator, made for some inner folds, and the words for the terms of its fit."""

    make: Callable[[Any], Any]
    terms: Callable[[Any], str]


def ours(interactions: Any) -> Method:
    """Ridge splines; the same six fractions of lambda_max for each candidate."""

    def make(cv: Any) -> Any:
        return rs.RidgeSplineRegressorCV(n_lams=6, lam_ratio=0.02, cv=cv, interactions=interactions)

    def terms(model: Any) -> str:
        parts = [part for part in model.solution_.components() if len(part.neurons) or len(part.features) == 1]
        curves = sum(len(part.features) == 1 for part in parts)
        chosen = f"k = {model.interactions_}, " if isinstance(interactions, list) else ""
        more = len(parts) - curves
        return f"{chosen}{model.network_.n_neurons} neurons: {curves} curves" + (
            f", {more} interactions" if more else ""
        )

    return Method(make, terms)


def explainer(interactions: int | str, **settings: Any) -> Any:
    """Explainable boosting, on one core."""
    from interpret.glassbox import ExplainableBoostingRegressor

    return ExplainableBoostingRegressor(interactions=interactions, n_jobs=1, random_state=0, **settings)


class TunedExplainable(RegressorMixin, BaseEstimator):
    """Explainable boosting, its settings chosen by the inner folds, in few bags: a fit in all of them takes minutes."""

    def __init__(self, interactions: int | str = 0, cv: Any = None) -> None:
        self.interactions = interactions
        self.cv = cv

    def fit(self, X: Any, y: Any) -> TunedExplainable:
        """The best settings, then a fit of all rows with these."""
        few = explainer(self.interactions, outer_bags=FEW_BAGS)
        search = GridSearchCV(few, EXPLAINABLE, cv=self.cv, refit=False).fit(X, y)
        self.model_ = explainer(self.interactions, **search.best_params_).fit(X, y)
        self.term_features_ = self.model_.term_features_
        return self

    def predict(self, X: Any) -> Any:
        """Values, (N,)."""
        return self.model_.predict(X)


def explainable(interactions: int | str, tuned: bool = False) -> Method:
    """Explainable boosting with so many pairs, its other settings the defaults or chosen by the inner folds."""

    def make(cv: Any) -> Any:
        model = explainer(interactions)  # or ImportError
        return TunedExplainable(interactions, cv) if tuned else model

    def terms(model: Any) -> str:
        pairs = sum(len(features) > 1 for features in model.term_features_)
        return f"{len(model.term_features_) - pairs} curves" + (f", {pairs} pairs" if pairs else "")

    return Method(make, terms)


def boosting(constraint: str | None, tuned: bool = True) -> Method:
    """scikit-learn's histogram gradient boosting with 200 trees, or at its defaults but for the constraint."""

    def make(cv: Any) -> Any:
        if not tuned:
            return HistGradientBoostingRegressor(interaction_cst=constraint, random_state=0)
        model = HistGradientBoostingRegressor(max_iter=200, interaction_cst=constraint, random_state=0)
        return GridSearchCV(model, BOOSTING, cv=cv)

    def terms(model: Any) -> str:
        trees = (model.best_estimator_ if tuned else model)._predictors  # each a list of one
        return f"{len(trees)} trees of {sum(tree.get_n_leaf_nodes() for (tree,) in trees)} leaves"

    return Method(make, terms)


def earth(degree: int) -> Method:
    """MARS by py-earth, which prunes by GCV; the penalty there is chosen."""

    def make(cv: Any) -> Any:
        from pyearth import Earth

        return GridSearchCV(Earth(max_degree=degree), PENALTIES, cv=cv)

    def terms(model: Any) -> str:
        kept = [term for term in model.best_estimator_.basis_ if not term.is_pruned()]
        return f"{len(kept)} products of hinges"

    return Method(make, terms)


METHODS = {
    "**ours, interactions=1**": ours(1),
    "**ours, interactions=2**": ours(2),
    OURS: ours([1, 2, None]),
    "explainable boosting, no pairs": explainable(0),
    "explainable boosting, no pairs, tuned": explainable(0, tuned=True),
    "explainable boosting": explainable("5x"),
    "explainable boosting, tuned": explainable("5x", tuned=True),
    "MARS, degree 1": earth(1),
    "MARS, degree 2": earth(2),
    "boosting, no interactions": boosting("no_interactions"),
    "boosting, pairwise": boosting("pairwise"),
    "boosting, pairwise, defaults": boosting("pairwise", tuned=False),
    "boosting, unconstrained": boosting(None),
}
