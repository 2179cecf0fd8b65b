"""The stream of frames, against matplotlib's full redraw of the same figure."""

from collections.abc import Callable
from functools import wraps

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D, Bbox

from animate.drawing.tabular_text import TabularText
from animate.film.stream import Stream, merge_overlapping

Step = Callable[[int], object]


def figure() -> Figure:
    made = Figure((4, 3), dpi=80)
    FigureCanvasAgg(made)
    return made


def over_the_tick_labels() -> tuple[Figure, list[Artist], Step]:
    """A text that crosses the labels of an axis which is drawn after it."""
    made = figure()
    axes = made.add_subplot(xlim=(0, 1), ylim=(0, 1))
    mark = axes.text(0, -0.06, "####", color="tab:red", fontsize=16, zorder=1)
    return made, [mark], lambda number: mark.set_x(number / 10)


def over_a_legend() -> tuple[Figure, list[Artist], Step]:
    """A line under a legend that reaches beyond the axes whose clip it was given."""
    made = figure()
    axes = made.add_subplot(xlim=(0, 1), ylim=(0, 1))
    (line,) = axes.plot([], [], linewidth=20, clip_on=False, label="line")
    axes.legend(loc="center", bbox_to_anchor=(1, 0.5)).set_clip_path(axes.patch)
    return made, [line], lambda number: line.set_data([0.5, 1.2], [number / 10, 0.5])


def note_with_an_arrow() -> tuple[Figure, list[Artist], Step]:
    """A clipped note whose arrow is not."""
    made = figure()
    axes = made.add_subplot(xlim=(0, 1), ylim=(0, 1))
    note = axes.annotate(
        "here", (1.2, 0.5), (0.5, 0.5), arrowprops={"width": 4}, annotation_clip=False
    )
    note.set(clip_on=True, clip_box=axes.bbox)
    return made, [note], lambda number: note.set_position((0.5, number / 10))


def clock_in_a_box() -> tuple[Figure, list[Artist], Step]:
    """A text whose half transparent box is no part of its extent."""
    made = figure()
    clock = made.text(0.4, 0.5, "0", bbox={"facecolor": "tab:red", "alpha": 0.5, "pad": 20})
    return made, [clock], lambda number: clock.set_text(f"{number}")


def stroke_that_shrinks() -> tuple[Figure, list[Artist], Step]:
    """A text whose path effect is no part of its extent."""
    made = figure()
    text = made.text(0.4, 0.5, "here", fontsize=20)
    return made, [text], lambda number: text.set_path_effects([withStroke(linewidth=30 - number)])


