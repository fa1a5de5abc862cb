"""Passes over sorted points in one dimension, which all that looks at them shares."""
