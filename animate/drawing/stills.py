"""
Stills: runs at single moments, as PNG, JPEG, SVG or PDF, for a screen or at a size on paper.

A still carries nothing of a film. It says which moment it shows, unless that is the end. Several
moments are pages of a PDF, and small multiples on one sheet in the other formats. Files contain no
date, version or random name, so that the same picture gives the same bytes.
"""

import math
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import ExifTags, Image

from animate.drawing.clock import Clock, resolve_moments
from animate.drawing.layout import NAME_WIDTH, SHORT_NAME_WIDTH, Box, Layout, TooSmallError
from animate.drawing.medium import PAPER, STILL, Medium
from animate.drawing.scene import (
    DPI,
    Scene,
    missing_notes,
    name_widths,
    picture_title,
    plan_layout,
)
from animate.drawing.sheet import Sheet, panel_boxes, plan_sheet, title_lines
from animate.drawing.text import MISSING, text_width
from animate.drawing.theme import Theme
from animate.drawing.views import View
from animate.system import files
from animate.system.errors import InputError
from animate.system.validation import MOST_PAPER, UNITS, PaperSize
from animate.training.trajectory import Trajectory

Size = tuple[int, int] | PaperSize
Moment = float | str
Measure = Callable[[tuple[int, int], Medium], Sequence[Box]]
"""Returns the boxes of all panels in a picture of some size, or raises `TooSmallError`."""

ASPECT = 16 / 9  # preferred for one picture
PAGE_SIZE = 1414, 1000  # the aspect ratio of A4, landscape
# Of the flattest panel, where the height is ours to choose: of one or two rows, and of more.
PANEL_ASPECT, STACKED_ASPECT = 1.6, 2.3
HEIGHT_STEP = 3  # points
PRINT_DPI = 300
JPEG_QUALITY = 92


@dataclass(frozen=True, eq=False)
class Picture:
    """
    What a still shows, whatever its size.

    Attributes
    ----------
    runs : sequence of Trajectory
    views : sequence of View classes
    theme : Theme
    title : str or None
        Plain text; None for the default, which a figure on paper does not have.
    data : mapping
        The precomputed data that the views need.
    """

    runs: Sequence[Trajectory]
    views: Sequence[type[View]]
    theme: Theme
    title: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def grid(count: int, size: tuple[int, int] | None = None) -> tuple[int, int]:
    """
    Return the numbers of columns and rows for `count` pictures on a sheet of `size`.

    >>> grid(4), grid(4, (2400, 400)), grid(4, (400, 1000))
    ((2, 2), (4, 1), (1, 4))
    """
    width, height = size or PAGE_SIZE

    def distortion(columns: int) -> tuple[float, int]:
        rows = math.ceil(count / columns)
        shape = (width / columns) / (height / rows)
        return abs(math.log(shape / ASPECT)), columns

    columns = min(range(1, count + 1), key=distortion)
    return columns, math.ceil(count / columns)


def save(
    picture: Picture,
    path: files.AnyPath,
    at: Iterable[Moment],
    size: Size,
    alt: str | None = None,
    on_note: Callable[[str], None] | None = None,
) -> None:
    """
    Write `picture` to `path`, completely or not at all.

    Parameters
    ----------
    picture : Picture
    path : path
        Ending in one of `FORMATS`.
    at : iterable of numbers, "start", "end" or "converged"
        The moments. One that is "end" is not stated.
    size : (int, int) or PaperSize
        Of each page, in pixels or on paper. On paper, the others have 300 pixels an inch.
    alt : str, optional
        The alternative text that the file holds.
    on_note : callable, optional
        Called with each sentence on what is shown otherwise than it was given.

    Raises
    ------
    InputError
        If the extension is unknown, or has no transparency and the theme needs it; if there is no
        such moment; or if text would be too small to read.
    OutputError
        If the file cannot be written. An existing file is then left unchanged.
    """
    suffix = files.extension(path, FORMATS)
    files.check(path)
    check_transparency(path, transparent=picture.theme.transparent)
    at = list(at)
    moments = resolve_moments(at, picture.runs)
    is_sheet = len(moments) > 1 and suffix not in PAGED
    states_moment = len(moments) > 1 or at[0] != "end"
    longest = Clock.of(picture.runs).longest_name if states_moment else ""
    with picture.theme.applied():
        measure = _measure(
            len(picture.runs), picture.views, picture.title, longest,
            len(moments) if is_sheet else 1, name_widths(picture.runs),
        )  # fmt: skip
        pixels, points = _resolve_size(size, measure)
        medium = _medium(size)
        title = picture_title(picture.runs, picture.title, medium)
        figures: Iterator[Figure]
        if is_sheet:
            sheet = Sheet(
                picture.runs, picture.views, moments, pixels, picture.theme, title,
                picture.data, medium,
            )  # fmt: skip
            figures = iter([sheet.figure])
            notes = [*sheet.notes, *missing_notes(picture.runs, picture.title or "")]
        else:
            scene = Scene(
                picture.runs, list(picture.views), pixels, picture.theme, picture.title,
                data=picture.data, medium=medium, states_moment=states_moment,
            )  # fmt: skip
            figures, notes = _pages(scene, moments), scene.notes
        with files.atomic(path) as temporary:
            FORMATS[suffix](
                _sized(figures, points, _dpi(size)), str(temporary), Description.of(title, alt)
            )
    for sentence in notes:
        if on_note is not None:
            on_note(sentence)


