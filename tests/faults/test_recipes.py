"""Row 29: recipes that are none."""

import os
from pathlib import Path

import pytest
from inside import SHORT, command, names

from animate.recipe import toml

WRONG = [
    (b"lrz = [0.1]", "bad.toml, line 1: there is no setting 'lrz'; did you mean lrs?"),
    (b"epochs = 8\n\nsead = 3", "bad.toml, line 3: there is no setting 'sead'; did you mean seed?"),
    (b"epochs = '8'", "bad.toml, line 1: epochs = '8' is not a whole number"),
    (b"lrs = [true]", "bad.toml, line 1"),
    (b"seed = 1\nlrs = [0.1, nan]", "bad.toml, line 2: learning rate nan"),
    (b"seed = 1\nseed = 2\n", "bad.toml is not TOML: Cannot overwrite a value (at line 2"),
    (b"seed = ", "bad.toml is not TOML"),
    (b"title = '\xff'", "bad.toml is not text in UTF-8"),
    (b"\x00", "bad.toml is not TOML"),
    (b"[[output]]\npath = 3", "bad.toml, line 2: each output needs a path"),
    (b"[[output]]\npath = 'a.gif'\nfsp = 3", "bad.toml, line 3: there is no setting 'fsp'"),
    (b"[output]\npath = 'a.gif'", "give each output as a table, [[output]]"),
    (b"[[output]]\npath = 'a.gif'\nseed = 3", "bad.toml, line 3: seed is of the whole recipe"),
    (b"[[output]]\npath = 'a.avi'", "unknown extension .avi"),
    (b"x" * 1_000_001, "bad.toml is larger than 1 MB"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_wrong_recipe_is_2_with_file_and_line_and_nothing_is_made(
    tmp_path: Path, text: bytes, said: str
) -> None:
    (tmp_path / "bad.toml").write_bytes(text)
    ended = command(tmp_path, "bad.toml")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err
    assert names(tmp_path) == ["bad.toml"]


def test_a_recipe_of_100_mb_is_not_read(tmp_path: Path, monkeypatch) -> None:
    with (tmp_path / "bad.toml").open("wb") as file:
        file.truncate(100_000_000)

    def read(*_: object, **__: object) -> str:
        raise AssertionError("it was read")

    monkeypatch.setattr(toml.Path, "read_text", read)
    monkeypatch.setattr(toml, "shipped", dict)
    ended = command(tmp_path, "bad.toml")
    assert (ended.code, ended.out) == (2, "")
    assert "bad.toml is larger than 1 MB" in ended.err


def test_a_recipe_that_is_a_folder_or_missing_or_a_pipe_is_2(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    os.mkfifo(tmp_path / "pipe.mplstyle")
    for name in ("folder.toml", "missing.toml", "pipe.toml", "pipe.mplstyle", "none.mplstyle"):
        ended = command(tmp_path, *(["--theme"] if name.endswith("style") else []), name)
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert name in ended.err


def test_a_name_too_long_for_any_file_is_no_recipe(tmp_path: Path) -> None:
    ended = command(tmp_path, "n" * 304 + ".gif")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "there is no recipe 'nnn" in ended.err


def test_a_recipe_writes_where_it_says_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "talk" / "figures").mkdir(parents=True)
    recipe = '[[output]]\npath = "figures/a.png"\n[[output]]\npath = "../b.png"\n'
    (tmp_path / "talk" / "r.toml").write_text(recipe)
    ended = command(tmp_path, "talk/r.toml", *SHORT[:4], "--quiet")
    assert (ended.code, ended.err) == (0, "")
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert found == ["b.png", "talk/figures/a.png"]
