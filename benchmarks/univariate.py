"""One-dimensional problems: `rs.Univariate()` side by side with other solvers, as ratios of times.

Everything runs in one process, the two of a pair in turn (A B A B ...), and times are CPU times of that process: on a
shared machine the clock on the wall also counts what others do. The objective of every competitor is computed
here, from the function that it returned, and held against one certified lower bound: nobody's own claim counts.

    python benchmarks/univariate.py --quick     N up to 1e4, about four minutes on one core
    python benchmarks/univariate.py             N up to 1e5
    python benchmarks/univariate.py --full      N up to 1e6
    python benchmarks/univariate.py --shapes    fits with constraints, see shapes.py
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import shapes
from numpy.typing import NDArray
from peers import PEERS, Attempt, Peer
from report import environment, line, peak_memory, seconds

import ridgesplines as rs

Array = NDArray[np.float64]

#: The lam of least error against the noise-free Doppler function, at N = 1e3 and at N = 1e4 alike; see `--tune`. Those
#: of the other losses were found in the same way.
LAM = 7.5e-4
NOISE = 0.1
#: Seconds after which a pair is not repeated any more.
ENOUGH = 30.0
#: The gap that our solver is held to in the race, and the one of the untimed run that gives the lower bound.
TOLERANCE, REFERENCE = 1e-8, 1e-12
PACKAGES = ("numpy", "scipy", "cvxpy", "clarabel", "ecos", "scs", "osqp", "splineops", "scikit-learn", "numba")


# --- The instances ----------------------------------------------------------------------------------------------------


def doppler(x: Array) -> Array:
    """Donoho and Johnstone's function on [0, 1]: oscillations that quicken towards zero."""
    return np.sqrt(x * (1.0 - x)) * np.sin(2.1 * np.pi / (x + 0.05))


def squared(n: int, lam: float = LAM) -> rs.Problem:
    """Noisy Doppler, uniformly random sites, in random order; squared error."""
    rng = np.random.default_rng(0)
    x = rng.random(n)
    return rs.Problem(x, doppler(x) + NOISE * rng.standard_normal(n), lam)


def dense(n: int) -> rs.Problem:
    """Evenly spaced sites and a small lam: about a third of the sites carry a knot."""
    x = (np.arange(n) + 0.5) / n
    return rs.Problem(x, doppler(x) + NOISE * np.random.default_rng(0).standard_normal(n), lam=1e-4)


def logistic(n: int) -> rs.Problem:
    """Labels by the sign of Doppler plus logistic noise of scale 0.2: the true log-odds are five times Doppler."""
    rng = np.random.default_rng(0)
    x = rng.random(n)
    return rs.Problem(x, np.where(doppler(x) + rng.logistic(scale=0.2, size=n) > 0.0, 1.0, -1.0), 7e-3, rs.Logistic())


def heavy_tailed(n: int, lam: float, loss: rs.Absolute | rs.Huber) -> rs.Problem:
    """Doppler with Student's noise of two degrees of freedom: infinite variance."""
    rng = np.random.default_rng(0)
    x = rng.random(n)
    return rs.Problem(x, doppler(x) + 0.5 * NOISE * rng.standard_t(2.0, size=n), lam, loss)


def absolute(n: int) -> rs.Problem:
    """Heavy-tailed noise, absolute error."""
    return heavy_tailed(n, 3e-3, rs.Absolute())


def huber(n: int) -> rs.Problem:
    """Heavy-tailed noise, Huber's loss with a threshold of one noise scale."""
    return heavy_tailed(n, 2.5e-4, rs.Huber(delta=0.5 * NOISE))


INSTANCES: dict[str, Callable[[int], rs.Problem]] = {
    "squared": squared,
    "dense knots": dense,
    "logistic": logistic,
    "absolute": absolute,
    "Huber": huber,
}


@dataclass(frozen=True)
class Plan:
    """What one mode runs: pairs of an instance and N, and the N of the path and of the measurement of memory."""

    races: tuple[tuple[str, int], ...]
    path: int
    memory: int


