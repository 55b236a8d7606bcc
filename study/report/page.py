"""One look for every page: self-contained HTML, with style, script and pictures inside the file."""

from __future__ import annotations

import base64
import hashlib
import struct
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from study.errors import FileError
from study.inference import wording

FOLDER = Path(__file__).parent
PNG_BEGINS, PNG_ENDS = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


def render_page(template: str, **content: object) -> str:
    """Render a page on top of ``base.html.j2``, whatever its content escaped.

    Every page gets style.css and script.js. It asks for nothing outside of itself. Should markup
    get into it all the same, its content security policy lets no script run but those of this
    folder, and nothing be loaded.

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
        "digits": wording.digits,
        "signed": wording.signed,
        "interval": wording.interval,
        "exact": wording.exact,
    }
    environment.globals |= {"inline": inline, "script": script, "hashes": script_hashes}
    return environment.get_template(template).render(content)


def inline(name: str) -> Markup:
    """Read a style sheet of this folder, to stand inside the page as it is."""
    return Markup(_read(FOLDER / name))


def script(name: str) -> Markup:
    """Read a script of this folder, with the tags around it."""
    return Markup(f"<script>{_read(FOLDER / name)}</script>")


def script_hashes() -> Markup:
    """List the scripts of this folder as a content security policy names them."""
    texts = [_read(path) for path in sorted(FOLDER.glob("*.js"))]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return Markup(" ".join(f"'sha256-{digest}'" for digest in digests))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def picture(path: Path | str) -> str:
    """Encode a PNG file as a data URI.

    Raises:
        FileError: the file is missing, or does not begin and end as a PNG file does.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise FileError(path) from error
    if not (content.startswith(PNG_BEGINS) and content.endswith(PNG_ENDS)):
        raise FileError(path, "no whole PNG file")
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def size(path: Path | str) -> tuple[int, int]:
    """Read width and height of a PNG file, in pixels, from where the format has them."""
    width, height = struct.unpack(">II", Path(path).read_bytes()[16:24])
    return width, height


def colour_on_page(colour: str, text: str) -> str:
    """Give the colour of a method on a page: what is black on paper is ``text``, as its text is."""
    return text if colour == "#000000" else colour
