"""Estimators of rows in files and in Dask: the fits of the same rows in memory, and predictions that stay lazy."""

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.rows import given

SOLVER = rs.ColumnGeneration(tol=1e-5)


@pytest.fixture(autouse=True)
def _files_are_large(monkeypatch):
    """Small files are read into memory: here none is small."""
    monkeypatch.setattr(given, "IN_MEMORY", 0)


def table(n=600):
    """Two features in unlike units, rounded, one clipped."""
    rng = np.random.default_rng(3)
    X = np.column_stack([np.round(rng.normal(40.0, 12.0, n)).clip(18.0, 65.0), np.round(rng.gamma(2.0, 1e3, n), -2)])
    f = np.maximum(X[:, 0] - 30.0, 0.0) / 10.0 - np.maximum(X[:, 1] - 3e3, 0.0) / 1e3
    return X, np.round(f + 0.5 * rng.standard_normal(n), 1)


def mapped(folder, X):
    file = np.memmap(folder / "X.bin", dtype=np.float32, mode="w+", shape=X.shape)
    file[:] = X
    file.flush()
    return np.memmap(folder / "X.bin", dtype=np.float32, mode="r", shape=X.shape)


def test_a_regressor_of_a_mapped_file(tmp_path):
    X, y = table(400)
    file, weight = mapped(tmp_path, X), np.random.default_rng(0).integers(0, 3, len(y))
    model = rs.RidgeSplineRegressor(lam=8.0, scale=True, solver=SOLVER, max_time=None).fit(file, y, weight)
    known = rs.RidgeSplineRegressor(lam=8.0, scale=True, solver=SOLVER, max_time=None).fit(X, y, weight)
    np.testing.assert_allclose(model.scaler_.mean_, known.scaler_.mean_, rtol=1e-12)
    np.testing.assert_allclose(model.scaler_.scale_, known.scaler_.scale_, rtol=1e-12)
    np.testing.assert_allclose(model.solution_.objective, known.solution_.objective, rtol=2e-5)
    assert known.solution_.certificate.scope == "exact"
    np.testing.assert_allclose(model.predict(file), model.predict(X), rtol=1e-12)
    np.testing.assert_array_equal(model.solution_.predict(X), model.predict(X))
    np.testing.assert_allclose(model.solution_.problem.scales, known.scaler_.scale_, rtol=1e-12)
    np.testing.assert_allclose(model.solution_.seminorm, known.solution_.seminorm, rtol=1e-2)
    assert model.score(file, y) == pytest.approx(known.score(X, y), abs=1e-3)


def test_an_additive_regressor_of_a_mapped_file_is_certified(tmp_path):
    X, y = table(1000)
    model = rs.RidgeSplineRegressor(lam=8.0, scale=True, interactions=1, solver=SOLVER).fit(mapped(tmp_path, X), y)
    known = rs.RidgeSplineRegressor(lam=8.0, scale=True, interactions=1, solver=SOLVER).fit(X, y)
    assert str(model.solution_.certificate.scope) == "exact"
    assert model.solution_.relative_gap <= 1e-5
    np.testing.assert_allclose(model.solution_.objective, known.solution_.objective, rtol=1e-5)


def test_a_regressor_of_a_dask_dataframe_stays_lazy():
    pytest.importorskip("pyarrow")
    dd = pytest.importorskip("dask.dataframe")
    pd = pytest.importorskip("pandas")
    X, y = table()
    frame = pd.DataFrame({"age": X[:, 0], "income": X[:, 1], "target": y})
    lazy = dd.from_pandas(frame, npartitions=3)
    model = rs.RidgeSplineRegressor(lam=8.0, scale=True, solver=SOLVER).fit(lazy[["age", "income"]], lazy["target"])
    assert list(model.feature_names_in_) == ["age", "income"] == list(model.network_.feature_names)
    predicted = model.predict(lazy[["age", "income"]])
    assert type(predicted).__module__.startswith("dask")
    np.testing.assert_allclose(predicted.compute(), model.predict(frame[["age", "income"]]), rtol=1e-12)
    with pytest.raises(rs.ProblemError, match="the columns of the fit, age, income; got income, age"):
        model.predict(lazy[["income", "age"]])


