"""
All panels of one picture on one Figure: views × runs, their headings, the epoch and the time line.

A scene is drawn for an epoch, and that depends on nothing but the epoch. It knows neither which
epochs a film shows nor what becomes of the picture.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox, TransformedBbox

from animate import inputs
from animate.diagnosis import distance, share_left
from animate.inputs import InputError
from animate.readout import Readout
from animate.scene.layout import GAP, Box, Layout, arrange
from animate.scene.text import drawable, shortened, text_width
from animate.theme import RunStyle, Theme
from animate.theme import theme as theme_named
from animate.trajectory import Trajectory
from animate.views import Panel, View, load
from animate.wording import figures, line_equation, rate_texts, share_text

DOTS_AN_INCH = 72  # so that a point is a pixel, and no width loses one in rounding
DEFAULT_TITLES = (
    "One line, fitted by gradient descent",
    "What does the learning rate do?",
)
AnyArtist = TypeVar("AnyArtist", bound=Artist)
MIDDLE = 0.26  # em, from the baseline to the middle of a line
KEY, KEY_GAP = 3.2, 0.8  # em
TITLE_SIZE, EPOCH_SIZE, NAME_SIZE = 1.35, 1.1, 1.25  # em


class ThemedFigure(Figure):
    """A Figure that is always drawn by its own theme, whatever the settings are by then."""

    def __init__(self, theme: Theme, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.theme = theme

    def draw(self, renderer: RendererBase) -> None:
        """Draw everything, with the theme applied."""
        with self.theme.applied():
            super().draw(renderer)


def figure_of(size: tuple[int, int], theme: Theme) -> ThemedFigure:
    """Return an empty figure of `size` pixels."""
    width, height = size
    figure = ThemedFigure(
        theme, figsize=(width / DOTS_AN_INCH, height / DOTS_AN_INCH), dpi=DOTS_AN_INCH
    )
    FigureCanvasAgg(figure)
    return figure


class Scene:
    """
    Runs seen through views, drawn for any epoch.

    Parameters
    ----------
    runs : sequence of Trajectory
        Of the same problem and the same number of epochs; at most 12.
    views : sequence of view names or View classes
    size : (int, int)
        Width and height in pixels.
    theme : str or Theme
    title : str, optional
        Plain text; the empty string for none.
    ground : Figure or SubFigure, optional
        What to draw on, `size` pixels large; by default a new Figure.

    Attributes
    ----------
    figure : Figure
    moving : list of Artist
        All that `draw` changes.
    epochs : int

    Raises
    ------
    InputError
        If there is nothing to draw or no room to draw it legibly.
    """

    def __init__(
        self,
        runs: Sequence[Trajectory],
        views: Sequence[str | type[View]] = ("fit", "loss"),
        size: tuple[int, int] = (1280, 720),
        theme: str | Theme = "light",
        title: str | None = None,
        *,
        ground: Figure | SubFigure | None = None,
    ) -> None:
        self.runs = list(runs)
        self.kinds = views
        _check_runs(self.runs)
        self.size = inputs.size(size)
        self.theme = theme_named(theme) if isinstance(theme, str) else theme
        self.epochs = self.runs[0].epochs
        self.moving: list[Artist] = []
        self._names = rate_texts([run.lr for run in self.runs])
        self.title = _title(title, len(self.runs))
        one, above, below = _sorted_views(views)
        with self.theme.applied():
            self.layout = _lay_out(views, len(self.runs), self.size, self.title, self.epochs)
            self._ground = ground or figure_of(self.size, self.theme)
            self.figure: Figure = self._ground.get_figure(root=True)
            self._draw_background()
            self._epoch = self._draw_head()
            self._headings = [
                self._draw_heading(index) for index in range(len(self.layout.headings))
            ]
            self._timeline = self._draw_timeline()
            self.views = [
                kind(self._panel(box, kind, index))
                for index, boxes in enumerate(self.layout.panels)
                for kind, box in zip(one, boxes, strict=True)
            ] + [
                kind(self._panel(box, kind, None))
                for kind, box in zip(above + below, self.layout.across, strict=True)
            ]
            for view in self.views:
                self.moving += view.moving
            if not self.layout.headings:  # the data alone are of no epoch
                for artist in (self._epoch, *self._timeline):
                    artist.set_visible(False)
            self.draw(0)

    def draw(self, epoch: int) -> None:
        """Set every moving artist to `epoch`; what was drawn before does not matter."""
        if not 0 <= epoch <= self.epochs:
            raise InputError(f"epoch {epoch} was not trained; give one from 0 to {self.epochs}")
        digits = len(str(self.epochs))
        padded = f"{epoch:>{digits}}".replace(" ", "\u2007")  # as wide as a digit
        self._epoch.set_text(f"epoch {padded} of {self.epochs}")
        self._timeline[1].set_width(self.layout.timeline.width / self.size[0] * epoch / self.epochs)
        for heading in self._headings:
            heading.draw(epoch)
        for view in self.views:
            view.draw(epoch)

    def _draw_background(self) -> None:
        # An artist of its own, since savefig's settings may colour the Figure's patch.
        self._ground.patch.set_facecolor("none")
        self._ground.add_artist(
            Rectangle(
                (0, 0),
                1,
                1,
                transform=self._ground.transSubfigure,
                facecolor=self.theme.background,
                edgecolor="none",
                antialiased=False,
                zorder=-10,
            )
        )

    def _text(self, x: float, y: float, text: str, size: float, **style: Any) -> Text:
        """Write `text` at pixel (x, y), `size` in em."""
        style.setdefault("verticalalignment", "center")
        return self._ground.text(
            x / self.size[0], y / self.size[1], text, fontsize=size * self.layout.em, **style
        )

    def _readout(self, x: float, y: float, size: float, **style: Any) -> Readout:
        """Set up a changing text at pixel (x, y), `size` in em."""
        em = size * self.layout.em
        place = (x / self.size[0], (y - MIDDLE * em) / self.size[1])
        text = Readout(*place, transform=self._ground.transSubfigure, fontsize=em, **style)
        self._ground.add_artist(text)
        return self._moves(text)

    def _draw_head(self) -> Text:
        em = self.layout.em
        first, last = self.layout.title[0], self.layout.title[-1]
        epoch_width = math.ceil(text_width(_longest_epoch(self.epochs), em * EPOCH_SIZE) + em / 2)
        room = first.width - (epoch_width + em / 2 if first is last else 0)
        self._text(
            first.left,
            first.bottom + 0.42 * first.height,
            shortened(self.title, room, em * TITLE_SIZE, bold=True),
            TITLE_SIZE,
            weight="bold",
            color=self.theme.ink,
        )
        epoch = self._readout(
            last.left + last.width,
            last.bottom + 0.42 * last.height,
            EPOCH_SIZE,
            color=self.theme.muted,
            horizontalalignment="right",
        )
        right = last.left + last.width
        self._confine(epoch, replace(last, left=right - epoch_width, width=epoch_width))
        return epoch

    def _draw_heading(self, index: int) -> "_Heading":
        box, em = self.layout.headings[index], self.layout.em
        style = self.theme.run(index)
        name = shortened(
            f"learning rate {self._names[index]}", box.width, em * NAME_SIZE, bold=True
        )
        top = box.top
        self._text(box.left, top - 0.95 * em, name, NAME_SIZE, weight="bold", color=style.text)
        end = box.left + text_width(name, em * NAME_SIZE, bold=True)
        if end + (KEY_GAP + KEY) * em <= box.left + box.width:
            self._draw_key(end + KEY_GAP * em, top - 0.95 * em, style)
        loss = self._readout(box.left, top - 2.52 * em, 1.0, color=self.theme.ink)
        line = self._readout(box.left + 7.4 * em, top - 2.52 * em, 1.0, color=self.theme.muted)
        verdict = self._readout(box.left, top - 3.82 * em, 1.0)
        for text, place in ((loss, 2.52), (line, 2.52), (verdict, 3.82)):
            start = round(text.get_position()[0] * self.size[0])
            end = box.left + box.width + round(0.9 * GAP * em)
            low = round(top - (place + 0.6) * em)
            self._confine(text, Box(start, low, end - start, round(1.2 * em)))
        return _Heading(self.runs[index], loss, line, verdict, style.text, self.theme.muted)

    def _draw_key(self, left: float, y: float, style: RunStyle) -> None:
        """Draw the run's line and marker beside its name, for where runs share a panel."""
        width, height = self.size
        em = self.layout.em
        self._ground.add_artist(
            Line2D(
                np.array([left, left + KEY * em / 2, left + KEY * em]) / width,
                [y / height] * 3,
                transform=self._ground.transSubfigure,
                color=style.line,
                linewidth=0.17 * em,
                linestyle=style.dash,
                marker=style.marker,
                markevery=[1],
                markersize=0.62 * em,
                markeredgewidth=0,
            )
        )

    def _confine(self, artist: Artist, box: Box) -> None:
        """Keep `artist` inside `box`, so that the stream need not ask where it ends."""
        width, height = self.size
        place = Bbox.from_bounds(
            box.left / width, box.bottom / height, box.width / width, box.height / height
        )
        artist.set_clip_box(TransformedBbox(place, self._ground.transSubfigure))
        artist.set_clip_on(True)

    def _draw_timeline(self) -> tuple[Rectangle, Rectangle]:
        """Draw the way from the first epoch to the last, and what of it is done."""
        box = self.layout.timeline
        width, height = self.size
        place = (box.left / width, box.bottom / height)
        common: dict[str, Any] = {
            "transform": self._ground.transSubfigure,
            "edgecolor": "none",
            "antialiased": False,
        }
        whole = Rectangle(
            place, box.width / width, box.height / height, facecolor=self.theme.faint, **common
        )
        self._ground.add_artist(whole)
        bar = Rectangle(place, 0, box.height / height, facecolor=self.theme.muted, **common)
        self._ground.add_artist(bar)
        self._confine(bar, box)
        return whole, self._moves(bar)

    def _panel(self, box: Box, kind: type[View], index: int | None) -> Panel:
        width, height = self.size
        em, theme = self.layout.em, self.theme
        axes = self._ground.add_axes(
            (box.left / width, box.bottom / height, box.width / width, box.height / height),
            facecolor=theme.panel,
        )
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set(color=theme.muted, linewidth=em / 18)
        axes.grid(axis="y", color=theme.faint, alpha=to_rgba(theme.faint)[3], linewidth=em / 18)
        axes.tick_params(
            length=0,
            pad=0.35 * em,
            labelsize=em,
            labelcolor=theme.muted,
            labelleft=box in self.layout.labelled,
        )
        self._text(
            box.left,
            box.top + 1.02 * em + 1.5,  # clear of what reaches past a panel, and of the heading
            _caption(kind, box.width, em),
            1.0,
            color=theme.muted,
        )
        return Panel(axes, self.runs, index, theme, em)

    def _moves(self, artist: AnyArtist) -> AnyArtist:
        self.moving.append(artist)
        return artist


