"""All claims, in the paper's order; a new claim is one file and one line here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.interrupt import Deferral
from ridgesplines.losses.interpolation import Interpolation
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solve import solve
from ridgesplines.theorems.claims import approximation_rate as approximation
from ridgesplines.theorems.claims import balance as neural_balance
from ridgesplines.theorems.claims import deep as deep_layers
from ridgesplines.theorems.claims import deep_weight_decay as deep_decay
from ridgesplines.theorems.claims import estimation_rate as estimation
from ridgesplines.theorems.claims import filtered_radon as activation_slices
from ridgesplines.theorems.claims import fourier_slice as slices
from ridgesplines.theorems.claims import linear_spline as interpolants
from ridgesplines.theorems.claims import maurey as greedy
from ridgesplines.theorems.claims import measure_norm as total_variation
from ridgesplines.theorems.claims import minimax_rate as minimax
from ridgesplines.theorems.claims import one_minimiser as single
from ridgesplines.theorems.claims import representer as certificates
from ridgesplines.theorems.claims import second_derivative as impulses
from ridgesplines.theorems.claims import single_direction as mixed_variation
from ridgesplines.theorems.claims import solution_set as minimisers
from ridgesplines.theorems.claims import sparsifying_transform as sparsifying
from ridgesplines.theorems.claims import table_one as activation_table
from ridgesplines.theorems.claims import thresholding as haar
from ridgesplines.theorems.claims import weight_decay as group_lasso
from ridgesplines.theorems.parameters import Parameters
from ridgesplines.theorems.report import Report

Objects = tuple[Any, ...]


@dataclass(frozen=True)
class Claim:
    """A claim, how it is checked, and on what.

    Attributes
    ----------
    name : what it is called.
    check : from objects to a Report.
    instance : the seeded objects.
    longer : the objects for `--thorough`, where they differ from those of another seed.
    own : the objects that a user's solution gives, or None where the claim is not about it; absent where it never is.
    needs : a package without which it cannot run.
    number : of those that may not run, the number in the paper; a Report has its own.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> (claim,) = [claim for claim in rs.theorems.CLAIMS if claim.name == "representer theorem, d = 1"]
    >>> claim.run(seed=1).holds
    True
    """

    name: str
    check: Callable[..., Report]
    instance: Callable[[int], Objects]
    longer: Callable[[int], Objects] | None = None
    own: Callable[[Solution], Objects | None] | None = None
    needs: str = ""
    number: str = ""

    def run(self, seed: int = 0, thorough: bool = False) -> Report:
        """The check on its seeded instance; the seconds count the making of the instance too."""
        if self.needs and find_spec(self.needs) is None:
            words = f"needs {self.needs}: pip install 'ridgesplines[{self.needs}]'"
            return Report(self.name, self.number, (), lambda figure: None, missing=words)
        start = time.perf_counter()
        make = self.longer if thorough and self.longer is not None else self.instance
        with Deferral():
            report = self.check(*make(seed))
        return replace(report, seconds=time.perf_counter() - start)

    def run_on(self, solution: Solution) -> Report | None:
        """The check on a user's solution; None where the claim is not about it."""
        objects = None if self.own is None else self.own(_in_numbers(solution))
        return None if objects is None else self.check(*objects)


def _in_numbers(solution: Solution) -> Solution:
    """The same solution as a function of numbers, of which claims speak: of days, where x are dates."""
    if solution.problem.dates is None:
        return solution
    return replace(solution, problem=solution.problem.in_numbers, network=solution.network.changed(dates=None))


def _balanced(solution: Solution) -> Objects:
    return solution.problem, Parameters.balanced(solution.network)


def _impulses(solution: Solution) -> Objects | None:
    net = solution.network
    scalar = net.n_features == 1 and net.n_outputs is None and net.n_neurons > 0
    return (net, Parameters.balanced(net)) if scalar else None


def _dots(solution: Solution) -> Objects | None:
    """The distinct data of one dimension, and what interpolates them; ties in x are averaged."""
    problem = solution.problem
    if problem.n_features > 1 or problem.n_outputs is not None or problem.constraints or not problem.loss.translates:
        return None
    data = problem.reduced
    x, place = np.unique(data.X[:, 0], return_inverse=True)
    y = np.bincount(place, data.y) / np.bincount(place)
    return (x, y, solve(Problem(x, y, 1.0, Interpolation())).network) if len(x) > 2 else None


def _minimisers(solution: Solution) -> Objects | None:
    """Where the loss alone fixes the fit at the data, and the certificate is exact."""
    problem = solution.problem
    scalar = problem.n_features == 1 and problem.n_outputs is None and isinstance(problem.activation, ReLU)
    fixed = problem.loss.smooth and problem.loss.box(problem.y) is None and not problem.constraints
    return (problem, solution) if scalar and fixed and solution.certificate.scope == "exact" else None


def _single(solution: Solution) -> Objects | None:
    """Where the proof is for two features and succeeds, on tables that linear programs over many neurons can take."""
    problem = solution.problem
    settled = problem.loss.smooth and problem.loss.box(problem.y) is None
    few = problem.n_features == 2 and problem.n_samples <= single.MAX_ROWS and problem.interactions is None
    return (problem, solution) if few and settled and solution.is_unique else None


CLAIMS: tuple[Claim, ...] = (
    Claim("neural balance", neural_balance.check, neural_balance.instance, own=_balanced),
    Claim("weight decay is a group LASSO", group_lasso.check, partial(group_lasso.instance, d=2, outputs=2)),
    Claim("weight decay in deep networks", deep_decay.check, deep_decay.instance, needs="torch", number="(4), (6)"),
    Claim(
        "weight decay is a LASSO, d = 1",
        group_lasso.check,
        group_lasso.instance,
        own=lambda solution: (solution.problem, solution, []),
    ),
    Claim("second derivatives", impulses.check, impulses.instance, own=_impulses),
    Claim("the M-norm", total_variation.check, total_variation.instance),
    Claim(
        "representer theorem, d = 1",
        certificates.check,
        certificates.instance,
        own=lambda solution: (solution.problem, solution),
    ),
    Claim("linear splines in closed form", interpolants.check, interpolants.instance, own=_dots),
    Claim("the solution set, d = 1", minimisers.check, minimisers.instance, own=_minimisers),
    Claim("Fourier slice theorem", slices.check, slices.instance),
    Claim("filtered Radon transform", activation_slices.check, activation_slices.instance),
    Claim("sparsifying transform", sparsifying.check, sparsifying.instance),
    Claim("weight decay is a LASSO, d = 2", group_lasso.check, partial(group_lasso.instance, d=2)),
    Claim("representer theorem, d = 2", certificates.check, partial(certificates.instance, d=2)),
    Claim("one minimiser, d = 2", single.check, single.instance, own=_single),
    Claim("deep networks", deep_layers.check, deep_layers.instance, needs="torch", number="(34)"),
    Claim("activations", activation_table.check, activation_table.instance),
    Claim("thresholding", haar.check, haar.instance, partial(haar.instance, seeds=32)),
    Claim("Maurey", greedy.check, greedy.instance, partial(greedy.instance, seeds=40)),
    Claim("approximation", approximation.check, approximation.instance, partial(approximation.instance, seeds=24)),
    Claim("estimation", estimation.check, estimation.instance, partial(estimation.instance, thorough=True)),
    Claim("minimax estimation", minimax.check, minimax.instance, partial(minimax.instance, thorough=True)),
    Claim(
        "mixed variation", mixed_variation.check, mixed_variation.instance, partial(mixed_variation.instance, seeds=10)
    ),
)
