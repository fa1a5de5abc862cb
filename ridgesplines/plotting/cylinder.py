r"""Two dimensions: the cylinder of angles and offsets, on which a line :math:`\alpha^T x = t` is a point, twice."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.collections import LineCollection

from ridgesplines.network.spline import RidgeSpline
from ridgesplines.oracle.eta import eta_along
from ridgesplines.plotting.style import DATA, NEGATIVE, POSITIVE, SIGNED, Picture, headline
from ridgesplines.radon.measure import radon_measure
from ridgesplines.solution import Solution
from ridgesplines.validation import Array

#: Angles and offsets at which the certificate is drawn.
ANGLES = np.linspace(-np.pi, np.pi, 361)
OFFSETS = np.linspace(-1.0, 1.0, 241)
#: The most data that are drawn as curves.
MOST_CURVES = 60
#: The most impulses of full size; of more each is smaller.
MOST_MARKS = 20
#: Positive and negative masses, which differ without colour as well.
SIGNS = ((1.0, "^", POSITIVE), (-1.0, "v", NEGATIVE))
#: The certificate exceeds lam where it does so by more than this, relatively.
BEYOND = 1e-3


def draw_cylinder(figure: Picture, solution: Solution, target: str, title: str | None) -> None:
    r"""The certificate over the angles and offsets, and above it the measure of the fit, which lies where it is lam.

    Offsets are measured from the mean of the data, and data are curves, :math:`t = \alpha^T (x_n - \bar x)`.
    """
    problem = solution.problem.reduced
    mean = np.average(problem.X, axis=0, weights=problem.sample_weight)
    limit = 1.05 * float(np.linalg.norm(problem.X - mean, axis=1).max()) or 1.0
    figure.set_size_inches(8.0, 8.0)
    above, below = figure.subplots(2, 1, sharex=True, sharey=True)
    _draw_certificate(figure, below, solution, mean, limit)
    for axes in (above, below):
        if axes is above or problem.n_samples <= MOST_CURVES:  # many would hide the map
            _draw_curves(axes, problem.X - mean, DATA if axes is above else "black")
        draw_atoms(axes, solution.network, mean, hollow=axes is below)
        finish(axes, limit, r"offset $t - \alpha^T \bar x$")
    figure.suptitle(headline(solution, title), fontsize=10, x=0.01, ha="left")
    above.set_title("the measure of the fit: " + norm_words(solution.network), fontsize=9, loc="left")
    above.set_xlabel("")


def _draw_certificate(figure: Picture, axes: Any, solution: Solution, mean: Array, limit: float) -> None:
    certificate = solution.certificate
    lam = solution.problem.lam or certificate.sup or 1.0
    directions = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
    rows = [eta_along(certificate.X @ w, certificate.dual, limit * OFFSETS + w @ mean) for w in directions]
    eta = np.array(rows).T / (lam * solution.problem.lengths(directions))
    optimal = certificate.sup <= (1.0 + BEYOND) * lam
    top = max(1.0, float(np.abs(eta).max()))
    degrees = np.degrees(ANGLES)
    shown = axes.pcolormesh(degrees, limit * OFFSETS, eta, cmap=SIGNED, vmin=-top, vmax=top, rasterized=True)
    if not optimal:
        axes.contour(degrees, limit * OFFSETS, np.abs(eta), levels=[1.0], colors="black", linewidths=1.5)
    axes.set_title(_certificate_words(solution, lam, optimal), fontsize=9, loc="left")
    bar = figure.colorbar(shown, ax=axes, pad=0.01)
    times = "" if f"{top:.3g}" == "1" else f"{top:.3g}"
    bar.set_ticks([-top, 0.0, top], labels=[rf"$-{times}\lambda$", "0", rf"${times}\lambda$"])
    bar.set_label(r"$\eta(\alpha, t)$" if solution.problem.scales is None else r"$\eta(\alpha, t) \,/\, \|S \alpha\|$")


def _certificate_words(solution: Solution, lam: float, optimal: bool) -> str:
    r"""The largest :math:`|\eta|` anywhere, and the smallest at the neurons, with the sign of the amplitude."""
    net, certificate = solution.network, solution.certificate
    words = rf"the certificate: $\sup\, |\eta|/\lambda$ = {certificate.sup / lam:.6g} ({certificate.scope})"
    if not optimal:
        return words + r"; above 1 within the black lines"
    if not net.n_neurons:
        return words
    contact = np.sign(net.amplitudes) * certificate.eta(net.weights, net.biases) / lam
    contact = contact / solution.problem.lengths(net.weights)
    return words + f", at the impulses at least {np.floor(1e6 * contact.min()) / 1e6:.6f}"


def _draw_curves(axes: Any, X: Array, colour: str) -> None:
    r"""The lines through each datum: :math:`t = \alpha(\theta)^T x_n`."""
    chosen = X[np.unique(np.linspace(0, len(X) - 1, min(len(X), MOST_CURVES)).astype(int))]
    heights = np.outer(chosen[:, 0], np.cos(ANGLES)) + np.outer(chosen[:, 1], np.sin(ANGLES))
    curves = [np.column_stack([np.degrees(ANGLES), row]) for row in heights]
    axes.add_collection(LineCollection(curves, colors=colour, linewidths=0.5, alpha=0.3, zorder=1))


def draw_atoms(axes: Any, network: RidgeSpline, mean: Array, hollow: bool = False) -> None:
    """The impulses, their area the mass; offsets from the mean."""
    measure = radon_measure(network)
    angles = np.degrees(np.arctan2(measure.directions[:, 1], measure.directions[:, 0]))
    offsets = measure.offsets - measure.directions @ mean
    largest = float(np.abs(measure.masses).max(initial=0.0)) or 1.0
    for sign, marker, colour in SIGNS:
        own = sign * measure.masses > 0.0
        if not own.any():
            continue
        sizes = (25.0 + 175.0 * np.abs(measure.masses[own]) / largest) * _shrunk(network.n_neurons)
        style: dict[str, Any] = {
            "facecolors": "white" if hollow else colour,
            "edgecolors": "black" if hollow else "white",
        }
        style |= {"linewidths": 0.6 if network.n_neurons > MOST_MARKS else 1.0}
        label = f"mass {'>' if sign > 0.0 else '<'} 0"
        axes.scatter(angles[own], offsets[own], sizes, marker=marker, zorder=3, label=label, **style)
    if network.n_neurons and not hollow:
        axes.legend(fontsize=8, loc="upper right")


def _shrunk(k: int) -> float:
    """The share of their size that many marks have."""
    return min(1.0, max(0.35, MOST_MARKS / k))


def finish(axes: Any, limit: float, label: str) -> None:
    axes.set_xlim(-180.0, 180.0)
    axes.set_ylim(-limit, limit)
    axes.set_xticks(range(-180, 181, 45), [f"{a}°" for a in range(-180, 181, 45)])
    axes.set_xlabel(r"angle $\theta$ of the direction $\alpha = (\cos\theta, \sin\theta)$")
    axes.set_ylabel(label)


def norm_words(network: RidgeSpline) -> str:
    """The norm of the measure, and whether it is the seminorm."""
    norm, seminorm = radon_measure(network).norm, network.seminorm
    transform = "D^2 f" if network.n_features == 1 else "D_t^2 K R f"
    same = norm >= (1.0 - 1e-12) * seminorm
    words = rf"$\|{transform}\|_{{\mathcal{{M}}}}$ = {norm:.4g} {'=' if same else '<'} $\Sigma_k\, |v_k| \|w_k\|$"
    return f"K = {network.n_neurons}, " + words + ("" if same else f" = {seminorm:.4g}")
