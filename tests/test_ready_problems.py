"""The ready problems: their data, models, rates, and what is said without scikit-learn."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn import datasets
from torch import nn

import animate
from animate import Classifies, Hyperparameters, InputError, Predicts, problems, train
from animate.training.problem import provides

TWO_CLASSES = ("moons", "circles", "spirals")


def widths(problem: animate.Supervised) -> list[int]:
    layers = [layer for layer in problem.model if isinstance(layer, nn.Linear)]
    return [layers[0].in_features, *(layer.out_features for layer in layers)]


@pytest.mark.slow
def test_problems_are_loaded_when_they_are_first_used() -> None:
    program = (
        "import animate, sys; print('torch' in sys.modules); "
        "print(animate.problems.chebyshev().x.shape); print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n(20, 1)\nFalse\n", "")


@pytest.mark.parametrize("name", problems.READY)
def test_a_ready_problem_is_made_the_same_each_time_and_can_be_trained(name) -> None:
    torch.manual_seed(2)
    row = problems.READY[name]
    first = row.make()
    torch.manual_seed(3)
    state = np.random.get_state()[1].copy()
    again = pickle.loads(pickle.dumps(row.make()))  # noqa: S301
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    for attribute in ("x", "y", "start"):
        np.testing.assert_array_equal(getattr(first, attribute), getattr(again, attribute))
    runs = train(again, lrs=row.lrs, epochs=3)
    assert [run.label for run in runs] == [run.label for run in train(first, row.lrs, 3)]
    assert getattr(problems, name) is row.make


@pytest.mark.quick(1)
@pytest.mark.parametrize("name", TWO_CLASSES)
def test_two_classes_of_200_points_are_learned(name) -> None:
    row = problems.READY[name]
    problem = row.make()
    assert (problem.x.shape, widths(problem)) == ((200, 2), [2, 16, 16, 2])
    assert np.bincount(problem.y).tolist() == [100, 100]
    assert provides(problem, Classifies)
    assert (row.epochs, row.views) == (500, ("boundary", "loss"))
    slow, good = train(problem, row.lrs[:2], row.epochs)
    assert good.losses[-1] < 0.05 < slow.losses[-1]
    scores = problem.class_scores(good.weights[-1], problem.x)
    share = (scores.argmax(axis=-1) == problem.y).mean()
    assert share == good.metrics["accuracy"][-1] >= 0.98


def test_data_are_scikit_learns() -> None:
    x, y = datasets.make_moons(200, noise=0.1, random_state=0)
    np.testing.assert_array_equal(problems.moons().x, x)
    np.testing.assert_array_equal(problems.moons().y, y)
    x, y = datasets.make_circles(50, noise=0.3, random_state=4, factor=0.5)
    np.testing.assert_array_equal(problems.circles(50, 0.3, seed=4).x, x)
    x, y = datasets.load_digits(return_X_y=True)
    problem = problems.digits()
    assert (widths(problem), len(problem.x)) == ([64, 32, 10], 1437)
    everything = np.vstack([problem.x, problem.validation[0].double().numpy()])
    assert sorted(map(tuple, everything)) == sorted(map(tuple, x / 16))


def test_points_of_spirals_lie_on_spirals() -> None:
    problem = problems.spirals(noise=0)
    radius = np.hypot(*problem.x.T)
    angle = np.arctan2(*problem.x.T[::-1])
    expected = 2 * np.pi * 1.5 * radius / 3 + np.pi * problem.y
    np.testing.assert_allclose(np.cos(angle - expected), 1)
    assert 0.3 <= radius.min() < radius.max() <= 3


def test_the_curve_has_one_input_and_is_fitted() -> None:
    row = problems.READY["curve"]
    problem = row.make()
    assert provides(problem, Predicts)
    (good,) = train(problem, Hyperparameters(0.01, "adam"), 300)
    x = np.linspace(-0.9, 0.9, 50)
    fitted = problem.predict(good.weights[-1], x)
    np.testing.assert_allclose(fitted, np.sin(np.pi * x), atol=0.2)


def test_digits_are_learned_and_validated() -> None:
    (run,) = train(problems.digits(), Hyperparameters(0.01, "adam", batch_size=100), epochs=15)
    assert run.metrics["accuracy"][-1] > 0.95
    assert run.metrics["validation_accuracy"][-1] > 0.9
    assert run.steps_per_epoch == 15


@pytest.mark.parametrize("degree", [4, 5])
def test_chebyshev_starts_where_its_description_says(degree) -> None:
    problem = problems.chebyshev(degree)
    generator = torch.Generator().manual_seed(0)
    first = torch.empty(100, 1, dtype=torch.float64).normal_(
        0, 1.9 * np.sqrt(2 / 101), generator=generator
    )
    last = torch.empty(1, 100, dtype=torch.float64).normal_(
        0, np.sqrt(2 / 101), generator=generator
    )
    expected = np.concatenate([first[:, 0], np.zeros(100), last[0]])
    np.testing.assert_array_equal(problem.start, expected)
    assert problem.start.dtype == np.float64
    x = np.linspace(-1, 1, 20)
    np.testing.assert_allclose(problem.x[:, 0], x)
    polynomial = np.polynomial.Chebyshev.basis(degree)(x)
    np.testing.assert_allclose(problem.y[:, 0], polynomial, atol=1e-12)
    hidden = np.tanh(x[:, None] * first.numpy()[:, 0])
    loss = 0.5 * np.mean((hidden @ last.numpy()[0] - polynomial) ** 2)
    assert problem.loss(problem.start) == pytest.approx(loss)


def test_chebyshev_is_trained_as_by_a_plain_loop() -> None:
    problem = problems.chebyshev()
    (run,) = train(problem, 0.2, epochs=200, record_every=50)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    first, last = nn.Linear(1, 100).double(), nn.Linear(100, 1, bias=False).double()
    model = nn.Sequential(first, nn.Tanh(), last)
    torch.manual_seed(0)
    nn.init.xavier_normal_(first.weight, 1.9)
    nn.init.zeros_(first.bias)
    nn.init.xavier_normal_(last.weight)
    x = torch.linspace(-1, 1, 20, dtype=torch.float64)[:, None]
    y = torch.special.chebyshev_polynomial_t(x, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    for _ in range(200):
        optimizer.zero_grad()
        (0.5 * ((model(x) - y) ** 2).mean()).backward()
        optimizer.step()
    torch.set_num_threads(threads)
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    np.testing.assert_array_equal(run.weights[-1], weights)


@pytest.mark.parametrize("name", ["moons", "circles", "digits"])
def test_without_scikit_learn_the_command_that_installs_it_is_named(name, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(InputError, match=f"problem {name} needs scikit-learn.* pip install"):
        getattr(problems, name)()
    problems.spirals()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: problems.moons(1), "number of points 1"),
        (lambda: problems.spirals(noise=-1), "noise -1"),
        (lambda: problems.circles(seed=2**32), "seed 4294967296"),
        (lambda: problems.chebyshev(0), "degree 0"),
    ],
)
def test_a_setting_out_of_bounds_is_named(make, said) -> None:
    with pytest.raises(InputError, match=said):
        make()
