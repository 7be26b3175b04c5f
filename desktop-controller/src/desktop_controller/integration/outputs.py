"""The captured outputs of commands: a file for each, below one folder."""

import asyncio
import hashlib
import os
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from desktop_controller.integration.ports import Captured
from desktop_controller.integration.redaction import SecretRedactor
from neuroglia.core.errors import NotFoundError, Unavailable

_CAP: Final = 1024 * 1024
_TAIL: Final = 16 * 1024
_PIECE: Final = 64 * 1024
_REDACTED_AT_ONCE: Final = 4 * 1024
_LONGEST_LINE: Final = 64 * 1024
"""A longer one at the end of what is cut is not shown: what stood at its beginning is not known any more."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


class FileOutputs:
    """Captures are kept in memory while their commands run, for they are capped, and are written to their files as they
    grow: what a dead controller has captured can be read afterwards."""

    def __init__(self, folder: Path, redactor: SecretRedactor, *, cap: int = _CAP) -> None:
        self._folder = folder
        self._redactor = redactor
        self._cap = cap
        self._open: dict[str, FileWriter] = {}

    def open(self, command_id: str) -> "FileWriter":
        writer = FileWriter(self._file(command_id), self._redactor, self._cap, lambda: self._open.pop(command_id, None))
        self._open[command_id] = writer
        return writer

    async def read(self, command_id: str) -> bytes:
        if (writer := self._open.get(command_id)) is not None:
            return bytes(writer.capture)
        return await asyncio.to_thread(_read, self._file(command_id), command_id)

    async def follow(self, command_id: str, offset: int) -> AsyncIterator[tuple[int, bytes]]:
        if (writer := self._open.get(command_id)) is None:
            capture = await self.read(command_id)
            for start in range(max(offset, 0), len(capture), _PIECE):
                piece = capture[start : start + _PIECE]
                yield start + len(piece), piece
            return
        offset = max(offset, 0)
        while await writer.has_more_than(offset):
            piece = bytes(writer.capture[offset : offset + _PIECE])
            offset += len(piece)
            yield offset, piece

    def _file(self, command_id: str) -> Path:
        if not _ID.fullmatch(command_id):
            raise NotFoundError("output", command_id)
        return self._folder / f"{command_id}.log"


class FileWriter:
    """The capture of one command. Nothing of it is stored before it is redacted. That is slow, so it is done a little
    at a time, and others have their turn in between.

    Attributes:
        capture: what is stored, or will be in a moment.
    """

    def __init__(self, file: Path, redactor: SecretRedactor, cap: int, on_close: Callable[[], object]) -> None:
        self.capture = bytearray()
        self._stdout = _Stream(redactor, cap)
        self._stderr = _Stream(redactor, cap)
        self._raw: deque[tuple[_Stream, bytes]] = deque()
        self._came = asyncio.Event()
        self._closing = False
        self._file = file
        self._on_close = on_close
        self._ended = False
        self._grown = asyncio.Event()
        self._redacting = asyncio.create_task(self._redact())
        self._writing = asyncio.create_task(self._write())

    def stdout(self, data: bytes) -> None:
        self._take(self._stdout, data)

    def stderr(self, data: bytes) -> None:
        self._take(self._stderr, data)

    async def close(self) -> Captured:
        self._closing = True
        self._came.set()
        try:
            await asyncio.shield(self._redacting)
            await asyncio.shield(self._writing)
        except OSError as error:
            raise Unavailable("The output of a command cannot be stored.") from error
        finally:
            self._on_close()
        return Captured(
            stdout=self._stdout.tail(),
            stderr=self._stderr.tail(),
            output_bytes=self._stdout.seen + self._stderr.seen,
            output_sha256=hashlib.sha256(self.capture).hexdigest(),
            truncated=self._stdout.truncated or self._stderr.truncated,
        )

    async def has_more_than(self, offset: int) -> bool:
        """Waits until the capture is longer, or closed."""
        while len(self.capture) <= offset and not self._ended:
            await self._grown.wait()
        return len(self.capture) > offset

    def _take(self, stream: "_Stream", data: bytes) -> None:
        data = stream.take(data)
        for start in range(0, len(data), _REDACTED_AT_ONCE):
            self._raw.append((stream, data[start : start + _REDACTED_AT_ONCE]))
        self._came.set()

    async def _redact(self) -> None:
        """In the order in which it came, until it is closed."""
        while self._raw or not self._closing:
            if not self._raw:
                self._came.clear()
                await self._came.wait()
                continue
            stream, data = self._raw.popleft()
            self._add(stream.feed(data))
            await asyncio.sleep(0)
        self._add(self._stdout.finish())
        self._add(self._stderr.finish())
        self._ended = True
        self._wake()

    def _add(self, data: bytes) -> None:
        if data:
            self.capture += data
            self._wake()

    def _wake(self) -> None:
        """All that wait now; who comes later waits for the next time."""
        self._grown.set()
        self._grown = asyncio.Event()

    async def _write(self) -> None:
        """Keeps the file as long as the capture, in pieces, and makes sure of it at the end."""
        file = await asyncio.to_thread(_create, self._file)
        written = 0
        try:
            while await self.has_more_than(written):
                piece = bytes(self.capture[written:])
                await asyncio.to_thread(_write_all, file, piece)
                written += len(piece)
            await asyncio.to_thread(_sync, file, self._file.parent)
        finally:
            os.close(file)


class _Stream:
    """One of the two, with its cap. Its tail is of everything that came, and so tells how it ended: what is far beyond
    the cap is kept as it came, for the end of it alone has to be redacted."""

    def __init__(self, redactor: SecretRedactor, cap: int) -> None:
        self._redactor = redactor
        self._redacted = redactor.stream()
        self._head = cap + redactor.margin
        self._left = cap
        self._tail = bytearray()
        self._end = bytearray()
        self._is_cut = False
        self.seen = 0
        self.truncated = False

    def take(self, data: bytes) -> bytes:
        """Keeps the end of what came, and returns what of it is to be redacted."""
        head = data[: max(self._head - self.seen, 0)]
        self.seen += len(data)
        self.truncated = self.truncated or len(head) < len(data)
        kept = self._redactor.margin + _LONGEST_LINE + _TAIL
        self._end += data[-kept:]
        if len(self._end) > 2 * kept:
            del self._end[:-kept]
        return head

    def feed(self, data: bytes) -> bytes:
        """What of it is stored."""
        return self._capped(self._redacted.feed(data))

    def finish(self) -> bytes:
        """The rest. Of what goes on beyond the cap there is none: it may be half a secret."""
        if self.seen > self._head:
            return b""
        return self._capped(self._redacted.finish())

    def tail(self) -> str:
        is_beyond = self.seen > self._head
        tail = self._redactor.ending(bytes(self._end), _TAIL) if is_beyond else bytes(self._tail)
        if self._is_cut or is_beyond:  # perhaps within a character
            tail = re.sub(rb"\A[\x80-\xbf]{1,3}", b"", tail)
        return tail.decode(errors="replace")

    def _capped(self, shown: bytes) -> bytes:
        self._tail += shown
        if len(self._tail) > _TAIL:
            self._is_cut = True
            del self._tail[:-_TAIL]
        kept = shown[: self._left]
        self._left -= len(kept)
        self.truncated = self.truncated or len(kept) < len(shown)
        return kept


def _read(file: Path, command_id: str) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise NotFoundError("output", command_id) from None
    except OSError as error:
        raise Unavailable("The output of a command cannot be read.") from error


def _create(file: Path) -> int:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync(file: int, folder: Path) -> None:
    os.fsync(file)
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(held)
    finally:
        os.close(held)
