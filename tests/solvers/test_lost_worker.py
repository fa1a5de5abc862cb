"""A worker process of a real Dask cluster is ended during a fit: the answer is the same."""

import os
import signal
import threading

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.rows import DaskRows

#: The pass in which the worker is ended.
WHEN = 30


@pytest.mark.slow
def test_a_worker_is_lost_during_the_fit(monkeypatch):
    da = pytest.importorskip("dask.array")
    distributed = pytest.importorskip("distributed")
    rng = np.random.default_rng(0)
    X = np.round(rng.uniform(-1.0, 1.0, (20_000, 3)), 2)
    y = np.round(np.abs(X @ [0.6, 0.8, 0.0]) + 0.2 * rng.standard_normal(len(X)), 2)
    problem = rs.Problem(da.from_array(X, chunks=(2500, -1)), da.from_array(y, chunks=2500), lam=60.0)
    solver = rs.ColumnGeneration(tol=1e-3)
    known = rs.solve(problem, solver)
    passes, lost, reduce = [], [], DaskRows.reduce
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster):

        def end_one():
            lost.append(next(iter(cluster.workers.values())).pid)
            os.kill(lost[0], signal.SIGKILL)

        def counted(self, *args, **kwargs):
            passes.append(1)
            if len(passes) == WHEN:
                threading.Timer(0.02, end_one).start()
            return reduce(self, *args, **kwargs)

        monkeypatch.setattr(DaskRows, "reduce", counted)
        solution = rs.solve(problem, solver)
    assert len(lost) == 1
    assert len(passes) > WHEN + 10
    np.testing.assert_allclose(solution.objective, known.objective, rtol=1e-12)
    np.testing.assert_allclose(solution.network(X), known.network(X), rtol=1e-9, atol=1e-9)
