"""Sphinx: pages in Markdown, the reference from docstrings, tutorials and gallery run while they are built."""

from __future__ import annotations

import topes

project, author, copyright = "topes", "the topes developers", "2026, the topes developers"
release = version = topes.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["images/make.py", "gallery", "tutorials", "_templates"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
suppress_warnings = ["myst.header"]  # pages begin sections where they like

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc says them, with shapes
numpydoc_show_class_members = False  # the template lists them
default_role = "code"
copybutton_prompt_text = ">>> "

sphinx_gallery_conf = {
    "examples_dirs": ["tutorials", "gallery"],
    "gallery_dirs": ["auto_tutorials", "auto_gallery"],
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "show_memory": False,
    "min_reported_time": 1e9,
    "show_signature": False,
    "abort_on_example_error": True,
    "matplotlib_animations": False,
    "plot_gallery": True,
    "write_computation_times": False,
}

html_theme = "furo"
html_title = f"topes {release}"
html_static_path: list[str] = []
html_theme_options = {"top_of_page_buttons": []}
