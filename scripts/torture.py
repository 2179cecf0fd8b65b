"""
Stop, starve and confuse the program, and count what that costs.

Each trial starts with an old file at every destination. Afterwards each must be the old one or the
new one, byte for byte; no temporary file and no process may be left; and the exit code, what is
printed and what is on disk must agree.
"""

import argparse
import contextlib
import hashlib
import io
import json
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from animate import cli
from animate.film.encode import encode
from animate.system import files
from animate.system.errors import OutputError

COMMAND = [sys.executable, "-P", "-W", "error", "-m", "animate"]
QUICK = ["--epochs", "30", "--hold", "0.5", "--size", "640x360"]
OLD = b"yesterday's film"
JOBS = {
    "one film": ["a.mp4"],
    "two films": ["a.mp4", "b.gif"],
    "a folder": ["frames/"],
}
GRACE = 5.0  # seconds for ffmpeg and the workers to notice that we were killed
PATIENCE = 120.0


@dataclass
class Tally:
    """What was found wrong, over so many runs."""

    runs: int = 0
    lost: int = 0
    partial: int = 0
    orphans: int = 0
    codes: int = 0
    notes: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)

    def wrong(self, kind: str, note: str) -> None:
        """Count one that is wrong, and why."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.notes.append(f"{kind}: {note}")

    def came_out(self, outcome: str) -> None:
        """Count how a run ended, right or wrong."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def main() -> None:
    """Do all trials, print the table, and fail if it has anything but zeros."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300, help="random signals (default: 300)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="of what is random (default: 0)")
    parser.add_argument("--only", nargs="+", choices=TRIALS, help="these trials (default: all)")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGHUP):  # or what we ignore, the program would ignore
        signal.signal(number, signal.default_int_handler)
    found = {}
    for name in options.only or TRIALS:
        start = time.monotonic()
        found[name] = TRIALS[name](options)
        ends = ", ".join(f"{count} {end}" for end, count in sorted(found[name].outcomes.items()))
        print(f"{name}: {time.monotonic() - start:.0f} s; {ends}", file=sys.stderr)
        for note in found[name].notes:
            print(f"  {note}", file=sys.stderr)
    print("| trial | runs | files lost | partial files | orphans | wrong exit codes |")
    print("|---|---|---|---|---|---|")
    for name, tally in found.items():
        counts = (tally.runs, tally.lost, tally.partial, tally.orphans, tally.codes)
        print(f"| {name} | {' | '.join(map(str, counts))} |")
    sys.exit(any(tally.notes for tally in found.values()))


# --- signals ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stop:
    """How a run is stopped: which signals, to the process or to its group, and when."""

    job: str
    name: str
    numbers: tuple[int, ...]
    group: bool
    moment: float  # of the run's whole life, from 0 to a little past 1


def random_signals(options: argparse.Namespace) -> Tally:
    """Send signals at random moments of the whole life of the process."""
    chance = random.Random(options.seed)
    kinds = [
        ("SIGINT", (signal.SIGINT,), False),
        ("SIGINT to the group", (signal.SIGINT,), True),
        ("two SIGINT", (signal.SIGINT, signal.SIGINT), True),
        ("SIGTERM", (signal.SIGTERM,), False),
        ("SIGTERM to the group", (signal.SIGTERM,), True),
        ("SIGHUP", (signal.SIGHUP,), True),
        ("SIGKILL", (signal.SIGKILL,), False),
    ]
    expected = {job: reference(outputs) for job, outputs in JOBS.items()}
    lives = measured_lives(options.jobs)
    stops = [
        Stop(job, *kinds[number % len(kinds)], chance.uniform(0, 1.05))
        for number in range(options.runs)
        for job in [chance.choice(list(JOBS))]
    ]
    tally = Tally()
    with ThreadPoolExecutor(options.jobs) as pool:
        for stop, ended in zip(
            stops,
            pool.map(lambda stop: stopped(stop, lives[stop.job], expected[stop.job]), stops),
            strict=True,
        ):
            tally.runs += 1
            outcome, faults = ended
            tally.came_out(outcome)
            for kind, note in faults:
                tally.wrong(kind, f"{stop.job}, {stop.name} at {stop.moment:.3f}: {note}")
    return tally


def stopped(stop: Stop, life: float, new: dict[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """Run the job, stop it, and return how it ended and what is wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old = prepared(folder, JOBS[stop.job])
        process = started(folder, JOBS[stop.job])
        send = os.killpg if stop.group else os.kill
        time.sleep(stop.moment * life)
        for number in stop.numbers:
            with contextlib.suppress(ProcessLookupError):
                send(process.pid, number)
        try:
            said, complaint = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return "hung", [("orphans", "it did not end")]
        return process_ended(folder, process.returncode, stop, (old, new), said, complaint)


