"""A program for what the page shows: the same data, lam and settings, to the last digit."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from ridgesplines.demo.fits import posed, solver
from ridgesplines.demo.schema import Fit, Training

IMPORT = "import ridgesplines as rs\n"


def snippet(shown: Fit | Training) -> str:
    """The program for a fit or for a race."""
    return _fit(shown) if isinstance(shown, Fit) else _race(shown)


def _fit(fit: Fit) -> str:
    """A program that poses and solves the problem, off the grid and on one where there is one, and prints the proof."""
    text = f"{IMPORT}{_problem(fit)}{_solve('solution', replace(fit, directions=None))}print(solution.summary())\n"
    if fit.directions is not None:
        text += f"{_solve('on_grid', fit)}print(on_grid.summary())\n"
    return text


def _race(t: Training) -> str:
    """A program that trains the network, and holds it against the optimum."""
    method = (
        f"WeightDecay(width={t.width}, optimizer={t.optimizer!r}, learning_rate={t.learning_rate!r}, "
        f"epochs={t.epochs}, random_state={t.seed})"
    )
    return (
        f"{IMPORT}from ridgesplines.torch import WeightDecay\n{_problem(t.fit)}{_solve('solution', t.fit)}"
        f"trained = rs.solve(problem, {method})\n"
        'print(rs.compare({"optimum": solution, "trained": trained}))\n'
    )


def _problem(fit: Fit) -> str:
    problem, _ = posed(fit)
    X = [[*row[:-1]] for row in fit.points] if problem.n_features > 1 else [row[0] for row in fit.points]
    y = [row[-1] for row in fit.points]
    return f"\nX = {X}\ny = {y}\nproblem = rs.Problem(X, y, lam={problem.lam!r}, loss=rs.{fit.loss!r})\n"


def _solve(name: str, fit: Fit) -> str:
    """The line that solves, with the settings that are not as by default."""
    settings: Any = solver(fit)
    given = [(f.name, getattr(settings, f.name)) for f in fields(settings) if getattr(settings, f.name) != f.default]
    arguments = ", ".join(f"{setting}={value!r}" for setting, value in given)
    return f"{name} = rs.solve(problem, rs.{settings.name}({arguments}))\n"
