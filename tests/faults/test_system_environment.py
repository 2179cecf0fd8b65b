"""Rows 31 and 32: wherever and however often it is run, the same picture and the same bytes."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from animate.system import environment

# The two sizes are two pictures, and so two workers'.
JOB = [
    *("--epochs", "4", "--hold", "0", "--duration", "0.4", "--lrs", "0.1", "1.01"),
    *("--theme", "dark", "-o", "a.mp4", "-o", "a.gif", "-o", "a.svg", "-o", "a.pdf"),
]
ODD = {
    "MPLBACKEND": "nonsense",
    "MPLCONFIGDIR": "",
    "MATPLOTLIBRC": "odd",
    "PYTHONWARNINGS": "error",
    "PYTHONHASHSEED": "7",
    "PYTHONIOENCODING": "ascii",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "TZ": "Pacific/Chatham",
    "TERM": "",
    "COLUMNS": "3",
    "HOME": "/dev/null",
    "XDG_CACHE_HOME": "/dev/null/cache",
    "XDG_CONFIG_HOME": "/proc/1/no",
    "OMP_NUM_THREADS": "3",
    "OPENBLAS_NUM_THREADS": "1",
    "SOURCE_DATE_EPOCH": "12345",
}
MATPLOTLIBRC = (
    "figure.dpi: 31\nsavefig.dpi: 17\nfont.family: cursive\nlines.linewidth: 9\naxes.grid: True\n"
    "text.usetex: True\nsvg.hashsalt: x\nno.such.setting: 1\nbackend: nonsense\npath.simplify: 0\n"
    "axes.unicode_minus: False\ntext.hinting: none\nsavefig.bbox: tight\n"
)


def run(folder: Path, settings: dict[str, str], before: list[str] | None = None, end: str = ""):
    words = [sys.executable, "-P", "-m", "animate", *JOB]
    line = f'exec "$@" {end}'
    return subprocess.run(
        ["bash", "-c", line, "bash", *(before or []), *words],
        cwd=folder, env=os.environ | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip


def sums(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob("a.*"))
    }


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> tuple[dict[str, str], str]:
    folder = tmp_path_factory.mktemp("plain")
    done = run(folder, {"PYTHONHASHSEED": "1"})
    assert done.returncode == 0, done.stderr
    return sums(folder), done.stderr


@pytest.mark.slow
def test_no_setting_of_a_user_changes_a_byte_or_a_word(plain, tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text(MATPLOTLIBRC)
    (tmp_path / "odd").write_text(MATPLOTLIBRC)
    done = run(tmp_path, ODD)
    assert (done.returncode, done.stdout.split()) == (0, JOB[JOB.index("-o") + 1 :: 2])
    assert done.stderr == plain[1].replace("\u2212", "\\u2212").replace("∞", "\\u221e")
    assert sums(tmp_path) == plain[0]


@pytest.mark.slow
def test_one_core_gives_the_same_bytes_and_closed_streams_too(plain, tmp_path: Path) -> None:
    pinned = ["taskset", "-c", "0"] if sys.platform == "linux" else []
    done = run(tmp_path, {"PYTHONHASHSEED": "2"}, before=pinned, end=">&- 2>&-")
    assert done.returncode == 0
    assert len(plain[0]) == 4
    assert sums(tmp_path) == plain[0]


@pytest.mark.parametrize("ruined", [b"\xff\xfe", b"font.size: many\n"])
def test_a_matplotlibrc_in_the_folder_is_not_read(tmp_path: Path, ruined: bytes) -> None:
    (tmp_path / "matplotlibrc").write_bytes(ruined)
    code = (
        "from animate.system import environment; environment.isolate();"
        "environment.import_matplotlib();"
        "import matplotlib; print(matplotlib.matplotlib_fname(), matplotlib.rcParams['font.size'])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", code],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split()[-1] == "10.0"
    assert done.stderr == ""


def test_without_a_home_matplotlib_gets_a_private_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "file" / "in"))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    environment.isolate()
    folder = Path(os.environ["MPLCONFIGDIR"])
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
    (tmp_path / "animate-1").mkdir()
    monkeypatch.setattr("os.getuid", lambda: 1)  # whose folder somebody else has made
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "file" / "in"))
    environment.isolate()
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "file" / "in")


def test_a_home_that_can_be_written_is_left_alone(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    environment.isolate()
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "cache" / "matplotlib")
