"""The requests that the page may send: read from JSON, every field checked and bounded; a refusal has its reason."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ridgesplines as rs

#: Bytes of a request.
MOST_BYTES = 65_536
#: Points in one and in two dimensions.
MOST_POINTS = {1: 500, 2: 200}
#: Coordinates and lam stay within this.
LARGEST = 1e12
MOST_DIRECTIONS, MOST_WIDTH, MOST_EPOCHS, MOST_SEED = 64, 500, 20_000, 999

LOSSES: dict[str, Callable[[float], rs.losses.Loss]] = {
    "squared": lambda parameter: rs.Squared(),
    "absolute": lambda parameter: rs.Absolute(),
    "huber": rs.Huber,
    "quantile": rs.Quantile,
    "interpolation": lambda parameter: rs.Interpolation(),
    "logistic": lambda parameter: rs.Logistic(),
    "hinge": lambda parameter: rs.Hinge(),
}
OPTIMIZERS = ("adam", "sgd", "lbfgs")


class Refused(ValueError):
    """A request that is not answered: an HTTP status, and the reason in words."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Fit:
    """A problem, and how it is to be solved.

    Attributes
    ----------
    points : rows (x, y) or (x1, x2, y).
    lam : lambda, or None for what suits the data.
    loss : of the library.
    sparsest : d = 1: whether the spline has the fewest knots.
    directions : d = 2: how many a grid has, or None for the solution off the grid.
    """

    points: tuple[tuple[float, ...], ...]
    lam: float | None
    loss: rs.losses.Loss
    sparsest: bool = True
    directions: int | None = None


@dataclass(frozen=True)
class Training:
    """A network to train on the problem of a Fit; a learning rate of None is the optimiser's own."""

    fit: Fit
    width: int
    optimizer: str
    learning_rate: float | None
    epochs: int
    seed: int


@dataclass(frozen=True)
class Turn:
    """A session and the number of its request: an older one is not worth computing."""

    session: str
    number: int


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object in a request's body; NaN and infinities are no JSON."""
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"expected JSON in UTF-8, with finite numbers; {error}") from None
    if not isinstance(content, dict):
        raise Refused(400, f"expected a JSON object; got {type(content).__name__}")
    return content


def read_fit(body: Mapping[str, Any], d: int) -> Fit:
    """The problem in a request, for d = 1 or d = 2."""
    own = {"sparsest"} if d == 1 else {"directions"}
    _only(body, {"points", "lam", "loss", "parameter", *own})
    sparsest, directions = True, None
    if d == 1:
        sparsest = _known(body, "sparsest", (True, False))
    elif body.get("directions") is not None:
        directions = _whole(body, "directions", 1, MOST_DIRECTIONS)
    lam = None if body.get("lam") is None else _number(body["lam"], "lam", 1.0 / LARGEST, LARGEST)
    return Fit(_points(body.get("points"), d), lam, _loss(body), sparsest, directions)


def read_training(body: Mapping[str, Any]) -> Training:
    """The race in a request."""
    _only(body, {"fit", "width", "optimizer", "learning_rate", "epochs", "seed"})
    if not isinstance(body.get("fit"), dict):
        raise Refused(400, "fit: expected an object, the problem of the race")
    fit, rate = read_fit(body["fit"], 1), body.get("learning_rate")
    if fit.loss.interpolates:
        raise Refused(400, "loss: expected one with a gradient for the race; got interpolation. Choose squared error.")
    return Training(
        fit,
        _whole(body, "width", 1, MOST_WIDTH),
        _known(body, "optimizer", OPTIMIZERS),
        None if rate is None else _number(rate, "learning_rate", 1e-6, 10.0),
        _whole(body, "epochs", 1, MOST_EPOCHS),
        _whole(body, "seed", 0, MOST_SEED),
    )


def read_turn(body: Mapping[str, Any]) -> Turn:
    session = body.get("session")
    if not (isinstance(session, str) and 1 <= len(session) <= 64 and session.isascii()):
        raise Refused(400, "session: expected a text of 1 to 64 ASCII characters")
    return Turn(session, _whole(body, "number", 0, 2**53))


def _points(rows: Any, d: int) -> tuple[tuple[float, ...], ...]:
    most, shape = MOST_POINTS[d], "[x, y]" if d == 1 else "[x1, x2, y]"
    if not isinstance(rows, list) or not 1 <= len(rows) <= most:
        got = f"{len(rows)} points" if isinstance(rows, list) else type(rows).__name__
        raise Refused(400, f"points: expected a list of 1 to {most} points {shape}; got {got}")
    points = []
    for i, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != d + 1:
            raise Refused(400, f"points: expected {shape}; got something else at index {i}")
        points.append(tuple(_number(value, f"points[{i}]", -LARGEST, LARGEST) for value in row))
    return tuple(points)


def _loss(body: Mapping[str, Any]) -> rs.losses.Loss:
    name = _known(body, "loss", tuple(LOSSES))
    parameter = 0.5 if body.get("parameter") is None else _number(body["parameter"], "parameter", 1e-9, LARGEST)
    if name == "quantile" and parameter >= 1.0:
        raise Refused(400, f"parameter: expected a quantile between 0 and 1; got {parameter:g}")
    return LOSSES[name](parameter)


def _number(value: Any, name: str, low: float, high: float) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # a whole number of any length can be compared
        got = "one outside" if is_number and not (isinstance(value, float) and math.isnan(value)) else "none"
        raise Refused(400, f"{name}: expected a number from {low:g} to {high:g}; got {got}")
    return float(value)


def _whole(body: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Refused(400, f"{name}: expected a whole number from {low} to {high}")
    return value


def _known(body: Mapping[str, Any], name: str, values: tuple[Any, ...]) -> Any:
    value = body.get(name)
    if not isinstance(value, type(values[0])) or value not in values:
        raise Refused(400, f"{name}: expected one of {', '.join(json.dumps(known) for known in values)}")
    return value


def _only(body: Mapping[str, Any], names: set[str]) -> None:
    """Refuse fields that nobody reads: a misspelt one would be ignored unseen."""
    if unknown := sorted(set(body) - names):
        raise Refused(400, f"unknown field {unknown[0][:40]!r}; expected {', '.join(sorted(names))}")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The fields of an object; of two with one name a reader takes either."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is there twice")
    return fields


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no finite number")
