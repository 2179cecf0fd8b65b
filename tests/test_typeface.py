"""The typeface: what its files hold, and that texts are drawn with them."""

import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.text import Text

import animate
from animate.drawing.tabular_text import TabularText
from animate.drawing.text import text_width
from animate.drawing.theme import load_theme
from animate.drawing.typeface import ANIMATE_SANS, FONTS, fonts_of
from animate.drawing.views import VIEWS

ROOT = Path(animate.__file__).parents[1]
FILES = sorted(FONTS.glob("*.ttf"))
KERNED = ("To", "AV", "y,", "r.")
WRITTEN = "λ→…β↑−·∞κ²⁹⁸⁷⁶⁵⁴⁰¹³×±≤≥½₀₁₂αγημσéüñçßøž"  # in our texts, and in names of columns


@pytest.fixture(autouse=True)
def _in_a_theme():
    with load_theme("light").applied():
        yield


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def font(request) -> TTFont:
    return TTFont(request.param)


def test_all_digits_of_a_font_are_equally_wide(font) -> None:
    names = font.getBestCmap()
    assert len({font["hmtx"][names[ord(digit)]][0] for digit in "0123456789"}) == 1


def test_a_font_has_the_characters_that_texts_use(font) -> None:
    names = font.getBestCmap()
    assert [
        one for one in WRITTEN + "".join(map(chr, range(32, 127))) if ord(one) not in names
    ] == []


def test_a_font_has_kerning_where_matplotlib_reads_it(font) -> None:
    names, pairs = font.getBestCmap(), font["kern"].kernTables[0].kernTable
    assert all(pairs[names[ord(one)], names[ord(two)]] < -10 for one, two in KERNED)


def test_a_font_keeps_its_notices_and_does_not_have_the_reserved_name(font) -> None:
    names = {record.nameID: record.toUnicode() for record in font["name"].names}
    assert "IBM" in names[0]
    assert "Open Font License" in names[13]
    assert not any("Plex" in names[number] for number in (1, 3, 4, 6))
    assert 'Reserved Font Name "Plex"' in (FONTS / "OFL.txt").read_text()


@pytest.mark.slow
def test_a_wheel_has_the_fonts_and_their_licence(tmp_path) -> None:
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(build, check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    held = zipfile.ZipFile(wheel).namelist()
    assert {f"animate/drawing/fonts/{path.name}" for path in (*FILES, FONTS / "OFL.txt")} <= {*held}
    assert any(name.endswith("OFL.txt") and ".dist-info" in name for name in held)


@pytest.mark.parametrize("view", VIEWS)
def test_every_text_of_a_picture_is_drawn_with_the_typeface(view) -> None:
    if view in ("boundary", "metric", "scatter", "range", "random_plane", "plane", "sharpness"):
        pytest.skip("not of a line")
    runs = animate.train(animate.Line.sample(), [0.1, 0.7], 20)
    film = animate.Animation(runs, [view])
    for _ in film.frames():
        pass
    texts = [text for text in film.scene.figure.findobj(Text) if text.get_text()]
    assert texts
    for text in texts:
        own, fallback = (font.fname for font in fonts_of(text.get_fontproperties()))
        assert (Path(own).parent, Path(fallback).stem[:10]) == (FONTS, "DejaVuSans")


def test_ticks_that_are_made_later_have_the_typeface() -> None:
    axes = Figure().add_subplot()
    ANIMATE_SANS.apply(axes)
    axes.set_xticks(range(30))
    axes.set_yscale("log")
    FigureCanvasAgg(axes.get_figure()).draw()
    texts = [text for text in axes.findobj(Text) if text.get_text()]
    assert len(texts) > 30
    assert {drawn_with(text) for text in texts} == {ANIMATE_SANS.regular}


def test_a_text_with_a_font_of_its_own_keeps_it() -> None:
    axes = Figure().add_subplot()
    text = axes.text(0, 0, "loss", family="DejaVu Sans Mono")
    ANIMATE_SANS.apply(axes)
    assert text.get_fontproperties().get_family() == ["DejaVu Sans Mono"]


def drawn_with(text: Text) -> str:
    return fonts_of(text.get_fontproperties())[0].fname


def test_a_text_keeps_its_weight_and_size() -> None:
    axes = Figure().add_subplot()
    text = axes.text(0, 0, "loss", weight="bold", size=17)
    ANIMATE_SANS.apply(axes)
    assert (text.get_fontweight(), text.get_fontsize()) == ("bold", 17)
    assert drawn_with(text) == ANIMATE_SANS.bold


def test_matplotlibs_list_of_fonts_and_its_settings_stay() -> None:
    fonts, settings = list(fontManager.ttflist), dict(mpl.rcParams)
    animate.Animation(animate.train(animate.Line.sample(), 0.1, 5)).scene.draw(3)
    assert (list(fontManager.ttflist), dict(mpl.rcParams)) == (fonts, settings)


@pytest.mark.parametrize("size", [9, 10, 11.3])
def test_a_width_is_the_sum_of_the_fonts_advances_and_kerning(size) -> None:
    font = TTFont(ANIMATE_SANS.regular)
    names, pairs = font.getBestCmap(), font["kern"].kernTables[0].kernTable
    text = "To 1 of 100, AV"
    glyphs = [names[ord(one)] for one in text]
    width = sum(font["hmtx"][glyph][0] for glyph in glyphs)
    width += sum(pairs.get(pair, 0) for pair in pairwise(glyphs))
    assert text_width(text, size) == pytest.approx(width * size / 1000, rel=0.02)


@pytest.mark.parametrize("size", [9, 9.7, 11])
def test_small_digits_are_evenly_spaced(size) -> None:
    """The centers of the ink of ten equal digits differ by their width, to a quarter of a pixel."""
    figure = Figure((2, 0.5), dpi=72)
    text = TabularText(0.1, 0.3, "1111111111", transform=figure.transFigure, fontsize=size)
    figure.add_artist(text)
    ANIMATE_SANS.apply(text)
    renderer = RendererAgg(144, 36, 72)
    text.draw(renderer)
    ink = np.asarray(renderer.buffer_rgba())[..., 3].sum(axis=0) / 255
    font = TTFont(ANIMATE_SANS.regular)
    advance = font["hmtx"][font.getBestCmap()[ord("1")]][0] * size / 1000
    left = 14.4
    centers = []
    for number in range(10):
        start, end = round(left + number * advance), round(left + (number + 1) * advance)
        weights = ink[start:end]
        centers.append((weights * np.arange(start, end)).sum() / weights.sum())
    assert np.diff(centers) == pytest.approx(advance, abs=0.45)
    assert np.std(np.diff(centers)) < 0.25
