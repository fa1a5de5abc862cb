"""Problems with shape constraints, d = 1."""
