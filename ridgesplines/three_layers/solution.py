"""A function of three layers, with what can be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ridgesplines.certificate.dual import best_scale
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import objective_of_fit, relative
from ridgesplines.problem import Problem
from ridgesplines.three_layers.ball import size
from ridgesplines.validation import Array, rounded_up
from ridgesplines.verdict import Scope, Status


def scaled_value(problem: Problem, u: Array, sup: float) -> float:
    """D(tau u) of the best tau with tau sup <= lam."""
    return best_scale(problem, u, sup, lambda tau: dual_value(problem, tau * u))[1]


def dual_value(problem: Problem, u: Array) -> float:
    r""":math:`D(u) = -\sum_n s_n L^*(y_n, -u_n / s_n)`, over the rows of positive weight."""
    p, v = problem.reduced, u[problem.rows]
    return -float(p.sample_weight @ p.loss.conjugate(p.y, -v / p.sample_weight))


@dataclass(frozen=True, eq=False)
class ThreeLayerSolution:
    r"""A function of three layers, its objective, and how near to the optimum it is as far as a search can tell.

    .. math:: f(x) = \sum_{j=1}^J v_j\, \rho(g_j(x)) + c^T x + c_0

    Attributes
    ----------
    problem : the data, the loss and lam.
    functions : :math:`g_1, \dots, g_J`, RidgeSplines with :math:`\|g_j\|_\circ = 1`.
    amplitudes : v, shape (J,).
    slope, offset : c, shape (d,), and :math:`c_0`.
    dual : u, shape (N,), orthogonal to what is free.
    sup : the largest :math:`|\sum_n u_n \rho(g(x_n))|` that was found; the supremum may be larger.
    skip : whether all affine functions are free, or constants alone.
    status : ``"converged"``, ``"not converged"`` or ``"interrupted"``.
    history : ``["objective"]`` and ``["gap"]``, relative, after each round.
    seconds : what it took.

    Notes
    -----
    Objective and gap are computed from the function, the dual vector and the data. The gap is an estimate, no bound.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(-1.0, 1.0, 8)
    >>> f = rs.solve_three_layers(rs.Problem(x, np.abs(x), lam=0.1))
    >>> f.scope, round(f.seminorm, 6) == round(float(np.abs(f.amplitudes).sum()), 6)
    ('searched', True)
    >>> inner, outer = f.layers()
    >>> bool(np.allclose(outer(inner(x)), f(x)))
    True
    """

    problem: Problem
    functions: tuple[RidgeSpline, ...]
    amplitudes: Array
    slope: Array
    offset: float
    dual: Array
    sup: float
    skip: bool = True
    status: Status = Status.CONVERGED
    history: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def __call__(self, X: Any) -> Array:
        """f at the rows of X, shape (N,)."""
        f = RidgeSpline(np.empty((0, len(self.slope))), [], [], self.slope, self.offset)(X)
        for v, g in zip(self.amplitudes, self.functions, strict=True):
            f = f + v * np.maximum(g(X), 0.0)
        return f

    predict = __call__

    @property
    def n_units(self) -> int:
        """J, the units of the second hidden layer."""
        return len(self.functions)

    @property
    def n_neurons(self) -> int:
        """The distinct neurons of the first hidden layer."""
        return len(self._neurons)

    @cached_property
    def _neurons(self) -> Array:
        """Their (w, b), (K, d + 1)."""
        rows = [np.column_stack([g.weights, g.biases]) for g in self.functions]
        return np.unique(np.vstack([np.empty((0, len(self.slope) + 1)), *rows]), axis=0)

    @cached_property
    def seminorm(self) -> float:
        r""":math:`\sum_j |v_j| \|g_j\|_\circ`."""
        return float(sum(abs(v) * size(g) for v, g in zip(self.amplitudes, self.functions, strict=True)))

    @cached_property
    def data_fit(self) -> float:
        """The weighted sum of the losses."""
        return objective_of_fit(self.problem, self(self.problem.X), 0.0)

    @property
    def objective(self) -> float:
        """data_fit + lam * seminorm."""
        return self.data_fit + self.problem.lam * self.seminorm

    @property
    def scope(self) -> Scope:
        """Always ``"searched"``: no supremum over functions is proven."""
        return Scope.SEARCHED

    @cached_property
    def dual_value(self) -> float:
        """D(tau u) of the best tau with tau sup <= lam: no lower bound, for the supremum may be larger than `sup`."""
        return scaled_value(self.problem, self.dual, self.sup)

    @property
    def gap(self) -> float:
        """objective - dual_value, an estimate."""
        return self.objective - self.dual_value

    @property
    def relative_gap(self) -> float:
        """The gap over the objective."""
        return relative(self.problem, self.gap, self.objective)

    def layers(self) -> tuple[RidgeSpline, RidgeSpline]:
        r"""f as a composition :math:`f^{(2)} \circ f^{(1)}` of ridge splines, with J bottlenecks.

        One more where c is not zero. Scaled so that amplitudes of both have the same sum.
        """
        v, straight = self.amplitudes, [self.slope] if self.slope.any() else []
        J, D = len(v), len(v) + len(straight)
        s, theta = float(np.sqrt(np.abs(v).sum() / max(J, 1))) or 1.0, self._neurons
        A, place = np.zeros((len(theta), D)), {tuple(row): k for k, row in enumerate(theta.tolist())}
        for j, g in enumerate(self.functions):
            own = [place[tuple(row)] for row in np.column_stack([g.weights, g.biases]).tolist()]
            A[own, j] = s * g.amplitudes
        slope = np.column_stack([np.empty((len(self.slope), 0)), *(s * g.slope for g in self.functions), *straight])
        offset = np.array([*(s * g.offset for g in self.functions), *np.zeros(len(straight))])
        inner = RidgeSpline(theta[:, :-1], theta[:, -1], A, slope, offset)
        return inner, RidgeSpline(np.eye(J, D), np.zeros(J), v / s, 1.0 * (np.arange(D) >= J), self.offset)

    def summary(self) -> str:
        """The result in a few lines."""
        p, free = self.problem, "affine functions free" if self.skip else "constants free"
        rows = [
            ("problem", f"three layers, N = {p.n_samples}, d = {p.n_features}, {p.loss!r}, lam = {p.lam:.6g}, {free}"),
            ("status", f"{self.status}, {self.seconds:.1f} s"),
            ("units", f"J = {self.n_units} of {self.n_neurons} neurons"),
            ("objective", f"{self.objective:.10g} = {self.data_fit:.10g} + lam * {self.seminorm:.6g}"),
            ("relative gap", f"{rounded_up(self.relative_gap)} ({self.scope}: an estimate, not a bound)"),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)

    def __repr__(self) -> str:
        return f"ThreeLayerSolution(J={self.n_units}, objective={self.objective:.8g}, {self.status})"
