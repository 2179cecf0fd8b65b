"""
A recipe as a readable file: common settings at the top, and one `[[output]]` table a file.

The keys are the names of the command line's options. Reading is strict: what is not known, of
another type, or out of bounds is an error that says where. Paths are relative to the file.
"""

from __future__ import annotations

import difflib
import importlib.resources
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from animate.recipe import SETTINGS, Output, Recipe
from animate.recipe.settings import HYPERPARAMETERS, SettingError, as_settings
from animate.system import files
from animate.system.errors import InputError
from animate.system.validation import quoted
from animate.training.hyperparameters import Hyperparameters

LARGEST = 1_000_000  # bytes
SHIPPED = importlib.resources.files("animate.recipe") / "shipped"
SHIPPED_PREFIX = "animate:"
_HEAD = "# Made again by: animate FILE"
TABLE = re.compile(r"\s*\[\[?\s*[\"']?([\w-]+)[\"']?\s*\]")
STRING_OR_COMMENT = re.compile(
    r"""\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|\#[^\n]*""",
    re.DOTALL,
)


def dumps(recipe: Recipe, folder: files.AnyPath = "") -> str:
    """
    Return `recipe` as the text of a file that lies in `folder`.

    Raises
    ------
    InputError
        If a path or the title is no text that UTF-8 can hold.
    """
    settings = as_settings(recipe, folder)
    tables = {name: settings.pop(name, []) for name in ("run", "output")}
    lines = [_HEAD, "", *_assignments(settings)]
    for name, several in tables.items():
        for table in several:
            lines += ["", f"[[{name}]]", *_assignments(table)]
    text = "\n".join(lines) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            "a recipe is text in UTF-8, which cannot hold "
            f"{quoted(text[error.start : error.end])}; give another path or title"
        ) from None
    return text


def _assignments(settings: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_literal(value)}" for key, value in settings.items()]


