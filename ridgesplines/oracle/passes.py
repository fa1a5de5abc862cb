r"""The passes over all data that a search makes for many hyperplanes at once: on this machine or, by torch, on another.

A hyperplane is a unit vector w and the data point through which it passes, its pivot. The points that it is held to, of
which the pivot is the first, are a hint: eta is evaluated from w, the pivot and all data, and a held point that is not
on the hyperplane is let go.

Hyperplanes through the origin have it for their pivot: a point of no pull, which is never let go. Then u may be any,

.. math:: \eta(w) = \sum_n u_n \rho(w^T x_n) = \tfrac12 \sum_n u_n |w^T x_n| + L^T w, \qquad
          L = \tfrac12 \sum_n x_n u_n^T
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.exceptions import ProblemError, SolverRefusal
from ridgesplines.numerics import fast
from ridgesplines.oracle.circles import Rows, best_biases, best_on_circles
from ridgesplines.validation import Array

#: From this many points on, compiled code is worth its loading.
COMPILED_POINTS = 20
#: Relative to the largest distance: a point as near as this lies on the hyperplane.
TOUCH = 1e-10
#: A moment of a dual vector this small, relatively, is rounding.
EVEN_RTOL = 1e-13
#: Entries (hyperplanes times points times outputs) of a block here, and elsewhere; of a share worth a thread.
BLOCK_ENTRIES = 2**18
DEVICE_ENTRIES = 2**23
THREAD_ENTRIES = 2**17


class Host:
    """NumPy, and numba where it is installed."""

    xp: Any = np
    block = BLOCK_ENTRIES
    compiles = True

    def put(self, array: Array) -> Rows:
        return array

    def get(self, rows: Rows) -> Array:
        return rows

    def compiled(self, module: str, n: int) -> Any:
        """A module of compiled code where it is at hand, or worth its loading for n points; else None."""
        worth = n >= COMPILED_POINTS or fast.at_hand(module)
        return fast.compiled(module) if self.compiles and worth else None


class Torch(Host):
    """A device of PyTorch."""

    block = DEVICE_ENTRIES
    compiles = False

    def __init__(self, device: str) -> None:
        if find_spec("torch") is None:
            raise SolverRefusal(
                "SearchOracle",
                f"PyTorch for device={device!r}",
                "an environment without it",
                "Install it (pip install torch), or leave device=None.",
            )
        import torch

        self.xp = torch
        try:
            self.device = torch.empty(0, dtype=torch.float64, device=device).device
        except (RuntimeError, AssertionError, TypeError) as error:
            got = f"{device!r} ({str(error).splitlines()[0]})"
            remedy = 'Use "cuda" where it is available, "cpu", or None.'
            raise ProblemError("device", "a device with double precision that torch can use", got, remedy) from None

    def put(self, array: Array) -> Rows:
        return self.xp.tensor(array, device=self.device)  # a copy: read-only arrays have no place in torch

    def get(self, rows: Rows) -> Array:
        return rows.cpu().numpy()


@dataclass(frozen=True)
class Slopes:
    r"""eta at m hyperplanes, and how it changes to first order; for vector outputs along its own direction.

    Attributes
    ----------
    value : |eta|, (m,), evaluated at w and the pivot.
    held : the held points that are on the hyperplane, those that are not left out, (m, d).
    by_direction : the derivative of |eta| by w about the pivot, held points left out, (m, d).
    by_bias : its derivative as the hyperplane recedes from all points, those held left out, (m,).
    weights : u_n of the held points, in the direction of eta; zero where none is held, (m, d).
    """

    value: Array
    held: NDArray[np.intp]
    by_direction: Array
    by_bias: Array
    weights: Array

    def __getitem__(self, rows: NDArray) -> Slopes:
        return Slopes(*(part[rows] for part in vars(self).values()))


class Points:
    """Data X (N, d), put where the passes run; where hyperplanes are `pinned` to the origin it is the last point."""

    def __init__(self, X: Array, machine: Host, pinned: bool = False) -> None:
        self.X, self.machine, self.pinned = np.vstack([X, np.zeros((1, X.shape[1]))]) if pinned else X, machine, pinned
        self.columns = np.ascontiguousarray(self.X.T)
        self.put = machine.put(self.X)


class Passes:
    """The passes for a dual vector U (N, D) that is orthogonal to all affine functions, or any where they are `pinned`.

    `linear` is L, (d, D), or None where it is rounding: then eta is even.
    """

    def __init__(self, points: Points, U: Array) -> None:
        self.X, self.U, self.machine = points.X, np.ascontiguousarray(U), points.machine
        self.pinned, self.linear = points.pinned, linear_part(points.X, U) if points.pinned else None
        self.columns, self._points = points.columns, points.put
        self._dual = self.machine.put(self.U)
        self._step = max(1, self.machine.block // self.U.size)
        #: Of eta, computed in two ways.
        self.rounding = 4.0 * np.finfo(float).eps * float(np.linalg.norm(self.U) * np.linalg.norm(self.X))

    def along(self, W: Array) -> tuple[Array, NDArray[np.intp]]:
        """For each direction the largest |eta| over all biases, and the data point where it is."""
        if self.pinned:
            pivots = np.full(len(W), len(self.X) - 1)
            return self.slopes(W, np.where(np.arange(W.shape[1]) == 0, pivots[:, None], -1)).value, pivots

        def block(part: slice) -> tuple[Array, ...]:
            P = self.machine.put(W[part]) @ self._points.T
            return tuple(map(self.machine.get, best_biases(self.machine.xp, P, self._dual)))

        squares, at = self._blocks(block, len(W), (), ())
        return np.sqrt(squares), at.astype(np.intp)

    def distances(self, W: Array, pivots: NDArray[np.intp]) -> Rows:
        """w^T (x_n - x_p): (m, N)."""
        P = self.machine.put(W) @ self._points.T
        return P - self.machine.put(np.einsum("kd,kd->k", W, self.X[pivots]))[:, None]

    def _on(self, P: Rows, held: NDArray[np.intp]) -> Rows:
        """The distances, zero at the held points."""
        rows, columns = np.nonzero(held >= 0)
        P[self.machine.put(rows), self.machine.put(held[rows, columns])] = 0.0
        return P

    def touched(self, W: Array, pivots: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Pairs (hyperplane, data point on it), the pivots left out."""
        rows, points = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        for part in _parts(len(W), self._step):
            far = np.abs(self.machine.get(self.distances(W[part], pivots[part])))
            near = far <= TOUCH * far.max(axis=1, keepdims=True)
            near[np.arange(len(near)), pivots[part]] = False
            k, n = np.nonzero(near)
            rows.append(k + part.start)
            points.append(n)
        return np.concatenate(rows), np.concatenate(points)

    def nearest(self, W: Array, biases: Array) -> NDArray[np.intp]:
        """The data point nearest to each hyperplane: (m,)."""
        if self.pinned:
            return np.full(len(W), len(self.X) - 1)
        at = [np.empty(0, np.intp)]
        for part in _parts(len(W), self._step):
            at.append(np.abs(W[part] @ self.X.T - biases[part, None]).argmin(axis=1))
        return np.concatenate(at)

    def patterns(self, W: Array, pivots: NDArray[np.intp]) -> Array:
        """A number for each hyperplane that tells activation patterns apart; where eta is even, up to which side."""
        code = np.random.default_rng(0).standard_normal(len(self.X))
        codes = [np.empty(0)]
        for part in _parts(len(W), self._step):
            P = self.machine.get(self.distances(W[part], pivots[part]))
            P = np.where(np.abs(P) <= TOUCH * np.abs(P).max(axis=1, keepdims=True), 0.0, P)
            codes.append(np.sign(P) @ code)
        return np.concatenate(codes) if self.linear is not None else np.abs(np.concatenate(codes))

    def slopes(self, W: Array, held: NDArray[np.intp]) -> Slopes:
        """eta, evaluated again; which held points are on the hyperplane; how eta changes. O(N d) a hyperplane."""
        xp, get, put = self.machine.xp, self.machine.get, self.machine.put

        def block(part: slice) -> tuple[Array, ...]:
            P = self.distances(W[part], held[part][:, 0])
            rows = put(np.arange(len(P)))[:, None]
            eta = 0.5 * (abs(P) @ self._dual)
            if self.linear is not None:
                eta = eta + put(W[part] @ self.linear)
            near = get(abs(P[rows, put(np.maximum(held[part], 0))])) <= TOUCH * get(xp.amax(abs(P), 1))[:, None]
            near[:, 0] = True  # the pivot is on it by definition
            h = compact(np.where(near, held[part], -1))
            P = self._on(P, h)
            size = (eta**2).sum(1) ** 0.5
            unit = eta / xp.where(size > 0.0, size, 1.0)[:, None]
            V = unit @ self._dual.T
            S = 0.5 * xp.sign(P) * V
            at = get(V[rows, put(np.maximum(h, 0))])
            return get(size), h, get(S @ self._points), get(S.sum(1)), at, get(unit)

        d, D = W.shape[1], self.U.shape[1]
        value, on, G, bias, weights, units = self._blocks(block, len(W), (), (d,), (d,), (), (d,), (D,))
        on = on.astype(np.intp)
        G -= bias[:, None] * self.X[on[:, 0]]
        if self.linear is not None:
            G += units @ self.linear.T
        weights[on < 0] = 0.0
        return Slopes(value, on, G, bias, weights)

    def around(self, W: Array, C: Array, held: NDArray[np.intp]) -> tuple[Array, Array, NDArray[np.intp]]:
        """The largest |eta| on the great circle through w and c, if both keep to what is held; where; what is crossed.

        A proposal: `slopes` evaluates it. Values (m,), unit vectors (m, d), data points or -1 (m,). O(N (d + log N)) a
        circle.
        """
        compiled, L = self.compiled("oracle.compiled_circles"), self.linear

        def block(part: slice) -> tuple[Array, ...]:
            if compiled is not None:
                return compiled.best_on_circles(self.columns, self.U, W[part], C[part], held[part], self.coefficients)
            h = held[part]
            rx, ry = (self._on(self.distances(V[part], h[:, 0]), h) for V in (W, C))
            linear = None if L is None else (self.machine.put(W[part] @ L), self.machine.put(C[part] @ L))
            return tuple(map(self.machine.get, best_on_circles(self.machine.xp, rx, ry, self._dual, linear)))

        blocks = self.blocks if compiled is not None else self._blocks
        squares, along_w, along_c, crossed = blocks(block, len(W), (), (), (), ())
        best = along_w[:, None] * W + along_c[:, None] * C
        best /= np.linalg.norm(best, axis=1, keepdims=True)
        return np.sqrt(squares), best, crossed.astype(np.intp)

    @property
    def coefficients(self) -> Array:
        """L for compiled code: (d, D), or (0, D)."""
        return np.empty((0, self.U.shape[1])) if self.linear is None else self.linear

    def compiled(self, module: str) -> Any:
        """A module of compiled code where it is worth its loading, else None."""
        return self.machine.compiled(module, len(self.X))

    def blocks(
        self,
        block: Callable[[slice], tuple[Array, ...]],
        m: int,
        *shapes: tuple[int, ...],
        most: int | None = None,
    ) -> list[Array]:
        """The answers of compiled code for m rows, of the shapes given, from threads, `most` rows at a time."""
        threads = min(fast.threads(), 1 + m * self.U.size // THREAD_ENTRIES)
        step = max(1, min(-(-m // threads), most or m))
        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                return _stacked([*pool.map(block, _parts(m, step))], shapes)
        return _stacked([block(part) for part in _parts(m, step)], shapes)

    def _blocks(self, block: Callable[[slice], tuple[Array, ...]], m: int, *shapes: tuple[int, ...]) -> list[Array]:
        """The answers for m rows, of the shapes given, from blocks that fit in memory."""
        return _stacked([block(part) for part in _parts(m, self._step)], shapes)


def linear_part(X: Array, U: Array) -> Array | None:
    """Half of X^T U, (d, D): what eta of hyperplanes through the origin has beside an even function; None for none."""
    linear: Array = 0.5 * (X.T @ U)
    rounding = EVEN_RTOL * float(np.linalg.norm(U) * np.linalg.norm(X))
    return linear if np.linalg.norm(linear) > rounding else None


def _stacked(parts: list[tuple[Array, ...]], shapes: tuple[tuple[int, ...], ...]) -> list[Array]:
    empty = [np.empty((0, *shape)) for shape in shapes]
    return [np.concatenate(column) for column in zip(empty, *parts, strict=True)]


def compact(held: NDArray[np.intp]) -> NDArray[np.intp]:
    """The same held points in the same order, the places without one (-1) last."""
    return np.take_along_axis(held, np.argsort(held < 0, axis=1, kind="stable"), axis=1)


def _parts(m: int, step: int) -> Iterator[slice]:
    return (slice(i, i + step) for i in range(0, m, step))
