"""Quickstart: a spline and its proof
==================================

A linear spline through real measurements, and the proof of how good it is.

The head of a motorcyclist in a simulated crash: 133 accelerations at uneven times. A wide ReLU network with a skip
connection, trained with weight decay, would approach the function found here; this one is its global optimum, with a
handful of neurons, and says how far from the optimum it can be at most.
"""

import sys
from pathlib import Path

import numpy as np

import ridgesplines as rs


def main(picture: str = "quickstart.png") -> None:
    table = np.genfromtxt(Path(__file__).parent / "data" / "motorcycle.csv", delimiter=",", names=True)
    time, acceleration = table["time_ms"], table["acceleration_g"]

    problem = rs.Problem(time, acceleration, lam=1.0)
    problem = problem.with_lam(0.02 * rs.lambda_max(problem))
    solution = rs.solve(problem)

    print(solution.summary())
    print("\n knot (ms)   change of slope (g/ms)")
    for knot, change in sorted(zip(solution.network.knots, solution.network.amplitudes, strict=True)):
        print(f"{knot:10.1f}   {change:+.3f}")
    figure = solution.plot(target="acceleration (g)")
    figure.axes[1].set_xlabel("time after impact (ms)")
    figure.savefig(picture, dpi=150)
    print(f"\nwrote {picture}")


if __name__ == "__main__":
    main(*sys.argv[1:])
