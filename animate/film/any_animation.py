"""
Draw the frames of any matplotlib animation.

If the animation's function returns the artists that it changes, as matplotlib requires for
blitting, only those are drawn for each frame. Only this module reads private attributes of
matplotlib's animations.
"""

import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BytesIO
from itertools import chain
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib import cbook
from matplotlib.animation import Animation, ArtistAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure, FigureBase
from matplotlib.text import Annotation

from animate.film.stream import Frame, Stream, draw_order
from animate.system.errors import InputError

# Classes whose changes do not always set `stale`, so they are drawn for every frame: the view angle
# of 3D axes (axes with their own drawing method are one artist), and the point of an annotation.
UNTRACKED = (Axes, FigureBase, Annotation)
LAYOUT_TOLERANCE = 1e-9  # of the figure's size: a layout that moves axes by less has settled
LAYOUT_FRAMES = 10  # frames until a layout must have settled; most need one


def rate_of(animation: Animation) -> float:
    """Return the frames a second with which matplotlib would save `animation`."""
    interval = float(getattr(animation, "_interval", 0))
    if interval <= 0:
        raise InputError("the animation has no interval between its frames; give fps")
    return 1000 / interval


def frames_of(animation: Animation, *, transparent: bool = True) -> Generator[Frame, None, None]:
    """
    Yield the frames of `animation`, with the same pixels as matplotlib's own save.

    Each is a read-only array, (height, width, 4) uint8, that does not change later. The animation's
    functions are called as often as by matplotlib, and in the same order. If the function returns
    no artists, or parts of one, or changes others than it returns, a warning is issued, and from
    there on every frame is drawn in full.

    Parameters
    ----------
    animation : Animation
        FuncAnimation, ArtistAnimation, or another TimedAnimation.
    transparent : bool
        Whether the format of the film supports transparency. For other formats matplotlib draws the
        figure's colour on white.
    """
    drawer = _FrameDrawer(animation, transparent=transparent)
    with drawer.saving():
        animation._draw_was_started = True  # type: ignore[attr-defined]  # else deleting it warns
        animation._init_draw()  # type: ignore[attr-defined]
        for data in animation.new_saved_frame_seq():
            drawer.step(data)
            yield drawer.draw()


class _FrameDrawer:
    """Draws the frames of one animation."""

    def __init__(self, animation: Animation, *, transparent: bool) -> None:
        self._animation = animation
        self._figure: Figure = animation._fig  # type: ignore[attr-defined]
        self._style = _Style(self._figure, transparent=transparent)
        self._stream: Stream | None = None
        self._in_full = False
        self._is_settled = True  # whether running the layout engine again would move no axes
        self._is_laid_out = False
        self._frame_number = 0
        self._drew = False  # whether the animation's function used the canvas's renderer

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Set up the canvas like matplotlib's `Animation.save`, but draw each frame only once."""
        canvas: Any = self._figure.canvas
        self._draw_idle: Callable[..., None] = canvas.draw_idle
        with ExitStack() as stack:
            # Else the first draw starts the animation, which calls its function once more.
            stack.enter_context(cbook._setattr_cm(canvas, _is_saving=True, manager=None))
            stack.enter_context(cbook._setattr_cm(canvas, draw_idle=self._no_draw_idle))
            if hasattr(canvas, "get_renderer"):
                get_renderer = canvas.get_renderer

                def watched(*arguments: Any, **options: Any) -> Any:
                    self._drew = True
                    return get_renderer(*arguments, **options)

                stack.enter_context(cbook._setattr_cm(canvas, get_renderer=watched))
            yield

    def _no_draw_idle(self, *arguments: Any, **options: Any) -> None:
        """
        Replace the canvas's `draw_idle`: draw only if that can change the next drawing.

        matplotlib draws each frame here, and again to save it. The first drawing has no effect,
        unless there is a layout engine that has not settled.
        """
        engine = self._figure.get_layout_engine()
        if self._stream is None and engine is not None:
            drew, before = self._drew, _axes_extents(self._figure)
            self._draw_idle(*arguments, **options)
            self._is_settled = np.allclose(
                before, _axes_extents(self._figure), rtol=0, atol=LAYOUT_TOLERANCE
            )
            self._drew = drew

    def step(self, data: object) -> None:
        """Let the animation update its figure for the next frame."""
        self._drew = False
        self._is_settled = self._figure.get_layout_engine() is None
        self._frame_number += 1
        self._animation._draw_next_frame(data, blit=False)  # type: ignore[attr-defined]

    def draw(self) -> Frame:
        """Return the current frame."""
        if not self._in_full:
            reason = self._reason_for_full_redraw()
            if reason:
                if self._stream is not None and not self._is_laid_out:
                    self._stream = None
                    self._no_draw_idle()  # it was skipped while the layout could not change
                self._in_full, self._stream = True, None
                warnings.warn(
                    f"{reason}: from here on, every frame is drawn in full, which is slow",
                    stacklevel=3,
                )
            elif self._stream is None and self._is_settled:
                moving = [*(_declared(self._animation) or ()), *_untracked(self._figure)]
                style = self._style
                self._stream = Stream(self._figure, moving, style.applied, style.size)
        if self._stream is None:
            return self._style.full_redraw()
        frame = self._stream.draw()
        self._stream.watch()
        return frame

    def _reason_for_full_redraw(self) -> str:
        """Return why it is not enough to draw the declared artists, or an empty string."""
        artists = _declared(self._animation)
        if artists is None:
            return "the animation's function does not return the artists that it changes"
        if self._drew:
            return "the animation's function draws by itself"
        if self._style.unsupported:
            return self._style.unsupported
        if self._stream is None:
            late = self._frame_number > LAYOUT_FRAMES and not self._is_settled
            return "the layout changes with every frame" if late else ""
        drawn = [item for item in artists if item.axes is not None or not item.get_animated()]
        part = self._stream.part_of_another(drawn)
        if part is not None:
            return (
                f"the animation's function returns {part}, "
                "which is drawn as a part of another artist"
            )
        changed = self._stream.undeclared_change()
        if changed is None:
            changed = self._stream.lay_out()
            self._is_laid_out = changed is not None
        if changed is not None:
            return f"the animation's function changes {changed}, which it does not return"
        return ""


