"""
Interrupt the program at random moments, fill disks, and let two processes write one file.

tests/faults/ does this at exact moments; this does it hundreds of times. An old file is at every
destination. Afterwards each must be the old or the new one, byte for byte. No temporary file and no
process may remain, and the exit code and the listed files must agree with what is on disk.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from inside import noise, put_old
from stage import processes_in

from animate.film.encode import FORMATS, encode
from animate.recipe.report import checksum
from animate.system import files
from animate.system.errors import OutputError

COMMAND = [sys.executable, "-P", "-W", "error", "-m", "animate"]
QUICK = ["--epochs", "30", "--hold", "0.5", "--size", "640x360"]
JOBS = (["a.mp4"], ["a.mp4", "b.gif"], ["frames/"])  # the outputs of a command
OUTPUTS = ["a/" if suffix == "/" else f"a{suffix}" for suffix in FORMATS]
SIGNALS = (  # sent to the process, or to its group
    ([signal.SIGINT], os.kill),
    ([signal.SIGINT], os.killpg),
    ([signal.SIGINT, signal.SIGINT], os.killpg),
    ([signal.SIGTERM], os.kill),
    ([signal.SIGTERM], os.killpg),
    ([signal.SIGHUP], os.killpg),
    ([signal.SIGKILL], os.kill),
)
FAULTS = ("files lost", "partial files", "orphans", "wrong exit codes")
GRACE = 5.0  # seconds for ffmpeg and the workers to notice that their parent was killed
TIMEOUT = 120.0  # seconds

Fault = tuple[str, str]  # one of FAULTS, and details
Run = tuple[str, list[Fault]]  # how it ended, and what was wrong


def main() -> None:
    """Run the trials, print the table, and exit with 1 if it holds anything but zeros."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300, help="random signals (default: 300)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default: 0)")
    parser.add_argument("--only", nargs="+", choices=TRIALS, help="these trials (default: all)")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGHUP):  # a child inherits ignored signals
        signal.signal(number, signal.default_int_handler)
    rows, failed = [], False
    for name in options.only or TRIALS:
        start = time.monotonic()
        runs = list(TRIALS[name](options))
        faults = [fault for _, found in runs for fault in found]
        endings = Counter(ending for ending, _ in runs)
        print(f"{name}: {time.monotonic() - start:.0f} s, {dict(endings)}", file=sys.stderr)
        for kind, details in faults:
            print(f"  {kind}: {details}", file=sys.stderr)
        counts = Counter(kind for kind, _ in faults)
        rows.append([name, len(runs), *(counts[kind] for kind in FAULTS)])
        failed |= bool(faults)
    for row in (["trial", "runs", *FAULTS], ["---"] * (2 + len(FAULTS)), *rows):
        print(f"| {' | '.join(map(str, row))} |")
    sys.exit(failed)


def random_signals(options: argparse.Namespace) -> Iterator[Run]:
    """Send signals at random moments of the whole life of the process."""
    chance = random.Random(options.seed)
    with ThreadPoolExecutor(options.jobs) as pool:
        undisturbed = []
        for outputs in JOBS:  # as many at a time as later, so that they take as long
            timed = list(pool.map(run_undisturbed, [outputs] * options.jobs))
            undisturbed.append((outputs, max(seconds for seconds, _ in timed), timed[0][1]))
        trials = []
        for number in range(options.runs):
            outputs, seconds, new = chance.choice(undisturbed)
            delay = seconds * chance.uniform(0, 1.05)
            trials.append(
                partial(run_interrupted, outputs, *SIGNALS[number % len(SIGNALS)], delay, new)
            )
        yield from pool.map(lambda trial: trial(), trials)


def run_undisturbed(outputs: list[str]) -> tuple[float, dict[str, str]]:
    """Return how long the command takes from its first line on, and its outputs' checksums."""
    with tempfile.TemporaryDirectory() as name:
        process = start_command(Path(name), outputs)
        start = time.monotonic()
        _, err = process.communicate()
        if process.returncode:
            sys.exit(f"an undisturbed run failed: {err}")
        return time.monotonic() - start, {o: checksum(Path(name, o)) for o in outputs}


