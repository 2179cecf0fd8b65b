"""
Have the tiles of a sweep trained: in this process, by processes of our own, or by an executor.

However they are trained, at most a few tiles a worker are in flight, and what is queued is
cancelled when the sweep ends early. A worker that dies loses only its tiles, and they are done
again: by `ProcessPool` in new processes, else by the executor if it can, as Dask's can.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import suppress
from functools import lru_cache
from itertools import chain, islice
from multiprocessing import resource_tracker
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from animate.system import files, signals
from animate.system.errors import InputError, SweepError
from animate.training.line import Line
from animate.training.supervised import Supervised
from animate.training.sweeps.plan import Plan, Tile
from animate.training.sweeps.results import Results
from animate.training.sweeps.resume import TileFile
from animate.training.sweeps.tiles import train_tile

DEFAULT_WORKERS = 32  # of an executor that does not tell
IN_FLIGHT = 2  # tiles a worker: one to train and one to go on with
MOST_BREAKS = 3  # of the process pool in a row, without a tile finished in between
POLL_SECONDS = 0.5  # between looks at whether the scheduler is still there

Trained = tuple[Tile, Results]


class Engine(Protocol):
    """Trains tiles."""

    def train(self, problem: Line | Supervised, tiles: Iterable[Tile]) -> Iterator[Trained]:
        """Yield each tile with its results, in any order."""

    def close(self) -> None:
        """End what it has started."""


class InProcess:
    """Trains the tiles in this process, one after the other."""

    def train(self, problem: Line | Supervised, tiles: Iterable[Tile]) -> Iterator[Trained]:
        """Yield each tile with its results."""
        for tile in tiles:
            try:
                results = train_tile(problem, tile)
            except Exception as error:
                raise _failure(tile, error) from error
            yield tile, results

    def close(self) -> None:
        """Do nothing."""


class OnExecutor:
    """Trains the tiles on an executor of the caller's."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._workers: int = getattr(executor, "_max_workers", DEFAULT_WORKERS)

    def train(self, problem: Line | Supervised, tiles: Iterable[Tile]) -> Iterator[Trained]:
        """Yield each tile with its results, in any order."""
        pickled = pickled_problem(problem)
        try:
            yield from _submit(self._executor, pickled, tiles, lambda: self._workers)
        except _WorkersLostError as lost:
            raise SweepError(
                f"a worker of the executor died, which ended it, with {len(lost.tiles)} tiles "
                "unfinished; run the sweep again, with resume= to keep what is done"
            ) from lost
        except CancelledError as error:
            raise SweepError(
                "the executor cancelled tiles, as Dask's does when its scheduler is gone; run the "
                "sweep again, with resume= to keep what is done"
            ) from error

    def close(self) -> None:
        """Do nothing: the executor is the caller's."""


class ProcessPool:
    """
    Trains the tiles in processes of our own, and starts new ones if one dies.

    They are started at the first tile, and ended by `close`.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._executor: ProcessPoolExecutor | None = None
        self._others: set[Any] = set()

    def train(self, problem: Line | Supervised, tiles: Iterable[Tile]) -> Iterator[Trained]:
        """Yield each tile with its results, in any order."""
        pickled, breaks = pickled_problem(problem), 0
        waiting = iter(tiles)
        while True:
            try:
                for trained in _submit(self._started(), pickled, waiting, lambda: self._jobs):
                    breaks = 0
                    yield trained
                return
            except _WorkersLostError as lost:
                self.close()
                breaks += 1
                if breaks == MOST_BREAKS:
                    raise SweepError(
                        f"a process that trained one of {', '.join(map(str, lost.tiles[:4]))} was "
                        f"killed {MOST_BREAKS} times; is there enough memory? Give fewer jobs"
                    ) from lost
                waiting = chain(lost.tiles, waiting)

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._others = set(multiprocessing.active_children())
            resource_tracker.ensure_running()  # here, since starting it unblocks signals
            self._executor = ProcessPoolExecutor(
                self._jobs, multiprocessing.get_context("spawn"), initializer=_begin
            )
        return self._executor

    def close(self) -> None:
        """End the processes at once, also in the middle of a tile."""
        if self._executor is None:
            return
        with signals.deferred():
            executor, self._executor = self._executor, None
            processes = set(multiprocessing.active_children()) - self._others
            executor.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            for process in processes:
                process.join()
            executor.shutdown(wait=True)  # of its thread, which holds semaphores
            del executor
            gc.collect()  # else the resource tracker says that they leaked


class Scheduler:
    """
    Trains the tiles on the workers of a Dask scheduler, which does those of lost workers again.

    Parameters
    ----------
    address : str
        Such as ``tcp://host:8786``.

    Raises
    ------
    InputError
        If dask.distributed is not installed.
    SweepError
        If no scheduler answers.
    """

    def __init__(self, address: str) -> None:
        try:
            from dask.distributed import Client
        except ImportError:
            raise InputError(
                "a scheduler needs dask.distributed; install it with: pip install 'animate[dask]'"
            ) from None
        self._address = address
        try:
            make_client: Any = Client
            self._client = make_client(address, timeout=10, set_as_default=False)
        except (OSError, ValueError) as error:
            raise SweepError(
                f"no scheduler answers at {address}: {' '.join(str(error).split())}; start one "
                "with: dask scheduler"
            ) from error

    def train(self, problem: Line | Supervised, tiles: Iterable[Tile]) -> Iterator[Trained]:
        """Yield each tile with its results, in any order."""
        client = self._client
        try:
            yield from _submit(
                client.get_executor(pure=False),
                pickled_problem(problem),
                tiles,
                lambda: sum(client.nthreads().values()),
                self._check,
            )
        except (OSError, CancelledError, TimeoutError) as error:
            raise self._gone() from error

    def close(self) -> None:
        """Disconnect from the scheduler, which cancels what is queued."""
        with suppress(Exception):
            self._client.close(timeout=1)

    def _check(self) -> None:
        if self._client.status != "running":
            raise self._gone()

    def _gone(self) -> SweepError:
        return SweepError(
            f"the scheduler at {self._address} is gone, and the sweep is not finished; start it "
            "again, and run the sweep again: with --resume it goes on where it stopped"
        )


def engine_of(executor: Executor | None) -> Engine:
    """Return the engine for `animate.sweep`'s argument."""
    if executor is None:
        return InProcess()
    if not isinstance(executor, Executor):
        raise InputError(
            f"executor {executor!r} is not a concurrent.futures.Executor; give one, such as "
            "ProcessPoolExecutor(2) or dask.distributed.Client(…).get_executor()"
        )
    return OnExecutor(executor)


