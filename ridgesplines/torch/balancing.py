r"""Neural balance: the norms of input and output weights of every homogeneous unit, and the rescaling that equals them.

A unit :math:`x \mapsto v\,\sigma(w^T x - b)` whose :math:`\sigma` is homogeneous is the same function with
:math:`(\gamma w, \gamma b, v/\gamma)`, and weight decay is least where :math:`\|w\| = \|v\|`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ridgesplines.torch.layer import numbers
from ridgesplines.torch.units import Map, folded, structure
from ridgesplines.validation import Array

#: The most sweeps over the layers; they end as soon as all units are balanced to rounding.
SWEEPS = 10_000


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
    r"""The norms of input and output weights of every homogeneous unit of a network.

    Parameters
    ----------
    module : any module that ``torch.fx`` traces, of ``nn.Linear`` and convolutions, with ReLU, LeakyReLU, PReLU,
        Dropout, Flatten, maximal and average pooling, BatchNorm in evaluation mode, sums and concatenations between
        them. Or what ``to_torch()`` returns for a network or a deep solution, whose units are its ReLU neurons.

    Returns
    -------
    Balance
        Where the network minimises (4) or (8), inputs and outputs are equal: the neural balance theorem.

    Raises
    ------
    ProblemError
        For other modules; the message says which form was expected.

    Notes
    -----
    A unit is a neuron of a linear map, or a channel of a convolution: its kernels are its input weights, and all that
    later maps apply to it, also behind a Flatten, its output weights. Neurons that are pooled together, without
    overlap, are one unit. A BatchNorm behind a linear map is part of that map. Units are listed where their inputs and
    outputs are their own: those that enter a sum (the skip of a residual block), a concatenation, another BatchNorm or
    the output, and those whose weights are used twice, are not.

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
    norms = [units.norms() for units in structure(folded(module))[0]]
    return Balance(tuple(numbers(w) for w, _ in norms), tuple(numbers(v) for _, v in norms))


def rebalance(module: nn.Module) -> nn.Module:
    r"""The same function with every homogeneous unit at balance, where weight decay is least.

    Parameters
    ----------
    module : see `balance`; it is left as it is.

    Returns
    -------
    nn.Module
        A copy with rescaled weights, and ``nn.Identity`` where a BatchNorm became part of a linear map; units that
        `balance` does not list are as they were. Units with output weights of zero lose their input weights too.
        Where input weights are zero and the bias is not, the least weight decay is approached, not reached: such units
        are left.

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
    module = folded(module)
    layers, _ = structure(module)
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
    r""":math:`\|\theta\|_2^2` of (4): the squared weights of all linear maps and convolutions.

    Without biases, and without the skip connections of `RidgeLayer`; a BatchNorm counts as part of its linear map.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> from ridgesplines.torch import weight_decay
    >>> weight_decay(rs.RidgeSpline([[3.0, 4.0]], [0.0], [5.0]).to_torch())  # balanced: |w| = |v| = 5
    50.0
    """
    return sum(_square(layer) for layer, _ in _sides(module))


def path_regulariser(module: nn.Module) -> float:
    r"""The regulariser (6) of a network.

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
    ends = sum((2 - sides) / 2.0 * _square(layer) for layer, sides in _sides(module))
    return ends + sum(float(products.sum()) for products in balance(module).contributions)


def _sides(module: nn.Module) -> list[tuple[Map, int]]:
    """Each linear map, and on how many of its sides there are units."""
    units, maps = structure(folded(module))
    both = [layer for group in units for layer in (group.before, *group.after)]
    return [(layer, both.count(layer)) for layer in maps]


def _square(layer: Map) -> float:
    return float((numbers(layer.weight) ** 2).sum())
