r"""(4), (6): deep networks trained with weight decay balance themselves, and then (6) is their regulariser."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.plotting.style import SERIES
from ridgesplines.theorems.report import Report, at_least, at_most, timed

if TYPE_CHECKING:
    from torch.nn import Module

    from ridgesplines.torch.balancing import Balance


def instance(seed: int) -> tuple[Module, Module]:
    """Three layers of units: as they were drawn, and after training with weight decay (4) by L-BFGS."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(seed)
    X = torch.rand(60, 2, generator=generator, dtype=torch.float64) * 2.0 - 1.0
    y = (X.sum(dim=1).abs() - 0.5).abs()[:, None]
    layers = [nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 1)]
    start = nn.Sequential(*layers).double()
    with torch.no_grad():
        for parameter in start.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 2.0)
    module = copy.deepcopy(start)

    def closure() -> torch.Tensor:
        module.zero_grad()
        squares = [layer.weight.square().sum() for layer in module if isinstance(layer, nn.Linear)]
        loss = (module(X) - y).square().sum() + 0.02 * torch.stack(squares).sum()
        loss.backward()
        return loss

    options: dict[str, Any] = {
        "max_iter": 200,
        "line_search_fn": "strong_wolfe",
        "history_size": 50,
        "tolerance_change": 1e-15,
    }
    for _ in range(40):  # corners of the objective stop L-BFGS early: it is restarted
        torch.optim.LBFGS(module.parameters(), **options).step(closure)
    return start, module


@timed
def check(start: Module, trained: Module) -> Report:
    r"""Where (4) is minimal all units of a deep network are balanced, and the squared weights equal (6).

    .. math:: \|\theta\|_2^2 \ge \frac12 \sum_k \|w_k^{(1)}\|_2^2 + \frac12 \sum_k \|v_k^{(L)}\|_2^2
              + \sum_\ell \sum_k \|w_k^{(\ell)}\|_2 \|v_k^{(\ell)}\|_2

    Parameters
    ----------
    start : any feedforward network, see :func:`ridgesplines.torch.balance`.
    trained : a network trained with weight decay (4).

    Returns
    -------
    Report
        Of `start` the inequality, of `trained` balance to 5 % and equality to 1 %: training stops near a stationary
        point, and stationary points are balanced, global minimisers or not.

    Examples
    --------
    >>> from torch import nn
    >>> import ridgesplines as rs
    >>> from ridgesplines.torch import rebalance
    >>> module = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1)).double()
    >>> rs.theorems.deep_weight_decay(module, rebalance(module)).holds
    True
    >>> rs.theorems.deep_weight_decay(module, module).holds
    False
    """
    from ridgesplines.torch.balancing import balance, path_regulariser, weight_decay

    decay, path = weight_decay(trained), path_regulariser(trained)
    measures = (
        at_least("squared weights less (6), any network", weight_decay(start) - path_regulariser(start), -1e-10),
        at_most("|squared weights less (6)| at the end, relative", abs(decay - path) / decay, 1e-2),
        at_most("imbalance of its units, of 1", balance(trained).imbalance, 0.05),
    )
    remark = f"imbalance before training: {balance(start).imbalance:.3f}."
    claim = "deep networks: training with weight decay balances every unit, and squared weights become (6)"
    pair = {"before": balance(start), "trained": balance(trained)}
    return Report(claim, "(4), (6)", measures, lambda figure: _draw(figure, pair), (remark,))


def _draw(figure: Figure, balances: dict[str, Balance]) -> None:
    """The two norms of every unit, before and after, a colour a layer."""
    for axes, (name, found) in zip(figure.subplots(1, len(balances)), balances.items(), strict=True):
        for i, (w, v) in enumerate(zip(found.inputs, found.outputs, strict=True)):
            axes.plot(w, v, "o", color=SERIES[i % len(SERIES)], label=f"layer {i + 1}", alpha=0.8)
        top = 1.05 * max(float(np.max(each)) for each in (*found.inputs, *found.outputs))
        axes.plot([0.0, top], [0.0, top], color="black", linewidth=0.8)
        axes.set(xlabel="norm of input weights", ylabel="norm of output weights", title=name)
        axes.legend(frameon=False)
