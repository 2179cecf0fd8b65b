"""Rows 6 to 9, 14 and 15: what breaks while files are written."""

import errno
import multiprocessing
import os
import resource
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from command import fake_ffmpeg
from inside import OLD, SHORT, command, names, noise, old, put_old

from animate import OutputError
from animate.drawing.scene import Scene
from animate.film.encode import FORMATS, encode
from animate.system import files

OUTPUTS = ["a/" if suffix == "/" else f"a{suffix}" for suffix in FORMATS]


def there(folder: Path, output: str) -> list[bytes]:
    """Return what is at `output`: the file's bytes, or those of each file in a folder."""
    path = folder / output
    found = sorted(path.iterdir()) if output.endswith("/") else [path]
    return [file.read_bytes() for file in found]


# Row 6.


def test_drawing_that_fails_names_the_frame_and_the_cause(tmp_path: Path, monkeypatch) -> None:
    old(tmp_path, "a.mp4", "b.gif")
    draw = Scene.draw

    def breaking(scene: Scene, epoch: int) -> None:
        if epoch == 2:
            raise ZeroDivisionError("by nothing")
        draw(scene, epoch)

    monkeypatch.setattr(Scene, "draw", breaking)
    ended = command(tmp_path, *SHORT, "-o", "a.mp4", "-o", "b.gif", "--quiet")
    assert (ended.code, ended.out) == (1, "")
    first = "animate: a.mp4 was not made: frame 34 (epoch 2) cannot be drawn: "
    assert ended.err.startswith(f"{first}ZeroDivisionError: by nothing\n")
    assert names(tmp_path) == ["a.mp4", "b.gif"]
    assert there(tmp_path, "a.mp4") + there(tmp_path, "b.gif") == [OLD, OLD]


def test_debug_shows_where_it_arose(tmp_path: Path, monkeypatch) -> None:
    def breaking(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(Scene, "draw", breaking)
    ended = command(tmp_path, *SHORT, "-o", "a.mp4", "--quiet", "--debug")
    assert ended.code == 1
    assert "in breaking" in ended.err
    ended = command(tmp_path, *SHORT, "-o", "a.mp4", "--quiet")
    assert "Traceback" not in ended.err


def test_what_nobody_has_foreseen_says_that_it_is_a_bug(tmp_path: Path, monkeypatch) -> None:
    def breaking(*_: object) -> None:
        raise KeyError("nobody\nknows")

    monkeypatch.setattr("animate.training.descent.train", breaking)
    ended = command(tmp_path, *SHORT, "-o", "a.mp4", "--quiet")
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert "this is a bug in animate, KeyError" in ended.err
    assert "please report it, with the command and what --debug shows" in ended.err
    assert names(tmp_path) == []


# Row 7.


@pytest.mark.parametrize("output", ["a.mp4", "a.gif", "a/"])
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("kill -9 $$", "SIGKILL"),
        ("head -c 30000 >/dev/null; kill -SEGV $$", "SIGSEGV"),
        ("echo first >&2; echo the encoder is broken >&2; exit 3", "3): the encoder is broken"),
        ("cat >/dev/null; exit 0", "was not made"),
    ],
)
def test_ffmpeg_that_dies_is_named_with_its_signal_or_its_last_words(
    tmp_path_factory, monkeypatch, output: str, line: str, said: str
) -> None:
    folder, away = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("away")
    before = put_old(folder, output)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", fake_ffmpeg(away, line))
    with pytest.raises(OutputError, match="nothing was changed") as failed:
        encode(noise(30), f"{folder}/{output}", 25)
    assert said in str(failed.value)
    assert output.rstrip("/") in str(failed.value)
    assert there(folder, output) == before
    assert names(folder) == [output.rstrip("/")]


# Row 8.


@pytest.mark.quick(5)
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.97])
def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path: Path, output: str, share: float) -> None:
    encode(noise(12), f"{tmp_path}/b{output}", 25)
    size = max(map(len, there(tmp_path, f"b{output}")))
    before = put_old(tmp_path, output)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size * share), hard))
    try:
        with pytest.raises(OutputError, match="disk full") as failed:
            encode(noise(12), f"{tmp_path}/{output}", 25)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert f"{tmp_path}/{output} was not made" in str(failed.value)
    assert there(tmp_path, output) == before
    assert len(names(tmp_path)) == 2


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    ("output", "code"),
    [
        *(
            (f"a{suffix}", errno.ENOSPC)
            for suffix in (".gif", ".png", ".svg", ".pdf", ".json", ".html")
        ),
        ("a.png", errno.EDQUOT),
        ("a/", errno.ENOSPC),
    ],
)
def test_a_full_disk_is_called_so_for_every_form(
    tmp_path: Path, monkeypatch, output: str, code: int
) -> None:
    before = put_old(tmp_path, output)

    def full(_: Path) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files, "_sync", full)
    ended = command(tmp_path, *SHORT, "-o", output, "--quiet")
    assert (ended.code, ended.out) == (1, "")
    assert f"{output} was not made: disk full" in ended.err
    assert there(tmp_path, output) == before
    assert names(tmp_path) == [output.rstrip("/")]


