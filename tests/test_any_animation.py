"""Others' animations are saved as matplotlib's own save does: the same calls, the same pixels."""

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import imageio.v3
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.animation import (
    Animation,
    ArtistAnimation,
    FuncAnimation,
    PillowWriter,
    TimedAnimation,
)
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

import animate
from animate.film.any_animation import frames_of, opaque, rate_of

Calls = list[str]
Script = Callable[[Calls], Animation]
WAVE = np.sin(np.linspace(0, 6, 50))


def figure(**style: object) -> Figure:
    made = Figure(**{"figsize": (4, 3), "dpi": 80, **style})  # type: ignore[arg-type]
    FigureCanvasAgg(made)
    return made


def film(
    fig: Figure,
    step: Callable[[Any], object],
    frames: object,
    calls: Calls,
    init: Callable[[], object] | None = None,
    **options: object,
) -> FuncAnimation:
    """A FuncAnimation that keeps an account of which of its functions is called, and with what."""

    def called(data: object) -> object:
        calls.append(f"step {data}")
        return step(data)

    def started() -> object:
        calls.append("init")
        assert init is not None
        return init()

    begin = None if init is None else started
    return FuncAnimation(fig, called, frames, begin, **options)  # type: ignore[arg-type]


# Scripts that keep the contract of blitting: they return all that they change.


def pendulum(calls: Calls, blit: bool = True, **style: object) -> Animation:
    """A line, its trace and a clock, which are returned."""
    fig = figure(**style)
    axes = fig.add_subplot(xlim=(-2, 2), ylim=(-2, 1), aspect="equal")
    axes.grid()
    (rods,) = axes.plot([], [], "o-", lw=2)
    (trace,) = axes.plot([], [], ".-", lw=1, ms=2)
    clock = axes.text(0.05, 0.9, "", transform=axes.transAxes)
    angles = np.cumsum(np.sin(np.arange(12)))

    def step(number: int) -> tuple:
        angle = angles[number]
        x, y = np.sin(angle) + np.sin(2 * angle), -np.cos(angle) - 0.5 * np.cos(3 * angle)
        rods.set_data([0, np.sin(angle), x], [0, -np.cos(angle), y])
        trace.set_data(np.sin(angles[:number]), -np.cos(angles[:number]))
        clock.set_text(f"time = {number * 0.1:.1f}s")
        return rods, trace, clock

    return film(fig, step, 12, calls, interval=50, blit=blit)


