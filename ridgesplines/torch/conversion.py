"""RidgeSpline to and from modules of PyTorch; the reading of saved parameters."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Mapping
from itertools import permutations

import numpy as np
import torch
from torch import nn

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.torch.layer import RidgeLayer, spline

EXPECTED = "a shallow network f(x) = V relu(W x - b) + C x + c_0, with or without C x: two or three nn.Linear and ReLU"
REMEDY = (
    "For deep networks see balance, rebalance and DeepRidgeSpline; other activations are not networks of this form."
)
#: Points at which a module is compared with the network that was read from it.
PROBES = 64
#: The names of nn.Sequential(Linear, ReLU, Linear) for what RidgeLayer calls otherwise.
NAMES = {"0": "hidden", "2": "output"}
SAVED = (
    "the state_dict of a shallow network, with hidden.weight, hidden.bias, output.weight, output.bias, skip.weight "
    "(net.to_torch()), or 0.weight, 0.bias, 2.weight, 2.bias (nn.Sequential(Linear, ReLU, Linear))"
)


def to_torch(net: RidgeSpline) -> RidgeLayer:
    """See `RidgeSpline.to_torch`."""
    net.require_relu("to_torch")
    return RidgeLayer.of(net)


def from_torch(module: nn.Module) -> RidgeSpline:
    """See `RidgeSpline.from_torch`."""
    if not isinstance(module, nn.Module):
        raise ProblemError("module", EXPECTED, repr(module), "Pass an nn.Module.")
    if isinstance(module, RidgeLayer):
        return module.network()
    for net in _readings(module):
        if _agrees(module, net):
            return net
    raise ProblemError("module", EXPECTED, f"{type(module).__name__}, whose outputs are not those of one", REMEDY)


def _readings(module: nn.Module) -> Iterator[RidgeSpline]:
    """The networks that the linear maps in a module could make up; how it wires them is not written in it."""
    linears = [m for m in module.modules() if isinstance(m, nn.Linear)]
    if len(linears) not in (2, 3):
        got = f"{type(module).__name__} with {len(linears)} nn.Linear"
        raise ProblemError("module", EXPECTED, got, REMEDY)
    for hidden, output, *rest in permutations(linears):
        skip = rest[0] if rest else None
        fits = hidden.out_features == output.in_features
        if skip is not None:
            fits &= (skip.in_features, skip.out_features) == (hidden.in_features, output.out_features)
        if fits:
            yield spline(hidden, output, skip, output.out_features if output.out_features > 1 else None)


def _agrees(module: nn.Module, net: RidgeSpline) -> bool:
    """Whether the module has the network's values, to the rounding of its own precision, at random points."""
    own = next(module.parameters())
    spread = 1.0 + float(np.abs(net.biases).max(initial=0.0))
    X = spread * np.random.default_rng(0).standard_normal((PROBES, net.n_features))
    training = module.training
    try:
        with torch.no_grad():
            values = module.eval()(torch.as_tensor(X, dtype=own.dtype, device=own.device))
    except (RuntimeError, IndexError, TypeError, ValueError):  # it takes something else than rows of features
        return False
    finally:
        module.train(training)
    if not isinstance(values, torch.Tensor) or values.shape[:1] != (PROBES,):
        return False
    given = values.cpu().double().numpy().reshape(PROBES, -1)
    terms = (np.abs(X) @ np.abs(net.weights).T + np.abs(net.biases)) @ np.abs(net.amplitudes)
    size = terms + np.abs(X) @ np.abs(net.slope) + np.abs(net.offset)
    tolerance = 64.0 * torch.finfo(own.dtype).eps * float(size.max())
    expected = net(X).reshape(PROBES, -1)
    return given.shape == expected.shape and bool(np.abs(given - expected).max() <= tolerance)


def from_file(path: str | os.PathLike[str]) -> RidgeSpline:
    """A network from parameters that ``torch.save(module.state_dict(), path)`` wrote.

    Nothing in the file is run: it is read with ``weights_only=True``, and anything but tensors by name is refused.
    The names say how the tensors belong together; that ReLU stands between them is taken on trust.
    """
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        got = f"{os.fspath(path)!r}, which holds something else; code that a file holds is never run"
        raise ProblemError("path", SAVED, got, "Save torch.save(module.state_dict(), path).") from None
    return from_state(saved)


def from_state(state: object) -> RidgeSpline:
    """The network of a state_dict; see `from_file`."""
    got = type(state).__name__
    if isinstance(state, Mapping):
        got = ", ".join(f"{name} {tuple(np.shape(value))}" for name, value in state.items()) or "nothing"
        parts = {
            (NAMES.get(name.partition(".")[0]) or name.partition(".")[0]) + name[name.find(".") :]: value
            for name, value in state.items()
        }
        try:
            K, d = parts["hidden.weight"].shape
            D = len(parts["output.weight"])
            layer = RidgeLayer(d, K, D if D > 1 else None, "skip.weight" in parts)
            zeros = {"hidden.bias": torch.zeros(K), "output.bias": torch.zeros(D)}
            layer.load_state_dict(zeros | parts)
            return layer.network()
        except (KeyError, RuntimeError, AttributeError, TypeError, ValueError):
            pass
    raise ProblemError("path", SAVED, got, "Load the parameters into your module; RidgeSpline.from_torch takes it.")
