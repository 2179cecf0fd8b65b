"""What a view shows at an epoch is the trajectory's data, and stays in its place."""

from collections.abc import Iterator
from functools import wraps

import geometry
import numpy as np
import pictures
import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from matplotlib.text import Text

from animate import Animation, Hyperparameters, InputError, Line, Trajectory, train
from animate.drawing.palette import blend
from animate.drawing.scene import Scene
from animate.drawing.tabular_text import TabularText
from animate.drawing.text import text_width
from animate.film.stream import Stream, draw_order

EACH = [name for name in pictures.VIEWS_OF_A_LINE if name != "data"]


def panel(scene: Scene, number: int = 0) -> tuple[Axes, str]:
    """Return a panel of a scene of one view, and the colour of its run's lines."""
    return scene.figure.axes[number], scene.theme.run(number).line


def test_fit_draws_the_line_of_the_weights(runs) -> None:
    scene = Scene(runs, ["fit"])
    for number, epoch in ((0, 0), (1, 7), (2, 9), (0, 100)):
        scene.draw(epoch)
        (line,) = pictures.curves(*panel(scene, number))
        x, y = line.get_data()
        slope, bias = runs[number].weights[epoch].astype(float)
        np.testing.assert_allclose(y, slope * x + bias, rtol=1e-6)


def test_fit_trails_the_lines_before_this_one_which_fade(runs) -> None:
    scene = Scene(runs, ["fit"])
    scene.draw(5)
    axes, color = panel(scene)
    segments = pictures.trail(axes).get_segments()
    ends = [segment[:, 1] for segment in segments]
    assert len(ends) == 4
    x = np.array(axes.get_xlim())
    expected = runs[0].weights[1:5, :1] * x + runs[0].weights[1:5, 1:]
    np.testing.assert_allclose(ends, expected, rtol=1e-5)
    assert_fading(pictures.trail(axes), axes, color)


def assert_fading(trail, axes: Axes, color: str) -> None:
    """Check that the later segments stand out more, and all less than what they trail behind."""
    paper = np.array(axes.get_facecolor()[:3])
    strength = np.abs(trail.get_colors()[:, :3] - paper).sum(axis=1)
    assert len(strength) == len(trail.get_segments())
    assert (np.diff(strength) >= 0).all()
    assert strength[-1] > 1.5 * strength[0] > 0
    assert strength[-1] < np.abs(np.array(to_rgb(color)) - paper).sum()


@pytest.mark.parametrize("view", ["fit", "data"])
def test_best_fit_and_true_line_are_named_once_and_lie_where_they_should(runs, view) -> None:
    scene = Scene(runs, [view])
    problem = runs[0].problem
    for axes in scene.figure.axes:
        named = pictures.named_lines(axes)
        for name, weights in (
            ("best fit", problem.best_weights),
            ("true line", problem.true_weights),
        ):
            x, y = named[name].get_data()
            np.testing.assert_allclose(y, weights[0] * x + weights[1], rtol=1e-6)
    first, *others = scene.figure.axes
    assert pictures.legend_names(scene, first) == ["best fit", "true line"]
    texts = [text.get_text() for text in pictures.outside_panels(scene, Text)]
    keys = [
        key for key in pictures.outside_panels(scene, Line2D) if key.get_color() == scene.theme.ink
    ]
    for name, shown in zip(("best fit", "true line"), keys, strict=True):
        line = pictures.named_lines(first)[name]
        assert shown._unscaled_dash_pattern == line._unscaled_dash_pattern
        assert texts.count(name) == 1
    assert [axes.get_legend() for axes in (first, *others)] == [None] * (1 + len(others))


def test_a_legend_beside_no_caption_stands_in_one_panel(runs) -> None:
    scene = Scene(runs, ["fit", "loss", "surface", "bowl"], (1280, 720))
    legends = [axes.get_legend() for axes in scene.figure.axes[::4]]
    assert [text.get_text() for text in legends[0].get_texts()] == ["best fit", "true line"]
    assert legends[1:] == [None, None]


