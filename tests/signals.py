"""Works to be interrupted by real signals; a program that `contracts/test_interrupt` runs."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import warnings

import numpy as np

import ridgesplines as rs

rng = np.random.default_rng(0)
T = np.sort(rng.uniform(-1.0, 1.0, 3000))
LINE = rs.Problem(T, np.sin(6.0 * T) + 0.1 * rng.standard_normal(3000), 0.05)
X = rng.uniform(-1.0, 1.0, (20, 3))
Y = np.abs(X[:, 0] + X[:, 1]) + np.maximum(X[:, 2], 0.0) + 0.1 * rng.standard_normal(20)
SPACE = rs.Problem(X[:10], Y[:10], 1.0)
KINKS = rs.Problem(X[:8], Y[:8], 1.0, rs.Absolute())
PLANE = rs.Problem(X[:, :2], Y, 0.1)
FEW = rs.Problem(X[:10, :2], Y[:10], 0.1)
RISING = rs.Problem(T[::100], np.arctan(4.0 * T[::100]), 0.01, constraints=[rs.Monotone()])
FORCED = rs.Problem(LINE.X[::10], LINE.y[::10], 0.05, constraints=[rs.Monotone(), rs.Bounds(-0.5, 0.5)])
GRID, ARRANGEMENT = rs.Grid(directions=8), rs.Arrangement()
REGRESSOR, SPLINES = rs.RidgeSplineRegressor(lam=1.0), rs.LinearSplineRegressorCV(n_lams=5, cv=3)
BENT = rs.RidgeSpline(np.eye(1, 3), [0.0], [1.0])
THINNED = rs.Problem(T[::10], LINE.y[::10], 0.05, rs.Absolute())
SIGMOID = rs.Problem(T[::60], LINE.y[::60], 0.1, activation=rs.Sigmoid())
OPTIMUM = None


def optimum():
    global OPTIMUM
    OPTIMUM = OPTIMUM or rs.solve(SPACE)
    return OPTIMUM


#: What answers with the best so far: one fit, or a path that ends.
ANSWERS = {
    "a line": lambda: rs.solve(LINE),
    "a line with kinks": lambda: rs.solve(THINNED),
    "a plane": lambda: rs.solve(PLANE),
    "three dimensions": lambda: rs.solve(SPACE),
    "cutting planes": lambda: rs.solve(KINKS),
    "a grid": lambda: rs.solve(PLANE, GRID),
    "another activation": lambda: rs.solve(SIGMOID),
    "constraints": lambda: rs.solve_path(RISING, lams=[0.1, 0.05, 0.03, 0.02, 0.01]),  # one takes ten milliseconds
    "active constraints": lambda: rs.solve(FORCED),
    "active constraints, kinks": lambda: rs.solve(FORCED.with_loss(rs.Absolute())),
    "an arrangement": lambda: rs.solve(FEW, ARRANGEMENT),
    "a path": lambda: rs.solve_path(PLANE, lams=[1.0, 0.5, 0.2, 0.1]),
    "a proof": lambda: optimum().certify(max_time=0.3),
}
#: What needs several finished fits, or is no fit.
RAISES = {
    "an estimator": lambda: REGRESSOR.fit(SPACE.X, SPACE.y),
    "cross-validation": lambda: SPLINES.fit(T[::30, None], LINE.y[::30]),
    "the largest lam": lambda: rs.lambda_max(KINKS),
    "an evaluation": lambda: rs.evaluate(KINKS, BENT),
}


def trial(work, delay):
    """(what came, seconds from the signal to it, or less than zero where the signal came later)."""
    sent, go = [], threading.Event()

    def send():
        go.wait()
        time.sleep(delay)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    sender, result, came, ended = threading.Thread(target=send), None, None, None
    sender.start()
    try:
        try:
            go.set()
            result = work()
        except KeyboardInterrupt:  # unless it came between the answer and this line
            came = "KeyboardInterrupt" if result is None else None
        except BaseException as error:
            came = f"{type(error).__name__}: {error}"
        ended = time.perf_counter()
        sender.join()
        time.sleep(0.001)
    except KeyboardInterrupt:  # it came too late
        sender.join()
    ended = time.perf_counter() if ended is None else ended
    return came or described(result), ended - sent[0]


def described(result):
    """The status of the last solution, all of which are whole."""
    solutions = [*result] if isinstance(result, rs.Path) else [result]
    if isinstance(solutions[-1], rs.Solution):
        assert all(
            np.isfinite([solution.objective, solution.network(solution.problem.X[:1])[0]]).all()
            for solution in solutions
        )
        return str(solutions[-1].status)
    return "finished"


def main(signals, *names):
    """A line of JSON for each signal; each work goes undisturbed twice before, and once after all of its signals."""
    warnings.simplefilter("ignore")
    for name in names:
        work = (ANSWERS | RAISES)[name]
        work()
        began = time.perf_counter()
        work()
        usual = time.perf_counter() - began
        moments = np.random.default_rng(1)
        for _ in range(signals):
            print(json.dumps([name, *trial(work, float(moments.uniform(0.001, usual)))]), flush=True)
        work()
        print(json.dumps([name, "the end", usual]), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
