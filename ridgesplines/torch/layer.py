"""A ridge spline as a module of PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.validation import Array


class _Applied(torch.autograd.Function):
    """An activation of this library in a module, by its own value and derivative, computed on the CPU."""

    @staticmethod
    def forward(ctx: Any, t: torch.Tensor, activation: Activation) -> torch.Tensor:
        given = numbers(t)
        ctx.save_for_backward(torch.as_tensor(activation.derivative(given)).to(t))
        return torch.as_tensor(activation.value(given)).to(t)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (derivative,) = ctx.saved_tensors
        return gradients[0] * derivative, None


def applied(activation: Activation, t: torch.Tensor) -> torch.Tensor:
    r""":math:`\sigma(t)`, like t, with its gradient."""
    if activation.of_relu is None:
        return _Applied.apply(t, activation)
    c, e = activation.of_relu
    return torch.relu(t) if (c, e) == (1.0, 0.0) else c * torch.relu(t) + e * t


class RidgeLayer(nn.Module):
    r"""A shallow network as a module, with a skip connection, (18) and (33), or without, (7) and (19).

    .. math:: f(x) = \sum_{k=1}^K v_k\, \rho(w_k^T x - b_k) + c^T x + c_0

    Parameters
    ----------
    inputs : d.
    width : K.
    outputs : D, for values of shape (N, D), or None for a scalar function, with values of shape (N,).
    skip : whether there is the term :math:`c^T x`.
    activation : in the place of :math:`\rho`. The affine part is what it leaves unpenalised: no :math:`c^T x` where
        these are the constants, and no :math:`c_0` where there are none; terms of degree two and more are left out.
    order : of the norm of v_k over the outputs in the seminorm: 2 for :math:`\|v_k\|_2`, of one vector-valued function,
        or 1 for :math:`\sum_i |v_{ki}|`, the sum of the seminorms of D functions, as (34) has it for inner layers.

    Attributes
    ----------
    hidden : ``nn.Linear(d, K)``; its bias is -b.
    output : ``nn.Linear(K, D)``; its bias is :math:`c_0`, or None.
    skip : ``nn.Linear(d, D, bias=False)``, or None.
    norm : whether training penalises what f is at the corners as well; False.

    Examples
    --------
    >>> import torch, ridgesplines as rs
    >>> module = rs.RidgeSpline([[3.0, 4.0]], [5.0], [2.0]).to_torch()
    >>> module(torch.tensor([[2.0, 1.0]], dtype=torch.float64)).tolist()
    [10.0]
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        outputs: int | None = None,
        skip: bool = True,
        order: int = 2,
        activation: Activation | None = None,
    ) -> None:
        super().__init__()
        self.outputs, self.order, self.activation = outputs, order, activation or ReLU()
        self.norm = False
        free, D = self.activation.degree, outputs or 1
        self.hidden = nn.Linear(inputs, width, dtype=torch.float64)
        self.output = nn.Linear(width, D, bias=free >= 0, dtype=torch.float64)
        self.skip = nn.Linear(inputs, D, bias=False, dtype=torch.float64) if skip and free >= 1 else None

    @classmethod
    def of(cls, net: RidgeSpline, skip: bool | None = None) -> RidgeLayer:
        """The module of a network, at balance where weights have a scale; by default with a skip connection where the
        slope is not zero."""
        if net.polynomial is not None:
            expected, got = "a network without terms of degree two and more", repr(net)
            raise ProblemError("network", expected, got, "No module of linear maps has them: use the network itself.")
        if not net.n_neurons:  # PyTorch warns of empty maps: one neuron of zeros, then
            weights = np.eye(1, net.n_features)
            net = RidgeSpline(weights, [0.0], 0.0 * net.slope[:1], net.slope, net.offset, activation=net.activation)
        with_skip = bool(net.slope.any()) if skip is None else skip
        layer = cls(net.n_features, net.n_neurons, net.n_outputs, with_skip, activation=net.activation)
        as_given = (net.weights, net.biases, net.amplitudes)
        layer.set(*(net.balanced() if net.activation.homogeneity == 1 else as_given), net.slope, net.offset)
        return layer

    def set(self, W: Array, b: Array, v: Array, c: Array, c0: Array | float) -> None:
        """Take over weights (K, d), biases (K,), amplitudes (K,) or (K, D), and the affine part."""
        D = self.outputs or 1
        pairs = [(self.hidden.weight, W), (self.hidden.bias, -b), (self.output.weight, v.reshape(len(b), D).T)]
        if self.output.bias is not None:
            pairs.append((self.output.bias, np.reshape(c0, D)))
        if self.skip is not None:
            pairs.append((self.skip.weight, c.reshape(-1, D).T))
        with torch.no_grad():
            for parameter, values in pairs:
                parameter.copy_(torch.tensor(values))

    def hold(self, free: Array) -> None:
        """Keep input weights at zero, through all training, but for those that are `free`, shape (K, d)."""
        mask = torch.tensor(free, dtype=self.hidden.weight.dtype)
        with torch.no_grad():
            self.hidden.weight.mul_(mask)
        self.hidden.weight.register_hook(lambda gradient: gradient * mask.to(gradient.device))

    def norms(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The norms of the input weights of each neuron and of its output weights, shapes (K,)."""
        norm = torch.linalg.vector_norm
        return norm(self.hidden.weight, dim=1), norm(self.output.weight, self.order, dim=0)

    def at_corners(self) -> torch.Tensor:
        r""":math:`\|f(0)\| + \sum_j \|f(e_j) - f(0)\|` where `norm` asks for it, else zero; norms over the outputs."""
        weight = self.hidden.weight
        if not self.norm:
            return weight.new_zeros(())
        d = weight.shape[1]
        unit = torch.eye(d, dtype=weight.dtype, device=weight.device)
        values = self(torch.cat([torch.zeros_like(unit[:1]), unit])).reshape(d + 1, -1)
        coefficients = torch.cat([values[:1], values[1:] - values[:1]])
        return torch.linalg.vector_norm(coefficients, self.order, dim=1).sum()

    def network(self, feature_names: tuple[str, ...] | None = None) -> RidgeSpline:
        """The module's function as a RidgeSpline."""
        W, b, v, c0 = numbers(self.hidden.weight), _bias(self.hidden), numbers(self.output.weight).T, _bias(self.output)
        c = np.zeros((W.shape[1], v.shape[1])) if self.skip is None else numbers(self.skip.weight).T
        if self.outputs is None:
            v, c, c0 = v[:, 0], c[:, 0], c0[0]
        return RidgeSpline(W, -b, v, c, c0, feature_names, self.activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = self.output(applied(self.activation, self.hidden(x)))
        if self.skip is not None:
            z = z + self.skip(x)
        return z[:, 0] if self.outputs is None else z


def numbers(parameter: torch.Tensor) -> Array:
    return parameter.detach().cpu().double().numpy()


def _bias(linear: nn.Linear) -> Array:
    return np.zeros(linear.out_features) if linear.bias is None else numbers(linear.bias)
