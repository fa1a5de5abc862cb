"""Truncated powers: splines of higher degree."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, factorial

import numpy as np

from ridgesplines.activations.base import Activation
from ridgesplines.activations.peaks import Peaks, size, smooth_peaks, sums
from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import Array

#: The highest order: beyond it k! is no float.
HIGHEST = 170
#: In units of the largest coefficient of a polynomial.
TINY = 1e-14
#: Local maxima that are evaluated to rounding: so many, and all that sums of powers cannot tell from the largest.
MOST_PEAKS = 256
LOST = 1e-12


@dataclass(frozen=True)
class TruncatedPower(Activation):
    r"""The truncated power of order k, sparsified by the derivative of order k + 1.

    .. math:: \sigma(t) = \frac{\max\{0, t\}^k}{k!}, \qquad D^{k+1} \sigma = \delta, \qquad
              \widehat H(\omega) = (j\omega)^{k+1}

    Networks are splines of degree k, for d = 1 the locally adaptive regression splines of [2]_, knots free; k = 1 is
    :class:`ReLU`, which has solvers of its own.

    Parameters
    ----------
    order : k, a whole number >= 1.

    Notes
    -----
    The null space is the polynomials of total degree up to k. Up to one of these, a neuron is even or odd:
    :math:`\sigma(t) - (-1)^{k+1} \sigma(-t) = t^k / k!`, so half the sphere is enough.

    Homogeneous of degree k: :math:`\sigma(\gamma t) = \gamma^k \sigma(t)`, so :math:`v\,\sigma(w^T x - b)` has the
    seminorm :math:`|v| \|w\|^k`. What that buys: for k = 1 weight decay is the seminorm at balance,
    :math:`|v| = \|w\|`. For k >= 2 the weight decay :math:`\frac12 (|v|^2 + \|w\|^2)` is least at
    :math:`k |v|^2 = \|w\|^2`, where it is a multiple of :math:`(|v| \|w\|^k)^{2/(k+1)}`: sparser still, but not convex,
    and not the seminorm. It is :math:`\frac12 (|v|^2 + \|w\|^{2k})`, least at :math:`|v| = \|w\|^k`, that gives it.

    Knots of an optimal spline need not be at data for k >= 2. Between data the dual certificate is a polynomial of
    degree k in the bias; its peaks are roots of its derivative, found by eigenvalues: exact in floating point.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       Table 1, doi:10.1109/MSP.2023.3286988
    .. [2] E. Mammen, S. van de Geer, Locally adaptive regression splines, Ann. Statist. 25 (1997), 387-413,
       doi:10.1214/aos/1034276635

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.TruncatedPower(2).value(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    order: int = 2

    def __post_init__(self) -> None:
        whole = isinstance(self.order, (int, np.integer)) and not isinstance(self.order, bool)
        if not (whole and 1 <= self.order <= HIGHEST):
            expected = f"a whole number k >= 1, at most {HIGHEST}"
            raise ProblemError("order", expected, repr(self.order), "Pass TruncatedPower(2), say; ReLU() is k = 1.")

    @property
    def homogeneity(self) -> int:
        return self.order

    @property
    def degree(self) -> int:
        return self.order

    def value(self, t: Array) -> Array:
        return np.maximum(t, 0.0) ** self.order / factorial(self.order)

    def derivative(self, t: Array) -> Array:
        if self.order == 1:
            return (np.asarray(t) > 0.0).astype(float)
        return np.maximum(t, 0.0) ** (self.order - 1) / factorial(self.order - 1)

    def steepness(self, reach: float) -> tuple[float, float]:
        first = reach ** (self.order - 1) / factorial(self.order - 1)
        return first, float(self._bend(np.array(0.0), np.array(reach))) if self.order > 1 else np.inf

    def symbol(self, omega: Array) -> Array:
        return (1j * np.asarray(omega, dtype=float)) ** (self.order + 1)

    def rescaled(self, radius: float) -> tuple[TruncatedPower, float]:
        return self, radius**self.order

    def peaks(self, p: Array, u: Array, prove: bool) -> Peaks:
        sites = np.unique(p)
        if u.ndim == 2 and self.order > 1 and len(sites) > 1:  # the norm of a vector of polynomials: numerically
            edges = np.unique(sites[:-1, None] + np.diff(sites)[:, None] * np.linspace(0.0, 1.0, 5))
            return smooth_peaks(self.value, self.derivative, self._bend, p, u, np.append(edges, sites[-1]), prove)
        candidates = self._candidates(sites, p, u) if u.ndim == 1 else sites
        eta = sums(self.value, p, candidates, u)
        return Peaks(candidates, float(size(eta).max()), True)

    def _bend(self, low: Array, high: Array) -> Array:
        """The largest second derivative on [low, high]; at t = 0 that of order two jumps."""
        return np.where(high > 0.0, np.maximum(high, 0.0) ** (self.order - 2), 0.0) / factorial(self.order - 2)

    def _candidates(self, sites: Array, p: Array, u: Array) -> Array:
        """The local maxima of |eta| over all biases: sites, and between them where the polynomial eta is stationary.

        Those that cannot be the largest, by more than what is lost in sums of powers, are left out beyond some number.
        """
        k = self.order
        if len(sites) < 2:
            return sites
        # With s = b - site: eta = sum_j (-1)^j / (j! (k-j)!) moment_{k-j} s^j. Coefficients, shape (m, k + 1):
        j = np.arange(k + 1)
        factors = (-1.0) ** j / np.array([factorial(i) * factorial(k - i) for i in j], dtype=float)
        coefficients = self._moments(sites, p, u)[:, ::-1] * factors
        interval, root = _roots_between(np.diff(sites), coefficients[:, 1:] * j[1:]) if k > 1 else (j[:0], sites[:0])
        at_roots = np.zeros(len(root))
        for column in coefficients[interval].T[::-1]:  # Horner's rule
            at_roots = at_roots * root + column
        b = np.concatenate([sites, sites[interval] + root])
        height = np.abs(np.concatenate([coefficients[:, 0], [0.0], at_roots]))
        order = np.argsort(b, kind="stable")
        b, height = b[order], height[order]
        peak = np.append(height[:-1] >= height[1:], True) & np.append(True, height[1:] >= height[:-1])
        b, height = b[peak], height[peak]
        if len(b) <= MOST_PEAKS:
            return b
        lost = LOST * float(np.abs(u).sum()) * float(sites[-1] - sites[0]) ** k / factorial(k)
        return b[height >= min(np.partition(height, -MOST_PEAKS)[-MOST_PEAKS], height.max() - lost)]

    def _moments(self, sites: Array, p: Array, u: Array) -> Array:
        """Sums over p_n beyond each site but the last of u_n (p_n - site)^q, q = 0 ... k, from the nearer end."""
        left, k = sites[:-1], self.order + 1
        middle = (sites[0] + sites[-1]) / 2.0
        beyond, near_end = np.searchsorted(p, left, side="right"), left > middle
        about_middle = np.empty((len(left), k))
        for q in range(k):
            terms = u * (p - middle) ** q
            sums_before = np.concatenate([[0.0], np.cumsum(terms)])
            sums_after = np.concatenate([np.cumsum(terms[::-1])[::-1], [0.0]])
            # u is orthogonal to polynomials: what lies beyond is minus what lies before.
            about_middle[:, q] = np.where(near_end, sums_after[beyond], -sums_before[beyond])
        shift = middle - left
        moments = [sum(comb(q, i) * shift ** (q - i) * about_middle[:, i] for i in range(q + 1)) for q in range(k)]
        return np.stack(moments, axis=1)


def _roots_between(width: Array, coefficients: Array) -> tuple[Array, Array]:
    """The rows and the roots s, real and in (0, width), of each row's polynomial, of ascending powers."""
    scaled = coefficients * width[:, None] ** np.arange(coefficients.shape[1])  # in units of the interval
    biggest = np.abs(scaled).max(axis=1)
    row = np.flatnonzero(biggest > 0.0)
    scaled = scaled[row] / biggest[row, None]
    # A leading coefficient of zero is a root at infinity: one that is far away does as well.
    lead = np.where(np.abs(scaled[:, -1]) > TINY, scaled[:, -1], TINY)
    degree = scaled.shape[1] - 1
    companion = np.zeros((len(row), degree, degree))
    companion[:, np.arange(1, degree), np.arange(degree - 1)] = 1.0
    companion[:, :, -1] = -scaled[:, :-1] / lead[:, None]
    roots = np.linalg.eigvals(companion)
    inside = (np.abs(roots.imag) < 1e-6) & (roots.real > 0.0) & (roots.real < 1.0)
    return np.repeat(row, inside.sum(axis=1)), (width[row, None] * roots.real)[inside]
