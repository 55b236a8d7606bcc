"""The report in a real browser: what it loads, and that it shows what the metrics files say."""

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from study.measures.catalogue import seen_in
from study.report.runs import MOST_COLUMNS
from tests.study.report.conftest import (
    ATTACK,
    ATTACK_IN_A_FILE_NAME,
    CLAIMS,
    FIGURES,
    NOTHING,
    QUESTIONS,
    SEEDS,
    Visit,
    explored,
    number,
    texts,
)

pytestmark = pytest.mark.slow

VERDICTS = ("supported", "contradicted", "inconclusive")


@pytest.fixture(scope="module")
def page(browser: Browser, study: Path) -> Iterator[Page]:
    """Open the study's page once, all of it: the tests of this file read, and change nothing."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield Visit(context.new_page(), study / "report/index.html").show_all()


# What it loads


def test_opens_from_a_file_and_asks_for_nothing_else(opened: Visit) -> None:
    opened.page.wait_for_load_state("networkidle")
    assert opened.requests == [opened.url]
    assert opened.complaints == []


def test_markup_in_names_is_shown_and_not_run(page: Page) -> None:
    assert page.evaluate("window.attacked") is None
    assert "window.attacked" in page.locator("#claim-refuted h3").inner_text()
    assert "window.attacked" in page.locator("#claims-table").inner_text()
    page.locator("summary", has_text="params.yaml").click()
    assert "window.attacked" in page.locator("#how pre").inner_text()
    assert ATTACK in explored(page, "spirals")["metrics"]
    assert ATTACK in page.locator("#numbers").inner_text()
    assert ATTACK in page.locator("#runs").inner_text()
    assert ATTACK_IN_A_FILE_NAME in page.locator("#figures").inner_text()
    _nothing_was_injected(page)


def test_a_script_that_got_into_the_page_would_not_run(study: Path, browser: Browser) -> None:
    """Even unescaped: the page lets no script run that is not its own."""
    file = study / "report/injected.html"
    whole = (study / "report/index.html").read_text(encoding="utf-8")
    markup = "<script>window.attacked = 1</script><img src='data:,' onerror='window.attacked = 1'>"
    file.write_text(whole.replace("<h1>", f"{markup}<h1>"), encoding="utf-8")
    with browser.new_context() as context:
        visit = Visit(context.new_page(), file)
        expect(visit.page.locator("img[onerror]")).to_have_js_property("complete", True)
        assert visit.page.evaluate("window.attacked") is None
        assert len(visit.complaints) == 2
        assert all("Content Security Policy" in complaint for complaint in visit.complaints)


def _nothing_was_injected(page: Page) -> None:
    assert page.evaluate("window.attacked") is None
    assert page.locator("img[src=x], [onerror], [onmouseover]").count() == 0
    addresses = page.locator("[href]").evaluate_all("all => all.map(e => e.getAttribute('href'))")
    assert [a for a in addresses if not a.startswith(("#", "https://", "data:,"))] == []


def test_every_picture_is_there_and_has_words(page: Page) -> None:
    images = page.locator("img").all()
    assert len(images) == len(FIGURES)
    for image in images:
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") == 1000
        assert len(image.get_attribute("alt") or "") > 20
    drawn = page.locator("canvas, svg:not([aria-hidden])").all()
    assert len(drawn) >= len(CLAIMS) + 4
    for picture in drawn:
        assert picture.get_attribute("role") == "img"
        assert len(picture.get_attribute("aria-label") or "") > 20


# What it shows


def test_summary_counts_the_verdicts(page: Page, ledger: pd.DataFrame) -> None:
    counts = ledger["verdict"].value_counts()
    assert set(counts.index) >= {"supported", "contradicted"}
    said = page.locator(".headline .big").inner_text()
    found = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICTS)
    assert said == f"Of {len(ledger)} claims, {found}."
    assert page.locator(".verdicts li").count() == len(ledger)


def test_summary_leads_with_what_is_settled_by_question(page: Page, ledger: pd.DataFrame) -> None:
    settled = ledger["verdict"].isin(["supported", "contradicted"])
    headings = page.locator("#summary h2, #summary h3").all_inner_texts()
    assert headings == ["What is settled", QUESTIONS["fit"], "Other claims", "What is open"]
    lists = page.locator("#summary .verdicts")
    shown = [set(lists.nth(i).locator("a").all_text_contents()) for i in range(lists.count())]
    of_family = ledger["family"].fillna("") == "fit"
    for chosen in (settled & of_family, settled & ~of_family, ~settled):
        assert set(ledger["sentence"][chosen]) == shown.pop(0)
    answers = page.locator("#summary .verdicts strong").all_inner_texts()
    assert len(answers) == settled.sum()
    assert answers[0] == "Yes."
    assert not page.locator("#summary details .verdicts").is_visible()


def test_summary_counts_what_held_of_each_source(page: Page, ledger: pd.DataFrame) -> None:
    table = page.locator("#by-source tbody tr")  # columns in the order of VERDICTS
    assert texts(table, 0) == ["A video", "A paper", ATTACK]
    sources = [ledger[ledger["source"].str.startswith(text)] for text in ("a video", "a p", "</")]
    for rows, of_source in zip(table.all(), sources, strict=True):
        counts = of_source["verdict"].value_counts()
        cells = [int(text) for text in rows.locator("td").all_inner_texts()]
        assert cells == [counts.get(verdict, 0) for verdict in VERDICTS]


def test_every_claim_has_its_verdict_in_words_and_its_numbers(
    page: Page, ledger: pd.DataFrame, runs: pd.DataFrame
) -> None:
    of_metric = runs[runs["experiment"] == "spirals"].set_index(["metric", "method", "seed"])
    for id, row in ledger.iterrows():
        card = page.locator(f"#claim-{id}")
        assert card.locator(".verdict").inner_text() == row["verdict"]
        assert card.locator("circle").count() == row["n"]
    card = page.locator("#claim-equal")
    card.locator("summary").click()
    rows = card.locator("tbody tr")
    expect(rows).to_have_count(len(SEEDS))
    assert texts(rows, 0) == [str(seed) for seed in SEEDS]
    for seed, shown in zip(SEEDS, texts(rows, 3), strict=True):
        values = of_metric["value"]["test_ece"]
        assert number(shown) == pytest.approx(
            values["manifold"][seed] - values["baseline"][seed], rel=1e-2, abs=1e-9
        )


def test_verdicts_differ_in_colour(page: Page, ledger: pd.DataFrame) -> None:
    colours = {
        row["verdict"]: page.locator(f"#claim-{id} .verdict").evaluate(
            "badge => getComputedStyle(badge).color"
        )
        for id, row in ledger.iterrows()
    }
    assert len(set(colours.values())) == len(colours) > 1


def test_numbers_of_every_run_are_those_of_the_metrics_file(page: Page, runs: pd.DataFrame) -> None:
    script = """rows => rows.map(row => [row.dataset.run, [...row.querySelectorAll(
        "td[data-value]")].map(cell => ({exact: cell.dataset.value, text: cell.textContent}))])"""
    for folded in page.locator("#runs summary").all():
        folded.click()
    expect(page.locator("#runs .later > noscript")).to_have_count(0)
    shown: dict[tuple[str, str, int], list[dict[str, str]]] = {}
    for run, cells in page.locator("tr[data-run]").evaluate_all(script):
        experiment, method, seed = run.split("/")
        shown.setdefault((experiment, method, int(seed)), []).extend(cells)
    groups = runs.groupby(["experiment", "method", "seed"])
    assert set(shown) == {key for key, _ in groups}
    for key, rows in groups:
        of_experiment = runs[runs["experiment"] == key[0]]
        metrics = list(of_experiment["metric"].unique())
        if len(metrics) > MOST_COLUMNS:  # then the foremost come first
            asked = {claim["metric"] for claim in CLAIMS if claim["experiment"] == key[0]}
            first = [*seen_in("methods", metrics), *asked]
            metrics.sort(key=lambda metric: metric not in first)
        values = rows.set_index("metric")["value"].reindex(metrics)
        for value, cell in zip(values, shown[key], strict=True):
            if np.isnan(value):
                assert cell == {"exact": "", "text": NOTHING}
            else:
                assert float(cell["exact"]) == value
                assert number(cell["text"]) == pytest.approx(value, rel=1e-3)


def test_states_lie_in_the_middle_and_fill_the_picture_one_way(page: Page) -> None:
    """However flat they are."""
    for run in explored(page, "plane")["runs"].values():
        places = np.frombuffer(base64.b64decode(run["states"]["places"]), np.uint8).reshape(-1, 2)
        low, high = places.min(axis=0).astype(int), places.max(axis=0).astype(int)
        assert (high - low).max() == 255
        assert low + high == pytest.approx([255, 255], abs=2)


def test_numbers_and_their_headings_are_right_aligned(page: Page) -> None:
    cells = page.locator("table .number, #numbers thead th + th")
    assert cells.count() > 100
    assert (
        cells.evaluate_all(
            "all => all.filter(cell => getComputedStyle(cell).textAlign !== 'right').length"
        )
        == 0
    )
    script = """tables => tables.map(table => [...table.tBodies[0].rows[0]?.cells ?? []]
        .filter(cell => cell.classList.contains("number"))
        .map(cell => getComputedStyle(table.tHead.rows[0].cells[cell.cellIndex]).textAlign))"""
    aligned = page.locator("table").evaluate_all(script)
    assert {words for table in aligned for words in table} == {"right"}
