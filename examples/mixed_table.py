"""Categories, missing values, sparse columns
==========================================

A table as tables are: what flats cost, by area, year of building, district, and words of the advertisement; years are
missing. Scikit-learn's own ColumnTransformer makes numbers of it, one column a category, a column that says where a
year was missing, and four numbers of the sparse counts of words; names come through to the fit and its picture. With
``interactions=1`` each column has a curve of its own, in its own units, and the certificate is exact whatever their
number. Prices are made, with bends at 80 square metres and in 1950. The certified gap is printed.
"""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import ridgesplines as rs

# %%
# The table. A square metre costs less beyond 80 of them, flats of before 1950 cost more the older they are, the hill
# is dear, and a garden and a lift, of which the advertisement tells, have their price.
rng, n = np.random.default_rng(0), 400
words = np.array([["sunny", "quiet", "garden", "lift", "cellar", "renovated"]])
told = rng.random((n, 6)) < [0.5, 0.4, 0.25, 0.3, 0.4, 0.2]
flats = pd.DataFrame(
    {
        "area": np.round(rng.gamma(6.0, 13.0, n) + 18.0),
        "year": rng.integers(1880, 2020, n).astype(float),
        "district": rng.choice(["harbour", "hill", "station"], n, p=[0.3, 0.2, 0.5]),
        "text": [" ".join(row) for row in np.where(told, words, "")],
    }
)
price = 5.0 * flats["area"] - 3.0 * np.maximum(flats["area"] - 80.0, 0.0) + np.maximum(1950.0 - flats["year"], 0.0)
price += 70.0 * (flats["district"] == "hill") + 60.0 * told[:, 2] + 30.0 * told[:, 3] + 20.0 * rng.standard_normal(n)
price = np.round(price).rename("price (thousands)")
flats.loc[rng.random(n) < 0.1, "year"] = np.nan
print(flats.head().to_string())

# %%
# Columns in, columns out. The words are counted into a sparse matrix, and reduced, for networks are dense.
columns = ColumnTransformer(
    [
        ("numbers", SimpleImputer(strategy="median", add_indicator=True), ["area", "year"]),
        ("district", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["district"]),
        ("text", make_pipeline(CountVectorizer(), TruncatedSVD(4, random_state=0)), "text"),
    ],
    verbose_feature_names_out=False,
)


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns that a network takes, with their names."""
    return pd.DataFrame(columns.transform(rows), columns=columns.get_feature_names_out())


train, test, known, wanted = train_test_split(flats, price, random_state=0)
columns.fit(train)
spline = rs.RidgeSplineRegressorCV(interactions=1, n_lams=12, random_state=0).fit(numbers(train), known)
print(spline.solution_.summary())
print(f"\nR2 on flats it has not seen: {spline.score(numbers(test), wanted):.3f}")
for name, share in zip(spline.feature_names_in_, spline.feature_importances_, strict=True):
    print(f"{name:<22} {share:6.1%} of the variance")

# %%
figure = spline.solution_.plot(kind="components")
figure.savefig("mixed_table.png", dpi=130)
print("wrote mixed_table.png")
figure
