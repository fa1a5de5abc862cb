"""The build of the documentation: `make docs`, offline, with warnings as errors."""

import logging
import re
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import names

import ridgesplines

project = "ridgesplines"
author = "The ridgesplines authors"
copyright = author
release = version = ridgesplines.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "myst_parser",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",  # MathJax from PyPI: formulas need no network
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "code"
highlight_language = "python"

html_theme = "furo"
html_title = f"ridgesplines {release}"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_copy_source = False

autosummary_generate = True
autosummary_context = {"typed": names.typed}
suppress_warnings = ["config.cache"]  # that function is not pickled, and need not be
autodoc_inherit_docstrings = False  # what a subclass does not explain is explained once, in its base class
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the template of a class lists them

warnings.filterwarnings("ignore", message="Matplotlib is currently using agg")
logging.getLogger("matplotlib.mathtext").setLevel(logging.WARNING)
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "pictures.place",
    "image_scrapers": ("pictures.scraper",),
    "reset_modules": ("matplotlib",),
    "abort_on_example_error": True,
    "thumbnail_size": (600, 400),
    "show_memory": False,
    "write_computation_times": False,  # that page takes its script from a CDN
    "min_reported_time": 1,
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
}


def describe(app, what, name, obj, options, lines):
    """Types stand in the signatures: after a parameter's colon comes what it is, and numpydoc expects that below."""
    section, told = "", []
    for line, below in zip(lines, [*lines[1:], ""], strict=False):
        if below and set(below) == {"-"}:
            section = line
        named = re.fullmatch(r"(\S.*?) : (.*)", line) if section in ("Parameters", "Attributes") else None
        told += [named[1], f"    {named[2]}"] if named else [line]
    lines[:] = told


def setup(app):
    app.connect("autodoc-process-docstring", describe, priority=400)  # before numpydoc, which has 500
    app.connect("object-description-transform", names.as_typed)
    app.connect("doctree-read", names.in_tables)
