"""What is asked: the data, the loss, the weight of the penalty, what is known of f."""

from ridgesplines.problem.problem import Problem

__all__ = ["Problem"]
