"""
Save other people's animations with matplotlib's own save and with ours, and compare the two.

    scripts/corpus FOLDER            # each script in the folder, or one file
    scripts/corpus --fetch FOLDER    # first bring there what scripts/corpus.toml lists, with git
    scripts/corpus FOLDER --rounds 0 # pixels and calls only

A script runs anew for each save, in a process of its own, with the same random numbers. What it
would show is not shown, and what it would save is not saved. Pixels are compared as they are given
to the encoder of an MP4. Times are paired: matplotlib's save and ours in turns in one process, at
the script's own size; the table gives medians of the ratios. "drawing" is the processor time
without that of the script's own functions and without encoding.
"""

import argparse
import builtins
import io
import itertools
import json
import os
import random
import re
import resource
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

LIST = Path(__file__).with_name("corpus.toml")
ANIMATES = re.compile(r"\b(?:FuncAnimation|ArtistAnimation|TimedAnimation)\(")
SEED = 11
TIMEOUT = 900


def main() -> int:
    options = parsed()
    if options.one:
        print(json.dumps(list(measured(options.one, options))))
        return 0
    if options.fetch:
        fetch(options.folder)
    paths = [options.folder] if options.folder.is_file() else sorted(scripts_in(options.folder))
    rows = []
    for path in paths:
        for row in outcomes(path, options):
            rows.append(row)
            print(line(row), flush=True)
    print(summary(rows))
    return any(row.get("differing") or row.get("calls differ") for row in rows)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--fetch", action="store_true", help="bring the listed scripts first")
    parser.add_argument("--frames", type=int, default=60, metavar="N", help="at most (default 60)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of timing (default 5)")
    parser.add_argument(
        "--seconds", type=float, default=120, metavar="S",
        help="start no further round of an animation after this time (default 120)",
    )  # fmt: skip
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not (options.folder or options.one):
        parser.error("give a folder")
    return options


