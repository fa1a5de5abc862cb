"""Solutions on disk: the archive of their network, and in it the problem, the dual vector and how the fit ended.

No pickle. Of a certificate only what cannot be computed again is believed: the dual vector, and a supremum that was
searched, bounded or enumerated for it, which is never below |eta| at the neurons in the file. In one dimension and in a
plane the supremum is computed again; so are the objective and the gap everywhere, and without constraints the dual
value.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np

from ridgesplines.certificate.certificate import DualCertificate, certify
from ridgesplines.certificate.dual import best_scale, levelled
from ridgesplines.certificate.isotropic import Coordinates
from ridgesplines.certificate.long_dual import LongDual, long_supremum
from ridgesplines.certificate.multipliers import ShapeMultipliers, SlopeMultipliers
from ridgesplines.certificate.norm import certify_with_norm
from ridgesplines.constraints import CONSTRAINTS
from ridgesplines.dates import Dates
from ridgesplines.exceptions import ProblemError
from ridgesplines.files import damage_in_words
from ridgesplines.losses import LOSSES
from ridgesplines.network import archive
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.objective import EPS, neuron_lengths
from ridgesplines.oracle import Oracle, exact_oracle
from ridgesplines.oracle.sphere import BiasedOracle
from ridgesplines.problem import Problem
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope, Status

#: What a solution has besides its problem, its network and its certificate.
NOTES = ("solver", "seconds", "dictionary_gap", "tolerance")
#: The arrays of a problem, of a certificate, and of the multipliers of constraints.
DATA = ("X", "y", "sample_weight")
LOW = "dual_low"
PEAKS = ("peak_weights", "peak_biases")
MULTIPLIERS = ("points", "at_points", "sites", "slopes", "ends")


def write(path: str | os.PathLike[str], solution: Any) -> None:
    """Write a solution; `RidgeSpline.load` reads its network, :func:`read` all of it."""
    p, c = solution.problem, solution.isotropic.certificate
    known = {"loss": LOSSES, "constraints": CONSTRAINTS}
    for name, objects in (("loss", [p.loss]), ("constraints", p.constraints)):
        if not all(type(each) in known[name] for each in objects):
            remedy = "Save the network, or pickle the solution."
            raise ProblemError("solution", f"{name} of this library, whose name a file can hold", repr(objects), remedy)
    notes = {name: getattr(solution, name) for name in NOTES} | {
        "status": solution.status,
        "lam": p.lam,
        "loss": _named(p.loss),
        "constraints": [_named(constraint) for constraint in p.constraints],
        "interactions": p.interactions and p.interactions.groups,
        "target_name": p.target_name,
        "output_names": p.output_names,
        "slope_penalty": p.slope_penalty,
        "norm": p.norm,
        "penalise_bias": p.penalise_bias,
        "skip": p.skip,
        "scope": c.scope,
        "certificate": {name: getattr(c, name) for name in ("sup", "residual", "scale", "value", "starts")},
        "history": {name: note for name, note in solution.history.items() if _is_plain(note)},
    }
    data = (*DATA, *(name for name in ("scales", "output_scales") if getattr(p, name) is not None))
    arrays = {name: getattr(p, name) for name in data} | {"dual": c.dual} | dict(zip(PEAKS, c.peaks, strict=True))
    if c.dual_low is not None:
        arrays[LOW] = c.dual_low
    if isinstance(c.multipliers, ShapeMultipliers):
        arrays |= {name: getattr(c.multipliers, name) for name in MULTIPLIERS}
    archive.write(
        path,
        solution.network,
        {name: np.asarray(a, float) for name, a in arrays.items()},
        json.dumps(notes),
    )


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The arguments of the Solution that `write` wrote."""
    expected, remedy = "an .npz archive written by Solution.save", "Read a network alone with RidgeSpline.load."
    with damage_in_words(path, expected, "which is not one", remedy):
        network = archive.read(path, RidgeSpline)
        arrays, text = archive.read_besides(path)
        notes = json.loads(text)
        problem = _problem(network, arrays, notes)
        there = Coordinates(problem)
        return {name: notes[name] for name in NOTES} | {
            "problem": problem,
            "network": network,
            "certificate": there.restored_certificate(
                _certificate(problem.isotropic, there.network(network), arrays, notes)
            ),
            "status": Status(notes["status"]),
            "history": dict(notes["history"]),
        }


