"""Records, moments and epochs: what a scene counts in, and which record of each run it shows."""

import numpy as np
import pictures
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image

from animate import Animation, Hyperparameters, InputError, Trajectory, train
from animate.drawing.clock import Clock
from animate.drawing.medium import STILL
from animate.drawing.scene import Scene

H = Hyperparameters


def falling(count: int, **known) -> Trajectory:
    return Trajectory(None, np.geomspace(5, 1, count), **known)


def full_redraw(film: Animation, moment: float) -> np.ndarray:
    film.scene.draw(moment)
    canvas = FigureCanvasAgg(film.scene.figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())


def texts(scene: Scene) -> list[str]:
    return [text.get_text() for text in pictures.outside_panels(scene, Text) if text.get_text()]


def test_moments_are_the_union_of_the_records_times() -> None:
    runs = [
        falling(4, steps=[0, 10, 20, 30]),
        falling(3, steps=[0, 15, 45]),
        falling(2, steps=[20, 60]),
    ]
    clock = Clock.of(runs)
    assert clock.unit == "step"
    assert clock.moments.tolist() == [0, 10, 15, 20, 30, 45, 60]
    for moment in clock.moments:
        for number, run in enumerate(runs):
            earlier = [record for record, step in enumerate(run.steps) if step <= moment]
            assert clock.record(number, moment) == max(earlier, default=0)


@pytest.mark.parametrize(
    ("known", "unit"),
    [
        ([{"steps_per_epoch": 7}, {"steps_per_epoch": 2}], "epoch"),
        ([{"steps_per_epoch": 7}, {"hyperparameters": H(0.1)}], "epoch"),
        ([{"steps_per_epoch": 7}, {}], "step"),
        ([{"steps_per_epoch": 7}, {"hyperparameters": H(0.1, batch_size=5)}], "step"),
    ],
)
def test_a_scene_counts_in_epochs_if_every_run_has_them(known, unit) -> None:
    runs = [falling(15, **one) for one in known]
    scene = Scene(runs, "loss", (640, 360))
    assert scene.clock.unit == unit
    assert any(text.startswith(f"{unit} ") for text in texts(scene))
    assert f"loss against {unit} (log)" in texts(scene)
    each = [run.steps_per_epoch if unit == "epoch" else 1 for run in runs]
    assert scene.clock.last == max(14 / count for count in each)


def test_fractions_of_an_epoch_are_moments() -> None:
    runs = [falling(36, steps_per_epoch=7), falling(11, steps_per_epoch=2)]
    clock = Clock.of(runs)
    expected = sorted({step / 7 for step in range(36)} | {step / 2 for step in range(11)})
    assert clock.moments.tolist() == expected
    for step in range(36):
        assert clock.record(0, clock.moment(step / 7)) == step
        assert clock.record(1, clock.moment(step / 7)) == int(step / 7 * 2 + 1e-9)
    assert clock.moment(0.5) == 0.5
    assert clock.moment(0.99) == 6 / 7
    assert clock.text(3 / 7) == "epoch 0.43 of 5"
    assert [falling(15, steps_per_epoch=7, steps=7 * np.arange(15)).times[-1]] == [14]


def drawn_still(film: Animation, moment: float, *, states_moment: bool = True) -> np.ndarray:
    """Return a still of the film's runs and views, drawn by matplotlib alone."""
    runs, views = film.scene.runs, film.scene.view_classes
    scene = Scene(runs, views, film.size, medium=STILL, states_moment=states_moment)
    scene.draw(moment)
    scene.figure.canvas.draw()
    return np.array(scene.figure.canvas.buffer_rgba())


