"""A recorder writes down what a loop does, and changes nothing of it."""

import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from animate import (
    Animation,
    HasLoss,
    InputError,
    OutputError,
    Recorder,
    Trajectory,
    from_checkpoints,
    load,
)

X = torch.linspace(-1, 1, 24)[:, None]
Y = torch.sin(3 * X)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny sums are much slower in several, on a busy machine
    yield
    torch.set_num_threads(threads)


def network(seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(1, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 1))


def vector(model: nn.Module) -> np.ndarray:
    return np.concatenate([one.detach().numpy().ravel().copy() for one in model.parameters()])


def loss_of(model: nn.Module) -> torch.Tensor:
    return mse_loss(model(X), Y)


def eval_loss(model: nn.Module) -> float:
    """Return the loss in eval mode, the plain way."""
    model.eval()
    with torch.no_grad():
        loss = loss_of(model).item()
    model.train()
    return loss


def train_steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int):
    for _ in range(count):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        optimizer.step()
        yield loss.item()


@pytest.mark.parametrize("with_path", [False, True])
def test_what_is_recorded_is_what_a_loop_sees(tmp_path, with_path) -> None:
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    path = tmp_path / "run.rec" if with_path else None
    recorder = Recorder(model, loss_of, optimizer=optimizer, label="Adam", path=path)
    seen = [(vector(model), eval_loss(model), 0.1, np.nan, model[1].running_mean.numpy().copy())]
    for number, _ in enumerate(train_steps(model, optimizer, 6)):
        schedule.step()
        rate = schedule.get_last_lr()[0]
        recorder.record(accuracy=torch.tensor(number / 8))
        mean = model[1].running_mean.numpy().copy()
        seen.append((vector(model), eval_loss(model), rate, number / 8, mean))
        run = recorder.trajectory  # in the middle too
        assert len(run.steps) == len(seen)
    weights, losses, rates, accuracy, means = map(np.array, zip(*seen, strict=True))
    assert run.steps.tolist() == [*range(7)]
    assert run.weights.dtype == np.float32
    np.testing.assert_array_equal(run.weights, weights)
    np.testing.assert_allclose(run.losses, losses, rtol=1e-6)
    np.testing.assert_array_equal(run.lrs, rates)
    np.testing.assert_array_equal(run.metrics["accuracy"], accuracy)
    np.testing.assert_array_equal(run.buffers["1.running_mean"], means)
    assert (run.label, run.has_own_label, run.hyperparameters, run.epochs) == (
        "Adam", True, None, None
    )  # fmt: skip
    assert run.diagnosis.basis == "losses"
    assert recorder.trajectory is run


def test_training_is_the_same_bits_with_a_recorder() -> None:
    def trained(record: bool) -> np.ndarray:
        torch.manual_seed(4)
        random.seed(4)
        np.random.seed(4)
        model = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
        model[1].eval()  # frozen, as people do
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

        def noisy(model: nn.Module) -> torch.Tensor:
            noise = torch.randn(()) + random.gauss() + np.random.rand()
            return loss_of(model) + 0 * noise

        recorder = Recorder(model, noisy, optimizer=optimizer) if record else None
        for _ in train_steps(model, optimizer, 10):
            if recorder:
                recorder.record()
            assert [one.training for one in model] == [True, False, True, True]
            assert torch.is_grad_enabled()
        state = [tensor.numpy().ravel() for tensor in model.state_dict().values()]
        others = [torch.rand(3).numpy(), [random.gauss()], np.random.rand(2)]
        return np.concatenate([*state, *others])

    np.testing.assert_array_equal(trained(True), trained(False))