def scripts_in(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.py"):
        if ANIMATES.search(path.read_text(encoding="utf-8", errors="replace")):
            yield path


def fetch(folder: Path) -> None:
    """Check out the listed repositories at the listed commits, with the listed scripts only."""
    for entry in tomllib.loads(LIST.read_text())["repository"]:
        here = folder / entry["name"].replace("/", "+")
        if here.exists():
            continue
        source = f"https://github.com/{entry['name']}"
        git = ["git", "-C", here]
        subprocess.run(["git", "clone", "-q", "--no-checkout", source, here], check=True)
        subprocess.run([*git, "sparse-checkout", "set", "--no-cone", *entry["files"]], check=True)
        subprocess.run([*git, "checkout", "-q", entry["commit"]], check=True)


def outcomes(path: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return a row for each animation of a script, which runs in another process."""
    name = str(path.relative_to(options.folder)) if path != options.folder else path.name
    command = [sys.executable, "-P", __file__, "--one", path.resolve()]
    command += ["--frames", str(options.frames), "--rounds", str(options.rounds)]
    command += ["--seconds", str(options.seconds)]
    environment = {**os.environ, "MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return [{"script": name, "error": "takes too long"}]
    if done.returncode:
        return [{"script": name, "error": (done.stderr.strip().splitlines() or ["?"])[-1]}]
    rows = json.loads(done.stdout.splitlines()[-1])
    return [{"script": name, **row} for row in rows] or [{"script": name, "error": "no animation"}]


def line(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"-- {row['script']}: {row['error']}"
    text = (
        f"{'ok' if not row['differing'] and not row['calls differ'] else 'WRONG'} {row['script']}"
        f" #{row['number']} {row['kind']}: {row['differing']} of {row['frames']} frames differ"
        f" (at most {row['greatest']}), {row['calls differ']} of {row['calls']} calls;"
        f" draws {row['drawn']:.1f} of {row['artists']:.1f} artists, {row['new']:.1f} new"
    )
    if "mp4" in row:
        text += (
            f"; MP4 {row['mp4']:.2f}, GIF {row['gif']:.2f}, without own time {row['own']:.2f},"
            f" drawing {row['drawing']:.2f} times as fast in {row['rounds']} rounds;"
            f" {row['memory']:+.0f} MB"
        )
    return text


def summary(rows: list[dict[str, Any]]) -> str:
    good = [row for row in rows if "error" not in row]
    lines = [
        "",
        f"{len(good)} animations of {len({row['script'] for row in good})} scripts from "
        f"{len({row['script'].split('/')[0] for row in good})} folders; "
        f"{sum(bool(row['differing']) for row in good)} with other pixels, "
        f"{sum(bool(row['calls differ']) for row in good)} with other calls; "
        f"{len(rows) - len(good)} could not be run",
    ]
    timed = [row for row in good if "mp4" in row]
    for kind in sorted({row["kind"] for row in timed}):
        several = [row for row in timed if row["kind"] == kind]
        cells = [
            f"{name} {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
            for name in ("mp4", "gif", "own", "drawing")
            for values in [[row[name] for row in several]]
        ]
        lines.append(f"{kind} ({len(several)}): {', '.join(cells)}")
    return "\n".join(lines)


# In the process of one script.


class Load:
    """Runs a script and catches its animations instead of showing or saving them."""

    def __init__(self, path: Path, frames: int) -> None:
        self.path, self.frames = path, frames

    def animations(self) -> list["Animated"]:
        import imageio_ffmpeg
        import matplotlib as mpl
        import matplotlib.pyplot as plt
        import numpy as np
        from matplotlib.animation import Animation

        plt.close("all")
        mpl.rcdefaults()
        mpl.use("agg")
        mpl.rcParams["animation.ffmpeg_path"] = imageio_ffmpeg.get_ffmpeg_exe()
        random.seed(SEED)
        np.random.seed(SEED)
        found: list[Animation] = []
        start = Animation.__init__

        def caught(animation: Animation, *arguments: Any, **options: Any) -> None:
            start(animation, *arguments, **options)
            animation._draw_was_started = True  # else deleting it warns
            found.append(animation)

        nothing = mock.Mock(return_value="")
        with ExitStack() as stack:
            for owner, name, other in (
                (Animation, "__init__", caught), (Animation, "save", nothing),
                (Animation, "to_jshtml", nothing), (Animation, "to_html5_video", nothing),
                (plt, "show", nothing), (plt, "pause", nothing), (time, "sleep", nothing),
                (builtins, "input", mock.Mock(return_value="1")), (sys, "argv", [str(self.path)]),
                (sys, "path", [str(self.path.parent), *sys.path]),
            ):  # fmt: skip
                stack.enter_context(mock.patch.object(owner, name, other))
            stack.enter_context(redirect_stdout(io.StringIO()))
            self.namespace = runpy.run_path(str(self.path), run_name="__main__")
        return [Animated(animation, self.frames) for animation in found]


class Seconds(NamedTuple):
    """A time: as a clock on the wall shows it, and what this process had of the processors."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> "Seconds":
        return cls(time.perf_counter(), time.process_time())

    def __add__(self, other: "Seconds") -> "Seconds":  # type: ignore[override]
        return Seconds(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: "Seconds") -> "Seconds":
        return Seconds(self.wall - other.wall, self.cpu - other.cpu)


class Animated:
    """An animation whose functions are timed and whose calls are counted."""

    def __init__(self, animation: Any, frames: int) -> None:
        self.animation = animation
        self.own_time = Seconds(0, 0)
        self.calls: list[str] | None = None  # are noted if it is a list
        sequence = animation.new_saved_frame_seq
        animation.new_saved_frame_seq = lambda: self._timed_iterator(
            itertools.islice(sequence(), frames)
        )
        for name in ("_func", "_init_func"):
            if getattr(animation, name, None) is not None:
                setattr(animation, name, self._timed(getattr(animation, name), name))
        if type(animation)._draw_frame.__module__ != "matplotlib.animation":
            animation._draw_frame = self._timed(animation._draw_frame, "_draw_frame")

    def _timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            if self.calls is not None:
                self.calls.append(f"{name} {short(arguments)}")
            start = Seconds.now()
            try:
                return function(*arguments)
            finally:
                self.own_time += Seconds.now() - start

        return timed

    def _timed_iterator(self, items: Iterator[Any]) -> Iterator[Any]:
        while True:
            start = Seconds.now()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self.own_time += Seconds.now() - start
            yield item

    def save(self, path: str, writer: Any) -> Seconds:
        """Return the time that saving takes."""
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            with mock.patch.object(time, "sleep"):
                start = Seconds.now()
                self.animation.save(path, writer=writer)
                return Seconds.now() - start


def short(arguments: tuple[Any, ...]) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", repr(arguments))[:200]


def measured(path: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a row for each animation of a script."""
    os.chdir(path.parent)
    load = Load(path, options.frames)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(len(load.animations())):
            row = {"number": number, **compared(load, number, folder)}
            if options.rounds and "error" not in row:
                row |= times(load, number, folder, options.rounds, options.seconds)
            yield row


def compared(load: Load, number: int, folder: str) -> dict[str, Any]:
    import numpy as np
    from corpus_writers import Ours, Theirs

    one, theirs = load.animations()[number], Theirs()
    one.calls = []
    error = failure(lambda: one.save(f"{folder}/a.mp4", theirs))
    two, ours = load.animations()[number], Ours()
    two.calls = []
    other = failure(lambda: two.save(f"{folder}/a.mp4", ours))
    if type(error) is not type(other):
        text = "".join(traceback.format_exception(other or error)[-3:])
        return {"error": f"matplotlib raises {error!r}, we {other!r}: {text}"}
    if error is not None:
        return {"error": f"both raise {type(error).__name__}: {error}"}
    pairs = list(zip(theirs.frames, ours.frames, strict=False))
    same_shapes = all(a.shape == b.shape for a, b in pairs)
    differences = [
        int(np.abs(a.astype(int) - b).max()) if a.shape == b.shape else 256 for a, b in pairs
    ]
    missing = abs(len(theirs.frames) - len(ours.frames))
    figure = two.animation._fig
    row: dict[str, Any] = {
        "kind": ours.kind(two.animation),
        "frames": len(pairs),
        "differing": sum(map(bool, differences)) + missing,
        "greatest": max(differences, default=0) if same_shapes else 256,
        "calls": len(one.calls),
        "calls differ": sum(a != b for a, b in itertools.zip_longest(one.calls, two.calls)),
        "size": [round(side) for side in figure.get_size_inches() * figure.dpi],
        **ours.counts(),
    }
    return row


def failure(action: Callable[[], object]) -> Exception | None:
    try:
        action()
    except Exception as error:
        return error
    return None


def times(load: Load, number: int, folder: str, rounds: int, seconds: float) -> dict[str, float]:
    from corpus_writers import ffmpeg, quiet_ours, quiet_theirs

    from animate.writer import Writer

    ratios: dict[str, list[float]] = {"mp4": [], "gif": [], "own": [], "drawing": []}
    growth = 0.0

    def once(path: str, writer: Any) -> tuple[Seconds, Seconds]:
        animated = load.animations()[number]
        return animated.save(f"{folder}/{path}", writer), animated.own_time

    start = Seconds.now()
    while len(ratios["mp4"]) < rounds and (Seconds.now() - start).wall < seconds:
        fps = 20
        theirs, their_own = once("a.mp4", ffmpeg(fps))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        ours, our_own = once("b.mp4", Writer(fps))
        growth = max(growth, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        ratios["mp4"].append(theirs.wall / ours.wall)
        ratios["own"].append((theirs - their_own).wall / (ours - our_own).wall)
        theirs, _ = once("a.gif", ffmpeg(fps))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        ours, _ = once("b.gif", Writer(fps))
        growth = max(growth, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        ratios["gif"].append(theirs.wall / ours.wall)
        theirs, their_own = once("a.mp4", quiet_theirs())
        ours, our_own = once("a.mp4", quiet_ours())
        ratios["drawing"].append((theirs - their_own).cpu / (ours - our_own).cpu)
    return {name: statistics.median(values) for name, values in ratios.items()} | {
        "memory": growth / 1024,
        "rounds": len(ratios["mp4"]),
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())
