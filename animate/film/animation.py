"""
A scene in time: which moment each frame shows, and the frames themselves.

`Animation` is a matplotlib FuncAnimation with a fast way out: its own `save` and `frames` draw
only what moves, and give the same pixels as matplotlib's full redraw.
"""

from base64 import b64encode
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from numbers import Real
from os import PathLike, fspath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl
import matplotlib.animation
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from animate import page
from animate.drawing import stills
from animate.drawing.clock import resolve_moments
from animate.drawing.scene import DPI, Scene, Views, validate_runs, validate_views
from animate.drawing.theme import Theme
from animate.film import encode
from animate.film.any_animation import frames_of, opaque, rate_of
from animate.film.stream import Frame, Stream
from animate.film.timeline import timeline as default_timeline
from animate.system import files, validation
from animate.system.errors import DrawingError, InputError
from animate.system.numbers import moment_text
from animate.training.precomputed import precompute
from animate.training.trajectory import Trajectory

Moment = float | str
PAGE = ".html"
PALETTE_SAMPLE = 8  # frames from which a GIF's palette is made


class Animation(FuncAnimation):
    """
    Runs seen through views, as a film.

    Parameters
    ----------
    runs : sequence of Trajectory, or one
        At most 12. They may differ in length, and where the views allow it in their problem.
    views : view names or View classes, or one, optional
        One row (or column) of panels each. By default fit and loss, or else what the runs have
        records for.
    size : (int, int)
        Width and height in pixels, kept exactly.
    theme : str or Theme
    title : str, optional
        Plain text; the empty string for none.
    timeline : sequence of numbers, optional
        The moment that each frame shows, in epochs if every run has them, else in steps. The
        default shows every moment at which a run has a record, the first ones slowly; of more
        than 400, a few hundred.
    fps : float
        Frames a second.
    hold : float
        Seconds that the end stands still in the default timeline.
    duration : float, optional
        The film's length in seconds in the default timeline.
    loop : int
        How often a GIF, WebP or APNG plays; 0 for ever.
    quality : "low", "medium" or "high"
        Of the files that `save` writes.

    Attributes
    ----------
    scene : Scene
    timeline : tuple of numbers
    fps : float
    size : (int, int)

    Raises
    ------
    InputError
        If a value cannot be used, a view cannot show the runs, or the size leaves text too small
        to read.
    """

    def __init__(
        self,
        runs: Sequence[Trajectory] | Trajectory,
        views: Views | None = None,
        size: tuple[int, int] = (1280, 720),
        *,
        theme: str | Theme = "light",
        title: str | None = None,
        timeline: Iterable[float] | None = None,
        fps: float = 25,
        hold: float = 2.0,
        duration: float | None = None,
        loop: int = 0,
        quality: str = "medium",
    ) -> None:
        self.fps = validation.frame_rate(fps)
        self._loop = validation.whole(loop, "loop", least=0, most=validation.MOST_LOOPS)
        self._title = title
        self._quality = validation.choice(quality, "quality", validation.QUALITIES)
        several = validate_runs(runs)
        kinds = validate_views(views, several)
        data = precompute([name for kind in kinds for name in kind.needs], several)
        self.scene = Scene(several, kinds, size, theme, title, data=data)
        clock = self.scene.clock
        if timeline is None:
            places = default_timeline(len(clock.moments) - 1, self.fps, hold, duration)
            timeline = clock.moments[list(places)].tolist()
        if not isinstance(timeline, Iterable):
            raise InputError(
                f"timeline {validation.shown(timeline)} is not a sequence; give the moment of "
                "each frame"
            )
        self.timeline: tuple[float, ...] = tuple(map(clock.moment, timeline))
        if not self.timeline:
            raise InputError("the timeline is empty; give at least one moment")
        self.size = self.scene.size
        super().__init__(
            self.scene.figure,
            self._draw_moment,
            frames=self.timeline,
            interval=1000 / self.fps,
            repeat=self._loop != 1,
            cache_frame_data=False,
        )

    def __del__(self) -> None:
        """Say nothing: saved by the fast way, it need never have been drawn by matplotlib."""

    def _repr_html_(self) -> str:
        """Return the film for a notebook: in the page itself, up to what matplotlib allows."""
        suffix = ".gif" if self.scene.theme.transparent else ".mp4"
        width, height = self.size
        with TemporaryDirectory() as folder:
            path = Path(folder, f"film{suffix}")
            self.save(path)
            data = path.read_bytes()
        limit = 1024**2 * float(mpl.rcParams["animation.embed_limit"])
        if len(data) * 4 / 3 > limit:
            return (
                f"<p>The film takes {len(data) / 1e6:.1f} MB, and animation.embed_limit is "
                f"{limit / 1024**2:g} MB: save it, and show the file.</p>"
            )
        source = f"data:{{}};base64,{b64encode(data).decode('ascii')}"
        if suffix == ".gif":
            return f'<img width="{width}" src="{source.format("image/gif")}">'
        return (
            f'<video width="{width}" height="{height}" style="max-width: 100%; height: auto" '
            f"controls autoplay muted playsinline{' loop' if self._loop != 1 else ''}>"
            f'<source type="video/mp4" src="{source.format("video/mp4")}"></video>'
        )

    def frames(self) -> Generator[Frame, None, None]:
        """
        Yield one frame for each entry of the timeline, drawn as it is asked for.

        Each is (height, width, 4) uint8, exactly `size` pixels, RGBA, read-only, and stays valid.
        A frame that shows the same moment as the one before is the same object.
        """
        return self._draw(self.timeline, self._stream(), {})

    def save(
        self,
        filename: str | PathLike[str],
        writer: Any = None,
        fps: float | None = None,
        dpi: float | None = None,
        codec: str | None = None,
        bitrate: int | None = None,
        extra_args: list[str] | None = None,
        metadata: dict[str, str] | None = None,
        extra_anim: list[Any] | None = None,
        savefig_kwargs: dict[str, Any] | None = None,
        *,
        progress_callback: Callable[[int, int], Any] | None = None,
        at: Moment | Sequence[Moment] | None = None,
    ) -> None:
        """
        Write the film, a still of it, or its page, to `filename`, as the extension says.

        The file is written whole or not at all. With any of the arguments that only matplotlib's
        writers know (`writer`, `dpi`, `codec`, `bitrate`, `extra_args`, `metadata`, `extra_anim`,
        `savefig_kwargs`), matplotlib's own `FuncAnimation.save` does it.

        Parameters
        ----------
        filename : path
            Ending in one of `animate.film.encode.FORMATS`, of `animate.drawing.stills.FORMATS`, or
            ``.html``.
        fps : float, optional
            Instead of the animation's own.
        progress_callback : callable, optional
            Called as ``(frame, frames)`` after each frame, as in matplotlib.
        at : number, "start", "end" or "converged", or a sequence of them
            The moment that a still shows, by default the end; of several, a PDF has a page for
            each, and a PNG or SVG shows all on one sheet.

        Raises
        ------
        InputError
            If the extension is unknown, its format has no transparency and the theme needs it,
            there is no such moment, or `at` is given for what is no still.
        OutputError
            If the file cannot be written; an old one is then as it was.
        """
        theirs = (writer, dpi, codec, bitrate, extra_args, metadata, extra_anim, savefig_kwargs)
        if any(argument is not None for argument in theirs):
            super().save(
                fspath(filename), writer, fps, dpi, codec, bitrate, extra_args, metadata,  # type: ignore[arg-type]
                extra_anim, savefig_kwargs, progress_callback=progress_callback,
            )  # fmt: skip
            return
        suffix = files.extension(filename, [*encode.FORMATS, *stills.FORMATS, PAGE])
        if at is not None and suffix not in stills.FORMATS:
            raise InputError(
                f"at is the moment of a still, and {filename} is none; leave it out, or give a "
                f"file in {', '.join(stills.FORMATS)}"
            )
        if suffix == PAGE:
            page.save(self.scene.runs, filename, self._title, self.scene.theme.name)
            return
        if suffix in stills.FORMATS:
            named = "end" if at is None else at
            several: Iterable[Moment] = [named] if isinstance(named, (str, Real)) else named  # type: ignore[assignment]
            stills.save(self.scene, filename, resolve_moments(several, self.scene.runs))
            return
        rate = self.fps if fps is None else validation.frame_rate(fps)
        film = encode.Film(filename, rate, self._loop, self._quality)
        (error,) = self.save_each([film], progress_callback)
        if error is not None:
            raise error

    def save_each(
        self,
        films: Sequence[encode.Film],
        progress_callback: Callable[[int, int], Any] | None = None,
        written: Callable[[encode.Film], None] = lambda _film: None,
    ) -> list[OSError | None]:
        """
        Write several films of the same frames, drawn once, and return what went wrong.

        `written` is called with each film that is in its place.
        """
        for film in films:
            encode.check_transparency(film.path, transparent=self.scene.theme.transparent)
        stream = self._stream()
        sample = self._sample(stream) if any(map(encode.has_palette, films)) else {}
        frames = self._draw(self.timeline, stream, sample)
        return encode.encode_each(
            _reported(frames, len(self.timeline), progress_callback),
            films,
            sample=sample.values(),
            written=written,
        )

    def _draw_moment(self, moment: float) -> list[Artist]:
        self.scene.draw(moment)
        return self.scene.moving

    def _stream(self) -> Stream:
        scene = self.scene
        # Some of matplotlib's writers change the size of the figure that they save, for good.
        scene.figure.set_dpi(DPI)
        scene.figure.set_size_inches(scene.size[0] / DPI, scene.size[1] / DPI)
        return Stream(scene.figure, scene.moving, scene.theme.applied)

    def _draw(
        self, moments: Iterable[float], stream: Stream, drawn: Mapping[float, Frame]
    ) -> Generator[Frame, None, None]:
        """Yield a frame for each of `moments`, from `drawn` where it is there."""
        stream.changed_still()  # what changes from here on
        shown, frame = None, None
        for moment in moments:
            if frame is None or moment != shown:
                shown, frame = moment, drawn.get(moment)
                try:
                    if frame is None:
                        self.scene.draw(moment)
                        self._check_declared(stream)
                        frame = stream.draw()
                except DrawingError:
                    raise
                except Exception as error:
                    raise DrawingError(
                        f"{self._name(moment)} cannot be drawn: {type(error).__name__}: {error}"
                    ) from error
            yield frame

    def _check_declared(self, stream: Stream) -> None:
        """Raise if a view's `draw` has changed what the stream does not draw anew."""
        changed = stream.changed_still()
        if changed is not None:
            how = "adds artists to" if isinstance(changed, (Axes, Figure)) else "changes"
            raise DrawingError(
                f"a view's draw {how} {changed}, and did not give them to self.moves(…); make each "
                "artist in __init__ and register it there"
            )

    def _name(self, moment: float) -> str:
        at = moment_text(moment, self.scene.clock.unit)
        return f"frame {self.timeline.index(moment)} ({at})"

    def _sample(self, stream: Stream) -> dict[float, Frame]:
        """Return frames from all over the film, and the moments that they show."""
        moments = list(dict.fromkeys(self.timeline))
        places = np.linspace(0, len(moments) - 1, PALETTE_SAMPLE).round().astype(int)
        chosen = [moments[place] for place in np.unique(places)]
        return dict(zip(chosen, self._draw(chosen, stream, {}), strict=True))


