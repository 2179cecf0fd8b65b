"""Views of models that are no line, of metrics and range tests, against torch and numpy alone."""

import geometry
import numpy as np
import pictures
import pytest
import torch
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from test_animation import full_redraw
from torch import nn
from torch.nn import functional

from animate import Animation, Hyperparameters, InputError, Line, Supervised, Trajectory, train
from animate.drawing.clock import Clock
from animate.drawing.scene import Scene
from animate.drawing.tabular_text import TabularText
from animate.drawing.text import text_width
from animate.drawing.views import fit
from animate.drawing.views.losses import spread
from animate.problems import READY, curve, moons
from animate.training.range_test import range_test

H = Hyperparameters
STEPS = np.arange(31)


def network(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, outputs))


def outputs_of(model: nn.Sequential, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the model's outputs at `weights`, set by torch itself."""
    nn.utils.vector_to_parameters(torch.tensor(weights), model.parameters())
    with torch.no_grad():
        return model(torch.tensor(x, dtype=torch.float32)).double().numpy()


@pytest.fixture(scope="module")
def waves():
    return train(curve(points=40), [0.05, 0.3, 50], epochs=20)


@pytest.fixture(scope="module")
def crescents():
    return train(moons(points=60), [0.1, 3], epochs=30)


@pytest.fixture(scope="module")
def clusters():
    """Runs of four classes around the corners of a square."""
    random = np.random.default_rng(1)
    y = np.repeat(np.arange(4), 15)
    x = np.array([[0, 0], [2, 0], [0, 2], [2, 2]])[y] + 0.3 * random.standard_normal((60, 2))
    problem = Supervised(lambda: network(2, 4), x, y, loss=functional.cross_entropy)
    return train(problem, [0.2], epochs=30)


@pytest.fixture(scope="module")
def batches():
    """Runs with mini-batches and validation data."""
    random = np.random.default_rng(2)
    x = random.uniform(-1, 1, (40, 1))
    y = np.sin(3 * x) + 0.1 * random.standard_normal(x.shape)

    def far(output, y):
        return ((output - y).abs() > 0.3).double().mean()

    problem = Supervised(
        lambda: network(1, 1), x[:30], y[:30], loss=functional.mse_loss, metrics={"far": far},
        validation=(x[30:], y[30:]),
    )  # fmt: skip
    return train(problem, [H(0.1, batch_size=8), H(0.3, batch_size=8)], epochs=5)


@pytest.fixture(scope="module")
def range_tests():
    """Range tests of a line, which end in an overflow."""
    settings = [H(1.0, schedule="range"), H(1.0, schedule="range", momentum=0.9)]
    return train(Line.sample(seed=11), settings, epochs=200)


def hand_made(**metrics: np.ndarray) -> Trajectory:
    return Trajectory(None, 2 * 0.9**STEPS + 0.1, metrics=metrics, label="mine")


def test_fit_draws_the_curve_of_the_weights(waves) -> None:
    scene = Scene(waves, "fit")
    for place, record in ((0, 0), (1, 20), (0, 7)):
        scene.draw(record)
        axes = scene.figure.axes[place]
        (line,) = pictures.curves(axes, scene.theme.run(place).line)
        x, y = line.get_data()
        assert (x[0], x[-1]) == axes.get_xlim()
        expected = outputs_of(
            waves[0].problem.copy_model(), waves[place].weights[record], x[:, None]
        )
        np.testing.assert_allclose(y, expected[:, 0], atol=1e-6)
        (points,) = [line for line in axes.get_lines() if len(line.get_xdata()) == 40]
        np.testing.assert_array_equal(points.get_ydata(), np.ravel(waves[0].problem.y))


def test_fit_trails_earlier_curves_and_says_that_one_swings_out_of_view(waves) -> None:
    scene = Scene(waves, "fit")
    scene.draw(20)
    first, second, _ = scene.figure.axes
    expected = [
        outputs_of(waves[0].problem.copy_model(), row, np.array([[0.0]]))[0, 0]
        for row in waves[0].weights[16:20]
    ]
    trail = pictures.trail(first).get_segments()
    np.testing.assert_allclose([np.interp(0, *one.T) for one in trail], expected, atol=1e-3)
    assert list(pictures.notes(second)) == ["▲▼ the curve swings out of view"]
    assert not pictures.notes(first)


def test_fit_of_more_records_than_are_computed_beforehand_draws_each(waves, monkeypatch) -> None:
    whole = Scene(waves, "fit")
    monkeypatch.setattr(fit, "MAX_CURVES", 3)
    scene = Scene(waves, "fit")
    for record in (0, 1, 7, 10, 19, 20):
        whole.draw(record)
        scene.draw(record)
        for place in range(3):
            color = scene.theme.run(place).line
            (line,), (expected,) = (
                pictures.curves(each.figure.axes[place], color) for each in (scene, whole)
            )
            np.testing.assert_allclose(line.get_xydata(), expected.get_xydata(), rtol=1e-5)
    scene.draw(15)
    assert len(pictures.trail(scene.figure.axes[0]).get_segments()) == 2  # records 0 and 10


@pytest.mark.parametrize("kind", ["crescents", "clusters"])
def test_boundary_fills_where_the_model_prefers_a_class(kind, request) -> None:
    runs = request.getfixturevalue(kind)
    scene = Scene(runs, "boundary")
    random = np.random.default_rng(3)
    for place, run in enumerate(runs):
        axes = scene.figure.axes[place]
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        x = random.uniform((left, low), (right, high), (500, 2))
        for record in (30, 0, 11):
            scene.draw(record)
            scores = outputs_of(run.problem.copy_model(), run.weights[record], x)
            ordered = np.sort(scores, axis=1)
            is_clear = ordered[:, -1] - ordered[:, -2] > 0.05 * np.ptp(scores)
            regions = [part for part in axes.collections if isinstance(part, PathCollection)]
            inside = np.array(
                [
                    np.any([path.contains_points(x) for path in part.get_paths()] or [[0]], axis=0)
                    | np.zeros(500, bool)
                    for part in regions
                ]
            )
            best = scores.argmax(axis=1)
            for index, within in enumerate(inside, 1):
                np.testing.assert_array_equal((best == index)[is_clear], within[is_clear])
            lines = pictures.trail(axes)
            np.testing.assert_allclose(
                lines.get_colors()[0][:3], to_rgb(scene.theme.run(place).line), atol=1e-6
            )
            points = np.concatenate(lines.get_segments())
            ordered = np.sort(outputs_of(run.problem.copy_model(), run.weights[record], points))
            assert np.median(ordered[:, -1] - ordered[:, -2]) < 0.02 * np.ptp(scores)


def test_boundary_shows_each_class_by_a_marker_and_a_shade_of_its_own(clusters) -> None:
    scene = Scene(clusters, "boundary")
    (axes,) = scene.figure.axes
    points = [line for line in axes.get_lines() if len(line.get_xdata()) == 15]
    looks = {(line.get_marker(), line.get_markerfacecolor()) for line in points}
    assert len(looks) == len(points) == 4
    x = clusters[0].problem.x
    np.testing.assert_array_equal(np.concatenate([line.get_xydata() for line in points]), x)
    shades = [
        part.get_facecolors()[0][:3].mean()
        for part in axes.collections
        if isinstance(part, PathCollection)
    ]
    assert np.diff([1.0, *shades]).max() < -0.03  # darker from class to class, in grey too
    scale = axes.transData.transform([[0, 0], [1, 1]])
    assert np.ptp(scale[:, 0]) == pytest.approx(np.ptp(scale[:, 1]))


def test_boundary_of_a_run_that_overflows_keeps_its_last_regions(crescents) -> None:
    weights = crescents[0].weights.copy()
    weights[20:] = np.nan
    run = Trajectory(weights, crescents[0].losses, problem=crescents[0].problem)
    scene = Scene(run, "boundary")
    (axes,) = scene.figure.axes
    scene.draw(19)
    before = np.concatenate(pictures.trail(axes).get_segments())
    scene.draw(30)
    np.testing.assert_array_equal(np.concatenate(pictures.trail(axes).get_segments()), before)
    scene = Scene(Trajectory(np.full((2, 354), np.nan), problem=crescents[0].problem), "boundary")
    assert not pictures.trail(scene.figure.axes[0]).get_segments()


def test_loss_has_validation_and_batches_beside_it_up_to_now(batches) -> None:
    scene = Scene(batches, "loss")
    first, second = scene.figure.axes
    assert pictures.legend_names(scene, first) == ["training", "validation", "each batch"]
    assert second.get_legend() is None
    for moment in (0, 1.5, 5):
        scene.draw(moment)
        lines = pictures.named_lines(first)
        run, record = batches[0], round(4 * moment)
        for name, values in (
            ("training", run.losses),
            ("validation", run.metrics["validation_loss"]),
            ("each batch", run.metrics["batch_loss"]),
        ):
            known = values[: record + 1]
            np.testing.assert_allclose(lines[name].get_ydata(), known[~np.isnan(known)])
    low, high = first.get_ylim()
    for run in batches:
        for values in (run.losses, run.metrics["validation_loss"]):
            assert low < values.min()
            assert values.max() < high


def test_loss_of_one_run_names_all_that_is_drawn(batches) -> None:
    scene = Scene(batches[1], "loss")
    names = pictures.legend_names(scene, scene.figure.axes[0])
    assert names == ["training", "validation", "each batch"]
    scene = Scene(hand_made(), "loss")
    assert pictures.legend_names(scene, scene.figure.axes[0]) == []


def test_metric_draws_metrics_up_to_now_with_validation_and_other_runs(batches) -> None:
    scene = Scene(batches, "metric")
    scene.draw(2.5)
    first, second = scene.figure.axes
    assert pictures.legend_names(scene, first) == ["training", "validation"]
    assert second.get_legend() is None
    lines = pictures.named_lines(first)
    for name, key in (("training", "far"), ("validation", "validation_far")):
        np.testing.assert_allclose(lines[name].get_ydata(), batches[0].metrics[key][:11])
    (other,) = pictures.trail(first).get_segments()
    np.testing.assert_allclose(other[:, 1], batches[1].metrics["far"][:11])
    assert "far against epoch" in [text.get_text() for text in scene.figure.texts]


def test_several_metrics_are_named_and_share_an_axis_on_which_all_are_seen() -> None:
    run = hand_made(
        accuracy=1 - 0.9**STEPS / 2, perplexity=90 * 0.9**STEPS + 10, validation_score=STEPS / 30
    )
    scene = Scene(run, "metric")
    names = pictures.legend_names(scene, scene.figure.axes[0])
    assert names == ["accuracy", "perplexity", "score, validation"]
    log = hand_made(accuracy=1 - 0.9**STEPS / 2, perplexity=90 * 0.9**STEPS + 10)
    (axes,) = Scene(log, "metric").figure.axes
    assert axes.get_yscale() == "log"
    many = hand_made(**{f"m{number}": STEPS + number for number in range(6)})
    scene = Scene(many, "metric")
    assert pictures.legend_names(scene, scene.figure.axes[0]) == ["m0", "m1", "m2", "m3"]
    assert "the first 4 metrics against step" in [text.get_text() for text in scene.figure.texts]


@pytest.mark.parametrize("values", [{}, {"accuracy": STEPS * np.nan}, {"batch_loss": STEPS}])
def test_metric_refuses_a_run_without_metrics(values) -> None:
    with pytest.raises(InputError, match="view metric: it requires metrics, such as the accuracy"):
        Scene(hand_made(**values), "metric")


@pytest.mark.quick(2)
@pytest.mark.parametrize("size", [(1280, 720), (700, 394)])
@pytest.mark.parametrize("count", [1, 3, 12])
def test_losses_names_each_run_beside_its_head_without_overlap(count, size) -> None:
    runs = [
        Trajectory(None, (1 + place) * (0.9 + 0.004 * place) ** STEPS[: 31 - place] + 0.1,
                   label=f"run {place}, named at length" if place % 2 else f"{place}")
        for place in range(count)
    ]  # fmt: skip
    size = (1280, 720) if count == 12 else size
    scene = Scene(runs, "losses", size)
    (axes,) = scene.figure.axes
    for moment in (0, 3, 20, 30):
        scene.draw(moment)
        assert not list(geometry.faults(scene))
        for place in range(count):
            (line,) = pictures.curves(axes, scene.theme.run(place).line)[:1]
            assert line.get_xdata()[-1] <= moment
        labels = [text for text in axes.texts if isinstance(text, TabularText)]
        labels += [part for part in axes.artists if isinstance(part, TabularText)]
        assert len({text.get_text() for text in labels}) == count
        for text, run in zip(labels, runs, strict=True):
            head = run.times[min(moment, len(run.times) - 1)]
            left = text.get_transform().transform(text.get_position())[0]
            assert left > axes.transData.transform((head, 1))[0]


@pytest.mark.parametrize("seed", range(40))
def test_labels_are_spread_in_order_within_bounds_and_no_more_than_needed(seed) -> None:
    random = np.random.default_rng(seed)
    wanted = np.sort(random.uniform(-5, 25, random.integers(1, 13)))
    gap = random.uniform(0.5, 1.5)
    placed = spread(wanted, gap, 0, 20)
    assert (np.diff(placed) >= gap - 1e-9).all()
    assert placed[0] >= -1e-9
    assert placed[-1] <= 20 + 1e-9
    inside = np.clip(wanted, 0, 20)
    if (np.diff(inside) >= gap).all():
        np.testing.assert_allclose(placed, inside)
    # No other allowed places are nearer: moving all of a group by a little is no gain.
    cost = np.square(placed - wanted).sum()
    for start in range(len(wanted)):
        for end in range(start + 1, len(wanted) + 1):
            for by in (-1e-3, 1e-3):
                other = placed.copy()
                other[start:end] += by
                if (np.diff(other) >= gap).all() and other[0] >= 0 and other[-1] <= 20:
                    assert np.square(other - wanted).sum() >= cost - 1e-9


def test_a_range_test_shows_its_rates_when_their_moment_has_come(range_tests) -> None:
    scene = Scene(range_tests, "range")
    for place, run in enumerate(range_tests):
        found = range_test(run)
        axes = scene.figure.axes[place]
        # At its moment, the records so far tell the same rate as all.
        known = range_test(Trajectory(
            None, run.losses[: found.suggested_from + 1], lrs=run.lrs[: found.suggested_from + 1],
            hyperparameters=run.hyperparameters,
        ))  # fmt: skip
        steepest, diverging = f"{found.suggested_lr:.3g}", f"{found.diverging_lr:.3g}"
        assert abs(np.log(known.suggested_lr / found.suggested_lr)) < 0.5
        rises = int(np.flatnonzero(run.lrs == found.diverging_lr)[0]) + 1
        for moment in (
            0,
            50,
            found.suggested_from - 1,
            found.suggested_from,
            rises - 1,
            rises,
            200,
        ):
            scene.draw(moment)
            said = [text.get_text() for text in axes.findobj(TabularText) if text.get_visible()]
            assert (f"steepest fall at {steepest}" in said) is (moment >= found.suggested_from)
            assert (f"diverges from {diverging}" in said) is (moment >= rises)
            beta = run.hyperparameters.momentum or 0
            limit = (1 + beta) * 2 / np.linalg.eigvalsh(run.problem.hessian)[-1]
            assert f"stability limit {limit:.4g}" in said
            for line in pictures.curves(axes, scene.theme.run(place).line):
                x, y = line.get_data()
                np.testing.assert_allclose(x, run.lrs[:moment])
                np.testing.assert_allclose(y[:100], run.losses[1 : moment + 1][:100])
        assert not list(geometry.faults(scene))


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_range_refuses_another_schedule(schedule) -> None:
    runs = train(Line.sample(seed=11), H(0.1, schedule=schedule), epochs=3)
    with pytest.raises(InputError, match="view range: it requires the schedule range"):
        Scene(runs, "range")


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("kind", "views"),
    [
        ("waves", "fit loss"),
        ("crescents", "boundary losses"),
        ("clusters", "boundary"),
        ("batches", "loss metric"),
        ("range_tests", "range losses"),
    ],
)
@pytest.mark.parametrize("theme", ["light", pytest.param("transparent", marks=pytest.mark.slow)])
def test_each_frame_is_a_full_redraw_to_the_pixel_in_any_order(kind, views, theme, request) -> None:
    runs = request.getfixturevalue(kind)
    last = Clock.of(runs).last
    film = Animation(
        runs, views.split(), (800, 450), theme=theme,
        timeline=[0, 1, 1, 2, 0.5 * last, 0.6 * last, 0.97 * last, last, 3],
    )  # fmt: skip
    for moment, frame in zip(film.timeline, list(film.frames()), strict=True):
        np.testing.assert_array_equal(frame, full_redraw(film, moment), err_msg=f"{moment}")