def rain(calls: Calls) -> Animation:
    """Scattered drops that grow and fade, on a figure without axes."""
    fig = figure()
    axes = fig.add_axes((0, 0, 1, 1), frameon=False, xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    places = np.random.default_rng(1).random((20, 2))
    drops = axes.scatter(*places.T, s=50, lw=0.5, facecolors="none", edgecolors="k")

    def step(number: int) -> tuple:
        ages = (np.arange(20) + number) % 20
        drops.set_sizes(50.0 + 30 * ages)
        drops.set_edgecolors([(0, 0, 0, 1 - age / 20) for age in ages])
        drops.set_offsets(np.roll(places, number, axis=0))
        return (drops,)

    return film(fig, step, 8, calls)


def image(calls: Calls, layout: str = "constrained") -> Animation:
    """A picture that changes under axes, ticks and a title, with a layout engine."""
    fig = figure(layout=layout)
    axes = fig.subplots()
    axes.set_title("waves")
    x, y = np.meshgrid(np.linspace(0, 6, 60), np.linspace(0, 6, 50))
    shown = axes.imshow(np.sin(x) + np.cos(y), extent=(0, 6, 0, 6))

    def step(number: int) -> list:
        shown.set_data(np.sin(x + number / 3) + np.cos(y + number / 5))
        return [shown]

    return film(fig, step, 6, calls, lambda: [shown])


def tight(calls: Calls) -> Animation:
    return image(calls, "tight")


def walk(calls: Calls) -> Animation:
    """Walks in three dimensions, whose axes draw themselves in a way of their own."""
    fig = figure()
    axes = fig.add_subplot(projection="3d", xlim=(-3, 3), ylim=(-3, 3), zlim=(-3, 3))
    steps = np.cumsum(np.random.default_rng(2).normal(size=(4, 10, 3)) / 2, axis=1)
    lines = [axes.plot([], [], [])[0] for _ in steps]

    def step(number: int) -> list:
        for line, way in zip(lines, steps, strict=True):
            line.set_data_3d(way[:number].T)
        return lines

    return film(fig, step, 6, calls, blit=True)


def simulation(calls: Calls) -> Animation:
    """A state that each call takes further, the first of them for the initial drawing."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 20), ylim=(0, 20))
    (dot,) = axes.plot([0], [0], "o")
    state = [0.0, 1.0]

    def step(number: int) -> tuple:
        del number
        state[:] = (state[0] + state[1]) % 20, state[1] * 1.2
        dot.set_data([state[0]], [state[1]])
        return (dot,)

    return film(fig, step, 6, calls)


def polar(calls: Calls) -> Animation:
    """A hand that goes round on polar axes, blitted."""
    fig = figure()
    axes = fig.add_subplot(projection="polar")
    axes.set_ylim(0, 1)
    (hand,) = axes.plot([0, 0], [0, 1], lw=3)

    def step(number: int) -> tuple:
        hand.set_xdata([0, number])
        return (hand,)

    return film(fig, step, 5, calls, blit=True)


def blitted_with_init(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1))
    (line,) = axes.plot([], [])

    def init() -> tuple:
        line.set_data([], [])
        return (line,)

    def step(number: int) -> tuple:
        line.set_data(np.arange(10 * number), WAVE[: 10 * number])
        return (line,)

    return film(fig, step, 5, calls, init, blit=True)


def several_axes(calls: Calls) -> Animation:
    """Four panels of which two change."""
    fig = figure()
    panels = fig.subplots(2, 2).ravel()
    for panel in panels:
        panel.set(xlim=(0, 50), ylim=(-1, 1))
    lines = [panel.plot([], [])[0] for panel in panels[1:3]]

    def step(number: int) -> list:
        for line in lines:
            line.set_data(np.arange(50), WAVE * number / 5)
        return lines

    return film(fig, step, 5, calls, blit=True)


def text_of_the_figure(calls: Calls) -> Animation:
    """Blitted text that is the figure's own, which matplotlib leaves out of what it saves."""
    fig = figure()
    (line,) = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1)).plot([], [])
    text = fig.text(0.5, 0.95, "start")

    def step(number: int) -> tuple:
        line.set_data(np.arange(50), WAVE * number / 5)
        text.set_text(f"number {number}")
        return line, text

    return film(fig, step, 4, calls, blit=True)


def artists(calls: Calls) -> Animation:
    """Pictures and titles that take turns."""
    del calls
    fig = figure()
    axes = fig.add_subplot()
    shown = [
        [axes.imshow(np.eye(4) * number, vmin=0, vmax=5), axes.text(0, 0, f"frame {number}")]
        for number in range(5)
    ]
    return ArtistAnimation(fig, shown, interval=40)


def artists_blitted(calls: Calls) -> Animation:
    """Bars that take turns: each frame is a container."""
    del calls
    fig = figure(layout="constrained")
    axes = fig.add_subplot()
    shown = [axes.bar([1, 2, 3], [number, 2 * number, 1]) for number in range(4)]
    return ArtistAnimation(fig, shown, blit=True)


def timed(calls: Calls) -> Animation:
    """A class of one's own, as matplotlib's gallery once showed."""

    class Own(TimedAnimation):
        def __init__(self) -> None:
            self.line = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1)).plot([], [])[0]
            super().__init__(fig, interval=50, blit=True)

        def new_frame_seq(self) -> Iterator[int]:
            return iter(range(4))

        def _init_draw(self) -> None:
            calls.append("init")
            self.line.set_data([], [])

        def _draw_frame(self, number: int) -> None:
            calls.append(f"step {number}")
            self.line.set_data(np.arange(50), WAVE * number / 4)
            self._drawn_artists = [self.line]

    fig = figure()
    return Own()


def annotated_and_tabled(calls: Calls) -> Animation:
    """What only stands there: a table, an annotation, a legend."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1))
    (line,) = axes.plot([], [], label="wave")
    axes.annotate("here", (10, 0), (20, 0.5), arrowprops={"arrowstyle": "->"})
    axes.table([["a", "b"]], loc="lower center")
    axes.legend(loc="upper right")

    def step(number: int) -> tuple:
        line.set_data(np.arange(50), WAVE * number / 5)
        return (line,)

    return film(fig, step, 5, calls)


CONTRACT = [
    pendulum, rain, image, tight, walk, simulation, polar, blitted_with_init, several_axes,
    text_of_the_figure, artists, artists_blitted, timed, annotated_and_tabled,
]  # fmt: skip


# Scripts that do not, and what the warning says of each.


def decay(calls: Calls) -> Animation:
    """A curve that outgrows its axes, whose limits follow: more changes than what is returned."""
    fig = figure()
    axes = fig.add_subplot(ylim=(-1.1, 1.1), xlim=(0, 1))
    (line,) = axes.plot([], [], lw=2)
    x, y = [], []

    def data() -> Iterator[float]:
        for count in itertools.count():
            yield count / 10

    def step(t: float) -> tuple:
        x.append(t)
        y.append(np.sin(2 * np.pi * t) * np.exp(-t / 10))
        if t >= axes.get_xlim()[1]:
            axes.set_xlim(0, 2 * axes.get_xlim()[1])
        line.set_data(x, y)
        return (line,)

    return film(fig, step, data, calls, lambda: [line], save_count=13)


def silent(calls: Calls) -> Animation:
    """The function changes what persists, and returns nothing."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1))
    (line,) = axes.plot([], [])

    def step(number: int) -> None:
        line.set_data(np.arange(50), WAVE * number / 5)
        axes.set_title(f"number {number}")

    return film(fig, step, 4, calls)


