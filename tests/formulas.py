"""The losses' formulas written again in CVXPY, for optima that use nothing of the package's own solvers."""

from __future__ import annotations

import cvxpy as cp
import numpy as np

import ridgesplines as rs


def minimum(p, z, norm, constraints=(), tol=1e-9):
    """min of the losses of p at the fit z, an expression, plus lam times the norm."""
    y, w, D = p.y, p.sample_weight, p.n_outputs
    constraints = list(constraints)
    match p.loss:
        case rs.Squared():
            loss = cp.sum(cp.multiply(np.sqrt(w)[:, None] if D else np.sqrt(w), z - y) ** 2)
        case rs.Absolute():
            loss = w @ cp.abs(z - y)
        case rs.Huber(delta):
            inner = cp.Variable(len(y))
            loss = w @ (cp.square(inner) + 2.0 * delta * cp.abs(z - y - inner))
        case rs.Quantile(q):
            loss = w @ (q * cp.pos(y - z) + (1.0 - q) * cp.neg(y - z))
        case rs.Logistic():
            loss = w @ cp.logistic(cp.multiply(-y, z))
        case rs.Hinge():
            loss = w @ cp.pos(1.0 - cp.multiply(y, z))
        case rs.Softmax():
            own = np.eye(D)[y.astype(int)]
            loss = w @ (cp.log_sum_exp(z, axis=1) - cp.sum(cp.multiply(own, z), axis=1))
        case rs.Poisson():
            size = np.where(y > 0.0, y, 1.0)
            t = z - np.log(size)
            loss = (w * size) @ cp.exp(t) - (w * y) @ t - w @ y
        case rs.Interpolation():
            loss = 0.0
            constraints.append(z == y)
    program = cp.Problem(cp.Minimize(loss + p.lam * norm), constraints)
    return program.solve(solver="CLARABEL", tol_gap_abs=tol, tol_gap_rel=tol, tol_feas=tol)


def constrained_minimum(p, further):
    """The least objective in one dimension by values at data, fixed places and further points, some beyond all data."""
    p, constraints = p.reduced, p.constraints
    x, fixed = p.X[:, 0], [c.at for c in constraints if isinstance(c, rs.FixedValues)]
    t = np.unique(np.concatenate([x, *fixed, further]))
    g = cp.Variable(len(t))
    slopes = cp.multiply(1.0 / np.diff(t), cp.diff(g))
    held = []
    for c in constraints:
        match c:
            case rs.Monotone():
                held.append(slopes >= 0.0)
            case rs.Lipschitz():
                held.append(cp.abs(slopes) <= c.bound)
            case rs.Slope():
                held += [slopes >= c.low] if c.low is not None else []
                held += [slopes <= c.high] if c.high is not None else []
            case rs.EndSlopes():
                held += [slopes[0] == c.left] if c.left is not None else []
                held += [slopes[len(t) - 2] == c.right] if c.right is not None else []
            case rs.Bounds():
                # Far out as well: from the last points on the curve may only lead away from the bound.
                held += [g >= c.low, slopes[0] <= 0.0, slopes[len(t) - 2] >= 0.0] if c.low is not None else []
                held += [g <= c.high, slopes[0] >= 0.0, slopes[len(t) - 2] <= 0.0] if c.high is not None else []
            case rs.Convex():
                held.append(cp.diff(slopes) >= 0.0)
            case rs.Concave():
                held.append(cp.diff(slopes) <= 0.0)
            case rs.FixedValues():
                held.append(g[np.searchsorted(t, c.at)] == np.array(c.values))
    return minimum(p, g[np.searchsorted(t, x)], cp.norm1(cp.diff(slopes)), held)
