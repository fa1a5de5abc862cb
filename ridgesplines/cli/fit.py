"""The commands that solve: fit and path."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TextIO

import numpy as np

import ridgesplines as rs
from ridgesplines.cli import paths
from ridgesplines.cli.as_json import record, words_aside, written
from ridgesplines.cli.choice import chosen_lam
from ridgesplines.cli.problem import ACTIVATIONS, problem_of, with_lam
from ridgesplines.validation import rounded_up
from ridgesplines.verdict import Status

PICTURES = (".png", ".pdf", ".svg")


def status(solutions: Sequence[rs.Solution]) -> int:
    return 130 if any(solution.status is Status.INTERRUPTED for solution in solutions) else 0


def _solver(args: argparse.Namespace, problem: rs.Problem) -> rs.solvers.Solver | None:
    """A grid where the user chose its settings; otherwise the best solver for the problem."""
    if args.directions is not None or args.backend is not None:
        return rs.Grid(64 if args.directions is None else args.directions, backend=args.backend or "CLARABEL")
    able = [rs.Univariate(verbose=True), rs.ColumnGeneration(verbose=True)] if args.verbose else []
    return next((solver for solver in able if solver.refuses(problem) is None), None)


def fit(args: argparse.Namespace) -> int:
    with words_aside(args) as out:
        return _fit(args, out)


def _fit(args: argparse.Namespace, out: TextIO) -> int:
    paths.check([args.data], (args.out, ()), (args.plot, PICTURES))
    problem = problem_of(args, ACTIVATIONS[args.activation](args))
    solver = _solver(args, problem)
    problem = with_lam(problem, args.lam) if args.lam else problem.with_lam(chosen_lam(problem, solver))
    solution = rs.solve(problem, solver)
    net = solution.network
    # Files first: whoever reads what is printed, such as head, may leave early.
    if args.out:
        net.save(args.out)
    if args.plot:
        solution.plot(target=args.target).savefig(args.plot, dpi=150)
    if args.json:
        print(written(record(solution)), file=out)
    print(solution.summary())
    if problem.n_features == 1 and problem.n_outputs is None and net.n_neurons:
        print("\n" + _knots(solution))
    say_written(args.out, args.plot)
    return status([solution])


def _knots(solution: rs.Solution) -> str:
    """The knots from the left to the right, and what changes there."""
    problem, net = solution.problem, solution.network
    order = np.argsort(net.breakpoints, kind="stable")
    beside, places = problem.written(net.breakpoints[order])
    head = ("knot" if problem.activation.homogeneity else "bias") + beside
    width = max(14, len(head), *map(len, places))
    what = "change of slope" if problem.activation.degree == 1 else "amplitude"
    what += " per day" if problem.dates else ""
    lines = [f"{head:>{width}}  {what}"]
    lines += [f"{at:>{width}}  {change:+.6g}" for at, change in zip(places, net.amplitudes[order], strict=True)]
    return "\n".join(lines)


def path(args: argparse.Namespace) -> int:
    with words_aside(args) as out:
        return _path(args, out)


def _path(args: argparse.Namespace, out: TextIO) -> int:
    paths.check([args.data], (args.plot, PICTURES))
    problem = problem_of(args, ACTIVATIONS[args.activation](args))
    path = rs.solve_path(problem, _solver(args, problem), n_lams=args.n_lams)
    if args.plot:
        path.plot().savefig(args.plot, dpi=150)
    if args.json:
        print(written([record(solution) for solution in path]), file=out)
    print(f"{'lam':>12}  {'K':>4}  {'objective':>14}  {'data fit':>14}  {'seminorm':>12}  {'gap':>13}  scope")
    for s in path:
        print(
            f"{s.problem.lam:12.6g}  {s.network.n_neurons:4d}  {s.objective:14.8g}  {s.data_fit:14.8g}  "
            f"{s.seminorm:12.6g}  {rounded_up(s.relative_gap):>13}  {s.certificate.scope}"
        )
    say_written(args.plot)
    return status(path)


def say_written(*written: str | None) -> None:
    for path in written:
        if path:
            print(f"wrote {path}")
