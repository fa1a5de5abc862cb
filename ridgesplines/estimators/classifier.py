"""Classification with ridge splines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from ridgesplines.activations.base import Activation
from ridgesplines.constraints import Constraint
from ridgesplines.estimators.base import SplineEstimator, loss_named, positive_rows
from ridgesplines.estimators.by_rows import classes_of, each, signs_of
from ridgesplines.estimators.importances import HasImportances
from ridgesplines.estimators.posed import Posed
from ridgesplines.estimators.separable import needed_penalty
from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss
from ridgesplines.losses.hinge import Hinge
from ridgesplines.losses.logistic import Logistic
from ridgesplines.losses.softmax import Softmax
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solvers.base import Solver
from ridgesplines.validation import Array, require_readable

#: The losses that have a name here.
LOSSES: dict[str, type[Loss]] = {"hinge": Hinge, "logistic": Logistic}


def _gives_probabilities(classifier: RidgeSplineClassifier) -> bool:
    """Whether the loss, of the fit where there is one, is a likelihood; for `available_if`."""
    solutions = getattr(classifier, "solutions_", ())
    loss = solutions[0].problem.loss if solutions else classifier.loss
    if isinstance(loss, (Logistic, Softmax)) or (isinstance(loss, str) and loss == "logistic"):
        return True
    raise AttributeError(f'loss={loss!r} has no probabilities; use loss="logistic"')


class RidgeSplineClassifier(HasImportances, ClassifierMixin, SplineEstimator):
    r"""Classification by the sign, or the largest, of ridge splines that have few neurons.

    .. math:: \min_{f \in RBV^2(\mathbb{R}^d)} \;
              \sum_{n=1}^N s_n L(y_n, f(x_n)) + \lambda \,\|D_t^2 K R f\|_M

    The solution is a shallow ReLU network with a skip connection,
    :math:`f(x) = \sum_k v_k \rho(w_k^T x - b_k) + c^T x + c_0` with unit :math:`w_k`; its seminorm
    is :math:`\sum_k |v_k|`, for D outputs :math:`\sum_k \|v_k\|_2`. A *ridge function* is a
    function of one projection :math:`w^T x`: nothing here is Tikhonov's "ridge".

    Parameters
    ----------
    lam : :math:`\lambda`, as a fraction of lambda_max such as ``"0.05max"``, from which on the fit is a hyperplane: it
        depends neither on units nor on N. Or a positive number, in units of length of x, of scaled x with `scale`.
        There is no factor 1/2 and no 1/N in front of the sum: with ten times the data, ten times the number strikes the
        same balance. Or ``"null"``, the null quantile, for ``"logistic"`` and classes that no affine function
        separates: labels drawn from the affine fit bend nothing then, with a probability of some 95 %. ``lam_`` is the
        number used. The default is a first look; RidgeSplineClassifierCV lets the data choose.
    loss : ``"hinge"``, ``"logistic"``, or a loss such as ``Logistic()``. See the notes for which to
        take.
    solver : settings such as ``rs.Grid(directions=256)``; picked for the problem by default.
    scale : whether weights are measured in standard deviations of the features: :math:`\|S w_k\|` in the seminorm, S
        their diagonal matrix, so that the fit does not depend on units. It is the problem of standardised features;
        everything else, from ``network_`` to pictures, is in the units of X.
    class_weight : a dictionary {label: factor}, by which the weights of that class's rows are
        multiplied, or ``"balanced"`` for factors that give all classes the same total weight; none
        by default.
    interactions : which features may act together: None for all of them; a whole number k for every set of at most k;
        or a list of groups of column numbers or names, such as ``[["age", "bmi"], ["s1"]]``. Each neuron is a function
        of the features of one group; the affine part is of all.
    constraints : for two classes, such as ``[MonotoneFeatures({"age": +1})]``: what ``decision_function``, and with it
        the probability of the second class, does as a feature rises. As for RidgeSplineRegressor.
    max_time : seconds for the fit, 15 by default, or None for no limit. What has been reached by then is kept, with its
        gap: ``timed_out_`` is True, ``solution_.status`` ``"not converged"``, and a ConvergenceWarning says so. What
        the solver says of its own ``max_time`` is finished on top: a round, or what compiles the program of a grid.
        What numba compiles once after its installation, some 10 seconds, does not count.
    verbose : whether a bar on standard error shows how far the fit is; where that is no terminal, nothing is printed.
    slope_penalty : :math:`\mu \ge 0`, of :math:`\frac{\mu}{2} \|c\|^2` in the objective, with c the slope of the affine
        function nearest to f: see Problem. By default None: zero, unless an affine function separates the classes; then
        the mean variance of the features, which is 1 where they are standardised.
    activation : of the neurons, such as ``rs.Sigmoid(0.5)``; ReLU by default. For others pass ``scale=False``: put a
        StandardScaler before the estimator where units differ.

    Attributes
    ----------
    solutions_ : the Solutions: one, or for the hinge loss with more than two classes one a class.
    solution_ : the Solution, where there is one.
    network_ : the RidgeSpline of all outputs, of X.
    lam_ : the lam that was used, a number.
    timed_out_ : whether time has ended the fit.
    scaler_ : the fitted StandardScaler, with `scale` only; ``scaler_.scale_`` is ``solution_.problem.scales``.
    feature_importances_ : how much each feature counts in f, shape (d,), with sum 1: see
        RidgeSplineRegressor. Rows count by their class weights too.
    slope_penalty_ : the :math:`\mu` of the fit; ``solution_.summary()`` says it too where it is positive.
    classes_ : the labels, sorted; those that have a row of positive weight.
    n_features_in_ : d.
    feature_names_in_ : names of the features, where X had them; ``network_.to_frame()`` shows them.

    Notes
    -----
    ``"hinge"`` always has a solution, and gives decisions only. Two classes are one problem, with
    labels -1 and +1. More are one problem each, that class against the rest; `network_` holds all
    their neurons, each in the output of its class, so that its seminorm is the sum of theirs.

    ``"logistic"`` gives probabilities too. Two classes are the problem of Logistic, more are that
    of Softmax, with one output a class and neurons that the outputs share.

    **Where an affine function separates the classes** the logistic loss has no minimiser: the affine
    part is not penalised, and the loss falls towards an infimum that no function attains. The hinge
    loss has many, all affine and of objective zero, whatever lam is. There the slope is penalised
    by default, as in scikit-learn's LogisticRegression and LinearSVC with C = 1: the logistic loss
    then has a minimiser, and that of the hinge loss is, as :math:`\mu` falls and where neurons cost
    more than it saves, the affine function of the largest margin. With ``slope_penalty=0``, or a
    solver that has no such penalty, `fit` raises a ProblemError for the logistic loss. Data with no
    more than d + 1 rows nearly always are separable.

    Equal rows are merged into one of their total weight and sorted before the
    problem is solved, so that the fit depends neither on the order of the rows, nor on whether a
    row is repeated or weighted. Rows of weight zero are left out; the solutions' problems hold the
    others, in the order in which they came.

    X of shape (N,) is N samples of one feature, which may be dates.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process.
       Mag. 40 (2023), eqs. (32), (33) and Section III-A, doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).standard_normal((60, 2))
    >>> labels = np.where(np.abs(X[:, 0]) > 0.7, "far", "near")
    >>> model = rs.RidgeSplineClassifier(lam=0.1).fit(X, labels)
    >>> model.score(X, labels) > 0.95, model.predict([[0.0, 0.0], [2.0, 0.0]]).tolist()
    (True, ['near', 'far'])
    """

    solutions_: tuple[Solution, ...]
    _takes_vectors = _takes_blocks = True
    _choosing = "RidgeSplineClassifierCV"

    def __init__(
        self,
        lam: float | str = "0.05max",
        loss: Loss | str = "hinge",
        solver: Solver | None = None,
        scale: bool = True,
        class_weight: dict[Any, float] | str | None = None,
        interactions: Any = None,
        constraints: Sequence[Constraint] | None = None,
        max_time: float | None = 15.0,
        verbose: bool = False,
        slope_penalty: float | None = None,
        activation: Activation | None = None,
    ) -> None:
        self.lam = lam
        self.loss = loss
        self.solver = solver
        self.scale = scale
        self.class_weight = class_weight
        self.interactions = interactions
        self.constraints = constraints
        self.max_time = max_time
        self.verbose = verbose
        self.slope_penalty = slope_penalty
        self.activation = activation

    def _pose(self, X: Any, y: Any, sample_weight: Any) -> Posed:
        """The arguments of `fit`, as one problem, or one a class."""
        loss = loss_named(self.loss, LOSSES)
        require_readable("y", y)
        X, y = self._checked(X, reset=True, y=y)
        check_classification_targets(y)
        kept, weight = positive_rows(X, sample_weight)
        y = y[kept]
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ProblemError(
                "y",
                "labels of at least 2 classes",
                f"{len(self.classes_)} class",
                "Check the labels, and that sample_weight is not zero in all rows of a class.",
            )
        weight = weight * self._class_factors(y, codes, weight)[codes]
        loss, targets = self._targets(loss, codes)
        return Posed(X[kept], y, tuple(targets), loss, weight, kept)

    def _standardise(self, posed: Posed) -> None:
        """Find the scales of the features, and the penalty of the slope that the classes ask for."""
        super()._standardise(posed)
        self._steep = 0.0 if self.slope_penalty is None else self.slope_penalty
        if self.slope_penalty is None and not self.constraints:  # these go without one
            problems = [self._distinct(posed, target, 1.0) for target in posed.targets]
            self._steep = max(needed_penalty(problem, self.solver) for problem in problems)

    def _target_in_blocks(self, y: Any) -> tuple[Loss, Any]:
        if self.class_weight is not None:
            got, remedy = repr(self.class_weight), "Pass the factors as sample_weight."
            raise ProblemError("class_weight", "None, where rows are in blocks", got, remedy)
        if self.slope_penalty:
            got, remedy = f"{self.slope_penalty:g}", "Leave it out, or pass rows in memory."
            raise ProblemError("slope_penalty", "None, where rows are in blocks", got, remedy)
        self.classes_, self._steep = classes_of(y), 0.0
        return loss_named(self.loss, LOSSES), signs_of(y, self.classes_)

    def _keep(self, solutions: Sequence[Solution]) -> None:
        self.solutions_, self.slope_penalty_ = tuple(solutions), self._steep
        networks = [solution.network for solution in solutions]
        self.network_ = networks[0] if len(networks) == 1 else _side_by_side(networks)

    def _class_factors(self, y: Any, codes: Any, weight: Array) -> Array:
        """One factor a class."""
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            total = np.bincount(codes, weight)
            return total.sum() / (len(total) * total)
        factors = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        if not (factors > 0.0).all():
            raise ProblemError(
                "class_weight",
                "a positive factor for each class",
                repr(self.class_weight),
                "Leave a class out by dropping its rows.",
            )
        return factors

    def _targets(self, loss: Loss, codes: Any) -> tuple[Loss, list[Array]]:
        """The loss for this number of classes, and the labels of each problem."""
        classes = range(len(self.classes_))
        if isinstance(loss, Softmax) or (isinstance(loss, Logistic) and len(classes) > 2):
            return Softmax(), [codes]
        if len(classes) == 2:
            return loss, [2.0 * codes - 1.0]
        return loss, [np.where(codes == k, 1.0, -1.0) for k in classes]

    def _named(self, problem: Problem, posed: Posed) -> Problem:
        """The problem with the name of y and of the classes: of one against the rest it says which."""
        names = [str(label) for label in self.classes_]
        if len(names) > 2 and problem.n_outputs is None:
            own = str(posed.y[problem.y > 0.0][0])
            names = [f"not {own}", own]
        return problem.named(self._target_names[0], names)

    @property
    def solution_(self) -> Solution:
        """The Solution, where one problem was solved."""
        solutions: tuple[Solution, ...] = getattr(self, "solutions_", ())
        if len(solutions) == 1:
            return solutions[0]
        why = "see solutions_, which has one a class" if solutions else "fit first"
        raise AttributeError(f"solution_ is there where one problem was solved: {why}")

    def decision_function(self, X: Any) -> Array:
        """f at the rows of X: the margin of ``classes_[1]``, or for more classes one score each.

        Parameters
        ----------
        X : the features, shape (N, d).

        Returns
        -------
        ndarray
            Shape (N,) for two classes, (N, D) for D.
        """
        scores = self._evaluate(X)
        if scores.ndim == 2 and scores.shape[1] == 2:
            return scores[:, 1] - scores[:, 0]
        return scores

    def predict(self, X: Any) -> Any:
        """The label of each row of X, shape (N,).

        Parameters
        ----------
        X : the features, shape (N, d).
        """
        scores = self.decision_function(X)
        one = {"drop_axis": 1} if scores.ndim == 2 else {}
        return each(partial(_chosen, self.classes_), scores, self.classes_.dtype, **one)

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, shape (N, D); with the logistic loss only.

        Parameters
        ----------
        X : the features, shape (N, d).
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.stack([expit(-scores), expit(scores)], axis=1)
        return softmax(scores, axis=1)

    @available_if(_gives_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of `predict_proba`, which does not underflow; with the logistic loss only.

        Parameters
        ----------
        X : the features, shape (N, d).
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.stack([log_expit(-scores), log_expit(scores)], axis=1)
        return log_softmax(scores, axis=1)


def _chosen(classes: Array, scores: Array) -> Array:
    return classes[(scores > 0.0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]


def _side_by_side(networks: Sequence[RidgeSpline]) -> RidgeSpline:
    """One network of D outputs from D networks of one: each keeps its neurons, in its output."""
    sizes = [net.n_neurons for net in networks]
    amplitudes = np.zeros((sum(sizes), len(networks)))
    amplitudes[np.arange(sum(sizes)), np.repeat(np.arange(len(networks)), sizes)] = np.concatenate(
        [net.amplitudes for net in networks]
    )
    return RidgeSpline(
        np.concatenate([net.weights for net in networks]),
        np.concatenate([net.biases for net in networks]),
        amplitudes,
        np.stack([net.slope for net in networks], axis=1),
        np.array([net.offset for net in networks]),
        networks[0].feature_names,
        dates=networks[0].dates,
    )
