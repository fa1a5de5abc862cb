"""Numbers: passes that numba compiles, sums without rounding, polynomials of an activation's null space."""
