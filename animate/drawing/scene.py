"""
Scene: the panels of all views and runs on one Figure, with title, headers and timeline.

`Scene.draw(moment)` depends only on the moment. A scene does not know the moments of a film, or
the format of its output.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox, TransformedBbox

from animate.drawing.clock import Clock
from animate.drawing.dashes import whole_dashes
from animate.drawing.layout import GAP, Box, Layout, arrange
from animate.drawing.medium import FILM, Medium
from animate.drawing.run_header import RunHeader
from animate.drawing.tabular_text import TabularText
from animate.drawing.text import replace_missing_glyphs, text_width, truncate
from animate.drawing.theme import RunStyle, Theme, load_theme
from animate.drawing.views import Panel, View, load_views
from animate.drawing.views.requirements import check_views, default_views
from animate.system import defaults, validation
from animate.system.errors import InputError
from animate.training.problem import NamesWeights, provides
from animate.training.trajectory import Runs, Trajectory, labels

DPI = 72  # a point is then a pixel, and no size is rounded
LINE_TITLES = "One line, fitted by gradient descent", "What does the learning rate do?"
OTHER_TITLES = "One training run", "Training runs, side by side"
AnyArtist = TypeVar("AnyArtist", bound=Artist)
Views = str | type[View] | Sequence[str | type[View]]
TEXT_MIDDLE = 0.26  # em, from the baseline to the vertical center of a line
KEY, KEY_GAP = 3.2, 0.8  # em
TITLE_SIZE, EPOCH_SIZE, NAME_SIZE = 1.35, 1.1, 1.25  # em
# Of the labels that follow from settings, in the order in which they are used.
ABBREVIATIONS = (
    ("learning rate", "lr"), ("batches of", "batch"), ("no momentum", "β 0"), ("momentum", "β"),
)  # fmt: skip


class ThemedFigure(Figure):
    """A Figure that is always drawn with its own theme, whatever the rcParams are then."""

    def __init__(self, theme: Theme, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.theme = theme

    def draw(self, renderer: RendererBase) -> None:
        """Draw the figure with its theme applied."""
        with self.theme.applied():
            super().draw(renderer)


def make_figure(size: tuple[int, int], theme: Theme) -> ThemedFigure:
    """Return an empty figure of `size` pixels, with an Agg canvas."""
    width, height = size
    figure = ThemedFigure(theme, figsize=(width / DPI, height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def add_background(parent: Figure | SubFigure, theme: Theme) -> None:
    """Fill `parent` with the background of `theme`."""
    # A separate artist, since savefig may recolour the patch of the figure.
    parent.patch.set_facecolor("none")
    parent.add_artist(
        Rectangle(
            (0, 0),
            1,
            1,
            transform=parent.transSubfigure,
            facecolor=theme.background,
            edgecolor="none",
            antialiased=False,
            zorder=-10,
        )
    )


def add_panel_axes(
    parent: Figure | SubFigure,
    bounds: tuple[float, float, float, float],
    theme: Theme,
    em: float,
    *,
    labelleft: bool = True,
    labelbottom: bool = True,
) -> Axes:
    """
    Add the axes of a panel, which have neither frame nor tick marks.

    `bounds` are left, bottom, width and height, relative to the figure. It has tick labels at the
    sides that are asked for.
    """
    axes = parent.add_axes(bounds, facecolor=theme.panel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=theme.muted, linewidth=em / 18)
    axes.grid(axis="y", color=theme.faint, alpha=to_rgba(theme.faint)[3], linewidth=em / 18)
    axes.tick_params(
        length=0,
        pad=0.35 * em,
        labelsize=em,
        labelcolor=theme.muted,
        labelleft=labelleft,
        labelbottom=labelbottom,
    )
    return axes


def add_legend_key(
    parent: Figure | SubFigure,
    start: tuple[float, float],
    size: tuple[int, int],
    style: RunStyle,
    em: float,
) -> float:
    """
    Draw line and marker of a run from the pixel `start` to the right, as in its panels.

    Returns the length in pixels.
    """
    length = whole_dashes(style.dash, 0.17, KEY) * em
    (left, y), (width, height) = start, size
    parent.add_artist(
        Line2D(
            np.array([left, left + length / 2, left + length]) / width,
            [y / height] * 3,
            transform=parent.transSubfigure,
            color=style.line,
            linewidth=0.17 * em,
            linestyle=style.dash,
            marker=style.marker,
            markevery=[1],
            markersize=0.62 * em,
            markeredgewidth=0,
        )
    )
    return length


class Scene:
    """
    Views of runs on one figure, drawn for any moment.

    Parameters
    ----------
    runs : sequence of Trajectory, or one
        At most 12. They may differ in length, and in their problem if the views allow it.
    views : view names or View classes, or one, optional
        By default those of a ready problem; of any other, fit with one input or boundary with two,
        and loss; else those of loss and weights for which there are records.
    size : (int, int)
        Width and height in pixels.
    theme : str or Theme
        A Theme, or a name or file for `load_theme`.
    title : str, optional
        Plain text; an empty string for no title.
    data : mapping, optional
        The result of `precompute` for the names in `View.needs`.
    parent : Figure or SubFigure, optional
        The figure to draw in, `size` pixels large; by default a new one.
    medium : Medium
        What the picture is made for.
    states_moment : bool
        Whether the moment stands above the panels. In a still, this is all that tells it.

    Attributes
    ----------
    figure : Figure
    moving : list of Artist
        All artists that `draw` changes.
    clock : Clock
        The time axis: its unit, and all moments.
    views : list of View
        One per panel.

    Raises
    ------
    InputError
        If a view cannot show the runs, a value is invalid, or text would be too small to read.
    """

    def __init__(
        self,
        runs: Sequence[Trajectory] | Trajectory,
        views: Views | None = None,
        size: tuple[int, int] = defaults.SIZE,
        theme: str | Theme = defaults.THEME,
        title: str | None = None,
        *,
        data: Mapping[str, Any] | None = None,
        parent: Figure | SubFigure | None = None,
        medium: Medium = FILM,
        states_moment: bool = True,
    ) -> None:
        self.runs = validate_runs(runs)
        self.view_classes = validate_views(views, self.runs)
        self.data = data or {}
        missing = [
            name
            for view_class in self.view_classes
            for name in view_class.needs
            if name not in self.data
        ]
        if missing:
            raise InputError(f"data {missing[0]!r} is missing; animate.Animation computes it")
        self.size = validation.size(size)
        self.theme = load_theme(theme) if isinstance(theme, str) else theme
        self.clock = Clock.of(self.runs)
        self.moving: list[Artist] = []
        self._hidden: dict[View, list[tuple[Artist, bool]]] = {}
        self.medium = medium
        if title is None:
            title = default_title(self.runs) if medium.has_default_title else ""
        self.title = replace_missing_glyphs(title, bold=True)
        one, above, below = split_views(self.view_classes)
        with self.theme.applied():
            self.layout = _choose_layout(
                self.view_classes,
                len(self.runs),
                self.size,
                self.title,
                self._longest_moment if states_moment else "",
                medium,
            )
            self._parent = parent or make_figure(self.size, self.theme)
            self.figure: Figure = self._parent.get_figure(root=True)
            add_background(self._parent, self.theme)
            self._names, self._name_size = self._choose_names()
            self._moment = self._draw_title_row(states_moment)
            self._headers = [self._draw_header(index) for index in range(len(self.layout.headers))]
            self._timeline = self._draw_timeline() if medium.is_film else ()
            self.views = [
                self._draw_view(box, view_class, index)
                for index, boxes in enumerate(self.layout.panels)
                for view_class, box in zip(one, boxes, strict=True)
            ] + [
                self._draw_view(box, view_class, None)
                for view_class, box in zip(above + below, self.layout.across, strict=True)
            ]
            for view in self.views:
                self.moving += view.moving
            if not self.layout.headers:  # the data do not depend on the time
                for artist in (self._moment, *self._timeline):
                    if artist is not None:
                        artist.set_visible(False)
            self.draw(self.clock.first)

    def draw(self, moment: float) -> None:
        """
        Set all moving artists to `moment`, independently of earlier calls.

        Each run shows its last record at or before the moment.

        Raises
        ------
        InputError
            If `moment` is before the first moment or after the last.
        """
        moment = self.clock.moment(moment)
        records = [self.clock.record(index, moment) for index in range(len(self.runs))]
        if self._moment is not None:
            self._moment.set_text(self._moment_text(moment))
        if self._timeline:
            width = self.layout.timeline.width / self.size[0]
            self._timeline[1].set_width(self.clock.scale_elapsed(moment, width))
        for header, record in zip(self._headers, records, strict=False):
            header.draw(record, moment)
        for view in self.views:
            index = view.panel.index
            for artist, is_visible in self._hidden.pop(view, ()):
                artist.set_visible(is_visible)
            # A view across runs looks up the records itself.
            view.draw(moment if index is None else records[index])  # type: ignore[arg-type]
            if index is not None and moment < self.clock.times[index][0]:  # not started yet
                self._hidden[view] = [(artist, artist.get_visible()) for artist in view.moving]
                for artist in view.moving:
                    artist.set_visible(False)

    def _moment_text(self, moment: float) -> str:
        """Return the text for `moment` above the panels."""
        return self.clock.text(moment) if self.medium.is_film else self.clock.name(moment)

    @property
    def _longest_moment(self) -> str:
        return self.clock.text(self.clock.last) if self.medium.is_film else self.clock.longest_name

    def _font_size(self, size: float) -> float:
        """Return `size` in em as pixels, up to the largest text of the medium."""
        return min(size * self.layout.em, self.medium.max_text)

    def _text(self, x: float, y: float, text: str, size: float, **style: Any) -> Text:
        """Add a static text at pixel (x, y), with `size` in em."""
        style.setdefault("verticalalignment", "center")
        return self._parent.text(
            x / self.size[0], y / self.size[1], text, fontsize=self._font_size(size), **style
        )

    def _changing_text(self, x: float, y: float, size: float, **style: Any) -> TabularText:
        """Add an empty, moving text at pixel (x, y), with `size` in em."""
        em = self._font_size(size)
        position = (x / self.size[0], (y - TEXT_MIDDLE * em) / self.size[1])
        text = TabularText(*position, transform=self._parent.transSubfigure, fontsize=em, **style)
        self._parent.add_artist(text)
        return self._register(text)

    def _draw_title_row(self, states_moment: bool) -> Text | None:
        """Draw the title, and return the text for the moment beside it, if there is one."""
        if not self.layout.title:
            return None
        em, first, last = self.layout.em, self.layout.title[0], self.layout.title[-1]
        epoch_width = 0
        if states_moment:
            size = self._font_size(EPOCH_SIZE)
            epoch_width = math.ceil(text_width(self._longest_moment, size) + em / 2)
        room = first.width - (epoch_width + em / 2 if first is last else 0)
        self._text(
            first.left,
            first.bottom + 0.42 * first.height,
            truncate(self.title, room, self._font_size(TITLE_SIZE), bold=True),
            TITLE_SIZE,
            weight="bold",
            color=self.theme.ink,
        )
        if not states_moment:
            return None
        # Where nothing else stands in the row, the moment takes the place of the title.
        is_alone = not self.title and not self.medium.is_film
        right = last.left + (epoch_width if is_alone else last.width)
        epoch = self._changing_text(
            last.left if is_alone else right,
            last.bottom + 0.42 * last.height,
            EPOCH_SIZE,
            color=self.theme.muted,
            horizontalalignment="left" if is_alone else "right",
        )
        self._clip_to(epoch, replace(last, left=right - epoch_width, width=epoch_width))
        return epoch

    def _choose_names(self) -> tuple[list[str], float]:
        """Return the labels of the runs, abbreviated if one does not fit, and their size."""
        names = [replace_missing_glyphs(label, bold=True) for label in labels(self.runs)]
        rooms = [box.width for box in self.layout.headers]
        size = self._font_size(NAME_SIZE)

        # In panels that several runs share, the key is what tells them apart.
        is_shared = any(view.across and view.shows_runs for view in self.view_classes)
        key = (KEY_GAP + KEY) * self.layout.em if is_shared else 0.0

        def fit(size: float, key: float = 0.0) -> bool:
            return all(
                text_width(name, size, bold=True) + key <= room
                for name, room in zip(names, rooms, strict=False)
            )

        for long, short in ABBREVIATIONS:
            if fit(size, key):
                return names, size
            names = [
                name if run.has_own_label else name.replace(long, short)
                for name, run in zip(names, self.runs, strict=True)
            ]
        return names, size if fit(size) else max(self.layout.em, self.medium.min_em)

    def _draw_header(self, index: int) -> RunHeader:
        box, em = self.layout.headers[index], self.layout.em
        style = self.theme.run(index)
        size = self._name_size
        name = truncate(self._names[index], box.width, size, bold=True)
        top = box.top
        self._text(box.left, top - 0.95 * em, name, size / em, weight="bold", color=style.text)
        end = box.left + text_width(name, size, bold=True)
        if end + (KEY_GAP + KEY) * em <= box.left + box.width:
            self._draw_legend_key(end + KEY_GAP * em, top - 0.95 * em, style)
        loss = self._changing_text(box.left, top - 2.52 * em, 1.0, color=self.theme.ink)
        line = self._changing_text(
            box.left + 7.4 * em, top - 2.52 * em, 1.0, color=self.theme.muted
        )
        verdict = self._changing_text(box.left, top - 3.82 * em, 1.0)
        room = box.width + round(0.9 * GAP * em)
        for text, depth in ((loss, 2.52), (line, 2.52), (verdict, 3.82)):
            start = round(text.get_position()[0] * self.size[0])
            end = box.left + room
            low = round(top - (depth + 0.6) * em)
            self._clip_to(text, Box(start, low, end - start, round(1.2 * em)))
        return RunHeader(
            self.runs[index],
            self.clock,
            self.clock.times[index],
            loss,
            line,
            verdict,
            verdict_color=style.text,
            pending_color=self.theme.muted,
            fit=lambda text, left: truncate(text, room - left * em, em),
        )

    def _draw_legend_key(self, left: float, y: float, style: RunStyle) -> None:
        """Draw line and marker of a run beside its name, as the legend of shared panels."""
        add_legend_key(self._parent, (left, y), self.size, style, self.layout.em)

    def _clip_to(self, artist: Artist, box: Box) -> None:
        """Clip `artist` to `box`, which then bounds the pixels that it changes."""
        width, height = self.size
        bounds = Bbox.from_bounds(
            box.left / width, box.bottom / height, box.width / width, box.height / height
        )
        artist.set_clip_box(TransformedBbox(bounds, self._parent.transSubfigure))
        artist.set_clip_on(True)

    def _draw_timeline(self) -> tuple[Rectangle, Rectangle]:
        """Draw the progress bar, and return the full bar and the elapsed part."""
        box = self.layout.timeline
        width, height = self.size
        position = (box.left / width, box.bottom / height)
        common: dict[str, Any] = {
            "transform": self._parent.transSubfigure,
            "edgecolor": "none",
            "antialiased": False,
        }
        whole = Rectangle(
            position, box.width / width, box.height / height, facecolor=self.theme.faint, **common
        )
        self._parent.add_artist(whole)
        bar = Rectangle(position, 0, box.height / height, facecolor=self.theme.muted, **common)
        self._parent.add_artist(bar)
        self._clip_to(bar, box)
        return whole, self._register(bar)

    def _draw_view(self, box: Box, view_class: type[View], index: int | None) -> View:
        """Draw a view of the run with this index, or of all runs for None, and its caption."""
        view = view_class(self._panel(box, index))
        em = self.layout.em
        self._text(
            box.left,
            box.top + 1.02 * em + 1.5,  # clear of markers that leave the panel, and of the header
            caption_of(view, box.width, em, self.clock.unit),
            1.0,
            color=self.theme.muted,
        )
        return view

    def _panel(self, box: Box, index: int | None) -> Panel:
        width, height = self.size
        em, theme = self.layout.em, self.theme
        axes = add_panel_axes(
            self._parent,
            (box.left / width, box.bottom / height, box.width / width, box.height / height),
            theme,
            em,
            labelleft=box in self.layout.with_tick_labels,
        )
        return Panel(axes, self.runs, index, theme, em, self.clock, self.data)

    def _register(self, artist: AnyArtist) -> AnyArtist:
        self.moving.append(artist)
        return artist


def check_legible(
    runs: int,
    views: Views,
    size: tuple[int, int],
    title: str | None = None,
    epochs: int = defaults.EPOCHS,
) -> None:
    """Raise `InputError` if text is too small in a scene of this many runs of a Line."""
    plan_layout(runs, views, size, title, f"epoch {epochs} of {epochs}")


def plan_layout(
    runs: int,
    views: Views,
    size: tuple[int, int],
    title: str | None = None,
    longest_moment: str = "",
    medium: Medium = FILM,
) -> Layout:
    """
    Return the layout of a scene of this many runs of a Line; "" for a moment that is not stated.

    Raises
    ------
    InputError
        If text would be too small to read.
    """
    if title is None:
        title = LINE_TITLES[runs > 1] if medium.has_default_title else ""
    title = replace_missing_glyphs(title, bold=True)
    return _choose_layout(load_views(views), runs, size, title, longest_moment, medium)


def _choose_layout(
    view_classes: Sequence[type[View]],
    runs: int,
    size: tuple[int, int],
    title: str,
    longest_moment: str,
    medium: Medium,
) -> Layout:
    one, above, below = split_views(view_classes)
    headers = runs if any(view_class.shows_runs for view_class in view_classes) else 0
    counts = (headers, len(one), len(above), len(below))
    has_row = medium.is_film or title or (longest_moment and headers)
    layout = arrange(size, *counts, title_lines=1 if has_row else 0, medium=medium)
    if not title:
        return layout
    moment_width = text_width(longest_moment, layout.em * EPOCH_SIZE) if longest_moment else 0
    needed = text_width(title, layout.em * TITLE_SIZE, bold=True) + moment_width + 2 * layout.em
    if needed <= layout.title[0].width or not longest_moment:
        return layout
    return arrange(size, *counts, title_lines=2, medium=medium)


def split_views(
    view_classes: Sequence[type[View]],
) -> tuple[list[type[View]], list[type[View]], list[type[View]]]:
    """Return the views of single runs, and those across runs above and below them."""
    one = [view_class for view_class in view_classes if not view_class.across]
    first = view_classes.index(one[0]) if one else 0
    return (
        one,
        list(view_classes[:first]),
        [view_class for view_class in view_classes[first:] if view_class.across],
    )


def caption_of(view: View, room: float, em: float, unit: str) -> str:
    """Return the full caption if it fits, else the short one, truncated if necessary."""
    full, short = (text.replace("{clock}", unit) for text in (view.full_caption, view.caption))
    return full if full and text_width(full, em) <= room else truncate(short, room, em)


def default_title(runs: Sequence[Trajectory]) -> str:
    """Return the default title: that of the article's lesson only for plain descent on a line."""
    is_lesson = all(run.is_plain_descent and provides(run.problem, NamesWeights) for run in runs)
    return (LINE_TITLES if is_lesson else OTHER_TITLES)[len(runs) > 1]


def validate_views(views: Views | None, runs: Sequence[Trajectory]) -> list[type[View]]:
    """Return the classes of `views`, or the default ones; each can show `runs`."""
    view_classes = default_views(runs) if views is None else load_views(views)
    check_views(view_classes, runs)
    return view_classes


def validate_runs(runs: Sequence[Trajectory] | Trajectory) -> list[Trajectory]:
    """Return one or result runs as a list of 1 to 12."""
    result = list(Runs(runs))
    if not result:
        raise InputError("runs is empty; give at least one run")
    if len(result) > validation.MOST_RUNS:
        raise InputError(
            f"{len(result)} runs do not fit into one picture; give at most {validation.MOST_RUNS}"
        )
    return result
