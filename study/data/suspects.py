"""Columns that should not be features: ids, dates, free text, and the target once more."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from study.data.columns import WHAT_WITH_DATES, at_rows
from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from study.params import dotted

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
