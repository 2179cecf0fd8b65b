"""Runs of any origin in any view: drawn truthfully, or refused with views that would do."""

import re

import numpy as np
import pictures
import pytest
from matplotlib.text import Text

from animate import (
    Animation,
    DrawingError,
    Hyperparameters,
    InputError,
    Line,
    Quadratic,
    Trajectory,
    train,
)
from animate.drawing.scene import Scene
from animate.drawing.views import VIEWS, View, load
from animate.training.precomputed import precompute

H = Hyperparameters
NAN, INF = np.nan, np.inf
WALK = np.random.default_rng(5).standard_normal((31, 6)).cumsum(axis=0)
FALL = np.geomspace(5, 0.2, 31)
LINE = Line.sample(seed=11)


class Paraboloid:
    """A quadratic in three weights that have names."""

    x, y, start = np.zeros((1, 1)), np.zeros(1), np.ones(3)
    best_weights, best_loss, hessian = np.zeros(3), 0.0, np.diag([1.0, 2.0, 3.0])
    curvatures, sharpest = (1.0, 2.0, 3.0), np.array([0.0, 0.0, 1.0])
    stability_limit, best_lr = 2 / 3, 0.5
    weight_names = ("a", "b", "c")

    def loss(self, weights) -> np.ndarray:
        return 0.5 * np.einsum("...i,ij,...j->...", weights, self.hessian, weights)

    def equation(self, weights) -> str:
        return f"{weights[0]:.2f} a"


def all_texts(scene: Scene) -> list[str]:
    found = [text.get_text() for text in pictures.outside_panels(scene, Text)]
    return found + [note for axes in scene.figure.axes for note in pictures.notes(axes)]


class Halves:
    """Two classes on the two sides of a line through the origin."""

    x, y, start = np.array([[0.0, 1.0], [1.0, 0.0]]), np.arange(2), np.ones(2)

    def class_scores(self, weights, x) -> np.ndarray:
        score = np.asarray(weights, float) @ np.asarray(x, float).T
        return np.stack([np.zeros_like(score), score], axis=-1)


LACKING = {
    "losses alone": ([Trajectory(None, FALL, label="mine")], "loss losses"),
    "weights alone": ([Trajectory(WALK, label="mine")], "weights"),
    "no problem": ([Trajectory(WALK, FALL, label="mine")], "loss weights losses"),
    "one of two": (
        [Trajectory(WALK[:, :2], problem=LINE), Trajectory(WALK, FALL, label="mine")],
        "loss weights losses",
    ),
    "unlike": ([Trajectory(None, FALL), Trajectory(WALK)], ""),
    "two problems": (
        [Trajectory(WALK[:, :2], problem=LINE), Trajectory(WALK[:, :2], problem=Line.sample(2))],
        "loss weights losses sharpness",
    ),
    "no finite loss": (
        [Trajectory(np.full((3, 2), NAN), problem=LINE, label="mine")],
        "fit loss surface landscape bowl weights data cliff losses sharpness",
    ),
    "three weights": (
        [Trajectory(WALK[:, :3], problem=Paraboloid(), label="mine")],
        "loss landscape3d bowl weights losses sharpness plane",
    ),
    "metrics alone": ([Trajectory(None, NAN * FALL, metrics={"accuracy": FALL})], "metric"),
    "two inputs": (
        [Trajectory(WALK[:, :2], FALL, problem=Halves())],
        "loss weights losses boundary",
    ),
    "a range test": (
        [Trajectory(None, FALL, hyperparameters=H(1, schedule="range"), lrs=FALL[::-1])],
        "loss losses range",
    ),
}


@pytest.mark.quick(3)
@pytest.mark.parametrize("kind", LACKING)
def test_a_view_that_lacks_something_is_refused_and_names_those_that_would_do(kind) -> None:
    runs, able = LACKING[kind]
    for name in VIEWS:
        if name in able.split():
            needs = load(name).needs
            data = {"convergence": _Curve} if name == "cliff" else precompute(needs, runs)
            scene = Scene(runs, name, data=data)
            for moment in (scene.clock.first, scene.clock.last):
                scene.draw(moment)
            continue
        with pytest.raises(InputError) as caught:
            Scene(runs, [name, *able.split()])
        said = str(caught.value)
        assert re.match(rf"view {name}: it(s panels)? (requires|share)", said)
        told = said.split("views that can show these runs: ")[1]
        assert told.split(", ") == able.split() if able else told.startswith("none; draw fewer")
        assert "mine" in said or kind not in ("losses alone", "weights alone", "no problem")


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (
            "cliff",
            "view cliff: it requires a problem that is an animate.Line, but mine has another",
        ),
        ("surface", "view surface: it requires 2 weights, but mine has 3"),
        ("landscape", "view landscape: it requires 2 weights, but mine has 3"),
    ],
)
def test_the_reason_for_a_refusal_is_what_the_view_needs(view, said) -> None:
    run = Trajectory(WALK[:, :3], problem=Paraboloid(), label="mine")
    for refusing in (lambda: Scene(run, view), lambda: Animation(run, view)):
        with pytest.raises(InputError, match=re.escape(said)):
            refusing()


