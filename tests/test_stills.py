"""Stills are read back: by Pillow, by an XML parser, and as the objects of a PDF."""

import re
import zlib
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pictures
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from PIL import Image

from animate import Animation, InputError, train
from animate.drawing.clock import resolve_moments
from animate.drawing.layout import TooSmallError
from animate.drawing.medium import PAPER, STILL
from animate.drawing.scene import Scene
from animate.drawing.sheet import Sheet, panel_boxes, plan_sheet
from animate.drawing.stills import FORMATS, grid
from animate.drawing.theme import THEMES
from animate.drawing.views import load
from animate.recipe import STILLS, Recipe
from animate.recipe.making import make
from animate.recipe.settings import as_settings
from animate.system.numbers import value_text

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def anim(runs) -> Animation:
    return Animation(runs, views=["fit", "loss"], size=(960, 540), timeline=[0, 8, 40, 100])


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("RGBA"))


def words(path: Path) -> list[str]:
    """Return what the outlines of letters in an SVG say."""
    return re.findall(r"<!-- (.*?) -->", path.read_text())


@pytest.mark.quick(1)
@pytest.mark.parametrize("at", ["end", 8])
def test_a_png_is_matplotlibs_drawing_of_the_scene_without_anything_of_a_film(
    anim, tmp_path, at
) -> None:
    path = tmp_path / "a.png"
    anim.save(path, at=at)
    scene = Scene(anim.scene.runs, ["fit", "loss"], (960, 540), medium=STILL,
                  states_moment=at != "end")  # fmt: skip
    scene.draw(100 if at == "end" else at)
    scene.figure.savefig(tmp_path / "own.png")
    np.testing.assert_array_equal(pixels(path), pixels(tmp_path / "own.png"))
    frame = list(anim.frames())[1 if at == 8 else -1]
    assert not np.array_equal(pixels(path), frame)
    assert scene.layout.panels[0][0].box.height > anim.scene.layout.panels[0][0].box.height


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("at", "stated"),
    [(None, []), ("end", []), (100, ["epoch 100"]), (8, ["epoch 8"]), ("start", ["epoch 0"])],
)
def test_a_still_says_its_epoch_unless_it_is_the_end(anim, tmp_path, at, stated) -> None:
    path = tmp_path / "a.svg"
    anim.save(path, at=at)
    assert [text for text in words(path) if text.startswith("epoch")] == stated
    assert not any(" of 100" in text for text in words(path))


def test_the_last_epoch_is_shown_unless_another_is_asked_for(anim, tmp_path) -> None:
    anim.save(tmp_path / "default.png")
    anim.save(tmp_path / "end.png", at="end")
    assert (tmp_path / "default.png").read_bytes() == (tmp_path / "end.png").read_bytes()


def test_names_stand_for_epochs(runs) -> None:
    assert [resolve_moments([name], runs)[0] for name in ("start", "end", "converged")] == [
        0,
        100,
        70,
    ]
    with pytest.raises(InputError, match="no run converges within 100 epochs"):
        resolve_moments(["converged"], runs[2:])


@pytest.mark.quick(1)
@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("at", [8, pytest.param([0, 8, 40, 100], marks=pytest.mark.slow)])
def test_the_same_scene_gives_the_same_bytes(runs, tmp_path, suffix, at) -> None:
    found = set()
    for name in ("one", "other"):
        path = tmp_path / f"{name}{suffix}"
        Animation(runs, size=(1920, 1080)).save(path, at=at)
        found.add(path.read_bytes())
    assert len(found) == 1


def test_an_svg_has_outlines_for_text_and_neither_date_nor_maker(anim, tmp_path) -> None:
    path = tmp_path / "end.svg"
    anim.save(path)
    tree = ElementTree.parse(path)
    assert tree.getroot().get("viewBox") == "0 0 960 540"
    assert not list(tree.iter(f"{SVG}text"))
    assert len(list(tree.iter(f"{SVG}use"))) > 100  # the outlines of letters
    text = path.read_text()
    assert "dc:date" not in text
    assert mpl.__version__ not in text


