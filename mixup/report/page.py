"""One look for every page: self-contained HTML, with style, script and pictures inside the file."""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mixup.errors import StudyError
from mixup.report import numbers

FOLDER = Path(__file__).parent


def render_page(template: str, **content: object) -> str:
    """Render a page on top of ``base.html.j2``, whatever its content escaped.

    Every page gets style.css and script.js. It asks for nothing outside of itself, and its
    content security policy forbids that to whatever is written into it.

    Args:
        template: name of a file in templates/.
        content: what the template names; a name it lacks is an error. Text is escaped, except
            for `Markup`.

    Returns:
        The HTML, ending in a newline.
    """
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "allow_nan": False}
    environment.filters |= {
        "digits": numbers.digits,
        "signed": numbers.signed,
        "interval": numbers.interval,
        "exact": numbers.exact,
    }
    environment.globals |= {"inline": inline}
    return environment.get_template(template).render(content)


def inline(name: str) -> Markup:
    """Read style.css or a script of this folder, to stand inside the page as it is."""
    return Markup((FOLDER / name).read_text(encoding="utf-8"))


def picture(path: Path | str) -> str:
    """Encode a picture as a data URI.

    Raises:
        StudyError: the file is missing.
    """
    path = Path(path)
    kind, _ = mimetypes.guess_type(path.name)
    try:
        content = base64.b64encode(path.read_bytes()).decode()
    except FileNotFoundError as error:
        raise StudyError(f"{path} is missing: run `dvc repro` to make it") from error
    return f"data:{kind};base64,{content}"
