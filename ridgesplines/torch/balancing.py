r"""Neural balance: the norms of input and output weights of every homogeneous unit, and the rescaling that equals them.

A unit :math:`x \mapsto v\,\sigma(w^T x - b)` whose :math:`\sigma` is homogeneous is the same function with
:math:`(\gamma w, \gamma b, v/\gamma)`, and weight decay is least where :math:`\|w\| = \|v\|`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from ridgesplines.exceptions import ProblemError
from ridgesplines.torch.layer import RidgeLayer, numbers
from ridgesplines.validation import Array

EXPECTED = (
    "a feedforward network: nn.Sequential of nn.Linear, with ReLU, LeakyReLU, Identity, or MaxPool1d without overlap "
    "between them, or of the modules of net.to_torch()"
)
#: The most sweeps over the layers; they end as soon as all units are balanced to rounding.
SWEEPS = 10_000


class Units(NamedTuple):
    """The homogeneous units between two linear maps; `pool` neurons that are pooled make up one unit."""

    before: nn.Linear
    after: nn.Linear
    pool: int

    def norms(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The norms of input and output weights, shapes (K,)."""
        w = self.before.weight.reshape(self.after.in_features, -1)
        return torch.linalg.vector_norm(w, dim=1), torch.linalg.vector_norm(self.after.weight, dim=0)

    def rescale(self, gamma: torch.Tensor) -> None:
        """gamma w, gamma b, v / gamma, in place."""
        each = gamma.repeat_interleave(self.pool)
        self.before.weight.mul_(each[:, None])
        if self.before.bias is not None:
            self.before.bias.mul_(each)
        self.after.weight.div_(gamma)


@dataclass(frozen=True, eq=False)
class Balance:
    r"""The norms of every homogeneous unit of a network.

    Attributes
    ----------
    inputs : :math:`\|w_k\|_2` of the units, an array for each hidden layer.
    outputs : :math:`\|v_k\|_2`, likewise.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.torch import Balance
    >>> norms = Balance(inputs=(np.array([2.0, 1.0]),), outputs=(np.array([2.0, 4.0]),))
    >>> norms.contributions, norms.imbalance
    ((array([4., 4.]),), 0.375)
    """

    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]

    @property
    def contributions(self) -> tuple[Array, ...]:
        r""":math:`\|w_k\| \|v_k\|`, what the unit adds to the regulariser (6)."""
        return tuple(w * v for w, v in zip(self.inputs, self.outputs, strict=True))

    @property
    def imbalance(self) -> float:
        r"""Mean of :math:`|\|w_k\| - \|v_k\|| / \max(\|w_k\|, \|v_k\|)`, weighted by the contributions: 0 to 1."""
        return imbalance(np.concatenate(self.inputs), np.concatenate(self.outputs))


def imbalance(w: Array, v: Array) -> float:
    """See `Balance.imbalance`; zero where nothing contributes."""
    weight, larger = w * v, np.maximum(np.maximum(w, v), np.finfo(float).tiny)
    return float(weight @ (np.abs(w - v) / larger)) / (float(weight.sum()) or 1.0)


def balance(module: nn.Module) -> Balance:
    r"""The norms of input and output weights of every homogeneous unit of a feedforward network.

    Parameters
    ----------
    module : ``nn.Sequential`` of ``nn.Linear``, with ReLU, LeakyReLU, Identity or nothing, and max-pooling without
        overlap between them; neurons that are pooled together are one unit. Or what ``to_torch()`` returns for a
        network or a deep solution, whose units are its ReLU neurons.

    Returns
    -------
    Balance
        Where the network minimises (4) or (8), inputs and outputs are equal: the neural balance theorem.

    Raises
    ------
    ProblemError
        For other modules; the message says which form was expected.

    References
    ----------
    .. [1] L. Yang, J. Zhang, J. Shenouda, D. Papailiopoulos, K. Lee, R. D. Nowak, PathProx: a proximal gradient
       algorithm for weight decay regularized deep neural networks, 2022, Theorem 1, arXiv:2210.03069

    Examples
    --------
    >>> import ridgesplines as rs
    >>> from ridgesplines.torch import balance
    >>> balance(rs.RidgeSpline([[3.0, 4.0]], [0.0], [5.0]).to_torch()).inputs
    (array([5.]),)
    """
    norms = [units.norms() for units in feedforward(module)]
    return Balance(tuple(numbers(w) for w, _ in norms), tuple(numbers(v) for _, v in norms))


