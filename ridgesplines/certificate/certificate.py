r"""The dual certificate: what proves how close to the global optimum a network is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ridgesplines.activations.base import Activation
from ridgesplines.certificate.constrained import Multipliers, best_bound
from ridgesplines.certificate.dual import along, best_scale, levelled, projected, smooth_dual, value_at_most
from ridgesplines.certificate.last_digits import longer
from ridgesplines.certificate.long_dual import LongDual, long_eta_at
from ridgesplines.certificate.monotone import monotone_bound, monotone_oracle, signs_of
from ridgesplines.certificate.multipliers import (
    CornerMultipliers,
    MonotoneMultipliers,
    ShapeMultipliers,
    SlopeMultipliers,
)
from ridgesplines.certificate.own_neurons import known_at_neurons
from ridgesplines.certificate.sites import Sites
from ridgesplines.display import notebook
from ridgesplines.interrupt import late
from ridgesplines.line import kernels
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.numerics.precise import two_product
from ridgesplines.objective import Fit, charged, dual_of_fit, objective, perfect_fit, relative, targets_and_fit
from ridgesplines.oracle import continuum_oracle, proven
from ridgesplines.oracle.base import Oracle, Supremum
from ridgesplines.oracle.bounded import Report
from ridgesplines.oracle.eta import eta_near
from ridgesplines.oracle.sphere import BiasedOracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.validation import Array, ReadOnly, frozen, real_array, rounded_up
from ridgesplines.verdict import Scope

#: Seeds the search that confirms a solution: several numbers, so that no `random_state` of a solver's is the same.
RESCAN_SEED = (0, 2026)
#: Times the starts of a round that a certificate's search of monotone features makes.
HARDER = 8
#: How far above lam, relatively, a supremum is as good as there, where no tolerance is named.
SMALL_SUPREMUM = 1e-6
#: A relative gap that needs no second dual vector.
SMALL_GAP = 1e-9
#: Where a gap needs no second dual vector up to this one, a search makes so many starts for each dimension: half of its
#: own effort, and as many as confirm such a gap in a solver.
LOOSE_GAP, LOOSE_STARTS = 1e-4, 64


@dataclass(frozen=True, eq=False)
class DualCertificate(ReadOnly):
    r"""A dual vector, and the supremum of what it says at every neuron.

    .. math:: \eta(w, b) = \sum_n u_n\,\rho(w^T x_n - b)

    (or with another activation in place of :math:`\rho`, and its null space in place of the affine functions)
    f is optimal if and only if u is orthogonal to all affine functions, :math:`|\eta| \le \lambda` on
    :math:`S^{d-1} \times R`, and :math:`\eta(w_k, b_k) = \lambda\,\mathrm{sign}(v_k)` at its neurons. For D outputs
    :math:`\eta` is a vector and its Euclidean norm counts.

    Attributes
    ----------
    dual : u, orthogonal to [1 X], shape (N,) or (N, D); zero in rows of weight zero.
    sup : sup of :math:`|\eta|` over what `scope` names, in units of lam.
    scope : ``"exact"``: over all directions and biases, computed exactly (in floating point); ``"bounded"``: `sup` is
        a proven upper bound, so that `value` is a lower bound on the optimum too; ``"dictionary"``: over the neurons of
        a grid; ``"searched"``: the best violator that a search found, so that `value` is **not** a lower bound. But for
        a grid's it is never below :math:`|\eta|` at the network's own neurons, so that `value` is below its objective.
    residual : the part of the raw dual vector that lay in [1 X], relative to its length; zero at an optimum.
    scale : tau, the factor that makes tau u feasible and the bound largest.
    value : the dual objective at tau u. If the scope is exact or bounded, no function has a smaller objective.
    peaks : weights (m, d) and biases (m,) of neurons with the largest :math:`|\eta|` found, the largest first: the
        supremum is at least that. Empty with constraints.

    Of a problem with scales S the supremum, and the peaks, are over :math:`\|Sw\| = 1`, and at the neurons
    :math:`\eta(w_k, b_k) = \lambda \|S w_k\| \mathrm{sign}(v_k)`.

    dual_low : what u is beyond `dual`, (N,), in one dimension where data are so close that the rounding of `dual` would
        be felt in :math:`\\eta`: then u is the sum of both; None elsewhere.
    starts : for scope ``"searched"``, from how many fresh random starts its searches looked, all together: others
        than the solver's, whose random numbers they do not share.
    multipliers : for a problem with constraints, those of the constraints; None without. Then u alone is not orthogonal
        to [1 X], but all of them together are; :math:`\eta` has a part for each; only :math:`\eta \le \lambda` is asked
        for where f may bend up, and :math:`\eta \ge -\lambda` where it may bend down; and `sup` is the supremum on
        those sides. With MonotoneFeatures u is not orthogonal to those features: what they leave of it are their
        multipliers, :math:`\eta` has :math:`|t|/2` in the place of :math:`\rho(t)`, and `sup` is the supremum of
        :math:`|\eta|` less ``multipliers.penalty(W)``. With a `slope_penalty` u is orthogonal to the constants alone,
        and the multiplier is that of the slope. With ``norm=True`` u is any, the multipliers are those of the corners,
        and `sup` is the largest of :math:`|\eta|`, :math:`|\sum_n u_n|` and :math:`|\sum_n u_n x_{nj}|`.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Banach space representer theorems for neural networks and ridge splines,
       J. Mach. Learn. Res. 22 (2021), https://jmlr.org/papers/v22/20-583.html

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> certificate = rs.solve(problem).certificate
    >>> certificate.scope, abs(certificate.sup - 0.1) < 1e-8
    ('exact', True)
    """

    dual: Array
    sup: float
    scope: Scope
    residual: float
    scale: float
    value: float
    X: Array
    activation: Activation
    peaks: tuple[Array, Array]
    multipliers: ShapeMultipliers | MonotoneMultipliers | SlopeMultipliers | CornerMultipliers | None = None
    starts: int = 0
    dual_low: Array | None = None

    def eta(self, W: object, b: object) -> Array:
        """:math:`\\eta` at neurons W (K, d), b (K,); shape (K,) or (K, D). For d = 1, W may be a number or (K,)."""
        weights, biases = real_array("W", W), np.atleast_1d(real_array("b", b))
        d = self.X.shape[1]
        weights = np.broadcast_to(weights.reshape(-1, d), (len(biases), d))
        if self.dual_low is not None:
            length = np.abs(weights[:, 0])
            places = np.divide(biases, weights[:, 0], out=np.zeros(len(biases)), where=length > 0.0)
            return length * long_eta_at(self.X[:, 0], LongDual(self.dual, self.dual_low), places)
        eta = eta_near(self.X, self.dual, weights, biases, self.activation)
        return eta if self.multipliers is None else eta + self.multipliers.eta(weights, biases)

    def scaled(self, rows: NDArray[np.intp]) -> tuple[Array, Array | None]:
        """tau u at these rows, and what it lacks by rounding, where that is known."""
        if self.dual_low is None:
            return kernels.gathered(self.dual, self.scale, rows), None
        u, rest = two_product(self.dual[rows], np.array(self.scale))
        return u, rest + self.scale * self.dual_low[rows]

    def moved(self, problem: Problem, X: Array, peaks: tuple[Array, Array], multipliers: Any) -> Self:
        """The same for a problem in other coordinates, in which these are its rows, peaks and multipliers."""
        return replace(self, X=X, peaks=peaks, multipliers=multipliers)

    def __repr__(self) -> str:
        return f"DualCertificate(sup={self.sup:.8g}, scope={self.scope!r}, value={self.value:.10g}, N={len(self.dual)})"

    def _repr_html_(self) -> str:
        """The figures without the dual vector, in a notebook."""
        bound = "a bound: no function has a smaller objective" if self.scope.proven else "not a bound on all functions"
        searched = [("starts", f"{self.starts} fresh random starts")] if self.starts else []
        rows = [
            ("sup|eta|", f"{self.sup:.10g} ({self.scope})"),
            ("dual value", f"{self.value:.10g} ({bound})"),
            ("residual", f"{self.residual:.1e}"),
            ("dual vector", f"of shape {self.dual.shape}"),
            *searched,
        ]
        return notebook.table("Dual certificate", rows)

    def search_words(self, lam: float, tol: float) -> str:
        """What a search says that found nothing above lam (1 + tol), and no more; empty where that is not so.

        If none of M independent starts ends above a level, then with 95 % confidence a further one does so with
        probability below 3/M.
        """
        tol = tol if np.isfinite(tol) else SMALL_SUPREMUM
        if not self.starts or self.sup > lam * (1.0 + tol):
            return ""
        none = f"none of {self.starts} fresh starts ended above lam (1 + {tol:g})"
        return f"{none}: another one would with probability < {rounded_up(3.0 / self.starts)} (95 %)"


def certify(
    problem: Problem,
    network: RidgeSpline,
    dual: Array | Multipliers | None = None,
    oracle: Oracle | None = None,
    tol: float = SMALL_GAP,
    fit: Fit | None = None,
    end: float = np.inf,
    search: int = 0,
) -> DualCertificate:
    """The certificate of a network: dual vector recomputed from its fit, projected, scaled.

    Any dual vector proves something, and what it proves is computed here; no solver is run. For a smooth loss the
    suggestion `dual` and the fit's own dual vector are tried until the gap is small. A loss with kinks leaves part of
    that open: there a suggestion is needed. With constraints the multipliers that are suggested are completed and
    projected likewise.

    Parameters
    ----------
    problem : the problem.
    network : any network with its inputs and outputs.
    dual : a suggestion, shape (N,) or (N, D); with constraints Multipliers. May be None for a smooth loss.
    oracle : of which neurons the supremum is taken; all of them by default.
    tol : a relative gap that needs no second dual vector.
    fit : the network's `targets_and_fit` for the reduced problem, where that is known.
    end : when a search is to stop, a reading of ``time.perf_counter``; what it knows by then has a certificate.
    search : which of several searches, each with random numbers of its own.
    """
    if problem.signs is not None:
        return _with_monotone_features(problem, network, dual if isinstance(dual, np.ndarray) else None, end, search)
    if problem.constraints:
        return _with_constraints(problem, network, dual if isinstance(dual, Multipliers) else None)
    assert not isinstance(dual, Multipliers)  # only constraints have them
    reduced = problem.reduced
    seed = (search, *RESCAN_SEED)
    if oracle is None:
        oracle = network_oracle(problem, network, seed)
    fit = fit or targets_and_fit(reduced, network)
    primal = objective(reduced, network, fit)
    enough = (1.0 - tol) * primal
    afresh = LOOSE_STARTS if tol >= LOOSE_GAP else None
    prove = partial(_proved, problem, network, oracle=partial(oracle, end=end, afresh=afresh), enough=enough)
    perfect = _of_a_perfect_fit(problem, network, fit, prove)
    if perfect is not None and (dual is None or relative(problem, primal, primal) <= tol):
        return perfect
    if not problem.loss.smooth:
        assert dual is not None  # the fit leaves it open
        return prove(dual[problem.rows])
    ways = [partial(smooth_dual, reduced, *fit)]
    if dual is not None:  # what costs less comes first
        ways.insert(int(problem.loss.quadratic), partial(np.take, dual, problem.rows, axis=0))
    best = prove(ways[0]())
    if best.value < enough and len(ways) > 1 and not late(end):
        raw = ways[1]()
        if value_at_most(problem.reduced, raw, *best.peaks) > best.value:
            other = prove(raw)
            best = max(looked_at(problem, best, *other.peaks), other, key=lambda c: c.value)
    return best


def certify_dual(problem: Problem, network: RidgeSpline, dual: Array, end: float = np.inf) -> DualCertificate:
    """The certificate of a dual vector (N,) or (N, D), whatever the network's fit says; `end` as for `certify`."""
    oracle = partial(network_oracle(problem, network, (0, *RESCAN_SEED)), end=end)
    return _proved(problem, network, dual[problem.rows], oracle)


