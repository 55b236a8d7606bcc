"""What cannot be trained here is refused before any work."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from dvc.repo import Repo

from stages import validate
from study.params import ParamsError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "params.yaml").read_text()
    path = tmp_path / "params.yaml"
    path.write_text(text.replace("device: cpu", "device: cuda"))
    return path


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused(params: Path) -> None:
    with pytest.raises(ParamsError, match=r"compute\.device is 'cuda', .* no such device here"):
        validate.main()
    assert not Path("data").exists()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_that_is_there_is_used(params: Path) -> None:
    validate.main()
    assert validate.VALID.is_file()


@pytest.fixture
def misspelt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Enter a study of which one experiment is on data that nobody makes."""
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["experiments"]["spirals"]["data"] = "spirls"
    (tmp_path / "params.yaml").write_text(json.dumps(params))
    return tmp_path


def test_data_that_nobody_makes_are_refused(misspelt: Path) -> None:
    """As soon as a method is trained on them."""
    wanted = r"experiments\.spirals\.data: there is no data/spirls\.npz.*did you mean spirals\?"
    with pytest.raises(ParamsError, match=wanted):
        validate.main()
    assert not Path("data").exists()
    params = json.loads((misspelt / "params.yaml").read_text())
    params["experiments"]["spirals"] |= {"plain": [], "mixing": []}
    (misspelt / "params.yaml").write_text(json.dumps(params))
    validate.main()


@pytest.mark.slow
@pytest.mark.parametrize("made_by", ["hand", "a stage"])
def test_data_that_are_there_or_that_a_stage_makes_are_not(misspelt: Path, made_by: str) -> None:
    if made_by == "hand":
        Path("data").mkdir()
        Path("data/spirls.npz").touch()
    else:
        Repo.init(no_scm=True).close()
        stages = {"mine": {"cmd": "python mine.py", "outs": ["data/spirls.npz"]}}
        (misspelt / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    validate.main()
    assert validate.VALID.is_file()