def test_a_pdf_has_a_page_an_epoch_and_truetype_fonts_and_no_date(anim, tmp_path) -> None:
    path = tmp_path / "steps.pdf"
    anim.save(path, at=[0, 8, 40])
    data = path.read_bytes()
    assert len(re.findall(rb"/Type /Page\b", data)) == 3
    assert data.count(b"/CIDFontType2") >= 1  # TrueType, embedded as Type 42
    assert b"/Type3" not in data
    assert b"CreationDate" not in data
    box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", data)
    assert [float(side) for side in box.groups()] == [960, 540]
    streams = re.findall(rb"stream\r?\n(x.*?)endstream", data, re.DOTALL)
    assert len({zlib.decompress(stream) for stream in streams}) >= 3


@pytest.mark.quick(1)
@pytest.mark.parametrize("size", [(1600, 900), (700, 1500)], ids=["across", "down"])
def test_a_sheets_panels_are_those_of_films_at_its_moments(runs, size) -> None:
    moments = [0, 8, 40, 100]
    views = list(map(load, ["fit", "landscape"]))
    sheet = Sheet(runs, views, moments, size, THEMES["light"], "", {}, STILL)
    axes = iter(sheet.figure.axes)
    film = Scene(runs, views, (1280, 720))
    for view in [film.views[index] for index in (0, 1, 2, 3)]:
        for moment in moments:
            film.draw(moment)
            ones, others = view.panel.axes, next(axes)
            for one, other in zip(ones.lines, others.lines, strict=True):
                if len(one.get_xydata()) > 1:  # a single marker may be clipped to its panel
                    np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())
            if not view.across:  # a map's limits follow from the shape of its panel
                assert ones.get_xlim() == others.get_xlim()
    assert next(axes, None) is None


@pytest.mark.quick(1)
@pytest.mark.parametrize("title", [None, "Three rates, once"])
@pytest.mark.parametrize("size", [(1600, 900), (700, 1500)], ids=["across", "down"])
def test_a_sheet_says_each_thing_once(runs, tmp_path, title, size) -> None:
    path = tmp_path / "sheet.svg"
    Animation(runs, ["fit"], (1600, 900), title=title).save(path, at=[0, 8, 40, 100], size=size)
    told = words(path)
    for once in (
        title or "What does the learning rate do?", "✓ converged at epoch 8", "best fit",
        "epoch 0", "epoch 8", "epoch 40", "epoch 100",
    ):  # fmt: skip
        assert told.count(once) == 1, once
    assert len([text for text in told if text in ("learning rate 0.7", "lr 0.7")]) == 1
    assert len([text for text in told if "y against x" in text]) == 1
    losses = [f"loss {value_text(run.losses[at])}" for run in runs for at in (0, 8, 40, 100)]
    assert sorted(text for text in told if text.startswith("loss ")) == sorted(losses)


def test_a_sheet_says_nothing_that_happens_after_its_last_moment(runs, tmp_path) -> None:
    path = tmp_path / "sheet.svg"
    Animation(runs, ["fit"], (1600, 900)).save(path, at=[8, 0, 40])
    told = words(path)
    assert "✓ converged at epoch 8" in told
    assert "✗ diverging: past the limit 0.9985" in told
    assert not [text for text in told if "epoch 70" in text]


def test_a_legend_beside_a_caption_shows_its_lines(runs) -> None:
    views = [load("fit")]
    sheet = Sheet(runs, views, [0, 8], (1600, 900), THEMES["light"], "", {}, STILL)
    assert not any(axes.get_legend() for axes in sheet.figure.axes)
    (ink,) = {to_rgb(THEMES["light"].ink)}
    samples = [
        line
        for line in sheet.figure.artists
        if isinstance(line, Line2D) and to_rgb(line.get_color()) == ink
    ]
    assert [line.get_linestyle() for line in samples] == ["--", "--"]
    canvas = sheet.figure.canvas
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., :3].min(axis=2)
    for line in samples:
        (left, y), (right, _) = (
            line.get_transform().transform(line.get_xydata()).round().astype(int)
        )
        assert drawn[900 - y - 2 : 900 - y + 2, left:right].min() < 100


