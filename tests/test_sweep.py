"""Sweeps, against torch.optim's own steps, the closed form, and `animate.train`."""

import resource

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import animate
from animate import InputError, Line, Supervised, sweep, train
from animate.training.sweep import Grid, plan_sweep
from animate.training.sweeps import one_hidden_layer, vmapped
from animate.training.sweeps.tiles import tile_size

H = animate.Hyperparameters
LINE = Line.sample(11)
OPTIMIZERS = [H(0.1), H(0.1, momentum=0.5), H(0.1, "nesterov", 0.9), H(0.1, "adam")]


def data(points: int = 12, inputs: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(points, inputs, generator=generator, dtype=torch.float64),
        torch.randn(points, 1, generator=generator, dtype=torch.float64),
    )


def network(*layers: nn.Module, loss=functional.mse_loss, dtype=torch.float64) -> Supervised:
    return Supervised(lambda: nn.Sequential(*layers).to(dtype), *data(), loss=loss)


MODELS = {
    "one hidden layer": network(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)),
    "no biases, ReLU": network(
        nn.Linear(3, 8, bias=False), nn.ReLU(), nn.Linear(8, 1, bias=False), loss=nn.MSELoss()
    ),
    "linear": network(nn.Linear(3, 8), nn.Identity(), nn.Linear(8, 1)),
    "the fractal's": animate.problems.fractal(4),
    "two hidden layers": network(
        nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 1)
    ),
    "another loss": network(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), loss=functional.l1_loss),
}


def make_optimizer(settings: H, groups: list[dict]) -> torch.optim.Optimizer:
    if settings.optimizer == "adam":
        return torch.optim.Adam(groups)
    return torch.optim.SGD(
        groups, momentum=settings.effective_momentum, nesterov=settings.optimizer == "nesterov"
    )


def loop(problem: Supervised, settings: H, steps: int, rates: dict[str, float]) -> list[float]:
    """Return the losses before each step and at the end, of torch.optim alone."""
    model = problem.copy_model()
    groups = [
        {"params": [one], "lr": rates.get(name, settings.lr)}
        for name, one in model.named_parameters()
    ]
    optimizer, losses = make_optimizer(settings, groups), []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        loss = problem.loss_function(model(problem.inputs), problem.targets)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return losses


@pytest.mark.quick(8)
@pytest.mark.parametrize("settings", OPTIMIZERS, ids=lambda one: one.optimizer + str(one.momentum))
@pytest.mark.parametrize("name", MODELS)
def test_steps_are_those_of_torch_optim(name, settings) -> None:
    problem, lrs = MODELS[name], [0.003, 0.03, 0.2]
    for steps in (1, 3):
        grid = sweep(problem, lrs=lrs, epochs=steps, fixed=settings)
        for index, lr in enumerate(lrs):
            losses = loop(problem, H(lr, settings.optimizer, settings.momentum), steps, {})
            assert grid.final_loss[index] == pytest.approx(losses[-1], rel=1e-9)
            assert grid.loss_sum[index] == pytest.approx(sum(losses[:-1]), rel=1e-9)
            assert grid.tail_loss[index] == pytest.approx(np.mean(losses[:-1]), rel=1e-9)
            assert grid.first_loss[index] == pytest.approx(losses[0], rel=1e-12)
            inverse = sum(1 / loss for loss in losses[:-1])
            assert grid.inverse_loss_sum[index] == pytest.approx(inverse, rel=1e-9)


def test_the_fast_way_is_taken_by_the_models_that_it_fits() -> None:
    by_hand = {name for name, one in MODELS.items() if one_hidden_layer.architecture(one)}
    assert by_hand == set(MODELS) - {"two hidden layers", "another loss"}


def test_a_float32_step_is_within_a_millionth_of_torchs() -> None:
    problem = network(
        nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), dtype=torch.float32
    )  # fmt: skip
    for settings in OPTIMIZERS:
        grid = sweep(problem, lrs=[0.01, 0.1], epochs=1, fixed=settings)
        for index, lr in enumerate((0.01, 0.1)):
            losses = loop(problem, H(lr, settings.optimizer, settings.momentum), 1, {})
            assert grid.final_loss[index] == pytest.approx(losses[-1], rel=1e-6)


def test_each_parameter_may_have_its_own_rate() -> None:
    problem = MODELS["one hidden layer"]
    axes = {"lr.0.weight": [0.01, 0.2], "lr.2.bias": [0.05, 0.5, 0.7]}
    grid = sweep(problem, axes, 4, fixed=H(0.02))
    assert grid.final_loss.shape == (2, 3)
    for i, first in enumerate(axes["lr.0.weight"]):
        for j, second in enumerate(axes["lr.2.bias"]):
            rates = {"0.weight": first, "2.bias": second}
            assert grid.final_loss[i, j] == pytest.approx(loop(problem, H(0.02), 4, rates)[-1])