def test_fit_says_steadily_that_a_line_swings_out_of_sight(runs) -> None:
    scene = Scene(runs, ["fit"])
    axes, _ = panel(scene, 2)
    said = []
    for epoch in range(101):
        scene.draw(epoch)
        said.append(list(pictures.notes(axes)))
    # For theory knows that this run's error grows with each step.
    note = ["▲▼ out of view: each jump lands farther off"]
    first = said.index(note)
    assert said == [[]] * first + [note] * (101 - first)
    assert first < 78  # the first epoch at which nothing of the line is in view
    (low, high), inputs = axes.get_ylim(), np.linspace(*axes.get_xlim(), 40)
    lines = runs[2].weights @ np.array([inputs, np.ones(40)])
    share = ((lines > low) & (lines < high)).mean(axis=1)
    assert share[first] <= 0.15 < share[: first - 1].min()


def test_the_other_runs_losses_are_pale_lines_of_their_own_colours(runs) -> None:
    scene = Scene(runs, ["loss"])
    scene.draw(50)
    theme = scene.theme
    for index, axes in enumerate(scene.figure.axes):
        (others,) = (one for one in axes.collections if isinstance(one, LineCollection))
        found = [to_hex(color) for color in others.get_colors()]
        pale = [blend(theme.run(other).line, theme.panel, 0.4) for other in range(3)]
        assert found == [color for other, color in enumerate(pale) if other != index]
        ends = [segment[-1].tolist() for segment in others.get_segments()]
        assert ends == [[50, run.losses[50]] for run in runs if run is not runs[index]]


@pytest.mark.parametrize("size", [(1280, 720), (800, 450), (390, 700)])
def test_the_last_epoch_stands_below_the_last_record(runs, size) -> None:
    axes = Scene(runs, ["loss"], size).figure.axes[-1]
    label = axes.xaxis.get_ticklabels()[-1]
    assert (label.get_text(), label.get_horizontalalignment()) == ("100", "center")
    assert label.get_window_extent().x1 <= axes.bbox.x1 + 0.5


@pytest.mark.quick(1)
@pytest.mark.parametrize(("runs", "size"), [(3, (800, 450)), (4, (1280, 720)), (9, (1920, 1080))])
def test_the_note_on_a_lost_line_fits_its_panel(problem, runs: int, size) -> None:
    lrs = [1.05 + number / 100 for number in range(runs)]
    scene = Scene(train(problem, lrs), ["fit", "loss"], size)
    scene.draw(scene.clock.last)
    notes = [
        artist
        for artist in scene.moving
        if isinstance(artist, TabularText) and "out of view" in artist.get_text()
    ]
    assert len(notes) == runs
    for note in notes:
        room = note.get_clip_box().width
        assert text_width(note.get_text(), note.get_fontsize()) <= room


@pytest.mark.parametrize("lr", [5, 50, 1e30])
def test_fit_keeps_the_last_lines_in_view_of_a_run_that_overflows(problem, lr) -> None:
    runs = train(problem, [lr])
    scene = Scene(runs, ["fit"])
    axes, color = panel(scene)
    low, high = axes.get_ylim()
    x = np.array(axes.get_xlim())
    finite = runs[0].weights[: runs[0].diagnosis.overflowed_at].astype(float)
    lines = finite @ np.array([x, [1, 1]])
    within = (lines.min(axis=1) < high) & (lines.max(axis=1) > low)
    scene.draw(100)
    ends = [segment[:, 1] for segment in pictures.trail(axes).get_segments()]
    np.testing.assert_allclose(ends, lines[within][-4:], rtol=1e-5)
    (line,) = pictures.curves(axes, color)
    assert np.isnan(line.get_ydata()).all()


@pytest.mark.parametrize("name", ["loss", "surface", "landscape", "weights", "bowl"])
def test_nothing_moves_after_an_overflow_and_a_cross_says_so(problem, name) -> None:
    runs = train(problem, [5])
    overflowed_at = runs[0].diagnosis.overflowed_at
    assert np.isfinite(runs[0].weights[overflowed_at]).all()
    scene = Scene(runs, [name])
    scene.draw(overflowed_at - 1)
    before = [line.get_xydata() for line in pictures.marks(*panel(scene))]
    assert all(line.get_marker() != "X" for line in pictures.marks(*panel(scene)))
    scene.draw(100)
    heads = pictures.marks(*panel(scene))
    assert heads
    for head, place in zip(heads, before, strict=True):
        assert head.get_marker() == "X"
        np.testing.assert_array_equal(head.get_xydata(), place)
    for line in pictures.curves(*panel(scene)):
        last = np.flatnonzero(np.isfinite(line.get_xydata()).all(axis=1))[-1]
        assert last == overflowed_at - 1


