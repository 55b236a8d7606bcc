"""Folders of images that Pillow writes here, and IDX files."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from study.data import images
from study.data.own import read_own
from study.data.own_config import OwnDataConfig
from study.errors import StudyError


def save(folder: Path, n: int = 3, mode: str = "L", size: tuple[int, int] = (5, 4)) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(n)
    for index in range(n):
        channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
        pixels = rng.integers(0, 256, (size[1], size[0], *channels), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")


def read(folder: Path, **keys: Any) -> Any:
    return read_own(OwnDataConfig(path=str(folder), smallest_class=3, **keys))


def pixels_of(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_grey_images(tmp_path: Path) -> None:
    save(tmp_path / "9")
    save(tmp_path / "010", n=4)
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "9" / "Thumbs.db").write_bytes(b"x")
    dataset, description = read(tmp_path)
    assert dataset.inputs.shape == (7, 1, 4, 5)
    assert description.counts == {"010": 4, "9": 3}
    assert description.format == "images"
    np.testing.assert_array_equal(dataset.inputs[4, 0], pixels_of(tmp_path / "9" / "0.png"))
    assert dataset.inputs.dtype == np.uint8
    assert not dataset.official_test.any()


def test_one_image_in_colour_makes_all_so(tmp_path: Path) -> None:
    save(tmp_path / "a")
    save(tmp_path / "b", mode="RGB")
    dataset, _ = read(tmp_path)
    assert dataset.inputs.shape == (6, 3, 4, 5)
    expected = pixels_of(tmp_path / "b" / "2.png").transpose(2, 0, 1)
    np.testing.assert_array_equal(dataset.inputs[5], expected)
    assert read(tmp_path, colour="grey")[0].inputs.shape == (6, 1, 4, 5)
    assert dataset.inputs.flags.c_contiguous


def test_train_and_test_folders_are_the_official_split(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for name in ("a", "b"):
            save(tmp_path / part / name)
    dataset, description = read(tmp_path)
    assert description.n_test == 6
    assert dataset.official_test.tolist() == [True] * 6 + [False] * 6
    assert description.class_names == ["a", "b"]
    save(tmp_path / "train" / "c")
    with pytest.raises(StudyError, match="class c is in the training files only"):
        read(tmp_path)


def test_images_of_several_sizes(tmp_path: Path) -> None:
    save(tmp_path / "a")
    save(tmp_path / "b", size=(6, 4))
    with pytest.raises(
        StudyError, match=r"b/0\.png is 6 x 4 pixels and a/0\.png is 5 x 4: set own\.image_size"
    ):
        read(tmp_path)
    assert read(tmp_path, image_size=8)[0].inputs.shape == (6, 1, 8, 8)


def test_more_pixels_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "a")
    save(tmp_path / "b")
    monkeypatch.setattr(images, "MAX_VALUES", 100)
    with pytest.raises(StudyError, match=r"6 images of 5 x 4 pixels are more than the 100 values"):
        read(tmp_path)


def test_an_image_that_unpacks_into_gigabytes(tmp_path: Path) -> None:
    """A PNG that announces 10^10 pixels is refused by its header."""
    save(tmp_path / "a")
    content = bytearray((tmp_path / "a" / "0.png").read_bytes())
    content[16:24] = struct.pack(">2I", 10**5, 10**5)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "a" / "0.png").write_bytes(content)
    with pytest.raises(StudyError, match=r"a/0\.png cannot be read: .*decompression bomb"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("place", "content", "said"),
    [
        ("a/note.txt", b"hello", r"a/note\.txt is no image"),
        ("a/x.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", r"a/x\.eps is no image"),
        ("readme.md", b"hello", r"readme\.md lies beside the folders of the classes"),
        ("c/.hidden", b"", "the folder c is empty"),
    ],
)
def test_files_that_are_no_images(tmp_path: Path, place: str, content: bytes, said: str) -> None:
    save(tmp_path / "a")
    save(tmp_path / "b")
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_bytes(content)
    with pytest.raises(StudyError, match=said):
        read(tmp_path)


def test_a_truncated_image(tmp_path: Path) -> None:
    save(tmp_path / "a", size=(50, 50))
    file = tmp_path / "a" / "1.png"
    file.write_bytes(file.read_bytes()[:-500])
    with pytest.raises(StudyError, match=r"a/1\.png cannot be read: "):
        read(tmp_path)


def test_an_image_of_colours_that_do_not_become_grey(tmp_path: Path) -> None:
    save(tmp_path / "a")
    save(tmp_path / "b")
    Image.new("LAB", (5, 4)).save(tmp_path / "a" / "9.tif")
    with pytest.raises(StudyError, match=r"a/9\.tif has colours of the kind LAB: convert it"):
        read(tmp_path, colour="grey")


def test_a_folder_in_the_folder_of_a_class(tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        save(tmp_path / part / "a")
        save(tmp_path / part / "b")
    with pytest.raises(StudyError, match=r"test/a is a folder in the folder of a class.*train and"):
        read(tmp_path)


def test_an_image_of_16_bits(tmp_path: Path) -> None:
    save(tmp_path / "a")
    Image.fromarray(np.zeros((4, 5), dtype=np.uint16)).save(tmp_path / "a" / "9.png")
    with pytest.raises(StudyError, match=r"a/9\.png has more than 8 bits"):
        read(tmp_path)


def test_folders_without_images(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="holds no folders of images"):
        read(tmp_path)
    save(tmp_path / "a")
    with pytest.raises(StudyError, match="the target is 'a' in all of the 3 rows"):
        read(tmp_path)


def idx(path: Path, values: np.ndarray) -> None:
    header = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    content = header + values.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("test", ["t10k", "test"])
def test_idx_files(tmp_path: Path, suffix: str, test: str) -> None:
    pixels, labels = np.arange(12 * 6).reshape(12, 2, 3), np.arange(12) % 2
    idx(tmp_path / f"train-images-idx3-ubyte{suffix}", pixels[:8])
    idx(tmp_path / f"train-labels-idx1-ubyte{suffix}", labels[:8])
    assert read(tmp_path)[1].n_test == 0
    idx(tmp_path / f"{test}-images-idx3-ubyte{suffix}", pixels[8:])
    idx(tmp_path / f"{test}-labels-idx1-ubyte{suffix}", labels[8:])
    dataset, description = read(tmp_path)
    np.testing.assert_array_equal(dataset.inputs[:, 0], pixels)
    np.testing.assert_array_equal(dataset.labels, labels)
    assert dataset.official_test.tolist() == [False] * 8 + [True] * 4
    assert description.format == "idx"


def test_idx_files_that_do_not_fit(tmp_path: Path) -> None:
    idx(tmp_path / "train-images", np.zeros((8, 2, 2)))
    with pytest.raises(StudyError, match="holds no pair of IDX files"):
        read(tmp_path, format="idx")
    idx(tmp_path / "train-labels", np.zeros(7))
    with pytest.raises(StudyError, match="train-images holds 8 images and train-labels 7 labels"):
        read(tmp_path)
    idx(tmp_path / "train-labels", np.arange(8) % 2)
    idx(tmp_path / "test-images", np.zeros((8, 2, 3)))
    idx(tmp_path / "test-labels", np.arange(8) % 2)
    with pytest.raises(StudyError, match=r"training images are of \(2, 2\) pixels and test"):
        read(tmp_path)
    idx(tmp_path / "train-labels.gz", np.zeros(8))
    with pytest.raises(StudyError, match=r"holds both train-labels and train-labels\.gz"):
        read(tmp_path)
