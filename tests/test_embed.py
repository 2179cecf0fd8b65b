"""--embed prints well-formed text with true descriptions; the files that it names exist."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from command import QUIET
from PIL import Image

from animate import Animation, Recipe, train
from animate.recipe import Output
from animate.recipe.destinations import CHECKED, DESTINATIONS, apply_limits
from animate.recipe.embed import alt_text

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


class Elements(HTMLParser):
    """The elements of a piece of HTML, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.found.append((tag, dict(attrs)))


def test_alt_text_describes_each_run_with_its_numbers(runs) -> None:
    assert alt_text(Recipe(outputs=["a.gif"]), runs) == (
        "A line is fitted to 100 points by gradient descent, over 100 epochs. "
        "At learning rate 0.1 the line reaches the data at epoch 70. "
        "At learning rate 0.7 the line reaches the data at epoch 8. "
        "At learning rate 1.01 it is diverging: past the limit 0.9985; "
        "its loss falls until epoch 2, then climbs."
    )


def test_alt_text_describes_an_overflow_and_an_unfinished_run(problem) -> None:
    slow, overflowing = train(problem, [0.001, 5], epochs=100)
    texts = [
        alt_text(Recipe(lrs=[run.lr], outputs=["a.gif"]), [run]) for run in (slow, overflowing)
    ]
    assert "0.001 the line is on its way: 92 % still to go after 100 epochs." in texts[0]
    assert f"and overflows at epoch {overflowing.diagnosis.overflowed_at}." in texts[1]


def test_markdown_names_the_picture_and_describes_it(run) -> None:
    done = run(*QUIET, "-o", "my film [1].gif", "--embed", "md")
    assert done.code == 0
    assert done.out.startswith("![A line is fitted to 100 points")
    assert done.out.endswith("](my%20film%20%5B1%5D.gif)\n")


def test_html_has_size_and_alt(run) -> None:
    done = run(*QUIET, "-o", 'a"><script>.gif', "--embed", "html")
    (tag, attributes), = Elements(done.out).found  # fmt: skip
    assert tag == "img"
    assert attributes["src"] == "a%22%3E%3Cscript%3E.gif"
    assert (attributes["width"], attributes["height"]) == ("640", "360")
    assert attributes["alt"].startswith("A line is fitted")


def test_a_poster_is_made_for_a_video(run, tmp_path) -> None:
    done = run(*QUIET, "-o", "a.mp4", "--embed", "html")
    tags = dict(Elements(done.out).found)
    video = tags["video"]
    assert {"controls", "loop", "muted", "playsinline"} <= set(video)
    assert "autoplay" not in video
    assert video["poster"] == "a-poster-still.png"
    assert tags["source"] == {"src": "a.mp4", "type": "video/mp4"}
    with Image.open(tmp_path / "a-poster-still.png") as image:
        assert image.size == (640, 360)


@pytest.mark.slow
def test_a_picture_follows_color_scheme_and_reduced_motion(run, tmp_path) -> None:
    done = run(*QUIET, "-o", "a.gif", "--embed", "picture")
    elements = Elements(done.out).found
    assert [tag for tag, _ in elements] == ["picture", "source", "source", "source", "img"]
    for tag, attributes in elements[1:]:
        assert (tmp_path / attributes["src" if tag == "img" else "srcset"]).stat().st_size > 0
    corners = []
    for name in ("a.gif", "a-dark.gif"):
        with Image.open(tmp_path / name) as image:
            corners.append(sum(image.convert("RGB").getpixel((0, 0))))
    assert corners[0] > 700
    assert corners[1] < 100


def test_a_picture_with_a_theme_of_its_own_is_refused(run) -> None:
    done = run(*QUIET, "-o", "a.gif", "--embed", "picture", "--theme", "dark")
    assert done.code == 2
    assert "leave out one of them" in done.err


def test_an_unknown_kind_of_text_is_refused(run) -> None:
    done = run(*QUIET, "-o", "a.gif", "--embed", "latex")
    assert done.code == 2
    assert "kind of text 'latex' is unknown" in done.err


@pytest.mark.parametrize(
    ("place", "path", "size"),
    [("github", "convergence.gif", "800x450"), ("google-slides", "convergence.gif", "1280x720"),
     ("x", "convergence.gif", "1280x720")],
)  # fmt: skip
def test_a_destination_sets_format_and_size(run, place, path, size) -> None:
    done = run("--for", place, "--dry-run")
    assert done.code == 0
    assert f"outputs/{path}  {size}" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--for", "x", "-o", "a.webm"], "x does not take a.webm; give a file in .gif"),
        (["--for", "x", "-o", "a.png"], "x does not take a.png; give a file in .gif"),
        (
            ["--for", "google-slides", "-o", "a.svg", "-o", "b.gif"],
            "google-slides does not take a.svg",
        ),
        (["--for", "myspace"], "destination 'myspace' is unknown"),
        (["--for", "google-slides", "--size", "8000x4500"], "takes 25 million"),
    ],
)
def test_files_that_a_destination_does_not_accept_are_refused(run, arguments, message) -> None:
    done = run(*arguments, "--dry-run")
    assert done.code == 2
    assert message in done.err


