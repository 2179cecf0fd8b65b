import itertools
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from animate import InputError
from animate.drawing.theme import OKABE_ITO, THEMES, contrast_ratio, load_theme
from animate.system.environment import matplotlib_styles

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", 2009, severity 1, in linear RGB.
STYLES = sorted((Path(mpl.get_data_path()) / "stylelib").glob("[!_]*.mplstyle"))

PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]  # fmt: skip  # noqa: E501
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]  # fmt: skip  # noqa: E501
THREE = range(3)
PAGES = {"transparent": ("#ffffff", "#000000")}


@pytest.mark.parametrize("name", THEMES)
def test_lines_reach_3_to_1_and_text_4_5_to_1(name) -> None:
    look = load_theme(name)
    for index in range(12):
        style = look.run(index)
        for page in PAGES.get(name, (look.background, look.panel)):
            assert contrast_ratio(style.line, page) >= 3
            assert contrast_ratio(style.text, page) >= 4.5
            assert contrast_ratio(look.ink, page) >= 4.5
            assert contrast_ratio(look.muted, page) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", THEMES)
def test_twelve_runs_are_told_apart_by_more_than_colour(name) -> None:
    styles = [load_theme(name).run(index) for index in range(12)]
    assert len({(style.line, style.dash, style.marker) for style in styles}) == 12
    for one, other in itertools.combinations(styles[:3], 2):
        assert one.dash != other.dash
        assert one.marker != other.marker


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("matrix", [PROTANOPIA, DEUTERANOPIA])
def test_the_first_three_colours_differ_to_colour_blind_readers(name, matrix) -> None:
    seen = [np.clip(matrix @ linear(load_theme(name).run(index).line), 0, 1) for index in THREE]
    for one, other in itertools.combinations(seen, 2):
        assert np.abs(one - other).max() > 0.04


def linear(color: str) -> np.ndarray:
    part = np.array(to_rgb(color))
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def test_the_hues_are_okabe_and_itos() -> None:
    assert OKABE_ITO[:3] == ("#0072b2", "#009e73", "#d55e00")


def test_a_theme_is_applied_only_inside_its_context() -> None:
    with mpl.rc_context({"font.size": 33, "text.parse_math": True}):
        before = dict(mpl.rcParams)
        with load_theme("dark").applied():
            assert mpl.rcParams["font.size"] == 10
            assert not mpl.rcParams["text.parse_math"]
        assert dict(mpl.rcParams) == before


STYLE = """
figure.facecolor: "102030"
axes.facecolor: "112233"
text.color: "333333"
axes.prop_cycle: cycler("color", ["tab:blue", "0.5"])
font.family: Comic Sans
"""


def test_a_matplotlib_style_file_gives_its_colours_made_readable(tmp_path, capfd) -> None:
    (tmp_path / "my own.mplstyle").write_text(STYLE)
    look = load_theme(str(tmp_path / "my own.mplstyle"))
    assert capfd.readouterr().err == ""
    assert (look.background[:7], look.panel[:7]) == ("#102030", "#112233")
    assert look.hues == ("#1f77b4", "#808080")
    assert contrast_ratio(look.ink, look.panel) >= 4.5
    assert contrast_ratio(look.run(0).line, look.panel) >= 3
    with look.applied():
        assert mpl.rcParams["font.family"] == ["DejaVu Sans"]


@pytest.mark.parametrize("style", [path.stem for path in STYLES])
def test_every_style_of_matplotlib_is_readable(style) -> None:
    look = load_theme(style)
    assert look == replace(load_theme(str(STYLES[0].parent / f"{style}.mplstyle")), name=style)
    assert look.run(0).line != look.run(1).line
    for text in (look.ink, look.muted, look.run(0).text, look.run(7).text):
        assert contrast_ratio(text, look.background) >= 4.5
        assert contrast_ratio(text, look.panel) >= 4.5


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing", None),
        ("value", b"figure.facecolor: nonsense"),
        ("key", b"no.such.key: 1"),
        ("latin", b"\xff"),
    ],
)
def test_a_style_file_that_cannot_be_used_is_named(tmp_path, name, content) -> None:
    path = tmp_path / f"{name}.mplstyle"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"theme .*{name}.mplstyle"):
        load_theme(str(path))


def test_the_names_of_matplotlibs_styles_are_its_own() -> None:
    public = [name for name in matplotlib.style.available if not name.startswith("_")]
    assert list(matplotlib_styles()) == sorted(public)


def test_runs_of_a_style_of_greys_look_different() -> None:
    look = load_theme("grayscale")
    styles = [look.run(index) for index in range(6)]
    assert len({(style.line, style.dash, style.marker) for style in styles}) == 6
    assert len({style.line for style in styles}) == len(look.hues)


def test_an_unknown_theme_points_at_styles() -> None:
    with pytest.raises(InputError, match=r"light, dark, transparent, .*style\.available"):
        load_theme("nothing of the kind")


def test_an_unknown_theme_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"theme 'drak' is unknown; did you mean dark\?"):
        load_theme("drak")
