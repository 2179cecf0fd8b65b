"""Stills are read back: by Pillow, by an XML parser, and as the objects of a PDF."""

import re
import zlib
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pictures
import pytest
from PIL import Image

from animate import Animation, InputError, train
from animate.drawing.clock import resolve_moments
from animate.drawing.stills import FORMATS, grid
from animate.recipe import STILLS

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def anim(runs) -> Animation:
    return Animation(runs, views=["fit", "loss"], size=(960, 540), timeline=[0, 8, 40, 100])


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("RGBA"))


def test_a_png_is_the_frame_of_its_epoch_to_the_pixel(anim, tmp_path) -> None:
    for epoch, frame in zip(anim.timeline, anim.frames(), strict=True):
        path = tmp_path / f"{epoch}.png"
        anim.save(path, at=epoch)
        np.testing.assert_array_equal(pixels(path), frame)


def test_the_last_epoch_is_shown_unless_another_is_asked_for(anim, tmp_path) -> None:
    anim.save(tmp_path / "default.png")
    anim.save(tmp_path / "end.png", at="end")
    assert (tmp_path / "default.png").read_bytes() == (tmp_path / "end.png").read_bytes()
    np.testing.assert_array_equal(pixels(tmp_path / "end.png"), list(anim.frames())[-1])


def test_names_stand_for_epochs(runs) -> None:
    assert [resolve_moments([name], runs)[0] for name in ("start", "end", "converged")] == [
        0,
        100,
        70,
    ]
    with pytest.raises(InputError, match="no run converges within 100 epochs"):
        resolve_moments(["converged"], runs[2:])


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("at", [8, pytest.param([0, 8, 40, 100], marks=pytest.mark.slow)])
def test_the_same_scene_gives_the_same_bytes(runs, tmp_path, suffix, at) -> None:
    found = set()
    for name in ("one", "other"):
        path = tmp_path / f"{name}{suffix}"
        Animation(runs, size=(1920, 1080)).save(path, at=at)
        found.add(path.read_bytes())
    assert len(found) == 1


def test_an_svg_has_outlines_for_text_and_neither_date_nor_maker(anim, tmp_path) -> None:
    path = tmp_path / "end.svg"
    anim.save(path)
    tree = ElementTree.parse(path)
    assert tree.getroot().get("viewBox") == "0 0 960 540"
    assert not list(tree.iter(f"{SVG}text"))
    assert len(list(tree.iter(f"{SVG}use"))) > 100  # the outlines of letters
    text = path.read_text()
    assert "dc:date" not in text
    assert mpl.__version__ not in text


def test_a_pdf_has_a_page_an_epoch_and_truetype_fonts_and_no_date(anim, tmp_path) -> None:
    path = tmp_path / "steps.pdf"
    anim.save(path, at=[0, 8, 40])
    data = path.read_bytes()
    assert len(re.findall(rb"/Type /Page\b", data)) == 3
    assert data.count(b"/CIDFontType2") >= 1  # TrueType, embedded as Type 42
    assert b"/Type3" not in data
    assert b"CreationDate" not in data
    box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", data)
    assert [float(side) for side in box.groups()] == [960, 540]
    streams = re.findall(rb"stream\r?\n(x.*?)endstream", data, re.DOTALL)
    assert len({zlib.decompress(stream) for stream in streams}) >= 3


def test_several_epochs_in_a_png_are_small_multiples_on_one_sheet(runs, tmp_path) -> None:
    path = tmp_path / "strip.png"
    Animation(runs, ["fit"], size=(1600, 900), title="").save(path, at=[0, 8, 40, 100])
    sheet = pixels(path)
    assert sheet.shape == (900, 1600, 4)
    small = Animation(runs, ["fit"], size=(800, 450), title="", timeline=[0, 8, 40, 100])
    for number, frame in enumerate(small.frames()):
        row, column = divmod(number, 2)
        cell = sheet[450 * row : 450 * (row + 1), 800 * column : 800 * (column + 1)]
        # Where they are placed on the sheet, some edges round otherwise.
        assert np.abs(cell.astype(int) - frame).mean() < 1


