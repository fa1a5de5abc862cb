"""The methods by which a network comes from other formats, and goes to them; their work is done beside this file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

from ridgesplines.network import archive

if TYPE_CHECKING:
    import torch

    from ridgesplines.network.spline import RidgeSpline


class Exchange:
    """What a RidgeSpline can be made of and be written as."""

    def to_torch(self: Any) -> torch.nn.Module:
        """The network as an ``nn.Module`` in double precision, at balance, with a skip connection. Needs PyTorch."""
        from ridgesplines.torch.conversion import to_torch

        return to_torch(self)

    @classmethod
    def from_torch(cls, module: Any) -> RidgeSpline:
        """The network that an ``nn.Module`` of the form (7), (18), (19) or (33) is. Needs PyTorch.

        ``nn.Sequential(nn.Linear(d, K), nn.ReLU(), nn.Linear(K, D))``, what `to_torch` returns, or a module of your own
        with such layers and possibly an ``nn.Linear(d, D)`` as skip connection: the network read from its weights is
        held against its outputs at random points, and a module that is of no such form is refused with a ProblemError.
        D = 1 gives a scalar network.
        """
        from ridgesplines.torch.conversion import from_torch

        return from_torch(module)

    def save(self: Any, path: str | os.PathLike[str]) -> None:
        """Write the network to `path` as an ``.npz`` archive of plain arrays, without pickle."""
        archive.write(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a network that `save` wrote."""
        return archive.read(path, cls)