def process_ended(
    folder: Path,
    code: int,
    stop: Stop,
    states: tuple[dict[str, str], dict[str, str]],
    said: str,
    complaint: str,
) -> tuple[str, list[tuple[str, str]]]:
    """Compare the exit code, what was said and what is there."""
    faults: list[tuple[str, str]] = []
    killed = stop.numbers[0] == signal.SIGKILL
    left = remaining(folder, GRACE if killed else 0.0)
    if left:
        faults.append(("orphans", f"processes {left}"))
    hidden = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    if killed:
        if len(hidden) > len(JOBS[stop.job]):
            faults.append(("orphans", f"{hidden}"))
        files.sweep(folder)
        hidden = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    if hidden:
        faults.append(("orphans", f"files {hidden}"))
    old, new = states
    now = state(folder, list(old))
    for output in old:
        if now[output] == "nothing":
            faults.append(("lost", output))
        elif now[output] not in (old[output], new[output]):
            faults.append(("partial", output))
    made = [output for output in old if now[output] == new[output]]
    complete = len(made) == len(old)
    number = stop.numbers[0]
    right = code in (-signal.SIGKILL, 0) if killed else code == (0 if complete else 128 + number)
    if not right:
        faults.append(("codes", f"{code} with {made} made; {complaint[-300:]!r}"))
    if not killed and said.split() != made:
        faults.append(("codes", f"said {said.split()} and made {made}"))
    if "Traceback" in complaint or "bug" in complaint:
        faults.append(("codes", f"said {complaint[-2000:]}"))
    return f"exit {code}", faults


def prepared(folder: Path, outputs: list[str]) -> dict[str, str]:
    """Put an old file, or an old folder of frames, at each output, and return their sums."""
    for output in outputs:
        path = folder / output
        if output.endswith("/"):
            path.mkdir()
            path = path / "frame-00000.png"
        path.write_bytes(OLD)
    return state(folder, outputs)


