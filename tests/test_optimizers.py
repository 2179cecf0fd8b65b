"""Training with every field of Hyperparameters, against loops with `torch.optim` alone."""

import math

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from animate import Hyperparameters, InputError, Line, train

H = Hyperparameters
OPTIMIZERS = {
    "sgd": lambda w, lr: torch.optim.SGD(w, lr=lr),
    "momentum": lambda w, lr: torch.optim.SGD(w, lr=lr, momentum=0.9),
    "nesterov": lambda w, lr: torch.optim.SGD(w, lr=lr, momentum=0.9, nesterov=True),
    "rmsprop": lambda w, lr: torch.optim.RMSprop(w, lr=lr),
    "adagrad": lambda w, lr: torch.optim.Adagrad(w, lr=lr),
    "adam": lambda w, lr: torch.optim.Adam(w, lr=lr),
    "adamw": lambda w, lr: torch.optim.AdamW(w, lr=lr),
    "NAdam": lambda w, lr: torch.optim.NAdam(w, lr=lr),
    "Rprop": lambda w, lr: torch.optim.Rprop(w, lr=lr),
    "Adafactor": lambda w, lr: torch.optim.Adafactor(w, lr=lr),
}
SCHEDULES = {
    "constant": lambda *_: None,
    "step": lambda o, n: lr_scheduler.StepLR(o, max(1, n // 3), 0.1),
    "cosine": lambda o, n: lr_scheduler.CosineAnnealingLR(o, T_max=n),
    "warmup": lambda o, n: lr_scheduler.LambdaLR(o, lambda k: min(1, (k + 1) / max(1, n // 10))),
    "one-cycle": lambda o, n: lr_scheduler.OneCycleLR(
        o, max_lr=o.param_groups[0]["lr"], total_steps=n, cycle_momentum=False
    ),
    "range": lambda o, n: lr_scheduler.LambdaLR(o, lambda k: 1e-5 * 1e6 ** (k / max(1, n - 1))),
}


def trained(problem, lr, epochs, optimizer="sgd", schedule="constant", batch=None, seed=0):
    """Return weights, losses, batch losses and rates of a plain loop, a row for each step."""
    x, y = torch.tensor(problem.x), torch.tensor(problem.y)
    w = torch.nn.Parameter(torch.tensor(problem.start))
    n = len(x)
    steps = epochs * math.ceil(n / (batch or n))
    optimizer = OPTIMIZERS[optimizer]([w], lr)
    scheduler = SCHEDULES[schedule](optimizer, steps)
    generator = torch.Generator().manual_seed(seed)
    rows = []

    def record(batch_loss: float) -> None:
        with torch.no_grad():
            loss = ((w[0] * x + w[1] - y) ** 2).mean().item()
        rate = optimizer.param_groups[0]["lr"]
        rows.append((w.detach().numpy().copy(), loss, batch_loss, rate))

    record(math.nan)
    for _ in range(epochs):
        order = torch.randperm(n, generator=generator) if batch and batch < n else torch.arange(n)
        for start in range(0, n, batch or n):
            chosen = order[start : start + (batch or n)]
            loss = ((w[0] * x[chosen] + w[1] - y[chosen]) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if scheduler:
                scheduler.step()
            record(loss.item())
    return [np.array(column) for column in zip(*rows, strict=True)]


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.quick(4)
@pytest.mark.parametrize(
    ("optimizer", "batch"),
    [(name, batch) for name in OPTIMIZERS for batch in (None, 7) if (name, batch) != ("sgd", None)],
)
def test_an_optimizer_gives_torchs_numbers(problem, optimizer, batch) -> None:
    weights, losses, batch_losses, _ = trained(problem, 0.03, 8, optimizer, batch=batch)
    (run,) = train(problem, H(0.03, optimizer, batch_size=batch), epochs=8)
    np.testing.assert_array_equal(run.weights, weights)
    np.testing.assert_array_equal(run.losses, losses.astype(np.float32))
    assert run.weights.dtype == run.losses.dtype == np.float32
    assert run.epochs == 8
    if batch:
        np.testing.assert_array_equal(run.metrics["batch_loss"], batch_losses)
    else:
        assert run.metrics == {}


@pytest.mark.quick(10)
@pytest.mark.parametrize("epochs", [1, 2, 4, 40])
@pytest.mark.parametrize("batch", [None, 50])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_gives_torchs_rates_and_numbers(problem, schedule, batch, epochs) -> None:
    weights, losses, _, rates = trained(problem, 0.5, epochs, "adam", schedule, batch)
    (run,) = train(problem, H(0.5, "adam", schedule=schedule, batch_size=batch), epochs=epochs)
    np.testing.assert_array_equal(run.weights, weights)
    np.testing.assert_array_equal(run.losses, losses.astype(np.float32))
    np.testing.assert_array_equal(run.lrs, rates)


def test_a_schedules_rates_are_those_of_their_formulas(problem) -> None:
    def rates(schedule):
        return train(problem, H(2.0, schedule=schedule), epochs=100)[0].lrs[:-1]

    k = np.arange(100)
    np.testing.assert_allclose(rates("step"), 2 * 0.1 ** (k // 33))
    np.testing.assert_allclose(rates("cosine"), 1 + np.cos(np.pi * k / 100))
    np.testing.assert_allclose(rates("warmup"), 2 * np.minimum(1, (k + 1) / 10))
    np.testing.assert_allclose(rates("range"), 2e-5 * 1e6 ** (k / 99))
    cycle = rates("one-cycle")
    assert (cycle.argmax(), cycle[29]) == (29, 2)
    assert cycle[0] == pytest.approx(2 / 25)
    assert cycle[-1] == pytest.approx(2 / 25 / 1e4)


def test_batches_are_drawn_anew_each_epoch_from_the_seed(problem) -> None:
    for seed in (0, 5):
        weights, *_ = trained(problem, 0.1, 3, batch=30, seed=seed)
        (run,) = train(problem, H(0.1, batch_size=30, seed=seed), epochs=3)
        np.testing.assert_array_equal(run.weights, weights)
        assert (run.steps_per_epoch, run.epochs, run.steps[-1]) == (4, 3, 12)
        assert run.times.tolist() == [step / 4 for step in range(13)]
    assert not np.array_equal(run.weights, train(problem, H(0.1, batch_size=30), 3)[0].weights)


@pytest.mark.parametrize("batch", [100, 101])
def test_batches_of_all_points_are_full_batches(problem, batch) -> None:
    (run,) = train(problem, H(0.1, "adam", batch_size=batch), epochs=5)
    weights, *_ = trained(problem, 0.1, 5, "adam")
    np.testing.assert_array_equal(run.weights, weights)
    assert (run.steps_per_epoch, run.metrics) == (1, {})


@pytest.mark.parametrize(("every", "kept"), [(1, range(16)), (4, [0, 4, 8, 12, 15]), (99, [0, 15])])
def test_records_of_batches_are_every_few_steps_and_the_last(problem, every, kept) -> None:
    settings = H(0.1, "momentum", schedule="cosine", batch_size=20)
    (run,) = train(problem, settings, epochs=3, record_every=every)
    weights, losses, batch_losses, rates = trained(problem, 0.1, 3, "momentum", "cosine", 20)
    kept = list(kept)
    assert run.steps.tolist() == kept
    assert (run.epochs, type(run.epochs)) == (3, int)
    np.testing.assert_array_equal(run.weights, weights[kept])
    np.testing.assert_array_equal(run.losses, losses[kept].astype(np.float32))
    np.testing.assert_array_equal(run.metrics["batch_loss"], batch_losses[kept])
    np.testing.assert_array_equal(run.lrs, rates[kept])


def test_runs_do_not_depend_on_each_other_or_on_a_listener(problem) -> None:
    several = [H(0.1), H(0.1, "adam"), H(0.7), H(0.1, batch_size=10), H(0.1, schedule="cosine")]
    heard = []
    together = train(problem, several, 6, lambda epoch, losses: heard.append((epoch, losses)))
    plain = train(problem, [0.1, 0.7], epochs=6)
    for run, one in zip(together, several, strict=True):
        (alone,) = train(problem, one, epochs=6)
        assert run.hyperparameters is one
        for name in ("weights", "losses", "lrs", "steps"):
            np.testing.assert_array_equal(getattr(run, name), getattr(alone, name))
    np.testing.assert_array_equal(together[0].weights, plain[0].weights)
    np.testing.assert_array_equal(together[2].weights, plain[1].weights)
    assert [epoch for epoch, _ in heard] == [*range(7)]
    for epoch, losses in heard:
        expected = [run.losses[epoch * run.steps_per_epoch] for run in together]
        assert losses.tolist() == expected


def test_the_listener_hears_of_every_epoch_where_no_run_is_plain(problem) -> None:
    heard = []
    (run,) = train(problem, H(0.1, "adam"), 3, lambda *of: heard.append(of))
    assert [(epoch, *losses) for epoch, losses in heard] == list(enumerate(run.losses))


def test_global_state_and_the_number_of_threads_stay(problem) -> None:
    torch.set_num_threads(2)
    torch.manual_seed(4)
    before = torch.random.get_rng_state()
    with torch.no_grad():
        train(problem, [H(0.1, "adam"), H(0.1, batch_size=3)], epochs=2)
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == 2


def test_arrays_and_labels(problem) -> None:
    runs = train(problem, [H(0.1, "adam"), H(0.1, batch_size=10, label="mine")], epochs=2)
    assert [run.label for run in runs][1] == "mine"
    assert runs[0].label.startswith("Adam, learning rate 0.1")
    for array in (runs[1].weights, runs[1].losses, runs[1].lrs, runs[1].metrics["batch_loss"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert runs[1].problem is problem


def test_a_verdict_of_adam_is_from_the_record(problem) -> None:
    (run,) = train(problem, H(0.3, "adam"), epochs=200)
    assert (run.diagnosis.verdict, run.diagnosis.basis) == ("converged", "distance")
    (lost,) = train(problem, H(30.0, batch_size=10), epochs=20)
    assert lost.diagnosis.verdict == "diverging"
    assert lost.diagnosis.overflowed_at is not None
    assert np.isinf(lost.losses[-1])


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("optimizer", "momentum"),
    [
        ("momentum", 0.9),
        ("nesterov", 0.5),
        pytest.param("momentum", 0.5, marks=pytest.mark.slow),
        pytest.param("nesterov", 0.9, marks=pytest.mark.slow),
    ],
)
def test_momentum_converges_below_its_limit_and_diverges_above(problem, optimizer, momentum):
    x = np.column_stack([problem.x, np.ones_like(problem.x)]).astype(float)
    limit = 2 * (1 + momentum) / np.linalg.eigvalsh(2 / len(x) * x.T @ x)[1]
    if optimizer == "nesterov":
        limit /= 1 + 2 * momentum
    below, above = train(
        problem, [H(share * limit, optimizer, momentum) for share in (0.995, 1.005)], 3000
    )
    assert below.diagnosis.verdict == "converged"
    assert above.diagnosis.verdict == "diverging"
    assert above.losses[-1] > 1e3 * above.losses[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nadam", "optimizer 'nadam' is not in torch.optim; did you mean NAdam"),
        ("Optimizer", "optimizer 'Optimizer' is not in torch.optim"),
        ("lr_scheduler", "optimizer 'lr_scheduler' is not in torch.optim"),
        ("adma", "did you mean adam"),
    ],
)
def test_an_optimizer_that_torch_lacks_is_named_before_training(problem, name, said) -> None:
    heard = []
    with pytest.raises(InputError, match=said):
        train(problem, [H(0.1), H(0.1, name)], 2, lambda *of: heard.append(of))
    assert not heard


def test_records_that_do_not_fit_into_memory_are_refused() -> None:
    problem = Line.sample(points=1000)
    with pytest.raises(InputError, match=r"GB of memory; .* record_every=(\d+)$") as refused:
        train(problem, H(0.1, "adam", batch_size=1), epochs=10**6)
    every = int(str(refused.value).rsplit("=", 1)[1])
    assert every > 10
    with pytest.raises(InputError, match="whole number"):
        train(problem, H(0.1, "adam"), epochs=1.5)
