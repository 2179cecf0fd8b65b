"""Runs that `train` did not make, alone and beside its own: nothing is drawn that is not known."""

import math

import numpy as np
import pictures
import pytest
import torch

from animate import Animation, DrawingError, Hyperparameters, InputError, Line, Trajectory, train
from animate.drawing.scene import Scene
from animate.drawing.views import VIEWS, View
from animate.page import page


def descended(problem: Line, lr: float, steps: int = 60, **settings) -> np.ndarray:
    """Return the weights of torch's own SGD, shape (steps + 1, 2), in float64."""
    x, y = torch.tensor(problem.x).double(), torch.tensor(problem.y).double()
    weights = torch.nn.Parameter(torch.tensor(problem.start).double())
    optimizer = torch.optim.SGD([weights], lr=lr, **settings)
    records = [weights.detach().numpy().copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        ((weights[0] * x + weights[1] - y) ** 2).mean().backward()
        optimizer.step()
        records.append(weights.detach().numpy().copy())
    return np.array(records)


def mean_squares(problem: Line, weights: np.ndarray) -> np.ndarray:
    lines = weights[:, :1] * problem.x.astype(float) + weights[:, 1:]
    return ((lines - problem.y) ** 2).mean(axis=1)


def network(losses, label: str, **more) -> Trajectory:
    """Return a run of three weights of which nobody knows the problem."""
    count = len(losses)
    weights = np.linspace([1, -2, 0.5], [4, -2.5, 0.4], count)
    return Trajectory(weights, losses, label=label, **more)


@pytest.fixture(scope="module")
def momentum(problem: Line) -> Trajectory:
    """An honest run with momentum at a rate past plain descent's limit, which converges."""
    weights = descended(problem, 1.01, 100, momentum=0.5)
    known = Hyperparameters(1.01, "momentum", momentum=0.5)
    return Trajectory(weights, problem=problem, hyperparameters=known)


@pytest.fixture
def of_two_lengths() -> list[Trajectory]:
    """Two runs whose records are at different steps; the second starts later and ends sooner."""
    return [
        Trajectory(None, [8.0, 5.0, 3.0, 2.0], steps=[0, 3, 10, 20], label="long"),
        Trajectory(None, [7.0, 6.0, 4.0, 1.0], steps=[2, 3, 5, 8], label="short"),
    ]


# Which record a moment shows


def test_each_run_shows_its_last_record_at_or_before_the_moment(of_two_lengths) -> None:
    film = Animation(of_two_lengths, ["loss"], (900, 500))
    scene = film.scene
    assert sorted(set(film.timeline)) == [0, 2, 3, 5, 8, 10, 20]
    for moment in dict.fromkeys(film.timeline):
        scene.draw(moment)
        shown = pictures.headings(scene, "long", "short")
        for number, (run, heading) in enumerate(zip(of_two_lengths, shown, strict=True)):
            past = [place for place, step in enumerate(run.steps) if step <= moment]
            if not past:  # it has not begun
                assert heading.loss.get_text() == ""
                continue
            assert heading.loss.get_text() == f"loss {run.losses[past[-1]]:.3f}"
            color = scene.theme.run(number).line
            (curve,) = pictures.curves(scene.figure.axes[number], color)
            assert curve.get_xdata().tolist() == run.steps[past].tolist()
            assert curve.get_ydata().tolist() == run.losses[past].tolist()


def test_ghosts_show_what_the_other_runs_had_recorded_by_then(of_two_lengths) -> None:
    scene = Scene(of_two_lengths, ["loss"], (900, 500))
    for moment, record in ((0, 0), (3, 1), (10, 2), (20, 3)):
        scene.draw(moment)
        assert of_two_lengths[0].steps[record] == moment
        (ghost,) = pictures.trail(scene.figure.axes[0]).get_segments()
        other = of_two_lengths[1]
        past = other.steps <= moment
        expected = np.column_stack([other.steps, other.losses])[past]
        np.testing.assert_array_equal(np.reshape(ghost, (-1, 2)), expected)


def test_a_run_that_has_ended_or_not_begun_says_so(of_two_lengths) -> None:
    scene = Scene(of_two_lengths, ["loss"], (900, 500))
    for moment, said in (
        (0, "starts at step 2"),
        (2, ""),
        (8, ""),
        (10, "ended at step 8"),
        (20, "ended at step 8"),
    ):
        scene.draw(moment)
        long, short = pictures.headings(scene, "long", "short")
        assert short.detail.get_text() == said
        assert long.detail.get_text() == ""


def test_time_is_told_in_epochs_only_if_every_run_has_them() -> None:
    def unit(some: list[Trajectory]) -> str:
        scene = Scene(some, ["loss"], (900, 500))
        scene.draw(1)
        words = [text.get_text() for text in pictures.outside_panels(scene, pictures.Text)]
        (told,) = [word for word in words if word.endswith(" of 3")]
        return told.split()[0]

    with_epochs = network([4.0, 3.0, 2.0, 1.0], "known", steps_per_epoch=1)
    without = network([4.0, 3.0, 2.0, 1.0], "unknown")
    assert unit([with_epochs]) == "epoch"
    assert unit([without]) == unit([with_epochs, without]) == unit([without, with_epochs]) == "step"


def test_verdicts_of_sparse_records_are_dated_in_steps(problem) -> None:
    (run,) = train(problem, lrs=0.1, epochs=100, record_every=7)
    distances = np.linalg.norm(run.weights - problem.best_weights, axis=1)
    near = distances <= 0.01 * distances[0]
    converged = next(record for record in range(len(near)) if near[record:].all())
    step = 7 * converged
    assert run.steps.tolist() == [*range(0, 100, 7), 100]
    assert (run.diagnosis.converged_at, run.diagnosis.verdict_step) == (step, step)
    scene = Scene(run, ["fit"], (640, 360))
    for moment, said in ((step - 7, False), (step, True), (100, True)):
        scene.draw(moment)
        (heading,) = pictures.headings(scene)
        assert (heading.verdict.get_text() == f"✓ converged at epoch {step}") is said


# What a verdict rests on


def test_no_theory_is_applied_to_hyperparameters_that_nobody_knows(problem) -> None:
    weights = descended(problem, 1.01, 20)  # its loss is still below the first
    unknown = Trajectory(weights, problem=problem, label="a recording")
    known = Trajectory(weights, problem=problem, hyperparameters=Hyperparameters(1.01))
    assert known.diagnosis.sentence == "diverging: past the limit 0.9985"
    assert unknown.diagnosis.verdict == "converging"
    distances = np.linalg.norm(weights - problem.best_weights, axis=1)
    left = f"{100 * distances[-1] / distances[0]:.0f} % still to go"
    assert unknown.diagnosis.sentence.startswith(left)
    scene = Scene(unknown, ["fit", "loss"], (640, 360))
    for moment in (0, 10, 20):
        scene.draw(moment)
        (heading,) = pictures.headings(scene, "a recording")
        assert heading.detail.get_text().startswith("y = ")
        assert not [note for note in pictures.notes(scene.figure.axes[1]) if "turns" in note]


@pytest.mark.parametrize(
    "settings",
    [{"optimizer": "adam"}, {"schedule": "cosine"}, {"batch_size": 10}, {"optimizer": "Rprop"}],
)
def test_no_limit_is_known_of_adam_a_schedule_or_batches(problem, settings) -> None:
    weights = descended(problem, 0.05)
    known = Hyperparameters(1.5, **settings)
    found = Trajectory(weights, problem=problem, hyperparameters=known).diagnosis
    assert found.verdict == "converging"
    assert "limit" not in found.sentence


def test_a_record_that_contradicts_theory_is_believed(problem, runs) -> None:
    def diagnosis(lr: float, weights: np.ndarray):
        known = Hyperparameters(lr)
        return Trajectory(weights, problem=problem, hyperparameters=known).diagnosis

    arrived = diagnosis(1.5, descended(problem, 0.7))
    assert arrived.verdict == "converged"
    assert arrived.converged_at == runs[1].diagnosis.converged_at
    grown = descended(problem, 1.01, 100)
    first, *_, last = mean_squares(problem, grown)
    assert diagnosis(0.1, grown).sentence == f"diverging: loss {first:.3f} → {last:.1f}"
    lost = descended(problem, 0.1)
    lost[7:] = np.nan
    assert diagnosis(0.1, lost).sentence == "diverging: not finite from epoch 7 on"


def spectral_radius(lr: float, curvature: float, momentum: float, *, nesterov: bool) -> float:
    """Return by how much the worst error of torch's recurrence grows a step, in the long run."""
    velocity = np.array([momentum, curvature])  # of the velocity and the error before
    step = momentum * velocity + [0, curvature] if nesterov else velocity
    return max(abs(np.linalg.eigvals([velocity, [0, 1] - lr * step])))


@pytest.mark.parametrize("beta", [0.5, 0.9])
@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_the_limit_with_momentum_is_where_the_recurrence_grows(problem, name, beta) -> None:
    most = np.linalg.eigvalsh(problem.hessian)[1]
    nesterov = name == "nesterov"
    low, high = 0.1, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        grows = spectral_radius(middle, most, beta, nesterov=nesterov) > 1
        low, high = (low, middle) if grows else (middle, high)
    for share, is_stable in ((0.995, True), (1.005, False)):
        lr = share * low
        weights = descended(problem, lr, 100, momentum=beta, nesterov=nesterov)
        known = Hyperparameters(lr, name, momentum=beta)
        found = Trajectory(weights, problem=problem, hyperparameters=known).diagnosis
        if is_stable:
            assert found.verdict in ("converging", "converged")
        else:
            assert found.sentence == f"diverging: past the limit {low:.4g}"


@pytest.mark.parametrize(("batch_size", "is_full"), [(99, False), (100, True), (1000, True)])
def test_a_batch_of_all_points_is_a_full_batch(problem, runs, batch_size, is_full) -> None:
    known = Hyperparameters(1.01, batch_size=batch_size)
    run = Trajectory(runs[2].weights, problem=problem, hyperparameters=known)
    assert run.is_plain_descent is is_full
    assert (run.diagnosis.sentence == runs[2].diagnosis.sentence) is is_full


def test_a_missing_loss_is_no_overflow() -> None:
    nan = math.nan
    run = network([nan, 9.0, nan, 4.0, nan], "gaps")
    assert run.diagnosis.verdict == "converging"
    assert run.diagnosis.overflowed_at is None
    assert run.diagnosis.sentence.startswith("loss 9.000 → 4.000")
    scene = Scene(run, ["loss", "weights"], (640, 360))
    for record, shown in enumerate(["", *["loss 9.000"] * 2, *["loss 4.000"] * 2]):
        scene.draw(record)
        (heading,) = pictures.headings(scene, "gaps")
        assert heading.loss.get_text() == shown
        heads = pictures.marks(scene.figure.axes[1], scene.theme.run(0).line)
        assert len(heads) == 3
        assert all(head.get_marker() != "X" for head in heads)


def test_an_infinite_loss_is_an_overflow() -> None:
    run = network([9.0, 20.0, math.inf, math.inf], "lost")
    assert (run.diagnosis.verdict, run.diagnosis.overflowed_at) == ("diverging", 2)


@pytest.mark.parametrize(
    ("falling", "level", "is_level"),
    [(30, 3, False), (100, 12, False), (100, 25, True), (400, 25, False), (400, 60, True)],
)
def test_a_level_loss_is_level_for_a_tenth_and_20_records(falling, level, is_level) -> None:
    losses = np.append(np.linspace(10, 2, falling), np.full(level, 1.99))
    run = network(losses, "a network")
    assert run.diagnosis.verdict == "converging"
    tenth = max(20, math.ceil(len(losses) / 10))
    said = f"level at loss 1.990 for the last {tenth - 1} steps"
    assert (run.diagnosis.sentence == said) is is_level
    assert run.diagnosis.sentence.startswith("level") is is_level


def test_losses_alone_never_make_a_run_converged() -> None:
    flat = network(np.append(np.geomspace(1, 1e-9, 300), np.full(200, 1e-9)), "flat")
    zero = Trajectory(None, [1.0] + 50 * [0.0], label="zero")
    for run in (flat, zero):
        assert (run.diagnosis.verdict, run.diagnosis.converged_at) == ("converging", None)
        scene = Scene(run, ["loss"], (640, 360))
        scene.draw(scene.clock.last)
        words = [text.get_text() for text in scene.figure.findobj(pictures.Text)]
        assert not [word for word in words if "✓" in word or "converged" in word]


def test_a_run_without_losses_has_no_verdict_and_no_sentence() -> None:
    run = Trajectory(np.ones((4, 3)), label="weights alone")
    assert (run.diagnosis.verdict, run.diagnosis.sentence) == (None, None)
    scene = Scene(run, size=(640, 360))
    scene.draw(3)
    (heading,) = pictures.headings(scene, "weights alone")
    assert (heading.loss.get_text(), heading.verdict.get_text()) == ("", "")


# What runs are called


def names(runs) -> list[str]:
    """Return what stands in bold above the panels, without the title."""
    scene = Scene(runs, ["loss"], (2400, 700), title="")
    return [text.get_text() for text in pictures.titles(scene)] or [
        heading.name.get_text() for heading in pictures.headings(scene)
    ]


def recorded(**settings) -> Trajectory:
    return Trajectory(None, [2.0, 1.0], hyperparameters=Hyperparameters(**settings))


def test_a_scene_tells_runs_of_different_trainings_apart(problem) -> None:
    one, other = (train(problem, lrs=lr, epochs=3) for lr in (0.1, 0.10000001))
    assert names(one + other) == ["learning rate 0.1", "learning rate 0.10000001"]


@pytest.mark.parametrize(
    ("field", "values", "words"),
    [
        ("momentum", (None, 0.9), ("no momentum", "momentum 0.9")),
        ("optimizer", ("sgd", "adam"), ("SGD", "Adam")),
        ("schedule", ("constant", "cosine"), ("constant schedule", "cosine schedule")),
        ("batch_size", (None, 10), ("all points", "batches of 10")),
        ("seed", (0, 7), ("seed 0", "seed 7")),
    ],
)
def test_what_differs_between_runs_is_in_their_names(field, values, words) -> None:
    runs = [recorded(lr=0.1, **{field: value}) for value in values]
    for name, word, other in zip(names(runs), words, reversed(words), strict=True):
        parts = name.split(", ")
        assert word in parts
        assert "learning rate 0.1" in parts
        assert other not in parts


def test_labels_of_ones_own_stay() -> None:
    mine = network([2.0, 1.0], "mine")
    assert names([mine, recorded(lr=0.1, label="also mine")]) == ["mine", "also mine"]


# What the panels claim


def test_a_run_with_momentum_is_told_the_truth_beside_plain_descent(momentum, runs) -> None:
    slow = train(runs[0].problem, [0.02], epochs=100)[0]
    weights = descended(runs[0].problem, 0.005, 100, momentum=0.5)
    known = Hyperparameters(0.005, momentum=0.5)
    lame = Trajectory(weights, problem=runs[0].problem, hyperparameters=known)
    scene = Scene([momentum, lame, slow], ["loss"], (1800, 700))
    scene.draw(100)
    first, second, third = pictures.headings(scene, "Momentum", "SGD")
    assert first.verdict.get_text().startswith("✓ converged at epoch ")
    assert second.detail.get_text().startswith("y = ")  # the fastest rate is plain descent's
    assert third.detail.get_text().startswith("fastest rate ")


def test_the_turn_is_marked_of_plain_descent_alone(problem, runs) -> None:
    past = 1.01 * 1.2 * problem.stability_limit
    weights = descended(problem, past, 100, momentum=0.2)
    losses = mean_squares(problem, weights)
    known = Hyperparameters(past, "momentum", momentum=0.2)
    swinging = Trajectory(weights, problem=problem, hyperparameters=known, label="swinging")
    assert 0 < losses.argmin() < 100
    assert swinging.diagnosis.verdict == "diverging"
    recording = Trajectory(runs[2].weights, problem=problem, label="unknown", steps_per_epoch=1)
    rising = network([3.0, 1.0, 2.0, *range(4, 102)], "a network", steps_per_epoch=1)
    assert rising.diagnosis.verdict == "diverging"
    scene = Scene([swinging, recording, rising, runs[2]], ["loss"], (1800, 600))
    scene.draw(100)
    marked = ["turns" in " ".join(pictures.notes(axes)) for axes in scene.figure.axes]
    assert marked == [False, False, False, True]


def test_the_floor_is_named_in_the_first_panel_that_has_one(runs) -> None:
    scene = Scene([network([9.0, 4.0, 1.0], "a network"), *runs[:2]], ["loss"], (1800, 600))
    reached = float(runs[1].losses[-1])
    for number, axes in enumerate(scene.figure.axes):
        floors = [line.get_ydata()[0] for line in pictures.curves(axes, scene.theme.ink)]
        assert floors == ([] if number == 0 else [pytest.approx(reached, rel=1e-5)])
        named = ["the best fit's loss"] if number == 1 else []
        assert list(pictures.named_places(axes)) == named


def test_a_bowls_arrow_is_drawn_for_plain_descent_alone(momentum, runs) -> None:
    scene = Scene([momentum, runs[1]], ["bowl"], (1280, 720))
    scene.draw(0)
    shafts, tips = [], []
    for axes in scene.figure.axes:
        inked = pictures.lines(axes, scene.theme.ink)
        shafts.append(any(np.isfinite(line.get_xydata()).all() for line in inked))
        tips.append(any(line.get_marker() in ("<", ">") for line in inked))
    assert shafts == tips == [False, True]
    captions = [text.get_text() for text in scene.figure.texts]
    assert "loss along the steepest direction; arrow: the next step" in captions
    captions = [text.get_text() for text in Scene([momentum], ["bowl"]).figure.texts]
    assert "loss along the steepest direction alone" in captions


@pytest.mark.parametrize("view", ["loss", "weights"])
def test_panels_of_one_view_share_their_scale(view, runs) -> None:
    small = network([0.3, 0.2, 0.1], "small")
    large = Trajectory(1e3 * np.array([[1.0], [2], [5]]), [3e4, 2e3, 1e3], label="large")
    for some in ([small, large], [large, small], [large, *runs], [*runs[:1], small]):
        scene = Scene(some, [view], (1800, 600))
        assert len({axes.get_ylim() for axes in scene.figure.axes}) == 1


def test_a_network_is_given_neither_line_nor_limit() -> None:
    run = network([9.0, 4.0, 6.0, 12.0, 20.0], "a network", metrics={"accuracy": [0.1] * 5})
    scene = Scene(run, size=(1280, 720))
    for record in range(5):
        scene.draw(record)
        words = " ".join(text.get_text() for text in scene.figure.findobj(pictures.Text))
        for untrue in ("y =", "limit", "best", "fastest", "line", "turns", "way left"):
            assert untrue not in words
        assert ("✗ diverging: loss 9.000 → 20.00" in words) is (record == 4)


# Views of one's own


class Forgetful(View):
    """Changes an artist that it has not registered."""

    def __init__(self, panel) -> None:
        super().__init__(panel)
        (self.dot,) = panel.axes.plot([0], [0], "o")

    def draw(self, record: int) -> None:
        self.dot.set_data([record], [record])


class Adding(View):
    """Adds an artist at each moment."""

    def draw(self, record: int) -> None:
        self.panel.axes.plot([0, record], [0, 1])


class Adorned(View):
    """Changes a panel's title, which is an artist like any other."""

    def draw(self, record: int) -> None:
        self.panel.axes.set_title(f"record {record}")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Forgetful, r"changes Line2D.*self\.moves"),
        (Adding, r"adds artists to Axes.*self\.moves"),
        (Adorned, r"changes Text.*self\.moves"),
    ],
)
def test_what_a_view_forgets_to_register_is_named(runs, kind, said) -> None:
    film = Animation(runs[:1], [kind], (640, 360), timeline=[0, 1, 2])
    with pytest.raises(DrawingError, match=said):
        list(film.frames())


