r"""The null quantile: the lam at which noise alone bends nothing.

Where y is an affine function and noise, a fit should have no neuron, and it has none from lambda_max on. So lam is the
95 % quantile of lambda_max over noise as large as that of the data.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.amplitudes.affine import affine_fit, require_minimiser
from ridgesplines.exceptions import ProblemError
from ridgesplines.interrupt import check
from ridgesplines.objective import dual_of_fit
from ridgesplines.oracle import continuum_oracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.validation import Array

#: Of so many draws the value is the largest but k, with (k + 1)/(draws + 1) = 5 %: the level is exact, not estimated.
#: Few draws for many features, where each of them is a search.
DRAWS, DRAWS_OF_MANY, LEVEL = 99, 19, 0.05
#: A rough search finds more than this part of a supremum; only of the largest more is asked.
NEAR = 0.9
#: Residuals below this part of the spread of y are rounding.
ROUNDING = 1e-9


def null_quantile(problem: Problem, seed: int = 0) -> float:
    r"""The lam at which a fit to an affine function and noise has no neuron, with a probability of 95 %.

    .. math:: \lambda = q_{0.95}\Big( \sup_{w, b} \Big|\sum_n u_n \rho(w^T x_n - b)\Big| \Big), \qquad
              u = W^{1/2} (I - Q Q^T)\, \varepsilon, \quad W = \mathrm{diag}(s_n L''(y_n, z_n))

    with z the affine fit, Q an orthonormal basis of :math:`W^{1/2} [1\ X]`, and :math:`\varepsilon` normal: to first
    order the dual vector of an affine fit to noise of which L is the negative log-likelihood. Squared error does not
    know how large the noise is: there each output of :math:`(I - Q Q^T) \varepsilon` is given the length that it has
    for the data, so that only directions are drawn.

    Parameters
    ----------
    problem : Squared, Logistic or Poisson, without constraints and penalty of the slope; its own lam does not matter.
    seed : of the draws.

    Returns
    -------
    float
        In units of lam.

    Raises
    ------
    ProblemError
        For other problems, and where an affine function separates the classes.

    Notes
    -----
    For Squared and normal noise of variance proportional to :math:`1/s_n` the level is exact for every N, since under
    an affine y the data are one more draw: ``lambda_max(problem) <= null_quantile(problem)`` is a test of linearity. It
    is that of a search where lambda_max is, three and more features together, for both are found by the same. For
    Logistic and Poisson it holds for many data, and errs towards no neuron for few. Where y does bend, the residuals of
    the affine fit are larger than the noise, and lam is too large by their ratio: the fit is smoother than the best one
    and follows no noise. 99 draws for one feature, each O(N log N), 19 for more, each a rough search, and a search for
    those that come near the largest.

    References
    ----------
    .. [1] C. Giacobino, S. Sardy, J. Diaz-Rodriguez, N. Hengartner, Quantile universal threshold, Electron. J. Stat. 11
       (2017), doi:10.1214/17-EJS1366

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x, noise = np.linspace(0.0, 1.0, 50), np.random.default_rng(1).standard_normal(50)
    >>> line = rs.Problem(x, 3.0 * x + noise, lam=1.0)
    >>> bent = rs.Problem(x, 30.0 * abs(x - 0.5) + noise, lam=1.0)
    >>> [bool(rs.lambda_max(problem) <= null_quantile(problem)) for problem in (line, bent)]
    [True, False]
    """
    _require_noise(problem)
    scaling = standardise(problem.isotropic)
    p = scaling.problem
    require_minimiser(p)
    fit = affine_fit(p)
    assert fit is not None  # smooth losses have one, or have raised
    root = np.sqrt((p.loss.curvature(p.y, fit[0]) if p.n_outputs is None else 2.0) * p.sample_weight)
    of_data = _without_affine((dual_of_fit(p, fit[0]).T / root).T, p, root)
    size = np.linalg.norm(of_data, axis=0)
    if float(np.max(size)) <= ROUNDING * float(np.linalg.norm(root)):
        return 1.0  # y is affine: every lam gives the same fit
    oracle = continuum_oracle(p.X, activation=p.activation, interactions=p.interactions)

    def supremum(draw: int, rough: bool) -> float:
        check()
        noise = _without_affine(np.random.default_rng([seed, draw]).standard_normal(of_data.shape), p, root)
        if p.loss.quadratic:
            noise = noise * (size / np.linalg.norm(noise, axis=0))
        return oracle((noise.T * root).T, rough=rough).value

    draws = DRAWS if p.n_features == 1 else DRAWS_OF_MANY
    suprema = np.array([supremum(draw, rough=True) for draw in range(draws)])
    if p.n_features > 1:
        suprema = np.array([supremum(int(k), rough=False) for k in np.flatnonzero(suprema > NEAR * suprema.max())])
    exceeded = round((draws + 1) * LEVEL) - 1
    return float(np.sort(suprema)[-1 - exceeded] / scaling.lam(1.0))


def _require_noise(problem: Problem) -> None:
    """Raise where no distribution of noise belongs to the problem, or lambda_max is not that of the data alone."""
    asked = {
        "Squared, Logistic or Poisson, of which noise is known": (problem.loss.likelihood, repr(problem.loss)),
        "no constraints": (not problem.constraints, repr(list(problem.constraints))),
        "slope_penalty=0": (not problem.slope_penalty, f"{problem.slope_penalty:g}, as for separable classes"),
        "norm=False": (not problem.norm, "norm=True"),
        "penalise_bias=False": (not problem.penalise_bias, "True"),
        "rows in memory": (problem.in_blocks is None, "rows in blocks"),
    }
    for expected, (holds, got) in asked.items():
        if not holds:
            remedy = 'Pass lam="0.05max", a number, or let a CV form choose.'
            raise ProblemError("lam", f'for "null", the null quantile, {expected}', got, remedy)


def _without_affine(e: Array, problem: Problem, root: Array) -> Array:
    """Residuals, each in units of its standard deviation, less their fit in the null space."""
    Q, _ = np.linalg.qr((problem.null_space.T * root).T)
    return e - Q @ (Q.T @ e)
