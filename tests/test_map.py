"""Maps of sweeps and zooms into them: what is drawn, against theory and known dimensions."""

import numpy as np
import pytest

import animate
from animate import Animation, InputError, Line, train
from animate.drawing.theme import load_theme
from animate.drawing.zoom import ZoomPicture
from animate.film.zoom import zoom_timeline
from animate.recipe import Recipe
from animate.recipe.making import sweep_runs
from animate.recipe.sweeping import plan_map
from animate.training.sweep import plan_sweep
from animate.training.sweeps import zoom as zooming
from animate.training.sweeps.engines import InProcess

LINE = Line.sample(11)
RATES, MOMENTA = np.geomspace(0.05, 3, 40), np.linspace(0, 0.9, 30)


@pytest.fixture(scope="module")
def runs():
    return train(LINE, [0.1, 0.7, 1.01])


@pytest.fixture(scope="module")
def grid():
    return animate.sweep(LINE, {"lr": RATES, "momentum": MOMENTA}, 100)


def picture(animation: Animation, moment: float) -> np.ndarray:
    """Return the colours of the map, (columns, rows, 3)."""
    animation.scene.draw(moment)
    (panel,) = [axes for axes in animation.scene.figure.axes if axes.images]
    image = max((np.asarray(one.get_array()) for one in panel.images), key=np.size)
    return image.swapaxes(0, 1)


def test_a_map_is_orange_exactly_where_theory_diverges(runs, grid) -> None:
    shown = picture(Animation(runs, ["map"], known={"map": grid}), 100)
    limit = 2 * (1 + MOMENTA) / LINE.curvatures[-1]
    assert shown.shape[:2] == (40, 30)
    np.testing.assert_array_equal(shown[..., 0] > shown[..., 2], RATES[:, None] > limit)


def test_a_cell_turns_blue_when_its_run_has_converged(runs, grid) -> None:
    animation = Animation(runs, ["map"], known={"map": grid})
    end = picture(animation, 100)
    for moment in (30, 8):
        now = picture(animation, moment)
        is_final = (now == end).all(axis=-1)
        np.testing.assert_array_equal(~is_final, grid.converged_at > moment)


def test_faster_is_stronger(runs, grid) -> None:
    shown = picture(Animation(runs, ["map"], known={"map": grid}), 100).sum(axis=-1)
    converged = grid.converged_at >= 0
    order = np.argsort(grid.converged_at[converged], kind="stable")
    assert (np.diff(shown[converged][order]) >= -1e-9).all()
    diverging = grid.verdict == animate.VERDICTS.index("diverging")
    order = np.argsort(grid.inverse_loss_sum[diverging])
    assert (np.diff(shown[diverging][order]) >= -1e-9).all()


def test_a_map_marks_the_runs_and_the_limit_where_they_are(runs, grid) -> None:
    scene = Animation(runs, ["map"], known={"map": grid}).scene
    scene.draw(100)
    (axes,) = [one for one in scene.figure.axes if one.images]
    points = [line.get_xydata()[0] for line in axes.get_lines() if len(line.get_xdata()) == 1]
    np.testing.assert_allclose(points, [(np.log10(run.lr), 0) for run in runs])
    (limit,) = [line for line in axes.get_lines() if len(line.get_xdata()) == len(MOMENTA)]
    expected = np.log10(2 * (1 + MOMENTA) / LINE.curvatures[-1])
    np.testing.assert_allclose(limit.get_xdata(), expected)
    scene.draw(5)
    shown = [line.get_visible() for line in axes.get_lines() if len(line.get_xdata()) == 1]
    assert shown == [False, False, True]


def test_a_map_without_two_axes_of_numbers_is_refused(runs) -> None:
    one = animate.sweep(LINE, lrs=[0.1, 0.2])
    with pytest.raises(InputError, match="two axes, and this has one"):
        Animation(runs, ["map"], known={"map": one})
    words = animate.sweep(LINE, {"optimizer": ["sgd", "adam"], "lr": [0.1, 0.2]})
    with pytest.raises(InputError, match="optimizer has sgd, adam"):
        Animation(runs, ["map"], known={"map": words})


