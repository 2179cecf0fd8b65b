"""What several test files need: the article's runs, and settings for property tests."""

import matplotlib as mpl
import pytest
from hypothesis import settings

from animate import Problem, Trajectory, train

mpl.use("agg")
settings.register_profile("steady", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def problem() -> Problem:
    return Problem.sample(seed=11)


@pytest.fixture(scope="session")
def runs(problem: Problem) -> list[Trajectory]:
    return train(problem, [0.1, 0.7, 1.01], epochs=100)
