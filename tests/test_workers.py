"""Outputs side by side: the same files as one after the other, and a death is an error."""

from pathlib import Path

import pytest
from command import QUICK, animate, fake_ffmpeg

# Of two sizes, so that there are two pictures to draw.
SHORT = ["--epochs", "3", "--hold", "0", "-o", "one.gif", "-o", "two.mp4", "-o", "three.webp"]


@pytest.mark.slow
def test_side_by_side_gives_the_same_bytes_and_the_paths_in_order(tmp_path: Path) -> None:
    found = []
    for jobs in ("1", "3"):
        folder = tmp_path / jobs
        folder.mkdir()
        done = animate(folder, *SHORT, "--jobs", jobs)
        assert (done.returncode, done.stdout) == (0, "one.gif\ntwo.mp4\nthree.webp\n")
        found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert found[0] == found[1]


@pytest.mark.slow
def test_a_process_that_dies_is_an_error_of_its_outputs_and_of_no_other(tmp_path: Path) -> None:
    (tmp_path / "two.mp4").write_bytes(b"old")
    fake = fake_ffmpeg(tmp_path, 'case "$*" in *libx264*) kill -9 $PPID; exit 9;; esac')
    done = animate(tmp_path, *SHORT, "--jobs", "2", IMAGEIO_FFMPEG_EXE=fake)
    assert done.returncode == 1
    assert done.stdout == "one.gif\n"
    for lost in ("two.mp4", "three.webp"):
        assert f"{lost} was not made: its process was ended by SIGKILL" in done.stderr
    assert (tmp_path / "two.mp4").read_bytes() == b"old"


@pytest.mark.parametrize("jobs", ["0", "x", "65"])
def test_a_number_of_jobs_is_checked(tmp_path: Path, jobs: str) -> None:
    done = animate(tmp_path, *QUICK, "--jobs", jobs)
    assert done.returncode == 2
    assert f"number of jobs '{jobs}'" in done.stderr
