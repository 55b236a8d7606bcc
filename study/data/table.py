"""Encode a table with names as numbers, one-hot categories and a label."""

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder

from study.data.columns import (
    as_texts,
    check_number,
    check_suspects,
    check_values,
    one_to_one,
    refuse_missing,
    typed,
)
from study.data.csv_text import MAX_COLUMNS
from study.data.dataset import Dataset
from study.data.encoded import Encoded
from study.data.labels import encode_classes, encode_yes_or_no
from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from study.params import did_you_mean, dotted

NO_CATEGORY = "missing"


def encode_table(table: pd.DataFrame, config: OwnDataConfig, rows_dropped: int = 0) -> Encoded:
    """Encode a table: numbers as they are, a category as a block of one-hot columns.

    A missing number stays NaN, for which the mean of the training data stands later, and the column
    gets another one of 0 and 1, "NAME is missing"; a missing category is a category.

    Args:
        table: numbers or texts, by the names of ``config`` and indexed by row.
        config: names the target, the group and the columns that are no features.
        rows_dropped: to be told of.

    Raises:
        StudyError: names the row, the column and what to do.
    """
    _check_names(table, config)
    for name in table.columns.difference(config.drop, sort=False):
        check_values(name, table[name])
    raw_targets = table[config.targets]
    if config.has_many_labels:
        labels, class_names = encode_yes_or_no(raw_targets), config.targets
    else:
        (name,) = config.targets
        labels, class_names = encode_classes(name, table[name], name in config.categories)
    group = _group(table, config, raw_targets)
    features, left_out = _features(table, config)
    check_suspects(features, raw_targets, config)
    inputs, columns, feature_names = _one_hot(features)
    return Encoded(
        dataset=Dataset(
            inputs=inputs,
            labels=labels,
            group=group,
            official_test=np.zeros(len(table), dtype=bool),
            columns=columns,
        ),
        class_names=class_names,
        feature_names=feature_names,
        missing={str(name): int(n) for name, n in features.isna().sum().items() if n},
        left_out=left_out,
        rows_dropped=rows_dropped,
    )


def _check_names(table: pd.DataFrame, config: OwnDataConfig) -> None:
    if not config.targets:
        raise StudyError(f"own.target must name the column of the classes{did_you_mean('', table)}")
    twice = table.columns[table.columns.duplicated()].unique()
    if len(twice):
        raise StudyError(
            f"two columns are called {dotted(twice[0])}, without spaces around: rename one"
        )
    asked = {"target": config.targets, "group": [config.group] if config.group else []}
    asked |= {key: getattr(config, key) for key in ("drop", "categories", "keep")}
    for key, names in asked.items():
        for name in names:
            if name not in table.columns:
                raise StudyError(
                    f"own.{key}: there is no column {dotted(name)}{did_you_mean(name, table)}"
                    f"{_without_names(table)}"
                )


def _without_names(table: pd.DataFrame) -> str:
    """Say so where the first row looks like one of values."""
    if pd.to_numeric(table.columns.to_series(), errors="coerce").notna().sum() < 2:
        return ""
    return "; row 1 holds numbers: it must hold the names of the columns"


def _group(table: pd.DataFrame, config: OwnDataConfig, targets: pd.DataFrame) -> np.ndarray:
    if config.group is None:
        return np.arange(len(table), dtype=np.int64)
    column = table[config.group]
    refuse_missing("group", config.group, column)
    if any(one_to_one(column, targets[name]) for name in targets):
        raise StudyError(
            f"own.group: column {dotted(config.group)} is the target again, so no class could be "
            "on both sides of a split: name another one, or null"
        )
    return pd.factorize(as_texts(column))[0].astype(np.int64)


def _features(table: pd.DataFrame, config: OwnDataConfig) -> tuple[pd.DataFrame, dict[str, str]]:
    """Give each feature its type, and leave out columns that say nothing."""
    left_out = dict.fromkeys(config.drop, "own.drop")
    features: dict[str, pd.Series] = {}
    for name in table.columns.difference([*config.targets, config.group, *config.drop], sort=False):
        column = table[name]
        if column.isna().all():
            left_out[name] = "it has no value"
            continue
        is_category = name in config.categories
        values = as_texts(column) if is_category else typed(name, column, config.decimal)
        if values.nunique(dropna=False) == 1:
            left_out[name] = "all its values are equal"
            continue
        if values.dtype != object:
            check_number(name, values)
        features[name] = values
    if not features:
        raise StudyError(
            "has no feature: each column is the target, the group, dropped, empty or constant"
        )
    return pd.DataFrame(features), left_out


def _one_hot(features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Lay out numbers, the one-hot columns of each category, and where numbers are missing."""
    numbers = features.select_dtypes("number")
    texts = features.select_dtypes(exclude="number").fillna(NO_CATEGORY)
    misses = numbers.loc[:, numbers.isna().any()].isna()
    encoder = OneHotEncoder(sparse_output=False, dtype=np.float32)
    one_hot = encoder.fit_transform(texts) if len(texts.columns) else np.empty((len(texts), 0))
    categories = encoder.categories_ if len(texts.columns) else []
    sizes = [1] * len(misses.columns)
    blocks = [0] * len(numbers.columns)
    for block, size in enumerate([*map(len, categories), *sizes], start=1):
        blocks += [block] * size
    names = list(numbers.columns)
    for name, values in zip(texts.columns, categories, strict=True):
        names += [f"{name} = {value}" for value in values]
    names += [f"{name} is missing" for name in misses.columns]
    if len(names) > MAX_COLUMNS:
        raise StudyError(
            f"gives {len(names):,} features with its categories, more than the {MAX_COLUMNS:,} "
            "allowed: add columns to own.drop"
        )
    inputs = np.hstack([numbers, one_hot, misses]).astype(np.float32)
    return inputs, np.array(blocks, dtype=np.int64), names
