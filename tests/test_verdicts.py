"""Each row of the table of verdicts, against what torch.optim does and what the record says."""

import numpy as np
import pictures
import pytest
import torch
from matplotlib.text import Text

from animate import Hyperparameters, Line, Runs, Trajectory, train
from animate.drawing.alt_text import describe
from animate.drawing.scene import Scene

H = Hyperparameters
NAN, INF = np.nan, np.inf


def recorded(
    problem: Line,
    lr: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    steps: int = 100,
    batch: int | None = None,
) -> np.ndarray:
    """Return the weights of `torch.optim.SGD` in float64, shape (T, 2)."""
    weights = torch.nn.Parameter(torch.tensor(problem.start, dtype=torch.float64))
    x, y = (torch.tensor(values, dtype=torch.float64) for values in (problem.x, problem.y))
    optimizer = torch.optim.SGD([weights], lr=lr, momentum=momentum, nesterov=nesterov)
    batches = torch.Generator().manual_seed(0)
    kept = [weights.detach().numpy().copy()]
    for _ in range(steps):
        chosen = torch.randperm(len(x), generator=batches)[: batch or len(x)]
        optimizer.zero_grad()
        ((weights[0] * x[chosen] + weights[1] - y[chosen]) ** 2).mean().backward()
        optimizer.step()
        kept.append(weights.detach().numpy().copy())
    return np.array(kept)


def losses_of(problem: Line, weights: np.ndarray) -> np.ndarray:
    x, y = problem.x.astype(float), problem.y.astype(float)
    return np.array([np.mean((slope * x + bias - y) ** 2) for slope, bias in weights])


def arrival(problem: Line, weights: np.ndarray) -> int | None:
    """Return by plain search the first record from which 1 % of the way or less is left."""
    best = np.polyfit(problem.x.astype(float), problem.y.astype(float), 1)
    away = [float(np.linalg.norm(one - best)) for one in weights]
    for record in range(len(away)):
        if all(left <= 0.01 * away[0] for left in away[record:]):
            return record
    return None


def limit_of(problem: Line, momentum: float, nesterov: bool) -> float:
    """Return the rate at which the recurrence's largest root passes 1, by bisection."""
    x = np.column_stack([problem.x, np.ones_like(problem.x)]).astype(float)
    sharpest = np.linalg.eigvalsh(2 / len(x) * x.T @ x)[1]

    def largest_root(lr: float) -> float:
        # e' = e - lr·v', v' = β v + λ e; with Nesterov e' = e - lr·(λ e + β v').
        # On (e, v), as one matrix.
        velocity = [sharpest, momentum]
        step = [sharpest * (1 + momentum), momentum**2] if nesterov else velocity
        matrix = np.array([[1 - lr * step[0], -lr * step[1]], velocity])
        return float(np.abs(np.linalg.eigvals(matrix)).max())

    low, high = 1e-3, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if largest_root(middle) < 1 else (low, middle)
    return low


@pytest.mark.quick(1)
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.5, 0.9])
def test_theory_knows_the_limits_of_momentum(problem, momentum, nesterov) -> None:
    limit = limit_of(problem, momentum, nesterov)
    optimizer = "nesterov" if nesterov else "sgd"
    for share, steps in ((0.995, 400), (1.005, 400)):
        weights = recorded(problem, share * limit, momentum, nesterov, steps)
        known = H(share * limit, optimizer, momentum)
        told = Trajectory(weights, problem=problem, hyperparameters=known).diagnosis
        unknown = Trajectory(weights, problem=problem).diagnosis
        assert (told.basis, unknown.basis) == ("theory", "distance")
        assert told.converged_at == unknown.converged_at == arrival(problem, weights)
        assert told.verdict == unknown.verdict == ("converged" if share < 1 else "diverging")
        if share < 1:
            assert told.sentence == f"converged at epoch {told.converged_at}"
            assert unknown.sentence == f"converged at step {told.converged_at}"
        else:
            assert told.sentence == f"diverging: past the limit {limit:.4g}"
            first_rise = np.flatnonzero(np.diff(losses_of(problem, weights)) > 0)[0] + 1
            assert (told.verdict_step, unknown.verdict_step) == (first_rise, 400)
            assert unknown.sentence.startswith("diverging: loss 7.704 → ")