def check(
    path: files.AnyPath,
    size: Size,
    runs: int,
    views: Sequence[type[View]],
    at: Sequence[Moment],
    title: str | None,
    longest_moment: str,
) -> None:
    """
    Raise `InputError` if a still of this many runs of a Line would be too small to read.

    `longest_moment` is the longest name of a moment.
    """
    is_sheet = len(at) > 1 and not _is_paged(path)
    states_moment = len(at) > 1 or at[0] != "end"
    longest = longest_moment if states_moment else ""
    _resolve_size(size, _measure(runs, views, title, longest, len(at) if is_sheet else 1))


def check_transparency(path: files.AnyPath, *, transparent: bool) -> None:
    """Raise `InputError` if the theme is transparent and the format of `path` is not."""
    if transparent and files.extension(path, FORMATS) in OPAQUE:
        able = ", ".join(suffix for suffix in FORMATS if suffix not in OPAQUE)
        raise InputError(f"{path} cannot be transparent; choose another theme, or one of {able}")


def default_size(path: files.AnyPath, count: int, picture: tuple[int, int]) -> tuple[int, int]:
    """Return the size in pixels of a still of `count` moments, each of size `picture`."""
    columns, rows = (1, 1) if _is_paged(path) else grid(count)
    return columns * picture[0], rows * picture[1]


def _is_paged(path: files.AnyPath) -> bool:
    return files.extension(path, FORMATS) in PAGED


def _medium(size: Size) -> Medium:
    return PAPER if isinstance(size, PaperSize) else STILL


def _dpi(size: Size) -> int:
    """Return the resolution of raster images."""
    return PRINT_DPI if isinstance(size, PaperSize) else DPI


def _measure(
    runs: int,
    views: Sequence[type[View]],
    title: str | None,
    longest: str,
    moments: int,
    widths: tuple[float, float] = (NAME_WIDTH, SHORT_NAME_WIDTH),
) -> Measure:
    """
    Return a function that places the panels of one moment, or of a sheet of several.

    `widths` are those of the names of the runs, as `name_widths` returns them.
    """

    def of_one(size: tuple[int, int], medium: Medium) -> Sequence[Box]:
        return _panels(plan_layout(runs, views, size, title, longest, medium, widths))

    def of_several(size: tuple[int, int], medium: Medium) -> Sequence[Box]:
        default = "One line" if medium.has_default_title else ""
        plan = plan_sheet(
            views, runs, moments, size, medium,
            title_lines=title_lines(default if title is None else title),
            moment_width=text_width(longest, 1, bold=True),
        )  # fmt: skip
        return list(panel_boxes(plan, size))

    return of_one if moments == 1 else of_several


def _panels(layout: Layout) -> list[Box]:
    return [place.box for places in (*layout.panels, layout.across) for place in places]


def _resolve_size(size: Size, measure: Measure) -> tuple[tuple[int, int], tuple[float, float]]:
    """
    Return the size in pixels for the layout, and the exact size in points.

    Raises
    ------
    InputError
        If text would be too small to read.
    """
    medium = _medium(size)
    if not isinstance(size, PaperSize):
        measure(size, medium)
        return size, size
    try:
        width, height = size.points
        if height is None:
            height = _suitable_height(width, lambda pixels: measure(pixels, medium))
        pixels = round(width), round(height)
        measure(pixels, medium)
    except TooSmallError as error:
        enough = size.rounded_up(error.minimum_size)
        raise InputError(
            f"size {size} is too small to read this at {medium.min_em:g} pt; give at least "
            f"{enough}, or fewer runs, views or moments"
        ) from None
    return pixels, (width, height)


