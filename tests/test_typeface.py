"""The typeface: what its files hold, and that texts are drawn with them."""

import copy
import re
import shutil
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from command import QUIET
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.text import Text
from pictures import VIEWS_OF_A_LINE

import animate
from animate import Animation, Line, train
from animate.drawing.tabular_text import TabularText
from animate.drawing.text import missing_characters, text_width
from animate.drawing.theme import load_theme
from animate.drawing.typeface import ANIMATE_SANS, FONTS, fonts_of, load_typeface
from animate.system.errors import InputError

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


@pytest.mark.quick(3)
@pytest.mark.parametrize("view", VIEWS_OF_A_LINE)
def test_every_text_of_a_picture_is_drawn_with_the_typeface(view) -> None:
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


@pytest.fixture(scope="session")
def other_font() -> str:
    """A font that is not ours: digits of unequal widths, and no Greek."""
    return str(Path(mpl.get_data_path(), "fonts", "ttf", "STIXGeneral.ttf"))


@pytest.mark.slow
def test_a_font_of_ones_own_draws_all_texts(run, tmp_path, other_font) -> None:
    film = animate.Animation(animate.train(animate.Line.sample(), 0.1, 5), font=other_font)
    film.scene.draw(3)
    texts = [text for text in film.scene.figure.findobj(Text) if text.get_text()]
    assert {drawn_with(text) for text in texts} == {other_font}
    assert run(*QUIET, "-o", "a.png", "--font", other_font).code == 0
    assert run(*QUIET, "-o", "b.png").code == 0
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_texts_are_measured_with_the_font_that_draws_them(other_font) -> None:
    with load_theme("light", other_font).applied():
        other = text_width("converged at epoch 70", 10)
    font = TTFont(other_font)
    names = font.getBestCmap()
    width = sum(font["hmtx"][names[ord(one)]][0] for one in "converged at epoch 70")
    assert other == pytest.approx(width * 10 / font["head"].unitsPerEm, rel=0.03)
    assert other != pytest.approx(text_width("converged at epoch 70", 10), rel=0.01)


def test_a_recipes_font_is_relative_to_it(run, tmp_path, other_font) -> None:
    folder = tmp_path / "recipes"
    folder.mkdir()
    shutil.copy(other_font, folder / "mine.ttf")
    (folder / "a.toml").write_text('font = "mine.ttf"\n[[output]]\npath = "a.png"\n')
    assert run("recipes/a.toml", "--epochs", "3", "--size", "640x360", "--quiet").code == 0
    assert (folder / "a.png").exists()


@pytest.fixture(scope="session")
def poor_font(tmp_path_factory) -> str:
    """A font with letters but without digits."""
    font = TTFont(ANIMATE_SANS.regular)
    subsetter = subset.Subsetter()
    subsetter.populate(text="abcdefghijklmnopqrstuvwxyz")
    subsetter.subset(font)
    path = tmp_path_factory.mktemp("fonts") / "poor.ttf"
    font.save(path)
    return str(path)


def test_a_font_without_all_of_ascii_is_refused(run, tmp_path, poor_font) -> None:
    done = run(*QUIET, "-o", "a.png", "--font", poor_font)
    assert done.code == 2
    assert "poor.ttf lacks characters of ASCII, such as '!'" in done.err
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.ttf", None, "No such file"),
        ("text.otf", b"not a font", "cannot be read"),
        ("empty.ttf", b"", "cannot be read"),
        ("font.woff", b"", "give a file ending in .ttf or .otf"),
    ],
)
def test_a_file_that_is_no_font_is_refused_before_training(run, tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = run(*QUIET, "-o", "a.png", "--font", name)
    assert done.code == 2
    assert said in done.err
    assert name in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "a.png").exists()


def test_a_font_that_is_cut_off_is_refused(tmp_path) -> None:
    whole = Path(ANIMATE_SANS.regular).read_bytes()
    (tmp_path / "half.ttf").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"half\.ttf cannot be read"):
        load_typeface(str(tmp_path / "half.ttf"))


def test_missing_characters_are_named_once(run) -> None:
    quick = ("--epochs", "3", "--hold", "0", "--size", "640x360")
    done = run(*quick, "-o", "a.png", "-o", "b.gif", "--title", "学习率 🚀 café λ", "--labels",
               "慢", "b", "c")  # fmt: skip
    assert done.code == 0
    (line,) = [line for line in done.err.splitlines() if "lacks" in line]
    assert line == (
        "the font lacks 学 习 率 🚀 慢, drawn as ▯; give a font that has them, with --font FILE or"
        ", in Python, font=FILE"
    )


def test_symbols_come_from_the_fallback() -> None:
    assert missing_characters("✓ ✗ ▲ ▼ ▯ ● é λ → ∞ ₂ ½ ⁻ 中") == ["中"]


def test_a_pdf_holds_the_typeface(tmp_path) -> None:
    Animation(train(Line.sample(), [0.7]), "loss", title="title").save(tmp_path / "a.pdf", at=100)
    document = (tmp_path / "a.pdf").read_bytes()
    fonts = set(re.findall(rb"/BaseFont /[A-Z]+\+([\w-]+)", document))
    assert {b"AnimateSans-Regular", b"AnimateSans-Bold"} <= fonts


def test_a_copy_of_the_properties_keeps_the_typeface() -> None:
    properties = ANIMATE_SANS.properties(size=10)
    for other in (copy.copy(properties), properties.copy()):
        assert other.get_file() == ANIMATE_SANS.regular
        other.set_size(20)
    assert properties.get_size_in_points() == 10
