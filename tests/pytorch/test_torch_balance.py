"""Neural balance: what weight decay leads to, what rescaling keeps, and the regularisers (4) and (6)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines as rs

torch = pytest.importorskip("torch")
nn = torch.nn

from ridgesplines.torch.balancing import balance, path_regulariser, rebalance, weight_decay  # noqa: E402


def feedforward(seed=0):
    """Every kind of layer that units may have between them, with scales that differ wildly."""
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Linear(3, 12),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Linear(6, 8, bias=False),
        nn.Sequential(nn.LeakyReLU(0.2), nn.Linear(8, 4)),
        nn.Identity(),
        nn.Linear(4, 5),
        nn.MaxPool1d(5),
        nn.ReLU(),
        nn.Linear(1, 2),
    ).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(
                torch.exp(2.0 * torch.randn(len(parameter), dtype=torch.float64)).reshape(
                    -1, *[1] * (parameter.ndim - 1)
                )
            )
    return module


@pytest.mark.parametrize("seed", range(5))
def test_rescaling_keeps_the_function_and_lowers_weight_decay(seed):
    module = feedforward(seed)
    X = torch.randn(200, 3, dtype=torch.float64)
    before = weight_decay(module)
    balanced = rebalance(module)
    with torch.no_grad():
        old, new = module(X), balanced(X)
    assert float((old - new).abs().max()) <= 1e-13 * float(old.abs().max())
    assert weight_decay(module) == before
    assert weight_decay(balanced) < before
    assert balance(balanced).imbalance <= 1e-13
    assert path_regulariser(module) < before
    assert path_regulariser(balanced) == pytest.approx(weight_decay(balanced), rel=1e-13)


@given(st.integers(0, 10**6))
@settings(max_examples=5, deadline=None)
def test_no_rescaling_has_less_weight_decay(seed):
    """The minimum over all scales, not only over each layer's own: any other scales of the units cost more."""
    module = feedforward(seed)
    least = weight_decay(rebalance(module))
    generator = torch.Generator().manual_seed(seed)
    for size in (0.01, 1.0):
        other = rebalance(module)
        with torch.no_grad():
            first, second = other[0], other[3]
            gamma = torch.exp(size * torch.randn(6, dtype=torch.float64, generator=generator))
            first.weight.mul_(gamma.repeat_interleave(2)[:, None])
            second.weight.div_(gamma)
        assert weight_decay(other) >= least * (1.0 - 1e-13)


def test_units_that_do_nothing():
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    with torch.no_grad():
        module[2].weight[0, 0] = 0.0
        module[0].weight[1] = 0.0
    balanced = rebalance(module)
    X = torch.randn(20, 2, dtype=torch.float64)
    assert torch.allclose(balanced(X), module(X), rtol=0.0, atol=1e-15)
    assert not balanced[0].weight[0].any()
    assert (balanced[2].weight[0, 1] == module[2].weight[0, 1]).item()
    assert balance(balanced).imbalance <= 1e-15


@pytest.mark.parametrize(
    ("layers", "got"),
    [
        ([nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)], "Tanh"),
        ([nn.Linear(2, 3)], "no hidden layer"),
        ([nn.Linear(2, 4), nn.MaxPool1d(2, stride=1), nn.Linear(3, 1)], "overlaps"),
        ([nn.Linear(2, 5), nn.MaxPool1d(2), nn.Linear(2, 1)], "leaves some out"),
        ([nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2), nn.MaxPool1d(2)], "after the last"),
        ([nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Linear(4, 1)], "Conv1d"),
    ],
)
def test_refusals(layers, got):
    for function in (balance, rebalance, weight_decay, path_regulariser):
        with pytest.raises(rs.ProblemError, match=got):
            function(nn.Sequential(*layers))


def trained(lam, seed=0):
    """A user's own module and training with PyTorch alone, to stationarity."""
    torch.manual_seed(seed)
    x = torch.linspace(-1.0, 1.0, 20, dtype=torch.float64)[:, None]
    y = torch.sin(4.0 * x)
    module = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1)).double()
    optimizer = torch.optim.LBFGS(
        module.parameters(), max_iter=1000, line_search_fn="strong_wolfe", tolerance_change=0.0
    )

    def closure():
        optimizer.zero_grad()
        value = ((module(x) - y) ** 2).sum()
        value = value + lam * (module[0].weight.square().sum() + module[2].weight.square().sum())
        value.backward()
        return value

    optimizer.step(closure)
    return module


def is_stationary(module):
    """Whether the gradient is zero: at a kink, where a bend meets a datum, L-BFGS may stop before it is."""
    return max(float(parameter.grad.abs().max()) for parameter in module.parameters()) <= 1e-5


def test_weight_decay_balances_and_nothing_else_does():
    balanced = [module for seed in range(3) if is_stationary(module := trained(lam=0.05, seed=seed))]
    assert balanced
    assert max(balance(module).imbalance for module in balanced) <= 1e-3
    assert balance(trained(lam=0.0)).imbalance >= 0.1


def test_deep_modules():
    """The ReLU neurons of a composition: norms as they are, the same function, (4) and (6) equal at balance."""
    rng = np.random.default_rng(0)
    nets = [
        rs.RidgeSpline(rng.standard_normal((5, d)), rng.standard_normal(5), rng.standard_normal((5, 2))) for d in (3, 2)
    ]
    module = nn.Sequential(*(net.to_torch() for net in nets))
    assert balance(module).imbalance <= 1e-15
    assert path_regulariser(module) == pytest.approx(2.0 * (nets[0].seminorm + nets[1].seminorm))
    with torch.no_grad():
        module[0].hidden.weight.mul_(3.0)
        module[0].hidden.bias.mul_(3.0)
        module[0].output.weight.div_(3.0)
    assert path_regulariser(module) < weight_decay(module)
    balanced = rebalance(module)
    X = rng.standard_normal((20, 3))
    assert np.abs(balanced(torch.tensor(X)).detach().numpy() - nets[1](nets[0](X))).max() <= 1e-12
    assert weight_decay(balanced) == pytest.approx(path_regulariser(balanced), rel=1e-14)


def test_the_weights_of_the_imbalance():
    """By hand: norms 3 and 1, and 1 and 2, contribute 3 and 2."""
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[3.0], [-1.0]]))
        net[2].weight.copy_(torch.tensor([[-1.0, 2.0]]))
    found = balance(net)
    assert found.imbalance == pytest.approx((3.0 * 2.0 / 3.0 + 2.0 * 1.0 / 2.0) / 5.0)
    assert np.concatenate(found.contributions).tolist() == [3.0, 2.0]
    assert path_regulariser(net) == pytest.approx(5.0 + (9.0 + 1.0 + 1.0 + 4.0) / 2.0)
