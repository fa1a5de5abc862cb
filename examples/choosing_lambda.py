"""Choosing lambda, with outliers
==============================

Choosing lambda by the data, next to two smoothers that choose for themselves, on real data and with outliers.

The motorcycle data once more: times that are uneven and repeated, noise that changes. Each method sees four fifths of
the rows, chooses its own parameters there, and is judged on the rest; then again with every tenth response that it
sees spoiled, while the rows that judge stay clean. A loss of absolute values, which the cross-validation shares,
hardly notices. All figures are printed as they come, also where another method is better.
"""

import time
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from scipy.interpolate import make_smoothing_spline
from sklearn.linear_model import QuantileRegressor, Ridge
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

import ridgesplines as rs

# %%
#: How many random splits the methods are judged on.
REPEATS = 4
#: The function that was fitted, and its number of knots.
Fit = tuple[Callable[[np.ndarray], np.ndarray], int]


def linear_spline(loss: rs.Squared | rs.Absolute) -> Callable[[np.ndarray, np.ndarray], Fit]:
    def fit(x: np.ndarray, y: np.ndarray) -> Fit:
        model = rs.LinearSplineRegressorCV(n_lams=12, lam_ratio=1e-3, loss=loss).fit(x, y)
        return model.predict, model.network_.n_neurons

    return fit


def smoothing_spline(x: np.ndarray, y: np.ndarray) -> Fit:
    """SciPy's cubic smoothing spline, with its generalised cross-validation; repeated x become one weighted mean."""
    sites, group = np.unique(x, return_inverse=True)
    count = np.bincount(group)
    return make_smoothing_spline(sites, np.bincount(group, y) / count, w=count.astype(float)), len(sites)


def spline_features(linear: Ridge | QuantileRegressor, score: str) -> Callable[[np.ndarray, np.ndarray], Fit]:
    """scikit-learn's B-splines with a linear model; number of knots and penalty by five-fold cross-validation."""
    name = type(linear).__name__.lower()

    def fit(x: np.ndarray, y: np.ndarray) -> Fit:
        pipeline = make_pipeline(SplineTransformer(knots="quantile", extrapolation="linear"), linear)
        grid = {"splinetransformer__n_knots": [5, 8, 12, 16, 20], f"{name}__alpha": [1e-4, 1e-3, 1e-2, 1e-1]}
        folds = KFold(5, shuffle=True, random_state=0)
        search = GridSearchCV(pipeline, grid, scoring=score, cv=folds).fit(x[:, None], y)
        return lambda t: search.predict(t[:, None]), search.best_params_["splinetransformer__n_knots"]

    return fit


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], Fit]] = {
    "linear spline, Squared, CV": linear_spline(rs.Squared()),
    "linear spline, Absolute, CV": linear_spline(rs.Absolute()),
    "scipy make_smoothing_spline, GCV": smoothing_spline,
    "SplineTransformer + Ridge, CV": spline_features(Ridge(), "neg_mean_squared_error"),
    "SplineTransformer + Quantile, CV": spline_features(QuantileRegressor(), "neg_mean_absolute_error"),
}
#: The methods in the picture.
STYLES = {
    "linear spline, Absolute, CV": ("#0072B2", "-"),
    "scipy make_smoothing_spline, GCV": ("#D55E00", "--"),
    "SplineTransformer + Quantile, CV": ("#009E73", "-."),
}


def spoiled(y: np.ndarray, seed: int) -> np.ndarray:
    """One response in ten is off by 150 to 300 g, upwards: a sensor that hits its stop."""
    rng = np.random.default_rng(seed)
    bad = rng.choice(len(y), len(y) // 10, replace=False)
    wrong = y.copy()
    wrong[bad] += rng.uniform(150.0, 300.0, len(bad))
    return wrong


def compare(x: np.ndarray, y: np.ndarray, outliers: bool, repeats: int) -> None:
    """Held-out errors of each method: means over the same random splits, with their standard errors."""
    splits = list(ShuffleSplit(repeats, test_size=0.2, random_state=0).split(x))
    print(f"{'':34s}median |error|           RMSE   knots   seconds a fit")
    for name, method in METHODS.items():
        figures, start = [], time.perf_counter()
        for seed, (train, test) in enumerate(splits):
            f, knots = method(x[train], spoiled(y[train], seed) if outliers else y[train])
            error = f(x[test]) - y[test]
            figures.append([np.median(np.abs(error)), np.sqrt(np.mean(error**2)), knots])
        seconds = (time.perf_counter() - start) / repeats
        (median, rmse, knots), (by, on, _) = np.mean(figures, axis=0), np.std(figures, axis=0) / np.sqrt(repeats - 1)
        print(f"{name:34s}{median:7.2f} ± {by:4.2f} {rmse:7.2f} ± {on:4.2f} {knots:7.1f} {seconds:11.2f}")


# %%
time_ms, acceleration, _ = rs.datasets.load_motorcycle()

# %%
model = rs.LinearSplineRegressorCV(n_lams=30, lam_ratio=1e-3, loss="absolute", rule="one-se")
model.fit(time_ms, acceleration)
print("lambda by cross-validation, the largest within one standard error of the best:")
print(model.solution_.summary())

# %%
print(f"\nheld-out error (g), mean over {REPEATS} random splits ± standard error, 20 % held out")
compare(time_ms, acceleration, False, REPEATS)
print("\nthe same, with one response in ten spoiled in what the methods see")
compare(time_ms, acceleration, True, REPEATS)

# %%
figure = plt.figure(figsize=(12.0, 4.8), layout="constrained")
for axes, outliers in zip(figure.subplots(1, 2, sharey=True), (False, True), strict=True):
    y = spoiled(acceleration, 0) if outliers else acceleration
    wrong = y != acceleration
    axes.scatter(time_ms[~wrong], y[~wrong], s=12, color="#7f7f7f", linewidths=0, alpha=0.8, label="measured")
    if outliers:
        axes.scatter(time_ms[wrong], y[wrong], s=28, marker="x", color="#7f7f7f", linewidths=1.0, label="spoiled")
    t = np.linspace(time_ms.min(), time_ms.max(), 600)
    for name, (colour, dashes) in STYLES.items():
        f, knots = METHODS[name](time_ms, y)
        axes.plot(t, f(t), dashes, color=colour, linewidth=1.5, label=f"{name}: {knots} knots")
    axes.set_title("one response in ten spoiled" if outliers else "as measured", loc="left")
    axes.set_xlabel("time after impact (ms)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=7, loc="lower right")
figure.axes[0].set_ylabel("acceleration (g)")
figure.savefig("choosing_lambda.png", dpi=150)
print("\nwrote choosing_lambda.png")
