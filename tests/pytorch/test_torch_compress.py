"""Pruning: what is exact stays exact, tolerances are kept, layers never grow."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

import ridgesplines as rs

torch = pytest.importorskip("torch")
nn = torch.nn

from ridgesplines.torch import compress  # noqa: E402


def data(N=200, d=3, seed=0):
    """A table with ties, clipped and integer columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, d))
    X[:, 0] = np.round(2.0 * X[:, 0]) / 2.0
    X[:, 1] = np.clip(X[:, 1], -1.0, 1.0)
    return torch.tensor(X)


def relative(new, old):
    with torch.no_grad():
        return float(torch.linalg.norm(new - old) / torch.linalg.norm(old - old.mean(0)))


def test_duplicated_neurons_become_one_with_the_same_function_everywhere():
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)).double()
    wide = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 2)).double()
    scale = torch.exp(torch.randn(24, dtype=torch.float64))
    order = torch.randperm(24) % 6
    with torch.no_grad():
        wide[0].weight.copy_(scale[:, None] * plain[0].weight[order])
        wide[0].bias.copy_(scale * plain[0].bias[order])
        wide[2].weight.copy_(plain[2].weight[:, order] / scale / 4.0)
        wide[2].bias.copy_(plain[2].bias)
    for tol in (0.0, 1e-9):
        result = compress(wide, data(), tol=tol)
        assert result.widths_before == (24,)
        assert result.widths_after == (6,)
        elsewhere = 10.0 * torch.randn(100, 3, dtype=torch.float64)
        assert relative(result.module(elsewhere), plain(elsewhere)) <= 1e-12
        assert result.error <= 1e-12
    assert wide[0].out_features == 24


@pytest.mark.parametrize("bias", [True, False])
def test_dead_and_straight_neurons(bias):
    """Five neurons never active, eight always: of those at most d (without a bias behind, d + 1), exactly."""
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(3, 20), nn.ReLU(), nn.Linear(20, 2, bias=bias)).double()
    with torch.no_grad():
        module[0].bias[:5] = -100.0
        module[0].bias[5:13] = 100.0
    X = data()
    result = compress(module, X, tol=0.0)
    assert result.widths_after == result.widths_exact == ((10,) if bias else (11,))
    assert relative(result.module(X), module(X)) <= 1e-11


def test_straight_neurons_in_front_of_a_narrow_table():
    """A linear network without activations is its rank."""
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(2, 9), nn.Linear(9, 5)).double()
    assert compress(module, data(d=2), tol=0.0).widths_after == (2,)


def test_constant_neurons_are_no_neurons():
    """Input weights of zero: what they add is the next bias; one stays, so that there is a layer."""
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    with torch.no_grad():
        module[0].weight.zero_()
        module[0].bias.copy_(torch.tensor([1.0, 2.0, -1.0, 3.0]))
    X, result = data(), compress(module, data(), tol=0.0)
    assert result.widths_after == (1,)
    assert torch.allclose(result.module(X), module(X), rtol=1e-14)


def trained(module, X, y, steps=60):
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(module(X), y).backward()
        optimiser.step()
    return module


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return torch.tensor(X[:900] / 16.0, dtype=torch.float32), torch.tensor(y[:900])


def test_digits_keep_their_accuracy_at_fewer_units(digits):
    X, y = digits
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Dropout(0.2), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 10))
    module = trained(net, X, y)
    found = {tol: compress(module, X, y, tol=tol) for tol in (0.03, 0.15)}
    for tol, result in found.items():
        assert result.error <= tol
        module.eval(), result.module.eval()
        assert result.error == pytest.approx(relative(result.module(X), module(X)), rel=1e-3)
        assert result.accuracy_after >= result.accuracy_before - tol
        assert result.accuracy_after == pytest.approx(float((result.module(X).argmax(1) == y).double().mean()))
        widths = zip(result.widths_after, result.widths_exact, result.widths_before, strict=True)
        assert all(1 <= new <= exact <= old for new, exact, old in widths)
        assert result.parameters_after == sum(p.numel() for p in result.module.parameters())
    assert sum(found[0.15].widths_after) < sum(found[0.03].widths_after) < 72
    assert "accuracy" in found[0.03].summary()


def test_the_dense_head_of_a_convolutional_network(digits):
    X, y = digits
    torch.manual_seed(0)
    front = [nn.Conv2d(1, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()]
    module = trained(nn.Sequential(*front, nn.Linear(36, 40), nn.ReLU(), nn.Linear(40, 10)), X.view(-1, 1, 8, 8), y)
    result = compress(module.eval(), X.view(-1, 1, 8, 8), y, tol=0.05)
    assert result.layers == ("4",)
    assert result.widths_after[0] < 40
    assert result.error <= 0.05
    with pytest.raises(rs.ProblemError, match=r"data: .*inputs of the module.*shape \(900, 64\)"):
        compress(module, X, y)


def test_a_tolerance_that_only_what_is_exact_keeps():
    """In deep networks the errors of layers add up: less is left out, and the outputs keep the tolerance."""
    torch.manual_seed(3)
    layers = [m for _ in range(3) for m in (nn.Linear(12, 12), nn.ReLU())]
    module = nn.Sequential(nn.Linear(3, 12), nn.ReLU(), *layers, nn.Linear(12, 1)).double()
    for tol in (1e-10, 1e-2, 0.1):
        result = compress(module, data(), tol=tol)
        assert result.error <= tol


def test_outputs_that_are_constant():
    module = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1)).double()
    with torch.no_grad():
        module[0].bias.fill_(-100.0)
    result = compress(module, data())
    assert (result.widths_after, result.error) == ((1,), 0.0)


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        (nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1)), {}, "module: .*Tanh"),
        (nn.Sequential(nn.Conv1d(1, 2, 2), nn.ReLU(), nn.Conv1d(2, 1, 1)), {}, "module: .*dense hidden layer"),
        (nn.Sequential(nn.Linear(3, 2), nn.PReLU(2), nn.Linear(2, 1)), {}, "slope for each unit"),
        (None, {"data": [1.0, 2.0]}, r"data: .*shape \(2,\)"),
        (None, {"data": [[1.0, 2.0, np.nan]] * 3}, "data: "),
        (None, {"data": np.ones((5, 4))}, r"data: .*inputs of the module; got shape \(5, 4\)"),
        (None, {"tol": 1.0}, "tol: "),
        (None, {"tol": "small"}, "tol: "),
        (None, {"labels": [0, 1]}, r"labels: expected 5 integers from 0 to 1; got shape \(2,\)"),
        (None, {"labels": [0, 1, 2, 1, 0]}, "labels: .*from 0 to 2"),
    ],
)
def test_bad_input_in_words(module, arguments, words):
    module = module or nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with pytest.raises(rs.ProblemError, match=words):
        compress(module, **{"data": np.random.default_rng(0).standard_normal((5, 3)), **arguments})
