"""A machine of 16 GB, whatever it has."""

import pytest

from study.validation import MEMORY


@pytest.fixture
def enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY, "16")
