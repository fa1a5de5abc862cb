"""Dates on the axis
=================

The annual flow of the Nile at Aswan, 1871 to 1970, given with its dates: no conversion before the fit, none after it.
BIC chooses lam, the certificate proves the optimum, and the knots of the fit are dates. Their unit is days, whatever
that of the table: slopes are flow per day, shown here per decade. The record is known for a drop in 1899. A linear
spline is continuous, and draws a drop as a slope between two knots, the wider apart the larger lam is.
"""

import numpy as np

import ridgesplines as rs

# %%
when, flow, _ = rs.datasets.load_nile()
model = rs.LinearSplineRegressorCV(criterion="bic").fit(when, flow)
solution, net = model.solution_, model.network_
print(solution.summary())
slopes = 3652.5 * net.pieces().slopes
for slope, start, end in zip(slopes, ["", *np.sort(net.knots)], [*np.sort(net.knots), ""], strict=True):
    print(f"{str(start)[:10]:>10} to {str(end)[:10]:>10}: {slope:+6.1f} a decade")
print("1900:", model.predict([np.datetime64("1900")]).round(), "beside", flow[when == np.datetime64("1900-01-01")])
figure = solution.plot(target="flow (1e8 m³ a year)")
figure.axes[1].set_xlabel("")
figure.savefig("dates.png", dpi=130)
print("wrote dates.png")
figure
