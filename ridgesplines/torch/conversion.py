"""RidgeSpline to and from modules of PyTorch; the reading of saved parameters."""

from __future__ import annotations

import os
import pickletools
import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import islice, permutations
from zipfile import ZipFile

import numpy as np
import torch
from torch import nn

from ridgesplines.exceptions import ProblemError
from ridgesplines.files import damage_in_words, require_regular, stored_archive
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.torch.layer import RidgeLayer, numbers, spline
from ridgesplines.validation import Array

EXPECTED = "a shallow network f(x) = V relu(W x - b) + C x + c_0, with or without C x: two or three nn.Linear and ReLU"
REMEDY = (
    "For deep networks see balance, rebalance and DeepRidgeSpline; other activations are not networks of this form."
)
#: Points at which a module is compared with the network that was read from it.
PROBES = 64
#: The names of nn.Sequential(Linear, ReLU, Linear) for what RidgeLayer calls otherwise.
NAMES = {"0": "hidden", "2": "output"}
#: What a saved state_dict asks for, and nothing else.
GLOBALS = re.compile(
    r"collections OrderedDict|torch\._utils _rebuild_(tensor_v2|parameter)|torch (Double|Float|Half|BFloat16)Storage"
)
#: Numbers of a size that the norms of weights can bear.
LARGEST = 1e100
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

    Nothing in the file is run: what it names is looked at first, then it is read with ``weights_only=True``, and
    anything but tensors by name is refused. The names say how the tensors belong together; that ReLU stands between
    them is taken on trust. Files older than PyTorch 1.6 are no zip archives, and are not read.
    """
    require_regular(path)
    got = "which holds something else, or is damaged; code that a file holds is never run"
    with damage_in_words(path, SAVED, got, "Save torch.save(module.state_dict(), path)."):
        saved = torch.load(_plain(path), map_location="cpu", weights_only=True)
    return from_state(saved)


def _plain(path: str | os.PathLike[str]) -> BytesIO:
    """The file, unless it names anything but dictionaries and tensors of numbers; as an archive that is written anew.

    PyTorch compares no sums, and of a damaged archive two readers may see two things: it reads what was looked at.
    """
    with stored_archive(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (pickled,) = (content for name, content in members.items() if name.partition("/")[2] == "data.pkl")
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name == "GLOBAL" and not GLOBALS.fullmatch(str(argument)):
            raise ValueError(f"it asks for {argument}")
    anew = BytesIO()
    with ZipFile(anew, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    anew.seek(0)
    return anew


def from_state(state: object) -> RidgeSpline:
    """The network of a state_dict; see `from_file`."""
    got = type(state).__name__
    if isinstance(state, Mapping):
        got = ", ".join(_described(name, value) for name, value in islice(state.items(), 12)) or "nothing"
        try:
            parts = {_renamed(name): _checked(value) for name, value in state.items()}
            if len(parts) == len(state):
                return _network(parts)
        except (KeyError, RuntimeError, AttributeError, TypeError, ValueError):
            pass
    raise ProblemError("path", SAVED, got, "Load the parameters into your module; RidgeSpline.from_torch takes it.")


def _described(name: object, value: object) -> str:
    if not isinstance(value, torch.Tensor):
        return f"{str(name)[:40]} ({type(value).__name__})"
    is_number = value.is_floating_point() and value.layout is torch.strided and _is_stored(value)
    bad = is_number and not bool(torch.isfinite(value).all())
    return f"{str(name)[:40]} {tuple(value.shape)}" + (" with NaN or infinity" if bad else "")


def _renamed(name: str) -> str:
    first, dot, rest = name.partition(".")
    return NAMES.get(first, first) + dot + rest


def _is_stored(value: torch.Tensor) -> bool:
    """Whether each entry has a place of its own: one that is repeated would take memory that the file has not."""
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _checked(value: torch.Tensor) -> Array:
    if not (value.is_floating_point() and value.layout is torch.strided and _is_stored(value)):
        raise TypeError("expected a plain tensor of real numbers")
    array = numbers(value)
    if not (np.abs(array) <= LARGEST).all():
        raise ValueError("a number that is none, or too large to be squared")
    return array


def _network(parts: dict[str, Array]) -> RidgeSpline:
    """The network of arrays by the names of a RidgeLayer; no more of them, and of shapes that fit together."""
    W, v = parts.pop("hidden.weight"), parts.pop("output.weight").T
    (K, d), (width, D) = W.shape, v.shape
    b, c0 = parts.pop("hidden.bias", np.zeros(K)), parts.pop("output.bias", np.zeros(D))
    c = parts.pop("skip.weight", None)
    if parts or width != K or b.shape != (K,) or c0.shape != (D,) or d == 0 or D == 0:
        raise ValueError("names or shapes that do not fit together")
    if c is not None and c.shape != (D, d):
        raise ValueError("a skip connection that does not fit")
    slope = np.zeros((d, D)) if c is None else c.T
    return RidgeSpline(W, -b, v, slope, c0) if D > 1 else RidgeSpline(W, -b, v[:, 0], slope[:, 0], c0[0])
