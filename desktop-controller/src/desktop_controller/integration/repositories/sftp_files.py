"""Managed files in a folder of a host that is reached over SSH."""

import posixpath
import stat
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Final, cast
from uuid import uuid4

from asyncssh import (
    SFTPAttrs,
    SFTPClient,
    SFTPError,
    SFTPFailure,
    SFTPFileAlreadyExists,
    SFTPNoSuchFile,
    SFTPNoSuchPath,
    SFTPNotADirectory,
)

from desktop_controller.integration.clients.ssh_host import SshHost
from desktop_controller.integration.ports import ManagedFile
from desktop_controller.integration.repositories.local_files import MOST_BYTES
from desktop_controller.integration.repositories.paths import RESERVED, InvalidPath, parts_of, refused, split_path
from neuroglia.core.errors import NotFoundError, Unavailable

_NOT_THERE: Final = (SFTPNoSuchFile, SFTPNoSuchPath, SFTPNotADirectory)


class SftpFiles:
    """SFTP knows paths and no descriptors of folders: that there is no symbolic link on the way is asked just before a
    path is used. Whoever can put links into the folder at the same moment has the host already.

    Attributes:
        most_bytes: larger files are neither read nor written.
    """

    def __init__(self, host: SshHost, root: str, *, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._host = host
        self._root = root

    async def list(self, after: str, limit: int) -> Sequence[ManagedFile]:
        found: list[ManagedFile] = []
        async with self._connected() as (sftp, root), aclosing(_files(sftp, root, "", after)) as files:
            async for file in files:
                if len(found) == limit:
                    break
                found.append(file)
        return found

    async def read(self, path: str) -> bytes:
        parts = parts_of(path)
        async with self._connected() as (sftp, root):
            file = posixpath.join(root, *parts)
            try:
                await _require_no_links(sftp, root, parts[:-1])
                if not stat.S_ISREG(_mode(await sftp.lstat(file))):
                    raise NotFoundError("file", path)
                async with sftp.open(file, "rb") as opened:
                    content = cast("bytes", await opened.read(self.most_bytes + 1))
            except _NOT_THERE:
                raise NotFoundError("file", path) from None
        if len(content) > self.most_bytes:
            raise refused("too-large", f"It has more than {self.most_bytes} bytes.")
        return content

    async def write(self, path: str, content: bytes) -> None:
        if len(content) > self.most_bytes:
            raise refused("too-large", f"It must have at most {self.most_bytes} bytes.")
        parts = parts_of(path)
        async with self._connected(make=True) as (sftp, root):
            folder = await _made(sftp, root, parts[:-1])
            await _require_no_links(sftp, root, parts[:-1])
            file, unfinished = posixpath.join(folder, parts[-1]), posixpath.join(folder, f"{RESERVED}{uuid4().hex}")
            with suppress(*_NOT_THERE):
                if not stat.S_ISREG(_mode(await sftp.lstat(file))):
                    raise refused("path", "There is something else than a file.")
            try:
                async with sftp.open(unfinished, "xb", SFTPAttrs(permissions=0o644)) as opened:
                    await opened.write(content)
                    await opened.fsync()
                await sftp.posix_rename(unfinished, file)
            except BaseException:
                with suppress(SFTPError):
                    await sftp.remove(unfinished)
                raise

    @asynccontextmanager
    async def _connected(self, *, make: bool = False) -> AsyncGenerator[tuple[SFTPClient, str]]:
        """A client, and where the folder really is."""
        async with self._host.connected() as connection, connection.start_sftp_client() as sftp:
            try:
                if make:
                    await sftp.makedirs(self._root, exist_ok=True)
                root = self._root
                with suppress(*_NOT_THERE):  # nothing was written yet
                    root = str(await sftp.realpath(root))
                yield sftp, root
            except SFTPError as error:
                raise Unavailable("The managed folder cannot be used.") from error


async def _made(sftp: SFTPClient, root: str, parts: Sequence[str]) -> str:
    """A folder below the root, with all on the way to it."""
    folder = root
    for part in parts:
        folder = posixpath.join(folder, part)
        with suppress(SFTPFailure, SFTPFileAlreadyExists):
            await sftp.mkdir(folder)
        if not stat.S_ISDIR(_mode(await sftp.lstat(folder))):
            raise refused("path", "A part of it is no folder.")
    return folder


async def _require_no_links(sftp: SFTPClient, root: str, parts: Sequence[str]) -> None:
    folder = posixpath.join(root, *parts)
    if str(await sftp.realpath(folder)) != folder:
        raise SFTPNoSuchFile("a symbolic link")


def _mode(attributes: SFTPAttrs) -> int:
    return attributes.permissions or 0


async def _files(sftp: SFTPClient, folder: str, before: str, after: str) -> AsyncGenerator[ManagedFile]:
    """Those below a folder whose paths come after one, in the order of their paths."""
    found: list[tuple[str, int]] = []
    with suppress(*_NOT_THERE):  # it was never made, or has gone meanwhile
        async for entry in sftp.scandir(folder):
            name, mode = str(entry.filename), _mode(entry.attrs)
            with suppress(InvalidPath):
                split_path(before + name)
                if stat.S_ISDIR(mode):
                    found.append((name + "/", 0))
                elif stat.S_ISREG(mode):
                    found.append((name, entry.attrs.size or 0))
    for name, size in sorted(found):
        path = before + name
        if not name.endswith("/"):
            if path > after:
                yield ManagedFile(path, size)
        elif path > after or after.startswith(path):
            async for file in _files(sftp, posixpath.join(folder, name.removesuffix("/")), path, after):
                yield file
