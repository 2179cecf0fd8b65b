"""
The sites where films are posted, and the files that each accepts.

All limits are published by the site itself; each names its source.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from animate.recipe import Output, Recipe
from animate.system.errors import InputError
from animate.system.validation import PaperSize, choice

CHECKED = "November 2026"


@dataclass(frozen=True, slots=True)
class Destination:
    """The files that a site accepts."""

    films: tuple[str, ...]  # extensions, the default first
    max_size: int  # of a film, in bytes
    size: tuple[int, int]  # the default, in pixels
    source: str  # that publishes the limits
    stills: tuple[str, ...] = ()  # extensions
    max_pixels: int | None = None  # of a frame or still


DESTINATIONS = {
    "github": Destination(
        films=(".gif", ".mp4"),
        max_size=10_000_000,
        size=(800, 450),
        source="GitHub Docs, Attaching files: images, GIFs and, on free plans, videos to 10 MB",
        stills=(".png",),
    ),
    "google-slides": Destination(
        films=(".gif",),
        max_size=50_000_000,
        size=(1280, 720),
        source="Google Slides API, Adding images: PNG, JPEG and GIF to 50 MB and 25 megapixels",
        stills=(".png",),
        max_pixels=25_000_000,
    ),
    "x": Destination(
        films=(".gif",),
        max_size=15_000_000,
        size=(1280, 720),
        source="X Help Center, Photos and GIFs: a GIF to 15 MB on the web",
    ),
}


def destination(name: object) -> Destination:
    """Return the destination `name`, or raise `InputError`."""
    return DESTINATIONS[choice(name, "destination", DESTINATIONS)]


def apply_limits(name: str, recipe: Recipe) -> Recipe:
    """
    Limit the films and stills of `recipe` to the sizes that the destination `name` accepts.

    Raises
    ------
    InputError
        If it does not accept the format or the number of pixels.
    """
    place = destination(name)
    outputs = []
    for part, output in zip(recipe.by_output, recipe.normalized_outputs, strict=True):
        changes = dict(output.changes)
        if part.form in ("film", "still"):
            sized = part if part.size is not None else replace(part, size=place.size)
            changes["size"] = sized.size
            _check(name, place, sized)
        if part.form == "film":
            changes["max_size"] = min(place.max_size, part.max_size or place.max_size)
        outputs.append(Output(output.path, changes))
    return replace(recipe, outputs=outputs)


def _check(name: str, place: Destination, part: Recipe) -> None:
    if Path(part.path).suffix.lower() not in (*place.films, *place.stills):
        raise InputError(
            f"{name} does not take {part.path}; give a file in "
            f"{', '.join((*place.films, *place.stills))}"
        )
    if isinstance(part.full_size, PaperSize):
        raise InputError(
            f"{part.path} has a size on paper, {part.size}; {name} takes pixels, such as 1280x720"
        )
    width, height = part.full_size
    if place.max_pixels is not None and width * height > place.max_pixels:
        raise InputError(
            f"{part.path} has {width}x{height} pixels, and {name} takes "
            f"{place.max_pixels / 1e6:g} million; give a smaller size"
        )
