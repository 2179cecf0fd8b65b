"""Rows 17 to 19, 21 to 24 and 28: what a person may give, and what is said of what they may not."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from inside import SHORT, command, names
from PIL import Image, ImageSequence

import animate
from animate import InputError, Line, train
from animate.drawing.text import MISSING, replace_missing_glyphs, truncate
from animate.film.encode import encode

WRONG = [
    # Row 17.
    *((["--lrs", value], f"learning rate '{value}' is not a finite number")
      for value in ("nan", "inf", "-inf", "1e400")),
    (["--lrs", "0"], "learning rate '0' is not positive"),
    (["--lrs", "-0.0"], "learning rate '-0.0' is not positive"),
    (["--lrs", "-1e-3"], "learning rate '-1e-3' is not positive"),
    (["--lrs", "fast"], "learning rate 'fast' is not a number"),
    (["--lrs", ""], "learning rate '' is not a number"),
    (["--lrs"], "--lrs"),
    # Row 18, 19.
    (["--lrs", "0.1", "0.10"], "learning rate '0.10' is given twice"),
    (["--lrs", *(str(n / 100) for n in range(1, 14))], "give at most 12"),
    # Row 22.
    *((["--epochs", value], f"epochs '{value}'") for value in ("0", "-1", "1.5", "1e3", "many")),
    (["--epochs", "1000000000000"], "GB of memory; give at most"),
    # Row 23.
    (["--size", "0x0"], "each side from 16 to 16384"),
    (["--size", "20000x20000"], "each side from 16 to 16384"),
    (["--size", "16x16"], "give at least"),
    (["--size", "1280"], "size '1280' is not a size"),
    # Row 24.
    *((["--fps", value], f"frame rate '{value}'") for value in ("0", "nan", "1000", "-25")),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_cannot_be_used_is_2_with_the_value_and_what_to_do(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    ended = command(tmp_path, *arguments, "-o", "a.gif")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err
    assert re.search("give|expected", ended.err)
    assert names(tmp_path) == []


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    "arguments",
    [
        ["--lrs", "1e-30", "1e-300"],
        ["--epochs", "1"],
        ["--epochs", "10000", "--duration", "1", "--hold", "0"],
        ["--size", "641x361"],
        ["--size", "640X360"],
        ["--size", "720p"],
        ["--fps", "29.97"],
        ["--lrs", *(str(n / 100) for n in range(1, 13)), "--size", "1080p"],
    ],
)
def test_what_is_unusual_works(tmp_path: Path, arguments: list[str]) -> None:
    ended = command(tmp_path, *SHORT[:4], "--jobs", "1", "--quiet", *arguments, "-o", "a.png")
    assert (ended.code, ended.out, ended.err) == (0, "a.png\n", "")


def test_an_odd_film_is_padded_and_that_is_said(tmp_path: Path) -> None:
    ended = command(tmp_path, *SHORT[:4], "--jobs", "1", "--size", "641x361", "-o", "a.mp4")
    assert ended.code == 0
    assert "a.mp4 is padded to 642x362" in ended.err


def test_rates_that_look_the_same_are_told_apart(tmp_path: Path) -> None:
    ended = command(tmp_path, *SHORT, "--lrs", "0.1", "0.10000000001", "-o", "a.png")
    assert ended.code == 0
    assert "lr 0.10000000001" in ended.err


# Row 21.


def test_a_rate_at_the_limit_diverges_and_the_best_rate_does_not() -> None:
    problem = Line.sample(seed=11)
    at, best, below = train(
        problem,
        [problem.stability_limit, problem.best_lr, np.nextafter(problem.stability_limit, 0)],
        epochs=50,
    )
    assert at.diagnosis.verdict == "diverging"
    assert "at the limit" in at.diagnosis.sentence
    assert best.diagnosis.verdict == "converged"
    assert below.diagnosis.verdict == "converging"


# Row 24.


def test_a_gif_faster_than_browsers_play_says_so(tmp_path: Path) -> None:
    ended = command(tmp_path, *SHORT, "--fps", "60", "-o", "a.gif")
    assert ended.code == 0
    assert "a.gif will play slower than 60 frames a second" in ended.err


@pytest.mark.parametrize("fps", [24, 29.97, 60])
def test_each_frame_of_a_gif_starts_when_it_should_to_10_ms(tmp_path: Path, fps: float) -> None:
    frames = [np.full((16, 16, 4), (number, 0, 0, 255), np.uint8) for number in range(100)]
    encode(frames, tmp_path / "a.gif", fps)
    with Image.open(tmp_path / "a.gif") as image:
        lasts = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
    starts = np.cumsum([0, *lasts])
    np.testing.assert_allclose(starts, 1000 * np.arange(101) / fps, atol=5.001)


# Row 28.

TITLES = [
    "$x_1$", "a_b^c", r"\alpha \frac{1}{2}", "100 %", "<script>alert(1)</script>", "&amp; \"'",
    "long " * 1000, "one\ntwo\ttabs", "\N{ROCKET} emoji", "\ud800 alone", "שלום עולם", "مرحبا",
    "\x00\x07\x1b[2J", "\u202e reversed", "\N{CJK UNIFIED IDEOGRAPH-4E2D}", " ", "",
]  # fmt: skip


@pytest.mark.quick(4)
@pytest.mark.parametrize("title", TITLES)
def test_any_title_is_drawn_as_plain_text_without_a_warning(
    tmp_path: Path, runs, title: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        film = animate.Animation(runs[:1], ["data"], (640, 360), title=title)
        film.save(tmp_path / "a.png")
        film.save(tmp_path / "a.svg")
    drawn = [text.get_text() for text in film.scene.figure.texts]
    assert all("\n" not in text for text in drawn)
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "<script" not in svg


def test_a_title_is_shown_as_it_is_typed_and_boxes_stand_for_what_the_font_lacks() -> None:
    assert replace_missing_glyphs("$x_1$ \\alpha 100 %") == "$x_1$ \\alpha 100 %"
    assert replace_missing_glyphs("a\nb \N{ROCKET}\ud800\x07") == f"a b {MISSING * 3}"
    assert replace_missing_glyphs("שלום") == "שלום"


def test_a_title_too_long_ends_in_an_ellipsis() -> None:
    short = truncate("word " * 1000, 200, 18)
    assert short.endswith("…")
    assert len(short) < 40


def test_library_errors_have_one_base() -> None:
    for kind in (animate.InputError, animate.OutputError, animate.DrawingError):
        assert issubclass(kind, animate.Error)
    assert issubclass(animate.InputError, ValueError)
    assert issubclass(animate.OutputError, OSError)
    with pytest.raises(InputError, match="is not positive"):
        train(Line.sample(), [-1.0])
