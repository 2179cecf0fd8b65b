"""
The frames of an animation that somebody else made with matplotlib.

Where its function returns the artists that it changes, which is what matplotlib asks for blitting,
only those are drawn for each frame. All that is private to matplotlib's animations is read here.
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

# What changes without a trace in `stale`, and so is drawn for every frame: the angle of 3D axes
# (axes with a drawing of their own are one artist), and the point that an annotation is about.
SILENT = (Axes, FigureBase, Annotation)
AT_REST = 1e-9  # of the figure's size, by which a layout that has come to rest may still move
LAYOUTS = 10  # frames within which a layout comes to rest; most take one


def rate_of(animation: Animation) -> float:
    """Return the frames a second that `animation` would be saved with."""
    interval = float(getattr(animation, "_interval", 0))
    if interval <= 0:
        raise InputError("the animation has no interval between its frames; give fps")
    return 1000 / interval


def frames_of(animation: Animation, *, transparent: bool = True) -> Generator[Frame, None, None]:
    """
    Yield the frames of `animation`, pixel for pixel as matplotlib would save them.

    Each is (height, width, 4) uint8, read-only, and stays valid. The animation's functions are
    called as often as by matplotlib, and in the same order. If the function returns no artists, or
    parts of one, or changes others than it returns, a warning says so, and from there on every
    frame is drawn in full.

    Parameters
    ----------
    animation : Animation
        FuncAnimation, ArtistAnimation, or another TimedAnimation.
    transparent : bool
        Whether the frames go to a format that can be transparent. For others matplotlib puts the
        figure's colour on white.
    """
    film = _Film(animation, transparent=transparent)
    with film.saving():
        animation._draw_was_started = True  # type: ignore[attr-defined]  # no warning when deleted
        animation._init_draw()  # type: ignore[attr-defined]
        for data in animation.new_saved_frame_seq():
            film.next(data)
            yield film.draw()


class _Film:
    """An animation while its frames are taken."""

    def __init__(self, animation: Animation, *, transparent: bool) -> None:
        self._animation = animation
        self._figure: Figure = animation._fig  # type: ignore[attr-defined]
        self._style = _Style(self._figure, transparent=transparent)
        self._stream: Stream | None = None
        self._in_full = False
        self._is_settled = True  # whether another run of the layout engine would move no axes
        self._is_laid_out = False
        self._number = 0
        self._drew = False  # whether the animation's function has used the canvas's renderer

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Set what matplotlib's `Animation.save` sets, and draw only once for each frame."""
        canvas: Any = self._figure.canvas
        self._draw_idle: Callable[..., None] = canvas.draw_idle
        with ExitStack() as stack:
            # Without these the first draw starts the animation, which calls its function once more.
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
        Draw only where that may change the next drawing.

        matplotlib draws each frame here, and then again to save it. Drawing twice gives what
        drawing once gives, except while a layout engine has not come to rest.
        """
        engine = self._figure.get_layout_engine()
        if self._stream is None and engine is not None:
            drew, before = self._drew, _places(self._figure)
            self._draw_idle(*arguments, **options)
            self._is_settled = np.allclose(before, _places(self._figure), rtol=0, atol=AT_REST)
            self._drew = drew

    def next(self, data: object) -> None:
        """Have the animation change its figure for the next frame."""
        self._drew = False
        self._is_settled = self._figure.get_layout_engine() is None
        self._number += 1
        self._animation._draw_next_frame(data, blit=False)  # type: ignore[attr-defined]

    def draw(self) -> Frame:
        """Return the figure as it now is."""
        if not self._in_full:
            trouble = self._trouble()
            if trouble:
                if self._stream is not None and not self._is_laid_out:
                    self._stream = None
                    self._no_draw_idle()  # which was left out, as the layout could not change
                self._in_full, self._stream = True, None
                warnings.warn(
                    f"{trouble}: from here on, every frame is drawn in full, which is slow",
                    stacklevel=3,
                )
            elif self._stream is None and self._is_settled:
                moving = [*(_declared(self._animation) or ()), *_silent(self._figure)]
                style = self._style
                self._stream = Stream(self._figure, moving, style.applied, style.size)
        if self._stream is None:
            return self._style.saved()
        frame = self._stream.draw()
        self._stream.watch()
        return frame

    def _trouble(self) -> str:
        """Return why drawing only the declared artists would not do, or nothing."""
        artists = _declared(self._animation)
        if artists is None:
            return "the animation's function does not return the artists that it changes"
        if self._drew:
            return "the animation's function draws by itself"
        if self._style.trouble:
            return self._style.trouble
        if self._stream is None:
            late = self._number > LAYOUTS and not self._is_settled
            return "the layout changes with every frame" if late else ""
        drawn = [item for item in artists if item.axes is not None or not item.get_animated()]
        part = self._stream.part_of_another(drawn)
        if part is not None:
            return (
                f"the animation's function returns {part}, "
                "which is drawn as a part of another artist"
            )
        changed = self._stream.undeclared()
        if changed is None:
            changed = self._stream.lay_out()
            self._is_laid_out = changed is not None
        if changed is not None:
            return f"the animation's function changes {changed}, which it does not return"
        return ""


class _Style:
    """How a figure is saved: its resolution and colours, from what matplotlib's settings say."""

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
        self.trouble = ""
        if not transparent:
            red, green, blue, alpha = to_rgba(self._colors.get("facecolor", figure.get_facecolor()))
            on_white = tuple(alpha * part + 1 - alpha for part in (red, green, blue))
            self._colors["facecolor"] = on_white
            self._options = {"facecolor": on_white, "transparent": False}
        elif settings["savefig.transparent"]:
            self.trouble = "savefig.transparent is set"
        if self._dpi != figure.dpi and figure.get_layout_engine() is not None:
            self.trouble = "the figure has a layout engine, and savefig.dpi is another than its own"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the figure in pixels; a frame has only the whole ones."""
        width, height = self._figure.get_size_inches()
        return width * self._dpi, height * self._dpi

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the figure the resolution and colours that it is saved with."""
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

    def saved(self) -> Frame:
        """Return the whole figure, saved by matplotlib itself."""
        width, height = map(int, self.size)
        buffer = BytesIO()
        with mpl.rc_context({"savefig.bbox": None}):
            self._figure.savefig(buffer, format="rgba", dpi=self._dpi, **self._options)
        return np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)


