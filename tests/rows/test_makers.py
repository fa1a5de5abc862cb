"""Rows in memory, in files and in Dask: the same sums, however they are cut into blocks; and what is refused."""

import sys
from itertools import pairwise

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.losses import Squared
from ridgesplines.numerics.polynomials import affine_basis
from ridgesplines.rows import DaskRows, FileRows, MemoryRows, given, in_blocks, sums
from ridgesplines.rows.affine import Affine
from ridgesplines.rows.facts import Facts


@pytest.fixture(autouse=True)
def _files_are_large(monkeypatch):
    """Small files are read into memory: here none is small."""
    monkeypatch.setattr(given, "IN_MEMORY", 0)


def table(n=1003, d=3, seed=0):
    """Rounded, clipped features with ties, in other units, and weights of which some are zero."""
    rng = np.random.default_rng(seed)
    X = np.round(10.0 * rng.normal(size=(n, d))).clip(-15.0, 15.0) * [0.1, 3.0, 1e-4]
    return X, np.round(rng.normal(size=n), 1), rng.integers(0, 3, n).astype(float)


def mapped(folder, array):
    file = np.memmap(folder / f"{id(array)}.bin", dtype=array.dtype, mode="w+", shape=array.shape)
    file[:] = array
    file.flush()
    return np.memmap(file.filename, dtype=array.dtype, mode="r", shape=array.shape)


def made(maker, size, folder, X, y, weight):
    if maker == "memory":
        return MemoryRows(X, y, weight)
    if maker == "file":
        return FileRows(mapped(folder, X), mapped(folder, y), weight)
    da = pytest.importorskip("dask.array")
    return DaskRows(da.from_array(X, chunks=(size, -1)), da.from_array(y, chunks=size), da.from_array(weight, size))


def moments(block, power):
    return block.weight @ block.X**power, float(block.weight @ block.y), len(block.X)


def numbers(block):
    return block.first + np.arange(len(block.X)) + block.y


N = 303
MAKERS = [("memory", None), ("file", None)] + [("dask", size) for size in (1, 50, 64, 100, N)]


@pytest.mark.parametrize(("maker", "size"), MAKERS)
def test_sums_columns_and_samples_do_not_depend_on_blocks(maker, size, tmp_path, monkeypatch):
    monkeypatch.setattr(sums, "CELL_ROWS", 64)
    X, y, weight = table(n=N)
    rows, memory = made(maker, size, tmp_path, X, y, weight), MemoryRows(np.asfortranarray(X), y, weight)
    for values, same in zip(rows.reduce(moments, 2), memory.reduce(moments, 2), strict=True):
        np.testing.assert_array_equal(values, same)  # to the last digit
    squares, total, n = rows.reduce(moments, 2)
    np.testing.assert_allclose(squares, weight @ X**2, rtol=1e-13)
    np.testing.assert_allclose(total, weight @ y, rtol=1e-12)
    assert (n, rows.n_rows, rows.n_features) == (N, *X.shape)
    np.testing.assert_array_equal(np.asarray(rows.column(numbers)), np.arange(N) + y)
    few = np.array([0, 3, 4, 200, N - 1])
    block = rows.mapped(lambda block: block._replace(y=2.0 * block.y)).take(few)
    np.testing.assert_array_equal(block.X, X[few])
    np.testing.assert_array_equal(block.y, 2.0 * y[few])
    np.testing.assert_array_equal(block.weight, weight[few])
    assert rows.reduce(extent, combine=joined_extents) == (0, N, 5)  # every cell once, in its order


def extent(cell):
    assert cell.first % 64 == 0
    return cell.first, cell.first + len(cell.X), 1


def joined_extents(one, other):
    assert one[1] == other[0]
    return one[0], other[1], one[2] + other[2]