def test_a_loss_that_is_missing_is_no_rise(problem, runs) -> None:
    losses = runs[2].losses.copy()
    losses[[1, 2, 3]] = NAN
    known = runs[2].hyperparameters
    run = Trajectory(runs[2].weights, losses, problem=problem, hyperparameters=known)
    assert run.diagnosis.sentence == "diverging: past the limit 0.9985"
    assert run.diagnosis.verdict_step == 5  # the first loss above the one before it


def test_a_limit_of_plain_descent_is_no_limit_of_momentum(problem) -> None:
    weights = recorded(problem, 1.2, 0.9, steps=200)
    known = H(1.2, momentum=0.9)
    run = Trajectory(weights, problem=problem, hyperparameters=known)
    assert run.lr > problem.stability_limit
    assert run.diagnosis.sentence == f"converged at epoch {arrival(problem, weights)}"


@pytest.mark.parametrize("claimed", [H(0.1), H(0.1, momentum=0.9)])
def test_a_record_that_overflows_contradicts_a_stable_rate(problem, claimed) -> None:
    weights = np.vstack([recorded(problem, 3.0, steps=5), [[INF, NAN], [NAN, NAN]]])
    run = Trajectory(weights, problem=problem, hyperparameters=claimed)
    assert (run.diagnosis.verdict, run.diagnosis.basis) == ("diverging", "distance")
    assert run.diagnosis.sentence == "diverging: not finite from epoch 6 on"
    assert (run.diagnosis.overflowed_at, run.diagnosis.verdict_step) == (6, 6)


@pytest.mark.parametrize("losses", [None, np.full(2, NAN)])
def test_a_loss_that_ends_higher_contradicts_a_stable_rate_without_momentum(problem, losses):
    weights = recorded(problem, 3.0, steps=1)
    diagnoses = [
        Trajectory(weights, losses, problem=problem, hyperparameters=known).diagnosis
        for known in (H(0.1), H(0.1, momentum=0.9))
    ]
    assert [one.basis for one in diagnoses] == ["distance", "theory"]  # momentum may climb
    first, last = losses_of(problem, weights)
    assert diagnoses[0].sentence == f"diverging: loss {first:.3f} → {last:.2f}"


def test_a_record_that_arrives_contradicts_a_rate_past_the_limit(problem) -> None:
    weights = recorded(problem, 1.2, 0.9, steps=200)
    run = Trajectory(weights, problem=problem, hyperparameters=H(1.2))
    assert run.diagnosis.basis == "distance"
    assert run.diagnosis.sentence == f"converged at epoch {arrival(problem, weights)}"


@pytest.mark.parametrize(
    "known", [H(0.1, "adam"), H(0.1, schedule="cosine"), H(0.1, batch_size=99), None]
)
def test_without_theory_the_distance_decides(problem, known) -> None:
    arrived = recorded(problem, 0.7, steps=30)
    for weights, verdict in (
        (arrived, "converged"),
        (arrived[:4], "converging"),
        (arrived[8::-1], "diverging"),
    ):
        if known is not None and known.batch_size and verdict == "diverging":
            continue  # its noise may raise the loss
        run = Trajectory(weights, problem=problem, hyperparameters=known)
        assert (run.diagnosis.verdict, run.diagnosis.basis) == (verdict, "distance")
        assert run.diagnosis.converged_at == (8 if verdict == "converged" else None)


def test_a_hyperparameter_that_holds_all_points_in_a_batch_is_full_batch(problem) -> None:
    (trained,) = train(problem, [0.7], epochs=20)
    for size, basis in ((100, "theory"), (99, "distance")):
        known = H(0.7, batch_size=size)
        run = Trajectory(trained.weights, problem=problem, hyperparameters=known)
        assert (run.diagnosis.basis, run.is_plain_descent) == (basis, size == 100)


def test_small_batches_at_a_constant_rate_hover(problem) -> None:
    weights = recorded(problem, 0.7, steps=200, batch=10)
    run = Trajectory(weights, problem=problem, hyperparameters=H(0.7, batch_size=10))
    away = np.linalg.norm(weights - problem.best_weights, axis=1)
    around = 100 * np.median(away[-20:]) / away[0]
    assert arrival(problem, weights) is None
    assert run.diagnosis.verdict == "converging"
    assert run.diagnosis.sentence == f"hovers around {around:.1f} % still to go"
    assert run.diagnosis.verdict_step == 200
    decayed = Trajectory(weights, problem=problem, hyperparameters=H(0.7, "sgd", None, "step", 10))
    assert "hovers" not in decayed.diagnosis.sentence


