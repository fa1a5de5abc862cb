"""An oracle, and its answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ridgesplines.network.spline import group_norms
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope


@dataclass(frozen=True)
class Supremum:
    """The largest |eta| (Euclidean norm for vector outputs), and where it and other large values are.

    Attributes
    ----------
    value : sup |eta|, over what `scope` names; an upper bound on it where that is bounded.
    scope : over which neurons.
    weights, biases : neurons of large |eta|, the largest first; shapes (m, d), (m,).
    starts : for a search, how many random starts it made.
    ceiling : what the supremum was proven not to exceed, where an oracle was told that it need not find small ones.
    kept : for a search, the maxima that it keeps as starts for the next dual vector, whatever `level` was; as neurons.
    """

    value: float
    scope: Scope
    weights: Array
    biases: Array
    starts: int = 0
    ceiling: float | None = None
    kept: tuple[Array, Array] | None = None


class Oracle(Protocol):
    """A dual vector, shape (N,) or (N, D), orthogonal to all affine functions -> its supremum.

    With `level` an oracle may leave neurons with |eta| <= level out of its answer, all but the first, where that saves
    work. What its value means does not change. The rest is for a search, and nothing to an oracle that need not search:
    neurons `near` which to look, (weights (K, d), biases (K,)); `end`, a reading of ``time.perf_counter`` at which to
    stop; `afresh`, from how many starts for each dimension to look again, knowing nothing of earlier calls; `rough`,
    whether large values will do in the place of maxima.
    """

    def __call__(
        self,
        u: Array,
        level: float | None = None,
        *,
        near: tuple[Array, Array] | None = None,
        end: float = np.inf,
        afresh: int | None = None,
        rough: bool = False,
    ) -> Supremum: ...


#: A principal component of a dual vector this small, relatively, is rounding: any bound on it will do.
COMPONENT_RTOL = 1e-12
#: Neurons that an answer lists, and that one of a group of features does at least.
MAX_LISTED, FEWEST_LISTED = 256, 8


def ranked(scope: Scope, eta: Array, weights: Array, biases: Array, most: int = MAX_LISTED) -> Supremum:
    """The supremum over listed neurons, with the `most` largest of them."""
    size = group_norms(eta)
    if not len(size):
        return Supremum(0.0, scope, weights, biases)
    top = np.argpartition(-size, min(most, len(size)) - 1)[:most]
    top = top[np.argsort(-size[top], kind="stable")]
    return Supremum(float(size[top[0]]), scope, weights[top], biases[top])


def by_components(u: Array, end: float, bound: Callable[[Array, float, bool], float]) -> float:
    r"""A bound on :math:`\sup \|\eta\|_2` for u (N, D) from bounds on the principal components of u.

    The root of the sum of their squares: too large by a factor up to sqrt(D). `bound` takes a component, when to end,
    which is an equal share of the time, and whether it is so small that any bound will do.
    """
    parts, bounds = u @ np.linalg.svd(u, full_matrices=False)[2].T, list[float]()
    for k, part in enumerate(parts.T):
        until = end - (end - time.perf_counter()) * (1.0 - 1.0 / (parts.shape[1] - k))
        bounds.append(bound(part, until, bool(np.linalg.norm(part) <= COMPONENT_RTOL * np.linalg.norm(u))))
    return float(np.linalg.norm(bounds))
