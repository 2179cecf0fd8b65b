"""
The frames of a FuncAnimation that somebody else made.

Where its function returns the artists that it changes, which is what matplotlib asks for blitting,
only those are drawn for each frame. All that is private to matplotlib's animations is read here.
"""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure

from animate.animation.stream import Frame, Stream


def rate_of(animation: FuncAnimation) -> float:
    """Return the frames a second that `animation` would be saved with."""
    return 1000 / float(animation._interval)  # type: ignore[attr-defined]


def frames_of(animation: FuncAnimation) -> Iterator[Frame]:
    """
    Yield the frames of `animation`, pixel for pixel as matplotlib would save them.

    Each is (height, width, 4) uint8, read-only, and stays valid. If the function returns
    no artists, or parts of one, or changes others than it returns, a warning says so, and from
    there on every frame is drawn in full.
    """
    figure: Figure = animation._fig  # type: ignore[attr-defined]
    animation._init_draw()  # type: ignore[attr-defined]
    stream: Stream | None = None
    in_full = False
    for data in animation.new_saved_frame_seq():
        animation._draw_frame(data)  # type: ignore[attr-defined]
        artists = animation._drawn_artists  # type: ignore[attr-defined]
        if not in_full:
            trouble = _trouble(stream, artists)
            if trouble:
                in_full = True
                warnings.warn(
                    f"{trouble}: from here on, every frame is drawn in full, which is slow",
                    stacklevel=3,
                )
            elif stream is None:
                stream = Stream(figure, artists)
        yield _full(figure) if in_full or stream is None else stream.draw()


def _trouble(stream: Stream | None, artists: object) -> str:
    """Return why only `artists` cannot be drawn, or nothing."""
    if not (isinstance(artists, Sequence) and all(isinstance(item, Artist) for item in artists)):
        return "the animation's function does not return the artists that it changes"
    if stream is None:
        return ""
    part = stream.part_of_another(artists)
    if part is not None:
        return (
            f"the animation's function returns {part}, which is drawn as a part of another artist"
        )
    changed = stream.undeclared()
    if changed is not None:
        return f"the animation's function changes {changed}, which it does not return"
    return ""


def _full(figure: Figure) -> Frame:
    width, height = (round(side) for side in figure.bbox.size)
    renderer = RendererAgg(width, height, figure.dpi)
    # matplotlib leaves out what is to be blitted, also what was only in earlier frames.
    moving = figure.findobj(Artist.get_animated)
    for artist in moving:
        artist.set_animated(False)
    try:
        figure.draw(renderer)
    finally:
        for artist in moving:
            artist.set_animated(True)
    return np.array(renderer.buffer_rgba())


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
