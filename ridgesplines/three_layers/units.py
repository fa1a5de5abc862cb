"""Given units: the best amplitudes and affine part, and one unit in the place of several of one pattern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ridgesplines.amplitudes.columns import Columns
from ridgesplines.amplitudes.master import amplitudes
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.three_layers.ball import size
from ridgesplines.three_layers.search import ON_BOUNDARY, Unit
from ridgesplines.validation import Array


class Fit(NamedTuple):
    """Units, their amounts a > 0, coefficients of what is free besides their part in it, the values at the data."""

    units: list[Unit]
    amounts: Array
    free: Array
    values: Array


def refitted(problem: Problem, Q: Array, units: Sequence[Unit], amounts: Array, free: Array) -> Fit:
    """The best amounts of these units, and of the free functions of an orthonormal basis Q; those of zero leave."""
    hidden = _hidden(problem, units)
    columns = Columns(Q, len(units), lambda rows: hidden[rows])
    a, free, values = amplitudes(problem, columns, amounts, free)
    kept = np.flatnonzero(a > 0.0).tolist()
    return Fit([units[j] for j in kept], a[kept], free, values)


def _hidden(problem: Problem, units: Sequence[Unit]) -> Array:
    columns = [unit.sign * np.maximum(unit.values, 0.0) for unit in units]
    return np.column_stack(columns) if columns else np.empty((problem.n_samples, 0))


def merged(fit: Fit) -> Fit:
    """One unit for all of one sign that agree at each datum on the side of zero.

    It does the same at the data, and its norm is not larger.
    """
    units, amounts = list[Unit](), list[float]()
    for members in _agreeing(fit.units):
        g = combined([fit.units[j].function for j in members], fit.amounts[members])
        total = size(g)
        if len(members) > 1 and total > 0.0:
            values = sum(fit.amounts[j] * fit.units[j].values for j in members)
            units.append(Unit(fit.units[members[0]].sign, times(g, 1.0 / total), values / total))
            amounts.append(total)
        else:
            units += [fit.units[j] for j in members]
            amounts += list(fit.amounts[members])
    return fit._replace(units=units, amounts=np.array(amounts))


def _agreeing(units: Sequence[Unit]) -> list[list[int]]:
    """Groups of units of one sign, in none of which a datum is on both sides."""
    groups = list[tuple[float, Array, list[int]]]()
    for j, unit in enumerate(units):
        sides = np.sign(np.where(np.abs(unit.values) > ON_BOUNDARY * np.abs(unit.values).max(), unit.values, 0.0))
        for sign, known, members in groups:
            if sign == unit.sign and (known * sides >= 0.0).all():
                known[:] = np.where(known == 0.0, sides, known)
                members.append(j)
                break
        else:
            groups.append((unit.sign, sides, [j]))
    return [members for _, _, members in groups]


def combined(functions: Sequence[RidgeSpline], amounts: Array) -> RidgeSpline:
    """The sum of amounts of functions, in which no neuron stands twice."""
    theta = np.vstack([np.column_stack([g.weights, g.biases]) for g in functions])
    distinct, place = np.unique(theta, axis=0, return_inverse=True)
    a = np.zeros(len(distinct))
    np.add.at(a, place.reshape(-1), np.concatenate([s * g.amplitudes for s, g in zip(amounts, functions, strict=True)]))
    slope = sum(s * g.slope for s, g in zip(amounts, functions, strict=True))
    offset = sum(s * g.offset for s, g in zip(amounts, functions, strict=True))
    alive = a != 0.0
    return RidgeSpline(distinct[alive, :-1], distinct[alive, -1], a[alive], slope, offset)


def times(g: RidgeSpline, factor: float) -> RidgeSpline:
    """factor * g."""
    return g.changed(amplitudes=factor * g.amplitudes, slope=factor * g.slope, offset=factor * g.offset)
