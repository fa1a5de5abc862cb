r"""The network as a sum of curves of one feature and interactions of several: its functional ANOVA over data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.interpret import partial_dependence
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.numerics.polynomials import Polynomial
from ridgesplines.validation import Array, ReadOnly, frozen, sample_weights, samples

if TYPE_CHECKING:
    import pandas

__all__ = ["Component", "Components", "components"]

#: The most components that are printed.
MOST_ROWS = 40


@dataclass(frozen=True, eq=False)
class Table(ReadOnly):
    """The data that are averaged over, each row of positive weight; the weights add up to one."""

    X: Array
    weight: Array

    @classmethod
    def of(cls, X: Any, sample_weight: Any, d: int) -> Table:
        points = samples("X", X)
        if points.shape[1] != d:
            raise ProblemError("X", f"shape (N, {d})", f"shape {points.shape}", "Pass the features of the fit.")
        weight = sample_weights(sample_weight, len(points))
        kept = weight > 0.0
        return cls(frozen(points[kept]), frozen(weight[kept] / weight.sum()))

    def mean(self, network: RidgeSpline, feature: int, at: Array) -> Array:
        """The partial dependence of a network on a feature, at each of these values."""
        values, places = np.unique(at, return_inverse=True)  # categories have few
        return partial_dependence(network, self.X, feature, values, self.weight)[places]

    def varies(self, features: Sequence[int]) -> bool:
        """Whether any of the features takes two values."""
        columns = self.X[:, list(features)]
        return bool((columns != columns[0]).any())


@dataclass(frozen=True, eq=False)
class Component(ReadOnly):
    r"""A curve of one feature, or an interaction of several: a function of these alone, of mean zero over the data.

    Attributes
    ----------
    features : the column numbers, increasing.
    names : their names.
    neurons : which neurons of the network depend on all of these and on no other, shape (m,).
    variance : the mean of its square over the data; for D outputs the sum of theirs.
    share : that as a part of the sum over all components.
    part : what the network has of these features alone: the neurons, and for one feature its slope.
    averaged : what the partial dependence is of that a curve has besides, and that an interaction goes without.
    centre : the mean that was taken away, a number or shape (D,).
    table : the data.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[1.0, 0.0], [3.0, 4.0]], [0.0, 0.0], [1.0, 1.0], feature_names=("age", "bmi"))
    >>> age = net.components([[-1.0, 0.0], [0.0, 1.0], [1.0, -1.0]])["age"]
    >>> age, age.knots
    (Component('age', neurons=1, share=0.43), array([0.]))
    """

    features: tuple[int, ...]
    names: tuple[str, ...]
    neurons: NDArray[np.intp]
    part: RidgeSpline
    averaged: RidgeSpline
    table: Table
    centre: Any = 0.0
    variance: float = 0.0
    share: float = 0.0

    @property
    def name(self) -> str:
        """The names of the features, joined by "&"."""
        return " & ".join(self.names)

    @property
    def knots(self) -> Array:
        """The points at which the neurons of one feature alone bend its curve, shape (m,); for interactions empty."""
        if len(self.features) > 1:
            return np.empty(0)
        return np.sort(self.part.biases * self.part.weights[:, self.features[0]])

    def __call__(self, X: Any) -> Array:
        """The component at the rows of X, shape (N, d), of which its own features count; shape (N,) or (N, D)."""
        points = samples("X", X)
        values = self.part(points) - self.centre
        for j in self.features:
            mean = self.table.mean(self.averaged, j, points[:, j])
            values = values + mean if len(self.features) == 1 else values - mean
        return values

    def __repr__(self) -> str:
        return f"Component({self.name!r}, neurons={len(self.neurons)}, share={self.share:.2g})"


@dataclass(frozen=True, eq=False)
class Components(ReadOnly):
    """A sequence of components, that of the largest variance first, which with the intercept add up to the network.

    Prints as a table. ``components[0]`` is the largest, ``components["age & bmi"]`` the one of that name.

    Attributes
    ----------
    intercept : the mean of f over the data, a number or shape (D,).
    parts : the components.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], [1.0, 2.0], feature_names=("age", "bmi"))
    >>> net.components([[-1.0, 1.0], [0.0, 1.0], [1.0, 0.0], [0.0, -1.0]])
    f = 1.25 + 2 components
    component  neurons  variance   share
    bmi              1    1.0000  84.2 %
    age              1    0.1875  15.8 %
    """

    intercept: Any
    parts: tuple[Component, ...]

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[Component]:
        return iter(self.parts)

    def __getitem__(self, which: int | str) -> Component:
        if not isinstance(which, str):
            return self.parts[which]
        found = [part for part in self.parts if part.name == which]
        if not found:
            known = ", ".join(repr(part.name) for part in self.parts[:10]) + (", ..." if len(self.parts) > 10 else "")
            raise ProblemError("components", f"one of {known}", repr(which), "Name one of these, or pass its number.")
        return found[0]

    @property
    def importances(self) -> dict[str, float]:
        """The share of each component in the sum of their variances, by name; largest first."""
        return {part.name: part.share for part in self.parts}

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a component: its name, how many neurons are its own, its variance and its share."""
        return [
            {"component": part.name, "neurons": len(part.neurons), "variance": part.variance, "share": part.share}
            for part in self.parts
        ]

    def to_frame(self) -> pandas.DataFrame:
        """The table as a pandas DataFrame, one row a component. Needs pandas."""
        try:
            import pandas as pd
        except ImportError:
            raise ImportError(
                "to_frame() returns a pandas DataFrame: install pandas, or call .rows(), which has the same numbers."
            ) from None
        return pd.DataFrame(self.rows()).set_index("component")

    def __str__(self) -> str:
        mean = np.array2string(np.asarray(self.intercept), formatter={"float_kind": "{:.6g}".format})
        head = ("component", "neurons", "variance", "share")
        largest = self.parts[0].variance or 1.0
        style = f".{max(0, 4 - int(np.log10(largest)))}f" if 1e-3 < largest < 1e9 else ".4e"
        table = [head] + [
            (row["component"], str(row["neurons"]), f"{row['variance']:{style}}", f"{100.0 * row['share']:.1f} %")
            for row in self.rows()
        ]
        first, *widths = (max(map(len, column)) for column in zip(*table, strict=True))
        lines = [f"f = {mean} + {len(self)} component" + ("s" if len(self) != 1 else "")]
        for name, *rest in table[: MOST_ROWS + 1]:
            lines.append("  ".join([f"{name:<{first}}", *(f"{a:>{w}}" for a, w in zip(rest, widths, strict=True))]))
        if len(self) > MOST_ROWS:
            share = sum(part.share for part in self.parts[MOST_ROWS:])
            lines.append(f"and {len(self) - MOST_ROWS} more, {100.0 * share:.1f} % together")
        return "\n".join(lines)

    __repr__ = __str__


