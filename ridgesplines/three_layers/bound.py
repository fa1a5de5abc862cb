r"""What three layers say of deep networks: a lower bound on problem (34) with norms and L = 2, as good as the search.

The functions f of :func:`solve_three_layers` with free constants have the seminorm P(f), the least
:math:`\sum_j |v_j| \|g_j\|_\circ`. For :math:`f = f^{(2)} \circ f^{(1)}` with A the norm of :math:`f^{(2)}` and B the
sum of those of the outputs of :math:`f^{(1)}`, :math:`P(f) \le \kappa A B`, with :math:`\kappa = 1` for one bottleneck
and :math:`3 / (2 \sqrt 2)` for more. Since :math:`A + B \ge 2 \sqrt{A B}`,

.. math:: \sum_n s_n L(y_n, f(x_n)) + \lambda (A + B) \;\ge\;
          \min_{t \ge 0} \Big[ 2 \lambda \sqrt{t / \kappa} + E(t) \Big], \qquad
          E(t) = \min_{P(f) \le t} \sum_n s_n L(y_n, f(x_n))

and by weak duality :math:`E(t) \ge D(u) - t \sup_g |\sum_n u_n \rho(g(x_n))|` for every u that sums to zero. The proof
stands in the mathematics of the documentation.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from ridgesplines.exceptions import ConvergenceWarning, ProblemError
from ridgesplines.interrupt import Deferral, asked
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import objective_of_fit, relative
from ridgesplines.problem import Problem
from ridgesplines.three_layers.ball import norm
from ridgesplines.three_layers.solution import ThreeLayerSolution, dual_value
from ridgesplines.three_layers.solve import solve_three_layers
from ridgesplines.validation import Array, real_number, rounded_up, whole_number
from ridgesplines.verdict import Scope

#: P(f) is at most so many times the product of the norms, for more than one bottleneck.
SEVERAL_BOTTLENECKS = 3.0 / (2.0 * np.sqrt(2.0))
#: The slope of a new line at least, as a part of that of the steeper neighbour.
FLATTER = 1.0 / 16.0
MAX_LINES = 20
#: A lam at which a constant is best, whatever the data.
NO_UNITS = 1e100


@dataclass(frozen=True, eq=False)
class DeepLowerBound:
    r"""A lower bound on problem (34) with norms and L = 2, as good as the search behind it; it proves nothing.

    Attributes
    ----------
    problem : the data, the loss and lam of (34).
    bottlenecks : the number of outputs of the first layer, for which it was made; more than one are all the same.
    solutions : those of `solve_three_layers` whose dual vectors give the lines.
    seconds : what it took.

    Notes
    -----
    Lines :math:`D(u) - t S(u)`, with S(u) the largest :math:`|\sum_n u_n \rho(g(x_n))|` that was found, lie below E(t)
    where that is the supremum. All numbers are computed from the dual vectors and the data.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(-1.0, 1.0, 10)
    >>> bound = rs.deep_lower_bound(rs.Problem(x, np.abs(x), lam=0.05), tol=0.05)
    >>> fold = rs.RidgeSpline([[1.0]], [0.0], [[2.0]], slope=[[-1.0]], offset=[0.0])  # |x|
    >>> straight = rs.RidgeSpline(np.empty((0, 1)), [], [], [1.0])
    >>> round(bound.objective((fold, straight)), 6), bool(bound.value < 0.2), bound.scope
    (0.2, True, 'searched')
    """

    problem: Problem
    bottlenecks: int
    solutions: tuple[ThreeLayerSolution, ...]
    seconds: float = 0.0

    @property
    def scope(self) -> Scope:
        """Always ``"searched"``."""
        return Scope.SEARCHED

    @cached_property
    def lines(self) -> Array:
        """(D(u), S(u)) of each dual vector, and of u = 0; (m, 2)."""
        own = [(dual_value(self.problem, s.dual), s.sup) for s in self.solutions]
        return np.array([(dual_value(self.problem, np.zeros(self.problem.n_samples)), 0.0), *own])

    def data_fit(self, t: Array) -> Array:
        """The lower bound on E(t), the least data fit of path norm t, shape of t."""
        return (self.lines[:, 0] - np.multiply.outer(t, self.lines[:, 1])).max(axis=-1)

    def penalised(self, t: Array) -> Array:
        r""":math:`2 \lambda \sqrt{t/\kappa}` more, shape of t."""
        return self._price(t) + self.data_fit(t)

    @cached_property
    def path_norm(self) -> float:
        """t at which the least value is. Concave between the corners of the lines, it is at one of them."""
        pairs = [(a, b) for a, b in combinations(self.lines.tolist(), 2) if a[1] != b[1]]
        crossings = [(a[0] - b[0]) / (a[1] - b[1]) for a, b in pairs]
        t = np.array([0.0, *(crossing for crossing in crossings if crossing > 0.0)])
        return float(t[np.argmin(self.penalised(t))])

    @property
    def value(self) -> float:
        """The bound."""
        return float(self.penalised(np.array(self.path_norm)))

    @property
    def slopes(self) -> tuple[float, float]:
        """The steepness of the lines that meet there, to the left and to the right."""
        values = self.lines[:, 0] - self.path_norm * self.lines[:, 1]
        meeting = self.lines[values >= values.max() - 1e-9 * (abs(values.max()) + 1e-300), 1]
        return float(meeting.max()), float(meeting.min())

    @property
    def attained(self) -> float:
        """The least of the same sum with the data fits that the solutions reach: no line lifts the bound above it."""
        values = [self._price(s.seminorm) + s.data_fit for s in self.solutions]
        return float(min(values))

    def _price(self, t: Array | float) -> Any:
        kappa = 1.0 if self.bottlenecks == 1 else SEVERAL_BOTTLENECKS
        return 2.0 * self.problem.lam * np.sqrt(np.asarray(t) / kappa)

    def objective(self, layers: Sequence[RidgeSpline]) -> float:
        r"""That of (34) with norms, :math:`\sum_n s_n L + \lambda (\|f^{(2)}\| + \sum_i \|f^{(1)}_i\|)`, of two layers.

        Where :math:`\|f\|` is the seminorm plus :math:`|f(0)| + \sum_k |f(e_k) - f(0)|`.
        """
        inner, outer = self._checked(layers)
        return objective_of_fit(self.problem, outer(inner(self.problem.X)), norm(inner) + norm(outer))

    def _checked(self, layers: Sequence[RidgeSpline]) -> Sequence[RidgeSpline]:
        """Two layers that fit the problem and each other."""
        got = [f"{layer.n_features} -> {layer.n_outputs or 1}" for layer in layers]
        fits = len(layers) == 2 and layers[0].n_features == self.problem.n_features and layers[1].n_outputs is None
        if not fits or layers[1].n_features != layers[0].n_outputs:
            expected = f"two RidgeSplines, from {self.problem.n_features} features to D outputs, and from D to one"
            raise ProblemError("layers", expected, ", ".join(got) or "none", "Pass the layers of a DeepSolution.")
        if self.bottlenecks == 1 and layers[1].n_features > 1:
            got = [f"{layers[1].n_features} bottlenecks"]
            raise ProblemError("layers", "one bottleneck", got[0], "Pass bottlenecks=2 to deep_lower_bound.")
        return layers

    def relative_gap(self, layers: Sequence[RidgeSpline]) -> float:
        """What the objective of two layers lies above the bound, over the objective: an estimate."""
        objective = self.objective(layers)
        return relative(self.problem, objective - self.value, objective)

    def summary(self, layers: Sequence[RidgeSpline] | None = None) -> str:
        """The bound in a few lines, beside the objective of two layers if these are passed."""
        p = self.problem
        rows = [
            ("problem", f"(34) with norms, N = {p.n_samples}, d = {p.n_features}, {p.loss!r}, lam = {p.lam:.6g}"),
            ("lower bound", f"{self.value:.8g} ({self.scope}: an estimate, not a proven bound)"),
        ]
        if layers is not None:
            rows.append(("objective", f"{self.objective(layers):.8g} of these layers"))
            rows.append(("difference", f"{rounded_up(self.relative_gap(layers))} of the objective ({self.scope})"))
        rows.append(("lines", f"{len(self.lines)}, the least value at path norm {self.path_norm:.6g}"))
        rows.append(("seconds", f"{self.seconds:.1f}"))
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)

    def __repr__(self) -> str:
        return f"DeepLowerBound({self.value:.8g}, {self.scope}, {self.seconds:.1f} s)"


def deep_lower_bound(
    problem: Problem,
    bottlenecks: int = 1,
    *,
    tol: float = 1e-2,
    starts: int = 16,
    max_time: float = 120.0,
    random_state: int = 0,
) -> DeepLowerBound:
    r"""A lower bound, as good as a search, on what any network of two ridge-spline layers reaches in (34) with norms.

    .. math:: \min_{f^{(1)}, f^{(2)}} \; \sum_n s_n L(y_n, f^{(2)} \circ f^{(1)}(x_n))
              + \lambda \Big( \|f^{(2)}\| + \sum_i \|f^{(1)}_i\| \Big) \;\ge\;
              \min_{t \ge 0} \Big[ 2 \lambda \sqrt{t/\kappa} + E(t) \Big]

    with :math:`\|f\|` the seminorm plus :math:`|f(0)| + \sum_k |f(e_k) - f(0)|`, and E(t) the least data fit of
    functions of three layers whose path norm is at most t.

    Parameters
    ----------
    problem : as for `solve_three_layers`; its lam is that of (34).
    bottlenecks : of the network; :math:`\kappa = 1` for one, and :math:`3/(2\sqrt 2)` for any larger number.
    tol : where the minimum over t is known this well, relative, no further line is sought.
    starts, random_state : of the search, as for `solve_three_layers`.
    max_time : seconds, positive, for all of them together.

    Returns
    -------
    DeepLowerBound
        Its scope is ``"searched"``: a supremum over functions that is larger than what the search found would lower it.

    Raises
    ------
    ProblemError, SolverRefusal
        As `solve_three_layers`.

    Notes
    -----
    Some five to ten problems of three layers, each from the last one's units.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(-1.0, 1.0, 10)
    >>> bound = rs.deep_lower_bound(rs.Problem(x, np.abs(x), lam=10.0))
    >>> round(bound.value, 6), round(float(((np.abs(x) - np.abs(x).mean()) ** 2).sum()), 6)  # a constant is best
    (0.987654, 0.987654)
    """
    began = time.perf_counter()
    real_number("max_time", max_time, "a positive number of seconds", 0.0, open_=True)
    whole_number("bottlenecks", bottlenecks, 1)
    with Deferral(answers=True):  # around all of them, so that Ctrl-C does not end one alone
        return _with_lines(problem, int(bottlenecks), tol, starts, began, max_time, random_state)


def _with_lines(
    problem: Problem, bottlenecks: int, tol: float, starts: int, began: float, max_time: float, random_state: int
) -> DeepLowerBound:
    """The bound after as many lines as it takes, each where the two that meet at the least value leave most room."""
    lam, solutions = NO_UNITS, tuple[ThreeLayerSolution, ...]()
    while True:
        left = max(began + max_time - time.perf_counter(), 1e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # any dual vector gives a line
            further = solve_three_layers(
                problem.with_lam(lam),
                skip=False,
                tol=tol / 4.0,
                starts=starts,
                max_time=left,
                start=solutions[-1] if solutions else None,
                random_state=random_state,
            )
        solutions = (*solutions, further)
        bound = DeepLowerBound(problem, bottlenecks, solutions, time.perf_counter() - began)
        settled = bound.path_norm == 0.0 or bound.attained - bound.value <= tol * abs(bound.attained)
        if settled or asked() or bound.seconds > max_time or len(solutions) >= MAX_LINES:
            return bound
        steep, flat = bound.slopes
        lam = float(np.sqrt(steep * max(flat, FLATTER * steep)))
