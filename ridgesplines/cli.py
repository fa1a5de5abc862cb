"""The command line: fit, path and gap, on a table in a CSV file."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import ridgesplines as rs
from ridgesplines.table import Table, TableError, read_table

LOSSES: dict[str, Callable[[argparse.Namespace], rs.losses.Loss]] = {
    "squared": lambda args: rs.Squared(),
    "absolute": lambda args: rs.Absolute(),
    "huber": lambda args: rs.Huber(args.delta),
    "quantile": lambda args: rs.Quantile(args.q),
    "logistic": lambda args: rs.Logistic(),
    "hinge": lambda args: rs.Hinge(),
    "softmax": lambda args: rs.Softmax(),
    "interpolation": lambda args: rs.Interpolation(),
}


PICTURES = (".png", ".pdf", ".svg")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, 2 for an input that does not fit, 130 after Ctrl-C."""
    args = _parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.simplefilter("always", rs.ConvergenceWarning)
        warnings.showwarning = lambda message, *rest: print(f"warning: {message}", file=sys.stderr)
        try:
            args.run(args)
        except (rs.ProblemError, rs.SolverRefusal, TableError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ridgesplines",
        description="Fit linear and ridge splines to a table, and say how close to the global optimum they are.",
    )
    parser.add_argument("--version", action="version", version=f"ridgesplines {rs.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("fit", _fit, "fit one function and print its certificate"),
        ("path", _path, "fit for a range of lam and print a table"),
        ("gap", _gap, "measure how far a saved network is from the optimum"),
    ):
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.set_defaults(run=run)
        if name == "gap":
            command.add_argument("network", metavar="NET.npz", help="a network written by fit --out")
        _add_problem(command)
        if name != "path":
            command.add_argument("--lam", required=True, help="lambda, or a fraction of lambda_max such as 0.05max")
        if name != "gap":
            command.add_argument("--directions", type=int, default=64, metavar="M", help="directions of the grid (64)")
            command.add_argument("--backend", default="CLARABEL", help="CLARABEL, ECOS, SCS, OSQP or HIGHS")
            command.add_argument("--plot", metavar="FILE", help="write a picture (.png, .pdf or .svg)")
        if name == "fit":
            command.add_argument("--out", metavar="NET.npz", help="write the network")
        if name == "path":
            command.add_argument("--n-lams", type=int, default=20, help="how many values of lambda (20)")
    return parser


def _add_problem(command: argparse.ArgumentParser) -> None:
    command.add_argument("data", metavar="DATA.csv", help="a table with a header")
    command.add_argument("--target", required=True, metavar="COLUMN", help="the column to predict")
    command.add_argument(
        "--features", nargs="+", metavar="COLUMN", help="columns to predict from (default: all other numeric ones)"
    )
    command.add_argument("--weights", metavar="COLUMN", help="a column of sample weights")
    command.add_argument("--loss", choices=LOSSES, default="squared", help="the loss (squared)")
    command.add_argument("--delta", type=float, default=1.0, help="Huber's threshold, in units of the target (1)")
    command.add_argument("--q", type=float, default=0.5, help="the quantile (0.5)")


def _problem(args: argparse.Namespace) -> rs.Problem:
    """The problem that the arguments describe, at lam = 1."""
    table = read_table(args.data)
    left_out = {args.target, args.weights}
    names = _split(args.features) if args.features else [n for n in table.numeric() if n not in left_out]
    if not names:
        raise TableError(f"{args.data}: no numeric column is left to predict from; name some with --features")
    X = np.column_stack([table.numbers(name) for name in names])
    loss = LOSSES[args.loss](args)
    y = _labels(table, args.target, loss) if not loss.translates else table.numbers(args.target)
    weight = None if args.weights is None else table.numbers(args.weights)
    return rs.Problem(X, y, 1.0, loss, sample_weight=weight, feature_names=names)


def _split(names: Sequence[str]) -> list[str]:
    """Column names, separated by spaces or commas."""
    return [name for part in names for name in part.split(",") if name]


def _labels(table: Table, column: str, loss: rs.losses.Loss) -> Any:
    """Classes in the order of their names, numbered as the loss wants them; the numbering is printed."""
    names, number = np.unique(table.text(column), return_inverse=True)
    if isinstance(loss, rs.Softmax):
        codes = np.arange(len(names))
    elif len(names) == 2:
        codes = np.array([-1, 1])
    else:
        raise TableError(f"{column}: {loss.name} takes two classes; found {len(names)}. Use --loss softmax.")
    print("classes       " + ", ".join(f"{name} = {code:+d}" for name, code in zip(names, codes, strict=True)))
    return codes[number]


def _with_lam(problem: rs.Problem, text: str) -> rs.Problem:
    """The problem at the lam that the user wrote: a number, or a fraction of lambda_max."""
    fraction = text.endswith("max")
    try:
        value = float(text.removesuffix("max") or 1.0) if fraction else float(text)
    except ValueError:
        raise TableError(f"--lam: expected a number, or a fraction such as 0.05max; got {text!r}") from None
    if fraction:
        top = rs.lambda_max(problem)
        if not np.isfinite(top):
            raise TableError("--lam: interpolation has no lambda_max, and lambda only scales its objective; pass 1")
        value *= top
    return problem.with_lam(value)


def _grid(args: argparse.Namespace) -> rs.Grid:
    return rs.Grid(directions=args.directions, backend=args.backend)


def _check_writable(path: str | None, endings: Sequence[str] = ()) -> None:
    """Before a long fit, not after it: whether its result can be written."""
    if path is None:
        return
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise TableError(f"{path}: there is no folder {folder}")
    if Path(path).is_dir():
        raise TableError(f"{path}: this is a folder; name a file")
    if endings and Path(path).suffix not in endings:
        raise TableError(f"{path}: expected a name that ends in {', '.join(endings)}")


def _fit(args: argparse.Namespace) -> None:
    _check_writable(args.out)
    _check_writable(args.plot, PICTURES)
    problem = _with_lam(_problem(args), args.lam)
    solution = rs.solve(problem, _grid(args))
    print(solution.summary())
    net = solution.network
    if problem.n_features == 1 and problem.n_outputs is None and net.n_neurons:
        print("\n          knot  change of slope")
        for knot, change in sorted(zip(net.knots, net.amplitudes, strict=True)):
            print(f"{knot:14.6g}  {change:+.6g}")
    if args.out:
        net.save(args.out)
        print(f"wrote {args.out}")
    if args.plot:
        _write(solution.plot(target=args.target), args.plot)


def _path(args: argparse.Namespace) -> None:
    _check_writable(args.plot, PICTURES)
    path = rs.solve_path(_problem(args), _grid(args), n_lams=args.n_lams)
    print(f"{'lam':>12}  {'K':>4}  {'objective':>14}  {'data fit':>14}  {'seminorm':>12}  {'gap':>8}  scope")
    for s in path:
        print(
            f"{s.problem.lam:12.6g}  {s.network.n_neurons:4d}  {s.objective:14.8g}  {s.data_fit:14.8g}  "
            f"{s.seminorm:12.6g}  {s.relative_gap:8.1e}  {s.certificate.scope}"
        )
    if args.plot:
        _write(path.plot(), args.plot)


def _gap(args: argparse.Namespace) -> None:
    try:
        network = rs.RidgeSpline.load(args.network)
    except OSError as error:
        raise TableError(f"{args.network}: {error.strerror or error}") from None
    print(rs.evaluate(_with_lam(_problem(args), args.lam), network).summary())


def _write(figure: Any, path: str) -> None:
    figure.savefig(path, dpi=150)
    print(f"wrote {path}")
