"""
Layout of a scene: the boxes of its title, headings, captions and panels, in pixels.

What several panels have in common stands once: a caption over a row or a column of panels, tick
labels at the outside, a heading for each run. All distances are multiples of the em, the size of
the smallest text. An arrangement is two sequences of tracks, like a grid of CSS. Of all
arrangements, the one with the largest smallest panel is chosen, where a panel counts as far as its
view can use its shape. This module does not draw.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from animate.drawing.medium import FILM, Medium
from animate.system.errors import InputError

# Text is made smaller, at most by this factor, until the panels fill this share of the frame.
SMALLEST_TEXT, WANTED_SHARE = 0.72, 0.59
# In the score, relative to the area of the smallest panel: the size of text, the area of all
# panels, and how much flatter a panel is than any view can use.
TEXT_WEIGHT, SHARE_WEIGHT, FLATNESS_PENALTY = 1.4, 0.3, 4.0

# In em.
EDGE, RIGHT = 1.0, 0.7  # between the frame and what is next to it
GAP, ROW_GAP, CELL_GAP = 1.05, 0.85, 1.6  # between panels, and between runs
TITLE = 2.1  # a line of the title
CAPTION, TICK_HEIGHT = 1.7, 1.43  # above and below a panel
TICK_WIDTH = 2.5  # tick labels at the left of a panel, unless they are known to be wider
FOOT, MARGIN = 0.85, 0.3  # the timeline of a film, and an edge without it or without a title
NAME_WIDTH, SHORT_NAME_WIDTH = 17.0, 12.0  # of a run's name with its key, unless they are known
LONGEST_NAME = 19.5  # beyond which names are abbreviated
PLOT_WIDTH, PLOT_HEIGHT = 11.0, 5.5  # of a panel, at least

ASPECTS = 0.75, 2.5  # width over height, in which a panel can be read
ACROSS_SHARES = 1.0, 1.5, 2.0, 3.0  # sizes of a panel of all runs, relative to one of a single run

Spot = tuple[float, int]  # em from the left edge of a heading, and line


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

    @property
    def right(self) -> int:
        """The right edge."""
        return self.left + self.width


@dataclass(frozen=True, slots=True)
class Heading:
    """
    Where the texts of a run's heading stand.

    Attributes
    ----------
    width, height : float
        The least width and the height, in em.
    name_room : float
        The width for the name and the key of the run, in em.
    loss, detail : Spot
    verdict : tuple of Spot
        One or two lines.
    """

    width: float
    height: float
    name_room: float
    loss: Spot
    detail: Spot
    verdict: tuple[Spot, ...]

    @property
    def is_narrow(self) -> bool:
        """Whether it has a line for each text, so that it fits beside panels."""
        return self.detail[1] > self.loss[1]


HEADINGS = (
    Heading(55.0, 2.1, 18.0, (19.0, 0), (26.4, 0), ((37.0, 0),)),
    Heading(37.5, 3.35, 18.0, (0.0, 1), (7.4, 1), ((19.0, 0),)),
    Heading(18.5, 4.75, math.inf, (0.0, 1), (7.4, 1), ((0.0, 2),)),
    Heading(11.5, 6.95, math.inf, (0.0, 1), (0.0, 2), ((0.0, 3), (0.0, 4))),
)
SIDE_WIDTH = 12.4  # em, of a heading beside its panels, with the gap


@dataclass(frozen=True, slots=True)
class PanelKind:
    """
    What a layout must know of the panels of a view.

    Attributes
    ----------
    aspects : (float, float)
        The least and the largest ratio of width to height that the view can use.
    x_axis : str
        Stacked views of a run with the same x axis have tick labels once; empty for its own.
    is_uniform : bool
        Whether caption and scales are the same for all runs.
    tick_width : float
        Of the tick labels at the left, with their distance, in em.
    """

    aspects: tuple[float, float] = ASPECTS
    x_axis: str = ""
    is_uniform: bool = True
    tick_width: float = TICK_WIDTH

    def usable_area(self, width: float, height: float) -> float:
        """
        Return the area of the largest rectangle in a panel that has one of the aspect ratios.

        >>> PanelKind((1.0, 2.0)).usable_area(300, 100)
        20000.0
        """
        least, largest = self.aspects
        return min(width, largest * height) * min(height, width / least)


@dataclass(frozen=True, slots=True)
class Contents:
    """
    What is placed in a frame.

    Attributes
    ----------
    headings : int
        The number of runs, or 0 if they are not shown.
    views : tuple of PanelKind
        Those with one panel per run.
    above, below : tuple of PanelKind
        Those with one panel for all runs, before and after `views`.
    title_lines : int
        1 if title and epoch share a line, else 2; 0 if there are neither.
    name_width : float
        Of the widest name of a run, with its key, in em.
    short_name_width : float
        The same, with the first abbreviation.
    """

    headings: int
    views: tuple[PanelKind, ...] = ()
    above: tuple[PanelKind, ...] = ()
    below: tuple[PanelKind, ...] = ()
    title_lines: int = 1
    name_width: float = NAME_WIDTH
    short_name_width: float = SHORT_NAME_WIDTH

    @property
    def across(self) -> tuple[PanelKind, ...]:
        """The views of all runs, in their order."""
        return self.above + self.below

    @property
    def head(self) -> float:
        """The height of the title, or of the edge that is there instead, in em."""
        return TITLE * self.title_lines if self.title_lines else MARGIN


@dataclass(frozen=True, slots=True)
class Place:
    """
    The place of a panel.

    Attributes
    ----------
    box : Box
        Its axes.
    caption : Box or None
        The place of its caption, which may span panels of other runs; None if another has it.
    has_x_labels, has_y_labels : bool
        Whether it has tick labels.
    """

    box: Box
    caption: Box | None
    has_x_labels: bool
    has_y_labels: bool


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
    heading : Heading
        The form of all headings.
    is_beside : bool
        Whether headings stand beside panels, not above them.
    headings : tuple of Box
        One per run.
    panels : tuple of tuple of Place
        One tuple per run, with one place per view of a single run.
    across : tuple of Place
        One per view of all runs.
    timeline : Box
    """

    em: float
    title: tuple[Box, ...]
    heading: Heading
    is_beside: bool
    headings: tuple[Box, ...]
    panels: tuple[tuple[Place, ...], ...]
    across: tuple[Place, ...]
    timeline: Box