def test_the_smaller_of_two_size_limits_holds() -> None:
    outputs = [Output("a.gif", {"max_size": "50MB"}), Output("b.gif", {"max_size": "1MB"}), "c.png"]
    bound = apply_limits("github", Recipe(outputs=outputs))
    assert [part.max_size for part in bound.by_output] == [10_000_000, 1_000_000, None]
    assert {part.pixels for part in bound.by_output} == {(800, 450)}


def test_the_readme_lists_the_destinations() -> None:
    for name, place in DESTINATIONS.items():
        (row,) = [line for line in README.splitlines() if line.startswith(f"| `{name}`")]
        _, _, films, limit, source, _ = (cell.strip() for cell in row.split("|"))
        assert films == ", ".join(suffix[1:].upper() for suffix in place.films)
        assert limit.startswith(f"{place.max_size / 1e6:g} MB")
        assert source == place.source
    assert f"Checked in {CHECKED}" in README


def test_a_notebook_shows_the_film_as_a_video_in_the_page(runs, monkeypatch) -> None:
    film = Animation(runs, ["fit"], (640, 360), timeline=[0, 1, 2])
    html = film._repr_html_()
    (video, source) = Elements(html).found
    assert (video[0], video[1]["width"]) == ("video", "640")
    assert source[1]["src"].startswith("data:video/mp4;base64,")
    monkeypatch.setitem(__import__("matplotlib").rcParams, "animation.embed_limit", 0.001)
    assert "embed_limit" in film._repr_html_()


def test_a_transparent_film_is_shown_as_an_image(runs) -> None:
    film = Animation(runs, ["fit"], (640, 360), timeline=[0, 1], theme="transparent")
    (image,) = Elements(film._repr_html_()).found
    assert image[1]["src"].startswith("data:image/gif;base64,")


def test_alt_text_describes_the_views_at_their_epoch(runs) -> None:
    start = alt_text(Recipe(at=["start"], outputs=["a.png"]), runs)
    assert "at epoch 0. At learning rate 0.1 100 % of the way is left." in start
    assert "epoch 70" not in start
    data = alt_text(Recipe(views=["data"], outputs=["a.png"]), runs)
    assert data == "100 points, and the line that fits them best, y = 2.99 x + 2.49."
    assert "epoch 70" not in alt_text(Recipe(views=["cliff"], outputs=["a.png"]), runs)
    eighth = alt_text(Recipe(at=[0, 8], outputs=["a.png"]), runs)
    assert "At learning rate 0.7 the line reaches the data at epoch 8." in eighth


@pytest.mark.slow
def test_two_films_of_one_name_have_a_still_each(run, tmp_path) -> None:
    done = run(*QUIET, "-o", "m.gif", "-o", "m.mp4", "--size", "800x450", "--embed", "picture")
    assert done.code == 0, done.err
    made = {path.name for path in tmp_path.iterdir()}
    assert {"m-dark.gif", "m-dark.mp4", "m-still.png", "m-poster-still.png"} <= made


def test_the_poster_has_the_videos_own_theme(run, tmp_path) -> None:
    run(*QUIET, "-o", "a.mp4", "--embed", "md", "--theme", "dark")
    with Image.open(tmp_path / "a-poster-still.png") as image:
        assert max(image.convert("RGB").getpixel((0, 0))) < 64


def test_a_still_is_embedded_light_and_dark(run, tmp_path) -> None:
    done = run(*QUIET[:4], "--quiet", "-o", "a.png", "--embed", "picture")
    source = dict(Elements(done.out).found)["source"]
    assert source == {"media": "(prefers-color-scheme: dark)", "srcset": "a-dark.png"}
    assert (tmp_path / "a-dark.png").exists()


@pytest.mark.parametrize("outputs", [["a.pdf"], ["frames/"], ["run.json"]])
def test_nothing_to_embed_is_refused_before_anything_is_made(run, tmp_path, outputs) -> None:
    done = run("-o", *outputs, "--embed", "md")
    assert done.code == 2
    assert "there is nothing to embed" in done.err
    assert not list(tmp_path.iterdir())


def test_an_output_with_the_path_of_a_companion_is_refused(run) -> None:
    done = run(*QUIET, "-o", "a.gif", "-o", "a-dark.gif", "--embed", "picture")
    assert done.code == 2
    assert "makes a-dark.gif beside a.gif" in done.err
