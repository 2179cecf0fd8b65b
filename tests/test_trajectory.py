"""The records of a run: the public constructor, labels, several runs, and what training records."""

import copy
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from animate import Animation, Hyperparameters, InputError, Line, Problem, Runs, Trajectory, train
from animate.training.trajectory import labels

H = Hyperparameters


def descend(problem: Line, lr: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and losses of plain descent as autograd gives them, for one run alone."""
    x, y = torch.tensor(problem.x), torch.tensor(problem.y)
    weights = torch.tensor(problem.start[None], requires_grad=True)
    kept, losses = [], []
    for _ in range(steps + 1):
        loss = ((weights[:, :1] * x + weights[:, 1:] - y) ** 2).mean(dim=1)
        kept.append(weights.detach().numpy()[0].copy())
        losses.append(loss.item())
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        weights = (weights.detach() - torch.tensor(lr) * gradient).requires_grad_()
    return np.array(kept), np.array(losses, np.float32)


@pytest.mark.parametrize(
    ("weights", "dtype"),
    [
        ([[1, 2, 3], [4, 5, 6]], np.float64),
        (np.ones((2, 3), np.float16), np.float16),
        (np.ones((2, 3), np.float64), np.float64),
        (torch.ones(2, 3), np.float32),
        ([torch.ones(3), torch.zeros(3)], np.float32),
    ],
)
def test_weights_of_any_real_kind_are_taken(weights, dtype) -> None:
    run = Trajectory(weights)
    assert run.weights.shape == (2, 3)
    assert run.weights.dtype == dtype
    assert np.isnan(run.losses).all()
    assert run.losses.shape == (2,)
    assert run.steps.tolist() == [0, 1]
    assert (run.hyperparameters, run.lr, run.problem, run.steps_per_epoch) == (None,) * 4
    assert (run.epochs, dict(run.metrics), run.label) == (None, {}, "")


def test_a_memmap_is_not_copied(tmp_path) -> None:
    kept = np.memmap(tmp_path / "weights", np.float32, "w+", shape=(50, 70))
    kept[:] = np.arange(50)[:, None]
    losses, accuracy, steps = np.arange(50.0)[::-1], np.linspace(0, 1, 50), np.arange(50) * 10
    run = Trajectory(kept, losses, steps=steps, metrics={"accuracy": accuracy})
    pairs = [
        (run.weights, kept),
        (run.losses, losses),
        (run.steps, steps),
        (run.metrics["accuracy"], accuracy),
    ]
    for view, base in pairs:
        assert np.shares_memory(view, base)
        assert base.flags.writeable  # the caller's own stays as it was
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 0


def test_losses_are_the_problems_own_unless_they_are_given(problem) -> None:
    weights = np.array([problem.start, [3.0, 2.5]])
    x, y = problem.x.astype(float), problem.y.astype(float)
    expected = [np.mean((slope * x + bias - y) ** 2) for slope, bias in weights]
    np.testing.assert_allclose(Trajectory(weights, problem=problem).losses, expected)
    assert Trajectory(weights, [9, 8], problem=problem).losses.tolist() == [9, 8]


def test_a_problem_may_know_its_loss_and_nothing_else() -> None:
    class Bowl:
        def loss(self, weights):
            return np.square(weights).sum(axis=-1)

    run = Trajectory([[3, 4], [0, 1]], problem=Bowl(), hyperparameters=H(0.1, batch_size=5))
    assert run.losses.tolist() == [25, 1]
    assert run.steps_per_epoch is None
    assert run.diagnosis.sentence == "loss 25.00 → 1.000 in 1 step"


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({}, None),
        ({"steps_per_epoch": 7}, 7),
        ({"steps_per_epoch": np.int64(7)}, 7),
        ({"hyperparameters": H(0.1)}, 1),
        ({"hyperparameters": H(0.1, batch_size=30)}, None),
        ({"hyperparameters": H(0.1, batch_size=30), "problem": Line.sample(points=100)}, 4),
        ({"hyperparameters": H(0.1, batch_size=100), "problem": Line.sample(points=100)}, 1),
    ],
)
def test_steps_of_an_epoch_are_given_or_follow_from_the_batches(given, known) -> None:
    run = Trajectory(None, [3, 2, 1], steps=[0, 7, 14], **given)
    assert run.steps_per_epoch == known
    assert run.epochs == (None if known is None else 14 / known)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"weights": np.ones(3)}, "weights of shape (3,)"),
        ({"weights": np.ones((2, 3, 4))}, "weights of shape (2, 3, 4)"),
        ({"weights": np.ones((2, 0))}, "weights of shape (2, 0)"),
        ({"weights": [[1, 2], [3]]}, "weights cannot be converted to an array"),
        ({"weights": np.ones((2, 3), complex)}, "weights of dtype complex128"),
        ({"weights": np.ones((2, 3), object)}, "weights of dtype object"),
        ({"weights": torch.ones(2, 3, requires_grad=True)}, "detach"),
        ({"losses": [torch.ones((), requires_grad=True)]}, "detach"),
        ({"losses": [["1", "2"]]}, "losses of dtype"),
        ({"losses": [1, None]}, "losses of dtype object"),
        ({"losses": 3.0}, "losses of shape ()"),
        ({"losses": [[1, 2]]}, "losses of shape (1, 2)"),
        ({"losses": []}, "there are no records"),
        ({"weights": np.ones((0, 2))}, "there are no records"),
        ({}, "weights and losses are both missing"),
        ({"weights": np.ones((2, 3)), "losses": [1]}, "weights 2, losses 1"),
        (
            {"losses": [1, 2], "weights": np.ones((3, 1)), "metrics": {"losses": [1] * 3}},
            "losses 2",
        ),
        ({"losses": [1, 2], "steps": [0]}, "losses 2, steps 1"),
        ({"losses": [1, 2], "steps": [5, 5]}, "steps are negative or do not increase"),
        ({"losses": [1, 2], "steps": [5, 3]}, "steps are negative or do not increase"),
        ({"losses": [1, 2], "steps": [-1, 3]}, "steps are negative or do not increase"),
        ({"losses": [1, 2], "steps": [0.5, 1]}, "dtype float64; give whole numbers"),
        ({"losses": [1, 2], "steps": [[0], [1, 2]]}, "steps cannot be converted to"),
        ({"losses": [1, 2], "metrics": {"accuracy": [1]}}, "metric accuracy 1"),
        ({"losses": [1, 2], "metrics": {"accuracy": [[1, 2]]}}, "metric accuracy of shape"),
        ({"losses": [1, 2], "metrics": [0.5, 0.8]}, "metrics [0.5, 0.8] are not a mapping"),
        ({"losses": [1, 2], "metrics": {3: [0.5, 0.8]}}, "not a mapping of names"),
        ({"losses": [1, 2], "label": 3}, "label 3 is not a text"),
        ({"losses": [1, 2], "label": " "}, "label '' is not a text"),
        ({"losses": [1, 2], "steps_per_epoch": 0}, "steps_per_epoch 0"),
        ({"losses": [1, 2], "steps_per_epoch": 2.0}, "steps_per_epoch 2.0"),
        ({"losses": [1, 2], "hyperparameters": 0.1}, "0.1 are not an animate.Hyperparameters"),
        ({"losses": [1, 2], "problem": "line"}, "problem 'line' is not a problem"),
        ({"weights": np.ones((2, 5)), "problem": Line.sample()}, "the problem's start has shape"),
    ],
)
def test_what_cannot_be_a_trajectory_is_named(arguments, said) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        Trajectory(**{"weights": None, **arguments})


def test_runs_are_a_sequence_that_slices_adds_and_lists_its_runs() -> None:
    some = Runs(
        [
            Trajectory(None, [2, last], label=name)
            for name, last in zip("abc", (1, 3, np.nan), strict=True)
        ]
    )
    assert [run.label for run in some] == ["a", "b", "c"]
    assert isinstance(some[1:], Runs)
    assert [run.label for run in some[::-1]] == ["c", "b", "a"]
    assert some[-1] is some[np.int64(2)] is list(some)[2]
    assert len(some[:1] + some) == len(some[0] + some) == 4
    assert len(list(some) + some) == len(tuple(some) + some) == 6
    assert (some + list(some))[3] is (some + some[0])[3] is some[0]
    assert repr(some).splitlines() == [
        "Runs of 3",
        "  a: loss 2.000 → 1.000 in 1 step",
        "  b: diverging: loss 2.000 → 3.000",
        "  c: nothing is known",
    ]
    for wrong in (3, [3], None):
        with pytest.raises(InputError, match="is not a run"):
            Runs(wrong)


def test_more_than_12_runs_are_listed_as_the_first_and_last_ones() -> None:
    def listed(count: int) -> list[str]:
        return repr(Runs([Trajectory(None, [2, 1]) for _ in range(count)])).splitlines()

    one = "  run {}: loss 2.000 → 1.000 in 1 step"
    assert listed(12) == ["Runs of 12", *(one.format(number) for number in range(1, 13))]
    assert listed(100) == [
        "Runs of 100",
        *(one.format(number) for number in range(1, 6)),
        "  … 90 more …",
        *(one.format(number) for number in range(96, 101)),
    ]


def test_metrics_are_a_read_only_mapping(problem) -> None:
    given = {"accuracy": [0.5, 0.8]}
    (trained,) = train(problem, 0.1, epochs=1)
    for run in (Trajectory(None, [2, 1], metrics=given), Trajectory(None, [2, 1]), trained):
        with pytest.raises(TypeError, match="does not support item assignment"):
            run.metrics["loss"] = run.losses
    assert given == {"accuracy": [0.5, 0.8]}


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))],  # noqa: S301 - its own
    ids=["copy", "deepcopy", "pickle"],
)
def test_runs_can_be_copied_and_pickled(problem, duplicate) -> None:
    (trained,) = train(problem, 0.7, epochs=20)
    by_hand = Trajectory(None, [2, 1], metrics={"accuracy": [0.5, 0.8]}, label="mine")
    for run in (trained, by_hand):
        other = duplicate(run)
        assert (other.label, other.lr, other.diagnosis) == (run.label, run.lr, run.diagnosis)
        np.testing.assert_array_equal(other.losses, run.losses)
        assert {name: list(values) for name, values in other.metrics.items()} == {
            name: list(values) for name, values in run.metrics.items()
        }
        with pytest.raises(TypeError, match="does not support item assignment"):
            other.metrics["loss"] = run.losses


def test_a_run_is_called_by_its_label_or_by_what_differs(problem) -> None:
    plain = train(problem, [H(0.1), H(0.7, label="quick"), H(0.2, batch_size=1000)], epochs=2)
    assert [run.label for run in plain] == ["learning rate 0.1", "quick", "learning rate 0.2"]
    seeds = train(problem, [H(0.1, seed=1), H(0.1, seed=2)], epochs=2)
    assert [run.label for run in seeds] == [
        "learning rate 0.1, seed 1",
        "learning rate 0.1, seed 2",
    ]
    by_hand = {"problem": problem, "weights": plain[0].weights}
    momentum = Trajectory(hyperparameters=H(0.1, momentum=0.9), **by_hand)
    unknown, named = Trajectory(**by_hand), Trajectory(label="mine", **by_hand)
    assert momentum.label == "momentum 0.9, learning rate 0.1"
    assert (unknown.label, named.label) == ("", "mine")
    assert labels([*plain[:2], momentum, unknown, named]) == [
        "no momentum, learning rate 0.1",
        "quick",
        "momentum 0.9, learning rate 0.1",
        "run 4",
        "mine",
    ]
    assert labels(plain[:1]) == ["learning rate 0.1"]
    adam = Trajectory(hyperparameters=H(0.1, "adam", label="Adam, mine"), **by_hand)
    assert labels([plain[0], adam]) == ["learning rate 0.1", "Adam, mine"]


@pytest.mark.parametrize("lr", [0.1, 0.7, 1.01, 5])
def test_training_gives_the_bits_of_one_run_by_autograd(problem, lr) -> None:
    (run,) = train(problem, lrs=[lr], epochs=60)
    weights, losses = descend(problem, lr, 60)
    np.testing.assert_array_equal(run.weights, weights)
    np.testing.assert_array_equal(run.losses, losses)


@pytest.mark.parametrize(
    "given",
    [
        0.7,
        np.float64(0.7),
        np.array(0.7),
        torch.tensor(0.7, dtype=torch.float64),
        "0.7",
        H(0.7),
        [H(0.7)],
        np.array([0.7]),
    ],
)
def test_rates_are_given_as_one_or_several_numbers_or_hyperparameters(problem, given) -> None:
    (expected,) = train(problem, [0.7], epochs=3)
    for runs in (train(problem, given, 3), train(problem, lrs=given, epochs=3)):
        (run,) = runs
        assert run.hyperparameters == H(0.7)
        np.testing.assert_array_equal(run.weights, expected.weights)


@pytest.mark.parametrize(
    ("every", "steps"),
    [(1, [*range(11)]), (3, [0, 3, 6, 9, 10]), (5, [0, 5, 10]), (10, [0, 10]), (10**30, [0, 10])],
)
def test_records_are_every_few_steps_and_the_last(problem, every, steps) -> None:
    whole = train(problem, [0.1, 1.01], epochs=10)
    for run, full in zip(train(problem, [0.1, 1.01], 10, record_every=every), whole, strict=True):
        assert run.steps.tolist() == steps
        assert (run.epochs, run.steps_per_epoch) == (10, 1)
        np.testing.assert_array_equal(run.weights, full.weights[steps])
        np.testing.assert_array_equal(run.losses, full.losses[steps])


def test_other_problems_doubled_runs_and_the_former_sample_are_refused(problem) -> None:
    with pytest.raises(InputError, match="type str cannot be trained"):
        train("line", lrs=0.1)
    with pytest.raises(InputError, match="is given twice"):
        train(problem, [0.1, H(0.1)])
    with pytest.raises(InputError, match=r"lrs=\[0.1, 0.7\]"):
        train(problem)
    with pytest.raises(InputError, match=r"animate\.Line\.sample"):
        Problem.sample(seed=3)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lr": 0}, "not positive"),
        ({"optimizer": "LBFGS"}, "LBFGS cannot be used: it needs a closure"),
        ({"optimizer": "SparseAdam"}, "sparse gradients"),
        ({"optimizer": "Muon"}, "matrices only"),
        ({"optimizer": None}, "optimizer None is not a name"),
        ({"optimizer": "adam", "momentum": 0.9}, "adam takes no momentum"),
        ({"optimizer": "nesterov", "momentum": 0}, "nesterov needs a momentum above 0"),
        ({"momentum": 1}, "momentum 1 is out of bounds"),
        ({"schedule": "cosin"}, "did you mean cosine"),
        ({"batch_size": 0}, "batch size 0 is out of bounds"),
        ({"seed": -1}, "seed -1 is out of bounds"),
        ({"label": ""}, "label '' is not a text"),
    ],
)
def test_hyperparameters_are_checked(settings, said) -> None:
    with pytest.raises(InputError, match=said):
        H(**{"lr": 0.1, **settings})


@pytest.mark.slow
def test_a_page_trains_only_what_came_from_training(problem, runs, tmp_path) -> None:
    path = tmp_path / "page.html"
    copy = {"weights": runs[0].weights, "problem": problem}
    for known in (None, H(0.1), H(0.1, momentum=0.9)):
        Animation([runs[1], Trajectory(hyperparameters=known, **copy)]).save(path)
        assert "Nothing is trained here" in path.read_text(encoding="utf-8")
    Animation(runs[1:], size=(640, 360)).save(path)
    assert "Nothing is trained here" not in path.read_text(encoding="utf-8")


def test_a_trajectory_is_made_and_diagnosed_without_torch() -> None:
    code = (
        "import sys, animate; animate.Trajectory(None, [2, 1]).diagnosis;"
        "print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_a_loss_that_the_problem_evaluates_to_nan_is_an_overflow() -> None:
    class Odd:
        def loss(self, _weights) -> np.ndarray:
            return np.array([1.0, 2.0, np.nan, np.nan])

    run = Trajectory(np.zeros((4, 3)), problem=Odd())
    assert run.diagnosis.verdict == "diverging"
    assert run.diagnosis.overflowed_at == 2


def test_a_slope_far_off_is_not_near_because_the_bias_is_large() -> None:
    years = np.arange(2000, 2021)
    line = Line(years, 0.5 * years - 1000 + np.sin(years))
    off = line.best_weights + np.array([0.005, 0.0])
    run = Trajectory(np.tile(off, (10, 1)), problem=line)
    assert run.diagnosis.verdict == "converging"
