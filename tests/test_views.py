"""What a view shows at an epoch is the trajectory's data, and stays in its place."""

import geometry
import numpy as np
import pytest
from matplotlib.text import Text

from animate import InputError, Problem, train
from animate.animation.stream import Stream, draw_order
from animate.readout import Readout
from animate.scene import Scene
from animate.scene.text import text_width
from animate.views import VIEWS

EACH = [name for name in VIEWS if name != "data"]


def view(runs, name: str):
    """Return the first panel's view of a scene that shows `name`."""
    return Scene(runs, [name]).views[0]


def test_fit_draws_the_line_of_the_weights(runs) -> None:
    fit = view(runs, "fit")
    for epoch in (0, 7, 100):
        fit.draw(epoch)
        x, y = fit._line.get_data()
        slope, bias = runs[0].weights[epoch].astype(float)
        np.testing.assert_allclose(y, slope * x + bias, rtol=1e-6)


def test_fit_trails_the_lines_before_this_one(runs) -> None:
    fit = view(runs, "fit")
    fit.draw(5)
    ends = [segment[:, 1] for segment in fit._trail.get_segments()]
    assert len(ends) == 4
    x = np.array(fit.panel.axes.get_xlim())
    expected = runs[0].weights[1:5, :1] * x + runs[0].weights[1:5, 1:]
    np.testing.assert_allclose(ends, expected, rtol=1e-5)


def test_fit_says_steadily_that_a_line_swings_out_of_sight(runs) -> None:
    fit = Scene(runs, ["fit"]).views[2]
    said = []
    for epoch in range(101):
        fit.draw(epoch)
        said.append(fit._lost.get_text())
    first = said.index("▲▼ the line swings out of view")
    assert first == 78
    assert set(said[:first]) == {""}
    assert set(said[first:]) == {"▲▼ the line swings out of view"}


@pytest.mark.parametrize(("runs", "size"), [(3, (800, 450)), (4, (1280, 720)), (9, (1920, 1080))])
def test_the_note_on_a_lost_line_fits_its_panel(problem, runs: int, size) -> None:
    lrs = [1.05 + number / 100 for number in range(runs)]
    scene = Scene(train(problem, lrs), ["fit", "loss"], size)
    scene.draw(scene.epochs)
    notes = [
        artist
        for artist in scene.moving
        if isinstance(artist, Readout) and "out of view" in artist.get_text()
    ]
    assert len(notes) == runs
    for note in notes:
        room = note.get_clip_box().width
        assert text_width(note.get_text(), note.get_fontsize()) <= room


@pytest.mark.parametrize("lr", [5, 50, 1e30])
def test_fit_keeps_the_last_lines_in_view_of_a_run_that_overflows(problem, lr) -> None:
    runs = train(problem, [lr])
    fit = view(runs, "fit")
    low, high = fit.panel.axes.get_ylim()
    x = np.array(fit.panel.axes.get_xlim())
    finite = runs[0].weights[: runs[0].diagnosis.overflowed_at].astype(float)
    lines = finite @ np.array([x, [1, 1]])
    within = (lines.min(axis=1) < high) & (lines.max(axis=1) > low)
    fit.draw(100)
    ends = [segment[:, 1] for segment in fit._trail.get_segments()]
    np.testing.assert_allclose(ends, lines[within][-4:], rtol=1e-5)
    assert np.isnan(fit._line.get_ydata()).all()


@pytest.mark.parametrize("name", ["surface", "landscape", "weights", "bowl"])
def test_nothing_moves_after_an_overflow(problem, name) -> None:
    runs = train(problem, [5])
    overflowed_at = runs[0].diagnosis.overflowed_at
    assert np.isfinite(runs[0].weights[overflowed_at]).all()
    shown = view(runs, name)
    paths = {"surface": "_path", "landscape": "_paths", "weights": "_paths", "bowl": "_ball"}
    path = getattr(shown, paths[name])
    line, head = (path[0] if isinstance(path, list) else path).artists
    shown.draw(100)
    assert np.flatnonzero(np.isfinite(line.get_xydata()).all(axis=1))[-1] == overflowed_at - 1
    assert head.get_marker() == "X"


def test_a_step_far_out_of_a_map_keeps_its_direction(problem) -> None:
    for lr in (5.0, 1e17):
        shown = view(train(problem, [lr], 1), "surface")
        shown.draw(1)
        first, second = shown._path.artists[0].get_xydata()
        expected = problem.hessian @ (problem.best_weights - problem.start)
        slope = (second - first)[1] / (second - first)[0]
        assert slope == pytest.approx(expected[1] / expected[0], rel=1e-4)


def test_bowl_shows_no_arrow_for_a_ball_out_of_sight(problem) -> None:
    bowl = view(train(problem, [5]), "bowl")
    bowl.draw(0)
    assert len(bowl._tip.get_xdata()) == 1
    bowl.draw(3)
    assert len(bowl._tip.get_xdata()) == 0


