"""Modules and saved parameters as users have them: inputs normalised in front, checkpoints, names of their own."""

import os

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.cli.main import main
from ridgesplines.network import as_network

torch = pytest.importorskip("torch")
nn = torch.nn

X = np.random.default_rng(0).standard_normal((40, 3)) * [1.0, 20.0, 0.1] + [0.0, 300.0, 5.0]


def outputs(module):
    with torch.no_grad():
        return module.eval()(torch.as_tensor(X, dtype=next(module.parameters()).dtype)).numpy()


def trained_norm(affine=True):
    norm = nn.BatchNorm1d(3, affine=affine).double()
    norm(torch.as_tensor(X))  # takes over their mean and variance
    norm(torch.as_tensor(X[:20]))
    if affine:
        nn.init.normal_(norm.weight), nn.init.normal_(norm.bias)
    return norm.double()


class Skipping(nn.Module):
    """A skip connection that starts before the inputs are normalised, or behind that."""

    def __init__(self, behind):
        super().__init__()
        self.norm, self.behind = trained_norm(), behind
        self.first, self.last, self.past = nn.Linear(3, 6), nn.Linear(6, 1), nn.Linear(3, 1)

    def forward(self, x):
        z = self.norm(x)
        return self.last(torch.relu(self.first(z))) + self.past(z if self.behind else x)


MODULES = {
    "batch norm": lambda: nn.Sequential(trained_norm(), nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1)),
    "plain norm": lambda: nn.Sequential(trained_norm(False), nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)),
    "fixed map": lambda: nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1)),
    "fewer inputs": lambda: nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1)),
    "skip in front": lambda: Skipping(False),
    "skip behind": lambda: Skipping(True),
}


@pytest.mark.parametrize("case", MODULES)
def test_maps_of_the_inputs_become_part_of_the_network(case):
    torch.manual_seed(0)
    module = MODULES[case]().double()
    net, expected = as_network(module), outputs(module)
    given = net(X).reshape(expected.shape)
    assert np.abs(given - expected).max() <= 1e-10 * np.abs(expected).max()
    assert (net.n_features, net.n_neurons) == (3, 6)


def test_a_norm_behind_the_hidden_layer_is_refused():
    module = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.BatchNorm1d(6), nn.Linear(6, 1)).double()
    module[2].running_mean += 1.0
    with pytest.raises(rs.ProblemError, match="BatchNorm1d"):
        as_network(module)


@pytest.mark.parametrize("D", [None, 2])
@pytest.mark.parametrize("K", [0, 5])
@pytest.mark.parametrize("sloped", [(), (0, 2)])
def test_the_plain_form(D, K, sloped):
    """Linear, ReLU, Linear: two more neurons for each feature of the skip connection, whose weights are balanced."""
    rng = np.random.default_rng(1)
    tail = () if D is None else (D,)
    slope = np.zeros((3, *tail))
    slope[list(sloped)] = rng.standard_normal((len(sloped), *tail))
    v, c0 = rng.standard_normal((K, *tail)), rng.standard_normal(tail)
    net = rs.RidgeSpline(rng.standard_normal((K, 3)), rng.standard_normal(K), v, slope, c0)
    module = net.to_torch(plain=True)
    assert [type(layer).__name__ for layer in module] == ["Linear", "ReLU", "Linear"]
    assert module[0].out_features == max(1, K + 2 * len(sloped))
    expected = net(X).reshape(40, -1)
    assert np.abs(outputs(module) - expected).max() <= 1e-12 * max(1.0, np.abs(expected).max())
    back = as_network(module)
    size = np.abs(slope).sum() if D is None else np.linalg.norm(slope, axis=1).sum()
    assert back.seminorm == pytest.approx(net.seminorm + 2.0 * size, rel=1e-12)
    w, v = module[0].weight.norm(dim=1), module[2].weight.norm(dim=0)
    assert torch.allclose(w, v, rtol=1e-12)


def state(prefix="", names=("0", "2")):
    torch.manual_seed(0)
    own = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1)).double()
    parts = {"0": names[0], "2": names[1]}
    return own, {prefix + parts[name[0]] + name[1:]: value for name, value in own.state_dict().items()}


