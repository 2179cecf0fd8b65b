"""Accessibility, window sizes, themes, print and security of the page."""

from pathlib import Path

import pytest
from chromium import skip_or_fail
from playwright.sync_api import Page, expect

from animate.drawing.palette import DARK, LIGHT, contrast_ratio
from animate.page import page

ROOT = Path(__file__).parent.parent.parent
AXE = ROOT / "scripts" / "page-checks" / "node_modules" / "axe-core" / "axe.min.js"
HOSTILE = "</script><img src=x onerror=alert(1)>"


def unfold_all(opened: Page) -> None:
    """Open every section of the page, which otherwise closes the one before."""
    opened.evaluate(
        "() => { for (const one of document.querySelectorAll('details')) {"
        " one.removeAttribute('name'); one.open = true; } }"
    )
    opened.get_by_role("button", name="Copy command").click()


def overflow_width(opened: Page) -> int:
    """Return how many pixels the page is wider than the window."""
    return opened.evaluate("() => document.documentElement.scrollWidth - innerWidth")


@pytest.mark.quick(1)
@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_axe_finds_no_violation(open_page, width, scheme) -> None:
    if not AXE.exists():
        skip_or_fail("axe-core is not installed; ./scripts/check_page installs it")
    opened = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    unfold_all(opened)
    opened.evaluate(AXE.read_text(encoding="utf-8"))
    violations = opened.evaluate("() => axe.run().then(({violations}) => violations)")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in violations] == []


@pytest.mark.slow
def test_no_window_scrolls_sideways_even_with_text_twice_as_large(open_page) -> None:
    opened = open_page()
    unfold_all(opened)
    for text in ("100%", "200%"):
        opened.evaluate("(size) => { document.documentElement.style.fontSize = size; }", text)
        for width in (320, 390, 768, 1000, 1280, 2560):
            opened.set_viewport_size({"width": width, "height": 700})
            opened.evaluate("() => new Promise(requestAnimationFrame)")
            assert overflow_width(opened) <= 0, (width, text)


@pytest.mark.slow
def test_every_target_is_large_enough_to_touch(open_page) -> None:
    opened = open_page(viewport={"width": 320, "height": 700})
    unfold_all(opened)
    targets = opened.locator(
        "button, select, input:not([type=radio], [type=checkbox]), summary, label:has(input),"
        " .reach"
    )
    shown = [target for target in targets.all() if target.is_visible()]
    assert len(shown) > 15
    for target in shown:
        box = target.bounding_box()
        assert box["height"] >= 43.9, target.inner_html()
        assert box["width"] >= 43.9, target.inner_html()


def test_a_finger_drags_the_start_and_the_page_stays(open_page) -> None:
    opened = open_page()
    assert opened.locator(".handle").evaluate("(h) => getComputedStyle(h).touchAction") == "none"
    assert opened.locator("#surface").evaluate("(s) => getComputedStyle(s).touchAction") == "auto"


def test_tab_reaches_every_control_and_the_focus_is_visible(open_page) -> None:
    opened = open_page(fragment="#epoch=50")
    opened.locator("summary", has_text="Data and start").click()
    opened.locator("h1").click()
    opened.evaluate("() => document.activeElement.blur()")
    reached = []
    for _ in range(26):
        opened.keyboard.press("Tab")
        seen = opened.evaluate(
            """() => {
                const at = document.activeElement;
                const {outlineStyle, outlineWidth} = getComputedStyle(at);
                const seen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
                const halo = at.querySelector('.halo');
                const ring = halo && parseFloat(getComputedStyle(halo).strokeWidth) >= 4;
                return [at.id || at.getAttribute('class') || at.tagName, seen || !!ring];
            }"""
        )
        reached.append(seen)
    names = [name for name, _ in reached]
    assert names[:24] == [
        "theme", "SUMMARY", "exact", "rate", "handle", "theory", "play", "back", "forward", "epoch",
        "choose-0", "remove-0", "remove-1", "remove-2", "add",
        *["SUMMARY"] * 5, "seed", "noise", "slope", "bias",
    ]  # fmt: skip
    assert names[24:25] == ["SUMMARY"]
    assert [name for name, seen in reached[:25] if not seen] == []


def test_reduced_motion_starts_paused_at_the_end(open_page) -> None:
    opened = open_page(reduced_motion="reduce")
    expect(opened.get_by_role("button", name="Play")).to_be_visible()
    expect(opened.locator("#epoch-text")).to_have_text("100 of 100")
    opened.locator("#surface").click(position={"x": 200, "y": 60})
    expect(opened.get_by_role("button", name="Play")).to_be_visible()


def test_otherwise_it_plays_and_announces_each_verdict(open_page) -> None:
    opened = open_page(reduced_motion="no-preference")
    expect(opened.get_by_role("button", name="Pause")).to_be_visible()
    live = opened.locator("#live")
    expect(live).to_have_text("Learning rate 1.01: diverging.")
    assert live.get_attribute("aria-live") == "polite"
    opened.get_by_role("button", name="Pause").click()


@pytest.mark.slow
def test_a_change_is_announced(open_page) -> None:
    opened = open_page()
    opened.get_by_role("textbox", name="Learning rate, exact").fill("5")
    opened.keyboard.press("Enter")
    expect(opened.locator("#live")).to_have_text(
        "Learning rate 5: diverging, overflowed at epoch 19."
    )


def background(opened: Page) -> str:
    return opened.evaluate("() => getComputedStyle(document.body).backgroundColor")


