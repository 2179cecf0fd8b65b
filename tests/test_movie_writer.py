"""Others' animations are saved as matplotlib's own save does: the same calls, the same pixels."""

import io
import itertools
import os
import re
import subprocess
import sys
import warnings
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import matplotlib as mpl
import numpy as np
import pytest
from animations import (
    KINDS,
    WAVE,
    Calls,
    Script,
    artists,
    clears,
    constrained_with_a_clock,
    decay,
    figure,
    film,
    image,
    pendulum,
    polar,
    silent,
    simulation,
    steps,
    timed,
    too_little,
    view_from_elsewhere,
)
from matplotlib.animation import (
    Animation,
    ArtistAnimation,
    FFMpegWriter,
    FuncAnimation,
    PillowWriter,
    writers,
)
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

import animate
import animate.writer
from animate.film.encode import PALETTE_FRAMES
from animate.film.encode.ffmpeg import FRAMES_AHEAD
from animate.film.layers import LayeredFigure
from animate.writer import Writer

Frames = Sequence[np.ndarray]
Found = tuple[Frames, Calls]


class Pillow(PillowWriter):
    """Keeps what matplotlib draws for a GIF, and writes nothing."""

    frames: Frames = ()

    def finish(self) -> None:
        self.frames = [np.array(frame.convert("RGBA")) for frame in self._frames]


class Video(FFMpegWriter):
    """Keeps what matplotlib draws for an MP4, and starts no ffmpeg."""

    def _run(self) -> None:
        class Process:
            stdin = io.BytesIO()

        self._proc = Process()

    def finish(self) -> None:
        width, height = self.frame_size
        pixels = np.frombuffer(self._proc.stdin.getvalue(), np.uint8)
        self.frames = pixels.reshape(-1, height, width, 4)


class Ours(Writer):
    """Keeps what we draw, and writes nothing."""

    def setup(self, *arguments: Any, **options: Any) -> None:
        super().setup(*arguments, **options)
        self.frames: list[np.ndarray] = []
        self._frames = self

    def write(self, frame: np.ndarray) -> None:
        self.frames.append(frame)

    def close(self) -> None:
        pass

    def abort(self, error: BaseException) -> None:
        pass


def saved(
    script: Script, writer: Any, path: str = "a.gif", times: int = 1, **options: Any
) -> Found:
    calls: Calls = []
    animation = script(calls)
    with mpl.rc_context():  # some scripts change the settings
        for _ in range(times):
            animation.save(path, writer=writer, **options)
    return writer.frames, calls


def check(ours: Found, theirs: Found) -> None:
    assert ours[1] == theirs[1]
    np.testing.assert_array_equal(ours[0], theirs[0])
    assert any((frame != ours[0][0]).any() for frame in ours[0])  # else nothing is proved


TAKE_SECONDS = {  # layout engines, 3D axes and seaborn are slow; each has quicker tests, too
    "layout_that_follows", "layout_of_cleared_axes", "compressed_layout_of_cleared_axes",
    "tight_layout_of_cleared_axes", "seaborn_anew", "layout_and_undeclared", "box_of_space",
    "parts_of_polar_axes", "layout_that_settles_slowly", "constrained_with_a_clock",
}  # fmt: skip


@pytest.mark.quick(8)
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            script, id=script.__name__,
            marks=[pytest.mark.slow] if script.__name__ in TAKE_SECONDS else [],
        )
        for script in KINDS
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*makes most artists anew")
def test_pixels_and_calls_are_those_of_matplotlibs_save(script) -> None:
    if script.__name__ in ("seaborn_anew", "network"):
        pytest.importorskip({"seaborn_anew": "seaborn", "network": "networkx"}[script.__name__])
    check(saved(script, Ours()), saved(script, Pillow()))