def components(network: RidgeSpline, X: Any, sample_weight: Any = None) -> Components:
    r"""The network as an intercept, a curve of each feature, and an interaction of each set that neurons share.

    .. math:: f(x) = f_0 + \sum_j f_j(x_j) + \sum_S f_S(x_S)

    .. math:: f_j = \mathrm{PD}_j f - \mathrm{const}_j, \qquad
              f_S = g_S - \sum_{j \in S} \mathrm{PD}_j\, g_S - \mathrm{const}_S

    S runs over the sets of two and more features that are the support of the weights of some neuron, and :math:`g_S` is
    the sum of the neurons of that support. :math:`\mathrm{PD}_j` is the partial dependence [3]_, the weighted mean over
    the data with feature j set to :math:`x_j`, see :func:`ridgesplines.network.partial_dependence`. The constants are
    such that each component has mean zero over the data, and :math:`f_0` is the mean of f. For other activations than
    ReLU the terms of the polynomial part that have these features belong to :math:`g_S`.

    Parameters
    ----------
    network : of any number of inputs and outputs.
    X : the data to average over, shape (N, d); numbers of days where the network is one of dates.
    sample_weight : shape (N,), nonnegative; ones by default. Zero is the same as leaving a row out.

    Returns
    -------
    Components
        The d curves and the interactions, those of larger variance over the data first. With the intercept they add up
        to f at every x, not at the data alone, to rounding.

    Raises
    ------
    ProblemError
        Where shapes do not fit, or values are not finite.

    Notes
    -----
    Every component has mean zero over the data, and no interaction has a main effect: its partial dependence on each of
    its features is constant. Where neurons have at most two features, this is the functional ANOVA of f [1]_ for the
    product of the features' own distributions in the data, purified [4]_; only the constants are those of the rows as
    they are. (For the joint distribution of dependent features, as in [2]_, an interaction would not be defined where
    no value comes twice.) A set of three and more keeps the interactions of its subsets. All of this is a matter of f
    and the data, not of how f is written as a network.

    Variances over the data add up to that of f where the features are independent; otherwise components may be
    correlated, and the shares are those in the sum of the variances.

    O(K s N (d + log N)) for K neurons of s features and ReLU, and as much for an evaluation at N points; for other
    activations O(K s N d m), where m values of a feature are distinct.

    References
    ----------
    .. [1] W. Hoeffding, A class of statistics with asymptotically normal distribution, Ann. Math. Statist. 19 (1948),
       293-325, doi:10.1214/aoms/1177730196
    .. [2] G. Hooker, Generalized functional ANOVA diagnostics for high-dimensional functions of dependent variables,
       J. Comput. Graph. Statist. 16 (2007), 709-732, doi:10.1198/106186007X237892
    .. [3] J. H. Friedman, Greedy function approximation: a gradient boosting machine, Ann. Statist. 29 (2001),
       1189-1232, Section 8.2, doi:10.1214/aos/1013203451
    .. [4] B. Lengerich, S. Tan, C.-H. Chang, G. Hooker, R. Caruana, Purifying interaction effects with the functional
       ANOVA, AISTATS, PMLR 108 (2020), 2402-2412, https://proceedings.mlr.press/v108/lengerich20a.html

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 3))
    >>> net = rs.RidgeSpline([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]], [0.2, 0.0], [4.0, 1.0], slope=[1.0, 0.0, 0.0])
    >>> found = net.components(X)
    >>> [component.name for component in found]
    ['x0', 'x2', 'x1', 'x1 & x2']
    >>> bool(np.allclose(found.intercept + sum(component(X) for component in found), net(X)))
    True
    """
    table, network = Table.of(X, sample_weight, network.n_features), network.changed(dates=None)
    found = [_centred(part) for part in _raw(network, table)]
    total = sum(part.variance for part in found)
    found = [replace(part, share=part.variance / total if total > 0.0 else 0.0) for part in found]
    intercept = network.offset + sum(part.centre for part in found)
    found.sort(key=lambda part: -part.variance)
    return Components(float(intercept) if network.n_outputs is None else frozen(intercept), tuple(found))


