"""The way to train the tiles of a problem: the fastest that it allows."""

from __future__ import annotations

from dataclasses import replace

from animate.training.line import Line
from animate.training.supervised import Supervised
from animate.training.sweeps import line, networks, one_hidden_layer, vmapped
from animate.training.sweeps.plan import Plan, Tile
from animate.training.sweeps.results import Results


def tile_size(problem: Line | Supervised) -> int:
    """Return how many runs of `problem` are trained as one batch."""
    if isinstance(problem, Line):
        return line.TILE_SIZE
    found = one_hidden_layer.architecture(problem)
    if found is None:
        return vmapped.batch_size(problem)
    return one_hidden_layer.batch_size(problem, found)


def check(plan: Plan) -> None:
    """Raise `InputError` if the runs of a plan cannot be trained in batches."""
    if isinstance(plan.problem, Supervised) and not one_hidden_layer.architecture(plan.problem):
        vmapped.check(plan.problem, next(replace(plan, tile_size=2).tiles()))


def train_tile(problem: Line | Supervised, tile: Tile) -> Results:
    """Train the runs of a tile on one thread; return what is kept of them, without the fillers."""
    if isinstance(problem, Line):
        results = line.train_tile(problem, tile)
    else:
        found = one_hidden_layer.architecture(problem)
        batch: networks.RunBatch
        if found is None:
            batch = vmapped.Vmapped(problem, tile)
        else:
            batch = one_hidden_layer.OneHiddenLayer(problem, tile, found)
        results = networks.train_tile(problem, tile, batch)
    return results[: len(tile.places)]
