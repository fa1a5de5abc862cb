"""The supremum of |eta|: exact where that can be computed, searched otherwise, or over a dictionary."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import comb
from typing import Any

import numpy as np

from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.exceptions import SolverRefusal
from ridgesplines.interactions import Interactions
from ridgesplines.network.spline import group_norms
from ridgesplines.neurons.dictionary import Dictionary
from ridgesplines.numerics.polynomials import polynomial_basis
from ridgesplines.oracle.angles import AnglesOracle
from ridgesplines.oracle.base import Oracle, Supremum, ranked
from ridgesplines.oracle.bounded import BoundedOracle, Report
from ridgesplines.oracle.branched import SidesOracle
from ridgesplines.oracle.containment import ContainmentOracle
from ridgesplines.oracle.costs import ENOUGH, own_shares, predicted, tries
from ridgesplines.oracle.directions import DirectionsOracle
from ridgesplines.oracle.eta import eta_at, eta_dictionary
from ridgesplines.oracle.faces import FaceOracle
from ridgesplines.oracle.few_features import FewFeaturesSearch
from ridgesplines.oracle.groups import GroupsOracle, largest
from ridgesplines.oracle.line import LineOracle
from ridgesplines.oracle.plane import MANY_POINTS, PlaneOracle
from ridgesplines.oracle.search import SearchOracle
from ridgesplines.oracle.smooth_search import SmoothSearch
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

__all__ = [
    "ENOUGH",
    "METHODS",
    "AnglesOracle",
    "BoundedOracle",
    "ContainmentOracle",
    "DirectionsOracle",
    "FaceOracle",
    "GroupsOracle",
    "Oracle",
    "PlaneOracle",
    "Report",
    "SearchOracle",
    "SidesOracle",
    "SmoothSearch",
    "Supremum",
    "continuum_oracle",
    "dictionary_oracle",
    "eta_at",
    "exact_oracle",
    "neurons_oracle",
    "own_shares",
    "peaks_oracle",
    "predicted",
    "proven",
    "search_oracle",
    "tries",
]

#: How a supremum may be proven: by enumeration, by branch and bound over cones, by flows between the points, and by
#: flows in branches of known sides.
METHODS = ("auto", "exact", "branch", "containment", "sides")
#: The crossings of many groups would fill the memory: from so many points on they are not kept.
FEW_POINTS = 200


def continuum_oracle(
    X: Array,
    starts: Array | None = None,
    seed: int | Sequence[int] = 0,
    device: str | None = None,
    activation: Activation | None = None,
    interactions: Interactions | None = None,
) -> Oracle:
    """The strongest oracle for the data X (N, d), over all directions and biases; those of the groups where there are.

    Exact, or proven, where `exact_oracle` has one, searched otherwise, also from the directions `starts`.
    """
    exact = exact_oracle(X, activation, interactions)
    return search_oracle(X, starts, seed, device, activation, interactions) if exact is None else exact


def search_oracle(
    X: Array,
    starts: Array | None = None,
    seed: int | Sequence[int] = 0,
    device: str | None = None,
    activation: Activation | None = None,
    interactions: Interactions | None = None,
) -> Oracle:
    """The same where no oracle is exact: a search, within groups of features where there are."""
    if activation is not None and (form := activation.of_relu) is not None and not isinstance(activation, ReLU):
        return partial(_times, form[0], search_oracle(X, starts, seed, device, None, interactions))
    if activation is None or isinstance(activation, ReLU):
        if interactions is None:
            return SearchOracle(X, seed, starts=starts, device=device)
        return _search_of_groups(X, interactions, partial(FewFeaturesSearch, seed=seed, starts=starts, device=device))
    if interactions is None:
        return SmoothSearch(X, activation, starts, seed)
    within = None if starts is None else interactions.containing(starts)
    members = [
        continuum_oracle(
            X[:, group],
            None if starts is None or within is None else starts[within[:, i]][:, group],
            seed,
            activation=activation,
        )
        for i, group in enumerate(map(list, interactions))
    ]
    return GroupsOracle(X, interactions, members, False)


def _search_of_groups(X: Array, interactions: Interactions, search: Callable[..., Oracle]) -> Oracle:
    """One search of all groups for which no oracle is exact, and the exact ones of the others."""
    exact = [_exact(X[:, list(group)], None, FEW_POINTS) for group in interactions]
    members = [member for member in exact if member is not None]
    places = [i for i, member in enumerate(exact) if member is None]
    searched = search(X, interactions.take(places))
    if not members:
        return searched
    of_members = interactions.take([i for i, member in enumerate(exact) if member is not None])
    both = GroupsOracle(X, of_members, members, True), searched

    def oracle(u: Array, level: float | None = None, **further: Any) -> Supremum:
        return largest(X, u, [one(u, level, **further) for one in both])

    return oracle


def proven(
    X: Array,
    u: Array,
    max_time: float,
    near: tuple[Array, Array] | None = None,
    report: Report | None = None,
    interactions: Interactions | None = None,
    method: str = "auto",
    activation: Activation | None = None,
) -> Supremum:
    """The strongest proven supremum for a dual vector that `max_time` seconds allow: exact, or a bound.

    Exact where `exact_oracle` has one; otherwise by the ways that `tries` names, until one is as good as exact, or by
    one `method` of METHODS alone. `near` and `report` as for `BoundedOracle`. For another `activation` than ReLU there
    is one way, in the plane.
    """
    if activation is not None and not isinstance(activation, ReLU):
        return AnglesOracle(X, activation)(u, near=near, end=time.perf_counter() + max_time)
    exact = exact_oracle(X, interactions=interactions)
    if exact is not None:
        return exact(u)
    if interactions is not None:
        return _proven_of_groups(X, u, max_time, near, report, interactions, method)
    if method != "auto":
        return _proven_by(method, X, u, max_time, near, report)
    ways, best = tries(predicted(X, None if u.ndim == 1 else u.shape[1]), max_time), None
    for way, seconds in own_shares(ways, time.perf_counter() + max_time):
        answer = _proven_by(way, X, u, seconds, near, report)
        near = answer.weights, answer.biases
        best = answer if best is None else _tighter(best, answer)
        if best.scope is Scope.EXACT or best.value <= ENOUGH * _found(X, u, best):
            break
    assert best is not None
    return best


def _found(X: Array, u: Array, supremum: Supremum) -> float:
    """The largest |eta| at the neurons of an answer."""
    return float(group_norms(eta_at(X, u, supremum.weights[:1], supremum.biases[:1])).max(initial=0.0))


def _tighter(one: Supremum, other: Supremum) -> Supremum:
    """The smaller of two bounds on the same supremum, with the neurons of the later one, which knew of the others."""
    return other if other.scope is Scope.EXACT else replace(other, value=min(one.value, other.value))


def _proven_by(
    method: str, X: Array, u: Array, max_time: float, near: tuple[Array, Array] | None, report: Report | None
) -> Supremum:
    """The same by one way. Where an enumeration has no exact answer after all, cones take its place."""
    if method == "containment":
        return ContainmentOracle(X)(u, max_time=max_time, near=near)
    if method == "sides":
        return SidesOracle(X)(u, max_time=max_time, near=near, report=report)
    began = time.perf_counter()
    if method == "exact":
        faces = FaceOracle(X) if u.ndim == 1 else None
        if faces is None or faces.seconds > max_time:
            raise _too_many_faces(X, faces)
        try:
            supremum = faces(u, began + max_time)
            if supremum is not None:
                return supremum
        except KeyboardInterrupt:  # of somebody who handles signals otherwise than `interrupt` does
            max_time = 0.0  # a crude bound is what is left
    return BoundedOracle(X)(u, max_time=began + max_time - time.perf_counter(), near=near, report=report)


def _too_many_faces(X: Array, faces: FaceOracle | None) -> SolverRefusal:
    got = "a dual vector of several outputs"
    if faces is not None:
        got = f"N = {len(X)}, d = {X.shape[1]}: some {faces.seconds:.3g} s"
    return SolverRefusal(
        'certify(method="exact")',
        "one output, and so few data that an enumeration ends in max_time",
        got,
        'Use method="branch" or "containment".',
    )


def _proven_of_groups(
    X: Array,
    u: Array,
    max_time: float,
    near: tuple[Array, Array] | None,
    report: Report | None,
    interactions: Interactions,
    method: str,
) -> Supremum:
    """The largest of the groups' proven suprema, each with an equal share of the time that is left."""
    end = time.perf_counter() + max_time

    def member(i: int, u: Array, level: float | None, **further: Any) -> Supremum:
        share = max(end - time.perf_counter(), 0.0) / (len(interactions) - i)
        return proven(X[:, list(interactions.groups[i])], u, share, further["near"], report, method=method)

    members = [partial(member, i) for i in range(len(interactions))]
    return GroupsOracle(X, interactions, members, False)(u, near=near)


