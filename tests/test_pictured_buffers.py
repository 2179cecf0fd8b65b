"""A network with BatchNorm is drawn with the running means of the record that is shown."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from animate import Hyperparameters, Supervised, train
from animate.drawing.scene import Scene

RANDOM = np.random.default_rng(0)
SETTINGS = Hyperparameters(0.05, batch_size=8)


def at_record(run, record: int, inputs: int, outputs: int) -> nn.Module:
    """Return the model with the weights and buffers of a record, loaded by torch alone."""
    model = network(inputs, outputs)
    nn.utils.vector_to_parameters(torch.tensor(run.weights[record]), model.parameters())
    for name, buffer in model.named_buffers():
        buffer.copy_(torch.tensor(run.buffers[name][record]))
    return model.eval()


def network(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, outputs))


def test_the_curve_is_that_of_the_model_at_its_record() -> None:
    x = RANDOM.uniform(-1, 1, (30, 1))
    problem = Supervised(lambda: network(1, 1), x, np.sin(3 * x), loss=functional.mse_loss)
    (run,) = train(problem, SETTINGS, epochs=10)
    scene = Scene(run, ["fit"], (640, 360))
    for record in (0, 7, len(run.steps) - 1):
        scene.draw(run.times[record])
        (curve,) = (line for line in scene.figure.axes[0].lines if line.get_zorder() == 4)
        drawn = torch.tensor(np.array(curve.get_xdata()), dtype=torch.float32)[:, None]
        with torch.no_grad():
            expected = at_record(run, record, 1, 1)(drawn)[:, 0]
        np.testing.assert_allclose(curve.get_ydata(), expected, atol=1e-5)


def test_the_boundary_is_where_the_scores_of_its_record_are_equal() -> None:
    x = RANDOM.standard_normal((40, 2))
    y = (x[:, 0] > 0.2 * x[:, 1]).astype(int)
    problem = Supervised(lambda: network(2, 2), x, y, loss=functional.cross_entropy)
    (run,) = train(problem, SETTINGS, epochs=10)
    scene = Scene(run, ["boundary"], (640, 360))
    for record in (12, len(run.steps) - 1):
        scene.draw(run.times[record])
        segments = next(
            collection.get_segments()
            for collection in scene.figure.axes[0].collections
            if collection.get_zorder() == 4
        )
        points = torch.tensor(np.concatenate(segments), dtype=torch.float32)
        assert len(points) > 20
        with torch.no_grad():
            scores = at_record(run, record, 2, 2)(points)
        np.testing.assert_allclose(scores[:, 0], scores[:, 1], atol=0.02)
