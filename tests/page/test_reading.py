"""The page used by mouse and by keyboard in a real browser."""

import re
import shlex
from urllib.parse import parse_qs

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from animate import Line, train
from animate.cli import main
from animate.page import page
from animate.system.numbers import share_text
from animate.training.diagnosis import distance, relative_distances

LABEL = "Learning rate"


def verdicts(opened: Page) -> list[str]:
    return opened.locator(".verdict").all_text_contents()


def state(opened: Page) -> dict[str, str]:
    """Return the parts of the link, once it is written."""
    opened.wait_for_function("location.hash.includes('epoch=')")
    return {name: values[0] for name, values in parse_qs(opened.url.partition("#")[2]).items()}


def wait_for_link(opened: Page, part: str) -> None:
    opened.wait_for_function("(part) => location.hash.includes(part)", arg=part)


def slider(opened: Page):
    return opened.get_by_role("slider", name=LABEL, exact=True)


def epoch(opened: Page):
    return opened.get_by_role("slider", name=re.compile("^Epoch"))


def handle(opened: Page):
    return opened.get_by_role("slider", name=re.compile("^Start"))


def exact(opened: Page):
    return opened.get_by_role("textbox", name="Learning rate, exact")


def ask_for_the_answer(opened: Page) -> None:
    """Make the page tell the limit and the fastest rate."""
    opened.get_by_text("Show the answer").click()


def unfold(opened: Page, section: str) -> None:
    opened.locator("summary", has_text=section).click()


def drag(opened: Page, place, dx: float, dy: float) -> None:
    box = place.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    opened.mouse.move(x, y)
    opened.mouse.down()
    opened.mouse.move(x + dx / 2, y + dy / 2)
    opened.mouse.move(x + dx, y + dy)
    opened.mouse.up()


def test_the_verdicts_at_the_end_are_those_of_the_film(open_page) -> None:
    opened = open_page()
    assert verdicts(opened) == ["✓ converged at epoch 70", "✓ converged at epoch 8", "✗ diverging"]
    ask_for_the_answer(opened)
    expect(opened.locator(".verdict").last).to_have_text("✗ diverging: past the limit 0.9985")
    expect(opened.locator("#epoch-text")).to_have_text("100 of 100")
    assert opened.locator(".loss").all_text_contents() == [
        "loss 0.0678",
        "loss 0.0678",
        "loss 266.7",
    ]


def test_a_verdict_is_shown_from_its_epoch_on(open_page, runs) -> None:
    opened = open_page(fragment="#epoch=7")
    left = [
        share_text(relative_distances(distance(run.weights, run.problem.best_weights))[7])
        for run in runs
    ]
    assert verdicts(opened) == [
        f"{left[0]} still to go",
        f"{left[1]} still to go",
        "✗ diverging",
    ]
    opened.get_by_role("button", name="One epoch forward").click()
    assert verdicts(opened)[1] == "✓ converged at epoch 8"
    opened.get_by_role("button", name="One epoch back").click()
    assert verdicts(opened)[1] == f"{left[1]} still to go"


def test_a_typed_rate_has_the_verdict_of_the_film(open_page) -> None:
    opened = open_page()
    ask_for_the_answer(opened)
    problem = Line.sample(seed=11)
    for run in train(problem, [0.0123, 0.3, 0.76, 0.9985, 0.99851, 0.999, 1.2, 5, 77]):
        exact(opened).fill(repr(run.lr))
        assert verdicts(opened)[0].lstrip("✓✗ ") == run.diagnosis.sentence
        overflowed_at = run.diagnosis.overflowed_at
        if overflowed_at is not None:
            text = opened.locator(".loss").first.text_content()
            assert text == f"overflowed at epoch {overflowed_at}"


def test_runs_at_and_beside_the_limit_have_the_verdicts_of_the_film(open_page, problem) -> None:
    limit = problem.stability_limit
    runs = train(problem, [np.nextafter(limit, 0), limit, np.nextafter(limit, 1)])
    opened = open_page(page(runs))
    ask_for_the_answer(opened)
    expect(opened.locator(".verdict").last).to_contain_text("past the limit")
    assert [text.lstrip("✓✗ ") for text in verdicts(opened)] == [
        run.diagnosis.sentence for run in runs
    ]


