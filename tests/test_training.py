"""Training is held against the closed form, never against another copy of itself."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from animate import Hyperparameters, InputError, Line, train

EPS = float(np.finfo(np.float32).eps)


def closed_form(problem: Line, lr: float, epochs: int) -> np.ndarray:
    """Return ``w* + (I - lr·H)^k (w0 - w*)`` in float64 for k from 0 to `epochs`."""
    x, y = problem.x.astype(float), problem.y.astype(float)
    x = np.column_stack([x, np.ones_like(x)])
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    step = np.eye(2) - lr * 2 / len(x) * x.T @ x
    offset = problem.start - best
    return np.array([best + np.linalg.matrix_power(step, k) @ offset for k in range(epochs + 1)])


@pytest.mark.parametrize("seed", [0, 11, 2024])
@pytest.mark.parametrize("lr", [0.01, 0.1, 0.7, 0.95, 1.01, 1.3])
def test_weights_follow_the_closed_form(seed: int, lr: float) -> None:
    problem = Line.sample(seed=seed)
    (run,) = train(problem, [lr], epochs=60)
    expected = closed_form(problem, lr, 60)
    growth = np.linalg.norm(expected - problem.best_weights, axis=1).max()
    np.testing.assert_allclose(run.weights, expected, atol=60 * EPS * max(growth, 4))


def test_losses_are_those_of_the_weights(runs) -> None:
    for run in runs:
        x, y = run.problem.x.astype(float), run.problem.y.astype(float)
        weights = run.weights.astype(float)
        expected = [np.mean((slope * x + bias - y) ** 2) for slope, bias in weights]
        np.testing.assert_allclose(run.losses, expected, rtol=1e-4)


def test_the_start_is_kept_and_every_epoch_after_it(runs) -> None:
    for run in runs:
        assert run.weights.shape == (101, 2)
        assert run.losses.shape == (101,)
        assert run.weights.dtype == run.losses.dtype == np.float32
        assert run.weights[0].tolist() == [-1, 1]


def test_the_loss_of_1_01_falls_turns_and_climbs(runs) -> None:
    losses = runs[2].losses
    assert losses[:4].round(2).tolist() == pytest.approx([7.70, 3.66, 3.24, 3.31])
    assert int(losses.argmin()) == 2
    assert (np.diff(losses[2:]) > 0).all()


@pytest.mark.parametrize("points", [100, 60_000])  # together, and in blocks
def test_a_run_does_not_depend_on_its_neighbours(points: int) -> None:
    problem = Line.sample(points=points)
    together = train(problem, [0.1, 0.7, 1.01, 5], epochs=20)
    for run in together:
        (alone,) = train(problem, [run.lr], epochs=20)
        np.testing.assert_array_equal(alone.weights, run.weights)
        np.testing.assert_array_equal(alone.losses, run.losses)


def test_a_run_does_not_depend_on_the_number_of_threads() -> None:
    problem = Line.sample(points=40_000)
    threads = torch.get_num_threads()
    try:
        found = []
        for count in (1, 4):
            torch.set_num_threads(count)
            found.append(train(problem, [0.3], epochs=5)[0].weights)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(*found)


def test_training_touches_no_global_state(problem: Line) -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    first = train(problem, [0.5], epochs=5)
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(train(problem, [0.5], epochs=5)[0].weights, first[0].weights)


def test_training_needs_no_gradients_of_its_caller(problem: Line, runs) -> None:
    with torch.no_grad():
        (run,) = train(problem, [0.1], epochs=100)
        assert not torch.is_grad_enabled()
    np.testing.assert_array_equal(run.weights, runs[0].weights)


def test_every_epoch_is_reported_with_all_losses(problem: Line) -> None:
    heard = []
    runs = train(problem, [0.1, 0.7], 3, lambda epoch, losses: heard.append((epoch, *losses)))
    assert heard == [(epoch, runs[0].losses[epoch], runs[1].losses[epoch]) for epoch in range(4)]


@given(
    seed=st.integers(0, 2**32),
    points=st.integers(3, 60),
    share=st.floats(1e-3, 0.995) | st.floats(1.005, 50),
)
def test_the_sharpest_error_shrinks_below_the_limit_and_grows_above_it(
    seed: int, points: int, share: float
) -> None:
    problem = Line.sample(seed=seed, points=points)
    lr = max(share * problem.stability_limit, 1e-3)
    (run,) = train(problem, [lr], epochs=40)
    x = np.column_stack([problem.x, np.ones(points)]).astype(float)
    eigenvalues, eigenvectors = np.linalg.eigh(2 / points * x.T @ x)
    finite = run.weights[np.isfinite(run.weights).all(axis=1)].astype(float)
    error = np.abs((finite - problem.best_weights) @ eigenvectors[:, 1])
    # What rounding in float32 can add in one step.
    floor = 30 * EPS * (1 + lr * eigenvalues[1]) * np.abs(finite).max(axis=1).clip(min=4)
    grows = lr > 2 / eigenvalues[1]
    for before, after, least in zip(error, error[1:], floor, strict=False):
        if before * abs(1 - abs(1 - lr * eigenvalues[1])) > 4 * least:
            assert after > before if grows else after < before


def test_a_rate_far_past_the_limit_overflows_and_is_no_error(problem: Line) -> None:
    (run,) = train(problem, [1e30], epochs=10)
    assert run.diagnosis.verdict == "diverging"
    assert run.diagnosis.overflowed_at is not None


@pytest.mark.parametrize(
    ("lrs", "epochs", "said"),
    [
        ([], 1, "no learning rate"),
        ([0.0], 1, "0.0 is not positive"),
        ([-1], 1, "-1 is not positive"),
        ([float("nan")], 1, "nan is not a finite"),
        ([float("inf")], 1, "inf is not a finite"),
        (["fast"], 1, "'fast' is not a number"),
        ([0.1, 0.1], 1, "0.1 is given twice"),
        ([0.1], 0, "epochs 0 is out of bounds"),
        ([0.1], 1.5, "epochs 1.5 is not a whole number"),
        ([0.1], 10**12, "1.2e\\+04 GB"),
    ],
)
def test_a_value_that_cannot_be_trained_is_named(problem, lrs, epochs, said) -> None:
    with pytest.raises(InputError, match=said):
        train(problem, lrs, epochs)


def test_a_tiny_rate_is_trained(problem: Line) -> None:
    (run,) = train(problem, [1e-30], epochs=1)
    assert run.diagnosis.verdict == "converging"


def test_a_single_rate_need_not_be_in_a_list(problem: Line, runs) -> None:
    for one in (train(problem, 0.1), train(problem, lrs=0.1), train(problem, Hyperparameters(0.1))):
        (run,) = one
        np.testing.assert_array_equal(run.weights, runs[0].weights)


def test_what_comes_to_plain_descent_is_trained(problem: Line) -> None:
    for settings in ({"batch_size": 100}, {"optimizer": "momentum", "momentum": 0}):
        (run,) = train(problem, Hyperparameters(0.7, **settings), epochs=20)
        (plain,) = train(problem, 0.7, epochs=20)
        np.testing.assert_array_equal(run.weights, plain.weights)