_SMALL = (("squared", 10**3), ("squared", 10**4), ("dense knots", 10**3), ("logistic", 10**4))
_LARGE = (*_SMALL, ("absolute", 10**5), ("Huber", 10**5), ("squared", 10**5))
PLANS = {
    "quick": Plan((*_SMALL, ("absolute", 10**4), ("Huber", 10**4)), 10**4, 10**4),
    "default": Plan(_LARGE, 10**5, 10**5),
    "full": Plan((*_LARGE, ("squared", 10**6)), 10**5, 10**6),
}


# --- The race ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of the table. Ratios are medians over the repeats, times are the best; None where there is none.

    Attributes
    ----------
    instance, n, solver : who ran what.
    prepare, solve : seconds of CPU time, the best of the repeats.
    ratio_solve, ratio_total : solve, and prepare + solve, divided by our time in the same repeat.
    suboptimality : (objective - certified lower bound) / objective, an upper bound on the relative error.
    note : why there are no figures, or what to know of them.
    """

    instance: str
    n: int
    solver: str
    prepare: float | None = None
    solve: float | None = None
    ratio_solve: float | None = None
    ratio_total: float | None = None
    suboptimality: float | None = None
    note: str = ""


def anew(problem: rs.Problem) -> rs.Problem:
    """The same problem, of which nothing is known yet: a problem that was solved before keeps its sorted data."""
    return rs.Problem(problem.X, problem.y, problem.lam, problem.loss)


def solve(problem: rs.Problem, tol: float = TOLERANCE) -> rs.Solution:
    """Our solver; a gap that it misses is in the table, and needs no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        return rs.solve(problem, rs.Univariate(tol=tol))


@dataclass
class Race:
    """One instance, our solver against each peer in turn.

    Attributes
    ----------
    name, problem : the instance.
    repeats : at most so many runs of each pair.
    limit : seconds that one fit may take.
    slow : the N at which a peer exceeded the limit, by (instance, peer); it joins no larger race of that instance.
    """

    name: str
    problem: rs.Problem
    repeats: int
    limit: float
    slow: dict[tuple[str, str], int]

    def run(self, peers: Sequence[Peer] = PEERS) -> Iterator[Row]:
        """Our own row comes last, for its best time is taken over the whole race."""
        reference = solve(self.problem, REFERENCE)
        self.ours = solve(self.problem)
        self.bound = max(reference.certificate.value, self.ours.certificate.value)
        self.times = [self._time_ours() for _ in range(self.repeats)]
        for peer in peers:
            if self.problem.loss.name in peer.largest:
                yield self._against(peer)
        knots = f"K = {self.ours.network.n_neurons:,}"
        own = f"{self.ours.status}, own certified gap {self.ours.relative_gap:.1e}"
        error = self._suboptimality([self.ours.network])
        best = min(self.times)
        yield self._row("rs.Univariate()", 0.0, best, 1.0, 1.0, error, note=f"**ours**, {knots}, {own}")

    def _against(self, peer: Peer) -> Row:
        excuse = peer.excuse(self.problem)
        key = (self.name, peer.name)
        if excuse is None and key in self.slow:
            excuse = f"left out: exceeded {self.limit:g} s at N = {self.slow[key]:,}"
        if excuse is not None:
            return self._row(peer.name, note=excuse)
        try:
            pairs = self._pairs(peer)
        except Exception as error:  # whatever a peer stumbles over is its result
            return self._row(peer.name, note=f"failed: {str(error).splitlines()[0]:.90}")
        attempts = [attempt for _, attempt in pairs]
        note = attempts[-1].note
        if max(a.preparation + a.solving for a in attempts) > self.limit:
            self.slow[key] = self.problem.n_samples
            note = f"exceeded {self.limit:g} s; {note}".rstrip("; ")
        return self._row(
            peer.name,
            min(a.preparation for a in attempts),
            min(a.solving for a in attempts),
            statistics.median(a.solving / ours for ours, a in pairs),
            statistics.median((a.preparation + a.solving) / ours for ours, a in pairs),
            self._suboptimality(attempts[-1].networks),
            note=note,
        )

    def _pairs(self, peer: Peer) -> list[tuple[float, Attempt]]:
        """Our time and the peer's attempt, in turn; less often where a pair takes long."""
        pairs: list[tuple[float, Attempt]] = []
        start = time.perf_counter()
        while len(pairs) < self.repeats and (not pairs or time.perf_counter() - start < ENOUGH):
            ours = self._time_ours()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pairs.append((ours, peer.run(self.problem, self.limit)))
            self.times.append(ours)
        return pairs

    def _time_ours(self) -> float:
        problem = anew(self.problem)
        start = time.process_time()
        solve(problem)
        return time.process_time() - start

    def _suboptimality(self, networks: Sequence[rs.RidgeSpline]) -> float:
        """Recomputed from the functions, the best of which counts; a gap within rounding is none."""
        certificate = self.ours.certificate
        objective = min(rs.Solution(self.problem, network, certificate).objective for network in networks)
        return max(objective - self.bound, 0.0) / abs(objective)

    def _row(self, solver: str, *figures: float, note: str) -> Row:
        """`figures` in the order of Row's fields, or none of them."""
        return Row(self.name, self.problem.n_samples, solver, *figures, note=note)


