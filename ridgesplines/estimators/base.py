"""The common parts of the estimators: losses by name, distinct rows, the way from arrays to Solutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.constraints import Constraint, MonotoneFeatures, checked
from ridgesplines.dates import Dates, read, refused, require_same
from ridgesplines.estimators import by_rows
from ridgesplines.estimators.posed import Posed
from ridgesplines.estimators.robust_scale import robust_scale
from ridgesplines.estimators.time_limit import Clock, limited, ran_out
from ridgesplines.exceptions import ProblemError
from ridgesplines.interactions import Interactions
from ridgesplines.interactions import read as read_interactions
from ridgesplines.interrupt import Deferral
from ridgesplines.losses.absolute import Absolute
from ridgesplines.losses.base import Loss
from ridgesplines.losses.huber import Huber
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.oracle import monotone
from ridgesplines.oracle.search import compile_ahead
from ridgesplines.problem import Problem
from ridgesplines.rows import in_blocks
from ridgesplines.solution import Path, Solution
from ridgesplines.solve import in_numbers, solve_path
from ridgesplines.solvers.base import Solver
from ridgesplines.solvers.choice import picked
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.solvers.progress import Bar, stage
from ridgesplines.validation import Array, finite, require_no_text, require_readable, target_names
from ridgesplines.verdict import Status


def loss_named(loss: Any, names: Mapping[str, Callable[[], Loss]]) -> Loss:
    """A loss, given as one or by its name."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str) and loss in names:
        return names[loss]()
    name, first = next(iter(names.items()))
    allowed = ", ".join(map(repr, names))
    got = f"the class {loss.__name__} itself" if isinstance(loss, type) else repr(loss)
    raise ProblemError(
        "loss",
        f"one of {allowed}, or a loss such as {first().name}()",
        got,
        f"Pass loss={name!r}, or an object for a loss with parameters of its own.",
    )


def positive_rows(X: Array, sample_weight: Any) -> tuple[NDArray[np.intp], Array]:
    """The rows of positive weight, and their weights."""
    if sample_weight is not None:
        require_numbers("sample_weight", sample_weight)
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    kept = np.flatnonzero(weight > 0.0)
    return kept, weight[kept]


def require_numbers(name: str, values: Any) -> None:
    """Raise for what would be cast or misread in silence, and for missing values; scikit-learn checks the rest."""
    require_readable(name, values)
    array = np.asarray(values)
    if (error := refused(name, array)) is not None:
        raise error
    if array.dtype.kind == "f":
        finite(name, array)


def require_relu(activation: Activation | None) -> None:
    """Raise where weights have no length of their own, so that features cannot be measured in scales."""
    if activation is not None and not isinstance(activation, ReLU):
        remedy = "Pass scale=False, and put StandardScaler() before the estimator where the units of features differ."
        raise ProblemError("scale", "False with another activation than ReLU()", f"True with {activation!r}", remedy)


