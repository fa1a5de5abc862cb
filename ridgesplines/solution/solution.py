"""The solution: a network with its certificate. It checks itself."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.degrees_of_freedom import degrees_of_freedom, require_counted
from ridgesplines.certificate.by_rows import CertificateByRows
from ridgesplines.certificate.certificate import DualCertificate
from ridgesplines.certificate.dual import best_scale
from ridgesplines.certificate.isotropic import Coordinates
from ridgesplines.certificate.own_dual import Proven
from ridgesplines.certificate.rounding import gap_rounding
from ridgesplines.certificate.solution_set import Envelope, envelope
from ridgesplines.certificate.uniqueness import proves_unique
from ridgesplines.certificate.violation import FEASIBLE_RTOL, violation
from ridgesplines.exceptions import ConvergenceWarning, ProblemError, warn
from ridgesplines.interrupt import Deferral
from ridgesplines.network.segments import Segments, segments
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.objective import Fit, data_fit, relative, seminorm, slope_cost_of, targets_and_fit
from ridgesplines.oracle import METHODS, Report
from ridgesplines.problem import Problem
from ridgesplines.relaxation.progress import printed
from ridgesplines.relaxation.strengthen import strongest
from ridgesplines.solution import saved, summary
from ridgesplines.solution.summary import short, to_html
from ridgesplines.validation import Array, real_number
from ridgesplines.verdict import Scope, Status

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ridgesplines.inference import Confidence
    from ridgesplines.network.components import Components

CONTRADICTION = "nothing is proven: the dual value lies above the objective, which is a fault of ridgesplines"


@dataclass(frozen=True, eq=False)
class Solution:
    r"""A network, its objective, and how close to the global optimum it provably is.

    .. math:: \text{gap} = \Big(\sum_n s_n L(y_n, f(x_n)) + \lambda \|f\|\Big) - D(\tau u)

    Objective, seminorm and gap are computed here from the network and the data; nothing is taken from a solver.

    Attributes
    ----------
    problem : what was solved; where it has `scales`, seminorm and gap are in these, everything else in units of x.
    network : the RidgeSpline f.
    certificate : the DualCertificate; its `scope` says what the gap means.
    status : ``"converged"``, ``"not converged"``, ``"interrupted"``, ``"trained"`` for a network whose gap is the
        result, ``"evaluated"`` for one that was only measured, ``"refitted"`` for one without penalty.
    solver, seconds, history : the solver that made it, how long it took, certificate included, and what it noted.
    dictionary_gap : for a grid, the relative gap among the grid's own neurons, also where the scope is exact.
    tolerance : the relative gap that the solver was to reach, which decides the status; infinite where there was none.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> solution = rs.solve(problem)
    >>> solution.relative_gap < 1e-9, solution.network.n_neurons <= 2
    (True, True)
    """

    problem: Problem
    network: RidgeSpline
    certificate: DualCertificate
    solver: str = "evaluate"
    status: Status = Status.EVALUATED
    seconds: float = 0.0
    history: Mapping[str, Any] = field(default_factory=dict)
    dictionary_gap: float | None = None
    tolerance: float = float("inf")

    @cached_property
    def isotropic(self) -> Solution:
        """The same solution as one of `problem.isotropic`, in which its figures are computed; itself without scales."""
        if self.problem.isotropic is self.problem:
            return self
        to = Coordinates(self.problem)
        network, certificate = to.network(self.network), to.certificate(self.certificate)
        return replace(self, problem=self.problem.isotropic, network=network, certificate=certificate)

    def restored(self, problem: Problem) -> Solution:
        """A solution of `problem.isotropic`, as one of the problem."""
        if problem.isotropic is problem:
            return self
        of, problem = Coordinates(problem), problem.with_lam(self.problem.lam)
        network, certificate = of.restored(self.network), of.restored_certificate(self.certificate)
        return replace(self, problem=problem, network=network, certificate=certificate)

    @cached_property
    def data_fit(self) -> float:
        """The weighted sum of the losses."""
        return data_fit((own := self.isotropic).problem.reduced, own.network)

    def evaluated(self, fit: Fit | Proven) -> Solution:
        """The same solution, without a second evaluation: `fit` is its `targets_and_fit` for the reduced problem."""
        rounding = fit.rounding if isinstance(fit, Proven) else self._rounding(fit)
        self.__dict__.update(data_fit=fit.data_fit, rounding=rounding)
        return self

    @property
    def seminorm(self) -> float:
        """What lam multiplies: seminorm, in units of scales, without bends at free knots; or the norm, where asked."""
        return seminorm((own := self.isotropic).problem, own.network)

    @cached_property
    def violation(self) -> float:
        """The relative distance of f from satisfying the constraints, on all of R; zero where there are none."""
        return violation((own := self.isotropic).problem, own.network)

    @property
    def objective(self) -> float:
        """data_fit + lam * seminorm; infinite where f violates the constraints by more than 1e-9, relatively."""
        if self.violation > FEASIBLE_RTOL:
            return float("inf")
        return self.data_fit + self.problem.lam * self.seminorm + self.slope_cost

    @cached_property
    def slope_cost(self) -> float:
        r""":math:`\frac{\mu}{2} \|c\|^2`, what the slope costs where `slope_penalty` is positive, zero elsewhere."""
        return slope_cost_of((own := self.isotropic).problem.reduced, own.network)

    @cached_property
    def rounding(self) -> float:
        """The rounding error that objective - certificate.value may have, from the terms that are summed for both."""
        if isinstance(self.certificate, CertificateByRows):
            return self.certificate.rounding
        return (own := self.isotropic)._rounding(targets_and_fit(own.problem.reduced, own.network))

    def _rounding(self, fit: Fit) -> float:
        p, c = self.problem, self.certificate
        sums = gap_rounding(p.reduced, self.network, fit, c.scaled(p.rows), c.value)
        return sums + (c.scale * c.multipliers.missed(self.problem, self.network, c.dual) if c.multipliers else 0)

    @property
    def contradiction(self) -> str | None:
        """In words, how the certificate contradicts the objective, by more than rounding; None where it does not.

        A dual value above the objective proves that one of them is wrong: a fault of this library. (Not so on a grid:
        a network that leaves it may be better than the best on it.)
        """
        if self.certificate.scope is Scope.DICTIONARY or not self.certificate.value > self.objective + self.rounding:
            return None
        return f"the dual value {self.certificate.value:.17g} lies above the objective {self.objective:.17g}"

    @property
    def gap(self) -> float:
        """objective - certificate.value, or the rounding error that it may have where that is more.

        Read `certificate.scope` for what it means. Infinite where there is a `contradiction`: then nothing is proven.
        """
        return self._gap_to(self.certificate.value)

    def _gap_to(self, value: float) -> float:
        return float("inf") if self.contradiction else float(max(self.objective - value, self.rounding))

    @property
    def relative_gap(self) -> float:
        """gap / ``|objective|``; see :func:`ridgesplines.objective.resolution` where the objective is nearly zero."""
        return relative(self.isotropic.problem, self.gap, self.objective)

    @cached_property
    def is_unique(self) -> bool:
        """Whether the dual certificate proves that there is no other minimiser; d = 1 or 2, one output, else False.

        For Squared, Huber, Logistic and Poisson the gap bounds how far the optimal dual vector can be: a proof in
        floating point. For other losses the dual vector is taken to be optimal, and contact counts within 1e-6. In the
        plane it takes O(N^2 log N), and a gap of 1e-10 or less as a rule, as ColumnGeneration(tol=1e-12) reaches.
        """
        return proves_unique((own := self.isotropic).problem, own.certificate, self.gap)

    def envelope(self, x: Any) -> Envelope:
        """Between which values all minimisers lie at x; see :func:`ridgesplines.certificate.solution_set.envelope`."""
        return envelope(self.problem, self.network, self.certificate, self.gap, x)

    @cached_property
    def degrees_of_freedom(self) -> float:
        r"""The parameters that the fit is worth; one output, no constraints.

        .. math:: \mathrm{df} = \sum_n \partial f(x_n) / \partial y_n = \mathrm{tr}\big[(J^T C J + P)^{-1} J^T C J\big]

        J is the derivative of the fit by the affine part and by all weights, biases and amplitudes that keep touched
        data touched, C the curvature of the weighted losses and P that of :math:`\lambda \sum_k |v_k| \|w_k\|`. A pure
        number; rank[1 X] without neurons. In d = 1 it is K + 2, an int, with the knots moved to the data sites.

        Raises
        ------
        ProblemError
            For other activations than ReLU, vector outputs, constraints, losses of several kinks a row; in d >= 2 for
            a relative gap above 1e-2, for a grid that among its own neurons.

        Notes
        -----
        For squared error and Gaussian noise of variance :math:`\sigma^2/s_n` its expectation is that of
        :math:`\sum_n s_n \mathrm{cov}(y_n, f(x_n)) / \sigma^2` [1]_, [2]_. For Logistic it is the derivative of the
        probabilities by labels in [0, 1], for Poisson that of the means by the counts. For Absolute, Quantile and
        Interpolation it counts the data that are met, for Hinge those with y f = 1, dependent ones once. A row
        that comes twice is one of twice the weight. A grid's neurons cannot turn: rank[1 X] + K. O((N + K d) P^2) for
        P <= K (d + 1) + rank[1 X] columns of J.

        It is that of the network at hand: off by a tenth or so at gaps of 1e-3, by a third at 1e-2. Neurons that miss
        data which the optimum touches by 1e-8 of their radius, as after gradient descent, count as free: up to double.

        References
        ----------
        .. [1] R. J. Tibshirani, J. Taylor, Degrees of freedom in lasso problems, Ann. Statist. 40 (2012), 1198,
           doi:10.1214/12-AOS1003
        .. [2] S. Vaiter, C. Deledalle, J. Fadili, G. Peyré, C. Dossal, The degrees of freedom of partly smooth
           regularizers, Ann. Inst. Stat. Math. 69 (2017), 791, doi:10.1007/s10463-016-0563-z

        Examples
        --------
        >>> import numpy as np, ridgesplines as rs
        >>> X = np.random.default_rng(0).uniform(-1.0, 1.0, (30, 2))
        >>> 3.0 < rs.solve(rs.Problem(X, np.abs(X[:, 0]) + X[:, 1] ** 2, lam=0.1)).degrees_of_freedom < 30.0
        True
        """
        gap = self.relative_gap if self.dictionary_gap is None else self.dictionary_gap
        require_counted(self.problem, gap, self.status)
        return degrees_of_freedom((own := self.isotropic).problem, own.network, self.dictionary_gap is None)

    def certify(self, max_time: float = 60.0, verbose: bool = False, method: str = "auto") -> Solution:
        r"""The same network with the strongest certificate that the time allows.

        .. math:: \text{gap} \le \text{objective} - D(\tau u), \qquad \tau \sup |\eta| \le \lambda

        with a proven upper bound on the supremum over all neurons in its place.

        Parameters
        ----------
        max_time : seconds, positive.
        verbose : whether what is proven so far is printed to standard error, every second.
        method : ``"exact"``, an enumeration; ``"branch"``, branch and bound over cones; ``"containment"``, the dual
            vector of :func:`ridgesplines.lower_bound`; ``"sides"``, branching on the sides of points; or ``"auto"``,
            which picks by predicted time and may try several.

        Returns
        -------
        Solution
            Where the scope is exact already, this one. Otherwise a new one of scope ``"exact"`` or ``"bounded"``, whose
            gap is a rigorous upper bound, in floating point: larger than that of a search. Ctrl-C ends the work early,
            with what is proven so far.

            A search may have missed a neuron of larger :math:`|\eta|`. Where the largest that is known now leaves a gap
            above the tolerance of the solver, the status turns from ``"converged"`` to ``"not converged"``, with a
            ConvergenceWarning. (A bound that is only loose does not change it.) To go on from there, pass the solution
            itself, whose certificate holds the neurons found:
            ``rs.solve(problem, rs.ColumnGeneration(start=certified))``.

        Raises
        ------
        ProblemError
            For a `max_time` that is no positive number, and for other activations than ReLU in d > 2.

        Notes
        -----
        Of enumeration (:class:`ridgesplines.oracle.FaceOracle`, N^d log N operations), cones
        (:class:`ridgesplines.oracle.BoundedOracle`) and sides (:class:`ridgesplines.oracle.SidesOracle`, to a
        thousandth) those are tried that are likely to end within half of the time; otherwise flows between the data
        points, which leave some percent open, then what would end soonest. The best bound counts.

        Examples
        --------
        >>> import numpy as np, ridgesplines as rs
        >>> X = np.random.default_rng(0).uniform(-1.0, 1.0, (30, 3))
        >>> problem = rs.Problem(X, np.abs(X[:, 0]) + X[:, 1] * X[:, 2], lam=0.2)
        >>> solution = rs.solve(problem, rs.ColumnGeneration())
        >>> certified = solution.certify()
        >>> solution.certificate.scope, certified.certificate.scope, certified.relative_gap < 1e-6
        ('searched', 'exact', True)
        """
        real_number("max_time", max_time, "a positive number of seconds", 0.0, open_=True)
        if method not in METHODS:
            raise ProblemError("method", f"one of {', '.join(METHODS)}", repr(method), 'Pass method="auto".')
        activation, scope = self.problem.activation, self.certificate.scope
        if scope is Scope.EXACT or (scope is Scope.BOUNDED and self.problem.n_features == 1):
            return self
        if not isinstance(activation, ReLU) and (self.problem.n_features > 2 or self.problem.interactions is not None):
            expected = "ReLU(), or two features without groups, where suprema over all directions are bounded"
            remedy = "Along the directions of a grid its gap is a bound already; over all directions it is searched."
            raise ProblemError("solution", expected, repr(activation), remedy)
        with Deferral(answers=True):
            report = printed(self.problem.lam, self.isotropic._gap_at) if verbose else None
            return self.isotropic._strengthened(max_time, report, method).restored(self.problem)

    def _strengthened(self, max_time: float, report: Report | None, method: str) -> Solution:
        start = time.perf_counter()
        tol = self.tolerance if np.isfinite(self.tolerance) else 0.0
        enough = self.objective - tol * abs(self.objective)
        stronger = strongest(self.problem, self.network, self.certificate, max_time, report, method, enough)
        found = self._gap_at(float(group_norms(self.certificate.eta(*stronger.peaks)).max(initial=0.0)))
        status = self.status
        if status is Status.CONVERGED and self.dictionary_gap is None and found > self.tolerance:
            status = Status.NOT_CONVERGED
            warn(
                f"The search had missed neurons: the relative gap of this dual vector is {found:.1e} at least, not "
                f"{self.tolerance:.0e}. Go on with solver=rs.ColumnGeneration(start=solution).",
                ConvergenceWarning,
            )
        if stronger.scope == self.certificate.scope and stronger.value <= self.certificate.value:
            stronger = replace(self.certificate, peaks=stronger.peaks)
        seconds = self.seconds + time.perf_counter() - start
        return replace(self, certificate=stronger, status=status, seconds=seconds)

    def _gap_at(self, sup: float) -> float:
        """The relative gap that the dual vector leaves if this is its supremum."""
        problem = self.problem
        value = best_scale(problem.reduced, self.certificate.dual[problem.rows], sup)[1]
        return relative(problem, self._gap_to(value), self.objective)

    @property
    def scope_words(self) -> str:
        """The meaning of the gap, in words."""
        return CONTRADICTION if self.contradiction else summary.scope_words(self)

    def predict(self, X: Any) -> Array:
        """f at the rows of X, shape (N,) or (N, D). For classes, the sign or the largest logit decides; with Poisson
        the mean is ``np.exp`` of it.
        """
        return self.network(X)

    def components(self) -> Components:
        """The network as curves and interactions, over the data; see :func:`ridgesplines.network.components`.

        Of x in days, where x are dates.
        """
        return self.network.changed(dates=None).components(self.problem.X, self.problem.sample_weight)

    def segments(self) -> Segments:
        """The straight pieces with their rows of data, d = 1; see :class:`ridgesplines.network.Segments`."""
        return segments(self.network, self.problem.reduced.X[:, 0])

    def refitted(self, move_knots: bool = False) -> Solution:
        """The same neurons by the loss alone, without shrinkage; see :func:`ridgesplines.inference.refitted`."""
        from ridgesplines.inference import refitted

        return refitted(self, move_knots)

    def confidence(self, level: float = 0.95, method: str = "delta", **settings: Any) -> Confidence:
        """Intervals of knots, slopes and curve, given K; see :func:`ridgesplines.inference.confidence`."""
        from ridgesplines.inference import confidence

        return confidence(self, level, method, **settings)

    def summary(self) -> str:
        """The result in a few lines."""
        return summary.text(self)

    def plot(
        self, kind: str | None = None, target: str | None = None, *, ax: Any = None, title: str | None = None
    ) -> Figure:
        """A picture, as a matplotlib Figure; see :func:`ridgesplines.plotting.plot_solution`."""
        from ridgesplines.plotting.solution import plot_solution

        return plot_solution(self, kind, target, ax=ax, title=title)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the solution as ``.npz``, without pickle; `load` reads it, and `RidgeSpline.load` its network."""
        saved.write(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Solution:
        """Read a solution that `save` wrote.

        Objective and gap are computed again, from the network, the data and the dual vector in the file; without
        constraints the dual value too, and in one dimension and in a plane its supremum. One that was searched, bounded
        or enumerated is taken as the file has it, but for being raised to what is seen at the neurons in the file: such
        a gap, and one with constraints, is as honest as the file.

        Raises
        ------
        ProblemError
            For a file that `save` did not write, or that is damaged.

        Examples
        --------
        >>> import os, tempfile, ridgesplines as rs
        >>> solution = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1))
        >>> path = os.path.join(tempfile.mkdtemp(), "solution.npz")
        >>> solution.save(path)
        >>> rs.Solution.load(path).relative_gap == solution.relative_gap
        True
        """
        return cls(**saved.read(path))

    __repr__ = short
    _repr_html_ = to_html
