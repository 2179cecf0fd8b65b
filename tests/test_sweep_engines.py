"""Sweeps in other processes: the same bytes, whatever dies."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from torch import nn
from torch.nn import functional

import animate
from animate import InputError, Line, Supervised, SweepError, problems, sweep
from animate.training.sweep import Grid, plan_sweep, run_sweep
from animate.training.sweeps import engines
from animate.training.sweeps.plan import Plan
from animate.training.sweeps.results import RESULT
from animate.training.sweeps.resume import TileFile

H = animate.Hyperparameters
AXES = {"lr.input": np.geomspace(1e-3, 1e4, 24), "lr.output": np.geomspace(1e-3, 1e4, 16)}


def plan(epochs: int = 30) -> Plan:
    return plan_sweep(problems.fractal(4), AXES, epochs)


def same(one: Grid, other: Grid) -> bool:
    return all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in RESULT.names
    )


class Counting(Executor):
    """Does nothing until `wait` needs it; counts what is in flight, and what was cancelled."""

    def __init__(self) -> None:
        self.most, self.inside, self.cancelled = 0, 0, 0
        self._max_workers = 2
        self._inner = ThreadPoolExecutor(1)

    def submit(self, function, *arguments) -> Future:
        self.inside += 1
        self.most = max(self.most, self.inside)
        future = self._inner.submit(function, *arguments)
        future.add_done_callback(self._on_done)
        return future

    def _on_done(self, future: Future) -> None:
        self.inside -= 1
        self.cancelled += future.cancelled()


def test_an_executor_gives_the_same_bytes_and_holds_few_tiles_at_once() -> None:
    executor, several = Counting(), plan()
    assert several.tile_count >= 6
    grid = sweep(several.problem, AXES, 30, executor=executor)
    assert same(grid, run_sweep(several))
    assert executor.most <= 4


def test_what_is_queued_is_cancelled_when_a_sweep_ends_early() -> None:
    executor = Counting()

    def interrupt(*_counts: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(problems.fractal(4), AXES, 300, executor=executor, on_progress=interrupt)
    assert executor.cancelled >= 1


def test_a_tile_that_raises_is_named(monkeypatch) -> None:
    def fail(*_arguments: object) -> None:
        raise ValueError("no such luck")

    monkeypatch.setattr(engines, "train_tile", fail)
    said = r"tile 0 \(lr 0.1 to 0.2\) cannot be trained: ValueError: no such luck"
    with pytest.raises(SweepError, match=said):
        sweep(Line.sample(), lrs=[0.1, 0.2])
    with ThreadPoolExecutor(1) as executor, pytest.raises(SweepError, match=said):
        sweep(Line.sample(), lrs=[0.1, 0.2], executor=executor)


def test_a_problem_with_a_lambda_is_refused_by_name() -> None:
    problem = Supervised(
        lambda: nn.Linear(1, 1), [[1.0], [2.0]], [[1.0], [2.0]],
        loss=lambda output, y: functional.mse_loss(output, y),
    )  # fmt: skip
    with ThreadPoolExecutor(1) as executor, pytest.raises(InputError, match="its loss is a lambda"):
        sweep(problem, lrs=[0.1], executor=executor)
    sweep(problem, lrs=[0.1])  # here it need not pickle


def test_an_executor_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"executor 2 is not a concurrent\.futures\.Executor"):
        sweep(Line.sample(), lrs=[0.1], executor=2)


def stop_after(count: int, done: int, _total: int) -> None:
    if done >= count:
        raise KeyboardInterrupt


@pytest.mark.parametrize("torn", [0, 5])
def test_a_sweep_that_was_stopped_goes_on(tmp_path, torn) -> None:
    path, several = tmp_path / "tiles", plan()
    with pytest.raises(KeyboardInterrupt):
        run_sweep(several, resume=path, on_progress=partial(stop_after, 130))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - torn])
    with TileFile(path, several) as file:
        known = len(file.read())
    assert known == (3 if not torn else 2)
    told: list[int] = []
    grid = run_sweep(several, resume=path, on_progress=lambda done, _total: told.append(done))
    assert same(grid, run_sweep(several))
    assert len(told) == several.tile_count
    with TileFile(path, several) as file:
        assert len(file.read()) == several.tile_count


def test_a_file_of_another_sweep_is_refused_and_kept(tmp_path) -> None:
    path = tmp_path / "tiles"
    run_sweep(plan(2), resume=path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="holds the tiles of another sweep"):
        run_sweep(plan(3), resume=path)
    path.with_name("text").write_text("a text of somebody's")
    with pytest.raises(InputError, match="or is no such file"):
        run_sweep(plan(2), resume=path.with_name("text"))
    assert path.read_bytes() == before
    assert path.with_name("text").read_text() == "a text of somebody's"


def kill_one(pids, killed: list[int], done: int, _total: int) -> None:
    if not killed and done >= 64:
        killed.append(next(iter(pids())))
        os.kill(killed[0], signal.SIGKILL)


@pytest.mark.slow  # starts processes, which import torch
def test_processes_give_the_same_bytes_also_where_one_is_killed() -> None:
    several, killed = plan(300), []
    expected = run_sweep(several)
    pool = engines.ProcessPool(2)
    try:
        assert same(run_sweep(several, pool), expected)

        def pids() -> list[int]:
            return [one.pid for one in multiprocessing.active_children()]

        grid = run_sweep(several, pool, on_progress=partial(kill_one, pids, killed))
    finally:
        pool.close()
    assert same(grid, expected)
    assert killed
    assert not {one.pid for one in multiprocessing.active_children()} & set(killed)


@pytest.mark.slow  # starts a scheduler and two workers
@pytest.mark.filterwarnings("ignore")  # of dask, when a worker dies
def test_dask_gives_the_same_bytes_also_where_a_worker_is_killed() -> None:
    from dask.distributed import Client, LocalCluster

    several, killed = plan(300), []
    expected = run_sweep(several)
    with LocalCluster(2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        engine = engines.Scheduler(cluster.scheduler_address)
        assert same(run_sweep(several, engine), expected)

        def pids() -> list[int]:
            return [worker.pid for worker in cluster.workers.values()]

        grid = run_sweep(several, engine, on_progress=partial(kill_one, pids, killed))
        engine.close()
        assert same(grid, expected)
        assert killed
        with Client(cluster) as client:
            executor = client.get_executor()
            assert same(sweep(several.problem, AXES, 300, executor=executor), expected)


def scheduler_and_worker(folder: Path, port: int) -> list[subprocess.Popen]:
    place = f"tcp://127.0.0.1:{port}"
    scheduler = [
        sys.executable, "-P", "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
        "--port", str(port), "--no-dashboard",
    ]  # fmt: skip
    worker = [
        sys.executable, "-P", "-m", "distributed.cli.dask_worker", place, "--nthreads", "1",
        "--no-dashboard",
    ]  # fmt: skip
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    return [subprocess.Popen(command, **quiet) for command in (scheduler, worker)]


@pytest.mark.slow  # starts a scheduler and a worker
def test_a_scheduler_that_goes_ends_the_program_with_a_sentence_and_no_file(tmp_path) -> None:
    port = 8799
    processes = scheduler_and_worker(tmp_path, port)
    command = [
        sys.executable, "-P", "-m", "animate", "--problem", "fractal", "--width", "8", "--views",
        "map", "--x", "lr.input", "0.001", "1e6", "--y", "lr.output", "0.001", "1e6",
        "--resolution", "64x48", "--epochs", "3000", "--scheduler", f"tcp://127.0.0.1:{port}",
        "--resume", "tiles", "-o", "a.png",
    ]  # fmt: skip
    program = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 100
        while not (tmp_path / "tiles").exists() or (tmp_path / "tiles").stat().st_size < 100:
            assert program.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        processes[0].kill()
        _, said = program.communicate(timeout=100)
    finally:
        for process in (program, *processes):
            process.kill()
            process.wait()
    assert program.returncode == 1
    assert f"the scheduler at tcp://127.0.0.1:{port} is gone" in said
    assert "Traceback" not in said
    assert not (tmp_path / "a.png").exists()
