"""RidgeSpline to and from modules of PyTorch; the reading of saved parameters."""

from __future__ import annotations

import os
import pickletools
import re
from collections.abc import Mapping
from io import BytesIO
from itertools import islice
from zipfile import ZipFile

import numpy as np
import torch
from torch import nn

from ridgesplines.exceptions import ProblemError
from ridgesplines.files import damage_in_words, require_regular, stored_archive
from ridgesplines.network.exchange.layers import folded
from ridgesplines.network.exchange.named import EXPECTED as EXPECTED_BY_NAME
from ridgesplines.network.exchange.named import from_named, parameters
from ridgesplines.network.exchange.wiring import AffineMap, agrees, networks
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.torch.layer import RidgeLayer, numbers
from ridgesplines.validation import Array

EXPECTED = (
    "a shallow network f(x) = V relu(W x - b) + C x + c_0, with or without C x: two or three nn.Linear and ReLU, "
    "perhaps behind a BatchNorm1d or nn.Linear of the inputs"
)
REMEDY = (
    "For deep networks see balance, rebalance and DeepRidgeSpline; other activations are not networks of this form."
)
#: What a saved state_dict asks for, and nothing else.
GLOBALS = re.compile(
    r"collections OrderedDict|torch\._utils _rebuild_(tensor_v2|parameter)|"
    r"torch (Double|Float|Half|BFloat16|Long)Storage"
)
#: Numbers of a size that the norms of weights can bear.
LARGEST = 1e100


def to_torch(net: RidgeSpline) -> RidgeLayer:
    """See `RidgeSpline.to_torch`."""
    return RidgeLayer.of(net)


def to_plain(net: RidgeSpline) -> nn.Sequential:
    """See `RidgeSpline.to_torch`, plain."""
    net.require_relu("to_torch")
    layer = RidgeLayer.of(folded(net), skip=False)
    return nn.Sequential(layer.hidden, nn.ReLU(), layer.output)


def from_torch(module: nn.Module) -> RidgeSpline:
    """See `RidgeSpline.from_torch`."""
    if not isinstance(module, nn.Module):
        raise ProblemError("module", EXPECTED, repr(module), "Pass an nn.Module.")
    if isinstance(module, RidgeLayer):
        return module.network()
    maps = [affine for each in module.modules() if (affine := _affine(each)) is not None]
    if not 2 <= len(maps) <= 4:
        got = f"{type(module).__name__} with {len(maps)} nn.Linear"
        raise ProblemError("module", EXPECTED, got, REMEDY)
    eps = torch.finfo(next(module.parameters()).dtype).eps
    for net in networks(maps):
        if agrees(lambda X: _values(module, X), net, eps):
            return net
    raise ProblemError("module", EXPECTED, f"{type(module).__name__}, whose outputs are not those of one", REMEDY)


def _affine(module: nn.Module) -> AffineMap | None:
    """The affine map that a layer is, once training is over; None for other modules."""
    if isinstance(module, nn.Linear):
        weight = numbers(module.weight)
        return AffineMap(weight, np.zeros(len(weight)) if module.bias is None else numbers(module.bias))
    if isinstance(module, nn.BatchNorm1d) and module.running_mean is not None and module.running_var is not None:
        mean, factor = numbers(module.running_mean), 1.0 / np.sqrt(numbers(module.running_var) + module.eps)
        if not module.affine:
            return AffineMap.scaling(factor, mean)
        affine = AffineMap.scaling(factor * numbers(module.weight), mean)
        return affine._replace(bias=affine.bias + numbers(module.bias))
    return None


def _values(module: nn.Module, X: Array) -> Array | None:
    """The module's values at the rows of X, as it computes them after training; None where it takes no such rows."""
    own = next(module.parameters())
    training = module.training
    try:
        with torch.no_grad():
            values = module.eval()(torch.as_tensor(X, dtype=own.dtype, device=own.device))
    except (RuntimeError, IndexError, TypeError, ValueError):
        return None
    finally:
        module.train(training)
    return numbers(values) if isinstance(values, torch.Tensor) else None


def from_file(path: str | os.PathLike[str], n_features: int | None = None) -> RidgeSpline:
    """A network, of `n_features` where that is known, from what ``torch.save(module.state_dict(), path)`` wrote.

    Nothing in the file is run: what it names is looked at first, then it is read with ``weights_only=True``, and
    anything but tensors and plain values by name is refused. Shapes and names say how the tensors belong together; that
    ReLU stands between them is taken on trust. Files older than PyTorch 1.6 are no zip archives, and are not read.
    """
    require_regular(path)
    got = "which holds something else, or is damaged; code that a file holds is never run"
    with damage_in_words(path, EXPECTED_BY_NAME, got, "Save torch.save(module.state_dict(), path)."):
        saved = torch.load(_plain(path), map_location="cpu", weights_only=True)
    return from_state(saved, n_features)


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


def from_state(state: object, n_features: int | None = None, argument: str = "path") -> RidgeSpline:
    """The network of a state_dict, or of a checkpoint that holds one; see `from_file`."""
    got = type(state).__name__
    if isinstance(state, Mapping):
        given = parameters(state)
        got = ", ".join(_described(name, value) for name, value in islice(given.items(), 12)) or "nothing"
        try:
            return from_named({_checked_name(name): _checked(value) for name, value in given.items()}, n_features)
        except (RuntimeError, AttributeError, TypeError, ValueError):
            pass
    remedy = "Load the parameters into your module; RidgeSpline.from_torch takes it."
    raise ProblemError(argument, EXPECTED_BY_NAME, got, remedy)


def _described(name: object, value: object) -> str:
    if not isinstance(value, torch.Tensor):
        return f"{str(name)[:40]} ({type(value).__name__})"
    is_number = value.is_floating_point() and value.layout is torch.strided and _is_stored(value)
    bad = is_number and not bool(torch.isfinite(value).all())
    return f"{str(name)[:40]} {tuple(value.shape)}" + (" with NaN or infinity" if bad else "")


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError("expected names")
    return name


def _is_stored(value: torch.Tensor) -> bool:
    """Whether each entry has a place of its own: one that is repeated would take memory that the file has not."""
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _checked(value: object) -> Array:
    if not (
        isinstance(value, torch.Tensor)
        and value.is_floating_point()
        and value.layout is torch.strided
        and _is_stored(value)
    ):
        raise TypeError("expected a plain tensor of real numbers")
    array = numbers(value)
    if not (np.abs(array) <= LARGEST).all():
        raise ValueError("a number that is none, or too large to be squared")
    return array
