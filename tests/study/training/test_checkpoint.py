"""Interrupted runs end with the bytes of runs that never were; bad checkpoints are left alone."""

import hashlib
import json
import pickle
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from study.errors import StudyError
from study.paths import RunKey, checkpoint_path, remove_checkpoint
from study.training import checkpoint as module
from study.training.checkpoint import Checkpoint
from study.training.trainer import train_run
from tests.study.training.interruption import each_step, stop_after  # noqa: F401 (a fixture)
from tests.study.training.test_trainer import METHODS, config, dataset

LONG = {"steps": 60, "decay_at": [16, 36], "evaluations": 4}


pytestmark = pytest.mark.usefixtures("each_step")


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkpoint of a run that was stopped after its seventh step."""
    stop_after(monkeypatch, 7, train_run, config("dropout"), dataset(), tmp_path / "c")
    return tmp_path / "c"


# Continue


# One logit, and one for each class, in turn.
@pytest.mark.parametrize(("method", "n_classes"), [*zip(METHODS, cycle([2, 3]), strict=False)])
def test_continued_run_has_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, n_classes: int
) -> None:
    data, file = dataset(n_classes=n_classes), tmp_path / "checkpoint"
    undisturbed = train_run(config(method, **LONG), data)
    for steps in (1, 15, 10, 24):  # stops after steps 1, 16, 26 and 50
        stop_after(monkeypatch, steps, train_run, config(method, **LONG), data, file)
        torch.manual_seed(steps)  # whatever ran in between must not matter
    assert train_run(config(method, **LONG), data, file) == undisturbed


def test_checkpoint_stays_until_the_run_is_stored(stopped: Path) -> None:
    """Killed in between, a run goes on from where it last was."""
    part = stopped.with_name(".c.part")  # of a process that was killed
    part.touch()
    train_run(config("dropout"), dataset(), stopped)
    assert stopped.exists()
    remove_checkpoint(stopped)
    remove_checkpoint(stopped)
    assert not stopped.exists()
    assert not part.exists()


def test_says_where_it_continues(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train_run(config("dropout"), dataset(), stopped)
    assert capsys.readouterr().err == f"{stopped}: continues after step 7\n"


def test_short_run_writes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MIXUP_CHECKPOINT_SECONDS")
    monkeypatch.setattr(Checkpoint, "save", lambda *_: pytest.fail("wrote a checkpoint"))
    train_run(config(), dataset(), tmp_path / "checkpoint")
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_clock_decides_when_one_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXUP_CHECKPOINT_SECONDS", "10")
    clock, steps = [100.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])

    def item(self: torch.Tensor, real: Any = torch.Tensor.item) -> Any:
        clock[0] += 3  # a step takes three seconds
        return real(self)

    save = Checkpoint.save
    monkeypatch.setattr(
        Checkpoint, "save", lambda self, state: (save(self, state), steps.append(state.step))
    )
    monkeypatch.setattr(torch.Tensor, "item", item)
    train_run(config(), dataset(), tmp_path / "checkpoint")
    assert steps == [4, 8, 12, 16]


def test_path_is_named_by_the_run() -> None:
    assert checkpoint_path(RunKey("e", "m", 3)) == Path("checkpoints/e/m/3")


@pytest.mark.parametrize("text", ["", "soon", "-1", "nan"])
def test_bad_number_of_seconds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("MIXUP_CHECKPOINT_SECONDS", text)
    with pytest.raises(StudyError, match=f"must be a number of seconds >= 0, got '{text}'"):
        train_run(config(), dataset(), tmp_path / "checkpoint")


# Leave alone


def assert_starts_anew(
    file: Path, reason: str, capsys: pytest.CaptureFixture[str], run: Any = None, data: Any = None
) -> None:
    run, data = run or config("dropout"), data or dataset()
    undisturbed, found = train_run(run, data), train_run(run, data, file)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"{file} is ignored: {reason}")
    assert found == undisturbed


def test_of_other_parameters(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = config("dropout", learning_rate=0.02)
    assert_starts_anew(stopped, "it is of other parameters;", capsys, run=run)


def test_of_other_data(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = dataset()
    data.inputs[0, 0] += 1
    assert_starts_anew(stopped, "it is of other data;", capsys, data=data)


def test_of_other_code(
    stopped: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "code_version", lambda: "another")
    assert_starts_anew(stopped, "it is of other code;", capsys)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.999])
def test_truncated(stopped: Path, capsys: pytest.CaptureFixture[str], share: float) -> None:
    content = stopped.read_bytes()
    stopped.write_bytes(content[: int(share * len(content))])
    assert_starts_anew(stopped, "it is damaged", capsys)


@pytest.mark.parametrize("place", [0, 64, 70, 1000, -5000, -1])
def test_flipped_bit(stopped: Path, capsys: pytest.CaptureFixture[str], place: int) -> None:
    content = bytearray(stopped.read_bytes())
    content[place] ^= 1
    stopped.write_bytes(content)
    assert_starts_anew(stopped, "it is damaged", capsys)


def forge(file: Path, name: str, value: Any) -> None:
    """Change a tensor or number of a checkpoint and give it a checksum that fits."""
    _, line, tensors = file.read_bytes().split(b"\n", 2)
    numbers, named = json.loads(line), load(tensors)
    part = named if name in named else numbers
    assert name in part
    part[name] = value
    content = json.dumps(numbers).encode() + b"\n" + save(named)
    file.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("net.hidden.1.0.weight", torch.zeros(3, 3)),
        ("optimiser.2.exp_avg", torch.zeros(3)),
        ("optimiser.2.step", torch.zeros(3)),
        ("generator", torch.zeros(9, dtype=torch.uint8)),
        ("learning_rates", []),
        ("of", {}),
    ],
)
def test_does_not_fit(
    stopped: Path, capsys: pytest.CaptureFixture[str], name: str, value: Any
) -> None:
    """Its checksum is right, and some of the state is restored before the fault shows."""
    forge(stopped, name, value)
    assert_starts_anew(stopped, "it is damaged", capsys)


def test_forgery_that_fits_is_used(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So what `test_does_not_fit` refuses is not the forgery itself."""
    forge(stopped, "losses", [0.5] * 2)
    train_run(config("dropout"), dataset(), stopped)
    assert "continues after step 7" in capsys.readouterr().err


class Malicious:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("unpickled"),)


def test_pickle_is_not_loaded(
    stopped: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stopped.parent)
    content = pickle.dumps(Malicious())
    for line in (b"", b"{}\n"):
        rest = line + content
        stopped.write_bytes(hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)
        assert_starts_anew(stopped, "it is damaged", capsys)
    assert not Path("unpickled").exists()


def test_folder_in_its_place(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stopped.unlink()
    stopped.mkdir()
    undisturbed = train_run(config("dropout"), dataset())
    found = train_run(config("dropout"), dataset(), stopped)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"{stopped} is ignored: it is damaged")
    assert lines[1] == f"{stopped} cannot be written: Is a directory"
    assert found == undisturbed


def test_file_in_place_of_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    undisturbed = train_run(config(), dataset())
    found = train_run(config(), dataset(), tmp_path / "file/checkpoint")
    assert "file/checkpoint cannot be written: " in capsys.readouterr().err
    assert found == undisturbed
