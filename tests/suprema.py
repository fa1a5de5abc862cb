"""sup |eta| for few points, by enumerations that share nothing with the oracles."""

from __future__ import annotations

from itertools import combinations, product

import cvxpy as cp
import numpy as np

from ridgesplines.network import group_norms
from ridgesplines.oracle import eta_at
from ridgesplines.patterns import activation_patterns


def enumerated(X, u):
    """sup |eta| for few points in general position.

    A maximum holds some points T, one of them the pivot, on the hyperplane, and is the best direction for its pattern.
    Each such pattern is that of a vertex through d points, those not in T moved to either side.
    """
    N, d = X.shape
    U = u.reshape(N, -1)
    W, b = [], []
    for vertex in combinations(range(N), d):
        w = np.linalg.svd(X[list(vertex[1:])] - X[vertex[0]])[2][-1]
        for moved in product([-1.0, 0.0, 1.0], repeat=d):
            held = [n for n, s in zip(vertex, moved, strict=True) if s == 0.0]
            if not held:
                continue
            R = X - X[held[0]]
            s = np.sign(R @ w)
            s[list(vertex)] = moved
            M = R.T @ (s[:, None] * U)
            Q = np.linalg.qr(R[held[1:]].T)[0] if len(held) > 1 else np.zeros((d, 0))
            best = np.linalg.svd(M - Q @ (Q.T @ M))[0][:, 0]
            W.append(best)
            b.append(best @ X[held[0]])
    return float(group_norms(eta_at(X, u, np.array(W), np.array(b))).max())


def over_patterns(X, u):
    """sup |eta| for points in any position: in the cell of a pattern eta is linear, and either sign a cone program."""
    w, b, slope, mass = cp.Variable(X.shape[1]), cp.Variable(), cp.Parameter(X.shape[1]), cp.Parameter()
    side = cp.Parameter(len(X))
    cell = cp.Problem(cp.Maximize(slope @ w - mass * b), [cp.norm(w) <= 1.0, cp.multiply(side, X @ w - b) >= 0.0])
    best = 0.0
    for active in activation_patterns(X):
        for turned in (active, ~active):
            for sign in (1.0, -1.0):
                side.value = np.where(turned, 1.0, -1.0)
                slope.value, mass.value = sign * X[turned].T @ u[turned], sign * u[turned].sum()
                best = max(best, cell.solve(solver="CLARABEL", tol_gap_abs=1e-9, tol_gap_rel=1e-9, tol_feas=1e-9))
    return best