@pytest.mark.parametrize("size", [(1600, 900), (700, 1500), (500, 500)])
@pytest.mark.parametrize("views", [["fit"], ["fit", "loss"], ["landscape"], ["cliff", "surface"]])
@pytest.mark.parametrize("moments", [2, 4, 9])
def test_panels_of_a_sheet_neither_overlap_nor_leave_it(size, views, moments) -> None:
    views = [load(view) for view in views]
    try:
        plan = plan_sheet(views, 3, moments, size, STILL, title_lines=1)
    except TooSmallError as error:
        size = error.minimum_size
        plan = plan_sheet(views, 3, moments, size, STILL, title_lines=1)
    assert plan.em(size) >= STILL.min_em
    boxes = list(panel_boxes(plan, size))
    assert len(boxes) == moments * sum(1 if view.across else 3 for view in views)
    for number, box in enumerate(boxes):
        assert 0 < box.left < box.left + box.width <= size[0]
        assert 0 < box.bottom < box.top <= size[1] - plan.em(size)
        for other in boxes[:number]:
            apart = (
                box.left >= other.left + other.width or other.left >= box.left + box.width,
                box.bottom >= other.top or other.bottom >= box.top,
            )
            assert any(apart)


@pytest.mark.slow
def test_a_sheet_too_small_to_read_is_refused_with_the_size_that_would_do(runs, tmp_path) -> None:
    film = Animation(runs)
    with pytest.raises(InputError, match="a sheet of 4 pictures; give at least") as told:
        film.save(tmp_path / "a.png", at=[0, 8, 40, 100], size=(300, 200))
    enough = tuple(map(int, re.search(r"least (\d+)x(\d+)", str(told.value)).groups()))
    film.save(tmp_path / "a.png", at=[0, 8, 40, 100], size=enough)
    assert pixels(tmp_path / "a.png").shape[:2] == enough[::-1]


def test_a_sheets_grid_keeps_its_pictures_wide() -> None:
    assert [grid(count) for count in (1, 2, 3, 4, 6, 9)] == [
        (1, 1), (1, 2), (2, 2), (2, 2), (2, 3), (3, 3),
    ]  # fmt: skip
    assert grid(4, (4000, 500)) == (4, 1)


@pytest.mark.parametrize("at", [101, -1, "middle", [], [0, "nowhere"], True])
def test_an_epoch_that_cannot_be_shown_is_named(anim, tmp_path, at) -> None:
    with pytest.raises(InputError, match="epoch"):
        anim.save(tmp_path / "a.png", at=at)
    assert not list(tmp_path.iterdir())


def test_a_sheet_has_no_hole_where_its_grid_has_no_picture(runs, tmp_path) -> None:
    path = tmp_path / "a.png"
    Animation(runs, ["fit"], (1600, 900), theme="dark").save(path, at=[0, 1, 2])
    sheet = pixels(path)
    np.testing.assert_array_equal(sheet[-1, -1], sheet[0, 0])
    assert sheet[-1, -1, :3].max() < 64


def test_a_transparent_still_shows_what_is_behind_it(runs, tmp_path) -> None:
    for suffix in (".png", ".svg"):
        Animation(runs, theme="transparent").save(tmp_path / f"a{suffix}")
    assert pixels(tmp_path / "a.png")[..., 3].min() == 0
    assert re.search(r"opacity: 0[;\"]", (tmp_path / "a.svg").read_text())


@pytest.mark.slow
def test_overflow_and_every_view_can_be_a_vector_still(problem, tmp_path) -> None:
    runs = train(problem, [0.7, 5, 1e30], epochs=60)
    film = Animation(runs, pictures.VIEWS_OF_A_LINE, (1920, 4320))
    for name, at in (("a.svg", "end"), ("a.pdf", [0, 30, 60])):
        film.save(tmp_path / name, at=at)
        assert (tmp_path / name).stat().st_size > 5000 * len(pictures.VIEWS_OF_A_LINE)


