"""The solvers behind CVXPY: what each can take, and the settings at which it is accurate enough."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ridgesplines.exceptions import ProblemError, SolverRefusal
from ridgesplines.interrupt import check, seconds_left
from ridgesplines.problem import Problem


@dataclass(frozen=True)
class Backend:
    """One solver behind CVXPY.

    Attributes
    ----------
    name : the name under which CVXPY knows it.
    module : the Python module that must be installed.
    cones : of ``linear``, ``quadratic``, ``second-order`` (for vector outputs) and ``exponential``.
    tolerance : the relative gap in the dictionary that it is held to.
    options : its own settings, passed through CVXPY; the first with which it succeeds counts.
    limit : where among its settings the seconds stand that it may take; empty where it cannot be told.
    """

    name: str
    module: str
    cones: frozenset[str]
    tolerance: float
    options: tuple[Mapping[str, Any], ...]
    limit: tuple[str, ...] = ()


_SILENT = {"output_flag": False}
_CLARABEL = {"tol_gap_abs": 1e-9, "tol_gap_rel": 1e-9, "tol_feas": 1e-9, "max_iter": 500}
_LP_QP = frozenset({"linear", "quadratic"})
_CONIC = _LP_QP | {"second-order", "exponential"}

BACKENDS = {
    backend.name: backend
    for backend in (
        Backend(
            "CLARABEL",
            "clarabel",
            _CONIC,
            1e-6,
            # Shorter steps where the exponential cone makes it stall.
            (_CLARABEL, _CLARABEL | {"max_step_fraction": 0.9}, {"max_iter": 500, "max_step_fraction": 0.8}),
            ("time_limit",),
        ),
        Backend(
            "ECOS",
            "ecos",
            _CONIC,
            1e-6,
            ({"abstol": 1e-9, "reltol": 1e-9, "feastol": 1e-9, "max_iters": 500}, {"max_iters": 500}),
        ),
        Backend(
            "SCS",
            "scs",
            _CONIC,
            1e-4,
            ({"eps_abs": 1e-7, "eps_rel": 1e-7, "max_iters": 100_000},),
            ("time_limit_secs",),
        ),
        Backend(
            "OSQP",
            "osqp",
            _LP_QP,
            1e-4,
            ({"eps_abs": 1e-6, "eps_rel": 1e-6, "max_iter": 20_000, "polishing": True},),
            ("time_limit",),
        ),
        Backend(
            "HIGHS",
            "highspy",
            _LP_QP,
            1e-6,
            (
                {"highs_options": _SILENT | {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}},
                {"highs_options": _SILENT},
            ),
            ("highs_options", "time_limit"),
        ),
    )
}


def backend_named(name: str) -> Backend:
    """The backend of that name, in any case of letters; an error that lists them, or says how to install it."""
    backend = BACKENDS.get(str(name).upper())
    if backend is None:
        raise ProblemError("backend", f"one of {', '.join(BACKENDS)}", repr(name), 'Pass backend="CLARABEL".')
    if find_spec(backend.module) is None:
        remedy = f"Install it with `pip install {backend.module}`, or use CLARABEL, which needs nothing more."
        if backend.name == "ECOS" and sys.version_info >= (3, 13):
            remedy = "ECOS has no wheels for Python 3.13 and later; CLARABEL solves the same problems."
        raise SolverRefusal("Grid", f"the package {backend.module} for {backend.name}", "none installed", remedy)
    return backend


def refusal(backend: Backend, problem: Problem) -> SolverRefusal | None:
    """The reason why the backend cannot take the problem, or None."""
    needed = {problem.loss.cone} | ({"second-order"} if problem.n_outputs else set())
    missing = sorted(needed - backend.cones)
    if not missing:
        return None
    able = [b.name for b in BACKENDS.values() if needed <= b.cones]
    what = problem.loss.name + (" with vector outputs" if problem.n_outputs else "")
    return SolverRefusal(
        f"Grid(backend={backend.name!r})",
        f"a problem in the cones that {backend.name} knows ({', '.join(sorted(backend.cones))})",
        f"{what}, which needs the {' and '.join(missing)} cone",
        f"Use backend={' or '.join(map(repr, able))}.",
    )


#: What `solve_program` returns where the backend failed; variables may then still hold the answer of an earlier lam.
FAILED = "solver_error"


def solve_program(program: Any, link: Any, name: str, options: Sequence[Mapping[str, Any]]) -> str:
    """CVXPY's status of a program, solved with the backend's settings in turn until one of them gives an answer.

    Parameters
    ----------
    program : a ``cvxpy.Problem``; its variables and multipliers hold the answer.
    link : one of its constraints, which has a multiplier where there is an answer.
    name : of the backend.
    options : its settings, one or more.
    """
    for setting in options:
        check()
        status = _attempt(program, name, setting)
        if status != FAILED and link.dual_value is not None:
            break
    return status


def _attempt(program: Any, name: str, setting: Mapping[str, Any]) -> str:
    import cvxpy as cp

    with warnings.catch_warnings(), _quiet(name == "HIGHS"):
        # "Solution may be inaccurate" is CVXPY's guess; the gap is computed afterwards, and warned of if large.
        warnings.simplefilter("ignore", UserWarning)
        try:
            program.solve(solver=name, warm_start=True, verbose=False, canon_backend="SCIPY", **_in_time(name, setting))
        except cp.SolverError:
            return FAILED
    return str(program.status)


def _in_time(name: str, setting: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, with the seconds that are left."""
    seconds, limit = seconds_left(), BACKENDS[name].limit
    if seconds == float("inf") or not limit:
        return dict(setting)
    within = {limit[-1]: seconds}
    return {**setting, **(within if len(limit) == 1 else {limit[0]: {**setting[limit[0]], **within}})}


@contextmanager
def _quiet(needed: bool) -> Iterator[None]:
    """Silence for HiGHS, which prints a banner on the process's standard output before it can be told not to."""
    if not needed:
        yield
        return
    sys.stdout.flush()
    saved = os.dup(1)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
