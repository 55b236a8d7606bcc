"""The comparison page in a browser: no network, no complaints, tables that sort and filter."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from study.report.comparison import Change, Verdict
from study.report.page import render_page
from study.revisions import Revision
from tests.study.report.conftest import ATTACK, Visit

pytestmark = pytest.mark.slow

NOTHING: dict[str, float] = {"difference": 0.0, "low": 0.0, "high": 0.0}
CHANGES = [
    Change("spirals", "manifold", "test_nll", 0.5, 0.25, 3, 3, 3, -0.25, -0.3, -0.2),
    Change("spirals", "input", "test_nll", 0.5, 2.0, 3, 3, 3, 1.5, 1.0, 2.0),
    Change("spirals", "hidden", "test_ece", 0.5, 0.51, 3, 3, 3, 0.01, -0.1, 0.12),
    Change("spirals", "baseline", "test_nll", 0.5, 0.5, 3, 3, 3, 0.0, same=True),
    Change(ATTACK, ATTACK, ATTACK, 0.5, 0.5, 3, 3, 3, 0.0, same=True),
    Change("mnist_2d", "manifold", "test_nll", 0.4, 0.3, 3, 3, 3, -0.1, -0.2, -0.01),
]


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    file = tmp_path / "compare.html"
    text = render_page(
        "compare.html.j2",
        a=Revision("HEAD", "0" * 40, ATTACK),
        b=Revision(ATTACK),
        out_of_date=["plots"],
        changes=CHANGES,
        verdicts=[Verdict(ATTACK, ATTACK, "supported", ATTACK, (NOTHING, NOTHING))],
        params={ATTACK: {"old": 2.0, "new": ATTACK}},
        code=[ATTACK],
        figures={ATTACK: ("data:image/gif;base64,R0lGODlhAQABAAAAACw=", "")},
        glance=[ATTACK],
        command=ATTACK,
    )
    file.write_text(text, encoding="utf-8")
    with browser.new_context(viewport={"width": 390, "height": 800}) as context:
        yield Visit(context.new_page(), file)


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit.page


def methods(page: Page) -> list[str]:
    """Read the first column of the rows shown of the spirals' changes, in sight or not."""
    cells = page.locator("table.changed").first.locator("tbody tr:visible td:first-child")
    return [text.strip() for text in cells.all_text_contents()]


def test_asks_for_nothing_and_runs_nothing_strange(visit: Visit) -> None:
    assert visit.requests == [visit.url]
    assert visit.complaints == []
    assert visit.page.evaluate("window.attacked") is None
    assert visit.page.locator("img[src=x], [onerror]").count() == 0
    assert visit.page.locator("h1").inner_text().endswith(ATTACK)
    assert ATTACK in visit.page.title()


def test_fits_a_phone(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_differences_sort_by_value(page: Page) -> None:
    button = page.locator("table.changed").first.get_by_role("button", name="B − A")  # noqa: RUF001
    button.click()
    assert methods(page) == ["manifold", "hidden", "input"]
    button.click()
    assert methods(page) == ["input", "hidden", "manifold"]


def test_filter_looks_into_all_tables_of_changes(page: Page) -> None:
    box = page.get_by_label("Show rows with")
    box.fill("lower")
    assert methods(page) == ["manifold"]
    assert page.locator("output").inner_text() == "2 of 4 rows"


def test_what_is_the_same_is_folded_away(page: Page) -> None:
    row = page.get_by_text("baseline", exact=True)
    assert not row.is_visible()
    page.get_by_text("spirals: the same for every seed that both have (1)").click()
    assert row.is_visible()
