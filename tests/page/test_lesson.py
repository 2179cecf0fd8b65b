"""What the page teaches with: layouts, links, tasks, tries, a wider x, and optimizers by hand."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from animate import Hyperparameters, Line, train
from animate.page import page

WINDOWS = [
    *((700, 500), (640, 360), (390, 664)),
    *(pytest.param(*size, marks=pytest.mark.slow) for size in ((1000, 760), (320, 568))),
]
CHARTS = ("bowl", "loss", "fit", "surface", "rates", "step")


def exact(opened: Page):
    return opened.get_by_role("textbox", name="Learning rate, exact")


def unfold(opened: Page, section: str) -> None:
    opened.locator("summary", has_text=section).click()


def try_rate(opened: Page, rate: float) -> None:
    exact(opened).fill(str(rate))
    exact(opened).press("Enter")


def is_inside_window(opened: Page, selector: str) -> bool:
    return opened.locator(selector).first.evaluate(
        """(element) => {
          const {top, bottom, left, right, height} = element.getBoundingClientRect();
          return height > 0 && top >= -1 && left >= -1 && bottom <= innerHeight + 1
            && right <= innerWidth + 1;
        }"""
    )


@pytest.mark.quick(1)
@pytest.mark.parametrize(("width", "height"), WINDOWS)
def test_the_slider_and_a_chart_are_visible_together_always(open_page, width, height) -> None:
    opened = open_page(viewport={"width": width, "height": height})
    assert is_inside_window(opened, "#rate")
    assert is_inside_window(opened, "#bowl")
    unfold(opened, "Data and start")
    opened.get_by_label("Start slope").scroll_into_view_if_needed()
    opened.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    assert is_inside_window(opened, "#rate")
    assert is_inside_window(opened, "#bowl")


def test_a_desktop_window_shows_every_runs_verdict_and_every_chart(open_page) -> None:
    opened = open_page(viewport={"width": 1280, "height": 720})
    for slot in range(3):
        assert is_inside_window(opened, f"#run-{slot} .verdict")
    for chart in CHARTS:
        assert is_inside_window(opened, f"#{chart}")


def test_a_small_window_shows_the_verdict_and_one_chart_of_choice(open_page) -> None:
    opened = open_page(viewport={"width": 390, "height": 664})
    assert is_inside_window(opened, "#now")
    assert is_inside_window(opened, "#play")
    for chart in CHARTS:
        opened.locator(f"#tabs [data-chart={chart}]").click()
        visible = [one for one in CHARTS if opened.locator(f"#{one}").is_visible()]
        assert visible == [chart]
        assert is_inside_window(opened, f"#{chart}")
    assert opened.locator("#bowl path").count() > 0
    opened.wait_for_function("() => location.hash.includes('chart=step')")


def test_a_frame_is_compact_even_if_it_is_wide(context, lesson, tmp_path) -> None:
    (tmp_path / "lesson.html").write_text(lesson, encoding="utf-8")
    frame = '<iframe src="lesson.html" width="1100" height="700"></iframe>'
    (tmp_path / "post.html").write_text(f"<!doctype html><title>Post</title>{frame}")
    opened = context(reduced_motion="reduce").new_page()
    opened.goto((tmp_path / "post.html").as_uri())
    expect(opened.frame_locator("iframe").locator("#tabs")).to_be_visible()
    opened.close()


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("fragment", "epoch", "plays"),
    [("#lr=0.2&epoch=7", 7, False), ("#lr=0.2", 0, True), ("#lr=0.2&epoch=0", 0, False)],
)
def test_a_link_opens_at_its_epoch_or_plays(open_page, fragment, epoch, plays) -> None:
    opened = open_page(fragment=fragment, reduced_motion="no-preference")
    if plays:
        expect(opened.get_by_role("button", name="Pause")).to_be_visible()
        expect(opened.locator("#epoch-text")).not_to_have_text("0 of 100")
        opened.get_by_role("button", name="Pause").click()
    else:
        expect(opened.locator("#epoch-text")).to_have_text(f"{epoch} of 100")
        expect(opened.get_by_role("button", name="Play")).to_be_visible()


def test_back_and_forward_show_what_the_address_says(open_page) -> None:
    opened = open_page(fragment="#lr=0.2&epoch=5")
    opened.evaluate("() => { location.hash = '#lr=0.4,0.5&epoch=9'; }")
    expect(opened.locator("#epoch-text")).to_have_text("9 of 100")
    exact(opened).fill("0.6")
    opened.wait_for_function("() => location.hash.includes('lr=0.6,')")
    opened.go_back()
    expect(opened.locator("#epoch-text")).to_have_text("5 of 100")
    assert exact(opened).input_value() == "0.2"
    opened.go_forward()
    expect(opened.locator("#epoch-text")).to_have_text("9 of 100")
    assert exact(opened).input_value() == "0.6"


def test_each_rate_tried_leaves_a_dot_and_a_line_in_the_log(open_page) -> None:
    opened = open_page()
    expect(opened.locator("#rates .try")).to_have_count(3)
    for rate in (0.9, 0.3, 0.9):
        try_rate(opened, rate)
    expect(opened.locator("#rates .try")).to_have_count(5)
    unfold(opened, "What you tried")
    log = opened.locator("#tries tr").all_inner_texts()
    assert [re.split(r"\s*\t\s*", line)[:2] for line in log[:2]] == [
        ["0.3", "there after 22 epochs"],
        ["0.9", "there after 17 epochs"],
    ]
    opened.get_by_role("button", name="Clear").click()


@pytest.mark.slow
def test_the_curve_of_theory_is_where_the_runs_arrive(open_page) -> None:
    opened = open_page()
    expect(opened.locator("#rates .theory")).to_have_count(0)
    opened.get_by_role("button", name="Curve").click()
    path = opened.locator("#rates .theory").get_attribute("d")
    curve = np.array(re.findall(r"[\d.]+", path), float).reshape(-1, 2)
    for rate in (0.1, 0.3, 0.9):
        try_rate(opened, rate)
        head = opened.locator("#rates .head").last.evaluate(
            "(head) => { const {x, y, width, height} = head.getBBox();"
            " return [x + width / 2, y + height / 2]; }"
        )
        nearest = curve[np.abs(curve[:, 0] - head[0]).argmin()]
        assert abs(nearest[1] - head[1]) < 4


def test_the_tasks_begin_with_a_prediction_and_are_graded(open_page) -> None:
    opened = open_page()
    unfold(opened, "Tasks")
    result, check = opened.locator("#task-result"), opened.get_by_role("button", name="Check")
    following = opened.get_by_role("button", name="Next task")
    check.click()
    expect(result).to_have_text("Choose one first.")
    opened.get_by_label("learning rate 0.3").check()
    check.click()
    expect(result).to_contain_text("Not quite: learning rate 0.8.")
    runs = train(Line.sample(seed=11), [0.98, 0.3, 0.8])
    for run in runs:
        expect(result).to_contain_text(f"{run.lr} after {run.diagnosis.converged_at} epochs")
    following.click()

    opened.get_by_label("Your prediction").fill("1,2")
    check.click()
    expect(result).to_contain_text("You predicted 1.2.")
    expect(following).to_be_hidden()
    try_rate(opened, 1.01)
    try_rate(opened, 0.985)
    expect(result).to_contain_text("Found: it breaks at 0.9985")
    following.click()

    opened.get_by_label("between a half").check()
    check.click()
    expect(result).to_contain_text("Right.")
    try_rate(opened, 0.75)
    expect(result).to_contain_text("Found: about 0.76")
    following.click()

    opened.get_by_label("to about 1/32").check()
    check.click()
    expect(result).to_contain_text("Right.")
    problem = Line.sample(seed=11)
    wide = Line(problem.x * np.float32(10), problem.y, start=problem.start)
    expect(result).to_contain_text(f"0.9985 to {wide.stability_limit:.4g}")
    expect(opened.locator("#scale-text")).to_have_text("10")


@pytest.mark.parametrize(
    "scale", [10, *(pytest.param(scale, marks=pytest.mark.slow) for scale in (0.5, 2))]
)
def test_a_wider_x_gives_the_runs_of_torch_and_moves_the_limit(open_page, problem, scale) -> None:
    wide = Line(problem.x * np.float32(scale), problem.y, start=problem.start)
    rates = [0.03, 0.3, 1.01]
    opened = open_page(fragment=f"#lr=0.03,0.3,1.01&epoch=100&scale={scale}")
    before = opened.locator("#surface ellipse").first.get_attribute("transform")
    opened.get_by_text("Show the answer").click()
    expect(opened.locator("#tick-limit")).to_be_visible()
    shown = [text.lstrip("✓✗ ") for text in opened.locator(".verdict").all_text_contents()]
    sentences = [run.diagnosis.sentence for run in train(wide, rates)]
    assert shown == sentences
    expect(opened.locator("#answer")).to_contain_text(f"breaks at {wide.stability_limit:.4g}")
    original = open_page(fragment="#epoch=100").locator("#surface ellipse").first
    if scale > 1:
        angles = [
            float(re.search(r"rotate\((.*)\)", transform)[1])
            for transform in (before, original.get_attribute("transform"))
        ]
        assert abs(angles[0] - angles[1]) > 45  # the valley has turned


def test_the_step_is_that_of_the_runs(open_page, problem) -> None:
    opened = open_page(fragment="#lr=0.7&epoch=3")
    run = train(problem, [0.7])[0]
    cells = [row.split("\t") for row in opened.locator("#update tr").all_inner_texts()]
    for i, row in enumerate(cells):
        now, gradient, after = (float(text.replace("−", "-")) for text in row[1:])
        assert now == pytest.approx(run.weights[3][i], abs=0.006)
        assert after == pytest.approx(run.weights[4][i], abs=0.006)
        assert now - 0.7 * gradient == pytest.approx(after, abs=0.012)
    factors = [row.split("\t")[2] for row in opened.locator("#factors tr").all_inner_texts()]
    expected = [1 - 0.7 * curvature for curvature in problem.curvatures[::-1]]
    assert [float(text.replace("−", "-")) for text in factors] == pytest.approx(expected, abs=0.006)


@pytest.mark.slow
def test_momentum_batches_and_adam_are_off_and_act_on_all_runs(open_page, problem) -> None:
    opened = open_page()
    unfold(opened, "Momentum")
    verdicts = opened.locator(".verdict")
    opened.get_by_label(re.compile("^Momentum")).press("End")
    expect(opened.locator("#momentum-text")).to_have_text("0.95")
    opened.get_by_text("Show the answer").click()
    expect(opened.locator("#tick-limit")).to_be_visible()

    def expected(**settings: object) -> list[str]:
        every = 10 if "batch_size" in settings else 1
        hyperparameters = [Hyperparameters(lr, **settings) for lr in (0.1, 0.7, 1.01)]
        runs = train(problem, hyperparameters, record_every=every)
        return [run.diagnosis.sentence for run in runs]

    def shown() -> list[str]:
        return [text.lstrip("✓✗ ") for text in verdicts.all_text_contents()]

    assert shown() == expected(momentum=0.95)
    opened.get_by_label("Adam").check()
    assert shown() == expected(optimizer="adam")
    expect(opened.get_by_label(re.compile("^Momentum"))).to_be_disabled()
    opened.get_by_label("Adam").uncheck()
    opened.get_by_label("Points a step").select_option("10")
    assert shown() == expected(batch_size=10)
    unfold(opened, "Share")
    opened.get_by_role("button", name="Copy command").click()
    assert "--batch-size 10" in opened.get_by_label("Copied text").input_value()


@pytest.mark.slow
def test_playing_keeps_the_elements_of_the_charts(open_page) -> None:
    opened = open_page(fragment="#epoch=20")
    opened.evaluate("() => { window.kept = [...document.querySelectorAll('#panels svg *')]; }")
    for _ in range(5):
        opened.get_by_role("button", name="One epoch forward").click()
    share = opened.evaluate("() => kept.filter((one) => one.isConnected).length / kept.length")
    assert share > 0.95


@pytest.mark.slow
def test_the_largest_page_answers_a_drag_from_the_hessian(open_page) -> None:
    problem = Line.sample(seed=11, points=5000)
    runs = train(problem, [0.001, 0.7, 1.0], epochs=5000)
    opened = open_page(page(runs), "#epoch=5000")
    before = opened.locator("#run-0 .verdict").inner_text()
    exact(opened).focus()
    took = opened.evaluate(
        """() => {
          const slider = document.getElementById("rate");
          const times = [];
          for (let i = 0; i < 20; i++) {
            const start = performance.now();
            slider.value = String(500 + 5 * i);
            slider.dispatchEvent(new Event("input", {bubbles: true}));
            document.body.getBoundingClientRect();
            times.push(performance.now() - start);
          }
          slider.dispatchEvent(new Event("change", {bubbles: true}));
          return times;
        }"""
    )
    print("milliseconds of a move at 5,000 points and epochs:", round(float(np.median(took))))
    assert opened.locator("#run-0 .verdict").inner_text() != before
    lr = float(exact(opened).input_value())
    (run,) = train(problem, [lr], epochs=5000)
    shown = opened.locator("#run-0 .verdict").inner_text().lstrip("✓✗ ")
    assert shown == run.diagnosis.sentence