@pytest.mark.parametrize("size", [(1280, 720), (700, 394), (360, 640)])
def test_the_key_stays_in_the_picture(runs, grid, size) -> None:
    scene = Animation(runs, ["map"], size, known={"map": grid}).scene
    scene.draw(100)
    renderer = scene.figure.canvas.get_renderer()
    for axes in scene.figure.axes:
        for text in axes.texts:
            box = text.get_window_extent(renderer)
            assert box.x0 >= 0
            assert box.x1 <= size[0]
            assert box.y0 >= 0
            assert box.y1 <= size[1]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"x": ["lr", 0.1, 1]}, "x has no effect, since no picture has the view map"),
        ({"views": ["map"], "x": ["lr", 0.1, 1]}, "a map needs two axes, and y is missing"),
        ({"views": ["map"], "x": ["lr", 1, 0.1]}, "axis lr goes from 1 to 0.1"),
        ({"views": ["map"], "x": ["rate", 0, 1]}, "axis 'rate' is unknown"),
        ({"views": ["map"], "resolution": "9"}, "resolution '9' cannot be used"),
        ({"views": ["map"], "depth": 3}, "depth needs x, y and resolution"),
        ({"width": 8}, "width has no effect, since the problem is not fractal"),
    ],
)
def test_a_recipe_whose_map_cannot_be_made_is_refused(settings, said) -> None:
    with pytest.raises(InputError, match=said):
        Recipe(**settings)


def test_a_recipe_sweeps_what_it_says() -> None:
    recipe = Recipe(
        views=["map"], x=["start.0", -2, 2], y=["lr", 0.01, 1], resolution="4x3",
        outputs=["a.png"], epochs=20,
    )  # fmt: skip
    plan = plan_map(recipe, LINE)
    np.testing.assert_allclose(plan.axes["start.0"], [-2, -2 / 3, 2 / 3, 2])
    np.testing.assert_allclose(plan.axes["lr"], [0.01, 0.1, 1])
    known = sweep_runs(recipe, train(LINE, recipe.trained, 20))
    assert known["map"].converged_at.shape == (4, 3)
    assert plan_map(Recipe(), LINE) is None


def levels() -> list[animate.Grid]:
    axes = {"lr": np.geomspace(0.05, 5, 16), "momentum": np.linspace(0, 0.9, 12)}
    plan = plan_sweep(LINE, axes, 50)
    return zooming.zoom(plan, zooming.lattices_of(plan), 3, InProcess())


def test_each_level_of_a_zoom_is_a_sweep_of_half_the_sides_of_the_last() -> None:
    for before, after in zip(levels(), levels()[1:], strict=False):
        for name, values in after.axes.items():
            wide = before.axes[name]
            assert set(values[::2].tolist()) <= set(wide.tolist())  # to the last bit
        again = animate.sweep(LINE, dict(after.axes), 50)
        np.testing.assert_array_equal(again.converged_at, after.converged_at)
        np.testing.assert_array_equal(again.final_loss, after.final_loss)


def test_a_picture_of_a_zoom_has_the_colours_of_its_level_at_their_places() -> None:
    grids = levels()
    trained = [grid.converged_at >= 0 for grid in grids]
    shown = ZoomPicture(grids, trained, load_theme("light"), (640, 400), "A zoom")
    for level in (0, 2, 3):
        frame = shown.frame(level)
        assert frame.shape == (400, 640, 4)
        high = shown._map_size[1]
        across = np.rint((np.arange(16) + 0.5) * 640 / 16).astype(int)
        up = 399 - np.rint((np.arange(12) + 0.5) * high / 12).astype(int)
        cells = frame[up][:, across].astype(int)
        np.testing.assert_array_equal((cells[..., 2] > cells[..., 0]).T, trained[level])


def test_a_zoom_runs_from_the_first_level_to_the_last_at_a_steady_pace() -> None:
    moments = zoom_timeline(4, 25, 2)
    assert (moments[0], moments[-1]) == (0, 4)
    moving = np.diff([moment for moment in moments if 0 < moment < 4])
    np.testing.assert_allclose(moving, moving[0])
    with pytest.raises(InputError, match="too short"):
        zoom_timeline(4, 25, 2, 3)


@pytest.mark.parametrize(
    ("edge", "expected"),
    [(np.eye(256, dtype=bool), 1.0), (np.ones((256, 256), bool), 2.0),
     (np.array([[(i & j) == 0 for i in range(256)] for j in range(256)]), np.log2(3))],
)  # fmt: skip
def test_the_box_dimension_is_that_of_known_sets(edge, expected) -> None:
    assert zooming.box_dimension(edge) == pytest.approx(expected, abs=1e-9)
    assert np.isnan(zooming.box_dimension(np.zeros((64, 64), bool)))