class _Heading:
    """A run's numbers and verdict, as they stand at an epoch."""

    def __init__(
        self, run: Trajectory, loss: Text, line: Text, verdict: Text, earned: str, pending: str
    ) -> None:
        self._run = run
        self._loss, self._line, self._verdict = loss, line, verdict
        self._earned, self._pending = earned, pending
        self._left = share_left(distance(run.weights, run.problem))

    def draw(self, epoch: int) -> None:
        """Set the texts to `epoch`."""
        run, diagnosis = self._run, self._run.diagnosis
        overflowed_at = diagnosis.overflowed_at
        if overflowed_at is not None and epoch >= overflowed_at:
            self._loss.set_text(f"overflowed at epoch {overflowed_at}")
            self._line.set_text("")
        else:
            self._loss.set_text(f"loss {figures(run.losses[epoch])}")
            unfinished = diagnosis.verdict == "converging" and epoch == run.epochs
            self._line.set_text(
                f"fastest rate {run.problem.best_lr:.2g}"
                if unfinished
                else line_equation(*run.weights[epoch])
            )
        if epoch >= diagnosis.earned_at:
            mark = {"converged": "✓ ", "diverging": "✗ ", "converging": ""}[diagnosis.verdict]
            self._verdict.set(text=mark + diagnosis.sentence, color=self._earned)
        else:
            left = share_text(self._left[epoch])
            self._verdict.set(text=f"{left} of the way left", color=self._pending)


