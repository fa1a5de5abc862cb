"""Checks that turn what a user passes into arrays, or say in words what is wrong with it.

Every check raises :class:`~ridgesplines.exceptions.ProblemError` with four parts: the argument, what was
expected, what came, and the remedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines import dates
from ridgesplines.dates import Dates
from ridgesplines.exceptions import ProblemError

#: An array, of float64 unless said otherwise.
Array = NDArray[Any]
#: Sizes of data: of a product of y, x and a weight, all of such a size, the square neither overflows nor vanishes.
SMALLEST, LARGEST = 1e-50, 1e50


class ReadOnly:
    """The arrays are read-only, also after a copy, in a file of joblib's, or in another process."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        self.__dict__.update(state)


class Immutable(ReadOnly):
    """Attributes are set once, when the object is made."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__ or isinstance(getattr(type(self), name, None), property):
            raise AttributeError(f"{type(self).__name__} is immutable; make another one instead")
        super().__setattr__(name, value)


def real_array(name: str, values: Any) -> Array:
    """`values` as a new, finite array of float64."""
    require_readable(name, values)
    try:
        raw = np.asarray(values)
        if np.iscomplexobj(raw):
            raise TypeError("Complex data not supported")
        if (error := dates.refused(name, raw)) is not None:
            raise error
        array = np.array(raw, dtype=np.float64)
    except ProblemError:
        raise
    except (TypeError, ValueError) as error:
        raise ProblemError(
            name,
            "real numbers",
            f"something that does not convert ({error})",
            _remedy_for(values),
        ) from None
    return finite(name, array)


def require_readable(name: str, values: Any) -> None:
    """Raise for sparse matrices, and for masked entries, which NumPy's functions would read as the numbers beneath."""
    if hasattr(values, "toarray"):
        raise ProblemError(name, "a dense array", "a sparse matrix", "Convert it with .toarray() if it fits in memory.")
    if isinstance(values, np.ma.MaskedArray) and (mask := np.ma.getmaskarray(values)).any():
        where = ", ".join(map(str, np.argwhere(mask)[0]))
        got = f"{mask.sum()} masked, the first at index ({where})"
        remedy = "Leave their rows out of X, y and sample_weight, or fill them in: .filled(value)."
        raise ProblemError(name, "an array without masked entries", got, remedy)


def require_no_text(name: str, table: Any) -> None:
    """Raise for a table with text in it that is no number, and name the column."""
    columns = getattr(table, "columns", None)
    for (n, j), entry in np.ndenumerate(np.atleast_2d(np.asarray(table, dtype=object))):
        if isinstance(entry, str) and not _is_number(entry):
            column = j if columns is None else repr(columns[j])
            remedy = "Encode categories first, by OneHotEncoder() in a ColumnTransformer, say; or leave the column out."
            raise ProblemError(name, "numbers", f"{entry!r} in column {column}, row {n}", remedy)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def finite(name: str, array: Array) -> Array:
    """The same array, where all of it is finite."""
    if not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))[0]
        value = "NaN" if np.isnan(array[tuple(bad)]) else "inf"
        where = ", ".join(map(str, bad))
        raise ProblemError(
            name,
            "finite numbers",
            f"{value} at index ({where})",
            "Remove or impute these rows before fitting.",
        )
    return array


def _remedy_for(values: Any) -> str:
    """What to do about values that do not convert to numbers."""
    entries = np.asarray(values, dtype=object).ravel().tolist()
    if any(type(entry).__name__ == "NAType" for entry in entries):
        return "Remove or impute missing values (NA) first."
    if any(isinstance(entry, str) and entry[:4].isdigit() and entry[4:5] == "-" for entry in entries):
        return "Read dates as such first: numpy.array(x, dtype='datetime64[us]'), or pandas.to_datetime(x)."
    return "Encode categories as numbers first."


def real_number(name: str, value: Any, expected: str, low: float, high: float = np.inf, open_: bool = False) -> float:
    """`value` as a float within [low, high], or within (low, high) if `open_`."""
    remedy = f"Pass {expected}."
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ProblemError(name, expected, repr(value), remedy) from None
    inside = low < number < high if open_ else low <= number <= high
    if not (inside and np.isfinite(number)):
        raise ProblemError(name, expected, f"{number:g}", remedy)
    return number


