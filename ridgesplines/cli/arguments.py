"""The arguments of each command."""

from __future__ import annotations

import argparse
from typing import Any

import ridgesplines as rs
from ridgesplines.cli.constraints import forms
from ridgesplines.cli.fit import fit, path
from ridgesplines.cli.judge import gap, verify
from ridgesplines.cli.predict import predict
from ridgesplines.cli.problem import ACTIVATIONS, LOSSES

TABLE = "a table with a header: CSV, also .gz, or Parquet; - for standard input"


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ridgesplines",
        description="Fit linear and ridge splines to a table, and say how close to the global optimum they are.",
    )
    parser.add_argument("--version", action="version", version=f"ridgesplines {rs.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    for name, run, text in (
        ("fit", fit, "fit one function and print its certificate"),
        ("path", path, "fit for a range of lam and print a table"),
        ("gap", gap, "measure how far a saved network is from the optimum"),
    ):
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.set_defaults(run=run)
        if name == "gap":
            words = "a network: of fit --out (.npz), of PyTorch, a state_dict (.pt, .pth), or of ONNX (.onnx)"
            command.add_argument("network", metavar="NET", help=words)
        _add_problem(command)
        words = "features that may act together: a number, or groups of columns such as 'age,bmi;s1' (all)"
        command.add_argument("--interactions", metavar="K|GROUPS", help=words)
        words = f"what is known of f, one or several of {forms()}"
        command.add_argument("--constraint", nargs="+", action="extend", metavar="NAME", help=words)
        if name != "path":
            words = "lambda, a fraction of lambda_max such as 0.05max, or null, at which noise alone bends nothing"
            chosen = " (chosen by 5-fold cross-validation)" if name == "fit" else ""
            command.add_argument("--lam", required=name == "gap", help=words + chosen)
        if name != "gap":
            command.add_argument("--directions", type=int, metavar="M", help="solve on a grid of M directions (64)")
            command.add_argument("--backend", help="solve on a grid, with CLARABEL, ECOS, SCS, OSQP or HIGHS")
            command.add_argument("--activation", choices=ACTIVATIONS, default="relu", help="the activation (relu)")
            command.add_argument("--order", type=int, default=2, help="the order of a truncated power (2)")
            command.add_argument("--scale", type=float, default=1.0, help="the width of smooth neurons (1)")
            command.add_argument("--verbose", action="store_true", help="print progress")
            command.add_argument("--plot", metavar="FILE", help="write a picture (.png, .pdf or .svg)")
        command.add_argument("--json", action="store_true", help="print the result as JSON, all else to standard error")
        if name == "fit":
            command.add_argument("--out", metavar="NET.npz", help="write the network")
        if name == "path":
            command.add_argument("--n-lams", type=int, default=20, help="how many values of lambda (20)")
    _add_predict(commands)
    _add_verify(commands)
    return parser


def _add_predict(commands: Any) -> None:
    text = "evaluate a saved network at the rows of a table, and print the table with its predictions"
    command = commands.add_parser("predict", help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=predict)
    command.add_argument(
        "network", metavar="MODEL.npz", help="a network written by fit --out, or of PyTorch (.pt, .pth) or ONNX (.onnx)"
    )
    command.add_argument("data", metavar="DATA.csv", help=f"{TABLE}, and the columns of the fit")
    command.add_argument("--features", nargs="+", metavar="COLUMN", help="the columns, where the network has no names")
    command.add_argument("--out", metavar="FILE.csv", help="write the table there (it is printed)")
    _add_missing(command)


def _add_missing(command: argparse.ArgumentParser) -> None:
    words = "leave out rows that miss a cell in a column that is used, and say how many; otherwise they are an error"
    command.add_argument("--drop-missing", action="store_true", help=words)


def _add_indicators(command: argparse.ArgumentParser) -> None:
    words = "read missing numbers as their column's median, and add a column that says where; a network keeps both"
    command.add_argument("--indicate-missing", action="store_true", help=words)


def _add_verify(commands: Any) -> None:
    text = "check every claim of the paper, on seeded instances or on your own data; exit status 1 where one fails"
    command = commands.add_parser("verify", help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=verify)
    command.add_argument("--report", metavar="FILE", help="write a report with pictures (.html, .md)")
    command.add_argument("--thorough", action="store_true", help="more seeds and dimensions; takes long")
    command.add_argument("--seed", type=int, default=0, help="of the instances (0)")
    command.add_argument("--network", metavar="NET", help="with --data: check this network, not the solution")
    command.add_argument("--lam", default="0.05max", help="with --data: lambda, or a fraction of lambda_max (0.05max)")
    _add_problem(command, optional=True)


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="open a live page in the browser",
        description="Open a live page: drag a point, watch the optimum move.",
    )
    demo.set_defaults(run=_demo)
    demo.add_argument("--port", type=int, metavar="P", help="the port on this machine (8710, or a free one)")
    demo.add_argument("--no-browser", action="store_true", help="only print the page's address")


def _add_problem(command: argparse.ArgumentParser, optional: bool = False) -> None:
    command.add_argument("--data" if optional else "data", metavar="DATA.csv", help=TABLE)
    words = "the column to predict" + (" (the last)" if optional else "")
    command.add_argument("--target", required=not optional, metavar="COLUMN", help=words)
    words = "columns to predict from: numbers, or one of dates (all other numeric ones)"
    command.add_argument("--features", nargs="+", metavar="COLUMN", help=words)
    command.add_argument("--weights", metavar="COLUMN", help="a column of sample weights")
    _add_missing(command)
    _add_indicators(command)
    words = "mu of mu/2 |slope|^2 in the objective (0; what is needed where an affine function separates the classes)"
    command.add_argument("--slope-penalty", type=float, metavar="MU", help=words)
    words = "penalise the affine part too: lambda times seminorm + |f(0)| + sum of |f(e_j) - f(0)|"
    command.add_argument("--norm", action="store_true", help=words)
    command.add_argument("--loss", choices=LOSSES, default="squared", help="the loss (squared)")
    command.add_argument("--delta", type=float, default=1.0, help="Huber's threshold, in units of the target (1)")
    command.add_argument("--q", type=float, default=0.5, help="the quantile (0.5)")


def _demo(args: argparse.Namespace) -> int:
    from ridgesplines.demo.server import serve

    serve(args.port, browser=not args.no_browser)
    return 0