def test_at_and_timeline_count_on_the_clock(tmp_path) -> None:
    run = falling(36, steps_per_epoch=7)
    film = Animation(run, size=(640, 360), timeline=[0, 0.5, 1 / 7, 5, 4.99])
    assert film.timeline == (0, 3 / 7, 1 / 7, 5, 34 / 7)
    film.save(tmp_path / "still.png", at=0.5)
    still = np.array(Image.open(tmp_path / "still.png").convert("RGBA"))
    np.testing.assert_array_equal(still, drawn_still(film, 3 / 7))
    for wrong in (-1, 5.01, 36, float("nan"), "soon", None, True):
        with pytest.raises(InputError, match=r"epoch .* (in the records|number); .* 0 to 5"):
            film.save(tmp_path / "none.png", at=[wrong])
    for wrong in ([0, 99], [None], "abc"):
        with pytest.raises(InputError, match="is not in the records"):
            Animation(run, timeline=wrong)
    with pytest.raises(InputError, match="timeline 3 is not a sequence"):
        Animation(run, timeline=3)
    with pytest.raises(InputError, match="timeline is empty"):
        Animation(run, timeline=[])
    with pytest.raises(InputError, match=r"q\.gif is none; leave it out"):
        film.save(tmp_path / "q.gif", at=3)
    assert [path.name for path in tmp_path.iterdir()] == ["still.png"]


def test_named_moments_are_found_on_the_clock(problem, tmp_path) -> None:
    (fast,) = train(problem, [0.7], epochs=20, record_every=3)
    late = Trajectory(fast.weights, steps=fast.steps + 30, problem=problem)
    assert fast.diagnosis.converged_at == 9  # the first record after epoch 8
    film = Animation([fast, late], "fit", (800, 450))
    assert film.scene.clock.unit == "step"
    for name, moment in (("start", 0), ("converged", 39), ("end", 50)):
        film.save(tmp_path / "still.png", at=name)
        still = np.array(Image.open(tmp_path / "still.png").convert("RGBA"))
        expected = drawn_still(film, moment, states_moment=name != "end")
        np.testing.assert_array_equal(still, expected)


def test_a_film_of_20000_steps_shows_a_few_hundred_moments_in_under_14_seconds() -> None:
    for run in (falling(20_001), falling(20_001, steps_per_epoch=4)):
        film = Animation([run, falling(50)], "loss")
        moments = list(dict.fromkeys(film.timeline))
        assert len(film.timeline) / film.fps < 14
        assert 150 <= len(moments) <= 400
        assert (moments[0], moments[-1]) == (0, 20_000)
        assert moments[:9] == list(range(9))
        assert np.diff(moments)[:20].max() < np.diff(moments)[-20:].min()


def test_a_shorter_run_stands_at_its_end_and_a_late_one_is_not_there_before_its_start() -> None:
    runs = [falling(41, label="short"), falling(61, steps=np.arange(20, 81), label="late")]
    scene = Scene(runs, "loss")
    first, second = scene.figure.axes
    colors = [scene.theme.run(number).line for number in range(2)]

    def seen(axes, color) -> list:
        return [line.get_xdata()[-1] for line in pictures.lines(axes, color)]

    for moment in (0, 10, 19, 20, 40, 60, 80, 10):  # back again, too
        scene.draw(moment)
        assert seen(first, colors[0]) == [min(moment, 40)] * 2  # curve and head
        assert seen(second, colors[1]) == ([moment] * 2 if moment >= 20 else [])
        ghosts = pictures.trail(second)
        if moment < 20:
            assert "starts at step 20" in texts(scene)
            assert not ghosts.get_visible()
        else:
            assert ghosts.get_segments()[0][-1, 0] == min(moment, 40)
        assert ("ended at step 40" in texts(scene)) is (moment > 40)
        assert sum(
            text.startswith("loss ") and "→" not in text and "(" not in text
            for text in texts(scene)
        ) == 1 + (moment >= 20)


def test_a_late_run_joins_the_map_when_it_starts(problem, runs) -> None:
    late = Trajectory(runs[1].weights, steps=50 + np.arange(101), problem=problem)
    scene = Scene([runs[0], late], "landscape")
    (axes,) = scene.figure.axes
    for moment in (0, 49, 50, 150, 3):
        scene.draw(moment)
        assert bool(pictures.curves(axes, scene.theme.run(1).line)) is (moment >= 50)


