"""
Check values that a user gives, on the command line or from Python.

Each function takes text or a number, and returns the checked value; or it raises `InputError` with
a message that says what is wrong, the value, and what to do.
"""

import difflib
import math
import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from animate.system import environment
from animate.system.errors import InputError

MOST_RUNS = 12  # more panels cannot be read at usual sizes
LARGEST_SIDE = 16384  # x264's limit, in pixels
SMALLEST_SIDE = 16
QUALITIES = ("low", "medium", "high")
SIZES = {
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "4k": (3840, 2160),
    "square": (1080, 1080),
    "portrait": (1080, 1920),
}
UNITS = {"mm": 72 / 25.4, "cm": 72 / 2.54, "in": 72.0, "pt": 1.0}  # in points
UNIT_STEPS = {"mm": 1.0, "cm": 0.1, "in": 0.1, "pt": 1.0}  # to which a least size is rounded up
LEAST_PAPER, MOST_PAPER = 10, 1189  # mm a side; the long side of A0, with 300 dpi below 2^14 pixels
PAPER_SIZE = re.compile(
    r"\s*([0-9]{1,5}(?:\.[0-9]{1,6})?)(?:\s*[xX×]\s*([0-9]{1,5}(?:\.[0-9]{1,6})?))?\s*(mm|cm|in|pt)\s*"
)
SLOWEST_RATE, FASTEST_RATE = 1, 120  # frames a second
MOST_LOOPS = 65536  # what a GIF can hold
LONGEST = 600  # seconds
LARGEST_FILE = 10**11  # bytes
LARGEST_SEED = 2**64 - 1
LARGEST_WEIGHT = 1e6  # of a start, and of the true line
LEARNING_RATE_ADVICE = "give a positive number such as 0.1"
SNIPPETS = ("md", "html", "picture", "iframe")
MOMENTS = ("start", "end", "converged")
MOST_ACROSS = 4096  # runs along an axis of a map
MOST_DEPTH = 40  # levels of a zoom, beyond which neighbours are the same in float64
MOST_STILLS = 100  # epochs in one file
NOISES = ("uniform", "gaussian", "none")
THEMES = ("light", "dark", "transparent")
STYLE_SUFFIX = ".mplstyle"  # of a matplotlib style file
THEME_NAMES = (
    f"{', '.join(THEMES)}, a matplotlib style such as ggplot, or a file ending in {STYLE_SUFFIX}"
)
FONT_SUFFIXES = (".ttf", ".otf")
LEAST_POINTS, MOST_POINTS = 2, 1_000_000
RUN_MEMORY = 2_000  # bytes of a run's objects, whatever its length
DIAGNOSED = 1_000_000  # most records, over all runs, that are diagnosed at once
DIAGNOSIS_MEMORY = 60  # bytes per record during its diagnosis
MEMORY_LIMIT = 2_000_000_000  # bytes for one call of `train`


def number(value: object, name: str, *, advice: str) -> float:
    """Return `value` as a finite float."""
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} {quoted(value)} is not a number; {advice}") from None
    if not math.isfinite(result):
        raise InputError(f"{name} {quoted(value)} is not a finite number; {advice}")
    return result


def between(value: object, name: str, *, least: float, most: float, unit: str = "") -> float:
    """Return `value` as a float from `least` to `most`."""
    bounds = f"give one from {least:g} to {most:g}{unit}"
    result = number(value, name, advice=bounds)
    if not least <= result <= most:
        raise InputError(f"{name} {quoted(value)} is out of bounds; {bounds}")
    return result


def whole(value: object, name: str, *, least: int, most: int | None = None) -> int:
    """Return `value` as an int of at least `least` and at most `most`."""
    bounds = f"at least {least}" if most is None else f"from {least} to {most}"
    advice = f"give a whole number, {bounds}"
    try:
        if isinstance(value, bool):
            raise TypeError
        result = int(value) if isinstance(value, str) else int(value.__index__())  # type: ignore[attr-defined]
    except (TypeError, ValueError, AttributeError):
        raise InputError(f"{name} {quoted(value)} is not a whole number; {advice}") from None
    if result < least or (most is not None and result > most):
        raise InputError(f"{name} {quoted(value)} is out of bounds; {advice}")
    return result