def _suitable_height(width: float, measure: Callable[[tuple[int, int]], Sequence[Box]]) -> float:
    """
    Return the least height in points at which no panel is too flat.

    Raises
    ------
    TooSmallError
        If there is none, since the width is too small.
    """
    problem: TooSmallError | None = None
    highest = min(6 * width, MOST_PAPER * UNITS["mm"])
    for height in np.arange(20 * HEIGHT_STEP, highest, HEIGHT_STEP).tolist():
        try:
            boxes = measure((round(width), round(height)))
        except TooSmallError as error:
            problem = error
            continue
        problem = None
        aspect = PANEL_ASPECT if len({box.bottom for box in boxes}) <= 2 else STACKED_ASPECT
        if all(box.width <= aspect * box.height for box in boxes):
            return float(height)
    if problem is not None:
        raise problem
    return float(highest)


def _pages(scene: Scene, moments: Sequence[float]) -> Iterator[Figure]:
    for moment in moments:
        scene.draw(moment)
        yield scene.figure


def _sized(figures: Iterator[Figure], points: tuple[float, float], dpi: int) -> Iterator[Figure]:
    """Yield `figures` with exactly this size, and this resolution of raster images."""
    for figure in figures:
        # A layout has whole points; its boxes are relative to the figure, and text is not.
        figure.set_size_inches(points[0] / 72, points[1] / 72)
        figure.set_dpi(dpi)
        yield figure


def _raster(pages: Iterator[Figure]) -> FigureCanvasAgg:
    """Return a canvas of the first of `pages`, with its size rounded to whole pixels."""
    figure = next(pages)
    width, height = (
        _inches(round(side * figure.dpi), figure.dpi) for side in figure.get_size_inches()
    )
    figure.set_size_inches((width, height))
    return FigureCanvasAgg(figure)


def _inches(pixels: int, dpi: float) -> float:
    """Return the least length of `pixels`; Agg drops a fraction, also of one just missed."""
    inches = pixels / dpi
    while int(inches * dpi) < pixels:
        inches = math.nextafter(inches, math.inf)
    return inches


@dataclass(frozen=True, slots=True)
class Description:
    """The title and the alternative text that a file holds, both "" without the latter."""

    title: str = ""
    alt: str = ""

    @classmethod
    def of(cls, title: str, alt: str | None) -> "Description":
        """Return the description with this title and alternative text, each on one line."""
        words = " ".join((alt or "").split())
        forbidden = ("Cc", "Cs")  # control characters and surrogates, which XML forbids
        words = "".join(MISSING if unicodedata.category(one) in forbidden else one for one in words)
        return cls(" ".join(title.split()), words) if words else cls()

    def metadata(self, title: str, alt: str) -> dict[str, str]:
        """Return what there is, by these names."""
        return {name: text for name, text in ((title, self.title), (alt, self.alt)) if text}


def _png(pages: Iterator[Figure], path: str, description: Description) -> None:
    metadata = {"Software": None, **description.metadata("Title", "Description")}
    _raster(pages).print_png(path, metadata=metadata)


def _jpeg(pages: Iterator[Figure], path: str, description: Description) -> None:
    canvas = _raster(pages)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    exif = Image.Exif()
    if description.alt:
        exif[ExifTags.Base.ImageDescription] = description.alt.encode()
    # Without subsampling of colours, which would blur thin lines.
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        path,
        "JPEG",
        quality=JPEG_QUALITY,
        subsampling=0,
        optimize=True,
        dpi=(canvas.figure.dpi,) * 2,
        **({"exif": exif} if description.alt else {}),
    )


def _svg(pages: Iterator[Figure], path: str, description: Description) -> None:
    figure = next(pages)
    figure.set_dpi(DPI)
    metadata = {"Date": None, "Creator": None, **description.metadata("Title", "Description")}
    FigureCanvasSVG(figure).print_svg(path, metadata=metadata)
    if description.alt:  # matplotlib writes it as metadata only, which screen readers skip
        file = Path(path)
        start, end = file.read_text(encoding="utf-8").split(" <metadata>", 1)
        desc = f" <desc>{escape(description.alt)}</desc>\n"
        start = start.replace("<svg ", '<svg role="img" ', 1)
        file.write_text(f"{start}{desc} <metadata>{end}", encoding="utf-8")


def _pdf(pages: Iterator[Figure], path: str, description: Description) -> None:
    metadata = {
        "CreationDate": None,
        "Creator": None,
        "Producer": None,
        **description.metadata("Title", "Subject"),
    }
    with PdfPages(path, metadata=metadata) as document:
        for figure in pages:
            figure.set_dpi(DPI)
            document.savefig(figure)


FORMATS = {".png": _png, ".jpg": _jpeg, ".jpeg": _jpeg, ".svg": _svg, ".pdf": _pdf}
PAGED = (".pdf",)
OPAQUE = (".jpg", ".jpeg")
