"""The documentation: it is built without a warning, its links hold, and a browser can use it."""

import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

import mixup.models

ROOT = Path(__file__).parents[1]
PYTHON = Path(sys.executable)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does, but elsewhere."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        ["make", "--silent", "-o", "setup", "docs", f"BIN={PYTHON.parent}", f"SITE={folder}"],
        cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"MAKEFLAGS": ""},
    )  # fmt: skip
    assert not done.stderr
    assert done.returncode == 0
    return folder / "html"


class Links(HTMLParser):
    """Collect what a page links to, what it loads, and its anchors."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        of = {name: value for name, value in attributes if value}
        self.anchors |= {of["id"]} if "id" in of else set()
        self.targets += [of["href"]] if tag == "a" and "href" in of else []
        self.loaded += [of["src"]] if "src" in of else []
        self.loaded += [of["href"]] if tag == "link" and "href" in of else []


@pytest.mark.slow
def test_links_hold_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = {path: Links(path) for path in site.rglob("*.html")}
    assert len(pages) > 10
    for path, page in pages.items():
        assert [url for url in page.loaded if urlsplit(url).netloc] == [], path
        for url in page.targets + page.loaded:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), (path, url)
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].anchors, (path, url)


@pytest.mark.slow
def test_every_public_name_is_in_the_reference(site: Path) -> None:
    anchors = Links(site / "docs/api.html").anchors
    assert {f"mixup.{name}" for name in mixup.__all__} <= anchors
    assert "mixup.ManifoldMixup.draw" in anchors
    for module in pkgutil.iter_modules(mixup.models.__path__, "mixup.models."):
        nets = {
            name for name, value in vars(importlib.import_module(module.name)).items()
            if isinstance(value, type) and value.__module__ == module.name and name[0] != "_"
        }  # fmt: skip
        assert {f"{module.name}.{name}" for name in nets - {"MLP"}} <= anchors


def test_every_page_opens_with_whom_it_is_for() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        heading, _, first = path.read_text(encoding="utf-8").split("\n", 2)
        assert heading.startswith("# ")
        assert re.match(r"\*[A-Z]", first), path
        assert path.name == "index.md" or f"]({path.name}): for " in index, path


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[Page]:
    complaints: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: complaints.extend([request.url] * (request.url[:5] != "file:")),
        )
        page.goto((site / "index.html").as_uri())
        yield page
    assert complaints == []


@pytest.mark.slow
def test_a_reader_without_network_finds_a_page_and_a_name(page: Page) -> None:
    expect(page.locator("h1")).to_contain_text("Documentation")
    page.locator("article").get_by_role("link", name="Method card").click()
    expect(page.locator("h1")).to_contain_text("Manifold Mixup in PyTorch")
    page.get_by_placeholder("Search").fill("entropy_floor")
    page.get_by_placeholder("Search").press("Enter")
    page.locator("#search-results").get_by_role("link", name="mixup.entropy_floor").click()
    expect(page).to_have_url(re.compile(r"api\.html#mixup\.entropy_floor$"))


FAULTS = """# Documentation

## Start

- [A page](listed.md), [one that is not there](absent.md), [a heading that is not](listed.md#absent)
- [A folder](../docs)
"""


@pytest.mark.slow
def test_faults_are_told(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    (docs / "redirect").mkdir(parents=True)
    for name in ("docs/conf.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (docs / "index.md").write_text(FAULTS)
    (docs / "listed.md").write_text("# A page\n\n```{eval-rst}\n`no_such_name`\n```\n")
    (docs / "forgotten.md").write_text("# Another\n")
    done = subprocess.run(
        [PYTHON, "-m", "sphinx", "-M", "html", tmp_path, tmp_path / "site", "-c", docs, "-q", "-W"],
        capture_output=True, text=True, check=False, env=os.environ | {"NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if "WARNING" in line]
    for fault in ("absent.md", "'absent'", "forgotten.md", "no_such_name"):
        assert any(fault in line for line in told), told
    assert not any("../docs" in line for line in told)
