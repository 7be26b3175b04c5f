"""What the use cases need of the host, whatever reaches it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A command that is allowed. `sha256` is of its definition, and tells that it is still the one that was read."""

    name: str
    description: str
    parameters: Mapping[str, JsonValue]
    """A JSON Schema (draft 2020-12) of the arguments' object."""
    timeout_seconds: float
    version: str
    sha256: str


class Catalogue(Protocol):
    """The allowed commands, read at start and never written."""

    def entries(self) -> Sequence[CatalogueEntry]:
        """All of them, in the order of their names."""
        ...

    def argv(self, name: str, arguments: Mapping[str, JsonValue]) -> Sequence[str]:
        """The program and its arguments, each value of a parameter one element or a part of one.

        Raises:
            NotFoundError: there is no such command.
            InvalidRequest: an argument is missing, unknown or does not fit, each told at `/arguments/<name>`.
        """
        ...


class Output(Protocol):
    """Where a running command's output goes. What is beyond the cap is counted and dropped."""

    def stdout(self, data: bytes) -> None:
        """Takes in what the program wrote."""
        ...

    def stderr(self, data: bytes) -> None:
        """Takes in what it complained about."""
        ...


class Executor(Protocol):
    """Runs programs on the host. There is no shell: each element of `argv` reaches the program as it is."""

    async def run(self, command_id: str, argv: Sequence[str], output: Output) -> int:
        """Runs a program to its end and returns its exit code, or minus the signal that ended it.

        A cancellation ends it with all that it has started: SIGTERM, after a while SIGKILL. When `run` returns or
        raises, nothing of it is left.

        Raises:
            Unavailable: the host cannot be reached, or the connection broke while the program ran.
            CannotExecute: the program cannot be started.
        """
        ...

    async def clean_up(self) -> None:
        """Ends what an earlier controller has left running, if anything can be."""
        ...


class CannotExecute(Exception):
    """The program is not there, or may not be run."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What was captured of a command. The tails are the last 16 KiB that each stream wrote, redacted, as text: also of
    one that was cut. The hash is of what is stored."""

    stdout: str
    stderr: str
    output_bytes: int
    output_sha256: str
    truncated: bool


class OutputWriter(Output, Protocol):
    """The output of one command while it runs, with secrets redacted before anything is stored."""

    async def close(self) -> Captured:
        """Returns when everything is on the disk (fsync), and tells what it is."""
        ...


class Outputs(Protocol):
    """The captured outputs of all commands: stdout and stderr in the order in which they came."""

    def open(self, command_id: str) -> OutputWriter:
        """Begins the capture of a command."""
        ...

    async def read(self, command_id: str) -> bytes:
        """The whole capture so far.

        Raises:
            NotFoundError: nothing was captured.
        """
        ...

    def follow(self, command_id: str, offset: int) -> AsyncIterator[tuple[int, bytes]]:
        """The capture from a byte on, as it grows, until it is closed: (offset behind this piece, piece)."""
        ...


class Redactor(Protocol):
    """Takes secrets out of what is stored and shown."""

    def text(self, value: str) -> str:
        """The same with each known secret replaced."""
        ...


@dataclass(frozen=True, slots=True)
class ManagedFile:
    """A file below the managed folder; `path` is relative to it."""

    path: str
    size: int


class ManagedFiles(Protocol):
    """Files below one folder of the host, and nothing outside it."""

    async def list(self, after: str, limit: int) -> Sequence[ManagedFile]:
        """The first behind a path, in order."""
        ...

    async def read(self, path: str) -> bytes:
        """A file's content.

        Raises:
            NotFoundError: there is none.
            InvalidRequest: the path is absolute, leaves the folder, or cannot be a path; or the file is too large.
        """
        ...

    async def write(self, path: str, content: bytes) -> None:
        """Replaces a file, all or nothing. Folders on the way are made.

        Raises:
            InvalidRequest: the path is absolute, leaves the folder, or cannot be a path; or the content is too large.
        """
        ...


class HostStore(Protocol):
    """Small documents that are kept on the host."""

    async def load(self, name: str) -> dict[str, JsonValue] | None:
        """What was saved last under a name, if anything was.

        Raises:
            Unavailable: it cannot be reached, or what stands there is no document.
        """
        ...

    async def save(self, name: str, value: Mapping[str, JsonValue]) -> None:
        """Replaces it, all or nothing."""
        ...
