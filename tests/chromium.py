"""A real browser: Debian's Chromium, driven by playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, sync_playwright

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


@contextmanager
def launched(path: str) -> Iterator[Browser]:
    """Start the browser at `path`, with a profile of its own, and end it after the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        try:
            yield browser
        finally:
            browser.close()


def found() -> str | None:
    return shutil.which("chromium")


def missing(what: str) -> NoReturn:
    """Skip where a tool is missing; in CI it must not be."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
