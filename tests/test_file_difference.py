"""Files are compared by their pictures, whatever their bytes."""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animate.film.encode import encode
from animate.recipe.file_difference import difference, pictures

# imageio leaves ffmpeg's pipes to be closed when they are collected.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Return a function that saves grey pictures of these levels, and returns its path."""

    def save(name: str, *levels: int, size: tuple[int, int] = (8, 6), **options: object) -> Path:
        first, *rest = (Image.new("L", size, level) for level in levels)
        path = tmp_path / name
        first.save(path, save_all=bool(rest), append_images=rest, **options)
        return path

    return save


def test_equal_pixels_in_other_bytes_are_no_difference(save) -> None:
    one, other = save("a.png", 9, compress_level=0), save("b.PNG", 9, compress_level=9)
    assert one.read_bytes() != other.read_bytes()
    assert difference(one, other) is None
    assert difference(one, one) is None


@pytest.mark.parametrize(("one", "other", "most"), [(9, 10, 1), (10, 9, 1), (0, 255, 255)])
def test_one_level_of_one_pixel_is_a_difference(save, one, other, most) -> None:
    first, second = save("a.png", one), save("b.png", one)
    with Image.open(second) as image:
        image.load()
    image.putpixel((7, 5), other)
    image.save(second)
    assert difference(first, second) == f"1 of 1 pictures differ, by up to {most} of 255"


def test_differing_pictures_of_a_film_are_counted(save) -> None:
    film = {"duration": 40, "lossless": True}
    one = save("a.webp", 10, 20, 30, 40, **film)
    other = save("b.webp", 10, 27, 30, 38, **film)
    assert difference(one, other) == "2 of 4 pictures differ, by up to 7 of 255"


def test_sizes_are_compared(save) -> None:
    one, other = save("a.png", 9), save("b.png", 9, size=(6, 8))
    assert difference(one, other) == "8x6 pixels instead of 6x8"


@pytest.mark.parametrize(
    "changes", [{"duration": [40, 40, 50]}, {"loop": 2}, {"duration": [40, 50, 40]}]
)
def test_durations_and_loops_of_a_film_are_compared(save, changes) -> None:
    film = {"duration": [40, 40, 40], "loop": 0}
    one, other = save("a.gif", 10, 20, 30, **film), save("b.gif", 10, 20, 30, **film | changes)
    assert difference(one, save("c.gif", 10, 20, 30, **film)) is None
    assert difference(one, other).startswith("its pictures are shown for other durations")


def video(path: Path, levels: Sequence[int]) -> Path:
    encode([np.full((48, 64, 4), (*[level] * 3, 255), np.uint8) for level in levels], path, 25)
    return path


def test_videos_are_compared_by_their_frames(tmp_path) -> None:
    one = video(tmp_path / "a.mp4", [50, 100, 150])
    assert [picture.shape for picture in pictures(one)] == [(48, 64, 3)] * 3
    assert difference(one, video(tmp_path / "b.mp4", [50, 100, 150])) is None
    assert difference(one, video(tmp_path / "c.mp4", [50, 100])) == "3 pictures instead of 2"
    message = difference(one, video(tmp_path / "d.mp4", [50, 100, 250]))
    assert message.startswith("1 of 3 pictures differ, by up to ")
    assert 90 <= int(message.split()[-3]) <= 110


def test_a_file_without_pictures_cannot_be_decoded(save, tmp_path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "a.mp4").write_bytes(b"no film")
    assert difference(tmp_path / "a.png", save("b.png", 9)).startswith("it cannot be decoded: ")
    film = video(tmp_path / "b.mp4", [50])
    assert difference(film, tmp_path / "a.mp4").startswith("it cannot be decoded: ")


def test_folders_are_compared_picture_by_picture(save, tmp_path) -> None:
    for folder in ("one", "other", "more"):
        (tmp_path / folder).mkdir()
    for number in range(3):
        save(f"one/{number}.png", 9)
        save(f"other/{number}.png", 9 + number // 2)
        save(f"more/{number}.png", 9)
    assert difference(tmp_path / "one", tmp_path / "more") is None
    message = difference(tmp_path / "one", tmp_path / "other")
    assert message == "1 of 1 pictures differ, by up to 1 of 255"
    save("more/3.png", 9)
    assert difference(tmp_path / "one", tmp_path / "more") == "3 pictures instead of 4"
    alone = tmp_path / "one/0.png"
    assert difference(tmp_path / "one", alone) == "one is a folder, and the other a file"
    assert difference(alone, tmp_path / "one") == "one is a folder, and the other a file"


def pdf(content: bytes) -> bytes:
    """Return a PDF reduced to its streams: one compressed, one not."""
    streams = [zlib.compress(content), b"not compressed " + content]
    return b"%PDF-1.4\n" + b"".join(b"stream\n%b\nendstream\n" % stream for stream in streams)


@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (b"M 1.0001 -20.5 L 3", b"M 1.00014 -20.49998 L 3", True),
        (b"M 1.0001 -20.5 L 3", b"M 1.002 -20.5 L 3", False),
        (b"M 1.0001 -20.5 L 3", b"M 1.0001 20.5 L 3", False),
        (b"M 1.0001 -20.5 L 3", b"M 1.0001 -20.5 L 4", False),
        (b"M 1.0001 -20.5 L 3", b"M 1.0001 -20.5 L 30", False),
    ],
)
def test_documents_are_compared_with_numbers_rounded(tmp_path, suffix, one, other, is_same) -> None:
    paths = []
    for name, content in (("one", one), ("other", other)):
        paths.append(tmp_path / f"{name}{suffix}")
        paths[-1].write_bytes(pdf(content) if suffix == ".pdf" else content)
    assert difference(*paths) == (None if is_same else "its content differs")