def test_an_invalid_rate_is_named(open_page) -> None:
    opened = open_page()
    exact(opened).fill("fast")
    exact(opened).press("Enter")
    expect(opened.get_by_role("alert").first).to_have_text(
        "“fast” is not a positive number; give one such as 0.1."
    )
    assert exact(opened).get_attribute("aria-invalid") == "true"
    assert verdicts(opened)[0] == "✓ converged at epoch 70"
    exact(opened).fill("0.2")
    assert exact(opened).get_attribute("aria-invalid") == "false"


def drag_by_pixels(opened: Page, first: float, last: float) -> list[float]:
    """Drag the slider between two rates by single pixels, and return the rate at each."""
    places = []
    for rate in (first, last):
        exact(opened).fill(str(rate))
        box = slider(opened).bounding_box()
        share = float(slider(opened).evaluate("(s) => s.value / s.max"))
        places.append(box["x"] + 12 + share * (box["width"] - 24))
    y = box["y"] + box["height"] / 2
    opened.mouse.move(places[0], y)
    opened.mouse.down()
    rates = []
    for pixel in range(round(places[1] - places[0]) + 1):
        opened.mouse.move(places[0] + pixel, y)
        rates.append(float(exact(opened).input_value()))
    opened.mouse.up()
    return rates


@pytest.mark.quick(1)
@pytest.mark.parametrize("width", [390, 1280])
def test_a_drag_by_single_pixels_leaves_no_gap_around_the_limit(open_page, width) -> None:
    opened = open_page(viewport={"width": width, "height": 720})
    rates = drag_by_pixels(opened, 0.5, 1.2)
    assert rates == sorted(rates)
    assert max(np.divide(rates[1:], rates[:-1])) <= 1.03
    assert 0.7 in rates
    assert 1.01 in rates
    assert any(0.98 < rate < 0.9985 for rate in rates)


def test_half_of_the_slider_is_for_the_decade_around_the_limit(compute) -> None:
    for limit in (0.9985, 0.31, 0.0316, 3.2e-6, 1234.0):
        low, high = compute(
            "(limit) => [0.3, 0.8].map((share) => rateScale(limit).rateAt(share))", limit
        )
        assert high == pytest.approx(10 * low)
        assert low < limit < high


@pytest.mark.slow
def test_keys_move_the_slider_and_stop_at_the_initial_rates(open_page) -> None:
    opened = open_page()
    exact(opened).fill("0.5")
    slider(opened).focus()
    seen = []
    for key in ["PageUp"] * 2 + ["ArrowRight", "ArrowUp", "ArrowLeft", "PageDown", "Home", "End"]:
        opened.keyboard.press(key)
        seen.append(float(exact(opened).input_value()))
    assert seen == [0.61, 0.7, 0.707, 0.714, 0.707, 0.7, 0.01, 5]
    assert slider(opened).get_attribute("aria-valuetext") == "5"


