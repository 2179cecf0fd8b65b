"""The page draws the data that torch draws, and trains as torch does."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from animate import Line, Trajectory, train
from animate.training.line import Sampling

RATES = (1e-6, 0.001, 0.02, 0.1, 0.3, 0.7, 0.76, 0.9, 0.99, 0.9985, 1.01, 1.3, 2.0, 5.0, 50.0, 1e30)
TOLERANCE = 1e-4  # of the larger of the two weights

COMPUTED = """
({seed, points, noise, weights, start, rates, epochs}) => {
  const data = sample(seed, points, noise, weights);
  const facts = factsOf(data);
  const runs = rates.map((rate) => {
    const {slopes, biases, losses} = train(data, rate, start, epochs);
    const diagnosis = diagnose(rate, {slopes, biases, losses}, facts);
    const numbers = [slopes, biases, losses].map((values) => [...values].map(String));
    return {numbers, ...diagnosis, left: [...diagnosis.left].map(String)};
  });
  return {x: [...data.x], y: [...data.y], facts, runs};
}
"""


def trained(compute, problem: Line, rates: Sequence[float], epochs: int = 100):
    """Return what the page has, and torch's runs."""
    assert problem.sampling is not None
    assert problem.true_weights is not None
    there = compute(
        COMPUTED,
        {
            "seed": str(problem.sampling.seed),
            "points": problem.sampling.points,
            "noise": problem.sampling.noise,
            "weights": [float(str(value)) for value in problem.true_weights],
            "start": [float(str(value)) for value in problem.start],
            "rates": list(rates),
            "epochs": epochs,
        },
    )
    return there, train(problem, rates, epochs)


def assert_same(there: dict, run: Trajectory) -> None:
    slopes, biases, losses = np.array(there["numbers"], float)
    held = np.isfinite(run.losses) & np.isfinite(run.weights).all(axis=1)
    difference = np.abs(np.stack([slopes, biases], axis=1)[held] - run.weights[held]).max(axis=1)
    assert (difference <= TOLERANCE * np.abs(run.weights[held]).max(axis=1)).all()
    np.testing.assert_allclose(losses[held], run.losses[held], rtol=1e-3)
    diagnosis = run.diagnosis
    assert there["verdict"] == diagnosis.verdict
    assert there["convergedAt"] == diagnosis.converged_at
    assert there["overflowedAt"] == diagnosis.overflowed_at
    assert there["earnedAt"] == diagnosis.verdict_step
    assert there["sentence"] == diagnosis.sentence


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 11, 12, 99, 2**31, 2**32 + 5, 2**64 - 1])
def test_every_epoch_of_every_rate_is_that_of_torch(compute, seed) -> None:
    problem = Line.sample(seed=seed)
    there, runs = trained(compute, problem, RATES)
    for run, of_page in zip(runs, there["runs"], strict=True):
        assert_same(of_page, run)
    assert there["facts"]["limit"] == pytest.approx(problem.stability_limit, rel=1e-14)
    assert there["facts"]["bestRate"] == pytest.approx(problem.best_lr, rel=1e-14)
    assert there["facts"]["best"] == pytest.approx(problem.best_weights, rel=1e-12)
    assert there["facts"]["floor"] == pytest.approx(problem.best_loss, rel=1e-9)
    assert there["facts"]["sharpest"] == pytest.approx(problem.sharpest, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_rates_drawn_at_random_have_the_same_verdict_and_epoch(compute, seed) -> None:
    rates = np.random.default_rng(seed).uniform(np.log(0.001), np.log(5), 40)
    problem = Line.sample(seed=seed + 100)
    there, runs = trained(compute, problem, np.exp(rates).tolist())
    for run, of_page in zip(runs, there["runs"], strict=True):
        assert_same(of_page, run)


@pytest.mark.parametrize(
    "settings",
    [
        {"points": 2},
        {"points": 7, "noise": "gaussian"},
        {"points": 15, "noise": "gaussian", "true_weights": (-4, 0.25)},
        {"points": 16, "noise": "gaussian"},
        {"points": 37, "noise": "gaussian"},
        {"points": 100, "noise": "gaussian"},
        {"points": 1000, "noise": "none", "start": (3.5, -20)},
        {"points": 333, "true_weights": (3.1, -2.7), "start": (1000, 1e-3)},
    ],
)
def test_other_data_and_starts_are_the_same_too(compute, settings) -> None:
    problem = Line.sample(seed=5, **settings)
    there, runs = trained(compute, problem, (0.05, 0.6, 0.95, 1.2))
    for run, of_page in zip(runs, there["runs"], strict=True):
        assert_same(of_page, run)


@pytest.mark.parametrize("noise", ["uniform", "none"])
def test_a_seed_gives_the_data_of_torch_bit_for_bit(compute, noise) -> None:
    problem = Line.sample(seed=3, noise=noise, true_weights=(3.1, -2.3))
    there, _ = trained(compute, problem, [0.1])
    np.testing.assert_array_equal(np.array(there["x"], np.float32), problem.x)
    np.testing.assert_array_equal(np.array(there["y"], np.float32), problem.y)


def test_gaussian_noise_is_that_of_torch_within_rounding(compute) -> None:
    for seed, points in itertools.product(range(3), (5, 16, 24, 100)):
        problem = Line.sample(seed=seed, points=points, noise="gaussian")
        there, _ = trained(compute, problem, [0.1])
        np.testing.assert_allclose(there["y"], problem.y, atol=2e-6)


def test_the_epochs_are_the_films_for_long_and_short_runs(compute) -> None:
    problem = Line.sample(seed=11)
    for epochs in (1, 2, 1000):
        there, runs = trained(compute, problem, (0.003, 0.7, 1.01), epochs)
        for run, of_page in zip(runs, there["runs"], strict=True):
            assert_same(of_page, run)


def test_a_problem_says_how_it_was_sampled_only_if_it_was(problem: Line) -> None:
    assert problem.sampling == Sampling(seed=11, points=100, noise="uniform")
    assert Line(x=problem.x, y=problem.y, start=problem.start).sampling is None
