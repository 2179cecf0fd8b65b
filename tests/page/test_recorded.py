"""The page that plays recorded runs: its text, and its use in a real browser."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import skip_or_fail
from playwright.sync_api import Browser, Page, expect

from animate import (
    Animation,
    Hyperparameters,
    InputError,
    Line,
    Recorder,
    Runs,
    Trajectory,
    problems,
    train,
)
from animate.page import is_lesson
from animate.page.assembly import script
from animate.page.recorded import DRAWABLE, encoding, recorded_page
from animate.page.recorded.panels import COLUMNS, ROWS
from animate.system.numbers import value_text

LARGEST = 300_000  # bytes, of three runs of 200 records
MODULES = ("numbers", "drawing", "recorded/decode", "recorded/charts", "recorded/maps")
ROOT = Path(__file__).parent.parent.parent
AXE = ROOT / "scripts" / "page-checks" / "node_modules" / "axe-core" / "axe.min.js"
HOSTILE = "</script><img src=x onerror=alert(1)>"
POINTS = "hours,score\n" + "\n".join(f"{hour},{12 + 1.7 * hour + hour % 3}" for hour in range(40))


@pytest.fixture(scope="module")
def moons() -> Runs:
    """Return 200 records of three optimizers."""
    some = [
        Hyperparameters(0.5),
        Hyperparameters(0.3, "momentum"),
        Hyperparameters(0.02, "adam"),
    ]
    return train(problems.moons(), some, epochs=199)


@pytest.fixture(scope="module")
def moons_page(moons) -> str:
    return recorded_page(moons)


@pytest.fixture(scope="module")
def standardized(tmp_path_factory) -> Line:
    path = tmp_path_factory.mktemp("data") / "points.csv"
    path.write_text(POINTS)
    return Line.read_csv(path)


@pytest.fixture(scope="module")
def lines(standardized) -> Runs:
    return train(standardized, [0.1, 0.7, 1.01], epochs=60)


@pytest.fixture(scope="module")
def recording() -> Trajectory:
    import torch

    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 20)[:, None]
    model = torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def loss(some: torch.nn.Module) -> torch.Tensor:
        return ((some(x) - x**2) ** 2).mean()

    recorder = Recorder(model, loss=loss, optimizer=optimizer, label=HOSTILE)
    for _ in range(12):
        optimizer.zero_grad()
        loss(model).backward()
        optimizer.step()
        recorder.record()
    return recorder.trajectory


@pytest.fixture(scope="module")
def evaluate(browser: Browser):
    """Yield a function that calls a JavaScript function with one argument beside the modules."""
    opened = browser.new_page()
    modules = script(*MODULES)
    yield lambda function, argument: opened.evaluate(
        f"(argument) => {{{modules}; return ({function})(argument);}}", argument
    )
    opened.close()


def config(text: str) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="config">(.*?)</script>', text)
    assert match is not None
    return json.loads(match[1])


def losses_of(*values: Sequence[float]) -> list[Trajectory]:
    return [Trajectory(None, one, label=f"run {index}") for index, one in enumerate(values)]


def scrub(opened: Page, index: int) -> None:
    opened.get_by_role("slider").evaluate(
        "(slider, index) => { slider.value = index; slider.dispatchEvent(new Event('input')); }",
        index,
    )


def hover(opened: Page, panel: int, across: float, down: float) -> list[str]:
    """Move the mouse to a place in a panel, relative to its size, and return what is read."""
    box = opened.locator("figure > svg").nth(panel).bounding_box()
    opened.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    return opened.locator("#tip > *").all_text_contents()


@pytest.mark.slow
def test_three_runs_of_200_records_are_smaller_than_300_kb(moons, moons_page, capsys) -> None:
    every = recorded_page(moons, ["boundary", "loss", "losses", "metric"])
    for name, text in (("boundary loss", moons_page), ("four views", every)):
        size = len(text.encode())
        with capsys.disabled():
            print(f"\nthe page of three runs, {name}: {size / 1000:.0f} kB")
        assert size < LARGEST


def test_long_runs_are_thinned_and_the_page_says_so() -> None:
    steps = np.arange(20_001)
    rises = np.where(steps < 15_013, np.exp(-steps / 4000), np.inf)
    text = recorded_page(losses_of(np.exp(-steps / 4000), rises))
    assert len(text.encode()) < LARGEST
    held = config(text)
    shown = len(held["moments"])
    assert 250 < shown < 320
    assert held["moments"][:25] == list(range(25))
    assert 15_013 in held["moments"]  # the overflow
    assert f"{shown} of 20001 records" in text


@pytest.mark.quick(1)
@pytest.mark.parametrize("index", [0, 57, 199])
def test_scrubbing_shows_the_recorded_numbers(open_page, moons, moons_page, index) -> None:
    opened = open_page(moons_page)
    scrub(opened, index)
    assert opened.locator(".loss").all_text_contents() == [
        f"loss {value_text(run.losses[index])}" for run in moons
    ]
    assert opened.locator(".detail").all_text_contents() == [
        f"accuracy {value_text(run.metrics['accuracy'][index])}" for run in moons
    ]
    expect(opened.locator("#moment")).to_have_text(f"{index} of 199")
    slider = opened.get_by_role("slider")
    assert slider.get_attribute("aria-valuetext") == f"epoch {index} of 199"


def test_the_pointer_reads_the_losses_of_a_moment_and_none_of_the_future(
    open_page, moons, moons_page
) -> None:
    opened = open_page(moons_page)
    scrub(opened, 120)
    title, own, *others = hover(opened, 1, 0.5, 0.5)  # the loss of the first run
    at = int(title.removeprefix("epoch "))
    assert 70 < at < 120
    assert own == value_text(moons[0].losses[at])
    assert [one.rpartition(": ")[2] for one in others] == [
        value_text(run.losses[at]) for run in moons[1:]
    ]
    assert hover(opened, 1, 0.95, 0.5)[0] == "epoch 120"
    opened.mouse.move(0, 0)
    expect(opened.locator("#tip")).to_be_hidden()


def test_a_verdict_is_shown_from_its_moment_on(open_page, lines) -> None:
    opened = open_page(recorded_page(lines))
    verdicts = opened.locator(".verdict")
    for place, run in enumerate(lines):
        step = run.diagnosis.verdict_step
        for index, is_seen in ((step - 1, False), (step, True)):
            scrub(opened, index)
            shown = run.diagnosis.sentence in verdicts.nth(place).text_content()
            assert shown is is_seen, (place, index)
    scrub(opened, 3)
    assert "still to go" in verdicts.first.text_content()


@pytest.mark.slow
def test_where_a_loss_turns_is_marked_once_it_has_risen(open_page, runs) -> None:
    opened = open_page(recorded_page(runs, ["loss"]))
    for epoch, is_seen in ((2, False), (3, True)):  # 7.70, 3.66, 3.24, 3.31, …
        scrub(opened, epoch)
        expect(opened.get_by_text("turns at epoch 2")).to_be_visible(visible=is_seen)


@pytest.mark.slow
def test_standardized_data_are_drawn_in_the_readers_units(open_page, lines) -> None:
    opened = open_page(recorded_page(lines))
    scrub(opened, 60)
    assert opened.locator(".detail").nth(1).text_content() == lines[1].problem.equation(
        lines[1].weights[60]
    )
    title, value = hover(opened, 2, 0.5, 0.5)  # the line of the second run
    x = float(title.removeprefix("x = "))
    assert float(value.removeprefix("y = ")) == pytest.approx(
        float(lines[1].problem.predict(lines[1].weights[60], [x])[0]), rel=1e-3
    )


@pytest.mark.slow
def test_images_of_regions_are_read_back_as_they_were(evaluate, moons, moons_page) -> None:
    view = config(moons_page)["views"][0]
    images = evaluate(
        f"""(text) => {{ const images = imagesOf(text, {COLUMNS * ROWS}, 2);
        return [0, 40, 199, images.length].map((i) => [...(images[i] ?? [i])]); }}""",
        view["images"][2],
    )
    assert images.pop() == [200]
    left, right, low, high = view["box"]
    x = left + (right - left) * (np.arange(COLUMNS) + 0.5) / COLUMNS
    y = high - (high - low) * (np.arange(ROWS) + 0.5) / ROWS
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    for record, image in zip((0, 40, 199), images, strict=True):
        scores = moons[2].problem.class_scores(moons[2].weights[record], grid)
        np.testing.assert_array_equal(image, scores.argmax(axis=1))


def test_images_of_many_classes_and_long_stretches_are_read_back(evaluate) -> None:
    random = np.random.default_rng(0)
    pixels = [np.sort(random.integers(0, 7, 6144)).astype(np.uint8) for _ in range(3)]
    pixels += [pixels[-1], random.integers(0, 7, 6144).astype(np.uint8)]
    read = evaluate(
        "(text) => imagesOf(text, 6144, 7).map((image) => [...image])", encoding.images(pixels, 7)
    )
    np.testing.assert_array_equal(read, pixels)


def test_steps_are_read_back_to_a_seven_thousandth_of_the_height(evaluate) -> None:
    values = np.array([-1.0, 0.123, 5.0, np.nan, 1e9])
    read = evaluate(
        "(text) => [...stepsOf(text, -1, 5)].map(String)", encoding.steps_of(values, -1, 5)
    )
    numbers = [float(one) for one in read]
    np.testing.assert_allclose(numbers[:3], values[:3], atol=6 / 7000)
    assert np.isnan(numbers[3])
    assert numbers[4] == pytest.approx(5 + 4 * 6)  # far outside, and moved there


def test_the_edge_of_a_region_is_within_a_pixel_of_its_shape(evaluate) -> None:
    row, column = np.mgrid[:ROWS, :COLUMNS] + 0.5
    disc = (np.hypot(column - 40, row - 30) < 20).ravel()
    outline = f"(image) => outline(Uint8Array.from(image), {COLUMNS}, {ROWS}, 1)"
    path = evaluate(outline, disc.astype(int).tolist())
    assert path.count("M") == 1
    corners = np.array([pair.split() for pair in path.strip("Mz").split("L")], float)
    assert np.abs(np.hypot(*(corners - (40, 30)).T) - 20).max() < 1
    assert evaluate(outline, [0] * disc.size) == ""


def test_playing_goes_from_start_to_end_and_stops(context, lines, tmp_path) -> None:
    path = tmp_path / "play.html"
    path.write_text(recorded_page(lines), encoding="utf-8")
    opened = context(reduced_motion="no-preference").new_page()
    opened.clock.install()
    opened.goto(path.as_uri())
    expect(opened.get_by_role("button", name="Pause")).to_be_visible()
    expect(opened.locator("#moment")).to_have_text("0 of 60")
    opened.clock.run_for(3000)
    assert 1 < int(opened.locator("#moment").text_content().split()[0]) < 60
    opened.clock.run_for(12_000)
    expect(opened.locator("#moment")).to_have_text("60 of 60")
    expect(opened.locator("#live")).to_contain_text("learning rate 0.1: ✓ converged")
    opened.get_by_role("button", name="Replay").click()
    expect(opened.locator("#moment")).to_have_text("0 of 60")
    opened.close()


def test_with_reduced_motion_the_end_stands_still(open_page, moons_page) -> None:
    opened = open_page(moons_page)
    expect(opened.locator("#moment")).to_have_text("199 of 199")
    expect(opened.get_by_role("button", name="Replay")).to_be_visible()


def test_the_keyboard_steps_and_plays(open_page, moons_page) -> None:
    opened = open_page(moons_page)
    for key, moment in (("ArrowLeft", 198), ("Home", 0), ("ArrowRight", 1), ("End", 199)):
        opened.keyboard.press(key)
        expect(opened.locator("#moment")).to_have_text(f"{moment} of 199")
    opened.keyboard.press(" ")
    expect(opened.get_by_role("button", name="Pause")).to_be_visible()
    opened.keyboard.press(" ")
    expect(opened.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.slow
def test_a_run_is_hidden_everywhere_and_shown_again(open_page, moons) -> None:
    opened = open_page(recorded_page(moons, ["loss", "losses"]))
    shared = opened.locator("#across path.run")
    assert all(one.get_attribute("d") for one in shared.all())
    opened.get_by_role("button", name="Hide Momentum, learning rate 0.3").click()
    expect(opened.get_by_role("article")).to_have_count(2)
    assert sum(bool(one.get_attribute("d")) for one in shared.all()) == 2
    assert len(hover(opened, 0, 0.5, 0.5)) == 3  # the moment, and two losses
    show = opened.get_by_role("button", name="Show Momentum, learning rate 0.3")
    expect(show).to_be_focused()
    show.click()
    expect(opened.get_by_role("article")).to_have_count(3)
    for name in ("Hide SGD, learning rate 0.5", "Hide Momentum, learning rate 0.3"):
        opened.get_by_role("button", name=name).click()
    expect(opened.get_by_role("button", name="Hide Adam, learning rate 0.02")).to_be_hidden()


def test_a_narrow_page_shows_one_run_and_its_chips(open_page, moons_page) -> None:
    opened = open_page(moons_page, viewport={"width": 390, "height": 664})
    expect(opened.get_by_role("article")).to_have_count(1)
    opened.get_by_role("radio", name="Adam, lr 0.02").check(force=True)
    expect(opened.get_by_role("article", name="Adam, learning rate 0.02")).to_be_visible()
    expect(opened.get_by_role("article")).to_have_count(1)
    expect(opened.get_by_role("slider")).to_be_in_viewport()


def test_a_recording_is_played_and_its_label_stays_text(open_page, recording) -> None:
    opened = open_page(recorded_page([recording]))
    expect(opened.get_by_role("heading", level=2)).to_have_text(HOSTILE)
    expect(opened.locator("img")).to_have_count(0)
    expect(opened.locator("footer")).to_contain_text("recorded, settings unknown; 13 of 13")
    scrub(opened, 4)
    expect(opened.locator(".loss")).to_have_text(f"loss {value_text(recording.losses[4])}")


@pytest.mark.slow
def test_the_plane_reads_the_own_loss_of_a_record(open_page, recording) -> None:
    opened = open_page(recorded_page([recording], ["plane"]))
    scrub(opened, 12)
    head = opened.locator("#across .head").bounding_box()
    opened.mouse.move(head["x"] + head["width"] / 2, head["y"] + head["height"] / 2)
    title, row = opened.locator("#tip > *").all_text_contents()
    assert title == "step 12"
    assert row == f"{HOSTILE}: loss {value_text(recording.losses[12])}"
    assert opened.locator(".band").count() > 4


def test_sharpness_and_its_limit_are_drawn(open_page, recording) -> None:
    from animate import sharpness

    opened = open_page(recorded_page([recording], ["sharpness"]))
    scrub(opened, 7)
    value = value_text(sharpness(recording, [7])[0])
    expect(opened.locator("figcaption b")).to_have_text(value)
    expect(opened.locator("figure .note")).to_contain_text("2/lr = 20")


def test_losses_alone_are_played_and_an_overflow_is_crossed(open_page) -> None:
    falls, breaks = np.exp(-np.arange(30) / 9.0), np.array([1.0, 2, 4, np.inf, np.inf])
    opened = open_page(recorded_page(losses_of(falls, breaks)))
    scrub(opened, 2)
    assert opened.locator(".loss").all_text_contents()[1] == "loss 4.000"
    assert opened.locator(".verdict").all_text_contents() == ["", ""]
    scrub(opened, 3)
    assert opened.locator(".loss").all_text_contents()[1] == "overflowed at step 3"
    assert "not finite" in opened.locator(".verdict").nth(1).text_content()
    scrub(opened, 20)
    assert opened.locator(".detail").all_text_contents() == ["", ""]


def test_a_shorter_run_stands_at_its_end(open_page) -> None:
    opened = open_page(recorded_page(losses_of([3.0, 2.0, 1.0], [3.0, 2.5])))
    expect(opened.locator(".detail").nth(1)).to_have_text("ended at step 1")


def test_without_javascript_there_is_a_table_of_verdicts(context, lines, tmp_path) -> None:
    path = tmp_path / "plain.html"
    path.write_text(recorded_page(lines), encoding="utf-8")
    opened = context(java_script_enabled=False).new_page()
    opened.goto(path.as_uri())
    rows = opened.get_by_role("row")
    expect(rows).to_have_count(4)
    for row, run in zip(rows.all()[1:], lines, strict=True):
        assert run.diagnosis.sentence in row.text_content()
        assert value_text(run.losses[-1]) in row.text_content()
    expect(opened.get_by_role("slider")).to_have_count(0)
    opened.close()


@pytest.mark.slow
def test_print_shows_the_end_in_light_colours_and_no_controls(open_page, moons_page) -> None:
    opened = open_page(moons_page, color_scheme="dark", viewport={"width": 390, "height": 664})
    scrub(opened, 3)
    opened.evaluate("() => { dispatchEvent(new Event('beforeprint')); }")
    opened.emulate_media(media="print")
    expect(opened.get_by_role("slider")).to_have_count(0)
    expect(opened.locator("figure > svg[viewBox] .spine")).to_have_count(6)  # of all runs
    background = opened.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    expect(opened.locator("#moment")).to_have_text("199 of 199")
    opened.evaluate("() => { dispatchEvent(new Event('afterprint')); }")
    expect(opened.locator("#moment")).to_have_text("3 of 199")


def test_it_works_in_a_sandboxed_frame_under_a_strict_policy(context, moons_page) -> None:
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
    messages: list[str] = []
    opened = context(reduced_motion="reduce").new_page()
    opened.on("console", lambda message: messages.append(message.text))
    opened.on("pageerror", lambda error: messages.append(str(error)))
    frame = (
        "<script>var heights = [];"
        "addEventListener('message', ({data}) => heights.push(data.animateHeight));</script>"
        '<iframe sandbox="allow-scripts" src="runs.html" width="700" height="500"></iframe>'
    )
    opened.route(
        "http://page.test/**",
        lambda route: route.fulfill(
            body=moons_page if route.request.url.endswith("runs.html") else frame,
            content_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": policy} if "runs" in route.request.url else {},
        ),
    )
    opened.goto("http://page.test/")
    inside = opened.frame_locator("iframe")
    expect(inside.locator("#moment")).to_have_text("199 of 199")
    expect(inside.get_by_role("slider")).to_be_in_viewport()
    expect(inside.locator("figure > svg").nth(1)).to_be_in_viewport(ratio=0.9)
    opened.wait_for_function("() => heights.length")
    fitting = "() => { document.querySelector('iframe').style.height = heights.at(-1) + 'px'; }"
    opened.evaluate(fitting)
    expect(inside.locator("footer")).to_be_in_viewport(ratio=1)
    assert inside.locator("html").evaluate("(html) => html.scrollHeight - innerHeight") == 0
    opened.close()
    assert messages == []


@pytest.mark.slow
def test_no_window_scrolls_sideways(open_page, moons) -> None:
    opened = open_page(recorded_page(moons, ["boundary", "loss", "losses"]))
    for text in ("100%", "200%"):
        opened.evaluate("(size) => { document.documentElement.style.fontSize = size; }", text)
        for width in (320, 700, 1100, 1920):
            opened.set_viewport_size({"width": width, "height": 700})
            opened.evaluate("() => new Promise(requestAnimationFrame)")
            wider = opened.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            assert wider <= 0, (width, text)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_axe_finds_no_violation(open_page, moons, width, scheme) -> None:
    if not AXE.exists():
        skip_or_fail("axe-core is not installed; ./scripts/check_page installs it")
    text = recorded_page(moons, ["boundary", "loss", "plane"])
    opened = open_page(text, color_scheme=scheme, viewport={"width": width, "height": 800})
    opened.evaluate(AXE.read_text(encoding="utf-8"))
    violations = opened.evaluate("() => axe.run().then(({violations}) => violations)")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in violations] == []


def test_the_page_loads_nothing_and_is_the_same_each_time(lines, moons_page) -> None:
    assert recorded_page(lines) == recorded_page(lines)
    code = re.sub(r"/\*.*?\*/", "", moons_page, flags=re.DOTALL)
    assert not re.search(r"url\((?!#)|@import|\bfetch\b|\bimport\b|<link|<img|src=", code)


def test_the_footer_says_what_the_page_was_made_from(run, tmp_path) -> None:
    (tmp_path / "points.csv").write_text(POINTS)
    done = run("--data", "points.csv", "--lrs", "0.3", "--epochs", "20", "--quiet", "-o", "a.html")
    assert (done.code, done.out, done.err) == (0, "a.html\n", "")
    footer = (tmp_path / "a.html").read_text(encoding="utf-8").partition("<footer>")[2]
    for words in (
        "points.csv: a line through 40 points (standardized for training)",
        "torch ",
        "learning rate 0.3: SGD, learning rate 0.3, seed 0; 21 of 21 records",
    ):
        assert words in footer


def test_which_runs_are_trained_again_and_which_are_played(runs, lines, moons, problem) -> None:
    assert is_lesson(runs, None)
    assert is_lesson(runs, ["fit", "loss"])
    assert is_lesson(runs, ["surface", "bowl"])  # which only this page draws
    assert not is_lesson(runs, ["fit", "loss", "losses"])
    assert not is_lesson(runs, ["loss"])
    assert not is_lesson(lines, None)
    assert not is_lesson(moons, None)
    assert not is_lesson(train(problem, [Hyperparameters(0.1, label="slow")], epochs=2), None)
    assert not is_lesson([*runs, *train(problem, [0.3], epochs=5)], None)


def test_a_view_that_a_page_cannot_draw_is_refused_by_name(lines, recording, tmp_path) -> None:
    message = (
        "^view landscape: a page of recorded runs cannot draw it; views of these runs that it can "
        "draw: fit, loss, losses, sharpness, plane$"
    )
    with pytest.raises(InputError, match=message):
        Animation(lines, ["landscape", "loss"]).save(tmp_path / "a.html")
    with pytest.raises(InputError, match=r"^view fit: it requires .*: loss, losses, sharpness, "):
        recorded_page([recording], ["fit"])
    assert not list(tmp_path.iterdir())


def test_a_film_without_views_is_saved_with_those_that_a_page_draws(moons, tmp_path) -> None:
    recorded = Trajectory(moons[0].weights, moons[0].losses)  # whose film shows loss and weights
    Animation(recorded).save(tmp_path / "a.html")
    views = config((tmp_path / "a.html").read_text(encoding="utf-8"))["views"]
    assert [view["name"] for view in views] == ["loss"]
    with pytest.raises(
        InputError, match="cannot draw the default views of these; views that it can draw: none"
    ):
        Animation(Trajectory(moons[0].weights)).save(tmp_path / "b.html")


def test_a_view_is_refused_before_training(run, tmp_path) -> None:
    done = run("--problem", "moons", "--views", "weights", "--epochs", "100000", "-o", "a.html")
    assert done.code == 2
    assert "a.html: view weights: a page of recorded runs cannot draw it" in done.err
    assert all(name in done.err for name in ("boundary", "loss", "metric", "plane"))
    assert not list(tmp_path.iterdir())


def test_runs_of_one_recipe_keep_their_styles(run, tmp_path) -> None:
    (tmp_path / "both.toml").write_text(
        'problem = "moons"\nepochs = 2\n[[output]]\npath = "a.html"\nlrs = [0.1, 0.2]\n'
        '[[output]]\npath = "b.html"\nlrs = [0.2]\nlabels = ["faster"]\n'
    )
    done = run("both.toml", "--quiet")
    assert (done.code, done.err) == (0, "")
    one, two = (
        config((tmp_path / name).read_text(encoding="utf-8"))["runs"]
        for name in ("a.html", "b.html")
    )
    assert [other["name"] for other in two] == ["faster"]
    assert one[1]["style"] != one[0]["style"]


def test_every_view_of_the_page_is_one_of_the_films() -> None:
    from animate.drawing.views import VIEWS

    assert {*DRAWABLE} < {*VIEWS}