def choice(value: object, name: str, among: Iterable[str]) -> str:
    """Return `value` if it is one of `among`; the error names the nearest one."""
    known = list(among)
    if isinstance(value, str) and value in known:
        return value
    near = difflib.get_close_matches(str(value), known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"{name} {quoted(value)} is unknown; {hint}choose from {', '.join(known)}")


def learning_rates(values: Iterable[object]) -> tuple[float, ...]:
    """
    Return `values` as positive learning rates, all different.

    >>> learning_rates(["0.1", 0.7])
    (0.1, 0.7)
    """
    rates: dict[float, None] = {}  # keeps the order and is quick to search
    for value in values:
        rate = learning_rate(value)
        if rate in rates:
            raise InputError(f"learning rate {quoted(value)} is given twice; give each rate once")
        rates[rate] = None
    if not rates:
        raise InputError(f"no learning rate is given; {LEARNING_RATE_ADVICE}")
    return tuple(rates)


def learning_rate(value: object) -> float:
    """Return `value` as a positive learning rate."""
    rate = number(value, "learning rate", advice=LEARNING_RATE_ADVICE)
    if rate <= 0:
        raise InputError(f"learning rate {quoted(value)} is not positive; {LEARNING_RATE_ADVICE}")
    return rate


def points(value: object) -> int:
    """Return `value` as a number of data points, at least the two that determine a line."""
    return whole(value, "number of points", least=LEAST_POINTS, most=MOST_POINTS)


def epochs(value: object, *, runs: int = 1, record_every: int = 1) -> int:
    """Return `value` as a number of epochs for which training `runs` runs fits into memory."""
    count = whole(value, "number of epochs", least=1)

    def memory(epochs: int) -> int:
        """Return the bytes that training takes for `epochs`."""
        records = epochs // record_every + 2
        at_once = min(runs * records, DIAGNOSED)
        return runs * (records * 3 * 4 + RUN_MEMORY) + at_once * DIAGNOSIS_MEMORY

    if memory(count) > MEMORY_LIMIT:
        most = bisect_right(range(count), MEMORY_LIMIT, key=memory) - 1
        raise InputError(
            f"{count} epochs of {runs} run{'s' if runs > 1 else ''} would take "
            f"{memory(count) / 1e9:.3g} GB of memory; "
            + (f"give at most {most} epochs" if most > 0 else "give fewer runs")
        )
    return count


def weights(values: Iterable[object], name: str) -> tuple[float, float]:
    """Return `values` as a slope and a bias."""
    pair = tuple(
        between(value, name, least=-LARGEST_WEIGHT, most=LARGEST_WEIGHT) for value in values
    )
    if len(pair) != 2:
        raise InputError(f"{name} {pair} has {len(pair)} numbers; give two, the slope and the bias")
    return pair


def label(value: object) -> str:
    """Return `value` as the label of a run."""
    if not (isinstance(value, str) and value.strip()):
        raise InputError(
            f"label {quoted(value)} is not a text, or empty; give one, or leave it out"
        )
    return value


@dataclass(frozen=True, slots=True)
class PaperSize:
    """
    A size on paper.

    Attributes
    ----------
    width : float
    height : float or None
        None for one that suits the content.
    unit : "mm", "cm", "in" or "pt"
    """

    width: float
    height: float | None
    unit: str

    def __str__(self) -> str:
        sides = [self.width] if self.height is None else [self.width, self.height]
        return "x".join(f"{side:.10g}" for side in sides) + self.unit

    @property
    def points(self) -> tuple[float, float | None]:
        """Width and height in points, of which an inch has 72."""
        factor = UNITS[self.unit]
        return self.width * factor, None if self.height is None else self.height * factor

    def rounded_up(self, points: tuple[float, float]) -> "PaperSize":
        """
        Return `points` in the unit of this size, rounded up; without a height if this has none.

        >>> str(PaperSize(30, 20, "mm").rounded_up((144, 72)))
        '51x26mm'
        """
        step = UNIT_STEPS[self.unit]
        width, height = (math.ceil(side / UNITS[self.unit] / step - 1e-9) * step for side in points)
        return replace(self, width=width, height=None if self.height is None else height)


