"""
Where films are posted, and what each place takes.

Only figures that the place itself publishes are here, each with its source.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from animate.recipe import Output, Recipe
from animate.system.errors import InputError
from animate.system.validation import choice

CHECKED = "November 2026"


@dataclass(frozen=True, slots=True)
class Destination:
    """
    What a place takes.

    Attributes
    ----------
    films : tuple of str
        The extensions of films that it plays, the usual one first.
    max_size : int
        Bytes of a film.
    size : (int, int)
        A good one, in pixels.
    source : str
        Who says so.
    stills : tuple of str
        The extensions of pictures that it takes.
    max_pixels : int, optional
        Of a frame or picture.
    """

    films: tuple[str, ...]
    max_size: int
    size: tuple[int, int]
    source: str
    stills: tuple[str, ...] = ()
    max_pixels: int | None = None


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
    """Return the destination called `name`."""
    return DESTINATIONS[choice(name, "destination", DESTINATIONS)]


def bound_for(name: str, recipe: Recipe) -> Recipe:
    """
    Return `recipe` with its films and stills kept within what the destination called `name` takes.

    Raises
    ------
    InputError
        If it takes no file of that format or size.
    """
    place = destination(name)
    outputs = []
    for part, output in zip(recipe.parts, recipe.listed, strict=True):
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
    width, height = part.pixels
    if place.max_pixels is not None and width * height > place.max_pixels:
        raise InputError(
            f"{part.path} has {width}x{height} pixels, and {name} takes "
            f"{place.max_pixels / 1e6:g} million; give a smaller size"
        )
