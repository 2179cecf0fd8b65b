"""
A film in somebody's page or post: the text to paste, which says in words what the film shows.

Where a page may be dark, or a reader asks for less motion, the text names other files beside the
film: a dark twin, and a still for each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import PurePath
from urllib.parse import quote

from animate.drawing.alt_text import describe
from animate.drawing.clock import resolve_moments
from animate.recipe import SETTINGS, Output, Recipe
from animate.recipe.file_difference import pictures
from animate.system import files
from animate.system.validation import InputError
from animate.training.trajectory import Trajectory

VIDEOS = {".mp4": "video/mp4", ".webm": "video/webm"}
EMBEDDED = (*VIDEOS, ".gif", ".webp", ".apng", ".png", ".svg")
DARK, STILL, POSTER = "-dark", "-still", "-poster"
LESS = "(prefers-reduced-motion: reduce)"
MORE = "(prefers-reduced-motion: no-preference)"
NIGHT = "(prefers-color-scheme: dark)"
FITTING = "max-width: 100%; height: auto"  # on a page narrower than the film


def with_companions(recipe: Recipe, kind: str) -> Recipe:
    """
    Return `recipe` with the files that a text of this kind names beside a film.

    Raises
    ------
    InputError
        If there is nothing to embed, the kind makes a light and a dark film and another theme is
        asked for, or such a file is an output already.
    """
    shown = _shown(recipe)
    if not shown:
        raise InputError(f"there is nothing to embed; give an output in {', '.join(EMBEDDED)}")
    outputs = {files.real(output.path): output for output in recipe.listed}
    for part, output in zip(recipe.parts, recipe.listed, strict=True):
        if part not in shown:
            continue
        if kind == "picture" and part.theme != Recipe.theme:
            raise InputError(
                f"{part.path}: --embed picture shows it light and dark, so it does not go "
                f"with the theme {part.theme}; leave out one of them"
            )
        for path, changes in _companions(part, kind):
            still = path.endswith(f"{STILL}.png")
            own = {
                name: value
                for name, value in output.changes.items()
                if not (still and SETTINGS[name].forms == ("film",))
            }
            beside = Output(path, {**own, "size": part.pixels, **changes})
            if outputs.setdefault(files.real(path), beside) != beside:
                raise InputError(
                    f"--embed {kind} makes {path} beside {part.path}, and it is to be something "
                    "else; give one of them another name"
                )
    return replace(recipe, outputs=list(outputs.values()))


def _shown(recipe: Recipe) -> list[Recipe]:
    """Return the outputs that are embedded: the films, or the stills if there is none."""
    known = [
        part
        for part in recipe.parts
        if PurePath(part.path).suffix.lower() in EMBEDDED and not files.is_folder(part.path)
    ]
    return [part for part in known if part.form == "film"] or known


def _companions(part: Recipe, kind: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the files beside a film or still, with the settings that make them."""
    path, suffix = part.path, PurePath(part.path).suffix
    is_video = suffix.lower() in VIDEOS
    if kind == "picture":
        yield _beside(path, DARK + suffix), {"theme": "dark"}
        if part.form == "film":
            yield _beside(path, f"{DARK}{STILL}.png"), {"theme": "dark", "at": ("end",)}
    if part.form == "film" and (kind == "picture" or is_video):
        yield _still(path), {"at": ("end",)}


def snippet(recipe: Recipe, kind: str, runs: Sequence[Trajectory]) -> str:
    """
    Return the text that embeds what `recipe` has made: its films, or its stills if it has none.

    Parameters
    ----------
    recipe : Recipe
        As it was before `with_companions`, its files made.
    kind : {"md", "html", "picture"}
        Markdown, an HTML element, or HTML that heeds a dark page and a wish for less motion.
    runs : sequence of Trajectory
    """
    write = {"md": _markdown, "html": _html, "picture": _picture}[kind]
    return "\n\n".join(
        write(part.path, _size(part), alt_text(part, runs)) for part in _shown(recipe)
    )


