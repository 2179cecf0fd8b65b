"""The page draws the data that torch draws, and trains as torch does."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from animate import Line, Trajectory, train
from animate.training.line import Sampling

RATES = (1e-6, 0.001, 0.02, 0.1, 0.3, 0.7, 0.76, 0.9, 0.99, 0.9985, 1.01, 1.3, 2.0, 5.0, 50.0, 1e30)
TOLERANCE = 1e-4  # relative to the larger of the two weights

TRAIN = """
({seed, points, noise, weights, start, rates, epochs}) => {
  const data = sample(seed, points, noise, weights);
  const analysis = analyze(data);
  const runs = rates.map((rate) => {
    const {slopes, biases, losses} = train(data, rate, start, epochs);
    const diagnosis = diagnose(rate, {slopes, biases, losses}, analysis);
    const numbers = [slopes, biases, losses].map((values) => [...values].map(String));
    return {numbers, ...diagnosis, left: [...diagnosis.left].map(String)};
  });
  return {x: [...data.x], y: [...data.y], analysis, runs};
}
"""


def train_both(compute, problem: Line, rates: Sequence[float], epochs: int = 100):
    """Return the results of the page, and the runs of `animate.train`."""
    assert problem.sampling is not None
    assert problem.true_weights is not None
    of_page = compute(
        TRAIN,
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
    return of_page, train(problem, rates, epochs)


def assert_same(page_run: dict, run: Trajectory) -> None:
    slopes, biases, losses = np.array(page_run["numbers"], float)
    finite = np.isfinite(run.losses) & np.isfinite(run.weights).all(axis=1)
    weights = run.weights[finite]
    difference = np.abs(np.stack([slopes, biases], axis=1)[finite] - weights).max(axis=1)
    assert (difference <= TOLERANCE * np.abs(weights).max(axis=1)).all()
    np.testing.assert_allclose(losses[finite], run.losses[finite], rtol=1e-3)
    diagnosis = run.diagnosis
    assert page_run["verdict"] == diagnosis.verdict
    assert page_run["convergedAt"] == diagnosis.converged_at
    assert page_run["overflowedAt"] == diagnosis.overflowed_at
    assert page_run["verdictEpoch"] == diagnosis.verdict_step
    assert page_run["sentence"] == diagnosis.sentence


@pytest.mark.quick(2)
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 11, 12, 99, 2**31, 2**32 + 5, 2**64 - 1])
def test_every_epoch_at_every_rate_is_that_of_torch(compute, seed) -> None:
    problem = Line.sample(seed=seed)
    of_page, runs = train_both(compute, problem, RATES)
    for run, page_run in zip(runs, of_page["runs"], strict=True):
        assert_same(page_run, run)
    analysis = of_page["analysis"]
    assert analysis["stabilityLimit"] == pytest.approx(problem.stability_limit, rel=1e-14)
    assert analysis["bestRate"] == pytest.approx(problem.best_lr, rel=1e-14)
    assert analysis["bestWeights"] == pytest.approx(problem.best_weights, rel=1e-12)
    assert analysis["bestLoss"] == pytest.approx(problem.best_loss, rel=1e-9)
    assert analysis["sharpest"] == pytest.approx(problem.sharpest, abs=1e-9)


@pytest.mark.quick(2)
@pytest.mark.parametrize("seed", range(6))
def test_rates_drawn_at_random_have_the_same_verdict_and_epoch(compute, seed) -> None:
    rates = np.random.default_rng(seed).uniform(np.log(0.001), np.log(5), 40)
    problem = Line.sample(seed=seed + 100)
    of_page, runs = train_both(compute, problem, np.exp(rates).tolist())
    for run, page_run in zip(runs, of_page["runs"], strict=True):
        assert_same(page_run, run)


@pytest.mark.quick(3)
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
    of_page, runs = train_both(compute, problem, (0.05, 0.6, 0.95, 1.2))
    for run, page_run in zip(runs, of_page["runs"], strict=True):
        assert_same(page_run, run)


@pytest.mark.parametrize("noise", ["uniform", "none"])
def test_a_seed_gives_the_data_of_torch_bit_for_bit(compute, noise) -> None:
    problem = Line.sample(seed=3, noise=noise, true_weights=(3.1, -2.3))
    of_page, _ = train_both(compute, problem, [0.1])
    np.testing.assert_array_equal(np.array(of_page["x"], np.float32), problem.x)
    np.testing.assert_array_equal(np.array(of_page["y"], np.float32), problem.y)


def test_gaussian_noise_is_that_of_torch_within_rounding(compute) -> None:
    for seed, points in itertools.product(range(3), (5, 16, 24, 100)):
        problem = Line.sample(seed=seed, points=points, noise="gaussian")
        of_page, _ = train_both(compute, problem, [0.1])
        np.testing.assert_allclose(of_page["y"], problem.y, atol=2e-6)


def test_long_and_short_runs_are_the_same_too(compute) -> None:
    problem = Line.sample(seed=11)
    for epochs in (1, 2, 1000):
        of_page, runs = train_both(compute, problem, (0.003, 0.7, 1.01), epochs)
        for run, page_run in zip(runs, of_page["runs"], strict=True):
            assert_same(page_run, run)


def test_only_a_sampled_problem_has_a_sampling(problem: Line) -> None:
    assert problem.sampling == Sampling(seed=11, points=100, noise="uniform")
    assert Line(x=problem.x, y=problem.y, start=problem.start).sampling is None
