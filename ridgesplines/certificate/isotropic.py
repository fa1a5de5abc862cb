r"""Scales: from a problem that has them to the one without, in which everything is solved and proven, and back.

With :math:`S = \mathrm{diag}(\text{scales})`, T that of output scales, and an origin o near the data,
:math:`f(x) = T g(S^{-1}(x - o))` fits as g does, and :math:`\sum_k \|T^{-1} v_k\| \|S w_k\|` is the plain seminorm of
g: the two problems have the same objective, function by function, and the same dual values; a dual vector of f is
:math:`T^{-1}` times that of g. Only neurons have other coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ridgesplines.certificate.certificate import DualCertificate
from ridgesplines.certificate.multipliers import (
    CornerMultipliers,
    MonotoneMultipliers,
    ShapeMultipliers,
    SlopeMultipliers,
)
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The coordinates of `problem.isotropic`, (x - origin)/scales and y/output_scales; those of x and y without any.

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
    def same(self) -> bool:
        """Whether they are those of x and y themselves."""
        return self.problem.isotropic is self.problem

    @property
    def scales(self) -> Array:
        s = self.problem.scales
        return np.ones(self.problem.n_features) if s is None else s

    @property
    def outputs(self) -> Array | float:
        """The lengths in which outputs are measured."""
        return 1.0 if self.problem.output_scales is None else self.problem.output_scales

    def network(self, network: RidgeSpline) -> RidgeSpline:
        """A network of x, in these coordinates."""
        if self.same:
            return network
        return _times(network.composed(self.scales, self.problem.origin), 1.0 / self.outputs)

    def restored(self, network: RidgeSpline) -> RidgeSpline:
        """A network of these coordinates, as one of x."""
        p = self.problem
        if self.same:
            return network
        net = _times(network.composed(1.0 / self.scales, -p.origin / self.scales), self.outputs)
        return net.changed(feature_names=p.feature_names, dates=p.dates)

    def neurons(self, W: Array, b: Array) -> tuple[Array, Array]:
        """Weights (m, d) and biases (m,) of neurons of x in these coordinates."""
        if self.same:
            return W, b
        return W * self.scales, b - W @ self.problem.origin

    def restored_neurons(self, W: Array, b: Array) -> tuple[Array, Array]:
        """The inverse of `neurons`."""
        if self.same:
            return W, b
        W = W / self.scales
        return W, b + W @ self.problem.origin

    def certificate(self, certificate: DualCertificate) -> DualCertificate:
        """A certificate of the problem, as one of `problem.isotropic`."""
        if self.same:
            return certificate
        p, peaks = self.problem, self.neurons(*certificate.peaks)
        shared = p.in_blocks is None and certificate.X is p.X  # a start may be of other rows
        X = p.isotropic.X if shared else (certificate.X - p.origin) / self.scales
        return self._moved(certificate, p.isotropic, X, peaks, 1.0 / self.scales, self.outputs)

    def restored_certificate(self, certificate: DualCertificate) -> DualCertificate:
        """The inverse of `certificate`."""
        if self.same:
            return certificate
        p, peaks = self.problem, self.restored_neurons(*certificate.peaks)
        X = p.X if p.in_blocks is None else certificate.X
        return self._moved(certificate, p, X, peaks, self.scales, 1.0 / self.outputs)

    def _moved(
        self,
        certificate: DualCertificate,
        problem: Problem,
        X: Array,
        peaks: tuple[Array, Array],
        scales: Array,
        outputs: Array | float,
    ) -> DualCertificate:
        m = certificate.multipliers
        if isinstance(m, MonotoneMultipliers):
            m = replace(m, slopes=scales * m.slopes)
        elif isinstance(m, SlopeMultipliers):
            m = replace(m, X=X, dual=m.dual * outputs)
        elif isinstance(m, ShapeMultipliers):
            s, into = float(scales[0]), problem is not self.problem
            origin = float(self.problem.origin[0])
            points, sites = (s * (x - origin) if into else origin + s * x for x in (m.points, m.sites))
            m = ShapeMultipliers(points, m.at_points, sites, s * m.slopes, s * m.ends)
        elif isinstance(m, CornerMultipliers):
            m = CornerMultipliers.of(problem, certificate.dual * outputs)
        moved = certificate.moved(problem, X, peaks, m)
        return moved if isinstance(outputs, float) else replace(moved, dual=moved.dual * outputs)


def _times(network: RidgeSpline, factors: Array | float) -> RidgeSpline:
    """The network whose outputs are so many times as large."""
    if isinstance(factors, float):
        return network
    net = network
    return net.changed(amplitudes=net.amplitudes * factors, slope=net.slope * factors, offset=net.offset * factors)
