"""
Measure time, memory, file size and accuracy, compared with other ways to save the same film.

Each way saves the default film in a process of its own, right after animate does, so that noise of
the machine affects both; ratios are of such pairs. Writes outputs/benchmark.json and
outputs/benchmark.md, and prints the latter.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LRS = (0.1, 0.7, 1.01)
SIZES = {"mp4": (1280, 720), "gif": (800, 450)}
PLAIN = "FuncAnimation.save, plain text"
PIPED = "all frames, ready, piped to ffmpeg"
WAYS = ("animate", "encode only", "FuncAnimation.save", PLAIN)
PEERS = ("imageio", "mediapy", "moviepy")
FOLDER = Path("outputs")


def main() -> None:
    """Run the benchmark, or as a child process one measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="repetitions (default: 5)")
    parser.add_argument("--peers", action="store_true", help="mediapy, moviepy and imageio too")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(*options.child)))
        return
    ways = WAYS + (PEERS if options.peers else ())
    results: dict[str, Any] = {"machine": machine(), "rounds": options.rounds, "films": {}}
    for form in SIZES:
        measured = (*ways, PIPED) if form == "mp4" else ways  # a GIF is not only piped
        turns = [turn(form, measured) for _ in range(options.rounds)]
        results["films"][form] = summary(turns, measured)
    results["command"] = cold(options.rounds)
    results["side by side"] = side_by_side(options.rounds)
    results["scale"] = [run_child("scale", "mp4", "-")["seconds"] for _ in range(options.rounds)]
    results["memory"] = {form: memory(form) for form in SIZES}
    results["accuracy"] = run_child("accuracy", "mp4", "-")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "benchmark.json").write_text(json.dumps(results, indent=2) + "\n")
    (FOLDER / "benchmark.md").write_text(markdown(results))
    print(markdown(results), end="")