def alt_text(part: Recipe, runs: Sequence[Trajectory]) -> str:
    """Return what a film or still shows, in words for readers who cannot see it."""
    shown, is_still = part.shown(runs), part.form == "still"
    moments = resolve_moments(part.at if is_still else ["end"], shown)
    return describe(shown, part.views, moments, is_still=is_still)


def _size(part: Recipe) -> tuple[int, int]:
    """Return the true width and height, which a limit or a codec may have changed."""
    if PurePath(part.path).suffix.lower() == ".svg":
        return part.pixels
    height, width = next(pictures(part.path)).shape[:2]
    return width, height


def _markdown(path: str, size: tuple[int, int], alt: str) -> str:
    del size
    alt = re.sub(r"([\\\[\]])", r"\\\1", alt)
    if PurePath(path).suffix.lower() in VIDEOS:
        return f"[![{alt}]({_url(_still(path))})]({_url(path)})"
    return f"![{alt}]({_url(path)})"


def _html(path: str, size: tuple[int, int], alt: str) -> str:
    if PurePath(path).suffix.lower() in VIDEOS:
        return _video(path, size, alt)
    return _image(path, size, alt)


def _picture(path: str, size: tuple[int, int], alt: str) -> str:
    suffix = PurePath(path).suffix
    dark = _beside(path, DARK + suffix)
    if suffix.lower() in VIDEOS:
        return _video(path, size, alt, dark)
    if suffix.lower() in (".png", ".svg"):
        sources = {NIGHT: dark}
    else:
        sources = {
            f"{LESS} and {NIGHT}": _beside(path, f"{DARK}{STILL}.png"),
            LESS: _still(path),
            NIGHT: dark,
        }
    lines = [f'  <source media="{media}" srcset="{_url(file)}">' for media, file in sources.items()]
    return "\n".join(["<picture>", *lines, f"  {_image(path, size, alt)}", "</picture>"])


def _image(path: str, size: tuple[int, int], alt: str) -> str:
    return (
        f'<img src="{_url(path)}" width="{size[0]}" height="{size[1]}" style="{FITTING}" '
        f'alt="{escape(alt)}">'
    )


def _video(path: str, size: tuple[int, int], alt: str, dark: str | None = None) -> str:
    """
    Return a video that plays by itself unless the visitor wants less motion.

    A page where the handler is taken out, or may not run, shows the poster and plays on a click.
    """
    kind = VIDEOS[PurePath(path).suffix.lower()]
    sources = [f'  <source src="{_url(path)}" type="{kind}">']
    handler = f"if(matchMedia('{MORE}').matches)this.play()"
    if dark is not None:
        sources.insert(0, f'  <source media="{NIGHT}" src="{_url(dark)}" type="{kind}">')
        poster = _url(_beside(path, f"{DARK}{STILL}.png"))
        handler = f"if(matchMedia('{NIGHT}').matches)this.poster='{poster}';{handler}"
    return "\n".join(
        [
            f'<video controls loop muted playsinline width="{size[0]}" height="{size[1]}"',
            f'       style="{FITTING}" onloadstart="{handler}"',
            f'       poster="{_url(_still(path))}" aria-label="{escape(alt)}">',
            *sources,
            "</video>",
        ]
    )


def _beside(path: str, ending: str) -> str:
    """Return the path of a file beside the one at `path`, with another end to its name."""
    return path[: len(path) - len(PurePath(path).suffix)] + ending


def _still(path: str) -> str:
    """Return the path of the still beside the film at `path`: a video's is its poster."""
    poster = PurePath(path).suffix.lower() in VIDEOS
    return _beside(path, f"{POSTER if poster else ''}{STILL}.png")


def _url(path: str) -> str:
    """Return `path` as a relative URL, in which no colon can be taken for a scheme's."""
    return quote(os.fsencode(path), safe="/~")