def train(
    plan: Plan, engine: Engine, resume: files.AnyPath | None = None
) -> Iterator[tuple[npt.NDArray[np.int64], Results]]:
    """
    Yield for each tile the places of its runs in the grid, and their results, in any order.

    With `resume`, the tiles in that file come first, and the others are added to it.
    """
    if resume is None:
        for tile, results in engine.train(plan.problem, plan.tiles()):
            yield tile.places, results
        return
    with TileFile(resume, plan) as file:
        finished = file.read()
        for tile in plan.tiles():
            if tile.number in finished:
                yield tile.places, finished[tile.number]
        left = (tile for tile in plan.tiles() if tile.number not in finished)
        for tile, results in engine.train(plan.problem, left):
            file.append(tile.number, results)
            yield tile.places, results


def pickled_problem(problem: Line | Supervised) -> bytes:
    """
    Return `problem` for other processes.

    Raises
    ------
    InputError
        If a part of it cannot be pickled, such as a lambda.
    """
    try:
        return pickle.dumps(problem)
    except Exception as error:
        parts: dict[str, object] = {}
        if isinstance(problem, Supervised):
            parts = {"loss": problem.loss_function, "model": problem.model}
            parts |= {f"metric {name}": one for name, one in problem.metric_functions.items()}
        for name, part in parts.items():
            try:
                pickle.dumps(part)
            except Exception as cause:
                what = "a lambda" if "<lambda>" in str(cause) else f"not picklable: {cause}"
                raise InputError(
                    f"the problem cannot be sent to other processes: its {name} is {what}; define "
                    "it with def or class at the top of a module that can be imported"
                ) from error
        raise InputError(
            f"the problem cannot be sent to other processes: {error}; define its parts at the top "
            "of a module that can be imported"
        ) from error


class _WorkersLostError(Exception):
    """An executor that is broken, with the tiles that it did not finish."""

    def __init__(self, tiles: Sequence[Tile]) -> None:
        super().__init__(f"{len(tiles)} tiles are unfinished")
        self.tiles = tiles


def _submit(
    executor: Executor,
    pickled: bytes,
    tiles: Iterable[Tile],
    worker_count: Callable[[], int],
    check: Callable[[], None] = lambda: None,
) -> Iterator[Trained]:
    """Yield each tile with its results, with a bounded number of tiles in the executor."""
    waiting, pending = iter(tiles), dict[Future[Results], Tile]()
    try:
        while True:
            room = max(IN_FLIGHT * worker_count(), IN_FLIGHT) - len(pending)
            for tile in islice(waiting, max(0, room)):
                try:
                    with signals.blocked():  # in the processes that it may start
                        pending[executor.submit(_train, pickled, tile)] = tile
                except BrokenExecutor as error:
                    raise _WorkersLostError([*pending.values(), tile]) from error
            if not pending:
                return
            done, _ = wait(pending, POLL_SECONDS, return_when=FIRST_COMPLETED)
            if not done:
                check()
            for future in done:
                tile = pending[future]
                try:
                    results = future.result()
                except BrokenExecutor as error:
                    raise _WorkersLostError(list(pending.values())) from error
                except CancelledError:
                    raise
                except Exception as error:
                    raise _failure(tile, error) from error
                del pending[future]
                yield tile, results
    finally:
        for future in pending:
            future.cancel()


def _train(pickled: bytes, tile: Tile) -> Results:
    """Train a tile in a worker."""
    return train_tile(_unpickled(pickled), tile)


@lru_cache(maxsize=1)
def _unpickled(pickled: bytes) -> Line | Supervised:
    problem: Line | Supervised = pickle.loads(pickled)  # noqa: S301  # from our own process
    return problem


def _failure(tile: Tile, error: Exception) -> SweepError:
    message = " ".join(str(error).split())
    return SweepError(f"{tile} cannot be trained: {type(error).__name__}: {message}")


def _begin() -> None:
    """Prepare a worker process: it obeys its parent, and ends with it."""
    signals.obey_parent()

    def end_with_parent() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
