r"""The best amplitudes of given atoms of the norm: neurons that vanish at the corners, and the affine functions.

.. math:: \min_{v, a} \; \sum_n s_n L\Big(y_n, \sum_k v_k \varphi_k(x_n) + a_0 + \sum_j a_j x_{nj}\Big)
          + \lambda \Big(\sum_k \|v_k\| + \sum_{j=0}^d \|a_j\|\Big)

An LASSO in which nothing is free; see :mod:`ridgesplines.problem.corners`. Newton's method on faces for smooth losses,
linear programs for others and for interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ridgesplines.amplitudes.design import Design
from ridgesplines.amplitudes.extreme_points import independent
from ridgesplines.amplitudes.linear_program import linear_program
from ridgesplines.amplitudes.newton import Face, descend
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.objective import dual_of_fit, objective_of_fit
from ridgesplines.problem import Problem
from ridgesplines.problem.corners import Corners
from ridgesplines.validation import Array

#: A coefficient this small, relative to the largest amplitude, is what rounding left of zero.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Atoms:
    """Neurons of unit weights W (K, d), b (K,), with amplitudes v, and coefficients a of the affine functions.

    Shapes (K,) and (d + 1,), or (K, D) and (d + 1, D).
    """

    W: Array
    b: Array
    v: Array
    a: Array

    @classmethod
    def of_network(cls, corners: Corners, net: RidgeSpline) -> Atoms:
        """A network, whose coefficients are what it is at the corners."""
        W, b = _turned(corners, net.weights, net.biases)
        return cls(W, b, net.amplitudes, corners.coefficients(net.at(corners.points)))

    def network(self, corners: Corners) -> RidgeSpline:
        """The same function as a network."""
        at_corners = corners.coefficients(np.maximum(corners.points @ self.W.T - self.b, 0.0))
        a = self.a - at_corners @ self.v
        slope = (a[1:].T / corners.steps).T
        return RidgeSpline(self.W, self.b, self.v, slope, a[0] - corners.origin @ slope)

    @property
    def amounts(self) -> Array:
        """All amplitudes, those of the affine functions last: (P,) or (P, D)."""
        return np.concatenate([self.v, self.a])

    @property
    def norm(self) -> float:
        return float(group_norms(self.amounts).sum())

    def columns(self, problem: Problem) -> Array:
        """The values of all atoms at the data, (N, P)."""
        corners = corners_of(problem)
        return np.hstack([corners.vanishing(problem.X, self.W, self.b), corners.affine(problem.X)])

    def of_amounts(self, amounts: Array, alive: bool = True) -> Atoms:
        """The same atoms with other amplitudes (P,) or (P, D); without neurons of amplitude zero, if `alive`."""
        v, a = amounts[: len(self.b)], amounts[len(self.b) :]
        kept = group_norms(v) > 0.0 if alive else np.ones(len(v), dtype=bool)
        return Atoms(self.W[kept], self.b[kept], v[kept], a)

    def joined(self, corners: Corners, W: Array, b: Array, v: Array) -> Atoms:
        """The atoms with further neurons, those that are there already left out."""
        W, b = _turned(corners, W, b)
        new = [not ((self.b == c) & (w == self.W).all(axis=1)).any() for w, c in zip(W, b, strict=True)]
        W, b, v = (np.concatenate([old, more[new]]) for old, more in ((self.W, W), (self.b, b), (self.v, v)))
        return replace(self, W=W, b=b, v=v)

    def purified(self, problem: Problem) -> Atoms:
        """At most N D atoms of the same values at the data, and no larger a norm."""
        sizes, amounts = group_norms(self.amounts), np.zeros_like(self.amounts)
        alive = np.flatnonzero(sizes > 0.0)
        directions = (self.amounts[alive].T / sizes[alive]).T
        values = self.columns(problem)[:, alive]
        if directions.ndim == 1:
            columns = values * directions
        else:
            columns = (values[:, None, :] * directions.T).reshape(len(values) * directions.shape[1], len(alive))
        kept, sizes = independent(columns, sizes[alive])
        amounts[alive[kept]] = (directions[kept].T * sizes).T
        return self.of_amounts(amounts)


def purify_atoms(problem: Problem, net: RidgeSpline) -> RidgeSpline:
    """A network with the same values at the data, no larger a norm, and at most N D atoms; `purify` for the norm."""
    corners, p = corners_of(problem), problem.reduced
    return Atoms.of_network(corners, net).purified(p).network(corners)


def count_atoms(problem: Problem, net: RidgeSpline) -> int:
    """K, and the number of coefficients of the affine functions that are more than rounding."""
    atoms = Atoms.of_network(corners_of(problem), net)
    sizes = group_norms(atoms.a)
    return net.n_neurons + int((sizes > ROUNDING * group_norms(atoms.amounts).max()).sum())


def corners_of(problem: Problem) -> Corners:
    """The corners of a problem that has them."""
    assert problem.corners is not None
    return problem.corners


def _turned(corners: Corners, W: Array, b: Array) -> tuple[Array, Array]:
    """Each neuron from the side that leaves more corners at zero: less its interpolant both sides are the same."""
    at = corners.points @ W.T - b
    sign = np.where((at > 0.0).sum(axis=0) > (at < 0.0).sum(axis=0), -1.0, 1.0)
    return W * sign[:, None], b * sign


def refitted(problem: Problem, atoms: Atoms) -> tuple[Atoms, Array] | None:
    """(the optimum on these atoms, its dual vector), from their amplitudes; None where a linear program fails.

    For a smooth loss atoms at zero stay there and neurons among them leave; for others all atoms are tried, and stay.
    """
    return _on_faces(problem, atoms) if problem.loss.smooth else _vertex(problem, atoms)


def _on_faces(problem: Problem, atoms: Atoms) -> tuple[Atoms, Array]:
    atoms = atoms.purified(problem)
    amounts, values = atoms.amounts, atoms.columns(problem)
    alive = np.flatnonzero(group_norms(amounts) > 0.0)
    while True:
        basis, kinks = _scaled(values[:, alive])
        t = (amounts[alive].T / kinks.diagonal()).T
        signs = np.sign(t) if t.ndim == 1 else None
        t, gone, converged = descend(Face(problem, basis, kinks, signs), t)
        amounts = np.zeros_like(amounts)
        amounts[alive[~gone]] = (kinks @ t)[~gone]
        if converged or not gone.any():
            break
        alive = alive[~gone]
    return atoms.of_amounts(amounts), dual_of_fit(problem, values @ amounts)


def _vertex(problem: Problem, atoms: Atoms) -> tuple[Atoms, Array] | None:
    values = atoms.columns(problem)
    basis, kinks = _scaled(values)
    design = Design(basis, kinks, atoms.W, atoms.b, lambda theta: atoms.of_amounts(theta).network(corners_of(problem)))
    answer = linear_program(problem, design, nearby=values @ atoms.amounts)
    return None if answer is None else (atoms.of_amounts(answer[1], alive=False), answer[2])


def _scaled(values: Array) -> tuple[Array, Any]:
    """The columns divided by their lengths, and the matrix from their coefficients to amplitudes."""
    length = np.linalg.norm(values, axis=0)
    length[length == 0.0] = 1.0
    return values / length, sparse.diags_array(1.0 / length).tocsr()


def atoms_objective(problem: Problem, atoms: Atoms) -> float:
    """The objective of these atoms; infinite where they do not interpolate, to rounding, what they must."""
    z = atoms.columns(problem) @ atoms.amounts
    if problem.loss.interpolates:
        return problem.lam * atoms.norm if np.abs(z - problem.y).max() <= 1e-8 * np.abs(problem.y).max() else np.inf
    return objective_of_fit(problem, z, atoms.norm)


def affine_atoms(problem: Problem) -> Atoms:
    """No neuron, and all coefficients zero."""
    d, tail = problem.n_features, problem.outputs
    return Atoms(np.empty((0, d)), np.empty(0), np.empty((0, *tail)), np.zeros((d + 1, *tail)))


def nonzero(atoms: Atoms) -> NDArray[np.bool_]:
    """Which coefficients of the affine functions are not zero, (d + 1,)."""
    return group_norms(atoms.a) > 0.0
