"""Regression: linear splines of one feature, ridge splines of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.metrics import d2_tweedie_score
from sklearn.utils.validation import check_is_fitted

from ridgesplines.activations.base import Activation
from ridgesplines.constraints import Constraint
from ridgesplines.estimators.base import SplineEstimator, loss_named, positive_rows, require_numbers
from ridgesplines.estimators.few_neurons import least_lam, neuron_limit
from ridgesplines.estimators.importances import HasImportances
from ridgesplines.estimators.known_knots import constraints_with, require_within, solver_with_knots
from ridgesplines.estimators.posed import Posed
from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.absolute import Absolute
from ridgesplines.losses.base import Loss
from ridgesplines.losses.huber import Huber
from ridgesplines.losses.interpolation import Interpolation
from ridgesplines.losses.poisson import Poisson
from ridgesplines.losses.quantile import Quantile
from ridgesplines.losses.squared import Squared
from ridgesplines.solution import Solution
from ridgesplines.solvers.base import Solver
from ridgesplines.validation import Array

if TYPE_CHECKING:
    from sklearn.utils import Tags

#: The losses that have a name here; their own parameters are at their defaults, but for Huber's, which has no unit.
LOSSES: dict[str, Callable[[], Loss]] = {
    "squared": Squared,
    "absolute": Absolute,
    "huber": partial(Huber, delta="1.345 mad"),
    "quantile": Quantile,
    "poisson": Poisson,
    "interpolation": Interpolation,
}


class SplineRegressor(MultiOutputMixin, RegressorMixin, SplineEstimator):
    """The base of the two regressors."""

    loss: Loss | str
    solution_: Solution

    def _pose(self, X: Any, y: Any, sample_weight: Any) -> Posed:
        """The arguments of `fit`, as one problem."""
        loss = loss_named(self.loss, LOSSES)
        require_numbers("y", y)
        X, y = self._checked(X, reset=True, y=y, multi_output=True, y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:  # a column is one output
            y = y[:, 0]
        kept, weight = positive_rows(X, sample_weight)
        return Posed(X[kept], y[kept], (y[kept],), loss, weight, kept)

    def _target_in_blocks(self, y: Any) -> tuple[Loss, Any]:
        return loss_named(self.loss, LOSSES), y

    def _keep(self, solutions: Sequence[Solution]) -> None:
        (self.solution_,) = solutions
        self.network_ = self.solution_.network

    def predict(self, X: Any) -> Array:
        """What is expected of y at the rows of X: f, or for counts, with Poisson, the mean exp(f).

        Parameters
        ----------
        X : the features, as in `fit`.

        Returns
        -------
        ndarray
            Shape (N,), or (N, D) for vector outputs.
        """
        values = self._evaluate(X)
        return self.solution_.problem.loss.mean(values)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        r""":math:`R^2` of the prediction, or with Poisson :math:`D^2`: one less the share of the deviance that is left.

        Parameters
        ----------
        X, y, sample_weight : as in `fit`.

        Returns
        -------
        float
            At most 1; 0 for the mean of y.
        """
        check_is_fitted(self)
        if isinstance(self.solution_.problem.loss, Poisson):
            return float(d2_tweedie_score(y, self.predict(X), sample_weight=sample_weight, power=1))
        return float(super().score(X, y, sample_weight))


class LinearSplineRegressor(SplineRegressor):
    r"""Regression with a linear spline of one feature that has few knots.

    .. math:: \min_{f \in BV^2(\mathbb{R})} \;
              \sum_{n=1}^N s_n L(y_n, f(x_n)) + \lambda \,\|D^2 f\|_M

    The solution is piecewise linear with at most N - 2 knots, which the data choose;
    :math:`\|D^2 f\|_M` is the sum of the sizes of its changes of slope.

    Parameters
    ----------
    lam : :math:`\lambda`, as a fraction of lambda_max such as ``"0.05max"``, from which on the fit is a straight line:
        it depends neither on units nor on N. Or a positive number, in units of loss times length of x per unit of y.
        There is no factor 1/2 and no 1/N in front of the sum: with ten times the data, ten times the number strikes the
        same balance. Or ``"null"``, the null quantile: noise about a straight line, as much as the data have, bends
        nothing then, with a probability of 95 %; for squared error and Poisson. ``lam_`` is the number used. The
        default is a first look that fits some of the noise; LinearSplineRegressorCV lets the data choose.
    loss : a loss such as ``Huber(delta=0.5)``, or a name: ``"squared"``, ``"absolute"``, ``"quantile"`` (the median),
        ``"poisson"``, ``"interpolation"``, or ``"huber"``, which is ``Huber(delta="1.345 mad")``: 1.345 times a robust
        estimate of the standard deviation of the noise, whatever the units of y; ``solution_.problem.loss`` has the
        number.
    solver : settings such as ``rs.Grid()``; picked for the problem by default.
    max_neurons : None, or the most neurons that the fit may have, one less than its segments. `lam` is not used then:
        it is the smallest that leaves no more, found on a path from lambda_max down and bisected to a relative 1e-4;
        ``solution_.problem.lam`` is the one found. ``solution_.refitted()`` is what least squares makes of its knots.
    knots : None, or places for the knots, numbers or dates between the least and the largest x: the fit is then the
        best of the splines with knots at some of them and nowhere else, found by ``rs.Grid(biases=knots)``. Its summary
        tells its gap among these from that among all functions. With constraints it is ``KnotsAt(knots)``, one more of
        them, and the gap that among the functions that satisfy all.
    constraints : what must hold of f on the whole line, such as ``[Monotone(), Lipschitz(2.0)]``; the fit is the best
        of the functions that satisfy all of them. None for no constraints. ``FreeKnots(places)`` among them are change
        points at which a bend costs nothing.
    max_time : seconds for the fit, or None for no limit. What has been reached by then is kept, with its gap:
        ``timed_out_`` is True, ``solution_.status`` ``"not converged"``, and a ConvergenceWarning says so. What
        the solver says of its own ``max_time`` is finished on top: a round, or what compiles the program of a grid.
    verbose : whether a bar on standard error shows how far the fit is; where that is no terminal, nothing is printed.
    scale_outputs : whether outputs, where there are several, are measured in their standard deviations: with T their
        diagonal matrix the loss is :math:`\|T^{-1}(y_n - f(x_n))\|^2` and the seminorm
        :math:`\sum_k \|T^{-1} v_k\| \|w_k\|`, so that all count alike, whatever their units. It is the problem of
        standardised outputs, ``solution_.problem.output_scales`` are its scales; f, tables and pictures are in the
        units of y. False by default.
    activation : of the neurons, such as ``rs.TruncatedPower(3)`` for cubic splines; ReLU by default.

    Attributes
    ----------
    solution_ : the Solution, with objective, gap and certificate.
    network_ : the RidgeSpline f, with Poisson the logarithm of the mean; ``network_.knots`` and ``network_.to_frame()``
        show it.
    lam_ : the lam that was used, a number.
    dates_ : what the numbers of x stand for, where x were dates or durations, see
        :class:`ridgesplines.dates.Dates`; None for numbers.
    n_features_in_ : 1.
    feature_names_in_ : the name of the feature, where X had one.

    Notes
    -----
    X has shape (N,) or (N, 1); a Series is taken with its name. Dates and durations are numbers of days, whatever
    their unit, also in `lam` and in slopes; `predict` takes dates again, and knots are dates. The tags say that a
    vector will do in the way in which those of scikit-learn's own one-feature estimator do, IsotonicRegression:
    `one_d_array` is True and `two_d_array` False.

    Equal rows are merged into one of their total weight and sorted before the problem is solved, so
    that the fit depends neither on the order of the rows, nor on whether a row is repeated or
    weighted. Rows of weight zero are left out; `solution_.problem` holds the others, in the order
    in which they came.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process.
       Mag. 40 (2023), eqs. (17), (18), doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(-1.0, 1.0, 21)
    >>> model = rs.LinearSplineRegressor(lam=0.01).fit(x, np.abs(x))
    >>> model.network_.n_neurons, np.allclose(model.network_.knots, 0.0)
    (1, True)
    >>> model.predict([0.5]).round(2)
    array([0.5])
    """

    _takes_vectors = True
    _choosing = "LinearSplineRegressorCV"

    def __init__(
        self,
        lam: float | str = "0.05max",
        loss: Loss | str = "squared",
        solver: Solver | None = None,
        max_neurons: int | None = None,
        knots: Any = None,
        constraints: Sequence[Constraint] | None = None,
        max_time: float | None = None,
        verbose: bool = False,
        scale_outputs: bool = False,
        activation: Activation | None = None,
    ) -> None:
        self.lam = lam
        self.loss = loss
        self.solver = solver
        self.constraints = constraints
        self.max_neurons = max_neurons
        self.knots = knots
        self.max_time = max_time
        self.verbose = verbose
        self.scale_outputs = scale_outputs
        self.activation = activation

    def _lam(self, posed: Posed) -> float:
        most = neuron_limit(self.max_neurons)
        if most is None:
            return super()._lam(posed)
        return least_lam(self._distinct(posed, posed.targets[0], 1.0), self._named_solver(), most)

    def _pose(self, X: Any, y: Any, sample_weight: Any) -> Posed:
        posed = super()._pose(X, y, sample_weight)
        if self.knots is not None:
            require_within(self.knots, posed.X[:, 0], self.dates_)
        return posed

    def _read_constraints(self) -> tuple[Constraint, ...]:
        return constraints_with(self.knots, super()._read_constraints())

    def _named_solver(self) -> Solver | None:
        if self.knots is None:
            return self.solver
        return solver_with_knots(self.knots, self.solver, self._read_constraints())

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def _checked(self, X: Any, reset: bool, **targets: Any) -> Any:
        checked = super()._checked(X, reset, **targets)
        return (self._single(checked[0]), checked[1]) if targets else self._single(checked)

    @staticmethod
    def _single(X: Array) -> Array:
        """X, which must be one column."""
        if X.shape[1] != 1:
            raise ProblemError(
                "X",
                "one feature, shape (N,) or (N, 1)",
                f"{X.shape[1]} features",
                "Use RidgeSplineRegressor.",
            )
        return X


class RidgeSplineRegressor(HasImportances, SplineRegressor):
    r"""Regression with a ridge spline of many features that has few neurons.

    .. math:: \min_{f \in RBV^2(\mathbb{R}^d)} \;
              \sum_{n=1}^N s_n L(y_n, f(x_n)) + \lambda \,\|D_t^2 K R f\|_M

    The solution is a shallow ReLU network with a skip connection,
    :math:`f(x) = \sum_k v_k \rho(w_k^T x - b_k) + c^T x + c_0` with unit :math:`w_k` and fewer
    neurons than samples; its seminorm is :math:`\sum_k |v_k|`. A *ridge function* is a function of
    one projection :math:`w^T x`: nothing here is Tikhonov's "ridge".

    Parameters
    ----------
    lam : :math:`\lambda`, as a fraction of lambda_max such as ``"0.05max"``, from which on the fit is affine: it
        depends neither on units nor on N. Or a positive number, in units of loss times length of x per unit of y, of
        scaled x with `scale`. There is no factor 1/2 and no 1/N in front of the sum: with ten times the data, ten times
        the number strikes the same balance. Or ``"null"``, the null quantile: noise about an affine function, as much
        as the data have, bends nothing then, with a probability of 95 %; for squared error and Poisson. ``lam_`` is the
        number used. The default is a first look: where most of y is noise it fits some of that, and predicts worse than
        least squares. RidgeSplineRegressorCV lets the data choose.
    loss : a loss such as ``Huber(delta=0.5)``, or a name: ``"squared"``, ``"absolute"``, ``"quantile"`` (the median),
        ``"poisson"``, ``"interpolation"``, or ``"huber"``, which is ``Huber(delta="1.345 mad")``: 1.345 times a robust
        estimate of the standard deviation of the noise, whatever the units of y; ``solution_.problem.loss`` has the
        number.
    solver : settings such as ``rs.Grid(directions=256)``; picked for the problem by default.
    scale : whether weights are measured in standard deviations of the features: :math:`\|S w_k\|` in the seminorm, S
        their diagonal matrix, so that the fit does not depend on units. It is the problem of standardised features;
        everything else, from ``network_`` to pictures, is in the units of X.
    interactions : which features may act together: None for all of them; a whole number k for every set of at most k;
        or a list of groups of column numbers or names, such as ``[["age", "bmi"], ["s1"]]``. Each neuron is a function
        of the features of one group; the affine part is of all.
    constraints : such as ``[MonotoneFeatures({"age": +1})]``, features by column number or name. The
        certificate is exact where ``interactions`` has groups of at most two features, and searched otherwise.
    max_time : seconds for the fit, 15 by default, or None for no limit. What has been reached by then is kept, with its
        gap: ``timed_out_`` is True, ``solution_.status`` ``"not converged"``, and a ConvergenceWarning says so. What
        the solver says of its own ``max_time`` is finished on top: a round, or what compiles the program of a grid.
        What numba compiles once after its installation, some 10 seconds, does not count.
    verbose : whether a bar on standard error shows how far the fit is; where that is no terminal, nothing is printed.
    scale_outputs : whether outputs, where there are several, are measured in their standard deviations: with T their
        diagonal matrix the loss is :math:`\|T^{-1}(y_n - f(x_n))\|^2` and the seminorm
        :math:`\sum_k \|T^{-1} v_k\| \|w_k\|`, so that all count alike, whatever their units. It is the problem of
        standardised outputs, ``solution_.problem.output_scales`` are its scales; f, tables and pictures are in the
        units of y. False by default.
    activation : of the neurons, such as ``rs.Sigmoid(0.5)``; ReLU by default. For others pass ``scale=False``: put a
        StandardScaler before the estimator where units differ.

    Attributes
    ----------
    solution_ : the Solution, with objective, gap and certificate.
    network_ : the RidgeSpline f of X, with Poisson the logarithm of the mean.
    lam_ : the lam that was used, a number.
    timed_out_ : whether time has ended the fit.
    scaler_ : the fitted StandardScaler, with `scale` only; ``scaler_.scale_`` is ``solution_.problem.scales``.
    feature_importances_ : how much each feature counts in f, shape (d,), with sum 1, see the notes.
    n_features_in_ : d.
    feature_names_in_ : names of the features, where X had them; ``network_.to_frame()`` shows them.

    Notes
    -----
    A network of a grid is optimal among the neurons along the grid's directions;
    `solution_.certificate.scope` says what is proven beyond them. Squared error takes y of shape
    (N, D) for D outputs, with the group norm :math:`\sum_k \|v_k\|_2`, which makes the outputs
    share their neurons.

    Equal rows are merged into one of their total weight and sorted before the problem is solved, so
    that the fit depends neither on the order of the rows, nor on whether a row is repeated or
    weighted. Rows of weight zero are left out; `solution_.problem` holds the others, in the order
    in which they came.

    The importance of feature j is the weighted mean over the rows of
    :math:`|f(x) - f(x \text{ with } x_j \text{ at its mean})|^2`, as a share of the sum over the
    features; of outputs the squares are summed. It is computed exactly, not by sampling, does not
    depend on units, and is zero for all features where f is constant.
    ``solution_.components()`` tells curves and interactions apart.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process.
       Mag. 40 (2023), eqs. (32), (33), doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).standard_normal((40, 2))
    >>> model = rs.RidgeSplineRegressor(lam=0.1).fit(X, np.abs(X[:, 0]))
    >>> model.solution_.certificate.scope, model.score(X, np.abs(X[:, 0])) > 0.99
    ('exact', True)
    """

    _takes_blocks = True
    _choosing = "RidgeSplineRegressorCV"

    def __init__(
        self,
        lam: float | str = "0.05max",
        loss: Loss | str = "squared",
        solver: Solver | None = None,
        scale: bool = True,
        interactions: Any = None,
        constraints: Sequence[Constraint] | None = None,
        max_time: float | None = 15.0,
        verbose: bool = False,
        scale_outputs: bool = False,
        activation: Activation | None = None,
    ) -> None:
        self.lam = lam
        self.loss = loss
        self.solver = solver
        self.scale = scale
        self.interactions = interactions
        self.constraints = constraints
        self.max_time = max_time
        self.verbose = verbose
        self.scale_outputs = scale_outputs
        self.activation = activation
