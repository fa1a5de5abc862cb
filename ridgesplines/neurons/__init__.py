"""Sets of neurons: those of a grid, activation patterns, the working set of a solver."""
