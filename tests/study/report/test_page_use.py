"""The report in a real browser: what can be done with its tables, pictures and choices."""

import base64
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from study.data.dataset import load_dataset
from study.paths import RunKey, run_folder
from study.training.run import load_run
from tests.study.report.conftest import NOTHING, SEEDS, Visit, choose, number, texts

pytestmark = pytest.mark.slow


# Sort and filter


def test_tables_sort_both_ways_with_missing_numbers_last(page: Page) -> None:
    table = page.locator("#claims-table")
    heading = table.locator("th", has_text="Effect size")
    column = heading.evaluate("heading => heading.cellIndex")
    assert heading.get_attribute("aria-sort") is None
    for direction, reverse in (("ascending", False), ("descending", True)):
        heading.get_by_role("button").click()
        assert heading.get_attribute("aria-sort") == direction
        shown = texts(table.locator("tbody tr"), column)
        values = [number(text) for text in shown if text != NOTHING]
        assert 0 < len(values) < len(shown)
        assert shown[len(values) :] == [NOTHING] * (len(shown) - len(values))
        assert values == sorted(values, reverse=reverse)
    table.locator("th", has_text="Verdict").get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None
    verdicts = texts(table.locator("tbody tr"), 1)
    assert verdicts == sorted(verdicts)
    # and by keyboard
    button = page.locator(".runs").first.locator(
        "th button", has_text=re.compile("^test accuracy$")
    )
    button.focus()
    page.keyboard.press("Enter")
    heading = page.locator(".runs").first.locator("th[aria-sort]")
    assert heading.get_attribute("aria-sort") == "ascending"


def test_runs_can_be_filtered(page: Page) -> None:
    rows = page.locator("tr[data-run]:visible")
    everything = rows.count()
    page.get_by_label("Show runs with").fill("MANIFOLD train_spirals")
    assert {row.get_attribute("data-run") for row in rows.all()} == {
        f"spirals/manifold/{seed}" for seed in SEEDS
    }
    assert page.locator("#runs output").inner_text() == f"{len(SEEDS)} of {everything} rows"
    page.get_by_label("Show runs with").fill("")
    assert rows.count() == everything == 9 * len(SEEDS)


# Look at a run


def pixels(page: Page, place: int) -> Any:
    canvas = page.locator("#pictures canvas").nth(place)
    url = canvas.evaluate("canvas => canvas.toDataURL()")
    with Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
        return np.array(image.convert("RGB")).astype(int)


def test_map_has_the_colours_of_what_the_net_predicts(page: Page, study: Path) -> None:
    page.get_by_role("combobox", name="Seed").select_option(str(SEEDS[1]))
    image = pixels(page, 1)
    folder = study / run_folder(RunKey("spirals", "input", SEEDS[1]))
    low, high = (
        f(load_dataset(study / "data/spirals.npz").inputs, axis=0) for f in (np.min, np.max)
    )
    height, width = image.shape[:2]
    assert height / width == pytest.approx((high - low)[1] / (high - low)[0], abs=0.01)
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, 1 - (np.arange(height) + 0.5) / height)
    points = (low + np.column_stack([x.ravel(), y.ravel()]) * (high - low)).astype(np.float32)
    p = load_run(folder).probabilities(torch.from_numpy(points))[:, 1].reshape(height, width)
    redder = image[..., 0] - image[..., 2]
    assert np.mean(redder[p > 0.7] > 0) > 0.97
    assert np.mean(redder[p < 0.3] < 0) > 0.97
    assert 0.02 < np.mean(p > 0.7) < 0.98


def test_choices_change_pictures_curves_and_numbers(page: Page, runs: pd.DataFrame) -> None:
    before = pixels(page, 1)
    lines = page.locator("#curves path.line").all()
    paths = [line.get_attribute("d") for line in lines]
    page.get_by_role("combobox", name="Right").select_option("manifold")
    assert (pixels(page, 1) != before).any()
    assert [line.get_attribute("d") for line in lines] != paths
    assert "manifold mixup" in page.locator("#pictures figure").nth(1).inner_text()
    chosen = runs[(runs["experiment"] == "spirals") & (runs["seed"] == SEEDS[2])]
    page.get_by_role("combobox", name="Seed").select_option(str(SEEDS[2]))
    of_method = chosen.pivot(index="metric", columns="method", values="value")
    rows = page.locator("#numbers tbody tr")
    assert rows.count() == len(of_method)
    (accuracy,) = [row for row in rows.all() if row.locator("th").inner_text() == "test accuracy"]
    shown = [float(str(cell.get_attribute("data-value"))) for cell in accuracy.locator("td").all()]
    left, right = of_method.loc["test_accuracy", ["baseline", "manifold"]]
    assert shown == pytest.approx([left, right, right - left])


