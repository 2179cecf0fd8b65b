"""A real browser for the tests of the page, and how a page is opened in it."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from animate import Problem, Trajectory, train
from animate.page import page

# What a container without a screen, and without a network, needs.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Open = Callable[..., Page]


def missing(what: str) -> NoReturn:
    """Skip where a tool is missing; in CI it must not be."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        missing("there is no Chromium to open the page in; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lesson(runs: Sequence[Trajectory]) -> str:
    return page(runs)


@pytest.fixture(scope="session")
def overflowing(problem: Problem) -> str:
    return page(train(problem, [0.1, 0.7, 5], epochs=100))


@pytest.fixture(scope="session")
def context(browser: Browser) -> Callable[..., BrowserContext]:
    """Return a function that gives the context of some settings: a new one takes a while."""
    made: dict[str, BrowserContext] = {}

    def context(**settings: Any) -> BrowserContext:
        key = repr(sorted(settings.items()))
        if key not in made:
            made[key] = browser.new_context(**settings)
            made[key].set_default_timeout(10_000)
        return made[key]

    return context


@pytest.fixture
def open_page(
    context: Callable[..., BrowserContext], lesson: str, tmp_path: Path
) -> Iterator[Open]:
    """
    Yield a function that opens a page from disk; by default the article's, paused at its end.

    After the test, the browser must have had nothing to say and nothing to fetch.
    """
    pages: list[Page] = []
    heard: list[str] = []

    def open_page(text: str = "", fragment: str = "", **settings: Any) -> Page:
        settings.setdefault("reduced_motion", "reduce")
        opened = context(**settings).new_page()
        pages.append(opened)
        path = tmp_path / "lesson.html"
        path.write_text(text or lesson, encoding="utf-8")
        opened.on("console", lambda message: heard.append(message.text))
        opened.on("pageerror", lambda error: heard.append(str(error)))
        opened.on("request", lambda request: heard.append(request.url))
        opened.goto(path.as_uri() + fragment)
        assert heard.pop(0) == path.as_uri()  # the page itself
        return opened

    yield open_page
    for opened in pages:
        opened.close()
    assert heard == []
