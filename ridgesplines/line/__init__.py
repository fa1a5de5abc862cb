"""One dimension: splines on sorted data, exact and fast.

`moments` boils quadratic problems down to their knots, `active_set` and `interior` solve them there, `exchange` chooses
the knots; `smooth`, `kinked` and `interpolate` are the three kinds of losses.
"""

from ridgesplines.line.active_set import Knots
from ridgesplines.line.data import Line
from ridgesplines.line.interpolate import connect
from ridgesplines.line.kinked import kinked, nearby_line, straight_fit
from ridgesplines.line.moments import kinks
from ridgesplines.line.progress import Progress
from ridgesplines.line.smooth import smooth

__all__ = ["Knots", "Line", "Progress", "connect", "kinked", "kinks", "nearby_line", "smooth", "straight_fit"]