def test_bowl_keeps_the_last_jumps_in_view_of_a_ball_that_has_left(runs) -> None:
    bowl = Scene(runs, ["bowl"]).views[2]
    top = bowl.panel.axes.get_ylim()[1]
    bowl.draw(20)
    assert bowl._gone.get_text() == ""
    bowl.draw(100)
    assert bowl._gone.get_text() == "▲ out of view"
    jumps = np.array(bowl._trail.get_segments())
    assert len(jumps) == 8
    assert (jumps[:, 0, 1] <= top).all()
    assert jumps[-1, 1, 1] > top


@pytest.mark.parametrize("size", [(1280, 720), (800, 450), (1080, 1920)])
def test_the_name_of_the_turn_hides_no_curve(runs, size) -> None:
    shown = Scene(runs, ["fit", "loss"], size).views[5]
    box = shown._turn[1].get_window_extent()
    axes = shown.panel.axes
    epochs = np.linspace(0, 100, 2001)
    for run in runs:
        losses = np.exp(np.interp(epochs, np.arange(101), np.log(run.losses)))
        curve = axes.transData.transform(np.column_stack([epochs, losses]))
        assert not box.count_contains(curve)


def test_loss_draws_the_losses_up_to_now_and_no_further(runs) -> None:
    loss = view(runs, "loss")
    loss.draw(12)
    x, y = loss._path.artists[0].get_data()
    assert x.tolist() == list(range(13))
    np.testing.assert_array_equal(y, runs[0].losses[:13])
    ghosts = loss._ghosts.get_segments()
    np.testing.assert_array_equal(ghosts[0][:, 1], runs[1].losses[:13])
    np.testing.assert_array_equal(ghosts[1][:, 1], runs[2].losses[:13])


def test_loss_marks_where_a_diverging_run_turns_once_that_is_seen(runs) -> None:
    loss = Scene(runs, ["loss"]).views[2]
    ring, name = loss._turn
    loss.draw(2)
    assert not ring.get_visible()
    loss.draw(3)
    assert ring.get_visible()
    assert ring.get_xydata().tolist() == [[2, float(runs[2].losses.min())]]
    assert name.get_text() == "turns at epoch 2"
    assert Scene(runs, ["loss"]).views[0]._turn == []


@pytest.mark.parametrize("name", ["surface", "landscape"])
def test_a_map_draws_the_weights_up_to_now(runs, name) -> None:
    shown = view(runs, name)
    shown.draw(9)
    path = shown._path if name == "surface" else shown._paths[0]
    np.testing.assert_array_equal(path.artists[0].get_xydata(), runs[0].weights[:10])


def test_a_surface_has_equal_scales(runs) -> None:
    axes = view(runs, "surface").panel.axes
    box = axes.get_window_extent()
    across, up = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    assert box.width / across == pytest.approx(box.height / up)


def test_a_strip_of_a_landscape_is_filled_with_the_ways(runs) -> None:
    axes = Scene(runs, ["landscape", "fit", "loss"]).views[-1].panel.axes
    box = axes.get_window_extent()
    assert box.width / box.height > 5
    start, best = runs[0].problem.start[0], runs[0].problem.best_weights[0]
    assert (best - start) / np.ptp(axes.get_xlim()) > 0.15


def test_a_caption_is_as_long_as_its_panel_allows(runs) -> None:
    def captions(scene: Scene) -> set[str]:
        return {text.get_text() for text in scene.figure.texts}

    assert "loss along the steepest direction alone" in captions(Scene(runs, ["bowl"]))
    narrow = Scene(runs[:1], ["fit", "loss", "bowl", "surface"])
    assert "loss along the steepest axis" in captions(narrow)


def test_bowl_puts_the_ball_on_the_parabola_and_the_arrow_at_the_next_error(runs) -> None:
    bowl = Scene(runs, ["bowl"]).views[1]
    run, problem = runs[1], runs[1].problem
    eigenvalues, eigenvectors = np.linalg.eigh(problem.hessian)
    errors = (run.weights - problem.best_weights) @ eigenvectors[:, 1]
    errors *= np.sign(eigenvectors[1, 1])
    bowl.draw(2)
    x, y = (value[0] for value in bowl._ball.artists[1].get_data())
    assert x == pytest.approx(errors[2], rel=1e-5)
    assert y == pytest.approx(eigenvalues[1] / 2 * errors[2] ** 2, rel=1e-5)
    assert bowl._step.get_xdata()[1] == pytest.approx(errors[3], abs=1e-5)


def test_weights_draws_slope_and_bias(runs) -> None:
    weights = view(runs, "weights")
    weights.draw(30)
    for number, path in enumerate(weights._paths):
        np.testing.assert_array_equal(path.artists[0].get_ydata(), runs[0].weights[:31, number])


