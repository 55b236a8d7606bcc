"""Tell numbers from texts in the columns of a table."""

import numpy as np
import pandas as pd

from study.errors import StudyError
from study.params import dotted, shown

ROWS_NAMED = 5
SIGNS = "%$€£"
PLAIN = (str, bool, int, float, np.bool_, np.number)
WHAT_WITH_DATES = (
    "save what counts about them as numbers (the year, the days since), "
    "or add the column to own.drop"
)


def at_rows(index: pd.Index) -> str:
    """Name the rows of an index, the first few of many."""
    listed = ", ".join(f"{row:,}" for row in index[:ROWS_NAMED])
    more = f" and {len(index) - ROWS_NAMED:,} more" if len(index) > ROWS_NAMED else ""
    return f"row{'s' if len(index) > 1 else ''} {listed}{more}"


def as_texts(column: pd.Series) -> pd.Series:
    """Write each value as a text, whole numbers without a point; missing stays missing."""
    return column.map(_written, na_action="ignore").astype(object)


def as_numbers(column: pd.Series, decimal: str = ".") -> tuple[pd.Series, pd.Series]:
    """Read the values of a column as numbers, as far as they are.

    Args:
        column: (N,) numbers, or texts; missing ones are null.
        decimal: what the texts have as decimal point.

    Returns:
        (N,) float64, NaN where there is none; (N,) bool, where there is a value that is no number.
    """
    if decimal == ",":
        swapped = {",": ".", ".": ","}
        column = column.map(
            lambda text: "".join(swapped.get(c, c) for c in text) if isinstance(text, str) else text
        )
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    return numbers, numbers.isna() & column.notna()


def check_values(name: str, column: pd.Series) -> None:
    """Refuse a column that holds anything but numbers, texts, and true and false.

    Raises:
        StudyError: it holds dates or what a table of another format may have, such as lists.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype) or column.dtype.kind in "mM":
        raise StudyError(f"column {dotted(name)} holds dates or times: {WHAT_WITH_DATES}")
    values = column.dropna()
    is_other = ~values.map(lambda value: isinstance(value, PLAIN)).astype(bool)
    if is_other.any():
        kind = type(values[is_other].iloc[0]).__name__
        raise StudyError(
            f"{at_rows(values.index[is_other])}, column {dotted(name)}: a value of the type {kind} "
            "is neither number nor text: save it as one, or add the column to own.drop"
        )


def typed(name: str, column: pd.Series, decimal: str) -> pd.Series:
    """Give a column as float64 numbers if all of its values are, as texts if none is.

    Raises:
        StudyError: it holds both, or numbers that are written in another way.
    """
    values = column.dropna()
    if values.map(lambda value: isinstance(value, bool | np.bool_)).any():
        return as_texts(column)
    numbers, is_text = as_numbers(column, decimal)
    texts = column[is_text]
    if len(texts) and (len(texts) < len(values) or all(map(_hint, texts.unique()))):
        raise StudyError(
            f"{at_rows(texts.index)}, column {dotted(name)}: {shown(texts.iloc[0])} is no number"
            f"{_hint(texts.iloc[0])}, and {len(values) - len(texts):,} other values are. Else add "
            "the text to own.missing, or the column to own.categories or own.drop"
        )
    return as_texts(column) if len(texts) else numbers


def _hint(text: str) -> str:
    number = text.strip(SIGNS)
    digits = number.replace(",", "").replace(".", "").replace(" ", "").lstrip("+-")
    if not (digits.isascii() and digits.isdecimal()):
        return ""
    if number != text:
        return f": write it without the sign {text.strip('0123456789+-., ')}"
    if text.count(",") == 1 and "." not in text:
        return ": set own.decimal to ',' if the comma is its decimal point"
    return ": write it without thousands separators"


def _written(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
