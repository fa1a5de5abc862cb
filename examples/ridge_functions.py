"""What a network of many inputs says
==================================

What a network of many inputs says: the ridge functions of which it is a sum, on real measurements.

The colour of 178 wines, as shipped with scikit-learn, from their alcohol, flavonoids and hue. Linear regression leaves
half of it unexplained, and a wide trained network would be a black box. The ridge spline of the same training problem
is a sum of a few functions, each of one weighted sum of the measurements, which the picture shows. Its lambda is the
largest that predicts held-out wines within one standard error of the best.
"""

import numpy as np
from sklearn.datasets import load_wine
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, cross_val_score

import ridgesplines as rs

# %%
data = load_wine(as_frame=True).data
frame = data[["alcohol", "flavanoids", "hue"]].rename(columns={"flavanoids": "flavonoids"})
frame = (frame - frame.mean()) / frame.std()  # features in units of their spread
colour = data["color_intensity"]

# %%
folds = list(KFold(5, shuffle=True, random_state=0).split(frame))
lams = np.array([0.3, 0.1, 0.03]) * rs.lambda_max(rs.Problem(frame, colour, lam=1.0))
solver = rs.ColumnGeneration(tol=1e-3)
model = rs.RidgeSplineRegressorCV(lams, cv=folds, rule="one-se", solver=solver).fit(frame, colour)
print("squared error on held-out wines, mean of five folds ± standard error")
for s, mean, se in zip(model.path_, model.scores_mean_, model.scores_se_, strict=True):
    chosen = "  <- the largest lambda within one standard error" if s is model.solution_ else ""
    print(f"lambda = {s.problem.lam:7.3f}  K = {s.network.n_neurons:2d}  {mean:.2f} ± {se:.2f}{chosen}")
errors = -cross_val_score(LinearRegression(), frame, colour, cv=folds, scoring="neg_mean_squared_error")
print(f"linear regression           {errors.mean():.2f}   (variance {colour.var(ddof=0):.2f})\n")

# %%
print(model.solution_.summary())
print("\nthe ridge functions; directions that differ by less than 0.05 count as one:")
for ridge in model.network_.ridges(tol=0.05):
    parts = " ".join(f"{w:+.2f} {name}" for w, name in zip(ridge.direction, model.network_.names, strict=True))
    knots = ", ".join(f"{knot:.2f}" for knot in sorted(ridge.knots))
    print(f"{parts}: bends at {knots}; {ridge.seminorm / model.network_.seminorm:.0%} of the seminorm")

# %%
figure = model.solution_.plot(target="colour intensity")
figure.savefig("ridge_functions.png", dpi=150)
print("\nwrote ridge_functions.png")
figure