def test_a_head_out_of_sight_is_a_triangle_that_points_to_where_it_is(problem) -> None:
    _, directions = np.linalg.eigh(problem.hessian)
    seen = set()
    for flat in (0, 1):  # along the valley, and across
        start = problem.best_weights - 4 * directions[:, flat]
        there = type(problem).sample(seed=11, start=start.tolist())
        run = train(there, [(3.9, 1.3)[flat]], epochs=4)[0]
        scene = Scene([run], ["surface"])
        axes, color = panel(scene)
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        for epoch in range(5):
            scene.draw(epoch)
            (head,) = pictures.marks(axes, color)
            (x, y), marker = run.weights[epoch], head.get_marker()
            aside, apart = (x < left) - int(x > right), (y < low) - int(y > high)
            if aside and apart:
                continue  # either is true
            expected = {(1, 0): "<", (-1, 0): ">", (0, 1): "v", (0, -1): "^", (0, 0): "o"}
            assert marker == expected[aside, apart]
            seen.add(marker)
            shown = head.get_xydata()[0]
            np.testing.assert_allclose(shown, np.clip((x, y), (left, low), (right, high)))
    assert seen == {"<", ">", "v", "^", "o"}


def test_a_step_far_out_of_a_map_keeps_its_direction(problem) -> None:
    for lr in (5.0, 1e17):
        scene = Scene(train(problem, [lr], 1), ["surface"])
        scene.draw(1)
        (line,) = pictures.curves(*panel(scene))
        first, second = line.get_xydata()
        expected = problem.hessian @ (problem.best_weights - problem.start)
        slope = (second - first)[1] / (second - first)[0]
        assert slope == pytest.approx(expected[1] / expected[0], rel=1e-4)


def arrow(scene: Scene, number: int = 0) -> dict:
    """Return the parts of a bowl's arrow that are seen: its shaft, tip and landing."""
    lines = pictures.lines(scene.figure.axes[number], scene.theme.ink)
    names = {"-": "shaft", "None": "tip", "--": "landing"}
    return {names[line.get_linestyle()]: line for line in lines}


def test_bowl_shows_no_arrow_for_a_ball_out_of_sight(problem) -> None:
    scene = Scene(train(problem, [5]), ["bowl"])
    assert "tip" in arrow(scene)
    scene.draw(3)
    assert "tip" not in arrow(scene)
    assert "landing" not in arrow(scene)


def test_bowl_keeps_the_last_jumps_in_view_of_a_ball_that_has_left(runs) -> None:
    scene = Scene(runs, ["bowl"])
    axes, color = panel(scene, 2)
    top = axes.get_ylim()[1]

    def notes() -> list[str]:
        return [text for text in pictures.notes(axes) if not text.startswith("×")]

    scene.draw(20)
    assert notes() == []
    scene.draw(100)
    assert notes() == ["▲ out of view"]
    jumps = np.array(pictures.trail(axes).get_segments())
    assert len(jumps) == 8
    assert (jumps[:, 0, 1] <= top).all()
    assert jumps[-1, 1, 1] > top
    assert_fading(pictures.trail(axes), axes, color)


@pytest.mark.parametrize("size", [(1280, 720), (700, 400), (1080, 1920)])
def test_bowl_writes_one_minus_rate_times_curvature_at_jumps_and_hides_nothing(
    problem, size
) -> None:
    lrs = [0.1, 0.7, 1.01]
    runs = train(problem, lrs, epochs=100)
    scene = Scene(runs, ["bowl"], size)
    steepest = np.linalg.eigvalsh(problem.hessian)[-1]
    for epoch in (0, 1, 2, 3, 8, 30, 60, 100):
        scene.draw(epoch)
        for number, lr in enumerate(lrs):
            axes, _ = panel(scene, number)
            labels = [
                text for text in axes.texts + list(axes.artists)
                if text.get_text().startswith("×")
            ]  # fmt: skip
            boxes = [text.get_window_extent() for text in labels]
            for text, box in zip(labels, boxes, strict=True):
                value = float(text.get_text()[1:].replace("−", "-"))
                assert value == pytest.approx(1 - lr * steepest, abs=0.006)
                across = np.linspace(*axes.get_xlim(), 2000)
                curve = axes.transData.transform(
                    np.column_stack([across, 0.5 * steepest * across**2])
                )
                assert not box.count_contains(curve)
                for path in pictures.trail(axes).get_segments():
                    between = np.linspace(path[:-1], path[1:], 2000).reshape(-1, 2)
                    ink = box.padded(-0.15 * box.height)
                    assert not ink.count_contains(axes.transData.transform(between))
                assert axes.bbox.x0 <= box.x0 < box.x1 <= axes.bbox.x1
            for index, box in enumerate(boxes):
                assert not any(box.overlaps(other) for other in boxes[:index])
            if epoch == 1:
                assert labels or lr == 0.7
    scene.draw(2)
    assert any("×" in text for text in pictures.notes(panel(scene, 2)[0]))