def swipe(opened: Page, place, dx: float, dy: float) -> None:
    """Move a finger from the middle of an element."""
    box = place.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = opened.context.new_cdp_session(opened)
    for kind, part in [("touchStart", 0), *[("touchMove", i / 10) for i in range(1, 11)]]:
        points = [{"x": x + part * dx, "y": y + part * dy}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def test_a_vertical_swipe_over_a_slider_changes_nothing(open_page) -> None:
    opened = open_page(has_touch=True, viewport={"width": 390, "height": 664})
    unfold(opened, "A wider x")
    opened.evaluate("() => scrollTo(0, 0)")
    before = exact(opened).input_value()
    swipe(opened, slider(opened), 3, -250)
    opened.wait_for_function("scrollY > 100")
    assert exact(opened).input_value() == before
    swipe(opened, slider(opened), 100, 4)
    assert exact(opened).input_value() != before


@pytest.mark.slow
def test_a_decimal_comma_is_understood(open_page, compute) -> None:
    opened = open_page()
    exact(opened).fill("0,5")
    exact(opened).press("Enter")
    assert verdicts(opened)[0] == "✓ converged at epoch 12"
    expect(opened.locator("#rate-error")).to_be_empty()
    texts = ["1,5", " -2 ", "−2", "1e-3", "1,000.5", "1.2.3", "", "x"]
    numbers = compute("(texts) => texts.map((text) => String(parseNumber(text)))", texts)
    assert numbers == ["1.5", "-2", "-2", "0.001", "NaN", "NaN", "NaN", "NaN"]


def test_the_marks_appear_once_the_reader_has_found_them(open_page) -> None:
    opened = open_page()
    limit, best = opened.locator("#tick-limit"), opened.locator("#tick-best")
    expect(limit).to_be_hidden()
    expect(best).to_be_hidden()
    for rate, is_limit, is_best in (("0.9", 0, 0), ("0.99", 1, 0), ("0.75", 1, 1)):
        exact(opened).fill(rate)
        exact(opened).press("Enter")
        expect(limit).to_be_visible(visible=bool(is_limit))
        expect(best).to_be_visible(visible=bool(is_best))
    assert verdicts(opened)[2] == "✗ diverging: past the limit 0.9985"


def test_marks_stand_at_their_rates(open_page) -> None:
    opened = open_page()
    ask_for_the_answer(opened)
    for tick, rate in (("#tick-best", "0.76"), ("#tick-limit", "0.9985")):
        exact(opened).fill(rate)
        place = opened.locator(tick).bounding_box()["x"]
        track = slider(opened).bounding_box()
        share = float(slider(opened).evaluate("(s) => s.value / s.max"))
        assert place == pytest.approx(track["x"] + 12 + share * (track["width"] - 24), abs=1.5)


@pytest.mark.slow
def test_at_rest_every_drag_is_answered(open_page) -> None:
    for fragment in ("#epoch=0", "#epoch=100", "#epoch=3"):
        opened = open_page(fragment=fragment)
        slider(opened).focus()
        for key in ("PageUp", "PageUp"):
            before = [opened.locator(part).inner_html() for part in ("#bowl", "#factor")]
            opened.keyboard.press(key)
            after = [opened.locator(part).inner_html() for part in ("#bowl", "#factor")]
            assert before[0] != after[0]
            assert before[1] != after[1]
    exact(opened).fill("1.01")
    expect(opened.locator("#factor")).to_have_text(
        "Each step leaves −1.02 of the error: it overshoots, farther each time."
    )


def test_play_stops_at_the_end_and_requests_no_more_frames(open_page) -> None:
    opened = open_page(fragment="#epoch=95")
    opened.evaluate(
        "() => { window.asked = 0; window.ask = requestAnimationFrame.bind(window);"
        " window.requestAnimationFrame = (f) => { window.asked++; return ask(f); }; }"
    )
    opened.get_by_role("button", name="Play").click()
    expect(opened.get_by_role("button", name="Play")).to_be_visible()
    expect(opened.locator("#epoch-text")).to_have_text("100 of 100")
    wait_for_link(opened, "epoch=100")
    asked = opened.evaluate("() => window.asked")
    assert asked > 0
    opened.evaluate("() => new Promise((done) => ask(() => ask(done)))")
    assert opened.evaluate("() => window.asked") == asked


@pytest.mark.slow
def test_space_plays_and_pauses_wherever_it_has_no_other_use(open_page) -> None:
    opened = open_page(fragment="#epoch=3")
    slider(opened).focus()
    opened.keyboard.press("Space")
    expect(opened.get_by_role("button", name="Pause")).to_be_visible()
    opened.keyboard.press("Space")
    expect(opened.get_by_role("button", name="Play")).to_be_visible()
    opened.get_by_text("Show the answer").focus()
    opened.keyboard.press("Space")
    expect(opened.locator("#answer")).to_have_attribute("open", "")
    expect(opened.get_by_role("button", name="Play")).to_be_visible()


def test_the_epoch_is_scrubbed_by_mouse_and_keys(open_page) -> None:
    opened = open_page()
    box = epoch(opened).bounding_box()
    opened.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(opened.locator("#epoch-text")).to_have_text("50 of 100")
    opened.keyboard.press("ArrowLeft")
    expect(opened.locator("#epoch-text")).to_have_text("49 of 100")
    opened.keyboard.press("Home")
    expect(opened.locator("#epoch-text")).to_have_text("0 of 100")
    assert opened.get_by_role("button", name="One epoch back").is_disabled()


@pytest.mark.slow
def test_the_start_is_dragged_and_the_runs_restart_from_it(open_page) -> None:
    opened = open_page(reduced_motion="no-preference", fragment="#epoch=100")
    before = opened.locator("#surface .run").first.get_attribute("d")
    handle(opened).scroll_into_view_if_needed()
    drag(opened, opened.locator("#surface .halo"), 60, -30)
    slope, bias = (float(opened.locator(f"#{name}").input_value()) for name in ("slope", "bias"))
    assert slope > -1
    assert bias > 1
    expect(opened.get_by_role("button", name="Pause")).to_be_visible()
    opened.get_by_role("button", name="Pause").click()
    after = opened.locator("#surface .run").first.get_attribute("d")
    assert before.split("L")[0] != after.split("L")[0]
    opened.locator("#epoch").press("End")
    run = train(Line.sample(seed=11, start=(slope, bias)), [0.1])[0]
    assert verdicts(opened)[0] == f"✓ {run.diagnosis.sentence}"


@pytest.mark.slow
def test_a_click_on_the_surface_starts_there(open_page) -> None:
    opened = open_page()
    opened.locator("#surface").click(position={"x": 200, "y": 60})
    assert float(opened.locator("#slope").input_value()) != -1


@pytest.mark.slow
def test_keys_move_the_start_and_announce_it(open_page) -> None:
    opened = open_page()
    handle(opened).focus()
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("Shift+ArrowUp")
    assert opened.locator("#slope").input_value() == "-0.9"
    assert opened.locator("#bias").input_value() == "2"
    assert handle(opened).get_attribute("aria-valuetext") == "slope −0.90, bias 2.00"
    assert "Start at slope −0.90, bias 2.00" in opened.locator("#live").text_content()


@pytest.mark.slow
def test_the_start_can_be_typed(open_page) -> None:
    opened = open_page()
    unfold(opened, "Data and start")
    opened.get_by_label("Start slope").fill("2")
    opened.get_by_label("Start slope").press("Enter")
    opened.get_by_label("bias", exact=True).fill("-0.5")
    opened.get_by_label("bias", exact=True).press("Tab")
    run = train(Line.sample(seed=11, start=(2, -0.5)), [0.1])[0]
    assert verdicts(opened)[0] == f"✓ {run.diagnosis.sentence}"
    opened.get_by_label("bias", exact=True).fill("much")
    opened.get_by_label("bias", exact=True).press("Tab")
    expect(opened.locator("#start-error")).to_contain_text("“much” is not a weight")


@pytest.mark.slow
def test_runs_are_added_chosen_and_removed(open_page) -> None:
    opened = open_page()
    opened.get_by_role("button", name="Add a run").click()
    expect(opened.get_by_role("radio")).to_have_count(4)
    assert slider(opened).evaluate("(s) => s === document.activeElement")
    assert exact(opened).input_value() == "0.3"
    opened.get_by_role("radio", name="0.7").check()
    assert exact(opened).input_value() == "0.7"
    exact(opened).fill("0.8")
    expect(opened.get_by_role("radio", name="0.8")).to_be_checked()
    opened.get_by_role("button", name="Remove the run at 0.8").click()
    expect(opened.get_by_role("radio")).to_have_count(3)
    expect(opened.get_by_role("radio", name="0.1", exact=True)).to_be_focused()
    opened.keyboard.press("ArrowDown")
    expect(opened.get_by_role("radio", name="1.01")).to_be_checked()
    for rate in ("0.1", "0.3"):
        opened.get_by_role("button", name=f"Remove the run at {rate}", exact=True).click()
    expect(opened.get_by_role("button", name="Remove")).to_have_count(0)
    assert verdicts(opened) == ["✗ diverging"]


@pytest.mark.slow
def test_a_run_keeps_its_colour_when_another_goes_and_in_the_link(open_page) -> None:
    opened = open_page()
    color = "(run) => getComputedStyle(run).getPropertyValue('--color')"
    before = opened.locator("#run-1").evaluate(color)
    opened.get_by_role("button", name="Remove the run at 0.1", exact=True).click()
    assert opened.locator("#run-1").evaluate(color) == before
    wait_for_link(opened, "lr=,0.7,1.01")
    again = open_page(fragment="#" + opened.url.partition("#")[2])
    assert again.locator("#run-1").evaluate(color) == before


@pytest.mark.slow
def test_another_seed_gives_the_data_of_torch(open_page) -> None:
    opened = open_page()
    ask_for_the_answer(opened)
    unfold(opened, "Data and start")
    for seed in ("12", "0", "18446744073709551615"):
        opened.get_by_label("Seed").fill(seed)
        opened.get_by_label("Seed").press("Enter")
        problem = Line.sample(seed=int(seed))
        expected = [run.diagnosis.sentence for run in train(problem, [0.1, 0.7, 1.01])]
        assert [text[2:] for text in verdicts(opened)] == expected


@pytest.mark.slow
def test_new_noise_takes_the_next_seed(open_page) -> None:
    opened = open_page()
    points = opened.locator("#fit .points").get_attribute("d")
    unfold(opened, "Data and start")
    opened.get_by_role("button", name="New noise").click()
    assert opened.get_by_label("Seed").input_value() == "12"
    assert opened.locator("#fit .points").get_attribute("d") != points
    opened.get_by_label("Seed").fill("-3")
    opened.get_by_label("Seed").press("Enter")
    expect(opened.locator("#seed-error")).to_contain_text("“-3” is not a seed")


def test_the_link_restores_the_whole_state(open_page) -> None:
    opened = open_page()
    exact(opened).fill("0.42")
    opened.get_by_role("radio", name="0.7").check()
    exact(opened).fill("2.5")
    unfold(opened, "Data and start")
    opened.get_by_label("Seed").fill("7")
    opened.get_by_label("Seed").press("Enter")
    opened.get_by_label("Start slope").fill("1.5")
    opened.get_by_label("Start slope").press("Enter")
    opened.locator("#epoch").fill("9")
    opened.get_by_role("button", name="Dark").click()
    wait_for_link(opened, "theme=dark")
    assert state(opened) == {
        "lr": "0.42,2.5,1.01",
        "run": "2",
        "epoch": "9",
        "seed": "7",
        "start": "1.5,1",
        "theme": "dark",
    }
    again = open_page(fragment="#" + opened.url.partition("#")[2])
    assert again.locator("#runs").inner_text() == opened.locator("#runs").inner_text()
    for part in ("#fit", "#loss", "#surface", "#bowl"):
        assert again.locator(part).inner_html() == opened.locator(part).inner_html()
    assert again.locator("html").get_attribute("data-theme") == "dark"


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "fragment",
    [
        "#lr=,,",
        "#lr=x,-1,nan&epoch=1e9&run=9",
        "#seed=-1&start=1",
        "#%E0%A4%A",
        "#theme=<b>&epoch=12",
    ],
)
def test_an_invalid_link_opens_the_initial_state(open_page, fragment) -> None:
    opened = open_page(fragment=fragment)
    expect(opened.get_by_role("radio")).to_have_count(3)
    assert opened.get_by_label("Seed").input_value() == "11"


