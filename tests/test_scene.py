"""What stands around the panels at an epoch: title, epoch, progress, and each run's heading."""

import geometry
import numpy as np
import pictures
import pytest
from matplotlib.colors import to_hex

from animate import Animation, train
from animate.drawing.scene import Scene
from animate.drawing.views import View

MARKS = {"converged": "✓", "diverging": "✗"}
EPOCHS = (0, 1, 7, 8, 50, 69, 70, 99, 100)


def test_a_verdict_has_its_mark_and_colour_from_its_epoch_on(runs) -> None:
    scene = Scene(runs, ["fit"])
    verdict_epochs = (70, 8, int(np.flatnonzero(np.diff(runs[2].losses) > 0)[0]) + 1)
    for epoch in EPOCHS + verdict_epochs:
        scene.draw(epoch)
        for number, heading in enumerate(pictures.headings(scene)):
            said, color = heading.verdict.get_text(), to_hex(heading.verdict.get_color())
            verdict = ("converged", "converged", "diverging")[number]
            if epoch >= verdict_epochs[number]:
                assert said.startswith(f"{MARKS[verdict]} {verdict}")
                assert color == scene.theme.run(number).text
            else:
                assert said.endswith("% still to go")
                assert color == scene.theme.muted


def test_the_sentences_of_the_article(runs) -> None:
    scene = Scene(runs, ["fit"])
    scene.draw(100)
    assert [heading.verdict.get_text() for heading in pictures.headings(scene)] == [
        "✓ converged at epoch 70",
        "✓ converged at epoch 8",
        "✗ diverging: past the limit 0.9985",
    ]


def test_a_heading_tells_loss_line_and_way_left_of_its_run(runs) -> None:
    scene = Scene(runs, ["loss"])
    best = runs[0].problem.best_weights
    for epoch in (0, 1, 5):
        scene.draw(epoch)
        for run, heading in zip(runs, pictures.headings(scene), strict=True):
            assert heading.name.get_text() == f"learning rate {run.lr:g}"
            loss, (slope, bias) = run.losses[epoch], run.weights[epoch]
            word, shown = heading.loss.get_text().split()
            assert word == "loss"
            assert float(shown) == pytest.approx(loss, rel=1e-3)
            line = f"y = {slope:.2f} x {'-' if bias < 0 else '+'} {abs(bias):.2f}"
            assert heading.detail.get_text() == line.replace("-", "\u2212")
            if "left" in heading.verdict.get_text():
                left = np.hypot(*(run.weights[epoch] - best)) / np.hypot(*(run.weights[0] - best))
                shown = float(heading.verdict.get_text().split(" %")[0])
                assert shown == pytest.approx(100 * left, abs=0.5)


def test_a_run_that_is_too_slow_ends_with_the_rate_that_would_be_fastest(problem, runs) -> None:
    scene = Scene([*train(problem, [0.02], epochs=100), *runs[1:]], ["fit"])
    fastest = 2 / np.linalg.eigvalsh(problem.hessian).sum()
    for epoch in (0, 50, 99, 100):
        scene.draw(epoch)
        details = [heading.detail.get_text() for heading in pictures.headings(scene)]
        ends = epoch == 100
        assert (details[0] == f"fastest rate {fastest:.2g}") is ends
        assert all(detail.startswith("y = ") for detail in details[ends:])


def test_an_overflow_is_told_from_its_epoch_on(problem) -> None:
    runs = train(problem, [5, 50], epochs=40)
    scene = Scene(runs, ["fit"])
    for number, run in enumerate(runs):
        finite = np.isfinite(run.losses) & np.isfinite(run.weights).all(axis=1)
        overflowed_at = int(np.argmin(finite))
        for epoch in (0, overflowed_at - 1, overflowed_at, 40):
            scene.draw(epoch)
            heading = pictures.headings(scene)[number]
            if epoch < overflowed_at:
                assert heading.loss.get_text().startswith("loss ")
                assert heading.detail.get_text().startswith("y = ")
            else:
                assert heading.loss.get_text() == f"overflowed at epoch {overflowed_at}"
                assert not heading.detail.get_text().strip()


@pytest.mark.parametrize("lr", [0.7, 5.0])
def test_a_run_that_starts_at_the_best_weights_has_nothing_left_to_go(problem, lr) -> None:
    exact = type(problem).sample(points=2, noise="none", true_weights=(0, 0), start=(0, 0))
    run = train(exact, [lr], epochs=3)[0]
    assert run.diagnosis.distance_left == 0
    scene = Scene([run], ["fit"])
    for epoch in range(3):
        scene.draw(epoch)
        (heading,) = pictures.headings(scene)
        assert heading.verdict.get_text() == "✓ converged at epoch 0"