def size(value: object) -> tuple[int, int]:
    """
    Return `value`, text such as ``1280x720``, a name or a pair, as (width, height) in pixels.

    >>> size("1280x720"), size("square")
    ((1280, 720), (1080, 1080))
    """
    advice = (
        f"give WIDTHxHEIGHT in pixels, such as 1280x720, each side from {SMALLEST_SIDE} "
        f"to {LARGEST_SIDE}, or one of {', '.join(SIZES)}"
    )
    if isinstance(value, PaperSize) or (isinstance(value, str) and PAPER_SIZE.fullmatch(value)):
        raise InputError(
            f"size {value} is one on paper, and a film has pixels; {advice}; or make a still of "
            "this size, such as a .pdf"
        )
    if isinstance(value, str) and value in SIZES:
        return SIZES[value]
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([0-9]{1,9})[xX×]([0-9]{1,9})\s*", value)
        sides = tuple(int(side) for side in match.groups()) if match else ()
    else:
        try:
            sides = tuple(int(side.__index__()) for side in value)  # type: ignore[attr-defined]
        except (TypeError, AttributeError):
            sides = ()
    if len(sides) != 2:
        raise InputError(f"size {quoted(value)} is not a size; {advice}")
    if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in sides):
        raise InputError(f"size {sides[0]}x{sides[1]} is out of bounds; {advice}")
    return sides[0], sides[1]


def still_size(value: object) -> tuple[int, int] | PaperSize:
    """
    Return `value` as a size in pixels, or on paper.

    >>> still_size("square"), str(still_size("8.60x6cm")), still_size("86mm").height
    ((1080, 1080), '8.6x6cm', None)
    """
    if isinstance(value, str) and (match := PAPER_SIZE.fullmatch(value)):
        width, height, unit = match.groups()
        value = PaperSize(float(width), None if height is None else float(height), unit)
    if isinstance(value, PaperSize):
        sides = [side for side in value.points if side is not None]
        least, most = (bound * UNITS["mm"] for bound in (LEAST_PAPER, MOST_PAPER))
        if not all(least <= side <= most for side in sides):
            raise InputError(
                f"size {value} is out of bounds; give each side from {LEAST_PAPER} to "
                f"{MOST_PAPER} mm"
            )
        return value
    try:
        return size(value)
    except InputError as error:
        raise InputError(
            f"{error}; or a size on paper, such as 86mm, 12x7cm or 3.4x2.2in"
        ) from None


def axis_range(values: Iterable[object]) -> tuple[str, float, float]:
    """
    Return `values` as the name of an axis of a map, its lowest and its highest value.

    >>> axis_range(["momentum", "0", 0.99])
    ('momentum', 0.0, 0.99)
    """
    found = tuple(values)
    advice = "give a name, the lowest and the highest value, such as lr 0.001 2"
    if len(found) != 3:
        raise InputError(f"an axis has {len(found)} values; {advice}")
    name = str(found[0])
    if name not in ("lr", "momentum") and not name.startswith(("lr.", "start.")):
        raise InputError(
            f"axis {quoted(name)} is unknown; choose from lr, momentum, start.0 and the other "
            "weights, lr.PARAMETER"
        )
    low, high = (number(value, f"end of axis {name}", advice=advice) for value in found[1:])
    if not low < high:
        raise InputError(f"axis {name} goes from {low:g} to {high:g}; {advice}")
    return name, low, high


def resolution(value: object) -> tuple[int, int]:
    """
    Return `value`, text such as ``320x240`` or a pair, as numbers of runs across and up.

    >>> resolution("320x240")
    (320, 240)
    """
    parts = value.lower().split("x") if isinstance(value, str) else value
    advice = f"give ACROSSxUP, such as 320x240, each from 2 to {MOST_ACROSS}"
    try:
        across, up = (whole(part, "resolution", least=2, most=MOST_ACROSS) for part in parts)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise InputError(f"resolution {quoted(value)} cannot be used; {advice}") from None
    return across, up


def frame_rate(value: object) -> float:
    """Return `value` as a number of frames a second."""
    return between(
        value, "frame rate", least=SLOWEST_RATE, most=FASTEST_RATE, unit=" frames a second"
    )