def warm_up(limit: float) -> None:
    """Every solver once on small instances, so that imports and compilation by numba are in nobody's time."""
    solve(
        squared(20_000)
    )  # enough points for numba to be loaded, where it is installed: small fits use it from then on
    for make in INSTANCES.values():
        problem = make(100)
        solve(problem)
        for peer in PEERS:
            if peer.excuse(problem) is None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        peer.run(problem, limit)
                    except Exception:  # it will fail again in the race, and be reported there
                        continue


# --- A path, memory, the choice of lam --------------------------------------------------------------------------------


def path_against_one_fit(n: int, lams: int = 50) -> dict[str, Any]:
    """Seconds of a path from lambda_max down to LAM, and of one fit at LAM; the worst gap along the path."""
    problem = squared(n)
    values = np.geomspace(rs.lambda_max(problem), LAM, lams)
    single, whole, worst = [], [], 0.0
    for _ in range(3):
        new = anew(problem), anew(problem)
        start = time.process_time()
        solve(new[0])
        single.append(time.process_time() - start)
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rs.ConvergenceWarning)
            path = rs.solve_path(new[1], rs.Univariate(tol=TOLERANCE), lams=values)
        whole.append(time.process_time() - start)
        worst = max(solution.relative_gap for solution in path)
    ratio = statistics.median(a / b for a, b in zip(whole, single, strict=True))
    return {"n": n, "lams": lams, "one fit": min(single), "path": min(whole), "ratio": ratio, "worst gap": worst}


def memory_of_one_fit(n: int) -> dict[str, Any]:
    """Peak memory of one fit in a process of its own: in all, and without what the imports take; MiB.

    Call it while this process is still small: on Linux a child starts from its parent's peak.
    """
    command = [sys.executable, __file__, "--memory", str(n)]
    out = subprocess.run(command, capture_output=True, text=True, check=False)
    if out.returncode != 0:
        return {"n": n, "failed": (out.stderr.strip().splitlines() or ["no output"])[-1]}
    return {"n": n, **json.loads(out.stdout.splitlines()[-1])}


def print_memory(n: int) -> None:
    """The child of `memory_of_one_fit`: a small fit first, so that whatever loads late counts as import."""
    solve(squared(100))
    imports = peak_memory()
    solution = solve(squared(n))
    peak = peak_memory()
    print(json.dumps({"total": peak, "fit": peak - imports, "gap": solution.relative_gap}))


def tune(sizes: Sequence[int]) -> None:
    """Mean squared error against the noise-free function for lam on a grid: where LAM comes from."""
    lams = LAM * np.geomspace(0.1, 10.0, 9)
    print("| N | " + " | ".join(f"lam = {lam:.2g}" for lam in lams) + " |")
    print("|---|" + "---|" * len(lams))
    for n in sizes:
        problem = squared(n)
        path = rs.solve_path(problem, rs.Univariate(tol=TOLERANCE), lams=lams)
        errors = [np.mean((s.network(problem.X) - doppler(problem.X[:, 0])) ** 2) for s in reversed(path)]
        print(f"| {n:,} | " + " | ".join(f"{error:.2e}" for error in errors) + " |", flush=True)


# --- What is printed --------------------------------------------------------------------------------------------------