@pytest.mark.parametrize("bound", [9.9, 10.1])
def test_noise_of_batches_may_raise_the_loss_tenfold(problem, bound) -> None:
    x = np.column_stack([problem.x, np.ones_like(problem.x)]).astype(float)
    sharpest = np.linalg.eigvalsh(2 / len(x) * x.T @ x)[1]
    best = losses_of(problem, [problem.best_weights])[0]
    allowed = max(losses_of(problem, [problem.start])[0], best + sharpest / 2)
    away = np.linalg.eigh(x.T @ x)[1][:, 1] * np.sqrt(2 * (bound * allowed - best) / sharpest)
    weights = np.array([problem.start, problem.best_weights + away])
    run = Trajectory(weights, problem=problem, hyperparameters=H(0.1, batch_size=10))
    assert run.diagnosis.verdict == ("diverging" if bound > 10 else "converging")


@pytest.mark.quick(2)
@pytest.mark.parametrize("off", [0, 1e-6])
@pytest.mark.parametrize("known", [None, H(0.1), H(0.1, batch_size=10)])
def test_a_start_at_the_optimum_has_no_way_left(problem, off, known) -> None:
    best = problem.best_weights
    for end, verdict in ((0.0, "converged"), (0.3, "converging"), (30.0, "diverging")):
        weights = np.array([best + off, best + 0.2, best + end + off])
        run = Trajectory(weights, problem=problem, hyperparameters=known, label="mine")
        assert run.diagnosis.verdict == verdict
        assert "way left" not in run.diagnosis.sentence
        assert not any("way" in text for text in texts(Scene(run, "loss")))
    staying = Trajectory(np.tile(best, (5, 1)), problem=problem, hyperparameters=known)
    assert staying.diagnosis.converged_at == 0


@pytest.mark.parametrize(
    ("losses", "verdict", "sentence"),
    [
        ([3, 5], "diverging", "diverging: loss 3.000 → 5.000"),
        ([3, 1, 3.5], "diverging", "diverging: loss 3.000 → 3.500"),
        ([-5, -1], "diverging", "diverging: loss −5.000 → −1.000"),
        ([3, 4, 2], "converging", "loss 3.000 → 2.000 in 2 steps"),
        ([1, -5], "converging", "loss 1.000 → −5.000 in 1 step"),
        ([1, 1], "converging", "loss 1.000 → 1.000 in 1 step"),
        ([0] * 99, "converging", "loss 0.0000 → 0.0000 in 98 steps"),
        ([NAN, 3, NAN, 2, NAN], "converging", "loss 3.000 → 2.000 in 2 steps"),
        ([3, INF, NAN], "diverging", "diverging: not finite at step 1"),  # the last is missing
        ([3, 2, INF], "diverging", "diverging: not finite from step 2 on"),
        ([3, INF, 2], "diverging", "diverging: not finite at step 1"),
        ([3, -INF], "diverging", "diverging: not finite from step 1 on"),
        ([3], None, None),
        ([NAN, 3, NAN], None, None),
        ([NAN] * 30, None, None),
        ([INF, NAN], None, None),
    ],
)
def test_losses_alone(losses, verdict, sentence) -> None:
    run = Trajectory(None, losses)
    assert (run.diagnosis.verdict, run.diagnosis.sentence) == (verdict, sentence)
    assert run.diagnosis.basis == (None if verdict is None else "losses")
    assert run.diagnosis.converged_at is run.diagnosis.distance_left is None


@pytest.mark.parametrize(
    ("records", "wobble", "is_level"),
    [(19, 0, False), (40, 0, True), (40, 0.5, True), (40, 2, False), (400, 0.5, True)],
)
def test_a_loss_is_level_that_changes_by_less_than_1_percent_of_its_fall(
    records, wobble, is_level
) -> None:
    fall = 4.0
    falling = np.linspace(5, 1, 100)[:-1]
    level = 1 + wobble / 100 * fall * (np.arange(records) % 2)
    run = Trajectory(None, [*falling, *level], steps=10 * np.arange(99 + records))
    part = max(20, int(np.ceil((99 + records) / 10)))
    assert run.diagnosis.verdict == "converging"
    assert run.diagnosis.sentence.startswith("level at loss 1.0" if is_level else "loss 5.000 → 1.")
    if is_level:
        assert run.diagnosis.sentence.endswith(f"for the last {10 * (part - 1)} steps")