UNDECLARED = {
    "title": lambda fig, number: fig.axes[0].set_title(f"number {number}"),
    "limits": lambda fig, number: fig.axes[0].set_xlim(0, 50 + number),
    "scale": lambda fig, _: fig.axes[0].set_yscale("symlog", linthresh=0.1),
    "label": lambda fig, number: fig.axes[0].xaxis.label.set_color(f"C{number}"),
    "tick": lambda fig, number: fig.axes[0].get_xticklabels()[1].set_color(f"C{number}"),
    "legend": lambda fig, number: fig.axes[0].get_legend().get_texts()[0].set_text(f"{number}"),
    "cell": lambda fig, number: fig.axes[0].tables[0][0, 1].get_text().set_text(f"{number}"),
    "background": lambda fig, number: fig.set_facecolor(f"C{number}"),
    "more": lambda fig, number: fig.axes[0].plot([0, number], [0, 1]),
    "less": lambda fig, number: fig.axes[0].tables[0].set_visible(number % 2),
    "place": lambda fig, number: fig.subplots_adjust(left=number / 10),
    "resolution": lambda fig, number: fig.set_dpi(80 + number),
    "spine": lambda fig, number: fig.axes[0].spines["left"].set_position(("data", number)),
    "grid": lambda fig, number: fig.axes[0].grid(number % 2 == 0),
    "frame": lambda fig, number: fig.axes[0].set_frame_on(number % 2 == 0),
    "axis": lambda fig, number: fig.axes[0].set_axis_off() if number > 2 else None,
}


@pytest.mark.quick(4)
@pytest.mark.parametrize("name", UNDECLARED)
def test_what_the_function_does_not_return_is_seen_to_change(name) -> None:
    def script(calls: Calls) -> Animation:
        return too_little(calls, UNDECLARED[name])

    check(saved(script, Ours()), saved(script, Pillow()))


def animated_together(calls: Calls) -> Animation:
    """Two animations of one figure, of which the second is an extra one."""
    first = silent(calls)
    (line,) = first._fig.axes[0].plot(WAVE)
    first.other = film(first._fig, lambda number: line.set_ydata(WAVE / (number + 1)), 4, calls)
    return first


def measured_together(calls: Calls) -> Animation:
    """Two animations of one figure, of which the second measures what the first has changed."""
    fig = figure()
    axes = fig.add_subplot(aspect="equal", xlim=(0, 9), ylim=(0, 9))
    text = axes.text(0, 0, "here")

    def follow(_: int) -> None:
        fig.canvas.get_renderer()
        text.set_x(axes.bbox.width / 50)

    first = film(fig, lambda number: axes.set_xlim(0, 9 - number), 4, calls)
    first.other = film(fig, follow, 4, calls)
    return first


@pytest.mark.parametrize("script", [animated_together, measured_together])
def test_extra_animations_are_drawn_too(script) -> None:
    def frames(writer: Any) -> Found:
        calls: Calls = []
        animation = script(calls)
        animation.save("a.gif", writer=writer, extra_anim=[animation.other])
        return writer.frames, calls

    check(frames(Ours()), frames(Pillow()))


@pytest.mark.quick(1)
@pytest.mark.parametrize("script", [simulation, clears, artists, decay])
@pytest.mark.filterwarnings("ignore:.*makes most artists anew")
def test_an_animation_may_be_saved_twice(script) -> None:
    check(saved(script, Ours(), times=2), saved(script, Pillow(), times=2))


@pytest.mark.quick(1)
@pytest.mark.parametrize("script", [simulation, clears, artists, silent])
def test_an_animation_may_be_saved_after_it_was_shown_and_closed(script) -> None:
    def shown(calls: Calls) -> Animation:
        import matplotlib.pyplot as plt

        animation = script(calls)
        manager = plt.figure()
        animation._fig.canvas.draw()  # which starts it
        animation._step()
        plt.close(manager)
        plt.close(animation._fig)
        return animation

    check(saved(shown, Ours()), saved(shown, Pillow()))