def network_oracle(problem: Problem, network: RidgeSpline, seed: Sequence[int]) -> Oracle:
    """That of all neurons, where it searches also in the directions of the network's."""
    if problem.penalise_bias:
        return BiasedOracle(problem.reduced.X, seed)
    W, groups = network.weights, problem.interactions
    return continuum_oracle(problem.reduced.X, W, seed, activation=problem.activation, interactions=groups)


def looked_at(problem: Problem, certificate: DualCertificate, W: Array, b: Array) -> DualCertificate:
    """A searched certificate, raised to what is found at further neurons W (K, d), b (K,); others as they are."""
    if certificate.scope is not Scope.SEARCHED or not len(b):
        return certificate
    size = group_norms(certificate.eta(W, b))
    top = int(size.argmax())
    if size[top] <= certificate.sup:
        return certificate
    scale, value = best_scale(problem.reduced, certificate.dual[problem.rows], float(size[top]))
    weights, biases = certificate.peaks
    peaks = np.concatenate([W[top : top + 1], weights]), np.append(b[top], biases)
    return replace(certificate, sup=float(size[top]), scale=scale, value=value, peaks=peaks)


def _of_a_perfect_fit(
    problem: Problem, network: RidgeSpline, fit: Fit | None, prove: Callable[[Array], DualCertificate]
) -> DualCertificate | None:
    """The certificate of an objective that is zero to rounding: the dual vector zero; None where it is not zero."""
    p = problem.reduced
    if _is_perfect(p, network, fit):
        return prove(np.zeros((p.n_samples, *p.outputs)))
    return None


