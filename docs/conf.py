"""How `make docs` makes a site of this project's pages and of the docstrings in mixup/.

The source folder is the project, so that links between pages work as they do on GitHub.
"""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

from docutils.nodes import document
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
METADATA = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
PAGE = re.compile(r"\]\(([^:()#]+)\.md\)")

project = METADATA["name"]
version = release = METADATA["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "full/*.md"]
exclude_patterns = [".*", "site"]
myst_heading_anchors = 4

nitpicky = True
default_role = "any"  # `name` in a docstring is a link, and has to lead somewhere
autodoc_default_options = {"members": True, "special-members": "__call__"}
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say dtype, shape and range
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = f"{project} {version}"
html_extra_path = ["redirect"]
html_show_copyright = False
html_copy_source = False
html_show_search_summary = False  # it would fetch pages, which browsers refuse for local files
pygments_dark_style = "github-dark"


def list_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Make the site's navigation of the links on the index page, a group for each heading."""
    if docname != root_doc:
        return
    text = source[0]
    starts = [match.start() for match in HEADING.finditer(text)] + [len(text)]
    for start, end in pairwise(starts):
        section = text[start:end]
        caption = HEADING.match(section)
        pages = PAGE.findall(section)
        if caption and pages:
            lines = ["```{toctree}", ":hidden:", f":caption: {caption[1]}", "", *pages, "```"]
            source[0] += "\n\n" + "\n".join(lines) + "\n"


def unlink_folders(app: Sphinx, page: document) -> None:
    """Turn links to folders of the project into text: the site has no page for a folder."""
    folder = Path(page["source"]).parent
    for link in list(page.findall(pending_xref)):
        if (folder / link["reftarget"]).is_dir():
            link.replace_self(link.children)


def setup(app: Sphinx) -> None:
    app.connect("source-read", list_pages)
    app.connect("doctree-read", unlink_folders)
