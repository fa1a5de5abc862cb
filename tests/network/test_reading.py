"""Networks of other libraries: the same function, or a refusal that says what was seen; lambda by numbers."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, QuantileTransformer, StandardScaler

import ridgesplines as rs
from ridgesplines.network import as_network, lam_of_alpha


def layers(d, K, D, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (K, d), (K,), (D, K), (D,), (D, d)
    return [rng.standard_normal(shape) for shape in shapes]


def values(W, b, V, c, S, X):
    """V relu(W x + b) + S x + c, row by row, as its formula says."""
    return np.array([V @ np.maximum(W @ x + b, 0.0) + S @ x + c for x in X])


@pytest.mark.parametrize(("d", "K", "D"), [(1, 5, 1), (3, 5, 1), (2, 5, 4), (5, 5, 1), (1, 1, 1), (1, 3, 3)])
def test_from_layers_of_either_convention(d, K, D):
    W, b, V, c, S = layers(d, K, D)
    X = np.random.default_rng(1).standard_normal((20, d))
    expected = values(W, b, V, c, S, X)
    for arrays in ((W, b, V, c, S), (W.T, b, V.T, c, S.T)):
        net = rs.RidgeSpline.from_layers(*arrays)
        assert net.n_outputs == (None if D == 1 else D)
        assert np.abs(net(X).reshape(expected.shape) - expected).max() <= 1e-12
    if D == 1:
        flat = rs.RidgeSpline.from_layers(W, b, V[0], c[0], S[0]) if d != K else net
        assert np.abs(flat(X) - expected[:, 0]).max() <= 1e-12


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (((3, 3), (3,), (3, 3), (3,)), "of both"),  # square all over
        (((3, 3), (3,), (3,), ()), "of both"),
        (((4, 2), (3,), (1, 4), (1,)), "one bias"),
        (((4, 2), (4,), (4, 1, 1), (1,)), "one bias"),
        (((4, 2), (4,), (2, 4), (3,)), "one bias"),
        (((4, 0), (4,), (1, 4), (1,)), "one bias"),
    ],
)
def test_from_layers_refuses_what_leaves_doubt(shapes, words):
    with pytest.raises(rs.ProblemError, match=words) as error:
        rs.RidgeSpline.from_layers(*map(np.random.default_rng(0).standard_normal, shapes))
    assert str(shapes[0]) in error.value.got


NAMES = {
    "torch": ("0.weight", "0.bias", "2.weight", "2.bias"),
    "ours": ("module.hidden.weight", "module.hidden.bias", "module.output.weight", "module.output.bias"),
    "numbered": ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"),
    "letters": ("W1", "b1", "W2", "b2"),
    "unlike": ("encoder.weight", "encoder.bias", "head.weight", "head.bias"),
    "nothing in common": ("A", "u", "B", "v"),
}


@pytest.mark.parametrize("names", NAMES.values(), ids=list(NAMES))
@pytest.mark.parametrize(("d", "D"), [(3, 1), (2, 4)])
def test_arrays_by_name(names, d, D):
    W, b, V, c, S = layers(d, 6, D)
    X = np.random.default_rng(1).standard_normal((20, d))
    expected = values(W, b, V, c, 0.0 * S, X)
    given = dict(zip(names, (W, b, V, c), strict=True))
    for state in (given, dict(reversed(given.items())), {"epoch": 3, "model_state_dict": given}):
        assert np.abs(as_network(state)(X).reshape(expected.shape) - expected).max() <= 1e-12


def test_arrays_with_a_skip_connection():
    W, b, V, c, S = layers(3, 6, 1)
    X = np.random.default_rng(1).standard_normal((20, 3))
    net = as_network({"in.weight": W, "in.bias": b, "out.weight": V, "out.bias": c, "past.weight": S})
    assert np.abs(net(X) - values(W, b, V, c, S, X)[:, 0]).max() <= 1e-12


def test_one_feature_and_one_output_need_a_word():
    """(K, 1) and (1, K) fit in either order: a number in the names, or the problem's d, settles it."""
    W, b, V, c, _ = layers(1, 6, 1)
    named = {"first.weight": W, "first.bias": b, "last.weight": V, "last.bias": c}
    with pytest.raises(rs.ProblemError, match=r"first\.weight \(6, 1\)"):
        as_network(named)
    x = np.linspace(-1.0, 1.0, 9)
    problem = rs.Problem(x, np.abs(x), lam=0.1)
    expected = rs.evaluate(problem, rs.RidgeSpline.from_layers(W, b, V, c)).objective
    assert rs.evaluate(problem, named, max_time=0.0).objective == expected