def test_weights_alone_tell_of_an_overflow_and_of_nothing_else() -> None:
    weights = np.ones((9, 3))
    assert Trajectory(weights).diagnosis.overflowed_at is None
    weights[4, 1] = NAN
    run = Trajectory(weights)
    assert (run.diagnosis.verdict, run.diagnosis.sentence) == (None, None)
    assert run.diagnosis.overflowed_at == 4
    assert Trajectory(weights, np.arange(9)[::-1]).diagnosis.sentence.endswith("at step 4")


@pytest.mark.parametrize("first", [[NAN, 1.0], [INF, -INF]])
def test_a_first_record_that_is_not_finite_has_not_converged(problem, first) -> None:
    best = problem.best_weights
    for known in (None, H(0.1), H(1.2)):
        weights = np.array([first, best, best])
        run = Trajectory(weights, problem=problem, hyperparameters=known)
        assert run.diagnosis.verdict == "diverging"
        assert (run.diagnosis.overflowed_at, run.diagnosis.converged_at) == (0, None)


def texts(scene: Scene) -> list[str]:
    return [text.get_text() for text in pictures.outside_panels(scene, Text)]


def test_no_sentence_is_seen_before_what_it_says_has_happened(problem, runs) -> None:
    momentum = H(0.1, momentum=0.9)
    falling = np.r_[np.linspace(5, 1, 40), np.ones(40)]
    bent = np.r_[np.linspace(5, 1, 40), np.linspace(1, 9, 20)]
    several = [
        runs[2],
        Trajectory(recorded(problem, 0.1, 0.9), problem=problem, hyperparameters=momentum),
        Trajectory(recorded(problem, 0.3, batch=20, steps=70), problem=problem, label="unknown"),
        Trajectory(None, falling, label="level"),
        Trajectory(None, bent, label="bent"),
        Trajectory(None, [5, 4, 3, INF, 2, 1], steps=[0, 9, 11, 30, 40, 50], label="overflown"),
        Trajectory(None, [3, 2], steps=[20, 90], label="late"),
    ]
    scene = Scene(several, "loss", (1280, 900))
    seen: dict[int, set[str]] = {}
    for moment in scene.clock.moments:
        scene.draw(moment)
        told = describe(several, ["loss"], [moment], is_still=True)
        for number, run in enumerate(several):
            sentence = run.diagnosis.sentence.replace("epoch", "step")  # what the scene counts in
            happened = bool(moment >= run.diagnosis.verdict_step)
            assert any(text.endswith(sentence) for text in texts(scene)) is happened
            assert (sentence in told) is happened
            if happened:
                seen.setdefault(number, set()).add(sentence)
    assert len(seen) == len(several)
    assert several[3].diagnosis.sentence == "level at loss 1.000 for the last 19 steps"
    marks = {text[0] for text in texts(scene) if text[:1] in "✓✗" and text}
    assert marks == {"✓", "✗"}


def test_only_an_optimum_that_is_known_earns_a_tick() -> None:
    level = [*np.linspace(5, 1, 50), *[1.0] * 200]
    scene = Scene(Runs([Trajectory(np.ones((250, 3)), level), Trajectory(None, level)]), "loss")
    scene.draw(scene.clock.last)
    assert not any("✓" in text or "converged" in text for text in texts(scene))


def test_what_theory_says_of_the_line_is_said_of_no_other_run(problem) -> None:
    network = np.random.default_rng(0).standard_normal((61, 2)).cumsum(axis=0)
    losses = np.r_[np.linspace(4, 1, 30), np.linspace(1, 3, 31)]
    momentum = H(0.02, momentum=0.5)
    slow = recorded(problem, 0.02, 0.5, steps=20)
    for run in (
        Trajectory(network, losses),
        Trajectory(network, losses, hyperparameters=H(1.5)),
        Trajectory(slow, problem=problem, hyperparameters=momentum),
    ):
        scene = Scene(run)
        for moment in scene.clock.moments:
            scene.draw(moment)
            for text in [
                *texts(scene),
                *(note for axes in scene.figure.axes for note in pictures.notes(axes)),
            ]:
                assert not any(word in text for word in ("turns", "limit", "fastest rate"))
                assert run.problem is not None or "y =" not in text
                assert run.problem is not None or "best fit" not in text