SETTINGS = [
    {"savefig.dpi": 61.5},
    {"savefig.facecolor": "lightblue", "savefig.edgecolor": "red"},
    {"savefig.transparent": True},
    {"savefig.bbox": "tight"},
]


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("script", "settings"),
    [
        *((silent, settings) for settings in SETTINGS),
        *(pytest.param(clears, settings, marks=pytest.mark.slow) for settings in SETTINGS),
        pytest.param(constrained_with_a_clock, SETTINGS[0], marks=pytest.mark.slow),
    ],
)
def test_matplotlibs_settings_of_saving_count(script, settings) -> None:
    with mpl.rc_context(settings):
        check(saved(script, Ours()), saved(script, Pillow()))
        check(saved(script, Ours(), "a.mp4"), saved(script, Video(), "a.mp4"))


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "script",
    [
        silent,
        view_from_elsewhere,
        pytest.param(constrained_with_a_clock, marks=pytest.mark.slow),
    ],
)
def test_arguments_of_savefig_and_dpi_count(script) -> None:
    options = {"savefig_kwargs": {"facecolor": "grey", "transparent": True}, "dpi": 55}
    check(saved(script, Ours(), **options), saved(script, Pillow(), **options))


@pytest.mark.quick(2)
@pytest.mark.parametrize("name", ["dpi", "format", "bbox_inches", "nonsense", "metadata"])
def test_arguments_that_matplotlib_refuses_are_refused_alike(name, tmp_path) -> None:
    value = {"a": "b"} if name == "metadata" else "tight"

    def outcome(writer: Any) -> object:
        try:
            silent([]).save(tmp_path / "a.gif", writer=writer, savefig_kwargs={name: value})
        except Exception as error:
            return type(error), str(error).replace("Keep", "")
        return None

    ours, theirs = outcome(Ours()), outcome(Pillow())
    assert (ours and ours[0]) == (theirs and theirs[0])


def see_through(calls: Calls) -> Animation:
    return pendulum(calls, facecolor=(1, 0, 0, 0.3))


def test_a_transparent_figure_is_put_on_white_where_the_format_needs_that(tmp_path) -> None:
    check(saved(see_through, Ours()), saved(see_through, Pillow()))
    check(saved(see_through, Ours(), "a.mp4"), saved(see_through, Video(), "a.mp4"))
    animate.save(see_through([]), tmp_path / "a.mp4")
    np.testing.assert_allclose(decoded(tmp_path / "a.mp4")[0, 0, 0, :3], (255, 178, 178), atol=4)


@pytest.mark.quick(1)
@pytest.mark.parametrize("size", [(4.013, 3.017), (3.995, 2.995), (4, 3)])
def test_sides_are_rounded_as_matplotlib_rounds_them(size) -> None:
    def script(calls: Calls) -> Animation:
        return silent(calls, figsize=size, dpi=100)

    for path, theirs in (("a.gif", Pillow()), ("a.mp4", Video())):
        animation = script([])
        ours = Ours()
        animation.save(path, writer=ours)
        assert tuple(animation._fig.get_size_inches()) == size  # given back
        check((ours.frames, []), (saved(script, theirs, path)[0], []))


def test_a_function_cannot_change_the_size_of_a_video() -> None:
    def script(calls: Calls) -> Animation:
        return too_little(calls, lambda fig, number: fig.set_size_inches(3, number))

    check(saved(script, Ours(), "a.mp4"), saved(script, Video(), "a.mp4"))


def decoded(path: Path) -> np.ndarray:
    """Return the frames of a file or of a folder of PNG."""
    if path.is_dir():
        return np.array([np.array(Image.open(entry)) for entry in sorted(path.iterdir())])
    if path.suffix in (".gif", ".webp"):
        with Image.open(path) as picture:
            frames = ImageSequence.Iterator(picture)
            return np.array([np.array(frame.convert("RGBA")) for frame in frames])
    width, height = re.findall(r" (\d+)x(\d+)[, ]", probe(path))[0]
    kind = ["-f", "apng"] if path.suffix == ".apng" else []
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *kind, "-i", path]
    command += ["-f", "rawvideo", "-pix_fmt", "rgba", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, int(height), int(width), 4)


def probe(path: Path) -> str:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", path]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@pytest.mark.quick(1)
@pytest.mark.parametrize("script", [pendulum, polar, image, silent])
def test_files_without_loss_hold_the_pixels_of_matplotlibs_save(script, tmp_path) -> None:
    theirs, _ = saved(script, Pillow())
    animate.save(script([]), tmp_path / "a.apng", quality="high")
    animate.save(script([]), f"{tmp_path}/folder/")
    np.testing.assert_array_equal(decoded(tmp_path / "a.apng"), theirs)
    np.testing.assert_array_equal(decoded(tmp_path / "folder"), theirs)