def turn(form: str, ways: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return the time of each way, and of animate just before it."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, f"film.{form}"))
        results = {}
        for way in ways:
            ours = run_child("animate", form, path)
            theirs = ours if way == "animate" else run_child(way, form, path)
            results[way] = {**theirs, "ours": ours["seconds"]}
            print(
                f"{form} {way}: {theirs['seconds']:.2f} s, ours {ours['seconds']:.2f} s",
                file=sys.stderr,
            )
        return results


def run_child(way: str, form: str, path: str) -> dict[str, float]:
    """Return what a child process measures."""
    python = os.environ["PEERS"] if way in PEERS else sys.executable
    done = subprocess.run(
        [python, "-P", __file__, "--child", way, form, path],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{way}: {done.stderr}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def summary(turns: list[dict[str, dict[str, float]]], ways: tuple[str, ...]) -> dict[str, Any]:
    """Return medians, and the ratios to animate within each pair."""
    ours = [row["ours"] for turn in turns for row in turn.values()]
    results = {}
    for way in ways:
        ratios = [turn[way]["seconds"] / turn[way]["ours"] for turn in turns]
        seconds = ours if way == "animate" else [turn[way]["seconds"] for turn in turns]
        results[way] = {
            "seconds": statistics.median(seconds),
            "ratio": statistics.median(ratios),
            "ratios": [min(ratios), max(ratios)],
            "kB": turns[-1][way]["bytes"] / 1000,
        }
    return results


def cold(rounds: int) -> dict[str, Any]:
    """Return the times of the default command and of a plain script for the same films."""
    seconds: dict[str, list[float]] = {"animate": [], "script": []}
    script = Path(__file__).with_name("naive_script.py")
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, words in (
                ("animate", ["-m", "animate", "--quiet"]),
                ("script", [str(script)]),
            ):
                start = time.perf_counter()
                subprocess.run(
                    [sys.executable, *words], cwd=folder, check=True, capture_output=True
                )
                seconds[name].append(time.perf_counter() - start)
                print(f"command {name}: {seconds[name][-1]:.2f} s", file=sys.stderr)
    ratios = [slow / fast for fast, slow in zip(*seconds.values(), strict=True)]
    return {
        "seconds": {name: statistics.median(values) for name, values in seconds.items()},
        "ratio": statistics.median(ratios),
        "ratios": [min(ratios), max(ratios)],
    }


def side_by_side(rounds: int) -> dict[str, Any]:
    """Return the ratio of times of one process and one per core, for six films."""
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder, "six.toml")
        recipe.write_text(
            "".join(f"[[output]]\npath = '{n}.gif'\nlrs = [0.{n}]\n" for n in range(1, 7))
        )
        for _ in range(rounds):
            seconds = {}
            for jobs in ([], ["--jobs", "1"]):
                start = time.perf_counter()
                words = [sys.executable, "-m", "animate", str(recipe), "--quiet", *jobs]
                subprocess.run(words, cwd=folder, check=True, capture_output=True)
                seconds[len(jobs)] = time.perf_counter() - start
            ratios.append(seconds[2] / seconds[0])
            print(f"side by side: {ratios[-1]:.2f}", file=sys.stderr)
    return {"ratio": statistics.median(ratios), "ratios": [min(ratios), max(ratios)]}


def scale() -> dict[str, float]:
    """Return the time to train and diagnose 10,000 learning rates for 100 epochs."""
    import animate

    problem = animate.Line.sample()
    animate.train(problem, LRS)
    start = time.perf_counter()
    for run in animate.train(problem, [(n + 1) / 8000 for n in range(10_000)]):
        assert run.diagnosis
    return {"seconds": time.perf_counter() - start}


def memory(form: str) -> dict[str, float]:
    """Return the peak memory of films of 200 and of 5,000 epochs, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, f"film.{form}"))
        return {str(epochs): run_child(str(epochs), form, path)["peak"] for epochs in (200, 5000)}


def child(way: str, form: str, path: str) -> dict[str, float]:
    """Make one measurement."""
    import animate

    if way == "scale":
        return scale()
    epochs = int(way) if way.isdigit() else 100
    runs = animate.train(animate.Line.sample(), LRS, epochs)
    film = animate.Animation(runs, size=SIZES[form])
    if way == "accuracy":
        return accuracy(film)
    if way.isdigit():
        # Each epoch is one frame, so that only the number of frames differs.
        film = animate.Animation(runs, size=SIZES[form], timeline=range(epochs + 1))
        film.save(path)
        return {"peak": peak()}
    save = prepare(way, film, form, path)
    start = time.perf_counter()
    save()
    return {"seconds": time.perf_counter() - start, "bytes": Path(path).stat().st_size}


def prepare(way: str, film: Any, form: str, path: str) -> Callable[[], object]:
    """Return a function that saves `film` by `way`, with all preparation done."""
    import imageio_ffmpeg
    import matplotlib as mpl
    import numpy as np
    from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    mpl.rcParams["animation.ffmpeg_path"] = ffmpeg
    fps = film.fps

    def drawn() -> list[np.ndarray]:
        """Draw each epoch once and in full, as a script without FuncAnimation does."""
        canvas = film.scene.figure.canvas
        pictures = {}
        for epoch in dict.fromkeys(film.timeline):
            film.scene.draw(epoch)
            canvas.draw()
            pictures[epoch] = np.array(canvas.buffer_rgba())[..., :3]
        return [pictures[epoch] for epoch in film.timeline]

    if way == "animate":
        return lambda: film.save(path)
    if way == "encode only":
        from animate.film.encode import encode

        # A repeated object would not be piped again.
        frames, twins = list(film.frames()), {}
        for number, frame in enumerate(frames):
            if number % 2:
                frames[number] = twins.setdefault(id(frame), frame.copy())
        return lambda: encode(frames, path, fps)
    if way == PIPED:
        buffers = [np.ascontiguousarray(frame).data for frame in film.frames()]
        words = [ffmpeg, *piped(film, path)]

        def pipe() -> None:
            with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
                assert process.stdin is not None
                with process.stdin:
                    process.stdin.writelines(buffers)
            if process.returncode:
                sys.exit("ffmpeg failed")

        return pipe
    if way in ("FuncAnimation.save", PLAIN):
        if way == PLAIN:  # without TabularText, which speeds up FuncAnimation too
            from matplotlib.text import Text

            from animate.drawing.tabular_text import TabularText

            TabularText.draw = Text.draw
        writer = FFMpegWriter(fps=fps) if form == "mp4" else PillowWriter(fps=fps)
        return lambda: FuncAnimation.save(film, path, writer=writer)
    if way == "imageio":
        import imageio

        rate = {"fps": fps} if form == "mp4" else {"duration": 1000 / fps}
        return lambda: imageio.mimsave(path, drawn(), **rate)
    if way == "mediapy":
        import mediapy

        mediapy.set_ffmpeg(ffmpeg)
        codec = "h264" if form == "mp4" else "gif"
        return lambda: mediapy.write_video(path, drawn(), fps=fps, codec=codec)
    from moviepy import ImageSequenceClip

    def moviepy() -> None:
        clip = ImageSequenceClip(drawn(), fps=fps)
        if form == "mp4":
            clip.write_videofile(path, audio=False, logger=None)
        else:
            clip.write_gif(path, logger=None)

    return moviepy


def piped(film: Any, path: str) -> list[str]:
    """Return ffmpeg's arguments for an MP4 of raw frames, with animate's settings for x264."""
    from animate.film.encode.formats import Film, Mp4

    encoder = Mp4(Film(path, film.fps), film.size, [])
    size = "x".join(map(str, film.size))
    return [
        "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgba", "-s", size,
        "-r", f"{film.fps:g}", "-i", "pipe:0",
        "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
        *encoder.arguments(),
    ]  # fmt: skip


def accuracy(film: Any) -> dict[str, float]:
    """Compare the frames with full redraws, and the files with the frames."""
    import imageio.v3
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image, ImageSequence

    import animate

    def frames(film: Any) -> dict[int, np.ndarray]:
        return dict(zip(film.timeline, film.frames(), strict=True))

    differing = 0
    for epoch, frame in frames(film).items():
        film.scene.draw(epoch)
        canvas = FigureCanvasAgg(film.scene.figure)
        canvas.draw()
        differing += not np.array_equal(frame, np.asarray(canvas.buffer_rgba()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film.mp4")
        film.save(path)
        squares = [
            np.mean((sent[..., :3].astype(float) - got) ** 2)
            for sent, got in zip(film.frames(), imageio.v3.imiter(path), strict=True)
        ]
        small = animate.Animation(film.scene.runs, size=SIZES["gif"])
        path = Path(folder, "film.gif")
        small.save(path)
        with Image.open(path) as image:
            errors = [
                np.abs(np.array(got.convert("RGB"), float) - sent[..., :3]).mean()
                for sent, got in zip(
                    frames(small).values(), ImageSequence.Iterator(image), strict=True
                )
            ]
    return {
        "frames": len(frames(film)),
        "differing": differing,
        "PSNR": float(10 * np.log10(255**2 / np.mean(squares))),
        "worst PSNR": float(10 * np.log10(255**2 / np.max(squares))),
        "GIF error": float(np.mean(errors)),
    }


def peak() -> float:
    """Return this process' peak memory in MB."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def machine() -> str:
    """Return the machine and the versions in a line."""
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("matplotlib", "torch", "numpy")
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, {versions}"


def markdown(results: dict[str, Any]) -> str:
    """Return the results as tables."""
    lines = [f"Medians of {results['rounds']} rounds; {results['machine']}.", ""]
    for form, ways in results["films"].items():
        size = "x".join(map(str, SIZES[form]))
        lines += [f"| {form.upper()}, {size} | seconds | relative to animate (min to max) | kB |"]
        lines += ["|---|---|---|---|"]
        for way, row in ways.items():
            least, most = row["ratios"]
            lines.append(
                f"| {way} | {row['seconds']:.2f} | {row['ratio']:.2f} ({least:.2f} to {most:.2f}) "
                f"| {row['kB']:.0f} |"
            )
        lines.append("")
    command, errors = results["command"], results["accuracy"]
    parallel = results["side by side"]
    least, most = command["ratios"]
    lines += [
        f"The whole default command, cold: {command['seconds']['animate']:.1f} s; a plain script "
        f"with the same job: {command['seconds']['script']:.1f} s, "
        f"{command['ratio']:.1f} times as long ({least:.1f} to {most:.1f}).",
        "",
        f"Six films one after the other take {parallel['ratio']:.2f} times as long as "
        f"side by side ({parallel['ratios'][0]:.2f} to "
        f"{parallel['ratios'][1]:.2f}). 10,000 learning rates train for 100 epochs in "
        f"{statistics.median(results['scale']):.2f} s, diagnoses included.",
        "",
        *(
            f"Peak memory, {form.upper()}: {peaks['200']:.0f} MB for 200 epochs, "
            f"{peaks['5000']:.0f} MB for 5,000."
            for form, peaks in results["memory"].items()
        ),
        "",
        f"Of {errors['frames']} different frames, {errors['differing']} differ from matplotlib's "
        f"full redraw. MP4 against the frames: {errors['PSNR']:.1f} dB PSNR (worst frame "
        f"{errors['worst PSNR']:.1f}); GIF: mean error {errors['GIF error']:.2f} of 255.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
