"""
Small animations of every kind, as people write them.

Each is a function that returns an animation. It notes in `calls` which of the animation's functions
is called, and with what.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.patheffects
import numpy as np
from matplotlib.animation import Animation, ArtistAnimation, FuncAnimation, TimedAnimation
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform

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


# Scripts that return nothing, too little, or what is not drawn by itself.


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


def silent(calls: Calls, **style: object) -> Animation:
    """The function changes what persists, and returns nothing."""
    fig = figure(**style)
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


def clips_by_itself(calls: Calls) -> Animation:
    """An artist that draws two lines, and moves the box that clips them in between."""
    fig = figure()

    class Clipped(Artist):
        height = 0

        def draw(self, renderer: Any) -> None:
            context = renderer.new_gc()
            box = Bbox([[0, 0], [100, 100 + self.height]])
            context.set_clip_rectangle(box)
            for left in (50, 150):
                path = Path([[left, 0], [left, 240]])
                renderer.draw_path(context, path, IdentityTransform())
                box.set_points(np.array([[100, 0], [320, 50 + self.height]]))
            context.restore()

    clipped = Clipped()
    fig.add_artist(clipped)
    return steps(fig, lambda number: setattr(clipped, "height", 20 * number), calls)


# Changes that make nothing stale: arrays and transforms in place, views, points, texts.


def steps(fig: Figure, change: Callable[[int], object], calls: Calls, frames: int = 5) -> Animation:
    """An animation whose function returns nothing."""

    def step(number: int) -> None:
        change(number)

    return film(fig, step, frames, calls)


def image_in_place(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(title="picture")
    shown = axes.imshow(np.zeros((8, 8)), vmin=0, vmax=5)
    fig.colorbar(shown)

    def change(number: int) -> None:
        shown.get_array()[number] = number

    return steps(fig, change, calls)


def offsets_in_place(calls: Calls) -> Animation:
    fig = figure()
    points = fig.add_subplot(xlim=(0, 9), ylim=(0, 9)).scatter(range(9), range(9))

    def change(number: int) -> None:
        points.get_offsets()[:, 1] = (np.arange(9) * number) % 9

    return steps(fig, change, calls)


def arrows_in_place(calls: Calls) -> Animation:
    fig = figure()
    x, y = np.meshgrid(range(5), range(5))
    arrows = fig.add_subplot().quiver(x, y, np.ones((5, 5)), np.ones((5, 5)))

    def change(number: int) -> None:
        arrows.U[:] = np.cos(number)
        arrows.V[:] = np.sin(number)

    return steps(fig, change, calls)


def vertices_in_place(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 1), ylim=(0, 1))
    patch = axes.add_patch(Polygon([(0, 0), (1, 0), (1, 1)]))

    def change(number: int) -> None:
        patch.get_path().vertices[2] = number / 5, 0.5

    return steps(fig, change, calls)


def filled_in_place(calls: Calls) -> Animation:
    fig = figure()
    band = fig.add_subplot(ylim=(-2, 2)).fill_between(np.arange(50), WAVE, WAVE + 0.5)

    def change(number: int) -> None:
        band.get_paths()[0].vertices[5:20, 1] = number / 3

    return steps(fig, change, calls)


def turned_transform(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(xlim=(-2, 2), ylim=(-2, 2))
    turn = Affine2D()
    square = mpl.patches.Rectangle((0, 0), 1, 1, transform=turn + axes.transData)
    axes.add_patch(square)
    return steps(fig, lambda number: turn.clear().rotate(number), calls)


def line_in_place(calls: Calls) -> Animation:
    fig = figure()
    (line,) = fig.add_subplot(ylim=(-1, 1)).plot(WAVE)

    def change(number: int) -> None:
        line.get_path().vertices[:, 1] = WAVE * number / 5

    return steps(fig, change, calls)


def view_from_elsewhere(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(projection="3d")
    axes.plot(WAVE, WAVE**2, WAVE**3)
    return steps(fig, lambda number: axes.view_init(30, 20 * number), calls)


def points_in_space(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(projection="3d", xlim=(0, 9), ylim=(0, 9), zlim=(0, 9))
    points = axes.scatter(range(9), range(9), range(9))

    def change(number: int) -> None:
        points._offsets3d = (np.arange(9), np.arange(9), np.arange(9) * number % 9)

    return steps(fig, change, calls)


def surface_anew(calls: Calls) -> Animation:
    """A surface that is removed and plotted again, as the usual example of 3D does."""
    fig = figure()
    axes = fig.add_subplot(projection="3d", zlim=(-1, 1))
    x, y = np.meshgrid(np.linspace(-1, 1, 8), np.linspace(-1, 1, 8))
    plotted = [axes.plot_wireframe(x, y, x * y)]

    def change(number: int) -> None:
        plotted.pop().remove()
        plotted.append(axes.plot_wireframe(x, y, np.cos(number) * x * y))

    return steps(fig, change, calls)


def bars_in_space(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(projection="3d")

    def change(number: int) -> None:
        axes.clear()
        axes.bar3d([0, 1], [0, 1], [0, 0], 1, 1, [number + 1, 2])

    return steps(fig, change, calls, 3)


def box_of_space(calls: Calls) -> Animation:
    """Three-dimensional axes whose camera stays, while parts of their box change one by one."""
    fig = figure()
    axes = fig.add_subplot(projection="3d", xlim=(0, 9), ylim=(0, 9), zlim=(0, 9))
    (line,) = axes.plot([], [], [])
    axes.scatter([2, 5], [2, 5], [2, 5], s=300)
    changes: list[Callable[[], object]] = [
        lambda: axes.xaxis.pane.set_facecolor("lightblue"),
        lambda: axes.set_title("in space"),
        lambda: axes.tick_params(labelsize=6),
        lambda: axes.grid(visible=False),
        lambda: axes.set_zlabel("height"),
        lambda: axes.set_axis_off(),
        lambda: axes.set_axis_on(),
        lambda: axes.set_proj_type("persp", focal_length=0.3),
        lambda: axes.set_box_aspect((1, 2, 1)),
        lambda: axes.set_facecolor("wheat"),
        lambda: axes.set_visible(False),
        lambda: axes.set_visible(True),
        lambda: axes.set_position([0.2, 0.2, 0.5, 0.5]),
        lambda: axes.set_zlim(0, 5),
    ]

    def change(number: int) -> None:
        line.set_data_3d(np.arange(number + 1) % 9, np.arange(number + 1), np.arange(number + 1))
        if number % 2:
            changes[number // 2]()

    return steps(fig, change, calls, 2 * len(changes))


def parts_of_polar_axes(calls: Calls) -> Animation:
    """Polar axes whose parts change one by one."""
    fig = figure()
    axes: Any = fig.add_subplot(projection="polar", ylim=(0, 2))
    (line,) = axes.plot([], [])
    axes.bar([1, 2], [1, 1.5], 0.3)
    changes: list[Callable[[], object]] = [
        lambda: axes.set_theta_offset(0.5),
        lambda: axes.set_theta_direction(-1),
        lambda: axes.set_rorigin(-1),
        lambda: axes.set_title("a polar title"),
        lambda: axes.set_rlabel_position(80),
        lambda: axes.set_thetamax(200),
        lambda: axes.set_thetamin(20),
        lambda: axes.set_facecolor("wheat"),
        lambda: axes.set_rmax(3),
        lambda: axes.grid(visible=False),
        lambda: axes.set_visible(False),
        lambda: axes.set_visible(True),
        lambda: axes.set(thetamin=0, thetamax=360),
        lambda: axes.set_rscale("symlog"),
        lambda: axes.set_position([0.2, 0.2, 0.5, 0.5]),
        lambda: axes.set_xticks([0, 1, 2], ["a", "b", "c"]),
        lambda: axes.spines["polar"].set_linewidth(3),
    ]

    def change(number: int) -> None:
        line.set_data(np.linspace(0, 0.2 * number, 50), np.linspace(0, 2, 50))
        if number % 2:
            changes[number // 2]()

    return steps(fig, change, calls, 2 * len(changes))


def note_that_points(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1))
    axes.plot(WAVE)
    note = axes.annotate("here", (0, 0), (20, 0.5), arrowprops={"arrowstyle": "->"})

    def change(number: int) -> None:
        note.xy = 10 * number, WAVE[number]

    return steps(fig, change, calls)


def table_of_numbers(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot()
    table = axes.table([["a", "b"], ["c", "d"]], loc="center")

    def change(number: int) -> None:
        table[0, 1].get_text().set_text(f"{number}")

    return steps(fig, change, calls)


def colormap_and_limits(calls: Calls) -> Animation:
    """The limits of the colours change, with a colour bar that follows."""
    fig = figure()
    shown = fig.add_subplot().imshow(np.arange(64).reshape(8, 8))
    fig.colorbar(shown)
    return steps(fig, lambda number: shown.set_clim(0, 20 * (number + 1)), calls)


def font_in_place(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(title="larger and larger")
    axes.plot(WAVE)
    font = axes.title.get_fontproperties()
    return steps(fig, lambda number: font.set_size(8 + 2 * number), calls)


def dashes_of_the_user(calls: Calls) -> Animation:
    """Ticks whose labels come from a function that counts."""
    fig = figure()
    axes = fig.add_subplot()
    axes.plot(WAVE)
    count = [0]
    axes.xaxis.set_major_formatter(lambda _value, _place: f"{count[0]}")

    def change(number: int) -> None:
        count[0] = number

    return steps(fig, change, calls)


# Artists that are replaced, and axes that follow.


def contour_replaced(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(title="contours")
    x, y = np.meshgrid(np.linspace(-2, 2, 20), np.linspace(-2, 2, 20))
    drawn = [axes.contourf(x, y, x * y)]
    axes.plot([-2, 2], [-2, 2])

    def change(number: int) -> None:
        drawn.pop().remove()
        drawn.append(axes.contourf(x, y, np.cos(x * number) * y))

    return steps(fig, change, calls)


def mesh_of_colors(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot()
    mesh = axes.pcolormesh(np.arange(30).reshape(5, 6))
    return steps(fig, lambda number: mesh.set_array(np.arange(30) * number % 30), calls)


def twin_axes(calls: Calls) -> Animation:
    fig = figure()
    left = fig.add_subplot(title="both")
    right = left.twinx()
    (one,), (other,) = left.plot(WAVE), right.plot(WAVE, "C1")

    def change(number: int) -> None:
        one.set_ydata(WAVE * number)
        other.set_ydata(WAVE / (number + 1))
        right.relim()
        right.autoscale_view()

    return steps(fig, change, calls)


def inset(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(title="inset")
    axes.plot(WAVE)
    small = axes.inset_axes((0.6, 0.6, 0.35, 0.35))
    (line,) = small.plot(WAVE)
    axes.indicate_inset_zoom(small)

    def change(number: int) -> None:
        line.set_ydata(WAVE * number / 5)
        small.set_xlim(0, 10 * (number + 1))

    return steps(fig, change, calls)


def subfigures(calls: Calls) -> Animation:
    fig = figure()
    left, right = fig.subfigures(1, 2)
    left.suptitle("left")
    right.set_facecolor("lightgrey")
    (line,) = left.add_subplot(ylim=(-1, 1)).plot(WAVE)
    bars = right.add_subplot(ylim=(0, 5)).bar([1, 2], [1, 2])

    def change(number: int) -> None:
        line.set_ydata(WAVE * number / 5)
        bars[0].set_height(number)

    return steps(fig, change, calls)


def scrolling(calls: Calls) -> Animation:
    """Limits that move on with the data."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 10), ylim=(-1, 1))
    axes.plot(np.arange(50) / 2, WAVE)
    return steps(fig, lambda number: axes.set_xlim(number, number + 10), calls)


