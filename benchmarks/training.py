r"""A ReLU network with a skip connection, trained by gradient descent with weight decay: Adam, then L-BFGS.

.. math:: \min_{W, b, v, c, c_0} \; \sum_n L(y_n, f(x_n)) + \frac{\lambda}{2} \sum_k v_k^2 + \|w_k\|^2, \qquad
          f(x) = \sum_k v_k \rho(w_k^T x - b_k) + c^T x + c_0

Its minimum over networks of K >= N neurons is that of problem (32). Double precision, all data in each step.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import ridgesplines as rs

Array = NDArray[np.float64]

#: Steps of Adam with the learning rate falling to zero along a cosine, and rounds of L-BFGS of so many steps each.
ADAM_STEPS, LBFGS_ROUNDS, LBFGS_STEPS = 3000, 60, 50
#: The best of 3e-3, 1e-2 and 3e-2 on the diabetes data.
LEARNING_RATE = 3e-3
#: Between two networks of the trace: steps of Adam.
EVERY = 250
#: L-BFGS stops where a round lowers the objective by less, relatively.
LITTLE = 1e-9


def train(
    problem: rs.Problem, width: int, limit: float, seed: int = 0, clock: Callable[[], float] = time.process_time
) -> list[tuple[float, rs.RidgeSpline]]:
    """(seconds, network) along the way; the last is the end. `limit` is in seconds of the clock."""
    import torch

    torch.manual_seed(seed)
    X, y = torch.tensor(problem.X), torch.tensor(problem.y)
    d = problem.n_features
    W = torch.randn(width, d, dtype=X.dtype) * (1.0 / d) ** 0.5
    b = (W * X[torch.randint(len(X), (width,))]).sum(axis=1)  # every neuron bends at a data point
    v = torch.randn(width, dtype=X.dtype) / width**0.5
    parameters = [p.requires_grad_() for p in (W, b, v, torch.zeros(d, dtype=X.dtype), torch.zeros(1, dtype=X.dtype))]

    def objective() -> torch.Tensor:
        W, b, v, c, offset = parameters
        z = torch.relu(X @ W.T - b) @ v + X @ c + offset
        logistic = isinstance(problem.loss, rs.Logistic)
        data = torch.nn.functional.softplus(-y * z).sum() if logistic else ((y - z) ** 2).sum()
        return data + 0.5 * problem.lam * ((W**2).sum() + (v**2).sum())

    def network() -> rs.RidgeSpline:
        W, b, v, c, offset = (p.detach().numpy() for p in parameters)
        return rs.RidgeSpline(W, b, v, c, offset[0])

    start = clock()
    adam = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, ADAM_STEPS)
    trace = []
    for step in range(ADAM_STEPS):
        adam.zero_grad()
        objective().backward()
        adam.step()
        falling.step()
        if (step + 1) % EVERY == 0:
            trace.append((clock() - start, network()))
            if trace[-1][0] > limit / 2:
                break
    lbfgs = torch.optim.LBFGS(parameters, max_iter=LBFGS_STEPS, history_size=50, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        lbfgs.zero_grad()
        value = objective()
        value.backward()
        return value

    before = float("inf")
    for _ in range(LBFGS_ROUNDS):
        value = lbfgs.step(closure).item()  # the objective before this round
        trace.append((clock() - start, network()))
        if trace[-1][0] > limit or before - value < LITTLE * abs(value):
            break
        before = value
    return trace
