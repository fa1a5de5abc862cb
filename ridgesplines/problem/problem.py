r"""The problem: data, loss, and the weight of the seminorm; validated once, here, and immutable from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.constraints import Constraint, MonotoneFeatures, Shape, combined
from ridgesplines.constraints.fitting import read_constraints, require_fitting
from ridgesplines.dates import Dates
from ridgesplines.display import digits
from ridgesplines.exceptions import ProblemError
from ridgesplines.interactions import Interactions, require_interpolant
from ridgesplines.interactions import read as read_interactions
from ridgesplines.losses.base import Loss
from ridgesplines.losses.squared import Squared
from ridgesplines.numerics.polynomials import affine_basis
from ridgesplines.problem.bias_penalty import checked_bias_penalty, homogeneous
from ridgesplines.problem.corners import checked_norm, require_seminorm, unit_corners
from ridgesplines.problem.data import Data, checked_output_scales, checked_scales, checked_slope_penalty, data_in_memory
from ridgesplines.problem.of_data import OfData
from ridgesplines.rows import Block, rows_of
from ridgesplines.rows.data import BlockedData, data_in_blocks
from ridgesplines.validation import (
    Array,
    Immutable,
    checked_names,
    column_names,
    consistent,
    features_named,
    frozen,
    instance,
    real_number,
    target_names,
)

#: What a problem has, besides what follows from it.
KEPT = (
    *("data", "lam", "constraints", "interactions", "feature_names", "dates", "scales", "slope_penalty"),
    *("target_name", "output_names", "output_scales", "corners", "penalise_bias", "skip", "through_origin"),
)


class Problem(OfData, Immutable):
    r"""Problem (17) in one dimension, problem (32) in many.

    .. math:: \min_f \; \sum_{n=1}^N s_n L(y_n, f(x_n)) + \lambda \,\|D_t^2 K R f\|_M

    where the seminorm is the second-order total variation in the Radon domain. For a network
    :math:`f(x) = \sum_k v_k \rho(w_k^T x - b_k) + c^T x + c_0` it is :math:`\sum_k |v_k| \|w_k\|_2`; for D
    outputs :math:`\sum_k \|v_k\|_2 \|w_k\|_2`. The affine part is free but for `norm`, biases but for `penalise_bias`.

    Parameters
    ----------
    X : shape (N, d), or (N,) for d = 1; finite. The column names of a DataFrame, or the name of a Series, are kept as
        `feature_names`. For d = 1 also
        dates or durations, of NumPy, pandas, Arrow or Python: their unit is **days** whatever their dtype's, in lam, in
        slopes and in the numbers of X, which count from 1970-01-01, UTC. Knots, tables and pictures have dates again.
        For d >= 2 also an array or a dataframe of Dask, or a ``numpy.memmap`` of more than 256 MiB: such rows are read
        block by block, and never brought to one place. Then Squared, Huber or Logistic, one output, no constraints.
    y : shape (N,), or (N, D) for vector outputs; what the loss takes. A column, (N, 1), is one output.
    lam : :math:`\lambda`, in units of loss times length per unit of y; positive, or zero with Interpolation.
        There is no factor 1/2 and no 1/N in front of the data term.
    loss : a loss; squared error by default.
    activation : of the neurons, a row of Table 1 of [1]_; ReLU by default. For the others the seminorm is that of their
        own sparsifying operator, :math:`\|H K R f\|_M`, and the polynomials that H annihilates are not penalised
        instead of the affine functions; see :class:`ridgesplines.activations.Activation`.
    sample_weight : :math:`s_n`, shape (N,), nonnegative; ones by default. Zero is the same as leaving a row out.
    feature_names : names of the d columns, for tables and plots; by default a DataFrame's own.
    constraints : a list of Monotone(), Convex(), Concave(), Lipschitz(bound), Slope(low, high), EndSlopes(left,
        right), Bounds(low, high), FixedValues(at, values), KnotsAt(places) and FreeKnots(places), for d = 1 and one
        output. They hold for f on all of R, and the minimum is over the f that satisfy all of them. For d >= 2
        MonotoneFeatures({"age": +1}), with or without interactions.
    interactions : which features may act together in a neuron: None for all of them; a whole number k for every set of
        at most k; or a list of groups of column numbers or names, such as ``[["age", "bmi"], ["s1"]]``. Each neuron's
        weights vanish outside one of the groups; the affine part is of all features. The rest holds word for word, and
        the supremum of :math:`|\eta|` is exact in any dimension where no group has more than two features.
    dates : what the numbers of X stand for, where X holds days already; read from X by default.
    scales : a length for each feature, in its units, positive, shape (d,), in which weights are measured: the seminorm
        is :math:`\sum_k |v_k| \|S w_k\|_2` with :math:`S = \mathrm{diag}(\text{scales})`, which is that of f as a
        function of x/scales. X, the network and the certificate stay in the units of x. ReLU; ones by default. The
        estimators' ``scale=True`` passes standard deviations.
    target_name : what to call y in pictures; by default the name of a Series.
    output_names : names of the D outputs, or of the classes, those of -1 and +1 for Logistic and Hinge, in pictures; by
        default the columns of a DataFrame y.
    output_scales : a length for each of D outputs, in its units, positive, shape (D,), in which outputs are measured:
        with :math:`T = \mathrm{diag}(\text{output scales})` the loss is :math:`\|T^{-1} (y_n - f(x_n))\|^2` and the
        seminorm :math:`\sum_k \|T^{-1} v_k\| \|w_k\|`, those of f/T. y, network and certificate stay in the units of
        y. For Squared; ones by default. The estimators' ``scale_outputs=True`` passes standard deviations.
    slope_penalty : :math:`\mu \ge 0`, in units of loss times the square of x over f; 0 by default. If positive,
        :math:`\frac{\mu}{2} \|c\|_F^2` joins the objective, where c is the slope of the affine function that is nearest
        to f at the data by weighted least squares. Classes that an affine function separates have a minimiser then.
        For ReLU, without constraints and for other losses than Interpolation; ColumnGeneration solves it for any d,
        Grid for smooth losses.
    norm : whether lam multiplies the norm in the place of the seminorm, so that the affine part is penalised as well,
        and a minimiser always exists:

        .. math:: \|f\| = \|D_t^2 K R f\|_M + |f(0)| + \sum_{j=1}^d |f(e_j) - f(0)|

        For D outputs the Euclidean norms of these D values; with `scales` the corners are :math:`s_j e_j`. The terms
        are values of f itself, neurons included, as in [2]_. It depends on where x is zero, and on its units. For ReLU,
        in memory, without constraints and slope_penalty; ColumnGeneration solves it for any d.
    penalise_bias : whether weight decay falls on the biases too: the penalty is :math:`\sum_k |v_k| \|(w_k, b_k)\|_2`,
        b in the units of x, and the supremum of :math:`|\eta|` is over the unit sphere in (w, b). It depends on where
        x = 0 is. For ReLU, rows in memory; alone, without constraints, interactions, scales or a slope_penalty.
        ColumnGeneration solves it for any d.
    skip : whether there is the free affine part. False only with penalise_bias: then c = 0, :math:`c_0` stands for the
        neuron of zero weights and costs :math:`\lambda |c_0|`, and this is training with decay on all parameters of
        two layers without an output bias.

    Raises
    ------
    ProblemError
        For anything that does not describe a problem; the message says what was expected.

    Notes
    -----
    Immutable: the arrays are read-only copies; rows in blocks are not copied, and must not change. Weight decay in the
    form (8), :math:`\frac{\lambda}{2}\sum_k |v_k|^2 + \|w_k\|^2`, has the same minimum, reached at balance (9).

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       eqs. (17), (32), doi:10.1109/MSP.2023.3286988
    .. [2] R. Parhi, R. D. Nowak, What kinds of functions do deep neural networks learn? Insights from variational
       spline theory, SIAM J. Math. Data Sci. 4 (2022), doi:10.1137/21M1418642

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], lam=0.1)
    >>> problem
    Problem(N=3, d=1, lam=0.1, loss=Squared(), activation=ReLU())

    A constant costs nothing, unless the norm counts: then it shrinks by half of lam / N.

    >>> shrunk = rs.solve(rs.Problem([0.0, 1.0], [3.0, 3.0], lam=0.4, norm=True))
    >>> shrunk.predict([0.0, 1.0]).round(6).tolist()
    [2.9, 2.9]
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        lam: float,
        loss: Loss | None = None,
        activation: Activation | None = None,
        sample_weight: Any = None,
        *,
        feature_names: Sequence[str] | None = None,
        constraints: Sequence[Constraint] | None = None,
        interactions: Any = None,
        dates: Dates | None = None,
        scales: Any = None,
        target_name: str | None = None,
        output_names: Sequence[str] | None = None,
        slope_penalty: float = 0.0,
        output_scales: Any = None,
        norm: bool = False,
        penalise_bias: bool = False,
        skip: bool = True,
    ) -> None:
        loss, activation = instance("loss", loss, Loss, Squared), instance("activation", activation, Activation, ReLU)
        rows = rows_of(X, y, sample_weight)
        names = column_names(X) if feature_names is None else feature_names
        if rows is None:
            self.data, self.dates = data_in_memory(X, y, sample_weight, loss, activation, dates)
        else:
            self.data, self.dates = data_in_blocks(rows, loss, activation, constraints, slope_penalty), None
        self.feature_names = features_named(names, self.n_features)
        of_y, of_columns = target_names(y)
        self.target_name = of_y if target_name is None else target_name
        self.output_names = self._checked_names(of_columns if output_names is None else output_names)
        self.lam = self._check_lam(lam)
        self.constraints = read_constraints(constraints, self.n_features, self.feature_names, self.dates)
        self.interactions: Interactions | None = read_interactions(interactions, self.n_features, self.feature_names)
        self.scales = checked_scales(scales, self.data)
        self.output_scales = checked_output_scales(output_scales, self.data)
        self.slope_penalty = checked_slope_penalty(slope_penalty, self.data, self.constraints)
        self.corners = checked_norm(norm, self)
        self.penalise_bias, self.skip = checked_bias_penalty(penalise_bias, skip, self)
        self.through_origin = False
        if loss.interpolates:
            consistent(self.reduced.X, self.reduced.y)
            if self.interactions is not None:
                require_interpolant(self.interactions, self.reduced.X, self.reduced.y)
        if self.constraints:
            require_fitting(self)

    def _check_lam(self, lam: float) -> float:
        lam = real_number("lam", lam, "a finite number >= 0", 0.0)
        if lam == 0.0 and not self.loss.interpolates:
            remedy = "At lam = 0 the seminorm is not penalised and any interpolating function is a minimiser; "
            remedy += "for the limit lam -> 0 use loss=Interpolation()."
            raise ProblemError("lam", f"a positive number for {self.loss.name}", "0", remedy)
        return lam

    @cached_property
    def isotropic(self) -> Problem:
        """The same problem as one without scales, of (x - origin)/scales and y/output_scales; itself without any."""
        if self.scales is None and self.output_scales is None:
            return self
        s = np.ones(self.n_features) if self.scales is None else self.scales
        if self.in_blocks is not None:
            return self._with(data=self.in_blocks.measured_in(s), scales=None)
        constraints: Sequence[Constraint] = self.constraints
        if constraints and self.n_features == 1:
            constraints = [self.constraint.scaled(float(self.origin[0]), float(s[0]), 0.0, 0.0, 1.0)]
        plain = Problem(
            self.centred / s,
            self.y if self.output_scales is None else self.y / self.output_scales,
            self.lam,
            self.loss,
            sample_weight=self.sample_weight,
            feature_names=self.feature_names,
            constraints=constraints,
            interactions=self.interactions,
            slope_penalty=self.slope_penalty,
        )
        return plain if self.corners is None else plain._with(corners=self.corners.moved(self.origin, s))

    @property
    def norm(self) -> bool:
        """Whether lam multiplies the norm, affine part included; `corners` are then where it sees that."""
        return self.corners is not None

    def lengths(self, W: Array) -> Array:
        r"""What the seminorm counts of weights W (K, d): :math:`\|w_k\|_2`, with scales :math:`\|S w_k\|_2`; (K,)."""
        return np.linalg.norm(W if self.scales is None else W * self.scales, axis=1)

    def _checked_names(self, given: Sequence[str] | None) -> tuple[str, ...] | None:
        return checked_names(given, self.n_outputs or (2 if self.loss.labels else 0))

    def named(self, target: str | None, outputs: Sequence[str] | None = None) -> Problem:
        """The same problem with these names of y and of its outputs or classes, for pictures; data are shared."""
        return self._with(target_name=target, output_names=self._checked_names(outputs))

    def with_lam(self, lam: float) -> Problem:
        """The same problem for another lam; data are shared, and what was found out about them."""
        other = self._with(lam=self._check_lam(lam))
        if "isotropic" in self.__dict__:
            other.__dict__["isotropic"] = other if self.isotropic is self else self.isotropic.with_lam(lam)
        return other

    def with_slope_penalty(self, slope_penalty: float) -> Problem:
        """The same problem for another penalty of the slope; data are shared."""
        if slope_penalty and self.norm:
            require_seminorm("slope_penalty", self)
        return self._with(slope_penalty=checked_slope_penalty(slope_penalty, self.data, self.constraints))

    def free_of_charge(self) -> Problem:
        """The same without any penalty: no problem of this library, but the loss alone on given neurons."""
        return self._with(lam=0.0, slope_penalty=0.0)

    @classmethod
    def of_data(cls, data: Data, lam: float = 0.0, interactions: Interactions | None = None) -> Problem:
        """A problem of data that were checked where they came from."""
        problem, known = object.__new__(cls), {"data": data, "lam": lam, "interactions": interactions}
        known |= {
            "constraints": (),
            "slope_penalty": 0.0,
            "skip": True,
            "penalise_bias": False,
            "through_origin": False,
        }
        for name in KEPT:
            setattr(problem, name, known.get(name))
        return problem

    @classmethod
    def of_block(cls, block: Block, loss: Loss, activation: Activation) -> Problem:
        """A problem of these rows alone and lam = 0: what is a sum over rows is the sum of that of its blocks."""
        return cls.of_data(Data(*block[:3], loss, activation))

    @cached_property
    def homogeneous(self) -> Problem:
        r"""That of penalised biases as one of :math:`\tilde x = (x, 1)` whose neurons go through the origin."""
        X, y, weight = homogeneous(self.X), self.y, self.sample_weight
        return Problem(X, y, self.lam, self.loss, sample_weight=weight)._with(through_origin=True, skip=self.skip)

    def through(self, other: Problem) -> Problem:
        """The same problem with hyperplanes as free as another's, and a free affine part where that has one."""
        return self._with(through_origin=other.through_origin, skip=other.skip)

    def on(self, data: Data | BlockedData) -> Problem:
        """The same problem on other data, of the same features."""
        return self._with(data=data)

    def with_loss(self, loss: Loss) -> Problem:
        """The same problem for another loss that takes the same targets."""
        return self._with(data=replace(self.data, loss=loss))

    @cached_property
    def unconstrained(self) -> Problem:
        """The same problem without its constraints; data are shared."""
        return self._with(constraints=())

    def with_scales(self, scales: Any) -> Problem:
        """The problem whose weights are measured in these lengths, or in the units of x; data are shared."""
        scales = checked_scales(scales, self.data)
        return self._with(scales=scales, corners=self.corners and unit_corners(self.n_features, scales))

    def with_norm(self, norm: bool = True) -> Problem:
        """The same problem with the norm in the place of the seminorm, or without; data are shared."""
        return self._with(corners=checked_norm(norm, self))

    @cached_property
    def in_numbers(self) -> Problem:
        """The same problem of numbers: of days, where x are dates; data are shared."""
        return self._with(dates=None)

    @cached_property
    def reduced(self) -> Problem:
        """The problem of the `rows`: the same optimum, and in one dimension sorted data."""
        return self if self.data.reduced is self.data else self._with(data=self.data.reduced)

    def _with(self, **changes: Any) -> Problem:
        """Another problem that differs in its data, its lam or its constraints."""
        other = object.__new__(Problem)
        for name in KEPT:
            setattr(other, name, changes.get(name, getattr(self, name)))
        return other

    @cached_property
    def constraint(self) -> Shape:
        """All constraints together, in normal form."""
        return combined(self.constraints)

    @cached_property
    def signs(self) -> Array | None:
        """+1 for features in which f may not fall, -1 where it may not rise, 0 for others, (d,); None without any."""
        every = [pair for c in self.constraints if isinstance(c, MonotoneFeatures) for pair in c.signs]
        if not every:
            return None
        signs = np.zeros(self.n_features)
        for j, sign in MonotoneFeatures(every).numbered(self.n_features, self.feature_names).signs:
            signs[int(j)] = sign
        return frozen(signs)

    @cached_property
    def detrended(self) -> Array:
        """y less its least-squares fit in the free space, exact to the rounding of the difference."""
        if self.norm or not self.skip:
            return self.y
        if self.signs is None and not self.slope_penalty:
            return self.data.detrended
        y, Q = self.y - self.y.mean(axis=0), self.free_space
        return y - Q @ (Q.T @ y)

    @cached_property
    def free_space(self) -> Array:
        """What of the null space is neither penalised nor of a slope with a sign; shape (N, q)."""
        if self.slope_penalty or self.norm:
            return self.null_space[:, : 0 if self.norm else 1]
        return self.null_space if self.signs is None else frozen(affine_basis(np.where(self.signs, 0.0, self.X)))

    @property
    def slopes(self) -> Array:
        """A, shape (N, d): A^T z is the slope, by x/scales, of the affine function nearest to z by weighted squares."""
        return self.data.slopes if self.scales is None else self.data.slopes * self.scales

    def written(self, x: Array) -> tuple[str, list[str]]:
        """Values of x in words, and what to say beside their name; d = 1. Their digits tell apart what the data do."""
        return ("", digits.written(x, self.X)) if self.dates is None else self.dates.written(x, self.X)

    def __repr__(self) -> str:
        outputs = "" if self.n_outputs is None else f", D={self.n_outputs}"
        shaped = f", constraints={list(self.constraints)}" if self.constraints else ""
        groups = f", interactions={self.interactions.words(self.feature_names)}" if self.interactions else ""
        for name in ("scales", "output_scales"):
            if (lengths := getattr(self, name)) is not None:
                groups += f", {name}={[float(f'{s:.3g}') for s in lengths]}"
        groups += f", slope_penalty={self.slope_penalty:g}" if self.slope_penalty else ""
        groups += ", norm=True" if self.norm else ""
        groups += f", penalise_bias=True, skip={self.skip}" if self.penalise_bias else ""
        return (
            f"Problem(N={self.n_samples}, d={self.n_features}{outputs}, lam={self.lam:g}, "
            f"loss={self.loss!r}, activation={self.activation!r}{shaped}{groups})"
        )