@pytest.mark.slow
def test_nothing_needs_opacity_which_some_programs_drop_from_a_pdf(runs, tmp_path) -> None:
    path = tmp_path / "a.svg"
    for theme in ("light", "dark"):
        Animation(runs, ["fit", "loss", "surface", "bowl"], (1280, 1280), theme=theme).save(
            path, at=3
        )
        opacities = re.findall(r"opacity: ([\d.]+)", path.read_text())
        assert {float(opacity) for opacity in opacities} <= {0.0, 1.0}


def test_the_recipe_knows_the_stills_that_there_are() -> None:
    assert tuple(FORMATS) == STILLS


POINTS = {"mm": 72 / 25.4, "cm": 72 / 2.54, "in": 72.0, "pt": 1.0}


def media_box(path: Path) -> list[float]:
    box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", path.read_bytes())
    return [float(side) for side in box.groups()]


def text_sizes(path: Path) -> set[float]:
    """Return the sizes in points of all text in a PDF, from its operator Tf."""
    streams = re.findall(rb"stream\r?\n(x.*?)endstream", path.read_bytes(), re.DOTALL)
    text = b"".join(map(zlib.decompress, streams))
    return {float(size) for size in re.findall(rb"/F\S+ (\S+) Tf", text)}


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "size",
    [
        "180mm",
        "17.4x12cm",
        *(pytest.param(size, marks=pytest.mark.slow) for size in ("6.5in", "500x400pt")),
    ],
)
@pytest.mark.parametrize("at", ["end", pytest.param([0, 2, 8], marks=pytest.mark.slow)])
def test_a_size_on_paper_is_exactly_that_of_the_file(anim, tmp_path, size, at) -> None:
    sides, unit = re.fullmatch(r"([\d.x]+)(\w+)", size).groups()
    wanted = [float(side) * POINTS[unit] for side in sides.split("x")]
    anim.save(tmp_path / "a.pdf", at=at, size=size)
    anim.save(tmp_path / "a.svg", at=at, size=size)
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    svg = [float(root.get(name).removesuffix("pt")) for name in ("width", "height")]
    for found in (media_box(tmp_path / "a.pdf"), svg):
        assert found[: len(wanted)] == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("views", ["loss", ["bowl", "weights"]])
