"""Ticks that are remembered are those that matplotlib would compute."""

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from animate.film.ticks import TickMemory


def test_ticks_are_computed_once_while_nothing_that_they_depend_on_changes() -> None:
    calls: list[float] = []
    axes = Figure().add_subplot(xlim=(0, 10))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: calls.append(value) or ""))
    memory = TickMemory()
    with memory.applied(axes.xaxis):
        first = axes.xaxis._update_ticks()
        once = len(calls)
        assert axes.xaxis._update_ticks() == first
        assert len(calls) == once > 0
    assert "_update_ticks" not in vars(axes.xaxis)
    memory.clear()
    with memory.applied(axes.xaxis):
        axes.xaxis._update_ticks()
    assert len(calls) == 2 * once


def test_other_limits_or_another_place_have_other_ticks() -> None:
    axes = Figure().add_subplot(xlim=(0, 10))
    memory = TickMemory()

    def places() -> list[float]:
        return [tick.get_loc() for tick in axes.xaxis._update_ticks()]

    with memory.applied(axes.xaxis):
        assert places() == [0, 2, 4, 6, 8, 10]
        axes.set_xlim(0, 100)
        assert places() == [0, 20, 40, 60, 80, 100]
        axes.set_position((0.1, 0.1, 0.1, 0.8))
        assert len(places()) < 6


def test_an_artist_that_is_no_axis_is_left_alone() -> None:
    axes = Figure().add_subplot()
    with TickMemory().applied(axes, axes.title):
        assert not {"_update_ticks"} & {*vars(axes), *vars(axes.title)}
