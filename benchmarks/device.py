"""`rs.ColumnGeneration(device="cuda")` beside the same fit on the host: seconds on the wall, and whether they agree.

    python benchmarks/device.py                        N = 1e4, 1e5, 1e6 at d = 10, on "cuda"
    python benchmarks/device.py --rows 1e5 --device cpu
    python benchmarks/device.py --rows 1e6 --alone     the device only

Only the searches run on the device; refits, slides and the certificate are the work of the host. The fits of one N run
one after the other in one process, each after a small one that loads and compiles; the host's uses all its threads.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import defaultdict
from typing import Any

from instances import ridges
from report import about, peak_memory, seconds, table

import ridgesplines as rs

FRACTION = 0.1
#: The searched gap that a fit of so many rows is asked for.
GAPS = {10_000: 1e-6, 100_000: 1e-4, 1_000_000: 1e-3}


def fitted(problem: rs.Problem, tol: float, device: str | None, max_time: float) -> dict[str, Any]:
    """One fit: seconds on the wall in all, by phase, and of what came after the last round."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        solution = rs.solve(problem, rs.ColumnGeneration(tol=tol, device=device, max_time=max_time))
        taken = time.perf_counter() - start
    phases: dict[str, float] = defaultdict(float)
    for phase, took in zip(solution.history["phases"], solution.history["seconds"], strict=True):
        phases[phase] += took
    return {
        "seconds": taken,
        "phases": ", ".join(f"{phase} {seconds(took)}" for phase, took in phases.items()),
        "certificate": taken - sum(phases.values()),
        "K": solution.network.n_neurons,
        "objective": solution.objective,
        "gap": solution.relative_gap,
        "note": "; ".join(str(w.message) for w in caught),
    }


def race(n: int, devices: list[str | None], max_time: float) -> list[list[str]]:
    """The lines of the table for n rows: the host first, where it takes part."""
    problem = ridges(n, 10)
    problem = problem.with_lam(FRACTION * rs.lambda_max(problem))
    tol = GAPS.get(n, 1e-4)
    body, first = [], None
    for device in devices:
        fitted(ridges(3000, 10, 30.0), 1e-2, device, max_time)  # loads and compiles
        got = fitted(problem, tol, device, max_time)
        first = first or got
        print(f"  N = {n}, {device or 'host'}: {got}", file=sys.stderr, flush=True)
        body.append(
            [
                f"{n:,}",
                device or "host",
                seconds(got["seconds"]),
                got["phases"],
                seconds(got["certificate"]),
                str(got["K"]),
                f"{got['gap']:.1e}",
                f"{got['objective'] / first['objective'] - 1.0:+.1e}",
                f"{first['seconds'] / got['seconds']:.2g}",
                got["note"],
            ]
        )
    return body


def main() -> None:
    """One table for all sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, nargs="*", default=[*GAPS], help="the numbers of rows")
    parser.add_argument("--device", default="cuda", help="of PyTorch")
    parser.add_argument("--alone", action="store_true", help="the host takes no part")
    parser.add_argument("--max-time", type=float, default=float("inf"), help="seconds a fit may take")
    given = parser.parse_args()
    print("\n".join(about(("numpy", "scipy", "numba", "torch"))))
    if given.device.startswith("cuda"):
        import torch

        print(f"- device: {torch.cuda.get_device_name(given.device)}")
    devices: list[str | None] = [given.device] if given.alone else [None, given.device]
    body = [line for n in given.rows for line in race(int(n), devices, given.max_time)]
    head = ["N", "where", "fit", "of which", "certificate", "K", "gap", "objective", "times as fast", "note"]
    print("\n" + "\n".join(table(head, body)) + f"\n\nPeak memory of the process: {peak_memory() / 1024:.2f} GiB.")


if __name__ == "__main__":
    main()
