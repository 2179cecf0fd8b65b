"""Momentum, mini-batches and Adam in the page, against torch.optim."""

import numpy as np
import pytest
import torch

from animate import Hyperparameters, Line, train

TRAIN = """
({rate, start, epochs, optimizer, data}) => {
  const some = {x: new Float32Array(data[0]), y: new Float32Array(data[1])};
  const analysis = analyze(some);
  const {slopes, biases, losses} = trainWith(some, rate, start, epochs, optimizer);
  const {sentence, verdict, convergedAt, verdictEpoch} =
    diagnose(rate, {slopes, biases, losses}, analysis, optimizer, some);
  const numbers = [slopes, biases, losses].map((values) => [...values].map(String));
  return {numbers, sentence, verdict, convergedAt, verdictEpoch};
}
"""
SETTINGS = [
    {"momentum": 0.9},
    {"momentum": 0.5},
    {"batch_size": 1},
    {"batch_size": 10},
    {"batch_size": 33},
    {"batch_size": 20, "momentum": 0.9},
    {"optimizer": "adam"},
    {"optimizer": "adam", "batch_size": 10},
]
EPOCHS = 100
# Torch adds up a gradient in another order, so the last bits may differ. Past the limit of plain
# descent, steps can multiply this difference.
TOLERANCE, TOLERANCE_PAST_LIMIT = 1e-6, 1e-5  # relative to the largest weight so far


def train_in_page(compute, problem: Line, rate: float, settings: dict) -> dict:
    return compute(
        TRAIN,
        {
            "rate": rate,
            "start": [float(weight) for weight in problem.start],
            "epochs": EPOCHS,
            "optimizer": {
                "momentum": settings.get("momentum", 0),
                "batchSize": settings.get("batch_size", 0),
                "adam": settings.get("optimizer") == "adam",
            },
            "data": [problem.x.tolist(), problem.y.tolist()],
        },
    )


@pytest.mark.quick(2)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_every_epoch_of_an_optimizer_is_that_of_torch(compute, problem, settings) -> None:
    every = -(-len(problem.x) // settings.get("batch_size", len(problem.x)))
    rates = (0.01, 0.3, 0.7, 1.5)
    runs = train(
        problem,
        [Hyperparameters(rate, **settings) for rate in rates],
        epochs=EPOCHS,
        record_every=every,
    )
    for run in runs:
        result = train_in_page(compute, problem, run.lr, settings)
        weights = np.array(result["numbers"][:2], float).T
        is_finite = np.isfinite(run.weights).all(axis=1) & np.isfinite(run.losses)
        size = np.maximum.accumulate(np.abs(run.weights[is_finite]).max(axis=1))
        difference = np.abs(weights[is_finite] - run.weights[is_finite]).max(axis=1) / size
        is_past = run.lr > problem.stability_limit
        assert difference.max() <= (TOLERANCE_PAST_LIMIT if is_past else TOLERANCE), run.lr
        if settings == {"batch_size": 1}:  # nothing is added up, so every bit is the same
            np.testing.assert_array_equal(weights[is_finite], run.weights[is_finite])
        assert result["sentence"] == run.diagnosis.sentence
        assert result["verdict"] == run.diagnosis.verdict
        assert result["verdictEpoch"] * every == run.diagnosis.verdict_step


@pytest.mark.parametrize("beta", [0.5, 0.9])
def test_the_limit_with_momentum_is_where_torch_breaks(compute, problem, beta) -> None:
    limit = 2 * (1 + beta) / problem.curvatures[-1]
    for part, verdict in ((0.995, "converging"), (1.005, "diverging")):
        result = train_in_page(compute, problem, part * limit, {"momentum": beta})
        assert (result["verdict"] == "diverging") == (verdict == "diverging")
    factors = compute(
        "({curvatures, rate, beta}) => stepFactors({curvatures}, rate, beta)",
        {"curvatures": [problem.curvatures[-1]], "rate": limit, "beta": beta},
    )
    assert np.abs(factors) == pytest.approx([1])


def test_permutations_are_those_of_torch(compute) -> None:
    for count in (1, 2, 7, 100, 5000):
        generator = torch.Generator().manual_seed(0)
        expected = [torch.randperm(count, generator=generator).tolist() for _ in range(3)]
        permutations = compute(
            "(count) => { const bits = mersenneTwister(0);"
            " return [0, 1, 2].map(() => [...permutation(count, bits)]); }",
            count,
        )
        assert permutations == expected


def test_a_run_from_the_hessian_is_the_same_up_to_rounding(compute, problem) -> None:
    for optimizer in ({}, {"momentum": 0.9}, {"adam": True}):
        whole = {"momentum": 0, "batchSize": 0, "adam": False, **optimizer}
        differences = compute(
            """([x, y, optimizer]) => {
              const data = {x: new Float32Array(x), y: new Float32Array(y)};
              const exact = trainWith(data, 0.3, [-1, 1], 200, optimizer);
              const fast = trainByHessian(analyze(data), 0.3, [-1, 1], 200, optimizer);
              return ["slopes", "biases", "losses"].map((name) =>
                Math.max(...exact[name].map((value, i) => Math.abs(value - fast[name][i]))));
            }""",
            [problem.x.tolist(), problem.y.tolist(), whole],
        )
        assert max(differences) < 2e-5


def test_a_far_start_is_said(compute) -> None:
    problem = Line.sample(seed=11, start=(1e6, 1e6))
    run = train(problem, [0.7])[0]
    assert run.losses[run.diagnosis.converged_at] > 1e5
    assert run.diagnosis.verdict == "converged"
    assert run.diagnosis.sentence == (
        f"down to 1 % of its far start at epoch {run.diagnosis.converged_at}"
    )
    assert train_in_page(compute, problem, 0.7, {})["sentence"] == run.diagnosis.sentence
