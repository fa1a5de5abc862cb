"""The homogeneous units of a module of PyTorch, found in the graph of its operations."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import fx, nn
from torch.nn.utils import fusion

from ridgesplines.exceptions import ProblemError
from ridgesplines.torch.layer import RidgeLayer

Map = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
MAPS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
#: Operations that commute with a positive factor of each channel, as modules and as functions.
ELEMENTWISE = {"ReLU", "relu", "relu_", "LeakyReLU", "leaky_relu", "PReLU", "Identity"}
ELEMENTWISE |= {"Dropout", "dropout", "Dropout1d", "Dropout2d", "Dropout3d"}
POOLS = {f"{kind}Pool{n}d" for kind in ("Max", "Avg", "AdaptiveMax", "AdaptiveAvg") for n in (1, 2, 3)}
POOLS |= {f"{kind}_pool{n}d" for kind in ("max", "avg", "adaptive_max", "adaptive_avg") for n in (1, 2, 3)}
FLATTEN = {"Flatten", "flatten"}
#: Operations at which units are no longer on their own: they keep their scale.
MERGES = {"add", "iadd", "add_", "sub", "cat", "RidgeLayer"} | {kind.__name__ for kind in NORMALISATIONS}

EXPECTED = (
    "a network of nn.Linear and convolutions, with ReLU, LeakyReLU, PReLU, Dropout, pooling, Flatten, BatchNorm, sums "
    "and concatenations between them, or of the modules of net.to_torch()"
)


class Units(NamedTuple):
    """Homogeneous units: what maps into them, and all that they go to; `pool` neurons that are pooled make up one unit.

    The unit of a convolution is a channel: its kernels, and what later maps apply to it.
    """

    before: Map
    after: tuple[Map, ...]
    pool: int = 1

    def norms(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The norms of input and output weights, shapes (K,)."""
        norm, K = torch.linalg.vector_norm, len(self.before.weight) // self.pool
        outputs = [norm(_columns(layer).reshape(K, -1), dim=1) for layer in self.after]
        return norm(self.before.weight.reshape(K, -1), dim=1), norm(torch.stack(outputs), dim=0)

    def rescale(self, gamma: torch.Tensor) -> None:
        """gamma w, gamma b, v / gamma, in place."""
        each = gamma.repeat_interleave(self.pool)
        self.before.weight.mul_(_trailing(each, self.before.weight))
        if self.before.bias is not None:
            self.before.bias.mul_(each)
        for layer in self.after:
            groups, inputs = _groups(layer), layer.weight.shape[1]
            columns = gamma.repeat_interleave(groups * inputs // len(gamma)).reshape(groups, inputs)
            layer.weight.div_(_trailing(columns.repeat_interleave(len(layer.weight) // groups, dim=0), layer.weight))


def _groups(layer: Map) -> int:
    return 1 if isinstance(layer, nn.Linear) else layer.groups


def _trailing(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`values` with axes of length one behind, to be multiplied with `weight`."""
    return values.reshape(*values.shape, *[1] * (weight.ndim - values.ndim))


def _columns(layer: Map) -> torch.Tensor:
    """The norm of what a map applies to each of its inputs, shape (inputs,)."""
    weight = layer.weight
    kernels = torch.linalg.vector_norm(weight.reshape(*weight.shape[:2], -1), dim=2)
    return torch.linalg.vector_norm(kernels.reshape(_groups(layer), -1, weight.shape[1]), dim=1).flatten()


def structure(module: nn.Module) -> tuple[list[Units], list[Map]]:
    """The units of a module from input to output, and all its linear maps, each once.

    Units whose outputs enter a sum, a concatenation or the output, or whose weights are used twice, are not among them.
    A BatchNorm that `folded` leaves is such an end, too.
    """
    graph = Graph(module)
    units: list[Units] = []
    maps: list[Map] = []
    for node in graph.nodes:
        layer = graph.layer(node)
        if isinstance(layer, RidgeLayer):
            if layer.activation.homogeneity != 1:
                raise refusal(f"one of {layer.activation!r}, whose units have a scale of their own")
            if layer.hidden not in maps:
                units.append(Units(layer.hidden, (layer.output,)))
            maps += [layer.hidden, layer.output]
        elif isinstance(layer, MAPS):
            maps.append(layer)
            ends = graph.ends(node, layer)
            pools = {pool for _, pool in ends or ()}
            after = tuple(end for end, _ in ends or ())
            if len(pools) == 1 and all(graph.uses[id(each.weight)] == 1 for each in (layer, *after)):
                units.append(Units(layer, after, pools.pop()))
    if not units:
        raise refusal("one that has no hidden layer whose units are on their own")
    return units, list(dict.fromkeys(maps))


def folded(module: nn.Module) -> nn.Module:
    """A copy in which each BatchNorm that follows a linear map is part of that map, as it is in evaluation."""
    module = copy.deepcopy(module)
    graph = Graph(module)
    for node in graph.nodes:
        norm = graph.layer(node)
        if not isinstance(norm, NORMALISATIONS):
            continue
        if norm.training or norm.running_mean is None or norm.running_var is None:
            got = f"{type(norm).__name__} {node.target!r} with the statistics of each batch"
            raise ProblemError("module", "BatchNorm in evaluation mode", got, "Call module.eval() first.")
        source = node.all_input_nodes[0]
        layer, alone = graph.layer(source), len(source.users) == graph.uses[id(norm)] == 1
        if isinstance(layer, MAPS) and alone and graph.uses[id(layer.weight)] == 1:
            fuse = fusion.fuse_linear_bn_weights if isinstance(layer, nn.Linear) else fusion.fuse_conv_bn_weights
            statistics = norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
            layer.weight, layer.bias = fuse(layer.weight, layer.bias, *statistics)
            graph.replace(node, nn.Identity())
    return module


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, RidgeLayer) or super().is_leaf_module(m, module_qualified_name)


class Graph:
    """The operations of a module, all of them known; `uses` counts how often each weight, or module, is applied."""

    def __init__(self, module: nn.Module) -> None:
        self.root = nn.Sequential(module)
        try:
            self.nodes = list(_Tracer().trace(self.root).nodes)
        except (fx.proxy.TraceError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            remedy = "Write its forward without branches, loops and shapes that depend on the data."
            raise ProblemError("module", EXPECTED, f"one that torch.fx does not trace ({error})", remedy) from None
        for node in self.nodes:
            self._require_known(node)
        layers = [self.layer(node) for node in self.nodes]
        self.uses = Counter(id(layer.weight if isinstance(layer, MAPS) else layer) for layer in layers)

    def layer(self, node: fx.Node) -> nn.Module | None:
        return self.root.get_submodule(str(node.target)) if node.op == "call_module" else None

    def name(self, node: fx.Node) -> str:
        """The name of an operation: the class of a module, or a function."""
        layer = self.layer(node)
        if layer is not None:
            return type(layer).__name__
        return str(getattr(node.target, "__name__", node.target))

    def replace(self, node: fx.Node, layer: nn.Module) -> None:
        parent, _, name = str(node.target).rpartition(".")
        setattr(self.root.get_submodule(parent), name, layer)

    def _require_known(self, node: fx.Node) -> None:
        layer, name = self.layer(node), self.name(node)
        if isinstance(layer, MAPS):
            if "weight" not in layer._parameters:
                raise refusal(f"{node.target!r} with parametrised weights")
        elif node.op not in ("placeholder", "output") and name not in ELEMENTWISE | POOLS | FLATTEN | MERGES:
            raise refusal(f"the operation {name}")
        elif name in FLATTEN and _start_of_flatten(node, layer) != (1, -1):
            raise refusal("Flatten of other axes than all but the first")

    def ends(self, node: fx.Node, origin: Map, pool: int = 1, flat: bool = False) -> list[tuple[Map, int]] | None:
        """The maps that a map's outputs go to, and how many are pooled on the way; None if they go elsewhere, too."""
        found: list[tuple[Map, int]] = []
        for user in node.users:
            layer, name = self.layer(user), self.name(user)
            if isinstance(layer, MAPS):
                _require_fit(origin, layer, pool, flat)
                found.append((layer, pool))
                continue
            if user.op == "output" or name in MERGES:
                if pool > 1:
                    raise refusal("pooling of neurons after the last linear map")
                return None
            more = 1
            if name in POOLS and (flat or isinstance(origin, nn.Linear)):
                more = _pooled(layer, name, origin.weight.shape[0] // pool, flat)
            deeper = self.ends(user, origin, pool * more, flat or name in FLATTEN)
            if deeper is None:
                return None
            found += deeper
        return found


def _start_of_flatten(node: fx.Node, layer: nn.Module | None) -> tuple[object, object]:
    if isinstance(layer, nn.Flatten):
        return layer.start_dim, layer.end_dim
    given = dict(zip(("start_dim", "end_dim"), node.args[1:], strict=False)) | dict(node.kwargs)
    return given.get("start_dim", 0), given.get("end_dim", -1)


def _require_fit(origin: Map, after: Map, pool: int, flat: bool) -> None:
    """Raise where columns of `after` are not those of the units of `origin`."""
    units = len(origin.weight) // pool
    inputs = after.weight.shape[1] * _groups(after)
    names = f"{type(origin).__name__} before {type(after).__name__}"
    if isinstance(origin, nn.Linear) is not isinstance(after, nn.Linear) and not (
        flat and isinstance(after, nn.Linear)
    ):
        raise refusal(f"{names} without Flatten between them, which acts on other axes than channels")
    if inputs % units or (isinstance(origin, nn.Linear) and inputs != units):
        raise refusal(f"{names} of {inputs} inputs, which are not those of its {units} units")


def _pooled(layer: nn.Module | None, name: str, inputs: int, flat: bool) -> int:
    """The number of neurons that are pooled into one."""
    if flat or not isinstance(layer, (nn.MaxPool1d, nn.AvgPool1d)):
        raise refusal(f"{name} of neurons, which mixes units")
    size, stride, padding = (_one(value) for value in (layer.kernel_size, layer.stride, layer.padding))
    if stride != size or padding or _one(getattr(layer, "dilation", 1)) != 1 or inputs % size:
        raise refusal(f"{layer} of {inputs} neurons, which overlaps or leaves some out")
    return size


def _one(value: int | Sequence[int]) -> int:
    return value if isinstance(value, int) else value[0]


def refusal(got: str) -> ProblemError:
    remedy = "Rescaling a unit leaves other networks not as they were: pass the part of the network that has this form."
    return ProblemError("module", EXPECTED, got, remedy)
