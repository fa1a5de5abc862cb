"""The commands that judge: gap and verify."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any

import ridgesplines as rs
from ridgesplines.cli import paths
from ridgesplines.cli.as_json import record, words_aside, written
from ridgesplines.cli.fit import say_written, status
from ridgesplines.cli.networks import match_features, read_network
from ridgesplines.cli.problem import problem_of, with_lam
from ridgesplines.cli.reading import TableError
from ridgesplines.cli.table import read_table

REPORTS = (".html", ".md")


def gap(args: argparse.Namespace) -> int:
    paths.check([args.network, args.data])
    with words_aside(args) as out:
        solution = _evaluated(args)
        if args.json:
            print(written(record(solution)), file=out)
        print(solution.summary())
    return status([solution])


def _evaluated(args: argparse.Namespace) -> rs.Solution:
    """The user's network on the user's problem."""
    network = read_network(args.network, args.features)
    match_features(args, network)
    return rs.evaluate(with_lam(problem_of(args, network.activation), args.lam), network)


def verify(args: argparse.Namespace) -> int:
    paths.check([args.data, args.network], (args.report, REPORTS))
    seed = args.seed if args.data is None else None
    reports, given = [], _reports(args)
    print("\n".join(rs.theorems.document.provenance(seed)) + "\n")
    for report in given:
        print(report, flush=True)
        reports.append(report)
    print(rs.theorems.summary(reports))
    if args.report:
        rs.theorems.write(reports, args.report, seed)
        say_written(args.report)
    failed = [report for report in reports if report.holds is False]
    for report in failed:
        print(f"FAILED: {report.number} {report.claim}", file=sys.stderr)
    return 1 if failed else 0


def _reports(args: argparse.Namespace) -> Iterable[Any]:
    """All claims on seeded instances; or those about data and networks on the user's."""
    if args.seed < 0:
        raise TableError(f"--seed: expected a whole number >= 0; got {args.seed}")
    if args.data is None:
        if args.target or args.network:
            raise TableError("--target, --network: expected --data DATA.csv too; without it seeded instances are used")
        return rs.theorems.verify(args.seed, args.thorough, verbose=True)
    args.target = args.target or list(read_table(args.data).columns)[-1]
    print(f"target        {args.target}")
    solution = _evaluated(args) if args.network else rs.solve(with_lam(problem_of(args, rs.ReLU()), args.lam))
    print("The other claims are not about data: run verify without --data.\n")
    return rs.theorems.verify_on(solution if args.network else solution.certify())
