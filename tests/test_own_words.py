"""Labels of the runs, and alternative text."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from command import QUIET
from command import animate as command
from matplotlib.text import Text
from PIL import ExifTags, Image

import animate
from animate import Animation, Hyperparameters, InputError, Line, train
from animate.drawing.scene import Scene
from animate.recipe import Output, Recipe
from animate.recipe.toml import dumps, loads

WORDS = ("Slow", "Fast", "Broken")
ALT = 'Three "lines" <fit> & one\nleaves 学'
ONE_LINE = 'Three "lines" <fit> & one leaves 学'


def test_labels_name_the_runs_in_their_order() -> None:
    recipe = Recipe(labels=WORDS)
    assert [(one.lr, one.label) for one in recipe.hyperparameters] == [
        (0.1, "Slow"), (0.7, "Fast"), (1.01, "Broken"),
    ]  # fmt: skip


def test_labels_stand_in_the_picture_and_in_the_report(run, tmp_path) -> None:
    done = run(*QUIET, "--labels", *WORDS, "-o", "a.png", "-o", "a.svg", "-o", "a.json")
    assert done.code == 0
    svg = (tmp_path / "a.svg").read_text()
    assert all(f"<!-- {word} -->" in svg for word in WORDS)
    assert "learning rate" not in svg.replace("does the learning rate do", "")
    report = json.loads((tmp_path / "a.json").read_text())
    assert [one["hyperparameters"]["label"] for one in report["runs"]] == list(WORDS)


@pytest.mark.parametrize("labels", [["Slow"], ["a", "b", "c", "d"]])
def test_another_number_of_labels_than_of_runs_is_refused(run, tmp_path, labels) -> None:
    done = run(*QUIET, "--labels", *labels, "-o", "a.png")
    assert done.code == 2
    counted = "1 label" if len(labels) == 1 else f"{len(labels)} labels"
    assert f"{counted} for 3 runs; give one for each run" in done.err
    assert not (tmp_path / "a.png").exists()


def test_an_empty_label_is_refused(run) -> None:
    done = run(*QUIET, "--labels", "a", " ", "c", "-o", "a.png")
    assert done.code == 2
    assert "label" in done.err


def test_labels_replace_those_of_a_recipes_runs() -> None:
    text = '[[run]]\nlr = 0.1\nlabel = "old"\n[[run]]\nlr = 0.7\n'
    assert [one.label for one in loads(text, "a.toml").hyperparameters] == ["old", None]
    recipe = loads(text, "a.toml", overrides={"labels": ["new", "other"]})
    assert [one.label for one in recipe.hyperparameters] == ["new", "other"]


def test_a_wrong_number_of_labels_is_found_in_the_file() -> None:
    with pytest.raises(InputError, match=r"a\.toml, line 2: 1 label for 3 runs"):
        loads('epochs = 3\nlabels = ["one"]\n', "a.toml")


def test_an_output_of_its_own_rates_has_its_own_labels() -> None:
    own = Output("b.png", {"lrs": [0.2], "labels": ["Mine"]})
    recipe = Recipe(labels=WORDS, outputs=["a.png", own])
    assert [one.label for one in recipe.by_output[1].hyperparameters] == ["Mine"]
    assert len(recipe.trained) == 4
    with pytest.raises(InputError, match="3 labels for 1 run"):
        Recipe(labels=WORDS, outputs=["a.png", Output("b.png", {"lrs": [0.2]})])


def test_labels_and_alt_are_written_to_a_recipe_and_read_again() -> None:
    recipe = Recipe(labels=WORDS, alt=ALT, title="one\ntwo")
    again = loads(dumps(recipe), "a.toml")
    assert (again.labels, again.alt, again.title) == (WORDS, ALT, "one\ntwo")


@pytest.mark.slow
def test_a_report_with_labels_is_verified(tmp_path) -> None:
    made = command(tmp_path, *QUIET, "--labels", *WORDS, "-o", "a.gif", "-o", "a.json")
    assert made.returncode == 0, made.stderr
    verified = command(tmp_path, "--verify", "a.json")
    assert verified.returncode == 0, verified.stderr


def test_a_still_holds_its_alternative_text(run, tmp_path) -> None:
    outputs = [
        part for suffix in ("png", "jpg", "svg", "pdf", "html") for part in ("-o", f"a.{suffix}")
    ]
    assert run(*QUIET, "--title", "Mine", "--alt", ALT, *outputs).code == 0
    with Image.open(tmp_path / "a.png") as png:
        assert png.text == {"Title": "Mine", "Description": ONE_LINE}
    with Image.open(tmp_path / "a.jpg") as jpeg:
        written = jpeg.getexif()[ExifTags.Base.ImageDescription]
    assert written.encode("latin-1").decode() == ONE_LINE  # Pillow reads EXIF as Latin-1
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    svg = "{http://www.w3.org/2000/svg}"
    assert (root.findtext(f"{svg}title"), root.findtext(f"{svg}desc")) == ("Mine", ONE_LINE)
    assert root.get("role") == "img"
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert b"/Title (Mine)" in pdf
    assert b"/Subject" in pdf
    assert Descriptions.of((tmp_path / "a.html").read_text()) == [ONE_LINE]


class Descriptions(HTMLParser):
    @classmethod
    def of(cls, page: str) -> list[str]:
        parser = cls()
        parser.found = []
        parser.feed(page)
        return parser.found

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        if tag == "meta" and given.get("name") == "description":
            self.found.append(given["content"])


def test_the_same_alternative_text_gives_the_same_bytes(tmp_path) -> None:
    film = animate.Animation(animate.train(Line.sample(), 0.1, 3))
    for suffix in ("png", "svg", "pdf"):
        files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
        for file in files:
            film.save(file, alt=ALT)
        assert files[0].read_bytes() == files[1].read_bytes()


def test_without_an_alternative_text_a_still_holds_none(tmp_path) -> None:
    animate.Animation(animate.train(Line.sample(), 0.1, 3)).save(tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert not any(word in text for word in ("<title>", "<desc>", 'role="img"'))


def test_embedding_uses_the_alternative_text(run) -> None:
    done = run(*QUIET, "-o", "a.gif", "--alt", ALT, "--embed", "md")
    assert done.out == f"![{ONE_LINE}](a.gif)\n"


def test_a_film_takes_no_alternative_text(tmp_path) -> None:
    film = animate.Animation(animate.train(Line.sample(), Hyperparameters(0.1), 3))
    with pytest.raises(InputError, match=r"a\.gif is a film, which stores no alternative text"):
        film.save(tmp_path / "a.gif", alt="words")


def test_importing_and_help_load_no_matplotlib() -> None:
    code = "import sys, animate.cli; from animate.cli.arguments import parse; " + (
        "import animate.recipe; animate.recipe.Recipe(theme='ggplot'); "
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_a_control_character_in_the_alternative_text_leaves_an_svg_readable(runs, tmp_path) -> None:
    Animation(runs, "loss").save(tmp_path / "a.svg", at=0, alt="a\x01b")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.findtext("{http://www.w3.org/2000/svg}desc") == "a▯b"


def test_own_labels_stand_in_a_panel_as_they_are(problem) -> None:
    runs = train(problem, [Hyperparameters(0.1, label="high learning rate"), Hyperparameters(0.7)])
    (axes,) = Scene(runs, "losses").figure.axes
    names = {artist.get_text() for artist in axes.findobj(Text)}
    assert "high learning rate" in names


def test_a_library_caller_reads_of_missing_characters_in_the_log(runs, tmp_path, caplog) -> None:
    film = Animation(runs, "loss", (640, 360), title="学习率", timeline=[0])
    for name, at in (("a.png", 0), ("b.png", [0, 8]), ("a.gif", None)):
        caplog.clear()
        film.save(tmp_path / name, at=at)
        ((logger, _, said),) = caplog.record_tuples
        assert logger == "animate"
        assert re.match(r"the font lacks 学 习 率, drawn as ▯; .* font=FILE$", said)
