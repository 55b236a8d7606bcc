"""The columns of a table: numbers or texts, and those that should not be features."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from study.data.own_config import OwnDataConfig
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


def refuse_missing(role: str, name: str, column: pd.Series) -> None:
    """Refuse a target or a group of which values are missing."""
    if column.isna().any():
        raise StudyError(
            f"{at_rows(column.index[column.isna()])}: column {dotted(name)}, the {role}, is "
            "missing: fill it in, or remove the rows"
        )


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
    n_numbers = len(values) - len(texts)
    if len(texts) and (n_numbers or all(map(_hint, texts.unique()))):
        others = f", and {n_numbers:,} other values are" if n_numbers else ""
        raise StudyError(
            f"{at_rows(texts.index)}, column {dotted(name)}: {shown(texts.iloc[0])} is no number"
            f"{_hint(texts.iloc[0])}{others}. Else add the text to own.missing, or the column to "
            "own.categories or own.drop"
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


ROWS_TO_JUDGE_BY = 20
"""In fewer rows, values that all differ say nothing."""
LONGEST_TEXT = 200
ALSO_NAMED = 3
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?"  # 2026-01-31T12:00, 31/1/26
    rf"|\d{{1,2}}[- ./]?({_MONTHS})[a-z]*[- .,/]*\d{{2,4}}.*"  # 31 Jan 2026
    rf"|({_MONTHS})[a-z]*[- .,/]*\d{{1,2}}[ ,]+\d{{4}}.*"  # January 31, 2026
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[ap]m)?",  # 12:30
    re.IGNORECASE,
)


def check_number(name: str, column: pd.Series) -> None:
    """Refuse numbers that float32 cannot hold apart.

    Raises:
        StudyError: one is infinite or too large, or they are large and differ by little.
    """
    with np.errstate(over="ignore"):
        as_float32 = column.astype(np.float32)
    infinite = np.isinf(as_float32)
    if infinite.any():
        raise StudyError(
            f"{at_rows(column.index[infinite])}, column {dotted(name)}: infinite, or larger than "
            "float32 holds: correct it, or write it as missing"
        )
    error = (column - as_float32).abs().max()
    if error > 1e-3 * column.std():
        raise StudyError(
            f"column {dotted(name)} is of large numbers that differ by little, which float32 "
            f"rounds by up to {error:.3g}: subtract their smallest value"
        )


def check_suspects(features: pd.DataFrame, targets: pd.DataFrame, config: OwnDataConfig) -> None:
    """Refuse columns that look as if they were no features, but those of ``own.keep``.

    Args:
        features: (N, F) numbers as float64, categories as texts.
        targets: (N, L) texts.
        config: names the columns to keep.

    Raises:
        StudyError: names such columns, what they look like, and what to do about the first.
    """
    found = [
        (f"column {dotted(name)} {suspicion.words.format(n=column.nunique())}", suspicion)
        for name, column in features.items()
        if name not in config.keep
        for suspicion in [one for one in SUSPICIONS if one.holds(column, targets, config)][:1]
    ]
    if not found:
        return
    (first, suspicion), *others = found
    also = "".join(f"; also, {words}" for words, _ in others[:ALSO_NAMED])
    more = f"; and {len(others) - ALSO_NAMED:,} more" if len(others) > ALSO_NAMED else ""
    raise StudyError(f"{first}: {suspicion.what_to_do} (own.keep uses it all the same){also}{more}")


class _Suspicion(NamedTuple):
    holds: Callable[[pd.Series, pd.DataFrame, OwnDataConfig], bool]
    words: str
    what_to_do: str


def _is_target_again(column: pd.Series, targets: pd.DataFrame, _: OwnDataConfig) -> bool:
    return any(one_to_one(column, targets[name]) for name in targets)


def one_to_one(column: pd.Series, other: pd.Series) -> bool:
    """Tell whether rows are equal in one where they are in the other, and some are, not all."""
    codes, values = pd.factorize(column, use_na_sentinel=False)
    other_codes, _ = pd.factorize(other, use_na_sentinel=False)
    return 1 < len(values) < len(codes) and bool((codes == other_codes).all())


def _is_dates(column: pd.Series, _: pd.DataFrame, __: OwnDataConfig) -> bool:
    values = _texts(column)
    return len(values) > 0 and all(_DATE.fullmatch(value) for value in values)


def _is_id(column: pd.Series, _: pd.DataFrame, __: OwnDataConfig) -> bool:
    values = column.dropna()
    if len(values) < ROWS_TO_JUDGE_BY or not values.is_unique:
        return False
    return column.dtype == object or bool((values % 1 == 0).all())


def _is_free_text(column: pd.Series, _: pd.DataFrame, config: OwnDataConfig) -> bool:
    values = _texts(column)
    is_varied = len(column) >= ROWS_TO_JUDGE_BY and len(values) > len(column) / 2
    is_long = any(len(value) > LONGEST_TEXT for value in values)
    return is_varied or is_long or len(values) > config.most_categories


def _texts(column: pd.Series) -> list[str]:
    return list(column.dropna().unique()) if column.dtype == object else []


SUSPICIONS = (
    _Suspicion(
        _is_target_again,
        "is the target again, one value for each class",
        "add it to own.drop, or the accuracy means nothing",
    ),
    _Suspicion(_is_dates, "holds dates or times", WHAT_WITH_DATES),
    _Suspicion(
        _is_id,
        "looks like an id, with {n:,} different values and none twice",
        "add it to own.drop, or name it as own.group",
    ),
    _Suspicion(
        _is_free_text,
        "holds free text, or too many categories: {n:,} different ones",
        "make features of it first, add it to own.drop, or raise own.most_categories",
    ),
)
