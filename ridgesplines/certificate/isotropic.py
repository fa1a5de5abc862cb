r"""Scales: from a problem that has them to the one without, in which everything is solved and proven, and back.

With :math:`S = \mathrm{diag}(\text{scales})` and an origin o near the data, :math:`f(x) = g(S^{-1}(x - o))` has the
same fit, and :math:`\sum_k |v_k| \|S w_k\|` is the plain seminorm of g: the two problems have the same objective,
function by function, the same dual vectors and the same dual values. Only neurons have other coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ridgesplines.certificate.certificate import DualCertificate
from ridgesplines.certificate.multipliers import MonotoneMultipliers, ShapeMultipliers, SlopeMultipliers
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The coordinates of `problem.isotropic`, (x - origin)/scales; those of x themselves where there are no scales.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> coordinates = Coordinates(rs.Problem([[0.0, 10.0], [1.0, 30.0]], [0.0, 1.0], lam=1.0, scales=[1.0, 10.0]))
    >>> net = coordinates.network(rs.RidgeSpline([[0.6, 0.08]], [1.0], [1.0]))
    >>> round(net.seminorm, 6), coordinates.restored(net).weights.round(6).tolist()
    (1.0, [[0.991228, 0.132164]])
    """

    problem: Problem

    @property
    def scales(self) -> Array:
        s = self.problem.scales
        return np.ones(self.problem.n_features) if s is None else s

    def network(self, network: RidgeSpline) -> RidgeSpline:
        """A network of x, in these coordinates."""
        return network if self.problem.scales is None else network.composed(self.scales, self.problem.origin)

    def restored(self, network: RidgeSpline) -> RidgeSpline:
        """A network of these coordinates, as one of x."""
        p = self.problem
        if p.scales is None:
            return network
        net = network.composed(1.0 / self.scales, -p.origin / self.scales)
        return net.changed(feature_names=p.feature_names, dates=p.dates)

    def neurons(self, W: Array, b: Array) -> tuple[Array, Array]:
        """Weights (m, d) and biases (m,) of neurons of x in these coordinates."""
        if self.problem.scales is None:
            return W, b
        return W * self.scales, b - W @ self.problem.origin

    def restored_neurons(self, W: Array, b: Array) -> tuple[Array, Array]:
        """The inverse of `neurons`."""
        if self.problem.scales is None:
            return W, b
        W = W / self.scales
        return W, b + W @ self.problem.origin

    def certificate(self, certificate: DualCertificate) -> DualCertificate:
        """A certificate of the problem, as one of `problem.isotropic`."""
        if self.problem.scales is None:
            return certificate
        p, peaks = self.problem, self.neurons(*certificate.peaks)
        shared = p.in_blocks is None and certificate.X is p.X  # a start may be of other rows
        X = p.isotropic.X if shared else (certificate.X - p.origin) / self.scales
        return self._moved(certificate, p.isotropic, X, peaks, 1.0 / self.scales)

    def restored_certificate(self, certificate: DualCertificate) -> DualCertificate:
        """The inverse of `certificate`."""
        if self.problem.scales is None:
            return certificate
        p, peaks = self.problem, self.restored_neurons(*certificate.peaks)
        return self._moved(certificate, p, p.X if p.in_blocks is None else certificate.X, peaks, self.scales)

    def _moved(
        self, certificate: DualCertificate, problem: Problem, X: Array, peaks: tuple[Array, Array], scales: Array
    ) -> DualCertificate:
        m = certificate.multipliers
        if isinstance(m, MonotoneMultipliers):
            m = replace(m, slopes=scales * m.slopes)
        elif isinstance(m, SlopeMultipliers):
            m = replace(m, X=X)
        elif isinstance(m, ShapeMultipliers):
            s, into = float(scales[0]), problem is not self.problem
            origin = float(self.problem.origin[0])
            points, sites = (s * (x - origin) if into else origin + s * x for x in (m.points, m.sites))
            m = ShapeMultipliers(points, m.at_points, sites, s * m.slopes, s * m.ends)
        return certificate.moved(problem, X, peaks, m)
