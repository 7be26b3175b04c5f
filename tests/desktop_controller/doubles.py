"""A host that a test holds in its hands: what is run ends when the test says so, and everything is kept in memory."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from desktop_controller.integration.ports import (
    CannotExecute,
    Captured,
    CatalogueEntry,
    ManagedFile,
    Output,
)
from neuroglia.core import ConcurrencyError, FieldError, InvalidRequest, NotFoundError, Unavailable

TEXT: Mapping[str, JsonValue] = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 20}},
    "required": ["text"],
    "additionalProperties": False,
}
NOTHING: Mapping[str, JsonValue] = {"type": "object", "properties": {}, "additionalProperties": False}
SECRET = "hunter2"


def entry(name: str, parameters: Mapping[str, JsonValue] = NOTHING, timeout: float = 5.0) -> CatalogueEntry:
    """An allowed command."""
    return CatalogueEntry(
        name=name, description=f"Does {name}.", parameters=parameters, timeout_seconds=timeout, version="1",
        sha256=hashlib.sha256(name.encode()).hexdigest(),
    )  # fmt: skip


class FakeCatalogue:
    """`echo` takes a text; `lock`, `unlock` and `sleep` take nothing. A test may change it, as a restart would."""

    def __init__(self) -> None:
        self.allowed = {
            one.name: one for one in (entry("echo", TEXT), entry("lock"), entry("sleep", timeout=60.0), entry("unlock"))
        }

    def entries(self) -> Sequence[CatalogueEntry]:
        return [self.allowed[name] for name in sorted(self.allowed)]

    def argv(self, name: str, arguments: Mapping[str, JsonValue]) -> Sequence[str]:
        if name not in self.allowed:
            raise NotFoundError("command", name)
        known = {"text"} if self.allowed[name].parameters is TEXT else set[str]()
        errors = [
            FieldError(f"/arguments/{one}", "unknown", "No such parameter.") for one in arguments if one not in known
        ]
        errors += [FieldError(f"/arguments/{one}", "missing", "It is needed.") for one in known if one not in arguments]
        for one in known & set(arguments):
            value = arguments[one]
            if not isinstance(value, str) or len(value) > 20:
                errors.append(FieldError(f"/arguments/{one}", "text", "A text of at most 20 characters."))
        if errors:
            raise InvalidRequest(errors)
        return [f"/usr/bin/{name}", *(str(arguments[one]) for one in sorted(known))]


@dataclass
class Running:
    """A program that runs until it is told to end."""

    command_id: str
    argv: Sequence[str]
    output: Output
    ended: "asyncio.Future[int]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    cancellations: int = 0

    @property
    def killed(self) -> bool:
        """Whether it was ended from outside."""
        return self.cancellations > 0


class FakeExecutor:
    """`echo` ends at once and writes its text; all else runs until a test ends it, or it is cancelled."""

    def __init__(self) -> None:
        self.begun: list[Running] = []
        self.cleaned_up = 0
        self.fails: Exception | None = None
        self.reachable = asyncio.Event()
        self.reachable.set()
        self.gives_up = asyncio.Event()
        """Not set: programs that are asked to end take their time."""
        self.gives_up.set()

    async def run(self, command_id: str, argv: Sequence[str], output: Output) -> int:
        running = Running(command_id, argv, output)
        self.begun.append(running)
        if self.fails is not None:
            raise self.fails
        if argv[0].endswith("echo"):
            output.stdout(f"{argv[1]}\n".encode())
            return 0
        try:
            return await running.ended
        except asyncio.CancelledError:
            running.cancellations += 1
            try:
                await self.gives_up.wait()
            except asyncio.CancelledError:
                running.cancellations += 1
            raise

    async def clean_up(self) -> None:
        await self.reachable.wait()
        self.cleaned_up += 1

    def running(self, command_id: str) -> Running | None:
        """The program of a command, if it runs now."""
        return next((one for one in self.begun if one.command_id == command_id and not one.ended.done()), None)


class FakeOutputWriter:
    """Keeps everything; the first MiB of it is captured."""

    def __init__(self, *, full: bool) -> None:
        self.full = full
        self.streams = {"stdout": b"", "stderr": b""}
        self.capture = b""
        self.closed = False
        self.changed = asyncio.Event()

    def stdout(self, data: bytes) -> None:
        self._add("stdout", data)

    def stderr(self, data: bytes) -> None:
        self._add("stderr", data)

    def _add(self, stream: str, data: bytes) -> None:
        data = data.replace(SECRET.encode(), b"***")
        self.streams[stream] += data
        self.capture += data
        self.wake()

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def close(self) -> Captured:
        self.closed = True
        self.wake()
        if self.full:
            raise Unavailable("The output of a command cannot be stored.")
        tails = {name: data[-16 * 1024 :].decode(errors="replace") for name, data in self.streams.items()}
        digest = hashlib.sha256(self.capture).hexdigest()
        return Captured(**tails, output_bytes=len(self.capture), output_sha256=digest, truncated=False)


class FakeOutputs:
    """The captures of all commands. `full`: the disk is. `fault`: none can be opened, for no reason that is known."""

    def __init__(self) -> None:
        self.writers: dict[str, FakeOutputWriter] = {}
        self.full = False
        self.fault: Exception | None = None
        self.reads: Counter[str] = Counter()
        """How often each was asked for."""
        self.followed: Counter[str] = Counter()
        """How much of each a follower has taken, and waits for more."""

    def open(self, command_id: str) -> FakeOutputWriter:
        if self.fault is not None:
            raise self.fault
        return self.writers.setdefault(command_id, FakeOutputWriter(full=self.full))

    async def read(self, command_id: str) -> bytes:
        self.reads[command_id] += 1
        if command_id not in self.writers:
            raise NotFoundError("output", command_id)
        return self.writers[command_id].capture

    async def follow(self, command_id: str, offset: int) -> AsyncIterator[tuple[int, bytes]]:
        writer = self.writers[command_id]
        while True:
            changed, piece = writer.changed, writer.capture[offset:]
            if piece:
                offset += len(piece)
                yield offset, piece
            elif writer.closed:
                return
            else:
                self.followed[command_id] = offset
                await changed.wait()


class FakeRedactor:
    """Knows one secret."""

    def text(self, value: str) -> str:
        return value.replace(SECRET, "***")


class FakeFiles:
    """A folder in memory, as strict about paths as the real one."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    async def list(self, after: str, limit: int) -> Sequence[ManagedFile]:
        paths = [path for path in sorted(self.contents) if path > after][:limit]
        return [ManagedFile(path, len(self.contents[path])) for path in paths]

    async def read(self, path: str) -> bytes:
        _check(path)
        if path not in self.contents:
            raise NotFoundError("file", path)
        return self.contents[path]

    async def write(self, path: str, content: bytes) -> None:
        _check(path)
        self.contents[path] = content