def test_another_number_of_inputs_is_said_in_words():
    W, b, V, c, _ = layers(3, 6, 1)
    problem = rs.Problem(np.eye(2), [0.0, 1.0], lam=1.0)
    with pytest.raises(rs.ProblemError, match="d = 2 inputs"):
        rs.evaluate(problem, {"A.weight": W, "A.bias": b, "B.weight": V, "B.bias": c})


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"a": np.zeros((3, 2))},
        {"a": np.zeros((3, 2)), "b": np.zeros((3, 2))},
        {"1.weight": np.zeros((3, 2)), "2.weight": np.zeros((3, 3)), "3.weight": np.zeros((1, 3))},
        {"0.weight": np.zeros((3, 2)), "0.bias": np.zeros(4), "2.weight": np.zeros((1, 3))},
        {"0.weight": np.zeros((3, 1)), "2.weight": np.zeros((1, 3)), "4.weight": np.zeros((1, 1))},  # deep, or a skip
        {"0.weight": np.zeros((3, 2)), "2.weight": np.zeros((1, 3)), "scale": np.zeros(2)},
        {"0.weight": np.zeros((3, 2)), "2.weight": np.full((1, 3), np.nan)},
        {"0.weight": "text", "2.weight": None},
        {"u.weight": np.ones((3, 3)), "v.weight": np.eye(3)},
    ],
)
def test_other_arrays_are_refused_with_what_was_seen(state):
    with pytest.raises(rs.ProblemError) as error:
        as_network(state)
    assert all(name in error.value.got for name in state)


# ---------------------------------------------------------------------------------------------------- scikit-learn


def table(n=60):
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((n, 3)), 1)  # ties
    return X, np.abs(X[:, 0]) - X[:, 1]


