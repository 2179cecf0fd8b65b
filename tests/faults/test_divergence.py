"""Row 20: rates far past the limit, in every view and every form, are content and no error."""

import warnings
from pathlib import Path

import numpy as np
import pictures
import pytest
from inside import SHORT, command

from animate import Animation, Line, train

RATES = [1.05, 5.0, 50.0, 1e30]


@pytest.fixture(scope="module")
def lost():
    return train(Line.sample(seed=11), RATES, epochs=100)


@pytest.mark.quick(3)
@pytest.mark.parametrize("view", pictures.VIEWS_OF_A_LINE)
def test_every_view_draws_every_epoch_of_a_run_that_overflows(lost, view: str) -> None:
    epochs = [0, 1, 2, 10, 30, 60, 100]
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        film = Animation(lost, [view], (1280, 720), timeline=epochs)
        frames = list(film.frames())
    assert len(frames) == len(epochs)
    for axes in film.scene.figure.axes:
        for low, high in (axes.get_xlim(), axes.get_ylim()):
            assert np.isfinite([low, high]).all()
            assert low < high
            assert max(abs(low), abs(high)) < 1e6
    assert all((frame[..., :3] < 128).any() for frame in frames)


@pytest.mark.parametrize("view", ["fit", "loss", "surface", "weights"])
def test_the_axes_of_a_run_are_not_ruined_by_its_neighbours(lost, view: str) -> None:
    alone = train(lost[0].problem, [0.7], epochs=100)
    beside = train(lost[0].problem, [0.7, 1e30], epochs=100)
    limits = []
    for runs in (alone, beside):
        film = Animation(runs, [view], (1280, 720), timeline=[0])
        limits.append(film.scene.figure.axes[0].get_ylim()[0])
    assert limits[0] == pytest.approx(limits[1], rel=1, abs=3)


def test_the_panel_says_at_which_epoch_it_overflowed(lost) -> None:
    film = Animation(lost, ["loss"], (1280, 720), timeline=[0])
    film.scene.draw(100)
    said = [text.get_text() for text in film.scene.figure.findobj(lambda a: hasattr(a, "get_text"))]
    for run in lost[1:]:
        assert f"overflowed at epoch {run.diagnosis.overflowed_at}" in said


def test_the_place_of_divergence_has_a_mark_where_no_line_can_be_drawn(lost) -> None:
    (_, _, _, wild) = lost
    film = Animation([wild], ["loss"], (640, 360), timeline=[0])
    film.scene.draw(50)
    panel = film.scene.figure.axes[0], film.scene.theme.run(0).line
    (line,), (head,) = pictures.curves(*panel), pictures.marks(*panel)
    finite = np.isfinite(np.asarray(line.get_ydata(), float))
    assert finite.sum() <= 2
    assert np.isfinite(np.asarray(head.get_ydata(), float)).all()
    assert head.get_marker() == "X"


@pytest.mark.slow
def test_every_form_of_a_diverging_run_is_made(tmp_path: Path) -> None:
    outputs = ["a.mp4", "a.gif", "a.png", "a.svg", "a.pdf", "a.json"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ended = command(
            tmp_path, *SHORT, "--epochs", "60", "--duration", "0.4", "--size", "1280x720",
            "--quiet", "--lrs", *map(str, RATES), *(f"-o={output}" for output in outputs),
        )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.split() == outputs
