"""A plane through weights holds what a singular value decomposition says, and its own loss."""

import re

import numpy as np
import pictures
import pytest
import torch
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba
from torch import nn
from torch.nn import functional

from animate import Animation, Hyperparameters, InputError, Recorder, Supervised, Trajectory, train
from animate.drawing.scene import Scene
from animate.training import planes
from animate.training.planes import plane, random_plane
from animate.training.precomputed import precompute

X = np.linspace(-1, 1, 15)[:, None]
Y = np.sin(3 * X)


def make(**settings) -> Supervised:
    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(1, 5), nn.Tanh(), nn.Linear(5, 1)).double()

    return Supervised(model, X, Y, loss=settings.pop("loss", functional.mse_loss), **settings)


@pytest.fixture(scope="module")
def several():
    return train(make(), [0.05, 0.3], epochs=40)


class Bowl:
    """A loss of any number of weights, without torch."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def loss(self, weights) -> np.ndarray:
        return self.scale * np.square(weights).sum(axis=-1)


def walks(count: int, sizes=(20, 12)) -> list[Trajectory]:
    random, problem = np.random.default_rng(count), Bowl()
    return [
        Trajectory(
            (random.standard_normal((size, count)).cumsum(axis=0) + 9).astype(np.float32),
            problem=problem,
        )
        for size in sizes
    ]


@pytest.mark.parametrize("count", [3, 8, 31, 32, 33, 500])
def test_its_directions_are_the_principal_components_of_all_weights(count, monkeypatch) -> None:
    monkeypatch.setattr(planes, "CHUNK_BYTES", 8 * 32 * 7)  # seven weights at a time
    runs = walks(count)
    found = plane(runs)
    rows = np.concatenate([run.weights for run in runs]).astype(float)
    mean = rows.mean(axis=0)
    _, sizes, right = np.linalg.svd(rows - mean, full_matrices=False)
    np.testing.assert_allclose(found.origin, mean)
    np.testing.assert_allclose(np.abs(found.directions @ right[:2].T), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(found.explained, (sizes**2 / (sizes**2).sum())[:2])
    np.testing.assert_allclose(
        np.concatenate(found.points), (rows - mean) @ found.directions.T, atol=1e-8
    )
    np.testing.assert_array_equal(found.losses[1], np.square(runs[1].weights).sum(axis=1))


def test_many_records_give_the_same_directions(monkeypatch) -> None:
    runs = walks(800, (90, 70))
    whole = plane(runs)
    monkeypatch.setattr(planes, "DENSE", 10)
    np.testing.assert_allclose(plane(runs).directions, whole.directions, atol=1e-8)


def test_paths_go_right_and_up() -> None:
    points = plane(walks(50)).points
    moved = sum(path[-1] - path[0] for path in points)
    assert (moved >= 0).all()


@pytest.mark.parametrize(
    "weights", [np.ones((4, 3)), np.outer(np.arange(4.0), [1, 2, 3]), np.ones((1, 3))]
)
def test_paths_on_a_line_or_a_point_have_a_plane_too(weights) -> None:
    found = plane([Trajectory(weights, problem=Bowl())])
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(2), atol=1e-12)
    lifted = found.origin + found.points[0] @ found.directions
    np.testing.assert_allclose(lifted, weights, atol=1e-9)


def test_two_weights_are_the_plane_themselves(runs) -> None:
    found = plane(runs)
    assert found.is_whole
    assert found.share == 1
    for run, points in zip(runs, found.points, strict=True):
        np.testing.assert_array_equal(points, run.weights)
    grid = found.grid(np.array([0.0, 1]), np.array([2.0, 3, 4]))
    assert grid.shape == (3, 2)
    assert grid[2, 1] == pytest.approx(float(runs[0].problem.loss([1, 4])))


def test_the_loss_on_the_grid_is_that_of_the_weights_there(several, monkeypatch) -> None:
    found = plane(several)
    x, y = np.linspace(-1, 1, 4), np.linspace(-2, 1, 3)
    expected = [
        [float(found.problem.loss(found.origin + found.directions.T @ (a, b))) for a in x]
        for b in y
    ]
    np.testing.assert_allclose(found.grid(x, y), expected, rtol=1e-10)
    monkeypatch.setattr(planes, "_losses_on", None)
    assert found.grid(x, y) is found.grid(x.copy(), y.copy())  # is not computed again


def test_a_loss_that_vmap_cannot_do_is_computed_one_by_one() -> None:
    def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(output, y) * (2 if output[0].item() > 0 else 1)

    found = plane(train(make(loss=loss), 0.1, epochs=3))
    x = np.linspace(-1, 1, 3)
    (value,) = found.grid(x, x[:1])[0, :1]
    expected = found.problem.loss(found.origin + found.directions.T @ (x[0], x[0]))
    assert value == pytest.approx(float(expected))


def test_a_memmap_of_weights_is_read_a_part_at_a_time(tmp_path, monkeypatch) -> None:
    (run,) = walks(1000, (30,))
    run.weights.tofile(tmp_path / "w")
    mapped = np.memmap(tmp_path / "w", np.float32, "r", shape=(30, 1000))
    monkeypatch.setattr(planes, "CHUNK_BYTES", 8 * 30 * 10)
    largest = []
    real = planes._Weights.rows

    def rows(self, *arguments):
        found = real(self, *arguments)
        largest.append(found.size)
        return found

    monkeypatch.setattr(planes._Weights, "rows", rows)
    found = plane([Trajectory(mapped, run.losses, problem=run.problem)])
    assert max(largest) <= 300
    np.testing.assert_allclose(found.explained, plane([run]).explained)


def test_records_that_diverge_do_not_determine_the_plane() -> None:
    (calm,) = walks(9, (20,))
    wild = Trajectory(
        calm.weights[:5] * np.array([1, 1, 1e6, 1e12, np.inf])[:, None], problem=calm.problem
    )
    found = plane([calm, wild])
    assert found.is_usual[0].all()
    assert found.is_usual[1].tolist() == [True, True, False, False, False]
    alone = plane([calm, Trajectory(wild.weights[:2], problem=calm.problem)])
    np.testing.assert_allclose(found.directions, alone.directions, atol=1e-9)
    scene = Scene([calm, wild], "plane", data=precompute(["plane"], [calm, wild]))
    scene.draw(4)
    assert np.isfinite(scene.figure.axes[0].get_xlim()).all()


def test_random_directions_have_filters_as_long_as_those_of_the_weights(several) -> None:
    found = random_plane(several)
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(2), atol=1e-12)
    np.testing.assert_array_equal(found.origin, several[0].weights[-1])
    direction = found.reach * found.directions[0]
    first, bias, last, offset = np.split(direction, [5, 10, 15])
    np.testing.assert_allclose(np.abs(first), np.abs(found.origin[:5]))  # filters of one weight
    np.testing.assert_allclose(np.linalg.norm(last), np.linalg.norm(found.origin[10:15]))
    assert not bias.any()
    assert not offset.any()
    assert found.share < plane(several).share <= 1
    np.testing.assert_array_equal(random_plane(several).directions, found.directions)


def recorded(scale: float = 1.0, lr: float = 0.1) -> Trajectory:
    torch.manual_seed(2)
    x, y = torch.tensor(X), torch.tensor(Y)
    model = nn.Sequential(nn.Linear(1, 5), nn.BatchNorm1d(5), nn.Linear(5, 1)).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    recorder = Recorder(
        model,
        loss=lambda m: scale * functional.mse_loss(m(x), y),
        optimizer=optimizer,
        label=f"{scale:g} at {lr:g}",
    )
    for _ in range(6):
        optimizer.zero_grad()
        functional.mse_loss(model(x), y).backward()
        optimizer.step()
        recorder.record()
    return recorder.trajectory


@pytest.mark.slow
def test_recordings_share_a_plane_if_their_losses_agree() -> None:
    first, second = recorded(), recorded(lr=0.3)
    found = plane([first, second])
    np.testing.assert_array_equal(found.losses[1], second.losses)
    # The last buffers of the first: so its last record has the loss that was recorded.
    assert float(found.problem.loss(first.weights[-1])) == pytest.approx(first.losses[-1])
    with pytest.raises(InputError, match=r"losses of 1 at 0\.1 and 2 at 0\.1 differ at the same"):
        plane([first, recorded(scale=2)])
    scene = Scene([first, second], "plane", data={"plane": found})
    assert any("last buffers" in text.get_text() for text in scene.figure.texts)


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([Trajectory(np.ones((3, 4)), label="mine")], "at any weights, but mine has no problem"),
        ([Trajectory(None, [1], problem=Bowl())], "requires weights, but run 1 has none"),
        ([Trajectory(np.ones((3, 1)), problem=Bowl())], "at least two weights, but run 1 has one"),
        (walks(4)[:1] + walks(5)[:1], "as many weights of all runs, but run 1 has 4 and run 2 5"),
        ([Trajectory(np.full((3, 4), np.nan), problem=Bowl())], "requires finite weights"),
        (list(train(make(), 0.1, 2)) + list(train(make(), 0.1, 2)), "requires one problem"),
    ],
)
def test_runs_without_a_plane_are_refused_with_the_reason(runs, said) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        plane(runs)
    with pytest.raises(InputError, match=f"view plane: it requires.*{re.escape(said[9:])}"):
        Animation(runs, "plane")
    with pytest.raises(InputError, match="view random_plane: it requires"):
        Animation(runs, "random_plane")


def test_weights_without_a_model_have_no_filters() -> None:
    with pytest.raises(InputError, match="requires a PyTorch model, whose filters it compares"):
        random_plane(walks(4))


# The views


@pytest.mark.parametrize("name", ["plane", "random_plane"])
def test_the_picture_has_equal_scales_the_share_of_variance_and_dots_of_their_loss(
    several, name
) -> None:
    data = precompute([name], several)
    found = data[name]
    scene = Scene(several, name, (1280, 720), data=data)
    (axes,) = scene.figure.axes
    box = axes.get_window_extent()
    scales = [np.ptp(axes.get_xlim()) / box.width, np.ptp(axes.get_ylim()) / box.height]
    assert scales[0] == pytest.approx(scales[1])
    assert any(" % of the variance" in text.get_text() for text in scene.figure.texts)
    scene.draw(25)
    for index, run in enumerate(several):
        color = scene.theme.run(index).line
        (line,) = pictures.curves(axes, color)
        np.testing.assert_allclose(line.get_xydata(), found.points[index][:26])
        (dots,) = [
            part
            for part in axes.collections
            if isinstance(part, PathCollection) and tuple(part.get_edgecolor()[0]) == to_rgba(color)
        ]
        places = np.asarray(dots.get_offsets())
        records = [int(np.abs(line.get_xydata() - place).sum(axis=1).argmin()) for place in places]
        assert max(records) < 25  # nothing of what is still to come
        grey = dots.get_facecolor()[:, 0]
        order = np.argsort(run.losses[records])
        assert (np.diff(grey[order]) <= 1e-9).all()  # light: the lower, the brighter


def test_a_diverging_run_does_not_stretch_the_picture(problem) -> None:
    runs = train(problem, [0.7, 5], epochs=40)
    scene = Scene(runs, "plane", data=precompute(["plane"], runs))
    (axes,) = scene.figure.axes
    assert np.abs([axes.get_xlim(), axes.get_ylim()]).max() < 30
    scene.draw(40)
    assert "X" in [line.get_marker() for line in axes.get_lines()]


def test_the_sharpness_is_drawn_up_to_the_moment_with_the_limit_of_the_rate(several) -> None:
    H = Hyperparameters  # noqa: N806
    runs = [*several, *train(several[0].problem, H(0.2, schedule="cosine"), epochs=40)]
    data = precompute(["sharpness"], runs)
    scene = Scene(runs, "sharpness", (1280, 720), data=data)
    for moment in (0, 7, 40):
        scene.draw(moment)
        for index, (run, axes) in enumerate(zip(runs, scene.figure.axes, strict=True)):
            (curve,) = pictures.curves(axes, scene.theme.run(index).line)
            np.testing.assert_allclose(
                curve.get_ydata(), data["sharpness"][index].values[: moment + 1]
            )
            (limit,) = pictures.curves(axes, scene.theme.ink)
            shown = np.unique(limit.get_ydata())
            if index < 2:
                assert shown == pytest.approx([2 / run.lr])
            else:
                rates = run.lrs[: moment + 1]
                np.testing.assert_allclose(shown[:5], np.sort(2 / rates[rates > 1e-9])[:5])
    texts = [text.get_text() for text in scene.figure.texts]
    notes = [note for axes in scene.figure.axes for note in pictures.notes(axes)]
    for formula in ("2/lr = 40", "2/lr = 6.667"):
        assert any(formula in text for text in texts + notes)


def test_no_limit_is_drawn_where_the_rate_or_the_optimizer_has_none(several) -> None:
    first = several[0]
    (adam,) = train(first.problem, Hyperparameters(0.01, "adam"), epochs=5)
    unknown = Trajectory(first.weights, problem=first.problem)
    known = Trajectory(first.weights, problem=first.problem, lrs=np.full(41, 0.5))
    runs = [adam, unknown, known]
    scene = Scene(runs, "sharpness", (1280, 720), data=precompute(["sharpness"], runs))
    limits = [pictures.curves(axes, scene.theme.ink) for axes in scene.figure.axes]
    assert [len(one) for one in limits] == [0, 0, 1]
    assert not scene.figure.axes[2].patches  # the optimizer is unknown, so nothing is claimed


@pytest.mark.parametrize(
    "views", [pytest.param("random_plane", marks=pytest.mark.slow), "loss sharpness plane"]
)
@pytest.mark.parametrize("theme", ["light", pytest.param("transparent", marks=pytest.mark.slow)])
def test_each_frame_is_a_full_redraw_to_the_pixel(several, views, theme) -> None:
    short = train(several[0].problem, Hyperparameters(0.1, schedule="cosine"), epochs=15)
    runs = [*several, *short]
    film = Animation(
        runs, views.split(), (800, 600), theme=theme, timeline=[0, 1, 2, 9, 15, 20, 40]
    )
    for moment, frame in zip(film.timeline, list(film.frames()), strict=True):
        film.scene.draw(40 - moment if moment in (0, 40) else 9)  # another one in between
        film.scene.draw(moment)
        canvas = film.scene.figure.canvas
        canvas.draw()
        np.testing.assert_array_equal(frame, np.array(canvas.buffer_rgba()))