@pytest.mark.parametrize("number", [1, 2, 3, 7, 8, 100])
def test_a_tree_of_sums_is_the_same_however_its_leaves_are_grouped(number):
    def pair(one, other):
        return f"({one}{other})"

    leaves = [sums.Node(0, i, f"{i}.") for i in range(number)]
    whole = sums.total(sums.together([leaves], pair), pair)
    rng = np.random.default_rng(number)
    for _ in range(5):
        cuts = [0, *sorted(rng.integers(0, number + 1, rng.integers(1, 6))), number]
        parts = [sums.together([leaves[i:j]], pair) for i, j in pairwise(cuts)]
        assert all(len(part) <= 2 * np.log2(number) + 1 for part in parts)
        middle = len(parts) // 2
        halves = [sums.together(parts[:middle], pair), sums.together(parts[middle:], pair)]
        assert sums.total(sums.together(halves, pair), pair) == whole


@pytest.mark.parametrize("kind", ["plain", "constant", "dependent", "far away"])
def test_affine_functions_are_orthonormal_and_span_what_they_should(kind):
    X, y, weight = table()
    X[:, 2] = {"plain": X[:, 2], "constant": 7.0, "dependent": X[:, 0] - 0.1 * X[:, 1], "far away": 20.0 + X[:, 2]}[
        kind
    ]
    rows = MemoryRows(X, y, weight)
    affine = Affine.of(rows, Facts.of(rows, Squared()))
    Q, known = affine.at(X[weight > 0.0]), affine_basis(X[weight > 0.0])
    assert affine.rank == known.shape[1]
    np.testing.assert_allclose(Q.T @ Q, np.eye(affine.rank), atol=1e-10 if kind == "far away" else 1e-13)
    np.testing.assert_allclose(known @ (known.T @ Q), Q, atol=1e-10 if kind == "far away" else 1e-13)


@pytest.mark.parametrize(
    ("name", "place", "value", "words"),
    [
        ("X", (900, 1), np.nan, "NaN at index .* among the rows from 876 on"),
        ("y", 3, np.inf, "inf at index .* among the rows from 0 on"),
        ("sample_weight", 500, -1.0, "sample_weight: expected nonnegative"),
    ],
)
def test_faults_of_a_block_are_named(name, place, value, words, monkeypatch):
    monkeypatch.setattr(sums, "CELL_ROWS", 73)
    data = dict(zip(("X", "y", "sample_weight"), table(), strict=True))
    data[name][place] = value
    with pytest.raises(rs.ProblemError, match=words):
        Facts.of(MemoryRows(*data.values()), Squared())


def test_no_positive_weight_and_wrong_labels(tmp_path):
    X, y, weight = table()
    with pytest.raises(rs.ProblemError, match="only zeros"):
        rs.Problem(mapped(tmp_path, X), y, 1.0, sample_weight=0.0 * weight)
    with pytest.raises(rs.ProblemError, match=r"labels in .* for Logistic.*rows from 0 on"):
        rs.Problem(mapped(tmp_path, X), y, 1.0, rs.Logistic())


REFUSED = [
    *({"loss": loss} for loss in (rs.Absolute(), rs.Quantile(0.3), rs.Hinge(), rs.Poisson(), rs.Softmax())),
    {"loss": rs.Interpolation()},
    {"activation": rs.TruncatedPower(2)},
    {"slope_penalty": 1.0},
    {"constraints": [rs.MonotoneFeatures({0: 1})]},
    *({"constraints": [shape]} for shape in (rs.Convex(), rs.Monotone(), rs.Lipschitz(1.0), rs.Bounds(0.0, 1.0))),
]


@pytest.mark.parametrize("more", REFUSED, ids=str)
def test_what_is_refused_before_any_work(more, tmp_path, monkeypatch):
    def read(self, *args, **kwargs):
        raise AssertionError("rows were read")

    monkeypatch.setattr(FileRows, "reduce", read)
    monkeypatch.setattr(FileRows, "_read", read)
    X, y, weight = table()
    with pytest.raises(rs.ProblemError, match=r"where rows are in blocks.*numpy.array"):
        rs.Problem(mapped(tmp_path, X), y, 1.0, sample_weight=weight, **more)


