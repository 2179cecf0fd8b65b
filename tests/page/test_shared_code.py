"""The page and Python share constants, and return the same results for the same inputs."""

import re
from collections.abc import Callable
from importlib import resources
from typing import Any

import numpy as np
import pytest

import animate.page
from animate.drawing import pacing
from animate.film.timeline import timeline
from animate.page.assembly import CONSTANTS
from animate.system import defaults, numbers
from animate.training.diagnosis import (
    CONVERGENCE_TOLERANCE,
    FLOAT32_FLOOR,
    epochs_to_converge,
    relative_distances,
)

VALUES = [
    sign * mantissa * 10.0**power
    for sign in (1, -1)
    for mantissa in (1, 1.2345678, 2.5, 0.5, 9.99949, 9.9995, 9.99999)
    for power in range(-8, 33)
] + [0.0, -0.0, 0.125, 0.375, 2.5, 12.5, 0.00005, 25000.0, 99.995, 9999.5]
SIZES = [abs(value) for value in VALUES]
DISTANCES = [
    [4.0, 1.0, 0.03, 0.01],
    [4.0, 0.01, 1.0, 0.02, 0.03],
    [1.0, 0.99 * CONVERGENCE_TOLERANCE],
    [1.0, CONVERGENCE_TOLERANCE],
    [1.0, 1.01 * CONVERGENCE_TOLERANCE],
    [0.0, 0.0],
    [0.0, 2.0],
    [2.0, 8.0, float("inf"), float("inf")],
    [1e-4, 2.99 * FLOAT32_FLOOR, 1.01 * FLOAT32_FLOOR, 0.99 * FLOAT32_FLOOR],
    [2 * FLOAT32_FLOOR, 3.01 * FLOAT32_FLOOR, 2.99 * FLOAT32_FLOOR],
]
BEST_WEIGHTS = [[3.0, 2.5], [-3.0, 40.0], [0.1, 0.2]]
VECTORS: dict[Callable[..., Any], list[tuple]] = {
    numbers.value_text: [(value,) for value in [*VALUES, float("inf"), float("nan")]],
    numbers.coordinate_text: [(value,) for value in [*VALUES, float("inf"), float("nan")]],
    numbers.line_equation: [(value, -value) for value in [*VALUES, float("inf")]],
    # The share left after an overflow is not shown.
    numbers.share_text: [(size,) for size in SIZES if size < 1e18],
    numbers.limit_text: [(limit, value) for limit in (0.9985142, 3.16612e-6) for value in VALUES],
    numbers.count_text: [(count, unit) for count in (0, 1, 20) for unit in ("epoch", "step")],
    epochs_to_converge: [(some, best) for some in DISTANCES for best in BEST_WEIGHTS],
    relative_distances: [(some,) for some in DISTANCES],
}

TAKES_ARRAYS = {epochs_to_converge, relative_distances}


def in_javascript(name: str) -> str:
    """
    Return the JavaScript name of a Python function.

    >>> in_javascript("relative_distances")
    'relativeDistances'
    """
    return re.sub("_(.)", lambda match: match[1].upper(), name)


@pytest.mark.parametrize("function", VECTORS, ids=lambda function: function.__name__)
def test_a_function_of_the_page_returns_what_python_returns(compute, function) -> None:
    vectors = VECTORS[function]
    call = f"{in_javascript(function.__name__)}(...vector)"
    results = compute(
        f"(vectors) => vectors.map((vector) => {{ const result = {call};"
        " return ArrayBuffer.isView(result) ? [...result] : result; })",
        vectors,
    )
    for vector, result in zip(vectors, results, strict=True):
        expected = (
            function(*map(np.asarray, vector)) if function in TAKES_ARRAYS else function(*vector)
        )
        np.testing.assert_array_equal(result, expected, err_msg=str(vector))


def test_a_learning_rate_is_written_with_the_digits_of_python(compute) -> None:
    texts = compute("(sizes) => sizes.map(rateText)", SIZES)
    for size, text in zip(SIZES, texts, strict=True):
        assert float(text) == float(numbers.rate_texts([size])[0])


def test_the_page_is_given_every_constant_that_it_declares() -> None:
    source = resources.files(animate.page).joinpath("constants.d.ts").read_text()
    assert re.findall(r"^export const (\w+)", source, re.MULTILINE) == list(CONSTANTS)


def moving(epochs: int) -> np.ndarray:
    """Return the epoch that each frame of the film shows, without the hold at its end."""
    # A film of more epochs counts the hold in its length.
    hold = 0 if epochs <= pacing.MOST_MOMENTS else defaults.HOLD
    film = np.array(timeline(epochs, fps=25, hold=hold))
    return film[: len(film) - round(25 * hold)]


@pytest.mark.parametrize("epochs", [1, 5, 30, 100, 400, 401, 3000])
def test_the_page_plays_as_long_as_the_film_moves(compute, epochs) -> None:
    ends = compute("(epochs) => [...endTimes(epochs)]", epochs)
    assert len(ends) == epochs + 1
    assert ends[-1] == pytest.approx(len(moving(epochs)) / 25, abs=0.04)


@pytest.mark.parametrize("epochs", [300, 400, 401, 450, 3000])
def test_a_long_run_shows_each_epoch_when_the_film_does(compute, epochs) -> None:
    ends = compute("(epochs) => [...endTimes(epochs)]", epochs)
    shown = np.searchsorted(moving(epochs), np.arange(epochs), side="right") / 25
    np.testing.assert_allclose(ends[:-1], shown, atol=0.06)  # a frame and a half


def test_a_short_run_has_the_same_slow_start(compute) -> None:
    ends = compute("(epochs) => [...endTimes(epochs)]", 20)
    steps = np.diff([0, *ends])
    expected = [pacing.START_SECONDS, pacing.FIRST_STEP_SECONDS]
    assert steps[:2].tolist() == pytest.approx(expected)
    extra = steps[1:] - 1 / pacing.STEADY_PACE
    decay = pacing.SLOW_START_DECAY
    np.testing.assert_allclose(extra[decay:] / extra[:-decay], np.exp(-1))


@pytest.mark.parametrize(
    ("seed", "is_valid"),
    [("0", True), (str(2**64 - 1), True), (str(2**64), False), ("-1", False), ("1.5", False)],
)
def test_a_seed_is_valid_where_torch_takes_it(compute, seed, is_valid) -> None:
    assert compute("isSeed", seed) is is_valid
