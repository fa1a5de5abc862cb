"""The settings of sphinx-gallery for the examples: each writes a picture of its own name where it runs."""

import shutil
from pathlib import Path

from sphinx_gallery.scrapers import figure_rst

#: The gallery, in the order in which it reads; what is not named comes last.
ORDER = [
    "quickstart",
    "lesson",
    "table_of_knots",
    "change_points",
    "segments",
    "outliers",
    "quantile_bands",
    "quantiles_in_order",
    "counts",
    "choosing_lambda",
    "dates",
    "two_dimensions",
    "classification",
    "ridge_functions",
    "interactions",
    "mixed_table",
    "trained_networks",
    "deep",
    "activations",
    "cylinder",
    "gap_of_a_grid",
    "activation_functions",
    "architecture",
    "sparsity_in_the_second_derivative",
    "radon_domain",
    "mixed_variation",
    "sparsity_of_training",
]


def drawn(script: dict) -> Path:
    """The path at which an example draws its picture: beside itself, from where `scraper` takes it."""
    return Path(script["src_file"]).resolve().with_suffix(".png")


def scraper(block: tuple, variables: dict, config: dict) -> str:
    """The picture that the example has drawn."""
    if not drawn(variables).exists():  # the text before the code draws nothing
        return figure_rst([], config["src_dir"])
    shown = next(variables["image_path_iterator"])
    shutil.move(drawn(variables), shown)
    return figure_rst([shown], config["src_dir"])


def place(filename: str) -> tuple[int, str]:
    """The place of an example in the gallery."""
    stem = Path(filename).stem
    return ORDER.index(stem) if stem in ORDER else len(ORDER), stem
