"""Outputs for tests, and what can be seen in the process table."""

import asyncio
from pathlib import Path

from tests.support.waiting import eventually


class Capture:
    """Takes in what a program writes, up to a cap, and counts the rest."""

    def __init__(self, cap: int = 1_000_000) -> None:
        self.cap = cap
        self.out, self.err = b"", b""
        self.seen = 0

    def stdout(self, data: bytes) -> None:
        self.seen += len(data)
        self.out = (self.out + data)[: self.cap]

    def stderr(self, data: bytes) -> None:
        self.seen += len(data)
        self.err = (self.err + data)[: self.cap]

    async def says(self, text: bytes) -> None:
        """Waits for it."""

        async def said() -> bool:
            return text in self.out

        await eventually(said, 20)


def processes(mark: str) -> list[int]:
    """Those that have this text in their arguments, the zombies left out."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if mark.encode() in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
    return found


async def gone(mark: str, seconds: float = 20) -> None:
    """Waits until no process with this text in its arguments is left."""

    async def none_left() -> bool:
        return not await asyncio.to_thread(processes, mark)

    await eventually(none_left, seconds)
