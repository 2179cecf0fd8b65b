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
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from animate.recipe import DEFAULT_OUTPUTS, OF_THE_WHOLE, Output, Recipe, form_of
from animate.recipe.settings import STYLE_FILE, as_settings, key_of
from animate.system import files
from animate.system.validation import InputError, shown

LARGEST = 1_000_000  # bytes
SHIPPED = importlib.resources.files("animate.recipe") / "shipped"
OURS = "animate:"
BOUNDING = ("lrs", "epochs")  # which say what other settings may be

NUMBER, WHOLE, TEXT = (int, float), (int,), (str,)
_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "lrs": ("a list of numbers", NUMBER),
    "epochs": ("a whole number", WHOLE),
    "seed": ("a whole number", WHOLE),
    "points": ("a whole number", WHOLE),
    "noise": ("text", TEXT),
    "true": ("a list of numbers", NUMBER),
    "start": ("a list of numbers", NUMBER),
    "views": ("a list of texts", TEXT),
    "size": ("text", TEXT),
    "theme": ("text", TEXT),
    "title": ("text", TEXT),
    "at": ("a list of whole numbers and texts", (int, str)),
    "fps": ("a number", NUMBER),
    "hold": ("a number", NUMBER),
    "duration": ("a number", NUMBER),
    "loop": ("a whole number", WHOLE),
    "quality": ("text", TEXT),
    "max-size": ("a whole number or text", (int, str)),
}
"""The keys, and what their values are, in words and as types."""

_FIELDS = {key_of(field.name): field.name for field in fields(Recipe)}

_HEAD = "# Made again by: animate FILE"


def dumps(recipe: Recipe, folder: files.AnyPath = "") -> str:
    """
    Return `recipe` as the text of a file that lies in `folder`.

    Raises
    ------
    InputError
        If a path or the title is no text that UTF-8 can hold.
    """
    settings = as_settings(recipe, folder)
    tables = settings.pop("output")
    lines = [_HEAD, "", *_assignments(settings)]
    for table in tables:
        lines += ["", "[[output]]", *_assignments(table)]
    text = "\n".join(lines) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"a recipe is text in UTF-8, which cannot hold {shown(text[error.start : error.end])}; "
            "give another path or title"
        ) from None
    return text


def _assignments(settings: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_literal(value)}" for key, value in settings.items()]


def _literal(value: object) -> str:
    """Return a number, a text or a flat list as TOML writes it."""
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


def named(name: str, over: Mapping[str, object] | None = None) -> Recipe:
    """
    Return the recipe called `name`: a file's path, or the name of one that ships.

    `over` are settings by the names of `Recipe` that win over what it says.
    """
    known = shipped()
    ours = name.removeprefix(OURS)
    if ours in known and not (name == ours and Path(name).is_file()):
        text = (SHIPPED / f"{ours}.toml").read_text(encoding="utf-8")
        return loads(text, f"{ours}.toml", over=over)
    if name in known:
        raise InputError(
            f"{name} is a file here and a recipe that ships with animate; "
            f"write ./{name} for the file, or {OURS}{name} for the other"
        )
    if not (os.path.lexists(name) or name.endswith(".toml")):  # also where no name is that long
        near = difflib.get_close_matches(ours, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"there is no recipe {shown(name)}; {hint}"
            f"give a file such as talk.toml, or one of {', '.join(known)}"
        )
    return load(name, over)


def load(path: files.AnyPath, over: Mapping[str, object] | None = None) -> Recipe:
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
        raise InputError(f"{path} is no text in UTF-8; save it as that") from None
    except OSError as error:
        raise InputError(f"recipe {path} cannot be read: {error.strerror}") from None
    return loads(text, os.fspath(path), Path(path).parent, over)


def loads(
    text: str,
    name: str,
    folder: files.AnyPath = "",
    over: Mapping[str, object] | None = None,
) -> Recipe:
    """Return the recipe in `text`, whose file is called `name` in errors and lies in `folder`."""
    try:
        settings = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is no TOML: {error}") from None
    return from_settings(settings, name, folder, text, over)