def filter_that_leaves_the_clip() -> tuple[Figure, list[Artist], Step]:
    """A clipped line whose filtered picture is larger than the clip."""
    made = figure()
    axes = made.add_axes((0.4, 0.4, 0.2, 0.2), xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()
    (line,) = axes.plot([0, 1], [0, 1], linewidth=9, alpha=0.5)

    def wider(picture: np.ndarray, dpi: float) -> tuple[np.ndarray, int, int]:
        del dpi
        return np.pad(picture, ((30, 30), (30, 30), (0, 0)), mode="reflect"), -30, -30

    line.set_agg_filter(wider)
    return made, [line], lambda number: line.set_ydata([0, number / 10])


def clipped_to_nothing() -> tuple[Figure, list[Artist], Step]:
    """A line whose clip lies outside of the figure, before one that is seen."""
    made = figure()
    axes = made.add_axes((1.2, 0.4, 0.2, 0.2), xlim=(0, 1), ylim=(0, 1))
    seen = made.add_axes((0.2, 0.2, 0.5, 0.5), xlim=(0, 1), ylim=(0, 1))
    (line,), (other,) = axes.plot([0, 1], [0, 1]), seen.plot([0, 1], [0, 1])
    return made, [line, other], lambda number: other.set_ydata([0, number / 10])


def clip_that_comes_and_goes() -> tuple[Figure, list[Artist], Step]:
    """A line of axes that show nothing else, clipped in some frames only."""
    made = figure()
    axes = made.add_axes((0.4, 0.4, 0.2, 0.2), xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()
    (line,) = axes.plot([-1, 2], [0, 1], linewidth=9, alpha=0.5)

    def step(number: int) -> None:
        line.set_ydata([0, number / 10])
        line.set_clip_on(number != 4)

    return made, [line], step


def drawing_of_its_own() -> tuple[Figure, list[Artist], Step]:
    """A line of a class that draws a mark outside of its clip."""

    class Marked(Line2D):
        def draw(self, renderer: RendererBase) -> None:
            super().draw(renderer)
            renderer.draw_text(renderer.new_gc(), 20 + self.get_ydata()[1] * 50, 40, "o", font, 0)

    font = FontProperties(size=20)
    made = figure()
    axes = made.add_axes((0.4, 0.4, 0.2, 0.2), xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()
    line = axes.add_line(Marked([0, 1], [0, 1]))
    return made, [line], lambda number: line.set_ydata([0, number / 10])


def points_out_of_the_axes() -> tuple[Figure, list[Artist], Step]:
    """Points without a clip, whose extent matplotlib does not tell, under the spines."""
    made = figure()
    axes = made.add_subplot(xlim=(0, 1), ylim=(0, 1))
    points = axes.scatter([0, 1], [0.5, 0.5], s=900, clip_on=False)
    return made, [points], lambda number: points.set_offsets([[0, 0.5], [1, number / 10]])


def one_of_two_that_overlap() -> tuple[Figure, list[Artist], Step]:
    """Two lines that cross, of which one stands while the other moves."""
    made = figure()
    axes = made.add_subplot(xlim=(0, 1), ylim=(0, 1))
    (moves,) = axes.plot([0, 1], [0, 1], linewidth=9)
    (stands,) = axes.plot([0, 1], [1, 0], linewidth=9, alpha=0.5)
    return made, [moves, stands], lambda number: moves.set_ydata([0, number / 10])


def under_a_painted_subfigure() -> tuple[Figure, list[Artist], Step]:
    """A text under a subfigure whose ground reaches beyond all that it holds."""
    made = figure()
    _, right = made.subfigures(1, 2)
    right.set_facecolor("#00ff0080")
    right.add_axes((0.5, 0.5, 0.2, 0.2))
    text = made.text(0.6, 0.1, "0", fontsize=30, zorder=-5)
    return made, [text], lambda number: text.set_text(f"{number}")


@pytest.mark.quick(3)
@pytest.mark.parametrize(
    "make",
    [
        under_a_painted_subfigure,
        over_the_tick_labels,
        over_a_legend,
        note_with_an_arrow,
        clock_in_a_box,
        stroke_that_shrinks,
        filter_that_leaves_the_clip,
        clipped_to_nothing,
        clip_that_comes_and_goes,
        drawing_of_its_own,
        points_out_of_the_axes,
        one_of_two_that_overlap,
    ],
)
def test_a_frame_is_a_full_redraw_to_the_pixel(make: Callable) -> None:
    fig, moving, step = make()
    stream = Stream(fig, moving)
    for number in (0, 4, 4, 9, 2):
        step(number)
        found = stream.draw()
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        np.testing.assert_array_equal(found, np.asarray(canvas.buffer_rgba()))


def test_what_tells_that_it_looks_as_before_is_not_drawn_again(monkeypatch) -> None:
    drawn: list[str] = []
    draw = TabularText.draw

    @wraps(draw)
    def counted(self: TabularText, renderer: RendererBase) -> None:
        drawn.append(self.get_text())
        draw(self, renderer)

    monkeypatch.setattr(TabularText, "draw", counted)
    fig = figure()
    one, other = (TabularText(0.1, y, transform=fig.transFigure) for y in (0.2, 0.6))
    for text in (one, other):
        fig.add_artist(text)
        text.set(text="start", clip_on=True)
    one.set_clip_box(fig.add_subplot(2, 1, 2, frameon=False).bbox)
    other.set_clip_box(fig.add_subplot(2, 1, 1, frameon=False).bbox)
    stream = Stream(fig, [one, other])
    stream.draw()
    drawn.clear()
    before = stream.draw()
    assert drawn == []
    other.set_text("next")
    after = stream.draw()
    assert drawn == ["next"]
    assert (before != after).any()
    for change in (
        {"color": "red"},
        {"alpha": 0.5},
        {"fontsize": 20},
        {"x": 0.5},
        {"transform": Affine2D().scale(100, 250)},
        {"clip_box": Bbox([[0, 0], [55, 240]])},
        {"visible": False},
    ):
        other.set(**change)
        assert (after != (after := stream.draw())).any(), change


def test_two_streams_of_one_figure_do_not_disturb_each_other() -> None:
    fig = figure()
    text = TabularText(0.3, 0.3, "0", transform=fig.transFigure)
    fig.add_artist(text)
    one, other = Stream(fig, [text]), Stream(fig, [text])
    for digit in "01123":
        text.set_text(digit)
        np.testing.assert_array_equal(one.draw(), other.draw())


def together(boxes: list[tuple[int, ...]]) -> list[tuple[tuple[float, ...], list[int]]]:
    found = merge_overlapping([Bbox.from_extents(*box) for box in boxes])
    return [(tuple(box.extents), members) for box, members in found]


def test_boxes_that_overlap_come_together_also_by_way_of_others() -> None:
    left, right, apart = (0, 0, 4, 4), (8, 0, 12, 4), (0, 20, 3, 23)
    touching = (4, 0, 8, 4)
    assert together([left, right, apart, touching]) == [
        (left, [0]),
        (right, [1]),
        (apart, [2]),
        (touching, [3]),
    ]
    assert together([left, right, apart, (3, 1, 9, 2)]) == [
        (apart, [2]),
        ((0, 0, 12, 4), [0, 1, 3]),
    ]
    bridges = [(3, 5, 9, 9), (6, 3, 7, 6), (2, 3, 3, 6), (7, 0, 9, 1)]
    assert together([left, right, *bridges]) == [((0, 0, 12, 9), [0, 1, 2, 3, 4, 5])]
