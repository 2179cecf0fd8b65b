"""Animations after five in matplotlib's gallery are saved fast, and as matplotlib would."""

import itertools
import warnings
from collections.abc import Callable, Iterator

import imageio.v3
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

import animate
from animate.animation.others import frames_of, opaque, rate_of


def figure(**style: object) -> Figure:
    made = Figure((4, 3), dpi=80, **style)  # type: ignore[arg-type]
    FigureCanvasAgg(made)
    return made


def pendulum(blit: bool = True) -> FuncAnimation:
    """A line, its trace and a clock, which are returned."""
    fig = figure()
    axes = fig.add_subplot(xlim=(-2, 2), ylim=(-2, 1), aspect="equal")
    axes.grid()
    (rods,) = axes.plot([], [], "o-", lw=2)
    (trace,) = axes.plot([], [], ".-", lw=1, ms=2)
    clock = axes.text(0.05, 0.9, "", transform=axes.transAxes)
    angles = np.cumsum(np.sin(np.arange(24)))

    def step(number: int) -> tuple:
        angle = angles[number]
        x, y = np.sin(angle) + np.sin(2 * angle), -np.cos(angle) - 0.5 * np.cos(3 * angle)
        rods.set_data([0, np.sin(angle), x], [0, -np.cos(angle), y])
        trace.set_data(np.sin(angles[:number]), -np.cos(angles[:number]))
        clock.set_text(f"time = {number * 0.1:.1f}s")
        return rods, trace, clock

    return FuncAnimation(fig, step, 24, interval=50, blit=blit)


def rain() -> FuncAnimation:
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

    return FuncAnimation(fig, step, 12)


def image() -> FuncAnimation:
    """A picture that changes under axes, ticks and a title."""
    fig = figure(layout="constrained")
    axes = fig.subplots()
    axes.set_title("waves")
    x, y = np.meshgrid(np.linspace(0, 6, 60), np.linspace(0, 6, 50))
    shown = axes.imshow(np.sin(x) + np.cos(y), extent=(0, 6, 0, 6))

    def step(number: int) -> list:
        shown.set_data(np.sin(x + number / 3) + np.cos(y + number / 5))
        return [shown]

    return FuncAnimation(fig, step, 8, init_func=lambda: [shown])


def decay() -> FuncAnimation:
    """A curve that outgrows its axes, whose limits follow: more changes than what is returned."""
    fig = figure()
    axes = fig.add_subplot(ylim=(-1.1, 1.1), xlim=(0, 1))
    (line,) = axes.plot([], [], lw=2)
    x, y = [], []

    def data() -> Iterator[tuple[float, float]]:
        for count in itertools.count():
            t = count / 10
            yield t, np.sin(2 * np.pi * t) * np.exp(-t / 10)

    def step(point: tuple[float, float]) -> tuple:
        x.append(point[0])
        y.append(point[1])
        if point[0] >= axes.get_xlim()[1]:
            axes.set_xlim(0, 2 * axes.get_xlim()[1])
        line.set_data(x, y)
        return (line,)

    return FuncAnimation(fig, step, data, save_count=25, init_func=lambda: [line])


def walk() -> FuncAnimation:
    """Walks in three dimensions, whose axes draw themselves in a way of their own."""
    fig = figure()
    axes = fig.add_subplot(projection="3d", xlim=(-3, 3), ylim=(-3, 3), zlim=(-3, 3))
    steps = np.cumsum(np.random.default_rng(2).normal(size=(4, 10, 3)) / 2, axis=1)
    lines = [axes.plot([], [], [])[0] for _ in steps]

    def step(number: int) -> list:
        for line, way in zip(lines, steps, strict=True):
            line.set_data_3d(way[:number].T)
        return lines

    return FuncAnimation(fig, step, 10)


def in_turns() -> FuncAnimation:
    """Two lines of which every frame changes and returns another one."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 1), ylim=(0, 1))
    lines = [axes.plot([0, 1], [0.5, 0.5], lw=5)[0] for _ in range(2)]

    def step(number: int) -> tuple:
        line = lines[number % 2]
        line.set_ydata([number / 5, 0.5])
        return (line,)

    return FuncAnimation(fig, step, 4, blit=True, init_func=lambda: lines)


def part_of_a_legend() -> FuncAnimation:
    """A legend's text, which is returned, but which the legend draws."""
    fig = figure()
    axes = fig.add_subplot()
    axes.plot([0, 1], label="line")
    (text,) = axes.legend().get_texts()

    def step(number: int) -> tuple:
        text.set_text(f"line {number}")
        return (text,)

    return FuncAnimation(fig, step, 4, init_func=lambda: [text])