def test_a_disk_with_no_room_is_found_before_the_work(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    with pytest.raises(OutputError, match=r"a\.mp4 would not fit: disk full"):
        files.check(tmp_path / "a.mp4", needed=2 * free)
    files.check(tmp_path / "a.mp4", needed=1)


def test_a_film_is_asked_how_much_room_it_takes_before_training(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**6, 10**6, 100))
    for output in ("a.mp4", "a/"):
        ended = command(tmp_path, *SHORT, "-o", output)
        assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
        assert f"{output} would not fit: disk full, 100 bytes are left" in ended.err
    assert names(tmp_path) == []


# Row 9.


def test_when_one_of_several_fails_the_others_stand_and_are_listed(
    tmp_path: Path, tmp_path_factory, monkeypatch
) -> None:
    old(tmp_path, "c.webm")
    fake = fake_ffmpeg(tmp_path_factory.mktemp("away"), 'case "$*" in *libvpx*) exit 9;; esac')
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", fake)
    outputs = ["a.mp4", "b.gif", "c.webm", "d.png"]
    ended = command(tmp_path, *SHORT, "--quiet", *(f"-o={output}" for output in outputs))
    assert (ended.code, ended.out) == (1, "a.mp4\nb.gif\nd.png\n")
    assert ended.err.splitlines()[0].startswith("animate: c.webm was not made: ffmpeg failed")
    assert ended.err.splitlines()[1:] == ["animate: 1 of 4 outputs could not be made: c.webm"]
    assert names(tmp_path) == outputs
    assert (tmp_path / "c.webm").read_bytes() == OLD


# Row 14.


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    ("output", "exchange"), [*((output, True) for output in OUTPUTS), ("a/", False)]
)
def test_two_writers_of_one_destination_at_once_both_succeed(
    tmp_path: Path, monkeypatch, output: str, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(files, "_exchange", lambda *_: False)
    path = f"{tmp_path}/{output}"
    meeting = threading.Barrier(2, timeout=60)
    failed: list[Exception] = []

    def frames(count: int) -> Iterator[np.ndarray]:
        yield from noise(count)
        meeting.wait()  # both temporary files are there, and whole

    def write(count: int) -> None:
        try:
            encode(frames(count), path, 25)
        except Exception as error:
            failed.append(error)

    writers = [threading.Thread(target=write, args=(count,)) for count in (3, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    found = there(tmp_path, output)
    assert names(tmp_path) == [output.rstrip("/")]
    either = []
    for count in (3, 5):
        encode(noise(count), path, 25)
        either.append(there(tmp_path, output))
    assert found in either


def hold(path: str, ready: "multiprocessing.connection.Connection") -> None:
    with files.atomic(path) as temporary:
        temporary.write_bytes(b"theirs")
        ready.send(str(temporary))
        ready.recv()


def test_a_writer_does_not_sweep_what_another_process_still_writes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    other = context.Process(target=hold, args=(str(tmp_path / "a"), theirs))
    other.start()
    temporary = Path(ours.recv())
    with files.atomic(tmp_path / "a") as path:
        path.write_bytes(b"ours")
    assert temporary.exists()
    ours.send("go on")
    other.join()
    assert other.exitcode == 0
    assert (tmp_path / "a").read_bytes() == b"theirs"
    assert names(tmp_path) == ["a"]


# Row 15.


def test_the_bundled_ffmpeg_needs_no_path(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    encode(noise(2), tmp_path / "a.mp4", 25)
    assert names(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize("missing", ["all", "/no/such/ffmpeg"])
def test_no_ffmpeg_at_all_is_1_before_training_with_the_command_to_install_it(
    tmp_path: Path, monkeypatch, missing: str
) -> None:
    def none() -> str:
        raise RuntimeError("No ffmpeg exe could be found.")

    if missing == "all":
        monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", none)
    else:
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", missing)
    ended = command(tmp_path, *SHORT, "-o", "a.mp4")
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert "pip install --force-reinstall imageio-ffmpeg" in ended.err
    assert command(tmp_path, *SHORT, "-o", "a.png", "--quiet").code == 0


def test_a_folder_that_is_swept_before_it_is_held_is_made_again(
    tmp_path: Path, monkeypatch
) -> None:
    mkdir, swept = Path.mkdir, []

    def made_and_swept(path: Path, *arguments: object, **settings: object) -> None:
        mkdir(path, *arguments, **settings)
        if not swept:
            swept.append(path)
            files.sweep(path.parent)

    monkeypatch.setattr(Path, "mkdir", made_and_swept)
    with files.atomic(f"{tmp_path}/a/") as temporary:
        (temporary / "frame-00000.png").write_bytes(b"x")
    assert swept
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "frame-00000.png"]
