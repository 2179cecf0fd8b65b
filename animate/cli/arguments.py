"""
What can be said on the command line, and the page of help.

The values stay text, for the recipe to turn into what it needs and to say what is wrong.
"""

import argparse
from collections.abc import Iterable, Sequence
from typing import NoReturn

from animate.cli.streams import plain, say
from animate.drawing.views import VIEWS
from animate.recipe import DEFAULT_OUTPUTS, Recipe
from animate.recipe.destinations import DESTINATIONS
from animate.system.validation import MOMENTS, SIZES, SNIPPETS
from animate.system.version import VERSION

EXAMPLES = """\
examples:
  animate
      the three rates of the article, to outputs/convergence.mp4 and .gif
  animate --lrs 0.3 -o "my talk/one rate.mp4" --size 1920x1080
      one rate, one film, where you say
  animate --views surface bowl -o valley.svg -o steps.pdf --at 0 8 40 100
      figures for slides: a sheet of four epochs, and a page for each
"""


def guarded(arguments: Sequence[str]) -> list[str]:
    """
    Return `arguments` with a space before negative numbers, lest ``-inf`` be taken for an option.

    ``-1`` alone argparse knows; ``-1e0`` and ``-inf`` it does not. `float` passes over the space.
    """

    def is_number(text: str) -> bool:
        try:
            float(text)
        except ValueError:
            return False
        return True

    return [
        f" {text}" if text.startswith("-") and is_number(text) and before not in ("-o", "--output")
        else text
        for before, text in zip(["", *arguments], arguments, strict=False)
    ]  # fmt: skip


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one sentence, without the usage."""
        say(plain(f"animate: {message}; see animate --help"))
        raise SystemExit(2)  # wrong usage


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=96)


def parser() -> argparse.ArgumentParser:
    """Return the parser: its values stay text, for `Recipe` to check; absent ones stay absent."""
    default = Recipe  # its fields' defaults are its attributes
    made = _Parser(
        prog="animate",
        usage="animate [RECIPE.toml] [--lrs LR ...] [--views VIEW ...] [-o PATH ...] [options]",
        description="Trains a line at several learning rates and shows what each does.",
        epilog=EXAMPLES,
        formatter_class=_Help,
        argument_default=argparse.SUPPRESS,
        add_help=False,
        allow_abbrev=False,
    )

    made.add_argument(
        "recipe", nargs="?", metavar="RECIPE", default=None,
        help="a file that says what is said here, or the name of one that ships",
    )  # fmt: skip

    training = made.add_argument_group("training")
    add = training.add_argument
    add("--lrs", nargs="+", metavar="LR", help=f"learning rates (default: {_words(default.lrs)})")
    add("--epochs", metavar="N", help=f"full-batch steps (default: {default.epochs})")
    add("--seed", metavar="N", help=f"of the data (default: {default.seed})")
    add("--points", metavar="N", help=f"of the data (default: {default.points})")
    add("--noise", metavar="KIND", help="uniform, gaussian or none (default: uniform on [0, 1))")
    add(
        "--true", nargs=2, dest="true_weights", metavar=("SLOPE", "BIAS"),
        help=f"the weights behind the data (default: {_words(default.true_weights)})",
    )  # fmt: skip
    add(
        "--start", nargs=2, metavar=("SLOPE", "BIAS"),
        help=f"the weights before the first step (default: {_words(default.start)})",
    )  # fmt: skip

    picture = made.add_argument_group("picture")
    add = picture.add_argument
    add(
        "--views", nargs="+", metavar="VIEW",
        help=f"of {_words(VIEWS)} (default: {_words(default.views)})",
    )  # fmt: skip
    add(
        "--size", metavar="WxH",
        help=f"in pixels, or {_words(SIZES)} (default: 1280x720, a GIF 800x450)",
    )  # fmt: skip
    add(
        "--theme",
        metavar="NAME",
        help="light, dark, transparent or a matplotlib style file (default: light)",
    )
    add("--title", metavar="TEXT", help='above the picture; "" for none')
    add(
        "--at", nargs="+", metavar="EPOCH",
        help=f"of a still, or {_words(MOMENTS)}; several make a sheet, or pages (default: end)",
    )  # fmt: skip
    add("--fps", metavar="N", help=f"frames a second (default: {default.fps:g})")
    add("--hold", metavar="S", help=f"seconds that the end stands (default: {default.hold:g})")
    add(
        "--duration", metavar="S",
        help="length of the film in seconds (default: every epoch shown, under 14 s)",
    )  # fmt: skip
    add("--loop", metavar="N", help="how often it plays, of GIF, WebP, APNG (default: 0, for ever)")
    add(
        "--max-size", metavar="SIZE",
        help="the best film of at most so much, such as 2MB: less quality, then fewer frames a "
        "second, then a smaller picture",
    )  # fmt: skip
    add("--quality", metavar="Q", help=f"low, medium or high (default: {default.quality})")

    output = made.add_argument_group("output")
    add = output.add_argument
    add(
        "-o", "--output", action="append", dest="outputs", metavar="PATH",
        help="a file to write: .mp4 .webm .gif .webp .apng, a folder/ of frames, "
        ".png .svg .pdf for a still, .html for an interactive page, .json for a report; "
        f"may be given several times (default: {_words(DEFAULT_OUTPUTS)})",
    )  # fmt: skip
    add(
        "--for", dest="destination", metavar="PLACE", default=None,
        help=f"the format, size and limit of {_words(DESTINATIONS)}",
    )  # fmt: skip
    add(
        "--embed", metavar="KIND", default=None,
        help=f"print the text to paste: {_words(SNIPPETS)}; picture heeds dark pages and a wish "
        "for less motion",
    )  # fmt: skip
    add("--save-recipe", metavar="PATH", default=None, help="write all this as a recipe, too")
    add("--jobs", metavar="N", default=None, help="files made side by side (default: one a core)")
    add("--quiet", action="store_true", default=False, help="show errors only")
    add("--json", action="store_true", default=False, help="print one report instead of the paths")
    add("--debug", action="store_true", default=False, help="after an error, show where it arose")
    add("--dry-run", action="store_true", default=False, help="check everything, write nothing")
    add("--verify", metavar="REPORT", default=None, help="compare with what a report recorded")
    add("--list-recipes", action="store_true", default=False, help="name the recipes that ship")
    add("--version", action="version", version=f"animate {VERSION}", help="print the version")
    add("--help", "-h", action="help", help="print this page")
    return made


def _words(values: Iterable[object]) -> str:
    return " ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
