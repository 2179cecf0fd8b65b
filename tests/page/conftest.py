"""Fixtures that open the page in a real browser."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from chromium import find_chromium, launch, skip_or_fail
from playwright.sync_api import Browser, BrowserContext, Page

from animate import Line, Trajectory, train
from animate.page import MODULES, page
from animate.page.assembly import script

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        skip_or_fail(
            "there is no Chromium to open the page in; on Debian: apt-get install chromium"
        )
    with launch(path) as browser:
        yield browser


@pytest.fixture(scope="session")
def compute(browser: Browser) -> Iterator[Callable[..., Any]]:
    """Yield a function that calls a JavaScript function with one argument beside the modules."""
    opened = browser.new_page()
    modules = script(*MODULES[:-1])  # page.js needs the page's elements

    def compute(function: str, argument: object) -> Any:
        return opened.evaluate(
            f"(argument) => {{{modules}; return ({function})(argument);}}", argument
        )

    yield compute
    opened.close()


@pytest.fixture(scope="session")
def lesson(runs: Sequence[Trajectory]) -> str:
    return page(runs)


@pytest.fixture(scope="session")
def overflowing(problem: Line) -> str:
    return page(train(problem, [0.1, 0.7, 5], epochs=100))


@pytest.fixture(scope="session")
def context(browser: Browser) -> Callable[..., BrowserContext]:
    """Return a function that returns a browser context of some settings, and reuses it."""
    contexts: dict[str, BrowserContext] = {}

    def context(**settings: Any) -> BrowserContext:
        key = repr(sorted(settings.items()))
        if key not in contexts:
            contexts[key] = browser.new_context(**settings)
            contexts[key].set_default_timeout(10_000)
        return contexts[key]

    return context


@pytest.fixture
def open_page(
    context: Callable[..., BrowserContext], lesson: str, tmp_path: Path
) -> Iterator[Open]:
    """
    Yield a function that opens a page from disk, by default the article's, paused at its end.

    Fails if the page logs to the console, raises an error or requests anything.
    """
    pages: list[Page] = []
    events: list[str] = []

    def open_page(text: str = "", fragment: str = "", **settings: Any) -> Page:
        settings.setdefault("reduced_motion", "reduce")
        opened = context(**settings).new_page()
        pages.append(opened)
        path = tmp_path / "lesson.html"
        path.write_text(text or lesson, encoding="utf-8")
        opened.on("console", lambda message: events.append(message.text))
        opened.on("pageerror", lambda error: events.append(str(error)))
        opened.on("request", lambda request: events.append(request.url))
        opened.goto(path.as_uri() + fragment)
        opened.wait_for_selector("#app")
        assert events.pop(0) == path.as_uri()  # the page itself
        return opened

    yield open_page
    for opened in pages:
        opened.close()
    assert events == []
