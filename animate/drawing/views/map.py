"""
A map of a sweep over two settings: which runs converge, which diverge, and how fast.

Blue converges and orange diverges, the faster the stronger; both are pale at the boundary. So the
map can be read in grey too, and by colour-blind readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb

from animate.drawing.palette import OKABE_ITO, Palette, blend
from animate.drawing.views import Panel, View
from animate.drawing.views.ticks import log_ticks, tick_counts, tick_labels, ticks_within
from animate.system.errors import InputError
from animate.training.hyperparameters import Hyperparameters
from animate.training.line import Line
from animate.training.problem import Array, Doubles, HasModel, Quadratic, provides
from animate.training.trajectory import Trajectory

CONVERGES, DIVERGES = OKABE_ITO[0], OKABE_ITO[2]
RAMP_STEPS = 64
PALEST, DEEPEST = 0.12, 0.5  # shares of the hue in the panel, and of the ink in the hue
KEY_WIDTH, KEY_GAP, SWATCH = 11.5, 1.2, 1.2  # em
HALF = 0.5  # of an epoch, between the last that counts and the next
LEAST_MAP = 10.0  # em, below which there is no room for a key
CONVERGED, CONVERGING, DIVERGING = range(3)  # `animate.VERDICTS`, without importing torch
LOG_FIT = 1.05  # the largest ratio of steps on a log axis, by which one is recognized
SPEEDS = [(0.0, "slower"), (1.0, "faster")]
AXIS_NAMES = {"lr": "learning rate"}


@dataclass(frozen=True, eq=False)
class Scale:
    """
    The axis of a map: its coordinates are log10 of the values, or the values.

    Attributes
    ----------
    values : float64 array, shape (n,)
    is_log : bool
    """

    values: Doubles
    is_log: bool

    @classmethod
    def of(cls, name: str, values: Array) -> Scale:
        """Return the scale of an axis; an InputError if it has no numbers, or only one."""
        if values.dtype.kind not in "fiu" or len(values) < 2:
            raise InputError(
                f"a map needs at least two numbers on each axis, and {name} has "
                f"{', '.join(map(str, values[:4]))}; sweep another axis"
            )
        numbers = np.asarray(values, np.float64)
        if (numbers <= 0).any():
            return cls(numbers, is_log=False)
        steps = np.abs(np.diff(np.log(numbers)))
        return cls(numbers, is_log=bool(steps.max() <= LOG_FIT * steps.min()))

    def place(self, values: Any) -> Doubles:
        """Return the coordinates of `values`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Doubles = np.log10(values) if self.is_log else np.asarray(values, np.float64)
        return found

    @property
    def extent(self) -> tuple[float, float]:
        """The coordinates of the outer edges of the first and the last cell, ascending."""
        places = np.sort(self.place(self.values))
        half = (places[-1] - places[0]) / (len(places) - 1) / 2
        return places[0] - half, places[-1] + half

    def cells(self) -> Array:
        """Return for each cell of even width, ascending, the index of the nearest value."""
        places = self.place(self.values)
        low, high = self.extent
        middles = low + (np.arange(len(places)) + 0.5) * (high - low) / len(places)
        nearest: Array = np.abs(places[:, None] - middles).argmin(axis=0)
        return nearest

    def ticks(self, count: int) -> tuple[list[float], list[str]]:
        """Return places of ticks and their labels, with at most about `count` intervals."""
        low, high = self.extent
        if self.is_log:
            ticks, names = log_ticks(10**low, 10**high, count)
            return [float(np.log10(tick)) for tick in ticks], names
        return tick_labels(ticks_within((low, high), count))


