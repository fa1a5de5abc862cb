"""An interior point's passes over rows, compiled by numba; imported only where it is installed. See `boxes`."""

from __future__ import annotations

import numpy as np
from numba import njit

from ridgesplines.validation import Array

# Slacks may round to zero at the end of the central path: a quotient is infinite then, as in NumPy.


@njit(cache=True, error_model="numpy")
def look(
    t: Array,
    y: Array,
    bend: Array,
    low: Array,
    high: Array,
    u: Array,
    below: Array,
    above: Array,
    nodes: Array,
    first: Array,
    theta: Array,
    slopes: Array,
) -> tuple[Array, Array, Array, Array, Array, float, float, float]:
    off, weight = np.empty(len(t)), np.empty(len(t))
    grams, tested, load = np.zeros((3, len(first))), np.zeros((2, len(first))), np.zeros((2, len(first)))
    complementarity = loss = infeasible = 0.0
    for i in range(len(first)):
        end = first[i + 1] if i + 1 < len(first) else len(t)
        rise = 1.0 / (nodes[i + 1] - nodes[i])
        for n in range(first[i], end):
            x = t[n] - nodes[i]
            r = y[n] - theta[i] - x * slopes[i]
            lower, upper = u[n] - low[n], high[n] - u[n]
            curved = r - bend[n] * u[n]
            off[n] = curved - above[n] + below[n]
            w = 1.0 / (bend[n] + below[n] / lower + above[n] / upper)
            weight[n] = w
            p = x * rise
            q = 1.0 - p
            grams[0, i] += w * q * q
            grams[1, i] += w * q * p
            grams[2, i] += w * p * p
            tested[0, i] += u[n] * q
            tested[1, i] += u[n] * p
            goal = w * (off[n] + above[n] - below[n])  # rounded as where u changes by it
            load[0, i] += goal * q
            load[1, i] += goal * p
            best = high[n] if r > 0.0 else low[n]
            if bend[n] > 0.0:
                best = min(max(r / bend[n], low[n]), high[n])
            loss += best * r - 0.5 * bend[n] * best * best
            complementarity += lower * below[n] + upper * above[n]
            infeasible += abs(u[n] * off[n])
    return off, weight, grams, tested, load, complementarity, loss, infeasible


@njit(cache=True, error_model="numpy")
def step(
    lower: float, upper: float, below: float, above: float, du: float
) -> tuple[float, float, float, float, float, float]:
    # The slacks, what they change by relatively, and what brings their products with the multipliers to zero.
    fall, rise = du / lower, du / upper
    return lower, upper, fall, rise, -below - below * fall, -above + above * rise


@njit(cache=True, error_model="numpy")
def predicted(
    t: Array,
    low: Array,
    high: Array,
    u: Array,
    below: Array,
    above: Array,
    off: Array,
    weight: Array,
    nodes: Array,
    first: Array,
    dtheta: Array,
    slopes: Array,
) -> tuple[Array, float, float, float, float, float]:
    changes = np.empty(len(t))
    slack = multiplier = -np.inf
    of_multiplier = of_slack = of_both = 0.0
    for i in range(len(first)):
        end = first[i + 1] if i + 1 < len(first) else len(t)
        for n in range(first[i], end):
            fit = dtheta[i] + (t[n] - nodes[i]) * slopes[i]
            du = weight[n] * (off[n] + above[n] - below[n] - fit)
            lower, upper, fall, rise, dbelow, dabove = step(u[n] - low[n], high[n] - u[n], below[n], above[n], du)
            slack = max(slack, max(-fall, rise))
            multiplier = max(multiplier, 1.0 + max(fall, -rise))
            of_multiplier += lower * dbelow + upper * dabove
            of_slack += du * (below[n] - above[n])
            of_both += du * (dbelow - dabove)
            changes[n] = du
    return changes, slack, multiplier, of_multiplier, of_slack, of_both


@njit(cache=True, error_model="numpy")
def centred(
    t: Array,
    low: Array,
    high: Array,
    u: Array,
    below: Array,
    above: Array,
    off: Array,
    weight: Array,
    du: Array,
    centre: float,
    nodes: Array,
    first: Array,
) -> tuple[Array, Array, Array]:
    of_low, of_high, load = np.empty(len(t)), np.empty(len(t)), np.zeros((2, len(first)))
    for i in range(len(first)):
        end = first[i + 1] if i + 1 < len(first) else len(t)
        width = 1.0 / (nodes[i + 1] - nodes[i])
        for n in range(first[i], end):
            lower, upper, fall, rise, dbelow, dabove = step(u[n] - low[n], high[n] - u[n], below[n], above[n], du[n])
            of_low[n] = centre / lower - below[n] - fall * dbelow
            of_high[n] = centre / upper - above[n] + rise * dabove
            value = weight[n] * (off[n] - of_high[n] + of_low[n])
            p = (t[n] - nodes[i]) * width
            load[0, i] += value * (1.0 - p)
            load[1, i] += value * p
    return of_low, of_high, load


@njit(cache=True, error_model="numpy")
def corrected(
    t: Array,
    low: Array,
    high: Array,
    u: Array,
    below: Array,
    above: Array,
    off: Array,
    weight: Array,
    of_low: Array,
    of_high: Array,
    nodes: Array,
    first: Array,
    dtheta: Array,
    slopes: Array,
) -> tuple[Array, Array, Array, float, float]:
    du, dbelow, dabove = np.empty(len(t)), np.empty(len(t)), np.empty(len(t))
    slack = multiplier = -np.inf
    for i in range(len(first)):
        end = first[i + 1] if i + 1 < len(first) else len(t)
        for n in range(first[i], end):
            fit = dtheta[i] + (t[n] - nodes[i]) * slopes[i]
            change = weight[n] * (off[n] - of_high[n] + of_low[n] - fit)
            lower, upper = u[n] - low[n], high[n] - u[n]
            du[n] = change
            dbelow[n] = of_low[n] - below[n] / lower * change
            dabove[n] = of_high[n] + above[n] / upper * change
            slack = max(slack, max(-change / lower, change / upper))
            multiplier = max(multiplier, max(-dbelow[n] / below[n], -dabove[n] / above[n]))
    return du, dbelow, dabove, slack, multiplier