class Across(View):
    """Asks for the one run of a panel that shows all of them."""

    across = True

    def draw(self, moment: float) -> None:
        assert moment <= self.panel.run.steps[-1]


def test_a_view_across_runs_that_asks_for_its_run_is_told_why_there_is_none(runs) -> None:
    with pytest.raises(InputError, match=r"panel\.run belongs to one run.*use panel\.runs"):
        Animation(runs, [Across], (640, 360))


class Timed(View):
    """Shows which record each run has at a moment."""

    across = True

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self.said = self.moves(panel.axes.text(0, 0, ""))

    def draw(self, moment: float) -> None:
        records = [self.panel.record_of(run, moment) for run in self.panel.runs]
        self.said.set_text(" ".join(map(str, records)))


def test_a_view_across_runs_is_given_moments_and_asks_for_records(of_two_lengths) -> None:
    scene = Scene(of_two_lengths, [Timed], (640, 360))
    for moment, said in ((0, "0 0"), (2, "0 0"), (3, "1 1"), (8, "1 3"), (10, "2 3"), (20, "3 3")):
        scene.draw(moment)
        assert list(pictures.notes(scene.figure.axes[0])) == [said]


# What cannot be made of them


@pytest.mark.parametrize(
    ("run", "possible"),
    [
        (network([3.0, 2.0, 1.0], "all"), {"loss", "weights", "losses"}),
        (Trajectory(None, [3.0, 2.0, 1.0], label="losses"), {"loss", "losses"}),
        (Trajectory(np.ones((3, 2)), label="weights"), {"weights"}),
    ],
)
def test_a_view_that_cannot_show_a_run_names_those_that_can(run, possible) -> None:
    for view in VIEWS:
        if view in possible:
            assert Scene(run, view, (640, 360)).figure.axes
            continue
        with pytest.raises(InputError, match=f"view {view}: ") as refused:
            Scene(run, view, (640, 360))
        reason, named = str(refused.value).split("; views that can show these runs: ")
        assert run.label in reason
        assert set(named.split(", ")) == possible


@pytest.mark.parametrize("name", ["q.gif", "q.mp4", "q.html"])
def test_the_moment_of_a_still_is_refused_for_what_is_none(runs, tmp_path, name) -> None:
    film = Animation(runs, ["fit"], (640, 360), timeline=[0, 1])
    with pytest.raises(InputError, match="at is the moment of a still"):
        film.save(tmp_path / name, at=1)
    assert not list(tmp_path.iterdir())


def test_a_page_takes_only_runs_that_it_can_train_again(momentum, runs, tmp_path) -> None:
    one = runs[0]
    settings = {"problem": one.problem, "hyperparameters": one.hyperparameters}
    by_hand = Trajectory(one.weights, one.losses, **settings)
    for wrong in (by_hand, momentum, network([2.0, 1.0], "a network")):
        for some in ([wrong], [one, wrong]):
            with pytest.raises(InputError, match=r"only runs from animate\.train"):
                page(some)
        with pytest.raises(InputError, match=r"only runs from animate\.train"):
            Animation(wrong).save(tmp_path / "x.html")
    assert not list(tmp_path.iterdir())
    assert "<html" in page([one])