class _Curve:
    lrs = trained = expected = np.array([0.1, 0.5, 0.9])


@pytest.mark.quick(3)
@pytest.mark.parametrize(
    ("runs", "views"),
    [
        (train(LINE, 0.1, 3), "fit loss"),
        ([Trajectory(WALK[:, :2], problem=LINE)], "fit loss"),
        ([Trajectory(WALK, FALL)], "loss weights"),
        ([Trajectory(WALK)], "weights"),
        ([Trajectory(None, FALL)], "loss"),
        ([Trajectory(WALK, FALL), Trajectory(None, FALL)], "loss"),
        ([*train(LINE, 0.1, 3), Trajectory(WALK)], "weights"),
    ],
)
def test_default_views_are_those_for_which_there_are_records(runs, views) -> None:
    assert [kind.__name__.lower() for kind in Scene(runs).view_classes] == views.split()


def test_one_run_and_one_view_need_no_list(runs) -> None:
    for given in (runs[0], [runs[0]], runs[:1]):
        assert Animation(given, "fit", (640, 360)).scene.runs == [runs[0]]
    for wrong in (3, None, [3], [runs]):
        with pytest.raises(InputError, match="is not a run; give an"):
            Animation(wrong)
    for view, said in (
        ("f", "view 'f' is unknown"),
        ("fit loss", "view 'fit loss' is unknown"),
        (3, "view 3 is neither"),
        ([int], "is neither a name nor a View class"),
        ([], "views is empty"),
    ):
        with pytest.raises(InputError, match=re.escape(said)):
            Animation(runs, view)


class Bar(View):
    """A view that does all as asked, and has no caption."""

    def __init__(self, panel) -> None:
        super().__init__(panel)
        (self.line,) = panel.axes.plot([0], [0])
        self.moves(self.line)

    def draw(self, record) -> None:
        self.line.set_data([0, 1], [0, record])


class Undeclared(Bar):
    def __init__(self, panel) -> None:
        super().__init__(panel)
        self.note = panel.axes.text(0, 0, "note")

    def draw(self, record) -> None:
        super().draw(record)
        if record > 1:
            self.note.set_text(f"record {record}")


class Adding(Bar):
    def draw(self, record) -> None:
        self.panel.axes.plot([0, record], [0, 1])


class Replacing(Bar):
    def draw(self, record) -> None:
        self.panel.axes.lines[0].remove()
        self.panel.axes.plot([0, record], [0, 1])


class NewLegend(Bar):
    def draw(self, record) -> None:
        super().draw(record)
        self.panel.axes.legend([self.line], [f"record {record}"])


class Limits(Bar):
    def draw(self, record) -> None:
        super().draw(record)
        self.panel.axes.set_xlim(0, record + 1)


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (Undeclared, "changes Text(0, 0, 'record 2')"),
        (Adding, "adds artists to Axes("),
        (Replacing, "adds artists to Axes("),
        (NewLegend, "adds artists to Axes("),
        (Limits, "changes XAxis("),
    ],
)
def test_a_view_that_draws_what_it_has_not_declared_is_refused(runs, kind, named) -> None:
    film = Animation(runs[0], kind, (640, 360), timeline=[0, 1, 2])
    with pytest.raises(DrawingError, match=re.escape(named)):
        list(film.frames())


def test_a_view_needs_no_caption(runs) -> None:
    assert len(list(Animation(runs[0], Bar, (640, 360), timeline=[0, 1, 2]).frames())) == 3


@pytest.mark.parametrize("name", ["run", "style", "times"])
def test_a_view_across_runs_that_asks_for_the_run_is_told_of_the_runs(runs, name) -> None:
    class Across(Bar):
        across = True

        def draw(self, _moment) -> None:
            getattr(self.panel, name)

    with pytest.raises(InputError, match=rf"panel\.{name} belongs to one run.*use panel\.runs"):
        Scene(runs, Across)


def test_a_view_of_ones_own_says_what_it_requires_and_is_refused_alike(runs) -> None:
    class Special(Bar):
        requires = (Quadratic,)

    class Unknown(Bar):
        needs = ("sharpnes",)

    Scene(runs, Special, (640, 360))
    with pytest.raises(InputError, match=r"view Special: it requires .* these runs: loss, weights"):
        Scene(Trajectory(WALK, FALL), Special)
    with pytest.raises(InputError, match="data 'sharpnes' is unknown"):
        Animation(runs, Unknown)


