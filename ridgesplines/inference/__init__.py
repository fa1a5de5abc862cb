"""What a fit says besides its optimum: by the loss alone, with knots that move, and how sure it is."""

from ridgesplines.inference.confidence import Band, Confidence, Estimates, confidence
from ridgesplines.inference.refit import refitted

__all__ = ["Band", "Confidence", "Estimates", "confidence", "refitted"]
