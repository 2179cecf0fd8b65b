"""How the scripts install .venv, with a stand-in for Python that is quick and can be stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"
INSTALLING = "installing into {}/.venv: this takes a minute or two, once\n"

# Its environments' python is the stand-in too. It logs what it does, and pip can take its time.
STAND_IN = f"""#!/usr/bin/env bash
case "$1 $2" in
    "-c "*) exec '{sys.executable}' "$@" ;;
    "-m venv")
        mkdir -p "$3/bin"
        cp "$0" "$3/bin/python"
        echo venv >>"$LOG"
        exec sleep "$SLOW_VENV" ;;
    "-m pip")
        echo "pip${{PIP_TARGET:-}}${{PYTHONPATH:-}} ${{@: -1}}" >>"$LOG"
        sleep "$SLOW_PIP"
        echo installed >>"$LOG" ;;
    "-P -m") echo "$@" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "a project"
    shutil.copytree(SCRIPTS, root / "scripts", ignore=shutil.ignore_patterns("node_modules"))
    (root / "pyproject.toml").write_text("")
    (root / "constraints.txt").write_text("")
    stand_in = tmp_path / "python"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    return root


def start(
    project: Path, *command: Path | str, slow_venv: float = 0, slow_pip: float = 0, **settings: str
) -> subprocess.Popen[str]:
    base = {
        "PATH": os.environ["PATH"],
        "PYTHON": str(project.parent / "python"),
        "LOG": str(project.parent / "log"),
        "SLOW_VENV": str(slow_venv),
        "SLOW_PIP": str(slow_pip),
    }
    return subprocess.Popen(
        command or [project / "scripts/run", "--lrs", "0.1"],
        env=base | settings,
        cwd=project.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell ignores SIGINT in what it starts in the background, such as this test run.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def prepare(project: Path, extra: str) -> None:
    script = f'set -eu; root=$1; . "$root/scripts/environment.sh"; prepare {extra}'
    assert finish(start(project, "bash", "-c", script, "bash", project))[0] == 0


def log(project: Path, *, clear: bool = True) -> list[str]:
    """Return what the stand-in has done since the log was last cleared."""
    path = project.parent / "log"
    lines = path.read_text().splitlines() if path.exists() else []
    if clear:
        path.unlink(missing_ok=True)
    return lines


def test_the_program_runs_with_its_arguments_and_is_installed_once(project: Path) -> None:
    for message in (INSTALLING.format(project), ""):
        assert finish(start(project)) == (0, "-P -m animate --lrs 0.1\n", message)
    assert log(project) == ["venv", f"pip {project}[datasets]", "installed"]


def test_settings_that_would_install_elsewhere_are_ignored(project: Path) -> None:
    finish(start(project, PYTHONPATH="/elsewhere", PIP_TARGET="/elsewhere"))
    assert f"pip {project}[datasets]" in log(project)


def test_two_at_once_install_once(project: Path) -> None:
    both = [start(project, slow_pip=0.5) for _ in range(2)]
    assert [finish(process)[:2] for process in both] == [(0, "-P -m animate --lrs 0.1\n")] * 2
    assert log(project) == ["venv", f"pip {project}[datasets]", "installed"]


@pytest.mark.quick(2)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("slow", ["slow_venv", "slow_pip"])
def test_an_interrupted_installation_is_repeated_from_scratch(
    project: Path, slow: str, number: signal.Signals
) -> None:
    process = start(project, **{slow: 60})
    begun = time.monotonic()
    while len(log(project, clear=False)) < (1 if slow == "slow_venv" else 2):
        assert time.monotonic() < begun + 10
        time.sleep(0.02)
    os.killpg(process.pid, number)
    assert finish(process)[:2] == (-number, "")
    log(project)
    assert finish(start(project))[0] == 0
    assert log(project) == ["venv", f"pip {project}[datasets]", "installed"]


@pytest.mark.quick(1)
@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_are_installed_into_the_same_environment(
    project: Path, name: str
) -> None:
    finish(start(project))
    log(project)
    (project / name).write_text("changed")
    assert finish(start(project))[0] == 0
    assert log(project) == [f"pip {project}[datasets]", "installed"]


def test_a_moved_checkout_is_installed_from_scratch(project: Path) -> None:
    finish(start(project))
    log(project)
    moved = project.rename(project.with_name("moved"))
    assert finish(start(moved)) == (0, "-P -m animate --lrs 0.1\n", INSTALLING.format(moved))
    assert log(moved) == ["venv", f"pip {moved}[datasets]", "installed"]


def test_an_extra_includes_the_smaller_ones_and_is_kept_by_them(project: Path) -> None:
    prepare(project, "dev")
    assert log(project) == ["venv", f"pip {project}[dev]", "installed"]
    prepare(project, "test")
    prepare(project, "base")
    assert log(project) == []
    (project / "constraints.txt").write_text("changed")
    prepare(project, "test")
    prepare(project, "dev")
    assert [line for line in log(project) if line != "installed"] == [
        f"pip {project}[test]",
        f"pip {project}[dev]",
    ]


def test_a_script_is_found_through_a_link_whatever_cdpath_says(project: Path) -> None:
    (project.parent / "decoy/scripts").mkdir(parents=True)
    (project.parent / "link").symlink_to("a project/scripts/run")
    decoy = str(project.parent / "decoy")
    assert finish(start(project, "./link", CDPATH=decoy))[1] == "-P -m animate\n"
    assert finish(start(project, "bash", "a project/scripts/run", CDPATH=decoy))[0] == 0
