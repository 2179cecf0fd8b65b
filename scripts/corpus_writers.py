"""Writers that keep or drop what is drawn for an MP4, for scripts/corpus.py."""

import io
from typing import Any

import imageio_ffmpeg
import matplotlib as mpl
import numpy as np
from matplotlib.animation import FFMpegWriter

from animate.film.layers import is_plain
from animate.writer import Writer

ANEW = 0.3  # share of new artists in a frame


class _Nowhere(io.RawIOBase):
    def write(self, data: Any) -> int:
        return len(data)


class _Theirs(FFMpegWriter):
    """matplotlib's writer, with a stream in the place of ffmpeg."""

    stream: io.IOBase

    @classmethod
    def isAvailable(cls) -> bool:  # noqa: N802
        return True

    def _run(self) -> None:
        class Process:
            stdin = self.stream

        self._proc = Process()

    def finish(self) -> None:
        pass


class Theirs(_Theirs):
    def __init__(self) -> None:
        super().__init__(fps=20)
        self.stream = io.BytesIO()

    def finish(self) -> None:
        width, height = self.frame_size
        data = np.frombuffer(self.stream.getvalue(), np.uint8)
        self.frames = list(data.reshape(-1, height, width, 4))


def quiet_theirs() -> Any:
    writer = _Theirs(fps=20)
    writer.stream = _Nowhere()
    return writer


class _Sink:
    def __init__(self, keep: bool) -> None:
        self.keep, self.frames = keep, []

    def write(self, frame: Any) -> None:
        if self.keep:
            self.frames.append(frame)

    def close(self) -> None:
        pass

    def abort(self, error: BaseException) -> None:
        pass


class Ours(Writer):
    """Our writer, without an encoder. It counts what was drawn."""

    def __init__(self, *, keep: bool = True) -> None:
        super().__init__(fps=20)
        self._keep = keep

    def setup(self, *arguments: Any, **options: Any) -> None:
        super().setup(*arguments, **options)
        self._frames = _Sink(self._keep)
        self.drawn: list[tuple[int, int, int]] = []

    def grab_frame(self, **options: Any) -> None:
        super().grab_frame(**options)
        layers = self._grabber.layers
        self.drawn.append((layers.drawn, layers.drawn + layers.kept, layers.created))

    @property
    def frames(self) -> list[Any]:
        return self._frames.frames

    def counts(self) -> dict[str, float]:
        later = np.array(self.drawn[2:] or self.drawn, float).reshape(-1, 3)
        return dict(zip(("drawn", "artists", "new"), later.mean(axis=0).tolist(), strict=True))

    def kind(self, animation: Any) -> str:
        counts = self.counts()
        figure = animation._fig
        if not all(is_plain(axes) for axes in figure.axes):
            return "polar, 3D"
        layout = ", layout" if figure.get_layout_engine() is not None else ""
        if counts["new"] > ANEW * counts["artists"]:
            return f"anew{layout}"
        declared = animation._blit and getattr(animation, "_drawn_artists", None)
        return f"returns{layout}" if declared else f"persists{layout}"


def quiet_ours() -> Ours:
    return Ours(keep=False)


def ffmpeg(fps: int) -> FFMpegWriter:
    mpl.rcParams["animation.ffmpeg_path"] = imageio_ffmpeg.get_ffmpeg_exe()
    return FFMpegWriter(fps)
