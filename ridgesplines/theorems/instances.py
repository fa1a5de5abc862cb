"""The seeded problems on which `verify` runs the claims about data."""

from __future__ import annotations

import numpy as np

from ridgesplines.problem import Problem
from ridgesplines.solve import lambda_max


def scattered(seed: int, n: int = 60, d: int = 1, outputs: int | None = None, part: float = 0.03) -> Problem:
    """N noisy values of a function with bends at uneven places; lam is a part of lambda_max."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.0, 1.0, (n, d))
    directions = rng.standard_normal((d, outputs or 1))
    T = X @ (directions / np.linalg.norm(directions, axis=0))
    Y = np.abs(T - 0.2) - np.maximum(3.0 * T + 1.0, 0.0) + np.sin(4.0 * T) + 0.1 * rng.standard_normal(T.shape)
    problem = Problem(X, Y[:, 0] if outputs is None else Y, lam=1.0)
    return problem.with_lam(part * lambda_max(problem))
