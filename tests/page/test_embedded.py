"""An embedded video, for visitors with different preferences; and the page in an iframe."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import QUIET
from playwright.sync_api import BrowserContext, Page, expect

Visit = Callable[..., Page]
STATE = """video => ({
  paused: video.paused,
  file: video.currentSrc.split("/").pop(),
  poster: video.poster.split("/").pop(),
})"""


@pytest.fixture
def visit(context: Callable[..., BrowserContext], tmp_path: Path) -> Iterator[Visit]:
    """Yield a function that opens a page with this text and waits for its video."""
    pages: list[Page] = []
    messages: list[str] = []

    def visit(text: str, **settings: str) -> Page:
        path = tmp_path / "post.html"
        path.write_text(f"<!doctype html><title>Post</title>{text}", encoding="utf-8")
        opened = context(**settings).new_page()
        pages.append(opened)
        opened.on("console", lambda message: messages.append(message.text))
        opened.on("pageerror", lambda error: messages.append(str(error)))
        opened.goto(path.as_uri())
        opened.wait_for_function("document.querySelector('video').readyState > 0")
        return opened

    yield visit
    for opened in pages:
        opened.close()
    assert messages == []


def plays(page: Page) -> bool:
    page.wait_for_function("document.querySelector('video').currentTime > 0")
    return not state(page)["paused"]


def state(page: Page) -> dict[str, object]:
    return page.eval_on_selector("video", STATE)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), [("html", "a.mp4"), ("picture", "it's a.webm")])
def test_a_video_plays_by_itself_unless_reduced_motion_is_preferred(run, visit, kind, name) -> None:
    text = run(*QUIET, "-o", name, "--embed", kind).out
    assert plays(visit(text, reduced_motion="no-preference"))
    still = visit(text, reduced_motion="reduce")
    assert state(still)["paused"]
    still.click("video")
    assert plays(still)


@pytest.mark.slow
def test_without_its_handler_the_video_plays_on_a_click(run, visit) -> None:
    text = run(*QUIET, "-o", "a.mp4", "--embed", "html").out
    stripped, count = re.subn(r' onloadstart="[^"]*"', "", text)
    assert count == 1
    opened = visit(stripped, reduced_motion="no-preference")
    assert state(opened)["paused"]
    opened.click("video")
    assert plays(opened)


@pytest.mark.slow
@pytest.mark.parametrize(
    "motion", ["no-preference", pytest.param("reduce", marks=pytest.mark.slow)]
)
def test_a_dark_page_gets_the_dark_video_and_poster(run, visit, motion, tmp_path) -> None:
    text = run(*QUIET, "-o", "a.mp4", "--embed", "picture").out
    for scheme, ending in (("light", ""), ("dark", "-dark")):
        video = state(visit(text, reduced_motion=motion, color_scheme=scheme))
        poster = "a-dark-still.png" if ending else "a-poster-still.png"
        assert (video["file"], video["poster"]) == (f"a{ending}.mp4", poster)
        assert video["paused"] == (motion == "reduce")
        assert (tmp_path / poster).exists()


@pytest.mark.quick(1)
@pytest.mark.parametrize("width", [390, 700])
def test_an_iframe_is_as_high_as_the_page_inside_it(run, context, tmp_path, width) -> None:
    text = run(*QUIET, "-o", "a lesson.html", "--title", 'A "B"', "--embed", "iframe").out
    assert 'sandbox="allow-scripts"' in text
    assert 'title="A &quot;B&quot;"' in text
    (tmp_path / "post.html").write_text(f"<!doctype html><title>Post</title>{text}")
    messages: list[str] = []
    opened = context(viewport={"width": width, "height": 664}, reduced_motion="reduce").new_page()
    opened.on("console", lambda message: messages.append(message.text))
    opened.on("pageerror", lambda error: messages.append(str(error)))
    opened.goto((tmp_path / "post.html").as_uri())
    inside = opened.frame_locator("iframe")
    expect(inside.locator(".verdict").last).to_have_text("✗ diverging")
    for section in ("Tasks", "Share"):
        inside.locator("summary", has_text=section).click()
        content = inside.locator("html").evaluate(
            "(html) => new Promise((done) => requestAnimationFrame(() => setTimeout(() =>"
            " done(Math.ceil(html.getBoundingClientRect().height)))))"
        )
        opened.wait_for_function(
            "(height) => Math.abs(document.querySelector('iframe').clientHeight - height) <= 1",
            arg=content,
        )
        assert inside.locator("html").evaluate("(html) => html.scrollHeight - innerHeight") <= 1
    opened.close()
    assert messages == []
