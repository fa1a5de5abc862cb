r"""(16): the norm of measures, as the supremum over Gaussian smoothings."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm

from ridgesplines.plotting.style import FIT
from ridgesplines.radon.line import LineMeasure
from ridgesplines.theorems.report import Report, at_least, at_most, timed
from ridgesplines.validation import Array

#: Standard deviations of the Gaussians, decreasing.
WIDTHS = np.geomspace(1.0, 1e-4, 5)


def instance(seed: int) -> tuple[LineMeasure, float]:
    """Four impulses, two of opposite signs close to each other, and an absolutely integrable function of norm 1.5."""
    rng = np.random.default_rng(seed)
    at = np.array([-0.8, 0.0, 0.7, 0.72]) + rng.uniform(-0.1, 0.1) * np.array([1.0, -1.0, 1.0, 1.0])
    amplitudes = rng.uniform(0.5, 1.5, 4) * np.array([1.0, 1.0, 1.0, -1.0])
    density = lambda x: -1.5 * norm.pdf(x, scale=0.3)  # noqa: E731
    return LineMeasure(at, amplitudes, density, (-3.0, 3.0)), 1.5 + float(np.abs(amplitudes).sum())


@timed
def check(measure: LineMeasure, expected: float) -> Report:
    r"""The M-norm (16) of :math:`g + \sum_k v_k \delta(x - t_k)` is :math:`\|g\|_{L^1} + \sum_k |v_k|`.

    .. math:: \|f\|_M = \sup_{\varepsilon > 0} \int_{-\infty}^\infty
              \left| \int_{-\infty}^\infty f(x)\, g_\varepsilon(y - x)\, dx \right| dy

    (The printed formula has the absolute value around the wrong integral.)

    Parameters
    ----------
    measure : f, such as the second derivative of a network, ``rs.radon.second_derivative(net)``.
    expected : its norm.

    Returns
    -------
    Report
        Smoothing never raises the norm above `expected`, less smoothing never lowers it, and at a standard deviation of
        1e-4 it has been reached to 2e-3: impulses of opposite signs that lie close cancel until then. The integrals are
        those of :meth:`ridgesplines.radon.LineMeasure.mollified_norm`, to 1e-4.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> measure = rs.radon.LineMeasure([-0.5, 0.5], [1.0, -2.0])
    >>> rs.theorems.measure_norm(measure, 3.0).holds, rs.theorems.measure_norm(measure, 1.0).holds
    (True, False)
    """
    norms = np.array([measure.mollified_norm(width**2) for width in WIDTHS])
    measures = (
        at_most("largest norm of a smoothing over the norm, less 1", norms.max() / expected - 1.0, 1e-4),
        at_least("norm at standard deviation 1e-4 over the norm, less 1", norms[-1] / expected - 1.0, -2e-3),
        at_least("least change of the norm as smoothing gets less, relative", np.diff(norms).min() / expected, -2e-4),
    )
    claim = "the M-norm is the limit of L1 norms of Gaussian smoothings: |g| plus the sum of |v|"
    return Report(claim, "(16)", measures, lambda figure: _draw(figure, measure, norms, expected))


def _draw(figure: Figure, measure: LineMeasure, norms: Array, expected: float) -> None:
    left, right = figure.subplots(1, 2)
    y = np.linspace(measure.sites.min() - 1.0, measure.sites.max() + 1.0, 2000)
    for width in (0.2, 0.1, 0.03):
        impulses = norm.pdf(y[:, None], measure.sites, width) @ measure.masses
        left.plot(y, impulses, linewidth=1.0, label=f"$\\sqrt{{\\varepsilon}}$ = {width:g}")
    left.set(title="its impulses, smoothed", xlabel="y")
    left.legend(frameon=False)
    right.semilogx(WIDTHS, norms, "o-", color=FIT)
    right.axhline(expected, color="black", linewidth=0.8)
    right.invert_xaxis()
    right.set(xlabel="standard deviation $\\sqrt{\\varepsilon}$", ylabel="$L^1$ norm", title="it rises to the M-norm")
