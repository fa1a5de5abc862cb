"""Suprema and optima of three layers for few points of one feature, by enumeration of all activation patterns.

A function is given by its values at the data and the corners 0 and 1: the linear spline through them has no larger
norm than any other with these values. That shares nothing with what it is to test.
"""

from itertools import product

import cvxpy as cp
import numpy as np
from formulas import minimum
from scipy.optimize import linprog


def bends(t):
    """The changes of slope at the inner nodes, and the rise from 0 to 1, of values at the nodes t."""
    m = len(t)
    slopes = (np.eye(m)[1:] - np.eye(m)[:-1]) / np.diff(t)[:, None]
    rise = np.eye(m)[np.searchsorted(t, 1.0)] - np.eye(m)[np.searchsorted(t, 0.0)]
    return np.vstack([slopes[1:] - slopes[:-1], rise])


def supremum(x, u):
    """sup |sum u rho(g(x))| over the ball."""
    t = np.unique([*x, 0.0, 1.0])
    B, at = bends(t), np.eye(len(t))[np.searchsorted(t, x)]
    q, m = B.shape
    A = np.vstack([np.hstack([B, -np.eye(q)]), np.hstack([-B, -np.eye(q)]), np.append(np.zeros(m), np.ones(q))])
    best = 0.0
    for pattern in product([False, True], repeat=len(x)):
        on = np.array(pattern)
        signs = np.hstack([np.where(on, -1.0, 1.0)[:, None] * at, np.zeros((len(x), q))])
        for sign in (1.0, -1.0):
            out = linprog(
                np.append(-sign * (u * on) @ at, np.zeros(q)),
                A_ub=np.vstack([A, signs]),
                b_ub=np.concatenate([np.zeros(2 * q), [1.0], np.zeros(len(x))]),
                bounds=(None, None),
            )
            best = max(best, -out.fun)
    return best


def optimum(problem, skip):
    """The least objective: a function for each pattern and sign, each in its own cone."""
    x = problem.X[:, 0]
    t = np.unique([*x, 0.0, 1.0])
    B, at = bends(t), np.eye(len(t))[np.searchsorted(t, x)]
    c, c0 = cp.Variable(), cp.Variable()
    on = np.array(list(product([0.0, 1.0], repeat=len(x))) * 2).T  # points x functions
    sign = np.repeat([1.0, -1.0], on.shape[1] // 2)
    nodes = cp.Variable((len(t), on.shape[1]))
    values = at @ nodes
    fit = cp.multiply(on, values) @ sign + c * x + c0
    constraints = [cp.multiply(2.0 * on - 1.0, values) >= 0.0, *([] if skip else [c == 0.0])]
    return minimum(problem, fit, cp.sum(cp.abs(B @ nodes)), constraints)