@dataclass(frozen=True, slots=True)
class Tracks:
    """
    Lengths along one side of a frame: some em each, plus shares of what is left.

    Attributes
    ----------
    fixed, shares : tuple of float
        Of each track, in em, and relative to a panel of a single run.
    least : float
        The least length of a share of 1, in em.
    """

    fixed: tuple[float, ...]
    shares: tuple[float, ...]
    least: float

    def largest_em(self, length: float) -> float:
        """
        Return the em with which the tracks fill `length`, each share as short as allowed.

        >>> Tracks((1, 0, 1), (0, 2, 0), least=9).largest_em(200)
        10.0
        """
        return length / (sum(self.fixed) + self.least * sum(self.shares))

    def edges(self, length: float, em: float) -> tuple[float, ...]:
        """
        Return where each track starts and the last one ends, in pixels.

        >>> Tracks((1, 0, 1), (0, 2, 0), least=9).edges(200, em=5)
        (0, 5.0, 195.0, 200.0)
        """
        total = sum(self.shares)
        unit = (length - em * sum(self.fixed)) / total if total else 0.0
        lengths = (
            em * one + unit * share for one, share in zip(self.fixed, self.shares, strict=True)
        )
        return tuple(itertools.accumulate(lengths, initial=0))


class _TrackList:
    """Tracks that are being put one after another."""

    def __init__(self, *fixed: float) -> None:
        self._fixed, self._shares = list(fixed), [0.0] * len(fixed)

    def add(self, fixed: float, share: float = 0.0) -> int:
        """Add a track of `fixed` em and `share`; returns its index."""
        self._fixed.append(fixed)
        self._shares.append(share)
        return len(self._fixed) - 1

    def tracks(self, least: float) -> Tracks:
        return Tracks(tuple(self._fixed), tuple(self._shares), least)


@dataclass(frozen=True, slots=True)
class _Area:
    """A rectangle of tracks: from one track to another, both included, on each side."""

    x: Tracks
    y: Tracks
    first_column: int
    last_column: int
    first_row: int
    last_row: int

    def corners(self, size: tuple[int, int], em: float) -> tuple[float, float, float, float]:
        """Return left, right, and the distances of upper and lower edge from the top."""
        across, down = self.x.edges(size[0], em), self.y.edges(size[1], em)
        return (
            across[self.first_column],
            across[self.last_column + 1],
            down[self.first_row],
            down[self.last_row + 1],
        )

    def box(self, size: tuple[int, int], em: float) -> Box:
        left, right, top, bottom = self.corners(size, em)
        width, height = round(right - left), round(bottom - top)  # the same for all panels
        return Box(round(left), size[1] - round(top) - height, width, height)


