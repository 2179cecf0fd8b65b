"""What the README tells people to type does what it says."""

import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SHELL = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
RUNS = [line for line in SHELL if line.startswith("./scripts/run")]


@pytest.mark.parametrize("line", RUNS)
def test_each_command_works(line: str, tmp_path: Path) -> None:
    arguments = shlex.split(line)[1:]
    if not {"-o", "--help"} & set(arguments):
        arguments.append("--dry-run")  # the default job, which .ci/run does
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-m", "animate", *arguments],
        cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for option, path in itertools.pairwise(arguments):
        if option == "-o":
            assert (tmp_path / path).stat().st_size > 10_000


def test_every_command_is_of_a_script_that_exists() -> None:
    scripts = {shlex.split(line)[0] for line in SHELL}
    assert scripts == {"./scripts/run", "./scripts/test"}


def test_the_python_code_runs_as_written(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        if "IPython" not in block:  # only there in a notebook
            exec(compile(block, "README.md", "exec"), names)
    assert "1.01 diverging: past the limit 0.9985" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"lesson.mp4", "lesson.gif", "slope.gif"}
