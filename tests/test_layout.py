"""Where the parts of a picture stand, for frames of many sizes and any number of panels."""

import itertools
import math
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from animate.drawing.layout import (
    CAPTION,
    HEADINGS,
    TICK_HEIGHT,
    TICK_WIDTH,
    Box,
    Contents,
    Layout,
    PanelKind,
    Place,
    TooSmallError,
    arrange,
)
from animate.drawing.medium import FILM
from animate.system.errors import InputError

SIZES = {
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "square": (1080, 1080),
    "portrait": (1080, 1350),
    "tall": (1080, 1920),
    "phone": (390, 700),
}
FLATTEST = 2.5
# As those of fit, loss, surface and bowl.
KINDS = (
    PanelKind((1.0, 2.0)),
    PanelKind((1.2, 2.5), "time"),
    PanelKind((0.8, 1.6)),
    PanelKind((0.8, 2.0)),
)

sides = st.integers(200, 4000)
kinds = st.builds(
    PanelKind,
    st.sampled_from([(0.75, 2.5), (1.2, 2.5), (0.8, 1.6)]),
    st.sampled_from(["", "time"]),
    st.booleans(),
    st.sampled_from([TICK_WIDTH, 4.0]),
)
some = st.lists(kinds, max_size=2).map(tuple)
contents = st.builds(
    Contents,
    st.integers(1, 12),
    st.lists(kinds, min_size=1, max_size=4).map(tuple),
    some,
    some,
    st.integers(1, 2),
    st.sampled_from([8.0, 17.0, 40.0]),
    st.sampled_from([8.0, 15.0, 25.0]),
)


def overlap(one: Box, other: Box, slack: float = 0) -> bool:
    apart = (
        one.right <= other.left + slack
        or other.right <= one.left + slack
        or one.top <= other.bottom + slack
        or other.top <= one.bottom + slack
    )
    return not apart


def places(layout: Layout) -> list[Place]:
    return [*itertools.chain(*layout.panels), *layout.across]


def roomy(place: Place, em: float) -> Box:
    """Return a panel with its tick labels."""
    wide = math.floor(TICK_WIDTH * em) if place.has_y_labels else 0
    down = math.floor(TICK_HEIGHT * em) if place.has_x_labels else 0
    box = place.box
    return Box(box.left - wide, box.bottom - down, box.width + wide, box.height + down)


def shape(layout: Layout) -> tuple[int, int]:
    """Return how many columns and rows of panels there are."""
    boxes = [place.box for place in places(layout)]
    return len({box.left for box in boxes}), len({box.bottom for box in boxes})


def share(layout: Layout, size: tuple[int, int]) -> float:
    areas = [place.box.width * place.box.height for place in places(layout)]
    return sum(areas) / (size[0] * size[1])


@settings(max_examples=8, deadline=None)
@given(st.tuples(sides, sides), contents)
def test_nothing_overlaps_or_leaves_the_frame(size, contents) -> None:
    try:
        layout = arrange(size, contents)
    except InputError:
        assume(False)
    assert layout.em >= FILM.min_em
    assert len(layout.headings) == len(layout.panels) == contents.headings
    assert {len(cells) for cells in layout.panels} == {len(contents.views)}
    assert len(layout.across) == len(contents.across)
    assert len(layout.title) == contents.title_lines
    captions = [place.caption for place in places(layout) if place.caption is not None]
    assert all(caption.height >= CAPTION * layout.em - 1 for caption in captions)
    around = [roomy(place, layout.em) for place in places(layout)]
    boxes = [*layout.title, *layout.headings, *captions, *around]
    for one, other in itertools.combinations(boxes, 2):
        assert not overlap(one, other, slack=2)
    for box in (*boxes, layout.timeline):
        assert box.left >= -1
        assert box.bottom >= 0
        assert box.right <= size[0]
        assert box.top <= size[1]
        assert min(box.width, box.height) > 0
    assert not any(overlap(layout.timeline, box) for box in boxes)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.tuples(sides, sides), contents)