class Shared(nn.Module):
    """One layer under two names, and one parameter in two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(1, 4), nn.Linear(4, 4)
        self.again, self.other = self.last, nn.Linear(4, 4)
        self.other.weight = self.last.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.other(self.again(self.last(self.first(x).tanh()))).sum(1, keepdim=True)


def test_a_model_with_shared_layers_keeps_its_parameters() -> None:
    model = Shared()
    before = [(name, id(one)) for name, one in model.named_parameters(remove_duplicate=False)]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = Recorder(model, loss_of, optimizer=optimizer)
    losses = [eval_loss(model)]
    for _ in train_steps(model, optimizer, 3):
        recorder.record()
        losses.append(eval_loss(model))
    after = [(name, id(one)) for name, one in model.named_parameters(remove_duplicate=False)]
    assert after == before
    run = recorder.trajectory
    np.testing.assert_allclose(run.losses, losses, rtol=1e-6)
    np.testing.assert_allclose(run.problem.loss(run.weights), losses, rtol=1e-6)


def test_a_loss_that_raises_leaves_the_model_and_the_records_as_they_were() -> None:
    model = network()
    calls = []

    def loss(model: nn.Module) -> float:
        calls.append(1)
        model[1].running_mean.add_(1)  # in place, on a copy
        torch.rand(1)
        if len(calls) == 2:
            raise ZeroDivisionError
        return 1.0

    recorder = Recorder(model, loss)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        recorder.record()
    assert all(torch.equal(before[name], one) for name, one in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert all(module.training for module in model.modules())
    assert all(isinstance(one, nn.Parameter) for one in model.parameters())
    assert recorder.trajectory.steps.tolist() == [0]
    recorder.record()
    assert recorder.trajectory.steps.tolist() == [0, 2]  # the call that failed was a step


def test_steps_are_the_optimizers_or_calls_or_given() -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = Recorder(model, optimizer=optimizer)
    for _ in range(3):
        list(train_steps(model, optimizer, 4))
        recorder.record()
    assert recorder.trajectory.steps.tolist() == [0, 4, 8, 12]
    calls = Recorder(model, lr=0.5)
    for _ in range(3):
        calls.record()
    assert calls.trajectory.steps.tolist() == [0, 1, 2, 3]
    assert calls.trajectory.lrs.tolist() == [0.5] * 4
    given = Recorder(model, steps_per_epoch=10)
    for step in (5, 20):
        given.record(step=step)
    assert given.trajectory.steps.tolist() == [0, 5, 20]
    assert given.trajectory.times.tolist() == [0, 0.5, 2]
    assert np.isnan(given.trajectory.lrs).all()
    with pytest.raises(InputError, match="step 20 is not after step 20"):
        given.record(step=20)


def test_records_are_at_least_every_steps_apart() -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = Recorder(model, optimizer=optimizer, every=20)
    for _ in train_steps(model, optimizer, 45):
        recorder.record()
    assert recorder.trajectory.steps.tolist() == [0, 20, 40]
    epochs = Recorder(model, optimizer=optimizer, every=20)
    for _ in range(5):
        list(train_steps(model, optimizer, 15))
        epochs.record()
    assert epochs.trajectory.steps.tolist() == [0, 30, 60]


@pytest.mark.parametrize("with_path", [False, True])
def test_a_second_call_at_a_step_adds_its_numbers(tmp_path, with_path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    path = tmp_path / "run.rec" if with_path else None
    recorder = Recorder(model, optimizer=optimizer, path=path)
    recorder.record(accuracy=0.25)
    (loss,) = train_steps(model, optimizer, 1)
    recorder.record(loss=loss)
    recorder.record(accuracy=0.5)
    recorder.record()
    run = recorder.trajectory
    assert run.steps.tolist() == [0, 1]
    assert run.metrics["accuracy"].tolist() == [0.25, 0.5]
    np.testing.assert_array_equal(run.losses, [np.nan, loss])
    np.testing.assert_array_equal(run.weights[1], vector(model))


def test_rates_of_groups_that_differ_are_unknown() -> None:
    model = network()
    groups = [{"params": model[0].parameters()}, {"params": model[3].parameters(), "lr": 0.2}]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    recorder = Recorder(model, optimizer=optimizer)
    assert np.isnan(recorder.trajectory.lrs).all()
    optimizer.param_groups[1]["lr"] = 0.1
    optimizer.step()
    recorder.record()
    assert recorder.trajectory.lrs.tolist()[1] == 0.1


def test_losses_given_evaluated_and_overflowed() -> None:
    model = nn.Linear(1, 1)
    values = iter([float("nan"), 3.0])
    recorder = Recorder(model, lambda: torch.tensor([next(values)]))  # of no arguments
    recorder.record(loss=torch.tensor(2.0, requires_grad=True))
    recorder.record(loss=float("nan"))  # which means that it is missing
    recorder.record()
    np.testing.assert_array_equal(recorder.trajectory.losses, [np.inf, 2, np.nan, 3])
    assert recorder.trajectory.diagnosis.overflowed_at == 0


def test_dtypes_are_the_models_and_bfloat16_becomes_float32() -> None:
    for dtype, expected in (
        (torch.float64, np.float64), (torch.float16, np.float16), (torch.bfloat16, np.float32)
    ):  # fmt: skip
        model = network().to(dtype)
        run = Recorder(model).trajectory
        assert run.weights.dtype == expected
        flat = torch.cat([one.detach().flatten() for one in model.parameters()])
        np.testing.assert_array_equal(run.weights[0].astype(np.float64), flat.double().numpy())


def test_a_record_of_one_parameter_is_a_copy() -> None:
    model = nn.Linear(3, 1, bias=False)
    recorder = Recorder(model)
    before = vector(model)
    with torch.no_grad():
        model.weight.zero_()
    np.testing.assert_array_equal(recorder.trajectory.weights[0], before)


class Growing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 1)


@pytest.mark.parametrize("with_path", [False, True])
def test_a_model_that_changes_is_refused_at_the_call(tmp_path, with_path) -> None:
    model = Growing()
    recorder = Recorder(model, path=tmp_path / "run.rec" if with_path else None)
    model.head = nn.Linear(4, 1)
    with pytest.raises(InputError, match=r"has 5 weights .* had 3"):
        recorder.record()
    assert recorder.trajectory.weights.shape == (1, 3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: Recorder("model"), "not a torch.nn.Module"),
        (lambda _: Recorder(nn.ReLU()), "has no parameters"),
        (lambda _: Recorder(nn.ParameterList([torch.zeros(2) * 1j])), "complex64"),
        (lambda _: Recorder(nn.LazyLinear(1)), "has no shape yet"),
        (lambda model: Recorder(model, 0.5), "loss 0.5 is not a function"),
        (lambda model: Recorder(model, pow), "loss takes"),
        (lambda model: Recorder(model, lambda m: m(X)), r"shape \(24, 1\).*the mean"),
        (lambda model: Recorder(model, lambda _: "low"), "'low' is not a number"),
        (lambda model: Recorder(model, lambda _: None), "None is not a number"),
        (lambda model: Recorder(model, every=0), "every 0 is out of bounds"),
        (lambda model: Recorder(model, lr=-1), "not positive"),
        (lambda model: Recorder(model, steps_per_epoch=1.5), "not a whole number"),
        (lambda model: Recorder(model, optimizer="sgd"), "is not a torch.optim.Optimizer"),
        (
            lambda model: Recorder(model, optimizer=torch.optim.SGD(network().parameters(), 0.1)),
            "none of the model's parameters",
        ),
        (lambda model: Recorder(model).record(loss=torch.ones(3)), r"loss has shape \(3,\)"),
        (lambda model: Recorder(model).record(accuracy="high"), "metric accuracy 'high'"),
        (lambda model: Recorder(model).record(step=-1), "step -1"),
        (lambda model: Recorder(model).record(step=1.5), "step 1.5 is not a whole"),
    ],
)
def test_what_cannot_be_recorded_is_said_at_the_call(make, said: str) -> None:
    with pytest.raises(InputError, match=said):
        make(network())


# Files that grow


def test_a_recording_is_whole_when_its_process_is_killed(tmp_path) -> None:
    code = """
        import sys, torch, animate
        model = torch.nn.Linear(50_000, 1)
        with torch.no_grad():
            model.weight.fill_(0.0)
        recorder = animate.Recorder(model, path=sys.argv[1])
        step = 0
        while True:
            step += 1
            with torch.no_grad():
                model.weight.fill_(float(step))
            recorder.record(loss=step, accuracy=step / 2)
            print(step, flush=True)
    """
    path = tmp_path / "run.rec"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", textwrap.dedent(code), path],
        stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    for line in process.stdout:
        if int(line) == 20:
            break
    time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    last = int(([line, *process.stdout])[-1])
    process.wait()
    process.stdout.close()
    run = load(path)
    assert len(run.steps) >= last + 1
    assert run.steps.tolist() == [*range(len(run.steps))]
    np.testing.assert_array_equal(run.weights[:, :-1], run.steps[:, None] * np.ones(50_000))
    np.testing.assert_array_equal(run.losses[1:], run.steps[1:])
    np.testing.assert_array_equal(run.metrics["accuracy"][1:], run.steps[1:] / 2)


def recording(path: Path, count: int = 3) -> Trajectory:
    recorder = Recorder(network(), lambda m: loss_of(m), path=path, label="a", steps_per_epoch=2)
    for _ in range(count):
        recorder.record(accuracy=0.5)
    return recorder.trajectory


def test_a_torn_last_record_is_dropped_wherever_it_is_torn(tmp_path) -> None:
    path = tmp_path / "run.rec"
    run = recording(path)
    data = path.read_bytes()
    frame = (len(data) - len(recording_of_one(tmp_path))) // 3
    for torn in [1, 8, frame // 2, frame - 40, frame - 1]:
        path.write_bytes(data[:-torn])
        again = load(path)
        np.testing.assert_array_equal(again.weights, run.weights[:3])
    path.write_bytes(data[: -frame // 2] + bytes(frame // 2))  # space without the data
    np.testing.assert_array_equal(load(path).weights, run.weights[:3])
    path.write_bytes(data[: len(data) - 4 * frame + 5])
    with pytest.raises(InputError, match="no whole record"):
        load(path)
    path.write_bytes(data[: len(data) - 4 * frame - 150])
    with pytest.raises(InputError, match="damaged"):
        load(path)
    wrong = bytearray(data)
    wrong[len(data) - 3 * frame + 10] ^= 1
    path.write_bytes(wrong)
    with pytest.raises(InputError, match="record 1 is damaged"):
        load(path)


def recording_of_one(folder: Path) -> bytes:
    recording(folder / "one.rec", 0)
    return (folder / "one.rec").read_bytes()


def test_a_recordings_weights_are_a_memory_map(tmp_path) -> None:
    run = recording(tmp_path / "run.rec")
    base = run.weights
    while not isinstance(base, np.memmap) and base is not None:
        base = base.base
    assert isinstance(base, np.memmap)
    assert (run.label, run.steps_per_epoch) == ("a", 2)
    assert not run.weights.flags.writeable


@pytest.mark.slow
def test_a_full_disk_is_said_and_what_was_recorded_is_whole(tmp_path) -> None:
    code = """
        import resource, sys, torch, animate
        model = torch.nn.Linear(10_000, 1)
        recorder = animate.Recorder(model, path=sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))
        for step in range(2):
            recorder.record()
        for attempt in range(2):
            try:
                recorder.record()
            except animate.OutputError as error:
                print(error)
        assert len(recorder.trajectory.steps) == 3
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        recorder.record()
    """
    path = tmp_path / "run.rec"
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(code), path],
        capture_output=True, text=True, check=True
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert first.startswith(f"the record of step 3 was not written to {path}: disk full")
    assert "step 4" in second
    assert load(path).steps.tolist() == [0, 1, 2, 5]


def test_a_file_that_exists_is_kept(tmp_path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("hours,score\n")
    with pytest.raises(InputError, match="is another file, and is kept"):
        Recorder(network(), path=path)
    assert path.read_text() == "hours,score\n"
    with pytest.raises(OutputError, match="is not a folder"):
        Recorder(network(), path=path / "run.rec")
    recording(tmp_path / "run.rec", 5)
    with pytest.raises(InputError, match="is an earlier recording, and is kept"):
        Recorder(network(), path=tmp_path / "run.rec")
    assert len(load(tmp_path / "run.rec").steps) == 6
    with pytest.raises(ZeroDivisionError):
        Recorder(network(), lambda: 1 / 0, path=tmp_path / "other.rec")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data.csv", "run.rec"]


def test_too_many_metrics_for_a_recording_are_refused(tmp_path) -> None:
    recorder = Recorder(network(), path=tmp_path / "run.rec")
    with pytest.raises(InputError, match="300 metrics take"):
        recorder.record(**{f"metric_{number}": number for number in range(300)})
    assert recorder.trajectory.steps.tolist() == [0]


# The loss at any weights


def test_with_loss_gives_the_loss_at_any_weights() -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = Recorder(model, optimizer=optimizer, label="mine")
    states = [{name: one.clone() for name, one in model.state_dict().items()}]
    for _ in train_steps(model, optimizer, 4):
        recorder.record()
        states.append({name: one.clone() for name, one in model.state_dict().items()})
    run = recorder.trajectory
    assert not isinstance(run.problem, HasLoss)
    other = network(1)
    before = vector(other)
    again = run.with_loss(other, loss_of)
    assert isinstance(again.problem, HasLoss)
    assert again.label == "mine"
    recorded, expected = [], []
    buffers = {name: one for name, one in states[-1].items() if "running" in name}
    for record, state in enumerate(states):
        model.load_state_dict(state)
        recorded.append(eval_loss(model))
        at_record = again.problem_at(record).loss(run.weights[record])
        np.testing.assert_allclose(at_record, recorded[-1], rtol=1e-6)
        model.load_state_dict({**state, **buffers})
        expected.append(eval_loss(model))
    np.testing.assert_allclose(again.losses, recorded, rtol=1e-6)
    grid = np.stack([run.weights, 2 * run.weights])
    assert again.problem.loss(grid).shape == (2, 5)
    np.testing.assert_allclose(again.problem.loss(grid)[0], expected, rtol=1e-6)
    assert again.problem.loss(run.weights[0]).shape == ()
    np.testing.assert_array_equal(vector(other), before)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: nn.Linear(1, 5), r"buffer .* is not one of this model"),
        (lambda: nn.Sequential(nn.Linear(2, 5), nn.BatchNorm1d(5), nn.Linear(5, 1)),
         "26 weights, and the model has 31"),
    ],
)  # fmt: skip
def test_another_models_loss_is_refused(make, said) -> None:
    with pytest.raises(InputError, match=said):
        Recorder(network()).trajectory.with_loss(make(), loss_of)


def test_a_run_without_weights_takes_no_loss() -> None:
    with pytest.raises(InputError, match="no weights"):
        Trajectory(None, [2.0, 1.0]).with_loss(network(), loss_of)


# Checkpoints


def test_checkpoints_become_one_run(tmp_path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    paths, weights, losses = [], [], []
    wrap = [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 1},
        lambda state: {"model_state_dict": state, "optimizer": optimizer.state_dict()},
        lambda state: {"model": {f"module.{name}": one for name, one in state.items()}},
    ]
    for number, _ in enumerate(train_steps(model, optimizer, 4)):
        paths.append(tmp_path / f"{number}.pt")
        torch.save(wrap[number](model.state_dict()), paths[-1])
        weights.append(vector(model))
        losses.append(eval_loss(model))
    state = torch.get_rng_state()
    run = from_checkpoints(network, paths, loss=loss_of, steps=[1, 2, 3, 4])
    assert torch.equal(state, torch.get_rng_state())
    np.testing.assert_array_equal(run.weights, weights)
    np.testing.assert_allclose(run.losses, losses, rtol=1e-6)
    assert run.steps.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(run.problem.loss(run.weights[-1]), losses[-1], rtol=1e-6)
    assert from_checkpoints(network, paths[0]).steps.tolist() == [0]


def test_checkpoints_that_cannot_be_used_are_named(tmp_path) -> None:
    path = tmp_path / "a.pt"
    with pytest.raises(InputError, match="no checkpoint is given"):
        from_checkpoints(network, [])
    with pytest.raises(InputError, match=r"a.pt cannot be read"):
        from_checkpoints(network, [path])
    path.write_text("text")
    with pytest.raises(InputError, match=r"a.pt cannot be read as a checkpoint"):
        from_checkpoints(network, [path])
    torch.save(network(), path)  # a pickle of a class, which could run anything
    with pytest.raises(InputError, match="weights_only=True"):
        from_checkpoints(network, [path])
    torch.save({"epoch": 3}, path)
    with pytest.raises(InputError, match="no state_dict"):
        from_checkpoints(network, [path])
    torch.save(nn.Linear(2, 3).state_dict(), path)
    with pytest.raises(InputError, match="of another model"):
        from_checkpoints(network, [path])
    with pytest.raises(InputError, match="1 checkpoints and 2 steps"):
        from_checkpoints(network, [path], steps=[1, 2])


# A script that somebody has


def test_three_added_lines_give_a_film(tmp_path) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(200, 64, generator=generator)
    digits = (images[:, :10] + 0.1 * images[:, 10:20]).argmax(dim=1)
    runs = []
    for rate in (0.001, 0.01):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=rate)
        recorder = Recorder(
            model, lambda model: cross_entropy(model(images), digits), optimizer=optimizer,
            label=f"Adam, {rate}", steps_per_epoch=4,
        )  # fmt: skip
        for _epoch in range(5):
            for batch in torch.randperm(200).split(50):
                optimizer.zero_grad()
                cross_entropy(model(images[batch]), digits[batch]).backward()
                optimizer.step()
                accuracy = (model(images).argmax(dim=1) == digits).float().mean()
                recorder.record(accuracy=accuracy)
        runs.append(recorder.trajectory)
    film = Animation(runs, size=(900, 500))
    assert film.scene.clock.unit == "epoch"
    film.save(tmp_path / "end.png", at=5)
    assert (tmp_path / "end.png").stat().st_size > 10_000
    assert [run.diagnosis.verdict for run in runs] == ["converging", "converging"]


@pytest.mark.parametrize("with_path", [False, True])
def test_an_optimizer_that_does_not_step_while_the_weights_change_is_said_once(
    tmp_path, with_path
) -> None:
    model = network()
    idle = torch.optim.SGD(model.parameters(), lr=0.1)
    path = tmp_path / "run.rec" if with_path else None
    recorder = Recorder(model, loss_of, optimizer=idle, path=path)
    recorder.record(accuracy=0.5)  # the same weights: nothing to say
    steps = train_steps(model, torch.optim.Adam(model.parameters()), 2)
    next(steps)
    with pytest.warns(UserWarning, match="no step since step 0") as caught:
        recorder.record()
    assert [one.filename for one in caught] == [__file__]
    next(steps)
    recorder.record()  # which would raise, for warnings are errors