def started(folder: Path, outputs: list[str]) -> subprocess.Popen[str]:
    """Start the job, and return once it listens to signals."""
    arguments = [*COMMAND, *QUICK, *(word for output in outputs for word in ("-o", output))]
    process = subprocess.Popen(
        arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    while process.poll() is None and not listens(process.pid):
        time.sleep(0.0005)
    return process


def listens(pid: int) -> bool:
    """Return whether the process has a handler for SIGTERM: it is past our first line."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def measured_lives(jobs: int) -> dict[str, float]:
    """Return how long each job lives, in seconds from when it listens, with `jobs` at a time."""

    def life(job: str) -> float:
        with tempfile.TemporaryDirectory() as name:
            process = started(Path(name), JOBS[job])
            start = time.monotonic()
            process.communicate()
            return time.monotonic() - start

    with ThreadPoolExecutor(jobs) as pool:
        return {job: max(pool.map(life, [job] * jobs)) for job in JOBS}


def reference(outputs: list[str]) -> dict[str, str]:
    """Return the sums of the outputs of an undisturbed run."""
    with tempfile.TemporaryDirectory() as name:
        process = started(Path(name), outputs)
        _, complaint = process.communicate()
        if process.returncode:
            sys.exit(f"an undisturbed run failed: {complaint}")
        return state(Path(name), outputs)


def state(folder: Path, outputs: list[str]) -> dict[str, str]:
    """Return a checksum of what is at each output."""
    return {output: checksum(folder / output) for output in outputs}


def checksum(path: Path) -> str:
    if path.is_dir():
        parts = sorted((file.name, checksum(file)) for file in path.iterdir())
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    if not path.exists():
        return "nothing"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def remaining(folder: Path, grace: float) -> list[str]:
    """Return the processes that still work in `folder` after `grace` seconds."""
    deadline = time.monotonic() + grace
    while (found := at_work(folder)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def at_work(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ")[:80].decode())
    return found


# --- disks ------------------------------------------------------------------------------------


def moving(count: int) -> Iterator[np.ndarray]:
    """Yield frames that compress badly, so that there are many sizes to run out at."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 4), np.uint8)
    noise[..., 3] = 255
    for number in range(count):
        yield np.roll(noise, 3 * number, axis=1)


OUTPUTS = ("a.mp4", "a.webm", "a.gif", "a.webp", "a.apng", "a/")


def full_disks(options: argparse.Namespace) -> Tally:
    """Write each format with every size of room, in steps: by a limit, and by a disk if we may."""
    del options
    tally = Tally()
    for output in OUTPUTS:
        whole = undisturbed(output)
        for part in range(41):
            limit = int(whole[1] * part / 40 * 1.05)
            with tempfile.TemporaryDirectory() as name:
                starved(tally, Path(name), output, whole[0], f"limit {limit}", limit)
        if os.geteuid() == 0:
            for kilobytes in range(8, 2 * whole[1] // 1000 + 64, 8):
                with disk(kilobytes) as folder:
                    if folder is not None:
                        starved(tally, folder, output, whole[0], f"disk of {kilobytes} kB", None)
    return tally


def undisturbed(output: str) -> tuple[str, int]:
    """Return the checksum of a film, and the bytes of its largest file."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, output)
        encode(moving(12), f"{name}/{output}", 25)
        written = list(path.iterdir()) if path.is_dir() else [path]
        return checksum(path), max(file.stat().st_size for file in written)


@contextlib.contextmanager
def disk(kilobytes: int) -> Iterator[Path | None]:
    """Yield a small disk of its own, None where that may not be."""
    with tempfile.TemporaryDirectory() as name:
        size = f"size={kilobytes}k"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", size, "animate", name], check=False, capture_output=True
        )
        try:
            yield None if done.returncode else Path(name)
        finally:
            if not done.returncode:
                subprocess.run(["umount", name], check=True)


def starved(
    tally: Tally, folder: Path, output: str, new: str, room: str, limit: int | None
) -> None:
    """Write `output` with too little room, or just enough."""
    old = prepared(folder, [output])[output]
    tally.runs += 1
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    outcome = "made"
    try:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        encode(moving(12), f"{folder}/{output}", 25)
    except OutputError as error:
        outcome = "refused"
        if "disk full" not in str(error) or output not in str(error):
            tally.wrong("codes", f"{output}, {room}: {error}")
    except BaseException as error:  # that there is none is the point
        outcome = "raised"
        tally.wrong("codes", f"{output}, {room}: {error!r}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    tally.came_out(outcome)
    now = checksum(folder / output)
    if now == "nothing":
        tally.wrong("lost", f"{output}, {room}")
    elif now != (new if outcome == "made" else old):
        tally.wrong("partial", f"{output}, {room}, {outcome}")
    left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    if left:
        tally.wrong("orphans", f"{output}, {room}: {left}")


# --- writers ----------------------------------------------------------------------------------


def two_writers(options: argparse.Namespace) -> Tally:
    """Let two processes write one destination at once, again and again."""
    tally = Tally()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name, context.Pool(2) as pool:
        for output in OUTPUTS:
            films = {film(output, count) for count in LENGTHS}
            for _ in range(max(options.runs // 30, 1)):
                ends = pool.map(
                    written, [(f"{name}/{output}", count) for count in LENGTHS], chunksize=1
                )
                for end in ends:
                    tally.runs += 1
                    tally.came_out(end)
                    if end != "made":
                        tally.wrong("codes", f"{output}: {end}")
                now = checksum(Path(name, output))
                if now not in films:
                    tally.wrong("lost" if now == "nothing" else "partial", output)
                left = [file.name for file in Path(name).iterdir() if file.name.startswith(".")]
                if left:
                    tally.wrong("orphans", f"{output}: {left}")
    return tally


LENGTHS = (8, 12)  # frames, of the two films that are written at once


def film(output: str, count: int) -> str:
    """Return the checksum of a film of so many frames."""
    with tempfile.TemporaryDirectory() as name:
        encode(moving(count), f"{name}/{output}", 25)
        return checksum(Path(name, output))


def written(job: tuple[str, int]) -> str:
    """Write a film, in a process of its own, and return how that ended."""
    path, count = job
    try:
        encode(moving(count), path, 25)
    except Exception as error:  # that there is none is the point
        return repr(error)
    return "made"


# --- nonsense ---------------------------------------------------------------------------------

OPTIONS = {
    "--lrs": 3, "--epochs": 1, "--seed": 1, "--points": 1, "--noise": 1, "--true": 2, "--start": 2,
    "--views": 2, "--size": 1, "--theme": 1, "--title": 1, "--fps": 1, "--hold": 1, "--duration": 1,
    "--loop": 1, "--max-size": 1, "--quality": 1, "--jobs": 1, "--at": 2, "-o": 1, "--output": 1,
    "--for": 1, "--embed": 1, "--save-recipe": 1, "--verify": 1,
}  # fmt: skip
LIKELY = """
0 1 -1 0.1 0.7 1.01 1e400 1e-300 1e30 nan inf -inf 1e3 1.5 8 10000 1000000000000 end converged
16x16 640x360 641x361 20000x20000 0x0 720p 1280X720 light dark transparent none uniform gaussian
fit loss bowl cliff surface weights low high 2MB 1kB a.mp4 a.gif A.MP4 a.webm a.png a.svg a.pdf
a.html a.json a/ - -- . .. / /dev/null a.mp4/ no/a.gif 100%d.gif a:b.mp4 ~ $x <script> x.mplstyle
x.toml article slides slack markdown html picture
"""
WORDS = [*LIKELY.split(), "", "\udcff.gif", "a\nb.gif", "\N{ROCKET}", "n" * 300 + ".gif"]
SWITCHES = [
    "--quiet", "--json", "--debug", "--help", "--version", "--list-recipes", "--no-such-option",
]  # fmt: skip


def command_lines() -> st.SearchStrategy[list[str]]:
    """Return command lines: mostly our options with words that may or may not suit them."""
    word = st.one_of(
        st.sampled_from(WORDS), st.text(max_size=12).filter(lambda text: "\0" not in text)
    )
    part = st.one_of(
        *(
            st.lists(word, max_size=count + 1).map(lambda words, name=name: [name, *words])
            for name, count in OPTIONS.items()
        ),
        st.sampled_from(SWITCHES).map(lambda switch: [switch]),
        word.map(lambda text: [text]),
    )
    return st.lists(part, max_size=4).map(lambda parts: [text for part in parts for text in part])


def nonsense(options: argparse.Namespace) -> Tally:
    """Give the command line what nobody would: an answer, and nothing touched unless it is 0."""
    tally = Tally()

    @settings(
        max_examples=5 * options.runs, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(command_lines())
    def trial(arguments: list[str]) -> None:
        asked(tally, ["--dry-run", *arguments])

    trial()
    return tally


KEYS = [
    "lrs",
    "epochs",
    "seed",
    "points",
    "noise",
    "true",
    "start",
    "views",
    "size",
    "theme",
    "title",
    "at",
    "fps",
    "hold",
    "duration",
    "loop",
    "quality",
    "max-size",
    "output",
    "path",
    "lr",
    "colour",
]
VALUES = [
    *("1", "0.1", "-1", "nan", "inf", "1e400", "[0.1, 0.7]", "[0.1, 'x']", "[]", "true", "'fit'"),
    *("['fit', 'loss']", "'a.gif'", "'640x360'", "'dark'", "{}", "[[0.1]]", "1979-05-27", "'../x'"),
    *("''", "'\\\\'", '"\\u0000"', "9999999999999999999999", "", "=", "'\N{ROCKET}'"),
]


def recipes() -> st.SearchStrategy[bytes]:
    """Return the bytes of recipes: lines that are likely, in tables or not, and any bytes."""
    line = st.one_of(
        st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)).map(" = ".join),
        st.sampled_from(["[[output]]", "[output]", "path = 'a.gif'", "[[[", "# words"]),
    )
    likely = st.lists(line, max_size=8).map(lambda lines: "\n".join(lines).encode())
    return st.one_of(likely, st.binary(max_size=60))


def nonsense_recipes(options: argparse.Namespace) -> Tally:
    """Give recipes that nobody would write."""
    tally = Tally()

    @settings(
        max_examples=5 * options.runs, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(recipes())
    def trial(text: bytes) -> None:
        asked(tally, ["--dry-run", "r.toml"], text)

    trial()
    return tally


def asked(tally: Tally, arguments: list[str], recipe: bytes | None = None) -> None:
    """Run the command line in this process, in a folder of its own."""
    tally.runs += 1
    told, said = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        if recipe is not None:
            Path("r.toml").write_bytes(recipe)
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(said):
            try:
                code: object = cli.main(arguments)
            except SystemExit as end:
                code = end.code
            except BaseException as error:  # that there is none is the point
                code = repr(error)
        touched = [path.name for path in Path(name).iterdir() if path.name != "r.toml"]
    tally.came_out(f"exit {code}")
    if code not in (0, 1, 2) or "a bug" in said.getvalue():
        tally.wrong("codes", f"{code} of {arguments} {recipe!r}: {said.getvalue()[-300:]}")
    elif code and not said.getvalue().strip():
        tally.wrong("codes", f"{code} without a word of {arguments}")
    if touched:
        tally.wrong("partial", f"{arguments} made {touched}")


TRIALS: dict[str, Callable[[argparse.Namespace], Tally]] = {
    "random signals": random_signals,
    "full disks": full_disks,
    "two writers at once": two_writers,
    "nonsense on the command line": nonsense,
    "nonsense in recipes": nonsense_recipes,
}

if __name__ == "__main__":
    main()