def test_the_panels_of_all_runs_have_one_size_and_stand_with_their_heading(size, contents) -> None:
    try:
        layout = arrange(size, contents)
    except InputError:
        assume(False)
    boxes = [place.box for place in itertools.chain(*layout.panels)]
    assert len({(box.width, box.height) for box in boxes}) == 1
    for heading, cells in zip(layout.headings, layout.panels, strict=True):
        for place in cells:
            if layout.is_beside:
                assert heading.right <= place.box.left + 1
                assert heading.bottom <= place.box.bottom + 1
                assert place.box.top <= heading.top + 1
            else:
                assert place.box.top <= heading.bottom + 1
                assert heading.left <= place.box.left
                assert place.box.right <= heading.right + 1


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.tuples(sides, sides), contents)
def test_what_panels_have_in_common_stands_once_and_at_the_outside(size, contents) -> None:
    try:
        layout = arrange(size, contents)
    except InputError:
        assume(False)
    for view, kind in enumerate(contents.views):
        panels = [cells[view] for cells in layout.panels]
        if not kind.is_uniform:
            assert all(p.caption and p.has_x_labels and p.has_y_labels for p in panels)
            continue
        # Whoever has no tick labels finds them in the same row or column.
        for panel in panels:
            assert panel.has_y_labels or any(
                other.has_y_labels and other.box.bottom == panel.box.bottom for other in panels
            )
            below = [
                other
                for cells in layout.panels
                for other in cells
                if other.box.left == panel.box.left and other.box.bottom < panel.box.bottom
            ]
            assert panel.has_x_labels or any(other.has_x_labels for other in below)
        assert any(panel.caption for panel in panels)
        if len(contents.views) == 1:  # neighbours are of the same view
            assert sum(panel.caption is not None for panel in panels) == 1
            columns = {panel.box.left for panel in panels}
            rows = {panel.box.bottom for panel in panels}
            assert sum(panel.has_x_labels for panel in panels) == len(columns)
            assert sum(panel.has_y_labels for panel in panels) == len(rows)


@pytest.mark.quick(58)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("views", [1, 2, 3, 4])
@pytest.mark.parametrize("runs", range(1, 13))
def test_no_panel_is_flat_and_all_together_fill_the_frame(runs, views, size) -> None:
    try:
        layout = arrange(size, Contents(runs, KINDS[:views]))
    except TooSmallError:
        assert size == SIZES["phone"]
        assert runs * views >= 12
        return
    for place in places(layout):
        assert place.box.width / place.box.height <= FLATTEST
    assert share(layout, size) >= (0.33 if size == SIZES["phone"] else 0.4)


@pytest.mark.parametrize(
    ("runs", "views", "size", "wanted"),
    [
        (3, 2, "720p", 0.6),
        (3, 3, "1080p", 0.57),
        (3, 4, "1080p", 0.55),
        (3, 4, "720p", 0.55),
        (6, 2, "720p", 0.5),
        (3, 3, "square", 0.5),
    ],
)
def test_the_panels_take_most_of_the_frame(runs, views, size, wanted) -> None:
    assert share(arrange(SIZES[size], Contents(runs, KINDS[:views])), SIZES[size]) >= wanted


