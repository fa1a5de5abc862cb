"""sup |eta| for few points, by enumerations that share nothing with the oracles."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from scipy.optimize import nnls

from ridgesplines.network.spline import group_norms
from ridgesplines.neurons.patterns import activation_patterns
from ridgesplines.oracle.eta import eta_at


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


def over_patterns(X, u, heavy=1e6):
    """sup |eta| for points in any position: in the cell of a pattern eta is linear, and either sign a cone program,

    max g^T w - m b subject to s_n (w^T x_n - b) >= 0 and |w| <= 1, solved by its dual: min |g + sum mu_n s_n x_n|
    over mu >= 0 with sum mu_n s_n = -m, an equality of heavy weight in nonnegative least squares.
    """
    X = X - X.mean(axis=0)
    best = 0.0
    for active in activation_patterns(X):
        for turned, sign in product((active, ~active), (1.0, -1.0)):
            side = np.where(turned, 1.0, -1.0)
            right = np.append(sign * X[turned].T @ u[turned], heavy * sign * u[turned].sum())
            left = np.vstack([X.T * side, heavy * side])
            best = max(best, float(np.linalg.norm(right + left @ nnls(left, -right)[0])))
    return best
