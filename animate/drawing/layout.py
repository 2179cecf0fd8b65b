"""
Layout of a scene: the boxes of its title, headers and panels, in pixels.

All distances are multiples of the em, the size of the smallest text. Of all arrangements of the
panels, the one with the best score is chosen: large text first, then large panels of a good aspect
ratio. This module does not draw.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from animate.drawing.medium import FILM, Medium
from animate.system.errors import InputError

MIN_EM = FILM.min_em

# In em.
LEFT, RIGHT, GAP = 3.6, 1.4, 1.6  # beside and between panels; LEFT holds the tick labels
TITLE = 2.7  # the row of title and epoch
HEADER = 4.6  # name, numbers and verdict of a run
CAPTION, TICKS = 1.9, 1.9  # above and below each panel
FOOT, MARGIN = 1.5, 0.3  # below the panels: the timeline of a film, or nothing
HEADER_WIDTH = 19.5
PLOT_WIDTH, PLOT_HEIGHT = 14.0, 6.0  # of a panel, at least

BEST_ASPECT = 1.5


class TooSmallError(InputError):
    """The size leaves text too small to read; `minimum_size` is the smallest legible one."""

    def __init__(self, message: str, minimum_size: tuple[int, int]) -> None:
        super().__init__(message)
        self.minimum_size = minimum_size


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in whole pixels; the origin is the lower left corner of the figure."""

    left: int
    bottom: int
    width: int
    height: int

    @property
    def top(self) -> int:
        """The upper edge."""
        return self.bottom + self.height


@dataclass(frozen=True, slots=True)
class Layout:
    """
    The boxes of a scene.

    Attributes
    ----------
    em : float
        The size of the smallest text, in pixels.
    title : tuple of Box
        One box if title and epoch share a line, else two; none if there are neither.
    headers : tuple of Box
        One per run.
    panels : tuple of tuple of Box
        One tuple per run, with one box per view of a single run.
    across : tuple of Box
        One per view of all runs.
    with_tick_labels : frozenset of Box
        The panels with space for tick labels on the left.
    timeline : Box
    """

    em: float
    title: tuple[Box, ...]
    headers: tuple[Box, ...]
    panels: tuple[tuple[Box, ...], ...]
    across: tuple[Box, ...]
    with_tick_labels: frozenset[Box]
    timeline: Box


@dataclass(frozen=True, slots=True)
class _Plan:
    """An arrangement: runs in `columns`, the views of each stacked or side by side."""

    runs: int
    views: int
    above: int
    below: int
    title_lines: int
    columns: int
    stacked: bool
    medium: Medium

    @property
    def bands(self) -> int:
        return math.ceil(self.runs / self.columns) if self.runs else 0

    @property
    def across(self) -> int:
        return self.above + self.below

    @property
    def columns_of_plots(self) -> int:
        return self.columns if self.stacked else self.columns * max(self.views, 1)

    @property
    def rows_of_plots(self) -> int:
        return self.bands * (self.views if self.stacked else min(self.views, 1)) + self.across

    @property
    def gap(self) -> float:
        return GAP if self.stacked else LEFT

    @property
    def margins_width(self) -> float:
        return LEFT + RIGHT + self.gap * (self.columns_of_plots - 1)

    @property
    def margins_height(self) -> float:
        rows = self.rows_of_plots * (CAPTION + TICKS)
        foot = FOOT if self.medium.is_film else MARGIN
        head = TITLE * self.title_lines if self.title_lines else MARGIN
        return head + self.bands * HEADER + rows + foot

    @property
    def min_plot_width(self) -> float:
        if self.stacked or not self.views:
            return HEADER_WIDTH if self.runs else PLOT_WIDTH
        return max(PLOT_WIDTH, (HEADER_WIDTH - (self.views - 1) * LEFT) / self.views)

    def em(self, width: int, height: int) -> float:
        across = self.columns_of_plots * self.min_plot_width + self.margins_width
        down = self.rows_of_plots * PLOT_HEIGHT + self.margins_height
        return min(width / across, height / down, self.medium.em_limit((width, height)))

    def plot(self, width: int, height: int) -> tuple[float, float]:
        """Return the width and height of a panel, in pixels."""
        em = self.em(width, height)
        return (
            (width - em * self.margins_width) / self.columns_of_plots,
            (height - em * self.margins_height) / max(self.rows_of_plots, 1),
        )

    def score(self, width: int, height: int) -> float:
        """Return the score: large text counts most, then large panels of a good aspect ratio."""
        wide, high = self.plot(width, height)
        if not self.views:
            return 4 * math.log(self.em(width, height)) + math.log(high)
        aspect_penalty = abs(math.log(wide / high / BEST_ASPECT))
        return 4 * math.log(self.em(width, height)) + math.log(wide * high) - aspect_penalty