def _is_perfect(problem: Problem, network: RidgeSpline, fit: Fit | None = None) -> bool:
    """Whether a network without neurons that cost has the objective zero, but for the last digits of coefficients."""
    return not charged(problem, network).any() and objective(problem, network, fit) <= perfect_fit(problem, network)


def strengthened(
    problem: Problem,
    network: RidgeSpline,
    certificate: DualCertificate,
    max_time: float,
    report: Report | None = None,
    method: str = "auto",
) -> DualCertificate:
    """The certificate of the same dual vector with the strongest scope that `max_time` seconds allow; see `proven`."""
    W, b = certificate.peaks
    near = np.concatenate([network.weights, W]), np.concatenate([network.biases, b])

    def oracle(u: Array, level: float | None = None, **_: object) -> Supremum:
        groups, activation = problem.interactions, problem.activation
        return proven(problem.reduced.X, u, max_time, near, report, groups, method, activation)

    proof = _proved(problem, network, certificate.dual[problem.rows], oracle)
    return replace(proof, residual=certificate.residual)


def _proved(
    problem: Problem, network: RidgeSpline, raw: Array, oracle: Oracle, enough: float = np.inf
) -> DualCertificate:
    """The certificate of a dual vector, projected; with more digits where it proves less than `enough` without."""
    u, residual = projected(problem.reduced, raw)
    bound = along(problem.reduced, u)
    if not np.isfinite(bound(0.0)):
        u = np.zeros_like(u)  # nothing near it is orthogonal to the null space and inside the domain: zero always is
        bound = along(problem.reduced, u)
    seen = levelled(problem.reduced, u)
    near = network.weights, network.biases
    supremum = known_at_neurons(problem.reduced, network, seen, oracle(seen, np.inf, near=near))  # its value only
    scale, value = best_scale(problem.reduced, u, supremum.value, bound)
    low = None
    if (better := longer(problem.reduced, network, u, supremum.value, value, enough)) is not None:
        (u, low), supremum, scale, value = better
    full = _of_all_rows(problem, u)
    found = supremum.value, supremum.scope, residual, scale, value
    where = problem.X, problem.activation, (supremum.weights, supremum.biases)
    slopes = SlopeMultipliers.of(problem, full) if problem.slope_penalty else None
    lower = None if low is None else _of_all_rows(problem, low)
    return DualCertificate(full, *found, *where, slopes, supremum.starts, lower)