@pytest.mark.slow
def test_the_theme_follows_the_system_or_the_readers_choice(open_page, runs) -> None:
    white, black = "rgb(255, 255, 255)", "rgb(15, 20, 25)"
    opened = open_page(color_scheme="dark")
    assert background(opened) == black
    opened.get_by_role("button", name="Light theme").click()
    assert background(opened) == white
    opened.get_by_role("button", name="Dark theme").click()
    assert background(opened) == black
    assert background(open_page(color_scheme="light")) == white
    assert background(open_page(page(runs, theme="dark"), color_scheme="light")) == black
    assert background(open_page(page(runs, theme="light"), color_scheme="dark")) == white


@pytest.mark.quick(1)
@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
def test_the_runs_have_the_themes_colours(open_page, look) -> None:
    opened = open_page(color_scheme=look.name)
    for slot, line in enumerate(opened.locator("#loss .run").all()):
        drawn = line.evaluate("(path) => getComputedStyle(path).stroke")
        red, green, blue = (int(part) for part in drawn[4:-1].split(","))
        of_theme = [look.run((slot + 1) % 3).line, look.run(slot).line]  # the chosen one is last
        assert f"#{red:02x}{green:02x}{blue:02x}" in of_theme
        assert contrast_ratio(f"#{red:02x}{green:02x}{blue:02x}", look.panel) >= 3


@pytest.mark.slow
def test_forced_colors_leave_every_mark_visible(open_page) -> None:
    opened = open_page(forced_colors="active")
    behind = opened.locator("#loss").evaluate("(svg) => getComputedStyle(svg).backgroundColor")
    for part, paint in (("#loss .run", "stroke"), ("#fit .head", "fill"), (".contour", "stroke")):
        mark = opened.locator(part).first
        assert mark.evaluate(f"(mark) => getComputedStyle(mark).{paint}") != behind


def test_without_javascript_there_is_a_table_of_verdicts(context, lesson, tmp_path) -> None:
    (tmp_path / "lesson.html").write_text(lesson, encoding="utf-8")
    opened = context(java_script_enabled=False).new_page()
    opened.goto((tmp_path / "lesson.html").as_uri())
    expect(opened.get_by_role("row")).to_have_count(4)
    expect(opened.get_by_role("row").last).to_contain_text("diverging: past the limit 0.9985")
    expect(opened.get_by_role("slider")).to_have_count(0)
    opened.get_by_text("Show the answer").click()
    expect(opened.locator("#answer")).to_contain_text("training breaks at 0.9985")
    opened.close()


def test_print_shows_the_end_in_light_colours_and_no_controls(open_page) -> None:
    opened = open_page(fragment="#epoch=3", color_scheme="dark")
    opened.evaluate("() => { dispatchEvent(new Event('beforeprint')); }")
    opened.emulate_media(media="print")
    assert background(opened) == "rgb(255, 255, 255)"
    controls = opened.locator("button, input, select, textarea, summary, .track, .handle")
    assert [one.inner_html() for one in controls.all() if one.is_visible()] == []
    for chart in ("#fit", "#loss", "#surface", "#bowl", "#rates"):
        expect(opened.locator(chart)).to_be_visible()
    expect(opened.locator(".verdict").first).to_have_text("✓ converged at epoch 70")
    opened.emulate_media(media="screen")
    opened.evaluate("() => { dispatchEvent(new Event('afterprint')); }")
    expect(opened.locator("#epoch-text")).to_have_text("3 of 100")


def test_a_hostile_title_runs_nothing(open_page, runs) -> None:
    opened = open_page(page(runs, title=HOSTILE))
    assert opened.title() == HOSTILE
    expect(opened.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(opened.locator("img")).to_have_count(0)
    expect(opened.get_by_role("radio")).to_have_count(3)


def test_it_works_in_a_sandboxed_frame_under_a_strict_policy(context, lesson) -> None:
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
    messages: list[str] = []
    opened = context(reduced_motion="reduce").new_page()
    opened.on("console", lambda message: messages.append(message.text))
    opened.on("pageerror", lambda error: messages.append(str(error)))
    frame = '<iframe sandbox="allow-scripts" src="lesson.html" width="900" height="700"></iframe>'
    opened.route(
        "http://page.test/**",
        lambda route: route.fulfill(
            body=lesson if route.request.url.endswith("lesson.html") else frame,
            content_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": policy} if "lesson" in route.request.url else {},
        ),
    )
    opened.goto("http://page.test/")
    inside = opened.frame_locator("iframe")
    expect(inside.locator(".verdict").last).to_have_text("✗ diverging")
    inside.get_by_role("textbox", name="Learning rate, exact").fill("0.76")
    inside.locator("summary", has_text="Share").click()
    inside.get_by_role("button", name="Copy command").click()
    expect(inside.locator("#copy-status")).to_contain_text("ommand")
    opened.close()
    assert messages == []


@pytest.mark.slow
def test_panels_are_drawn_at_their_size_when_the_window_changes(open_page) -> None:
    opened = open_page(viewport={"width": 1280, "height": 800})
    opened.set_viewport_size({"width": 500, "height": 800})
    opened.wait_for_function(
        "() => { const svg = document.getElementById('bowl');"
        " return Math.abs(svg.viewBox.baseVal.width - svg.getBoundingClientRect().width) < 1; }"
    )
    opened.set_viewport_size({"width": 1280, "height": 800})
