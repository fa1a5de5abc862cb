"""The data of a problem whose rows are in blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss
from ridgesplines.losses.huber import Huber
from ridgesplines.losses.logistic import Logistic
from ridgesplines.losses.squared import Squared
from ridgesplines.numerics.precise import origin_near
from ridgesplines.rows.affine import Affine
from ridgesplines.rows.base import Block, Rows
from ridgesplines.rows.facts import Facts
from ridgesplines.rows.local import MemoryRows
from ridgesplines.validation import Array, frozen, sized

#: The losses of rows in blocks.
LOSSES = (Squared, Huber, Logistic)
#: A sample is one row of so many; of at least and at most so many.
SHARE, FEWEST, MOST = 8, 2**13, 2**16
#: A larger sample has so many times the rows; it is of at most one in so many of all, and of at most so many numbers.
GROWTH, PART, ENTRIES = 8, 4, 2**24
#: Relative to the spread of y, or to a margin of one: a fit as near as this is perfect, for a gap to be relative to.
PERFECT = 1e-6


@dataclass(frozen=True, eq=False)
class BlockedData:
    """Rows in blocks with their loss and activation. It has no X: what asks for all of them at once is refused."""

    blocks: Rows
    loss: Loss
    activation: Activation
    facts: Facts

    @property
    def X(self) -> NoReturn:  # noqa: N802
        """Refused."""
        raise ProblemError(
            "problem",
            "rows in memory, for what needs all of them at once",
            f"{self.n_samples} rows {self.blocks.place}",
            "Of such rows there are objective, gap, certificate and predictions. Pass a sample of them in memory.",
        )

    y = sample_weight = rows = centred = sites = level = above_level = spread = detrended = X
    null_space = gram = slopes = X

    @property
    def n_samples(self) -> int:
        return self.blocks.n_rows

    @property
    def n_features(self) -> int:
        return self.blocks.n_features

    @property
    def n_outputs(self) -> None:
        return None

    @property
    def reduced(self) -> BlockedData:
        """Itself: rows of weight zero are passed over."""
        return self

    @cached_property
    def origin(self) -> Array:
        """A point near the data, from which x is measured without any rounding; shape (d,)."""
        return frozen(origin_near(np.array([self.facts.low, self.facts.high])))

    def measured_in(self, scales: Array) -> BlockedData:
        """The data of (x - origin)/scales: blocks are scaled whenever they are read."""
        low, high = ((x - self.origin) / scales for x in (self.facts.low, self.facts.high))
        sized("X", np.concatenate([low, high]))
        rows = self.blocks.mapped(partial(_measured_in, origin=self.origin, scales=scales))
        return replace(self, blocks=rows, facts=replace(self.facts, low=low, high=high))

    @cached_property
    def affine(self) -> Affine:
        """Orthonormal affine functions."""
        return Affine.of(self.blocks, self.facts)

    @property
    def rank(self) -> int:
        return self.affine.rank

    @cached_property
    def resolution(self) -> float:
        """The data fit of a perfect fit; see :func:`ridgesplines.objective.resolution`."""
        middle = float(self.facts.total[1] / self.facts.total[0])
        return float(self.blocks.reduce(_perfect, self.loss, middle)) + 1e-300

    @cached_property
    def sample(self) -> tuple[Block, float]:
        """Some rows at random, in memory, and of how many each is one; the same whatever the blocks."""
        n = self.n_samples
        most = min(max(n // SHARE, FEWEST), MOST)
        few = np.arange(n) if n <= most else np.sort(_distinct(n, most))
        return self.blocks.take(few), n / len(few)

    @property
    def sample_sizes(self) -> list[int]:
        """How many rows larger samples have: each several times those of the one before, of all a part."""
        sizes, most = [], min(self.n_samples // PART, ENTRIES // self.n_features)
        size = GROWTH * len(self.sample[0].X)
        while size <= most:
            sizes.append(size)
            size *= GROWTH
        return sizes

    def larger_sample(self, number: int) -> BlockedData:
        """So many rows at random, in memory, each weighing as much as all that it stands for; in coordinates of all."""
        n = self.n_samples
        X, y, weight, _ = self.blocks.take(np.sort(_distinct(n, number)))
        sample = replace(self, blocks=MemoryRows(X, y, n / number * weight))
        sample.__dict__.update(affine=self.affine, sample=self.sample, resolution=self.resolution)
        return sample


def _distinct(n: int, number: int) -> NDArray[np.intp]:
    """So many different numbers below n, without a permutation of all."""
    rng = np.random.default_rng(n)
    return rng.choice(n, number, replace=False, shuffle=False).astype(np.intp)


def _measured_in(block: Block, origin: Array, scales: Array) -> Block:
    return block._replace(X=(block.X - origin) / scales)


def _perfect(block: Block, loss: Loss, middle: float) -> float:
    if not loss.translates:
        return float(block.weight @ loss.missed(block.y, np.full(len(block.y), PERFECT)))
    spread = PERFECT * (block.y - middle)
    return float(block.weight @ loss.value(spread, np.zeros_like(spread)))


def data_in_blocks(rows: Rows, loss: Loss, activation: Activation, constraints: Any, slope_penalty: Any) -> BlockedData:
    """The data of rows in blocks, after one pass over them; or a ProblemError, before it where that can be known."""
    memory = "Read the rows into memory: X.compute(), or numpy.array(X)."
    refused = [
        ("loss", "Squared(), Huber() or Logistic()", loss, isinstance(loss, LOSSES)),
        ("activation", "ReLU()", activation, isinstance(activation, ReLU)),
        ("constraints", "no constraints", constraints, not constraints),
        ("slope_penalty", "0", slope_penalty, slope_penalty == 0.0),
    ]
    for name, expected, got, fits in refused:
        if not fits:
            raise ProblemError(name, f"{expected} where rows are in blocks", repr(got), memory)
    return BlockedData(rows, loss, activation, Facts.of(rows, loss))
