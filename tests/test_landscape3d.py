"""The surface in three dimensions: where points are, what is hidden, and what is drawn again."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import proj3d

import animate
from animate import Animation, Hyperparameters, Line, train
from animate.drawing.projection import BOX_ASPECT, ELEVATION, Projection, Surface, hidden
from animate.drawing.scene import Scene
from animate.drawing.views.landscape3d import STEPS
from animate.training.planes import plane
from animate.training.precomputed import precompute

LIMITS = ((-3.0, 9.0), (-1.0, 5.0), (0.5, 40.0))


def scene_of(runs, size=(1280, 720), **settings) -> Scene:
    return Scene(runs, "landscape3d", size, data=precompute(["plane"], runs), **settings)


def view_of(scene: Scene):
    (view,) = scene.views
    return view


@pytest.mark.parametrize("azimuth", [-60, 30, 150])
def test_points_are_where_mplot3d_projects_them(azimuth) -> None:
    axes = Figure(figsize=(7, 3)).add_subplot(projection="3d", proj_type="ortho")
    axes.set(xlim3d=LIMITS[0], ylim3d=LIMITS[1], zlim3d=LIMITS[2])
    axes.set_box_aspect(BOX_ASPECT)
    axes.view_init(ELEVATION, azimuth)
    points = np.random.default_rng(0).uniform(*np.transpose(LIMITS), (50, 3))
    x, y, _ = proj3d.proj_transform(*points.T, axes.get_proj())
    found = Projection.of(LIMITS, azimuth).flat(points)
    np.testing.assert_allclose(found, np.column_stack([x, y]), rtol=1e-12)


def test_a_run_is_on_the_surface_at_its_own_weights_and_losses(runs) -> None:
    scene = scene_of(runs)
    view = view_of(scene)
    for epoch in (0, 3, 8):
        scene.draw(epoch)
        for run, curve in zip(runs, view._curves, strict=True):
            space = np.array([*run.weights[epoch].astype(float), run.losses[epoch]])
            line, head = curve.artists
            assert len(line.get_xydata()) == epoch * STEPS + 1
            pixels = scene.figure.axes[0].transData.transform(
                [view._camera.flat(space), line.get_xydata()[-1], head.get_xydata()[0]]
            )
            assert np.ptp(pixels, axis=0).max() < 0.6  # the surface is drawn between its points


def test_between_records_a_path_has_the_loss_of_the_weights_between(problem, runs) -> None:
    scene = scene_of(runs)
    scene.draw(1)
    view = view_of(scene)
    for run, curve in zip(runs, view._curves, strict=True):
        shares = np.linspace(0, 1, STEPS + 1)[:, None]
        weights = run.weights[0] + shares * (run.weights[1] - run.weights[0]).astype(float)
        points = view._camera.flat(np.column_stack([weights, problem.loss(weights)]))
        to_pixels = scene.figure.axes[0].transData.transform
        apart = to_pixels(points) - to_pixels(curve.artists[0].get_xydata())
        assert np.abs(apart).max() < 0.6


def test_nothing_that_is_hidden_from_the_camera_is_a_path(problem, runs) -> None:
    view = view_of(scene_of(runs))
    for run in runs:
        weights = run.weights[:9].astype(float)
        points = np.column_stack([weights, problem.loss(weights)])
        grid = np.linspace(-8, 12, 201)
        whole = Surface(grid, grid, problem.loss(np.stack(np.meshgrid(grid, grid), axis=-1)))
        assert not hidden(whole, points, view._camera.azimuth).any()


def test_a_wall_hides_what_is_behind_it() -> None:
    x = np.linspace(0, 10, 101)
    wall = Surface(x, x, np.tile(np.where(np.abs(x - 5) < 1, 10.0, 0.0), (101, 1)))
    points = np.array([[1.0, 5.0, 0.5], [9.0, 5.0, 0.5], [5.0, 5.0, 10.0]])
    assert hidden(wall, points, azimuth=0).tolist() == [True, False, False]
    assert hidden(wall, points, azimuth=180).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "theme",
    ["light", *(pytest.param(name, marks=pytest.mark.slow) for name in ("dark", "transparent"))],
)
def test_each_frame_is_matplotlibs_full_redraw(problem, theme) -> None:
    runs = train(problem, [0.7, 1.01, 5], epochs=60)
    film = Animation(runs, ["landscape3d", "loss"], (800, 600), theme=theme, timeline=[0, 30, 60])
    for moment, frame in zip(film.timeline, film.frames(), strict=True):
        other = scene_of_both(film)
        other.draw(moment)
        canvas = other.figure.canvas
        canvas.draw()
        np.testing.assert_array_equal(frame, np.asarray(canvas.buffer_rgba()))


def scene_of_both(film: Animation) -> Scene:
    own = film.scene
    return Scene(own.runs, own.view_classes, own.size, own.theme, data=own.data)


def test_the_surface_is_drawn_once(runs, monkeypatch) -> None:
    film = Animation(runs, "landscape3d", (640, 360))
    frames = film.frames()
    next(frames)
    (surface,) = [
        one for one in film.scene.figure.axes[0].collections if len(one.get_paths()) > 1000
    ]
    monkeypatch.setattr(type(surface), "draw", lambda *_: pytest.fail("it is drawn again"))
    for _ in range(20):
        next(frames)


def test_a_run_that_leaves_the_surface_points_up_and_one_that_overflows_has_a_cross(
    problem,
) -> None:
    runs = train(problem, [1.01, 5], epochs=100)
    scene = scene_of(runs)
    scene.draw(100)
    heads = [curve.artists[1].get_marker() for curve in view_of(scene)._curves]
    assert heads == ["^", "X"]
    scene.draw(1)
    assert view_of(scene)._curves[0].artists[1].get_marker() == scene.theme.run(0).marker


def test_a_network_is_shown_in_its_plane_at_its_own_loss() -> None:
    runs = train(animate.problems.curve(points=20), [Hyperparameters(0.05)], epochs=30)
    scene = scene_of(runs)
    view, found = view_of(scene), plane(runs)
    scene.draw(20)
    index = int(np.searchsorted(found.records[0], 20))
    space = np.array([*found.points[0][index], found.losses[0][index]])
    np.testing.assert_allclose(
        view._curves[0].artists[0].get_xydata()[-1], view._camera.flat(space), rtol=1e-9
    )
    assert "paths at their own loss" in view.full_caption


@pytest.mark.parametrize("size", [(1280, 720), (390, 700)])
def test_surface_and_numbers_are_inside_the_panel(runs, size) -> None:
    scene = scene_of(runs[:1], size)
    axes = scene.figure.axes[0]
    box = axes.get_window_extent()
    texts = [text for text in axes.texts if text.get_text()]
    assert {"slope", "bias", "loss"} < {text.get_text() for text in texts}
    boxes = [text.get_window_extent() for text in texts]
    for one in boxes:
        assert box.x0 - 1 <= one.x0
        assert one.x1 <= box.x1 + 1
        assert box.y0 - 1 <= one.y0
        assert one.y1 <= box.y1 + 1


def test_a_flat_loss_and_a_single_record_are_drawn() -> None:
    class Flat:
        x, y, start = np.zeros(3), np.zeros(3), np.zeros(2)

        def loss(self, weights):
            return np.zeros(np.shape(weights)[:-1])

    run = animate.Trajectory(np.zeros((1, 2)), problem=Flat())
    scene_of([run]).draw(0)
    line = Line.sample(seed=11)
    scene_of([animate.Trajectory(line.start[None], problem=line)]).draw(0)
