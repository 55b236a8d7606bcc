"""Read images: a folder with a folder a class, or the IDX files that MNIST made popular."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from study.data.dataset import Dataset
from study.data.encoded import Encoded
from study.data.idx import MAX_VALUES, read_idx
from study.data.labels import number_classes
from study.data.own_config import OwnDataConfig
from study.errors import StudyError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Those that Pillow reads by itself; for others it may start programs."""
GREY = ("1", "L", "LA")
DEEP = ("I", "F")
IGNORED = ("Thumbs.db", "desktop.ini")
# What the names of IDX files begin with.
TRAIN, TEST = {"train"}, {"test", "t10k"}


def read_folder(folder: Path, config: OwnDataConfig) -> Encoded:
    """Read a folder that has a folder of images for each class.

    Where it has two folders, train and test, these have the folders of the classes, and the second
    is the official test set.

    Returns:
        (N, C, H, W) uint8 pixels, C = 1 if all images are grey and else 3.

    Raises:
        StudyError: names what holds no images, images of another size, or too many of them.
    """
    parts = _listed(folder)
    is_split = {part.name for part in parts} == {"train", "test"}
    pairs = [
        (file, place.name, place.parent.name == "test" and is_split)
        for place in ([c for part in parts for c in _listed(part)] if is_split else parts)
        for file in _images(place)
    ]
    if not pairs:
        raise StudyError("holds no folders of images, of which it must have one a class")
    files, classes, is_test = zip(*pairs, strict=True)
    pixels = _pixels(files, config)
    labels, names = number_classes(np.array(classes))
    return _encoded(pixels, labels, names, np.array(is_test))


def read_idx_folder(folder: Path) -> Encoded:
    """Read ``train-images*`` and ``train-labels*``, and ``t10k-*`` or ``test-*`` beside them.

    Returns:
        (N, 1, H, W) uint8 pixels; those of the second pair are the official test set.

    Raises:
        StudyError: a file is missing, or is not the one that it should be.
    """
    train = _read_pair(folder, TRAIN)
    if train is None:
        raise StudyError("holds no pair of IDX files, train-images* and train-labels*")
    test = _read_pair(folder, TEST) or (train[0][:0], train[1][:0])
    if train[0].shape[1:] != test[0].shape[1:]:
        raise StudyError(
            f"training images are of {train[0].shape[1:]} pixels and test images of "
            f"{test[0].shape[1:]}: they must have one size"
        )
    labels, names = number_classes(np.concatenate([train[1], test[1]]))
    is_test = np.arange(len(labels)) >= len(train[1])
    return _encoded(np.concatenate([train[0], test[0]])[:, None], labels, names, is_test)


def is_idx_folder(folder: Path) -> bool:
    """Tell whether a folder holds files with the names of IDX files."""
    return _pair(folder, TRAIN) is not None


def _read_pair(folder: Path, part: set[str]) -> tuple[np.ndarray, np.ndarray] | None:
    pair = _pair(folder, part)
    if pair is None:
        return None
    images, digits = read_idx(pair[0], ndim=3), read_idx(pair[1], ndim=1)
    if len(images) != len(digits):
        raise StudyError(
            f"{pair[0].name} holds {len(images):,} images and {pair[1].name} {len(digits):,} labels"
        )
    return images, digits


def _pair(folder: Path, part: set[str]) -> tuple[Path, Path] | None:
    """Find the files of images and of labels by their names."""
    names = [path.name for path in sorted(folder.iterdir()) if path.is_file()]
    chosen = []
    for content in ("images", "labels"):
        fits = [name for name in names if name.split("-")[0] in part and content in name]
        if len(fits) > 1:
            raise StudyError(f"holds both {fits[0]} and {fits[1]}: leave one of them there")
        chosen += fits
    return (folder / chosen[0], folder / chosen[1]) if len(chosen) == 2 else None


def _listed(folder: Path) -> list[Path]:
    paths = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")]
    paths = [path for path in paths if path.name not in IGNORED]
    if files := [path for path in paths if not path.is_dir()]:
        raise StudyError(
            f"{files[0].name} lies beside the folders of the classes: images belong into the "
            "folder of their class, other files elsewhere"
        )
    return paths


def _images(folder: Path) -> list[Path]:
    files = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")]
    files = [file for file in files if file.name not in IGNORED]
    if not files:
        raise StudyError(f"the folder {folder.name} is empty: put its images there, or remove it")
    if inner := [file for file in files if file.is_dir()]:
        raise StudyError(
            f"{folder.name}/{inner[0].name} is a folder in the folder of a class: put the images "
            "into that of their class (two folders, train and test, may hold those of the classes)"
        )
    return files


def _pixels(files: tuple[Path, ...], config: OwnDataConfig) -> np.ndarray:
    images = list(_checked(files, config))
    is_grey = config.colour == "grey" or (
        config.colour == "auto" and all(image.mode in GREY for image in images)
    )
    mode = "L" if is_grey else "RGB"
    arrays = np.stack(
        [_converted(file, image, mode) for file, image in zip(files, images, strict=True)]
    )
    return arrays[:, None] if is_grey else arrays.transpose(0, 3, 1, 2)


def _converted(file: Path, image: Image.Image, mode: str) -> np.ndarray:
    try:
        return np.asarray(image.convert(mode))
    except ValueError as error:
        raise StudyError(
            f"{file.parent.name}/{file.name} has colours of the kind {image.mode}: convert it to "
            "RGB or grey"
        ) from error


def _checked(files: tuple[Path, ...], config: OwnDataConfig) -> Iterator[Image.Image]:
    """Read images one after the other, all of one size, and few enough for the memory."""
    first = None
    for file in files:
        image = _read_image(file)
        if config.image_size:
            image = image.resize((config.image_size, config.image_size))
        first = first or image.size
        if image.size != first:
            raise StudyError(
                f"{file.parent.name}/{file.name} is {image.width} x {image.height} pixels and "
                f"{files[0].parent.name}/{files[0].name} is {first[0]} x {first[1]}: set "
                "own.image_size to the pixels a side that all are to be resized to, such as 32"
            )
        if len(files) * first[0] * first[1] > MAX_VALUES:
            raise StudyError(
                f"{len(files):,} images of {first[0]} x {first[1]} pixels are more than the "
                f"{MAX_VALUES:,} values allowed: set own.image_size to a smaller size"
            )
        yield image


def _read_image(file: Path) -> Image.Image:
    name = f"{file.parent.name}/{file.name}"
    try:
        with warnings.catch_warnings(action="error"), Image.open(file, formats=FORMATS) as image:
            if image.mode.split(";")[0] in DEEP:
                raise StudyError(f"{name} has more than 8 bits a pixel and channel: convert it")
            return ImageOps.exif_transpose(image).copy()
    except UnidentifiedImageError as error:
        raise StudyError(f"{name} is no image ({', '.join(FORMATS)}): remove it") from error
    except (Image.DecompressionBombError, Warning, OSError, ValueError, SyntaxError) as error:
        raise StudyError(f"{name} cannot be read: {' '.join(str(error).split())}") from error


def _encoded(
    pixels: np.ndarray, labels: np.ndarray, names: list[str], is_test: np.ndarray
) -> Encoded:
    dataset = Dataset(
        inputs=np.ascontiguousarray(pixels),
        labels=labels,
        group=np.arange(len(labels)),
        official_test=is_test,
    )
    return Encoded(dataset, names)
