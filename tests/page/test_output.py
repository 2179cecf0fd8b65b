"""The page as an output, from the command line and from Python."""

import json
import re
from pathlib import Path

from animate import Animation
from animate.page import page


def test_the_command_writes_the_page(run, tmp_path) -> None:
    done = run(
        "--lrs", "0.1", "0.7", "--epochs", "20", "--quiet", "-o", "my lesson.html", "-o", "r.json"
    )
    assert (done.code, done.out, done.err) == (0, "my lesson.html\nr.json\n", "")
    assert (tmp_path / "my lesson.html").read_text().startswith("<!DOCTYPE html>")
    assert json.loads((tmp_path / "r.json").read_text())["outputs"][0]["path"] == "my lesson.html"
    assert run("--verify", "r.json").code == 0


def test_python_saves_the_same_page(runs, tmp_path) -> None:
    Animation(runs, title="A & B").save(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == page(runs, title="A & B")


def test_a_dark_theme_makes_a_dark_page_and_others_follow_the_reader(run, tmp_path) -> None:
    for theme, initial in (("dark", "dark"), ("light", "auto"), ("transparent", "auto")):
        assert run("--theme", theme, "--quiet", "-o", "a.html").code == 0
        text = Path(tmp_path, "a.html").read_text()
        assert re.search(r'data-theme="(\w+)"|color-scheme', text)
        assert f'"theme":"{initial}"' in text.replace(" ", "")


def test_too_many_points_are_refused_before_training(run, tmp_path) -> None:
    done = run("--points", "100000", "-o", "a.html")
    assert done.code == 2
    assert "a.html: " in done.err
    assert not list(tmp_path.iterdir())
