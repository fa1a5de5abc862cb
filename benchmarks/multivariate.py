"""Problems in many dimensions: `rs.ColumnGeneration()` side by side with grids, LASSOs and trained networks.

One process, one functional, one evaluator: everybody's network gets the affine part that is best for it, and its
objective, gap and neurons are computed here. A neuron counts from |v| |w| > 1e-6 of the largest on. Times are
CPU-seconds of this process; set OMP_NUM_THREADS, OPENBLAS_NUM_THREADS and NUMBA_NUM_THREADS to 1.

    python benchmarks/multivariate.py --quick                 lam = 0.1 lambda_max, one seed, M up to 64
    python benchmarks/multivariate.py                         lam = 0.1 lambda_max, five seeds
    python benchmarks/multivariate.py --full                  also 0.3 and 0.02 lambda_max
    python benchmarks/multivariate.py --data diabetes         one of the data sets only
    python benchmarks/multivariate.py --max-time 300          ours stops there too, and its gap is in the table as it is
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from instances import INSTANCES, ridges
from many_peers import FAMILIES, SCNN
from peers import Attempt, Peer
from report import about, table

import ridgesplines as rs
from ridgesplines.amplitudes.affine import affine_fit
from ridgesplines.amplitudes.design import fitted
from ridgesplines.network.spline import group_norms
from ridgesplines.neurons.working_set import Neurons
from ridgesplines.solvers.column_generation.refits import refit

TOLERANCE = 1e-6
#: Looser tolerances that tell how our own objective falls.
EARLIER = (1e-2, 1e-4)
#: A neuron counts from this part of the largest on.
COUNTED = 1e-6
#: Excess at which somebody else counts as near when ours has finished.
NEAR = 1e-3
LEVELS = (1e-2, 1e-3, 1e-4)
PACKAGES = ("numpy", "scipy", "numba", "cvxpy", "clarabel", "ecos", "scs", "scikit-learn", "celer", "skglm", "torch")


@dataclass(frozen=True)
class Entry:
    """What somebody reached, as measured here.

    Attributes
    ----------
    name : who.
    trace : (seconds, objective) in the order of time, the last the end; empty where there was no run.
    final : the network at the end, evaluated; None where there was no run.
    refitted : (objective, neurons) where its own neurons get their best amplitudes.
    note : why there is nothing, or what to know.
    """

    name: str
    trace: tuple[tuple[float, float], ...] = ()
    final: rs.Solution | None = None
    refitted: tuple[float, int] | None = None
    note: str = ""

    @property
    def seconds(self) -> float:
        return self.trace[-1][0]

    def at(self, moment: float) -> float | None:
        """The least objective by then; None where there was no answer yet."""
        return min((value for when, value in self.trace if when <= moment), default=None)

    def since(self, level: float) -> float | None:
        """When the objective first was at most so large."""
        return next((when for when, value in self.trace if value <= level), None)


def at_best(problem: rs.Problem, net: rs.RidgeSpline) -> rs.RidgeSpline:
    """The network with the affine part that is best for its neurons, and without those too small to count."""
    sizes = group_norms(net.amplitudes)
    kept = sizes > COUNTED * sizes.max(initial=0.0)
    W, b, v = net.weights[kept], net.biases[kept], net.amplitudes[kept]
    fit = affine_fit(problem, fixed=rs.RidgeSpline(W, b, v)(problem.X))
    assert fit is not None  # smooth losses are finite everywhere
    return fitted(problem, W, b, v, fit[0])


def objective(problem: rs.Problem, net: rs.RidgeSpline) -> float:
    """Of a network with its best affine part, as `rs.evaluate` computes it, without the certificate."""
    net = at_best(problem, net)
    return float(problem.loss.value(problem.y, net(problem.X)).sum()) + problem.lam * net.seminorm


def ours(problem: rs.Problem, name: str, solver: rs.ColumnGeneration) -> Entry:
    """A run of our solver; a gap that it misses is in the table, and needs no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        start = time.process_time()
        solution = rs.solve(problem, solver)
        seconds = time.process_time() - start
    evaluated = rs.evaluate(problem, at_best(problem, solution.network))
    own = f"{solution.status}, own gap {solution.relative_gap:.1e}, {solution.history['rounds']} rounds"
    return Entry(name, ((seconds, evaluated.objective),), evaluated, note=own)


def theirs(problem: rs.Problem, peer: Peer, limit: float) -> Entry:
    """A peer's run, or why there is none."""
    excuse = peer.excuse(problem)
    if excuse is not None:
        return Entry(peer.name, note=excuse)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            attempt = peer.run(problem, limit)
        return measured(problem, peer.name, attempt)
    except Exception as error:  # whatever a peer stumbles over is its result
        return Entry(peer.name, note=f"not run or failed: {' '.join(str(error).split()) or type(error).__name__:.110}")


