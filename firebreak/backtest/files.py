"""Files of the past, piece by piece: JSON Lines, one JSON list, or one JSON value; packed by gzip or not."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from firebreak.core.findings.input_formats import LARGEST

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_MOST_TIMES = 200
"""Histories of like findings are packed to a fiftieth; a file that says nothing at all, to a thousandth."""
_UNPACKED_ANYHOW = 64 << 20
_BLANK = re.compile(r"[ \t\r\n,]*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A text that should be one JSON value, and where it begins; `fault` says why it is not given whole."""

    file: str
    line: int
    text: bytes
    fault: str = ""


class _TooMuch(Exception):
    """A packed file holds more than any history of its size."""


class _Packed(gzip.GzipFile):
    """A packed file, read up to a bound: a few kilobytes may be packed so that they never end."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__(fileobj=raw)
        self._most = max(_UNPACKED_ANYHOW, _MOST_TIMES * os.fstat(raw.fileno()).st_size)

    def read(self, size: int | None = -1) -> bytes:
        return self._bounded(super().read(size))

    def readline(self, size: int | None = -1) -> bytes:
        return self._bounded(super().readline(size))

    def _bounded(self, data: bytes) -> bytes:
        if self.tell() > self._most:
            raise _TooMuch
        return data


class Far:
    """How far files were read."""

    def __init__(self, files: Iterable[str]) -> None:
        """Nothing of them yet; raises OSError."""
        sizes = [0 if one == "-" else Path(one).stat().st_size for one in files]
        self._whole = sum(sizes) if all(sizes) else 0
        self._past = self._size = 0
        self._reading: IO[bytes] | None = None

    @property
    def share(self) -> float:
        """Of all that there is, 0 to 1; 0 where that is not known."""
        reading = self._reading
        now = 0 if reading is None else self._size if reading.closed else reading.tell()
        return (self._past + now) / self._whole if self._whole else 0.0

    def begins(self, raw: IO[bytes]) -> None:
        """This file is read from here on, and those before are over."""
        self._past += self._size
        self._reading, self._size = raw, os.fstat(raw.fileno()).st_size


def pieces_of(files: Iterable[str], far: Far | None = None) -> Iterator[Piece]:
    """Every value of every file, in order, `-` being standard input; raises OSError for a file that cannot be read."""
    for file in files:
        with _opened(file, far) as stream:
            try:
                yield from _pieces(file, stream)
            except (EOFError, zlib.error, gzip.BadGzipFile):
                yield Piece(file, 0, b"", "the packed file is cut short, or damaged")
            except _TooMuch:
                told = f"the packed file unpacks to more than {_MOST_TIMES} times its size, and no history does"
                yield Piece(file, 0, b"", f"{told}: what follows is not read; if it is meant, unpack it first")


@contextmanager
def _opened(file: str, far: Far | None) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as raw:
        if far is not None:
            far.begins(raw)
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        if not packed:
            yield raw
            return
        with _Packed(raw) as stream:
            yield cast("IO[bytes]", stream)


def _pieces(file: str, stream: IO[bytes]) -> Iterator[Piece]:
    first = stream.readline(LARGEST).removeprefix(b"\xef\xbb\xbf")
    line = 1
    while first and not first.strip():
        first, line = stream.readline(LARGEST), line + 1
    if first.lstrip().startswith(b"["):
        yield from _listed(file, stream, first.lstrip()[1:], line)
    elif not first or _whole(first):
        yield from _lines(file, stream, first, line)
    else:
        yield from _alone(file, stream, first, line)


def _whole(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _alone(file: str, stream: IO[bytes], first: bytes, line: int) -> Iterator[Piece]:
    """A value over several lines; lines of their own where it is none."""
    rest = stream.read(LARGEST)
    if len(rest) < LARGEST and _whole(first + rest):
        yield Piece(file, line, first + rest)
        return
    yield from (Piece(file, line + at, one) for at, one in enumerate((first + rest).splitlines()) if one.strip())
    yield from _lines(file, stream, b"", line + (first + rest).count(b"\n"))


def _lines(file: str, stream: IO[bytes], text: bytes, line: int) -> Iterator[Piece]:
    while text or (text := stream.readline(LARGEST)):
        if len(text) >= LARGEST:
            while text and not text.endswith(b"\n"):
                text = stream.readline(LARGEST)
            yield Piece(file, line, b"", f"the line is larger than {LARGEST // 1_000_000} MB, and no finding is")
        elif text.strip():
            yield Piece(file, line, text)
        text, line = b"", line + 1


def _listed(file: str, stream: IO[bytes], text: bytes, line: int) -> Iterator[Piece]:
    """The items of a list, of which never more is held than one and what was read with it."""
    # Only where each item ends is asked here: a number that is too long for Python hides none that follows.
    decoder, letters = (
        json.JSONDecoder(parse_int=len, parse_float=len),
        codecs.getincrementaldecoder("utf-8")("replace"),
    )
    held, at, ended = letters.decode(text), 0, False
    while True:
        start, at = at, cast("re.Match[str]", _BLANK.match(held, at)).end()
        line += held.count("\n", start, at)
        if held.startswith("]", at):
            return
        try:
            _, end = decoder.raw_decode(held, at)
        except (ValueError, RecursionError):
            # Twice as much each time, so that an item is read a bounded number of times however large it is.
            more = b"" if ended else stream.read(max(_CHUNK, len(held) - at))
            ended = not more
            if ended or len(held) - at > LARGEST:
                yield Piece(file, line, b"", "the list is cut short here, or is not JSON text")
                return
            held, at = held[at:] + letters.decode(more), 0
            continue
        yield Piece(file, line, held[at:end].encode())
        line, at = line + held.count("\n", at, end), end
