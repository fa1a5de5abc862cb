"""Pruning, Section VII: trained networks with fewer neurons, by sparse refits of their hidden layers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ridgesplines.amplitudes.group_lasso import relative_error
from ridgesplines.exceptions import ProblemError
from ridgesplines.torch.layer import numbers
from ridgesplines.torch.reductions import Hidden
from ridgesplines.torch.units import folded, refusal, structure
from ridgesplines.validation import Array, real_array

#: Shares of the tolerance that are tried for each layer until the outputs keep it; at zero only what is exact.
SHARES = (1.0, 0.5, 0.25, 0.1, 0.03, 0.0)


@dataclass(frozen=True, eq=False)
class Compressed:
    """A network with fewer neurons, and what that cost on the data that it was compressed with.

    Attributes
    ----------
    module : the smaller network.
    layers : names of the maps whose neurons were reduced.
    widths_before, widths_after : their numbers of neurons.
    widths_exact : the numbers after the exact reductions alone.
    parameters_before, parameters_after : numbers of parameters of the whole module.
    rows : of the data.
    tol : the tolerance that was asked for.
    error : of the outputs on these data, relative to the deviations of the outputs from their mean.
    accuracy_before, accuracy_after : shares of labels that are met on these data; None without labels.

    Examples
    --------
    >>> import torch
    >>> from ridgesplines.torch import Compressed, compress
    >>> module = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1))
    >>> result = compress(module, torch.randn(50, 2))
    >>> isinstance(result, Compressed), result.widths_after[0] <= 5
    (True, True)
    """

    module: nn.Module
    layers: tuple[str, ...]
    widths_before: tuple[int, ...]
    widths_exact: tuple[int, ...]
    widths_after: tuple[int, ...]
    parameters_before: int
    parameters_after: int
    rows: int
    tol: float
    error: float
    accuracy_before: float | None
    accuracy_after: float | None

    def summary(self) -> str:
        """Widths, parameters, error and accuracy, in words.

        Examples
        --------
        >>> import torch
        >>> from ridgesplines.torch import compress
        >>> module = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)).double()
        >>> _ = module[0].weight.data.fill_(1.0), module[0].bias.data.fill_(0.0)
        >>> print(compress(module, [[-1.0], [0.5], [2.0]], tol=0.0).summary())
        Compressed on 3 rows; all figures are of these data
          0: 2 -> 1 neurons (1 by exact reductions)
          parameters: 7 -> 4
          relative error of the outputs: 0.0e+00 (tolerance 0)
        """
        rows = [f"Compressed on {self.rows} rows; all figures are of these data"]
        widths = zip(self.layers, self.widths_before, self.widths_exact, self.widths_after, strict=True)
        rows += [f"  {name}: {old} -> {new} neurons ({exact} by exact reductions)" for name, old, exact, new in widths]
        rows.append(f"  parameters: {self.parameters_before} -> {self.parameters_after}")
        rows.append(f"  relative error of the outputs: {self.error:.1e} (tolerance {self.tol:g})")
        if self.accuracy_before is not None:
            rows.append(f"  accuracy: {self.accuracy_before:.4f} -> {self.accuracy_after:.4f}")
        return "\n".join(rows)


def compress(module: nn.Module, data: Any, labels: Any = None, *, tol: float = 0.01) -> Compressed:
    r"""A trained network with fewer neurons in its dense hidden layers, and nearly the same outputs on given data.

    For each hidden layer, from input to output, with activations H (N, K) on the data, and Z (N, D) what the next
    linear map made of them in the given network,

    .. math:: \min_{V, c} \; \frac12 \|H V + 1 c^T - Z\|_F^2 + \mu \sum_k \|h_k\|_2 \|v_k\|_2

    with the largest :math:`\mu`, by bisection, for which least squares on the neurons with :math:`v_k \neq 0` keep the
    tolerance. :math:`h_k` is the k-th column of H less its mean, so that the scale of a neuron does not matter.

    Parameters
    ----------
    module : as `balance` takes it; it is left as it is. Reduced are neurons of an ``nn.Linear`` that all go to one
        other ``nn.Linear`` and nowhere else, also behind convolutions or within residual blocks.
    data : inputs, first axis N >= 2: an array or a tensor. Many more rows than neurons: with fewer, a refit meets any
        outputs on them and says nothing about others.
    labels : classes 0, 1, ... of the rows, shape (N,), to count how many the network meets before and after: the
        largest output, or for one output whether it is positive.
    tol : the error of the outputs on the data that is allowed, relative to their deviations from the mean
        (Frobenius norms), 0 <= tol < 1. For 0 only the exact reductions are made.

    Returns
    -------
    Compressed
        The smaller module, widths, error and accuracy; ``print(result.summary())``. No layer is wider than before.

    Raises
    ------
    ProblemError
        For modules without such a layer, or that `balance` refuses; for data that do not go through the module.

    Notes
    -----
    Before that, what changes no output on the data: neurons that are zero there are left out, those that are positive
    multiples of another are added to it, and of those that are never bent there, which are one linear map together, as
    many are kept as it has rank, at most the number of its inputs. After it, neurons are left out one by one while the
    tolerance is kept [2]_; the same is done from all neurons, and the fewer are taken. The subset that results need not
    be the smallest one; that is a combinatorial problem.
    Nothing is claimed about other data: hold rows back to see what it costs there.
    ``error`` is computed anew, from the module that is returned: where even the exact reductions change the outputs by
    more than ``tol``, by rounding, it says so. O(N K²) for a layer, and O(K² D) for a sweep over its neurons.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       Section VII, arXiv:2301.09554
    .. [2] B. Hassibi, D. Stork, Second order derivatives for network pruning: optimal brain surgeon, NeurIPS 1992

    Examples
    --------
    >>> import numpy as np, torch
    >>> from ridgesplines.torch import compress
    >>> _ = torch.manual_seed(0)
    >>> module = torch.nn.Sequential(torch.nn.Linear(2, 40), torch.nn.ReLU(), torch.nn.Linear(40, 3))
    >>> result = compress(module, np.random.default_rng(0).standard_normal((500, 2)), tol=0.05)
    >>> result.widths_before, result.widths_after[0] < 40, result.error <= 0.05
    ((40,), True, True)
    """
    if not (isinstance(tol, (int, float)) and 0.0 <= tol < 1.0):
        raise ProblemError("tol", "a number, 0 <= tol < 1", repr(tol), "It is a relative error; try tol=0.01.")
    start = folded(module)
    pairs = _dense(start)
    inputs = _inputs(start, data)
    with _evaluating(start):
        outputs, seen = _pass(start, inputs, pairs)
        before = _accuracy(outputs, labels)
        targets = [seen[after][0] @ numbers(_linear(start, after).weight).T + _bias(start, after) for _, after in pairs]
        for share in SHARES if tol else (0.0,):
            smaller = copy.deepcopy(start)
            exact = [_reduce(smaller, pair, inputs, Z, share * tol) for pair, Z in zip(pairs, targets, strict=True)]
            new, _ = _pass(smaller, inputs, [])
            error = _error(new, outputs)
            if error <= tol:
                break
    for target, source in zip(smaller.modules(), start.modules(), strict=True):
        target.training = source.training
    return Compressed(
        module=smaller,
        layers=tuple(name for name, _ in pairs),
        widths_before=tuple(_linear(start, name).out_features for name, _ in pairs),
        widths_exact=tuple(exact),
        widths_after=tuple(_linear(smaller, name).out_features for name, _ in pairs),
        parameters_before=_count(module),
        parameters_after=_count(smaller),
        rows=len(inputs),
        tol=float(tol),
        error=error,
        accuracy_before=before,
        accuracy_after=_accuracy(new, labels),
    )


def _dense(module: nn.Module) -> list[tuple[str, str]]:
    """The names of the maps before and after each hidden layer of neurons that are on their own."""
    if any(isinstance(layer, nn.PReLU) and layer.num_parameters > 1 for layer in module.modules()):
        raise refusal("PReLU with a slope for each unit, whose neurons differ")
    names = {id(layer): name for name, layer in module.named_modules()}
    pairs = []
    for units in structure(module)[0]:
        dense = all(isinstance(layer, nn.Linear) for layer in (units.before, *units.after))
        if dense and units.pool == 1 and len(units.after) == 1:
            pairs.append((names[id(units.before)], names[id(units.after[0])]))
    if not pairs:
        remedy = "Only neurons between two nn.Linear can be left out."
        raise ProblemError("module", "a network with a dense hidden layer", "one without", remedy)
    return pairs


def _linear(module: nn.Module, name: str) -> nn.Linear:
    layer = module.get_submodule(name)
    assert isinstance(layer, nn.Linear)
    return layer


def _bias(module: nn.Module, name: str) -> Array | float:
    bias = _linear(module, name).bias
    return 0.0 if bias is None else numbers(bias)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _inputs(module: nn.Module, data: Any) -> torch.Tensor:
    values = real_array("data", data.detach().cpu() if isinstance(data, torch.Tensor) else data)
    if values.ndim < 2 or len(values) < 2:
        remedy = "Pass all rows at once, also for one feature: data.reshape(-1, 1)."
        raise ProblemError("data", "rows of inputs, first axis N >= 2", f"shape {values.shape}", remedy)
    parameter = next(module.parameters())
    return torch.tensor(values, dtype=parameter.dtype, device=parameter.device)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """A module in evaluation mode for a while: its dropout does nothing."""
    modes = {layer: layer.training for layer in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for layer, mode in modes.items():
            layer.training = mode


def _pass(
    module: nn.Module, inputs: torch.Tensor, pairs: list[tuple[str, str]]
) -> tuple[Array, dict[str, tuple[Array, Array]]]:
    """The outputs, and what goes into and comes out of each of these maps, rows of shape (., features)."""
    seen: dict[str, tuple[Array, Array]] = {}

    def keep(name: str) -> Any:
        def hook(layer: nn.Module, given: tuple[torch.Tensor, ...], result: torch.Tensor) -> None:
            seen[name] = tuple(numbers(values).reshape(-1, values.shape[-1]).copy() for values in (given[0], result))  # type: ignore[assignment]

        return hook

    names = {name for pair in pairs for name in pair}
    hooks = [module.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    try:
        with torch.no_grad():
            outputs = module(inputs)
    except (RuntimeError, ValueError) as error:
        remedy = "Its first axis is the rows; the others are as the module takes them."
        raise ProblemError("data", "inputs of the module", f"shape {tuple(inputs.shape)} ({error})", remedy) from None
    finally:
        for hook in hooks:
            hook.remove()
    if not isinstance(outputs, torch.Tensor) or len(outputs) != len(inputs):
        raise ProblemError("module", "outputs in one tensor, a row for each input", type(outputs).__name__, "Wrap it.")
    return numbers(outputs), seen


def _reduce(module: nn.Module, pair: tuple[str, str], inputs: torch.Tensor, Z: Array, tol: float) -> int:
    """Replace both maps of a hidden layer by smaller ones, in place; the width after the exact reductions."""
    before, after = (_linear(module, name) for name in pair)
    _, seen = _pass(module, inputs, [pair])
    eps = float(torch.finfo(before.weight.dtype).eps)
    hidden = Hidden.of(before, after, seen[pair[0]][1], seen[pair[1]][0], eps)
    reduced = hidden.reduced() if hidden.H.any() else hidden.only(np.arange(1))
    fewer = reduced.sparse(Z, tol) if tol > 0.0 else reduced
    _replace(module, pair[0], fewer.W, fewer.b if before.bias is not None else None)
    _replace(module, pair[1], fewer.V.T, fewer.c)
    return len(reduced.b)


def _replace(module: nn.Module, name: str, weight: Array, bias: Array | None) -> None:
    old = _linear(module, name)
    new = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, old.weight.device, old.weight.dtype)
    with torch.no_grad():
        new.weight.copy_(torch.tensor(weight))
        if bias is not None:
            new.bias.copy_(torch.tensor(bias))
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, new)


def _error(new: Array, old: Array) -> float:
    """Relative to the deviations from the mean, or to the outputs where they are constant."""
    mean = old.mean(axis=0)
    if np.abs(old - mean).max() <= 1e-12 * np.abs(old).max():
        mean = 0.0 * mean
    return relative_error(new - mean, old - mean)


def _accuracy(outputs: Array, labels: Any) -> float | None:
    if labels is None:
        return None
    values = real_array("labels", labels.detach().cpu() if isinstance(labels, torch.Tensor) else labels)
    scores = outputs.reshape(len(outputs), -1)
    classes = max(scores.shape[1], 2)
    if values.shape != (len(scores),) or not np.isin(values, np.arange(classes)).all():
        got = f"shape {values.shape} with values from {values.min():g} to {values.max():g}" if values.size else "none"
        remedy = "Number the classes in the order of the outputs."
        raise ProblemError("labels", f"{len(scores)} integers from 0 to {classes - 1}", got, remedy)
    found = scores.argmax(axis=1) if scores.shape[1] > 1 else (scores[:, 0] > 0.0)
    return float((found == values).mean())
