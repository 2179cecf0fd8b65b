"""Where the parts of a picture stand, for frames of many sizes and any number of panels."""

import itertools
import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from animate.drawing.layout import CAPTION, MIN_EM, TICKS, Box, Layout, arrange
from animate.system.errors import InputError

sides = st.integers(200, 4000)
counts = st.integers(0, 3)


def overlap(one: Box, other: Box, slack: float = 0) -> bool:
    apart = (
        one.left + one.width <= other.left + slack
        or other.left + other.width <= one.left + slack
        or one.top <= other.bottom + slack
        or other.top <= one.bottom + slack
    )
    return not apart


def plots(layout: Layout) -> list[Box]:
    return [*itertools.chain(*layout.panels), *layout.across]


def shape(layout: Layout) -> tuple[int, int]:
    """Return how many columns and rows of panels there are."""
    boxes = plots(layout)
    return len({box.left for box in boxes}), len({box.bottom for box in boxes})


@given(
    st.tuples(sides, sides), st.integers(1, 12), st.integers(1, 4), counts, counts, st.booleans()
)
def test_nothing_overlaps_or_leaves_the_frame(size, runs, views, above, below, two_lines) -> None:
    try:
        layout = arrange(size, runs, views, above, below, title_lines=1 + two_lines)
    except InputError:
        assume(False)
    assert layout.em >= MIN_EM
    assert len(layout.headers) == len(layout.panels) == runs
    assert {len(cells) for cells in layout.panels} == {views}
    assert len(layout.across) == above + below
    assert len(layout.title) == 1 + two_lines
    # A panel's caption stands above it, and its numbers below.
    up, down = math.floor(CAPTION * layout.em), math.floor(TICKS * layout.em)
    roomy = [
        Box(box.left, box.bottom - down, box.width, box.height + down + up) for box in plots(layout)
    ]
    boxes = [*layout.title, *layout.headers, *roomy]
    for one, other in itertools.combinations(boxes, 2):
        assert not overlap(one, other, slack=2)
    for box in (*layout.title, *layout.headers, *plots(layout), layout.timeline):
        assert box.left >= 0
        assert box.bottom >= 0
        assert box.left + box.width <= size[0]
        assert box.top <= size[1]
        assert min(box.width, box.height) > 0
    assert not any(overlap(layout.timeline, box) for box in boxes[: -len(roomy)] + plots(layout))


@given(st.tuples(sides, sides), st.integers(1, 12), st.integers(1, 4))
def test_the_panels_of_all_runs_have_one_size_and_stand_below_their_heading(
    size, runs, views
) -> None:
    try:
        layout = arrange(size, runs, views)
    except InputError:
        assume(False)
    widths = {box.width for box in plots(layout)}
    heights = {box.height for box in plots(layout)}
    assert max(widths) - min(widths) <= 1  # rounded to whole pixels
    assert max(heights) - min(heights) <= 1
    for heading, cells in zip(layout.headers, layout.panels, strict=True):
        for box in cells:
            assert box.top < heading.bottom
            assert heading.left <= box.left
            assert box.left + box.width <= heading.left + heading.width + 1


@pytest.mark.parametrize(
    ("size", "runs", "views", "columns", "rows"),
    [
        ((1280, 720), 1, 1, 1, 1),
        ((1280, 720), 1, 2, 2, 1),  # side by side: wide panels would be flat
        ((1280, 720), 3, 2, 3, 2),
        ((1280, 720), 4, 2, 4, 2),
        ((800, 450), 3, 2, 3, 2),
        ((1080, 1080), 1, 2, 1, 2),
        ((1080, 1080), 2, 2, 2, 2),
        ((1080, 1920), 1, 2, 1, 2),
        ((1080, 1920), 3, 1, 1, 3),
        ((2400, 600), 2, 2, 4, 1),
        ((2400, 600), 3, 1, 3, 1),
    ],
)
def test_the_panels_have_the_arrangement_that_suits_the_frame(
    size, runs, views, columns, rows
) -> None:
    assert shape(arrange(size, runs, views)) == (columns, rows)


@pytest.mark.parametrize(("size", "em"), [((1280, 720), 18), ((1920, 1080), 27), ((640, 360), 9)])
def test_text_grows_with_the_frame(size, em) -> None:
    assert arrange(size, 3, 2).em == pytest.approx(em)


def test_text_is_kept_large_before_panels_have_the_best_shape() -> None:
    # Six columns of text at 9.9 pixels, where panels of a better shape would have smaller text.
    assert arrange((1280, 720), 12, 2).em == pytest.approx(9.85, abs=0.01)
    assert arrange((1080, 1920), 4, 2).em == pytest.approx(23.68, abs=0.01)


def test_an_arrangement_that_can_be_read_is_found_where_there_is_one() -> None:
    for runs, views in itertools.product(range(1, 13), range(1, 4)):
        with pytest.raises(InputError) as caught:
            arrange((320, 320), runs, views)
        enough = caught.value.minimum_size
        assert arrange(enough, runs, views).em >= MIN_EM


def test_panels_across_stand_above_and_below_those_of_the_runs() -> None:
    layout = arrange((1080, 1920), 3, 1, above=1, below=2)
    first, *rest = layout.across
    assert first.bottom > max(heading.top for heading in layout.headers)
    for box in rest:
        assert box.top < min(cells[0].bottom for cells in layout.panels)
    assert len({box.width for box in layout.across}) == 1
    assert first.width > layout.panels[0][0].width or shape(layout)[0] == 1


def test_the_first_panel_of_each_row_has_room_for_numbers_at_its_left() -> None:
    stacked = arrange((1280, 720), 3, 2)
    assert stacked.with_tick_labels == set(stacked.panels[0])
    beside = arrange((2400, 600), 2, 2)
    assert beside.with_tick_labels == set(plots(beside))
    for layout in (stacked, beside):
        for box in layout.with_tick_labels:
            ends = [other.left + other.width for other in plots(layout) if other.left < box.left]
            assert box.left - max(ends, default=0) >= 3 * layout.em


@pytest.mark.parametrize(
    ("runs", "views", "named"),
    [
        (3, 2, "3 learning rates in 2 views"),
        (1, 1, "1 learning rate in 1 view"),
        (12, 1, "12 learning rates in 1 view"),
    ],
)
def test_too_small_a_frame_is_refused_with_the_size_that_would_do(runs, views, named) -> None:
    with pytest.raises(InputError, match=f"size 160x90 is too small to read {named};") as caught:
        arrange((160, 90), runs, views)
    told = re.search(r"give at least (\d+)x(\d+), or fewer of them", str(caught.value))
    width, height = map(int, told.groups())
    assert (width, height) == caught.value.minimum_size
    arrange((width, height), runs, views)
    with pytest.raises(InputError):
        arrange((width - 8, height - 5), runs, views)
