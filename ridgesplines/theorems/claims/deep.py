r"""(34): deep networks: layers, sparsity, skip connections, and the rank of what lies between the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.amplitudes.atoms import count_atoms, purify_atoms
from ridgesplines.amplitudes.extreme_points import neuron_bound, purify
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import seminorm
from ridgesplines.plotting.style import FIT, KNOT
from ridgesplines.problem import Problem
from ridgesplines.theorems.report import Report, at_least, at_most, timed
from ridgesplines.validation import Array

if TYPE_CHECKING:
    from ridgesplines.torch.deep import DeepSolution

#: What is counted of a sparse form of an output, with seminorms and with norms.
_SPARSE = {
    False: "neurons of a sparse form of an output, against N - rank",
    True: "neurons and affine coefficients of a sparse form of an output, against N",
}


def instance(seed: int) -> tuple[DeepSolution]:
    """Two layers with a bottleneck of two and norms, trained by weight decay, the last one refined; K > N."""
    from ridgesplines.torch.decay import WeightDecay
    from ridgesplines.torch.deep import DeepRidgeSpline

    X = np.random.default_rng(seed).uniform(-1.0, 1.0, (30, 3))
    problem = Problem(X, np.abs(np.abs(X[:, 0] + X[:, 1]) - X[:, 2]), lam=0.02)
    method = WeightDecay(epochs=400, learning_rate=0.01, random_state=seed)
    return (DeepRidgeSpline(widths=(60, 60), bottlenecks=(2,), norm=True).train(problem, method).refine(),)


@timed
def check(solution: DeepSolution) -> Report:
    r"""(34) has a solution that is a ReLU network of L + 1 layers, sparse, with skip connections and low ranks.

    .. math:: \min \sum_n L(y_n, f^{(L)} \circ \dots \circ f^{(1)}(x_n)) + \lambda \sum_{\ell, i} \|f_i^{(\ell)}\|

    with the norms of [1]_, ``DeepRidgeSpline(norm=True)``, or with seminorms.

    What is checked is how [1]_ proves it: with a layer's inputs at the data held fixed, each of its outputs is a
    problem of the form (32), and an extreme point of its solutions has at most N - rank[1 X] neurons; with norms N
    neurons and coefficients of the affine part together. So every
    composition, optimal or not, has one that is as sparse, with the same values at the data and no larger objective.

    Parameters
    ----------
    solution : a composition of ridge splines; it need not be optimal: (34) is not convex.

    Returns
    -------
    Report
        It is about these structural facts and the last layer's certificate, not about a global optimum.

    Raises
    ------
    ProblemError
        Where the layers have another activation than ReLU, of which (34) does not speak.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, What kinds of functions do deep neural networks learn? Insights from variational
       spline theory, SIAM J. Math. Data Sci. 4 (2022), doi:10.1137/21M1418642

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> from ridgesplines.torch import DeepRidgeSpline, WeightDecay
    >>> X = np.random.default_rng(0).uniform(-1.0, 1.0, (20, 2))
    >>> problem = rs.Problem(X, np.abs(X[:, 0] + X[:, 1]), lam=0.1)
    >>> rs.theorems.deep(DeepRidgeSpline((8, 8), (1,)).train(problem, WeightDecay(epochs=30))).holds
    True
    """
    for layer in solution.layers:
        layer.require_relu("deep")
    neurons, bounds, moved, raised = _sparse_forms(solution)
    worst = int(np.argmax(np.divide(neurons, bounds)))
    ranks = [(rank, layer.n_outputs or 1) for rank, layer in zip(solution.ranks, solution.layers, strict=False)]
    rank, bottleneck = max(ranks, key=lambda pair: pair[0] / pair[1], default=(0, 0))
    measures = [
        at_most(
            f"f less a network of L + 1 = {solution.depth} layers (1) with skips, relative", _as_layers(solution), 1e-10
        ),
        at_most(_SPARSE[solution.problem.norm], neurons[worst], bounds[worst]),
        at_most("change of its values at the data, relative", moved, 1e-8),
        at_most(f"change of its {'norm' if solution.problem.norm else 'seminorm'}, relative", raised, 1e-9),
        at_most("rank of W V between layers, against the bottleneck", rank, bottleneck),
    ]
    remarks = [f"active neurons {solution.active} for N = {solution.problem.n_samples}; not a proven optimum of (34)."]
    if solution.problem.norm:  # which may leave none
        remarks.append(f"skip connections in {sum(solution.skips)} of {len(solution.layers)} layers.")
    else:
        measures.append(at_least("layers with a skip connection", sum(solution.skips), len(solution.layers)))
    if solution.last is not None:
        scope = solution.last.certificate.scope
        measures.append(
            at_most(f"relative gap of the last layer ({scope}), others fixed", solution.last.relative_gap, 1e-5)
        )
    claim = "deep networks: a sparse solution of L + 1 layers with skip connections and linear bottlenecks"
    return Report(claim, "(34)", tuple(measures), lambda figure: _draw(figure, solution, neurons), tuple(remarks))


def _as_layers(solution: DeepSolution) -> float:
    """Distance of f from the network (1) whose matrices between neurons are W V, with skip connections past them."""
    first, given = solution.layers[0], solution.problem.X
    hidden = np.maximum(given @ first.weights.T - first.biases, 0.0)
    for before, after in zip(solution.layers[:-1], solution.layers[1:], strict=True):
        skipped = given @ (before.slope @ after.weights.T) + np.asarray(before.offset) @ after.weights.T - after.biases
        given = hidden @ before.amplitudes + given @ before.slope + before.offset
        hidden = np.maximum(hidden @ (before.amplitudes @ after.weights.T) + skipped, 0.0)
    last = solution.layers[-1]
    f = solution(solution.problem.X)
    return float(
        np.abs(hidden @ last.amplitudes + given @ last.slope + last.offset - f).max() / (np.abs(f).max() or 1.0)
    )


def _sparse_forms(solution: DeepSolution) -> tuple[list[int], list[int], float, float]:
    """Each output purified: a layer's most neurons, their bound, the largest changes of values and of seminorms."""
    neurons, bounds, moved, raised = [], [], 0.0, -np.inf
    for ell, layer in enumerate(solution.layers):
        given, is_last, counts = solution.features(ell), ell == len(solution.layers) - 1, []
        for output in [layer] if is_last else _outputs(layer):  # the last layer's seminorm is that of all its outputs
            values = output(given)
            problem = Problem(given, values, lam=1.0, norm=solution.problem.norm)
            fewer = purify_atoms(problem, output) if problem.norm else purify(problem, output)
            counts.append(count_atoms(problem, fewer) if problem.norm else fewer.n_neurons)
            moved = max(moved, float(np.abs(fewer(given) - values).max() / (np.ptp(values) or 1.0)))
            before = seminorm(problem, output)
            raised = max(raised, (seminorm(problem, fewer) - before) / (before or 1.0))
        neurons.append(max(counts))
        bounds.append(neuron_bound(problem))
    return neurons, bounds, moved, raised


