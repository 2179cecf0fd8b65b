"""Rows 10 to 13 and 25 to 27: where files go, and where they must not."""

import contextlib
import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from inside import OLD, SHORT, command, names, old

from animate import DestinationError, InputError, OutputError
from animate.film.encode import FORMATS
from animate.system import files

FORMS = ["a.mp4", "a.gif", "a.png", "a.svg", "a.pdf", "a.json", "a.html"]
NOBODY = 65534


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Yield a folder that every user can get at."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o777)
    shutil.rmtree(folder)


@contextlib.contextmanager
def somebody() -> Iterator[None]:
    """Be a user to whom permissions apply, as they do not to root."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(me)


def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object) -> None:
        raise AssertionError("it trained before it looked at the destination")

    monkeypatch.setattr("animate.training.descent.train", train)


def untouched(path: Path) -> tuple[int, ...]:
    """Return what a change of `path` would change; looking at a link sets the time of access."""
    status = path.lstat()
    return status.st_mode, status.st_ino, status.st_nlink, status.st_size, status.st_mtime_ns


# Row 10.


def test_the_folder_of_the_default_outputs_is_made(tmp_path: Path) -> None:
    ended = command(tmp_path, *SHORT, "--quiet")
    assert (ended.code, ended.out) == (0, "outputs/convergence.mp4\noutputs/convergence.gif\n")
    assert names(tmp_path / "outputs") == ["convergence.gif", "convergence.mp4"]


@pytest.mark.quick(2)
@pytest.mark.parametrize("form", [*FORMS, "frames/"])
def test_a_folder_that_is_missing_is_made_with_its_parents(tmp_path: Path, form: str) -> None:
    ended = command(tmp_path, *SHORT, "-o", f"no/such/{form}", "--quiet")
    assert (ended.code, ended.out, ended.err) == (0, f"no/such/{form}\n", "")
    assert names(tmp_path) == ["no"]
    assert names(tmp_path / "no" / "such") == [form.rstrip("/")]


def test_a_folder_is_made_when_its_file_is_complete_not_before(tmp_path: Path) -> None:
    with files.atomic(tmp_path / "no" / "such" / "a.txt") as temporary:
        assert temporary.parent == tmp_path
        temporary.write_text("whole")
        assert not (tmp_path / "no").exists()
    assert (tmp_path / "no" / "such" / "a.txt").read_text() == "whole"


@pytest.mark.quick(2)
@pytest.mark.parametrize("form", FORMS)
def test_a_folder_is_not_there_where_nothing_was_written(
    tmp_path: Path, monkeypatch, form: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    ended = command(tmp_path, *SHORT, "-o", f"no/such/{form}", "--quiet")
    assert (ended.code, ended.out) == (1, "")
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_1_before_training(tmp_path: Path, monkeypatch) -> None:
    untrained(monkeypatch)
    old(tmp_path, "file")
    ended = command(tmp_path, *SHORT, "-o", "file/such/a.png")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "animate: file/such/a.png: file is not a folder; choose another path\n"
    assert names(tmp_path) == ["file"]


# Row 11.


def test_a_folder_that_is_not_writable_is_1_before_training(open_folder: Path, monkeypatch) -> None:
    untrained(monkeypatch)
    old(open_folder, "a.png")
    (open_folder / "a.png").chmod(0o666)
    open_folder.chmod(0o555)
    with somebody():
        ended = command(open_folder, *SHORT, "-o", "a.png")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "animate: the folder . is not writable; choose another\n"
    assert (open_folder / "a.png").read_bytes() == OLD


@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_a_file_that_is_not_writable_is_1_before_training_and_never_replaced(
    open_folder: Path, monkeypatch, mode: int
) -> None:
    untrained(monkeypatch)
    old(open_folder, "a.png")
    (open_folder / "a.png").chmod(mode)
    with somebody():
        ended = command(open_folder, *SHORT, "-o", "a.png")
    if mode & 0o200 and os.geteuid() != 0:
        pytest.skip("only root can own a file that others cannot write")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "animate: a.png is not writable; remove it or choose another\n"
    assert (open_folder / "a.png").read_bytes() == OLD


def test_a_file_that_nobody_may_write_is_not_replaced_by_root_either(tmp_path: Path) -> None:
    old(tmp_path, "a.png")
    (tmp_path / "a.png").chmod(0o444)
    with pytest.raises(OutputError, match="is not writable"):
        files.check(tmp_path / "a.png")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")
def test_a_disk_that_is_read_only_is_1(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "animate", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this root may not mount a disk")
    try:
        with pytest.raises(OutputError, match="is not writable"):
            files.check(tmp_path / "a.mp4")
    finally:
        subprocess.run(["umount", tmp_path], check=True)


# Row 12.


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["folder", "fifo", "device", "link to a device"])
def test_what_is_not_a_file_is_2_before_training_and_untouched(
    tmp_path: Path, monkeypatch, form: str, kind: str
) -> None:
    untrained(monkeypatch)
    path = tmp_path / form
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device" and os.geteuid() == 0:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 7))
    else:
        path.symlink_to("/dev/full")
    before = untouched(path)
    ended = command(tmp_path, *SHORT, "-o", form)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert f"{form} is {'a folder' if kind == 'folder' else 'not a regular file'}" in ended.err
    assert untouched(path) == before
    assert names(tmp_path) == [form]


def test_a_dash_is_2_for_it_is_no_file(tmp_path: Path) -> None:
    ended = command(tmp_path, *SHORT, "-o", "-")
    assert (ended.code, ended.out, names(tmp_path)) == (2, "", [])
    assert "- has no extension" in ended.err


def test_a_fifo_that_appears_while_the_film_is_made_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with pytest.raises(OutputError, match="not a regular file"), files.atomic(path) as temporary:
        temporary.write_bytes(b"new")
        os.mkfifo(path)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert names(tmp_path) == ["a.mp4"]


def test_the_error_of_a_place_that_is_none_is_both_of_a_value_and_of_an_output(
    tmp_path: Path,
) -> None:
    for path in (tmp_path, f"{tmp_path}/a\0.mp4"):
        with pytest.raises(DestinationError) as error:
            files.check(path)
        assert isinstance(error.value, InputError)
        assert isinstance(error.value, OutputError)


def test_a_path_through_a_file_or_a_circle_of_links_is_1(tmp_path: Path) -> None:
    old(tmp_path, "file")
    (tmp_path / "circle.png").symlink_to("circle.png")
    for path in ("file/a.png", "circle.png"):
        ended = command(tmp_path, *SHORT, "-o", path)
        assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
        assert path in ended.err
    assert names(tmp_path) == ["circle.png", "file"]


# Row 13.


def test_a_link_is_kept_and_its_target_replaced_only_on_success(tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    target = tmp_path / "away" / "target"
    target.write_bytes(OLD)
    target.chmod(0o604)
    (tmp_path / "one.mp4").symlink_to("two.mp4")
    (tmp_path / "two.mp4").symlink_to("away/target")
    with pytest.raises(RuntimeError), files.atomic(tmp_path / "one.mp4") as temporary:
        assert temporary.parent == target.parent
        raise RuntimeError
    assert target.read_bytes() == OLD
    with files.atomic(tmp_path / "one.mp4") as temporary:
        temporary.write_bytes(b"new")
    assert (tmp_path / "one.mp4").is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o604
    assert names(tmp_path / "away") == ["target"]


def test_a_dangling_link_makes_its_target(tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "link.png").symlink_to("away/target")
    ended = command(tmp_path, *SHORT, "-o", "link.png", "--quiet")
    assert ended.code == 0
    assert (tmp_path / "link.png").is_symlink()
    assert names(tmp_path / "away") == ["target"]


def test_the_temporary_file_is_no_more_open_than_the_old_one(tmp_path: Path) -> None:
    old(tmp_path, "secret")
    (tmp_path / "secret").chmod(0o600)
    with files.atomic(tmp_path / "secret") as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        assert temporary.name.startswith(".")
        temporary.write_bytes(b"new")


def test_a_folder_of_frames_changes_in_one_step(tmp_path: Path, monkeypatch) -> None:
    folder = f"{tmp_path}/frames/"
    with files.atomic(folder) as temporary:
        (temporary / "frame-00000.png").write_bytes(b"old")
    seen = []
    monkeypatch.setattr(Path, "rename", lambda *_: seen.append("renamed away"))
    with files.atomic(folder) as temporary:
        (temporary / "frame-00000.png").write_bytes(b"new")
    assert seen == []  # or there would be a moment without a folder
    assert Path(folder, "frame-00000.png").read_bytes() == b"new"
    assert names(tmp_path) == ["frames"]


def test_where_folders_cannot_be_exchanged_the_old_one_stays_until_the_new_one_is_there(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(files, "_exchange", lambda *_: False)
    for content in (b"old", b"new"):
        with files.atomic(f"{tmp_path}/frames/") as temporary:
            (temporary / "frame-00000.png").write_bytes(content)
    assert (tmp_path / "frames" / "frame-00000.png").read_bytes() == b"new"
    rename = Path.rename

    def failing(one: Path, other: Path) -> Path:
        if other.name == "frames" and not one.name.startswith(".animate-old"):
            raise OSError(5, "the disk is gone")
        return rename(one, other)

    monkeypatch.setattr(Path, "rename", failing)
    with (
        pytest.raises(OutputError, match="the disk is gone"),
        files.atomic(f"{tmp_path}/frames/") as temporary,
    ):
        (temporary / "frame-00000.png").write_bytes(b"newer")
    assert (tmp_path / "frames" / "frame-00000.png").read_bytes() == b"new"
    assert names(tmp_path) == ["frames"]


# Row 25.

NAMES = [
    "a b", "%d", "100%", "it's", 'say "hi"', "a\nb", "línea", "[x]*?", "~", "$HOME", "-x", "a:b",
    "n" * 251, "a;b", "`id`", "\\", "#", "--", "a,b", "'", "$(touch hacked)",
]  # fmt: skip


@pytest.mark.quick(5)
@pytest.mark.parametrize("name", NAMES)
def test_every_form_is_written_to_exactly_the_name_given(tmp_path: Path, name: str) -> None:
    outputs = [f"{name}{suffix}" for suffix in (".gif", ".mp4")]
    ended = command(
        tmp_path, "--epochs", "1", "--hold", "0", "--size", "640x360", "--views", "data", "--jobs",
        "1", "--quiet", *(f"--output={output}" for output in outputs),
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "".join(f"{output}\n" for output in outputs)
    assert names(tmp_path) == sorted(outputs)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names need not be text there only")
def test_a_name_that_is_no_text_is_written_and_printed_byte_for_byte(tmp_path: Path) -> None:
    path = os.fsdecode(b"a\xff.png")
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-m", "animate", *SHORT, "--quiet", "-o", path],
        cwd=tmp_path, env=os.environ | {"PYTHONIOENCODING": "ascii"}, check=False,
        capture_output=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a\xff.png\n", b"")
    assert os.listdir(os.fsencode(tmp_path)) == [b"a\xff.png"]  # noqa: PTH208


def test_a_name_cannot_move_the_cursor(tmp_path: Path) -> None:
    ended = command(tmp_path, *SHORT, "-o", "\x1b[2J\nanimate: all is well.xyz")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "\x1b" not in ended.err
    ended = command(tmp_path, *SHORT, "-o", "\x1b[2J")
    assert (ended.code, ended.err.count("\n"), "\x1b" in ended.err) == (2, 1, False)


# Row 26, 27.


@pytest.mark.parametrize("name", ["film", "film.avi", "film.", ".mp4", "film.mp4x", ""])
def test_an_extension_that_is_unknown_is_2_with_the_list_and_nothing_is_made(
    tmp_path: Path, name: str
) -> None:
    ended = command(tmp_path, *SHORT, "-o", name)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    for suffix in FORMATS:
        assert ("in a slash" if suffix == "/" else suffix) in ended.err
    assert names(tmp_path) == []


def test_an_extension_in_upper_case_works(tmp_path: Path) -> None:
    ended = command(tmp_path, *SHORT, "--quiet", "-o", "A.PNG", "-o", "A.MP4")
    assert (ended.code, names(tmp_path)) == (0, ["A.MP4", "A.PNG"])


@pytest.mark.parametrize("second", ["a.png", "./a.png", "link.png", "here/a.png"])
def test_two_outputs_on_one_path_are_2(tmp_path: Path, second: str) -> None:
    (tmp_path / "link.png").symlink_to("a.png")
    (tmp_path / "here").symlink_to(".")
    ended = command(tmp_path, *SHORT, "-o", "a.png", "-o", second)
    assert (ended.code, ended.out) == (2, "")
    assert f"output {second} is given twice" in ended.err
    assert names(tmp_path) == ["here", "link.png"]


def test_standard_output_that_cannot_be_written_is_1_with_a_sentence(tmp_path: Path) -> None:
    for arguments in (["--version"], [*SHORT, "--quiet", "-o", "a.png"]):
        words = [sys.executable, "-P", "-m", "animate", *arguments]
        with open("/dev/full", "w") as full:  # noqa: PTH123
            done = subprocess.run(
                words, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode == 1
        assert done.stderr == (
            "animate: cannot write to the standard output: No space left on device\n"
        )
