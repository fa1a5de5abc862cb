"""A network as a table, one row a neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ridgesplines.display import notebook
from ridgesplines.exceptions import ProblemError

if TYPE_CHECKING:
    import pandas

    from ridgesplines.network.spline import RidgeSpline

#: The most features of which weights are written in a notebook.
MOST_FEATURES = 6


def to_frame(net: RidgeSpline, feature_names: Sequence[str] | None = None) -> pandas.DataFrame:
    """Its weights by feature, its bias, its amplitude; for d = 1 also its knot. Needs pandas."""
    try:
        import pandas as pd
    except ImportError:
        raise ImportError(
            "to_frame() returns a pandas DataFrame: install pandas, or read .weights, "
            ".biases and .amplitudes, which hold the same numbers."
        ) from None
    names = net.names if feature_names is None else tuple(map(str, feature_names))
    if len(set(names)) != net.n_features:
        expected = f"{net.n_features} distinct names"
        raise ProblemError("feature_names", expected, repr(names), "Name each feature once.")
    columns: dict[str, Any] = {}
    if net.n_features == 1:
        zone = None if net.dates is None else net.dates.tzinfo
        columns["knot"] = net.knots if zone is None else pd.to_datetime(net.knots, utc=True).tz_convert(zone)
    columns |= {f"weight[{name}]": net.weights[:, i] for i, name in enumerate(names)}
    columns["bias"] = net.biases
    if net.n_outputs is None:
        columns["amplitude"] = net.amplitudes
    else:
        columns |= {f"amplitude[{j}]": net.amplitudes[:, j] for j in range(net.n_outputs)}
    return pd.DataFrame(columns)


def to_html(net: RidgeSpline) -> str:
    """One row a neuron, of many the first and the last, for a notebook; weights of few features only."""
    sizes = net.amplitudes if net.n_outputs is None else np.linalg.norm(net.amplitudes, axis=1)
    columns: dict[str, list[str]] = {}
    if net.n_features == 1:
        columns["knot" if net.activation.homogeneity else "centre"] = [_short(knot) for knot in net.knots]
    elif net.n_features <= MOST_FEATURES:
        columns |= {f"w[{name}]": [_short(w) for w in net.weights[:, i]] for i, name in enumerate(net.names)}
    columns["bias"] = [_short(b) for b in net.biases]
    columns["amplitude" if net.n_outputs is None else "|amplitudes|"] = [_short(v) for v in sizes]
    rows = [[str(k), *row] for k, row in enumerate(zip(*columns.values(), strict=True))]
    return notebook.table(repr(net), notebook.shortened(rows), ("neuron", *columns))


def _short(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