def whole_number(name: str, value: Any, least: int) -> None:
    """Raise where `value` is no whole number, or less than `least`; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ProblemError(name, f"a whole number >= {least}", repr(value), f"Pass {name}={max(least, 1)}.")


def lam_given(name: str, given: Any) -> tuple[Any, str]:
    """A lam as it was passed, or the number and the unit of a string: ``"max"`` of ``"0.05max"``, or ``"null"``."""
    if not isinstance(given, str):
        return given, ""
    if given.strip() == "null":
        return 1.0, "null"
    number = given.strip().removesuffix("max").strip()
    try:
        fraction = float(number or 1.0) if given.strip().endswith("max") else np.nan
    except ValueError:
        fraction = np.nan
    if not 0.0 < fraction < np.inf:
        expected = 'a positive number, a positive fraction of lambda_max such as "0.05max", or "null"'
        raise ProblemError(name, expected, repr(given), f'Pass {name}="0.05max", or a number without quotes.')
    return fraction, "max"


def lengths(name: str, values: Any, d: int, of: str = "features", table: str = "X") -> Array:
    """`values` as d positive numbers, one for each column of a table, read-only."""
    array = real_array(name, values)
    if array.shape != (d,) or not (array > 0.0).all():
        got = f"shape {array.shape}" if array.shape != (d,) else f"{array.min():g}"
        remedy = f"Pass {table}.std(axis=0), say, with ones for constant columns."
        raise ProblemError(name, f"a positive number for each of the {d} {of}", got, remedy)
    return frozen(array)


def samples(name: str, values: Any) -> Array:
    """`values` as an (N, d) array with N, d >= 1; a vector is taken as N samples in one dimension."""
    array = real_array(name, values)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise ProblemError(
            name,
            "shape (N,) or (N, d)",
            f"an array of {array.ndim} dimensions",
            "Reshape it to one row a sample.",
        )
    if array.shape[0] == 0:
        raise ProblemError(name, "at least one sample", "0 sample(s), that is N = 0", "Pass at least one row.")
    if array.shape[1] == 0:
        raise ProblemError(
            name, "at least one feature", f"0 feature(s) (shape={array.shape})", "Pass at least one column."
        )
    return array


def dated_samples(name: str, values: Any) -> tuple[Array, Dates | None]:
    """`values` as an (N, d) array, and what its numbers stand for where it holds dates, which are days then."""
    require_readable(name, values)
    numbers, kept = dates.read(name, values)
    return samples(name, numbers), kept


def numbers_as_in(name: str, values: Any, fitted: Dates | None) -> Array:
    """`values` as an array of numbers, which must stand for what those of the fit stand for."""
    require_readable(name, values)
    numbers, given = dates.read(name, values, distinct=False)
    array = real_array(name, numbers)
    dates.require_same(name, given, fitted)
    return array


def sized(name: str, array: Array) -> Array:
    """The same array, if it is zero, or the squares of products of three such sizes are floating-point numbers."""
    size = float(max(array.max(initial=0.0), -array.min(initial=0.0)))
    if size and not SMALLEST <= size <= LARGEST:
        raise ProblemError(
            name,
            f"numbers whose largest size is between {SMALLEST:g} and {LARGEST:g}, or zero",
            f"{size:g}",
            f"Change the units of {name}: beyond that the terms of an objective leave the range of floating point.",
        )
    return array


def same_length(name: str, n: int, expected: int) -> None:
    """Raise unless `n` equals the number of rows of X."""
    if n != expected:
        raise ProblemError(
            name,
            f"one entry for each of the {expected} rows of X",
            f"{n}",
            "Check that rows were dropped from both.",
        )


def sample_weights(sample_weight: Any, n: int) -> Array:
    """One nonnegative weight for each of n rows, not all zero; ones by default."""
    if sample_weight is None:
        return np.ones(n)
    weight = real_array("sample_weight", sample_weight)
    if weight.ndim != 1:
        raise ProblemError("sample_weight", "shape (N,)", f"shape {weight.shape}", "Pass one weight a row of X.")
    same_length("sample_weight", len(weight), n)
    if (weight < 0.0).any():
        worst = int(np.argmin(weight))
        raise ProblemError(
            "sample_weight",
            "nonnegative weights",
            f"{weight[worst]:g} at row {worst}",
            "Use 0 to leave a row out.",
        )
    if not (weight > 0.0).any():
        raise ProblemError(
            "sample_weight",
            "a positive weight somewhere",
            "only zeros",
            "Give at least one row a positive weight.",
        )
    return weight


def frozen(array: Array) -> Array:
    """The same array, read-only."""
    array.setflags(write=False)
    return array


def rounded_up(gap: float) -> str:
    """A gap in two digits, never less than it is; one below zero, which only a solver's own may be, as it is."""
    if gap == 0.0:
        return "0 to rounding"
    if not np.isfinite(gap):
        return "inf"
    if gap < 0.0:
        return f"{gap:.1e}"
    unit = 10.0 ** (np.floor(np.log10(gap)) - 1.0)
    return f"{np.ceil(gap / unit * (1.0 - 1e-12)) * unit:.1e}"