def _check(path: str) -> None:
    if not path or "\0" in path or path.startswith("/") or {"", ".", ".."} & set(path.split("/")):
        raise InvalidRequest([FieldError("/path", "path", "The path leads out of the folder.")])


class FakeHostStore:
    """Files in memory. `full`: the disk is. `rivals`: so many saves come after somebody else's."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, JsonValue]] = {}
        self.full = False
        self.rivals = 0

    async def load(self, name: str) -> dict[str, JsonValue] | None:
        await asyncio.sleep(0)  # others get their turn, as while a file is read
        value = self.values.get(name)
        return None if value is None else dict(value)

    async def save(self, name: str, value: Mapping[str, JsonValue]) -> None:
        await asyncio.sleep(0)
        if self.full:
            raise Unavailable("There is no space left.")
        if self.rivals:
            self.rivals -= 1
            raise ConcurrencyError(name, 0, 1)
        self.values[name] = dict(value)


NO_PROGRAM = CannotExecute("There is no program '/usr/bin/hunter2'.")


@dataclass
class FakeHost:
    """All that there is of a host, so that a second controller finds what the first one has left."""

    catalogue: FakeCatalogue = field(default_factory=FakeCatalogue)
    executor: FakeExecutor = field(default_factory=FakeExecutor)
    outputs: FakeOutputs = field(default_factory=FakeOutputs)
    redactor: FakeRedactor = field(default_factory=FakeRedactor)
    files: FakeFiles = field(default_factory=FakeFiles)
    store: FakeHostStore = field(default_factory=FakeHostStore)
