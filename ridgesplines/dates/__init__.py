"""Dates and durations: numbers of days, and what they stand for."""

from ridgesplines.dates.reading import read, refused, several
from ridgesplines.dates.record import Dates, require_same

__all__ = ["Dates", "read", "refused", "require_same", "several"]
