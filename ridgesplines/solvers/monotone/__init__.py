"""Functions of many features that must be monotone in some of them."""
