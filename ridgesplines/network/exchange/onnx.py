"""ONNX: networks written as its graphs, and graphs read as networks, node by node."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.files import damage_in_words, require_regular
from ridgesplines.network.exchange.layers import folded, two_layers
from ridgesplines.network.exchange.wiring import agrees
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.validation import Array, one_of

if TYPE_CHECKING:
    import onnx

EXPECTED = "an ONNX graph of a shallow ReLU network: one input of N rows, affine maps, one layer of Relu, one output"
#: Versions of the operators and of the format, old enough for most runtimes.
OPSET, FORMAT = 13, 8


def _onnx() -> ModuleType:
    try:
        import onnx
    except ImportError:
        raise ImportError("ONNX needs its package: pip install 'ridgesplines[onnx]'") from None
    return onnx


def to_onnx(net: RidgeSpline, plain: bool = False, dtype: str = "float64") -> onnx.ModelProto:
    """See `RidgeSpline.to_onnx`."""
    one_of("dtype", dtype, ("float64", "float32"))
    net.require_relu("to_onnx")
    onnx = _onnx()
    net = folded(net) if plain or not net.n_neurons else net
    D, helper = net.n_outputs or 1, onnx.helper
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    arrays = {
        "W": net.weights,
        "b": -net.biases,
        "V": net.amplitudes.reshape(-1, D).T,
        "c": np.reshape(net.offset, D),
    }
    written = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1}  # defaults too: some readers expect them
    nodes = [
        helper.make_node("Gemm", ["x", "W", "b"], ["hidden"], "hidden", **written),
        helper.make_node("Relu", ["hidden"], ["active"], "active"),
        helper.make_node("Gemm", ["active", "V", "c"], ["f"], "output", **written),
    ]
    if net.slope.any():
        arrays["C"] = net.slope.reshape(-1, D)
        nodes[-1].output[0] = "bent"
        nodes.append(helper.make_node("MatMul", ["x", "C"], ["straight"], "skip"))
        nodes.append(helper.make_node("Add", ["bent", "straight"], ["f"], "sum"))
    graph = helper.make_graph(
        nodes,
        "RidgeSpline",
        [helper.make_tensor_value_info("x", kind, ["N", net.n_features])],
        [helper.make_tensor_value_info("f", kind, ["N", D])],
        [onnx.numpy_helper.from_array(array.astype(dtype), name) for name, array in arrays.items()],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, producer_name="ridgesplines", opset_imports=opsets, ir_version=FORMAT)


class Form(NamedTuple):
    """A value of the graph as a function of its input, V relu(W x + b) + C x + c, of m entries."""

    W: Array
    b: Array
    V: Array
    C: Array
    c: Array

    @classmethod
    def of_input(cls, d: int) -> Form:
        return cls(np.empty((0, d)), np.empty(0), np.empty((d, 0)), np.eye(d), np.zeros(d))

    def mapped(self, M: Array) -> Form:
        """M times this, M of shape (., m)."""
        return self._replace(V=M @ self.V, C=M @ self.C, c=M @ self.c)

    def shifted(self, by: Array) -> Form:
        return self._replace(c=self.c + by.reshape(-1))

    def scaled(self, by: Array) -> Form:
        return self.mapped(np.diag(np.broadcast_to(by.reshape(-1), self.c.shape)))

    def plus(self, other: Form) -> Form:
        W, b = np.concatenate([self.W, other.W]), np.concatenate([self.b, other.b])
        return Form(W, b, np.concatenate([self.V, other.V], axis=1), self.C + other.C, self.c + other.c)

    def relu(self) -> Form:
        if len(self.b):
            raise ValueError("a second layer of Relu")
        m, d = self.C.shape
        return Form(self.C, self.c, np.eye(m), np.zeros((m, d)), np.zeros(m))


def _gemm(values: list[Any], given: Mapping[str, Any]) -> Form:
    A, B, *C = values
    if given.get("transA", 0):
        raise ValueError("Gemm of columns")
    form = A.mapped(given.get("alpha", 1.0) * (B if given.get("transB", 0) else B.T))
    return form.shifted(given.get("beta", 1.0) * C[0]) if C else form


def _add(values: list[Any], given: Mapping[str, Any], sign: float = 1.0) -> Form:
    first, second = values
    if isinstance(first, Form) and isinstance(second, Form):
        return first.plus(second.scaled(np.array([sign])))
    if isinstance(first, Form):
        return first.shifted(sign * second)
    return second.scaled(np.array([sign])).shifted(first)


def _multiplied(values: list[Any], given: Mapping[str, Any]) -> Form:
    form, factor = values if isinstance(values[0], Form) else values[::-1]
    return form.scaled(factor)


def _same(values: list[Any], given: Mapping[str, Any]) -> Form:
    return values[0]


#: What is known of each operator. That those of shapes and kinds change nothing is seen where outputs are compared.
OPERATORS: dict[str, Callable[[list[Any], Mapping[str, Any]], Form]] = {
    "Gemm": _gemm,
    "MatMul": lambda values, given: values[0].mapped(values[1].T),
    "Add": _add,
    "Sub": lambda values, given: _add(values, given, -1.0),
    "Mul": _multiplied,
    "Div": lambda values, given: values[0].scaled(1.0 / values[1]),
    "Neg": lambda values, given: values[0].scaled(np.array([-1.0])),
    "Relu": lambda values, given: values[0].relu(),
    "Scaler": lambda values, given: values[0].shifted(-np.array(given["offset"])).scaled(np.array(given["scale"])),
} | dict.fromkeys(("Identity", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Dropout"), _same)


def from_onnx(model: onnx.ModelProto) -> RidgeSpline:
    """The network that a graph is: its nodes one after the other, then held against its outputs at random points."""
    onnx, graph = _onnx(), model.graph
    try:
        net = _network(onnx, graph)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        net = None
    if net is None or not agrees(*_outputs(onnx, model, net)):
        got = "one of " + (", ".join(node.op_type for node in graph.node[:12]) or "no nodes")
        raise ProblemError("network", EXPECTED, got, "Deep networks and other activations are not of this form.")
    return net


def _network(onnx: Any, graph: Any) -> RidgeSpline:
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in graph.initializer):
        raise ValueError("numbers in another file")
    values: dict[str, Any] = {t.name: onnx.numpy_helper.to_array(t).astype(float) for t in graph.initializer}
    (entry,) = [each for each in graph.input if each.name not in values]
    values[entry.name] = Form.of_input(entry.type.tensor_type.shape.dim[-1].dim_value)
    for node in graph.node:
        given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        inputs = [values[name] for name in node.input if name]
        if node.op_type == "Constant":
            result = onnx.numpy_helper.to_array(given["value"]).astype(float)
        elif any(isinstance(value, Form) for value in inputs):
            result = OPERATORS[node.op_type](inputs, given)
        else:
            result = _constant(node.op_type, inputs)
        values[node.output[0]] = result
    form = values[graph.output[0].name]
    return two_layers(form.W, form.b, form.V, form.c, form.C)


def _constant(operator: str, inputs: list[Any]) -> Array:
    """What an operator makes of constants alone."""
    if operator == "Transpose":
        return inputs[0].T
    if operator in ("Identity", "Cast"):
        return inputs[0]
    raise ValueError(f"{operator} of constants")


def _outputs(onnx: Any, model: Any, net: RidgeSpline) -> tuple[Callable[[Array], Any], RidgeSpline, float]:
    """The graph's values at points, for `agrees`, and the rounding of its numbers."""
    from onnx.reference import ReferenceEvaluator

    (entry,) = [each for each in model.graph.input if each.name not in {t.name for t in model.graph.initializer}]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type)
    kinds = [onnx.helper.tensor_dtype_to_np_dtype(t.data_type) for t in model.graph.initializer]
    eps = max(float(np.finfo(kind).eps) for kind in (dtype, *kinds) if np.dtype(kind).kind == "f")

    def values(X: Array) -> Any:
        try:
            graph: Any = ReferenceEvaluator(model)
            return graph.run(None, {entry.name: X.astype(dtype)})[0]
        except Exception:  # whatever a graph that is not sound makes its evaluator raise
            return None

    return values, net, eps


def read_onnx(path: str | os.PathLike[str]) -> RidgeSpline:
    """The network in a file; numbers that it keeps in other files are not read."""
    onnx = _onnx()
    require_regular(path)
    with damage_in_words(path, EXPECTED, "which is not one, or is damaged", "Save it with onnx.save(model, path)."):
        model = onnx.load(path, load_external_data=False)
    return from_onnx(model)
