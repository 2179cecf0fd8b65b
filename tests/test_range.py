import numpy as np
import pytest

from animate import Hyperparameters, InputError, Trajectory, train
from animate.training.range_test import range_test

SETTINGS = Hyperparameters(10.0, schedule="range")


def run_of(losses: np.ndarray) -> Trajectory:
    lrs = np.geomspace(1e-4, 100, len(losses))
    return Trajectory(None, losses, hyperparameters=SETTINGS, lrs=lrs)


def test_the_steepest_fall_and_the_rise_of_a_curve_are_found() -> None:
    log = np.linspace(-4, 2, 201)
    losses = 1 - 0.8 / (1 + np.exp(-6 * (log + 1))) + np.exp(8 * (log - 1))
    found = range_test(run_of(losses))
    assert found.suggested_lr == pytest.approx(0.1, rel=0.1)
    halfway = (losses[0] + losses.min()) / 2
    at = max(np.flatnonzero(losses < halfway)) + 1
    assert found.diverging_lr == pytest.approx(10 ** log[at - 1])
    spike = losses.copy()
    spike[170] += 50
    assert range_test(run_of(spike)).suggested_lr == pytest.approx(0.1, rel=0.1)


def test_an_overflow_diverges_and_a_loss_that_never_falls_suggests_nothing() -> None:
    found = range_test(run_of(np.array([1.0, 0.5, 2, np.inf, np.inf])))
    assert found.diverging_lr == pytest.approx(10**-2.5)
    rising = range_test(run_of(np.array([1.0, 2, 3])))
    assert (rising.suggested_lr, rising.diverging_lr) == (None, pytest.approx(1e-4))
    falling = range_test(run_of(np.array([3.0, 2, 1])))
    assert falling.diverging_lr is None


def test_the_line_diverges_past_its_limit(problem) -> None:
    (run,) = train(problem, SETTINGS, epochs=1000)
    found = range_test(run)
    assert problem.stability_limit < found.diverging_lr < 2 * problem.stability_limit
    assert found.suggested_lr < problem.stability_limit
    np.testing.assert_allclose(found.lrs, 1e-4 * 1e6 ** (np.arange(1000) / 999))
    np.testing.assert_array_equal(found.losses, run.losses[1:])


def test_what_is_no_range_test_is_refused(runs) -> None:
    with pytest.raises(InputError, match="is not a range test"):
        range_test(runs[0])
    with pytest.raises(InputError, match="fewer than two steps"):
        range_test(run_of(np.array([1.0, 2])))
