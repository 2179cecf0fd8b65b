"""
A writer for matplotlib's `Animation.save`, and `save`, which uses it.

matplotlib's own `save` calls the animation's functions, so they are called as often and in the same
order. Only drawing and encoding are ours.
"""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from os import PathLike, fspath
from typing import Any

import matplotlib as mpl
from matplotlib import animation as mpl_animation
from matplotlib import cbook
from matplotlib.animation import AbstractMovieWriter, Animation
from matplotlib.figure import Figure

from animate.film import encode
from animate.film.encode.ffmpeg import executable
from animate.film.frames import FrameGrabber
from animate.system import defaults, files, validation
from animate.system.errors import InputError, OutputError

H264 = "h264"  # matplotlib's name for the default codec
CREATING = 5  # frames in a row with mostly new artists, after which a warning is issued


class Writer(AbstractMovieWriter):
    """
    Writes an animation as fast as it can, with the pixels of matplotlib's own writers.

    Parameters
    ----------
    fps : float
        Frames a second.
    codec : str, optional
        ffmpeg's name of a codec, for videos other than WebM. The default is H.264.
    bitrate : int, optional
        In kilobits a second; -1 for what the quality needs.
    extra_args : list of str, optional
        More of ffmpeg's arguments for the output. With them, ffmpeg's other settings are those that
        matplotlib gives it.
    metadata : dict, optional
        Texts to store in the file, by ffmpeg's names, such as "title".
    loop : int
        Number of times that a GIF, WebP or APNG plays; 0 for ever.
    quality : "low", "medium" or "high"
    """

    supported_formats = ("rgba",)

    def __init__(
        self,
        fps: float = 5,
        codec: str | None = None,
        bitrate: int | None = None,
        extra_args: Sequence[str] | None = None,
        metadata: dict[str, str] | None = None,
        *,
        loop: int = defaults.LOOP,
        quality: str = defaults.QUALITY,
    ) -> None:
        super().__init__(fps=fps, metadata=metadata, codec=codec, bitrate=bitrate)  # type: ignore[arg-type]
        self.extra_args = (
            mpl.rcParams["animation.ffmpeg_args"] if extra_args is None else extra_args
        )
        self._loop = validation.whole(loop, "loop", least=0, most=validation.MOST_LOOPS)
        self._quality = validation.choice(quality, "quality", validation.QUALITIES)
        self._grabber: FrameGrabber | None = None

    @classmethod
    def isAvailable(cls) -> bool:  # noqa: N802  # matplotlib's name
        """Return whether there is an ffmpeg."""
        try:
            executable()
        except OutputError:
            return False
        return True

    def setup(self, fig: Figure, outfile: str | PathLike[str], dpi: float | None = None) -> None:
        """
        Prepare to write the frames of `fig`.

        The figure gets even sides if the film is H.264, as by matplotlib's writers, until `finish`.
        """
        film = self._film(outfile)
        kind = encode.encoder_of(film)
        self.fig, self.outfile = fig, fspath(outfile)
        self.dpi = fig.dpi if dpi is None else dpi
        self._is_transparent = kind.transparency
        note = encode.note(film.path, (2, 2), film.fps)
        if note is not None:
            _warn(note)
        self._frames = encode.FrameWriter(film)
        self._own_size: tuple[float, float] = tuple(fig.get_size_inches())
        self._size = self._own_size
        if files.extension(film.path, encode.EVERY_FORMAT) in encode.VIDEOS and self.codec == H264:
            width, height = self._own_size
            self._size = mpl_animation.adjusted_figsize(width, height, self.dpi, 2)
            self._resize(self._size)
        self._creating = 0
        self._grabber = FrameGrabber(fig, self.dpi)
        self._grabber.__enter__()

    def _film(self, path: str | PathLike[str]) -> encode.Film:
        return encode.Film(
            path,
            _frame_rate(self.fps),
            self._loop,
            self._quality,
            codec=None if self.codec == H264 else self.codec,
            bitrate=max(self.bitrate, 0),
            extra_args=list(self.extra_args),
            metadata={key: str(value) for key, value in self.metadata.items()},
        )

    def _resize(self, size: tuple[float, float]) -> None:
        if tuple(self.fig.get_size_inches()) != size:
            self.fig.set_size_inches(size, forward=True)

    def _supports_transparency(self) -> bool:
        return self._is_transparent

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Write the figure as the next frame, as `savefig` draws it with these arguments."""
        mpl_animation._validate_grabframe_kwargs(savefig_kwargs)  # type: ignore[attr-defined]
        assert self._grabber is not None
        self._resize(self._size)  # the animation's function may have changed it
        self._frames.write(self._grabber.grab(**savefig_kwargs))
        layers = self._grabber.layers
        self._creating = self._creating + 1 if layers.created > layers.kept else 0
        if self._creating == CREATING:
            _warn(
                "the animation's function makes most artists anew for each frame, and so they are "
                "all drawn anew, which is slow; to be faster, make them once and change them, for "
                "example with set_data"
            )

    def finish(self) -> None:
        """Finish the film, and move it to its place."""
        self._restore()
        self._frames.close()

    def _restore(self) -> None:
        if self._grabber is not None:
            self._grabber.__exit__(None, None, None)
            self._grabber = None
            self._resize(self._own_size)

    @contextmanager
    def saving(
        self,
        fig: Figure,
        outfile: str | PathLike[str],
        dpi: float | None,
        *args: Any,
        **kwargs: Any,
    ) -> Iterator["Writer"]:
        """Call `setup`, and `finish` unless the block fails: then an old file is kept."""
        self.setup(fig, outfile, dpi, *args, **kwargs)
        with mpl.rc_context({"savefig.bbox": None}):
            try:
                yield self
                self.finish()
            except BaseException as error:
                self._restore()
                self._frames.abort(error)
                raise


def _frame_rate(fps: object) -> float:
    try:
        rate = float(fps)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise InputError(
            f"fps {validation.quoted(fps)} is not a positive number of frames a second"
        )
    return rate


def _warn(message: str) -> None:
    """Issue a warning that points at the line that saves: the last one outside of libraries."""
    level, frame = 1, sys._getframe()
    inside = (__package__.partition(".")[0], "matplotlib", "contextlib")
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in inside:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)


def save(
    animation: Animation,
    filename: str | PathLike[str],
    fps: float | None = None,
    *,
    loop: int = defaults.LOOP,
    quality: str = defaults.QUALITY,
    dpi: float | None = None,
    codec: str | None = None,
    bitrate: int | None = None,
    extra_args: Sequence[str] | None = None,
    metadata: dict[str, str] | None = None,
    extra_anim: list[Animation] | None = None,
    savefig_kwargs: dict[str, Any] | None = None,
    progress_callback: Callable[[int, Any], Any] | None = None,
) -> None:
    """
    Write any matplotlib animation to `filename`, in the format of its extension.

    The animation's functions are called as often as by matplotlib's own save and in the same order,
    and the frames have the same pixels. What changes is found by looking: the functions need not
    return it.

    If most artists are made anew for each frame, a warning says that this is slow.

    Parameters
    ----------
    animation : Animation
        FuncAnimation, ArtistAnimation, or another TimedAnimation.
    filename : path
        Ending in one of `animate.film.encode.EVERY_FORMAT`.
    fps : float, optional
        Frames a second. The default is the rate of the animation.
    loop : int
        Number of times that a GIF, WebP or APNG plays; 0 for ever.
    quality : "low", "medium" or "high"
    dpi, codec, bitrate, extra_args, metadata, extra_anim, savefig_kwargs
        As in matplotlib's ``Animation.save``.
    progress_callback : callable, optional
        Called as ``(frame, frames)`` after each frame; frames is None if it is not known.

    Raises
    ------
    InputError
        If the extension is unknown, or there is no frame.
    OutputError
        If the file cannot be written. An old file is then unchanged.
    """
    own = sys.modules.get("animate.film.animation")  # not imported here: it needs more
    if own is not None and isinstance(animation, own.Animation):
        _save_own(animation, filename, fps, loop, quality, progress_callback)
        return
    interval = getattr(animation, "_interval", None)
    if fps is None:
        if interval is None:
            raise InputError("the animation has no interval between its frames; give fps")
        fps = 1000.0 / interval
    writer = Writer(fps, codec, bitrate, extra_args, metadata, loop=loop, quality=quality)
    # matplotlib divides by the interval even where the result is not used.
    with nullcontext() if interval != 0 else cbook._setattr_cm(animation, _interval=1):
        animation.save(
            fspath(filename),
            writer,
            dpi=dpi,
            extra_anim=extra_anim,
            savefig_kwargs=savefig_kwargs,
            progress_callback=progress_callback,
        )


def _save_own(
    film: Any,
    filename: str | PathLike[str],
    fps: float | None,
    loop: int,
    quality: str,
    progress_callback: Callable[[int, Any], Any] | None,
) -> None:
    def reported() -> Iterator[encode.Frame]:
        for number, frame in enumerate(film.frames()):
            yield frame
            if progress_callback is not None:
                progress_callback(number, len(film.timeline))

    rate = validation.frame_rate(film.fps if fps is None else fps)
    encode.encode(reported(), filename, rate, loop=loop, quality=quality)