LABELS = ["$x_1$ $\\frac{1}{", "a_b ^ $", "<b>&", "\N{ROCKET} up", "long " * 40, "two\nlines"]
ODD = {
    "no loss": [Trajectory(WALK, [NAN] * 31)],
    "negative losses": [Trajectory(None, 1 - FALL), Trajectory(None, 3 - FALL[:9])],
    "zero loss": [Trajectory(WALK, [0] * 31)],
    "a loss that ends at zero": [Trajectory(None, [*FALL, 0])],
    "constant loss": [Trajectory(np.ones((31, 2)), [1] * 31)],
    "one weight": [Trajectory(WALK[:, :1], FALL)],
    "one record": [Trajectory(WALK[:1], FALL[:1])],
    "one record of a line": [Trajectory(WALK[:1, :2], problem=LINE)],
    "first not finite": [Trajectory([[NAN] * 3, *WALK[1:, :3]], [NAN, *FALL[1:]])],
    "first of a line not finite": [
        Trajectory([[INF, NAN], *WALK[1:, :2]], problem=LINE, hyperparameters=known)
        for known in (None, H(0.1), H(2))
    ],
    "infinite losses": [Trajectory(None, [INF] * 3)],
    "an infinite loss among others": [Trajectory(None, [3, INF, 2]), Trajectory(None, FALL)],
    "weights of 1e30": [Trajectory(1e30 * WALK, 1e30 * FALL)],
    "weights of a line of 1e200": [Trajectory(1e200 * WALK[:, :2], problem=LINE)],
    "tiny values": [Trajectory(1e-300 * WALK, 1e-300 * FALL)],
    "values that hardly differ": [Trajectory(1e8 + 1e-6 * WALK, 1 + 1e-9 * FALL)],
    "half precision": [Trajectory(WALK.astype(np.float16), 1e4 * FALL.astype(np.float16))],
    "odd labels": [Trajectory(None, FALL, label=label) for label in LABELS],
    "odd metrics": [
        Trajectory(None, FALL, metrics={"$x_{": FALL}, label="$"),
        Trajectory(None, FALL, metrics={"long " * 40: [NAN] * 30 + [INF]}),
    ],
    "12 runs": [Trajectory(WALK, FALL * (place + 1)) for place in range(12)],
}


@pytest.mark.quick(4)
@pytest.mark.parametrize("kind", ODD)
def test_odd_recordings_are_drawn(kind) -> None:
    scene = Scene(ODD[kind])
    for moment in (scene.clock.first, scene.clock.moments[-2:][0], scene.clock.last):
        scene.draw(moment)
        scene.figure.canvas.draw()
        assert not any("nan" in text or "inf" in text for text in all_texts(scene))
    assert not any("✓" in text or "converged" in text for text in all_texts(scene))


def test_labels_are_shown_as_they_are_written_or_shortened() -> None:
    scene = Scene(ODD["odd labels"], "loss")
    shown = [text.get_text() for text in pictures.titles(scene)][1:]
    assert shown[:4] == [*LABELS[:3], "▯ up"]
    assert shown[4].startswith("long long")
    assert shown[4].endswith("…")
    assert shown[5] == "two lines"


def test_a_tick_that_reads_like_another_is_left_bare() -> None:
    scene = Scene(ODD["values that hardly differ"], "weights")
    (axes,) = scene.figure.axes
    written = [label.get_text() for label in axes.get_yticklabels()]
    assert len(written) > 1
    assert written == ["1e8", *[""] * (len(written) - 1)]


def test_a_network_beside_the_line_keeps_what_it_is(runs) -> None:
    network = Trajectory(WALK, FALL, label="network", metrics={"accuracy": np.linspace(0, 1, 31)})
    scene = Scene([*runs, network])
    assert "Training runs, side by side" in all_texts(scene)
    for moment in (0, 8, 30, 31, 40, 100):
        scene.draw(moment)
        *_, loss, weights = scene.figure.axes
        assert not pictures.notes(loss)
        assert pictures.named_lines(weights).keys() == {
            f"w[{place}]" for place in np.argsort(-np.ptp(WALK, axis=0))[:4]
        }
        record = min(moment, 30)
        (curve,) = pictures.curves(loss, scene.theme.run(3).line)
        np.testing.assert_array_equal(curve.get_ydata(), FALL[: record + 1])
        said = all_texts(scene)
        assert ("ended at step 30" in said) is (moment > 30)
        assert (f"accuracy {network.metrics['accuracy'][record]:.4f}" in said) is (moment < 30)
        assert sum(text.startswith("y = ") for text in said) == 3
