"""What a fit says besides its optimum: by the loss alone, with knots that move, and how sure it is."""

from ridgesplines.inference.refit import refitted

__all__ = ["refitted"]