def test_bowl_writes_no_factor_where_the_position_alone_does_not_give_the_step(problem) -> None:
    runs = train(problem, [Hyperparameters(0.1, momentum=0.9), Hyperparameters(0.1)], epochs=20)
    scene = Scene(runs, ["bowl"])
    scene.draw(2)
    shown = [any("×" in text for text in pictures.notes(axes)) for axes in scene.figure.axes]
    assert shown == [False, True]


@pytest.mark.quick(2)
@pytest.mark.parametrize("name", ["surface", "landscape", "landscape3d"])
@pytest.mark.parametrize("lr", [1.01, 5])
def test_strokes_of_a_swinging_run_do_not_hide_the_best_weights(problem, name, lr) -> None:
    runs = train(problem, [lr], epochs=100)
    film = Animation(runs, name, (700, 500), timeline=[100])
    (frame,) = film.frames()
    (star,) = [
        line for line in film.scene.figure.axes[0].lines
        if line.get_marker() == "*" and len(line.get_xydata()) == 1
    ]  # fmt: skip
    ((x, y),) = film.scene.figure.axes[0].transData.transform(star.get_xydata()).round().astype(int)
    around = frame[500 - y - 1 : 500 - y + 1, x - 1 : x + 2, :3]  # above the notch of the star
    ink = np.array([int(film.scene.theme.ink[n : n + 2], 16) for n in (1, 3, 5)])
    assert np.abs(around.astype(int) - ink).max() < 30


@pytest.mark.quick(3)
@pytest.mark.parametrize("size", [(1280, 720), (800, 450), (1080, 1920)])
@pytest.mark.parametrize(
    "lrs", [(0.1, 0.7, 1.01), (1.01,), (0.1, 0.3, 0.5, 0.7, 1.01, 1.02), (1.01, 1.015, 1.02, 5)]
)
def test_the_name_of_the_turn_hides_no_curve(problem, lrs, size) -> None:
    runs = train(problem, lrs)
    scene = Scene(runs, ["fit", "loss"], size)
    scene.draw(100)
    epochs = np.linspace(0, 100, 2001)
    for axes in scene.figure.axes[1::2]:
        for text, note in pictures.notes(axes).items():
            if not text.startswith("turns"):
                continue
            box = note.get_window_extent()
            for run in runs:
                losses = np.fmax(np.nan_to_num(run.losses, nan=1e30, posinf=1e30), 1e-12)
                curve = np.exp(np.interp(epochs, np.arange(101), np.log(losses)))
                shown = axes.transData.transform(np.column_stack([epochs, curve]))
                assert not box.count_contains(shown)


def test_loss_draws_the_losses_up_to_now_and_no_further(runs) -> None:
    scene = Scene(runs, ["loss"])
    scene.draw(12)
    axes, color = panel(scene)
    (line,) = pictures.curves(axes, color)
    x, y = line.get_data()
    assert x.tolist() == list(range(13))
    np.testing.assert_array_equal(y, runs[0].losses[:13])
    (head,) = pictures.marks(axes, color)
    assert head.get_xydata().tolist() == [[12, float(runs[0].losses[12])]]
    ghosts = pictures.trail(axes).get_segments()
    np.testing.assert_array_equal(ghosts[0][:, 1], runs[1].losses[:13])
    np.testing.assert_array_equal(ghosts[1][:, 1], runs[2].losses[:13])


