"""Rows 1 to 5: whoever stops the program, at whatever moment, has lost nothing by it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from inside import OLD, SHORT, Ended, command, names, old
from stage import Stage

from animate.system import files, signals
from animate.system.signals import Stopped

pytestmark = pytest.mark.slow  # most of these start several processes

FILM = [*SHORT, "-o", "a.mp4"]
# Of two default sizes, so that they are two pictures, and two workers'.
TWO = [
    "--epochs",
    "1",
    "--hold",
    "0",
    "--lrs",
    "0.5",
    "--views",
    "loss",
    "-o",
    "b.mp4",
    "-o",
    "a.gif",
]
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def stopped(stage: Stage, process: subprocess.Popen[str]) -> Ended:
    """Return how the process ended, once nothing is left of it."""
    out, err = process.communicate()
    assert stage.at_work() == []
    return Ended(process.returncode, out, err)


# Row 1, 2: from the first line on.


@pytest.mark.parametrize(
    ("module", "number"), [*(("argparse", number) for number in CODES), ("torch", signal.SIGINT)]
)
def test_a_signal_while_modules_are_imported_says_its_line_and_ends_at_once(
    stage: Stage, module: str, number: signal.Signals
) -> None:
    old(stage.folder, "a.mp4")
    stage.module_waits(module)
    process = stage.start("--quiet", *FILM)
    stage.wait()
    process.send_signal(number)
    ended = stopped(stage, process)
    assert (ended.code, ended.out) == (CODES[number], "")
    name = "interrupted" if number == signal.SIGINT else f"stopped by {number.name}"
    assert ended.err == f"animate: {name}; nothing was changed\n"
    assert (stage.folder / "a.mp4").read_bytes() == OLD


def test_before_the_first_file_workers_end_with_their_parent(stage: Stage) -> None:
    stage.module_waits("torch")
    process = stage.start(*TWO, "--jobs", "2")
    stage.wait()
    os.killpg(process.pid, signal.SIGINT)
    ended = stopped(stage, process)
    assert (ended.code, ended.err) == (130, "animate: interrupted; nothing was changed\n")
    assert names(stage.folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_while_ffmpeg_works_keeps_the_old_file_and_leaves_nothing(
    stage: Stage, number: signal.Signals
) -> None:
    old(stage.folder, "a.mp4")
    stage.ffmpeg_waits()
    process = stage.start("--quiet", *FILM)
    stage.wait()
    assert len(names(stage.folder)) == 2
    process.send_signal(number)
    ended = stopped(stage, process)
    assert (ended.code, ended.out) == (CODES[number], "")
    assert ended.err.endswith("; a.mp4 was not made, and nothing is half-written\n")
    assert ended.err.count("\n") == 1
    assert names(stage.folder) == ["a.mp4"]
    assert (stage.folder / "a.mp4").read_bytes() == OLD


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_a_signal_to_the_group_is_that_to_the_process(stage: Stage, number: signal.Signals) -> None:
    old(stage.folder, "b.mp4", "a.gif")
    stage.ffmpeg_waits()
    process = stage.start("--quiet", *TWO)
    stage.wait()
    os.killpg(process.pid, number)
    ended = stopped(stage, process)
    assert (ended.code, ended.out) == (CODES[number], "")
    assert "b.mp4, a.gif were not made" in ended.err
    assert ended.err.count("\n") == 1
    assert [path.read_bytes() for path in sorted(stage.folder.iterdir())] == [OLD, OLD]


def test_what_is_ignored_at_the_start_stays_ignored(stage: Stage) -> None:
    stage.ffmpeg_tells()
    process = stage.start("--quiet", *FILM, before=["sh", "-c", 'trap "" HUP; exec "$@"', "sh"])
    stage.wait()
    process.send_signal(signal.SIGHUP)
    assert stopped(stage, process) == Ended(0, "a.mp4\n", "")


@pytest.mark.usefixtures("listening")
def test_windows_has_no_sighup_and_that_is_no_error(monkeypatch) -> None:
    monkeypatch.setattr(signals, "STOPS", (signal.SIGINT, signal.SIGTERM))
    signals.listen()
    with signals.deferred():
        pass
    assert signal.getsignal(signal.SIGTERM) is signals._handle


def test_who_imports_the_package_keeps_their_handlers(tmp_path: Path) -> None:
    program = tmp_path / "animate"  # of the same name
    program.write_text(
        "import signal, animate; from animate import Line, cli\n"
        "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler,"
        " signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)"
    )
    done = subprocess.run(
        [sys.executable, "-P", str(program)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True True\n"


def test_the_script_that_pip_makes_is_known_as_ours(tmp_path: Path, monkeypatch) -> None:
    script = tmp_path / "anything"
    script.write_text("#!python\nimport sys\nfrom animate.cli import run\nsys.exit(run())\n")
    monkeypatch.setattr(sys, "argv", [str(script), "-o", "a.gif"])
    assert signals.is_program()
    monkeypatch.setattr(sys, "argv", ["-m", "x"])
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "other", "x"])
    assert not signals.is_program()
    monkeypatch.setattr(sys, "orig_argv", ["python", "-P", "-m", "animate", "x"])
    assert signals.is_program()


# Row 3.


@pytest.mark.usefixtures("listening")
def test_a_second_ctrl_c_during_the_clean_up_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    old(tmp_path, "a.mp4")
    interrupt_when_called(monkeypatch, "animate.film.encode.ffmpeg.Ffmpeg.write")
    interrupt_when_called(monkeypatch, "animate.film.encode.ffmpeg.Ffmpeg._kill")
    interrupt_when_called(monkeypatch, "animate.system.files._remove")
    ended = command(tmp_path, *FILM)
    assert ended.code == 130
    assert names(tmp_path) == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == OLD


def interrupt_when_called(monkeypatch, target: str, *, after: bool = False) -> None:
    """Send ourselves a Ctrl-C the first time that the function at `target` is called."""
    from pkgutil import resolve_name

    module, _, function = target.rpartition(".")
    original = getattr(resolve_name(module), function)

    def interrupting(*arguments, **keywords):
        monkeypatch.setattr(target, original)
        if not after:
            os.kill(os.getpid(), signal.SIGINT)
        result = original(*arguments, **keywords)
        if after:
            os.kill(os.getpid(), signal.SIGINT)
        return result

    monkeypatch.setattr(target, interrupting)


# Row 4.


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    ("target", "after"),
    [
        ("animate.system.files._publish", False),
        ("animate.system.files._publish", True),
        ("animate.cli.display.Display.on_written", False),
        ("animate.cli.display.Display.on_written", True),
        ("animate.system.signals.finish", False),
    ],
)
def test_a_signal_from_the_last_rename_on_comes_too_late(
    tmp_path: Path, monkeypatch, target: str, after: bool
) -> None:
    old(tmp_path, "a.mp4")
    interrupt_when_called(monkeypatch, target, after=after)
    ended = command(tmp_path, *FILM)
    assert (ended.code, ended.out) == (0, "a.mp4\n")
    assert (tmp_path / "a.mp4").read_bytes() != OLD
    assert names(tmp_path) == ["a.mp4"]


@pytest.mark.usefixtures("listening")
def test_a_signal_just_before_the_last_rename_keeps_the_old_file(
    tmp_path: Path, monkeypatch
) -> None:
    old(tmp_path, "a.mp4")
    interrupt_when_called(
        monkeypatch, "animate.film.encode.formats._ConstantRate.check", after=True
    )
    ended = command(tmp_path, *FILM)
    assert (ended.code, ended.out) == (130, "")
    assert (tmp_path / "a.mp4").read_bytes() == OLD
    assert names(tmp_path) == ["a.mp4"]


@pytest.mark.usefixtures("listening")
def test_a_signal_after_the_first_of_two_files_says_which_stands(
    tmp_path: Path, monkeypatch
) -> None:
    old(tmp_path, "a.png", "b.png")
    interrupt_when_called(monkeypatch, "animate.system.files._publish", after=True)
    ended = command(tmp_path, *FILM[:-2], "-o", "a.png", "-o", "b.png")
    assert (ended.code, ended.out) == (130, "a.png\n")
    assert "b.png was not made" in ended.err
    assert (tmp_path / "a.png").read_bytes() != OLD
    assert (tmp_path / "b.png").read_bytes() == OLD


def test_what_a_worker_finished_before_the_signal_is_named_as_made(stage: Stage) -> None:
    old(stage.folder, "b.mp4")
    stage.ffmpeg_waits(only="libx264", until="test -e a.gif")
    process = stage.start("--quiet", *TWO)
    stage.wait()
    process.terminate()
    ended = stopped(stage, process)
    assert (ended.code, ended.out) == (143, "a.gif\n")
    assert "b.mp4 was not made" in ended.err
    assert (stage.folder / "b.mp4").read_bytes() == OLD
    assert (stage.folder / "a.gif").read_bytes()[:3] == b"GIF"


# Row 5.


def gone(pid: int, patience: float = 10.0) -> bool:
    """Return whether the process is gone, which may take it so many seconds to notice."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def test_sigkill_leaves_one_hidden_file_at_most_which_the_next_run_sweeps(stage: Stage) -> None:
    old(stage.folder, "a.mp4")
    stage.ffmpeg_tells()
    process = stage.start("--epochs", "400", "--jobs", "1", "-o", "a.mp4")
    ffmpeg = int(stage.wait())
    process.kill()
    process.communicate()
    assert gone(ffmpeg)
    assert (stage.folder / "a.mp4").read_bytes() == OLD
    assert len(names(stage.folder)) == 2
    assert command(stage.folder, *SHORT, "--quiet", "-o", "b.png").code == 0
    assert names(stage.folder) == ["a.mp4", "b.png"]


