"""Constraints as users pass them: a list of objects, or words on a command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ridgesplines.constraints.features import MonotoneFeatures
from ridgesplines.constraints.knots import FreeKnots, KnotsAt
from ridgesplines.constraints.one_feature import (
    Bounds,
    Concave,
    Convex,
    EndSlopes,
    FixedValues,
    Lipschitz,
    Monotone,
    Slope,
)
from ridgesplines.constraints.shape import Constraint
from ridgesplines.exceptions import ProblemError

#: All of them, by which a file can name one.
CONSTRAINTS: tuple[type[Constraint], ...] = (
    Monotone,
    Convex,
    Concave,
    Lipschitz,
    Slope,
    EndSlopes,
    Bounds,
    FixedValues,
    FreeKnots,
    KnotsAt,
    MonotoneFeatures,
)


def checked(constraints: Any) -> tuple[Constraint, ...]:
    """A tuple of constraints, or a ProblemError that shows how to write them."""
    remedy = "Pass constraints=[rs.Monotone(), rs.Convex()], say, or [rs.MonotoneFeatures({0: +1})] for many features."
    if constraints is None:
        return ()
    if isinstance(constraints, (Constraint, str)) or not isinstance(constraints, Iterable):
        raise ProblemError("constraints", "a list of constraints", repr(constraints), remedy)
    given = tuple(constraints)
    for constraint in given:
        if not isinstance(constraint, Constraint):
            got = f"the class {constraint.__name__} itself" if isinstance(constraint, type) else repr(constraint)
            raise ProblemError("constraints", "instances such as Monotone()", got, remedy)
    return given


#: How features are named in which f must be monotone.
FEATURES_FORM = "monotone=FEATURE:+,FEATURE:-"


def _of_features(text: str) -> MonotoneFeatures:
    """``age:+,3:-``: features by name or number, each with a sign."""
    pairs = [part.rpartition(":") for part in text.split(",")]
    if not all(feature.strip() and sign.strip() in ("+", "-") for feature, _, sign in pairs):
        raise ProblemError("constraint", FEATURES_FORM, f"monotone={text}", "Write monotone=age:+,bmi:-, say.")
    names = [feature.strip() for feature, _, _ in pairs]
    features = [int(name) if name.isdigit() else name for name in names]
    signs = [1 if sign.strip() == "+" else -1 for _, _, sign in pairs]
    return MonotoneFeatures([*zip(features, signs, strict=True)])


#: What a word on a command line means; what follows it is split at the last colon, and nothing is None.
WORDS: dict[str, tuple[str, Callable[..., Constraint]]] = {
    "monotone": ("monotone", Monotone),
    "increasing": ("increasing", Monotone),
    "decreasing": ("decreasing", lambda: Monotone(increasing=False)),
    "convex": ("convex", Convex),
    "concave": ("concave", Concave),
    "lipschitz": ("lipschitz=BOUND", Lipschitz),
    "slope": ("slope=LOW:HIGH", Slope),
    "end-slopes": ("end-slopes=LEFT:RIGHT", EndSlopes),
    "bounds": ("bounds=LOW:HIGH", Bounds),
    "through": ("through=X:Y", FixedValues),
    "free-knots": ("free-knots=X,X,...", FreeKnots),
    "knots-at": ("knots-at=X,X,...", KnotsAt),
}

#: Words that are followed by places.
OF_PLACES = ("free-knots", "knots-at")


def constraint_named(text: str) -> Constraint:
    """A constraint from words, as on a command line.

    Parameters
    ----------
    text : such as ``"increasing"``, ``"lipschitz=2"``, ``"bounds=0:1"``, ``"slope=0:"``, ``"end-slopes=:0"`` or
        ``"through=0:6"``, or for many features ``"monotone=age:+,3:-"``; a number that is left out is no bound.
        ``"free-knots=2.5,4"`` are change points at which a bend costs nothing, ``"knots-at=1,2.5,4"`` places besides
        which there are no knots. Points may be dates: ``"through=2020-01-31:6"``.

    Raises
    ------
    ProblemError
        Where the words say something else.

    Examples
    --------
    >>> from ridgesplines.constraints import constraint_named
    >>> constraint_named("bounds=0:1"), constraint_named("end-slopes=:0")
    (Bounds(low=0.0, high=1.0), EndSlopes(left=None, right=0.0))
    """
    word, _, numbers = text.strip().partition("=")
    if word == "monotone" and numbers:
        return _of_features(numbers)
    forms = ", ".join([*(form for form, _ in WORDS.values()), FEATURES_FORM])
    remedy = f"The constraints are {forms}."
    if word not in WORDS:
        raise ProblemError("constraint", "the name of a constraint", repr(text), remedy)
    form, make = WORDS[word]
    wanted = form.count(":") + 1 if "=" in form else 0
    given = numbers.rsplit(":", wanted - 1) if numbers else []
    try:
        settings = [_places(given[0])] if given and word in OF_PLACES else [_setting(word, n.strip()) for n in given]
    except ValueError:
        raise ProblemError("constraint", form, repr(text), remedy) from None
    if len(settings) != wanted or (word in ("lipschitz", "through") and None in settings):
        raise ProblemError("constraint", form, repr(text), remedy)
    return make(*settings)


def _places(text: str) -> Any:
    """Numbers, or dates, with commas between them."""
    try:
        return [float(place) for place in text.split(",")]
    except ValueError:
        return np.array([place.strip() for place in text.split(",")], dtype="datetime64")


def _setting(word: str, text: str) -> Any:
    """A number, None where there is none, or the date of a point."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        if word != "through":
            raise
        return np.datetime64(text)