def checkpoint():
    own, _ = state()
    steps = torch.optim.Adam(own.parameters())
    own(torch.as_tensor(X)).sum().backward()
    steps.step()
    return own, {"epoch": 3, "loss": 0.5, "optimizer": steps.state_dict(), "state_dict": own.state_dict()}


CASES = {
    "data parallel": lambda: state("module."),
    "compiled": lambda: state("_orig_mod."),
    "names": lambda: state("net.", ("encoder", "head")),
    "a checkpoint": checkpoint,
    "a model's": lambda: (state()[0], {"model": state("model.")[1], "epoch": 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_saved_parameters(case, tmp_path):
    module, saved = CASES[case]()
    expected = outputs(module)[:, 0]
    path = tmp_path / "net.pt"
    torch.save(saved, path)
    for net in (as_network(saved), as_network(path), as_network(str(path))):
        assert np.abs(net(X) - expected).max() <= 1e-12 * np.abs(expected).max()
    problem = rs.Problem(X, expected, lam=1.0)
    assert rs.evaluate(problem, saved, max_time=0.0).data_fit <= 1e-20 * (expected**2).sum()


def test_what_was_seen_is_listed(tmp_path):
    deep = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 1))
    torch.save({"state_dict": deep.state_dict()}, tmp_path / "deep.pt")
    for given in (deep.state_dict(), tmp_path / "deep.pt"):
        with pytest.raises(rs.ProblemError, match=r"4\.weight \(1, 6\)"):
            as_network(given)
    normed = nn.Sequential(trained_norm(), nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
    with pytest.raises(rs.ProblemError, match="running_mean"):  # how it normalises is not in the file
        as_network(normed.state_dict())


def test_files_of_code_are_refused(tmp_path, capsys):
    data = tmp_path / "table.csv"
    data.write_text("x,y\n0,1\n1,2\n2,0\n")
    for name in ("model.keras", "model.pkl", "model.joblib"):
        (tmp_path / name).write_bytes(b"anything")
        assert main(["gap", str(tmp_path / name), str(data), "--target", "y", "--lam", "1"]) == 2
        assert "may hold code" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------------- weight decay


def optimum(seed=0):
    """A problem and its optimum at balance, as a plain module whose biases and skip connection are free."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1.0, 1.0, (30, 2))
    problem = rs.Problem(points, np.abs(points[:, 0]) + np.maximum(points[:, 1], 0.2), lam=0.1)
    return problem, rs.solve(problem)


def decayed(make, problem, net, mean):
    """The gradient that an optimiser sees at the optimum, with the weight_decay that the table says, by parameter."""
    module = net.to_torch()
    decay = problem.lam / (problem.n_samples if mean else 1.0)
    weights = [module.hidden.weight, module.output.weight]
    free = [p for p in module.parameters() if not any(p is w for w in weights)]
    steps = make([{"params": weights, "weight_decay": decay}, {"params": free, "weight_decay": 0.0}])
    loss = nn.MSELoss(reduction="mean" if mean else "sum")
    loss(module(torch.tensor(problem.X)), torch.tensor(problem.y)).backward()
    before = module.output.weight.detach().clone()
    steps.step()
    return module, before, steps


@pytest.mark.parametrize("mean", [False, True])
def test_weight_decay_of_sgd_and_adam(mean):
    """The optimum does not move: weight_decay is lambda for a sum of losses, lambda / N for their mean."""
    problem, solution = optimum()
    size = problem.lam / (problem.n_samples if mean else 1.0)
    module, before, _ = decayed(lambda groups: torch.optim.SGD(groups, lr=1.0), problem, solution.network, mean)
    moved = (module.output.weight.detach() - before).abs().max()
    assert moved <= 1e-5 * size * before.abs().max()
    off = decayed(lambda groups: torch.optim.SGD(groups, lr=1.0), problem.with_lam(0.2), solution.network, mean)
    assert (off[0].output.weight.detach() - off[1]).abs().max() >= 0.5 * size * before.abs().max()  # another lambda's
    module, before, steps = decayed(lambda groups: torch.optim.Adam(groups, lr=1e-3), problem, solution.network, mean)
    gradient = steps.state[module.output.weight]["exp_avg"] / 0.1  # the first moment after one step
    assert gradient.abs().max() <= 1e-5 * size * before.abs().max()


def test_weight_decay_of_adamw_is_of_no_such_objective():
    """It leaves the optimum, as its decay is not in the gradient that it scales."""
    problem, solution = optimum()
    module, before, _ = decayed(lambda groups: torch.optim.AdamW(groups, lr=1e-3), problem, solution.network, False)
    # Adam's step is the sign of the gradient of the losses alone, of size lr
    assert (module.output.weight.detach() - before).abs().min() >= 0.5e-3


@pytest.mark.parametrize(
    ("torchs", "ours", "factor"),
    [
        (nn.MSELoss(reduction="sum"), rs.Squared(), 1.0),
        (nn.HuberLoss(reduction="sum", delta=0.7), rs.Huber(0.7), 0.5),
        (nn.SmoothL1Loss(reduction="sum", beta=0.7), rs.Huber(0.7), 0.5 / 0.7),
        (nn.L1Loss(reduction="sum"), rs.Absolute(), 1.0),
        (nn.BCEWithLogitsLoss(reduction="sum"), rs.Logistic(), 1.0),
        (nn.PoissonNLLLoss(reduction="sum"), rs.Poisson(), 1.0),
    ],
)
def test_the_losses_of_torch(torchs, ours, factor):
    """Each is `factor` times ours, up to a constant: lambda is that of the decay over the factor."""
    rng = np.random.default_rng(0)
    y, z, other = rng.integers(0, 2, 50).astype(float), 2.0 * rng.standard_normal(50), rng.standard_normal(50)
    targets = 2.0 * y - 1.0 if isinstance(ours, rs.Logistic) else y
    their = torchs(torch.as_tensor(z), torch.as_tensor(y)) - torchs(torch.as_tensor(other), torch.as_tensor(y))
    assert float(their) == pytest.approx(factor * (ours.value(targets, z) - ours.value(targets, other)).sum())


# ----------------------------------------------------------------------------------------------------------- Keras


@pytest.fixture
def keras(monkeypatch):
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    return pytest.importorskip("keras")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", ["sequential", "normalised", "skip"])
def test_models_of_keras(keras, case):
    keras.utils.set_random_seed(0)
    entry = keras.Input((3,))
    z = entry
    if case == "normalised":
        norm = keras.layers.Normalization()
        norm.adapt(X.astype(np.float32))
        z = norm(entry)
    f = keras.layers.Dense(1)(keras.layers.Dense(6, activation="relu")(z))
    if case == "skip":
        f = keras.layers.Add()([f, keras.layers.Dense(1, use_bias=False)(entry)])
    model = keras.Model(entry, f)
    net, expected = as_network(model), model.predict(X.astype(np.float32), verbose=0)[:, 0]
    assert np.abs(net(X) - expected).max() <= 1e-5 * np.abs(expected).max()
    tanh = keras.Sequential([entry, keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(1)])
    with pytest.raises(rs.ProblemError, match="Dense, Dense"):
        as_network(tanh)


@pytest.mark.filterwarnings("ignore")
def test_the_l2_of_keras(keras):
    """l2 adds l times the squares to the mean of the losses: lambda is 2 N l."""
    keras.utils.set_random_seed(0)
    rate = 0.01
    layers = [
        keras.layers.Dense(n, activation=a, kernel_regularizer=keras.regularizers.L2(rate))
        for n, a in ((6, "relu"), (1, None))
    ]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(loss="mse")
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    y = np.abs(Z[:, 0])
    theirs = model.evaluate(Z, y, batch_size=40, verbose=0)
    net, lam = as_network(model), 2.0 * 40 * rate
    weights = sum((w**2).sum() for w in (model.get_weights()[0], model.get_weights()[2]))
    assert ((net(Z) - y) ** 2).sum() + lam / 2.0 * weights == pytest.approx(40 * theirs, rel=1e-5)