def measured(problem: rs.Problem, name: str, attempt: Attempt) -> Entry:
    """Objectives along the trace, the certificate at the end, and the refit of its own neurons."""
    net = at_best(problem, attempt.networks[0])
    final = rs.evaluate(problem, net)
    again = refit(problem, Neurons.of_network(net), net(problem.X))
    refitted = None if again is None else (again.objective, len(again.neurons))
    end = attempt.preparation + attempt.solving
    trace = [(when, objective(problem, network)) for when, network in attempt.trace]
    return Entry(name, (*trace, (end, final.objective)), final, refitted, attempt.note)


@dataclass
class Race:
    """One instance at one lam, ours against all.

    Attributes
    ----------
    problem : the instance.
    seeds : of our runs, where the supremum is searched.
    most : the largest number of directions, gates or neurons that is tried.
    limit : CPU-seconds that one run may take; some solvers cannot be stopped, and the next size is then left out.
    max_time : seconds that one run of ours may take, on the wall.
    """

    problem: rs.Problem
    seeds: int
    most: int
    limit: float
    max_time: float

    def _told(self, entry: Entry) -> Entry:
        """A line on standard error, for tables come late."""
        reached = f"{entry.seconds:.3g} s, objective {entry.trace[-1][1]:.10g}" if entry.trace else entry.note
        print(f"  {entry.name}: {reached}", file=sys.stderr, flush=True)
        return entry

    def run(self) -> None:
        """Ours first and last, the better time counts; then everybody else between them."""
        p, solver = self.problem, partial(rs.ColumnGeneration, max_time=self.max_time)
        first = self._told(ours(p, "rs.ColumnGeneration()", solver(tol=TOLERANCE)))
        exact = first.final is not None and first.final.certificate.scope == "exact"
        seeds = 1 if exact else self.seeds
        self.variants = [ours(p, f"the same, tol = {tol:g}", solver(tol=tol)) for tol in EARLIER]
        self.variants += [
            ours(p, f"the same, random_state = {seed}", solver(tol=TOLERANCE, random_state=seed))
            for seed in range(1, seeds)
        ]
        self.peers = [entry for family in FAMILIES for entry in self._family(family)]
        again = ours(p, first.name, solver(tol=TOLERANCE))
        self.first = min(first, again, key=lambda entry: entry.seconds)
        finals = [entry.final for entry in self.entries if entry.final is not None]
        self.best = min(final.objective for final in finals)
        if exact:  # a proven bound
            self.best = max(final.certificate.value for final in finals if final.certificate.scope == "exact")
        self.scope = "proven bound" if exact else "best known, no bound: the least objective over all rows"

    @property
    def entries(self) -> list[Entry]:
        return [self.first, *self.variants, *self.peers]

    def _family(self, family: Sequence[Peer]) -> Iterator[Entry]:
        for i, peer in enumerate(family):
            if self.problem.loss.name not in peer.largest or (i and int(peer.name.rpartition(" ")[2]) > self.most):
                continue
            entry = self._told(theirs(self.problem, peer, self.limit))
            yield entry
            if not entry.trace or entry.seconds > self.limit / 4:
                why = f"took {entry.seconds:.3g} s" if entry.trace else "did not run"
                for larger in family[i + 1 :]:
                    yield Entry(larger.name, note=f"not run: {peer.name.rpartition(', ')[2]} {why}")
                return

    def excess(self, value: float | None) -> float | None:
        """Relative, above the best."""
        return None if value is None else max(value - self.best, 0.0) / abs(self.best)

    def row(self, entry: Entry) -> list[str]:
        """Its cells of the table."""
        if entry.final is None or not entry.trace:
            return [entry.name, *[""] * (6 + len(LEVELS)), entry.note]
        T, final = self.first.seconds, entry.final
        words = figure(self.excess(entry.at(T))) or "no answer yet"
        again = ""
        if entry.refitted is not None:
            again = f"{figure(self.excess(entry.refitted[0]))} / {entry.refitted[1]}"
        times = [entry.since(abs(self.best) * level + self.best) for level in LEVELS]
        return [
            entry.name,
            f"{entry.seconds:.3g} s",
            f"{entry.seconds / T:.3g}",
            words,
            f"{figure(self.excess(final.objective))} / {final.network.n_neurons}",
            again,
            *("" if when is None else f"{when / T:.2g}" for when in times),
            f"{final.relative_gap:.0e} {final.certificate.scope}",
            entry.note,
        ]

    def verdict(self) -> str:
        """Who is near when ours has finished."""
        own = self.excess(self.first.trace[-1][1])
        near = [
            f"{entry.name} ({figure(excess)})"
            for entry in self.peers
            if (excess := self.excess(entry.at(self.first.seconds))) is not None and excess <= NEAR
        ]
        who = "**there below 1e-3: " + "; ".join(near) + "**" if near else "nobody else is below 1e-3"
        return f"After {self.first.seconds:.3g} CPU-seconds ours has finished, at an excess of {figure(own)}: {who}."