# The writer in matplotlib's registry.


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    "suffix", ["mp4", "mov", "avi", "mkv", "m4v", "webm", "gif", "webp", "apng"]
)
def test_the_registered_writer_writes_each_format(suffix, tmp_path) -> None:
    path = tmp_path / f"a.{suffix}"
    silent([]).save(path, writer="animate", fps=10)
    assert decoded(path).shape == (4, 240, 320, 4)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_the_setting_of_the_writer_is_enough_for_an_unchanged_script(tmp_path) -> None:
    with mpl.rc_context({"animation.writer": "animate"}):
        silent([]).save(tmp_path / "a.mp4")
    assert "animate" in writers.list()
    assert (tmp_path / "a.mp4").stat().st_size > 0


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"codec": "mpeg4"}, "Video: mpeg4"),
        ({"metadata": {"title": "a walk = in 50 %"}}, "a walk = in 50 %"),
        ({"extra_args": ["-vf", "scale=160:120"]}, "160x120"),
        ({"extra_args": ["-vcodec", "libx264", "-pix_fmt", "yuv444p"]}, "yuv444p"),
        ({"bitrate": 50}, "yuv420p"),
        ({"dpi": 40}, "160x120"),
        ({"fps": 12.5}, "12.50 fps"),
        ({}, "5 fps"),
    ],
)
def test_keywords_of_save_mean_what_matplotlib_means(options, expected, tmp_path) -> None:
    script = silent([])
    script.save(tmp_path / "a.mp4", writer="animate", **options)
    assert expected in probe(tmp_path / "a.mp4")
    animate.save(silent([]), tmp_path / "b.mp4", **options)
    assert expected in probe(tmp_path / "b.mp4")
    assert len(decoded(tmp_path / "a.mp4")) == 4


def test_ffmpegs_settings_of_matplotlib_count(tmp_path) -> None:
    settings = {"animation.codec": "mpeg4", "animation.ffmpeg_args": ["-vf", "scale=160:120"]}
    with mpl.rc_context(settings):
        silent([]).save(tmp_path / "a.mp4", writer="animate")
    assert "mpeg4" in probe(tmp_path / "a.mp4")
    assert "160x120" in probe(tmp_path / "a.mp4")


def test_a_writer_can_be_used_without_an_animation(tmp_path) -> None:
    fig = figure()
    (line,) = fig.add_subplot(ylim=(-1, 1)).plot(WAVE)
    writer = Writer(fps=10, metadata={"title": "by hand"})
    with writer.saving(fig, tmp_path / "a.mp4", 80):
        for number in range(3):
            line.set_ydata(WAVE * number / 3)
            writer.grab_frame()
    assert len(decoded(tmp_path / "a.mp4")) == 3
    writer.setup(fig, tmp_path / "b.gif")
    writer.grab_frame()
    writer.finish()
    assert (tmp_path / "b.gif").exists()