def exact_oracle(
    X: Array, activation: Activation | None = None, interactions: Interactions | None = None
) -> Oracle | None:
    """An exact oracle where the data span a line or a plane, None otherwise; for other activations than ReLU if d = 1.

    With groups of features where those of each group do.

    d = 1, d = 2, and degenerate data in more dimensions: the part of a direction outside the span of the centred
    data does nothing there. Keep the oracle for further dual vectors: in a plane it answers them faster.
    """
    if activation is not None and (form := activation.of_relu) is not None and not isinstance(activation, ReLU):
        exact = exact_oracle(X, None, interactions)
        return None if exact is None else partial(_times, form[0], exact)
    if interactions is not None:
        members = list[Oracle]()
        for group in interactions:
            member = _exact(X[:, list(group)], activation, FEW_POINTS)
            if member is None:
                return None
            members.append(member)
        return GroupsOracle(X, interactions, members, True)
    return _exact(X, activation, MANY_POINTS)


def _times(factor: float, oracle: Oracle, u: Array, level: float | None = None, **further: Any) -> Supremum:
    """The answer for an activation that is `factor` times ReLU, but for a linear function."""
    found = oracle(u, None if level is None else level / factor, **further)
    ceiling = None if found.ceiling is None else factor * found.ceiling
    return replace(found, value=factor * found.value, ceiling=ceiling)


