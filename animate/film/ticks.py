"""
Compute the ticks of an axis once a frame.

matplotlib computes them about nine times: to place titles, to measure spines, and to draw. They
depend on the limits and the length of the axis, which hardly change within a frame.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib.axis import Axis


class TickMemory:
    """The ticks of axes that were computed since the figure last changed."""

    def __init__(self) -> None:
        self._ticks: dict[Any, tuple[object, list[Any]]] = {}

    def clear(self) -> None:
        """Forget all ticks, since the figure may have changed."""
        self._ticks.clear()

    @contextmanager
    def applied(self, *artists: Any) -> Iterator[None]:
        """Within this context each Axis in `artists` computes its ticks only if they may differ."""
        own = [artist for artist in artists if _computes_ticks(artist)]
        for axis in own:
            axis._update_ticks = self._remembering(axis)
        try:
            yield
        finally:
            for axis in own:
                del axis._update_ticks

    def _remembering(self, axis: Any) -> Callable[[], list[Any]]:
        compute = axis._update_ticks

        def ticks() -> list[Any]:
            key = *axis.get_view_interval(), *axis.axes.bbox.bounds
            known = self._ticks.get(axis)
            if known is None or known[0] != key:
                known = self._ticks[axis] = key, compute()
            return [*known[1]]

        return ticks


def _computes_ticks(artist: object) -> bool:
    """Return whether `artist` is an Axis whose ticks are computed as matplotlib does."""
    method = getattr(type(artist), "_update_ticks", None)
    return (
        isinstance(artist, Axis)
        and method is vars(Axis)["_update_ticks"]
        and "_update_ticks" not in vars(artist)
    )
