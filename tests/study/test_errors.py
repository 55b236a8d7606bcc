"""Errors as they are told, and as they come from another process."""

import pickle

import pytest

from study.errors import FileError


@pytest.mark.parametrize("reason", [None, "cut off", ValueError("in\ntwo lines")])
def test_file_error_is_the_same_after_pickling(reason: object) -> None:
    error = FileError("data/spirals.npz", reason)
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is FileError
    assert (str(copied), copied.path) == (str(error), error.path)
    assert ("missing" in str(error)) == (reason is None)