class Map(View):
    """Show how each run of a sweep over two settings ends, and where the film's runs are."""

    caption = "how training ends"
    across = True
    aspects = (1.0, 2.2)
    needs = ("map",)

    @classmethod
    def lacks(cls, runs: Sequence[Trajectory]) -> str | None:
        """Return what `runs` lack to be trained again at other settings."""
        for number, run in enumerate(runs, 1):
            name = run.label or f"run {number}"
            if not (isinstance(run.problem, Line) or provides(run.problem, HasModel)):
                has = "no problem" if run.problem is None else "another kind of problem"
                return (
                    "it requires a problem that animate.train can train again, "
                    f"but {name} has {has}"
                )
            if run.hyperparameters is None:
                return f"it requires known hyperparameters, but those of {name} are not"
        return None

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        grid = panel.data["map"]
        if len(grid.axes) != 2:
            raise InputError("a map needs a sweep with two axes, and this has one; give two")
        self._grid = grid
        (x_name, x_values), (y_name, y_values) = grid.axes.items()
        self._x, self._y = Scale.of(x_name, x_values), Scale.of(y_name, y_values)
        self._names = x_name, y_name
        names = [AXIS_NAMES.get(name, name) for name in self._names]
        self.caption = f"{names[0]} →, {names[1]} ↑"
        self.full_caption = f"how training ends, by {names[0]} → and {names[1]} ↑"
        self._colors = colors_of(grid, panel.theme, self._steps_per_unit, panel.clock.unit)
        self._cells = np.ix_(self._x.cells(), self._y.cells())
        self._set_axes()
        self._image = self.moves(
            panel.axes.imshow(
                self._shown(np.inf),
                extent=(*self._x.extent, *self._y.extent),
                origin="lower",
                aspect="auto",
                interpolation="nearest",
                zorder=1,
            )
        )
        self._contours = list(self._draw_contours())
        self._draw_limit()
        self._marks = list(self._draw_runs())

    def draw(self, moment: float) -> None:
        """Colour the runs of the sweep that have converged, and mark the runs with a verdict."""
        self._image.set_data(self._shown(moment))
        for visible_from, mark in (*self._marks, *self._contours):
            mark.set_visible(moment >= visible_from)

    @property
    def _steps_per_unit(self) -> int:
        """The steps in a unit of the scene's clock."""
        return (self.panel.runs[0].steps_per_epoch or 1) if self.panel.clock.unit == "epoch" else 1

    def _shown(self, moment: float) -> Array:
        """Return the colours at a moment of the clock, shape (rows, columns, 3)."""
        colors, at = self._colors.cells, self._grid.converged_at
        if (self._grid.verdict == CONVERGED).any():
            later = at > moment * self._steps_per_unit
            colors = np.where(later[..., None], self._colors.pending, colors)
        shown: Array = colors[self._cells].swapaxes(0, 1)
        return shown

    def _set_axes(self) -> None:
        panel, axes = self.panel, self.panel.axes
        box = axes.get_window_extent()
        width = box.width / panel.em
        has_key = width - KEY_WIDTH >= LEAST_MAP
        share = 1 - (KEY_WIDTH / width if has_key else 0)
        (left, right), (low, high) = self._x.extent, self._y.extent
        axes.set(xlim=(left, left + (right - left) / share), ylim=(low, high))
        axes.grid(visible=False)
        across, up = tick_counts(panel)
        places, names = self._x.ticks(max(2, int(across * share)))
        axes.xaxis.set_ticks(places, names)
        axes.yaxis.set_ticks(*self._y.ticks(up))
        axes.tick_params(length=0)
        if not has_key:
            self.caption = f"blue converges, orange diverges: {self.caption}"
            self.full_caption = self.caption
        if has_key:
            axes.spines[:].set_visible(False)
            self._draw_key(share, width, box.height / panel.em)

    def _draw_contours(self) -> Any:
        """Draw lines of equal epochs to converge; yield the epoch and the artist of each."""
        grid, panel = self._grid, self.panel
        at = grid.converged_at[self._cells].T / self._steps_per_unit
        at[at < 0] = np.nan
        x, y = (
            np.linspace(*scale.extent, 2 * len(scale.values) + 1)[1::2]
            for scale in (self._x, self._y)
        )
        for level in self._colors.levels:
            lines = panel.axes.contour(
                x, y, at, levels=[level + HALF], colors=panel.theme.panel[:7],
                linewidths=panel.em / 16, zorder=2,
            )  # fmt: skip
            yield level, self.moves(lines)

    def _draw_limit(self) -> None:
        """Draw the stability limit, where theory knows it."""
        limits = limit_curve(self._grid, self.panel.problem)
        if limits is None:
            return
        x, y = self._x.place(limits[0]), self._y.place(limits[1])
        inside = (x >= self._x.extent[0]) & (x <= self._x.extent[1])
        self.panel.axes.plot(
            np.where(inside, x, np.nan),
            y,
            color=self.panel.theme.ink,
            linewidth=self.panel.em / 9,
            linestyle=(0, (4, 2)),
            zorder=3,
        )

    def _draw_runs(self) -> Any:
        """Mark the runs that lie on the map; yield when each is visible, and its marker."""
        panel, theme = self.panel, self.panel.theme
        for index, run in enumerate(panel.runs):
            place = place_of(run, self._grid)
            if place is None:
                continue
            x, y = self._x.place(place[0]), self._y.place(place[1])
            if not (
                self._x.extent[0] <= x <= self._x.extent[1]
                and self._y.extent[0] <= y <= self._y.extent[1]
            ):
                continue
            style = theme.run(index)
            (mark,) = panel.axes.plot(
                [x], [y], linestyle="none", marker=style.marker, markersize=0.8 * panel.em,
                color=style.line, markeredgecolor=theme.panel[:7], markeredgewidth=panel.em / 9,
                zorder=4 + index,
            )  # fmt: skip
            mark.set_clip_box(panel.clip_box)
            visible_from = panel.times_of(run)[run.record_at(run.diagnosis.verdict_step)]
            yield visible_from, self.moves(mark)

    def _draw_key(self, share: float, width: float, height: float) -> None:
        """Draw what the colours mean, right of the map; sizes are in em."""
        panel, axes, theme = self.panel, self.panel.axes, self.panel.theme
        em, left = panel.em, share * width + KEY_GAP
        text: dict[str, Any] = {
            "fontsize": em, "color": theme.ink, "transform": axes.transAxes, "zorder": 2,
            "verticalalignment": "center",
        }  # fmt: skip
        muted = text | {"color": theme.muted}
        lines = [part for part in self._colors.key if part[2]]
        ramp_rows = 2 if height >= 16 else 1
        needed = sum(ramp_rows + 2.4 if part[0] == "ramp" else 1.6 for part in lines) + 1.6
        scale = min(1.0, height / needed)
        y = height
        for kind, ramp, words in lines:
            if kind == "ramp":
                labels, title = words
                y -= 0.9 * scale
                axes.text(left / width, y / height, title, **text)
                y -= (0.8 + ramp_rows) * scale
                axes.imshow(
                    ramp[None], aspect="auto", interpolation="bilinear", zorder=2,
                    extent=(left, left + KEY_WIDTH - KEY_GAP, y, y + ramp_rows * scale),
                    transform=_em_transform(axes, width, height), clip_on=False,
                )  # fmt: skip
                y -= 0.7 * scale
                for share_along, label in labels:
                    x = (left + share_along * (KEY_WIDTH - KEY_GAP)) / width
                    side = {0.0: "left", 1.0: "right"}.get(share_along, "center")
                    axes.text(x, y / height, label, horizontalalignment=side, **muted)
            else:
                y -= 1.2 * scale
                axes.imshow(
                    ramp[None, None], aspect="auto", zorder=2,
                    extent=(left, left + SWATCH, y - 0.45, y + 0.45),
                    transform=_em_transform(axes, width, height), clip_on=False,
                )  # fmt: skip
                axes.text((left + SWATCH + 0.5) / width, y / height, words, **text)
            y -= 0.4 * scale
        if limit_curve(self._grid, panel.problem) is not None:
            y -= 1.2 * scale
            axes.plot(
                [left / width, (left + 1.6 * SWATCH) / width], [y / height] * 2,
                transform=axes.transAxes, color=theme.ink, linewidth=em / 9,
                linestyle=(0, (4, 2)), zorder=2,
            )  # fmt: skip
            axes.text((left + 1.6 * SWATCH + 0.5) / width, y / height, "limit by theory", **text)
        axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())


