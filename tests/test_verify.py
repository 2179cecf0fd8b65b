"""--verify accepts numbers that another processor may compute, and no others."""

import json

import pytest


def weight(contents: dict, factor: float) -> None:
    contents["runs"][0]["weights"][5][0] *= factor


def loss(contents: dict, factor: float) -> None:
    contents["runs"][0]["losses"][5] *= factor


def height(contents: dict, factor: float) -> None:
    contents["problem"]["y"][5] *= factor


@pytest.mark.quick(3)
@pytest.mark.parametrize("change", [weight, loss, height])
@pytest.mark.parametrize(
    ("by", "holds"), [(0.0, True), (3e-5, True), (-3e-5, True), (2e-3, False), (-1e-2, False)]
)
def test_numbers_may_differ_by_float32_rounding_only(run, tmp_path, change, by, holds):
    path = tmp_path / "run.json"
    assert run("--lrs", "0.7", "--epochs", "12", "-o", "run.json", "--quiet").code == 0
    contents = json.loads(path.read_text())
    change(contents, 1 + by)
    path.write_text(json.dumps(contents))
    done = run("--verify", "run.json")
    assert done.code == (0 if holds else 1)
    if holds:
        assert ("to the last bit" in done.err) == (by == 0)
    else:
        assert "not what the settings make now" in done.err
