"""
Sheet: several moments of the same runs as one figure of small multiples.

What panels have in common stands once: the name of a moment over its column (or beside its row), a
run's name over its row (or column), the caption of a view, tick labels at the outside. Moments go
from left to right, or down where that leaves larger panels.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from animate.drawing.clock import Clock
from animate.drawing.layout import Box, TooSmallError
from animate.drawing.medium import Medium
from animate.drawing.run_header import verdict_text
from animate.drawing.scene import (
    KEY,
    KEY_GAP,
    LEGEND_LINE,
    TITLE_PITCH,
    TITLE_SIZE,
    add_background,
    add_legend_key,
    add_legend_line,
    add_panel_axes,
    all_names,
    caption_of,
    legend_color,
    make_figure,
    split_views,
    title_notes,
)
from animate.drawing.text import text_width, truncate, wrap
from animate.drawing.theme import Theme
from animate.drawing.views import Panel, View
from animate.drawing.views.legend import add_legend, labelled_lines
from animate.drawing.views.ticks import keep_tick_labels_inside
from animate.system.numbers import moment_text, value_text
from animate.training.trajectory import Trajectory

# In em.
EDGE = 0.6  # between the frame and what is next to it
LEFT, RIGHT = 3.2, 1.2  # beside the panels; LEFT holds tick labels
COLUMN_GAP, ROW_GAP = 1.2, 0.9  # between panels without tick labels
TICKS = 1.8  # below a panel
MARGIN, TITLE = 0.4, 2.4  # above, without and with a title
KEYS = 1.7  # a line with the names of all runs
MOMENT, HEADING, CAPTION, NUMBER = 1.6, 1.8, 1.5, 1.4  # lines of text above panels
MOMENT_WIDTH = 4.6  # beside a row, unless it is known
VERDICT_WIDTH = 15.0  # unless it is known
PLOT_WIDTH, PLOT_HEIGHT = 8.0, 4.5  # of a panel, at least
NAME_SIZE, HEADING_GAP, CAPTION_GAP = 1.1, 1.2, 0.8
SAMPLE_GAP = 0.4  # after lines in the legend beside a caption

TEXT_SHARE = 0.62  # of the size of text, relative to a picture of one moment
BEST_ASPECT = 1.4
TEXT_WEIGHT = 4.0  # in the score, relative to the area of a panel

Place = tuple[float, int]  # em, and the number of panels, from the edge


@dataclass(frozen=True, slots=True)
class Strip:
    """The panels of one view of one run, or of all (index None), at all moments."""

    index: int | None
    view: type[View]


def strips_of(view_classes: Sequence[type[View]], runs: int) -> list[Strip]:
    """Return the strips of a sheet, in the order in which they are drawn."""
    one, above, below = split_views(view_classes)
    return [
        *(Strip(None, view) for view in above),
        *(Strip(index, view) for index in range(runs) for view in one),
        *(Strip(None, view) for view in below),
    ]


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """
    An arrangement of strips and moments.

    Attributes
    ----------
    strips : tuple of Strip
    moments : int
    columns : int
        The number of moments side by side; 0 if they go down, and strips are columns.
    title_lines : int
    has_keys : bool
        Whether the names of all runs stand in a line of their own, since no strip is of one run.
    verdict_lines : int
        The lines of verdicts above columns.
    moment_width : float
        Of the longest name of a moment, in em.
    medium : Medium
    """

    strips: tuple[Strip, ...]
    moments: int
    columns: int
    title_lines: int
    has_keys: bool
    verdict_lines: int
    moment_width: float
    medium: Medium

    def is_first_of_run(self, place: int) -> bool:
        """Return whether a strip is the first one of its run."""
        index = self.strips[place].index
        return index is not None and all(one.index != index for one in self.strips[:place])

    def is_first_of_view(self, place: int) -> bool:
        """Return whether a strip is the first one of its view."""
        return all(one.view is not self.strips[place].view for one in self.strips[:place])

    def is_last_of_view(self, place: int) -> bool:
        """Return whether a strip is the last one of its view."""
        return all(one.view is not self.strips[place].view for one in self.strips[place + 1 :])

    @property
    def has_runs(self) -> bool:
        """Whether a strip is of one run."""
        return any(one.index is not None for one in self.strips)

    @property
    def blocks(self) -> int:
        """The number of times that all strips stand below each other."""
        return math.ceil(self.moments / self.columns) if self.columns else 1

    def place(self, strip: int, moment: int) -> tuple[Place, Place]:
        """Return where a panel starts, from the left and from the top."""
        if not self.columns:
            return self._lefts[strip], self._tops[moment]
        block, column = divmod(moment, self.columns)
        return self._lefts[column], self._tops[block * len(self.strips) + strip]

    def has_tick_labels(self, strip: int, moment: int) -> tuple[bool, bool]:
        """Return whether a panel has tick labels at the left, and below."""
        if not self.columns:
            return self.is_first_of_view(strip), moment == self.moments - 1
        return moment % self.columns == 0, self.is_last_of_view(strip)

    @property
    def head(self) -> float:
        """The height of all above the first moment, in em."""
        title = TITLE + TITLE_PITCH * (self.title_lines - 1) if self.title_lines else MARGIN
        return title + (KEYS if self.has_keys else 0.0)

    @property
    def _lefts(self) -> list[Place]:
        if self.columns:
            return [(LEFT + COLUMN_GAP * column, column) for column in range(self.columns)]
        lefts, left = [], EDGE + self.moment_width
        for place in range(len(self.strips)):
            left += LEFT if self.is_first_of_view(place) else COLUMN_GAP
            lefts.append((left, place))
        return lefts

    @property
    def _tops(self) -> list[Place]:
        """Return where each row starts, and where the last one ends with its tick labels."""
        tops, top = [], self.head
        if not self.columns:
            top += CAPTION
            top += HEADING + self.verdict_lines * NUMBER if self.has_runs else 0.0
            for row in range(self.moments):
                top += NUMBER if self.has_runs else 0.0
                tops.append((top, row))
                top += ROW_GAP if row < self.moments - 1 else TICKS
            return [*tops, (top, self.moments)]
        top += CAPTION
        for block in range(self.blocks):
            top += MOMENT
            for place in range(len(self.strips)):
                top += sum(self.lines(place, block))
                tops.append((top, len(tops)))
                top += TICKS if self.is_last_of_view(place) else ROW_GAP
        return [*tops, (top, len(tops))]

    def lines(self, strip: int, block: int) -> tuple[float, float, float]:
        """Return the heights of heading, caption and numbers above a row of panels, in em."""
        is_first = self.is_first_of_run(strip)
        return (
            HEADING if is_first and block == 0 else 0.0,
            # The caption of the first row stands above the names of the moments.
            CAPTION if self.is_first_of_view(strip) and block == 0 and strip else 0.0,
            NUMBER if is_first else 0.0,
        )

    def _fixed(self) -> tuple[Place, Place]:
        """Return the fixed widths and heights in em, each with the number of panels there."""
        left, count = self._lefts[-1]
        return (left + RIGHT, count + 1), self._tops[-1]

    def em(self, size: tuple[int, int]) -> float:
        """Return the size of text, in pixels."""
        (wide, columns), (high, rows) = self._fixed()
        return min(
            size[0] / (wide + columns * PLOT_WIDTH),
            size[1] / (high + rows * PLOT_HEIGHT),
            max(self.medium.em_limit(size, TEXT_SHARE), self.medium.min_em),
        )

    def plot(self, size: tuple[int, int]) -> tuple[float, float]:
        """Return the width and the height of a panel, in pixels."""
        (wide, columns), (high, rows) = self._fixed()
        em = self.em(size)
        return (size[0] - em * wide) / columns, (size[1] - em * high) / rows

    def score(self, size: tuple[int, int]) -> float:
        """Return the score: large text counts most, then large panels of a good aspect ratio."""
        width, height = self.plot(size)
        penalty = abs(math.log(width / height / BEST_ASPECT))
        penalty += math.log(
            (self.columns or self.moments) * self.blocks / self.moments
        )  # empty cells
        return TEXT_WEIGHT * math.log(self.em(size)) + math.log(width * height) - penalty

    def run_width(self, strip: int, size: tuple[int, int]) -> int:
        """Return the width of the columns of a strip's run, in pixels."""
        index = self.strips[strip].index
        last = max(place for place, one in enumerate(self.strips) if one.index == index)
        end = self.box(last, 0, size)
        return end.left + end.width - self.box(strip, 0, size).left

    def holds_verdicts(self, width: float, size: tuple[int, int]) -> bool:
        """Return whether verdicts of `width` em fit in the lines above columns."""
        if self.columns or not self.has_runs:
            return True
        strips = filter(self.is_first_of_run, range(len(self.strips)))
        room = min(self.run_width(strip, size) for strip in strips)
        lines = self.verdict_lines if self.verdict_lines == 1 else 0.75 * self.verdict_lines
        return width * self.em(size) <= room * lines  # a broken line is not full

    def box(self, strip: int, moment: int, size: tuple[int, int]) -> Box:
        """Return the box of a panel."""
        em, (width, height) = self.em(size), self.plot(size)
        (left, column), (top, row) = self.place(strip, moment)
        x, y = left * em + column * width, top * em + row * height
        first, upper = round(x), round(size[1] - y)
        lower = round(size[1] - y - height)
        return Box(first, lower, round(x + width) - first, upper - lower)


