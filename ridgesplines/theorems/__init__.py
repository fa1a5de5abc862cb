"""Every claim of the paper, checked on seeded instances or on your own objects; each check returns a `Report`.

In the paper's order: `balance`, `weight_decay`, `deep_weight_decay`, `second_derivative`, `measure_norm`,
`representer`, `linear_spline`, `fourier_slice`, `filtered_radon`, `sparsifying_transform`, `deep`, `table_one`,
`thresholding`, `maurey`, `estimation_rate`, `single_direction`. `verify` runs them all, and so
does ``python -m ridgesplines verify``.

R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
doi:10.1109/MSP.2023.3286988
"""

from ridgesplines.theorems.activation_slices import check as filtered_radon
from ridgesplines.theorems.activation_table import check as table_one
from ridgesplines.theorems.certificates import check as representer
from ridgesplines.theorems.deep_decay import check as deep_weight_decay
from ridgesplines.theorems.deep_layers import check as deep
from ridgesplines.theorems.document import summary, write
from ridgesplines.theorems.estimation import Errors
from ridgesplines.theorems.estimation import check as estimation_rate
from ridgesplines.theorems.greedy import Target, target
from ridgesplines.theorems.greedy import check as maurey
from ridgesplines.theorems.group_lasso import check as weight_decay
from ridgesplines.theorems.haar import check as thresholding
from ridgesplines.theorems.impulses import check as second_derivative
from ridgesplines.theorems.interpolants import check as linear_spline
from ridgesplines.theorems.mixed_variation import Ridge
from ridgesplines.theorems.mixed_variation import check as single_direction
from ridgesplines.theorems.neural_balance import check as balance
from ridgesplines.theorems.parameters import Parameters
from ridgesplines.theorems.registry import CLAIMS, Claim
from ridgesplines.theorems.report import Measure, Report
from ridgesplines.theorems.runs import verify, verify_on
from ridgesplines.theorems.slices import check as fourier_slice
from ridgesplines.theorems.sparsifying import check as sparsifying_transform
from ridgesplines.theorems.total_variation import check as measure_norm

__all__ = [
    "CLAIMS",
    "Claim",
    "Errors",
    "Measure",
    "Parameters",
    "Report",
    "Ridge",
    "Target",
    "balance",
    "deep",
    "deep_weight_decay",
    "estimation_rate",
    "filtered_radon",
    "fourier_slice",
    "linear_spline",
    "maurey",
    "measure_norm",
    "representer",
    "second_derivative",
    "single_direction",
    "sparsifying_transform",
    "summary",
    "table_one",
    "target",
    "thresholding",
    "verify",
    "verify_on",
    "weight_decay",
    "write",
]
