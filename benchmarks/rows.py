"""One fit of more rows than memory need hold: time, passes and peak memory, from a file, by Dask, and in memory.

    python benchmarks/rows.py --rows 1e7 --how file       # generated in blocks on disk, deleted afterwards
    python benchmarks/rows.py --rows 1e6 --how dask --workers 2
    python benchmarks/rows.py --rows 1e6 --how memory
    python benchmarks/rows.py --rows 1e5 --how overhead  # one pass by each maker, beside the engine in memory

Friedman's first function of ten uniform features with noise of size one, at a tenth of lambda_max, to a gap of 1e-3 by
a search. Each run in a process of its own, whose peak memory is printed; that of workers is the largest of them.
"""

import argparse
import os
import resource
import tempfile
import time

import numpy as np

import ridgesplines as rs
from ridgesplines.amplitudes.by_rows import Point, descent_of
from ridgesplines.neurons.working_set import Neurons
from ridgesplines.rows import DaskRows, FileRows, MemoryRows, given
from ridgesplines.rows.data import BlockedData
from ridgesplines.rows.facts import Facts
from ridgesplines.solvers.column_generation.joint_slide import Joint

D, BLOCK = 10, 2**18
#: lambda_max of this table, a row: it grows with N.
LAM_PER_ROW = 0.1 * 0.2


def generated(folder, n, d=D):
    """The paths of X and y, written block by block."""
    paths = os.path.join(folder, "X.bin"), os.path.join(folder, "y.bin")
    with open(paths[0], "wb") as features, open(paths[1], "wb") as targets:
        for first in range(0, n, BLOCK):
            rng = np.random.default_rng(first)
            X = rng.uniform(size=(min(BLOCK, n - first), d))
            f = 10.0 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20.0 * (X[:, 2] - 0.5) ** 2 + 10.0 * X[:, 3] + 5.0 * X[:, 4]
            X.tofile(features)
            (f + rng.standard_normal(len(X))).tofile(targets)
    return paths


def read(path, n, width, block_info=None):
    """One chunk of a file, read where the chunk is computed."""
    (first, last), *_ = block_info[None]["array-location"]
    values = np.fromfile(path, count=(last - first) * width, offset=8 * first * width)
    return values.reshape(-1, width) if width > 1 else values


def in_dask(paths, n):
    import dask.array as da

    sizes = tuple(min(BLOCK, n - first) for first in range(0, n, BLOCK))
    X = da.map_blocks(read, paths[0], n, D, chunks=(sizes, (D,)), dtype=float, meta=np.empty((0, 0)))
    return X, da.map_blocks(read, paths[1], n, 1, chunks=(sizes,), dtype=float, meta=np.empty(0))


def counted(kind):
    """Of each function that is summed over the rows: how many passes, their wall and CPU seconds; grows with each."""
    passes, reduce = {}, kind.reduce

    def counting(self, function, *args, **kwargs):
        wall, cpu = time.perf_counter(), time.process_time()
        total = reduce(self, function, *args, **kwargs)
        entry = passes.setdefault(function.__name__.strip("_"), np.zeros(3))
        entry += [1, time.perf_counter() - wall, time.process_time() - cpu]
        return total

    kind.reduce = counting
    return passes


def overhead(paths, n, neurons=25):
    """One value of the objective with its gradient along all neurons, in milliseconds: the least of seven."""
    X, y, rng = np.fromfile(paths[0]).reshape(n, D) - 0.5, np.fromfile(paths[1]), np.random.default_rng(0)
    W, ones = rng.standard_normal((neurons, D)), np.ones(neurons)
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    units = Neurons(W, rng.uniform(-0.5, 0.5, neurons), ones, ones)
    problem, loss = rs.Problem(X, y, 1.0), rs.Squared()
    joint, at = Joint(problem, W, ones), np.concatenate([units.theta.ravel(), np.zeros(problem.rank)])
    makers = {"arrays in memory, by rows": MemoryRows(X, y)}
    mapped = np.memmap(paths[0], mode="r", dtype=float, shape=X.shape)
    makers["a file"] = FileRows(mapped, np.memmap(paths[1], mode="r", dtype=float))
    try:
        import dask.array as da

        for chunks in (4, 100):
            size = -(-n // chunks)
            makers[f"Dask's threads, {chunks} chunks"] = DaskRows(da.from_array(X, (size, D)), da.from_array(y, size))
    except ModuleNotFoundError:
        print("Dask is not installed: without its rows")
    data = BlockedData(makers["arrays in memory, by rows"], loss, problem.activation, Facts.of(MemoryRows(X, y), loss))
    point = Point(units.theta, ones, np.zeros(data.affine.rank), data.affine)
    works = {"the engine in memory": lambda: joint(at)}
    works |= {name: lambda rows=rows: rows.reduce(descent_of, loss, point) for name, rows in makers.items()}
    for name, work in works.items():
        times = []
        for _ in range(8):
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            times.append((time.perf_counter() - wall, time.process_time() - cpu))
        wall, cpu = 1e3 * np.min(times[1:], axis=0)
        print(f"{name:32} wall {wall:7.1f} ms, CPU {cpu:7.1f} ms")


def fitted(X, y, n, tol):
    wall, cpu = time.perf_counter(), time.process_time()
    solver = rs.ColumnGeneration(tol=tol, verbose=True)
    solution = rs.solve(rs.Problem(X, y, lam=LAM_PER_ROW * n), solver)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    history = solution.history
    print(solution.summary())
    print(f"rounds {history['rounds']}, seconds of each {np.round(history['seconds'], 2).tolist()}")
    print(f"wall {wall:.1f} s, CPU of this process {cpu:.1f} s, objective a row {solution.objective / n:.8f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1e6)
    parser.add_argument("--how", choices=("file", "dask", "memory", "overhead"), default="file")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--tol", type=float, default=1e-3)
    parser.add_argument("--folder", help="where the file is written; a temporary one by default")
    args = parser.parse_args()
    n = int(args.rows)
    given.IN_MEMORY = 0  # small files go by blocks, too
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        paths = generated(folder, n)
        passes = counted(DaskRows if args.how == "dask" else FileRows)
        if args.how == "dask":
            from distributed import Client, LocalCluster

            cluster = LocalCluster(n_workers=args.workers, threads_per_worker=1, dashboard_address=None)
            with cluster, Client(cluster) as client:
                fitted(*in_dask(paths, n), n, args.tol)
                peaks = client.run(lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
                cpus = client.run(time.process_time)
            print(f"peaks of workers {max(peaks.values()) / 2**20:.2f} GiB, their CPU {sum(cpus.values()):.1f} s")
        elif args.how == "file":
            X = np.memmap(paths[0], mode="r", shape=(n, D), dtype=float)
            fitted(X, np.memmap(paths[1], mode="r", dtype=float), n, args.tol)
        elif args.how == "overhead":
            overhead(paths, n)
        else:
            fitted(np.fromfile(paths[0]).reshape(n, D), np.fromfile(paths[1]), n, args.tol)
        for name, (number, wall, cpu) in sorted(passes.items(), key=lambda item: -item[1][1]):
            print(f"{name:16} {number:4.0f} passes, wall {wall:7.1f} s, CPU of this process {cpu:7.1f} s")
        if passes:
            number, wall, cpu = sum(passes.values())
            a_row = 1e6 * cpu / number / n
            print(f"{number:.0f} passes, wall {wall:.1f} s, CPU {cpu:.1f} s: {a_row:.2f} microseconds a row and pass")
        print(f"peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
