"""The scripts' own environment, made by a stand-in for Python that is quick and can be stopped."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"

# Makes an "environment" whose python notes its arguments and settings, and may take its time.
STAND_IN = """#!/usr/bin/env bash
case "$1 $2" in
    "-c "*) exit 0 ;;
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && [ -z "$SLOW_VENV" ] || sleep 60 ;;
    "-m pip")
        env | grep -E '^(PIP_|PYTHON|TMPDIR)' >>"$NOTES"
        touch "$TMPDIR/unpacked"
        mkdir -p "$EGG_INFO"
        [ -z "$SLOW_PIP" ] || { echo ready >>"$NOTES"; sleep 60; } ;;
    "-P -m") echo "$@" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "a project"
    shutil.copytree(SCRIPTS, root / "scripts")
    (root / "pyproject.toml").write_text("")
    (root / "constraints.txt").write_text("")
    stand_in = tmp_path / "python"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    return root


def start(project: Path, script: Path | str | None = None, **settings: str) -> subprocess.Popen:
    base = {
        "PATH": os.environ["PATH"],
        "PYTHON": str(project.parent / "python"),
        "NOTES": str(project.parent / "notes"),
        "EGG_INFO": str(project / "animate.egg-info"),
        "SLOW_VENV": "",
        "SLOW_PIP": "",
    }
    return subprocess.Popen(
        [script or project / "scripts/run", "--lrs", "0.1"],
        env=base | settings,
        cwd=project.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def names(project: Path) -> set[str]:
    return {path.name for path in project.iterdir()} - {"scripts", "pyproject.toml"}


def test_the_program_is_run_with_its_arguments_and_installed_once(project: Path) -> None:
    for said in (f"installing into {project}/.venv: this takes a minute or two, once\n", ""):
        process = start(project)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "-P -m animate --lrs 0.1\n", said)
    assert names(project) == {".venv", "constraints.txt", "animate.egg-info"}


def test_settings_that_would_install_elsewhere_are_left_out(project: Path) -> None:
    names = ("TARGET", "PREFIX", "ROOT", "USER", "PYTHON", "DRY_RUN", "NO_DEPS", "PLATFORM")
    process = start(
        project,
        PIP_INDEX_URL="https://packages.example/simple",
        PYTHONPATH="/elsewhere",
        **{f"PIP_{name}": "1" for name in names},
    )
    process.communicate(timeout=20)
    noted = (project.parent / "notes").read_text().splitlines()
    assert [line.split("=")[0] for line in sorted(noted) if "PYTHON=" not in line] == [
        "PIP_INDEX_URL",
        "TMPDIR",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("whole_group", [True, False])
@pytest.mark.parametrize("slow", ["SLOW_VENV", "SLOW_PIP"])
def test_an_interrupted_installation_leaves_nothing(
    project: Path, slow: str, whole_group: bool, number: signal.Signals
) -> None:
    notes = project.parent / "notes"
    process = start(project, **{slow: "1"})
    begun = time.monotonic()
    while not (notes if slow == "SLOW_PIP" else project / ".venv/bin/python").exists():
        assert time.monotonic() < begun + 10
        time.sleep(0.02)
    time.sleep(0.1)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 128 + number
    assert err.splitlines()[1:] == ["interrupted or failed; nothing is left half-installed"]
    assert names(project) == {"constraints.txt"}


def test_the_lock_of_a_process_that_is_gone_holds_nobody_up(project: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (project / ".venv.lock").symlink_to(str(gone.pid))
    process = start(project)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert names(project) == {".venv", "constraints.txt", "animate.egg-info"}


def test_a_script_is_found_through_a_link_whatever_cdpath_says(project: Path) -> None:
    (project.parent / "decoy/scripts").mkdir(parents=True)
    (project.parent / "link").symlink_to("a project/scripts/run")
    process = start(project, "./link", CDPATH=str(project.parent / "decoy"))
    out, _ = process.communicate(timeout=20)
    assert out == "-P -m animate --lrs 0.1\n"
    process = subprocess.run(
        ["bash", "scripts/run"],
        cwd=project,
        env={"PATH": os.environ["PATH"], "CDPATH": str(project.parent / "decoy")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout == "-P -m animate\n"
