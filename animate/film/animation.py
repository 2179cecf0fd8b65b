"""
Films of training runs.

`Animation` is a matplotlib FuncAnimation. Its `save` and `frames` draw only the artists that
change, and give the same pixels as matplotlib's full redraw.
"""

import logging
from base64 import b64encode
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from os import PathLike, fspath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from animate import page
from animate.drawing import stills
from animate.drawing.scene import DPI, Scene, Views, validate_runs, validate_views
from animate.drawing.theme import Theme, load_theme
from animate.drawing.typeface import load_typeface
from animate.film import encode
from animate.film.stream import Frame, Stream
from animate.film.timeline import timeline as default_timeline
from animate.system import defaults, files, validation
from animate.system.errors import DrawingError, InputError
from animate.system.numbers import moment_text
from animate.training.precomputed import precompute
from animate.training.trajectory import Trajectory

Moment = float | str
PAGE = ".html"
PALETTE_SAMPLE = 8  # frames from which a GIF's palette is made


class Animation(FuncAnimation):
    """
    A film that shows runs in views.

    Parameters
    ----------
    runs : sequence of Trajectory, or one
        At most 12. They may differ in length, and in their problem if the views allow it.
    views : view names or View classes, or one, optional
        Each is one row (or column) of panels. The default is that of a ready problem; of any other,
        fit with one input or boundary with two, and loss; else loss and weights, of those recorded.
    size : (int, int)
        Exact width and height in pixels.
    theme : str or Theme
    title : str, optional
        Plain text. The empty string means no title.
    font : path, optional
        A TrueType or OpenType font for all texts, instead of the theme's.
    timeline : sequence of numbers, optional
        The moment that each frame shows, in epochs if every run has them, else in steps. The
        default shows each moment at which a run has a record, the first ones slowly; if there are
        more than 400, it shows a few hundred.
    fps : float
        Frames a second.
    hold : float
        Seconds for which the default timeline shows the end.
    duration : float, optional
        Length of the default timeline in seconds.
    loop : int
        Number of times that a GIF, WebP or APNG plays; 0 for ever.
    quality : "low", "medium" or "high"
        Quality of the files that `save` writes.
    known : mapping of str to object, optional
        Data that a view needs and that are known already, such as ``{"map": grid}`` with the result
        of `animate.sweep`.

    Attributes
    ----------
    scene : Scene
    timeline : tuple of numbers
    fps : float
    size : (int, int)

    Raises
    ------
    InputError
        If a value is invalid, a view cannot show the runs, or text would be too small to read.
    """

    def __init__(
        self,
        runs: Sequence[Trajectory] | Trajectory,
        views: Views | None = None,
        size: tuple[int, int] = defaults.SIZE,
        *,
        theme: str | Theme = defaults.THEME,
        title: str | None = None,
        font: str | PathLike[str] | None = None,
        timeline: Iterable[float] | None = None,
        fps: float = defaults.FPS,
        hold: float = defaults.HOLD,
        duration: float | None = None,
        loop: int = defaults.LOOP,
        quality: str = defaults.QUALITY,
        known: Mapping[str, object] | None = None,
    ) -> None:
        self.fps = validation.frame_rate(fps)
        self._loop = validation.whole(loop, "loop", least=0, most=validation.MOST_LOOPS)
        self._title = title
        self._has_default_views = views is None
        self._quality = validation.choice(quality, "quality", validation.QUALITIES)
        several = validate_runs(runs)
        kinds = validate_views(views, several)
        data = precompute([name for kind in kinds for name in kind.needs], several, known)
        if font is not None:
            theme = load_theme(theme) if isinstance(theme, str) else theme
            theme = replace(theme, typeface=load_typeface(fspath(font)))
        self.scene = Scene(several, kinds, size, theme, title, data=data)
        clock = self.scene.clock
        if timeline is None:
            indices = default_timeline(
                len(clock.moments) - 1, self.fps, hold, duration, clock.moments_per_epoch
            )
            timeline = clock.moments[list(indices)].tolist()
        if not isinstance(timeline, Iterable):
            raise InputError(
                f"timeline {validation.quoted(timeline)} is not a sequence; give the moment of "
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
        """Do not warn like FuncAnimation that it was never drawn: `save` does not draw it."""

    def _repr_html_(self) -> str:
        """Return HTML for a notebook with the film in it, up to matplotlib's size limit."""
        suffix = ".gif" if self.scene.theme.transparent else ".mp4"
        width, height = self.size
        with TemporaryDirectory() as folder:
            path = Path(folder, f"film{suffix}")
            self.save(path)
            data = path.read_bytes()
        limit = 1024**2 * float(mpl.rcParams["animation.embed_limit"])
        if len(data) * 4 / 3 > limit:
            return (
                f"<p>The film has {len(data) / 1e6:.1f} MB, more than animation.embed_limit "
                f"({limit / 1024**2:g} MB): save it and show the file.</p>"
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
        Yield one frame for each entry of the timeline, drawn on demand.

        Each is a read-only RGBA array, (height, width, 4) uint8, exactly `size` pixels, that does
        not change later.
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
        alt: str | None = None,
        size: stills.Size | str | None = None,
    ) -> None:
        """
        Write the film, a still of it, or its page to `filename`. The extension selects which.

        The file is written whole or not at all. If one of the arguments of matplotlib's writers is
        given (`writer`, `dpi`, `codec`, `bitrate`, `extra_args`, `metadata`, `extra_anim`,
        `savefig_kwargs`), matplotlib's own `FuncAnimation.save` writes the film.

        Parameters
        ----------
        filename : path
            Ending in one of `animate.film.encode.FORMATS`, of `animate.drawing.stills.FORMATS`, or
            ``.html``: a page that trains plain descent on a line again, and plays all other runs
            in those views that it can draw (`animate.page.recorded.DRAWABLE`).
        fps : float, optional
            Frames a second. The default is the animation's `fps`.
        progress_callback : callable, optional
            Called as ``(frame, frames)`` after each frame, as in matplotlib.
        at : number, "start", "end" or "converged", or a sequence of them
            The moment that a still shows; the default is the end, which it does not state. For
            several moments, a PDF has a page for each, and the other formats show all of them.
        size : (int, int) or str, optional
            The size of a still: in pixels, or on paper, such as ``"86mm"`` or ``"12x7cm"``. The
            default is that of the film.
        alt : str, optional
            Alternative text to store in a still or page.

        Raises
        ------
        InputError
            If the extension is unknown, the theme needs transparency and the format has none,
            there is no such moment, text would be too small to read, or `at` or `size` is given and
            the file is not a still.
        OutputError
            If the file cannot be written. An old file is then unchanged.
        """
        writer_arguments = (
            writer,
            dpi,
            codec,
            bitrate,
            extra_args,
            metadata,
            extra_anim,
            savefig_kwargs,
        )
        if any(argument is not None for argument in writer_arguments):
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
        if size is not None and suffix not in stills.FORMATS:
            raise InputError(
                f"size is that of a still, and {filename} is none; give it to Animation"
            )
        if suffix == PAGE:
            scene = self.scene
            page.save(
                scene.runs, filename, self._title, scene.theme.name, alt,
                views=None if self._has_default_views else scene.view_classes,
                data=scene.data, style_indices=scene.theme.style_indices,
            )  # fmt: skip
            return
        if suffix in stills.FORMATS:
            named = "end" if at is None else at
            several: Iterable[Moment] = [named] if isinstance(named, (str, Real)) else named  # type: ignore[assignment]
            whole = self.size if size is None else validation.still_size(size)
            notes: list[str] = []
            stills.save(self.picture, filename, several, whole, alt, on_note=notes.append)
            _log(notes)
            return
        if alt is not None:
            raise InputError(
                f"{filename} is a film, which stores no alternative text; leave alt out, and say "
                "it where the film is embedded"
            )
        _log(self.scene.notes)
        rate = self.fps if fps is None else validation.frame_rate(fps)
        film = encode.Film(filename, rate, self._loop, self._quality)
        (error,) = self.save_each([film], progress_callback)
        if error is not None:
            raise error

    def save_each(
        self,
        films: Sequence[encode.Film],
        progress_callback: Callable[[int, int], Any] | None = None,
        on_written: Callable[[encode.Film], None] = lambda _film: None,
    ) -> list[OSError | None]:
        """
        Write several films of the same frames, which are drawn once.

        Returns the error of each film, or None. Calls `on_written` with each film that is in its
        place.
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
            on_written=on_written,
        )

    @property
    def picture(self) -> stills.Picture:
        """What its stills show."""
        scene = self.scene
        return stills.Picture(scene.runs, scene.view_classes, scene.theme, self._title, scene.data)

    def _draw_moment(self, moment: float) -> list[Artist]:
        self.scene.draw(moment)
        return self.scene.moving

    def _stream(self) -> Stream:
        scene = self.scene
        # Some of matplotlib's writers change the size of the figure and do not restore it.
        scene.figure.set_dpi(DPI)
        scene.figure.set_size_inches(scene.size[0] / DPI, scene.size[1] / DPI)
        return Stream(scene.figure, scene.moving, scene.theme.applied)

    def _draw(
        self, moments: Iterable[float], stream: Stream, cache: Mapping[float, Frame]
    ) -> Generator[Frame, None, None]:
        """Yield a frame for each of `moments`, from `cache` if it is there."""
        stream.changed_static()  # the first call only starts the detection of changes
        previous, frame = None, None
        for moment in moments:
            if frame is None or moment != previous:
                previous, frame = moment, cache.get(moment)
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
        """Raise if a view's `draw` has changed an artist that the stream does not redraw."""
        changed = stream.changed_static()
        if changed is not None:
            how = "adds artists to" if isinstance(changed, (Axes, Figure)) else "changes"
            raise DrawingError(
                f"a view's draw {how} {changed} without registering them; make each artist in "
                "__init__ and register it there with self.moves(…)"
            )

    def _name(self, moment: float) -> str:
        at = moment_text(moment, self.scene.clock.unit)
        return f"frame {self.timeline.index(moment)} ({at})"

    def _sample(self, stream: Stream) -> dict[float, Frame]:
        """Return frames at even distances in the film, by their moments."""
        moments = list(dict.fromkeys(self.timeline))
        indices = np.linspace(0, len(moments) - 1, PALETTE_SAMPLE).round().astype(int)
        chosen = [moments[index] for index in np.unique(indices)]
        return dict(zip(chosen, self._draw(chosen, stream, {}), strict=True))


def _reported(
    frames: Iterable[Frame], total: int | None, callback: Callable[[int, Any], Any] | None
) -> Iterator[Frame]:
    for number, frame in enumerate(frames):
        yield frame
        if callback is not None:
            callback(number, total)


def _log(notes: Sequence[str]) -> None:
    """Log what a file shows otherwise than it was given; a warning might be made an error."""
    for sentence in notes:
        logging.getLogger("animate").warning("%s", sentence)
