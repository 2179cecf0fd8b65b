"""The fast stream is held against matplotlib's own full redraw, pixel for pixel."""

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image, ImageSequence

from animate import Animation, InputError, Line, train
from animate.drawing.views import VIEWS

NAMES = list(VIEWS)


def full_redraw(anim: Animation, epoch: int) -> np.ndarray:
    """Return what matplotlib draws for `epoch` when it draws everything."""
    anim.scene.draw(epoch)
    canvas = FigureCanvasAgg(anim.scene.figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())


def assert_stream_is_full_redraw(anim: Animation) -> None:
    streamed = list(anim.frames())
    for epoch, frame in dict(zip(anim.timeline, streamed, strict=True)).items():
        np.testing.assert_array_equal(frame, full_redraw(anim, epoch), err_msg=f"epoch {epoch}")


@pytest.mark.quick(1)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 720), (641, 361)])
def test_each_frame_is_a_full_redraw_to_the_pixel(runs, theme, size) -> None:
    timeline = [0, 1, 2, 3, 7, 8, 9, 40, 60, 61, 70, 99, 100]
    assert_stream_is_full_redraw(Animation(runs[1:], ["fit"], size, theme=theme, timeline=timeline))


@pytest.mark.slow
def test_a_film_needs_no_pyplot(tmp_path) -> None:
    code = (
        "import sys, animate\n"
        "runs = animate.train(animate.Line.sample(), [0.7], 3)\n"
        "animate.Animation(runs, size=(640, 360)).save('a.gif')\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_run_that_overflows_is_streamed_as_it_is_redrawn(problem) -> None:
    runs = train(problem, [0.5, 5, 1e30], epochs=40)
    assert_stream_is_full_redraw(Animation(runs, ["fit"], timeline=range(0, 41, 2)))


def test_matplotlibs_own_save_draws_the_same_pixels(runs, tmp_path) -> None:
    anim = Animation(runs, ["fit"], size=(640, 360), timeline=[0, 3, 8, 100], fps=10)

    class Keep(PillowWriter):
        def finish(self) -> None:
            kept.extend(np.array(frame.convert("RGBA")) for frame in self._frames)

    kept: list[np.ndarray] = []
    FuncAnimation.save(anim, str(tmp_path / "unused.gif"), writer=Keep(fps=10))
    streamed = list(anim.frames())
    assert len(kept) == 4
    for theirs, ours in zip(kept, streamed, strict=True):
        np.testing.assert_array_equal(theirs, ours)


def test_the_callers_settings_change_nothing_and_are_unchanged(runs) -> None:
    def frames() -> list[np.ndarray]:
        return list(Animation(runs, ["fit"], (640, 360), timeline=[0, 8, 60]).frames())

    expected = frames()
    odd = {
        "text.hinting": "default",
        "path.snap": False,
        "axes.unicode_minus": False,
        "font.size": 30,
        "font.family": "serif",
        "axes.facecolor": "red",
        "savefig.facecolor": "green",
        "figure.dpi": 200,
        "lines.linewidth": 9,
        "axes.grid": True,
        "xtick.labelsize": 40,
        "text.antialiased": False,
    }
    with mpl.rc_context(odd):
        before = dict(mpl.rcParams)
        found = frames()
        anim = Animation(runs, ["fit"], (640, 360), timeline=[0, 8, 60])
        redrawn = full_redraw(anim, 60)
        assert dict(mpl.rcParams) == before
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(redrawn, expected[2])


def test_frames_are_as_the_contract_says(runs) -> None:
    anim = Animation(runs, ["fit"], size=(641, 361), timeline=[0, 0, 1, 2, 2], fps=10)
    frames = list(anim.frames())
    assert len(frames) == 5
    for frame in frames:
        assert frame.shape == (361, 641, 4)
        assert frame.dtype == np.uint8
        assert not frame.flags.writeable
    assert frames[0] is frames[1]
    assert frames[3] is frames[4]
    assert (frames[0] != frames[2]).any()
    copies = [frame.copy() for frame in frames]
    list(anim.frames())
    np.testing.assert_array_equal(frames, copies)


def test_drawing_an_epoch_does_not_depend_on_what_was_drawn_before(runs) -> None:
    anim = Animation(runs, ["fit"], size=(640, 360))
    first = full_redraw(anim, 5)
    for epoch in (100, 0, 61, 2):
        anim.scene.draw(epoch)
    np.testing.assert_array_equal(full_redraw(anim, 5), first)


def test_it_is_a_funcanimation_that_shows_itself(runs) -> None:
    anim = Animation(runs, ["fit"], size=(640, 360), timeline=[0, 1, 2], fps=10)
    assert isinstance(anim, FuncAnimation)
    assert anim.timeline == (0, 1, 2)
    assert anim.fps == 10
    page = anim.to_jshtml()
    assert page.count("data:image/png;base64") == 3


def test_after_a_writer_resized_the_figure_frames_have_the_asked_size(runs) -> None:
    anim = Animation(runs, ["fit"], size=(641, 361), timeline=[0, 1])
    expected = list(anim.frames())
    anim.scene.figure.set_size_inches(3, 2)
    np.testing.assert_array_equal(list(anim.frames()), expected)


def test_an_unused_animation_is_deleted_without_a_word(runs) -> None:
    anim = Animation(runs, ["fit"], size=(640, 360))
    del anim  # a warning would be an error here


def test_save_writes_what_the_name_says_and_reports_each_frame(runs, tmp_path: Path) -> None:
    anim = Animation(runs, ["fit"], size=(640, 360), timeline=[0, 0, 1, 8, 8], fps=10, loop=1)
    heard: list[tuple[int, int]] = []
    anim.save(tmp_path / "film.gif", progress_callback=lambda *told: heard.append(told))
    assert heard == [(number, 5) for number in range(5)]
    with Image.open(tmp_path / "film.gif") as image:
        shown = [
            (frame.info["duration"], np.array(frame.convert("RGB"), int))
            for frame in ImageSequence.Iterator(image)
        ]
        assert "loop" not in image.info
    assert [duration for duration, _ in shown] == [200, 100, 200]
    for (_, picture), sent in zip(shown, list(anim.frames())[1:4], strict=True):
        assert np.abs(picture - sent[..., :3]).mean() < 0.5


def test_save_with_a_writer_is_matplotlibs_own(runs, tmp_path: Path) -> None:
    anim = Animation(runs, ["fit"], size=(640, 360), timeline=[0, 1, 2], fps=10)
    anim.save(tmp_path / "theirs.gif", writer="pillow")
    with Image.open(tmp_path / "theirs.gif") as image:
        assert image.n_frames == 3


def test_more_runs_than_fit_are_refused(problem) -> None:
    runs = train(problem, [0.1 + number / 100 for number in range(13)], epochs=1)
    with pytest.raises(InputError, match=r"13 runs .* at most 12"):
        Animation(runs)


@pytest.mark.quick(3)
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"views": []}, "views is empty"),
        ({"views": ["fti"]}, "did you mean fit"),
        ({"size": (16, 16)}, "too small to read"),
        ({"size": (0, 0)}, "out of bounds"),
        ({"fps": 0}, "frame rate 0"),
        ({"timeline": []}, "timeline is empty"),
        ({"timeline": [0, 101]}, "epoch 101 is not in the records"),
        ({"loop": -1}, "loop -1"),
        ({"theme": "drak"}, "did you mean dark"),
    ],
)
def test_a_bad_setting_is_named(runs, settings, said) -> None:
    with pytest.raises(InputError, match=said):
        Animation(runs, **settings)


def test_runs_of_different_problems_are_not_drawn_together_by_a_view_of_the_problem(runs) -> None:
    stranger = train(Line.sample(seed=3), [0.2], epochs=100)
    with pytest.raises(InputError, match="different problems"):
        Animation([*runs, *stranger], "fit")


def test_importing_animate_loads_neither_torch_nor_matplotlib() -> None:
    code = "import sys, animate; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "animate" in loaded
    assert not loaded & {"torch", "matplotlib", "numpy", "rich", "imageio"}


def test_one_run_and_one_view_need_no_list(runs) -> None:
    plain = Animation(runs[:1], ["loss"], (640, 360), timeline=[0, 8])
    short = Animation(runs[0], "loss", (640, 360), timeline=[0, 8])
    np.testing.assert_array_equal(list(short.frames()), list(plain.frames()))
