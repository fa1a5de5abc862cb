"""The interface of an oracle, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ridgesplines.network.spline import group_norms
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Supremum:
    """The largest |eta| (Euclidean norm for vector outputs), and where it and other large values are.

    Attributes
    ----------
    value : sup |eta|, over what `scope` names; an upper bound on it where that is ``"bounded"``.
    scope : ``"exact"``, ``"bounded"``, ``"dictionary"`` or ``"searched"``.
    weights, biases : neurons of large |eta|, the largest first; shapes (m, d), (m,).
    starts : for a search, how many random starts it made.
    """

    value: float
    scope: str
    weights: Array
    biases: Array
    starts: int = 0


class Oracle(Protocol):
    """A dual vector, shape (N,) or (N, D), orthogonal to all affine functions -> its supremum.

    With `level` an oracle may leave neurons with |eta| <= level out of its answer, all but the first, where that saves
    work. What its value means does not change.
    """

    def __call__(self, u: Array, level: float | None = None) -> Supremum: ...


#: Neurons that an answer lists.
MOST = 256


def ranked(scope: str, eta: Array, weights: Array, biases: Array, most: int = MOST) -> Supremum:
    """The supremum over listed neurons, with the `most` largest of them."""
    size = group_norms(eta)
    if not len(size):
        return Supremum(0.0, scope, weights, biases)
    top = np.argpartition(-size, min(most, len(size)) - 1)[:most]
    top = top[np.argsort(-size[top], kind="stable")]
    return Supremum(float(size[top[0]]), scope, weights[top], biases[top])
