"""
Draw every view in every theme, size and number of rates, at the start, the middle and the end.

Prints each text that is cut off or overlaps another, and exits with 1 if there is one. Writes a
sheet for each view, theme and epoch to outputs/sheets/, with a row for each number of rates and a
column for each size.

With --shares it draws nothing, and prints a table instead: for each size and number of rates and
views, the share of the canvas that the panels take, the size of a panel and that of the text.
"""

import itertools
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

import geometry
import numpy as np
from PIL import Image

from animate import Animation, InputError, Line, Runs, train
from animate.drawing.scene import Scene
from animate.drawing.theme import THEMES
from animate.drawing.views import VIEWS
from animate.problems import moons
from animate.system.validation import SIZES

LRS = (0.1, 0.7, 1.01, 5, 0.01, 1e30, 0.9985, 0.2, 0.3, 0.4, 0.5, 0.6)
NETWORK_LRS = (0.03, 0.3, 3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
OF_A_NETWORK = ("boundary", "metric", "random_plane")  # which the line lacks; range needs its own
COUNTS = (1, 2, 3, 6, 12)
SHAPES = ("720p", "1080p", "square", "portrait")
MORE_SIZES = {"1080x1350": (1080, 1350), "phone": (390, 700)}
SHARED_VIEWS = ("fit", "loss", "surface", "bowl")  # of which the table takes the first 1 to 4
PAIRS = ("fit loss", "surface bowl")  # common combinations
EPOCHS = (0, 12, 100)
HEIGHT = 240  # of a thumbnail, in pixels
BACKGROUNDS = {"dark": "#0f1419"}
FOLDER = Path("outputs/sheets")


def main() -> int:
    """Write the sheets of the views on the command line, or of all; print faults."""
    if sys.argv[1:] == ["--shares"]:
        print_shares()
        return 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    views = sys.argv[1:] or [*(name for name in VIEWS if name != "range"), *PAIRS]
    jobs = list(itertools.product(views, THEMES))
    with multiprocessing.get_context("spawn").Pool() as pool:
        found = [fault for faults in pool.starmap(write_sheets, jobs) for fault in faults]
    for fault in found:
        print(fault)
    print(f"{len(jobs) * len(COUNTS) * len(SHAPES) * len(EPOCHS)} frames, {len(found)} faults")
    return bool(found)


def print_shares() -> None:
    """Print the share of the canvas that is panels, for rates by views in each size."""
    problem = Line.sample()
    counts = range(1, len(SHARED_VIEWS) + 1)
    print("size       rates ", *(f"{f'{count} views':>24}" for count in counts))
    for name, size in {**{shape: SIZES[shape] for shape in SHAPES}, **MORE_SIZES}.items():
        for rates in (1, 2, 3, 4, 6, 9, 12):
            runs = train(problem, LRS[:rates])
            cells = [share_text(runs, SHARED_VIEWS[:count], size) for count in counts]
            print(f"{name:10} {rates:5} ", *(f"{cell:>24}" for cell in cells), flush=True)


def share_text(runs: Runs, views: Sequence[str], size: tuple[int, int]) -> str:
    """Return the share of the panels, the size of one, and the size of text, in pixels."""
    try:
        scene = Scene(runs, list(views), size)
    except InputError:
        return "too small"
    boxes = [axes.get_window_extent() for axes in scene.figure.axes]
    share = sum(box.width * box.height for box in boxes) / (size[0] * size[1])
    panel = f"{boxes[0].width:.0f}x{boxes[0].height:.0f}"
    return f"{share:.2f} {panel:>9} text {scene.layout.em:.0f}"


def write_sheets(views: str, theme: str) -> list[str]:
    """Write the sheets of `views` in `theme` and return their faults."""
    problem, rates = (moons(), NETWORK_LRS) if views in OF_A_NETWORK else (Line.sample(), LRS)
    found = []
    rows: dict[int, list[list[Image.Image]]] = {epoch: [] for epoch in EPOCHS}
    for count in COUNTS:
        runs = train(problem, rates[:count], epochs=EPOCHS[-1])
        for row in rows.values():
            row.append([])
        for shape in SHAPES:
            try:
                film = Animation(runs, views.split(), SIZES[shape], theme=theme, timeline=EPOCHS)
            except InputError as error:
                print(f"{views}, {count} rates, {shape}: {error}")
                continue
            # Measuring texts marks them as changed, so all frames are drawn first.
            for epoch, frame in zip(EPOCHS, [*film.frames()], strict=True):
                film.scene.draw(epoch)
                where = f"{views}, {theme}, {count} rates, {shape}, epoch {epoch}: "
                found += [where + fault for fault in geometry.faults(film.scene)]
                rows[epoch][-1].append(thumbnail(frame, theme))
    for epoch, pictures in rows.items():
        contact_sheet(pictures).save(FOLDER / f"{views.replace(' ', '-')}-{theme}-{epoch:03}.png")
    return found


def thumbnail(frame: np.ndarray, theme: str) -> Image.Image:
    """Return `frame` on an opaque background, scaled down."""
    picture = Image.fromarray(frame)
    page = Image.new("RGBA", picture.size, BACKGROUNDS.get(theme, "#ffffff"))
    page.alpha_composite(picture)
    return page.resize((round(picture.width * HEIGHT / picture.height), HEIGHT))


def contact_sheet(rows: list[list[Image.Image]], gap: int = 6) -> Image.Image:
    """Return one picture with all `rows`."""
    width = max(sum(picture.width + gap for picture in row) for row in rows) + gap
    sheet = Image.new("RGB", (width, len(rows) * (HEIGHT + gap) + gap), "#888888")
    for number, row in enumerate(rows):
        left = gap
        for picture in row:
            sheet.paste(picture.convert("RGB"), (left, gap + number * (HEIGHT + gap)))
            left += picture.width + gap
    return sheet


if __name__ == "__main__":
    sys.exit(main())