def too_little(calls: Calls, change: Callable[[Figure, int], object]) -> Animation:
    """A function that changes more than the line that it returns, from the third frame on."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1), xlabel="time")
    (line,) = axes.plot([], [], label="wave")
    axes.legend(loc="upper left")
    axes.annotate("here", (10, 0), (20, 0.5), arrowprops={"arrowstyle": "->"})
    axes.table([["one", "two"]], loc="lower center")

    def step(number: int) -> tuple:
        line.set_data(np.arange(50), WAVE * number / 5)
        if number > 1:
            change(fig, number)
        return (line,)

    return film(fig, step, 5, calls)


def clears(calls: Calls) -> Animation:
    """Its axes are cleared, and everything is drawn anew."""
    fig = figure()
    axes = fig.add_subplot()

    def step(number: int) -> list:
        axes.clear()
        axes.set_title(f"number {number}")
        return axes.plot(WAVE * number)

    return film(fig, step, 4, calls)


def clears_its_figure(calls: Calls) -> Animation:
    fig = figure()

    def step(number: int) -> list:
        fig.clear()
        return fig.add_subplot(111).plot(WAVE * number)

    return film(fig, step, 3, calls)


def in_turns(calls: Calls) -> Animation:
    """Two lines of which every frame changes and returns another one."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 1), ylim=(0, 1))
    lines = [axes.plot([0, 1], [0.5, 0.5], lw=5)[0] for _ in range(2)]

    def step(number: int) -> tuple:
        line = lines[number % 2]
        line.set_ydata([number / 5, 0.5])
        return (line,)

    return film(fig, step, 4, calls, lambda: lines, blit=True)


def part_of_a_legend(calls: Calls) -> Animation:
    """A legend's text, which is returned, but which the legend draws."""
    fig = figure()
    axes = fig.add_subplot()
    axes.plot([0, 1], label="line")
    (text,) = axes.legend().get_texts()

    def step(number: int) -> tuple:
        text.set_text(f"line {number}")
        return (text,)

    return film(fig, step, 4, calls, lambda: [text])


def layout_that_follows(calls: Calls, first: int = 0, frames: int = 12) -> Animation:
    """A title that is returned, and at each size of which matplotlib lays the axes out anew."""
    fig = figure(layout="constrained")
    fig.subplots().plot([0, 1])
    title = fig.suptitle("one")

    def step(number: int) -> tuple:
        title.set_fontsize(10 + 2 * max(0, number - first))
        return (title,)

    return film(fig, step, frames, calls, lambda: [title])


def layout_that_follows_late(calls: Calls) -> Animation:
    return layout_that_follows(calls, first=4, frames=7)


def layout_and_undeclared(calls: Calls) -> Animation:
    """Labels that grow, which is not said, in axes that a layout engine places."""
    fig = figure(layout="constrained")
    axes = fig.subplots()
    (line,) = axes.plot(WAVE)

    def step(number: int) -> tuple:
        line.set_ydata(WAVE * number / 6)
        if number > 3:
            axes.set_ylabel("number\n" * number)
        return (line,)

    return film(fig, step, 6, calls)


