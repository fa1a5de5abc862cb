"""Sums that do not depend on how rows are cut into blocks: over cells of consecutive rows, by one fixed binary tree.

A cell is so many rows from a multiple of that number on, whoever reads them. Whoever has some cells side by side adds
them up as far as the tree goes: what is left is a few of its nodes, and two lists of nodes side by side are joined to
one. Every order of joining gives the same sums, to the last digit where the machines compute alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ridgesplines.rows.base import Block, prepared

#: Rows of a cell, and numbers of its X, at most.
CELL_ROWS, CELL_ENTRIES = 2**13, 2**20

Combine = Callable[[Any, Any], Any]


class Node(NamedTuple):
    """The sum over 2^height cells from number 2^height * place on."""

    height: int
    place: int
    value: Any


def cell_rows(n_features: int) -> int:
    """How many rows a cell has: it depends on nothing else."""
    return max(1, min(CELL_ROWS, CELL_ENTRIES // n_features))


def cells(block: Block) -> Iterator[Block]:
    """The cells of a block that begins with one."""
    size = cell_rows(block.X.shape[1])
    for i in range(0, len(block.X), size):
        X, y, weight = (part[i : i + size] for part in block[:3])
        yield Block(X, y, weight, block.first + i)


def nodes_of(
    blocks: Iterable[Block],
    steps: Iterable[Callable[[Block], Block]],
    function: Callable[..., Any],
    shared: tuple[Any, ...],
    combine: Combine,
) -> list[Node]:
    """The nodes of what a function returns for the cells of blocks, each of which begins with a cell."""
    nodes: list[Node] = []
    for block in blocks:
        size = cell_rows(block.X.shape[1])
        for cell in cells(block):
            push(nodes, Node(0, cell.first // size, function(prepared(cell, steps), *shared)), combine)
    return nodes


def push(nodes: list[Node], node: Node, combine: Combine) -> None:
    """The next node joins those on its left, and whatever pairs are complete are added."""
    while nodes and node.place % 2 and nodes[-1][:2] == (node.height, node.place - 1):
        node = Node(node.height + 1, node.place // 2, combine(nodes.pop().value, node.value))
    nodes.append(node)


def together(parts: Iterable[list[Node]], combine: Combine) -> list[Node]:
    """The nodes of parts that lie side by side."""
    nodes: list[Node] = []
    for part in parts:
        for node in part:
            push(nodes, node, combine)
    return nodes


def total(nodes: list[Node], combine: Combine) -> Any:
    """The sum of all, once there are no more to come."""
    value = nodes[-1].value
    for node in nodes[-2::-1]:
        value = combine(node.value, value)
    return value


def added(one: Any, other: Any) -> Any:
    """The sum; of tuples entry by entry."""
    if not isinstance(one, tuple):
        return one + other
    parts = map(added, one, other)
    return type(one)(*parts) if hasattr(one, "_fields") else tuple(parts)