def check_legible(
    runs: int,
    views: Sequence[str | type[View]],
    size: tuple[int, int],
    title: str | None = None,
    epochs: int = 100,
) -> None:
    """Raise `InputError` if a scene of so many runs would be too small to read at `size`."""
    _lay_out(views, runs, size, _title(title, runs), epochs)


def _lay_out(
    views: Sequence[str | type[View]], runs: int, size: tuple[int, int], title: str, epochs: int
) -> Layout:
    one, above, below = _sorted_views(views)
    headings = runs if any(kind.of_runs for kind in (*one, *above, *below)) else 0
    counts = (headings, len(one), len(above), len(below))
    if not title:
        return arrange(size, *counts)
    layout = arrange(size, *counts)
    needed = (
        text_width(title, layout.em * TITLE_SIZE, bold=True)
        + text_width(_longest_epoch(epochs), layout.em * EPOCH_SIZE)
        + 2 * layout.em
    )
    return layout if needed <= layout.title[0].width else arrange(size, *counts, title_lines=2)


def _sorted_views(
    views: Sequence[str | type[View]],
) -> tuple[list[type[View]], list[type[View]], list[type[View]]]:
    """Return the views of one run, and those across all runs that stand above and below them."""
    kinds = [load(view) for view in views]
    if not kinds:
        raise InputError("no view is given; give at least one, such as fit")
    one = [kind for kind in kinds if not kind.across]
    first = kinds.index(one[0]) if one else 0
    return one, kinds[:first], [kind for kind in kinds[first:] if kind.across]


def _caption(kind: type[View], room: float, em: float) -> str:
    """Return the longest of the view's captions that fits, or the start of the shortest."""
    full = kind.full_caption
    return full if full and text_width(full, em) <= room else shortened(kind.caption, room, em)


def _title(title: str | None, runs: int) -> str:
    return DEFAULT_TITLES[runs > 1] if title is None else drawable(title, bold=True)


def _check_runs(runs: Sequence[Trajectory]) -> None:
    if not runs:
        raise InputError("there is no run to draw; train at least one learning rate")
    if len(runs) > inputs.MOST_RUNS:
        raise InputError(
            f"{len(runs)} learning rates do not fit into one picture; "
            f"give at most {inputs.MOST_RUNS}"
        )
    if any(run.problem is not runs[0].problem for run in runs):
        raise InputError("the runs are of different problems; draw runs of one problem together")
    if len({run.epochs for run in runs}) > 1:
        raise InputError("the runs have different numbers of epochs; train them for the same")


def _longest_epoch(epochs: int) -> str:
    return f"epoch {epochs} of {epochs}"
