r"""Neurons slide where f must be monotone in some features: a Newton step of everything on the faces they are on.

With :math:`\theta = a (w, b)` a neuron is :math:`\tfrac12 \sigma |\theta_w^T x - \theta_b| + \tfrac12 \sum_j s_j
|\theta_{wj}| x_j`: besides the kinks at the data it has one where the weight of a monotone feature vanishes. Weights
that are zero there stay so, as touched points stay touched; see :mod:`ridgesplines.amplitudes.slide`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ridgesplines.amplitudes.columns import Columns
from ridgesplines.amplitudes.faces import faces
from ridgesplines.amplitudes.newton import damped_solve
from ridgesplines.amplitudes.slide import DAMPINGS, MAX_UNKNOWNS, bend_of_seminorm, moved_by, room, scalar_model
from ridgesplines.certificate.monotone import signs_of
from ridgesplines.neurons.working_set import Neurons, sides
from ridgesplines.problem import Problem
from ridgesplines.solvers.monotone.program import MonotoneFit, held_features, refit
from ridgesplines.validation import Array

#: Slides of a round, at most; one that lowers the objective by less than this, relatively, is the last.
MAX_SLIDES, PROGRESS_RTOL = 5, 1e-14
#: A weight this small, relative to the neuron, has come to zero.
GONE = 1e-13


def slides(problem: Problem, fit: MonotoneFit) -> MonotoneFit:
    """The fit after slides of all its neurons, for as long as these lower the objective. Smooth losses only."""
    for _ in range(MAX_SLIDES):
        fit = replace(fit, neurons=fit.alive)
        better = next((trial for trial in _trials(problem, fit) if trial.objective < fit.objective), None)
        if better is None:
            break
        paid = fit.objective - better.objective > PROGRESS_RTOL * abs(fit.objective)
        fit = better
        if not paid:
            break
    return fit


def _trials(problem: Problem, fit: MonotoneFit) -> Iterator[MonotoneFit]:
    """The best fit of each step that is tried."""
    for answers in _steps(problem, fit):
        trials = [trial for moved in answers if (trial := refit(problem, replace(fit, neurons=moved))) is not None]
        if trials:
            yield min(trials, key=lambda trial: trial.objective)


def _steps(problem: Problem, fit: MonotoneFit) -> Iterator[list[Neurons]]:
    """The neurons after Newton steps, each more damped: up to the first kink of each neuron, and all the way."""
    neurons, X, signs = fit.neurons, problem.X, signs_of(problem)
    if not len(neurons):
        return
    size, theta, on = neurons.sizes, neurons.theta, sides(problem.X, neurons.W, neurons.b)
    still = (signs != 0.0) & (neurons.W == 0.0)
    bases = faces(X, on, theta, size, MAX_UNKNOWNS, problem.interactions, still)
    width = np.array([T.shape[1] for T in bases])
    T, owner = np.hstack(bases), np.repeat(np.arange(len(size)), width)
    along = np.einsum("ip,pi->p", T[:-1], neurons.W[owner])
    columns, prices = _columns(problem, fit, T, owner, on)
    bend = np.zeros((columns.width, columns.width))
    bend[: len(owner), : len(owner)] = bend_of_seminorm(T[:-1], along, owner, problem.lam / size)
    H, g = scalar_model(problem, fit.z, columns, problem.lam * np.concatenate([along, prices]), bend)
    for damping in DAMPINGS:
        step = -damped_solve(H + damping * np.trace(H) / len(g) * np.eye(len(g)), g)
        if -(g @ step) <= PROGRESS_RTOL * abs(fit.objective):
            return
        step = np.add.reduceat((T * step[: len(owner)]).T, np.cumsum(width) - width)
        t = np.minimum(np.minimum(room(X, on, theta, step), _to_zero(theta, step, signs)), 1.0)[:, None]
        yield [_snapped(moved_by(neurons, theta + length * step), signs) for length in (t, 1.0)]


def _columns(problem: Problem, fit: MonotoneFit, T: Array, owner: Array, on: Array) -> tuple[Columns, Array]:
    """The change of the fit with each unknown: of the faces, then the strips and slopes in use, with their prices."""
    neurons, signs, X = fit.neurons, signs_of(problem), problem.X
    strips = fit.strips.take(fit.strips.sizes > 0.0)
    held = held_features(problem)
    held = held[fit.slopes[held] > 0.0]
    slopes = 0.5 * signs[:, None] * np.sign(neurons.W.T[:, owner]) * T[:-1]

    def make(rows: slice) -> Array:
        bent = 0.5 * (on[owner, rows].T * neurons.signs[owner]) * (X[rows] @ T[:-1] - T[-1]) + X[rows] @ slopes
        return np.hstack([bent, strips.columns(X[rows], signs), X[rows][:, held] * signs[held]])

    prices = np.repeat([2.0, 0.0], [len(strips), len(held)])
    return Columns(problem.free_space, len(owner) + len(prices), make), prices


def _to_zero(theta: Array, step: Array, signs: Array) -> Array:
    """The part of its step after which a weight of a monotone feature vanishes, the first of each neuron."""
    w, dw = theta[:, :-1], step[:, :-1]
    t = np.divide(-w, dw, out=np.full_like(w, np.inf), where=(signs != 0.0) & (w * dw < 0.0))
    return np.asarray(t.min(axis=1, initial=np.inf))


def _snapped(neurons: Neurons, signs: Array) -> Neurons:
    """The neurons with weights of monotone features that have come to zero at zero."""
    gone = (signs != 0.0) & (np.abs(neurons.W) <= GONE)
    theta = neurons.theta
    theta[:, :-1][gone] = 0.0
    return Neurons.from_theta(theta, neurons.signs)