@dataclass(frozen=True, eq=False)
class MapColors:
    """
    The colours of a map.

    Attributes
    ----------
    cells : float array, shape (n, m, 3)
        Of each run of the sweep, red, green and blue from 0 to 1.
    pending : float array, shape (3,)
        Of a run that has not converged yet.
    key : list of (kind, colours, words)
        ("ramp", (RAMP_STEPS, 3), (labels, title)), where labels are shares of the ramp and their
        texts, or ("swatch", (3,), text).
    levels : list of float
        Epochs at which contours are drawn.
    """

    cells: Doubles
    pending: Doubles
    key: list[tuple[str, Doubles, Any]]
    levels: list[float]


def colors_of(grid: Any, theme: Palette, per_epoch: int = 1, unit: str = "epoch") -> MapColors:
    """
    Return the colours of a sweep's runs.

    Where the optimum is known, blue counts steps to converge; else it ranks runs by the sum of
    their losses. Orange ranks runs by the sum of 1/loss (Sohl-Dickstein, arXiv 2402.06184). Ranks
    give each shade the same area.

    Parameters
    ----------
    grid : Grid
    theme : Palette
    per_epoch : int
        Steps in a unit of time, which the key counts.
    unit : {"epoch", "step"}
    """
    blue, orange = ramp(theme, CONVERGES), ramp(theme, DIVERGES)
    pending = np.array(to_rgb(blend(theme.panel[:7], theme.points[:7], 0.35)))
    cells = np.broadcast_to(pending, (*grid.shape, 3)).copy()
    key: list[tuple[str, Doubles, Any]] = []
    levels: list[float] = []
    converged = grid.verdict == CONVERGED
    converging = grid.verdict == CONVERGING
    diverging = grid.verdict == DIVERGING
    if converged.any():
        at = np.maximum(grid.converged_at[converged], 1) / per_epoch
        low, high = at.min(), max(at.max(), at.min() * 1.01)

        def share(times: Any) -> Any:
            return np.log(times / low) / np.log(high / low)

        cells[converged] = shades(blue, 1 - share(at))
        candidates = [one * 10.0**power for power in range(7) for one in (1, 2, 5)]
        levels = [level for level in candidates if low < level < high]
        labels = [(0.0, f"{low:.3g}"), (1.0, f"{high:.3g}")]
        labels += [(share(level), f"{level:g}") for level in levels if 0.22 < share(level) < 0.75]
        key.append(("ramp", blue[::-1], (labels, f"{unit}s to converge")))
        if converging.any():
            key.append(("swatch", pending, "not yet converged"))
    elif converging.any():
        cells[converging] = shades(blue, 1 - ranks(grid.loss_sum[converging]))
        key.append(("ramp", blue, (SPEEDS, "loss falls")))
    if diverging.any():
        cells[diverging] = shades(orange, ranks(-grid.inverse_loss_sum[diverging]))
        key.append(("ramp", orange, (SPEEDS, "diverges")))
    return MapColors(cells, pending, key, levels)


