"""Tables of one feature that come with the package, as CSV files."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Table(NamedTuple):
    """The columns of a table; unpacks as ``X, y, names``.

    Attributes
    ----------
    X : the feature, shape (N,).
    y : the target, shape (N,).
    names : the names of both, with their units: labels for a picture.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> table = rs.datasets.load_motorcycle()
    >>> table.X.shape, table.y.shape, table.names
    ((133,), (133,), ('time after impact (ms)', 'acceleration (g)'))
    """

    X: NDArray[Any]
    y: NDArray[np.float64]
    names: tuple[str, str]


def load_motorcycle() -> Table:
    """Accelerations of a motorcyclist's head in a simulated crash: N = 133, uneven and repeated times, uneven noise.

    Returns
    -------
    Table
        Milliseconds after the impact, and the acceleration in g.

    Notes
    -----
    Measured by G. Schmidt, R. Mattern and F. Schüler (1981), published as a table in [1]_. Measurements are facts,
    which nobody owns; this file of them is under the licence of this library.

    References
    ----------
    .. [1] B. W. Silverman, Some aspects of the spline smoothing approach to non-parametric regression curve fitting,
       J. R. Stat. Soc. B 47 (1985), 1-52, doi:10.1111/j.2517-6161.1985.tb01327.x

    Examples
    --------
    >>> import ridgesplines as rs
    >>> time, acceleration, names = rs.datasets.load_motorcycle()
    >>> rs.LinearSplineRegressorCV().fit(time, acceleration).network_.n_neurons < 20
    True
    """
    time, acceleration = _columns("motorcycle.csv").astype(float)
    return Table(time, acceleration, ("time after impact (ms)", "acceleration (g)"))


def load_coal() -> Table:
    """How many explosions killed ten or more people in British coal mines, in each year from 1852 to 1961: N = 110.

    Returns
    -------
    Table
        The year, and the count.

    Notes
    -----
    The years of the dates in [1]_, without 1851 and 1962, of which the dates cover a part. Counts are facts, which
    nobody owns; this file of them is under the licence of this library.

    References
    ----------
    .. [1] R. G. Jarrett, A note on the intervals between coal-mining disasters, Biometrika 66 (1979), 191-193,
       doi:10.1093/biomet/66.1.191

    Examples
    --------
    >>> import ridgesplines as rs
    >>> year, disasters, names = rs.datasets.load_coal()
    >>> int(year[0]), int(year[-1]), int(disasters.sum())
    (1852, 1961, 186)
    """
    year, disasters = _columns("coal.csv").astype(float)
    return Table(year, disasters, ("year", "disasters in a year"))


def load_nile() -> Table:
    """The annual flow of the Nile at Aswan from 1871 to 1970: N = 100, known for a drop in 1899.

    Returns
    -------
    Table
        The first day of each year, ``datetime64[D]``, and the flow in 10^8 cubic metres.

    Notes
    -----
    Published in [1]_. Measurements are facts, which nobody owns; this file of them is under the licence of this
    library.

    References
    ----------
    .. [1] G. W. Cobb, The problem of the Nile: conditional solution to a changepoint problem, Biometrika 65 (1978),
       243-251, doi:10.1093/biomet/65.2.243

    Examples
    --------
    >>> import ridgesplines as rs
    >>> when, flow, names = rs.datasets.load_nile()
    >>> str(when[0]), float(flow[0])
    ('1871-01-01', 1120.0)
    """
    when, flow = _columns("nile.csv")
    return Table(when.astype("datetime64[D]"), flow.astype(float), ("year", "flow (1e8 m³ a year)"))


def _columns(name: str) -> NDArray[Any]:
    """The two columns of a file, as they are written."""
    text = files("ridgesplines.datasets").joinpath("data", name).read_text("utf-8")
    return np.loadtxt(text.splitlines(), delimiter=",", skiprows=1, dtype=str, unpack=True)