def test_shapes_and_solvers_that_are_refused(tmp_path):
    X, y, weight = table()
    file = mapped(tmp_path, X)
    with pytest.raises(rs.ProblemError, match="one number for each of the 1003 rows"):
        rs.Problem(file, y[:-1], 1.0)
    with pytest.raises(rs.ProblemError, match="Pass one row a sample, and one output"):
        rs.Problem(file, np.column_stack([y, y]), 1.0)
    with pytest.raises(rs.ProblemError, match="sample_weight: expected one number for each"):
        rs.Problem(file, y, 1.0, sample_weight=weight[1:])
    with pytest.raises(rs.ProblemError, match="scales"):
        rs.Problem(file, y, 1.0, scales=[1.0, -1.0, 1.0])
    problem = rs.Problem(file, y, 1.0, sample_weight=weight, scales=[1.0, 2.0, 3.0], interactions=2)
    for solver in (rs.Grid(), rs.Univariate(), rs.Arrangement()):
        with pytest.raises(rs.SolverRefusal, match="rows in memory; got 1003 rows in a file"):
            rs.solve(problem, solver)
    with pytest.raises(rs.ProblemError, match="Pass a sample of them in memory"):
        _ = problem.X
    assert rs.Problem(mapped(tmp_path, X[:, :1]), y, 1.0).in_blocks is None  # one feature is sorted in memory


def test_the_name_of_a_series_of_dask_is_kept():
    pytest.importorskip("pyarrow")
    dd, pd = pytest.importorskip("dask.dataframe"), pytest.importorskip("pandas")
    X, y, _ = table(200)
    lazy = dd.from_pandas(pd.DataFrame({"age": X[:, 0], "tenure": X[:, 1], "spending": y}), npartitions=3)
    problem = rs.Problem(lazy[["age", "tenure"]], lazy["spending"], 1.0)
    assert (problem.target_name, problem.feature_names) == ("spending", ("age", "tenure"))


def test_other_collections_of_dask_are_refused():
    dask, bag = pytest.importorskip("dask"), pytest.importorskip("dask.bag")
    X, y, _ = table()
    for lazy in (dask.delayed(X), bag.from_sequence(X.tolist())):
        with pytest.raises(rs.ProblemError, match=r"dataframes of Dask; got (Delayed\w*|Bag).*from_delayed"):
            rs.Problem(lazy, y, 1.0)
    with pytest.raises(rs.ProblemError, match="got Delayed"):
        rs.Problem(X, dask.delayed(y), 1.0)


def test_without_dask_a_message_says_how_to_get_it(monkeypatch):
    da = pytest.importorskip("dask.array")
    X, y, _ = table()
    rows = DaskRows(da.from_array(X), da.from_array(y))
    for name in [name for name in sys.modules if name.partition(".")[0] == "dask"]:
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(ImportError, match=r"pip install 'ridgesplines\[dask\]'"):
        rows.reduce(moments, 1)


def test_dask_arrays_are_checked_before_they_are_read():
    da = pytest.importorskip("dask.array")
    X, y, _ = table()
    lazy = da.from_array(X, chunks=(100, -1))
    assert in_blocks(lazy)
    with pytest.raises(rs.ProblemError, match=r"one chunk.*rechunk"):
        rs.Problem(lazy.rechunk((100, 1)), y, 1.0)
    with pytest.raises(rs.ProblemError, match="an array in memory, as X is"):
        rs.Problem(X, da.from_array(y), 1.0)
    with pytest.raises(rs.ProblemError, match="d >= 2"):
        rs.Problem(lazy[:, :1], y, 1.0)
    with pytest.raises(rs.ProblemError, match="real numbers"):
        rs.Problem(lazy.astype(str), y, 1.0)
    unknown = lazy[lazy[:, 0] > 0.0]  # its length is counted
    assert rs.Problem(unknown, y[X[:, 0] > 0.0], 1.0).n_samples == (X[:, 0] > 0.0).sum()