def byte_count(value: object, name: str) -> int:
    """
    Return `value`, a number of bytes or text such as ``2MB``, as bytes; a MB is 10^6.

    >>> byte_count("1.5MB", "limit"), byte_count("300 kB", "limit"), byte_count(2000, "limit")
    (1500000, 300000, 2000)
    """
    advice = "give a size such as 2MB or 500kB"
    match = re.fullmatch(r"\s*([0-9.]+)\s*(k|M|G)?B?\s*", str(value), re.IGNORECASE)
    if match is None:
        raise InputError(f"{name} {quoted(value)} is not a size in bytes; {advice}")
    unit = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9}[(match[2] or "").lower()]
    count = number(match[1], name, advice=advice) * unit
    if not 1 <= count <= LARGEST_FILE:
        raise InputError(f"{name} {quoted(value)} is out of bounds; {advice}, at most 100GB")
    return int(count)


def seconds(value: object, name: str) -> float:
    """Return `value` as a length of time."""
    return between(value, name, least=0, most=LONGEST, unit=" seconds")


def moment(value: object, epochs: int, *, fractions: bool = False) -> float | str:
    """
    Return `value` as an epoch from 0 to `epochs`, or as one of the names for one.

    With `fractions`, an epoch need not be whole.

    >>> moment("8", 100), moment("converged", 100), moment("0.5", 100, fractions=True)
    (8, 'converged', 0.5)
    """
    if isinstance(value, str) and value in MOMENTS:
        return value
    try:
        if fractions:
            epoch = between(value, "epoch", least=0, most=epochs)
            return int(epoch) if epoch.is_integer() else epoch
        return whole(value, "epoch", least=0, most=epochs)
    except InputError as error:
        raise InputError(f"{error}, or one of {', '.join(MOMENTS)}") from None


def moments(
    values: Iterable[object], epochs: int, *, fractions: bool = False
) -> tuple[float | str, ...]:
    """Return `values` as epochs, each a number or a name for one, all different; see `moment`."""
    found = tuple(moment(value, epochs, fractions=fractions) for value in values)
    check_moment_list(found, "epoch", f"0 to {epochs}")
    return found


def check_moment_list(moments: Sequence[object], unit: str, bounds: str) -> None:
    """Raise `InputError` if there are no moments, more than `MOST_STILLS`, or equal ones."""
    if not moments:
        raise InputError(f"no {unit} is given; give one from {bounds}")
    if len(moments) > MOST_STILLS:
        raise InputError(f"{len(moments)} {unit}s are too many; give at most {MOST_STILLS}")
    for index, moment in enumerate(moments):
        if moment in moments[:index]:
            raise InputError(f"{unit} {moment} is given twice; give each once")


def theme(value: object) -> str:
    """Return `value` as the name of a theme, of a matplotlib style, or of a style file."""
    known = [*THEMES, *environment.matplotlib_styles()]
    if isinstance(value, str) and (value.endswith(STYLE_SUFFIX) or value in known):
        return value
    near = difflib.get_close_matches(str(value), known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(
        f"theme {quoted(value)} is unknown; {hint}choose from {THEME_NAMES} "
        "(matplotlib.style.available lists all)"
    )


def font(value: object) -> str:
    """Return `value` as the name of a font file."""
    if isinstance(value, str | os.PathLike) and str(value).lower().endswith(FONT_SUFFIXES):
        return str(os.fspath(value))
    raise InputError(
        f"font {quoted(value)} is not the name of a font; "
        f"give a file ending in {' or '.join(FONT_SUFFIXES)}"
    )


def file_name(value: object) -> str:
    """Return `value` as the name of a file to read."""
    if not (isinstance(value, str | os.PathLike) and os.fspath(value)):
        raise InputError(f"{quoted(value)} is not the name of a file; give one")
    return str(os.fspath(value))


def columns(values: Iterable[object]) -> tuple[str | int, ...]:
    """Return `values` as two different columns, each by its name or its number, from 1."""
    found = tuple(values)
    for value in found:
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise InputError(f"column {quoted(value)} is not a name or a number; give one")
    if len(found) != 2 or found[0] == found[1]:
        given = ", ".join(map(quoted, found)) or "none"
        raise InputError(f"columns {given} are not two; give two different ones, x and y")
    return found  # type: ignore[return-value]


def boolean(value: object) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, bool):
        raise InputError(f"{quoted(value)} is not true or false; give one of these")
    return value


def quoted(value: object) -> str:
    """Return `value` for a message: text in quotes, shortened to 80 characters."""
    text = repr(value.strip()) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