def test_the_key_beside_a_name_is_the_line_and_marker_of_its_panel(runs) -> None:
    scene = Scene(runs, ["loss"])
    scene.draw(50)
    looks = []
    panels = scene.figure.axes
    for heading, axes in zip(pictures.headings(scene), panels, strict=True):
        key = heading.key
        (curve,) = pictures.curves(axes, key.get_color())
        (head,) = pictures.marks(axes, key.get_color())
        assert key.get_linestyle() == curve.get_linestyle()
        assert key.get_marker() == head.get_marker()
        looks.append((key.get_color(), key.get_marker()))
    assert len(set(looks)) == 3
    assert pictures.headings(scene)[0].key.get_linestyle() == "-"
    assert pictures.headings(scene)[1].key.get_linestyle() == "--"


def test_dashed_keys_end_with_a_whole_dash(problem) -> None:
    runs = train(problem, [0.1, 0.3, 0.5, 0.7], epochs=5)
    lengths = []
    for heading in pictures.headings(Scene(runs, ["loss"])):
        key = heading.key
        length = np.ptp(key.get_transform().transform(key.get_xydata())[:, 0])
        offset, dashes = key._dash_pattern  # in points, which are pixels
        assert offset == 0
        lengths.append(length)
        if dashes is None:
            continue
        ends = np.cumsum(np.tile(dashes, 20))[::2]
        last = int(np.abs(ends - length).argmin())
        assert ends[last] == pytest.approx(length, abs=1e-6)
        assert dashes[2 * last % len(dashes)] == max(dashes)  # no dot at the end
    assert min(lengths) > 0.7 * lengths[0] == 0.7 * max(lengths)


@pytest.mark.quick(1)
@pytest.mark.parametrize("size", [(1280, 720), (1080, 1920), (2400, 600), (3000, 1000)])
def test_the_panels_of_a_run_stand_with_its_name(runs, size) -> None:
    scene = Scene(runs, ["fit", "loss", "bowl"][: 3 if size[0] == 3000 else 2], size)
    scene.draw(3)
    count = len(scene.view_classes)
    panels = iter(scene.figure.axes)
    for number, heading in enumerate(pictures.headings(scene)):
        left, top = pictures.place(heading.name)
        color = scene.theme.run(number).line
        for _ in range(count):
            axes = next(panels)
            assert pictures.curves(axes, color) or pictures.marks(axes, color)
            assert axes.bbox.x0 >= left - 1
            # Above its panels, and below those of the run before; or beside them.
            middle = (axes.bbox.y0 + axes.bbox.y1) / 2
            nearest = min(
                (
                    (abs(pictures.place(other.name)[0] - left), y - middle)
                    for other in pictures.headings(scene)
                    if (y := pictures.place(other.name)[1]) > middle
                    and pictures.place(other.name)[0] <= axes.bbox.x0 + 1
                ),
                key=lambda apart: (apart[0] > 1, apart[1]),
            )
            assert nearest == (0, top - middle)


def test_the_progress_bar_grows_from_the_left_to_the_whole(runs) -> None:
    scene = Scene(runs, ["fit"], (640, 360))
    for epoch in (0, 1, 25, 99, 100):
        scene.draw(epoch)
        assert pictures.progress(scene) == pytest.approx((0, epoch / 100))