@dataclass(frozen=True, slots=True)
class _Panel:
    """A panel of an arrangement, before its size is known."""

    kind: PanelKind
    area: _Area
    caption: _Area | None
    has_x_labels: bool
    has_y_labels: bool

    def place(self, size: tuple[int, int], em: float) -> Place:
        return Place(
            self.area.box(size, em),
            None if self.caption is None else self.caption.box(size, em),
            self.has_x_labels,
            self.has_y_labels,
        )


@dataclass(frozen=True, slots=True)
class _Arrangement:
    """Headings and panels on tracks."""

    contents: Contents
    heading: Heading
    is_beside: bool
    tracks: tuple[tuple[Tracks, int], ...]
    headings: tuple[_Area, ...]
    panels: tuple[tuple[_Panel, ...], ...]
    across: tuple[_Panel, ...]
    title_left: tuple[Tracks, int]
    medium: Medium

    def largest_em(self, size: tuple[int, int]) -> float:
        """Return the largest em with which all parts have their least size."""
        largest = self.medium.em_limit(size)
        return min(largest, *(tracks.largest_em(size[side]) for tracks, side in self.tracks))

    def em(self, size: tuple[int, int]) -> float:
        """Return the em: smaller than the largest where panels would not have their share."""
        largest = self.largest_em(size)
        least = max(self.medium.min_em, SMALLEST_TEXT * self.medium.em_limit(size))
        em = largest
        while em > least and self._share(size, em) < WANTED_SHARE:
            em = max(0.98 * em, least)
        return em

    def score(self, size: tuple[int, int]) -> float:
        """Return the score: large if the smallest panel, all panels and the text are large."""
        em = self.em(size)
        lengths = list(self._lengths(size, em))
        smallest = min(
            panel.kind.usable_area(*each)
            for panel, each in zip(self._distinct, lengths, strict=True)
        )
        flattest = max(width / height for width, height in lengths)
        penalty = FLATNESS_PENALTY * max(math.log(flattest / ASPECTS[1]), 0.0)
        total = SHARE_WEIGHT * math.log(self._share(size, em))
        return math.log(smallest) + total + TEXT_WEIGHT * math.log(em) - penalty

    @property
    def _distinct(self) -> tuple[_Panel, ...]:
        """The panels of one run, which have the size of those of the others, and of all runs."""
        return (*(self.panels[0] if self.panels else ()), *self.across)

    def _lengths(self, size: tuple[int, int], em: float) -> Iterator[tuple[float, float]]:
        for panel in self._distinct:
            left, right, top, bottom = panel.area.corners(size, em)
            yield right - left, bottom - top

    def _share(self, size: tuple[int, int], em: float) -> float:
        """Return the area of all panels, relative to that of the frame."""
        counts = [len(self.panels)] * len(self.contents.views) + [1] * len(self.across)
        lengths = self._lengths(size, em)
        areas = (count * wide * high for count, (wide, high) in zip(counts, lengths, strict=True))
        return sum(areas) / (size[0] * size[1])

    def layout(self, size: tuple[int, int]) -> Layout:
        """Return the boxes in a frame of `size`."""
        (width, height), em = size, self.em(size)
        tracks, index = self.title_left
        left, right = round(tracks.edges(width, em)[index]), round(width - RIGHT * em)

        def row(top: float, high: float) -> Box:
            upper, lower = round(height - top), round(height - top - high)
            return Box(left, lower, right - left, upper - lower)

        return Layout(
            em=em,
            title=tuple(
                row(line * TITLE * em, TITLE * em) for line in range(self.contents.title_lines)
            ),
            heading=self.heading,
            is_beside=self.is_beside,
            headings=tuple(area.box(size, em) for area in self.headings),
            panels=tuple(tuple(one.place(size, em) for one in cells) for cells in self.panels),
            across=tuple(one.place(size, em) for one in self.across),
            timeline=row(height - 0.62 * em, max(0.26 * em, 3)),
        )