def fitted(mlp, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        return mlp.fit(X, y)


@pytest.mark.parametrize("D", [1, 2])
def test_perceptrons_for_regression(D):
    X, y = table()
    Y = y if D == 1 else np.column_stack([y, X[:, 2] ** 2])
    mlp = fitted(MLPRegressor(hidden_layer_sizes=7, alpha=0.3, solver="lbfgs", max_iter=20, random_state=0), X, Y)
    net = rs.RidgeSpline.from_sklearn(mlp)
    assert np.abs(net(X) - mlp.predict(X)).max() <= 1e-12
    # scikit-learn's own objective is that of (8) with the lambda that its alpha means, over 2 D N
    lam = lam_of_alpha(mlp, len(X))
    weights = sum((W**2).sum() for W in mlp.coefs_)
    assert ((net(X) - Y) ** 2).sum() + lam / 2.0 * weights == pytest.approx(2.0 * D * len(X) * mlp.loss_, rel=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
def test_perceptrons_for_classes(classes):
    X, y = table()
    labels = np.digitize(y, [0.0, 0.7][: classes - 1])
    mlp = fitted(MLPClassifier(hidden_layer_sizes=7, alpha=0.3, solver="lbfgs", max_iter=20, random_state=0), X, labels)
    net, lam = rs.RidgeSpline.from_sklearn(mlp), lam_of_alpha(mlp, len(X))
    loss, targets = (rs.Logistic(), 2.0 * labels - 1.0) if classes == 2 else (rs.Softmax(), labels)
    data = loss.value(targets.astype(float), net(X)).sum()
    weights = sum((W**2).sum() for W in mlp.coefs_)
    assert data + lam / 2.0 * weights == pytest.approx(len(X) * mlp.loss_, rel=1e-9)
    assert rs.evaluate(rs.Problem(X, targets, lam, loss), mlp, max_time=0.0).data_fit == pytest.approx(data)


def test_the_batches_of_a_perceptron_count():
    """At a step size of zero the first entry of the curve is the objective at the start."""
    X, y = table()
    settings = {"alpha": 0.3, "batch_size": 20, "max_iter": 1, "learning_rate_init": 1e-14, "random_state": 0}
    mlp = fitted(MLPRegressor(hidden_layer_sizes=7, **settings), X, y)
    lam, net = lam_of_alpha(mlp, 60), rs.RidgeSpline.from_sklearn(mlp)
    assert lam == pytest.approx(2 * 0.3 * 60 / 20)
    weights = sum((W**2).sum() for W in mlp.coefs_)
    assert ((net(X) - y) ** 2).sum() + lam / 2 * weights == pytest.approx(2 * 60 * mlp.loss_curve_[0], rel=1e-9)


@pytest.mark.parametrize(
    "scalers",
    [
        [StandardScaler()],
        [StandardScaler(with_mean=False)],
        [StandardScaler(with_std=False), MinMaxScaler((-2.0, 1.0))],
        [MaxAbsScaler(), "passthrough", StandardScaler()],
    ],
)
def test_pipelines_in_the_units_of_x(scalers):
    X, y = table()
    X = X * [1.0, 50.0, 0.01] + [0.0, 300.0, 1.0]
    mlp = MLPRegressor(hidden_layer_sizes=7, solver="lbfgs", max_iter=20, random_state=0)
    pipeline = fitted(make_pipeline(*scalers, mlp), X, y)
    assert np.abs(as_network(pipeline)(X) - pipeline.predict(X)).max() <= 1e-10


def test_scales_are_those_of_the_training_problem():
    X, y = table()
    X = X * [1.0, 50.0, 0.01] + [0.0, 300.0, 1.0]
    scaler, mlp = StandardScaler(), MLPRegressor(hidden_layer_sizes=7, solver="lbfgs", max_iter=20, random_state=0)
    pipeline = fitted(make_pipeline(scaler, mlp), X, y)
    own = rs.evaluate(rs.Problem(scaler.transform(X), y, 0.5), mlp, max_time=0.0)
    there = rs.evaluate(rs.Problem(X, y, 0.5, scales=scaler.scale_), pipeline, max_time=0.0)
    assert there.objective == pytest.approx(own.objective, rel=1e-10)
    model = rs.RidgeSplineRegressor(lam=0.5, scale=True).fit(X, y)
    assert np.abs(as_network(model)(X) - model.predict(X)).max() <= 1e-12


def test_other_perceptrons_are_refused():
    X, y = table()
    for scaler in (QuantileTransformer(n_quantiles=10), MinMaxScaler(clip=True)):
        with pytest.raises(rs.ProblemError, match=f"a pipeline with {type(scaler).__name__}"):
            as_network(fitted(make_pipeline(scaler, MLPRegressor(max_iter=1)), X, y))
    with pytest.raises(rs.ProblemError, match="no networks"):
        as_network(make_pipeline(StandardScaler(), LinearRegression()).fit(X, y))
    deep = fitted(MLPRegressor(hidden_layer_sizes=(4, 4), max_iter=1), X, y)
    tanh = fitted(MLPRegressor(hidden_layer_sizes=4, activation="tanh", max_iter=1), X, y)
    for mlp, words in ((deep, "2 hidden layers"), (tanh, "tanh"), (MLPRegressor(), "not fitted")):
        with pytest.raises(rs.ProblemError, match=words):
            as_network(mlp)
    several = fitted(MLPClassifier(hidden_layer_sizes=4, max_iter=1), X, np.column_stack([y > 0.0, y > 1.0]))
    with pytest.raises(rs.ProblemError, match="several classes"):
        lam_of_alpha(several, 60)


# ---------------------------------------------------------------------------------------------- what judges a network


def test_everything_that_judges_takes_them():
    X, y = table(30)
    problem = rs.Problem(X, y, lam=0.5)
    mlp = fitted(MLPRegressor(hidden_layer_sizes=7, solver="lbfgs", max_iter=50, random_state=0), X, y)
    model = rs.RidgeSplineRegressor(lam=0.5, scale=False).fit(X, y)
    table_ = rs.compare({"convex": model.solution_, "again": model, "trained": mlp})
    rows = {row["name"]: row for row in table_.rows()}
    assert rows["again"]["objective"] == rows["convex"]["objective"]
    expected = ((mlp.predict(X) - y) ** 2).sum()
    expected += 0.5 * (np.linalg.norm(mlp.coefs_[0], axis=0) @ np.abs(mlp.coefs_[1][:, 0]))
    assert rows["trained"]["objective"] == pytest.approx(expected, rel=1e-12)
    assert rs.evaluate(problem, rs.evaluate(problem, mlp)).objective == rows["trained"]["objective"]
    with pytest.raises(rs.ProblemError, match="networks alone"):
        rs.compare({"trained": mlp})


@pytest.mark.parametrize(
    ("given", "words"),
    [(lambda x: x, "function"), (3.0, "float"), (rs.RidgeSplineRegressor(), "Fit it first"), (rs.ReLU(), "ReLU")],
)
def test_what_is_no_network(given, words):
    problem = rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], lam=1.0)
    with pytest.raises(rs.ProblemError, match=words):
        rs.evaluate(problem, given)


def test_features_in_another_order_are_refused():
    problem = rs.Problem(np.eye(2), [0.0, 1.0], lam=1.0, feature_names=["age", "bmi"])
    net = rs.RidgeSpline([[1.0, 0.0]], [0.0], [1.0], feature_names=("bmi", "age"))
    with pytest.raises(rs.ProblemError, match="another function"):
        rs.evaluate(problem, net)


