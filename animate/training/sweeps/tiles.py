"""The way to train the tiles of a problem."""

from __future__ import annotations

from animate.training.line import Line
from animate.training.supervised import Supervised
from animate.training.sweeps import line
from animate.training.sweeps.plan import Tile
from animate.training.sweeps.results import Results


def tile_size(problem: Line | Supervised) -> int:
    """Return how many runs of `problem` are trained as one batch."""
    assert isinstance(problem, Line)
    return line.TILE_SIZE


def train_tile(problem: Line | Supervised, tile: Tile) -> Results:
    """Train the runs of a tile on one thread; return what is kept of them, without the fillers."""
    assert isinstance(problem, Line)
    return line.train_tile(problem, tile)[: len(tile.places)]
