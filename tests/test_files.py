import os
import stat
from pathlib import Path

import pytest

from animate import OutputError
from animate.system.files import atomic, check


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with atomic(path) as temporary:
        temporary.write_bytes(b"whole")
        assert not path.exists()
        assert temporary.parent == tmp_path
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_after_an_exception_the_old_file_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), atomic(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nothing was written"), atomic(tmp_path / "film.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_is_kept_and_its_target_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    with atomic(link) as temporary:
        temporary.write_bytes(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_obeys_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        with atomic(tmp_path / "film") as temporary:
            temporary.write_bytes(b"x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "film").stat().st_mode) == 0o640


def test_a_name_of_255_bytes_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".mp4")
    with atomic(path) as temporary:
        temporary.write_bytes(b"x")
    assert path.exists()


def test_what_is_not_a_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.mp4"
    os.mkfifo(fifo)
    for path, said in (
        (tmp_path, "is a folder"),
        (fifo, "not a regular file"),
        (tmp_path / "no" / "film.mp4", "there is no folder"),
    ):
        with pytest.raises(OutputError, match=said):
            check(path)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
