"""
Read columns of numbers from CSV files as people have them.

Separators are comma, semicolon, tab or spaces; decimals have a point or a comma. What could be read
in two ways is an error, so that no picture is wrong.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from animate.system import files, validation
from animate.system.errors import InputError
from animate.training.problem import Doubles

SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas", " ": "spaces"}
"""In the order of preference, where several would do."""
LARGEST = 2_000_000_000  # bytes
SAMPLE_LINES = 50
NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
NOT_FINITE = re.compile(r"[-+]?(nan|inf|infinity)", re.IGNORECASE)
YEAR = re.compile(r"(19|20)\d\d")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")

TIMES = {"step": "step", "steps": "step", "epoch": "epoch", "epochs": "epoch"}

MIN_EXTENT = 1e-4  # relative to the largest value; below, float32 moves points visibly

Column = str | int


@dataclass(frozen=True, eq=False)
class Columns:
    """Two columns of a file, float64, shape (n,), and their names."""

    x: Doubles
    y: Doubles
    x_name: str
    y_name: str

    def check_float32(self, path: files.AnyPath) -> None:
        """Raise `InputError` unless a line can be fitted, and float32 shows where points are."""
        for values, name in ((self.x, self.x_name), (self.y, self.y_name)):
            size, extent = float(np.abs(values).max()), float(np.ptp(values))
            if size > float(np.finfo(np.float32).max):
                raise InputError(
                    f"{path}, column {name}: {size:g} is too large for float32; give smaller "
                    "numbers, in another unit"
                )
            if extent == 0 and values is self.x:
                raise InputError(
                    f"{path}, column {name}: all {len(values)} values are {values[0]:g}, which "
                    "determine no line; give at least two different ones"
                )
            if 0 < extent < MIN_EXTENT * size:
                raise InputError(
                    f"{path}, column {name}: values from {values.min():.10g} to "
                    f"{values.max():.10g} differ too little, beside their size, for float32; "
                    "subtract their mean"
                )


def read_columns(path: files.AnyPath, x: Column | None = None, y: Column | None = None) -> Columns:
    """
    Return two columns of the CSV file at `path`.

    Parameters
    ----------
    path : path
        With or without a header line, in UTF-8, UTF-16 or Windows-1252.
    x, y : str or int, optional
        Names of columns, or their numbers, counted from 1. By default the only two columns with
        numbers, in their order.

    Raises
    ------
    InputError
        If the file cannot be read, or a value is missing or not a finite number; the message
        says in which line and column.
    """
    table = _Table.read(path)
    if (x is None) != (y is None):
        raise InputError(f"only one column is given, {x if y is None else y}; give both or none")
    if x is None or y is None:
        places = [place for place in range(table.width) if table.has_numbers(place)]
        if len(places) != 2:
            listed = ", ".join(map(table.name, places)) or "none"
            raise InputError(
                f"{path}: two columns of numbers are needed, and {len(places)} are there "
                f"({listed}); choose x and y from {table.all_names()}"
            )
    else:
        places = [table.find(x), table.find(y)]
        if places[0] == places[1]:
            raise InputError(f"x and y are both column {table.name(places[0])}; give two")
    decimal = table.decimal_mark(places)
    values = [table.numbers(place, decimal) for place in places]
    names = [table.names[place] for place in places] if table.names else ["", ""]
    return Columns(values[0], values[1], names[0] or "x", names[1] or "y")


@dataclass(frozen=True, eq=False)
class Losses:
    """
    Losses of a file, and what it has beside them.

    Attributes
    ----------
    losses : float64 array, shape (T,)
        NaN where missing, infinite after an overflow.
    times : float64 array, shape (T,), or None
    time_unit : str
        "step" or "epoch".
    metrics : dict of str to float64 arrays, shape (T,)
    """

    losses: Doubles
    times: Doubles | None
    time_unit: str
    metrics: dict[str, Doubles]


def read_losses(path: files.AnyPath) -> Losses:
    """
    Return the losses of the CSV file at `path`; see `storage.load_losses`.

    Raises
    ------
    InputError
        If there is no column loss, or a value is not a number.
    """
    table = _Table.read(path)
    places = {name.lower(): place for place, name in enumerate(table.names)}
    if "loss" not in places:
        raise InputError(
            f"{path} has no column loss, but {table.all_names()}; write loss above the losses in "
            "the first line"
        )
    time = next((name for name in TIMES if name in places), None)
    others = [
        place
        for name, place in places.items()
        if name and name not in ("loss", *TIMES) and table.has_numbers(place)
    ]
    losses_at = places["loss"]
    decimal = table.decimal_mark([losses_at, *others])
    losses = table.numbers(losses_at, decimal, gaps=True)
    losses[[bool(NOT_FINITE.fullmatch(cell)) for cell in table[losses_at]]] = np.inf
    return Losses(
        losses,
        None if time is None else table.numbers(places[time], decimal),
        "step" if time is None else TIMES[time],
        {table.names[place]: table.numbers(place, decimal, gaps=True) for place in others},
    )


class _Table:
    """
    The cells of a file, as text, by column.

    Parameters
    ----------
    path : path
    names : sequence of str
        Of the columns; empty where there is no header.
    lines : sequence of int
        The line of each row, counted from 1.
    cells : sequence of sequences of str
        The cells of each column, without spaces around them.
    separator : str
    """

    def __init__(
        self,
        path: files.AnyPath,
        names: Sequence[str],
        lines: Sequence[int],
        cells: Sequence[Sequence[str]],
        separator: str,
    ) -> None:
        self.path, self.names, self.lines, self._cells = path, names, lines, cells
        self.width = len(cells)
        self._separator = separator

    @classmethod
    def read(cls, path: files.AnyPath) -> _Table:
        """Read the file at `path`."""
        text = _text(path)
        separator = _separator(text)
        rows, lines = [], []
        if separator == " ":
            text = _with_single_spaces(text)
        for line, row in _rows(text, separator, path):
            rows.append(row)
            lines.append(line)
        if not rows:
            raise InputError(f"{path} has no lines of data; give a file with two columns")
        width = len(rows[0])
        for line, row in zip(lines, rows, strict=True):
            if any(row[width:]):
                _fail_width(path, line, row, lines[0], width, separator)
            if len(row) != width:
                row[:] = [*row[:width], *[""] * (width - len(row))]
        names: Sequence[str] = ()
        if _is_header(rows, path, lines[0]):
            names = rows[0]
            names[0] = names[0].removeprefix("#").strip()  # as np.savetxt writes a header
            del rows[0], lines[0]
        if not rows:
            raise InputError(f"{path} has a header and no lines of data; give a file with some")
        if len(rows) > validation.MOST_POINTS:
            raise InputError(
                f"{path} has {len(rows)} lines of data; give at most {validation.MOST_POINTS}"
            )
        return cls(path, names, lines, list(zip(*rows, strict=True)), separator)

    def __getitem__(self, place: int) -> Sequence[str]:
        return self._cells[place]

    def name(self, place: int) -> str:
        """Return how a message calls the column at `place`."""
        return self.names[place] if self.names and self.names[place] else str(place + 1)

    def all_names(self) -> str:
        """Return the names of all columns, or how many there are."""
        if not self.names:
            return f"columns 1 to {self.width}"
        return validation.quoted(", ".join(self.names))

    def find(self, column: Column) -> int:
        """Return the place of a column that is given by name or number."""
        if isinstance(column, str) and column in self.names:
            if list(self.names).count(column) > 1:
                raise InputError(
                    f"{self.path} has several columns {column}; give the number of one, from 1"
                )
            return list(self.names).index(column)
        try:
            number = validation.whole(column, "column", least=1, most=self.width)
        except InputError:
            raise InputError(
                f"{self.path} has no column {validation.quoted(column)}; choose from "
                f"{self.all_names()}, or give a number from 1 to {self.width}"
            ) from None
        return number - 1

    def has_numbers(self, place: int) -> bool:
        """Return whether the first cell of a column that is not empty is a number."""
        first = next(filter(None, self._cells[place]), "")
        return bool(NUMBER.fullmatch(first) or NOT_FINITE.fullmatch(first))

    def decimal_mark(self, places: Sequence[int]) -> str:
        """Return the decimal mark of the columns at `places`, the same for all."""
        with_comma = [place for place in places if any("," in cell for cell in self._cells[place])]
        if not with_comma:
            return "."
        for place in with_comma:
            rows = [row for row, cell in enumerate(self._cells[place]) if "," in cell]
            thousands = all(THOUSANDS.fullmatch(self._cells[place][row]) for row in rows)
            if thousands and self._separator != ";":  # which is used where decimals have commas
                self._fail(
                    place, rows[0], "may have a decimal comma or thousands; write a decimal point"
                )
        for place in places:
            for row, cell in enumerate(self._cells[place]):
                if "." in cell:
                    self._fail(
                        place, row, "has a point, and others a decimal comma; write all alike"
                    )
        return ","

    def numbers(self, place: int, decimal: str, *, gaps: bool = False) -> Doubles:
        """Return the column at `place` as numbers; with `gaps`, NaN where there is none."""
        cells = self._cells[place]
        for row, cell in enumerate(cells):
            if not NUMBER.fullmatch(cell):
                if gaps and (not cell or NOT_FINITE.fullmatch(cell)):
                    continue
                self._fail(place, row, f"{_what(cell)}; correct it, or remove the line")
        texts = [cell.replace(",", ".") for cell in cells] if decimal == "," else cells
        values = np.array([float(text or "nan") for text in texts], np.float64)
        infinite = np.isinf(values)
        if infinite.any() and not gaps:
            self._fail(place, int(infinite.argmax()), "is too large; give smaller numbers")
        return values

    def _fail(self, place: int, row: int, problem: str) -> NoReturn:
        cell = self._cells[place][row]
        raise InputError(
            f"{self.path}, line {self.lines[row]}, column {self.name(place)}: "
            f"{validation.quoted(cell) + ' ' if cell else ''}{problem}"
        )


def _what(cell: str) -> str:
    if not cell:
        return "the value is missing"
    return "is not finite" if NOT_FINITE.fullmatch(cell) else "is not a number"


def _text(path: files.AnyPath) -> str:
    """Return the text of a file, whatever programs of offices wrote it."""
    files.check_source(path, LARGEST, "data")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {files.cause(error)}; give another") from None
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ["utf-16"] if wide else ["utf-8-sig", "cp1252"]:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path} is not text; give a CSV file in UTF-8")


def _separator(text: str) -> str:
    """Return the separator with which most cells are numbers."""
    head = text[:100_000].split("\n", SAMPLE_LINES)[:SAMPLE_LINES]
    if re.fullmatch(r"sep=[;,\t]", head[0].strip("\r ")):  # as spreadsheets write it
        return head[0][4]

    def score(separator: str) -> tuple[bool, float]:
        lines = [_with_single_spaces(line) for line in head] if separator == " " else head
        try:
            rows = [row for row in csv.reader(lines[1:] or lines, delimiter=separator) if any(row)]
        except csv.Error:
            return False, 0
        cells = [cell.strip() for row in rows for cell in row]
        known = sum(1 for cell in cells if NUMBER.fullmatch(cell))
        several = sum(len(row) > 1 for row in rows) * 2 >= max(1, len(rows))
        return several, known / max(1, len(cells))

    return max(SEPARATORS, key=score)


def _with_single_spaces(text: str) -> str:
    """Return lines of columns that spaces align, or that `numpy.savetxt` wrote, with one each."""
    return re.sub(r"(?m)^#?[ \t]+|[ \t]+(?=\r?$)|(?<=[ \t])[ \t]+", "", text).replace("\t", " ")


def _rows(text: str, separator: str, path: files.AnyPath) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not empty, with their numbers."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        strict=True,
        skipinitialspace=separator != " ",
    )
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells) and not (reader.line_num == 1 and cells[0].startswith("sep=")):
                yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num}: {error}; check the quotes there"
        ) from None


def _fail_width(
    path: files.AnyPath, line: int, row: Sequence[str], first: int, width: int, separator: str
) -> NoReturn:
    raise InputError(
        f"{path}, line {line}: {len(row)} cells, and line {first} has {width}; separate all by "
        f"{SEPARATORS[separator]}" + (", and decimals by points" if separator == "," else "")
    )


def _is_header(rows: Sequence[Sequence[str]], path: files.AnyPath, line: int) -> bool:
    """Return whether the first row names the columns."""
    first = [bool(NUMBER.fullmatch(cell) or NOT_FINITE.fullmatch(cell)) for cell in rows[0]]
    texts = [place for place, cell in enumerate(rows[0]) if cell and not first[place]]
    if not any(first):
        return True
    if texts:
        raise InputError(
            f"{path}, line {line}, column {texts[0] + 1}: {validation.quoted(rows[0][texts[0]])} "
            "beside numbers, so that this may be a header or data; put a line with the names of "
            "the columns first"
        )
    years = [place for place, cell in enumerate(rows[0]) if YEAR.fullmatch(cell)]
    if len(years) == len(rows[0]) and not any(
        YEAR.fullmatch(row[place]) for row in rows[1:] for place in years
    ):
        raise InputError(
            f"{path}, line {line}: {validation.quoted(', '.join(rows[0]))} are years, and no "
            "other line has any, so that this may be a header or data; put a line with the names "
            "of the columns first"
        )
    return False