def autoscaled_log(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot(yscale="log")
    (line,) = axes.plot([1, 2], [1, 10])

    def change(number: int) -> None:
        line.set_data(range(number + 2), 10.0 ** np.arange(number + 2))
        axes.relim()
        axes.autoscale_view()

    return steps(fig, change, calls)


def legend_that_moves(calls: Calls) -> Animation:
    """The legend takes the best place, which depends on the data."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1))
    (line,) = axes.plot(WAVE, label="wave")
    axes.legend()
    return steps(fig, lambda number: line.set_ydata(np.roll(WAVE, 10 * number)), calls)


def fractional_size(calls: Calls) -> Animation:
    return silent(calls, figsize=(4.013, 3.017), dpi=100)


def equal_aspect(calls: Calls) -> Animation:
    """Axes whose shape follows the limits, beside a colour bar that follows the axes."""
    fig = figure()
    axes = fig.add_subplot()
    shown = axes.imshow(np.arange(30).reshape(5, 6))
    fig.colorbar(shown, ax=axes)
    return steps(fig, lambda number: shown.set_extent((0, 5 + number, 0, 5)), calls)


def constrained_with_a_clock(calls: Calls) -> Animation:
    """A title that tells the time, and an image with a colour bar, in a constrained layout."""
    fig = figure(layout="constrained")
    axes = fig.subplots()
    shown = axes.imshow(np.zeros((5, 6)), vmin=0, vmax=5)
    fig.colorbar(shown)
    fig.suptitle("clock")

    def change(number: int) -> None:
        shown.set_data(np.full((5, 6), number))
        axes.set_title(f"t = {number * 100}")

    return steps(fig, change, calls)


def layout_of_cleared_axes(calls: Calls, layout: str = "constrained") -> Animation:
    """Axes that are cleared beside a colour bar, which a layout engine places."""
    fig = figure(layout=layout)
    left, right = fig.subplots(1, 2)
    shown = right.imshow(np.arange(30).reshape(5, 6))
    fig.colorbar(shown)

    def change(number: int) -> None:
        left.clear()
        left.plot(WAVE * 10.0**number)
        left.set_ylabel("number\n" * (1 + number % 2))
        shown.set_clim(0, 10.0**number)

    return steps(fig, change, calls, 4)


def tight_layout_of_cleared_axes(calls: Calls) -> Animation:
    return layout_of_cleared_axes(calls, "tight")


def compressed_layout_of_cleared_axes(calls: Calls) -> Animation:
    return layout_of_cleared_axes(calls, "compressed")


def layout_that_settles_slowly(calls: Calls) -> Animation:
    """Axes of equal scales in a tight layout, which moves them a little less in each drawing."""
    fig = figure(layout="tight")
    left, right = fig.subplots(1, 2)
    left.set(aspect="equal", xlim=(0, 10), ylim=(0, 3000), ylabel="of two\nlines")
    right.set(xlim=(0, 50), ylim=(-1, 1))
    (line,) = right.plot(WAVE)
    return steps(fig, lambda number: line.set_ydata(WAVE * number / 5), calls, 3)


def layout_by_hand(calls: Calls) -> Animation:
    """A function that lays the figure out itself, and measures a text."""
    fig = figure()
    axes = fig.add_subplot()
    axes.plot(WAVE)
    text = axes.text(0, 0, "measured")

    def change(number: int) -> None:
        axes.set_ylabel("y\n" * (number + 1))
        fig.tight_layout()
        text.set_x(text.get_window_extent().width / 10)

    return steps(fig, change, calls)


def told_of_each_drawing(calls: Calls) -> Animation:
    """Somebody changes the figure whenever it has been drawn."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1))
    (line,) = axes.plot(WAVE)
    drawn: list[int] = []

    def on_draw(event: object) -> None:
        del event
        drawn.append(1)
        axes.set_title(f"drawn {len(drawn)} times")

    fig.canvas.mpl_connect("draw_event", on_draw)
    return steps(fig, lambda number: line.set_ydata(WAVE * number / 5), calls)


def figure_of_its_own(calls: Calls) -> Animation:
    """A class of figure that draws something over its artists."""

    class Stamped(Figure):
        def draw(self, renderer: Any) -> None:
            super().draw(renderer)
            mpl.text.Text(20 + 9 * len(calls), 20, "stamp", figure=self).draw(renderer)

    fig = Stamped(figsize=(4, 3), dpi=80)
    FigureCanvasAgg(fig)
    (line,) = fig.add_subplot(ylim=(-1, 1)).plot(WAVE)
    return steps(fig, lambda number: line.set_ydata(WAVE * number / 5), calls)


def shared_axes(calls: Calls) -> Animation:
    fig = figure()
    upper, lower = fig.subplots(2, 1, sharex=True)
    (one,), (other,) = upper.plot(WAVE), lower.plot(WAVE)
    upper.set_title("shared")

    def change(number: int) -> None:
        one.set_ydata(WAVE * number / 5)
        other.set_ydata(WAVE * number)
        if number == 3:
            lower.set_xlim(0, 20)

    return steps(fig, change, calls)


def dates(calls: Calls) -> Animation:
    fig = figure()
    axes = fig.add_subplot()
    days = np.datetime64("2024-01-01") + np.arange(50)
    (line,) = axes.plot(days, WAVE)
    fig.autofmt_xdate()

    def change(number: int) -> None:
        line.set_data(days[: 10 * number + 5], WAVE[: 10 * number + 5])
        axes.relim()
        axes.autoscale_view()

    return steps(fig, change, calls)


def mathematics(calls: Calls) -> Animation:
    fig = figure()
    text = fig.add_subplot().text(0.2, 0.5, "", fontsize=20, rotation=30)
    return steps(fig, lambda number: text.set_text(rf"$\frac{{{number}}}{{\alpha}}$"), calls)


def hatched_and_sketched(calls: Calls) -> Animation:
    with mpl.rc_context({"path.sketch": (1, 100, 2)}):
        fig = figure()
        axes = fig.add_subplot(ylim=(0, 5))
        bars = axes.bar([1, 2, 3], [1, 2, 3], hatch="//")
    return steps(fig, lambda number: bars[1].set_height(number), calls)


def filtered(calls: Calls) -> Animation:
    """A line with a shadow, by a filter of its pixels, and a text with an outline."""
    fig = figure()
    axes = fig.add_subplot(ylim=(-1, 1))
    (line,) = axes.plot(WAVE, lw=3)
    text = axes.text(10, 0, "outline", fontsize=20)
    text.set_path_effects([mpl.patheffects.withStroke(linewidth=4, foreground="red")])

    def shadow(picture: np.ndarray, dpi: float) -> tuple[np.ndarray, int, int]:
        del dpi
        return picture * 0.5, 3, -3

    line.set_agg_filter(shadow)

    def change(number: int) -> None:
        line.set_ydata(WAVE * number / 5)
        text.set_x(number * 5)

    return steps(fig, change, calls)


def many_shapes(calls: Calls) -> Animation:
    """Shapes of every class that matplotlib offers, of which one turns."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 10), ylim=(0, 10))
    patches = mpl.patches
    wedge = patches.Wedge((2, 2), 1, 0, 90)
    for shape in (
        wedge,
        patches.Ellipse((5, 5), 3, 1, angle=30),
        patches.FancyBboxPatch((6, 6), 2, 1),
        patches.FancyArrowPatch((1, 8), (4, 9)),
        patches.RegularPolygon((8, 2), 5),
    ):
        axes.add_patch(shape)
    axes.axline((0, 0), slope=1)
    axes.stem([1, 2], [3, 4])
    axes.errorbar([4, 5], [2, 3], yerr=1, xerr=0.5)
    axes.hexbin([1, 2, 3], [1, 2, 3], gridsize=5, alpha=0.3)
    return steps(fig, lambda number: wedge.set_theta2(60 * number), calls)


def in_and_out(calls: Calls) -> Animation:
    """Artists that appear, vanish, and change their place in the order."""
    fig = figure()
    axes = fig.add_subplot(xlim=(0, 50), ylim=(-1, 1))
    (front,), (back,) = axes.plot(WAVE, lw=9), axes.plot(-WAVE, lw=9)

    def change(number: int) -> None:
        front.set_visible(number != 1)
        back.set_zorder(1 if number > 2 else 3)
        if number == 3:
            axes.axhspan(-0.5, 0.5, color="tab:green", zorder=2.5)

    return steps(fig, change, calls)


def settings_in_between(calls: Calls) -> Animation:
    """The function changes matplotlib's settings for what is drawn."""
    fig = figure()
    axes = fig.add_subplot()
    axes.plot(np.arange(50), -1000 * WAVE)

    def change(number: int) -> None:
        mpl.rcParams["axes.unicode_minus"] = number % 2 == 0

    return steps(fig, change, calls)


def seaborn_anew(calls: Calls) -> Animation:
    import seaborn

    fig = figure()
    axes = fig.add_subplot()
    data = np.random.default_rng(1).normal(size=(30, 3))

    def change(number: int) -> None:
        axes.clear()
        seaborn.heatmap(data[: 5 + number], ax=axes, cbar=False)

    return steps(fig, change, calls, 3)


def network(calls: Calls) -> Animation:
    import networkx

    fig = figure()
    axes = fig.add_subplot()
    graph = networkx.cycle_graph(6)
    places = networkx.circular_layout(graph)

    def change(number: int) -> None:
        axes.clear()
        colors = ["r" if node == number else "b" for node in graph]
        networkx.draw(graph, places, ax=axes, node_color=colors, with_labels=True)

    return steps(fig, change, calls, 3)


KINDS: list[Script] = [
    pendulum, rain, image, tight, walk, simulation, polar, blitted_with_init, several_axes,
    text_of_the_figure, artists, artists_blitted, timed, annotated_and_tabled, decay, silent,
    clears, clears_its_figure, in_turns, part_of_a_legend, layout_that_follows,
    layout_that_follows_late, layout_and_undeclared, draws_by_itself, clips_by_itself,
    turns, image_in_place,
    offsets_in_place, arrows_in_place, vertices_in_place, filled_in_place, turned_transform,
    line_in_place, view_from_elsewhere, points_in_space, surface_anew, bars_in_space,
    box_of_space, parts_of_polar_axes,
    note_that_points, table_of_numbers, colormap_and_limits, font_in_place, dashes_of_the_user,
    contour_replaced, mesh_of_colors, twin_axes, inset, subfigures, scrolling, autoscaled_log,
    legend_that_moves, fractional_size, equal_aspect, constrained_with_a_clock,
    layout_of_cleared_axes, tight_layout_of_cleared_axes, compressed_layout_of_cleared_axes,
    layout_that_settles_slowly, layout_by_hand, told_of_each_drawing, figure_of_its_own,
    shared_axes, dates, mathematics,
    hatched_and_sketched, filtered, many_shapes, in_and_out, settings_in_between, seaborn_anew,
    network,
]  # fmt: skip