def ramp(theme: Palette, hue: str) -> Doubles:
    """Return shades of a hue from nearly the panel to beyond the hue, shape (RAMP_STEPS, 3)."""
    panel = theme.panel[:7] if not theme.transparent else "#ffffff"
    pale = np.array(to_rgb(blend(panel, hue, PALEST)))
    deep = np.array(to_rgb(blend(hue, theme.ink[:7], DEEPEST)))
    middle = np.array(to_rgb(hue))
    at = np.linspace(0, 2, RAMP_STEPS)[:, None]
    shade: Doubles = np.where(
        at < 1, pale + (middle - pale) * at, middle + (deep - middle) * (at - 1)
    )
    return shade


def shades(ramp: Array, shares: Doubles) -> Array:
    """Return the shade at each share, 0 to 1, shape (n, 3)."""
    found: Array = ramp[np.clip(np.rint(shares * (len(ramp) - 1)), 0, len(ramp) - 1).astype(int)]
    return found


def ranks(values: Doubles) -> Doubles:
    """Return the rank of each value, from 0 to 1; equal values have equal ranks."""
    distinct, places = np.unique(values, return_inverse=True)
    below = np.cumsum(np.bincount(places.ravel())) - 1
    rank: Doubles = below[places.reshape(values.shape)] / max(1, values.size - 1)
    return rank if len(distinct) > 1 else np.full(values.shape, 0.5)


def limit_curve(grid: Any, problem: object) -> tuple[Doubles, Doubles] | None:
    """Return x and y of the stability limit of a sweep, or None if no theory gives it."""
    names = list(grid.axes)
    if not provides(problem, Quadratic) or "lr" not in names:
        return None
    other = names[1 - names.index("lr")]
    if other != "momentum" and not other.startswith("start."):
        return None
    fixed: Hyperparameters = grid.fixed
    values = np.asarray(grid.axes[other], np.float64)
    limits = []
    for value in values:
        momentum = float(value) if other == "momentum" else fixed.momentum
        settings = Hyperparameters(1.0, fixed.optimizer, momentum, batch_size=fixed.batch_size)
        limit = settings.stability_limit(problem.curvatures[-1])
        if limit is None:
            return None
        limits.append(limit)
    rates = np.array(limits)
    return (rates, values) if names[0] == "lr" else (values, rates)


def place_of(run: Trajectory, grid: Any) -> tuple[float, float] | None:
    """Return the values of a run on both axes of a sweep, or None if it has other settings."""
    settings = run.hyperparameters
    if settings is None or run.problem is None:
        return None
    found = []
    for name in grid.axes:
        if name == "lr" or name.startswith("lr."):
            found.append(settings.lr)
        elif name == "momentum":
            if settings.effective_momentum is None:
                return None
            found.append(settings.effective_momentum)
        elif name.startswith("start."):
            found.append(float(run.problem.start[int(name.removeprefix("start."))]))
        else:
            found.append(float(getattr(settings, name) or 0))
    for name in ("optimizer", "schedule", "batch_size"):
        if name not in grid.axes and getattr(settings, name) != getattr(grid.fixed, name):
            return None
    if "momentum" not in grid.axes and settings.effective_momentum != grid.fixed.effective_momentum:
        return None
    return found[0], found[1]


def _em_transform(axes: Any, width: float, height: float) -> Any:
    """Return the transform of places in em from the lower left corner of the axes."""
    from matplotlib.transforms import Affine2D

    return Affine2D().scale(1 / width, 1 / height) + axes.transAxes