@pytest.mark.slow
def test_another_link_to_the_same_page_is_followed(open_page) -> None:
    opened = open_page()
    opened.evaluate("() => { location.hash = '#lr=0.2&epoch=5'; }")
    expect(opened.get_by_role("radio")).to_have_count(1)
    expect(opened.locator("#epoch-text")).to_have_text("5 of 100")


def test_copy_link_and_copy_command(open_page, capsys, monkeypatch, tmp_path) -> None:
    opened = open_page(permissions=["clipboard-read", "clipboard-write"])
    exact(opened).fill("0.42")
    unfold(opened, "Share")
    opened.get_by_role("button", name="Copy link").click()
    expect(opened.locator("#copy-status")).to_have_text("Link copied.")
    assert "#lr=0.42,0.7,1.01&run=1" in opened.evaluate("() => navigator.clipboard.readText()")
    unfold(opened, "Data and start")
    opened.get_by_label("Start slope").fill("-2")
    opened.get_by_label("Start slope").press("Enter")
    unfold(opened, "Share")
    opened.get_by_role("button", name="Copy command").click()
    expect(opened.locator("#copy-status")).to_have_text("Command copied.")
    command = opened.evaluate("() => navigator.clipboard.readText()")
    assert command == (
        "./scripts/run --lrs 0.42 0.7 1.01 --epochs 100 --seed 11 "
        "--points 100 --noise uniform --true 3 2 --start -2 1"
    )
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(command)[1:], "--dry-run"]) == 0
    assert "at lr 0.42, lr 0.7, lr 1.01 (seed 11)" in capsys.readouterr().err