def _exact(X: Array, activation: Activation | None, many: int) -> Oracle | None:
    """The same for one group; sweeps by sectors from so `many` points on."""
    if _unpenalised(X, 1 if activation is None else activation.degree):
        return partial(_vanishing, X)
    if activation is not None and not isinstance(activation, ReLU):
        return DirectionsOracle(X, np.ones((1, 1)), activation) if X.shape[1] == 1 else None
    d, centre = X.shape[1], X.mean(axis=0)
    centred = X - centre
    if d == 1:
        return partial(_moved, LineOracle(centred[:, 0], np.ones(1)), np.eye(1), centre)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    rank = int((sizes > sizes[0] * 1e-14).sum()) if sizes[0] > 0.0 else 0
    if rank <= 1:
        return partial(_moved, LineOracle(centred @ axes[0], axes[0]), np.eye(d), centre)
    if d == 2:
        return partial(_moved, PlaneOracle(centred, many), np.eye(2), centre)
    if rank == 2:
        return partial(_moved, PlaneOracle(centred @ axes[:2].T, many), axes[:2], centre)
    return None


def _unpenalised(X: Array, degree: int) -> bool:
    """Whether every function on the distinct rows is a polynomial of that degree, as it is where they are few."""
    most = comb(X.shape[1] + degree, degree) if degree >= 0 else 0
    if not most or len(np.unique(X[: 8 * most], axis=0)) > most:
        return False
    distinct = np.unique(X, axis=0)
    return len(distinct) <= most and polynomial_basis(distinct, degree).shape[1] == len(distinct)


def _vanishing(X: Array, u: Array, level: float | None = None, **_: object) -> Supremum:
    """eta = 0: a dual vector orthogonal to what is not penalised is orthogonal to all functions on such data."""
    return ranked(Scope.EXACT, np.zeros((1, *u.shape[1:])), np.eye(1, X.shape[1]), X[:1, 0])


def _moved(
    oracle: Callable[..., Supremum], axes: Array, centre: Array, u: Array, level: float | None = None, **further: Any
) -> Supremum:
    """Report the neurons of an oracle for coordinates axes @ (x - centre) as neurons for x."""
    supremum = oracle(u, level, **further)
    weights = supremum.weights @ axes
    return replace(supremum, weights=weights, biases=supremum.biases + weights @ centre)


def neurons_oracle(X: Array, weights: Array, biases: Array, activation: Activation) -> Oracle:
    """The supremum over given neurons of any activation only."""

    def oracle(u: Array, level: float | None = None, **_: object) -> Supremum:
        return ranked(Scope.DICTIONARY, eta_at(X, u, weights, biases, activation), weights, biases)

    return oracle


def dictionary_oracle(X: Array, dictionary: Dictionary) -> Oracle:
    """The supremum over a dictionary of ReLU neurons only."""
    weights, biases = dictionary.neurons

    def oracle(u: Array, level: float | None = None, **_: object) -> Supremum:
        return ranked(Scope.DICTIONARY, eta_dictionary(X, u, dictionary), weights, biases)

    return oracle


def peaks_oracle(X: Array, dictionary: Dictionary) -> Oracle:
    """The supremum over a dictionary of ReLU neurons; listed are the local maxima of |eta| along each direction."""
    W, b = dictionary.neurons
    first = np.zeros(len(b), dtype=bool)
    first[(np.cumsum(dictionary.sizes) - dictionary.sizes)[dictionary.sizes > 0]] = True

    def oracle(u: Array, level: float | None = None, **_: object) -> Supremum:
        eta = eta_dictionary(X, u, dictionary)
        size = group_norms(eta)
        peak = np.ones(len(size), dtype=bool)
        peak[1:] &= (size[1:] >= size[:-1]) | first[1:]
        peak[:-1] &= (size[:-1] > size[1:]) | first[1:]
        return ranked(Scope.DICTIONARY, eta[peak], W[peak], b[peak])

    return oracle