def test_a_classifier_of_dask_arrays():
    da = pytest.importorskip("dask.array")
    X, y = table()
    labels = np.where(y + np.random.default_rng(1).normal(size=len(y)) > 1.0, "yes", "no")
    lazy, lazy_labels = da.from_array(X, chunks=(200, -1)), da.from_array(labels, chunks=160)
    model = rs.RidgeSplineClassifier(lam=0.6, loss="logistic", scale=True, solver=SOLVER).fit(lazy, lazy_labels)
    known = rs.RidgeSplineClassifier(lam=0.6, loss="logistic", scale=True, solver=SOLVER).fit(X, labels)
    np.testing.assert_allclose(model.solution_.objective, known.solution_.objective, rtol=2e-5)
    assert list(model.classes_) == ["no", "yes"]
    predicted, sure = model.predict(lazy), model.predict_proba(lazy)
    assert type(predicted).__module__.startswith("dask")
    np.testing.assert_array_equal(predicted.compute(), model.predict(X))
    np.testing.assert_allclose(np.asarray(sure), model.predict_proba(X), rtol=1e-12)


def test_the_default_lam_of_blocks(tmp_path):
    X, y = table(600)
    model = rs.RidgeSplineRegressor(lam="0.2max").fit(mapped(tmp_path, X), y)
    assert model.lam_ == pytest.approx(rs.RidgeSplineRegressor(lam="0.2max").fit(X, y).lam_, rel=1e-5)
    with pytest.raises(rs.ProblemError, match="lam: expected a positive number, a positive fraction"):
        rs.RidgeSplineRegressor(lam="0.2").fit(mapped(tmp_path, X), y)


@pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")
def test_who_reads_blocks_into_memory_says_so(tmp_path):
    da = pytest.importorskip("dask.array")
    X, y = table(60)
    file, column = mapped(tmp_path, X), da.from_array(X[:, :1], chunks=(20, -1))
    with pytest.warns(UserWarning, match="RidgeSplineRegressorCV reads all rows into memory"):
        rs.RidgeSplineRegressorCV(n_lams=2, cv=2, lam_ratio=0.5, interactions=1).fit(file, y)
    for estimator in (rs.LinearSplineRegressor(), rs.LinearSplineQuantiles()):
        with pytest.warns(UserWarning, match="reads all rows into memory"):
            estimator.fit(column, y)


def test_a_slope_penalty_of_repeated_rows_is_of_all_rows():
    X = np.array([[0.0, 10.0], [0.0, 10.0], [1.0, 30.0], [2.0, 10.0], [3.0, 40.0], [3.0, 40.0], [4.0, 20.0]])
    solution = rs.RidgeSplineClassifier(lam=0.05, slope_penalty=0.1).fit(X, X[:, 0] > 1.5).solutions_[0]
    own = solution.isotropic.certificate
    W, b = np.eye(2), np.ones(2)
    np.testing.assert_allclose(own.eta(W, b), rs.solve(solution.problem).isotropic.certificate.eta(W, b), rtol=1e-3)


def test_what_estimators_refuse_of_blocks(tmp_path):
    X, y = table()
    file = mapped(tmp_path, X)
    with pytest.raises(rs.ProblemError, match="Huber with a number"):
        rs.RidgeSplineRegressor(loss="huber").fit(file, y)
    with pytest.raises(rs.ProblemError, match=r"Squared.*where rows are in blocks"):
        rs.RidgeSplineClassifier(loss="hinge").fit(file, y > 0.0)
    with pytest.raises(rs.ProblemError, match="labels of 2 classes"):
        rs.RidgeSplineClassifier(loss="logistic").fit(file, np.round(y))
    with pytest.raises(rs.ProblemError, match="class_weight"):
        rs.RidgeSplineClassifier(loss="logistic", class_weight="balanced").fit(file, y > 0.0)
    with pytest.raises(rs.ProblemError, match="no constraints"):
        rs.RidgeSplineRegressor(interactions=1, constraints=[rs.MonotoneFeatures({0: 1})]).fit(file, y)
    with pytest.raises(rs.ProblemError, match="one output"):
        rs.RidgeSplineRegressor().fit(file, np.column_stack([y, y]))
