"""
How a setting of a recipe is declared, and what is derived from the declaration.

`Recipe` declares each setting once, as a field made by `setting`. The command line, `--help`, the
keys and types of TOML, the checks and the table in the documentation are derived from these fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from animate.recipe.problems import check_name, python_file
from animate.system import files, validation
from animate.system.errors import InputError
from animate.training.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    from animate.recipe import Recipe

Form = Literal["film", "still", "page", "report"]
Group = Literal["training", "picture"]

PICTURES: tuple[Form, ...] = ("film", "still", "page")
HYPERPARAMETERS = ("lrs", "optimizer", "momentum", "batch_size", "schedule")
"""The settings whose combinations are trained, unless a recipe lists its runs."""


@dataclass(frozen=True)
class Kind:
    """
    The values that a setting takes.

    Attributes
    ----------
    type_name : str
        The type in words, such as "a whole number".
    types : tuple of type
        The types that the value, or each item of a list, may have in TOML.
    check : callable
        Takes a value, which may be text, and returns it as a recipe holds it; or raises
        `InputError`.
    bounds : str
        The values that pass the check, in words.
    is_list : bool
    may_be_single : bool
        Whether TOML may give the only item without a list.
    file_in : callable, optional
        Takes a value and returns the part of it that is a file, "" for none. In a file of
        settings, it is relative to that file.
    """

    type_name: str
    types: tuple[type, ...]
    check: Callable[[Any], object]
    bounds: str
    is_list: bool = False
    may_be_single: bool = False
    file_in: Callable[[str], str] | None = None

    def has_type(self, value: object) -> bool:
        """Return whether a value from TOML has the right type."""
        items = value if isinstance(value, list) else [value]
        if self.is_list != isinstance(value, list) and not self.may_be_single:
            return False
        return all(
            isinstance(one, self.types) and (not isinstance(one, bool) or bool in self.types)
            for one in items
        )

    def with_file(self, value: object, move: Callable[[str], str]) -> object:
        """Return `value` with the file in it, if there is one, as `move` returns it."""
        file = self.file_in(value) if self.file_in and isinstance(value, str) else ""
        return move(file) + str(value).removeprefix(file) if file else value


@dataclass(frozen=True)
class Setting:
    """
    The declaration of a setting.

    Attributes
    ----------
    name : str
        The field of `Recipe`.
    key : str
        The name in TOML, and with two dashes on the command line.
    kind : Kind
    default : object
    help : str
        One line for `--help`, without the default.
    default_words : str, optional
        The default in words; by default its value, and nothing for None.
    metavar : str or tuple of str
        What stands for the value in `--help`; a tuple for as many values.
    group : {"training", "picture"}
    forms : tuple of str
        The forms of output that use it.
    per_output : bool
        Whether an output may have a value of its own.
    changes_frames : bool
        Whether the frames depend on it, so that outputs with different values cannot share them.
    is_option : bool
        Whether the command line has it.
    """

    name: str
    key: str
    kind: Kind
    default: object
    help: str
    default_words: str | None
    metavar: str | tuple[str, ...]
    group: Group
    forms: tuple[Form, ...]
    per_output: bool
    changes_frames: bool
    is_option: bool

    @property
    def option(self) -> str:
        """The option of the command line that changes it."""
        return f"--no-{self.key}" if self.default is True else f"--{self.key}"

    @property
    def default_text(self) -> str:
        """The default in words."""
        if self.default_words is not None or self.default is None:
            return self.default_words or ""
        return join_values(self.default if isinstance(self.default, tuple) else [self.default])

    @property
    def help_text(self) -> str:
        """The help with the default."""
        return f"{self.help} (default: {self.default_text})" if self.default_text else self.help


class SettingError(InputError):
    """A setting that cannot be used: its name, and the number of the output that has it, from 1."""

    def __init__(self, message: str, setting: str, output: int | None = None) -> None:
        super().__init__(message)
        self.setting = setting
        self.output = output


@contextmanager
def naming_setting(setting: str, output: int | None = None) -> Iterator[None]:
    """Turn an `InputError` inside the block into a `SettingError` of `setting`."""
    try:
        yield
    except SettingError:
        raise
    except InputError as error:
        raise SettingError(str(error), setting, output) from None


@contextmanager
def naming_output(number: int) -> Iterator[None]:
    """Let a `SettingError` inside the block name the output that has the setting."""
    try:
        yield
    except SettingError as error:
        error.output = number
        raise


def setting(
    default: object,
    kind: Kind,
    help_: str,
    *,
    metavar: str | tuple[str, ...],
    group: Group,
    key: str = "",
    default_words: str | None = None,
    forms: tuple[Form, ...] = PICTURES,
    per_output: bool = True,
    changes_frames: bool = True,
    is_option: bool = True,
) -> Any:
    """Return a field of `Recipe`; see `Setting` for the parameters."""
    declared = Setting(
        "",
        key,
        kind,
        default,
        help_,
        default_words,
        metavar,
        group,
        forms,
        per_output,
        changes_frames,
        is_option,
    )
    return field(default=default, metadata={"setting": declared})


def settings_of(recipe: type[Recipe]) -> dict[str, Setting]:
    """Return the settings that a class declares, by the names of its fields."""
    found = {}
    for one in fields(recipe):
        declared: Setting | None = one.metadata.get("setting")
        if declared is not None:
            key = declared.key or one.name.replace("_", "-")
            found[one.name] = replace(declared, name=one.name, key=key)
    return found


def table(settings: Iterable[Setting]) -> str:
    """Return the settings as a table in Markdown, for the documentation."""
    lines = [
        "| option | meaning | values | default | used by |",
        "|---|---|---|---|---|",
    ]
    for one in filter(lambda one: one.is_option, settings):
        used_by = "all" if one.forms == PICTURES else ", ".join(f"{form}s" for form in one.forms)
        default = f"`{one.default_text}`" if one.default_text else ""
        cells = (f"`{one.option}`", one.help, one.kind.bounds, default, used_by)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def as_settings(recipe: Recipe, folder: files.AnyPath = "") -> dict[str, Any]:
    """Return `recipe` as plain values by their keys, with paths relative to `folder`."""
    from animate.recipe.report import checksum

    known, unused = settings_of(type(recipe)), recipe.unused_settings
    common = {
        name: getattr(recipe, name)
        for name in known
        if name not in HYPERPARAMETERS or not (recipe.runs or _is_default(recipe, name))
        if name not in unused
    }
    if recipe.data is not None:
        common["data_sha256"] = checksum(recipe.data)
    tables = {
        "output": [
            {"path": files.relative_to_folder(output.path, folder)}
            | _plain(output.changes, known, folder)
            for output in recipe.normalized_outputs
        ]
    }
    if recipe.runs:
        tables["run"] = [
            {
                one.name.replace("_", "-"): value
                for one in fields(run)
                if (value := getattr(run, one.name)) != one.default
            }
            for run in recipe.runs
        ]
    return _plain(common, known, folder) | tables


def _is_default(recipe: Recipe, name: str) -> bool:
    """Return whether a setting need not be written, as `lrs` always is."""
    return name != "lrs" and getattr(recipe, name) == getattr(type(recipe), name)


def _plain(
    values: Mapping[str, object], known: Mapping[str, Setting], folder: files.AnyPath
) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, tuple):
            is_pair = name in ("size", "resolution")
            value = "{}x{}".format(*value) if is_pair else list(value)
        elif isinstance(value, validation.PaperSize):
            value = str(value)
        plain[known[name].key] = known[name].kind.with_file(
            value, lambda path: files.relative_to_folder(path, folder)
        )
    return plain


def join_values(values: Iterable[object]) -> str:
    """Return `values` with spaces between them, numbers as short as they can be."""
    return " ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


# The kinds of value. Bounds are those of `animate.system.validation`.


def whole(name: str, least: int, most: int | None = None) -> Kind:
    """Return the kind of a whole number from `least` to `most`."""
    return Kind(
        "a whole number",
        (int,),
        lambda value: validation.whole(value, name, least=least, most=most),
        f"{least} or more" if most is None or most > 10**9 else f"{least} to {most}",
    )


def seconds(name: str) -> Kind:
    """Return the kind of a length of time."""
    return Kind(
        "a number",
        (int, float),
        lambda value: validation.seconds(value, name),
        f"0 to {validation.LONGEST} seconds",
    )


def choice(name: str, among: Iterable[str]) -> Kind:
    """Return the kind of one word of several."""
    known = tuple(among)
    return Kind(
        "text", (str,), lambda value: validation.choice(value, name, known), ", ".join(known)
    )


def choices(name: str, among: Iterable[str]) -> Kind:
    """Return the kind of a list of such words."""
    one = choice(name, among)
    return Kind("a list of texts", (str,), lambda values: tuple(map(one.check, values)),
                one.bounds, is_list=True)  # fmt: skip


def weights(name: str) -> Kind:
    """Return the kind of a slope and a bias."""
    return Kind(
        "a list of numbers",
        (int, float),
        lambda values: validation.weights(values, name),
        f"{-validation.LARGEST_WEIGHT:g} to {validation.LARGEST_WEIGHT:g} each",
        is_list=True,
    )


def hyperparameter(name: str, kind: str, types: tuple[type, ...], bounds: str) -> Kind:
    """Return the kind of a list of values of a field of `Hyperparameters`, all different."""

    def check(values: Iterable[Any]) -> tuple[object, ...]:
        found: dict[object, None] = {}
        for value in values:
            one = getattr(Hyperparameters(**{"lr": 1.0, name: value}), name)
            if one in found:
                words = name.replace("_", " ")
                raise InputError(f"{words} {validation.quoted(value)} is given twice")
            found[one] = None
        if not found:
            raise InputError(f"no {name.replace('_', ' ')} is given; give one, or leave it out")
        return tuple(found)

    return Kind(f"a list of {kind}", types, check, bounds, is_list=True)


RATES = Kind(
    "a list of numbers",
    (int, float),
    validation.learning_rates,
    f"1 to {validation.MOST_RUNS} positive numbers",
    is_list=True,
)
OPTIMIZERS = hyperparameter("optimizer", "texts", (str,), "names of optimizers")
MOMENTA = hyperparameter("momentum", "numbers", (int, float), "0 to below 1")
BATCH_SIZES = hyperparameter("batch_size", "whole numbers", (int,), "1 or more")
MOMENTS = Kind(
    "a list of numbers and texts",
    (int, float, str),
    tuple,  # checked against the number of epochs by `Recipe`
    f"0 to the number of epochs, or {', '.join(validation.MOMENTS)}",
    is_list=True,
    may_be_single=True,
)
SIZE = Kind(
    "text",
    (str,),
    validation.still_size,
    f"{validation.SMALLEST_SIDE} to {validation.LARGEST_SIDE} pixels a side, "
    f"{', '.join(validation.SIZES)}, or such as 86mm, 12x7cm, 3.4x2.2in",
)
FRAME_RATE = Kind(
    "a number",
    (int, float),
    validation.frame_rate,
    f"{validation.SLOWEST_RATE} to {validation.FASTEST_RATE}",
)
BYTES = Kind(
    "a whole number or text",
    (int, str),
    lambda value: validation.byte_count(value, "limit"),
    "such as 2MB or 500kB",
)
LABELS = Kind(
    "a list of texts",
    (str,),
    lambda values: tuple(map(validation.label, values)),
    "a text for each run",
    is_list=True,
)
TEXT = Kind("text", (str,), lambda value: value, "any text")
THEME = Kind(
    "text",
    (str,),
    validation.theme,
    validation.THEME_NAMES,
    file_in=lambda value: value if value.endswith(validation.STYLE_SUFFIX) else "",
)
FONT = Kind(
    "text",
    (str,),
    validation.font,
    f"a file ending in {' or '.join(validation.FONT_SUFFIXES)}",
    file_in=lambda value: value,
)
FILE = Kind("text", (str,), validation.file_name, "a file", file_in=lambda value: value)
PROBLEM = Kind(
    "text", (str,), check_name, "a name, or file.py:function or module:function",
    file_in=python_file,
)  # fmt: skip
COLUMNS = Kind(
    "a list of two texts or whole numbers",
    (int, str),
    validation.columns,
    "names, or numbers from 1",
    is_list=True,
)
AXIS = Kind(
    "a list of a text and two numbers",
    (int, float, str),
    validation.axis_range,
    "lr, momentum, start.0 or lr.PARAMETER, and two numbers",
    is_list=True,
)
RESOLUTION = Kind(
    "text", (str,), validation.resolution, f"2 to {validation.MOST_ACROSS} each, such as 320x240"
)
BOOLEAN = Kind("true or false", (bool,), validation.boolean, "")
