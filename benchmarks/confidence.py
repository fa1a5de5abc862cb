"""Coverage of the intervals of `solution.confidence()`, and what a bootstrap costs.

    python benchmarks/confidence.py [repetitions] [resamples]

A broken line with two knots, N = 200 uneven x, drawn again and again; the solution of a path with at most two neurons;
95 % intervals. Printed is how often they hold the truth, over the two knots, the three slopes, and the curve at eight
places, as a mean with its Monte Carlo error. The draws whose solution had fewer than two knots are counted apart.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

import ridgesplines as rs

N, LEVEL = 200, 0.95
CORNERS, HEIGHTS = np.array([0.0, 3.0, 6.5, 10.0]), np.array([1.0, 4.0, 0.5, 2.0])
PLACES = np.array([0.5, 1.5, 2.6, 3.6, 5.0, 6.0, 7.2, 9.0])
Noise = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def alike(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Independent, of one variance."""
    return rng.standard_normal(len(x))


def uneven(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Independent, the standard deviation five times as large at the right end as at the left."""
    return rng.standard_normal(len(x)) * (0.4 + 0.16 * x)


def dependent(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Autoregressive along x, with a coefficient of 0.6; of variance one."""
    noise = rng.standard_normal(len(x))
    for n in range(1, len(x)):
        noise[n] = 0.6 * noise[n - 1] + 0.8 * noise[n]
    return noise


def solved(x: np.ndarray, y: np.ndarray) -> rs.Solution:
    return rs.solve_path(rs.Problem(x, y, 1.0), n_lams=30).with_neurons(2)


def coverage(noise: Noise, size: float, repetitions: int, **settings: object) -> tuple[list[np.ndarray], int]:
    """Whether each interval held the truth, (draws, 2), (draws, 3), (draws, 8); how many draws had no two knots."""
    held: list[list[np.ndarray]] = [[], [], []]
    fewer = 0
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        x = np.sort(rng.uniform(0.0, 10.0, N))
        solution = solved(x, np.interp(x, CORNERS, HEIGHTS) + size * noise(rng, x))
        if solution.network.n_neurons != 2:
            fewer += 1
            continue
        sure = solution.confidence(LEVEL, **settings)
        truth = CORNERS[1:-1], np.diff(HEIGHTS) / np.diff(CORNERS), np.interp(PLACES, CORNERS, HEIGHTS)
        for those, found, value in zip(held, (sure.knots, sure.segments, sure.band(PLACES)), truth, strict=True):
            those.append((found.low <= value) & (value <= found.high))
    return [np.array(those) for those in held], fewer


def shown(held: np.ndarray) -> str:
    by_draw = held.mean(axis=1)
    return f"{100.0 * by_draw.mean():5.1f} ± {100.0 * by_draw.std() / np.sqrt(len(by_draw)):.1f}"


def main(repetitions: int = 1000, resamples: int = 400) -> None:
    few = max(repetitions // 2, 1)
    boot = {"method": "bootstrap", "n_resamples": resamples, "random_state": 0}
    cases = [
        (alike, 0.3, repetitions, {}),
        (alike, 0.3, repetitions, {"robust": True}),
        (alike, 0.3, few, boot),
        (alike, 1.0, repetitions, {}),
        (alike, 1.0, few, boot),
        (uneven, 0.3, repetitions, {}),
        (uneven, 0.3, repetitions, {"robust": True}),
        (uneven, 0.3, few, boot | {"robust": True}),
        (dependent, 0.3, repetitions, {}),
        (dependent, 0.3, few, boot | {"block": 15}),
    ]
    print(f"95 % intervals, N = {N}, K = 2; bootstrap of {resamples}\n")
    print("noise      size  settings                         draws  K < 2   knots        slopes       curve")
    for noise, size, count, settings in cases:
        held, fewer = coverage(noise, size, count, **settings)
        words = (
            ", ".join(f"{k}={v}" for k, v in settings.items() if k not in ("n_resamples", "random_state")) or "delta"
        )
        numbers = "   ".join(map(shown, held))
        print(f"{noise.__name__:<9}  {size:4.1f}  {words:<32} {count:5d}  {fewer:5d}   {numbers}", flush=True)
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0.0, 10.0, 10_000))
    solution = solved(x, np.interp(x, CORNERS, HEIGHTS) + 0.3 * rng.standard_normal(len(x)))
    start = time.process_time()
    solution.confidence(method="bootstrap", n_resamples=1000, random_state=0)
    print(f"\n1000 resamples of N = 10000, the refit included: {time.process_time() - start:.1f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
