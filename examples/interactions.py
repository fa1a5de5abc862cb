"""Which features act together
===========================

Which features act together: curves of one measurement and maps of two, chosen by the data and proven.

The colour of 178 wines, as shipped with scikit-learn, from five other measurements. Cross-validation chooses among sums
of curves of one feature each, sums that also have functions of two, and functions of all five at once, and takes the
simplest that predicts held-out wines within one standard error of the best. For one and two features together the
optimum is certified over all functions of that kind. It comes apart into components, which are drawn: the curves, and
the interactions, which hide no main effect.

The five columns were picked to show a pair that is chosen, and the choice hangs on them: the scores are within one
standard error or so of each other, and with alcohol, flavonoids and hue alone the same rule takes curves.
"""

from sklearn.datasets import load_wine

import ridgesplines as rs

# %%
#: How many folds choose lambda.
FOLDS = 5
COLUMNS = ["alcohol", "flavanoids", "hue", "proline", "malic_acid"]
NAMES = {"flavanoids": "flavonoids", "malic_acid": "malic acid"}

# %%
data = load_wine(as_frame=True).data
model = rs.RidgeSplineRegressorCV(
    interactions=[1, 2, None], rule="one-se", n_lams=6, lam_ratio=0.05, cv=FOLDS, random_state=0
)
model.fit(data[COLUMNS].rename(columns=NAMES), data["color_intensity"])

# %%
print("squared error on held-out wines, mean of the folds ± standard error, at the best lambda of each")
for tried in model.candidates_:
    together = tried.interactions or "all"
    chosen = "  <- the simplest within one standard error" if tried.interactions == model.interactions_ else ""
    print(f"features together: {together!s:>3}  {tried.score:.2f} ± {tried.scores_se[tried.best]:.2f}{chosen}")
print(f"\n{model.solution_.summary()}\n\n{model.solution_.components()}\n")
for name, importance in zip(model.feature_names_in_, model.feature_importances_, strict=True):
    print(f"importance of {name:<10}  {importance:.2f}")

# %%
figure = model.solution_.plot(target="colour intensity")
figure.savefig("interactions.png", dpi=130)
print("\nwrote interactions.png")
figure
