r"""A lesson: from one knot to the representer theorem
==================================================

Six steps, in order; each is a panel of the picture and a line of the output.

1. A neuron :math:`v \rho(w x - b)` bends once, at the knot b / w.
2. A sum of neurons is a linear spline. What it costs, :math:`\sum |v| |w|`, is the sum of its changes of slope.
3. Neurons may be split without changing f or its cost; weight decay is least where :math:`|v| = |w|`, and is the cost.
4. Fitting data at a price lambda: the more a change of slope costs, the fewer knots.
5. Why few: the certificate :math:`\eta` made from the residuals stays between -lambda and lambda, and the optimum has
   its knots only where it touches them. This proves that no function does better.
6. The representer theorem: over *all* functions, some optimum has fewer knots than data, whatever lambda is.
"""

import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs

# %%
BLUE, ORANGE, GRAY = "#0072B2", "#D55E00", "#7f7f7f"


def data(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(0.0, 1.0, n))
    return x, np.sin(7.0 * x) + 0.15 * rng.standard_normal(n)


def one_knot(axes) -> None:
    t = np.linspace(-1.0, 1.0, 201)
    for weight, colour in ((1.0, BLUE), (2.0, ORANGE)):
        neuron = rs.RidgeSpline([[weight]], [0.2 * weight], [1.5 / weight])
        axes.plot(t, neuron(t), color=colour, linestyle="-" if weight == 1.0 else "--", label=f"w = {weight:g}")
        print(f"1. w = {weight:g}, v = {1.5 / weight:g}: knot {neuron.knots[0]:g}, cost {neuron.seminorm:g}")
    axes.set_title("1. one neuron, one knot; v w counts", loc="left")
    axes.legend(frameon=False)


def a_spline(axes) -> rs.RidgeSpline:
    net = rs.RidgeSpline.through([0.0, 0.3, 0.5, 0.8, 1.0], [0.0, 0.6, 0.2, 0.5, -0.2])
    corners = np.array([0.0, 0.3, 0.5, 0.8, 1.0])
    slopes = np.diff(net(corners)) / np.diff(corners)
    print(f"2. changes of slope {np.abs(np.diff(slopes)).sum():.12g}, cost {net.seminorm:.12g}")
    axes.plot(corners, net(corners), color=BLUE)
    axes.plot(net.knots, net(net.knots), "o", color=ORANGE)
    axes.set_title("2. neurons add up to a linear spline", loc="left")
    return net


def balance(axes, net: rs.RidgeSpline) -> None:
    gamma = np.geomspace(0.25, 4.0, 101)
    w, v = np.abs(net.balanced().weights[:, 0]), np.abs(net.balanced().amplitudes)
    decay = [0.5 * float(np.sum((g * w) ** 2 + (v / g) ** 2)) for g in gamma]
    print(f"3. least weight decay {min(decay):.12g}, cost {net.seminorm:.12g}")
    axes.plot(np.log2(gamma), decay, color=BLUE, label="weight decay, ½ Σ |γw|² + |v/γ|²")
    axes.axhline(net.seminorm, color=ORANGE, linestyle="--", label="cost, Σ |v||w|")
    axes.set_title("3. weight decay is least at balance", loc="left")
    axes.set_xlabel("log₂ γ")
    axes.legend(frameon=False)


def prices(axes, problem: rs.Problem) -> rs.Solution:
    axes.plot(problem.X[:, 0], problem.y, "o", color=GRAY, markersize=3)
    for share, colour, dashes in ((0.5, ORANGE, ":"), (0.1, BLUE, "-"), (0.001, "#009E73", "--")):
        solution = rs.solve(problem.with_lam(share * rs.lambda_max(problem)))
        ends = np.union1d(problem.X[[0, -1], 0], solution.network.knots)
        label = f"{share:g} λmax: K = {solution.network.n_neurons}"
        axes.plot(ends, solution.predict(ends), color=colour, linestyle=dashes, label=label)
        print(f"4. lam = {share:g} lambda_max: K = {solution.network.n_neurons}, cost {solution.seminorm:.4g}")
    axes.set_title("4. the higher the price, the fewer bends", loc="left")
    axes.legend(frameon=False)
    return rs.solve(problem.with_lam(0.1 * rs.lambda_max(problem)))


def proof(axes, solution: rs.Solution) -> None:
    b = np.linspace(0.0, 1.0, 1001)
    eta = solution.certificate.eta(np.ones((len(b), 1)), b)
    knots, lam = solution.network.knots, solution.problem.lam
    print(f"5.\n{solution.summary()}")
    axes.plot(b, eta, color=BLUE)
    axes.plot(knots, solution.certificate.eta(np.ones((len(knots), 1)), knots), "o", color=ORANGE)
    for level in (-lam, lam):
        axes.axhline(level, color="black", linestyle="--", linewidth=0.9)
    axes.set_title("5. knots where η touches ±λ: the proof", loc="left")


def theorem(axes, problem: rs.Problem) -> None:
    path = rs.solve_path(problem, lams=rs.lambda_max(problem) * np.geomspace(1.0, 1e-6, 40))
    knots = [solution.network.n_neurons for solution in path]
    bound = problem.n_samples - problem.rank
    worst = max(solution.relative_gap for solution in path)
    print(f"6. at most {max(knots)} knots over {len(path)} values of lam; the bound is {bound}; worst gap {worst:.1e}")
    axes.semilogx(path.lams, knots, "o-", color=BLUE, markersize=3)
    axes.axhline(bound, color=ORANGE, linestyle="--", label=f"N - 2 = {bound}")
    axes.invert_xaxis()
    axes.set_xlabel("λ")
    axes.set_title("6. K < N at every λ", loc="left")
    axes.legend(frameon=False)


# %%
problem = rs.Problem(*data(), lam=1.0)
figure = plt.figure(figsize=(12.5, 7.0), layout="constrained")
panels = figure.subplots(2, 3).flat
one_knot(panels[0])
balance(panels[2], a_spline(panels[1]))
proof(panels[4], prices(panels[3], problem))
theorem(panels[5], problem)
for axes in panels:
    axes.spines[["top", "right"]].set_visible(False)
    axes.title.set_fontsize(10)
figure.savefig("lesson.png", dpi=120)
print("wrote lesson.png")
