"""A small study that is really trained and judged, its page, and a browser to open it in."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from stages import claims, embed_bottleneck, report, svd_analysis
from tests.once import once
from tests.study.figures import plots_study
from tests.study.figures.plots_study import BOTH, SPIRALS, blobs, spirals
from tests.training import sum_up, train_all

ATTACK = (
    "</script><script>window.attacked = 1</script><!--<script>\"'>"
    "<img src=x onerror='window.attacked = 1'></title>javascript:window.attacked=1"
)
ATTACK_IN_A_FILE_NAME = "\"'><img src=x onerror=window.attacked=1>&lt"
SEEDS = [0, 3, 1, 7]
MINUS, NOTHING = "\N{MINUS SIGN}", "\N{EN DASH}"
FIGURES = (
    "spirals_data",
    *("study/boundaries_spirals", "study/curves_spirals", "study/draws_spirals"),
    *("study/methods_spirals", "study/hidden_plane_singular_values"),
    *("study/bottleneck_flat_0_4", "study/spectra_wide_raw"),
    f"study/spectra_wide_{ATTACK_IN_A_FILE_NAME}",
)


def experiment(data: str, steps: int, methods: dict[str, Any], **bottleneck: int) -> dict[str, Any]:
    usual = plots_study.experiment(data, methods, **bottleneck)
    recipe = usual["training"] | {"learning_rate": 0.02, "evaluations": 5, "steps": steps}
    return usual | {"training": recipe}


PARAMS: dict[str, Any] = {
    "seeds": SEEDS,
    "mixup": {"alpha": 2.0},
    "compute": {"threads": 1},
    "spirals": SPIRALS,
    "robustness": {"shown as it is": ATTACK},
    "experiments": {
        "spirals": experiment("spirals", 300, BOTH | {"input": {"eligible": [0]}}),
        "plane": experiment("spirals", 60, BOTH, layer=2, size=2),
        "flat": experiment("blobs", 60, BOTH, layer=2, size=2),
        "wide": experiment("blobs", 60, BOTH, layer=2, size=4),
    },
}


def claim(id: str, metric: str, direction: str, smallest: float, **changes: Any) -> dict[str, Any]:
    usual = {"source": "a paper, table 1", "experiment": "spirals", "method": "manifold"}
    usual |= {"than": "baseline", "sentence": f"Of {id}, {metric} is {direction}"}
    asked = {"id": id, "metric": metric, "direction": direction, "smallest": smallest}
    return usual | asked | changes


CLAIMS = [
    claim("certain", "train_accuracy", "higher", 0.5, than=0, source="a video", family="fit"),
    claim("refuted", "test_accuracy", "higher", 0.9, sentence=f"Attack {ATTACK}"),
    claim("open", "test_nll", "lower", 0.1, relative=True, source=ATTACK),
    claim("shared", "test_accuracy", "varies", 0.1, method="input"),
    claim("equal", "test_ece", "same", 0.01),
    claim("raw", "test_scatter_ratio", "higher", 0.0, experiment="flat", twin="free"),
    claim("free", "test_silhouette", "higher", 0.0, experiment="flat"),
]
QUESTIONS = {"fit": f"Does it fit? {ATTACK}"}


def make_study(folder: Path) -> None:
    """Train, analyse and judge a study in ``folder``, which is the current one."""
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    (folder / "claims.yaml").write_text(
        yaml.safe_dump({"claims": CLAIMS, "questions": QUESTIONS}, sort_keys=False)
    )
    train_all(PARAMS["experiments"], {"blobs": blobs(), "spirals": spirals()}, SEEDS)
    for main in (embed_bottleneck.main, svd_analysis.main, sum_up, claims.main):
        main()
    _add_metric_with_markup(folder / "metrics/runs.csv")
    (folder / "figures/study").mkdir(parents=True)
    for shade, name in enumerate(FIGURES):
        Image.new("RGB", (1000, 300), (0, 30 * shade, 90)).save(f"figures/{name}.png")


def _add_metric_with_markup(path: Path) -> None:
    """Add a metric whose name gets into a table and into the JSON inside a script block."""
    runs = pd.read_csv(path)
    named = runs[runs["metric"] == "test_accuracy"].assign(metric=ATTACK)
    pd.concat([runs, named]).to_csv(path, index=False)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the study once, with its page."""

    def make(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            make_study(folder)
            report.main()

    return once(tmp_path_factory, "reported", make)


class Visit:
    """A page that was opened, with everything that it asked for and complained of."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page, self.url = page, file.as_uri()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._note_request)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self.url)

    def show_all(self) -> Page:
        """Come near everything that the page leaves until then, but for what is folded away."""
        self.page.add_style_tag(content="* { content-visibility: visible !important; }")
        for part in self.page.locator("#explore, #figures figure, #runs > div").all():
            part.evaluate("part => part.scrollIntoView({behavior: 'instant'})")
            expect(part.locator("> .later > noscript")).to_have_count(0)
        expect(self.page.locator("#choices")).to_be_visible()
        return self.page

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith("data:"):
            self.requests.append(request.url)

    def _note_message(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)


@pytest.fixture(scope="session")
def ledger(study: Path) -> pd.DataFrame:
    """Read the ledger that the page was made from."""
    return pd.read_csv(study / "metrics/claims.csv").set_index("id")


@pytest.fixture(scope="session")
def runs(study: Path) -> pd.DataFrame:
    """Read the measures that the page was made from."""
    return pd.read_csv(study / "metrics/runs.csv")


@pytest.fixture
def opened(browser: Browser, study: Path) -> Iterator[Visit]:
    """Open the study's page on a desktop."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield Visit(context.new_page(), study / "report/index.html")


@pytest.fixture
def page(opened: Visit) -> Page:
    """Open the study's page on a desktop, all of it."""
    return opened.show_all()


def choose(page: Page, experiment: str) -> None:
    """Choose an experiment to look at, and wait until it is unpacked."""
    page.get_by_role("combobox", name="Experiment").select_option(experiment)
    expect(page.locator("#explored")).to_have_attribute("aria-busy", "false")


def explored(page: Page, experiment: str) -> Any:
    """Unpack what the page has of an experiment, but for its maps."""
    data = json.loads(page.locator("#explorer-data").text_content() or "")
    packed = data["experiments"][experiment]["content"]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def texts(rows: Locator, column: int) -> list[str]:
    return [row.locator("th, td").nth(column).inner_text() for row in rows.all()]


def number(text: str) -> float:
    return float(text.replace(MINUS, "-"))
