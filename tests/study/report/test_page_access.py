"""The report in a real browser: themes, phones, paper and keyboards."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.study.report.conftest import FIGURES, SEEDS, Visit, choose

pytestmark = pytest.mark.slow


def background(page: Page) -> list[int]:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return [int(part) for part in re.findall(r"\d+", colour)[:3]]


def is_dark(page: Page) -> bool:
    return sum(background(page)) < 384


def choose_theme(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"{name} theme").click()
    assert is_dark(page) == (name == "Dark")


def is_kept(page: Page, name: str) -> bool:
    """Choose a theme and reload: again if need be, as Chromium at times loses what was stored."""
    for _ in range(5):
        choose_theme(page, name)
        page.reload()
        if is_dark(page) == (name == "Dark"):
            return True
    return False


def test_theme_follows_the_system_until_one_is_chosen(browser: Browser, study: Path) -> None:
    with browser.new_context(color_scheme="light") as context:
        page = Visit(context.new_page(), study / "report/index.html").page
        assert not is_dark(page)
        page.emulate_media(color_scheme="dark")
        assert is_dark(page)
        assert is_kept(page, "Light")
        choose_theme(page, "Dark")


def test_page_never_scrolls_sideways(browser: Browser, study: Path) -> None:
    with browser.new_context(viewport={"width": 360, "height": 740}) as context:
        page = Visit(context.new_page(), study / "report/index.html").show_all()
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            for experiment in ("spirals", "plane", "flat", "wide"):
                choose(page, experiment)
                page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
                assert page.evaluate("document.documentElement.scrollWidth") == width
        table = page.locator(".table-box").first
        assert table.evaluate("box => getComputedStyle(box).overflowX") == "auto"


@pytest.mark.parametrize("width", [360, 1280])
def test_links_of_sections_lead_to_them(browser: Browser, study: Path, width: int) -> None:
    """Though what lies between gets its size only on the way. Playwright's wait fails if not."""
    with browser.new_context(viewport={"width": width, "height": 740}) as context:
        page = Visit(context.new_page(), study / "report/index.html").page
        for link in page.locator(".top nav a").all()[::-1]:
            link.click()
            page.wait_for_function(
                """selector => {
                    const top = document.querySelector(selector).getBoundingClientRect().top;
                    const below = document.documentElement.getBoundingClientRect().bottom;
                    return Math.abs(top - 64) < 2 || (top > 64 && below < innerHeight + 2);
                }""",
                arg=link.get_attribute("href"),
            )


def test_figures_and_runs_are_there_without_scripts(browser: Browser, study: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((study / "report/index.html").as_uri())
        runs = page.locator("tr[data-run]").evaluate_all("all => all.map(row => row.dataset.run)")
        assert len(set(runs)) == 9 * len(SEEDS)
        assert page.locator("#figures img").count() == len(FIGURES)
        for image in page.locator("#figures img").all():
            image.scroll_into_view_if_needed()
            expect(image).to_have_js_property("naturalWidth", 1000)


def test_prints_on_white_with_all_of_every_table(page: Page) -> None:
    page.get_by_role("button", name="Dark theme").click()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1040, "height": 720})
    assert background(page) == [255, 255, 255]
    assert not page.locator("#theme").is_visible()
    assert not page.locator("#explore").is_visible()
    for box in page.locator(".table-box:visible").all():
        scrolls, shows = box.evaluate("box => [box.scrollHeight, box.clientHeight]")
        assert scrolls <= shows + 1
        assert box.evaluate("box => box.scrollWidth <= document.documentElement.clientWidth")
    assert page.pdf(format="A4")[:5] == b"%PDF-"


def test_keyboard_reaches_what_can_be_used_and_shows_where_it_is(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(15):
        page.keyboard.press("Tab")
        outline, place = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [s.outlineStyle + parseFloat(s.outlineWidth), e.id || e.textContent]; })()"
        )
        assert outline.startswith("solid")
        assert float(outline.removeprefix("solid")) >= 2
        reached.add(place)
    assert {"theme", "Summary", "Runs"} <= reached
    for control in page.locator("select, input").all():
        assert control.evaluate("control => control.labels.length") == 1


def test_axe_finds_no_barrier(browser: Browser, study: Path) -> None:
    """Contrast, labels, roles, headings, landmarks and the order of focus, by the rules of WCAG."""
    with browser.new_context(reduced_motion="reduce") as context:
        page = Visit(context.new_page(), study / "report/index.html").show_all()
        page.evaluate("dispatchEvent(new Event('beforeprint'))")  # unfolds and fills everything
        assert page.locator(".later > noscript").count() == 0
        # rows of runs are alike, and each of their cells is looked at
        alike = "tr[data-run]:nth-child(n+4)"
        page.evaluate(f"document.querySelectorAll('{alike}').forEach(row => row.remove())")
        looks: tuple[tuple[Any, int], ...] = (("light", 360), ("dark", 1280))
        for theme, width in looks:
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 900})
            assert is_dark(page) == (theme == "dark")
            found = Axe().run(page)
            assert len(found.response["passes"]) > 20
            assert found.response["violations"] == [], found.generate_report()
