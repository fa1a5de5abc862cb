r"""Section VI, [31]: with lam ~ N^(d / (2d + 3)) the error falls at the minimax rate, faster than N^(-1/2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.theorems.claims.estimation_rate import (
    NOISE,
    RULE,
    network_error,
    smooth,
    squared_errors,
    zigzag,
)
from ridgesplines.theorems.rates import compared, draw_rates, interval, slope
from ridgesplines.theorems.report import Report, rate, timed
from ridgesplines.validation import Array

#: Numbers of data by dimension.
SIZES = {1: np.array([100, 200, 400, 800, 1600, 3200]), 2: np.array([50, 100, 200, 400])}
#: Simulations by dimension; those of `--thorough`.
SEEDS = {1: 12, 2: 8}
THOROUGH = {1: 40, 2: 40}


class RuleErrors(NamedTuple):
    r"""Integrated squared errors in d dimensions, shape (seeds, sizes) each, by the rule for :math:`\lambda`.

    Attributes
    ----------
    d : the dimension.
    sizes : N, shape (S,).
    minimax : with :math:`\lambda \propto N^{d/(2d+3)}`.
    root : with :math:`\lambda \propto N^{1/2}`, on the same data.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> n = np.array([100.0, 200.0])
    >>> rs.theorems.RuleErrors(1, n, minimax=1.0 / n[None], root=n[None] ** -0.5).exponent
    -0.8
    """

    d: int
    sizes: Array
    minimax: Array
    root: Array

    @property
    def exponent(self) -> float:
        """That of the minimax rate."""
        return -(self.d + 3.0) / (2.0 * self.d + 3.0)


def minimax_rule(n: int, d: int) -> float:
    """The lambda of the minimax rate, in the convention of a sum over the data, without 1/N."""
    return float(RULE * NOISE * n ** (d / (2.0 * d + 3.0)))


def instance(seed: int, thorough: bool = False) -> tuple[Mapping[str, RuleErrors]]:
    """A zigzag and a smooth wave along the cube's diagonal, in one dimension and in two."""
    plan = THOROUGH if thorough else SEEDS
    return (
        {
            f"d = {d}, {profile.__name__}": simulate(profile, d, range(seed, seed + seeds), SIZES[d])
            for d, seeds in plan.items()
            for profile in (zigzag, smooth)
        },
    )


def simulate(profile: Callable[[Array], Array], d: int, seeds: range, sizes: Array) -> RuleErrors:
    """Both rules on the same data."""
    methods = (partial(network_error, rule=minimax_rule), network_error)
    return RuleErrors(d, sizes, *squared_errors(profile, d, seeds, sizes, methods))


@timed
def check(errors: Mapping[str, RuleErrors]) -> Report:
    r"""With the right :math:`\lambda` the mean integrated squared error decays at the minimax rate or faster.

    .. math:: E \|f - f_N\|_{L^2(\Omega)}^2 \lesssim N^{-\frac{d+3}{2d+3}}, \qquad
              f_N \in \arg\min_f \sum_n (y_n - f(x_n))^2 + \lambda |f|, \quad
              \lambda \propto N^{\frac{d}{2d+3}}

    up to logarithms, for :math:`f \in RBV^2(R^d)` and independent Gaussian noise [1]_; no estimator does better over
    all f of bounded seminorm. The exponent is below -1/2 in every dimension and tends to it as d grows.

    Parameters
    ----------
    errors : by name, such as dimension and function, those of one dimension with the same N; the rule
        :math:`\lambda \propto N^{1/2}` stands beside and decides nothing.

    Returns
    -------
    Report
        It holds where no rate is shallower than the minimax one within its 95 % interval over seeds. The remarks
        compare with the :math:`N^{-1/2}` of the text, and the two rules on the most data.

    Notes
    -----
    The lower bound is one over all f: a single f may be estimated faster, and a zigzag of three knots is. The
    logarithms are left out, the constant in front of :math:`\lambda` is that of `estimation_rate` and not tuned, and
    the figures are of this simulation.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Near-minimax optimal estimation with shallow ReLU neural networks, IEEE Trans. Inf.
       Theory 69 (2023), doi:10.1109/TIT.2022.3208653

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> n = np.array([50.0, 100.0, 200.0])
    >>> fast, slow = (np.outer([1.0, 1.2, 0.9], n**p) for p in (-0.9, -0.6))
    >>> rs.theorems.minimax_rate({"d = 1": rs.theorems.RuleErrors(1, n, minimax=fast, root=slow)}).holds
    True
    >>> rs.theorems.minimax_rate({"d = 1": rs.theorems.RuleErrors(1, n, minimax=slow, root=slow)}).holds
    False
    """
    slopes = {name: slope(each.sizes, each.minimax) for name, each in errors.items()}
    measures = tuple(rate(f"exponent of N, {name}", slopes[name], each.exponent) for name, each in errors.items())
    remarks = [compared(name, each, -0.5) for name, each in slopes.items()]
    remarks += [_beside(name, each) for name, each in errors.items()]
    claim = "with lam ~ N^(d / (2d + 3)) the mean integrated squared error falls like N^(-(d + 3) / (2d + 3)) or faster"
    return Report(claim, "Section VI, [31]", measures, lambda figure: _draw(figure, errors), tuple(remarks))


def _beside(name: str, errors: RuleErrors) -> str:
    """The rate by the other rule, and its errors on the most data; paired, as both saw the same data."""
    ratio = interval(np.log(errors.root[:, -1] / errors.minimax[:, -1]))
    return (
        f"{name}: with lam ~ N^(1/2) the exponent is {slope(errors.sizes, errors.root)}, and at N = "
        f"{errors.sizes[-1]:g} the error is {np.exp(ratio.value):.2f} times that with the minimax rule "
        f"[{np.exp(ratio.low):.2f}, {np.exp(ratio.high):.2f}]."
    )


def _draw(figure: Figure, errors: Mapping[str, RuleErrors]) -> None:
    dimensions = sorted({each.d for each in errors.values()})
    for d, axes in zip(dimensions, figure.subplots(1, len(dimensions), squeeze=False)[0], strict=True):
        members = {name: each for name, each in errors.items() if each.d == d}
        first = next(iter(members.values()))
        shown = {name: each.minimax for name, each in members.items()}
        draw_rates(axes, first.sizes, shown, first.exponent, -0.5)
        axes.set(xlabel="N", ylabel="integrated squared error", title=f"lam ~ N^({d}/{2 * d + 3})")
