"""Where the texts of a scene stand, and what is wrong with that."""

from collections.abc import Iterator

import numpy as np
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from animate.drawing.scene import Scene


def faults(scene: Scene) -> Iterator[str]:
    """Yield what a reader could not read at the epoch that `scene` shows."""
    scene.figure.draw_without_rendering()
    found = list(_texts(scene))
    for number, (text, ink, room) in enumerate(found):
        inside = Bbox.intersection(ink, room)
        if inside is None:
            yield f"{text!r} is out of sight"
        elif cut := np.abs(inside.extents - ink.extents).max():
            yield f"{text!r} is cut off by {cut:.1f} pixels"
        for other, beside, _ in found[number + 1 :]:
            if ink.overlaps(beside):
                yield f"{text!r} overlaps {other!r}"


def _texts(scene: Scene) -> Iterator[tuple[str, Bbox, Bbox]]:
    """Yield each visible text with the box of its ink and the box that it cannot leave."""
    renderer = scene.figure.canvas.get_renderer()
    frame = Bbox.from_bounds(0, 0, *scene.size)
    for text in scene.figure.findobj(Text):
        is_off = text.axes is not None and not text.axes.axison and text not in text.axes.texts
        if text.get_visible() and text.get_text().strip() and not is_off:
            clip = text.get_clip_box() if text.get_clip_on() else None
            yield text.get_text(), text.get_window_extent(renderer).padded(-1), clip or frame
