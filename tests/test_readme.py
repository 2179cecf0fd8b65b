"""What the README tells people to type does what it says."""

import re
import shlex
from pathlib import Path

import pytest

from animate.cli.arguments import parse
from animate.drawing.stills import FORMATS as STILLS
from animate.drawing.views import VIEWS
from animate.film.encode import FORMATS
from animate.recipe import OTHER_FORMS, SETTINGS
from animate.recipe.settings import table
from animate.recipe.toml import named

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
SHORTER = ["--epochs", "40", "--hold", "0", "--duration", "1", "--quiet"]
RUNS = [line for line in SHELL if line.startswith("./scripts/run")]


@pytest.fixture
def folder(run, tmp_path: Path) -> Path:
    """Return a folder with the files that the README's commands read."""
    (recipe,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "talk.toml").write_text(recipe, encoding="utf-8")
    points = [f"{hour},{3 * hour + hour % 7}" for hour in range(40)]
    (tmp_path / "points.csv").write_text("hours,score\n" + "\n".join(points) + "\n")
    (lesson,) = re.findall(r"```python\n([^`]*def problem.*?)```", README, re.DOTALL)
    (tmp_path / "lesson.py").write_text(lesson, encoding="utf-8")
    if any("--verify" in line for line in RUNS):
        assert run("-o", "run.json", "--epochs", "1", "--quiet").code == 0
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("line", RUNS)
def test_each_command_works(line: str, run, folder: Path) -> None:
    shorter = [] if "--verify" in line or "--list-recipes" in line else SHORTER
    done = run(*shlex.split(line)[1:], *shorter)
    assert done.code == 0, done.err
    if shorter and "--embed" not in line and "--help" not in line:
        assert done.out
        assert all((folder / path).exists() for path in done.out.splitlines())


def test_every_command_is_of_a_script_that_exists() -> None:
    scripts = {shlex.split(line)[0] for line in SHELL}
    assert scripts == {"./scripts/run", "./scripts/test"}
    assert all((ROOT / script).stat().st_mode & 0o111 for script in scripts)


def test_every_picture_of_the_readme_is_in_the_gallery_and_made_by_its_recipe() -> None:
    shown = set(re.findall(r"outputs/gallery/[\w.-]+", README))
    made = {part.path for part in named("animate:gallery").by_output}
    assert shown == made | {"outputs/gallery/page.png"}  # which scripts/screenshot_page makes
    assert all((ROOT / path).stat().st_size > 0 for path in shown)


@pytest.mark.slow
def test_the_python_code_runs_as_written(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert "1.01 diverging: past the limit 0.9985" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {
        "lesson.mp4", "lesson.gif", "end.svg", "anybodys.gif", "anybodys.mp4", "mine.gif",
        "slope.gif", "digits.gif",
    }  # fmt: skip


def test_the_table_of_settings_is_that_of_the_declarations() -> None:
    assert table(SETTINGS.values()) in README


def test_the_table_of_views_has_each_view() -> None:
    rows = re.search(r"\| view \| shows \|\n\|---\|---\|\n((?:\|.*\n)+)", README)[1].splitlines()
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])] == [*VIEWS]


def test_every_extension_is_named_in_the_readme_and_in_the_help(capsys) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    help_ = " ".join(capsys.readouterr().out.split())
    (readme,) = re.findall(r"Each `-o` is one file.*?\n\n", README, re.DOTALL)
    for extension in (*FORMATS, *STILLS, *OTHER_FORMS):
        assert extension == "/" or f"`{extension}`" in readme
        assert extension in re.search(r"file to write: .*? may be given", help_)[0]