def _problem(network: RidgeSpline, arrays: dict[str, Array], notes: dict[str, Any]) -> Problem:
    X, y, weight = (arrays[name] for name in DATA)
    constraints = [_made(CONSTRAINTS, named) for named in notes["constraints"]]
    problem = Problem(
        X,
        y,
        float(notes["lam"]),
        _made(LOSSES, notes["loss"]),
        network.activation,
        weight,
        feature_names=network.feature_names,
        dates=network.dates,
        constraints=constraints or None,
        interactions=notes.get("interactions"),  # files of earlier versions know of none, nor of names of y
        scales=arrays.get("scales"),
        output_scales=arrays.get("output_scales"),
        target_name=notes.get("target_name"),
        output_names=notes.get("output_names"),
        slope_penalty=notes.get("slope_penalty", 0.0),
        norm=notes.get("norm", False),
        penalise_bias=notes.get("penalise_bias", False),
        skip=notes.get("skip", True),
    )
    if problem.interactions and not problem.interactions.allow(network.weights).all():
        raise ValueError("a network that does not fit the problem")
    return problem


def _are_last_digits(problem: Problem, dual: Array, low: Array) -> bool:
    """Whether `low` is no more than the rounding of a dual vector in one dimension, of equal rows that of their sum."""
    if low.shape != dual.shape or problem.n_features > 1 or problem.constraints:
        return False
    return bool(np.abs(low).max(initial=0.0) <= EPS * len(dual) * np.abs(dual).max(initial=0.0))


def _certificate(
    problem: Problem, network: RidgeSpline, arrays: dict[str, Array], notes: dict[str, Any]
) -> DualCertificate:
    """The certificate; without constraints its value is computed again, and where it is quick its supremum."""
    dual, peaks, figures = arrays["dual"], (arrays[PEAKS[0]], arrays[PEAKS[1]]), notes["certificate"]
    if dual.shape != (problem.n_samples, *problem.outputs) or peaks[0].shape != (*peaks[1].shape, problem.n_features):
        raise ValueError("arrays that do not fit the problem")
    low = arrays.get(LOW)
    if low is not None and not _are_last_digits(problem, dual, low):
        raise ValueError("arrays that do not fit the problem")
    if problem.signs is not None:  # all of it follows from the dual vector
        return certify(problem, network, dual)
    if problem.norm:
        return certify_with_norm(problem, network, dual, peaks=peaks)
    sup, scale, value = (float(figures[name]) for name in ("sup", "scale", "value"))
    multipliers: ShapeMultipliers | SlopeMultipliers | None = None
    scope = Scope(notes["scope"])
    if problem.slope_penalty:
        multipliers = SlopeMultipliers.of(problem, dual)
    if problem.constraints:
        arrays = {"ends": np.zeros(2)} | arrays  # files of earlier versions know of none
        multipliers = ShapeMultipliers(*(arrays[name] for name in MULTIPLIERS))
    elif scope is Scope.EXACT and (exact := _exact(problem)) is not None:
        sup = exact(levelled(problem.reduced, dual[problem.rows]), np.inf).value
        if low is not None:
            sup = long_supremum(problem.reduced, LongDual(dual[problem.rows], low[problem.rows])).value
    certificate = DualCertificate(
        dual,
        sup,
        scope,
        float(figures["residual"]),
        scale,
        value,
        problem.X,
        problem.activation,
        peaks,
        multipliers,
        int(figures["starts"]),
        low,
    )
    if problem.constraints:
        return certificate
    if scope is not Scope.DICTIONARY:  # whose network may have left the grid
        lengths = neuron_lengths(problem, network)
        own = group_norms(certificate.eta(network.weights, network.biases)) / lengths
        sup = max(sup, *(float(seen.max(initial=0.0)) for seen in (own, group_norms(certificate.eta(*peaks)))))
    scale, value = best_scale(problem.reduced, dual[problem.rows], sup)
    return replace(certificate, sup=sup, scale=scale, value=value)


def _exact(problem: Problem) -> Oracle | None:
    if problem.penalise_bias:
        biased = BiasedOracle(problem.reduced.X)
        return biased if biased.exact else None
    return exact_oracle(problem.reduced.X, problem.activation, problem.interactions)


def _named(obj: Any) -> list[Any]:
    """The name of a class with the settings of one of its objects."""
    settings = {field.name: getattr(obj, field.name) for field in fields(obj)}
    if "dates" in settings:
        settings["dates"] = settings["dates"] and asdict(settings["dates"])
    return [type(obj).__name__, settings]


def _made(kinds: Any, named: list[Any]) -> Any:
    name, settings = named
    if settings.get("dates"):
        settings["dates"] = Dates(**settings["dates"])
    return {kind.__name__: kind for kind in kinds}[name](**settings)


def _is_plain(note: Any) -> bool:
    return isinstance(note, str | int | float | bool | None) or (
        isinstance(note, list | tuple) and all(isinstance(each, str | int | float | bool) for each in note)
    )