@pytest.mark.parametrize(
    ("size", "runs", "views", "columns", "rows"),
    [
        ((1280, 720), 1, 1, 1, 1),
        ((1280, 720), 1, 2, 2, 1),  # side by side: wide panels would be flat
        ((1280, 720), 3, 2, 3, 2),
        ((1280, 720), 4, 2, 4, 2),
        ((1920, 1080), 3, 4, 4, 3),  # a row for each run
        ((800, 450), 3, 2, 3, 2),
        ((1080, 1080), 1, 2, 1, 2),
        ((1080, 1080), 1, 4, 2, 2),
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
    assert shape(arrange(size, Contents(runs, KINDS[:views]))) == (columns, rows)


def test_a_view_gets_panels_of_a_shape_that_it_can_use() -> None:
    wide, tall = PanelKind((1.5, 2.5)), PanelKind((0.5, 0.9))
    differ = 0
    for runs, size in itertools.product((2, 3, 4, 6, 9), SIZES.values()):
        one, other = (
            arrange(size, Contents(runs, (kind,))).panels[0][0].box for kind in (wide, tall)
        )
        differ += one != other
        assert one.width / one.height >= other.width / other.height - 0.1
    assert differ >= 5


@pytest.mark.parametrize(("size", "em"), [((1280, 720), 18), ((1920, 1080), 27), ((640, 360), 9)])
def test_text_grows_with_the_frame(size, em) -> None:
    assert arrange(size, Contents(3, KINDS[:2])).em == pytest.approx(em)


def test_text_is_not_made_small_for_panels_that_are_large_enough() -> None:
    for runs, views in itertools.product((1, 2, 3), (1, 2)):
        assert arrange((1280, 720), Contents(runs, KINDS[:views])).em == pytest.approx(18)
    # Of the sizes of text with which the panels of many views fill the frame, the largest.
    assert arrange((1280, 720), Contents(3, KINDS)).em == pytest.approx(15, abs=0.5)


def test_an_arrangement_that_can_be_read_is_found_where_there_is_one() -> None:
    for runs, views in itertools.product(range(1, 13), range(1, 5)):
        contents = Contents(runs, KINDS[:views])
        with pytest.raises(TooSmallError) as caught:
            arrange((160, 160), contents)
        enough = caught.value.minimum_size
        assert arrange(enough, contents).em >= FILM.min_em


def test_headings_have_the_form_for_their_width() -> None:
    one_line, *_, narrow = HEADINGS
    assert arrange((1280, 720), Contents(1, KINDS[:2])).heading == one_line
    assert arrange((1280, 720), Contents(1, KINDS[:2], name_width=30)).heading != one_line
    rows = arrange((1920, 1080), Contents(3, KINDS[:3]))
    assert rows.is_beside
    assert rows.heading == narrow


def test_panels_across_stand_before_and_after_those_of_the_runs_or_at_a_side() -> None:
    layout = arrange((1080, 1920), Contents(3, KINDS[:1], above=KINDS[1:2]))
    (first,) = layout.across
    cells = [panels[0].box for panels in layout.panels]
    assert first.box.bottom > max(heading.top for heading in layout.headings) or (
        first.box.right < min(box.left for box in cells)
    )
    wide = arrange((1920, 800), Contents(3, KINDS[:1], below=KINDS[1:2]))
    assert wide.across[0].box.left > max(panels[0].box.right for panels in wide.panels)
    assert wide.across[0].box.height > wide.panels[0][0].box.height


def test_one_panel_of_all_runs_has_their_headings_beside_it() -> None:
    layout = arrange((1280, 720), Contents(3, below=(PanelKind((0.8, 1.6)),)))
    (place,) = layout.across
    assert all(heading.right < place.box.left for heading in layout.headings)
    assert place.box.width / place.box.height < 1.7


@pytest.mark.parametrize(
    ("runs", "views", "named"),
    [
        (3, 2, "3 learning rates in 2 views"),
        (1, 1, "1 learning rate in 1 view"),
        (12, 1, "12 learning rates in 1 view"),
    ],
)
def test_too_small_a_frame_is_refused_with_the_size_that_would_do(runs, views, named) -> None:
    contents = Contents(runs, KINDS[:views])
    with pytest.raises(InputError, match=f"size 160x90 is too small to read {named};") as caught:
        arrange((160, 90), contents)
    told = re.search(r"give at least (\d+)x(\d+), or fewer of them", str(caught.value))
    width, height = map(int, told.groups())
    assert (width, height) == caught.value.minimum_size
    arrange((width, height), contents)
    with pytest.raises(InputError):
        arrange((width - 8, height - 5), contents)
