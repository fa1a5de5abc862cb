"""Networks of PyTorch, compared with the convex optimum: conversion, training, neural balance, deep networks.

Needs PyTorch, the extra ``[torch]``, and is loaded only on request.
"""

try:
    import torch as _  # noqa: F401
except ImportError:
    raise ImportError("ridgesplines.torch needs PyTorch: pip install 'ridgesplines[torch]'") from None

from ridgesplines.torch.balancing import Balance, balance, path_regulariser, rebalance, weight_decay
from ridgesplines.torch.compression import Compressed, compress
from ridgesplines.torch.decay import WeightDecay
from ridgesplines.torch.deep import DeepRidgeSpline, DeepSolution
from ridgesplines.torch.layer import RidgeLayer
from ridgesplines.torch.proximal import GroupLasso, Lasso, PathProx

__all__ = [
    "Balance",
    "Compressed",
    "DeepRidgeSpline",
    "DeepSolution",
    "GroupLasso",
    "Lasso",
    "PathProx",
    "RidgeLayer",
    "WeightDecay",
    "balance",
    "compress",
    "path_regulariser",
    "rebalance",
    "weight_decay",
]
