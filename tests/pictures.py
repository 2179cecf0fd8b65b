"""What a reader sees in a picture, found among the artists of its figure."""

import re
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.contour import ContourSet
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text

from animate import Line
from animate.drawing.scene import Scene
from animate.drawing.views import VIEWS

# Those that can show any run of a line.
VIEWS_OF_A_LINE = [
    name for name in VIEWS if name not in ("metric", "boundary", "range", "random_plane")
]


NAMES = "learning rate", "rate ", "lr "  # with which the name of a run begins


@dataclass(frozen=True)
class Heading:
    """What stands above the panels of one run; `key` is its line and marker."""

    name: Text
    loss: Text
    detail: Text
    verdict: Text
    key: Line2D
    rest: tuple[Text, ...] = ()  # further lines of the verdict


def headings(scene: Scene, *names: str) -> list[Heading]:
    """
    Return the headings in the order of the runs, their parts found by where they stand.

    Runs with labels of their own are found by the beginnings of their `names`.
    """
    moving = [text for text in outside_panels(scene, Text) if text in scene.moving]
    keys = outside_panels(scene, Line2D)
    names = names or NAMES
    form, found = scene.layout.heading, []
    for name in outside_panels(scene, Text):
        if name.get_text().startswith(names) and name not in moving:
            left = place(name)[0]
            spots = []
            for at in (form.loss, form.detail, *form.verdict):
                there = spot_place(scene, name, at)
                apart = [np.abs(place(text) - there).sum() for text in moving]
                spots.append(moving[int(np.argmin(apart))])
            beside = [key for key in keys if place(key)[0] > left and same_line(key, name)]
            key = min(beside, key=lambda line: place(line)[0], default=None)
            loss, detail, verdict, *rest = spots
            found.append(Heading(name, loss, detail, verdict, key, tuple(rest)))
    return found


def spot_place(scene: Scene, name: Text, spot: tuple[float, int]) -> np.ndarray:
    """Return about where a text at a spot of the heading with this name is anchored, in pixels."""
    left, top = place(name)
    across, line = spot
    return np.array([left + across * scene.layout.em, top - 1.4 * line * scene.layout.em])


def legend_names(scene: Scene, axes: Axes) -> list[str]:
    """Return the names in the legend of a panel, inside it or beside the caption above it."""
    legend = axes.get_legend()
    if legend is not None:
        return [text.get_text() for text in legend.get_texts()]
    box = axes.bbox
    keys = [
        key
        for key in outside_panels(scene, Line2D)
        if box.x0 < place(key)[0] and 0 < place(key)[1] - box.y1 < 2 * scene.layout.em
    ]
    named = []
    for key in sorted(keys, key=lambda line: place(line)[0]):
        beside = [text for text in outside_panels(scene, Text) if same_line(text, key)]
        right = [text for text in beside if place(text)[0] > place(key)[0]]
        named.append(min(right, key=lambda text: place(text)[0]).get_text())
    return named


def outside_panels(scene: Scene, kind: type) -> list:
    """Return the visible artists of this kind that the figure itself holds, as they were made."""
    children = scene.figure.get_children()
    return [child for child in children if isinstance(child, kind) and child.get_visible()]


def place(artist: Text | Line2D) -> np.ndarray:
    """Return where a text is anchored or a line starts, in pixels."""
    start = artist.get_position() if isinstance(artist, Text) else artist.get_xydata()[0]
    return artist.get_transform().transform(start)


def same_line(one: Text | Line2D, other: Text | Line2D) -> bool:
    return abs(place(one)[1] - place(other)[1]) < 1


def titles(scene: Scene) -> list[Text]:
    """Return the bold texts that name no run, without an empty one."""
    bold = [text for text in outside_panels(scene, Text) if text.get_weight() == "bold"]
    name = re.compile(r"(learning rate|rate|lr) [\d.]+$")
    return [text for text in bold if text.get_text() and not name.match(text.get_text())]


def epoch_text(scene: Scene) -> Text:
    (text,) = [text for text in outside_panels(scene, Text) if text.get_text().startswith("epoch ")]
    return text


def progress(scene: Scene) -> tuple[float, float]:
    """Return where the bar of what is done starts and ends, as shares of the whole time line."""
    thin = [bar for bar in outside_panels(scene, Rectangle) if bar.get_height() < 0.05]
    whole, done = thin  # the one over the other
    assert done.get_y() == whole.get_y()
    start, end = done.get_x(), done.get_x() + done.get_width()
    return (start - whole.get_x()) / whole.get_width(), (end - whole.get_x()) / whole.get_width()


def lines(axes: Axes, color: str) -> list[Line2D]:
    """Return the visible lines of this colour that hold data, curves and single marks alike."""
    return [
        line
        for line in axes.get_lines()
        if line.get_color() == color and line.get_visible() and len(line.get_xdata())
    ]


def curves(axes: Axes, color: str) -> list[Line2D]:
    return [line for line in lines(axes, color) if line.get_linestyle() != "None"]


def marks(axes: Axes, color: str) -> list[Line2D]:
    """Return the lines of this colour that are markers alone: heads, named places."""
    return [line for line in lines(axes, color) if line.get_linestyle() == "None"]


def named_lines(axes: Axes) -> dict[str, Line2D]:
    """Return the lines that have a label for the legend."""
    found = {str(line.get_label()): line for line in axes.get_lines()}
    return {name: line for name, line in found.items() if not name.startswith("_")}


def trail(axes: Axes) -> LineCollection:
    """Return the segments of a panel: the lines or jumps before this one, or the other runs'."""
    (found,) = [part for part in axes.collections if isinstance(part, LineCollection)]
    return found


def contour_lines(axes: Axes) -> ContourSet:
    (found,) = [p for p in axes.collections if isinstance(p, ContourSet) and not p.filled]
    return found


def notes(axes: Axes) -> dict[str, Text]:
    """Return the texts inside a panel that are seen."""
    return {text.get_text(): text for text in axes.texts if text.get_visible() and text.get_text()}


def named_places(axes: Axes) -> dict[str, tuple[float, float]]:
    """Return what a panel's annotations say, and of which place."""
    return {note.get_text(): tuple(note.xy) for note in axes.findobj(Annotation)}


def inputs(problem: Line) -> np.ndarray:
    """Return the x of a problem's points, shape (n,)."""
    return problem.x.reshape(len(problem.y), -1)[:, 0]
