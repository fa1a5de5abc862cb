"""A network of a few neurons as a formula in text, in SQL, C or Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.validation import one_of

#: Of names: what no quoting makes safe everywhere.
CONTROL = re.compile(r"[\x00-\x1f\x7f\u0080-\u009f\u2028\u2029]")

Number = Callable[[float], str]


def to_text(net: RidgeSpline, language: str) -> str:
    """See `RidgeSpline.to_text`."""
    one_of("language", language, tuple(LANGUAGES))
    net.require_relu("to_text")
    if net.n_outputs is not None:
        remedy = "Write one at a time: net.changed(amplitudes=net.amplitudes[:, j], slope=..., offset=...)."
        raise ProblemError("network", "one output", f"D = {net.n_outputs} outputs", remedy)
    if net.dates is not None:
        remedy = "net.changed(dates=None).to_text(...) is the formula for days since 1970-01-01."
        raise ProblemError("network", "a network of numbers", f"one of {net.dates.words}", remedy)
    return LANGUAGES[language](net)


def _sql(net: RidgeSpline) -> str:
    features = [_quoted(name) for name in net.names]
    if len(set(features)) < len(features):
        raise ProblemError("feature_names", "distinct names", ", ".join(net.names), "Name each column once.")

    def number(value: float) -> str:  # with an exponent: a double in every dialect, beside integers too
        return repr(value) if "e" in repr(value) else f"{value!r}e0"

    def relu(t: str) -> str:  # NULL where a feature is
        return f"CASE WHEN {t} > 0 THEN {t} WHEN {t} <= 0 THEN 0 END"

    return "\n".join(_terms(net, features, relu, number))


def _c(net: RidgeSpline) -> str:
    terms = "\n        ".join(_terms(net, _indexed(net), lambda t: f"relu({t})"))
    return (
        f"{_legend(net, '//')}\n"
        "static inline double relu(double t) { return t <= 0.0 ? 0.0 : t; }\n\n"
        f"double f(const double x[{net.n_features}])\n{{\n    return {terms};\n}}\n"
    )


def _python(net: RidgeSpline) -> str:
    terms = "\n        ".join(_terms(net, _indexed(net), lambda t: f"max({t}, 0.0)"))
    return f"{_legend(net, '#')}\ndef f(x):\n    return (\n        {terms}\n    )\n"


LANGUAGES: dict[str, Callable[[RidgeSpline], str]] = {"sql": _sql, "c": _c, "python": _python}


def _terms(net: RidgeSpline, features: Sequence[str], relu: Callable[[str], str], number: Number = repr) -> list[str]:
    """The offset with the terms of the slope, then the neurons, each with its sign in front."""

    def times(weights: Sequence[float]) -> list[str]:
        return [f"{_sign(w)} {number(abs(w))} * {name}" for w, name in zip(weights, features, strict=True) if w]

    rows = [" ".join([number(float(net.offset)), *times(net.slope.tolist())])]
    for w, b, v in zip(net.weights.tolist(), net.biases.tolist(), net.amplitudes.tolist(), strict=True):
        inside = " ".join([number(-b), *times(w)])
        rows.append(f"{_sign(v)} {number(abs(v))} * {relu(inside)}")
    return rows


def _sign(value: float) -> str:
    return "-" if np.signbit(value) else "+"


def _indexed(net: RidgeSpline) -> list[str]:
    return [f"x[{j}]" for j in range(net.n_features)]


def _legend(net: RidgeSpline, mark: str) -> str:
    """What the entries of x are, in comments that end with their line whatever the names hold."""
    return "\n".join(f"{mark} x[{j}]: {name!a}" for j, name in enumerate(net.names))


def _quoted(name: str) -> str:
    """A column's name as an identifier of standard SQL."""
    if not name or CONTROL.search(name):
        raise ProblemError("feature_names", "names without control characters", ascii(name), "Rename the column.")
    return '"' + name.replace('"', '""') + '"'
