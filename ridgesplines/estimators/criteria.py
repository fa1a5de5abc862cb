r"""Criteria that choose lam from one path without splitting the data: GCV, SURE, BIC; the noise that SURE needs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.absolute import Absolute
from ridgesplines.losses.base import Loss
from ridgesplines.losses.quantile import Quantile
from ridgesplines.losses.squared import Squared
from ridgesplines.problem import Problem
from ridgesplines.solution import Path
from ridgesplines.validation import Array


def noise_level(x: Array, y: Array, weight: Array) -> float:
    r"""The standard deviation of the noise, from how far each point is off the line through its neighbours.

    .. math:: \hat\sigma^2 = \frac{1}{m} \Big( \sum_{g, n \in g} s_n (y_n - \bar y_g)^2
              + \sum_{g = 2}^{G - 1} c_g^2\, (a_g \bar y_{g-1} + b_g \bar y_{g+1} - \bar y_g)^2 \Big)

    where the rows of equal x form the groups g = 1, ..., G, in the order of x, with means :math:`\bar y_g` and weights
    :math:`S_g`; :math:`a_g, b_g` are those of linear interpolation between the neighbours, however uneven they lie,
    and :math:`c_g^2 = 1 / (a_g^2/S_{g-1} + b_g^2/S_{g+1} + 1/S_g)`. There are m = N - 2 differences, where all x are
    equal m = N - 1.

    Parameters
    ----------
    x : the feature, shape (N,), in any order.
    y : the response, shape (N,).
    weight : :math:`s_n > 0`, shape (N,); the noise of row n has the variance :math:`\sigma^2 / s_n`.

    Returns
    -------
    float
        :math:`\hat\sigma`, in units of y.

    Raises
    ------
    ProblemError
        For fewer than three rows, which a straight line fits whatever the noise.

    Notes
    -----
    :math:`\hat\sigma^2` is unbiased for independent noise of any distribution where the truth is straight between
    neighbours; a truth that bends between them adds the square of the bend. The first sum is zero where no x is
    repeated: the estimator is then that of [1]_. Repeated x must not be taken as neighbours of each other, as there
    is no order among them. It estimates the *variance*, which is what the squared error suffers from, outliers
    included: a robust scale would be blind to them, and SURE would follow them. O(N log N).

    References
    ----------
    .. [1] T. Gasser, L. Sroka, C. Jennen-Steinmetz, Residual variance and residual pattern in nonlinear regression,
       Biometrika 73 (1986), 625-633, doi:10.1093/biomet/73.3.625

    Examples
    --------
    >>> import numpy as np
    >>> x = np.sort(np.random.default_rng(0).uniform(size=1000))
    >>> y = np.sin(6.0 * x) + 0.3 * np.random.default_rng(1).standard_normal(1000)
    >>> round(noise_level(x, y, np.ones(1000)), 2)
    0.3
    """
    if len(x) < 3:
        raise ProblemError(
            "sigma",
            "the standard deviation of the noise, which fewer than 3 rows do not tell",
            f"None, with n_samples={len(x)}",
            "Pass sigma=0.1, say, in units of y.",
        )
    sites, group = np.unique(x, return_inverse=True)
    total = np.bincount(group, weight)
    mean = np.bincount(group, weight * y) / total
    within = float(weight @ (y - mean[group]) ** 2)
    left, right = np.diff(sites)[:-1], np.diff(sites)[1:]
    a = right / (left + right)
    off = a * mean[:-2] + (1.0 - a) * mean[2:] - mean[1:-1]
    spread = a**2 / total[:-2] + (1.0 - a) ** 2 / total[2:] + 1.0 / total[1:-1]
    freedom = len(x) - len(sites) + len(off)
    return float(np.sqrt((within + off**2 @ (1.0 / spread)) / freedom))


def residual_noise(path: Path) -> float:
    r"""The standard deviation of the noise, from what the best fit of a path leaves.

    .. math:: \hat\sigma^2 = \sum_n s_n (y_n - f(x_n))^2 \,/\, (N - \mathrm{df})

    for the solution of least GCV among those that spend no more than half of the data, df <= N/2.

    Parameters
    ----------
    path : solutions for squared error; the noise of row n has the variance :math:`\sigma^2 / s_n`.

    Returns
    -------
    float
        :math:`\hat\sigma`, in units of y.

    Raises
    ------
    ProblemError
        Where even the largest lam spends more.

    Notes
    -----
    The estimate that [1]_ recommends for the lasso, with GCV in the place of cross-validation. What the fit misses of
    the truth adds to the noise, so that the path must reach lams that are small enough. Still smaller ones give too
    little, other than for least squares: a fit that shrinks is nearer to the truth than its df say. At the one chosen
    that is left in part: 5 to 10 % too little for 150 rows in two and three dimensions.

    References
    ----------
    .. [1] S. Reid, R. Tibshirani, J. Friedman, A study of error variance estimation in lasso regression,
       Statist. Sinica 26 (2016), 35-67, doi:10.48550/arXiv.1311.5274

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1.0, 1.0, (100, 2))
    >>> y = np.abs(X[:, 0]) + 0.3 * rng.standard_normal(100)
    >>> 0.25 < residual_noise(rs.solve_path(rs.Problem(X, y, lam=1.0), lams=[3.0, 1.0, 0.3])) < 0.35
    True
    """
    n, sse, df = _sizes(path)
    few = np.flatnonzero(df <= n / 2.0)
    if not len(few):
        raise ProblemError(
            "sigma",
            "the standard deviation of the noise, which is estimated from a fit of df <= N/2",
            f"None, with df = {df.min():.3g} for n_samples={n}",
            "Pass sigma=0.1, say, in units of y, or larger lams.",
        )
    best = few[np.argmin(_gcv(path, None)[few])]
    return float(np.sqrt(sse[best] / (n - df[best])))


def most_freedom(problem: Problem) -> float:
    """The degrees of freedom up to which GCV and BIC say anything: half of the data, or those of the affine function.

    Both weigh the misfit against its degrees of freedom as if these were few. The misfit of a spline that may bend at
    every datum falls to zero as df nears N, the logarithm of it without bound: beyond the middle that is all they see.
    """
    return max(0.5 * problem.n_samples, problem.rank)


def _within(path: Path, scores: Array) -> Array:
    """The scores, infinite from more degrees of freedom on than `most_freedom`, and where none are left."""
    p, df = path[0].problem, path.degrees_of_freedom
    return np.where((df <= most_freedom(p)) & (df < p.n_samples), scores, np.inf)


def _gcv(path: Path, sigma: float | None) -> Array:
    r"""(SSE / W) / (1 - df/N)^2, for df <= N/2."""
    n, sse, df = _sizes(path)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _within(path, sse / path[0].problem.sample_weight.sum() / (1.0 - df / n) ** 2)


def _sure(path: Path, sigma: float | None) -> Array:
    r"""SSE/N - sigma^2 + 2 sigma^2 df/N."""
    n, sse, df = _sizes(path)
    assert sigma is not None
    return sse / n - sigma**2 + 2.0 * sigma**2 * df / n


def _bic(path: Path, sigma: float | None) -> Array:
    r"""N log(SSE/N) + df log N, or 2 N log(loss/N) + df `_price` where the loss is that of a Laplace likelihood.

    For df <= N/2; an exact fit of so few is infinitely good.
    """
    n, fit, df = _sizes(path)
    factor = 1.0 if isinstance(path[0].problem.loss, Squared) else 2.0
    with np.errstate(divide="ignore"):
        return _within(path, factor * n * np.log(fit / n) + df * _price(path[0].problem.loss, n))


def _price(loss: Loss, n: int) -> float:
    r"""What BIC charges for a parameter: log N, and no less than what AIC would.

    A parameter that the truth does not need lowers 2 N log(loss) by :math:`\kappa \chi^2_1`, where
    :math:`\kappa = q (1 - q) / (f_q E_q)`, f_q being the density of the noise at its quantile and E_q the mean loss.
    Under Laplace noise kappa = 1, under normal noise :math:`q (1 - q) / \phi(\Phi^{-1}(q))^2`: 1.6 for the median, 4.5
    for q = 0.95, so that log N = 5.3 of 200 data hardly exceeds the gain by chance. AIC charges twice the mean gain.

    (A bound of N min(q, 1 - q) on df, at which a fit may meet all data beyond the quantile, protects as well, but for
    q = 0.95 and N = 50 it leaves but the straight line, whatever the data: twice the error of this, on average.)
    """
    q = loss.q if isinstance(loss, Quantile) else 0.5
    normal = q * (1.0 - q) / norm.pdf(norm.ppf(q)) ** 2
    return float(np.log(n) if isinstance(loss, Squared) else max(np.log(n), 2.0 * normal))


def _sizes(path: Path) -> tuple[int, Array, Array]:
    """N, the data fit (zero where it is rounding) and the degrees of freedom of each solution."""
    p, fit = path[0].problem, np.array([s.data_fit for s in path])
    rounding = p.sample_weight @ p.loss.value(p.y, p.y + 8.0 * np.finfo(float).eps * np.abs(p.y).max())
    return p.n_samples, np.where(fit > rounding, fit, 0.0), path.degrees_of_freedom


#: What each criterion computes from a path and the noise level, lower being better.
CRITERIA: dict[str, Callable[[Path, float | None], Array]] = {"gcv": _gcv, "sure": _sure, "bic": _bic}

#: The losses that a criterion is made for. The scale of Huber's density is tied to its delta, so that it has no BIC.
LOSSES_OF: dict[str, tuple[type[Loss], ...]] = {
    "gcv": (Squared,),
    "sure": (Squared,),
    "bic": (Squared, Absolute, Quantile),
}


def require_made_for(criterion: str, loss: Loss, y: Array) -> None:
    """Raise ProblemError where the criterion says nothing about this loss, or about vector outputs."""
    kinds = LOSSES_OF[criterion]
    if not isinstance(loss, kinds):
        raise ProblemError(
            "criterion",
            f"one made for {loss.name}, where {criterion!r} is made for {', '.join(k.__name__ for k in kinds)}",
            f"criterion={criterion!r} with loss={loss!r}",
            "Use criterion='cv', which judges any loss by itself.",
        )
    if y.ndim == 2:
        raise ProblemError(
            "criterion",
            f"one output for {criterion!r}: degrees of freedom are counted for scalar splines",
            f"{y.shape[1]} outputs",
            "Use criterion='cv', or fit one output at a time.",
        )
