"""The text of the page, without a browser."""

import gzip
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pytest

import animate.page
from animate import InputError, Line, train
from animate.page import page

LARGEST_PAGE, LARGEST_GZIPPED = 150_000, 45_000  # bytes
HOSTILE = "</script><img src=x onerror=alert(1)>&amp;\u2028\"'`${1}$title"


class Texts(HTMLParser):
    """The texts of a document, by the element that holds them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes) -> None:
        self.elements.append((tag, dict(attributes)))
        self._open = tag

    def handle_endtag(self, _tag) -> None:
        self._open = ""

    def handle_data(self, data) -> None:
        self.texts[self._open] = self.texts.get(self._open, "") + data


def config(text: str) -> dict:
    match = re.search(r'<script type="application/json" id="config">(.*?)</script>', text)
    assert match is not None
    return json.loads(match[1])


def test_a_page_is_smaller_than_its_limit(runs, capsys) -> None:
    twelve = train(runs[0].problem, np.geomspace(0.0123456789, 4.987654321, 12).tolist())
    for some in (runs, twelve):
        text = page(some).encode()
        size, gzipped = len(text), len(gzip.compress(text))
        with capsys.disabled():
            print(f"\nthe page of {len(some)} runs: {size} bytes, {gzipped} gzipped")
        assert size < LARGEST_PAGE
        assert gzipped < LARGEST_GZIPPED


def test_the_page_holds_its_sources_with_their_comments(lesson) -> None:
    for source in resources.files(animate.page).iterdir():
        if source.name.endswith((".js", ".css")):
            after_imports = source.read_text(encoding="utf-8").rpartition('.js";\n')[2]
            assert after_imports.replace("\nexport ", "\n") in lesson, source.name


def test_the_page_is_the_same_each_time(runs) -> None:
    assert page(runs) == page(runs)


def test_the_page_loads_nothing(lesson) -> None:
    elements = Texts(lesson).elements
    assert {tag for tag, _ in elements}.isdisjoint({"link", "img", "iframe", "object", "base"})
    for _, attributes in elements:
        assert {"src", "srcset", "href", "action", "onclick"}.isdisjoint(attributes)
    assert "url(#" in lesson  # of a panel's own clip path, the only kind
    code = re.sub(r"/\*.*?\*/", "", lesson, flags=re.DOTALL)
    assert not re.search(r"url\((?!#)|@import|\bfetch\b|\bimport\b", code)


def test_a_hostile_title_stays_text(runs) -> None:
    parsed = Texts(page(runs, title=HOSTILE))
    shown = HOSTILE.replace("\u2028", " ")
    assert parsed.texts["title"] == shown
    assert parsed.texts["h1"] == shown
    assert "img" not in {tag for tag, _ in parsed.elements}
    assert page(runs, title=HOSTILE).count("</script>") == 2


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        (None, "Why the learning rate matters"),
        ("  ", "Why the learning rate matters"),
        ("two\nlines", "two lines"),
        ("a\x00b\ud800c", "a▯b▯c"),
        ("x" * 5000, "x" * 159 + "…"),
        ("مرحبا 👩‍👧", "مرحبا 👩‍👧"),
    ],
)
def test_any_title_can_be_shown(runs, title, shown) -> None:
    assert Texts(page(runs, title=title)).texts["h1"] == shown


def test_the_page_holds_the_data_to_the_last_bit(runs, lesson) -> None:
    import base64

    held, problem = config(lesson), runs[0].problem
    for name, values in (("x", problem.x), ("y", problem.y)):
        decoded = np.frombuffer(base64.b64decode(held[name]), "<f4")
        np.testing.assert_array_equal(decoded, values)
    assert held["rates"] == [0.1, 0.7, 1.01]
    assert held["sampling"] == {"seed": "11", "points": 100, "noise": "uniform"}


def test_the_table_without_javascript_has_every_verdict(overflowing, lesson) -> None:
    assert "<td>diverging: past the limit 0.9985</td><td>266.7</td>" in lesson
    assert "<td>converged at epoch 70</td>" in lesson
    assert re.search(r"past the limit 0.9985</td><td>overflowed at epoch \d+</td>", overflowing)


def test_runs_that_a_page_cannot_show_are_refused(runs, problem) -> None:
    other = train(Line.sample(seed=3), [0.3])
    for wrong, message in (
        ([], "no run to show"),
        ([runs[0], *other], "different problems"),
        ([runs[0], *train(problem, [0.3], epochs=5)], "different numbers of epochs"),
        (train(problem, [0.3], epochs=6000), "6000 epochs are too many"),
        (train(Line.sample(points=6000), [0.3], epochs=1), "6000 points are too many"),
    ):
        with pytest.raises(InputError, match=message):
            page(wrong)
    with pytest.raises(InputError, match="did you mean dark"):
        page(runs, theme="drak")


def test_the_page_needs_no_matplotlib() -> None:
    code = "import animate.page, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0
