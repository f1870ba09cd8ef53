"""How Sphinx makes the site of these pages; `./kaw docs --site DIR` calls it. Nothing of the site asks another server for anything."""

project = "Key-account warehouse"
copyright = "the authors, Apache-2.0; every row that pages and pictures show is synthetic"  # noqa: A001: Sphinx's name
extensions = ["myst_parser"]
exclude_patterns = ["requirements.txt"]
myst_enable_extensions = ["attrs_block", "attrs_inline"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # SQL of a model holds Jinja, which no lexer reads whole
html_theme = "furo"
html_title = "Key-account warehouse"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
