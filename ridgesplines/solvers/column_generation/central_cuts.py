"""Cutting planes from between the vertices: fewer and cheaper rounds than linear programs where there are many points.

A vertex of the dual program jumps far from round to round. An interior point that stops at a part of the gap that is
left stays in the middle, and costs the same however many neurons there are. What it lacks is an end: linear programs
take over its neurons, and begin at the vertex to which it points.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from ridgesplines.amplitudes.central_path import Between, CentralPath
from ridgesplines.amplitudes.design import project
from ridgesplines.certificate.dual import projected
from ridgesplines.interrupt import check
from ridgesplines.neurons.working_set import Neurons
from ridgesplines.objective import objective_of_fit
from ridgesplines.oracle.base import Oracle
from ridgesplines.problem import Problem
from ridgesplines.solvers.column_generation.cutting_planes import DualProgram
from ridgesplines.solvers.column_generation.refits import Fit
from ridgesplines.solvers.column_generation.rounds import CUT_RTOL, joining, stands
from ridgesplines.solvers.column_generation.state import Phase, State
from ridgesplines.solvers.pace import MOST_JOINING
from ridgesplines.validation import Array

#: With so few points linear programs are fast; with more than so many it was not measured.
FEWEST_POINTS, MOST_POINTS = 300, 1000
#: A round ends at this part of the gap that is left, the first of this gap.
SHARE, FIRST_GAP = 0.2, 0.1
#: The rounds end at this gap, once a harder search confirms it: linear programs, which close it, take long to find what
#: is missing. And the gap of the point from which these begin.
ENOUGH, FINEST = 2e-4, 1e-8
#: Neurons stay whose amplitude is larger than this, relative to the largest, or whose slack is less than so many gaps.
LARGE, NEAR = 1e-4, 3.0
#: Smaller amplitudes, relatively, are left out of the network.
COUNTED = 1e-6
#: A search starts from so many of the neurons at hand, those of least slack: violators are near them.
STARTS = 192


def central_cuts(
    problem: Problem, fit: Fit, oracle: Oracle, tol: float, end: float
) -> Generator[State, None, DualProgram | None]:
    """One state a round, until its gap is small, or none is missing and it falls no more; for scalar fits with kinks.

    It returns the linear program of its neurons, which begins where this has come to; None where there were no rounds.
    """
    if not FEWEST_POINTS <= len(problem.y) <= MOST_POINTS or problem.slope_penalty:
        return None
    neurons, B = fit.neurons, _columns(problem, fit.neurons)
    u, a, beta, gap, sup = fit.u, neurons.amplitudes, problem.null_space.T @ fit.z, FIRST_GAP, problem.lam
    while True:
        path = CentralPath(problem, B)
        point = path.follow(u * min(1.0, problem.lam / sup), beta, a, gap, SHARE * gap, end)
        if point is None:
            return _program(problem, neurons)
        a, beta, u = point.a, point.beta, projected(problem, point.u)[0]
        size = np.abs(a) / max(float(np.abs(a).max(initial=0.0)), np.finfo(float).tiny)
        fit = _fit(problem, neurons, B, point._replace(u=u), size > COUNTED)
        closest = neurons.take(np.argsort(point.slack)[:STARTS])
        state, found = stands(problem, fit, u, oracle, max(tol, ENOUGH), end, near=closest)
        state = state._replace(phase=Phase.CENTRAL)
        new = joining(problem, u, found, CUT_RTOL, MOST_JOINING)
        idle = not len(new) and state.gap >= gap  # while it falls, the point comes nearer though no neuron is missing
        aim, gap = SHARE * gap, min(gap, max(state.gap, tol))
        if gap <= max(ENOUGH, tol) or idle:
            program = _program(problem, neurons)
            point = path.follow(point.u, beta, a, aim, FINEST, end) or point
            program.begin(point.u, B @ point.a + problem.null_space @ point.beta, point.a, point.slack)
            yield _at_vertex(problem, state, program.solve(end))
            check()
            program.offer(new.W, new.b)
            return program
        yield state
        check()
        kept = (size > LARGE) | (point.slack < NEAR * gap * problem.lam)
        neurons, a, sup = neurons.take(kept).joined(new), np.append(a[kept], new.sizes), max(found.value, problem.lam)
        B = np.hstack([B[:, kept], _columns(problem, new)])


def _at_vertex(problem: Problem, state: State, vertex: Fit | None) -> State:
    """The state of fewer neurons, those of a vertex of their program, for it may be the last; its dual vector stays."""
    if vertex is None:
        return state
    primal = objective_of_fit(problem, vertex.z, float(vertex.neurons.sizes.sum()))
    if primal > state.objective:
        return state
    return state._replace(fit=Fit(vertex.neurons, vertex.z, state.fit.u, primal), objective=primal)


def _program(problem: Problem, neurons: Neurons) -> DualProgram:
    program = DualProgram(problem)
    program.offer(neurons.W, neurons.b)
    return program


def _fit(problem: Problem, neurons: Neurons, B: Array, point: Between, counted: NDArray[np.bool_]) -> Fit:
    """The network of the neurons that count, all others left out of its fit too."""
    a = point.a[counted]
    z = B[:, counted] @ a + problem.null_space @ point.beta
    used = Neurons.of(neurons.W[counted], neurons.b[counted], a)
    return Fit(used, z, point.u, objective_of_fit(problem, z, float(used.sizes.sum())))


def _columns(problem: Problem, neurons: Neurons) -> Array:
    return project(problem.null_space, np.maximum(problem.X @ neurons.W.T - neurons.b, 0.0))