def run_interrupted(
    outputs: list[str],
    numbers: list[signal.Signals],
    send: Callable[[int, int], None],
    delay: float,
    new: dict[str, str],
) -> Run:
    """Run the command, send it signals after `delay` seconds, and check all that remains."""
    number, killed = numbers[0], numbers[0] == signal.SIGKILL
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for output in outputs:
            put_old(folder, output)
        old = {output: checksum(folder / output) for output in outputs}
        process = start_command(folder, outputs)
        time.sleep(delay)
        for each in numbers:
            with contextlib.suppress(ProcessLookupError):
                send(process.pid, each)
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return "hung", [("orphans", f"{process.args} did not end")]
        code, faults = process.returncode, []
        deadline = time.monotonic() + (GRACE if killed else 0)
        while (left := processes_in(folder)) and time.monotonic() < deadline:
            time.sleep(0.02)
        faults += [("orphans", command) for command in left]
        if killed:
            if len(hidden := hidden_files(folder)) > len(outputs):
                faults.append(("orphans", f"{hidden}"))
            files.sweep(folder)  # as the next run does
        faults += check_files(folder, {output: {old[output], new[output]} for output in outputs})
        written = [o for o in outputs if exists_as(folder / o, {new[o]})]
        expected = 0 if written == outputs else 128 + number
        if code not in ((0, -number) if killed else (expected,)):
            faults.append(("wrong exit codes", f"{code} with {written} written; {err[-300:]!r}"))
        if not killed and out.split() != written:
            faults.append(("wrong exit codes", f"listed {out.split()}, but wrote {written}"))
        if "Traceback" in err or "bug" in err:
            faults.append(("wrong exit codes", err[-2000:]))
    where = f"{outputs}, {[n.name for n in numbers]} by {send.__name__} after {delay:.3f} s"
    return f"exit {code}", [(kind, f"{where}: {details}") for kind, details in faults]


def start_command(folder: Path, outputs: list[str]) -> subprocess.Popen[str]:
    """Start the command, and return once it handles signals: from its first line on."""
    process = subprocess.Popen(
        [*COMMAND, *QUICK, *(f"--output={output}" for output in outputs)],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = status.partition("SigCgt:")[2].split()[0]
        if int(caught, 16) >> (signal.SIGTERM - 1) & 1:
            break
        time.sleep(0.0005)
    return process


def check_files(folder: Path, allowed: dict[str, set[str]]) -> list[Fault]:
    """Return what is wrong with the outputs in `folder`, given the checksums they may have."""
    faults = [("orphans", f"{name} remains") for name in hidden_files(folder)]
    for output, checksums in allowed.items():
        if not (folder / output).exists():
            faults.append(("files lost", output))
        elif not exists_as(folder / output, checksums):
            faults.append(("partial files", output))
    return faults


def exists_as(path: Path, checksums: Collection[str]) -> bool:
    return path.exists() and checksum(path) in checksums


def hidden_files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def full_disks(_options: argparse.Namespace) -> Iterator[Run]:
    """Write each format with room for more and more bytes: as root, on small disks."""
    room = tmpfs if os.geteuid() == 0 else file_size_limit
    for output in OUTPUTS:
        with tempfile.TemporaryDirectory() as name:
            encode(noise(12), f"{name}/{output}", 25)
            new = checksum(f"{name}/{output}")
            size = sum(path.stat().st_size for path in Path(name).rglob("*") if path.is_file())
        for step in range(41):
            space = 8192 + step * size // 32
            with tempfile.TemporaryDirectory() as name, room(name, space):
                yield write_within(Path(name), output, new, f"{output} within {space} bytes")


@contextlib.contextmanager
def tmpfs(folder: str, space: int) -> Iterator[None]:
    """Let `folder` be a disk of `space` bytes."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={space}", "animate", folder]
    subprocess.run(command, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@contextlib.contextmanager
def file_size_limit(_folder: str, space: int) -> Iterator[None]:
    """Let no file grow beyond `space` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (space, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write_within(folder: Path, output: str, new: str, where: str) -> Run:
    """Write `output` with too little room, or just enough."""
    put_old(folder, output)
    old = checksum(folder / output)
    ending, faults = "written", []
    try:
        encode(noise(12), f"{folder}/{output}", 25)
    except OutputError as error:
        ending = "refused"
        if "disk full" not in str(error) or output not in str(error):
            faults.append(("wrong exit codes", f"{where}: {error}"))
    except Exception as error:  # a fault, whatever it is
        ending = "raised"
        faults.append(("wrong exit codes", f"{where}: {error!r}"))
    found = check_files(folder, {output: {new if ending == "written" else old}})
    return ending, faults + [(kind, f"{where}: {details}") for kind, details in found]


def two_writers(options: argparse.Namespace) -> Iterator[Run]:
    """Let two processes write films of other lengths to one path at once."""
    lengths = (8, 12)  # frames
    with (
        tempfile.TemporaryDirectory() as name,
        multiprocessing.get_context("spawn").Pool(2) as pool,
    ):
        for output in OUTPUTS:
            path = f"{name}/{output}"
            checksums = set()
            for length in lengths:
                encode(noise(length), path, 25)
                checksums.add(checksum(path))
            for _ in range(max(options.runs // 15, 1)):
                errors = pool.starmap(write, [(path, length) for length in lengths], chunksize=1)
                faults = [("wrong exit codes", f"{output}: {error}") for error in errors if error]
                yield "written", faults + check_files(Path(name), {output: checksums})


def write(path: str, length: int) -> str | None:
    """Write a film of `length` frames, and return the error, if any."""
    try:
        encode(noise(length), path, 25)
    except Exception as error:  # a fault, whatever it is
        return repr(error)
    return None


TRIALS: dict[str, Callable[[argparse.Namespace], Iterable[Run]]] = {
    "random signals": random_signals,
    "full disks": full_disks,
    "two writers at once": two_writers,
}

if __name__ == "__main__":
    main()
