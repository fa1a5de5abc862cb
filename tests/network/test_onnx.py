"""ONNX: graphs that its own runtime computes alike, and graphs of others read as what they compute."""

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.cli.main import main
from ridgesplines.network import as_network

onnx = pytest.importorskip("onnx")
helper, numpy_helper = onnx.helper, onnx.numpy_helper


def network(d, D, K=6, skip=True):
    rng = np.random.default_rng(0)
    tail = () if D is None else (D,)
    W, b, v = rng.standard_normal((K, d)), rng.standard_normal(K), rng.standard_normal((K, *tail))
    return rs.RidgeSpline(W, b, v, rng.standard_normal((d, *tail)) if skip else None, rng.standard_normal(tail))


NETS = {
    "scalar": network(3, None),
    "one feature": network(1, None),
    "no skip": network(3, None, skip=False),
    "outputs": network(2, 3),
    "affine": network(2, None, K=0),
    "constant": network(2, None, K=0, skip=False),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("net", NETS.values(), ids=list(NETS))
def test_the_runtime_computes_the_same(net, plain, dtype, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    model = net.to_onnx(plain, dtype)
    onnx.checker.check_model(model, full_check=True)
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    X = np.random.default_rng(1).standard_normal((20, net.n_features))
    (values,) = session.run(None, {"x": X.astype(dtype)})
    expected = net(X).reshape(20, -1)
    assert values.shape == expected.shape
    assert np.abs(values - expected).max() <= (1e-12 if dtype == "float64" else 1e-4)
    if plain:
        assert [node.op_type for node in model.graph.node] == ["Gemm", "Relu", "Gemm"]
    back = as_network(model)
    assert np.abs(back(X).reshape(20, -1) - expected).max() <= (1e-12 if dtype == "float64" else 1e-5)
    assert back.n_outputs == net.n_outputs
    if net.n_neurons and dtype == "float64" and not plain:
        assert back.seminorm == pytest.approx(net.seminorm, rel=1e-12)


def graph(nodes, arrays, d=2, kind=onnx.TensorProto.FLOAT):
    entry, end = (helper.make_tensor_value_info(name, kind, ["N", size]) for name, size in (("x", d), ("f", 1)))
    weights = [numpy_helper.from_array(np.asarray(a, np.float32), name) for name, a in arrays.items()]
    made = [helper.make_node(op, inputs.split(), [out], **given) for op, inputs, out, given in nodes]
    return helper.make_model(
        helper.make_graph(made, "g", [entry], [end], weights), opset_imports=[helper.make_opsetid("", 13)], ir_version=8
    )


W, V = np.array([[1.0, -2.0, 0.5], [0.5, 1.0, 1.0]]), np.array([[1.0], [-1.0], [2.0]])
OTHERS = {
    "an exporter's MatMul and Add": (
        [
            ("Cast", "x", "x1", {"to": 1}),
            ("MatMul", "x1 W", "h", {}),
            ("Add", "b h", "t", {}),
            ("Relu", "t", "a", {}),
            ("MatMul", "a V", "o", {}),
            ("Add", "o c", "f", {}),
        ],
        lambda X: np.maximum(X @ W + [0.1, 0.2, 0.3], 0.0) @ V + 0.7,
    ),
    "a normalised input and a skip from behind it": (
        [
            ("Sub", "x m", "s", {}),
            ("Div", "s d", "z", {}),
            ("Gemm", "z W b", "t", {}),
            ("Relu", "t", "a", {}),
            ("MatMul", "a V", "o", {}),
            ("Transpose", "S", "ST", {}),
            ("MatMul", "z ST", "p", {}),
            ("Sub", "o p", "f", {}),
        ],
        lambda X: (
            np.maximum((X - [1, 2]) / [3, 4] @ W + [0.1, 0.2, 0.3], 0.0) @ V - (X - [1, 2]) / [3, 4] @ [[5.0], [6]]
        ),
    ),
    "scaled by a number": (
        [
            ("Gemm", "x W b", "t", {"alpha": 2.0, "beta": -1.0}),
            ("Relu", "t", "a", {}),
            ("MatMul", "a V", "o", {}),
            ("Neg", "o", "n", {}),
            ("Mul", "c n", "f", {}),
        ],
        lambda X: -0.7 * np.maximum(2.0 * (X @ W) - [0.1, 0.2, 0.3], 0.0) @ V,
    ),
}
ARRAYS = {"W": W, "b": [0.1, 0.2, 0.3], "V": V, "c": [0.7], "m": [1, 2], "d": [3, 4], "S": [[5, 6]]}


@pytest.mark.parametrize("case", OTHERS)
def test_graphs_of_others(case):
    nodes, expected = OTHERS[case]
    X = np.random.default_rng(1).standard_normal((20, 2))
    assert np.abs(as_network(graph(nodes, ARRAYS))(X) - expected(X)[:, 0]).max() <= 1e-5


@pytest.mark.parametrize(
    "nodes",
    [
        [("Gemm", "x W b", "t", {}), ("Sigmoid", "t", "a", {}), ("MatMul", "a V", "f", {})],
        [("Gemm", "x W b", "t", {}), ("Relu", "t", "a", {}), ("Relu", "a", "r", {}), ("MatMul", "r V", "f", {})],
        [("Gemm", "x W b", "t", {}), ("Relu", "t", "a", {}), ("Mul", "a a", "r", {}), ("MatMul", "r V", "f", {})],
        [("MatMul", "W x", "f", {})],
        [],
    ],
    ids=["sigmoid", "deep", "product", "columns", "nothing"],
)
def test_other_graphs_are_refused(nodes):
    with pytest.raises(rs.ProblemError, match="shallow ReLU network"):
        as_network(graph(nodes, ARRAYS))


def test_files(tmp_path, capsys):
    path, data = tmp_path / "net.onnx", tmp_path / "table.csv"
    net = network(1, None)
    onnx.save(net.to_onnx(), path)
    assert np.abs(as_network(path)([[0.3]]) - net([[0.3]])).max() <= 1e-14
    x = np.linspace(0.0, 1.0, 12)
    np.savetxt(data, np.column_stack([x, x**2]), delimiter=",", header="x,y", comments="")
    assert main(["gap", str(path), str(data), "--target", "y", "--lam", "0.01"]) == 0
    measured = rs.evaluate(rs.Problem(x, x**2, 0.01), net)
    assert f"objective     {measured.objective:.6g}"[:18] in capsys.readouterr().out
    content = path.read_bytes()
    for damaged in (b"", b"abc", content[:40], content[::-1]):
        path.write_bytes(damaged)
        with pytest.raises(rs.ProblemError, match="ONNX"):
            as_network(path)
    elsewhere = net.to_onnx()
    elsewhere.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    with pytest.raises(rs.ProblemError, match="ONNX"):
        as_network(elsewhere)


def test_optimisers_over_networks_read_the_plain_form():
    """OMLT minimises the network in a box by mixed-integer programming: as low as its own values on a fine grid."""
    omlt_io = pytest.importorskip("omlt.io.onnx")
    net = network(2, None)
    definition = omlt_io.load_onnx_neural_network(net.to_onnx(plain=True, dtype="float32"), input_bounds=[(-1, 1)] * 2)
    from omlt import OmltBlock
    from omlt.neuralnet import ReluBigMFormulation
    from pyomo.environ import ConcreteModel, Objective, SolverFactory, value

    model = ConcreteModel()
    model.nn = OmltBlock()
    model.nn.build_formulation(ReluBigMFormulation(definition))
    model.low = Objective(expr=model.nn.outputs[0])
    SolverFactory("appsi_highs").solve(model)
    side = np.linspace(-1.0, 1.0, 101)
    grid = np.column_stack([axis.ravel() for axis in np.meshgrid(side, side)])
    assert value(model.low) <= net(grid).min() + 1e-5
    assert value(model.low) == pytest.approx(net([[value(model.nn.inputs[0]), value(model.nn.inputs[1])]])[0], abs=1e-4)