def rebalance(module: nn.Module) -> nn.Module:
    r"""The same function with every homogeneous unit at balance, where weight decay is least.

    Parameters
    ----------
    module : see `balance`; it is left as it is.

    Returns
    -------
    nn.Module
        A copy with rescaled weights. Units with output weights of zero lose their input weights too. Where input
        weights are zero and the bias is not, the least weight decay is approached, not reached: such units are left.

    Notes
    -----
    Layer by layer :math:`\gamma = \sqrt{\|v\|/\|w\|}`, which lowers :math:`\|\gamma w\|^2 + \|v/\gamma\|^2` to its
    minimum, until no unit changes: weight decay is convex in the logarithms of the scales, so that this is the least.

    Examples
    --------
    >>> import torch
    >>> from ridgesplines.torch import rebalance, weight_decay
    >>> module = torch.nn.Sequential(torch.nn.Linear(2, 50), torch.nn.ReLU(), torch.nn.Linear(50, 1))
    >>> weight_decay(rebalance(module)) <= weight_decay(module)
    True
    """
    module = copy.deepcopy(module)
    layers = feedforward(module)
    with torch.no_grad():
        for _ in range(SWEEPS):
            largest = 0.0
            for units in layers:
                w, v = units.norms()
                alive = (w > 0.0) & (v > 0.0)
                gamma = torch.where(alive, (v / torch.where(alive, w, 1.0)).sqrt(), 1.0)
                units.rescale(gamma)
                units.before.weight[(v == 0.0).repeat_interleave(units.pool)] = 0.0
                largest = max(largest, float((gamma - 1.0).abs().max()))
            if largest <= 8.0 * torch.finfo(w.dtype).eps:
                break
    return module


def weight_decay(module: nn.Module) -> float:
    r""":math:`\|\theta\|_2^2` of (4): the squared weights before and after units; no biases, no skip connections.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> from ridgesplines.torch import weight_decay
    >>> weight_decay(rs.RidgeSpline([[3.0, 4.0]], [0.0], [5.0]).to_torch())  # balanced: |w| = |v| = 5
    50.0
    """
    return sum(_square(linear) for linear, _ in _linears(module))


def path_regulariser(module: nn.Module) -> float:
    r"""The regulariser (6) of a feedforward network.

    .. math:: \frac12 \sum_k \|w_k^{(1)}\|_2^2 + \frac12 \sum_k \|v_k^{(L)}\|_2^2
              + \sum_\ell \sum_k \|w_k^{(\ell)}\|_2 \|v_k^{(\ell)}\|_2

    over the first input weights, the last output weights, and all hidden units: half the squared weights on every side
    where there is no unit. It is at most `weight_decay`, and equal to it at balance.

    Examples
    --------
    >>> import torch
    >>> from ridgesplines.torch import path_regulariser, rebalance, weight_decay
    >>> module = torch.nn.Sequential(torch.nn.Linear(2, 9), torch.nn.ReLU(), torch.nn.Linear(9, 1))
    >>> path_regulariser(module) <= weight_decay(module)
    True
    >>> balanced = rebalance(module)
    >>> abs(path_regulariser(balanced) - weight_decay(balanced)) < 1e-5
    True
    """
    ends = sum((2 - sides) / 2.0 * _square(linear) for linear, sides in _linears(module))
    return ends + sum(float(products.sum()) for products in balance(module).contributions)


def feedforward(module: nn.Module) -> list[Units]:
    """The hidden layers of a network, from input to output."""
    flat = _flat(module)
    if all(isinstance(layer, RidgeLayer) for layer in flat):
        return [Units(layer.hidden, layer.output, 1) for layer in flat if isinstance(layer, RidgeLayer)]
    units: list[Units] = []
    last: nn.Linear | None = None
    pool = 1
    for layer in flat:
        if isinstance(layer, nn.MaxPool1d) and last is not None:
            pool *= _pooled(layer, last.out_features // pool)
        elif isinstance(layer, nn.Linear):
            if last is not None:
                units.append(Units(last, layer, pool))
            last, pool = layer, 1
        elif not isinstance(layer, (nn.ReLU, nn.LeakyReLU, nn.Identity)):
            raise _refusal(type(layer).__name__)
    if not units or pool > 1:
        raise _refusal("one that has no hidden layer" if not units else "pooling after the last linear map")
    return units


def _flat(module: nn.Module) -> list[nn.Module]:
    if isinstance(module, nn.Sequential):
        return [layer for child in module for layer in _flat(child)]
    return [module]


def _pooled(layer: nn.MaxPool1d, inputs: int) -> int:
    """The number of neurons that are pooled into one."""
    size = layer.kernel_size
    plain = (layer.stride, layer.padding, layer.dilation) == (size, 0, 1)
    if not isinstance(size, int) or not plain or inputs % size:
        raise _refusal(f"{layer} of {inputs} neurons, which overlaps or leaves some out")
    return size


def _refusal(got: str) -> ProblemError:
    return ProblemError("module", EXPECTED, got, "Rescaling a unit leaves other networks not as they were.")


def _linears(module: nn.Module) -> list[tuple[nn.Linear, int]]:
    """Each linear map, and on how many of its sides there are units."""
    both = [linear for units in feedforward(module) for linear in (units.before, units.after)]
    return [(linear, both.count(linear)) for linear in dict.fromkeys(both)]


def _square(linear: nn.Linear) -> float:
    return float((numbers(linear.weight) ** 2).sum())