def instance(name: str, given: Any, kind: type, default: type) -> Any:
    """The object that was given, of this kind, or the default one."""
    if given is None:
        return default()
    if not isinstance(given, kind):
        example = f"{default.__name__}()"
        got = f"the class {given.__name__} itself" if isinstance(given, type) else repr(given)
        raise ProblemError(name, f"an instance such as {example}", got, f"Pass {name}={example}.")
    return given


def one_of(name: str, given: Any, allowed: Sequence[str]) -> None:
    """Raise ProblemError where a name is none of those that are known."""
    if not isinstance(given, str) or given not in allowed:
        raise ProblemError(name, f"one of {', '.join(map(repr, allowed))}", repr(given), f"Pass {name}={allowed[0]!r}.")


def consistent(X: Array, y: Array) -> None:
    """Interpolation needs one value at each point."""
    _, group = np.unique(X, axis=0, return_inverse=True)
    order = np.argsort(group, kind="stable")
    same = group[order][1:] == group[order][:-1]
    differs = same & (y[order][1:] != y[order][:-1])
    if differs.any():
        k = int(np.argmax(differs))
        raise ProblemError(
            "y",
            "one value for each distinct row of X, so that a function can interpolate",
            f"two values at the same point (rows {order[k]} and {order[k + 1]})",
            "Average repeated rows, or use a loss such as Squared.",
        )


def column_names(table: Any) -> tuple[str, ...] | None:
    """The names of the columns of a DataFrame, or that of a Series; None for what has none."""
    columns = getattr(table, "columns", None)
    if columns is not None:
        return tuple(map(str, columns))
    name = getattr(table, "name", None) if hasattr(table, "to_numpy") else None  # arrays of Dask have a name of no use
    return (name,) if isinstance(name, str) and name else None


def target_names(y: Any) -> tuple[str | None, tuple[str, ...] | None]:
    """The name of y, where it is a Series or has one column, and the names of its columns, where it has several."""
    names = column_names(y)
    if names is None:
        return None, None
    return (names[0], None) if len(names) == 1 else (None, names)


def features_named(names: Sequence[Any] | None, d: int) -> tuple[str, ...] | None:
    """The names of d features, as text."""
    if names is None:
        return None
    if len(names) != d:
        expected, remedy = f"one name for each of the {d} columns of X", "Leave it out for the names x0, x1, ..."
        raise ProblemError("feature_names", expected, f"{len(names)}", remedy)
    return tuple(map(str, names))


def checked_names(given: Sequence[str] | None, wanted: int) -> tuple[str, ...] | None:
    """Names of so many outputs or classes, each once; None where none are given."""
    if given is None:
        return None
    names = tuple(map(str, given))
    if len(names) != wanted or len(set(names)) != wanted:
        expected = f"{wanted} distinct names" if wanted else "None for one output of numbers"
        raise ProblemError("output_names", expected, repr(names), "Name y itself by target_name.")
    return names
