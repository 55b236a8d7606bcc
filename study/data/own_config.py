"""The ``own`` section of params.yaml: where one's own data lie, and how they are read."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from study.params import Section, unique

Names = Annotated[list[str], AfterValidator(unique)]
MISSING = ["", "?", "NA", "N/A", "NaN", "nan", "NULL", "null", "None"]


class OwnDataConfig(Section):
    """One's own data: a file, a folder, or a data set that scikit-learn ships."""

    path: str | None = Field(default=None, min_length=1)
    """A file or folder; null where ``name`` is set."""
    name: Literal["digits", "wine", "breast_cancer", "iris"] | None = None
    """A data set that scikit-learn ships; null where ``path`` is set."""
    format: Literal["auto", "csv", "parquet", "npz", "images", "idx"] = "auto"
    """``auto`` goes by the file's name and its first bytes."""
    target: str | Names | None = None
    """The column of the classes; a list of columns of 0 and 1 if a row can have many labels."""
    group: str | None = None
    """A column whose equal values must stay together: a patient, a site. It is no feature."""
    drop: Names = Field(default_factory=list)
    """Columns that are left out."""
    categories: Names = Field(default_factory=list)
    """Columns of numbers that are names, such as postal codes or codes of classes."""
    keep: Names = Field(default_factory=list)
    """Columns to use although they look like an id, a date or the target again."""
    missing: Names = Field(default=MISSING)
    """What a CSV file writes where a value is missing."""
    separator: str = "auto"
    """Between the columns of a CSV file; ``auto`` finds a comma, semicolon, tab or bar."""
    decimal: Literal[".", ","] = "."
    """In the numbers of a CSV file."""
    encoding: str = "auto"
    """Of a CSV file; ``auto`` reads UTF-8, and UTF-16 if it says so itself."""
    most_categories: int = Field(default=100, ge=2, le=10**4)
    """A column of more different texts is taken for free text."""
    smallest_class: int = Field(default=5, ge=3, le=10**6)
    """Samples that each class needs, so that there are some to train, choose and test with."""
    image_size: int | None = Field(default=None, ge=1, le=4096)
    """Pixels a side that a folder of images is resized to; null if all have one size."""
    colour: Literal["auto", "grey", "rgb"] = "auto"
    """Of a folder of images; ``auto`` is grey if all of them are."""

    @field_validator("separator")
    @classmethod
    def _is_a_character(cls, separator: str) -> str:
        if separator != "auto" and (len(separator) != 1 or separator in '\r\n"'):
            raise ValueError("must be auto or one character")
        return separator

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        if encoding != "auto":
            try:
                " ".encode(encoding)
            except (LookupError, ValueError) as error:
                raise ValueError("must be auto or an encoding that Python knows") from error
        return encoding

    @field_validator("group")
    @classmethod
    def _is_no_target(cls, group: str | None, info: ValidationInfo) -> str | None:
        target = info.data.get("target") or []
        if group is not None and group in ([target] if isinstance(target, str) else target):
            raise ValueError("must not be the target, or no class could be on both sides")
        return group

    @model_validator(mode="after")
    def _is_one_source(self) -> "OwnDataConfig":
        if (self.path is None) == (self.name is None):
            raise ValueError("set either path or name, and the other one to null")
        return self

    @property
    def targets(self) -> list[str]:
        """The columns of the target, one or several."""
        if isinstance(self.target, str):
            return [self.target]
        return list(self.target or [])

    @property
    def has_many_labels(self) -> bool:
        """Whether a row has a label for each of several questions."""
        return len(self.targets) > 1
