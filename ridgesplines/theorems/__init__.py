"""Every claim of the paper, checked on seeded instances or on your own objects; each check returns a `Report`.

In the paper's order: `balance`, `weight_decay`, `deep_weight_decay`, `second_derivative`, `measure_norm`,
`representer`, `linear_spline`, `solution_set`, `fourier_slice`, `filtered_radon`, `sparsifying_transform`,
`one_minimiser`, `deep`, `table_one`, `thresholding`, `maurey`, `approximation_rate`,
`estimation_rate`, `minimax_rate`, `single_direction`. `verify` runs them all, and so
does ``python -m ridgesplines verify``.

R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
doi:10.1109/MSP.2023.3286988
"""

from ridgesplines.theorems.claims.approximation_rate import Sampled, integral
from ridgesplines.theorems.claims.approximation_rate import check as approximation_rate
from ridgesplines.theorems.claims.balance import check as balance
from ridgesplines.theorems.claims.deep import check as deep
from ridgesplines.theorems.claims.deep_weight_decay import check as deep_weight_decay
from ridgesplines.theorems.claims.estimation_rate import Errors
from ridgesplines.theorems.claims.estimation_rate import check as estimation_rate
from ridgesplines.theorems.claims.filtered_radon import check as filtered_radon
from ridgesplines.theorems.claims.fourier_slice import check as fourier_slice
from ridgesplines.theorems.claims.linear_spline import check as linear_spline
from ridgesplines.theorems.claims.maurey import Target, target
from ridgesplines.theorems.claims.maurey import check as maurey
from ridgesplines.theorems.claims.measure_norm import check as measure_norm
from ridgesplines.theorems.claims.minimax_rate import RuleErrors
from ridgesplines.theorems.claims.minimax_rate import check as minimax_rate
from ridgesplines.theorems.claims.one_minimiser import check as one_minimiser
from ridgesplines.theorems.claims.representer import check as representer
from ridgesplines.theorems.claims.second_derivative import check as second_derivative
from ridgesplines.theorems.claims.single_direction import Ridge
from ridgesplines.theorems.claims.single_direction import check as single_direction
from ridgesplines.theorems.claims.solution_set import check as solution_set
from ridgesplines.theorems.claims.sparsifying_transform import check as sparsifying_transform
from ridgesplines.theorems.claims.table_one import check as table_one
from ridgesplines.theorems.claims.thresholding import check as thresholding
from ridgesplines.theorems.claims.weight_decay import check as weight_decay
from ridgesplines.theorems.document import summary, write
from ridgesplines.theorems.parameters import Parameters
from ridgesplines.theorems.registry import CLAIMS, Claim
from ridgesplines.theorems.report import Measure, Report
from ridgesplines.theorems.runs import verify, verify_on

__all__ = [
    "CLAIMS",
    "Claim",
    "Errors",
    "Measure",
    "Parameters",
    "Report",
    "Ridge",
    "RuleErrors",
    "Sampled",
    "Target",
    "approximation_rate",
    "balance",
    "deep",
    "deep_weight_decay",
    "estimation_rate",
    "filtered_radon",
    "fourier_slice",
    "integral",
    "linear_spline",
    "maurey",
    "measure_norm",
    "minimax_rate",
    "one_minimiser",
    "representer",
    "second_derivative",
    "single_direction",
    "solution_set",
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