def _of_all_rows(problem: Problem, values: Array) -> Array:
    """Values at the rows of the reduced problem, zero in the others."""
    return frozen(kernels.scattered(values, 1.0, problem.rows, problem.n_samples))


def _with_constraints(problem: Problem, network: RidgeSpline, suggested: Multipliers | None) -> DualCertificate:
    """The bound is computed in scaled units, in which the objective is the original one up to a factor."""
    scaling = standardise(problem)
    scaled, sites = scaling.problem, Sites.of(scaling.problem)
    if _is_perfect(problem.reduced, network):
        start = Multipliers(np.zeros_like(scaled.y), np.zeros(len(sites.held)), np.zeros(len(sites.widths)))
    else:
        assert suggested is not None  # they cannot be read off the fit
        start = suggested.scaled(scaling)
    fits = [start.fit]
    if scaled.loss.smooth and start.fit.any():
        z = scaling.scaled_network(network)(scaled.X)
        fits.append(dual_of_fit(scaled, z))
    ends = float(start.slopes[0]), float(start.slopes[-1])
    best = max((best_bound(scaled, sites, u, start.points, ends) for u in fits), key=lambda bound: bound.value)
    return DualCertificate(
        scaling.dual(best.multipliers.fit),
        best.sup * scaling.radius * scaling.factor / scaling.size,
        Scope.EXACT,
        best.residual,
        best.scale,
        scaling.factor * best.value,
        problem.X,
        problem.activation,
        (np.empty((0, 1)), np.empty(0)),
        _shown(best.multipliers.in_units_of(scaling), scaling, sites, problem.constraint.points),
    )