def test_the_floor_that_no_run_can_pass_is_drawn_and_named_once(runs) -> None:
    scene = Scene(runs, ["loss"])
    reached = float(runs[1].losses[-1])
    for number, axes in enumerate(scene.figure.axes):
        (floor,) = pictures.curves(axes, scene.theme.ink)
        assert floor.get_ydata() == pytest.approx([reached, reached], rel=1e-5)
        places = pictures.named_places(axes)
        assert list(places) == (["the best fit's loss"] if number == 0 else [])
        assert all(y == pytest.approx(reached, rel=1e-5) for _, y in places.values())


def test_loss_marks_where_a_diverging_run_turns_once_that_is_seen(runs) -> None:
    scene = Scene(runs, ["loss"])
    axes, _ = panel(scene, 2)
    rises_at = int(np.argmin(runs[2].losses)) + 1
    place = [2, float(runs[2].losses.min())]
    for epoch in (0, 2, rises_at, 50):
        scene.draw(epoch)
        turned = epoch >= rises_at
        assert ("turns at epoch 2" in pictures.notes(axes)) is turned
        rings = [
            line
            for line in axes.get_lines()
            if line.get_visible() and line.get_markeredgecolor() == scene.theme.ink
        ]
        assert [line.get_xydata().tolist() for line in rings if line.get_marker() == "o"] == (
            [[place]] if turned else []
        )
        for other in scene.figure.axes[:2]:
            assert not any("turns" in note for note in pictures.notes(other))


@pytest.mark.parametrize("name", ["surface", "landscape"])
def test_a_map_draws_the_weights_up_to_now(runs, name) -> None:
    scene = Scene(runs, [name])
    scene.draw(9)
    for number, run in enumerate(runs):
        axes = scene.figure.axes[number if name == "surface" else 0]
        (line,) = pictures.curves(axes, scene.theme.run(number).line)
        np.testing.assert_array_equal(line.get_xydata(), run.weights[:10])


@pytest.mark.parametrize("name", ["surface", "landscape"])
def test_a_map_shows_start_best_and_true_weights_on_contours_of_the_loss(runs, name) -> None:
    scene = Scene(runs, [name])
    problem = runs[0].problem
    places = {"s": problem.start, "*": problem.best_weights, "+": problem.true_weights}
    for axes in scene.figure.axes:
        shown = {
            line.get_marker(): line.get_xydata()[0]
            for line in pictures.lines(axes, scene.theme.ink)
        }
        assert shown.keys() == places.keys()
        for marker, place in places.items():
            np.testing.assert_allclose(shown[marker], place, rtol=1e-6)
        for path in pictures.contour_lines(axes).get_paths():
            losses = problem.loss(path.vertices)
            if len(losses):
                assert np.ptp(losses) < 0.01 * losses.max()
    named = pictures.named_places(scene.figure.axes[0])
    for name, marker in (("start", "s"), ("best", "*"), ("true", "+")):
        np.testing.assert_allclose(named[name], places[marker], rtol=1e-6)
    assert not any(pictures.named_places(axes) for axes in scene.figure.axes[1:])


def test_a_surface_has_equal_scales(runs) -> None:
    axes, _ = panel(Scene(runs, ["surface"]))
    box = axes.get_window_extent()
    across, up = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    assert box.width / across == pytest.approx(box.height / up)


def test_a_strip_of_a_landscape_is_filled_with_the_ways(runs) -> None:
    axes = Scene(runs, ["landscape"], (2400, 400)).figure.axes[-1]
    box = axes.get_window_extent()
    assert box.width / box.height > 5
    start, best = runs[0].problem.start[0], runs[0].problem.best_weights[0]
    assert (best - start) / np.ptp(axes.get_xlim()) > 0.15


def test_a_caption_is_as_long_as_its_panel_allows(runs) -> None:
    def captions(scene: Scene) -> set[str]:
        return {text.get_text() for text in scene.figure.texts}

    assert "loss along the steepest direction; arrow: the next step" in captions(
        Scene(runs, ["bowl"])
    )
    narrow = Scene(runs, ["fit", "loss", "bowl", "surface"], (1000, 720))
    assert "steepest axis; arrow: next step" in captions(narrow)