def test_reading_loads_no_library():
    code = (
        "import sys, numpy as np, ridgesplines as rs\n"
        "p = rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], lam=1.0)\n"
        "rs.evaluate(p, {'0.weight': np.ones((2, 1)), '2.weight': np.ones((1, 2))}, max_time=0.0)\n"
        "print([name for name in ('torch', 'onnx', 'sklearn.neural_network', 'keras') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# --------------------------------------------------------------------------------------------------- y as a column


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Absolute(), rs.Huber(1.0), rs.Quantile(0.3)])
def test_a_column_is_one_output(loss):
    X, y = table(20)
    vector, column = rs.Problem(X, y, 0.3, loss), rs.Problem(X, y[:, None], 0.3, loss)
    assert column.y.shape == (20,)
    assert column.n_outputs is None
    net = rs.RidgeSpline([[1.0, 0.0, 0.0]], [0.0], [1.0])
    as_column = rs.RidgeSpline([[1.0, 0.0, 0.0]], [0.0], [[1.0]])
    expected = rs.evaluate(vector, net, max_time=0.0).objective
    assert rs.evaluate(column, net, max_time=0.0).objective == expected
    assert rs.evaluate(column, as_column, max_time=0.0).objective == expected


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_estimators_take_columns(loss):
    x = np.linspace(0.0, 1.0, 15)
    y = np.abs(x - 0.4)
    model = rs.LinearSplineRegressor(lam=0.01, loss=loss).fit(x, y[:, None])  # warnings would be errors
    assert model.predict(x).shape == (15,)
    assert (model.predict(x) == rs.LinearSplineRegressor(lam=0.01, loss=loss).fit(x, y).predict(x)).all()
    assert model.score(x, y[:, None]) == model.score(x, y)


# ------------------------------------------------------------------------------------------------ neurons on the data


def test_dead_and_always_active_neurons():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]])
    W = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.6, 0.8]])
    b = np.array([0.5, 2.0, 0.0, -3.0, -1.0])  # bends; touches the last row; touches the first; always; always
    found = rs.RidgeSpline(W, b, np.ones(5)).activity(X)
    assert found.counts.tolist() == [2, 0, 2, 3, 3]
    assert (found.n_dead, found.n_always) == (1, 3)
    assert str(found).startswith("1 of 5 neurons bend")
    for k in range(5):  # what the words mean: an affine function has the same values at the rows
        net = rs.RidgeSpline(W[k : k + 1], b[k : k + 1], [1.0])
        expected = 0.0 * X[:, 0] if found.dead[k] else X @ W[k] - b[k]
        assert (np.abs(net(X) - expected).max() < 1e-12) == (found.dead[k] or found.always[k])


def test_a_summary_says_which_neurons_are_idle():
    x = np.linspace(0.0, 1.0, 10)
    problem = rs.Problem(x, x**2, lam=0.1)
    net = rs.RidgeSpline([[1.0], [1.0], [1.0]], [-1.0, 0.5, 2.0], [1.0, 1.0, 1.0])
    assert "1 of 3 neurons bend among the data, 1 dead, 1 always active" in rs.evaluate(problem, net).summary()
    assert "dead" not in rs.solve(problem).summary()


def test_active_subspace():
    """A function of two projections of five features, and an affine part of all."""
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((5, 2)))[0].T
    net = rs.RidgeSpline(rng.standard_normal((9, 2)) @ Q, rng.standard_normal(9), rng.standard_normal((9, 3)))
    found = net.changed(slope=rng.standard_normal((5, 3))).active_subspace()
    assert found.rank == 2
    assert found.shares.sum() == pytest.approx(1.0)
    P = found.directions[:2].T @ found.directions[:2]
    assert np.abs(P - Q.T @ Q).max() <= 1e-12
    X = rng.standard_normal((20, 5))
    assert np.abs(net(X @ P) - net(X)).max() <= 1e-12  # f sees nothing else
    # the jumps of the gradient across each hyperplane, by finite differences on both sides of a point on it
    jumps = []
    for w, b in zip(net.weights, net.biases, strict=True):
        p, h = b * w + (np.eye(5) - np.outer(w, w)) @ rng.standard_normal(5), 1e-6
        jumps.append((net([p + h * w]) - 2.0 * net([p]) + net([p - h * w]))[0] / h)
    assert np.abs(np.linalg.norm(jumps) - np.linalg.norm(found.singular_values)) <= 1e-6
    assert rs.RidgeSpline(np.empty((0, 2)), [], []).active_subspace().rank == 0
