import numpy as np
import pytest

from animate import InputError
from animate.film.timeline import timeline


def test_the_default_film_shows_every_epoch_slowly_at_first_and_holds_its_end() -> None:
    frames = timeline(100)
    assert 8 * 25 <= len(frames) <= 14 * 25
    assert sorted(set(frames)) == list(range(101))
    stands = np.bincount(frames)
    assert stands[1] >= 10
    assert sum(stands[:9]) >= 3 * 25
    assert (np.diff(stands[:-1]) <= 1).all()  # rounded to whole frames
    assert stands[100] >= 50


@pytest.mark.parametrize("epochs", [1, 2, 3, 10, 100, 399, 400])
@pytest.mark.parametrize("fps", [10, 25, 50])
def test_up_to_400_epochs_each_is_shown_in_order(epochs, fps) -> None:
    frames = timeline(epochs, fps)
    assert list(dict.fromkeys(frames)) == list(range(epochs + 1))


@pytest.mark.parametrize("epochs", [401, 1500, 10_000])
def test_a_longer_run_is_sampled_to_stay_under_14_seconds(epochs) -> None:
    frames = timeline(epochs)
    assert len(frames) < 14 * 25
    assert (frames[0], frames[-1]) == (0, epochs)
    assert (np.diff(frames) >= 0).all()
    assert set(range(9)) <= set(frames)


@pytest.mark.parametrize("duration", [2.2, 5, 8, 12.48, 60])
@pytest.mark.parametrize("epochs", [1, 100, 5000])
def test_a_film_is_as_long_as_asked_to_the_frame(epochs, duration) -> None:
    frames = timeline(epochs, 25, hold=2, duration=duration)
    assert len(frames) == round(25 * duration)
    assert (frames[0], frames[-1]) == (0, epochs)
    assert (np.diff(frames) >= 0).all()


@pytest.mark.parametrize("hold", [0, 1, 3.5])
def test_the_end_stands_for_the_hold(hold) -> None:
    frames = timeline(100, 25, hold)
    assert frames.count(100) - 1 == round(25 * hold)


def test_a_film_too_short_for_its_hold_is_refused() -> None:
    with pytest.raises(InputError, match=r"give at least 2\.08 seconds"):
        timeline(100, 25, hold=2, duration=2)
