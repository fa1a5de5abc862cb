"""The command line: fit, path and gap on a table in a CSV file; verify, with or without one; the live page."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import ridgesplines as rs
from ridgesplines.cli import paths
from ridgesplines.cli.table import Table, TableError, read_table
from ridgesplines.validation import rounded_up
from ridgesplines.verdict import Status

LOSSES: dict[str, Callable[[argparse.Namespace], rs.losses.Loss]] = {
    "squared": lambda args: rs.Squared(),
    "absolute": lambda args: rs.Absolute(),
    "huber": lambda args: rs.Huber(args.delta),
    "quantile": lambda args: rs.Quantile(args.q),
    "poisson": lambda args: rs.Poisson(),
    "logistic": lambda args: rs.Logistic(),
    "hinge": lambda args: rs.Hinge(),
    "softmax": lambda args: rs.Softmax(),
    "interpolation": lambda args: rs.Interpolation(),
}


ACTIVATIONS: dict[str, Callable[[argparse.Namespace], rs.activations.Activation]] = {
    "relu": lambda args: rs.ReLU(),
    "truncated_power": lambda args: rs.TruncatedPower(args.order),
    "sigmoid": lambda args: rs.Sigmoid(args.scale),
    "arctan": lambda args: rs.Arctan(args.scale),
    "exponential": lambda args: rs.Exponential(args.scale),
}


PICTURES = (".png", ".pdf", ".svg")
REPORTS = (".html", ".md")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, 1 where a claim fails, 2 for an input that does not fit, 130 after Ctrl-C.

    Where Ctrl-C came in the middle of a fit, the best network so far is printed and written first.
    """
    args = _parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.simplefilter("always", rs.ConvergenceWarning)
        warnings.showwarning = lambda message, *rest: print(f"warning: {message}", file=sys.stderr)
        try:
            status = args.run(args)
            sys.stdout.flush()
        except (rs.ProblemError, rs.SolverRefusal, TableError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130
        except BrokenPipeError:  # whoever read the output, such as head, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except OSError as error:
            print(f"error: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
            return 2
    return int(status)


def _status(solutions: Sequence[rs.Solution]) -> int:
    return 130 if any(solution.status is Status.INTERRUPTED for solution in solutions) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ridgesplines",
        description="Fit linear and ridge splines to a table, and say how close to the global optimum they are.",
    )
    parser.add_argument("--version", action="version", version=f"ridgesplines {rs.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    for name, run, text in (
        ("fit", _fit, "fit one function and print its certificate"),
        ("path", _path, "fit for a range of lam and print a table"),
        ("gap", _gap, "measure how far a saved network is from the optimum"),
    ):
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.set_defaults(run=run)
        if name == "gap":
            words = "a network written by fit --out (.npz), or a shallow network's state_dict of PyTorch (.pt, .pth)"
            command.add_argument("network", metavar="NET", help=words)
        _add_problem(command)
        words = "features that may act together: a number, or groups of columns such as 'age,bmi;s1' (all)"
        command.add_argument("--interactions", metavar="K|GROUPS", help=words)
        if name != "path":
            command.add_argument("--lam", required=True, help="lambda, or a fraction of lambda_max such as 0.05max")
        if name != "gap":
            command.add_argument("--directions", type=int, metavar="M", help="solve on a grid of M directions (64)")
            command.add_argument("--backend", help="solve on a grid, with CLARABEL, ECOS, SCS, OSQP or HIGHS")
            command.add_argument("--activation", choices=ACTIVATIONS, default="relu", help="the activation (relu)")
            command.add_argument("--order", type=int, default=2, help="the order of a truncated power (2)")
            command.add_argument("--scale", type=float, default=1.0, help="the width of smooth neurons (1)")
            command.add_argument("--verbose", action="store_true", help="print progress")
            command.add_argument("--plot", metavar="FILE", help="write a picture (.png, .pdf or .svg)")
        if name == "fit":
            command.add_argument("--out", metavar="NET.npz", help="write the network")
        if name == "path":
            command.add_argument("--n-lams", type=int, default=20, help="how many values of lambda (20)")
    _add_verify(commands)
    return parser


def _add_verify(commands: Any) -> None:
    text = "check every claim of the paper, on seeded instances or on your own data; exit status 1 where one fails"
    command = commands.add_parser("verify", help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=_verify)
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
    command.add_argument("--data" if optional else "data", metavar="DATA.csv", help="a table with a header")
    words = "the column to predict" + (" (the last)" if optional else "")
    command.add_argument("--target", required=not optional, metavar="COLUMN", help=words)
    command.add_argument(
        "--features", nargs="+", metavar="COLUMN", help="columns to predict from (default: all other numeric ones)"
    )
    command.add_argument("--weights", metavar="COLUMN", help="a column of sample weights")
    command.add_argument("--loss", choices=LOSSES, default="squared", help="the loss (squared)")
    command.add_argument("--delta", type=float, default=1.0, help="Huber's threshold, in units of the target (1)")
    command.add_argument("--q", type=float, default=0.5, help="the quantile (0.5)")


def _problem(args: argparse.Namespace, activation: rs.activations.Activation) -> rs.Problem:
    """The problem that the arguments describe, at lam = 1."""
    table = read_table(args.data)
    names, X = _features(args, table)
    loss = LOSSES[args.loss](args)
    y = _labels(table, args.target, loss) if loss.labels else table.numbers(args.target)
    weight = None if args.weights is None else table.numbers(args.weights)
    groups = _groups(getattr(args, "interactions", None), names)
    return rs.Problem(X, y, 1.0, loss, activation, weight, feature_names=names, interactions=groups)


def _groups(text: str | None, known: Collection[str]) -> int | list[list[str]] | None:
    """What may act together: a number of features, or groups of column names, parted by semicolons."""
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return [_split([group.strip()], known) for group in text.split(";") if group.strip()]


def _features(args: argparse.Namespace, table: Table) -> tuple[list[str], Any]:
    """The columns to predict from, and their numbers; printed where the user did not choose them."""
    if args.features:
        names = _split(args.features, table.columns)
        if args.target in names:
            raise TableError(f"--features: {args.target!r} is the target; a function of it needs no fit")
        if len(set(names)) < len(names):
            raise TableError(f"--features: expected distinct columns; got {', '.join(names)}")
        return names, np.column_stack([table.numbers(name) for name in names])
    names = [name for name in table.numeric() if name not in (args.target, args.weights)]
    if not names:
        raise TableError(f"{args.data}: no numeric column is left to predict from; name some with --features")
    try:
        X = np.column_stack([table.numbers(name) for name in names])
    except TableError as error:
        raise TableError(f"{error}, or choose other columns with --features") from None
    print("features      " + ", ".join(names))
    return names, X


def _split(parts: Sequence[str], known: Collection[str]) -> list[str]:
    """Column names, separated by spaces or commas; a known name may hold a comma itself."""
    pieces = [name.strip() for part in parts for name in ([part] if part in known else part.split(","))]
    return [name for name in pieces if name]


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
        if top == 0.0:
            raise TableError("--lam: lambda_max is 0, an affine function is optimal for every lambda; pass 1")
        value *= top
    return problem.with_lam(value)


def _solver(args: argparse.Namespace, problem: rs.Problem) -> rs.solvers.Solver | None:
    """A grid where the user chose its settings; otherwise the best solver for the problem."""
    if args.directions is not None or args.backend is not None:
        return rs.Grid(64 if args.directions is None else args.directions, backend=args.backend or "CLARABEL")
    able = [rs.Univariate(verbose=True), rs.ColumnGeneration(verbose=True)] if args.verbose else []
    return next((solver for solver in able if solver.refuses(problem) is None), None)


def _fit(args: argparse.Namespace) -> int:
    paths.check([args.data], (args.out, ()), (args.plot, PICTURES))
    problem = _with_lam(_problem(args, ACTIVATIONS[args.activation](args)), args.lam)
    solution = rs.solve(problem, _solver(args, problem))
    net = solution.network
    # Files first: whoever reads what is printed, such as head, may leave early.
    if args.out:
        net.save(args.out)
    if args.plot:
        solution.plot(target=args.target).savefig(args.plot, dpi=150)
    print(solution.summary())
    if problem.n_features == 1 and problem.n_outputs is None and net.n_neurons:
        what = "change of slope" if problem.activation.degree == 1 else "amplitude"
        print(f"\n{'knot' if problem.activation.homogeneity else 'bias':>14}  {what}")
        for knot, change in sorted(zip(net.knots, net.amplitudes, strict=True)):
            print(f"{knot:14.6g}  {change:+.6g}")
    _say_written(args.out, args.plot)
    return _status([solution])


def _path(args: argparse.Namespace) -> int:
    paths.check([args.data], (args.plot, PICTURES))
    problem = _problem(args, ACTIVATIONS[args.activation](args))
    path = rs.solve_path(problem, _solver(args, problem), n_lams=args.n_lams)
    if args.plot:
        path.plot().savefig(args.plot, dpi=150)
    print(f"{'lam':>12}  {'K':>4}  {'objective':>14}  {'data fit':>14}  {'seminorm':>12}  {'gap':>13}  scope")
    for s in path:
        print(
            f"{s.problem.lam:12.6g}  {s.network.n_neurons:4d}  {s.objective:14.8g}  {s.data_fit:14.8g}  "
            f"{s.seminorm:12.6g}  {rounded_up(s.relative_gap):>13}  {s.certificate.scope}"
        )
    _say_written(args.plot)
    return _status(path)


def _gap(args: argparse.Namespace) -> int:
    paths.check([args.network, args.data])
    solution = _evaluated(args)
    print(solution.summary())
    return _status([solution])


def _evaluated(args: argparse.Namespace) -> rs.Solution:
    """The user's network on the user's problem."""
    try:
        network = _network(args.network)
    except OSError as error:
        raise TableError(f"{args.network}: {error.strerror or error}") from None
    _match_features(args, network)
    return rs.evaluate(_with_lam(_problem(args, network.activation), args.lam), network)


def _verify(args: argparse.Namespace) -> int:
    paths.check([args.data, args.network], (args.report, REPORTS))
    reports = []
    for report in _reports(args):
        print(report, flush=True)
        reports.append(report)
    print(rs.theorems.summary(reports))
    if args.report:
        rs.theorems.write(reports, args.report)
        _say_written(args.report)
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
    solution = _evaluated(args) if args.network else rs.solve(_with_lam(_problem(args, rs.ReLU()), args.lam))
    print("The other claims are not about data: run verify without --data.\n")
    return rs.theorems.verify_on(solution if args.network else solution.certify())


def _demo(args: argparse.Namespace) -> int:
    from ridgesplines.demo.server import serve

    serve(args.port, browser=not args.no_browser)
    return 0


def _network(path: str) -> rs.RidgeSpline:
    """A network that `fit --out` or PyTorch wrote; no code that a file may hold is run."""
    if Path(path).suffix not in (".pt", ".pth"):
        return rs.RidgeSpline.load(path)
    try:
        from ridgesplines.torch.conversion import from_file
    except ImportError as error:
        raise TableError(f"{path}: {error}") from None
    network = from_file(path)
    print("network       tensors read as V relu(W x - b) + C x + c_0; no code in the file was run")
    return network


def _match_features(args: argparse.Namespace, network: rs.RidgeSpline) -> None:
    """The columns in the order in which the network takes them: another order would give a wrong number."""
    own = list(network.feature_names or ())
    if own and not args.features:
        args.features = own
        print("features      " + ", ".join(own))
    given = _split(args.features or (), own)
    if own != given and sorted(own) == sorted(given):
        raise TableError(f"--features: the network takes {', '.join(own)}, in this order; got {', '.join(given)}")


def _say_written(*written: str | None) -> None:
    for path in written:
        if path:
            print(f"wrote {path}")
