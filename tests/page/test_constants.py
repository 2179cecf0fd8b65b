"""What the page's constants mean: when a run has converged, and how fast epochs are shown."""

import re

import numpy as np
import pytest
from playwright.sync_api import Browser

from animate.film.timeline import timeline
from animate.page import script

DESCENT = """
([x, y, rate, start, epochs]) => {
  const data = {x: Float32Array.from(x), y: Float32Array.from(y)};
  const facts = factsOf(data);
  const run = train(data, rate, start, epochs);
  const {convergedAt} = diagnose(rate, run, facts);
  return {best: facts.best, slopes: [...run.slopes], biases: [...run.biases], convergedAt};
}
"""


@pytest.fixture(scope="module")
def compute(browser: Browser):
    """Return a function that runs one of the page's own in the browser."""
    opened = browser.new_page()
    modules = script("numbers", "random", "descent", "player", "state")

    def compute(function: str, argument: object):
        return opened.evaluate(
            f"(argument) => {{{modules}; return ({function})(argument);}}", argument
        )

    yield compute
    opened.close()


def descent(compute, problem, rate: float, start: list[float], epochs: int):
    """Return the page's epoch of convergence, the best weights, and the distance to them."""
    x = np.reshape(problem.x, (len(problem.y), -1))[:, 0]
    there = compute(DESCENT, [x.tolist(), problem.y.tolist(), rate, start, epochs])
    weights = np.stack([there["slopes"], there["biases"]], axis=1)
    return there["convergedAt"], there["best"], np.hypot(*(weights - there["best"]).T)


def test_a_run_has_converged_once_a_hundredth_of_the_distance_is_left(compute, problem) -> None:
    found, _, distance = descent(compute, problem, 0.01, [-1, 1], 1500)
    expected = int(np.flatnonzero(distance > 0.01 * distance[0])[-1]) + 1
    assert found == expected
    # This slow a run tells a hundredth from a little more and a little less.
    for other in (0.0097, 0.0103):
        assert expected != int(np.flatnonzero(distance > other * distance[0])[-1]) + 1


@pytest.mark.parametrize("away", [1e-4, 3e-4])
def test_from_a_near_start_it_need_come_no_nearer_than_float32_can_tell(
    compute, problem, away
) -> None:
    _, best, _ = descent(compute, problem, 0.05, [0, 0], 1)
    found, _, distance = descent(compute, problem, 0.05, [best[0] + away, best[1]], 400)
    near = 1e-5 * max(1, min(map(abs, best)))
    assert near > 0.01 * distance[0]
    assert found == int(np.flatnonzero(distance > near)[-1]) + 1
    assert 0 < found < 400


def moving(epochs: int) -> np.ndarray:
    """Return the epoch that each frame of the film shows, without the hold at its end."""
    hold = 0 if epochs <= 400 else 2  # in whose stead a longer film takes its time
    film = np.array(timeline(epochs, fps=25, hold=hold))
    return film[: len(film) - 25 * hold]


@pytest.mark.parametrize("epochs", [1, 5, 30, 100, 400, 401, 3000])
def test_the_page_plays_as_long_as_the_film_moves(compute, epochs) -> None:
    ends = compute("(epochs) => [...ends(epochs)]", epochs)
    assert len(ends) == epochs + 1
    assert ends[-1] == pytest.approx(len(moving(epochs)) / 25, abs=0.04)


@pytest.mark.parametrize("epochs", [300, 400, 401, 450, 3000])
def test_in_a_long_run_it_shows_each_epoch_when_the_film_does(compute, epochs) -> None:
    ends = compute("(epochs) => [...ends(epochs)]", epochs)
    shown = np.searchsorted(moving(epochs), np.arange(epochs), side="right") / 25
    np.testing.assert_allclose(ends[:-1], shown, atol=0.06)  # a frame and a half


def test_a_short_run_begins_as_slowly(compute) -> None:
    ends = compute("(epochs) => [...ends(epochs)]", 20)
    steps = np.diff([0, *ends])
    assert steps[:2].tolist() == pytest.approx([1, 0.48])
    extra = steps[1:] - 1 / 25
    np.testing.assert_allclose(extra[9:] / extra[:-9], np.exp(-1))


@pytest.mark.parametrize(
    ("seed", "is_one"),
    [("0", True), (str(2**64 - 1), True), (str(2**64), False), ("-1", False), ("1.5", False)],
)
def test_a_seed_is_what_torch_takes(compute, seed, is_one) -> None:
    assert compute("isSeed", seed) is is_one


def test_what_has_overflowed_is_drawn_no_farther_than_a_browser_can(open_page, overflowing) -> None:
    opened = open_page(overflowing, "#run=3&epoch=100")
    drawn = opened.eval_on_selector_all(
        "#panels svg *",
        "all => all.map((one) => ['d', 'x', 'y', 'x1', 'y1', 'x2', 'y2', 'cx', 'cy', 'points']"
        ".map((name) => one.getAttribute(name) ?? '').join(' ')).join(' ')",
    )
    numbers = [abs(float(text)) for text in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", drawn)]
    assert max(numbers) == 1e5


def test_the_chosen_runs_line_is_the_widest(open_page) -> None:
    for chosen in (1, 2, 3):
        opened = open_page("", f"#run={chosen}&epoch=100")
        widths = opened.eval_on_selector_all(
            "#loss [style*='--run']",
            "all => all.map((one) => [one.getAttribute('style').match(/--run(\\d)/)[1],"
            " Number(getComputedStyle(one).strokeWidth.replace('px', ''))])",
        )
        widest = max(width for _, width in widths)
        assert {int(run) + 1 for run, width in widths if width == widest} == {chosen}
