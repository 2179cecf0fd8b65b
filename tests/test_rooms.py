"""The rooms of the house: which packages there are, and that imports only go down."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import animate

ROOT = Path(animate.__file__).parent
ROOMS = ("system", "training", "drawing", "page", "film", "recipe", "cli")  # from below
BESIDE = {"__init__.py", "__main__.py", "problems.py", "views.py", "writer.py", "py.typed"}


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of all that a module imports, wherever in the module it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: give the whole name"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def test_there_are_seven_rooms_and_little_else() -> None:
    found = {entry.name for entry in ROOT.iterdir() if entry.name != "__pycache__"}
    assert found == {*ROOMS, *BESIDE}


@pytest.mark.quick(3)
@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_rooms_below_it(room: str) -> None:
    allowed = {*ROOMS[: ROOMS.index(room) + 1]}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sorted(ROOT.joinpath(room).rglob("*.py"))
        for line, name in imported(path)
        if name.startswith("animate") and name.partition(".")[2].split(".")[0] not in allowed
    ]
    assert wrong == []


def test_training_and_drawing_keep_apart() -> None:
    loaded = {
        name.split(".")[0]
        for path in ROOT.joinpath("training").rglob("*.py")
        for _, name in imported(path)
    }
    assert "matplotlib" not in loaded
    drawn = {
        (path.name, name)
        for path in ROOT.joinpath("drawing").rglob("*.py")
        for _, name in imported(path)
        if name.startswith(("torch", "animate.training.descent", "animate.training.loop"))
    }
    assert drawn == set()


def test_encoders_see_only_frames_and_a_rate() -> None:
    wrong = {
        (path.name, name)
        for path in ROOT.joinpath("film", "encode").rglob("*.py")
        for _, name in imported(path)
        if name.startswith("animate.")
        and not name.startswith(("animate.system", "animate.film.encode"))
    }
    assert wrong == set()
