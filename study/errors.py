"""The one base class of the errors this study raises on purpose."""

from pathlib import Path


class StudyError(Exception):
    """Tell the user, in one line, what is wrong and what to do; stages print it and exit 1."""


class FileError(StudyError):
    """An output of an earlier stage is missing or is not as it was written.

    Args:
        path: the file.
        reason: what is wrong with it, be it in many lines; None if it is missing.
    """

    def __init__(self, path: Path | str, reason: object = None) -> None:
        self.path, self.reason = Path(path), reason
        if reason is None:
            super().__init__(f"{path} is missing: run `dvc repro` to make it")
        else:
            said = " ".join(str(reason).split())[:300]
            super().__init__(
                f"{path} is damaged ({said}): delete it and run `dvc repro` to make it again"
            )

    def __reduce__(self) -> tuple[type["FileError"], tuple[str, str | None]]:
        # Exceptions travel between processes as their class and the one text they show.
        reason = None if self.reason is None else str(self.reason)
        return FileError, (str(self.path), reason)
