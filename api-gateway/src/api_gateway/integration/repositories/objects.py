"""The object store of a URL: a folder (`file://`), or what obstore gives besides (`s3://`, `gs://`, `az://`)."""

import asyncio
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from api_gateway.domain.models.data_object import DataObject
from neuroglia.core import ConfigurationError, NotFoundError, Unavailable

_PIECE: Final = 256 * 1024
_PARTS_AT_ONCE: Final = 2
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,3}", re.ASCII)
_PROBE: Final = "_probe"
"""No key of an object begins like this."""
_UNFINISHED_S: Final = 3600
"""Nobody writes at an object for so long."""
_RETRY_TIMEOUT: Final = timedelta(seconds=20)


def connect_objects(url: str) -> "StoredObjects":
    """The object store of a URL. Nothing is connected yet; credentials of a cloud come from its own variables.

    Raises:
        ConfigurationError: no store has this scheme, or the URL does not say what it needs.
    """
    scheme, _, rest = url.partition("://")
    match scheme:
        case "file" if rest:
            folder = Path(rest).absolute()
            try:
                folder.mkdir(parents=True, exist_ok=True)
                _remove_unfinished(folder)
            except OSError as error:
                raise ConfigurationError(f"OBJECT_STORE_URL: {folder} cannot be used: {error.strerror}") from None
            return StoredObjects(LocalStore(folder), folder)
        case "memory" if not rest.strip("/"):
            return StoredObjects(MemoryStore())
        case "s3" | "gs" | "az":
            try:
                return StoredObjects(from_url(url, retry_config={"max_retries": 2, "retry_timeout": _RETRY_TIMEOUT}))
            except (BaseError, ValueError) as error:
                raise ConfigurationError(f"OBJECT_STORE_URL: {scheme}: {str(error).splitlines()[0]}") from None
        case _:
            raise ConfigurationError(
                f"OBJECT_STORE_URL: no object store is known for '{scheme}://'; "
                "use file:///folder, memory://, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"
            )


class StoredObjects:
    """Objects under keys that the gateway makes. In a folder, an object is on the disk when `put` returns."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    async def put(self, key: str, content: AsyncIterator[bytes], *, media_type: str) -> DataObject:
        counted = _Counted(content)
        with _told():
            await obstore.put_async(self._store, _checked(key), counted.pieces(), max_concurrency=_PARTS_AT_ONCE)
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder / key)
        return DataObject(key=key, media_type=media_type, size=counted.size, sha256=counted.hash.hexdigest())

    async def get(self, key: str) -> AsyncIterator[bytes]:
        try:
            with _told():
                found = await obstore.get_async(self._store, _checked(key))
                async for piece in found.stream(min_chunk_size=_PIECE):
                    yield bytes(piece)
        except FileNotFoundError:
            raise NotFoundError("object", key) from None

    async def delete(self, key: str) -> None:
        with _told(), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, _checked(key))

    async def probe(self) -> None:
        """Writes a little object and reads it again."""
        with _told():
            await obstore.put_async(self._store, _PROBE, b"ready")
            try:
                found = await obstore.get_async(self._store, _PROBE)
            except FileNotFoundError:
                raise Unavailable("The object store loses what it is given.") from None
            if bytes(await found.bytes_async()) != b"ready":
                raise Unavailable("The object store gives back something else.")


class _Counted:
    """What passes, and how much it was."""

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        self.size = 0
        self.hash = hashlib.sha256()
        self._content = content

    async def pieces(self) -> AsyncIterator[bytes]:
        async for piece in self._content:
            self.size += len(piece)
            self.hash.update(piece)
            yield piece


@contextmanager
def _told() -> Generator[None]:
    """What the store says is no business of the caller's: its texts hold addresses and names of buckets."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise Unavailable("The object store does not answer.") from error


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"this is no key of an object: {key!r}")
    return key


def _remove_unfinished(folder: Path) -> None:
    """What obstore has left of objects (`key#1`) whose process died. What is younger may still be written by others."""
    for left in folder.rglob("*#*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _UNFINISHED_S:
                left.unlink()


def _sync(file: Path) -> None:
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
