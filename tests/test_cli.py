"""The command line as a person meets it: a process with arguments, two streams and a code."""

import hashlib
import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command import QUICK, animate, fake_ffmpeg
from PIL import Image


@pytest.fixture(scope="module")
def default_job(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("default")
    return folder, animate(folder, "--lrs", "0.1", "0.7", "1.01")


def test_the_default_job_makes_both_films_and_prints_just_their_paths(default_job) -> None:
    folder, done = default_job
    assert done.returncode == 0
    assert done.stdout == "outputs/convergence.mp4\noutputs/convergence.gif\n"
    assert sorted(path.name for path in (folder / "outputs").iterdir()) == [
        "convergence.gif",
        "convergence.mp4",
    ]
    with Image.open(folder / "outputs/convergence.gif") as image:
        assert image.size == (800, 450)


def test_losses_are_reported_every_ten_epochs(default_job) -> None:
    _, done = default_job
    lines = [line.split() for line in done.stderr.splitlines()]
    assert lines[0] == ["epoch", "lr", "0.1", "lr", "0.7", "lr", "1.01"]
    assert [line[0] for line in lines[1:]] == [str(epoch) for epoch in range(0, 101, 10)]
    assert lines[1] == ["0", "7.704", "7.704", "7.704"]
    assert lines[-1] == ["100", "0.0678", "0.0678", "266.7"]


@pytest.mark.slow
def test_quiet_leaves_only_the_paths(tmp_path) -> None:
    done = animate(tmp_path, *QUICK, "--quiet", "-o", "a.gif")
    assert (done.returncode, done.stdout, done.stderr) == (0, "a.gif\n", "")


@pytest.mark.slow
def test_each_output_is_written_where_it_was_asked_for(tmp_path) -> None:
    (tmp_path / "my talk").mkdir()
    done = animate(tmp_path, *QUICK, "-o", "my talk/one.GIF", "-o=-two.mp4")
    assert done.returncode == 0
    assert done.stdout == "my talk/one.GIF\n-two.mp4\n"
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert found == ["-two.mp4", "my talk/one.GIF"]


def test_json_is_one_report_instead_of_the_paths(tmp_path) -> None:
    done = animate(tmp_path, *QUICK, "--lrs", "0.7", "1e30", "--json", "-o", "a.gif")
    told = json.loads(done.stdout)
    assert [run["verdict"] for run in told["runs"]] == ["converging", "diverging"]
    assert told["runs"][1]["losses"][-1] in ("inf", "nan")
    data = (tmp_path / "a.gif").read_bytes()
    assert told["outputs"] == [
        {"path": "a.gif", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    ]
    assert told["settings"]["seed"] == 11


def test_a_dry_run_checks_and_tells_but_writes_nothing(tmp_path) -> None:
    done = animate(tmp_path, "--dry-run")
    assert (done.returncode, done.stdout) == (0, "")
    assert "outputs/convergence.mp4  1280x720" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.quick(6)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lrs", "nan"], "learning rate 'nan' is not a finite number"),
        (["--lrs", "-inf"], "learning rate '-inf' is not a finite number"),
        (["--lrs", "1e400"], "learning rate '1e400' is not a finite number"),
        (["--lrs", "0"], "learning rate '0' is not positive"),
        (["--lrs", "-1e-3"], "learning rate '-1e-3' is not positive"),
        (["--lrs", "fast"], "learning rate 'fast' is not a number"),
        (["--lrs"], "--lrs"),
        (["--lrs", "0.1", "0.10"], "learning rate '0.10' is given twice"),
        (["--lrs", *[str(n / 100) for n in range(1, 14)]], "at most 12"),
        (["--epochs", "0"], "epochs '0'"),
        (["--epochs", "1.5"], "epochs '1.5'"),
        (["--epochs", "1e3"], "epochs '1e3'"),
        (["--epochs", "1000000000000"], "GB of memory"),
        (["--size", "720p?"], "size '720p?'"),
        (["--size", "0x0"], "size 0x0"),
        (["--size", "20000x20000"], "16384"),
        (["--size", "320x180"], "give at least"),
        (["--fps", "nan"], "frame rate 'nan'"),
        (["--fps", "1000"], "frame rate '1000'"),
        (["--hold", "-1"], "hold '-1'"),
        (["--loop", "x"], "loop 'x'"),
        (["--seed", "-1"], "seed '-1'"),
        (["--points", "1"], "number of points '1'"),
        (["--noise", "guassian"], "did you mean gaussian?"),
        (["--views", "fti"], "did you mean fit?"),
        (["--start", "1", "x"], "start weight 'x'"),
        (["-o", "film"], "no extension"),
        (["-o", "film.avi"], ".mp4, .webm, .gif"),
        (["-o", "a.gif", "-o", "./a.gif"], "given twice"),
        (["--lr", "1"], "--lr"),
    ],
)
def test_wrong_usage_is_2_with_one_sentence_that_names_the_value(tmp_path, arguments, said) -> None:
    done = animate(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_size_limit_is_kept_by_the_best_film_that_fits_and_the_search_is_told(tmp_path) -> None:
    small = ["--epochs", "20", "--size", "800x450"]
    whole = animate(tmp_path, *small, "-o", "whole.gif")
    limit = (tmp_path / "whole.gif").stat().st_size * 9 // 10
    done = animate(tmp_path, *small, "-o", "a.gif", "--max-size", str(limit))
    assert (whole.returncode, done.returncode, done.stdout) == (0, 0, "a.gif\n")
    assert 0 < (tmp_path / "a.gif").stat().st_size <= limit
    tried = [line for line in done.stderr.splitlines() if line.startswith("a.gif: ")]
    assert tried[0].startswith("a.gif: medium quality, 25 frames a second, 800x450: ")
    assert tried[0].endswith("kB is too large")
    assert any(line.endswith("kB fits") for line in tried)


@pytest.mark.slow
def test_a_limit_that_nothing_keeps_is_1_with_what_it_would_take(tmp_path) -> None:
    (tmp_path / "a.gif").write_bytes(b"old")
    done = animate(tmp_path, *QUICK, "-o", "a.gif", "--max-size", "1kB", "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the limit is 1 kB" in done.stderr
    assert (tmp_path / "a.gif").read_bytes() == b"old"


@pytest.mark.slow
def test_one_output_that_fails_does_not_keep_the_others_from_being_made(tmp_path) -> None:
    fake = fake_ffmpeg(tmp_path, 'case "$*" in *libx264*) exit 9;; esac')
    outputs = ["-o", "one.gif", "-o", "two.mp4", "-o", "three.gif"]
    done = animate(tmp_path, *QUICK, "--quiet", *outputs, IMAGEIO_FFMPEG_EXE=fake)
    assert done.returncode == 1
    assert done.stdout == "one.gif\nthree.gif\n"
    assert "two.mp4" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ffmpeg", "one.gif", "three.gif"]


@pytest.mark.slow
def test_a_stop_while_drawing_has_the_signals_code_and_leaves_the_old_file(tmp_path) -> None:
    (tmp_path / "a.gif").write_bytes(b"old")
    arguments = [sys.executable, "-P", "-m", "animate", "--epochs", "400", "-o", "a.gif"]
    with subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.split()[0] == "400":  # trained: now it draws
                break
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 143
    assert (tmp_path / "a.gif").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.gif"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "closed",
    [
        "2>&- >&- <&-",
        *(
            pytest.param(one, marks=pytest.mark.slow)
            for one in ("2>&1 | true", "| true", "2>&-", ">&-")
        ),
    ],
)
def test_a_closed_stream_changes_nothing(tmp_path, closed) -> None:
    words = [sys.executable, "-P", "-W", "error", "-m", "animate", *QUICK, "-o", "a.gif"]
    line = f"set -o pipefail; {shlex.join(words)} {closed}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_load_neither_torch_nor_matplotlib(tmp_path, argument) -> None:
    code = (
        "import sys; from animate.cli import main\n"
        f"try: main(['{argument}'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout
    assert not set(done.stderr.split()) & {"torch", "matplotlib", "numpy", "rich", "imageio"}


def test_settings_of_films_alone_are_said_to_have_no_effect_on_a_page(run) -> None:
    done = run("--fps", "30", "--epochs", "3", "-o", "a.html")
    assert done.code == 0
    assert [line for line in done.err.splitlines() if "--fps" in line] == [
        "animate: --fps has no effect on a page: it is a setting of a film"
    ]
    beside = run("--views", "bowl", "--epochs", "3", "-o", "b.html", "-o", "b.png")
    assert "--views" not in beside.err