def arrange(size: tuple[int, int], contents: Contents, medium: Medium = FILM) -> Layout:
    """
    Return the best layout of `contents` in a frame of `size` pixels, (width, height).

    `medium` bounds the size of text, and decides whether there is a timeline.

    Raises
    ------
    TooSmallError
        If text would be too small to read. The message names the smallest legible size.
    """
    arrangements = _arrangements(contents, medium)
    legible = [one for one in arrangements if one.largest_em(size) >= medium.min_em]
    if not legible:
        best = max(one.largest_em(size) for one in arrangements)
        factor = medium.min_em / best
        minimum = math.ceil(size[0] * factor), math.ceil(size[1] * factor)
        runs, views = contents.headings, len(contents.views + contents.across)
        raise TooSmallError(
            f"size {size[0]}x{size[1]} is too small to read "
            f"{runs} learning rate{'s' if runs != 1 else ''} in {views} "
            f"view{'s' if views != 1 else ''}; "
            f"give at least {minimum[0]}x{minimum[1]}, or fewer of them",
            minimum,
        )
    return max(legible, key=lambda one: one.score(size)).layout(size)


@lru_cache(maxsize=64)
def _arrangements(contents: Contents, medium: Medium) -> tuple[_Arrangement, ...]:
    """Return all ways to place `contents`: runs as columns, as rows, or in a grid."""
    return tuple(
        _build(contents, form, across, medium)
        for form in _forms(contents)
        for across in _across_forms(contents)
        if _suit(contents, form, across)
    )


@dataclass(frozen=True, slots=True)
class _AcrossForm:
    """Panels of all runs: in rows of `columns`, or stacked at a side; `share` of a panel's size."""

    share: float
    columns: int
    at_side: bool


@dataclass(frozen=True, slots=True)
class _Form:
    """Runs in bands of `columns`, their views in `view_columns`, headings above or beside them."""

    views: int
    columns: int
    view_columns: int
    heading: Heading
    is_beside: bool

    @property
    def view_rows(self) -> int:
        return math.ceil(self.views / self.view_columns)

    @property
    def repeats_down(self) -> bool:
        """Whether the panels of a column are all of one view."""
        return self.view_rows == 1

    @property
    def repeats_across(self) -> bool:
        """Whether the panels of a row are all of one view."""
        return self.view_columns == 1

    def spot(self, view: int) -> tuple[int, int]:
        """Return the row and the column of a view among those of its run."""
        return divmod(view, self.view_columns)


def _forms(contents: Contents) -> Iterator[_Form]:
    runs = contents.headings
    bands = {math.ceil(runs / columns): columns for columns in range(runs, 0, -1)}
    for columns in bands.values() or (1,):
        for view_columns in range(1, max(len(contents.views), 1) + 1):
            shape = len(contents.views), columns, view_columns
            for heading in HEADINGS:
                if contents.name_width <= heading.name_room:
                    yield _Form(*shape, heading, is_beside=False)
            if contents.short_name_width <= SIDE_WIDTH:
                yield _Form(*shape, HEADINGS[-1], is_beside=True)


def _across_forms(contents: Contents) -> Iterator[_AcrossForm]:
    count = len(contents.across)
    for share in ACROSS_SHARES if count and contents.views else (1.0,):
        for columns in range(1, max(len(contents.above), len(contents.below), 1) + 1):
            yield _AcrossForm(share, columns, at_side=False)
        if count and contents.headings:
            yield _AcrossForm(share, 1, at_side=True)


def _suit(contents: Contents, form: _Form, across: _AcrossForm) -> bool:
    """Return whether both forms go together: headings stand beside panels, and in one column."""
    return bool(contents.views) or (
        form.is_beside == across.at_side and (form.columns == 1 or not form.is_beside)
    )