def _shown(multipliers: Multipliers, scaling: Scaling, sites: Sites, points: tuple[float, ...]) -> ShapeMultipliers:
    """The multipliers of the constraints, those of the slopes far out by themselves."""
    at, m = scaling.centre[0] + scaling.radius * sites.at, multipliers.slopes
    at[sites.points] = points  # to the last digit
    ends = np.array([m[0] if sites.ends[0] else 0.0, m[-1] if sites.ends[1] else 0.0])
    between = slice(sites.inner.start, sites.inner.stop - 1)
    return ShapeMultipliers(at[sites.held], multipliers.points, at[sites.inner], m[between], ends)


def _with_monotone_features(
    problem: Problem, network: RidgeSpline, suggested: Array | None, end: float, search: int
) -> DualCertificate:
    """The same for features in which f must be monotone."""
    scaling = standardise(problem)
    scaled, oracle = scaling.problem, monotone_oracle(scaling.problem, (search, *RESCAN_SEED))
    net = scaling.scaled_network(network)
    fits = []
    if _is_perfect(problem.reduced, network):
        fits.append(np.zeros_like(scaled.y))
    elif suggested is not None:
        fits.append(scaling.size / scaling.factor * suggested[scaling.rows])
    if scaled.loss.smooth and not _is_perfect(problem.reduced, network):
        fits.append(dual_of_fit(scaled, net(scaled.X)))
    look = partial(monotone_bound, scaled, oracle, near=(net.weights, net.biases), harder=HARDER, end=end)
    best = max((look(u) for u in fits), key=lambda bound: bound.value)
    W, b = best.supremum.weights, best.supremum.biases
    unit = scaling.radius * scaling.factor / scaling.size
    return DualCertificate(
        frozen(scaling.dual(best.dual)),
        unit * best.supremum.value,
        best.supremum.scope,
        best.residual,
        best.scale,
        scaling.factor * best.value,
        problem.X,
        problem.activation,
        (W, scaling.radius * b + W @ scaling.centre),
        MonotoneMultipliers(signs_of(problem), unit * oracle.multipliers(best.dual)),
    )