def _declared(animation: Animation) -> Sequence[Artist] | None:
    """Return the artists that `animation` says to change, if it does."""
    artists: object = getattr(animation, "_drawn_artists", None)
    if isinstance(animation, ArtistAnimation):
        frames: object = animation._framedata  # type: ignore[attr-defined]
        if isinstance(frames, Sequence):  # else it can be read only once
            artists = list(dict.fromkeys(chain.from_iterable(frames)))
    if isinstance(artists, Sequence) and all(isinstance(item, Artist) for item in artists):
        return artists
    return None


def _silent(figure: Figure) -> list[Artist]:
    return [artist for artist in draw_order(figure) if isinstance(artist, SILENT)]


def _places(figure: Figure) -> list[npt.NDArray[np.float64]]:
    """Return where all axes are, as shares of the figure."""
    return [np.array(axes.get_position().extents) for axes in figure.axes]


def opaque(frame: Frame) -> Frame:
    """Return `frame` on white, as matplotlib does for films that cannot be transparent."""
    alpha = frame[..., 3:]
    if alpha.min() == 255:
        return frame
    share = alpha / 255
    color = np.rint(frame[..., :3] * share + 255 * (1 - share)).astype(np.uint8)
    whole = np.concatenate([color, np.full_like(alpha, 255)], axis=-1)
    whole.flags.writeable = False
    return whole
