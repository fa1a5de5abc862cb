"""Training by proximal gradient steps, whose zeros are exact: PathProx, LASSO and group LASSO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from ridgesplines.network.spline import RidgeSpline
from ridgesplines.torch.layer import RidgeLayer
from ridgesplines.torch.methods import Training
from ridgesplines.validation import Array


def shrink(values: torch.Tensor, step: float) -> torch.Tensor:
    r"""Each number nearer to zero by `step`, or zero: the proximal operator of :math:`\sum |x|`."""
    return values.sign() * (values.abs() - step).clip(0.0)


def kept(norms: torch.Tensor, step: float) -> torch.Tensor:
    r"""The factor by which vectors with these norms shrink by `step`: the proximal operator of :math:`\sum \|x\|_2`."""
    return (1.0 - step / norms.clip(torch.finfo(norms.dtype).tiny)).clip(0.0)


@dataclass(frozen=True)
class PathProx(Training):
    r"""Proximal gradient training on the path norm: a solver like any other, whose inactive neurons are exact zeros.

    .. math:: \min \; \sum_n s_n L(y_n, f(x_n)) + \lambda \sum_k \|v_k\|_2 \|w_k\|_2

    which is (31), with the skip connection of (33), for unit input weights. After each gradient step on the losses
    :math:`w_k` is projected back onto the sphere :math:`\|w_k\|_2 = 1`, and :math:`v_k` goes through the proximal
    operator of :math:`\lambda \|v_k\|_2`, which shrinks it, and sets it to zero where it is short.

    Parameters
    ----------
    width, learning_rate, epochs, patience, restarts, random_state, start, device, verbose, watch : see `WeightDecay`;
        the learning rate is 0.3 by default. Steps are taken with momentum 0.9.

    Notes
    -----
    O(N K d) an epoch. Weights of length one are what the problems of other activations have, so that it trains them
    all; terms of degree two and more in their null space it leaves at zero. In layers of a deep network whose seminorm
    is :math:`\sum_i |v_{ki}|`, the entries of :math:`v_k` shrink one by one.

    References
    ----------
    .. [1] L. Yang, J. Zhang, J. Shenouda, D. Papailiopoulos, K. Lee, R. D. Nowak, PathProx: a proximal gradient
       algorithm for weight decay regularized deep neural networks, 2022, arXiv:2210.03069

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> from ridgesplines.torch import PathProx
    >>> x = np.linspace(-1.0, 1.0, 20)
    >>> problem = rs.Problem(x, np.abs(x), lam=0.1)
    >>> trained = rs.solve(problem, PathProx(width=50, epochs=500))
    >>> bool(trained.network.n_neurons < 50), trained.status
    (True, 'trained')
    """

    scales: ClassVar[bool] = False

    def scaled(self, net: RidgeSpline) -> tuple[Array, Array, Array]:
        return net.weights, net.biases, net.amplitudes

    def penalty(self, layer: RidgeLayer) -> torch.Tensor:
        return torch.dot(*layer.norms())

    def proximal(self, layer: RidgeLayer, step: float) -> None:
        W, V = layer.hidden.weight, layer.output.weight
        norms = layer.norms()[0]
        W.div_(norms.where(norms > 0.0, 1.0)[:, None])
        V.copy_(shrink(V, step) if layer.order == 1 else kept(layer.norms()[1], step) * V)


@dataclass(frozen=True)
class Lasso(Training):
    r"""Training with the sum of the absolute weights, by soft thresholding.

    .. math:: \min \; \sum_n s_n L(y_n, f(x_n)) + \lambda \sum_k \|w_k\|_1 + \|v_k\|_1

    Weights are exact zeros one by one; a neuron is inactive once all its input or all its output weights are. Another
    problem than (32), to compare with: a Solution's objective and gap are those of (32).

    Parameters
    ----------
    width, learning_rate, epochs, patience, restarts, random_state, start, device, verbose, watch : see `WeightDecay`.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> from ridgesplines.torch import Lasso
    >>> x = np.linspace(-1.0, 1.0, 20)
    >>> rs.solve(rs.Problem(x, np.abs(x), lam=0.1), Lasso(width=50, epochs=300)).status
    'trained'
    """

    def penalty(self, layer: RidgeLayer) -> torch.Tensor:
        return layer.hidden.weight.abs().sum() + layer.output.weight.abs().sum()

    def proximal(self, layer: RidgeLayer, step: float) -> None:
        for weight in (layer.hidden.weight, layer.output.weight):
            weight.copy_(shrink(weight, step))


@dataclass(frozen=True)
class GroupLasso(Training):
    r"""Training with the sum of the neurons' sizes, all weights of a neuron in one group, by shrinking groups.

    .. math:: \min \; \sum_n s_n L(y_n, f(x_n)) + \lambda \sum_k \sqrt{\|w_k\|_2^2 + \|v_k\|_2^2}

    Neurons are exact zeros as a whole. Another problem than (32), to compare with: a Solution's objective and gap are
    those of (32).

    Parameters
    ----------
    width, learning_rate, epochs, patience, restarts, random_state, start, device, verbose, watch : see `WeightDecay`.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> from ridgesplines.torch import GroupLasso
    >>> x = np.linspace(-1.0, 1.0, 20)
    >>> rs.solve(rs.Problem(x, np.abs(x), lam=0.1), GroupLasso(width=50, epochs=300)).status
    'trained'
    """

    def penalty(self, layer: RidgeLayer) -> torch.Tensor:
        return self._sizes(layer).sum()

    def proximal(self, layer: RidgeLayer, step: float) -> None:
        factor = kept(self._sizes(layer), step)
        layer.hidden.weight.mul_(factor[:, None])
        layer.output.weight.mul_(factor)

    @staticmethod
    def _sizes(layer: RidgeLayer) -> torch.Tensor:
        return torch.linalg.vector_norm(torch.cat([layer.hidden.weight, layer.output.weight.T], dim=1), dim=1)
