"""The network: its values, its normal form, and the ways out of it."""

import builtins

import numpy as np
import pytest

import ridgesplines as rs


def random_network(d=1, D=None, K=7, seed=0):
    rng = np.random.default_rng(seed)
    tail = () if D is None else (D,)
    return rs.RidgeSpline(
        rng.standard_normal((K, d)),
        rng.standard_normal(K),
        rng.standard_normal((K, *tail)),
        rng.standard_normal((d, *tail)),
        rng.standard_normal(tail),
    )


def naive(net, X):
    hidden = np.maximum(X @ net.weights.T - net.biases, 0.0)
    return hidden @ net.amplitudes + X @ net.slope + net.offset


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("D", [None, 1, 3])
def test_values_are_the_formula(d, D):
    net = random_network(d, D)
    X = np.random.default_rng(1).standard_normal((40, d)) * 3.0
    assert net(X) == pytest.approx(naive(net, X), abs=1e-12)
    assert net.n_neurons == 7
    assert net.n_outputs == D
    assert np.linalg.norm(net.weights, axis=1) == pytest.approx(np.ones(7))


def test_values_in_blocks(monkeypatch):
    net = random_network(3)
    X = np.random.default_rng(1).standard_normal((40, 3))
    whole = net(X)
    monkeypatch.setattr("ridgesplines.network.spline.BLOCK_ENTRIES", 16)
    assert (net(X) == whole).all()


def test_no_neurons():
    net = rs.RidgeSpline(np.empty((0, 1)), [], [], [2.0], 1.0)
    assert net([0.0, 3.0]).tolist() == [1.0, 7.0]
    assert net.seminorm == 0.0
    assert net.to_ppoly()([0.0, 3.0]) == pytest.approx([1.0, 7.0])
    assert len(net.knots) == 0


def test_a_neuron_without_weights_is_a_constant():
    net = rs.RidgeSpline([[0.0, 0.0], [1.0, 0.0]], [-2.0, 0.0], [3.0, 1.0])
    assert net.n_neurons == 1
    assert net.offset == 6.0


@pytest.mark.parametrize("D", [None, 2])
def test_ppoly_is_the_same_function(D):
    net = random_network(1, D)
    x = np.linspace(-10.0, 10.0, 501)
    poly = net.to_ppoly()
    assert poly(x) == pytest.approx(net(x), abs=1e-10)
    # The second derivative in the sense of distributions: the slopes' total change is the seminorm.
    slopes = poly.c[0]
    change = np.abs(np.diff(slopes, axis=0)) if D is None else np.linalg.norm(np.diff(slopes, axis=0), axis=1)
    assert change.sum() == pytest.approx(net.seminorm)


def test_ppoly_of_coinciding_knots():
    net = rs.RidgeSpline([[1.0], [1.0], [-1.0]], [0.5, 0.5, -0.5], [1.0, 2.0, -4.0])
    x = np.linspace(-1.0, 2.0, 31)
    assert net.to_ppoly()(x) == pytest.approx(net(x), abs=1e-14)


def test_only_one_dimension_has_knots():
    for ask in (lambda net: net.knots, lambda net: net.to_ppoly()):
        with pytest.raises(rs.ProblemError, match="d = 1"):
            ask(random_network(2))


@pytest.mark.parametrize("D", [None, 3])
def test_save_and_load(tmp_path, D):
    net = random_network(2, D)
    net = rs.RidgeSpline(net.weights, net.biases, net.amplitudes, net.slope, net.offset, ("age", "größe"))
    net.save(tmp_path / "net.npz")
    again = rs.RidgeSpline.load(tmp_path / "net.npz")
    X = np.random.default_rng(1).standard_normal((9, 2))
    assert (again(X) == net(X)).all()
    assert again.names == ("age", "größe")
    net.save(tmp_path / "no.ending")
    assert rs.RidgeSpline.load(tmp_path / "no.ending").n_neurons == 7


def test_loading_something_else(tmp_path):
    other = tmp_path / "other.npz"
    np.savez(other, a=np.ones(3))
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    array = tmp_path / "array.npy"
    np.save(array, np.ones(3))
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, format=np.array([{"evil": 1}], dtype=object))
    for path in (other, text, array, pickled):
        with pytest.raises(rs.ProblemError, match=r"RidgeSpline\.save"):
            rs.RidgeSpline.load(path)
    with pytest.raises(FileNotFoundError):
        rs.RidgeSpline.load(tmp_path / "missing.npz")


def test_to_frame():
    frame = random_network(1).to_frame()
    assert list(frame.columns) == ["knot", "weight[x0]", "bias", "amplitude"]
    assert len(frame) == 7
    frame = random_network(2, 2).to_frame()
    assert list(frame.columns) == ["weight[x0]", "weight[x1]", "bias", "amplitude[0]", "amplitude[1]"]


def test_to_frame_without_pandas(monkeypatch):
    original = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="install pandas, or read"):
        random_network().to_frame()


def test_it_is_read_only():
    net = random_network()
    with pytest.raises(ValueError, match="read-only"):
        net.weights[0] = 1.0