def arrange(
    size: tuple[int, int],
    runs: int,
    views: int,
    above: int = 0,
    below: int = 0,
    title_lines: int = 1,
    medium: Medium = FILM,
) -> Layout:
    """
    Return the best layout for a frame of `size` pixels.

    Parameters
    ----------
    size : (int, int)
        Width and height.
    runs, views : int
        The number of runs, and of views with one panel per run.
    above, below : int
        The numbers of panels of full width above and below the runs.
    title_lines : int
        1 if title and epoch share a line, else 2; 0 if there are neither.
    medium : Medium

    Raises
    ------
    InputError
        If text would be too small to read. The message names the smallest legible size.
    """
    plans = [
        _Plan(runs, views, above, below, title_lines, columns, stacked, medium)
        for columns in range(1, max(runs, 1) + 1)
        for stacked in ((True, False) if views > 1 else (True,))
    ]
    best = max(plans, key=lambda plan: plan.score(*size))
    if best.em(*size) < medium.min_em:
        readable = max(plans, key=lambda plan: plan.em(*size))
        factor = medium.min_em / readable.em(*size)
        if factor > 1:
            minimum = math.ceil(size[0] * factor), math.ceil(size[1] * factor)
            raise TooSmallError(
                f"size {size[0]}x{size[1]} is too small to read "
                f"{runs} learning rate{'s' if runs != 1 else ''} in {views + above + below} "
                f"view{'s' if views + above + below != 1 else ''}; "
                f"give at least {minimum[0]}x{minimum[1]}, or fewer of them",
                minimum,
            )
        best = readable
    return _build_layout(best, size)


def _build_layout(plan: _Plan, size: tuple[int, int]) -> Layout:
    width, height = size
    em = plan.em(*size)
    plot_width, plot_height = plan.plot(*size)
    left, right = LEFT * em, width - RIGHT * em

    def box(x: float, top: float, wide: float, high: float) -> Box:
        """Return the box with its left edge at `x`, and its upper edge `top` below the frame's."""
        first, last = round(x), round(x + wide)
        upper, lower = round(height - top), round(height - top - high)
        return Box(first, lower, last - first, upper - lower)

    def across(count: int, top: float) -> Iterator[Box]:
        for number in range(count):
            start = top + number * (CAPTION * em + plot_height + TICKS * em) + CAPTION * em
            yield box(left, start, right - left, plot_height)

    row = CAPTION * em + plot_height + TICKS * em
    title = tuple(
        box(left, line * TITLE * em, right - left, TITLE * em) for line in range(plan.title_lines)
    )
    top = (TITLE * plan.title_lines if plan.title_lines else MARGIN) * em
    bands = list(across(plan.above, top))
    top += plan.above * row
    headers, panels = [], []
    labelled = set(bands)
    rows_a_band = plan.views if plan.stacked else min(plan.views, 1)
    step = plot_width + plan.gap * em
    for run in range(plan.runs):
        band, column = divmod(run, plan.columns)
        start = top + band * (HEADER * em + rows_a_band * row)
        x = left + column * step * (1 if plan.stacked else max(plan.views, 1))
        wide = plot_width if plan.stacked else step * max(plan.views, 1) - plan.gap * em
        headers.append(box(x, start, wide, HEADER * em))
        start += HEADER * em + CAPTION * em
        cells = tuple(
            box(x, start + view * row, plot_width, plot_height)
            if plan.stacked
            else box(x + view * step, start, plot_width, plot_height)
            for view in range(plan.views)
        )
        panels.append(cells)
        if column == 0 or not plan.stacked:
            labelled.update(cells)
    top += plan.bands * (HEADER * em + rows_a_band * row)
    bands += across(plan.below, top)
    labelled.update(bands)
    return Layout(
        em=em,
        title=title,
        headers=tuple(headers),
        panels=tuple(panels),
        across=tuple(bands),
        with_tick_labels=frozenset(labelled),
        timeline=box(left, height - 0.9 * em, right - left, max(0.28 * em, 3)),
    )