def test_bowl_puts_the_ball_on_the_parabola_and_the_arrow_at_the_next_error(runs) -> None:
    scene = Scene(runs, ["bowl"])
    problem = runs[0].problem
    eigenvalues, eigenvectors = np.linalg.eigh(problem.hessian)
    directions = set()
    for number, run in enumerate(runs):
        axes, color = panel(scene, number)
        (parabola,) = pictures.curves(axes, scene.theme.muted)
        x, y = parabola.get_data()
        np.testing.assert_allclose(y, eigenvalues[1] / 2 * x**2, atol=1e-9)
        errors = (run.weights - problem.best_weights) @ eigenvectors[:, 1]
        errors *= np.sign(eigenvectors[1, 1])
        heights = eigenvalues[1] / 2 * errors**2
        for epoch in (0, 1, 2):
            scene.draw(epoch)
            (ball,) = pictures.marks(axes, color)
            here, after = [errors[epoch], heights[epoch]], [errors[epoch + 1], heights[epoch]]
            assert ball.get_xydata()[0] == pytest.approx(here, rel=1e-5)
            parts = arrow(scene, number)
            assert parts["shaft"].get_xydata() == pytest.approx(np.array([here, after]), abs=1e-5)
            assert parts["tip"].get_xydata() == pytest.approx(np.array([after]), abs=1e-5)
            marker = ">" if errors[epoch + 1] > errors[epoch] else "<"
            assert parts["tip"].get_marker() == marker
            directions.add(marker)
            lands = np.array([after, [errors[epoch + 1], heights[epoch + 1]]])
            assert parts["landing"].get_xydata() == pytest.approx(lands, abs=1e-5)
            jumps = pictures.trail(axes).get_segments()
            assert len(jumps) == epoch
            for at, jump in enumerate(jumps):
                expected = np.column_stack([errors, heights])[at : at + 2]
                np.testing.assert_allclose(jump, expected, atol=1e-5)
    assert directions == {"<", ">"}


def test_weights_draws_slope_and_bias_on_their_way_to_the_best(runs) -> None:
    scene = Scene(runs, ["weights"])
    best = runs[0].problem.best_weights
    for epoch in (30, 100):
        scene.draw(epoch)
        for number, run in enumerate(runs):
            axes, color = panel(scene, number)
            for column, line in enumerate(pictures.curves(axes, color)):
                assert line.get_xdata().tolist() == list(range(epoch + 1))
                np.testing.assert_array_equal(line.get_ydata(), run.weights[: epoch + 1, column])
            levels = [line.get_ydata() for line in pictures.curves(axes, scene.theme.ink)]
            np.testing.assert_allclose(levels, np.repeat(best[:, None], 2, axis=1))
    ends = [line.get_ydata()[-1] for line in pictures.curves(*panel(scene, 1))]
    assert ends == pytest.approx(best, abs=1e-3)
    names = [f"slope, best {best[0]:.2f}", f"bias, best {best[1]:.2f}"]
    assert pictures.legend_names(scene, scene.figure.axes[0]) == names
    keys = [
        key
        for key in pictures.outside_panels(scene, Line2D)
        if key.get_color() == scene.theme.muted  # of no run, since it stands for all
    ]
    widths = [key.get_linewidth() for key in keys]
    assert widths == [line.get_linewidth() for line in pictures.curves(*panel(scene, 0))]
    assert widths[0] != widths[1]


def test_data_draws_every_point(runs) -> None:
    scene = Scene(runs, ["data"])
    (points,) = pictures.marks(scene.figure.axes[0], scene.theme.points)
    np.testing.assert_array_equal(points.get_xdata(), pictures.inputs(runs[0].problem))
    np.testing.assert_array_equal(points.get_ydata(), runs[0].problem.y)


def cliff_marks(scene: Scene) -> Iterator[tuple[Trajectory, list]]:
    """Yield each run of a cliff with its mark, or with nothing while that is not seen."""
    for number, run in enumerate(scene.runs):
        yield run, pictures.marks(scene.figure.axes[0], scene.theme.run(number).line)


