"""
The text that embeds a film, a still or the interactive page in a page or post, with a description.

For dark pages and for visitors who prefer reduced motion, the text names companion files: a dark
version of the film, and a still of each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path, PurePath
from urllib.parse import quote

from animate.drawing.alt_text import describe
from animate.drawing.clock import resolve_moments
from animate.drawing.views.requirements import name_of
from animate.film.encode import FORMATS, is_video
from animate.page import DEFAULT_TITLE
from animate.recipe import SETTINGS, Output, Recipe
from animate.recipe.file_difference import pictures
from animate.system import files
from animate.system.errors import InputError
from animate.training.trajectory import Trajectory

STILLS = (".png", ".jpg", ".jpeg", ".svg")
EMBEDDABLE = (*(suffix for suffix in FORMATS if suffix != files.FOLDER_SUFFIX), *STILLS)
REDUCED_MOTION = "(prefers-reduced-motion: reduce)"
FULL_MOTION = "(prefers-reduced-motion: no-preference)"
DARK_PAGE = "(prefers-color-scheme: dark)"
SVG_HEAD, VIEW_BOX = 2000, r'viewBox="0 0 (\S+) (\S+)"'
PAGES = (".html",)
FRAME_HEIGHT = 700  # px, until the page has told its own
# The page posts its height, which depends on the width that it gets; see postHeight in page.js.
FIT_HEIGHT = """\
<script>
addEventListener("message", ({ data, source }) => {
  for (const frame of document.getElementsByTagName("iframe")) {
    if (frame.contentWindow === source && data?.animateHeight > 0) {
      frame.style.height = data.animateHeight + "px";
    }
  }
});
</script>"""
STYLE = "max-width: 100%; height: auto"  # for pages narrower than the film


def with_companions(recipe: Recipe, kind: str) -> Recipe:
    """
    Add the companion files that a text of this kind names to the outputs of `recipe`.

    Raises
    ------
    InputError
        If no output can be embedded, a companion is an output already, or the kind needs a light
        and a dark film and another theme is set.
    """
    embedded = _embedded(recipe, kind)
    if not embedded:
        suffixes = ", ".join(PAGES if kind == "iframe" else EMBEDDABLE)
        raise InputError(f"there is nothing to embed; give an output in {suffixes}")
    outputs = {files.real(output.path): output for output in recipe.normalized_outputs}
    for part, output in zip(recipe.by_output, recipe.normalized_outputs, strict=True):
        if part not in embedded:
            continue
        if kind == "picture" and part.theme != Recipe.theme:
            raise InputError(
                f"{part.path}: --embed picture shows it light and dark, so it does not go "
                f"with the theme {part.theme}; leave out one of them"
            )
        for path, changes in _companions(part, kind).items():
            kept = {
                name: value
                for name, value in output.changes.items()
                if not ("at" in changes and SETTINGS[name].forms == ("film",))
            }
            companion = Output(path, {**kept, "size": part.full_size, **changes})
            if outputs.setdefault(files.real(path), companion) != companion:
                raise InputError(
                    f"--embed {kind} makes {path} beside {part.path}, but {path} is another "
                    "output already; rename one of them"
                )
    return replace(recipe, outputs=list(outputs.values()))


def _embedded(recipe: Recipe, kind: str) -> list[Recipe]:
    """Return the pages for an iframe, else the films among the outputs, or the stills."""
    if kind == "iframe":
        return [part for part in recipe.by_output if _suffix(part.path) in PAGES]
    parts = [part for part in recipe.by_output if _suffix(part.path) in EMBEDDABLE]
    return [part for part in parts if part.form == "film"] or parts


def _companions(part: Recipe, kind: str) -> dict[str, dict[str, object]]:
    """Return the paths of the companions, with the settings in which each differs from `part`."""
    path, is_film = part.path, part.form == "film" and kind != "iframe"
    last_frame: dict[str, object] = {"at": ("end",)}
    companions: dict[str, dict[str, object]] = {}
    if kind == "picture":
        companions[_dark(path)] = {"theme": "dark"}
    if kind == "picture" and is_film:
        companions[_dark_still(path)] = {"theme": "dark"} | last_frame
    if is_film and (kind == "picture" or is_video(path)):
        companions[_still(path)] = last_frame
    return companions


def _suffix(path: str) -> str:
    return "/" if files.is_folder(path) else PurePath(path).suffix.lower()


def _dark(path: str) -> str:
    return _renamed(path, f"-dark{PurePath(path).suffix}")


def _dark_still(path: str) -> str:
    return _renamed(path, "-dark-still.png")


def _still(path: str) -> str:
    return _renamed(path, "-poster-still.png" if is_video(path) else "-still.png")


def _renamed(path: str, ending: str) -> str:
    """Return `path` with `ending` in place of its extension."""
    return path.removesuffix(PurePath(path).suffix) + ending


def snippet(recipe: Recipe, kind: str, runs: Sequence[Trajectory]) -> str:
    """
    Return the text that embeds the films of `recipe`, its stills if it has no film, or its pages.

    Parameters
    ----------
    recipe : Recipe
        Without companions. Its files, and theirs, exist.
    kind : {"md", "html", "picture", "iframe"}
        Markdown; an HTML element; HTML that follows the page's color scheme and the visitor's
        preference for reduced motion; or an iframe as high as the interactive page inside it.
    runs : sequence of Trajectory
    """
    texts = []
    for part in _embedded(recipe, kind):
        if kind == "iframe":
            texts.append(_iframe(part))
            continue
        alt = alt_text(part, runs)
        if kind == "md":
            texts.append(_markdown(part.path, alt))
        elif is_video(part.path):
            texts.append(_video(part, alt, with_dark=kind == "picture"))
        else:
            texts.append(_image(part, alt, with_sources=kind == "picture"))
    if kind == "iframe":
        texts.append(FIT_HEIGHT)
    return "\n\n".join(texts)


def alt_text(part: Recipe, runs: Sequence[Trajectory]) -> str:
    """Return the recipe's own alternative text, or else a description."""
    if part.alt is not None:
        return " ".join(part.alt.split())
    shown, is_still = part.select_runs(runs), part.form == "still"
    moments = resolve_moments(part.at if is_still else ["end"], shown)
    from animate.drawing.scene import validate_views

    views = [name_of(view_class) for view_class in validate_views(part.views, shown)]
    return describe(shown, views, moments, is_still=is_still)


