"""Networks of PyTorch, held against the convex optimum: conversion, training, neural balance, deep networks.

Needs PyTorch, the extra ``[torch]``, and is loaded only on request.
"""

try:
    import torch as _  # noqa: F401
except ImportError:
    raise ImportError("ridgesplines.torch needs PyTorch: pip install 'ridgesplines[torch]'") from None

from ridgesplines.torch.layer import RidgeLayer

__all__ = ["RidgeLayer"]
