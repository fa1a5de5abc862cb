"""Given neurons: their best amplitudes, solved to rounding; and the fewest of them that do the same."""
