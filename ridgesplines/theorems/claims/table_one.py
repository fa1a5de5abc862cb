r"""Table 1: the sparsifying transform of each activation, by its frequency response."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.activations import ACTIVATIONS
from ridgesplines.activations.base import Activation
from ridgesplines.plotting.style import DASHES, SERIES
from ridgesplines.theorems.quadrature import pieces
from ridgesplines.theorems.report import Measure, Report, at_least, at_most, timed
from ridgesplines.validation import Array

#: Centres and standard deviations of the test functions.
CENTRES, WIDTHS = (-1.5, -0.4, 0.0, 0.7, 2.0), (0.5, 1.0, 2.0)


def instance(seed: int) -> tuple[tuple[Activation, ...]]:
    """Every activation of the library, as Table 1 has it; there is nothing random."""
    return (tuple(kind() for kind in ACTIVATIONS),)


@timed
def check(activations: Sequence[Activation]) -> Report:
    r"""Table 1: each activation is sparsified by the operator whose frequency response stands beside it.

    .. math:: H \sigma = \delta, \qquad \widehat H(\omega)\, \widehat\sigma(\omega) = 1

    In the sense of distributions: for :math:`\psi = D^m g`, the m-th derivative of a Gaussian, where m is the order of
    the zero of :math:`\widehat H` at 0 (so that the null space is not seen),

    .. math:: \int \sigma(x)\, \psi(x)\, dx
              = \frac{1}{2 \pi} \int \frac{\widehat\psi(-\omega)}{\widehat H(\omega)}\, d\omega

    Parameters
    ----------
    activations : whose `value`, `symbol`, `degree` = m - 1, and `homogeneity` are compared.

    Returns
    -------
    Report
        The largest difference of both sides over Gaussians of several centres and widths, relative to the largest; and
        the order of the zero, read off at small frequencies. And which of them are homogeneous, on which it depends
        whether weight decay makes networks sparse (Section V).

    Examples
    --------
    >>> import ridgesplines as rs
    >>> rs.theorems.table_one([rs.ReLU()]).holds
    True
    """
    measures = []
    for activation in activations:
        name, m = repr(activation), activation.degree + 1
        pairs = np.array([_sides(activation, m, c, s) for c, s in product(CENTRES, WIDTHS)])
        difference = float(np.abs(pairs[:, 0] - pairs[:, 1]).max() / np.abs(pairs[:, 0]).max())
        small = np.abs(activation.symbol(np.array([1e-4, 2e-4])))
        order = float(np.log2(small[1] / small[0]))
        measures += [
            at_most(f"{name}: both sides of H sigma = delta, relative", difference, 1e-8),
            at_most(f"{name}: order of the zero at 0, less {m}", abs(order - m), 1e-3),
        ]
        measures.append(_homogeneous(activation, name))
    claim = "activations and the frequency responses of the transforms that sparsify them"
    return Report(claim, "Table 1", tuple(measures), lambda figure: _draw(figure, activations))


def _homogeneous(activation: Activation, name: str) -> Measure:
    r"""Whether :math:`\sigma(2 t) / \sigma(t)` is :math:`2^k` for all t > 0; or, where no k is claimed, no constant."""
    t = np.linspace(0.1, 5.0, 50)
    ratio = activation.value(2.0 * t) / activation.value(t)
    if (k := activation.homogeneity) is None:
        return at_least(f"{name}: not homogeneous, spread of sigma(2t) / sigma(t)", float(np.ptp(ratio)), 0.1)
    return at_most(f"{name}: homogeneous of degree {k}, deviation", float(np.abs(ratio / 2.0**k - 1.0).max()), 1e-12)


def _sides(activation: Activation, m: int, centre: float, s: float) -> tuple[float, complex]:
    """The two integrals for the m-th derivative of a Gaussian."""
    x, dx = pieces(np.append(centre + s * np.arange(-12.0, 13.0), 0.0))
    z = (x - centre) / s
    gaussian = np.exp(-(z**2) / 2.0) / (np.sqrt(2.0 * np.pi) * s)
    derivative = (-1.0 / s) ** m * np.polynomial.hermite_e.hermeval(z, np.eye(m + 1)[m]) * gaussian
    omega, domega = pieces(np.arange(-12.0, 13.0) / s)
    transform = (-1j * omega) ** m * np.exp(1j * omega * centre - (s * omega) ** 2 / 2.0)
    left = float(dx @ (activation.value(x) * derivative))
    return left, complex(domega @ (transform / activation.symbol(omega)) / (2.0 * np.pi))


def _draw(figure: Figure, activations: Sequence[Activation]) -> None:
    """The activations, and the size of their frequency responses."""
    left, right = figure.subplots(1, 2)
    t, omega = np.linspace(-3.0, 3.0, 601), np.linspace(1e-2, 3.0, 400)
    for i, activation in enumerate(activations):
        style = {"color": SERIES[i % len(SERIES)], "linestyle": DASHES[i % len(DASHES)], "label": repr(activation)}
        values: Array = activation.value(t)
        left.plot(t, values / np.abs(values).max(), **style)
        right.semilogy(omega, np.abs(activation.symbol(omega)), **style)
    left.set(xlabel="t", title="$\\sigma(t)$, largest value 1")
    right.set(xlabel="$\\omega$", title="$|\\hat H(\\omega)|$")
    left.legend(frameon=False, fontsize=8)
