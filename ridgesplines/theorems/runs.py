"""Running the claims: on seeded instances, or on what a user has."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

from ridgesplines.activations.relu import ReLU
from ridgesplines.exceptions import ProblemError
from ridgesplines.solution import Solution
from ridgesplines.theorems.registry import CLAIMS, Claim
from ridgesplines.theorems.report import Report

#: Cells of the progress bar.
CELLS = 20
#: Seeds that `--thorough` adds for claims that have no longer instance of their own.
MORE_SEEDS = 4


def verify(
    seed: int = 0, thorough: bool = False, verbose: bool = False, claims: Sequence[Claim] = CLAIMS
) -> Iterator[Report]:
    """The reports of all claims, each as soon as it is there.

    Parameters
    ----------
    seed : of the instances.
    thorough : whether rates are fitted over more seeds, and the other claims checked on five instances each; minutes.
    verbose : whether a progress bar is written to standard error.
    claims : those to check.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> quick = [claim for claim in rs.theorems.CLAIMS if claim.name == "representer theorem, d = 1"]
    >>> [report.holds for report in rs.theorems.verify(claims=quick)]
    [True]
    """
    jobs = [
        (claim, s)
        for claim in claims
        for s in range(seed, seed + 1 + (MORE_SEEDS if thorough and claim.longer is None else 0))
    ]
    began = time.perf_counter()
    for i, (claim, s) in enumerate(jobs):
        if verbose:
            _progress(i, len(jobs), began, claim.name)
        report = claim.run(s, thorough)
        if verbose and sys.stderr.isatty():
            print(f"{'':<79}\r", end="", file=sys.stderr, flush=True)  # the report takes the bar's place
        yield report


def verify_on(solution: Solution) -> list[Report]:
    """The reports of those claims that say something of a solution, or of ``rs.evaluate(problem, network)``.

    Raises
    ------
    ProblemError
        For another activation than ReLU, of which these claims speak; and for interpolation with lam = 0.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> all(report.holds for report in rs.theorems.verify_on(rs.solve(problem)))
    True
    """
    if not isinstance(activation := solution.problem.activation, ReLU):
        remedy = "Of other activations Table 1 speaks: rs.theorems.table_one([activation])."
        raise ProblemError("solution", "one of a problem with activation ReLU()", repr(activation), remedy)
    return [report for claim in CLAIMS if (report := claim.run_on(solution)) is not None]


def _progress(done: int, total: int, began: float, name: str) -> None:
    """A bar that is written over on a terminal, and a line a claim elsewhere."""
    bar = "#" * (CELLS * done // total) + "." * (CELLS - CELLS * done // total)
    line = f"verify  [{bar}] {done}/{total}  {time.perf_counter() - began:5.1f} s  {name}"
    if sys.stderr.isatty():
        print(f"\r{line:<79}\r", end="", file=sys.stderr, flush=True)
    else:
        print(line.rstrip(), file=sys.stderr, flush=True)
