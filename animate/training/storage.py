"""
Recorded runs as files: `.npz` of a whole run, and a recording that grows while training runs.

A recording is a header, then one frame a record, all of the same size. So the weights of all
records are a memory map, and a frame that was cut off is told by the size of the file. Each frame
ends in a mark, which is written last. A frame of the same step as the one before replaces it.
"""

from __future__ import annotations

import json
import math
import os
import struct
import weakref
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from animate.system import files
from animate.system.errors import DestinationError, InputError, OutputError
from animate.training.columns import read_losses
from animate.training.hyperparameters import Hyperparameters
from animate.training.line import Line, Sampling
from animate.training.problem import Array
from animate.training.standardization import Standardization
from animate.training.trajectory import Trajectory

FORMAT = 1
RECORDING_MAGIC = b"animate recording\n"
ZIP_MAGIC = b"PK\x03\x04"
LARGEST = 10**13  # bytes of a file that is read
METRICS_SIZE = 2048  # bytes of JSON, all that a record has besides step, loss, rate and weights
END_MARK = 0x454D415246444E45
NO_RUN = "give one that was written by run.save or Recorder(path=...)"

# .npz


def save(run: Trajectory, path: files.AnyPath) -> None:
    """Write `run` to `path`, whole or not at all; see `Trajectory.save`."""
    if Path(path).suffix.lower() != ".npz":
        raise InputError(f"{path} does not end in .npz, the only format of run.save; rename it")
    about = {
        "format": FORMAT,
        "label": run.label if run.has_own_label else None,
        "generated_label": run.label,
        "steps_per_epoch": run.steps_per_epoch,
        "from_train": run.from_train,
        "hyperparameters": None if run.hyperparameters is None else asdict(run.hyperparameters),
        "metrics": list(run.metrics),
        "buffers": list(run.buffers),
    }
    arrays: dict[str, Array] = {"losses": run.losses, "steps": run.steps, "lrs": run.lrs}
    if run.weights is not None:
        arrays["weights"] = run.weights
    for name, several in (("metric", run.metrics), ("buffer", run.buffers)):
        arrays |= {f"{name}_{place}": one for place, one in enumerate(several.values())}
    if isinstance(run.problem, Line):
        about["line"], of_line = _line_parts(run.problem)
        arrays |= of_line
    arrays["about"] = np.array(json.dumps(about))
    with files.atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_npz(path: files.AnyPath) -> Trajectory:
    """
    Return the run that `run.save` wrote to `path`.

    Raises
    ------
    InputError
        If it is another file, or damaged.
    """
    files.check_source(path, LARGEST, "run")
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(str(arrays["about"]))
        _check_format(path, about["format"])
        return _run(about, arrays)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {files.cause(error)}; {NO_RUN}") from None
    except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"{path} is not a whole run ({reason}); {NO_RUN}") from error


def _run(about: Mapping[str, Any], arrays: Mapping[str, Array]) -> Trajectory:
    known = about["hyperparameters"]
    run = Trajectory(
        arrays.get("weights"),
        arrays["losses"],
        steps=arrays["steps"],
        lrs=arrays["lrs"],
        hyperparameters=None if known is None else Hyperparameters(**known),
        problem=_line(about["line"], arrays) if "line" in about else None,
        metrics={name: arrays[f"metric_{at}"] for at, name in enumerate(about["metrics"])},
        buffers={name: arrays[f"buffer_{at}"] for at, name in enumerate(about["buffers"])},
        label=about["label"],
        steps_per_epoch=about["steps_per_epoch"],
    )
    return run.as_trained(about["generated_label"]) if about["from_train"] else run


_LINE_ARRAYS = ("x", "y", "start", "true_weights")
_LINE_NAMES = ("x_name", "y_name")


