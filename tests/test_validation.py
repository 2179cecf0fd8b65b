"""Values at their bounds are taken; those just past them are refused, and the message says why."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from animate import InputError
from animate.system import validation


def two_rates(value: object) -> object:
    return validation.learning_rates([0.5, value])


def start(value: object) -> object:
    return validation.weights([value, 0], "start")


def side(value: object) -> object:
    return validation.size((value, 100))


def third(value: object) -> object:
    return validation.between(value, "share", least=0.25, most=0.75, unit=" of it")


def stride(value: object) -> object:
    return validation.whole(value, "stride", least=3)


def epoch(value: object) -> object:
    return validation.moment(value, 100)


def limit(value: object) -> object:
    return validation.byte_count(value, "limit")


def hold(value: object) -> object:
    return validation.seconds(value, "hold")


Check = Callable[[object], object]


@pytest.mark.parametrize(
    ("check", "value", "result"),
    [
        (third, 0.25, 0.25),
        (third, " 0.75 ", 0.75),
        (stride, 3, 3),
        (stride, "1000000", 1_000_000),
        (stride, np.int64(7), 7),
        (two_rates, "1e-300", (0.5, 1e-300)),
        (two_rates, 1e300, (0.5, 1e300)),
        (validation.points, 2, 2),
        (validation.points, 1_000_000, 1_000_000),
        (validation.epochs, 1, 1),
        (start, -1e6, (-1e6, 0)),
        (start, "1e6", (1e6, 0)),
        (side, 16, (16, 100)),
        (side, 16384, (16384, 100)),
        (validation.size, "1280X720", (1280, 720)),
        (validation.size, "641×361", (641, 361)),
        (validation.size, "4k", (3840, 2160)),
        (validation.size, np.array([640, 360]), (640, 360)),
        (validation.frame_rate, 1, 1),
        (validation.frame_rate, "29.97", 29.97),
        (validation.frame_rate, 120, 120),
        (limit, 1, 1),
        (limit, "100GB", 10**11),
        (limit, "1.5kb", 1500),
        (limit, "2 M", 2_000_000),
        (hold, 0, 0),
        (hold, 600, 600),
        (epoch, 0, 0),
        (epoch, "100", 100),
        (epoch, "end", "end"),
    ],
)
def test_what_is_within_bounds_is_taken(check: Check, value: object, result: object) -> None:
    assert check(value) == result


@pytest.mark.parametrize(
    ("check", "value", "said"),
    [
        (third, 0.2499, "share 0.2499 is out of bounds; give one from 0.25 to 0.75 of it"),
        (third, 0.7501, "share 0.7501 is out of bounds"),
        (third, "half", "share 'half' is not a number; give one from 0.25 to 0.75 of it"),
        (third, None, "share None is not a number"),
        (third, math.nan, "share nan is not a finite number"),
        (third, "1e400", "share '1e400' is not a finite number"),
        (stride, 2, "stride 2 is out of bounds; give a whole number, at least 3"),
        (stride, 3.0, "stride 3.0 is not a whole number; give a whole number, at least 3"),
        (stride, "1e3", "stride '1e3' is not a whole number"),
        (stride, True, "stride True is not a whole number"),
        (two_rates, 0, "learning rate 0 is not positive; give a positive number such as 0.1"),
        (two_rates, "-0.1", "learning rate '-0.1' is not positive"),
        (two_rates, "5e-1", "learning rate '5e-1' is given twice; give each rate once"),
        (validation.learning_rates, [], "no learning rate is given; give a positive number"),
        (
            validation.points,
            1,
            "number of points 1 is out of bounds; give a whole number, from 2 to",
        ),
        (validation.points, 1_000_001, "from 2 to 1000000"),
        (validation.epochs, 0, "number of epochs 0 is out of bounds"),
        (start, 1_000_001, "start 1000001 is out of bounds; give one from -1e+06 to 1e+06"),
        (start, "-1000001", "start '-1000001' is out of bounds"),
        (side, 15, "size 15x100 is out of bounds; give WIDTHxHEIGHT in pixels"),
        (side, 16385, "each side from 16 to 16384, or one of 720p, "),
        (validation.size, "1280", "size '1280' is not a size"),
        (validation.size, (1, 2, 3), "size (1, 2, 3) is not a size"),
        (validation.size, (640, 360.5), "size (640, 360.5) is not a size"),
        (validation.frame_rate, 0.99, "frame rate 0.99 is out of bounds; give one from 1 to 120"),
        (validation.frame_rate, 120.1, "frame rate 120.1 is out of bounds"),
        (limit, 0, "limit 0 is out of bounds; give a size such as 2MB or 500kB, at most 100GB"),
        (limit, "101GB", "limit '101GB' is out of bounds"),
        (limit, "2 miles", "limit '2 miles' is not a size in bytes; give a size such as 2MB"),
        (limit, "1.2.3MB", "limit '1.2.3' is not a number"),
        (hold, -0.1, "hold -0.1 is out of bounds; give one from 0 to 600 seconds"),
        (hold, 600.1, "hold 600.1 is out of bounds"),
        (epoch, 101, "epoch 101 is out of bounds; give a whole number, from 0 to 100, or one of"),
        (epoch, "begin", "epoch 'begin' is not a whole number; give a whole number, from 0 to 100"),
    ],
)
def test_what_is_not_is_refused_with_the_value_and_the_bounds(
    check: Check, value: object, said: str
) -> None:
    with pytest.raises(InputError) as refused:
        check(value)
    assert said in str(refused.value)


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3]])
def test_a_line_has_two_weights(values: list[int]) -> None:
    with pytest.raises(InputError, match=f"has {len(values)} numbers; give two"):
        validation.weights(values, "start")


@pytest.mark.parametrize("runs", [1, 7])
def test_as_many_epochs_as_the_message_says_fit_into_memory(runs: int) -> None:
    with pytest.raises(InputError, match=r"GB of memory; give at most (\d+) epochs") as refused:
        validation.epochs(10**12, runs=runs)
    most = int(str(refused.value).rsplit(" ", 2)[1])
    assert validation.epochs(most, runs=runs) == most
    with pytest.raises(InputError, match=f"{most + 1} epochs of {runs} run"):
        validation.epochs(most + 1, runs=runs)


def test_runs_take_memory_however_short_they_are() -> None:
    assert validation.epochs(1, runs=100_000) == 1
    with pytest.raises(InputError, match="give fewer runs"):
        validation.epochs(1, runs=1_000_000)


def test_an_unknown_choice_is_answered_with_the_nearest_and_with_all() -> None:
    assert validation.choice("high", "quality", validation.QUALITIES) == "high"
    with pytest.raises(InputError) as near:
        validation.choice("hihg", "quality", validation.QUALITIES)
    assert str(near.value) == (
        "quality 'hihg' is unknown; did you mean high? choose from low, medium, high"
    )
    with pytest.raises(InputError) as far:
        validation.choice(3, "quality", validation.QUALITIES)
    assert str(far.value) == "quality 3 is unknown; choose from low, medium, high"


def test_the_epochs_of_a_still_are_all_different_and_not_too_many() -> None:
    assert validation.moments(["start", 3, "converged"], 9) == ("start", 3, "converged")
    assert len(validation.moments(range(100), 200)) == 100
    for values, said in [
        ([], "no epoch is given; give one from 0 to 200"),
        ([4, "end", "4"], "epoch 4 is given twice"),
        (range(101), "101 epochs are too many; give at most 100"),
    ]:
        with pytest.raises(InputError, match=said):
            validation.moments(values, 200)


def test_a_value_is_shown_on_one_line_and_shortened_visibly() -> None:
    assert validation.quoted(" two\nlines ") == r"'two\nlines'"
    assert validation.quoted("x" * 78) == f"'{'x' * 78}'"
    long = validation.quoted("x" * 79)
    assert len(long) == 80
    assert long.endswith("...")
