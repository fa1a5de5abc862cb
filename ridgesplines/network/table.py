"""A network as a table, one row a neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ridgesplines.exceptions import ProblemError

if TYPE_CHECKING:
    import pandas

    from ridgesplines.network.spline import RidgeSpline


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