@pytest.mark.quick(2)
@pytest.mark.parametrize("settings", OPTIMIZERS, ids=lambda one: one.optimizer + str(one.momentum))
@pytest.mark.parametrize("batch_size", [None, 30])
def test_a_line_ends_as_it_does_in_train(settings, batch_size) -> None:
    lrs = [0.003, 0.05, 0.2, 0.6, 1.4, 2.9]
    fixed = H(0.1, settings.optimizer, settings.momentum, batch_size=batch_size, seed=3)
    grid = sweep(LINE, lrs=lrs, epochs=60, fixed=fixed)
    several = [
        H(lr, settings.optimizer, settings.momentum, batch_size=batch_size, seed=3) for lr in lrs
    ]
    for index, run in enumerate(train(LINE, several, epochs=60)):
        assert animate.VERDICTS[grid.verdict[index]] == run.diagnosis.verdict
        at = run.diagnosis.converged_at
        assert grid.converged_at[index] == (-1 if at is None else at)
        loss = float(run.losses[-1])
        loss = np.inf if np.isnan(loss) else loss  # as an overflow may be in train
        assert grid.final_loss[index] == pytest.approx(loss, rel=2e-3)


def test_mini_batches_of_a_network_are_those_of_train() -> None:
    problem, fixed = MODELS["one hidden layer"], H(0.1, batch_size=5, seed=4)
    grid = sweep(problem, lrs=[0.01, 0.1], epochs=3, fixed=fixed)
    runs = train(problem, [H(lr, batch_size=5, seed=4) for lr in (0.01, 0.1)], epochs=3)
    for index, run in enumerate(runs):
        assert grid.final_loss[index] == pytest.approx(run.losses[-1], rel=1e-9)
        assert grid.loss_sum[index] == pytest.approx(run.metrics["batch_loss"][1:].sum(), rel=1e-9)


def test_the_start_may_be_an_axis() -> None:
    grid = sweep(LINE, {"start.0": [-1.0, 3.0], "start.1": [1.0, 2.0]}, 100, fixed=H(0.1))
    for i, slope in enumerate((-1.0, 3.0)):
        for j, bias in enumerate((1.0, 2.0)):
            (run,) = train(Line(LINE.x, LINE.y, start=(slope, bias)), [0.1], epochs=100)
            assert grid.converged_at[i, j] == run.diagnosis.converged_at
    problem = MODELS["one hidden layer"]
    moved = sweep(problem, {"start.4": [float(problem.start[4]), 2.0]}, 3, fixed=H(0.1))
    assert moved.final_loss[0] == pytest.approx(loop(problem, H(0.1), 3, {})[-1])
    assert moved.final_loss[1] != moved.final_loss[0]


@pytest.mark.quick(1)
@pytest.mark.parametrize("optimizer", ["sgd", "nesterov"])
def test_rate_and_momentum_diverge_from_the_limit_of_theory_on(optimizer) -> None:
    rates, momenta = np.geomspace(0.3, 3, 80), np.linspace(0.02, 0.98, 50)
    grid = sweep(LINE, {"lr": rates, "momentum": momenta}, 4000, fixed=H(1, optimizer, 0.5))
    factor = 2 * (1 + momenta) / (1 + 2 * momenta if optimizer == "nesterov" else 1)
    limit = factor / LINE.curvatures[-1]
    relative = rates[:, None] / limit
    clear = np.abs(relative - 1) > 1e-9
    diverging = grid.verdict == animate.VERDICTS.index("diverging")
    np.testing.assert_array_equal(diverging[clear], (relative > 1)[clear])
    # By the numbers alone: what diverges has grown, and what does not has come to the optimum.
    assert (grid.final_loss[relative > 1.02] > grid.first_loss[relative > 1.02]).all()
    assert (grid.final_loss[relative < 0.98] < 1.001 * LINE.best_loss).all()


def test_rates_of_slope_and_bias_diverge_where_a_loop_does() -> None:
    axes = {"lr.slope": np.geomspace(0.1, 9, 14), "lr.bias": np.geomspace(0.1, 3, 13)}
    grid = sweep(LINE, axes, 3000)
    diverging = grid.verdict == animate.VERDICTS.index("diverging")
    for i, slope in enumerate(axes["lr.slope"]):
        for j, bias in enumerate(axes["lr.bias"]):
            step = np.eye(2) - np.diag([slope, bias]) @ LINE.hessian
            radius = np.abs(np.linalg.eigvals(step)).max()
            assert diverging[i, j] == (radius > 1)


def test_optimizers_may_be_an_axis() -> None:
    grid = sweep(LINE, {"optimizer": ["sgd", "adam"], "lr": [0.1, 0.7]}, 50)
    assert grid.axes["optimizer"].tolist() == ["sgd", "adam"]
    alone = sweep(LINE, lrs=[0.1, 0.7], epochs=50, fixed=H(1, "adam"))
    np.testing.assert_array_equal(grid.final_loss[1], alone.final_loss)


