"""Classification: a boundary that bends
=====================================

Wines of one grower against those of two others, by logistic loss.

Flavonoids and alkalinity of ash of 178 wines, as shipped with scikit-learn. The classes overlap, so that the logistic
problem has a minimiser; where an affine function separates them the library says so instead of running forever.
"""

import numpy as np
from sklearn.datasets import load_wine

import ridgesplines as rs

# %%
data = load_wine(as_frame=True)
frame = data.data[["flavanoids", "alcalinity_of_ash"]]
frame = (frame - frame.mean()) / frame.std()  # features in units of their spread
frame.columns = ["flavonoids (scaled)", "alkalinity of ash (scaled)"]
grower = np.where(data.target == 1, 1.0, -1.0)  # one grower against the two others
problem = rs.Problem(frame, grower, lam=1.0, loss=rs.Logistic())
problem = problem.with_lam(0.05 * rs.lambda_max(problem))
solution = rs.solve(problem, rs.Grid(directions=64))
print(solution.summary())
wrong = np.mean(np.sign(solution.predict(frame)) != grower)
print(f"wines on the wrong side of the line: {wrong:.1%}")
figure = solution.plot()
figure.savefig("classification.png", dpi=150)
print("wrote classification.png")
figure
