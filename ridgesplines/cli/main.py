"""The command line: fit, path and gap on a table in a CSV file; verify, with or without one; the live page."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence

import ridgesplines as rs
from ridgesplines.cli.arguments import parser
from ridgesplines.cli.reading import TableError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, 1 where a claim fails, 2 for an input that does not fit, 130 after Ctrl-C.

    Where Ctrl-C came in the middle of a fit, the best network so far is printed and written first.
    """
    args = parser().parse_args(argv)
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