def _literal(value: object) -> str:
    """Return a number, a text, a truth value or a flat list as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):  # as in JSON, save for one character
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return repr(value)


def shipped() -> dict[str, str]:
    """Return the recipes that ship with the package: what each makes, by its name."""
    found = {}
    for file in sorted(SHIPPED.iterdir(), key=lambda file: file.name):
        first = file.read_text(encoding="utf-8").splitlines()[0]
        found[file.name.removesuffix(".toml")] = first.removeprefix("# ")
    return found


def named(name: str, overrides: Mapping[str, object] | None = None) -> Recipe:
    """
    Return the recipe called `name`: a file's path, or the name of one that ships.

    `overrides` are settings by the names of `Recipe` that win over what it says.
    """
    known = shipped()
    ours = name.removeprefix(SHIPPED_PREFIX)
    if ours in known and not (name == ours and Path(name).is_file()):
        text = (SHIPPED / f"{ours}.toml").read_text(encoding="utf-8")
        return loads(text, f"{ours}.toml", overrides=overrides)
    if name in known:
        raise InputError(
            f"{name} is a file here and a recipe that ships with animate; "
            f"write ./{name} for the file, or {SHIPPED_PREFIX}{name} for the other"
        )
    if not (os.path.lexists(name) or name.endswith(".toml")):  # also where no name is that long
        near = difflib.get_close_matches(ours, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"there is no recipe {quoted(name)}; {hint}"
            f"give a file such as talk.toml, or one of {', '.join(known)}"
        )
    return load(name, overrides)


def load(path: files.AnyPath, overrides: Mapping[str, object] | None = None) -> Recipe:
    """
    Return the recipe in the file at `path`.

    Raises
    ------
    InputError
        If it cannot be read, or something in it cannot be used.
    """
    try:
        files.check_source(path, LARGEST, "recipe")
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text in UTF-8; save it as that") from None
    except OSError as error:
        raise InputError(f"recipe {path} cannot be read: {error.strerror}") from None
    return loads(text, os.fspath(path), Path(path).parent, overrides)


def loads(
    text: str,
    name: str,
    folder: files.AnyPath = "",
    overrides: Mapping[str, object] | None = None,
) -> Recipe:
    """Return the recipe in `text`, whose file is called `name` in errors and lies in `folder`."""
    try:
        settings = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not TOML: {error}") from None
    return from_settings(settings, name, folder, text, overrides)


def from_settings(
    values: Mapping[str, Any],
    name: str,
    folder: files.AnyPath = "",
    text: str = "",
    overrides: Mapping[str, object] | None = None,
) -> Recipe:
    """
    Return the recipe that plain values say.

    Parameters
    ----------
    values : mapping
        As `tomllib` returns them.
    name, folder, text
        The name of the file in errors, its folder, and its text, where errors find their line.
    overrides : mapping, optional
        Settings that win, by the names of `Recipe`.
    """
    source, overrides = _Source(name, text), dict(overrides or {})
    common = dict(values)
    tables, runs = (_tables(common, name, source) for name in ("output", "run"))
    settings: dict[str, Any] = _by_field(common, source, folder)
    if runs:
        settings["runs"] = [_run(table, source, number) for number, table in enumerate(runs, 1)]
        both = next((name for name in HYPERPARAMETERS if name in settings | overrides), None)
        if both is not None:
            raise InputError(
                f"{source.of('run')}: [[run]] tables and {SETTINGS[both].key} both say what to "
                "train; give one of them"
            )
    if tables:
        settings["outputs"] = []
        for number, table in enumerate(tables, 1):
            own = _by_field(table, source, folder, number)
            changes = {name: value for name, value in own.items() if name not in overrides}
            settings["outputs"].append(Output(_path(table, source, folder, number), changes))
    try:
        return Recipe(**settings | overrides)
    except SettingError as error:
        if error.setting in overrides:
            raise InputError(str(error)) from None
        key = SETTINGS[error.setting].key if error.setting in SETTINGS else error.setting
        raise InputError(f"{source.of(key, error.output)}: {error}") from None
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _tables(common: dict[str, Any], name: str, source: _Source) -> list[dict[str, Any]]:
    """Remove the tables called `name` from `common`, and return them."""
    if name not in common:
        return []
    tables = common.pop(name)
    if not (isinstance(tables, list) and all(isinstance(table, dict) for table in tables)):
        raise InputError(f"{source.of(name)}: give each {name} as a table, [[{name}]]")
    if not tables:
        raise InputError(
            f"{source.of(name)}: there is no {name}; give at least one, or leave it out"
        )
    return tables


def _run(table: Mapping[str, Any], source: _Source, number: int) -> Hyperparameters:
    """Return the hyperparameters in a table [[run]]."""
    known = {field.name.replace("_", "-"): field.name for field in fields(Hyperparameters)}
    unknown = next((key for key in table if key not in known), None)
    if unknown is not None:
        near = difflib.get_close_matches(unknown, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
        raise InputError(
            f"{source.of(unknown, run=number)}: there is no setting {quoted(unknown)} of a run; "
            f"{hint}"
        )
    if "lr" not in table:
        raise InputError(f"{source.of('run', run=number)}: each run needs lr, its learning rate")
    values = {known[key]: value for key, value in table.items()}
    try:
        return Hyperparameters(**values)
    except InputError as error:
        wrong = next((key for key in table if _is_wrong(known[key], table[key])), "")
        raise InputError(f"{source.of(wrong, run=number)}: {error}") from None


def _is_wrong(name: str, value: object) -> bool:
    """Return whether one value of a run is wrong whatever the others are."""
    try:
        Hyperparameters(**{"lr": 1.0, name: value})  # type: ignore[arg-type]
    except InputError:
        return name != "momentum"  # which depends on the optimizer
    return False


def _by_field(
    table: Mapping[str, Any], source: _Source, folder: files.AnyPath, output: int | None = None
) -> dict[str, Any]:
    """Return the settings in a table by the names of `Recipe`, each of the right type."""
    known = {setting.key: setting for setting in SETTINGS.values()}
    beside = "output" if output is None else "path"
    values = {}
    for key, value in table.items():
        if key == beside:
            continue
        if key not in known:
            near = difflib.get_close_matches(key, [*known, beside], n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
            if key == "path":
                hint = "it belongs in a table [[output]]"
            raise InputError(f"{source.of(key, output)}: there is no setting {quoted(key)}; {hint}")
        setting = known[key]
        if not setting.kind.has_type(value):
            raise InputError(
                f"{source.of(key, output)}: {key} = {quoted(value)} is not {setting.kind.type_name}"
            )
        if setting.kind.may_be_single and not isinstance(value, list):
            value = [value]
        values[setting.name] = setting.kind.with_file(
            value, lambda path: files.relative_to_cwd(path, folder)
        )
    return values


def _path(table: Mapping[str, Any], source: _Source, folder: files.AnyPath, output: int) -> str:
    path = table.get("path")
    if isinstance(path, str):
        return files.relative_to_cwd(path, folder)
    given = f", and {quoted(path)} is not a path" if "path" in table else ""
    raise InputError(
        f"{source.of('path', output)}: each output needs a path, such as 'lesson.mp4'{given}"
    )


@dataclass(frozen=True)
class _Source:
    """The text of a recipe, for the lines of its keys."""

    name: str
    text: str

    def of(self, key: str, output: int | None = None, *, run: int | None = None) -> str:
        """Return the name of the file, and the line of `key` if that is found."""
        name, count = ("run", run) if run else ("output", output)
        assignment = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]")
        tables = dict.fromkeys(("output", "run"), 0)
        inside = ""  # the kind of table that the line is in
        for number, line in enumerate(self._lines, 1):
            header = TABLE.match(line)
            is_there = (inside, tables[name]) == (name, count) if count else not inside
            if header and count is None and key == header[1] and not tables.get(key):
                return f"{self.name}, line {number}"
            if header:
                inside = header[1]
                tables[inside] = tables.get(inside, 0) + 1
            elif is_there and assignment.match(line):
                return f"{self.name}, line {number}"
        return f"{self.name}, {name} {count}" if count else self.name

    @cached_property
    def _lines(self) -> list[str]:
        """The lines, without what is in texts over several lines, which may look like a key."""

        def blank(found: re.Match[str]) -> str:
            return "\n" * found[0].count("\n") if "\n" in found[0] else found[0]

        return STRING_OR_COMMENT.sub(blank, self.text).splitlines()
