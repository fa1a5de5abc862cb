r"""Biases penalised: a network of x is one of :math:`\tilde x = (x, 1)` whose hyperplanes go through the origin.

.. math:: v\,\rho(w^T x - b) = v\,\rho(\tilde w^T \tilde x), \qquad \tilde w = (w, -b), \qquad
          |v|\,\|(w, b)\|_2 = |v|\,\|\tilde w\|_2

So the problem is the usual one of one more feature, but for the biases, which are zero; affine functions of
:math:`\tilde x` are those of x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import Array


def homogeneous(X: Array) -> Array:
    """Rows (x, 1), shape (N, d + 1)."""
    return np.column_stack([X, np.ones(len(X))])


def checked_bias_penalty(penalise_bias: Any, skip: Any, problem: Any) -> tuple[bool, bool]:
    """The arguments `penalise_bias` and `skip` of a problem that has its other arguments already."""
    for name, flag in (("penalise_bias", penalise_bias), ("skip", skip)):
        if not isinstance(flag, bool | np.bool_):
            raise ProblemError(name, "True or False", repr(flag), f"Pass {name}=True, or leave it out.")
    if not penalise_bias:
        if not skip:
            remedy = "Where biases cost nothing, neurons far away make constants for next to nothing: pass both."
            raise ProblemError("skip", "True, unless penalise_bias=True", "False", remedy)
        return False, True
    wrong = [
        ("activation=ReLU()", repr(problem.activation), not isinstance(problem.activation, ReLU)),
        ("rows in memory", "rows in blocks", problem.in_blocks is not None),
        ("no constraints", repr(list(problem.constraints)), bool(problem.constraints)),
        ("interactions=None", repr(problem.interactions), problem.interactions is not None),
        ("norm=False", "norm=True", problem.norm),
        ("slope_penalty=0", f"{problem.slope_penalty:g}", problem.slope_penalty > 0.0),
        ("scales=None, for biases have the units of x", "scales", problem.scales is not None),
        ("output_scales=None", "output_scales", problem.output_scales is not None),
        ("numbers in X, for the penalty depends on where x = 0 is", "dates", problem.dates is not None),
    ]
    for expected, got, is_so in wrong:
        if is_so:
            raise ProblemError("penalise_bias", f"False, or {expected}", got, "Pass one of the two alone.")
    return True, bool(skip)
