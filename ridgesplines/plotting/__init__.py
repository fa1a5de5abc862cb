"""Pictures of solutions and paths, drawn with matplotlib without touching its global state."""

from ridgesplines.plotting.comparison import plot_comparison
from ridgesplines.plotting.confidence import plot_confidence
from ridgesplines.plotting.criterion import plot_criterion
from ridgesplines.plotting.measure import plot_measure
from ridgesplines.plotting.path import plot_path
from ridgesplines.plotting.solution import plot_solution

__all__ = ["plot_comparison", "plot_confidence", "plot_criterion", "plot_measure", "plot_path", "plot_solution"]
