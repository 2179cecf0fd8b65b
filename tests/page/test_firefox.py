"""The page in Firefox: reading, dragging, links, Back, print."""

import itertools
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import skip_or_fail
from firefox import Firefox, find_firefox, launch

from animate import Line, train

pytestmark = pytest.mark.slow
VERDICTS = "[...document.querySelectorAll('.verdict')].map((one) => one.textContent)"


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    path = find_firefox()
    if path is None:
        skip_or_fail("there is no Firefox; on Debian: apt-get install firefox-esr")
    with launch(path, tmp_path_factory.mktemp("firefox")) as firefox:
        yield firefox
        assert firefox.events == []


@pytest.fixture
def url(lesson: str, tmp_path: Path) -> str:
    path = tmp_path / "lesson.html"
    path.write_text(lesson, encoding="utf-8")
    return path.as_uri()


def type_rate(firefox: Firefox, rate: object) -> None:
    firefox.evaluate(
        "(() => { const exact = document.getElementById('exact'); exact.focus();"
        f" exact.value = '{rate}'; for (const type of ['input', 'change'])"
        " exact.dispatchEvent(new Event(type, {bubbles: true})); })()"
    )


def test_verdicts_are_those_of_torch(firefox, url) -> None:
    firefox.open(f"{url}#epoch=100")
    firefox.wait_for("document.querySelectorAll('.verdict').length === 3")
    for run in train(Line.sample(seed=11), [0.0123, 0.3, 0.76, 1.2, 5]):
        type_rate(firefox, str(run.lr).replace(".", ","))
        shown = firefox.evaluate(VERDICTS)[0].lstrip("✓✗ ")
        sentence = run.diagnosis.sentence
        assert sentence.startswith(shown)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (700, 500), (390, 664)])
def test_a_drag_by_single_pixels_leaves_no_gap(firefox, url, width, height) -> None:
    firefox.open(f"{url}#epoch=100&lr=0.5&run=1", width, height)
    firefox.wait_for("document.querySelector('.verdict') && document.querySelector('#bowl path')")
    firefox.evaluate(
        "(() => { window.rates = []; const exact = document.getElementById('exact');"
        " document.getElementById('rate').addEventListener('input', () =>"
        " rates.push(Number(exact.value))); })()"
    )
    left, top, track, tall, share = firefox.evaluate(
        "(() => { const rate = document.getElementById('rate');"
        " const {left, top, width, height} = rate.getBoundingClientRect();"
        " return [left, top, width, height, rate.value / rate.max]; })()"
    )
    start = left + 12 + share * (track - 24)
    pixels = round(0.22 * (track - 24))
    firefox.drag([(start + i, top + tall / 2) for i in range(pixels)])
    rates = sorted(firefox.evaluate("rates"))
    assert rates[0] < 0.52
    assert rates[-1] > 1.2
    around = [rate for rate in rates if rate <= 1.25]
    assert max(b / a for a, b in itertools.pairwise(around)) <= 1.03
    is_visible = (
        "['rate', 'bowl'].every((id) => { const {top, bottom, height} ="
        " document.getElementById(id).getBoundingClientRect();"
        " return height > 0 && top >= -1 && bottom <= innerHeight + 1; })"
    )
    assert firefox.evaluate(is_visible)


def test_back_shows_what_the_address_says(firefox, url) -> None:
    firefox.open(f"{url}#lr=0.2&epoch=5")
    firefox.wait_for("document.querySelectorAll('.verdict').length === 1")
    firefox.evaluate("void (location.hash = '#lr=0.4,0.5&epoch=9')")
    firefox.wait_for("document.querySelectorAll('.verdict').length === 2")
    firefox.go(-1)
    firefox.wait_for("document.getElementById('epoch-text').textContent === '5 of 100'")
    assert firefox.evaluate("document.getElementById('exact').value") == "0.2"


def test_it_plays(firefox, url) -> None:
    firefox.open(f"{url}#epoch=97")
    firefox.wait_for("document.querySelectorAll('.verdict').length === 3")
    firefox.evaluate("void document.getElementById('play').click()")
    firefox.wait_for("document.getElementById('epoch-text').textContent === '100 of 100'")


def texts(pdf: bytes) -> str:
    """Return the texts that the pages of a PDF draw, in Latin letters."""
    drawn = []
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            content = zlib.decompress(match[1].strip(b"\r\n"))
        except zlib.error:
            continue
        for shown in re.findall(rb"([^\n]*)\n?\]?T[jJ]\b", content):
            drawn.append(b"".join(re.findall(rb"\(((?:\\.|[^()\\])*)\)", shown)))
    return b"\n".join(drawn).decode("latin-1")


def test_charts_are_printed_with_their_texts_and_no_controls(firefox, url) -> None:
    firefox.open(f"{url}#epoch=12")
    firefox.wait_for("document.querySelectorAll('.verdict').length === 3")
    printed = texts(firefox.print())
    for of_chart in ("error, steepest axis", "never", "later"):
        assert of_chart in printed
    for of_control in ("Play", "Tasks", "Curve", "Add a run", "Show the answer"):
        assert of_control not in printed