def _build(
    contents: Contents, form: _Form, across_form: _AcrossForm, medium: Medium
) -> _Arrangement:
    """Return the arrangement of `contents` in these forms."""
    foot = FOOT if medium.is_film else MARGIN
    at_side = across_form.at_side
    x, y = _TrackList(), _TrackList(contents.head)
    side = _Side(contents, across_form, foot)
    if at_side and contents.above:
        side.add_column(x)
    columns = _columns(contents, form, x)
    if at_side and not contents.above:
        side.add_column(x)
    x.add(RIGHT)
    above, below = _AcrossRows(contents, across_form), _AcrossRows(contents, across_form)
    if not at_side:
        above.add(contents.above, y)
    bands = _bands(contents, form, y)
    if not at_side:
        below.add(contents.below, y)
    y.add(foot)
    count = len(contents.views)
    least_width, least_height = PLOT_WIDTH, PLOT_HEIGHT
    if contents.headings and not form.is_beside:
        inner = sum(GAP + kind.tick_width for kind in contents.views[1 : form.view_columns])
        needed = max(form.heading.width, min(contents.short_name_width, LONGEST_NAME))
        least_width = max(PLOT_WIDTH, (needed - inner) / form.view_columns)
    elif contents.views:
        least_height = max(PLOT_HEIGHT, form.heading.height / form.view_rows)
    grid_x, grid_y = x.tracks(least_width), y.tracks(least_height)
    others = ((side.tracks(), 1),) if at_side else ((above.tracks(), 0), (below.tracks(), 0))
    headings, panels = [], []
    for run in range(contents.headings):
        band, column = divmod(run, form.columns)
        headings.append(_heading_area(form, columns[column], bands[band], grid_x, grid_y))
        panels.append(
            tuple(
                _run_panel(contents, form, (band, column, view), columns, bands, grid_x, grid_y)
                for view in range(count)
            )
        )
    rows = (*above.panels(grid_y), *below.panels(grid_y))
    title_left = (grid_x, columns[0].heading if form.is_beside else columns[0].panels[0])
    if at_side and contents.above:
        title_left = (grid_x, side.column)
    elif not contents.headings:
        title_left = (above.tracks(), 1)
    return _Arrangement(
        contents,
        form.heading,
        form.is_beside,
        ((grid_x, 0), (grid_y, 1), *others),
        tuple(headings),
        tuple(panels),
        side.panels(grid_x) if at_side else rows,
        title_left,
        medium,
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """The tracks of a run's heading, if it stands beside panels, and of its columns of panels."""

    heading: int
    panels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Band:
    """The tracks of a band's headings, if they stand above, its captions, and its panels."""

    heading: int
    captions: tuple[int | None, ...]
    panels: tuple[int, ...]


def _columns(contents: Contents, form: _Form, x: _TrackList) -> tuple[_Column, ...]:
    """Add the tracks of all runs of a band to `x`."""
    found = []
    for column in range(form.columns):
        heading, panels = -1, []
        if column:
            x.add(CELL_GAP if form.is_beside or not form.repeats_across else GAP)
        if form.is_beside:
            if not column:
                x.add(EDGE)
            heading = x.add(SIDE_WIDTH)
        for number in range(form.view_columns):
            kinds = contents.views[number :: form.view_columns]
            if number:
                x.add(GAP)
            widths = [kind.tick_width for kind in kinds if _has_y_labels(form, column, kind)]
            if contents.views or not column:
                x.add(max(widths, default=0.0 if contents.views else TICK_WIDTH))
            panels.append(x.add(0.0, 0.0 if form.is_beside and not contents.views else 1.0))
        found.append(_Column(heading, tuple(panels)))
    return tuple(found)


def _has_y_labels(form: _Form, column: int, kind: PanelKind) -> bool:
    """Return whether a panel has tick labels at its left: not if its neighbour has the same."""
    return column == 0 or not form.repeats_across or not kind.is_uniform


def _bands(contents: Contents, form: _Form, y: _TrackList) -> tuple[_Band, ...]:
    """Add the tracks of all bands of runs to `y`."""
    found = []
    for band in range(math.ceil(contents.headings / form.columns)):
        heading = -1
        if not (form.is_beside and contents.views):
            heading = y.add(form.heading.height)
        captions, panels = [], []
        for row in range(form.view_rows):
            views = [view for view in range(form.views) if form.spot(view)[0] == row]
            has_caption = any(_has_caption(form, band, contents.views[view]) for view in views)
            captions.append(y.add(CAPTION) if has_caption else None)
            panels.append(y.add(0.0, 1.0))
            has_labels = any(_has_x_labels(contents, form, (band, 0, view)) for view in views)
            y.add(TICK_HEIGHT if has_labels else ROW_GAP)
        found.append(_Band(heading, tuple(captions), tuple(panels)))
    return tuple(found)


def _has_caption(form: _Form, band: int, kind: PanelKind) -> bool:
    """Return whether a band has captions: not if the panels above have the same."""
    return band == 0 or not form.repeats_down or not kind.is_uniform


def _has_x_labels(contents: Contents, form: _Form, cell: tuple[int, int, int]) -> bool:
    """Return whether the panel of a band, column and view has tick labels below it."""
    band, column, view = cell
    kind = contents.views[view]
    if form.repeats_down:
        has_panel_below = (band + 1) * form.columns + column < contents.headings
        return not (has_panel_below and kind.is_uniform)
    if view + form.view_columns >= form.views:
        return True
    following = contents.views[view + form.view_columns]
    is_shared = kind.x_axis and kind.x_axis == following.x_axis
    return not (is_shared and kind.is_uniform and following.is_uniform)


def _heading_area(form: _Form, column: _Column, band: _Band, x: Tracks, y: Tracks) -> _Area:
    if form.is_beside:
        rows = band.panels or (band.heading,)
        return _Area(x, y, column.heading, column.heading, rows[0], rows[-1])
    return _Area(x, y, column.panels[0], column.panels[-1], band.heading, band.heading)


def _run_panel(
    contents: Contents,
    form: _Form,
    cell: tuple[int, int, int],
    columns: Sequence[_Column],
    bands: Sequence[_Band],
    x: Tracks,
    y: Tracks,
) -> _Panel:
    """Return the panel of a band, column and view."""
    band, column, view = cell
    kind = contents.views[view]
    row, across = form.spot(view)
    track, last = bands[band].panels[row], columns[column].panels[across]
    caption_track, caption = bands[band].captions[row], None
    begins_row = column == 0 or not form.repeats_across or not kind.is_uniform
    if caption_track is not None and begins_row and _has_caption(form, band, kind):
        end = last
        if kind.is_uniform and form.repeats_across:
            in_band = min(form.columns, contents.headings - band * form.columns)
            end = columns[in_band - 1].panels[across]
        caption = _Area(x, y, last, end, caption_track, caption_track)
    return _Panel(
        kind,
        _Area(x, y, last, last, track, track),
        caption,
        _has_x_labels(contents, form, cell),
        _has_y_labels(form, column, kind),
    )


class _Side:
    """Panels of all runs, stacked at a side of those of single runs."""

    def __init__(self, contents: Contents, form: _AcrossForm, foot: float) -> None:
        self._kinds, self._share = contents.across, form.share
        self._has_views, self._comes_first = bool(contents.views), bool(contents.above)
        self._y = _TrackList(contents.head)
        self._rows = [
            (self._y.add(CAPTION), self._y.add(0.0, 1.0), self._y.add(TICK_HEIGHT))
            for _ in self._kinds
        ]
        self._y.add(foot)
        self.column = -1

    def add_column(self, x: _TrackList) -> None:
        """Add the track of the panels to `x`."""
        if not self._comes_first:
            x.add(CELL_GAP if self._has_views else 0.0)
        x.add(max(kind.tick_width for kind in self._kinds))
        self.column = x.add(0.0, self._share)
        if self._comes_first:
            x.add(CELL_GAP)

    def tracks(self) -> Tracks:
        return self._y.tracks(PLOT_HEIGHT)

    def panels(self, x: Tracks) -> tuple[_Panel, ...]:
        y = self.tracks()
        return tuple(
            _Panel(
                kind,
                _Area(x, y, self.column, self.column, row, row),
                _Area(x, y, self.column, self.column, caption, caption),
                has_x_labels=True,
                has_y_labels=True,
            )
            for kind, (caption, row, _) in zip(self._kinds, self._rows, strict=True)
        )


class _AcrossRows:
    """Panels of all runs, in rows above or below those of single runs."""

    def __init__(self, contents: Contents, form: _AcrossForm) -> None:
        self._form = form
        width = max((kind.tick_width for kind in contents.across), default=TICK_WIDTH)
        self._x = _TrackList(width)
        self._columns = []
        for column in range(form.columns):
            if column:
                self._x.add(GAP + width)
            self._columns.append(self._x.add(0.0, 1.0))
        self._x.add(RIGHT)
        self._placed: list[tuple[PanelKind, int, int, int]] = []

    def add(self, kinds: Sequence[PanelKind], y: _TrackList) -> None:
        """Add the tracks of all rows to `y`."""
        for start in range(0, len(kinds), self._form.columns):
            caption, row = y.add(CAPTION), y.add(0.0, self._form.share)
            y.add(TICK_HEIGHT)
            self._placed += [
                (kind, column, caption, row)
                for kind, column in zip(kinds[start:], self._columns, strict=False)
            ]

    def tracks(self) -> Tracks:
        return self._x.tracks(PLOT_WIDTH)

    def panels(self, y: Tracks) -> tuple[_Panel, ...]:
        x = self.tracks()
        return tuple(
            _Panel(
                kind,
                _Area(x, y, column, column, row, row),
                _Area(x, y, column, column, caption, caption),
                has_x_labels=True,
                has_y_labels=True,
            )
            for kind, column, caption, row in self._placed
        )
