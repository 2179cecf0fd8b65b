"""What the tests of faults share."""

import signal
from collections.abc import Iterator

import pytest
from stage import Stage

from animate.system import signals


@pytest.fixture
def listening() -> Iterator[None]:
    """Let this process answer signals as the command line does."""
    before = {number: signal.getsignal(number) for number in signals.STOPS}
    signals.listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage"))