def test_experiments_show_what_they_have(page: Page) -> None:
    choose(page, "flat")
    assert page.locator("#pictures canvas").count() == 2
    scatter = pixels(page, 0).reshape(-1, 3)
    assert len(np.unique(scatter, axis=0)) > 7
    assert re.search("class", page.locator("#legend").inner_text())
    choose(page, "wide")
    assert page.locator("#pictures canvas").count() == 0
    assert page.locator("#curves path.line").count() == 8
    choose(page, "plane")
    labels = [picture.get_attribute("aria-label") for picture in page.locator("canvas").all()]
    words = ["Map of", "Map of", "Bottleneck states", "Bottleneck states"]
    assert [str(label).startswith(start) for label, start in zip(labels, words, strict=True)]
    assert re.search("red is class 1.*two units of the bottleneck", page.inner_text("#legend"))


def test_small_numbers_have_room_beside_their_axis(page: Page) -> None:
    places = page.evaluate("""() => {
        const line = {colour: "red", x: [0, 1], y: [1e-6, 1]};
        const svg = lineChart("words", "x", [line], true);
        document.getElementById("curves").append(svg);
        return [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBBox().x]);
    }""")
    assert "1e\N{MINUS SIGN}6" in [text for text, _ in places]
    assert all(x >= 0 for _, x in places), places


def test_two_lines_never_have_one_colour(browser: Browser, study: Path) -> None:
    """A sweep has more methods than there are colours."""
    file = study / "report/one_colour.html"
    whole = (study / "report/index.html").read_text(encoding="utf-8")
    changed = re.sub(r'("manifold": {"label": "[^"]+", "colour": )"[^"]+"', r'\1"#56B4E9"', whole)
    assert changed != whole
    file.write_text(changed, encoding="utf-8")
    with browser.new_context() as context:
        page = Visit(context.new_page(), file).show_all()
        page.get_by_role("combobox", name="Left").select_option("input")
        page.get_by_role("combobox", name="Right").select_option("manifold")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            drawn = page.locator("#curves path.line").evaluate_all(
                "lines => lines.map(line => getComputedStyle(line).stroke)"
            )
            assert len(set(drawn)) == 2, drawn


def test_measures_beyond_the_foremost_are_folded_away_and_found_by_the_filter(page: Page) -> None:
    folded = page.locator("#runs-plane details")
    rows = folded.locator("tbody tr")
    assert rows.count() == 0
    folded.locator("summary").click()
    expect(rows).to_have_count(2 * len(SEEDS))
    page.get_by_label("Show runs with").fill("manifold")
    shown = [row.get_attribute("data-run") for row in rows.all() if row.is_visible()]
    assert shown == [f"plane/manifold/{seed}" for seed in SEEDS]
    in_sum = 4 * len(SEEDS)
    assert page.locator("#runs output").inner_text().startswith(f"{in_sum} of ")


def test_long_parts_wait_until_a_reader_comes_near_or_filters(opened: Visit) -> None:
    page = opened.page
    assert page.locator("#choices").is_hidden()
    assert page.locator("tr[data-run], #figures img").count() == 0
    page.get_by_label("Show runs with").fill("input")
    spirals, others = (
        page.locator("#runs-spirals tr[data-run]"),
        page.locator("#runs-wide tr[data-run]"),
    )
    assert (spirals.count(), others.count()) == (3 * len(SEEDS), 4 * len(SEEDS))
    assert [row.is_visible() for row in spirals.all()].count(True) == len(SEEDS)
    page.locator("#explore").scroll_into_view_if_needed()
    expect(page.locator("#choices")).to_be_visible()
    assert opened.complaints == []