def _raw(network: RidgeSpline, table: Table) -> Iterator[Component]:
    """The components before they are centred: fewer features first, in their order."""
    neurons = _by_support(network.weights)
    terms = {} if network.polynomial is None else _by_support(network.polynomial.exponents)
    single = {(j,) for j in range(network.n_features)}
    sets = sorted(single | neurons.keys() | terms.keys(), key=lambda features: (len(features), features))
    none = np.empty(0, dtype=np.intp)
    for features in sets:
        own = neurons.get(features, none)
        names = tuple(network.names[j] for j in features)
        part = averaged = _part(network, own, terms.get(features, none))
        if len(features) == 1:
            (j,) = features
            slope = np.zeros_like(network.slope)
            slope[j] = network.slope[j]
            part = part.changed(slope=slope)
            averaged = _part(network, *(_with_others(groups, j) for groups in (neurons, terms)))
        yield Component(features, names, own, part, averaged, table)


def _centred(part: Component) -> Component:
    """The same with mean zero over the data, and its variance."""
    table = part.table
    values = part(table.X)
    centre = table.weight @ values
    variance = float((table.weight @ (values - centre) ** 2).sum()) if table.varies(part.features) else 0.0
    return replace(part, centre=centre, variance=variance)


def _by_support(rows: Array) -> dict[tuple[int, ...], NDArray[np.intp]]:
    """The rows that are different from zero in the same columns, by these columns."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for k, row in enumerate(rows):
        groups.setdefault(tuple(np.flatnonzero(row).tolist()), []).append(k)
    return {features: np.array(group, dtype=np.intp) for features, group in groups.items()}


def _with_others(groups: dict[tuple[int, ...], NDArray[np.intp]], j: int) -> NDArray[np.intp]:
    """The rows of the groups of feature j and others."""
    found = [group for features, group in groups.items() if j in features and len(features) > 1]
    return np.concatenate([np.empty(0, dtype=np.intp), *found])


def _part(network: RidgeSpline, neurons: NDArray[np.intp], terms: NDArray[np.intp]) -> RidgeSpline:
    """The sum of some of the neurons and some of the terms of degree two and more."""
    p, some = network.polynomial, None
    if p is not None and len(terms):
        some = Polynomial(p.exponents[terms], p.coefficients[terms], p.centre, p.radius)
    return network.changed(
        weights=network.weights[neurons],
        biases=network.biases[neurons],
        amplitudes=network.amplitudes[neurons],
        slope=np.zeros_like(network.slope),
        offset=np.zeros(network.amplitudes.shape[1:]),
        polynomial=some,
    )