@pytest.mark.quick(2)
@pytest.mark.parametrize("size", [(1280, 720), (700, 394)])
@pytest.mark.parametrize(
    ("kind", "views"),
    [
        ("waves", "fit loss"),
        ("crescents", "boundary loss"),
        ("batches", "loss metric"),
        ("batches", "losses"),
        ("range_tests", "range"),
    ],
)
def test_no_two_texts_overlap_and_none_is_cut(kind, views, size, request) -> None:
    scene = Scene(request.getfixturevalue(kind), views.split(), size)
    for moment in (scene.clock.first, scene.clock.last):
        scene.draw(moment)
        assert not list(geometry.faults(scene))


def test_default_views_are_the_problems_own_or_follow_from_its_inputs(
    waves, crescents, clusters, batches
) -> None:
    def chosen(runs) -> list[str]:
        return [kind.__name__.lower() for kind in Scene(runs).view_classes]

    assert chosen(waves) == list(READY["curve"].views)
    assert chosen(crescents) == list(READY["moons"].views)
    assert chosen(clusters) == ["boundary", "loss"]
    assert chosen(batches) == ["fit", "loss"]
    digits = READY["digits"].make()
    assert chosen(train(digits, [0.1], epochs=1)) == ["loss", "metric"]
    several = [*train(moons(points=20), [0.1], epochs=1), *crescents]
    assert chosen(several) == ["loss", "weights"]  # of two problems


