"""
The options of the command line, and `--help`.

The settings of a recipe are options by their declarations in `Recipe`; `Command` declares the
others. Values stay text: `Recipe` converts and checks them.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

from animate.cli.streams import plain, say
from animate.recipe import DEFAULT_OUTPUTS, SETTINGS
from animate.recipe.destinations import DESTINATIONS
from animate.recipe.settings import Setting, join_values
from animate.system.validation import SNIPPETS
from animate.system.version import VERSION

EXAMPLES = """\
examples:
  animate
      the three rates of the article, to outputs/convergence.mp4 and .gif
  animate --lrs 0.3 -o "my talk/one rate.mp4" --size 1920x1080
      one rate, one film, at this path
  animate --views surface bowl -o valley.svg -o steps.pdf --at 0 8 40 100
      figures for slides: a sheet of four epochs, and a PDF with a page for each
"""


def _option(help_: str, metavar: str = "", key: str = "") -> Any:  # as `field`
    """Return a field of `Command`: a text, or without `metavar` whether the option is given."""
    declared = {"help": help_, "metavar": metavar, "key": key}
    return field(default=None if metavar else False, metadata=declared)


@dataclass(frozen=True)
class Command:
    """What the command line asks for besides the settings of a recipe."""

    recipe: str | None = None
    destination: str | None = _option(
        f"format, size and limit of {join_values(DESTINATIONS)}", "PLACE", key="for"
    )
    embed: str | None = _option(
        f"print the text to paste: {join_values(SNIPPETS)}; picture respects dark mode and reduced "
        "motion, iframe embeds the page", "KIND",
    )  # fmt: skip
    save_recipe: str | None = _option("write these settings to a recipe, too", "PATH")
    jobs: str | None = _option("processes for files and sweeps (default: one a core)", "N")
    scheduler: str | None = _option("have a Dask scheduler train the sweep", "ADDRESS")
    resume: str | None = _option("keep finished parts of the sweep, and go on from there", "FILE")
    quiet: bool = _option("show errors only")
    json: bool = _option("print a report instead of the paths")
    debug: bool = _option("show the traceback of an error")
    dry_run: bool = _option("check everything, write nothing")
    verify: str | None = _option("compare with what a report recorded", "REPORT")
    list_recipes: bool = _option("list the built-in recipes")


def parse(arguments: Sequence[str]) -> tuple[Command, dict[str, Any]]:
    """
    Return what the command line asks for, and the settings it gives, by the names of `Recipe`.

    Raises
    ------
    SystemExit
        For `--help` and `--version` (0), and for arguments that cannot be parsed (2).
    """
    given = vars(_parser().parse_args(_guarded(arguments)))
    command = {one.name: given.pop(one.name) for one in fields(Command) if one.name in given}
    return Command(**command), given


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="animate",
        usage="animate [RECIPE.toml] [--lrs LR ...] [--views VIEW ...] [-o PATH ...] [options]",
        description="Trains a model at several learning rates and shows what each does.",
        epilog=EXAMPLES,
        formatter_class=_Help,
        argument_default=argparse.SUPPRESS,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument(
        "recipe", nargs="?", metavar="RECIPE",
        help="a TOML file with these options, or the name of a built-in recipe",
    )  # fmt: skip
    groups = {name: parser.add_argument_group(name) for name in ("training", "picture", "output")}
    for setting in SETTINGS.values():
        if not setting.is_option:
            continue
        add, help_ = groups[setting.group].add_argument, _escaped(setting.help_text)
        if isinstance(setting.default, bool):
            action = "store_false" if setting.default else "store_true"
            add(setting.option, dest=setting.name, action=action, help=help_)
        else:
            add(
                setting.option, dest=setting.name, nargs=_count(setting),
                metavar=setting.metavar, help=help_,
            )  # fmt: skip
    add = groups["output"].add_argument
    add(
        "-o", "--output", action="append", dest="outputs", metavar="PATH",
        help="file to write: .mp4 .webm .gif .webp .apng for a film, folder/ for its frames, "
        ".png .jpg .jpeg .svg .pdf for a still, .html for an interactive page, .json for a report; "
        f"may be given several times (default: {join_values(DEFAULT_OUTPUTS)})",
    )  # fmt: skip
    for one in fields(Command):
        if one.metadata:
            key, metavar, help_ = (one.metadata[name] for name in ("key", "metavar", "help"))
            option = f"--{key or one.name.replace('_', '-')}"
            if metavar:
                add(option, dest=one.name, metavar=metavar, help=_escaped(help_))
            else:
                add(option, dest=one.name, action="store_true", help=_escaped(help_))
    add("--version", action="version", version=f"animate {VERSION}", help="print the version")
    add("--help", "-h", action="help", help="print this page")
    return parser


def _count(setting: Setting) -> int | str | None:
    """Return how many values argparse takes for a setting."""
    if isinstance(setting.metavar, tuple):
        return len(setting.metavar)
    return "+" if setting.kind.is_list else None


def _escaped(help_: str) -> str:
    return help_.replace("%", "%%")  # which argparse formats


def _guarded(arguments: Sequence[str]) -> list[str]:
    """
    Return `arguments` with a space before negative numbers, so that ``-inf`` is not an option.

    argparse recognizes ``-1``, but not ``-1e0`` and ``-inf``. `float` ignores the space.
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
        """Report what is wrong in one sentence, without the usage."""
        say(plain(f"animate: {message}; see animate --help"))
        raise SystemExit(2)  # wrong usage


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=96)