def _markdown(path: str, alt: str) -> str:
    alt = re.sub(r"([\\\[\]])", r"\\\1", alt)
    if is_video(path):
        return f"[![{alt}]({_url(_still(path))})]({_url(path)})"
    return f"![{alt}]({_url(path)})"


def _image(part: Recipe, alt: str, *, with_sources: bool) -> str:
    path = part.path
    image = f'<img src="{_url(path)}" {_size(part)} style="{STYLE}" alt="{escape(alt)}">'
    if not with_sources:
        return image
    sources = {DARK_PAGE: _dark(path)}
    if _suffix(path) not in STILLS:
        sources = {
            f"{REDUCED_MOTION} and {DARK_PAGE}": _dark_still(path),
            REDUCED_MOTION: _still(path),
            **sources,
        }
    lines = [f'  <source media="{media}" srcset="{_url(file)}">' for media, file in sources.items()]
    return "\n".join(["<picture>", *lines, f"  {image}", "</picture>"])


def _video(part: Recipe, alt: str, *, with_dark: bool) -> str:
    """
    Return a video that starts by itself unless the visitor prefers reduced motion.

    Where a site removes the handler, the video shows its poster and starts on a click.
    """
    path, kind = part.path, FORMATS[_suffix(part.path)].media_type
    sources = [f'  <source src="{_url(path)}" type="{kind}">']
    handler = f"if(matchMedia('{FULL_MOTION}').matches)this.play()"
    if with_dark:
        sources.insert(0, f'  <source media="{DARK_PAGE}" src="{_url(_dark(path))}" type="{kind}">')
        poster = f"this.poster='{_url(_dark_still(path))}'"
        handler = f"if(matchMedia('{DARK_PAGE}').matches){poster};{handler}"
    return "\n".join(
        [
            f"<video controls loop muted playsinline {_size(part)}",
            f'       style="{STYLE}" onloadstart="{handler}"',
            f'       poster="{_url(_still(path))}" aria-label="{escape(alt)}">',
            *sources,
            "</video>",
        ]
    )


def _iframe(part: Recipe) -> str:
    """Return an iframe in which the page can run its script, and nothing more."""
    title = " ".join((part.title or DEFAULT_TITLE).split())
    return (
        f'<iframe src="{_url(part.path)}" title="{escape(title)}" sandbox="allow-scripts" '
        f'width="100%" height="{FRAME_HEIGHT}" style="border: 0" loading="lazy"></iframe>'
    )


def _size(part: Recipe) -> str:
    """Return the size as HTML attributes; of the file, which a limit or codec may have changed."""
    if _suffix(part.path) == ".svg":
        head = Path(part.path).read_text(encoding="utf-8")[:SVG_HEAD]
        width, height = (round(float(side)) for side in re.findall(VIEW_BOX, head)[0])
    else:
        height, width = next(pictures(part.path)).shape[:2]
    return f'width="{width}" height="{height}"'


def _url(path: str) -> str:
    """Return `path` as a relative URL; colons are quoted, or one could end a scheme."""
    return quote(os.fsencode(path), safe="/~")
