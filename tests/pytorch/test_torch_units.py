"""Neural balance in networks of any architecture: channels, pooling, BatchNorm, residual blocks, several heads."""

import pytest

import ridgesplines as rs

torch = pytest.importorskip("torch")
nn = torch.nn
F = nn.functional

from ridgesplines.torch.balancing import balance, path_regulariser, rebalance, weight_decay  # noqa: E402


class Residual(nn.Module):
    """The first convolution is on the skip; the units inside the block are on their own."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.inner, self.outer = nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.Conv2d(6, 4, 1)
        self.norm, self.second_norm = nn.BatchNorm2d(6), nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        x = torch.relu(self.first(x))
        x = x + self.second_norm(self.outer(F.relu(self.norm(self.inner(x)))))
        return self.head(F.adaptive_avg_pool2d(F.relu(x), 1).flatten(1))


class Heads(nn.Module):
    """The units of the trunk go to two heads, one of which has units of its own."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(3, 5)
        self.one, self.two = nn.Linear(5, 2), nn.Linear(5, 4)
        self.last = nn.Linear(4, 1)

    def forward(self, x):
        h = F.leaky_relu(self.trunk(x), 0.1)
        return torch.cat([self.one(h), self.last(self.two(h).relu())], 1)


class Tied(nn.Module):
    """A map that is used twice keeps its scale; the units behind it are on their own."""

    def __init__(self):
        super().__init__()
        self.twice, self.hidden, self.out = nn.Linear(3, 3), nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.out(self.hidden(self.twice(self.twice(x).relu()).relu()).relu())


ARCHITECTURES = {
    "Conv1d": (
        lambda: nn.Sequential(
            nn.Conv1d(2, 4, 3, padding=1, padding_mode="reflect"),
            nn.LeakyReLU(0.2),
            nn.MaxPool1d(3, stride=1),
            nn.Conv1d(4, 6, 2, groups=2),
            nn.PReLU(6),
            nn.AvgPool1d(2),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(18, 5),
            nn.ReLU(),
            nn.Linear(5, 2),
        ),
        (2, 9),
        [4, 6, 5],
    ),
    "Conv2d": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 3, 3),
            nn.BatchNorm2d(3),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Sequential(nn.Conv2d(3, 6, 3, groups=3, padding=1), nn.ReLU(inplace=True)),
            nn.Dropout2d(),
            nn.Conv2d(6, 4, 1, bias=False),
            nn.BatchNorm2d(4, affine=False),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 7, bias=False),
            nn.BatchNorm1d(7),
            nn.ReLU(),
            nn.Linear(7, 2),
        ),
        (2, 8, 8),
        [3, 6, 4, 7],
    ),
    "pooled neurons": (
        lambda: nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.AvgPool1d(2), nn.Linear(4, 2)),
        (3,),
        [4],
    ),
    "residual": (Residual, (2, 5, 5), [6]),
    "heads": (Heads, (3,), [5, 4]),
    "tied": (Tied, (3,), [4]),
}


def scaled(make, seed, dtype=torch.float64):
    """A network whose weights, row by row, and statistics differ widely."""
    torch.manual_seed(seed)
    module = make().to(dtype)
    with torch.no_grad():
        for values in (*module.parameters(), *(b for b in module.buffers() if b.is_floating_point())):
            values.mul_(torch.exp(torch.randn(len(values), dtype=dtype)).reshape(-1, *[1] * (values.ndim - 1)))
    return module.eval()


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_same_function_at_balance(name, dtype, rtol):
    make, shape, widths = ARCHITECTURES[name]
    for seed in range(2):
        module = scaled(make, seed, dtype)
        x = torch.randn(20, *shape, dtype=dtype)
        kept = {key: value.clone() for key, value in module.state_dict().items()}
        assert [len(w) for w in balance(module).inputs] == widths
        balanced = rebalance(module)
        with torch.no_grad():
            old, new = module(x), balanced(x)
        assert float((old - new).abs().max()) <= rtol * float(old.abs().max())
        assert all(torch.equal(value, kept[key]) for key, value in module.state_dict().items())
        assert path_regulariser(module) < weight_decay(module)
        assert weight_decay(balanced) < weight_decay(module)
        norms = balance(balanced)
        for w, v in zip(norms.inputs, norms.outputs, strict=True):
            assert abs(w - v).max() <= 10.0 * rtol * w.max()


def test_norms_of_channels_by_hand():
    """Kernels in, and out: the slices of a convolution in groups, and the columns behind Flatten."""
    module = scaled(ARCHITECTURES["Conv1d"][0], 0)
    norms = balance(module)
    first, second, dense = (module[i].weight.detach() for i in (0, 3, 8))
    for k in range(4):
        outputs = second[3 * (k // 2) : 3 * (k // 2) + 3, k % 2]
        assert norms.inputs[0][k] == pytest.approx(float(first[k].square().sum().sqrt()))
        assert norms.outputs[0][k] == pytest.approx(float(outputs.square().sum().sqrt()))
    for k in range(6):
        assert norms.outputs[1][k] == pytest.approx(float(dense[:, 3 * k : 3 * k + 3].square().sum().sqrt()))


def test_all_outputs_of_a_unit_count():
    norms, module = balance(heads := scaled(Heads, 0)), heads
    outputs = torch.cat([module.one.weight, module.two.weight]).square().sum(0).sqrt()
    assert norms.outputs[0] == pytest.approx(outputs.detach().numpy())


def test_what_is_on_the_skip_keeps_its_weights():
    module = scaled(Residual, 0)
    balanced = rebalance(module)
    assert torch.equal(balanced.first.weight, module.first.weight)
    assert torch.equal(balanced.head.weight, module.head.weight)
    assert isinstance(balanced.norm, nn.Identity)
    assert not torch.equal(balanced.inner.weight, module.inner.weight)


def test_batches_have_statistics_of_their_own():
    module = scaled(ARCHITECTURES["Conv2d"][0], 0).train()
    for function in (balance, rebalance, weight_decay, path_regulariser):
        with pytest.raises(rs.ProblemError, match=r"BatchNorm2d .* statistics of each batch. Call module.eval\(\)"):
            function(module)


class Branches(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0.0 else -x


@pytest.mark.parametrize(
    ("layers", "got"),
    [
        ([nn.Conv2d(1, 2, 3), nn.GELU(), nn.Conv2d(2, 1, 1)], "operation GELU"),
        ([nn.Conv2d(1, 2, 3), nn.ReLU6(), nn.Conv2d(2, 1, 1)], "operation ReLU6"),
        ([nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Linear(4, 1)], "without Flatten"),
        ([nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Flatten(0), nn.Linear(4, 1)], "Flatten of other axes"),
        ([nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.MaxPool1d(2), nn.Linear(4, 1)], "mixes units"),
        ([nn.Linear(2, 4), nn.Flatten(), nn.Linear(8, 1)], "not those of its 4 units"),
        ([nn.Linear(2, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Linear(4, 1)], "no hidden layer whose units"),
        ([nn.utils.parametrizations.weight_norm(nn.Linear(2, 4)), nn.ReLU(), nn.Linear(4, 1)], "parametrised"),
        ([nn.Linear(2, 4), Branches(), nn.Linear(4, 1)], "torch.fx does not trace"),
        ([nn.Linear(2, 4), nn.ReLU(), nn.LSTM(4, 2)], "LSTM"),
    ],
)
def test_refusals(layers, got):
    with pytest.raises(rs.ProblemError, match=got):
        rebalance(nn.Sequential(*layers).eval())
