"""
Prints what sweeps cost, beside what is wanted.

What is compared is measured in turns, and the best of each is taken: other work on the machine can
only slow it down. Times of one thread are of the processor, so that other work changes them little.
`--engines` also compares processes, which needs two idle cores.
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

import animate
from animate.training.sweep import plan_sweep, run_sweep
from animate.training.sweeps.engines import Engine, InProcess, ProcessPool, Scheduler
from animate.training.sweeps.tiles import train_tile

REPEATS = 5
STEPS = 200


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def best(work: Callable[[], object]) -> float:
    return min(cpu_seconds(work) for _ in range(REPEATS))


def show(name: str, value: float, unit: str, wanted: str) -> None:
    print(f"{name}: {value:.3g}{unit} (wanted: {wanted})", flush=True)


def line() -> None:
    problem = animate.Line.sample()
    times = {}
    for count in (10_000, 1_000_000):
        rates = np.geomspace(1e-3, 2, count)
        times[count] = min(
            cpu_seconds(lambda rates=rates: animate.sweep(problem, lrs=rates, epochs=100))
            for _ in range(3)
        )
    ratio = times[1_000_000] / times[10_000]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    show("line, 1,000,000 rates x 100 epochs", times[1_000_000], " s", "none")
    show("  times what 10,000 take", ratio, "", "at most 100")
    show("  memory of the process", memory, " MB", "under 600")


def network(width: int, most: float) -> None:
    problem = animate.problems.fractal(width)
    rates = np.geomspace(1e-2, 1e2, 8)
    tile = next(plan_sweep(problem, {"lr.input": rates, "lr.output": rates}, STEPS).tiles())
    by_sweep = best(lambda: train_tile(problem, tile)) / len(tile) / STEPS * 1e6

    def loop() -> None:
        model = problem.copy_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(problem.inputs), problem.targets)
            loss.backward()
            optimizer.step()
            loss.item()

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    by_loop = best(loop) / STEPS * 1e6
    torch.set_num_threads(threads)
    show(f"network of width {width}, a run and step", by_sweep, " µs", f"at most {most}")
    show("  times as fast as a loop of torch", by_loop / by_sweep, "", "at least 10")


def engines() -> None:
    from dask.distributed import LocalCluster

    problem = animate.problems.fractal(8)
    rates = np.geomspace(1e-3, 1e6, 96)
    plan = plan_sweep(problem, {"lr.input": rates, "lr.output": rates}, 500)

    def seconds(engine: Engine) -> float:
        start = time.perf_counter()
        run_sweep(plan, engine)
        return time.perf_counter() - start

    alone = seconds(InProcess())
    pool = ProcessPool(2)
    both = seconds(pool)
    pool.close()
    with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        scheduler = Scheduler(cluster.scheduler_address)
        dask = seconds(scheduler)
        scheduler.close()
    alone = min(alone, seconds(InProcess()))
    show(f"{plan.run_count:,} runs in one process", alone, " s", "about 30")
    show("  times as fast with two, their start included", alone / both, "", "at least 1.7")
    show("  Dask with two workers, times as long as two processes", dask / both, "", "at most 1.15")


if __name__ == "__main__":
    line()
    network(8, 12)
    network(16, 65)
    if "--engines" in sys.argv:
        engines()
