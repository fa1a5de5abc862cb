"""A pickle of rows in a file says where they are, and is refused in words where they are no more."""

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.rows import FileRows, given
from ridgesplines.rows.mapped import Mapped

#: Of fewer rows a solution keeps so many as a sample that its pickle is no smaller than the file.
N = 12_000


@pytest.fixture(autouse=True, scope="module")
def _files_are_large():
    """Small files are read into memory: here none is small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(given, "IN_MEMORY", 0)
        yield


def written(folder):
    """A file of features, targets and weights in one table, with a head of some bytes, as ``numpy.save`` writes it."""
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(N, 3)), 2)
    np.save(folder / "wide.npy", np.column_stack([X, np.abs(X[:, 0]) + 0.1 * X[:, 1], 1.0 + (X[:, 2] > 0.0)]))
    return np.load(folder / "wide.npy", mmap_mode="r")


@pytest.fixture
def wide(tmp_path):
    return written(tmp_path)


@pytest.fixture(scope="module")
def solution(tmp_path_factory):
    """The fit of a file that stays where it is."""
    kept = written(tmp_path_factory.mktemp("kept"))
    return rs.solve(problem_of(kept, scales=[1.0, 2.0, 3.0]), rs.ColumnGeneration(tol=0.1))


@pytest.fixture(scope="module")
def value(solution):
    return objective(solution)


def parts(wide):
    return {
        "all": wide,
        "columns": wide[:, 1:4],
        "one column": wide[:, 3],
        "rows": wide[1234:],
        "every third row, and two columns": wide[5::3, 2:4],
        "transposed": wide.T,
    }


@pytest.mark.parametrize("part", parts(np.empty((9, 5))))
def test_parts_of_a_file_are_found_again(part, wide):
    array = parts(wide)[part]
    again = Mapped.of(array).opened()
    assert np.array_equal(again, array)
    assert isinstance(again, np.memmap)
    assert again._mmap is not wide._mmap
    assert (again.mode, again.dtype, again.flags.writeable) == ("r", array.dtype, False)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("dtype", "offset"), [(np.float32, 0), (np.int16, 1000), (np.float64, 5003)])
def test_other_kinds_of_files_are_found_again(order, dtype, offset, tmp_path):
    file = np.memmap(tmp_path / "raw.bin", dtype, "w+", offset, (300, 4), order)
    file[:] = np.arange(1200).reshape(300, 4)
    again = Mapped.of(file[7:]).opened()
    assert np.array_equal(again, np.arange(1200).reshape(300, 4)[7:])
    assert again.strides == file.strides


def problem_of(wide, **more):
    return rs.Problem(wide[:, :3], wide[:, 3], 600.0, sample_weight=wide[:, 4], **more)


def objective(solution):
    return rs.evaluate(solution.problem, solution.network, max_time=0.0).objective


def test_pickles_are_small_and_whole(wide, solution, value):
    problem = solution.problem
    model = rs.RidgeSplineRegressor(lam=600.0, solver=rs.ColumnGeneration(tol=0.1)).fit(wide[:, :3], wide[:, 3])
    assert len(pickle.dumps(rs.Problem(wide[:, :3], wide[:, 3], 1.0))) < 10_000
    for obj in (problem, solution, model):
        assert len(pickle.dumps(obj)) < wide.nbytes
    for again in (pickle.loads(pickle.dumps(solution)), copy.deepcopy(solution)):
        assert objective(again) == pytest.approx(value, rel=1e-12)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(wide[:9, :3]), model.predict(wide[:9, :3]))
    same = rs.evaluate(pickle.loads(pickle.dumps(problem)), solution.network, max_time=0.0)
    assert same.objective == value


def test_another_process_reads_the_same_rows(solution, value):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(objective, solution).result() == pytest.approx(value, rel=1e-12)


def test_a_copy_with_other_steps_maps_nothing_anew(wide):
    rows = FileRows(wide[:, :3], wide[:, 3])
    assert rows.mapped(lambda block: block)._X is rows._X


def test_files_that_are_gone_or_changed_are_refused(wide):
    kept, path = pickle.dumps(problem_of(wide)), Path(wide.filename)
    numbers = path.read_bytes()
    path.write_bytes(numbers[:-8] + b"\0" * 8)
    with pytest.raises(rs.ProblemError, match=r"wide.npy with other numbers. Map and fit it again"):
        pickle.loads(kept)
    path.write_bytes(numbers[:-8])
    with pytest.raises(rs.ProblemError, match="as it was; got"):
        pickle.loads(kept)
    path.unlink()
    with pytest.raises(rs.ProblemError, match=r"no file .*wide.npy. Put it back"):
        pickle.loads(kept)


def test_what_no_file_has_is_not_sent(wide):
    private = np.memmap(wide.filename, float, "c", wide.offset, wide.shape)
    private[0, 0] = 77.0
    with pytest.raises(rs.ProblemError, match=r'one whose changes no file has. Map the file with mode="r"'):
        pickle.dumps(problem_of(private))
    with pytest.raises(rs.ProblemError, match="or a slice of it"):
        Mapped.of(wide[::-1])


def test_rows_of_dask_are_sent_by_their_graph(wide):
    da = pytest.importorskip("dask.array")
    X, y = (da.from_array(np.array(part), chunks=(1000, *part.shape[1:])) for part in (wide[:2500, :3], wide[:2500, 3]))
    solution = rs.solve(rs.Problem(X, y, 125.0), rs.ColumnGeneration(tol=0.1))
    again = pickle.loads(pickle.dumps(solution))
    assert again.problem.in_blocks is not None
    assert objective(again) == objective(solution)
