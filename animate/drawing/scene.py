"""
Scene: the panels of all views and runs on one Figure, with title, headers and timeline.

`Scene.draw(moment)` depends only on the moment. A scene does not know the moments of a film, or
the format of its output.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox, TransformedBbox

from animate.drawing.clock import Clock
from animate.drawing.dashes import dash_of, whole_dashes
from animate.drawing.layout import (
    GAP,
    NAME_WIDTH,
    SHORT_NAME_WIDTH,
    Box,
    Contents,
    Layout,
    PanelKind,
    Place,
    TooSmallError,
    arrange,
)
from animate.drawing.medium import FILM, Medium
from animate.drawing.run_header import RunHeader
from animate.drawing.tabular_text import TabularText
from animate.drawing.text import (
    MISSING,
    missing_characters,
    replace_missing_glyphs,
    text_width,
    truncate,
    wrap,
)
from animate.drawing.theme import RunStyle, Theme, load_theme
from animate.drawing.views import Panel, View, load_views
from animate.drawing.views.legend import add_legend, labelled_lines
from animate.drawing.views.requirements import check_views, default_views
from animate.drawing.views.ticks import keep_tick_labels_inside
from animate.system import defaults, validation
from animate.system.errors import InputError
from animate.training.problem import Doubles, NamesWeights, provides
from animate.training.trajectory import Runs, Trajectory, labels

DPI = 72  # a point is then a pixel, and no size is rounded
LINE_TITLES = "One line, fitted by gradient descent", "What does the learning rate do?"
OTHER_TITLES = "One training run", "Training runs, side by side"
AnyArtist = TypeVar("AnyArtist", bound=Artist)
Views = str | type[View] | Sequence[str | type[View]]
TEXT_MIDDLE = 0.26  # em, from the baseline to the vertical center of a line
KEY, KEY_GAP = 3.2, 0.8  # em
TITLE_SIZE, EPOCH_SIZE, NAME_SIZE = 1.35, 1.1, 1.25  # em
TITLE_PITCH = 1.8  # em, between the lines of a title
MOST_NAMED = 10  # missing characters
NAME_DEPTH = 0.95  # em, from the top of a heading to the middle of the name
LINE_DEPTHS = 0.0, 1.57, 2.87, 4.17, 5.47  # em, from there to the middle of each line
LEGEND_LINE, LEGEND_GAP = 1.7, 1.8  # em, of a legend beside a caption
TICK_PAD, TICK_MARGIN = 0.35, 0.1  # em, at the right and the left of tick labels
LIKE = 0.01  # of the axis, by which limits of panels may differ that share tick labels
# Of the labels that follow from settings, in the order in which they are used.
ABBREVIATIONS = (
    ("learning rate", "rate"), ("rate", "lr"), ("batches of", "batch"), ("no momentum", "β 0"),
    ("momentum", "β"),
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


def add_background(figure: Figure, theme: Theme) -> None:
    """Fill `figure` with the background of `theme`."""
    # A separate artist, since savefig may recolour the patch of the figure.
    figure.patch.set_facecolor("none")
    figure.add_artist(
        Rectangle(
            (0, 0),
            1,
            1,
            transform=figure.transSubfigure,
            facecolor=theme.background,
            edgecolor="none",
            antialiased=False,
            zorder=-10,
        )
    )


def add_panel_axes(
    figure: Figure,
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
    axes = figure.add_axes(bounds, facecolor=theme.panel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=theme.muted, linewidth=em / 18)
    axes.grid(axis="y", color=theme.faint, alpha=to_rgba(theme.faint)[3], linewidth=em / 18)
    axes.tick_params(
        length=0,
        pad=TICK_PAD * em,
        labelsize=em,
        labelcolor=theme.muted,
        labelleft=labelleft,
        labelbottom=labelbottom,
    )
    return axes


def add_legend_key(
    figure: Figure,
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
    points = np.array([0, length / 2, length])
    line = _add_level_line(
        figure, start, size, points, color=style.line, linewidth=0.17 * em, linestyle=style.dash
    )
    line.set(marker=style.marker, markevery=[1], markersize=0.62 * em, markeredgewidth=0)
    return length


def add_legend_line(
    figure: Figure,
    start: tuple[float, float],
    size: tuple[int, int],
    line: Line2D,
    color: Any,
    em: float,
) -> None:
    """Draw a piece of `line` in `color` from the pixel `start` to the right."""
    width, dash = line.get_linewidth(), dash_of(line)
    points = np.array([0, whole_dashes(dash, width / em, LEGEND_LINE) * em])
    _add_level_line(figure, start, size, points, color=color, linewidth=width, linestyle=dash)


def _add_level_line(
    figure: Figure, start: tuple[float, float], size: tuple[int, int], points: Doubles, **style: Any
) -> Line2D:
    """Add a line through `points`, in pixels to the right of the pixel `start`."""
    (left, y), (width, height) = start, size
    x = (left + points) / width
    transform = figure.transSubfigure
    line = Line2D(x, np.full(len(x), y / height), transform=transform, **style)
    figure.add_artist(line)
    return line


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
        Plain text, of one line or two; an empty string for no title.
    data : mapping, optional
        The result of `precompute` for the names in `View.needs`.
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
    notes : list of str
        What the picture shows otherwise than it was given: a shortened title, missing characters.

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
        self.notes: list[str] = []
        self.medium, self._states_moment = medium, states_moment
        with self.theme.applied():
            self.title = picture_title(self.runs, title, medium)
            kinds = {view_class: _panel_kind(view_class) for view_class in self.view_classes}
            self.layout = self._choose_layout(kinds)
            self.figure = make_figure(self.size, self.theme)
            self._draw_all()
            measured = _measure_kinds(self.views, kinds, self.layout)
            if measured != kinds:
                try:
                    self.layout = self._choose_layout(measured)
                except TooSmallError:
                    pass  # what is common to most panels stands once nevertheless
                else:
                    self.figure.clear()
                    self._draw_all()
            self.notes += missing_notes(self.runs, title or "")
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

    def _choose_layout(self, kinds: Mapping[type[View], PanelKind]) -> Layout:
        return _choose_layout(
            self.view_classes,
            len(self.runs),
            self.size,
            self.title,
            self._longest_moment if self._states_moment else "",
            self.medium,
            kinds=kinds,
            name_widths=name_widths(self.runs),
        )

    def _draw_all(self) -> None:
        """Draw all that stands still, and make the artists that move."""
        self.moving, self._hidden, self.notes = [], {}, []
        add_background(self.figure, self.theme)
        self._names, self._name_size = self._choose_names()
        self._moment = self._draw_title_row()
        self._headers = [self._draw_header(index) for index in range(len(self.layout.headings))]
        self._timeline = self._draw_timeline() if self.medium.is_film else ()
        one, above, below = split_views(self.view_classes)
        self.views = [
            self._draw_view(place, view_class, index)
            for index, places in enumerate(self.layout.panels)
            for view_class, place in zip(one, places, strict=True)
        ] + [
            self._draw_view(place, view_class, None)
            for view_class, place in zip(above + below, self.layout.across, strict=True)
        ]
        for view in self.views:
            self.moving += view.moving
        if not self.layout.headings:  # the data do not depend on the time
            for artist in (self._moment, *self._timeline):
                if artist is not None:
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
        font = self.theme.typeface.properties()
        return self.figure.text(
            x / self.size[0],
            y / self.size[1],
            text,
            fontproperties=font,
            fontsize=self._font_size(size),
            **style,
        )

    def _changing_text(self, x: float, y: float, size: float, **style: Any) -> TabularText:
        """Add an empty, moving text at pixel (x, y), with `size` in em."""
        em = self._font_size(size)
        position = (x / self.size[0], (y - TEXT_MIDDLE * em) / self.size[1])
        text = TabularText(*position, transform=self.figure.transSubfigure, fontsize=em, **style)
        self.theme.typeface.apply(text)
        self.figure.add_artist(text)
        return self._register(text)

    def _draw_title_row(self) -> Text | None:
        """Draw the title, and return the text for the moment beside it, if there is one."""
        if not self.layout.title:
            return None
        em = self.layout.em
        first, last = self.layout.title[0], self.layout.title[-1]
        title_size, epoch_width = self._font_size(TITLE_SIZE), 0
        rooms = [float(box.width) for box in self.layout.title]
        if self._states_moment:
            size = self._font_size(EPOCH_SIZE)
            epoch_width = math.ceil(text_width(self._longest_moment, size) + em / 2)
            # A title of two lines shares the last one.
            if first is last or _title_width(self.title, title_size) > first.width:
                rooms[-1] -= epoch_width + em / 2
            else:
                rooms = rooms[:1]
        lines = wrap(self.title, rooms, title_size, bold=True)
        self.notes += title_notes(self.title, lines)
        heights = [box.bottom + 0.42 * box.height for box in self.layout.title]
        if len(lines) > 1:  # closer together than other rows
            middle = (heights[0] + heights[-1]) / 2
            heights = [middle + 0.5 * TITLE_PITCH * em, middle - 0.5 * TITLE_PITCH * em]
        for line, height in zip(lines, heights, strict=False):
            self._text(first.left, height, line, TITLE_SIZE, weight="bold", color=self.theme.ink)
        if not self._states_moment:
            return None
        # Where nothing else stands in the row, the moment takes the place of the title.
        is_alone = not self.title and not self.medium.is_film
        right = last.left + (epoch_width if is_alone else last.width)
        epoch = self._changing_text(
            last.left if is_alone else right,
            heights[-1],
            EPOCH_SIZE,
            color=self.theme.muted,
            horizontalalignment="left" if is_alone else "right",
        )
        box = replace(last, left=right - epoch_width, width=epoch_width)
        self._clip_to(epoch, replace(box, bottom=round(heights[-1] - 0.42 * last.height)))
        return epoch

    def _choose_names(self) -> tuple[list[str], float]:
        """Return the labels of the runs, abbreviated if one does not fit, and their size."""
        em, heading = self.layout.em, self.layout.heading
        room = min([heading.name_room * em, *(box.width for box in self.layout.headings)])
        size, key = self._font_size(NAME_SIZE), (KEY_GAP + KEY) * em

        def fit(names: Sequence[str], key: float = 0.0) -> bool:
            return all(text_width(name, size, bold=True) + key <= room for name in names)

        # In panels that several runs share, the key is what tells them apart. A narrow heading
        # has no room for a long name.
        is_shared = any(view.across and view.shows_runs for view in self.view_classes)
        if not (is_shared or heading.is_narrow):
            key = 0.0
        stages = all_names(self.runs)
        fitting = [names for names in stages if fit(names, key)]
        names = fitting[0] if fitting else stages[-1]
        return names, size if fit(names) else max(em, self.medium.min_em)

    def _draw_header(self, index: int) -> RunHeader:
        box, em, heading = self.layout.headings[index], self.layout.em, self.layout.heading
        style = self.theme.run(index)
        size = self._name_size
        room = min(box.width, heading.name_room * em)
        name = truncate(self._names[index], room, size, bold=True)
        self._text(
            box.left, box.top - NAME_DEPTH * em, name, size / em, weight="bold", color=style.text
        )
        end = text_width(name, size, bold=True)
        if end + (KEY_GAP + KEY) * em <= room:
            self._draw_legend_key(box.left + end + KEY_GAP * em, box.top - NAME_DEPTH * em, style)
        loss = self._heading_text(box, heading.loss, color=self.theme.ink)
        detail = self._heading_text(box, heading.detail, color=self.theme.muted)
        verdict = [self._heading_text(box, spot) for spot in heading.verdict]
        return RunHeader(
            self.runs[index],
            self.clock,
            self.clock.times[index],
            loss,
            detail,
            verdict,
            verdict_color=style.text,
            pending_color=self.theme.muted,
            heading=heading,
            width=self._heading_room(box),
            em=em,
        )

    def _heading_room(self, box: Box) -> int:
        """Return the width of the texts of a heading, which may reach into the gap to the next."""
        gap = 0.0 if self.layout.is_beside else 0.9 * GAP
        return box.width + round(gap * self.layout.em)

    def _heading_text(self, box: Box, spot: tuple[float, int], **style: Any) -> TabularText:
        """Add an empty, moving text at a spot of a heading."""
        em = self.layout.em
        left, depth = spot[0] * em, (NAME_DEPTH + LINE_DEPTHS[spot[1]]) * em
        text = self._changing_text(box.left + left, box.top - depth, 1.0, **style)
        start, low = round(box.left + left), round(box.top - depth - 0.52 * em)
        end = box.left + self._heading_room(box)
        self._clip_to(text, Box(start, low, end - start, round(1.1 * em)))
        return text

    def _draw_legend_key(self, left: float, y: float, style: RunStyle) -> None:
        """Draw line and marker of a run beside its name, as the legend of shared panels."""
        add_legend_key(self.figure, (left, y), self.size, style, self.layout.em)

    def _clip_to(self, artist: Artist, box: Box) -> None:
        """Clip `artist` to `box`, which then bounds the pixels that it changes."""
        width, height = self.size
        bounds = Bbox.from_bounds(
            box.left / width, box.bottom / height, box.width / width, box.height / height
        )
        artist.set_clip_box(TransformedBbox(bounds, self.figure.transSubfigure))
        artist.set_clip_on(True)

    def _draw_timeline(self) -> tuple[Rectangle, Rectangle]:
        """Draw the progress bar, and return the full bar and the elapsed part."""
        box = self.layout.timeline
        width, height = self.size
        position = (box.left / width, box.bottom / height)
        common: dict[str, Any] = {
            "transform": self.figure.transSubfigure,
            "edgecolor": "none",
            "antialiased": False,
        }
        whole = Rectangle(
            position, box.width / width, box.height / height, facecolor=self.theme.faint, **common
        )
        self.figure.add_artist(whole)
        bar = Rectangle(position, 0, box.height / height, facecolor=self.theme.muted, **common)
        self.figure.add_artist(bar)
        self._clip_to(bar, box)
        return whole, self._register(bar)

    def _draw_view(self, place: Place, view_class: type[View], index: int | None) -> View:
        """Draw a view of the run with this index, or of all runs for None, and its caption."""
        panel = self._panel(place, index)
        view = view_class(panel)
        keep_tick_labels_inside(panel)
        is_named = place.caption is not None and self._draw_caption(place.caption, view)
        if view.legend_corner and not is_named:
            add_legend(panel, view.legend_corner)
        self.theme.typeface.apply(panel.axes)
        return view

    def _draw_caption(self, box: Box, view: View) -> bool:
        """Draw the caption of a view, and its legend beside it; returns whether that fits."""
        em, theme = self.layout.em, self.theme
        y = box.bottom + 0.9 * em + 2.0  # clear of markers that leave the panel
        lines = labelled_lines(view.panel.axes) if view.legend_corner else []
        gap = LEGEND_GAP * em
        widths = [LEGEND_LINE * em + gap + text_width(str(line.get_label()), em) for line in lines]
        room = box.width - sum(widths)
        short = text_width(view.caption.replace("{clock}", self.clock.unit), em)
        has_legend = bool(lines) and short + gap / 2 <= room
        caption = caption_of(view, room - gap / 2 if has_legend else box.width, em, self.clock.unit)
        self._text(box.left, y, caption, 1.0, color=theme.muted)
        if not has_legend:
            return False
        start = text_width(caption, em) + gap
        for line, width in zip(lines, widths, strict=True):
            self._draw_legend_line(box.left + start, y, line)
            left = box.left + start + LEGEND_LINE * em + gap / 4
            self._text(left, y, str(line.get_label()), 1.0, color=theme.muted)
            start += width
        return True

    def _draw_legend_line(self, left: float, y: float, line: Line2D) -> None:
        """Draw a piece of `line`."""
        color = legend_color(line, len(self.runs), self.theme)
        add_legend_line(self.figure, (left, y), self.size, line, color, self.layout.em)

    def _panel(self, place: Place, index: int | None) -> Panel:
        width, height = self.size
        em, theme, box = self.layout.em, self.theme, place.box
        axes = add_panel_axes(
            self.figure,
            (box.left / width, box.bottom / height, box.width / width, box.height / height),
            theme,
            em,
            labelleft=place.has_y_labels,
            labelbottom=place.has_x_labels,
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
    name_widths: tuple[float, float] = (NAME_WIDTH, SHORT_NAME_WIDTH),
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
    else:
        title = displayed_title(title)
    return _choose_layout(
        load_views(views), runs, size, title, longest_moment, medium, name_widths=name_widths
    )


def _choose_layout(
    view_classes: Sequence[type[View]],
    runs: int,
    size: tuple[int, int],
    title: str,
    longest_moment: str,
    medium: Medium,
    *,
    kinds: Mapping[type[View], PanelKind] | None = None,
    name_widths: tuple[float, float] = (NAME_WIDTH, SHORT_NAME_WIDTH),
) -> Layout:
    kinds = kinds or {view_class: _panel_kind(view_class) for view_class in view_classes}
    one, above, below = (
        tuple(kinds[view] for view in group) for group in split_views(view_classes)
    )
    shows_runs = any(view.shows_runs or not view.across for view in view_classes)
    has_row = medium.is_film or title or (longest_moment and shows_runs)
    contents = Contents(
        runs if shows_runs else 0,
        one,
        above,
        below,
        title_lines=1 if has_row else 0,
        name_width=name_widths[0],
        short_name_width=name_widths[1],
    )
    layout = arrange(size, contents, medium)
    if not title:
        return layout
    needed = _title_width(title, min(layout.em * TITLE_SIZE, medium.max_text)) + 2 * layout.em
    if longest_moment:
        needed += text_width(longest_moment, min(layout.em * EPOCH_SIZE, medium.max_text))
    if needed <= layout.title[0].width:
        return layout
    return arrange(size, replace(contents, title_lines=2), medium)


def name_widths(runs: Sequence[Trajectory]) -> tuple[float, float]:
    """Return the width in em of the widest name of `runs` with its key, in full and abbreviated."""
    full, short = (
        max(text_width(name, NAME_SIZE, bold=True) for name in names) + KEY_GAP + KEY
        for names in all_names(runs)[:2]
    )
    return full, short


def all_names(runs: Sequence[Trajectory]) -> list[list[str]]:
    """Return the labels of the runs, and these with ever more abbreviations."""
    stages = [[replace_missing_glyphs(label, bold=True) for label in labels(runs)]]
    for long, short in ABBREVIATIONS:
        stages.append(
            [
                name if run.has_own_label else name.replace(long, short)
                for name, run in zip(stages[-1], runs, strict=True)
            ]
        )
    return stages


def _panel_kind(view_class: type[View]) -> PanelKind:
    return PanelKind(view_class.aspects, view_class.x_axis)


def _measure_kinds(
    views: Sequence[View], kinds: Mapping[type[View], PanelKind], layout: Layout
) -> dict[type[View], PanelKind]:
    """
    Return `kinds` with what is known of the panels only when they are drawn.

    A view is not uniform if its captions or limits differ between runs. Tick labels may be wider
    than `layout` has room for.
    """
    places = [*(place for cells in layout.panels for place in cells), *layout.across]
    measured = dict(kinds)
    for view_class, kind in kinds.items():
        drawn = [view for view in views if type(view) is view_class]
        labelled = [
            view.panel
            for view, place in zip(views, places, strict=True)
            if type(view) is view_class and place.has_y_labels
        ]
        widths = [width / layout.em for panel in labelled for width in _y_label_widths(panel)]
        needed = max(widths, default=0.0) + TICK_PAD + TICK_MARGIN
        measured[view_class] = replace(
            kind,
            is_uniform=all(_is_like(drawn[0], other) for other in drawn[1:]),
            tick_width=max(kind.tick_width, needed),
        )
    return measured


def _y_label_widths(panel: Panel) -> Iterator[float]:
    """Yield the widths of the tick labels at the left, in pixels."""
    if not panel.axes.axison:
        return
    low, high = sorted(panel.axes.get_ylim())
    axis = panel.axes.yaxis
    for tick, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False):
        if low <= tick <= high:
            yield text_width(label.get_text(), panel.em)


def _is_like(view: View, other: View) -> bool:
    """Return whether two panels have the same captions, ticks, and limits up to a pixel."""
    captions = [(one.caption, one.full_caption) for one in (view, other)]
    if captions[0] != captions[1]:
        return False
    for name in ("x", "y"):
        one, two = (getattr(each.panel.axes, f"{name}axis") for each in (view, other))
        if one.get_scale() != two.get_scale():
            return False
        own, others = (
            axis.get_transform().transform(axis.get_view_interval()) for axis in (one, two)
        )
        if not np.allclose(own, others, rtol=0, atol=LIKE * np.ptp(own)):
            return False
        if _ticks_of(one) != _ticks_of(two):
            return False
    return True


def _ticks_of(axis: Any) -> list[tuple[float, str]]:
    """Return the places of the ticks and their labels."""
    places = axis.get_ticklocs()
    return list(zip(places, axis.get_major_formatter().format_ticks(places), strict=True))


def displayed_title(title: str) -> str:
    """Return `title` as it is drawn: of one line or two, without missing characters."""
    lines = [replace_missing_glyphs(line, bold=True) for line in title.splitlines() if line.strip()]
    return "\n".join([*lines[:1], *filter(None, [" ".join(lines[1:])])])


def picture_title(runs: Sequence[Trajectory], title: str | None, medium: Medium) -> str:
    """Return `title` as it is drawn, or the default title, which not every medium has."""
    if title is None:
        return default_title(runs) if medium.has_default_title else ""
    return displayed_title(title)


def title_notes(title: str, lines: Sequence[str]) -> list[str]:
    """Return a note if `lines` do not hold all of `title`."""
    if "".join(" ".join(lines).split()) == "".join(title.split()):
        return []
    return ["the title does not fit and ends with …; give a shorter one"]


def missing_notes(runs: Sequence[Trajectory], title: str) -> list[str]:
    """Return a note on the characters of the reader's own texts that are drawn as an empty box."""
    texts = [name for run in runs for name in (*run.metrics, *_column_names(run))]
    found = [one for text in (title, *labels(runs)) for one in missing_characters(text, bold=True)]
    found += [one for text in texts for one in missing_characters(text)]
    missing = list(dict.fromkeys(found))
    if not missing:
        return []
    names = [one if one.isprintable() else f"U+{ord(one):04X}" for one in missing[:MOST_NAMED]]
    named = " ".join(names) + (" …" if len(missing) > MOST_NAMED else "")
    return [
        f"the font lacks {named}, drawn as {MISSING}; give a font that has "
        f"{'it' if len(missing) == 1 else 'them'}, with --font FILE or, in Python, font=FILE"
    ]


def _title_width(title: str, size: float) -> float:
    """Return the width of `title` on one line, which it cannot be on if it has a line break."""
    return math.inf if "\n" in title else text_width(title, size, bold=True)


def _column_names(run: Trajectory) -> tuple[str, str]:
    return getattr(run.problem, "x_name", ""), getattr(run.problem, "y_name", "")


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


def legend_color(line: Line2D, runs: int, theme: Theme) -> Any:
    """Return the colour of `line` in a legend: that of text if it has that of one of `runs`."""
    colors = [theme.run(index).line for index in range(runs)]
    return theme.muted if runs > 1 and line.get_color() in colors else line.get_color()


def caption_of(view: View, room: float, em: float, unit: str) -> str:
    """Return the full caption if it fits, else the short one, truncated if necessary."""
    full, short = (
        replace_missing_glyphs(text.replace("{clock}", unit))
        for text in (view.full_caption, view.caption)
    )
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
