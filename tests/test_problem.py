import numpy as np
import pytest
import torch

from animate import InputError, Line


def test_seed_11_draws_x_then_noise_from_one_generator() -> None:
    generator = torch.Generator().manual_seed(11)
    x = torch.ones(100, 2)
    x[:, 0].uniform_(-1.0, 1, generator=generator)
    y = x @ torch.tensor([3.0, 2.0]) + torch.rand(100, generator=generator)
    problem = Line.sample(seed=11)
    np.testing.assert_array_equal(problem.x, x[:, 0].numpy())
    np.testing.assert_array_equal(problem.y, y.numpy())


def test_sampling_touches_no_global_state() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = Line.sample(seed=5)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    np.testing.assert_array_equal(Line.sample(seed=5).y, first.y)


def test_best_weights_are_least_squares(problem: Line) -> None:
    slope, bias = np.polyfit(problem.x.astype(float), problem.y.astype(float), 1)
    np.testing.assert_allclose(problem.best_weights, [slope, bias], rtol=1e-6)


def test_uniform_noise_lifts_the_best_bias_by_its_mean() -> None:
    biases = [Line.sample(seed=seed).best_weights[1] for seed in range(40)]
    assert np.mean(biases) == pytest.approx(2.5, abs=0.02)


def test_gaussian_noise_has_no_mean_and_the_uniforms_deviation() -> None:
    problem = Line.sample(noise="gaussian", points=100_000)
    slope, bias = problem.true_weights
    noise = problem.y - (slope * problem.x + bias)
    assert np.mean(noise) == pytest.approx(0, abs=0.005)
    assert np.std(noise) == pytest.approx(0.29, abs=0.005)


def test_without_noise_the_best_weights_are_the_true_ones() -> None:
    problem = Line.sample(noise="none", true_weights=(-4, 0.25))
    np.testing.assert_allclose(problem.best_weights, [-4, 0.25], atol=1e-6)


def test_the_limit_and_the_best_rate_follow_from_the_second_differences_of_the_loss() -> None:
    problem = Line.sample(seed=4, points=17)

    def loss(weights: np.ndarray) -> float:
        line = weights[0] * problem.x.astype(float) + weights[1]
        return float(np.mean((line - problem.y) ** 2))

    axes, centre, step = np.eye(2), problem.best_weights, 1e-2
    hessian = np.array(
        [
            [
                (
                    loss(centre + step * (one + other))
                    - loss(centre + step * (one - other))
                    - loss(centre - step * (one - other))
                    + loss(centre - step * (one + other))
                )
                / (4 * step**2)
                for other in axes
            ]
            for one in axes
        ]
    )
    eigenvalues = np.linalg.eigvals(hessian)
    assert problem.stability_limit == pytest.approx(2 / max(eigenvalues), rel=1e-6)
    assert problem.best_lr == pytest.approx(2 / sum(eigenvalues), rel=1e-6)
    elsewhere = np.array([1.5, -7])
    assert problem.loss(elsewhere) == pytest.approx(loss(elsewhere), rel=1e-6)


def test_the_articles_limit_is_just_under_one(problem: Line) -> None:
    assert f"{problem.stability_limit:.4g}" == "0.9985"
    assert problem.best_lr == pytest.approx(0.76, abs=0.001)


def test_arrays_are_read_only(problem: Line) -> None:
    for array in (problem.x, problem.y, problem.start, problem.best_weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"seed": -1}, "seed -1"),
        ({"points": 1}, "number of points 1"),
        ({"noise": "guassian"}, "did you mean gaussian"),
        ({"start": (1, float("nan"))}, "start weight nan"),
        ({"true_weights": (1, 2, 3)}, "has 3 numbers"),
    ],
)
def test_a_bad_setting_is_named(settings: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Line.sample(**settings)


def test_points_with_one_x_determine_no_line() -> None:
    with pytest.raises(InputError, match="all x are the same"):
        Line(x=np.ones(5), y=np.arange(5))


def test_x_too_much_alike_for_a_line_are_refused() -> None:
    with pytest.raises(InputError, match="subtract the mean of x first"):
        Line(x=np.array([1e7, 1e7 + 1, 1e7 + 2]), y=np.arange(3))
    x, y = np.array([100.0, 101, 102]), np.array([1.0, 5, 6])
    problem = Line(x, y)
    np.testing.assert_allclose(problem.best_weights, np.polyfit(x, y, 1), rtol=1e-6)
    assert np.linalg.eigvalsh(problem.hessian)[0] > 0


def test_a_line_over_years_knows_its_small_curvature_and_its_best_weights() -> None:
    years, y = np.arange(2015, 2025), np.arange(10) ** 1.5
    line = Line(years, y)
    centred = np.polyfit(years - years.mean(), y.astype(np.float32), 1)
    assert line.best_weights[0] == pytest.approx(centred[0], rel=1e-6)
    # The product of the eigenvalues is the determinant, 4 times the variance of x.
    assert line.curvatures[0] * line.curvatures[1] == pytest.approx(4 * years.var(), rel=1e-9)