def draws_by_itself(calls: Calls) -> Animation:
    """Each call draws the figure, after which nothing shows what has changed."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1))
    lines = [axes.plot([], [])[0] for _ in range(2)]

    def step(number: int) -> tuple:
        for factor, line in enumerate(lines):
            line.set_data(np.arange(50), WAVE * number / 5 * factor)
        fig.canvas.draw()
        return (lines[0],)

    return film(fig, step, 4, calls)


def turns(calls: Calls) -> Animation:
    """Three-dimensional axes seen from another side in each frame; the figure is returned."""
    fig = figure()
    axes = fig.add_subplot(projection="3d")
    axes.scatter(WAVE, WAVE**2, WAVE**3)

    def step(number: int) -> tuple:
        axes.view_init(30, 10 * number)
        return (fig,)

    return film(fig, step, 4, calls)


BROKEN = [
    (decay, "changes"),
    (silent, "does not return"),
    (clears, "returns Line2D.*a part of"),
    (clears_its_figure, "returns Line2D.*a part of"),
    (in_turns, "changes"),
    (part_of_a_legend, "returns Text.*a part of"),
    (layout_that_follows, "the layout changes with every frame"),
    (layout_that_follows_late, "changes Axes"),
    (layout_and_undeclared, "changes"),
    (draws_by_itself, "draws by itself"),
    (turns, "returns Figure"),
]


class Keep(PillowWriter):
    """Keeps what matplotlib saves, and writes nothing."""

    def __init__(self, *, transparent: bool = True) -> None:
        super().__init__(fps=10)
        self.kept: list[np.ndarray] = []
        self._transparent = transparent

    def _supports_transparency(self) -> bool:
        return self._transparent

    def finish(self) -> None:
        self.kept = [np.array(frame.convert("RGBA")) for frame in self._frames]


def saved_by_matplotlib(
    script: Script, *, times: int = 1, transparent: bool = True
) -> tuple[Sequence[np.ndarray], Calls]:
    calls: Calls = []
    writer = Keep(transparent=transparent)
    animation = script(calls)
    for _ in range(times):
        animation.save("unused.gif", writer=writer)
    return writer.kept, calls


def found(script: Script, *, transparent: bool = True) -> tuple[Sequence[np.ndarray], Calls]:
    calls: Calls = []
    return list(frames_of(script(calls), transparent=transparent)), calls


def check(ours: tuple[Sequence[np.ndarray], Calls], theirs: tuple[object, Calls]) -> None:
    assert ours[1] == theirs[1]
    np.testing.assert_array_equal(ours[0], theirs[0])
    assert any((frame != ours[0][0]).any() for frame in ours[0])  # else nothing is proved


@pytest.mark.parametrize("script", CONTRACT)
def test_what_keeps_the_contract_of_blitting_is_the_same_to_the_pixel(script) -> None:
    theirs = saved_by_matplotlib(script)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(found(script), theirs)


@pytest.mark.parametrize(("script", "cause"), BROKEN)
def test_what_does_not_keep_it_is_drawn_in_full_and_that_is_said(script, cause) -> None:
    theirs = saved_by_matplotlib(script)
    with pytest.warns(UserWarning, match=f"{cause}.*drawn in full") as caught:
        ours = found(script)
    assert len(caught) == 1
    check(ours, theirs)


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
}


@pytest.mark.parametrize("name", UNDECLARED)
def test_whatever_else_changes_is_noticed(name) -> None:
    def script(calls: Calls) -> Animation:
        return too_little(calls, UNDECLARED[name])

    theirs = saved_by_matplotlib(script)
    with pytest.warns(UserWarning, match="does not return.*drawn in full") as caught:
        ours = found(script)
    assert len(caught) == 1
    check(ours, theirs)


def beside_a_line(calls: Calls) -> Animation:
    """Three-dimensional axes turn, which leaves no trace, and the point of an annotation moves."""
    fig = figure()
    flat, deep = fig.add_subplot(121), fig.add_subplot(122, projection="3d")
    deep.plot(WAVE, WAVE**2, WAVE**3)
    (line,) = flat.plot(WAVE)
    note = flat.annotate("here", (10, 0), (20, 0.5), arrowprops={"arrowstyle": "->"})

    def step(number: int) -> tuple:
        line.set_ydata(WAVE * number / 5)
        deep.view_init(30, 10 * number)
        note.xy = 10 * number, 0
        return (line,)

    return film(fig, step, 5, calls)


def test_what_changes_without_a_trace_is_drawn_for_every_frame() -> None:
    check(found(beside_a_line), saved_by_matplotlib(beside_a_line))


@pytest.mark.parametrize("script", [simulation, clears, artists, decay])
@pytest.mark.filterwarnings("ignore:.*drawn in full")
def test_an_animation_may_be_saved_twice(script) -> None:
    theirs = saved_by_matplotlib(script, times=2)
    calls: Calls = []
    animation = script(calls)
    list(frames_of(animation))
    check((list(frames_of(animation)), calls), theirs)


@pytest.mark.parametrize("script", [pendulum, clears])
@pytest.mark.filterwarnings("ignore:.*drawn in full")
@pytest.mark.parametrize(
    "settings",
    [
        {"savefig.dpi": 61.5},
        {"savefig.facecolor": "lightblue", "savefig.edgecolor": "red"},
        {"savefig.transparent": True},
        {"savefig.bbox": "tight"},
    ],
)
@pytest.mark.parametrize("transparent", [True, False])
def test_matplotlibs_settings_of_saving_are_kept(script, settings, transparent) -> None:
    with mpl.rc_context(settings):
        theirs = saved_by_matplotlib(script, transparent=transparent)
        check(found(script, transparent=transparent), theirs)


def test_a_size_is_cut_to_whole_pixels_as_matplotlib_cuts_it() -> None:
    def script(calls: Calls) -> Animation:
        return pendulum(calls, figsize=(4.013, 3.017), dpi=100)

    theirs = saved_by_matplotlib(script)
    assert theirs[0][0].shape == (301, 401, 4)
    check(found(script), theirs)


def test_the_canvas_is_left_as_it_was() -> None:
    animation = pendulum([])
    canvas = animation._fig.canvas
    before = dict(vars(canvas))
    frames = frames_of(animation)
    next(frames)
    assert canvas.is_saving()
    frames.close()
    assert {**vars(canvas), "renderer": None} == {**before, "renderer": None}
    assert not canvas.is_saving()


def see_through(calls: Calls) -> Animation:
    return pendulum(calls, facecolor=(1, 0, 0, 0.3))


def test_a_transparent_figure_is_put_on_white_where_a_format_needs_that(tmp_path) -> None:
    for transparent in (True, False):
        theirs = saved_by_matplotlib(see_through, transparent=transparent)
        check(found(see_through, transparent=transparent), theirs)
    assert opaque(found(see_through)[0][0])[0, 0].tolist() == [255, 178, 178, 255]
    animate.save(see_through([]), tmp_path / "a.mp4")
    first = next(imageio.v3.imiter(tmp_path / "a.mp4"))
    np.testing.assert_allclose(first[0, 0], (255, 178, 178), atol=4)


@pytest.mark.parametrize("script", [pendulum, artists, timed])
def test_save_writes_any_animation_at_its_own_rate(script, tmp_path) -> None:
    calls: list[tuple[int, int | None]] = []
    animation = script([])
    animate.save(animation, tmp_path / "a.gif", progress_callback=lambda *call: calls.append(call))
    with Image.open(tmp_path / "a.gif") as picture:
        delays = [frame.info["duration"] for frame in ImageSequence.Iterator(picture)]
    assert set(delays) == {1000 / rate_of(animation)}
    assert calls == [(number, None) for number in range(len(delays))]
    animate.save(script([]), tmp_path / "b.webp", fps=10)
    with Image.open(tmp_path / "b.webp") as picture:
        assert picture.n_frames == len(delays)


def test_save_takes_our_own_animations_too(runs, tmp_path) -> None:
    film = animate.Animation(runs, size=(640, 360), timeline=[0, 1], fps=10)
    animate.save(film, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.n_frames, picture.size) == (2, (640, 360))


def test_an_animation_without_an_interval_needs_a_rate(tmp_path) -> None:
    def script() -> Animation:
        animation = pendulum([])
        animation._interval = 0
        return animation

    with pytest.raises(animate.InputError, match="give fps"):
        animate.save(script(), tmp_path / "a.gif")
    animate.save(script(), tmp_path / "a.gif", fps=20)
    assert (tmp_path / "a.gif").exists()


def test_an_error_of_the_function_is_passed_on_and_the_old_file_kept(tmp_path) -> None:
    fig = figure()
    (line,) = fig.add_subplot().plot(WAVE)

    def step(number: int) -> tuple:
        line.set_ydata(WAVE * (1 // (2 - number)))
        return (line,)

    (tmp_path / "a.gif").write_text("old")
    with pytest.raises(ZeroDivisionError):
        animate.save(film(fig, step, 4, []), tmp_path / "a.gif")
    assert (tmp_path / "a.gif").read_text() == "old"
    assert not fig.canvas.is_saving()


def test_matplotlibs_private_names_are_still_there() -> None:
    animation = pendulum([], blit=False)
    animation._draw_was_started = True
    for name in ("_fig", "_init_draw", "_draw_next_frame", "_interval"):
        assert hasattr(animation, name), name
    animation._draw_next_frame(0, blit=False)
    assert len(animation._drawn_artists) == 3
    frames = ArtistAnimation(figure(), [[]])
    assert frames._framedata == [[]]
    frames._draw_was_started = True