def from_settings(
    settings: Mapping[str, Any],
    name: str,
    folder: files.AnyPath = "",
    text: str = "",
    over: Mapping[str, object] | None = None,
) -> Recipe:
    """Return the recipe that plain values say; `text` is where errors find their line."""
    place, over = _Place(name, text, folder), dict(over or {})
    common = dict(settings)
    tables = common.pop("output", None)
    if tables == []:
        raise InputError(
            f"{place.of('output')}: there is no output; give at least one, or leave it out"
        )
    if tables is not None and not (
        isinstance(tables, list) and all(isinstance(table, dict) for table in tables)
    ):
        raise InputError(f"{place.of('output')}: give each output as a table, [[output]]")
    keys = {key: field for key, field in _FIELDS.items() if key in _TYPES}
    ground = {field: value for field, value in over.items() if field in BOUNDING}
    values = _checked(common, place, keys, Recipe(**ground), over)  # type: ignore[arg-type]
    outputs = []
    for number, table in enumerate(tables or [], 1):
        here = _Place(name, text, folder, number)
        changes = dict(table)
        path = changes.pop("path", None)
        own = {key: field for key, field in keys.items() if field not in OF_THE_WHOLE}
        whole = next((key for key in changes if key in keys and key not in own), None)
        if whole is not None:
            raise InputError(
                f"{here.of(whole)}: {whole} is of the whole recipe; set it above the outputs"
            )
        bounds = {field: values[field] for field in BOUNDING if field in values} | ground
        own_ground = Recipe(**bounds)
        checked = _checked(changes, here, own, own_ground, over)
        if not isinstance(path, str):
            given = f", and {shown(path)} is none" if "path" in table else ""
            raise InputError(
                f"{here.of('path')}: each output needs a path, such as 'lesson.mp4'{given}"
            )
        try:
            form_of(path)
        except InputError as error:
            raise InputError(f"{here.of('path')}: {error}") from None
        outputs.append(Output(files.inside(folder, path), checked))
    try:
        return Recipe(**{"outputs": outputs or DEFAULT_OUTPUTS} | values | over)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _checked(
    settings: Mapping[str, Any],
    place: _Place,
    known: Mapping[str, str],
    ground: Recipe,
    over: Mapping[str, object],
) -> dict[str, Any]:
    """
    Return `settings` by the names of `Recipe`, each of its type and within its bounds.

    Those that others win `over` are left out.
    """
    values = {}
    for key in sorted(settings, key=lambda key: key not in BOUNDING):
        value = settings[key]
        if key not in known:
            near = difflib.get_close_matches(key, [*known, place.table], n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
            if key == "path":
                hint = "it belongs in a table [[output]]"
            raise InputError(f"{place.of(key)}: there is no setting {shown(key)}; {hint}")
        if known[key] in over:
            continue
        words, types = _TYPES[key]
        many = words.startswith("a list")
        if key == "at" and not isinstance(value, list):
            value = [value]
        items = value if many and isinstance(value, list) else [value]
        if many != isinstance(value, list) or not all(_is(item, types) for item in items):
            raise InputError(f"{place.of(key)}: {key} = {shown(value)} is not {words}")
        if key == "theme" and value.endswith(STYLE_FILE):
            value = files.inside(place.folder, value)
        try:
            ground = replace(ground, **{known[key]: value})
        except InputError as error:
            raise InputError(f"{place.of(key)}: {error}") from None
        values[known[key]] = value
    return values


def _is(value: object, types: tuple[type, ...]) -> bool:
    return isinstance(value, types) and not isinstance(value, bool)


class _Place:
    """Where in a file a key stands: at its top, or in its Nth output; and where the file lies."""

    def __init__(self, name: str, text: str, folder: files.AnyPath, output: int = 0) -> None:
        self._name, self._lines, self._output = name, text.splitlines(), output
        self.folder = folder
        self.table = "path" if output else "output"  # what else there is than settings

    def of(self, key: str) -> str:
        """Return the file's name, and the line of `key` if that is known."""
        table = 0
        for number, line in enumerate(self._lines, 1):
            table += bool(re.match(r"\s*\[\[\s*output\s*\]\]", line))
            if table == self._output and re.match(
                rf"\s*[\"']?{re.escape(key)}[\"']?\s*(=|\.)|\s*\[+\s*{re.escape(key)}\s*\]", line
            ):
                return f"{self._name}, line {number}"
        return f"{self._name}, output {self._output}" if self._output else self._name