def markdown(row: Row) -> str:
    """One line of the table."""
    ratios = ["" if r is None else f"{r:.3g}" for r in (row.ratio_solve, row.ratio_total)]
    error = row.suboptimality
    accuracy = "" if error is None else f"{error:.1e}" if error > 0.0 else "0 to rounding"
    cells = [row.instance, f"{row.n:,}", row.solver, seconds(row.prepare), seconds(row.solve), *ratios, accuracy]
    return line([*cells, row.note])


HEADER = (
    "| instance | N | solver | prepare | solve | solve / ours | (prepare + solve) / ours | suboptimality | note |\n"
    "|---|--:|---|--:|--:|--:|--:|--:|---|"
)


def print_summary(rows: Sequence[Row], path: dict[str, Any], memory: dict[str, Any]) -> None:
    """The figures that are not in the table."""
    print(
        f"\nPath of {path['lams']} lams, squared, N = {path['n']:,}: {seconds(path['path'])}, "
        f"{path['ratio']:.3g} times one fit ({seconds(path['one fit'])}); worst relative gap {path['worst gap']:.1e}."
    )
    if "failed" in memory:
        print(f"Peak memory at N = {memory['n']:,}: not measured: {memory['failed']}")
    else:
        print(
            f"Peak memory of one fit, squared, N = {memory['n']:,}: {memory['total']:.0f} MiB in all, "
            f"{memory['fit']:.0f} MiB above the imports (the data alone: {memory['n'] * 16 / 2**20:.1f} MiB)."
        )
    for row in rows:
        if row.instance == "dense knots" and row.solver == "banded interior point" and row.ratio_total:
            times = 1.0 / row.ratio_total
            verdict = "within" if times <= 1.5 else "NOT within"
            print(
                f"Dense knots: ours takes {times:.3g} times the banded interior point's time, {verdict} 1.5, at a "
                f"suboptimality of {row.suboptimality:.1e} on its side."
            )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", dest="mode", const="quick", help="N up to 1e4")
    size.add_argument("--full", action="store_const", dest="mode", const="full", help="N up to 1e6")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each pair, fewer where they take long")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds that one fit of a peer may take")
    parser.add_argument("--fast", action="store_true", help="insist on numba: stop where it is not installed")
    parser.add_argument("--tune", action="store_true", help="print errors for a grid of lam, and race nobody")
    parser.add_argument("--shapes", action="store_true", help="race fits with shape constraints, and nothing else")
    parser.add_argument("--json", metavar="FILE", help="save all figures")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    parser.set_defaults(mode="default")
    return parser.parse_args()


def main() -> None:
    """Run the plan of the mode, and print each line as soon as it is known."""
    given = arguments()
    if given.memory:
        return print_memory(given.memory)
    fast = find_spec("numba") is not None
    if given.fast and not fast:
        sys.exit("numba is not installed: pip install ridgesplines[fast]")
    plan = PLANS[given.mode]
    if given.tune:
        return tune(sorted({n for name, n in plan.races if name == "squared"}))
    if given.shapes:
        return shapes.race((10**4,) if given.mode == "quick" else (10**4, 10**5))
    about = environment(PACKAGES)
    print(f"# One dimension, {given.mode}\n\n" + "\n".join(f"- {name}: {what}" for name, what in about.items()))
    print(f"- numba, the optional extra [fast]: {'found' if fast else 'not found'}\n", flush=True)
    memory = memory_of_one_fit(plan.memory)  # first: see there
    warm_up(given.limit)
    print(HEADER, flush=True)
    rows: list[Row] = []
    slow: dict[tuple[str, str], int] = {}
    for name, n in plan.races:
        for row in Race(name, INSTANCES[name](n), given.repeats, given.limit, slow).run():
            rows.append(row)
            print(markdown(row), flush=True)
    path = path_against_one_fit(plan.path)
    print_summary(rows, path, memory)
    if given.json:
        saved = {"environment": about, "mode": given.mode, "rows": [*map(asdict, rows)], "path": path, "memory": memory}
        with open(given.json, "w") as file:
            json.dump(saved, file, indent=1)
    return None


if __name__ == "__main__":
    main()
