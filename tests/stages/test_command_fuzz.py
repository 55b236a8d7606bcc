"""Any command line at all: it is done or refused, and nothing is written beside the study."""

import gc
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from study.errors import StudyError
from study.parallel import cluster
from tests.commands import COMMANDS, call
from tests.stages.conftest import Results

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KNOWN = st.sampled_from(
    [
        *("--jobs", "--cohort", "--metric", "--base", "--against", "--", "-h", "-", "=", ""),
        *("--jobs=9", "--jobs=0", "--base=HEAD", "--against=HEAD", "--output=../stray"),
        *("spirals", "baseline", "manifold", "0", "mixup", "mixup.alpha", "test_accuracy"),
        *("HEAD", "HEAD~1", "HEAD:metrics", "@{0}", "workspace", "metrics/runs.csv"),
        *("9" * 5000, "1e400", "nan", "x" * 5000, "../stray", "/dev/null", "..", "a\nb", "%s"),
    ]
)
# What is no UTF-8 arrives as lone surrogates; a NUL cannot arrive.
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.just("\udcff"), max_size=9
)
WORDS = KNOWN | TEXT | st.integers().map(str)
LINES = st.one_of(
    st.lists(KNOWN, min_size=1, max_size=3),
    st.lists(WORDS, min_size=1, max_size=5),
    WORDS.map(lambda word: [word] * 2000),
)


@pytest.fixture
def study(results: Results) -> Path:
    """Make a study with a commit of results, without data, runs or stages that train."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    results.params(**params)
    (results.folder / "claims.yaml").write_text("claims: []\n")
    results.runs("spirals", baseline=[0.5, 0.6], manifold=[0.6, 0.7])
    results.claims(C1="supported")
    results.commit("results")
    return results.folder


def files(folder: Path) -> dict[str, bytes]:
    """Everything that is neither DVC's own nor the page that compare makes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {".git", ".dvc", "site-cache", "report"} & set(path.parts)
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_any_words_are_obeyed_or_refused(command: str, study: Path) -> None:
    before = files(study.parent)

    @settings(max_examples=8, suppress_health_check=list(HealthCheck))
    @given(words=LINES)
    @example(["spirals"])  # obeyed by a stage that takes the name of a data set
    def check(words: list[str]) -> None:
        status, said = call(command, *words)
        assert "Traceback" not in said
        assert status in (0, 1, 2)
        if status == 1:
            assert said.startswith("error: ")
            assert "MIXUP_DEBUG" not in said  # which is what an error not foreseen says
            assert said.count("\n") == 1
            assert len(said) < 6_000  # a path may be long
        if status == 2:
            assert f"{command}: error: " in said
        nonlocal before
        earlier, before = before, files(study.parent)
        changed = [name for name in earlier | before if earlier.get(name) != before.get(name)]
        assert not changed or (status == 0 and all(name.startswith("study/") for name in changed))

    check()


@pytest.mark.parametrize(
    "address", ["x", "tcp://", "::::", "tcp://127.0.0.1:99999999", "no://x:1", "\udcff", "tcp://\n"]
)
def test_an_address_that_is_none_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 1)
    gc.collect()  # Dask waits for ever if a client that failed is collected while another starts
    with pytest.raises(StudyError, match="no Dask scheduler answers at"):
        cluster.ClusterPool(address)