def test_cliff_agrees_with_theory_and_with_the_runs(runs) -> None:
    scene = Animation(runs, ["cliff"]).scene
    (axes,) = scene.figure.axes
    lines = pictures.named_lines(axes)
    rates, trained = lines["trained"].get_data()
    _, expected = lines["theory"].get_data()
    both = np.isfinite(trained) & np.isfinite(expected)
    assert both.sum() > 250
    assert np.abs(trained[both] - expected[both]).max() <= 1
    assert trained[np.abs(rates - 0.7).argmin()] == pytest.approx(8, abs=1)
    scene.draw(8)
    assert [len(marks) for _, marks in cliff_marks(scene)] == [0, 1, 1]
    scene.draw(100)
    places = [marks[0].get_xydata()[0].tolist() for _, marks in cliff_marks(scene)]
    assert places[:2] == [[0.1, 70], [0.7, 8]]
    assert places[2][0] == 1.01


def test_cliff_marks_the_limit_the_best_rate_and_now(runs) -> None:
    scene = Animation(runs, ["cliff"]).scene
    (axes,) = scene.figure.axes
    curvatures = np.linalg.eigvalsh(runs[0].problem.hessian)
    limit, best = 2 / curvatures[1], 2 / curvatures.sum()
    (never,) = axes.patches
    assert never.get_x() == pytest.approx(limit)
    assert never.get_x() + never.get_width() == pytest.approx(axes.get_xlim()[1])
    places = pictures.named_places(axes)
    assert places["limit 0.9985"][0] == pytest.approx(limit)
    assert places[f"best rate {best:.2g}"][0] == pytest.approx(best)
    assert limit < places["never"][0] < axes.get_xlim()[1]
    for epoch in (1, 8, 70):
        scene.draw(epoch)
        ends = [line.get_xydata() for line in pictures.curves(axes, scene.theme.muted)]
        straight = [line for line in ends if len(line) == 2]
        across = [line for line in straight if line[0, 1] == line[1, 1]]
        assert [line[:, 1].tolist() for line in across] == [[epoch, epoch]]
        up = [line[:, 0] for line in straight if line[0, 0] == line[1, 0]]
        assert up == [pytest.approx([best, best])]


def test_cliff_puts_a_run_that_was_cut_short_where_it_would_end(problem) -> None:
    scene = Animation(train(problem, [0.02, 0.0001, 1.01]), ["cliff"]).scene
    scene.draw(100)
    whole = train(problem, [0.02], epochs=600)[0].diagnosis.converged_at
    marks = [mark for _, (mark,) in cliff_marks(scene)]
    places = [mark.get_xydata()[0].tolist() for mark in marks]
    assert places[0] == [0.02, pytest.approx(whole, abs=1)]
    assert places[1][1] == scene.figure.axes[0].get_ylim()[1]
    assert [mark.get_marker() for mark in marks[1:]] == ["^", "D"]


def test_a_title_is_plain_text(runs) -> None:
    title = r"costs $5_0$ & \alpha 100% <b>"
    scene = Scene(runs, ["fit"], title=title)
    shown = [text.get_text() for text in scene.figure.texts]
    assert title in shown
    scene.figure.draw_without_rendering()


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("views", "size", "rates"),
    [
        (["fit", "loss"], (1280, 720), 3),
        (["surface", "bowl"], (1080, 1920), 1),
        (["data", "fit", "cliff"], (1080, 1080), 3),
        (["fit", "loss"], (1080, 1080), 12),
    ],
)
def test_no_two_texts_overlap_and_none_leaves_the_frame(problem, views, size, rates) -> None:
    check_texts(problem, views, size, rates)


@pytest.mark.slow
@pytest.mark.parametrize("rates", [1, 3, 12])
@pytest.mark.parametrize("size", [(1280, 720), (1080, 1080), (1080, 1920)])
@pytest.mark.parametrize("views", [["fit", "loss"], ["surface", "bowl"], ["data", "fit", "cliff"]])
def test_so_it_is_for_every_number_of_runs_and_shape_of_frame(problem, views, size, rates) -> None:
    check_texts(problem, views, size, rates)


def check_texts(problem, views, size, rates) -> None:
    lrs = [0.1, 0.7, 1.01, 5, 0.01, 1e30, 0.9985, 0.2, 0.3, 0.4, 0.5, 0.6][:rates]
    scene = Animation(train(problem, lrs), views, size).scene
    for epoch in (3, 100):
        scene.draw(epoch)
        assert list(geometry.faults(scene)) == []


