"""The Radon transform of images whose integrals are known, d = 2: ours, scikit-image's, and our sums by finufft.

    pip install scikit-image finufft
    python benchmarks/radon.py

Errors are largest ones, relative to the largest value; for the inverse, within nine tenths of the radius. Times are CPU
times on one thread, the best of three. A peer that is not installed is left out.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from ridgesplines.radon.filters import backprojection_filter, filtered_back_projection
from ridgesplines.radon.grid import RadonGrid
from ridgesplines.radon.transform import radon_transform

Pair = tuple[Callable[[], np.ndarray], Callable[[np.ndarray], np.ndarray]]
DEVIATION, DISC = 0.15, 0.6


def gaussian(grid: RadonGrid) -> tuple[np.ndarray, np.ndarray]:
    """An image off centre, and its integrals."""
    centre = np.array([0.2, -0.1])
    image = np.exp(-((grid.points - centre) ** 2).sum(axis=1) / (2.0 * DEVIATION**2)).reshape(grid.nodes, -1)
    t = grid.offsets - (grid.directions @ centre)[:, None]
    return image, DEVIATION * np.sqrt(2.0 * np.pi) * np.exp(-(t**2) / (2.0 * DEVIATION**2))


def disc(grid: RadonGrid) -> tuple[np.ndarray, np.ndarray]:
    image = (np.linalg.norm(grid.points, axis=1) <= DISC).astype(float).reshape(grid.nodes, -1)
    chords = 2.0 * np.sqrt(np.maximum(DISC**2 - grid.offsets**2, 0.0))
    return image, np.tile(chords, (len(grid.directions), 1))


def ours(image: np.ndarray, grid: RadonGrid) -> Pair:
    return lambda: radon_transform(image, grid), lambda values: filtered_back_projection(values, grid)


def scikit_image(image: np.ndarray, grid: RadonGrid) -> Pair:
    """Half of the directions, in degrees, and offsets up to L; its rows run down, its columns along the first axis."""
    from skimage.transform import iradon, radon

    half = len(grid.directions) // 2
    angles, inner = 180.0 * np.arange(half) / half, slice((grid.nodes - 1) // 2, -((grid.nodes - 1) // 2))

    def transform() -> np.ndarray:
        full = np.zeros((len(grid.directions), len(grid.offsets)))
        full[:half, inner] = radon(image.T[::-1], angles, circle=True).T * grid.spacing
        full[half:] = full[:half, ::-1]
        return full

    def inverse(values: np.ndarray) -> np.ndarray:
        sinogram = values[:half, inner].T / grid.spacing
        return iradon(sinogram, angles, circle=True, interpolation="cubic")[::-1].T

    return transform, inverse


def finufft(image: np.ndarray, grid: RadonGrid) -> Pair:
    """The sums of our transform and of its adjoint, to rounding; for odd n, where the middle node is at 0."""
    from finufft import nufft2d1, nufft2d2

    half = grid.directions[: len(grid.directions) // 2]
    points = [np.outer(a, grid.frequencies * grid.spacing).ravel() for a in half.T]
    exact = {"eps": 1e-14, "nthreads": 1}

    def transform() -> np.ndarray:
        sums = nufft2d2(*points, image.astype(complex), isign=-1, **exact).reshape(len(half), -1)
        values = np.fft.irfft(sums * grid.spacing, len(grid.offsets), axis=1)
        values = np.fft.fftshift(values, axes=1)
        return np.concatenate([values, values[:, ::-1]])

    def inverse(values: np.ndarray) -> np.ndarray:
        filtered = backprojection_filter(values, grid)[: len(half)] * 2.0 * grid.weights[: len(half), None]
        spectra = np.fft.rfft(np.fft.ifftshift(filtered, axes=1), axis=1) / len(grid.offsets)
        spectra[:, 1:] *= 2.0
        return nufft2d1(*points, spectra.ravel(), image.shape, isign=1, **exact).real

    return transform, inverse


def timed(call: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        result = call()
        best = min(best, time.process_time() - start)
    return result, best


def line(name: str, nodes: int, case: Callable, system: Callable) -> str:
    grid = RadonGrid(d=2, nodes=nodes)
    image, exact = case(grid)
    transform, inverse = system(image, grid)
    values, seconds = timed(transform)
    error = np.abs(values - exact).max() / exact.max()
    mean = np.sqrt(np.mean((values - exact) ** 2) / np.mean(exact**2))
    row = f"| {case.__name__} | {nodes} | {name} | {error:.1e} | {mean:.1e} | {seconds:.3f} s |"
    back, seconds = timed(lambda: inverse(values))
    inside = (np.linalg.norm(grid.points, axis=1) <= 0.9).reshape(image.shape)
    return row + f" {np.abs(back - image)[inside].max():.1e} | {seconds:.3f} s |"


def main() -> None:
    warnings.filterwarnings("ignore", message="Radon transform: image must be zero")  # the Gaussian's tail, 1e-7
    systems = {"ours": ours, "scikit-image": scikit_image, "finufft": finufft}
    needs = {"scikit-image": "skimage", "finufft": "finufft"}
    print("| image | n | | largest error | mean square | time | inverse, largest error | time |")
    print("|---|--:|---|--:|--:|--:|--:|--:|")
    for case in (gaussian, disc):
        for nodes in (33, 65, 129, 257):
            for name, system in systems.items():
                if name == "ours" or find_spec(needs[name]):
                    print(line(name, nodes, case, system), flush=True)


if __name__ == "__main__":
    main()