def plan_sheet(
    view_classes: Sequence[type[View]],
    runs: int,
    moments: int,
    size: tuple[int, int],
    medium: Medium,
    *,
    title_lines: int,
    verdict_width: float = VERDICT_WIDTH,
    moment_width: float = MOMENT_WIDTH,
) -> SheetPlan:
    """
    Return the best arrangement of `moments` on a sheet of `size` pixels.

    `verdict_width` and `moment_width` are those of the longest texts, in em.

    Raises
    ------
    TooSmallError
        If text would be too small to read.
    """
    strips = tuple(strips_of(view_classes, runs))
    shows_runs = any(view.shows_runs for view in view_classes)
    has_keys = shows_runs and all(one.index is None for one in strips)
    # In several blocks, the names of several runs would have to be repeated.
    can_wrap = len({one.index for one in strips}) == 1
    plans = [
        SheetPlan(strips, moments, columns, title_lines, has_keys, lines, moment_width, medium)
        for columns in (range(moments + 1) if can_wrap else (0, moments))
        for lines in ((1,) if columns else (1, 2, 3))
    ]
    best = max(plans, key=lambda plan: (plan.holds_verdicts(verdict_width, size), plan.score(size)))
    if best.em(size) < medium.min_em:
        readable = max(plans, key=lambda plan: plan.em(size))
        factor = medium.min_em / readable.em(size)
        if factor > 1:
            minimum = math.ceil(size[0] * factor), math.ceil(size[1] * factor)
            raise TooSmallError(
                f"size {size[0]}x{size[1]} is too small to read a sheet of {moments} pictures; "
                f"give at least {minimum[0]}x{minimum[1]}, or fewer of them",
                minimum,
            )
        best = readable
    return best


