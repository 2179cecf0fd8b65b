"""A recipe as plain values, by the names of the command line's options: for TOML and for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from animate.system import files

if TYPE_CHECKING:
    from animate.recipe import Recipe

STYLE_FILE = ".mplstyle"

_OTHERS = {"true_weights": "true", "max_size": "max-size"}


def key_of(field: str) -> str:
    """Return what a field of `Recipe` is called on the command line and in files."""
    return _OTHERS.get(field, field)


def as_settings(recipe: Recipe, folder: files.AnyPath = "") -> dict[str, Any]:
    """Return `recipe` as plain values, its paths as they are called from `folder`."""
    common = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    del common["outputs"]
    return _plain(common, folder) | {
        "output": [
            {"path": files.relative(output.path, folder)} | _plain(output.changes, folder)
            for output in recipe.listed
        ]
    }


def _plain(settings: Mapping[str, object], folder: files.AnyPath) -> dict[str, Any]:
    """Return those of `settings` that are set, by their keys."""
    values: dict[str, Any] = {}
    for field, value in settings.items():
        if value is None:
            continue
        if isinstance(value, tuple):
            value = "{}x{}".format(*value) if field == "size" else list(value)
        if field == "theme" and str(value).endswith(STYLE_FILE):
            value = files.relative(str(value), folder)
        values[key_of(field)] = value
    return values