class SplineEstimator(BaseEstimator):
    """Base of the estimators: they have the parameter `solver`, and may have `scale`."""

    lam: float | str
    solver: Solver | None
    activation: Activation | None = None
    max_time: float | None = None
    verbose: bool = False
    network_: RidgeSpline
    lam_: float
    timed_out_: bool
    scaler_: StandardScaler
    #: What the numbers of a single feature stand for, where they are days; None for plain numbers.
    dates_: Dates | None
    #: The estimator that chooses lam.
    _choosing: ClassVar[str] = ""
    #: Whether a vector is taken as N samples of one feature.
    _takes_vectors: ClassVar[bool] = False
    #: Whether rows in blocks are fitted by passes over them.
    _takes_blocks: ClassVar[bool] = False
    #: Which features may act together in the problems that are posed; None for all of them.
    _groups: Interactions | None = None
    #: The name of y, and those of its columns, where it had them.
    _target_names: tuple[str | None, tuple[str, ...] | None] = (None, None)
    #: The penalty of the slope in the problems that are posed.
    _steep: float = 0.0
    #: The lengths in which outputs are measured.
    _output_scales: Array | None = None
    #: What must hold of f everywhere, features by number.
    _shape: tuple[Constraint, ...] = ()

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Solve the problem for these data.

        Parameters
        ----------
        X : the features, one row a sample; a DataFrame's column names are kept. A single feature may be dates or
            durations, of which the numbers are days: see Problem. Ridge-spline estimators without CV also take arrays
            and dataframes of Dask and a large ``numpy.memmap``, for what a Problem takes in blocks.
        y : for a regressor numbers, shape (N,), or (N, D) for vector outputs, which squared error alone takes; a
            column, (N, 1), is one output, whose predictions have shape (N,). For a classifier labels of any kind, shape
            (N,), at least two of them.
        sample_weight : shape (N,), nonnegative; ones by default.

        Returns
        -------
        self

        Raises
        ------
        ProblemError
            A ValueError: where data or parameters do not describe a problem that has a solution.
        SolverRefusal
            Where the solver cannot take the problem.
        """
        clock = Clock(self.max_time)
        if self._takes_blocks and in_blocks(X):
            return self._fit_in_blocks(X, y, sample_weight, clock)
        by_rows.warn_of_memory(self, X)
        posed = self._pose(X, y, sample_weight)
        self._standardise(posed)
        self._groups = self._read(getattr(self, "interactions", None))
        self._shape = self._read_constraints()
        self._compile_ahead(posed, clock)
        with Bar(self.verbose, len(posed.targets), clock.seconds):
            posed = self._with_scale(posed)
            self.lam_ = self._lam(posed)
            self._keep([self._noted(path[0]) for path in self._paths(posed, [self.lam_], clock=clock)])
        return self

    def _fit_in_blocks(self, X: Any, y: Any, sample_weight: Any, clock: Clock) -> Self:
        """The same by passes over rows that are read block by block; equal rows are not merged."""
        loss, targets = self._target_in_blocks(y)
        shape, groups = tuple(checked(getattr(self, "constraints", None))), getattr(self, "interactions", None)
        problem = by_rows.problem_in_blocks(loss, X, targets, sample_weight, shape, groups, self.activation)
        self.__dict__.pop("scaler_", None)
        self.__dict__.pop("feature_names_in_", None)
        self.n_features_in_, self.dates_ = problem.n_features, None
        if problem.feature_names is not None:
            self.feature_names_in_ = np.array(problem.feature_names, dtype=object)
        if getattr(self, "scale", False):
            self.scaler_ = by_rows.scaler_of(problem)
            problem = problem.with_scales(self.scaler_.scale_)
        with Bar(self.verbose, 1, clock.seconds), Deferral():
            self.lam_ = in_numbers([problem], self.lam)
            solver = limited(self._named_solver() or picked(problem), clock.left)
            (solution,) = solve_path(problem, solver, lams=[self.lam_])
        if solution.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        self.timed_out_ = ran_out([solution.history])
        self._keep([self._noted(solution)])
        return self

    def _target_in_blocks(self, y: Any) -> tuple[Loss, Any]:
        """The loss, and y as it takes it."""
        raise NotImplementedError

    def _named_solver(self) -> Solver | None:
        """The solver that the parameters ask for; None for the one that is picked for the problem."""
        return self.solver

    def _lam(self, posed: Posed) -> float:
        """The lam of the fit, as a number."""
        return in_numbers([self._distinct(posed, target, 1.0) for target in posed.targets], self.lam)

    def _noted(self, solution: Solution) -> Solution:
        """The solution with a word on where its lam is from, for `summary`."""
        if not isinstance(self.lam, str) or getattr(self, "max_neurons", None) is not None:
            return solution
        looked = f"{self.lam}, a first look: {self._choosing} chooses it by the data"
        words = "null, from which on noise alone bends nothing" if self.lam.strip() == "null" else looked
        return replace(solution, history={**solution.history, "lam": words})

    def _pose(self, X: Any, y: Any, sample_weight: Any) -> Posed:
        """The data that were passed to `fit`, as one problem, or one a class."""
        raise NotImplementedError

    def _names(self) -> list[str] | None:
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else list(map(str, names))

    def _read(self, interactions: Any) -> Interactions | None:
        """The groups of columns that are meant, in the numbers or the names of those that were passed to `fit`."""
        return read_interactions(interactions, self.n_features_in_, self._names())

    def _read_constraints(self) -> tuple[Constraint, ...]:
        """The constraints, features by number: parts of the data have no names."""
        return tuple(
            given.numbered(self.n_features_in_, self._names()) if isinstance(given, MonotoneFeatures) else given
            for given in checked(getattr(self, "constraints", None))
        )

    def _compile_ahead(self, posed: Posed, clock: Clock) -> None:
        """Compile the search for neurons, so that this takes no time off the first fit."""
        n, d = posed.X.shape
        sizes = [d] if self._groups is None else [len(group) for group in self._groups]
        if not clock.seconds < np.inf or not isinstance(self._named_solver(), ColumnGeneration | None):
            return
        with clock.stopped():
            if self._shape and d > 1:
                monotone.compile_ahead(n, sizes)
            elif max(sizes) > 2:
                compile_ahead(n, d)

    def _keep(self, solutions: Sequence[Solution]) -> None:
        """Take these solutions, one a target, as the result."""
        raise NotImplementedError

    def _standardise(self, posed: Posed) -> None:
        """Find the scales of the features, and of the outputs, where these are wanted."""
        if hasattr(self, "scaler_"):  # of an earlier fit
            del self.scaler_
        if getattr(self, "scale", False):
            require_relu(self.activation)
            self.scaler_ = StandardScaler().fit(posed.X[posed.rows.first], sample_weight=posed.rows.weight)
        self._output_scales = None
        if getattr(self, "scale_outputs", False) and (y := posed.targets[0]).ndim == 2:
            self._output_scales = StandardScaler().fit(y, sample_weight=posed.weight).scale_

    def _with_scale(self, posed: Posed) -> Posed:
        """The same with numbers in the loss, where a multiple of the scale of the noise was passed."""
        if not isinstance(posed.loss, Huber) or posed.loss.multiple is None:
            return posed
        median = replace(posed, loss=Absolute())
        scale = robust_scale(self._distinct(median, median.targets[0], 1.0), self.solver)
        return replace(posed, loss=Huber(posed.loss.multiple * scale))

    def _paths(
        self,
        posed: Posed,
        lams: Sequence[float] | Array,
        solver: Solver | None = None,
        clock: Clock | None = None,
    ) -> list[Path]:
        """For each target the solutions for all rows, found on the distinct ones; by the estimator's solver."""
        paths: list[Path] = []
        solver = solver or self._named_solver()
        for k, target in enumerate(posed.targets):
            stage(f"class {k + 1} of {len(posed.targets)}" if len(posed.targets) > 1 else "all rows")
            seconds = float("inf") if clock is None else clock.left / (len(posed.targets) - k)
            paths.append(self._path(posed, target, lams, solver, seconds))
        self.timed_out_ = ran_out(solution.history for path in paths for solution in path)
        return paths

    def _path(
        self,
        posed: Posed,
        target: Array,
        lams: Sequence[float] | Array,
        solver: Solver | None,
        seconds: float = float("inf"),
    ) -> Path:
        if seconds < float("inf"):
            solver = limited(solver or picked(self._distinct(posed, target, lams[0])), seconds)
        problem = self._named(self._problem(posed.X, target, lams[0], posed.loss, posed.weight), posed)
        with Deferral():  # half of a fit is none: whoever loops over several is to stop
            path = solve_path(self._distinct(posed, target, lams[0]), solver, lams=lams)
        if path[-1].status is Status.INTERRUPTED:  # by somebody who handles signals otherwise
            raise KeyboardInterrupt
        return Path(tuple(posed.rows.restore(solution, problem.with_lam(solution.problem.lam)) for solution in path))

    def _distinct(self, posed: Posed, target: Array, lam: float) -> Problem:
        """The problem of the distinct rows."""
        rows = posed.rows
        return self._problem(posed.X[rows.first], target[rows.first], lam, posed.loss, rows.weight)

    def _problem(self, X: Array, y: Array, lam: float, loss: Loss, weight: Array) -> Problem:
        names = getattr(self, "feature_names_in_", None)
        return Problem(
            X,
            y,
            lam,
            loss,
            sample_weight=weight,
            feature_names=names,
            constraints=self._shape,
            interactions=self._groups,
            activation=self.activation,
            dates=getattr(self, "dates_", None),
            scales=self.scaler_.scale_ if hasattr(self, "scaler_") else None,
            slope_penalty=self._steep,
            output_scales=self._output_scales if y.ndim == 2 else None,
        )

    def _named(self, problem: Problem, posed: Posed) -> Problem:
        """The problem with the names of y, for pictures."""
        return problem.named(*self._target_names)

    def _evaluate(self, X: Any) -> Array:
        """The network at the rows of X."""
        check_is_fitted(self)
        if in_blocks(X) and getattr(self, "dates_", None) is None:
            return by_rows.values(self.network_, getattr(self, "feature_names_in_", None), X)
        return self.network_.at(self._checked(X, reset=False))

    def _checked(self, X: Any, reset: bool, **targets: Any) -> Any:
        """X as an array of numbers, of days where it has dates, or (X, y) where y is given."""
        require_readable("X", X)
        days, given = read("X", X, distinct=reset)
        if reset:
            self.dates_ = given
            self._target_names = target_names(targets.get("y"))
        else:
            require_same("X", given, self.dates_)
        table = X if given is None else _with_days(X, days)
        if self._takes_vectors and (reset or self.n_features_in_ == 1):
            table = self._column(table)
        try:
            checked = validate_data(self, table, dtype=np.float64, reset=reset, ensure_all_finite=False, **targets)
        except ValueError:
            require_no_text("X", table)
            raise
        finite("X", checked[0] if targets else checked)
        return checked

    @staticmethod
    def _column(X: Any) -> Any:
        """A vector as a column, a Series with its name."""
        array = np.asarray(X)
        if array.ndim != 1:
            return X
        return X.to_frame() if hasattr(X, "to_frame") else array[:, None]


def _with_days(X: Any, days: Array) -> Any:
    """Numbers of days in the place of dates, in a table or a Series of the same names where X is one."""
    if not hasattr(X, "iloc"):
        return days
    if days.ndim == 1 and not hasattr(X, "columns"):
        return type(X)(days, index=X.index, name=X.name)
    return type(X)(days.reshape(-1, 1), index=X.index, columns=X.columns)
