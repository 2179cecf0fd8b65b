"""
Stills: a scene at single moments, as PNG, SVG or PDF.

One moment is drawn as in a film. Several moments are pages of a PDF, and small multiples on one
sheet in the other formats. Files contain no date, version or random name, so that the same scene
gives the same bytes.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from animate.drawing.layout import TooSmallError
from animate.drawing.scene import DPI, Scene, make_figure
from animate.system import files
from animate.system.errors import InputError

ASPECT = 16 / 9  # preferred for one picture
PAPER_SIZE = 1414, 1000  # the aspect ratio of A4, landscape


def grid(count: int, size: tuple[int, int] | None = None) -> tuple[int, int]:
    """
    Return the numbers of columns and rows for `count` pictures on a sheet of `size`.

    >>> grid(4), grid(4, (2400, 400)), grid(4, (400, 1000))
    ((2, 2), (4, 1), (1, 4))
    """
    width, height = size or PAPER_SIZE

    def distortion(columns: int) -> tuple[float, int]:
        rows = math.ceil(count / columns)
        shape = (width / columns) / (height / rows)
        return abs(math.log(shape / ASPECT)), columns

    columns = min(range(1, count + 1), key=distortion)
    return columns, math.ceil(count / columns)


def save(
    scene: Scene, path: files.AnyPath, moments: Sequence[float], alt: str | None = None
) -> None:
    """
    Write `scene` at `moments` to `path`, completely or not at all.

    The file holds the alternative text `alt`, if one is given.

    Raises
    ------
    InputError
        If the extension is unknown, or text on a sheet would be too small to read.
    OutputError
        If the file cannot be written. An existing file is then left unchanged.
    """
    suffix = files.extension(path, FORMATS)
    files.check(path)
    has_pages = len(moments) == 1 or suffix in PAGED
    pages = _pages(scene, moments) if has_pages else iter([_sheet(scene, moments, path)])
    with files.atomic(path) as temporary, scene.theme.applied():
        FORMATS[suffix](pages, str(temporary), Description.of(scene, alt))


def default_size(path: files.AnyPath, count: int, picture: tuple[int, int]) -> tuple[int, int]:
    """Return the size in pixels of a still of `count` moments, each of size `picture`."""
    columns, rows = (1, 1) if _is_paged(path) else grid(count)
    return columns * picture[0], rows * picture[1]


def check_size(
    path: files.AnyPath,
    count: int,
    size: tuple[int, int],
    check: Callable[[tuple[int, int]], None],
) -> None:
    """
    Raise `InputError` if `size` is too small for `count` pictures.

    Parameters
    ----------
    path : path
        A PDF has one picture per page, other formats have all on one sheet.
    count : int
    size : (int, int)
        Of a page or of the sheet, in pixels.
    check : callable
        Raises `TooSmallError` if a size is too small for one picture.
    """
    if count == 1 or _is_paged(path):
        check(size)
        return
    columns, rows = grid(count, size)
    try:
        check((size[0] // columns, size[1] // rows))
    except TooSmallError as error:
        width, height = error.minimum_size
        raise InputError(
            f"size {size[0]}x{size[1]} is too small to read a sheet of {count} pictures; "
            f"give at least {columns * width}x{rows * height}, or fewer of them"
        ) from None


def _is_paged(path: files.AnyPath) -> bool:
    return files.extension(path, FORMATS) in PAGED


def _sheet(scene: Scene, moments: Sequence[float], path: files.AnyPath) -> Figure:
    """Return a figure with one picture per moment; only the first has the title."""
    columns, rows = grid(len(moments), scene.size)
    figure = make_figure(scene.size, scene.theme)
    figure.patch.set_facecolor(scene.theme.background)  # visible in empty cells
    cells = GridSpec(rows, columns, figure, left=0, right=1, bottom=0, top=1, wspace=0, hspace=0)

    def draw(size: tuple[int, int]) -> None:
        for number, moment in enumerate(moments):
            parent = figure.add_subfigure(cells[number])
            title = scene.title if number == 0 else ""
            small = Scene(
                scene.runs,
                scene.view_classes,
                size,
                scene.theme,
                title,
                data=scene.data,
                parent=parent,
            )
            small.draw(moment)

    with scene.theme.applied():
        check_size(path, len(moments), scene.size, draw)
    return figure


def _pages(scene: Scene, moments: Sequence[float]) -> Iterator[Figure]:
    # Some matplotlib writers change the size of a figure permanently.
    scene.figure.set_dpi(DPI)
    scene.figure.set_size_inches(scene.size[0] / DPI, scene.size[1] / DPI)
    for moment in moments:
        scene.draw(moment)
        yield scene.figure


@dataclass(frozen=True, slots=True)
class Description:
    """The title and the alternative text that a file holds, both "" without the latter."""

    title: str = ""
    alt: str = ""

    @classmethod
    def of(cls, scene: Scene, alt: str | None) -> "Description":
        """Return the description of `scene` with this alternative text, each on one line."""
        words = " ".join((alt or "").split())
        return cls(" ".join(scene.title.split()), words) if words else cls()

    def metadata(self, title: str, alt: str) -> dict[str, str]:
        """Return what there is, by these names."""
        return {name: text for name, text in ((title, self.title), (alt, self.alt)) if text}


def _png(pages: Iterator[Figure], path: str, description: Description) -> None:
    metadata = {"Software": None, **description.metadata("Title", "Description")}
    FigureCanvasAgg(next(pages)).print_png(path, metadata=metadata)


def _svg(pages: Iterator[Figure], path: str, description: Description) -> None:
    metadata = {"Date": None, "Creator": None, **description.metadata("Title", "Description")}
    FigureCanvasSVG(next(pages)).print_svg(path, metadata=metadata)
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
            document.savefig(figure)


FORMATS = {".png": _png, ".svg": _svg, ".pdf": _pdf}
PAGED = (".pdf",)
