"""From the values of a target to class indices, and whether there are enough of each class."""

import numpy as np
import pandas as pd
from sklearn.preprocessing import LabelEncoder

from study.data.columns import as_numbers, as_texts, at_rows, refuse_missing
from study.data.dataset import Dataset
from study.errors import StudyError
from study.params import dotted, shown

MOST_NUMBERS = 10
"""A target of more different numbers is a quantity, unless each is there many times."""
ROWS_A_NUMBER = 20
YES_OR_NO = {"0": 0, "1": 1, "false": 0, "true": 1, "no": 0, "yes": 1}
PARTS = 3
"""Of a class there must be something to train, to choose and to test with."""


def number_classes(values: np.ndarray | pd.Series) -> tuple[np.ndarray, list[str]]:
    """Number the classes from 0, in the order of numbers or of the alphabet.

    Args:
        values: (N,) the class of each sample, as numbers or as texts.

    Returns:
        (N,) int64 class indices, and the name of each class.

    Raises:
        StudyError: all are of one class.
    """
    encoder = LabelEncoder().fit(values)
    names = as_texts(pd.Series(encoder.classes_)).tolist()
    if len(names) == 1:
        raise StudyError(
            f"the target is {shown(names[0])} in all of the {len(values):,} rows: "
            "there is nothing to tell apart"
        )
    return encoder.transform(values).astype(np.int64), names


def encode_classes(name: str, column: pd.Series, are_codes: bool) -> tuple[np.ndarray, list[str]]:
    """Number the classes of a column as `number_classes` does, unless they are a quantity.

    Args:
        name: of the column.
        column: (N,) numbers or texts.
        are_codes: whether numbers are known to be names of classes, however many there are.

    Raises:
        StudyError: a value is missing, there is one class only, or the target is a quantity.
    """
    refuse_missing("target", name, column)
    numbers, is_text = as_numbers(column)
    if is_text.any():
        return number_classes(column.map(str))
    if not are_codes and _is_quantity(n_values := numbers.nunique(), len(numbers)):
        raise StudyError(
            f"column {dotted(name)}, the target, has {n_values:,} different numbers in "
            f"{len(numbers):,} rows. If they are a quantity, cut it into classes (low, middle, "
            "high), because this study compares classifiers only; if they are codes of classes, "
            "add the column to own.categories"
        )
    return number_classes(numbers)


def encode_yes_or_no(targets: pd.DataFrame) -> np.ndarray:
    """Read the columns of a target of many labels.

    Returns:
        (N, L) int64 of 0 and 1.

    Raises:
        StudyError: a value is missing, or is not one of 0 and 1, true and false, yes and no.
    """
    columns = []
    for name, column in targets.items():
        refuse_missing("target", str(name), column)
        texts = as_texts(column).str.lower()
        if (other := ~texts.isin(list(YES_OR_NO))).any():
            place = f"{at_rows(texts.index[other])}, column {dotted(name)}"
            raise StudyError(
                f"{place}: {shown(column[other].iloc[0])} is neither 0 nor 1, as each column of a "
                "list in own.target must be; name one column, without a list, for classes"
            )
        columns.append(texts.map(YES_OR_NO))
    return np.column_stack(columns).astype(np.int64)


def check_classes(dataset: Dataset, names: list[str], smallest: int) -> None:
    """Check that each class, or each answer to each label, is on every side of a split.

    Raises:
        StudyError: names the class that has too few samples, too few groups, or no official test
            samples; or the labels are classes, of which each sample has one.
    """
    if dataset.multi_label and (dataset.labels.sum(axis=1) == 1).all():
        raise StudyError(
            "each sample has just one of the labels, which makes them classes: save them as one "
            "column, or array, that says which (labels.argmax(axis=1))"
        )
    for name, members in class_members(dataset, names).items():
        if (n := int(members.sum())) < smallest:
            needed = f"own.smallest_class is {smallest}" if n >= PARTS else f"needs {PARTS}"
            raise StudyError(
                f"class {dotted(name)} has {n:,} sample{'s' * (n != 1)}, and {needed}: "
                "join it with another class, remove its rows, or add some"
            )
        if (n_groups := len(np.unique(dataset.group[members]))) < PARTS:
            raise StudyError(
                f"class {dotted(name)} lies in {n_groups} of the groups that own.group must keep "
                f"together, and needs {PARTS}: one each to train, choose and test with"
            )
        n_test = int(members[dataset.official_test].sum())
        if dataset.official_test.any() and not 0 < n_test < n:
            where = "test" if n_test else "training"
            raise StudyError(f"class {dotted(name)} is in the {where} files only")


def class_members(dataset: Dataset, names: list[str]) -> dict[str, np.ndarray]:
    """Mark the (N,) samples of each class, or of each answer to each label, by name."""
    if dataset.labels.ndim == 1:
        return {name: dataset.labels == index for index, name in enumerate(names)}
    answers = ((name, value) for name in enumerate(names) for value in (0, 1))
    return {f"{name} = {value}": dataset.labels[:, at] == value for (at, name), value in answers}


def _is_quantity(n_values: int, n_rows: int) -> bool:
    return n_values == n_rows > 1 or n_values > max(MOST_NUMBERS, n_rows / ROWS_A_NUMBER)
