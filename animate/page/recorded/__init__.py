"""
The page that plays recorded runs: one HTML file that trains nothing.

It shows any runs (of a network, a recording, data of one's own, losses alone) in the views that
`DRAWABLE` names. The runs, thinned to a few hundred moments, are in the file; it loads nothing.
"""

import html
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from animate.drawing.alt_text import describe
from animate.drawing.palette import DARK, LIGHT
from animate.drawing.run_header import fill_forward, verdict_text
from animate.drawing.scene import default_title, validate_runs
from animate.drawing.views import View, load_views
from animate.drawing.views.requirements import (
    check_views,
    default_views,
    missing_requirement,
    name_of,
)
from animate.page import assembly
from animate.page.recorded import encoding, panels
from animate.system.errors import InputError
from animate.system.numbers import count_text, moment_text, rate_texts, value_text
from animate.system.version import VERSION
from animate.training.diagnosis import distances_left
from animate.training.hyperparameters import OPTIMIZER_NAMES
from animate.training.line import Line
from animate.training.precomputed import precompute
from animate.training.problem import NamesWeights, Quadratic, provides
from animate.training.trajectory import Trajectory

DRAWABLE = tuple(panels.PANELS)
MODULES = (
    "numbers", "drawing", "player", "recorded/decode", "recorded/charts", "recorded/maps",
    "recorded/recorded",
)  # fmt: skip


def choose_views(
    views: Sequence[str | type[View]] | None, runs: Sequence[Trajectory]
) -> list[type[View]]:
    """
    Return the classes of `views`, or those default views of `runs` that the page can draw.

    Raises
    ------
    InputError
        If one cannot show the runs, or the page cannot draw it. The message names views that do.
    """
    if views is None:
        chosen = [one for one in default_views(runs) if name_of(one) in DRAWABLE]
        if chosen:
            return chosen
        raise InputError(
            "the default views of these runs cannot be drawn in a page; views that can: "
            f"{_suitable(runs)}"
        )
    chosen = load_views(views)
    for one in chosen:
        if name_of(one) not in DRAWABLE:
            raise InputError(
                f"view {name_of(one)} cannot be drawn in a page of recorded runs; views that can "
                f"show these runs there: {_suitable(runs)}"
            )
    check_views(chosen, runs)
    return chosen
