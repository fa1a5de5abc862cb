"""Training with weight decay, in the usual way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from ridgesplines.exceptions import ProblemError
from ridgesplines.torch.layer import RidgeLayer
from ridgesplines.torch.methods import Training

#: (optimiser of PyTorch, its learning rate in scaled units, its other settings).
OPTIMIZERS: dict[str, tuple[Any, float, dict[str, Any]]] = {
    "adam": (torch.optim.Adam, 0.005, {}),
    "sgd": (torch.optim.SGD, 0.02, {"momentum": 0.9}),
    "lbfgs": (
        torch.optim.LBFGS,
        1.0,
        {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-12, "tolerance_change": 1e-15, "history_size": 20},
    ),
}


@dataclass(frozen=True)
class WeightDecay(Training):
    r"""Training with weight decay: a solver like any other, whose network comes back as it was trained.

    .. math:: \min \; \sum_n s_n L(y_n, f(x_n)) + \frac{\lambda}{2} \sum_k \|v_k\|_2^2 + \|w_k\|_2^2, \qquad
              f(x) = \sum_{k=1}^K v_k \rho(w_k^T x - b_k) + c^T x + c_0

    which is (8) with a skip connection; biases and the affine part are not penalised. At balance, :math:`\|v_k\| =
    \|w_k\|`, it equals the objective of (9) and (31) with the same lam, which the Solution reports, with the gap that
    is proven for the network. Nothing is purified or refitted.

    Parameters
    ----------
    width : K, the number of neurons.
    optimizer : ``"adam"``, ``"sgd"`` with momentum 0.9, or ``"lbfgs"``; all data at once.
    learning_rate : in units in which \|x\| <= 1, the residual of the affine fit has size 1, and the objective is
        divided by N; None for 0.005, 0.02 and 1, in the order of the optimizers.
    epochs : the most passes over the data, each one step; for ``"lbfgs"`` of up to 20 iterations.
    patience : after this many epochs without a lower objective the learning rate is halved; ten times, then it ends.
    restarts : how many starts are trained; the one of the least objective is returned.
    random_state : seeds the starts: weights uniform on the sphere, hyperplanes that meet the data, random amplitudes.
    start : a network to start from, such as the convex solution's; random neurons, almost zero, fill up the width.
    device : of PyTorch, with double precision: ``"cpu"``, ``"cuda"``.
    verbose : whether the objective is printed to standard error now and then.
    watch : a function that is called at the start and after each epoch with the state of the training: `layers`, the
        network as it is, and `objectives`, one an epoch so far, both in scaled units. It may end the training by
        raising KeyboardInterrupt.

    Notes
    -----
    The best network on the way is kept, by the objective above, also at Ctrl-C. ``solution.history["objective"]`` holds
    losses plus lam times the seminorm, at the start and after each epoch, ``["restarts"]`` the objective above of each
    start, and ``["imbalance"]`` that of the network; see `balance`. Neurons with less than 1e-12 of the largest
    :math:`\|v_k\| \|w_k\|` are constants to rounding, and counted as such. O(N K d) an epoch. Nothing is promised:
    gradient methods may end far from the optimum, and the gap says how far at most, where it is exact. Where the
    problem has interactions, neurons are dealt to its groups in turn, and have no other weights while they are trained.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       eqs. (8), (9), (31), doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> from ridgesplines.torch import WeightDecay
    >>> x = np.linspace(-1.0, 1.0, 20)
    >>> problem = rs.Problem(x, np.abs(x), lam=0.1)
    >>> trained = rs.solve(problem, WeightDecay(width=50, epochs=300))
    >>> optimum = rs.solve(problem)
    >>> trained.status, bool(trained.objective >= optimum.certificate.value)
    ('trained', True)
    """

    optimizer: str = "adam"
    smooth: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.optimizer not in OPTIMIZERS:
            known = ", ".join(map(repr, OPTIMIZERS))
            raise ProblemError("optimizer", f"one of {known}", repr(self.optimizer), 'Pass optimizer="adam".')

    def penalty(self, layer: RidgeLayer) -> torch.Tensor:
        w, v = layer.norms()
        return (w.square().sum() + v.square().sum()) / 2.0

    def proximal(self, layer: RidgeLayer, step: float) -> None:
        """No step: the gradient step has lowered the penalty already."""

    def descent(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        kind, rate, more = OPTIMIZERS[self.optimizer]
        return kind(parameters, lr=self.learning_rate or rate, **more)
