"""How far `rs.ColumnGeneration` goes: a plane to 1e-10 with and without numba, and 1e5 rows at d = 10 within 4 GiB.

    python benchmarks/scale.py --quick     N up to 1000 in the plane, 1e4 rows
    python benchmarks/scale.py             N up to 5000 in the plane, 1e5 rows

Times are CPU-seconds, whatever else the machine does; the time of the wall stands beside them. Every fit of the plane
comes after a small one, so that imports and compilation are in nobody's time; the large fit and the fits without numba
run in processes of their own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import warnings
from typing import Any

if "--without-numba" in sys.argv:
    sys.modules["numba"] = None  # type: ignore[assignment] # before the library looks for it

from instances import ridges, smooth
from report import about, peak_memory, seconds, table

import ridgesplines as rs

SIZES, FRACTIONS = (50, 200, 1000, 5000), (0.05, 0.005)
TARGETS = {"smooth": smooth, "ridges": ridges}
#: Seconds that each N of the plane should take with numba on a free machine, and the gap that they are for.
ALLOWED = {50: 0.05, 200: 0.05, 1000: 0.7, 5000: 7.0}
PLANE_GAP = 1e-10
MEMORY = 4.0


def fitted(problem: rs.Problem, tol: float) -> dict[str, Any]:
    """One fit: its seconds, neurons, gap and scope; warnings become a note."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start, began = time.perf_counter(), time.process_time()
        solution = rs.solve(problem, rs.ColumnGeneration(tol=tol))
        taken, work = time.perf_counter() - start, time.process_time() - began
    return {
        "seconds": taken,
        "CPU": work,
        "rounds": solution.history["rounds"],
        "K": solution.network.n_neurons,
        "gap": solution.relative_gap,
        "scope": solution.certificate.scope,
        "note": "; ".join(str(w.message) for w in caught),
    }


def plane(largest: int) -> list[dict[str, Any]]:
    """All fits at d = 2, in this process."""
    fitted(ridges(30, 2).with_lam(1.0), PLANE_GAP)  # compiles
    rows = []
    for n in (n for n in SIZES if n <= largest):
        for name, target in TARGETS.items():
            problem = target(n, 2)
            top = rs.lambda_max(problem)
            for fraction in FRACTIONS:
                figures = fitted(problem.with_lam(fraction * top), PLANE_GAP)
                rows.append({"target": name, "N": n, "lam / lam_max": fraction, **figures})
                print(f"  plane, {name}, N = {n}, {fraction:g} lam_max: {figures}", file=sys.stderr, flush=True)
    return rows


def rows(n: int, fraction: float = 0.1) -> dict[str, Any]:
    """One fit of n rows at d = 10, with the peak memory of this process before and after; GiB."""
    fitted(ridges(50, 10).with_lam(10.0), 1e-3)
    problem = ridges(n, 10)
    before = peak_memory()
    start = time.process_time()
    problem = problem.with_lam(fraction * rs.lambda_max(problem))
    top = time.process_time() - start
    figures = fitted(problem, 1e-6)
    return {"N": n, "d": 10, "lam_max": top, **figures, "peak": peak_memory() / 1024, "before": before / 1024}


def child(*arguments: str) -> Any:
    """What this script prints as JSON in a process of its own; standard error passes through."""
    out = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    lines = out.stdout.splitlines()
    return json.loads(lines[-1]) if out.returncode == 0 and lines else None


def print_plane(largest: int) -> None:
    """The table of the plane, with and without numba."""
    compiled, plain = (child("--plane", str(largest), *flags) for flags in ((), ("--without-numba",)))
    body = []
    for fast, slow in zip(compiled, plain, strict=True):
        allowed = ALLOWED[fast["N"]]
        body.append(
            [
                *(str(fast[key]) for key in ("target", "N", "lam / lam_max", "K", "rounds")),
                f"{max(fast['gap'], slow['gap']):.1e}",
                fast["scope"],
                seconds(fast["CPU"]),
                f"{fast['CPU'] / allowed:.2g}",
                seconds(slow["CPU"]),
                f"{seconds(fast['seconds'])}, {seconds(slow['seconds'])}",
                fast["note"] or slow["note"],
            ]
        )
    head = [
        "target",
        "N",
        "lam / lam_max",
        "K",
        "rounds",
        "worst gap",
        "scope",
        "numba",
        "/ allowed",
        "without numba",
        "wall",
        "note",
    ]
    print("\n".join(table(head, body)), flush=True)


def main() -> None:
    """The two checks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    parser.add_argument("--plane", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--without-numba", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.plane or given.rows:
        print(json.dumps(plane(given.plane) if given.plane else rows(given.rows)))
        return
    print("\n".join(about(("numpy", "scipy", "numba"))) + "\n", flush=True)
    print_plane(1000 if given.quick else 5000)
    figures = child("--rows", str(10**4 if given.quick else 10**5))
    if figures is None:
        sys.exit("\nThe large fit failed; see above.")
    verdict = "within" if figures["peak"] <= MEMORY else "NOT within"
    print(
        f"\nN = {figures['N']:,} at d = {figures['d']}, lam = 0.1 lambda_max: {seconds(figures['CPU'])} CPU after "
        f"{seconds(figures['lam_max'])} for lambda_max, {figures['rounds']} rounds, K = {figures['K']}, relative gap "
        f"{figures['gap']:.1e} ({figures['scope']}); peak memory {figures['peak']:.2f} GiB, {verdict} {MEMORY:g} GiB "
        f"({figures['before']:.2f} GiB before the fit). {figures['note']}"
    )


if __name__ == "__main__":
    main()