def test_data_draws_every_point(runs) -> None:
    shown = view(runs, "data")
    points = shown.panel.axes.get_lines()[0].get_xydata()
    np.testing.assert_array_equal(points[:, 0], runs[0].problem.x[:, 0])
    np.testing.assert_array_equal(points[:, 1], runs[0].problem.y)


def test_cliff_agrees_with_theory_and_with_the_runs(runs) -> None:
    cliff = view(runs, "cliff")
    lines = {line.get_label(): line.get_data() for line in cliff.panel.axes.get_lines()}
    rates, trained = lines["trained"]
    _, expected = lines["theory"]
    both = np.isfinite(trained) & np.isfinite(expected)
    assert both.sum() > 250
    assert np.abs(trained[both] - expected[both]).max() <= 1
    assert trained[np.abs(rates - 0.7).argmin()] == pytest.approx(8, abs=1)
    marks = [mark for _, mark in cliff._marks]
    assert [mark.get_data()[1][0] for mark in marks[:2]] == [70, 8]
    cliff.draw(8)
    assert [mark.get_visible() for mark in marks] == [False, True, True]


def test_cliff_puts_a_run_that_was_cut_short_where_it_would_end(problem) -> None:
    cut = view(train(problem, [0.02, 0.0001, 1.01]), "cliff")
    whole = train(problem, [0.02], epochs=600)[0].diagnosis.converged_at
    places = [mark.get_xydata()[0].tolist() for _, mark in cut._marks]
    assert places[0] == [0.02, pytest.approx(whole, abs=1)]
    assert places[1][1] == cut.panel.axes.get_ylim()[1]
    assert [mark.get_marker() for _, mark in cut._marks[1:]] == ["^", "D"]


def test_a_verdict_is_shown_when_it_is_earned_and_not_before(runs) -> None:
    scene = Scene(runs, ["fit"])
    for run, heading in zip(runs, scene._headings, strict=True):
        earned_at = run.diagnosis.earned_at
        scene.draw(earned_at - 1)
        assert "% of the way left" in heading._verdict.get_text()
        scene.draw(earned_at)
        assert heading._verdict.get_text()[2:] == run.diagnosis.sentence


def test_a_title_is_plain_text(runs) -> None:
    title = r"costs $5_0$ & \alpha 100% <b>"
    scene = Scene(runs, ["fit"], title=title)
    shown = [text.get_text() for text in scene.figure.texts]
    assert title in shown
    scene.figure.draw_without_rendering()


@pytest.mark.parametrize("rates", [1, 2, 3, 6, 12])
@pytest.mark.parametrize("size", [(1280, 720), (1080, 1080), (1080, 1920)])
@pytest.mark.parametrize("views", [["fit", "loss"], ["surface", "bowl"], ["data", "fit", "cliff"]])
def test_no_two_texts_overlap_and_none_leaves_the_frame(problem, views, size, rates) -> None:
    lrs = [0.1, 0.7, 1.01, 5, 0.01, 1e30, 0.9985, 0.2, 0.3, 0.4, 0.5, 0.6][:rates]
    scene = Scene(train(problem, lrs), views, size)
    for epoch in (3, 100):
        scene.draw(epoch)
        assert list(geometry.faults(scene)) == []


@pytest.mark.parametrize("size", [(1280, 720), (800, 450), (720, 405)])
@pytest.mark.parametrize("views", [["fit", "loss"], ["surface", "bowl"], ["landscape", "weights"]])
def test_nothing_that_stands_still_is_drawn_again_for_a_frame(runs, views, size) -> None:
    scene = Scene(runs, views, size)
    stream = Stream(scene.figure, scene.moving, scene.theme.applied)
    for epoch in (0, 1, 2, 50, 100):
        scene.draw(epoch)
        stream.draw()
    order = list(draw_order(scene.figure))
    assert [order[number] for number in np.flatnonzero(stream._above)] == []


@pytest.mark.parametrize("name", EACH)
def test_diverged_runs_and_odd_problems_are_drawn(problem, name) -> None:
    there = Problem(problem.x, problem.y, problem.best_weights)
    exact = Problem.sample(points=2, noise="none", true_weights=(0, 0), start=(0, 0))
    for odd in (problem, there, exact):
        scene = Scene(train(odd, [1.05, 5, 50, 1e30], epochs=30), [name])
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
    head = scene.views[0]._path.artists[1]
    scene.figure.set_dpi(144)
    clip, panel = head.get_clip_box(), scene.figure.axes[0].bbox
    assert clip.x0 < panel.x0
    assert panel.x1 < clip.x1 < panel.x1 + 20


def test_a_picture_of_the_data_alone_tells_no_epoch(runs) -> None:
    def told(views: list[str]) -> bool:
        scene = Scene(runs, views)
        return any(
            text.get_visible() and text.get_text().startswith("epoch")
            for text in scene.figure.findobj(Text)
        )

    assert not told(["data"])
    assert told(["data", "fit"])