def test_progress_is_dark_on_a_pale_time_line_in_the_pixels(runs) -> None:
    film = Animation(runs, ["fit"], (640, 360), timeline=[0, 25, 100])
    feet = np.array([frame[-20:, :, :3].min(axis=2) for frame in film.frames()])
    row = np.argmin(feet[2].sum(axis=1))
    whole = np.flatnonzero(feet[0, row] < 250)
    dark = [np.flatnonzero(foot[row] < 150) for foot in feet]
    assert len(dark[0]) == 0
    np.testing.assert_allclose(
        (dark[1][0], dark[1][-1]), (whole[0], whole[len(whole) // 4]), atol=1
    )
    np.testing.assert_array_equal(dark[2], whole)


def test_the_epoch_is_told_and_does_not_tremble(runs) -> None:
    scene = Scene(runs, ["fit"])
    scene.figure.draw_without_rendering()
    starts = []
    for epoch in (0, 8, 70, 100):
        scene.draw(epoch)
        text = pictures.epoch_text(scene)
        assert text.get_text().replace("\u2007", " ").split() == ["epoch", str(epoch), "of", "100"]
        starts.append(text.get_window_extent().x0)
    assert np.ptp(starts) < 1


@pytest.mark.parametrize(
    ("count", "title", "shown"),
    [
        (1, None, ["One line, fitted by gradient descent"]),
        (3, None, ["What does the learning rate do?"]),
        (3, "Mine", ["Mine"]),
        (3, "", []),
    ],
)
def test_the_default_title_speaks_of_one_run_or_of_several(runs, count, title, shown) -> None:
    scene = Scene(runs[:count], ["fit"], title=title)
    assert [text.get_text() for text in pictures.titles(scene)] == shown


def test_a_title_that_is_long_has_a_line_of_its_own(runs) -> None:
    long = "What a learning rate does to a line, to its loss, and to the patience of us all, "
    long += "from its start to its end"
    for title, lines in (("Short", 1), (long, 2)):
        scene = Scene(runs, ["fit"], (640, 360), title=title)
        (text,) = pictures.titles(scene)
        assert text.get_text() == title
        down = pictures.place(text)[1] - pictures.place(pictures.epoch_text(scene))[1]
        assert bool(down > text.get_fontsize()) is (lines == 2)


VERY_LONG = " ".join(["What a learning rate does to a line"] * 9)


@pytest.mark.quick(1)
@pytest.mark.parametrize("title", [VERY_LONG, "学" * 300, "x" * 5000, f"first\n{VERY_LONG}"])
def test_a_title_of_more_than_two_lines_ends_with_an_ellipsis_which_is_noted(runs, title) -> None:
    scene = Scene(runs, ["fit"], (640, 360), title=title)
    lines = pictures.titles(scene)
    assert len(lines) == 2
    assert lines[1].get_text().endswith("…")
    assert "the title does not fit and ends with …; give a shorter one" in scene.notes
    scene.figure.canvas.draw()
    boxes = [line.get_window_extent() for line in lines]
    epoch = pictures.epoch_text(scene).get_window_extent()
    assert boxes[0].y0 > boxes[1].y1
    assert all(box.x1 <= 640 for box in boxes)
    assert boxes[1].x1 < epoch.x0


def test_a_title_in_two_lines_breaks_at_a_space(runs) -> None:
    scene = Scene(runs, ["fit"], (640, 360), title=" ".join(["what a rate"] * 12))
    one, two = (line.get_text() for line in pictures.titles(scene))
    assert f"{one} {two}" == " ".join(["what a rate"] * 12)
    assert scene.notes == []


@pytest.mark.parametrize("title", ["one\ntwo", "one\r\n\n two \n", "\none\ntwo"])
def test_a_line_break_in_a_title_is_kept(runs, title) -> None:
    scene = Scene(runs, ["fit"], title=title)
    assert [line.get_text() for line in pictures.titles(scene)] == ["one", "two"]
    assert scene.notes == []


def test_a_third_line_of_a_title_joins_the_second(runs) -> None:
    scene = Scene(runs, ["fit"], title="one\ntwo\nthree")
    assert [line.get_text() for line in pictures.titles(scene)] == ["one", "two three"]


def test_only_the_first_of_panels_side_by_side_has_numbers_at_its_left(runs) -> None:
    def numbered(scene: Scene) -> list[bool]:
        labels = [axes.yaxis.get_ticklabels() for axes in scene.figure.axes]
        return [any(label.get_visible() and label.get_text() for label in some) for some in labels]

    assert numbered(Scene(runs, ["loss"])) == [True, False, False]
    assert numbered(Scene(runs, ["loss"], (1080, 1920))) == [True, True, True]


class Own(View):
    """A panel whose limits and caption may differ between runs."""

    limits, captions = ((0, 1), (0, 1)), ("one", "one")

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self.caption = self.captions[panel.index]
        panel.axes.set(xlim=(0, 1), ylim=self.limits[panel.index])

    def draw(self, record: int) -> None:
        """Do nothing."""


def test_panels_with_scales_or_captions_of_their_own_have_them_all(runs) -> None:
    class Limits(Own):
        limits = ((0, 1), (0, 2))

    class Captions(Own):
        captions = "one", "two"

    for view, shared in ((Own, True), (Limits, False), (Captions, False)):
        scene = Scene(runs[:2], [view], (1280, 720))
        one, two = scene.figure.axes
        labels = [text.get_text() for text in two.yaxis.get_ticklabels() if text.get_visible()]
        assert any(labels) is not shared
        shown = [text.get_text() for text in scene.figure.texts]
        assert shown.count("one") + shown.count("two") == (1 if shared else 2)
        assert one.bbox.width == two.bbox.width


def test_wide_tick_labels_have_room(runs) -> None:
    class Wide(Own):
        limits, captions = ((0, 1),) * 3, ("",) * 3

        def __init__(self, panel) -> None:
            super().__init__(panel)
            panel.axes.yaxis.set_ticks([0.5], ["0.00012345"])

    for size in ((1280, 720), (1080, 1920)):
        scene = Scene(runs, [Wide], size)
        assert list(geometry.faults(scene)) == []


@pytest.mark.quick(1)
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (390, 700)])
def test_no_tick_label_reaches_beyond_its_panel(runs, size) -> None:
    scene = Scene(runs, ["fit", "loss", "bowl"], size)
    scene.figure.draw_without_rendering()
    renderer = scene.figure.canvas.get_renderer()
    for axes in scene.figure.axes:
        for text in axes.xaxis.get_ticklabels():
            if text.get_text() and text.get_visible():
                box = text.get_window_extent(renderer)
                assert axes.bbox.x0 - 1.5 <= box.x0
                assert box.x1 <= axes.bbox.x1 + 1.5
