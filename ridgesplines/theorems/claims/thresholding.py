r"""(35): the K largest of absolutely summable Haar coefficients leave an error of order 1/K."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.theorems.rates import compared, draw_rates, slope
from ridgesplines.theorems.report import Report, at_most, rate, timed
from ridgesplines.validation import Array

#: 4096 values in each of these dimensions: the finest grid of 2^J points a side.
LEVELS = {1: 12, 2: 6, 3: 4}


def haar(values: Array) -> Array:
    """Coefficients of f, sampled on 2^J cells a side of the unit cube, in the tensor-product Haar basis of L2.

    Along each axis: sums and differences of neighbours, over sqrt(2), and again of the sums. O(n d).
    """
    return _along_axes(values / np.sqrt(values.size), _analysis)


def inverse_haar(coefficients: Array) -> Array:
    """The values of which `coefficients` are the Haar coefficients."""
    return _along_axes(coefficients * np.sqrt(coefficients.size), _synthesis)


def _along_axes(values: Array, transform: Callable[[Array], Array]) -> Array:
    for axis in range(values.ndim):
        values = np.moveaxis(transform(np.moveaxis(values, axis, 0)), 0, axis)
    return values


def _analysis(values: Array) -> Array:
    details = []
    while len(values) > 1:
        details.append((values[0::2] - values[1::2]) / np.sqrt(2.0))
        values = (values[0::2] + values[1::2]) / np.sqrt(2.0)
    return np.concatenate([values, *details[::-1]])


def _synthesis(coefficients: Array) -> Array:
    values = coefficients[:1]
    while len(values) < len(coefficients):
        details = coefficients[len(values) : 2 * len(values)]
        values = np.stack([values + details, values - details], axis=1).reshape(-1, *values.shape[1:]) / np.sqrt(2.0)
    return values


def instance(seed: int, seeds: int = 8) -> tuple[Mapping[str, Sequence[Array]]]:
    """In d = 1, 2, 3: random wavelets whose coefficients are just summable, and smooth functions."""
    rng = np.random.default_rng(seed)
    functions: dict[str, list[Array]] = {}
    for d, levels in LEVELS.items():
        functions[f"d = {d}, just summable"] = [_just_summable(rng, d, levels) for _ in range(seeds)]
        functions[f"d = {d}, smooth"] = [_smooth(rng, d, levels) for _ in range(seeds)]
    return (functions,)


def _just_summable(rng: np.random.Generator, d: int, levels: int) -> Array:
    """Coefficients of random sign and size up to k^-1.1 at random wavelets."""
    k = np.arange(1.0, 2.0 ** (levels * d) + 1.0)
    v = rng.permutation(rng.uniform(-1.0, 1.0, len(k)) * k**-1.1)
    return inverse_haar(v.reshape(d * (2**levels,)))


def _smooth(rng: np.random.Generator, d: int, levels: int) -> Array:
    """A sum of four plane waves of random directions."""
    t = (np.arange(2**levels) + 0.5) / 2**levels
    X = np.stack(np.meshgrid(*d * [t], indexing="ij"), axis=-1)
    waves = rng.standard_normal((4, d))
    return sum(
        np.sin(4.0 * X @ (w / np.linalg.norm(w)) + phase) for w, phase in zip(waves, rng.uniform(0, 6, 4), strict=True)
    )


@timed
def check(functions: Mapping[str, Sequence[Array]], transform: Callable[[Array], Array] = haar) -> Report:
    r"""Thresholding in an orthonormal basis has an error of order 1/K, whatever the dimension: (35).

    .. math:: \|f - f_K\|_{L^2}^2 = \sum_{k > K} |v_{(k)}|^2 \le \frac{\|v\|_{\ell^1}^2}{4 K}

    Parameters
    ----------
    functions : by name, values of several functions on a grid of 2^J cells a side of the unit cube, J >= 3 in all.
    transform : from values to coefficients, :func:`haar` unless a basis is to be tested.

    Returns
    -------
    Report
        The left side is measured on the grid, from f and the function f_K itself; the right one from coefficients. The
        rate is fitted for K from 4 to a sixteenth of the coefficients.

    References
    ----------
    .. [1] S. Mallat, A wavelet tour of signal processing, 3rd ed., 2009, Theorem 9.10

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> t = (np.arange(1024) + 0.5) / 1024
    >>> rs.theorems.thresholding({"sines": [np.sin(w * t) for w in range(4, 9)]}).holds
    True
    """
    identity = excess = 0.0
    sizes: Array = np.empty(0)
    errors: dict[str, Array] = {}
    for name, members in functions.items():
        sizes = np.unique(np.geomspace(4, members[0].size // 16, 12).astype(int))
        rows = []
        for values in members:
            v = transform(values)
            measured = np.array([_error(values, v, K) for K in sizes])
            squares = np.cumsum(np.sort(v**2, axis=None))
            tails = squares[v.size - sizes - 1]
            identity = max(identity, float(np.abs(measured - tails).max() / np.mean(values**2)))
            excess = max(excess, float((measured * 4.0 * sizes / np.abs(v).sum() ** 2).max()))
            rows.append(measured)
        errors[name] = np.array(rows)
    slopes = {name: slope(sizes, rows) for name, rows in errors.items()}
    measures = (
        at_most("(35): |error in L2 less tail of coefficients|, relative", identity, 1e-10),
        at_most("largest error over |v|_1^2 / 4K", excess, 1.0),
        *(rate(f"exponent of K, {name}", each, -1.0) for name, each in slopes.items()),
    )
    remarks = tuple(compared(name, each, -1.0) for name, each in slopes.items())
    claim = "thresholding absolutely summable Haar coefficients: squared error of order 1/K in every dimension"
    return Report(claim, "(35)", measures, lambda figure: _draw(figure, sizes, errors), remarks)


def _error(values: Array, v: Array, K: int) -> float:
    """The squared L2 distance to the function of the K largest coefficients."""
    kept = np.zeros(v.size)
    largest = np.argsort(np.abs(v), axis=None)[v.size - K :]
    kept[largest] = v.ravel()[largest]
    return float(np.mean((values - inverse_haar(kept.reshape(v.shape))) ** 2))


def _draw(figure: Figure, sizes: Array, errors: dict[str, Array]) -> None:
    axes = figure.subplots()
    draw_rates(axes, sizes, errors, -1.0)
    axes.set(xlabel="K wavelets kept", ylabel="squared $L^2$ error", title="thresholding in Haar wavelets")
