"""What several test files need: the article's runs, and settings for property tests."""

import os
from collections import Counter
from collections.abc import Callable

import matplotlib as mpl
import pytest
from command import Done
from hypothesis import settings

from animate import Line, Runs, train
from animate.cli import main

mpl.use("agg")
settings.register_profile("steady", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def problem() -> Line:
    return Line.sample(seed=11)


@pytest.fixture(scope="session")
def runs(problem: Line) -> Runs:
    return train(problem, [0.1, 0.7, 1.01], epochs=100)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys) -> Callable[..., Done]:
    """Run the command in this process and in `tmp_path`: quicker than `command.animate`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("MATPLOTLIBRC", os.devnull)

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        try:
            code = main(["--jobs", "1", *arguments])
        except SystemExit as end:
            code = end.code
        return Done(code, *capsys.readouterr())

    return run


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="draw the pictures in tests/golden/ again"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return request.config.getoption("--update-golden")


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out the slow ones
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cases of a test as slow but for the first ones, of which `quick` says how many."""
    seen: Counter[object] = Counter()
    for item in items:
        marker = item.get_closest_marker("quick")
        if marker is not None:
            test = item.path, getattr(item, "originalname", item.name)
            seen[test] += 1
            if seen[test] > marker.args[0]:
                item.add_marker(pytest.mark.slow)
