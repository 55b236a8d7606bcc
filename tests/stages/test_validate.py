"""What cannot be trained here is refused before any work."""

from pathlib import Path

import pytest
import torch

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