def _outputs(layer: RidgeSpline) -> list[RidgeSpline]:
    """The layer's outputs, each a scalar network."""
    columns = zip(layer.amplitudes.T, layer.slope.T, np.asarray(layer.offset), strict=True)
    return [RidgeSpline(layer.weights, layer.biases, v, c, c0) for v, c, c0 in columns]


def _draw(figure: Figure, solution: DeepSolution, neurons: list[int]) -> None:
    """Singular values of the matrices between the layers' neurons; neurons as trained, and of the sparse forms."""
    left, right = figure.subplots(1, 2)
    for before, after in zip(solution.layers[:-1], solution.layers[1:], strict=True):
        singular: Array = np.linalg.svd(after.weights @ before.amplitudes.T, compute_uv=False)
        left.semilogy(np.arange(len(singular)) + 1, np.maximum(singular, 1e-18), "o", color=KNOT)
    left.set(xlabel="singular value", title="linear bottlenecks: low rank", ylim=(1e-19, None))
    places = np.arange(len(solution.layers))
    right.bar(places - 0.2, solution.active, 0.4, color=FIT, label="active as it came")
    right.bar(places + 0.2, neurons, 0.4, color=KNOT, label="sparse form of an output")
    right.axhline(solution.problem.n_samples, color="black", linewidth=0.8, label="N")
    right.set_xticks(places, [f"layer {i + 1}" for i in places])
    right.set(ylabel="neurons", title="the same values at the data")
    right.legend(frameon=False, fontsize=8)