def figure(value: float | None) -> str:
    """An excess in two digits."""
    return "" if value is None else "0" if value == 0.0 else f"{value:.1e}"


HEAD = (
    "solver",
    "CPU-seconds",
    "/ ours",
    "excess when ours has finished",
    "excess / neurons at its end",
    "its neurons refitted",
    *(f"time to {level:.0%}" if level > 1e-3 else f"to {100 * level:g}%" for level in LEVELS),
    "its gap",
    "note",
)


def own_functional(problem: rs.Problem, limit: float, max_time: float) -> list[list[str]]:
    """pyscnn and ours where biases are penalised and nothing is free, as pyscnn has it: a row for each."""
    p = rs.Problem(problem.X, problem.y, problem.lam, penalise_bias=True, skip=False)
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        start = time.process_time()
        solution = rs.solve(p, rs.ColumnGeneration(tol=TOLERANCE, max_time=max_time))
        rows.append(own_row("rs.ColumnGeneration()", time.process_time() - start, solution))
    for peer in SCNN:
        excuse = peer.excuse(p)
        if excuse is not None:
            rows.append([peer.name, "", "", "", "", excuse])
            continue
        attempt = peer.run(p, limit)
        seconds = attempt.preparation + attempt.solving
        rows.append(own_row(peer.name, seconds, rs.evaluate(p, attempt.networks[0])))
    return rows


def own_row(name: str, seconds: float, solution: rs.Solution) -> list[str]:
    """A row of that table."""
    gap = f"{solution.relative_gap:.0e} {solution.certificate.scope}"
    return [name, f"{seconds:.3g} s", f"{solution.objective:.6g}", f"{solution.network.n_active}", gap, ""]


OWN_HEAD = ("solver", "CPU-seconds", "objective", "neurons", "its gap", "note")


def warm_up(limit: float) -> None:
    """Every solver once on a small instance, so that imports and compilation by numba are in nobody's time."""
    for problem in (ridges(30, 3), rs.Problem(ridges(30, 3).X, (-1.0) ** (ridges(30, 3).y > 0.0), 1.0, rs.Logistic())):
        lam = 0.3 * rs.lambda_max(problem)
        ours(problem.with_lam(lam), "", rs.ColumnGeneration(tol=TOLERANCE))
        for family in FAMILIES:
            if problem.loss.name in family[0].largest:
                theirs(problem.with_lam(lam), family[0], min(limit, 1.0))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", action="store_const", dest="mode", const="quick", help="one lam, one seed, small grids"
    )
    size.add_argument("--full", action="store_const", dest="mode", const="full", help="three lams")
    parser.add_argument("--data", choices=INSTANCES, help="one of the data sets only")
    parser.add_argument("--limit", type=float, default=60.0, help="CPU-seconds that one run may take")
    parser.add_argument("--max-time", type=float, default=float("inf"), help="seconds that one run of ours may take")
    parser.set_defaults(mode="default")
    return parser.parse_args()


def main() -> None:
    """Race by race, each printed when it is finished."""
    given = arguments()
    print(f"# Many dimensions, {given.mode}\n\n" + "\n".join(about(PACKAGES)), flush=True)
    warm_up(given.limit)
    quick = given.mode == "quick"
    for name in [given.data] if given.data else INSTANCES:
        problem = INSTANCES[name]()
        top = rs.lambda_max(problem)
        for fraction in (0.3, 0.1, 0.02) if given.mode == "full" else (0.1,):
            posed = problem.with_lam(fraction * top)
            race = Race(posed, 1 if quick else 5, 200 if quick else 1024, given.limit, given.max_time)
            race.run()
            print(f"\n## {name}: N = {problem.n_samples}, d = {problem.n_features}, {problem.loss.name}\n")
            print(f"lam = {fraction:g} lambda_max = {posed.lam:.6g}. Excess is over {race.best:.10g} ({race.scope}).\n")
            print("\n".join(table(HEAD, map(race.row, race.entries))) + f"\n\n{race.verdict()}", flush=True)
            if problem.loss.name == "Squared":
                print("\nBiases penalised, no affine part: pyscnn on its own functional.\n")
                print("\n".join(table(OWN_HEAD, own_functional(posed, given.limit, given.max_time))), flush=True)


if __name__ == "__main__":
    main()