def raises_later(calls: Calls) -> Animation:
    fig = figure()
    (line,) = fig.add_subplot().plot(WAVE)
    return steps(fig, lambda number: line.set_ydata(WAVE * (1 // (2 - number))), calls)


@pytest.mark.parametrize("save", [
    lambda animation, path: animation.save(path, writer="animate"),
    animate.save,
])  # fmt: skip
@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_after_an_error_of_the_function_the_old_file_is_there_and_nothing_else(
    save, suffix, tmp_path
) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_text("old")
    animation = raises_later([])
    with pytest.raises(ZeroDivisionError):
        save(animation, path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert not animation._fig.canvas.is_saving()


def test_no_frames_are_an_error_and_the_old_file_is_kept(tmp_path) -> None:
    (tmp_path / "a.mp4").write_text("old")

    def frames() -> Any:
        yield from ()

    fig = figure()
    animation = FuncAnimation(fig, lambda _: None, frames, init_func=lambda: None, save_count=5)
    with pytest.raises(animate.InputError, match="no frame"):
        animate.save(animation, tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_text() == "old"


def endless(calls: Calls) -> Animation:
    fig = figure()
    (line,) = fig.add_subplot(ylim=(-1, 1)).plot(WAVE)
    step = lambda number: line.set_ydata(WAVE / (1 + number))  # noqa: E731
    return film(fig, step, itertools.count, calls, save_count=7)


def test_an_endless_animation_ends_where_matplotlib_ends_it() -> None:
    check(saved(endless, Ours()), saved(endless, Pillow()))


@pytest.mark.quick(3)
@pytest.mark.parametrize("interval", [1, 5, 20000, 1e6])
@pytest.mark.parametrize("suffix", ["mp4", "gif", "webm"])
@pytest.mark.filterwarnings("ignore:.*will play")
def test_any_interval_can_be_saved(interval, suffix, tmp_path) -> None:
    animation = silent([])
    animation._interval = interval
    animate.save(animation, tmp_path / f"a.{suffix}")
    assert (tmp_path / f"a.{suffix}").stat().st_size > 0


def test_a_rate_that_a_gif_cannot_hold_is_said_at_the_line_that_saves(tmp_path) -> None:
    animation = silent([])
    animation._interval = 1
    with pytest.warns(UserWarning, match="will play slower than 1000") as caught:
        animate.save(animation, tmp_path / "a.gif")
    assert [warning.filename for warning in caught] == [__file__]


def test_interval_zero_needs_a_rate_as_in_matplotlib(tmp_path) -> None:
    animation = silent([])
    animation._interval = 0
    with pytest.raises(ZeroDivisionError):
        animate.save(animation, tmp_path / "a.gif")
    animate.save(animation, tmp_path / "a.gif", fps=20)
    with pytest.raises(animate.InputError, match="fps 0"):
        animate.save(animation, tmp_path / "a.gif", fps=0)


@pytest.mark.parametrize("script", [pendulum, artists, timed])
def test_save_writes_any_animation_at_its_own_rate(script, tmp_path) -> None:
    calls: list[tuple[int, int | None]] = []
    animation = script([])
    animate.save(animation, tmp_path / "a.gif", progress_callback=lambda *call: calls.append(call))
    with Image.open(tmp_path / "a.gif") as picture:
        delays = [frame.info["duration"] for frame in ImageSequence.Iterator(picture)]
    assert set(delays) == {animation._interval}
    total = getattr(animation, "_save_count", None)
    assert calls == [(number, total) for number in range(len(delays))]


def test_save_takes_our_own_animations_too(runs, tmp_path) -> None:
    own = animate.Animation(runs, size=(640, 360), timeline=[0, 1], fps=10)
    animate.save(own, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.n_frames, picture.size) == (2, (640, 360))


def test_where_all_artists_are_made_anew_one_warning_at_the_users_line_says_what_to_do(
    tmp_path,
) -> None:
    def script() -> Animation:
        fig = figure()
        axes = fig.add_subplot()

        def step(number: int) -> None:
            axes.clear()
            axes.plot(WAVE * number)

        return steps(fig, step, [], 20)

    with pytest.warns(UserWarning, match="make them once and change them") as caught:
        script().save(tmp_path / "a.mp4", writer="animate")
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        silent([]).save(tmp_path / "b.mp4", writer="animate")


def test_canvas_and_figure_are_left_as_they_were(tmp_path) -> None:
    animation = pendulum([])
    canvas = animation._fig.canvas
    before, names = dict(vars(canvas)), set(vars(animation._fig))
    animation.save(tmp_path / "a.gif", writer="animate")
    assert {**vars(canvas), "renderer": None} == {**before, "renderer": None}
    assert set(vars(animation._fig)) == names


def test_a_frame_that_repeats_the_one_before_is_the_same_object() -> None:
    frames, _ = saved(lambda calls: steps(figure(), id, calls), Ours())
    assert all(frame is frames[0] for frame in frames)
    assert not frames[0].flags.writeable


def test_saving_does_not_import_torch(tmp_path) -> None:
    program = """
import sys, matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation
import animate.writer
figure, axes = plt.subplots()
(line,) = axes.plot([0, 1])
FuncAnimation(figure, lambda i: line.set_ydata([0, i]), 3).save("a.gif", writer="animate")
assert not {"torch", "animate.training", "animate.drawing"} & set(sys.modules)
"""
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()


def test_matplotlibs_private_names_are_still_there() -> None:
    fig = Figure()
    axes = fig.add_subplot()
    animation = ArtistAnimation(figure(), [[]])
    animation._draw_was_started = True  # else deleting it warns
    for owner, names in {
        mpl.animation: ["adjusted_figsize", "_validate_grabframe_kwargs"],
        fig: ["_get_draw_artists", "_localaxes", "_align_label_groups", "_suptitle"],
        axes: [
            "_unstale_viewLim", "_update_title_position", "_autotitlepos", "_left_title",
            "_right_title", "_axis_map", "_twinned_axes", "_viewLim", "_children",
        ],
        animation: ["_interval", "_fig"],
    }.items():  # fmt: skip
        for name in names:
            assert hasattr(owner, name), name


def most_alive(path: Path, count: int) -> int:
    """Return the most frames that are in memory at once while a film of `count` is saved."""
    fig = Figure(figsize=(1, 1), dpi=20)
    text = fig.text(0.1, 0.5, "")
    alive: list[weakref.ref[np.ndarray]] = []
    numbers: list[int] = []

    class Counting(Writer):
        def grab_frame(self, **options: Any) -> None:
            super().grab_frame(**options)
            alive.append(weakref.ref(self._grabber._printed))
            numbers.append(sum(frame() is not None for frame in alive))

    FuncAnimation(fig, lambda number: text.set_text(f"{number}"), count).save(path, Counting(25))
    return max(numbers)


@pytest.mark.parametrize("suffix", ["gif", "mp4"])
def test_the_frames_alive_do_not_grow_with_the_film(suffix, tmp_path) -> None:
    most = most_alive(tmp_path / f"a.{suffix}", 120)
    assert most <= FRAMES_AHEAD + PALETTE_FRAMES + 4


def test_what_is_set_again_to_the_same_makes_no_fingerprint_grow() -> None:
    fig = figure()
    axes = fig.add_subplot()
    (line,) = axes.plot(WAVE)
    fig.canvas._is_saving = True
    layers = LayeredFigure(fig)
    sizes = []
    for number in range(12):
        axes.set_title(
            f"number {number}"
        )  # which also moves the titles at the sides to their place
        line.set_ydata(WAVE.copy())
        layers.draw()
        prints = [layer._fingerprint for layer in layers._order if layer._fingerprint]
        sizes.append(max(len(one._arrays) + len(one._lists) + len(one._dicts) for one in prints))
    assert len(set(sizes[6:])) == 1


def order_in_a_layout(calls: Calls) -> Animation:
    """Nothing but the order of two lines changes, in axes that a layout engine places."""
    fig = figure(layout="constrained")
    axes = fig.subplots()
    (one,), (other,) = axes.plot(WAVE, lw=9), axes.plot(-WAVE, lw=9)

    def change(number: int) -> None:
        one.set_zorder(2 + number % 2)
        other.set_zorder(3 - number % 2)

    return steps(fig, change, calls)


def axes_anew(calls: Calls) -> Animation:
    """The axes are removed and made again for each frame."""
    fig = figure()
    axes = [fig.add_subplot()]

    def change(number: int) -> None:
        axes.pop().remove()
        axes.append(fig.add_subplot(title=f"number {number}"))
        axes[0].plot(WAVE * number)

    return steps(fig, change, calls)


@pytest.mark.quick(1)
@pytest.mark.parametrize("script", [order_in_a_layout, axes_anew])
@pytest.mark.filterwarnings("ignore:.*makes most artists anew")
def test_pixels_are_the_same_where_the_order_or_the_axes_change(script) -> None:
    check(saved(script, Ours()), saved(script, Pillow()))