def test_when_the_parent_is_killed_its_workers_and_their_ffmpeg_are_gone(stage: Stage) -> None:
    old(stage.folder, "b.mp4", "a.gif")
    stage.ffmpeg_waits()
    process = stage.start(*TWO)
    stage.wait()
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while stage.at_work() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert stage.at_work() == []
    assert [path.read_bytes() for path in sorted(stage.folder.iterdir())] == [OLD, OLD]


def test_the_temporary_file_of_a_living_process_is_not_swept(tmp_path: Path) -> None:
    with files.atomic(tmp_path / "a.mp4") as temporary:
        temporary.write_bytes(b"half")
        files.sweep(tmp_path)
        assert temporary.read_bytes() == b"half"
    assert (tmp_path / "a.mp4").read_bytes() == b"half"


def test_the_sweep_takes_nothing_but_our_own_abandoned_files(tmp_path: Path) -> None:
    (tmp_path / ".animate-1-0000000a").write_bytes(b"abandoned")
    (tmp_path / ".animate-1-0000000b").mkdir()
    (tmp_path / ".animate-1-0000000b" / "frame-00000.png").write_bytes(b"abandoned")
    kept = [".animate-notes", ".animate-old-0000000c", "animate-1-0000000d", "thesis.txt"]
    for name in kept:
        (tmp_path / name).write_bytes(b"kept")
    (tmp_path / ".animate-1-0000000e").symlink_to("thesis.txt")
    os.mkfifo(tmp_path / ".animate-1-0000000f")
    files.sweep(tmp_path)
    assert names(tmp_path) == sorted([*kept, ".animate-1-0000000e", ".animate-1-0000000f"])


def test_a_signal_is_never_lost_in_a_deferred_block(listening) -> None:
    del listening
    signals.begin_writing()
    reached = []
    with pytest.raises(Stopped) as stop, signals.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        reached.append("the end")
    assert (reached, stop.value.exit_code) == (["the end"], 143)
