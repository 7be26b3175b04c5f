"""Managed files in a folder of this machine."""

import asyncio
import errno
import os
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import uuid4

from desktop_controller.integration.ports import ManagedFile
from desktop_controller.integration.repositories.paths import RESERVED, InvalidPath, parts_of, refused, split_path
from neuroglia.core.errors import NotFoundError, Unavailable

MOST_BYTES: Final = 10 * 1024 * 1024
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_WAY: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EISDIR}


class LocalFiles:
    """Goes from folder to folder by their descriptors and never follows a symbolic link: nothing can be exchanged
    between check and use. The folder itself may be reached by links.

    Attributes:
        most_bytes: larger files are neither read nor written.
    """

    def __init__(self, root: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._root = root

    async def list(self, after: str, limit: int) -> Sequence[ManagedFile]:
        return await asyncio.to_thread(self._list, after, limit)

    async def read(self, path: str) -> bytes:
        return await asyncio.to_thread(self._read, path, parts_of(path))

    async def write(self, path: str, content: bytes) -> None:
        if len(content) > self.most_bytes:
            raise refused("too-large", f"It must have at most {self.most_bytes} bytes.")
        await asyncio.to_thread(self._write, parts_of(path), content)

    def _list(self, after: str, limit: int) -> Sequence[ManagedFile]:
        if not self._root.exists():  # nothing was written yet
            return []
        with _told(), self._folder(()) as root:
            return list(islice(_files(root, "", after), limit))

    def _read(self, path: str, parts: Sequence[str]) -> bytes:
        with _told():
            try:
                with self._folder(parts[:-1]) as folder:
                    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                    with open(os.open(parts[-1], flags, dir_fd=folder), "rb") as file:
                        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                            raise NotFoundError("file", path)
                        content = file.read(self.most_bytes + 1)
            except OSError as error:
                if error.errno in _NO_WAY:
                    raise NotFoundError("file", path) from None
                raise
        if len(content) > self.most_bytes:
            raise refused("too-large", f"It has more than {self.most_bytes} bytes.")
        return content

    def _write(self, parts: Sequence[str], content: bytes) -> None:
        name, unfinished = parts[-1], f"{RESERVED}{uuid4().hex}"
        with _told():
            try:
                with self._folder(parts[:-1], make=True) as folder:
                    with suppress(FileNotFoundError):
                        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                            raise refused("path", "There is something else than a file.")
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                    try:
                        with open(os.open(unfinished, flags, 0o644, dir_fd=folder), "wb") as file:
                            file.write(content)
                            file.flush()
                            os.fsync(file.fileno())
                        os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
                    except BaseException:
                        with suppress(OSError):
                            os.unlink(unfinished, dir_fd=folder)
                        raise
                    os.fsync(folder)
            except OSError as error:
                if error.errno in _NO_WAY:
                    raise refused("path", "A part of it is no folder.") from None
                raise

    @contextmanager
    def _folder(self, parts: Sequence[str], *, make: bool = False) -> Generator[int]:
        """The descriptor of a folder below the root."""
        if make:
            self._root.mkdir(parents=True, exist_ok=True)
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=folder)
                        os.fsync(folder)
                below = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = below
            yield folder
        finally:
            os.close(folder)


@contextmanager
def _told() -> Generator[None]:
    """What the system says is no business of the caller's."""
    try:
        yield
    except OSError as error:
        raise Unavailable("The managed folder cannot be used.") from error


def _files(folder: int, before: str, after: str) -> Iterator[ManagedFile]:
    """Those below a folder whose paths come after one, in the order of their paths. What has no path of ours, as a link
    or a name that is no text, is left out."""
    with os.scandir(folder) as entries:
        found = sorted(
            entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "")
            for entry in entries
            if entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)
        )
    for name in found:
        path = before + name
        with suppress(InvalidPath, FileNotFoundError, NotADirectoryError, PermissionError):  # or it has gone meanwhile
            split_path(path.removesuffix("/"))
            if not name.endswith("/"):
                if path > after:
                    yield ManagedFile(path, os.stat(name, dir_fd=folder, follow_symlinks=False).st_size)
            elif path > after or after.startswith(path):
                below = os.open(name.removesuffix("/"), _FOLDER, dir_fd=folder)
                try:
                    yield from _files(below, path, after)
                finally:
                    os.close(below)