@pytest.mark.parametrize("title", [None, "Three rates, once"])
def test_a_sheet_has_its_title_once_and_an_epoch_a_picture(runs, tmp_path, title) -> None:
    path = tmp_path / "sheet.svg"
    Animation(runs, ["fit"], (1600, 900), title=title).save(path, at=[0, 8, 40, 100])
    told = re.findall(r"<!-- (.*?) -->", path.read_text())  # what the outlines of letters say
    assert told.count(title or "What does the learning rate do?") == 1
    epochs = [text.split() for text in told if text.startswith("epoch")]
    assert [int(words[1]) for words in epochs] == [0, 8, 40, 100]
    assert told.count("learning rate 0.7") == 4


def test_a_sheet_too_small_to_read_is_refused_with_the_size_that_would_do(runs, tmp_path) -> None:
    with pytest.raises(InputError, match="a sheet of 4 pictures; give at least") as told:
        Animation(runs, size=(800, 450)).save(tmp_path / "a.png", at=[0, 8, 40, 100])
    enough = tuple(map(int, re.search(r"least (\d+)x(\d+)", str(told.value)).groups()))
    Animation(runs, size=enough).save(tmp_path / "a.png", at=[0, 8, 40, 100])
    assert pixels(tmp_path / "a.png").shape[:2] == enough[::-1]


def test_a_sheets_grid_keeps_its_pictures_wide() -> None:
    assert [grid(count) for count in (1, 2, 3, 4, 6, 9)] == [
        (1, 1), (1, 2), (2, 2), (2, 2), (2, 3), (3, 3),
    ]  # fmt: skip
    assert grid(4, (4000, 500)) == (4, 1)


@pytest.mark.parametrize("at", [101, -1, "middle", [], [0, "nowhere"], True])
def test_an_epoch_that_cannot_be_shown_is_named(anim, tmp_path, at) -> None:
    with pytest.raises(InputError, match="epoch"):
        anim.save(tmp_path / "a.png", at=at)
    assert not list(tmp_path.iterdir())


def test_a_sheet_has_no_hole_where_its_grid_has_no_picture(runs, tmp_path) -> None:
    path = tmp_path / "a.png"
    Animation(runs, ["fit"], (1600, 900), theme="dark").save(path, at=[0, 1, 2])
    sheet = pixels(path)
    np.testing.assert_array_equal(sheet[-1, -1], sheet[0, 0])
    assert sheet[-1, -1, :3].max() < 64


def test_a_transparent_still_shows_what_is_behind_it(runs, tmp_path) -> None:
    for suffix in (".png", ".svg"):
        Animation(runs, theme="transparent").save(tmp_path / f"a{suffix}")
    assert pixels(tmp_path / "a.png")[..., 3].min() == 0
    assert re.search(r"opacity: 0[;\"]", (tmp_path / "a.svg").read_text())


@pytest.mark.slow
def test_overflow_and_every_view_can_be_a_vector_still(problem, tmp_path) -> None:
    runs = train(problem, [0.7, 5, 1e30], epochs=60)
    film = Animation(runs, pictures.VIEWS_OF_A_LINE, (1920, 4320))
    for name, at in (("a.svg", "end"), ("a.pdf", [0, 30, 60])):
        film.save(tmp_path / name, at=at)
        assert (tmp_path / name).stat().st_size > 5000 * len(pictures.VIEWS_OF_A_LINE)


def test_nothing_needs_opacity_which_some_programs_drop_from_a_pdf(runs, tmp_path) -> None:
    path = tmp_path / "a.svg"
    for theme in ("light", "dark"):
        Animation(runs, ["fit", "loss", "surface", "bowl"], (1280, 1280), theme=theme).save(
            path, at=3
        )
        opacities = re.findall(r"opacity: ([\d.]+)", path.read_text())
        assert {float(opacity) for opacity in opacities} <= {0.0, 1.0}


def test_the_recipe_knows_the_stills_that_there_are() -> None:
    assert tuple(FORMATS) == STILLS