def save(
    animation: matplotlib.animation.Animation,
    filename: str | PathLike[str],
    fps: float | None = None,
    *,
    loop: int = 0,
    quality: str = "medium",
    progress_callback: Callable[[int, int | None], Any] | None = None,
) -> None:
    """
    Write any matplotlib animation to `filename`, in the format that its extension names.

    The animation's functions are called as often as by matplotlib's own save and in the same order,
    and the frames have the same pixels, with two exceptions. Changes that matplotlib's artists do
    not note (an array or a transform changed in place) are missed unless the function returns the
    artist. And in formats without transparency, what the figure leaves transparent is white.

    It is fast where the animation's function returns the artists that it changes, as matplotlib
    asks for blitting; where it does not, a warning says so, and every frame is drawn in full.

    Parameters
    ----------
    animation : Animation
        FuncAnimation, ArtistAnimation, or another TimedAnimation.
    filename : path
        Ending in one of `animate.film.encode.FORMATS`.
    fps : float, optional
        Instead of the animation's own.
    loop : int
        How often a GIF, WebP or APNG plays; 0 for ever.
    quality : "low", "medium" or "high"
    progress_callback : callable, optional
        Called as ``(frame, frames)`` after each frame; frames is None where it is not known.

    Raises
    ------
    InputError
        If the extension is unknown, or there is no frame.
    OutputError
        If the file cannot be written; an old one is then as it was.
    """
    kind = encode.FORMATS[files.extension(filename, encode.FORMATS)]
    loop = validation.whole(loop, "loop", least=0, most=validation.MOST_LOOPS)
    quality = validation.choice(quality, "quality", validation.QUALITIES)
    if isinstance(animation, Animation):
        rate, total = animation.fps if fps is None else fps, len(animation.timeline)
        taken = animation.frames()
    else:
        rate, total = rate_of(animation) if fps is None else fps, None
        taken = frames_of(animation, transparent=kind.transparency)
    rate = validation.frame_rate(rate)
    with closing(taken):  # also after an error: until then the figure's canvas is set for saving
        frames: Iterable[Frame] = taken if kind.transparency else map(opaque, taken)
        encode.encode(
            _reported(frames, total, progress_callback),
            filename,
            rate,
            loop=loop,
            quality=quality,
        )


def _reported(
    frames: Iterable[Frame], total: int | None, callback: Callable[[int, Any], Any] | None
) -> Iterator[Frame]:
    for number, frame in enumerate(frames):
        yield frame
        if callback is not None:
            callback(number, total)
