"""Networks to PyTorch and back: the same function, or a refusal that says which form was expected."""

import subprocess
import sys

import numpy as np
import pytest

import ridgesplines as rs

torch = pytest.importorskip("torch")
nn = torch.nn


def network(d, D, skip, seed=0):
    rng = np.random.default_rng(seed)
    tail = () if D is None else (D,)
    slope = rng.standard_normal((d, *tail)) if skip else None
    W, b, v = rng.standard_normal((7, d)), rng.standard_normal(7), rng.standard_normal((7, *tail))
    return rs.RidgeSpline(W, b, v, slope, rng.standard_normal(tail))


def points(d, n=50):
    return 2.0 * np.random.default_rng(9).standard_normal((n, d))


class Own(nn.Module):
    """A module as users write them: names of their own, ReLU as a function, a skip connection with a bias."""

    def __init__(self, d, K, D, act=torch.relu):
        super().__init__()
        self.shortcut, self.first, self.last = nn.Linear(d, D), nn.Linear(d, K, bias=False), nn.Linear(K, D)
        self.act = act

    def forward(self, x):
        return self.last(self.act(self.first(x))) + self.shortcut(x)


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("D", [None, 2, 3])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_there_and_back(d, D, skip):
    """(7), (18), (19), (33), and their vector outputs."""
    net, X = network(d, D, skip), points(d)
    module = net.to_torch()
    assert (module.skip is not None) == skip
    with torch.no_grad():
        double = module(torch.as_tensor(X)).numpy()
        single = net.to_torch().float()(torch.as_tensor(X, dtype=torch.float32)).numpy()
    scale = np.abs(net(X)).max()
    assert double.shape == net(X).shape
    assert np.abs(double - net(X)).max() <= 1e-12
    assert np.abs(single - net(X)).max() <= 1e-6 * scale
    back = rs.RidgeSpline.from_torch(module)
    assert np.abs(back(X) - net(X)).max() <= 1e-12
    assert back.seminorm == pytest.approx(net.seminorm, rel=1e-14)
    assert back.n_outputs == D


def test_the_module_is_at_balance():
    module = network(3, 2, True).to_torch()
    w, v = module.hidden.weight.norm(dim=1), module.output.weight.norm(dim=0)
    assert torch.allclose(w, v, rtol=1e-14)


def test_no_neurons():
    net = rs.RidgeSpline(np.empty((0, 2)), [], [], [1.0, 2.0], 3.0)
    module = net.to_torch()
    assert module(torch.ones(1, 2, dtype=torch.float64)).tolist() == [6.0]
    assert rs.RidgeSpline.from_torch(module).n_neurons == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("D", [1, 3])
@pytest.mark.parametrize("d", [1, 4, 6])
def test_modules_of_users(d, D, dtype):
    """Of 6 features, 6 neurons and 3 outputs the shapes alone do not say which map is which."""
    torch.manual_seed(0)
    for module in (nn.Sequential(nn.Linear(d, 6), nn.ReLU(), nn.Linear(6, D)), Own(d, 6, D)):
        module = module.to(dtype)
        net = rs.RidgeSpline.from_torch(module)
        X = torch.as_tensor(points(d), dtype=dtype)
        with torch.no_grad():
            expected = module(X).numpy()
        given = net(X.numpy()).reshape(expected.shape)
        assert np.abs(given - expected).max() <= (1e-6 if dtype == torch.float32 else 1e-12) * 10.0
        assert net.n_outputs == (None if D == 1 else D)


@pytest.mark.parametrize(
    "module",
    [
        nn.Linear(2, 1),
        nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)),
        nn.Sequential(nn.Linear(2, 5), nn.LeakyReLU(), nn.Linear(5, 1)),
        nn.Sequential(nn.Linear(2, 5), nn.Linear(5, 1)),
        nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1), nn.ReLU()),
        nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 1)),
        nn.Sequential(nn.Conv1d(1, 1, 2), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1)),
        Own(2, 5, 1, torch.sigmoid),
        torch.relu,
    ],
    ids=["affine", "tanh", "leaky", "linear", "relu at the end", "deep", "convolution", "own sigmoid", "no module"],
)
def test_other_modules_are_refused(module):
    with pytest.raises(rs.ProblemError, match=r"V relu\(W x - b\) \+ C x \+ c_0"):
        rs.RidgeSpline.from_torch(module)


def test_dropout_is_left_as_it_was():
    module = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 1)).train()
    assert rs.RidgeSpline.from_torch(module).n_neurons == 5
    assert module.training


def test_a_trained_module_is_evaluated():
    x = np.linspace(-1.0, 1.0, 20)
    problem = rs.Problem(x, np.abs(x), lam=0.01)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
    measured = rs.evaluate(problem, rs.RidgeSpline.from_torch(module))
    with torch.no_grad():
        z = module(torch.as_tensor(x[:, None], dtype=torch.float32))[:, 0].numpy()
        norms = module[0].weight.norm(dim=1) * module[2].weight.norm(dim=0)
    assert measured.objective == pytest.approx(((z - np.abs(x)) ** 2).sum() + 0.01 * float(norms.sum()), rel=1e-5)
    assert measured.certificate.value <= rs.solve(problem).objective * (1.0 + 1e-9)


def test_without_torch_the_extra_is_named():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import ridgesplines as rs\n"
        "try:\n    rs.RidgeSpline([[1.0]], [0.0], [1.0]).to_torch()\n"
        "except ImportError as error:\n    assert 'ridgesplines[torch]' in str(error)\n"
        "else:\n    raise SystemExit('loaded')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