class _Style:
    """
    Resolution and colours with which matplotlib's settings save a figure.

    `unsupported` names a setting that needs a full redraw; it is empty if there is none.
    """

    def __init__(self, figure: Figure, *, transparent: bool) -> None:
        settings = mpl.rcParams
        dpi = settings["savefig.dpi"]
        self._figure = figure
        self._dpi: float = figure.dpi if dpi == "figure" else dpi
        self._colors = {
            name: color
            for name in ("facecolor", "edgecolor")
            if (color := settings[f"savefig.{name}"]) != "auto"
        }
        self._options: dict[str, Any] = {}
        self.unsupported = ""
        if not transparent:
            red, green, blue, alpha = to_rgba(self._colors.get("facecolor", figure.get_facecolor()))
            on_white = tuple(alpha * part + 1 - alpha for part in (red, green, blue))
            self._colors["facecolor"] = on_white
            self._options = {"facecolor": on_white, "transparent": False}
        elif settings["savefig.transparent"]:
            self.unsupported = "savefig.transparent is set"
        if self._dpi != figure.dpi and figure.get_layout_engine() is not None:
            self.unsupported = (
                "the figure has a layout engine, and savefig.dpi differs from its dpi"
            )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the figure in pixels; a frame's are rounded down."""
        width, height = self._figure.get_size_inches()
        return width * self._dpi, height * self._dpi

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Set the resolution and colours of the figure inside the block."""
        patch = self._figure.patch
        was_stale = patch.stale
        with ExitStack() as stack:
            if self._dpi != self._figure.dpi:
                stack.enter_context(cbook._setattr_cm(self._figure, dpi=self._dpi))
            stack.enter_context(self._figure._cm_set(**self._colors))  # type: ignore[attr-defined]
            patch.stale = was_stale
            yield
            was_stale = patch.stale
        patch.stale = was_stale

    def full_redraw(self) -> Frame:
        """Return the frame that matplotlib's `savefig` draws."""
        width, height = map(int, self.size)
        buffer = BytesIO()
        with mpl.rc_context({"savefig.bbox": None}):
            self._figure.savefig(buffer, format="rgba", dpi=self._dpi, **self._options)
        return np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)


def _declared(animation: Animation) -> Sequence[Artist] | None:
    """Return the artists that the function of `animation` returned, or None if it returned none."""
    artists: object = getattr(animation, "_drawn_artists", None)
    if isinstance(animation, ArtistAnimation):
        frames: object = animation._framedata  # type: ignore[attr-defined]
        if isinstance(frames, Sequence):  # an iterator could be read only once
            artists = list(dict.fromkeys(chain.from_iterable(frames)))
    if isinstance(artists, Sequence) and all(isinstance(item, Artist) for item in artists):
        return artists
    return None


def _untracked(figure: Figure) -> list[Artist]:
    return [artist for artist in draw_order(figure) if isinstance(artist, UNTRACKED)]


def _axes_extents(figure: Figure) -> list[npt.NDArray[np.float64]]:
    """Return the extents of all axes, as fractions of the figure."""
    return [np.array(axes.get_position().extents) for axes in figure.axes]


def opaque(frame: Frame) -> Frame:
    """Return `frame` on white, as matplotlib draws it for formats without transparency."""
    alpha = frame[..., 3:]
    if alpha.min() == 255:
        return frame
    opacity = alpha / 255
    color = np.rint(frame[..., :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)
    opaque_frame = np.concatenate([color, np.full_like(alpha, 255)], axis=-1)
    opaque_frame.flags.writeable = False
    return opaque_frame
