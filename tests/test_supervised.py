"""PyTorch models as problems, against loops with `torch.optim` and closed forms."""

import math
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from animate import (
    Classifies,
    HasLoss,
    Hyperparameters,
    InputError,
    Predicts,
    Problem,
    Quadratic,
    Supervised,
    Trajectory,
    train,
)
from animate.system import validation
from animate.training.problem import NamesWeights, provides

H = Hyperparameters
RANDOM = np.random.default_rng(3)
X, Y = RANDOM.standard_normal((30, 3)), RANDOM.integers(0, 4, 30)
OTHER = RANDOM.standard_normal((9, 3)), RANDOM.integers(0, 4, 9)


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 4))


def noisy() -> nn.Module:
    """Return a model whose output depends on its mode, its buffers and the random state."""
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.4), nn.Linear(8, 4))


class Own(nn.Module):
    """A model of somebody's own, with a frozen parameter, a shared one, and one without use."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0), requires_grad=False)
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 4)
        self.last.weight = nn.Parameter(torch.eye(4))
        self.again = self.last
        self.unused = nn.Parameter(torch.ones(2, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * self.again(self.last(self.first(x).relu()))


def accuracy(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (output.argmax(1) == y).double().mean()


def mean(output: torch.Tensor, y: torch.Tensor) -> float:
    return output.mean().item() + y.double().mean().item()


def problem_of(make=mlp, **settings) -> Supervised:
    return Supervised(make, X, Y, **{"loss": functional.cross_entropy} | settings)


def trained(make, optimizer_of, epochs, batch=None, seed=0, model_seed=0, schedule=None):
    """Return weights, losses, accuracies, validation losses and batch losses of a plain loop."""
    outer = torch.get_rng_state()
    torch.manual_seed(model_seed)
    model = make()
    optimizer = optimizer_of(model.parameters())
    x, y = torch.tensor(X, dtype=torch.float32), torch.tensor(Y)
    vx, vy = torch.tensor(OTHER[0], dtype=torch.float32), torch.tensor(OTHER[1])
    order = torch.Generator().manual_seed(seed)
    scheduler = schedule and schedule(optimizer)
    rows = []

    def record(batch_loss: float) -> None:
        state = torch.get_rng_state()
        model.eval()
        with torch.no_grad():
            row = [torch.cat([p.flatten() for p in model.parameters()]).numpy().copy()]
            row += [functional.cross_entropy(model(x), y).item(), accuracy(model(x), y).item()]
            row += [functional.cross_entropy(model(vx), vy).item(), batch_loss]
        model.train()
        torch.set_rng_state(state)
        rows.append(row)

    torch.manual_seed(seed)
    record(math.nan)
    for _ in range(epochs):
        parts = torch.randperm(30, generator=order).split(batch) if batch else [slice(None)]
        for part in parts:
            loss = functional.cross_entropy(model(x[part]), y[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if scheduler:
                scheduler.step()
            record(loss.item())
    torch.set_rng_state(outer)
    return [np.array(column) for column in zip(*rows, strict=True)]


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.quick(2)
@pytest.mark.parametrize("batch", [None, 7])
@pytest.mark.parametrize("make", [mlp, noisy, Own])
def test_a_model_is_trained_as_by_a_plain_loop(make, batch) -> None:
    problem = problem_of(make, metrics={"accuracy": accuracy, "mean": mean}, validation=OTHER)
    (run,) = train(problem, H(0.05, "adam", batch_size=batch, seed=3), epochs=6)
    weights, losses, accuracies, validation_losses, batch_losses = trained(
        make, lambda w: torch.optim.Adam(w, lr=0.05), 6, batch, seed=3
    )
    np.testing.assert_array_equal(run.weights, weights)
    np.testing.assert_array_equal(run.losses, losses.astype(np.float32))
    np.testing.assert_array_equal(run.metrics["accuracy"], accuracies)
    np.testing.assert_array_equal(run.metrics["validation_loss"], validation_losses)
    if batch:
        np.testing.assert_array_equal(run.metrics["batch_loss"], batch_losses)
    names = ["accuracy", "mean", "validation_loss", "validation_accuracy", "validation_mean"]
    assert list(run.metrics) == names + ["batch_loss"] * bool(batch)
    assert run.weights.dtype == run.losses.dtype == np.float32


def test_buffers_are_recorded_and_predictions_are_those_of_their_record() -> None:
    x, y = RANDOM.standard_normal((12, 1)), RANDOM.standard_normal((12, 1))
    make = lambda: nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))  # noqa: E731
    problem = Supervised(make, x, y, loss=functional.mse_loss)
    (run,) = train(problem, H(0.1, batch_size=5), epochs=2, record_every=4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    order = torch.Generator().manual_seed(0)
    inputs, targets = torch.tensor(x).float(), torch.tensor(y).float()
    for _ in range(2):
        for rows in torch.randperm(12, generator=order).split(5):
            optimizer.zero_grad()
            functional.mse_loss(model(inputs[rows]), targets[rows]).backward()
            optimizer.step()
    assert run.steps.tolist() == [0, 4, 6]
    for name, buffer in model.named_buffers():
        np.testing.assert_array_equal(run.buffers[name][-1], buffer)
        assert not run.buffers[name].flags.writeable
    assert run.buffers["1.running_mean"].shape == (3, 4)
    model.eval()
    expected = model(inputs).detach()[:, 0]
    at_end = run.problem_at(-1)
    np.testing.assert_allclose(at_end.predict(run.weights[-1], x[:, 0]), expected, rtol=1e-6)
    assert not np.allclose(problem.predict(run.weights[-1], x[:, 0]), expected, rtol=1e-2)


def test_plain_descent_momentum_and_a_schedule_of_a_model() -> None:
    several = [H(0.1), H(0.1, momentum=0.9, schedule="cosine")]
    runs = train(problem_of(seed=5), several, epochs=9, record_every=2)
    oracles = [
        trained(mlp, lambda w: torch.optim.SGD(w, lr=0.1), 9, model_seed=5),
        trained(
            mlp,
            lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9),
            9,
            model_seed=5,
            schedule=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=9),
        ),
    ]
    for run, (weights, losses, *_) in zip(runs, oracles, strict=True):
        assert run.steps.tolist() == [0, 2, 4, 6, 8, 9]
        np.testing.assert_array_equal(run.weights, weights[run.steps])
        np.testing.assert_array_equal(run.losses, losses[run.steps].astype(np.float32))


@pytest.mark.parametrize("make", [mlp, noisy])
def test_runs_do_not_depend_on_each_other_or_on_a_listener(make) -> None:
    problem = problem_of(make)
    several = [H(0.1, batch_size=8), H(0.1, "adam"), H(0.2, seed=4)]
    heard = []
    together = train(problem, several, 4, lambda epoch, losses: heard.append((epoch, *losses)))
    for run, one in zip(together, several, strict=True):
        (alone,) = train(problem, one, epochs=4)
        np.testing.assert_array_equal(run.weights, alone.weights)
        np.testing.assert_array_equal(run.losses, alone.losses)
        np.testing.assert_array_equal(run.weights[0], problem.start)
    assert heard == [
        (epoch, *(run.losses[epoch * run.steps_per_epoch] for run in together))
        for epoch in range(5)
    ]


def test_metrics_and_buffers_of_a_run_are_read_only_and_go_to_other_processes() -> None:
    (run,) = train(problem_of(noisy, metrics={"accuracy": accuracy}), 0.1, epochs=2)
    for name, arrays in (("metrics", run.metrics), ("buffers", run.buffers)):
        assert arrays
        with pytest.raises(TypeError):
            arrays["mine"] = run.losses
        again = getattr(unpickled(pickle.dumps(run)), name)
        for key, values in arrays.items():
            assert not values.flags.writeable
            np.testing.assert_array_equal(again[key], values)


def test_neither_random_state_nor_model_nor_threads_change() -> None:
    made = []

    def make():
        made.append(noisy())
        return made[-1]

    torch.manual_seed(8)
    before = torch.get_rng_state()
    problem = problem_of(make, metrics={"drawn": lambda *_: torch.rand(1)})
    state = {name: value.clone() for name, value in made[0].state_dict().items()}
    train(problem, [H(0.1, batch_size=9), H(0.2)], epochs=2)
    problem.loss(problem.start)
    assert torch.equal(torch.get_rng_state(), before)
    assert len(made) == 1
    for model in (made[0], problem.model):
        assert all(module.training for module in model.modules())
        for name, value in model.state_dict().items():
            assert torch.equal(value, state[name])


def test_a_module_is_trained_in_the_mode_that_it_comes_in() -> None:
    def make():
        model = noisy()
        model[1].eval()  # a frozen BatchNorm
        return model

    (run,) = train(problem_of(make), 0.1, epochs=3)
    torch.manual_seed(0)
    model = make()
    x, y = torch.tensor(X, dtype=torch.float32), torch.tensor(Y)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    torch.manual_seed(0)
    for _ in range(3):
        optimizer.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    np.testing.assert_array_equal(run.weights[-1], weights)


def test_weights_are_all_parameters_in_order_and_data_are_views() -> None:
    problem = problem_of(Own)
    torch.manual_seed(0)
    expected = torch.cat([p.detach().flatten() for p in Own().parameters()]).numpy()
    np.testing.assert_array_equal(problem.start, expected)
    (run,) = train(problem, 0.1, epochs=2)
    assert run.weights[:, 0].tolist() == [2, 2, 2]  # has no gradient
    assert run.weights[-1, 1:3].tolist() == [1, 1]  # not used by the model
    assert np.shares_memory(problem.x, X)
    for array in (problem.x, problem.y, problem.start, run.weights, run.losses):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("make", [mlp, noisy, Own])
def test_the_loss_at_any_weights_is_the_recorded_one(make) -> None:
    (run,) = train(problem_of(make), 0.1, epochs=4)
    problem = run.problem
    if make is not noisy:  # whose buffers have changed on the way
        np.testing.assert_array_equal(problem.loss(run.weights), run.losses)
        assert run.problem_at(2) is problem
    for record, weights in enumerate(run.weights):
        assert run.problem_at(record).loss(weights) == run.losses[record]
    by_hand = Trajectory(run.weights, problem=problem, buffers=run.buffers)
    np.testing.assert_array_equal(by_hand.losses, run.losses)
    many = np.stack([run.weights[:2], run.weights[2:4]])
    losses = problem.loss(many)
    assert (losses.shape, losses.dtype) == ((2, 2), np.float64)
    assert problem.loss(run.weights[0]).shape == ()
    again = Trajectory(run.weights, problem=problem)
    np.testing.assert_array_equal(again.losses, problem.loss(run.weights))
    with pytest.raises(InputError, match=r"give shape \(\.\.\., "):
        problem.loss([1.0, 2.0])


def test_the_torch_loss_has_the_gradient_and_hessian_of_the_model() -> None:
    x, y = RANDOM.standard_normal((12, 1)), RANDOM.standard_normal((12, 1))
    problem = Supervised(lambda: nn.Linear(1, 1).double(), x, y, loss=functional.mse_loss)
    at = torch.tensor(problem.start)
    gradient = torch.func.grad(problem.torch_loss)(at)
    hessian = torch.func.jacrev(torch.func.grad(problem.torch_loss))(at)
    design = np.column_stack([x, np.ones(12)])
    np.testing.assert_allclose(hessian, 2 / 12 * design.T @ design)
    residual = design @ problem.start - y[:, 0]
    np.testing.assert_allclose(gradient, 2 / 12 * design.T @ residual)


def test_a_model_of_one_input_predicts() -> None:
    x, y = RANDOM.standard_normal((12, 1)), RANDOM.standard_normal((12, 1))
    for inputs, targets in ((x, y), (x, y[:, 0])):
        if targets.ndim == 1:
            make = lambda: nn.Sequential(nn.Linear(1, 1), nn.Flatten(0))  # noqa: E731
        else:
            make = lambda: nn.Linear(1, 1)  # noqa: E731
        problem = Supervised(make, inputs, targets, loss=functional.mse_loss)
        assert provides(problem, Predicts)
        assert not provides(problem, Classifies)
        lines = problem.predict([[[2, 1], [0.5, 0]]], [0, 1, 4])
        assert lines.dtype == np.float64
        np.testing.assert_array_equal(lines, [[[1, 3, 9], [0, 0.5, 2]]])
        np.testing.assert_array_equal(problem.predict([2, 1], [3]), [7])


def test_a_classifier_of_two_inputs_has_scores() -> None:
    x, y = RANDOM.standard_normal((12, 2)), RANDOM.integers(0, 3, 12)
    problem = Supervised(lambda: nn.Linear(2, 3, bias=False), x, y, loss=functional.cross_entropy)
    assert provides(problem, Classifies)
    assert not provides(problem, Predicts)
    scores = problem.class_scores([[1, 0, 0, 1, 1, 1], [0] * 6], [[2, 3], [-1, 0]])
    np.testing.assert_array_equal(scores, [[[2, 3, 5], [-1, 0, -1]], np.zeros((2, 3))])


@pytest.mark.parametrize(
    ("loss", "threshold"),
    [
        (functional.binary_cross_entropy_with_logits, 0),
        (nn.BCEWithLogitsLoss(), 0),
        (lambda output, y: ((output - y) ** 2).mean(), None),
    ],
)
def test_two_classes_with_one_output_have_scores_where_the_loss_is_known(loss, threshold) -> None:
    x, y = RANDOM.standard_normal((12, 2)), RANDOM.integers(0, 2, (12, 1)).astype(float)
    problem = Supervised(lambda: nn.Linear(2, 1, bias=False), x, y, loss=loss)
    assert provides(problem, Classifies) is (threshold is not None)
    if threshold is not None:
        scores = problem.class_scores([1, -1], [[3, 1], [0, 5]])
        assert scores.argmax(axis=-1).tolist() == [1, 0]
        np.testing.assert_array_equal(scores, [[0, 2], [0, -5]])


def test_what_a_problem_offers_is_what_its_model_has() -> None:
    problem = problem_of()
    assert provides(problem, Problem)
    assert provides(problem, HasLoss)
    for lacking in (Predicts, Classifies, Quadratic):
        assert not provides(problem, lacking)


@pytest.mark.parametrize(
    ("dtype", "recorded"),
    [
        (torch.float64, np.float64),
        (torch.float32, np.float32),
        (torch.float16, np.float16),
        (torch.bfloat16, np.float32),
    ],
)
def test_weights_have_the_models_dtype(dtype, recorded) -> None:
    problem = problem_of(lambda: mlp().to(dtype))
    (run,) = train(problem, 0.1, epochs=3)
    assert problem.start.dtype == run.weights.dtype == run.losses.dtype == recorded
    model, x, y = mlp, torch.tensor(X), torch.tensor(Y)
    torch.manual_seed(0)
    model = mlp().to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        functional.cross_entropy(model(x.to(dtype)), y).backward()
        optimizer.step()
    expected = torch.cat([p.detach().flatten() for p in model.parameters()]).double()
    np.testing.assert_array_equal(run.weights[-1].astype(float), expected)
    np.testing.assert_array_equal(problem.loss(run.weights[1:2]), run.losses[1:2])


def test_tensors_lists_and_whole_numbers_are_taken_as_data() -> None:
    embedding = Supervised(
        lambda: nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 4)),
        torch.randint(0, 5, (7, 2)),
        [0, 1, 2, 3, 0, 1, 2],
        loss=functional.cross_entropy,
    )
    assert embedding.inputs.dtype == embedding.targets.dtype == torch.int64
    assert (embedding.x.shape, embedding.y.shape) == ((7, 2), (7,))
    train(embedding, H(0.1, "adagrad", batch_size=3), epochs=2)
    half = problem_of(lambda: mlp().bfloat16(), validation=(torch.tensor(X).bfloat16(), Y))
    assert half.inputs.dtype == torch.bfloat16
    assert list(train(half, 0.1, 1)[0].metrics) == ["validation_loss"]


def test_a_loss_that_is_nan_from_the_start_is_an_overflow_and_no_error() -> None:
    for loss in (lambda output, y: functional.cross_entropy(output, y) * math.nan, nan_at_once):
        (run,) = train(problem_of(loss=loss), 0.1, epochs=3)
        assert run.diagnosis.verdict == "diverging"
        assert run.diagnosis.overflowed_at == 0
        assert np.isinf(run.losses).all()


def nan_at_once(output: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    return (output[:, 0] * 0 / 0).mean()


def test_a_problem_can_go_to_another_process() -> None:
    problem = problem_of(Own, metrics={"accuracy": accuracy}, validation=OTHER)
    copy = unpickled(pickle.dumps(problem))
    for one in (problem, copy):
        (run,) = train(one, H(0.1, batch_size=10), epochs=2)
        np.testing.assert_array_equal(unpickled(pickle.dumps(run)).weights, run.weights)
    x = RANDOM.standard_normal((4, 1))
    line = unpickled(
        pickle.dumps(Supervised(lambda: nn.Linear(1, 1), x, x, loss=functional.mse_loss))
    )
    np.testing.assert_array_equal(line.predict([1, 2], [3]), [5])
    assert not provides(line, NamesWeights)


def unpickled(data: bytes) -> object:
    return pickle.loads(data)  # noqa: S301


def complex_model() -> nn.Module:
    model = nn.Linear(3, 4)
    model.phase = nn.Parameter(torch.zeros(2, dtype=torch.complex64))
    return model


def frozen() -> nn.Module:
    return mlp().requires_grad_(False)


def fails() -> nn.Module:
    raise RuntimeError("made by hand")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"make": nn.Tanh}, "has no parameters"),
        ({"make": frozen}, "no parameter of the model requires a gradient"),
        ({"make": complex_model}, "parameter phase is complex64; only real"),
        ({"make": lambda: nn.LazyLinear(4)}, "parameter weight has no shape yet"),
        ({"make": lambda: None}, "make_model returns a NoneType, not a torch.nn.Module"),
        ({"make": mlp()}, "make_model is a Sequential; give a function"),
        ({"make": lambda: nn.Linear(2, 4)}, r"loss cannot be computed for x of shape \(30, 3\)"),
        ({"make": lambda: nn.LSTM(3, 4), "loss": lambda o, _: o[0].mean()}, "returns a tuple, not"),
        ({"loss": 3}, "loss 3 cannot be called"),
        ({"loss": lambda *_: 0.5}, "the loss returns a float; return a scalar"),
        ({"loss": lambda o, _: o}, r"a tensor of shape \(30, 4\) and dtype float32"),
        ({"loss": accuracy}, "the loss has no gradient"),
        ({"metrics": [accuracy]}, "are not a mapping of names to functions"),
        ({"metrics": {"accuracy": 1}}, "metric accuracy 1 cannot be called"),
        ({"metrics": {"batch_loss": accuracy}}, "has a name that training itself uses"),
        ({"metrics": {"loss": accuracy}}, "has a name that training itself uses"),
        ({"metrics": {"validation_loss": accuracy}}, "has a name that training itself uses"),
        ({"validation": X}, "validation is not a pair"),
        ({"validation": (X, Y[:3])}, r"validation x has shape \(30, 3\) and validation y \(3,\)"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_training(settings, said) -> None:
    with pytest.raises(InputError, match=said):
        problem_of(**settings)


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (X, Y[:5], r"x has shape \(30, 3\) and y \(5,\)"),
        (X[:0], Y[:0], "give at least one point"),
        (1.0, Y, "give at least one point"),
        ([["a", "b"]], [1], "x of dtype <U1 cannot be used"),
        (X.astype(complex), Y, "x of dtype complex128"),
    ],
)
def test_data_that_cannot_be_used_are_named(x, y, said) -> None:
    with pytest.raises(InputError, match=said):
        Supervised(mlp, x, y, loss=functional.cross_entropy)


def test_an_error_of_somebodys_own_is_theirs() -> None:
    with pytest.raises(RuntimeError, match="made by hand"):
        problem_of(fails)


def test_a_model_too_large_to_record_is_refused_with_the_memory(monkeypatch) -> None:
    problem = problem_of()
    size = problem.start.size
    monkeypatch.setattr(validation, "MEMORY_LIMIT", 100 * size * 4)
    with pytest.raises(InputError, match=f"of 1 run of {size} weights would take .* GB") as refused:
        train(problem, 0.1, epochs=1000)
    every = int(str(refused.value).rsplit("=", 1)[1])
    train(problem, 0.1, epochs=1000, record_every=every)
    with pytest.raises(InputError, match="record_every"):
        train(problem, 0.1, epochs=1000, record_every=every - 1)
    monkeypatch.setattr(validation, "MEMORY_LIMIT", 1)
    with pytest.raises(InputError, match="give fewer runs or a smaller model"):
        train(problem, [0.1, 0.2], epochs=1)
