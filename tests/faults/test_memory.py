"""Rows 16 and 22: memory does not grow with the length of a film."""

import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from command import fake_ffmpeg

from animate import Animation, InputError, Line, train
from animate.film.encode import FORMATS, encode
from animate.film.encode.ffmpeg import FRAMES_AHEAD
from animate.system import validation

OUTPUTS = ["a/" if suffix == "/" else f"a{suffix}" for suffix in FORMATS]


class Census:
    """How many of the frames that it hands out are alive."""

    def __init__(self) -> None:
        self._alive: weakref.WeakSet[Frame] = weakref.WeakSet()
        self.most = 0

    def count(self, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        for frame in frames:
            counted = frame.view(Frame)
            del frame
            self._alive.add(counted)
            self.most = max(self.most, len(self._alive))
            yield counted
            del counted


class Frame(np.ndarray):
    """A frame that can be told from another of the same pixels."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__  # type: ignore[assignment]


def frames(count: int) -> Iterator[np.ndarray]:
    for number in range(count):
        frame = np.zeros((16, 32, 4), np.uint8)
        frame[..., 3] = 255
        frame[number % 16, number // 16 % 32, :3] = 200
        yield frame


@pytest.mark.quick(2)
@pytest.mark.parametrize("output", OUTPUTS)
def test_the_frames_alive_do_not_grow_with_the_film_even_if_ffmpeg_is_slow(
    tmp_path_factory, monkeypatch, output: str
) -> None:
    away = tmp_path_factory.mktemp("away")
    # It begins to read only when there have been as many frames as will ever wait.
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", fake_ffmpeg(away, "sleep 0.2"))
    most = []
    for count in (100, 400):
        census = Census()
        encode(census.count(frames(count)), f"{tmp_path_factory.mktemp('here')}/{output}", 25)
        most.append(census.most)
    assert most[1] <= FRAMES_AHEAD + 16 + 4  # those that wait, the palette's sample, those in hand
    assert most[1] <= most[0] + 2


def test_the_frames_of_an_animation_are_not_kept() -> None:
    runs = train(Line.sample(seed=11), [0.7], epochs=300)
    film = Animation(runs, ["data"], (640, 360), timeline=range(0, 300, 10))
    alive: list[weakref.ref[np.ndarray]] = []
    for frame in film.frames():
        alive.append(weakref.ref(frame))
        del frame
        assert sum(reference() is not None for reference in alive) <= 2
    assert len(alive) == 30


def test_a_longer_run_has_no_more_frames_to_keep() -> None:
    from animate.film.timeline import timeline

    assert len(timeline(5_000)) <= len(timeline(400))


@pytest.mark.parametrize(("epochs", "runs"), [(10**12, 1), (10**9, 1), (2 * 10**7, 12)])
def test_what_cannot_fit_into_memory_is_refused_at_once_with_what_it_would_take(
    epochs: int, runs: int
) -> None:
    with pytest.raises(InputError, match=r"GB of memory; give at most \d+ epochs") as refused:
        validation.epochs(epochs, runs=runs)
    most = int(str(refused.value).split("at most ")[1].split()[0])
    assert validation.epochs(most, runs=runs) == most


def test_trajectories_take_what_is_said() -> None:
    (run,) = train(Line.sample(seed=11), [0.7], epochs=1000)
    assert run.weights.nbytes + run.losses.nbytes == 1001 * 3 * 4
