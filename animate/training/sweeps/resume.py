"""
A file of finished tiles, so that a sweep that was stopped can go on.

It begins with a fingerprint of the sweep. Each tile is a record that is appended once the tile is
trained, and flushed. A last record that is torn, since the process was killed, is dropped.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from io import BufferedRandom
from pathlib import Path
from types import TracebackType

import numpy as np

from animate.system import files
from animate.system.errors import InputError, OutputError
from animate.system.version import VERSION
from animate.training.line import Line
from animate.training.sweeps.plan import Plan
from animate.training.sweeps.results import RESULT, Results

MAGIC = b"animate sweep 1\n"
HEADER = struct.Struct("<qqI")  # the tile's number, its count of runs, the checksum of the rest


class TileFile:
    """The finished tiles of one sweep, for use in a ``with`` block."""

    def __init__(self, path: files.AnyPath, plan: Plan) -> None:
        self._path = path
        self._fingerprint = fingerprint(plan)
        self._file: BufferedRandom

    def __enter__(self) -> TileFile:
        files.check(self._path)
        path = Path(self._path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        except OSError as error:
            raise OutputError(f"{self._path} cannot be opened: {files.cause(error)}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def read(self) -> dict[int, Results]:
        """
        Return the results of the tiles in the file by their numbers, and drop a torn record.

        Raises
        ------
        InputError
            If the file is of another sweep, or of none.
        """
        head = MAGIC + self._fingerprint
        found = self._file.read(len(head))
        if found != head[: len(found)]:
            raise InputError(
                f"{self._path} holds the tiles of another sweep, or is no such file; give the "
                "settings that it was made with, or another path"
            )
        if len(found) < len(head):  # new, or torn in its head
            self._write(0, head)
            return {}
        finished: dict[int, Results] = {}
        end = len(head)
        while True:
            start = self._file.read(HEADER.size)
            if len(start) < HEADER.size:
                break
            number, count, checksum = HEADER.unpack(start)
            if not 0 < count < 10**9:
                break
            content = self._file.read(count * RESULT.itemsize)
            if zlib.crc32(content) != checksum or len(content) < count * RESULT.itemsize:
                break
            finished[number] = np.frombuffer(content, RESULT)
            end = self._file.tell()
        self._file.truncate(end)
        self._file.seek(end)
        return finished

    def append(self, number: int, results: Results) -> None:
        """Add the results of a tile."""
        content = results.tobytes()
        record = HEADER.pack(number, len(results), zlib.crc32(content)) + content
        self._write(self._file.tell(), record)

    def _write(self, place: int, content: bytes) -> None:
        try:
            self._file.seek(place)
            self._file.write(content)
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"{self._path} cannot be written: {files.cause(error)}; what it holds is kept"
            ) from error


def fingerprint(plan: Plan) -> bytes:
    """Return a digest of all that the results of a sweep depend on, 32 bytes."""
    problem = plan.problem
    digest = hashlib.sha256(VERSION.encode())
    if isinstance(problem, Line):
        arrays = [problem.training_x, problem.training_y, problem.start]
    else:
        loss = problem.loss_function
        digest.update(repr(problem.model).encode())
        digest.update(getattr(loss, "__qualname__", repr(loss)).encode())
        arrays = [problem.inputs.cpu().numpy(), problem.targets.cpu().numpy(), problem.start]
    for name, values in (*plan.axes.items(), *enumerate(arrays)):
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    digest.update(f"{plan.fixed} {plan.epochs} {plan.tile_size}".encode())
    return digest.digest()
