import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from animate import InputError
from animate.theme import OKABE_ITO, THEMES, contrast, theme

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", 2009, severity 1, in linear RGB.
PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]  # fmt: skip  # noqa: E501
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]  # fmt: skip  # noqa: E501
THREE = range(3)


@pytest.mark.parametrize("name", THEMES)
def test_lines_reach_3_to_1_and_text_4_5_to_1(name) -> None:
    look = theme(name)
    for index in range(12):
        style = look.run(index)
        assert contrast(style.line, look.panel) >= 3
        assert contrast(style.text, look.background) >= 4.5
        assert contrast(style.text, look.panel) >= 4.5
    for text in (look.ink, look.muted):
        assert contrast(text, look.background) >= 4.5
        assert contrast(text, look.panel) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", THEMES)
def test_twelve_runs_are_told_apart_by_more_than_colour(name) -> None:
    styles = [theme(name).run(index) for index in range(12)]
    assert len({(style.line, style.dash, style.marker) for style in styles}) == 12
    for one, other in itertools.combinations(styles[:3], 2):
        assert one.dash != other.dash
        assert one.marker != other.marker


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("matrix", [PROTANOPIA, DEUTERANOPIA])
def test_the_first_three_colours_differ_to_colour_blind_readers(name, matrix) -> None:
    seen = [np.clip(matrix @ linear(theme(name).run(index).line), 0, 1) for index in THREE]
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
        with theme("dark").applied():
            assert mpl.rcParams["font.size"] == 10
            assert not mpl.rcParams["text.parse_math"]
        assert dict(mpl.rcParams) == before


def test_an_unknown_theme_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"theme 'drak' is unknown; did you mean dark\?"):
        theme("drak")
