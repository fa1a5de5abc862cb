"""The problem on finitely many given neurons, solved to rounding: the affine fit, and refits on a support."""

from ridgesplines.finite.affine import affine_fit, require_minimiser
from ridgesplines.finite.design import Design, design, fitted, fitted_alone, project
from ridgesplines.finite.linear import linear_program
from ridgesplines.finite.newton import Face, curvatures, damped_solve, descend, line_search

__all__ = [
    "Design",
    "Face",
    "affine_fit",
    "curvatures",
    "damped_solve",
    "descend",
    "design",
    "fitted",
    "fitted_alone",
    "line_search",
    "linear_program",
    "project",
    "require_minimiser",
]