@pytest.mark.slow
def test_without_a_clipboard_the_text_is_shown(open_page) -> None:
    opened = open_page()
    opened.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    unfold(opened, "Share")
    opened.get_by_role("button", name="Copy command").click()
    expect(opened.locator("#copy-status")).to_contain_text("press Ctrl+C")
    assert opened.evaluate("() => getSelection().toString()").startswith("./scripts/run --lrs")


@pytest.mark.slow
def test_the_command_holds_the_sampling_of_the_data(open_page) -> None:
    problem = Line.sample(5, 30, "gaussian", (1.1, -2), (0.5, 0.25))
    opened = open_page(page(train(problem, [0.1], epochs=20)))
    unfold(opened, "Share")
    opened.get_by_role("button", name="Copy command").click()
    assert opened.get_by_label("Copied text").input_value() == (
        "./scripts/run --lrs 0.1 --epochs 20 --seed 5 --points 30 --noise gaussian "
        "--true 1.1 -2 --start 0.5 0.25"
    )


@pytest.mark.slow
def test_data_from_arrays_have_no_seed_and_no_command(open_page, problem) -> None:
    own = Line(x=problem.x, y=problem.y, start=problem.start)
    opened = open_page(page(train(own, [0.1, 0.7])))
    expect(opened.get_by_label("Seed")).to_be_hidden()
    assert verdicts(opened)[0] == "✓ converged at epoch 70"
    unfold(opened, "Share")
    opened.get_by_role("button", name="Copy command").click()
    text = opened.get_by_label("Copied text").input_value()
    assert text.startswith("# No command makes these data")
    opened.get_by_role("button", name="Copy link").click()
    assert "seed" not in opened.get_by_label("Copied text").input_value()


