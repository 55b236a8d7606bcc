"""The repository of results that the commands are tried on."""

from tests.stages.conftest import results

__all__ = ["results"]
