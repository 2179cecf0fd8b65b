import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from animate import Hyperparameters, Line, Trajectory, train
from animate.system.numbers import limit_text


def first_epoch_within(run: Trajectory, share: float) -> int | None:
    """Return by plain search what `converged_at` claims."""
    x, y = run.problem.x.astype(float), run.problem.y.astype(float)
    best = np.polyfit(x, y, 1)
    near = [
        float(np.linalg.norm(weights - best))
        <= share * float(np.linalg.norm(run.weights[0] - best))
        for weights in run.weights
    ]
    for epoch in range(len(near)):
        if all(near[epoch:]):
            return epoch
    return None


def test_the_articles_figures_at_seed_11(runs) -> None:
    assert [run.diagnosis.converged_at for run in runs] == [70, 8, None]
    assert [run.diagnosis.verdict for run in runs] == ["converged", "converged", "diverging"]
    assert [run.diagnosis.sentence for run in runs] == [
        "converged at epoch 70",
        "converged at epoch 8",
        "diverging: past the limit 0.9985",
    ]


def test_seeds_0_to_11_converge_in_the_articles_ranges() -> None:
    slow, fast, never = [], [], []
    for seed in range(12):
        runs = train(Line.sample(seed=seed), [0.1, 0.7, 1.01])
        for found, run in zip((slow, fast, never), runs, strict=True):
            found.append(run.diagnosis.converged_at)
    assert (min(slow), max(slow)) == (57, 80)
    assert (min(fast), max(fast)) == (6, 10)
    assert set(never) == {None}


@given(seed=st.integers(0, 10**6), lr=st.floats(1e-3, 3), epochs=st.integers(1, 80))
def test_the_verdict_follows_the_theory_and_the_run_bears_it_out(seed, lr, epochs) -> None:
    problem = Line.sample(seed=seed)
    (run,) = train(problem, [lr], epochs)
    diagnosis = run.diagnosis
    assert diagnosis.converged_at == first_epoch_within(run, 0.01)
    x = np.column_stack([problem.x, np.ones(100)]).astype(float)
    limit = 2 / np.linalg.eigvalsh(2 / 100 * x.T @ x)[1]
    assert (diagnosis.verdict == "diverging") == (lr >= limit)
    assert (diagnosis.verdict == "converged") == (diagnosis.converged_at is not None)


def test_a_diverging_verdict_is_earned_when_the_loss_first_rises(runs) -> None:
    assert runs[2].losses[3] > runs[2].losses[2]
    assert runs[2].diagnosis.verdict_step == 3
    assert runs[0].diagnosis.verdict_step == 70


def test_an_overflow_is_dated(problem: Line) -> None:
    (run,) = train(problem, [5], epochs=100)
    overflowed_at = run.diagnosis.overflowed_at
    assert np.isfinite(run.losses[:overflowed_at]).all()
    assert not np.isfinite(run.losses[overflowed_at])
    assert run.diagnosis.sentence == "diverging: past the limit 0.9985"


def test_a_run_on_its_way_says_how_far_it_is(problem: Line) -> None:
    (run,) = train(problem, [0.01], epochs=100)
    left = np.linalg.norm(run.weights[-1] - problem.best_weights) / np.linalg.norm(
        run.weights[0] - problem.best_weights
    )
    assert run.diagnosis.verdict == "converging"
    assert run.diagnosis.sentence == f"{100 * left:.0f} % still to go after 100 epochs"


def test_a_rate_at_the_limit_is_said_to_be_at_it(problem: Line) -> None:
    (run,) = train(problem, [problem.stability_limit])
    assert run.diagnosis.verdict == "diverging"
    assert run.diagnosis.sentence == "diverging: at the limit 0.9985"


def test_a_start_at_the_best_weights_has_converged_at_once(problem: Line) -> None:
    there = Line(problem.x, problem.y, problem.best_weights)
    (run,) = train(there, [0.5])
    assert run.diagnosis.converged_at == 0


@given(limit=st.floats(0.5, 2), share=st.floats(0.999, 1.001))
def test_a_printed_limit_lies_on_the_true_side_of_the_rate(limit: float, share: float) -> None:
    lr = limit * share
    assume(lr != limit)
    printed = float(limit_text(limit, lr))
    assert np.sign(lr - printed) == np.sign(lr - limit)


def test_a_diagnosis_does_not_depend_on_the_runs_beside_it(problem: Line) -> None:
    runs = train(problem, [0.001, 0.1, 0.7, problem.stability_limit, 1.01, 5, 50])
    for run in runs:
        known = run.hyperparameters
        alone = Trajectory(run.weights, run.losses, problem=problem, hyperparameters=known)
        assert alone.diagnosis == run.diagnosis
    assert len({run.diagnosis for run in runs}) == len(runs)


def test_a_run_without_a_step_is_diagnosed(problem: Line) -> None:
    for lr, verdict in ((0.1, "converging"), (1.01, "diverging")):
        known = Hyperparameters(lr)
        run = Trajectory(problem.start[None], [1], problem=problem, hyperparameters=known)
        diagnosis = run.diagnosis
        assert (diagnosis.verdict, diagnosis.verdict_step) == (verdict, 0)