def test_losses_between_which_some_are_missing_are_a_line_and_no_overflow() -> None:
    losses = np.where(np.arange(40) % 10 == 5, np.geomspace(5, 1, 40), np.nan)
    scene = Scene(Trajectory(None, losses, label="sparse"), "loss")
    (axes,) = scene.figure.axes
    color = scene.theme.run(0).line
    for moment in range(40):
        scene.draw(moment)
        given = [step for step in range(moment + 1) if step % 10 == 5]
        if not given:
            assert not pictures.lines(axes, color)
            continue
        (curve,), (head,) = pictures.curves(axes, color), pictures.marks(axes, color)
        assert curve.get_xdata().tolist() == given
        np.testing.assert_array_equal(curve.get_ydata(), losses[given])
        assert head.get_marker() == scene.theme.run(0).marker
        assert f"loss {losses[given[-1]]:.3f}" in texts(scene)


def test_an_overflow_still_ends_a_line_of_sparse_losses_with_a_cross() -> None:
    weights = np.ones((9, 2))
    weights[6:] = np.inf
    losses = [4, np.nan, 3, np.nan, 2, np.nan, np.nan, np.nan, np.nan]
    scene = Scene(Trajectory(weights, losses), "loss")
    (axes,) = scene.figure.axes
    for moment, marker in ((5, scene.theme.run(0).marker), (6, "X"), (8, "X")):
        scene.draw(moment)
        (head,) = pictures.marks(axes, scene.theme.run(0).line)
        assert (head.get_marker(), head.get_xdata()[0]) == (marker, 4)


def test_the_turn_is_dated_only_as_well_as_the_records_tell(problem) -> None:
    for every, said in ((1, "turns at epoch 2"), (2, "turns near epoch 2"), (3, "turns near")):
        run = train(problem, [1.01], epochs=30, record_every=every)
        scene = Scene(run, "loss", (640, 360))
        scene.draw(30)
        (axes,) = scene.figure.axes
        assert [note for note in pictures.notes(axes) if note.startswith(said)]


@pytest.mark.slow
def test_each_frame_of_hand_made_runs_is_a_full_redraw_to_the_pixel(runs) -> None:
    steps = np.random.default_rng(3).standard_normal((31, 6)).cumsum(axis=0)
    several = [
        runs[2],
        Trajectory(steps, np.geomspace(3, 1, 31), metrics={"accuracy": np.linspace(0, 1, 31)}),
        Trajectory(steps[:9], [3, np.nan, 2, 1, np.inf, 2, 2, 2, 2], label="gap"),
        Trajectory(steps[:9, :1], np.arange(9)[::-1] - 4.0, steps=20 + 3 * np.arange(9)),
    ]
    timeline = [0, 0, 1, 3, 4, 5, 8, 19, 20, 20, 23, 30, 31, 44, 60, 100, 100]
    film = Animation(several, ["loss", "weights"], timeline=timeline)
    frames = list(film.frames())
    for place in range(1, len(timeline)):
        repeated = timeline[place] == timeline[place - 1]
        assert (frames[place] is frames[place - 1]) is repeated
    for moment, frame in dict(zip(film.timeline, frames, strict=True)).items():
        np.testing.assert_array_equal(frame, full_redraw(film, moment), err_msg=f"{moment}")


@pytest.mark.slow
def test_each_frame_of_runs_of_one_line_that_differ_is_a_full_redraw(problem, runs) -> None:
    momentum = Trajectory(
        runs[0].weights[:30], problem=problem, hyperparameters=H(0.1, momentum=0.9)
    )
    late = Trajectory(runs[1].weights[:9], steps=20 + np.arange(9), problem=problem)
    views = ["landscape", "fit", "bowl", "cliff"]
    film = Animation([*runs[2:], momentum, late], views, timeline=[0, 2, 19, 20, 28, 29, 60])
    for moment, frame in zip(film.timeline, film.frames(), strict=True):
        np.testing.assert_array_equal(frame, full_redraw(film, moment), err_msg=f"{moment}")
