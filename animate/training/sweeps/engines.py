"""Have the tiles of a sweep trained: in this process, or by an executor in others."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Protocol

import numpy as np
import numpy.typing as npt

from animate.system import files
from animate.training.sweeps.plan import Plan, Tile
from animate.training.sweeps.results import Results
from animate.training.sweeps.tiles import train_tile

Trained = tuple[npt.NDArray[np.int64], Results]


class Engine(Protocol):
    def train(self, plan: Plan, tiles: Iterator[Tile]) -> Iterator[tuple[Tile, Results]]: ...


class InProcess:
    """Trains the tiles in this process, one after the other."""

    def train(self, plan: Plan, tiles: Iterator[Tile]) -> Iterator[tuple[Tile, Results]]:
        for tile in tiles:
            yield tile, train_tile(plan.problem, tile)


def engine_of(executor: Executor | None) -> Engine:
    assert executor is None
    return InProcess()


def train(plan: Plan, engine: Engine, resume: files.AnyPath | None = None) -> Iterator[Trained]:
    """Yield the places in the grid and the results of each tile, in any order."""
    for tile, results in engine.train(plan, plan.tiles()):
        yield tile.places, results
