r"""The two steps of column generation over rows in blocks: amplitudes are refitted, and all neurons slide at once.

A refit is Newton's method over nonnegative least squares on Gram matrices, a pass a step. A slide is L-BFGS on
:math:`\theta` and the affine part, a pass a value with its gradient; its metric is the Hessian of the *sample*, faces
left out, in which the objective of all rows is nearly round: a sample proposes the metric, all rows the descent.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.optimize import OptimizeResult, minimize

from ridgesplines.amplitudes.by_rows import Descent, Parabola, Point, descent_of, distances, parabola_of
from ridgesplines.amplitudes.newton import weighted_curvature
from ridgesplines.amplitudes.nonnegative import nonnegative
from ridgesplines.interactions import Interactions
from ridgesplines.interrupt import check, late
from ridgesplines.neurons.working_set import Neurons
from ridgesplines.problem import Problem
from ridgesplines.rows.data import BlockedData
from ridgesplines.solvers.column_generation.joint_slide import GONE, MEMORY, TIP
from ridgesplines.validation import Array

#: Newton steps, and halvings of one.
MOST_STEPS, HALVINGS = 50, 10
#: A step that promises less, relative to the objective, is rounding.
PROGRESS_RTOL = 1e-14
#: Rows of the sample for each unknown of the metric; and unknowns at most, beyond which there is none.
ROWS_PER_UNKNOWN, MOST_UNKNOWNS = 16, 2500
#: Added to the metric's diagonal, relative to its mean.
DAMPING = 1e-9


class _Master:
    """The objective of amplitudes and beta on given neurons, as far as steps need it."""

    def __init__(self, data: BlockedData, lam: float, point: Point, neurons: Neurons) -> None:
        self._data, self.n = data, len(neurons)
        self.unit = replace(point, theta=np.column_stack([neurons.W, neurons.b]), signs=neurons.signs)
        self._cost = np.concatenate([np.full(self.n, lam), np.zeros(len(point.beta))])

    def model(self, x: Array, steady: bool = False) -> Parabola:
        """The objective about x to second order; one pass."""
        model: Parabola = self._data.blocks.reduce(parabola_of, self._data.loss, self.unit, x, steady)
        return model._replace(value=model.value + float(self._cost @ x), gradient=model.gradient + self._cost)

    def step(self, model: Parabola, x: Array) -> Array:
        """To the minimiser of a model among sizes >= 0: beta eliminated, then nonnegative least squares."""
        (g, gb), (H, cross) = np.split(model.gradient, [self.n]), np.split(model.hessian, [self.n])
        H, cross, bb = H[:, : self.n], cross[:, : self.n], cross[:, self.n :]
        bb = linalg.cho_factor(bb + 1e-15 * np.trace(bb) * np.eye(len(bb)))
        away = linalg.cho_solve(bb, cross)
        S, a = H - cross.T @ away, x[: self.n]
        da = nonnegative(S, S @ a - (g - away.T @ gb), a) - a if self.n else a
        return np.concatenate([da, -linalg.cho_solve(bb, gb + cross @ da)])

    def shortened(self, model: Parabola, x: Array, step: Array) -> tuple[Array, Parabola] | None:
        """Where a step, halved until it descends, leads, and the model there; None where it does not descend."""
        slope = float(model.gradient @ step)
        if -slope <= PROGRESS_RTOL * abs(model.value):
            return None
        for halving in range(HALVINGS):
            check()
            t = 0.5**halving
            there = np.append(np.maximum(x + t * step, 0.0)[: self.n], (x + t * step)[self.n :])
            trial = self.model(there)
            if trial.value <= model.value + 1e-4 * t * slope:
                return there, trial
        return None


def refitted(data: BlockedData, lam: float, point: Point, joining: Neurons | None = None) -> tuple[Point, float]:
    """The best amplitudes and affine part on the point's neurons and those that join, and the objective.

    Neurons of size zero leave.
    """
    neurons = point.neurons if joining is None else point.neurons.joined(joining)
    master, x = _Master(data, lam, point, neurons), np.concatenate([neurons.sizes, point.beta])
    model = master.model(x)
    for _ in range(MOST_STEPS):
        found = master.shortened(model, x, master.step(model, x))
        if found is None and not data.loss.quadratic:  # a parabola above the loss descends
            above = master.model(x, steady=True)
            found = master.shortened(above, x, master.step(above, x))
        if found is None:
            break
        x, model = found
    kept = x[: master.n] > 0.0
    theta = x[: master.n, None] * master.unit.theta
    return replace(point, theta=theta[kept], signs=neurons.signs[kept], beta=x[master.n :]), model.value


def slid(
    data: BlockedData, scaled: Problem, point: Point, steps: int, enough: float = 0.0, end: float = np.inf
) -> Point:
    """The point after at most so many steps of all neurons and the affine part together, signs held.

    A step that lowers the objective by less than `enough` is the last. With groups of features neurons keep to theirs.
    """
    start, shape, lam = np.concatenate([point.theta.ravel(), point.beta]), point.theta.shape, scaled.lam
    free = free_unknowns(point, scaled.interactions)
    factor = _metric(data, lam, point, free)

    def at(phi: Array) -> Point:
        x = start.copy()
        x[free] += phi if factor is None else linalg.solve_triangular(factor, phi, trans="T", lower=True)
        return replace(point, theta=x[: point.theta.size].reshape(shape), beta=x[point.theta.size :])

    def objective(phi: Array) -> tuple[float, Array]:
        there = at(phi)
        descent: Descent = data.blocks.reduce(descent_of, data.loss, there)
        size = np.sqrt((there.theta[:, :-1] ** 2).sum(axis=1) + TIP**2)
        descent.theta[:, :-1] += lam * there.theta[:, :-1] / size[:, None]
        gradient = np.concatenate([descent.theta.ravel(), descent.beta])[free]
        if factor is not None:
            gradient = linalg.solve_triangular(factor, gradient, lower=True)
        return descent.value + lam * float(size.sum()), gradient

    before = np.inf

    def stop(intermediate_result: OptimizeResult) -> None:
        nonlocal before
        check()
        if late(end) or before - intermediate_result.fun < enough:
            raise StopIteration
        before = intermediate_result.fun

    options = {"maxiter": steps, "maxcor": MEMORY, "ftol": 0.0, "gtol": 0.0}
    answer = minimize(objective, np.zeros(len(free)), jac=True, method="L-BFGS-B", options=options, callback=stop)
    moved = at(answer.x)
    size = np.linalg.norm(moved.theta[:, :-1], axis=1)
    kept = size > GONE * size.max(initial=0.0)
    return replace(moved, theta=moved.theta[kept], signs=moved.signs[kept])


def free_unknowns(point: Point, groups: Interactions | None) -> NDArray[np.intp]:
    """Which of (theta, beta) may change where neurons keep to their groups of features."""
    free = np.ones(point.theta.shape, dtype=bool)
    if groups is not None:
        free[:, :-1] = groups.free(point.theta[:, :-1])
    return np.flatnonzero(np.append(free.ravel(), np.ones(len(point.beta), dtype=bool)))


def _metric(data: BlockedData, lam: float, point: Point, free: NDArray[np.intp]) -> Array | None:
    """The Cholesky factor of the sample's Hessian for all rows, neurons kept to their sides of the data."""
    (sample, share), (K, p) = data.sample, point.theta.shape
    unknowns = K * p + len(point.beta)
    if len(free) > MOST_UNKNOWNS:
        return None
    n = min(len(sample.X), max(ROWS_PER_UNKNOWN * unknowns, 2**13))
    share *= len(sample.X) / n
    H = np.zeros((unknowns, unknowns))
    for i in range(0, n, 2**11):
        X, y, weight = (part[i : min(i + 2**11, n)] for part in sample[:3])
        points = np.column_stack([X, -np.ones(len(X))])
        moved = 0.5 * (np.sign(distances(X, point.theta)) * point.signs)[:, :, None] * points[:, None, :]
        J = np.hstack([moved.reshape(len(X), K * p), point.affine.at(X)])
        H += J.T @ (share * weighted_curvature(data.loss, y, point.at(X), weight, True)[:, None] * J)
    size = np.linalg.norm(point.theta[:, :-1], axis=1)
    for k in range(K):
        w, at = point.theta[k, :-1] / size[k], slice(k * p, (k + 1) * p - 1)
        H[at, at] += lam / size[k] * (np.eye(p - 1) - np.outer(w, w))
    H = H[np.ix_(free, free)]
    H[np.diag_indices(len(free))] += DAMPING * np.trace(H) / len(free)
    return linalg.cholesky(H, lower=True)