def _line_parts(line: Line) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what a line consists of: plain values, and arrays."""
    plain: dict[str, Any] = {name: getattr(line, name) for name in _LINE_NAMES}
    plain["sampling"] = None if line.sampling is None else asdict(line.sampling)
    arrays = {
        f"line_{name}": value for name in _LINE_ARRAYS if (value := getattr(line, name)) is not None
    }
    if line.standardization is not None:
        for field in fields(Standardization):
            value = getattr(line.standardization, field.name)
            arrays[f"standardization_{field.name}"] = np.asarray(value)
    return plain, arrays


def _line(plain: Mapping[str, Any], arrays: Mapping[str, Array]) -> Line:
    standardization = None
    if "standardization_x" in arrays:
        parts = {one.name: arrays[f"standardization_{one.name}"] for one in fields(Standardization)}
        values: dict[str, Any] = {
            name: part if part.ndim else float(part) for name, part in parts.items()
        }
        standardization = Standardization(**values)
    given: dict[str, Any] = {
        name: arrays[f"line_{name}"] for name in _LINE_ARRAYS if f"line_{name}" in arrays
    }
    given |= {name: plain[name] for name in _LINE_NAMES}
    sampling = None if plain["sampling"] is None else Sampling(**plain["sampling"])
    return Line(**given, sampling=sampling, standardization=standardization)


def _check_format(path: files.AnyPath, number: object) -> None:
    if number != FORMAT:
        raise InputError(f"{path} has format {number}, and this animate reads {FORMAT}; update it")


# Losses alone


def load_losses(path: files.AnyPath) -> Trajectory:
    """
    Return the run of a CSV file of losses, without weights.

    Its header names a column `loss`, and maybe `step` or else `epoch`. Every other column of
    numbers is a metric. An empty cell is a missing value; ``nan`` in the losses is an overflow.

    Raises
    ------
    InputError
        If there is no such column, or a value cannot be read.
    """
    table = read_losses(path)
    steps = None
    if table.times is not None:
        steps = table.times.astype(np.int64)
        if (steps != table.times).any() or (steps[1:] <= steps[:-1]).any() or steps[0] < 0:
            raise InputError(
                f"{path}: the {table.time_unit}s are not whole numbers that rise from line to "
                "line; give as many updates as were made before each loss"
            )
    return Trajectory(
        None,
        table.losses,
        steps=steps,  # type: ignore[arg-type]
        metrics=table.metrics,
        steps_per_epoch=1 if table.time_unit == "epoch" else None,
    )


# Recordings


class RecordingFile:
    """
    A recording that is being written.

    Parameters
    ----------
    path : path
        Of a new file.
    label, steps_per_epoch
        Of the run.

    Raises
    ------
    InputError, OutputError
        If `path` cannot be written, or exists: it may hold what a killed program recorded.
    """

    def __init__(self, path: files.AnyPath, label: str | None, steps_per_epoch: int | None) -> None:
        self.path = Path(path)
        self._about = {"format": FORMAT, "label": label, "steps_per_epoch": steps_per_epoch}
        self._descriptor = -1
        self._dtype = np.dtype([])
        self._size = 0
        if files.is_folder(path):
            raise DestinationError(f"{path} is not a file; give one without the slash at its end")
        files.check(path)
        if self.path.is_file() and self.path.stat().st_size:
            what = "an earlier recording" if is_recording(path) else "another file"
            raise DestinationError(f"{path} is {what}, and is kept; give another path")

    def append(
        self,
        step: int,
        loss: float,
        lr: float,
        metrics: Mapping[str, float],
        weights: Array,
        buffers: Mapping[str, Array],
    ) -> None:
        """Write one record; where that fails, those before it stay whole."""
        text = json.dumps(metrics).encode()
        if len(text) > METRICS_SIZE:
            raise InputError(
                f"{len(metrics)} metrics take {len(text)} bytes, and a recording holds "
                f"{METRICS_SIZE} a record; give fewer, or shorter names"
            )
        if self._descriptor < 0:
            self._open(weights, buffers, [step, loss, lr, text])
            return
        try:
            self._write_frame(self._descriptor, [step, loss, lr, text], weights, buffers)
        except OSError as error:
            os.ftruncate(self._descriptor, self._size)
            raise OutputError(
                f"the record of step {step} was not written to {self.path}: {files.cause(error)}; "
                "those before it are whole"
            ) from error
        except BaseException:
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += self._dtype.itemsize

    def _open(self, weights: Array, buffers: Mapping[str, Array], numbers: list[Any]) -> None:
        """Write header and first record into a new file, which then replaces `path`."""
        about = {
            **self._about,
            "weights": [weights.dtype.str, len(weights)],
            "buffers": [[name, one.dtype.str, one.shape] for name, one in buffers.items()],
        }
        self._dtype = _frame_dtype(about)
        with files.atomic(self.path) as temporary:
            descriptor = os.open(temporary, os.O_RDWR | os.O_APPEND)
            # Closed with the object, or when the program ends.
            self._close = weakref.finalize(self, os.close, descriptor)
            try:
                _write(descriptor, _header(about))
                self._write_frame(descriptor, numbers, weights, buffers)
            except BaseException:
                self._close()
                raise
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    def _write_frame(
        self, descriptor: int, numbers: list[Any], weights: Array, buffers: Mapping[str, Array]
    ) -> None:
        frame = _head(*numbers)
        _write(descriptor, frame)
        parts = [weights, *buffers.values()]
        for part in parts:
            _write(descriptor, np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
        padding = self._dtype.itemsize - 8 - len(frame) - sum(part.nbytes for part in parts)
        _write(descriptor, bytes(padding) + END_MARK.to_bytes(8, "little"))


def is_recording(path: files.AnyPath) -> bool:
    """Return whether the file at `path` begins like a recording."""
    with Path(path).open("rb") as file:
        return file.read(len(RECORDING_MAGIC)) == RECORDING_MAGIC


def load_recording(path: files.AnyPath) -> Trajectory:
    """
    Return the run that a `Recorder` has written to `path` up to now.

    The weights are a memory map, unless several frames are of the same step.

    Raises
    ------
    InputError
        If it is another file, damaged, or holds no whole record.
    """
    files.check_source(path, LARGEST, "recording")
    try:
        about, offset = _read_header(path)
        dtype = _frame_dtype(about)
        count = (Path(path).stat().st_size - offset) // dtype.itemsize
        if count < 1:
            raise InputError(f"{path} holds no whole record; record at least once")
        frames = np.memmap(path, dtype, "r", offset, (count,))
        return _recorded(path, about, frames)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {files.cause(error)}; {NO_RUN}") from None
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is a damaged recording: {error}; {NO_RUN}") from error


def _recorded(path: files.AnyPath, about: Mapping[str, Any], frames: Array) -> Trajectory:
    numbers = (frames[name].tolist() for name in ("step", "loss", "lr", "metrics"))
    checks = np.array([_checksum(*one) for one in zip(*numbers, strict=True)], np.uint64)
    whole = (frames["end"] == END_MARK) & (frames["check"] == checks)
    if not whole[-1]:  # only the last may have been cut off
        frames, whole = frames[:-1], whole[:-1]
    if not len(frames):
        raise InputError(f"{path} holds no whole record; record at least once")
    if not whole.all():
        raise InputError(f"{path}: record {int(whole.argmin())} is damaged; {NO_RUN}")
    steps = np.array(frames["step"])
    last = np.append(steps[1:] != steps[:-1], True)
    if not last.all():
        frames, steps = frames[last], steps[last]
    several = [json.loads(text) for text in frames["metrics"]]
    names = list(dict.fromkeys(name for metrics in several for name in metrics))
    buffers = {name: frames[f"buffer {name}"] for name, *_ in about["buffers"]}
    return Trajectory(
        frames["weights"],
        np.array(frames["loss"]),
        steps=steps,
        lrs=np.array(frames["lr"]),
        metrics={
            name: np.array([metrics.get(name, math.nan) for metrics in several], np.float64)
            for name in names
        },
        buffers=buffers,
        label=about["label"],
        steps_per_epoch=about["steps_per_epoch"],
    )


def _frame_dtype(about: Mapping[str, Any]) -> np.dtype[Any]:
    """Return the layout of one record."""
    kind, count = about["weights"]
    parts: list[tuple[str, Any]] = [("step", "<i8"), ("loss", "<f8"), ("lr", "<f8")]
    parts += [("check", "<u8"), ("metrics", f"S{METRICS_SIZE}"), ("weights", (kind, (count,)))]
    parts += [(f"buffer {name}", (kind, tuple(shape))) for name, kind, shape in about["buffers"]]
    sizes = [np.dtype(kind).itemsize for _, kind in parts]
    offsets = [sum(sizes[:place]) for place in range(len(sizes))]
    end = -(-sum(sizes) // 8) * 8  # so that numbers are aligned in memory
    return np.dtype(
        {
            "names": [*(name for name, _ in parts), "end"],
            "formats": [*(kind for _, kind in parts), "<u8"],
            "offsets": [*offsets, end],
            "itemsize": end + 8,
        }
    )


def _head(step: int, loss: float, lr: float, metrics: bytes) -> bytes:
    """Return the first part of a frame."""
    check = _checksum(step, loss, lr, metrics)
    return struct.pack("<qddQ", step, loss, lr, check) + metrics.ljust(METRICS_SIZE, b"\0")


def _checksum(step: int, loss: float, lr: float, metrics: bytes) -> int:
    return zlib.crc32(struct.pack("<qdd", step, loss, lr) + metrics)


def _header(about: Mapping[str, Any]) -> bytes:
    """Return the start of the file: its kind, the length of the JSON, and the JSON."""
    text = json.dumps(about).encode()
    start = RECORDING_MAGIC + f"{len(text):10d}\n".encode()
    text += b" " * (-(len(start) + len(text) + 1) % 64) + b"\n"  # so that frames are aligned
    return RECORDING_MAGIC + f"{len(text):10d}\n".encode() + text


def _read_header(path: files.AnyPath) -> tuple[dict[str, Any], int]:
    """Return what the header says, and where the first frame begins."""
    with Path(path).open("rb") as file:
        if file.read(len(RECORDING_MAGIC)) != RECORDING_MAGIC:
            raise InputError(f"{path} is not a recording; {NO_RUN}")
        about: dict[str, Any] = json.loads(file.read(int(file.read(11))))
        _check_format(path, about["format"])
        return about, file.tell()


def _write(descriptor: int, data: Any) -> None:
    """Write all of `data`, which one call need not do."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