@pytest.mark.slow
def test_reset_restores_the_initial_runs(open_page) -> None:
    opened = open_page(fragment="#lr=3,4&seed=5&start=0,0&epoch=100")
    unfold(opened, "Share")
    opened.get_by_role("button", name="Reset").click()
    assert verdicts(opened)[:2] == ["✓ converged at epoch 70", "✓ converged at epoch 8"]
    assert opened.get_by_label("Start slope").input_value() == "-1"


def test_the_answer_tells_the_limit_of_the_data(open_page) -> None:
    opened = open_page()
    ask_for_the_answer(opened)
    expect(opened.locator("#tick-limit")).to_be_visible()
    expect(opened.locator("#answer")).to_contain_text("fastest fixed rate is about 0.76")
    unfold(opened, "Data and start")
    opened.get_by_label("Seed").fill("3")
    opened.get_by_label("Seed").press("Enter")
    limit = f"{Line.sample(seed=3).stability_limit:.4g}"
    expect(opened.locator("#answer")).to_contain_text(f"training breaks at {limit}")


def test_every_panel_follows_each_change(open_page) -> None:
    opened = open_page(fragment="#epoch=6")
    unfold(opened, "Data and start")
    panels = ("#fit", "#loss", "#surface", "#bowl")

    def drawn() -> list[str]:
        return [opened.locator(panel).inner_html() for panel in panels]

    for change in (
        lambda: exact(opened).fill("0.33"),
        lambda: opened.get_by_role("button", name="One epoch forward").click(),
        lambda: opened.locator("#noise").click(),
        lambda: opened.get_by_role("radio", name="1.01").check(),
    ):
        before = drawn()
        change()
        assert all(one != other for one, other in zip(before, drawn(), strict=True))


def test_an_overflow_is_content(open_page, overflowing) -> None:
    opened = open_page(overflowing, "#run=3&epoch=100")
    run = train(Line.sample(seed=11), [5])[0]
    expect(opened.locator(".loss").last).to_have_text(
        f"overflowed at epoch {run.diagnosis.overflowed_at}"
    )
    assert "NaN" not in opened.locator("#panels").inner_html()
    assert "Infinity" not in opened.locator("#panels").inner_html()


@pytest.mark.slow
def test_coordinates_of_an_overflow_are_limited(open_page, overflowing) -> None:
    opened = open_page(overflowing, "#run=3&epoch=100")
    drawn = opened.eval_on_selector_all(
        "#panels svg *",
        "all => all.map((one) => ['d', 'x', 'y', 'x1', 'y1', 'x2', 'y2', 'cx', 'cy', 'points']"
        ".map((name) => one.getAttribute(name) ?? '').join(' ')).join(' ')",
    )
    numbers = [abs(float(text)) for text in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", drawn)]
    assert max(numbers) == 1e5


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_slider_fits_data_of_another_scale(open_page, problem) -> None:
    wide = problem.x * np.float32(1000)
    own = Line(x=wide, y=problem.y, start=problem.start)
    rates = [own.best_lr / 2, own.stability_limit * 1.01]
    opened = open_page(page(train(own, rates, epochs=50)), "#run=2&epoch=50")
    ask_for_the_answer(opened)
    expect(opened.locator(".verdict").last).to_contain_text("past the limit")
    sentences = [run.diagnosis.sentence for run in train(own, rates, epochs=50)]
    assert [text.lstrip("✓✗ ") for text in verdicts(opened)] == sentences
    expect(opened.locator("#tick-limit")).to_be_visible()
    slider(opened).focus()
    opened.keyboard.press("PageDown")
    assert 0 < float(exact(opened).input_value()) < own.stability_limit