def test_names_that_do_not_fit_are_abbreviated_before_they_are_cut(problem) -> None:
    runs = train(problem, [H(0.012345, batch_size=10), H(0.1, momentum=0.5), H(0.02)], epochs=2)
    shown = [text.get_text() for text in pictures.titles(Scene(runs, "loss"))][1:]
    assert shown == [
        "no momentum, lr 0.012345, batch 10",
        "momentum 0.5, lr 0.1, all points",
        "no momentum, lr 0.02, all points",
    ]
    own = [hand_made(), Trajectory(None, [2, 1], label="momentum of " + "a long name " * 9)]
    shown = [text.get_text() for text in pictures.titles(Scene([*own, own[0]], "loss"))]
    assert any(text.startswith("momentum of") for text in shown)


@pytest.mark.parametrize(("per_epoch", "text"), [(1, "epoch 4 of 40"), (4, "epoch 39.75 of 40")])
def test_an_epoch_has_decimals_only_where_there_are_fractions(per_epoch, text) -> None:
    steps = np.arange(40 * per_epoch + 1)
    clock = Clock.of([Trajectory(None, steps + 1.0, steps=steps, steps_per_epoch=per_epoch)])
    texts = [clock.text(moment) for moment in clock.moments]
    assert text in [each.replace("\u2007", "").replace("\u2008", "") for each in texts]
    assert texts[-1].replace("\u2007", "").replace("\u2008", "") == "epoch 40 of 40"
    assert np.ptp([text_width(each, 20) for each in texts]) < 0.1
    tenths = Clock.of([Trajectory(None, np.ones(21), steps_per_epoch=10)])
    assert tenths.text(0.3) == "epoch 0.3 of 2"


def test_films_with_batches_are_slow_over_the_first_epochs() -> None:
    full = Trajectory(None, np.ones(41), steps_per_epoch=1)
    parts = Trajectory(None, np.ones(161), steps_per_epoch=4)
    films = [Animation(run, "loss", (640, 360)) for run in (full, parts)]
    seconds = [np.searchsorted(film.timeline, [1, 3, 9]) / 25 for film in films]
    assert (seconds[1] < [2, 3, 6]).all()
    assert (seconds[1] > seconds[0]).all()
    assert len(set(films[1].timeline)) == 161


def test_points_that_are_not_finite_do_not_stop_the_fit() -> None:
    x = np.linspace(-1, 1, 8)[:, None]
    y = np.where(x < 0, np.nan, x)
    problem = Supervised(lambda: nn.Linear(1, 1), x, y, loss=nn.functional.mse_loss)
    scene = Scene(train(problem, 0.1, epochs=2), ["fit", "loss"])
    scene.draw(2)
    left, right = scene.figure.axes[0].get_xlim()
    assert left < -1 < 1 < right
