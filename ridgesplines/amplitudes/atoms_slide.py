r"""All neurons among the atoms of the norm slide at once, by L-BFGS.

.. math:: \min_{\theta_k, v_k, a} \; \sum_n s_n L\Big(y_n, \sum_k v_k \varphi_{\theta_k}(x_n) + A(x_n)^T a\Big)
          + \lambda \Big(\sum_k \|v_k\| \|w_k\| + \sum_j \|a_j\|\Big), \qquad \theta_k = (w_k, b_k)

The gradient by :math:`\theta_k` is that of :math:`\eta` of rows and corners. O(N K d) for each value with its gradient.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from ridgesplines.amplitudes.atoms import Atoms, atoms_objective, corners_of, nonzero
from ridgesplines.interrupt import check, late
from ridgesplines.objective import dual_of_fit
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Steps that L-BFGS remembers.
MEMORY = 30
#: Rounds the tip of norms at zero, in scaled units.
TIP = 1e-12


def slid(problem: Problem, atoms: Atoms, steps: int, end: float) -> Atoms:
    """The atoms after so many steps, for a smooth loss; as they were where that does not lower the objective.

    Coefficients of the affine functions that are zero stay so.
    """
    if not len(atoms.b):
        return atoms
    joint = _Joint(problem, atoms)

    def watched(unknowns: Array) -> None:
        check()
        if late(end):
            raise StopIteration

    options = {"maxiter": steps, "maxcor": MEMORY, "ftol": 1e-15, "gtol": 1e-12}
    start = joint.start()
    answer = minimize(joint, start, jac=True, method="L-BFGS-B", options=options, callback=watched)
    moved = joint.atoms(answer.x)
    return moved if atoms_objective(problem, moved) < atoms_objective(problem, atoms) else atoms


class _Joint:
    """The objective and its gradient as functions of all (W, b, v, a) in one vector."""

    def __init__(self, problem: Problem, atoms: Atoms) -> None:
        self._problem, self._atoms, corners = problem, atoms, corners_of(problem)
        self._used = nonzero(atoms)
        self._affine = corners.affine(problem.X)[:, self._used]
        self._rows = np.vstack([problem.X, corners.points])
        self._held = None if problem.interactions is None else problem.interactions.free(atoms.W)
        self._shape = len(atoms.b), problem.n_features, problem.n_outputs or 1

    def start(self) -> Array:
        """The unknowns: neurons as long as their amplitudes, where all change alike."""
        t, (K, _, D) = self._atoms, self._shape
        root = np.sqrt(np.linalg.norm(t.v.reshape(K, D), axis=1))[:, None]
        v = t.v.reshape(K, D) / root
        return np.concatenate([part.ravel() for part in (root * t.W, root[:, 0] * t.b, v, t.a[self._used])])

    def atoms(self, unknowns: Array) -> Atoms:
        W, b, v, a = self._parts(unknowns)
        length = np.linalg.norm(W, axis=1)
        alive = (length > 0.0) & v.any(axis=1)
        W, b, v = W[alive] / length[alive, None], b[alive] / length[alive], v[alive] * length[alive, None]
        amounts = np.zeros_like(self._atoms.a)
        amounts[self._used] = a.reshape(-1, *amounts.shape[1:])
        empty = Atoms(W[:0], b[:0], v[:0].reshape(0, *amounts.shape[1:]), amounts)
        return empty.joined(corners_of(self._problem), W, b, v.reshape(len(b), *amounts.shape[1:]))

    def _parts(self, unknowns: Array) -> tuple[Array, Array, Array, Array]:
        K, d, D = self._shape
        W, b, v, a = np.split(unknowns, np.cumsum([K * d, K, K * D]))
        return W.reshape(K, d), b, v.reshape(K, D), a.reshape(-1, D)

    def __call__(self, unknowns: Array) -> tuple[float, Array]:
        p, corners = self._problem, corners_of(self._problem)
        W, b, v, a = self._parts(unknowns)
        z = corners.vanishing(p.X, W, b) @ v + self._affine @ a
        fit = z.reshape(len(z), *p.outputs)
        u = dual_of_fit(p, fit)
        weights = np.concatenate([u, corners.weights(p.X, u)]).reshape(len(self._rows), -1)
        active = self._rows @ W.T - b > 0.0
        pull = active * (weights @ v.T)  # of each row at each neuron
        long, size, big = (np.sqrt((each**2).sum(axis=1, keepdims=True) + TIP**2) for each in (W, v, a))
        of_v = np.maximum(self._rows @ W.T - b, 0.0).T @ weights
        of_w = p.lam * size * W / long - pull.T @ self._rows
        if self._held is not None:
            of_w *= self._held
        parts = of_w, pull.sum(axis=0), p.lam * long * v / size - of_v, p.lam * a / big - self._affine.T @ _tall(u)
        value = float(p.sample_weight @ p.loss.value(p.y, fit)) + p.lam * float((long * size).sum() + big.sum())
        return value, np.concatenate([part.ravel() for part in parts])


def _tall(u: Array) -> Array:
    return u.reshape(len(u), -1)
