"""What is printed, for machines to read."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

import numpy as np

import ridgesplines as rs


@contextmanager
def words_aside(args: argparse.Namespace) -> Iterator[TextIO]:
    """Standard output for the result; with --json what else is printed meanwhile goes to standard error."""
    out = sys.stdout
    if not getattr(args, "json", False):
        yield out
        return
    with redirect_stdout(sys.stderr):
        yield out


def written(result: Any) -> str:
    """A result as JSON, numbers to their last digit; those that are not finite, which JSON lacks, as null."""
    return json.dumps(_finite(result), indent=2, allow_nan=False, ensure_ascii=False)


def _finite(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _finite(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_finite(value) for value in part]
    return None if isinstance(part, float) and not np.isfinite(part) else part


def record(solution: rs.Solution) -> dict[str, Any]:
    """A solution: what was solved, how well, and the network."""
    p, c, net = solution.problem, solution.certificate, solution.network
    return {
        "n_samples": p.n_samples,
        "features": list(p.feature_names or ()),
        "loss": repr(p.loss),
        "lam": p.lam,
        "slope_penalty": p.slope_penalty,
        "norm": p.norm,
        "solver": solution.solver.partition("(")[0],
        "status": str(solution.status),
        "seconds": solution.seconds,
        "n_neurons": net.n_neurons,
        "objective": solution.objective,
        "data_fit": solution.data_fit,
        "seminorm": solution.seminorm,
        "relative_gap": solution.relative_gap,
        "scope": str(c.scope),
        "scope_words": solution.scope_words,
        "sup_eta": c.sup,
        "weights": net.weights.tolist(),
        "biases": net.biases.tolist(),
        "amplitudes": net.amplitudes.tolist(),
        "slope": net.slope.tolist(),
        "offset": np.asarray(net.offset).tolist(),
    }