def layout_that_follows() -> FuncAnimation:
    """A title that is returned, and at each size of which matplotlib lays the axes out anew."""
    fig = figure(layout="constrained")
    fig.subplots().plot([0, 1])
    title = fig.suptitle("one")

    def step(number: int) -> tuple:
        title.set_fontsize(10 + 6 * number)
        return (title,)

    return FuncAnimation(fig, step, 4, init_func=lambda: [title])


def saved_by_matplotlib(animation: FuncAnimation) -> list[np.ndarray]:
    kept: list[np.ndarray] = []

    class Keep(PillowWriter):
        def finish(self) -> None:
            kept.extend(np.array(frame.convert("RGBA")) for frame in self._frames)

    animation.save("unused.gif", writer=Keep(fps=10))
    return kept


@pytest.mark.parametrize("make", [pendulum, rain, image, walk])
def test_what_keeps_the_contract_of_blitting_is_fast_and_the_same_to_the_pixel(make) -> None:
    expected = saved_by_matplotlib(make())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = list(frames_of(make()))
    np.testing.assert_array_equal(found, expected)


def silent() -> FuncAnimation:
    """As `pendulum`, but the function returns nothing."""
    animation = pendulum(blit=False)
    step = animation._func

    def and_no_more(number: int) -> None:
        step(number)

    animation._func = and_no_more
    return animation


def untrue() -> FuncAnimation:
    """As `pendulum`, but half way through the title changes, which is not returned."""
    animation = pendulum(blit=False)
    step = animation._func

    def also(number: int) -> object:
        if number == 10:
            animation._fig.axes[0].set_title("half way")
        return step(number)

    animation._func = also
    return animation


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (decay, "changes"),
        (silent, "does not return"),
        (untrue, "half way.*does not return"),
        (in_turns, "changes"),
        (part_of_a_legend, "returns Text.*a part of"),
        (layout_that_follows, "changes"),
    ],
)
def test_what_does_not_keep_it_is_drawn_in_full_and_that_is_said(make, cause) -> None:
    expected = saved_by_matplotlib(make())
    with pytest.warns(UserWarning, match=f"{cause}.*drawn in full") as caught:
        found = list(frames_of(make()))
    assert len(caught) == 1
    np.testing.assert_array_equal(found, expected)


def test_a_transparent_figure_is_saved_on_white_where_a_format_needs_that(tmp_path) -> None:
    def make() -> FuncAnimation:
        animation = pendulum()
        animation._fig.patch.set_alpha(0.3)
        animation._fig.patch.set_facecolor("red")
        return animation

    found = list(frames_of(make()))
    np.testing.assert_array_equal(found, saved_by_matplotlib(make()))
    assert opaque(found[0])[0, 0].tolist() == [255, 178, 178, 255]
    saved(make, tmp_path / "a.mp4")
    first = next(imageio.v3.imiter(tmp_path / "a.mp4"))
    np.testing.assert_allclose(first[0, 0], (255, 178, 178), atol=4)


def saved(make: Callable[[], FuncAnimation], path: object, **options: object) -> FuncAnimation:
    animation = make()
    animate.save(animation, path, **options)  # type: ignore[arg-type]
    animation._draw_was_started = True  # matplotlib warns of what it has never drawn itself
    return animation


def test_save_writes_any_animation_at_its_own_rate(tmp_path) -> None:
    calls: list[tuple[int, int | None]] = []
    saved(pendulum, tmp_path / "a.gif", progress_callback=lambda *call: calls.append(call))
    with Image.open(tmp_path / "a.gif") as picture:
        delays = [frame.info["duration"] for frame in ImageSequence.Iterator(picture)]
    assert delays == [50] * 24
    assert calls == [(number, None) for number in range(24)]
    assert rate_of(saved(pendulum, tmp_path / "b.webp", fps=10)) == 20


def test_save_takes_our_own_animations_too(runs, tmp_path) -> None:
    film = animate.Animation(runs, size=(640, 360), timeline=[0, 1], fps=10)
    animate.save(film, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.n_frames, picture.size) == (2, (640, 360))


def test_matplotlibs_private_names_are_still_there() -> None:
    animation = pendulum(blit=False)
    animation._draw_was_started = True
    for name in ("_fig", "_init_draw", "_draw_frame", "_interval"):
        assert hasattr(animation, name), name
    animation._draw_frame(0)
    assert len(animation._drawn_artists) == 3
