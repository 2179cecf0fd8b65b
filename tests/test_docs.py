"""The code in docs/ does what its text says."""

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import torch

DOCS = Path(__file__).parent.parent / "docs"


def test_the_lightning_callback_records_every_twentieth_batch(monkeypatch) -> None:
    lightning = ModuleType("lightning.pytorch")
    lightning.Callback = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lightning", ModuleType("lightning"))
    monkeypatch.setitem(sys.modules, "lightning.pytorch", lightning)
    (code,) = re.findall(
        r"```python\n(from lightning.*?)```", (DOCS / "recording.md").read_text(), re.DOTALL
    )
    names: dict[str, type] = {}
    exec(compile(code, "recording.md", "exec"), names)
    callback, model = names["Record"](), torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    trainer = SimpleNamespace(optimizers=[optimizer])
    callback.on_train_start(trainer, model)
    losses = []
    for index in range(45):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 1)).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        callback.on_train_batch_end(trainer, model, {"loss": loss.detach()}, None, index)
    run = callback.recorder.trajectory
    assert run.steps.tolist() == [0, 20, 40]
    np.testing.assert_array_equal(run.losses[1:], np.float32([losses[19], losses[39]]))
    assert run.lrs.tolist() == [0.1] * 3


def test_the_sweeps_are_as_their_page_says(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", (DOCS / "sweeps.md").read_text(), re.DOTALL):
        exec(compile(code, "sweeps.md", "exec"), names)
    assert (tmp_path / "map.png").stat().st_size > 10_000
    assert names["grid"].converged_at.shape == (300, 200)  # type: ignore[attr-defined]