def title_lines(title: str) -> int:
    """Return the number of lines that `title` has on a sheet."""
    return min(sum(bool(line.strip()) for line in title.splitlines()), 2)


class Sheet:
    """
    Several moments of the same runs on one figure.

    Parameters
    ----------
    runs : sequence of Trajectory
    view_classes : sequence of View classes
    moments : sequence of float
        On the clock of the runs.
    size : (int, int)
        Width and height in pixels.
    theme : Theme
    title : str
        Without missing glyphs, of one line or two; empty for none.
    data : mapping
        The precomputed data that the views need.
    medium : Medium

    Attributes
    ----------
    figure : Figure
    notes : list of str
        What the picture shows otherwise than it was given.

    Raises
    ------
    TooSmallError
        If text would be too small to read.
    """

    def __init__(
        self,
        runs: Sequence[Trajectory],
        view_classes: Sequence[type[View]],
        moments: Sequence[float],
        size: tuple[int, int],
        theme: Theme,
        title: str,
        data: Mapping[str, Any],
        medium: Medium,
    ) -> None:
        self._runs, self._moments, self._size = runs, moments, size
        self._theme, self._data, self._medium = theme, data, medium
        self._clock = Clock.of(runs)
        self.notes: list[str] = []
        with theme.applied():
            self._plan = self._plan_with(view_classes, title_lines(title))
            self._em = self._plan.em(size)
            if self._plan.title_lines == 1 and self._title_room < self._title_width(title):
                self._plan = self._plan_with(view_classes, 2)
                self._em = self._plan.em(size)
            self.figure = make_figure(size, theme)
            add_background(self.figure, theme)
            if title:
                self._draw_title(title)
            if self._plan.has_keys:
                self._draw_keys()
            for place in range(len(self._plan.strips)):
                self._draw_strip(place)
            self._draw_moments()

    def _plan_with(self, view_classes: Sequence[type[View]], lines: int) -> SheetPlan:
        """Return the plan with this number of lines of the title."""
        return plan_sheet(
            view_classes,
            len(self._runs),
            len(self._moments),
            self._size,
            self._medium,
            title_lines=lines,
            moment_width=text_width(self._clock.longest_name, 1, bold=True),
            verdict_width=max(text_width(self._verdict(n), 1) for n in range(len(self._runs))),
        )

    @property
    def _title_size(self) -> float:
        return min(TITLE_SIZE * self._em, self._medium.max_text)

    @property
    def _title_room(self) -> float:
        return self._size[0] - self._box(0, 0).left - RIGHT * self._em

    def _title_width(self, title: str) -> float:
        return text_width(title, self._title_size, bold=True)

    def _draw_title(self, title: str) -> None:
        rooms = [self._title_room] * self._plan.title_lines
        lines = wrap(title, rooms, self._title_size, bold=True)
        self.notes += title_notes(title, lines)
        for number, line in enumerate(lines):
            y = self._size[1] - (1.2 + TITLE_PITCH * number) * self._em
            left, size = self._box(0, 0).left, self._title_size
            self._text(left, y, line, size=size, weight="bold", color=self._theme.ink)

    def _draw_strip(self, place: int) -> None:
        strip = self._plan.strips[place]
        views = [self._draw_panel(place, moment) for moment in range(len(self._moments))]
        first = self._box(place, 0)
        em = self._em
        if not self._plan.columns:
            # Captions stand above the first panels of each view, and headings above these.
            if self._plan.is_first_of_view(place):
                top = first.top + 0.75 * em + (NUMBER * em if self._plan.has_runs else 0.0)
                self._draw_caption(views[0], first.left, top, self._caption_room(place))
            if self._plan.is_first_of_run(place):
                lines = self._plan.verdict_lines
                top = first.top + (NUMBER + CAPTION + lines * NUMBER + 0.85) * em
                width = self._plan.run_width(place, self._size)
                self._draw_heading(strip, first.left, top, width, lines)
        else:
            for block in range(self._plan.blocks):
                heading, caption, number = (em * line for line in self._plan.lines(place, block))
                base = self._box(place, block * self._plan.columns)
                room = self._size[0] - base.left - RIGHT * em
                if heading:
                    top = base.top + number + caption + 0.85 * em
                    self._draw_heading(strip, base.left, top, room, 0)
                if caption or (place == 0 and block == 0):
                    above = number if place else heading + number + MOMENT * em
                    self._draw_caption(views[0], base.left, base.top + above + 0.75 * em, room)
        if self._plan.is_first_of_run(place):
            for number, moment in enumerate(self._moments):
                box = self._box(place, number)
                text = truncate(self._number(strip.index or 0, moment), box.width, em)
                self._text(box.left, box.top + 0.75 * em, text, color=self._theme.ink)

    def _draw_panel(self, place: int, number: int) -> View:
        """Draw a view at the moment with this number, and return it."""
        strip, moment = self._plan.strips[place], self._moments[number]
        (width, height), box = self._size, self._box(place, number)
        has_y_labels, has_x_labels = self._plan.has_tick_labels(place, number)
        axes = add_panel_axes(
            self.figure,
            (box.left / width, box.bottom / height, box.width / width, box.height / height),
            self._theme,
            self._em,
            labelleft=has_y_labels,
            labelbottom=has_x_labels,
        )
        panel = Panel(axes, self._runs, strip.index, self._theme, self._em, self._clock, self._data)
        view = strip.view(panel)
        keep_tick_labels_inside(panel)
        self._theme.typeface.apply(axes)
        if number > 0:
            _remove_names(view)
        if strip.index is None:
            view.draw(moment)  # type: ignore[arg-type]  # it looks up the records itself
            return view
        view.draw(self._clock.record(strip.index, moment))
        if moment < self._clock.times[strip.index][0]:  # not started yet
            for artist in view.moving:
                artist.set_visible(False)
        return view

    def _draw_caption(self, view: View, left: float, y: float, room: float) -> None:
        """Draw the caption of a view, and its legend beside it, if there is room."""
        em, color = self._em, self._theme.muted
        text = caption_of(view, room, em, self._clock.unit)
        self._text(left, y, text, color=color)
        if not view.legend_corner:
            return
        lines = labelled_lines(view.panel.axes)
        start = left + text_width(text, em) + HEADING_GAP * em
        gap = (LEGEND_LINE + SAMPLE_GAP + HEADING_GAP) * em
        widths = [text_width(str(line.get_label()), em) + gap for line in lines]
        if start + sum(widths) > left + room:
            add_legend(view.panel, view.legend_corner)
            self._theme.typeface.apply(view.panel.axes)
            return
        for line, width in zip(lines, widths, strict=True):
            sample = legend_color(line, len(self._runs), self._theme)
            add_legend_line(self.figure, (start, y), self._size, line, sample, em)
            name = str(line.get_label())
            self._text(start + (LEGEND_LINE + SAMPLE_GAP) * em, y, name, color=color)
            start += width

    def _draw_heading(self, strip: Strip, left: float, y: float, room: float, lines: int) -> None:
        """Draw name, key and verdict of a run: in one line, or the verdict in `lines` below."""
        index, em = strip.index or 0, self._em
        style, size = self._theme.run(index), self._name_size
        name = truncate(self._names[index], room, size, bold=True)
        self._text(left, y, name, size=size, weight="bold", color=style.text)
        end = text_width(name, size, bold=True) + KEY_GAP * em
        if end + KEY * em <= room:
            add_legend_key(self.figure, (left + end, y), self._size, style, em)
            end += (KEY + HEADING_GAP) * em
        if lines == 0:
            if end < room:
                verdict = truncate(self._verdict(index), room - end, em)
                self._text(left + end, y, verdict, color=style.text)
            return
        for line, text in enumerate(wrap(self._verdict(index), [room] * lines, em), 1):
            self._text(left, y - line * NUMBER * em, text, color=style.text)

    def _draw_keys(self) -> None:
        """Draw the names of all runs in one line, each with its key."""
        em, size = self._em, self._name_size
        left = float(self._box(0, 0).left)
        y = self._size[1] - (self._plan.head - KEYS + 0.85) * em
        room = (self._size[0] - left - RIGHT * em) / len(self._runs)
        for index, name in enumerate(self._names):
            style = self._theme.run(index)
            start = add_legend_key(self.figure, (left, y), self._size, style, em) + 0.5 * em
            shown = truncate(name, room - start - HEADING_GAP * em, size, bold=True)
            self._text(left + start, y, shown, size=size, weight="bold", color=style.text)
            left += min(room, start + text_width(shown, size, bold=True) + 2 * HEADING_GAP * em)

    def _draw_moments(self) -> None:
        """Draw the name of each moment once: over its column, or beside its row."""
        em = self._em
        for number, moment in enumerate(self._moments):
            text, box = self._clock.name(moment), self._box(0, number)
            if self._plan.columns:
                lines = sum(self._plan.lines(0, number // self._plan.columns))
                x, y = box.left, box.top + (lines + 0.75) * em
            else:
                x, y = round(EDGE * em), box.top - 0.6 * em
            self._text(x, y, text, weight="bold", color=self._theme.ink)

    def _caption_room(self, place: int) -> float:
        """Return the width for a caption over columns, up to the next caption."""
        box = self._box(place, 0)
        later = [
            self._box(other, 0).left - CAPTION_GAP * self._em
            for other in range(place + 1, len(self._plan.strips))
            if self._plan.is_first_of_view(other)
        ]
        return min([*later, self._size[0] - RIGHT * self._em]) - box.left

    @cached_property
    def _name_size(self) -> float:
        return min(NAME_SIZE * self._em, self._medium.max_text)

    @cached_property
    def _names(self) -> list[str]:
        """The labels of the runs, abbreviated where they would not fit."""
        key = (KEY_GAP + KEY) * self._em
        room = self._size[0] / len(self._runs) - key - 2 * LEFT * self._em
        if not self._plan.has_keys:
            places = filter(self._plan.is_first_of_run, range(len(self._plan.strips)))
            widths = [self._plan.run_width(place, self._size) for place in places]
            room = math.inf if self._plan.columns else min(widths) - key
        stages = all_names(self._runs)
        fitting = (
            names
            for names in stages
            if all(text_width(name, self._name_size, bold=True) <= room for name in names)
        )
        return next(fitting, stages[-1])

    def _verdict(self, index: int) -> str:
        """Return the verdict of a run, if it is known at the last moment that is shown."""
        run = self._runs[index]
        last = self._clock.record(index, max(self._moments))
        is_known = last >= run.record_at(run.diagnosis.verdict_step)
        return verdict_text(run, self._clock.unit) if is_known else ""

    def _number(self, index: int, moment: float) -> str:
        """Return the text above a panel: the loss of a run, or why there is none."""
        run, times, unit = self._runs[index], self._clock.times[index], self._clock.unit
        if moment < times[0]:
            return f"starts at {moment_text(times[0], unit)}"
        record = self._clock.record(index, moment)
        overflowed_at = run.diagnosis.overflowed_at
        if overflowed_at is not None and run.steps[record] >= overflowed_at:
            return "overflowed"
        known = run.losses[: record + 1]
        known = known[~np.isnan(known)]
        return f"loss {value_text(known[-1])}" if len(known) else ""

    def _box(self, strip: int, moment: int) -> Box:
        return self._plan.box(strip, moment, self._size)

    def _text(self, x: float, y: float, text: str, size: float = 0, **style: Any) -> None:
        """Add a text at pixel (x, y), with `size` in pixels, by default that of captions."""
        self.figure.text(
            x / self._size[0], y / self._size[1], text,
            fontproperties=self._theme.typeface.properties(), fontsize=size or self._em,
            verticalalignment="center", **style,
        )  # fmt: skip


def _remove_names(view: View) -> None:
    """Remove what a panel of another moment says already: texts that do not move."""
    moving = {id(artist) for artist in view.moving}
    for artist in list(view.panel.axes.texts):
        if id(artist) not in moving:
            artist.remove()


def panel_boxes(plan: SheetPlan, size: tuple[int, int]) -> Iterator[Box]:
    """Yield the boxes of all panels."""
    for strip in range(len(plan.strips)):
        for moment in range(plan.moments):
            yield plan.box(strip, moment, size)