@pytest.mark.quick(2)
@pytest.mark.parametrize("size", [(1280, 720), (800, 450), (720, 405)])
@pytest.mark.parametrize("views", [["fit", "loss"], ["surface", "bowl"], ["landscape", "weights"]])
def test_nothing_that_stands_still_is_drawn_again_for_a_frame(
    runs, views, size, monkeypatch
) -> None:
    scene = Scene(runs, views, size)
    drawn: list[Artist] = []

    def noted(draw):
        @wraps(draw)
        def wrapped(self: Artist, *arguments: object, **keywords: object) -> None:
            drawn.append(self)
            draw(self, *arguments, **keywords)

        return wrapped

    order = list(draw_order(scene.figure))
    kinds = {next(kind for kind in type(part).__mro__ if "draw" in vars(kind)) for part in order}
    for kind in kinds:
        monkeypatch.setattr(kind, "draw", noted(kind.draw))
    stream = Stream(scene.figure, scene.moving, scene.theme.applied)
    for epoch in (0, 1, 2, 50, 100):
        scene.draw(epoch)
        drawn.clear()
        stream.draw()
        assert set(drawn) & set(scene.moving) or epoch == 0
        again = set(drawn) & (set(order) - set(scene.moving))
        # The best weights are above all paths, which may cross them.
        assert all(isinstance(one, Line2D) and one.get_marker() == "*" for one in again)


@pytest.mark.quick(3)
@pytest.mark.parametrize("name", EACH)
def test_diverged_runs_of_odd_problems_are_drawn(problem, name) -> None:
    there = type(problem).sample(seed=11, start=problem.best_weights.tolist())
    exact = type(problem).sample(points=2, noise="none", true_weights=(0, 0), start=(0, 0))
    for odd in (there, exact):
        scene = Animation(train(odd, [1.05, 5, 50, 1e30], epochs=30), [name]).scene
        for epoch in (0, 1, 15, 30):
            scene.draw(epoch)
        scene.figure.draw_without_rendering()
        for axes in scene.figure.axes:
            limits = [*axes.get_xlim(), *axes.get_ylim()]
            assert np.isfinite(limits).all()
            assert np.abs(limits).max() < 1e6


def test_too_small_a_size_is_refused_with_one_that_would_do(runs) -> None:
    with pytest.raises(InputError, match="give at least") as caught:
        Scene(runs, ["fit", "loss"], (320, 180))
    width, height = map(int, str(caught.value).split("at least ")[1].split(",")[0].split("x"))
    Scene(runs, ["fit", "loss"], (width, height))


@pytest.mark.parametrize(("rates", "size"), [(3, (640, 360)), (2, (641, 361))])
def test_small_films_that_can_be_read_are_made(problem, rates, size) -> None:
    scene = Scene(train(problem, [0.1, 0.7, 1.01][:rates], 5), ["fit", "loss"], size)
    assert scene.layout.em >= 9


def test_a_mark_on_the_edge_is_drawn_at_any_resolution(runs) -> None:
    scene = Scene(runs, ["loss"])
    (head,) = pictures.marks(*panel(scene))
    scene.figure.set_dpi(144)
    clip, axes = head.get_clip_box(), scene.figure.axes[0].bbox
    assert clip.x0 < axes.x0
    assert axes.x1 < clip.x1 < axes.x1 + 20


def test_a_picture_of_the_data_alone_tells_no_epoch(runs) -> None:
    def told(views: list[str]) -> bool:
        scene = Scene(runs, views)
        return any(
            text.get_visible() and text.get_text().startswith("epoch")
            for text in scene.figure.findobj(Text)
        )

    assert not told(["data"])
    assert told(["data", "fit"])


@pytest.mark.parametrize(("start", "is_above"), [((-1, 1), False), ((-1, 6), True)])
def test_the_name_of_the_start_stands_on_the_side_away_from_the_paths(start, is_above) -> None:
    runs = train(Line.sample(seed=11, start=start), [0.1], epochs=20)
    scene = Scene(runs, "surface")
    scene.figure.draw_without_rendering()
    (name,) = [text for text in scene.figure.findobj(Text) if text.get_text() == "start"]
    box = name.get_window_extent()
    axes = scene.figure.axes[0]
    place = axes.transData.transform(start)
    assert bool(box.y0 + box.y1 > 2 * place[1]) is is_above
    between = np.linspace(runs[0].weights[:-1], runs[0].weights[1:], 50).reshape(-1, 2)
    assert not box.padded(-0.15 * box.height).count_contains(axes.transData.transform(between))
