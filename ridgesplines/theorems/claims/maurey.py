r"""Section VI, Maurey's theorem: K neurons approximate with a squared error of order 1/K, whatever the dimension."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.theorems.rates import compared, draw_rates, slope
from ridgesplines.theorems.report import Report, at_most, rate, timed
from ridgesplines.validation import Array

#: Numbers of neurons at which errors are compared.
TERMS = np.array([4, 6, 8, 12, 16, 24, 32, 48, 64])


class Target(NamedTuple):
    r"""A function at n points, its atoms there (n, M), and the :math:`\sum |v|` with which they make it up.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> atoms = np.maximum(np.subtract.outer(np.linspace(-1.0, 1.0, 5), [-0.5, 0.0]), 0.0)
    >>> rs.theorems.Target(atoms @ [0.5, -0.5], atoms, variation=1.0).atoms.shape
    (5, 2)
    """

    values: Array
    atoms: Array
    variation: float


def target(rng: np.random.Generator, d: int, points: int = 1000, atoms: int = 3000) -> Target:
    r"""A combination of all neurons of a random dictionary on the unit ball, :math:`\sum |v| = 1`, sizes k^-1.5.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.theorems.target(np.random.default_rng(0), d=5, points=100, atoms=300).atoms.shape
    (100, 300)
    """
    X = rng.standard_normal((points, d))
    X *= (rng.random(points) ** (1.0 / d) / np.linalg.norm(X, axis=1))[:, None]
    W = rng.standard_normal((atoms, d))
    W /= np.linalg.norm(W, axis=1)[:, None]
    Psi = np.maximum(X @ W.T - rng.uniform(-1.0, 1.0, atoms), 0.0)
    v = rng.choice([-1.0, 1.0], atoms) * np.arange(1.0, atoms + 1.0) ** -1.5
    v /= np.abs(v).sum()
    return Target(Psi @ v, Psi, 1.0)


def instance(seed: int, dimensions: Sequence[int] = (2, 5, 10), seeds: int = 24) -> tuple[Mapping[str, list[Target]]]:
    """Random functions in each dimension."""
    rng = np.random.default_rng(seed)
    return ({f"d = {d}": [target(rng, d) for _ in range(seeds)] for d in dimensions},)


def greedy(values: Array, atoms: Array, terms: int) -> Array:
    """Squared errors of orthogonal greedy selection among given atoms, after 0, 1, ..., `terms` of them. O(terms n M).

    Each round takes the atom that is most correlated with what is missing.
    """
    norms = np.linalg.norm(atoms, axis=0)
    norms[norms == 0.0] = np.inf
    return orthogonal_greedy(
        values, lambda missing: atoms[:, np.argmax(np.abs(missing @ atoms) / norms)], terms, np.empty((len(values), 0))
    )


def orthogonal_greedy(values: Array, choose: Callable[[Array], Array], rounds: int, basis: Array) -> Array:
    """Squared errors, in mean square over the points, after 0, 1, ..., `rounds` atoms.

    A round chooses an atom for what is missing, then projects on all that were taken, and on the columns of `basis`,
    orthonormal, which are there from the start.
    """
    missing = values - basis @ (basis.T @ values)
    errors = [float(missing @ missing)]
    for _ in range(rounds):
        atom = choose(missing).copy()
        for _ in range(2):  # twice: once leaves rounding
            atom -= basis @ (basis.T @ atom)
        basis = np.column_stack([basis, atom / (np.linalg.norm(atom) or 1.0)])
        missing = missing - basis @ (basis.T @ missing)
        errors.append(float(missing @ missing))
    return np.array(errors) / len(values)


@timed
def check(targets: Mapping[str, Sequence[Target]], terms: Array = TERMS) -> Report:
    r"""Maurey: an :math:`\ell^1`-combination of bounded atoms has K-term approximants with squared error of order 1/K.

    .. math:: \|f - f_K\|^2 \le \frac{V^2 B^2}{K + 1}, \qquad f = \sum_k v_k \psi_k, \quad V = \sum_k |v_k|,
              \quad B = \max_k \|\psi_k\|

    for orthogonal greedy selection [1]_: a round that projects on the best atom lowers the squared error a to
    a (1 - a / V^2 B^2) or less. The norm is that of mean square over the points, for which this is exact.

    Parameters
    ----------
    targets : by name, such as the dimension: several functions with their dictionaries.
    terms : the K for which errors are compared, increasing.

    References
    ----------
    .. [1] R. A. DeVore, V. N. Temlyakov, Some remarks on greedy algorithms, Adv. Comput. Math. 5 (1996),
       doi:10.1007/BF02124742

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rng = np.random.default_rng(0)
    >>> targets = {"d = 3": [rs.theorems.target(rng, 3, points=200, atoms=300) for _ in range(3)]}
    >>> print(rs.theorems.maurey(targets, np.array([2, 4, 8, 16])).measures[0].bound)
    <= 1
    """
    excess, errors = 0.0, {}
    counts = np.arange(terms[-1] + 1)
    for name, members in targets.items():
        rows = []
        for f in members:
            error = greedy(f.values, f.atoms, int(terms[-1]))
            most = f.variation**2 * float((f.atoms**2).mean(axis=0).max())
            excess = max(excess, float((error * (counts + 1.0)).max() / most))
            rows.append(error[terms])
        errors[name] = np.array(rows)
    slopes = {name: slope(terms, rows) for name, rows in errors.items()}
    measures = (
        at_most("largest squared error over V^2 B^2 / (K + 1)", excess, 1.0),
        *(rate(f"exponent of K, {name}", each, -1.0) for name, each in slopes.items()),
    )
    remarks = tuple(compared(name, each, -1.0) for name, each in slopes.items())
    claim = "Maurey: K greedily chosen neurons leave a squared error of order 1/K in every dimension"
    return Report(claim, "Section VI", measures, lambda figure: _draw(figure, terms, errors), remarks)


def _draw(figure: Figure, terms: Array, errors: dict[str, Array]) -> None:
    axes = figure.subplots()
    draw_rates(axes, terms, errors, -1.0)
    axes.set(xlabel="K neurons", ylabel="squared error", title="greedy selection from a dictionary of neurons")