@pytest.mark.slow  # 50 loops of 100 steps
def test_random_runs_of_the_network_end_as_in_a_loop() -> None:
    problem = animate.problems.fractal(4)
    random = np.random.default_rng(0)
    for _ in range(50):
        rates = dict(zip(("input", "output"), 10 ** random.uniform(-3, 4, 2), strict=True))
        grid = sweep(problem, {f"lr.{name}": [rate] for name, rate in rates.items()}, 100)
        losses = loop(problem, H(1.0), 100, rates)
        if np.isfinite(losses).all() and abs(losses[-1] / losses[0] - 1) < 0.2:
            continue  # near the boundary, where rounding decides
        expected = "converging" if losses[-1] < losses[0] else "diverging"
        assert animate.VERDICTS[grid.verdict[0, 0]] == expected


def test_a_run_does_not_depend_on_what_else_is_swept() -> None:
    lrs = np.geomspace(0.01, 2, 5000)
    whole, part = sweep(LINE, lrs=lrs, epochs=20), sweep(LINE, lrs=lrs[4500:4510], epochs=20)
    np.testing.assert_array_equal(whole.final_loss[4500:4510], part.final_loss)


def test_memory_does_not_grow_with_epochs() -> None:
    sweep(LINE, lrs=np.geomspace(0.01, 2, 1000), epochs=10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sweep(LINE, lrs=np.geomspace(0.01, 2, 1000), epochs=3000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB


def test_a_grid_is_read_only_and_its_file_holds_all_of_it(tmp_path) -> None:
    grid = sweep(LINE, {"lr": [0.1, 5.0], "optimizer": ["sgd", "adam"]}, 30)
    assert (grid.converged_at.dtype, grid.verdict.dtype) == (np.int64, np.uint8)
    with pytest.raises(ValueError, match="read-only"):
        grid.final_loss[0, 0] = 0
    grid.save(tmp_path / "grid.npz")
    again = Grid.load(tmp_path / "grid.npz")
    assert list(again.axes) == ["lr", "optimizer"]
    assert (again.fixed, again.epochs) == (grid.fixed, grid.epochs)
    for name in ("converged_at", "verdict", "final_loss", "loss_sum", "tail_loss"):
        np.testing.assert_array_equal(getattr(again, name), getattr(grid, name))
    (tmp_path / "other.npz").write_bytes(b"no grid")
    with pytest.raises(InputError, match="not a file of a grid"):
        Grid.load(tmp_path / "other.npz")


def test_an_overflow_is_a_result() -> None:
    grid = sweep(LINE, lrs=[5.0, 1e30], epochs=100)
    assert grid.final_loss.tolist() == [np.inf, np.inf]
    assert grid.converged_at.tolist() == [-1, -1]
    assert repr(grid) == "Grid(2 lr: 2 diverging)"


@pytest.mark.parametrize(
    ("axes", "fixed", "said"),
    [
        ({"lr": [0.1], "momentum": [0.5], "seed": [1]}, None, "not one axis or two"),
        ({"rate": [0.1]}, H(0.1), "axis 'rate' is unknown"),
        ({"lr": [0.1, -1]}, None, "axis lr has the value -1; give positive numbers"),
        ({"lr": [0.1, 0.1]}, None, "has 0.1 twice"),
        ({"lr": []}, None, "give at least one value"),
        ({"lr": ["a"]}, None, "not a number"),
        ({"momentum": [0.5, 1.0]}, H(0.1), "axis momentum has the value 1"),
        ({"momentum": [0.5]}, None, "no learning rate is given"),
        ({"momentum": [0.5]}, H(0.1, "adam"), "optimizer adam takes no momentum"),
        ({"lr": [0.1]}, H(0.1, "rmsprop"), "optimizer rmsprop cannot be swept"),
        ({"lr": [0.1]}, H(0.1, schedule="cosine"), "the cosine schedule cannot be swept"),
        ({"lr.slope": [0.1]}, None, "no learning rate is given for bias"),
        ({"lr.weight": [0.1]}, H(0.1), "parameter 'weight' is unknown; choose from slope, bias"),
        ({"start.2": [0.1]}, H(0.1), "weight of the start '2' is out of bounds"),
        ({"start.0": [np.nan]}, H(0.1), "axis start.0 has the value nan"),
    ],
)
def test_an_axis_that_cannot_be_swept_is_refused(axes, fixed, said) -> None:
    with pytest.raises(InputError, match=said):
        sweep(LINE, axes, 10, fixed=fixed)


@pytest.mark.parametrize("module", [nn.Dropout(0.5), nn.BatchNorm1d(8)])
def test_a_model_that_cannot_be_batched_is_refused_by_name(module) -> None:
    problem = network(nn.Linear(3, 8), module, nn.Linear(8, 1))
    with pytest.raises(InputError, match=f"{type(module).__name__}.*cannot be swept"):
        sweep(problem, lrs=[0.1, 0.2], epochs=2)


def test_tiles_have_one_shape_and_hold_each_run_once() -> None:
    problem = MODELS["two hidden layers"]
    size = tile_size(problem)
    assert size == vmapped.batch_size(problem)
    axes = {"lr": np.linspace(0.1, 1, 50), "seed": [0, 1, 2]}
    tiles = list(plan_sweep(problem, axes, 2).tiles())
    assert {len(tile) for tile in tiles} == {size}
    places = np.concatenate([tile.places for tile in tiles])
    assert sorted(places.tolist()) == list(range(150))
