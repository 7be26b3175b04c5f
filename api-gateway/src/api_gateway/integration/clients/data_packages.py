"""Downloads of callers' data, through the guard, into the object store."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import httpx

from api_gateway.domain.models.data_object import DataObject
from api_gateway.integration.clients.archives import ArchiveLimits, check_archive
from api_gateway.integration.clients.media_types import KNOWN_MEDIA_TYPES, ZIP, MediaType
from api_gateway.integration.ports import DataRefused, ObjectStore, UrlRefused
from neuroglia.core import Clock, Unavailable
from neuroglia.mvc.retrying import retry_after

_PIECE: Final = 256 * 1024
_LATER: Final = {408, 425, 429}
_OK: Final = 200
_GONE: Final = {404, 410}
_FAILED_FROM: Final = 500


@dataclass(frozen=True, slots=True)
class DataLimits:
    """What is taken.

    Attributes:
        size: bytes of a package.
        seconds: for the whole download.
        silence: seconds in which nothing comes.
    """

    size: int = 64 * 1024 * 1024
    seconds: float = 60.0
    silence: float = 10.0
    media_types: Collection[str] = KNOWN_MEDIA_TYPES
    archive: ArchiveLimits = field(default_factory=ArchiveLimits)

    @property
    def timeout(self) -> httpx.Timeout:
        """What the client has to be made with."""
        return httpx.Timeout(self.silence, connect=min(self.silence, 5.0))


class HttpDataPackages:
    """A package is first a file without a name, which is gone when it is closed, however that comes about; and only
    when it is known to be good it becomes an object."""

    def __init__(
        self, http: httpx.AsyncClient, objects: ObjectStore, limits: DataLimits, folder: Path, clock: Clock
    ) -> None:
        self._http = http
        self._objects = objects
        self._limits = limits
        self._folder = folder
        self._clock = clock

    async def fetch(self, url: str, *, name: str) -> DataObject:
        with self._unnamed() as file:
            media_type = await self._download(url, file)
            if media_type == ZIP:
                await asyncio.to_thread(check_archive, file, self._limits.archive)
            return await self._objects.put(name, _pieces(file), media_type=media_type)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _download(self, url: str, file: IO[bytes]) -> str:
        """Writes what comes to the file, and tells what it is."""
        begun = False
        try:
            async with asyncio.timeout(self._limits.seconds), self._http.stream("GET", url) as answer:
                self._judge(answer)
                begun = True
                return await self._write(answer, file)
        except UrlRefused as error:
            raise DataRefused("url-refused", str(error)) from None
        except (httpx.TimeoutException, TimeoutError) as error:
            if begun:
                raise DataRefused("too-slow", "The data did not come in time.") from None
            raise Unavailable(f"the server of the data does not answer: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            if begun:
                raise DataRefused("incomplete", "The data broke off before its end.") from None
            raise Unavailable(f"the server of the data does not answer: {type(error).__name__}") from None

    async def _write(self, answer: httpx.Response, file: IO[bytes]) -> str:
        media_type, size = MediaType(answer.headers.get("content-type", ""), self._limits.media_types), 0
        async for piece in answer.aiter_raw(_PIECE):
            size += len(piece)
            if size > self._limits.size:
                raise self._too_large()
            await asyncio.to_thread(_take, media_type, file, piece)
        return media_type.found()

    def _judge(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in _LATER or status >= _FAILED_FROM:
            asked = retry_after(answer.headers.get("retry-after", ""), self._clock.now())
            raise Unavailable(f"the server of the data answers {status}", retry_after=asked)
        if status in _GONE:
            raise DataRefused("not-found", "There is no data at this URL.")
        if answer.is_redirect or answer.has_redirect_location:
            raise DataRefused("redirect", "The URL leads to another one. Give that one instead.")
        if status != _OK:
            raise DataRefused("not-given", f"The server of the data answers {status}.")
        if answer.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
            raise DataRefused("content-encoding", "The data comes compressed, although it was asked for as it is.")
        length = answer.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._limits.size:
            raise self._too_large()

    def _too_large(self) -> DataRefused:
        return DataRefused("too-large", f"The data has more than {self._limits.size} bytes.")

    def _unnamed(self) -> IO[bytes]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryFile(dir=self._folder)
        except OSError as error:
            raise Unavailable("The folder for downloads cannot be used.") from error


def _take(media_type: MediaType, file: IO[bytes], piece: bytes) -> None:
    media_type.takes(piece)
    try:
        file.write(piece)
    except OSError as error:
        raise Unavailable("A download cannot be stored.") from error


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    file.seek(0)
    while piece := await asyncio.to_thread(file.read, _PIECE):
        yield piece
