"""What a reader of one's own data gives."""

from dataclasses import dataclass, field

from study.data.dataset import Dataset


@dataclass(frozen=True)
class Encoded:
    """A data set, and the names of what it holds."""

    dataset: Dataset
    class_names: list[str]
    feature_names: list[str] = field(default_factory=list)
    """Of the columns of a table; empty for images."""
    missing: dict[str, int] = field(default_factory=dict)
    """How many values of a column are missing, of those that miss some."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Columns that are no features, and why."""
    rows_dropped: int = 0
    """Rows that were empty."""
