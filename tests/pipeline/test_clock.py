"""A clock that is set back while a study is trained."""

from pathlib import Path

import pytest

from tests.pipeline.project import Project, hashes, stages_run
from tests.processes import started, wait_until

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(LIBRARY is None, reason="needs libfaketime"),
]
TRAIN = ("train_spirals_plain", "train_spirals_mixing")


def test_clock_set_back_changes_nothing(untrained: Project, tmp_path: Path) -> None:
    command = ("dvc", "repro", *TRAIN)
    untrained.keep_spirals()
    untrained.turn("seeds", [0])
    untrained.turn("experiments.spirals.training.steps", 500)
    undisturbed = untrained.copy(tmp_path / "undisturbed")
    undisturbed.run(*command)

    clock = tmp_path / "clock"
    clock.write_text("+0")
    fake_clock = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",  # the file is read at every look at the clock
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # setting a clock leaves this one alone
        "MIXUP_CHECKPOINT_SECONDS": "0.2",
    }
    environment = untrained.environment | fake_clock
    with started(*command, cwd=untrained.folder, env=environment) as process:
        wait_until((untrained.folder / "ahead").exists)
        clock.write_text("-1000d")
        process.wait()
    assert process.returncode == 0
    assert hashes(untrained.folder / "runs") == hashes(undisturbed.folder / "runs")
    assert untrained.lock() == undisturbed.lock()
    fake = [f"{name}={value}" for name, value in fake_clock.items()]
    for first in ((), ("env", *fake)):  # as the clock is, and years before what was recorded
        assert stages_run(untrained.run(*first, *command).stdout) == set()