@pytest.mark.parametrize("count", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_text_on_paper_has_7_to_9_points(runs, tmp_path, views, count) -> None:
    film = Animation(runs[:count], views, title="A title")
    for size in ("86mm", "180mm", "400mm"):
        film.save(tmp_path / "a.pdf", size=size, at=8)
        sizes = text_sizes(tmp_path / "a.pdf")
        assert 7 <= min(sizes) <= max(sizes) <= 9


def test_a_sheet_on_paper_has_text_of_7_to_9_points(runs, tmp_path) -> None:
    film = Animation(runs, ["fit"])
    film.save(tmp_path / "a.svg", size="180mm", at=[0, 2, 8])
    sizes = {
        float(size) for size in re.findall(r"scale\((0\.\d+) -", (tmp_path / "a.svg").read_text())
    }
    assert 0.07 <= min(sizes) <= max(sizes) <= 0.09  # of outlines that are 100 units large


@pytest.mark.quick(1)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg"])
def test_a_raster_image_on_paper_has_300_pixels_an_inch_and_says_so(anim, tmp_path, suffix) -> None:
    path = tmp_path / f"a{suffix}"
    anim.save(path, size="180x120mm")
    with Image.open(path) as image:
        assert image.size == (2126, 1417)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_raster_image_on_paper_is_the_vector_image_in_pixels(anim, tmp_path) -> None:
    anim.save(tmp_path / "a.png", size="180x120mm")
    with Image.open(tmp_path / "a.png") as large:
        reduced = np.asarray(large.convert("L").resize((51, 34), Image.Resampling.BOX), float)
        paper = Scene(anim.scene.runs, ["fit", "loss"], (510, 340), medium=PAPER,
                      states_moment=False)  # fmt: skip
        paper.draw(100)
        paper.figure.savefig(tmp_path / "c.png")
    with Image.open(tmp_path / "c.png") as drawn:
        same = np.asarray(drawn.convert("L").resize((51, 34), Image.Resampling.BOX), float)
    assert np.abs(reduced - same).mean() < 3


@pytest.mark.quick(3)
@pytest.mark.parametrize("size", ["86x20mm", "30mm", "5x3cm", "1.5x1in", "90x60pt", "20mm"])
@pytest.mark.parametrize("at", ["end", [0, 2, 8]])
def test_a_size_on_paper_that_is_too_small_is_refused_with_one_that_would_do(
    runs, tmp_path, size, at
) -> None:
    film = Animation(runs, ["fit"])
    with pytest.raises(InputError, match="at 7 pt; give at least") as told:
        film.save(tmp_path / "a.svg", size=size, at=at)
    enough = re.search(r"least (\S+),", str(told.value)).group(1)
    assert ("x" in enough, enough[-2:]) == ("x" in size, size[-2:])
    film.save(tmp_path / "a.svg", size=enough, at=at)


@pytest.mark.parametrize(
    "size", ["9mm", "1200mm", "0in", "5mmx5mm", "86 m", "-86mm", "1e2mm", "86"]
)
def test_a_size_that_is_none_is_refused(anim, tmp_path, size) -> None:
    with pytest.raises(InputError, match="size"):
        anim.save(tmp_path / "a.pdf", size=size)
    assert not list(tmp_path.iterdir())


def test_a_film_on_paper_is_refused_and_told_what_to_do(runs, tmp_path) -> None:
    with pytest.raises(InputError, match="a film has pixels; give WIDTHxHEIGHT"):
        Animation(runs, size="86mm")
    with pytest.raises(InputError, match="give it to Animation"):
        Animation(runs).save(tmp_path / "a.mp4", size="86mm")
    with pytest.raises(InputError, match=r"a\.mp4: size 86mm .* a film has pixels"):
        make(Recipe(size="86mm", outputs=[tmp_path / "a.mp4"]))
    assert not list(tmp_path.iterdir())


def test_a_figure_on_paper_has_a_title_only_if_one_is_given(runs, tmp_path) -> None:
    path = tmp_path / "a.svg"
    Animation(runs).save(path, size="180mm")
    assert not any("learning rate do" in text for text in words(path))
    Animation(runs, title="Mine").save(path, size="180mm")
    assert words(path).count("Mine") == 1


@pytest.mark.slow
def test_a_jpeg_is_the_png_but_for_its_compression_and_never_transparent(runs, tmp_path) -> None:
    film = Animation(runs, size=(960, 540))
    film.save(tmp_path / "a.png")
    for name in ("a.jpg", "a.jpeg", "A.JPG"):
        film.save(tmp_path / name)
        apart = np.abs(pixels(tmp_path / name).astype(int) - pixels(tmp_path / "a.png"))
        assert apart.mean() < 1
    with pytest.raises(
        InputError, match=r"cannot be transparent; choose another theme, or .*\.png"
    ):
        Animation(runs, theme="transparent").save(tmp_path / "b.jpg")


def test_a_recipe_keeps_a_size_on_paper_as_it_was_given() -> None:
    recipe = Recipe(size="3.4x2.2in", outputs=["a.pdf"])
    assert as_settings(recipe)["size"] == "3.4x2.2in"
    assert Recipe(size=as_settings(recipe)["size"], outputs=["a.pdf"]) == recipe


def test_a_sheets_long_title_is_set_in_two_lines(runs) -> None:
    title = "What three learning rates do to the same line, in the first epochs and at the end"
    picture = Animation(runs, "fit", title=title).picture
    sheet = Sheet(
        runs, picture.views, [0, 8], (500, 400), picture.theme, title, picture.data, STILL
    )
    lines = [text.get_text() for text in sheet.figure.texts if text.get_text() in title]
    assert " ".join(lines) == title
    assert len(lines) == 2
    assert sheet.notes == []
